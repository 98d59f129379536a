"""Deploying converges, and tearing down leaves nothing."""

import json
from functools import partial

import pytest
from boto3.dynamodb.conditions import Key
from injected import waits_for
from kit.calls import Recorder, make_foreign

from lottery_course import inject
from lottery_lib import Stack, connect, draw, plan
from lottery_lib.employees import Roster
from lottery_lib.errors import LotteryError
from lottery_lib.resources import lambda_function
from lottery_lib.resources.contents import empty_winners, load_employees
from lottery_lib.resources.dynamodb_table import Index, Table
from lottery_lib.resources.iam_role import allowing, trust_policy
from lottery_lib.resources.sns_topic import Subscription
from lottery_lib.resources.state_machine import StateMachine


def states(resources):
    return {resource.state for resource in resources}


@pytest.fixture(scope="module")
def lottery():
    """A lottery that these tests make, break, mend and remove, one after the other."""
    return connect("embedded", attendee="made")


def test_deploy_from_nothing(lottery):
    """From nothing a deploy creates everything, and a draw works."""
    assert states(Stack(lottery).deploy()) == {"created"}
    assert draw(lottery, 2)["status"] == "SUCCEEDED"


def test_second_deploy_writes_nothing(lottery):
    """A second deploy changes nothing and makes no write call; its plan says so."""
    Stack(lottery).deploy("ann@example.com")
    recorder = Recorder(lottery)
    done = Stack(recorder.target).deploy("ann@example.com")
    assert recorder.writes == []
    assert states(done) == {"unchanged", "pending confirmation"}
    assert states(Stack(lottery).plan("ann@example.com")) == {"would be checked"}


def test_broken_things_are_repaired(lottery):
    """What somebody changed by hand is put right by the next deploy."""
    stack, names, iam = Stack(lottery), lottery.names, lottery.client("iam")
    functions, machines = lottery.client("lambda"), lottery.client("stepfunctions")
    arn, machine = plan.lambda_role(lottery).policy_arn("AmazonSNSFullAccess"), plan.machine(lottery).arn
    iam.detach_role_policy(RoleName=names.lambda_role, PolicyArn=arn)
    iam.delete_role_policy(RoleName=names.machine_role, PolicyName="InvokeLotteryFunctions")
    one, other, *_ = names.functions.values()
    functions.update_function_configuration(FunctionName=one, Timeout=3)
    code = lambda_function.zipped(lambda_function.LAMBDAS_FOLDER / "record_winners")
    functions.update_function_code(FunctionName=other, ZipFile=code)
    nothing = '{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}'
    machines.update_state_machine(stateMachineArn=machine, definition=nothing)
    updated = {each.name for each in stack.deploy() if each.state == "updated"}
    assert updated == {names.lambda_role, names.machine_role, one, other, names.machine}
    assert draw(lottery, 1)["status"] == "SUCCEEDED"


def test_attributes_are_repaired(lottery):
    """The machine's role, the topic's display name, a trust policy and an inline policy are put right too."""
    stack, names, iam = Stack(lottery), lottery.names, lottery.client("iam")
    trusting = json.dumps(trust_policy("states.amazonaws.com"))
    iam.update_assume_role_policy(RoleName=names.lambda_role, PolicyDocument=trusting)
    lottery.client("stepfunctions").update_state_machine(
        stateMachineArn=plan.machine(lottery).arn, roleArn=plan.lambda_role(lottery).arn
    )
    lottery.client("sns").set_topic_attributes(
        TopicArn=plan.topic(lottery).arn, AttributeName="DisplayName", AttributeValue="X"
    )
    iam.put_role_policy(
        RoleName=names.machine_role,
        PolicyName="InvokeLotteryFunctions",
        PolicyDocument=json.dumps(allowing(("lambda:InvokeFunction", ["arn:aws:lambda:::x"]))),
    )
    updated = {each.name for each in stack.deploy() if each.state == "updated"}
    assert updated == {names.lambda_role, names.machine_role, names.topic, names.machine}
    assert states(stack.deploy()) == {"unchanged"}


def test_empty_roster_is_refused(lottery):
    """A roster of nobody does not empty the pool."""
    with pytest.raises(LotteryError, match="has no valid employee"):
        load_employees(lottery, Roster())
    assert len(plan.employee_table(lottery).items()) == 10


def test_own_roster_survives_a_deploy(lottery):
    """A deploy fills an empty table only: a roster of one's own, however small, stays."""
    load_employees(lottery, Roster([{"employee_id": "x", "employee_name": "X", "lottery_serial": 1}]))
    Stack(lottery).deploy()
    assert [each["employee_id"] for each in plan.employee_table(lottery).items()] == ["x"]


def test_teardown_leaves_nothing(lottery, tmp_path):
    """A teardown deletes everything it finds, whatever runs or is attached to a role, and proves it."""
    arn = plan.lambda_role(lottery).policy_arn("ReadOnlyAccess")
    lottery.client("iam").attach_role_policy(RoleName=lottery.names.lambda_role, PolicyArn=arn)
    inject(lottery, "InputWinners", waits_for(tmp_path / "gate", goes_on=False))
    machine = plan.machine(lottery).arn
    lottery.client("stepfunctions").start_execution(stateMachineArn=machine, input="{}")
    recorder = Recorder(lottery)
    inventory = Stack(recorder.target).teardown()
    assert inventory.left == []
    assert recorder.writes.index("StopExecution") < recorder.writes.index("DeleteStateMachine")
    assert states(inventory.resources) == {"deleted"}
    planned = {resource.name for resource, _ in plan.resources(lottery)}
    assert {each.name for each in inventory.resources} == {*planned, "ann@example.com"}
    (tmp_path / "gate").touch()


