"""Know what a Lambda function's configuration means for the process that runs it."""

import datetime
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lottery_lib.emulator.http.messages import Scope

__all__ = ["Function", "arn_of", "environment_of", "function_of", "name_of", "stream_of"]


@dataclass(frozen=True)
class Function:
    """One version of a function.

    Args:
        arn: Without a qualifier.
        version: ``"$LATEST"`` or a number.
        code: Its CodeSha256.
        settings: Runtime, handler, time-out and so on, as JSON: another text, another execution environment.
    """

    arn: str
    version: str
    code: str
    settings: str

    @property
    def _settings(self) -> dict[str, Any]:
        return json.loads(self.settings)  # type: ignore[no-any-return]

    @property
    def name(self) -> str:
        """Its name."""
        return self.arn.rpartition(":")[2]

    @property
    def region(self) -> str:
        """Where it is."""
        return self.arn.split(":")[3]

    @property
    def handler(self) -> str:
        """Such as ``lambda_function.lambda_handler``."""
        return str(self._settings["Handler"])

    @property
    def runtime(self) -> str:
        """Such as ``python3.12``."""
        return str(self._settings["Runtime"])

    @property
    def seconds(self) -> float:
        """How long a call may take."""
        return float(self._settings["Timeout"])

    @property
    def memory(self) -> int:
        """How much it may use, in MB."""
        return int(self._settings["MemorySize"])

    @property
    def variables(self) -> dict[str, str]:
        """Its own environment variables."""
        return dict(self._settings["Environment"])

    @property
    def role(self) -> str:
        """The ARN of its role."""
        return str(self._settings["Role"])

    @property
    def log_group(self) -> str:
        """Where its output goes."""
        return str(self._settings["LogGroup"])


def function_of(configuration: Mapping[str, Any]) -> Function:
    """Read what GetFunctionConfiguration told."""
    arn = ":".join(configuration["FunctionArn"].split(":")[:7])
    settings = {
        "Runtime": configuration.get("Runtime") or "python3.12",
        "Handler": configuration.get("Handler") or "",
        "Timeout": int(configuration.get("Timeout") or 3),
        "MemorySize": int(configuration.get("MemorySize") or 128),
        "Environment": (configuration.get("Environment") or {}).get("Variables") or {},
        "Role": configuration.get("Role"),
        "LogGroup": (configuration.get("LoggingConfig") or {}).get("LogGroup")
        or f"/aws/lambda/{configuration['FunctionName']}",
    }
    version = configuration.get("Version") or "$LATEST"
    return Function(arn, version, configuration["CodeSha256"], json.dumps(settings, sort_keys=True))


def name_of(text: str) -> str:
    """A function's name, perhaps with a qualifier, from any of the forms that AWS takes."""
    return re.sub(r"^(?:arn:[\w-]+:lambda:[\w-]+:)?(?:\d{12}:)?(?:function:)?", "", text)


def arn_of(scope: Scope, name: str) -> str:
    """The ARN of a function where somebody calls."""
    partition = "aws-cn" if scope.region.startswith("cn-") else "aws"
    return f"arn:{partition}:lambda:{scope.region}:123456789012:function:{name}"


def stream_of(function: Function, stream_id: str, today: datetime.date) -> str:
    """The log stream of one execution environment, as AWS names it."""
    return f"{today:%Y/%m/%d}/[{function.version}]{stream_id}"


def environment_of(
    function: Function,
    *,
    stream: str,
    endpoint: str,
    folder: Path,
    access_key: str,
    bare: Mapping[str, str],
) -> dict[str, str]:
    """Every variable that the function sees.

    Args:
        function: The function.
        stream: Its log stream.
        endpoint: The emulator, where its AWS clients go.
        folder: Its code.
        access_key: By which its calls are known.
        bare: What the operating system needs.
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
    # On AWS a client finds AWS by itself; here it must be told, and must look nowhere else.
    ours = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    return {**bare, **ours, **function.variables, **given}
