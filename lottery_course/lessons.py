"""Prepare the emulator for a lesson, and check what an attendee has done in a lesson. Both read the plan."""

from collections.abc import Callable, Container, Iterator
from typing import Any, Final

from lottery_course.checks import Check, Checks, Ready, exercises, watch_exercises
from lottery_course.progress import COUNTED_MISSIONS, ON_CHECK, begin, joined_file, kept_missions, tell
from lottery_course.sharing import tell_others
from lottery_lib import definition, execution, plan
from lottery_lib.draws import draw, machine_arn, winner_table
from lottery_lib.employees import tutorial_roster
from lottery_lib.errors import LotteryError
from lottery_lib.harmless import in_a_row
from lottery_lib.mails import inbox
from lottery_lib.resources.base import Removable, Resource
from lottery_lib.resources.contents import Employees, Pool, draws_table
from lottery_lib.resources.lambda_function import Function
from lottery_lib.resources.sns_topic import Subscription, as_resource
from lottery_lib.target import Target
from lottery_lib.translation import _, cause_in_words

#: The address that the lessons subscribe. On the emulator its mail can be read in `inbox`.
ADDRESS: Final = "ann@example.com"
#: The lessons of the course, and what each does.
LESSONS: Final = {
    "00": _("shows a draw and how it works"),
    "01": _("builds the roles of the functions and of the machine"),
    "02": _("builds the four functions and their log groups"),
    "03": _("builds the topic and its subscription"),
    "04": _("builds the two tables, the ten employees and the index"),
    "05": _("builds the machine"),
    "06": _("draws"),
    "07": _("builds nothing: it reads the history of a draw"),
    "08": _("builds nothing: it breaks things and repairs them"),
    "09": _("builds an execution log, an alarm and a rule"),
    "10": _("gives the machine its definition in JSONata, and back"),
    "11": _("builds a machine of your own, one state after another"),
    "12": _("builds nothing: it tests states without running the machine"),
    "13": _("gives the machine a state that waits for a person"),
    "14": _("builds a version, an alias and two more machines"),
    "15": _("repairs the tutorial's machine in its definition, and takes the repairs back"),
    "16": _("builds the hardened edition, beside the tutorial's"),
    "17": _("loads a roster of a thousand employees"),
    "18": _("builds a bucket and a machine that loads a roster from it"),
    "19": _("exports the lottery and deploys it with CloudFormation"),
    "20": _("breaks something that you find and repair, with an alarm and a definition of its own"),
    "90": _("runs an evening of the hardened edition, and cheats"),
    "99": _("removes everything"),
}
# The lessons that give the machine another definition, and then the tutorial's again: a draw that must have
# succeeded, how to see it in the draw's definition, the next step, and a name for the tutorial's definition.
_OTHER_DEFINITIONS: Final[dict[str, tuple[str, Callable[[definition.Machine], bool], str, str]]] = {
    "10": (
        _("a draw that succeeded in JSONata"),
        lambda machine: machine.get("QueryLanguage") == "JSONata",
        _('Run Stack(connect(edition="jsonata")).deploy() and start an execution with {"input": 2}'),
        _("the machine in JSONPath again"),
    ),
    "15": (
        _("a draw that recorded first, then mailed"),
        lambda machine: "Notify Winners" in machine["States"],  # the tutorial has it inside the Parallel
        _('Give the machine the repaired definition and start an execution with {"input": 2}'),
        _("the tutorial's definition again"),
    ),
}


def _tell_board(lesson: str, check: str, done: bool) -> None:
    """Tell the board of a class, if this attendee has joined one. Else nothing is loaded or sent."""
    if joined_file().exists():
        from lottery_course.attendee import SENDER  # noqa: PLC0415 - see above

        SENDER.note(lesson, check, done)


ON_CHECK.append(_tell_board)


