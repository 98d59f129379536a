"""A state machine in a test: what `Machine` and its runs promise."""

import json
import re
from pathlib import Path

import pytest

from states_language import Error, Machine, MachineError, Slow, Token

README = Path(__file__).parents[1] / "README.md"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
TASK = {"Type": "Task", "Resource": FUNCTION, "End": True}


def alone(**fields):
    """A machine with one Task."""
    return {"StartAt": "T", "States": {"T": TASK | fields}}


def test_the_readme_works():
    """The example of the README is a test, and it passes."""
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    names = {}
    exec(code, names)
    names["test_an_order_is_approved_after_a_broken_gateway"]()


@pytest.mark.parametrize("form", ["file", "text", "dict"])
def test_a_definition_has_three_forms(tmp_path, form):
    """A path, a text, or a dict."""
    text = json.dumps(alone())
    file = tmp_path / "order.asl.json"
    file.write_text(text)
    definition = {"file": str(file), "text": text, "dict": alone()}[form]
    assert Machine(definition, tasks={"T": 7}).start().output == 7


def test_a_list_has_an_answer_for_each_attempt():
    """The last one holds for all further attempts."""
    retry = [{"ErrorEquals": ["E"], "MaxAttempts": 5, "IntervalSeconds": 1, "BackoffRate": 1.0}]
    run = Machine(alone(Retry=retry), tasks={"T": [Error("E"), Error("E"), "done"]}).start().finish()
    assert (run.output, run.attempts("T")) == ("done", 3)
    run = Machine(alone(Retry=retry), tasks={"T": [Error("E", "why")]}).start().finish()
    assert (run.status, run.error, run.cause, run.attempts("T")) == ("FAILED", "E", "why", 6)


def test_a_function_sees_the_input():
    """It returns a value, or any other answer."""
    machine = Machine(alone(), tasks={"T": lambda given: Error("Odd") if given["n"] % 2 else given["n"] / 2})
    assert machine.start({"n": 4}).output == 2
    assert machine.start({"n": 3}).error == "Odd"


def test_a_function_cannot_change_the_machine():
    """It gets a copy. Another run begins with what the definition says."""
    states = {"P": {"Type": "Pass", "Result": {"l": []}, "Next": "T"}, "T": TASK}
    machine = Machine({"StartAt": "P", "States": states}, tasks={"T": lambda given: given["l"].append(1)})
    machine.start()
    assert machine.start().output_of("P") == {"l": []}


def test_a_slow_function_is_called():
    """It returns the answer, or the error."""
    answer = Slow("5s", lambda given: Error("Odd") if given["n"] % 2 else [given["n"]])
    machine = Machine(alone(), tasks={"T": answer})
    assert machine.start({"n": 4}).finish().output == [4]
    assert machine.start({"n": 3}).finish().error == "Odd"


def test_a_slow_answer_comes_after_the_time_out():
    """A task without an answer in time times out; a Catch sees it."""
    machine = Machine(alone(TimeoutSeconds=5), tasks={"T": Slow("6s", "late")})
    run = machine.start()
    assert run.status == "RUNNING"
    run.advance("4s")
    assert run.status == "RUNNING"
    run.advance(1)
    assert (run.status, run.error) == ("FAILED", "States.Timeout")
    assert (
        Machine(alone(TimeoutSeconds=5), tasks={"T": Slow(4, "in time")}).start().finish().output == "in time"
    )


def test_a_task_that_reads_a_file_has_an_answer_like_any_other():
    """Only the ItemReader of a Map reads the files of the test."""
    task = alone(Resource="arn:aws:states:::aws-sdk:s3:getObject", Parameters={"Bucket": "b", "Key": "k"})
    with pytest.raises(MachineError, match="The Task 'T' calls"):
        Machine(task, files={"b/k": "text"}).start()


def test_a_token_waits_beats_and_fails():
    """A missed heartbeat is a time-out; an outcome ends the task."""
    callback = alone(Resource="arn:aws:states:::sqs:sendMessage.waitForTaskToken", HeartbeatSeconds=10)
    machine = Machine(callback, tasks={"T": Token()})
    run = machine.start()
    run.advance("9s")
    run.token("T").heartbeat()
    run.advance("9s")
    assert run.status == "RUNNING"
    run.token("T").failure("No", "Ann says no")
    assert (run.error, run.cause) == ("No", "Ann says no")
    assert machine.start().advance("10s").error == "States.Timeout"


