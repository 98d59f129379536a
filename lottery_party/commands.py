"""The commands of the party, which ``lottery`` finds: evenings, receipts and their check."""

import json
import os
import re
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click
from click.core import ParameterSource

from lottery_lib.command_line import (
    ON_END,
    Group,
    Outcome,
    Run,
    common_options,
    connected,
    example_line,
    is_yes,
    say,
    show,
    stack_of,
    yes_option,
)
from lottery_lib.errors import LotteryError
from lottery_lib.files import MB, make_folder, read_named, write_over
from lottery_lib.translation import _, listed, punctuated

if TYPE_CHECKING:
    from lottery_lib.employees import Employee
    from lottery_lib.target import Target

# Each command imports what it needs, as in `lottery_lib`.
# ruff: noqa: PLC0415


def _party(edition: str | None) -> "Target":
    """The party's lottery. Its attendee is `party`, unless the user chose another: no lesson resets it."""
    from lottery_lib.target import connect, introduction
    from lottery_party.records import PARTY

    attendee = os.environ.get("LOTTERY_ATTENDEE", PARTY)
    target = connect(attendee=attendee, edition=edition or "hardened")
    if target.kind == "aws":
        say(introduction(target))
    return target


def _deployed_party(edition: str | None, yes: bool, *, rehearsal: bool = False) -> "Target":
    """The party's lottery, or that of its rehearsal. If it does not exist, deploy it; on AWS ask first."""
    from lottery_lib import plan
    from lottery_lib.hardened import check_edition

    target = _rehearsal_of(_party(edition)) if rehearsal else _party(edition)
    check_edition(target, _("of a party"))
    if plan.machine(target).find() is None:
        whose = target.names.attendee or _("no attendee")
        say(_("There is no lottery of {attendee} yet, so it is deployed now.", attendee=whose))
        stack_of(target, yes).deploy()
    return target


def _rehearsal_of(party: "Target") -> "Target":
    """The lottery in which a party rehearses."""
    from lottery_lib.names import Names
    from lottery_party.records import REHEARSAL

    attendee = party.names.attendee.removesuffix(REHEARSAL).strip("-")
    return party.named(Names("-".join(filter(None, [attendee, REHEARSAL])), party.names.edition))


def _invite(rehearsal: "Target", party: "Target") -> None:
    """Let the guests of the party win in its rehearsal, if nobody has won there yet."""
    from lottery_lib.aws_errors import call_or_none
    from lottery_lib.employees import Roster
    from lottery_lib.resources.contents import load_employees, open_draws
    from lottery_lib.resources.dynamodb_table import Table

    guests = call_or_none(Table(party, party.names.employee_table).items, "ResourceNotFound")
    if guests and not open_draws(rehearsal):
        load_employees(rehearsal, Roster(cast("list[Employee]", guests)))


def _offer(target: "Target") -> Path | None:
    """The file of an evening that is not closed, and that the tables do not have, if it goes on.

    Raises:
        LotteryError: There is such a file, and no terminal to ask in.
    """
    from lottery_party import evening_file

    for file, name in reversed(evening_file.unfinished(target, Path.cwd())):
        restore = f"lottery night restore {shlex.quote(file.name)}"
        if not sys.stdin.isatty():
            raise LotteryError(
                _("evening {name}", name=name),
                _("is not closed, and only its file {file} has it", file=file.name),
                _(
                    "Go on with it: `{command}`. Or give a new one a name: `lottery night --name NAME`",
                    command=restore,
                ),
            )
        question = _(
            "{file} has the evening {name}, which is not closed. Go on with it?", file=file.name, name=name
        )
        say(_("{question} [Y/n] ", question=question), nl=False)
        if not (answer := sys.stdin.readline()).strip() or is_yes(answer):
            return file
    return None


