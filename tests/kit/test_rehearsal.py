"""The rehearsal runs every notebook and says which fails, without touching anybody's lesson."""

import io
import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from notebooks.minutes import measured_minutes
from tqdm import tqdm

from lottery_course.notebooks import NOTEBOOKS_FOLDER, course_in, rehearse, summary
from lottery_lib import connect
from sfn_emulator import control


class Terminal(io.StringIO):
    def isatty(self):
        return True


def write(folder, name, *sources, prose="# A lesson"):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells.insert(0, nbformat.v4.new_markdown_cell(prose))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / name)


def row(name, *, seconds=1.5, error=None):
    return {"notebook": name, "seconds": seconds, "ok": error is None, "error": error}


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    """A rehearsal of a few small notebooks: its rows by name, and what it wrote without a terminal."""
    folder, stream = tmp_path_factory.mktemp("notebooks"), io.StringIO()
    write(folder, "00_raises.ipynb", "a = 1", "", "# Look\nraise ValueError('no\\nluck')")
    write(folder, "01_kills.ipynb", "import os\nos._exit(9)")
    (folder / "02_half.ipynb").write_text('{"cells": [')
    where = f"Path({str(folder / 'endpoint')!r}).write_text(connect().endpoint)"
    write(folder, "99_clean_up.ipynb", "from pathlib import Path\nfrom lottery_lib import connect", where)
    write(folder, "notes.ipynb", "raise SystemExit")
    states = Path(control.status()["folder"]).parent
    shared, before = connect().endpoint, set(states.iterdir())
    rows = rehearse(stream, folder)
    return SimpleNamespace(
        rows={each["notebook"]: each for each in rows},
        lines=stream.getvalue().splitlines(),
        shared=shared,
        endpoint=(folder / "endpoint").read_text(),
        left=set(states.iterdir()) - before,
    )


def test_rows(rehearsed):
    """One row a notebook, with its seconds; one that fails does not stop the others."""
    bad, good = rehearsed.rows["00_raises.ipynb"], rehearsed.rows["99_clean_up.ipynb"]
    assert (bad["ok"], good["ok"], good["error"]) == (False, True, None)
    assert good["seconds"] > 0


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("00_raises.ipynb", "cell [2] `# Look`: ValueError: no"),
        ("01_kills.ipynb", "cell [1] `import os`: DeadKernelError: Kernel died"),
    ],
)
def test_failing_cell(rehearsed, name, error):
    """A failure names its cell, by the number beside it and its first line, and one line of the error."""
    assert rehearsed.rows[name]["error"] == error


def test_notebook_that_cannot_be_read(rehearsed):
    """A file that is no notebook is a row like any other."""
    assert rehearsed.rows["02_half.ipynb"]["error"].startswith("NotJSONError: ")


def test_own_emulator(rehearsed):
    """The rehearsal's notebooks meet an emulator of their own, which ends with it."""
    assert rehearsed.endpoint != rehearsed.shared == connect().endpoint
    assert control.status(int(rehearsed.endpoint.rsplit(":", 1)[1]))["running"] is False


def test_leaves_no_file(rehearsed):
    """The files of the rehearsal's emulator are gone with it."""
    assert rehearsed.left == set()


def test_a_line_a_notebook(rehearsed):
    """Where there is no terminal, each notebook is one line, and nothing else is written."""
    assert rehearsed.lines == [
        f"{name}: {each['seconds']} s, {each['error'] or 'ok'}" for name, each in rehearsed.rows.items()
    ]


def test_bar(tmp_path, monkeypatch):
    """A terminal shows how many notebooks are done and which one runs."""
    monkeypatch.setenv("LOTTERY_TARGET", "http://127.0.0.1:9")  # then it starts no emulator
    for name in ("00_half.ipynb", "01_half.ipynb"):
        (tmp_path / name).write_text("")
    monkeypatch.setattr("lottery_course.notebooks.tqdm", partial(tqdm, mininterval=0))
    stream = Terminal()
    rehearse(stream, tmp_path)
    assert "1/2" in stream.getvalue()
    assert "01_half.ipynb\r" in stream.getvalue()


def test_summary_of_failures(tmp_path):
    """The summary ends with each failure, and tells how many there are."""
    text = summary([row("00_a.ipynb", error="cell [1] `x`: NameError: x"), row("01_b.ipynb")], tmp_path)
    assert text.splitlines()[-2:] == ["Failed: 1 of 2.", "  00_a.ipynb, cell [1] `x`: NameError: x"]


def test_summary_of_minutes(tmp_path):
    """Beside its seconds stand the minutes that a notebook states, and both are summed up."""
    write(
        tmp_path,
        "00_a.ipynb",
        prose="# A\n\nTeaching 25 minutes, exercises 15 minutes, going further 5 minutes. Mirrors 2.",
    )
    write(tmp_path, "01_b.ipynb", prose="# B\n\nNo word of time.")
    lines = summary([row("00_a.ipynb", seconds=90.0), row("01_b.ipynb", seconds=30.0)], tmp_path).splitlines()
    assert [line.split() for line in lines[1:3]] == [
        ["00_a.ipynb", "90.0", "25", "15", "5", "ok"],
        ["01_b.ipynb", "30.0", "ok"],
    ]
    assert lines[-2:] == [
        "All ran in 2.0 minutes. According to the notebooks, "
        "a class needs 40 minutes, and 5 more to go further.",
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
def test_timetables_leave_enough_time(what):
    """INSTRUCTOR.md gives a part of a lesson the minutes that it takes, and less than ten more."""
    name, parts = re.fullmatch(r"`(\w+)`: (.+)", what).groups()
    minutes = measured_minutes(nbformat.read(NOTEBOOKS_FOLDER / f"{name}.ipynb", as_version=4))
    needed = sum(getattr(minutes, part.removeprefix("going ")) for part in parts.split(", "))
    for _, row, given in ROWS:
        assert row != what or needed <= given < needed + 10, f"{what} takes {needed} minutes"


def test_timetables_add_up():
    """Each row begins when the one before it ends; the timetables take as long as their headings say."""
    ends, clock = [], 0
    for from_, _, minutes in ROWS:
        hours, past = map(int, from_.split(":"))
        if not hours and not past:
            ends.append(clock)
            clock = 0
        assert hours * 60 + past == clock, from_
        clock += minutes
    assert [*ends[1:], clock] == [90, 440, 445, 70, 120, 120]


def test_on_aws_the_first_lesson_does_not_run(monkeypatch):
    """It shows a draw on the emulator; a rehearsal on AWS begins with the lesson on roles."""
    assert [path.name[:2] for path in course_in(NOTEBOOKS_FOLDER)][:2] == ["00", "01"]
    monkeypatch.setenv("LOTTERY_TARGET", "aws")
    assert course_in(NOTEBOOKS_FOLDER)[0].name.startswith("01")
