"""What a Distributed Map does: read its items, start a child execution for each item or batch, and count.

See https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

from typing import TYPE_CHECKING, Any, Final

from states_language.execution import (
    Beat,
    Call,
    Failed,
    Frame,
    Input,
    Json,
    MapRun,
    OpenMapRun,
    RedriveChild,
    StartChild,
    State,
    Succeeded,
)
from states_language.failures import Failure
from states_language.fields import View
from states_language.items import ItemsError, batches, read_items
from states_language.iterations import item_shown, items_of, selected
from states_language.outputs import Result, effective_input, sent
from states_language.structure import processor

if TYPE_CHECKING:
    from states_language.interpreter import Step

#: The values of InputType that can be read here.
READ: Final = ("CSV", "JSON", "JSONL")
_MOST_AT_ONCE: Final = 10_000  # children of a Map Run, whatever its MaxConcurrency
_TOLERATED: Final = ("ToleratedFailureCount", "ToleratedFailurePercentage")
_TOO_MANY: Final = "The specified tolerated failure threshold was exceeded"
_NO_WRITER: Final = (
    "ResultWriter is not supported here. Without it, or with a WriterConfig that has COMPACT or FLATTEN, and"
    " JSON, the results are the output of the Map."
)
READER_FAILED: Final = "States.ItemReaderFailed"


def begin(step: "Step", frame: Frame, view: View, data: Json, most: int) -> Result | None:
    """Begin a Map Run: read its items, or start its children."""
    reads = "ItemReader" in frame.state
    frame.items = [] if reads else items_of(view, data)
    step.event(frame.run, "MapStateStarted", {"length": len(frame.items)})
    count, percentage = tolerance(view, data)
    reader = reader_of(view, data) if reads else None
    machine = step.execution.context["StateMachine"]["Id"].partition("/")[0]
    base = machine.replace(":stateMachine:", ":mapRun:")
    label = frame.state.get("Label") or step.new_id()
    kind = processor(frame.state)["ProcessorConfig"].get("ExecutionType") or "STANDARD"
    frame.map_run = run = MapRun(f"{base}/{label}:{step.new_id()}", kind, most, count, percentage)
    step.event(frame.run, "MapRunStarted", {"mapRunArn": run.arn})
    step.expect(frame, "map run", run.arn)
    step.effects.append(OpenMapRun(run, label))
    writes, how = "Resource" in frame.state.get("ResultWriter", {}), _writer(frame.state)
    if writes or how["OutputType"] != "JSON" or how["Transformation"] not in {"COMPACT", "FLATTEN"}:
        raise Failure("States.ResultWriterFailed", _NO_WRITER)
    if reader is not None:
        _read_more(step, frame, reader)
        return None
    return _start(step, frame, view)


def reader_of(view: View, data: Json) -> dict[str, Any]:
    """The ItemReader with the values of its fields, those of its ReaderConfig beside them."""
    field = view.state["ItemReader"]
    config = dict(field.get("ReaderConfig", {}))
    if view.is_jsonpath:
        where = view.template(field.get("Parameters", {}), data)
    else:
        where = view.expression(field.get("Arguments", {}), "ItemReader/Arguments")
    if "MaxItems" in config or "MaxItemsPath" in config:
        config["MaxItems"] = view.number("MaxItems", "ItemReader/ReaderConfig/MaxItems", data, config)
    return {"InputType": "JSON", **config, "Resource": field["Resource"], "Where": where}


def _read_more(step: "Step", frame: Frame, reader: dict[str, Any], token: str | None = None) -> None:
    """Ask for the file, or for the next page of a list of files."""
    if reason := unreadable(reader):
        raise Failure(READER_FAILED, reason)
    given = reader["Where"] if token is None else {**reader["Where"], "ContinuationToken": token}
    step.effects.append(Call(step.expect(frame, "reader"), reader["Resource"], given, frame.name))


def unreadable(reader: dict[str, Any]) -> str:
    """Why an ItemReader can read nothing; empty if it can."""
    where, lists = reader["Where"], reader["Resource"].endswith(":s3:listObjectsV2")
    needed = ("Bucket",) if lists else ("Bucket", "Key")
    kind, how = reader["InputType"], reader.get("Transformation", "NONE")
    if (reader.get("MaxItems") or 0) < 0:
        return "field MaxItems must be positive"
    if not isinstance(where, dict) or not all(isinstance(where.get(name), str) for name in needed):
        return f"ItemReader needs {' and '.join(needed)}, as texts."
    if how != "NONE" or (kind not in READ and not lists):
        return f"ItemReader's {kind if how == 'NONE' else how} is not supported here."
    return ""


def _came(step: "Step", frame: Frame, output: Json) -> Result | None:
    """A file, or a page of a list of files, has come."""
    view, run = step.view(frame), frame.map_run
    assert run is not None
    data = effective_input(view)
    reader = reader_of(view, data)
    where, most = reader["Where"], reader.get("MaxItems") or None
    run.source = "S3://" + "/".join(where[name] for name in ("Bucket", "Key") if name in where)
    if reader["Resource"].endswith(":s3:listObjectsV2"):
        run.read += output.get("Contents", [])
        if output.get("NextContinuationToken") and (most is None or len(run.read) < most):
            _read_more(step, frame, reader, output["NextContinuationToken"])
            return None
        frame.items, run.read = run.read[:most], []
    else:
        try:
            frame.items = read_items(output, reader, most)
        except ItemsError as error:
            raise Failure(READER_FAILED, str(error)) from error
    return _start(step, frame, view)


def _start(step: "Step", frame: Frame, view: View) -> Result | None:
    """Start the first children."""
    run = frame.map_run
    assert run is not None
    run.total = len(frame.items)
    frame.items = inputs(step, frame, view)
    run.children = len(frame.items)
    return _more(step, frame)


def inputs(step: "Step", frame: Frame, view: View) -> list[Json]:
    """What children are made for: the items, or batches of items after ItemSelector."""
    if "ItemBatcher" not in frame.state:
        return frame.items
    data, field = effective_input(view), frame.state["ItemBatcher"]
    sizes = [
        view.number(f"Max{of}PerBatch", f"ItemBatcher/Max{of}PerBatch", data, field) or 0
        for of in ("Items", "InputBytes")
    ]
    common = field.get("BatchInput")
    if common is not None and view.is_jsonpath:
        common = view.template(common, data)
    elif common is not None:
        common = view.expression(common, "ItemBatcher/BatchInput")
    source = frame.map_run.source if frame.map_run else ""
    chosen = [
        selected(step, frame, item, _shown(number, item, source)) for number, item in enumerate(frame.items)
    ]
    return list(batches(chosen, *sizes, common=common))


def _shown(number: int, item: Json, source: str) -> dict[str, Json]:
    return {"Map": {"Item": {**item_shown(number, item), **({"Source": source} if source else {})}}}


def _more(step: "Step", frame: Frame) -> Result | None:
    """Start children while there is room; the result if all have ended."""
    run = frame.map_run
    assert run is not None
    most = min(run.max_concurrency or _MOST_AT_ONCE, _MOST_AT_ONCE)
    while run.again and len(run.running) < most:
        key, number = next(iter(run.again.items()))
        del run.again[key]
        if run.type == "EXPRESS":
            _start_child(step, frame, run, number)
        else:
            run.running[step.expect(frame, "child", key)] = number
            step.effects.append(RedriveChild(key))
    while run.begun < len(frame.items) and len(run.running) < most:
        _start_child(step, frame, run, run.begun)
        run.begun += 1
    if run.running or run.again or run.begun < len(frame.items):
        return None
    run.status = "SUCCEEDED"
    step.came(frame, run.arn)
    step.aside(frame.run, "MapRunSucceeded", after=frame.run.tail)
    step.aside(frame.run, "MapStateSucceeded", after=frame.run.tail)
    outputs = [run.outputs[number] for number in sorted(run.outputs)]
    if _writer(frame.state)["Transformation"] == "FLATTEN":
        outputs = [each for one in outputs for each in (one if isinstance(one, list) else [one])]
    frame.items = []
    return Result(outputs)


def _writer(state: State) -> dict[str, Any]:
    """The WriterConfig of a Map: how it gives its results."""
    given = state.get("ResultWriter", {}).get("WriterConfig", {})
    return {"Transformation": "COMPACT", "OutputType": "JSON", **given}


def _start_child(step: "Step", frame: Frame, run: MapRun, number: int) -> None:
    workflow = {"QueryLanguage": step.execution.language, **processor(frame.state)}
    del workflow["ProcessorConfig"]
    item, batched = frame.items[number], "ItemBatcher" in frame.state
    shown = {} if batched else _shown(number, item, run.source)
    given = item if batched else selected(step, frame, item, shown)
    if given is not item:
        sent(frame.name, given)
    key = step.expect(frame, "child")
    run.running[key] = number
    step.effects.append(StartChild(key, run.arn, workflow, run.type, given, shown, _count(frame, item)))


def _count(frame: Frame, item: Json) -> int:
    """How many items an input of a child has."""
    return len(item["Items"]) if "ItemBatcher" in frame.state else 1


def told(step: "Step", frame: Frame, what: str, message: Input) -> Result | None:
    """A file has come, a child has ended, or the Map Run cannot begin."""
    run = frame.map_run
    assert run is not None
    if isinstance(message, Beat):
        return _more(step, frame)
    if isinstance(message, Failed) and what in {"reader", "map run"}:
        error = READER_FAILED if what == "reader" else message.error
        raise Failure(error, message.cause)
    if what == "reader":
        step.came(frame, message.id)  # type: ignore[union-attr]
        return _came(step, frame, message.output)  # type: ignore[union-attr]
    step.came(frame, message.id)  # type: ignore[union-attr]
    number = run.running.pop(message.id)  # type: ignore[union-attr]
    items = _count(frame, frame.items[number])
    status = "SUCCEEDED"
    if isinstance(message, Succeeded):
        run.outputs[number] = message.output
    elif isinstance(message, Failed):
        status = message.status
        run.unsuccessful[message.id] = number
    run.counts[status] = run.counts.get(status, 0) + items
    failed = run.counts.get("FAILED", 0) + run.counts.get("TIMED_OUT", 0)
    if exceeds(failed, run.total, run.tolerated_count, run.tolerated_percentage):
        raise too_many_failures()
    return _more(step, frame)


def too_many_failures() -> Failure:
    """More items have failed than are tolerated."""
    return Failure("States.ExceedToleratedFailureThreshold", _TOO_MANY)


def exceeds(failed: int, total: int, count: float | None, percentage: float | None) -> bool:
    """Whether more items have failed than are tolerated. Without any tolerance, one is too many."""
    if count is None and percentage is None:
        return failed > 0
    most = [] if count is None else [float(count)]
    if percentage is not None:
        most.append(total * percentage / 100)
    return any(failed > each for each in most)


def failed(step: "Step", frame: Frame, failure: Failure) -> None:
    """A state has failed: end its Map Run, if it has one that runs."""
    if frame.map_run is not None and frame.map_run.status == "RUNNING":
        frame.map_run.status = "FAILED"
        step.event(frame.run, "MapRunFailed", failure.details)


def tolerance(view: View, data: Json) -> tuple[float | None, float | None]:
    """How many failures a Map tolerates, and how many per cent; None for what its definition does not say."""
    count, percentage = (view.number(name, name, data) for name in _TOLERATED)
    return count, percentage


def resume(step: "Step", frame: Frame) -> None:
    """After a redrive, let those children run again that did not succeed, and then the others."""
    run = frame.map_run
    assert run is not None
    if not run.children:  # its items could not be read, or made no batches
        step.attempt(frame)
        return
    run.again, run.unsuccessful = run.unsuccessful | run.running | run.again, {}
    run.status, run.running, run.counts = "RUNNING", {}, {"SUCCEEDED": run.counts.get("SUCCEEDED", 0)}
    run.redrives += 1
    step.event(frame.run, "MapRunRedriven", {"mapRunArn": run.arn, "redriveCount": run.redrives})
    step.expect(frame, "map run", run.arn)
    step.later(frame, lambda: _more(step, frame))
