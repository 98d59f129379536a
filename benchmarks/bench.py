"""Measure what the emulator promises, side by side in one run: ``make bench``.

Numbers of a machine that does other things as well are worth little by themselves. So whatever is compared
is measured in turns (one of ours, one of theirs), and the table shows medians and their ratio. Writes
``results.md`` and ``results.json`` next to this file; ``--quick`` is a smoke run that keeps nothing.
"""

import argparse
import contextlib
import itertools
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from lottery_lib import Stack, connect, execution
from lottery_lib.draws import executions, forget_winners, machine_arn, result
from lottery_lib.emulator import control
from lottery_lib.resources import dynamodb_table, sns_topic
from lottery_lib.target import Target

HERE = Path(__file__).resolve().parent
#: In an environment of its own, which the Makefile makes.
MINISTACK = Path(sys.prefix, "ministack", "bin", "ministack")
WARM_UP = 5
SETTLE_SECONDS = 0.3
_numbers = itertools.count()


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        what: What was measured.
        value: The median, in ``unit``.
        unit: Such as ``ms``.
        ratio: To what it is compared with, if to anything.
        target: The promise, in words; empty where none was made.
        met: Whether it is kept; None without a promise or a measurement.
        note: Anything else.
    """

    what: str
    value: float | None
    unit: str
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    note: str = ""


@dataclass(frozen=True)
class Plan:
    """How often everything is measured."""

    draws: int = 60
    firsts: int = 7
    starts: int = 5
    imports: int = 9
    attendees: int = 30
    rounds: int = 3


QUICK = Plan(draws=2, firsts=1, starts=1, imports=1, attendees=3, rounds=2)


def main() -> None:
    """Measure, and write or print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, no MiniStack; print, keep nothing")
    quick = parser.parse_args().quick
    about = conditions()
    rows = measured(QUICK if quick else Plan(), with_ministack=not quick)
    about["load_after"] = load()
    if quick:
        print(table(rows))
        return
    (HERE / "results.md").write_text(page(rows, about), "utf-8")
    results = {"conditions": about, "rows": [asdict(row) for row in rows]}
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(page(rows, about))


def measured(plan: Plan, *, with_ministack: bool) -> list[Row]:
    """Every row, in the order of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [*imports(plan), *starts(plan, folder)]
        with emulator(folder / "main"):
            with ministack(folder) if with_ministack else contextlib.nullcontext("not asked for") as other:
                rows = [*draws(plan, other), *first_draws(plan, other), *rows]
            rows += memory()
            rows += attendees(plan)
    return rows + memory_steps()


# The emulators -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def emulator(home: Path) -> Iterator[None]:
    """An emulator of our own for `connect()`, ended afterwards."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(home)
    try:
        yield
    finally:
        control.stop()
        if before is None:
            del os.environ["XDG_STATE_HOME"]
        else:
            os.environ["XDG_STATE_HOME"] = before


