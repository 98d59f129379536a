"""Cells on AWS run again where AWS was not ready yet."""

from types import SimpleNamespace

import pytest
from aws.kernel import Kernel

from lottery_course.checks import Check, Checks


@pytest.fixture
def shell():
    """A shell whose cells are Python expressions of a few functions; `ran` is what it was given."""
    seen = {"draws": 0}

    def run(source):
        if source:
            run.ran.append(source)
        result, error = None, None
        try:
            result = eval(source or "None", {"seen": seen, "draw": draw, "read": read, "checks": checks})
        except Exception as raised:
            error = raised
        return [{"text": str(result)}], SimpleNamespace(
            result=result, error_before_exec=None, error_in_exec=error
        )

    def draw():
        seen["draws"] += 1

    def read(wanted):
        if seen["draws"] < wanted:
            raise LookupError(f"{seen['draws']} draws")

    def checks(wanted):
        done = Check("a draw", seen["draws"] >= wanted, "Draw again")
        return Checks([Check("a machine", True, ""), done])

    run.ran = []
    return run


def kernel_of(shell, **options):
    return Kernel(shell, **{"patience": 5, "pause": 0, "limit": 2} | options)


def test_what_is_right_runs_once(shell):
    """Nothing is repeated where nothing is wrong."""
    kernel = kernel_of(shell)
    kernel.run("a", "draw()")
    kernel.run("b", "read(1)")
    assert shell.ran == ["draw()", "read(1)"]
    assert kernel.again == []


def test_each_attempt_goes_back_by_one_cell(shell):
    """A cell that fails runs again alone, then with the cell before it, then with the two before."""
    kernel = kernel_of(shell)
    for cell in ("draw()", "seen", "read(2)"):
        kernel.run("name", cell)
    assert shell.ran == ["draw()", "seen", *["read(2)"] * 2, "seen", "read(2)", "draw()", "seen", "read(2)"]
    assert kernel.again == ["name: LookupError: 1 draws"] * 3


def test_a_check_that_is_not_done_is_wrong(shell):
    """A check that AWS cannot answer yet is asked again, and its open points are told."""
    kernel = kernel_of(shell)
    kernel.run("a", "draw()")
    kernel.run("b", "checks(2)")
    assert kernel.again == ["b: ○ not yet: a draw. Draw again."] * 2


def test_a_missing_status_is_wrong(shell):
    """A cell whose stored output has a status shows it, too; other words may differ."""
    kernel = kernel_of(shell)
    kernel.run("a", "draw()")
    kernel.run(
        "b", "'SUCCEEDED' if seen['draws'] > 1 else 'FAILED'", [{"data": {"text/plain": "SUCCEEDED, 2"}}]
    )
    assert kernel.again == ["b: it does not show SUCCEEDED"] * 2


def test_patience_ends(shell):
    """What stays wrong fails, with all that was seen."""
    with pytest.raises(AssertionError, match="a: LookupError: 0 draws"):
        kernel_of(shell, patience=0).run("a", "read(1)")


def test_a_cell_that_does_not_end_is_ended(shell):
    """A loop that waits for what does not come ends at the limit, and says so."""
    kernel = kernel_of(shell, patience=0, limit=1)
    with pytest.raises(AssertionError, match="TimeoutError: it did not end in 1 s"):
        kernel.run("a", "__import__('time').sleep(20)")


def test_what_may_raise(shell):
    """Only the cells that are named may raise."""
    kernel = kernel_of(shell, may_raise=["a"])
    kernel.run("a", "read(1)")
    assert kernel.again == []
