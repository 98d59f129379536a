"""Compute what a run costs on AWS, from the calls that it makes: ``make cost``.

A run is a deploy with one subscription, a draw of two, a look at the winners, and a teardown. A separate
emulator records every request that reaches it, including those of the functions and the state machine. What
AWS bills for them is multiplied with its prices. The same is done for all lessons, with the
solutions of their exercises. Writes ``cost.md`` and ``cost.json`` next to this file.
"""

import argparse
import json
import math
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat

from lottery_course.notebooks import NOTEBOOKS_FOLDER, notebooks, run
from lottery_lib import Stack, connect, draw, execution, inbox, winners
from lottery_lib.draws import last_execution
from lottery_lib.history import Reader
from lottery_lib.names import Names
from lottery_lib.plan import SERIAL_INDEX
from lottery_lib.resources.lambda_function import Function
from lottery_lib.target import elsewhere
from lottery_lib.waiting import Waiter
from sfn_emulator import control

HERE = Path(__file__).resolve().parent
#: The prices come from the newest copies of these pages that we found, or from pages that quote them.
#: DynamoDB's prices are of July 2025.
DATE = "June 2026"
REGION = "us-east-1"
#: US dollars for one, on demand, without any free tier, and the page that says so.
PRICES = {
    "state transitions": (0.025 / 1000, "aws.amazon.com/step-functions/pricing"),
    "Lambda requests": (0.20 / 1e6, "aws.amazon.com/lambda/pricing"),
    "Lambda GB-seconds": (0.0000166667, "aws.amazon.com/lambda/pricing"),
    "DynamoDB read request units": (0.125 / 1e6, "aws.amazon.com/dynamodb/pricing/on-demand"),
    "DynamoDB write request units": (0.625 / 1e6, "aws.amazon.com/dynamodb/pricing/on-demand"),
    "SNS requests": (0.50 / 1e6, "aws.amazon.com/sns/pricing"),
    "SNS e-mails": (2.00 / 100_000, "aws.amazon.com/sns/pricing"),
    "log bytes": (0.50 / 1e9, "aws.amazon.com/cloudwatch/pricing"),
}
#: A GB for a month: of a table with its index, and of logs.
STORED = {"table bytes": 0.25 / 1e9, "log bytes": 0.03 / 1e9}
#: Nobody has run it on AWS, so we count each call as a cold start that imports boto3. AWS bills cold starts.
SECONDS_A_CALL = 1.0
GB = Function(elsewhere("123456789012", "us-east-1", Names()), "").configuration["MemorySize"] / 1024
#: What CloudWatch Logs and DynamoDB add to the bytes of each event and each item.
EVENT_BYTES, ITEM_BYTES = 26, 100
#: AWS ends an execution at this many events. The others are for one round of the tutorial's loop.
MOST_EVENTS, ROUND_EVENTS, ROUND_TRANSITIONS = 25_000, 12, 3
ATTENDEES, DRAWS = 30, 20
#: The lessons that make more by hand, and what their alarm costs in a month.
LESSONS = ("09", "11", "14", "18")
ALARM = 0.10
Line = Mapping[str, Any]
Item = Mapping[str, Mapping[str, str]]


def serve(port: int, file: Path) -> int:
    """Run an emulator that records its requests and its replies."""
    from sfn_emulator import server  # noqa: PLC0415 (moto takes a while to import)
    from sfn_emulator.routing import Router  # noqa: PLC0415

    answer = Router.answer

    def noted(self: Router, request: Any) -> Any:
        reply = answer(self, request)
        is_json = request.scope.service == "dynamodb"
        line = {
            "service": request.scope.service,
            "operation": request.operation or f"{request.method} {request.path}",
            "given": request.json if is_json else {},
            "told": reply.json if is_json and reply.ok else {},
        }
        with file.open("a", encoding="utf-8") as notes:
            notes.write(json.dumps(line) + "\n")
        return reply

    Router.answer = noted
    return server.run(port, os.getppid())


