"""The event of a change of an execution's status."""

import queue

import pytest
from patience import SECONDS

from sfn_emulator.process.pool import Pool
from sfn_emulator.storage.backends import EventRule
from sfn_emulator.watching import events
from sfn_emulator.watching.changes import StatusChange
from sfn_emulator.watching.events import EventsApi, status_event

ARN = "arn:aws:states:us-east-1:123456789012:"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"


def change(status="SUCCEEDED", names=None, **told):
    described = {"name": "e", "input": "{}", "output": "{}", "startDate": 1.5, "stopDate": 2.5} | told
    return StatusChange(
        f"{ARN}execution:M:e", f"{ARN}stateMachine:M", names or {}, False, status, 2.5, 1.5, lambda: described
    )


def detail(*of_change, **told):
    return status_event(change(*of_change, **told))["detail"]


KB = 1024


@pytest.mark.parametrize(
    ("given", "output", "included"),
    [
        (100, 100, (True, True)),
        (200, 100, (False, True)),
        (100, 250, (False, False)),
        (249, 1, (False, True)),
    ],
)
def test_large_data_is_left_out(given, output, included):
    """AWS: the input if both together have more than 248 KB, and the output if it has more alone."""
    told = detail(input="x" * given * KB, output="x" * output * KB)
    details = (told["inputDetails"]["included"], told["outputDetails"]["included"])
    assert details == included
    assert (told["input"] is not None, told["output"] is not None) == included


def test_the_version_and_the_alias_are_named():
    """If the execution was started by them."""
    names = {"stateMachineVersionArn": "v", "stateMachineAliasArn": "a"}
    told = detail("SUCCEEDED", names)
    assert {name: told[name] for name in names} == names


def test_a_redrive_is_told():
    """What DescribeExecution says of redrives is in the event."""
    more = {
        "redriveCount": 2,
        "redriveDate": 2.25,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "r",
    }
    told = detail("FAILED", **more)
    assert {name: told[name] for name in more} == more | {"redriveDate": 2250}


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED"])
def test_what_cannot_be_redriven(status):
    """AWS's sentence."""
    assert detail(status)["redriveStatusReason"] == f"Execution is {status} and cannot be redriven"


@pytest.fixture
def published():
    """The names of the rules that have published, in order."""
    return queue.SimpleQueue()


@pytest.fixture
def api(published):
    return EventsApi(None, lambda service, source, *more: published.put(source), None, Pool())


def of(name, pattern='{"a": ["b"]}', *, enabled=True):
    return EventRule(name, name, enabled, pattern, [{"Arn": TOPIC}])


def test_a_failing_rule_does_not_stop_the_others(api, published):
    """Nor the next event."""
    for rules in ([of("bad", "{"), of("good")], [of("next")]):
        api._send({"a": "b"}, rules)
    assert [published.get(timeout=SECONDS) for _ in range(2)] == ["good", "next"]


def test_an_event_meets_the_rules_of_its_moment(api, published, monkeypatch):
    """Those that are enabled while it waits for its turn send nothing."""
    pattern = '{"source": ["aws.states"]}'
    api._in_order.acquire()
    for rule in (of("late", pattern, enabled=False), of("next", pattern)):
        monkeypatch.setattr(events, "rules_of", lambda region, bus, rule=rule: [rule])
        api.status_changed(change())
    monkeypatch.setattr(events, "rules_of", lambda region, bus: [of("late", pattern)])
    api._in_order.release()
    assert published.get(timeout=SECONDS) == "next"
