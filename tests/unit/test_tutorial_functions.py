"""The tutorial edition's functions alone: their checks, and what no emulator shows of AWS."""

import importlib.util
import json
from types import SimpleNamespace

import pytest

from lottery_lib.resources.lambda_function import LAMBDAS_FOLDER


def loaded(name):
    """The module of a function."""
    path = LAMBDAS_FOLDER / name / "lambda_function.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("number", [0, -3, "2", 2.5, True, None, [2], {"a": 1}])
def test_bad_number(number):
    """What is no whole number of at least 1 is refused, and shown."""
    function = loaded("input_winners")
    with pytest.raises(function.InvalidInput) as caught:
        function.lambda_handler({"input": number}, None)
    said = f'"input" must be a whole number of at least 1, not {json.dumps(number)}.'
    assert str(caught.value) == said


@pytest.mark.parametrize("event", [{}, [], "2", 3, None])
def test_missing_input(event):
    """An input without the key is refused, with what it must look like."""
    function = loaded("input_winners")
    with pytest.raises(function.InvalidInput, match=r'{"input": 2}'):
        function.lambda_handler(event, None)


class Pages:
    """A table whose scan comes in three pages, of which the second is empty."""

    def __init__(self, *items):
        self._pages = [items[:1], (), items[1:]]

    def scan(self, ConsistentRead, ExclusiveStartKey=0):
        assert ConsistentRead
        more = {"LastEvaluatedKey": ExclusiveStartKey + 1} if ExclusiveStartKey < 2 else {}
        return {"Items": self._pages[ExclusiveStartKey]} | more


def test_the_whole_table_is_drawn_from(monkeypatch):
    """Employees and winners come in pages, and one in the middle may be empty though more follow."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    function = loaded("random_select_winners")
    people = [{"employee_id": str(number)} for number in range(5)]
    tables = {"Lottery-Employee": Pages(*people), "Lottery-Winners": Pages(*people[:2])}
    monkeypatch.setattr(function, "table", lambda name, context: tables[name])
    drawn = function.lambda_handler({"num_of_winners": 3}, SimpleNamespace())["body"]["winner_details"]
    assert len({each["employee_id"] for each in drawn}) == 3
    assert {each["employee_id"] for each in function.items(Pages(*people))} == set("01234")
