"""Keep an evening in one file, so that it can go on after the emulator's end, also on another computer.

The file is a copy of the lottery's four tables, with a note of the step that was taken last. It contains the
secret of an unfinished draw, so only its owner can read it.
"""

import base64
import hashlib
import json
import shlex
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from lottery_lib import execution
from lottery_lib.aws_errors import call_or_none
from lottery_lib.draws import machine_arn
from lottery_lib.errors import LotteryError
from lottery_lib.files import MB, read_named, reason_of, write_over
from lottery_lib.names import Names
from lottery_lib.resources.contents import add_to_chain, draws_table, open_in, pool_table
from lottery_lib.resources.dynamodb_table import Item, Table
from lottery_lib.stack import Stack
from lottery_lib.target import Target
from lottery_lib.translation import _
from lottery_party.receipt_form import FORM
from lottery_party.records import PARTY

_FORMAT: Final = 2
_LIMIT: Final = 100 * MB
_LOCKED_SECONDS: Final = 60.0
# The key of each table, and what `restored` reads of an item; all else is only copied.
_TYPES: Final[dict[str, dict[str, str]]] = {
    "employees": {"employee_id": "S"},
    "winners": {"employee_id": "S"},
    "pool": {"chunk": "S"},
    "draws": {"draw_id": "S", "text": "S", "chain": "N"},
}
_OTHER: Final = _("Give another file")
_NO_EVENING: Final = _("is not an evening, or not a whole one")
Kept = dict[str, Any]
"""What a file contains: ``evening`` (its name, or an empty text), ``attendee``, ``edition``, ``saved_at``,
``step`` (see `save`), and ``tables``: the items of ``employees``, ``winners``, ``pool`` and ``draws``, in the
form in which DynamoDB sends them."""


def save(target: Target, path: Path, evening: str = "", step: Mapping[str, object] | None = None) -> Kept:
    """Write all that is needed to go on. A file that exists is replaced in one moment, or not at all.

    Args:
        target: Where; the hardened edition.
        path: The file.
        evening: The evening's name; by default that of the draw that was announced last.
        step: What is about to happen, for `Evening.restored`; by default what the file says of this evening.

    Returns:
        What was written.

    Raises:
        LotteryError: The file cannot be written. Or it is something else. Or it has receipts that the tables
            lack: after an emulator's end, it may be the only copy of an evening.
    """
    draws_table(target).describe()  # raises if there is no table
    try:
        if not path.parent.is_dir():
            raise FileNotFoundError(2, _("its folder does not exist"))
        # The pages of one evening share the file. Who can open the lock could hold it, and the evening stops.
        with FileLock(path.with_name(f".{path.name}.lock"), mode=0o600, timeout=_LOCKED_SECONDS):
            old = read(path) if path.exists() else None
            tables = _tables_now(target, old)
            if old and receipts_in(old["tables"]) - receipts_in(tables):
                command = f"lottery night restore {shlex.quote(str(path))}"
                what = _("has receipts that the tables do not have")
                raise _wrong(
                    path, what, _("Go on with it: `{command}`. Or give another file", command=command)
                )
            evening = evening or latest(tables)
            noted = old["step"] if old and old["evening"] == evening else None
            kept = {
                "evening": evening,
                "attendee": target.names.attendee,
                "edition": target.names.edition,
                "saved_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "step": step or noted,
                "tables": tables,
            }
            _write(path, kept)
    except Timeout as error:
        raise _wrong(path, _("another program has locked it for a minute")) from error
    except OSError as error:
        raise _wrong(path, _("cannot be written ({reason})", reason=reason_of(error))) from error
    return kept


def read(path: Path) -> Kept:
    """Read a file that `save` has written.

    Raises:
        LotteryError: It cannot be read, is something else, was cut off or changed, or has another format.
    """
    text = read_named(path, _LIMIT, _OTHER)
    try:
        found = json.loads(text, object_hook=_with_bytes)
        version, digest, kept = found["format"], found.get("sha256"), found.get("content")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _wrong(path, _NO_EVENING) from error
    if version != _FORMAT:
        what = _("has format {format}, and this kit reads format {ours}", format=version, ours=_FORMAT)
        raise _wrong(path, what, _("Use the version of the kit that wrote it"))
    if digest != _digest(_text(kept)):
        raise _wrong(path, _("was damaged or changed after it was saved"))
    if not _is_evening(kept):
        raise _wrong(path, _NO_EVENING)
    return dict(kept)