def test_nobody_waits_for_a_token():
    """The sentence names who waits."""
    run = Machine(alone(), tasks={"T": 1}).start()
    with pytest.raises(MachineError, match=r"'T' does not wait for a token\. No state waits for a token\."):
        run.token("T")


def test_a_task_without_an_answer_says_what_to_write():
    """The sentence names the state, its resource, and the line."""
    with pytest.raises(MachineError, match=rf"The Task 'T' calls '{FUNCTION}'.* Write tasks={{'T': \.\.\.}}"):
        Machine(alone()).start()


@pytest.mark.parametrize(
    ("definition", "tasks", "told"),
    [
        ("nowhere.asl.json", {}, r"'nowhere\.asl\.json' cannot be read: No such file"),
        ({"StartAt": "X", "States": {"T": TASK}}, {}, r"is refused: Missing 'Next' target: X at /StartAt"),
        ("{ no json", {}, "is refused"),
        ('{"TimeoutSeconds": NaN}', {}, "is refused: Non-standard token 'NaN'"),
        ("[1]", {}, "is refused"),
        (None, {}, r"The definition is None\. Write the path of a file"),
        ({"StartAt": {1}}, {}, r"The definition is .*, which is not JSON"),
        (alone(), {"U": 1}, r"No Task is called 'U'\. The Tasks are: T\."),
        (alone(), [1], r"tasks is \[1\]\. Write a dict"),
    ],
)
def test_a_machine_that_cannot_run_is_refused(definition, tasks, told):
    """One sentence says what is wrong."""
    with pytest.raises(MachineError, match=told):
        Machine(definition, tasks=tasks)


@pytest.mark.parametrize("time", ["soon", "-5s", -1, float("nan"), None])
def test_a_time_that_is_none_is_refused(time):
    """The sentence says how to write one. Time does not go back."""
    told = rf"{time!r} is no time\. Write seconds, or a text such as '90s'"
    with pytest.raises(MachineError, match=told):
        Machine(alone(), tasks={"T": 1}).start().advance(time)
    with pytest.raises(MachineError, match=told):
        Slow(time, 1)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Token(), r"The Task 'T' calls '.*', which has no token\. Write another answer"),
        (ValueError("x"), r"The answer of the Task 'T' is ValueError\('x'\), which is not JSON"),
        (float("nan"), "is nan, which is not JSON"),
        (Error, "An Error has a name and a cause, as texts"),
    ],
)
def test_an_answer_that_is_none_is_refused(answer, told):
    """One sentence says what is wrong with it, and not our traceback."""
    with pytest.raises(MachineError, match=told):
        Machine(alone(), tasks={"T": answer}).start()


def test_a_late_word_is_refused():
    """AWS answers TaskTimedOut to a token whose task has ended."""
    callback = alone(Resource="arn:aws:states:::sqs:sendMessage.waitForTaskToken", TimeoutSeconds=10)
    run = Machine(callback, tasks={"T": Token()}).start()
    waiting = run.token("T")
    run.advance("10s")
    with pytest.raises(MachineError, match=r"waits no longer for this token\. AWS answers TaskTimedOut"):
        waiting.success()


def test_a_run_shows_its_status_and_its_path():
    """Pytest writes it where a test fails. Only a Task has attempts."""
    run = Machine(alone(), tasks={"T": 1}).start()
    assert repr(run) == "<Run SUCCEEDED: T>"
    with pytest.raises(MachineError, match=r"No Task is called 'U'"):
        run.attempts("U")


def test_the_same_seed_gives_the_same_run():
    """Ids, random numbers and jitter come from the seed."""
    value = {"v.$": "States.Array(States.UUID(), States.MathRandom(1, 1000000))"}
    definition = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": value, "End": True}}}
    first, second, other = (Machine(definition, seed=seed).start() for seed in (1, 1, 2))
    assert first.events == second.events
    assert first.output != other.output


def test_a_distributed_map_runs_children_over_a_file():
    """Each child is a run of its own; failures are counted against the tolerance."""
    distributed = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "Parameters": {"Bucket": "b", "Key": "k.csv"},
            "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "T",
            "States": {"T": TASK},
        },
        "ToleratedFailureCount": 1,
        "End": True,
    }
    definition = {"StartAt": "M", "States": {"M": distributed}}
    answer = {"T": lambda row: Error("Bad") if row["n"] == "2" else Slow("5s", row["n"] * 2)}
    run = Machine(definition, tasks=answer, files={"b/k.csv": "n\n1\n2\n3\n"}).start().finish()
    assert run.output == ["11", "33"]
    assert [child.status for child in run.children] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    assert run.path == ["M"]
    with pytest.raises(MachineError, match=r"The Map 'M' reads 'b/k\.csv'\. Write files="):
        Machine(definition, tasks=answer).start()


