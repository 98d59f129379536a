"""Measure how long people and calls wait: for the emulator under load, an alarm, a board, and a page."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from xml.etree import ElementTree

import class_board
from emulators import deployed
from histories import LOOP
from IPython.core.interactiveshell import InteractiveShell
from rows import Row
from tools import Plan, in_turns, ms, timed

from lottery_course import check, progress, restore
from lottery_lib import connect, execution, inbox
from lottery_lib.draws import machine_arn
from lottery_lib.target import Target

__all__ = ["alarms", "boards", "checks", "in_browser", "other_calls"]

ROOT = Path(__file__).resolve().parent.parent
MAP = {
    "StartAt": "Map",
    "States": {
        "Map": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Work",
                "States": {"Work": {"Type": "Pass", "End": True}},
            },
            "End": True,
        }
    },
}
TEXT = "x" * 200_000
#: What runs meanwhile: a definition, and the inputs of its executions.
LOADS = {
    "ten endless loops of 200 KB": (LOOP, [{"input": f"{number}{TEXT}"} for number in range(10)]),
    "a Map of 10,000 items": (MAP, [{"items": [*range(10_000)]}]),
}
#: What `tests/browser/figures.py` measures: in which words, and how many milliseconds it may take.
BROWSER = {
    "panel": ("The panel in JupyterLab, from its cell to its graph", 300),
    "border": ("A click on a state: its border", 100),
    "tabs": ("A click on a state: its data", 300),
    "frame": ("The stage with 10,000 names: its script in 99 of 100 frames (slowest prize)", 8),
    "task": ("The stage with 10,000 names: its longest task (slowest prize)", 50),
    "check": ("A guest's page checks 10,000 people and 450 winners", 1000),
}


def other_calls(plan: Plan) -> list[Row]:
    """How long a call takes while executions keep the emulator busy."""
    return [
        Row(f"Another call during {what}", ms(median(_meanwhile(*load, plan.moments))), "ms", most=500)
        for what, load in LOADS.items()
    ]


def _meanwhile(definition: object, inputs: list[dict[str, object]], calls: int) -> list[float]:
    target = deployed()
    states, sns, role = target.client("stepfunctions"), target.client("sns"), _may_start(target)
    given = {"name": "Bench-Load", "definition": json.dumps(definition), "roleArn": role}
    machine = states.create_state_machine(**given)["stateMachineArn"]
    runs = [execution.start(target, machine, each) for each in inputs]
    seconds = []
    while len(seconds) < calls and execution.describe(target, runs[-1])["status"] == "RUNNING":
        seconds.append(timed(sns.list_topics))
        time.sleep(0.1)
    states.delete_state_machine(stateMachineArn=machine)
    return seconds


def _may_start(target: Target) -> str:
    """The role of a lottery's machine, which may now start the children of a Map, too."""
    states, iam = target.client("stepfunctions"), target.client("iam")
    allow = {"Effect": "Allow", "Action": "states:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    given = {"RoleName": target.names.machine_role, "PolicyName": "Bench", "PolicyDocument": document}
    iam.put_role_policy(**given)
    return str(states.describe_state_machine(stateMachineArn=machine_arn(target))["roleArn"])


def alarms(plan: Plan) -> list[Row]:
    """How long after a failed draw its alarm sends a mail. On AWS, it takes one or two minutes."""
    restore(target := connect(), "09")
    found = in_turns({"alarm": partial(_mailed, target, count())}, plan.rounds)
    return [Row("A failed draw: the mail of its alarm", ms(median(found["alarm"])), "ms", most=5000)]


def _mailed(target: Target, number: Iterator[int]) -> float:
    cloudwatch, name = target.client("cloudwatch"), f"Bench-{next(number)}"
    machine = machine_arn(target)
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace="AWS/States", MetricName="ExecutionsFailed",
        Dimensions=[{"Name": "StateMachineArn", "Value": machine}], Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching", AlarmActions=[target.arn("sns", target.names.topic)],
    )  # fmt: skip
    begun = time.perf_counter()
    execution.start(target, machine, {"input": "many"})
    while not any(name in mail.subject for mail in inbox(target).notifications):
        time.sleep(0.05)
    taken = time.perf_counter() - begun
    cloudwatch.delete_alarms(AlarmNames=[name])
    return taken


def checks(plan: Plan) -> list[Row]:
    """How much longer a cell with a check takes if a class's board never answers."""
    InteractiveShell.instance()
    progress.begin("01")

    def checked(address: str) -> float:
        file = progress.joined_file()
        if address:
            values = {"address": address, "code": "K7M4QP", "nickname": "Ann", "secret": "0" * 32}
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(values | {"help": False, "states": {}}))
        else:
            file.unlink(missing_ok=True)
        return timed(lambda: check(1, "x", bool, done="", hint=""))

    with _silent() as address:
        measures = {"alone": partial(checked, ""), "joined": partial(checked, address)}
        found = in_turns(measures, 2 * plan.moments, warm_up=1)
        checked("")
    longer = median(found["joined"]) - median(found["alone"])
    return [Row("`check()` with a board that never answers: longer by", ms(longer), "ms", most=5)]


@contextmanager
def _silent() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def boards(plan: Plan) -> list[Row]:
    """How long the reports of a class take to the instructor's page."""
    people, rows = class_board.PEOPLE, []
    for words, rounds, spread in (("one a second each", plan.rounds * 3, 1), ("all at once", plan.rounds, 0)):
        (found,) = class_board.measured(rounds, spread)
        lost = people * rounds - found.count
        what, note = f"Reports of {people} attendees, {words}", f"{lost} lost" if lost else ""
        rows.append(Row(f"{what}: to the page", found.median, "ms", most=100, note=note))
    return rows


def in_browser(folder: Path) -> list[Row]:
    """What people wait for in a browser."""
    file, found = folder / "figures.xml", dict[str, float]()
    if shutil.which("chromium") or shutil.which("google-chrome"):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:nbval", "-m", "browser"]
        command += ["tests/browser/figures.py", f"--junit-xml={file}", "-o", "junit_family=xunit1"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
        for each in ElementTree.parse(file).iter("property"):
            name = each.attrib["name"]
            found[name] = max(found.get(name, 0), float(each.attrib["value"]))
    note = "" if found else "no Chromium here"
    return [
        Row(what, found[name] if found else None, "ms", most=most, note=note)
        for name, (what, most) in BROWSER.items()
    ]
