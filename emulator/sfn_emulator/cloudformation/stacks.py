"""Make a stack's resources equal to a template, one after another, and back again if one of them fails."""

import graphlib
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NoReturn

from sfn_emulator.cloudformation.resource_types import resource_types
from sfn_emulator.cloudformation.resources import Provider, Resource, ResourceError, new_name
from sfn_emulator.cloudformation.template import Reference, Resolver, invalid, is_secret, refusing
from sfn_emulator.http.messages import ACCOUNT, Arn, RefusalError

#: AWS's mark in a change set for what is only known when it is executed.
UNKNOWN: Final = "{{changeSet:KNOWN_AFTER_APPLY}}"
_STACK: Final = "AWS::CloudFormation::Stack"
_GONE: Final = ("DELETE_COMPLETE", "DELETE_SKIPPED")
_KEEPING: Final = ("RetainExceptOnCreate", "Retain")
_REPLACING: Final = "Requested update requires the creation of a new physical resource; hence creating one."
_NAMED: Final = "CloudFormation cannot update a stack when a custom-named resource requires replacing."


def now() -> str:
    """The time, as AWS's answers have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Revision:
    """What a stack should be.

    Args:
        text: The template as it came.
        template: The template without transforms.
        parameters: The values of its parameters.
        tags: The stack's tags.
        capabilities: What the caller allows.
    """

    text: str
    template: Mapping[str, Any]
    parameters: Mapping[str, Any]
    tags: Mapping[str, str]
    capabilities: tuple[str, ...]

    @property
    def secrets(self) -> set[str]:
        """The values of parameters that nobody should see."""
        declared = self.template.get("Parameters") or {}
        values = [it for name, it in self.parameters.items() if is_secret(declared.get(name) or {})]
        return {part for it in values for part in (it if isinstance(it, list) else [it]) if part}


@dataclass
class Stack:
    """A stack.

    Args:
        id: Its ARN.
        name: Its name.
        options: The other parameters of the call that made it.
        revision: What it is, or should become; None before its first change set is executed.
        secrets: The values of parameters that nobody should see, also earlier ones.
    """

    id: str
    name: str
    options: Mapping[str, Any]
    revision: Revision | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    created: str = field(default_factory=now)
    updated: str | None = None
    deleted: str | None = None
    status: str = ""
    reason: str = ""
    change_set: str | None = None
    change_sets: list["ChangeSet"] = field(default_factory=list)
    abandoned: bool = False
    secrets: set[str] = field(default_factory=set)

    @property
    def region(self) -> str:
        """Its region."""
        return Arn.of(self.id).region

    @property
    def there(self) -> dict[str, Resource]:
        """The resources that are not deleted, by name."""
        return {name: it for name, it in self.resources.items() if it.status not in _GONE}

    @property
    def exports(self) -> dict[str, str]:
        """The values that other stacks can import, by name."""
        return _exports_of(self.outputs)

    def change_status(self, status: str, reason: str = "") -> None:
        """Change the status, with an event."""
        self.status, self.reason = status, reason
        self._event(str(uuid.uuid4()), Resource(self.name, _STACK, {}, self.id, status=status, reason=reason))

    def note(self, resource: Resource, status: str, reason: str = "") -> None:
        """Change the status of a resource, with an event.

        Raises:
            AbandonedError: The emulator was reset.
        """
        if self.abandoned:
            raise AbandonedError
        resource.status, resource.reason, resource.at = status, reason, now()
        properties = json.dumps(self._shown(resource.properties), default=str)
        self._event(f"{resource.name}-{status}-{resource.at}", resource, properties)

    def _shown(self, value: Any) -> Any:
        """A value of a property, without what nobody should see."""
        match value:
            case dict():
                return {name: self._shown(it) for name, it in value.items()}
            case list():
                return [self._shown(it) for it in value]
            case str():
                for secret in sorted(self.secrets, key=len, reverse=True):
                    value = value.replace(secret, "****")
        return value

    def _event(self, event_id: str, resource: Resource, properties: str | None = None) -> None:
        self.events.append({
            "StackId": self.id,
            "EventId": event_id,
            "StackName": self.name,
            "LogicalResourceId": resource.name,
            "PhysicalResourceId": resource.id,
            "ResourceType": resource.type,
            "Timestamp": now(),
            "ResourceStatus": resource.status,
            "ResourceStatusReason": resource.reason or None,
            "ResourceProperties": properties,
        })  # fmt: skip


class AbandonedError(Exception):
    """The emulator was reset while a stack was made."""


@dataclass(frozen=True)
class Change:
    """The change of one resource.

    Args:
        action: ``"Add"``, ``"Modify"`` or ``"Remove"``.
        name: Its logical name.
        type: Its type.
        id: Its physical id; empty for a new one.
        properties: The properties that change. For each, whether it needs a new
            resource, and whether its value is not known yet.
        other_type: Whether the type changes.
    """

    action: str
    name: str
    type: str
    id: str = ""
    properties: Mapping[str, tuple[bool, bool]] = field(default_factory=dict)
    other_type: bool = False

    @property
    def replacement(self) -> str:
        """Whether a new resource is needed: ``"True"``, ``"False"`` or ``"Conditional"``."""
        if self.other_type or (True, False) in self.properties.values():
            return "True"
        return "Conditional" if (True, True) in self.properties.values() else "False"


@dataclass(eq=False)
class ChangeSet:
    """What a revision would change in a stack. Its fields are those of DescribeChangeSet."""

    id: str
    name: str
    stack: Stack
    revision: Revision
    given: Mapping[str, Any]
    changes: list[Change] = field(default_factory=list)
    created: str = field(default_factory=now)
    execution: str = "AVAILABLE"
    reason: str | None = None


@dataclass
class Deployment:
    """Makes a stack what a revision says, or deletes it.

    Args:
        stack: The stack.
        provider: Makes its resources.
        others: The other stacks of the region.
    """

    stack: Stack
    provider: Provider
    others: Callable[[], list[Stack]]
    _undo: list[tuple[Resource, Resource | None]] = field(default_factory=list)

    def changes(self, revision: Revision) -> list[Change]:
        """What a revision would change.

        Raises:
            RefusalError: A value cannot be evaluated.
        """
        made: dict[str, Change] = {}
        resolver = self._resolver(revision, lambda reference: self._known(reference, made))
        there = self.stack.there
        for name, declared in resolver.resources.items():
            kind, old = declared["Type"], there.get(name)
            if old is None or old.type != kind:
                action, physical = ("Modify", old.id) if old else ("Add", "")
                made[name] = Change(action, name, kind, physical, other_type=old is not None)
                continue
            properties = self._properties(resolver, name, declared, revision, old)
            changed = {
                it: (fixed, UNKNOWN in json.dumps(properties.get(it), default=str))
                for it, fixed in self.provider.changes(old, properties).items()
            }
            if changed:
                made[name] = Change("Modify", name, kind, old.id, changed)
        removed = [it for name, it in there.items() if name not in resolver.resources]
        return [*made.values(), *(Change("Remove", it.name, it.type, it.id) for it in removed)]

    def deploy(self, revision: Revision, *, on_failure: str = "ROLLBACK") -> None:
        """Make the stack what a revision says.

        Args:
            revision: The revision.
            on_failure: ``"ROLLBACK"``, ``"DELETE"`` (only if the stack is new) or ``"DO_NOTHING"``.
        """
        stack, before = self.stack, dict(self.stack.resources)
        last, stack.revision = stack.revision, revision
        stack.secrets |= revision.secrets
        verb = "UPDATE" if stack.status.startswith("UPDATE") else "CREATE"
        resolver = self._resolver(revision, self._refer)
        try:
            for name, declared in resolver.resources.items():
                self._converge(resolver, name, declared, revision)
            outputs = self._outputs(resolver)
        except RefusalError as error:
            self._back(verb, f"{error.message.rstrip()} ", last, on_failure)
            return
        stack.outputs, stack.imports = outputs, resolver.imported
        if verb == "UPDATE":
            stack.change_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            removed = _in_order(it for name, it in before.items() if name not in resolver.resources)
            for it in removed[::-1]:
                del stack.resources[it.name]
                self._delete(it, "DeletionPolicy")
            for new, old in self._undo[::-1]:
                if old is not None and old.id != new.id:
                    self._delete(old, "UpdateReplacePolicy")
        stack.change_status(f"{verb}_COMPLETE")

    def delete(self, retained: list[str]) -> None:
        """Delete the stack.

        Args:
            retained: The logical names of resources that stay.
        """
        stack = self.stack
        for name in stack.exports:
            if user := self._user_of(name):
                reason = f"Delete canceled. Cannot delete export {name} as it is in use by {user}."
                stack.change_status("DELETE_FAILED", reason)
                return
        failed, needed = [], set[str]()
        for resource in _in_order(stack.there.values())[::-1]:
            if resource.name in retained:
                stack.note(resource, "DELETE_SKIPPED")
            elif resource.name in needed or not self._delete(resource, "DeletionPolicy"):
                failed += [resource.name] if resource.status == "DELETE_FAILED" else []
                needed |= resource.needs
        if failed:
            stack.change_status("DELETE_FAILED", _all_that_failed("delete", failed))
        else:
            stack.deleted, stack.outputs, stack.imports = now(), [], set()
            stack.change_status("DELETE_COMPLETE")

    def _converge(
        self, resolver: Resolver, name: str, declared: Mapping[str, Any], revision: Revision
    ) -> None:
        """Make one resource what the template says.

        Raises:
            RefusalError: That fails.
        """
        kind, old = resource_types()[declared["Type"]], self.stack.there.get(name)
        like = old if old and old.type == declared["Type"] else None
        new = Resource(name, declared["Type"], {}, needs=frozenset(resolver.dependencies(declared)))
        new.policies = {it: declared.get(it, "") for it in ("DeletionPolicy", "UpdateReplacePolicy")}
        new.has_new_name = kind.name != "" and kind.name not in declared.get("Properties", {})
        try:
            new.metadata = resolver.resolve(declared.get("Metadata"))
            new.properties = self._properties(resolver, name, declared, revision, like)
            changed = self.provider.changes(like, new.properties) if like else {}
            replaces = like and any(changed.values())
            if like and replaces and kind.name and kind.name not in changed:
                if not like.has_new_name:
                    raise ResourceError(f"{_NAMED} Rename {like.id} and update the stack again.")
                new.properties[kind.name] = new_name(kind, self.stack.name, name)
        except RefusalError as error:
            self._undo.append((old, replace(old)) if old else (new, None))
            self._fail(old or new, "UPDATE" if old else "CREATE", error)
        if not like or replaces:
            self._create(new, old)
            return
        before = replace(like)
        like.needs, like.policies, like.metadata = new.needs, new.policies, new.metadata
        if changed:
            self._undo.append((like, before))
            self._change(like, partial(self.provider.update, like, new.properties))

    def _create(self, new: Resource, old: Resource | None) -> None:
        stack, verb = self.stack, "UPDATE" if old else "CREATE"
        new.id, reason = (old.id, _REPLACING) if old else ("", "")
        stack.note(new, f"{verb}_IN_PROGRESS", reason)
        new.id = ""
        self._undo.append((new, old))
        stack.resources[new.name] = new
        tags = {"stack-name": stack.name, "stack-id": stack.id, "logical-id": new.name}
        try:
            for _ in self.provider.create(new, {f"aws:cloudformation:{it}": tags[it] for it in tags}):
                # A function or machine that is as before has no second version.
                others = [it for it in (*stack.there.values(), old) if it and it is not new]
                if (new.type, new.id) in ((it.type, it.id) for it in others):
                    taken, new.id = new.id, ""
                    raise ResourceError(f"{taken} already exists in stack {stack.id}")
                stack.note(new, f"{verb}_IN_PROGRESS", "Resource creation Initiated")
        except ResourceError as error:
            self._fail(new, verb, error)
        stack.note(new, f"{verb}_COMPLETE")

    def _change(self, resource: Resource, act: Callable[[], None]) -> None:
        self.stack.note(resource, "UPDATE_IN_PROGRESS")
        try:
            act()
        except ResourceError as error:
            self._fail(resource, "UPDATE", error)
        self.stack.note(resource, "UPDATE_COMPLETE")

    def _fail(self, resource: Resource, verb: str, error: RefusalError) -> NoReturn:
        """Note at a resource why it failed, and raise the stack's reason."""
        self.stack.note(resource, f"{verb}_FAILED", error.message)
        self.stack.resources[resource.name] = resource
        raise invalid(_all_that_failed(verb.lower(), [resource.name])) from error

    def _back(self, verb: str, reason: str, last: Revision | None, on_failure: str) -> None:
        """Undo everything, in reverse order."""
        stack, of_update = self.stack, "UPDATE_" if verb == "UPDATE" else ""
        if on_failure == "DO_NOTHING":
            stack.change_status(f"{verb}_FAILED", reason)
            return
        if on_failure == "DELETE" and not of_update:
            stack.change_status("DELETE_IN_PROGRESS", reason)
            self.delete([])
            return
        by_whom = "" if of_update else "Rollback requested by user."
        stack.change_status(f"{of_update}ROLLBACK_IN_PROGRESS", f"{reason}{by_whom}")
        failed, made = [], []
        for new, old in self._undo[::-1]:
            if old is not None and old.id == new.id:
                try:
                    self._change(new, partial(self.provider.restore, new, old))
                except RefusalError:
                    failed.append(new.name)
                continue
            made.append(new)
            if old is not None:
                stack.resources[old.name] = old
                stack.note(old, "UPDATE_COMPLETE")
            elif of_update:
                del stack.resources[new.name]
        if not failed and of_update:
            stack.revision = last
            stack.change_status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        what = "update" if failed else "delete"
        if not failed:
            left = [it.name for it in made if not self._delete(it, "DeletionPolicy", created=True)]
            failed = [] if of_update else left
        reason = _all_that_failed(what, failed) if failed else ""
        stack.change_status(f"{of_update}ROLLBACK_{'FAILED' if failed else 'COMPLETE'}", reason)

    def _delete(self, resource: Resource, policy: str, *, created: bool = False) -> bool:
        """Delete a resource, unless its policy keeps it. Returns whether it succeeded.

        Args:
            resource: The resource.
            policy: The policy that counts.
            created: Whether it was created just now.
        """
        stack = self.stack
        if resource.id and resource.policies.get(policy) in _KEEPING[created:]:
            stack.note(resource, "DELETE_SKIPPED")
            return True
        if resource.id:
            stack.note(resource, "DELETE_IN_PROGRESS")
            try:
                self.provider.delete(resource)
            except ResourceError as error:
                stack.note(resource, "DELETE_FAILED", error.message)
                return False
        stack.note(resource, "DELETE_COMPLETE")
        return True

    @refusing
    def _properties(
        self,
        resolver: Resolver,
        name: str,
        declared: Mapping[str, Any],
        revision: Revision,
        old: Resource | None,
    ) -> dict[str, Any]:
        """The properties of a resource, evaluated, with the stack's tags and its name."""
        properties = resolver.resolve(declared.get("Properties") or {})
        kind = resource_types()[declared["Type"]]
        if revision.tags and "Tags" in kind.parts:
            own = properties.get("Tags") or []
            given = own if isinstance(own, dict) else {it.get("Key"): it.get("Value") for it in own}
            merged = {**revision.tags, **given}
            properties["Tags"] = [{"Key": key, "Value": value} for key, value in merged.items()]
        if kind.name and kind.name not in properties:
            made = old.properties[kind.name] if old and old.has_new_name else ""
            properties[kind.name] = made or new_name(kind, self.stack.name, name)
        return dict(properties)

    @refusing
    def _outputs(self, resolver: Resolver) -> list[dict[str, Any]]:
        outputs, old = list[dict[str, Any]](), self.stack.exports
        for name, declared in resolver.outputs.items():
            told = resolver.resolve(declared)
            export = str(told["Export"]["Name"]) if "Export" in told else None
            if export and export not in old and self._find_export(export) is not None:
                raise invalid(f"Export with name {export} is already exported by another stack.")
            output = {"OutputKey": name, "OutputValue": str(told["Value"])}
            outputs.append(output | {"Description": told.get("Description"), "ExportName": export})
        new = _exports_of(outputs)
        for name, value in old.items():
            if new.get(name) != value and (user := self._user_of(name)):
                verb = "update" if name in new else "delete"
                raise invalid(f"Cannot {verb} export {name} as it is in use by {user}.")
        return outputs

    def _find_export(self, name: str) -> str | None:
        exports = [it.exports for it in self.others()]
        return next((it[name] for it in exports if name in it), None)

    def _user_of(self, export: str) -> str:
        """The name of a stack that imports something from this one; empty if none does."""
        return next((it.name for it in self.others() if export in it.imports), "")

    def _refer(self, reference: Reference) -> str:
        resource = self.stack.resources[reference.name]
        return resource.attribute(reference.attribute) if reference.attribute else resource.id

    def _known(self, reference: Reference, made: Mapping[str, Change]) -> str:
        """The value of a reference before a change set is executed."""
        change, resource = made.get(reference.name), self.stack.there.get(reference.name)
        if resource is None or (change and change.replacement != "False"):
            return UNKNOWN
        if not reference.attribute:
            return resource.id
        changes = resource_types()[resource.type].attributes.get(reference.attribute) == "{revisionId}"
        return UNKNOWN if change and changes else resource.attribute(reference.attribute)

    def _resolver(self, revision: Revision, refer: Callable[[Reference], str]) -> Resolver:
        values = {**revision.parameters, **pseudo_parameters(self.stack)}
        return Resolver(revision.template, values, refer, self._find_export)


def pseudo_parameters(stack: Stack) -> dict[str, Any]:
    """AWS's own parameters."""
    in_china = stack.region.startswith("cn-")
    return {
        "AWS::AccountId": ACCOUNT,
        "AWS::NotificationARNs": [],
        "AWS::Partition": Arn.of(stack.id).partition,
        "AWS::Region": stack.region,
        "AWS::StackId": stack.id,
        "AWS::StackName": stack.name,
        "AWS::URLSuffix": "amazonaws.com.cn" if in_china else "amazonaws.com",
    }


def _exports_of(outputs: list[dict[str, Any]]) -> dict[str, str]:
    return {it["ExportName"]: it["OutputValue"] for it in outputs if it["ExportName"]}


def _all_that_failed(verb: str, names: list[str]) -> str:
    return f"The following resource(s) failed to {verb}: [{', '.join(names)}]. "


def _in_order(resources: Iterable[Resource]) -> list[Resource]:
    """Resources, each one after those that it depends on."""
    by_name = {it.name: it for it in resources}
    order = graphlib.TopologicalSorter({name: it.needs & {*by_name} for name, it in by_name.items()})
    return [by_name[name] for name in order.static_order()]
