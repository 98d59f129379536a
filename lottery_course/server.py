"""Serve the board: attendees send reports to it, and the instructor's page shows it.

Attendees need the code. The page needs a path that nobody can guess, and no code opens it.
"""

import asyncio
import contextlib
import gc
import json
import logging
import re
import secrets
import socket
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import tornado.iostream
import tornado.web
from tornado.httpserver import HTTPServer

from lottery_course import page
from lottery_course.board import Board
from lottery_course.limits import Limit
from lottery_course.notebooks import Lesson
from lottery_course.protocol import ALPHABET, CODE_HEADER, CODE_LENGTH, MOST_BYTES, PORT, Report, checked
from lottery_lib.addresses import in_browser, lan_address
from lottery_lib.harmless import escaped
from lottery_lib.translation import N_, _, first_spoken, translated

#: Seconds: between two events of a page; between two looks at the clock; that a page may take to read.
_TICK: Final = 0.02
_LOOK: Final = 5.0
_PATIENCE: Final = 30.0
#: Open connections: all, and those of one address. A hub's attendees share one.
MOST_CONNECTIONS: Final = 900
MOST_OF_ADDRESS: Final = 500
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
#: What somebody reads who opens the board's address in a browser.
_HELLO: Final = N_(
    "This computer reaches the board of the class. To join, type the line that the board shows."
)