def put_back(target: Target, path: Path, *, replace: bool = False) -> tuple[Target, Kept]:
    """Put everything from a file back into an emulator's tables. If there is no lottery yet, deploy it.

    Only task tokens and the ARN of the running execution are left out: they ended with the old emulator.

    Args:
        target: The emulator. The names are those in the file.
        path: The file.
        replace: Replace what the tables have, even if the file does not have it.

    Returns:
        The target with the names of the file, and what the file contains.

    Raises:
        LotteryError: See `read`. Or the target is AWS. Or the file has an open evening with other rules. Or
            the tables have more than the file.
    """
    if target.kind == "aws":
        what = _("is only a copy: on AWS, the tables keep the evening")
        next_step = _("Run `lottery night`, which goes on with what the tables have")
        raise _wrong(path, what, next_step)
    kept = read(path)
    try:
        name = _old_in(kept)
    except (LookupError, TypeError, ValueError) as error:
        raise _wrong(path, _NO_EVENING) from error
    if name:
        what = _("has the open evening {name} of an older kit, whose rules have changed", name=name)
        raise _wrong(path, what, _("End it with the kit that announced it. After that, this kit can read it"))
    target = target.named(Names(kept["attendee"], kept["edition"]))
    there = _tables_now(target)
    receipts = len(receipts_in(there) - receipts_in(kept["tables"]))
    winners = len(_winners_in(there) - _winners_in(kept["tables"]))
    if (receipts or winners) and not replace:
        what = _(
            "lacks {receipts} receipts and {winners} winners that the tables have, so nothing was changed",
            receipts=receipts,
            winners=winners,
        )
        raise _wrong(path, what, _("To replace what the tables have, add --yes"))
    Stack(target).deploy()
    execution.stop_running(target, machine_arn(target))
    for kind, table in _tables(target).items():
        items = [item for item in map(_without_executions, kept["tables"][kind]) if item]
        table.remove(sorted(set(table.all_keys()) - {item[table.key]["S"] for item in items}))
        table.put_typed(items)
    about = {"evening": kept["evening"], "saved_at": kept["saved_at"], "lost": receipts}
    add_to_chain(target, _("the receipt of the restoration"), "restored", **about)
    return target, kept


def lacking(target: Target, path: Path) -> int:
    """How many receipts are in a file, but not in the tables; 0 if there is no such file."""
    if not path.exists():
        return 0
    there = call_or_none(draws_table(target).typed_items, "ResourceNotFound") or []
    return len(receipts_in(read(path)["tables"]) - receipts_in({"draws": there}))


def unfinished(target: Target, folder: Path) -> list[tuple[Path, str]]:
    """The evenings in the files of a folder that are not closed, and that the tables do not have.

    Args:
        target: Where; only files of this lottery count.
        folder: Where the files are, as ``NAME.evening.json``.

    Returns:
        Each file and the evening's name, in the order in which they were saved.
    """
    found = []
    for path in folder.glob("*.evening.json"):
        with suppress(LotteryError):  # a file that is none of ours
            kept = read(path)
            ours = (kept["attendee"], kept["edition"]) == (target.names.attendee, target.names.edition)
            if ours and kept["evening"] in open_in(_plain(kept)) and lacking(target, path):
                found.append((kept["saved_at"], path, kept["evening"]))
    return [(path, name) for _saved_at, path, name in sorted(found)]


def default_path(target: Target, folder: Path, name: str) -> Path:
    """Where an evening is saved if nobody chose a file, so that two lotteries can share a folder.

    Args:
        target: The lottery. The party's file is ``NAME.evening.json``; another lottery adds its attendee.
        folder: Where the file is.
        name: The evening's name.

    Returns:
        ``NAME.evening.json`` if it already has an evening of this lottery, or if this is the party and no
        other lottery has that file. Else ``NAME.ATTENDEE.evening.json``.
    """
    names, plain = target.names, folder / f"{name}.evening.json"
    ours = names.attendee == PARTY  # also if the file is damaged: the party is told
    with suppress(LotteryError):
        kept = read(plain)
        ours = (kept["attendee"], kept["edition"]) == (names.attendee, names.edition)
    return plain if ours else folder / f"{name}.{names.attendee or 'no_attendee'}.evening.json"


def _wrong(path: Path, what: str, next_step: str = _OTHER) -> LotteryError:
    return LotteryError(_("file {file}", file=path), what, next_step)


def _plain(kept: Kept) -> list[Item]:
    """The items of the table of draws in a file. Numbers are texts."""
    draws = kept["tables"]["draws"]
    return [{key: next(iter(value.values())) for key, value in each.items()} for each in draws]


def _old_in(kept: Kept) -> str:
    """The name of an open evening that an older kit has announced; empty if there is none."""
    items = _plain(kept)
    draws = {item["draw_id"]: item for item in items}
    rules = str(FORM["formats"][-1])
    return next((name for name in open_in(items) if draws[name].get("format") != rules), "")


