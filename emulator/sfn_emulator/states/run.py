"""An execution in this emulator, and what DescribeExecution and ListExecutions tell of it."""

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sfn_emulator.http.messages import Arn, Scope
from sfn_emulator.process.store import History, Place
from sfn_emulator.process.timers import now
from sfn_emulator.states.machines import Started
from sfn_emulator.states.mocks import Answers
from sfn_emulator.states.redrives import Redrives
from states_language.execution import Due, Effect, Execution, Frame, Input, Stop
from states_language.failures import Failure
from states_language.interpreter import step
from states_language.outside import Outside

if TYPE_CHECKING:
    from sfn_emulator.states.map_runs import Child, MapRun
    from sfn_emulator.states.world import World


@dataclass(eq=False, slots=True)
class Run:
    """An execution in this emulator.

    Attributes:
        arn: Its ARN.
        started: What it was started with.
        scope: The scope of the request that started it.
        execution: It, as the interpreter has it. None if it can do nothing any more.
        history: Its events.
        given: Its input, as JSON, or where the history has it.
        began: When it began, in seconds since 1970.
        world: Where it runs.
        parent: For a child of a Map Run: its parent, the Map Run, and itself as the Map Run knows it.
        status: As DescribeExecution tells it.
        stopped: When it ended; 0 while it runs.
        dropped: Whether it ends without a word, because its machine was deleted.
        redrives: Its redrives.
        tokens: What its tasks gave to others.
        jobs: The executions that its tasks wait for, with the roles that started them, by the ids of calls.
        map_runs: Its Map Runs that have not ended, by their ARNs.
        mocked: How many calls got an answer of a mock. Its children count here, too.
        over: Set at its end, if somebody waits for it.
        lock: Held by whoever makes a step.
    """

    arn: str
    started: Started
    scope: Scope
    execution: Execution | None
    history: History
    given: str | Place
    began: float
    world: "World"
    parent: "tuple[Run, MapRun, Child] | None" = None
    status: str = "RUNNING"
    stopped: float = 0
    dropped: bool = False
    redrives: Redrives = field(default_factory=Redrives)
    tokens: list[str] = field(default_factory=list)
    jobs: dict[str, tuple[str, str]] = field(default_factory=dict)
    map_runs: "dict[str, MapRun]" = field(default_factory=dict)
    mocked: dict[Answers, int] = field(default_factory=dict)
    over: threading.Event | None = None
    lock: Any = field(default_factory=threading.RLock)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.status == "RUNNING" and self.execution is not None

    @property
    def express(self) -> bool:
        """Whether it is an express execution."""
        return bool(self.started.machine["type"] == "EXPRESS")

    @property
    def name(self) -> str:
        """Its name."""
        return self.arn.split(":")[7]

    @property
    def role(self) -> str:
        """The role of its machine."""
        return str(self.started.machine["roleArn"])

    @property
    def region(self) -> str:
        """Its region."""
        return Arn.of(self.arn).region

    @property
    def input(self) -> str | None:
        """Its input, as JSON; None if it was removed, because the files had no more room."""
        return self.given if isinstance(self.given, str) else self.history.text(self.given)

    @property
    def result(self) -> dict[str, Any]:
        """Its output, or its error and its cause, after its end. What is None was removed."""
        if self.status in {"RUNNING", "TIMED_OUT"} or not self.history.is_kept or not len(self.history):
            return {}
        last = self.history[-1]
        found: dict[str, Any] = next(
            (details for name, details in last.items() if name.endswith("EventDetails")), {}
        )
        return {name: found[name] for name in ("output", "error", "cause") if name in found}

    def waiting_for(self, key: str) -> Frame | None:
        """The state that waits for a call, a timer, a child or a token; None if none does."""
        return self.execution.frames.get(key) if self.execution else None

    def context_for(self, call: str) -> dict[str, Any] | None:
        """The context object of the execution that a call sees; None if no state waits for the call."""
        execution = self.execution
        return execution.context if execution and call in execution.frames else None

    def take(self, inputs: Sequence[Input], outside: Outside) -> list[Effect]:
        """Make a step."""
        if self.execution is None:
            return []
        effects = step(self.execution, inputs, outside)
        for fault in self.execution.faults:
            sys.stderr.write(fault)
        self.execution.faults.clear()
        if isinstance(self.given, str):
            self.given = self.history.sparing(self.given)
        return effects

    def ring(self, keys: Sequence[str]) -> None:
        """Timers are due."""
        self.world.tell(self, *map(Due, keys))

    def refuse(self, failure: Failure) -> None:
        """Let it fail soon, whatever it does."""
        self.interrupt(failure)
        self.world.pool.submit(self.world.tell, self)

    def interrupt(self, reason: Failure | Stop) -> None:
        """Let it end as soon as it is told something, also in the middle of a step."""
        if execution := self.execution:
            execution.interrupt = reason


def listed(run: Run) -> dict[str, Any]:
    """It in the form of ListExecutions."""
    return {
        "executionArn": run.arn,
        "stateMachineArn": run.started.arn,
        "name": run.name,
        "status": run.status,
        "startDate": run.began,
        **({"stopDate": run.stopped} if run.status != "RUNNING" else {}),
        **run.started.names,
        **run.redrives.counted(),
    }


def described(run: Run) -> dict[str, Any]:
    """It in the form of DescribeExecution."""
    told = listed(run) | {"input": run.input} | run.result
    for name in ("input", "output"):
        if name in told:
            told[f"{name}Details"] = {"included": told[name] is not None}
    told = {name: value for name, value in told.items() if value is not None}
    return told | run.redrives.facts(told, len(run.history), now())
