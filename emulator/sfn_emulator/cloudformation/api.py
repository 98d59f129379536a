"""Answer CloudFormation's API: stacks and change sets. A stack is made in a thread of its own."""

import json
import re
import threading
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from sfn_emulator.cloudformation.resource_types import Values, resource_types
from sfn_emulator.cloudformation.resources import Provider, Resource
from sfn_emulator.cloudformation.stacks import (
    AbandonedError,
    Change,
    ChangeSet,
    Deployment,
    Revision,
    Stack,
    now,
    pseudo_parameters,
)
from sfn_emulator.cloudformation.template import (
    SAM,
    Resolver,
    invalid,
    is_secret,
    parameter_values,
    parse,
    refusing,
    transformed,
)
from sfn_emulator.http.authentication import Sessions
from sfn_emulator.http.messages import Arn, RefusalError, Reply, Request
from sfn_emulator.http.parameters import parameters_of_form
from sfn_emulator.http.replies import query_reply, unknown_operation, violation
from sfn_emulator.http.service_models import check_call, shape_of
from sfn_emulator.iam.authorization import Authorizer
from sfn_emulator.storage.application import read_object
from sfn_emulator.storage.clients import Clients

Parameters = dict[str, Any]

_NAME: Final = "[a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*"
_EXPAND: Final = "CAPABILITY_AUTO_EXPAND"
_CAN_UPDATE: Final = re.compile("(CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE")
_NO_CHANGES: Final = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)
#: What an operation does not take over from the one before.
_OF_ONE_OPERATION: Final = {"DisableRollback": None, "DeploymentConfig": None}
#: Parameters which the emulator would have to ignore.
_NOT_HERE: Final = (
    *("NotificationARNs", "StackPolicyBody", "StackPolicyURL", "ResourceTypes", "ResourcesToImport"),
    *("EnableTerminationProtection", "ImportExistingResources", "RollbackConfiguration", "DeletionMode"),
    "RetainExceptOnCreate",
)
_RESETTING_SECONDS: Final = 30.0


