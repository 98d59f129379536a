"""What the check of an exercise says."""

import json
from functools import partial
from unittest.mock import Mock

import pytest
from IPython.core.interactiveshell import InteractiveShell

from lottery_course import checks, missing_names, progress
from lottery_course.cells import Cell, code_cells
from lottery_course.checks import Check, Checks, check, exercises
from lottery_lib.translation import translated


@pytest.fixture(autouse=True)
def shell():
    """A kernel's shell, in which a lesson has begun."""
    shell = InteractiveShell.instance()
    missing_names.load_ipython_extension(shell)
    checks.watch_exercises()
    yield shell
    InteractiveShell.clear_instance()


@pytest.fixture
def lesson(monkeypatch):
    """Lesson 05 has begun, whose first exercise is ``times = None`` here; a call begins another one."""
    made = [Cell(f"# Exercise {number}\ntimes = None  # how often?", number) for number in (1, 2, 3)]
    read = checks.code_cells
    monkeypatch.setattr(
        checks, "code_cells", lambda given, *more: made if given == "05" else read(given, *more)
    )
    checks._exercises.cache_clear()
    monkeypatch.setattr(progress, "_BEGUN", ["05"])
    return lambda number: monkeypatch.setattr(progress, "_BEGUN", [number])


@pytest.fixture
def asked(shell):
    """What the check of exercise 1 says, after its cell has run."""

    def ask(answer, right=lambda given: given == 3, hint="Count the mails", cell="", **options):
        shell.run_cell(f"# Exercise 1\n{cell}")
        return str(check(1, answer, right, done="there are three", hint=hint, **options))

    return ask


def test_a_right_answer_is_done(asked):
    """A right answer gets its reason."""
    assert asked("x", cell="x = 3") == "✓ done: there are three"


def test_a_wrong_answer_is_shown(asked):
    """A wrong answer gets the hint, and its value in one line if this is short."""
    assert asked("x", cell="x = 2") == "○ not yet: Count the mails. Your answer is 2."
    assert asked("x", cell="x = 'a\\n' * 900") == "○ not yet: Count the mails."
    assert asked("x", cell="x = [['a' * 60] * 6] * 6") == "○ not yet: Count the mails."


def test_a_file_that_somebody_edits(asked, lesson, tmp_path):
    """The answer can be what a file holds. Until it differs from what it held at first, nobody has tried."""
    file = tmp_path / "mine.asl.json"

    def right(machine):
        return machine["StartAt"] == "Draw"

    ask = partial(asked, file, right, hint="Begin with Draw", cell="times = None", begun="{}")
    file.write_text("{}\n", encoding="utf-8")
    assert ask().startswith("○ not yet: You have not tried this exercise. ")
    file.write_text('{"StartAt": "Mail"}', encoding="utf-8")
    assert ask() == "○ not yet: Begin with Draw."
    file.write_text('{"StartAt": ', encoding="utf-8")
    assert ask() == (
        "○ not yet: Begin with Draw. Your answer cannot be read: "
        "JSONDecodeError: Expecting value: line 1 column 13 (char 12)."
    )
    file.write_text('{"StartAt": "Draw"}', encoding="utf-8")
    assert ask() == "✓ done: there are three"


def test_a_state_that_somebody_edits(asked, lesson, tmp_path):
    """Several exercises may change one file. Until its own states differ, nobody has tried one of them."""
    file = tmp_path / "mine.asl.json"
    begun = {"Mail": {"Type": "Pass"}}
    ask = partial(asked, file, lambda machine: False, cell="times = None", begun=begun)
    file.write_text(json.dumps({"States": begun | {"Draw": {"Type": "Succeed"}}}), encoding="utf-8")
    assert ask().startswith("○ not yet: You have not tried this exercise. ")
    for states in ({"Mail": {"Type": "Fail"}}, {}, []):
        file.write_text(json.dumps({"States": states}), encoding="utf-8")
        assert ask() == "○ not yet: Count the mails."


UNTOUCHED = "○ not yet: You have not tried this exercise. "


@pytest.mark.parametrize(
    "cell",
    ["times = None  # a whole number", "times = None\n# Execution history\n", "times = (None)  # 几次？"],
)
def test_an_exercise_that_nobody_tried_has_no_hint(asked, lesson, cell):
    """The lesson's own cell, whatever its comments and blank lines, is no answer."""
    assert asked("times", cell=cell).startswith(UNTOUCHED)


