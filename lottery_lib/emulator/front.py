"""Stand in front of moto: answer or correct what AWS does otherwise, and pass the rest on."""

import gc
import threading
import traceback
from pathlib import Path
from typing import Protocol

from lottery_lib.emulator.dynamodb.api import DynamoDbApi
from lottery_lib.emulator.http.messages import MalformedRequestError, Reply, Request
from lottery_lib.emulator.http.replies import failure, json_error, json_reply, query_error, rest_error
from lottery_lib.emulator.iam.callers import Sessions
from lottery_lib.emulator.iam.gate import Iam
from lottery_lib.emulator.lambda_.api import LambdaApi
from lottery_lib.emulator.lambda_.concurrency import Concurrency
from lottery_lib.emulator.lambda_.output import LogWriter
from lottery_lib.emulator.lambda_.runner import Runner
from lottery_lib.emulator.logs import LogsApi
from lottery_lib.emulator.moto.application import Moto
from lottery_lib.emulator.moto.clients import EngineClients
from lottery_lib.emulator.moto.engine_texts import remember_definitions, remember_paths
from lottery_lib.emulator.pages import Pages
from lottery_lib.emulator.process.lifetime import Lifetime
from lottery_lib.emulator.process.probe import HEALTH
from lottery_lib.emulator.process.record import Record
from lottery_lib.emulator.sns.api import SnsApi
from lottery_lib.emulator.sns.mail_box import Mailbox
from lottery_lib.emulator.states.api import StatesApi

__all__ = ["Front"]


class Room(Protocol):
    """Whatever knows a service better than moto does."""

    def answer(self, request: Request) -> Reply | None:
        """The reply, or None when the request is not its own."""

    def reset(self) -> None:
        """Forget all."""


class Front:
    """All that the emulator answers.

    Args:
        record: Who this emulator is.
        folder: Its files.
        lifetime: Is told that somebody called.
        enforces_iam: Whether roles are enforced.
    """

    def __init__(self, record: Record, folder: Path, lifetime: Lifetime, enforces_iam: bool) -> None:
        self._record = record
        self._lifetime = lifetime
        self._moto = Moto(record.port)
        self._logs = LogWriter(self._moto)
        endpoint = f"http://127.0.0.1:{record.port}"
        sessions = Sessions()
        iam = Iam(sessions, enforces_iam)
        concurrency = Concurrency(self._moto)
        engine = EngineClients(self.answer, sessions)
        self._runner = Runner(folder, endpoint, self._logs, sessions)
        mailbox = Mailbox(folder / "mailbox")
        sns = SnsApi(self._moto, mailbox, endpoint)
        # moto's reset goes through all that is loaded: nothing may be loaded meanwhile.
        self._loading = threading.Lock()
        self._rooms: list[Room] = [
            iam,  # first: it refuses what others would answer
            concurrency,
            LambdaApi(self._moto, self._runner, concurrency, iam, sessions),
            StatesApi(self._moto, iam, engine.act_as),
            DynamoDbApi(self._moto),
            LogsApi(self._moto),
            sns,
            Pages(sns, mailbox),
        ]
        engine.install()
        remember_paths()

    def answer(self, request: Request) -> Reply:
        """Answer a request."""
        if request.path == HEALTH:
            return json_reply({"id": self._record.id, "pid": self._record.pid, "port": self._record.port})
        self._lifetime.request_came()
        try:
            return self._answer(request)
        except MalformedRequestError as error:
            return _malformed(request, str(error))
        except Exception as error:
            traceback.print_exc()
            return failure(request, f"the emulator failed: {error!r}", 500)

    def warm_up(self) -> None:
        """Load what first calls would wait for."""
        gc.disable()  # looking for garbage takes half of the time that loading takes
        try:
            with self._loading:
                self._moto.warm_up()
            remember_definitions()
        finally:
            gc.collect()
            gc.freeze()  # nor need what stays be looked at during a draw
            gc.enable()

    def close(self) -> None:
        """End the workers."""
        self._runner.close()

    def _answer(self, request: Request) -> Reply:
        if request.path == "/moto-api/reset" and request.method == "POST":
            return self._reset(request)
        if "x-amz-target" in request.headers and (refused := _why_not_target(request)):
            return refused
        # Whoever reads the logs must find all; and what a function wrote must not come after its end.
        if request.scope.service == "logs" or request.method == "DELETE":
            self._logs.flush()
        for room in self._rooms:
            if (reply := room.answer(request)) is not None:
                return reply
        return self._moto(request)

    def _reset(self, request: Request) -> Reply:
        for room in self._rooms:
            room.reset()
        self._logs.flush()
        with self._loading:
            reply = self._moto(request)
        self._moto.configure()
        return reply


def _why_not_target(request: Request) -> Reply | None:
    request.json  # noqa: B018 (what is no JSON is refused before moto meets it)
    if request.signed:
        return None
    return json_error("MissingAuthenticationTokenException", "Missing Authentication Token")


def _malformed(request: Request, reason: str) -> Reply:
    if request.path.startswith("/2015-03-31/"):
        return rest_error(
            "InvalidRequestContentException", f"Could not parse request body into json: {reason}"
        )
    if "x-amz-target" in request.headers:
        return json_error("SerializationException", reason)
    return query_error("MalformedInput", reason)
