"""Keep a function's log group: made by us before the function, so that it carries our tags."""

from typing import Any, Final

from lottery_lib.naming import owned
from lottery_lib.resources import Resource, refuse_foreign
from lottery_lib.target import Target, ignoring

__all__ = ["delete", "ensure", "find"]

KIND: Final = "log group"


def find(target: Target, name: str) -> Resource | None:
    """Look a log group up."""
    arn = _arn(target, name)
    return arn and Resource(KIND, name, "ACTIVE", arn, owned(_tags(target, arn), target.names))


def ensure(target: Target, name: str) -> Resource:
    """Create the log group if it is not there.

    Raises:
        LotteryError: A log group of that name is not ours.
    """
    if arn := _arn(target, name):
        refuse_foreign(KIND, name, _tags(target, arn), target.names)
        return Resource(KIND, name, "unchanged", arn)
    create = target.client("logs").create_log_group
    # There already is one if the reply to our own first try was lost.
    ignoring(create, "ResourceAlreadyExists", logGroupName=name, tags=target.names.tags)
    return Resource(KIND, name, "created", target.arn("logs", f"log-group:{name}"))


def delete(target: Target, name: str) -> Resource:
    """Delete the log group and what it holds.

    Raises:
        LotteryError: A log group of that name is not ours.
    """
    arn = _arn(target, name)
    if arn is None:
        return Resource(KIND, name, "missing")
    refuse_foreign(KIND, name, _tags(target, arn), target.names)
    ignoring(target.client("logs").delete_log_group, "ResourceNotFound", logGroupName=name)
    return Resource(KIND, name, "deleted", arn)


def _arn(target: Target, name: str) -> Any:
    groups = target.listed("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    # The ARN that can be tagged is the one without the final `:*`.
    return next((each["arn"].removesuffix(":*") for each in groups if each["logGroupName"] == name), None)


def _tags(target: Target, arn: str) -> dict[str, str]:
    tags: dict[str, str] = target.client("logs").list_tags_for_resource(resourceArn=arn).get("tags", {})
    return tags