@pytest.mark.parametrize("cell", ["times = 2", "times = None\nprint()", "times = []"])
def test_a_cell_that_is_changed_is_tried(asked, lesson, cell):
    """Any other code is an answer, and gets the hint."""
    assert asked("times", cell=cell).startswith("○ not yet: Count the mails. Your answer is ")


def test_a_lesson_that_cannot_be_read(asked, lesson, monkeypatch):
    """Then a check answers as if somebody had tried."""

    def unreadable(*_):
        raise ValueError("no JSON")

    lesson("06")
    checks._exercises.cache_clear()
    monkeypatch.setattr(checks, "code_cells", unreadable)
    assert asked("entered", cell="entered = None").startswith("○ not yet: Count the mails.")


def test_a_cell_that_nobody_changed_may_be_solved_elsewhere(asked, lesson):
    """What AWS has counts, wherever the call was written."""
    assert asked(lambda: 2, cell="times = None").startswith(UNTOUCHED)
    assert asked(lambda: 3, cell="times = None").startswith("✓ done")


def test_the_cell_of_another_language(shell, lesson):
    """Texts in the cell are in the language of the notebook."""
    lesson("03")
    shell.user_ns |= {"inbox": Mock(), "target": None}
    (cell,) = [each for each in code_cells("03", "zh") if each.exercise == 2]
    shell.run_cell(cell.source)
    assert str(check(2, "text", lambda given: False, done="", hint="Count")).startswith(UNTOUCHED)


def test_the_exercises_of_a_lesson(asked, lesson):
    """A solved one stays solved until the lesson begins again; a right answer after a wrong one counts."""

    def listed(without=()):
        return [str(each) for each in exercises("05", without).values()]

    open_one = "○ not yet: you have not tried exercise {} since the first cell of this lesson ran. "
    open_one += "Answer it in its cell, then run its check."
    assert listed() == [open_one.format(number) for number in (1, 2, 3)]
    asked("x", cell="times = None")
    assert listed()[0] == open_one.format(1)
    asked("x", cell="x = 2")
    assert listed()[0] == "○ not yet: exercise 1 is not solved. Run its check: it says what to do."
    asked("x", cell="x = 3")
    asked("x", cell="x = 2")
    assert listed([1, 3]) == ["✓ done: exercise 1", open_one.format(2), "– left out: exercise 3"]
    checks.watch_exercises()
    assert listed() == [open_one.format(number) for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("１２", "12"),
        ("ＦＡＩＬＥＤ", "FAILED"),
        ("ａ，ｂ：ｃ", "a,b:c"),
        ("角色", "role"),
        ({"角色", "日志组"}, {"role", "log group"}),
        (["ｒｏｌｅ", 3], ["role", 3]),
        (("主题",), ("topic",)),
    ],
)
def test_an_answer_may_be_in_the_learners_language(asked, monkeypatch, given, wanted):
    """A word of the page, and full-width letters, digits and signs, are as good as those of the data."""
    monkeypatch.setattr(checks, "in_words", partial(translated, "zh"))
    assert asked("x", lambda value: value == wanted, cell=f"x = {given!r}").startswith("✓ done")


@pytest.mark.parametrize("given", ["{% $n ＞ 1 %}", "f（1）", {"ａ": 1}])
def test_a_program_stays_as_it_is(asked, given):
    """AWS or Python would refuse it with full-width signs, and so does the check."""
    assert asked("x", lambda value: value == given, cell=f"x = {given!r}").startswith("✓ done")


def test_what_aws_has_is_not_your_answer(asked):
    """It is asked for, and not shown."""
    assert asked(lambda: 2) == "○ not yet: Count the mails."
    assert asked(lambda: 3) == "✓ done: there are three"


def test_a_hint_may_look_at_the_answer(asked):
    """A hint may be made of the value; if that fails, there still is an answer."""
    assert asked("x", cell="x = 2", hint=lambda given: f"{given} is too few").startswith(
        "○ not yet: 2 is too few. "
    )
    assert asked("x", cell="x = 2", hint=lambda given: given["x"]).endswith("Your answer is 2.")


