"""Attendees share one account, and nobody touches anybody else's things."""

import pytest
from kit.calls import Recorder

from lottery_lib import Stack, connect, draw, winners
from lottery_lib.draws import executions
from lottery_lib.resources.lambda_function import Function

#: Who leaves and who stays: names of which one begins as the other, and the plain names.
PAIRS = [("alice-2", "alice"), ("alice-2", "alice-2-b"), ("alice-2", ""), ("", "alice")]


@pytest.fixture(scope="module")
def everybody():
    """All have deployed and drawn."""
    targets = {who: connect("embedded", attendee=who) for who in dict.fromkeys(sum(PAIRS, ()))}
    for edition in ("hardened", "tutorial"):  # the lessons' tests leave things with the plain names
        Stack(targets[""].named(targets[""].names.in_edition(edition))).teardown()
    for who, target in targets.items():
        Stack(target).deploy(f"{who or 'nobody'}@example.com")
        assert draw(target, 2)["status"] == "SUCCEEDED"
    return Everybody(targets)


class Everybody:
    def __init__(self, targets):
        self.targets, self._left = targets, {}

    def leave(self, who):
        """Tear down once; returns the inventory, and what the others had before."""
        if who not in self._left:
            before = {
                other: (Stack(target).status(), list(winners(target)["employee_id"]))
                for other, target in self.targets.items()
                if (who, other) in PAIRS
            }
            self._left[who] = Stack(self.targets[who]).teardown(), before
        return self._left[who]


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: f"{pair[0] or 'nobody'} leaves {pair[1]}")
def room(request, everybody):
    """One has torn down, and one stays."""
    leaving, staying = request.param
    inventory, before = everybody.leave(leaving)
    return Room(inventory, everybody.targets[staying], *before[staying])


class Room:
    def __init__(self, inventory, target, status, won):
        self.inventory, self.target, self.status, self.won = inventory, target, status, won


def test_who_leaves_leaves_nothing(room):
    """The inventory is of one's own things alone."""
    assert room.inventory.left == []
    assert not {each.arn for each in room.inventory.resources if each.arn} & {
        each.arn for each in room.status
    }


def test_who_stays_has_everything(room):
    """As it was before, subscription included, and by its tags one's own."""
    assert Stack(room.target).status() == room.status
    assert all(each.ours for each in room.status)


def test_who_stays_need_not_deploy(room):
    """Nothing differs from what it should be."""
    recorder = Recorder(room.target)
    Stack(recorder.target).deploy(f"{room.target.names.attendee or 'nobody'}@example.com")
    assert recorder.writes == []


def test_who_stays_keeps_winners_and_draws(room):
    """Those who have won stay winners, and the next draw is among the others."""
    assert set(room.won) <= set(winners(room.target)["employee_id"])
    drawn = draw(room.target, 1)
    assert drawn["status"] == "SUCCEEDED"
    assert drawn["winners"][0]["employee_id"] not in room.won
    assert len(executions(room.target)) == len(winners(room.target)) - 1  # only the first draw was of two


def test_tags_tell_the_attendees_apart(room):
    """The plain names' tag is of nobody, not of everybody."""
    other = connect("embedded", attendee="alice-3").names
    name = room.target.names.function("InputWinners")
    assert Function(room.target, name).find().ours
    assert Function(room.target.named(other), name).find().ours is False
