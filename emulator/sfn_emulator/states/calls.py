"""Do what a Task says: call a function or a service as the role of its machine, in AWS's words.

    arn:aws:lambda:...:function:NAME          invoke a function
    arn:aws:states:::lambda:invoke            an optimized integration: it has own names of errors
    arn:aws:states:::aws-sdk:SERVICE:ACTION   a call of AWS's SDK for Java, with its names

See https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
"""

import base64
import json
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from sfn_emulator.http.messages import Arn
from sfn_emulator.http.models import SERVICES
from sfn_emulator.http.replies import violation
from sfn_emulator.http.service_models import as_in_asl, has_operation, shape_of
from sfn_emulator.storage.clients import PARAMETERS, CallError, Clients
from states_language.execution import Call, Failed, Input, Json, Succeeded
from states_language.values import compact, moment

_STATES: Final = "stepfunctions"
#: How the cause of an optimized integration names its service.
_TOLD: Final = {
    "lambda": "AWSLambda", "dynamodb": "AmazonDynamoDBv2", "sns": "AmazonSNS", "sqs": "AmazonSQS",
    "states": "AWSStepFunctions", "events": "AmazonEventBridge",
}  # fmt: skip
#: How its errors begin, and the name of an error that has no class of its own.
_ERRORS: Final = {
    "lambda": ("Lambda", "AWSLambdaException"),
    "dynamodb": ("DynamoDB", "AmazonDynamoDBException"),
    "sns": ("SNS", "AmazonSNSException"),
    "sqs": ("SQS", "AmazonSQSException"),
    "states": ("StepFunctions", "AWSStepFunctionsException"),
    "events": ("EventBridge", "AmazonEventBridgeException"),
}
#: How a service says that it does not have an operation.
_UNKNOWN: Final = {"UnknownOperationException", "InvalidAction"}
_UNMODELLED: Final = {"AccessDeniedException", "ValidationException"}
_FAILED_HERE: Final = "The emulator could not make this call. Its log says why."
_JSON_TYPES: Final[Mapping[str, type]] = {"structure": dict, "map": dict, "list": list}


class _NotStartedError(Exception):
    """The parameters of a call do not fit. The text says why."""


class _Caller(NamedTuple):
    """Who calls, and where."""

    key: str
    region: str


