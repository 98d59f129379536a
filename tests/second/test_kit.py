"""The kit as it is, on an emulator that others wrote."""

import pytest

from lottery_course import calls, restore, verify
from lottery_lib import Stack, connect, draw, plan

pytestmark = pytest.mark.ministack
STATES = {
    *("Input Lottery Winners", "Random Select Winners", "Validate Winners"),
    *("Is Winner In Past Draw", "Send SNS and Record In Dynamodb"),
}


def states(document):
    return {each["state"] for each in document["resources"]}


def test_from_deploy_to_teardown(run):
    """Deploy, draw, look at the results and tear down, as an attendee does; nothing is left."""
    assert states(run("deploy")[1]) == {"created"}
    code, drawn = run("draw", "2")
    assert (code, drawn["status"], len(drawn["winners"])) == (0, "SUCCEEDED", 2)
    ids = sorted(winner["employee_id"] for winner in drawn["winners"])
    assert [winner["employee_id"] for winner in run("winners")[1]] == ids
    assert {(row["state"], row["status"]) for row in run("history")[1]} == {(s, "succeeded") for s in STATES}
    assert "missing" not in states(run("status")[1])
    assert run("reset") == (0, {"removed": 2})
    code, document = run("teardown")
    assert (code, document["left"]) == (0, [])
    assert states(run("status")[1]) == {"missing"}


def test_a_second_deploy_writes_nothing(lottery):
    """There, too, `deploy` finds nothing to do where everything is as it should be."""
    again = connect(lottery.endpoint, attendee=lottery.names.attendee)
    assert {each.state for each in Stack(again).deploy()} == {"unchanged"}
    operations = set(calls(again).table["operation"])
    assert "GetFunction" in operations
    assert [name for name in operations if not name.startswith(("Describe", "Get", "List", "Scan"))] == []


def test_a_broken_lottery_is_repaired(lottery):
    """`deploy` puts right what was changed by hand: a policy, a function, the machine."""
    names, machine = lottery.names, lottery.arn("states", f"stateMachine:{lottery.names.machine}")
    arn = plan.lambda_role(lottery).policy_arn("AmazonDynamoDBFullAccess")
    lottery.client("iam").detach_role_policy(RoleName=names.lambda_role, PolicyArn=arn)
    functions = lottery.client("lambda")
    functions.update_function_configuration(FunctionName=names.function("InputWinners"), Timeout=3)
    broken = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
    lottery.client("stepfunctions").update_state_machine(stateMachineArn=machine, definition=broken)
    changed = {each.kind for each in Stack(lottery).deploy() if each.state == "updated"}
    assert changed == {"role", "function", "state machine"}
    assert draw(lottery, 1)["status"] == "SUCCEEDED"


def test_employees_load(run, tmp_path):
    """A roster of more than a batch becomes the content of the table, and is what is drawn from."""
    run("deploy")
    path = tmp_path / "staff.csv"
    rows = "".join(f"s{number},Name {number}\n" for number in range(60))
    path.write_text(f"employee_id,employee_name\n{rows}", encoding="utf-8")
    assert run("employees", "load", str(path)) == (0, {"loaded": 60, "rejected": []})
    assert len(run("draw", "60")[1]["winners"]) == 60


def test_dry_runs(run):
    """What would be done is told, and not done."""
    assert states(run("deploy", "--dry-run")[1]) == {"would be created"}
    assert states(run("status")[1]) == {"missing"}
    run("deploy")
    assert states(run("teardown", "--dry-run")[1]) == {"would be deleted"}
    assert "missing" not in states(run("status")[1])


def test_two_attendees(ministack, lottery):
    """Two attendees share it: one tears down, the other still draws."""
    other = Stack(connect(ministack, attendee=f"{lottery.names.attendee}-b"))
    other.deploy()
    assert other.teardown().left == []
    assert draw(lottery, 1)["status"] == "SUCCEEDED"


def test_lessons(lottery):
    """A lesson's first cell makes what earlier lessons build, and its last says what is done."""
    target = connect(lottery.endpoint, attendee=f"{lottery.names.attendee}-c")
    restore(target, "05")
    left_out = [1, 2, 3]  # nobody does the exercises here
    assert [str(check) for check in verify(target, "04", without=left_out) if not check.done] == []
    assert not any(check.done for check in verify(target, "05"))
    restore(target, "01")
    assert Stack(target).left() == []
