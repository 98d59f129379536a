"""Say at which address a browser reaches a page of this machine.

On JupyterHub, Binder and Codespaces, a browser sees nothing of the machine but the Jupyter server. So the
pages of the kit come through that server: an extension of it passes them on, and tells kernels and terminals
how.
"""

import atexit
import os
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
from jupyter_core.paths import jupyter_runtime_dir

from lottery_lib.errors import LotteryError
from lottery_lib.local_emulator import emulator
from lottery_lib.translation import _

#: The environment variable with the beginning of such addresses: ``https://hub.example/user/ann/proxy/``.
PROXY: Final = "LOTTERY_PROXY"
_HERE: Final = re.compile(r"http://(?:127\.0\.0\.1|localhost)(:\d+)")


def in_browser(text: str) -> str:
    """The same text, with the addresses of this machine as the learner's browser has to ask for them.

    Args:
        text: An address such as ``http://127.0.0.1:5000/page``, or a text with some.
    """
    proxy = os.environ.get(PROXY)
    return _HERE.sub(rf"{proxy}127.0.0.1\1", text) if proxy else text


def behind(port: int) -> str | None:
    """The address in the browser of a server that must know it; None if the browser sees this machine."""
    proxy = os.environ.get(PROXY)
    return f"{proxy}absolute/127.0.0.1:{port}/" if proxy else None


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def listen(ports: Sequence[int], *, lan: bool = False) -> socket.socket:
    """Listen at the first of these ports that is free.

    Args:
        ports: The ports; 0 is any that is free.
        lan: Whether other machines may connect.

    Raises:
        LotteryError: None is free.
    """
    from tornado.netutil import bind_sockets  # noqa: PLC0415 - most commands serve nothing

    for port in ports:
        with suppress(OSError, OverflowError):
            # Not localhost: a browser looks for it at ::1, too, where another user may listen.
            return bind_sockets(port, "0.0.0.0" if lan else "127.0.0.1", family=socket.AF_INET)[0]
    where = _("port {port}", port=ports[0])
    raise LotteryError(where, _("is taken, or you may not use it"), _("Give another with --port"))


def lan_address() -> str:
    """This machine's address in the room's network.

    Raises:
        LotteryError: It is in no network.
    """
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only asks the system for the way
            return str(probe.getsockname()[0])
    except OSError as error:
        next_step = _("Connect it to the room's network")
        raise LotteryError(_("this computer"), _("is in no network"), next_step) from error


def serve_at(port: int) -> None:
    """Note that this process serves pages of the kit at a port, until it ends."""
    note = _note(os.getpid(), port)
    note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    note.touch(mode=0o600)
    atexit.register(note.unlink, missing_ok=True)


def is_served(port: int) -> bool:
    """Whether the user's emulator has this port, or a process that has noted it and listens there."""
    if emulator("find", port)["running"]:
        return True
    notes = Path(jupyter_runtime_dir()).glob(_note("*", port).name)
    return any(_listens(int(note.stem.split("-")[1]), port) for note in notes)


def _note(pid: object, port: int) -> Path:
    return Path(jupyter_runtime_dir(), f"lottery-{pid}-{port}.port")


def _listens(pid: int, port: int) -> bool:
    """Whether this process, which may have ended, listens at a port."""
    try:
        sockets = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:  # it has ended, or another user's process has its number now
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in sockets)
