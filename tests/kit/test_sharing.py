"""Notebooks and terminals of a machine share one lottery, and say so when another one has reset it."""

import subprocess
import sys

from notebooks import cells

OPENING = """
from lottery_course import restore
from lottery_lib import connect
target = connect()
restore(target, "02")
"""


def told(capsys, run, source):
    """What the notebook prints after a cell."""
    run(source)
    return capsys.readouterr().out


def test_a_reset_elsewhere_is_told_after_each_cell(tmp_path, monkeypatch, capsys):
    """After a teardown in a terminal, each cell says who did it, until the first cell runs again."""
    with cells.shell(tmp_path, monkeypatch) as run:
        assert told(capsys, run, OPENING) == told(capsys, run, "1 + 1") == ""
        terminal = [sys.executable, "-m", "lottery_lib", "teardown", "--yes", "--json"]
        subprocess.run(terminal, check=True, capture_output=True)
        for source in ("1 + 1", "target.client('iam').get_role(RoleName='LotteryLambdaRole')"):
            said = told(capsys, run, source)
            assert "`lottery teardown` has reset this lottery at " in said
            assert "run the first cell of this notebook again." in said
        assert told(capsys, run, OPENING) == told(capsys, run, "1 + 1") == ""


def test_another_lesson_is_told_by_its_number(tmp_path, monkeypatch, capsys):
    """A notebook that restores another lesson is told, too."""
    with cells.shell(tmp_path, monkeypatch) as run:
        run(OPENING)
        other = OPENING.replace("02", "03")
        subprocess.run([sys.executable, "-c", other], check=True, capture_output=True)
        assert "lesson 03 has reset this lottery at " in told(capsys, run, "1 + 1")
