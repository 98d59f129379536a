"""A draw on AWS: started once, seen late, looked at in pages, and mailed to somebody."""

import asyncio
import json

import pytest
from hostile.kinds import NO_MACHINE, OTHER

from lottery_lib import DrawPanel, Stack, connect, draw, execution, inbox, plan, winners
from lottery_lib.__main__ import main
from lottery_lib.draws import Draws, executions, machine_arn
from lottery_lib.errors import LotteryError
from lottery_lib.resources.sns_topic import Subscription

ADDRESS = "ann@example.com"
NOBODY = "Nobody has confirmed a subscription to the topic, so SNS sends no messages yet."
ABSENT = ("ExecutionDoesNotExist", "Execution Does Not Exist: '{name}'")
EXISTS = ("ExecutionAlreadyExists", "Execution Already Exists: '{name}'")
LOOKS = "DescribeExecution GetExecutionHistory DescribeStateMachineForExecution"


def drawn(aws):
    return execution.of_machine(aws.target, machine_arn(aws.target))


@pytest.mark.parametrize("words", [(), EXISTS], ids=["it runs", "it has ended"])
def test_lost_reply_of_a_start(deployed, words):
    """A start whose reply was lost is one draw. If it has ended, AWS says that it exists."""
    deployed.lose("StartExecution")
    if words:

        def again(ask):
            return deployed.attempts.count("StartExecution") > 1

        deployed.refuse("StartExecution", *words, when=again)
    told = draw(deployed.target, 2)
    assert deployed.attempts.count("StartExecution") == 2
    assert (told["status"], len(told["winners"]), len(winners(deployed.target))) == ("SUCCEEDED", 2, 2)
    assert len(drawn(deployed)) == 1


def test_machine_not_yet_visible(deployed):
    """StartExecution may not find a machine that DescribeStateMachine finds."""
    deployed.refuse("StartExecution", *NO_MACHINE, times=1)
    assert draw(deployed.target, 1)["status"] == "SUCCEEDED"
    assert len(drawn(deployed)) == 1


def test_no_machine_fails_at_once(aws, clock):
    """A machine that is not there at all is said at once."""
    begun = clock.now
    with pytest.raises(LotteryError, match=r"state machine Lottery-h\d+: does not exist\. Run .* deploy"):
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


@pytest.mark.parametrize(
    ("status", "deadline", "seconds"), [("RUNNING", {}, 120), ("PENDING_REDRIVE", {"seconds": 60}, 60)]
)
def test_draw_that_never_ends(deployed, clock, status, deadline, seconds):
    """A draw that runs for ever, or may be redriven, has not ended. The wait ends, and tells its ARN."""
    deployed.edit("DescribeExecution", lambda ask, reply: reply.update(status=status))
    begun = clock.now
    told = draw(deployed.target, 1, **deadline)
    assert (told["status"], told["error"]) == ("RUNNING", "StillRunning")
    assert told["execution_arn"] in told["cause"]
    assert seconds <= clock.now - begun < seconds + 20


def test_lists_in_pages(deployed):
    """Executions and events are listed in pages, and one may be empty."""
    arns = {draw(deployed.target, 1)["execution_arn"] for _ in range(3)}
    whole = execution.history(deployed.target, min(arns))
    deployed.page("ListExecutions", "executions")
    deployed.page("GetExecutionHistory", "events")
    assert set(executions(deployed.target)["execution_arn"]) == arns
    assert execution.history(deployed.target, min(arns)) == whole


def test_teardown_stops_what_runs_on_any_page(deployed, time_stands):
    """A teardown stops the draws of every page."""
    machine = machine_arn(deployed.target)
    waiting = '{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":999,"End":true}}}'
    deployed.target.client("stepfunctions").update_state_machine(stateMachineArn=machine, definition=waiting)
    with time_stands():
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
def test_history_that_nobody_can_read(deployed, number, status, error):
    """A draw that has ended keeps its status and winners. If it failed, it says how to read the reason."""
    deployed.refuse("GetExecutionHistory", "AccessDeniedException", "not authorized to perform: states:Get")
    told = draw(deployed.target, number)
    assert (told["status"], told["error"], len(told["winners"])) == (status, error, number)
    if error:
        assert "not authorized to perform: states:Get (AccessDeniedException). Ask the" in told["cause"]
        assert told["cause"].endswith(f"Then `lottery history {told['execution_arn']}` shows the reason")


def test_draw_after_an_update(deployed):
    """Executions that start within a few seconds of an update may use the old definition: none does."""
    machine, ages = plan.machine(deployed.target), []
    client = deployed.target.client("stepfunctions")
    client.update_state_machine(stateMachineArn=machine.arn, definition=OTHER)
    machine.ensure()
    deployed.rule("StartExecution", lambda ask: ages.append(deployed.age("UpdateStateMachine", machine.name)))
    draw(deployed.target, 1)
    assert min(ages) >= 5


def test_where_the_mail_is(aws):
    """On AWS the inbox says which real mailbox to open, and before that who has to confirm."""
    topic = plan.topic(aws.target)
    topic.ensure()
    assert inbox(aws.target).where == NOBODY
    Subscription(topic, ADDRESS).ensure()
    assert inbox(aws.target).where == f"{NOBODY} Open the link in the mail that {ADDRESS} got."
    inbox(connect(aws.target.endpoint, attendee=aws.target.names.attendee)).confirm(ADDRESS)
    assert inbox(aws.target).where == f"AWS sends real mail: open the mailbox of {ADDRESS}."
    assert inbox(aws.target).mails == []


def test_confirm_on_aws(aws):
    """A real mail's link is the attendee's to open."""
    with pytest.raises(LotteryError, match="Open the link in it where it arrived"):
        inbox(aws.target).confirm(ADDRESS)


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_draw_warns_on_the_command_line(deployed, monkeypatch, capsys, option):
    """A draw of which nobody will get mail says so before it begins."""
    monkeypatch.setattr("lottery_lib.target.connect", lambda **_: deployed.target)
    said = []
    deployed.rule("StartExecution", lambda ask: said.append(capsys.readouterr().err))
    assert main(["draw", "1", *option]) == 0
    assert NOBODY in said[0]


def test_draw_though_nobody_knows_who_gets_mail(deployed, monkeypatch, capsys):
    """A draw is made and told, though AWS does not say who gets mail."""
    monkeypatch.setattr("lottery_lib.target.connect", lambda **_: deployed.target)
    deployed.refuse("ListSubscriptionsByTopic", "InternalError", "Oops", 500)
    assert main(["draw", "1", "--json"]) == 0
    told = capsys.readouterr()
    assert len(json.loads(told.out)["winners"]) == 1
    assert "It is not known who gets mail: AWS ListSubscriptionsByTopic: Oops" in told.err


def test_panel_warns(deployed):
    """The panel says of a draw that nobody gets its mail."""
    panel = DrawPanel(deployed.target, pause=0, pace=0)
    asyncio.run(panel.run(1))
    assert f"{NOBODY} Open the link in the mail that {ADDRESS} got." in panel.winners["messages"]["where"][0]


def test_panel_though_nobody_knows_who_gets_mail(deployed):
    """The panel shows what was drawn, though AWS does not say who gets mail."""
    deployed.refuse("ListSubscriptionsByTopic", "AuthorizationError", "ann may not list them", 403)
    panel = DrawPanel(deployed.target, pause=0, pace=0)
    assert asyncio.run(panel.run(1))["status"] == "SUCCEEDED"
    assert "ann may not list them" in panel.winners["messages"]["where"][0]
