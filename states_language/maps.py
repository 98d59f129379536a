"""What Parallel and Map do: run branches or iterations, and join what they give.

The branches of a Parallel run side by side, each with a chain of events that begins at ParallelStateStarted.
The iterations of a Map run in lanes: an iteration follows the one whose place it takes.

See https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html
and https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html
"""

from typing import TYPE_CHECKING, Final

from states_language import map_run
from states_language.execution import Frame, Input, Run
from states_language.iterations import item_shown, items_of, selected
from states_language.kinds import Kind
from states_language.outputs import Result, arguments, effective_input, sent
from states_language.structure import is_distributed, processor

if TYPE_CHECKING:
    from states_language.interpreter import Step

#: How many iterations of a Map run at the same time at most, whatever its MaxConcurrency.
MOST_AT_ONCE: Final = 40
#: The types of states for whose abortion AWS has an event.
_ABORTED: Final = ("Task", "Wait", "Parallel", "Map")


class Parallel(Kind):
    """Runs all branches."""

    def begin(self, step: "Step", frame: Frame) -> Result | None:
        """Starts the branches."""
        view = step.view(frame)
        data = effective_input(view)
        given = arguments(view, data)
        if (mocked := step.mock(frame, given)) is not None:
            return mocked
        text = sent(frame.name, given, frame.text if given is frame.input else None)
        started = step.event(frame.run, "ParallelStateStarted")
        frame.children, frame.left = [], len(frame.state["Branches"])
        for number, branch in enumerate(frame.state["Branches"]):
            run = Run(branch, frame, number, started, started)
            frame.children.append(run)
            step.begin_run(run, given, text)
        return None

    def child_ended(self, step: "Step", frame: Frame, run: Run) -> Result | None:
        """Its result if all branches have ended: their outputs."""
        frame.left -= 1
        return None if frame.left else joined(step, frame, "Parallel")


class Map(Kind):
    """Runs its states for each item: inside this execution, or in children of their own."""

    def begin(self, step: "Step", frame: Frame) -> Result | None:
        """Starts as many iterations as may run at the same time."""
        view = step.view(frame)
        data = effective_input(view)
        most = view.number("MaxConcurrency", "MaxConcurrency", data) or 0
        if (mocked := step.mock(frame, data)) is not None:
            return mocked
        if is_distributed(frame.state):
            return map_run.begin(step, frame, view, data, most)
        frame.items = items_of(view, data)
        map_run.tolerance(view, data)  # it has no effect here, but its fields must have values
        started = step.event(frame.run, "MapStateStarted", {"length": len(frame.items)})
        frame.children, frame.begun, frame.left = [None] * len(frame.items), 0, len(frame.items)
        frame.lanes = min(most or MOST_AT_ONCE, MOST_AT_ONCE)
        return fill(step, frame, started)

    def told(self, step: "Step", frame: Frame, what: str, message: Input) -> Result | None:
        """Something has happened to a child execution, or to what reads the items."""
        return map_run.told(step, frame, what, message)

    def child_ended(self, step: "Step", frame: Frame, run: Run) -> Result | None:
        """Begins the next iteration in its lane; its result if all have ended."""
        lane = run.last
        step.event(run, "MapIterationSucceeded", {"name": frame.name, "index": run.index})
        frame.left -= 1
        return fill(step, frame, lane)


def fill(step: "Step", frame: Frame, after: int) -> Result | None:
    """Begin iterations of a Map while a lane is free, after an event; its result if all have ended."""
    ended = len(frame.items) - frame.left
    while frame.begun < len(frame.items) and frame.begun - ended < frame.lanes:
        number, item = frame.begun, frame.items[frame.begun]
        shown = {"Map": {"Item": item_shown(number, item)}}
        given = selected(step, frame, item, shown)
        text = sent(frame.name, given)
        run = Run(processor(frame.state), frame, number, after, after, shown=shown)
        frame.children[number] = run
        frame.begun += 1
        step.event(run, "MapIterationStarted", {"name": frame.name, "index": number})
        step.begin_run(run, given, text)
    return None if frame.left else joined(step, frame, "Map")


def joined(step: "Step", frame: Frame, kind: str) -> Result:
    """The outputs of all branches or iterations in order. All of them have succeeded."""
    runs = [run for run in frame.children if run]
    frame.run.last = frame.run.tail = max((run.tail for run in runs), default=frame.run.last)
    step.aside(frame.run, f"{kind}StateSucceeded", after=frame.run.tail)
    text = f"[{','.join(run.text for run in runs)}]"
    frame.children, frame.items = [], []
    return Result([run.output for run in runs], text=text)


def abort(step: "Step", frame: Frame) -> None:
    """End the branches or iterations that still run, with their events."""
    for run in frame.children:
        if run is not None and run.status == "RUNNING":
            _abort(step, frame, run)


def _abort(step: "Step", frame: Frame, run: Run) -> None:
    run.status, last = "ABORTED", frame.run.last
    if frame.state["Type"] == "Map":
        step.aside(frame.run, "MapIterationAborted", {"name": frame.name, "index": run.index}, after=last)
    inner = run.frame
    if inner is None:
        return
    step.forget(inner)
    if (kind := inner.state["Type"]) in _ABORTED:
        step.aside(frame.run, f"{kind}StateAborted", after=last)
    for child in inner.children:
        if child is not None and child.status == "RUNNING":
            inner.run.last = last
            _abort(step, inner, child)


def child_failed(step: "Step", frame: Frame, run: Run) -> None:
    """A branch or an iteration has failed: write it, and end the others."""
    frame.run.last = frame.run.tail = last = run.last
    is_map = frame.state["Type"] == "Map"
    is_task = run.frame is not None and run.frame.state["Type"] == "Task"
    if is_task and not is_map:
        step.aside(frame.run, "TaskStateAborted", after=last)
    abort(step, frame)
    if is_map:
        step.aside(frame.run, "MapIterationFailed", {"name": frame.name, "index": run.index}, after=last)
        if is_task:
            step.aside(frame.run, "TaskStateAborted", after=last)


def resume(step: "Step", frame: Frame) -> Result | None:
    """After a redrive, let the branches or iterations go on that did not succeed, and begin others."""
    after = len(step.execution.history)
    for run in frame.children:
        if run is not None and run.status != "SUCCEEDED":
            run.last = run.tail = after
            step.resume(run, after)
    return fill(step, frame, after) if frame.state["Type"] == "Map" else None
