"""TestState: one state alone, with a mock or a real call."""

import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config
from helpers import ROLE, refused

PASS = {"Type": "Pass", "End": True}
RESULTING = PASS | {"Result": 1}
ONE = {"StartAt": "Inner", "States": {"Inner": PASS}}
TWO = [ONE, {"StartAt": "Other", "States": {"Other": PASS}}]
TASK = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True}
NEXT = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Next": "B"}
START = TASK | {"Resource": "arn:aws:states:::states:startExecution"}
MAP = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": ONE, "End": True}
PARALLEL = {"Type": "Parallel", "Branches": TWO, "End": True}
CHOICE = {
    "Type": "Choice",
    "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "One"}],
    "Default": "No",
}
WAIT = {"Type": "Wait", "Timestamp": "2020-01-01T00:00:00Z", "Next": "B"}
ITEMS = {"items": [1, 2, 3]}
RESULT = {"result": "{}"}
THREE = {"result": "[7, 8, 9]"}
ERROR = {"errorOutput": {"error": "Oops", "cause": "why"}}
RETRY = [{"ErrorEquals": ["Other"]}, {"ErrorEquals": ["Oops"], "IntervalSeconds": 1, "MaxAttempts": 5}]
SIXTEEN = {"retryIndex": 1, "retryBackoffIntervalSeconds": 16}
NO_ARRAY = 'Reference path "$" must point to array.'
CATCH = [{"ErrorEquals": ["Other"], "Next": "X"}, {"ErrorEquals": ["States.ALL"], "Next": "Y"}]
PASSED = {"afterInputPath", "afterParameters", "afterResultSelector", "afterResultPath"}
MAPPED = {"afterInputPath", "afterItemsPath", "afterResultSelector", "afterResultPath", "maxConcurrency"}


@pytest.fixture
def test_state(aws):
    """`test_state(definition, input, mock=...)`: the reply, with JSON texts read."""
    return lambda *given, **options: call(aws("stepfunctions"), *given, **options)


def call(client, definition, given=None, **options):
    parts = {"definition": definition, "input": {} if given is None else given}
    parts |= {name: options.pop(name) for name in ("variables", "context") if name in options}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parts.items()}
    reply = client.test_state(**texts, **options)
    del reply["ResponseMetadata"]
    data = reply.get("inspectionData", {})
    data.update({name: json.loads(value) for name, value in data.items() if isinstance(value, str)})
    return reply | ({"output": json.loads(reply["output"])} if "output" in reply else {})


@pytest.mark.parametrize(
    ("state", "given", "mock", "fields"),
    [
        (PASS, {}, None, PASSED),
        (RESULTING, {}, None, {"result", "afterResultSelector", "afterResultPath"}),
        (CHOICE, {"n": 1}, None, {"afterInputPath"}),
        (WAIT, {}, None, {"afterInputPath"}),
        ({"Type": "Succeed"}, {}, None, {"afterInputPath"}),
        ({"Type": "Fail", "Error": "E"}, {}, None, {"afterInputPath"}),
        (TASK, {}, RESULT, PASSED | {"result"}),
        (TASK, {}, ERROR, {"afterInputPath", "afterParameters"}),
        (PARALLEL, {}, {"result": "[1, 2]"}, {"afterResultSelector", "afterResultPath"}),
        (MAP, ITEMS, THREE, MAPPED),
        (MAP, ITEMS, ERROR, {"afterInputPath", "afterItemsPath", "maxConcurrency"}),
        (MAP | {"ItemSelector": {"n": 1}}, ITEMS, THREE, MAPPED | {"afterItemSelector"}),
        (MAP | {"ToleratedFailureCount": 0}, ITEMS, THREE, MAPPED | {"toleratedFailureCount"}),
        (MAP | {"ToleratedFailurePercentage": 1.0}, ITEMS, THREE, MAPPED | {"toleratedFailurePercentage"}),
    ],
)  # fmt: skip
def test_what_an_inspection_shows(test_state, state, given, mock, fields):
    """Each type of state has its own fields in DEBUG; TRACE shows the same, and INFO shows none."""
    options = {"mock": mock} if mock else {}
    replies = [test_state(state, given, inspectionLevel=level, **options) for level in ("DEBUG", "TRACE")]
    assert [set(reply.pop("inspectionData")) for reply in replies] == [fields | {"input"}] * 2
    assert test_state(state, given, **options) == replies[0]


