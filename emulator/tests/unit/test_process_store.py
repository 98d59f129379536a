"""What goes into a history comes out of it, takes little memory, and is given back."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_emulator.process import store
from sfn_emulator.process.store import ERROR, History, Spool, Storage
from sfn_emulator.storage import log_events
from states_language.execution import Execution

MB = 1 << 20


@pytest.fixture(autouse=True)
def storage(monkeypatch, tmp_path):
    """A storage of the test's own. Its folder has files that an earlier emulator left."""
    made, folder = Storage(), tmp_path / "histories"
    folder.mkdir()
    (folder / "0").write_bytes(b"old")
    made.open(folder)
    monkeypatch.setattr(store, "storage", made)
    return made


def entered(text, number=1):
    details = {"name": "State", "input": text, "inputDetails": {"truncated": False}}
    return {"id": number, "type": "PassStateEntered", "stateEnteredEventDetails": details}


def ended(number=2):
    return {"id": number, "type": "ExecutionSucceeded"}


def files(storage):
    return [*storage.folder.iterdir()]


#: Short and long texts, some of them equal, with all kinds of letters.
TEXTS = st.builds(lambda part, count: part * count, st.text(min_size=1), st.sampled_from([1, 2000, 40_000]))
DETAILS = st.dictionaries(st.text(), st.none() | st.integers() | TEXTS | st.dictionaries(st.text(), TEXTS))


@given(st.lists(DETAILS, max_size=8), st.data())
def test_events_come_out_as_they_went_in(all_details, data):
    """Each event and each slice is the same as in a list, also while others are added."""
    history, expected = History(), []
    for number, details in enumerate(all_details):
        expected.append({"id": number, "type": "X", "xEventDetails": details})
        history.append(expected[-1])
        assert history[-1] == expected[-1]
    assert [*history] == expected
    part = data.draw(st.slices(len(expected)))
    assert history[part] == expected[part]


def test_equal_texts_are_stored_once(storage):
    """A thousand events with the same 200 KB take little more than one event."""
    history = History()
    for number in range(1000):
        history.append(entered("x" * 200_000, number))
    assert history.size < 400_000
    assert history[999] == entered("x" * 200_000, 999)


def test_texts_with_the_same_hash_are_different(monkeypatch):
    """A hash only says where to look first."""
    monkeypatch.setattr(store, "hash", lambda _: 1, raising=False)
    history = History()
    for letter in "aba":
        history.append(entered(letter * 2000))
    assert [event["stateEnteredEventDetails"]["input"][0] for event in history] == ["a", "b", "a"]


def test_a_reader_cannot_change_an_event():
    """Whoever reads an event gets an object of its own."""
    history = History()
    history.append(entered("text"))
    history[0]["stateEnteredEventDetails"].clear()
    assert history[0] == entered("text")


def test_a_history_that_nobody_can_ask_for_is_only_counted(storage):
    """That of an express execution. Its log still gets each event."""
    told = []
    history = History(told.append, kept=False)
    history.append(entered("x" * 200_000))
    assert (len(history), history.size, files(storage)) == (1, 0, [])
    assert told == [entered("x" * 200_000)]


def test_the_file_of_a_closed_history_is_removed(storage):
    """Much data is in a file. Whatever an execution that still ends adds is not kept."""
    history = History()
    history.append(entered("x" * 200_000))
    assert len(files(storage)) == 1
    history.close()
    history.append(entered("y" * 200_000))
    assert ([*history], files(storage)) == ([], [])


def test_the_file_of_a_history_that_nobody_has_is_removed(storage):
    """The file goes with the history."""
    history = History()
    history.append(entered("x" * 200_000))
    del history
    assert files(storage) == []


def test_a_history_without_texts_says_so():
    """The events stay. Those that had a long text are truncated."""
    history = History()
    history.append(entered("x" * 2000))
    history.append(entered("short"))
    history.forget_texts()
    history.append(entered("y" * 2000))
    details = history[0]["stateEnteredEventDetails"]
    assert (details["input"], details["inputDetails"]) == (None, {"truncated": True})
    assert history[1:] == [entered("short"), entered("y" * 2000)]


class Holder:
    """An execution with an input of so many bytes in its history, and with other data in memory."""

    def __init__(self, size, *, in_memory=0, has_ended=False):
        self.history, self.refused, self.is_running = History(), [], not has_ended
        self.execution = Execution({}, "x" * in_memory, {})
        known = [*store.storage.runs(), self]
        store.storage.runs = lambda: known
        self.history.append(entered(f"{size}" + "x" * size))
        if has_ended:
            self.history.append(ended())

    def refuse(self, failure):
        self.refused.append(failure.details)
        self.execution.interrupt = failure


@pytest.fixture
def check(storage):
    """`check(holder)` looks what these hold, and no others: for each of them, with what it was refused."""

    def checked(*holders):
        storage.runs = lambda: holders
        storage._next_look = 0
        storage.check()
        return [holder.refused for holder in holders]

    return checked


