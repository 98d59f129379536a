"""Run an emulator for as long as a block of code needs it."""

import contextlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from sfn_emulator import control


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


@contextlib.contextmanager
def running(*, python: str | None = None) -> Iterator[Emulator]:
    """Start an emulator of its own at a free port, and end it after the block, or with this process.

    Args:
        python: The Python of another environment, with ``sfn-emulator[server]``. A project with its own
            version of moto can use it.

    Yields:
        The emulator. It has no resources.

    Raises:
        EmulatorError: It cannot start.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    try:
        state = control.start(port, while_pid=os.getpid(), python=python)
        yield Emulator(state["endpoint"], state["access_key_id"])
    finally:
        control.stop(port)
