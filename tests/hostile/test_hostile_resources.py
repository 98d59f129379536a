"""What AWS does to one kind of resource alone, and is no failure of a single call."""

import pytest
from hostile.hostile_aws import NEVER
from hostile.kinds import (
    FUNCTION,
    GROUP,
    MACHINE,
    NO_POLICY,
    ONE_INDEX,
    ROLE,
    TABLE,
    TOPIC,
    assert_settled,
    indexes,
    there,
)

from lottery_lib import plan
from lottery_lib.employees import tutorial_roster
from lottery_lib.errors import LotteryError
from lottery_lib.resources.contents import Employees, load_employees
from lottery_lib.resources.dynamodb_table import Index, Table
from lottery_lib.resources.iam_role import Role
from lottery_lib.resources.log_group import LogGroup
from lottery_lib.resources.sns_topic import Subscription

ADDRESS = "ann@example.com"
ANYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'


@pytest.fixture
def function(aws):
    there(aws, FUNCTION, FUNCTION.make)
    return FUNCTION.make(aws.target)


@pytest.fixture
def table(aws):
    there(aws, TABLE, TABLE.make)
    return TABLE.make(aws.target)


@pytest.fixture
def topic(aws):
    """A topic; a word that is no ARN is not unsubscribed."""
    odd = "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"

    def no_arn(ask):
        return not ask.params["SubscriptionArn"].startswith("arn:")

    there(aws, TOPIC, TOPIC.make)
    aws.refuse("Unsubscribe", "InvalidParameter", odd, when=no_arn)
    return TOPIC.make(aws.target)


def bounded(aws):
    """Create the boundary, as an administrator does."""
    name = aws.target.names.boundary
    aws.target.client("iam").create_policy(PolicyName=name, PolicyDocument=ANYTHING)


def test_lost_replies_of_a_role_with_a_boundary(aws):
    """However a role was made, it ends within the boundary; a further run writes nothing."""
    bounded(aws)
    aws.lose("CreateRole PutRolePermissionsBoundary AttachRolePolicy")
    role = plan.lambda_role(aws.target)
    assert "within the permissions boundary" in role.ensure().note
    assert role.describe_or_none()["PermissionsBoundary"]["PermissionsBoundaryArn"] == role.boundary_arn
    assert_settled(aws, ROLE)


def test_a_boundary_that_comes_later_is_planned(aws, stack):
    """A dry run says that the roles would be updated; the boundary comes before any other right."""
    there(aws, ROLE, plan.lambda_role)
    there(aws, ROLE, plan.machine_role)
    bounded(aws)
    names = {aws.target.names.lambda_role, aws.target.names.machine_role}
    assert {each.name for each in stack.plan() if each.state == "would be updated"} == names
    aws.target.client("iam").delete_role_policy(
        RoleName=aws.target.names.machine_role, PolicyName="InvokeLotteryFunctions"
    )
    aws.forget()
    assert plan.machine_role(aws.target).ensure().state == "updated"
    assert aws.writes == ["PutRolePermissionsBoundary", "PutRolePolicy"]


def test_retired_policy_gives_way_to_its_successor(aws, clock):
    """A managed policy that AWS has deprecated cannot be attached any more; its successor ends in _v2."""
    arn = plan.lambda_role(aws.target).policy_arn("AmazonDynamoDBFullAccess")
    attached = []

    def answer(ask):
        if ask.params["PolicyArn"] == arn:
            return ask.refusal(*NO_POLICY)
        if ask.params["PolicyArn"] == f"{arn}_v2":  # the emulator does not have it
            attached.append({"PolicyArn": f"{arn}_v2"})
            return ask.answer(200, "<AttachRolePolicyResponse/>", "text/xml")
        return None

    aws.rule("AttachRolePolicy", answer)
    aws.edit("ListAttachedRolePolicies", lambda ask, reply: reply["AttachedPolicies"].extend(attached))
    begun = clock.now
    assert plan.lambda_role(aws.target).ensure().state == "created"
    assert clock.now == begun
    assert plan.lambda_role(aws.target).missing_policies() == []
    assert plan.lambda_role(aws.target).ensure().state == "unchanged"


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize(
    ("look", "seconds", "left"),
    [("GetRole", 20, set()), ("GetRole", NEVER, {"role"}), ("ListSubscriptionsByTopic", 20, set())],
)
def test_what_is_still_shown_after_a_teardown(aws, stack, look, seconds, left):
    """What was deleted and is still shown is waited for. After a minute it is told as left."""
    kind = ROLE if look == "GetRole" else TOPIC
    there(aws, kind, kind.make)
    if kind is TOPIC:
        Subscription(plan.topic(aws.emulated), ADDRESS).ensure()
    aws.linger(look, kind.delete, seconds)
    begun = aws.clock.now
    assert {each.kind for each in stack.teardown().left} == left
    assert min(seconds, 60) <= aws.clock.now - begun < 90