def measure(folder: Path, lessons: Sequence[str] = ()) -> dict[str, Any]:
    """Do a run, and return what AWS would bill for each part of it.

    Args:
        folder: Where emulators keep their files (``XDG_STATE_HOME``).
        lessons: Which lessons to run after it.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port, file = free.getsockname()[1], folder / "calls"
    command = [sys.executable, __file__, "--serve", str(port), "--notes", str(file)]
    with subprocess.Popen(command) as emulator:
        try:
            where = Waiter().until(
                "the emulator to answer", lambda: control.status(port)["endpoint"], seconds=60
            )
            return _run(where, file) | {"lessons": {each: _lesson(where, file, each) for each in lessons}}
        finally:
            emulator.terminate()


def _run(where: str, file: Path) -> dict[str, Any]:
    target, address = connect(where, attendee="cost"), "ann@example.com"
    stack, bills, parts = Stack(target), Bills(file), {}
    stack.deploy(address)
    inbox(target).confirm(address)
    confirmations = len(inbox(target).mails)
    parts["deploy"] = bills.next() | {"SNS e-mails": confirmations}
    assert draw(target, 2)["status"] == "SUCCEEDED"
    assert len(winners(target)) == 2
    events = execution.history(target, last_execution(target))
    mails = {"SNS e-mails": len(inbox(target).mails) - confirmations}
    logged, took = _logs(target)
    drawn = {"state transitions": Reader(events).transitions(), "log bytes": logged}
    parts["draw"] = bills.next() | drawn | mails
    stored = {"table bytes": bills.table_bytes, "log bytes": logged}
    assert stack.teardown().left == []
    parts["teardown"] = bills.next()
    return {"parts": parts, "stored": stored, "emulator_ms": took}


def _lesson(where: str, file: Path, number: str) -> dict[str, float]:
    """Run a lesson with the solutions of its exercises; what AWS would bill for it, with its preparation."""
    (path,) = NOTEBOOKS_FOLDER.glob(f"{number}_*.ipynb")
    notebook, bills = nbformat.read(path, as_version=4), Bills(file)
    bills.next()
    for cell in notebook.cells:
        if "solution" in cell.metadata.get("tags", []):
            code = cell.source.partition("```python\n")[2].partition("\n```")[0]
            cell.update(nbformat.v4.new_code_cell(code))
    os.environ |= {"LOTTERY_TARGET": where, "LOTTERY_ATTENDEE": "cost"}
    assert run(notebook, file.parent) is None
    target = connect(where, attendee="cost")
    states, logs = target.client("stepfunctions"), target.client("logs")
    listed = _all(states, "list_state_machines", "stateMachines")
    machines = [each for each in listed if each["type"] == "STANDARD"]
    executed = [
        each["executionArn"]
        for machine in machines
        for each in _all(states, "list_executions", "executions", stateMachineArn=machine["stateMachineArn"])
    ]
    started = 0  # AWS also bills the start of each child of a Distributed Map
    for arn in [*executed]:
        for map_run in _all(states, "list_map_runs", "mapRuns", executionArn=arn):
            children = _all(states, "list_executions", "executions", mapRunArn=map_run["mapRunArn"])
            executed += [each["executionArn"] for each in children]
            started += len(children)
    entered = started + sum(Reader(execution.history(target, arn)).transitions() for arn in executed)
    groups = _all(logs, "describe_log_groups", "logGroups")
    events = [
        event
        for group in groups
        for event in _all(logs, "filter_log_events", "events", logGroupName=group["logGroupName"])
    ]
    logged = sum(len(event["message"].encode()) + EVENT_BYTES for event in events)
    mails = {"SNS e-mails": len(inbox(target).mails)}
    return bills.next() | {"state transitions": entered, "log bytes": logged} | mails


def _all(client: Any, operation: str, key: str, **parameters: Any) -> list[Any]:
    if not client.can_paginate(operation):
        return list(getattr(client, operation)(**parameters)[key])
    return [each for page in client.get_paginator(operation).paginate(**parameters) for each in page[key]]


class Bills:
    """What AWS bills for the calls that were recorded since the last ``next``."""

    def __init__(self, file: Path) -> None:
        self._file, self._read = file, 0
        self.table_bytes = 0

    def next(self) -> dict[str, float]:
        """Quantities by what is billed."""
        lines = self._file.read_text(encoding="utf-8").splitlines()
        billed: Counter[str] = Counter()
        for line in map(json.loads, lines[self._read :]):
            for what, quantity in self._billed(line):
                billed[what] += quantity
        self._read = len(lines)
        return dict(billed)

    def _billed(self, line: Line) -> Iterator[tuple[str, float]]:
        match line["service"], line["operation"]:
            case "lambda", operation if operation.endswith("/invocations"):
                yield "Lambda requests", 1
                yield "Lambda GB-seconds", SECONDS_A_CALL * GB
            case "sns", operation if "/" not in operation:  # the mailbox is the emulator's, and costs nothing
                yield "SNS requests", 1
            case "dynamodb", "Scan" | "Query" | "GetItem":
                yield "DynamoDB read request units", _read_units(line)
            case "dynamodb", "BatchWriteItem":
                yield "DynamoDB write request units", self._write_units(line["given"])
            case "dynamodb", "BatchGetItem":
                items = [each for found in line["told"]["Responses"].values() for each in found]
                units = sum(max(1, math.ceil(_size(each) / 4096)) for each in items)
                yield "DynamoDB read request units", units
            case "dynamodb", "PutItem" | "DeleteItem" | "UpdateItem":
                item = line["given"].get("Item", {})
                units = max(1, math.ceil(_size(item) / 1024))
                yield "DynamoDB write request units", units * _copies(line["given"]["TableName"], item)
            case "dynamodb", "TransactWriteItems":  # prepared, then written
                yield "DynamoDB write request units", 2 * len(line["given"]["TransactItems"])
            case "dynamodb", "TransactGetItems":
                yield "DynamoDB read request units", 2 * len(line["given"]["TransactItems"])

    def _write_units(self, given: Line) -> int:
        units = 0
        for table, requests in given["RequestItems"].items():
            for request in requests:
                item = request.get("PutRequest", {}).get("Item", {})
                size, copies = _size(item), _copies(table, item)
                units += max(1, math.ceil(size / 1024)) * copies
                self.table_bytes += (size + ITEM_BYTES) * copies
        return units


def _copies(table: str, item: Item) -> int:
    """How often an item is written: into the table and, if it has a serial, into the index of employees.

    Of a deleted item only the key is known. In lesson 04 the index comes after the items. DynamoDB writes
    them into it then, for the same price.
    """
    is_in_index = not item or SERIAL_INDEX.key in item
    return 2 if table.startswith(Names().employee_table) and is_in_index else 1


def _read_units(line: Line) -> float:
    told = line["told"]
    size = sum(map(_size, told.get("Items", [told.get("Item", {})])))
    return max(1, math.ceil(size / 4096)) * (1 if line["given"].get("ConsistentRead") else 0.5)


def _size(item: Item) -> int:
    """Bytes of an item, about as DynamoDB counts them (for a number it counts half of the digits)."""
    return sum(len(name.encode()) + len(str(*value.values()).encode()) for name, value in item.items())


def _logs(target: Any) -> tuple[int, int]:
    """Bytes that AWS would take in for the functions' logs, and the milliseconds billed by the emulator."""
    texts = [
        event["message"]
        for name in target.names.functions.values()
        for page in target.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=target.names.log_group(name))
        for event in page["events"]
    ]
    billed = re.findall(r"Billed Duration: (\d+) ms", "".join(texts))
    return sum(len(text.encode()) + EVENT_BYTES for text in texts), sum(map(int, billed))


