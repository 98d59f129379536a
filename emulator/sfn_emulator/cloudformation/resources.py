"""Make, change and delete one resource by calls of other services."""

import json
import re
import secrets
import string
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sfn_emulator.cloudformation.resource_types import (
    PropertyError,
    ResourceType,
    Values,
    parameters_of,
    resource_types,
)
from sfn_emulator.http.messages import ACCOUNT, Arn, RefusalError, Reply, Request, Scope
from sfn_emulator.http.service_models import as_in_asl
from sfn_emulator.storage.application import read_object
from sfn_emulator.storage.clients import CallError, Clients

#: What the replies of `create` do not say.
_INITIAL: Final[Values] = {"revisionId": "INITIAL", "PolicyVersion": {"VersionId": "v1"}}
#: Operations that refuse what does not change.
_ONLY_CHANGES: Final = ("UpdateTable",)
#: AWS's codes of handlers, by what the code of a service's error has in it.
_CODES: Final = {
    "AlreadyExist|EntityAlready|ResourceConflict|ResourceInUse|BucketAlready": "AlreadyExists",
    "AccessDenied|AuthorizationError|Unauthorized": "AccessDenied",
    "NotFound|NoSuch|DoesNotExist": "NotFound",
    "Throttl|TooManyRequests": "Throttling",
    "Limit": "ServiceLimitExceeded",
    "Internal": "ServiceInternalError",
}
_JSON_NAMES: Final = {dict: "JSONObject", list: "JSONArray", str: "String", bool: "Boolean"}


class ResourceError(RefusalError):
    """A resource cannot be made, changed or deleted. The message is AWS's reason."""

    def __init__(self, reason: str) -> None:
        super().__init__("ValidationError", reason)


@dataclass
class Resource:
    """A resource of a stack.

    Args:
        name: Its logical name.
        type: The name of its type.
        properties: Its properties, evaluated.
        id: Its physical id; empty if it was not made yet.
        terms: What `Ref` and `Fn::GetAtt` are made of: properties and replies.
        parameters: What its calls take their parameters from.
        needs: The logical names of those that it depends on.
        policies: Its `DeletionPolicy` and `UpdateReplacePolicy`.
        metadata: Its `Metadata` in the template, evaluated.
        has_new_name: Whether CloudFormation made its name.
        has_changed: Whether its last update has changed something.
        status: Such as ``"CREATE_COMPLETE"``.
        reason: Why it has this status.
        at: Since when.
    """

    name: str
    type: str
    properties: Values
    id: str = ""
    terms: Values = field(default_factory=dict)
    parameters: Values = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    policies: Mapping[str, str] = field(default_factory=dict)
    metadata: Any = None
    has_new_name: bool = False
    has_changed: bool = False
    status: str = ""
    reason: str = ""
    at: str = ""

    def attribute(self, name: str) -> str:
        """What `Fn::GetAtt` returns.

        Raises:
            ResourceError: The resource has no such attribute.
        """
        with suppress(KeyError):
            return resource_types()[self.type].attributes[name].format_map(self.terms)
        raise ResourceError(f"Attribute '{name}' does not exist")


