"""The lottery needs the rights that its roles have, and notices when they are gone."""

import json

import pytest

from lottery_lib import Stack, connect, draw, execution, plan
from lottery_lib.draws import Draws, result
from lottery_lib.names import Names
from lottery_lib.resources.contents import empty_winners
from lottery_lib.resources.iam_role import Role


@pytest.fixture
def lottery(stack):
    """The deployed lottery, its roles as they should be."""
    empty_winners(stack.target)
    yield stack.target
    stack.deploy()


def detach(target, role, path):
    target.client("iam").detach_role_policy(
        RoleName=role, PolicyArn=plan.lambda_role(target).policy_arn(path)
    )


def attach(target, role, path):
    target.client("iam").attach_role_policy(
        RoleName=role, PolicyArn=plan.lambda_role(target).policy_arn(path)
    )


def test_without_dynamodb_a_draw_is_denied(lottery):
    """AccessDeniedException from inside a function, until the policy is attached again.

    A new right may not hold yet. So a new draw says that this may pass, on the command line and in the panel.
    """
    role = lottery.names.lambda_role
    detach(lottery, role, "AmazonDynamoDBFullAccess")
    told = draw(lottery, 1)
    assert told["status"] == "FAILED"
    for words in ("AccessDeniedException", f"assumed-role/{role}/", "wait a minute and try again"):
        assert words in told["cause"]
    assert Draws(lottery).progress(told["execution_arn"]).result == told
    assert "wait a minute" not in result(lottery, told["execution_arn"])["cause"]
    attach(lottery, role, "AmazonDynamoDBFullAccess")
    assert draw(lottery, 1)["status"] == "SUCCEEDED"


def test_without_sns_nobody_is_notified(lottery):
    """SNS.AuthorizationErrorException in the machine's Notify state."""
    detach(lottery, lottery.names.machine_role, "AmazonSNSFullAccess")
    told = draw(lottery, 1)
    assert (told["status"], told["error"]) == ("FAILED", "SNS.AuthorizationErrorException")


def test_without_the_right_to_invoke_nothing_begins(lottery):
    """Lambda.AWSLambdaException in the machine's first state."""
    machine_role = lottery.names.machine_role
    lottery.client("iam").delete_role_policy(RoleName=machine_role, PolicyName="InvokeLotteryFunctions")
    told = draw(lottery, 1)
    assert (told["status"], told["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    assert "is not authorized to perform: lambda:InvokeFunction on resource: " in told["cause"]
    assert "wait a minute and try again" in told["cause"]


def test_deploying_again_mends_the_rights(lottery):
    """What was taken away is put back, and the next draw works."""
    detach(lottery, lottery.names.lambda_role, "AmazonDynamoDBFullAccess")
    lottery.client("iam").delete_role_policy(
        RoleName=lottery.names.machine_role, PolicyName="InvokeLotteryFunctions"
    )
    Stack(lottery).deploy()
    assert draw(lottery, 1)["status"] == "SUCCEEDED"


def test_the_functions_need_no_sns_and_no_step_functions(lottery):
    """Two of the tutorial's four policies are more than they use."""
    for path in ("AmazonSNSFullAccess", "AWSStepFunctionsFullAccess"):
        detach(lottery, lottery.names.lambda_role, path)
    assert draw(lottery, 1)["status"] == "SUCCEEDED"


def test_another_attendees_functions_are_not_this_machines(lottery):
    """The machine's policy names its own functions."""
    neighbour = Names(attendee="neighbour").function("InputWinners")
    Stack(connect("embedded", attendee="neighbour")).deploy()
    arn = lottery.arn("lambda", f"function:{neighbour}")
    states = lottery.client("stepfunctions")
    state = {"Type": "Task", "Resource": arn, "End": True}
    definition = json.dumps({"StartAt": "A", "States": {"A": state}})
    role = Role(lottery, lottery.names.machine_role, "").arn
    machine = states.create_state_machine(name="curious", definition=definition, roleArn=role)[
        "stateMachineArn"
    ]
    told = execution.wait(lottery, execution.start(lottery, machine, {"input": 1}))
    states.delete_state_machine(stateMachineArn=machine)
    assert told["error"] == "Lambda.AWSLambdaException"
