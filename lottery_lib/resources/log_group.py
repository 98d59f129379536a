"""Manage a function's log group. We make it before the function, so that it has our tags."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lottery_lib.aws_errors import all_pages, call_or_none
from lottery_lib.resources.base import Report, Resource
from lottery_lib.translation import N_

if TYPE_CHECKING:
    from types_boto3_logs.type_defs import LogGroupTypeDef as Description


class LogGroup(Resource["Description"]):
    """A log group of CloudWatch Logs."""

    kind: ClassVar = N_("log group")
    arn_parts: ClassVar = ("logs", "log-group:{}")
    actions: ClassVar[tuple[str, ...]] = (
        *("CreateLogGroup", "DeleteLogGroup", "DescribeLogGroups", "FilterLogEvents"),
        *("ListTagsForResource", "TagResource"),
    )
    #: AWS checks it on all groups, whatever the prefix.
    account_actions: ClassVar[tuple[str, ...]] = ("DescribeLogGroups",)
    role_actions: ClassVar[tuple[str, ...]] = ("CreateLogGroup", "CreateLogStream", "PutLogEvents")
    inside: ClassVar = ":*"

    @property
    def policy_arns(self) -> list[str]:
        """Two ARNs: AWS checks tag operations on the plain one, and all others on the one with ``:*``."""
        return [self.arn, self.arn + self.inside]

    def describe_or_none(self) -> "Description | None":
        """AWS's description of the log group."""
        logs = self.target.kit_client("logs")
        groups = all_pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=self.name)
        return next((group for group in groups if group["logGroupName"] == self.name), None)

    def _tags(self, description: "Description") -> Mapping[str, str]:
        return self.target.kit_client("logs").list_tags_for_resource(resourceArn=self.arn).get("tags", {})

    def _create(self) -> "Description | None":
        create = self.target.kit_client("logs").create_log_group
        created = call_or_none(
            create, "ResourceAlreadyExists", logGroupName=self.name, tags=self.target.names.tags
        )
        return {"logGroupName": self.name} if created else None

    def _remove(self, report: Report) -> None:
        delete = self.target.kit_client("logs").delete_log_group
        call_or_none(delete, "ResourceNotFound", logGroupName=self.name)