def test_a_child_has_its_own_times_and_its_own_children():
    """It starts when it starts, and was never redriven. A run finds what the children of children did."""

    def over(workflow):
        held = {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, **workflow}
        return {"Type": "Map", "ItemProcessor": held, "End": True}

    task = TASK | {"Parameters": {"is.$": "$$.Execution.RedriveCount", "at.$": "$$.Execution.StartTime"}}
    inner = {"StartAt": "N", "States": {"N": over({"StartAt": "T", "States": {"T": task}})}}
    wait = {"Type": "Wait", "Seconds": 10, "Next": "M"}
    definition = {"StartAt": "W", "States": {"W": wait, "M": over(inner)}}
    run = (
        Machine(definition, tasks={"T": lambda given: given}).start([["a"], ["b"]]).stop().redrive().finish()
    )
    assert run.output == [[{"is": 0, "at": "2026-01-01T00:00:10.000Z"}]] * 2
    assert (run.input_of("T"), run.input_of("N"), run.output_of("T")) == ("b", ["b"], run.output[0][0])
    with pytest.raises(MachineError, match="The run has no input of the state 'X'"):
        run.input_of("X")


def test_a_redrive_runs_only_what_did_not_succeed():
    """A branch that has succeeded is not run again."""
    branch = {"StartAt": "A", "States": {"A": TASK}}
    other = {"StartAt": "B", "States": {"B": TASK}}
    parallel = {"Type": "Parallel", "Branches": [branch, other], "End": True}
    machine = Machine(
        {"StartAt": "P", "States": {"P": parallel}}, tasks={"A": "a", "B": [Error("Down"), "b"]}
    )
    run = machine.start()
    assert run.status == "FAILED"
    run.redrive()
    assert (run.status, run.output) == ("SUCCEEDED", ["a", "b"])
    assert (run.attempts("A"), run.attempts("B")) == (1, 2)
    with pytest.raises(MachineError, match="SUCCEEDED cannot be redriven"):
        run.redrive()


@pytest.mark.parametrize("answer", [1, Slow("5s", 1)])
def test_a_child_may_succeed_after_its_map_run_has_failed(answer):
    """A redrive does not run it again, and has its output."""
    work = {"StartAt": "W", "States": {"W": {**TASK, "Parameters": {"n.$": "$"}}}}
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    distributed = {"Type": "Map", "ItemProcessor": {"ProcessorConfig": config, **work}, "End": True}
    failure = Error("Down") if answer == 1 else Slow("5s", Error("Down"))
    machine = Machine({"StartAt": "M", "States": {"M": distributed}}, tasks={"W": [failure, answer]})
    run = machine.start([1, 2]).finish()
    assert (run.status, [child.status for child in run.children]) == ("FAILED", ["FAILED", "SUCCEEDED"])
    run.redrive().finish()
    assert (run.status, run.output, run.attempts("W")) == ("SUCCEEDED", [1, 1], 3)


def test_a_stop_ends_a_run():
    """As StopExecution, with its error and its cause."""
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 9, "End": True}}}
    run = Machine(wait).start().stop("Enough", "it rains")
    assert (run.status, run.error, run.cause) == ("ABORTED", "Enough", "it rains")
    assert run.events[-1]["type"] == "ExecutionAborted"


def test_an_endless_loop_ends_as_on_aws():
    """Event 25,000 is the failure. An Express execution has no limit there, so it stops the test."""
    loop = {
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}},
    }
    loop["States"]["C"] = {"Type": "Succeed"}
    loop["States"]["B"] = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.x", "IsPresent": True, "Next": "C"}],
        "Default": "A",
    }
    run = Machine(loop).start()
    assert (len(run.events), run.error) == (25_000, "States.Runtime")
    assert run.cause == "The execution reached the maximum number of history events (25000)."
    with pytest.raises(MachineError, match=r"no time has passed\. Its states are probably a loop: .*A -> B"):
        Machine(loop, type="EXPRESS").start()
