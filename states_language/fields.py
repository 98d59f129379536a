"""The fields of a state, evaluated in its query language.

`View` is what the fields of a state can read at one moment. A path, a template of JSONPath and an expression
of JSONata all end here.

See https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
and https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from states_language import intrinsics, jsonpath, paths
from states_language.expressions import is_expression
from states_language.failures import Failure, evaluation, intrinsic, runtime
from states_language.outside import Outside
from states_language.validation import FIELDS
from states_language.values import compact, shown

Json = Any
State = Mapping[str, Any]

_VARIABLE: Final = re.compile(r"\$([^\W\d]\w*)(.*)", re.DOTALL)
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)", re.ASCII)
_PLACE: Final = re.compile(r"^(Choices\[\d+\]|ItemBatcher|ItemReader/ReaderConfig)/")
#: What the expression of a field must give, by the type of the field.
_KINDS: Final = {"BOOLEAN": "boolean", "STRING": "string", "INTEGER": "number", "INTEGER FLOAT": "number"}
#: The form of a number that is read by a path: as JSON, or as a text.
_NUMBERS: Final = {
    "integer": re.compile(r"-?\d{1,18}", re.ASCII),
    "float": re.compile(r"-?\d{1,18}(\.\d+)?(e[-+]?\d+)?", re.ASCII),
}
_KIND_OF: Final = {
    int: "number",
    float: "number",
    bool: "boolean",
    str: "string",
    list: "array",
    dict: "object",
}


def timestamp(text: Json) -> float | None:
    """A moment in AWS's form, in seconds since 1970; None if it is none."""
    if not (isinstance(text, str) and _TIMESTAMP.fullmatch(text)):
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
        return moment.astimezone(UTC).timestamp()
    except (ValueError, OverflowError):  # in UTC, it may be after the year 9999
        return None


