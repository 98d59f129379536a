"""Run an emulator for as long as a block of code needs it."""

import contextlib
import http.client
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from sfn_emulator import control
from sfn_emulator.errors import EmulatorError
from sfn_emulator.process.record import folder_of
from sfn_emulator.translation import _


@dataclass(frozen=True)
class Emulator:
    """An emulator that runs.

    Args:
        endpoint: Its address, such as ``"http://127.0.0.1:5000"``.
        access_key_id: Its access key. Who has it can do everything there.
    """

    endpoint: str
    access_key_id: str

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
        """Let time pass in an emulator with ``clock="virtual"``.

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
            raise EmulatorError("advance", str(error).rstrip("."), _("Try again")) from error
        if "now" not in told:
            where = _("emulator at {endpoint}", endpoint=self.endpoint)
            raise EmulatorError(where, told["message"], _('Start it with clock="virtual"'))
        return datetime.fromtimestamp(told["now"], UTC)

    def reset(self) -> None:
        """Delete all its resources and mails.

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
        scope = f"{self.access_key_id}/20000101/us-east-1/sns/aws4_request"
        signature = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=any"
        connection = http.client.HTTPConnection(urlsplit(self.endpoint).netloc, timeout=600)
        headers = {"Authorization": signature, "Connection": "close"}
        try:
            connection.request("POST", path, None if body is None else json.dumps(body), headers)
            return json.loads(connection.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException) as error:
            where = _("emulator at {endpoint}", endpoint=self.endpoint)
            what = _("it does not answer ({reason})", reason=error)
            raise EmulatorError(where, what, _("Start it again")) from error
        finally:
            connection.close()


@contextlib.contextmanager
def running(
    *, python: str | None = None, environ: Mapping[str, str] | None = None, clock: str | None = None
) -> Iterator[Emulator]:
    """Start an emulator of its own at a free port, and end it after the block, or with this process.

    Several processes can do this at the same time. Its files are removed at its end.

    Args:
        python: The Python of another environment, with ``sfn-emulator[server]``. A project with its own
            version of moto can use it.
        environ: Where it finds its settings, such as ``SFN_EMULATOR_IAM``. Default: this process's variables.
        clock: ``"virtual"`` if time shall stand and move only with `Emulator.advance`; ``"machine"`` for this
            machine's clock. Default: what the settings say.

    Yields:
        The emulator. It has no resources.

    Raises:
        EmulatorError: It cannot start.
    """
    if clock is not None:
        environ = {**(os.environ if environ is None else environ), "SFN_EMULATOR_CLOCK": clock}
    folder = folder_of(name=f"run-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        state = control.start(while_pid=os.getpid(), python=python, environ=environ, temporary=folder)
        yield Emulator(state["endpoint"], state["access_key_id"])
    finally:
        control.stop(temporary=folder)
