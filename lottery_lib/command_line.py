"""What every command of ``lottery`` shares: its options, the target, and how its outcome is shown."""

import atexit
import inspect
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from lottery_lib.errors import LotteryError
from lottery_lib.harmless import escaped, harmless, width
from lottery_lib.translation import (
    N_,
    _,
    language,
    name_in_words,
    ngettext,
    punctuated,
    translated,
    value_in_words,
)

if TYPE_CHECKING:
    import pandas as pd

    from lottery_lib.resources.base import Report
    from lottery_lib.stack import Stack
    from lottery_lib.target import Target

# Each command imports what it needs: `emulator status` should not wait for pandas.
# ruff: noqa: PLC0415

Document = Mapping[str, object]

#: What other packages do when a command has emptied the lottery. They get the target and the command.
ON_EMPTIED: "Final[list[Callable[[Target, str], None]]]" = []
#: What other packages say before an emulator ends: a sentence for each thing that would be lost. They get its
#: endpoint, and whether it is the ``shared`` one.
ON_END: "Final[list[Callable[..., list[str]]]]" = []

# What click itself says, for the catalogue; see `speak`. A test compares it with click.
_CLICK: Final = (
    N_("Usage:"),
    N_("[OPTIONS]"),
    N_("COMMAND [ARGS]..."),
    N_("[COMMAND] [ARGS]..."),
    N_("Options"),
    N_("Commands"),
    N_("Show this message and exit."),
    N_("No such command {name!r}."),
    N_("No such option {name!r}."),
    N_("Missing argument"),
    N_("Missing command."),
    N_("Invalid value for {param_hint}: {message}"),
    N_("integer"),
    N_("{value!r} is not a valid {number_type}."),
    N_("Option {name!r} does not take a value."),
    ngettext("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments.", 1),
    ngettext("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})", 1),
    ngettext("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)", 1),
    ngettext("{value!r} is not {choice}.", "{value!r} is not one of {choices}.", 1),
)


def speak() -> None:
    """Let click use the kit's catalogue. By itself it asks gettext for the catalogue of a whole program.

    This gives each module of click our functions instead of gettext's, which have the same names.
    """
    for module in (
        click.core,
        click.decorators,
        click.exceptions,
        click.formatting,
        click.parser,
        click.types,
    ):
        vars(module).update(_=_, ngettext=ngettext)
    click.INT.name = click.IntRange.name = _("integer")


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
        failed: What `--json` prints, together with the error, if the command fails.
        receipts: Whether it needs receipts, which only the hardened edition has.
        **options: What click knows.
    """

    def __init__(
        self,
        name: str,
        *,
        example: str,
        failed: Document | None = None,
        receipts: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        _translate(self)
        self.epilog = example_line(example)
        self.failed = failed or {}
        self.params += common_options(receipts)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Store the document to print if this command fails."""
        ctx.obj.failed = self.failed
        return super().parse_args(ctx, args)


def common_options(receipts: bool) -> list[click.Parameter]:
    """The options that every command has."""
    json_help = _("Print one JSON document on stdout and nothing else.")
    editions = (
        _("hardened, the only one with receipts.")
        if receipts
        else _("tutorial (the default), jsonata or hardened.")
    )
    return [
        click.Option(["--json"], is_flag=True, expose_value=False, help=json_help),
        click.Option(["--edition"], metavar="NAME", help=editions),
    ]


def example_line(command: str) -> str:
    """The line below a help: how the command may be called."""
    return _("Example: {command}", command=command)


class Group(click.Group):
    """A group whose commands are `Command` objects."""

    command_class = Command

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        _translate(self)
        self.subcommand_metavar = translated(language(), self.subcommand_metavar)


def _translate(command: click.Command) -> None:
    """Translate the help, which is a docstring, and the word for options."""
    command.help = translated(language(), inspect.cleandoc(command.help or ""))
    command.options_metavar = translated(language(), command.options_metavar or "")


def explained(error: Exception) -> LotteryError | None:
    """The sentence for an expected failure. None for a defect of the kit, which needs its traceback."""
    if isinstance(error, click.Abort):  # click's name for Ctrl-C
        next_step = _("Run it again; it continues where it stopped")
        return LotteryError(_("command"), _("interrupted"), next_step)
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "lottery"
        what = error.format_message().replace("。 ", "。")  # click puts two sentences together
        if language() != "en":
            what = re.sub("'([^']*)'", r"“\1”", what)  # click quotes as Python does
        next_step = _("See `{command} --help`", command=command)
        return LotteryError(_("command line"), what.rstrip(".。"), next_step)
    if isinstance(error, ImportError):
        next_step = _("Run `make clean install`, then start with `make lab`")
        return LotteryError(_("packages"), str(error), next_step)
    from lottery_lib.aws_errors import explain

    return explain(error)


