"""State machines, their versions, aliases and tags, as AWS keeps them."""

import json
import random
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from sfn_emulator.http.messages import Arn, RefusalError, Reply, Request, Scope
from sfn_emulator.http.paging import page_of
from sfn_emulator.http.replies import json_reply, violation
from sfn_emulator.http.service_models import check_call
from sfn_emulator.iam.authorization import Authorizer
from sfn_emulator.process.timers import now
from sfn_emulator.states.mocks import Answers
from sfn_emulator.states.validation import ROLE, check_definition, check_name
from sfn_emulator.storage.application import Moto
from states_language import all_states, variable_references

Description = Mapping[str, Any]
"""A machine or a version, as DescribeStateMachine returns it."""

CONFIGURATIONS: Final = ("loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")
_SETTINGS: Final = ("definition", "roleArn", *CONFIGURATIONS)
#: CreateStateMachine returns an existing machine if these are the same. A role and tags do not count.
_SAME: Final = ("definition", "type", *CONFIGURATIONS)
_ROUTE: Final = ("stateMachineVersionArn", "weight")
_LISTED: Final = ("stateMachineArn", "name", "type", "creationDate")
_LOGS_NOTHING: Final = {"level": "OFF", "includeExecutionData": False}
#: What AWS's page on logs has a role allow.
_DELIVERS_LOGS: Final = [
    *(f"logs:{verb}LogDelivery" for verb in ("Create", "Get", "Update", "Delete")),
    *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies"),
    "logs:DescribeLogGroups",
]
#: What a role must allow if its machine waits for the end of executions (``.sync``).
_MANAGES_RULES: Final = ("events:PutTargets", "events:PutRule", "events:DescribeRule")
_RULE: Final = "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
_WAITS: Final = re.compile(r"arn:[\w-]+:states:::states:startExecution\.sync(:2)?")
_VALIDATION: Final = "log_stream_created_by_aws_to_validate_log_delivery_subscriptions"
_ALIAS: Final = re.compile(r"^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$")
_INITIAL: Final = "INITIAL"  # AWS's word for the revision of a machine that was never updated
_NOT_ASSUMED: Final = (
    "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume "
    "the provided role."
)


@dataclass
class Machine:
    """A machine. Its descriptions are replaced, never changed, because executions keep them."""

    description: Description
    updated: float
    versions: dict[int, Description] = field(default_factory=dict)
    newest: int = 0
    aliases: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Started:
    """What an execution was started with.

    Attributes:
        arn: The ARN of the machine.
        machine: The machine or the version.
        updated: When the machine was last updated, in seconds since 1970.
        names: The ARNs of the version and the alias, if it was started by one.
        test_case: The mocks of the test case, if it was started with one, by states.
    """

    arn: str
    machine: Description
    updated: float
    names: Mapping[str, str]
    test_case: Mapping[str, Answers] = field(default_factory=dict)

    @property
    def definition(self) -> Any:
        """What it runs. All executions share it, so nobody may change it."""
        return _parsed(self.machine["definition"])

    def execution_arn(self, name: str) -> str:
        """The ARN of an execution with this name. Each execution of an express machine has one of its own."""
        if self.machine["type"] == "EXPRESS":
            return f"{self.arn.replace(':stateMachine:', ':express:')}:{name}:{uuid.uuid4()}"
        return f"{self.arn.replace(':stateMachine:', ':execution:')}:{name}"


