"""Send each request to the service that its signature names. moto answers for some other services.

To add a service that moto does not answer as AWS does, write a class with `answer` and `reset` and add it to
the table in `Router`. To offer a service that moto answers as AWS does, add its name to `_STORES`.
"""

import gc
import re
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from sfn_emulator.dynamodb.api import DynamoDbApi
from sfn_emulator.http.authentication import Sessions
from sfn_emulator.http.messages import MalformedRequestError, RefusalError, Reply, Request
from sfn_emulator.http.normalization import normalized
from sfn_emulator.http.parameters import fault_of
from sfn_emulator.http.protocols import SERVICE as CLOUDWATCH
from sfn_emulator.http.protocols import error_in_protocol_of, in_json, in_protocol_of
from sfn_emulator.http.replies import denied, json_reply, malformed, page, unknown_operation
from sfn_emulator.http.same_origin import OriginCheck
from sfn_emulator.iam.authorization import Authorizer
from sfn_emulator.lambda_.api import LambdaApi
from sfn_emulator.lambda_.runner import Runner
from sfn_emulator.logs import LogsApi, LogWriter
from sfn_emulator.pages import LINKED, Pages
from sfn_emulator.process.environment import Clock
from sfn_emulator.process.pool import Pool
from sfn_emulator.process.record import HEALTH, Record
from sfn_emulator.process.timers import Timers
from sfn_emulator.s3 import S3Api
from sfn_emulator.sns.api import SnsApi
from sfn_emulator.sns.mail import Mailbox
from sfn_emulator.states.api import StatesApi
from sfn_emulator.states.calls import Calls
from sfn_emulator.states.mocks import Mocks
from sfn_emulator.states.world import World
from sfn_emulator.storage.application import Moto
from sfn_emulator.storage.clients import Clients
from sfn_emulator.watching.changes import StatusChange
from sfn_emulator.watching.cloudwatch import CloudWatchApi
from sfn_emulator.watching.events import EventsApi

_RESET: Final = ("POST", "/moto-api/reset")
#: The services for which moto answers alone. It keeps what it is given, and gives it back.
#: It has more services, such as Comprehend or EC2, but invents what they would find, run or start.
_STORES: Final = frozenset(
    ("appconfig", "ecr", "firehose", "iam", "kinesis", "kms", "route53", "scheduler", "secretsmanager")
) | {"sqs", "ssm", "sts", "swf", "tagging"}
#: What moto invents: findings, what a command printed, a secret that was not changed, and partners.
_INVENTED: Final = {
    "ecr": {"DescribeImageScanFindings", "StartImageScan"},
    "events": {"CreatePartnerEventSource", "PutPartnerEvents"},
    "secretsmanager": {"RotateSecret"},
    "ssm": {"GetCommandInvocation", "ListCommands", "SendCommand"},
}
#: What moto adds to IAM's answers: parts of a second, and what AWS does not say of a new role.
_MOTOS: Final = rb"(?<=:\d\d)\.\d+(?=Z<)"
_MOTOS_NEW: Final = rb"|<MaxSessionDuration>\d+</MaxSessionDuration>|<RoleLastUsed ?/>"


class Service(Protocol):
    """A service that moto does not answer as AWS does."""

    def answer(self, request: Request) -> Reply:
        """Reply to a request whose signature names this service."""

    def reset(self) -> None:
        """Forget everything."""


class LateService:
    """A service that most emulators do not need. It is made at its first request.

    Args:
        make: Imports and makes it.
    """

    def __init__(self, make: Callable[[], Service]) -> None:
        self._make = make
        self._made: Service | None = None
        self._making = threading.Lock()

    def answer(self, request: Request) -> Reply:
        """Reply to a request."""
        with self._making:
            self._made = self._made or self._make()
        return self._made.answer(request)

    def reset(self) -> None:
        """Forget everything."""
        if self._made is not None:
            self._made.reset()


