"""Settle for every client how patient it is with AWS, and what it takes for an answer of AWS."""

import json
from typing import Any, Final

from botocore.config import Config

from lottery_lib.aws_errors import not_of_aws

__all__ = ["config", "listen"]

_ATTEMPTS: Final = 5
#: The same for every client: botocore's own patience would be a minute for each of ten attempts.
_SETTINGS: Final = {
    "retries": {"mode": "standard", "total_max_attempts": _ATTEMPTS},
    "connect_timeout": 5,
    "read_timeout": 60,
}
#: What passes by itself, but is not on botocore's list: SNS throttles by a name of its own.
_RETRIED_TOO: Final = ("Throttled", "ConcurrentModification", "OperationAborted")
_PASSING_STATUS: Final = (429, 500, 502, 503, 504)


def config(endpoint: str | None) -> Config:
    """The settings of a client; to an emulator's address it goes straight: no proxy, no host prefix."""
    if endpoint is None:
        return Config(**_SETTINGS)
    return Config(**_SETTINGS, proxies={"http": None, "https": None}, inject_host_prefix=False)


def listen(client: Any) -> None:
    """Look at each answer before the client does: ask again what passes, refuse what is not of AWS."""
    client.meta.events.register("before-parse", _refuse_what_is_not_of_aws)
    client.meta.events.register("needs-retry", _retry_too)


def _retry_too(response: Any, attempts: int, **_: Any) -> float | None:
    """Answer botocore's question how many seconds to wait before another attempt; None for no attempt."""
    code = response[1].get("Error", {}).get("Code", "") if response else ""
    again = attempts < _ATTEMPTS and any(word in code for word in _RETRIED_TOO)
    return float(2 ** (attempts - 1)) if again else None


def _refuse_what_is_not_of_aws(response_dict: dict[str, Any], operation_model: Any, **_: Any) -> None:
    """Refuse the page of a proxy or a hotel, in which botocore would find an empty answer.

    A page that tells of trouble is emptied instead: botocore then goes by its status, and asks again.
    """
    if operation_model.has_streaming_output:
        return
    status, body = response_dict["status_code"], response_dict["body"].strip()
    if not (_is_broken(body, operation_model) if body else status == 200 and _tells(operation_model)):
        return
    if status in _PASSING_STATUS:
        response_dict["body"] = b""
    else:
        raise not_of_aws(operation_model.name)


def _is_broken(body: bytes, operation_model: Any) -> bool:
    if "json" not in operation_model.service_model.resolved_protocol:
        return not body.startswith(b"<") or b"<html" in body[:500].lower()
    try:
        return not isinstance(json.loads(body), dict)
    except ValueError:
        return True


def _tells(operation_model: Any) -> bool:
    """Whether the reply to an operation has something in its body."""
    shape = operation_model.output_shape
    return shape is not None and any("location" not in each.serialization for each in shape.members.values())
