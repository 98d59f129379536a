"""What a lesson shows does not depend on who is drawn. It is long: four lessons run once more."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long
KIT = Path(__file__).resolve().parents[2]
LESSONS = ("06_run_a_draw", "07_results", "08_when_things_fail", "99_clean_up")
FAIR = "drawn = secrets.SystemRandom().sample(employees, number)\n"
# Who has won already is drawn again at every other call, so a draw begins with a round in vain.
UNLUCKY = f"""global calls
    calls = globals().get("calls", 0) + 1
    {FAIR}    if calls % 2:
        drawn = sorted(employees, key=lambda each: each["employee_id"] not in winners)[:number]
"""
NBVAL = ("--nbval", "--nbval-current-env", "--nbval-sanitize-with=tests/nbval_sanitize.cfg")


def unlucky_kit(folder):
    """The kit once more, with a second state that has no luck."""
    for name in ("asl", "data", "lambdas", "lottery_lib", "notebooks", "tests"):
        shutil.copytree(KIT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(KIT / "pyproject.toml", folder)
    drawing = folder / "lambdas" / "random_select_winners" / "lambda_function.py"
    code = drawing.read_text(encoding="utf-8")
    assert FAIR in code
    drawing.write_text(code.replace(FAIR, UNLUCKY), encoding="utf-8")


def test_a_round_in_vain_changes_no_output(tmp_path):
    """Where it could matter, a lesson empties the table of winners before it draws."""
    unlucky_kit(tmp_path)
    lessons = [f"notebooks/{name}.ipynb" for name in LESSONS]
    # An emulator of their own has the time of the machine, as under nbval, and ends with this process.
    own = {name: text for name, text in os.environ.items() if name != "LOTTERY_EMULATOR_CLOCK"}
    own |= {"PYTHONPATH": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "LOTTERY_LAB_PID": str(os.getpid())}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *NBVAL, *lessons],
        cwd=tmp_path,
        env=own,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stdout
