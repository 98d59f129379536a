"""Run one state alone, as TestState does: without a history, and with a mock instead of its work.

See https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from states_language import map_run, retry
from states_language.execution import Effect, Execution, Frame, Input, Json, Run
from states_language.failures import Failure
from states_language.interpreter import Step
from states_language.items import ItemsError, read_items
from states_language.iterations import item_shown, items_of, selected
from states_language.outputs import Result, caught
from states_language.outside import Outside
from states_language.values import compact

#: The names of what a state in JSONPath shows. A state in JSONata shows the others.
_JSONPATH: Final = {
    "afterInputPath",
    "afterParameters",
    "afterResultSelector",
    "afterResultPath",
    "afterItemsPath",
}


class MockError(ValueError):
    """The test itself is wrong. The text is AWS's."""


@dataclass(frozen=True)
class Mock:
    """What a state gets instead of doing its work: an error if there is one, or a result."""

    result: Json = None
    error: str | None = None
    cause: str | None = None


@dataclass
class StateTest:
    """One state, its input, and what it sees.

    Args:
        definition: A state machine with the state at its top level.
        name: The state's name.
        input: Its input.
        context: The context object that it sees.
        variables: The values of the workflow's variables, by name.
        mock: None if the state really does its work.
        retries: How often the state was tried again before.
        failed_iterations: Of a Map: how many iterations shall have failed.
        reader_data: Of a Map with an ItemReader: the text that it would read; None if there is none.
        texts: JSON as it was written. AWS keeps it wherever its value does not change.
        outside: The time, randomness, ids, and a guard.
    """

    definition: Mapping[str, Any]
    name: str
    input: Json
    context: Mapping[str, Any]
    variables: Mapping[str, Json]
    mock: Mock | None = None
    retries: int = 0
    failed_iterations: int = 0
    reader_data: str | None = None
    texts: Sequence[str] = ()
    outside: Outside = field(default_factory=Outside)

    def __post_init__(self) -> None:
        self._step = _Testing(self)

    @property
    def execution(self) -> Execution:
        """The execution with this one state."""
        return self._step.execution

    def begin(self) -> list[Effect]:
        """Begin the state. Without a mock, the effects have its call, or the timer of a Wait."""
        return self._step.began()

    def tell(self, message: Input) -> list[Effect]:
        """Tell the state what has happened, as `interpreter.step` is told."""
        self._step.effects = []
        self._step.tell(message)
        self._step.go_on()
        return self._step.effects

    @property
    def reply(self) -> dict[str, Any] | None:
        """The reply of TestState, with ``inspectionData``; None if the state still waits.

        Raises:
            MockError: The test is wrong.
        """
        return self._step.whole_reply()


