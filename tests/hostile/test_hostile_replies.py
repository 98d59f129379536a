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

from lottery_lib import connect, draw, inbox, plan
from lottery_lib.draws import forget_winners
from lottery_lib.errors import LotteryError
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
}
LOOKS = {
    "iam": "GetPolicy GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies",
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


def test_every_call_fails_three_times(aws, stack):
    """Each operation is throttled, gets a page of trouble and loses its connection; it is sent again.

    The lists above are complete: a life of the lottery asks for nothing else.
    """
    for service, codes in THROTTLES.items():
        throttle(aws, service, *codes[0], times=1)
    everything = operations(WRITES, LOOKS)
    aws.show_html(" ".join(everything), 500, times=1)
    aws.drop(" ".join(everything), times=1)
    live(aws, stack)
    assert sorted({*aws.attempts} - {"GetCallerIdentity"}) == everything


def test_every_reply_is_lost(aws, stack):
    """Each kind of write loses its first reply for each resource, all in one life."""
    aws.lose(" ".join(operations(WRITES)))
    live(aws, stack)
    repeated = [name for name in operations(WRITES) if aws.attempts.count(name) > 1]
    assert repeated == operations(WRITES)


@pytest.mark.long
@pytest.mark.parametrize("operation", operations(WRITES))
def test_lost_reply(aws, stack, operation):
    """Each kind of write loses its reply alone.

    It is long: `test_every_reply_is_lost` loses all in one life.
    """
    aws.lose(operation)
    live(aws, stack)
    assert aws.attempts.count(operation) > 1


@pytest.mark.long
@pytest.mark.parametrize("operation", DEPLOYING)
def test_lost_reply_and_interrupted(aws, stack, operation):
    """If the attendee interrupts when a reply was lost, the next run goes on; one more writes nothing.

    It is long: `test_interrupted_again_and_again` interrupts before each write.
    """
    aws.lose(operation)
    aws.rule(operation, lambda ask: interrupt())
    with pytest.raises(KeyboardInterrupt):
        stack.deploy(ADDRESS)
    aws.forget()
    assert_converges(aws, stack)


def interrupt():
    raise KeyboardInterrupt


def assert_converges(aws, stack):
    stack.deploy(ADDRESS)
    aws.attempts.clear()
    stack.deploy(ADDRESS)
    assert aws.writes == []
    assert draw(aws.target, 1)["status"] == "SUCCEEDED"
    assert stack.teardown().left == []


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


def points(number):
    """One point in the middle, and all others for the long run."""
    return [pytest.param(each, marks=() if each == 10 else pytest.mark.long) for each in range(number)]


@pytest.mark.parametrize("number", points(DEPLOY_WRITES))
def test_interrupted_deploy(aws, stack, number):
    """A deploy interrupted before any of its writes is completed by the next; a third writes nothing.

    All but one are long: `test_interrupted_again_and_again` interrupts each resource at each of its writes.
    """
    aws.interrupt(number)
    with pytest.raises(KeyboardInterrupt):
        stack.deploy(ADDRESS)
    aws.forget()
    stack.deploy(ADDRESS)
    assert len(aws.writes) == DEPLOY_WRITES - number
    aws.attempts.clear()
    stack.deploy(ADDRESS)
    assert aws.writes == []


@pytest.mark.parametrize("number", points(TEARDOWN_WRITES))
def test_interrupted_teardown(aws, stack, number):
    """A teardown interrupted before any of its writes is completed by the next; a third writes nothing.

    All but one are long: `test_interrupted_again_and_again` interrupts each resource at each of its writes.
    """
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


@pytest.mark.long
@pytest.mark.parametrize(
    ("service", "code", "status"),
    [(service, *each) for service, codes in THROTTLES.items() for each in codes],
)
def test_throttles_pass(aws, stack, service, code, status):
    """Each service throttles alone, in each of its words.

    It is long: in `test_every_call_fails_three_times`, all throttle in one life.
    """
    throttle(aws, service, code, status)
    live(aws, stack)


def throttle(aws, service, code, status, times=2):
    """Refuse each operation of a service so many times."""
    of_service = lambda ask: ask.model.service_model.endpoint_prefix == service  # noqa: E731
    for operation in f"{WRITES[service]} {LOOKS[service]}".split():
        aws.refuse(operation, code, "Rate exceeded", status=status, times=times, when=of_service)


@pytest.mark.long
@pytest.mark.parametrize("status", [500, 502, 503])
def test_trouble_of_aws_passes(aws, stack, status):
    """After an error of AWS itself, the call is sent again, also twice.

    It is long: `test_every_call_fails_three_times` has a 500, and botocore treats all alike.
    """
    aws.show_html(" ".join(operations(WRITES, LOOKS)), status, times=2)
    live(aws, stack)


#: With an empty pool, which a throttled write leaves, a draw fails by itself.
ENDINGS = (SLOWLY, "does not exist", "The draw goes on", "only 0 of 0 employees remain")
#: One write or look of each service; the others are long.
THROTTLED = {"CreateRole", "GetFunction", "ListTagsForResource", "BatchWriteItem", "StartExecution"}


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(each, marks=() if each in THROTTLED else pytest.mark.long)
        for each in operations(WRITES, LOOKS)
    ],
)
def test_endless_throttle(aws, clock, stack, operation):
    """An operation is throttled without end: every command ends, with one sentence that says what to do."""
    if operation not in DEPLOYING:
        aws.deploy(ADDRESS)
    aws.throttle(operation, times=NEVER)
    steps = (lambda: stack.deploy(ADDRESS), lambda: draw(aws.target, 1), lambda: forget_winners(aws.target))
    for step in (*steps, stack.teardown, stack.status):
        begun = clock.now
        said = outcome(step)
        assert clock.now - begun < 900
        assert said is None or any(each in said for each in ENDINGS)
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
    aws.deploy()
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
def test_broken_network(aws, stack, error):
    """Each way in which a network breaks is one sentence."""
    aws.drop("GetRole", error)
    assert NETWORK[error] in outcome(stack.status)


@pytest.mark.parametrize(
    "error", [pytest.param(each, marks=() if each is SSLError else pytest.mark.long) for each in NETWORK]
)
def test_network_that_breaks_in_a_deploy(aws, stack, error):
    """A deploy ends in that sentence, too; the next one goes on.

    All but one are long: `test_broken_network` has the sentences, and each needs a lottery of its own.
    """
    aws.drop("CreateFunction", error)
    assert NETWORK[error] in outcome(stack.deploy)
    aws.forget()
    assert outcome(stack.deploy) is None


@pytest.mark.long
@pytest.mark.parametrize("error", [ConnectionClosedError, ReadTimeoutError, ConnectTimeoutError])
def test_network_that_recovers(aws, stack, error):
    """A connection that breaks twice is tried again.

    It is long: `test_every_call_fails_three_times` has one of them, and botocore treats them alike.
    """
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
