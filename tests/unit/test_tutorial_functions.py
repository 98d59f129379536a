"""The tutorial edition's functions alone: their checks, and what no emulator shows of AWS."""

import importlib.util
import json
from decimal import Decimal
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery_lib import plan
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
    """A table with an index of serials. What it answers comes in pages, of which the second is empty.

    Attributes:
        index: What is in the index. DynamoDB changes it a moment after the table.
        queries: How often the index was asked.
    """

    def __init__(self, *items):
        self.items, self.queries = items, 0
        self.index = [item for item in items if isinstance(item.get("lottery_serial"), Decimal)]

    def scan(self, *, ConsistentRead, ProjectionExpression="", ExclusiveStartKey=0):
        assert ConsistentRead
        wanted = ProjectionExpression.split(", ")
        shown = [
            {key: value for key, value in item.items() if wanted == [""] or key in wanted}
            for item in self.items
        ]
        return self._page(shown, ExclusiveStartKey)

    def query(self, *, IndexName, KeyConditionExpression, ExclusiveStartKey=0):
        assert IndexName == plan.SERIAL_INDEX.name
        self.queries += 1
        assert self.queries < 1000, "it does not end"
        key, serial = KeyConditionExpression.get_expression()["values"]
        assert key.name == plan.SERIAL_INDEX.key
        return self._page(
            [item for item in self.index if item["lottery_serial"] == serial], ExclusiveStartKey
        )

    def _page(self, items, number):
        pages = [items[:1], [], items[1:]]
        return {"Items": pages[number]} | ({"LastEvaluatedKey": number + 1} if number < 2 else {})


def person(identity, serial, **more):
    return {"employee_id": str(identity), "employee_name": f"N{identity}", "lottery_serial": serial} | more


@pytest.fixture(scope="module")
def selecting():
    """The function that draws."""
    with patch.dict("os.environ", AWS_DEFAULT_REGION="us-east-1"):
        return loaded("random_select_winners")


def selected(function, number, employees, past=()):
    """The winners of a draw of so many from two tables; `past` are the ids of those who have won before."""
    tables = {
        "Lottery-Employee": employees,
        "Lottery-Winners": Pages(*({"employee_id": each} for each in past)),
    }
    with patch.object(function, "table", lambda name, context: tables[name]):
        answer = function.lambda_handler({"num_of_winners": number}, None)["body"]
    assert answer["num_of_winners"] == number
    json.dumps(answer)  # Lambda writes it
    return answer["winner_details"]


SERIALS = st.lists(st.integers(1, 30).map(Decimal), min_size=1, max_size=12)


@given(SERIALS, st.data())
def test_different_people_are_drawn(selecting, serials, data):
    """Numbers may be missing, large, or held by two: the winners are different, whole, and of the table."""
    employees = Pages(*(person(number, serial) for number, serial in enumerate(serials)))
    past = data.draw(st.sets(st.sampled_from([each["employee_id"] for each in employees.items])))
    number = data.draw(st.integers(1, len(serials) + 2))
    if number > len(serials) - len(past):
        with pytest.raises(selecting.NotEnoughEmployees, match=f"{number} winners .* of {len(serials)} "):
            selected(selecting, number, employees, past)
        return
    drawn = selected(selecting, number, employees, past)
    assert len({each["employee_id"] for each in drawn}) == number
    assert all(each in employees.items for each in drawn)
    assert employees.queries == 3 * number  # a query of three pages for each winner, and no round in vain


@given(SERIALS)
def test_everybody_can_win(selecting, serials):
    """If all are drawn, all win: the eleventh, who comes after a gap, and both who have one number."""
    employees = Pages(*(person(number, serial) for number, serial in enumerate(serials)))
    drawn = selected(selecting, len(serials), employees)
    assert sorted(each["employee_id"] for each in drawn) == sorted(map(str, range(len(serials))))


def test_past_winners_take_part(selecting):
    """The workflow draws again if one of them is drawn; it is an error only if too few others remain."""
    employees = Pages(*(person(number, Decimal(number)) for number in range(1, 5)))
    chance = SimpleNamespace(sample=lambda people, number: people[:number])
    with patch.object(selecting.secrets, "SystemRandom", lambda: chance):
        assert [each["employee_id"] for each in selected(selecting, 2, employees, past=["1"])] == ["1", "2"]


@pytest.mark.parametrize("about", [{}, {"lottery_serial": "3"}])
def test_an_employee_without_a_number_is_an_error(selecting, about):
    """The index does not have this employee, who could never win. The error says who, and what to do."""
    without = {"employee_id": "012", "employee_name": "Sun Bo"} | about
    with pytest.raises(selecting.NoSerial, match=r"The employee 012 has no number .*`lottery employees load"):
        selected(selecting, 1, Pages(person("1", Decimal(1)), without))


@pytest.mark.parametrize("late", [[], [person("2", Decimal(1))]])
def test_an_index_that_is_late_is_an_error(selecting, late):
    """It lacks the one who was drawn, or has only another one with this number. Nobody else wins instead."""
    employees = Pages(person("1", Decimal(1)))
    employees.index = late
    with pytest.raises(selecting.NotInIndex, match=r"the employee 1 with the number 1\. .*: draw again"):
        selected(selecting, 1, employees)


def test_an_item_is_returned_whole(selecting):
    """The scan reads only two attributes. The winner has all of them, and the number as an int."""
    (drawn,) = selected(selecting, 1, Pages(person("1", Decimal(7), department="Sales")))
    assert drawn == person("1", 7, department="Sales")
    assert type(drawn["lottery_serial"]) is int
