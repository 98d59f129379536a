"""What an execution does in moments that no test of the whole emulator can hit."""

import json
import threading

import pytest
from patience import SECONDS, wait_until

from sfn_emulator.http.messages import Request, Scope
from sfn_emulator.process.pool import Pool
from sfn_emulator.process.timers import Timers
from sfn_emulator.states import test_state as tests_of_states
from sfn_emulator.states.executions import Executions
from sfn_emulator.states.machines import Started
from sfn_emulator.states.mocks import Mocks
from sfn_emulator.states.world import World
from states_language.execution import Answered, Beat, Failed, Stop, Succeeded

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
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
INNER = {"StartAt": "X", "States": {"X": JOB | {"Resource": "arn:aws:states:::sns:publish", "End": True}}}
MAP = {
    "Type": "Map",
    "ItemSelector": {"number.$": "$$.Map.Item.Index"},
    "ItemProcessor": INNER | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
    "End": True,
}


class Calls:
    """Answers a call when the test says so: `reply(output)`."""

    def __init__(self):
        self.made, self.stopped, self._go, self._output = [], [], threading.Semaphore(0), None

    def make(self, call, context, role):
        self.made.append(call)
        assert self._go.acquire(timeout=SECONDS)
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


def begin(world, state, name="e", given=None, **more):
    """Start an execution of one state."""
    definition = json.dumps({"StartAt": "A", "States": {"A": state}} | more)
    machine = {"type": "STANDARD", "name": "M", "roleArn": "role", "definition": definition}
    machine["loggingConfiguration"] = {"level": "OFF"}
    started = Started("arn:aws:states:us-east-1:123456789012:stateMachine:M", machine, 0, {})
    return world.executions.begin(Scope(), started, name, json.dumps(given or {}))


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


@pytest.mark.parametrize("resource", [FUNCTION, "arn:aws:states:::lambda:invoke"])
def test_a_time_out_of_a_task_ends_while_its_function_runs(world, resource):
    """The error has no cause, and the answer that comes later is not heard."""
    run = begin(world, {"Type": "Task", "Resource": resource, "TimeoutSeconds": 60, "End": True})
    called(world)
    run.ring(timers_of(world))
    assert (run.status, run.result) == ("FAILED", {"error": "States.Timeout"})
    name = "LambdaFunctionTimedOut" if resource == FUNCTION else "TaskTimedOut"
    assert types(run)[-2:] == [name, "ExecutionFailed"]
    world.calls.reply()
    assert world.pool.wait_until_quiet(30)
    assert types(run)[-1] == "ExecutionFailed"


def test_a_test_of_a_state_ends_after_five_minutes(world, monkeypatch):
    """A state that takes longer fails with States.Timeout."""
    assert tests_of_states._SECONDS == 300
    monkeypatch.setattr(tests_of_states, "_SECONDS", 0.01)
    body = json.dumps({"definition": json.dumps(WAIT)}).encode()
    reply = tests_of_states.test_state(Request("POST", "/", {}, body), lambda *_: None, world)
    assert reply.json == {"status": "FAILED", "error": "States.Timeout"}
    assert timers_of(world) == []


def test_a_job_whose_machine_is_deleted_fails_its_task(world, monkeypatch):
    """The execution that waits for it does not wait for ever."""
    job, run = begin(world, WAIT, "job"), begin(world, JOB)
    called(world)
    world.calls.reply({"ExecutionArn": job.arn})
    wait_until(lambda: job.arn in world._waiting)
    monkeypatch.setattr(world.calls, "describe", lambda *_, **__: ("ABORTED", {}))
    world.drop(job)
    world.forget(job)
    wait_until(lambda: run.status == "FAILED")


def test_a_job_is_stopped_as_the_role_that_started_it(world, monkeypatch):
    """A Task may have another role than its machine."""
    roles = []
    monkeypatch.setattr(world.calls, "stop", lambda arn, role, region: roles.append(role))
    run = begin(world, JOB | {"Credentials": {"RoleArn": "arn:aws:iam::123456789012:role/other"}})
    called(world)
    world.calls.reply({"ExecutionArn": "job"})
    wait_until(lambda: "TaskSubmitted" in types(run))
    world.stop(run, Stop())
    wait_until(lambda: roles == ["arn:aws:iam::123456789012:role/other"])


def test_a_fault_of_ours_ends_the_execution(world, monkeypatch, capfd):
    """It fails with a sentence, and does not run for ever."""
    monkeypatch.setattr(world.timers, "set", lambda *_: 1 / 0)
    run = begin(world, WAIT)
    wait_until(lambda: run.status == "FAILED")
    assert run.result["error"] == "States.Runtime"
    assert "fault of the emulator" in run.result["cause"]
    assert "ZeroDivisionError" in capfd.readouterr().err


def answering(world, monkeypatch, answer):
    """Let `answer` say what a call gives; the calls so far."""
    made = []

    def make(call, context, role):
        made.append(call)
        return answer(call)

    monkeypatch.setattr(world.calls, "make", make)
    return made


