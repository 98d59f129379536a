"""Run an emulator for as long as a block of code needs it."""

import contextlib
import http.client
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import methodcaller
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sfn_emulator import control
from sfn_emulator.errors import EmulatorError
from sfn_emulator.process.environment import SETTINGS
from sfn_emulator.process.record import folder_of
from sfn_emulator.translation import _

#: pytest shows the line of the test, and not ours.
__tracebackhide__ = methodcaller("errisinstance", EmulatorError)


@dataclass(frozen=True)
class Emulator:
    """An emulator that runs.

    Args:
        endpoint: Its address, such as ``"http://127.0.0.1:5000"``.
        access_key_id: Its access key. Who has it can do everything there.
        folder: The folder of its files; None if it is not known.
    """

    endpoint: str
    access_key_id: str
    folder: Path | None = None

    @property
    def client_arguments(self) -> dict[str, str]:
        """The arguments with which ``boto3.client`` and ``boto3.resource`` reach it."""
        return {
            "endpoint_url": self.endpoint,
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": "any",
            "region_name": "us-east-1",
        }

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables with which AWS's clients reach it, in any language and in `aws`."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_ACCESS_KEY_ID": self.access_key_id,
        }

    def advance(self, time: float | str) -> datetime:
        """Let time pass in an emulator with ``clock="virtual"`` or ``clock="skipping"``.

        Waits, Retries, time-outs, heartbeats and alarms that are due on the way happen, one moment after the
        other. Functions that run end first.

        Args:
            time: Seconds, or a text such as ``"90s"``, ``"5m"``, ``"1h"`` or ``"2d"``.

        Returns:
            The time then, in UTC.

        Raises:
            EmulatorError: It is no time, or the clock is that of the machine.
        """
        from states_language.machine import MachineError, seconds  # noqa: PLC0415 (few need it)

        try:
            told = self._post("/_emulator/clock", {"advance": seconds(time)})
        except MachineError as error:
            raise EmulatorError("advance", str(error).rstrip("."), _("Give another time")) from None
        if "now" not in told:
            where = _("emulator at {endpoint}", endpoint=self.endpoint)
            next_step = _("Try again") if told.get("moves") else _('Start it with clock="virtual"')
            raise EmulatorError(where, told["message"], next_step)
        return datetime.fromtimestamp(told["now"], UTC)

    def mock(self, machine: str, state: str, answers: Any) -> None:
        """Let a Task get an answer without a call, from its next call on.

            emulator.mock("order", "Charge", {"paid": True})
            emulator.mock("order", "Charge", [Error("GatewayDown", "no answer"), {"paid": True}])
            emulator.mock("order", "Charge", None)

        Args:
            machine: The name or the ARN of a state machine. It need not exist yet.
            state: The name of a Task. Each execution has its own count of the calls.
            answers: The result; or an error: `states_language.Error` or ``{"Throw": {"Error": name, "Cause":
                text}}``; or a list with one of these for each call, where the last one holds for all further
                calls; or None to remove the mock. ``{"Return": value}`` is a result of any kind, also a list.

        Raises:
            EmulatorError: The machine has no such Task, or an answer is none.
        """
        each = list(answers) if isinstance(answers, list | tuple) else [answers]
        wanted = None if answers is None else [_as_answer(state, answer) for answer in each]
        told = self._post("/_emulator/mock", {"machine": machine, "state": state, "answers": wanted})
        if "error" in told:
            raise EmulatorError(*told["error"])

    def reset(self) -> None:
        """Delete all its resources, mails and mocks.

        Raises:
            EmulatorError: It does not answer.
        """
        self._post("/moto-api/reset")

    def mailbox(self) -> str:
        """A link to the page of its mails, which works once; then the browser has a cookie.

        Raises:
            EmulatorError: It does not answer.
        """
        ticket = self._post("/_emulator/mail/ticket")["ticket"]
        return f"{self.endpoint}/_emulator/mail/?ticket={ticket}"

    def _post(self, path: str, body: Any = None) -> Any:
        """Send a request with the key. This uses `http.client`, because it ignores proxy variables."""
        where = _("emulator at {endpoint}", endpoint=self.endpoint)
        scope = f"{self.access_key_id}/20000101/us-east-1/sns/aws4_request"
        signature = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=any"
        connection = http.client.HTTPConnection(urlsplit(self.endpoint).netloc, timeout=600)
        headers = {"Authorization": signature, "Connection": "close"}
        try:
            connection.request("POST", path, None if body is None else json.dumps(body), headers)
            told = json.loads(connection.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException) as error:
            what = _("it does not answer ({reason})", reason=error)
            raise EmulatorError(where, what, _("Start it again")) from error
        finally:
            connection.close()
        if "__type" in told:  # AWS's form of a refusal: the key is that of an earlier emulator, for example
            raise EmulatorError(where, told["message"].rstrip("."), _("Start it again"))
        return told


def _as_answer(state: str, given: Any) -> Any:
    """An answer in Step Functions Local's form."""
    from states_language import Error  # noqa: PLC0415 (few need it)

    where, error_form = _("mock of {state!r}", state=state), '{"Throw": {"Error": NAME, "Cause": TEXT}}'
    if isinstance(given, Error):
        cause = {} if given.cause is None else {"Cause": given.cause}
        return {"Throw": {"Error": given.name, **cause}}
    if isinstance(given, dict) and "Error" in given and given.keys() <= {"Error", "Cause"}:
        what = _("{given!r} may be an error or a result", given=given)
        next_step = _("Write {error}, or {result}", error=error_form, result='{"Return": VALUE}')
        raise EmulatorError(where, what, next_step)
    try:
        json.dumps(given, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        what = _("{given!r} is not JSON", given=given)
        raise EmulatorError(where, what, _("Write a JSON value, or {error}", error=error_form)) from error
    is_answer = isinstance(given, dict) and given.keys() in ({"Return"}, {"Throw"})
    return given if is_answer else {"Return": given}


@contextlib.contextmanager
def running(
    *,
    python: str | None = None,
    environ: Mapping[str, str] | None = None,
    **settings: str | os.PathLike[str] | None,
) -> Iterator[Emulator]:
    """Start an emulator of its own at a free port, and end it after the block, or with this process.

    Several processes can do this at the same time. Its files are removed at its end.

    Args:
        python: The Python of another environment, with ``sfn-emulator[server]``. A project with its own
            version of moto can use it.
        environ: Where it finds its settings, such as ``SFN_EMULATOR_IAM``. Default: this process's variables.
        settings: Settings by their names: ``clock="virtual"`` if time shall stand and move only with
            `Emulator.advance`, ``clock="skipping"`` if it shall jump over Waits and the intervals of Retries;
            ``mock_config``, a file with test cases in Step Functions Local's format; ``iam``, ``fork`` and
            ``lang``. Default: what the variables say.

    Yields:
        The emulator. It has no resources.

    Raises:
        EmulatorError: It cannot start.
        TypeError: There is no such setting.
    """
    if unknown := settings.keys() - SETTINGS.keys():
        names = {"unknown": ", ".join(sorted(unknown)), "known": ", ".join(SETTINGS)}
        raise TypeError(_("running() has no setting {unknown}. It has: {known}.", **names))
    if wanted := {SETTINGS[name]: os.fspath(it) for name, it in settings.items() if it is not None}:
        environ = {**(os.environ if environ is None else environ), **wanted}
    folder = folder_of(name=f"run-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        state = control.start(while_pid=os.getpid(), python=python, environ=environ, temporary=folder)
        yield Emulator(state["endpoint"], state["access_key_id"], folder)
    finally:
        control.stop(temporary=folder)