class _Testing(Step):
    """A step that takes note of what a state does, and writes no history."""

    def __init__(self, test: StateTest) -> None:
        execution = Execution(test.definition, test.input, {})
        super().__init__(execution, test.outside)
        self._test = test
        self._written: dict[str, str] = {}
        for text in test.texts:
            with suppress(ValueError):  # the data of an ItemReader may be no JSON
                self._written.setdefault(compact(json.loads(text)), text)
        run = execution.root
        run.variables.update(test.variables)
        self.frame = run.frame = Frame(run, test.name, test.definition["States"][test.name], test.input)
        self.data: dict[str, Any] = {"input": self._text(test.input)}
        self.found: dict[str, Any] | None = None
        self._refusal: MockError | None = None
        self._is_jsonpath = self.view(self.frame).is_jsonpath

    def began(self) -> list[Effect]:
        self.ready.append(lambda: self.attempt(self.frame))
        self.go_on()
        return self.effects

    def whole_reply(self) -> dict[str, Any] | None:
        if self._refusal:
            raise self._refusal
        if self.found is None:
            return None
        if self.frame.run.variables:
            self.data["variables"] = self._text(self.frame.run.variables)
        return self.found | {"inspectionData": self.data}

    def _text(self, value: Json) -> str:
        return self._written.get(short := compact(value), short)

    # What an execution does otherwise

    @property
    def region(self) -> str:
        return ""  # only the history tells it

    def context(self, frame: Frame, shown: Mapping[str, Any]) -> dict[str, Json]:
        return {**self._test.context, **shown}

    def write(self, previous: int, kind: str, details: Json = None) -> int:
        return 0

    def note(self, name: str, value: Json) -> None:
        kind = self.frame.state["Type"]
        if (name in _JSONPATH and not self._is_jsonpath) or (kind, name) in _NOT_SHOWN:
            return
        self.data[name] = value if name in _NUMBERS else self._text(value)

    def leave(
        self,
        frame: Frame,
        output: Json,
        assigned: dict[str, Json],
        following: str | None,
        text: str | None = None,
    ) -> None:
        self.forget(frame)
        frame.run.variables.update(assigned)
        self.found = (self.found or {"status": "SUCCEEDED"}) | {"output": self._text(output)}
        if following:
            self.found["nextState"] = following

    def failed(self, frame: Frame, failure: Failure) -> None:
        self.forget(frame)
        if self.found:  # the Output of a Catcher, after its error
            self.found = None
        handlers = frame.state if failure.is_caught else {}
        if found := retry.named_in(handlers.get("Retry", ()), failure):
            number, retrier = found
            self.data["errorDetails"] = details = {"retryIndex": number}
            if self._test.retries < retry.attempts(retrier):
                details["retryBackoffIntervalSeconds"] = int(retry.interval(retrier, self._test.retries))
                self._fail("RETRIABLE", failure)
                return
        if found := retry.named_in(handlers.get("Catch", ()), failure):
            number, catcher = found
            try:
                output, assigned = caught(self.view(frame), catcher, number, failure)
            except Failure as other:
                self._fail("FAILED", other)
                return
            self.data["errorDetails"] = {"catchIndex": number}
            self._fail("CAUGHT_ERROR", failure)
            self.leave(frame, output, assigned, catcher["Next"])
            return
        self._fail("FAILED", failure)

    def fail_execution(self, run: Run, failure: Failure) -> None:
        self._fail("FAILED", failure)

    def _fail(self, status: str, failure: Failure) -> None:
        self.found = {"status": status} | {name: text for name, text in failure.details.items() if text}

    # Mocks

    def mock(self, frame: Frame, given: Json) -> Result | None:
        test = self._test
        if test.mock is None:
            return None
        if frame.state["Type"] == "Map":
            self._mock_iterations(frame, given)
        if test.mock.error is not None:
            raise Failure(test.mock.error, test.mock.cause)
        if frame.state["Type"] == "Task":
            self.note("result", test.mock.result)
        return Result(test.mock.result)

    def _mock_iterations(self, frame: Frame, data: Json) -> None:
        """Evaluate the fields of a Map. The mock is the result of all its iterations."""
        view, test = self.view(frame), self._test
        count, percentage = map_run.tolerance(view, data)
        for name, value in (("Count", count), ("Percentage", percentage)):
            if value is not None:
                self.note(f"toleratedFailure{name}", float(value) if name == "Percentage" else value)
        items = self._items(frame, data)
        self.note("maxConcurrency", view.number("MaxConcurrency", "MaxConcurrency", data) or 0)
        failed, total = test.failed_iterations, len(items or ())
        if items is not None:
            if "ItemSelector" in frame.state or "Parameters" in frame.state:
                shown = ({"Map": {"Item": item_shown(*each)}} for each in enumerate(items))
                chosen = [selected(self, frame, item, its) for item, its in zip(items, shown, strict=True)]
                self.note("afterItemSelector", chosen)
            if "ItemBatcher" in frame.state:
                frame.items = items
                self.note("afterItemBatcher", map_run.inputs(self, frame, view))
            if failed > total:
                text = (
                    "Map iteration failure count must be less than or equal to the number of Map iterations"
                )
                self._refusal = MockError(text)
        mock = test.mock
        if (mock is None or mock.error is None) and map_run.exceeds(
            failed, max(total, failed), count, 100 if count is percentage is None else percentage
        ):
            raise map_run.too_many_failures()

    def _items(self, frame: Frame, data: Json) -> list[Json] | None:
        """The items of a Map; None if an ItemReader would read them, and the test has no data for it."""
        if "ItemReader" in frame.state:
            if self._test.reader_data is None:
                return None
            reader = map_run.reader_of(self.view(frame), data)
            try:
                if reason := map_run.unreadable(reader):
                    raise ItemsError(reason)
                return read_items(self._test.reader_data, reader, reader.get("MaxItems") or None)
            except ItemsError as error:
                raise Failure(map_run.READER_FAILED, str(error)) from error
        items = items_of(self.view(frame), data)
        self.note("afterItemsPath", items)
        return items


_NUMBERS: Final = {"maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage"}
_NOT_SHOWN: Final = {("Parallel", f"after{name}") for name in ("InputPath", "Parameters", "Arguments")}
