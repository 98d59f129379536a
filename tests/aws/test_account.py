"""The kit in a real account: `pytest --aws`. The tests run in this order, as the last takes all down."""

import io
import json

import pytest
from kit import by_hand

from lottery_course import calls, restore
from lottery_course.lessons import built_in
from lottery_lib import Stack, connect, executions, plan, state_table, winners
from lottery_lib import execution as executed
from lottery_lib.__main__ import main
from lottery_lib.draws import machine_arn
from lottery_lib.errors import LotteryError
from lottery_lib.target import READS

pytestmark = pytest.mark.aws


def again(target):
    """The same attendee, as one who has asked nothing yet."""
    return connect("aws", attendee=target.names.attendee)


def writes(target):
    """What a target was asked that is no look; that it was asked something is checked."""
    operations = list(calls(target).table["operation"])
    assert operations
    return [name for name in operations if not name.startswith(READS)]


def named(resources):
    return [(each.kind, each.name) for each in resources]


def test_the_account_is_the_callers(lottery):
    """Account, partition and region are those of the ARNs of what was made."""
    target, made = lottery.target, [each for each in lottery.done if each.kind == "function"]
    for each in made:
        assert (
            each.arn == f"arn:{target.partition}:lambda:{target.region}:{target.account}:function:{each.name}"
        )
    assert len(made) == 4


def test_the_plan_is_what_was_done(lottery):
    """A dry run names, in its order, all that a deploy makes, and the deploy announces it first."""
    assert named(lottery.planned) == named(lottery.announced) == named(lottery.done)
    assert {each.state for each in lottery.planned} == {"would be created"}
    assert {each.state for each in lottery.done} == {"created"}


def test_the_plan_made_nothing(lottery):
    """After the dry run, nothing was there yet."""
    assert {each.state for each in lottery.after_the_plan} == {"missing"}


def test_a_second_deploy_writes_nothing(lottery):
    """Where everything is as it should be, `deploy` only looks."""
    target = again(lottery.target)
    assert {each.state for each in Stack(target, announce=lambda plan: None).deploy()} == {"unchanged"}
    assert writes(target) == []


def test_everything_is_active(lottery):
    """What was made can be used: AWS calls each of it active."""
    assert {each.state for each in Stack(lottery.target).status()} == {"ACTIVE"}


def test_draw(lottery, drawn):
    """Two winners, who are then in the table of winners."""
    assert (drawn["status"], len(drawn["winners"])) == ("SUCCEEDED", 2), drawn["cause"]
    ids = sorted(winner["employee_id"] for winner in drawn["winners"])
    assert list(winners(lottery.target)["employee_id"]) == ids


def test_history(lottery, drawn):
    """The draw's history tells each state, those inside the Parallel too, and that it succeeded."""
    table = state_table(executed.history(lottery.target, drawn["execution_arn"]))
    assert {"Input Lottery Winners", "Notify Winners", "Record Winner Queue"} <= set(table["state"])
    assert set(table["status"]) == {"succeeded"}


def test_executions(lottery, drawn):
    """The draw is listed, with its winners and what it cost."""
    found = executions(lottery.target).set_index("execution_arn").loc[drawn["execution_arn"]]
    assert found["winners"] == ", ".join(winner["employee_name"] for winner in drawn["winners"])
    assert 0 < found["cost"] < 0.01


def test_a_draw_that_fails_says_why(lottery, drawn):
    """Exceptions of functions are called by their class, through the tutorial's silent Fail state."""
    from lottery_lib import draw

    told = draw(lottery.target, 0)
    assert (told["status"], told["error"]) == ("FAILED", "InvalidInput")


def test_stop(lottery, drawn):
    """A draw that runs, here between its retries, can be stopped, and says by whom."""
    arn = executed.start(lottery.target, machine_arn(lottery.target), {"input": 99})
    executed.stop(lottery.target, arn)
    told = executed.wait(lottery.target, arn)
    assert (told["status"], told["error"]) == ("ABORTED", "Stopped")


def test_restore_only_looks(lottery):
    """`restore` is content with what is there, says what is not (a subscription), and writes nothing."""
    target = again(lottery.target)
    restore(target, "03")
    with pytest.raises(LotteryError, match=r"not yet: an e-mail subscription.*deploy --email ADDRESS"):
        restore(target, "05")
    assert writes(target) == []


def test_verify(lottery, drawn):
    """`verify` says of each lesson what is done, and writes nothing."""
    target = again(lottery.target)
    done = {lesson for lesson in ("01", "02", "03", "04", "05", "06") if all(verify_all(target, lesson))}
    assert done == {"01", "02", "04", "05", "06"}
    assert writes(target) == []


def verify_all(target, lesson):
    return [check.done for check in built_in(target, lesson)]


def test_calls(lottery):
    """What was asked is told, with lines for the `aws` command."""
    view = calls(lottery.target)
    assert {"CreateRole", "CreateFunction", "CreateTable", "CreateStateMachine"} <= set(
        view.table["operation"]
    )
    assert f"--role-name {lottery.target.names.lambda_role}" in view.commands


def test_what_needs_a_yes(lottery, monkeypatch, capsys):
    """On the command line a teardown without --yes, and without a terminal to ask on, is refused."""
    monkeypatch.setenv("LOTTERY_TARGET", "aws")
    monkeypatch.setenv("LOTTERY_ATTENDEE", lottery.target.names.attendee)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["teardown", "--json"]) == 1
    assert "needs a confirmation" in json.loads(capsys.readouterr().out)["cause"]
    assert {each.state for each in Stack(lottery.target).status()} == {"ACTIVE"}


def test_what_lessons_make_by_hand(lottery):
    """An alarm, a rule, an alias, a bucket, a log and machines are found, and are ours."""
    by_hand.make(lottery.target)
    target = again(lottery.target)
    found = [each.find() for each, _ in plan.made_by_hand(target)]
    assert len(found) == len(plan.BY_HAND)
    assert all(each and each.ours for each in found)
    assert {check.done for lesson in ("09", "11", "14", "18") for check in built_in(target, lesson)} == {True}


def test_a_dry_teardown(lottery):
    """It names, in its order, all that a teardown deletes, and deletes nothing."""
    target = again(lottery.target)
    planned = Stack(target).removal()
    assert {each.state for each in planned} == {"would be deleted"}
    assert sorted(named(planned)) == sorted(named(Stack(target).status()))
    assert writes(target) == []


def test_teardown(lottery):
    """Everything is deleted, and the inventory finds nothing. A second one has nothing to do."""
    assert Stack(lottery.target, announce=lambda plan: None).teardown().left == []
    target = again(lottery.target)
    assert Stack(target, announce=lambda plan: None).teardown().left == []
    assert writes(target) == []
