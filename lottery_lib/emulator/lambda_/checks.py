"""Refuse the function configurations that AWS refuses; moto takes them all."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["why_not_configuration"]

# What AWS's own list of Python runtimes allows to be created in November 2026 (recorded replies of AWS).
_CREATABLE: Final = tuple(f"python3.{minor}" for minor in range(8, 15))
_DEAD: Final = ("python2.7", "python3.6", "python3.7")
_NAME: Final = re.compile(r"(arn:[\w:-]+:function:|\d{12}:function:)?[a-zA-Z0-9_-]{1,64}")
_RESERVED: Final = re.compile(
    r"_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_.*|AWS_ACCESS_KEY(_ID)?"
    r"|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR"
)


def why_not_configuration(parameters: Mapping[str, Any]) -> str | None:
    """AWS's reason to refuse a CreateFunction or UpdateFunctionConfiguration, or None."""
    return (
        _why_not_runtime(parameters.get("Runtime"))
        or _why_not_name(parameters.get("FunctionName"))
        or _why_not_seconds(parameters.get("Timeout"))
        or _why_not_variables((parameters.get("Environment") or {}).get("Variables") or {})
    )


def _why_not_runtime(runtime: Any) -> str | None:
    if runtime in _DEAD:
        return (
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda "
            "functions. We recommend you use a supported runtime while creating or updating functions."
        )
    if runtime is None or runtime in _CREATABLE:
        return None
    return (
        f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
        f"[{', '.join(_CREATABLE)}] or be a valid ARN"
    )


def _why_not_name(name: Any) -> str | None:
    if name is None or re.fullmatch(
        r"(arn:[\w:-]+:function:|\d{12}:function:)?[a-zA-Z0-9_-]{1,64}", str(name)
    ):
        return None
    return (
        f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member "
        "must satisfy regular expression pattern: [a-zA-Z0-9-_]+"
    )


def _why_not_seconds(seconds: Any) -> str | None:
    if seconds is None or (isinstance(seconds, int) and 1 <= seconds <= 900):
        return None
    return (
        f"1 validation error detected: Value '{seconds}' at 'timeout' failed to satisfy constraint: Member "
        f"must have value {'less than or equal to 900' if seconds != 0 else 'greater than or equal to 1'}"
    )


def _why_not_variables(variables: Mapping[str, str]) -> str | None:
    reserved = [name for name in variables if _RESERVED.fullmatch(name)]
    if reserved:
        return (
            "Lambda was unable to configure your environment variables because the environment variables you "
            "have provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) <= 4096:
        return None
    return (
        "Lambda was unable to configure your environment variables because the environment variables you "
        f"have provided exceeded the 4KB limit. String measured: {measured}"
    )
