"""Compare the parameters of a call, or the mocked result of a Task, with AWS's service models.

botocore has a model of each service. An operation's input and output each have a shape there.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

from sfn_emulator.http.messages import MalformedRequestError, RefusalError
from sfn_emulator.http.models import described
from sfn_emulator.http.replies import violation

# AWS does not check the mocks of these.
_UNCHECKED: Final = ("apigateway:invoke", "eks:call", "eks:runJob", "http:invoke")
# The result of a job is the result of the call that describes it at its end.
_DESCRIBES_JOB: Final = {
    "batch:submitJob": "DescribeJobs",
    "ecs:runTask": "DescribeTasks",
    "glue:startJobRun": "GetJobRun",
    "states:startExecution": "DescribeExecution",
}
_TYPES: Final[dict[str, tuple[Any, str]]] = {
    "structure": (dict, "an object"),
    "map": (dict, "an object"),
    "list": (list, "an array"),
    "boolean": (bool, "a boolean"),
    **dict.fromkeys(("string", "timestamp", "blob", "character"), (str, "a string")),
    **dict.fromkeys(("integer", "long", "float", "double"), (int | float, "a number")),
}
_INTEGERS: Final = {"integer": 2**31, "long": 2**63}
_LATEST: Final = 253_402_300_799  # the end of the year 9999, in seconds since 1970
_NOT_FOUND: Final = re.compile("NotFound|NoSuch|DoesNotExist|NonExistent")
_INVALID: Final = "ValidationException"
_IN_CALL: Final = {
    "missing": "not be null",
    "enum": "satisfy enum value set: [{}]",
    "short": "have length greater than or equal to {}",
    "long": "have length less than or equal to {}",
    "low": "have value greater than or equal to {}",
    "high": "have value less than or equal to {}",
}
_IN_MOCK: Final = {
    "missing": "Required field '{}' is missing",
    "type": "Field '{}' must be {}",
    "enum": "Field '{}' is not an expected value",
    "short": "Field '{}' is smaller than the minimum length",
    "long": "Field '{}' exceeds the maximum length",
    "low": "Field '{}' is less than the minimum value",
    "high": "Field '{}' exceeds the maximum value",
}


_Mismatch = tuple[str, str, Any, Any]
"""Something that does not fit: its path, the key of a sentence, its limit, and the value that AWS repeats
(None if it is missing or sensitive)."""


def check_call(service: str, operation: str, parameters: dict[str, Any], code: str = _INVALID) -> None:
    """Refuse a call whose parameters do not fit the model of its operation.

    Args:
        service: botocore's name of the service.
        operation: The operation.
        parameters: Its parameters. AWS's sentences begin each of their names in lower case.
        code: The service's name for the error.

    Raises:
        RefusalError: A parameter is missing, too long, or not one of the allowed values.
        MalformedRequestError: A parameter has the wrong type.
    """
    for path, kind, limit, value in _mismatches(shape_of(service, operation, "input"), parameters, str):
        if kind == "type":
            raise MalformedRequestError(f"'{path}' must be {limit}")
        place = ".".join(part[:1].lower() + part[1:] for part in path.split("."))
        raise RefusalError(
            code, violation(place, _IN_CALL[kind].format(limit), value, missing=kind == "missing")
        )


def fits(shape: Any, value: Any) -> bool:
    """Whether a part of a call fits its shape. Values that are not one of those allowed count as fitting."""
    return all(kind == "enum" for _, kind, _, _ in _mismatches(shape, value, str))


def check_result(resource: str, result: Any, *, strict: bool) -> None:
    """Refuse the mocked result of a Task if it does not fit the model of the operation that the Task calls.

    Args:
        resource: The Task's ``Resource``. Only the operations of services have a model.
        result: The mocked result.
        strict: Whether required fields must be there, too.

    Raises:
        RefusalError: In AWS's words.
    """
    integration = re.fullmatch(r"arn:[\w-]+:states:::(?:aws-sdk:)?([\w-]+:\w+)(?:\.(\w+)(?::2)?)?", resource)
    # The result of a callback is whatever somebody sends with the token.
    if not integration or integration[1] in _UNCHECKED or integration[2] == "waitForTaskToken":
        return
    service, _, action = integration[1].partition(":")
    if integration[2]:
        action = _DESCRIBES_JOB.get(integration[1], "")
    shape = shape_of(service, action, "output")
    for path, kind, limit, _ in _mismatches(shape, result, as_in_asl):
        # A function's payload is JSON, although the model has a blob.
        if (strict or kind != "missing") and (integration[1], path) != ("lambda:invoke", "Payload"):
            fault = _IN_MOCK[kind].format(path.rpartition(".")[2], limit)
            text = f"Mock result schema validation error: {fault}"
            raise RefusalError(
                "ValidationException", text if path else "Mocked result must be a JSON object."
            )


def shape_of(service: str, operation: str, side: str) -> Any:
    """The shape of an operation's input or output; None if AWS has no such operation.

    Args:
        service: botocore's name of the service, such as ``"stepfunctions"``.
        operation: The operation's name, in upper or lower case.
        side: ``"input"`` or ``"output"``.
    """
    return getattr(_model_of(service, operation), f"{side}_shape", None)


def has_operation(service: str, operation: str) -> bool:
    """Whether AWS has this operation. The service has botocore's name."""
    return _model_of(service, operation) is not None


