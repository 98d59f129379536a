"""Too many connections, and too many bytes, do not stop the emulator."""

import contextlib
import http.client
import socket
import subprocess
import sys
import threading

import pytest
from patience import SECONDS

from sfn_emulator.http.messages import Reply
from sfn_emulator.http.server import HttpServer

PIECE = 64 * 1024


class Server:
    """A server of a test's own. It answers with the length of the body, to `/wait` only after `go` is set."""

    def __init__(self, **limits):
        self.here = HttpServer(0, **limits)
        self.here.answer = self._answer
        self.go, self.asked = threading.Event(), threading.Semaphore(0)
        self.opened = contextlib.ExitStack()
        threading.Thread(target=self.here.serve_forever, args=(0.01,), daemon=True).start()

    def _answer(self, request):
        self.asked.release()
        if request.path == "/wait":
            assert self.go.wait(SECONDS)
        return Reply(200, str(len(request.body)).encode())

    def connect(self):
        """A connection, accepted and idle."""
        connection = http.client.HTTPConnection("127.0.0.1", self.here.port, timeout=SECONDS)
        self.opened.callback(connection.close)
        assert ask(connection) == (200, b"0")
        assert self.asked.acquire(timeout=SECONDS)
        return connection

    def begin(self, connection, path, length=0, sent=b""):
        """Send a request, or the beginning of one."""
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", str(length or len(sent)))
        connection.endheaders(sent)

    def close(self):
        self.go.set()
        self.opened.close()
        self.here.shutdown()
        self.here.server_close()


@pytest.fixture
def server():
    """`server(most_connections=3)`."""
    with contextlib.ExitStack() as made:

        def make(**limits):
            mine = Server(**limits)
            made.callback(mine.close)
            return mine

        yield make


def ask(connection, body=b""):
    connection.request("POST", "/", body=body)
    return reply(connection)


def reply(connection):
    got = connection.getresponse()
    return got.status, got.read()


def is_closed(connection):
    """Whether the server has closed it; a test waits for that."""
    connection.sock.settimeout(30)
    with contextlib.suppress(ConnectionError):
        return connection.sock.recv(1) == b""
    return True


def test_a_new_connection_takes_the_place_of_the_one_that_is_idle_longest(server):
    """Only the connection that has been idle longest is closed."""
    mine = server(most_connections=3)
    first, second, third = mine.connect(), mine.connect(), mine.connect()
    assert ask(first) == (200, b"0")  # now the second one is idle longest
    fourth = mine.connect()
    assert is_closed(second)
    assert [ask(each) for each in (first, third, fourth)] == [(200, b"0")] * 3


def test_a_half_request_is_idle(server):
    """Whoever sends only a part of a request does not keep others out."""
    mine = server(most_connections=1)
    half = mine.connect()
    mine.begin(half, "/", length=10, sent=b"half")
    mine.connect()
    assert is_closed(half)


def test_a_connection_whose_request_is_being_answered_stays(server):
    """A function calls the emulator while its caller waits: the caller still gets its answer."""
    mine = server(most_connections=2)
    caller = mine.connect()
    mine.begin(caller, "/wait")
    assert mine.asked.acquire(timeout=SECONDS)
    for _ in range(5):
        mine.connect()
    mine.go.set()
    assert reply(caller) == (200, b"0")


def test_if_all_connections_are_being_answered_a_new_one_is_closed(server):
    """It is not kept waiting, and the next one is served again."""
    mine = server(most_connections=1)
    caller = mine.connect()
    mine.begin(caller, "/wait")
    assert mine.asked.acquire(timeout=SECONDS)
    with socket.create_connection(("127.0.0.1", mine.here.port), timeout=SECONDS) as refused:
        assert refused.recv(1) == b""
    mine.go.set()
    assert reply(caller) == (200, b"0")
    mine.connect()


