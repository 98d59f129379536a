"""Bring the emulator to where a lesson starts, and say what of a lesson is done.

Both are read from one table: what each lesson builds, in the tutorial's order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lottery_lib import execution
from lottery_lib.aws_errors import explain, explained
from lottery_lib.draws import draw, forget_winners, machine_arn
from lottery_lib.employees import tutorial_roster
from lottery_lib.errors import LotteryError
from lottery_lib.mails import inbox
from lottery_lib.names import FUNCTIONS, Names
from lottery_lib.party.pool import load_employees
from lottery_lib.resources import (
    dynamodb_table,
    iam_role,
    lambda_function,
    log_group,
    sns_topic,
    state_machine,
)
from lottery_lib.stack import Stack, machine_definition
from lottery_lib.target import Target

__all__ = ["ADDRESS", "LESSONS", "Check", "restore", "verify"]

#: The address that the lessons subscribe. On the emulator its mail can be read in `inbox`.
ADDRESS: Final = "ann@example.com"
#: The lessons of the course, and what each does.
LESSONS: Final = {
    "00": "builds nothing",
    "01": "builds the role of the functions",
    "02": "builds the four functions and their log groups",
    "03": "builds the topic and its subscription",
    "04": "builds the two tables, the ten employees and the index",
    "05": "builds the role of the machine and the machine",
    "06": "draws",
    "07": "builds nothing: it reads what a draw left",
    "08": "builds nothing: it breaks things, and mends them",
    "09": "builds the hardened edition, beside the tutorial's",
    "10": "loads a roster of a thousand",
    "99": "removes everything",
}


@dataclass(frozen=True)
class Check:
    """One thing that a lesson builds: whether it is there, and what to do if it is not."""

    what: str
    done: bool
    next_step: str

    def __str__(self) -> str:
        return f"done: {self.what}" if self.done else f"not yet: {self.what}. {self.next_step}."


class Checks(list[Check]):
    """The checks of a lesson, one line each."""

    def __repr__(self) -> str:
        return "\n".join(map(str, self)) or "Nothing to build in this lesson."


@explained()
def restore(target: Target, lesson: str) -> None:
    """Bring the account to exactly where a lesson starts.

    On an emulator: what earlier lessons build is there (the e-mail address confirmed from lesson 04 on),
    what this and later lessons build is not, and the table of winners is as the lesson needs it: empty, or
    for 07 and 99 with the winners of one draw. On ``aws`` it only looks. The edition of `target` does not
    matter: the lessons know which they need.

    Args:
        target: Where.
        lesson: Two digits, such as ``"05"``.

    Raises:
        LotteryError: There is no such lesson; or, on AWS, what earlier lessons build is not all there.
    """
    _check_lesson(lesson)
    if target.kind == "aws":
        _look(target, lesson)
        return
    target, hardened = _edition(target, "tutorial"), _edition(target, "hardened")
    Stack(target).remove_foreign()
    Stack(hardened).remove_foreign()
    inbox(target).clear()
    steps = [step for step in _STEPS if step.lesson < lesson]
    for step in reversed(_STEPS):
        if step not in steps:
            step.undo(target)
    for step in steps:
        step.do(target)
    if lesson > "04":
        _clear_draws(target, lesson)


def verify(target: Target, lesson: str) -> Checks:
    """Say what of a lesson is done and what is not yet, one line each with the next step. Never raises."""
    try:
        _check_lesson(lesson)
        target = _edition(target, "tutorial")
        return Checks(check for step in _STEPS if step.lesson == lesson for check in step.checks(target))
    except Exception as error:  # an attendee asked a question, whatever state things are in
        said = str(explain(error) or error).rstrip(".")
        return Checks([Check(f"lesson {lesson}", False, f"It could not be looked at: {said}")])


@dataclass(frozen=True)
class _Step:
    """A thing that a lesson builds: do, undo, and the questions that tell whether it is done."""

    lesson: str
    do: Callable[[Target], Any]
    undo: Callable[[Target], Any]
    checks: Callable[[Target], list[Check]]


def _check_lesson(lesson: str) -> None:
    if lesson not in list(LESSONS):  # also what cannot be a key, such as a list
        raise LotteryError(f"lesson {lesson!r}", "does not exist", f"Use one of: {', '.join(LESSONS)}")


def _edition(target: Target, edition: str) -> Target:
    """The target of an edition: itself where it is of that one."""
    names = target.names
    return target if names.edition == edition else target.named(Names(names.attendee, edition))


def _look(target: Target, lesson: str) -> None:
    target = _edition(target, "tutorial")
    before = "09" if lesson == "99" else lesson  # who has not hardened anything can clean up all the same
    found = [check for step in _STEPS if step.lesson < before for check in step.checks(target)]
    missing = [str(check) for check in found if not check.done]
    if missing:
        raise LotteryError(
            f"lesson {lesson} on AWS",
            " ".join(missing).rstrip("."),
            "Run `python -m lottery_lib deploy --email ADDRESS`, open the link in the mail, for what a draw "
            "leaves run `python -m lottery_lib draw 2`, and both with `--edition hardened` for that one",
        )
    print(f"Lesson {lesson} {LESSONS[lesson]}. As this account is now:")
    print(Checks(check for step in _STEPS if step.lesson == lesson for check in step.checks(target)))


def _there(kind: Any, name: str, target: Target, next_step: str) -> Check:
    return Check(f"{kind.KIND} {name}", kind.find(target, name) is not None, next_step)


def _role_checks(target: Target) -> list[Check]:
    missing = iam_role.missing_policies(target, iam_role.lambda_role(target))
    return [
        _there(iam_role, target.names.lambda_role, target, "Create the role"),
        Check("its four policies attached", not missing, f"Attach {', '.join(missing)}"),
    ]


def _make_functions(target: Target) -> None:
    role_arn = iam_role.role_arn(target, target.names.lambda_role)
    for purpose, name in target.names.functions.items():
        log_group.ensure(target, target.names.log_group(name))
        lambda_function.ensure(target, lambda_function.for_purpose(target, purpose, role_arn))


def _drop_functions(target: Target) -> None:
    for name in target.names.functions.values():
        lambda_function.delete(target, name)
        log_group.delete(target, target.names.log_group(name))


def _make_topic(target: Target) -> None:
    found = sns_topic.subscriptions(target, target.names.topic)
    if any(each["Endpoint"] != ADDRESS for each in found):
        sns_topic.delete(target, target.names.topic)  # who else was subscribed in a lesson goes with it
    sns_topic.ensure(target, target.names.topic)
    if sns_topic.subscribe(target, target.names.topic, ADDRESS).state != "confirmed":
        inbox(target).confirm(ADDRESS)


def _topic_checks(target: Target) -> list[Check]:
    name = target.names.topic
    found = [sns_topic.as_resource(each).state for each in sns_topic.subscriptions(target, name)]
    return [
        _there(sns_topic, name, target, "Create the topic"),
        Check("an e-mail subscription", bool(found), "Subscribe an address to the topic"),
        Check("the subscription confirmed", "confirmed" in found, "Open the link in the confirmation mail"),
    ]


def _make_tables(target: Target) -> None:
    dynamodb_table.ensure(target, dynamodb_table.Table(target.names.winners_table))
    dynamodb_table.ensure(target, dynamodb_table.employee_table(target))
    load_employees(target, tutorial_roster())


def _drop_tables(target: Target) -> None:
    for name in (target.names.winners_table, target.names.employee_table):
        dynamodb_table.delete(target, name)


def _table_checks(target: Target) -> list[Check]:
    tables = (target.names.employee_table, target.names.winners_table)
    checks = [_there(dynamodb_table, name, target, "Create the table") for name in tables]
    loaded = checks[0].done and not dynamodb_table.is_empty(target, tables[0])
    indexed = checks[0].done and target.names.serial_index in dynamodb_table.index_names(target, tables[0])
    return [
        *checks,
        Check("employees in the table", loaded, "Load data/request-items.json"),
        Check(f"index {target.names.serial_index}", indexed, "Create the index on lottery_serial"),
    ]


def _make_machine(target: Target) -> None:
    role = iam_role.ensure(target, iam_role.machine_role(target))
    state_machine.ensure(target, target.names.machine, machine_definition(target), role.arn)


def _drop_machine(target: Target) -> None:
    execution.stop_running(target, machine_arn(target))
    state_machine.delete(target, target.names.machine)
    iam_role.delete(target, target.names.machine_role)


def _clear_draws(target: Target, lesson: str) -> None:
    """Leave what draws leave as the lesson needs it: nothing, or one execution and its two winners."""
    if execution.executions(target, machine_arn(target)):
        execution.stop_running(target, machine_arn(target))
        state_machine.delete(target, target.names.machine)  # its executions go with it
        _make_machine(target)
    forget_winners(target)
    if lesson in ("07", "99"):
        drawn = draw(target, 2)
        if drawn["status"] != "SUCCEEDED":
            raise LotteryError(
                f"the draw that lesson {lesson} starts with", str(drawn["cause"]), "Run this cell again"
            )


def _draw_checks(target: Target) -> list[Check]:
    done = execution.executions(target, machine_arn(target), status="SUCCEEDED")
    return [Check("a draw that succeeded", bool(done), 'Start an execution with {"input": 2}')]


def _mended_checks(target: Target) -> list[Check]:
    role_arn = iam_role.role_arn(target, target.names.lambda_role)
    wanted = [lambda_function.for_purpose(target, purpose, role_arn) for purpose in FUNCTIONS]
    whole = {each.name: lambda_function.is_as_wanted(target, each) for each in wanted}
    roles = (iam_role.lambda_role(target), iam_role.machine_role(target))
    rights = [policy for role in roles for policy in iam_role.missing_policies(target, role)]
    mend = "Run Stack(target).deploy()"
    return [
        *(Check(f"{name} as the lottery needs it", well, mend) for name, well in whole.items()),
        Check("no policy missing", not rights, f"Attach {', '.join(rights)}"),
    ]


def _make_hardened(target: Target) -> None:
    """Make it, without the draws and pools that there may have been."""
    hardened = _edition(target, "hardened")
    _drop_machine(hardened)
    _drop_own_tables(hardened)
    Stack(hardened).deploy()


def _drop_hardened(target: Target) -> None:
    """Remove what is the hardened edition's own."""
    hardened = _edition(target, "hardened")
    _drop_machine(hardened)
    _drop_functions(hardened)
    _drop_own_tables(hardened)
    iam_role.delete(hardened, hardened.names.lambda_role)


