"""Say what a request asks for in the words of policies: actions and resources."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Asked", "Need"]


@dataclass(frozen=True)
class Need:
    """One thing that policies must allow.

    Args:
        action: Such as ``"dynamodb:PutItem"``.
        resource: An ARN, or ``"*"``.
        context: What the conditions of this action may ask for, by lower-case names.
    """

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Asked:
    """A request.

    Args:
        service: Its prefix in actions, such as ``"states"``.
        operation: AWS's name, such as ``"CreateStateMachine"``.
        parameters: As the service gets them.
        region: Where.
        partition: ``"aws"`` or ``"aws-cn"``.
        account: Whose.
        user: The IAM user who calls, if one does.
        find: IAM's ARN of a ``"role"``, ``"user"``... of a name, if it is there: it may have a path.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str = "us-east-1"
    partition: str = "aws"
    account: str = "123456789012"
    user: str = ""
    find: Callable[[str, str], str | None] = field(default=lambda _kind, _name: None)

    def text(self, *names: str) -> str:
        """The first of these parameters that is given; else nothing."""
        return next((str(self.parameters[name]) for name in names if self.parameters.get(name)), "")

    def arn(self, resource: str) -> str:
        """The ARN of a resource of this service, region and account; an ARN stays what it is."""
        if resource.startswith("arn:"):
            return resource
        region = "" if self.service == "iam" else self.region
        return f"arn:{self.partition}:{self.service}:{region}:{self.account}:{resource}"

    def need(self, resource: str, operation: str = "") -> Need:
        """That this operation, or another of the same service, be allowed."""
        return Need(f"{self.service}:{operation or self.operation}", resource)
