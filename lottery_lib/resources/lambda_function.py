"""Keep a Lambda function: its code as a reproducible zip, its configuration, its role."""

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lottery_lib.naming import owned
from lottery_lib.resources import Resource, refuse_foreign
from lottery_lib.target import ClientError, Target, error_code, error_message, ignoring
from lottery_lib.waiting import retry_while, wait_until

__all__ = [
    "LAMBDAS_FOLDER",
    "Function",
    "code_sha256",
    "delete",
    "ensure",
    "entry",
    "find",
    "for_purpose",
    "is_as_wanted",
    "zipped",
]

KIND: Final = "function"
LAMBDAS_FOLDER: Final = Path(__file__).resolve().parent.parent.parent / "lambdas"
_ROLE_NOT_READY: Final = (
    "cannot be assumed",
    "does not have permissions",
    "KMS key is invalid for CreateGrant",
)


@dataclass(frozen=True)
class Function:
    """A function as it should be.

    Attributes:
        name: Its name.
        code: The deployment package, a zip.
        role_arn: The role that it runs as.
        runtime: Python 3.12; the tutorial's 3.7 is refused by AWS since January 2024.
        handler: ``module.function``.
        timeout: Seconds. AWS's default of 3 is tight for a cold start that imports boto3.
        memory: MB.
    """

    name: str
    code: bytes
    role_arn: str
    runtime: str = "python3.12"
    handler: str = "lambda_function.lambda_handler"
    timeout: int = 30
    memory: int = 256

    @property
    def configuration(self) -> dict[str, Any]:
        """The attributes that `UpdateFunctionConfiguration` sets."""
        return {
            "Role": self.role_arn,
            "Runtime": self.runtime,
            "Handler": self.handler,
            "Timeout": self.timeout,
            "MemorySize": self.memory,
        }


def zipped(folder: Path) -> bytes:
    """Pack a folder's Python files into the same bytes every time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for path in sorted(folder.rglob("*.py")):
            name = path.relative_to(folder).as_posix()
            package.writestr(entry(name), path.read_bytes().replace(b"\r\n", b"\n"))
    return buffer.getvalue()


def entry(name: str) -> zipfile.ZipInfo:
    """An entry of a package, of a fixed time and mode: the same sources are the same bytes everywhere."""
    made = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    made.external_attr = 0o644 << 16
    made.create_system = 3
    made.compress_type = zipfile.ZIP_DEFLATED
    return made


def code_sha256(code: bytes) -> str:
    """The digest by which Lambda knows a deployment package."""
    return base64.b64encode(hashlib.sha256(code).digest()).decode("ascii")


def for_purpose(target: Target, purpose: str, role_arn: str) -> Function:
    """The function for one of `naming.FUNCTIONS`, from its folder under `lambdas/`."""
    folder = re.sub(r"(?<!^)(?=[A-Z])", "_", purpose).lower()
    return Function(target.names.function(purpose), zipped(LAMBDAS_FOLDER / folder), role_arn)


def find(target: Target, name: str) -> Resource | None:
    """Look a function up."""
    found = _function(target, name)
    if found is None:
        return None
    settings = found["Configuration"]
    ours = owned(found.get("Tags", {}), target.names)
    return Resource(KIND, name, settings.get("State", "Active").upper(), settings["FunctionArn"], ours)


def is_as_wanted(target: Target, function: Function) -> bool:
    """Whether the function is there, with this code and configuration, and may run."""
    found = _function(target, function.name)
    return found is not None and not (
        _differences(function, found["Configuration"]) or "Concurrency" in found
    )


def ensure(target: Target, function: Function) -> Resource:
    """Create the function, or bring its code and configuration up to date.

    Raises:
        LotteryError: A function of that name is not ours.
    """
    found = _function(target, function.name)
    if found is None:
        return Resource(KIND, function.name, "created", _create(target, function))
    refuse_foreign(KIND, function.name, found.get("Tags", {}), target.names)
    settings = found["Configuration"]
    changed = _update(target, function, settings)
    if "Concurrency" in found:  # reserved by somebody's experiment: the lottery needs the usual
        target.client("lambda").delete_function_concurrency(FunctionName=function.name)
        changed = True
    return Resource(KIND, function.name, "updated" if changed else "unchanged", settings["FunctionArn"])


def delete(target: Target, name: str) -> Resource:
    """Delete the function.

    Raises:
        LotteryError: A function of that name is not ours.
    """
    found = _function(target, name)
    if found is None:
        return Resource(KIND, name, "missing")
    refuse_foreign(KIND, name, found.get("Tags", {}), target.names)
    ignoring(target.client("lambda").delete_function, "ResourceNotFoundException", FunctionName=name)
    return Resource(KIND, name, "deleted", found["Configuration"]["FunctionArn"])


def _function(target: Target, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = target.client("lambda").get_function(FunctionName=name)
    except ClientError as error:
        if error_code(error) == "ResourceNotFoundException":
            return None
        raise
    return found


def _create(target: Target, function: Function) -> str:
    client = target.client("lambda")
    try:
        arn: str = _once_assumable(
            function,
            lambda: client.create_function(
                FunctionName=function.name,
                Code={"ZipFile": function.code},
                Tags=target.names.tags,
                **function.configuration,
            ),
        )["FunctionArn"]
    except ClientError as error:  # the reply to our own first try may have been lost
        if "already exist" not in error_message(error):
            raise
        arn = client.get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
    _settle(target, function.name)
    return arn


def _differences(function: Function, settings: dict[str, Any]) -> set[str]:
    wanted = function.configuration | {"CodeSha256": code_sha256(function.code)}
    return {key for key, value in wanted.items() if settings.get(key) != value}


def _update(target: Target, function: Function, settings: dict[str, Any]) -> bool:
    """Send what differs, one thing at a time: AWS refuses an update while another is in progress."""
    client = target.client("lambda")
    _settle(target, function.name)
    differences = _differences(function, settings)
    if "CodeSha256" in differences:
        client.update_function_code(FunctionName=function.name, ZipFile=function.code)
        _settle(target, function.name)
    if differences - {"CodeSha256"}:
        _once_assumable(
            function,
            lambda: client.update_function_configuration(
                FunctionName=function.name, **function.configuration
            ),
        )
        _settle(target, function.name)
    return bool(differences)


def _once_assumable(function: Function, call: Callable[[], Any]) -> Any:
    # A role that IAM has just made is not known to Lambda for some seconds.
    return retry_while(
        f"Lambda to be able to assume the role of {function.name}",
        call,
        lambda error: (
            isinstance(error, ClientError) and any(text in error_message(error) for text in _ROLE_NOT_READY)
        ),
    )


def _settle(target: Target, name: str) -> None:
    """Wait until a function is active and no update is in progress."""

    def settled() -> Any:
        settings = target.client("lambda").get_function_configuration(FunctionName=name)
        return settings.get("State") != "Pending" and settings.get("LastUpdateStatus") != "InProgress"

    wait_until(f"function {name} to be ready", settled, seconds=300)
