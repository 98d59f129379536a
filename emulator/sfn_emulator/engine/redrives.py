"""Let an execution in moto go on where it failed, as RedriveExecution does. moto cannot do this.

While a standard execution runs, each run of states (of the machine, a branch or an iteration) notes how far
it came: the state that has begun, its input, the variables, and the results of the branches and iterations
that have ended. `go_on` begins at these states again. The other functions replace functions of moto's engine,
as in `failures`.

Nobody recorded what AWS writes into the history of a redriven execution. Here, a state that goes on is not
entered again, except a Fail state: AWS's page says that a Task is scheduled again, and that a Fail state is
entered again.

See https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
"""

import datetime
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import SimpleNamespace
from typing import Any, Final

from sfn_emulator.engine.failures import execution as failing
from sfn_emulator.engine.failures import named_errors
from sfn_emulator.engine.internals import MotoFunction, add_event, engine_module

_TOO_MUCH_DATA: Final = "States.DataLimitExceeded"
_BEGIN_SECONDS: Final = 5.0
#: The types of states for whose abortion AWS has an event.
_ABORTED: Final = ("Task", "Wait", "Parallel", "Map")


@dataclass
class Progress:
    """How far a run of states came.

    Attributes:
        state: The name of the state that has begun; empty before the first one.
        given: The input of this state.
        entered: The id of the event with which this state began; 0 before it.
        latest: The id of the latest event of this run.
        variables: moto's store of the variables that the states of this run can read.
        inner: The runs inside this state, by the number of the branch or the iteration.
        has_ended: Whether the run has succeeded.
        has_failed: Whether the run has failed.
        is_over: Whether another run failed beside it, so that its events do not count any more.
        output: The output of a run that has succeeded.
        goes_on: Whether a redrive goes on with this state, and has not yet begun it.
    """

    state: str = ""
    given: Any = None
    entered: int = 0
    latest: int = 0
    variables: Any = None
    inner: dict[int, "Progress"] = field(default_factory=dict)
    has_ended: bool = False
    has_failed: bool = False
    is_over: bool = False
    output: Any = None
    goes_on: bool = False

    def begin(self, state: str, given: Any) -> None:
        """Note that the next state begins."""
        self.state, self.given, self.entered = state, given, 0
        self.inner, self.goes_on = {}, False

    def goes_on_silently(self) -> bool:
        """Whether the event with which the state begins is in the history already. This is asked once."""
        silently, self.goes_on = self.goes_on and self.entered > 0, False
        return silently

    def end(self, output: Any) -> None:
        """Note that the run has succeeded. Nothing else is needed any more."""
        self.has_ended, self.output = True, output
        self.given, self.variables, self.inner = None, None, {}

    def abort_inner(self, env: Any, name: str = "") -> None:
        """Write that the states of all branches or iterations are aborted, because one of them has failed.

        Args:
            env: moto's environment of the Parallel or Map.
            name: The name of the Map; empty for a Parallel.
        """
        if failures := [run.latest for run in self.inner.values() if run.has_failed]:
            env.event_history_context.source_event_id = min(failures)
            for index, run in sorted(self.inner.items(), key=lambda it: not it[1].has_failed):
                run._abort(env, name, index)

    def _abort(self, env: Any, name: str, index: int) -> None:
        if self.has_ended or self.is_over:
            return
        write = partial(add_event, env, update_source_event_id=False)
        self.is_over = True
        if name and not self.has_failed:
            write("MapIterationAborted", {"index": index, "name": name})
        entered = env.event_manager._history_event_list.brief(self.entered - 1) if self.entered else {}
        kind = entered.get("type", "").removesuffix("StateEntered")
        if kind in _ABORTED:
            write(f"{kind}StateAborted")
        for number, run in list(self.inner.items()):
            run._abort(env, self.state if kind == "Map" else "", number)

    def again(self, shown: int) -> "Progress":
        """The same for a redrive. What still runs of the old run keeps the old object.

        Args:
            shown: The number of events in the history. The engine may have written others after a stop.
        """
        inner = {key: progress.again(shown) for key, progress in list(self.inner.items())}
        entered = self.entered if self.entered <= shown else 0
        latest = self.latest if self.latest <= shown else entered
        goes_on = bool(self.state) and not self.has_ended
        made = replace(self, inner=inner, entered=entered, latest=latest, goes_on=goes_on)
        made.has_failed = made.is_over = False
        return made


def note_progress(env: Any) -> None:
    """Let an execution note its progress in its environment."""
    env.progress = Progress()


