"""A draw on AWS: started once, seen late, looked at in pages, and made with rights that may be too new."""

import pytest

from lottery_lib import Stack, draw, execution, plan, winners
from lottery_lib.draws import Draws, executions, machine_arn, result
from lottery_lib.errors import LotteryError

ABSENT = ("ExecutionDoesNotExist", "Execution Does Not Exist: '{name}'")
NO_MACHINE = ("StateMachineDoesNotExist", "State Machine Does Not Exist: '{name}'")
EXISTS = ("ExecutionAlreadyExists", "Execution Already Exists: '{name}'")
LOOKS = "DescribeExecution GetExecutionHistory DescribeStateMachineForExecution"


def drawn(aws):
    return execution.of_machine(aws.target, machine_arn(aws.target))


def test_lost_reply(deployed):
    """A start that happened though the reply was lost, and is sent again, is one draw."""
    deployed.lose("StartExecution")
    assert draw(deployed.target, 2)["status"] == "SUCCEEDED"
    assert deployed.attempts.count("StartExecution") == 2
    assert (len(drawn(deployed)), len(winners(deployed.target))) == (1, 2)


def test_lost_reply_of_a_short_draw(deployed):
    """If the draw has ended before its start is sent again, AWS says that it exists: it is the one."""
    deployed.lose("StartExecution")
    again = lambda ask: deployed.attempts.count("StartExecution") > 1  # noqa: E731
    deployed.refuse("StartExecution", *EXISTS, when=again)
    told = draw(deployed.target, 2)
    assert (told["status"], len(told["winners"]), len(drawn(deployed))) == ("SUCCEEDED", 2, 1)


def test_machine_not_yet_visible(deployed):
    """StartExecution may not find a machine that DescribeStateMachine finds."""
    deployed.refuse("StartExecution", *NO_MACHINE, times=1)
    assert draw(deployed.target, 1)["status"] == "SUCCEEDED"
    assert len(drawn(deployed)) == 1


def test_no_machine_fails_at_once(aws, clock):
    """A machine that is not there at all is said at once."""
    begun = clock.now
    with pytest.raises(LotteryError, match="does not exist"):
        draw(aws.target, 1)
    assert clock.now == begun


def test_execution_not_yet_visible(deployed):
    """An execution that has just been started may not be found by whoever looks at it."""
    deployed.refuse(LOOKS, *ABSENT, times=4)
    assert draw(deployed.target, 1)["status"] == "SUCCEEDED"


def test_panel_looks_at_what_is_not_yet_visible(deployed):
    """The panel's looks wait for it too, and so does the picture of a draw."""
    draws = Draws(deployed.target)
    deployed.refuse(LOOKS, *ABSENT, times=2)
    arn = draws.start(1)
    draws.progress(arn)
    execution.wait(deployed.target, arn)
    assert draws.execution(arn).definition["StartAt"]


def test_execution_that_never_was(deployed, clock):
    """An execution that does not exist is said after a few seconds."""
    begun = clock.now
    arn = machine_arn(deployed.target).replace("stateMachine", "execution") + ":none"
    with pytest.raises(LotteryError, match="does not exist"):
        execution.describe(deployed.target, arn)
    assert clock.now - begun < 10


def test_timed_out(deployed):
    """An execution that timed out has neither output nor error nor cause: the keys are not there."""

    def change(ask, reply):
        reply["status"] = "TIMED_OUT"
        for key in ("output", "error", "cause"):
            reply.pop(key, None)

    deployed.edit("DescribeExecution", change)
    told = draw(deployed.target, 1)
    assert (told["status"], told["winners"]) == ("TIMED_OUT", [])


def test_status_that_is_no_end(deployed, clock):
    """An execution that may be redriven has not ended; who waits for it does so for a bounded time."""
    deployed.edit("DescribeExecution", lambda ask, reply: reply.update(status="PENDING_REDRIVE"))
    begun = clock.now
    told = draw(deployed.target, 1, seconds=60)
    assert (told["status"], told["error"]) == ("RUNNING", "StillRunning")
    assert 60 <= clock.now - begun < 70


