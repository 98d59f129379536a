"""Histories for tests: recorded ones (AWS's, and those of the kit's emulator as ``moto_``), and made ones."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lottery_lib.history import Reader

DATA = Path(__file__).parent / "data"
HISTORIES = sorted(path.stem for path in DATA.glob("*.json"))
START = datetime(2026, 1, 15, 9, tzinfo=UTC)


def history(name):
    events = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return [event | {"timestamp": datetime.fromisoformat(event["timestamp"])} for event in events]


def event(number, previous, kind, *, ms=0, **details):
    made = {"id": number, "previousEventId": previous, "type": kind}
    made["timestamp"] = START + timedelta(milliseconds=ms)
    for what in ("StateEntered", "StateExited"):
        if kind.endswith(what):
            return made | {f"s{what[1:]}EventDetails": details}
    return made | {f"{kind[0].lower()}{kind[1:]}EventDetails": details}


def chain(*steps):
    """Events that follow each other. AWS gives the first state the previous event 0."""
    first = 2 if steps[0][0] == "ExecutionStarted" else 1
    return [
        event(n, n - 1 if n > first else 0, kind, ms=n, **more) for n, (kind, more) in enumerate(steps, 1)
    ]


def statuses_of(events):
    """The status of each state."""
    return {name: run.last.status for name, run in Reader(events).latest().items()}


def attempts_of(events):
    """How many attempts each state has had since it was last entered."""
    return {name: len(run.attempts) for name, run in Reader(events).latest().items()}


def why(events):
    """Why the execution ended."""
    return Reader(events).failure()
