"""Run a state machine inside a test, without a server, an account or a clock.

    answers = {"Charge": [Error("GatewayDown"), {"charged": 7}], "Approve": Token()}
    machine = Machine("order.asl.json", tasks=answers)
    run = machine.start({"order": 1})
    run.advance("1h")
    run.token("Approve").success({"by": "Ann"})
    assert run.path == ["Charge", "Wait", "Approve"]
    assert run.attempts("Charge") == 2

Time stands, and moves when it is told. A task answers what the test says, at once or after some time.
"""

import heapq
import json
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from states_language import execution as told
from states_language.execution import (
    Call,
    Cancel,
    Done,
    Effect,
    Event,
    Execution,
    Input,
    Json,
    SetTimer,
    StartChild,
)
from states_language.interpreter import step
from states_language.outside import Outside
from states_language.structure import all_states
from states_language.validation import diagnostics

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
_MACHINE: Final = "arn:aws:states:us-east-1:123456789012:stateMachine:"
_MOST_STEPS: Final = 1_000_000


class MachineError(Exception):
    """A test cannot go on. The text says where, why, and what to write."""


@dataclass(frozen=True)
class Error:
    """An answer: the task fails.

    Args:
        name: The error's name, as Retry and Catch see it.
        cause: The cause.
    """

    name: str
    cause: str | None = None


@dataclass(frozen=True)
class Slow:
    """An answer that takes some time.

    Args:
        time: Seconds, or a text such as ``"10s"``, ``"5m"`` or ``"1h"``.
        answer: Any other answer.
    """

    time: float | str
    answer: Any = None


@dataclass(frozen=True)
class Token:
    """An answer: the task waits for its token, or for its worker. See `Run.token`."""


Answer = Any
"""A value, an `Error`, a `Slow`, a `Token`, a function of the input, or a list with one for each attempt."""


def seconds(time: float | str) -> float:
    """A time in seconds.

    Args:
        time: A number, or a text such as ``"90s"``, ``"5m"``, ``"1h"`` or ``"2d"``.

    Raises:
        ValueError: It is neither.
    """
    try:
        if isinstance(time, str) and time[-1:] in _UNITS:
            return float(time[:-1]) * _UNITS[time[-1]]
        return float(time)
    except ValueError:
        raise ValueError(
            f"{time!r} is no time. Write seconds, or a text such as '90s', '5m', '1h' or '2d'."
        ) from None


class Machine:
    """A state machine, and what its tasks answer.

    Args:
        definition: The path of a file, the text of a definition, or a definition.
        tasks: What each Task answers, by the name of its state. A list has one answer for each attempt; the
            last one holds for all further attempts.
        files: What an ItemReader reads: texts by ``"bucket/key"``.
        type: ``"STANDARD"`` or ``"EXPRESS"``.
        seed: For random numbers, jitter and ids. The same seed gives the same run.

    Raises:
        MachineError: The definition is refused, or an answer is for no Task.
    """

    def __init__(
        self,
        definition: str | Path | Mapping[str, Any],
        *,
        tasks: Mapping[str, Answer] | None = None,
        files: Mapping[str, str] | None = None,
        type: str = "STANDARD",
        seed: int = 0,
    ) -> None:
        text, self.name = _text_of(definition)
        wrong = [it for it in diagnostics(text, express=type == "EXPRESS") if it.severity == "ERROR"]
        if wrong:
            at = f" at {wrong[0].location}" if wrong[0].location else ""
            raise MachineError(f"The definition {self.name!r} is refused: {wrong[0].message}{at}")
        self.definition: dict[str, Any] = json.loads(text)
        self.tasks, self.files = dict(tasks or {}), dict(files or {})
        self.type, self.seed = type, seed
        known = [name for name, state in all_states(self.definition) if state["Type"] == "Task"]
        for name in self.tasks:
            if name not in known:
                raise MachineError(f"No Task is called {name!r}. The Tasks are: {', '.join(known)}.")

    def start(self, input: Json = None, *, name: str = "run", at: datetime | None = None) -> "Run":
        """Start an execution. It runs until it waits for time or for a token.

        Args:
            input: The input; by default ``{}``.
            name: The name of the execution.
            at: When it starts; by default at the beginning of 2026, in UTC.
        """
        return Run(self, {} if input is None else input, name, _BEGIN if at is None else at.timestamp())


