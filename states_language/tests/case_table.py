"""Run a row of a table of cases, and see what it gives.

A row is one line of ``measured.jsonl`` or ``cases.jsonl``. `observed` runs it and returns what its
``expected`` names: no more, so that a test compares the two as they are.

    {"expression": ...}                                 `jsonata.evaluate`
    {"definition": ..., "state": NAME, "mock": ...}     `StateTest`
    {"definition": ..., "expected": {"diagnostics"}}    `diagnostics`
    {"definition": ..., "tasks": ..., "do": [...]}      `Machine`, in virtual time
"""

import json
import re
from pathlib import Path
from typing import Any

from states_language import diagnostics
from states_language.jsonata import EvaluationError, evaluate
from states_language.machine import Error, Machine, Run, Slow, Token
from states_language.state_test import Mock, StateTest

Row = dict[str, Any]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def rows(name: str) -> list[Row]:
    """The rows of a table beside this file."""
    return [json.loads(line) for line in Path(__file__).with_name(name).read_text("utf-8").splitlines()]


def observed(row: Row) -> Row:
    """What a row gives, under the names that its ``expected`` has."""
    wanted = row["expected"]
    if "expression" in row:
        return _expression(row)
    if "expressions" in row:
        return {"codes": [_expression(row | {"expression": each}).get("code") for each in row["expressions"]]}
    if "state" in row:
        return {name: value for name, value in _state(row).items() if name in wanted}
    if wanted.keys() & {"diagnostics", "messages", "codes"}:
        found = diagnostics(json.dumps(row["definition"]), express=row.get("type") == "EXPRESS")
        all_of_them = {
            "diagnostics": [[it.code, it.message, it.location] for it in found],
            "messages": [it.message for it in found],
            "codes": [it.code for it in found],
        }
        return {name: all_of_them[name] for name in wanted}
    run = _run(row)
    return {name: _READ[name](run, value) for name, value in wanted.items()}


def _expression(row: Row) -> Row:
    try:
        return {"value": evaluate(row["expression"], {"states": {"input": row.get("input")}})}
    except EvaluationError as error:
        text = _UUID.sub("<uuid>", str(error))
        code = re.search(r"[A-Z]\d{4}", text)
        return {"code": code and code[0]} if "codes" in row["expected"] else {"error": text}


def _state(row: Row) -> Row:
    mock = Mock(**row["mock"]) if "mock" in row else None
    test = StateTest(row["definition"], row["state"], row.get("input", {}), {}, {}, mock)
    test.begin()
    return test.reply or {}


def _run(row: Row) -> Run:
    tasks = {name: _answer(answer) for name, answer in row.get("tasks", {}).items()}
    machine = Machine(
        row["definition"], tasks=tasks, files=row.get("files"), type=row.get("type", "STANDARD")
    )
    run = machine.start(row.get("input", {}))
    for what, *values in row.get("do", [["finish"]]):
        if what in {"success", "failure", "heartbeat"}:
            getattr(run.token(values[0]), what)(*values[1:])
        else:
            getattr(run, what)(*values)
    return run


def _answer(answer: Any) -> Any:
    """What a task answers: ``output``, ``error``, ``letters`` (a long text), ``token``; ``after`` a time."""
    match answer:
        case list():
            return [_answer(each) for each in answer]
        case {"after": time, **others}:
            return Slow(time, _answer(others or {"output": {}}))
        case {"error": [*named]}:
            return Error(*named)
        case {"letters": number}:
            return "x" * number
        case {"token": True}:
            return Token()
    return answer["output"]


def _details(event: Row) -> Any:
    return next((value for name, value in event.items() if name.endswith("EventDetails")), None)


def _chain(events: list[Row]) -> list[list[Any]]:
    return [[event["type"], event["previousEventId"]] for event in events]


def _all_details(run: Run, wanted: Row) -> Row:
    found = {kind: [_details(event) for event in run.events if event["type"] == kind] for kind in wanted}
    return json.loads(_UUID.sub("<uuid>", json.dumps(found)))


def _times(run: Run, wanted: Row) -> Row:
    begin = run.events[0]["timestamp"]
    return {
        kind: [event["timestamp"] - begin for event in run.events if event["type"] == kind] for kind in wanted
    }


_READ = {
    "status": lambda run, _: run.status,
    "output": lambda run, _: run.output,
    "error": lambda run, _: run.error,
    "cause": lambda run, _: run.cause,
    "path": lambda run, _: run.path,
    # All events, as [type, previousEventId]; their ids are 1, 2, 3 and so on.
    "events": lambda run, _: _chain(run.events),
    "first": lambda run, wanted: _chain(run.events[: len(wanted)]),
    "last": lambda run, wanted: _chain(run.events[-len(wanted) :]),
    "count": lambda run, _: len(run.events),
    "absent": lambda run, wanted: [kind for kind in wanted if kind not in {it["type"] for it in run.events}],
    # The details of all events of a type, in order. A UUID is written as <uuid>.
    "details": _all_details,
    # When the events of a type were written, in seconds since the start.
    "times": _times,
    "took": lambda run, _: run.events[-1]["timestamp"] - run.events[0]["timestamp"],
    "at most": lambda run, wanted: max(wanted, run.events[-1]["timestamp"] - run.events[0]["timestamp"]),
    "attempts": lambda run, wanted: {state: run.attempts(state) for state in wanted},
    "inputs": lambda run, wanted: {state: run.input_of(state) for state in wanted},
    "text": lambda run, _: _details(run.events[-1])["output"],
    # Of each child of a Distributed Map.
    "children": lambda run, _: [[child.status, child.execution.input] for child in run.children],
    "of a child": lambda run, _: _chain(run.children[0].events),
    "of the context": lambda run, _: None,
}
