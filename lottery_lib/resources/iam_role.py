"""Manage an IAM role: its trust policy, its managed and inline policies, its permissions boundary.

The boundary is a policy that an administrator creates, so that the roles of an attendee cannot be turned into
the whole account. Without it, a role has no boundary.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lottery_lib.aws_errors import all_pages, call_or_none, says
from lottery_lib.resources.base import Report, Resource
from lottery_lib.target import Target
from lottery_lib.translation import N_, _

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import RoleTypeDef as Description

    from lottery_lib.target import BoundaryParameter


Policy = dict[str, Any]
"""A policy document, as parsed JSON."""
#: AWS has given this end to the name of a policy that replaced a retired one. The kit expects it again.
SUCCESSOR: Final = "_v2"


def trust_policy(service: str) -> Policy:
    """Write the document that lets a service assume a role."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }


def allowing(*rights: tuple[str | list[str], list[str]]) -> Policy:
    """Write the document that allows actions on resources, a statement for each pair."""
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": resources} for actions, resources in rights
    ]
    return {"Version": "2012-10-17", "Statement": statements}


class Role(Resource["Description"]):
    """A role as it should be.

    Args:
        name: Its name.
        service: Who may assume it, such as ``"lambda.amazonaws.com"`` (the same in every partition).
        managed: Paths of AWS managed policies, such as ``"AmazonSNSFullAccess"``.
        inline: Policy documents by name.
    """

    kind: ClassVar = N_("role")
    actions: ClassVar = (
        *("DeleteRole", "DeleteRolePolicy", "DetachRolePolicy", "GetRole", "GetRolePolicy"),
        *("ListAttachedRolePolicies", "ListRolePolicies", "TagRole", "UpdateAssumeRolePolicy"),
    )
    lesson_actions: ClassVar = {"tutorial": ("ListRoles",)}
    account_actions: ClassVar = ("ListRoles",)
    #: Calls that give a role rights, besides `AttachRolePolicy`. A policy allows them within the boundary.
    bounded_actions: ClassVar = ("CreateRole", "PutRolePermissionsBoundary", "PutRolePolicy")
    #: IAM itself may not see a role in the seconds after it was created.
    not_yet: ClassVar = ("cannot be found",)

    def __init__(
        self,
        target: Target,
        name: str,
        service: str,
        managed: Sequence[str] = (),
        inline: Mapping[str, Policy] | None = None,
    ) -> None:
        super().__init__(target, name)
        self.service = service
        self.managed = list(managed)
        self.inline = inline or {}
        self._is_bounded = False

    @property
    def arn(self) -> str:
        """The role's ARN."""
        return self.target.arn("iam", f"role/{self.name}", region="")

    def describe_or_none(self) -> "Description | None":
        """AWS's description of the role."""
        answer = call_or_none(self.target.kit_client("iam").get_role, "NoSuchEntity", RoleName=self.name)
        return answer and answer["Role"]

    def policy_arn(self, path: str) -> str:
        """The ARN of an AWS managed policy in the caller's partition."""
        return self.target.arn("iam", f"policy/{path}", region="", account="aws")

    @property
    def boundary_arn(self) -> str:
        """The ARN of the attendee's permissions boundary, which need not exist."""
        return self.target.boundary_arn

    @cached_property
    def boundary(self) -> "BoundaryParameter":
        """The permissions boundary as a parameter of `CreateRole`; empty if the account has none."""
        return self.target.boundary

    def ensure(self, *, foreign: bool = False) -> Report:
        """Create it, or correct what differs; the report's note names the boundary."""
        done = super().ensure(foreign=foreign)
        bounded = _("within the permissions boundary {name}", name=self.target.names.boundary)
        return replace(done, note=bounded if self._is_bounded else "")

    def missing_policies(self, role: "Description | None" = None) -> list[str]:
        """The managed policies that are not attached; all of them if there is no role.

        A retired policy also counts as attached if its successor is attached.
        """
        there = self._attached() if role or self.describe_or_none() else []
        arns = {path: self.policy_arn(path) for path in self.managed}
        return [path for path, arn in arns.items() if arn not in there and arn + SUCCESSOR not in there]

    def has_content(self) -> bool:
        """Whether it has policies that it should not have."""
        return bool(self.other_policies())

    def other_policies(self) -> list[str]:
        """The managed policies (ARNs) and inline policies (names) that it has, but should not have."""
        list_inline = partial(all_pages, self.target.kit_client("iam"), "list_role_policies", "PolicyNames")
        inline = call_or_none(list_inline, "NoSuchEntity", RoleName=self.name)
        if inline is None:
            return []
        ours = {self.policy_arn(path) for path in self.managed}
        managed = [arn for arn in self._attached() if arn.removesuffix(SUCCESSOR) not in ours]
        return managed + [name for name in inline if name not in self.inline]

    def _tags(self, role: "Description") -> Mapping[str, str]:
        return {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])}

    def _create(self) -> "Description | None":
        created = call_or_none(
            self.target.kit_client("iam").create_role,
            "EntityAlreadyExists",
            RoleName=self.name,
            AssumeRolePolicyDocument=json.dumps(trust_policy(self.service)),
            Description="Made by the lottery workshop",
            Tags=self._tag_list(),
            **self.boundary,
        )
        return created and created["Role"]

    def _update(self, role: "Description") -> bool:
        """Correct the boundary, the trust, the managed policies and the inline policies."""
        iam, writes = self.target.kit_client("iam"), list[Callable[..., object]]()
        there = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") == self.boundary_arn
        self._is_bounded = there or bool(self.boundary)
        if self._is_bounded and not there:  # first, because the attendee may change only a role that has it
            writes.append(partial(iam.put_role_permissions_boundary, **self.boundary))
        trust = trust_policy(self.service)
        if role.get("AssumeRolePolicyDocument") != trust:
            writes.append(partial(iam.update_assume_role_policy, PolicyDocument=json.dumps(trust)))
        writes += [partial(self._attach, self.policy_arn(path)) for path in self.missing_policies(role)]
        for name, document in self.inline.items():
            get = partial(iam.get_role_policy, RoleName=self.name, PolicyName=name)
            has = call_or_none(get, "NoSuchEntity")
            if has is None or has["PolicyDocument"] != document:
                put = partial(iam.put_role_policy, PolicyName=name, PolicyDocument=json.dumps(document))
                writes.append(put)
        for write in writes:
            self._once_allowed(write, RoleName=self.name)
        return bool(writes)

    def _attach(self, arn: str, RoleName: str) -> None:
        attach = partial(self.target.kit_client("iam").attach_role_policy, RoleName=RoleName)
        if call_or_none(attach, "is not attachable", PolicyArn=arn) is None:
            attach(PolicyArn=arn + SUCCESSOR)

    def _remove(self, report: Report) -> None:
        """Remove every policy from the role, even those that others attached, and delete the role."""
        iam = self.target.kit_client("iam")

        def empty_and_delete() -> None:
            for arn in self._attached():
                call_or_none(iam.detach_role_policy, "NoSuchEntity", RoleName=self.name, PolicyArn=arn)
            for policy in self._listed("list_role_policies", "PolicyNames"):
                call_or_none(iam.delete_role_policy, "NoSuchEntity", RoleName=self.name, PolicyName=policy)
            call_or_none(iam.delete_role, "NoSuchEntity", RoleName=self.name)

        # IAM may still see a policy that is already removed, or somebody may attach one meanwhile.
        what = _("{role} to be empty", role=self.titled)
        self.target.waiter.retry(what, empty_and_delete, says("DeleteConflict"))

    def _attached(self) -> list[str]:
        policies = self._listed("list_attached_role_policies", "AttachedPolicies")
        return [policy["PolicyArn"] for policy in policies]

    def _listed(self, operation: str, key: str) -> list[Any]:
        look = partial(all_pages, self.target.kit_client("iam"), operation, key)
        return self._once_allowed(look, RoleName=self.name) or []
