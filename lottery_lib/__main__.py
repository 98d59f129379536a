"""Run the lottery from a shell: ``lottery COMMAND``, the same as ``python -m lottery_lib COMMAND``."""

import json
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from lottery_lib.command_line import (
    ON_EMPTIED,
    ON_END,
    Document,
    Group,
    Outcome,
    Run,
    agree,
    ask,
    connected,
    dry_run_option,
    example_line,
    explained,
    records,
    rows,
    say,
    show,
    shown_rows,
    speak,
    stack_of,
    yes_option,
)
from lottery_lib.errors import LotteryError
from lottery_lib.files import write_new
from lottery_lib.translation import _, ngettext

if TYPE_CHECKING:
    from lottery_lib.target import Target

# Each command imports what it needs: `emulator status` should not wait for pandas.
# ruff: noqa: PLC0415

DRAW_KEYS: Final = ("status", "winners", "execution_arn", "error", "cause")
NO_DRAW: Final[Document] = dict.fromkeys(DRAW_KEYS) | {"winners": []}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code, 0 only when it did its job."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    run = Run("--json" in words, {})
    speak()
    try:
        outcome = lottery.main(words or ["--help"], prog_name="lottery", standalone_mode=False, obj=run)
    except Exception as error:
        explanation = explained(error)
        if explanation is None:
            raise
        say(str(explanation))
        if run.as_json:
            name = type(explanation).__name__
            show({**run.failed, "error": name, "cause": str(explanation)}, as_json=True)
        return 130 if isinstance(error, click.Abort) else 1
    if not isinstance(outcome, Outcome):  # click has shown a help
        return 0
    person_reads = outcome.document if outcome.shown is None else outcome.shown
    show(outcome.document if run.as_json else person_reads, as_json=run.as_json)
    return 0 if outcome.done else 1


_port = click.option(
    "--port", type=int, metavar="INTEGER", help=_("The emulator on this port, instead of the shared one.")
)


class AllCommands(Group):
    """The commands of this module, and those of other packages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        others = (name for plugin in plugins() for name in plugin.commands.commands)
        return [*super().list_commands(ctx), *others]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name. Other packages are loaded only if this module has none."""
        if own := super().get_command(ctx, cmd_name):
            return own
        commands = (plugin.commands.get_command(ctx, cmd_name) for plugin in plugins())
        return next(filter(None, commands), None)


@cache
def plugins() -> list[Any]:
    """The modules that other packages offer as entry points of the group ``lottery_lib.plugins``.

    Such a module has `commands`, a group of click, and may add to `ON_EMPTIED` and `ON_END`.
    """
    return [entry_point.load() for entry_point in entry_points(group="lottery_lib.plugins")]


@click.group(cls=AllCommands, epilog=example_line("lottery draw 2"))
def lottery() -> None:
    """The company lottery of the Step Functions workshop.

    `lottery COMMAND --help` explains a command and its options.
    """


@lottery.command(example="lottery deploy --email ann@example.com", failed={"resources": []})
@click.option("--email", metavar="ADDRESS", help=_("Subscribe this address to the topic."))
@dry_run_option
@yes_option
def deploy(edition: str | None, email: str | None, dry_run: bool, yes: bool) -> Outcome:
    """Create the whole lottery, or repair it."""
    stack = stack_of(connected(edition), yes)
    if dry_run:
        planned = stack.plan(email)
        return Outcome({"resources": rows(planned)}, shown=shown_rows(planned))
    done = stack.deploy(email)
    if email:
        from lottery_lib.mails import inbox

        say(inbox(stack.target).where)
    return Outcome({"resources": rows(done)}, shown={})  # a person has seen each line


@lottery.command(example="lottery teardown --dry-run", failed={"resources": []})
@dry_run_option
@yes_option
def teardown(edition: str | None, dry_run: bool, yes: bool) -> Outcome:
    """Delete the whole lottery, and list what is left. It asks first if an announced draw is open."""
    target = connected(edition)
    stack = stack_of(target, yes, delete=True)
    if dry_run:
        going, left = stack.removal(), stack.left()
        document = {"resources": rows(going), "left": rows(left)}
        return Outcome(document, shown={"resources": shown_rows(going), "left": shown_rows(left)})
    if target.names.base == "hardened":  # the other edition leaves the table of draws
        _ask_if_open(target, yes, _("delete the lottery"))
    done = stack.teardown()
    _emptied(target, "`lottery teardown`")
    document = {"resources": rows(done.resources), "left": rows(done.left)}
    return Outcome(document, not done.left, {"left": shown_rows(done.left)})


def _emptied(target: "Target", command: str) -> None:
    """Tell other packages that a command has emptied the lottery."""
    plugins()  # they listen
    for listen in ON_EMPTIED:
        listen(target, command)


