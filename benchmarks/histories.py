"""Measure the longest possible history: read it, make tables, draw it."""

import json
import time
from statistics import median

from emulators import deployed
from rows import Row
from tools import Plan, ms, timed

from lottery_lib import execution, graph_view
from lottery_lib.draws import machine_arn
from lottery_lib.history import Reader
from lottery_lib.tables import event_table, state_table
from lottery_lib.view.timeline import timeline_of

__all__ = ["longest_history"]

LOOP = {
    "StartAt": "Count",
    "States": {
        "Count": {"Type": "Pass", "Next": "Again"},
        "Again": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.input", "IsPresent": True, "Next": "Count"}],
            "Default": "Done",
        },
        "Done": {"Type": "Succeed"},
    },
}


def longest_history(_: Plan) -> list[Row]:
    """Run an endless loop, which ends at 25,000 events."""
    target = deployed()
    states = target.client("stepfunctions")
    role = states.describe_state_machine(stateMachineArn=machine_arn(target))["roleArn"]
    arn = states.create_state_machine(name="Bench-Loop", definition=json.dumps(LOOP), roleArn=role)
    begun = time.perf_counter()
    run = execution.start(target, arn["stateMachineArn"], {"input": 1})
    execution.wait(target, run, seconds=300)
    made = time.perf_counter() - begun
    page = timed(lambda: states.get_execution_history(executionArn=run, maxResults=1000))
    read = timed(lambda: execution.history(target, run))
    events = execution.history(target, run)
    states.delete_state_machine(stateMachineArn=arn["stateMachineArn"])
    shown = {
        "`state_table`": lambda: state_table(events),
        "`event_table`": lambda: event_table(events),
        "timeline": lambda: timeline_of(Reader(events)).html,
        "graph": lambda: graph_view(LOOP, events=events).html,
    }
    what = f"History of {len(events):,} events"
    return [
        Row(f"{what}: first page of 1,000", ms(page), "ms", most=250),
        Row(f"{what}: all pages", read, "s", "the run that made them", made, most=4),
        *(Row(f"{what}: {name}", median(_three(make)), "s", most=1) for name, make in shown.items()),
    ]


def _three(make: object) -> list[float]:
    return [timed(make) for _ in range(3)]