class Classroom:
    """A board with its address, its secrets and its limits, and what its pages do not know yet.

    Args:
        lessons: The lessons and their checks.
        port: Where it listens.
        lan: Whether other machines may reach it.
        save: Saves what the board has; None if nobody asked for a file.
        clock: Seconds, from any start.
    """

    def __init__(
        self,
        lessons: Mapping[str, Lesson],
        port: int,
        *,
        lan: bool = False,
        save: Callable[[Board], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.board = Board(lessons, clock)
        self.save = save
        self.code = "".join(secrets.choice(ALPHABET) for _letter in range(CODE_LENGTH))
        self.path = secrets.token_urlsafe(16)
        self.address = f"{lan_address() if lan else '127.0.0.1'}:{port}"
        self.command = f"lottery join {self.address.removesuffix(f':{PORT}')} {self.code}"
        self.page = in_browser(f"http://127.0.0.1:{port}/{self.path}/")
        self.phone_page = f"http://{self.address}/{self.path}/" if lan else None
        self.of_address = Limit(rate=500, burst=2000, clock=clock)  # a whole class may share one
        self._of_attendee = Limit(rate=5, burst=200, clock=clock)  # who was offline sends all at once
        self._wrong_of_address = Limit(rate=1 / 6, burst=10, clock=clock)
        self._wrong_of_all = Limit(rate=2, burst=100, clock=clock)
        self.visited: Callable[[str], None] = lambda address: None  # who opens the address in a browser
        self.stopped, self.changed = asyncio.Event(), asyncio.Event()
        self.version = 0
        self._shown: dict[int, tuple[int, dict[str, Any]]] = {}
        self._planned: asyncio.TimerHandle | None = None
        self._last = 0.0

    def take(self, report: Report, code: str, address: str) -> int:
        """Take a report that has the right form; returns the status of HTTP.

        A wrong code costs its address a try. Without tries, nobody new gets in from there, even with the
        right code: so nobody can find it by trying. Attendees who are in stay in.
        """
        one, wrong = report["attendee"], ((self._wrong_of_address, address), (self._wrong_of_all, ""))
        if one not in self.board.attendees and any(limit.left(key) < 1 for limit, key in wrong):
            return 429
        if not secrets.compare_digest(code.encode(), self.code.encode()):
            for limit, key in wrong:
                limit.take(key)
            return 403
        if not self._of_attendee.take(one):
            return 429
        if not self.board.accept(report):
            return 503
        self._planned = self._planned or asyncio.get_running_loop().call_at(self._last + _TICK, self.refresh)
        return 204

    def refresh(self) -> None:
        """Look at the board again, and wake the pages."""
        self._planned, self._last = None, asyncio.get_running_loop().time()
        self.version += 1
        before, self._shown = self._shown, {}
        for line in self.board.lines():
            old = before.get(line["number"])
            self._shown[line["number"]] = old if old and old[1] == line else (self.version, line)
        self.changed.set()
        self.changed = asyncio.Event()

    def since(self, version: int) -> dict[str, Any]:
        """What a page that has this version does not know yet."""
        top = self.board.summary()
        top["words"] = _("have done lesson {lesson}", **top) if top["lesson"] else _("No lesson has begun")
        lines = [line for changed, line in self._shown.values() if changed > version]
        return {"lines": lines, "order": list(self._shown), "top": top}


class _Handler(tornado.web.RequestHandler):
    """Answers only who asks for this server by its own name, and no page of another site."""

    #: The sites whose pages may ask for this, as a browser names them; empty if nobody names it.
    sites: Collection[str] = ("", "none", "same-origin")
    room: Classroom
    allowed: re.Pattern[str]

    def initialize(self, **own: Any) -> None:
        """Take what `serve` gives."""
        vars(self).update(own)

    def prepare(self) -> None:
        host, headers = self.request.host, self.request.headers
        site, origin = headers.get("Sec-Fetch-Site", ""), headers.get("Origin", "")
        # A browser names the site only to an address that it trusts, such as localhost. Else the origin
        # counts. The host counts, too: a foreign name may lead here (DNS rebinding).
        is_foreign = site != "same-origin" and origin and origin.partition("://")[2] != host
        if site not in self.sites or is_foreign or not self.allowed.fullmatch(host):
            raise tornado.web.HTTPError(403)

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in _HEADERS.items():
            self.set_header(name, value)

    def write_error(self, status_code: int, **_details: Any) -> None:
        self.finish(f"{status_code}\n")


class _Reports(_Handler):
    """Takes the reports of attendees."""

    sites = ("",)  # no browser

    def post(self) -> None:
        address, status = self.request.remote_ip or "", 429
        if self.room.of_address.take(address):
            try:
                code = self.request.headers.get(CODE_HEADER, "")
                status = self.room.take(checked(json.loads(self.request.body)), code, address)
            except (ValueError, RecursionError):
                status = 400
        if status != 204:
            raise tornado.web.HTTPError(status)
        self.set_status(204)


class _Hello(_Handler):
    """Says to a person with a browser that the board can be reached."""

    def get(self) -> None:
        words = translated(first_spoken(self.request.headers.get("Accept-Language", "")), _HELLO)
        self.write(f"<!doctype html><meta name=viewport content='width=device-width'><p>{escaped(words)}")
        self.room.visited(self.request.remote_ip or "")


class _Page(_Handler):
    """The instructor's page: its files, and what changes."""

    def prepare(self) -> None:
        super().prepare()
        if not secrets.compare_digest(self.room.path, self.path_args[0]):
            raise tornado.web.HTTPError(404)

    async def get(self, _token: str, name: str) -> None:
        if name == "events":
            await self._events()
        elif name in page.FILES:
            self.set_header("Content-Type", f"{page.FILES[name]}; charset=utf-8")
            self.write(page.file(name))
        else:
            raise tornado.web.HTTPError(404)

    def post(self, _token: str, name: str) -> None:
        """Save the file now."""
        if name != "save" or self.room.save is None:
            raise tornado.web.HTTPError(404)
        self.room.save(self.room.board)

    async def _events(self) -> None:
        """Send what changes until the browser is gone. A slow browser misses versions, but not the newest."""
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("X-Accel-Buffering", "no")  # a proxy in front must not wait for more
        version = -1
        with contextlib.suppress(tornado.iostream.StreamClosedError, TimeoutError):
            while True:
                changed, news = self.room.changed, self.room.since(version)
                version = self.room.version
                self.write(f"data: {json.dumps(news)}\n\n")
                await asyncio.wait_for(self.flush(), _PATIENCE)
                if self.room.version == version:
                    await changed.wait()


class _Door(_Page):
    """The page itself. A link from anywhere may open it: who knows its path may see it."""

    sites = ("", "none", "same-origin", "same-site", "cross-site")

    async def get(self, _token: str, _name: str) -> None:
        self.render(str(page.TEMPLATE), room=self.room, **page.shown(self.room.board.lessons))


class _Server(HTTPServer):
    """A server with a limit of open connections, for all and for each address."""

    def handle_stream(self, stream: tornado.iostream.IOStream, address: tuple[str, int]) -> None:
        """Close a connection too many, else serve it."""
        theirs = sum(each.context.address[0] == address[0] for each in self._connections)  # type: ignore[attr-defined]
        if len(self._connections) < MOST_CONNECTIONS and theirs < MOST_OF_ADDRESS:
            super().handle_stream(stream, address)
        else:
            stream.close()


async def serve(listening: socket.socket, room: Classroom) -> None:
    """Serve a board until `room.stopped` is set."""
    gc.freeze()  # 200 reports at once leave much garbage: to look for it each time takes a third of the time
    gc.set_threshold(50_000)
    # A stranger must not fill the instructor's terminal.
    logging.getLogger("tornado.general").setLevel(logging.CRITICAL)
    names = rf"(localhost|{re.escape(socket.gethostname())}(\.local)?|[0-9.]+|\[[0-9a-f:.]+\])(:[0-9]+)?"
    own = {"allowed": re.compile(names, re.IGNORECASE), "room": room}
    path = "/([A-Za-z0-9_-]{22})/"
    rules: list[Any] = [("/", _Hello, own), ("/report", _Reports, own), (path + "()", _Door, own)]
    rules += [(path + "([a-z.]+)", _Page, own)]
    application = tornado.web.Application(rules, log_function=lambda handler: None)
    limits = {"max_body_size": MOST_BYTES, "max_header_size": 16_384, "body_timeout": 5.0}
    server = _Server(application, idle_connection_timeout=20, **limits)
    server.add_socket(listening)
    while not room.stopped.is_set():
        room.refresh()  # minutes pass, although nobody sends anything
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(room.stopped.wait(), _LOOK)
    server.stop()
    await server.close_all_connections()