class Machines:
    """Answers the operations on state machines, versions and aliases.

    Args:
        moto: Stores the log groups.
        authorizer: Checks whether Step Functions can assume a role.

    Attributes:
        naming: Held while somebody looks whether a name is free, and then uses it.
    """

    def __init__(self, moto: Moto, authorizer: Authorizer) -> None:
        self._moto = moto
        self._authorizer = authorizer
        self._machines: dict[str, Machine] = {}
        self.naming = threading.RLock()
        self.operations = {
            "CreateStateMachine": self._create,
            "UpdateStateMachine": self._update,
            "DescribeStateMachine": self._describe,
            "ListStateMachines": self._list,
            "TagResource": self._tag,
            "UntagResource": self._tag,
            "ListTagsForResource": self._tag,
            "PublishStateMachineVersion": self._publish,
            "ListStateMachineVersions": self._list_versions,
            "DeleteStateMachineVersion": self._delete_version,
            "CreateStateMachineAlias": self._create_alias,
            "UpdateStateMachineAlias": self._update_alias,
            "DescribeStateMachineAlias": self._describe_alias,
            "ListStateMachineAliases": self._list_aliases,
            "DeleteStateMachineAlias": self._delete_alias,
        }

    def forget(self, arn: str = "") -> None:
        """Forget a machine, or everything."""
        if arn:
            self._machines.pop(arn, None)
        else:
            self._machines.clear()

    def chosen(self, arn: str) -> Started:
        """What an execution runs that is started by the ARN of a machine, a version or an alias.

        Raises:
            RefusalError: There is none.
        """
        machine_arn, _, last = arn.rpartition(":")
        machine = self._machines.get(arn) or self._machines.get(machine_arn)
        if machine is None:
            raise _unknown(arn)
        if arn in self._machines:
            return Started(arn, machine.description, machine.updated, {})
        names = {}
        if alias := machine.aliases.get(last):
            routes = alias["routingConfiguration"]
            names["stateMachineAliasArn"] = arn
            (route,) = random.choices(routes, [route["weight"] for route in routes])
            arn, last = route["stateMachineVersionArn"], route["stateMachineVersionArn"].rpartition(":")[2]
        version = machine.versions.get(int(last)) if last.isdecimal() else None
        if version is None:
            raise _unknown(arn)
        return Started(machine_arn, version, machine.updated, names | {"stateMachineVersionArn": arn})

    def tasks_of(self, machine: str) -> list[str] | None:
        """The names of the Tasks of a machine, and of its versions; None if there is no such machine.

        Args:
            machine: Its ARN, or its name in any region.
        """
        found = [it for arn, it in list(self._machines.items()) if machine in {arn, arn.rpartition(":")[2]}]
        definitions = [each["definition"] for it in found for each in (it.description, *it.versions.values())]
        states = [state for definition in definitions for state in all_states(_parsed(definition))]
        return [name for name, state in dict(states).items() if state["Type"] == "Task"] if found else None

    def check_role(self, request: Request, machine_arn: str) -> None:
        """Refuse a role that Step Functions cannot assume.

        Raises:
            RefusalError: In AWS's words.
        """
        if not self._authorizer.can_assume("states", request.json.get("roleArn"), machine_arn):
            raise RefusalError("AccessDeniedException", _NOT_ASSUMED)

    def _check_rule(self, definition: str, role: str, scope: Scope) -> None:
        """Refuse a role that may not manage the rule by which a machine learns of the end of executions."""
        resources = (str(state.get("Resource", "")) for _, state in all_states(json.loads(definition)))
        rule = str(Arn.of(scope.arn(_RULE))._replace(service="events"))
        waits = any(map(_WAITS.fullmatch, resources))
        if waits and not self._authorizer.role_may(role, _MANAGES_RULES, rule):
            reason = f"'{role}' is not authorized to create managed-rule."
            raise RefusalError("AccessDeniedException", reason)

    def _create(self, request: Request) -> Reply:
        given = {name: value for name, value in request.json.items() if value is not None}
        _check_version(given)
        check_name(given["name"])
        check_definition(given["definition"], given.get("type"))
        _check_role_arn(given["roleArn"])
        arn, created = request.scope.arn(f"stateMachine:{given['name']}"), now()
        self.check_role(request, arn)
        self._check_rule(given["definition"], given["roleArn"], request.scope)
        logging = self._logging(request, given.get("loggingConfiguration") or {}, given["roleArn"])
        with self.naming:
            new: Description = {
                "stateMachineArn": arn,
                "name": given["name"],
                "status": "ACTIVE",
                "definition": given["definition"],
                "roleArn": given["roleArn"],
                "type": given.get("type") or "STANDARD",
                "creationDate": created,
                "loggingConfiguration": logging,
                "tracingConfiguration": {"enabled": False} | (given.get("tracingConfiguration") or {}),
                "encryptionConfiguration": given.get("encryptionConfiguration") or {"type": "AWS_OWNED_KEY"},
            }
            tags = _tags_of(given)
            machine = self._machines.setdefault(arn, Machine(new, created, tags=tags))
            created = machine.description["creationDate"]
            if any(machine.description[name] != new[name] for name in _SAME):
                raise RefusalError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
            version = _published(machine, given.get("versionDescription")) if given.get("publish") else {}
        return json_reply({"stateMachineArn": arn, "creationDate": created} | _version_of(version))

    def _update(self, request: Request) -> Reply:
        given = {name: value for name, value in request.json.items() if value is not None}
        machine = self._machine(given.get("stateMachineArn", ""))
        changes: dict[str, Any] = {name: given[name] for name in _SETTINGS if name in given}
        if not changes and not given.get("publish"):
            parts = "the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration"
            raise RefusalError("MissingRequiredParameter", f"Either {parts} must be specified")
        _check_version(given)
        if "definition" in changes:
            check_definition(changes["definition"], machine.description["type"])
        _check_role_arn(changes.get("roleArn") or machine.description["roleArn"])
        self.check_role(request, machine.description["stateMachineArn"])
        new = {**machine.description, **changes}
        self._check_rule(new["definition"], new["roleArn"], request.scope)
        if "loggingConfiguration" in changes:
            role = changes.get("roleArn") or machine.description["roleArn"]
            changes["loggingConfiguration"] = self._logging(request, changes["loggingConfiguration"], role)
        with self.naming:
            machine.updated = now()
            if any(machine.description[name] != value for name, value in changes.items()):
                machine.description = {**machine.description, **changes, "revisionId": str(uuid.uuid4())}
            version = _published(machine, given.get("versionDescription")) if given.get("publish") else {}
        revision = {name: value for name, value in machine.description.items() if name == "revisionId"}
        return json_reply({"updateDate": machine.updated} | revision | _version_of(version))

    def _describe(self, request: Request) -> Reply:
        arn = request.json.get("stateMachineArn", "")
        machine_arn, _, number = arn.rpartition(":")
        if machine_arn in self._machines and number.isdecimal():
            found = self._machines[machine_arn].versions.get(int(number))
        else:
            found = self._machine(arn).description
        if found is None:
            raise _unknown(arn)
        if request.json.get("includedData") == "METADATA_ONLY":
            return json_reply({name: value for name, value in found.items() if name != "definition"})
        return json_reply(with_references(found))

    def _list(self, request: Request) -> Reply:
        here = request.scope.arn("stateMachine:")
        machines = [self._machines[arn].description for arn in sorted(self._machines) if arn.startswith(here)]
        page, more = page_of(machines, request.json)
        listed = [{name: machine[name] for name in _LISTED} for machine in page]
        return json_reply({"stateMachines": listed} | more)

    def _tag(self, request: Request) -> Reply:
        arn = request.json["resourceArn"]
        if (machine := self._machines.get(arn)) is None:  # a version or an alias has no tags of its own
            raise RefusalError("ResourceNotFound", f"Resource not found: '{arn}'")
        machine.tags |= _tags_of(request.json)
        for key in request.json.get("tagKeys") or ():
            machine.tags.pop(key, None)
        shown = [{"key": key, "value": value} for key, value in machine.tags.items()]
        return json_reply({"tags": shown} if request.operation.startswith("List") else {})

    def _publish(self, request: Request) -> Reply:
        machine = self._machine(request.json.get("stateMachineArn", ""))
        asked, present = request.json.get("revisionId"), machine.description.get("revisionId", _INITIAL)
        if asked not in {None, present}:
            reason = f"Failed to publish the State Machine version for revision {asked}. "
            raise RefusalError(
                "ConflictException", f"{reason}The current State Machine revision is {present}."
            )
        with self.naming:
            version = _published(machine, request.json.get("description"))
        return json_reply({"creationDate": version["creationDate"]} | _version_of(version))

    def _list_versions(self, request: Request) -> Reply:
        versions = list(self._machine(request.json["stateMachineArn"]).versions.values())[::-1]
        shown = [{"creationDate": it["creationDate"]} | _version_of(it) for it in versions]
        page, token = page_of(shown, request.json)
        return json_reply({"stateMachineVersions": page} | token)

    def _delete_version(self, request: Request) -> Reply:
        arn = request.json.get("stateMachineVersionArn", "")
        machine_arn, _, number = arn.rpartition(":")
        if (machine := self._machines.get(machine_arn)) and number.isdecimal():
            using = ", ".join(name for name, alias in machine.aliases.items() if arn in _routed(alias))
            if using:
                reason = "Version to be deleted must not be referenced by an alias. Current list of aliases"
                raise RefusalError("ConflictException", f"{reason} referencing this version: [{using}]")
            machine.versions.pop(int(number), None)
        return json_reply({})

    def _create_alias(self, request: Request) -> Reply:
        given = request.json
        _check_count(given.get("routingConfiguration") or [])
        check_call("stepfunctions", request.operation, given)
        if not _ALIAS.fullmatch(given["name"]):
            rule = f"satisfy regular expression pattern: {_ALIAS.pattern}"
            raise RefusalError("ValidationException", violation("name", rule, given["name"]))
        machine = self._check_routes(given["routingConfiguration"])
        at = now()
        new = {
            "stateMachineAliasArn": f"{machine.description['stateMachineArn']}:{given['name']}",
            "name": given["name"],
            "routingConfiguration": given["routingConfiguration"],
            "creationDate": at,
            "updateDate": at,
        } | ({"description": given["description"]} if given.get("description") else {})
        alias = machine.aliases.setdefault(given["name"], new)
        if any(alias.get(name) != new.get(name) for name in ("description", "routingConfiguration")):
            reason = "an alias with the same name and a different routing configuration already exists."
            raise RefusalError("ConflictException", f"Failed to create alias because {reason}")
        return json_reply({name: alias[name] for name in ("stateMachineAliasArn", "creationDate")})

    def _check_routes(self, routes: list[dict[str, Any]]) -> Machine:
        """The machine whose versions an alias leads to."""
        arns = [route["stateMachineVersionArn"] for route in routes]
        received = f"Received: [{', '.join(arns)}]"
        if not all(re.fullmatch(r"arn:.+:stateMachine:[^:]+:\d+", arn) for arn in arns):
            reason = "Routing configuration must contain state machine version ARNs."
        elif len({arn.rpartition(":")[0] for arn in arns}) > 1:
            reason = "Routing configuration must contain versions of the same state machine."
        elif len({*arns}) < len(arns):
            reason = "Routing configuration must contain distinct state machine version ARNs."
        elif sum(weights := [route["weight"] for route in routes]) != 100:
            reason = "Sum of routing configuration weights must equal 100."
            received = f"Received: [{', '.join(map(str, weights))}]"
        else:
            machine = self._machine(arns[0].rpartition(":")[0])
            for arn in arns:
                if int(arn.rpartition(":")[2]) not in machine.versions:
                    raise RefusalError("ResourceNotFound", f"State Machine Version Does Not Exist: '{arn}'")
            return machine
        raise RefusalError("ValidationException", f"{reason} {received}")

    def _aliases(self, request: Request, *, must_exist: bool = True) -> tuple[dict[str, Any], str]:
        """All aliases of a machine, and the name of the one that the request names."""
        machine_arn, _, name = str(request.json.get("stateMachineAliasArn") or "").rpartition(":")
        machine = self._machines.get(machine_arn)
        aliases = machine.aliases if machine else {}
        if must_exist and name not in aliases:
            raise RefusalError("ResourceNotFound", "Request references a resource that does not exist.")
        return aliases, name

    def _update_alias(self, request: Request) -> Reply:
        given = {name: value for name, value in request.json.items() if value is not None}
        aliases, name = self._aliases(request)
        changes = {name: given[name] for name in ("description", "routingConfiguration") if name in given}
        if not changes:
            reason = "You must provide at least one of routingConfiguration or description"
            raise RefusalError("ValidationException", reason)
        if "routingConfiguration" in changes:
            self._check_routes(changes["routingConfiguration"])
        at = now()
        aliases[name] = aliases[name] | changes | {"updateDate": at}
        return json_reply({"updateDate": at})

    def _describe_alias(self, request: Request) -> Reply:
        aliases, name = self._aliases(request)
        return json_reply(aliases[name])

    def _list_aliases(self, request: Request) -> Reply:
        arn = request.json["stateMachineArn"]
        of_version = arn.rpartition(":")[0] in self._machines
        machine = self._machine(arn.rpartition(":")[0] if of_version else arn)
        aliases = [it for it in machine.aliases.values() if not of_version or arn in _routed(it)]
        shown = [{name: it[name] for name in ("stateMachineAliasArn", "creationDate")} for it in aliases]
        page, token = page_of(shown, request.json)
        return json_reply({"stateMachineAliases": page} | token)

    def _delete_alias(self, request: Request) -> Reply:
        aliases, name = self._aliases(request, must_exist=False)
        aliases.pop(name, None)
        return json_reply({})

    def _machine(self, arn: str) -> Machine:
        if (machine := self._machines.get(arn)) is None:
            raise _unknown(arn)
        return machine

    def _logging(self, request: Request, given: Mapping[str, Any], role: str) -> dict[str, Any]:
        """A logging configuration with its defaults; refuses one that AWS refuses."""
        logging: dict[str, Any] = {**_LOGS_NOTHING, **given}
        destinations = logging.get("destinations") or []
        if (logging["level"] != "OFF" and len(destinations) != 1) or len(destinations) > 1:
            reason = "Must specify exactly one Log Destination."
            raise RefusalError("InvalidLoggingConfiguration", f"Invalid Logging Configuration: {reason}")
        if logging["level"] != "OFF" and not self._authorizer.role_may(role, _DELIVERS_LOGS):
            reason = "The state machine IAM Role is not authorized to access the Log Destination"
            raise RefusalError("AccessDeniedException", reason)
        for destination in destinations:
            arn = str((destination.get("cloudWatchLogsLogGroup") or {}).get("logGroupArn", ""))
            group = Arn.of(arn).resource.removeprefix("log-group:").removesuffix(":*")
            where = {"logGroupName": group, "logStreamName": _VALIDATION}
            scope = replace(request.scope, service="logs", region=Arn.of(arn).region)
            created = self._moto.target(scope, "Logs_20140328.CreateLogStream", where)
            if not created.ok and "AlreadyExists" not in created.json.get("__type", ""):
                reason = "Log Destination not found."
                raise RefusalError("InvalidLoggingConfiguration", f"Invalid Logging Configuration: {reason}")
        return logging


