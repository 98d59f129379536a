"""The command ``sfn-emulator``: start, stop and look at an emulator."""

import argparse
import json
import sys
from typing import Any

from sfn_emulator import control
from sfn_emulator.errors import EmulatorError


def main(words: list[str] | None = None) -> int:
    """Run one command.

    Args:
        words: The command line without the program's name. Default: that of this process.

    Returns:
        The exit status: 0 if the command did its job.
    """
    arguments = _parser().parse_args(words)
    try:
        state = _run(arguments)
    except EmulatorError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(state) if arguments.json else _told(state))
    # An emulator in the foreground has ended when the command ends.
    ends = arguments.command == "stop" or (arguments.command == "start" and arguments.foreground)
    return int(state["running"] is ends)


def _run(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.command == "start":
        return control.start(
            arguments.port, foreground=arguments.foreground, allowed_hosts=arguments.allow_host
        )
    return control.stop(arguments.port) if arguments.command == "stop" else control.status(arguments.port)


def _told(state: dict[str, Any]) -> str:
    return f"{state['endpoint']} {state['access_key_id']}" if state["running"] else "No emulator runs."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sfn-emulator", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("start", "stop", "status"):
        command = commands.add_parser(name)
        command.add_argument("--port", type=int, help="an emulator of its own at this port")
        command.add_argument("--json", action="store_true", help="print one JSON document")
        if name == "start":
            command.add_argument("--foreground", action="store_true", help="run in this process")
            command.add_argument("--allow-host", action="append", default=[], metavar="NAME")
    return parser
