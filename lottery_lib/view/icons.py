"""A sign for each type of state, and for each service that a Task calls. They are our own, not AWS's."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from lottery_lib.definition import Machine
from lottery_lib.translation import punctuated

#: The width and the height of a sign: in its path, and in a drawing.
BOX: Final = 14
SIZE: Final = 12
_CIRCLE: Final = "M7 1.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z"
#: The paths of the signs: types of states, then services.
ICONS: Final[Mapping[str, str]] = {
    "Task": "M7 4.2a2.8 2.8 0 1 0 0 5.6a2.8 2.8 0 1 0 0-5.6zM7 1v1.6M7 11.4V13M1 7h1.6M11.4 7H13"
    "M2.8 2.8l1.1 1.1M10.1 10.1l1.1 1.1M2.8 11.2l1.1-1.1M10.1 3.9l1.1-1.1",
    "Choice": "M7 1.2L12.8 7L7 12.8L1.2 7z",
    "Parallel": "M2.5 1.5v11M7 1.5v11M11.5 1.5v11",
    "Map": "M1.5 5.5h7v7h-7zM4 5.5V3.5h7v7H8.5M6.5 3.5V1.5h6v7h-1.5",
    "Wait": _CIRCLE + "M7 4v3.2l2.2 1.5",
    "Pass": "M1.5 7h11M8.5 3l4 4l-4 4",
    "Succeed": _CIRCLE + "M4.5 7.2l1.9 1.9l3.3-4",
    "Fail": _CIRCLE + "M5 5l4 4M9 5l-4 4",
    "Lambda": "M5.5 1.5c-4.5 0-.5 5-4 5.5c3.5.5-.5 5.5 4 5.5M8.5 1.5c4.5 0 .5 5 4 5.5c-3.5.5.5 5.5-4 5.5",
    "SNS": "M1.5 3h11v8h-11zM1.5 3.5L7 8l5.5-4.5",
    "DynamoDB": "M1.5 2.5h11v9h-11zM1.5 5.5h11M1.5 8.5h11M5.5 5.5v6",
    "Step Functions": "M5 1.5h4v3H5zM1.5 9.5h4v3h-4zM8.5 9.5h4v3h-4zM7 4.5V7M3.5 9.5V7h7v2.5",
}
_SERVICES: Final = {
    "lambda": "Lambda", "sns": "SNS", "dynamodb": "DynamoDB",
    "states": "Step Functions", "sfn": "Step Functions",
}  # fmt: skip
_ARN: Final = re.compile(r"arn:[^:]*:(?:states:[^:]*:[^:]*:(?:aws-sdk:)?)?(\w+)")


def icons_of(state: Machine) -> Iterator[str]:
    """The names of a state's signs: its type, then the service that it calls, if there is a sign for it."""
    if state.get("Type") in ICONS:
        yield state["Type"]
    if (service := service_of(state)) in ICONS:
        yield service


def service_of(state: Machine) -> str:
    """The service that a Task calls, such as ``"Lambda"``; empty for other states."""
    resource = str(state.get("Resource", ""))
    if resource.startswith("<"):  # the placeholder of a function
        return "Lambda"
    found = _ARN.match(resource)
    return _SERVICES.get(found[1], found[1]) if found else ""


def kind_of(state: Machine) -> str:
    """A state's type and service in words, such as ``"Task (Lambda)"``."""
    kind, service = str(state.get("Type", "")), service_of(state)
    return punctuated("{type} ({service})", type=kind, service=service) if service else kind
