"""Serve the pages of an evening from one process, and say before what is missing.

A page is one file. What it shows comes over a WebSocket, on which both sides first prove that they know the
evening's key: the other users of this machine can take a port that is free, but not the key.
"""

import asyncio
import atexit
import base64
import hmac
import json
import logging
import os
import re
import secrets
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import tornado.iostream
import tornado.web
import tornado.websocket
from tornado.httpserver import HTTPServer

from lottery_lib.addresses import behind, free_port, listen, serve_at
from lottery_lib.command_line import open_page, say
from lottery_lib.employees import MOST_BYTES, tutorial_roster
from lottery_lib.errors import LotteryError
from lottery_lib.files import MB, read_limited, state_folder, write_over
from lottery_lib.mails import inbox
from lottery_lib.names import Names
from lottery_lib.private_jupyter import Nothing
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.target import Target
from lottery_lib.translation import _
from lottery_party import evening_file, page
from lottery_party.evening import Evening
from lottery_party.night import Night

#: Seconds: in which a header must come, and a page must prove itself; that a page may take to read.
_HEADER: Final = 10.0
_PATIENCE: Final = 30.0
_MOST_CONNECTIONS: Final = 128
_MOST_UNPROVED: Final = 4096  # bytes of a message of somebody unknown
_MOST_MESSAGE: Final = MOST_BYTES * 4 // 3 + MB  # the largest list of guests, in base64
_KEY: Final = 32  # bytes
_FROM: Final = "LOTTERY_NIGHT_FROM"  # what one language of the pages leaves to the next
#: What the stage gets of `Night.shown`, beside words of its own. The operator's page gets all.
_STAGE: Final = ("title", "first", "names", "scene", "moment", "theme", "pictures")


@dataclass(frozen=True)
class Door:
    """Where the pages of an evening are, and what opens them. Path, token and cookie are new at each start.

    Attributes:
        evening: The evening's name.
        file: Where it is saved.
        address: The address of this port behind a proxy; empty if the browser sees this machine.
        port: The port of this machine.
        path: The path below which the pages are; it begins and ends with ``/``.
        token: What the printed address has, for the first page of a browser.
        cookie: What a browser keeps for the others.
        check: The address of an independent check page, and the SHA-256 of its file; or nothing.
    """

    evening: str
    file: str
    address: str
    port: int
    path: str
    token: str
    cookie: str
    check: Sequence[str] = ()

    @property
    def base(self) -> str:
        """The path above the secret one."""
        return self.path[: self.path[:-1].rindex("/") + 1]

    @property
    def origin(self) -> str:
        """The site that is this server, as a browser names it. Localhost is not: ::1 may be somebody else."""
        seen = urlsplit(self.address)
        return f"{seen.scheme}://{seen.netloc}" if self.address else f"http://127.0.0.1:{self.port}"

    @property
    def start(self) -> str:
        """Which start of the server this is. It does not tell the path."""
        return sha256(self.path.encode()).hexdigest()[:32]

    @property
    def hosts(self) -> str:
        """The hosts that a request may name, as a pattern. A proxy on this machine may say localhost."""
        return r"(localhost|127\.0\.0\.1)$" if self.address else r"127\.0\.0\.1$"

    @property
    def name(self) -> str:
        """The name of the cookie."""
        return f"lottery-night-{self.port}"


class Room:
    """The pages that are open, and what they know.

    Args:
        night: Makes what runs the evening, from the function that it tells of changes.
        door: Where the pages are.
        key: What the pages and this server know, and nobody else (32 bytes).
    """

    def __init__(
        self, night: Callable[[Callable[[Mapping[str, Any]], object]], Night], door: Door, key: bytes
    ) -> None:
        self.door, self.key = door, key
        self.loop = asyncio.get_running_loop()
        self.changed, self.stopped = asyncio.Event(), asyncio.Event()
        self.streams: dict[tornado.iostream.IOStream, bool] = {}  # and whether its page has proved itself
        self.night = night(self._tell)

    def _tell(self, _news: Mapping[str, Any]) -> None:
        with suppress(RuntimeError):  # Ctrl-C has ended the loop
            self.loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()
        if self.night.shown["wanted"]:
            self.stopped.set()

    def close(self) -> None:
        """End all connections, and what waits to tell them something."""
        self.stopped.set()
        self.changed.set()
        for stream in self.streams:
            stream.close()

    def proof(self, *parts: str) -> str:
        """What only somebody who has the key can say of these texts."""
        return hmac.digest(self.key, "\n".join(parts).encode(), "sha256").hex()


