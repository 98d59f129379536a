"""A page of a long history costs what a page costs: the work is counted, not timed. And how many are kept."""

import json
from types import SimpleNamespace

import pytest

from sfn_emulator.http.messages import RefusalError, Request, Scope
from sfn_emulator.process.store import History
from sfn_emulator.states import executions
from sfn_emulator.states.executions import Executions
from sfn_emulator.states.machines import Started
from sfn_emulator.states.map_runs import MapRuns

ARN = "arn:aws:states:us-east-1:123456789012:execution:Machine:name"
EVENTS = [{"id": n, "previousEventId": n - 1, "type": "X", "timestamp": 0} for n in range(1, 25_001)]


class Read(History):
    """A history: `read` are the ids of the events that somebody has read."""

    def __init__(self, events):
        super().__init__()
        self.read = []
        for event in events:
            self.append(event)

    def as_json(self, index):
        self.read.append(index + 1)
        return super().as_json(index)


class Reader:
    """Reads the pages of an execution."""

    def __init__(self, history):
        self.run = SimpleNamespace(history=history, started=SimpleNamespace(names={}))
        self._executions = Executions(SimpleNamespace(map_runs=MapRuns(), runs={ARN: self.run}))

    @property
    def read(self):
        return self.run.history.read

    def page(self, **parameters):
        body = json.dumps({"executionArn": ARN, **parameters}).encode()
        return self._executions.history(Request("POST", "/", {}, body)).json

    def pages(self, **parameters):
        """All pages, in order."""
        token = {}
        while token is not None:
            page = self.page(**parameters, **token)
            yield page["events"]
            token = {"nextToken": page["nextToken"]} if "nextToken" in page else None


@pytest.fixture(scope="module")
def long():
    return Read(EVENTS)


@pytest.fixture
def reader(long):
    """A reader of an execution of 25,000 events."""
    long.read.clear()
    return Reader(long)


def test_a_page_reads_only_its_own_events(reader):
    """The first page of ten reads ten of the 25,000 events."""
    assert [event["id"] for event in reader.page(maxResults=10)["events"]] == [*range(1, 11)]
    assert reader.read == [*range(1, 11)]


def test_the_newest_page_reads_only_its_own_events(reader):
    """A page from the end reads only its own events, too. The default is 100 events."""
    page = reader.page(reverseOrder=True)
    assert [event["id"] for event in page["events"]] == reader.read == [*range(25_000, 24_900, -1)]
    following = reader.page(reverseOrder=True, nextToken=page["nextToken"])
    assert following["events"][0]["id"] == 24_900
    assert len(reader.read) == 200


def test_all_pages_read_each_event_once(reader):
    """All pages together read each event once."""
    assert sum(len(page) for page in reader.pages(maxResults=1000)) == 25_000
    assert reader.read == [*range(1, 25_001)]


def test_the_last_page_from_the_end_is_whole(reader):
    """The last page from the end has the remaining events, each of them once."""
    first = reader.page(reverseOrder=True, maxResults=24_995)
    last = reader.page(reverseOrder=True, maxResults=1000, nextToken=first["nextToken"])
    assert [event["id"] for event in last["events"]] == [5, 4, 3, 2, 1]
    assert "nextToken" not in last


@pytest.mark.parametrize("change", [{"nextToken": "nonsense"}, {"reverseOrder": True}])
def test_a_wrong_token_is_refused(reader, change):
    """A token is valid only for the order in which its page was read."""
    token = {"nextToken": reader.page(maxResults=1)["nextToken"]}
    with pytest.raises(RefusalError, match="InvalidToken"):
        reader.page(**token | change)


def test_a_page_with_much_data_ends_early():
    """Events of 200 KB are in more pages than somebody asks for. Together they are complete."""
    details = {"stateEnteredEventDetails": {"name": "State", "input": "x" * 200_000}}
    reader = Reader(Read([event | details for event in EVENTS[:50]]))
    for newest_first in (False, True):
        assert [len(page) for page in reader.pages(maxResults=1000, reverseOrder=newest_first)] == [
            20,
            20,
            10,
        ]
    assert reader.read == [*range(1, 51), *range(50, 0, -1)]


def test_the_oldest_ended_executions_are_forgotten(monkeypatch):
    """If there are too many, the oldest ones go that have ended. Those that run stay."""
    monkeypatch.setattr(executions, "_MOST_EXECUTIONS", 3)
    forgotten = []

    def begin(run, *, wait):
        if run.name != "0":
            run.status = "SUCCEEDED"

    def forget(run):
        forgotten.append(world.runs.pop(run.arn))

    world = SimpleNamespace(runs={}, map_runs=MapRuns(), begin=begin, forget=forget, log_of=lambda *_: None)
    machine = {"type": "STANDARD", "name": "M", "roleArn": "role", "definition": "{}"}
    started = Started("arn:aws:states:us-east-1:123456789012:stateMachine:M", machine, 0, {})
    made = Executions(world)
    for number in range(7):
        made.begin(Scope(), started, str(number), "{}")
    assert sorted(run.name for run in world.runs.values()) == ["0", "5", "6"]
    assert [run.name for run in forgotten] == ["1", "2", "3", "4"]
