"""Map Runs and their child executions: what is kept of them, and how AWS describes them.

See https://docs.aws.amazon.com/step-functions/latest/dg/concepts-examine-map-run.html
"""

import json
import pickle
import threading
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sfn_emulator.http.messages import RefusalError, Reply, Request
from sfn_emulator.http.paging import page_of
from sfn_emulator.http.replies import json_reply
from sfn_emulator.process.store import Spool
from sfn_emulator.states.run import Run
from states_language.execution import Event, Execution, RedriveChild, StartChild
from states_language.execution import MapRun as Inner

#: How many children of a Map Run exist at the same time, whatever its MaxConcurrency.
_MOST_AT_ONCE: Final = 40
_STATUSES: Final = {
    "RUNNING": "running", "SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED_OUT": "timedOut",
    "ABORTED": "aborted",
}  # fmt: skip
_TOLD: Final = ("input", "output", "error", "cause")


@dataclass(slots=True, eq=False)
class Child:
    """A child execution of a Map Run.

    Attributes:
        arn: Its ARN.
        key: The id by which the interpreter knows it.
        count: How many items its input has.
        start: When it began, in seconds since 1970.
        run: It, while it runs.
        status: Its status.
        stop: When it ended.
        redrives: How often it was redriven.
        place: Where the Map Run's file has the rest: the offset and the length.
    """

    arn: str
    key: str
    count: int
    start: float
    run: Run | None = None
    status: str = "RUNNING"
    stop: float = 0
    redrives: int = 0
    place: tuple[int, int] = (0, 0)


class MapRun:
    """A Map Run.

    Args:
        inner: It, as the interpreter has it.
        label: What stands between the machine's name and the names of its children.
        run: The execution that has the Map.
        start: When it began, in seconds since 1970.
    """

    def __init__(self, inner: Inner, label: str, run: Run, start: float) -> None:
        self.inner, self.label, self.start, self.stop = inner, label, start, 0.0
        self.run = run
        self.base_arn = run.started.arn.partition("/")[0]
        self.machine_arn = f"{self.base_arn}/{label}"
        self.workflow: Mapping[str, Any] = {}
        self.children: list[Child] = []
        self.by_key: dict[str, Child] = {}
        self.waiting: dict[str, StartChild | RedriveChild] = {}
        self.never_began: dict[str, StartChild | RedriveChild] = {}
        self.running = 0  # changes only under the lock of the parent
        self._ended, self._writing = Spool(), threading.Lock()

    @property
    def arn(self) -> str:
        """Its ARN."""
        return self.inner.arn

    @property
    def has_room(self) -> bool:
        """Whether one more child may exist."""
        return self.running < _MOST_AT_ONCE

    def add(self, child: Child) -> None:
        """Remember a child that begins."""
        self.children.append(child)
        self.by_key[child.key] = child

    def reopen(self) -> None:
        """Go on after a redrive. An Express child that did not succeed begins anew, as another one."""
        self.stop = 0
        if self.inner.type == "EXPRESS":
            self.children = [child for child in self.children if child.status == "SUCCEEDED"]
            self.never_began.clear()

    def keep(self, child: Child, run: Run, execution: Execution) -> None:
        """Write down what a child was given and what it did."""
        told = {"input": run.input, **run.result}
        events = [] if run.express else [*run.history]
        again = None if run.express or execution.status == "SUCCEEDED" else execution
        if again is not None:
            again.history = []
        told |= {"events": events, "execution": again}
        if run.express:
            told |= {"output": execution.root.text} if execution.status == "SUCCEEDED" else {}
        text = zlib.compress(pickle.dumps(told), 1)
        with self._writing:
            child.place = self._ended.append(text), len(text)

    def told(self, child: Child) -> dict[str, Any]:
        """What a child was given and did: ``input``, ``output``, ``error``, ``cause`` and ``events``."""
        if (run := child.run) is not None:
            told = {"input": run.input, "events": [*run.history], **run.result}
            if child.run is run:  # else it has ended, and its history may be closed
                return told
        with self._writing:
            text = self._ended.read(*child.place)
        found: dict[str, Any] = pickle.loads(zlib.decompress(text))
        return found

    def counts(self, *, of_items: bool) -> dict[str, int]:
        """How many children, or items, have each status, in the form of DescribeMapRun."""
        counted: Counter[str] = Counter()
        items = 0
        for child in list(self.children):
            counted[child.status] += child.count if of_items else 1
            items += child.count
        counts = {name: counted.get(status, 0) for status, name in _STATUSES.items()}
        left = self.inner.total - items
        counts["pending"] = left if of_items else max(0, self.inner.children - len(self.children))
        counts["total"] = sum(counts.values())
        # Nobody recorded it of a Map Run that failed.
        counts["resultsWritten"] = counts["succeeded"] if self.inner.status == "SUCCEEDED" else 0
        return counts | {"failuresNotRedrivable": 0, "pendingRedrive": 0}