def _show_pages(
    evening: str, file: Path, target: "Target", port: int, *, browser: bool, check: tuple[str, str] | None
) -> Outcome:
    """Serve the pages of an evening until Ctrl-C."""
    from lottery_party.records import REHEARSAL
    from lottery_party.server import missing, serve

    independent = _hashed(*check) if check else ()
    for sentence in missing(target, file):
        say(sentence)
    say(_("The evening {name} is saved in {file}", name=evening, file=file))
    serve(target, evening, file, port, browser=browser, check=independent)
    if target.names.attendee.endswith(REHEARSAL):
        command = f"LOTTERY_ATTENDEE={target.names.attendee} lottery teardown --edition hardened"
        say(_("To remove all that the rehearsal has made: `{command}`", command=command))
    return Outcome({"running": False}, shown={})


def _hashed(address: str, file: str) -> tuple[str, str]:
    """The address of a check page, and the SHA-256 of its file."""
    from hashlib import sha256

    if not re.match(r"https://[^\s/]+\.", address):
        what = _("is not the address of a page")
        raise LotteryError(f"--check-page {address}", what, _("Give one that begins with https://"))
    content = read_named(file, MB, _("Save the page at this address, and give its file"))
    return address, sha256(content).hexdigest()


def _evening(target: "Target", name: str | None, file: str | None, kind: str = "evening") -> tuple[str, Path]:
    """The name of the evening and its file, if the user did not choose them. An open evening goes on."""
    from datetime import datetime

    from lottery_lib.resources.contents import open_draws
    from lottery_party.evening_file import default_path

    started = [] if name else open_draws(target)
    if target.kind != "aws":  # CloudWatch keeps no log of an execution whose name is not ASCII
        kind = {"evening": _("evening"), "rehearsal": _("rehearsal")}[kind]
    chosen = _first_name(target, name or (started or [f"{kind}-{datetime.now():%Y%m%d}"])[-1])
    return chosen, Path(file).absolute() if file else default_path(target, Path.cwd(), chosen)


def _announced(target: "Target", name: str | None) -> str:
    """The name of an evening's latest announcement: each that was taken back has one of its own."""
    from lottery_party.evening import Evening

    evening = Evening(target, _evening(target, name, None)[0])
    evening.refresh()
    return evening.name


def _first_name(target: "Target", name: str) -> str:
    """The name that an evening had before its announcement was taken back. Its pages and its file keep it."""
    from lottery_party.evening import Evening

    if not (first := re.sub(r"-\d+$", "", name)):
        return name
    evening = Evening(target, first)
    evening.refresh()
    return first if evening.name == name else name


_name = click.option(
    "--name", metavar="NAME", help=_("The evening's name; by default evening- and the date.")
)
_file = click.option(
    "--file",
    metavar="FILE",
    help=_("Save it in this file; by default NAME.evening.json, or NAME.ATTENDEE.evening.json."),
)

_port = click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    metavar="INTEGER",
    default=8866,
    help=_("The port of the pages; 8866 by default."),
)
_check_page = click.option(
    "--check-page",
    "check",
    nargs=2,
    metavar="ADDRESS FILE",
    help=_("Show on the stage where an independent check page is, and the hash of its FILE."),
)
_no_browser = click.option(
    "--no-browser", is_flag=True, help=_("Open no browser, and only print the address.")
)


#: `lottery` shows these beside its own.
commands: Final = Group()


def _unsaved(endpoint: str, *, shared: bool) -> list[str]:
    from lottery_party.records import unsaved  # it imports pandas and boto3

    return unsaved(endpoint, shared=shared)


ON_END.append(_unsaved)


@commands.command(example="lottery receipts draw-20250101T120000-0123abcd --edition hardened")
@click.argument("draw_id", metavar="NAME")
@click.option(
    "--save", "folder", metavar="FOLDER", help=_("Save them in this folder, with the page check.html.")
)
def receipts(edition: str | None, draw_id: str, folder: str | None) -> Outcome:
    """Check the draw NAME of the hardened edition, and all other draws of the lottery, by their receipts."""
    from lottery_party.check_words import VERDICTS, WORDS
    from lottery_party.checker import check_page, check_receipts
    from lottery_party.records import receipts

    found = receipts(connected(edition), draw_id)
    checked = check_receipts(found)
    say(VERDICTS[checked.word])
    for problem in [*checked.problems, *(notice.text for notice in checked.notices)]:
        say(problem)
    if folder:
        make_folder(Path(folder))
        write_over(Path(folder, "receipts.json"), json.dumps(found).encode(), public=True)
        write_over(Path(folder, "check.html"), check_page(found).encode(), public=True)
    notices = [asdict(notice) for notice in checked.notices]
    said = {"verdict": checked.verdict, "word": checked.word, "notices": notices}
    document = {**found, **said, "verified": checked.claims}
    shown = {WORDS[each]: value for each, value in {**checked.counts, **checked.claims}.items()}
    return Outcome(document, False not in checked.claims.values(), shown)


