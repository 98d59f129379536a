"""Measure single draws, next to a rival's and to the bare calls, and many at once."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

import psutil
from emulators import deployed
from rows import Row
from tools import Plan, cpu, in_threads, in_turns, megabytes, ms, timed

from lottery_lib import execution
from lottery_lib.draws import executions, forget_winners, machine_arn, result
from lottery_lib.employees import Roster
from lottery_lib.emulator.process import control
from lottery_lib.party.pool import load_employees
from lottery_lib.resources import dynamodb_table, sns_topic
from lottery_lib.target import Target

__all__ = ["Drawn", "concurrent_draws", "draw", "first_draws", "many_attendees", "roster", "warm_draws"]

WARM_UP = 5
SETTLE_SECONDS = 0.3


@dataclass(frozen=True)
class Drawn:
    """A draw that has ended."""

    arn: str
    seconds: float
    status: str


def draw(target: Target, wanted: int = 1, *, every: float = 0.05, must_succeed: bool = True) -> Drawn:
    """Draw; the seconds are those from the execution's start to its end, as it says itself."""
    arn = execution.start(target, machine_arn(target), {"input": wanted})
    deadline = time.monotonic() + 240
    time.sleep(every)  # looking takes a part of what is looked at
    while (told := execution.describe(target, arn))["status"] == "RUNNING" and time.monotonic() < deadline:
        time.sleep(every)
    if told["status"] != "SUCCEEDED" and (must_succeed or told["status"] == "RUNNING"):
        raise RuntimeError(f"a draw ended {told['status']}: {told}")
    return Drawn(arn, float((told["stopDate"] - told["startDate"]).total_seconds()), told["status"])


def roster(size: int) -> Roster:
    """So many employees."""
    return Roster(
        [
            {
                "employee_id": f"E{number:07}",
                "employee_name": f"Employee {number}",
                "employee_entry_date": "20200101",
                "lottery_serial": number,
            }
            for number in range(1, size + 1)
        ]
    )


def warm_draws(plan: Plan, other: str) -> list[Row]:
    """A warm draw, on MiniStack too, a hardened one, and the same calls without a workflow, in turns."""
    ours, hardened = deployed(), deployed(edition="hardened")
    theirs = deployed(other) if other.startswith("http") else None
    everybody = [target for target in (ours, hardened, theirs) if target]
    measures = {
        "ours": lambda: draw(ours).seconds,
        "floor": bare_calls(ours),
        "hardened": lambda: draw(hardened).seconds,
    }
    if theirs:
        measures["theirs"] = lambda: draw(theirs).seconds
    found = in_turns(measures, plan.draws, warm_up=WARM_UP, before=lambda: settle(*everybody))
    value = {name: ms(median(seconds)) for name, seconds in found.items()}
    what, bare, note = (
        "Warm draw of one winner",
        "the same calls, without a workflow",
        "" if theirs else other,
    )
    return [
        Row(what, value["ours"], "ms", bare, value["floor"], most=1.5),
        Row(
            f"{what}, and a rival",
            value["ours"],
            "ms",
            "MiniStack",
            value.get("theirs"),
            most=1 / 6,
            note=note,
        ),
        Row(f"{what}, hardened", value["hardened"], "ms", "tutorial", value["ours"]),
    ]


def first_draws(plan: Plan, other: str) -> list[Row]:
    """The first draw after a deploy."""
    measures = {
        "ours": lambda: draw(deployed()).seconds,
        "hardened": lambda: draw(deployed(edition="hardened")).seconds,
    }
    if other.startswith("http"):
        measures["theirs"] = lambda: draw(deployed(other)).seconds
    value = {name: ms(median(seconds)) for name, seconds in in_turns(measures, plan.firsts).items()}
    what, note = "First draw after a deploy", "" if "theirs" in value else other
    return [
        Row(what, value["ours"], "ms", "MiniStack", value.get("theirs"), most=2 / 3, note=note),
        Row(f"{what}, hardened", value["hardened"], "ms", "tutorial", value["ours"]),
    ]


