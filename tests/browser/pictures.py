"""Make the pictures of the README and the docs from real draws in a real browser: ``make pictures``."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"

if __name__ == "__main__":
    tests = ["test_panel.py::test_a_draw_moves", "test_draw_night.py::test_whole_evening"]
    command = [sys.executable, "-m", "pytest", "-m", "browser", *(f"tests/browser/{test}" for test in tests)]
    with tempfile.TemporaryDirectory() as made:
        variables = os.environ | {"LOTTERY_PICTURES": made}
        status = subprocess.run(command, env=variables, check=False).returncode
        for picture in FOLDER.iterdir():  # the tests make others, too
            if Path(made, picture.name).exists():
                shutil.copy(Path(made, picture.name), picture)
    sys.exit(status)
