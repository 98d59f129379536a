import json
import uuid

import pytest
from helpers import flow, one, refused

PASS = one({"Type": "Pass"})
WAIT = one({"Type": "Wait", "Seconds": 60})
UNKNOWN = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:knows", "End": True}
UNRECOGNIZED = (
    "The resource provided arn:aws:states:::dynamodb:knows is not recognized. The value is not a valid "
    "resource ARN, or the resource is not available in this region."
)
ROLE = "arn:aws:iam::123456789012:role/tests"


def test_a_start_without_a_name_gets_one(machine):
    """Each gets a UUID, so a second start is another execution."""
    mine = machine(PASS)
    first, second = mine.run(), mine.run()
    assert first["executionArn"] != second["executionArn"]
    assert str(uuid.UUID(first["name"])) == first["name"]
    assert first["status"] == second["status"] == "SUCCEEDED"


def test_a_start_without_an_input_has_an_empty_object(machine):
    """AWS's default input is `{}`."""
    mine = machine(PASS)
    arn = mine.client.start_execution(stateMachineArn=mine.arn)["executionArn"]
    assert mine.wait(arn)["input"] == "{}"


def test_the_same_start_while_it_runs_is_the_same_execution(machine):
    """A start with the same name and input returns the same ARN while the execution runs."""
    mine = machine(WAIT)
    assert mine.start({"a": 1}, name="n") == mine.start({"a": 1}, name="n")


def test_a_name_with_another_input_is_refused(machine):
    """The same name with another input is an ExecutionAlreadyExists with the ARN."""
    mine = machine(WAIT)
    arn = mine.start({"a": 1}, name="n")
    assert refused(mine.start, {"a": 2}, name="n") == (
        "ExecutionAlreadyExists",
        f"Execution Already Exists: '{arn}'",
    )


def test_a_name_of_an_execution_that_ended_is_refused(machine):
    """A name is not free again when its execution has ended."""
    mine = machine(PASS)
    mine.run(name="n")
    assert refused(mine.start, name="n")[0] == "ExecutionAlreadyExists"


def test_a_wrong_start_is_refused(machine):
    """StartExecution checks its name, its input and its ARN."""
    mine = machine(PASS)
    assert refused(mine.start, name="a b") == ("InvalidName", "Invalid Name: 'a b'")
    start = mine.client.start_execution
    assert refused(start, stateMachineArn=mine.arn, input="nope")[0] == "InvalidExecutionInput"
    assert refused(start, stateMachineArn="x")[0] == "InvalidArn"


def test_an_unknown_machine_is_refused(machine):
    """To start an unknown machine is a StateMachineDoesNotExist with the ARN."""
    mine = machine(PASS)
    arn = mine.arn + "-not"
    code, message = refused(mine.client.start_execution, stateMachineArn=arn)
    assert (code, message) == ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


def test_a_stop_keeps_its_error_and_cause(machine):
    """StopExecution's error and cause are in the description and in the last event."""
    mine = machine(WAIT)
    arn = mine.start()
    stopped = mine.client.stop_execution(executionArn=arn, error="E", cause="because")
    told = mine.client.describe_execution(executionArn=arn)
    assert (told["status"], told["error"], told["cause"]) == ("ABORTED", "E", "because")
    assert told["stopDate"] == stopped["stopDate"]
    last = mine.events(arn)[-1]
    assert (last["type"], last["previousEventId"]) == ("ExecutionAborted", 0)
    assert last["executionAbortedEventDetails"] == {"error": "E", "cause": "because"}


def test_a_stop_without_reasons_has_none(machine):
    """A stopped execution without an error and a cause has no such fields."""
    mine = machine(WAIT)
    arn = mine.start()
    mine.client.stop_execution(executionArn=arn)
    told = mine.wait(arn)
    assert told["status"] == "ABORTED" and not {"error", "cause", "output"} & set(told)
    assert mine.events(arn)[-1]["executionAbortedEventDetails"] == {}


