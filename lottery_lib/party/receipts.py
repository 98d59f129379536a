"""Continue a hardened draw, and read or save what it recorded."""

import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from lottery_lib import merkle
from lottery_lib.aws_errors import all_pages, call_or_none
from lottery_lib.draws import run, winner_table
from lottery_lib.errors import LotteryError
from lottery_lib.history import DrawResult
from lottery_lib.names import Names
from lottery_lib.party import checker
from lottery_lib.party.check_words import WORDS
from lottery_lib.party.checker import check_receipts
from lottery_lib.resources.contents import Pool, draws_table
from lottery_lib.resources.dynamodb_table import Item, Table
from lottery_lib.target import EMULATOR_REGION, Target, connect
from lottery_lib.translation import _

if TYPE_CHECKING:
    import pandas as pd

PARTY: Final = "party"
"""The attendee of `lottery night`, unless LOTTERY_ATTENDEE says another: no lesson resets these names."""


def resume(target: Target, draw_id: str, *, remail: bool = False, seconds: float = 120.0) -> DrawResult:
    """Continue a hardened draw that stopped before its end. What it has recorded stays.

    This starts a new execution: AWS refuses the name of an execution that has ended for 90 days.

    Args:
        target: Where.
        draw_id: The name of the execution that began the draw.
        remail: Send the mail, even if an earlier execution has already sent it.
        seconds: As for `lottery_lib.draw`.

    Returns:
        What `lottery_lib.draw` returns.

    Raises:
        LotteryError: The target is not the hardened edition.
    """
    check_edition(target, draw_id)
    return run(target, {"draw_id": draw_id, "remail": remail}, seconds)


def receipts(target: Target, draw_id: str) -> dict[str, Any]:
    """Fetch the receipts of a hardened lottery, in the form that `verify_draw` takes (docs/receipts.md).

    Args:
        target: Where.
        draw_id: The name of the execution that began a draw. The receipts of all draws of the lottery are
            returned, because a person who won in one of them is skipped in the others.

    Returns:
        ``chain``: the receipts of the lottery's own chain. ``draws``: of each draw, by its name, its
        ``receipts``, and if it is closed also its ``pool``, ``salt`` and ``won_before``. ``winners``: the
        rows of the table of winners, with names.

    Raises:
        LotteryError: There is no such draw, or the target is not the hardened edition.
    """
    check_edition(target, draw_id)
    table = draws_table(target)
    table.described()  # raises if there is no table
    items = {item["draw_id"]: item for item in table.items()}
    if "chain" not in items.get(draw_id, {}):
        next_step = _("Give the name of a hardened execution")
        raise LotteryError(_("draw {name}", name=draw_id), _("has no record"), next_step)
    rows = Table(target, target.names.winners_table).items()
    staff = Table(target, target.names.employee_table).get([row["employee_id"] for row in rows])
    names = {each["employee_id"]: {"employee_name": each.get("employee_name", "")} for each in staff}
    told = _told(items)
    for name, folder in told["draws"].items():
        if "closed" in items[name]:
            folder.update(_pool(target, items[name]))
    return told | {"winners": [names.get(row["employee_id"], {}) | row for row in rows]}


def _told(items: Mapping[str, Item]) -> dict[str, Any]:
    """The receipts among the items of the table of draws. One that somebody has removed is an empty text."""

    def texts(name: str, first: int, end: int) -> list[str]:
        return [items.get(f"{name}#{number}", {}).get("text", "") for number in range(first, end)]

    draws = {
        name: texts("#chain", draw["chain"], draw["chain"] + 1) + texts(name, 1, draw["receipts"])
        for name, draw in items.items()
        if "chain" in draw
    }
    chain = texts("#chain", 0, items.get("#chain", {}).get("receipts", 0))
    return {"chain": chain, "draws": {name: {"receipts": found} for name, found in draws.items()}}


def _pool(target: Target, draw: Item) -> dict[str, Any]:
    pool, salt = Pool(target).of(draw["pool"])
    flags = zlib.decompress(bytes(draw["unwon"])) if "unwon" in draw else b"\x01" * len(pool)
    won_before = [each for each, flag in zip(pool, flags, strict=True) if not flag]
    return {"pool": pool, "salt": salt, "won_before": won_before}


def winners(target: Target) -> "pd.DataFrame":
    """List the winners so far (tutorial 4). In the hardened edition, a row without a receipt is marked.

    Returns:
        What `draws.winner_table` returns.
    """
    if target.names.edition != "hardened":  # it has no receipts
        return winner_table(target)
    table = winner_table(target, partial(without_receipt, target))
    if "receipt" in table:  # a draw may have written something between the two tables
        table = winner_table(target, partial(without_receipt, target))
    return table


