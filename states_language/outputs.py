"""From the input of a state to its arguments, and from its result to its output.

In JSONPath: InputPath, Parameters, (the work), ResultSelector, ResultPath, OutputPath. In JSONata: Arguments,
(the work), Output. Assign sees the same as the last step. All of them see the variables from before the
state.

See https://docs.aws.amazon.com/step-functions/latest/dg/concepts-input-output-filtering.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from states_language.expressions import WITH_RESULT
from states_language.failures import Failure, too_large
from states_language.fields import View
from states_language.jsonpath import PathSyntaxError, PlaceError, placed
from states_language.values import LARGEST, compact, is_too_large

Json = Any
_LARGEST_TOGETHER: Final = 10 * 1024 * 1024


@dataclass(frozen=True)
class Result:
    """The result of a state.

    Args:
        value: The result; of a Choice, Wait or Succeed its input after InputPath.
        next: The state that follows, if the result decides it.
        fields: The rule of a Choice whose Assign and Output count; None for those of the state.
        place: Where the rule stands, such as ``"Choices[1]/"``.
        text: The value as JSON, if it was written before.
    """

    value: Json
    next: str | None = None
    fields: Mapping[str, Any] | None = None
    place: str = ""
    text: str | None = None


def effective_input(view: View) -> Json:
    """The state's input after InputPath. In JSONata, it is the input."""
    data = view.input
    if "InputPath" in view.state and view.is_jsonpath:
        data = {} if view.state["InputPath"] is None else view.path("InputPath", view.input)
    view.note("afterInputPath", data)
    return data


def arguments(view: View, data: Json) -> Json:
    """What a state gives to its work: Parameters or Arguments, or its input after InputPath."""
    if view.is_jsonpath:
        given = view.template(view.state["Parameters"], data) if "Parameters" in view.state else data
        view.note("afterParameters", given)
        return given
    if "Arguments" not in view.state:
        return data
    given = view.expression(view.state["Arguments"], "Arguments")
    view.note("afterArguments", given)
    return given


def sent(name: str, given: Json, text: str | None = None) -> str:
    """What a state sends to its work, as JSON.

    Args:
        name: The name of the state.
        given: What it sends.
        text: The same as it was written; None if nobody knows.

    Raises:
        Failure: States.DataLimitExceeded.
    """
    text = compact(given) if text is None else text
    if is_too_large(text):
        raise too_large(name, "provided parameters")
    return text


def finished(view: View, result: Result) -> tuple[Json, dict[str, Json]]:
    """The output of a state, and the variables that it assigns.

    Raises:
        Failure: An output cannot be evaluated. Retry and Catch may see it.
    """
    state, kind = view.state, view.state["Type"]
    fields = state if result.fields is None else result.fields
    if not view.is_jsonpath:
        seen = view.with_(result=result.value) if kind in WITH_RESULT else view
        assigned = _assigned(fields, lambda value: seen.expression(value, f"{result.place}Assign"), view)
        if "Output" not in fields:
            return result.value, assigned
        return seen.expression(fields["Output"], f"{result.place}Output"), assigned
    value = result.value
    if kind in WITH_RESULT and "ResultSelector" in state:
        value = view.template(state["ResultSelector"], value)
    assigned = _assigned(fields, lambda template: view.template(template, value), view)
    if kind in WITH_RESULT or kind == "Pass":
        view.note("afterResultSelector", value)
        value = with_result(view, state.get("ResultPath", "$"), value)
        view.note("afterResultPath", value)
    if "OutputPath" in state:
        value = {} if state["OutputPath"] is None else view.path("OutputPath", value)
    return value, assigned


def caught(
    view: View, catcher: Mapping[str, Any], number: int, failure: Failure
) -> tuple[Json, dict[str, Json]]:
    """The output of a state whose error a Catcher catches, and the variables that the Catcher assigns."""
    output = failure.output
    if view.is_jsonpath:
        assigned = _assigned(catcher, lambda template: view.template(template, output), view)
        return with_result(view, catcher.get("ResultPath", "$"), output), assigned
    place = f"Catch[{number}]/"
    seen = view.with_(errorOutput=output)
    assigned = _assigned(catcher, lambda value: seen.expression(value, f"{place}Assign"), view)
    return (seen.expression(catcher["Output"], f"{place}Output") if "Output" in catcher else output), assigned


def with_result(view: View, path: str | None, result: Json) -> Json:
    """The state's input with a result at the place that ResultPath names.

    Raises:
        Failure: States.ResultPathMatchFailure: it has no place there.
    """
    if path is None:
        return view.input
    try:
        return placed(view.input, path, result)
    except (PlaceError, PathSyntaxError):
        told = f"Unable to apply ReferencePath {path} to input {compact(view.input)}"
        raise Failure("States.ResultPathMatchFailure", told) from None


def _assigned(fields: Mapping[str, Any], evaluated: Any, view: View) -> dict[str, Json]:
    if "Assign" not in fields:
        return {}
    values: dict[str, Json] = evaluated(fields["Assign"])
    for together, largest in ((values, LARGEST), ({**view.variables, **values}, _LARGEST_TOGETHER)):
        if sum(len(compact(value).encode()) for value in together.values()) > largest:
            raise too_large(view.context.get("State", {}).get("Name", ""), "assigned variables")
    return values
