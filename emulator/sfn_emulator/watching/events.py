"""Answer EventBridge's API, and deliver events to topics and queues. moto stores the rules.

See https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
"""

import json
import re
import threading
import time
import traceback
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sfn_emulator.http.messages import ACCOUNT, Arn, RefusalError, Reply, Request, Scope
from sfn_emulator.http.paging import page_of
from sfn_emulator.http.replies import json_reply, violation
from sfn_emulator.http.service_models import check_call
from sfn_emulator.iam.authorization import Authorizer
from sfn_emulator.process.pool import Pool
from sfn_emulator.storage.application import Moto
from sfn_emulator.storage.backends import EventRule, rules_of
from sfn_emulator.watching.changes import StatusChange
from sfn_emulator.watching.cloudwatch import Publish
from sfn_emulator.watching.patterns import PatternError, matches, parsed
from sfn_emulator.watching.templates import text_for, unknown_placeholder

Event = dict[str, Any]
_ID: Final = re.compile(r"[\.\-_A-Za-z0-9]+")
_MOST_TARGETS: Final = 5  # of a rule
_LARGEST: Final = 248 * 1024  # the input and the output of an execution in an event, in bytes
_INPUTS: Final = ("Input", "InputPath", "InputTransformer")
_OF_EVENTS: Final = {"id", "account", "source", "time", "region", "detail-type"}
#: Those that a PutEvents needs, in the order in which AWS checks them.
_NEEDED: Final = ("Source", "DetailType", "Detail")


