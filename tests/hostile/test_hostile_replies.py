"""Replies are lost, throttled, cut off or not AWS's, and an attendee interrupts: the lottery converges."""

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
from hostile.hostile_aws import NEVER

from lottery_lib import connect, draw, inbox
from lottery_lib.draws import forget_winners
from lottery_lib.errors import LotteryError

ADDRESS = "ann@example.com"
#: Every operation of a deploy, a draw and a teardown, by its service, that writes, and that only looks.
WRITES = {
    "iam": "CreateRole AttachRolePolicy PutRolePolicy DetachRolePolicy DeleteRolePolicy DeleteRole",
    "lambda": "CreateFunction DeleteFunction",
    "logs": "CreateLogGroup DeleteLogGroup",
    "sns": "CreateTopic Subscribe Unsubscribe DeleteTopic",
    "dynamodb": "CreateTable BatchWriteItem DeleteTable",
    "states": "CreateStateMachine StartExecution DeleteStateMachine",
}
LOOKS = {
    "iam": "GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies",
    "lambda": "GetFunction",
    "logs": "DescribeLogGroups ListTagsForResource",
    "sns": "GetTopicAttributes ListTagsForResource ListSubscriptionsByTopic",
    "dynamodb": "DescribeTable ListTagsOfResource Scan",
    "states": "DescribeStateMachine ListTagsForResource ListExecutions DescribeExecution GetExecutionHistory",
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


def live(aws, stack):
    """Deploy, confirm, draw, reset and tear down: the life of a lottery."""
    stack.deploy(ADDRESS)
    inbox(connect(aws.target.endpoint, attendee=aws.target.names.attendee)).confirm(ADDRESS)
    assert draw(aws.target, 1)["status"] == "SUCCEEDED"
    forget_winners(aws.target)
    assert stack.teardown().left == []


def test_every_operation_is_named(aws, stack):
    """The lists above are complete: a life of the lottery asks for nothing else."""
    live(aws, stack)
    assert sorted({*aws.attempts} - {"GetCallerIdentity"}) == operations(WRITES, LOOKS)


@pytest.mark.parametrize("operation", operations(WRITES))
def test_lost_reply(aws, stack, operation):
    """Whichever call happens and loses its reply, the lottery lives as if nothing had been."""
    aws.lose(operation)
    live(aws, stack)
    assert aws.attempts.count(operation) > 1


@pytest.mark.parametrize("operation", DEPLOYING)
def test_lost_reply_and_interrupted(aws, stack, operation):
    """If the attendee interrupts when a reply was lost, the next run goes on; one more writes nothing."""
    aws.lose(operation)
    aws.rule(operation, lambda ask: interrupt())
    with pytest.raises(KeyboardInterrupt):
        stack.deploy(ADDRESS)
    aws.forget()
    assert_converges(aws, stack)


def deploying(aws):
    return [
        name for name in operations(WRITES) if name.startswith(("Create", "Put", "Attach", "Batch", "Sub"))
    ]


def interrupt():
    raise KeyboardInterrupt


def assert_converges(aws, stack):
    stack.deploy(ADDRESS)
    aws.attempts.clear()
    stack.deploy(ADDRESS)
    assert aws.writes == []
    assert draw(aws.target, 1)["status"] == "SUCCEEDED"
    assert stack.teardown().left == []


@pytest.mark.parametrize("number", range(DEPLOY_WRITES))
def test_interrupted_deploy(aws, stack, number):
    """A deploy interrupted before any of its writes is completed by the next; a third writes nothing."""
    aws.interrupt(number)
    with pytest.raises(KeyboardInterrupt):
        stack.deploy(ADDRESS)
    aws.forget()
    stack.deploy(ADDRESS)
    assert len(aws.writes) == DEPLOY_WRITES - number
    aws.attempts.clear()
    stack.deploy(ADDRESS)
    assert aws.writes == []


@pytest.mark.parametrize("number", range(TEARDOWN_WRITES))
def test_interrupted_teardown(aws, stack, number):
    """A teardown interrupted before any of its writes is completed by the next; a third writes nothing."""
    stack.deploy()
    aws.attempts.clear()
    aws.interrupt(number)
    with pytest.raises(KeyboardInterrupt):
        stack.teardown()
    aws.forget()
    assert stack.teardown().left == []
    assert len(aws.writes) == TEARDOWN_WRITES - number
    aws.attempts.clear()
    stack.teardown()
    assert aws.writes == []


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [(service, *each) for service, codes in THROTTLES.items() for each in codes],
)
def test_throttles_pass(aws, stack, service, code, status):
    """Each service throttles in its own words; every call to it is sent again."""
    for operation in f"{WRITES[service]} {LOOKS[service]}".split():
        aws.refuse(
            operation, code, "Rate exceeded", status=status, times=2, when=lambda ask: of(ask, service)
        )
    live(aws, stack)


