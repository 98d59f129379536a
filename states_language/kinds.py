"""What a kind of state is, and what the simple kinds do: Pass, Wait, Choice, Succeed and Fail.

See https://states-language.net
"""

from typing import TYPE_CHECKING, Final

from states_language.choice import is_true
from states_language.execution import Frame, Input, Json, Run
from states_language.failures import Failure, runtime
from states_language.fields import View, out_of_range, timestamp
from states_language.jsonpath import PathError
from states_language.outputs import Result, arguments, effective_input
from states_language.values import shown

if TYPE_CHECKING:
    from states_language.interpreter import Step

_FORM: Final = "ISO-8601 extended offset date-time format string"
_NO_WAY: Final = "Failed to transition out of the state. The state does not point to a next state."


class Kind:
    """What a kind of state does. Each method may raise a `Failure`."""

    def begin(self, step: "Step", frame: Frame) -> Result | None:
        """Begin an attempt; its result if there is one at once."""
        raise NotImplementedError

    def told(self, step: "Step", frame: Frame, what: str, message: Input) -> Result | None:
        """Something that the state waits for has happened."""
        raise NotImplementedError

    def child_ended(self, step: "Step", frame: Frame, run: Run) -> Result | None:
        """A branch or an iteration has succeeded."""
        raise NotImplementedError


class Pass(Kind):
    """Passes its input, or a Result, on."""

    def begin(self, step: "Step", frame: Frame) -> Result:
        """Its result."""
        view = step.view(frame)
        if not view.is_jsonpath:
            return Result(view.input)
        if "Result" in view.state:
            view.note("result", view.state["Result"])
            return Result(view.state["Result"])
        return Result(arguments(view, effective_input(view)))


class Succeed(Kind):
    """Ends its run."""

    def begin(self, step: "Step", frame: Frame) -> Result:
        """Its input."""
        data = effective_input(step.view(frame))
        return Result(data)


class Fail(Kind):
    """Ends its run with an error."""

    def begin(self, step: "Step", frame: Frame) -> Result:
        """Fails.

        Raises:
            Failure: Always.
        """
        view = step.view(frame)
        view.note("afterInputPath", view.input)
        raise Failure(self._text(view, "Error"), self._text(view, "Cause"))

    @staticmethod
    def _text(view: View, name: str) -> str | None:
        if not view.is_jsonpath:
            text: str | None = view.expression(view.state.get(name), name)
            return text
        if f"{name}Path" not in view.state:
            return view.state.get(name)
        value = view.filled(f"{name}Path", view.state[f"{name}Path"], view.input)
        if not isinstance(value, str):
            raise runtime(f"The {name}Path leads to a value that is no text: {shown(value)}")
        return value


class Choice(Kind):
    """Goes on with the state of the first rule that holds."""

    def begin(self, step: "Step", frame: Frame) -> Result:
        """Its input, and the state that follows.

        Raises:
            Failure: No rule holds, and there is no Default.
        """
        view = step.view(frame)
        data = effective_input(view)
        for number, rule in enumerate(view.state["Choices"]):
            place = f"Choices[{number}]/"
            if view.is_jsonpath:
                holds = is_true(rule, view, data)
            else:
                holds = view.expression(rule["Condition"], f"{place}Condition")
            if holds is True:
                # In JSONPath, OutputPath stands beside the rules.
                return Result(data, rule["Next"], rule, place)
        if (following := view.state.get("Default")) is None:
            raise runtime(_NO_WAY)
        return Result(data, following)


class Wait(Kind):
    """Waits for some seconds, or until a moment."""

    def begin(self, step: "Step", frame: Frame) -> Result | None:
        """Sets the timer."""
        view = step.view(frame)
        data = effective_input(view)
        step.wait(frame, "wait", self._until(step.now, view, data))
        return None

    def told(self, step: "Step", frame: Frame, what: str, message: Input) -> Result:
        """The time is over."""
        return Result(effective_input(step.view(frame)))

    @staticmethod
    def _until(now: float, view: View, data: Json) -> float:
        state = view.state
        if "Seconds" in state:
            seconds = state["Seconds"] if view.is_jsonpath else view.expression(state["Seconds"], "Seconds")
            return now + float(seconds)
        if "SecondsPath" in state:
            path = state["SecondsPath"]
            seconds = _referenced(view, "SecondsPath", data)
            if not isinstance(seconds, int) or isinstance(seconds, bool):
                told = f"cannot be parsed as a long value: {path} == {shown(seconds)}"
                raise runtime(f"The SecondsPath parameter {told}")
            if seconds < 0:
                raise runtime(f"The SecondsPath parameter references a negative value: {path} == {seconds}")
            if reason := out_of_range("Seconds", seconds):
                raise runtime(f"The SecondsPath parameter {reason}: {path} == {seconds}")
            return now + seconds
        if "Timestamp" in state:
            text = state["Timestamp"]
            text = text if view.is_jsonpath else view.expression(text, "Timestamp")
            told = f"The Timestamp field cannot be parsed as an {_FORM}: {text}"
        else:
            path, text = state["TimestampPath"], _referenced(view, "TimestampPath", data)
            told = f"The TimestampPath parameter does not reference a valid {_FORM}: {path} == {shown(text)}"
        if (moment := timestamp(text)) is None:
            raise runtime(told)
        return moment


def _referenced(view: View, name: str, data: Json) -> Json:
    path = view.state[name]
    try:
        return view.read(path, data)
    except PathError:
        raise runtime(f"The {name} parameter does not reference an input value: {path}") from None
