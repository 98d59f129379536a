"""Which errors a machine sees, and which of them it can catch."""

import pytest
from helpers import ECHO, flow, one, outcome

GONE = "arn:aws:lambda:us-east-1:123456789012:function:nobody"
PASS = {"Type": "Pass", "End": True}
WAIT = {"Type": "Wait", "Seconds": 60}
AT_2 = "An error occurred while executing the state 'A' (entered at the event id #2). "


def caught(state, *names):
    """A machine of the state A, which goes on with B when A fails so."""
    return flow(A=state | {"Catch": [{"ErrorEquals": list(names), "Next": "B"}]}, B=PASS)


def task(resource, **fields):
    return {"Type": "Task", "Resource": resource} | fields


def integration(name, **parameters):
    return task(f"arn:aws:states:::{name}", Parameters=parameters)


def choice(rule, **more):
    choices = {"Type": "Choice", "Choices": [rule | {"Next": "B"}]} | more
    return flow(A=choices, B=PASS | {"Result": "B"}, C=PASS | {"Result": "C"})


def parallel(*states):
    branches = [one(each, name=f"X{n}") for n, each in enumerate(states)]
    return {"Type": "Parallel", "Branches": branches}


@pytest.mark.parametrize(
    "rule",
    [
        {"Variable": "$.status", "NumericEquals": 0},
        {"Variable": "$.status", "IsNull": True},
        {"Or": [{"Variable": "$.status", "StringEquals": "x"}, {"Variable": "$.n", "IsPresent": True}]},
        {"Variable": "$.n", "NumericEqualsPath": "$.status"},
    ],
)
def test_a_missing_variable_fails_in_spite_of_a_default(machine, rule):
    """Only IsPresent may test a variable that is missing. Everything else is States.Runtime."""
    reason = "Invalid path '$.status': The choice state's condition path references an invalid value."
    assert outcome(machine, choice(rule, Default="C"), {"n": 1}) == ("States.Runtime", AT_2 + reason)


def test_nothing_after_a_missing_variable_is_done(machine):
    """The history ends in the Choice state, which is never left."""
    mine = machine(choice({"Variable": "$.status", "NumericEquals": 0}, Default="C"))
    events = mine.events(mine.run()["executionArn"])
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "ChoiceStateEntered",
        "ExecutionFailed",
    ]


@pytest.mark.parametrize(
    ("rule", "to"),
    [
        ({"Variable": "$.a", "IsPresent": True}, "C"),
        ({"Not": {"Variable": "$.a", "IsPresent": True}}, "B"),
        ({"And": [{"Variable": "$.a", "IsPresent": True}, {"Variable": "$.a", "NumericEquals": 1}]}, "C"),
    ],
)
def test_a_choice_may_ask_first_whether_it_is_there(machine, rule, to):
    """IsPresent works for a missing variable, and an And stops at its first part that is false."""
    assert outcome(machine, choice(rule, Default="C")) == to


def test_a_rule_that_matches_before_is_enough(machine):
    """A variable of a later rule need not be there."""
    definition = choice({"Variable": "$.no", "NumericEquals": 1}, Default="C")
    first = {"Variable": "$.n", "NumericEquals": 1, "Next": "B"}
    definition["States"]["A"]["Choices"].insert(0, first)
    assert outcome(machine, definition, {"n": 1}) == "B"


def test_a_function_that_is_not_there(machine):
    """A missing function is a `Lambda.ResourceNotFoundException`, and the cause has the service's words."""
    error, cause = outcome(machine, one(task(GONE)))
    assert error == "Lambda.ResourceNotFoundException"
    details = "(Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; Request ID: "
    assert cause.startswith(f"Function not found: {GONE}:$LATEST {details}")


@pytest.mark.parametrize("name", ["Lambda.ResourceNotFoundException", "States.TaskFailed", "States.ALL"])
def test_a_function_that_is_not_there_can_be_caught(machine, name):
    """A Catch may name the error, States.TaskFailed or States.ALL."""
    assert outcome(machine, caught(task(GONE), name))["Error"] == "Lambda.ResourceNotFoundException"


@pytest.mark.parametrize(
    ("name", "calls"), [("Lambda.ResourceNotFoundException", 2), ("Lambda.ServiceException", 1)]
)
def test_a_function_that_is_not_there_can_be_retried(machine, name, calls):
    """A Retry that names the error tries it again, and a Retry with another name does not."""
    retry = [{"ErrorEquals": [name], "IntervalSeconds": 1, "MaxAttempts": 1}]
    mine = machine(one(task(GONE, Retry=retry)))
    types = [event["type"] for event in mine.events(mine.run()["executionArn"])]
    assert types.count("LambdaFunctionScheduled") == calls