def test_data_of_a_task(test_state):
    """Each field of the inspection shows the data after its step."""
    steps = {
        "InputPath": "$.a",
        "Parameters": {"TopicArn": "t", "Message.$": "$.b", "Other": 1},
        "ResultSelector": {"id.$": "$.MessageId"},
        "ResultPath": "$.sent",
        "OutputPath": "$.sent",
    }
    mock = {"result": '{"MessageId": "m"}'}
    reply = test_state(TASK | steps, {"a": {"b": 1}}, mock=mock, inspectionLevel="DEBUG")
    assert reply["inspectionData"] == {
        "input": {"a": {"b": 1}},
        "afterInputPath": {"b": 1},
        "afterParameters": {"TopicArn": "t", "Message": 1, "Other": 1},
        "result": {"MessageId": "m"},
        "afterResultSelector": {"id": "m"},
        "afterResultPath": {"a": {"b": 1}, "sent": {"id": "m"}},
    }
    assert reply["output"] == {"id": "m"}


def test_data_of_a_map(test_state):
    """The mock is the output of the whole Map. ItemSelector is applied to each item."""
    selector = {"item.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index", "of.$": "$.of"}
    given = {"items": ["a", "b"], "of": "x"}
    fields = {"ItemSelector": selector, "MaxConcurrency": 2, "ToleratedFailurePercentage": 50.0}
    reply = test_state(MAP | fields, given, mock=THREE, inspectionLevel="DEBUG")
    data = reply["inspectionData"]
    assert data["afterItemSelector"] == [
        {"item": "a", "at": 0, "of": "x"},
        {"item": "b", "at": 1, "of": "x"},
    ]
    assert data["afterItemsPath"] == ["a", "b"]
    assert (data["maxConcurrency"], data["toleratedFailurePercentage"]) == (2, 50.0)
    assert reply["output"] == [7, 8, 9]


@pytest.mark.parametrize(
    ("state", "given", "expected"),
    [
        ({"Type": "Pass", "Next": "B"}, 5, {"output": 5, "nextState": "B"}),
        (PASS, None, {"output": {}}),
        ({"Type": "Succeed", "InputPath": "$.a"}, {"a": 1}, {"output": 1}),
        (CHOICE, {"n": 1}, {"output": {"n": 1}, "nextState": "One"}),
        (CHOICE, {"n": 2}, {"output": {"n": 2}, "nextState": "No"}),
        (WAIT, {"n": 2}, {"output": {"n": 2}, "nextState": "B"}),
    ],
)
def test_success(test_state, state, given, expected):
    """A reply of SUCCEEDED has the output, and the next state if there is one."""
    assert test_state(state, given) == {"status": "SUCCEEDED"} | expected


@pytest.mark.parametrize(
    ("state", "mock", "expected"),
    [
        ({"Type": "Fail", "Error": "E", "Cause": "C"}, None, {"error": "E", "cause": "C"}),
        ({"Type": "Fail"}, None, {}),
        (NEXT, ERROR, {"error": "Oops", "cause": "why"}),
        (TASK, {"errorOutput": {"error": "E"}}, {"error": "E"}),
        (MAP, ERROR, {"error": "Oops", "cause": "why"}),
        (PARALLEL, ERROR, {"error": "Oops", "cause": "why"}),
        (MAP | {"ItemsPath": "$"}, THREE, {"error": "States.Runtime", "cause": NO_ARRAY}),
    ],
)  # fmt: skip
def test_failure(test_state, state, mock, expected):
    """A reply of FAILED has the error and the cause, but no output and no next state."""
    assert test_state(state, ITEMS, **({"mock": mock} if mock else {})) == {"status": "FAILED"} | expected


def test_a_failure_does_not_name_the_place_in_a_history(test_state):
    """There is no history, so the cause of States.Runtime is the reason alone."""
    reply = test_state(TASK | {"Parameters": {"m.$": "$.no"}}, {}, mock=RESULT)
    cause = "The JSONPath '$.no' specified for the field 'm.$' could not be found in the input '{}'"
    assert reply == {"status": "FAILED", "error": "States.Runtime", "cause": cause}