def _ask_if_open(target: "Target", yes: bool, question: str) -> bool:
    """Ask before an announced draw is lost, on an emulator, too. Without a terminal, require ``--yes``.

    Returns:
        Whether somebody was asked, and agreed.
    """
    from lottery_lib.resources.contents import open_draws

    announced = [] if yes else open_draws(target)
    if announced:
        ask(
            _("{question}, although the announced draw {name} is open", question=question, name=announced[-1])
        )
    return bool(announced)


@lottery.command(example="lottery status", failed={"resources": []})
def status(edition: str | None) -> Outcome:
    """Show every resource of the lottery."""
    from lottery_lib.stack import Stack

    resources = Stack(connected(edition)).status()
    return Outcome({"resources": rows(resources)}, shown=shown_rows(resources))


@lottery.command(example="lottery export my-lottery", failed={"files": []})
@click.argument("folder")
def export(edition: str | None, folder: str) -> Outcome:
    """Write the lottery as a project for an account of your own, into FOLDER.

    It is a project of AWS SAM. Its README says how to deploy it, without this kit.
    """
    from lottery_lib.export import export
    from lottery_lib.target import chosen_names

    files = export(Path(folder), chosen_names("", edition).edition)
    sentence = _("Read {file}: it says how to go on.", file=Path(folder) / "README.md")
    return Outcome({"files": files}, shown=sentence)


def _drawn(target: "Target", run_draw: Callable[[], Document]) -> Outcome:
    from lottery_lib.mails import inbox
    from lottery_lib.translation import cause_in_words

    say(inbox(target).where)  # before the draw: there is still time to confirm the address
    result = run_draw()
    if target.kind != "aws" and target.names.edition == "hardened" and result["winners"]:
        say(_("The emulator forgets the winners when it ends. `lottery winners --csv FILE` saves them"))
    shown = {**result, "cause": result["cause"] and cause_in_words(str(result["cause"]))}
    return Outcome(result, result["status"] == "SUCCEEDED" and not result["error"], shown)


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
    from lottery_lib.target import chosen_names

    if number.startswith("--"):  # click passes unknown options on, so that -3 is refused as a number
        raise click.NoSuchOption(number)
    try:
        wanted = json.loads(number)
    except ValueError:
        wanted = None
    takes_prizes = chosen_names(edition=edition).edition == "hardened"
    # `type`, because for `isinstance` the value `True` is a number, too.
    if not (type(wanted) is int and wanted > 0) and not (takes_prizes and isinstance(wanted, list)):
        what = _("it is not a whole number of at least 1")
        if takes_prizes:
            what = _("it is neither a whole number of at least 1 nor a list of prizes as JSON")
        raise LotteryError(
            _("draw {name}", name=number), what, _("Say how many win, such as `lottery draw 2`")
        )
    target = connected(edition)
    if public is None:
        return _drawn(target, lambda: draws.draw(target, wanted, name=name))
    from lottery_lib.hardened import draw_in_public

    return _drawn(target, lambda: draw_in_public(target, wanted, public, name=name))


@lottery.command(example="lottery resume draw-20250101T120000-0123abcd --edition hardened", failed=NO_DRAW)
@click.argument("draw_id", metavar="NAME")
@click.option("--mail", is_flag=True, help=_("Send the mail, even if a try to send it was recorded."))
def resume(edition: str | None, draw_id: str, mail: bool) -> Outcome:
    """Continue the stopped draw NAME of the hardened edition."""
    from lottery_lib.hardened import check_edition, resume

    target = connected(edition)
    check_edition(target, draw_id)  # before it shows a mailbox
    return _drawn(target, lambda: resume(target, draw_id, remail=mail))


@lottery.command(example="lottery winners --csv winners.csv")
@click.option("--csv", metavar="FILE", help=_("Save them in this new file, too, for a spreadsheet."))
@click.option("--xlsx", metavar="FILE", help=_("The same, as a workbook for Excel."))
def winners(edition: str | None, csv: str | None, xlsx: str | None) -> Outcome:
    """List everybody who has won so far."""
    from lottery_lib import draws
    from lottery_lib.hardened import winners

    table = winners(connected(edition))
    for file, written in ((csv, draws.as_csv), (xlsx, draws.as_xlsx)):
        if file:
            write_new(file, written(table))
    return Outcome(records(table), shown=records(draws.winners_in_words(table)))


