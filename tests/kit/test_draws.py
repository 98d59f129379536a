"""Draws on the tutorial's machine, from the library and from any other client."""

import json
import threading
from dataclasses import replace

import pytest
from helpers import wait_until
from hostile.conftest import Clock
from injected import waits_for
from kit.one_state import one_state

from lottery_course import inject
from lottery_lib import Workbench, draw, executions, inbox, winners
from lottery_lib.definition import load
from lottery_lib.draws import Draws, machine_arn, remaining
from lottery_lib.errors import LotteryError
from lottery_lib.execution import console_page, function_log, history, start, wait
from lottery_lib.history import Reader, published
from lottery_lib.names import Names
from lottery_lib.resources.contents import empty_winners
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.resources.iam_role import Role
from lottery_lib.resources.sns_topic import Subscription, Topic
from lottery_lib.resources.state_machine import StateMachine
from lottery_lib.tables import state_table
from lottery_lib.target import elsewhere
from lottery_lib.waiting import Waiter


@pytest.fixture
def target(stack):
    """The deployed lottery, with nobody among the winners."""
    empty_winners(stack.target)
    return stack.target


@pytest.fixture
def mailed(target):
    """The deployed lottery, with a confirmed address on its topic."""
    Subscription(Topic(target, target.names.topic), "ann@example.com").ensure()
    if not [mail for mail in inbox(target).mails if mail.kind == "notification"]:
        inbox(target).confirm("ann@example.com")
    return target


@pytest.fixture
def lasting(target, tmp_path):
    """The deployed lottery, with a function that waits for its test to end. Its tests are the last ones."""
    inject(target, "RandomSelectWinners", waits_for(tmp_path / "gate", goes_on=False))
    yield target
    (tmp_path / "gate").touch()


def test_the_answers_of_a_draw_are_taken_into_a_workbench(target, tmp_path):
    """With a press, what the functions answered in the latest draw; the run then gives the same winners."""
    file = tmp_path / "mine.asl.json"
    file.write_text(load(), encoding="utf-8")
    names = {each["employee_name"] for each in draw(target, 2)["winners"]}
    bench = Workbench(file, target)
    bench._on_asked(bench, {"do": "take"}, [])
    wait_until(lambda: bench.header.get("status") == "succeeded")
    assert json.loads(bench.data) == {"input": 2}
    assert all(name in json.dumps(bench.answers, ensure_ascii=False) for name in names)
    bench.leave()


def test_log_of_a_state(target):
    """The log of a state's function has what it wrote in this execution, and not what it wrote before."""
    draw(target, 1)
    arn, _ = run(target, {"input": 1})
    events, machine = history(target, arn), Draws(target).definition
    times = events[0]["timestamp"], events[-1]["timestamp"]
    text = function_log(target, machine["States"]["Random Select Winners"], *times)
    assert text.count("REPORT RequestId: ") == list(state_table(events)["state"]).count(
        "Random Select Winners"
    )
    with pytest.raises(LotteryError, match="the definition does not name the function"):
        function_log(target, {"Type": "Task", "Parameters": {"FunctionName.$": "$.name"}}, *times)
    for field in ("Parameters", "Arguments"):  # of JSONPath and of JSONata
        with pytest.raises(LotteryError, match="there is no log group /aws/lambda/Gone"):
            function_log(target, {"Type": "Task", field: {"FunctionName": "Gone"}}, *times)


@pytest.mark.parametrize(
    ("region", "address"),
    [
        ("eu-west-1", "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1"),
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/states/home?region=cn-north-1"),
    ],
)
def test_page_in_the_console(target, region, address):
    """Real AWS has a page for each execution and log, at the region's own address. An emulator has none."""
    there = elsewhere("123456789012", region, Names())
    arn = f"arn:{there.partition}:states:{region}:123456789012:execution:Lottery:draw-1"
    on_aws = replace(there, kind="aws")
    assert console_page(on_aws, arn) == f"{address}#/v2/executions/details/{arn}"
    assert console_page(target, arn) == ""
    function = there.arn("lambda", "function:Draw:1")
    logs = f"{address.replace('states', 'cloudwatch')}#logsV2:log-groups/log-group/"
    assert console_page(on_aws, function) == f"{logs}$252Faws$252Flambda$252FDraw"
    for strange in ("", "arn:aws:states:::sns:publish", "Draw", "a:b:lambda:evil.example/:x:y:z"):
        assert console_page(on_aws, strange) == ""


