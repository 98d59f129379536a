"""A definition is tried without AWS: in virtual time, in another process that can be ended."""

import json
from itertools import pairwise

import pytest
from unit.history.histories import history

from lottery_lib import trial
from lottery_lib.definition import load
from lottery_lib.errors import LotteryError
from lottery_lib.history import Reader, details_of
from states_language.one_state import Mock

DRAW = "aws_draw_with_loop_and_timeout"


def machine(**states):
    """A machine whose states follow each other in this order, unless they say where they lead."""
    names = list(states)
    after = dict(pairwise(names))
    ways = ("Next", "End", "Choices")
    whole = {
        name: state
        if any(way in state for way in ways) or state["Type"] in ("Fail", "Succeed")
        else state | ({"Next": after[name]} if name in after else {"End": True})
        for name, state in states.items()
    }
    return json.dumps({"StartAt": names[0], "States": whole})


def task(**fields):
    return {"Type": "Task", "Resource": "<Pay:ARN>", **fields}


def result(value):
    return {"text": json.dumps(value), "fails": False}


def about(name, given, **variables):
    return {"name": name, "input": given, "execution": {}, "variables": variables, "item": {}}


def error(text):
    return {"text": text, "fails": True}


def test_nobody_waits_for_an_hour():
    """A Wait of an hour ends at once, and the history says that an hour has passed."""
    events = trial.run(machine(A={"Type": "Wait", "Seconds": 3600}), {}, '{"n": 1}')[0]
    assert (events[-1]["timestamp"] - events[0]["timestamp"]).total_seconds() == 3600
    assert events[-1]["executionSucceededEventDetails"]["output"] == '{"n":1}'


def test_answers_are_given_call_by_call():
    """An error is retried; the last answer holds for the calls that follow."""
    retried = task(Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 3}])
    events, _ = trial.run(machine(A=retried, B=task(), C=task()), {
        "A": [error("Busy: call later"), error("Busy"), result(7)], "B": [result(8)], "C": [result(9)],
    }, "{}")  # fmt: skip
    (first, *_) = Reader(events).runs
    assert [(each.status, each.error, each.cause) for each in first.attempts] == [
        ("failed", "Busy", "call later"), ("failed", "Busy", ""), ("succeeded", "", ""),
    ]  # fmt: skip
    assert events[-1]["executionSucceededEventDetails"]["output"] == "9"


def test_it_stops_at_a_task_without_an_answer():
    """The Task is named, and the history ends before it answers, whatever the Task would catch."""
    caught = task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B"}])
    events, task_ = trial.run(machine(A=caught, B={"Type": "Pass"}), {}, "{}")
    assert (task_, [run.last.status for run in Reader(events).runs]) == ("A", ["running"])


@pytest.mark.parametrize(
    ("answers", "data", "told"),
    [
        ({}, "{", "input: is not JSON"),
        ({"A": [{"text": "nothing", "fails": False}]}, "{}", "answer of A: is not JSON"),
        ({"A": [error(" : why")]}, "{}", "answer of A: an error has a name"),
    ],
)
def test_what_cannot_be_read_is_named(answers, data, told):
    """The input, or the answer of a Task, in one sentence."""
    with pytest.raises(LotteryError, match=told):
        trial.run(machine(A=task()), answers, data)


def test_a_loop_ends_at_the_limit_of_aws():
    """A loop without an end fails after 25,000 events, with AWS's sentence."""
    again = [{"Variable": "$", "IsPresent": True, "Next": "A"}]
    text = machine(
        A={"Type": "Pass"}, B={"Type": "Choice", "Choices": again, "Default": "C"}, C={"Type": "Succeed"}
    )
    events, _ = trial.run(text, {}, "{}")
    assert len(events) == 25_000
    assert "maximum number of history events (25000)" in events[-1]["executionFailedEventDetails"]["cause"]


@pytest.mark.parametrize("name", [DRAW, "aws_lambda_retry_caught"])
def test_the_answers_of_a_real_draw_give_the_same_run(name):
    """What was recorded on AWS is taken over: each state ends as it did there, after as many attempts.

    Only who was faster in a Parallel is not in the answers.
    """
    real = history(name)
    data = real[0]["executionStartedEventDetails"]["input"]
    events, _ = trial.run(load(), trial.answers_of(real), data)

    def did(events):
        reader = Reader(events)
        return {run.name: (run.last.status, len(run.attempts)) for run in reader.runs}, reader.end["type"]

    assert did(events) == did(real)


def test_a_state_alone():
    """TestState's reply, with its JSON read: what became of the input, and where it leads."""
    text = machine(A=task(InputPath="$.order", ResultPath="$.paid"), B={"Type": "Pass"})
    reply = trial.alone(text, about("A", {"order": {"id": 7}}), Mock({"ok": True}))
    assert (reply["status"], reply["nextState"]) == ("SUCCEEDED", "B")
    assert reply["afterInputPath"] == {"id": 7}
    assert reply["output"] == {"order": {"id": 7}, "paid": {"ok": True}}


