"""Describe the lottery once: every resource, what it should be, its edition, and the lesson that builds it.

Begin at `PLAN`, below: `stack` deploys, shows and removes what it lists. A new table is one line of it. What
only a lesson makes is one line of `BY_HAND`. Above them stands what roles may do.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from lottery_lib import definition
from lottery_lib.names import EDITIONS
from lottery_lib.resources.base import Known, Planned, Resource
from lottery_lib.resources.contents import Employees, Pool, draws_table, pool_table
from lottery_lib.resources.dynamodb_table import Index, Table
from lottery_lib.resources.iam_role import Policy, Role, allowing
from lottery_lib.resources.lambda_function import LAMBDAS_FOLDER, Function, zipped
from lottery_lib.resources.lesson_resources import (
    Alarm,
    Alias,
    Bucket,
    ByHand,
    CloudFormationStack,
    EventRule,
    ExecutionLog,
    ExpressMachine,
    LessonMachine,
    MapMachine,
    PackageBucket,
    ParentMachine,
)
from lottery_lib.resources.log_group import LogGroup
from lottery_lib.resources.sns_topic import Topic
from lottery_lib.resources.state_machine import StateMachine
from lottery_lib.target import Target
from lottery_lib.translation import _

#: The four managed policies of tutorial 2.2.1.
LAMBDA_POLICIES: Final = (
    "AmazonDynamoDBFullAccess",
    "service-role/AWSLambdaBasicExecutionRole",
    "AmazonSNSFullAccess",
    "AWSStepFunctionsFullAccess",
)
#: The managed policy of tutorial 2.2.5.
MACHINE_POLICIES: Final = ("AmazonSNSFullAccess",)
#: The index of tutorial 2.2.4. It has the numbers that are drawn.
SERIAL_INDEX: Final = Index("lottery_serial-index", "lottery_serial", "N")
#: The calls of each function, and the tables that it makes them on. It needs no other rights.
TABLE_RIGHTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "InputWinners": {},
    "RandomSelectWinners": {
        "Scan": ("employee_table", "winners_table"),
        "Query": (f"employee_table/index/{SERIAL_INDEX.name}",),
    },
    "ValidateWinners": {"GetItem": ("winners_table",)},
    "RecordWinners": {"BatchWriteItem": ("winners_table",)},
    "CommitDraw": {"BatchGetItem": ("pool_table", "draws_table"), "PutItem": ("draws_table",)},
    "DrawPrize": {
        "BatchGetItem": ("employee_table", "winners_table", "pool_table", "draws_table"),
        "Scan": ("winners_table",),
        "PutItem": ("winners_table", "draws_table"),
    },
}
_HARDENED: Final = _("Deploy it with Stack(hardened).deploy()")


Made = TypeVar("Made", bound=Known)


@dataclass(frozen=True)
class Row(Generic[Made]):
    """A line of the plan.

    Attributes:
        edition: ``"tutorial"``, ``"hardened"``, or ``"both"`` if both editions share it.
        lesson: The lesson that builds it, such as ``"01"``.
        make: Returns the resource for a target, as it should be.
        step: What an attendee does to build it, one sentence without a full stop. Empty if no lesson asks
            for it.
        order: `verify` sorts the resources of a lesson by this number, then in the order of the plan.
    """

    edition: str
    lesson: str
    make: Callable[[Target], Made]
    step: str = ""
    order: int = 0


def lambda_role(target: Target) -> Role:
    """The role of the functions.

    The tutorial gives it four managed policies (2.2.1). The hardened edition allows only what the functions
    use.
    """
    names, service = target.names, "lambda.amazonaws.com"
    if names.base == "tutorial":
        return Role(target, names.lambda_role, service, LAMBDA_POLICIES)
    groups = [target.arn("logs", f"log-group:{names.log_group(each)}:*") for each in names.functions.values()]
    logs = (["logs:CreateLogStream", "logs:PutLogEvents"], groups)
    policy = allowing(logs, *table_rights(target, "DrawPrize"))  # all that CommitDraw needs, and more
    return Role(target, names.lambda_role, service, inline={"DrawAndRecord": policy})


def table_rights(target: Target, purpose: str) -> Iterator[tuple[str, list[str]]]:
    """What the function for a purpose calls, and the tables: the least that its role must allow."""
    for call, tables in TABLE_RIGHTS[purpose].items():
        parts = [table.partition("/") for table in tables]
        paths = [getattr(target.names, table) + slash + inside for table, slash, inside in parts]
        yield f"dynamodb:{call}", [target.arn("dynamodb", f"table/{path}") for path in paths]


def machine_role(target: Target) -> Role:
    """The role of the machine. In both editions it may invoke the functions.

    The tutorial adds AmazonSNSFullAccess (2.2.5). The hardened edition only allows publishing to the topic,
    and writing a task token into the table of draws.
    """
    name, service, inline = target.names.machine_role, "states.amazonaws.com", machine_policies(target)
    if target.names.base == "tutorial":
        del inline["NotifyWinners"]
        return Role(target, name, service, MACHINE_POLICIES, inline)
    return Role(target, name, service, inline=inline)


def machine_policies(target: Target) -> dict[str, Policy]:
    """The policies with the least that the machine's role must allow."""
    arns = [target.arn("lambda", f"function:{name}") for name in target.names.functions.values()]
    versions = [arn + suffix for arn in arns for suffix in ("", ":*")]
    policies = {
        "InvokeLotteryFunctions": allowing(("lambda:InvokeFunction", versions)),
        "NotifyWinners": allowing(("sns:Publish", [topic(target).arn])),
    }
    if target.names.base == "hardened":
        policies["WaitForPeople"] = allowing(("dynamodb:PutItem", [draws_table(target).arn]))
    return policies