def run(target, execution_input):
    arn = start(target, machine_arn(target), execution_input)
    return arn, wait(target, arn)


def test_a_name_starts_one_execution(target):
    """A start that is repeated is the same execution, even if it has ended. Another input is refused."""
    machine = machine_arn(target)
    arn = start(target, machine, {"input": 1}, "draw-1")
    assert wait(target, arn)["status"] == "SUCCEEDED"
    assert start(target, machine, {"input": 1}, "draw-1") == arn
    with pytest.raises(LotteryError, match=r"draw draw-1: exists already\. Give another name"):
        start(target, machine, {"input": 2}, "draw-1")


def test_draw_two(target):
    """A draw of two ends SUCCEEDED with two different employees, who are in the table then."""
    result = draw(target, 2)
    assert (result["status"], result["error"], result["cause"]) == ("SUCCEEDED", None, None)
    drawn = {winner["employee_id"] for winner in result["winners"]}
    assert len(drawn) == 2
    assert set(winners(target)["employee_id"]) == drawn


def test_winners_carry_the_four_attributes(target):
    """A winner is an employee item with the tutorial's four attributes, the serial a number."""
    winner = draw(target, 1)["winners"][0]
    assert set(winner) == {"employee_id", "employee_name", "employee_entry_date", "lottery_serial"}
    assert isinstance(winner["lottery_serial"], int)


def test_mail_text_to_the_letter(mailed):
    """The mail that arrives says what the tutorial's says, names joined by one space."""
    before = len(inbox(mailed).notifications)
    won = draw(mailed, 2)["winners"]
    mails = inbox(mailed).notifications[before:]
    names = " ".join(winner["employee_name"] for winner in won)
    assert len(mails) == 1
    assert mails[0].text.startswith(f"Congrats! [{names}] You have selected as the Lucky Champ!\n")


def test_contract_between_the_states(target):
    """Each function receives and returns exactly what the tutorial's contract says."""
    arn, _ = run(target, {"input": 2})
    table = state_table(history(target, arn)).drop_duplicates("state", keep="last").set_index("state")
    body = table.loc["Validate Winners", "output"]["body"]
    assert table.loc["Input Lottery Winners", "output"] == {"body": {"num_of_winners": 2}}
    assert set(body) == {"num_of_winners", "winner_details"}
    assert table.loc["Random Select Winners", "output"] == {"body": body}
    assert set(table.loc["Validate Winners", "output"]) == {"body", "status", "sns"}
    recorded = {"body": {"winners": body["winner_details"]}, "status_code": "SUCCESS"}
    assert table.loc["Record Winner Queue", "output"] == recorded


@pytest.mark.parametrize("number", [0, {"a": 1}])
def test_bad_number(mailed, number):
    """What is no whole number of at least 1 ends FAILED with a reason; nothing is mailed or recorded."""
    before = len(inbox(mailed).notifications)
    result = draw(mailed, number)
    assert (result["status"], result["error"], result["winners"]) == ("FAILED", "InvalidInput", [])
    assert result["cause"] == f'"input" must be a whole number of at least 1, not {json.dumps(number)}.'
    assert len(inbox(mailed).notifications) == before
    assert winners(mailed).empty


@pytest.mark.parametrize("execution_input", [{}, None])
def test_missing_input(target, execution_input):
    """An input without the key ends FAILED with a reason that shows what it must look like."""
    arn, ended = run(target, execution_input)
    assert ended["status"] == "FAILED"
    result = Draws(target).progress(arn).result
    assert result["error"] == "InvalidInput"
    assert '{"input": 2}' in result["cause"]


@pytest.mark.parametrize("number", [11, 10**9])
def test_more_than_there_are(target, number):
    """Asking for more than there are ends FAILED after the states' retries, and says how many remain."""
    arn, ended = run(target, {"input": number})
    result = Draws(target).progress(arn).result
    assert (ended["status"], result["error"]) == ("FAILED", "NotEnoughEmployees")
    assert result["cause"] == f"{number} winners were asked for, but only 10 of 10 employees remain."
    attempts = state_table(history(target, arn)).query("state == 'Random Select Winners'")["attempt"]
    assert list(attempts) == [1, 2, 3]


