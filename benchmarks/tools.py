"""Measure in turns, in threads, and from other processes."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import psutil

__all__ = ["FULL", "QUICK", "Plan", "cpu", "in_threads", "in_turns", "megabytes", "ms", "python", "timed"]

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """How often to measure each thing."""

    draws: int
    firsts: int
    starts: int
    deploys: int
    imports: int
    attendees: int
    rounds: int
    concurrent: int
    moments: int  # how often to call while the emulator is busy; twice as often to check with a silent board
    drying: dict[int, int]  # how many people have won already: how often to draw
    sizes: dict[int, tuple[int, int]]  # employees: how often to draw from them, hardened and tutorial
    with_ministack: bool


FULL = Plan(
    draws=60,
    firsts=7,
    starts=5,
    deploys=7,
    imports=9,
    attendees=30,
    rounds=3,
    concurrent=20,
    moments=100,
    drying={0: 30, 5: 30, 8: 80},
    sizes={10: (15, 15), 1_000: (15, 15), 100_000: (15, 1)},
    with_ministack=True,
)
QUICK = Plan(
    draws=2,
    firsts=1,
    starts=1,
    deploys=1,
    imports=1,
    attendees=3,
    rounds=2,
    concurrent=3,
    moments=5,
    drying={0: 1, 8: 2},
    sizes={10: (2, 1), 200: (2, 1)},
    with_ministack=False,
)


def in_turns(
    measures: dict[str, Callable[[], T]],
    rounds: int,
    *,
    warm_up: int = 0,
    before: Callable[[], object] = lambda: None,
) -> dict[str, list[T]]:
    """Measure each once, then each again, and so on; the first rounds do not count."""
    found: dict[str, list[T]] = {name: [] for name in measures}
    for number in range(warm_up + rounds):
        for name, measure in measures.items():
            before()
            result = measure()
            if number >= warm_up:
                found[name].append(result)
    return found


def in_threads(works: Sequence[Callable[[], T]]) -> list[T | None]:
    """Run all at the same time; the result of a failed one is None."""
    results: list[T | None] = [None for _ in works]
    together = threading.Barrier(len(works))

    def run(index: int) -> None:
        together.wait()
        results[index] = works[index]()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(works))]
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


def ms(seconds: float) -> float:
    """Seconds in milliseconds."""
    return seconds * 1000


def python(code: str) -> object:
    """What a new process prints, read as JSON."""
    return json.loads(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)


def megabytes(process: psutil.Process) -> float:
    """Memory that is free after the process ends."""
    return float(process.memory_full_info().uss) / 2**20


def cpu(process: psutil.Process) -> tuple[float, float]:
    """Processor seconds so far: its own, and those of all its workers, including those that ended."""
    own, *others = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    ended = own.children_user + own.children_system
    return own.user + own.system, ended + sum(sum(times[:4]) for times in others)
