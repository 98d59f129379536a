"""Read HTTP requests from this machine's programs and write the replies."""

import os
import socket
import sys
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from lottery_lib.emulator.http.messages import RefusalError, Reply, Request

# The largest AWS request is a function's code: at most 50 MB of zip in Base64.
_LARGEST: Final = 96 * 1024 * 1024
_SLOWEST_SECONDS: Final = 300.0


class HttpServer(ThreadingHTTPServer):
    """A server with one thread for each connection, because a function calls it while its caller waits.

    Args:
        port: The port, on 127.0.0.1 only; 0 for a free port.

    Raises:
        OSError: The port is in use.
    """

    daemon_threads = True
    request_queue_size = 128
    # On Windows, two programs could use the same port with this flag.
    allow_reuse_address = os.name == "posix"
    answer: Callable[[Request], Reply]

    def __init__(self, port: int) -> None:
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

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that goes away; write any other traceback to the log."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # answer in HTTP even if the request is not HTTP
    timeout = _SLOWEST_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for each reply
    server: HttpServer

    def _serve(self) -> None:
        try:
            body = self._body()
        except RefusalError as refused:
            self.close_connection = True  # the rest of the body would be read as the next request
            self._send(Reply(refused.status, refused.message.encode(), {"Content-Type": "text/plain"}))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            reply = self.server.answer(Request(self.command, self.path, headers, body))
        except Exception:
            traceback.print_exc()
            reply = Reply(500, b"The emulator failed; its log says why.", {"Content-Type": "text/plain"})
        self._send(reply)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self._read(self.headers.get("Content-Length") or "0", 10)
        body = bytearray()
        while True:
            chunk = self._read(self.rfile.readline(100).partition(b";")[0], 16, len(body))
            self.rfile.readline(100)
            if not chunk:
                return bytes(body)
            body += chunk

    def _read(self, number: str | bytes, base: int, already: int = 0) -> bytes:
        """Read a body. Its length is given as text.

        Raises:
            RefusalError: It is not a number, too large, or more than what comes.
        """
        try:
            length = int(number, base)
        except ValueError:
            length = -1
        if length < 0:
            raise RefusalError("", "A length is not a number")
        if length + already > _LARGEST:
            raise RefusalError("", "The request is too large", 413)
        body = self.rfile.read(length)
        if len(body) < length:
            raise RefusalError("", "The request ended early")
        return body

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "server", "date"}:
                self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD" and reply.status != 204:
            self.wfile.write(reply.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep no access log."""