@pytest.mark.parametrize(
    ("state", "mock", "status"),
    [
        ({"Type": "Wait", "Seconds": 9}, None, "SUCCEEDED"),
        ({"Type": "Fail", "Error": "No"}, None, "FAILED"),
        (task(Catch=[{"ErrorEquals": ["Busy"], "Next": "B"}]), Mock(error="Busy"), "CAUGHT_ERROR"),
        (task(Retry=[{"ErrorEquals": ["Busy"]}]), Mock(error="Busy"), "RETRIABLE"),
        ({"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $n + 1 %}"}, None, "SUCCEEDED"),
    ],
)
def test_each_kind_of_state_alone(state, mock, status):
    """Also a Wait, which does not wait, and one that reads a variable."""
    reply = trial.alone(machine(A=state, B={"Type": "Succeed"}), about("A", {}, n=1), mock)
    assert reply["status"] == status


def test_a_state_of_a_branch_alone():
    """It need not stand at the top of the definition."""
    assert (
        trial.alone(load(), about("Notify Winners", {"sns": "Hi"}), Mock({}))["afterParameters"]["Message"]
        == "Hi"
    )


def test_what_a_state_in_a_map_saw():
    """Its item, the input of the execution, and the variables of its own iteration only."""
    inner = json.loads(machine(
        Set={"Type": "Pass", "QueryLanguage": "JSONata", "Assign": {"v": "{% $states.input.s %}"}},
        Sleep={"Type": "Wait", "QueryLanguage": "JSONata", "Seconds": "{% $v %}"},
        Last={"Type": "Pass"},
    ))  # fmt: skip
    text = machine(Each={"Type": "Map", "ItemsPath": "$.all", "ItemProcessor": inner})
    reader = Reader(trial.run(text, {}, '{"all": [{"s": 5}, {"s": 1}]}')[0], text)
    seen = [trial.seen_by(run, reader) for run in reader.runs if run.name == "Last"]
    assert sorted((each["item"]["Index"], each["variables"]["v"]) for each in seen) == [(0, 5), (1, 1)]
    assert seen[0]["execution"] == {"all": [{"s": 5}, {"s": 1}]}


def test_an_open_task_of_a_child_execution_is_named():
    """Also if the Distributed Map tolerates that all of its items fail."""
    inner = json.loads(machine(Pay=task())) | {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    }
    each = {"Type": "Map", "ItemProcessor": inner, "ToleratedFailurePercentage": 100}
    events, open_task = trial.run(machine(Each=each), {}, "[1, 2]")
    assert (open_task, events[-1]["type"]) == ("Pay", "MapRunStarted")


NEVER = {"text": "", "fails": False, "never": True}


@pytest.mark.parametrize(
    ("limit", "error", "open_task", "seconds"),
    [({"TimeoutSeconds": 60}, "States.Timeout", "", 60), ({}, None, "A", 0)],
)
def test_nobody_answers(limit, error, open_task, seconds):
    """A time limit ends the Task. Without one, it waits, and the run is shown until then."""
    events, found = trial.run(machine(A=task(**limit)), {"A": [NEVER]}, "{}")
    assert (details_of(events[-1]).get("error"), found) == (error, open_task)
    assert (events[-1]["timestamp"] - events[0]["timestamp"]).total_seconds() == seconds


def test_a_second_answer_comes_where_the_first_did_not():
    """A Retry after a time-out calls again, and gets the next answer."""
    retried = task(TimeoutSeconds=60, Retry=[{"ErrorEquals": ["States.Timeout"]}])
    events, open_task = trial.run(machine(A=retried), {"A": [NEVER, result(1)]}, "{}")
    assert (events[-1]["type"], open_task) == ("ExecutionSucceeded", "")


def test_a_task_alone_runs_out_of_time():
    """TestState knows no time, so it is given the error."""
    assert trial.mocked("A", NEVER) == Mock(error="States.Timeout")


READER = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}}
CHILD = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}} | json.loads(
    machine(B={"Type": "Pass"})
)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (task(Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 9999}]), "thousands of years"),
        ({"Type": "Map", "ItemReader": READER, "ItemProcessor": CHILD}, "in a file in S3"),
    ],
)
def test_what_cannot_go_on_is_a_sentence(state, told):
    """Not a traceback."""
    with pytest.raises(LotteryError, match=told):
        trial.run(machine(A=state), {"A": [error("Busy")]}, "{}")


def test_a_slow_expression_is_ended():
    """It ends with a sentence, also if Python itself cannot interrupt it; and the next run works."""
    slow = {"Type": "Pass", "QueryLanguage": "JSONata",
            "Output": "{% $match('" + "a" * 40 + "', /(a+)+b/) %}"}  # fmt: skip
    apart = trial.Apart(seconds=1)
    with pytest.raises(LotteryError, match="it took more than 1 seconds, so it was ended"):
        apart.call(trial.run, machine(A=slow), {}, "{}")
    apart.seconds = 600
    assert apart.call(trial.run, machine(A={"Type": "Pass"}), {}, "{}")[0][-1]["type"] == "ExecutionSucceeded"
    with pytest.raises(LotteryError, match="input: is not JSON"):
        apart.call(trial.run, machine(A={"Type": "Pass"}), {}, "{")
    apart.end()
