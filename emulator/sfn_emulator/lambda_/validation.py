"""Refuse the configurations, code and invocations that Lambda refuses and moto accepts."""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sfn_emulator.http.messages import RefusalError
from sfn_emulator.http.replies import violation

BAD_ZIP: Final = "Could not unzip uploaded file. Please check your file, then try to upload again."
# The Python runtimes with which AWS lets you create a function in November 2026 (recorded replies of AWS).
_CREATABLE: Final = tuple(f"python3.{minor}" for minor in range(8, 15))
_DEPRECATED: Final = ("python2.7", "python3.6", "python3.7")
_NAME: Final = re.compile(r"(arn:[\w:-]+:function:|\d{12}:function:)?[a-zA-Z0-9_-]{1,64}")
_RESERVED: Final = re.compile(
    r"_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_.*|AWS_ACCESS_KEY(_ID)?"
    r"|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR"
)
_LARGEST_CODE: Final = 262_144_000
_LARGEST_EVENT: Final = {"RequestResponse": 6 * 1024 * 1024, "Event": 1024 * 1024}


def check_configuration(parameters: Mapping[str, Any]) -> None:
    """Refuse wrong parameters of CreateFunction or UpdateFunctionConfiguration.

    Raises:
        RefusalError: With AWS's reason.
    """
    if reason := next(_faults(parameters), None):
        raise RefusalError("InvalidParameterValueException", reason)


def check_code(zipped: bytes) -> None:
    """Refuse a zip that cannot be read or is too large.

    Raises:
        RefusalError: With AWS's reason.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise RefusalError("InvalidParameterValueException", BAD_ZIP) from error
    if size >= _LARGEST_CODE:
        text = f"Unzipped size must be smaller than {_LARGEST_CODE} bytes"
        raise RefusalError("InvalidParameterValueException", text)


def check_invoke(kind: str, body: bytes) -> None:
    """Refuse a wrong Invoke.

    Args:
        kind: The invocation type.
        body: The event, as JSON.

    Raises:
        RefusalError: With AWS's reason.
    """
    if kind not in {"RequestResponse", "Event", "DryRun"}:
        rule = "satisfy enum value set: [Event, RequestResponse, DryRun]"
        raise RefusalError("ValidationException", violation("invocationType", rule, kind))
    limit = _LARGEST_EVENT.get(kind, _LARGEST_EVENT["RequestResponse"])
    if len(body) > limit:
        text = f"{len(body)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
        raise RefusalError("RequestEntityTooLargeException", text, 413)
    try:
        json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        text = f"Could not parse request body into json: Could not parse payload into json: {error}"
        raise RefusalError("InvalidRequestContentException", text) from error


def _faults(parameters: Mapping[str, Any]) -> Iterator[str]:
    runtime = parameters.get("Runtime")
    if runtime in _DEPRECATED:
        yield (
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda "
            "functions. We recommend you use a supported runtime while creating or updating functions."
        )
    elif runtime is not None and runtime not in _CREATABLE:
        yield (
            f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
            f"[{', '.join(_CREATABLE)}] or be a valid ARN"
        )
    name = parameters.get("FunctionName")
    if name is not None and not _NAME.fullmatch(str(name)):
        yield violation("functionName", "satisfy regular expression pattern: [a-zA-Z0-9-_]+", name)
    seconds = parameters.get("Timeout")
    if seconds is not None and not (isinstance(seconds, int) and 1 <= seconds <= 900):
        bound = "less than or equal to 900" if seconds != 0 else "greater than or equal to 1"
        yield violation("timeout", f"have value {bound}", seconds)
    variables = (parameters.get("Environment") or {}).get("Variables") or {}
    if reserved := [name for name in variables if _RESERVED.fullmatch(name)]:
        yield (
            "Lambda was unable to configure your environment variables because the environment variables you "
            "have provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > 4096:
        yield (
            "Lambda was unable to configure your environment variables because the environment variables you "
            f"have provided exceeded the 4KB limit. String measured: {measured}"
        )
