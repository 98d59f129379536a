"""Look up and remove what only lessons make: an alarm, a rule, a bucket, a stack, machines of their own.

An attendee makes these by hand, so the plan has them only to look them up and to remove them.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lottery_lib.aws_errors import call_or_none
from lottery_lib.names import EDITIONS
from lottery_lib.resources.base import Description, Removable, Report
from lottery_lib.resources.log_group import LogGroup
from lottery_lib.resources.state_machine import StateMachine
from lottery_lib.translation import N_

if TYPE_CHECKING:
    from types_boto3_cloudformation.type_defs import StackTypeDef
    from types_boto3_cloudwatch.type_defs import MetricAlarmTypeDef
    from types_boto3_events.type_defs import DescribeRuleResponseTypeDef
    from types_boto3_s3.type_defs import ListObjectsV2OutputTypeDef
    from types_boto3_stepfunctions.type_defs import DescribeStateMachineAliasOutputTypeDef

#: The key of `Removable.lesson_actions` for what is listed here: what the lessons call.
LESSONS_CALL: Final = "by hand"


class ByHand(Removable[Description]):
    """A resource that only an attendee makes."""

    def find(self) -> Report | None:
        """Look it up; None if there is none, or if the attendee may not look and so cannot have made one."""
        return call_or_none(super().find, "AccessDenied")

    def has_content(self) -> bool:
        """Always: all of it is an attendee's."""
        return True


class Alarm(ByHand["MetricAlarmTypeDef"]):
    """An alarm of CloudWatch."""

    kind: ClassVar = N_("alarm")
    arn_parts: ClassVar = ("cloudwatch", "alarm:{}")
    actions: ClassVar = ("DeleteAlarms", "DescribeAlarms", "ListTagsForResource")
    lesson_actions: ClassVar = {LESSONS_CALL: ("GetMetricStatistics", "PutMetricAlarm", "TagResource")}
    account_actions: ClassVar = ("GetMetricStatistics",)

    def describe_or_none(self) -> "MetricAlarmTypeDef | None":
        """AWS's description of the alarm."""
        answer = self.target.kit_client("cloudwatch").describe_alarms(AlarmNames=[self.name])
        return next(iter(answer["MetricAlarms"]), None)

    def _state(self, description: "MetricAlarmTypeDef") -> str:
        return description["StateValue"]

    def _tags(self, description: "MetricAlarmTypeDef") -> Mapping[str, str]:
        tags = self.target.kit_client("cloudwatch").list_tags_for_resource(ResourceARN=self.arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in tags}

    def _remove(self, report: Report) -> None:
        self.target.kit_client("cloudwatch").delete_alarms(AlarmNames=[self.name])
        self._wait_until_gone()


class EventRule(ByHand["DescribeRuleResponseTypeDef"]):
    """A rule of EventBridge, with its targets."""

    kind: ClassVar = N_("rule")
    arn_parts: ClassVar = ("events", "rule/{}")
    actions: ClassVar = (
        *("DeleteRule", "DescribeRule", "ListTagsForResource", "ListTargetsByRule", "RemoveTargets"),
    )
    lesson_actions: ClassVar = {LESSONS_CALL: ("PutRule", "PutTargets", "TagResource", "TestEventPattern")}
    account_actions: ClassVar = ("TestEventPattern",)
    role_actions: ClassVar = ("DescribeRule", "PutRule", "PutTargets")

    @property
    def role_arns(self) -> list[str]:
        """The rule that AWS makes as the machine's role, to hear of the end of a nested execution."""
        return [self.target.arn("events", "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule")]

    def describe_or_none(self) -> "DescribeRuleResponseTypeDef | None":
        """AWS's description of the rule."""
        describe = self.target.kit_client("events").describe_rule
        return call_or_none(describe, "ResourceNotFound", Name=self.name)

    def _state(self, description: "DescribeRuleResponseTypeDef") -> str:
        return description["State"]

    def _tags(self, description: "DescribeRuleResponseTypeDef") -> Mapping[str, str]:
        tags = self.target.kit_client("events").list_tags_for_resource(ResourceARN=self.arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in tags}

    def _remove(self, report: Report) -> None:
        """Delete the rule. AWS first demands that it has no targets."""
        events = self.target.kit_client("events")
        targets = call_or_none(events.list_targets_by_rule, "ResourceNotFound", Rule=self.name)
        if targets and targets["Targets"]:
            events.remove_targets(Rule=self.name, Ids=[target["Id"] for target in targets["Targets"]])
        call_or_none(events.delete_rule, "ResourceNotFound", Name=self.name)
        self._wait_until_gone()