@commands.command(
    example="lottery verify receipts",
    failed={
        **{"verdict": "red", "word": "red", "claims": {}, "problems": [], "notices": []},
        **{"counts": {}, "draws": [], "strange": []},
    },
)
@click.argument("folder")
def verify(edition: str | None, folder: str) -> Outcome:
    """Check the receipts in FOLDER. It needs no AWS and no network."""
    from lottery_party.check_words import VERDICTS, WORDS, value_line
    from lottery_party.checker import check_receipts
    from lottery_party.codes import grouped
    from lottery_party.receipt_form import refuse

    file = Path(folder) / "receipts.json"
    text = read_named(file, 100 * MB, _("Give the folder that has the receipts"))
    try:
        document = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        next_step = _("Save the receipts again")
        raise LotteryError(_("file {file}", file=file), _("is not JSON"), next_step) from error
    found = check_receipts(document)
    said = {True: _("ok: {claim}"), False: _("WRONG: {claim}"), None: _("not known yet: {claim}")}
    grades = {
        "steered": _("somebody could have steered it: {what}"),
        "happened": _("something happened: {what}"),
    }
    codes = {
        "code": _("{draw}: code of the announcement {code}"),
        "value_code": _("{draw}: code after the public value {code}"),
        "end_code": _("{draw}: code of the end {code}"),
    }
    notices = sorted(found.notices, key=lambda each: [*grades].index(each.grade))
    lines = [VERDICTS[found.word], *(grades[each.grade].format(what=each.text) for each in notices)]
    lines += [said[true].format(claim=WORDS[claim]) for claim, true in found.claims.items()]
    counts = [(WORDS[name], number) for name, number in found.counts.items()]
    lines += [*found.problems, *(punctuated("{key}: {value}", key=key, value=value) for key, value in counts)]
    for each in found.draws:
        told = {key: grouped(each[key]) for key in codes if each[key] is not None}
        code, *later = (codes[key].format(draw=each["draw"], code=code) for key, code in told.items())
        lines += [code, *([value_line(each)] if each["value"] is not None else []), *later]
    document = {"verdict": found.verdict, "word": found.word, **asdict(found)}
    return Outcome(document, False not in found.claims.values(), "\n".join(lines))


@commands.group(
    cls=Group,
    invoke_without_command=True,
    no_args_is_help=False,
    epilog=example_line("lottery night"),
    params=common_options(receipts=True),
)
@_port
@_no_browser
@_check_page
@_name
@_file
@click.option("--rehearsal", is_flag=True, help=_("Rehearse, in a lottery of its own with the same guests."))
@yes_option
@click.pass_context
def night(
    context: click.Context,
    *,
    edition: str | None,
    port: int,
    no_browser: bool,
    check: tuple[str, str] | None,
    name: str | None,
    file: str | None,
    rehearsal: bool,
    yes: bool,
) -> Outcome | None:
    """Show the pages for a party: one for the operator, and one for the audience.

    Before that, it deploys the lottery if there is none, and says what is missing. An evening that is open
    goes on. The party's names end with `-party`, unless LOTTERY_ATTENDEE is set. Nobody else on this machine
    can open the pages: their address has a secret token. Ctrl-C ends them, and the evening goes on when they
    are started again.
    """
    if context.invoked_subcommand:
        own = ("port", "no_browser", "check", "name", "file", "rehearsal", "yes")
        if any(context.get_parameter_source(each) is ParameterSource.COMMANDLINE for each in own):
            raise click.UsageError(
                _("Write the options behind {command}.", command=context.invoked_subcommand)
            )
        return None
    from lottery_lib.resources.contents import open_draws
    from lottery_party.evening import Evening

    target = _deployed_party(edition, yes, rehearsal=rehearsal)
    if rehearsal:
        _invite(target, _party(edition))
    elif not (name or file or open_draws(target)) and (kept := _offer(target)):
        name, file = Evening.restored(target, kept).name, str(kept)
    chosen, path = _evening(target, name, file, "rehearsal" if rehearsal else "evening")
    return _show_pages(chosen, path, target, port, browser=not no_browser, check=check)


