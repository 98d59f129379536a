"""Print the expression for `pytest -m` that selects the ``short`` or the ``long`` run.

What this machine lacks is deselected, but never in CI.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

MINISTACK = Path(sys.prefix, "ministack", "bin", "ministack")
HAS = {
    "browser": bool(shutil.which("chromium") or shutil.which("google-chrome")),
    "hub": sys.platform == "linux" and os.geteuid() == 0 and bool(shutil.which("npm")),
    "ministack": MINISTACK.exists(),
    "root": hasattr(os, "geteuid") and os.geteuid() == 0,
}
RUNS = {"short": "not long and not ministack", "long": "(long or ministack)"}


def selection(run: str, environ: Mapping[str, str] = os.environ) -> str:
    """The expression for a run."""
    lacking = [] if environ.get("CI") else [mark for mark, there in HAS.items() if not there]
    return " and ".join([RUNS[run], *(f"not {mark}" for mark in lacking)])


if __name__ == "__main__":
    print(selection(sys.argv[1]))
