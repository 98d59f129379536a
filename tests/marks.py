"""Print the expression for `pytest -m` that selects the ``short`` or ``long`` run, or what a run leaves out.

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
    "ministack": MINISTACK.exists(),
    "npm": bool(shutil.which("npm")),
    "root": sys.platform == "linux" and os.geteuid() == 0,
}
RUNS = {"short": "not long and not ministack", "long": "(long or ministack)"}
#: What somebody can install: for which runs, for which tests, and the packages of Debian and Ubuntu.
PROGRAMS = {
    "browser": (("short", "long"), "the tests in a browser (no Chromium)", "chromium fonts-noto-cjk"),
    "npm": (("long",), "the tests of the site, of a hub and of a browser's Python (no npm)", "npm"),
}


def selection(run: str, has: Mapping[str, bool] = HAS, environ: Mapping[str, str] = os.environ) -> str:
    """The expression for a run."""
    return " and ".join([RUNS[run], *(f"not {mark}" for mark in _lacking(has, environ))])


def left_out(run: str, has: Mapping[str, bool] = HAS, environ: Mapping[str, str] = os.environ) -> str:
    """One line: which tests a run leaves out, and which command installs what they need. Empty if none."""
    lacking = [PROGRAMS[mark] for mark in _lacking(has, environ) if run in PROGRAMS.get(mark, ((),))[0]]
    if not lacking:
        return ""
    tests = ", ".join(tests for _, tests, _ in lacking)
    packages = " ".join(packages for _, _, packages in lacking)
    return f"Left out: {tests}. To run them on Debian or Ubuntu, first: sudo apt install {packages}"


def _lacking(has: Mapping[str, bool], environ: Mapping[str, str]) -> list[str]:
    return [] if environ.get("CI") else [mark for mark, there in has.items() if not there]


if __name__ == "__main__":
    print({"select": selection, "left-out": left_out}[sys.argv[1]](sys.argv[2]))
