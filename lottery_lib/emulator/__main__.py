"""Run an emulator in this process: ``python -m lottery_lib.emulator``."""

import argparse
import os
import sys

from lottery_lib.emulator.process.environment import execute_cleanly
from lottery_lib.emulator.process.errors import EmulatorError
from lottery_lib.emulator.process.server import run


def main() -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m lottery_lib.emulator", description=__doc__)
    parser.add_argument(
        "--port", type=int, help="an emulator of its own at this port; default: the shared one"
    )
    parser.add_argument("--while-pid", type=int, help="end when this process ends")
    parser.add_argument("--idle-hours", type=float, default=8.0, help="end after so long without a request")
    allow = "a proxy's name, which may stand in the header Host; can be given again"
    parser.add_argument("--allow-host", action="append", default=[], metavar="NAME", help=allow)
    arguments = parser.parse_args()
    execute_cleanly()
    try:
        return run(arguments.port, arguments.while_pid, arguments.allow_host, arguments.idle_hours)
    except EmulatorError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    # Do not wait for threads that still import or serve, because no data is kept.
    os._exit(status)
