"""What MiniStack does differently from AWS. If a test fails, change its line in docs/second_opinion.md."""

import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError

from lottery_lib import Stack, connect, draw, execution, inbox, plan
from lottery_lib.draws import machine_arn, result
from lottery_lib.history import Reader, published
from lottery_lib.resources import lambda_function
from lottery_lib.resources.iam_role import Role
from lottery_lib.resources.sns_topic import Topic, as_resource
from lottery_lib.tables import state_table

pytestmark = pytest.mark.ministack


def types(events):
    return {event["type"] for event in events}


@pytest.fixture(scope="module")
def drawn(lottery):
    """The events of a draw that succeeded."""
    return execution.history(lottery, draw(lottery, 1)["execution_arn"])


@pytest.fixture(scope="module")
def failed(lottery):
    """The ARN of a draw that failed, since it was asked for nobody."""
    return draw(lottery, 0)["execution_arn"]


@pytest.fixture
def function(lottery):
    """Make a function of a test's own from its source, and call it."""
    functions, name = lottery.client("lambda"), f"own-{lottery.names.attendee}"

    def called(source, role=None):
        functions.create_function(
            FunctionName=name,
            Role=role or Role(lottery, lottery.names.lambda_role, "").arn,
            Code={"ZipFile": zip_of(source)},
            Runtime="python3.12",
            Handler="lambda_function.lambda_handler",
        )
        functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.2})
        return json.loads(functions.invoke(FunctionName=name)["Payload"].read())

    yield called
    functions.delete_function(FunctionName=name)


def zip_of(source):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr(lambda_function.entry("lambda_function.py"), source)
    return buffer.getvalue()


def test_exceptions(lottery, failed):
    """Every exception of a function is called `Runtime.HandlerError`."""
    [row] = state_table(execution.history(lottery, failed)).query("status == 'caught'").to_dict("records")
    assert row["error"] == "Runtime.HandlerError"
    assert "must be a whole number of at least 1, not 0" in row["cause"]


def test_fail_state(lottery, failed):
    """A Fail state without Error and Cause says `States.Fail`."""
    assert Reader(execution.history(lottery, failed)).failure() == ("States.Fail", "")
    assert result(lottery, failed)["error"] == "States.Fail"


def test_output_of_a_failure(lottery, failed):
    """A failed execution has an output."""
    assert "States.Fail" in execution.describe(lottery, failed)["output"]
    assert result(lottery, failed)["winners"] == []


def test_decimal(function):
    """A result with a `Decimal` is an error."""
    told = function("import decimal\ndef lambda_handler(e, c): return {'serial': decimal.Decimal(5)}")
    assert "Decimal is not JSON serializable" in told["errorMessage"]


def test_previous_event(drawn):
    """No event has a `previousEventId`."""
    assert not any("previousEventId" in event for event in drawn)


def test_states_inside(drawn):
    """The history shows the tasks of the states inside a Parallel, and nothing else of these states."""
    assert "ParallelStateEntered" in types(drawn)
    assert "Notify Winners" not in json.dumps(drawn, default=str)


def test_tasks_of_functions(drawn):
    """The task of a function has the same events as any other task."""
    assert "TaskSucceeded" in types(drawn)
    assert not any(kind.startswith("LambdaFunction") for kind in types(drawn))


def test_published(drawn):
    """The events of the task that publishes have its whole ARN, and not its parameters."""
    assert "arn:aws:states:::sns:publish" in json.dumps(drawn, default=str)
    assert published(drawn) == []


def test_mail(lottery):
    """An e-mail subscription is confirmed immediately, and nobody can read its mail."""
    [subscription] = Topic(lottery, lottery.names.topic).subscriptions()
    assert as_resource(subscription).state == "confirmed"
    assert inbox(lottery).mails == []
    assert "has no mailbox that could be read from here" in inbox(lottery).where


def test_started_again(lottery):
    """A second start with the same name and the same input is refused."""
    start = lottery.client("stepfunctions").start_execution
    again = {"stateMachineArn": machine_arn(lottery), "name": execution.new_name(), "input": '{"input": 0}'}
    start(**again)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(**again)


def test_china(lottery):
    """In a region of China, every ARN has the partition `aws`."""
    there = connect(lottery.endpoint, attendee=f"{lottery.names.attendee}-cn", region="cn-north-1")
    Stack(there).deploy()
    assert there.partition == "aws"
    assert draw(there, 1)["status"] == "SUCCEEDED"
    assert Stack(there).teardown().left == []


def test_policies(lottery):
    """A managed policy that does not exist can be attached."""
    iam, name = lottery.client("iam"), lottery.names.machine_role
    arn = plan.lambda_role(lottery).policy_arn("AmazonNothingFullAccess")
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    iam.detach_role_policy(RoleName=name, PolicyArn=arn)


def test_trust(lottery, function):
    """Nothing checks the trust policy of a role."""
    assert function("def lambda_handler(e, c): return 7", Role(lottery, "nobody", "").arn) == 7


def test_rights(lottery):
    """Nothing checks what a role allows."""
    iam, name = lottery.client("iam"), lottery.names.lambda_role
    for path in plan.LAMBDA_POLICIES:
        iam.detach_role_policy(RoleName=name, PolicyArn=plan.lambda_role(lottery).policy_arn(path))
    assert draw(lottery, 1)["status"] == "SUCCEEDED"
    Stack(lottery).deploy()


def test_definitions(lottery):
    """An invalid definition is accepted."""
    role, name = Role(lottery, lottery.names.machine_role, "").arn, f"broken-{lottery.names.attendee}"
    machine = lottery.client("stepfunctions")
    made = machine.create_state_machine(name=name, roleArn=role, definition='{"StartAt": "A"}')
    machine.delete_state_machine(stateMachineArn=made["stateMachineArn"])


def test_executions_of_a_deleted_machine(lottery):
    """The executions of a state machine disappear with it."""
    arn = draw(lottery, 0)["execution_arn"]
    lottery.client("stepfunctions").delete_state_machine(stateMachineArn=machine_arn(lottery))
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        lottery.client("stepfunctions").describe_execution(executionArn=arn)
    Stack(lottery).deploy()


def test_tables(lottery):
    """A table is created and deleted immediately."""
    tables, name = lottery.client("dynamodb"), f"own-{lottery.names.attendee}"
    key = {"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "id", "AttributeType": "S"}
    tables.create_table(
        TableName=name, KeySchema=[key[0]], AttributeDefinitions=[key[1]], BillingMode="PAY_PER_REQUEST"
    )
    assert tables.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE"
    tables.delete_table(TableName=name)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        tables.describe_table(TableName=name)