def test_the_largest_execution_fails(storage, check):
    """If the files have too much, the largest running execution fails once, and says how large it is."""
    storage.most_in_files = 5 * MB
    holders = [Holder(size * MB) for size in (1, 3, 2)]
    cause = "All executions together may hold 5 MB in files. This one held the most: 3 MB."
    for _ in range(2):
        assert check(*holders) == [[], [{"error": ERROR, "cause": cause}], []]


def test_ended_executions_give_first(storage, check):
    """The oldest ended execution loses its texts, and no execution fails."""
    storage.most_in_files = 5 * MB
    holders = [Holder(2 * MB, has_ended=True), Holder(2 * MB, has_ended=True), Holder(2 * MB)]
    assert check(*holders) == [[], [], []]
    inputs = [it.history[0]["stateEnteredEventDetails"]["input"] for it in holders]
    assert [text is None for text in inputs] == [True, False, False]


def test_who_holds_most_memory_fails(storage, check):
    """The same in memory, if this process has much."""
    storage.suspicious, storage.most_in_memory = 0, 5 * MB
    holders = [Holder(1, in_memory=size * MB) for size in (1, 3, 2)]
    assert [bool(refused) for refused in check(*holders)] == [False, True, False]
    storage.suspicious = 1 << 40
    assert check(Holder(1, in_memory=9 * MB)) == [[]]


@given(
    st.recursive(
        st.integers() | st.text(max_size=9), lambda it: st.lists(it) | st.dictionaries(st.text(), it)
    )
)
def test_any_data_has_a_size(value):
    """An object holds something, and nothing is counted twice."""
    seen = set()
    assert store._held(value, seen) > 0
    assert store._held(value, seen) == 0


def test_what_all_executions_of_a_machine_share_is_not_counted():
    """It is their definition. Their own data is counted."""
    definition = {"Comment": "x" * MB}
    assert MB < store._held(Execution(definition, "y" * MB, {}), set()) < 1.5 * MB


def test_a_full_disk(storage, check, monkeypatch):
    """Nothing is lost if the disk is full. The largest execution fails."""

    def full(self, _):
        raise OSError(28, "No space left on device")

    holders = [Holder(2 * MB)]
    with monkeypatch.context() as patch:
        patch.setattr(type(storage.folder), "open", full)
        holders += [Holder(3 * MB), Holder(MB)]
        history = holders[1].history
        assert history[0]["stateEnteredEventDetails"]["input"] == f"{3 * MB}" + "x" * 3 * MB
        assert [bool(refused) for refused in check(*holders)] == [False, True, False]
    history.append(entered("y" * 200_000))
    assert history[0]["stateEnteredEventDetails"]["input"] == f"{3 * MB}" + "x" * 3 * MB


def test_some_of_the_disk_stays_free(check, monkeypatch):
    """The limit of the files is lower if the disk is small. If other files fill it, nobody fails."""
    for free, expected in ((99, [False, True]), (10, [False, False])):
        monkeypatch.setattr(store.shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free * MB))
        assert [bool(refused) for refused in check(Holder(MB), Holder(2 * MB))] == expected


def test_what_an_earlier_emulator_left_is_removed(storage):
    """A new emulator begins with an empty folder."""
    assert files(storage) == []


class LogEvent:
    """What moto makes of a message."""

    def __init__(self, message):
        self.message = message


def test_messages_of_logs_are_in_files(storage, monkeypatch):
    """Long messages come out as they went in. Their file is removed with the last of them."""
    monkeypatch.setattr(log_events, "_FILE", MB)
    event = log_events.in_files(LogEvent)
    kept = [event(message=f"{number} " + "x" * 200_000) for number in range(20)]
    assert [it.message for it in kept] == [f"{number} " + "x" * 200_000 for number in range(20)]
    assert len(files(storage)) == 4
    kept.clear()
    assert len(files(storage)) == 1  # the next messages go there


def test_of_the_oldest_messages_the_beginning_stays(storage, monkeypatch):
    """If there are too many, the oldest ones lose what is in the file."""
    monkeypatch.setattr(log_events, "_FILE", MB)
    monkeypatch.setattr(log_events, "_FILES", 1)
    event = log_events.in_files(LogEvent)
    kept = [event(message="x" * 200_000) for _ in range(20)]
    assert len(kept[0].message) == 1024
    assert len(kept[-1].message) == 200_000


def test_a_spool_is_read_while_it_is_written():
    """No reader sees a part of another record."""
    spool, places = Spool(), []
    for number in range(500):
        data = bytes([number % 256]) * (number * 7)
        places.append((spool.append(data), data))
        for begin, expected in places[::50]:
            assert spool.read(begin, len(expected)) == expected
    assert spool.size == sum(len(data) for _, data in places)
