"""The missions of the last lesson: something breaks in the night, and the learner is on call.

`MISSIONS` has them all. Each breaks one thing with AWS's own calls, on the learner's own lottery. A check
draws, and looks at what the night has left: each office has its winners, and nobody has won twice. So it
accepts every repair that works: of the definition, a role, a function or the data.
"""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from lottery_course import lessons, progress
from lottery_course.faults import inject
from lottery_course.sharing import tell_others
from lottery_lib import execution, plan
from lottery_lib.draws import machine_arn, run
from lottery_lib.employees import tutorial_roster
from lottery_lib.errors import LotteryError
from lottery_lib.files import make_folder, write_over
from lottery_lib.history import Event, details_of, parsed
from lottery_lib.mails import inbox
from lottery_lib.resources.contents import empty_winners, load_employees
from lottery_lib.resources.iam_role import allowing
from lottery_lib.resources.state_machine import StateMachine
from lottery_lib.stack import Stack
from lottery_lib.target import Target
from lottery_lib.translation import _

#: What a hint costs, in minutes.
PENALTY: Final = 3
_TEMPORARY: Final = [
    *("Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"),
    "Lambda.TooManyRequestsException",
]
_PARALLEL: Final = "Send SNS and Record In Dynamodb"


@dataclass(frozen=True)
class Mission:
    """One thing that breaks.

    Attributes:
        spoil: Breaks it.
        mail: What somebody on call learns.
        hints: What to look at; each is closer to the cause than the one before.
        afterwards: What an experienced engineer would have done.
        offices: How many winners each office asks for. The first one draws before anything breaks.
        trials: How many winners the draws of a check ask for.
        passing: The code of a fault that is over before the learner begins. A check has it in one draw.
        passing_in: The function that has it.
    """

    spoil: Callable[[Target], object]
    mail: str
    hints: tuple[str, ...]
    afterwards: str
    offices: tuple[int, ...] = (1, 1, 1)
    trials: tuple[int, ...] = (1,)
    passing: str = ""
    passing_in: str = "RecordWinners"


class Verdict(NamedTuple):
    """What a check found: whether the mission is solved, and the text for a person."""

    solved: bool
    text: str


def on_call_definition(target: Target) -> dict[str, Any]:
    """The tutorial's definition as lessons 14 and 15 change it: a redrive helps, and nothing mails again.

    No Catch leads to a Fail state. A Retry repeats only errors that go away, and none is around the mail.
    """
    machine: dict[str, Any] = json.loads(plan.machine_definition(target))
    for state in machine["States"].values():
        state.pop("Catch", None)
        for retry in state.get("Retry", ()):
            retry["ErrorEquals"] = _TEMPORARY
    del machine["States"][_PARALLEL]["Retry"], machine["States"]["Failed"]
    return machine


def give(target: Target, machine: Mapping[str, Any]) -> None:
    """Give the machine a definition, and wait until AWS uses it."""
    text, role_arn = json.dumps(machine, indent=2), plan.machine_role(target).arn
    StateMachine(target, target.names.machine, text, role_arn).ensure()


def _lose_a_serial(target: Target) -> None:
    table = plan.employee_table(target)
    last = max(table.items(), key=lambda each: str(each["employee_id"]))
    table.put([{key: value for key, value in last.items() if key != "lottery_serial"}])


def _take_a_right(target: Target) -> None:
    record = target.names.function("RecordWinners")
    arns = [target.arn("lambda", f"function:{name}") for name in target.names.functions.values()]
    kept = [arn + ending for arn in arns if not arn.endswith(record) for ending in ("", ":*")]
    document, name = json.dumps(allowing(("lambda:InvokeFunction", kept))), "InvokeLotteryFunctions"
    role = target.names.machine_role
    target.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
    if target.kind == "aws":
        target.waiter.pause(_("the change of role {name} to hold everywhere", name=role), 20)


def _change(target: Target, state: str, **fields: object) -> None:
    machine = on_call_definition(target)
    machine["States"][state] |= fields
    give(target, machine)


def _add_photos(target: Target) -> None:
    table = plan.employee_table(target)
    table.put([{**each, "photo": "/9j/" + "A" * 100_000} for each in table.items()])