class _Page(tornado.web.RequestHandler):
    """Gives a page to a browser that has the cookie, or the token of the printed address."""

    def initialize(self, room: Room) -> None:
        self.room = room

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")

    def get(self, name: str) -> None:
        door, nonce = self.room.door, secrets.token_urlsafe(16)
        token, cookie = self.get_query_argument("token", ""), self.get_cookie(door.name, "") or ""
        if secrets.compare_digest(token.encode(), door.token.encode()):
            self.set_cookie(door.name, door.cookie, path=door.path, samesite="Strict", httponly=True)
        elif not secrets.compare_digest(cookie.encode(), door.cookie.encode()):
            raise tornado.web.HTTPError(404)
        self.set_header("Content-Security-Policy", page.POLICY.format(nonce=nonce))
        values = {"key": self.room.key.hex(), "base": door.base, "start": door.start, "nonce": nonce}
        self.write(page.filled(name or "operator", **values))

    def write_error(self, status_code: int, **_details: Any) -> None:
        self.finish(f"{status_code}\n")


class _Link(tornado.websocket.WebSocketHandler):
    """Tells a page what changes, and hears what it wishes; before that, each proves itself to the other."""

    def initialize(self, room: Room) -> None:
        self.room, self.role, self.parts = room, "", [""]
        self.proved = False
        self.asked: set[asyncio.Task[None]] = set()

    @property
    def max_message_size(self) -> int:
        return _MOST_UNPROVED

    def check_origin(self, origin: str) -> bool:
        """Let every site connect: what it says must be proved."""
        return True

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Tell nothing to who opens no link."""
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise tornado.web.HTTPError(404)
        await super().get(*args, **kwargs)

    def open(self, *_args: str, **_kwargs: str) -> None:
        self.set_nodelay(True)
        self.room.loop.call_later(_HEADER, self._end_stranger)

    def _end_stranger(self) -> None:
        if not self.proved:
            self.close()

    async def on_message(self, message: str | bytes) -> None:
        try:
            said = json.loads(message)
            if self.proved and "ask" in said:  # not awaited: meanwhile the page is heard, and its pongs
                self.asked.add(task := asyncio.create_task(self._reply(said)))
                task.add_done_callback(self.asked.discard)
            elif self.proved:
                await self._hear(said)
            elif self.role:
                self._welcome(said)
            else:
                self._answer(said["hello"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.close()  # no page of ours says this

    def _answer(self, hello: Mapping[str, str]) -> None:
        """Prove that this is the server: it knows the key, and the page came from its own address.

        It says which start it is, too: a page believes it only on a link that is opened after that.
        """
        role, origin, theirs = str(hello["role"]), str(hello["origin"]), str(hello["nonce"])
        known = origin == self.room.door.origin and role in ("stage", "operator")
        if not (known and re.fullmatch("[0-9a-f]{32}", theirs)):
            raise ValueError(hello)
        self.role, ours, start = role, secrets.token_hex(16), self.room.door.start
        self.parts = [role, origin, theirs, ours, start]
        proof = self.room.proof("server", *self.parts)
        self.write_message(json.dumps({"nonce": ours, "start": start, "proof": proof}))

    def _welcome(self, said: Mapping[str, str]) -> None:
        """Let a page in that knows the key. It learns where the pages are now."""
        if not secrets.compare_digest(
            str(said["proof"]).encode(), self.room.proof("page", *self.parts).encode()
        ):
            raise ValueError(said)
        self.proved, door = True, self.room.door
        if self.ws_connection and (stream := self.ws_connection.stream):
            self.room.streams[stream] = True
            self.ws_connection.params.max_message_size = _MOST_MESSAGE  # type: ignore[attr-defined]
        cookie = f"{door.name}={door.cookie}; path={door.path}; SameSite=Strict"
        name = "stage" if self.role == "stage" else ""
        self.write_message(json.dumps({"path": door.path + name, "cookie": cookie}))
        self.telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        """Send what changes until the page is gone. A slow page misses versions, but not the newest."""
        sent: dict[str, Any] = {}
        with suppress(
            tornado.websocket.WebSocketClosedError, tornado.iostream.StreamClosedError, TimeoutError
        ):
            while not self.room.stopped.is_set():
                changed, shown = self.room.changed, self.room.night.shown
                mine = dict(shown)
                if self.role == "stage":
                    mine = {each: shown[each] for each in _STAGE} | {"words": page.STAGE}
                if news := {name: value for name, value in mine.items() if sent.get(name, ...) is not value}:
                    await asyncio.wait_for(self.write_message(json.dumps({"news": news})), _PATIENCE)
                sent = mine
                await changed.wait()
        self.close()

    async def _hear(self, said: Mapping[str, Any]) -> None:
        file = None
        if chosen := said.get("file"):
            content = base64.b64decode(chosen["content"])
            file = str(chosen["name"]), int(chosen["size"]), content
        with suppress(LotteryError):
            await asyncio.to_thread(self.room.night.heard, said, file)

    async def _reply(self, said: Mapping[str, Any]) -> None:
        """Answer a question. The page shows what went wrong, such as an emulator that has ended."""
        answer: dict[str, Any] = {"answer": said["ask"]}
        try:
            value = await asyncio.to_thread(self.room.night.heard, said)
            answer["value"] = base64.b64encode(value).decode() if isinstance(value, bytes) else value
        except Exception as error:
            answer["problem"] = str(error) or repr(error)
        with suppress(tornado.websocket.WebSocketClosedError, tornado.iostream.StreamClosedError):
            await self.write_message(json.dumps(answer))


class _Server(HTTPServer):
    """A server with a limit of connections. If there are too many, the oldest ends that proved nothing."""

    room: Room

    def handle_stream(self, stream: tornado.iostream.IOStream, address: tuple[str, int]) -> None:
        """Serve a connection."""
        streams = self.room.streams
        for old in [each for each in streams if each.closed()]:
            del streams[old]
        if len(streams) >= _MOST_CONNECTIONS:
            oldest = next((each for each, proved in streams.items() if not proved), stream)
            oldest.close()
            streams.pop(oldest, None)
        if not stream.closed():
            streams[stream] = False
            super().handle_stream(stream, address)


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


def key_of(names: Names, evening: str) -> bytes:
    """The key of an evening's pages. It stays, so that open pages know the server when it starts again."""
    file = state_folder("lottery-party") / f"{names.attendee}.{evening}"
    with suppress(OSError):
        if len(key := read_limited(file, 100)) == _KEY:  # less was written when the disk was full
            return key
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_over(file, key := secrets.token_bytes(_KEY))
    return key


