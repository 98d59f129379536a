"""The command ``sfn-emulator``: start, stop and look at an emulator."""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Any, NoReturn

from sfn_emulator import control
from sfn_emulator.errors import EmulatorError
from sfn_emulator.running import Emulator
from sfn_emulator.translation import _


def main(words: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        words: The command line without the program's name. Default: that of this process.

    Returns:
        The exit status: 0 if the command did its job, 130 after Ctrl-C, else 1.
    """
    words = sys.argv[1:] if words is None else words
    try:
        arguments = _parser().parse_args(words)
        shown = _run(arguments)
    except (EmulatorError, KeyboardInterrupt) as error:
        cause = str(error) or _("Interrupted.")
        print(cause, file=sys.stderr)
        if "--json" in words:
            print(json.dumps({"error": type(error).__name__, "cause": cause}))
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    print(shown)
    return 0


def _run(arguments: argparse.Namespace) -> str:
    """Do what a command says; returns what it prints at its end."""
    port: int | None = arguments.port
    ended = arguments.command == "start"  # in the foreground
    if arguments.command == "stop":
        ended = control.status(port)["running"]
        state = control.stop(port)
    elif arguments.command == "status":
        state = control.status(port)
    else:
        state = control.start(
            port,
            foreground=arguments.foreground,
            allowed_hosts=arguments.allow_host,
            ready=lambda: None if arguments.json else print(_told(control.status(port), port), flush=True),
        )
    return json.dumps(state) if arguments.json else _told(state, port, ended=ended)


def _told(state: dict[str, Any], port: int | None, *, ended: bool = False) -> str:
    """What a person reads about an emulator."""
    if not state["running"] and ended:
        return _("The emulator is stopped. Its data is lost.")
    if not state["running"]:
        return _("No emulator runs at port {port}.", port=port) if port else _("No emulator runs.")
    emulator = Emulator(state["endpoint"], state["access_key_id"])
    given = ", ".join(f'{name}="{value}"' for name, value in emulator.client_arguments.items())
    settings = [f"{name}={value}" for name, value in emulator.variables.items()]
    return "\n".join(
        [
            _("The emulator runs at {endpoint}", endpoint=emulator.endpoint),
            _("Its access key: {key}", key=emulator.access_key_id),
            _("Its mails (the link works once): {link}", link=emulator.mailbox()),
            "",
            _("For boto3:"),
            f'  boto3.client("stepfunctions", {given})',
            _("For `aws`, and for boto3 without arguments, in this terminal:"),
            f"  export {' '.join(settings[:2])}",
            f"  export {' '.join(settings[2:4])}",
            f'  export AWS_ACCESS_KEY_ID="$(cat {shlex.quote(state["access_key_file"])})"',
        ]
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say in one sentence what is wrong."""
        next_step = _("See `{command}`", command=f"{self.prog} --help")
        raise EmulatorError(_("command line"), message, next_step)


def _parser() -> argparse.ArgumentParser:
    what = _("AWS Step Functions, and what state machines call, on this machine.")
    parser = _Parser(prog="sfn-emulator", description=what, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=metadata.version("sfn-emulator"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    helps = {
        "start": _("Start the emulator, if it does not run already."),
        "stop": _("Stop the emulator. Its data is lost."),
        "status": _("Show whether the emulator runs, and how to reach it."),
    }
    for name, text in helps.items():
        command = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        port = _("An emulator of its own at this port, instead of the shared one.")
        command.add_argument("--port", type=int, metavar="N", help=port)
        command.add_argument("--json", action="store_true", help=_("Print one JSON document on stdout."))
        if name == "start":
            foreground = _("Run in this process until a signal.")
            command.add_argument("--foreground", action="store_true", help=foreground)
            host = _("A proxy's name for the emulator; can be given again.")
            command.add_argument("--allow-host", action="append", default=[], metavar="NAME", help=host)
    return parser
