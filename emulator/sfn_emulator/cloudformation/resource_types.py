"""The types of resources: which calls make, change and delete a resource, and what it returns.

The names of properties are those of parameters, except for their first letters. So a call takes from the
properties what its model has. What differs from that is data in `resource_types.toml`, or a function here.

See https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

import io
import json
import re
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from sfn_emulator.cloudformation.template import as_text, read_yaml

Values = Mapping[str, Any]
ReadObject = Callable[[str, str, str], bytes]
"""Reads an object of S3 from its bucket, key and version."""


class PropertyError(Exception):
    """A property that CloudFormation refuses; the text is AWS's."""


@dataclass(frozen=True)
class Part:
    """A property whose members have calls of their own, such as the policies of a role.

    Args:
        put: The operation that adds or changes a member.
        remove: The operation that removes one; empty if nothing does.
        into: The parameter that a member becomes. By default, it is an object of parameters.
        lists: The parameters that are lists, and the field of a member in each of them; empty for all of it.
        first: Whether all members are removed before the resource is deleted.
        whole: Whether a list is one member.
    """

    put: str
    remove: str = ""
    into: str = ""
    lists: Mapping[str, str] = field(default_factory=dict)
    first: bool = False
    whole: bool = False

    def members(self, value: Any) -> list[Any]:
        """The members of the property's value."""
        if value is None or (self.whole and value == []):
            return []
        return value if isinstance(value, list) and not self.whole else [value]

    def parameters(self, member: Any) -> Values:
        """What the calls need of a member."""
        if self.lists:
            return {name: [member[part] if part else member] for name, part in self.lists.items()}
        for name in reversed(self.into.split(".") if self.into else []):
            member = {name: member}
        return member  # type: ignore[no-any-return]


@dataclass(frozen=True)
class ResourceType:
    """A type of resources.

    Args:
        service: botocore's name of the service.
        reference: What `Ref` returns, in terms of the properties and of the reply of `create`.
        create: The operation that makes a resource; empty if its parts are all of it.
        updates: The operations that change it. Of several in one text, the others follow the first.
        delete: The operation that deletes it; empty if deleting its parts is enough.
        find: The operation that finds a resource of this name, which somebody else has made. It is named
            where making a resource a second time is no error.
        fixed: The properties that need a new resource if they change.
        name: The property with its name. Without it, CloudFormation makes a name.
        most: How long a name may be.
        of_iam: Whether it needs a capability.
        bare: Whether it gets no tags of AWS.
        also: Parameters that get the value of a property with another name.
        only: The properties that only functions of this module read, or that may go without a call.
        attributes: What `Fn::GetAtt` returns, by attribute.
        more: Further parameters of its calls, in the same terms.
        defaults: What a property becomes if an update removes it.
        settings: The properties that are attributes of the service, whose values are texts.
        set: The operation that changes one of these.
        parts: The properties with calls of their own.
    """

    service: str
    reference: str
    create: str = ""
    updates: tuple[str, ...] = ()
    delete: str = ""
    find: str = ""
    fixed: tuple[str, ...] = ()
    name: str = ""
    most: int = 255
    of_iam: bool = False
    bare: bool = False
    also: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)
    defaults: Values = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    set: str = ""
    parts: Mapping[str, Part] = field(default_factory=dict)

    @property
    def known(self) -> frozenset[str]:
        """The properties that it has besides the parameters of `create`."""
        return frozenset([self.name, *self.also, *self.only, *self.settings, *self.parts])


@cache
def resource_types() -> Mapping[str, ResourceType]:
    """The types of resources, by name."""
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    types = {}
    for name, fields in table.items():
        parts = {key: Part(**part) for key, part in fields.pop("parts", {}).items()}
        types[name] = ResourceType(**fields, parts=parts)
    return types