@pytest.mark.parametrize(
    ("state", "fields", "count", "told"),
    [
        (TASK, {"Retry": RETRY}, 0, ("RETRIABLE", {"retryIndex": 1, "retryBackoffIntervalSeconds": 1})),
        (TASK, {"Retry": RETRY}, 4, ("RETRIABLE", SIXTEEN)),
        (TASK, {"Retry": RETRY}, 5, ("FAILED", {"retryIndex": 1})),
        *(
            (state, {"Retry": RETRY, "Catch": CATCH}, 4, ("RETRIABLE", SIXTEEN))
            for state in (TASK, MAP, PARALLEL)
        ),
        *(
            (state, {"Retry": RETRY, "Catch": CATCH}, 5, ("CAUGHT_ERROR", {"catchIndex": 1}))
            for state in (TASK, MAP, PARALLEL)
        ),
        (TASK, {"Catch": CATCH}, 0, ("CAUGHT_ERROR", {"catchIndex": 1})),
        (TASK, {"Retry": RETRY[:1], "Catch": CATCH[:1]}, 0, ("FAILED", None)),
    ],
)
def test_retry_and_catch(test_state, state, fields, count, told):
    """The first Retry that names the error decides whether the state is retried. Then comes the Catch."""
    options = {"stateConfiguration": {"retrierRetryCount": count}, "inspectionLevel": "DEBUG"}
    reply = test_state(state | fields, ITEMS, mock=ERROR, **options)
    assert (reply["status"], reply.pop("inspectionData").get("errorDetails")) == told
    caught = {"nextState": "Y", "output": {"Error": "Oops", "Cause": "why"}}
    expected = {"status": told[0], "error": "Oops", "cause": "why"}
    assert reply == expected | (caught if told[0] == "CAUGHT_ERROR" else {})


@pytest.mark.parametrize(
    ("retrier", "count", "seconds"),
    [
        ({"IntervalSeconds": 2, "BackoffRate": 2.0}, 1, 4),
        ({"IntervalSeconds": 3, "BackoffRate": 2.0, "MaxDelaySeconds": 5}, 1, 5),
        ({"MaxAttempts": 99_999_999, "MaxDelaySeconds": 7}, 9_999_999, 7),
    ],
)
def test_the_interval_of_a_retry(test_state, retrier, count, seconds):
    """It is IntervalSeconds, times BackoffRate for each retry, and at most MaxDelaySeconds."""
    options = {"stateConfiguration": {"retrierRetryCount": count}, "inspectionLevel": "DEBUG"}
    state = TASK | {"Retry": [{"ErrorEquals": ["States.ALL"]} | retrier]}
    details = test_state(state, mock=ERROR, **options)["inspectionData"]["errorDetails"]
    assert details["retryBackoffIntervalSeconds"] == seconds


@pytest.mark.parametrize("state", [TASK, {"Type": "Parallel", "Branches": TWO, "End": True}])
def test_what_an_output_may_read(test_state, state):
    """A result or an error, and not both. After a Retry, the error is an old one."""
    whole = "{% $keys($states) %}"
    catch = {"ErrorEquals": ["States.ALL"], "Next": "Y", "Output": whole}
    asked = {key: value for key, value in state.items() if key != "Parameters"}
    asked |= {"QueryLanguage": "JSONata", "Output": whole, "Catch": [catch]}
    result = {"result": "[1, 2]" if state["Type"] == "Parallel" else "{}"}
    for mock, third in ((result, "result"), (ERROR, "errorOutput")):
        assert sorted(test_state(asked, mock=mock)["output"]) == sorted(["input", "context", third])


def test_result_path_of_a_catch(test_state):
    """The ResultPath of a Catch puts the error into the input."""
    state = TASK | {"Catch": [{"ErrorEquals": ["Oops"], "ResultPath": "$.e", "Next": "Y"}]}
    assert test_state(state, {"a": 1}, mock=ERROR)["output"] == {
        "a": 1,
        "e": {"Error": "Oops", "Cause": "why"},
    }


def test_a_catch_that_leads_back(test_state):
    """The next state may be the same state."""
    catch = [{"ErrorEquals": ["Oops"], "Next": "Again"}]
    machine = {"StartAt": "Again", "States": {"Again": NEXT | {"Catch": catch}, "B": {"Type": "Succeed"}}}
    assert test_state(machine, {}, stateName="Again", mock=ERROR)["nextState"] == "Again"


