"""Run a file of settings, as JupyterLab does that `make lab` has started at a terminal."""

import os
import runpy
import sys
from unittest.mock import MagicMock

if __name__ == "__main__":
    os.environ["LOTTERY_LAB_PID"] = str(os.getpid())
    sys.stdin.isatty = lambda: True
    runpy.run_path(sys.argv[1], {"get_config": MagicMock()})
