"""The kinds of resource: the calls of each one, AWS's words for it, and what may happen to it alone."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from hostile.failures import both, common, lost, refused, refused_while_new, shown
from hostile.hostile_aws import NEVER

from lottery_lib import plan
from lottery_lib.resources import lambda_function
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.resources.iam_role import trust_policy
from lottery_lib.resources.state_machine import StateMachine


@dataclass(frozen=True)
class Kind:
    """A kind of resource. Words of AWS are a code, a message and perhaps a status.

    Attributes:
        make: Returns the resource of a target as it should be.
        describe: The operation that shows it.
        tags: The operation that shows its tags.
        create: The operation that creates it.
        delete: The operation that deletes it.
        denied: How AWS says that the right to look is missing.
        part: The key of its description in a reply of `describe`; empty if the whole reply is it.
        role: Returns the role that it needs.
        otherwise: Returns it as somebody else may leave it.
        ready: How a wait for a new one ends that never is ready, as a pattern.
        patience: For how many seconds a delete waits until it is gone.
        making: How it is shown while AWS makes it.
        deleting: How it is shown while AWS deletes it.
        absent: How `describe` says that it is not there.
        untagged: How `tags` says that it is not there.
        exists: How `create` says that it is there, if the emulator says something else.
        taken: How `create` says that AWS still deletes one of this name.
        no_role: How AWS says that it does not know the role.
        trust: How a wait for the role ends that AWS never knows, as a pattern.
        gone_meanwhile: How `delete` says that it is not there.
        own: What may happen to this kind alone, by step and name.
    """

    make: Callable
    describe: str
    tags: str
    create: str
    delete: str
    denied: tuple
    part: str = ""
    role: Callable | None = None
    otherwise: Callable | None = None
    ready: str = ""
    patience: int = 300
    making: dict = field(default_factory=dict)
    deleting: dict = field(default_factory=dict)
    absent: tuple = ()
    untagged: tuple = ()
    exists: tuple = ()
    taken: tuple = ()
    no_role: tuple = ()
    trust: str = ""
    gone_meanwhile: tuple = ()
    own: dict = field(default_factory=dict, repr=False)

    def found(self, reply):
        """What a reply of `describe` says of the resource."""
        return reply[self.part] if self.part else reply

    @property
    def failures(self):
        """All that may happen to it, by step and name."""
        return common(self) | self.own


def trusts(service):
    return re.escape(f"must allow {json.dumps(trust_policy(service)['Statement'][0])}: correct it")


NO_ROLE = ("NoSuchEntity", "The role with name {name} cannot be found.", 404)
CONCURRENT = ("ConcurrentModification", "Try again", 409)
NOT_EMPTY = ("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409)
QUOTA = ("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", 409)
NO_POLICY = ("NoSuchEntity", "Policy arn:aws:iam::aws:policy/X does not exist or is not attachable.", 404)
#: An administrator's policy of an earlier version of the kit does not allow to look for the boundary.
OLD_POLICY = ("AccessDenied", "User: ann is not authorized to perform: iam:GetPolicy", 403)
ALL_OF_A_ROLE = "AttachRolePolicy ListAttachedRolePolicies GetRolePolicy"
ROLE = Kind(
    plan.lambda_role,
    *("GetRole", "GetRole", "CreateRole", "DeleteRole"),
    denied=("AccessDenied", "ann may not", 403),
    part="Role",
    absent=NO_ROLE,
    gone_meanwhile=NO_ROLE,
    own={
        "create-not found by IAM itself": refused_while_new(
            ALL_OF_A_ROLE, NO_ROLE, 8, since="CreateRole", ends="cannot be found"
        ),
        "create-reply lost, and not found yet": both(
            lost("CreateRole"), refused_while_new("GetRole", NO_ROLE, 8, since="CreateRole")
        ),
        "create-changed at the same time": refused("CreateRole", CONCURRENT, 2),
        "create-attached at the same time": refused("AttachRolePolicy", CONCURRENT, 2, calls=4),
        "create-quota": refused("CreateRole", QUOTA, NEVER, ends=r"quota .* Service Quotas"),
        "create-old policy": replace(
            refused("GetPolicy", OLD_POLICY, NEVER, ends="`lottery policy` prints .* --boundary` prints"),
            calls={"GetPolicy": 1, "CreateRole": 0},
        ),
        "create-policy retired": refused(
            "AttachRolePolicy", NO_POLICY, NEVER, ends="is not attachable", calls=2
        ),
        "delete-changed at the same time": refused("DeleteRole", CONCURRENT, 2),
        "delete-detached at the same time": refused("DetachRolePolicy", CONCURRENT, 2, calls=4),
        "delete-policies still seen": refused("DeleteRole", NOT_EMPTY, 3, ends="must detach"),
    },
)


def other_function(target):
    """The function with other code and another time-out."""
    function = plan.function(target, "InputWinners")
    function.code = lambda_function.zipped(lambda_function.LAMBDAS_FOLDER / "record_winners")
    function.configuration["Timeout"] = 3
    return function


NOT_NOW = "The operation cannot be performed at this time. "
UPDATING = ("ResourceConflictException", f"{NOT_NOW}An update is in progress for resource: {{name}}", 409)
PENDING = ("ResourceConflictException", f"{NOT_NOW}The function is currently in the state: Pending", 409)
NO_FUNCTION = ("ResourceNotFoundException", "Function not found: arn:aws:lambda:r:1:function:{name}", 404)
THROTTLED = ("TooManyRequestsException", "Rate exceeded", 429)
NO_LAMBDA_ROLE = (
    "InvalidParameterValueException",
    "The role defined for the function cannot be assumed by Lambda.",
)
CODE, CONFIGURATION = "UpdateFunctionCode", "UpdateFunctionConfiguration"
FUNCTION = Kind(
    partial(plan.function, purpose="InputWinners"),
    *("GetFunction", "GetFunction", "CreateFunction", "DeleteFunction"),
    denied=("AccessDeniedException", "ann may not", 403),
    part="Configuration",
    role=plan.lambda_role,
    otherwise=other_function,
    ready="function .* to be ready: not there after 300 s",
    patience=120,
    making={"State": "Pending", "StateReasonCode": "Creating"},
    deleting={"State": "Deleting"},
    absent=NO_FUNCTION,
    no_role=NO_LAMBDA_ROLE,
    trust=trusts("lambda.amazonaws.com"),
    gone_meanwhile=NO_FUNCTION,
    own={
        "create-busy": refused("CreateFunction", PENDING, ends="at this time"),
        "create-Failed": shown(
            NEVER,
            r"could not make it: Internal error\. Run .* teardown",
            since="CreateFunction",
            State="Failed",
            StateReason="Internal error.",
        ),
        "update-one still in progress": both(
            shown(20, since=CODE, LastUpdateStatus="InProgress"),
            refused_while_new(CONFIGURATION, UPDATING, 20, since=CODE, calls={CODE: 1, CONFIGURATION: 1}),
        ),
        "update-in progress": shown(
            20, "function [^ ]* to be ready: not there", since=CODE, LastUpdateStatus="InProgress"
        ),
        "update-code while updating": refused(CODE, UPDATING),
        "update-code while Pending": refused(CODE, PENDING),
        "update-configuration while updating": refused(CONFIGURATION, UPDATING),
        "update-configuration while Pending": refused(CONFIGURATION, PENDING),
        "update-role too new": refused(CONFIGURATION, NO_LAMBDA_ROLE, 5),
        "update-Failed": shown(
            NEVER,
            r"could not make it: No room\.",
            since=CONFIGURATION,
            LastUpdateStatus="Failed",
            LastUpdateStatusReason="No room.",
        ),
        "delete-updating": refused("DeleteFunction", UPDATING, ends="at this time"),
        "delete-throttled": refused_while_new("GetFunction", THROTTLED, 29, since="DeleteFunction"),
    },
)


def table_without_index(target):
    """The table as an older kit, or an attendee, may leave it."""
    return Table(target, target.names.employee_table)


def index(**seen):
    """The index is shown in such a state."""
    return shown(60, since="UpdateTable", change=lambda found: [each.update(seen) for each in indexes(found)])


def indexes(found):
    """The indexes of a table, as it is described."""
    return found.get("GlobalSecondaryIndexes", [])


IN_USE = "Attempt to change a resource which is still in use: "
CREATING = ("ResourceInUseException", f"{IN_USE}Table is being created: {{name}}")
DELETING = ("ResourceInUseException", f"{IN_USE}Table is being deleted: {{name}}")
INDEXING = ("ResourceInUseException", f"{IN_USE}Cannot delete table while indexes are being created")
ONE_INDEX = (
    "LimitExceededException",
    "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
)
HAS_INDEX = ("ValidationException", "Attempting to create an index which already exists")
NO_TABLE = ("ResourceNotFoundException", "Requested resource not found: Table: {name} not found")
PROTECTED = ("ValidationException", "Resource is protected. Disable deletion protection first.")
TABLE = Kind(
    plan.employee_table,
    *("DescribeTable", "ListTagsOfResource", "CreateTable", "DeleteTable"),
    denied=("AccessDeniedException", "ann may not"),
    part="Table",
    otherwise=table_without_index,
    ready="table .* to be ACTIVE: not there after 600 s",
    making={"TableStatus": "CREATING"},
    deleting={"TableStatus": "DELETING"},
    absent=NO_TABLE,
    untagged=NO_TABLE,
    taken=DELETING,
    gone_meanwhile=NO_TABLE,
    own={
        "update-index CREATING": index(IndexStatus="CREATING"),
        "update-index CREATING and Backfilling": index(IndexStatus="CREATING", Backfilling=True),
        "update-index Backfilling": index(Backfilling=True),
        "update-index not shown yet": both(
            shown(20, since="UpdateTable", GlobalSecondaryIndexes=[]),
            refused_while_new("UpdateTable", HAS_INDEX, 20, since="UpdateTable"),
        ),
        "update-another index": refused("UpdateTable", ONE_INDEX, 12, ends="Only 1 online index"),
        "update-reply lost": both(
            lost("UpdateTable"), refused_while_new("UpdateTable", HAS_INDEX, NEVER, since="UpdateTable")
        ),
        "delete-index being made": refused("DeleteTable", INDEXING, 6),
        "delete-being made": refused("DeleteTable", CREATING, 6, ends="in use"),
        "delete-CREATING": both(
            shown(30, since="CreateTable", TableStatus="CREATING"),
            refused_while_new("DeleteTable", CREATING, 30, since="CreateTable", calls={"DeleteTable": 1}),
        ),
        "delete-UPDATING": shown(
            30, "table .* to be ACTIVE: not there after 600 s", since="CreateTable", TableStatus="UPDATING"
        ),
        "delete-protected": refused(
            "DeleteTable", PROTECTED, NEVER, ends=r"deletion protection first .*Read AWS"
        ),
    },
)


def other_machine(target):
    """The machine with another definition."""
    return StateMachine(target, target.names.machine, OTHER, plan.machine_role(target).arn)


OTHER = '{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}'
NO_MACHINE = ("StateMachineDoesNotExist", "State Machine Does Not Exist: '{name}'")
NO_STATES_ROLE = (
    "AccessDeniedException",
    "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to "
    "assume the provided role.",
)
MACHINE = Kind(
    plan.machine,
    *("DescribeStateMachine", "ListTagsForResource", "CreateStateMachine", "DeleteStateMachine"),
    denied=("AccessDeniedException", "ann may not"),
    role=plan.machine_role,
    otherwise=other_machine,
    ready="machine .* to be visible: not there after 60 s",
    deleting={"status": "DELETING"},
    absent=NO_MACHINE,
    untagged=("ResourceNotFound", "Resource not found: '{name}'"),
    exists=("StateMachineAlreadyExists", "State Machine Already Exists: '{name}'"),
    taken=("StateMachineDeleting", "State Machine is being deleted: '{name}'"),
    no_role=NO_STATES_ROLE,
    trust=trusts("states.amazonaws.com"),
    gone_meanwhile=NO_MACHINE,
    own={
        "update-role too new": refused("UpdateStateMachine", NO_STATES_ROLE, 5),
        "update-not shown yet": shown(
            9, "to show its update: not there after 60 s", since="UpdateStateMachine", definition=OTHER
        ),
    },
)

NO_GROUP = ("ResourceNotFoundException", "The specified log group does not exist.")
ABORTED = ("OperationAbortedException", "A conflicting operation is currently in progress")
GROUP = Kind(
    partial(plan.log_group, purpose="InputWinners"),
    *("DescribeLogGroups", "ListTagsForResource", "CreateLogGroup", "DeleteLogGroup"),
    denied=("AccessDeniedException", "ann may not"),
    untagged=NO_GROUP,
    gone_meanwhile=NO_GROUP,
    own={
        "create-changed at the same time": refused("CreateLogGroup", ABORTED, 2),
        "delete-changed at the same time": refused("DeleteLogGroup", ABORTED, 2),
    },
)
TOPIC = Kind(
    plan.topic,
    *("GetTopicAttributes", "ListTagsForResource", "CreateTopic", "DeleteTopic"),
    denied=("AuthorizationError", "ann may not", 403),
    absent=("NotFound", "Topic does not exist", 404),
    untagged=("ResourceNotFound", "Resource does not exist", 404),
    exists=("InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags"),
)
KINDS = {
    "role": ROLE,
    "function": FUNCTION,
    "table": TABLE,
    "machine": MACHINE,
    "log group": GROUP,
    "topic": TOPIC,
}
#: Every kind, step and failure, by the name that it has in the tests and the documents.
CASES = {
    f"{name}-{said}": (kind, said.split("-")[0], failure)
    for name, kind in KINDS.items()
    for said, failure in kind.failures.items()
}


def there(aws, kind, make):
    """Have a resource, and the role that it needs."""
    for each in (kind.role, make):
        if each:
            each(aws.emulated).ensure()
    aws.forget()


def assert_settled(aws, kind):
    """A further run finds nothing to do."""
    aws.forget()
    assert kind.make(aws.target).ensure().state == "unchanged"
    assert aws.writes == []
