"""Deploying converges, and tearing down leaves nothing."""

import json

import pytest
from emulator.calls import Recorder

from lottery_lib import Stack, connect, draw, inject, load_employees, plan
from lottery_lib.draws import forget_winners
from lottery_lib.employees import Roster
from lottery_lib.errors import LotteryError
from lottery_lib.resources import (
    lambda_function,
)
from lottery_lib.resources.dynamodb_table import Index, Table
from lottery_lib.resources.iam_role import allowing, trust_policy
from lottery_lib.resources.sns_topic import Subscription, Topic
from lottery_lib.resources.state_machine import StateMachine


def states(resources):
    return {resource.state for resource in resources}


def test_deploy_from_nothing(target):
    """From nothing a deploy creates everything, and a draw works."""
    assert states(Stack(target).deploy()) == {"created"}
    assert draw(target, 2)["status"] == "SUCCEEDED"


def test_second_deploy_writes_nothing(target):
    """A second deploy changes nothing and makes no write call."""
    Stack(target).deploy("ann@example.com")
    recorder = Recorder(target)
    done = Stack(recorder.target).deploy("ann@example.com")
    assert recorder.writes == []
    assert states(done) == {"unchanged", "pending confirmation"}


def test_broken_things_are_repaired(target):
    """What somebody changed by hand is put right by the next deploy."""
    stack, names = Stack(target), target.names
    stack.deploy()
    arn = plan.lambda_role(target).policy_arn("AmazonSNSFullAccess")
    target.client("iam").detach_role_policy(RoleName=names.lambda_role, PolicyArn=arn)
    target.client("iam").delete_role_policy(RoleName=names.machine_role, PolicyName="InvokeLotteryFunctions")
    name = names.function("InputWinners")
    target.client("lambda").update_function_configuration(FunctionName=name, Timeout=3)
    other = lambda_function.zipped(lambda_function.LAMBDAS_FOLDER / "record_winners")
    target.client("lambda").update_function_code(FunctionName=name, ZipFile=other)
    machine = StateMachine(target, names.machine).arn
    target.client("stepfunctions").update_state_machine(
        stateMachineArn=machine, definition='{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}'
    )
    updated = {each.name for each in stack.deploy() if each.state == "updated"}
    assert updated == {names.lambda_role, names.machine_role, name, names.machine}
    assert draw(target, 1)["status"] == "SUCCEEDED"


def test_attributes_are_repaired(target):
    """The machine's role, the topic's display name, a trust policy and an inline policy are put right too."""
    stack, names = Stack(target), target.names
    stack.deploy()
    other = target.arn("iam", f"role/{names.lambda_role}", region="")
    machine, iam = StateMachine(target, names.machine).arn, target.client("iam")
    trusting = json.dumps(trust_policy("states.amazonaws.com"))
    iam.update_assume_role_policy(RoleName=names.lambda_role, PolicyDocument=trusting)
    target.client("stepfunctions").update_state_machine(stateMachineArn=machine, roleArn=other)
    target.client("sns").set_topic_attributes(
        TopicArn=Topic(target, names.topic).arn, AttributeName="DisplayName", AttributeValue="X"
    )
    iam.put_role_policy(
        RoleName=names.machine_role,
        PolicyName="InvokeLotteryFunctions",
        PolicyDocument=json.dumps(allowing(("lambda:InvokeFunction", ["arn:aws:lambda:::x"]))),
    )
    updated = {each.name for each in stack.deploy() if each.state == "updated"}
    assert updated == {names.lambda_role, names.machine_role, names.topic, names.machine}
    assert states(stack.deploy()) == {"unchanged"}


def test_own_roster_survives_a_deploy(target):
    """A deploy fills an empty table only: a roster of one's own, however small, stays."""
    Stack(target).deploy()
    load_employees(target, Roster([{"employee_id": "x", "employee_name": "X", "lottery_serial": 1}]))
    Stack(target).deploy()
    assert [each["employee_id"] for each in Table(target, target.names.employee_table).items()] == ["x"]


def test_empty_roster_is_refused(target):
    """A roster of nobody does not empty the pool."""
    Stack(target).deploy()
    with pytest.raises(LotteryError, match="has no valid employee"):
        load_employees(target, Roster())
    assert len(Table(target, target.names.employee_table).items()) == 10


def test_wrong_index_key_is_refused(target):
    """An index of our name on a key of another type is not taken for ours."""
    table = plan.employee_table(target)
    wrong = Index(table.index.name, "lottery_serial", "S")
    Table(target, table.name, index=wrong).ensure()
    with pytest.raises(LotteryError, match=r"lottery_serial.*cannot be changed"):
        table.ensure()


def test_plan(target):
    """The plan of a deploy tells what would be created, what checked, and what refused."""
    foreign_table(target)
    plan.lambda_role(target).ensure()
    planned = {(each.kind, each.name): each.state for each in Stack(target).plan("ann@example.com")}
    assert planned["table", target.names.winners_table] == "not ours, would be refused"
    assert planned["role", target.names.lambda_role] == "would be checked"
    assert planned["topic", target.names.topic] == "would be created"
    assert planned["subscription", "ann@example.com"] == "would be created"


def test_plan_of_a_subscription_that_is_there(target):
    """An address that is subscribed, or pending, is not subscribed again."""
    Stack(target).deploy("ann@example.com")
    planned = {each.kind: each.state for each in Stack(target).plan("ann@example.com")}
    assert planned["subscription"] == "would be checked"