def dollars(quantities: Mapping[str, float]) -> float:
    return sum(quantity * PRICES[what][0] for what, quantity in quantities.items())


def added(*parts: Mapping[str, float]) -> dict[str, float]:
    return {what: sum(part.get(what, 0) for part in parts) for what in PRICES}


def summary(measured: Mapping[str, Any]) -> dict[str, float]:
    """The US dollars that the README quotes."""
    parts = measured["parts"]
    standing = sum(quantity * STORED[what] for what, quantity in measured["stored"].items())
    once = dollars(added(parts["deploy"], parts["teardown"]))
    rounds = MOST_EVENTS / ROUND_EVENTS
    # Two functions a round: the one that chooses reads both tables, the one that looks reads each of two.
    loop = {"state transitions": ROUND_TRANSITIONS, "Lambda requests": 2, "DynamoDB read request units": 4}
    loop["Lambda GB-seconds"] = 2 * SECONDS_A_CALL * GB
    lessons = {f"lesson {number}": dollars(each) for number, each in measured["lessons"].items()}
    return lessons | {
        "run": dollars(added(*parts.values())),
        "draw": dollars(parts["draw"]),
        "room": ATTENDEES * (once + DRAWS * dollars(parts["draw"])),
        "month": standing,
        "loop": rounds * dollars(loop),
    }


