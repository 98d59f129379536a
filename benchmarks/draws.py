"""Measure single draws, MiniStack's draws, the calls without a workflow, and many draws at the same time."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from boto3.dynamodb.conditions import Key
from emulators import deployed
from rows import Row
from tools import Plan, in_threads, in_turns, ms, timed

from lottery_lib import execution, plan
from lottery_lib.draws import executions, machine_arn, result
from lottery_lib.employees import Roster
from lottery_lib.resources.contents import empty_winners, load_employees
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.resources.sns_topic import Topic
from lottery_lib.target import Target

__all__ = [
    "Drawn",
    "concurrent_draws",
    "draw",
    "first_draws",
    "is_right",
    "languages",
    "roster",
    "warm_draws",
]

WARM_UP = 5
SETTLE_SECONDS = 0.3


@dataclass(frozen=True)
class Drawn:
    """A draw that has ended."""

    arn: str
    seconds: float
    status: str


def draw(target: Target, wanted: int = 1, *, every: float = 0.05, must_succeed: bool = True) -> Drawn:
    """Draw; the seconds are from the execution's own start date to its stop date."""
    arn = execution.start(target, machine_arn(target), {"input": wanted})
    deadline = time.monotonic() + 240
    time.sleep(every)  # each look slows the draw down
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
    """Warm draws in turns: ours, MiniStack's, a hardened one, and the same calls without a workflow."""
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
    what, bare = "Warm draw of one winner", "the same calls, without a workflow"
    first = Row(what, value["ours"], "ms", bare, value["floor"], most=1.5)
    return [first, *_beside(what, value, 1 / 6, "" if theirs else other)]


def languages(plan: Plan) -> list[Row]:
    """Warm draws in turns, in JSONata and in JSONPath. Give them an emulator with no other functions."""
    ours, newer = deployed(), deployed(edition="jsonata")
    measures = {"JSONPath": lambda: draw(ours).seconds, "JSONata": lambda: draw(newer).seconds}
    found = in_turns(measures, plan.draws, warm_up=WARM_UP, before=lambda: settle(ours, newer))
    value = {name: ms(median(seconds)) for name, seconds in found.items()}
    return [Row("Warm draw of one winner, in JSONata", value["JSONata"], "ms", "JSONPath", value["JSONPath"])]


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
    return [Row(what, value["ours"], "ms", most=80), *_beside(what, value, 2 / 3, note)]


def _beside(what: str, value: Mapping[str, float], most: float, note: str) -> list[Row]:
    """Our draw beside MiniStack's, and the hardened draw beside the tutorial's."""
    two = f"{what}, on two emulators"
    return [
        Row(two, value["ours"], "ms", "MiniStack", value.get("theirs"), most=most, note=note),
        Row(f"{what}, hardened", value["hardened"], "ms", "tutorial", value["ours"]),
    ]


def concurrent_draws(plan: Plan) -> list[Row]:
    """Many hardened draws at the same time from one pool of a thousand."""
    target = deployed(edition="hardened")
    load_employees(target, roster(1000))
    begun = time.perf_counter()
    taken = in_threads([lambda: draw(target, every=0.25).seconds for _ in range(plan.concurrent)])
    wall = time.perf_counter() - begun
    lost = plan.concurrent - len(winners(target))
    seconds = [second for second in taken if second is not None]
    who = f"{plan.concurrent} hardened draws at the same time, one lottery"
    return [
        Row(f"{who}: draws without a winner of their own", lost, most=0),
        Row(f"{who}: draw", ms(median(seconds)), "ms"),
        Row(f"{who}: slowest draw", ms(max(seconds)), "ms"),
        Row(f"{who}: draws a second", len(seconds) / wall),
    ]


def bare_calls(target: Target) -> Callable[[], float]:
    """The AWS calls of a draw's functions and states, from this process, with clients that exist already."""
    tables = target.session.resource("dynamodb", endpoint_url=target.endpoint)
    employees, won = tables.Table(target.names.employee_table), tables.Table(target.names.winners_table)
    sns, topic = target.client("sns"), Topic(target, target.names.topic).arn

    def calls() -> None:
        pool = employees.scan(ConsistentRead=True, ProjectionExpression="employee_id, lottery_serial")[
            "Items"
        ]
        won.scan(ConsistentRead=True)
        serial = Key("lottery_serial").eq(pool[0]["lottery_serial"])
        employees.query(IndexName=plan.SERIAL_INDEX.name, KeyConditionExpression=serial)
        key = {"employee_id": pool[0]["employee_id"]}
        won.get_item(Key=key, ConsistentRead=True)
        sns.publish(TopicArn=topic, Message="Congrats!")
        with won.batch_writer() as batch:
            batch.put_item(Item=key)

    return lambda: timed(calls)


def is_right(target: Target, rounds: int) -> bool:
    """Whether the winners of the draws are all different, and the same people as in the table."""
    arns = executions(target)["execution_arn"]
    told = [winner["employee_id"] for arn in arns for winner in result(target, arn)["winners"]]
    return len(told) == rounds and set(told) == winners(target) and len(set(told)) == rounds


def winners(target: Target) -> set[str]:
    """The ids in the table of winners."""
    return {item["employee_id"] for item in Table(target, target.names.winners_table).items()}


def settle(*targets: Target) -> None:
    """Let everyone win again, and wait a moment.

    Without the wait, the bare calls would find this process still warm from the same calls. The processes of
    a draw would be asleep.
    """
    for target in targets:
        empty_winners(target)
    time.sleep(SETTLE_SECONDS)
