"""How often somebody may do something."""

import itertools

import pytest

from lottery_course.limits import Limit


class World:
    """A limit of three at once, and one a second later on; its clock stands still until a test turns it."""

    def __init__(self):
        self.now = 1000.0
        self.limit = Limit(rate=1, burst=3, clock=lambda: self.now)


@pytest.fixture
def world():
    return World()


def test_some_at_once_and_then_a_rate(world):
    """Three at once are allowed, then one a second. A long pause allows three again, and not more."""
    assert [world.limit.take("a") for _try in range(5)] == [True] * 3 + [False] * 2
    world.now += 1
    assert [world.limit.take("a") for _try in range(2)] == [True, False]
    world.now += 1000
    assert [world.limit.take("a") for _try in range(4)] == [True] * 3 + [False]


def test_each_key_has_its_own(world):
    """Who has used up a limit takes nothing from others."""
    assert [world.limit.take("a") for _try in range(4)].count(True) == 3
    assert world.limit.take("b")


def test_many_keys_do_not_fill_the_memory(world):
    """A flood of keys is forgotten once each may do as much as at first; who has used up a limit stays."""
    for number in range(10_000):
        world.now += 0.1
        world.limit.take(str(number))
        if number >= 9_990:
            world.limit.take("a")
    assert len(world.limit._left) <= 30
    assert not world.limit.take("a")


def test_a_busy_machine_takes_time():
    """If time passes while one counts, the only key may be as good as new already: then it is forgotten."""
    seconds = itertools.count(1000)
    limit = Limit(rate=1, burst=3, clock=lambda: next(seconds))
    assert [limit.take("a") for _try in range(3)] == [True] * 3