class Alias(ByHand["DescribeStateMachineAliasOutputTypeDef"]):
    """An alias of a machine. It has no tags of its own, so its machine's tags say whose it is.

    Its name is the machine's and its own, such as ``Lottery:party``.
    """

    kind: ClassVar = N_("alias")
    arn_parts: ClassVar = ("states", "stateMachine:{}")
    actions: ClassVar = ("DeleteStateMachineAlias", "DescribeStateMachineAlias", "ListTagsForResource")
    lesson_actions: ClassVar = {
        LESSONS_CALL: (
            *("CreateStateMachineAlias", "PublishStateMachineVersion", "RedriveExecution"),
            *("UpdateStateMachineAlias",),
        )
    }

    @property
    def policy_arns(self) -> list[str]:
        """The machine and its executions: AWS checks these, also for a version or an alias."""
        return self._machine.policy_arns

    @property
    def _machine(self) -> StateMachine:
        return StateMachine(self.target, self.name.partition(":")[0])

    def describe_or_none(self) -> "DescribeStateMachineAliasOutputTypeDef | None":
        """AWS's description of the alias."""
        describe = self.target.kit_client("stepfunctions").describe_state_machine_alias
        return call_or_none(describe, "ResourceNotFound", stateMachineAliasArn=self.arn)

    def _tags(self, description: "DescribeStateMachineAliasOutputTypeDef") -> Mapping[str, str]:
        list_tags = self.target.kit_client("stepfunctions").list_tags_for_resource
        return {each["key"]: each["value"] for each in list_tags(resourceArn=self._machine.arn)["tags"]}

    def _remove(self, report: Report) -> None:
        """Delete the alias. AWS deletes the versions with their machine."""
        delete = self.target.kit_client("stepfunctions").delete_state_machine_alias
        call_or_none(delete, "ResourceNotFound", stateMachineAliasArn=self.arn)
        self._wait_until_gone()


class LessonMachine(ByHand[Any], StateMachine):
    """A state machine of a lesson."""

    actions: ClassVar = ("DeleteStateMachine", "DescribeStateMachine", "ListTagsForResource")
    lesson_actions: ClassVar = {
        LESSONS_CALL: (
            *("CreateStateMachine", "DescribeExecution", "DescribeMapRun", "GetExecutionHistory"),
            *("ListExecutions", "ListMapRuns", "RedriveExecution", "StartExecution", "StartSyncExecution"),
            *("TagResource", "UpdateStateMachine"),
        )
    }
    account_actions: ClassVar = ()


class ExpressMachine(LessonMachine):
    """An Express machine, which has no executions that one can look up."""

    @property
    def policy_arns(self) -> list[str]:
        """The machine."""
        return [self.arn]


class MapMachine(LessonMachine):
    """A machine with a Distributed Map, which starts executions of the machine itself."""

    role_actions: ClassVar = ("DescribeExecution", "RedriveExecution", "StartExecution", "StopExecution")

    @property
    def policy_arns(self) -> list[str]:
        """The machine, its executions, and the runs of its Distributed Map."""
        runs = [self.target.arn("states", f"{part}:{self.name}/*") for part in ("execution", "mapRun")]
        return [*super().policy_arns, *runs]

    @property
    def role_arns(self) -> list[str]:
        """The machine and its executions: AWS's page names those with a colon, a Map's have a slash."""
        ends = (":*", "/*")
        return [self.arn, *(self.target.arn("states", f"execution:{self.name}{end}") for end in ends)]


class ParentMachine(LessonMachine):
    """A machine that runs draws as nested workflows."""

    role_actions: ClassVar = MapMachine.role_actions

    @property
    def role_arns(self) -> list[str]:
        """The machines of both editions, and their executions."""
        names = [self.target.names.in_edition(edition).machine for edition in EDITIONS]
        return [arn for name in names for arn in StateMachine(self.target, name).policy_arns]


