"""What Parallel and Map do: run branches or iterations, and join what they give.

The branches of a Parallel run side by side, each with a chain of events that begins at ParallelStateStarted.
The iterations of a Map run in lanes: an iteration follows the one whose place it takes.

See https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html
and https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html
"""

from typing import TYPE_CHECKING, Final

from states_language import map_run
from states_language.execution import Frame, Input, Run
from states_language.failures import Failure, runtime
from states_language.iterations import MOST_AT_ONCE, is_distributed, item_shown, items, processor, selected
from states_language.outputs import Result, arguments, effective_input

if TYPE_CHECKING:
    from states_language.interpreter import Step

#: The types of states for whose abortion AWS has an event.
_ABORTED: Final = ("Task", "Wait", "Parallel", "Map")


class Parallel:
    """Runs all branches."""

    def begin(self, step: "Step", frame: Frame) -> Result | None:
        """Starts the branches."""
        view = step.view(frame)
        data = effective_input(view)
        given = arguments(view, data)
        if (mocked := step.mock(frame, given)) is not None:
            return mocked
        started = step.event(frame.run, "ParallelStateStarted")
        frame.children = []
        for number, branch in enumerate(frame.state["Branches"]):
            run = Run(branch, frame, number, started, started)
            frame.children.append(run)
            step.begin_run(run, given, frame.text if given is frame.input else None)
        return None

    def told(self, step: "Step", frame: Frame, what: str, message: Input) -> Result | None:
        """Nothing happens to the Parallel itself."""
        raise NotImplementedError

    def child_ended(self, step: "Step", frame: Frame, run: Run) -> Result | None:
        """Its result if all branches have ended: their outputs."""
        return joined(step, frame, "Parallel")


class Map:
    """Runs its states for each item: inside this execution, or in children of their own."""

    def begin(self, step: "Step", frame: Frame) -> Result | None:
        """Starts as many iterations as may run at the same time."""
        view = step.view(frame)
        data = effective_input(view)
        most = view.number("MaxConcurrency", "MaxConcurrency", data) or 0
        if most < 0:
            raise runtime("MaxConcurrency cannot be negative.")
        if (mocked := step.mock(frame, data)) is not None:
            return mocked
        if is_distributed(frame.state):
            return map_run.begin(step, frame, view, data, most)
        frame.items = items(view, data)
        started = step.event(frame.run, "MapStateStarted", {"length": len(frame.items)})
        frame.children = [None] * len(frame.items)
        frame.lanes = min(most or MOST_AT_ONCE, MOST_AT_ONCE, len(frame.items))
        for number in range(frame.lanes):
            self._begin_iteration(step, frame, number, started)
        return None if frame.items else joined(step, frame, "Map")

    def _begin_iteration(self, step: "Step", frame: Frame, number: int, after: int) -> None:
        item = frame.items[number]
        shown = {"Map": {"Item": item_shown(number, item)}}
        given = selected(step, frame, item, shown)
        run = Run(processor(frame.state), frame, number, after, after, shown=shown)
        frame.children[number] = run
        step.event(run, "MapIterationStarted", {"name": frame.name, "index": number})
        step.begin_run(run, given)

    def told(self, step: "Step", frame: Frame, what: str, message: Input) -> Result | None:
        """Something has happened to a child execution, or to what reads the items."""
        return map_run.told(step, frame, what, message)

    def child_ended(self, step: "Step", frame: Frame, run: Run) -> Result | None:
        """Begins the next iteration in its lane; its result if all have ended."""
        lane = run.last
        step.event(run, "MapIterationSucceeded", {"name": frame.name, "index": run.index})
        waiting = next((number for number, child in enumerate(frame.children) if child is None), None)
        if waiting is not None:
            self._begin_iteration(step, frame, waiting, lane)
            return None
        return joined(step, frame, "Map")


def joined(step: "Step", frame: Frame, kind: str) -> Result | None:
    """The outputs of all branches or iterations in order; None if some still run."""
    runs = [run for run in frame.children if run]
    if any(run.status != "SUCCEEDED" for run in runs) or len(runs) < len(frame.children):
        return None
    frame.run.last = frame.run.tail = max((run.tail for run in runs), default=frame.run.last)
    step.aside(frame.run, f"{kind}StateSucceeded")
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


def child_failed(step: "Step", frame: Frame, run: Run, failure: Failure) -> None:
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


def resume(step: "Step", frame: Frame) -> None:
    """After a redrive, let the branches or iterations go on that did not succeed."""
    after = len(step.execution.history)
    if frame.map_run is not None:
        map_run.resume(step, frame)
        return
    frame.run.status = "RUNNING"
    for number, run in enumerate(frame.children):
        if run is not None and run.status != "SUCCEEDED":
            run.last = run.tail = after
            step.resume(run, after)
        elif run is None and number < frame.lanes:
            Map()._begin_iteration(step, frame, number, after)