_HUNGRY: Final = """
class Unknown(Exception):
    pass

Unknown.__name__ = "Lambda.Unknown"

def lambda_handler(event, context):
    if int(context.memory_limit_in_mb) < 512:
        print("[ERROR] the new list of names needs 512 MB, there are", context.memory_limit_in_mb)
        raise Unknown("The cause could not be determined")
    return original(event, context)
"""
_SLOW: Final = """
import time

calls = 0

def lambda_handler(event, context):
    global calls
    calls += 1
    if calls == 1:
        time.sleep(1)
        raise TimeoutError("the table did not answer in time")
    return original(event, context)
"""
_UNDECIDED: Final = """
calls = 0

def lambda_handler(event, context):
    global calls
    calls += 1
    answer = original(event, context)
    if calls % 2:
        print("the table of winners was busy: nobody knows who has won before, so the status is 2")
        return {**answer, "status": 2}
    return answer
"""
_RETRY: Final = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2}]
_ALARM: Final = _("A mail of the alarm has come: at least one draw has failed.")
_TOLD: Final = _("A mail of the alarm has come: at least one draw has failed, and at least one went well.")

#: By their numbers; 0 is the practice.
MISSIONS: Final[Mapping[int, Mission]] = {
    0: Mission(
        _lose_a_serial,
        _ALARM,
        (
            _("Find the failed execution. `describe_execution` has its error and its cause."),
            _("The cause names an employee. Look at this item of the table of employees."),
            _("Give the item a `lottery_serial` that nobody else has, as a number. Then redrive."),
        ),
        _(
            "The cause names the person, so they would repair this one item and redrive. They would also "
            "let the import of people check that everybody has a number."
        ),
        offices=(1, 1),
    ),
    1: Mission(
        _take_a_right,
        _ALARM,
        (
            _("Which of the two branches has failed? The view of the execution shows it."),
            _("The cause is a sentence of IAM. It names a role, an action and a resource."),
            _("The policy InvokeLotteryFunctions lacks a function. Put it back. Then redrive."),
        ),
        _(
            "They would read the cause first: it names the role and the missing right. They would add this "
            "one function to the policy. Then they would redrive, because somebody may have a mail "
            "already, and a new draw would choose somebody else. After each change of a role, one test "
            "draw finds this by day."
        ),
    ),
    2: Mission(
        lambda target: _change(target, "Validate Winners", InputPath="$.Payload.body"),
        _TOLD,
        (
            _("In which state did it end? Compare the input of this state with what the state reads."),
            _("No function has failed. `States.Runtime` means that the definition asked for something."),
            _(
                "`InputPath` of Validate Winners finds nothing. Repair it, and start the failed draws "
                "again: a redrive keeps the old definition."
            ),
        ),
        _(
            "They would compare the definition of the failed execution with that of the last good one: one "
            "line is different. They would repair it and start the draws again, with the same inputs. "
            "TestState with a recorded input finds such a path before anybody deploys it."
        ),
    ),
    3: Mission(
        _add_photos,
        _TOLD,
        (
            _("What is different about the draw that failed? Compare the inputs."),
            _("A state may pass on 256 KB. What did the function return for one winner?"),
            _("No draw needs the photos. Take them out of the table, or of the answer. Then redrive."),
        ),
        _(
            "The name of the error is enough: something has become too large, so they would look for what "
            "has grown. The function should return only what the next state needs; photos belong into S3, "
            "and who only deletes them has destroyed data. "
            "AWS says that `States.ALL` does not catch this error. A test with the largest input finds it."
        ),
        offices=(1, 3),
        trials=(3,),
    ),
    4: Mission(
        lambda target: inject(target, "InputWinners", _HUNGRY),
        _ALARM,
        (
            _("The error says only that nobody knows. Who saw more than the state machine?"),
            _("Read the log of the function that failed, at this time."),
            _("The function needs more memory. Give it more, or its old code back. Then redrive."),
        ),
        _(
            "Lambda.Unknown means that a function ended without an error of its own. So they would go to "
            "the log of the function at once. AWS often says Sandbox.Timedout or Runtime.ExitError today. "
            "They would raise the memory, redrive, and set an alarm on the errors of the function."
        ),
    ),
    5: Mission(
        lambda target: _change(target, _PARALLEL, Retry=_RETRY),
        _(
            "No draw has failed. But a winner has got the same mail twice, and asks why. At that time the "
            "table of winners was slow for a minute. This will happen again."
        ),
        (
            _("Look at the history of each draw of the night. How often did each state run?"),
            _("A Retry around a Parallel runs all its branches again."),
            _("Retry only the state that records, as often as you like. A mail cannot be taken back."),
        ),
        _(
            "They would look at the attempts, and not at the errors: the draw succeeded. The Retry belongs "
            "to the state that records, because this state may run twice. The mail may not, so the safest "
            "order is to record first and mail last (lesson 15). Without a Retry, a person could have a "
            "mail and no record."
        ),
        passing=_SLOW,
    ),
    6: Mission(
        lambda target: inject(target, "ValidateWinners", _UNDECIDED),
        _TOLD,
        (
            _("The function answered, and no state followed. What did it answer?"),
            _("Compare this answer with the rules of the Choice. Which answers have no rule?"),
            _(
                "Let the Choice go back and ask or draw again. Then start the failed draws: a redrive does "
                "not help."
            ),
        ),
        _(
            "They would see that the function answered, and that the Choice has no rule for its answer. Each "
            "Choice needs a Default. To draw again is best here; a Fail state with a name says at least what "
            "happened. A redrive enters the Choice with the same answer and definition, so they would start "
            "the draw again."
        ),
        trials=(1, 1),
    ),
}