def go_on(
    execution: Any, count: int, at: datetime.datetime, events: Sequence[Mapping[str, Any]], log: Any
) -> None:
    """Begin a redrive of an execution that has ended.

    Args:
        execution: moto's object, which gets the new run.
        count: How many redrives there have been, with this one.
        at: The time of this one.
        events: The history so far, in the form of moto's engine.
        log: Where the events go, besides the history.
    """
    old, given = execution.exec_worker, execution.execution_input
    # What still runs of the old run cannot end the new one.
    old._execution_communication = SimpleNamespace(terminated=lambda: None)
    execution._cloud_watch_logging_session = log
    worker = execution._get_start_execution_worker()
    worker.env = env = worker._get_evaluation_environment()
    env.progress = old.env.progress.again(len(events))
    if execution.error == _TOO_MUCH_DATA:  # then AWS runs all branches and iterations again
        env.progress.inner = {}
    context = env.states.context_object.context_object_data
    redriven = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    context["Execution"] |= {"RedriveCount": count, "RedriveTime": redriven}
    for event in events:
        env.event_manager._history_event_list.append(event)
    env.event_manager._event_id_gen._next_id = len(events) + 1
    env.event_history_context.source_event_id = len(events)
    add_event(env, "ExecutionRedriven", {"redriveCount": count}, timestamp=at)

    def run(worker: Any) -> None:
        worker._get_evaluation_entrypoint().eval(env)
        worker._execution_communication.terminated()

    worker._execution_logic = partial(failing, run, worker)
    execution.exec_worker, execution.exec_status = worker, engine_module("api").ExecutionStatus.RUNNING
    execution.stop_date = execution.error = execution.cause = execution.output = None
    execution.execution_input = given  # `payloads` keeps it in the history of the worker
    worker.start()
    until = time.monotonic() + _BEGIN_SECONDS
    while env.program_state() is None and time.monotonic() < until:  # moto could not stop it yet
        time.sleep(0.001)


def frame(original: MotoFunction, *_: Any, env: Any, **given: Any) -> Any:
    """An environment inside that of a state belongs to this state, and to its iteration of a Map.

    In moto, a Task or a Parallel in an iteration cannot see the item.
    """
    made = original(env=env, **given)
    made.progress = made.event_history_context.run = getattr(env, "progress", None)
    context = env.states.context_object.context_object_data
    if "Map" in context:
        made.states.context_object.context_object_data["Map"] = context["Map"]
    return made


def program(original: MotoFunction, self: Any, env: Any) -> None:
    """A run of states begins where it was, and notes its end."""
    progress: Progress | None = getattr(env, "progress", None)
    if progress is None:
        original(self, env)
        return
    if progress.goes_on:
        env.next_state_name, env.variable_store = progress.state, progress.variables
        env.states.reset(progress.given)
        vars(env.variable_store).pop("pending", None)
        if env.is_frame() and progress.latest:  # the next event follows the state's own latest one
            env.event_history_context.source_event_id = progress.latest
    progress.variables = env.variable_store
    original(self, env)
    end = type(env._program_state).__name__
    if end == "ProgramEnded":
        progress.end(env.states._states_data["input"])
    progress.has_failed = end == "ProgramError"


def state(original: MotoFunction, self: Any, env: Any) -> None:
    """A state is noted when it begins. If it goes on, it is not entered again."""
    progress: Progress | None = getattr(env, "progress", None)
    if progress is None:
        with named_errors(env):
            original(self, env)
        return
    if not progress.goes_on or self.state_type.name == "Fail":
        progress.begin(self.name, env.states._states_data["input"])
    env.event_history_context.entering = progress  # the next event in this context is that it is entered
    try:
        with named_errors(env):
            original(self, env)
    finally:
        progress.latest = env.event_history_context.last_published_event_id
    # Only a running program has this attribute. It may be stopped at any time.
    if (follower := getattr(env._program_state, "next_state_name", None)) is not None:
        progress.begin(follower, env.states._states_data["input"])


def retried(original: MotoFunction, self: Any, env: Any, **given: Any) -> Any:
    """A Retry runs all branches and iterations again."""
    outcome = original(self, env=env, **given)
    if (progress := getattr(env, "progress", None)) and outcome.name == "CanRetry":
        progress.inner = {}
    return outcome


def branches(original: MotoFunction, self: Any, programs: list[Any]) -> None:
    """Each branch knows its number."""
    original(self, programs)
    for number, its_program in enumerate(programs):
        its_program.number = number


def branch(original: MotoFunction, self: Any, *, env: Any, program: Any, **given: Any) -> None:
    """Each branch has progress of its own."""
    original(self, env=env, program=program, **given)
    if progress := getattr(env, "progress", None):
        env.progress = env.event_history_context.run = progress.inner.setdefault(program.number, Progress())


def only_unsuccessful(original: MotoFunction, self: Any) -> None:
    """A branch that has succeeded does not run again. Its output is there already."""
    progress: Progress | None = getattr(self.env, "progress", None)
    if progress and progress.has_ended:
        self.env.states.reset(progress.output)
        self._branch_worker_comm.on_terminated(env=self.env)
    else:
        original(self)


def iteration(original: MotoFunction, self: Any, env: Any, job: Any) -> None:
    """Each iteration has progress of its own. One that has succeeded does not run again."""
    if progress := getattr(env, "progress", None):
        env.progress = progress = progress.inner.setdefault(job.job_index, Progress())
        env.event_history_context.run = progress
        if progress.has_ended:
            job.job_output = progress.output
            return
    original(self, env=env, job=job)
