"""Run LocalStack's recorded tests against `states_language` alone: no server, no network, and no waiting.

Pytest loads this plugin in LocalStack's checkout. There, each call of botocore ends here. Step Functions is
the interpreter in virtual time. What a task answers is taken from the record of AWS, or the function's own
code runs. Other services only say that all is well.
"""

import heapq
import io
import json
import os
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import checkout

checkout.prepare("http://127.0.0.1:1", "test")

import pytest  # noqa: E402 (LocalStack reads variables as soon as something imports it)
from jsonpath_ng import ext  # noqa: E402

ext.parse = cache(ext.parse)  # it makes its tables anew for each path
import recorded  # noqa: E402
from botocore.client import BaseClient  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402
from scope import FOLDER, part_of, put_aside  # noqa: E402

from states_language import diagnostics, execution  # noqa: E402
from states_language.interpreter import step  # noqa: E402
from states_language.outside import Outside  # noqa: E402

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
_OUTCOMES: Final = ("Started", "Submitted", "Succeeded", "Failed", "TimedOut")


class UnsupportedError(Exception):
    """The test needs more than the interpreter, such as versions of a machine, or the check of an ARN."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        _compared["unsupported"] = what  # the test may catch this error


class _Known(dict[str, Any]):
    """Machines or executions by their ARNs."""

    def __missing__(self, arn: str) -> Any:
        raise UnsupportedError(f"the check of the ARN {arn}")


def _outside(now: float) -> Outside:
    return Outside(now, Random(), lambda: str(uuid.uuid4()))


class World:
    """An execution in virtual time, whose tasks answer as the record says.

    Args:
        aws: What is around it.
        it: The execution.
        record: The recorded events; empty if there are none.
    """

    def __init__(self, aws: "Aws", it: execution.Execution, record: list[dict[str, Any]]) -> None:
        self.aws, self.execution, self.record = aws, it, _in_order(record)
        self.start, self.stop = aws.now, aws.now
        self._timers: list[tuple[float, str]] = []
        self._gone: set[str] = set()
        self._calls: list[tuple[list[tuple[int, Any]], execution.Call]] = []
        self._used: set[int] = set()
        self.tell(execution.Start())
        self.settle()

    def tell(self, *inputs: Any) -> None:
        """Tell the execution what has happened."""
        for effect in step(self.execution, inputs, _outside(self.aws.now)):
            if isinstance(effect, execution.SetTimer):
                heapq.heappush(self._timers, (effect.at, effect.id))
            elif isinstance(effect, execution.Cancel):
                self._gone.add(effect.id)
            elif isinstance(effect, execution.Call):
                if effect.token:
                    self.aws.tokens[effect.token] = self
                self._calls.append((self._answers(effect), effect))
            elif isinstance(effect, execution.StartChild):
                self._run_child(effect)
            else:
                self.stop = self.aws.now

    def _run_child(self, effect: execution.StartChild) -> None:
        context = deepcopy({**self.execution.context, **effect.shown})
        context["Execution"] |= {"Id": f"{context['Execution']['Id']}/{effect.id}", "Input": effect.input}
        child = execution.Execution(effect.workflow, effect.input, context, effect.type)
        World(self.aws, child, []).advance(float("inf"))
        if child.status == "SUCCEEDED":
            self.tell(execution.Succeeded(effect.id, child.output))
        else:
            self.tell(execution.Failed(effect.id, child.error, child.cause, child.status))

    def _answers(self, call: execution.Call) -> list[tuple[int, Any]]:
        """What follows a call, each with the id of its recorded event."""
        scheduled = [
            it for it in self.record if it["type"].endswith("Scheduled") and it["id"] not in self._used
        ]
        same = [it for it in scheduled if it["id"] == len(self.execution.history)]
        if not (found := (same or scheduled)[:1]):
            return [(len(self.execution.history), self.aws.answer(call))]
        self._used.add(last := found[0]["id"])
        answers: list[tuple[int, Any]] = []
        for event in self.record:
            kind = next((it for it in _OUTCOMES if event["type"].endswith(it)), "")
            if event["previousEventId"] != last or event["id"] <= last or not kind:
                continue
            details = next((value for name, value in event.items() if name.endswith("EventDetails")), {})
            if kind == "Failed":
                told = _cause(event["type"], details.get("cause"))
                answers.append((event["id"], execution.Failed(call.id, details.get("error"), told)))
            elif kind in {"Submitted", "Succeeded"}:
                made = execution.Submitted if kind == "Submitted" else execution.Succeeded
                answers.append((event["id"], made(call.id, _value(details.get("output")))))
            if kind not in {"Started", "Submitted"}:
                break
            last = event["id"]
        if call.token:  # whoever has the token answers
            number, first = (answers or [(0, execution.Succeeded(call.id, {}))])[0]
            reply = (
                first if isinstance(first, execution.Failed) else execution.Succeeded(call.id, first.output)
            )
            return [(number, reply)]
        return answers

    def settle(self) -> None:
        """Give all answers, in the order of the record."""
        while self._calls:
            self._calls = [(its, call) for its, call in self._calls if its and call.id not in self._gone]
            if self._calls:
                answers, _ = min(self._calls, key=lambda it: it[0][0][0])
                self.tell(answers.pop(0)[1])

    def advance(self, until: float) -> None:
        """Let time pass."""
        while self.execution.status == "RUNNING":
            self.settle()
            self._timers = [it for it in self._timers if it[1] not in self._gone]
            heapq.heapify(self._timers)
            if not self._timers or self._timers[0][0] > until:
                return
            self.aws.now = max(self.aws.now, self._timers[0][0])
            due = []
            while self._timers and self._timers[0][0] <= self.aws.now:
                due.append(execution.Due(heapq.heappop(self._timers)[1]))
            self.tell(*due)


def _value(output: Any) -> Any:
    try:
        return json.loads(output) if isinstance(output, str) else output
    except ValueError:
        return output


def _cause(kind: str, cause: Any) -> str | None:
    """A cause as text. LocalStack's records hold one that is JSON as an object."""
    if cause is None or isinstance(cause, str):
        return cause
    return json.dumps(cause, separators=(", ", ": ") if kind.startswith("Lambda") else (",", ":"))


