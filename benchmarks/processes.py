"""Measure processes: how long they take to start, and their memory."""

from pathlib import Path
from statistics import median

import psutil
from emulators import emulator
from rows import Row
from tools import Plan, in_turns, megabytes, ms, python, timed

from lottery_lib import Stack, connect
from sfn_emulator import control

__all__ = ["imports", "memory", "starts"]


def starts(plan: Plan, folder: Path) -> list[Row]:
    """The time until an emulator answers, until the lottery is deployed, and for `connect()`."""
    ready, both, again = [], [], []
    for number in range(plan.starts):
        with emulator(folder / f"start-{number}"):
            ready.append(timed(control.start))
            both.append(ready[-1] + timed(lambda: Stack(connect()).deploy()))
            again += [timed(connect) for _ in range(5)]
    return [
        Row("Emulator ready", ms(median(ready)), "ms", most=300, note="it answers; moto loads after that"),
        Row("Emulator started and the whole lottery deployed", ms(median(both)), "ms", most=3000),
        Row("`connect()` to a running emulator", ms(median(again)), "ms", most=100),
    ]


def imports(plan: Plan) -> list[Row]:
    """Imports in new processes, in turns."""
    statements = ("import lottery_lib", "from lottery_lib import connect", "from lottery_lib import Stack")
    found = in_turns({text: lambda text=text: imported(text) for text in statements}, plan.imports, warm_up=1)
    return [Row(f"`{text}`", ms(median(found[text])), "ms", most=400) for text in statements]


def imported(statement: str) -> float:
    """How long an import takes in a new process."""
    return python(
        f"import time; begun = time.perf_counter(); {statement}; print(time.perf_counter() - begun)"
    )


def memory() -> list[Row]:
    """The memory of the running emulator and its workers."""
    process = psutil.Process(control.status()["pid"])
    workers = [megabytes(worker) for worker in process.children(recursive=True)]
    return [
        Row(
            "Memory of the emulator",
            megabytes(process),
            "MB",
            most=160,
            note="memory that no other process shares (USS)",
        ),
        Row("Memory of a worker", median(workers), "MB", note=f"{len(workers)} workers"),
    ]
