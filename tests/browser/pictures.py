"""Make the pictures of the README and the docs from real draws in a real browser: ``make pictures``."""

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"

if __name__ == "__main__":
    tests = ["test_panel.py::test_a_draw_moves", "test_draw_night.py::test_whole_evening"]
    command = [sys.executable, "-m", "pytest", "-m", "browser", *(f"tests/browser/{test}" for test in tests)]
    sys.exit(
        subprocess.run(command, env=os.environ | {"LOTTERY_PICTURES": str(FOLDER)}, check=False).returncode
    )
