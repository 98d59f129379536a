"""Compare the two editions: a deploy, draws from a pool that runs empty, and draws from larger pools."""

import json
import random
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import mean, median

from draws import draw, roster
from emulators import deployed
from rows import Row
from tools import Plan, in_turns, ms, timed

from lottery_course import restore
from lottery_lib import Stack, connect, execution, history, tables
from lottery_lib.history import DOLLARS_PER_TRANSITION
from lottery_lib.resources.contents import empty_winners, load_employees
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.target import Target

__all__ = ["deploys", "drying_pool", "pool_sizes"]

#: Each attempt of this state is a round.
_ROUND = {"tutorial": "Random Select Winners", "hardened": "Draw And Record"}
EDITIONS = tuple(_ROUND)


@dataclass(frozen=True)
class Draw:
    """What one draw took."""

    rounds: int
    transitions: int
    requests: int
    items: int
    seconds: float
    status: str

    @property
    def cost(self) -> float:
        """The price of a thousand such draws on AWS in US dollars, transitions only."""
        return self.transitions * DOLLARS_PER_TRANSITION * 1000


def deploys(plan: Plan) -> list[Row]:
    """Deploy a new attendee's lottery, on an emulator that runs, and restore lessons."""
    measures = {edition: partial(timed, partial(deployed, edition=edition)) for edition in EDITIONS}
    value = {
        name: ms(median(seconds)) for name, seconds in in_turns(measures, plan.deploys, warm_up=1).items()
    }
    target = deployed()
    measures = {lesson: partial(timed, partial(restore, target, lesson)) for lesson in ("00", "99")}
    restored = {name: ms(max(seconds)) for name, seconds in in_turns(measures, plan.deploys).items()}
    return [
        Row("`deploy` from nothing, emulator running", value["tutorial"], "ms", most=200),
        Row("`deploy` of the hardened edition", value["hardened"], "ms", "tutorial", value["tutorial"]),
        Row("`restore` of the first lesson, from everything (slowest)", restored["00"], "ms", most=5000),
        Row("`restore` of the last lesson, from nothing (slowest)", restored["99"], "ms", most=5000),
    ]


def drying_pool(plan: Plan, where: str) -> list[Row]:
    """Draw 2 of 10 when nobody, half, or nearly everybody has won before."""
    targets = both(where, "dry")
    employees = Table(targets["tutorial"], targets["tutorial"].names.employee_table).items()
    rows = []
    for drawn, times in plan.drying.items():
        found = in_turns(
            measures(where, targets, 2, partial(_drain, targets["tutorial"], employees, drawn)), times
        )
        note = f"{times} draws each"
        rows += _beside(f"{drawn} of 10 drawn, drawing 2 (mean)", found, note)
    return rows


def _drain(target: Target, employees: Sequence[dict[str, object]], drawn: int) -> None:
    empty_winners(target)
    chosen = random.sample(employees, drawn)
    won = [{"employee_id": each["employee_id"]} for each in chosen]
    Table(target, target.names.winners_table).put(won)


def _beside(what: str, found: dict[str, list[Draw]], note: str) -> list[Row]:
    def row(which: str, unit: str, value: Callable[[Draw], float]) -> Row:
        ours, theirs = (mean(map(value, found[edition])) for edition in ("hardened", "tutorial"))
        return Row(f"{what}: {which}", ours, unit, "tutorial", theirs, note=note)

    return [
        row("rounds", "", lambda one: one.rounds),
        row("transitions", "", lambda one: one.transitions),
        row("requests", "", lambda one: one.requests),
        row("transitions of 1,000 draws on AWS", "$", lambda one: one.cost),
        row("time", "ms", lambda one: ms(one.seconds)),
    ]


def pool_sizes(plan: Plan, where: str) -> list[Row]:
    """Load pools of several sizes, and draw one winner from each."""
    return [row for size, times in plan.sizes.items() for row in _pool_of(where, size, *times)]


def _pool_of(where: str, size: int, hardened: int, tutorial: int) -> list[Row]:
    targets = both(where, f"p{size}")
    loaded = timed(lambda: load_employees(targets["hardened"], roster(size)))
    forget = partial(empty_winners, targets["tutorial"])
    found = measures(where, targets, 1, forget)
    draws = {"hardened": in_turns({"one": found["hardened"]}, hardened, warm_up=1)["one"]}
    draws["tutorial"] = in_turns({"one": found["tutorial"]}, tutorial, warm_up=int(tutorial > 1))["one"]
    what, failed = f"Pool of {size:,}", {one.status for one in draws["tutorial"]} - {"SUCCEEDED"}
    note = f"the tutorial's {', '.join(failed).lower()}" if failed else ""

    def row(which: str, unit: str, value: Callable[[Draw], float]) -> Row:
        ours, theirs = (median(map(value, draws[edition])) for edition in ("hardened", "tutorial"))
        return Row(f"{what}: {which}", ours, unit, "tutorial", theirs, note=note)

    return [
        Row(f"{what}: load", loaded, "s"),
        row("requests of a draw", "", lambda one: one.requests),
        row("items that a draw reads", "", lambda one: one.items),
        row("a hardened draw", "ms", lambda one: ms(one.seconds)),
    ]


def both(where: str, attendee: str) -> dict[str, Target]:
    """Both editions, deployed side by side: they share the employees and the winners."""
    targets = {edition: connect(where, attendee=attendee, edition=edition) for edition in EDITIONS}
    for target in targets.values():
        Stack(target).deploy()
    return targets


def measures(
    where: str, targets: dict[str, Target], wanted: int, before: Callable[[], object]
) -> dict[str, Callable[[], Draw]]:
    """A draw of each edition, on an emulator that counts."""
    return {edition: partial(measure, where, target, wanted, before) for edition, target in targets.items()}


def measure(where: str, target: Target, wanted: int, before: Callable[[], object]) -> Draw:
    """Draw, and return what it took."""
    before()
    _requests(where)
    drawn = draw(target, wanted, every=0.25, must_succeed=False)
    counted = _requests(where)
    events = execution.history(target, drawn.arn)
    table = tables.state_table(events)
    return Draw(
        rounds=int((table["state"] == _ROUND[target.names.edition]).sum()),
        transitions=history.Reader(events).transitions(),
        seconds=drawn.seconds,
        status=drawn.status,
        **counted,
    )


def _requests(where: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{where}/bench/requests") as reply:
        counted: dict[str, int] = json.load(reply)
    return counted