@dataclass
class View:
    """What the fields of a state can read.

    Args:
        state: The state.
        language: ``"JSONPath"`` or ``"JSONata"``.
        input: The state's input, before InputPath.
        context: The context object.
        variables: The workflow's variables by name.
        outside: For random numbers and ids.
        note: Learns of each value on its way, under the name that TestState gives it.
        extras: In JSONata, what ``$states`` has besides: ``result`` or ``errorOutput``.
    """

    state: State
    language: str
    input: Json
    context: Mapping[str, Json]
    variables: Mapping[str, Json]
    outside: Outside
    note: Callable[[str, Json], None]
    extras: Mapping[str, Json] = field(default_factory=dict)

    @property
    def is_jsonpath(self) -> bool:
        """Whether the state is in JSONPath."""
        return self.language == "JSONPath"

    def with_(self, **extras: Json) -> "View":
        """The same, in which expressions also read these parts of ``$states``."""
        return replace(self, extras=extras)

    # JSONPath

    def find(self, path: str, data: Json) -> Json:
        """The value at a path of any kind: of the data, of the context object (``$$``), or of a variable.

        Raises:
            PathError: There is none.
            Failure: States.Runtime: the path has a form that nobody can follow.
        """
        try:
            if path.startswith("$$"):
                return jsonpath.parse(path[1:]).find(self.context)
            if match := _VARIABLE.match(path):
                if match[1] not in self.variables:
                    raise jsonpath.PathError(path)
                return jsonpath.parse(f"${match[2]}").find(self.variables[match[1]])
            return jsonpath.parse(path).find(data)
        except jsonpath.PathSyntaxError as error:
            raise runtime(f"Invalid path '{path}'") from error

    def read(self, path: str, data: Json) -> Json:
        """The same, with null for an index beyond the end of an array."""
        try:
            return self.find(path, data)
        except jsonpath.BeyondError:
            return None

    def path(self, name: str, data: Json) -> Json:
        """The value of a field that holds a path, such as ``"InputPath"``.

        Raises:
            Failure: States.Runtime: the path leads to nothing.
        """
        path = self.state[name]
        try:
            return self.read(path, data)
        except jsonpath.PathError as error:
            if _VARIABLE.match(path):
                raise self._missing(path, name, data) from error
            raise runtime(f"Invalid path '{path}' : {error}") from error

    def _missing(self, path: str, name: str, data: Json) -> Failure:
        is_variable = _VARIABLE.match(path)
        where = f"variables '{compact(self.variables)}'" if is_variable else f"input '{compact(data)}'"
        return runtime(
            f"The JSONPath '{path}' specified for the field '{name}' could not be found in the {where}"
        )

    def template(self, value: Json, data: Json) -> Json:
        """A payload template, in which names that end with ``.$`` have their values.

        Raises:
            Failure: States.Runtime or States.IntrinsicFailure: a value is missing.
        """
        if isinstance(value, dict):
            made = {}
            for name, each in value.items():
                if name.endswith(".$"):
                    made[name[:-2]] = self.filled(name, each, data)
                else:
                    made[name] = self.template(each, data)
            return made
        return [self.template(each, data) for each in value] if isinstance(value, list) else value

    def filled(self, name: str, text: str, data: Json) -> Json:
        """The value of a path, or of a call of an intrinsic function.

        Args:
            name: The name of the field, as errors tell it.
            text: The path or the call.
            data: What a path reads.

        Raises:
            Failure: States.Runtime or States.IntrinsicFailure: there is none.
        """
        if (call := paths.call(text)) is None:
            return self._at(name, text, data)

        def argument(path: str) -> Json:
            try:
                return self.find(path, data)
            except jsonpath.PathError as error:
                told = f"The JsonPath argument for the field '{path}' could not be found in the input"
                told = str(error) if isinstance(error, jsonpath.NoArrayError) else f"{told} '{compact(data)}'"
                raise runtime(f"The function '{text}' had the following error: {told}") from error

        try:
            return intrinsics.evaluate(call, argument, self.outside.random, self.outside.new_id)
        except intrinsics.IntrinsicError as error:
            raise intrinsic(f"The function '{text}' had the following error: {error}") from error

    def _at(self, name: str, path: str, data: Json) -> Json:
        try:
            return self.read(path, data)
        except jsonpath.PathError as error:
            raise self._missing(path, name, data) from error

    # JSONata

    def expression(self, value: Json, name: str) -> Json:
        """A value in which each expression of JSONata has its value.

        Args:
            value: The value of a field.
            name: The place of the field, such as ``Choices[1]/Condition``.

        Raises:
            Failure: States.QueryEvaluationError.
        """
        if isinstance(value, dict):
            return {key: self.expression(each, f"{name}/{key}") for key, each in value.items()}
        if isinstance(value, list):
            return [self.expression(each, f"{name}[{n}]") for n, each in enumerate(value)]
        if not is_expression(value):
            return value
        from states_language.jsonata import EvaluationError, evaluate  # noqa: PLC0415 (it takes 30 ms)

        text = value[2:-2].strip()
        states = {"input": self.input, "context": self.context, **self.extras}
        told = f"The JSONata expression '{text}' specified for the field '{name}'"
        try:
            found = evaluate(text, {**self.variables, "states": states}, outside=self.outside)
        except EvaluationError as error:
            raise evaluation(f"{told} {error}", name) from error
        return _checked(found, name, told)

    def must_be_array(self, value: Json, name: str, text: str) -> Failure:
        """The error of an expression whose value is no array."""
        told = f"The JSONata expression '{text[2:-2].strip()}' specified for the field '{name}'"
        return _unexpected(told, "array", value, name)

    # Both

    def number(self, name: str, place: str, data: Json, fields: State | None = None) -> Json:
        """The value of a field that is a number, an expression, or ``...Path``; None if there is none.

        Args:
            name: The name, such as ``"MaxConcurrency"``.
            place: Where it stands, as errors name it.
            data: What a path reads.
            fields: The object that has the field; by default, the state.

        Raises:
            Failure: It is none, or not in the range of its field.
        """
        fields = self.state if fields is None else fields
        if f"{name}Path" not in fields:
            value = fields.get(name)
            return self.expression(value, place) if self.language == "JSONata" else value
        path = fields[f"{name}Path"]
        try:
            value = self.read(path, data)
        except jsonpath.PathError as error:
            raise runtime(f"Invalid path '{path}' : {error}") from error
        as_text, kind = shown(value), "float" if "FLOAT" in FIELDS[name].type else "integer"
        if not _NUMBERS[kind].fullmatch(as_text):
            raise runtime(
                f'The {name}Path field refers to value "{as_text}" which is not a valid {kind}: {path}'
            )
        number = float(value) if kind == "float" else int(value)
        # An ItemReader has its own sentence.
        if name != "MaxItems" and (reason := out_of_range(name, number)):
            raise runtime(f"{name} {reason}.")
        return number


def out_of_range(name: str, value: float) -> str:
    """Why a field does not take a number; empty if it does.

    The same table holds for a number in a definition. But as AWS tells it, one that is evaluated may be 0.
    """
    _, most = FIELDS[name].range or (0, math.inf)
    if 0 <= value <= most:
        return ""
    if value < 0 and (math.isinf(most) or name == "Seconds"):
        return "cannot be negative"
    return f"must be between 0 and {int(most)}"


def _checked(value: Json, name: str, told: str) -> Json:
    """The value of an expression, if its field takes it."""
    own = _PLACE.sub("", name)
    field = FIELDS.get(own)
    if field is None or (expected := _KINDS.get(field.type)) is None:
        return value
    if _KIND_OF.get(type(value), "null") != expected:
        raise _unexpected(told, expected, value, name)
    reason = ""
    if expected == "number":
        if "FLOAT" not in field.type and isinstance(value, float) and not value.is_integer():
            reason = f"The {name} field cannot be parsed as an integer: {value}"
        elif end := out_of_range(own, value):
            reason = f"{name} {end} but was: {value}"
    elif name == "Timestamp" and timestamp(value) is None:
        form = "an ISO-8601 extended offset date-time format string"
        reason = f"The Timestamp field cannot be parsed as {form}: {value}"
    if reason:
        raise evaluation(reason, name)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unexpected(told: str, expected: str, value: Json, name: str) -> Failure:
    was = f"'{_KIND_OF.get(type(value), 'null')}' for value: {compact(value)}"
    return evaluation(
        f"{told} returned an unexpected result type. Expected '{expected}', but was {was}", name
    )