def _text_of(definition: str | Path | Mapping[str, Any]) -> tuple[str, str]:
    if isinstance(definition, Mapping):
        return json.dumps(definition), "machine"
    if isinstance(definition, str) and definition.lstrip().startswith("{"):
        return definition, "machine"
    path = Path(definition)
    try:
        return path.read_text(encoding="utf-8"), path.name.partition(".")[0]
    except OSError as error:
        raise MachineError(f"The definition {str(path)!r} cannot be read: {error.strerror}.") from None


class Run:
    """An execution in virtual time. Make it with `Machine.start`.

    Attributes:
        now: The time, in seconds since 1970.
        children: The child executions of Distributed Maps, in the order in which they began.
    """

    def __init__(self, machine: Machine, given: Json, name: str, now: float) -> None:
        self.now, self.children = now, list[Run]()
        self._machine, self._random = machine, Random(machine.seed)
        self._timers: list[tuple[float, int, Run, str | Input]] = []
        self._calls: deque[tuple[Run, Call]] = deque()
        self._order = 0
        self._cancelled: set[str] = set()
        self._told: dict[str, int] = {}
        self._tokens: dict[str, tuple[Run, str]] = {}
        at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        arn = _MACHINE + machine.name
        context = {
            "Execution": {
                "Id": f"{arn.replace(':stateMachine:', ':execution:')}:{name}",
                "Input": given,
                "StartTime": at,
                "Name": name,
                "RoleArn": "arn:aws:iam::123456789012:role/machine",
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": arn, "Name": machine.name},
        }
        self._world, self._parent = self, ""
        self.execution = Execution(machine.definition, given, context, machine.type)
        self._tell(told.Start())
        self._answer()

    # What one asks

    @property
    def status(self) -> str:
        """``RUNNING``, ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``."""
        return self.execution.status

    @property
    def output(self) -> Json:
        """The output of an execution that has succeeded."""
        return self.execution.output

    @property
    def error(self) -> str | None:
        """The error of an execution that has failed."""
        return self.execution.error

    @property
    def cause(self) -> str | None:
        """The cause of the error."""
        return self.execution.cause

    @property
    def events(self) -> list[Event]:
        """The history, as GetExecutionHistory gives it."""
        return list(self.execution.history)  # type: ignore[call-overload, no-any-return]

    @property
    def path(self) -> list[str]:
        """The names of the states in the order in which they were entered."""
        entered = [event.get("stateEnteredEventDetails") for event in self.events]
        return [details["name"] for details in entered if details]

    def attempts(self, state: str) -> int:
        """How often a Task has called its resource."""
        return self._world._told.get(state, 0)

    def input_of(self, state: str) -> Json:
        """The latest input of a state.

        Raises:
            MachineError: It was not entered.
        """
        return self._latest(state, "stateEntered", "input")

    def output_of(self, state: str) -> Json:
        """The latest output of a state.

        Raises:
            MachineError: It has not ended.
        """
        return self._latest(state, "stateExited", "output")

    def _latest(self, state: str, kind: str, field: str) -> Json:
        for run in (*reversed(self.children), self):
            for event in reversed(run.events):
                details = event.get(f"{kind}EventDetails", {})
                if details.get("name") == state:
                    return json.loads(details[field])
        raise MachineError(f"The run has no {field} of the state {state!r}. Its path is {self.path}.")

    # What one does

    def advance(self, time: float | str) -> "Run":
        """Let time pass: timers ring, slow answers come.

        Args:
            time: Seconds, or a text such as ``"90s"``, ``"5m"`` or ``"1h"``.
        """
        until = self.now + seconds(time)
        while self._timers and self._timers[0][0] <= until:
            self._ring()
        self.now = until
        return self

    def finish(self) -> "Run":
        """Let time pass until the execution ends, or until it only waits for a token.

        Raises:
            MachineError: It does not end.
        """
        for _ in range(_MOST_STEPS):
            if self.status != "RUNNING" or not self._timers:
                return self
            self._ring()
        raise MachineError(f"The run has not ended after {_MOST_STEPS} moments. It is in {self.path[-1]!r}.")

    def token(self, state: str) -> "Waiting":
        """The task of a state that waits for its token.

        Raises:
            MachineError: None waits.
        """
        waiting = [(run, token) for token, (run, name) in self._tokens.items() if name == state]
        waiting = [(run, token) for run, token in waiting if token in run.execution.frames]
        if not waiting:
            names = sorted(
                {name for token, (run, name) in self._tokens.items() if token in run.execution.frames}
            )
            others = f"These wait: {', '.join(names)}." if names else "No state waits for a token."
            raise MachineError(f"The state {state!r} does not wait for a token. {others}")
        return Waiting(self, *waiting[0])

    def stop(self, error: str | None = None, cause: str | None = None) -> "Run":
        """Stop the execution, as StopExecution does."""
        self._tell(told.Stop(error, cause))
        return self

    def redrive(self) -> "Run":
        """Let an execution that did not succeed go on where it failed, as RedriveExecution does.

        Raises:
            MachineError: It runs, or it has succeeded.
        """
        if self.status in {"RUNNING", "SUCCEEDED"}:
            raise MachineError(f"A run that is {self.status} cannot be redriven.")
        self._tell(told.Redrive())
        self._answer()
        return self

    # The world around the interpreter

    def _tell(self, *inputs: Input) -> None:
        world = self._world
        outside = Outside(world.now, world._random, world._new_id)
        for effect in step(self.execution, inputs, outside):
            self._do(effect)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def _do(self, effect: Effect) -> None:
        world = self._world
        if isinstance(effect, SetTimer):
            world._at(effect.at, self, effect.id)
        elif isinstance(effect, Cancel):
            world._cancelled.add(effect.id)
        elif isinstance(effect, Call):
            world._calls.append((self, effect))
        elif isinstance(effect, StartChild):
            self._start_child(effect)
        elif isinstance(effect, Done) and self._parent:
            world._at(world.now, self, "")

    def _at(self, moment: float, run: "Run", what: str | Input) -> None:
        self._order += 1
        heapq.heappush(self._timers, (moment, self._order, run, what))

    def _start_child(self, effect: StartChild) -> None:
        world = self._world
        child = object.__new__(Run)
        child.__dict__ |= {"_world": world, "_parent": effect.id, "children": [], "_machine": self._machine}
        child._of, child.now = self, world.now  # type: ignore[attr-defined]
        context = self.execution.context
        machine = effect.map_run.replace(":mapRun:", ":stateMachine:").rpartition(":")[0]
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{effect.id}"
        context = {
            **context,
            **effect.shown,
            "Execution": {**context["Execution"], "Id": arn, "Name": effect.id, "Input": effect.input},
        }
        child.execution = Execution(effect.workflow, effect.input, context, effect.type)
        world.children.append(child)
        child._tell(told.Start())

    def _answer(self) -> None:
        """Answer the calls, in their order, and end children."""
        while self._calls or (self._timers and self._timers[0][0] <= self.now and self._timers[0][3] == ""):
            if self._calls:
                run, call = self._calls.popleft()
                if call.id not in self._cancelled:
                    run._answer_one(call)
            else:
                self._ring()

    def _answer_one(self, call: Call) -> None:
        world = self._world
        if call.state not in world._machine.tasks and call.resource.rpartition(":")[2] in {
            "getObject",
            "listObjectsV2",
        }:
            self._tell(self._read(call))
            return
        number = world._told.get(call.state, 0)
        world._told[call.state] = number + 1
        answer = self._machine.tasks.get(call.state, _MISSING)
        if isinstance(answer, list):
            answer = answer[min(number, len(answer) - 1)] if answer else _MISSING
        if answer is _MISSING:
            raise MachineError(
                f"The Task {call.state!r} calls {call.resource!r}, and the test has no answer for it. Write "
                f"tasks={{{call.state!r}: ...}} with a value, Error(...), Token(), a list or a function."
            )
        self._give(call, answer)

    def _give(self, call: Call, answer: Answer) -> None:
        world = self._world
        if isinstance(answer, Slow):
            slow = replace(call)
            world._at(world.now + seconds(answer.time), self, _Later(slow, answer.answer))  # type: ignore[arg-type]
            return
        if isinstance(answer, Callable):  # type: ignore[arg-type]
            answer = answer(call.arguments)
            if isinstance(answer, Slow):
                self._give(call, answer)
                return
        if call.token:
            world._tokens[call.token] = (self, call.state)
        if isinstance(answer, Token):
            if ":activity:" not in call.resource:
                self._tell(told.Succeeded(call.id, {}))
        elif isinstance(answer, Error):
            self._tell(told.Failed(call.id, answer.name, answer.cause))
        elif call.token:
            self._tell(told.Succeeded(call.id, {}))
            self._tell(told.Answered(call.token, answer))
        else:
            if ".sync" in call.resource:
                self._tell(told.Submitted(call.id, {}))
            self._tell(told.Succeeded(call.id, answer))

    def _read(self, call: Call) -> Input:
        files, where = self._machine.files, call.arguments
        if call.resource.endswith("getObject"):
            name = f"{where['Bucket']}/{where['Key']}"
            if name not in files:
                raise MachineError(f"The Map {call.state!r} reads {name!r}. Write files={{{name!r}: text}}.")
            return told.Succeeded(call.id, files[name])
        listed = [
            {
                "Key": name.partition("/")[2],
                "Size": len(text.encode()),
                "Etag": '""',
                "LastModified": 0,
                "StorageClass": "STANDARD",
            }
            for name, text in sorted(files.items())
            if name.startswith(f"{where['Bucket']}/{where.get('Prefix', '')}")
        ]
        return told.Succeeded(call.id, {"Contents": listed})

    def _ring(self) -> None:
        """Let everything happen that is due next."""
        self.now = max(self.now, self._timers[0][0])
        due: dict[Run, list[Input]] = {}
        while self._timers and self._timers[0][0] <= self.now:
            _, _, run, what = heapq.heappop(self._timers)
            if isinstance(what, _Later):
                if what.call.id not in self._cancelled:
                    run._give(what.call, what.answer)
            elif what == "":
                run._end_child()
            elif what not in self._cancelled:
                due.setdefault(run, []).append(told.Due(what))  # type: ignore[arg-type]
        for run, inputs in due.items():
            run._tell(*inputs)
        self._answer()

    def _end_child(self) -> None:
        done, parent = self.execution, self._of  # type: ignore[attr-defined]
        if done.status == "SUCCEEDED":
            parent._tell(told.Succeeded(self._parent, done.output))
        else:
            parent._tell(told.Failed(self._parent, done.error, done.cause, done.status))


_MISSING: Final = object()


@dataclass(frozen=True)
class _Later:
    """An answer that comes later."""

    call: Call
    answer: Answer

    def __lt__(self, other: object) -> bool:
        return False


@dataclass(frozen=True)
class Waiting:
    """A task that waits for its token."""

    world: Run
    run: Run
    token: str

    def success(self, output: Json = None) -> Run:
        """Send SendTaskSuccess."""
        return self._send(told.Answered(self.token, {} if output is None else output))

    def failure(self, error: str | None = None, cause: str | None = None) -> Run:
        """Send SendTaskFailure."""
        return self._send(told.Answered(self.token, error=error, cause=cause, is_failure=True))

    def heartbeat(self) -> Run:
        """Send SendTaskHeartbeat."""
        return self._send(told.Beat(self.token))

    def _send(self, message: Input) -> Run:
        self.run._tell(message)
        self.world._answer()
        return self.world
