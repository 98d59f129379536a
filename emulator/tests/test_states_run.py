import base64
import json
import re

import pytest
from helpers import ECHO, flow, one, outcome


def fails(event, context):
    """The handler of a function that raises an error of its own."""

    class CustomError(Exception):
        pass

    raise CustomError("no")


def sleeps(event, context):
    """The handler of a function that sleeps for some seconds."""
    import time

    time.sleep(event["s"])
    return event["s"]


def test_a_task_runs_its_function(machine, function):
    """A function gets the input and returns the output, with AWS's events in between."""
    double = function("def lambda_handler(event, context): return event['n'] * 2")
    mine = machine(one({"Type": "Task", "Resource": double.arn}))
    execution = mine.run({"n": 21})
    assert (execution["status"], execution["output"]) == ("SUCCEEDED", "42")
    assert [event["type"] for event in mine.events(execution["executionArn"])] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]


def test_a_class_name_can_be_caught(machine, function):
    """Catch finds an exception by its class, and gets the whole error object as the cause."""
    catch = {"ErrorEquals": ["CustomError"], "Next": "B"}
    mine = machine(
        flow(A={"Type": "Task", "Resource": function(fails).arn, "Catch": [catch]}, B={"Type": "Pass"})
    )
    execution = mine.run()
    assert execution["status"] == "SUCCEEDED"
    caught = json.loads(execution["output"])
    assert caught["Error"] == "CustomError"
    cause = json.loads(caught["Cause"])
    assert (cause["errorType"], cause["errorMessage"]) == ("CustomError", "no")
    assert set(cause) == {"errorType", "errorMessage", "requestId", "stackTrace"}


def test_a_functions_time_out_has_its_own_name(machine, function):
    """Lambda's time-out is `Sandbox.Timedout`, not `States.Timeout`."""
    sleeper = function(sleeps, Timeout=1)
    error, cause = outcome(machine, one({"Type": "Task", "Resource": sleeper.arn}), {"s": 9})
    assert error == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in cause


def test_a_machines_time_out(machine):
    """TimeoutSeconds of the machine ends the execution as TIMED_OUT, with a stop date."""
    execution = machine(one({"Type": "Wait", "Seconds": 30}, TimeoutSeconds=1)).run()
    assert execution["status"] == "TIMED_OUT"
    assert (execution["stopDate"] - execution["startDate"]).total_seconds() == 1
    assert not {"error", "cause", "output"} & set(execution)


def test_long_texts_are_the_same_after_the_end(machine):
    """A long input, output, error and cause are told as they were given, also after the end."""
    given, cause = {"text": '\u00e9\U0001f600"' * 10_000}, "why " * 2000
    fail = {"Type": "Fail", "Error": "E", "CausePath": "$.cause"}
    wait = {"Type": "Wait", "Seconds": 1, "End": True}
    for state, more in ((wait, {}), (fail, {"cause": cause})):
        mine, text = machine(one(state)), given | more
        arn = mine.start(text)
        for told in (mine.client.describe_execution(executionArn=arn), mine.wait(arn)):
            assert told["input"] == json.dumps(text)
            assert told["inputDetails"] == {"included": True}
        first, entered, *_, last = mine.events(arn)
        assert json.loads(first["executionStartedEventDetails"]["input"]) == text
        assert json.loads(entered["stateEnteredEventDetails"]["input"]) == text
        if more:
            assert told["cause"] == last["executionFailedEventDetails"]["cause"] == cause
        else:
            assert told["output"] == last["executionSucceededEventDetails"]["output"]
            assert json.loads(told["output"]) == text


def test_an_execution_keeps_its_definition(machine):
    """After an update, an execution still has the definition and the time-out with which it ran."""
    mine = machine(one({"Type": "Wait", "Seconds": 30}, TimeoutSeconds=1))
    execution = mine.run()
    mine.client.update_state_machine(stateMachineArn=mine.arn, definition=json.dumps(one({"Type": "Pass"})))
    ran_with = mine.client.describe_state_machine_for_execution(executionArn=execution["executionArn"])
    assert json.loads(ran_with["definition"])["TimeoutSeconds"] == 1
    (listed,) = mine.client.list_executions(stateMachineArn=mine.arn)["executions"]
    assert listed["stopDate"] == execution["stopDate"]


def test_a_retry_waits_and_tries_again(machine, function):
    """A Retry waits for its interval before the second attempt."""

    def lambda_handler(event, context):
        lambda_handler.calls = n = getattr(lambda_handler, "calls", 0) + 1
        if n == 1:
            raise ValueError("first")
        return n

    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 100}
    task = {"Type": "Task", "Resource": function(lambda_handler).arn, "Retry": [retry]}
    mine = machine(one(task))
    execution = mine.run()
    assert (execution["status"], execution["output"]) == ("SUCCEEDED", "2")
    failed, again = (
        next(event for event in mine.events(execution["executionArn"])[start:] if event["type"] == kind)
        for start, kind in ((0, "LambdaFunctionFailed"), (5, "LambdaFunctionScheduled"))
    )
    assert (again["timestamp"] - failed["timestamp"]).total_seconds() > 0.99