def test_foreign_tables_are_not_emptied(target):
    """Neither a reset nor a roster touches a table of our name that is not ours."""
    foreign_table(target)
    Table(target, target.names.winners_table).put([{"employee_id": "theirs"}])
    with pytest.raises(LotteryError, match="was not made by this kit"):
        forget_winners(target)
    assert len(Table(target, target.names.winners_table).items()) == 1


def test_index_is_added_later(target):
    """The index can be added to a table that was made without it, as the tutorial does."""
    plan.employee_table(target, index=False).ensure()
    assert Table(target, target.names.employee_table).index_names() == []
    assert plan.employee_table(target).ensure().state == "updated"
    assert Table(target, target.names.employee_table).index_names() == ["lottery_serial-index"]


def test_teardown_leaves_nothing(target):
    """A teardown deletes everything it finds, log groups and subscriptions too, and proves it."""
    stack = Stack(target)
    stack.deploy("ann@example.com")
    draw(target, 1)
    inventory = stack.teardown()
    assert inventory.left == []
    assert states(inventory.resources) == {"deleted"}
    assert {each.kind for each in inventory.resources} == {
        "role",
        "function",
        "log group",
        "topic",
        "subscription",
        "table",
        "state machine",
    }


def test_teardown_twice(target):
    """A second teardown finds nothing to do and makes no write call."""
    Stack(target).deploy()
    Stack(target).teardown()
    recorder = Recorder(target)
    inventory = Stack(recorder.target).teardown()
    assert states(inventory.resources) == {"missing"}
    assert inventory.left == []
    assert recorder.writes == []


def test_teardown_stops_what_runs(target):
    """A draw that runs is stopped, not waited for."""
    Stack(target).deploy()
    machine = StateMachine(target, target.names.machine).arn
    inject(target, "InputWinners", "import time\ndef lambda_handler(event, context): time.sleep(20)")
    target.client("stepfunctions").start_execution(stateMachineArn=machine, input="{}")
    recorder = Recorder(target)
    assert Stack(recorder.target).teardown().left == []
    assert recorder.writes.index("StopExecution") < recorder.writes.index("DeleteStateMachine")


def test_teardown_empties_roles_of_what_others_attached(target):
    """Policies that somebody else put on our role do not keep it from being deleted."""
    Stack(target).deploy()
    arn = plan.lambda_role(target).policy_arn("ReadOnlyAccess")
    target.client("iam").attach_role_policy(RoleName=target.names.lambda_role, PolicyArn=arn)
    assert Stack(target).teardown().left == []


def foreign_role(target):
    target.client("iam").create_role(RoleName=target.names.lambda_role, AssumeRolePolicyDocument="{}")
    return "role"


def foreign_topic(target):
    target.client("sns").create_topic(Name=target.names.topic)
    return "topic"


def foreign_group(target):
    name = target.names.log_group(target.names.function("InputWinners"))
    target.client("logs").create_log_group(logGroupName=name)
    return "log group"


def foreign_table(target):
    target.client("dynamodb").create_table(
        TableName=target.names.winners_table,
        KeySchema=[{"AttributeName": "employee_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "employee_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return "table"


def foreign_function(target):
    role = plan.lambda_role(target).ensure().arn
    target.client("lambda").create_function(
        FunctionName=target.names.function("InputWinners"),
        Code={"ZipFile": lambda_function.zipped(lambda_function.LAMBDAS_FOLDER / "input_winners")},
        Role=role,
        Runtime="python3.12",
        Handler="lambda_function.lambda_handler",
    )
    return "function"


def foreign_machine(target):
    role = plan.machine_role(target).ensure().arn
    target.client("stepfunctions").create_state_machine(
        name=target.names.machine,
        roleArn=role,
        definition='{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}',
    )
    return "state machine"


FOREIGN = [foreign_role, foreign_topic, foreign_group, foreign_table, foreign_function, foreign_machine]


@pytest.mark.parametrize("make", FOREIGN, ids=lambda make: make.__name__)
def test_foreign_things_are_left_alone(target, make):
    """A thing of our name without our tags is refused by deploy and left, and named, by teardown."""
    kind = make(target)
    with pytest.raises(LotteryError, match="was not made by this kit"):
        Stack(target).deploy()
    inventory = Stack(target).teardown()
    assert [(each.kind, each.ours) for each in inventory.left] == [(kind, False)]


def test_subscriptions_of_a_foreign_topic(target):
    """The subscriptions of a topic that is not ours are neither deleted nor said to be."""
    foreign_topic(target)
    Subscription(Topic(target, target.names.topic), "ann@example.com").ensure()
    inventory = Stack(target).teardown()
    assert {(each.kind, each.ours) for each in inventory.left} == {("topic", False), ("subscription", False)}
    assert "deleted" not in states(inventory.resources)


def test_two_attendees(target):
    """Two attendees share an account: one tears down, the other still draws."""
    other = connect("embedded", attendee=f"{target.names.attendee}-b")
    Stack(target).deploy()
    Stack(other).deploy()
    Stack(target).teardown()
    assert draw(other, 1)["status"] == "SUCCEEDED"


def test_recreated_machine_has_only_its_own_tags(target):
    """A foreign machine made after a teardown does not inherit our tags."""
    Stack(target).deploy()
    Stack(target).teardown()
    foreign_machine(target)
    assert not StateMachine(target, target.names.machine).find().ours