def restore(target: Target, lesson: str) -> Ready:
    """Prepare the account for the start of a lesson.

    On an emulator it makes everything that earlier lessons build, and removes everything that this and later
    lessons build. Lesson 00 starts with the whole lottery. From lesson 04 on, the e-mail address is
    confirmed. The table of winners is empty, except for lessons 07 and 99: these start with the winners of
    one draw. On ``aws`` it only checks, and changes nothing. The edition of `target` does not matter, because
    each lesson decides which edition it needs.

    Args:
        lesson: Two digits, such as ``"05"``.

    Returns:
        A line such as ``Ready: lesson 06, 10 employees, nobody has won.`` On ``aws``, what the lesson builds
        and whether this exists.

    Raises:
        LotteryError: There is no such lesson; or, on AWS, something that earlier lessons build is missing.
    """
    _refuse_unknown(lesson)
    target = target.named(target.names.in_edition("tutorial"))
    watch_exercises()
    begin(lesson)
    if target.kind == "aws":
        return _look(target, lesson)
    bring_to(target, lesson)
    tell_others(target, _("lesson {lesson}", lesson=lesson))
    return _ready(target, lesson)


def bring_to(target: Target, lesson: str) -> None:
    """Bring an emulator's account to the start of a lesson; see `restore`."""
    hardened = target.named(target.names.in_edition("hardened"))
    inbox(target).clear()
    planned = plan.everything(target)
    planned += [(made, row) for made, row in plan.everything(hardened) if row.edition == "hardened"]
    for there in (target, hardened):
        execution.stop_running(there, machine_arn(there))
    topic = plan.topic(target)
    if any(each["Endpoint"] != ADDRESS for each in topic.subscriptions()):
        topic.delete(foreign=True)  # this also removes other addresses that a lesson subscribed
    built = "10" if lesson == "00" else lesson
    # On an emulator nothing with our names can belong to others. An attendee may have forgotten the tags.
    for made, row in reversed([*planned, *plan.made_by_hand(target)]):
        if isinstance(made, Removable) and (row.lesson >= built or made.has_content()):
            made.delete(foreign=True)
    for made, row in planned:
        if row.lesson < built:
            if isinstance(made, Resource):
                made.ensure(foreign=True)
            else:
                made.ensure()
    if built > "03" and Subscription(topic, ADDRESS).ensure().state != "confirmed":
        inbox(target).confirm(ADDRESS)
    if lesson in ("07", "99"):
        drawn = draw(target, 2)
        if drawn["status"] != "SUCCEEDED":
            where = _("the draw that lesson {lesson} starts with", lesson=lesson)
            raise LotteryError(where, cause_in_words(str(drawn["cause"])), _("Run this cell again"))


def _ready(target: Target, lesson: str) -> Ready:
    """What a restored account has, in one line."""
    if lesson == "01":
        return Ready(_("Ready: lesson {lesson}, nothing is built yet.", lesson=lesson))
    if "01" < lesson < "05":
        return Ready(
            _("Ready: lesson {lesson}, with all that the lessons before {lesson} build.", lesson=lesson)
        )
    has: dict[str, object] = {"lesson": lesson, "employees": len(tutorial_roster().employees)}
    if won := len(winner_table(target)):
        return Ready(_("Ready: lesson {lesson}, {employees} employees, {won} have won.", **has, won=won))
    return Ready(_("Ready: lesson {lesson}, {employees} employees, nobody has won.", **has))


