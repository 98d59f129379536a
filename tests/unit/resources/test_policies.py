"""Policies are functions that return documents."""

from lottery_lib import plan
from lottery_lib.names import Names
from lottery_lib.resources.iam_role import trust_policy
from lottery_lib.target import elsewhere


def test_trust_policy():
    """The trust policy lets exactly one service assume the role."""
    assert trust_policy("states.amazonaws.com")["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]


def test_invoke_policy():
    """The machine may invoke the functions it names, in any version, and nothing else."""
    role = plan.machine_role(elsewhere("123456789012", "us-east-1", Names("ann")))
    statement = role.inline["InvokeLotteryFunctions"]["Statement"][0]
    assert statement["Action"] == "lambda:InvokeFunction"
    arn = "arn:aws:lambda:us-east-1:123456789012:function:Lottery-InputWinners-ann"
    assert statement["Resource"][:2] == [arn, f"{arn}:*"]
    assert len(statement["Resource"]) == 8


def test_the_four_policies():
    """The functions' role has the tutorial's four managed policies."""
    assert plan.LAMBDA_POLICIES == (
        "AmazonDynamoDBFullAccess",
        "service-role/AWSLambdaBasicExecutionRole",
        "AmazonSNSFullAccess",
        "AWSStepFunctionsFullAccess",
    )
