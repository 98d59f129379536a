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

import copy
import heapq
import json
import math
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from operator import methodcaller
from pathlib import Path
from random import Random
from typing import Any, Final

from states_language.execution import (
    Answered,
    Beat,
    Call,
    Cancel,
    Done,
    Due,
    Event,
    Execution,
    Failed,
    Input,
    Json,
    Redrive,
    RedriveChild,
    SetTimer,
    Start,
    StartChild,
    Stop,
    Submitted,
    Succeeded,
)
from states_language.interpreter import step
from states_language.outside import Outside
from states_language.structure import all_states
from states_language.validation import diagnostics
from states_language.values import moment

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
_EMPTY: Final = object()
_MISSING: Final = object()
_PREFIX: Final = "arn:aws:states:us-east-1:123456789012:"
_MOST_MOMENTS: Final = 1_000_000
_MOST_EVENTS: Final = 250_000  # of an Express execution in one moment


class MachineError(Exception):
    """A test cannot go on. The text says where, why, and what to write."""


#: pytest shows the line of the test, and not ours.
__tracebackhide__ = methodcaller("errisinstance", MachineError)


@dataclass(frozen=True)
class Error:
    """An answer: the task fails.

    Args:
        name: The error's name, as Retry and Catch see it.
        cause: The cause.

    Raises:
        MachineError: The name or the cause is no text.
    """

    name: str
    cause: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not isinstance(self.cause, str | None):
            raise MachineError(
                "An Error has a name and a cause, as texts: Error('GatewayDown', 'no answer')."
            )


@dataclass(frozen=True)
class Slow:
    """An answer that takes some time.

    Args:
        time: Seconds, or a text such as ``"10s"``, ``"5m"`` or ``"1h"``.
        answer: Any other answer. A list is a value here, and a function is called after the time.

    Raises:
        MachineError: The time is no time.
    """

    time: float | str
    answer: Any = None

    def __post_init__(self) -> None:
        seconds(self.time)


@dataclass(frozen=True)
class Token:
    """An answer: the task waits for its token, or for its worker. See `Run.token`."""


Answer = Any
"""A value, an `Error`, a `Slow`, a `Token`, a function of the input, or a list with one for each call."""


def seconds(time: float | str) -> float:
    """A time in seconds.

    Args:
        time: A number, or a text such as ``"90s"``, ``"5m"``, ``"1h"`` or ``"2d"``.

    Raises:
        MachineError: It is neither, or it is negative.
    """
    try:
        if isinstance(time, str) and time[-1:] in _UNITS:
            found = float(time[:-1]) * _UNITS[time[-1]]
        else:
            found = float(time)
    except (TypeError, ValueError):
        found = -1.0
    if not 0 <= found < math.inf:
        raise MachineError(
            f"{time!r} is no time. Write seconds, or a text such as '90s', '5m', '1h' or '2d'."
        )
    return found


def _as_json(value: Json, what: str) -> Json:
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise MachineError(f"{what} is {value!r}, which is not JSON.") from None


class _ExpressHistory(list[Event]):
    """The events of an Express execution. AWS has no limit for them, so one without an end is interrupted."""

    def __init__(self, execution: Execution) -> None:
        super().__init__()
        self._execution = execution

    def append(self, event: Event) -> None:
        """Add an event."""
        super().append(event)
        if len(self) > _MOST_EVENTS and self[-_MOST_EVENTS]["timestamp"] == event["timestamp"]:
            self._execution.interrupt = Stop()