def without_receipt(target: Target, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Compare rows of winners with the receipts of a hardened lottery, as they stand.

    It reads the table of draws once, and repeats no draw. Whether the receipts are right, `verify_draw` says.

    Args:
        target: Where; the hardened edition.
        rows: Rows of the table of winners.

    Returns:
        The ids in the rows that no receipt names with this draw, prize and status. They may be winners of the
        tutorial edition, which keeps no receipts.
    """
    keys = ("employee_id", "draw_id", "prize", "status")
    texts = [{key: str(row[key]) for key in keys if row.get(key) is not None} for row in rows]
    found = call_or_none(draws_table(target).items, "ResourceNotFound") or []
    items = {item["draw_id"]: item for item in found}
    told = _told(items)
    for name, folder in told["draws"].items():
        if "closed" in items[name]:
            folder["receipts"].pop()  # without the secret nothing is shuffled
    return checker.without_receipt(told | {"winners": texts})


def proof(target: Target, draw_id: str, employee_id: str) -> dict[str, Any]:
    """Prove that a person is in the pool of a draw, without showing anybody else (docs/receipts.md).

    Args:
        target: Where.
        draw_id: The name of the draw or the evening.
        employee_id: The person.

    Returns:
        ``employee_id``, ``root`` (as it was announced), and what `merkle.proof` returns. The page
        `check.html` takes it as JSON.

    Raises:
        LotteryError: There is no such draw, or the person is not in its pool.
    """
    check_edition(target, draw_id)
    draws_table(target).described()
    draw = draws_table(target).item(draw_id)
    if draw is None or "pool" not in draw:
        next_step = _("Give the name of a draw or an evening")
        raise LotteryError(_("draw {name}", name=draw_id), _("was not announced"), next_step)
    pool, salt = Pool(target).of(draw["pool"])
    if employee_id not in pool:
        what = _("is not in the pool of {draw}, so this person cannot win", draw=draw_id)
        raise LotteryError(_("employee {id}", id=employee_id), what, _("Look at the id again"))
    shown = merkle.proof(pool, bytes.fromhex(salt), pool.index(employee_id))
    return {"employee_id": employee_id, "root": draw["pool"], **shown}


def verify_draw(document: Mapping[str, Any]) -> dict[str, bool]:
    """Check receipts without AWS: repeat each draw with its secret, and compare the results.

    Args:
        document: What `receipts` returns.

    Returns:
        Each claim of docs/receipts.md in the attendee's language, and whether it is true.
        `party.checker.check_receipts` also says why.
    """
    return {WORDS[claim]: true for claim, true in check_receipts(document).claims.items()}


def check_edition(target: Target, draw_id: str) -> None:
    """Refuse a target whose draws keep no records.

    Raises:
        LotteryError: The target is not the hardened edition.
    """
    edition = target.names.edition
    if edition != "hardened":
        raise LotteryError(
            _("draw {name}", name=draw_id),
            _(
                "only draws of the hardened edition have records, and this is the {edition} edition",
                edition=edition,
            ),
            _('Add `--edition hardened`, or in Python use `connect(edition="hardened")`'),
        )


def open_evenings(target: Target) -> list[str]:
    """The names of the evenings that are announced and not closed, in the order of their announcements."""
    # An attendee who may not read this table has no evening.
    draws = call_or_none(draws_table(target).items, "ResourceNotFound", "AccessDenied") or []
    now = [item for item in draws if item.get("evening") and "closed" not in item]
    return [item["draw_id"] for item in sorted(now, key=lambda item: int(item["chain"]))]


def unsaved(endpoint: str, *, shared: bool) -> list[str]:
    """Say what an emulator's end destroys: one sentence for each hardened lottery.

    It has winners, or an evening is open. A sentence names one command that saves everything. Whether
    somebody has done so is not known.

    Args:
        endpoint: The address of one of the user's own emulators.
        shared: Whether it is the one that `lottery` uses by default.
    """
    here = partial(connect, endpoint, attendee="", edition="hardened")
    home, sentences = here(region=EMULATOR_REGION), list[str]()
    base, dynamodb = home.names.draws_table, home.client("dynamodb")
    ask_in = dict[str, Any]()
    dynamodb.meta.events.register("before-call", lambda context, **_: context.update(signing=ask_in))
    for partition in home.session.get_available_partitions():
        for region in home.session.get_available_regions("dynamodb", partition):
            ask_in["region"] = region  # a client for each region would take a second in all
            tables = all_pages(dynamodb, "list_tables", "TableNames")
            if ours := [name for name in tables if f"{name}-".startswith(f"{base}-")]:
                sentences += _unsaved_in(here(region=region), ours, shared)
    return sentences


def _unsaved_in(target: Target, draws_tables: list[str], shared: bool) -> list[str]:
    sentences = list[str]()
    for name in draws_tables:
        # Others may have made a table of such a name, whose end is no attendee or whose key is another.
        try:
            names = Names(name.removeprefix(target.names.draws_table)[1:], "hardened")
        except LotteryError:
            continue
        with suppress(KeyError):
            sentences += _unsaved(target.named(names), shared)
    return sentences


def _unsaved(target: Target, shared: bool) -> list[str]:
    winners = Table(target, target.names.winners_table)
    count = len(call_or_none(lambda: list(winners.all_keys()), "ResourceNotFound") or [])
    evenings = [_("the evening {name} is open", name=name) for name in open_evenings(target)]
    if not (count or evenings):
        return []
    region = "" if target.region == EMULATOR_REGION else target.region
    file = "-".join(filter(None, ["evening", target.names.attendee, region]))
    there = [_("Winners in {table}: {count}", table=winners.name, count=count), *evenings]
    command = f"{_settings(target, shared)}lottery night save {file}.json"
    return [_("{what}. To save everything: `{command}`", what=_(", ").join(there), command=command)]


def _settings(target: Target, shared: bool) -> str:
    """The variables that `lottery night` needs for this lottery, in this shell and in any other."""
    needed = {
        "LOTTERY_TARGET": ("embedded", "embedded" if shared else target.endpoint),
        "LOTTERY_REGION": (EMULATOR_REGION, target.region),
        "LOTTERY_ATTENDEE": (PARTY, target.names.attendee),
    }
    return "".join(
        f"{variable}={value} "
        for variable, (default, value) in needed.items()
        if value != default or os.environ.get(variable, value) != value
    )
