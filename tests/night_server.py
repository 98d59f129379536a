"""The server of an evening's pages in this process: its night has no emulator, and its pages no browser."""

import asyncio
import hmac
import json
import re
import socket
import threading
from contextlib import closing, contextmanager
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import websocket
from helpers import free_port, wait_until
from patience import SECONDS

from lottery_lib.names import Names
from lottery_party import page, server

TARGET = SimpleNamespace(names=Names("night", "hardened"))
#: What an evening shows after its first look; the texts tell the fields apart.
SHOWN = {
    **{"words": page.OPERATOR, "languages": [["English", "en"]], "language": "en", "rules": page.RULES},
    **{"title": "Summer party", "draft": "{}", "theme": "", "first": 0, "names": [], "moment": ["ready", 1]},
    **{"scene": {"kind": "ready", "prize": "Bicycle", "count": 1, "place": ""}, "head": {}},
    **{"step": {"heading": "", "button": "Draw 1 winner"}, "problem": "", "lost": False, "prizes": {}},
    **{"roll": None, "question": None, "foot": "", "strange": "", "files": [], "machine": {}, "wanted": ""},
    **{"most": {"guests": 20_000_000, "picture": 100_000}, "pictures": {}, "themes": []},
}


class Night:
    """What stands behind the server: it shows what it is told, and keeps what it hears."""

    def __init__(self, tell):
        self.shown, self.tell = {**SHOWN, "moment": ["", 0]}, tell
        self.said, self.answers = [], {}

    def show(self, **changes):
        self.shown = {**self.shown, **changes}
        self.tell(changes)

    def heard(self, message, file=None):
        self.said.append((message, file))
        return self.answers.get(message["do"], lambda: None)()

    def turn(self):
        self.shown = dict(SHOWN)

    def begin(self):
        pass

    end = begin


class Served:
    """A server that runs: its address with the token, what opens it, and the night."""

    def __init__(self, address, door):
        self.address, self.door, self.port = address, door, door.port
        self.key = bytes.fromhex(re.search('data-key="([0-9a-f]{64})"', self.get(self.path)[2])[1])

    @property
    def path(self):
        """The path with the token."""
        return self.address.partition(str(self.port))[2]

    def get(self, path, **headers):
        """The status, the headers and the text at a path."""
        return get(self.port, path, **headers)

    def link(self, role="operator", **options):
        return Link(self, role, **options)


def get(port, path, **headers):
    with closing(HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as connection:
        connection.request("GET", path, headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read().decode()


class Link:
    """The link of a page, as link.js has it. Entered, it has proved itself, if the server did.

    Args:
        served: The server.
        role: The page that it says it is.
        origin: The site that it says it comes from.
        key: What it signs with.
    """

    nonce = "0123456789abcdef" * 2

    def __init__(self, served, role="operator", *, origin=None, key=None):
        self.served, self.role, self.key = served, role, key or served.key
        self.origin = origin or f"http://127.0.0.1:{served.port}"
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{served.port}{served.door.base}link", timeout=SECONDS
        )

    def __enter__(self):
        self.say(self.hello())
        theirs = self.next()
        parts = [self.role, self.origin, self.nonce, theirs["nonce"], theirs["start"]]
        assert theirs["start"] == self.served.door.start
        assert theirs["proof"] == self.proof("server", *parts)
        self.say({"proof": self.proof("page", *parts)})
        self.door = self.next()
        return self

    def __exit__(self, *_raised):
        self.socket.close()

    def hello(self, **changes):
        return {"hello": {"role": self.role, "nonce": self.nonce, "origin": self.origin, **changes}}

    def proof(self, *parts):
        return hmac.new(self.key, "\n".join(parts).encode(), sha256).hexdigest()

    def say(self, message):
        self.socket.send(message if isinstance(message, str) else json.dumps(message))

    def next(self):
        """The next message; None if the server has closed the link."""
        try:
            opcode, content = self.socket.recv_data()
        except (websocket.WebSocketConnectionClosedException, ConnectionError):
            return None
        return json.loads(content) if opcode == websocket.ABNF.OPCODE_TEXT else None

    def rest(self):
        """All messages until the server closes the link."""
        return list(iter(self.next, None))

    def news(self):
        return self.next()["news"]


@contextmanager
def serving(monkeypatch, evening="summer", port=None, browser=False):
    """Start the server as `lottery night` does, in a thread of this process."""
    left, nights, told = [], [], []
    with monkeypatch.context() as patch:
        patch.setattr(server, "_run", lambda *given: left.extend(given))
        patch.setattr(server, "say", told.append)
        server.serve(TARGET, evening, Path("summer.evening.json"), port or free_port(), browser=browser)
    address = re.search(r"http://\S+token=\S+", told[0])[0]

    def begin(_evening, tell, **_more):
        nights.append(Night(tell))
        return nights[0]

    monkeypatch.setattr(server, "Evening", lambda *_given, **_named: None)
    monkeypatch.setattr(server, "Night", begin)
    thread = threading.Thread(target=lambda: asyncio.run(server._serve(*left)), daemon=True)
    thread.start()
    wait_until(lambda: nights or not thread.is_alive())
    served = Served(address, left[1])
    served.night, served.told = nights[0], told[0]
    try:
        yield served
    finally:
        served.night.show(wanted="zh")
        thread.join(SECONDS)
        left[-1].close()


def connected(served):
    """A connection that has said nothing yet."""
    return socket.create_connection(("127.0.0.1", served.port), timeout=SECONDS)


def is_closed(connection):
    """Wait until the other side ends a connection. What it says before does not count."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        pass
    return True


def token_of(served):
    return urlsplit(served.address).query.partition("=")[2]
