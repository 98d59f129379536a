"""Print the marks that can run here: what this machine lacks is deselected, but never in CI."""

import os
import shutil
import sys
from pathlib import Path

MINISTACK = Path(sys.prefix, "ministack", "bin", "ministack")
HAS = {
    "browser": bool(shutil.which("chromium") or shutil.which("google-chrome")),
    "ministack": MINISTACK.exists(),
}


def selection(environ=os.environ) -> str:
    """An expression for `pytest -m`; empty if nothing is lacking."""
    return (
        "" if environ.get("CI") else " and ".join(f"not {mark}" for mark, there in HAS.items() if not there)
    )


if __name__ == "__main__":
    print(selection())