def verify(target: Target, lesson: str, *, without: Container[int] | int = ()) -> Checks:
    """Check what is done in a lesson: what it builds, and its exercises. Never raises.

    The kernel remembers which exercises their checks found right. After a restart, or if the lesson's first
    cell runs again, they count as not tried.

    Args:
        lesson: Two digits, such as ``"05"``.
        without: The numbers of the exercises that you leave out, such as ``[3]``.

    Returns:
        A line for each point. An open point has the next step.
    """
    try:
        _refuse_unknown(lesson)
        made = list(built_in(target, lesson))
        left_out = [without] if isinstance(without, int) else without
        solved = _missions(target, left_out) if lesson == "20" else exercises(lesson, left_out)
        checks = Checks([*made, *solved.values()])
        if not all(check.done for check in solved.values()):
            left = [number for number, check in solved.items() if not check.done or check.left_out]
            call = f'verify(target, "{lesson}", without={left})'
            checks.note = _("To leave exercises out, say which: `{call}`.", call=call)
            if lesson == "20":
                checks.note = _("To leave missions out, say which: `{call}`.", call=call)
    except Exception as error:  # an attendee must get an answer, even if something is broken
        next_step = _("It could not be checked: {reason}", reason=str(error).rstrip(".。"))
        return Checks([Check(_("lesson {lesson}", lesson=lesson), False, next_step)])
    tell("verify", all(check.done for check in (checks if lesson == "20" else made)), lesson)
    return checks


def _missions(target: Target, without: Container[int]) -> dict[int, Check]:
    """The missions, by their numbers, as `verify` lists them. A file keeps what is solved."""
    kept, checks = kept_missions(target.names.attendee), {}
    for number in COUNTED_MISSIONS:
        what, step = _("mission {number}", number=number), _("Type `lottery mission {number}`", number=number)
        solved = kept.get(str(number), {}).get("solved", False)
        checks[number] = Check(
            what, solved or number in without, step, left_out=not solved and number in without
        )
    return checks


def _refuse_unknown(lesson: str) -> None:
    if lesson not in list(LESSONS):  # a list, because an attendee may give an unhashable value
        next_step = _("Use one of: {names}", names=", ".join(LESSONS))
        raise LotteryError(_("lesson {lesson!r}", lesson=lesson), _("does not exist"), next_step)


def _look(target: Target, lesson: str) -> Ready:
    """On AWS: refuse a lesson if something from earlier lessons is missing. Then tell its checks."""
    if lesson == "00":
        raise LotteryError(
            _("lesson 00"),
            _("starts with a lottery that is built already"),
            _("Run it on the emulator, and begin on AWS with lesson 01"),
        )
    needed = [each for each in LESSONS if each < min(lesson, "09")]
    needed += ["16"] if lesson in ("17", "90") else []  # only these lessons need the hardened edition
    earlier = [check for each in needed for check in built_in(target, each)]
    if missing := [str(check) for check in earlier if not check.done]:
        raise LotteryError(
            _("lesson {lesson} on AWS", lesson=lesson),
            in_a_row(missing).rstrip(".。"),
            _(
                "Run `lottery deploy --email ADDRESS` and open the link in the mail; if a draw is missing, "
                "run `lottery draw 2`; for the hardened edition, add `--edition hardened`"
            ),
        )
    now = Checks(built_in(target, lesson))
    first = _("Lesson {lesson} {does}. This account now:", lesson=lesson, does=LESSONS[lesson])
    return Ready(f"{first}\n{now!r}")


