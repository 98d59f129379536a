"""Write the templates of the lottery's projects of AWS SAM from the plan: ``make templates``.

A template's resources are those of `lottery_lib.plan`, with four differences. Each function, and the machine,
has a role of its own, which allows the least. Failures of the machine are in a log, and an alarm mails them,
as in lesson 09. Logs keep their events for some days only. The names end with a parameter, not with an
attendee. A test compares the files with the plan.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import yaml

from lottery_lib import definition, plan
from lottery_lib.export import TEMPLATES
from lottery_lib.names import ATTENDEE, Names
from lottery_lib.resources.base import Removable
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.resources.iam_role import Role, allowing
from lottery_lib.resources.lambda_function import Function
from lottery_lib.resources.lesson_resources import Alarm
from lottery_lib.resources.log_group import LogGroup
from lottery_lib.resources.sns_topic import DISPLAY_NAME, Topic
from lottery_lib.resources.state_machine import StateMachine
from lottery_lib.target import Target, elsewhere

_RETENTION_DAYS: Final = 7  # as in lesson 09
_NAME: Final = "the-parameter"  # an attendee, for whom the template has its parameter


@dataclass(frozen=True)
class Call:
    """A function of CloudFormation in its short form, such as ``!Ref Name``."""

    name: str
    value: Any


def _is_given(parameter: str) -> Call:
    return Call("Not", [Call("Equals", [Call("Ref", parameter), ""])])


def _resource(kind: str, about: Mapping[str, str] | None = None, /, **properties: Any) -> dict[str, Any]:
    """A resource: its type, what CloudFormation should know about it, and its properties."""
    return {"Type": f"AWS::{kind}", **(about or {}), "Properties": properties}


def template(edition: str) -> dict[str, Any]:
    """The template of an edition."""
    parts = _Parts(edition)
    subscription = _resource(
        "SNS::Subscription",
        {"Condition": "HasEmail"},
        TopicArn=parts.refer(plan.topic(parts.target).arn),
        Protocol="email",
        Endpoint=Call("Ref", "Email"),
    )
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": "A lottery: a state machine draws employees, records them, and mails who they are.",
        "Parameters": {
            "Name": {
                "Type": "String",
                "Default": "",
                "AllowedPattern": f"({ATTENDEE.pattern})?",
                "ConstraintDescription": "1 to 30 small letters, digits and inner hyphens, or nothing",
                "Description": "The end of all names: alice for Lottery-alice; nothing for Lottery",
            },
            "Email": {
                "Type": "String",
                "Default": "",
                "AllowedPattern": r"([^@\s]+@[^@\s]+\.[^@\s]+)?",
                "ConstraintDescription": "an address like ann@example.com, or nothing",
                "Description": "Who gets the mails, after opening a link in the first one; or nothing",
            },
        },
        "Conditions": {"HasName": _is_given("Name"), "HasEmail": _is_given("Email")},
        "Globals": {"Function": parts.of_all_functions},
        "Resources": {_logical(each): parts.resource(each) for each in parts.made}
        | {"Subscription": subscription},
        "Outputs": {
            _logical(each): {
                "Description": f"The {'name' if isinstance(each, Table) else 'ARN'} of the {each.kind}",
                "Value": Call("Ref", _logical(each)),
            }
            for each in parts.made
            if isinstance(each, StateMachine | Table | Topic)
        },
    }


def _planned(target: Target) -> list[Removable[Any]]:
    """The resources of a template."""
    planned = [each for each, _row in plan.resources(target) if not isinstance(each, Role)]
    return [*planned, plan.execution_log(target), plan.alarm(target)]


def _logical(resource: Removable[Any]) -> str:
    """The name of a resource in the template, such as ``WinnersTable`` for the table ``Lottery-Winners``."""
    last = resource.name.rpartition("/")[2]
    ends = {Table: "Table", LogGroup: "Log", Alarm: "Alarm"}
    end = next((word for kind, word in ends.items() if isinstance(resource, kind)), "")
    return (re.sub("^Lottery(-Hardened)?-?", "", last) or "Lottery") + end


class _Parts:
    """The resources of an edition, and their properties in a template."""

    def __init__(self, edition: str) -> None:
        # Nothing of this account and region is in the template: each ARN becomes a reference.
        self.target = elsewhere("123456789012", "us-east-1", Names(edition=edition))
        self.purposes = {name: purpose for purpose, name in self.target.names.functions.items()}
        self.made = _planned(self.target)
        named = _planned(self.target.named(Names(_NAME, edition)))
        #: A name is another one if the parameter has a value.
        self.names = {
            each.name: Call("If", ["HasName", Call("Sub", other.name.replace(_NAME, "${Name}")), each.name])
            for each, other in zip(self.made, named, strict=True)
        }
        #: Some kinds may have an empty tag, as the last one may be. CloudFormation refuses it for the others.
        self.tags = {"lottery-workshop": self.target.names.base, "lottery-attendee": Call("Ref", "Name")}

    @property
    def of_all_functions(self) -> dict[str, Any]:
        """What all functions have in common."""
        some = plan.function(self.target, next(iter(self.purposes.values())))
        return {name: value for name, value in some.configuration.items() if name != "Role"} | {
            "Tags": self.tags
        }

    def refer(self, value: Any) -> Any:
        """A value with references instead of the ARNs of resources."""
        if isinstance(value, Mapping):
            return {key: self.refer(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.refer(each) for each in value]
        for each in self.made:
            if value == each.arn:  # `Ref` is the ARN of these two
                is_ref = isinstance(each, StateMachine | Topic)
                return Call("Ref", _logical(each)) if is_ref else Call("GetAtt", f"{_logical(each)}.Arn")
            if isinstance(value, str) and value.startswith((f"{each.arn}:", f"{each.arn}/")):
                return Call("Sub", f"${{{_logical(each)}.Arn}}{value.removeprefix(each.arn)}")
        return value

    def resource(self, each: Removable[Any]) -> dict[str, Any]:
        """A resource in the template."""
        name = self.names[each.name]
        tags = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        match each:
            case Function():
                return self._function(name, self.purposes[each.name])
            case StateMachine():
                return self._machine(name)
            case Topic():
                return _resource("SNS::Topic", TopicName=name, DisplayName=DISPLAY_NAME, Tags=tags)
            case Table():
                kept = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Retain"}
                return _resource("DynamoDB::Table", kept, TableName=name, **each.configuration, Tags=tags)
            case Alarm():
                return self._alarm(name, tags)
            case LogGroup():
                days = _RETENTION_DAYS
                return _resource("Logs::LogGroup", LogGroupName=name, RetentionInDays=days, Tags=tags)
        raise TypeError(f"a template cannot have the {each.kind} {each.name}: say here what it is")

    def _function(self, name: Call, purpose: str) -> dict[str, Any]:
        """A function. It is deleted before its log, into which it may still write."""
        rights = list(plan.table_rights(self.target, purpose))
        policies = {"Policies": [self.refer(allowing(*rights))]} if rights else {}
        code = f"functions/{plan.function_folders(purpose)[0].name}/"
        after = {"DependsOn": f"{purpose}Log"}
        return _resource("Serverless::Function", after, FunctionName=name, CodeUri=code, **policies)

    def _machine(self, name: Call) -> dict[str, Any]:
        edition = self.target.names.edition
        arns = plan.arns_by_placeholder(self.target)
        used = {f"{each[1:-5]}Arn": arns[each] for each in definition.placeholders(definition.load(edition))}
        may = [each["Statement"] for each in plan.machine_policies(self.target).values()]
        log = plan.execution_log(self.target)
        log_rights = ([f"logs:{call}" for call in log.role_actions], log.role_arns)
        statements = [*chain(*may), *allowing(log_rights)["Statement"]]
        destination = {"CloudWatchLogsLogGroup": {"LogGroupArn": self.refer(log.arn)}}
        return _resource(
            "Serverless::StateMachine",
            Name=name,
            DefinitionUri="statemachine/lottery.asl.json",
            DefinitionSubstitutions=self.refer(used) | {"Partition": Call("Ref", "AWS::Partition")},
            Logging={"Level": "ERROR", "IncludeExecutionData": True, "Destinations": [destination]},
            Policies=[{"Version": "2012-10-17", "Statement": self.refer(statements)}],
            Tags={"lottery-workshop": self.tags["lottery-workshop"]},
        )

    def _alarm(self, name: Call, tags: Any) -> dict[str, Any]:
        """The alarm of lesson 09."""
        machine, topic = plan.machine(self.target).arn, plan.topic(self.target).arn
        return _resource(
            "CloudWatch::Alarm",
            AlarmName=name,
            Namespace="AWS/States",
            MetricName="ExecutionsFailed",
            Dimensions=[{"Name": "StateMachineArn", "Value": self.refer(machine)}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
            AlarmActions=[self.refer(topic)],
            Tags=tags[:1],
        )


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Writes a template as people do: lists are indented, and functions have their short forms."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def of_call(self, call: Call) -> yaml.Node:
        if isinstance(call.value, list):
            return self.represent_sequence(f"!{call.name}", call.value, flow_style=True)
        return self.represent_scalar(f"!{call.name}", call.value)


_Dumper.add_representer(Call, _Dumper.of_call)


def as_yaml(template: Mapping[str, Any]) -> str:
    """The text of a template, with an empty line before each section and resource."""
    text = yaml.dump(template, Dumper=_Dumper, sort_keys=False, width=110)
    text = re.sub(r"(!(?:Ref|GetAtt)) '([\w.:]+)'", r"\1 \2", text)  # PyYAML quotes them
    head, resources, rest = re.split(r"^(?=Resources:|Outputs:)", text, flags=re.MULTILINE)
    resources = re.sub(r"^  (?=\w)", r"\n  ", resources, flags=re.MULTILINE)
    return re.sub(r"^(?=\w)(?!AWST|Tran|Desc)", "\n", head + resources + rest, flags=re.MULTILINE)


def main() -> None:
    """Write the template of each edition."""
    for edition in ("tutorial", "jsonata", "hardened"):
        (TEMPLATES / f"{edition}.yaml").write_text(as_yaml(template(edition)), encoding="utf-8")


if __name__ == "__main__":
    main()
