"""Keep the other users of this machine away from the Jupyter servers and kernels that the kit starts."""

import os
import re
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from tornado.web import Application, HTTPError, RequestHandler

#: The longest path of a socket: macOS allows 103 bytes, Linux 107.
_LONGEST: Final = 103


def private_sockets(folder: Path) -> dict[str, str]:
    """Settings of Jupyter's `KernelManager` for kernels whose files are in a folder that is only yours.

    Their sockets are in that folder. If its path is too long for a socket, and on Windows, they are TCP ports
    with encryption.
    """
    longest = folder / f"kernel-{UUID(int=0)}-ipc-5"
    if os.name == "posix" and len(os.fsencode(longest)) <= _LONGEST:
        return {"transport": "ipc"}
    return {"transport_encryption": "required"}


class Nothing(RequestHandler):
    """Answers without a word about the server. Jupyter's own pages for errors tell its secret path.

    It logs nothing: everybody can ask for it, so everybody could write into the owner's terminal.
    """

    def check_xsrf_cookie(self) -> None:
        """Refuse a form like everything else."""

    def prepare(self) -> None:
        """Refuse every method."""
        raise HTTPError(404)

    def log_exception(self, *_raised: object) -> None:
        """Say nothing about what was refused."""

    def _log(self) -> None:
        """Say nothing about the request."""


def say_nothing_outside(app: Application, base: str) -> None:
    """Answer with nothing to all requests outside a server's base path."""
    app.add_handlers(".*", [(rf"(?!{re.escape(base)}).*", Nothing)])


def _load_jupyter_server_extension(server: Any) -> None:
    """Answer with nothing outside the base path, as an extension of Jupyter Server."""
    say_nothing_outside(server.web_app, server.base_url)