NAME = plan.SERIAL_INDEX.name
#: What somebody may leave of the index: another index or none, and the attributes that it has.
LEFT = {
    "none": (None, ""),
    "of texts": (Index(NAME, "lottery_serial", "S"), "ALL"),
    "of another attribute": (Index(NAME, "employee_entry_date", "S"), "ALL"),
    "of keys": (plan.SERIAL_INDEX, "KEYS_ONLY"),
}


@pytest.mark.parametrize(("index", "projection"), LEFT.values(), ids=LEFT)
def test_index_is_repaired(target, index, projection):
    """A missing or wrong index is made again; a third run writes nothing. Status and plan tell it before."""
    other, table = Table(target, target.names.employee_table, index=index), plan.employee_table(target)
    for each in other.configuration.get("GlobalSecondaryIndexes", []):
        each["Projection"]["ProjectionType"] = projection
    tags = [{"Key": key, "Value": value} for key, value in target.names.tags.items()]
    target.client("dynamodb").create_table(TableName=other.name, Tags=tags, **other.configuration)
    assert (table.find().state, table.is_complete()) == ("without its index", False)
    planned = {(each.kind, each.name): each.state for each in Stack(target).plan()}
    assert planned["table", table.name] == "would be updated"
    assert table.ensure().state == "updated"
    assert (table.find().state, table.is_complete()) == ("ACTIVE", True)
    recorder = Recorder(target)
    assert plan.employee_table(recorder.target).ensure().state == "unchanged"
    assert recorder.writes == []
    assert [each["IndexName"] for each in table.describe()["GlobalSecondaryIndexes"]] == [NAME]


def test_index_is_read_by_its_number(target):
    """Employees are found by their serial, also those who were there before the index."""
    table = Table(target, target.names.employee_table)
    table.ensure()
    table.put([{"employee_id": "x", "lottery_serial": 7}])
    plan.employee_table(target).ensure()
    asked = {"IndexName": NAME, "KeyConditionExpression": Key("lottery_serial").eq(7)}
    found = target.plain_dynamodb().query(TableName=table.name, **asked)["Items"]
    assert [each["employee_id"] for each in found] == ["x"]


def test_other_indexes_stay(target):
    """An attendee may add an index of their own."""
    own = Index("own-index", "employee_name", "S")
    Table(target, target.names.employee_table, index=own).ensure()
    table = plan.employee_table(target)
    assert [table.ensure().state for _ in range(2)] == ["updated", "unchanged"]
    found = {each["IndexName"] for each in table.describe()["GlobalSecondaryIndexes"]}
    assert found == {NAME, "own-index"}


def test_editions_agree_on_the_index():
    """They share the table: what one edition has deployed, the others find as it should be."""
    targets = [
        connect("embedded", attendee="agrees", edition=edition)
        for edition in ("tutorial", "jsonata", "hardened")
    ]
    states = [plan.employee_table(each).ensure().state for each in targets]
    assert states == ["created", "unchanged", "unchanged"]


def test_wrong_key_is_refused(target):
    """A table of our name with another key is not taken for ours."""
    table = plan.employee_table(target)
    Table(target, table.name, key="serial").ensure()
    with pytest.raises(LotteryError, match=r"serial.*cannot be changed"):
        table.ensure()


def test_plan(target):
    """The plan of a deploy tells what would be created, what checked, and what refused."""
    make_foreign(target, plan.winners_table)
    plan.lambda_role(target).ensure()
    planned = {(each.kind, each.name): each.state for each in Stack(target).plan("ann@example.com")}
    assert planned["table", target.names.winners_table] == "not ours, would be refused"
    assert planned["role", target.names.lambda_role] == "would be checked"
    assert planned["topic", target.names.topic] == "would be created"
    assert planned["subscription", "ann@example.com"] == "would be created"


FOREIGN = [
    *(plan.lambda_role, plan.topic, plan.winners_table, plan.machine),
    *(partial(make, purpose="InputWinners") for make in (plan.log_group, plan.function)),
]


def test_foreign_things_are_left_alone(target):
    """Things of our names without our tags are refused by deploy and left, and named, by teardown."""
    plan.machine_role(target).ensure()
    kinds = {make_foreign(target, make).kind for make in FOREIGN}
    Subscription(plan.topic(target), "ann@example.com").ensure()
    foreign = [each for each, _ in plan.resources(target) if (found := each.find()) and not found.ours]
    assert {each.kind for each in foreign} == kinds
    for each in foreign:
        with pytest.raises(LotteryError, match="was not made by this kit"):
            each.ensure()
    with pytest.raises(LotteryError, match="was not made by this kit"):
        Stack(target).deploy()
    inventory = Stack(target).teardown()
    left = {(each.kind, each.ours) for each in inventory.left}
    assert left == {(kind, False) for kind in (*kinds, "subscription")}
    assert "subscription" not in {each.kind for each in inventory.resources}


def test_foreign_tables_are_not_emptied(target):
    """Neither a reset nor a roster touches a table of our name that is not ours."""
    make_foreign(target, plan.winners_table)
    Table(target, target.names.winners_table).put([{"employee_id": "theirs"}])
    with pytest.raises(LotteryError, match="was not made by this kit"):
        empty_winners(target)
    assert len(Table(target, target.names.winners_table).items()) == 1


def test_recreated_machine_has_only_its_own_tags(lottery):
    """A foreign machine made after a teardown does not inherit our tags."""
    plan.machine_role(lottery).ensure()
    make_foreign(lottery, plan.machine)
    assert not StateMachine(lottery, lottery.names.machine).find().ours
