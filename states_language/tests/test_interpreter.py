"""What holds for every execution, whatever its machine does."""

import sys

import pytest

from states_language import Error, Machine, MachineError, Slow
from states_language.execution import Due, Execution, Start
from states_language.interpreter import step
from states_language.outside import Outside

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
TASK = {"Type": "Task", "Resource": FUNCTION, "End": True}
ARN = "arn:aws:states:us-east-1:123456789012"
CONTEXT = {"Execution": {"Id": f"{ARN}:execution:m:x"}, "StateMachine": {"Id": f"{ARN}:stateMachine:m"}}


def machine(states, **given):
    """A machine that starts with the first of these states."""
    return Machine({"StartAt": next(iter(states)), "States": states}, **given)


def distributed(**fields):
    """A Distributed Map with a Task for each item."""
    held = {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "T", "States": {"T": TASK}}
    return {"M": {"Type": "Map", "ItemProcessor": held, "End": True} | fields}


def types(run):
    return [event["type"] for event in run.events]


def test_a_map_that_tries_again_has_ended_its_old_iterations():
    """An ItemSelector fails while an iteration runs: the iteration is aborted before the next attempt."""
    iteration = {"StartAt": "T", "States": {"T": TASK}}
    each = {
        "Type": "Map",
        "ItemProcessor": iteration,
        "ItemSelector": "{% $states.context.Map.Item.Value[$ != 3] %}",
        "MaxConcurrency": 2,
        "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1, "IntervalSeconds": 1}],
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "M", "States": {"M": each}}
    answers = {"T": [Slow("1s", 1), Slow("9s", 2), Slow("1s", 1), Slow("9s", 2)]}
    run = Machine(definition, tasks=answers).start([1, 2, 3]).finish()
    assert (run.error, run.attempts("T")) == ("States.QueryEvaluationError", 4)
    assert types(run).count("MapIterationSucceeded") == types(run).count("MapIterationAborted") == 2


TO_S3 = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b", "Prefix": "p"}}


@pytest.mark.parametrize(
    "writer", [TO_S3, *({"WriterConfig": it} for it in ({"Transformation": "NONE"}, {"OutputType": "JSONL"}))]
)
def test_a_result_writer_is_refused(writer):
    """Nobody takes an output for results that were never written, or that have another form."""
    run = machine(distributed(ResultWriter=writer), tasks={"T": 1}).start([1])
    assert run.error == "States.ResultWriterFailed"
    assert run.attempts("T") == 0


PASS, WAIT = {"Type": "Pass", "End": True}, {"Type": "Wait", "End": True}
TEMPLATES = (
    "States.Array($.a[?(@.b =~ /x/)])", "$.a[0:2:0]", "$.a[-:2]", f"$.a[{'9' * 5000}]",
    f"$.a[?(@ > {'9' * 5000})]",
)  # fmt: skip
CALLS = (
    "Format($.five)", "Format(1)", "ArrayRange(0, $.huge, 1)", "MathAdd($.huge, 1)", "Base64Encode($.half)",
    "Hash($.half, 'MD5')", "Format('{}', $.deep)", "StringToJson('NaN')", "StringToJson('1e999')",
)  # fmt: skip
LATE = "9999-12-31T23:59:59-14:00"
DATA = {
    "a": [], "five": 5, "huge": 10**400, "half": "\ud800", "digits": "9" * 5000, "long": 100_000_000,
    "negative": -1, "late": LATE, "role": 5,
}  # fmt: skip


def deep():
    """A value that Python can write as JSON, and hardly more."""
    value = None
    for _ in range(sys.getrecursionlimit() * 6 // 10):
        value = {"d": value}
    return value


@pytest.mark.parametrize(
    ("state", "error"),
    [
        *((PASS | {"Parameters": {"x.$": path}}, "States.Runtime") for path in TEMPLATES),
        *((PASS | {"Parameters": {"x.$": f"States.{it}"}}, "States.IntrinsicFailure") for it in CALLS),
        (PASS | {"ResultPath": "$.it's"}, "States.ResultPathMatchFailure"),
        *((WAIT | {"SecondsPath": path}, "States.Runtime") for path in ("$.a[]", "$.huge", "$.long")),
        *((WAIT | {"TimestampPath": path}, "States.Runtime") for path in ("$.a[?(@ =~ /1/)]", "$.late")),
        *((WAIT | {"Timestamp": moment}, "States.Runtime") for moment in (LATE, "2027-02-31T00:00:00Z")),
        *(
            (TASK | {"TimeoutSecondsPath": f"$.{it}"}, "States.Runtime")
            for it in ("a[]", "huge", "long", "negative")
        ),
        (distributed(ToleratedFailurePercentagePath="$.huge")["M"], "States.Runtime"),
        (distributed(ItemsPath="$.a", MaxConcurrencyPath="$.digits")["M"], "States.Runtime"),
        (TASK | {"Credentials": {"RoleArn.$": "$.role"}}, "States.Runtime"),
        *(
            (TASK | {"QueryLanguage": "JSONata", "Credentials": it}, "States.QueryEvaluationError")
            for it in ("{% {} %}", "{% 1 %}")
        ),
    ],
)
def test_a_field_that_has_no_value_fails_its_state(state, error):
    """The error is one of AWS, and never an exception of Python."""
    made = machine({"S": state}, tasks={"S": 1} if state["Type"] == "Task" else {})
    assert made.start(DATA | {"deep": deep()}).error == error


TWICE = {"a.$": "$.d", "b.$": "$.d"}
EACH = {"StartAt": "I", "States": {"I": PASS}}


@pytest.mark.parametrize(
    "state",
    [
        TASK | {"Parameters": TWICE},
        {"Type": "Parallel", "Branches": [EACH], "Parameters": TWICE, "End": True},
        {"Type": "Map", "ItemsPath": "$.l", "ItemSelector": TWICE, "ItemProcessor": EACH, "End": True},
        distributed(ItemsPath="$.l", ItemSelector=TWICE)["M"],
    ],
)
def test_what_a_state_sends_has_a_limit(state):
    """Of 256 KiB. The cause names the state."""
    run = machine({"S": state}).start({"d": "x" * 200_000, "l": [1]})
    told = "provided parameters with a size exceeding the maximum number of bytes service limit."
    assert (run.error, run.cause) == ("States.DataLimitExceeded", f"The state/task 'S' {told}")


def test_a_catcher_does_not_catch_itself():
    """Its own output is too large, and the execution fails."""
    catch = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "T"}
    task = TASK | {"Catch": [catch], "Retry": [{"ErrorEquals": ["States.DataLimitExceeded"]}]}
    run = machine({"T": task}, tasks={"T": Error("E", "c" * 300)}).start({"d": "x" * 262_100})
    assert (run.status, run.error, run.attempts("T")) == ("FAILED", "States.DataLimitExceeded", 1)