@lottery.command(example="lottery history")
@click.argument("execution_arn", metavar="[EXECUTION_ARN]", required=False)
def history(edition: str | None, execution_arn: str | None) -> Outcome:
    """Show the states of an execution, by default of the latest one."""
    from lottery_lib import draws, execution
    from lottery_lib.tables import state_table

    target = connected(edition)
    arn = execution_arn or draws.last_execution(target)
    say(arn)
    table = state_table(execution.history(target, arn))
    short = table[["state", "branch", "attempt", "status", "duration", "error"]]
    return Outcome(records(table), shown=records(short))


@lottery.command(example="lottery reset")
@yes_option
def reset(edition: str | None, yes: bool) -> Outcome:
    """Empty the table of winners."""
    from lottery_lib.resources.contents import empty_winners

    target = connected(edition)
    place = {"table": target.names.winners_table, "account": target.account}
    question = _("empty the table {table} in account {account}", **place)
    if not _ask_if_open(target, yes, question):
        agree(target, yes, question)
    removed = empty_winners(target)
    _emptied(target, "`lottery reset`")
    return Outcome({"removed": removed})


@lottery.group(cls=Group, no_args_is_help=False)
def employees() -> None:
    """The table of employees."""


@employees.command(
    example="lottery employees load data/roster_1000.csv", failed={"loaded": 0, "rejected": []}
)
@click.argument("file")
@click.option("--skip-bad-rows", is_flag=True, help=_("Load the other rows if some are bad."))
@yes_option
@click.pass_obj
def load(run: Run, edition: str | None, file: str, skip_bad_rows: bool, yes: bool) -> Outcome:
    """Replace the employees in the table with those in FILE.

    FILE is .xlsx or CSV, with a header such as employee_id,employee_name or 工号,姓名,部门; or it is JSON for
    `aws dynamodb batch-write-item`. If a row is bad, nothing changes.
    """
    from tqdm import tqdm

    from lottery_lib.employees import read
    from lottery_lib.resources.contents import load_employees

    roster = read(file)
    run.failed = {"loaded": 0, "rejected": roster.rejected}
    roster.check(skip_bad_rows=skip_bad_rows)  # before it asks
    target = connected(edition)
    say(roster.preview())
    question = _(
        "replace the employees in {table} with those in {file}", table=target.names.employee_table, file=file
    )
    agree(target, yes, question)
    bar = partial(tqdm, unit=_(" employees"), file=sys.stderr, disable=run.as_json or None)
    loaded = load_employees(target, roster, bar, skip_bad_rows=skip_bad_rows)
    sentence = ngettext("1 person can win.", "{count} people can win.", loaded, count=loaded)
    return Outcome({"loaded": loaded, "rejected": roster.rejected}, shown=sentence)


def _state(state: dict[str, Any], *, shared: bool, done: bool = True) -> Outcome:
    """The state of an emulator, and who else uses the shared one.

    Its access key is only in the JSON, because others may read a screen.
    """
    from lottery_lib.local_emulator import other_labs

    for folder in other_labs(state) if shared else ():
        say(
            _(
                "The JupyterLab in {folder} uses this emulator, too, so both have one lottery. The emulator "
                "ends with the last of them.",
                folder=folder,
            )
        )
    hidden = ("access_key_id", "while_pids")
    return Outcome(state, done, {name: value for name, value in state.items() if name not in hidden})


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
    from lottery_lib.local_emulator import emulator as run

    state = run("start", port, foreground=foreground, allowed_hosts=allow_host)
    return _state(state, shared=port is None, done=foreground or state["running"])


@emulator.command(example="lottery emulator stop")
@_port
@click.option("--yes", is_flag=True, help=_("Do not ask, even if winners are lost."))
@click.option("--dry-run", is_flag=True, help=_("Only show which winners would be lost."))
def stop(edition: str | None, port: int | None, yes: bool, dry_run: bool) -> Outcome:
    """Stop the emulator. It asks first if winners of a hardened lottery would be lost."""
    from lottery_lib.local_emulator import emulator as run

    state, lost = run("status", port), []
    if state["running"] and not yes:
        try:
            plugins()  # they listen
            for unsaved in ON_END:
                lost += unsaved(state["endpoint"], shared=port is None)
        except LotteryError as error:  # an emulator that does not answer can be stopped, too
            say(_("It is not known whether there are winners. {error}", error=error))
    for sentence in lost:
        say(sentence)
    if dry_run:
        return Outcome(state | {"lost": lost}, not lost, {})
    if lost:
        ask(_("stop the emulator, and lose these winners"))
    state = run("stop", port)
    return Outcome(state, not state["running"])


@emulator.command("status", example="lottery emulator status --json")
@_port
def emulator_status(edition: str | None, port: int | None) -> Outcome:
    """Show whether the emulator runs, and where."""
    from lottery_lib.local_emulator import emulator as run

    return _state(run("status", port), shared=port is None)


if __name__ == "__main__":
    sys.exit(main())