def test_lists_in_pages(deployed):
    """Executions and events are listed in pages, and one in the middle may be empty."""
    arns = {draw(deployed.target, 1)["execution_arn"] for _ in range(3)}
    whole = execution.history(deployed.target, min(arns))
    deployed.page("ListExecutions", "executions")
    deployed.page("GetExecutionHistory", "events")
    assert set(executions(deployed.target)["execution_arn"]) == arns
    assert execution.history(deployed.target, min(arns)) == whole


def test_teardown_stops_what_runs_on_any_page(deployed):
    """A teardown stops the draws of every page."""
    machine = machine_arn(deployed.target)
    waiting = '{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":999,"End":true}}}'
    deployed.target.client("stepfunctions").update_state_machine(stateMachineArn=machine, definition=waiting)
    for _ in range(3):
        execution.start(deployed.target, machine, {})
    deployed.page("ListExecutions", "executions")
    assert Stack(deployed.emulated).teardown().left == []
    assert deployed.attempts.count("StopExecution") == 3


@pytest.mark.parametrize("operation", ["StopExecution", "DescribeExecution"])
def test_teardown_of_draws_that_end_meanwhile(deployed, operation):
    """A draw that ends, or goes, between the list and the stop does not keep a teardown from its work."""
    deployed.edit("ListExecutions", lambda ask, reply: reply.update(executions=[listed(deployed)]))
    deployed.refuse(operation, *ABSENT)
    assert Stack(deployed.emulated).teardown().left == []


def listed(aws):
    arn = machine_arn(aws.target).replace("stateMachine", "execution") + ":draw"
    times = {"startDate": 1.0, "stopDate": 2.0}
    return {"executionArn": arn, "name": "draw", "status": "RUNNING", **times}


def test_right_of_the_machine_that_does_not_hold_yet(deployed):
    """If the machine may not invoke a function yet, the draw fails, and it is said that this may pass."""
    names, iam = deployed.target.names, deployed.target.client("iam")
    iam.delete_role_policy(RoleName=names.machine_role, PolicyName="InvokeLotteryFunctions")
    told = draw(deployed.target, 1)
    assert (told["status"], told["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    assert "is not authorized to perform: lambda:InvokeFunction" in told["cause"]
    assert "wait a minute and try again" in told["cause"]


def test_right_of_a_function_that_does_not_hold_yet(deployed):
    """If a function may not read a table yet, that is said too, on the command line and in the panel."""
    arn = plan.lambda_role(deployed.target).policy_arn("AmazonDynamoDBFullAccess")
    iam = deployed.target.client("iam")
    iam.detach_role_policy(RoleName=deployed.target.names.lambda_role, PolicyArn=arn)
    told = draw(deployed.target, 1, seconds=3000)
    assert "AccessDeniedException" in told["cause"]
    assert "wait a minute and try again" in told["cause"]
    assert Draws(deployed.target).progress(told["execution_arn"]).result == told
    assert "wait a minute" not in result(deployed.target, told["execution_arn"])["cause"]


def test_draw_whose_end_is_not_seen(deployed):
    """A draw that was started and cannot be looked at is not lost: its ARN is told, and it goes on."""
    deployed.drop("DescribeExecution")
    told = draw(deployed.target, 1)
    assert (told["status"], told["error"]) == ("RUNNING", "StillRunning")
    assert told["execution_arn"] in told["cause"]
    deployed.forget()
    assert execution.wait(deployed.target, told["execution_arn"])["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("number", "status", "error"), [(1, "SUCCEEDED", None), (0, "FAILED", "HistoryNotRead")]
)
def test_draw_that_ended_with_a_history_that_nobody_can_read(deployed, number, status, error):
    """A draw that has ended keeps its status and its winners, even if its history cannot be read."""
    deployed.refuse("GetExecutionHistory", "AccessDeniedException", "not authorized to perform: states:Get")
    told = draw(deployed.target, number)
    assert (told["status"], told["error"], len(told["winners"])) == (status, error, number)


def test_draw_that_failed_with_a_history_that_nobody_can_read(deployed):
    """The cause says why nobody can read the reason, and what to do then."""
    deployed.refuse("GetExecutionHistory", "AccessDeniedException", "not authorized to perform: states:Get")
    told = draw(deployed.target, 0)
    assert "not authorized to perform: states:Get (AccessDeniedException). Ask the" in told["cause"]
    assert told["cause"].endswith(f"Then `lottery history {told['execution_arn']}` shows the reason")
