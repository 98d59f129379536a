"""Read HTTP requests from this machine's programs and write the replies."""

import contextlib
import errno
import gc
import io
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from sfn_emulator.http.messages import RefusalError, Reply, Request
from sfn_emulator.http.protocols import error_in_protocol_of

# The largest AWS request is a function's code: at most 50 MB of zip in Base64.
_LARGEST: Final = 96 * 1024 * 1024
_MOST_BYTES: Final = 128 * 1024 * 1024
_MOST_CONNECTIONS: Final = 4096
_FREE_BYTES: Final = 64 * 1024
_LARGE_BYTES: Final = 1024 * 1024
_PIECE: Final = 64 * 1024
_SLOWEST_SECONDS: Final = 300.0
_SLOWEST_BODY_SECONDS: Final = 120.0
_PAUSE_SECONDS: Final = 0.05


class HttpServer(ThreadingHTTPServer):
    """A server with one thread for each connection, because a function calls it while its caller waits.

    If there are too many connections, a new one replaces an old one. It is the one whose client has been idle
    longest. A connection whose request is being answered stays.

    Args:
        port: The port, on 127.0.0.1 only; 0 for a free port.
        most_connections: How many connections may be open at the same time. The default is half the number of
            files that this process may open. Workers need the other half.
        most_bytes: How many bytes of bodies may be in memory at the same time. The first 64 KiB of each body
            do not count.

    Raises:
        OSError: The port is in use.
    """

    daemon_threads = True
    request_queue_size = 128
    # On Windows, two programs could use the same port with this flag.
    allow_reuse_address = os.name == "posix"
    #: Refuses a request by its headers, before its body is read; None if it may come in.
    refuse: Callable[[Request], Reply | None] = staticmethod(lambda _: None)
    answer: Callable[[Request], Reply]

    def __init__(
        self, port: int, *, most_connections: int | None = None, most_bytes: int = _MOST_BYTES
    ) -> None:
        self._most_connections = most_connections or _half_of_descriptors()
        self._free_bytes = most_bytes
        # When the client of each connection last did something; None while its request is answered.
        self._connections: dict[socket.socket, float | None] = {}
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def port(self) -> int:
        """The port."""
        return int(self.server_address[1])

    def server_bind(self) -> None:
        """Bind without asking DNS for this machine's name, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(self.allow_reuse_address))
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.port

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection. If this process has no descriptor for it, close another one first."""
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE}:
                self._close_longest_idle()
                time.sleep(_PAUSE_SECONDS)  # its thread closes it; until then, accepting would fail again
            raise

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is room for a new connection."""
        if len(self._connections) >= self._most_connections and not self._close_longest_idle():
            return False
        with self._lock:
            self._connections[request] = time.monotonic()
        return True

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._lock:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def note(self, connection: socket.socket, *, answering: bool = False) -> bool:
        """Note that a client did something, or that its request is answered from now on.

        Returns:
            False if the connection was closed because there were too many.
        """
        with self._lock:
            if connection not in self._connections:
                return False
            self._connections[connection] = None if answering else time.monotonic()
            return True

    def reserve(self, count: int) -> bool:
        """Reserve this number of bytes for a body, if they are free. A negative number gives bytes back."""
        with self._lock:
            enough = count <= self._free_bytes
            self._free_bytes -= count if enough else 0
            return enough

    def _close_longest_idle(self) -> bool:
        with self._lock:
            idle = {connection: since for connection, since in self._connections.items() if since is not None}
            if not idle:
                return False
            longest = min(idle, key=idle.__getitem__)
            del self._connections[longest]
        with contextlib.suppress(OSError):
            longest.shutdown(socket.SHUT_RDWR)  # its thread reads the end, and closes it
        return True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that goes away; write any other traceback to the log."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _half_of_descriptors() -> int:
    if sys.platform == "win32":
        return _MOST_CONNECTIONS
    import resource  # noqa: PLC0415 (Windows has no such module)

    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_CONNECTIONS if most == resource.RLIM_INFINITY else min(most // 2, _MOST_CONNECTIONS)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # answer in HTTP even if the request is not HTTP
    timeout = _SLOWEST_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for each reply
    server: HttpServer

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers)
        self._reserved = 0
        try:
            if self.headers.defects:  # the other headers, such as the length of the body, are not read
                raise RefusalError("MalformedInput", "A header is malformed")
            if refusal := self.server.refuse(request):
                self.close_connection = True
                reply = refusal
            else:
                reply = self._reply(replace(request, body=self._body(headers)))
        except RefusalError as refused:
            self.close_connection = True  # the rest of the body would be read as the next request
            reply = error_in_protocol_of(request, refused)
        finally:
            self.server.reserve(-self._reserved)
            if self._reserved > _LARGE_BYTES:
                gc.collect()  # moto's objects of a request refer to each other, and one of them has the body
        self._send(reply)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request of HTTP. It is the client's fault, so the status is no 5xx."""
        if code != HTTPStatus.NOT_IMPLEMENTED:
            super().send_error(code if code < 500 else HTTPStatus.BAD_REQUEST, message, explain)
            return
        self.close_connection = True
        headers = {name.lower(): value for name, value in self.headers.items()}
        reason = "The specified method is not allowed against this resource."
        refused = RefusalError("MethodNotAllowed", reason, HTTPStatus.METHOD_NOT_ALLOWED)
        self._send(error_in_protocol_of(Request(self.command, self.path, headers), refused))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve

    def _reply(self, request: Request) -> Reply:
        if not self.server.note(self.connection, answering=True):
            raise ConnectionAbortedError("the connection was closed because there were too many")
        try:
            return self.server.answer(request)
        except Exception:
            traceback.print_exc()
            return Reply(500, b"The emulator failed; its log says why.", {"Content-Type": "text/plain"})
        finally:
            self.server.note(self.connection)

    def handle_expect_100(self) -> bool:
        """Leave it to `_body` to ask for the body, because a refused request needs none."""
        return True

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("expect", "").lower() == "100-continue" and self.request_version != "HTTP/1.0":
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()  # boto3's put_object waits for it
        body = io.BytesIO()
        deadline = time.monotonic() + _SLOWEST_BODY_SECONDS
        if "chunked" not in headers.get("transfer-encoding", "").lower():
            self._read(body, headers.get("content-length") or "0", 10, deadline)
        else:
            while self._read(body, self.rfile.readline(100).partition(b";")[0], 16, deadline):
                self.rfile.readline(100)
            self.rfile.readline(100)
        self.connection.settimeout(self.timeout)
        return body.getvalue()

    def _read(self, body: io.BytesIO, number: str | bytes, base: int, deadline: float) -> int:
        """Read a part of a body, and return its length, which is given as text.

        Raises:
            RefusalError: The length is not a number, or the body is too large, late, or shorter than it says.
        """
        try:
            length = int(number, base)
        except ValueError:
            length = -1
        if length < 0:
            raise RefusalError("MalformedInput", "A length is not a number")
        end = body.tell() + length
        if end > _LARGEST:
            raise RefusalError("RequestEntityTooLargeException", "The request is too large", 413)
        while left := end - body.tell():
            if (seconds := deadline - time.monotonic()) <= 0:
                raise RefusalError("RequestTimeout", "The body did not come in time")
            self.connection.settimeout(seconds)
            piece = self.rfile.read1(min(left, _PIECE))
            if not piece:
                raise RefusalError("MalformedInput", "The request ended early")
            self._count(body.tell(), len(piece))
            body.write(piece)
        return length

    def _count(self, before: int, count: int) -> None:
        self.server.note(self.connection)
        beyond = max(before + count, _FREE_BYTES) - max(before, _FREE_BYTES)
        if not self.server.reserve(beyond):
            reason = "The emulator has no room for more large requests. Please send the request again later"
            raise RefusalError("ServiceUnavailable", reason, 503)
        self._reserved += beyond

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "server", "date"}:
                self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        if reply.status != 204:
            # The answer to HEAD has the length of the body that it leaves out, such as that of an S3 object.
            told = {name.lower(): value for name, value in reply.headers.items()}.get("content-length")
            length = told if self.command == "HEAD" and told else str(len(reply.body))
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD" and reply.status != 204:
            self.wfile.write(reply.body)
        self.wfile.flush()

    def version_string(self) -> str:
        """The header `Server`, which AWS's answers mostly do not have."""
        return "sfn-emulator"

    def log_message(self, format: str, *args: Any) -> None:
        """Keep no access log."""
