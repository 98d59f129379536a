"""A whole lottery is deployed, drawn and removed while AWS fails in every way: the lottery converges."""

from functools import partial

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)
from hostile.hostile_aws import HostileAws
from hostile.kinds import FUNCTION

from lottery_lib import connect, draw, inbox, plan
from lottery_lib.errors import LotteryError
from lottery_lib.resources.contents import empty_winners
from lottery_lib.resources.sns_topic import Subscription

ADDRESS = "ann@example.com"
#: Every operation of a deploy, a draw and a teardown, by its service, that writes, and that only looks.
WRITES = {
    "iam": "CreateRole AttachRolePolicy PutRolePolicy DetachRolePolicy DeleteRolePolicy DeleteRole",
    "lambda": "CreateFunction DeleteFunction",
    "logs": "CreateLogGroup DeleteLogGroup",
    "sns": "CreateTopic Subscribe Unsubscribe DeleteTopic",
    "dynamodb": "CreateTable BatchWriteItem DeleteTable",
    "states": "CreateStateMachine StartExecution DeleteStateMachine",
    **dict.fromkeys(("cloudformation", "monitoring", "events", "s3"), ""),
}
LOOKS = {
    "iam": "GetPolicy GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies",
    "lambda": "GetFunction",
    "logs": "DescribeLogGroups ListTagsForResource",
    "sns": "GetTopicAttributes ListTagsForResource ListSubscriptionsByTopic",
    "dynamodb": "DescribeTable ListTagsOfResource Scan",
    "states": "DescribeStateMachine ListTagsForResource ListExecutions DescribeExecution GetExecutionHistory"
    " DescribeStateMachineAlias",
    # What lessons make by hand is looked for.
    "cloudformation": "DescribeStacks",
    "monitoring": "DescribeAlarms",
    "events": "DescribeRule",
    "s3": "ListObjectsV2",
}
THROTTLES = {
    "iam": [("Throttling", 400)],
    "lambda": [("TooManyRequestsException", 429)],
    "logs": [("ThrottlingException", 400)],
    "sns": [("Throttled", 429)],
    "dynamodb": [
        ("ProvisionedThroughputExceededException", 400),
        ("ThrottlingException", 400),
        ("RequestLimitExceeded", 400),
    ],
    "states": [("ThrottlingException", 400)],
    "cloudformation": [("Throttling", 400)],
    "monitoring": [("Throttling", 400)],
    "events": [("ThrottlingException", 400)],
    "s3": [("SlowDown", 503)],
}
DEPLOYING = (
    *("CreateRole", "AttachRolePolicy", "PutRolePolicy", "CreateLogGroup", "CreateFunction"),
    *("CreateTopic", "CreateTable", "BatchWriteItem", "CreateStateMachine", "Subscribe"),
)
SLOWLY = "AWS asks you to slow down: wait half a minute"
#: As many write calls as a deploy and a teardown make.
DEPLOY_WRITES, TEARDOWN_WRITES = 22, 20


def operations(*tables):
    return sorted({name for table in tables for names in table.values() for name in names.split()})


EVERYTHING = operations(WRITES, LOOKS)


def throttle(aws, service, code, status, times=2):
    """Refuse each operation of a service so many times."""

    def of_service(ask):
        return ask.model.service_model.endpoint_prefix == service

    concerned = f"{WRITES[service]} {LOOKS[service]}"
    aws.refuse(concerned, code, "Rate exceeded", status, times=times, when=of_service)


def fail_three_times(aws):
    """Throttle each operation, give it a page of trouble, and close its connection."""
    for service, codes in THROTTLES.items():
        throttle(aws, service, *codes[0], times=1)
    aws.show_html(EVERYTHING, 500, times=1)
    aws.drop(EVERYTHING, times=1)


