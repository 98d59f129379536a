"""What a cell says that uses a name without a value."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from lottery_course import missing_names, progress

RESTARTED = (
    "has no value in this kernel. Run the first cell of this lesson, then the cells below it, in order."
)


@pytest.fixture
def shell(monkeypatch):
    """A kernel's shell, for lesson 05, whose first cell has not run."""
    monkeypatch.setenv("JPY_SESSION_NAME", "/kit/lessons/05_state_machine.ipynb")
    monkeypatch.setattr(progress, "_BEGUN", [])
    shell = InteractiveShell.instance()
    shell.run_line_magic("colors", "nocolor")
    missing_names.load_ipython_extension(shell)
    yield shell
    InteractiveShell.clear_instance()


def said(shell, cell):
    with capture_output() as captured:
        shell.run_cell(cell)
    return captured.stdout


def test_a_name_of_the_first_cell(shell):
    """After a restart, one sentence says what to run, and nothing of our source is shown."""
    assert said(shell, "# Check: run this cell\ncheck(1)") == f"`check` {RESTARTED}\n"
    assert said(shell, "import json\njson.dumps(target)") == f"`target` {RESTARTED}\n"


def test_any_name_of_a_lesson_that_has_not_begun(shell):
    """Before the first cell has run, the names of the other cells have the same reason."""
    assert said(shell, "states.create_state_machine()") == f"`states` {RESTARTED}\n"


def test_another_name_of_a_lesson_that_has_begun(shell, monkeypatch):
    """After the first cell, the learner gets Python's own error, except for a name of that cell."""
    monkeypatch.setattr(progress, "_BEGUN", ["05"])
    assert "NameError: name 'states' is not defined" in said(shell, "states.create_state_machine()")
    assert said(shell, "check(1)") == f"`check` {RESTARTED}\n"


@pytest.mark.parametrize("notebook", ["/kit/mine.ipynb", "/kit/lessons/03_sns_topic.ipynb"])
def test_another_notebook(shell, monkeypatch, notebook):
    """If this notebook is no lesson, or its lesson does not know the name, Python's own error is shown."""
    monkeypatch.setenv("JPY_SESSION_NAME", notebook)
    for begun in ([], ["05"]):
        monkeypatch.setattr(progress, "_BEGUN", begun)
        assert "NameError: name 'graph_view' is not defined" in said(shell, "graph_view(1)")


def test_a_name_of_the_learner(shell):
    """A name that no lesson has, and a name that is only used too early, have Python's own error."""
    assert "NameError: name 'mistake' is not defined" in said(shell, "mistake")
    assert "UnboundLocalError: " in said(shell, "def f():\n    check\n    check = 1\nf()")


def test_a_fault_of_other_code(shell):
    """Where other code lacks a name that the notebook has, the first cell does not help."""
    cell = "target = 1\nelsewhere = {}\nexec('def f(): target', elsewhere)\nelsewhere['f']()"
    assert "NameError: name 'target' is not defined" in said(shell, cell)


def test_without_a_path_the_lesson_that_has_begun_counts(shell, monkeypatch):
    """Where no front end tells the notebook's path, nothing is said before a lesson has begun."""
    monkeypatch.delenv("JPY_SESSION_NAME")
    assert "NameError: name 'check' is not defined" in said(shell, "check(1)")
    monkeypatch.setattr(progress, "_BEGUN", ["05"])
    assert said(shell, "check(1)") == f"`check` {RESTARTED}\n"


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("true", "Python writes True, with a capital letter."),
        ("false", "Python writes False, with a capital letter."),
        ("null", "Python writes None in place of null."),
    ],
)
def test_a_word_of_javascript(shell, word, sentence):
    """The error shows the line, and below it what Python writes."""
    shown = said(shell, f'state = {{\n    "End": {word},\n}}')
    assert f'----> 2     "End": {word},' in shown
    assert shown.endswith(f"NameError: name '{word}' is not defined\n{sentence}\n")


def test_a_fault_here_hides_no_error(shell, monkeypatch):
    """Whatever goes wrong, the learner sees Python's error, this time and the next."""
    monkeypatch.setattr(missing_names, "code_cells", lambda lesson: 1 / 0)
    for _again in range(2):
        assert "NameError: name 'check' is not defined" in said(shell, "check(1)")


def test_names_of_cells():
    """What cells import, assign and define; not what a function in them does, and not what they only use."""
    sources = (
        "import a.b\nfrom c import d as e\nf = [g for g in e]",
        "def h():\n    i = 1\nfor j in f:\n    print(k := j)\nawait m()",
        "%%writefile n\no = 1",
    )
    cells = [missing_names.Cell(source, 0) for source in sources]
    assert missing_names.names_of(cells) == {"a", "e", "f", "h", "j", "k"}
