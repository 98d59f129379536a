"""An execution as a value: what it is told, what the world shall do for it, and where it stands.

All of it is plain data. It can be pickled between two steps, copied and compared. `interpreter.step` changes
it.

    Execution  a run of a state machine: its history, its status, and what it waits for
    Run        the states of the machine, of a branch, or of an iteration: where its chain of events is
    Frame      one state in progress: what it waits for, and how often each Retrier has tried again
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from states_language.failures import Failure

Json = Any
State = Mapping[str, Any]
Event = dict[str, Any]

#: The types of the events that end an execution.
ENDS: Final = ("ExecutionAborted", "ExecutionFailed", "ExecutionSucceeded", "ExecutionTimedOut")

# What `step` is told.


@dataclass(frozen=True, slots=True)
class Start:
    """The execution begins."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """A call, or a child, has an output: JSON, or the text of a file that an ItemReader reads."""

    id: str
    output: Json


@dataclass(frozen=True, slots=True)
class Failed:
    """A call, or a child, has failed.

    Args:
        id: Its id.
        error: The error's name. With ``States.Runtime``, the call could not even begin: the execution fails.
        cause: The cause.
        status: For a child: ``FAILED``, ``TIMED_OUT`` or ``ABORTED``.
    """

    id: str
    error: str | None
    cause: str | None = None
    status: str = "FAILED"


@dataclass(frozen=True, slots=True)
class Submitted:
    """The service has accepted the job of a ``.sync`` call. It ends later."""

    id: str
    output: Json


@dataclass(frozen=True, slots=True)
class Due:
    """A timer's moment has come."""

    id: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody has sent the outcome of a task by its token: an output, or an error."""

    token: str
    output: Json = None
    error: str | None = None
    cause: str | None = None
    is_failure: bool = False


@dataclass(frozen=True, slots=True)
class Beat:
    """Somebody has sent a heartbeat by a task's token, or has changed a Map Run (its ARN is the token)."""

    token: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The execution is stopped (StopExecution)."""

    error: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Redrive:
    """An execution that did not succeed goes on where it failed (RedriveExecution)."""


Input = Start | Succeeded | Failed | Submitted | Due | Answered | Beat | Stop | Redrive

# What `step` wants.


@dataclass(frozen=True, slots=True)
class Call:
    """Call a service or a function.

    Args:
        id: What `Succeeded`, `Submitted` or `Failed` name.
        resource: The Resource of the Task, or of an ItemReader.
        arguments: The input of a function, or the parameters of a call.
        state: The name of the state.
        token: The token of a task that waits for one.
        role: The role of the state's Credentials; None for that of the machine.
    """

    id: str
    resource: str
    arguments: Json
    state: str
    token: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Say `Due` at this moment, in seconds since 1970."""

    id: str
    at: float


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nobody waits any more for this timer, call or child. A job or a child that still runs shall stop.

    Args:
        id: Of the timer, the call or the child.
    """

    id: str


@dataclass(frozen=True, slots=True)
class OpenMapRun:
    """A Map Run begins. `Failed` with its ARN refuses it.

    Args:
        run: It, as it changes until its end.
        label: What stands between the machine's name and the names of its children.
    """

    run: "MapRun"
    label: str


@dataclass(frozen=True, slots=True)
class StartChild:
    """Start a child execution of a Distributed Map.

    Args:
        id: What `Succeeded` or `Failed` name.
        map_run: The ARN of the Map Run.
        workflow: The child's definition.
        type: ``STANDARD`` or ``EXPRESS``.
        input: Its input.
        shown: What its context object has besides, such as the item.
        items: How many items the input has.
    """

    id: str
    map_run: str
    workflow: State
    type: str
    input: Json
    shown: Mapping[str, Json]
    items: int


@dataclass(frozen=True, slots=True)
class RedriveChild:
    """Redrive a child execution of a Distributed Map that did not succeed.

    If it succeeded after its Map Run had failed, it has nothing to do: tell its output again.

    Args:
        id: The id with which it was started. `Succeeded` or `Failed` name it again.
    """

    id: str


@dataclass(frozen=True, slots=True)
class Done:
    """The execution has ended. Its fields say how."""


Effect = Call | SetTimer | Cancel | OpenMapRun | StartChild | RedriveChild | Done

# Where an execution stands.


class History(Protocol):
    """The events of an execution, the oldest first. A list is one."""

    def append(self, event: Event, /) -> None:
        """Add an event."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Event]: ...