@dataclass(frozen=True)
class Provider:
    """Makes resources as one caller.

    Args:
        clients: Call other services.
        answer: Answers requests to the emulator.
        scope: The region, and the access key of the caller.
        owner_key: The key with which AWS itself calls.
    """

    clients: Clients
    answer: Callable[[Request], Reply]
    scope: Scope
    owner_key: str

    def create(self, resource: Resource, tags: Mapping[str, str]) -> Iterator[None]:
        """Make a resource, and yield as soon as it is there.

        Args:
            resource: Gets its id.
            tags: AWS's own tags, for which the caller needs no right.

        Raises:
            ResourceError: It cannot be made, or not all of it.
        """
        kind = resource_types()[resource.type]
        with self._reasons(resource):
            taken = self._check(kind, resource.properties)
            self._adopt(resource, resource.properties)
            if kind.find and not resource.has_new_name and self._is_there(kind, resource):
                name = resource.properties[kind.name]
                text = f"Resource of type '{resource.type}' with identifier '{name}' already exists."
                raise ResourceError(_handled(text, "AlreadyExists"))
            if kind.create:
                reply = self._call(kind, kind.create, resource.parameters)
                resource.terms = {**resource.terms, **reply}
            resource.id = kind.reference.format_map(resource.terms)
            self._adopt(resource, resource.properties)
        yield
        with self._reasons(resource):
            for name in kind.parts:
                if name.lower() not in taken:
                    for operation, parameters in self._part_calls(kind, name, None, resource):
                        self._call(kind, operation, parameters)
            if "Tags" in kind.parts and not kind.bare:
                for key, value in tags.items():
                    tag = kind.parts["Tags"].parameters({"Key": key, "Value": value})
                    self._call(kind, kind.parts["Tags"].put, {**resource.parameters, **tag}, own=True)

    def changes(self, resource: Resource, properties: Values) -> dict[str, bool]:
        """The properties that differ, and whether each one needs a new resource."""
        fixed, old = resource_types()[resource.type].fixed, resource.properties
        differ = [name for name in {**old, **properties} if old.get(name) != properties.get(name)]
        return {name: name in fixed for name in differ}

    def update(self, resource: Resource, properties: Values, parameters: Values | None = None) -> None:
        """Give a resource other properties, none of which needs a new resource.

        Args:
            resource: The resource.
            properties: The properties.
            parameters: What calls take their parameters from, if it is known.

        Raises:
            ResourceError: It cannot be changed.
        """
        kind, old = resource_types()[resource.type], Resource(**vars(resource))
        with self._reasons(resource):
            self._check(kind, properties)
            if parameters is None:
                self._check_changes(kind, old.properties, properties)
            defaults = {name: it for name, it in kind.defaults.items() if name in old.properties}
            self._adopt(resource, {**defaults, **properties})
            resource.parameters = parameters or resource.parameters
            resource.has_changed = False
            calls = [*self._update_calls(kind, old, resource)]
            resource.properties = properties
            for operation, given in calls:
                resource.terms = {**resource.terms, **self._call(kind, operation, given)}
                resource.has_changed = True

    def restore(self, resource: Resource, old: Resource) -> None:
        """Make a resource what it was before an update that may have failed.

        Raises:
            ResourceError: It cannot be changed.
        """
        if resource.has_changed:
            self.update(resource, old.properties, old.parameters)
        vars(resource).update(vars(old), terms=resource.terms)

    def delete(self, resource: Resource) -> None:
        """Delete a resource. One that is not there any more is deleted.

        Raises:
            ResourceError: It cannot be deleted.
        """
        kind = resource_types()[resource.type]
        with self._reasons(resource):
            for name, part in kind.parts.items():
                for member in part.members(resource.parameters.get(name)) if part.first else ():
                    with suppress(_GoneError):
                        self._call(kind, part.remove, {**resource.parameters, **part.parameters(member)})
            if kind.delete:
                with suppress(_GoneError):
                    self._call(kind, kind.delete, resource.parameters)

    @contextmanager
    def _reasons(self, resource: Resource) -> Iterator[None]:
        """Turn what goes wrong inside into reasons in AWS's words."""
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415 (it takes a while)

        try:
            yield
        except CallError as error:
            code = next(
                (it for words, it in _CODES.items() if re.search(words, error.code)), "InvalidRequest"
            )
            name = as_in_asl(self._model(resource_types()[resource.type]).service_id.replace(" ", ""))
            more = f"Service: {name}, Status Code: {error.status}, Request ID: {error.request_id}"
            raise ResourceError(_handled(f"{error} ({more}) (SDK Attempt Count: 1)", code)) from error
        except ResourceError:
            raise
        except RefusalError as error:  # of an object in S3
            code = "AccessDenied" if error.status == 403 else "InvalidRequest"
            raise ResourceError(_handled(error.message, code)) from error
        except (AttributeError, BotoCoreError, LookupError, TypeError, ValueError, PropertyError) as error:
            told = str(error) if isinstance(error, PropertyError) else "#: unsupported structure"
            begin = f"Properties validation failed for resource {resource.name} with message:"
            raise ResourceError(f"{begin}\n{told}") from error

    def _check(self, kind: ResourceType, properties: Values) -> set[str]:
        """Refuse properties that the type does not have. Returns what `create` takes, in lower case."""
        taken = {it.lower() for it in self._shape(kind, kind.create).members} if kind.create else set()
        for it in properties:
            if not (it in kind.known or (it.lower() in taken and it[:1].isupper())):
                raise PropertyError(f"#: extraneous key [{it}] is not permitted")
        return taken

    def _check_changes(self, kind: ResourceType, old: Values, new: Values) -> None:
        """Refuse a change for which there is no call."""
        operations = " ".join(kind.updates).split()
        taken = {it.lower() for each in operations for it in self._shape(kind, each).members}
        replaces = any(it.startswith("Put") for it in operations)  # they forget what they do not get
        for name in {**old, **new}:
            part, renamed = kind.parts.get(name), name in (*kind.also, *kind.only)
            can_change = renamed or part or name in kind.settings or name.lower() in taken
            can_go = renamed or (part and part.remove) or name in kind.defaults or replaces
            if old.get(name) != new.get(name) and not (can_change if name in new else can_go):
                raise PropertyError(f"The emulator cannot {'change' if name in new else 'remove'} {name}")

    def _adopt(self, resource: Resource, properties: Values) -> None:
        """Set what calls take their parameters from, and what references are made of."""
        region, read = self.scope.region, partial(read_object, self.answer, self.scope)
        given = parameters_of(resource.type, properties, read, region)
        where = {"region": region, "account": ACCOUNT, "partition": Arn.of(self.scope.arn("")).partition}
        resource.terms = {**(resource.terms or _INITIAL), **where, **properties}
        for name, form in resource_types()[resource.type].more.items():
            with suppress(KeyError):
                given[name] = form.format_map(resource.terms)
        resource.parameters = {name: it for name, it in given.items() if it is not None}

    def _is_there(self, kind: ResourceType, resource: Resource) -> bool:
        with suppress(CallError):
            reply = self._call(kind, kind.find, resource.parameters, own=True)
            return any(it for name, it in reply.items() if name != "ResponseMetadata")
        return False

    def _update_calls(self, kind: ResourceType, old: Resource, new: Resource) -> Iterator[tuple[str, Values]]:
        """The calls that change a resource."""
        for operation, *following in map(str.split, kind.updates):
            before = self._parameters(kind, operation, old.parameters)
            now = self._parameters(kind, operation, new.parameters)
            if before != now:
                if operation in _ONLY_CHANGES:
                    required = self._shape(kind, operation).required_members
                    now = {name: it for name, it in now.items() if name in required or it != before.get(name)}
                yield operation, now
                yield from ((it, new.parameters) for it in following)
        before, now = (it.parameters.get("Attributes", {}) for it in (old, new))
        for name, value in now.items():
            if value != before.get(name):
                yield kind.set, {**new.parameters, "AttributeName": name, "AttributeValue": value}
        for name in kind.parts:
            yield from self._part_calls(kind, name, old, new)

    def _part_calls(
        self, kind: ResourceType, name: str, old: Resource | None, new: Resource
    ) -> Iterator[tuple[str, Values]]:
        """The calls that change the members of a property."""
        part = kind.parts[name]

        def parameters(operation: str, resource: Resource | None) -> list[Values]:
            given = dict(resource.parameters) if resource else {}
            given.pop("Attributes", None)  # of the resource itself
            members = part.members(given.get(name))
            return [self._parameters(kind, operation, {**given, **part.parameters(it)}) for it in members]

        if part.remove:
            kept = parameters(part.remove, new)
            yield from ((part.remove, it) for it in parameters(part.remove, old) if it not in kept)
        before, now = parameters(part.put, old), parameters(part.put, new)
        if not part.remove and len(before) > len(now):
            raise PropertyError(f"The emulator cannot remove from {name}")
        yield from ((part.put, it) for it in now if it not in before)

    def _parameters(self, kind: ResourceType, operation: str, given: Values) -> dict[str, Any]:
        """What an operation takes of the given values, in the form that it expects."""
        shape = self._shape(kind, operation)
        by_name = {name.lower(): name for name in given}
        names = {api: by_name[api.lower()] for api in shape.members if api.lower() in by_name}
        if missing := [it for it in shape.required_members if it not in names]:
            raise PropertyError(f"#: required key [{missing[0][:1].upper()}{missing[0][1:]}] not found")
        return {api: shaped(shape.members[api], given[it], f"#/{it}") for api, it in names.items()}

    def _model(self, kind: ResourceType) -> Any:
        return self.clients.of(self.scope.region, kind.service).meta.service_model

    def _shape(self, kind: ResourceType, operation: str) -> Any:
        return self._model(kind).operation_model(operation).input_shape

    def _call(self, kind: ResourceType, operation: str, given: Values, *, own: bool = False) -> Values:
        """Call a service as the caller, or as AWS itself."""
        key, parameters = self.scope.access_key, self._parameters(kind, operation, given)
        try:
            reply = self.clients.call_as(
                self.owner_key if own else key, self.scope.region, kind.service, operation, parameters
            )
        except CallError as error:
            gone = re.search("NotFound|NoSuch|DoesNotExist", error.code)
            if gone or "pending confirmation" in str(error):
                raise _GoneError(error.code, str(error), error.status, error.request_id) from error
            raise
        if reply.get("FailedEntryCount"):
            entry = reply["FailedEntries"][0]
            raise CallError(entry["ErrorCode"], entry["ErrorMessage"], 400, "")
        return reply


