import json
import time
import uuid

import pytest
from botocore.exceptions import ClientError

PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
WAIT = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 60, "End": True}}}
JSONATA = {"QueryLanguage": "JSONata", "StartAt": "A"}
ROLE = "arn:aws:iam::123456789012:role/tests"


def refused(call, *arguments, **parameters):
    """The code and the message of an error."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **parameters)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_start_without_a_name_gets_one(machine):
    """Each gets a UUID, so a second start is another execution."""
    mine = machine(PASS)
    first, second = mine.run(), mine.run()
    assert first["executionArn"] != second["executionArn"]
    assert str(uuid.UUID(first["name"])) == first["name"]
    assert first["status"] == second["status"] == "SUCCEEDED"


@pytest.mark.parametrize("arn", ["x", "arn:x", "arn:aws:states:us-east-1"])
def test_what_is_no_arn_is_refused(machine, arn):
    """A part of an ARN, pasted for the whole, names nothing."""
    client = machine(PASS).client
    expected = ("InvalidArn", f"Invalid Arn: 'Invalid ARN prefix: {arn}'")
    assert refused(client.describe_execution, executionArn=arn) == expected
    assert refused(client.start_execution, stateMachineArn=arn) == expected


def test_a_start_without_an_input_has_an_empty_object(machine):
    """AWS's default input is `{}`."""
    mine = machine(PASS)
    arn = mine.client.start_execution(stateMachineArn=mine.arn)["executionArn"]
    assert mine.wait(arn)["input"] == "{}"


def test_the_same_start_while_it_runs_is_the_same_execution(machine):
    """Name and input again: 200, the same ARN."""
    mine = machine(WAIT)
    assert mine.start({"a": 1}, name="n") == mine.start({"a": 1}, name="n")


def test_a_name_with_another_input_is_refused(machine):
    """ExecutionAlreadyExists, with the ARN."""
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


@pytest.mark.parametrize("name", ["a b", "a:b", "a/b", "{a}", "a\nb", "a*"])
def test_a_bad_name_is_refused(machine, name):
    """InvalidName."""
    assert refused(machine(PASS).start, name=name) == ("InvalidName", f"Invalid Name: '{name}'")


def test_a_long_name_is_refused(machine):
    """At most 80 characters."""
    code, message = refused(machine(PASS).start, name="n" * 81)
    assert code == "ValidationException"
    assert "Member must have length less than or equal to 80" in message


def test_an_input_that_is_no_json_is_refused(machine):
    """InvalidExecutionInput, in the words of AWS's parser."""
    mine = machine(PASS)
    code, message = refused(mine.client.start_execution, stateMachineArn=mine.arn, input="nope")
    assert code == "InvalidExecutionInput"
    assert message.startswith("Invalid State Machine Execution Input: 'Unrecognized token 'nope'")


def test_an_input_over_256_kb_is_refused(machine):
    """262,144 bytes are the limit."""
    mine = machine(PASS)
    assert refused(mine.start, "x" * 262_143)[0] == "ValidationException"
    assert mine.run("x" * 262_142)["status"] == "SUCCEEDED"


def test_an_unknown_machine_is_refused(machine):
    """StateMachineDoesNotExist, with the ARN."""
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
    """No error and no cause: no such keys."""
    mine = machine(WAIT)
    arn = mine.start()
    mine.client.stop_execution(executionArn=arn)
    told = mine.wait(arn)
    assert told["status"] == "ABORTED" and not {"error", "cause", "output"} & set(told)
    assert mine.events(arn)[-1]["executionAbortedEventDetails"] == {}


def test_a_stopped_task_stays_aborted(machine, function):
    """What the task does afterwards changes nothing."""
    sleeper = function("import time\ndef lambda_handler(event, context): time.sleep(0.5)", Timeout=10)
    mine = machine(
        {
            "StartAt": "A",
            "States": {
                "A": {"Type": "Task", "Resource": sleeper.arn, "Next": "B"},
                "B": {"Type": "Pass", "End": True},
            },
        }
    )
    arn = mine.start()
    time.sleep(0.2)
    mine.client.stop_execution(executionArn=arn, error="E")
    before = mine.events(arn)
    time.sleep(0.8)
    assert mine.client.describe_execution(executionArn=arn)["status"] == "ABORTED"
    assert mine.events(arn) == before
    listed = mine.client.list_executions(stateMachineArn=mine.arn, statusFilter="ABORTED")["executions"]
    assert [each["executionArn"] for each in listed] == [arn]


def test_a_stop_of_what_has_ended_changes_nothing(machine):
    """200, and it stays SUCCEEDED."""
    mine = machine(PASS)
    arn = mine.run()["executionArn"]
    assert mine.client.stop_execution(executionArn=arn, error="E")["stopDate"]
    assert mine.client.describe_execution(executionArn=arn)["status"] == "SUCCEEDED"


def test_creating_the_same_machine_again_is_idempotent(machine, role):
    """Name and definition again: 200, the same ARN; role and tags do not matter."""
    mine = machine(PASS)
    assert machine(PASS, name=mine.name, roleArn=role().arn).arn == mine.arn