@dataclass(slots=True)
class Frame:
    """A state in progress.

    Attributes:
        run: The run that has it.
        name: The state's name.
        state: The state.
        input: Its input.
        text: The input as JSON, as it was written.
        entered: The id of the event with which it began.
        entered_at: When it began, in seconds since 1970.
        tries: How often each Retrier has tried again, by its index.
        waits: What it waits for, by its id: ``"call"``, ``"job"``, ``"token"``, ``"retry"``, ``"wait"``,
            ``"reader"``, ``"map run"``, ``"child"``, ``"TimeoutSeconds"`` or ``"HeartbeatSeconds"``.
        token: The token of a task that waits for one.
        resource: What the events of a task say of its resource.
        early: An outcome that came before the reply of the call.
        children: The runs of a Parallel or a Map; None in the place of an iteration that has not begun.
        items: The items of a Map, or the batches of a Distributed one.
        begun: How many iterations of a Map have begun.
        lanes: How many of them may run at the same time.
        left: How many branches or iterations have not succeeded yet.
        limits: The TimeoutSeconds and the HeartbeatSeconds of this attempt of a Task.
        map_run: The Map Run of a Distributed Map.
    """

    run: "Run" = field(repr=False, compare=False)
    name: str
    state: State = field(repr=False)
    input: Json
    text: str | None = None
    entered: int = 0
    entered_at: float = 0.0
    tries: dict[int, int] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)
    token: str | None = None
    resource: dict[str, str] = field(default_factory=dict)
    early: Answered | None = None
    children: "list[Run | None]" = field(default_factory=list)
    items: list[Json] = field(default_factory=list)
    begun: int = 0
    lanes: int = 0
    left: int = 0
    limits: dict[str, float] = field(default_factory=dict)
    map_run: "MapRun | None" = None

    @property
    def retries(self) -> int:
        """How often the state was tried again."""
        return sum(self.tries.values())


@dataclass(slots=True)
class Run:
    """The states of a machine, of a branch, or of an iteration.

    Attributes:
        workflow: The States with their StartAt.
        parent: The frame of the Parallel or the Map; None for the machine.
        index: The number of the branch or the iteration.
        last: The id of the event that the next one follows.
        tail: The id of the latest event of this run. It differs from `last` after an event put aside.
        variables: Those that its states have assigned.
        shown: What the context object says of an item.
        input: The input of its first state; a redrive may need it again.
        frame: The state in progress, or the last one.
        status: ``RUNNING``, ``SUCCEEDED``, ``FAILED`` or ``ABORTED``.
        output: The output of a run that has succeeded.
        text: The output as JSON.
    """

    workflow: State = field(repr=False)
    parent: Frame | None = field(default=None, repr=False, compare=False)
    index: int = 0
    last: int = 0
    tail: int = 0
    variables: dict[str, Json] = field(default_factory=dict)
    shown: dict[str, Json] = field(default_factory=dict)
    input: Json = None
    frame: Frame | None = None
    status: str = "RUNNING"
    output: Json = None
    text: str = ""


@dataclass(slots=True)
class MapRun:
    """A Map Run: the children of a Distributed Map, and what became of them.

    Attributes:
        arn: Its ARN.
        type: The type of its children: ``STANDARD`` or ``EXPRESS``.
        max_concurrency: How many children may run at the same time; 0 for any number.
        tolerated_count: How many failures are tolerated; None if the definition does not say it.
        tolerated_percentage: The same in per cent of the items.
        source: Where the items are from.
        begun: How many children have begun.
        running: The numbers of the children that run, by their ids.
        outputs: The outputs of the children that have succeeded, by their numbers.
        unsuccessful: The numbers of the children that did not succeed, by their ids.
        again: Those that still have to run again after a redrive.
        redrives: How often it was redriven.
        counts: How many items have each status.
        total: How many items there are.
        children: How many children they need.
        status: ``RUNNING``, ``SUCCEEDED``, ``FAILED`` or ``ABORTED``.
        read: What an ItemReader has listed so far.
    """

    arn: str
    type: str
    max_concurrency: int = 0
    tolerated_count: float | None = None
    tolerated_percentage: float | None = None
    source: str = "STATE_DATA"
    begun: int = 0
    running: dict[str, int] = field(default_factory=dict)
    outputs: dict[int, Json] = field(default_factory=dict)
    unsuccessful: dict[str, int] = field(default_factory=dict)
    again: dict[str, int] = field(default_factory=dict)
    redrives: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    total: int = 0
    children: int = 0
    status: str = "RUNNING"
    read: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Execution:
    """A run of a state machine.

    Attributes:
        definition: The machine's definition, parsed.
        input: The input.
        text: The input as it was written; None if nobody knows.
        context: The context object: ``Execution`` and ``StateMachine``, with ``Map`` in a child.
        type: ``STANDARD`` or ``EXPRESS``.
        history: Its events in AWS's form.
        root: The run of the machine's states.
        frames: Who waits for a call, a timer, a child or a token, by its id.
        status: As DescribeExecution tells it.
        output: The output of one that has succeeded.
        error: The error of one that has failed.
        cause: The cause of it.
        redrives: How often it was redriven.
        timer: The timer of the machine's TimeoutSeconds, or of an Express execution.
        faults: Tracebacks of exceptions that nobody expected. There should be none.
        interrupt: Set it at any time, even while a step runs: the execution ends with it at once.
    """

    definition: State = field(repr=False)
    input: Json
    context: dict[str, Any]
    type: str = "STANDARD"
    text: str | None = None
    history: History = field(default_factory=list[Event], repr=False)
    root: Run = field(init=False)
    frames: dict[str, Frame] = field(default_factory=dict, repr=False, compare=False)
    status: str = "RUNNING"
    output: Json = None
    error: str | None = None
    cause: str | None = None
    redrives: int = 0
    timer: str = ""
    faults: list[str] = field(default_factory=list, repr=False)
    interrupt: Failure | Stop | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.root = Run(self.definition)

    @property
    def language(self) -> str:
        """The query language of states that name none."""
        return str(self.definition.get("QueryLanguage", "JSONPath"))
