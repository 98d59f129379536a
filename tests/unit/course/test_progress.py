"""What somebody has solved of the course is kept on this computer."""

import json

import pytest

from lottery_course import lessons, progress
from lottery_course.progress import begin, solved, tell
from lottery_lib.__main__ import main


@pytest.fixture(autouse=True)
def nobody_else_listens(monkeypatch, tmp_path):
    """Another state folder, and no class."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(progress, "ON_CHECK", [progress._keep])
    assert lessons


def test_a_solved_exercise_stays_solved():
    """Neither a later wrong answer nor a new beginning of the lesson takes it away. Only exercises count."""
    begin("05")
    tell("exercise 2", True)
    tell("exercise 2", False)
    tell("exercise 3", False)
    tell("verify", True)
    begin("05")
    tell("exercise 1", True, lesson="06")
    assert solved() == {"05": ["exercise 2"], "06": ["exercise 1"]}


def test_progress(capsys, monkeypatch):
    """A row for each lesson with a mark for each exercise, and how many are solved in all."""
    monkeypatch.setenv("LOTTERY_LANG", "en")
    tell("exercise 2", True, lesson="05")
    assert main(["progress"]) == 0
    *rows, total = capsys.readouterr().out.strip().splitlines()
    (row,) = [row for row in rows if " 05 " in row]
    assert row.startswith("○✓○    05 The state machine")
    assert total.startswith("Solved: 1 of ")
    assert main(["progress", "--json"]) == 0
    (row,) = [row for row in json.loads(capsys.readouterr().out) if row["lesson"] == "05"]
    assert (row["solved"], row["exercises"]) == (1, 3)
