"""Run executions: tell them what has happened, and do what they want.

`states_language.interpreter.step` decides what an execution does. It makes no call and knows no time. Here is
what is around it: calls, timers, tokens, children, and whoever waits for an end. A step runs for one
execution at a time (``Run.lock``), in a thread of the pool or of a request.

Locks are taken from a parent to its children. A child tells its parent something in another thread.
"""

import json
import random
import sys
import threading
import traceback
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, cast

from sfn_emulator.http.messages import Scope
from sfn_emulator.logs import LogWriter
from sfn_emulator.process.pool import Pool
from sfn_emulator.process.store import History, Log, give_back_soon, storage
from sfn_emulator.process.timers import Timers, now
from sfn_emulator.states.calls import Calls
from sfn_emulator.states.execution_log import ExecutionLog
from sfn_emulator.states.guard import TimeGuard
from sfn_emulator.states.machines import Started
from sfn_emulator.states.map_runs import Child, MapRun, MapRuns
from sfn_emulator.states.mocks import Mocks
from sfn_emulator.states.run import Run, described
from sfn_emulator.storage.clients import CallError
from sfn_emulator.watching.changes import Announce, StatusChange
from states_language.execution import (
    Answered,
    Beat,
    Call,
    Cancel,
    Done,
    Effect,
    Execution,
    Failed,
    Input,
    OpenMapRun,
    Redrive,
    SetTimer,
    Start,
    StartChild,
    Stop,
    Submitted,
    Succeeded,
)
from states_language.failures import Failure
from states_language.outside import Outside
from states_language.values import compact, moment

_SYNC: Final = ".sync"
_SHOWN: Final = 600  # letters of an error in the emulator's log
_MUCH: Final = 16 << 20  # bytes of a history
_FAULT: Final = "This is a fault of the emulator, not of your state machine. Its log says more."


