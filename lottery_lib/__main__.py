"""Run the lottery from a shell: ``lottery COMMAND``, the same as ``python -m lottery_lib COMMAND``."""

import inspect
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from lottery_lib.errors import LotteryError
from lottery_lib.texts import harmless, width
from lottery_lib.translation import _, language

if TYPE_CHECKING:
    import pandas as pd

    from lottery_lib.resources import Report
    from lottery_lib.stack import Stack
    from lottery_lib.target import Target

# Each command imports what it needs: `emulator status` should not wait for pandas.
# ruff: noqa: PLC0415

Document = Mapping[str, object]
DRAW_KEYS: Final = ("status", "winners", "execution_arn", "error", "cause")
NO_DRAW: Final[Document] = dict.fromkeys(DRAW_KEYS) | {"winners": []}


@dataclass
class Outcome:
    """What a command returns.

    Attributes:
        document: What ``--json`` prints.
        done: Whether the command did its job; if not, the exit code is 1.
        shown: What a person reads; None for the document.
    """

    document: object
    done: bool = True
    shown: object = None


@dataclass
class Run:
    """One run of the command line: whether it prints JSON, and the document to print if the command fails."""

    as_json: bool
    failed: Document


class Command(click.Command):
    """A command with the options that every command has, and an example below its help.

    Args:
        name: Its name.
        example: How it may be called.
        failed: What `--json` prints beside the error if it fails.
        party: Whether it is for a party, whose edition is the hardened one.
        **options: What click knows.
    """

    def __init__(
        self,
        name: str,
        *,
        example: str,
        failed: Document | None = None,
        party: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        self.help = _(inspect.cleandoc(self.help or ""))
        self.epilog = _example(example)
        self.failed = failed or {}
        self.params += _common(party)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Store the document to print if this command fails."""
        ctx.obj.failed = self.failed
        return super().parse_args(ctx, args)


def _common(party: bool) -> list[click.Parameter]:
    """The options that every command has."""
    json_help = _("Print one JSON document on stdout and nothing else.")
    editions = (
        _("hardened, the only one for a party.")
        if party
        else _("tutorial (the default), jsonata or hardened.")
    )
    return [
        click.Option(["--json"], is_flag=True, expose_value=False, help=json_help),
        click.Option(["--edition"], metavar="NAME", help=editions),
    ]


def _example(command: str) -> str:
    return _("Example: {command}", command=command)


class Group(click.Group):
    """A group whose commands are `Command` objects."""

    command_class = Command

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.help = _(inspect.cleandoc(self.help or ""))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code, 0 only when it did its job."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    run = Run("--json" in words, {})
    try:
        outcome = lottery.main(words or ["--help"], prog_name="lottery", standalone_mode=False, obj=run)
    except Exception as error:
        explanation = _explanation(error)
        if explanation is None:
            raise
        _say(str(explanation))
        if run.as_json:
            name = type(explanation).__name__
            _show({**run.failed, "error": name, "cause": str(explanation)}, as_json=True)
        return 130 if isinstance(error, click.Abort) else 1
    if not isinstance(outcome, Outcome):  # click has shown a help
        return 0
    person_reads = outcome.document if outcome.shown is None else outcome.shown
    _show(outcome.document if run.as_json else person_reads, as_json=run.as_json)
    return 0 if outcome.done else 1


def _explanation(error: Exception) -> LotteryError | None:
    """The sentence for an expected failure. None for a defect of the kit, which needs its traceback."""
    if isinstance(error, click.Abort):  # click's name for Ctrl-C
        next_step = _("Run it again; it continues where it stopped")
        return LotteryError(_("command"), _("interrupted"), next_step)
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "lottery"
        what = error.message or error.format_message()
        next_step = _("See `{command} --help`", command=command)
        return LotteryError(_("command line"), what.rstrip("."), next_step)
    if isinstance(error, ImportError):
        next_step = _("Run `make clean install`, then start with `make lab`")
        return LotteryError(_("packages"), str(error), next_step)
    from lottery_lib.aws_errors import explain

    return explain(error)


def _show(document: object, *, as_json: bool = False) -> None:
    """Print a document as JSON, or for a person as text, as a table, or as lines of key and value."""
    if as_json:
        click.echo(harmless(json.dumps(document, ensure_ascii=False, default=str)))
    elif isinstance(document, Mapping):
        for key, value in document.items():
            if isinstance(value, list) and value:
                _show(value)
            elif value is not None:
                _print(_("{key}: {value}", key=key, value=_("none") if value == [] else value))
    elif isinstance(document, list) and document:
        _print(_aligned(document))
    else:
        _print(str(document or _("none")))


def _aligned(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as a table: a head for each key, and one line for each row."""
    heads = list(dict.fromkeys(head for row in rows for head in row))
    cells = [["" if row.get(head) is None else str(row[head]) for head in heads] for row in rows]
    lines = [[text.replace("\n", "\\n") for text in line] for line in (heads, *cells)]
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        " ".join(text + " " * (wide - width(text)) for text, wide in zip(line, widths, strict=True))
        for line in lines
    )


