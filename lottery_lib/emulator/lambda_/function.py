"""Turn a Lambda function's configuration and code into what its process needs: variables and a folder."""

import base64
import hashlib
import io
import os
import re
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lottery_lib.emulator.http.messages import Arn
from lottery_lib.emulator.process.environment import bare_environment

# With these variables, boto3 does not read the user's settings, and does not ask this machine for a role.
NO_AWS: Final = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@dataclass(frozen=True)
class Function:
    """One version of a function. If any field changes, AWS needs a new execution environment.

    Args:
        arn: The ARN without a qualifier.
        version: ``"$LATEST"`` or a number.
        code: Its CodeSha256.
        handler: Such as ``"lambda_function.lambda_handler"``.
        runtime: Such as ``"python3.12"``.
        seconds: How long a call may take.
        memory: How much memory it may use, in MB.
        role: The ARN of its role.
        log_group: The log group for its output.
        variables: Its own environment variables, as pairs of name and value.
    """

    arn: str
    version: str
    code: str
    handler: str
    runtime: str
    seconds: float
    memory: int
    role: str
    log_group: str
    variables: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """Its name."""
        return self.arn.rpartition(":")[2]

    @property
    def region(self) -> str:
        """Its region."""
        return Arn.of(self.arn).region


def function_of(configuration: Mapping[str, Any]) -> Function:
    """Read a reply of GetFunctionConfiguration."""
    variables = (configuration.get("Environment") or {}).get("Variables") or {}
    logging = configuration.get("LoggingConfig") or {}
    return Function(
        arn=":".join(configuration["FunctionArn"].split(":")[:7]),
        version=configuration.get("Version") or "$LATEST",
        code=configuration["CodeSha256"],
        handler=configuration.get("Handler") or "",
        runtime=configuration.get("Runtime") or "python3.12",
        seconds=float(configuration.get("Timeout") or 3),
        memory=int(configuration.get("MemorySize") or 128),
        role=str(configuration.get("Role")),
        log_group=logging.get("LogGroup") or f"/aws/lambda/{configuration['FunctionName']}",
        variables=tuple(sorted(variables.items())),
    )


def name_of(text: str) -> str:
    """A function's name, with its qualifier if it has one, from any form that AWS accepts."""
    return re.sub(r"^(?:arn:[\w-]+:lambda:[\w-]+:)?(?:\d{12}:)?(?:function:)?", "", text)


def environment_of(
    function: Function, *, stream: str, endpoint: str, folder: Path, access_key: str
) -> dict[str, str]:
    """Every variable that the function sees.

    Args:
        function: The function.
        stream: Its log stream.
        endpoint: The emulator, which its AWS clients call.
        folder: Its code.
        access_key: The key that identifies its calls.
    """
    given = {
        "_HANDLER": function.handler,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_REGION": function.region,
        "AWS_SECRET_ACCESS_KEY": "lottery-emulator",
        "AWS_SESSION_TOKEN": "lottery-emulator",
        "LAMBDA_TASK_ROOT": str(folder),
        "TZ": ":UTC",
    }
    # On AWS, a client finds AWS by itself. Here it needs the emulator's address and must not use another one.
    ours = NO_AWS | {"AWS_ENDPOINT_URL": endpoint}
    return {**bare_environment(os.environ), **ours, **dict(function.variables), **given}


class CodeStore:
    """The code of functions by its SHA-256: zips in memory, and on disk once they run.

    Args:
        folder: The folder in which each zip gets its own folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._zips: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def keep(self, zipped: bytes) -> None:
        """Remember a function's zip."""
        sha256 = base64.b64encode(hashlib.sha256(zipped).digest()).decode()
        with self._lock:
            self._zips[sha256] = zipped

    def folder(self, sha256: str) -> Path | None:
        """The unpacked code with this CodeSha256; None if its zip was never uploaded."""
        with self._lock:
            if (zipped := self._zips.get(sha256)) is None:
                return None
            # The path without links, because tracebacks show it, and we replace it there with AWS's folder.
            folder = self._folder.resolve() / base64.b64decode(sha256).hex()[:16]
            if not folder.exists():
                draft = folder.with_suffix(".tmp")
                with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
                    archive.extractall(draft)
                draft.rename(folder)
            return folder
