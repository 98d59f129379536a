"""Write the lottery as a project of AWS SAM, which makes it in any account: ``lottery export FOLDER``.

Its resources are those of `plan`, with four differences. Each function, and the machine, has a role of its
own, which allows the least. Failures of the machine are in a log, and an alarm mails them, as in lesson 09.
Logs keep their events for some days only. The names end with a parameter, not with an attendee.

See https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import yaml

from lottery_lib import definition, plan
from lottery_lib.employees import REQUEST_ITEMS
from lottery_lib.errors import LotteryError
from lottery_lib.files import files_below, make_folder, read_limited, write_over
from lottery_lib.names import ATTENDEE, KIT, Names
from lottery_lib.resources import Removable
from lottery_lib.resources.by_hand import Alarm
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.resources.iam_role import Role, allowing
from lottery_lib.resources.lambda_function import Function
from lottery_lib.resources.log_group import LogGroup
from lottery_lib.resources.sns_topic import DISPLAY_NAME, Topic
from lottery_lib.resources.state_machine import StateMachine
from lottery_lib.target import Target, elsewhere
from lottery_lib.translation import _, in_language

#: The README of a project. A part between two comments is for one edition.
README: Final = KIT / "docs" / "export.md"
_DEFINITION: Final = "statemachine/lottery.asl.json"
#: What `sam` and Python leave in a project; a file of `sam` may hold an address.
_OF_TOOLS: Final = (".aws-sam", "__pycache__", "samconfig.toml")
_RETENTION_DAYS: Final = 7  # as in lesson 09
_NAME: Final = "the-parameter"  # an attendee, for whom the template has its parameter


def export(folder: Path, edition: str = "tutorial") -> list[str]:
    """Write the project of an edition.

    A second export writes the same bytes. What is there with this content stays.

    Args:
        folder: Where. It need not exist.
        edition: The edition.

    Returns:
        The paths of the project's files in the folder.

    Raises:
        LotteryError: There is no such edition, or the folder has other files, except those of tools.
    """
    wanted = project(edition)
    make_folder(folder)
    missing = {*wanted}
    for path in files_below(folder, without=_OF_TOOLS):
        name = path.relative_to(folder).as_posix()
        if name not in missing or not _contains(path, wanted[name]):
            where, what = _("folder {folder}", folder=folder), _("has another {file}", file=name)
            raise LotteryError(where, what, _("Give a new folder"))
        missing.remove(name)
    for name in missing:
        make_folder((folder / name).parent)
        write_over(folder / name, wanted[name], public=True)  # Lambda runs only what everybody may read
    return sorted(wanted)


def _contains(path: Path, content: bytes) -> bool:
    try:
        return not path.is_symlink() and read_limited(path, len(content)) == content
    except OSError:  # it is longer, or no file
        return False


def project(edition: str) -> dict[str, bytes]:
    """The files of an edition's project, by their paths."""
    names = Names(edition=edition)
    files = {
        ".gitignore": "".join(f"{name}\n" for name in _OF_TOOLS),
        "README.md": _readme(names),
        "events/draw.json": '{"input": 2}\n',
        "data/request-items.json": REQUEST_ITEMS.read_text(encoding="utf-8"),
        "template.yaml": as_yaml(template(edition)),
        _DEFINITION: definition.with_substitutions(definition.load(edition)),
    }
    for purpose in names.functions:
        for folder in plan.function_folders(purpose):
            sources = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}
            files |= {_code_folder(purpose) + name: source for name, source in sources.items()}
    return {name: text.encode() for name, text in files.items()}


def _readme(names: Names) -> str:
    text = in_language(README).read_text(encoding="utf-8")
    text = re.sub(rf"<!-- only {names.base} -->\n(.*?)<!-- end -->\n", r"\1", text, flags=re.DOTALL)
    text = re.sub(r"<!-- only \w+ -->\n.*?<!-- end -->\n", "", text, flags=re.DOTALL)
    text = re.sub("\n{3,}", "\n\n", text)
    return text.replace("MACHINE", names.machine).replace("STACK", names.machine.lower())


def _code_folder(purpose: str) -> str:
    return f"functions/{plan.function_folders(purpose)[0].name}/"


# The template: plain values, and calls of CloudFormation's functions.


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
            case _:
                days = _RETENTION_DAYS
                return _resource("Logs::LogGroup", LogGroupName=name, RetentionInDays=days, Tags=tags)

    def _function(self, name: Call, purpose: str) -> dict[str, Any]:
        """A function. It is deleted before its log, into which it may still write."""
        rights = list(plan.table_rights(self.target, purpose))
        policies = {"Policies": [self.refer(allowing(*rights))]} if rights else {}
        code = _code_folder(purpose)
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
            DefinitionUri=_DEFINITION,
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


# How it is written.


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