show, drop = (
    partial(each, operations=EVERYTHING, times=2) for each in (HostileAws.show_html, HostileAws.drop)
)
#: What fails in a life of the lottery.
LIVES = {
    "every call, three times": fail_three_times,
    "every reply of a write": partial(HostileAws.lose, operations=operations(WRITES)),
}
#: Each failure alone. They are long: the lives above have them all, and botocore treats them alike.
ALONE = {
    **{f"reply of {each}": partial(HostileAws.lose, operations=[each]) for each in operations(WRITES)},
    **{
        f"{code} of {service}": partial(throttle, service=service, code=code, status=status)
        for service, codes in THROTTLES.items()
        for code, status in codes
    },
    **{f"{status} twice": partial(show, status=status) for status in (500, 502, 503)},
    **{
        f"{error.__name__} twice": partial(drop, error=error)
        for error in (ConnectionClosedError, ReadTimeoutError, ConnectTimeoutError)
    },
}


@pytest.mark.parametrize(
    "fail",
    [pytest.param(fail, id=name) for name, fail in LIVES.items()]
    + [pytest.param(fail, id=name, marks=pytest.mark.long) for name, fail in ALONE.items()],
)
def test_life(aws, stack, fail):
    """A lottery is deployed, confirmed, drawn, reset and removed; what fails is sent again.

    The lists above are complete: a life of the lottery asks for nothing else.
    """
    fail(aws)
    stack.deploy(ADDRESS)
    inbox(connect(aws.target.endpoint, attendee=aws.target.names.attendee)).confirm(ADDRESS)
    assert draw(aws.target, 1)["status"] == "SUCCEEDED"
    empty_winners(aws.target)
    assert stack.teardown().left == []
    assert sorted({*aws.attempts} - {"GetCallerIdentity"}) == EVERYTHING
    assert aws.failed
    assert [each for each in aws.failed if aws.attempts.count(each) < 2] == []


def test_interrupted_again_and_again(aws, stack):
    """Each resource is made, and then deleted, by runs that are interrupted before their second write."""
    wanted = [made for made, _ in plan.everything(aws.target)]
    wanted.append(Subscription(plan.topic(aws.target), ADDRESS))
    assert sum(finish(aws, made.ensure) for made in wanted) == DEPLOY_WRITES
    stack.deploy(ADDRESS)
    assert aws.writes == []
    going = [resource for resource, _ in reversed(plan.resources(aws.target))]
    assert sum(finish(aws, resource.delete) for resource in going) == TEARDOWN_WRITES
    assert stack.teardown().left == []
    assert aws.writes == []


def finish(aws, step):
    """Repeat a step that is interrupted before its second write until it is done; returns its writes."""
    for done in range(DEPLOY_WRITES):
        aws.forget()
        aws.interrupt(1)
        try:
            step()
        except KeyboardInterrupt:
            continue
        made = done + len(aws.writes)
        aws.forget()
        return made
    raise AssertionError("it is never done")


@pytest.mark.parametrize(
    ("step", "number"),
    [
        pytest.param(step, number, marks=() if number == 10 else pytest.mark.long)
        for step, writes in (("deploy", DEPLOY_WRITES), ("teardown", TEARDOWN_WRITES))
        for number in range(writes)
    ],
)
def test_interrupted(aws, stack, step, number):
    """What is interrupted before any of its writes is completed by the next run; a third writes nothing.

    All but two are long: `test_interrupted_again_and_again` interrupts each resource at each of its writes.
    """
    if step == "teardown":
        aws.deploy()
    run = {"deploy": lambda: stack.deploy(ADDRESS), "teardown": stack.teardown}[step]
    aws.interrupt(number)
    with pytest.raises(KeyboardInterrupt):
        run()
    aws.forget()
    run()
    assert number + len(aws.writes) == {"deploy": DEPLOY_WRITES, "teardown": TEARDOWN_WRITES}[step]
    aws.attempts.clear()
    run()
    assert aws.writes == []
    assert bool(stack.left()) == (step == "deploy")