class Calls:
    """Makes the calls of executions.

    Args:
        clients: Make calls with somebody's access key.
        key_of: Gives the access key of all machines with a role.
    """

    def __init__(self, clients: Clients, key_of: Callable[[str], str]) -> None:
        self._clients = clients
        self._key_of = key_of

    def make(self, call: Call, context: Mapping[str, Any], role: str | None) -> Input:
        """Make a call, and wait for its reply.

        Args:
            call: What to call.
            context: The context object of the execution.
            role: The role of the machine.
        """
        try:
            return self._made(call, context, call.role or role)
        except _NotStartedError as error:
            given = compact(call.arguments)
            told = f"The Parameters '{given}' could not be used to start the Task: [{error}]"
            return Failed(call.id, "States.Runtime", told)
        except Exception as error:
            traceback.print_exception(error)
            return Failed(call.id, "States.Runtime", _FAILED_HERE)

    def _made(self, call: Call, context: Mapping[str, Any], role: str | None) -> Input:
        here, resource = Arn.of(context["Execution"]["Id"]), Arn.of(call.resource)
        if resource.partition != here.partition:
            reason = "The resource belongs to a different partition from the running execution."
            return Failed(call.id, "States.Runtime", reason)
        caller = _Caller(self._key_of(role) if role else "", resource.region or here.region)
        if resource.service == "lambda":
            return self._function(call, caller)
        service, _, action = resource.resource.partition(":")
        action = re.sub(r"\.(sync(:2)?|waitForTaskToken)$", "", action)
        if call.arguments.__class__ is not dict:
            raise _NotStartedError("The value of the field 'Parameters' has an invalid format")
        if service == "s3":
            return self._items(call, caller, action)
        is_job = ".sync" in call.resource and service != "states"
        if service == "aws-sdk" and not is_job:
            return self._sdk(call, caller, *action.split(":", 1))
        if service not in _ERRORS or is_job:
            return _missing(call, resource.resource if is_job else service)
        given = {**call.arguments}
        if service == "events":
            source = [context["StateMachine"]["Id"], context["Execution"]["Id"]]
            entries = given.get("Entries")
            if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
                given["Entries"] = [
                    {**entry, "Resources": [*(entry.get("Resources") or []), *source]} for entry in entries
                ]
        return self._optimized(replace(call, arguments=given), caller, service, action)

    def describe(self, arn: str, role: str, region: str, *, parsed: bool) -> tuple[str, Json]:
        """Describe an execution that a Task waits for: its status, and what the Task returns.

        Args:
            arn: The execution.
            role: As whom.
            region: Where.
            parsed: Whether its input and output are JSON values, as with ``.sync:2``.

        Raises:
            CallError: The role may not do it.
        """
        told = self._clients.call_as(
            self._key_of(role), region, _STATES, "DescribeExecution", {"executionArn": arn}
        )
        told.pop("ResponseMetadata", None)
        names = ("input", "output") if parsed else ()
        told |= {name: json.loads(told[name]) for name in names if isinstance(told.get(name), str)}
        shape = shape_of(_STATES, "DescribeExecution", "output")
        return told["status"], _to_definition(_plain_json(told, epoch=True), shape)

    def stop(self, arn: str, role: str, region: str) -> None:
        """Stop an execution that a Task waited for, if its role may."""
        with suppress(CallError):
            self._clients.call_as(self._key_of(role), region, _STATES, "StopExecution", {"executionArn": arn})

    def failed(self, call: Call, service: str, error: CallError) -> Failed:
        """The failure of an optimized integration, in its words."""
        begin, other = _ERRORS[service]
        name = other if error.code in _UNMODELLED else error.code
        if service == "sns" and not name.endswith("Exception"):
            name += "Exception"
        if service == "states" and not name.endswith("Exception"):
            name += "Exception"
        if error.code == "QueueDoesNotExist":  # the SDK finds no such host
            return Failed(call.id, "SQS.SdkClientException", str(error))
        if service == "sqs":
            name = other
        details = [
            f"Service: {_TOLD[service]}",
            f"Status Code: {error.status}",
            f"Error Code: {error.code}",
            f"Request ID: {error.request_id}",
            "Proxy: null",
        ]
        return Failed(call.id, f"{begin}.{name}", f"{error} ({'; '.join(details)})")

    def _function(self, call: Call, caller: _Caller) -> Input:
        given = {"FunctionName": call.resource, "Payload": compact(call.arguments)}
        try:
            payload, reply = self._invoke(caller, given)
        except CallError as refused:
            return self.failed(call, "lambda", refused)
        return _function_failed(call, payload) if "FunctionError" in reply else Succeeded(call.id, payload)

    def _invoke(self, caller: _Caller, given: dict[str, Any]) -> tuple[Json, dict[str, Any]]:
        """Invoke a function: its payload, and the reply."""
        reply = self._clients.invoke_as(*caller, given | {"Payload": given["Payload"].encode()})
        text = reply.pop("Payload").read().decode(errors="replace")
        return json.loads(text) if _is_json(text) else text or None, reply

    def _optimized(self, call: Call, caller: _Caller, service: str, action: str) -> Input:
        given, name = call.arguments, SERVICES.get(service, service)
        operation = f"{action[0].upper()}{action[1:]}"
        if service == "states" and not isinstance(given.get("Input"), str):
            given["Input"] = compact(given.get("Input") or {})
        try:
            if service == "lambda":
                return self._invoked(call, caller)
            told = self._called(caller, name, operation, given, epoch=service == "states")
        except CallError as error:
            return self.failed(call, service, error)
        if service == "events":
            if told.get("FailedEntryCount", 0):
                return Failed(call.id, "EventBridge.FailedEntry", compact(told))
            return Succeeded(call.id, told)
        if service == "states":
            told = _to_definition(told, shape_of(name, operation, "output"))
        if service == "sqs":
            told = {re.sub("^Md5", "MD5", name): value for name, value in told.items()}
        return Succeeded(call.id, dict(sorted((told | self._clients.metadata(service)).items())))

    def _invoked(self, call: Call, caller: _Caller) -> Input:
        payload = call.arguments.pop("Payload", None)
        if not (isinstance(payload, str) and _is_json(payload)):
            payload = compact({} if payload is None else payload)
        given = self._checked(caller.region, "lambda", "Invoke", call.arguments)
        value, reply = self._invoke(caller, given | {"Payload": payload})
        if "FunctionError" in reply:
            return _function_failed(call, value)
        names = ("ExecutedVersion", "LogResult", "StatusCode")
        told = {name: reply[name] for name in names if name in reply} | {"Payload": value}
        return Succeeded(call.id, dict(sorted((told | self._clients.metadata("lambda")).items())))

    def _sdk(self, call: Call, caller: _Caller, service: str, action: str = "") -> Input:
        name = SERVICES.get(service, service)
        operation = f"{action[:1].upper()}{action[1:]}"
        if not has_operation(name, operation):
            return _missing(call, f"aws-sdk:{service}:{action}")
        client = self._clients.of(caller.region, name)
        begin = _class_of(client.meta.service_model.service_id)
        try:
            told = self._called(caller, name, operation, call.arguments)
            return Succeeded(call.id, _to_definition(told, shape_of(name, operation, "output")))
        except CallError as error:
            if error.code in _UNKNOWN:  # AWS has it, and the emulator has not
                return _missing(call, f"aws-sdk:{service}:{action}")
            shape = client.meta.service_model.shape_for_error_code(error.code)
            class_name = shape.name if shape else begin
            class_name += "" if class_name.endswith("Exception") else "Exception"
            about = f"Service: {begin}, Status Code: {error.status}, Request ID: {error.request_id}"
            about += f", Extended Request ID: {error.host_id}" if error.host_id else ""
            return Failed(call.id, f"{begin}.{class_name}", f"{error} ({about})")

    def _called(
        self, caller: _Caller, service: str, operation: str, given: Json, *, epoch: bool = False
    ) -> dict[str, Any]:
        checked = self._checked(caller.region, service, operation, given)
        told = self._clients.call_as(*caller, service, operation, checked)
        told.pop("ResponseMetadata", None)
        plain: dict[str, Any] = _plain_json(told, epoch=epoch)
        return plain

    def _checked(self, region: str, service: str, operation: str, given: Json) -> dict[str, Any]:
        """The parameters of a call with the names and types of its API, without those that are null.

        Raises:
            _NotStartedError: One is unknown, or has another type.
            CallError: One that the service needs is null.
        """
        model = self._clients.of(region, service).meta.service_model
        shape = model.operation_model(operation).input_shape
        named = _to_api(given, shape)
        if faults := [*_faults(named, shape, "Parameters")]:
            raise _NotStartedError(", ".join(faults))
        for name in shape.required_members if shape else ():
            if name not in named and shape.members[name].serialization.get("location") == "uri":
                raise _NotStartedError(f"The field '{name}' is required but was missing")
            if name in named and named[name] is None:
                text = violation(f"{name[0].lower()}{name[1:]}", "not be null", missing=True)
                raise CallError("ValidationException", text, 400)
        return {name: it for name, it in named.items() if it is not None}

    def _items(self, call: Call, caller: _Caller, action: str) -> Input:
        """Read the file of an ItemReader, or list files for it."""
        given, lists = call.arguments, action == "listObjectsV2"
        try:
            if lists:
                page = self._clients.call_as(*caller, "s3", "ListObjectsV2", given)
                names = ("Key", "Size", "StorageClass")
                listed = [
                    {"Etag": it["ETag"], "LastModified": it["LastModified"].timestamp()}
                    | {name: it[name] for name in names}
                    for it in page.get("Contents", [])
                ]
                token = (
                    {"NextContinuationToken": page["NextContinuationToken"]}
                    if page.get("IsTruncated")
                    else {}
                )
                return Succeeded(call.id, {"Contents": listed} | token)
            content = self._clients.call_as(*caller, "s3", "GetObject", given)["Body"].read()
            return Succeeded(call.id, content.decode("utf-8-sig"))
        except UnicodeDecodeError:
            return Failed(call.id, "S3", "The items are not a text in UTF-8.")
        except CallError as error:
            if error.code == PARAMETERS:
                return Failed(call.id, "S3", "The specified bucket is not valid.")
            ids = f"Request ID: {error.request_id}, Extended Request ID: {error.host_id}"
            return Failed(call.id, "S3", f"{error} (Service: S3, Status Code: {error.status}, {ids})")


