"""Each mission breaks one thing. A check accepts what works, and says what does not, without the cause."""

import io
import json
import re
import zipfile
from dataclasses import replace

import pytest

from lottery_course import missions, progress, restore, sharing, verify
from lottery_lib import Stack, connect, execution, inbox, plan, winners
from lottery_lib.__main__ import main
from lottery_lib.draws import machine_arn, run
from lottery_lib.errors import LotteryError
from lottery_lib.history import parsed
from lottery_lib.waiting import Waiter

PARALLEL = "Send SNS and Record In Dynamodb"
CHOICE = "Is Winner In Past Draw"
RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2}]
#: How the execution that failed has ended.
ERRORS = {
    0: "NoSerial",
    1: "Lambda.AWSLambdaException",
    2: "States.Runtime",
    3: "States.DataLimitExceeded",
    4: "Lambda.Unknown",
    6: "States.Runtime",
}


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.minutes = 0

    def __call__(self):
        return self.minutes * 60.0


@pytest.fixture(scope="module")
def target():
    """A lottery of this module's own."""
    return connect("embedded", attendee="night")


@pytest.fixture
def clock():
    return Clock()


def begun(target, clock, number, **options):
    return missions.begin(target, number, clock=clock, **options)


def checked(target, clock, number):
    return missions.check(target, number, clock=clock)


def definition(target):
    states = target.client("stepfunctions")
    return json.loads(states.describe_state_machine(stateMachineArn=machine_arn(target))["definition"])


def change(target, edit):
    """Give the machine its definition after an edit of it."""
    machine = definition(target)
    edit(machine["States"])
    missions.give(target, machine)


def failed(target):
    """The night's executions that failed, the oldest first."""
    found = execution.of_machine(target, machine_arn(target), status="FAILED")
    described = [execution.describe(target, each["executionArn"]) for each in found[::-1]]
    return [each for each in described if "office" in parsed(each["input"])]


def redrive(target):
    for each in failed(target):
        target.client("stepfunctions").redrive_execution(executionArn=each["executionArn"])
        execution.wait(target, each["executionArn"])


def start_again(target):
    for each in failed(target):
        assert run(target, parsed(each["input"]), 60)["status"] == "SUCCEEDED"


def give_a_serial(target):
    table = plan.employee_table(target)
    table.put([each | {"lottery_serial": 10} for each in table.items() if "lottery_serial" not in each])


def take_photos_out(target):
    table = plan.employee_table(target)
    table.put([{key: value for key, value in each.items() if key != "photo"} for each in table.items()])


def more_memory(target):
    name = target.names.function("InputWinners")
    target.client("lambda").update_function_configuration(FunctionName=name, MemorySize=512)


def retry_the_record(states):
    del states[PARALLEL]["Retry"]
    states[PARALLEL]["Branches"][1]["States"]["Record Winner Queue"]["Retry"] = RETRY


def mail_last(states):
    """Lesson 15's repair, without any Retry: a draw may fail before somebody has a mail."""
    mail, record = (branch["States"] for branch in states.pop(PARALLEL)["Branches"])
    record["Record Winner Queue"] |= {"ResultPath": "$.recorded", "Next": "Notify Winners"}
    del record["Record Winner Queue"]["End"]
    states |= record | mail
    states[CHOICE]["Choices"][0]["Next"] = "Record Winner Queue"


def less_in_the_answer(target):
    """A repair of the function: it returns what the next state needs."""
    name, wanted = target.names.function("RandomSelectWinners"), plan.function(target, "RandomSelectWinners")
    package = io.BytesIO(wanted.code)
    with zipfile.ZipFile(package) as archive:
        source = archive.read("lambda_function.py").decode()
    new = source.replace("{**item, ", '{**{key: item[key] for key in item if key != "photo"}, ')
    assert new != source
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("lambda_function.py", new)
    target.client("lambda").update_function_code(FunctionName=name, ZipFile=package.getvalue())


