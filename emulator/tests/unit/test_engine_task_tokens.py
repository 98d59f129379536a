"""What a waiting task does in moments that no test of the whole emulator can hit."""

import importlib
import threading
from types import SimpleNamespace

import pytest

from sfn_emulator.engine import task_tokens
from sfn_emulator.engine.patches import PATCHES
from sfn_emulator.http.messages import RefusalError

COMMON = "moto.stepfunctions.parser.asl.component.common."
TIMEOUTS, FAILURE = f"{COMMON}timeouts.", f"{COMMON}error_name.failure_event"


class Env:
    """An environment of moto's engine."""

    def __init__(self):
        self.runs = True
        self.stack = ["the answer of the service"]
        self.program_state_event = None
        self.context_object_data = {}
        self.states = SimpleNamespace(context_object=self)

    def is_running(self):
        return self.runs

    def update_task_token(self):
        self.context_object_data["Task"] = {"Token": "the token"}
        return "the token"


STATE = SimpleNamespace(resource=SimpleNamespace(condition="waitForTaskToken"), heartbeat=None)


def replaced(name, original):
    """What replaces a function of moto, by the list of patches."""
    (patch,) = [each for place, each in PATCHES.items() if place.endswith(f":{name}")]
    return patch.replacement(original)


def attempt(during):
    """An attempt of a state, in which this is done."""
    env = Env()
    task_tokens.attempt(lambda _, env: during(env), STATE, env)
    return env


def test_a_success_may_come_before_the_answer_of_the_service():
    """A function may send its success before it returns. Then the task does not wait."""

    def during(env):
        task_tokens.report("the token", {"output": "[1]"})
        with pytest.raises(RefusalError, match="TaskTimedOut"):
            task_tokens.report("the token", {"output": "[2]"})
        task_tokens.wait(None, STATE, env)

    assert attempt(during).stack == [[1]]


def test_a_task_that_was_stopped_before_it_waits_does_not_wait():
    """A task of a stopped execution does not wait, because nobody would wake it."""

    def during(env):
        env.runs = False
        task_tokens.after_call(lambda *_: pytest.fail("wrote an event"), STATE, env)
        with pytest.raises(task_tokens._EndedError):
            task_tokens.wait(None, STATE, env)
        with pytest.raises(RefusalError, match="TaskTimedOut"):
            task_tokens.report("the token", {"output": "1"})

    attempt(during)


def test_a_missed_heartbeat_is_decided_once():
    """A success that comes right after it is refused."""
    event = SimpleNamespace(error_name=SimpleNamespace())
    state = SimpleNamespace(
        resource=STATE.resource,
        heartbeat=SimpleNamespace(eval=lambda env: env.stack.append(0)),
        _get_timed_out_failure_event=lambda _: event,
    )

    def during(env):
        with pytest.raises(importlib.import_module(FAILURE).FailureEventException):
            task_tokens.wait(None, state, env)
        with pytest.raises(RefusalError, match="TaskTimedOut"):
            task_tokens.report("the token", {"output": "1"})

    attempt(during)


@pytest.mark.parametrize("accepted", [True, False])
def test_an_outcome_that_was_accepted_in_time_counts(accepted):
    """An accepted outcome counts, however late it is used. After the time-out, none is accepted."""
    finished = replaced("threading", None).Event()

    def during(_):
        if accepted:
            task_tokens.report("the token", {"output": "1"})
            threading.Timer(0.1, finished.set).start()
        assert finished.wait(0.01) is accepted
        with pytest.raises(RefusalError, match="TaskTimedOut"):
            task_tokens.report("the token", {"output": "1"})

    attempt(during)


def test_the_time_of_the_next_state_is_over_as_before():
    """The outcome of a task that the same thread ran earlier does not count for it."""
    attempt(lambda _: task_tokens.report("the token", {"output": "1"}))
    finished = replaced("threading", None).Event()
    (timer := threading.Timer(5, finished.set)).start()
    assert finished.wait(0) is False
    timer.cancel()


def test_moto_cannot_clear_what_wakes_a_task():
    """Its engine sets the event of an environment that ends, and clears it at once."""

    def during(env):
        task_tokens.report("the token", {"output": "1"})
        task_tokens.wait(None, STATE, env)
        env.program_state_event.clear()
        assert env.program_state_event.is_set()

    attempt(during)


def test_a_heartbeat_alone_brings_no_time_out():
    """In moto, such a task has a minute."""
    time_out = importlib.import_module(TIMEOUTS + "timeout").TimeoutSeconds
    props = replaced("ExecutionState.from_state_props", lambda *_: None)
    for given, expected in ((time_out(60, is_default=True), 99_999_999), (time_out(60), 60)):
        state = SimpleNamespace(timeout=given)
        props(state, None)
        assert state.timeout.timeout_seconds == expected


def test_the_heartbeat_of_an_aborted_branch_is_evaluated():
    """Moto would take whatever is on its stack, and write it to the history."""
    heartbeat = importlib.import_module(TIMEOUTS + "heartbeat").HeartbeatSeconds
    env = Env()
    env.runs = False
    replaced("Heartbeat.eval", heartbeat.eval)(heartbeat(8), env)
    assert env.stack[-1] == 8