@contextlib.contextmanager
def ministack(folder: Path) -> Iterator[str]:
    """The address of a MiniStack of our own; or why there is none."""
    if not MINISTACK.exists():
        yield "MiniStack is not installed"
        return
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (folder / "ministack.log").open("wb") as log:
        process = subprocess.Popen(
            [MINISTACK],
            cwd=folder,
            stdout=log,
            stderr=log,
            env={**os.environ, "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "TMPDIR": str(folder)},
        )
    try:
        yield f"http://127.0.0.1:{port}" if answers(port) else "MiniStack did not answer"
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        _, alive = psutil.wait_procs([psutil.Process(process.pid), *children], timeout=10)
        for stubborn in alive:
            stubborn.kill()
        process.wait()


def answers(port: int) -> bool:
    """Whether something answers at a port within half a minute."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
            return True
        time.sleep(0.1)
    return False


def deployed(where: str = "embedded") -> Target:
    """A new attendee's lottery."""
    target = connect(where, attendee=f"b{next(_numbers)}")
    Stack(target).deploy()
    return target


# What is measured --------------------------------------------------------------------------------------


def draws(plan: Plan, other: str) -> list[Row]:
    """A warm draw of one winner, the same on MiniStack, and the same calls without a workflow, in turns."""
    ours = deployed()
    theirs = deployed(other) if other.startswith("http") else None
    floor = calls_of_a_draw(ours)
    measures = {"ours": lambda: draw(ours), "floor": floor}
    if theirs:
        measures["theirs"] = lambda: draw(theirs)
    found = in_turns(measures, plan.draws, before=lambda: settle(ours, theirs))
    warm, bare = median(found["ours"]), median(found["floor"])
    rows = [
        Row("Warm draw of one winner", ms(warm), "ms"),
        Row("the same calls, without a workflow", ms(bare), "ms", *judged(warm / bare, 2, "times the calls")),
    ]
    if theirs:
        slow = median(found["theirs"])
        return [
            *rows,
            Row("the same on MiniStack", ms(slow), "ms", *judged(warm / slow, 0.25, "of MiniStack's")),
        ]
    return [*rows, Row("the same on MiniStack", None, "ms", note=other)]


def first_draws(plan: Plan, other: str) -> list[Row]:
    """The first draw after a deploy."""
    measures = {"ours": lambda: draw(deployed())}
    if other.startswith("http"):
        measures["theirs"] = lambda: draw(deployed(other))
    found = in_turns(measures, plan.firsts, warm_up=0)
    first = median(found["ours"])
    rows = [Row("First draw after a deploy", ms(first), "ms")]
    if "theirs" not in found:
        return [*rows, Row("the same on MiniStack", None, "ms", note=other)]
    slow = median(found["theirs"])
    judgement = judged(first / slow, 2 / 3, "of MiniStack's")
    return [*rows, Row("the same on MiniStack", ms(slow), "ms", *judgement)]


def starts(plan: Plan, folder: Path) -> list[Row]:
    """From nothing to an emulator that answers, to `connect()`, to the whole lottery."""
    ready, both, again = [], [], []
    for number in range(plan.starts):
        with emulator(folder / f"start-{number}"):
            begun = time.perf_counter()
            control.start()
            ready.append(time.perf_counter() - begun)
            target = connect()
            Stack(target).deploy()
            both.append(time.perf_counter() - begun)
            again += [timed(connect) for _ in range(5)]
    return [
        limited("Emulator ready", median(ready), 1),
        limited("Emulator ready and the whole lottery deployed, from nothing", median(both), 3),
        limited("`connect()` to one that runs", median(again), 0.1),
    ]


def imports(plan: Plan) -> list[Row]:
    """Imports in new processes, in turns."""
    statements = ("import lottery_lib", "from lottery_lib import connect", "from lottery_lib import Stack")
    measures = {text: lambda text=text: imported(text) for text in statements}
    found = in_turns(measures, plan.imports, warm_up=1)
    return [limited(f"`{text}`", median(found[text]), 0.4) for text in statements]


def memory() -> list[Row]:
    """What the emulator that runs, and its workers, have for themselves."""
    process = psutil.Process(control.status()["pid"])
    workers = [megabytes(worker) for worker in process.children()]
    return [
        Row("Memory of the emulator", megabytes(process), "MB", note="what no other process shares (USS)"),
        Row("Memory of a worker", median(workers), "MB", note=f"of {len(workers)}"),
    ]


def memory_steps() -> list[Row]:
    """What the emulator's memory is made of, by loading its parts one after the other."""
    told = subprocess.run([sys.executable, "-c", _STEPS], check=True, capture_output=True, text=True).stdout
    steps = json.loads(told)
    return [Row(f"of which: {name}", size, "MB") for name, size in steps]


_STEPS = """
import gc, json, psutil
from lottery_lib.emulator.wire import Scope
def size():
    gc.collect()
    return psutil.Process().memory_full_info().uss / 2**20
steps, last = [], 0.0
def step(name):
    global last
    now = size(); steps.append((name, now - last)); last = now
step("Python")
import lottery_lib.emulator.front
step("our rooms and boto3")
from lottery_lib.emulator.moto_wire import Moto
moto = Moto(1)
step("moto and Flask")
moto.query(Scope(service="sts"), "GetCallerIdentity", Version="2011-06-15")
moto.query(Scope(service="iam"), "ListRoles", Version="2010-05-08")
step("IAM with AWS's managed policies")
moto.target(Scope(service="states"), "AWSStepFunctions.ListStateMachines", {})
step("Step Functions: its parser, and EC2 and Batch, which it imports")
moto.rest(Scope(service="lambda"), "GET", "/2015-03-31/functions/")
moto.query(Scope(service="sns"), "ListTopics", Version="2010-03-31")
moto.target(Scope(service="dynamodb"), "DynamoDB_20120810.ListTables", {})
moto.target(Scope(service="logs"), "Logs_20140328.DescribeLogGroups", {})
step("Lambda, SNS, DynamoDB, Logs")
print(json.dumps(steps))
"""


def attendees(plan: Plan) -> list[Row]:
    """Everybody draws at the same time on one emulator."""
    process = psutil.Process(control.status()["pid"])
    before = megabytes(process)
    everybody = [deployed() for _ in range(plan.attendees)]
    each = (megabytes(process) - before) / plan.attendees
    busy, begun = cpu(process), time.perf_counter()
    taken = in_threads(everybody, lambda target: [draw(target, every=0.25) for _ in range(plan.rounds)])
    wall = time.perf_counter() - begun
    own, workers = (after - was for after, was in zip(cpu(process), busy, strict=True))
    right = sum(is_right(target, plan.rounds) for target in everybody)
    seconds = [second for several in taken for second in several]
    who = f"{plan.attendees} attendees at once, {plan.rounds} draws each"
    limit = f"emulator {own / wall:.2f} cores, workers {workers / wall:.2f}, of {os.cpu_count()}"
    kept = right == plan.attendees and len(seconds) == plan.attendees * plan.rounds
    return [
        Row(f"{who}: attendees whose every draw is right", right, "", target="all", met=kept),
        Row(f"{who}: median draw", ms(median(seconds)), "ms"),
        Row(f"{who}: slowest draw", ms(max(seconds)), "ms"),
        Row(f"{who}: draws a second", len(seconds) / wall, "", note=limit),
        Row("Memory of the emulator for each attendee", each, "MB"),
    ]


# How it is measured ------------------------------------------------------------------------------------


def draw(target: Target, *, every: float = 0.05) -> float:
    """Draw one winner; the seconds from the execution's start to its end, as it says itself."""
    arn = execution.start(target, machine_arn(target), {"input": 1})
    deadline = time.monotonic() + 120
    time.sleep(every)  # looking takes a part of what is looked at
    while (told := execution.describe(target, arn))["status"] == "RUNNING" and time.monotonic() < deadline:
        time.sleep(every)
    if told["status"] != "SUCCEEDED":
        raise RuntimeError(f"a draw ended {told['status']}: {told}")
    return float((told["stopDate"] - told["startDate"]).total_seconds())


def calls_of_a_draw(target: Target) -> Callable[[], float]:
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


def settle(*targets: Target | None) -> None:
    """Let everyone win again, and everything come to rest.

    The calls alone would else find this process fresh from the same calls, and a draw its own asleep.
    """
    for target in targets:
        if target:
            forget_winners(target)
    time.sleep(SETTLE_SECONDS)


def in_turns(
    measures: dict[str, Callable[[], float]],
    rounds: int,
    *,
    warm_up: int = WARM_UP,
    before: Callable[[], object] = lambda: None,
) -> dict[str, list[float]]:
    """Measure each once, then each again, and so on; the first rounds do not count."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(warm_up + rounds):
        for name, measure in measures.items():
            before()
            seconds = measure()
            if number >= warm_up:
                found[name].append(seconds)
    return found


def in_threads(targets: Sequence[Target], work: Callable[[Target], list[float]]) -> list[list[float]]:
    """Do the same for all at once; what failed leaves an empty list."""
    results: list[list[float]] = [[] for _ in targets]
    together = threading.Barrier(len(targets))

    def run(index: int) -> None:
        together.wait()
        results[index] = work(targets[index])

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(targets))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def timed(action: Callable[[], object]) -> float:
    """How long it takes, in seconds."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def imported(statement: str) -> float:
    """How long an import takes in a new process."""
    code = f"import time; begun = time.perf_counter(); {statement}; print(time.perf_counter() - begun)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)


def megabytes(process: psutil.Process) -> float:
    """Memory that would be free if it ended."""
    return float(process.memory_full_info().uss) / 2**20


def cpu(process: psutil.Process) -> tuple[float, float]:
    """Processor seconds so far: its own, and those of its workers, also of the ended ones."""
    workers = [worker.cpu_times() for worker in process.children()]
    own = process.cpu_times()
    ended = own.children_user + own.children_system
    return own.user + own.system, ended + sum(times.user + times.system for times in workers)


# How it is told ----------------------------------------------------------------------------------------


def ms(seconds: float) -> float:
    """Seconds in milliseconds."""
    return seconds * 1000


def judged(ratio: float, limit: float, of_what: str) -> tuple[float, str, bool]:
    """A ratio, its promise in words, and whether it is kept."""
    return ratio, f"at most {limit:.2g} {of_what}", ratio <= limit


def limited(what: str, seconds: float, limit: float) -> Row:
    """A row whose promise is a time."""
    return Row(what, ms(seconds), "ms", target=f"within {limit:g} s", met=seconds <= limit)


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| what | median | ratio | target | |", "|---|---:|---:|---|---|"]
    for row in rows:
        value = "not measured" if row.value is None else f"{shown(row.value)} {row.unit}".strip()
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        word = {True: "met", False: "**missed**", None: row.note}[row.met]
        note = f"{word}; {row.note}" if row.note and row.met is not None else word
        lines.append(f"| {row.what} | {value} | {ratio} | {row.target} | {note} |")
    return "\n".join(lines) + "\n"


def shown(value: float) -> str:
    """Three digits, and all before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def page(rows: Sequence[Row], about: dict[str, Any]) -> str:
    """The file ``results.md``."""
    return (
        "# What `make bench` measured\n\n"
        "Medians; what is compared was measured in turns, in one run, each after the same pause. A ratio is "
        "our warm (or first) draw divided by the line on which it stands.\n\n"
        f"{table(rows)}\n"
        f"{about['system']}, {about['cores']} cores, Python {about['python']}, moto {about['moto']}, "
        f"boto3 {about['boto3']}; load {about['load_before']:.1f} before, {about['load_after']:.1f} after.\n"
    )


def conditions() -> dict[str, Any]:
    """Where and with what it is measured."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "moto": version("moto"),
        "boto3": version("boto3"),
        "load_before": load(),
    }


def load() -> float:
    """How many processes want a processor, on average over a minute."""
    return psutil.getloadavg()[0]


if __name__ == "__main__":
    main()