class Router:
    """Answers all requests to the emulator.

    Args:
        record: Which emulator this is.
        folder: The folder of its files.
        request_came: Called at each request.
        enforces_iam: Whether policies are enforced.
        access_key: The owner's access key.
        clock: How time goes.
        mock_config: The file with test cases in Step Functions Local's format.
    """

    def __init__(
        self,
        record: Record,
        folder: Path,
        request_came: Callable[[], None],
        *,
        enforces_iam: bool,
        access_key: str,
        clock: Clock = "machine",
        mock_config: Path | None = None,
    ) -> None:
        self._record = record
        self._request_came = request_came
        self._moto = Moto()
        endpoint = f"http://127.0.0.1:{record.port}"
        sessions = Sessions()
        self._origin_check = OriginCheck(record.port, record.allowed_hosts, LINKED)
        self._authorizer = Authorizer(sessions, enforces_iam, access_key)
        writer = LogWriter(self._moto)
        self._runner = Runner(folder, endpoint, writer, sessions)
        mailbox = Mailbox(folder / "mailbox")
        sns = SnsApi(self._moto, mailbox, endpoint, self._authorizer)
        self._pool = Pool()
        self._timers = Timers(self._pool, clock)
        cloudwatch = CloudWatchApi(self._moto, sns.publish_for, timers=self._timers)
        events = EventsApi(self._moto, sns.publish_for, self._authorizer, self._pool)

        def announce(change: StatusChange) -> None:
            try:
                cloudwatch.status_changed(change)
                events.status_changed(change)
            except Exception:  # whoever watches an execution does not change it
                traceback.print_exc()

        clients = Clients(self.answer)
        calls = Calls(clients, sessions.of_machine)

        def why_not(role: str, machine: str) -> str:
            return self._authorizer.why_not(role, "states:StartExecution", machine)

        world = World(
            self._pool,
            self._timers,
            calls,
            may_start=why_not,
            announce=announce,
            writer=writer,
            mocks=Mocks(mock_config),
        )
        self._authorizer.machine_of = world.machine_of
        states = StatesApi(self._moto, self._authorizer, world)
        self._pages = Pages(sns, mailbox, endpoint, self._timers, states)

        def cloudformation() -> Service:
            from sfn_emulator.cloudformation.api import CloudFormationApi  # noqa: PLC0415

            return CloudFormationApi(clients, self.answer, self._authorizer, sessions, access_key)

        # The key is the service that the signature names. moto answers those of `_STORES`. A reset goes
        # through them in this order: first nothing runs any more that could fill the others again.
        self._services: Final[Mapping[str, Service]] = {
            "states": states,
            "cloudformation": LateService(cloudformation),
            "dynamodb": DynamoDbApi(self._moto),
            "events": events,
            "lambda": LambdaApi(self._moto, self._runner, self._authorizer, sessions, self.answer),
            "logs": LogsApi(self._moto, writer),
            "s3": S3Api(self._moto),
            "monitoring": cloudwatch,
            "sns": sns,
        }
        # moto's reset goes through everything that is loaded. Nothing may be loaded at the same time.
        self._loading = threading.Lock()

    def refuse(self, request: Request) -> Reply | None:
        """Refuse a request by its headers, before its body is read; None if the request may come in."""
        try:
            self._origin_check.check(request)
        except RefusalError as error:
            is_browser = "text/html" in request.headers.get("accept", "")
            message = f"<p>{error.message}</p>"
            return (
                page("Refused", message, error.status) if is_browser else error_in_protocol_of(request, error)
            )
        try:
            if request.path.startswith("/moto-api") and (request.method, request.path) != _RESET:
                raise RefusalError("NotFound", "The emulator serves nothing of moto's own interface", 404)
            # Links, pages and the health check need neither a key nor a body.
            if request.signed or request.has_body:
                self._authorizer.caller(request)
        except RefusalError as error:
            return error_in_protocol_of(request, error)
        return None

    def receive(self, request: Request) -> Reply:
        """Answer a request that came over the network and was not refused."""
        if request.path == HEALTH:
            return json_reply({"id": self._record.id, "pid": self._record.pid, "port": self._record.port})
        return self.answer(request)

    def answer(self, request: Request) -> Reply:
        """Answer a request that was not refused, or that a state machine, a stack or a service makes."""
        self._request_came()
        try:
            return self._answer(request)
        except RefusalError as error:
            refusal = error
        except MalformedRequestError as error:
            refusal = malformed(request, str(error))
        except Exception as error:
            traceback.print_exc()
            is_cloudwatch = request.scope.service == CLOUDWATCH
            refusal = fault_of(in_json(request) if is_cloudwatch else request, error)
        return error_in_protocol_of(request, refusal)

    def warm_up(self) -> None:
        """Load modules now, so that the first calls do not wait for them."""
        gc.disable()  # garbage collection would take half of the loading time
        try:
            with self._loading:
                self._moto.warm_up()
        finally:
            gc.collect()
            gc.freeze()  # later collections skip these objects
            gc.enable()

    def close(self) -> None:
        """End the workers."""
        self._runner.close()

    def _answer(self, request: Request) -> Reply:
        is_owner = self._authorizer.is_owner(request)
        is_reset, as_it_came = (request.method, request.path) == _RESET, request
        for_people = not request.signed or (is_owner and request.path.startswith("/_emulator/"))
        if for_people and (reply := self._pages.answer(request, is_owner=is_owner)):
            return reply
        if request.signed and request.scope.service == CLOUDWATCH:
            request = in_json(request)
        if "x-amz-target" in request.headers:
            request.json  # noqa: B018 (this refuses a body that is not JSON)
        if request.signed and not is_reset:
            request = normalized(request)
        self._authorizer.check(request)
        if is_reset:
            return self._reset(request)
        service = request.scope.service
        if service == "sts" and (identity := self._authorizer.identity(request)):
            return identity
        if request.operation in _INVENTED.get(service, ()):
            raise unknown_operation(request)
        if service in self._services:
            reply = self._services[service].answer(request)
        elif service in _STORES:
            reply = self._moto(request)
        else:
            raise unknown_operation(request)
        if service == CLOUDWATCH:
            return in_protocol_of(as_it_came, reply)
        if service != "iam":
            return reply
        added = _MOTOS + _MOTOS_NEW * (request.operation == "CreateRole")
        return replace(reply, body=re.sub(added, b"", reply.body))

    def _reset(self, request: Request) -> Reply:
        if not self._authorizer.is_owner(request):
            raise denied(request, "Only the emulator's own access key may reset it")
        for service in self._services.values():
            service.reset()
        with self._loading:
            return self._moto(request)
