"""Keep a function's log group: made by us before the function, so that it carries our tags."""

from dataclasses import replace
from typing import Any, Final

from lottery_lib.aws_errors import ignoring
from lottery_lib.names import owned
from lottery_lib.resources import Resource, once_tagged, refuse_foreign, still_there
from lottery_lib.target import Target

__all__ = ["delete", "ensure", "find"]

KIND: Final = "log group"


def find(target: Target, name: str) -> Resource | None:
    """Look a log group up."""
    arn = _arn(target, name)
    return arn and still_there(lambda: _resource(target, name, arn))


def ensure(target: Target, name: str) -> Resource:
    """Create the log group if it is not there.

    Raises:
        LotteryError: A log group of that name is not ours.
    """
    if arn := _arn(target, name):
        refuse_foreign(once_tagged(name, lambda: _resource(target, name, arn)))
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
    found = find(target, name)
    if found is None:
        return Resource(KIND, name, "missing")
    refuse_foreign(found)
    ignoring(target.client("logs").delete_log_group, "ResourceNotFound", logGroupName=name)
    return replace(found, state="deleted")


def _arn(target: Target, name: str) -> Any:
    groups = target.listed("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    # The ARN that can be tagged is the one without the final `:*`.
    return next((each["arn"].removesuffix(":*") for each in groups if each["logGroupName"] == name), None)


def _resource(target: Target, name: str, arn: str) -> Resource:
    tags = target.client("logs").list_tags_for_resource(resourceArn=arn).get("tags", {})
    return Resource(KIND, name, "ACTIVE", arn, owned(tags, target.names))