class MapRuns:
    """The Map Runs of one emulator, by their ARNs, and their children."""

    def __init__(self) -> None:
        self._runs: dict[str, MapRun] = {}
        self._children: dict[str, tuple[MapRun, Child]] = {}

    def add(self, run: MapRun) -> None:
        """Remember a Map Run."""
        self._runs[run.arn] = run

    def add_child(self, run: MapRun, child: Child) -> None:
        """Remember a child that begins."""
        run.add(child)
        self._children[child.arn] = run, child

    def find(self, arn: str) -> MapRun | None:
        """The Map Run with this ARN."""
        return self._runs.get(arn)

    def child(self, arn: str) -> tuple[MapRun, Child] | None:
        """The child execution with this ARN, and its Map Run."""
        return self._children.get(arn)

    def of(self, arn: str) -> list[MapRun]:
        """The Map Runs of an execution, or those of a Map by the ARN with its label, the newest first."""
        return [run for run in reversed(list(self._runs.values())) if arn in {run.run.arn, run.machine_arn}]

    def running(self) -> list[Run]:
        """The children that run."""
        return [run for _, child in list(self._children.values()) if (run := child.run)]

    def reset(self) -> None:
        """Forget everything."""
        self._runs.clear()
        self._children.clear()

    def forget(self, execution_arn: str) -> None:
        """Forget the Map Runs of an execution, and those of their children."""
        for run in [run for run in list(self._runs.values()) if run.run.arn == execution_arn]:
            self._runs.pop(run.arn, None)
            for child in run.by_key.values():
                self._children.pop(child.arn, None)
                if self._runs:
                    self.forget(child.arn)

    # The API

    def describe(self, request: Request) -> Reply:
        """Answer DescribeMapRun."""
        run = self.asked(request)
        inner = run.inner
        return json_reply(
            _told(run)
            | {
                "status": inner.status,
                "maxConcurrency": inner.max_concurrency,
                "toleratedFailureCount": int(inner.tolerated_count or 0),
                "toleratedFailurePercentage": float(inner.tolerated_percentage or 0),
                "itemCounts": run.counts(of_items=True),
                "executionCounts": run.counts(of_items=False),
                "redriveCount": inner.redrives,
            }
        )

    def list(self, request: Request) -> Reply:
        """Answer ListMapRuns of an execution that exists."""
        runs = self.of(request.json["executionArn"])
        found = [_told(run) | {"stateMachineArn": run.machine_arn} for run in runs]
        page, token = page_of(found, request.json)
        return json_reply({"mapRuns": page} | token)

    def update(self, request: Request) -> MapRun:
        """Change a Map Run as UpdateMapRun says, and return it."""
        run, given = self.asked(request), request.json
        if given.get("maxConcurrency") is not None:
            run.inner.max_concurrency = given["maxConcurrency"]
        if (count := given.get("toleratedFailureCount")) is not None:
            run.inner.tolerated_count = count
        if (percentage := given.get("toleratedFailurePercentage")) is not None:
            run.inner.tolerated_percentage = percentage
        return run

    def asked(self, request: Request) -> MapRun:
        """The Map Run that a request names.

        Raises:
            RefusalError: There is none.
        """
        arn = request.json["mapRunArn"]
        if (run := self.find(arn)) is None:
            raise RefusalError("ResourceNotFound", f"Resource not found: '{arn}'")
        return run

    def children_of(self, runs: Sequence[MapRun], request: Request) -> Reply:
        """The child executions of Map Runs that a ListExecutions asks for, the newest first.

        Raises:
            RefusalError: They are Express executions.
        """
        if any(run.inner.type == "EXPRESS" for run in runs):
            raise not_of_this_type()
        status = request.json.get("statusFilter")
        children = [(run, it) for run in runs for it in reversed(run.children)]
        chosen = [(run, it) for run, it in children if status in {None, it.status}]
        page, token = page_of(chosen, request.json)
        return json_reply({"executions": [_listed(run, it) for run, it in page]} | token)


def not_of_this_type() -> RefusalError:
    """The error of an operation on a machine of the other type."""
    reason = "This operation is not supported by this type of state machine"
    return RefusalError("StateMachineTypeNotSupported", reason)


def describe_child(run: MapRun, it: Child) -> dict[str, Any]:
    """A child execution, in the form of DescribeExecution."""
    told = run.told(it)
    kept = {name: told[name] for name in _TOLD if told.get(name) is not None}
    details = {f"{name}Details": {"included": True} for name in ("input", "output") if name in kept}
    listed = _listed(run, it)
    del listed["itemCount"]
    return listed | kept | details


def definition_of(run: MapRun) -> str:
    """What its children run."""
    return json.dumps(run.workflow, ensure_ascii=False)


def events_of(run: MapRun, it: Child) -> Sequence[Event]:
    """The events of a child."""
    found: Sequence[Event] = run.told(it)["events"]
    return found


def _listed(run: MapRun, it: Child) -> dict[str, Any]:
    return {
        "executionArn": it.arn,
        "stateMachineArn": run.machine_arn,
        "mapRunArn": run.arn,
        "name": it.arn.split(":")[7],
        "status": it.status,
        "startDate": it.start,
        "itemCount": it.count,
        "redriveCount": it.redrives,
    } | ({"stopDate": it.stop} if it.status != "RUNNING" else {})


def _told(run: MapRun) -> dict[str, Any]:
    told = {"mapRunArn": run.arn, "executionArn": run.run.arn, "startDate": run.start}
    return told | ({"stopDate": run.stop} if run.stop else {})