@pytest.mark.parametrize("most", ["None", "10_000"])
def test_more_connections_than_descriptors(most):
    """By default there are half as many; and if others need the descriptors, an idle connection is closed."""
    program = f"""
import resource, socket, threading, http.client
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from sfn_emulator.http.server import HttpServer
from sfn_emulator.http.messages import Reply
server = HttpServer(0, most_connections={most})
server.answer = lambda request: Reply(200, b"here")
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.port, flush=True)
input()
"""
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child, contextlib.ExitStack() as opened:
        port = int(child.stdout.readline())
        for _ in range(100):
            opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=SECONDS))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        assert ask(connection) == (200, b"here")
        child.communicate("\n")


def test_bodies_share_their_room(server):
    """While one takes it, another large one is refused with 503, which AWS's clients try again."""
    mine = server(most_bytes=3 * PIECE)
    holds, other = mine.connect(), mine.connect()
    mine.begin(holds, "/wait", sent=b"x" * 3 * PIECE)
    assert mine.asked.acquire(timeout=SECONDS)
    mine.begin(other, "/", length=50 * PIECE, sent=b"x" * 3 * PIECE)
    assert reply(other)[0] == 503
    mine.go.set()
    assert reply(holds) == (200, str(3 * PIECE).encode())
    assert ask(mine.connect(), b"x" * 3 * PIECE) == (200, str(3 * PIECE).encode())


def test_a_refused_body_gives_its_room_back(server):
    """A refused body gives back the bytes of the part that was read."""
    mine = server(most_bytes=3 * PIECE)
    for _ in range(3):
        half = mine.connect()
        mine.begin(half, "/", length=3 * PIECE, sent=b"x" * 2 * PIECE)
        half.sock.shutdown(socket.SHUT_WR)
        assert reply(half)[0] == 400
    assert ask(mine.connect(), b"x" * 3 * PIECE) == (200, str(3 * PIECE).encode())


def test_small_bodies_need_no_room(server):
    """They are served although large ones take all of it."""
    mine = server(most_bytes=PIECE)
    holds, other = mine.connect(), mine.connect()
    mine.begin(holds, "/wait", sent=b"x" * 2 * PIECE)
    assert mine.asked.acquire(timeout=SECONDS)
    assert ask(other, b"x" * PIECE) == (200, str(PIECE).encode())


def test_the_pieces_of_a_body_are_one_body(server):
    """A body may come with its length or in chunks."""
    connection = server().connect()
    whole = b"0123456789" * 50_000
    assert ask(connection, whole) == (200, b"500000")
    assert ask(connection, iter([whole, b"", whole[:7]])) == (200, b"500007")


def test_a_client_that_waits_for_100_continue_gets_it_before_it_sends_a_body(server):
    """boto3's `put_object` asks so. It sends its body after a second if nothing comes."""
    mine = server()
    connection = mine.connect()
    connection.putrequest("PUT", "/")
    connection.putheader("Expect", "100-continue")
    connection.putheader("Content-Length", "4")
    connection.endheaders()
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    assert connection.sock.recv(len(interim), socket.MSG_WAITALL) == interim
    connection.send(b"body")
    assert reply(connection) == (200, b"4")


def test_a_client_whose_request_is_refused_by_its_headers_sends_no_body(server):
    """A body of 50 MB need not be sent to learn that the key is wrong."""
    mine = server()
    connection = mine.connect()
    mine.here.refuse = lambda request: Reply(403)
    connection.putrequest("PUT", "/")
    connection.putheader("Expect", "100-continue")
    connection.putheader("Content-Length", "4")
    connection.endheaders()
    assert connection.sock.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 403"


def test_a_refused_body_has_an_answer_in_its_protocol(server):
    """Here in CBOR, which an SDK for CloudWatch may speak."""
    connection = server().connect()
    path = "/service/GraniteServiceVersion20100801/operation/ListMetrics"
    scope = "Credential=K/20260101/us-east-1/monitoring/aws4_request"
    headers = {"Content-Length": "x", "Authorization": f"AWS4-HMAC-SHA256 {scope}"}
    connection.request("POST", path, headers=headers)
    got = connection.getresponse()
    assert (got.status, got.headers["Content-Type"]) == (400, "application/cbor")