@night.command("restore", example="lottery night restore party.evening.json", receipts=True)
@click.argument("file", metavar="FILE")
@click.option(
    "--yes", is_flag=True, help=_("Replace what the tables have, even if the file does not have it.")
)
@_port
@_no_browser
@_check_page
@click.option("--no-pages", is_flag=True, help=_("Do not show the pages. With --json, they are not shown."))
@click.pass_obj
def night_restore(
    run: Run,
    *,
    edition: str | None,
    file: str,
    yes: bool,
    port: int,
    no_browser: bool,
    check: tuple[str, str] | None,
    no_pages: bool,
) -> Outcome:
    """Put an evening back into the emulator from FILE, and show the pages, to go on where it stopped.

    It works on another computer, too. What the machine waited for, it waits for again.
    """
    from lottery_party.evening import Evening

    evening = Evening.restored(_party(edition), Path(file), replace=yes)
    state = evening.refresh()
    drawn = [each for each in state.prizes if each.winners]
    document = {
        "evening": evening.name,
        "step": state.step,
        "winners": sum(len(each.winners) for each in drawn),
        "prizes": _("{drawn} of {count} are drawn", drawn=len(drawn), count=len(state.prizes)),
        "next": _("Run `lottery night --file {file}`", file=shlex.quote(file)),
    }
    if no_pages or run.as_json:
        return Outcome(document)
    show({key: document[key] for key in ("evening", "prizes")})
    first = _first_name(evening.target, evening.name)
    return _show_pages(
        first, Path(file).absolute(), evening.target, port, browser=not no_browser, check=check
    )


@night.command("save", example="lottery night save party.evening.json", receipts=True)
@click.argument("file", metavar="FILE")
def night_save(edition: str | None, file: str) -> Outcome:
    """Save the evening in FILE: roster, prizes, winners, receipts and, if it is not closed, its secret.

    `lottery night` does this by itself after each step.
    """
    from lottery_party import evening_file

    kept = evening_file.save(_party(edition), Path(file))
    sizes = {kind: len(kept["tables"][kind]) for kind in ("employees", "winners")}
    return Outcome({"evening": kept["evening"] or None, "file": str(Path(file).absolute()), **sizes})


@commands.command(example="lottery announce prizes.txt --numbers 5", receipts=True)
@click.argument("prizes")
@_name
@click.option(
    "--absent",
    type=click.Choice(["out", "later"]),
    default="out",
    help=_("Whether winners who are absent are out, or may win later."),
)
@click.option("--question", metavar="TEXT", default="", help=_("What the room is asked for before the draw."))
@click.option(
    "--numbers",
    type=int,
    metavar="COUNT",
    help=_("The room answers with so many numbers, and not with a text."),
)
@click.option(
    "--from", "least", type=int, metavar="N", default=1, help=_("The smallest number; 1 by default.")
)
@click.option("--to", "most", type=int, metavar="N", default=99, help=_("The largest number; 99 by default."))
@_file
@yes_option
def announce(
    *,
    edition: str | None,
    prizes: str,
    name: str | None,
    absent: str,
    question: str,
    numbers: int | None,
    least: int,
    most: int,
    file: str | None,
    yes: bool,
) -> Outcome:
    """Announce an evening: the guests, the prizes, the rule for the absent, and the commitment to a secret.

    PRIZES is a file or a text with one prize on each line, such as `3 Bicycle`, or a JSON list. Show the root
    and the commitment to everybody before anybody is drawn.
    """
    from lottery_party.checker import check_page
    from lottery_party.evening import Evening
    from lottery_party.evening_file import default_path
    from lottery_party.prizes import prizes_in
    from lottery_party.public_value import Numbers, why_amber
    from lottery_party.records import announcement

    wanted = prizes_in(prizes)
    asked = None if numbers is None else Numbers(numbers, least, most)
    question = question or (asked.question if asked else "")
    if sentence := why_amber(asked, question):
        say(sentence)
    target = _deployed_party(edition, yes)
    chosen, path = _evening(target, name, file)
    evening = Evening(target, chosen, file=path)
    rule = "out" if absent == "out" else "may win later"
    evening.announce(wanted, absent=rule, question=question, numbers=asked)
    state = evening.refresh()
    told = state.announcement
    announced = [f"{each['count']} {each['prize']}" for each in told["prizes"]]
    document = {
        "evening": evening.name,
        "guests": told["size"],
        "root": told["pool"],
        "commitment": told["commitment"],
        "code": state.code,
        "prizes": ", ".join(announced),
        "absent": told["absent"],
        "question": told["question"] or None,
        "numbers": told["numbers"],
    }
    stem = default_path(target, path.parent, evening.name).name.removesuffix(".evening.json")
    html = path.with_name(f"{stem}.announcement.html")
    write_over(html, check_page(announcement(target, evening.name)).encode(), public=True)
    document |= {"announcement": str(html), "file": str(path)}
    return Outcome(document, shown={**document, "prizes": listed(announced)})


