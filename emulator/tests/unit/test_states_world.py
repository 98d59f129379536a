"""What an execution does in moments that no test of the whole emulator can hit."""

import json
import threading

import pytest
from patience import wait_until

from sfn_emulator.http.messages import Request, Scope
from sfn_emulator.process.pool import Pool
from sfn_emulator.process.timers import Timers
from sfn_emulator.states import test_state as tests_of_states
from sfn_emulator.states.executions import Executions
from sfn_emulator.states.machines import Started
from sfn_emulator.states.mocks import Mocks
from sfn_emulator.states.world import World
from states_language.execution import Answered, Beat, Stop, Succeeded

WAIT = {"Type": "Wait", "Seconds": 60, "End": True}
TOKEN = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Parameters": {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"},
    "TimeoutSeconds": 60,
    "HeartbeatSeconds": 30,
    "End": True,
}
JOB = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution.sync",
    "Parameters": {},
    "End": True,
}


class Calls:
    """Answers a call when the test says so: `reply(output)`."""

    def __init__(self):
        self.made, self.stopped, self._go, self._output = [], [], threading.Semaphore(0), None

    def make(self, call, context, role):
        self.made.append(call)
        assert self._go.acquire(timeout=30)
        return Succeeded(call.id, self._output)

    def reply(self, output=None):
        self._output = output
        self._go.release()

    def describe(self, arn, role, region, *, parsed):
        return "RUNNING", {}

    def stop(self, arn, role, region):
        self.stopped.append(arn)


@pytest.fixture
def world():
    pool = Pool()
    timers = Timers(pool)
    changes = []
    made = World(
        pool,
        timers,
        Calls(),
        may_start=lambda *_: "",
        announce=changes.append,
        writer=None,
        mocks=Mocks(),
    )
    made.changes, made.executions = changes, Executions(made)
    yield made
    for _ in made.calls.made:
        made.calls.reply()


def begin(world, state, name="e", **more):
    """Start an execution of one state."""
    definition = json.dumps({"StartAt": "A", "States": {"A": state}} | more)
    machine = {"type": "STANDARD", "name": "M", "roleArn": "role", "definition": definition}
    machine["loggingConfiguration"] = {"level": "OFF"}
    started = Started("arn:aws:states:us-east-1:123456789012:stateMachine:M", machine, 0, {})
    return world.executions.begin(Scope(), started, name, "{}")


def called(world, count=1):
    """The latest call, once so many were made."""
    wait_until(lambda: len(world.calls.made) == count)
    return world.calls.made[-1]


def types(run):
    return [event["type"] for event in run.history]


def timers_of(world):
    return [*world.timers._rings]


def test_an_outcome_may_come_before_the_answer_of_the_service(world):
    """A function may send its success before it returns. No second outcome is taken."""
    run = begin(world, TOKEN)
    token = called(world).token
    assert world.report(Answered(token, [1]))
    assert not world.report(Answered(token, [2]))
    assert not world.report(Beat(token))
    assert run.status == "RUNNING"
    world.calls.reply()
    wait_until(lambda: run.status == "SUCCEEDED")
    assert run.result["output"] == "[1]"
    assert types(run)[-4:] == ["TaskSubmitted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded"]
    assert timers_of(world) == []


def test_an_answer_after_a_stop_is_not_heard(world):
    """The history ends with the stop. Nothing is left that could ring."""
    run = begin(world, TOKEN)
    token = called(world).token
    assert len(timers_of(world)) == 2
    world.tell(run, Stop("E"))
    assert timers_of(world) == []
    world.calls.reply()
    assert world.pool.wait_until_quiet(30)
    assert (run.status, types(run)[-1]) == ("ABORTED", "ExecutionAborted")
    assert not world.report(Answered(token, 1))


@pytest.mark.parametrize("answers_first", [True, False])
def test_a_job_ends_with_the_task_that_waits_for_it(world, answers_first):
    """Also a job that begins only after the stop."""
    run = begin(world, JOB)
    called(world)
    if answers_first:
        world.calls.reply({"ExecutionArn": "job"})
        wait_until(lambda: "TaskSubmitted" in types(run))
        world.tell(run, Stop())
    else:
        world.tell(run, Stop())
        world.calls.reply({"ExecutionArn": "job"})
    wait_until(lambda: world.calls.stopped == ["job"])
    assert types(run)[-1] == "ExecutionAborted"


@pytest.mark.parametrize("how", ["the machine is deleted", "a reset"])
def test_nothing_goes_on_of_what_is_forgotten(world, how):
    """No timer rings, no answer is heard, and nobody is told of an end."""
    waiting, calling = begin(world, WAIT, "waiting"), begin(world, TOKEN, "calling")
    token = called(world).token
    told = len(world.changes)
    if how == "a reset":
        world.reset()
        assert not world.is_token(token)
    else:
        world.executions.end_all_of(waiting.started.arn)
        assert not world.report(Answered(token, 1))
    assert (timers_of(world), [*world.all()], len(world.changes)) == ([], [], told)
    world.calls.reply()
    assert world.pool.wait_until_quiet(30)
    assert (len(calling.history), len(world.changes)) == (0, told)


def test_a_time_out_of_the_machine_ends_what_runs(world):
    """The answer of a call that comes later is not heard."""
    run = begin(world, TOKEN, TimeoutSeconds=60)
    called(world)
    run.ring([run.execution.timer])
    assert run.status == "TIMED_OUT"
    world.calls.reply()
    assert world.pool.wait_until_quiet(30)
    assert (types(run)[-1], timers_of(world)) == ("ExecutionTimedOut", [])


def test_a_test_of_a_state_ends_after_five_minutes(world, monkeypatch):
    """A state that takes longer fails with States.Timeout."""
    assert tests_of_states._SECONDS == 300
    monkeypatch.setattr(tests_of_states, "_SECONDS", 0.01)
    body = json.dumps({"definition": json.dumps(WAIT)}).encode()
    reply = tests_of_states.test_state(Request("POST", "/", {}, body), lambda *_: None, world)
    assert reply.json == {"status": "FAILED", "error": "States.Timeout"}
    assert timers_of(world) == []
