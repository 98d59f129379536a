"""Fetch the receipts of a hardened lottery, prove that a guest is in the pool, and check a document."""

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from lottery_lib import merkle
from lottery_lib.aws_errors import all_pages, call_or_none
from lottery_lib.errors import LotteryError
from lottery_lib.hardened import check_edition, receipt_texts
from lottery_lib.names import Names
from lottery_lib.resources.contents import Person, Pool, draws_table, leaves, open_draws
from lottery_lib.resources.dynamodb_table import Item, Table
from lottery_lib.target import EMULATOR_REGION, Target, connect
from lottery_lib.translation import _, punctuated
from lottery_party.check_words import WORDS
from lottery_party.checker import check_receipts
from lottery_party.codes import announced, qr
from lottery_party.receipt_form import FORM

PARTY: Final = "party"
"""The attendee of `lottery night`, unless LOTTERY_ATTENDEE says another: no lesson resets these names."""


REHEARSAL: Final = "rehearsal"
"""What the attendee of a rehearsal ends with."""


def receipts(target: Target, draw_id: str) -> dict[str, Any]:
    """Fetch the receipts of a hardened lottery, in the form that `verify_draw` takes (docs/receipts.md).

    Args:
        draw_id: The name of the execution that began a draw. The receipts of all draws of the lottery are
            returned, because a person who won in one of them is skipped in the others.

    Returns:
        ``format``: the number of this form. ``chain``: the receipts of the lottery's own chain. ``draws``: of
        each draw, by its name, its ``receipts``, and if it is closed also its ``pool``, ``salt`` and
        ``won_before``. ``winners``: the rows of the table of winners, with names.

    Raises:
        LotteryError: There is no such draw, or the target is not the hardened edition.
    """
    check_edition(target, draw_id)
    table = draws_table(target)
    table.describe()  # raises if there is no table
    items = {item["draw_id"]: item for item in table.items()}
    if "chain" not in items.get(draw_id, {}):
        next_step = _("Give the name of a hardened execution")
        raise LotteryError(_("draw {name}", name=draw_id), _("has no record"), next_step)
    rows = Table(target, target.names.winners_table).items()
    staff = Table(target, target.names.employee_table).get([row["employee_id"] for row in rows])
    names = {each["employee_id"]: each.get("employee_name", "") for each in staff}
    told, announced = receipt_texts(items), dict[str, dict[str, str]]()
    for name, folder in told["draws"].items():
        pool, salt = Pool(target).of(items[name]["pool"])
        announced[name] = {each[0]: each[1] for each in pool if len(each) > 1}
        if "closed" in items[name] and "taken_back" not in items[name]:
            shown = [[*each] if len(each) > 1 else each[0] for each in pool]  # format 1 has only ids
            folder |= {"pool": shown, "salt": salt, "won_before": _won_before(pool, items[name])}
    winners = []
    for row in rows:  # a name is that of the draw's pool; the table of employees may have changed since
        one = row["employee_id"]
        known = announced.get(row.get("draw_id", ""), {}).get(one, names.get(one))
        winners.append(row if known is None else {"employee_name": known, **row})
    return {"format": FORM["formats"][-1], **told, "winners": winners}


def _won_before(pool: Sequence[Person], draw: Item) -> list[str]:
    flags = zlib.decompress(bytes(draw["unwon"])) if "unwon" in draw else b"\x01" * len(pool)
    return [person[0] for person, flag in zip(pool, flags, strict=True) if not flag]


def proof(target: Target, draw_id: str, employee_id: str) -> dict[str, Any]:
    """Prove that a person is in the pool of a draw, without showing anybody else (docs/receipts.md).

    Args:
        draw_id: The name of the draw or the evening.
        employee_id: The person.

    Returns:
        ``employee_id``, ``employee_name``, ``department``, ``root`` (as it was announced), and what
        `merkle.proof` returns. The page `check.html` takes it as JSON.

    Raises:
        LotteryError: There is no such draw, or the person is not in its pool.
    """
    draw = _announced(target, draw_id)
    pool, salt = Pool(target).of(draw["pool"])
    ids = [person[0] for person in pool]
    if employee_id not in ids:
        what = _("is not in the pool of {draw}, so this person cannot win", draw=draw_id)
        raise LotteryError(_("employee {id}", id=employee_id), what, _("Look at the id again"))
    at = ids.index(employee_id)
    about = dict(zip(("employee_id", "employee_name", "department"), pool[at], strict=False))
    return {**about, "root": draw["pool"], **merkle.proof(leaves(pool), bytes.fromhex(salt), at)}