def protocol_of(service: str) -> str:
    """The protocol of a service, such as ``"rest-json"``; empty if AWS has no such service."""
    return str(_service_model(service).metadata.get("protocol", ""))


def not_found(service: str, operation: str) -> tuple[str, int] | None:
    """The code and the status with which an operation says that something does not exist; None if unknown."""
    for shape in getattr(_model_of(service, operation), "error_shapes", ()):
        if _NOT_FOUND.search(shape.name):
            told = shape.metadata.get("error", {})
            return told.get("code", shape.name), told.get("httpStatusCode", 400)
    return None


def _model_of(service: str, operation: str) -> Any:
    model, names = _service_model(service), _operations_of(service)
    name, _ = names.get(operation.lower(), ("", frozenset()))
    return model.operation_model(name) if name else None


@lru_cache(32)  # each one keeps the model of its service in memory
def _service_model(service: str) -> Any:
    from botocore.model import ServiceModel  # noqa: PLC0415 (it takes a while)

    return ServiceModel(described(service), service)


def is_misspelt(service: str, operation: str) -> bool:
    """Whether AWS has this operation only with other upper and lower case letters.

    Args:
        service: The service in the signature.
        operation: The operation's name.
    """
    name, _ = _operations_of(service).get(operation.lower(), (operation, None))
    return name != operation


def parameters_of(service: str, operation: str) -> frozenset[str]:
    """The names of an operation's parameters; empty if AWS has no such operation.

    Args:
        service: The service in the signature.
        operation: The operation's name.
    """
    _, parameters = _operations_of(service).get(operation.lower(), ("", frozenset()))
    return parameters


@lru_cache
def _operations_of(service: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Each operation's name and parameters, by its name in lower case."""
    model = described(service)
    parameters = {name: frozenset(shape.get("members", ())) for name, shape in model["shapes"].items()}
    inputs = {name: it.get("input", {}).get("shape") for name, it in model["operations"].items()}
    return {name.lower(): (name, parameters.get(shape, frozenset())) for name, shape in inputs.items()}


def as_in_asl(name: str) -> str:
    """The name of a field in a definition, such as ``ExecutionArn`` or ``SseDescription``."""
    name = re.sub(r"[A-Z]{2,}(?=[A-Z][a-z]|[\d_]|$)", lambda match: match[0].capitalize(), name)
    return name[:1].upper() + name[1:]


def _mismatches(shape: Any, value: Any, name_of: Callable[[str], str], path: str = "") -> Iterator[_Mismatch]:
    if shape is None or getattr(shape, "is_document_type", False):
        return
    kind = shape.type_name
    if words := _wrong_type(shape, value, in_call=name_of is str):
        yield (path, "type", words, None)
        return
    if kind == "structure":
        for member, inner in shape.members.items():
            name = name_of(member)
            where = f"{path}.{name}" if path else name
            if value.get(name) is not None:
                yield from _mismatches(inner, value[name], name_of, where)
            elif member in shape.required_members:
                yield (where, "missing", None, None)
    elif kind in {"list", "map"}:
        inner = shape.member if kind == "list" else shape.value
        for number, item in enumerate(value if kind == "list" else value.values(), 1):
            where = f"{path}.{number}.member" if name_of is str else path  # a mock's field has no number
            yield from _mismatches(inner, item, name_of, where)
    shown = None if shape.metadata.get("sensitive") or kind in {"list", "map", "structure"} else value
    if (allowed := getattr(shape, "enum", None)) and value not in allowed:
        yield (path, "enum", ", ".join(allowed), shown)
    is_number = isinstance(value, int | float)
    size, below, above = (value, "low", "high") if is_number else (len(value), "short", "long")
    if size < shape.metadata.get("min", size):
        yield (path, below, shape.metadata["min"], shown)
    if size > shape.metadata.get("max", size):
        yield (path, above, shape.metadata["max"], shown)


def _wrong_type(shape: Any, value: Any, *, in_call: bool) -> str:
    """What a value should be, such as ``"a string"``; empty if it is that. A call has stricter rules."""
    wanted, words = _TYPES[shape.type_name]
    is_time = shape.type_name == "timestamp" and in_call
    if is_time and "timestampFormat" not in shape.serialization:
        wanted, words = _TYPES["double"]  # a call's JSON has seconds since 1970
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        return words
    if in_call and shape.type_name == "blob" and not _is_base64(value):
        return "a string in Base64"
    largest = _LATEST if is_time else _INTEGERS.get(shape.type_name) if in_call else None
    is_whole = is_time or shape.type_name not in _INTEGERS or value % 1 == 0
    if largest and not isinstance(value, str) and not (is_whole and abs(value) <= largest):
        return f"{words} of this size" if is_whole else "a whole number"
    return ""


def _is_base64(text: str) -> bool:
    try:
        return base64.b64decode(text, validate=True) is not None
    except (binascii.Error, ValueError):
        return False