def table(measured: Mapping[str, Any]) -> str:
    """The page: quantities by part, prices, and sums."""
    parts, total = measured["parts"], added(*measured["parts"].values())
    rows = [
        f"| {what} | {' | '.join(_count(parts[part].get(what, 0)) for part in parts)} | "
        f"{price * 1e6:,.4g} | {total[what] * price:.7f} |"
        for what, (price, _) in PRICES.items()
    ]
    each = summary(measured)
    lessons = {name: cost for name, cost in each.items() if "lesson" in name}
    rows_of_lessons = [
        f"| lesson {number} with its solutions | {lessons[f'lesson {number}']:.4f} |" for number in LESSONS
    ]
    rows_of_lessons.append(f"| all lessons with their solutions | {sum(lessons.values()):.2f} |")
    took = measured["emulator_ms"]
    sources = sorted({source for _, source in PRICES.values()})
    return f"""# What a run costs on AWS

A run is a deploy with one subscription, a draw of two, a look at the winners, and a teardown. `make cost`
does this run on the emulator and counts what AWS bills for it. Then it multiplies the counts with AWS's
prices of {DATE} in {REGION}. All amounts are in US dollars, on demand, **without any free tier**. Nobody
has been billed for such a run yet, because the kit has never run on AWS.

| billed | deploy | draw | teardown | $ a million | $ |
|---|---:|---:|---:|---:|---:|
{chr(10).join(rows)}
| **all** | {" | ".join(f"{dollars(parts[part]):.6f}" for part in parts)} | | **{each["run"]:.6f}** |

| | $ |
|---|---:|
| one more draw | {each["draw"]:.6f} |
| {ATTENDEES} attendees, {DRAWS} draws each | {each["room"]:.2f} |
| one month without draws, with the data of one draw | {each["month"]:.8f} |
| an endless loop, until AWS ends it at event {MOST_EVENTS:,} | {each["loop"]:.2f} |
{chr(10).join(rows_of_lessons)}
| the alarm of lesson 09, for one month | {ALARM:.2f} |

- The lessons' few requests to S3, and the Express execution of lesson 14, cost less than $0.0001. The
  mailbox of the emulator counts as one address.
- These calls are free: all calls to IAM, STS, Step Functions and CloudWatch Logs, and the Lambda and
  DynamoDB calls that manage functions and tables. Roles, functions, topics and state machines cost
  nothing when nobody uses them.
- We count {SECONDS_A_CALL:g} s at {GB * 1024:.0f} MB for each Lambda call, as if each call were a cold
  start. AWS bills cold starts, too, since August 2025. On the emulator, the warm calls of the draw took
  {took} ms together.
- DynamoDB counts a read for each 4 KB and a write for each KB. Each employee is written twice, because the
  index holds a copy. An eventually consistent read, such as each read of an index, counts half.
- If a draw meets past winners, it goes round again. Each round costs 3 transitions and 2 Lambda calls.
  The kit's functions end a draw that cannot succeed. The tutorial's own functions go on until AWS ends
  the execution.
- Every account has a free tier each month: 4,000 transitions, a million Lambda requests with 400,000
  GB-seconds, a million SNS requests, 1,000 e-mails, 25 GB in DynamoDB, 5 GB of logs. A full course uses
  up the transitions only.
- **China has its own price lists**, in yuan: amazonaws.cn. Prices differ in other regions, too: in São
  Paulo, a transition costs 50 % more.

The prices come from the newest copies of these pages that we found, or from other pages that quote them
(DynamoDB's are of July 2025): {", ".join(sources)}.
"""


def _count(quantity: float) -> str:
    return f"{quantity:,.6g}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", type=int, metavar="PORT", help="run the emulator that counts")
    parser.add_argument("--notes", type=Path, help="the file in which it records the requests")
    options = parser.parse_args()
    if options.serve:
        return serve(options.serve, options.notes)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        measured = measure(Path(folder), [path.name[:2] for path in notebooks()])
    text = json.dumps(measured | {"prices": DATE, "dollars": summary(measured)}, indent=1)
    (HERE / "cost.json").write_text(text + "\n", encoding="utf-8")
    (HERE / "cost.md").write_text(table(measured), encoding="utf-8")
    print(table(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
