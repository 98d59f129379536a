"""The rehearsal runs every notebook and says which fails, without touching anybody's lesson."""

import io
import re
from pathlib import Path

import nbformat
import pytest

from lottery_lib import connect
from lottery_lib.course.notebooks import NOTEBOOKS_FOLDER, rehearse, summary
from lottery_lib.emulator.process import control


class Terminal(io.StringIO):
    def isatty(self):
        return True


def write(folder, name, *sources, prose="# A lesson"):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells.insert(0, nbformat.v4.new_markdown_cell(prose))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / name)


def row(name, *, seconds=1.5, error=None):
    return {"notebook": name, "seconds": seconds, "ok": error is None, "error": error}


def test_rows(tmp_path):
    """One row a notebook, with its seconds; one that fails does not stop the others."""
    write(tmp_path, "00_bad.ipynb", "raise ValueError('no luck')")
    write(tmp_path, "01_good.ipynb", "1 + 1")
    write(tmp_path, "notes.ipynb", "raise SystemExit")
    bad, good = rehearse(folder=tmp_path)
    assert (bad["notebook"], bad["ok"]) == ("00_bad.ipynb", False)
    assert (good["notebook"], good["ok"], good["error"]) == ("01_good.ipynb", True, None)
    assert good["seconds"] > 0


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("# Look\nraise ValueError('no\\nluck')", "cell [2] `# Look`: ValueError: no"),
        ("import os\nos._exit(9)", "cell [2] `import os`: DeadKernelError: Kernel died"),
    ],
    ids=["raises", "kills its kernel"],
)
def test_failing_cell(tmp_path, source, error):
    """A failure names its cell, by the number beside it and its first line, and one line of the error."""
    write(tmp_path, "00_bad.ipynb", "a = 1", "", source)
    assert rehearse(folder=tmp_path)[0]["error"] == error


def test_notebook_that_cannot_be_read(tmp_path):
    """A file that is no notebook is a row like any other."""
    (tmp_path / "00_half.ipynb").write_text('{"cells": [')
    (half,) = rehearse(folder=tmp_path)
    assert half["error"].startswith("NotJSONError: ")


def test_draw_night(tmp_path):
    """The view for the company's real draw is rehearsed too, before the lesson that removes the lottery."""
    for name in ("07_results.ipynb", "draw_night.ipynb", "99_clean_up.ipynb"):
        write(tmp_path, name, "1")
    names = [each["notebook"] for each in rehearse(folder=tmp_path)]
    assert names == ["07_results.ipynb", "draw_night.ipynb", "99_clean_up.ipynb"]


def test_own_emulator(tmp_path):
    """The rehearsal's notebooks meet an emulator of their own, which ends with it."""
    shared = connect().endpoint
    other = tmp_path / "endpoint"
    write(
        tmp_path,
        "00_where.ipynb",
        "from pathlib import Path\nfrom lottery_lib import connect",
        f"Path({str(other)!r}).write_text(connect().endpoint)",
    )
    assert rehearse(folder=tmp_path)[0]["ok"]
    assert other.read_text() != shared
    assert control.status(int(other.read_text().rsplit(":", 1)[1]))["running"] is False
    assert connect().endpoint == shared


def test_leaves_no_file(tmp_path):
    """The files of the rehearsal's emulator are gone with it."""
    connect()
    folder = Path(control.status()["folder"]).parent
    before = set(folder.iterdir())
    write(tmp_path, "00_where.ipynb", "1")
    rehearse(folder=tmp_path)
    assert set(folder.iterdir()) == before


def test_a_line_a_notebook(tmp_path):
    """Where there is no terminal, each notebook is one line, and nothing else is written."""
    write(tmp_path, "00_bad.ipynb", "1 / 0")
    stream = io.StringIO()
    seconds = rehearse(stream, tmp_path)[0]["seconds"]
    assert stream.getvalue() == (
        f"00_bad.ipynb: {seconds} s, cell [1] `1 / 0`: ZeroDivisionError: division by zero\n"
    )


def test_bar(tmp_path):
    """A terminal shows how many notebooks are done and which one runs."""
    write(tmp_path, "00_good.ipynb", "1")
    write(tmp_path, "01_good.ipynb", "1")
    stream = Terminal()
    rehearse(stream, tmp_path)
    assert "1/2" in stream.getvalue()
    assert "01_good.ipynb\r" in stream.getvalue()


def test_summary_of_failures(tmp_path):
    """The summary ends with each failure, and tells how many there are."""
    text = summary([row("00_a.ipynb", error="cell [1] `x`: NameError: x"), row("01_b.ipynb")], tmp_path)
    assert text.splitlines()[-2:] == ["Failed: 1 of 2.", "  00_a.ipynb, cell [1] `x`: NameError: x"]


def test_summary_of_minutes(tmp_path):
    """Beside its seconds stand the minutes that a notebook states, and both are summed up."""
    write(tmp_path, "00_a.ipynb", prose="# A\n\nTeaching 25 minutes, exercises 15 minutes. Mirrors 2.")
    write(tmp_path, "01_b.ipynb", prose="# B\n\nNo word of time.")
    lines = summary([row("00_a.ipynb", seconds=90.0), row("01_b.ipynb", seconds=30.0)], tmp_path).splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["00_a.ipynb", "90.0", "25", "15", "ok"],
        ["01_b.ipynb", "30.0", "ok"],
        ["all", "120.0", "25", "15"],
    ]
    assert lines[-3:] == [
        "Slowest: 00_a.ipynb, 90.0 s.",
        "All ran in 2.0 minutes. By what the notebooks state, a class needs 40 minutes.",
        "All 2 ran without an error.",
    ]


def test_summary_of_nothing(tmp_path):
    """A folder without notebooks is said, not divided by."""
    assert "There is no notebook to run." in summary([], tmp_path)


TIMETABLES = (NOTEBOOKS_FOLDER.parent / "INSTRUCTOR.md").read_text(encoding="utf-8")
ROWS = [
    (from_, what, int(minutes))
    for from_, what, minutes in re.findall(r"^\| (\d+:\d\d) \| (.+) \| (\d+) \|$", TIMETABLES, re.MULTILINE)
]


@pytest.mark.parametrize("what", sorted({what for _, what, _ in ROWS if re.match(r"`\d\d_\w+`: ", what)}))
def test_timetables_state_the_minutes_of_the_notebooks(what):
    """INSTRUCTOR.md gives a notebook the minutes that it states itself, and an exercise a third of them."""
    name, parts = re.fullmatch(r"`(\w+)`: (.+)", what).groups()
    first = nbformat.read(NOTEBOOKS_FOLDER / f"{name}.ipynb", as_version=4).cells[0].source
    teaching, exercises = map(int, re.search(r"Teaching (\d+) minutes, exercises (\d+)", first).groups())
    needed = {
        "teaching": teaching,
        "teaching, exercises": teaching + exercises,
        "exercise 3": exercises // 3,
    }[parts]
    assert {minutes for _, row, minutes in ROWS if row == what} == {needed}


def test_timetables_add_up():
    """Each row begins when the one before it ends; the timetables take 90 minutes, half a day, two hours."""
    ends, clock = [], 0
    for from_, _, minutes in ROWS:
        hours, past = map(int, from_.split(":"))
        if not hours and not past:
            ends.append(clock)
            clock = 0
        assert hours * 60 + past == clock, from_
        clock += minutes
    assert [*ends[1:], clock] == [90, 240, 120]