def test_a_stopped_task_stays_aborted(machine, gated, advance):
    """What the task does afterwards changes nothing."""
    waits = gated()
    mine = machine(flow(A={"Type": "Task", "Resource": waits.arn, "Next": "B"}, B={"Type": "Pass"}))
    arn = mine.start()
    waits.begun()
    mine.client.stop_execution(executionArn=arn, error="E")
    before = mine.events(arn)
    waits.open()
    advance()  # its function ends
    assert mine.client.describe_execution(executionArn=arn)["status"] == "ABORTED"
    assert mine.events(arn) == before
    listed = mine.client.list_executions(stateMachineArn=mine.arn, statusFilter="ABORTED")["executions"]
    assert [each["executionArn"] for each in listed] == [arn]


def test_a_stop_of_what_has_ended_changes_nothing(machine):
    """An execution that has ended stays SUCCEEDED after a StopExecution."""
    mine = machine(PASS)
    arn = mine.run()["executionArn"]
    assert mine.client.stop_execution(executionArn=arn, error="E")["stopDate"]
    assert mine.client.describe_execution(executionArn=arn)["status"] == "SUCCEEDED"


def test_creating_another_machine_of_that_name_is_refused(machine):
    """A name with another definition, or another spelling of it, is a StateMachineAlreadyExists."""
    mine = machine(PASS)
    expected = ("StateMachineAlreadyExists", f"State Machine Already Exists: '{mine.arn}'")
    assert refused(machine, WAIT, name=mine.name) == expected
    assert refused(machine, json.dumps(PASS, indent=1), name=mine.name) == expected


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        (
            one({"Type": "Task"}),
            "SCHEMA_VALIDATION_FAILED: These fields are required: [Resource] at /States/A",
        ),
        (
            one(UNKNOWN),
            f"SCHEMA_VALIDATION_FAILED: {UNRECOGNIZED} at /States/A/Resource",
        ),
    ],
)
def test_an_invalid_definition_is_refused(machine, definition, text):
    """A definition is checked at its creation and at an update. A refused update changes nothing."""
    error = ("InvalidDefinition", f"Invalid State Machine Definition: '{text}'")
    assert refused(machine, definition) == error
    mine = machine(PASS)
    update = mine.client.update_state_machine
    assert refused(update, stateMachineArn=mine.arn, definition=json.dumps(definition)) == error
    assert mine.run()["status"] == "SUCCEEDED"


@pytest.fixture
def validated(aws):
    """What ValidateStateMachineDefinition says."""
    validate = aws("stepfunctions").validate_state_machine_definition

    def answer(definition, **more):
        told = validate(definition=json.dumps(definition), **more)
        return told["result"], told["diagnostics"], told["truncated"]

    return answer


def test_a_definition_can_be_validated(validated, aws):
    """ValidateStateMachineDefinition says OK or FAIL, and where an error is. It makes no machine."""
    names = [each["name"] for each in aws("stepfunctions").list_state_machines()["stateMachines"]]
    assert validated(PASS) == ("OK", [], False)
    wrong = one({"Type": "Task"})
    diagnostic = {
        "severity": "ERROR",
        "code": "SCHEMA_VALIDATION_FAILED",
        "message": "These fields are required: [Resource]",
        "location": "/States/A",
    }
    assert validated(wrong) == ("FAIL", [diagnostic], False)
    assert [each["name"] for each in aws("stepfunctions").list_state_machines()["stateMachines"]] == names


def test_a_state_inside_a_map_is_validated(validated):
    """The location leads through the Map."""
    inside = one(UNKNOWN, "I")
    state = {"Type": "Map", "ItemProcessor": inside, "End": True}
    result, (diagnostic,), _ = validated(one(state))
    place = "/States/A/ItemProcessor/States/I/Resource"
    assert (result, diagnostic["message"], diagnostic["location"]) == ("FAIL", UNRECOGNIZED, place)


