"""AWS as it is recorded to behave, in front of the emulator: it delays, refuses, pages and loses replies.

What it does depends on the age of a resource and on how often it was asked for, never on chance. It stands
between botocore and the emulator by botocore's public events, so all that the library sees is real replies.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from urllib.parse import unquote

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session
from botocore.retries import quota
from kit.calls import WRITES

from lottery_lib import Stack, connect
from lottery_lib.names import Names
from lottery_lib.waiting import Waiter

NEVER = float("inf")
#: The parameter by which an operation names its resource; the first that is there.
NAMES = (
    *("RoleName", "FunctionName", "TableName", "logGroupName", "logGroupNamePrefix", "executionArn"),
    *("stateMachineArn", "TopicArn", "name", "Name", "ResourceArn", "resourceArn", "RequestItems"),
)
HTML = "<!DOCTYPE html><html><head><title>Log in to the hotel</title></head><body>Room?<br></body></html>"


@dataclass
class Ask:
    """One call: what was asked of which resource, and the how-manieth time."""

    model: object
    params: dict
    polls: int = 0
    resource: str = field(init=False)

    def __post_init__(self):
        named = next((str(self.params[name]) for name in NAMES if name in self.params), "")
        self.resource = re.split("[:/]", named)[-1]

    @property
    def operation(self):
        return self.model.name

    def answer(self, status, body, content_type="application/json", **headers):
        """Answer in place of AWS."""
        headers = {"Content-Type": content_type, **headers}
        text = body if isinstance(body, str) else json.dumps(body)
        return AWSResponse("https://aws.example", status, headers, _Body(text.encode()))

    def refusal(self, code, message, status=400):
        """Refuse as the protocol of this service does."""
        error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        match self.model.service_model.resolved_protocol:
            case "query":
                return self.answer(status, f"<ErrorResponse>{error}</ErrorResponse>", "text/xml")
            case "rest-xml":
                return self.answer(status, error, "text/xml")
        told = {"__type": code, "message": message}
        return self.answer(status, told, **{"x-amzn-ErrorType": code})


class _Body:
    def __init__(self, content):
        self.content = content

    def stream(self):
        yield self.content


#: What each client may still spend on retries.
_quotas: list[quota.RetryQuota] = []


def _noted_quota(*given):
    _quotas.append(_RetryQuota(*given))
    return _quotas[-1]


_RetryQuota = quota.RetryQuota


@cache
def _connection(region):
    """One connection for all tests of a process: its clients take longer to make than to use.

    What they ask and what they hear goes to the latest `HostileAws`.
    """
    target = connect("embedded", region=region)
    for event, hear in (
        ("before-parameter-build", HostileAws._begin),
        ("before-send", HostileAws._answer),
        ("after-call", HostileAws._edit),
    ):
        target.session.events.register(event, lambda hear=hear, **given: hear(HostileAws.latest, **given))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quota, "RetryQuota", _noted_quota)
        for each in (target, target.read_only()):
            for service in ("iam", "lambda", "logs", "sns", "dynamodb", "stepfunctions", "sts"):
                each.kit_client(service)
            each.plain_dynamodb()
    return target


class HostileAws:
    """A target of kind ``aws`` whose AWS is the emulator behind rules.

    Only the latest one is asked.

    Attributes:
        target: The target.
        emulated: The same as an emulator. A deploy there announces nothing, so it makes no plan first.
        clock: Its time, which passes when somebody sleeps.
        attempts: The operations that were asked for, in order, botocore's own retries included.
        failed: The operations that the first calls of were not answered as AWS answers.
        sent: What was sent for each attempt: address and body, as text.
    """

    def __init__(self, clock, attendee, region=None):
        HostileAws.latest = self
        connection = _connection(region)
        for each in _quotas:
            each.release(quota.RetryQuota.INITIAL_CAPACITY)  # no test pays for another
        waiter = Waiter(sleep=clock.sleep, clock=clock) if callable(clock) else Waiter()
        self.emulated = replace(connection, names=Names(attendee), waiter=waiter, _caller={})
        self.target = replace(self.emulated, kind="aws")
        self.clock = clock
        self.attempts, self.sent, self.failed = [], [], set()
        self._rules, self._edits, self._done, self._polls = [], [], {}, Counter()
        self._tokens = {}
        self._ask = None

    @property
    def writes(self):
        """The operations that were asked for and that change something."""
        return [name for name in self.attempts if name.startswith(WRITES)]

    def deploy(self, email=None):
        """Deploy the lottery as it stands before a test begins: without a plan, and forget what was asked."""
        Stack(self.emulated).deploy(email)
        self.forget()

    def forget(self):
        """Be as kind as the emulator from now on, and begin to count anew."""
        for each in (self._rules, self._edits, self.attempts, self.sent, self.failed, self._tokens):
            each.clear()

    def age(self, operation, resource):
        """Seconds since an operation on a resource succeeded; `NEVER` if it has not."""
        done = self._done.get((operation, resource))
        return NEVER if done is None else self.clock.now - done

    def happened(self, operation, resource):
        return (operation, resource) in self._done

    def rule(self, operations, answer):
        """Call `answer(ask)` before these operations; what it returns goes back in place of AWS's reply."""
        self._rules.append((_list(operations), answer))

    def edit(self, operations, change):
        """After these operations call `change(ask, reply)`, which may change the reply."""
        self._edits.append((_list(operations), change))

    def first(self, operations, times, answer, when=lambda ask: True):
        """Answer so the first calls of each operation on each resource, counted while `when(ask)` holds."""
        met = Counter()

        def counted(ask):
            key = (ask.operation, ask.resource)
            if met[key] >= times or not when(ask):
                return None
            met[key] += 1
            self.failed.add(ask.operation)
            return answer(ask)

        self.rule(operations, counted)

    def refuse(self, operations, code, message, status=400, *, times=NEVER, when=lambda ask: True):
        """Refuse these operations, the first so many times for each resource, while `when(ask)` holds."""

        def refusal(ask):
            return ask.refusal(code, message.format(name=ask.resource), status)

        self.first(operations, times, refusal, when)

    def show_html(self, operations, status, *, times):
        """Let a proxy's page come in place of the reply."""
        self.first(operations, times, lambda ask: ask.answer(status, HTML, "text/html"))

    def drop(self, operations, error=ConnectionClosedError, *, times=NEVER):
        """Let the connection break before these operations reach AWS."""

        def answer(ask):
            raise error(endpoint_url="https://aws.example", proxy_url="http://proxy", error="no such host")

        self.first(operations, times, answer)

    def lose(self, operations):
        """Let the first call of each operation on each resource happen, and lose the reply."""

        def answer(ask):
            if self.forward().status_code < 300:
                self._done[ask.operation, ask.resource] = self.clock.now
            raise ConnectionClosedError(endpoint_url="https://aws.example")

        self.first(operations, 1, answer)

    def linger(self, look, delete, seconds):
        """Let a look show a resource, as it was, for so many seconds after it was deleted."""
        shown = {}

        def answer(ask):
            if self.age(delete, ask.resource) < seconds:
                return ask.answer(200, *shown[ask.resource])
            reply = self.forward()
            shown[ask.resource] = reply.text, reply.headers["Content-Type"]
            return None

        self.rule(look, answer)

    def interrupt(self, number):
        """Let the attendee interrupt before the write call of this number, counted from 0."""

        def answer(ask):
            if ask.operation.startswith(WRITES) and len(self.writes) == number + 1:
                raise KeyboardInterrupt

        self._rules.append((None, answer))

    def interrupt_after(self, operation):
        """Let the attendee interrupt when this operation has happened."""

        def change(ask, reply):
            raise KeyboardInterrupt

        self.edit(operation, change)

    def forward(self, body=None):
        """Let the emulator answer the present call, or the same call with another JSON body."""
        if body is not None:
            self._request.body = json.dumps(body).encode()
            self._request.headers["Content-Length"] = str(len(self._request.body))
        return URLLib3Session().send(self._request)

    def leave_unprocessed(self, number, *, times):
        """Let a batch write take all items but so many at a time, and hand those back."""
        left = Counter()

        def answer(ask):
            (table, requests), *_ = json.loads(self._request.body)["RequestItems"].items()
            left[ask.operation] += 1
            taken = len(requests) - number if left[ask.operation] <= times else len(requests)
            if taken > 0:
                self.forward({"RequestItems": {table: requests[:taken]}})
            rest = requests[max(taken, 0) :]
            return ask.answer(200, {"UnprocessedItems": {table: rest} if rest else {}})

        self.rule("BatchWriteItem", answer)

    def page(self, operation, key, given="nextToken", told="nextToken"):
        """Let a list come in three pages, of which the first is empty."""

        def change(ask, reply):
            page = int((ask.token or "p1").removeprefix("p"))
            reply[key] = [[], reply[key][:1], reply[key][1:]][page - 1]
            reply.pop(told, None)
            if page < 3:
                reply[told] = f"p{page + 1}"
                reply["IsTruncated"] = True

        self.edit(operation, change)
        self._tokens[operation] = given

    def _begin(self, params, model, **_):
        token = params.pop(self._tokens.get(model.name, ""), None)
        self._ask = Ask(model, dict(params))
        self._ask.token = token

    def _answer(self, request, **_):
        ask, self._request = self._ask, request
        self.attempts.append(ask.operation)
        self.sent.append(unquote(f"{request.url} {_text(request.body)}"))
        self._polls[ask.operation, ask.resource] += 1
        ask.polls = self._polls[ask.operation, ask.resource]
        for operations, answer in self._rules:
            concerned = operations is None or ask.operation in operations
            if concerned and (reply := answer(ask)) is not None:
                return reply
        return None

    def _edit(self, http_response, parsed, **_):
        if http_response.status_code >= 300:
            return
        ask = self._ask
        self._done[ask.operation, ask.resource] = self.clock.now
        for operations, change in self._edits:
            if ask.operation in operations:
                change(ask, parsed)


def _text(body):
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")


def _list(operations):
    return operations.split() if isinstance(operations, str) else operations
