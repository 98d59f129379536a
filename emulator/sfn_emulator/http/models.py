"""Compare the parameters of a call, or the mocked result of a Task, with AWS's models in botocore."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

from sfn_emulator.http.messages import MalformedRequestError, RefusalError
from sfn_emulator.http.replies import violation

# AWS checks no mock of the first four. The mock of a job is the answer of the call that waits for its end.
_UNCHECKED: Final = ("apigateway:invoke", "eks:call", "eks:runJob", "http:invoke")
_WAITING: Final = {
    "batch:submitJob": "DescribeJobs",
    "ecs:runTask": "DescribeTasks",
    "glue:startJobRun": "GetJobRun",
    "states:startExecution": "DescribeExecution",
}
_SERVICES: Final = {"sfn": "stepfunctions", "states": "stepfunctions"}
_TYPES: Final[dict[str, tuple[Any, str]]] = {
    "structure": (dict, "an object"),
    "map": (dict, "an object"),
    "list": (list, "an array"),
    "boolean": (bool, "a boolean"),
    **dict.fromkeys(("string", "timestamp", "blob", "character"), (str, "a string")),
    **dict.fromkeys(("integer", "long", "float", "double"), (int | float, "a number")),
}
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


# A path, the key of a sentence, and the limit in it.
_Fault = tuple[str, str, Any]


def check_call(service: str, operation: str, parameters: dict[str, Any]) -> None:
    """Refuse a call whose parameters do not fit its model.

    Raises:
        RefusalError: A parameter is missing, too long, or not one of the allowed values.
        MalformedRequestError: A parameter has the wrong type.
    """
    for path, kind, limit in _faults(shape_of(service, operation, "input"), parameters, str):
        if kind == "type":
            raise MalformedRequestError(f"'{path}' must be {limit}")
        raise RefusalError("ValidationException", violation(path, _IN_CALL[kind].format(limit)))


def check_result(resource: str, result: Any, *, strict: bool) -> None:
    """Refuse the mocked result of a Task if the API that the Task calls cannot answer so.

    Args:
        resource: The Task's ``Resource``. Only those of services have a model.
        result: The mock.
        strict: Whether required fields must be there, too.

    Raises:
        RefusalError: In AWS's words.
    """
    named = re.fullmatch(r"arn:[\w-]+:states:::(?:aws-sdk:)?([\w-]+:\w+)(?:\.(\w+)(?::2)?)?", resource)
    # The result of a callback is what somebody sends with the token.
    if not named or named[1] in _UNCHECKED or named[2] == "waitForTaskToken":
        return
    service, _, action = named[1].partition(":")
    if named[2]:
        action = _WAITING.get(named[1], "")
    shape = shape_of(_SERVICES.get(service, service), action, "output")
    for path, kind, limit in _faults(shape, result, _as_in_asl):
        # A function's payload is JSON, although the model has a blob.
        if (strict or kind != "missing") and (named[1], path) != ("lambda:invoke", "Payload"):
            fault = _IN_MOCK[kind].format(path.rpartition(".")[2], limit)
            text = f"Mock result schema validation error: {fault}"
            raise RefusalError(
                "ValidationException", text if path else "Mocked result must be a JSON object."
            )


@lru_cache(16)  # a shape keeps the model of its service in memory
def shape_of(service: str, operation: str, side: str) -> Any:
    """The shape of an operation's input or output; None if AWS has no such model."""
    import botocore.session  # noqa: PLC0415 (it takes a while)
    from botocore.exceptions import UnknownServiceError  # noqa: PLC0415

    try:
        model = botocore.session.get_session().get_service_model(service)
    except UnknownServiceError:
        return None
    known = {name.lower(): name for name in model.operation_names}
    name = known.get(operation.lower())
    return getattr(model.operation_model(name), f"{side}_shape") if name else None


def _as_in_asl(name: str) -> str:
    """The name of a field in a definition, such as ``ExecutionArn`` or ``SseDescription``."""
    name = re.sub(r"[A-Z]{2,}(?=[A-Z][a-z]|[\d_]|$)", lambda match: match[0].capitalize(), name)
    return name[:1].upper() + name[1:]


def _faults(shape: Any, value: Any, name_of: Callable[[str], str], path: str = "") -> Iterator[_Fault]:
    if shape is None or getattr(shape, "is_document_type", False):
        return
    kind, (wanted, words) = shape.type_name, _TYPES[shape.type_name]
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind != "boolean"):
        yield (path, "type", words)
        return
    if kind == "structure":
        for member, inner in shape.members.items():
            name = name_of(member)
            where = f"{path}.{name}" if path else name
            if value.get(name) is not None:
                yield from _faults(inner, value[name], name_of, where)
            elif member in shape.required_members:
                yield (where, "missing", None)
    elif kind in {"list", "map"}:
        inner = shape.member if kind == "list" else shape.value
        for each in value if kind == "list" else value.values():
            yield from _faults(inner, each, name_of, path)
    if (allowed := getattr(shape, "enum", None)) and value not in allowed:
        yield (path, "enum", ", ".join(allowed))
    is_number = isinstance(value, int | float)
    size, below, above = (value, "low", "high") if is_number else (len(value), "short", "long")
    if size < shape.metadata.get("min", size):
        yield (path, below, shape.metadata["min"])
    if size > shape.metadata.get("max", size):
        yield (path, above, shape.metadata["max"])
