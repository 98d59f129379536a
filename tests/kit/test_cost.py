"""What docs/account.md says about costs is what the calls of a run come to."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long("counts a whole run")
ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "account.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def cost():
    spec = importlib.util.spec_from_file_location("cost", ROOT / "benchmarks" / "cost.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["cost"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def measured(cost, tmp_path_factory):
    """A run, counted now."""
    folder = tmp_path_factory.mktemp("cost")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        return cost.measure(folder)


@pytest.fixture(scope="module")
def written():
    return json.loads((ROOT / "benchmarks" / "cost.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("part", ["deploy", "draw", "teardown"])
def test_the_quantities_are_those_of_the_calls(measured, written, part):
    """Of each part of a run; a log tells milliseconds, so its length varies a little."""
    now, then = measured["parts"][part], written["parts"][part]
    assert {**now, "log bytes": 0} == {**then, "log bytes": 0}
    assert now.get("log bytes", 0) == pytest.approx(then.get("log bytes", 0), rel=0.05)


def test_the_dollars_are_those_of_the_quantities(cost, measured, written):
    """Quantities times prices, to a hundredth."""
    dollars = {name: each for name, each in written["dollars"].items() if "lesson" not in name}
    assert cost.summary(measured) == pytest.approx(dollars, rel=0.01)
    lessons = {f"lesson {number}": cost.dollars(each) for number, each in written["lessons"].items()}
    assert written["dollars"] == pytest.approx(dollars | lessons)


def test_a_draw_is_seven_transitions_and_four_calls(measured):
    """By hand: seven states, of which four call a function; one message, to one address."""
    drawn = measured["parts"]["draw"]
    counted = [
        drawn[what] for what in ("state transitions", "Lambda requests", "SNS requests", "SNS e-mails")
    ]
    assert counted == [7, 4, 1, 1]


def test_an_employee_is_written_twice(measured):
    """By hand: ten employees, each in the table and in its index, and two winners in a table without one."""
    parts = measured["parts"]
    assert parts["deploy"]["DynamoDB write request units"] == 20
    assert parts["draw"]["DynamoDB write request units"] == 2


def test_a_winner_costs_half_a_read_more(measured):
    """By hand: two scans, two checks, two looks at the winners, and two queries of an index, half each."""
    assert measured["parts"]["draw"]["DynamoDB read request units"] == 7


def test_functions_take_less_than_is_paid_for(cost, written):
    """A second for each call is more than the emulator needed for it, when `make cost` measured it."""
    assert written["emulator_ms"] < 1000 * cost.SECONDS_A_CALL * written["parts"]["draw"]["Lambda requests"]


def test_the_page_is_of_the_same_figures(cost, written):
    """`cost.md` is what `cost.json` comes to."""
    page = (ROOT / "benchmarks" / "cost.md").read_text(encoding="utf-8")
    assert page == cost.table(written)


def test_the_page_on_accounts_quotes_it(cost, written):
    """A run, a room, a month, a loop and the lessons that make more, and of when the prices are."""
    said = PAGE.partition("**What it costs.**")[2].partition("\n\n")[0]
    dollars = written["dollars"]
    figures = [f"{dollars['run']:.5f}", f"{dollars['room']:.2f}", f"{dollars['loop']:.2f}"]
    figures += [f"{cost.ALARM:.2f}"]
    assert re.findall(r"\$([0-9.]*[0-9])", said) == figures
    assert dollars["month"] < 0.01
    assert max(dollars[f"lesson {number}"] for number in cost.LESSONS) < 0.02
    assert f"prices of {cost.DATE} in {cost.REGION}" in said.replace("\n", " ")


def test_the_checklist_quotes_all_lessons(written):
    """docs/aws.md says what all lessons cost together."""
    page = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    dollars = sum(cost for name, cost in written["dollars"].items() if "lesson" in name)
    assert re.findall(r"all lessons cost \$([0-9.]*[0-9])", page) == [f"{dollars:.2f}"]