def test_warnings_come_if_wanted(validated):
    """A definition with warnings is OK. The warnings come if `severity` asks for them."""
    definition = one({"Type": "Pass", "Result": "$.a"})
    assert validated(definition) == ("OK", [], False)
    result, (warning,), _ = validated(definition, severity="WARNING")
    assert (result, warning["severity"], warning["code"]) == ("OK", "WARNING", "PASS_RESULT_IS_STATIC")


def test_only_so_many_diagnostics_come(validated):
    """There are at most `maxResults` diagnostics, or 100. `truncated` says that there are more."""
    wrong = {f"no{n}": n for n in range(101)}
    definition = one({"Type": "Pass"} | wrong)
    for most, expected in ({"maxResults": 2}, 2), ({}, 100), ({"maxResults": 0}, 100):
        _, diagnostics, truncated = validated(definition, **most)
        assert (len(diagnostics), truncated) == (expected, True)


def test_the_variables_that_states_read_are_described(machine):
    """Both descriptions of a machine have the variables that its states read, if there are any."""
    state = {"Type": "Pass", "Parameters": {"a.$": "$x"}, "End": True}
    first = {"Type": "Pass", "Assign": {"x": 1}, "Next": "B"}
    mine = machine(flow(A=first, B=state))
    states, execution = mine.client, mine.start()
    expected = {"B": ["x"]}
    assert states.describe_state_machine(stateMachineArn=mine.arn)["variableReferences"] == expected
    mine.wait(execution)
    states.update_state_machine(stateMachineArn=mine.arn, definition=json.dumps(PASS))
    assert "variableReferences" not in states.describe_state_machine(stateMachineArn=mine.arn)
    told = states.describe_state_machine_for_execution(executionArn=execution)
    assert told["variableReferences"] == expected


def test_deleting_a_machine_twice_is_no_error(machine):
    """To delete a machine that does not exist is a success."""
    mine = machine(PASS)
    for _ in range(2):
        status = mine.client.delete_state_machine(stateMachineArn=mine.arn)["ResponseMetadata"][
            "HTTPStatusCode"
        ]
        assert status == 200


def test_tags_die_with_their_machine(machine):
    """A new machine of a deleted one's name has only its own tags."""
    mine = machine(PASS, tags=[{"key": "old", "value": "1"}])
    mine.client.delete_state_machine(stateMachineArn=mine.arn)
    machine(PASS, name=mine.name, tags=[{"key": "new", "value": "2"}])
    tags = mine.client.list_tags_for_resource(resourceArn=mine.arn)["tags"]
    assert tags == [{"key": "new", "value": "2"}]


def test_the_name_of_a_stopped_execution_is_taken_at_once(machine, gated):
    """The same name and input start nothing, although the function still runs."""
    task = {"Type": "Task", "Resource": gated().arn}
    mine = machine(one(task))
    arn = mine.start({"a": 1}, name="n")
    assert mine.start({"a": 1}, name="n") == arn
    mine.client.stop_execution(executionArn=arn)
    assert refused(mine.start, {"a": 1}, name="n")[0] == "ExecutionAlreadyExists"


def test_a_name_is_new_again_after_its_machine_was_deleted(machine):
    """An execution of a new machine shows nothing of a stopped execution with the same ARN."""
    told = []
    for given in ({"a": 1}, {"a": 2}):
        mine = machine(WAIT, name="made-again")
        arn = mine.start(given, name="n")
        told.append(mine.client.describe_execution(executionArn=arn))
        told.append(mine.client.describe_execution(executionArn=arn))  # this answer may be a stored one
        mine.client.stop_execution(executionArn=arn)
        mine.client.delete_state_machine(stateMachineArn=mine.arn)
    assert [(each["status"], each["input"]) for each in told] == [
        *[("RUNNING", '{"a": 1}')] * 2,
        *[("RUNNING", '{"a": 2}')] * 2,
    ]