class Machine:
    """A state machine, and what its tasks answer.

    Args:
        definition: The path of a file, the text of a definition, or a definition.
        tasks: What each Task answers, by the name of its state. A list has one answer for each call; the
            last one holds for all further calls.
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
            told = ", ".join(f"{it.message} at {it.location}" if it.location else it.message for it in wrong)
            raise MachineError(f"The definition {self.name!r} is refused: {told}")
        if type not in {"STANDARD", "EXPRESS"}:
            raise MachineError(f"type is {type!r}. Write 'STANDARD' or 'EXPRESS'.")
        self.definition: dict[str, Any] = json.loads(text)
        for field, given in (("tasks", tasks), ("files", files)):
            if not isinstance(given or {}, Mapping):
                raise MachineError(f"{field} is {given!r}. Write a dict, as the README shows.")
        self.tasks, self.files = dict(tasks or {}), dict(files or {})
        self.type, self.seed = type, seed
        for name in self.tasks:
            self.check_task(name)

    def check_task(self, name: str) -> None:
        """Refuse the name of a state that is no Task.

        Raises:
            MachineError: No Task is called so.
        """
        known = [each for each, state in all_states(self.definition) if state["Type"] == "Task"]
        if name not in known:
            raise MachineError(f"No Task is called {name!r}. The Tasks are: {', '.join(known)}.")

    def start(self, input: Json = _EMPTY, *, name: str = "run", at: datetime | None = None) -> "Run":
        """Start an execution. It runs until it waits for time or for a token.

        Args:
            input: The input; by default ``{}``.
            name: The name of the execution.
            at: When it starts; by default at the beginning of 2026, in UTC.
        """
        given = {} if input is _EMPTY else _as_json(input, "The input")
        world = _World(self, _BEGIN if at is None else at.timestamp())
        arn = f"{_PREFIX}stateMachine:{self.name}"
        context = {
            "Execution": {
                "Id": f"{_PREFIX}execution:{self.name}:{name}",
                "Input": given,
                "Name": name,
                "RoleArn": "arn:aws:iam::123456789012:role/machine",
                "StartTime": moment(world.now),
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": arn, "Name": self.name},
        }
        run = Run(world, Execution(self.definition, given, context, self.type))
        world.tell(run, Start())
        world.settle()
        return run


def _text_of(definition: str | Path | Mapping[str, Any]) -> tuple[str, str]:
    if isinstance(definition, Mapping):
        return json.dumps(_as_json(definition, "The definition")), "machine"
    if isinstance(definition, str) and definition.lstrip().startswith(("{", "[")):
        return definition, "machine"
    if not isinstance(definition, str | Path) or not str(definition).strip():
        raise MachineError(
            f"The definition is {definition!r}. Write the path of a file, a definition's text, or a dict."
        )
    path = Path(definition)
    try:
        return path.read_text(encoding="utf-8"), path.name.partition(".")[0]
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise MachineError(f"The definition {str(path)!r} cannot be read: {why}.") from None


class Run:
    """An execution in virtual time. Make it with `Machine.start`.

    Attributes:
        execution: The execution as the interpreter has it.
        children: The child executions of its Distributed Maps, in the order in which they began.
    """

    def __init__(self, world: "_World", execution: Execution) -> None:
        self._world, self.execution = world, execution
        if execution.type == "EXPRESS":
            execution.history = _ExpressHistory(execution)
        self.children = list[Run]()

    def __repr__(self) -> str:
        return f"<Run {self.status}: {' -> '.join(self.path)}>"

    # What one asks

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.fromtimestamp(self._world.now, UTC)

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
        return [*self.execution.history]

    @property
    def path(self) -> list[str]:
        """The names of the states in the order in which they were entered."""
        entered = [event.get("stateEnteredEventDetails") for event in self.events]
        return [details["name"] for details in entered if details]

    def attempts(self, state: str) -> int:
        """How often a Task has called its resource, in this execution and its children.

        Raises:
            MachineError: No Task is called so.
        """
        return self._world.attempts(state)

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
        for run in _latest_first(self):
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

        Raises:
            MachineError: It is no time.
        """
        world, until = self._world, self._world.now + seconds(time)
        while world.next_moment is not None and world.next_moment <= until:
            world.ring()
        world.now = until
        return self

    def finish(self) -> "Run":
        """Let time pass until the execution ends, or until it only waits for a token.

        The time-outs of tasks pass, too. So answer a token that has one before.

        Raises:
            MachineError: It does not end.
        """
        for _ in range(_MOST_MOMENTS):
            if self.status != "RUNNING" or self._world.next_moment is None:
                return self
            self._world.ring()
        raise MachineError(
            f"The run has not ended after {_MOST_MOMENTS} moments. It is in {self.path[-1]!r}."
        )

    def token(self, state: str) -> "Waiting":
        """The task of a state that waits for its token.

        Raises:
            MachineError: None waits.
        """
        waiting = {token: it for token, it in self._world.tokens.items() if token in it[0].execution.frames}
        for token, (run, name) in waiting.items():
            if name == state:
                return Waiting(self, run, token)
        names = ", ".join(sorted({name for _, name in waiting.values()}))
        others = f"These wait: {names}." if names else "No state waits for a token."
        raise MachineError(f"The state {state!r} does not wait for a token. {others}")

    def stop(self, error: str | None = None, cause: str | None = None) -> "Run":
        """Stop the execution, as StopExecution does."""
        return self._tell(Stop(error, cause))

    def redrive(self) -> "Run":
        """Let an execution that did not succeed go on where it failed, as RedriveExecution does.

        Raises:
            MachineError: It runs, or it has succeeded.
        """
        if self.status in {"RUNNING", "SUCCEEDED"}:
            raise MachineError(f"A run that is {self.status} cannot be redriven.")
        return self._tell(Redrive())

    def _tell(self, message: Input) -> "Run":
        self._world.tell(self, message)
        self._world.settle()
        return self