def many_attendees(plan: Plan) -> list[Row]:
    """Everybody draws at the same time on one emulator, each from a lottery of their own."""
    process = psutil.Process(control.status()["pid"])
    before = megabytes(process)
    everybody = [deployed() for _ in range(plan.attendees)]
    each = (megabytes(process) - before) / plan.attendees
    busy, begun = cpu(process), time.perf_counter()
    draws = [partial(_several, target, plan.rounds) for target in everybody]
    taken = in_threads(draws)
    wall = time.perf_counter() - begun
    own, workers = (after - was for after, was in zip(cpu(process), busy, strict=True))
    wrong = plan.attendees - sum(is_right(target, plan.rounds) for target in everybody)
    seconds = [second for several in taken for second in several or []]
    who = f"{plan.attendees} attendees at once, {plan.rounds} draws each"
    limit = f"emulator {own / wall:.2f} cores, workers {workers / wall:.2f}, of {os.cpu_count()}"
    return [
        Row(f"{who}: attendees with a draw that is not right", wrong, most=0),
        Row(f"{who}: draw", ms(median(seconds)), "ms"),
        Row(f"{who}: slowest draw", ms(max(seconds)), "ms"),
        Row(f"{who}: draws a second", len(seconds) / wall, note=limit),
        Row("Memory of the emulator for each attendee", each, "MB"),
    ]


def concurrent_draws(plan: Plan) -> list[Row]:
    """Many hardened draws at once from one pool of a thousand."""
    target = deployed(edition="hardened")
    load_employees(target, roster(1000))
    begun = time.perf_counter()
    taken = in_threads([lambda: draw(target, every=0.25).seconds for _ in range(plan.concurrent)])
    wall = time.perf_counter() - begun
    lost = plan.concurrent - len(winners(target))
    seconds = [second for second in taken if second is not None]
    who = f"{plan.concurrent} hardened draws at once, one lottery"
    return [
        Row(f"{who}: draws without a winner of their own", lost, most=0),
        Row(f"{who}: draw", ms(median(seconds)), "ms"),
        Row(f"{who}: slowest draw", ms(max(seconds)), "ms"),
        Row(f"{who}: draws a second", len(seconds) / wall),
    ]


def _several(target: Target, rounds: int) -> list[float]:
    return [draw(target, every=0.25).seconds for _ in range(rounds)]


def bare_calls(target: Target) -> Callable[[], float]:
    """The AWS calls that a draw's functions and states make, from this process, by clients made once."""
    employees, won = (
        target.table(name) for name in (target.names.employee_table, target.names.winners_table)
    )
    sns, topic = target.client("sns"), sns_topic.topic_arn(target, target.names.topic)

    def calls() -> None:
        pool = employees.scan(ConsistentRead=True)["Items"]
        won.scan(ConsistentRead=True)
        key = {"employee_id": pool[0]["employee_id"]}
        won.get_item(Key=key, ConsistentRead=True)
        sns.publish(TopicArn=topic, Message="Congrats!")
        with won.batch_writer() as batch:
            batch.put_item(Item=key)

    return lambda: timed(calls)


def is_right(target: Target, rounds: int) -> bool:
    """Whether those whom the draws name are all different, and exactly those who are recorded."""
    arns = executions(target)["execution_arn"]
    told = [winner["employee_id"] for arn in arns for winner in result(target, arn)["winners"]]
    return len(told) == rounds and set(told) == winners(target) and len(set(told)) == rounds


def winners(target: Target) -> set[str]:
    """Who is recorded."""
    return {item["employee_id"] for item in dynamodb_table.items(target, target.names.winners_table)}


def settle(*targets: Target) -> None:
    """Let everyone win again, and everything come to rest.

    The calls alone would else find this process fresh from the same calls, and a draw its own asleep.
    """
    for target in targets:
        forget_winners(target)
    time.sleep(SETTLE_SECONDS)