def function(target: Target, purpose: str) -> Function:
    """The function for a purpose, such as ``"InputWinners"``, from its folder under `lambdas/`."""
    name, role_arn = target.names.function(purpose), lambda_role(target).arn
    return Function(target, name, zipped(*function_folders(purpose)), role_arn)


def function_folders(purpose: str) -> list[Path]:
    """The folders with the code of the function for a purpose; its own is the first."""
    folders = [re.sub(r"(?<!^)(?=[A-Z])", "_", purpose).lower()]
    if purpose in EDITIONS["hardened"]:
        folders.append("hardened")  # what both of its functions use
    return [LAMBDAS_FOLDER / folder for folder in folders]


def topic(target: Target) -> Topic:
    """The topic of the mails (tutorial 2.2.3)."""
    return Topic(target, target.names.topic)


def winners_table(target: Target) -> Table:
    """The table of winners (tutorial 2.2.4)."""
    return Table(target, target.names.winners_table)


def employee_table(target: Target) -> Table:
    """The table of employees, with its index (tutorial 2.2.4).

    All editions share the table, so all of them make it with the index. Those of the tutorial draw by it; the
    functions of the hardened edition do not use it.
    """
    return Table(target, target.names.employee_table, index=SERIAL_INDEX)


def filled(target: Target, text: str) -> str:
    """A definition with this attendee's ARNs instead of placeholders (tutorial 2.2.5)."""
    return definition.fill(text, arns_by_placeholder(target))


def arns_by_placeholder(target: Target) -> dict[str, str]:
    """This attendee's ARN for each placeholder of the edition's definition."""
    functions = {
        purpose: target.arn("lambda", f"function:{name}") for purpose, name in target.names.functions.items()
    }
    arns = definition.arns_by_placeholder(functions, topic(target).arn)
    return arns | {"<Draws:ARN>": draws_table(target).arn}


def machine_definition(target: Target) -> str:
    """The edition's definition with this attendee's ARNs filled in."""
    return filled(target, definition.load(target.names.edition))


def machine(target: Target) -> StateMachine:
    """The state machine (tutorial 2.2.5)."""
    role_arn = machine_role(target).arn
    return StateMachine(target, target.names.machine, machine_definition(target), role_arn)


def log_group(target: Target, purpose: str) -> LogGroup:
    """The log group of the function for a purpose. Lambda's own group would lack our tags."""
    return LogGroup(target, target.names.log_group(target.names.function(purpose)))


def execution_log(target: Target) -> ExecutionLog:
    """The log group of the machine's executions. AWS's own policy of log groups covers this path."""
    return ExecutionLog(target, f"/aws/vendedlogs/states/{target.names.machine}")


def alarm(target: Target) -> Alarm:
    """The alarm about failed executions."""
    return Alarm(target, f"{target.names.machine}-Failed")