def show(document: object, *, as_json: bool = False) -> None:
    """Print a document as JSON, or for a person as text, as a table, or as lines of key and value."""
    if as_json:
        click.echo(harmless(json.dumps(document, ensure_ascii=False, default=str)))
    elif isinstance(document, Mapping):
        for key, value in document.items():
            if isinstance(value, list) and value:
                show(value)
            elif value is not None:
                words = _("none") if value == [] else value_in_words(key, value)
                _print(punctuated("{key}: {value}", key=name_in_words(key), value=words))
    elif isinstance(document, list) and document:
        _print(_aligned(document))
    else:
        _print(str(document or _("none")))


def _aligned(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as a table: a head for each key, and one line for each row."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    cells = [
        ["" if row.get(key) is None else str(value_in_words(key, row[key])) for key in keys] for row in rows
    ]
    lines = [[text.replace("\n", "\\n") for text in line] for line in (map(name_in_words, keys), *cells)]
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
    on_path = shutil.which("lottery")
    if on_path and Path(on_path).samefile(script):
        return "lottery"
    here = Path.cwd()
    return shlex.quote(str(Path(script).relative_to(here) if Path(script).is_relative_to(here) else script))


say = partial(_print, err=True)


def open_page(address: str) -> None:
    """Open a page whose address is a secret in the user's browser.

    Everybody on the machine sees the command line of a browser. Only this user can read the file.
    """
    descriptor, name = tempfile.mkstemp(suffix=".html")
    atexit.register(Path(name).unlink, missing_ok=True)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f'<meta http-equiv="refresh" content="0; url={escaped(address)}">')
    threading.Thread(target=webbrowser.open, args=[Path(name).as_uri()], daemon=True).start()


def connected(edition: str | None) -> "Target":
    """The target of a command. On AWS, say first which account it is."""
    from lottery_lib.target import connect, introduction

    target = connect(edition=edition)
    if target.kind == "aws":
        say(introduction(target))
    return target


def agree(target: "Target", yes: bool, question: str) -> None:
    """Ask before a command changes a real account. Without a terminal, require ``--yes`` instead."""
    if target.kind == "aws" and not yes:
        ask(question)


def ask(question: str) -> None:
    """Ask a person at a terminal.

    Raises:
        LotteryError: The answer is not yes, or there is no terminal.
    """
    if not sys.stdin.isatty():
        what = _("needs a confirmation, and there is no terminal to ask in")
        raise LotteryError(question, what, _("Give --yes"))
    say(_("{question}? [y/N] ", question=question), nl=False)
    # Not click.confirm: it writes a space to stdout, and would ask again after a "maybe".
    if not is_yes(sys.stdin.readline()):
        next_step = _("Nothing was changed; run it again if you are sure")
        raise LotteryError(question, _("was not confirmed"), next_step)


def is_yes(answer: str) -> bool:
    """Whether somebody has typed yes, in English or in their language."""
    return answer.strip().lower() in ("y", "yes", _("yes"))


def _tell(resource: "Report") -> None:
    say(punctuated(", ").join(filter(None, [str(resource), resource.note])))


def rows(resources: "Iterable[Report]") -> list[dict[str, str]]:
    """Resources as JSON has them: ``kind``, ``name``, ``state``."""
    return [{"kind": report.kind, "name": report.name, "state": report.state} for report in resources]


def shown_rows(resources: "Iterable[Report]") -> list[dict[str, str]]:
    """Resources as people read them, in their language."""
    return [
        {key: value if key == "name" else translated(language(), value) for key, value in row.items()}
        for row in rows(resources)
    ]


def records(frame: "pd.DataFrame") -> list[dict[str, object]]:
    """The rows of a table. A missing value is None, because JSON knows no NaN."""
    records: list[dict[str, object]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return records


dry_run_option = click.option("--dry-run", is_flag=True, help=_("Only show what would be done."))
yes_option = click.option("--yes", is_flag=True, help=_("Do not ask before changing an AWS account."))


def stack_of(target: "Target", yes: bool, *, delete: bool = False) -> "Stack":
    """The lottery. On AWS it shows all changes and asks before it makes them."""
    from lottery_lib.stack import Stack

    def announce(plan: "Iterable[Report]") -> None:
        for resource in plan:
            _tell(resource)
        question = (
            _("delete the lottery in account {account}, region {region}", **target.place)
            if delete
            else _("create the lottery in account {account}, region {region}", **target.place)
        )
        agree(target, yes, question)

    return Stack(target, _tell, announce)
