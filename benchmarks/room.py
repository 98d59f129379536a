"""Measure a room: every attendee draws from a lottery of their own, all at the same time, on one emulator.

The command line deploys each lottery, with ``LOTTERY_ATTENDEE``. After that, nothing of the kit is used:
each attendee is a thread with a client of plain boto3. Run it alone with ``python benchmarks/room.py``.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import boto3
import psutil
from draws import is_right
from emulators import emulator
from rows import Row, table
from tools import cpu, in_threads, ms

from lottery_lib import connect
from lottery_lib.draws import machine_arn
from lottery_lib.target import Target
from sfn_emulator import control

__all__ = ["room"]

#: An attendee looks so often whether the draw has ended. Each look slows the others down.
LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Attendee:
    """One of the room: a client, the ARN of the machine, and how often to draw."""

    client: Any
    machine: str
    draws: int

    def draw(self) -> list[float]:
        """The seconds of each draw, from the call of StartExecution to the end of the execution."""
        return [self._once() for _ in range(self.draws)]

    def _once(self) -> float:
        begun = time.time()
        started = self.client.start_execution(stateMachineArn=self.machine, input='{"input": 1}')
        while True:
            time.sleep(LOOK_SECONDS)
            told = self.client.describe_execution(executionArn=started["executionArn"])
            if told["status"] != "RUNNING":
                return float(told["stopDate"].timestamp()) - begun


def room(attendees: int, draws: int) -> list[Row]:
    """Deploy, draw, and look at the emulator: it must run already."""
    names = [f"room{number}" for number in range(attendees)]
    for name in names:
        subprocess.run(
            [sys.executable, "-m", "lottery_lib", "deploy", "--json"],
            env=os.environ | {"LOTTERY_ATTENDEE": name},
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    targets = [connect("embedded", attendee=name) for name in names]
    everybody = [Attendee(_client(target), machine_arn(target), draws) for target in targets]
    process = psutil.Process(control.status()["pid"])
    before, begun = cpu(process), time.perf_counter()
    taken = in_threads([each.draw for each in everybody])
    wall = time.perf_counter() - begun
    own, workers = (after - was for after, was in zip(cpu(process), before, strict=True))
    seconds = [second for several in taken for second in several or []]
    family = [process, *process.children(recursive=True)]
    memory = sum(each.memory_full_info().pss for each in family) / 2**20  # memory that they share counts once
    wrong = attendees - sum(is_right(target, draws) for target in targets)
    limit = f"emulator {own / wall:.2f}, workers {workers / wall:.2f} of {os.cpu_count()} cores"
    who = f"{attendees} attendees at the same time, {draws} draws each"
    return [
        Row(f"{who}: attendees with a wrong draw", wrong, most=0),
        Row(f"{who}: draws a second", len(seconds) / wall, least=15, note=limit),
        Row(f"{who}: draw", ms(median(seconds)), "ms"),
        Row(f"{who}: 95 of 100 draws", ms(quantiles(seconds, n=20)[-1]), "ms", most=3000),
        Row(
            f"{who}: memory", memory, "MB", most=400, note=f"PSS of {len(family)} processes, after the draws"
        ),
    ]


def _client(target: Target) -> Any:
    key = {"aws_access_key_id": target.access_key, "aws_secret_access_key": "test"}
    session = boto3.session.Session(region_name="us-east-1", **key)
    return session.client("stepfunctions", endpoint_url=target.endpoint)


def main() -> None:
    """Measure one room on an emulator of its own, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attendees", type=int, default=30)
    parser.add_argument("--draws", type=int, default=3, help="draws of each attendee")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, emulator(Path(folder)):
        control.start()
        print(table(room(asked.attendees, asked.draws)))


if __name__ == "__main__":
    main()