def test_more_than_remain(target):
    """When fewer remain than are asked for, the draw ends instead of drawing again for ever."""
    assert draw(target, 9)["status"] == "SUCCEEDED"
    result = draw(target, 2)
    assert (result["status"], result["error"]) == ("FAILED", "NotEnoughEmployees")
    assert "only 1 of 10" in result["cause"]


def test_everybody_wins_once(target):
    """Draw by draw all ten win, in as many rounds as it takes, and the eleventh draw fails."""
    for number in (4, 3, 2, 1):
        assert draw(target, number)["status"] == "SUCCEEDED"
    assert sorted(winners(target)["lottery_serial"]) == list(range(1, 11))
    assert "only 0 of 10" in draw(target, 1)["cause"]


def test_last_one_taken_in_between(target, time_stands):
    """A draw whose choice is taken meanwhile is sent back by the Choice, and ends FAILED, not in a loop."""
    machine, taken = machine_arn(target), [{"employee_id": f"{number:03d}"} for number in range(1, 11)]
    definition = json.loads(
        target.client("stepfunctions").describe_state_machine(stateMachineArn=machine)["definition"]
    )
    select = definition["States"]["Random Select Winners"]
    # A pause after the choice, in which another draw takes everybody.
    definition["States"]["Pause"] = {"Type": "Wait", "Seconds": 4, "Next": select["Next"]}
    select["Next"] = "Pause"
    slow = StateMachine(
        target,
        target.names.machine + "-slow",
        json.dumps(definition),
        Role(target, target.names.machine_role, "").arn,
    ).ensure()
    with time_stands():
        arn = start(target, slow.arn, {"input": 1})
        wait_until(lambda: "Pause" in Reader(history(target, arn)).latest())
        Table(target, target.names.winners_table).put(taken)
    ended = wait(target, arn)
    entered = list(state_table(history(target, arn))["state"])
    StateMachine(target, slow.name).delete()
    assert ended["status"] == "FAILED"
    assert entered.index("Is Winner In Past Draw") < len(entered) - entered[::-1].index(
        "Random Select Winners"
    )
    assert entered[-1] == "Failed"


def test_pool_is_the_table(target):
    """An eleventh employee can win, gaps in the serials do no harm, and somebody removed cannot win."""
    extra = {"employee_id": "x11", "employee_name": "郑十一", "lottery_serial": 400}
    table = target.names.employee_table
    Table(target, table).put([extra])
    Table(target, table).remove(["003", "007"])
    try:
        drawn = {winner["employee_id"] for winner in draw(target, 9)["winners"]}
    finally:
        Table(target, table).remove(["x11"])
        gone = [each for each in _tutorial() if each["employee_id"] in ("003", "007")]
        Table(target, table).put(gone)
    assert "x11" in drawn
    assert not drawn & {"003", "007"}


def _tutorial():
    from lottery_lib.employees import tutorial_roster

    return tutorial_roster().employees


def test_exception_on_demand(target):
    """`exception` in the input goes through CustomError and its Catch to Failed."""
    arn, ended = run(target, {"input": 1, "exception": True})
    statuses = {name: run.last.status for name, run in Reader(history(target, arn)).latest().items()}
    assert ended["status"] == "FAILED"
    assert statuses == {"Input Lottery Winners": "caught", "Failed": "failed"}
    assert Draws(target).progress(arn).result["error"] == "CustomError"
    assert Draws(target).progress(arn).result["cause"] == "An error occurred!!"


def test_plain_start_execution(target):
    """A plain start_execution works from any client, named or not, as often as one likes."""
    client = target.client("stepfunctions")
    machine, text = machine_arn(target), json.dumps({"input": 1})
    arns = [client.start_execution(stateMachineArn=machine, input=text)["executionArn"] for _ in range(2)]
    arns.append(client.start_execution(stateMachineArn=machine, input=text, name="mine")["executionArn"])
    assert len(set(arns)) == 3
    assert {wait(target, arn)["status"] for arn in arns} == {"SUCCEEDED"}


def test_a_state_of_the_deployed_machine(target):
    """TestState runs one state. Without a mock it calls the function, as the machine's role."""
    assert one_state(target, "Is Winner In Past Draw", {"status": 1}).next_state == "Random Select Winners"
    before = len(executions(target))
    result = one_state(target, "Input Lottery Winners", {"input": 2})
    assert (result.status, result.next_state) == ("SUCCEEDED", "Random Select Winners")
    assert result.data["result"] == result.output
    assert len(executions(target)) == before