class ExecutionLog(ByHand[Any], LogGroup):
    """The log group of a machine's executions."""

    kind: ClassVar = N_("execution log")
    actions: ClassVar = ("CreateLogGroup", "DeleteLogGroup", "ListTagsForResource", "TagResource")
    lesson_actions: ClassVar = {LESSONS_CALL: ("FilterLogEvents", "PutRetentionPolicy")}
    role_actions: ClassVar = (
        *("CreateLogDelivery", "CreateLogStream", "DeleteLogDelivery", "DescribeLogGroups"),
        *("DescribeResourcePolicies", "GetLogDelivery", "ListLogDeliveries", "PutLogEvents"),
        *("PutResourcePolicy", "UpdateLogDelivery"),
    )

    @property
    def role_arns(self) -> list[str]:
        """All resources: a delivery of logs has no ARN."""
        return ["*"]


class Bucket(ByHand["ListObjectsV2OutputTypeDef"]):
    """A bucket of S3, with what is in it."""

    kind: ClassVar = N_("bucket")
    arn_parts: ClassVar = ("s3", "{}")
    actions: ClassVar = ("DeleteBucket", "DeleteObject", "GetBucketTagging", "ListBucket")
    lesson_actions: ClassVar = {LESSONS_CALL: ("CreateBucket", "PutBucketTagging", "PutObject")}
    role_actions: ClassVar = ("GetObject",)
    inside: ClassVar = "/*"

    @property
    def arn(self) -> str:
        """The ARN, which has neither region nor account."""
        return self.target.arn("s3", self.name, region="", account="")

    @property
    def policy_arns(self) -> list[str]:
        """The bucket, and the objects in it."""
        return [self.arn, self.arn + self.inside]

    @property
    def role_arns(self) -> list[str]:
        """The objects in it."""
        return [self.arn + self.inside]

    def describe_or_none(self) -> "ListObjectsV2OutputTypeDef | None":
        """The beginning of the list of its objects."""
        look = self.target.kit_client("s3").list_objects_v2
        return call_or_none(look, "NoSuchBucket", Bucket=self.name, MaxKeys=1)

    def _tags(self, description: "ListObjectsV2OutputTypeDef") -> Mapping[str, str]:
        get = self.target.kit_client("s3").get_bucket_tagging
        tags = call_or_none(get, "NoSuchTagSet", Bucket=self.name)
        return {tag["Key"]: tag["Value"] for tag in tags["TagSet"]} if tags else {}

    def _remove(self, report: Report) -> None:
        """Delete the bucket. AWS first demands that it is empty."""
        s3 = self.target.kit_client("s3")
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self.name):
            for each in page.get("Contents", []):
                s3.delete_object(Bucket=self.name, Key=each["Key"])
        call_or_none(s3.delete_bucket, "NoSuchBucket", Bucket=self.name)
        self._wait_until_gone()


class PackageBucket(Bucket):
    """A bucket with the packages of a stack. An attendee's policy does not let anybody fill it."""

    @property
    def policy_arns(self) -> list[str]:
        """The bucket: an attendee looks whether it is there."""
        return [self.arn]

    @property
    def role_arns(self) -> list[str]:
        """Nothing: no role reads a package."""
        return []


class CloudFormationStack(ByHand["StackTypeDef"]):
    """A stack of CloudFormation, with its resources. It needs more rights than an attendee's policy has."""

    kind: ClassVar = N_("stack")
    arn_parts: ClassVar = ("cloudformation", "stack/{}/*")
    actions: ClassVar = ("DescribeStacks",)

    def describe_or_none(self) -> "StackTypeDef | None":
        """AWS's description of the stack."""
        describe = self.target.kit_client("cloudformation").describe_stacks
        answer = call_or_none(describe, "does not exist", StackName=self.name)
        return answer["Stacks"][0] if answer else None

    def _state(self, description: "StackTypeDef") -> str:
        return description["StackStatus"]

    def _tags(self, description: "StackTypeDef") -> Mapping[str, str]:
        """Its tags. CloudFormation refuses an empty one, so without an attendee a stack lacks that tag."""
        return {"lottery-attendee": ""} | {tag["Key"]: tag["Value"] for tag in description["Tags"]}

    def _remove(self, report: Report) -> None:
        self.target.kit_client("cloudformation").delete_stack(StackName=self.name)
        self._wait_until_gone()