def test_a_mocked_error_of_the_states_family(test_state):
    """A mock can be an error whose name begins with States."""
    state = TASK | {"Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Y"}]}
    reply = test_state(
        state, mock={"errorOutput": {"error": "States.TaskFailed", "cause": "The task failed."}}
    )
    assert (reply["status"], reply["error"]) == ("CAUGHT_ERROR", "States.TaskFailed")


@pytest.mark.parametrize(
    ("fields", "count", "status"),
    [
        ({"ToleratedFailureCount": 1}, 1, "SUCCEEDED"),
        ({"ToleratedFailureCount": 1}, 2, "FAILED"),
        ({"ToleratedFailurePercentage": 40.0}, 1, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 40.0}, 2, "FAILED"),
        ({"ToleratedFailureCount": 1, "Retry": [{"ErrorEquals": ["States.ALL"]}]}, 2, "RETRIABLE"),
        ({"ToleratedFailureCount": 1, "Catch": CATCH}, 2, "CAUGHT_ERROR"),
        ({}, 2, "SUCCEEDED"),
    ],
)
def test_failed_iterations(test_state, fields, count, status):
    """More failures than a Map tolerates are an error. Without any tolerance, they do not count."""
    reply = test_state(
        MAP | fields, ITEMS, mock=THREE, stateConfiguration={"mapIterationFailureCount": count}
    )
    error = "States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded"
    assert reply["status"] == status
    assert (reply.get("error"), reply.get("cause")) == ((None, None) if status == "SUCCEEDED" else error)


def test_a_mocked_error_comes_before_failed_iterations(test_state):
    """A reply has the mocked error, even if too many iterations failed."""
    configuration = {"mapIterationFailureCount": 2, "errorCausedByState": "Inner"}
    state = MAP | {"ToleratedFailureCount": 1}
    assert test_state(state, ITEMS, mock=ERROR, stateConfiguration=configuration)["error"] == "Oops"


