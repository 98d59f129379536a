"""Whose calls the clients of moto's engine make."""

import threading

import pytest

from lottery_lib.emulator.http.replies import query_reply
from lottery_lib.emulator.iam.callers import Sessions
from lottery_lib.emulator.moto.clients import EngineClients

ROLES = [f"arn:aws:iam::123456789012:role/{name}" for name in "ab"]
LOCAL = {"endpoint_url": "http://localhost:1", "aws_access_key_id": "ak", "aws_secret_access_key": "sk"}


@pytest.fixture
def engine():
    """Clients whose calls end in a list: `engine.callers`."""
    sessions = Sessions()

    def answer(request):
        made.callers.append(sessions.find(request.scope.access_key))
        return query_reply("ListTopics", {})

    made = EngineClients(answer, sessions)
    made.callers = []
    return made


def list_topics(engine):
    engine("sns", region_name="us-east-1", **LOCAL).list_topics()


def test_a_call_is_made_as_the_role_that_was_told(engine):
    """By the same client, for one role after the other."""
    for role in [*ROLES, ROLES[0]]:
        engine.act_as(role)
        list_topics(engine)
    first, second, third = engine.callers
    assert [first.principal, second.principal] == ROLES
    assert (first, first.service) == (third, "states")


def test_a_call_is_its_own_threads(engine):
    """Another execution's role, told meanwhile, is not this one's."""
    engine.act_as(ROLES[0])
    other = threading.Thread(target=engine.act_as, args=(ROLES[1],))
    other.start()
    other.join()
    list_topics(engine)
    assert engine.callers[0].principal == ROLES[0]


def test_without_a_role_a_call_is_nobodys(engine):
    """As the attendee's."""
    list_topics(engine)
    assert engine.callers == [None]