def _print(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print what a person reads. What AWS returns may contain a terminal's commands."""
    here = re.sub(r"`((?:[A-Z_]+=\S* )*)lottery ", lambda hint: f"`{hint[1]}{_command()} ", text)
    click.echo(harmless(here), err=err, nl=nl)


@cache
def _command() -> str:
    """What to type for `lottery` in this shell: its path, if PATH does not contain this environment."""
    script = shutil.which("lottery", path=str(Path(sys.executable).parent))
    if script is None:
        return f"{shlex.quote(sys.executable)} -m lottery_lib"
    found = shutil.which("lottery")
    if found and Path(found).samefile(script):
        return "lottery"
    here = Path.cwd()
    return shlex.quote(str(Path(script).relative_to(here) if Path(script).is_relative_to(here) else script))


_say = partial(_print, err=True)


def _target(edition: str | None) -> "Target":
    from lottery_lib.target import connect, introduction

    target = connect(edition=edition)
    if target.kind == "aws":
        _say(introduction(target))
    return target


def _party(edition: str | None) -> "Target":
    """The party's lottery. Its attendee is `party`, unless the user chose another: no lesson resets it."""
    from lottery_lib.party.receipts import PARTY
    from lottery_lib.target import connect, introduction

    attendee = os.environ.get("LOTTERY_ATTENDEE", PARTY)
    target = connect(attendee=attendee, edition=edition or "hardened")
    if target.kind == "aws":
        _say(introduction(target))
    return target


def _deployed_party(edition: str | None, yes: bool) -> "Target":
    """The party's lottery. If it does not exist, deploy it; on AWS ask first."""
    from lottery_lib import plan
    from lottery_lib.party.receipts import check_edition

    target = _party(edition)
    check_edition(target, _("of a party"))
    if plan.machine(target).find() is None:
        whose = target.names.attendee or _("no attendee")
        _say(_("There is no lottery of {attendee} yet, so it is deployed now.", attendee=whose))
        _stack(target, yes).deploy()
    return target


def _evening(target: "Target", name: str | None, file: str | None) -> tuple[str, Path]:
    """The name of the evening and its file, if the user did not choose them. An open evening goes on."""
    from datetime import datetime

    from lottery_lib.party.receipts import open_evenings

    started = [] if name else open_evenings(target)
    chosen = name or (started or [f"evening-{datetime.now():%Y%m%d}"])[-1]
    return chosen, Path(file or f"{chosen}.evening.json").resolve()


def _agree(target: "Target", yes: bool, question: str) -> None:
    """Ask before a real account is changed. Without a terminal nobody can answer, so require ``--yes``."""
    if target.kind == "aws" and not yes:
        _ask(question)


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        what = _("needs a confirmation, and there is no terminal to ask in")
        raise LotteryError(question, what, _("Give --yes"))
    _say(_("{question}? [y/N] ", question=question), nl=False)
    # Not click.confirm: it writes a space to stdout, and would ask again after a "maybe".
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        next_step = _("Nothing was changed; run it again if you are sure")
        raise LotteryError(question, _("was not confirmed"), next_step)


def _tell(resource: "Report") -> None:
    _say(", ".join(filter(None, [str(resource), resource.note])))


def _rows(resources: "Iterable[Report]") -> list[dict[str, str]]:
    return [{"kind": each.kind, "name": each.name, "state": each.state} for each in resources]


def _shown_rows(resources: "Iterable[Report]") -> list[dict[str, str]]:
    """The same for people."""
    from lottery_lib.resources import WORDS

    return [
        {
            _("kind"): WORDS.get(each.kind, each.kind),
            _("name"): each.name,
            _("state"): WORDS.get(each.state, each.state),
        }
        for each in resources
    ]


def _records(frame: "pd.DataFrame") -> list[dict[str, object]]:
    """The rows of a table. A missing value is None, because JSON knows no NaN."""
    records: list[dict[str, object]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return records


_dry_run = click.option("--dry-run", is_flag=True, help=_("Only show what would be done."))
_yes = click.option("--yes", is_flag=True, help=_("Do not ask before changing an AWS account."))
_name = click.option(
    "--name", metavar="NAME", help=_("The evening's name; by default evening- and the date.")
)
_file = click.option("--file", metavar="FILE", help=_("Save it in this file; by default NAME.evening.json."))
_port = click.option("--port", type=int, help=_("The emulator on this port, instead of the shared one."))


@click.group(cls=Group, epilog=_example("lottery draw 2"))
def lottery() -> None:
    """The company lottery of the Step Functions workshop.

    `lottery COMMAND --help` explains a command and its options.
    """


@lottery.command(example="lottery doctor")
def doctor(edition: str | None) -> Outcome:
    """Check whether this machine can run the course."""
    from lottery_lib.course.doctor import examine, missing

    found = examine(edition)
    lines = [
        _("ok: {check}: {detail}", check=each["check"], detail=each["detail"]) for each in found if each["ok"]
    ]
    return Outcome(found, len(lines) == len(found), "\n".join([*lines, *missing(found)]))


def _stack(target: "Target", yes: bool, *, delete: bool = False) -> "Stack":
    """The lottery. On AWS it shows all changes and asks before it makes them."""
    from lottery_lib.stack import Stack

    def announce(plan: "Iterable[Report]") -> None:
        for resource in plan:
            _tell(resource)
        place = {"account": target.account, "region": target.region}
        question = (
            _("delete the lottery in account {account}, region {region}", **place)
            if delete
            else _("create the lottery in account {account}, region {region}", **place)
        )
        _agree(target, yes, question)

    return Stack(target, _tell, announce)


@lottery.command(example="lottery deploy --email ann@example.com", failed={"resources": []})
@click.option("--email", metavar="ADDRESS", help=_("Subscribe this address to the topic."))
@_dry_run
@_yes
def deploy(edition: str | None, email: str | None, dry_run: bool, yes: bool) -> Outcome:
    """Create the whole lottery, or repair it."""
    stack = _stack(_target(edition), yes)
    if dry_run:
        planned = stack.plan(email)
        return Outcome({"resources": _rows(planned)}, shown=_shown_rows(planned))
    done = stack.deploy(email)
    if email:
        from lottery_lib.mails import inbox

        _say(inbox(stack.target).where)
    return Outcome({"resources": _rows(done)}, shown={})  # a person has seen each line


@lottery.command(example="lottery teardown --dry-run", failed={"resources": []})
@_dry_run
@_yes
def teardown(edition: str | None, dry_run: bool, yes: bool) -> Outcome:
    """Delete the whole lottery, and list what is left."""
    stack = _stack(_target(edition), yes, delete=True)
    if dry_run:
        going, left = stack.removal(), stack.left()
        document = {"resources": _rows(going), "left": _rows(left)}
        return Outcome(document, shown={_("resources"): _shown_rows(going), _("left"): _shown_rows(left)})
    done = stack.teardown()
    document = {"resources": _rows(done.resources), "left": _rows(done.left)}
    return Outcome(document, not done.left, {_("left"): _shown_rows(done.left)})


@lottery.command(example="lottery status", failed={"resources": []})
def status(edition: str | None) -> Outcome:
    """Show every resource of the lottery."""
    from lottery_lib.stack import Stack

    found = Stack(_target(edition)).status()
    return Outcome({"resources": _rows(found)}, shown=_shown_rows(found))


def _drawn(target: "Target", run_draw: Callable[["Target"], Document]) -> Outcome:
    from lottery_lib.mails import inbox

    _say(inbox(target).where)  # before the draw: there is still time to confirm the address
    result = run_draw(target)
    if target.kind != "aws" and target.names.edition == "hardened" and result["winners"]:
        _say(_("The emulator forgets the winners when it ends. `lottery winners --csv FILE` saves them"))
    return Outcome(result, result["status"] == "SUCCEEDED" and not result["error"])


@lottery.command(example="lottery draw 2", failed=NO_DRAW, context_settings={"ignore_unknown_options": True})
@click.argument("number", metavar="N")
@click.option("--name", metavar="NAME", help=_("The name of the draw; by default a new one."))
@click.option(
    "--public", metavar="VALUE", help=_("Mix this public value in, after the machine has committed.")
)
def draw(edition: str | None, number: str, name: str | None, public: str | None) -> Outcome:
    """Draw N winners; N is a whole number of at least 1.

    The hardened edition also takes a list of prizes, as JSON, and a public value, such as numbers that the
    room has called.
    """
    from lottery_lib import draws
    from lottery_lib.party.evening import draw_in_public

    if number.startswith("--"):  # click passes unknown options on, so that the machine refuses -3
        raise click.NoSuchOption(number)
    try:
        wanted = json.loads(number)
    except ValueError:
        wanted = number  # the machine refuses it, with the reason
    if public is None:
        return _drawn(_target(edition), lambda target: draws.draw(target, wanted, name=name))
    return _drawn(_target(edition), lambda target: draw_in_public(target, wanted, public, name=name))


@lottery.command(example="lottery resume draw-20250101T120000-0123abcd --edition hardened", failed=NO_DRAW)
@click.argument("draw_id", metavar="NAME")
@click.option("--mail", is_flag=True, help=_("Send the mail, even if a try to send it was recorded."))
def resume(edition: str | None, draw_id: str, mail: bool) -> Outcome:
    """Continue the stopped draw NAME of the hardened edition."""
    from lottery_lib.party.receipts import check_edition, resume

    target = _target(edition)
    check_edition(target, draw_id)  # before it shows a mailbox
    return _drawn(target, lambda target: resume(target, draw_id, remail=mail))


@lottery.command(example="lottery receipts draw-20250101T120000-0123abcd --edition hardened")
@click.argument("draw_id", metavar="NAME")
@click.option(
    "--save", "folder", metavar="FOLDER", help=_("Save them in this folder, with the page check.html.")
)
def receipts(edition: str | None, draw_id: str, folder: str | None) -> Outcome:
    """Check the draw NAME of the hardened edition, and all other draws of the lottery, by their receipts."""
    from lottery_lib.party.check_words import WORDS
    from lottery_lib.party.checker import check_page, check_receipts
    from lottery_lib.party.receipts import receipts

    found = receipts(_target(edition), draw_id)
    checked = check_receipts(found)
    for problem in checked.problems:
        _say(problem)
    if folder:
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            Path(folder, "receipts.json").write_text(json.dumps(found), encoding="ascii")
            Path(folder, "check.html").write_text(check_page(found), encoding="utf-8")
        except OSError as error:
            what = _("cannot be written ({reason})", reason=error.strerror)
            raise LotteryError(_("folder {folder}", folder=folder), what, _("Give another")) from error
    document = {**found, "verified": checked.claims}
    shown = {WORDS[each]: value for each, value in {**checked.counts, **checked.claims}.items()}
    return Outcome(document, all(checked.claims.values()), shown)


@lottery.command(
    example="lottery verify receipts",
    failed={"claims": {}, "problems": [], "counts": {}, "codes": [], "strange": []},
)
@click.argument("folder")
def verify(edition: str | None, folder: str) -> Outcome:
    """Check the receipts in FOLDER. It needs no AWS and no network."""
    from lottery_lib.party.announcement import grouped
    from lottery_lib.party.check_words import WORDS
    from lottery_lib.party.checker import check_receipts

    file = Path(folder) / "receipts.json"
    try:
        document = json.loads(file.read_bytes())
    except OSError as error:
        what = _("cannot be read ({reason})", reason=error.strerror)
        next_step = _("Give the folder that has the receipts")
        raise LotteryError(_("file {file}", file=file), what, next_step) from error
    except (ValueError, RecursionError) as error:
        next_step = _("Save the receipts again")
        raise LotteryError(_("file {file}", file=file), _("is not JSON"), next_step) from error
    found = check_receipts(document)
    lines = [
        _("ok: {claim}", claim=WORDS[claim]) if true else _("WRONG: {claim}", claim=WORDS[claim])
        for claim, true in found.claims.items()
    ]
    lines += [*found.problems]
    lines += [_("{key}: {value}", key=WORDS[name], value=number) for name, number in found.counts.items()]
    lines += [
        _(
            "{draw}: pool {root}, secret {commitment}",
            draw=each["draw"],
            root=grouped(each["root"]),
            commitment=grouped(each["commitment"]),
        )
        for each in found.codes
    ]
    return Outcome(asdict(found), all(found.claims.values()), "\n".join(lines))


@lottery.command(example="lottery winners --csv winners.csv")
@click.option("--csv", metavar="FILE", help=_("Save them in this new file, too, for a spreadsheet."))
@click.option("--xlsx", metavar="FILE", help=_("The same, as a workbook for Excel."))
def winners(edition: str | None, csv: str | None, xlsx: str | None) -> Outcome:
    """List everybody who has won so far."""
    from lottery_lib import draws
    from lottery_lib.party.receipts import winners

    found = winners(_target(edition))
    for file, written in ((csv, draws.as_csv), (xlsx, draws.as_xlsx)):
        if not file:
            continue
        try:
            with Path(file).open("xb") as new:  # it may hold winners that an emulator has forgotten
                new.write(written(found))
        except OSError as error:
            what = _("cannot be written ({reason})", reason=error.strerror)
            raise LotteryError(_("file {file}", file=file), what, _("Give another")) from error
    return Outcome(_records(found))


@lottery.command(example="lottery history")
@click.argument("execution_arn", metavar="[EXECUTION_ARN]", required=False)
def history(edition: str | None, execution_arn: str | None) -> Outcome:
    """Show the states of an execution, by default of the latest one."""
    from lottery_lib import draws, execution
    from lottery_lib.history import state_table

    target = _target(edition)
    arn = execution_arn or draws.last_execution(target)
    _say(arn)
    table = state_table(execution.history(target, arn))
    short = table[["state", "branch", "attempt", "status", "duration", "error"]]
    return Outcome(_records(table), shown=_records(short))


@lottery.group(
    cls=Group,
    invoke_without_command=True,
    no_args_is_help=False,
    epilog=_example("lottery night"),
    params=_common(party=True),
)
@click.option("--port", type=int, default=8866, help=_("The port of the pages; 8866 by default."))
@click.option("--no-browser", is_flag=True, help=_("Open no browser, and only print the address."))
@_name
@_file
@_yes
@click.pass_context
def night(
    context: click.Context,
    *,
    edition: str | None,
    port: int,
    no_browser: bool,
    name: str | None,
    file: str | None,
    yes: bool,
) -> Outcome | None:
    """Show the pages for a party: one for the operator, and one for the audience.

    Before that, it deploys the lottery if there is none, and says what is missing. The party's names end
    with `-party`, unless LOTTERY_ATTENDEE is set. Nobody else on this machine can open the pages: their
    address has a secret token. Ctrl-C ends them, and the evening goes on when they are started again.
    """
    if context.invoked_subcommand:
        return None
    from lottery_lib.party.projector import missing, serve

    target = _deployed_party(edition, yes)
    chosen, path = _evening(target, name, file)
    for sentence in missing(target, path):
        _say(sentence)
    _say(_("The evening {name} is saved in {file}", name=chosen, file=path))
    os.environ.update(  # for the pages' kernels
        LOTTERY_ATTENDEE=target.names.attendee,
        LOTTERY_EDITION=target.names.edition,
        LOTTERY_EVENING=chosen,
        LOTTERY_EVENING_FILE=str(path),
        LOTTERY_LANG=language(),
    )
    serve(port, browser=not no_browser)
    return Outcome({"running": False}, shown={})


@night.command("restore", example="lottery night restore party.evening.json", party=True)
@click.argument("file", metavar="FILE")
@click.option(
    "--yes", is_flag=True, help=_("Replace what the tables have, even if the file does not have it.")
)
def night_restore(edition: str | None, file: str, yes: bool) -> Outcome:
    """Put an evening back into the emulator from FILE, and go on where it stopped.

    It works on another computer, too. What the machine waited for, it waits for again.
    """
    from lottery_lib.party.evening import Evening

    evening = Evening.restored(_party(edition), Path(file), replace=yes)
    state = evening.look()
    drawn = [each for each in state.prizes if each.winners]
    document = {
        "evening": evening.name,
        "step": state.step,
        "winners": sum(len(each.winners) for each in drawn),
        "prizes": _("{drawn} of {count} are drawn", drawn=len(drawn), count=len(state.prizes)),
        "next": _("Run `lottery night --file {file}`", file=shlex.quote(file)),
    }
    return Outcome(document)


@night.command("save", example="lottery night save party.evening.json", party=True)
@click.argument("file", metavar="FILE")
def night_save(edition: str | None, file: str) -> Outcome:
    """Save the evening in FILE: roster, prizes, winners, receipts and, if it is not closed, its secret.

    `lottery night` does this by itself after each step.
    """
    from lottery_lib.party import evening_file

    kept = evening_file.save(_party(edition), Path(file))
    sizes = {kind: len(kept["tables"][kind]) for kind in ("employees", "winners")}
    return Outcome({"evening": kept["evening"] or None, "file": str(Path(file).resolve()), **sizes})


@lottery.command(example='lottery announce prizes.txt --question "Call five numbers"', party=True)
@click.argument("prizes")
@_name
@click.option(
    "--absent",
    type=click.Choice(["out", "later"]),
    default="out",
    help=_("Whether winners who are absent are out, or may win later."),
)
@click.option("--question", metavar="TEXT", default="", help=_("What the room is asked for before the draw."))
@_file
@_yes
def announce(
    *,
    edition: str | None,
    prizes: str,
    name: str | None,
    absent: str,
    question: str,
    file: str | None,
    yes: bool,
) -> Outcome:
    """Announce an evening: the guests, the prizes, the rule for the absent, and the commitment to a secret.

    PRIZES is a file or a text with one prize on each line, such as `3 Bicycle`, or a JSON list. Show the root
    and the commitment to everybody before anybody is drawn.
    """
    from lottery_lib.party.announcement import page
    from lottery_lib.party.checker import check_page
    from lottery_lib.party.evening import Evening
    from lottery_lib.party.prizes import prizes_in
    from lottery_lib.party.receipts import receipts

    wanted = prizes_in(prizes)
    target = _deployed_party(edition, yes)
    chosen, path = _evening(target, name, file)
    evening = Evening(target, chosen, file=path)
    evening.announce(wanted, absent="out" if absent == "out" else "may win later", question=question)
    told = evening.look().announcement
    document = {
        "evening": chosen,
        "guests": told["size"],
        "root": told["pool"],
        "commitment": told["commitment"],
        "prizes": ", ".join(f"{each['count']} {each['prize']}" for each in told["prizes"]),
        "absent": told["absent"],
        "question": told["question"] or None,
    }
    html, guests = (path.with_name(f"{chosen}.{kind}.html") for kind in ("announcement", "check"))
    html.write_text(page(told), encoding="utf-8")
    text = receipts(target, chosen)["draws"][chosen]["receipts"][0]
    guests.write_text(check_page({"announced": text}), encoding="utf-8")
    return Outcome({**document, "announcement": str(html), "check": str(guests), "file": str(path)})


@lottery.command(example="lottery proof 007", party=True)
@click.argument("employee_id", metavar="ID")
@click.option("--name", metavar="NAME", help=_("The evening or draw; by default the evening that is open."))
def proof(edition: str | None, employee_id: str, name: str | None) -> Outcome:
    """Prove to the guest ID that they can win. The proof shows nobody else.

    The guest pastes it into the page that `lottery announce` writes, and compares with their photograph.
    """
    from lottery_lib.party.receipts import proof

    target = _party(edition)
    found = proof(target, _evening(target, name, None)[0], employee_id)
    told = _(
        "Give the next line to guest {id}, who pastes it into the check page below their id.", id=employee_id
    )
    return Outcome(found, shown=f"{told}\n{json.dumps(found)}")


@lottery.command(example="lottery withdraw 007", party=True)
@click.argument("employee_id", metavar="ID")
@_name
@_file
def withdraw(edition: str | None, employee_id: str, name: str | None, file: str | None) -> Outcome:
    """Take the guest ID out of the open evening. The receipts show it. What the guest has won stays."""
    from lottery_lib.party.evening import Evening

    target = _party(edition)
    chosen, path = _evening(target, name, file)
    Evening(target, chosen, file=path).withdraw(employee_id)
    return Outcome({"evening": chosen, "withdrawn": employee_id, "file": str(path)})


@lottery.command(example="lottery reset")
@_yes
def reset(edition: str | None, yes: bool) -> Outcome:
    """Empty the table of winners."""
    from lottery_lib.draws import forget_winners
    from lottery_lib.party.receipts import open_evenings

    target = _target(edition)
    evenings = open_evenings(target)
    place = {"table": target.names.winners_table, "account": target.account}
    if evenings and not yes:  # on an emulator, too
        _ask(
            _(
                "empty the table {table} in account {account}, although the evening {evening} is open",
                **place,
                evening=evenings[-1],
            )
        )
    else:
        _agree(target, yes, _("empty the table {table} in account {account}", **place))
    return Outcome({"removed": forget_winners(target)})


@lottery.command(example="lottery policy --account 123456789012 --region us-east-1")
@click.option("--account", metavar="DIGITS", help=_("The account; by default the target's."))
@click.option("--region", metavar="NAME", help=_("The region; by default the target's."))
@click.option("--boundary", is_flag=True, help=_("Print the permissions boundary of the attendee's roles."))
def policy(edition: str | None, account: str | None, region: str | None, boundary: bool) -> Outcome:
    """Print the policy that an attendee needs on AWS.

    An administrator gives it to the attendee, and creates the boundary once. The policy allows roles only
    within the boundary.
    """
    from lottery_lib.course import attendee_policy
    from lottery_lib.target import chosen_names, connect, elsewhere, introduction

    if account and not region:
        raise LotteryError("--account", _("needs a region, too"), _("Give --region, such as us-east-1"))
    if account and region:
        target = elsewhere(account, region, chosen_names(edition=edition))
    else:
        target = connect(edition=edition, region=region)
        where = introduction(target) if target.kind == "aws" else _("This is for the emulator's account")
        _say(_("{where}; use --account and --region for another account", where=where))
    name = target.names.boundary
    if boundary:
        document = attendee_policy.boundary(target)
        create = f"aws iam create-policy --policy-name {name} --policy-document file://FILE"
        _say(_("The administrator creates it once, under this name: {command}", command=create))
    else:
        document = attendee_policy.policy(target)
        _say(
            _(
                "It allows roles only within the boundary {name}, which `lottery policy --boundary` prints",
                name=name,
            )
        )
    return Outcome(document, shown=json.dumps(document, indent=2))


@lottery.command(example="lottery rehearse")
def rehearse(edition: str | None) -> Outcome:
    """Run every notebook. An instructor does this before a course."""
    from lottery_lib.course import doctor, notebooks

    for sentence in doctor.missing(doctor.examine(edition)):
        _say(sentence)
    rows = notebooks.rehearse(sys.stderr)
    return Outcome(rows, all(row["ok"] for row in rows), notebooks.summary(rows))


@lottery.group(cls=Group, no_args_is_help=False)
def employees() -> None:
    """The table of employees."""


@employees.command(
    example="lottery employees load data/roster_1000.csv", failed={"loaded": 0, "rejected": []}
)
@click.argument("file")
@click.option("--skip-bad-rows", is_flag=True, help=_("Load the other rows if some are bad."))
@_yes
@click.pass_obj
def load(run: Run, edition: str | None, file: str, skip_bad_rows: bool, yes: bool) -> Outcome:
    """Replace the employees in the table with those in FILE.

    FILE is .xlsx or CSV, with a header such as employee_id,employee_name or 工号,姓名,部门; or it is JSON for
    `aws dynamodb batch-write-item`. If a row is bad, nothing changes.
    """
    from tqdm import tqdm

    from lottery_lib.employees import read
    from lottery_lib.resources.contents import load_employees

    found = read(file)
    run.failed = {"loaded": 0, "rejected": found.rejected}
    found.check(skip_bad_rows=skip_bad_rows)  # before it asks
    target = _target(edition)
    _say(found.preview())
    question = _(
        "replace the employees in {table} with those in {file}", table=target.names.employee_table, file=file
    )
    _agree(target, yes, question)
    bar = partial(tqdm, unit=_(" employees"), file=sys.stderr, disable=run.as_json or None)
    loaded = load_employees(target, found, bar, skip_bad_rows=skip_bad_rows)
    return Outcome({"loaded": loaded, "rejected": found.rejected}, shown={"loaded": loaded})


def _state(state: dict[str, Any], done: bool = True) -> Outcome:
    """The state of an emulator. Its access key is only in the JSON, because others may read a screen."""
    return Outcome(state, done, {name: value for name, value in state.items() if name != "access_key_id"})


@lottery.group(cls=Group, no_args_is_help=False)
def emulator() -> None:
    """The AWS emulator on this machine."""


@emulator.command(example="lottery emulator start")
@_port
@click.option("--foreground", is_flag=True, help=_("Run in this process until a signal."))
@click.option(
    "--allow-host",
    metavar="NAME",
    multiple=True,
    help=_("A proxy's name for the emulator; can be given again."),
)
def start(edition: str | None, port: int | None, foreground: bool, allow_host: tuple[str, ...]) -> Outcome:
    """Start the emulator, if it does not run already."""
    from lottery_lib.embedded import emulator as run

    state = run("start", port, foreground=foreground, allowed_hosts=allow_host)
    return _state(state, foreground or state["running"])


@emulator.command(example="lottery emulator stop")
@_port
@click.option("--yes", is_flag=True, help=_("Do not ask, even if winners are lost."))
@click.option("--dry-run", is_flag=True, help=_("Only show which winners would be lost."))
def stop(edition: str | None, port: int | None, yes: bool, dry_run: bool) -> Outcome:
    """Stop the emulator. It asks first if winners of a hardened lottery would be lost."""
    from lottery_lib.embedded import emulator as run

    state, lost = run("status", port), []
    if state["running"] and not yes:
        from lottery_lib.party.receipts import unsaved  # it imports pandas and boto3

        try:
            lost = unsaved(state["endpoint"], shared=port is None)
        except LotteryError as error:  # an emulator that does not answer can be stopped, too
            _say(_("Nobody could look whether there are winners. {error}", error=error))
    for sentence in lost:
        _say(sentence)
    if dry_run:
        return Outcome(state | {"lost": lost}, not lost, {})
    if lost:
        _ask(_("stop the emulator, and lose these winners"))
    state = run("stop", port)
    return Outcome(state, not state["running"])


@emulator.command("status", example="lottery emulator status --json")
@_port
def emulator_status(edition: str | None, port: int | None) -> Outcome:
    """Show whether the emulator runs, and where."""
    from lottery_lib.embedded import emulator as run

    return _state(run("status", port))


if __name__ == "__main__":
    sys.exit(main())
