"""Read templates: parameters, conditions and intrinsic functions, and in which order resources are made.

See https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

import base64
import functools
import graphlib
import json
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar

from sfn_emulator.http.messages import RefusalError
from sfn_emulator.process.apart import apart

P = ParamSpec("P")
T = TypeVar("T")
SAM: Final = "AWS::Serverless-2016-10-31"
_SECTIONS: Final = {
    *("AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions"),
    *("Transform", "Resources", "Outputs", "Globals"),
}
_OF_RESOURCE: Final = {
    *("Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"),
    *("CreationPolicy", "UpdatePolicy"),
}
_PARAMETER_TYPES: Final = ("String", "Number", "List<Number>", "CommaDelimitedList")
#: What a parameter may demand of a value, and what AWS says if the value is another one.
_CONSTRAINTS: Final[Mapping[str, tuple[Callable[[str, Any], object], str]]] = {
    "AllowedValues": (lambda value, allowed: value in map(as_text, allowed), "be one of AllowedValues"),
    "AllowedPattern": (lambda value, pattern: _fits(pattern, value), "match pattern {}"),
    "MinLength": (lambda value, least: len(value) >= int(least), "contain at least {} characters"),
    "MaxLength": (lambda value, most: len(value) <= int(most), "contain at most {} characters"),
    "MinValue": (lambda value, least: float(value) >= float(least), "be a number not less than {}"),
    "MaxValue": (lambda value, most: float(value) <= float(most), "be a number not greater than {}"),
}
_VARIABLE: Final = re.compile(r"\$\{(!?)([^{}]*)\}")
_NO_VALUE: Final = object()
_FEW_BRANCHES: Final = 2  # of a pattern, so that it cannot take long
_MATCHING_SECONDS: Final = 5
_FULLMATCH: Final = """import json, re, sys
json.dump(re.fullmatch(*json.load(sys.stdin)) is not None, sys.stdout)
"""


class Reference(NamedTuple):
    """A `Ref` or `Fn::GetAtt` of a resource.

    Args:
        name: The logical name.
        attribute: The attribute; empty for a `Ref`.
    """

    name: str
    attribute: str


def invalid(message: str) -> RefusalError:
    """CloudFormation's error about a template or a parameter."""
    return RefusalError("ValidationError", message)


def refusing(function: Callable[P, T]) -> Callable[P, T]:
    """Refuse what has another structure than a template."""

    @functools.wraps(function)
    def refused(*args: P.args, **given: P.kwargs) -> T:
        try:
            return function(*args, **given)
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError, re.error) as error:
            raise invalid("Template format error: unsupported structure.") from error

    return refused


@refusing
def parse(text: str) -> dict[str, Any]:
    """Read a template in JSON or YAML.

    Raises:
        RefusalError: It is no template.
    """
    try:
        template = json.loads(text) if text.lstrip().startswith("{") else read_yaml(text)
    except json.JSONDecodeError as error:
        where = f"(line {error.lineno}, column {error.colno})"
        raise invalid(f"Template format error: JSON not well-formed. {where}") from error
    except ValueError as error:
        raise invalid("Template format error: YAML not well-formed.") from error
    if not isinstance(template, dict):
        raise invalid("Template format error: unsupported structure.")
    if unknown := sorted(str(name) for name in template if name not in _SECTIONS):
        raise invalid(f"Invalid template property or properties [{', '.join(unknown)}]")
    for path in _nulls(template, ""):
        raise invalid(f"[{path}] 'null' values are not allowed in templates")
    declared = template.get("Parameters", {})
    if not (isinstance(declared, dict) and all(isinstance(it, dict) for it in declared.values())):
        raise invalid("Template format error: unsupported structure.")
    return template


def _nulls(value: Any, path: str) -> Iterator[str]:
    """Where a template has null."""
    if value is None:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else [])
    for name, it in pairs:
        yield from _nulls(it, f"{path}/{name}")


def read_yaml(text: str) -> Any:
    """Read YAML with the short forms of intrinsic functions. A date stays a text.

    Raises:
        ValueError: It is not YAML.
    """
    import yaml  # noqa: PLC0415 (only CloudFormation needs it)

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        yaml_implicit_resolvers: Any = {  # noqa: RUF012
            first: [it for it in resolvers if it[0] != "tag:yaml.org,2002:timestamp"]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise invalid("Template error: YAML aliases are not allowed in CloudFormation templates")
            return super().compose_node(parent, index)

    def function(loader: Any, name: str, node: Any) -> dict[str, Any]:
        kinds = {yaml.ScalarNode: "scalar", yaml.SequenceNode: "sequence", yaml.MappingNode: "mapping"}
        deep = {} if isinstance(node, yaml.ScalarNode) else {"deep": True}
        value = getattr(loader, f"construct_{kinds[type(node)]}")(node, **deep)
        if name == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}

    Loader.add_multi_constructor("!", function)
    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, TypeError) as error:
        raise ValueError(str(error)) from error


