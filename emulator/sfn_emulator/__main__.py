"""Run the command line: ``python -m sfn_emulator start``."""

import sys

from sfn_emulator.command_line import main

if __name__ == "__main__":
    sys.exit(main())