def parameters_of(kind: str, properties: Values, read: ReadObject, region: str) -> dict[str, Any]:
    """What calls take their parameters from: the properties, under all names that they have there.

    Args:
        kind: The name of the type.
        properties: The properties.
        read: Reads an object of S3.
        region: The region.

    Raises:
        PropertyError: A property has a value that CloudFormation refuses.
    """
    described = resource_types()[kind]
    renamed = {new: properties[old] for old, new in described.also.items() if old in properties}
    settings = {name: _as_setting(properties[name]) for name in described.settings if name in properties}
    attributes = {"Attributes": settings} if settings else {}
    return {**properties, **renamed, **attributes, **_made(kind, properties, read, region)}


def _as_setting(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else as_text(value)


def _made(kind: str, properties: Values, read: ReadObject, region: str) -> Values:  # noqa: PLR0911
    """The parameters that a service wants in another form."""
    match kind:
        case "AWS::Lambda::Function":
            code = properties.get("Code") or {}
            source = code.get("ZipFile")
            zipped = {"ZipFile": _zipped(source, properties)} if isinstance(source, str) else code
            return {**zipped, "Code": zipped}
        case "AWS::Lambda::Alias" if weights := properties.get("RoutingConfig"):
            routes = weights.get("AdditionalVersionWeights") or []
            by_version = {it["FunctionVersion"]: it["FunctionWeight"] for it in routes}
            return {"RoutingConfig": {"AdditionalVersionWeights": by_version}}
        case "AWS::DynamoDB::Table":
            stream, encryption = properties.get("StreamSpecification"), properties.get("SSESpecification")
            enabled = {name.replace("SSEE", "E"): it for name, it in (encryption or {}).items()}
            return {
                **({"StreamSpecification": {"StreamEnabled": True, **stream}} if stream else {}),
                **({"SSESpecification": enabled} if encryption else {}),
            }
        case "AWS::S3::Bucket":
            rules = (properties.get("BucketEncryption") or {}).get("ServerSideEncryptionConfiguration") or []
            renamed = [{_ENCRYPTION.get(name, name): it for name, it in rule.items()} for rule in rules]
            there = {"CreateBucketConfiguration": {"LocationConstraint": region}}
            return {
                **(there if region != "us-east-1" else {}),
                **({"BucketEncryption": {"Rules": renamed}} if rules else {}),
            }
        case "AWS::CloudWatch::Alarm":
            return {"AlarmNames": [properties.get("AlarmName")]}
        case "AWS::StepFunctions::StateMachine":
            return {"definition": _definition(properties, read)}
        case "AWS::StepFunctions::StateMachineAlias" if preference := properties.get("DeploymentPreference"):
            if preference.get("Type") != "ALL_AT_ONCE":
                raise PropertyError(f"The emulator deploys ALL_AT_ONCE, not {preference.get('Type')}")
            arn = preference.get("StateMachineVersionArn")
            return {"routingConfiguration": [{"stateMachineVersionArn": arn, "weight": 100}]}
    return {}


def _zipped(source: str, properties: Values) -> bytes:
    """Code that stands in the template, as AWS packs it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        is_python = str(properties.get("Runtime", "")).startswith("python")
        entry = zipfile.ZipInfo("index.py" if is_python else "index.js")
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, source)
    return file.getvalue()


def _definition(properties: Values, read: ReadObject) -> str:
    """The definition of a state machine with its substitutions."""
    given = [name for name in _DEFINITIONS if name in properties]
    if len(given) != 1:
        matched = "2 subschemas matched instead of one" if given else "0 subschemas matched instead of one"
        raise PropertyError(f"#: {matched}")
    definition = properties[given[0]]
    if given == ["DefinitionS3Location"]:
        definition = read(*(as_text(definition.get(name)) for name in ("Bucket", "Key", "Version"))).decode()
        try:
            json.loads(definition)
        except ValueError:  # it may be YAML
            definition = read_yaml(definition)
    text = definition if isinstance(definition, str) else json.dumps(definition)
    values = properties.get("DefinitionSubstitutions") or {}
    return re.sub(r"\$\{([^{}]+)\}", lambda match: as_text(values.get(match[1], match[0])), text)


_ENCRYPTION: Final = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
_DEFINITIONS: Final = ("Definition", "DefinitionString", "DefinitionS3Location")
