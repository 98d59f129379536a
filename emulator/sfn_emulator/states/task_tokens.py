"""Answer SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat. `moto.callbacks` keeps the waiting tasks."""

from typing import Final

from sfn_emulator.engine.task_tokens import report
from sfn_emulator.http.messages import MalformedRequestError, RefusalError, Reply, Request
from sfn_emulator.http.replies import json_reply
from sfn_emulator.states.validation import LARGEST_INPUT, check_json

_OUTCOMES: Final = {
    "SendTaskSuccess": ["output"],
    "SendTaskFailure": ["error", "cause"],
    "SendTaskHeartbeat": [],
}
_MOST: Final = {"taskToken": 2048, "output": LARGEST_INPUT, "error": 256, "cause": 32_768}


def send(request: Request) -> Reply:
    """Answer one of the three operations.

    Raises:
        RefusalError: With AWS's reason.
    """
    token = str(_checked(request, "taskToken"))
    outcome = {name: _checked(request, name) for name in _OUTCOMES[request.operation]}
    if "output" in outcome:
        check_json(str(outcome["output"]), "InvalidOutput", "Invalid Output")
    report(token, outcome or None)
    return json_reply({})


def _checked(request: Request, name: str) -> str | None:
    value: str | None = request.json.get(name)
    if value is None:
        fault = "" if name in {"error", "cause"} else "not be null"
    elif not isinstance(value, str):
        raise MalformedRequestError(f"{name} is not a text")
    elif len(value.encode(errors="replace")) > _MOST[name]:
        fault = f"have length less than or equal to {_MOST[name]}"
    else:
        fault = "have length greater than or equal to 1" if name == "taskToken" and not value else ""
    if fault:
        failed = f"Value at '{name}' failed to satisfy constraint: Member must {fault}"
        raise RefusalError("ValidationException", f"1 validation error detected: {failed}")
    return value
