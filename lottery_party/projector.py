"""Serve the pages of draw night to one browser, and say before what is missing."""

import base64
import hashlib
import logging
import re
import secrets
import shlex
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import traitlets
from voila.app import Voila

from lottery_lib.addresses import behind, free_port, serve_at
from lottery_lib.command_line import open_page, say
from lottery_lib.employees import MOST_BYTES, tutorial_roster
from lottery_lib.files import MB, read_limited, state_folder, write_new
from lottery_lib.mails import inbox
from lottery_lib.names import Names
from lottery_lib.private_jupyter import Nothing, private_sockets, say_nothing_outside
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.target import Target
from lottery_lib.translation import _
from lottery_party import evening_file

_HERE: Final = Path(__file__).parent
#: What the pages may load: only what this server sends, or what they contain. Voila's own page asks a server
#: in the Internet for its icons. Without a network, a browser could wait for it before it shows anything.
_LOCAL: Final = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "connect-src 'self' data: blob: ws://localhost:* ws://127.0.0.1:*; frame-ancestors 'self'"
)


class Projector(Voila):  # type: ignore[misc]
    """Voila, whose page opens only with a token, and loads nothing from other machines.

    Without a token, every user of the machine could press Draw.
    """

    @traitlets.default("tornado_settings")  # type: ignore[untyped-decorator]
    def _only_local(self) -> dict[str, object]:
        # The largest list of guests comes in one message. Tornado takes 10 MiB.
        return {
            "headers": {"Content-Security-Policy": _LOCAL},
            "websocket_max_message_size": MOST_BYTES + MB,
        }

    def initialize(self, argv: Sequence[str] | None = None) -> None:
        """Print the address in a sentence, and nothing else of Voila's log but warnings."""
        super().initialize(argv)
        self.log.addFilter(_is_for_people)

    def setup_template_dirs(self) -> None:
        """Take `spinner.macro.html.j2` of this folder: Voila's own has English words."""
        super().setup_template_dirs()
        self.template_paths.insert(0, str(_HERE))

    def init_handlers(self) -> list[object]:
        """Voila's own handlers, for this machine's own names and below the base path alone.

        Voila itself serves the log-in page outside. There it tells the path to everybody.
        """
        # A foreign page can let its own name lead here (DNS rebinding).
        self.app.add_handlers(r"(?!(localhost|127\.0\.0\.1)$).*", [(r".*", Nothing)])
        say_nothing_outside(self.app, base := self.base_url)
        return [
            (path if path.startswith(base) else base + path.lstrip("/"), *rest)
            for path, *rest in super().init_handlers()
        ]

    def launch_browser(self) -> None:
        """Open the page with its token. Voila itself would open it without."""
        open_page(f"{self.connection_url}?token={self.identity_provider.token}")


def _is_for_people(record: logging.LogRecord) -> bool:
    """Whether to print a line of Voila's log. Of its remarks, the address is said in our words."""
    if address := re.search(r"running at:\s+(\S+)", record.getMessage()):
        told = _(
            "The operator's page is at this address:\n\n    {address}\n\nCtrl-C stops it.", address=address[1]
        )
        say(told)
    return record.levelno >= logging.WARNING


def missing(target: Target, file: Path) -> list[str]:
    """Say what an operator may have forgotten, a sentence each: the roster, the mail, the file from before.

    Args:
        target: Where the party's lottery is deployed.
        file: Where the evening is saved.
    """
    sentences = []
    employees = Table(target, target.names.employee_table)
    if {*employees.all_keys()} == {each["employee_id"] for each in tutorial_roster().employees}:
        command = f"LOTTERY_ATTENDEE={target.names.attendee} lottery employees load FILE"
        sentences.append(
            _(
                "Only the ten employees of the tutorial can win. Load your guests with `{command}`, or on "
                "the page.",
                command=command,
            )
        )
    if inbox(target).reaches_nobody:
        sentences.append(inbox(target).where)
    if evening_file.lacking(target, file):
        sentences.append(
            _(
                "{file} has an evening that the tables do not have. Go on with it: `{command}`.",
                file=file,
                command=f"lottery night restore {shlex.quote(str(file))}",
            )
        )
    return sentences


def secret_of(names: Names, evening: str) -> bytes:
    """The secret of an evening's pages. It stays, so that open pages come back if the server starts again."""
    file = state_folder("lottery-party") / f"{names.attendee}.{evening}"
    with suppress(OSError):
        return read_limited(file, 100)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_new(file, secret := secrets.token_bytes(32))
    return secret


def serve(port: int, *, browser: bool, secret: bytes) -> None:
    """Serve the notebook `draw_night` on this machine, until Ctrl-C. It prints the address with the token.

    Args:
        port: The port; if it is taken, one of the next.
        browser: Whether to open the page in a browser.
        secret: What decides the path of the pages and signs their cookies (32 bytes). The token is a new one.
    """
    path = f"/{base64.urlsafe_b64encode(secret[:12]).decode()}/"
    # 127.0.0.1 and not localhost: a browser looks for `localhost` at ::1, too, where another user may listen.
    options = ["--token", f"--Voila.root_dir={_HERE}", "--Voila.ip=127.0.0.1"]
    # A proxy leads to one port, and no browser can be opened from here.
    if address := behind(fixed := free_port()):
        browser, port, path = False, fixed, urlsplit(address).path + path[1:]
        shown = urlsplit(address)._replace(path=path).geturl()
        options += ["--Voila.port_retries=0", f"--Voila.custom_display_url={shown}"]
        serve_at(port)
    # A browser sends a cookie to every port of this machine, but only to its path, which nobody can guess.
    options += [f"--port={port}", f"--Voila.base_url={path}"]
    # Voila makes a folder of its own for the files of kernels.
    sockets = private_sockets(Path(tempfile.gettempdir(), "voila_12345678"))
    options += [f"--KernelManager.{name}={value}" for name, value in sockets.items()]
    options += [] if browser else ["--no-browser"]
    signs = hashlib.sha256(secret).digest()  # not the bytes that are in the path
    Projector.launch_instance([str(_HERE / "draw_night.ipynb"), *options], cookie_secret=signs)