def latest(tables: Mapping[str, list[Item]]) -> str:
    """The name of the draw that was announced last; empty if there is none."""
    draws = [item for item in tables["draws"] if "chain" in item]
    return max(draws, key=lambda item: int(item["chain"]["N"]))["draw_id"]["S"] if draws else ""


def receipts_in(tables: Mapping[str, list[Item]]) -> set[str]:
    """The texts of all receipts."""
    return {item["text"]["S"] for item in tables["draws"] if "text" in item}


def _winners_in(tables: Mapping[str, list[Item]]) -> set[str]:
    return {item["employee_id"]["S"] for item in tables["winners"]}


def _tables(target: Target) -> dict[str, Table]:
    names = target.names
    return {
        "employees": Table(target, names.employee_table),
        "winners": Table(target, names.winners_table),
        "pool": pool_table(target),
        "draws": draws_table(target),
    }


def _tables_now(target: Target, old: Kept | None = None) -> dict[str, list[Item]]:
    """Read the tables as they are at one moment, even if a draw writes into them meanwhile.

    A transaction of a draw always changes the table of draws, so this table is read before and after the
    others.
    The roster is not read again if the pool is still the one in `old`: it can be very large.
    """
    tables = _tables(target)

    def items(kind: str) -> list[Item]:
        return call_or_none(tables[kind].typed_items, "ResourceNotFound") or []

    def same_before_and_after() -> dict[str, list[Item]] | None:
        before, head = items("draws"), call_or_none(tables["pool"].item, "ResourceNotFound", key="head")
        root = {"chunk": {"S": "head"}, "root": {"S": head["root"]}} if head else None
        known = root and old and any(root.items() <= item.items() for item in old["tables"]["pool"])
        roster = {
            kind: old["tables"][kind] if known and old else items(kind) for kind in ("employees", "pool")
        }
        found = {**roster, "winners": items("winners"), "draws": items("draws")}
        return found if found["draws"] == before else None

    moment = _("a moment between two receipts")
    return target.waiter.until(moment, same_before_and_after, seconds=60, every=0.1)


def _without_executions(item: Item) -> Item | None:
    """An item of any table, without what has ended with the old emulator."""
    key = item.get("draw_id", {}).get("S", "")
    if key.endswith("#waiting"):
        return None
    return {name: value for name, value in item.items() if name != "drawing"} if "#stage" in key else item


def _write(path: Path, kept: Kept) -> None:
    text = _text(kept)
    write_over(path, f'{{"format": {_FORMAT}, "sha256": "{_digest(text)}", "content": {text}}}\n'.encode())


def _text(content: object) -> str:
    return json.dumps(content, sort_keys=True, default=lambda value: base64.b64encode(value).decode())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _with_bytes(value: Item) -> Item:
    """Make bytes of what was a binary value of DynamoDB's. No other value of an item is a plain text."""
    coded = value.get("B")
    return {"B": base64.b64decode(coded)} if len(value) == 1 and isinstance(coded, str) else value


def _is_evening(kept: object) -> bool:
    """Whether a file's content has the shape of what `save` writes."""
    match kept:
        case {
            "evening": str(),
            "attendee": str(),
            "edition": str(),
            "saved_at": str(),
            "step": None | {"request": dict(), "number": int(), "awaits": str(), "output": _, "last": _},
            "tables": {"employees": [*_], "winners": [*_], "pool": [*_], "draws": [*_]} as tables,
        }:
            return all(_is_item(item, types) for kind, types in _TYPES.items() for item in tables[kind])
    return False


def _is_item(item: object, types: Mapping[str, str]) -> bool:
    """Whether this is an item with values of these types. The first of them is its key."""
    return (
        isinstance(item, dict)
        and next(iter(types)) in item
        and all(_is_value(value) and types.get(name, "") in ("", *value) for name, value in item.items())
        and ("chain" not in types or item.get("chain", {}).get("N", "0").isdecimal())
    )


def _is_value(value: object) -> bool:
    """Whether this is a value in the form in which DynamoDB sends it, such as ``{"S": "007"}``."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    match value:
        case {"S": str()} | {"N": str()} | {"B": bytes()} | {"BOOL": bool()} | {"NULL": True}:
            return True
        case {"L": [*inner]}:
            return all(map(_is_value, inner))
        case {"M": dict(inner)}:
            return all(map(_is_value, inner.values()))
        case {"SS": [*inner]} | {"NS": [*inner]}:
            return all(isinstance(each, str) for each in inner)
    return False