def test_errors_are_told(asked):
    """The real error is told, of the answer and of its check."""
    assert asked(lambda: 1 / 0).endswith("Your answer cannot be read: ZeroDivisionError: division by zero.")
    assert "There is no answer yet: nothing has no value. Assign it in the cell" in asked("nothing")
    assert "is 2, and the check of it gave TypeError: " in asked("x", lambda given: given["x"], cell="x = 2")


def test_a_reason_may_stand_in_the_second_line(asked):
    """boto3 names a wrong parameter only in the second line of its error."""

    def call():
        raise ValueError("Parameter validation failed:\nInvalid type for parameter A\nMore")

    assert asked(call).endswith("ValueError: Parameter validation failed: Invalid type for parameter A.")


def test_code_in_a_hint_is_shown_as_code():
    """On a page, no backtick stays."""
    shown = Check("", False, "Run `lottery deploy`, then `a < b`")._repr_html_()
    assert "Run <code>lottery deploy</code>, then <code>a &lt; b</code>" in shown


def test_checks_are_shown_in_colour():
    """In a notebook a check has a badge, and names in it are no HTML."""
    told = Checks([Check("a <b>", True, ""), Check("c", False, "Do it")])
    html = told._repr_html_()
    assert "✓ done</span> a &lt;b&gt;</div>" in html
    assert html.endswith("○ not yet</span> c. Do it.</div>")
    assert html.count("mathjax_ignore") == 2  # else JupyterLab shows $.a and $.b as mathematics
    told.note = "Run `a()`."
    assert told._repr_html_().endswith(">Run <code>a()</code>.</div>")
    assert "#d4f0d9" not in Check("c", True, "", left_out=True)._repr_html_()  # it is not green


def test_the_last_run_of_the_exercises_cell_counts(shell, asked):
    """What other cells assign, and their errors, do not matter."""
    assert asked("x", cell="x = 3").startswith("✓ done")
    for other in "x = 4", "1 / 0", "# Exercise 2\nx = 5":
        shell.run_cell(other)
        assert str(check(1, "x", lambda given: given == 3, done="so", hint="no")) == "✓ done: so"
    shell.run_cell("%%capture\n# Exercise 1\nx = 6")
    assert str(check(1, "x", lambda given: given == 6, done="so", hint="no")) == "✓ done: so"


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("x = 3; y = 1 / 0", "ZeroDivisionError: division by zero. Change it"),
        ("x = 3\ny = )", "SyntaxError: unmatched ')', in line 3. Change it"),
        (
            "x = 3; y = true",
            "NameError: name 'true' is not defined. Python writes True, with a capital letter. Ch",
        ),
    ],
)
def test_an_old_value_is_not_done(shell, asked, cell, error):
    """If the exercise's cell ended with an error, its old value does not count, also not the second time."""
    asked("x", cell="x = 3")
    said = asked("x", cell=cell)
    assert said.startswith(f"○ not yet: Your cell ended with {error}")
    assert str(check(1, "x", lambda given: given == 3, done="so", hint="no")) == said
    assert asked("x", cell="x = 3").startswith("✓ done")


def test_a_cell_that_has_not_run(shell):
    """An answer of another lesson does not count, and neither does one in a cell without the comment."""
    shell.run_cell("# Exercise 1\nx = 3")
    checks.watch_exercises()
    shell.run_cell("x = 3")
    said = str(check(1, "x", lambda given: given == 3, done="so", hint="no"))
    assert said.startswith("○ not yet: You have not run the cell with the comment # Exercise 1. ")


def test_a_cell_without_its_comment(shell, asked):
    """A solution may be put over the whole cell. JupyterLab tells which cell it is; others do not."""
    assert asked("x", cell="x = 2") == "○ not yet: Count the mails. Your answer is 2."
    shell.run_cell("x = 3")
    assert "Your answer is 2." in str(check(1, "x", lambda given: given == 3, done="", hint=""))
    shell.run_cell("# Exercise 1\nx = 2", cell_id="a")
    shell.run_cell("x = 3", cell_id="b")
    assert "Your answer is 2." in str(check(1, "x", lambda given: given == 3, done="", hint=""))
    shell.run_cell("x = 3", cell_id="a")
    assert check(1, "x", lambda given: given == 3, done="", hint="").done