class CloudFormationApi:
    """The stacks of one emulator.

    Args:
        clients: Call other services.
        answer: Answers requests to the emulator.
        authorizer: Checks whether CloudFormation can assume a role.
        sessions: Give a key to such a role.
        owner_key: The key with which AWS itself calls.
    """

    def __init__(
        self,
        clients: Clients,
        answer: Callable[[Request], Reply],
        authorizer: Authorizer,
        sessions: Sessions,
        owner_key: str,
    ) -> None:
        self._clients, self._answer, self._owner_key = clients, answer, owner_key
        self._authorizer, self._sessions = authorizer, sessions
        self._stacks: dict[str, Stack] = {}
        self._threads: list[threading.Thread] = []
        self._lock = threading.RLock()
        self._operations: dict[str, Callable[[Request, Parameters], Parameters]] = {
            "CreateStack": self._create,
            "UpdateStack": self._update,
            "DeleteStack": self._delete,
            "DescribeStacks": self._describe,
            "ListStacks": self._list,
            "DescribeStackEvents": self._events,
            "DescribeStackResource": self._resource,
            "DescribeStackResources": self._resources,
            "ListStackResources": self._list_resources,
            "GetTemplate": self._template,
            "GetTemplateSummary": self._summary,
            "ValidateTemplate": self._summary,
            "CreateChangeSet": self._create_change_set,
            "DescribeChangeSet": self._describe_change_set,
            "ExecuteChangeSet": self._execute_change_set,
            "DeleteChangeSet": self._delete_change_set,
            "ListChangeSets": self._list_change_sets,
        }

    def answer(self, request: Request) -> Reply:
        """Answer a request to CloudFormation."""
        if (operation := self._operations.get(request.operation)) is None:
            raise unknown_operation(request)
        given = parameters_of_form(request, "cloudformation")
        check_call("cloudformation", request.operation, given, "ValidationError")
        if "StackName" in given:
            _check_name(given["StackName"], _NAME)
        if refused := [name for name in _NOT_HERE if given.get(name)]:
            raise invalid(f"The emulator does not have the parameter {refused[0]}")
        with self._lock:
            result = operation(request, given)
        shape = shape_of("cloudformation", request.operation, "output")
        return query_reply("cloudformation", request.operation, result, shape)

    def reset(self) -> None:
        """Forget all stacks, after their threads have ended."""
        with self._lock:  # no stack may begin meanwhile
            for stack in list(self._stacks.values()):
                stack.abandoned = True
            for thread in list(self._threads):
                thread.join(_RESETTING_SECONDS)
            self._stacks.clear()

    def _create(self, request: Request, given: Parameters) -> Parameters:
        old = self._find(request, given["StackName"])
        if old and old.status != "REVIEW_IN_PROGRESS":
            raise RefusalError("AlreadyExistsException", f"Stack [{old.name}] already exists")
        stack = old or self._new(request, given)
        revision = self._revision(request, given, stack)
        _check_capabilities(revision.template, given)
        stack.options = given
        self._deploy(request, stack, revision, given.get("OnFailure"))
        self._stacks[stack.id] = stack
        return {"StackId": stack.id}

    def _update(self, request: Request, given: Parameters) -> Parameters:
        stack = self._updatable(request, given["StackName"])
        revision = self._revision(request, given, stack)
        _check_capabilities(revision.template, given)
        if not self._changes(request, stack, revision)[0]:
            raise invalid("No updates are to be performed.")
        stack.options = {**stack.options, **_OF_ONE_OPERATION, **given}
        self._deploy(request, stack, revision, None)
        return {"StackId": stack.id}

    def _deploy(self, request: Request, stack: Stack, revision: Revision, on_failure: str | None) -> None:
        if stack.revision is not None:
            stack.updated = now()
        for change_set in stack.change_sets:
            change_set.execution = "OBSOLETE"
        on_failure = on_failure or ("DO_NOTHING" if _keeps_what_failed(stack) else "ROLLBACK")
        verb = "UPDATE" if stack.revision else "CREATE"
        self._run(request, stack, verb, lambda it: it.deploy(revision, on_failure=on_failure))

    def _delete(self, request: Request, given: Parameters) -> Parameters:
        stack = self._find(request, given["StackName"])
        if stack is None or stack.deleted or stack.status == "DELETE_IN_PROGRESS":
            return {}
        if stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS":
            raise invalid(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
        retained = given.get("RetainResources") or []
        if retained and stack.status != "DELETE_FAILED":
            reason = "Specified resources cannot be retained because the stack is not in DELETE_FAILED state"
            raise invalid(f"Invalid operation on stack [{stack.id}]. {reason}")
        options = {**stack.options, **given}
        self._key(request, stack, options.get("RoleARN"))
        stack.options, stack.change_sets = options, []
        self._run(request, stack, "DELETE", lambda it: it.delete(retained))
        return {}

    def _describe(self, request: Request, given: Parameters) -> Parameters:
        name = given.get("StackName")
        there = [it for it in self._of_region(request) if not it.deleted]
        return {"Stacks": [*map(_described, [self._stack(request, name)] if name else there)]}

    def _list(self, request: Request, given: Parameters) -> Parameters:
        wanted = given.get("StackStatusFilter")
        listed = map(_described, self._of_region(request))
        return {"StackSummaries": [it for it in listed if not wanted or it["StackStatus"] in wanted]}

    def _events(self, request: Request, given: Parameters) -> Parameters:
        stack = self._stack(request, given["StackName"], "Stack [{}] does not exist")
        return {"StackEvents": stack.events[::-1]}

    def _resource(self, request: Request, given: Parameters) -> Parameters:
        stack = self._stack(request, given["StackName"], "Stack '{}' does not exist")
        name = given["LogicalResourceId"]
        if (resource := stack.resources.get(name)) is None:
            raise invalid(f"Resource {name} does not exist for stack {stack.name}")
        return {"StackResourceDetail": _told(stack, resource)}

    def _resources(self, request: Request, given: Parameters) -> Parameters:
        name, physical = given.get("StackName"), given.get("PhysicalResourceId")
        stacks = [self._stack(request, name)] if name else self._of_region(request)
        if physical:
            stacks = [it for it in stacks if physical in [each.id for each in [*it.resources.values()]]]
            if not stacks:
                raise invalid(f"Stack for {physical} does not exist")
        listed = [_told(stack, it) for stack in stacks for it in [*stack.resources.values()]]
        wanted = given.get("LogicalResourceId")
        return {"StackResources": [it for it in listed if wanted in {None, it["LogicalResourceId"]}]}

    def _list_resources(self, request: Request, given: Parameters) -> Parameters:
        stack = self._stack(request, given["StackName"])
        return {"StackResourceSummaries": [_told(stack, it) for it in [*stack.resources.values()]]}

    def _template(self, request: Request, given: Parameters) -> Parameters:
        of_set = given.get("ChangeSetName")
        it = self._change_set(request, given) if of_set else self._stack(request, given["StackName"])
        if it.revision is None:
            raise invalid(f"Stack with id {given.get('StackName') or of_set} does not exist")
        text, template = it.revision.text, it.revision.template
        if given.get("TemplateStage") == "Processed" and parse(text) != template:
            text = json.dumps(template)
        return {"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]}

    def _summary(self, request: Request, given: Parameters) -> Parameters:
        """Answer GetTemplateSummary or ValidateTemplate."""
        stack = self._stack(request, given["StackName"]) if given.get("StackName") else None
        if stack and stack.revision is None:
            raise invalid("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
        text = stack.revision.text if stack and stack.revision else self._text(request, given)
        return _summarized(parse(text))

    def _create_change_set(self, request: Request, given: Parameters) -> Parameters:
        name, kind = given["ChangeSetName"], given.get("ChangeSetType") or "UPDATE"
        old = self._find(request, given["StackName"])
        if kind == "CREATE" and old and old.status != "REVIEW_IN_PROGRESS":
            again = f"already exists and cannot be created again with the changeSet [{name}]."
            raise invalid(f"Stack [{given['StackName']}] {again}")
        if kind == "UPDATE":
            old = self._updatable(request, given["StackName"])
        if kind == "IMPORT":
            raise invalid("The emulator does not import resources")
        stack = old or self._new(request, given)
        revision = self._revision(request, given, stack)
        if any(it.name == name for it in stack.change_sets):
            raise RefusalError("AlreadyExistsException", f"ChangeSet {name} already exists")
        it = ChangeSet(request.scope.arn(f"changeSet/{name}/{uuid.uuid4()}"), name, stack, revision, given)
        try:
            _check_capabilities(revision.template, given)
            differs, it.changes = self._changes(request, stack, revision)
            it.reason = None if differs else _NO_CHANGES
        except RefusalError as error:
            if revision.template == parse(revision.text):
                raise
            it.reason = error.message  # AWS transforms a template after its answer
        it.execution = "UNAVAILABLE" if it.reason else "AVAILABLE"
        if old is None:
            self._stacks[stack.id], stack.options = stack, given
            stack.change_status("REVIEW_IN_PROGRESS", "User Initiated")
        stack.change_sets.append(it)
        return {"Id": it.id, "StackId": stack.id}

    def _describe_change_set(self, request: Request, given: Parameters) -> Parameters:
        return _of_change_set(self._change_set(request, given))

    def _execute_change_set(self, request: Request, given: Parameters) -> Parameters:
        it = self._change_set(request, given)
        if it.execution != "AVAILABLE":
            status = "status of [FAILED]" if it.reason else f"execution status of [{it.execution}]"
            reason = f"cannot be executed in its current {status}"
            raise RefusalError("InvalidChangeSetStatus", f"ChangeSet [{it.id}] {reason}")
        if it.stack.status != "REVIEW_IN_PROGRESS":
            _check_updatable(it.stack)
        options = {**it.stack.options, **_OF_ONE_OPERATION, **it.given, **given}
        self._key(request, it.stack, options.get("RoleARN"))
        it.stack.options = options
        self._deploy(request, it.stack, it.revision, it.given.get("OnStackFailure"))
        it.stack.updated, it.stack.change_set, it.execution = now(), it.id, "EXECUTE_COMPLETE"
        it.stack.change_sets = [it]
        return {}

    def _delete_change_set(self, request: Request, given: Parameters) -> Parameters:
        try:
            it = self._change_set(request, given)
            it.stack.change_sets.remove(it)
        except RefusalError as error:
            if error.code != "ChangeSetNotFound":
                raise
        return {}

    def _list_change_sets(self, request: Request, given: Parameters) -> Parameters:
        stack = self._stack(request, given["StackName"], "Stack [{}] does not exist")
        return {"Summaries": [*map(_of_change_set, stack.change_sets)]}

    def _change_set(self, request: Request, given: Parameters) -> ChangeSet:
        name, of_stack = given["ChangeSetName"], given.get("StackName")
        if not of_stack and not name.startswith("arn:"):
            raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
        stack = self._stack(request, of_stack, "Stack [{}] does not exist") if of_stack else None
        # The caller has rights on the stack that the request names, so the change set must be one of it.
        stacks = [stack] if stack else self._stacks.values()
        for it in (each for of_it in stacks for each in of_it.change_sets):
            if it.id == name or (stack and it.name == name):
                return it
        raise RefusalError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)

    def _of_region(self, request: Request) -> list[Stack]:
        """The stacks of a region, the newest first."""
        return [it for it in list(self._stacks.values()) if it.region == request.scope.region][::-1]

    def _find(self, request: Request, name: str) -> Stack | None:
        """The stack with this ARN, or the one with this name that is not deleted."""
        there = [it for it in self._of_region(request) if it.name == name and not it.deleted]
        return self._stacks.get(name) or next(iter(there), None)

    def _stack(self, request: Request, name: str, words: str = "Stack with id {} does not exist") -> Stack:
        if (stack := self._find(request, name)) is None:
            raise invalid(words.format(name))
        return stack

    def _updatable(self, request: Request, name: str) -> Stack:
        stack = self._stack(request, name, "Stack [{}] does not exist")
        if stack.status == "REVIEW_IN_PROGRESS":
            raise invalid(f"Stack [{name}] does not exist")
        _check_updatable(stack)
        return stack

    def _new(self, request: Request, given: Parameters) -> Stack:
        name = given["StackName"]
        _check_name(name, _NAME.partition("|")[0])
        return Stack(request.scope.arn(f"stack/{name}/{uuid.uuid4()}"), name, given)

    def _text(self, request: Request, given: Parameters) -> str:
        """The template of a request, which is a text or an object of S3."""
        if given.get("TemplateBody"):
            return str(given["TemplateBody"])
        if not (url := given.get("TemplateURL")):
            raise invalid("Either Template URL or Template Body must be specified.")
        try:
            host, path = urlsplit(url).hostname or "", unquote(urlsplit(url).path).lstrip("/")
        except ValueError:
            host = path = ""
        if not (host.endswith(".amazonaws.com") or host in {"127.0.0.1", "localhost"}):
            raise invalid("TemplateURL must be a supported URL.")
        bucket, is_in_host, _ = host.partition(".s3.")
        bucket, key = (bucket, path) if is_in_host else path.partition("/")[::2]
        try:
            version = dict(parse_qsl(urlsplit(url).query)).get("versionId", "")
            return read_object(self._answer, request.scope, bucket, key, version).decode()
        except RefusalError as error:
            raise invalid(f"S3 error: {error.message.rpartition('Message: ')[2]}") from error
        except UnicodeDecodeError as error:
            raise invalid("Template format error: unsupported structure.") from error

    def _revision(self, request: Request, given: Parameters, stack: Stack) -> Revision:
        """What a request wants a stack to be."""
        self._key(request, stack, given.get("RoleARN"))
        old = stack.revision
        text = old.text if old and given.get("UsePreviousTemplate") else self._text(request, given)
        template, values = parse(text), {}
        before = {name: _joined(it) for name, it in old.parameters.items()} if old else {}
        for it in given.get("Parameters") or []:
            name = it.get("ParameterKey", "")
            values[name] = it.get("ParameterValue", "")
            if it.get("UsePreviousValue"):
                if name not in before:
                    raise invalid(f"Parameters: [{name}] must have values")
                values[name] = before[name]
        parameters = parameter_values(template, values)
        capabilities = tuple(given.get("Capabilities") or [])
        if template.get("Transform"):
            if _EXPAND not in capabilities and "ChangeSetName" not in given:
                raise _insufficient(_EXPAND)
            if "ChangeSetName" in given:
                self._check_right_on_transform(request)
            texts = {name: _joined(it) for name, it in parameters.items()}
            template = transformed(template, texts, stack.region)
        _checked(template, {**parameters, **pseudo_parameters(stack)})
        tags = {it["Key"]: it["Value"] for it in given.get("Tags") or []}
        kept = old.tags if old and given.get("Tags") is None else tags
        return Revision(text, template, parameters, kept, capabilities)

    def _check_right_on_transform(self, request: Request) -> None:
        """Refuse a caller who may not use SAM's transform. It is like a stack of AWS's own."""
        macro = Arn.of(request.scope.arn(f"transform/{SAM.removeprefix('AWS::')}"))._replace(account="aws")
        asked = urlencode({"Action": request.operation, "StackName": str(macro)})
        self._authorizer.check(Request("POST", "/", request.headers, asked.encode()))

    def _changes(self, request: Request, stack: Stack, revision: Revision) -> tuple[bool, list[Change]]:
        """Whether a revision differs from what a stack is, and the changes of its resources."""
        old, changes = stack.revision, self._deployment(request, stack).changes(revision)
        if old is None or changes or old.tags != revision.tags:
            return True, changes
        return old.template.get("Outputs") != revision.template.get("Outputs"), changes

    def _key(self, request: Request, stack: Stack, role: str | None) -> str:
        """The access key with which a stack is made: that of its role, or the caller's."""
        if not role:
            return request.scope.access_key
        if not self._authorizer.can_assume("cloudformation", role, stack.id):
            raise invalid(f"Role {role} is invalid or cannot be assumed")
        return self._sessions.of_stack(role)

    def _deployment(self, request: Request, stack: Stack) -> Deployment:
        key = self._key(request, stack, stack.options.get("RoleARN"))
        scope = replace(request.scope, region=stack.region, access_key=key)

        def others() -> list[Stack]:
            return [it for it in self._of_region(request) if it is not stack and not it.deleted]

        provider = Provider(self._clients, self._answer, scope, self._owner_key)
        return Deployment(stack, provider, others)

    def _run(self, request: Request, stack: Stack, verb: str, act: Callable[[Deployment], None]) -> None:
        """Do something with a stack in a thread."""
        deployment = self._deployment(request, stack)
        stack.change_status(f"{verb}_IN_PROGRESS", "User Initiated")

        def run() -> None:
            try:
                act(deployment)
            except AbandonedError:
                pass
            except Exception:
                traceback.print_exc()
                stack.change_status(f"{verb}_FAILED", "Internal Failure")
            finally:
                self._threads.remove(threading.current_thread())

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()


def _check_updatable(stack: Stack) -> None:
    if not _CAN_UPDATE.fullmatch(stack.status):
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def _check_name(name: str, pattern: str) -> None:
    if not re.fullmatch(pattern, name):
        raise invalid(violation("stackName", f"satisfy regular expression pattern: {pattern}", name))


@refusing
def _checked(template: Parameters, values: Values) -> Parameters:
    """The template, unless it has types, attributes or policies that do not exist."""
    types, known = resource_types(), Resolver(template, values or _any_values(template))
    if unknown := sorted({it["Type"] for it in known.resources.values()} - {*types}):
        raise invalid(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    for name, it in known.resources.items():
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if it.get(policy, "Delete") not in {"Delete", "Retain", "RetainExceptOnCreate"}:
                raise invalid(
                    f"Template format error: Unrecognized {policy} {it[policy]} for resource {name}"
                )
    used = [it.get("Properties") for it in known.resources.values()] + [*known.outputs.values()]
    for name, attribute in (it for each in used for it in known.references(each)):
        if attribute and attribute not in types[known.resources[name]["Type"]].attributes:
            text = f"resource {name} does not support attribute type {attribute} in Fn::GetAtt"
            raise invalid(f"Template error: {text}")
    return template


def _any_values(template: Parameters) -> Values:
    """Values for a template whose parameters are not given."""
    stack = Stack("arn:aws:cloudformation:us-east-1::stack/any/any", "any", {})
    declared = {name: str(it.get("Default", "")) for name, it in (template.get("Parameters") or {}).items()}
    return declared | pseudo_parameters(stack)


def _insufficient(capability: str) -> RefusalError:
    return RefusalError("InsufficientCapabilitiesException", f"Requires capabilities : [{capability}]")


def _capabilities(template: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The capability that a template needs, and the types that need it; empty if it needs none."""
    types = resource_types()
    known = [it for it in template["Resources"].values() if it["Type"] in types]
    of_iam = [it for it in known if types[it["Type"]].of_iam]
    if not of_iam:
        return "", []
    is_named = any(types[it["Type"]].name in (it.get("Properties") or {}) for it in of_iam)
    return f"CAPABILITY_{'NAMED_' * is_named}IAM", [*dict.fromkeys(it["Type"] for it in of_iam)]


def _check_capabilities(template: Mapping[str, Any], given: Parameters) -> None:
    needed, allowed = _capabilities(template)[0], given.get("Capabilities") or []
    if needed and needed not in allowed and "CAPABILITY_NAMED_IAM" not in allowed:
        raise _insufficient(needed)


@refusing
def _summarized(template: Parameters) -> Parameters:
    """What a template has and needs."""
    if SAM not in str(template.get("Transform")):  # the resources of others are all there
        _checked(template, {})
    needed, of_iam = _capabilities(template)
    why = f"The following resource(s) require capabilities: [{', '.join(of_iam)}]"
    transforms = template.get("Transform", [])
    return {
        "Parameters": [_declared(*it) for it in template.get("Parameters", {}).items()],
        "Description": template.get("Description"),
        "Capabilities": [needed] if needed else None,
        "CapabilitiesReason": why if needed else None,
        "DeclaredTransforms": [transforms] if isinstance(transforms, str) else transforms,
        "ResourceTypes": sorted({it["Type"] for it in template["Resources"].values()}),
        "Version": template.get("AWSTemplateFormatVersion"),
    }


def _declared(name: str, it: Mapping[str, Any]) -> Parameters:
    allowed, default = it.get("AllowedValues"), it.get("Default")
    return {
        "ParameterKey": name,
        "DefaultValue": None if default is None else str(default),
        "ParameterType": it.get("Type"),
        "NoEcho": is_secret(it),
        "Description": it.get("Description"),
        "ParameterConstraints": {"AllowedValues": [*map(str, allowed)]} if allowed else {},
    }


def _joined(value: Any) -> str:
    """The value of a parameter as a caller gives it."""
    return ",".join(value) if isinstance(value, list) else str(value)


def _shown(revision: Revision) -> list[dict[str, Any]] | None:
    """The parameters, without the values that nobody should see."""
    declared = revision.template.get("Parameters") or {}
    values = {
        name: "****" if is_secret(declared[name]) else _joined(it) for name, it in revision.parameters.items()
    }
    return [{"ParameterKey": name, "ParameterValue": it} for name, it in values.items()] or None


def _tags(revision: Revision) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in revision.tags.items()]


def _keeps_what_failed(stack: Stack) -> bool:
    """Whether a failed operation leaves its resources as they are. Express mode may say so, too."""
    of_mode = stack.options.get("DeploymentConfig") or {}
    return bool(stack.options.get("DisableRollback") or of_mode.get("DisableRollback"))


def _described(stack: Stack) -> dict[str, Any]:
    revision, options, rolled_back = stack.revision, stack.options, stack.status == "ROLLBACK_COMPLETE"
    return {
        **_names(stack),
        "ChangeSetId": stack.change_set,
        "Description": revision and revision.template.get("Description"),
        "Parameters": revision and _shown(revision),
        "CreationTime": stack.created,
        "DeletionTime": stack.deleted or (rolled_back and stack.events[-1]["Timestamp"]) or None,
        "LastUpdatedTime": stack.updated,
        "RollbackConfiguration": {},
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason or None,
        "DisableRollback": _keeps_what_failed(stack),
        "NotificationARNs": [],
        "TimeoutInMinutes": options.get("TimeoutInMinutes"),
        "Capabilities": [*revision.capabilities] if revision and revision.capabilities else None,
        "Outputs": stack.outputs or None,
        "RoleARN": options.get("RoleARN"),
        "Tags": _tags(revision) if revision else [],
        "EnableTerminationProtection": None if stack.deleted else False,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }


def _names(stack: Stack) -> dict[str, str]:
    return {"StackName": stack.name, "StackId": stack.id}


def _told(stack: Stack, it: Resource) -> dict[str, Any]:
    """A resource in the words of all operations that tell it."""
    return {
        **_names(stack),
        "LogicalResourceId": it.name,
        "PhysicalResourceId": it.id or None,
        "ResourceType": it.type,
        "Timestamp": it.at,
        "LastUpdatedTimestamp": it.at,
        "ResourceStatus": it.status,
        "ResourceStatusReason": it.reason or None,
        "Metadata": None if it.metadata is None else json.dumps(it.metadata),
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


def _of_change_set(it: ChangeSet) -> dict[str, Any]:
    return {
        **_names(it.stack),
        "ChangeSetId": it.id,
        "ChangeSetName": it.name,
        "ExecutionStatus": it.execution,
        "Status": "FAILED" if it.reason else "CREATE_COMPLETE",
        "StatusReason": it.reason,
        "CreationTime": it.created,
        "Description": it.given.get("Description"),
        "IncludeNestedStacks": False,
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Capabilities": [*it.revision.capabilities],
        "Parameters": _shown(it.revision),
        "Tags": _tags(it.revision),
        "Changes": [{"Type": "Resource", "ResourceChange": _changed(each)} for each in it.changes],
    }


def _changed(change: Change) -> dict[str, Any]:
    is_modified = change.action == "Modify"
    after = "ReplaceAndDelete" if change.replacement == "True" else None
    return {
        "PolicyAction": "Delete" if change.action == "Remove" else after,
        "Action": change.action,
        "LogicalResourceId": change.name,
        "PhysicalResourceId": change.id or None,
        "ResourceType": change.type,
        "Replacement": change.replacement if is_modified else None,
        "Scope": ["Properties"] if is_modified else [],
        "Details": [
            {
                "Target": {
                    "Attribute": "Properties",
                    "Name": name,
                    "RequiresRecreation": "Always" if fixed else "Never",
                },
                "Evaluation": "Dynamic" if unknown else "Static",
                "ChangeSource": "DirectModification",
            }
            for name, (fixed, unknown) in change.properties.items()
        ],
    }