@commands.command(example="lottery proof 007", receipts=True)
@click.argument("employee_id", metavar="ID")
@click.option("--name", metavar="NAME", help=_("The evening or draw; by default the evening that is open."))
def proof(edition: str | None, employee_id: str, name: str | None) -> Outcome:
    """Prove to the guest ID that they can win. The proof shows nobody else.

    The guest pastes it into the page that `lottery announce` writes, and compares with their photograph.
    """
    from lottery_party.records import proof

    target = _party(edition)
    found = proof(target, _announced(target, name), employee_id)
    told = _(
        "Give the next line to guest {id}, who pastes it into the check page below their id.", id=employee_id
    )
    return Outcome(found, shown=f"{told}\n{json.dumps(found)}")


@commands.command(example="lottery proofs", receipts=True)
@click.option("--name", metavar="NAME", help=_("The evening or draw; by default the evening that is open."))
@click.option("--save", "file", metavar="FILE", help=_("Write this file; by default NAME.proofs.html."))
def proofs(edition: str | None, name: str | None, file: str | None) -> Outcome:
    """Write one page on which each guest finds the proof that they can win. It has ids, and no names.

    A guest opens it, and types their id, their name and, if they have one, their department.
    """
    from lottery_party.checker import check_page
    from lottery_party.records import proofs

    target = _party(edition)
    chosen = _announced(target, name)
    found, path = proofs(target, chosen), Path(file or f"{chosen}.proofs.html").absolute()
    write_over(path, check_page(found).encode(), public=True)
    return Outcome({"evening": chosen, "guests": len(found["proofs"]), "file": str(path)})


@commands.command(example=_('lottery withdraw "Li Na"'), receipts=True)
@click.argument("who")
@_name
@_file
def withdraw(edition: str | None, who: str, name: str | None, file: str | None) -> Outcome:
    """Take a guest out of the open evening. The receipts show it. What the guest has won stays.

    WHO is the guest's id or name. If several guests have this name, they are listed, and nobody is withdrawn.
    """
    from lottery_party.evening import Evening, Person
    from lottery_party.scenes import called, is_called

    target = _party(edition)
    chosen, path = _evening(target, name, file)
    evening = Evening(target, chosen, file=path)
    evening.refresh()
    guests = evening.guests()
    found = [guests[who]] if who in guests else [one for one in guests.values() if is_called(one, who)]
    if len(found) > 1:
        what = _("means several guests: {people}", people=listed(map(called, found)))
        raise LotteryError(_("guest {who}", who=who), what, _("Give the id"))
    one = found[0] if found else Person(who, who)
    evening.withdraw(one.id)
    return Outcome({"evening": evening.name, "withdrawn": one.id, "name": one.name, "file": str(path)})
