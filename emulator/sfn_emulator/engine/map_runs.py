"""Run a Distributed Map: a Map Run starts a child execution for each item or batch, and counts what they do.

moto runs the iterations inside their execution, with a thread for each. Here a child is an execution of its
own. At most 40 of a Map Run exist at the same time. What a child did is written to a file when it ends.

See https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

import copy
import datetime
import json
import threading
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any, Final

from sfn_emulator.engine.executions import prepared
from sfn_emulator.engine.failures import MOST_AT_ONCE, compact_json, task_failed, too_many_failures
from sfn_emulator.engine.internals import MotoFunction, add_event, engine_module
from sfn_emulator.engine.many_items import Written, inputs, items_of
from sfn_emulator.engine.payloads import Spool, history_of, unlisted
from sfn_emulator.engine.query_languages import map_item

_LARGEST: Final = 262_144  # bytes of a Map's result
_STATUSES: Final = {
    "RUNNING": "running", "SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED_OUT": "timedOut",
    "ABORTED": "aborted",
}  # fmt: skip


@dataclass(slots=True)
class Child:
    """A child execution of a Map Run.

    Attributes:
        arn: Its ARN.
        count: How many items its input has.
        execution: moto's object of it while it runs.
        status: Its status.
        start: When it began.
        stop: When it ended; None while it runs.
        place: Where the Map Run's file has the rest: the offset and the length.
        abort: The error and the cause of a StopExecution.
    """

    arn: str
    count: int
    execution: Any
    status: str = "RUNNING"
    start: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    stop: datetime.datetime | None = None
    place: tuple[int, int] = (0, 0)
    abort: Mapping[str, str] = field(default_factory=dict)


class MapRun:
    """A Map Run.

    Args:
        parent: The context object of the execution that has the Map.
        written: The fields of the Map.
        max_concurrency: How many children may run at the same time; 0 for any number.
        tolerated: How many failures the definition tolerates: a ``count``, a ``percentage``, both or none.
        most_at_once: How many children the emulator runs at the same time.
    """

    def __init__(
        self,
        parent: Mapping[str, Any],
        written: Written,
        max_concurrency: int,
        tolerated: Mapping[str, float],
        most_at_once: int,
    ) -> None:
        self.base_arn: str = parent["StateMachine"]["Id"].partition("/")[0]
        self.execution_arn: str = parent["Execution"]["Id"]
        self.label: str = written.fields.get("Label") or str(uuid.uuid4())
        self.machine_arn = f"{self.base_arn}/{self.label}"
        self.arn = f"{self.machine_arn.replace(':stateMachine:', ':mapRun:')}:{uuid.uuid4()}"
        self.written = written
        self.max_concurrency = max_concurrency
        self.tolerated = dict(tolerated)
        self.status = "RUNNING"
        self.start = datetime.datetime.now(datetime.UTC)
        self.stop: datetime.datetime | None = None
        self.items = 0
        self.children: list[Child] = []
        # Something is put here when a child ends, the Map Run is updated, or its execution ends.
        self.news: SimpleQueue[None] = SimpleQueue()
        self.most_at_once = most_at_once
        self._lock = threading.Lock()
        self._executions: Counter[str] = Counter()  # by their status
        self._items: Counter[str] = Counter()
        self._ended = Spool()

    @property
    def at_once(self) -> int:
        """How many children may run at the same time."""
        return min(self.max_concurrency or self.most_at_once, self.most_at_once)

    @property
    def running(self) -> int:
        """How many children run."""
        return self._executions["RUNNING"]

    @property
    def has_failed(self) -> bool:
        """Whether more items have failed than are tolerated."""
        failed = self._items["FAILED"] + self._items["TIMED_OUT"]
        return is_too_many(failed, self.items, self.tolerated or {"count": 0})

    def counts(self, *, of_items: bool) -> dict[str, int]:
        """How many children, or items, have each status, in the form of DescribeMapRun."""
        with self._lock:
            counted = dict(self._items if of_items else self._executions)
            left = self.items - self._items.total()
        counts = {name: counted.get(status, 0) for status, name in _STATUSES.items()}
        counts["pending"] = left if of_items else self._children_for(left)
        counts["total"] = sum(counts.values())
        # Nobody recorded it of a Map Run that failed.
        counts["resultsWritten"] = counts["succeeded"] if self.status == "SUCCEEDED" else 0
        return counts | {"failuresNotRedrivable": 0, "pendingRedrive": 0}

    def _children_for(self, items: int) -> int:
        """How many children the items that are left will need, as far as it is known before."""
        batcher = self.written.fields.get("ItemBatcher", {"MaxItemsPerBatch": 1})
        most = batcher.get("MaxItemsPerBatch")
        return -(-items // most) if isinstance(most, int) and most else int(items > 0)

    def add(self, child: Child) -> None:
        """Count a child that begins."""
        with self._lock:
            self.children.append(child)
            self._executions["RUNNING"] += 1
            self._items["RUNNING"] += child.count

    def end_child(self, child: Child, status: str) -> bool:
        """Count a child that has ended; False if it had ended before."""
        with self._lock:
            if child.status != "RUNNING":
                return False
            for counter, number in ((self._items, child.count), (self._executions, 1)):
                counter["RUNNING"] -= number
                counter[status] += number
            child.status, child.stop = status, datetime.datetime.now(datetime.UTC)
            return True

    def stop_child(self, child: Child, error: str | None = None, cause: str | None = None) -> None:
        """Stop a child, unless it has ended. moto's engine may end it later."""
        if self.end_child(child, "ABORTED"):
            child.abort = {name: text for name, text in (("error", error), ("cause", cause)) if text}
            worker = getattr(child.execution, "exec_worker", None)
            if worker and worker.env:
                worker.env.set_stop(child.stop, cause, error)
            self.news.put(None)

    def end(self, status: str) -> None:
        """Abort the children that still run, and end. So who sees the end sees no child that runs."""
        for child in list(self.children):
            self.stop_child(child)
        self.status, self.stop = status, datetime.datetime.now(datetime.UTC)

    def write(self, child: Child, told: Mapping[str, Any]) -> None:
        """Write down what a child was given and what it did."""
        text = zlib.compress(json.dumps(told).encode(), 1)
        with self._lock:
            child.place = self._ended.append(text), len(text)

    def told(self, child: Child) -> dict[str, Any]:
        """What a child was given and did: ``input``, ``output``, ``error``, ``cause`` and ``events``."""
        if (execution := child.execution) is not None:
            return {"input": execution.execution_input, "events": list(history_of(execution))}
        with self._lock:
            text = self._ended.read(*child.place)
        return json.loads(zlib.decompress(text))  # type: ignore[no-any-return]