READER = MAP | {
    "ItemProcessor": ONE | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
    "ItemReader": {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "b", "Key": "k"},
    },
    "ItemSelector": {"it.$": "$$.Map.Item.Value"},
}
READER.pop("ItemsPath")
CSV = {"ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}}


@pytest.mark.parametrize(
    ("reader", "data", "items"),
    [
        ({}, "[1, 2]", [1, 2]),
        (CSV, "n,m\n1,2\n", [{"n": "1", "m": "2"}]),
        ({"ReaderConfig": {"InputType": "JSONL"}}, "1\n2\n", [1, 2]),
        ({}, None, None),
    ],
)
def test_data_of_an_item_reader(test_state, reader, data, items):
    """An ItemReader reads mapItemReaderData, which is JSON or CSV. Without this data, it reads nothing."""
    state = READER | {"ItemReader": READER["ItemReader"] | reader}
    configuration = {} if data is None else {"mapItemReaderData": data}
    reply = test_state(state, {}, mock=THREE, stateConfiguration=configuration, inspectionLevel="DEBUG")
    selected = None if items is None else [{"it": item} for item in items]
    assert reply["inspectionData"].get("afterItemSelector") == selected
    assert reply["output"] == [7, 8, 9]


def test_the_batches_of_a_map(test_state):
    """The inspection shows the input of each child execution that ItemBatcher makes."""
    state = READER | {"ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"by.$": "$.by"}}}
    data = {"mapItemReaderData": "[1, 2, 3]"}
    reply = test_state(state, {"by": 5}, mock=THREE, stateConfiguration=data, inspectionLevel="DEBUG")
    assert reply["inspectionData"]["afterItemBatcher"] == [
        {"BatchInput": {"by": 5}, "Items": [{"it": 1}, {"it": 2}]},
        {"BatchInput": {"by": 5}, "Items": [{"it": 3}]},
    ]


def test_item_reader_data_that_cannot_be_read(test_state):
    """The state fails with States.ItemReaderFailed."""
    configuration = {"mapItemReaderData": "not JSON"}
    reply = test_state(READER, {}, mock=THREE, stateConfiguration=configuration)
    assert (reply["status"], reply["error"]) == ("FAILED", "States.ItemReaderFailed")


ITEM = {"Type": "Pass", "Parameters": {"m.$": "$$.Map.Item", "n.$": "$$.State.Name"}, "End": True}
BRANCH = {"Branch": {"Type": "Pass", "Next": "Last"}, "Last": {"Type": "Succeed"}}
MACHINE = {
    "StartAt": "First",
    "States": {
        "First": {"Type": "Pass", "Next": "Each"},
        "Each": {
            "Type": "Map",
            "ItemProcessor": {"StartAt": "Item", "States": {"Item": ITEM}},
            "Next": "Both",
        },
        "Both": {"Type": "Parallel", "Branches": [{"StartAt": "Branch", "States": BRANCH}], "End": True},
    },
}


def test_a_state_of_a_machine(test_state):
    """A stateName chooses a state of a whole machine, also one that is inside another one."""
    assert test_state(MACHINE, 1, stateName="First") == {
        "status": "SUCCEEDED",
        "output": 1,
        "nextState": "Each",
    }
    assert test_state(MACHINE, 1, stateName="Branch")["nextState"] == "Last"


def test_a_state_inside_a_map(test_state):
    """The context object of a state inside a Map has item 0, and the item is the input."""
    reply = test_state(MACHINE, ["x"], stateName="Item")
    assert reply["output"] == {"m": {"Index": 0, "Value": ["x"]}, "n": "Item"}


def test_variables(test_state):
    """A state sees the variables of the request, and the inspection shows them with what it assigns."""
    state = {"Type": "Pass", "Parameters": {"v.$": "$v.a"}, "Assign": {"w": 2}, "End": True}
    reply = test_state(state, {}, variables={"v": {"a": 1}}, inspectionLevel="DEBUG")
    assert reply["output"] == {"v": 1}
    assert reply["inspectionData"]["variables"] == {"v": {"a": 1}, "w": 2}


JSONATA = {"QueryLanguage": "JSONata"}
ASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sns:publish",
    "Arguments": {"Message": "{% $states.input.m %}"},
}
EACH = {"Type": "Map", "Items": "{% $states.input.items %}", "ItemProcessor": ONE}
SELECTED = EACH | {"ItemSelector": {"n": "{% $states.context.Map.Item.Value %}"}}
RULE = {"Condition": "{% $states.input.n = 1 %}", "Next": "One", "Assign": {"v": 2}}


@pytest.mark.parametrize(
    ("state", "given", "mock", "fields"),
    [
        ({"Type": "Pass"}, {}, None, set()),
        ({"Type": "Succeed"}, {}, None, set()),
        ({"Type": "Choice", "Choices": [RULE]}, {"n": 1}, None, {"variables"}),
        (ASK, {"m": "hello"}, RESULT, {"afterArguments", "result"}),
        (ASK, {"m": "hello"}, ERROR, {"afterArguments"}),
        ({"Type": "Parallel", "Branches": TWO}, {}, {"result": "[1, 2]"}, set()),
        (EACH, ITEMS, THREE, {"maxConcurrency"}),
        (SELECTED, ITEMS, THREE, {"maxConcurrency", "afterItemSelector"}),
    ],
)  # fmt: skip
def test_what_an_inspection_of_jsonata_shows(test_state, state, given, mock, fields):
    """A state in JSONata has fewer steps, so the inspection is shorter."""
    ends = {} if state["Type"] in {"Choice", "Succeed"} else {"End": True}
    options = {"mock": mock} if mock else {}
    reply = test_state(JSONATA | ends | state, given, inspectionLevel="DEBUG", **options)
    assert set(reply["inspectionData"]) == {"input"} | fields, reply


def test_the_data_of_a_distributed_map_in_jsonata(test_state):
    """A Distributed Map may map an object, and its tolerance may be an expression."""
    fields = {"ToleratedFailureCount": "{% 2 %}", "Items": {"a": "{% $states.input.n %}"}, "End": True}
    item = {"ItemSelector": {"item": "{% $states.context.Map.Item %}"}}
    state = JSONATA | EACH | fields | item | {"ItemProcessor": READER["ItemProcessor"]}
    data = test_state(state, {"n": 5}, mock=THREE, inspectionLevel="DEBUG")["inspectionData"]
    assert data["afterItemSelector"] == [{"item": {"Index": 0, "Key": "a", "Value": 5}}]
    assert data["toleratedFailureCount"] == 2


def test_the_data_of_a_task_in_jsonata(test_state):
    """The inspection shows the arguments and the raw result, which the Output sees."""
    state = JSONATA | ASK | {"Output": "{% $states.result.MessageId %}", "Next": "B"}
    reply = test_state(state, {"m": "hello"}, mock={"result": '{"MessageId": "m"}'}, inspectionLevel="DEBUG")
    assert (reply["output"], reply["nextState"]) == ("m", "B")
    data = {"input": {"m": "hello"}, "afterArguments": {"Message": "hello"}, "result": {"MessageId": "m"}}
    assert reply["inspectionData"] == data


def test_the_language_of_the_machine(test_state):
    """A state has the query language of its machine."""
    machine = {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": PASS | {"Output": "{% $v + 1 %}"}}}
    assert test_state(machine, {}, stateName="A", variables={"v": 1})["output"] == 2


def test_the_context_in_jsonata(test_state):
    """An expression sees the given context object, or the usual one."""
    shown = {"Output": "{% $states.context %}"}
    usual = test_state(JSONATA | PASS | shown)["output"]
    assert set(usual) == {"Execution", "StateMachine", "State"}
    assert set(usual["State"]) == {"Name", "EnteredTime"}
    options = {"mock": RESULT, "context": {"State": {"Name": "mine"}}}
    assert test_state(JSONATA | ASK | shown | {"End": True}, {"m": "x"}, **options)["output"] == {
        "State": {"Name": "mine"}
    }


SEEN = {"Parameters": {"c.$": "$$"}}


def seen(test_state, state=TASK, **options):
    """The context object that a state sees."""
    options = {"mock": RESULT, "inspectionLevel": "DEBUG"} | options
    return test_state(state | SEEN, {"a": 1}, **options)["inspectionData"]["afterParameters"]["c"]


def test_the_usual_context(test_state):
    """An execution of an express machine runs the state, which is called StateName."""
    context = seen(test_state)
    execution, machine, state = (context.pop(name) for name in ("Execution", "StateMachine", "State"))
    assert context == {}
    name = execution["Name"]
    assert execution["Id"] == f"arn:aws:states:us-east-1:123456789012:express:{machine['Name']}:{name}"
    assert (execution["Input"], execution["RoleArn"]) == ({"a": 1}, None)
    assert machine["Id"] == f"arn:aws:states:us-east-1:123456789012:stateMachine:{machine['Name']}"
    assert (state["Name"], state["RetryCount"]) == ("StateName", 0)
    assert execution["StartTime"] == state["EnteredTime"] and state["EnteredTime"].endswith("Z")
    assert seen(test_state, roleArn=ROLE)["Execution"]["RoleArn"] == ROLE


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"Execution": {}, "State": {}, "StateMachine": {}},
        {"Execution": {"Input": [1]}, "State": {"RetryCount": 3}},
    ],
)
def test_a_given_context(test_state, context):
    """A given context object replaces the usual one, and nothing is added."""
    assert seen(test_state, context=context) == context


