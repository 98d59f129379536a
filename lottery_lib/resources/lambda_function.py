"""Keep a Lambda function: its code as a reproducible zip, its configuration, its role."""

import base64
import hashlib
import io
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from lottery_lib.aws_errors import busy, ignoring, says
from lottery_lib.errors import LotteryError
from lottery_lib.names import CHECKOUT, owned
from lottery_lib.resources import Resource, refuse_foreign
from lottery_lib.target import Target
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
LAMBDAS_FOLDER: Final = CHECKOUT / "lambdas"
#: Refusals that pass: of a role that IAM has just made, and of a function that is being made or updated.
_NOT_YET: Final = (
    "cannot be assumed",
    "execution role does not have permissions",
    "KMS key is invalid for CreateGrant",
    "cannot be performed at this time",
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
    return found and _resource(target, found)


def is_as_wanted(target: Target, function: Function) -> bool:
    """Whether the function is there, with this code and configuration, and may run."""
    found = _function(target, function.name)
    return found is not None and not _changes(function, found)


def ensure(target: Target, function: Function) -> Resource:
    """Create the function, or bring its code and configuration up to date.

    A reservation of concurrency is taken off: the lottery needs the usual.

    Raises:
        LotteryError: A function of that name is not ours, or Lambda could not make it work.
    """
    there = _function(target, function.name)
    if there and _resource(target, there).state == "DELETING":
        _gone(target, function.name)
        there = None
    created = None if there else _create(target, function)
    found = _settled(target, function.name)
    if created:
        return replace(_resource(target, found), state="created")
    refuse_foreign(_resource(target, found))
    changes = _changes(function, found)
    for operation, parameters in changes.items():
        _send(target, operation, FunctionName=function.name, **parameters)
        _refuse_failed("LastUpdateStatus", _settled(target, function.name))
    return replace(_resource(target, found), state="updated" if changes else "unchanged")


def delete(target: Target, name: str) -> Resource:
    """Delete the function and wait until it is gone.

    Raises:
        LotteryError: A function of that name is not ours.
    """
    found = find(target, name)
    if found is None:
        return Resource(KIND, name, "missing")
    refuse_foreign(found)
    if found.state != "DELETING":
        _send(target, "delete_function", "ResourceNotFound", FunctionName=name)
    _gone(target, name)
    return replace(found, state="deleted")


def _function(target: Target, name: str) -> Any:
    return ignoring(target.client("lambda").get_function, "ResourceNotFound", FunctionName=name)


def _resource(target: Target, found: dict[str, Any]) -> Resource:
    if error := found.get("TagsError"):
        raise LotteryError(
            f"the tags of function {found['Configuration']['FunctionName']}",
            error["Message"].rstrip("."),
            "Ask the administrator of the account for the right to lambda:ListTags",
        )
    settings, ours = found["Configuration"], owned(found.get("Tags", {}), target.names)
    state = settings.get("State", "Active").upper()
    return Resource(KIND, settings["FunctionName"], state, settings["FunctionArn"], ours)


def _create(target: Target, function: Function) -> Any:
    """Create it; None if there is one: the reply to our own first try may have been lost."""
    return _send(
        target,
        "create_function",
        "already exist",
        FunctionName=function.name,
        Code={"ZipFile": function.code},
        Tags=target.names.tags,
        **function.configuration,
    )


def _changes(function: Function, found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The operations that make what was found as it should be, with their parameters."""
    settings, changes = found["Configuration"], dict[str, dict[str, Any]]()
    if settings.get("CodeSha256") != code_sha256(function.code):
        changes["update_function_code"] = {"ZipFile": function.code}
    failed = settings.get("LastUpdateStatus") == "Failed"  # then it is not as it is shown
    if failed or any(settings.get(key) != value for key, value in function.configuration.items()):
        changes["update_function_configuration"] = function.configuration
    if "Concurrency" in found:
        changes["delete_function_concurrency"] = {}
    return changes


def _send(target: Target, operation: str, *ignored: str, FunctionName: str, **parameters: Any) -> Any:
    """Make a call that Lambda refuses while a role is too new for it, or an update is in progress."""
    call = getattr(target.client("lambda"), operation)
    return retry_while(
        f"Lambda to be ready for {operation} of {FunctionName}",
        lambda: ignoring(call, *ignored, FunctionName=FunctionName, **parameters),
        says(*_NOT_YET),
    )


def _settled(target: Target, name: str) -> Any:
    """Wait until a function is there and active, and no update is in progress."""

    def settled() -> Any:
        found = _function(target, name)
        state = found and (
            found["Configuration"].get("State"),
            found["Configuration"].get("LastUpdateStatus"),
        )
        return None if not state or state[0] == "Pending" or state[1] == "InProgress" else found

    found = wait_until(f"function {name} to be ready", settled, seconds=300, passing=busy)
    _refuse_failed("State", found)
    return found


def _refuse_failed(status: str, found: dict[str, Any]) -> None:
    settings = found["Configuration"]
    if settings.get(status) == "Failed":
        reason = settings.get(f"{status}Reason", "no reason was given").rstrip(".")
        raise LotteryError(
            f"function {settings['FunctionName']}",
            f"Lambda could not make it: {reason}",
            "Run `python -m lottery_lib teardown`, then deploy again",
        )


def _gone(target: Target, name: str) -> None:
    what = f"function {name} to be gone"
    wait_until(what, lambda: _function(target, name) is None, seconds=120, passing=busy)
