"""A page of a long history costs what a page costs: the work is counted, not timed."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from sfn_emulator.http.messages import RefusalError, Reply, Request
from sfn_emulator.states import history
from sfn_emulator.states.history import Executions

ARN = "arn:aws:states:us-east-1:123456789012:execution:Machine:name"
TIME = "2026-01-01T00:00:00.000Z"
START = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS = [{"id": n, "previousEventId": n - 1, "type": "X", "timestamp": TIME} for n in range(1, 25_001)]


class Engine:
    """An execution of 25,000 events: `read` are the ids of those that were made into AWS's form."""

    def __init__(self, monkeypatch):
        self.read = []
        make = history.as_aws
        monkeypatch.setattr(history, "events_of", lambda arn: EVENTS)
        monkeypatch.setattr(history, "as_aws", lambda event: self.read.append(event["id"]) or make(event))
        self._executions = Executions(self, None, None)

    def target(self, scope, operation, parameters):
        assert operation == "AWSStepFunctions.DescribeExecution"
        return Reply(200, json.dumps({"executionArn": ARN, "status": "SUCCEEDED"}).encode())

    def history(self, **parameters):
        body = json.dumps({"executionArn": ARN, **parameters}).encode()
        return self._executions.history(Request("POST", "/", {}, body)).json


@pytest.fixture
def engine(monkeypatch):
    return Engine(monkeypatch)


def test_a_page_makes_only_its_own_events(engine):
    """The first page of ten makes ten of the 25,000 events."""
    assert [event["id"] for event in engine.history(maxResults=10)["events"]] == [*range(1, 11)]
    assert engine.read == [*range(1, 11)]


def test_the_newest_page_makes_only_its_own_events(engine):
    """A page from the end makes only its own events, too. The default is 100 events."""
    page = engine.history(reverseOrder=True)
    assert [event["id"] for event in page["events"]] == engine.read == [*range(25_000, 24_900, -1)]
    following = engine.history(reverseOrder=True, nextToken=page["nextToken"])
    assert following["events"][0]["id"] == 24_900
    assert len(engine.read) == 200


def test_all_pages_make_each_event_once(engine):
    """All pages together make each event once."""
    token = {}
    while token is not None:
        page = engine.history(maxResults=1000, **token)
        token = {"nextToken": page["nextToken"]} if "nextToken" in page else None
    assert engine.read == [*range(1, 25_001)]


def test_the_last_page_from_the_end_is_whole(engine):
    """The last page from the end has the remaining events, each of them once."""
    first = engine.history(reverseOrder=True, maxResults=24_995)
    last = engine.history(reverseOrder=True, maxResults=1000, nextToken=first["nextToken"])
    assert [event["id"] for event in last["events"]] == [5, 4, 3, 2, 1]
    assert "nextToken" not in last


def test_a_page_without_a_token_is_the_last(engine):
    """The token of a page leads to the next one, until a page has no token."""
    token = engine.history(maxResults=24_999)["nextToken"]
    last = engine.history(maxResults=24_999, nextToken=token)
    assert ([event["id"] for event in last["events"]], "nextToken" in last) == ([25_000], False)


@pytest.mark.parametrize("change", [{"nextToken": "nonsense"}, {"reverseOrder": True}])
def test_a_wrong_token_is_refused(engine, change):
    """A token is valid only for the order in which its page was read."""
    token = {"nextToken": engine.history(maxResults=1)["nextToken"]}
    with pytest.raises(RefusalError, match="InvalidToken"):
        engine.history(**token | change)


def test_a_page_with_much_data_ends_early(engine, monkeypatch):
    """Events of 200 KB are in more pages than somebody asks for. Together they are complete."""
    details = {"stateEnteredEventDetails": {"name": "State", "input": "x" * 200_000}}
    monkeypatch.setattr(history, "events_of", lambda arn: [event | details for event in EVENTS[:50]])
    for newest_first in (False, True):
        token, sizes = {}, []
        while token is not None:
            page = engine.history(maxResults=1000, reverseOrder=newest_first, **token)
            sizes.append(len(page["events"]))
            token = {"nextToken": page["nextToken"]} if "nextToken" in page else None
        assert sizes == [20, 20, 10]
    assert engine.read == [*range(1, 51), *range(50, 0, -1)]


def test_the_oldest_ended_executions_are_forgotten(monkeypatch):
    """If there are too many, the oldest ones go that have ended. Those that run stay."""
    machine, runs = SimpleNamespace(executions=[]), {"execution:0"}
    monkeypatch.setattr(history, "_MOST_EXECUTIONS", 3)
    monkeypatch.setattr(history, "machine_of", lambda _: machine)
    monkeypatch.setattr(history, "running", lambda arn: arn in runs or None)
    monkeypatch.setattr(
        history,
        "prepared",
        lambda _, arn, *__, **___: SimpleNamespace(exec_arn=arn, start=lambda: None, start_date=START),
    )
    monkeypatch.setattr(
        history, "remove_execution", lambda _, arn: machine.executions.remove(executions.begun[arn])
    )
    description = {"loggingConfiguration": {"level": "OFF"}, "type": "STANDARD"}
    started = SimpleNamespace(
        arn="machine", machine=description, names={}, execution_arn=lambda n: f"execution:{n}"
    )
    executions = Executions(None, None, lambda change: None)
    executions.begun = {}
    for number in range(7):
        begun = executions.begin(None, started, str(number), "{}")
        executions.begun[begun.exec_arn] = begun
    assert [it.exec_arn for it in machine.executions] == [f"execution:{n}" for n in (0, 4, 5, 6)]
    assert set(executions.known) == {it.exec_arn for it in machine.executions}


def test_an_end_is_the_last_event():
    """Whatever moto writes after a stop is in no iteration over the events."""
    stopped = history._Ended(["a", "b", "late", "later"], "END", 2)
    assert (list(stopped), len(stopped)) == (["a", "b", "END"], 3)