def ended(world, run):
    assert world.pool.wait_until_quiet(30)
    assert run.status != "RUNNING", types(run)
    return run.status


def redriven(world, run):
    run.redrives.add(None, 0)
    with run.lock:
        world.redrive(run)


def test_a_map_run_that_may_not_begin_starts_no_child(world, monkeypatch):
    """Its role may not start executions."""
    made = answering(world, monkeypatch, lambda call: Succeeded(call.id, {}))
    world._may_start = lambda *_: "not authorized"
    run = begin(world, MAP, given=[1] * 10)
    assert (ended(world, run), run.result["error"], made) == ("FAILED", "States.Permissions", [])


def test_children_that_never_began_begin_after_a_redrive(world, monkeypatch):
    """At most 40 run at once, so the others have waited when one failed."""
    failing = [True]

    def answer(call):
        return Failed(call.id, "E", "") if failing else Succeeded(call.id, {})

    answering(world, monkeypatch, answer)
    run = begin(world, MAP, given=[1] * 100)
    assert ended(world, run) == "FAILED"
    (map_run,) = world.map_runs.of(run.arn)
    counts = map_run.counts(of_items=False)
    assert (counts["total"], counts["pending"]) == (100, 100 - len(map_run.children))
    failing.clear()
    redriven(world, run)
    assert ended(world, run) == "SUCCEEDED"
    assert map_run.counts(of_items=False)["succeeded"] == 100


def test_a_stop_after_a_redrive_stops(world, monkeypatch):
    """It comes while the redrive begins."""
    answering(world, monkeypatch, lambda call: Failed(call.id, "E", ""))
    run = begin(world, JOB)
    assert ended(world, run) == "FAILED"
    answering(world, monkeypatch, lambda call: Succeeded(call.id, {"ExecutionArn": "job"}))
    stop = threading.Thread(target=world.stop, args=(run, Stop()))
    with run.lock:
        stop.start()
        wait_until(lambda: run.execution.interrupt)
        redriven(world, run)
    stop.join(SECONDS)
    assert (ended(world, run), types(run)[-1]) == ("ABORTED", "ExecutionAborted")


def test_a_reset_forgets_map_runs_where_they_are(world, monkeypatch):
    """Others hold the same object."""
    answering(world, monkeypatch, lambda call: Succeeded(call.id, {}))
    known = world.map_runs
    ended(world, run := begin(world, MAP, given=[1]))
    assert known.of(run.arn)
    world.reset()
    assert known is world.map_runs
    assert not known.of(run.arn)


@pytest.mark.parametrize("by", ["a request", "a task"])
def test_a_synchronous_execution_counts_as_work_until_it_waits(world, monkeypatch, by):
    """Nothing is quiet while its function runs, and its wait for the end is no work."""
    seen = []
    answering(world, monkeypatch, lambda call: seen.append(world.pool.is_quiet) or Succeeded(call.id, {}))
    parallel = {"Type": "Parallel", "End": True, "Branches": [INNER, {"StartAt": "A", "States": {"A": WAIT}}]}
    machine = {"type": "EXPRESS", "name": "M", "roleArn": "role", "loggingConfiguration": {"level": "OFF"}}
    machine["definition"] = json.dumps({"StartAt": "P", "States": {"P": parallel}})
    started = Started("arn:aws:states:us-east-1:123456789012:stateMachine:M", machine, 0, {})
    ran = []

    def act():
        ran.append(world.executions.begin(Scope(), started, "e", "{}", wait=True))

    threading.Thread(target=act).start() if by == "a request" else world.pool.submit(act)
    wait_until(lambda: seen == [False])
    assert world.pool.wait_until_quiet(30)
    (run,) = world.all()
    world.drop(run)
    wait_until(lambda: ran)
    assert ran[0].status == "ABORTED"


def test_a_stop_before_the_start_has_both_events(world):
    """All threads may be busy, so that an execution waits for its turn."""
    world.pool.submit = lambda *_: None
    run = begin(world, WAIT)
    world.stop(run, Stop())
    assert (run.status, types(run)) == ("ABORTED", ["ExecutionStarted", "ExecutionAborted"])


def test_a_redrive_keeps_the_limits_of_a_map_run(world, monkeypatch):
    """No more children run again at once than MaxConcurrency says."""
    failing = [True]
    answering(
        world, monkeypatch, lambda call: Failed(call.id, "E", "") if failing else Succeeded(call.id, {})
    )
    tolerant = MAP | {"MaxConcurrency": 5, "ToleratedFailureCount": 50}
    run = begin(world, tolerant, given=[1] * 60)
    assert ended(world, run) == "FAILED"
    failing.clear()
    (map_run,) = world.map_runs.of(run.arn)
    made, redrive = [], world._redrive_child

    def redriving(*given):
        redrive(*given)
        made.append(sum(child.run is not None for child in map_run.by_key.values()))

    monkeypatch.setattr(world, "_redrive_child", redriving)
    redriven(world, run)
    assert ended(world, run) == "SUCCEEDED"
    assert len(made) > 50 and max(made) <= 5
