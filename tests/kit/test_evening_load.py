"""An evening with 10,000 guests and a prize of 450: it ends, its file is whole, and its receipts hold."""

import pytest
from helpers import wait_until

from lottery_lib import winners
from lottery_lib.employees import Roster
from lottery_lib.resources.contents import load_employees
from lottery_party import evening_file
from lottery_party.checker import check_receipts
from lottery_party.evening import Evening
from lottery_party.records import receipts

GUESTS, WINNERS, ABSENT = 10_000, 450, 30


@pytest.mark.long
def test_many_guests_and_winners(hardened, tmp_path):
    """Of 450 winners, thirty are absent: only their places are drawn again, and everybody wins once.

    It is long: the evenings of three hundred guests in `test_evening_file` go through the same code.
    """
    guests = [{"employee_id": f"{number:05}", "employee_name": f"Guest {number}"} for number in range(GUESTS)]
    load_employees(hardened, Roster(guests))
    evening = Evening(hardened, "load", file=tmp_path / "load.evening.json")
    evening.announce([{"name": "Mug", "count": WINNERS}], question="Call five numbers")
    evening.give("3 14 15 92 65")
    evening.draw(1)
    first = when(evening, "roll call").prizes[0].winners
    evening.call_roll(1, [each.id for each in first[:ABSENT]])
    wait_until(lambda: len(evening.refresh().prizes[0].winners) == WINNERS)
    second = when(evening, "roll call").prizes[0].winners
    assert second[: WINNERS - ABSENT] == first[ABSENT:]
    evening.call_roll(1, [])
    when(evening, "ready")
    evening.close()
    assert len({each.id for each in [*first, *second]}) == WINNERS + ABSENT == len(winners(hardened))
    checked = check_receipts(receipts(hardened, "load"))
    assert [each for each in checked.problems if "Draw load" in each] == []
    evening.refresh()
    assert evening_file.lacking(hardened, evening.file) == 0
    assert len(evening_file.read(evening.file)["tables"]["employees"]) == GUESTS


def when(evening, step):
    """The evening when it has come to a step."""

    def there():
        state = evening.refresh()
        assert not (state.problem or state.not_saved)
        return state if state.step == step else None

    wait_until(there)
    return there()
