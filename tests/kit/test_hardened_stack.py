"""The hardened edition is deployed and removed beside the tutorial's; what they share stays for the other."""

import pytest
from kit.calls import Broken, Interruption, Recorder

from lottery_lib import Stack, connect, draw
from lottery_lib.employees import Roster
from lottery_lib.errors import LotteryError
from lottery_lib.resources.contents import load_employees
from lottery_lib.resources.dynamodb_table import Table

EDITIONS = ("tutorial", "hardened")
SHARED = {"Lottery-Employee", "Lottery-Winners", "Lottery-Notification"}


@pytest.fixture
def both(target):
    """One attendee's two editions, neither deployed."""
    attendee = target.names.attendee
    return {edition: connect("embedded", attendee=attendee, edition=edition) for edition in EDITIONS}


@pytest.fixture
def target(target):
    """The hardened edition of an attendee of this test's own."""
    return connect("embedded", attendee=target.names.attendee, edition="hardened")


def states(resources):
    return {resource.state for resource in resources}


def test_names(target):
    """All of its own starts with Lottery-Hardened and ends in the attendee; the rest is shared by name."""
    end = f"-{target.names.attendee}"
    found = {each.name.removeprefix("/aws/lambda/") for each in Stack(target).status()}
    assert all(name.endswith(end) for name in found)
    bases = {name.removesuffix(end) for name in found}
    assert {base for base in bases if not base.startswith("Lottery-Hardened")} == SHARED
    assert {"Lottery-Hardened", "Lottery-Hardened-CommitDraw", "Lottery-Hardened-DrawPrize"} < bases


def test_tags(hardened_stack):
    """Everything carries the edition and the attendee."""
    target = hardened_stack.target
    assert all(each.ours for each in Stack(target).status())
    names, wanted = target.names, {"lottery-workshop": "hardened", "lottery-attendee": target.names.attendee}
    function = target.client("lambda").get_function(FunctionName=names.function("DrawPrize"))
    assert function["Tags"] == wanted
    machine = target.arn("states", f"stateMachine:{names.machine}")
    tags = target.client("stepfunctions").list_tags_for_resource(resourceArn=machine)["tags"]
    assert {tag["key"]: tag["value"] for tag in tags} == wanted
    table = target.arn("dynamodb", f"table/{names.pool_table}")
    tags = target.client("dynamodb").list_tags_of_resource(ResourceArn=table)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == wanted


def test_second_deploy_writes_nothing(hardened):
    """A second deploy finds everything as it is, the pool too, and makes no write call."""
    recorder = Recorder(hardened)
    done = Stack(recorder.target).deploy("ann@example.com")
    assert recorder.writes == []
    assert states(done) == {"unchanged", "confirmed"}
    assert "pool" in {each.kind for each in done}


def test_interrupted_again_and_again(target):
    """A deploy, and then a teardown, is interrupted after a few writes, again and again, and completes."""
    assert interrupted(target, Stack.deploy) > 5
    assert states(Stack(target).deploy()) == {"unchanged"}
    assert draw(target, 1)["status"] == "SUCCEEDED"
    assert interrupted(target, Stack.teardown) > 5
    assert Stack(target).left() == []


def interrupted(target, step):
    """Run a step until it is not interrupted; returns how often it was."""
    interruption = Interruption(target, 1)
    for number in range(40):
        interruption.left = 1 + number % 4  # a roster needs more than one at once
        try:
            step(Stack(interruption.target))
        except Broken:
            continue
        return number
    raise AssertionError("it makes no progress")


@pytest.mark.long
@pytest.mark.parametrize("after", range(0, 18, 3))
def test_interrupted_deploy_converges(target, after):
    """A deploy interrupted after any number of write calls is completed by the next one.

    It is long: `test_interrupted_again_and_again` stops at many writes in one life.
    """
    with pytest.raises(Broken):
        Stack(Interruption(target, after).target).deploy()
    Stack(target).deploy()
    assert states(Stack(target).deploy()) == {"unchanged"}
    assert draw(target, 1)["status"] == "SUCCEEDED"