def of(ask, service):
    return ask.model.service_model.endpoint_prefix == service


@pytest.mark.parametrize("status", [500, 502, 503])
def test_trouble_of_aws_passes(aws, stack, status):
    """An error of AWS's own, whatever its page looks like, is sent again."""
    aws.show_html(" ".join(operations(WRITES, LOOKS)), status, times=2)
    live(aws, stack)


@pytest.mark.parametrize("operation", operations(WRITES, LOOKS))
def test_endless_throttle(aws, clock, stack, operation):
    """Whatever is throttled for ever, all that needs it ends, in one sentence with what to do."""
    if operation not in DEPLOYING:
        stack.deploy(ADDRESS)
    aws.attempts.clear()
    aws.throttle(operation, times=NEVER)
    for step in (lambda: stack.deploy(ADDRESS), lambda: draw(aws.target, 1), stack.teardown, stack.status):
        begun = clock.now
        said = outcome(step)
        assert clock.now - begun < 900
        assert said is None or any(each in said for each in (SLOWLY, "does not exist", "The draw goes on"))
    assert operation in aws.attempts or operation == "Unsubscribe"  # nobody has confirmed


DENIALS = [
    ("GetRole", "AccessDenied", 403),
    ("GetTopicAttributes", "AuthorizationError", 403),
    ("GetFunction", "AccessDeniedException", 403),
    ("DescribeTable", "AccessDeniedException", 400),
    ("DescribeStateMachine", "AccessDeniedException", 400),
]


@pytest.mark.parametrize(("operation", "code", "status"), DENIALS)
def test_missing_right_fails_at_once(aws, stack, operation, code, status):
    """Each service denies a right in its own words; it is not asked again, and it is said whom to ask."""
    aws.refuse(operation, code, "ann may not", status=status)
    assert f"ann may not ({code}). Ask the administrator of the account" in outcome(stack.status)
    assert aws.attempts.count(operation) == 1


def outcome(step):
    """The sentence in which a step ends; None if it did its job."""
    try:
        done = step()
    except LotteryError as error:
        return str(error)
    return done["cause"] if isinstance(done, dict) else None


#: One operation of each protocol.
SAMPLE = "GetRole GetFunction DescribeTable"


@pytest.mark.parametrize("operation", SAMPLE.split())
@pytest.mark.parametrize("status", [500, 502, 503])
def test_page_of_trouble(aws, stack, operation, status):
    """A page that says that a service is down ends, after some tries, in what to do."""
    aws.show_html(operation, status)
    assert "AWS has a problem: wait a minute" in outcome(stack.status)
    assert aws.attempts.count(operation) >= 5


@pytest.mark.parametrize("operation", SAMPLE.split())
def test_text_of_trouble(aws, stack, operation):
    """A proxy's plain words with a 503 are repeated, too, and end in what to do."""
    aws.rule(operation, lambda ask: ask.answer(503, "no healthy upstream", "text/plain"))
    assert "AWS has a problem: wait a minute" in outcome(stack.status)
    assert aws.attempts.count(operation) >= 5


def test_dry_run_without_a_right(aws, stack):
    """A dry run that AWS refuses to answer raises AWS's sentence: nobody has refused the deploy."""
    stack.deploy()
    aws.refuse("GetRolePolicy", "AccessDenied", "ann may not", status=403)
    assert "ann may not (AccessDenied). Ask the administrator" in outcome(stack.plan)


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
@pytest.mark.parametrize("operation", ["GetRole", "CreateFunction"])
def test_broken_network(aws, stack, operation, error):
    """A network that breaks is one sentence; the next run goes on."""
    aws.drop(operation, error)
    assert NETWORK[error] in outcome(stack.deploy)
    aws.forget()
    assert outcome(stack.deploy) is None


@pytest.mark.parametrize("error", [ReadTimeoutError, ConnectTimeoutError, ConnectionClosedError])
def test_network_that_recovers(aws, stack, error):
    """A connection that breaks twice is tried again."""
    aws.drop(" ".join(operations(WRITES, LOOKS)), error, times=2)
    live(aws, stack)


def test_settings_are_chosen_once(aws):
    """Every client asks five times at most, in botocore's standard mode, and gives up on silence."""
    for service in ("iam", "lambda", "sns", "dynamodb", "stepfunctions", "logs", "sts"):
        config = aws.target.client(service).meta.config
        assert config.retries == {"mode": "standard", "total_max_attempts": 5}
        assert (config.connect_timeout, config.read_timeout) == (5, 60)
    tables = aws.target.plain_dynamodb().meta.config
    assert tables.retries == {"mode": "standard", "total_max_attempts": 5}
    assert (tables.connect_timeout, tables.read_timeout) == (5, 60)