def _missing(call: Call, service: str) -> Failed:
    reason = (
        f"The emulator has no integration '{service}', and the state '{call.state}' has no mock. "
        f"Mock it, or use another resource: {call.resource}"
    )
    return Failed(call.id, "States.Runtime", reason)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _function_failed(call: Call, payload: Json) -> Failed:
    error = payload.get("errorType") if isinstance(payload, dict) else None
    return Failed(call.id, error if isinstance(error, str) else "Exception", compact(payload))


def _class_of(service_id: str) -> str:
    """What AWS's SDK for Java calls a service, such as ``DynamoDb`` or ``CloudWatchLogs``."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+", service_id)
    return "".join(word.capitalize() for word in words)


@cache
def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _to_api(value: Any, shape: Any, *, texts: bool = True) -> Any:
    """Parameters with the names and types that the API has.

    Args:
        value: A parameter, or a part of one.
        shape: Its shape in AWS's model; None if it has none.
        texts: Whether a text may be given as JSON.
    """
    kind = shape.type_name if shape else ""
    if kind == "structure" and isinstance(value, str) and shape.name == "AttributeValue":
        value = {"S": value}  # the SDK makes a text of it
    if kind == "structure" and isinstance(value, dict):
        names = {_plain(name): name for name in shape.members} | {"nul": "NULL"}
        known = {name: names.get(_plain(name), name) for name in value}
        members = shape.members
        value = {
            known[name]: _to_api(it, members.get(known[name]), texts=texts) for name, it in value.items()
        }
    elif kind == "list" and isinstance(value, list):
        value = [_to_api(it, shape.member, texts=texts) for it in value]
    elif kind == "map" and isinstance(value, dict):
        value = {name: _to_api(it, shape.value, texts=False) for name, it in value.items()}
    elif kind == "boolean" and value in ("true", "false"):
        value = value == "true"
    elif texts and value is not None and kind == "string" and not isinstance(value, str):
        value = compact(value)
    elif texts and value is not None and kind == "blob" and not isinstance(value, bytes):
        value = compact(value).encode()
    return value


#: The types of values that do not hold others, and AWS's words for them.
_SCALARS: Final = {
    "string": (str, "a STRING"),
    "boolean": (bool, "a BOOLEAN"),
    **dict.fromkeys(("integer", "long", "float", "double"), (int | float, "a NUMBER")),
}


def _faults(value: Json, shape: Any, name: str) -> Iterator[str]:
    """What does not fit the model of a call, in AWS's words as far as somebody has seen them."""
    if value is None or shape is None or getattr(shape, "is_document_type", False):
        return
    kind = shape.type_name
    if kind in _JSON_TYPES and not isinstance(value, _JSON_TYPES[kind]):
        yield f"The value of the field '{name}' has an invalid format"
    elif kind == "structure":
        for field, it in value.items():
            if field not in shape.members:
                yield f"The field '{field}' is not supported by Step Functions"
            yield from _faults(it, shape.members.get(field), field)
    elif kind == "map":
        for field, it in value.items():
            yield from _faults(it, shape.value, field)
    elif kind == "list":
        for it in value:
            yield from _faults(it, shape.member, name)
    elif kind in _SCALARS:
        its_type, words = _SCALARS[kind]
        if not isinstance(value, its_type) or (isinstance(value, bool) and its_type is not bool):
            yield f"The value for the field '{name}' must be {words}"