def begin(target: Target, number: int, *, clock: Callable[[], float], timed: bool = True) -> str:
    """Bring the lottery to the start, break one thing, and let the offices draw; returns the story."""
    mission = _mission(number)
    _bring_to_start(target)
    give(target, on_call_definition(target))
    if not mission.passing:  # a new alarm would also tell of failures in the minute before
        _make_alarm(target)
    night = []
    for office, wish in enumerate(mission.offices, 1):
        drawn = run(target, {"input": wish, "office": office}, seconds=120)
        night.append(str(drawn["execution_arn"]))
        if office == 1:
            mission.spoil(target)
            if mission.passing:
                inject(target, mission.passing_in, mission.passing)
    if mission.passing:
        plan.function(target, mission.passing_in).ensure()
    mailed = [person for each in night for person in _read(target, each).people]
    if len({*mailed}) < len(mailed):  # by chance, a winner without a record was drawn again: no repair helps
        return begin(target, number, clock=clock, timed=timed)
    _wait_for_mail(target, "" if mission.passing else "ALARM", len(night) + 1)
    before = progress.kept_missions(target.names.attendee).get(str(number), {})
    state = {"begun": clock(), "hints": 0, "timed": timed, "night": night}
    _keep(target, number, state | {"solved": before.get("solved", False)})
    wishes = ", ".join(map(str, mission.offices))
    night_of = {"number": number, "count": len(night)}
    told = _("Mission {number}. You are on call. In the night, {count} offices have drawn.", **night_of)
    aim = _(
        "It is solved when draws work again, and each office has the winners that it asked for ({wishes}). "
        "All of them are in the table, each has one mail, and nobody has won twice.",
        wishes=wishes,
    )
    runs = _("The clock runs. Each hint adds {minutes} minutes.", minutes=PENALTY)
    return "\n".join([told, mission.mail, aim, runs if timed else _("The clock is off.")])


def hint(target: Target, number: int) -> str:
    """The next hint, which costs minutes. After the last one, the last one again, which is free."""
    mission, state = _mission(number), _begun(target, number)
    state["hints"] = min(state["hints"] + 1, len(mission.hints))
    _keep(target, number, state)
    which = {"number": state["hints"], "count": len(mission.hints), "hint": mission.hints[state["hints"] - 1]}
    return _("Hint {number} of {count}: {hint}", **which)


