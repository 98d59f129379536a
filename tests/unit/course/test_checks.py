"""What the check of an exercise says."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from lottery_lib.course.checks import Check, Checks, check


def asked(answer, right=lambda given: given == 3, hint="Count the mails"):
    return str(check(answer, right, done="there are three", hint=hint))


def test_a_right_answer_is_done():
    """A right answer gets its reason."""
    assert asked(lambda: 3) == "✓ done: there are three"


def test_a_wrong_answer_is_shown():
    """A wrong answer gets its value in one line, and the hint."""
    assert asked(lambda: 2) == "○ not yet: Count the mails. Your answer is 2."
    assert asked(lambda: "a\n" * 900).count("\n") == 0
    assert len(asked(lambda: "a\n" * 900)) < 150
    assert len(asked(lambda: [["a" * 60] * 6] * 6)) < 300


def test_a_hint_may_look_at_the_answer():
    """A hint may be made of the value; if that fails, there still is an answer."""
    assert asked(lambda: 2, hint=lambda given: f"{given} is too few").startswith("○ not yet: 2 is too few. ")
    assert asked(lambda: 2, hint=lambda given: given["x"]).endswith("Your answer is 2.")


def test_errors_are_told():
    """The real error is told, of the answer and of its check."""
    assert asked(lambda: 1 / 0).endswith("Your answer cannot be read: ZeroDivisionError: division by zero.")
    assert "Run the cell of the exercise" in asked(lambda: nothing)  # noqa: F821
    assert "is 2, and the check of it gave TypeError: " in asked(lambda: 2, lambda given: given["x"])


def test_a_reason_may_stand_in_the_second_line():
    """boto3 names a wrong parameter only in the second line of its error."""

    def call():
        raise ValueError("Parameter validation failed:\nInvalid type for parameter A\nMore")

    assert asked(call).endswith("ValueError: Parameter validation failed: Invalid type for parameter A.")


def test_checks_are_shown_in_colour():
    """In a notebook a check has a badge, and names in it are no HTML."""
    html = Checks([Check("a <b>", True, ""), Check("c", False, "Do it")])._repr_html_()
    assert "✓ done</span> a &lt;b&gt;</div>" in html
    assert html.endswith("○ not yet</span> c. Do it.</div>")
    assert html.count("mathjax_ignore") == 2  # else JupyterLab shows $.a and $.b as mathematics


@pytest.fixture
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_an_old_value_is_not_done(shell):
    """If the attendee's cell ended with an error, its old value does not count, also not the second time."""
    ask = "from lottery_lib import check\ncheck(lambda: x, lambda given: given == 3, done='so', hint='no')"
    shell.run_cell("x = 3")
    assert shell.run_cell(ask).result.done
    shell.run_cell("x = 3; y = 1 / 0")
    for _ in range(2):
        said = shell.run_cell(ask).result
        assert str(said).startswith("○ not yet: Your cell ended with ZeroDivisionError: division by zero. ")
    shell.run_cell("x = 3")
    assert shell.run_cell(ask).result.done