NETWORK = {
    ReadTimeoutError: "does not answer. Check the network",
    ConnectTimeoutError: "does not answer. Check the network",
    ConnectionClosedError: "does not answer. Check the network",
    EndpointConnectionError: "does not answer. Check the network and the region",
    ResponseStreamingError: "does not answer. Check the network",
    ProxyConnectionError: "Check HTTPS_PROXY",
    SSLError: "AWS_CA_BUNDLE",
}


@pytest.mark.parametrize("error", NETWORK)
def test_broken_network(aws, error):
    """Each way in which a network breaks is one sentence."""
    aws.drop("GetRole", error)
    with pytest.raises(LotteryError, match=NETWORK[error]):
        plan.lambda_role(aws.target).find()


EXPIRED = ("ExpiredTokenException", "The security token included in the request is expired")


@pytest.mark.parametrize(
    ("operation", "failure", "says"),
    [
        ("BatchWriteItem", EXPIRED, "Renew the credentials .*, then connect again"),
        ("CreateFunction", SSLError, NETWORK[SSLError]),
    ],
)
def test_failure_in_the_middle(aws, stack, operation, failure, says):
    """A deploy says what fails; the next goes on, and a third writes nothing.

    `test_interrupted` stops at each write; `test_refused_caller` and `test_broken_network` have the words.
    """
    aws.refuse(operation, *failure) if isinstance(failure, tuple) else aws.drop(operation, failure)
    with pytest.raises(LotteryError, match=says):
        stack.deploy()
    aws.forget()
    stack.deploy()
    assert aws.writes[0] == operation
    aws.attempts.clear()
    stack.deploy()
    assert aws.writes == []


#: With an empty pool, which a throttled write leaves, a draw fails by itself.
ENDINGS = (SLOWLY, "does not exist", "The draw goes on", "only 0 of 0 employees remain")
#: One write or look of each service; the others are long.
THROTTLED = {"CreateRole", "GetFunction", "ListTagsForResource", "BatchWriteItem", "StartExecution"}


@pytest.mark.parametrize(
    "operation",
    [pytest.param(each, marks=() if each in THROTTLED else pytest.mark.long) for each in EVERYTHING],
)
def test_endless_throttle(aws, clock, stack, operation):
    """An operation is throttled without end: every command ends, with one sentence that says what to do."""
    if operation not in DEPLOYING:
        aws.deploy(ADDRESS)
    aws.refuse(operation, "ThrottlingException", "Rate exceeded")
    steps = (lambda: stack.deploy(ADDRESS), lambda: draw(aws.target, 1), lambda: empty_winners(aws.target))
    for step in (*steps, stack.teardown, stack.status):
        begun = clock.now
        said = outcome(step)
        assert clock.now - begun < 900
        assert said is None or any(each in said for each in ENDINGS)
    assert operation in aws.attempts or operation == "Unsubscribe"  # nobody has confirmed


def outcome(step):
    """The sentence in which a step ends; None if it did its job."""
    try:
        done = step()
    except LotteryError as error:
        return str(error)
    return done["cause"] if isinstance(done, dict) else None


def test_dry_run_without_a_right(aws, stack):
    """A dry run that AWS refuses to answer raises AWS's sentence: nobody has refused the deploy."""
    aws.deploy()
    aws.refuse("GetRolePolicy", "AccessDenied", "ann may not", 403)
    with pytest.raises(LotteryError, match=r"ann may not \(AccessDenied\)\. Ask the administrator"):
        stack.plan()


def test_progress_is_told(aws, stack):
    """While a deploy waits for IAM, its progress says for what."""
    name = aws.target.names.lambda_role
    aws.refuse("CreateFunction", *FUNCTION.no_role, when=lambda ask: aws.age("CreateRole", name) < 30)
    stack.deploy()
    waits = [each for each in stack.told if each.state.startswith("waiting for AWS to be ready")]
    assert 2 <= len(waits) <= 4
    assert waits[0].name == aws.target.names.function("InputWinners")