def check(target: Target, number: int, *, clock: Callable[[], float]) -> Verdict:
    """Say whether a mission is solved, by drawing and by looking at what the night has left."""
    mission, state = _mission(number), _begun(target, number)
    now = clock()
    problem = (
        _evidence(target, state["night"])
        or _trials(target, mission)
        or _reckoning(target, state["night"][0], mission.offices)
    )
    if number in progress.COUNTED_MISSIONS:
        progress.tell(f"mission {number}", not problem, "20")
    if problem:
        return Verdict(False, _("Not solved yet. {problem}", problem=problem))
    if "took" not in state:
        minutes = math.ceil((now - state["begun"]) / 60) + PENALTY * state["hints"]
        state |= {"solved": True, "took": {"minutes": minutes, "hints": state["hints"]}}
        _keep(target, number, state)
    took = {"number": number, **state["took"]}
    solved = _("Mission {number} is solved. Minutes: {minutes}, hints: {hints}.", **took)
    if not state["timed"]:
        solved = _("Mission {number} is solved. Hints: {hints}.", number=number, hints=took["hints"])
    return Verdict(
        True, "\n".join([solved, _("What an experienced engineer would have done:"), mission.afterwards])
    )


def _mission(number: int) -> Mission:
    if number not in MISSIONS:
        where, next_step = _("mission {number}", number=number), _("Use 0 to {last}", last=max(MISSIONS))
        raise LotteryError(where, _("does not exist"), next_step)
    return MISSIONS[number]


def _begun(target: Target, number: int) -> dict[str, Any]:
    state = progress.kept_missions(target.names.attendee).get(str(number))
    if state is None:
        where, next_step = (
            _("mission {number}", number=number),
            _("Type `lottery mission {number}`", number=number),
        )
        raise LotteryError(where, _("has not begun"), next_step)
    return state


def _keep(target: Target, number: int, state: dict[str, Any]) -> None:
    file, kept = progress.missions_file(target.names.attendee), progress.kept_missions(target.names.attendee)
    make_folder(file.parent)
    write_over(file, json.dumps(kept | {str(number): state}).encode())


def _bring_to_start(target: Target) -> None:
    if target.kind == "aws":  # the command has asked
        Stack(target, announce=lambda planned: None).deploy()
        load_employees(target, tutorial_roster())
        empty_winners(target)
    else:
        lessons.bring_to(target, "20")
        tell_others(target, "`lottery mission`", but=_("lesson {lesson}", lesson="20"))