def test_the_children_of_a_failed_map_run_are_stopped():
    """One has failed, which is too many: the others end, too."""
    run = machine(distributed(), tasks={"T": [Error("Bad"), Slow("9s", 1)]}).start([1, 2]).finish()
    assert run.error == "States.ExceedToleratedFailureThreshold"
    assert [child.status for child in run.children] == ["FAILED", "ABORTED"]
    run.redrive().finish()
    assert (run.status, run.output) == ("SUCCEEDED", [1, 1])


def test_the_time_of_an_execution_begins_again_with_a_redrive():
    """TimeoutSeconds of the machine counts for each run of it."""
    wait = {
        "StartAt": "W",
        "TimeoutSeconds": 10,
        "States": {"W": {"Type": "Wait", "Seconds": 100, "End": True}},
    }
    run = Machine(wait).start().finish()
    assert run.status == "TIMED_OUT"
    began = run.now
    run.redrive().finish()
    assert (run.status, (run.now - began).total_seconds()) == ("TIMED_OUT", 10)


def test_an_express_execution_has_five_minutes():
    """Whatever its definition says."""
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 999, "End": True}}}
    run = Machine(wait, type="EXPRESS").start()
    assert run.advance(299).status == "RUNNING"
    assert run.advance(1).status == "TIMED_OUT"


def test_a_full_history_ends_an_execution_wherever_it_becomes_full():
    """Also in the step in which a timer rings."""

    class Full(list):
        """A history with 24,999 events."""

        def __len__(self):
            return 24_999

    states = {"W": {"Type": "Wait", "Seconds": 1, "End": True}}
    execution = Execution({"StartAt": "W", "States": states}, {}, dict(CONTEXT))
    step(execution, [Start()], Outside(new_id=lambda: "timer"))
    execution.history = Full(execution.history)
    step(execution, [Due("timer")], Outside(now=1.0))
    assert (execution.status, execution.history[-1]["type"]) == ("FAILED", "ExecutionFailed")
    assert execution.cause == "The execution reached the maximum number of history events (25000)."


def test_a_limit_is_evaluated_once():
    """The event and the timer of a task have the same seconds."""
    task = TASK | {"TimeoutSeconds": "{% $floor($random() * 1000) + 1 %}"}
    definition = {"QueryLanguage": "JSONata", "StartAt": "T", "States": {"T": task}}
    run = Machine(definition, tasks={"T": Slow("1d", 1)}).start()
    began = run.now
    (scheduled,) = (event for event in run.events if event["type"] == "LambdaFunctionScheduled")
    run.finish()
    seconds = scheduled["lambdaFunctionScheduledEventDetails"]["timeoutInSeconds"]
    assert (run.now - began).total_seconds() == seconds


def test_ids_differ_without_any_care():
    """Two ids of a default `Outside` are never the same."""
    assert Outside().new_id() != Outside().new_id()


def test_a_fault_of_the_interpreter_is_no_result(monkeypatch):
    """An execution fails with States.Runtime and keeps the traceback; a test stops with it."""
    from states_language.kinds import Pass

    monkeypatch.setattr(Pass, "begin", lambda *_: 1 / 0)
    states = {"P": {"Type": "Pass", "End": True}}
    execution = Execution({"StartAt": "P", "States": states}, {}, dict(CONTEXT))
    step(execution, [Start()], Outside())
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert "ZeroDivisionError" in execution.faults[0]
    with pytest.raises(MachineError, match="a fault of states_language"):
        machine(states).start()
