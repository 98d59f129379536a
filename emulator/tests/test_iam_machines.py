"""A state machine calls other services as its role."""

import re

import pytest
from botocore.exceptions import ClientError
from helpers import ECHO, one

ACCOUNT = "us-east-1:123456789012"


def task(resource, **fields):
    return one({"Type": "Task", "Resource": resource} | fields)


def integration(name, **parameters):
    return task(f"arn:aws:states:::{name}", Parameters=parameters)


def failed(told):
    """The error and the cause, what is random in it replaced."""
    cause = re.sub(r"assumed-role/([\w-]+)/\w{32} ", r"assumed-role/\1/ID ", told.get("cause", ""))
    return told.get("error"), re.sub(r"Request ID: [\w-]+", "Request ID: ID", cause)


@pytest.mark.parametrize("how", ["by its ARN", "lambda:invoke"])
def test_a_machine_needs_the_right_to_invoke(machine, function, role, how):
    """A denied invocation is a `Lambda.AWSLambdaException` with AWS's cause."""
    echo, mine = function(ECHO), role()
    definition = (
        task(echo.arn) if how == "by its ARN" else integration("lambda:invoke", FunctionName=echo.arn)
    )
    assert failed(machine(definition, roleArn=mine.arn).run()) == (
        "Lambda.AWSLambdaException",
        f"User: arn:aws:sts::123456789012:assumed-role/{mine.name}/ID is not authorized to perform: "
        f"lambda:InvokeFunction on resource: {echo.arn} because no identity-based policy allows the "
        "lambda:InvokeFunction action (Service: AWSLambda; Status Code: 403; Error Code: "
        "AccessDeniedException; Request ID: ID; Proxy: null)",
    )


def test_a_right_to_one_function_is_none_to_another(machine, function, role):
    """The function's ARN counts."""
    first, second = function(ECHO), function(ECHO)
    mine = role({"Action": "lambda:InvokeFunction", "Resource": first.arn})
    assert machine(task(first.arn), roleArn=mine.arn).run()["status"] == "SUCCEEDED"
    assert machine(task(second.arn), roleArn=mine.arn).run()["error"] == "Lambda.AWSLambdaException"


def test_a_machine_needs_the_right_to_publish(machine, role, topic):
    """A denied Publish is an `SNS.AuthorizationErrorException`, and nothing is published."""
    mine = role()
    publish = integration("sns:publish", TopicArn=topic, Message="m")
    assert failed(machine(publish, roleArn=mine.arn).run()) == (
        "SNS.AuthorizationErrorException",
        f"User: arn:aws:sts::123456789012:assumed-role/{mine.name}/ID is not authorized to perform: "
        f"SNS:Publish on resource: {topic} because no identity-based policy allows the SNS:Publish action "
        "(Service: AmazonSNS; Status Code: 403; Error Code: AuthorizationError; Request ID: ID; Proxy: null)",
    )


def test_a_machine_may_publish_where_it_may(machine, role, topic):
    """The topic's ARN counts."""
    mine = role({"Action": "sns:Publish", "Resource": topic})
    publish = integration("sns:publish", TopicArn=topic, Message="m")
    assert machine(publish, roleArn=mine.arn).run()["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("dynamodb:getItem", "DynamoDB.AmazonDynamoDBException"),
        ("aws-sdk:dynamodb:getItem", "DynamoDb.DynamoDbException"),
    ],
)
def test_other_integrations_need_their_rights_too(machine, role, table, name, error):
    """A call of DynamoDB needs a right, too."""
    mine = role()
    get = integration(name, TableName=table, Key={"id": {"S": "1"}})
    told = failed(machine(get, roleArn=mine.arn).run())
    assert told[0] == error
    assert f"dynamodb:GetItem on resource: arn:aws:dynamodb:{ACCOUNT}:table/{table} " in told[1]
    mine.allow({"Action": "dynamodb:GetItem", "Resource": "*"})
    assert machine(get, roleArn=mine.arn).run()["status"] == "SUCCEEDED"