class _GoneError(CallError):
    """Something is not there."""


def _handled(text: str, code: str) -> str:
    more = f"RequestToken: {uuid.uuid4()}, HandlerErrorCode: {code}"
    return f'Resource handler returned message: "{text}" ({more})'


def shaped(shape: Any, value: Any, path: str = "#") -> Any:  # noqa: PLR0911 (one for each type)
    """A value of a template in the form that a service expects.

    Args:
        shape: botocore's shape.
        value: Names may begin with capitals, and numbers may be texts.
        path: Where it is, for errors.

    Raises:
        PropertyError: It does not fit.
    """
    kind = shape.type_name
    if kind == "map" and isinstance(value, list) and all({*it} == {"Key", "Value"} for it in value):
        value = {it["Key"]: it["Value"] for it in value}
    match kind, value:
        case "structure", dict():
            members = {name.lower(): (name, it) for name, it in shape.members.items()}
            if unknown := [name for name in value if name.lower() not in members]:
                raise PropertyError(f"{path}: extraneous key [{unknown[0]}] is not permitted")
            pairs = [(*members[name.lower()], name, it) for name, it in value.items()]
            return {api: shaped(member, it, f"{path}/{name}") for api, member, name, it in pairs}
        case "list", list():
            return [shaped(shape.member, it, f"{path}/{index}") for index, it in enumerate(value)]
        case "map", dict():
            return {key: shaped(shape.value, it, f"{path}/{key}") for key, it in value.items()}
        case "string", dict() | list():
            return json.dumps(value)
        case "string", bool() | int() | float():
            return str(value).lower() if isinstance(value, bool) else str(value)
        case "boolean", "true" | "false":
            return value == "true"
        case (("integer" | "long"), str() | int()) if re.fullmatch(r"-?\d+", str(value)):
            return int(value)
        case (("double" | "float"), str() | int() | float()) if re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
            return float(value)
        case ("string" | "timestamp", str()) | ("boolean", bool()) | ("blob", bytes() | str()):
            return value
    wanted = {"structure": "JSONObject", "map": "JSONObject", "list": "JSONArray", "boolean": "Boolean"}
    expected = wanted.get(kind, "String" if kind == "string" else "Number")
    raise PropertyError(f"{path}: expected type: {expected}, found: {_JSON_NAMES.get(type(value), 'Number')}")


def new_name(kind: ResourceType, stack: str, logical: str) -> str:
    """A name for a resource that has none in its template."""
    ending = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(12))
    name = f"{stack}-{logical}-{ending}"
    if kind.service == "stepfunctions":
        name = f"{logical}-{ending}"
    if len(name) > kind.most:
        name = f"{stack[:24]}-{logical[:24]}-{ending}"
    return name.lower() if kind.service == "s3" else name
