"""Faults are put in front of a function by another version of its code, and deploy takes them away."""

import pytest
from helpers import source_of
from injected import original

from lottery_course import inject, restore
from lottery_course.lessons import built_in
from lottery_lib import draw
from lottery_lib.errors import LotteryError
from lottery_lib.execution import history
from lottery_lib.history import Reader
from lottery_lib.resources.contents import empty_winners

tries = []


def flaky(event, context):
    tries.append(event)
    if len(tries) == 1:
        raise ConnectionError("the network is down")
    return original(event, context)


def odd(event, context):
    return original(event, context) | {"status": 2}


ODD = source_of(odd)


@pytest.fixture
def whole(stack):
    """The deployed lottery, and again after the test."""
    empty_winners(stack.target)
    yield stack
    stack.deploy()


def changed(stack):
    return [each.name for each in stack.deploy() if each.state == "updated"]


def test_fault_lives_as_long_as_its_environment(whole):
    """What a fault counts in its module is kept from call to call, so that it can pass."""
    inject(whole.target, "RandomSelectWinners", source_of(flaky))
    result = draw(whole.target, 1)
    assert result["status"] == "SUCCEEDED"
    drawn = Reader(history(whole.target, result["execution_arn"])).latest()["Random Select Winners"]
    assert len(drawn.attempts) == 2


def test_deploy_mends_the_function(whole):
    """A fault's handler is called instead of the function's own, which it can call, until the next deploy."""
    inject(whole.target, "ValidateWinners", ODD)
    assert draw(whole.target, 1)["error"] == "States.Runtime"
    assert changed(whole) == [whole.target.names.function("ValidateWinners")]
    assert draw(whole.target, 1)["status"] == "SUCCEEDED"
    assert changed(whole) == []


def test_deploy_lifts_a_limit(whole):
    """A reserved concurrency that somebody has set is taken away by a deploy."""
    name = whole.target.names.function("InputWinners")
    limits = whole.target.client("lambda")
    limits.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert draw(whole.target, 1)["error"] == "Lambda.TooManyRequestsException"
    assert changed(whole) == [name]
    assert "Concurrency" not in limits.get_function(FunctionName=name)


def test_same_fault_again(whole):
    """Injected twice, a fault makes no second update: its package has the same bytes."""
    assert inject(whole.target, "ValidateWinners", ODD).state == "updated"
    assert inject(whole.target, "ValidateWinners", ODD).state == "unchanged"


WRONG = [
    ("Validate", ODD, r"function 'Validate': does not exist. Use InputWinners, "),
    (
        "ValidateWinners",
        "def lambda_handler(",
        r"the fault: is not valid Python: .*line 1.*Correct the source",
    ),
    ("ValidateWinners", "x = 1", r"the fault: defines no lambda_handler. Begin it with"),
    ("ValidateWinners", None, r"the fault: is not valid Python: .*must be a string"),
]


def test_what_is_no_fault(whole):
    """A wrong name, a syntax error, a source without a handler and no source are one sentence each."""
    for purpose, source, sentence in WRONG:
        with pytest.raises(LotteryError, match=sentence):
            inject(whole.target, purpose, source)
    assert changed(whole) == []


def test_lesson_08_says_what_is_broken(whole):
    """`verify` names what a fault, a limit or a missing policy has broken, until a restore."""
    target = whole.target
    assert all(check.done for check in built_in(target, "08"))
    inject(target, "InputWinners", ODD)
    target.client("iam").detach_role_policy(
        RoleName=target.names.lambda_role, PolicyArn="arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"
    )
    broken = [str(check) for check in built_in(target, "08") if not check.done]
    assert len(broken) == 2
    assert target.names.function("InputWinners") in broken[0]
    assert "AmazonDynamoDBFullAccess" in broken[1]
    restore(target, "08")
    assert all(check.done for check in built_in(target, "08"))