def built_in(target: Target, lesson: str) -> Iterator[Check]:
    """What a lesson builds: its resources from the plan, then further checks of the lesson."""
    target = target.named(target.names.in_edition("tutorial"))
    hardened = target.named(target.names.in_edition("hardened"))
    edition = hardened if lesson == "16" else target
    planned: list[tuple[Removable[Any], plan.Row[Any]]]
    planned = [*plan.resources(edition), *plan.made_by_hand(edition)]
    for resource, row in sorted(planned, key=lambda each: each[1].order):
        if row.lesson == lesson and row.step:
            yield Check(resource.titled, resource.find() is not None, row.step)
    if lesson == "01":
        missing = plan.lambda_role(target).missing_policies()
        what = _("the four policies of {name}", name=target.names.lambda_role)
        yield Check(what, not missing, _("Attach {policies}", policies=", ".join(missing)))
    elif lesson == "03":
        states = [as_resource(each).state for each in plan.topic(target).subscriptions()]
        yield Check(_("an e-mail subscription"), bool(states), _("Subscribe an address to the topic"))
        next_step = _("Open the link in the confirmation mail")
        yield Check(_("the subscription confirmed"), "confirmed" in states, next_step)
    elif lesson == "04":
        loaded = Employees(target).find() is not None
        yield Check(_("employees in the table"), loaded, _("Load data/request-items.json"))
        index, is_ready = plan.SERIAL_INDEX, plan.employee_table(target).is_complete()
        next_step = _("Create it on {attribute}, and wait until it is ACTIVE", attribute=index.key)
        yield Check(_("index {name}", name=index.name), is_ready, next_step)
    elif lesson == "06":
        done = execution.of_machine(target, machine_arn(target), status="SUCCEEDED")
        yield Check(_("a draw that succeeded"), bool(done), _('Start an execution with {"input": 2}'))
    elif lesson == "08":
        yield from _checks_of_repairs(target)
    elif lesson in ("17", "90"):
        yield from _checks_of_draws(hardened, lesson)
    elif lesson in _OTHER_DEFINITIONS:
        what, is_other, step, back = _OTHER_DEFINITIONS[lesson]
        drawn = any(is_other(definition.parse(text)) for text in _that_succeeded(target))
        machine = plan.machine(target)
        now = machine.describe_or_none()
        yield Check(what, drawn, step)
        is_back = now is not None and now["definition"] == machine.definition
        yield Check(back, is_back, _("Run Stack(target).deploy()"))
    elif lesson == "19":
        stack = plan.exported(target)
        what = _("no {resource} left", resource=stack.titled)
        yield Check(what, stack.find() is None, _("Delete the stack"))
    elif lesson == "13":
        waited = any(".waitForTaskToken" in text for text in _that_succeeded(target))
        running = execution.of_machine(target, machine_arn(target), status="RUNNING")
        next_step = _("Start an execution and send its token back")
        yield Check(_("a draw that waited and succeeded"), waited, next_step)
        stop = _("Send its token back, or call stop_execution")
        yield Check(_("no draw that still waits"), not running, stop)


def _checks_of_repairs(target: Target) -> Iterator[Check]:
    """The lines of `verify` for the lesson that breaks things."""
    for resource, _row in plan.resources(target):
        if isinstance(resource, Function):
            what = _("{name} as the lottery needs it", name=resource.name)
            yield Check(what, resource.is_as_wanted(), _("Run Stack(target).deploy()"))
    roles = (plan.lambda_role(target), plan.machine_role(target))
    missing = [policy for role in roles for policy in role.missing_policies()]
    next_step = _("Attach {policies}", policies=", ".join(missing))
    yield Check(_("no policy missing"), not missing, next_step)


def _checks_of_draws(hardened: Target, lesson: str) -> Iterator[Check]:
    """The lines of `verify` for the lessons that draw with the hardened edition."""
    if lesson == "17":
        pool = Pool(hardened)
        head = pool.table.item("head") if pool.table.find() else None
        size = head["size"] if head else 0
        next_step = _("Load data/roster_1000.csv: it has {count} now", count=size)
        yield Check(_("a pool of a thousand"), size >= 1000, next_step)
        return
    draws = draws_table(hardened).items()
    closed = any(each.get("evening") and "closed" in each and "taken_back" not in each for each in draws)
    yield Check(_("an evening that was closed"), closed, _("Run an evening, until its close()"))
    running = execution.of_machine(hardened, machine_arn(hardened), status="RUNNING")
    stop = _("Close the evening, or call stop_execution")
    yield Check(_("no evening that still waits"), not running, stop)


def _that_succeeded(target: Target) -> Iterator[str]:
    """The definitions with which draws succeeded, the newest first."""
    for each in execution.of_machine(target, machine_arn(target), status="SUCCEEDED"):
        yield execution.machine(target, each["executionArn"])["definition"]