def _drop_own_tables(hardened: Target) -> None:
    for name in (hardened.names.pool_table, hardened.names.draws_table):
        dynamodb_table.delete(hardened, name)


def _hardened_checks(target: Target) -> list[Check]:
    hardened = _edition(target, "hardened")
    names, deploy = hardened.names, "Deploy it with Stack(hardened).deploy()"
    tables = (names.pool_table, names.draws_table)
    return [
        *(_there(lambda_function, name, hardened, deploy) for name in names.functions.values()),
        *(_there(dynamodb_table, name, hardened, deploy) for name in tables),
        _there(state_machine, names.machine, hardened, deploy),
    ]


def _scale_checks(target: Target) -> list[Check]:
    table = target.names.pool_table
    head = dynamodb_table.find(target, table) and dynamodb_table.item(target, table, {"chunk": "head"})
    size = head["size"] if head else 0
    return [Check("a pool of a thousand", size >= 1000, f"Load data/roster_1000.csv: it has {size} now")]


_STEPS: Final = (
    _Step(
        "01",
        lambda target: iam_role.ensure(target, iam_role.lambda_role(target)),
        lambda target: iam_role.delete(target, target.names.lambda_role),
        _role_checks,
    ),
    _Step(
        "02",
        _make_functions,
        _drop_functions,
        lambda target: [
            _there(lambda_function, target.names.function(purpose), target, f"Create the function {purpose}")
            for purpose in FUNCTIONS
        ],
    ),
    _Step("03", _make_topic, lambda target: sns_topic.delete(target, target.names.topic), _topic_checks),
    _Step("04", _make_tables, _drop_tables, _table_checks),
    _Step(
        "05",
        _make_machine,
        _drop_machine,
        lambda target: [
            _there(iam_role, target.names.machine_role, target, "Create the role of the machine"),
            _there(
                state_machine, target.names.machine, target, "Fill the placeholders and create the machine"
            ),
        ],
    ),
    _Step("06", lambda target: None, lambda target: None, _draw_checks),
    _Step("08", lambda target: None, lambda target: None, _mended_checks),
    _Step("09", _make_hardened, _drop_hardened, _hardened_checks),
    _Step("10", lambda target: None, lambda target: None, _scale_checks),
)