@pytest.mark.parametrize(
    ("kind", "operation", "key", "token"),
    [
        (ROLE, "ListAttachedRolePolicies", "AttachedPolicies", "Marker"),
        (ROLE, "ListRolePolicies", "PolicyNames", "Marker"),
        (GROUP, "DescribeLogGroups", "logGroups", "nextToken"),
        (TABLE, "ListTagsOfResource", "Tags", "NextToken"),
    ],
)
def test_pages(aws, kind, operation, key, token):
    """What AWS lists in pages is read to the end, also if a page is empty."""
    resource = kind.make(aws.target)
    if kind is GROUP:
        LogGroup(aws.target, f"{resource.name}-1").ensure()
    there(aws, kind, kind.make)
    if kind is ROLE:
        for each in ("a", "b", "c"):
            aws.target.client("iam").put_role_policy(
                RoleName=resource.name, PolicyName=each, PolicyDocument=ANYTHING
            )
    aws.page(operation, key, token, token)
    assert resource.ensure().state == "unchanged"
    assert resource.delete().state == "deleted"
    assert resource.find() is None


def test_tags_that_may_not_be_read(aws, function):
    """Without lambda:ListTags GetFunction leaves the tags out, and says why: so does the kit."""

    def change(ask, reply):
        reply.pop("Tags")
        reply["TagsError"] = {"ErrorCode": "AccessDeniedException", "Message": "ann may not lambda:ListTags."}

    aws.edit("GetFunction", change)
    with pytest.raises(LotteryError, match=r"ann may not lambda:ListTags\. Ask the administrator"):
        function.ensure()


@pytest.mark.parametrize("state", ["Inactive", "ActiveNonInvocable", "Deactivating", "Resting"])
def test_unknown_states_are_no_failure(aws, function, state):
    """A state that the kit does not know, or that passes with the next call, is not taken for a failure."""
    aws.edit("GetFunction", lambda ask, reply: reply["Configuration"].update(State=state))
    assert function.ensure().state == "unchanged"
    assert function.find().state == state.upper()


def test_function_after_a_failed_update(aws, function):
    """A function whose last update failed is not as it is shown: it is updated once more."""

    def change(ask, reply):
        if not aws.happened("UpdateFunctionConfiguration", ask.resource):
            reply["Configuration"]["LastUpdateStatus"] = "Failed"

    aws.edit("GetFunction", change)
    assert function.ensure().state == "updated"
    assert function.ensure().state == "unchanged"
    assert aws.writes == ["UpdateFunctionConfiguration"]


def test_function_has_no_environment(aws, function):
    """Functions have no variables, and what AWS takes and a cold start needs."""
    found = function.describe_or_none()["Configuration"]
    assert not found.get("Environment", {}).get("Variables")
    assert (found["Runtime"], found["Timeout"], found["MemorySize"]) == ("python3.12", 30, 256)


def test_reply_of_a_function_is_a_stream(aws, function):
    """What a function returns is not AWS's own answer, and is handed on as it comes."""
    reply = aws.target.client("lambda").invoke(FunctionName=function.name, Payload=b'{"input": 2}')
    assert b"num_of_winners" in reply["Payload"].read()


@pytest.mark.parametrize(("number", "times"), [(3, 2), (99, 3)])
def test_unprocessed_items_are_sent_again(aws, table, number, times):
    """DynamoDB may take a part of a batch only, or nothing, and say so with a 200."""
    aws.leave_unprocessed(number, times=times)
    assert load_employees(aws.target, tutorial_roster()) == 10
    assert len(table.items()) == 10
    assert aws.attempts.count("BatchWriteItem") == times + 1


def test_batch_that_is_never_taken(aws, clock, table):
    """A table that takes nothing is not asked for ever."""
    aws.leave_unprocessed(99, times=NEVER)
    begun = clock.now
    with pytest.raises(LotteryError, match="to handle 10 items: not there after 120 s"):
        load_employees(aws.target, tutorial_roster())
    assert clock.now - begun < 150


def test_keys_not_got_to_are_asked_for_again(aws, table):
    """DynamoDB may give a part of what a batch asks for only, and say so with a 200."""
    load_employees(aws.target, tutorial_roster())
    ids = list(table.all_keys())
    keys = [{"employee_id": each} for each in ids]
    whole, asked = table.get(ids), []

    def leave(ask, reply):
        asked.append(ask)
        items = reply["Responses"][table.name]
        if len(asked) == 1:
            reply["UnprocessedKeys"] = {table.name: {"Keys": keys[3:], "ConsistentRead": True}}
            reply["Responses"][table.name] = [item for item in items if item in whole[:3]]

    aws.edit("BatchGetItem", leave)
    found = table.get(ids)
    assert {item["employee_id"] for item in found} >= set(ids[3:])
    assert len(asked) == 2


