"""Manage a state machine: its definition and its role."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from lottery_lib.aws_errors import busy, call_or_none
from lottery_lib.resources.base import Report, Resource
from lottery_lib.target import Target
from lottery_lib.translation import N_, _

if TYPE_CHECKING:
    from types_boto3_stepfunctions.type_defs import DescribeStateMachineOutputTypeDef as Description

#: Seconds after an update in which AWS may still start executions of the old definition.
_SETTLING: Final = 5.0


class StateMachine(Resource["Description"]):
    """A Standard state machine as it should be.

    Args:
        name: Its name.
        definition: Text in the Amazon States Language, placeholders filled in.
        role_arn: The role that executions run as.
    """

    kind: ClassVar = N_("state machine")
    arn_parts: ClassVar = ("states", "stateMachine:{}")
    actions: ClassVar[tuple[str, ...]] = (
        *("CreateStateMachine", "DeleteStateMachine", "DescribeExecution", "DescribeStateMachine"),
        *("DescribeStateMachineForExecution", "GetExecutionHistory", "ListExecutions", "ListTagsForResource"),
        *("StartExecution", "StopExecution", "TagResource", "TestState", "UpdateStateMachine"),
    )
    lesson_actions: ClassVar[Mapping[str, tuple[str, ...]]] = {
        # SendTaskSuccess, ...Failure and ...Heartbeat: the three names would exceed the limit of a policy.
        "tutorial": ("ListStateMachines", "SendTask*", "ValidateStateMachineDefinition"),
        "hardened": ("SendTaskSuccess",),
    }
    account_actions: ClassVar[tuple[str, ...]] = (
        *("ListStateMachines", "SendTask*", "SendTaskSuccess", "TestState", "ValidateStateMachineDefinition"),
    )
    #: AWS does not know a new role for some seconds. While a machine is being deleted, its name is not free.
    not_yet: ClassVar = ("authorized to assume the provided role", "StateMachineDeleting")

    def __init__(self, target: Target, name: str, definition: str = "", role_arn: str = "") -> None:
        super().__init__(target, name)
        self.definition = definition
        self.role_arn = role_arn

    @property
    def policy_arns(self) -> list[str]:
        """The machine, and its executions."""
        return [self.arn, self.target.arn("states", f"execution:{self.name}:*")]

    def describe_or_none(self) -> "Description | None":
        """AWS's description of the machine."""
        describe = self.target.kit_client("stepfunctions").describe_state_machine
        return call_or_none(describe, "StateMachineDoesNotExist", stateMachineArn=self.arn)

    def has_content(self) -> bool:
        """Whether it has executions."""
        look = self.target.kit_client("stepfunctions").list_executions
        answer = call_or_none(look, "StateMachineDoesNotExist", stateMachineArn=self.arn, maxResults=1)
        return bool(answer and answer["executions"])

    def _state(self, machine: "Description") -> str:
        return machine["status"]

    def _tags(self, machine: "Description") -> Mapping[str, str]:
        tags = self.target.kit_client("stepfunctions").list_tags_for_resource(resourceArn=self.arn)["tags"]
        return {tag["key"]: tag["value"] for tag in tags}

    def _create(self) -> "Description | None":
        """Create it. AWS also accepts the call if a machine with this definition and another role exists."""
        created = self._once_allowed(
            self.target.kit_client("stepfunctions").create_state_machine,
            "StateMachineAlreadyExists",
            name=self.name,
            definition=self.definition,
            roleArn=self.role_arn,
            tags=self._tag_list("key", "value"),
        )
        return self._wait_until_ready() if created else None

    def _update(self, machine: "Description") -> bool:
        if self._is_as_wanted(machine):
            return False
        wanted = {"definition": self.definition, "roleArn": self.role_arn}
        update = self.target.kit_client("stepfunctions").update_state_machine
        self._once_allowed(update, stateMachineArn=self.arn, **wanted)
        self.target.waiter.until(
            _("{machine} to show its update", machine=self.titled),
            lambda: self._is_as_wanted(self.describe_or_none()),
            seconds=60,
            passing=busy,
        )
        if self.target.kind == "aws":
            what = _("the update of {machine} to hold everywhere", machine=self.titled)
            self.target.waiter.pause(what, _SETTLING)
        return True

    def _remove(self, report: Report) -> None:
        """Delete the machine. AWS ends its executions, each at its next state, and only then is it gone."""
        if report.state != "DELETING":
            delete = self.target.kit_client("stepfunctions").delete_state_machine
            call_or_none(delete, "StateMachineDoesNotExist", stateMachineArn=self.arn)
        self._wait_until_gone()

    def _is_as_wanted(self, machine: "Description | None") -> bool:
        wanted = (self.definition, self.role_arn)
        return machine is not None and (machine["definition"], machine["roleArn"]) == wanted