@pytest.mark.parametrize("given", [{"status": 2}, {"status": "0"}])
def test_a_choice_without_a_match(machine, given):
    """A Choice without a match is States.Runtime, as recorded on AWS, also if only the type differs."""
    rule = {"Variable": "$.status", "NumericEquals": 0, "Next": "B"}
    assert outcome(machine, choice(rule), given) == (
        "States.Runtime",
        "An error occurred while executing the state 'A' (entered at the event id #2). "
        "Failed to transition out of the state. The state does not point to a next state.",
    )


def choice(rule):
    return flow(A={"Type": "Choice", "Choices": [rule]}, B={"Type": "Succeed"})


def test_a_fail_without_reasons_has_none(machine):
    """A Fail without an Error and a Cause has neither in its description nor in its event."""
    mine = machine(one({"Type": "Fail"}))
    execution = mine.run()
    assert execution["status"] == "FAILED" and not {"error", "cause"} & set(execution)
    assert mine.events(execution["executionArn"])[-1]["executionFailedEventDetails"] == {}


def test_a_parallel_state_gathers_its_branches(machine, function):
    """The results are in the order of the branches, even if the first branch ends last."""
    sleeper = function(sleeps, Timeout=10)
    branches = [
        one({"Type": "Task", "Resource": sleeper.arn, "Parameters": {"s": seconds}}, name=f"B{seconds}")
        for seconds in (0.4, 0)
    ]
    mine = machine(one({"Type": "Parallel", "Branches": branches}))
    execution = mine.run()
    assert json.loads(execution["output"]) == [0.4, 0]
    types = [event["type"] for event in mine.events(execution["executionArn"])]
    for kind in (
        "ParallelStateEntered",
        "ParallelStateStarted",
        "ParallelStateSucceeded",
        "ParallelStateExited",
    ):
        assert types.count(kind) == 1


def test_every_event_but_the_first_two_has_a_previous_one(machine, function):
    """PreviousEventId points to an earlier event."""
    mine = machine(one({"Type": "Task", "Resource": function("def lambda_handler(e, c): pass").arn}))
    events = mine.events(mine.run()["executionArn"])
    assert [event["previousEventId"] for event in events[:2]] == [0, 0]
    assert all(0 < event["previousEventId"] < event["id"] for event in events[2:])


def test_lambda_invoke(machine, function):
    """`arn:aws:states:::lambda:invoke` gives the whole reply, and errors keep their class."""
    good, bad = function(ECHO), function(fails)
    parameters = {"FunctionName": good.arn, "Payload": {"a": 1}}
    state = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters}
    output = outcome(machine, one(state))
    assert (output["Payload"], output["StatusCode"], output["ExecutedVersion"]) == ({"a": 1}, 200, "$LATEST")
    error, _ = outcome(machine, one(state | {"Parameters": {"FunctionName": bad.arn}}))
    assert error == "CustomError"


def http_headers(told):
    """The headers in the output of a Task. Both of its lists must tell the same ones."""
    http = told["SdkHttpMetadata"]
    assert http["AllHttpHeaders"] == {name: [value] for name, value in http["HttpHeaders"].items()}
    assert [*http["HttpHeaders"]] == sorted(http["HttpHeaders"], key=str.lower)
    assert http["HttpHeaders"]["x-amzn-RequestId"] == told["SdkResponseMetadata"]["RequestId"]
    return http["HttpHeaders"]


def integration(name, parameters):
    resource = f"arn:aws:states:::{name}"
    return one({"Type": "Task", "Resource": resource, "Parameters": parameters})