@refusing
def parameter_values(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """The value of each parameter of a template.

    Args:
        template: The template.
        given: The values that the caller gives. Others have their defaults.

    Raises:
        RefusalError: A value is missing or not allowed.
    """
    declared: Mapping[str, dict[str, Any]] = template.get("Parameters") or {}
    if unknown := [name for name in given if name not in declared]:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    if missing := [name for name, it in declared.items() if name not in given and "Default" not in it]:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    return {name: _parameter(name, it, given.get(name, it.get("Default"))) for name, it in declared.items()}


def is_secret(declared: Mapping[str, Any]) -> bool:
    """Whether nobody should see the value of a parameter."""
    return declared.get("NoEcho") in (True, "true")


def _parameter(name: str, declared: Mapping[str, Any], value: Any) -> Any:
    kind, text = declared.get("Type"), as_text(value)
    if kind not in _PARAMETER_TYPES:
        raise invalid(f"Template format error: Unrecognized parameter type: {kind}")
    values = [text] if kind in {"String", "Number"} else [it.strip() for it in text.split(",")]
    for each in values:
        wrong = _fault(f"Parameter '{name}' must", declared, each, is_number="Number" in kind)
        if wrong and (explained := declared.get("ConstraintDescription")):
            wrong = f"Parameter {name} failed to satisfy constraint: {explained}"
        if wrong:
            raise invalid(wrong)
    return text if kind in {"String", "Number"} else values


def _fault(begin: str, declared: Mapping[str, Any], value: str, *, is_number: bool) -> str:
    """What a parameter's value violates; empty if it is allowed."""
    if is_number and not re.fullmatch(r"-?\d+(\.\d+)?", value):
        return f"{begin} be a number."
    for name, (allows, words) in _CONSTRAINTS.items():
        if name in declared and not allows(value, declared[name]):
            return f"{begin} {words.format(declared[name])}"
    return ""


def _fits(pattern: str, value: str) -> bool:
    """Whether a value matches a pattern. A match that may take long runs in its own process."""
    compiled = re.compile(pattern)
    if len(re.findall(r"[*+?{|]", pattern)) <= _FEW_BRANCHES:
        return compiled.fullmatch(value) is not None
    try:
        return apart(_FULLMATCH, [pattern, value], _MATCHING_SECONDS)  # type: ignore[no-any-return]
    except TimeoutError as error:
        raise invalid(f"The emulator cannot match pattern {pattern} in time") from error


def as_text(value: Any) -> str:
    """A scalar of a template as text."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


@dataclass
class Resolver:
    """Evaluates a template.

    Args:
        template: The template, without transforms.
        values: The parameters and pseudo parameters.
        refer: The value of a reference to a resource.
        find_export: The value of an export; None if there is none.
        imported: The names of the exports that were asked for.
    """

    template: Mapping[str, Any]
    values: Mapping[str, Any]
    refer: Callable[[Reference], Any] = str
    find_export: Callable[[str], str | None] = field(default=lambda _: None)
    imported: set[str] = field(default_factory=set)
    _met: dict[str, bool] = field(default_factory=dict)

    @cached_property
    @refusing
    def conditions(self) -> dict[str, bool]:
        """The conditions of the template."""
        return {name: self._named_condition(name) for name in self.template.get("Conditions") or {}}

    @cached_property
    @refusing
    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources whose condition is met, each one after those that it depends on.

        Raises:
            RefusalError: A resource is malformed, or refers to what does not exist.
        """
        declared = self.template.get("Resources")
        if not declared or not isinstance(declared, dict):
            raise invalid("Template format error: At least one Resources member must be defined.")
        for name, resource in declared.items():
            _check_resource(name, resource)
        there = {name: it for name, it in declared.items() if self.is_met(it.get("Condition"))}
        needs = {name: self.dependencies(resource) for name, resource in there.items()}
        _check_known({it for each in needs.values() for it in each}, there, "Resources")
        try:
            order = [*graphlib.TopologicalSorter(needs).static_order()]
        except graphlib.CycleError as error:
            circle = ", ".join(dict.fromkeys(error.args[1]))
            raise invalid(f"Circular dependency between resources: [{circle}]") from error
        return {name: there[name] for name in order}

    @cached_property
    @refusing
    def outputs(self) -> dict[str, dict[str, Any]]:
        """The outputs whose condition is met, before their evaluation.

        Raises:
            RefusalError: An output has no value, or refers to what does not exist.
        """
        outputs = self.template.get("Outputs") or {}
        if not all(isinstance(it, dict) and "Value" in it for it in outputs.values()):
            raise invalid("Template format error: Every Outputs member must contain a Value object")
        there = {name: it for name, it in outputs.items() if self.is_met(it.get("Condition"))}
        needed = {reference.name for it in there.values() for reference in self.references(it)}
        _check_known(needed, self.resources, "Outputs")
        return there

    def is_met(self, condition: str | None) -> bool:
        """Whether a condition is met. No condition is always met."""
        if condition is not None and condition not in self.conditions:
            raise invalid(f"Template error: unresolved condition dependency {condition} in Fn::If")
        return condition is None or self.conditions[condition]

    def dependencies(self, resource: Mapping[str, Any]) -> set[str]:
        """The logical names of what a resource needs."""
        named = resource.get("DependsOn") or []
        return {reference.name for reference in self.references(resource.get("Properties"))} | (
            {named} if isinstance(named, str) else {*named}
        )

    def references(self, value: Any) -> Iterator[Reference]:
        """The references to resources in a value. Of each `Fn::If`, only the branch that is used counts."""
        match value:
            case {"Fn::If": [str(condition), then, otherwise]} if len(value) == 1:
                yield from self.references(then if self.is_met(condition) else otherwise)
            case {"Ref": str(name)} if len(value) == 1:
                if name not in self.values and name != "AWS::NoValue":
                    yield Reference(name, "")
            case {"Fn::GetAtt": argument} if len(value) == 1:
                yield _attribute(argument)
            case {"Fn::Sub": argument} if len(value) == 1:
                text, own = argument if isinstance(argument, list) else (argument, {})
                yield from self.references(own)
                for literal, name in _VARIABLE.findall(text):
                    if not literal and name not in own and name not in self.values:
                        yield Reference(*name.split(".", 1)) if "." in name else Reference(name, "")
            case dict():
                for each in value.values():
                    yield from self.references(each)
            case list():
                for each in value:
                    yield from self.references(each)

    @refusing
    def resolve(self, value: Any) -> Any:
        """A value of the template, evaluated. What is `AWS::NoValue` is left out.

        Raises:
            RefusalError: An intrinsic function cannot be evaluated.
        """
        if isinstance(value, list):
            return [it for each in value if (it := self.resolve(each)) is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        name, argument = next(iter(value.items()), ("", None))
        if len(value) == 1 and name == "Ref":
            return self._ref(argument)
        if len(value) == 1 and name.startswith("Fn::"):
            if (function := getattr(self, f"_{name[4:].lower()}", None)) is None:
                raise invalid(f"Template format error: Unrecognized intrinsic function: {name}")
            return function(argument)
        return {key: it for key, each in value.items() if (it := self.resolve(each)) is not _NO_VALUE}

    def _ref(self, name: Any) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        return self.values[name] if name in self.values else self.refer(Reference(name, ""))

    def _getatt(self, argument: Any) -> Any:
        return self.refer(_attribute(argument))

    def _sub(self, argument: Any) -> str:
        text, own = argument if isinstance(argument, list) else (argument, {})

        def value(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if not re.fullmatch(r"[\w.:]+", name):
                kinds = "alphanumeric characters, underscores, periods, and colons"
                raise invalid(f"Template error: variable names in Fn::Sub syntax must contain only {kinds}")
            if name in own:
                return as_text(self.resolve(own[name]))
            if "." in name:
                return as_text(self.refer(Reference(*name.split(".", 1))))
            return as_text(self._ref(name))

        return _VARIABLE.sub(value, text)

    def _join(self, argument: Any) -> str:
        what = (
            "a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs)"
        )
        delimiter, texts = self._pair("Join", argument, list, f"{what} to be joined.")
        return as_text(delimiter).join(map(as_text, texts))

    def _split(self, argument: Any) -> list[str]:
        what = "a string to be split or a function that returns a string to be split."
        delimiter, text = self._pair("Split", argument, str, what)
        return str(text).split(delimiter)

    def _pair(self, name: str, argument: Any, kind: type, second: str) -> list[Any]:
        """The delimiter and the other parameter of Fn::Join or Fn::Split."""
        parts = self.resolve(argument)
        if not (isinstance(parts, list) and [isinstance(it, kind) for it in parts[1:]] == [True]):
            rule = f"requires two parameters, (1) a string delimiter and (2) {second}"
            raise invalid(f"Template error: every Fn::{name} object {rule}")
        return parts

    def _select(self, argument: Any) -> Any:
        parts = self.resolve(argument)
        try:
            number, values = int(parts[0]), parts[1]
            if not isinstance(values, list):
                raise ValueError(values)
        except (ValueError, TypeError, LookupError) as error:
            rule = "requires a list argument with two elements: an integer index and a list"
            raise invalid(f"Template error: Fn::Select {rule}") from error
        if not 0 <= number < len(values):
            raise invalid(f"Template error: Fn::Select cannot select nonexistent value at index {number}")
        return values[number]

    def _if(self, argument: Any) -> Any:
        condition, then, otherwise = argument
        return self.resolve(then if self.is_met(condition) else otherwise)

    def _findinmap(self, argument: Any) -> Any:
        names = [as_text(self.resolve(it)) for it in argument]
        found: Any = self.template.get("Mappings") or {}
        for name in names:
            if not isinstance(found, dict) or name not in found:
                raise invalid(f"Template error: Unable to get mapping for {'::'.join(names)}")
            found = found[name]
        return found

    def _importvalue(self, argument: Any) -> str:
        name = as_text(self.resolve(argument))
        self.imported.add(name)
        if (value := self.find_export(name)) is None:
            raise invalid(f"No export named {name} found.")
        return value

    def _base64(self, argument: Any) -> str:
        return base64.b64encode(as_text(self.resolve(argument)).encode()).decode()

    def _named_condition(self, name: str) -> bool:
        if name not in self._met:
            self._met[name] = self._condition((self.template.get("Conditions") or {}).get(name))
        return self._met[name]

    def _condition(self, value: Any) -> bool:
        match value:
            case {"Condition": str(name)}:
                return self._named_condition(name)
            case {"Fn::And": [*parts]}:
                return all(map(self._condition, parts))
            case {"Fn::Or": [*parts]}:
                return any(map(self._condition, parts))
            case {"Fn::Not": [part]}:
                return not self._condition(part)
            case {"Fn::Equals": [left, right]}:
                return as_text(self.resolve(left)) == as_text(self.resolve(right))
        if isinstance(value, dict) and "Fn::Equals" in value:
            rule = "every Fn::Equals object requires a list of 2 string parameters."
            raise invalid(f"Template error: {rule}")
        raise invalid("Template format error: Conditions can only be boolean operations on parameters")


def _attribute(argument: Any) -> Reference:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not (isinstance(parts, list) and len(parts) == 2 and all(isinstance(it, str) and it for it in parts)):
        rule = "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource"
        raise invalid(f"Template error: {rule} attribute")
    return Reference(*parts)


def _check_known(names: set[str], there: Mapping[str, Any], block: str) -> None:
    if missing := sorted(names - {*there}):
        begin = "Template format error: " if block == "Resources" else ""
        where = f"[{', '.join(missing)}] in the {block} block of the template"
        raise invalid(f"{begin}Unresolved resource dependencies {where}")


def _check_resource(name: str, resource: Any) -> None:
    if not re.fullmatch(r"[A-Za-z0-9]+", name):
        raise invalid(f"Template format error: Resource name {name} is non alphanumeric.")
    if not isinstance(resource, dict):
        raise invalid("Template format error: Any Resources member must be an object.")
    if not isinstance(resource.get("Properties", {}), dict):
        raise invalid("Template format error: unsupported structure.")
    if not isinstance(resource.get("Type"), str):
        rule = "Every Resources object must contain a Type member."
        raise invalid(f"Template format error: [/Resources/{name}] {rule}")
    if unknown := [it for it in resource if it not in _OF_RESOURCE]:
        raise invalid(f"Invalid template resource property '{unknown[0]}'")


def transformed(template: dict[str, Any], values: Mapping[str, Any], region: str) -> dict[str, Any]:
    """The template without transforms. AWS's own package transforms SAM's resources, if it is installed.

    Args:
        template: The template.
        values: Its parameters.
        region: Decides the partition of ARNs.

    Raises:
        RefusalError: A transform is not known, or fails.
    """
    names = template.get("Transform") or []
    for name in [names] if isinstance(names, str) else names:
        if name != SAM:
            raise invalid(f"No transform named {name} found.")
    if not names:
        return template
    left = {name: it for name, it in template.items() if name not in {"Transform", "Globals"}}
    if "AWS::Serverless::" not in json.dumps(template):  # there is nothing to transform
        return left
    try:
        import boto3  # noqa: PLC0415
        from samtranslator.model.exceptions import InvalidDocumentException  # noqa: PLC0415
        from samtranslator.parser.parser import Parser  # noqa: PLC0415
        from samtranslator.translator.translator import Translator  # noqa: PLC0415
    except ImportError as error:
        why = "The emulator needs the Python package aws-sam-translator for it."
        raise invalid(f"Transform {SAM} failed with: {why}") from error
    copy = json.loads(json.dumps(template))
    try:
        translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=region))
        result: dict[str, Any] = translator.translate(copy, parameter_values=dict(values))
    except InvalidDocumentException as error:
        causes = " ".join([error.message, *(cause.message for cause in error.causes)])
        raise invalid(f"Transform {SAM} failed with: {causes}") from error
    except Exception as error:  # of a package that is not ours
        traceback.print_exc()
        raise invalid(f"Transform {SAM} failed with: Internal transform failure.") from error
    return {name: it for name, it in result.items() if name not in {"Transform", "Globals"}}
