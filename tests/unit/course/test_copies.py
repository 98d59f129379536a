"""Learners work in their own copies of the notebooks, and nothing that they wrote is lost."""

import json

import pytest

from lottery_course.copies import copy_notebooks
from lottery_lib.errors import LotteryError


def notebook(*sources, kernel="python3"):
    cells = [
        {
            "cell_type": "code",
            "source": [source],
            "execution_count": 3,
            "outputs": ["2"],
            "metadata": {"tags": []},
        }
        for source in sources
    ]
    text = {"cell_type": "markdown", "source": "# A lesson", "metadata": {}}
    return {"cells": [text, *cells], "metadata": {"kernelspec": kernel}, "nbformat": 4}


class Course:
    """A folder of notebooks, and one of copies."""

    def __init__(self, folder):
        self.source, self.work = folder / "notebooks", folder / "work"
        for name in ("01_role", "05_machine", "zh/05_machine", ".ipynb_checkpoints/05_machine-checkpoint"):
            self.write(self.source / f"{name}.ipynb", notebook("1 + 1"))

    def write(self, path, document):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document), encoding="utf-8")

    def copy(self, fresh=""):
        return copy_notebooks(fresh, source=self.source, work=self.work)

    def read(self, name):
        return json.loads((self.work / f"{name}.ipynb").read_text(encoding="utf-8"))

    def change(self, name, **fields):
        """What a learner does: write into a copy."""
        document = self.read(name)
        document["cells"][1] |= fields
        self.write(self.work / f"{name}.ipynb", document)


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path)


def test_copies_are_made_once(course):
    """One for each notebook in each language, and none of what JupyterLab keeps."""
    names = ["01_role.ipynb", "05_machine.ipynb", "zh/05_machine.ipynb"]
    assert course.copy() == (str(course.work), names, [], {})
    assert course.copy() == (str(course.work), [], [], {})
    assert sorted(path.relative_to(course.work).as_posix() for path in course.work.rglob("*.ipynb")) == names


def test_no_cell_of_a_copy_looks_as_if_it_had_run(course):
    """Its cells, their tags and the kernel are those of the notebook."""
    course.copy()
    text, code = course.read("01_role")["cells"]
    assert text == notebook()["cells"][0]
    assert code == notebook("1 + 1")["cells"][1] | {"outputs": [], "execution_count": None}
    assert course.read("01_role")["metadata"]["kernelspec"] == "python3"


def test_a_changed_copy_stays(course):
    """Also if the course has a newer notebook. This is said, and only if its cells have changed."""
    course.copy()
    course.change("05_machine", source="mine")
    assert course.copy().newer == []
    course.write(course.source / "01_role.ipynb", notebook("1 + 1", kernel="other"))
    assert course.copy().newer == []
    course.write(course.source / "05_machine.ipynb", notebook("2 + 2"))
    assert course.copy() == (str(course.work), [], ["05_machine.ipynb"], {})
    assert course.read("05_machine")["cells"][1]["source"] == "mine"


def test_a_fresh_copy_keeps_what_was_written(course):
    """In a file beside it; a second one gets another name."""
    course.copy()
    for number, mine in ("", "one"), ("2", "two"):
        course.change("05_machine", source=mine)
        assert course.copy("05").kept == {"05_machine.ipynb": f"05_machine.old{number}.ipynb"}
        assert course.read("05_machine")["cells"][1]["source"] == ["1 + 1"]
        assert course.read(f"05_machine.old{number}")["cells"][1]["source"] == mine


def test_a_fresh_copy_of_what_nobody_changed(course):
    """To run a copy changes its outputs only. Nothing is kept of it."""
    course.copy()
    course.change("05_machine", outputs=["2"], execution_count=1)
    assert course.copy("05").kept == {}
    assert course.read("05_machine")["cells"][1]["outputs"] == []


def test_a_notebook_that_is_not_there(course):
    """The error names those that there are."""
    with pytest.raises(LotteryError, match=r"none begins with 77\. There are 01_role, 05_machine"):
        course.copy("77")


@pytest.mark.parametrize("text", ["", "[]", '{"metadata": {}}'])
def test_a_copy_that_is_no_notebook(course, text):
    """It is no reason to fail. A fresh copy keeps it."""
    course.copy()
    (course.work / "01_role.ipynb").write_text(text)
    assert course.copy().newer == ["01_role.ipynb"]
    assert course.copy("01").kept == {"01_role.ipynb": "01_role.old.ipynb"}
    assert course.copy() == (str(course.work), [], [], {})