def _in_order(record: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A record with ids. LocalStack has sorted some by type, and then only what tasks answered counts."""
    if not any(isinstance(event["id"], list) for event in record):
        return record
    tasks = [it for it in record if it["type"].startswith(("Task", "Lambda")) and "State" not in it["type"]]
    made, number = [], 0
    by_kind = [[it for it in tasks if it["type"].endswith(kind)] for kind in ("Scheduled", *_OUTCOMES)]
    for place in range(len(tasks)):
        previous = 0
        for kind in by_kind:
            if place < len(kind):
                number += 1
                made.append(kind[place] | {"id": number, "previousEventId": previous})
                previous = number
    return made


class Aws:
    """All that a test sees of AWS.

    Args:
        recorded: The record of the test.
    """

    def __init__(self, recorded: dict[str, Any]) -> None:
        self.now = 1_800_000_000.0
        self.worlds: dict[str, World] = _Known()
        self.tokens: dict[str, World] = {}
        self._machines: dict[str, dict[str, Any]] = _Known()
        self._functions: dict[str, bytes] = {}
        self._objects: dict[str, bytes] = {}
        self._records = [it["events"] for it in recorded.values() if isinstance(it, dict) and "events" in it]

    def call(self, service: str, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        """The answer of a service."""
        if service != "stepfunctions":
            return self._other(service, operation, given)
        if (act := getattr(self, operation, None)) is None:
            raise UnsupportedError(operation)
        answer: dict[str, Any] = act(**given)
        return answer

    def _date(self, seconds: float | None = None) -> datetime:
        return datetime.fromtimestamp(self.now if seconds is None else seconds, UTC)

    # Step Functions. The names are AWS's.

    def CreateStateMachine(self, name, definition, roleArn, type="STANDARD", **given):
        if given.keys() & {"publish", "versionDescription"}:
            raise UnsupportedError("versions")
        self._check("CreateStateMachine", definition, type)
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"
        self._machines[arn] = {"name": name, "definition": definition, "roleArn": roleArn, "type": type}
        return {"stateMachineArn": arn, "creationDate": self._date()}

    def UpdateStateMachine(self, stateMachineArn, **given):
        if given.keys() & {"loggingConfiguration", "publish", "versionDescription"}:
            raise UnsupportedError("logs and versions")
        if "definition" in given:
            self._check("UpdateStateMachine", given["definition"], "STANDARD")
        self._machines[stateMachineArn].update(given)
        return {"updateDate": self._date()}

    def _check(self, operation, definition, kind):
        if wrong := [
            it for it in diagnostics(definition, express=kind == "EXPRESS") if it.severity == "ERROR"
        ]:
            told = (
                f"{it.code}: {it.message}" + (f" at {it.location}" if it.location else "") for it in wrong
            )
            raise refusal(
                operation, "InvalidDefinition", f"Invalid State Machine Definition: '{', '.join(told)}'"
            )

    def ValidateStateMachineDefinition(self, definition, type="STANDARD", severity="ERROR", maxResults=0):
        found = diagnostics(definition, express=type == "EXPRESS")
        shown = [it for it in found if it.severity in {"ERROR", severity}]
        told = [{name: value for name, value in vars(it).items() if value is not None} for it in shown]
        result = "FAIL" if any(it.severity == "ERROR" for it in found) else "OK"
        return {"result": result, "diagnostics": told[: maxResults or 100], "truncated": False}

    def DeleteStateMachine(self, **_):
        return {}

    def StartExecution(self, stateMachineArn, input="{}", name=None, **_):
        machine, name = self._machines[stateMachineArn], name or str(uuid.uuid4())
        kind, tail = ("express", f":{uuid.uuid4()}") if machine["type"] == "EXPRESS" else ("execution", "")
        arn = f"{stateMachineArn.replace(':stateMachine:', f':{kind}:')}:{name}{tail}"
        began = self._date().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        its = {"Id": arn, "Input": json.loads(input), "StartTime": began, "Name": name}
        context = {
            "Execution": its | {"RoleArn": machine["roleArn"], "RedriveCount": 0},
            "StateMachine": {"Id": stateMachineArn, "Name": machine["name"]},
        }
        definition, record = json.loads(machine["definition"]), self._records[len(self.worlds) :][:1]
        made = execution.Execution(definition, its["Input"], context, machine["type"], input)
        self.worlds[arn] = World(self, made, record[0] if record else [])
        return {"executionArn": arn, "startDate": self._date(self.worlds[arn].start)}

    def StartSyncExecution(self, **given):
        arn = self.StartExecution(**given)["executionArn"]
        self.worlds[arn].advance(float("inf"))
        told = {
            name: it for name, it in self.DescribeExecution(arn).items() if not name.startswith("redrive")
        }
        return told | {"billingDetails": {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": 100}}

    def DescribeExecution(self, executionArn, **_):
        world = self.worlds[executionArn]
        it, machine = world.execution, world.execution.context["StateMachine"]["Id"]
        told = {
            "executionArn": executionArn,
            "stateMachineArn": machine,
            "status": it.status,
            "input": it.text,
        }
        told |= {"name": it.context["Execution"]["Name"], "startDate": self._date(world.start)}
        told |= {"inputDetails": {"included": True}, "redriveCount": 0, "redriveStatus": "REDRIVABLE"}
        if it.status in {"RUNNING", "SUCCEEDED"}:
            reason = f"Execution is {it.status} and cannot be redriven"
            told |= {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
        if it.status != "RUNNING":
            told["stopDate"] = self._date(world.stop)
        if it.status == "SUCCEEDED":
            told |= it.history[-1]["executionSucceededEventDetails"] | {"outputDetails": {"included": True}}
        return told | {name: text for name in ("error", "cause") if (text := getattr(it, name)) is not None}

    def GetExecutionHistory(self, executionArn, reverseOrder=False, **_):
        events = [
            it | {"timestamp": self._date(it["timestamp"])}
            for it in self.worlds[executionArn].execution.history
        ]
        return {"events": deepcopy(events[::-1] if reverseOrder else events)}

    def ListExecutions(self, stateMachineArn=None, statusFilter=None, **given):
        if given.keys() - {"maxResults"} or stateMachineArn not in self._machines:
            raise UnsupportedError("lists of versions, Map Runs and pages")
        listed = [self.DescribeExecution(arn) for arn in self.worlds]
        names = ("executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate")
        chosen = [it for it in listed if statusFilter in {None, it["status"]}]
        return {"executions": [{name: it[name] for name in names if name in it} for it in chosen]}

    def StopExecution(self, executionArn, error=None, cause=None):
        self.worlds[executionArn].tell(execution.Stop(error, cause))
        return {"stopDate": self._date()}

    def SendTaskSuccess(self, taskToken, output):
        return self._answered(taskToken, execution.Answered(taskToken, json.loads(output)))

    def SendTaskFailure(self, taskToken, error=None, cause=None):
        return self._answered(
            taskToken, execution.Answered(taskToken, error=error, cause=cause, is_failure=True)
        )

    def SendTaskHeartbeat(self, taskToken):
        return self._answered(taskToken, execution.Beat(taskToken))

    def _answered(self, token, message):
        self.tokens[token].tell(message)
        self.tokens[token].settle()
        return {}

    def TestState(self, **given):
        return _test_state(self, given)

    # Other services

    def _other(self, service: str, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        name = next(
            (given[it] for it in ("FunctionName", "RoleName", "TableName", "Name") if it in given), "x"
        )
        arn = f"arn:aws:{service}:{REGION}:{ACCOUNT}:{'function:' if service == 'lambda' else ''}{name}"
        if operation == "CreateFunction":
            self._functions[name] = given["Code"].get("ZipFile", b"")
        if operation == "PutObject":
            body = given["Body"] if isinstance(given["Body"], str | bytes) else given["Body"].read()
            stored = body.encode() if isinstance(body, str) else body
            self._objects[f"{given['Bucket']}/{given['Key']}"] = stored
        function = {
            "FunctionName": name,
            "FunctionArn": arn,
            "State": "Active",
            "LastUpdateStatus": "Successful",
        }
        table = {"TableName": name, "TableStatus": "ACTIVE", "TableArn": arn}
        answers: dict[str, dict[str, Any]] = {
            "lambda": function | {"Version": "$LATEST", "Configuration": function},
            "iam": {
                "Role": {"Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "RoleName": name},
                "Policy": {"Arn": f"arn:aws:iam::{ACCOUNT}:policy/{name}"},
                **{name: [] for name in ("AttachedPolicies", "PolicyNames", "InstanceProfiles", "Roles")},
            },
            "sts": {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:root", "UserId": "x"},
            "s3": {"Buckets": [], "Contents": [], "ETag": '"x"', "Location": "/x"},
            "sns": {"TopicArn": arn, "SubscriptionArn": arn, "Topics": []},
            "dynamodb": {"TableDescription": table, "Table": table, "TableNames": [], "Items": []},
            "events": {"RuleArn": arn, "Rules": [], "FailedEntryCount": 0},
        }
        if service not in answers:
            raise UnsupportedError(service)
        return answers[service]

    def answer(self, call: execution.Call) -> Any:
        """What an ItemReader or a function answers, if no record says it."""
        given: Any = call.arguments
        if call.resource.endswith(":s3:getObject"):
            if (body := self._objects.get(f"{given['Bucket']}/{given['Key']}")) is None:
                return execution.Failed(call.id, "S3.NoSuchKeyException", "The specified key does not exist.")
            return execution.Succeeded(call.id, body.decode())
        if call.resource.endswith(":s3:listObjectsV2"):
            shared = {"Etag": '"x"', "LastModified": 1, "StorageClass": "STANDARD"}
            parts = {key.partition("/")[2]: body for key, body in self._objects.items()}
            listed = [{"Key": key, "Size": len(body), **shared} for key, body in parts.items()]
            return execution.Succeeded(call.id, {"Contents": listed})
        is_arn = ":function:" in call.resource
        name = (call.resource if is_arn else given.get("FunctionName", "")).rpartition(":function:")[2]
        if name not in self._functions:
            raise UnsupportedError(f"no answer for {call.resource}")
        try:
            output = _handler(self._functions[name])(given if is_arn else given.get("Payload") or {}, None)
        except Exception as error:
            told = {
                "errorMessage": str(error),
                "errorType": type(error).__name__,
                "requestId": str(uuid.uuid4()),
            }
            return execution.Failed(call.id, type(error).__name__, json.dumps(told | {"stackTrace": []}))
        output = json.loads(output) if isinstance(output, bytes) else output
        whole = {"ExecutedVersion": "$LATEST", "Payload": output, "StatusCode": 200}
        return execution.Succeeded(call.id, output if is_arn else whole)


def _handler(package: bytes) -> Any:
    """The function ``handler`` in the package of a Lambda function."""
    with zipfile.ZipFile(io.BytesIO(package)) as file:
        text = next(file.read(name).decode() for name in file.namelist() if name.endswith("handler.py"))
    names: dict[str, Any] = {}
    exec(text, names)
    return names["handler"]


def refusal(operation: str, code: str, message: str) -> ClientError:
    """What botocore raises if a service refuses a call."""
    told = {"Error": {"Code": code, "Message": message}, "message": message}
    return ClientError(told | {"ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}}}, operation)  # type: ignore[arg-type]


def _test_state(aws: Aws, given: dict[str, Any]) -> dict[str, Any]:
    """Answer TestState: the emulator checks the request, and the interpreter runs the state."""
    from sfn_emulator.http.messages import RefusalError, Request
    from sfn_emulator.states import test_state as api

    class World:
        """Takes the place of the emulator's world."""

        def run_alone(self, run, _seconds):
            run.over = threading.Event()
            effects = run.take([execution.Start()], None)
            while not run.over.is_set():
                effect = effects.pop(0)
                if isinstance(effect, execution.Call):
                    effects += run.take([aws.answer(effect)], None)
                elif isinstance(effect, execution.SetTimer) and not effects:
                    effects += run.take([execution.Due(effect.id)], None)

    api.outside, api.now = lambda: _outside(aws.now), lambda: aws.now
    key = f"Credential=any/20000101/{REGION}/states/aws4_request, SignedHeaders=host, Signature=any"
    headers = {"x-amz-target": "AWSStepFunctions.TestState", "authorization": f"AWS4-HMAC-SHA256 {key}"}
    try:
        reply = api.test_state(
            Request("POST", "/", headers, json.dumps(given).encode()), lambda *_: None, World()
        )
    except RefusalError as error:
        raise refusal("TestState", error.code, error.message) from error
    answer: dict[str, Any] = json.loads(reply.body)
    return answer


_aws = Aws({})


def _call(self: Any, operation: str, given: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = _aws.call(self.meta.service_model.service_name, operation, given)
    except ClientError as error:
        raise self.exceptions.from_code(error.response["Error"]["Code"])(error.response, operation) from None
    return answer | {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}}


def _pass_time(seconds: float) -> None:
    until = _aws.now + seconds
    for world in list(_aws.worlds.values()):
        world.advance(until)
    _aws.now = max(_aws.now, until)


BaseClient._make_api_call = _call  # type: ignore[method-assign]
time.sleep = _pass_time


_compared = recorded.watch()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Choose the tests in scope of the open or of the put-aside part."""
    checkout.choose(items)
    aside, wanted = put_aside(Path(config.rootpath, FOLDER)), os.environ["GATE"] == "aside"
    items[:] = [it for it in items if (part_of(it.nodeid) in aside) == wanted]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: Any) -> None:
    """Give each test an AWS of its own, which knows the record."""
    global _aws  # noqa: PLW0603 (botocore's clients are made by LocalStack)
    file = item.path.with_suffix(".snapshot.json")
    records = json.loads(file.read_text()) if file.is_file() else {}
    _aws = Aws(records.get(item.nodeid, {}).get("recorded-content", {}))


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Iterator[None]:
    """Write the line of a test."""
    checkout.note(item, call, (yield).get_result(), _compared)  # type: ignore[misc]
