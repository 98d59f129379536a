"""Run a row of a table of cases, and see what it gives.

A row is a line of ``measured.jsonl`` or ``cases.jsonl``. It has one of these cases:

    expression, input               `jsonata.evaluate`; ``expressions`` are several
    definition, state, input, mock  `StateTest`
    definition                      `diagnostics`, if that is what it expects
    definition, input, tasks,       `Machine`: what tasks answer, which files it reads, what happens to the
    files, do                       run in virtual time; by default, it finishes

`observed` returns what ``expected`` names, and no more. Events are ``[type, previousEventId]``; their ids are
1, 2, 3 and so on.
"""

import json
import re
from pathlib import Path
from typing import Any

from states_language import diagnostics
from states_language.jsonata import EvaluationError, evaluate
from states_language.machine import Error, Machine, Run, Slow, Token
from states_language.one_state import Mock, StateTest

Row = dict[str, Any]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def rows(name: str) -> list[Row]:
    """The rows of a table beside this file."""
    return [json.loads(line) for line in Path(__file__).with_name(name).read_text("utf-8").splitlines()]


def text(found: Row) -> str:
    """What was observed or expected, so that 1, 1.0 and true differ."""
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False)


def observed(row: Row) -> Row:
    """What a row gives, under the names that its ``expected`` has."""
    if "expressions" in row:
        return {"codes": [_expression(row | {"expression": each}).get("code") for each in row["expressions"]]}
    if "expression" in row:
        found = _expression(row)
    elif "state" in row:
        found = _state(row)
    elif row["expected"].keys() & {"diagnostics", "messages", "codes"}:
        found = _diagnostics(row["definition"])
    else:
        run = run_of(row)
        return {name: _READ[name](run, wanted) for name, wanted in row["expected"].items()}
    return {name: found.get(name) for name in row["expected"]}


def _expression(row: Row) -> Row:
    try:
        return {"value": evaluate(row["expression"], {"states": {"input": row.get("input")}})}
    except EvaluationError as error:
        told = _UUID.sub("<uuid>", str(error))
        code = re.search(r"[A-Z]\d{4}", told)
        return {"error": told, "code": code and code[0]}


def _state(row: Row) -> Row:
    mock = Mock(**row["mock"]) if "mock" in row else None
    test = StateTest(row["definition"], row["state"], row.get("input", {}), {}, {}, mock)
    test.begin()
    return test.reply or {}


def _diagnostics(definition: Row) -> Row:
    found = diagnostics(json.dumps(definition))
    return {
        "diagnostics": [[it.code, it.message, it.location] for it in found],
        "messages": [it.message for it in found],
        "codes": [it.code for it in found],
    }


def run_of(row: Row) -> Run:
    """The run of a row that has a whole machine."""
    tasks = {name: _answer(answer) for name, answer in row.get("tasks", {}).items()}
    run = Machine(row["definition"], tasks=tasks, files=row.get("files")).start(row.get("input", {}))
    for what, *values in row.get("do", [["finish"]]):
        if what in {"success", "failure", "heartbeat"}:
            getattr(run.token(values[0]), what)(*values[1:])
        else:
            getattr(run, what)(*values)
    return run


def _answer(answer: Any) -> Any:
    """What a task answers: an output, an error, a long text, or only a token; perhaps after some time."""
    match answer:
        case list():
            return [_answer(each) for each in answer]
        case {"after": time, **others}:
            return Slow(time, _answer(others or {"output": {}}))
        case {"error": [*name_and_cause]}:
            return Error(*name_and_cause)
        case {"letters": number}:
            return "x" * number
        case {"token": True}:
            return Token()
    return answer["output"]


def _chain(events: list[Row]) -> list[list[Any]]:
    return [[event["type"], event["previousEventId"]] for event in events]


def _details(event: Row) -> Any:
    return next((value for name, value in event.items() if name.endswith("EventDetails")), None)


def _since_start(run: Run, event: Row) -> float:
    seconds = event["timestamp"] - run.events[0]["timestamp"]
    return int(seconds) if seconds.is_integer() else seconds


def _of_each(read: Any) -> Any:
    """Something of all events of some types."""
    return lambda run, kinds: {
        kind: [read(run, event) for event in run.events if event["type"] == kind] for kind in kinds
    }


def _without_ids(value: Any) -> Any:
    return json.loads(_UUID.sub("<uuid>", json.dumps(value)))


_READ = {
    "status": lambda run, _: run.status,
    "output": lambda run, _: run.output,
    "text": lambda run, _: _details(run.events[-1])["output"],  # the output as it is written
    "error": lambda run, _: run.error,
    "cause": lambda run, _: run.cause,
    "path": lambda run, _: run.path,
    "attempts": lambda run, wanted: {state: run.attempts(state) for state in wanted},
    "events": lambda run, _: _chain(run.events),
    "first": lambda run, wanted: _chain(run.events[: len(wanted)]),
    "last": lambda run, wanted: _chain(run.events[-len(wanted) :]),
    "count": lambda run, _: len(run.events),
    "absent": lambda run, wanted: [kind for kind in wanted if kind not in {it["type"] for it in run.events}],
    "details": _of_each(lambda _, event: _without_ids(_details(event))),
    "times": _of_each(_since_start),  # in seconds
    "took": lambda run, _: _since_start(run, run.events[-1]),
    "took at most": lambda run, wanted: max(wanted, _since_start(run, run.events[-1])),
    "children": lambda run, _: [[child.status, child.execution.input] for child in run.children],
    "events of a child": lambda run, _: _chain(run.children[0].events),
}