def _latest_first(run: Run) -> Iterator[Run]:
    """The children of a run, with their own, and it."""
    for child in reversed(run.children):
        yield from _latest_first(child)
    yield run


@dataclass(frozen=True)
class Waiting:
    """A task that waits for its token. Each method raises MachineError if it waits no longer."""

    first: Run
    run: Run
    token: str

    def success(self, output: Json = _EMPTY) -> Run:
        """Send SendTaskSuccess; by default with an empty object."""
        given = {} if output is _EMPTY else _as_json(output, "The output of the token")
        return self._send(Answered(self.token, given))

    def failure(self, error: str | None = None, cause: str | None = None) -> Run:
        """Send SendTaskFailure."""
        return self._send(Answered(self.token, error=error, cause=cause, is_failure=True))

    def heartbeat(self) -> Run:
        """Send SendTaskHeartbeat."""
        return self._send(Beat(self.token))

    def _send(self, message: Input) -> Run:
        if self.token not in self.run.execution.frames:
            raise MachineError("The task waits no longer for this token. AWS answers TaskTimedOut.")
        self.run._tell(message)
        return self.first


class _World:
    """What is around the executions of one run: a clock, answers, files, and children.

    Attributes:
        now: The time, in seconds since 1970.
        answered: How often each Task was answered, by the name of its state.
        tokens: Who waits for each token: the run and the name of the state.
    """

    def __init__(self, machine: Machine, now: float) -> None:
        self.now, self._machine, self._random = now, machine, Random(machine.seed)
        self.answered: dict[str, int] = {}
        self._types = {name: state["Type"] for name, state in all_states(machine.definition)}
        self.tokens: dict[str, tuple[Run, str]] = {}
        self._order = count()
        self._due: list[tuple[float, int, Run, Input | _Later]] = []
        self._calls: deque[tuple[Run, Call]] = deque()
        self._cancelled: set[str] = set()
        self._parents: dict[str, tuple[Run, str]] = {}  # of children, by their ARNs
        self._children: dict[str, Run] = {}  # by the ids with which they were started

    @property
    def next_moment(self) -> float | None:
        """When something happens by itself next; None if nothing does."""
        while self._due and self._is_cancelled(self._due[0][3]):
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def _is_cancelled(self, what: "Input | _Later") -> bool:
        key = what.call.id if isinstance(what, _Later) else what.id if isinstance(what, Due) else ""
        return key in self._cancelled

    def tell(self, run: Run, *inputs: Input) -> None:
        """Tell an execution what has happened, and do what it wants."""
        outside = Outside(self.now, self._random, self._new_id)
        effects = step(run.execution, inputs, outside)
        if run.execution.faults:
            raise MachineError(
                f"This is a fault of states_language. Please report it.\n{run.execution.faults[0]}"
            )
        if run.execution.interrupt:
            raise MachineError(
                f"The Express run has written {_MOST_EVENTS} events, and no time has passed. Its states are "
                f"probably a loop: {' -> '.join(run.path[-5:])}."
            )
        for effect in effects:
            if isinstance(effect, SetTimer):
                self._later(effect.at, run, Due(effect.id))
            elif isinstance(effect, Cancel):
                self._cancelled.add(effect.id)
                if effect.id in self._children:
                    self._later(self.now, self._children[effect.id], Stop())
            elif isinstance(effect, Call):
                self._calls.append((run, effect))
            elif isinstance(effect, StartChild):
                self._start_child(run, effect)
            elif isinstance(effect, RedriveChild):
                self._cancelled.discard(effect.id)
                child = self._children[effect.id]
                if child.status == "SUCCEEDED":
                    self._ended(child)  # it succeeded after its Map Run had failed
                else:
                    self._later(self.now, child, Redrive())
            elif isinstance(effect, Done):
                self._ended(run)

    def attempts(self, state: str) -> int:
        """See `Run.attempts`."""
        self._machine.check_task(state)
        return self.answered.get(state, 0)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def _later(self, moment: float, run: Run, what: "Input | _Later") -> None:
        heapq.heappush(self._due, (moment, next(self._order), run, what))

    def settle(self) -> None:
        """Let everything happen that needs no time: answers, in the order of the calls, and children."""
        while self._calls or (self.next_moment is not None and self.next_moment <= self.now):
            if not self._calls:
                self._ring()
                continue
            run, call = self._calls.popleft()
            if call.id not in self._cancelled:
                self._answer(run, call)

    def ring(self) -> None:
        """Let time pass until something happens by itself."""
        if (due := self.next_moment) is not None:
            self.now = max(self.now, due)
            self.settle()

    def _ring(self) -> None:
        """Let all happen that is due now. AWS writes the events of all timers before it acts on one."""
        timers: dict[Run, list[Input]] = {}
        while (due := self.next_moment) is not None and due <= self.now:
            _, _, run, what = heapq.heappop(self._due)
            if isinstance(what, _Later):
                self._give(run, what.call, what.answer, is_late=True)
            else:
                timers.setdefault(run, []).append(what)
        for run, inputs in timers.items():
            self.tell(run, *inputs)

    # Answers

    def _answer(self, run: Run, call: Call) -> None:
        tasks = self._machine.tasks
        if self._types[call.state] == "Map":  # its ItemReader
            self.tell(run, self._read(call))
            return
        number = self.answered.get(call.state, 0)
        self.answered[call.state] = number + 1
        answer = tasks.get(call.state, _MISSING)
        if isinstance(answer, list):
            answer = answer[min(number, len(answer) - 1)] if answer else _MISSING
        if answer is _MISSING:
            raise MachineError(
                f"The Task {call.state!r} calls {call.resource!r}, and the test has no answer for it. Write "
                f"tasks={{{call.state!r}: ...}} with a value, Error(...), Token(), a list or a function."
            )
        self._give(run, call, answer)

    def _give(self, run: Run, call: Call, answer: Answer, *, is_late: bool = False) -> None:
        answer = answer(copy.deepcopy(call.arguments)) if callable(answer) else answer
        token, is_activity = call.token, ":activity:" in call.resource
        begins = not is_late and not isinstance(answer, Error)
        if token:
            self.tokens[token] = (run, call.state)
        if begins and ".sync" in call.resource:
            self.tell(run, Submitted(call.id, {}))  # the job begins at once, however long it takes
        elif begins and token and not is_activity:
            self.tell(run, Succeeded(call.id, {}))  # and so does who shall answer by the token
        if isinstance(answer, Slow):
            self._later(self.now + seconds(answer.time), run, _Later(call, answer.answer))
            return
        if isinstance(answer, Token) and not token:
            raise MachineError(
                f"The Task {call.state!r} calls {call.resource!r}, which has no token. Write another answer."
            )
        if not isinstance(answer, Error | Token):
            answer = _as_json(answer, f"The answer of the Task {call.state!r}")
        if is_activity:
            self.tell(run, Submitted(call.id, {"workerName": "worker"}))
        if isinstance(answer, Error):
            if token and (is_activity or is_late):
                failure = Answered(token, error=answer.name, cause=answer.cause, is_failure=True)
                self.tell(run, failure)
            else:
                self.tell(run, Failed(call.id, answer.name, answer.cause))
        elif token and not isinstance(answer, Token):
            self.tell(run, Answered(token, answer))
        elif not token:
            self.tell(run, Succeeded(call.id, answer))

    def _read(self, call: Call) -> Input:
        files, where = self._machine.files, call.arguments
        if call.resource.endswith("getObject"):
            name = f"{where['Bucket']}/{where['Key']}"
            if name not in files:
                told = f"The Map {call.state!r} reads {name!r}. Write files={{{name!r}: text}}."
                raise MachineError(told)
            return Succeeded(call.id, files[name])
        shared = {"Etag": '""', "LastModified": 0, "StorageClass": "STANDARD"}
        listed = [
            {"Key": name.partition("/")[2], "Size": len(text.encode()), **shared}
            for name, text in sorted(files.items())
            if name.startswith(f"{where['Bucket']}/{where.get('Prefix', '')}")
        ]
        return Succeeded(call.id, {"Contents": listed})

    # Children of Distributed Maps

    def _start_child(self, parent: Run, effect: StartChild) -> None:
        context = parent.execution.context
        machine, _, _ = effect.map_run.rpartition(":")
        arn = f"{machine.replace(':mapRun:', ':execution:')}:{effect.id}"
        own = {**context["Execution"], "Id": arn, "Name": effect.id, "Input": effect.input}
        own |= {"StartTime": moment(self.now), "RedriveCount": 0}
        own.pop("RedriveTime", None)
        shown = {**context, **effect.shown, "Execution": own}
        child = Run(self, Execution(effect.workflow, effect.input, shown, effect.type))
        parent.children.append(child)
        self._parents[arn], self._children[effect.id] = (parent, effect.id), child
        self._later(self.now, child, Start())

    def _ended(self, run: Run) -> None:
        done = run.execution
        if (found := self._parents.get(done.context["Execution"]["Id"])) is None:
            return
        parent, key = found
        if done.status == "SUCCEEDED":
            self._later(self.now, parent, Succeeded(key, done.output))
        else:
            self._later(self.now, parent, Failed(key, done.error, done.cause, done.status))


@dataclass(frozen=True)
class _Later:
    """An answer that comes later."""

    call: Call
    answer: Answer