def _plain_json(value: Any, *, epoch: bool) -> Any:
    """The reply of a call as JSON. Its times are milliseconds since 1970, or texts."""
    if isinstance(value, dict):
        value = {name: _plain_json(each, epoch=epoch) for name, each in value.items()}
    elif isinstance(value, list):
        value = [_plain_json(each, epoch=epoch) for each in value]
    elif isinstance(value, bytes):
        value = base64.b64encode(value).decode()
    elif isinstance(value, datetime):
        value = round(value.timestamp() * 1000) if epoch else moment(value.timestamp())
    elif hasattr(value, "read"):
        value = value.read().decode()
    return value


_NUL: Final = {"NULL": "Nul"}  # AWS's SDK for Java cannot call a member "null"


def _to_definition(value: Any, shape: Any) -> Any:
    """The reply of a call with the names that a definition sees: they begin with capitals, and are sorted."""
    kind = shape.type_name if shape else ""
    if kind == "structure" and isinstance(value, dict):
        made = {
            _NUL.get(name, as_in_asl(name)): _to_definition(it, shape.members.get(name))
            for name, it in value.items()
        }
        value = dict(sorted(made.items()))
    elif kind == "list" and isinstance(value, list):
        value = [_to_definition(it, shape.member) for it in value]
    elif kind == "map" and isinstance(value, dict):
        value = {name: _to_definition(it, shape.value) for name, it in value.items()}
    return value