def test_a_deploy_makes_the_pool_of_who_is_there(hardened):
    """Employees whom somebody put into the table by hand are in the pool after the next deploy."""
    target = hardened
    Table(target, target.names.employee_table).put([{"employee_id": "new", "employee_name": "New"}])
    pool = [each for each in Stack(target).deploy() if each.kind == "pool"]
    assert states(pool) == {"updated"}
    assert len(draw(target, 11)["winners"]) == 11


def test_a_foreign_pool_is_left_alone(target):
    """If somebody else's table has the pool's name, a roster is refused before any write."""
    plain = target.named(target.names.other)
    Stack(plain).deploy()
    client, key = target.client("dynamodb"), [{"AttributeName": "chunk", "KeyType": "HASH"}]
    types = [{"AttributeName": "chunk", "AttributeType": "S"}]
    client.create_table(TableName=target.names.pool_table, KeySchema=key, AttributeDefinitions=types,
                        BillingMode="PAY_PER_REQUEST")  # fmt: skip
    with pytest.raises(LotteryError, match="was not made by this kit"):
        load_employees(plain, Roster([{"employee_id": "a", "employee_name": "A"}]))
    assert Table(target, target.names.pool_table).items() == []
    assert len(Table(target, target.names.employee_table).items()) == 10


def test_an_interrupted_load_leaves_the_former_pool(hardened):
    """If a load breaks while it writes the pool, draws use the old pool, which is complete."""
    target = hardened
    staff = [{"employee_id": f"{number:04}", "employee_name": "N"} for number in range(150)]
    Table(target, target.names.employee_table).put(staff)
    with pytest.raises(Broken):  # the employees that are there already take six batches, and the chunks one
        load_employees(Interruption(target, 7).target, Roster(staff))
    assert Table(target, target.names.pool_table, "chunk").item("head")["size"] == 10
    assert Stack(target).deploy()[-1].state == "updated"


@pytest.mark.parametrize("first", EDITIONS)
def test_one_edition_goes_after_the_other(both, first):
    """A teardown of one edition removes what `removal` says. The other edition's draws work."""
    other = both[EDITIONS[1 - EDITIONS.index(first)]]
    for target in both.values():
        deployed = Stack(target).deploy("ann@example.com")
    assert states(each for each in deployed if each.kind == "pool") == {"created"}
    would = {(each.kind, each.name) for each in Stack(both[first]).removal()}
    gone = Stack(both[first]).teardown()
    assert {(each.kind, each.name) for each in gone.resources} == would
    assert both[first].names.winners_table not in {name for _, name in would}
    assert gone.left == Stack(both[first]).left() == []
    assert "missing" not in states(Stack(other).status())
    assert draw(other, 2)["status"] == "SUCCEEDED"
    assert states(Stack(other).deploy()) == {"unchanged"}
    assert Stack(other).teardown().left == []
    for target in both.values():
        assert states(Stack(target).status()) == {"missing"}


@pytest.mark.long
@pytest.mark.parametrize("after", range(0, 13, 3))
def test_interrupted_teardown_converges(target, after):
    """A teardown interrupted after any number of write calls is completed by the next one.

    It is long: `test_interrupted_again_and_again` stops at many writes in one life.
    """
    Stack(target).deploy()
    with pytest.raises(Broken):
        Stack(Interruption(target, after).target).teardown()
    assert Stack(target).teardown().left == []


def test_a_tutorial_deploy_fills_the_pool_too(hardened):
    """A deploy that loads the ten employees makes them the pool of the other edition, so its draws work."""
    people = [{"employee_id": f"p{n}", "employee_name": "N", "lottery_serial": n} for n in range(1, 31)]
    load_employees(hardened, Roster(people))
    table = Table(hardened, hardened.names.employee_table)
    table.remove(table.all_keys())
    Stack(hardened.named(hardened.names.other)).deploy()
    assert draw(hardened, 2)["status"] == "SUCCEEDED"


def test_a_plan_without_employees(hardened):
    """If there is a pool and no table of employees, the dry run says what the deploy repairs."""
    target = hardened
    Table(target, target.names.employee_table).delete()
    planned = {(each.kind, each.name): each.state for each in Stack(target).plan()}
    assert planned["pool", target.names.pool_table] == "would be updated"
    assert planned["employees", target.names.employee_table] == "would be created"
    Stack(target).deploy()
    assert draw(target, 2)["status"] == "SUCCEEDED"
