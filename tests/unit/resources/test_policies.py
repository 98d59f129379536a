"""Policies are functions that return documents."""

from lottery_lib.resources import iam_role


def test_trust_policy():
    """The trust policy lets exactly one service assume the role."""
    assert iam_role.trust_policy("states.amazonaws.com")["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]


def test_invoke_policy():
    """The machine may invoke the functions it names, in any version, and nothing else."""
    statement = iam_role.invoke_policy(["arn:a"])["Statement"][0]
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == ["arn:a", "arn:a:*"]


def test_the_four_policies():
    """The functions' role has the tutorial's four managed policies."""
    assert iam_role.LAMBDA_POLICIES == (
        "AmazonDynamoDBFullAccess",
        "service-role/AWSLambdaBasicExecutionRole",
        "AmazonSNSFullAccess",
        "AWSStepFunctionsFullAccess",
    )