def test_a_machine_needs_the_right_to_start_another_one(machine, role):
    """The other machine's ARN counts."""
    other, mine = machine(integration("sns:publish", TopicArn="t", Message="m")), role()
    start = integration("states:startExecution", StateMachineArn=other.arn)
    told = failed(machine(start, roleArn=mine.arn).run())
    assert told[0] == "StepFunctions.AWSStepFunctionsException"
    assert f"states:StartExecution on resource: {other.arn} " in told[1]
    mine.allow({"Action": "states:StartExecution", "Resource": other.arn})
    assert machine(start, roleArn=mine.arn).run()["status"] == "SUCCEEDED"


def test_a_denied_call_can_be_caught(machine, function, role):
    """It is an error like others."""
    definition = task(function(ECHO).arn, Catch=[{"ErrorEquals": ["Lambda.AWSLambdaException"], "Next": "B"}])
    definition["States"]["B"] = {"Type": "Succeed"}
    assert machine(definition, roleArn=role().arn).run()["status"] == "SUCCEEDED"


def test_the_branches_of_a_machine_have_its_role(machine, function, role):
    """Each branch calls with the role of its own machine, even if two machines run at once."""

    def lambda_handler(event, context):
        import time

        time.sleep(0.2)

    state = {"Type": "Task", "Resource": function(lambda_handler).arn}
    branches = [one(state, name) for name in ("B", "C")]
    definition = one({"Type": "Parallel", "Branches": branches}, "P")
    may = machine(definition, roleArn=role({"Action": "lambda:*", "Resource": "*"}).arn)
    may_not = machine(definition, roleArn=role().arn)
    started = [(each, each.start()) for each in (may, may_not, may, may_not)]
    ends = [each.wait(arn)["status"] for each, arn in started]
    assert ends == ["SUCCEEDED", "FAILED", "SUCCEEDED", "FAILED"]


def test_the_role_is_asked_at_each_call(machine, function, role):
    """The next execution fails after a policy was detached, and succeeds after it was attached again."""
    mine = role()
    it = machine(task(function(ECHO).arn), roleArn=mine.arn)
    for change, expected in ((mine.attach, "SUCCEEDED"), (mine.detach, "FAILED")) * 2:
        change("AWSLambda_FullAccess")
        assert it.run()["status"] == expected


def test_the_next_execution_has_the_machines_new_role(machine, function, role):
    """UpdateStateMachine gives it another."""
    it = machine(task(function(ECHO).arn), roleArn=role().arn)
    assert it.run()["status"] == "FAILED"
    may = role({"Action": "lambda:InvokeFunction", "Resource": "*"})
    it.client.update_state_machine(stateMachineArn=it.arn, roleArn=may.arn)
    assert it.run()["status"] == "SUCCEEDED"


PAUSE = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
INSIDE = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


@pytest.mark.parametrize("inside", [False, True])
def test_who_answers_for_a_task_needs_the_right_to_its_machine(aws, machine, user, inside):
    """The policy template StepFunctionsCallbackPolicy of AWS SAM gives it. A child has the machine, too."""
    url = aws("sqs").create_queue(QueueName="answers")["QueueUrl"]
    definition = integration("", **{"QueueUrl": url, "MessageBody.$": "$$.Task.Token"})
    definition["States"]["A"]["Resource"] = PAUSE
    if inside:
        processor = definition | {"ProcessorConfig": INSIDE}
        mapped = {"Type": "Map", "ItemsPath": "$", "ItemProcessor": processor, "End": True}
        definition = one(mapped, "M")
    mine, other = machine(definition), machine(one({"Type": "Succeed"}))
    arn = mine.start([1])
    token = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"][0]["Body"]
    sends, answer = {"Action": "states:SendTaskSuccess"}, {"taskToken": token, "output": "1"}
    with pytest.raises(ClientError, match=f"states:SendTaskSuccess on resource: {mine.arn} because"):
        user(sends | {"Resource": other.arn})("stepfunctions").send_task_success(**answer)
    user(sends | {"Resource": mine.arn})("stepfunctions").send_task_success(**answer)
    assert mine.wait(arn)["status"] == "SUCCEEDED"
    aws("sqs").delete_queue(QueueUrl=url)