#: Repairs that are right: what repairs, and what brings the failed draws to an end.
REPAIRS = {
    "0 data": (0, give_a_serial, redrive),
    "1 role": (1, lambda target: plan.machine_role(target).ensure(), redrive),
    "2 definition": (
        2,
        lambda target: change(target, lambda states: states["Validate Winners"].update(InputPath="$.body")),
        start_again,
    ),
    "2 deploy": (2, lambda target: Stack(target).deploy(), start_again),
    "3 data": (3, take_photos_out, redrive),
    "3 function": (3, less_in_the_answer, redrive),
    "4 memory": (4, more_memory, redrive),
    "4 old code": (4, lambda target: plan.function(target, "InputWinners").ensure(), redrive),
    "5 retry in the branch": (5, lambda target: change(target, retry_the_record), redrive),
    "5 mail last": (5, lambda target: change(target, mail_last), redrive),
    "6 default": (
        6,
        lambda target: change(target, lambda states: states[CHOICE].update(Default="Random Select Winners")),
        start_again,
    ),
    "6 function": (6, lambda target: plan.function(target, "ValidateWinners").ensure(), start_again),
}


def delete_the_retry(target):
    change(target, lambda states: states[PARALLEL].pop("Retry"))


def hide(target):
    """A Catch that ends as if nothing had happened."""

    def edit(states):
        del states[PARALLEL]["Retry"]
        states[PARALLEL]["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "Hidden"}]
        states["Hidden"] = {"Type": "Succeed"}

    change(target, edit)


def hide_all(target):
    def edit(states):
        states["Input Lottery Winners"]["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "Hidden"}]
        states["Hidden"] = {"Type": "Succeed"}

    change(target, edit)


def believe_it(target):
    change(target, lambda states: states[CHOICE].update(Default=PARALLEL))


#: Repairs that are wrong, and words of what the check says.
WRONG = {
    "1 nothing": (1, lambda target: None, "A draw of this check ended as FAILED"),
    # The refused branch ends the other one, whose mail may have left before.
    "1 only the role": (
        1,
        lambda target: plan.machine_role(target).ensure(),
        "has a mail, and is not in the table",
    ),
    "1 new draws": (
        1,
        lambda target: plan.machine_role(target).ensure() or start_again(target),
        "has a mail, and is not in the table",
    ),
    "2 redrive": (
        2,
        lambda target: REPAIRS["2 definition"][1](target) or redrive(target),
        "office 2 still waits",
    ),
    "4 hidden": (4, hide_all, "not all winners got a mail"),
    "5 only the function": (5, lambda target: plan.function(target, "RecordWinners").ensure(), "2 mails"),
    "5 no Retry": (5, delete_the_retry, "a mail and no record"),
    "5 hidden": (5, hide, "a mail and no record"),
    "6 as if it were new": (
        6,
        believe_it,
        "nobody knows whether this person won before|who had won before has won again",
    ),
    "6 redrive": (
        6,
        lambda target: REPAIRS["6 function"][1](target) or redrive(target),
        "still waits for winners",
    ),
}


def rows(table, short):
    """The names of a table's rows; those that vary another row are long."""
    return [
        name if name in short else pytest.param(name, marks=pytest.mark.long("a variant")) for name in table
    ]


@pytest.mark.parametrize(
    "name", rows(REPAIRS, [*list(REPAIRS)[:3], "3 data", "4 memory", "5 retry in the branch", "6 default"])
)
def test_a_repair_is_accepted(target, clock, name):
    """The mission fails as it should, and is not solved at once; the repair is enough."""
    number, repair, finish = REPAIRS[name]
    begun(target, clock, number)
    assert (
        {
            execution.history(target, each["executionArn"])[-1]["executionFailedEventDetails"]["error"]
            for each in failed(target)
        }
        == {ERRORS[number]}
        if number in ERRORS
        else failed(target) == []
    )
    assert not checked(target, clock, number).solved
    repair(target)
    finish(target)
    verdict = checked(target, clock, number)
    assert verdict.solved, verdict.text
    assert verdict.text.endswith(missions.MISSIONS[number].afterwards)
    assert len(winners(target)) == sum(missions.MISSIONS[number].offices)


@pytest.mark.parametrize(
    "name", rows(WRONG, ["1 new draws", "5 no Retry", "5 hidden", "6 as if it were new"])
)
def test_a_wrong_repair_is_refused(target, clock, name):
    """The sentence says what is still wrong."""
    number, repair, words = WRONG[name]
    begun(target, clock, number)
    repair(target)
    verdict = checked(target, clock, number)
    assert not verdict.solved
    assert re.search(words, verdict.text)
    assert verdict.text.startswith("Not solved yet. ")


@pytest.fixture
def solved(target, clock):
    """The practice, repaired and redriven: the check would accept it."""
    begun(target, clock, 0)
    give_a_serial(target)
    redrive(target)


@pytest.mark.usefixtures("solved")
def test_the_table_is_no_place_to_cheat(target, clock):
    """Who has a mail is in the table of winners, and nobody else is."""
    table = plan.winners_table(target)
    (first, second) = table.all_keys()
    table.remove([first])
    assert f"Employee {first} has a mail, and is not in the table" in checked(target, clock, 0).text
    other = next(
        each["employee_id"]
        for each in plan.employee_table(target).items()
        if each["employee_id"] not in (first, second)
    )
    table.put([{"employee_id": first}, {"employee_id": other}])
    assert f"Employee {other} is in the table of winners, and has no mail" in checked(target, clock, 0).text
    table.remove([other])
    assert checked(target, clock, 0).solved


@pytest.mark.usefixtures("solved")
def test_nobody_wins_twice(target, clock):
    """A second mail for the same person cannot be taken back."""
    table = plan.winners_table(target)
    first, *_ = everybody = [*table.all_keys()]
    table.remove(everybody)
    people = [each for each in plan.employee_table(target).items() if each["employee_id"] == first]
    others = [each for each in plan.employee_table(target).items() if each["employee_id"] != first]
    plan.employee_table(target).remove([each["employee_id"] for each in others])
    assert run(target, {"input": 1}, 60)["status"] == "SUCCEEDED"
    plan.employee_table(target).put([*others, *people])
    table.put([{"employee_id": each} for each in everybody])
    assert f"Employee {first} has won twice" in checked(target, clock, 0).text


@pytest.mark.usefixtures("solved")
def test_who_deletes_the_machine_deletes_the_evidence(target, clock):
    """Without the executions of the night, nobody can say what happened."""
    plan.machine(target).delete(foreign=True)
    Stack(target).deploy()
    assert "An execution of the night is gone" in checked(target, clock, 0).text


def test_a_check_leaves_no_winner(target, clock):
    """The winners of the draws that a check makes can win later."""
    begun(target, clock, 5)
    before = set(plan.winners_table(target).all_keys())
    checked(target, clock, 5)
    assert set(plan.winners_table(target).all_keys()) == before


def test_somebody_is_told_by_a_mail(target, clock):
    """An alarm writes; in the mission without an error, a winner has two mails, and each other winner one."""
    begun(target, clock, 1)
    assert any(mail.subject.startswith('ALARM: "') for mail in inbox(target).notifications)
    begun(target, clock, 5)
    texts = [mail.text for mail in inbox(target).notifications]
    assert len(texts) == 4
    assert len(set(texts)) == 3


def test_a_hint_costs_minutes(target, clock):
    """Three hints, each of them once; the last one can be read again for nothing."""
    story = begun(target, clock, 0)
    assert story.endswith("The clock runs. Each hint adds 3 minutes.")
    assert missions.hint(target, 0).startswith("Hint 1 of 3: Find the failed execution.")
    assert missions.hint(target, 0).startswith("Hint 2 of 3: ")
    assert missions.hint(target, 0) == missions.hint(target, 0)
    give_a_serial(target)
    redrive(target)
    clock.minutes = 6.5
    assert checked(target, clock, 0).text.startswith("Mission 0 is solved. Minutes: 16, hints: 3.")
    clock.minutes = 60
    assert "Minutes: 16" in checked(target, clock, 0).text


def test_the_clock_can_be_off(target, clock):
    """Then no minutes are counted or told."""
    assert begun(target, clock, 0, timed=False).endswith("The clock is off.")
    give_a_serial(target)
    redrive(target)
    assert checked(target, clock, 0).text.startswith("Mission 0 is solved. Hints: 0.\n")


def test_only_what_has_begun_is_checked(target, clock):
    """A number that does not exist, or that has not begun, has a sentence."""
    other = target.named(target.names.__class__("morning", "tutorial"))
    for call in (lambda: checked(other, clock, 2), lambda: missions.hint(other, 2)):
        with pytest.raises(LotteryError, match=r"mission 2: has not begun. Type `lottery mission 2`"):
            call()
    with pytest.raises(LotteryError, match=r"mission 7: does not exist. Use 0 to 6"):
        begun(target, clock, 7)


def test_the_command(target, capsys, monkeypatch):
    """It begins, hints and checks, and fails only if a mission is not solved; `--json` is one document."""
    monkeypatch.setenv("LOTTERY_ATTENDEE", target.names.attendee)
    assert main(["mission", "0", "--no-clock"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("Mission 0. You are on call.")
    assert printed.out.endswith("The clock is off.\n")
    assert printed.err == ""
    assert main(["mission", "0", "--check", "--json"]) == 1
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["mission"], verdict["solved"]) == (0, False)
    assert main(["mission", "0", "--hint"]) == 0
    assert capsys.readouterr().out.startswith("Hint 1 of 3: ")
    give_a_serial(target)
    redrive(target)
    assert main(["mission", "0", "--check"]) == 0
    assert capsys.readouterr().out.startswith("Mission 0 is solved. Hints: 1.\n")
    assert main(["mission", "9", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["solved"] is False


def test_only_other_lessons_hear_of_it(target, clock):
    """A notebook of lesson 20 need not run its first cell again, because its reader typed the command."""
    for lesson, told in (("20", 0), ("06", 1)):
        restore(target, lesson)
        ours = dict(sharing._OURS)
        begun(target, clock, 0)
        sharing._OURS.update(ours)  # another process has begun it
        assert len(sharing.reset_by_others()) == told


def test_on_aws_it_begins_with_a_deploy(target, clock):
    """There it loads the ten employees and empties the winners, after the command has asked."""
    restore(target, "20")
    assert run(target, {"input": 2}, 60)["status"] == "SUCCEEDED"
    there = replace(target, kind="aws", waiter=Waiter(sleep=lambda seconds: None))
    begun(there, clock, 4)
    assert [each["error"] for each in failed(target)] == ["Lambda.Unknown"] * 2
    assert len(winners(target)) == 1


def test_verify_lists_the_missions(target, clock, monkeypatch):
    """Solved or not yet; one that is left out counts as done. What was solved stays when it begins again."""
    told = []
    monkeypatch.setattr(progress, "ON_CHECK", [lambda *what: told.append(what)])
    restore(target, "20")
    progress.missions_file("night").unlink(missing_ok=True)
    assert [each.done for each in verify(target, "20")] == [False] * 6
    assert told[-1] == ("20", "verify", False)
    begun(target, clock, 4)
    checked(target, clock, 4)
    assert told[-1] == ("20", "mission 4", False)
    plan.function(target, "InputWinners").ensure()
    redrive(target)
    checked(target, clock, 4)
    assert told[-1] == ("20", "mission 4", True)
    begun(target, clock, 4)
    listed = verify(target, "20", without=[1, 2, 3, 5])
    assert [each.done for each in listed] == [True, True, True, True, True, False]
    assert str(listed[3]) == "✓ done: mission 4"
    assert str(listed[0]) == "– left out: mission 1"
    assert "To leave missions out" in repr(listed)
    verify(target, "20", without=[1, 2, 3, 5, 6])
    assert told[-1] == ("20", "verify", True)


def test_restore_and_deploy_repair(target, clock):
    """After `restore` nothing of a mission is left; a deploy repairs roles and functions."""
    begun(target, clock, 3)
    restore(target, "20")
    assert not any("photo" in each for each in plan.employee_table(target).items())
    assert plan.alarm(target).find() is None
    for number in (1, 6):
        begun(target, clock, number)
        Stack(target).deploy()
        assert run(target, {"input": 1}, 60)["status"] == "SUCCEEDED"