@pytest.mark.parametrize(
    ("state", "error", "cause"),
    [
        (
            integration("lambda:invoke", FunctionName="nobody", Qualifier="7"),
            "Lambda.ResourceNotFoundException",
            "Function not found: arn:aws:lambda:us-east-1:123456789012:function:nobody:7 "
            "(Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; Request ID: ",
        ),
        (
            integration("sns:publish", TopicArn="arn:aws:sns:us-east-1:123456789012:no", Message="x"),
            "SNS.NotFoundException",
            "Topic does not exist (Service: AmazonSNS; Status Code: 404; Error Code: NotFound; Request ID: ",
        ),
        (
            integration("sns:publish", TopicArn="arn:aws:sns:us-east-1:123456789012:no", Message=""),
            "SNS.InvalidParameterException",
            "Invalid parameter: Empty message (Service: AmazonSNS; Status Code: 400; "
            "Error Code: InvalidParameter; Request ID: ",
        ),
        (
            integration("dynamodb:putItem", TableName="nothing", Item={"id": {"S": "1"}}),
            "DynamoDB.ResourceNotFoundException",
            "Requested resource not found (Service: AmazonDynamoDBv2; Status Code: 400; "
            "Error Code: ResourceNotFoundException; Request ID: ",
        ),
    ],
)
def test_an_integrations_error_can_be_caught_by_its_name(machine, state, error, cause):
    """An error begins with its service. Its cause has the status, the code and the request id."""
    found = outcome(machine, caught(state, error))
    assert found["Error"] == error
    assert found["Cause"].startswith(cause)


def test_an_integration_of_another_partition_fails(machine, topic):
    """A Resource of another partition can be created. When it runs, it is a States.Runtime."""
    state = task("arn:aws-cn:states:::sns:publish", Parameters={"TopicArn": topic, "Message": "x"})
    reason = "The resource belongs to a different partition from the running execution."
    assert outcome(machine, one(state)) == ("States.Runtime", AT_2 + reason)


#: A Choice without a match.
RULE = {"Variable": "$", "NumericEquals": 2, "Next": "Y"}
UNMATCHED = flow(X={"Type": "Choice", "Choices": [RULE]}, Y=PASS)


@pytest.mark.parametrize("name", ["States.ALL", "States.Runtime"])
@pytest.mark.parametrize(
    "state",
    [
        task(GONE, Parameters={"a.$": "$.no"}),
        integration("sqs:sendMessage", **{"QueueUrl.$": "$.no"}),
        parallel({"Type": "Pass", "InputPath": "$.no", "End": True}),
        {"Type": "Parallel", "Branches": [UNMATCHED]},
        {"Type": "Map", "ItemProcessor": one(PASS, "I"), "ItemsPath": "$.no"},
    ],
)
def test_a_runtime_error_cannot_be_caught(machine, state, name):
    """No Retry and no Catch sees States.Runtime, in any kind of state."""
    definition = caught(state | {"Retry": [{"ErrorEquals": [name]}]}, name)
    mine = machine(definition)
    execution = mine.run()
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Runtime")
    assert [event["type"] for event in mine.events(execution["executionArn"])][-1] == "ExecutionFailed"


def test_a_path_of_a_tasks_parameters_that_is_not_there(machine):
    """A missing path is States.Runtime. The cause has the field and the input."""
    definition = one(task(GONE, Parameters={"a.$": "$.no"}))
    reason = "The JSONPath '$.no' specified for the field 'a.$' could not be found in the input '{\"b\":1}'"
    assert outcome(machine, definition, {"b": 1}) == ("States.Runtime", AT_2 + reason)


@pytest.mark.parametrize("kind", ["Parallel", "Map"])
def test_a_time_out_in_a_branch_can_be_caught(machine, function, kind):
    """`States.Timeout` leaves its branch or iteration with its name."""
    waits = {"Parameters": {"FunctionName": function(ECHO).arn}}
    state = task("arn:aws:states:::lambda:invoke.waitForTaskToken", TimeoutSeconds=1, End=True) | waits
    inner = one(state, "X")
    state = {"Type": kind} | (
        {"Branches": [inner]} if kind == "Parallel" else {"ItemsPath": "$.x", "Iterator": inner}
    )
    expected = {"Error": "States.Timeout", "Cause": ""}
    assert outcome(machine, caught(state, "States.Timeout"), {"x": [1]}) == expected


@pytest.mark.parametrize("error", ["NotEnough", "States.Timeout", "States.TaskFailed"])
def test_a_fail_state_passes_an_error_on(machine, error):
    """ErrorPath and CausePath may have any error, also one of AWS's own."""
    definition = one({"Type": "Fail", "ErrorPath": "$.Error", "CausePath": "$.Cause"})
    assert outcome(machine, definition, {"Error": error, "Cause": "why"}) == (error, "why")


def test_a_fail_state_whose_path_is_not_there(machine):
    """A Fail state whose path is missing fails with States.Runtime."""
    assert outcome(machine, one({"Type": "Fail", "ErrorPath": "$.Error"}))[0] == "States.Runtime"