def test_an_output_tells_about_the_reply_of_the_service(machine, function, table, topic):
    """Optimized integrations have the status and the headers of the reply, and those of `aws-sdk` do not."""
    echo = function(ECHO)
    common = ["Content-Length", "Content-Type", "Date"]
    put = {"TableName": table, "Item": {"id": {"S": "told"}}}
    mine = machine(integration("lambda:invoke", {"FunctionName": echo.arn, "LogType": "Tail"}))
    execution = mine.run()
    told = json.loads(execution["output"])
    assert [*told] == [
        *("ExecutedVersion", "LogResult", "Payload", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode")
    ]
    assert [*http_headers(told)] == [
        "Connection",
        *common,
        *("X-Amz-Executed-Version", "X-Amz-Log-Result", "x-amzn-Remapped-Content-Length"),
        *("x-amzn-RequestId", "X-Amzn-Trace-Id"),
    ]
    assert (told["SdkHttpMetadata"]["HttpStatusCode"], http_headers(told)["Content-Length"]) == (200, "2")
    succeeded = next(it for it in mine.events(execution["executionArn"]) if it["type"] == "TaskSucceeded")
    assert json.loads(succeeded["taskSucceededEventDetails"]["output"]) == told

    told = outcome(machine, integration("dynamodb:putItem", put))
    assert [*told] == ["SdkHttpMetadata", "SdkResponseMetadata"]
    assert [*http_headers(told)] == ["Connection", *common, "Server", "x-amz-crc32", "x-amzn-RequestId"]
    told = json.loads(
        machine(integration("sns:publish", {"TopicArn": topic, "Message": "m"})).run()["output"]
    )
    assert [*http_headers(told)] == ["connection", *common, "x-amzn-RequestId"]
    assert machine(integration("aws-sdk:dynamodb:putItem", put)).run()["output"] == "{}"


def test_a_function_may_run_in_the_background(machine, function):
    """With the InvocationType Event, the Task does not wait for the function, and gets the status 202."""
    slow = function(sleeps, Timeout=90)
    parameters = {"FunctionName": slow.arn, "InvocationType": "Event", "Payload": {"s": 60}}
    told = outcome(machine, integration("lambda:invoke", parameters))
    assert (told["StatusCode"], told["SdkHttpMetadata"]["HttpStatusCode"]) == (202, 202)
    assert "ExecutedVersion" not in told


def test_a_function_gets_its_client_context_and_a_version_may_be_called(machine, function):
    """`Qualifier` and `ClientContext` are those of Lambda's own Invoke."""
    mine = function("def lambda_handler(event, context): return context.client_context.custom")
    version = mine.client.publish_version(FunctionName=mine.name)["Version"]
    context = base64.b64encode(json.dumps({"custom": {"a": "b"}}).encode()).decode()
    parameters = {"FunctionName": mine.name, "Qualifier": version, "ClientContext": context}
    told = outcome(machine, integration("lambda:invoke", parameters))
    assert (told["Payload"], told["ExecutedVersion"]) == ({"a": "b"}, version)


def test_sns_publish(machine, topic, mails, aws, browse):
    """`arn:aws:states:::sns:publish` mails the subscribers."""
    aws("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.org")
    browse(mails()[0]["link"])
    parameters = {"TopicArn": topic, "Message.$": "$.sns"}
    state = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Parameters": parameters}
    mine = machine(one(state))
    execution = mine.run({"sns": "Hello!"})
    assert execution["status"] == "SUCCEEDED"
    assert mails()[-1]["text"].startswith("Hello!")
    scheduled = next(e for e in mine.events(execution["executionArn"]) if e["type"] == "TaskScheduled")
    assert scheduled["taskScheduledEventDetails"]["resourceType"] == "sns"


def test_dynamodb_put_and_get(machine, table):
    """A state machine can put an item and get it again."""
    item = {"id": {"S": "1"}, "n": {"N": "5"}}
    put = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem"}
    get = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:getItem"}
    assert (
        machine(one(put | {"Parameters": {"TableName": table, "Item": item}})).run()["status"] == "SUCCEEDED"
    )
    found = outcome(machine, one(get | {"Parameters": {"TableName": table, "Key": {"id": {"S": "1"}}}}))
    assert found["Item"] == item


@pytest.mark.parametrize(
    ("action", "arguments", "expected"),
    [
        ("dynamodb:describeTable", {"TableName": "@"}, ["TableArn", "ACTIVE"]),
        ("sfn:listStateMachines", {"MaxResults": 1}, ["StateMachines", "CreationDate"]),
    ],
)
def test_any_operation_can_be_called(machine, table, action, arguments, expected):
    """Its names begin with capitals, and its times are texts, so an expression can read all of it."""
    arguments = json.loads(json.dumps(arguments).replace("@", table))
    task = {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{action}", "Arguments": arguments}
    task |= {"Output": "{% $states.result %}"}
    execution = machine(one(task, QueryLanguage="JSONata")).run()
    assert all(word in execution["output"] for word in expected)
    assert re.search(r'Creation\w+":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"', execution["output"])


def test_bytes_are_base64(machine, table, aws):
    """Bytes in a result are Base64, as in all JSON of AWS."""
    key = {"id": {"S": "bytes"}}
    aws("dynamodb").put_item(TableName=table, Item=key | {"b": {"B": b"\xff"}})
    arguments = {"TableName": table, "Key": key}
    task = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:dynamodb:getItem", "Parameters": arguments}
    assert outcome(machine, one(task))["Item"]["b"] == {"B": "/w=="}


def test_a_payload_may_be_an_object(machine, function):
    """`aws-sdk:lambda:invoke` makes JSON of it. What comes back is a text."""
    echo = function(ECHO)
    parameters = {"FunctionName": echo.arn, "Payload": {"a": 1}}
    state = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:lambda:invoke", "Parameters": parameters}
    assert outcome(machine, one(state))["Payload"] == '{"a": 1}'
