"""The tutorial edition's functions, where no emulator shows what AWS does."""

import importlib.util
from types import SimpleNamespace

from lottery_lib.resources.lambda_function import LAMBDAS_FOLDER


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
    path = LAMBDAS_FOLDER / "random_select_winners" / "lambda_function.py"
    spec = importlib.util.spec_from_file_location("random_select_winners", path)
    function = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(function)
    people = [{"employee_id": str(number)} for number in range(5)]
    tables = {"Lottery-Employee": Pages(*people), "Lottery-Winners": Pages(*people[:2])}
    monkeypatch.setattr(function, "table", lambda name, context: tables[name])
    drawn = function.lambda_handler({"num_of_winners": 3}, SimpleNamespace())["body"]["winner_details"]
    assert len({each["employee_id"] for each in drawn}) == 3
    assert {each["employee_id"] for each in function.items(Pages(*people))} == set("01234")