class EventsApi:
    """The rules of one emulator.

    Args:
        moto: Stores them.
        publish: Sends an event to a topic.
        authorizer: Reads the policies of queues.
        pool: Delivers events.
    """

    def __init__(self, moto: Moto, publish: Publish, authorizer: Authorizer, pool: Pool) -> None:
        self._authorizer, self._pool = authorizer, pool
        self._moto = moto
        self._publish = publish
        self._sent, self._in_order = deque[tuple[Event, Sequence[EventRule]]](), threading.Lock()
        self._operations: dict[str, Callable[[Request, dict[str, Any]], Reply]] = {
            "PutRule": self._put_rule,
            "ListRules": self._list_rules,
            "ListTargetsByRule": self._list_targets,
            "PutTargets": self._put_targets,
            "PutEvents": self._put_events,
            "TestEventPattern": self._test_pattern,
        }

    def answer(self, request: Request) -> Reply:
        """Answer a request to EventBridge."""
        given = request.given
        check_call("events", request.operation, given)
        if operation := self._operations.get(request.operation):
            reply = operation(request, given)
        else:
            reply = self._moto(request)
        if not reply.body:
            return reply
        body = reply.json
        if not reply.ok and re.fullmatch(r"Rule .+ does not exist\.", str(body.get("message", ""))):
            told = f"{body['message'][:-1]} on EventBus {_bus_of(given)}."
            return reply.with_json(body | {"message": told})
        return reply.with_json({name: value for name, value in body.items() if value is not None})

    def reset(self) -> None:
        """Forget what is not delivered yet. moto's reset removes the rules and their targets."""
        self._sent.clear()

    def status_changed(self, change: StatusChange) -> None:
        """Send the event of an execution that has begun or ended. Express executions have no events."""
        rules = rules_of(Arn.of(change.execution_arn).region, "default")
        if not change.express and any(rule.targets for rule in rules):
            self._send(status_event(change), rules)

    def _send(self, event: Event, rules: Sequence[EventRule]) -> None:
        """Deliver an event by the rules as they are now. That happens in a moment, and in order."""
        self._sent.append((event, rules))
        self._pool.submit(self._deliver_next)

    def _deliver_next(self) -> None:
        with self._in_order:
            event, rules = self._sent.popleft() if self._sent else ({}, ())
            for rule in rules:
                try:
                    if rule.enabled and rule.pattern and matches(parsed(rule.pattern), event):
                        self._deliver(event, rule)
                except Exception:  # the other rules get the event
                    traceback.print_exc()

    def _deliver(self, event: Event, rule: EventRule) -> None:
        for target in rule.targets:
            text, to = text_for(target, event, rule.arn, rule.name), Arn.of(target["Arn"])
            if text is not None and to.service == "sns":
                self._publish("events", rule.arn, target["Arn"], {"Message": text})
            elif text is not None and to.service == "sqs":
                self._send_to_queue(rule, target, to, text)

    def _send_to_queue(self, rule: EventRule, target: Mapping[str, Any], to: Arn, text: str) -> None:
        scope = Scope(region=to.region, service="sqs")
        where = {"QueueUrl": f"http://localhost/{to.account}/{to.resource}"}
        asked = where | {"AttributeNames": ["Policy"]}
        told = self._moto.target(scope, "AmazonSQS.GetQueueAttributes", asked)
        document = told.json.get("Attributes", {}).get("Policy", "") if told.ok else ""
        if self._authorizer.lets_in(document, "events", "sqs:SendMessage", target["Arn"], rule.arn):
            group = (target.get("SqsParameters") or {}).get("MessageGroupId")
            more = {"MessageGroupId": group} if group else {}
            self._moto.target(scope, "AmazonSQS.SendMessage", where | {"MessageBody": text} | more)

    def _put_rule(self, request: Request, given: dict[str, Any]) -> Reply:
        if pattern := given.get("EventPattern"):
            _check_pattern(pattern)
        return self._moto(request)

    def _list_rules(self, request: Request, given: dict[str, Any]) -> Reply:
        if prefix := given.get("NamePrefix"):  # moto uses it as a regular expression
            request = request.with_json(given | {"NamePrefix": re.escape(prefix)})
        reply = self._moto(request)
        rules = reply.json.get("Rules", [])
        told = [{name: value for name, value in rule.items() if name != "CreatedBy"} for rule in rules]
        return reply.with_json(reply.json | {"Rules": told}) if reply.ok else reply

    def _list_targets(self, request: Request, given: dict[str, Any]) -> Reply:
        """Answer ListTargetsByRule. moto finds the next page by a target's ARN, which others may have."""
        if (rule := _rule_of(request, given)) is None:
            return self._moto(request)
        page, token = page_of(rule.targets, given, "Limit")
        return json_reply({"Targets": page} | token)

    def _put_targets(self, request: Request, given: dict[str, Any]) -> Reply:
        rule = _rule_of(request, given)
        there = {target["Id"] for target in rule.targets} if rule else set()
        if len(there | {target["Id"] for target in given["Targets"]}) > _MOST_TARGETS:
            reason = "The requested resource exceeds the maximum number allowed."
            raise RefusalError("LimitExceededException", reason)
        for number, target in enumerate(given["Targets"], 1):
            if not _ID.fullmatch(target["Id"]):
                demand = f"satisfy regular expression pattern: {_ID.pattern}"
                fault = violation(f"targets.{number}.member.id", demand, target["Id"])
                raise RefusalError("ValidationException", fault)
            if sum(name in target for name in _INPUTS) > 1:
                reason = "Only one of Input, InputPath, or InputTransformer must be provided for target"
                raise RefusalError("ValidationException", f"{reason} {target['Id']}.")
            if name := unknown_placeholder(target.get("InputTransformer") or {}):
                reason = f"InputTemplate for target {target['Id']} contains invalid placeholder {name}."
                raise RefusalError("ValidationException", reason)
        return self._moto(request)

    def _test_pattern(self, _: Request, given: dict[str, Any]) -> Reply:
        pattern = _check_pattern(given["EventPattern"])
        event = _object(given["Event"])
        if event is None or not event.keys() >= _OF_EVENTS:
            raise RefusalError("ValidationException", "Parameter Event is not valid.")
        return json_reply({"Result": matches(pattern, event)})

    def _put_events(self, request: Request, given: dict[str, Any]) -> Reply:
        entries = [self._put_event(request, entry) for entry in given["Entries"]]
        failed = sum("ErrorCode" in entry for entry in entries)
        return json_reply({"FailedEntryCount": failed, "Entries": entries})

    def _put_event(self, request: Request, entry: Mapping[str, Any]) -> dict[str, str]:
        """Send an event. Returns what the reply of PutEvents says about it."""
        if missing := next((name for name in _NEEDED if not entry.get(name)), None):
            reason = f"Parameter {missing} is not valid. Reason: {missing} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": reason}
        if entry["Source"].startswith("aws."):  # only AWS's services have such events
            code = "NotAuthorizedForSourceException"
            return {"ErrorCode": code, "ErrorMessage": "Not authorized for the source."}
        if (detail := _object(entry["Detail"])) is None:
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        at, region = entry.get("Time") or time.time(), request.scope.region
        head = new_event(entry["Source"], entry["DetailType"], ACCOUNT, region, at)
        event = head | {"resources": entry.get("Resources") or [], "detail": detail}
        self._send(event, rules_of(region, _bus_of(entry)))
        return {"EventId": head["id"]}