def test_creating_another_machine_of_that_name_is_refused(machine):
    """StateMachineAlreadyExists; also for the same definition in another spelling."""
    mine = machine(PASS)
    expected = ("StateMachineAlreadyExists", f"State Machine Already Exists: '{mine.arn}'")
    assert refused(machine, WAIT, name=mine.name) == expected
    assert refused(machine, json.dumps(PASS, indent=1), name=mine.name) == expected


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        ("{", "INVALID_JSON_DESCRIPTION"),
        ("[]", "INVALID_JSON_DESCRIPTION"),
        ({"StartAt": "A"}, "SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /"),
        (
            {"StartAt": "B", "States": PASS["States"]},
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /StartAt",
        ),
        (
            {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}},
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Next",
        ),
        ({"StartAt": "A", "States": {"A": {"Type": "Nope", "End": True}}}, "at /States/A/Type"),
        (
            {
                "StartAt": "A",
                "States": {"A": {"Type": "Parallel", "Branches": [{"StartAt": "X"}], "End": True}},
            },
            "These fields are required: [States] at /States/A/Branches[0]",
        ),
        (
            {"StartAt": "A", "States": {"A": PASS["States"]["A"] | {"Output": 1}}},
            "SCHEMA_VALIDATION_FAILED: The QueryLanguage is set to 'JSONPath', but field 'Output' is only "
            "supported for the 'JSONata' QueryLanguage at /States/A",
        ),
        (
            JSONATA | {"States": {"A": {"Type": "Pass", "Output": {"v": "{% phone %}"}, "End": True}}},
            "UNSUPPORTED_JSONATA_EXPRESSION: Reference to 'phone' at the top level is not supported. "
            "at /States/A/Output/v",
        ),
    ],
)
def test_an_invalid_definition_is_refused(machine, definition, text):
    """InvalidDefinition at creation and at an update, and the machine stays as it was."""
    code, message = refused(machine, definition)
    assert code == "InvalidDefinition"
    assert message.startswith("Invalid State Machine Definition: '") and text in message
    mine = machine(PASS)
    wrong = definition if isinstance(definition, str) else json.dumps(definition)
    update = mine.client.update_state_machine
    assert refused(update, stateMachineArn=mine.arn, definition=wrong)[0] == "InvalidDefinition"
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
    """ValidateStateMachineDefinition says OK or FAIL, and where the fault is. It makes no machine."""
    names = [each["name"] for each in aws("stepfunctions").list_state_machines()["stateMachines"]]
    assert validated(PASS) == ("OK", [], False)
    mixed = JSONATA | {"States": {"A": {"Type": "Pass", "QueryLanguage": "JSONPath", "End": True}}}
    text = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
    fault = {
        "severity": "ERROR",
        "code": "SCHEMA_VALIDATION_FAILED",
        "message": text,
        "location": "/States/A",
    }
    assert validated(mixed) == ("FAIL", [fault], False)
    only_for_moto = {"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": [], "Default": "A"}}}
    assert validated(only_for_moto)[0] == "FAIL"
    assert [each["name"] for each in aws("stepfunctions").list_state_machines()["stateMachines"]] == names


def test_warnings_come_if_wanted(validated):
    """By `severity`; the definition is fine nevertheless."""
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "$.a", "End": True}}}
    assert validated(definition) == ("OK", [], False)
    result, (warning,), _ = validated(definition, severity="WARNING")
    assert (result, warning["severity"], warning["code"]) == ("OK", "WARNING", "PASS_RESULT_IS_STATIC")


def test_only_so_many_diagnostics_come(validated):
    """As many as `maxResults` says, and 100 if it does not. `truncated` says that there are more."""
    wrong = {f"no{n}": n for n in range(101)}
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True} | wrong}}
    for most, expected in ({"maxResults": 2}, 2), ({}, 100), ({"maxResults": 0}, 100):
        _, diagnostics, truncated = validated(definition, **most)
        assert (len(diagnostics), truncated) == (expected, True)


def test_the_variables_that_states_read_are_described(machine):
    """By DescribeStateMachine and DescribeStateMachineForExecution; nothing if there are none."""
    state = {"Type": "Pass", "Parameters": {"a.$": "$x"}, "End": True}
    first = {"Type": "Pass", "Assign": {"x": 1}, "Next": "B"}
    mine = machine({"StartAt": "A", "States": {"A": first, "B": state}})
    states, execution = mine.client, mine.start()
    expected = {"B": ["x"]}
    assert states.describe_state_machine(stateMachineArn=mine.arn)["variableReferences"] == expected
    mine.wait(execution)
    states.update_state_machine(stateMachineArn=mine.arn, definition=json.dumps(PASS))
    assert "variableReferences" not in states.describe_state_machine(stateMachineArn=mine.arn)
    told = states.describe_state_machine_for_execution(executionArn=execution)
    assert told["variableReferences"] == expected


def test_deleting_a_machine_twice_is_no_error(machine):
    """200 for a machine that is not there."""
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


def test_the_history_is_paged(machine):
    """maxResults, nextToken and reverseOrder."""
    states = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(60)}
    mine = machine({"StartAt": "S0", "States": states | {"S60": {"Type": "Pass", "End": True}}})
    arn = mine.run()["executionArn"]
    first = mine.client.get_execution_history(executionArn=arn)
    assert len(first["events"]) == 100 and first["nextToken"]
    pages = mine.client.get_paginator("get_execution_history")
    ids = [event["id"] for page in pages.paginate(executionArn=arn) for event in page["events"]]
    assert ids == list(range(1, 125))
    newest = mine.client.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1)
    assert newest["events"][0]["type"] == "ExecutionSucceeded"


def test_a_wrong_token_is_refused(machine):
    """InvalidToken."""
    mine = machine(PASS)
    arn = mine.run()["executionArn"]
    call = mine.client.get_execution_history
    assert refused(call, executionArn=arn, nextToken="nonsense")[0] == "InvalidToken"


def test_the_name_of_a_stopped_execution_is_taken_at_once(machine, function):
    """The same name and input start nothing, although the function still runs."""
    sleeper = function("import time\ndef lambda_handler(event, context): time.sleep(2)", Timeout=10)
    task = {"Type": "Task", "Resource": sleeper.arn, "End": True}
    mine = machine({"StartAt": "A", "States": {"A": task}})
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