_runs: Final[dict[str, MapRun]] = {}
_children: Final[dict[str, tuple[MapRun, Child]]] = {}
_why_not: Callable[..., str] | None = None
unlisted.append(lambda: (it.execution for _, it in list(_children.values()) if it.execution))


def install(why_not: Callable[..., str]) -> None:
    """Let this decide whether a role may start executions of a machine.

    Args:
        why_not: Gets the ARN of a role, and as `resource` that of a machine. It returns AWS's reason to deny
            it, or an empty text.
    """
    global _why_not  # noqa: PLW0603 (moto's engine is one for the whole process, too)
    _why_not = why_not


def map_run(arn: str) -> MapRun | None:
    """The Map Run with this ARN."""
    return _runs.get(arn)


def map_runs_of(arn: str) -> list[MapRun]:
    """The Map Runs of an execution, or those of a Map by the ARN with its label, the newest first."""
    return [run for run in reversed(list(_runs.values())) if arn in {run.execution_arn, run.machine_arn}]


def child(arn: str) -> tuple[MapRun, Child] | None:
    """The child execution with this ARN, and its Map Run."""
    return _children.get(arn)


def forget(machine_arn: str = "") -> None:
    """Forget the Map Runs of a deleted machine, or all of them."""
    for arn, run in list(_runs.items()):
        if machine_arn in {"", run.base_arn}:
            run.end("ABORTED")
            del _runs[arn]
    for arn, (run, _) in list(_children.items()):
        if run.arn not in _runs:
            del _children[arn]


def forget_runs_of(execution_arn: str) -> None:
    """Forget the Map Runs of an execution, and those of their children."""
    for run in [run for run in list(_runs.values()) if run.execution_arn == execution_arn]:
        run.end("ABORTED")
        del _runs[run.arn]
        for each in run.children:
            _children.pop(each.arn, None)
            if _runs:
                forget_runs_of(each.arn)