def test_executions_table(target):
    """The table of draws has the newest first, with status, winners, seconds, transitions and cost.

    A draw without a redraw is seven transitions, at $0.025 for a thousand; a refused number is two.
    """
    arn, ended = run(target, {"input": 2})
    draw(target, 0)
    table = executions(target, newest=2)
    won = [winner["employee_name"] for winner in Draws(target).progress(arn).result["winners"]]
    assert list(table["status"]) == ["FAILED", "SUCCEEDED"]
    assert list(table["winners"]) == ["", ", ".join(won)]
    assert table["execution_arn"][1] == arn
    took = (ended["stopDate"] - ended["startDate"]).total_seconds()
    assert table["duration"][1] == pytest.approx(took, abs=0.01)
    assert (table["duration"] > 0).all()
    assert list(table["transitions"]) == [2, 7]
    assert list(table["cost"]) == pytest.approx([2 * 0.000025, 7 * 0.000025])
    assert len(executions(target)) >= 2


def test_no_executions(target):
    """Before the first draw the table is there, with its columns and no row."""
    table = executions(target.named(Names(attendee="nobody")))
    assert len(table) == 0
    assert {"winners", "transitions", "cost"} <= set(table.columns)


def test_past_execution(target):
    """A past execution is shown with the definition that it ran with, the latest by default."""
    first, second = draw(target, 1), draw(target, 1)
    found = Draws(target).execution(first["execution_arn"])
    assert found.definition == Draws(target).definition
    assert found.events == history(target, first["execution_arn"])
    assert Draws(target).execution().events == history(target, second["execution_arn"])


def test_past_execution_of_another_definition(target):
    """A draw is shown with the definition that it ran with, also once the machine has another."""
    arn, old = draw(target, 1)["execution_arn"], Draws(target).definition
    client, machine = target.client("stepfunctions"), machine_arn(target)
    new = json.dumps(old | {"Comment": "another"})
    client.update_state_machine(stateMachineArn=machine, definition=new)
    try:
        assert Draws(target).definition["Comment"] == "another"
        assert Draws(target).execution(arn).definition == old
    finally:
        client.update_state_machine(stateMachineArn=machine, definition=json.dumps(old))


def test_no_such_execution(target):
    """An ARN that is none is one sentence."""
    clock = Clock()
    target = replace(target, waiter=Waiter(clock.sleep, clock))
    arn = machine_arn(target).replace(":stateMachine:", ":execution:") + ":gone"
    with pytest.raises(LotteryError, match="does not exist"):
        Draws(target).execution(arn)


def test_mail_is_told(mailed):
    """What went out is in the history, once for a draw, and where it can be read is a sentence."""
    result = draw(mailed, 2)
    names = " ".join(winner["employee_name"] for winner in result["winners"])
    [text] = published(history(mailed, result["execution_arn"]))
    assert text == f"Congrats! [{names}] You have selected as the Lucky Champ!"
    assert "/_emulator/mail/" in Draws(mailed).mailed()


def test_mail_at_an_address(mailed):
    """The kit's own emulator has its mailbox also for who connects to it by its address."""
    from lottery_lib import connect

    there = connect(mailed.endpoint, attendee=mailed.names.attendee)
    assert len(inbox(there).mails) == len(inbox(mailed).mails) > 0
    assert "/_emulator/mail/" in inbox(there).where


def test_draws_at_once(target):
    """Draws that run at the same time all end, each with its own winner."""
    results = []
    threads = [threading.Thread(target=lambda: results.append(draw(target, 1))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(len(result["winners"]) == 1 for result in results)


def test_a_draw_that_runs_and_is_stopped(lasting):
    """While it runs, it has no duration yet. A stopped draw is ABORTED, says why, and leaves no winners."""
    draws = Draws(lasting)
    arn = start(lasting, machine_arn(lasting), {"input": 1})
    table = executions(lasting, newest=1)
    assert list(table["status"]) == ["RUNNING"]
    assert table["duration"].isna().all()
    draws.stop(arn)
    ended = wait(lasting, arn)
    assert ended["status"] == "ABORTED"
    assert draws.progress(arn).result["error"] == "Cancelled"
    assert len(remaining(lasting)) == 10
    draws.stop(arn)