@pytest.mark.parametrize("path", ["$.x", "$$.Execution.Input"])
def test_a_map_needs_an_array(machine, path):
    """A Map over a number or an object fails with States.Runtime, which no Catch sees."""
    processor = one(PASS, "I")
    mapped = caught({"Type": "Map", "ItemsPath": path, "ItemProcessor": processor}, "States.ALL")
    reason = f'Reference path "{path.replace("$$", "$")}" must point to array.'
    assert outcome(machine, mapped, {"x": 5}) == ("States.Runtime", AT_2 + reason)


def test_a_distributed_map_takes_an_object(machine):
    """A Distributed Map maps the keys and values of an object."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    processor = one(PASS, "I", ProcessorConfig=config)
    selector = {"k.$": "$$.Map.Item.Key", "v.$": "$$.Map.Item.Value", "n.$": "$.n"}
    mapped = {"Type": "Map", "ItemsPath": "$.x", "ItemSelector": selector, "ItemProcessor": processor}
    expected = [{"k": "a", "v": 1, "n": 5}, {"k": "b", "v": [], "n": 5}]
    assert outcome(machine, one(mapped), {"x": {"a": 1, "b": []}, "n": 5}) == expected


def test_a_failing_iteration_fails_its_map(machine, function):
    """The history ends with MapIterationFailed, TaskStateAborted, MapStateFailed and the function's error."""
    bad = function("def lambda_handler(event, context): raise ValueError(event)")
    inner = one(task(bad.arn, End=True), "X")
    mine = machine(one({"Type": "Map", "ItemsPath": "$.x", "Iterator": inner}))
    execution = mine.run({"x": [1]})
    assert (execution["status"], execution["error"]) == ("FAILED", "ValueError")
    types = [event["type"] for event in mine.events(execution["executionArn"])]
    assert types[-4:] == ["MapIterationFailed", "TaskStateAborted", "MapStateFailed", "ExecutionFailed"]


def test_a_failing_branch_ends_the_others(machine, function):
    """The Parallel state does not wait for a branch that would take long."""
    bad = function("def lambda_handler(event, context): raise ValueError")
    waiting = {"Type": "Wait", "Seconds": 60, "End": True}
    mine = machine(one(parallel(waiting, task(bad.arn, End=True))))
    execution = mine.run()
    assert (execution["status"], execution["error"]) == ("FAILED", "ValueError")
    assert [event["type"] for event in mine.events(execution["executionArn"])][-2:] == [
        "ParallelStateFailed",
        "ExecutionFailed",
    ]


def aborted(mine, execution):
    """What was aborted, and whether each names the event of the failure as the one before."""
    events = mine.events(execution["executionArn"])
    (failed,) = (event["id"] for event in events if event["type"] == "TaskFailed")
    found = [event for event in events if event["type"].endswith("Aborted")]
    assert {event["previousEventId"] for event in found} == {failed}
    return [event["type"] for event in found]


def test_the_states_of_all_branches_are_aborted(machine):
    """The one that failed, too. Each names the event of the failure as the one before."""
    fails = integration("lambda:invoke", FunctionName=GONE) | {"End": True}
    after = {"W": WAIT | {"Seconds": 1, "Next": "F"}, "F": fails}  # so that the other branches have begun
    slow = {"S": WAIT | {"Next": "T"}, "T": PASS}
    state = parallel(PASS)
    state["Branches"] += [flow(**states) for states in (after, slow)]
    mine = machine(caught(state, "States.ALL") | {"TimeoutSeconds": 30})
    execution = mine.run()
    assert execution["status"] == "SUCCEEDED"
    assert aborted(mine, execution) == ["TaskStateAborted", "WaitStateAborted"]


def test_the_states_of_all_iterations_are_aborted(machine):
    """First those of the iterations that are cut, then the one that failed."""
    rule = {"Variable": "$", "NumericEquals": 1, "Next": "S"}
    inner = {
        "C": {"Type": "Choice", "Choices": [rule], "Default": "W"},
        "S": WAIT | {"Seconds": 1, "Next": "T"},  # so that the other iteration waits
        "T": integration("lambda:invoke", FunctionName=GONE) | {"End": True},
        "W": WAIT | {"Next": "P"},
        "P": PASS,
    }
    state = {"Type": "Map", "ItemProcessor": flow(**inner)}
    mine = machine(caught(state, "States.ALL"))
    assert aborted(mine, mine.run([2, 1])) == ["MapIterationAborted", "WaitStateAborted", "TaskStateAborted"]


@pytest.mark.parametrize("field", ["MaxConcurrencyPath", "ToleratedFailureCountPath"])
def test_a_number_of_a_map_that_is_none(machine, field):
    """States.Runtime. The cause says in which state."""
    inner = one({"Type": "Pass"}, "I")
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": inner, field: "$.number"}
    if field.startswith("Tolerated"):
        config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
        state["ItemProcessor"] = inner | config
    error, cause = outcome(machine, one(state), {"items": [1], "number": "many"})
    assert error == "States.Runtime"
    assert cause.startswith(f'{AT_2}The {field} field refers to value "many"')