def test_wrong_index_is_made_again(aws, clock):
    """DynamoDB deletes it for a minute, creates the right one for a minute, and does one thing at a time."""
    wrong, table, steps = Index(plan.SERIAL_INDEX.name, "lottery_serial", "S"), TABLE.make(aws.target), []
    there(aws, TABLE, lambda target: Table(target, table.name, index=wrong))

    def is_busy(ask):
        return aws.age("UpdateTable", table.name) < 60

    def show(ask, reply):
        if is_busy(ask):
            found = indexes(reply["Table"]) or [wrong.configuration]
            reply["Table"]["GlobalSecondaryIndexes"] = [each | {"IndexStatus": "UPDATING"} for each in found]

    aws.edit("DescribeTable", show)
    aws.refuse("UpdateTable", *ONE_INDEX, when=is_busy)
    aws.edit("UpdateTable", lambda ask, reply: steps.extend(ask.params["GlobalSecondaryIndexUpdates"]))
    begun = clock.now
    assert table.ensure().state == "updated"
    assert [name for step in steps for name in step] == ["Delete", "Create"]
    assert (aws.attempts.count("UpdateTable"), clock.now - begun >= 120) == (2, True)
    assert_settled(aws, TABLE)


def test_scan_in_pages(aws, table):
    """A scan comes in pages, and one may be empty though more follow."""
    load_employees(aws.target, tutorial_roster())
    aws.page("Scan", "Items", "ExclusiveStartKey", "LastEvaluatedKey")
    assert len(table.items()) == 10
    assert table.has_content()
    assert Employees(aws.target).ensure().state == "unchanged"


def test_other_role_of_an_idempotent_create(aws):
    """A create that meets the same definition is answered with success, and keeps the old role."""
    wanted = plan.machine_role(aws.target)
    there(aws, MACHINE, MACHINE.make)
    machine = MACHINE.make(aws.target)
    machine.role_arn = (
        Role(aws.target, f"{wanted.name}-b", wanted.service, wanted.managed, wanted.inline).ensure().arn
    )
    aws.refuse("DescribeStateMachine", *MACHINE.absent, times=1)
    created = {"stateMachineArn": machine.arn, "creationDate": 1.0}
    aws.rule("CreateStateMachine", lambda ask: ask.answer(200, created))
    assert machine.ensure().state == "created"
    assert "UpdateStateMachine" in aws.attempts
    assert machine.ensure().state == "unchanged"


def show(aws, arn):
    """Let every subscription be listed with this ARN, or word."""

    def change(ask, reply):
        for each in reply["Subscriptions"]:
            each["SubscriptionArn"] = arn

    aws.edit("ListSubscriptionsByTopic", change)


@pytest.mark.parametrize("word", ["PendingConfirmation", "pending confirmation"])
def test_pending_is_understood(aws, topic, word):
    """AWS's reply and its list have different words for a pending subscription; both are one state."""
    assert Subscription(topic, ADDRESS).ensure().state == "pending confirmation"
    show(aws, word)
    again = Subscription(topic, ADDRESS).ensure()
    assert (again.state, again.arn) == ("pending confirmation", "")
    assert aws.attempts.count("Subscribe") == 1


def test_ended_subscription_is_none(aws, topic):
    """A subscription that was ended stays in AWS's list as `Deleted`: the address is subscribed anew."""
    Subscription(topic, ADDRESS).ensure()
    show(aws, "Deleted")
    assert topic.subscriptions() == []
    Subscription(topic, ADDRESS).ensure()
    assert aws.attempts.count("Subscribe") == 2


@pytest.mark.parametrize(
    "arn", ["PendingConfirmation", "Deleted", "arn:aws:sns:us-east-1:1:t:of-a-pending-one"]
)
def test_teardown_with_a_pending_subscription(aws, topic, stack, arn):
    """A pending subscription cannot be unsubscribed; it goes with its topic, and nothing is left."""
    pending = "Invalid parameter: SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending "
    Subscription(topic, ADDRESS).ensure()
    show(aws, arn)
    aws.refuse("Unsubscribe", "InvalidParameter", f"{pending}confirmation")
    inventory = stack.teardown()
    assert inventory.left == []
    assert {each.state for each in inventory.resources} == {"deleted", "missing"}


def test_subscriptions_in_pages(aws, topic):
    """Subscriptions are listed in pages, and one may be empty."""
    for each in ("ben@example.com", ADDRESS):
        Subscription(topic, each).ensure()
    aws.page("ListSubscriptionsByTopic", "Subscriptions", "NextToken", "NextToken")
    assert len(topic.subscriptions()) == 2
    Subscription(topic, ADDRESS).ensure()
    assert aws.attempts.count("Subscribe") == 2


def test_lost_reply_of_a_subscription(aws, topic):
    """Subscribe sent again after a lost reply is one subscription."""
    aws.lose("Subscribe")
    Subscription(topic, ADDRESS).ensure()
    assert len(topic.subscriptions()) == 1
    assert aws.attempts.count("Subscribe") == 2


def test_bad_address(aws, topic):
    """An address that SNS refuses is said as such."""
    aws.refuse("Subscribe", "InvalidParameter", "Invalid parameter: Email address")
    with pytest.raises(LotteryError, match=r"e-mail address 'ann'.*Give an address like"):
        Subscription(topic, "ann").ensure()