def new_event(source: str, kind: str, account: str, region: str, at: float) -> Event:
    """The head of a new event, whose resources and detail follow."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": source,
        "account": account,
        "time": f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": region,
    }


def status_event(change: StatusChange) -> Event:
    """The event that Step Functions sends when the status of an execution has changed."""
    told, arn, status = change.describe(), Arn.of(change.execution_arn), change.status
    runs, given, output = status == "RUNNING", told.get("input"), told.get("output")
    of_input, of_output = (len(json.dumps(text).encode()) if text else 0 for text in (given, output))
    if of_input + of_output > _LARGEST:
        given = None
    shown = None if runs or of_output > _LARGEST else output
    redrive = {"redriveStatus": "REDRIVABLE", "redriveStatusReason": None}
    if status in {"RUNNING", "SUCCEEDED"}:
        reason = f"Execution is {status} and cannot be redriven"
        redrive = {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
    redrive |= {name: told[name] for name in redrive if name in told and not runs}
    redriven = told.get("redriveDate")
    detail = {
        "executionArn": change.execution_arn,
        "stateMachineArn": change.machine_arn,
        "name": told.get("name"),
        "status": status,
        "startDate": round(float(told.get("startDate") or change.started) * 1000),
        "stopDate": None if runs else round(float(told.get("stopDate") or change.at) * 1000),
        "input": given,
        "output": shown,
        "stateMachineVersionArn": change.names.get("stateMachineVersionArn"),
        "stateMachineAliasArn": change.names.get("stateMachineAliasArn"),
        "redriveCount": told.get("redriveCount", 0),
        "redriveDate": round(float(redriven) * 1000) if redriven else None,
        **redrive,
        "inputDetails": {"included": given is not None},
        "outputDetails": {"included": shown is not None} if output and not runs else None,
        "error": told.get("error"),
        "cause": told.get("cause"),
    }
    kind = "Step Functions Execution Status Change"
    head = new_event("aws.states", kind, arn.account, arn.region, change.at)
    return head | {"resources": [change.execution_arn], "detail": detail}


def _bus_of(given: Mapping[str, Any]) -> str:
    return str(given.get("EventBusName") or "default").rpartition("/")[2]


def _rule_of(request: Request, given: Mapping[str, Any]) -> EventRule | None:
    rules = rules_of(request.scope.region, _bus_of(given))
    return next((rule for rule in rules if rule.name == given["Rule"]), None)


def _object(text: str) -> dict[str, Any] | None:
    """A JSON object; None if the text is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _check_pattern(text: str) -> Mapping[str, Any]:
    try:
        return parsed(text)
    except PatternError as error:
        reason = f"Event pattern is not valid. Reason: {error}"
        raise RefusalError("InvalidEventPatternException", reason) from error