def _tags_of(given: Mapping[str, Any]) -> dict[str, str]:
    tags = given.get("tags") or ()
    for number, tag in enumerate(tags, 1):
        if tag.get("key") is None:
            fault = violation(f"tags.{number}.member.key", "not be null", missing=True)
            raise RefusalError("ValidationException", fault)
    return {tag["key"]: tag.get("value") or "" for tag in tags}


@lru_cache(256)
def _parsed(definition: str) -> Any:
    return json.loads(definition)


def with_references(description: Description) -> Description:
    """The description of a machine with the variables that its states read."""
    references = variable_references(description["definition"])
    return {**description, "variableReferences": references} if references else description


def _published(machine: Machine, description: str | None) -> Description:
    """Publish the present revision, or return the version that it has already."""
    revision = machine.description.get("revisionId")
    newest = machine.versions.get(machine.newest)
    if newest and newest.get("revisionId") == revision:
        return newest
    machine.newest += 1
    version = dict(machine.description)
    version["stateMachineArn"] = f"{version['stateMachineArn']}:{machine.newest}"
    version["creationDate"] = now()
    if description:
        version["description"] = description
    machine.versions[machine.newest] = version
    return version


def _version_of(version: Description) -> dict[str, Any]:
    return {"stateMachineVersionArn": version["stateMachineArn"]} if version else {}


def _check_role_arn(arn: str) -> None:
    if not ROLE.fullmatch(arn):
        raise RefusalError("InvalidArn", f"Invalid Role Arn: '{arn}'")


def _check_version(given: Mapping[str, Any]) -> None:
    if "versionDescription" in given and not given.get("publish"):
        reason = "Version description can only be set when publish is true"
        raise RefusalError("ValidationException", reason)


def _check_count(routes: list[dict[str, Any]]) -> None:
    if len(routes) > 2:
        fields = [", ".join(f"{name}={route[name]}" for name in _ROUTE) for route in routes]
        shown = ", ".join(f"RoutingConfigurationListItem({each})" for each in fields)
        rule = "have length less than or equal to 2"
        raise RefusalError("ValidationException", violation("routingConfiguration", rule, f"[{shown}]"))


def _routed(alias: Mapping[str, Any]) -> list[str]:
    return [route["stateMachineVersionArn"] for route in alias["routingConfiguration"]]


def _unknown(arn: str) -> RefusalError:
    return RefusalError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