def _make_alarm(target: Target) -> None:
    """The alarm of lesson 09."""
    given: dict[str, Any] = {"Namespace": "AWS/States", "MetricName": "ExecutionsFailed", "Statistic": "Sum"}
    given |= {"Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "TreatMissingData": "notBreaching"}
    target.client("cloudwatch").put_metric_alarm(
        AlarmName=plan.alarm(target).name,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Dimensions=[{"Name": "StateMachineArn", "Value": machine_arn(target)}],
        AlarmActions=[plan.topic(target).arn],
        Tags=[{"Key": key, "Value": value} for key, value in target.names.tags.items()],
        **given,
    )


def _wait_for_mail(target: Target, subject: str, least: int) -> None:
    """Wait for the mail that wakes somebody, where mails can be read: one about a subject, or many."""

    def arrived() -> bool:
        mails = inbox(target).notifications
        return any(subject in mail.subject for mail in mails) if subject else len(mails) >= least

    if target.kind == "embedded" or (target.kind == "endpoint" and inbox(target).mails):
        target.waiter.until(_("the mail"), arrived, seconds=120, every=0.5)


def _evidence(target: Target, night: Iterable[str]) -> str:
    """What is wrong if an execution of the night is gone. Else this waits for those that run again."""
    for arn in night:
        if not execution.exists(target, arn):
            return _(
                "An execution of the night is gone: nobody can say what happened. Begin the mission again."
            )
        execution.wait(target, arn)
    return ""


class _Draw(NamedTuple):
    """What a draw did: its status, its mails, whom they name, and the last answer about past winners."""

    status: str
    mails: list[str]
    people: set[str]
    answer: int


def _mails(events: Iterable[Event]) -> list[str]:
    """The texts that went to SNS. If a branch was ended on the way, its mail may have left."""
    sent: dict[int, str] = {}
    first: dict[int, int] = {}  # the event with which each event's call to SNS began
    for event in events:
        details, begun = details_of(event), first.get(event.get("previousEventId", 0))
        if event["type"] == "TaskScheduled" and str(details.get("resource")).startswith("publish"):
            begun = event["id"]
            sent[begun] = str(parsed(details.get("parameters"))["Message"])
        if begun and event["type"].startswith("Task") and not event["type"].startswith("TaskState"):
            first[event["id"]] = begun
            if event["type"].endswith(("Failed", "TimedOut")):
                sent.pop(begun, None)
    return list(sent.values())


def _read(target: Target, arn: str) -> _Draw:
    events = execution.history(target, arn)
    outputs = [parsed(details_of(each).get("output")) for each in events if each["type"] == "TaskStateExited"]
    answers = [each.get("status") for each in outputs if isinstance(each, dict)]
    mails = _mails(events)
    people = plan.employee_table(target).items() if mails else []
    text, named = "\n".join(mails), set()
    for person in sorted(people, key=lambda each: -len(str(each["employee_name"]))):
        if str(person["employee_name"]) in text:  # a longer name first: it may contain a shorter one
            text = text.replace(str(person["employee_name"]), "")
            named.add(str(person["employee_id"]))
    status = execution.describe(target, arn)["status"]
    return _Draw(status, mails, named, next((each for each in reversed(answers) if type(each) is int), 0))


def _trials(target: Target, mission: Mission) -> str:
    """What is wrong with draws that this check makes. Their winners are taken out of the table again."""
    table = plan.winners_table(target)
    before = {*table.all_keys()}
    try:
        if mission.passing:
            inject(target, mission.passing_in, mission.passing)
            try:
                problem = _trial(target, 1, is_slow=True)
            finally:
                plan.function(target, mission.passing_in).ensure()
            if problem:
                return _("In a draw of this check, recording failed once. {problem}", problem=problem)
        return next(filter(None, (_trial(target, wish) for wish in mission.trials)), "")
    finally:
        table.remove({*table.all_keys()} - before)


def _trial(target: Target, wish: int, *, is_slow: bool = False) -> str:
    """What is wrong with one draw. While the table is slow it may fail, if nobody has a mail yet."""
    before = {*plan.winners_table(target).all_keys()}
    drawn = _read(target, str(run(target, {"input": wish, "check": True}, seconds=120)["execution_arn"]))
    recorded = {*plan.winners_table(target).all_keys()}
    worked = drawn.status == "SUCCEEDED"
    for is_wrong, problem in (
        (not (worked or is_slow), _("A draw of this check ended as {status}.", status=drawn.status)),
        (drawn.people & before, _("Somebody who had won before has won again.")),
        (drawn.people - recorded, _("Somebody has a mail and no record, and could win again.")),
        (drawn.mails[1:], _("The winner has got {count} mails.", count=len(drawn.mails))),
        (
            worked and len(drawn.people) != wish,
            _("A draw of this check succeeded, but not all winners got a mail."),
        ),
        (
            drawn.people and drawn.answer,
            _("Somebody has a mail, and nobody knows whether this person won before."),
        ),
    ):
        if is_wrong:
            return problem
    return ""


def _reckoning(target: Target, first: str, offices: Iterable[int]) -> str:
    """What is wrong with the winners since the night began: nobody has won twice, and no office waits."""
    since, waiting = execution.describe(target, first)["startDate"], dict(enumerate(offices, 1))
    won = defaultdict[str, int](int)
    for each in execution.of_machine(target, machine_arn(target)):
        asked = parsed(execution.describe(target, each["executionArn"]).get("input"))
        if each["startDate"] >= since and isinstance(asked, dict) and "check" not in asked:
            people = _read(target, each["executionArn"]).people
            for person in people:
                won[person] += 1
            if asked.get("office") in waiting:
                waiting[asked["office"]] -= len(people)
    recorded = {*plan.winners_table(target).all_keys()}
    twice = [person for person, times in won.items() if times > 1]
    open_offices = [office for office, missing in waiting.items() if missing > 0]
    for who, problem in (
        (twice, _("Employee {who} has won twice. A mail cannot be taken back: begin the mission again.")),
        (sorted(won.keys() - recorded), _("Employee {who} has a mail, and is not in the table of winners.")),
        (
            sorted(recorded - won.keys()),
            _("Employee {who} is in the table of winners, and has no mail of a draw."),
        ),
        (open_offices, _("Draws work again. But office {who} still waits for winners.")),
    ):
        if who:
            return problem.format(who=who[0])
    return ""