def announcement(target: Target, draw_id: str) -> dict[str, Any]:
    """What guests photograph before a draw. `checker.check_page` makes a page of it.

    Args:
        draw_id: The name of the draw or the evening.

    Returns:
        ``announced``: the text of the draw's first receipt. ``qr``: a QR code of its hash, a data URL.

    Raises:
        LotteryError: There is no such draw.
    """
    draw = _announced(target, draw_id)
    (text,) = draws_table(target).get([f"#chain#{draw['chain']}"])
    code = qr(announced(json.loads(text["text"]), draw["code"])) if "code" in draw else None
    return {"announced": text["text"], "qr": code}


def proofs(target: Target, draw_id: str) -> dict[str, Any]:
    """Prove to all guests of a draw that they are in its pool, in one document without a name.

    A guest's own name, their id and the salt make a leaf, and all leaves make the root that was announced.

    Args:
        draw_id: The name of the draw or the evening.

    Returns:
        What `announcement` returns. ``proofs``: for each person of the pool the id, the salt and the leaf, in
        hexadecimal. `checker.check_page` makes a page of it.

    Raises:
        LotteryError: There is no such draw, or an old kit announced it.
    """
    draw = _announced(target, draw_id)
    pool, salt = Pool(target).of(draw["pool"])
    if any(len(person) == 1 for person in pool):
        what = _("was announced by an older kit, whose pool has no names")
        raise LotteryError(_("draw {name}", name=draw_id), what, _("Give a guest the proof of their id"))
    shown = merkle.leaves_of(leaves(pool), bytes.fromhex(salt))
    found = [[person[0], *each] for person, each in zip(pool, shown, strict=True)]
    return {**announcement(target, draw_id), "proofs": found}


def _announced(target: Target, draw_id: str) -> Item:
    """The item of a draw that was announced."""
    check_edition(target, draw_id)
    draws_table(target).describe()
    draw = draws_table(target).item(draw_id)
    if draw is None or "pool" not in draw:
        next_step = _("Give the name of a draw or an evening")
        raise LotteryError(_("draw {name}", name=draw_id), _("was not announced"), next_step)
    return draw


def verify_draw(document: Mapping[str, Any]) -> dict[str, bool | None]:
    """Check receipts without AWS: repeat each draw with its secret, and compare the results.

    Args:
        document: What `receipts` returns.

    Returns:
        Each claim of docs/receipts.md in the attendee's language, and whether it is true;
        None if a draw must end before anybody can know. `lottery_party.check_receipts` also says why.
    """
    return {WORDS[claim]: true for claim, true in check_receipts(document).claims.items()}


def unsaved(endpoint: str, *, shared: bool) -> list[str]:
    """Say what is lost if an emulator ends, in one sentence for each lottery with winners or an open evening.

    A sentence names the command that saves everything. Nobody knows whether somebody has already run it.

    Args:
        endpoint: The address of one of the user's own emulators.
        shared: Whether it is the one that `lottery` uses by default.
    """
    here = partial(connect, endpoint, attendee="", edition="hardened")
    home, sentences = here(region=EMULATOR_REGION), list[str]()
    base, dynamodb = home.names.draws_table, home.kit_client("dynamodb")
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
        # Somebody else's table can have such a name: with no attendee at its end, or with another key.
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
    evenings = [_("the evening {name} is open", name=name) for name in open_draws(target)]
    if not (count or evenings):
        return []
    region = "" if target.region == EMULATOR_REGION else target.region
    file = "-".join(filter(None, ["evening", target.names.attendee, region]))
    there = [_("Winners in {table}: {count}", table=winners.name, count=count), *evenings]
    command = f"{_settings(target, shared)}lottery night save {file}.json"
    return [_("{what}. To save everything: `{command}`", what=punctuated(", ").join(there), command=command)]


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