class World:
    """What is around the executions of one emulator.

    Args:
        pool: Its threads.
        timers: Its timers.
        calls: Make the calls of executions.
        may_start: Why a role may not start executions of a machine, from the ARNs of both; empty if it may.
        announce: Learns that an execution has begun or ended.
        writer: Writes the logs of executions.
        mocks: Answer calls in the place of services.

    Attributes:
        runs: Standard executions by their ARNs, the oldest first.
        map_runs: Map Runs and their children.
    """

    def __init__(
        self,
        pool: Pool,
        timers: Timers,
        calls: Calls,
        *,
        may_start: Callable[[str, str], str],
        announce: Announce,
        writer: LogWriter,
        mocks: Mocks,
    ) -> None:
        self.pool, self.timers, self.calls = pool, timers, calls
        self._may_start, self._announce = may_start, announce
        self._writer, self.mocks = writer, mocks
        self.runs: dict[str, Run] = {}
        self.map_runs = MapRuns()
        self._express: set[Run] = set()
        self._tokens: dict[str, Run | str] = {}  # the ARN of the machine if the execution has ended
        self._waiting: dict[str, list[tuple[Run, Call]]] = {}  # for executions, by their ARNs
        self._waits = threading.Lock()
        self._random = random.Random()
        storage.runs = self.all

    def all(self) -> Iterator[Run]:
        """All executions, also express executions and children, as long as they run."""
        yield from list(self.runs.values())
        yield from list(self._express)
        yield from self.map_runs.running()

    # What happens

    def begin(self, run: Run, *, wait: bool = False) -> None:
        """Start an execution in another thread, or here until its end."""
        storage.begins()
        if wait:
            run.over = threading.Event()
        if run.express:
            self._express.add(run)
        self.tell_watchers(run)
        if wait:
            self._work_here(run, run.began)
        else:
            self.pool.submit(self._work, run, (Start(),), run.began)

    def run_alone(self, run: Run, seconds: float) -> None:
        """Run something that nobody watches, for at most so many seconds."""
        over, key = threading.Event(), _new_id()
        run.over = over
        self.timers.set(now() + seconds, key, lambda _: over.set())
        self._work_here(run)
        self.timers.cancel(key)
        self.drop(run)

    def _work_here(self, run: Run, at: float = 0) -> None:
        """Start an execution in this thread, and wait for its end."""
        assert run.over is not None
        with self.pool.counted(works=True):
            self._work(run, (Start(),), at)
        with self.pool.counted(works=False):
            run.over.wait()

    def redrive(self, run: Run) -> None:
        """Let an execution go on that did not succeed. The caller holds its lock."""
        run.status, run.stopped = "RUNNING", 0
        run.history.log = self.log_of(run.arn, run.started, run.scope, run.redrives.count)
        self.tell_watchers(run)
        self.tell(run, Redrive(), at=run.redrives.date)

    def tell(self, run: Run, *inputs: Input, at: float = 0) -> None:
        """Tell an execution what has happened. It is done when this returns. Calls go on in other threads."""
        for call in self._step(run, inputs, at):
            self.pool.submit(self._call, run, call)

    def stop(self, run: Run, message: Stop) -> None:
        """Stop an execution, also in the middle of a step. It has ended when this returns."""
        run.interrupt(message)
        with run.lock:
            run.interrupt(message)  # a redrive may just have begun
            self.tell(run)

    def is_token(self, token: str) -> bool:
        """Whether a task has this token, or had it."""
        return token in self._tokens

    def machine_of(self, token: str) -> str:
        """The ARN of the machine whose task has this token, or had it; empty if none had."""
        run = self._tokens.get(token, "")
        return run if isinstance(run, str) else _machine_of(run)

    def report(self, message: Answered | Beat) -> bool:
        """Tell a task what somebody has sent by its token. False if the task does not wait any more."""
        if isinstance(run := self._tokens[message.token], str):
            return False
        with run.lock:
            frame = run.waiting_for(message.token)
            if frame is None or frame.early is not None:
                return False
            self.tell(run, message)
            return True

    def drop(self, run: Run) -> None:
        """End an execution without a word, because nobody can ask for it any more."""
        run.dropped = True
        run.interrupt(Stop())
        with run.lock:
            if run.status == "RUNNING":
                run.status, run.stopped = "ABORTED", now()
            self._tokens.update(dict.fromkeys(run.tokens, _machine_of(run)))
            execution, run.execution = run.execution, None
            for key in [*execution.frames, execution.timer] if execution else ():
                self.timers.cancel(key)
            for map_run in list(run.map_runs.values()):
                self._stop_children(map_run)
            run.map_runs.clear()
        self._express.discard(run)
        run.history.close()
        give_back_soon()
        if run.over:
            run.over.set()

    def forget(self, run: Run) -> None:
        """Forget an execution that has ended, or was dropped."""
        self.runs.pop(run.arn, None)
        self.map_runs.forget(run.arn)
        self._tell_followers(run)

    def reset(self) -> None:
        """Forget everything."""
        for run in list(self.all()):
            self.drop(run)
        self.runs.clear()
        self.map_runs.reset()
        self.mocks.reset()
        self._tokens.clear()
        self._waiting.clear()

    def log_of(self, arn: str, started: Started, scope: Scope, redrives: int = 0) -> Log | None:
        """Where the events of an execution go, besides its history; None if the machine has no log."""
        machine = started.machine
        if machine["loggingConfiguration"]["level"] == "OFF":
            return None
        names = started.names
        return ExecutionLog(arn, machine, scope, self._writer, redrives=redrives, names=names).write

    def tell_watchers(self, run: Run) -> None:
        """Tell those who watch executions that this one has begun or has ended."""
        began = run.status == "RUNNING"
        at = (run.redrives.date or run.began) if began else run.stopped
        self._announce(
            StatusChange(
                run.arn,
                run.started.arn,
                run.started.names,
                run.express,
                run.status,
                at,
                run.began,
                lambda: described(run),
                run.redrives.count > 0,
            )
        )

    def _work(self, run: Run, inputs: Sequence[Input], at: float = 0) -> None:
        """Tell an execution something, and make its calls in this thread, as far as it has one at a time."""
        while calls := self._step(run, inputs, at):
            at = 0
            for call in calls[1:]:
                self.pool.submit(self._call, run, call)
            inputs = self._answer(run, calls[0])

    def _call(self, run: Run, call: Call) -> None:
        self._work(run, self._answer(run, call))

    def _answer(self, run: Run, call: Call) -> Sequence[Input]:
        """Make a call; what to tell the execution then."""
        if (context := run.context_for(call.id)) is None:
            return ()
        if (mocked := self.mocks.answer(run, call)) is not None:
            return mocked
        answer = self.calls.make(call, context, run.role)
        if _SYNC not in call.resource or not isinstance(answer, Succeeded):
            return (answer,)
        job = answer.output["ExecutionArn"]
        with run.lock:
            if waits := run.waiting_for(call.id) is not None:
                run.jobs[call.id] = job, call.role or run.role
        if not waits:
            self.calls.stop(job, call.role or run.role, run.region)
            return ()
        self.tell(run, Submitted(call.id, answer.output))
        self._follow(run, call, job)
        return ()

    # What executions want

    def _step(self, run: Run, inputs: Sequence[Input], at: float = 0) -> list[Call]:
        """Make a step, now or at an earlier moment, and do what follows from it, except its calls."""
        with run.lock:
            try:
                return self._stepped(run, inputs, at)
            except Exception:  # half of it is done, so it must not go on
                traceback.print_exc()
                run.interrupt(Failure("States.Runtime", _FAULT))
                return self._stepped(run, ())

    def _stepped(self, run: Run, inputs: Sequence[Input], at: float = 0) -> list[Call]:
        calls: list[Call] = []
        while True:
            outside = Outside(at or now(), self._random, _new_id, TimeGuard)
            refused: list[Input] = []
            for effect in run.take(inputs, outside):
                self._do(run, effect, calls, refused)
            for map_run in [it for it in run.map_runs.values() if it.inner.status != "RUNNING"]:
                self._stop_children(map_run)
                map_run.stop = now()
                del run.map_runs[map_run.arn]
            if not refused:
                return calls
            inputs = refused

    def _do(self, run: Run, effect: Effect, calls: list[Call], refused: list[Input]) -> None:
        if isinstance(effect, Call):
            if effect.token:
                self._tokens[effect.token] = run
                run.tokens.append(effect.token)
            calls.append(effect)
        elif isinstance(effect, SetTimer):
            frame = run.waiting_for(effect.id)
            pauses = frame is not None and frame.waits[effect.id] in {"wait", "retry"}
            self.timers.set(effect.at, effect.id, run.ring, "pause" if pauses else "limit")
        elif isinstance(effect, Cancel):
            self._cancel(run, effect.id)
        elif isinstance(effect, Done):
            self._ended(run)
        elif isinstance(effect, OpenMapRun):
            self._open(run, effect, refused)
        elif isinstance(effect, StartChild):
            if any(effect.map_run == it.id for it in refused if isinstance(it, Failed)):
                return
            map_run = self._going_on(run, effect.map_run)
            map_run.workflow = effect.workflow
            map_run.waiting[effect.id] = effect
            self._start_children(run, map_run)
        else:
            frame = run.waiting_for(effect.id)
            assert frame is not None and frame.map_run is not None
            map_run = self._going_on(run, frame.map_run.arn)
            map_run.waiting[effect.id] = map_run.never_began.pop(effect.id, effect)
            self._start_children(run, map_run)

    def _cancel(self, run: Run, key: str) -> None:
        self.timers.cancel(key)
        if job := run.jobs.pop(key, None):
            self.pool.submit(self.calls.stop, *job, run.region)
        for map_run in run.map_runs.values():
            if effect := map_run.waiting.pop(key, None):
                map_run.never_began[key] = effect
            if (child := map_run.by_key.get(key)) and (its := child.run):
                self.stop(its, Stop())

    def _ended(self, run: Run) -> None:
        execution = run.execution
        assert execution is not None
        run.status, run.stopped = execution.status, run.history.at
        self._tokens.update(dict.fromkeys(run.tokens, _machine_of(run)))
        run.tokens = []
        if run.express:
            self._express.discard(run)
        if run.parent:
            self._child_ended(run, execution)
        elif run.over is None and (
            run.express or run.status == "SUCCEEDED" or isinstance(execution.interrupt, Failure)
        ):
            run.execution = None  # it cannot be redriven; one that held too much begins again
        if not (run.parent or run.dropped):
            self.tell_watchers(run)
            if run.status in {"FAILED", "TIMED_OUT"}:
                told = ": ".join(filter(None, (execution.error, execution.cause)))[:_SHOWN]
                print(f"{run.arn} {run.status} {told}", file=sys.stderr, flush=True)
        self._tell_followers(run)
        if isinstance(execution.interrupt, Failure) or run.history.size > _MUCH:
            give_back_soon()
        if run.over:
            run.over.set()

    # Executions that wait for executions

    def _tell_followers(self, run: Run) -> None:
        with self._waits:
            waiting = self._waiting.pop(run.arn, ())
        for other, call in waiting:
            self.pool.submit(self._follow, other, call, run.arn)

    def _follow(self, run: Run, call: Call, job: str) -> None:
        """Tell an execution how the execution has ended that one of its tasks waits for."""
        role, answer = call.role or run.role, cast("Input | None", None)
        try:
            while answer is None:
                parsed = call.resource.endswith(":2")
                status, told = self.calls.describe(job, role, run.region, parsed=parsed)
                if status == "SUCCEEDED":
                    answer = Succeeded(call.id, told)
                elif status != "RUNNING":
                    answer = Failed(call.id, "States.TaskFailed", compact(told))
                else:
                    with self._waits:
                        found = self.runs.get(job)
                        if found is None or found.is_running:
                            self._waiting.setdefault(job, []).append((run, call))
                            return
        except CallError as error:
            answer = self.calls.failed(call, "states", error)
        run.jobs.pop(call.id, None)
        self._work(run, (answer,))

    # Children of Distributed Maps

    def _open(self, run: Run, effect: OpenMapRun, refused: list[Input]) -> None:
        map_run = MapRun(effect.run, effect.label, run, now())
        run.map_runs[map_run.arn] = map_run
        self.map_runs.add(map_run)
        if reason := self._may_start(run.role, map_run.base_arn):
            service = f"(Service: Sfn, Status Code: 400, Request ID: {uuid.uuid4()})"
            cause = f"Error contacting AWS Service. | Message from Service: {reason} {service}"
            refused.append(Failed(map_run.arn, "States.Permissions", cause))

    def _going_on(self, run: Run, arn: str) -> MapRun:
        """A Map Run, which goes on if it had ended before a redrive."""
        if arn not in run.map_runs:
            found = self.map_runs.find(arn)
            assert found is not None
            found.reopen()
            run.map_runs[arn] = found
        return run.map_runs[arn]

    def _start_children(self, run: Run, map_run: MapRun) -> None:
        while map_run.waiting and map_run.has_room:
            effect = map_run.waiting.pop(next(iter(map_run.waiting)))
            map_run.running += 1
            if isinstance(effect, StartChild):
                self._start_child(run, map_run, effect)
            else:
                self._redrive_child(run, map_run, map_run.by_key[effect.id])

    def _start_child(self, parent: Run, map_run: MapRun, effect: StartChild) -> None:
        kind, tail = ("express", f":{uuid.uuid4()}") if effect.type == "EXPRESS" else ("execution", "")
        arn = f"{map_run.machine_arn.replace(':stateMachine:', f':{kind}:')}:{effect.id}{tail}"
        assert parent.execution is not None
        began, context = now(), parent.execution.context
        child = Child(arn, effect.id, effect.items, began)
        own = context["Execution"] | {
            "Id": arn,
            "Input": effect.input,
            "StartTime": moment(began),
            "Name": effect.id,
            "RedriveCount": 0,
        }
        name = map_run.machine_arn.rpartition(":")[2]
        machine = {"Id": map_run.machine_arn, "Name": name}
        shown = {**context, **effect.shown, "Execution": own, "StateMachine": machine}
        shown["Execution"].pop("RedriveTime", None)
        child.run = self._made_child(parent, map_run, child, compact(effect.input))
        execution = Execution(effect.workflow, effect.input, shown, effect.type)
        execution.history, child.run.execution = child.run.history, execution
        self.map_runs.add_child(map_run, child)
        self.pool.submit(self._work, child.run, (Start(),))

    def _made_child(self, parent: Run, map_run: MapRun, child: Child, given: str) -> Run:
        machine = {**parent.started.machine, "type": map_run.inner.type}
        started = replace(parent.started, arn=map_run.machine_arn, machine=machine, names={})
        log = self.log_of(child.arn, started, parent.scope, child.redrives)
        history = History(log, kept=map_run.inner.type == "STANDARD")
        run = Run(child.arn, started, parent.scope, None, history, given, child.start, self)
        run.parent, run.redrives.count = (parent, map_run, child), child.redrives
        return run

    def _child_ended(self, run: Run, execution: Execution) -> None:
        assert run.parent is not None
        parent, map_run, child = run.parent
        answer: Input = Succeeded(child.key, execution.output)
        if run.status != "SUCCEEDED":
            answer = Failed(child.key, execution.error, execution.cause, run.status)
        map_run.keep(child, run, execution)
        child.status, child.stop, child.run = run.status, run.stopped, None
        run.execution = None
        run.history.close()
        self.pool.submit(self._child_told, parent, map_run, answer)

    def _child_told(self, parent: Run, map_run: MapRun, answer: Input) -> None:
        self.tell(parent, answer)  # its failure counts before another child takes its place
        with parent.lock:
            map_run.running -= 1
            if map_run.inner.status == "RUNNING" and parent.execution:
                self._start_children(parent, map_run)

    def _stop_children(self, map_run: MapRun) -> None:
        map_run.waiting.clear()
        for child in list(map_run.by_key.values()):
            if run := child.run:
                self.stop(run, Stop())

    def _redrive_child(self, parent: Run, map_run: MapRun, child: Child) -> None:
        told = map_run.told(child)
        if child.status == "SUCCEEDED":  # its parent failed before it heard of that
            answer = Succeeded(child.key, json.loads(told["output"]))
            self.pool.submit(self._child_told, parent, map_run, answer)
            return
        child.redrives += 1
        child.run = run = self._made_child(parent, map_run, child, told["input"])
        log, run.history.log = run.history.log, None
        for event in told["events"]:
            run.history.append(event)
        run.history.log = log
        execution: Execution = told["execution"]
        execution.history, run.execution = run.history, execution
        child.status, child.stop = "RUNNING", 0
        self.pool.submit(self._work, run, (Redrive(),))


def _machine_of(run: Run) -> str:
    """The machine of an execution; for a child of a Map Run, that of its oldest parent."""
    while run.parent:
        run = run.parent[0]
    return run.started.arn


def _new_id() -> str:
    return str(uuid.uuid4())