def execution(original: MotoFunction, self: Any, env: Any) -> None:
    """A Distributed Map starts a child execution for each item or batch. See `MapRun`."""
    if self.written is None:
        original(self, env)
        return
    self.max_concurrency_decl.eval(env=env)
    max_concurrency = env.stack.pop()
    # AWS evaluates the tolerance after MapStateStarted, but with the events of before.
    frame = env.open_frame()
    frame.states.reset(input_value=env.states.get_input())
    frame.stack = copy.deepcopy(env.stack)
    try:
        items = None
        if "ItemReader" not in self.written.fields:
            self.items.eval(env)
            items = env.stack.pop()
        add_event(env, "MapStateStarted", {"length": len(items or ())})
        tolerated = dict(tolerance_of(self, frame, self.written.fields))
    finally:
        env.close_frame(frame)
    context = env.states.context_object.context_object_data
    # The children of children share what the emulator runs at the same time.
    outer = _children.get(context["Execution"]["Id"])
    most_at_once = max(1, outer[0].most_at_once // outer[0].at_once) if outer else MOST_AT_ONCE
    run = MapRun(context, self.written, max_concurrency, tolerated, most_at_once)
    _runs[run.arn] = run
    try:
        add_event(env, "MapRunStarted", {"mapRunArn": run.arn})
        outputs = _outputs(self, env, run, items)
    except Exception as error:
        pair = getattr(error, "extract_error_cause_pair", lambda: None)() or (None, None)
        details = {name: text for name, text in zip(("error", "cause"), pair, strict=True) if text}
        run.end("FAILED")
        add_event(env, "MapRunFailed", details)
        raise
    if outputs is None:  # the execution or the branch ended
        run.end("ABORTED")
        return
    run.end("SUCCEEDED")
    add_event(env, "MapRunSucceeded")
    env.stack.append(outputs)
    add_event(env, "MapStateSucceeded", update_source_event_id=False)


def _outputs(state: Any, env: Any, run: MapRun, items: list[Any] | None) -> list[Any] | None:
    """Run all children; their outputs, or None if the environment ended before."""
    if "ResultWriter" in run.written.fields:
        missing = "The emulator does not have ResultWriter. Please remove it to get the results as output."
        raise task_failed(env, "States.ResultWriterFailed", missing)
    source = "STATE_DATA"
    if items is None:
        items, source = items_of(env, run.written)
    run.items = len(items)
    if _why_not is None:
        raise RuntimeError("nobody decides whether a Map Run may start")
    if reason := _why_not(env.aws_execution_details.role_arn, resource=run.base_arn):
        service = f"(Service: Sfn, Status Code: 400, Request ID: {uuid.uuid4()})"
        cause = f"Error contacting AWS Service. | Message from Service: {reason} {service}"
        raise task_failed(env, "States.Permissions", cause)
    waiting = inputs(env, run.written, selected(state, env, items, source))
    env.program_state_event = SimpleNamespace(set=lambda: run.news.put(None), clear=lambda: None)
    following = next(waiting, None)
    # A child that has ended must not make room for another one before its failure counts.
    while ((running := run.running) or following) and not run.has_failed:
        if not env.is_running():
            return None
        if following and running < run.at_once:
            number = len(run.children)
            is_item = "ItemBatcher" not in run.written.fields
            _start(env, run, *following, _shown(number, items[number], source) if is_item else {})
            following = next(waiting, None)
        else:
            run.news.get()
    if run.has_failed:
        raise too_many_failures(env)
    outputs, size = list[Any](), 0
    for each in run.children:
        if each.status == "SUCCEEDED" and size <= _LARGEST:  # a larger result is refused
            text = run.told(each)["output"]
            size += len(text)
            outputs.append(json.loads(text))
    return outputs


def tolerance_of(state: Any, env: Any, fields: Iterable[str]) -> Iterator[tuple[str, float]]:
    """How many failures a Map tolerates: the ``"count"`` and the ``"percentage"`` that its fields give.

    Args:
        state: moto's object of the Map. It has a default for each.
        env: Where they are evaluated.
        fields: The names of its fields in the definition.
    """
    given = {name.removesuffix("Path") for name in fields}
    for name in ("count", "percentage"):
        if f"ToleratedFailure{name.title()}" in given:
            getattr(state, f"tolerated_failure_{name}_decl").eval(env)
            yield name, env.stack.pop()


def is_too_many(failed: int, items: int, tolerated: Mapping[str, float]) -> bool:
    """Whether so many failures of items are more than `tolerance_of` says. Without a limit, they are not."""
    is_over = failed > tolerated.get("count", failed)
    return is_over or failed * 100 > tolerated.get("percentage", 100) * items


def selected(state: Any, env: Any, items: Iterable[Any], source: str = "") -> Iterator[Any]:
    """The items, as the ItemSelector of a Distributed Map makes them.

    Args:
        state: moto's object of the Map.
        env: Its environment.
        items: The items, in order.
        source: Where they are from, as `Map.Item.Source` says it; empty if it says nothing.
    """
    if not (selector := state.item_selector or state.parameters):
        yield from items
        return
    given, frame = env.stack[-1], env.open_frame()
    frame.states.reset(given)
    try:
        for index, item in enumerate(items):
            frame.states.context_object.context_object_data |= _shown(index, item, source)
            frame.stack[:] = [given]
            selector.eval(frame)
            yield frame.stack[-1]
    finally:
        env.delete_frame(frame)


def _shown(index: int, item: Any, source: str) -> dict[str, Any]:
    """What the context object says of an item."""
    told = {"Source": source} if source else {}
    return {"Map": {"Item": map_item(None, Index=index, Value=item) | told}}


def _start(env: Any, run: MapRun, given: Any, count: int, shown: Mapping[str, Any]) -> None:
    kind, tail = ("express", f":{uuid.uuid4()}") if run.written.type == "EXPRESS" else ("execution", "")
    name = str(uuid.uuid4())
    arn = f"{run.machine_arn.replace(':stateMachine:', f':{kind}:')}:{name}{tail}"
    machine = {
        "definition": run.written.children,
        "type": run.written.type,
        "roleArn": env.aws_execution_details.role_arn,
        "stateMachineArn": run.machine_arn,
        "name": run.machine_arn.rpartition(":")[2],
    }
    text = compact_json(engine_module("asl.utils.encoding").to_json_str, given)
    log = env.cloud_watch_logging_session
    made = prepared(machine, arn, name, text, log and log.of_child(arn), sync=False, ended=lambda: None)
    made.changes.append(lambda env: env.states.context_object.context_object_data.update(shown))
    child = Child(arn, count, made)
    run.add(child)
    _children[arn] = run, child
    threading.Thread(target=_run, args=(run, child), daemon=True).start()


def _run(run: MapRun, child: Child) -> None:
    """Run a child in this thread, and write down what it did."""
    made = child.execution
    told, status = {"input": made.execution_input, "events": []}, "FAILED"
    try:
        made.exec_worker = worker = made._get_start_execution_worker()
        made.exec_status = engine_module("api").ExecutionStatus.RUNNING
        if run.written.type == "STANDARD":  # it has no time-out, for which moto's engine needs another thread
            program = worker._get_evaluation_entrypoint()
            here = SimpleNamespace(eval=partial(_in_this_thread, child, program))
            worker._get_evaluation_entrypoint = lambda: here
        if child.status != "RUNNING":  # it was stopped before it began
            return
        worker._execution_logic()
        told |= {name: getattr(made, name) for name in ("output", "error", "cause")}
        if run.written.type == "STANDARD":
            told["events"] = list(history_of(made))
        status = str(made.exec_status.value)
    finally:
        run.write(child, told)
        if worker := made.exec_worker:
            worker.env = None  # these objects refer to each other
        child.execution = made.exec_worker = None
        run.end_child(child, status)
        run.news.put(None)


def _in_this_thread(child: Child, program: Any, env: Any) -> None:
    env.next_state_name = program.start_at.start_at_name
    if child.status != "RUNNING":  # it was stopped before moto's engine could stop it
        env.set_stop(child.stop, child.abort.get("cause"), child.abort.get("error"))
    engine_module("asl.component.eval_component").EvalComponent.eval(program, env)
