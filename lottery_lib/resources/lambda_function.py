"""Manage a Lambda function: its code as a reproducible zip, its configuration, its role."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lottery_lib.aws_errors import call_or_none
from lottery_lib.errors import LotteryError
from lottery_lib.names import KIT
from lottery_lib.resources.base import Report, Resource
from lottery_lib.target import Target
from lottery_lib.translation import N_, _

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import GetFunctionResponseTypeDef as Description

LAMBDAS_FOLDER: Final = KIT / "lambdas"


def zipped(*folders: Path) -> bytes:
    """Pack the Python files of some folders into the same bytes every time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for folder in folders:
            for path in sorted(folder.rglob("*.py")):
                name = path.relative_to(folder).as_posix()
                package.writestr(entry(name), path.read_bytes().replace(b"\r\n", b"\n"))
    return buffer.getvalue()


def entry(name: str) -> zipfile.ZipInfo:
    """An entry of a package with a fixed time and mode, so that equal sources give equal bytes everywhere."""
    made = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    made.external_attr = 0o644 << 16
    made.create_system = 3
    made.compress_type = zipfile.ZIP_DEFLATED
    return made


def code_sha256(code: bytes) -> str:
    """The digest of a deployment package, as Lambda reports it in CodeSha256."""
    return base64.b64encode(hashlib.sha256(code).digest()).decode("ascii")


class Function(Resource["Description"]):
    """A function as it should be.

    Args:
        name: Its name.
        code: The deployment package, a zip.
        role_arn: The role that it runs as.
        handler: ``module.function``.
    """

    kind: ClassVar = N_("function")
    arn_parts: ClassVar = ("lambda", "function:{}")
    ready_word: ClassVar = _("ready")
    patience: ClassVar = 300
    actions: ClassVar = (
        *("CreateFunction", "DeleteFunction", "DeleteFunctionConcurrency", "GetFunction", "ListTags"),
        *("TagResource", "UpdateFunctionCode", "UpdateFunctionConfiguration"),
    )
    lesson_actions: ClassVar = {
        "tutorial": ("GetFunctionConfiguration", "InvokeFunction", "ListFunctions", "PutFunctionConcurrency"),
    }
    account_actions: ClassVar = ("ListFunctions",)
    role_actions: ClassVar = ("InvokeFunction",)
    inside: ClassVar = ":*"
    #: IAM has just made the role, or Lambda is still making or updating the function.
    not_yet: ClassVar = (
        *("cannot be assumed", "execution role does not have permissions"),
        *("KMS key is invalid for CreateGrant", "cannot be performed at this time"),
    )

    def __init__(
        self,
        target: Target,
        name: str,
        code: bytes = b"",
        role_arn: str = "",
        *,
        handler: str = "lambda_function.lambda_handler",
    ) -> None:
        super().__init__(target, name)
        self.code = code
        #: What `UpdateFunctionConfiguration` sets.
        self.configuration: dict[str, Any] = {
            "Role": role_arn,
            "Runtime": "python3.12",  # AWS refuses the tutorial's 3.7 since January 2024
            "Handler": handler,
            "Timeout": 30,  # AWS's 3 seconds are short for a cold start that imports boto3
            "MemorySize": 256,
        }

    def describe_or_none(self) -> "Description | None":
        """The function, its tags and its reserved concurrency, as `GetFunction` gives them."""
        get = self.target.kit_client("lambda").get_function
        return call_or_none(get, "ResourceNotFound", FunctionName=self.name)

    def is_as_wanted(self) -> bool:
        """Whether the function exists, has this code and configuration, and may run."""
        function = self.describe_or_none()
        return function is not None and not self._changes(function)

    def _state(self, function: "Description") -> str:
        return function["Configuration"].get("State", "Active").upper()

    def _tags(self, function: "Description") -> Mapping[str, str]:
        if error := function.get("TagsError"):
            raise LotteryError(
                _("the tags of function {name}", name=self.name),
                error["Message"].rstrip("."),
                _("Ask the administrator of the account for the right to lambda:ListTags"),
            )
        return function.get("Tags", {})

    def _create(self) -> "Description | None":
        create = self.target.kit_client("lambda").create_function
        wanted = {"Code": {"ZipFile": self.code}, "Tags": self.target.names.tags, **self.configuration}
        created = self._once_allowed(create, "already exist", FunctionName=self.name, **wanted)
        return self._wait_until_ready() if created else None

    def _is_ready(self, function: "Description") -> bool:
        """Whether the function is active and no update is in progress."""
        self._refuse_failed("State", function)
        status = function["Configuration"]
        return status.get("State") != "Pending" and status.get("LastUpdateStatus") != "InProgress"

    def _update(self, function: "Description") -> bool:
        """Correct code and configuration. Remove reserved concurrency, because the lottery has none."""
        changes = self._changes(function)
        for operation, parameters in changes.items():
            write = getattr(self.target.kit_client("lambda"), operation)
            self._once_allowed(write, FunctionName=self.name, **parameters)
            self._refuse_failed("LastUpdateStatus", self._wait_until_ready())
        return bool(changes)

    def _remove(self, report: Report) -> None:
        if report.state != "DELETING":
            delete = self.target.kit_client("lambda").delete_function
            self._once_allowed(delete, "ResourceNotFound", FunctionName=self.name)
        self._wait_until_gone(seconds=120)

    def _changes(self, function: "Description") -> dict[str, dict[str, Any]]:
        """The operations that correct what was found, with their parameters."""
        settings, changes = function["Configuration"], dict[str, dict[str, Any]]()
        if settings.get("CodeSha256") != code_sha256(self.code):
            changes["update_function_code"] = {"ZipFile": self.code}
        failed = settings.get("LastUpdateStatus") == "Failed"  # then AWS shows settings that do not hold
        if failed or any(settings.get(key) != value for key, value in self.configuration.items()):
            changes["update_function_configuration"] = self.configuration
        if "Concurrency" in function:
            changes["delete_function_concurrency"] = {}
        return changes

    def _refuse_failed(self, status: str, function: "Description") -> None:
        settings: Mapping[str, Any] = function["Configuration"]
        if settings.get(status) == "Failed":
            reason = settings.get(f"{status}Reason", _("AWS gave no reason")).rstrip(".")
            raise LotteryError(
                self.titled,
                _("Lambda could not make it: {reason}", reason=reason),
                _("Run `lottery teardown`, then deploy again"),
            )
