"""A board under load: 200 attendees with a report a second each, and 200 at the same moment.

They are long: they take a minute. `make bench` measures the times.
"""

import pytest
from class_board import PEOPLE, measured

pytestmark = pytest.mark.long
MOST_MB = 150


@pytest.mark.parametrize(("rounds", "spread"), [(10, 1), (1, 0)], ids=["each second", "at once"])
def test_two_hundred_attendees(rounds, spread):
    """No report is refused or lost, and 150 MB are enough."""
    for figures in measured(rounds, spread, tries=2):
        assert (figures.count, figures.statuses) == (PEOPLE * rounds, {204})
        assert figures.megabytes < MOST_MB