@pytest.mark.parametrize("pattern", [".waitForTaskToken", ".sync:2"])
def test_a_task_that_waits(test_state, pattern):
    """With a mock, a Task does not wait, and its token is that of the context object."""
    state = START | {"Resource": START["Resource"] + pattern}
    times = {"StartDate": "2026-01-01T00:00:00Z", "StateMachineArn": "m", "Status": "SUCCEEDED"}
    mock = {"result": json.dumps({"ExecutionArn": "e", **times})}
    assert seen(test_state, state, context={"Task": {"Token": "t"}}, mock=mock) == {"Task": {"Token": "t"}}


def test_an_activity(test_state):
    """With a mock, the result of an activity may be any JSON."""
    state = TASK | {"Resource": "arn:aws:states:us-east-1:123456789012:activity:a"}
    assert test_state(state, 1, mock={"result": '"done"'})["output"] == "done"


def test_a_function_is_really_called(test_state, function):
    """Without a mock, a Task makes its call."""
    mine = function("def lambda_handler(event, context): return {'got': event}")
    assert test_state(TASK | {"Resource": mine.arn}, 5, roleArn=ROLE)["output"] == {"got": 5}


def test_a_call_has_the_rights_of_the_given_role(test_state, function, role):
    """The call is made with this role, so it fails if its policies do not allow the call."""
    mine = function("def lambda_handler(event, context): return 1")
    state = TASK | {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": mine.arn}}
    may = role({"Action": "lambda:InvokeFunction", "Resource": mine.arn})
    assert test_state(state, roleArn=may.arn)["output"]["Payload"] == 1
    reply = test_state(state, roleArn=role().arn)
    assert (reply["status"], reply["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    assert "is not authorized to perform: lambda:InvokeFunction" in reply["cause"]


def test_a_retry_does_not_wait(test_state, function):
    """A real error is RETRIABLE at once, however long the Retry would wait."""
    mine = function("def lambda_handler(event, context): raise ValueError(1)")
    retry = [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 99_999_999}]
    reply = test_state(TASK | {"Resource": mine.arn, "Retry": retry}, roleArn=ROLE)
    assert (reply["status"], reply["error"]) == ("RETRIABLE", "ValueError")


def test_a_test_leaves_nothing(aws, test_state):
    """A test creates no state machine."""
    before = aws("stepfunctions").list_state_machines()["stateMachines"]
    test_state(MACHINE, 1, stateName="First")
    assert aws("stepfunctions").list_state_machines()["stateMachines"] == before


def test_tests_at_the_same_time(test_state):
    """Tests that run at the same time have their own variables, inputs and mocks."""
    state = TASK | {"Parameters": {"v.$": "$v"}, "ResultPath": "$.r", "Assign": {"v": "$.MessageId"}}

    def one(number):
        mock, options = {"result": json.dumps({"MessageId": str(number)})}, {"inspectionLevel": "DEBUG"}
        reply = test_state(state, {"n": number}, mock=mock, variables={"v": number}, **options)
        return reply["inspectionData"]["afterParameters"]["v"], reply["output"]

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(one, range(24)))
    assert got == [(number, {"n": number, "r": {"MessageId": str(number)}}) for number in range(24)]


def test_a_foreign_client(emulator, monkeypatch):
    """AWS's clients put `sync-` before the host. A variable turns this off."""
    monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
    key = {"aws_access_key_id": emulator["access_key_id"], "aws_secret_access_key": "any"}
    client = boto3.session.Session(region_name="us-east-1", **key).client(
        "stepfunctions", endpoint_url=emulator["endpoint"], config=Config(proxies={})
    )
    assert call(client, PASS, 1)["output"] == 1


def test_more_failures_than_iterations_are_refused(aws):
    """A Map cannot have more failed iterations than items."""
    told = refused(
        call, aws("stepfunctions"), MAP, ITEMS, mock=THREE, stateConfiguration={"mapIterationFailureCount": 4}
    )
    message = "Map iteration failure count must be less than or equal to the number of Map iterations"
    assert told == ("ValidationException", message)


@pytest.mark.parametrize(
    ("mode", "result"), [("PRESENT", {"executionArn": "e"}), ("NONE", {"ExecutionArn": 1})]
)
def test_a_mode_of_validation_accepts_a_mock(test_state, mode, result):
    """PRESENT does not want the required fields. NONE checks nothing."""
    mock = {"result": json.dumps(result), "fieldValidationMode": mode}
    assert test_state(START, mock=mock)["output"] == result


def test_rights_to_test(user, role):
    """A test needs states:TestState, a call also iam:PassRole, and secrets also states:RevealSecrets."""
    nobody, tester = user(), user({"Action": "states:TestState", "Resource": "*"})
    code, text = refused(call, nobody("stepfunctions"), PASS)
    assert code == "AccessDeniedException" and "states:TestState on resource: *" in text
    assert "iam:PassRole" in refused(call, tester("stepfunctions"), TASK, roleArn=ROLE)[1]
    assert call(tester("stepfunctions"), TASK, mock=RESULT, roleArn=ROLE)["status"] == "SUCCEEDED"
    assert "states:RevealSecrets" in refused(call, tester("stepfunctions"), PASS, revealSecrets=True)[1]


def test_a_role_that_step_functions_cannot_assume(aws, role):
    """A call needs a role that trusts Step Functions."""
    other = role(trusted={"Version": "2012-10-17", "Statement": []})
    assert refused(call, aws("stepfunctions"), TASK, roleArn=other.arn)[0] == "AccessDeniedException"


def test_json_stays_as_it_is_written(aws):
    """A value that does not change keeps the text of the request. A new value has no spaces."""
    state = json.dumps({"Type": "Pass", "Parameters": {"a.$": "$.a"}, "End": True})
    given = '{"a": [1, 2], "b": 3}'
    told = aws("stepfunctions").test_state(definition=state, input=given, inspectionLevel="DEBUG")
    assert (told["inspectionData"]["input"], told["output"]) == (given, '{"a":[1,2]}')