def serve(
    target: Target, evening: str, file: Path, port: int, *, browser: bool, check: Sequence[str] = ()
) -> None:
    """Serve the pages of an evening on this machine, until Ctrl-C. It prints the address with the token.

    Args:
        target: The lottery.
        evening: The evening's name.
        file: Where it is saved.
        port: The port; if it is taken, one of the next.
        browser: Whether to open the page in a browser.
        check: The address of an independent check page, and the SHA-256 of its file.
    """
    left = json.loads(os.environ.pop(_FROM, "{}"))
    if socket_left := left.pop("socket", None):
        listening, door = socket.socket(fileno=socket_left), Door(**left)
        listening.setblocking(False)
        return _run(target, door, listening)
    address = behind(fixed := free_port())
    if address:  # a proxy leads to one port, and no browser can be opened from here
        browser, port = False, fixed
    listening = listen(range(port, port + (1 if address else 50)))
    port = listening.getsockname()[1]
    base = urlsplit(address).path if address else "/"
    path = f"{base}{secrets.token_urlsafe(16)}/"
    token, cookie = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    door = Door(evening, str(file), address or "", port, path, token, cookie, left.get("check", check))
    shown = urlsplit(address)._replace(path=path).geturl() if address else f"http://127.0.0.1:{port}{path}"
    shown += f"?token={door.token}"
    say(_("The operator's page is at this address:\n\n    {address}\n\nCtrl-C stops it.", address=shown))
    if browser:
        open_page(shown)
    return _run(target, door, listening)


def _run(target: Target, door: Door, listening: socket.socket) -> None:
    """Serve until Ctrl-C, or until the pages shall be in another language: its words need a new program."""
    serve_at(door.port)
    with suppress(KeyboardInterrupt):
        wanted = asyncio.run(_serve(target, door, listening))
        environment = {**os.environ, "LOTTERY_LANG": wanted, "LOTTERY_ATTENDEE": target.names.attendee}
        options = ["--no-browser", "--name", door.evening, "--file", door.file, "--port", str(door.port)]
        command = [sys.executable, "-P", "-m", "lottery_lib", "night", *options]
        if os.name == "posix":  # the port is never free, so all stays as it is
            listening.set_inheritable(True)
            environment[_FROM] = json.dumps({**asdict(door), "socket": listening.fileno()})
            atexit._run_exitfuncs()
            os.execve(sys.executable, command, environment)
        listening.close()  # somebody else can take the port now, so path and token are new
        environment[_FROM] = json.dumps({"check": door.check})
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)


async def _serve(target: Target, door: Door, listening: socket.socket) -> str:
    """Serve the pages until they shall be in another language; returns it."""
    # A stranger must not fill the host's terminal.
    for name in ("tornado.general", "tornado.access", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    key = sha256(key_of(target.names, door.evening) + b"pages").digest()
    evening = Evening(target, door.evening, file=Path(door.file))
    room = Room(lambda tell: Night(evening, tell, check_page=door.check), door, key)
    own = {"room": room}
    rules = [(f"{door.path}(stage|)", _Page, own), (f"{door.base}link", _Link, own)]
    application = tornado.web.Application(
        default_handler_class=Nothing, log_function=lambda handler: None, websocket_ping_interval=10
    )
    # A foreign page can let its own name lead here (DNS rebinding).
    application.add_handlers(door.hosts, rules)
    server = _Server(application, idle_connection_timeout=_HEADER, max_header_size=16_384, max_body_size=0)
    server.room = room
    await asyncio.to_thread(room.night.turn)  # no page shows anything before the first look
    server.add_socket(listening.dup())  # it closes its own; the port stays ours
    room.night.begin()
    try:
        await room.stopped.wait()
    finally:
        room.night.end()
        server.stop()
        room.close()
    return str(room.night.shown["wanted"])