def exported(target: Target) -> CloudFormationStack:
    """The stack of an export, whose resources stand beside those of the lessons."""
    return CloudFormationStack(target, target.names.of("lottery-copy"))


def _by_hand(kind: type[ByHand[Any]], name: str) -> Callable[[Target], ByHand[Any]]:
    """How to make what a lesson makes. Its name may have the ``{machine}``, or the ``{account}``."""

    def make(target: Target) -> ByHand[Any]:
        if "{machine}" in name:
            return kind(target, name.format(machine=target.names.machine))
        return kind(target, target.names.of(name.format(account=target.account)))

    return make


def _function_rows(edition: str, lesson: str, step: str) -> Iterator[Row[Planned]]:
    """Each function of an edition and, before it, its log group."""
    for purpose in EDITIONS[edition]:
        yield Row(edition, lesson, partial(log_group, purpose=purpose))
        yield Row(edition, lesson, partial(function, purpose=purpose), step.format(purpose=purpose))


PLAN: tuple[Row[Planned], ...] = (
    Row("tutorial", "01", lambda_role, _("Create the role")),
    Row("tutorial", "01", machine_role, _("Create the role of the machine")),
    Row("hardened", "16", lambda_role),
    Row("hardened", "16", machine_role),
    *_function_rows("tutorial", "02", _("Create the function {purpose}")),
    *_function_rows("hardened", "16", _HARDENED),
    Row("both", "03", topic, _("Create the topic")),
    Row("both", "04", winners_table, _("Create the table"), order=1),
    Row("both", "04", employee_table, _("Create the table")),
    Row("hardened", "16", pool_table, _HARDENED),
    Row("hardened", "16", draws_table, _HARDENED),
    Row("tutorial", "05", machine, _("Fill the placeholders and create the machine")),
    Row("hardened", "16", machine, _HARDENED),
    Row("both", "04", Employees),
    Row("hardened", "16", Pool),
)


#: What lessons make by hand. A deploy does not make it. Each teardown and each `restore` remove it.
BY_HAND: tuple[Row[ByHand[Any]], ...] = (
    Row("tutorial", "09", execution_log, _("Create the log group")),
    Row("tutorial", "09", alarm, _("Create the alarm")),
    Row("tutorial", "09", _by_hand(EventRule, "{machine}-Failed"), _("Create the rule")),
    Row("tutorial", "11", _by_hand(LessonMachine, "Lottery-Practice"), _("Create the machine")),
    Row("tutorial", "14", _by_hand(Alias, "{machine}:party"), _("Create the alias")),
    Row("tutorial", "14", _by_hand(ParentMachine, "Lottery-Evening"), _("Create the machine")),
    Row("tutorial", "14", _by_hand(ExpressMachine, "Lottery-Check"), _("Create the machine")),
    Row("tutorial", "17", _by_hand(ParentMachine, "Lottery-Scale"), _("Create the machine")),
    Row("tutorial", "18", _by_hand(Bucket, "lottery-employees-{account}"), _("Create the bucket")),
    Row("tutorial", "18", _by_hand(MapMachine, "Lottery-Load"), _("Create the machine")),
    Row("tutorial", "19", _by_hand(PackageBucket, "lottery-packages-{account}"), _("Create the bucket")),
    Row("tutorial", "19", exported),
)


def made_by_hand(target: Target) -> list[tuple[ByHand[Any], Row[ByHand[Any]]]]:
    """What lessons make by hand beside the resources of the target's edition, with their rows."""
    return [(row.make(target), row) for row in BY_HAND if row.edition == target.names.base]


def everything(target: Target) -> list[tuple[Planned, Row[Planned]]]:
    """The resources of the target's edition and what they hold, with their rows, in the order of creation."""
    return [(row.make(target), row) for row in PLAN if row.edition in (target.names.base, "both")]


def resources(target: Target) -> list[tuple[Resource[Any], Row[Planned]]]:
    """The resources of the target's edition, without what they hold, with their rows."""
    return [(planned, row) for planned, row in everything(target) if isinstance(planned, Resource)]


def attachable(edition: str) -> list[str]:
    """The paths of all managed policies that a role may get. The ``*`` at the end is for their successors."""
    own = {*LAMBDA_POLICIES, *MACHINE_POLICIES} if edition == "tutorial" else set[str]()
    return [f"{path}*" for path in sorted(own)]
