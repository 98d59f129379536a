"""A real board, and who should not get in: without the code, from a foreign page, too often, too slowly."""

import http.client
import json
import socket
from contextlib import ExitStack, closing

import pytest
from class_room import report, running
from helpers import wait_until
from patience import SECONDS

from lottery_course import server
from lottery_course.board import MOST_ATTENDEES, Attendee
from lottery_course.protocol import CODE_HEADER, MOST_BYTES
from lottery_lib.addresses import lan_address, listen
from lottery_lib.errors import LotteryError

FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "evil.example:{port}"},
    {"Host": "127.0.0.1.evil.example:{port}"},
    {"Host": ""},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.fixture
def board():
    with running() as board:
        yield board


def test_a_report_comes_to_the_page(board):
    """What an attendee sends is in the next event of the page."""
    with board.events() as events:
        assert next(events)["lines"] == []
        assert board.send(1, nickname="Ann", lesson="05", check="exercise 2", done=False, tries=3) == 204
        (line,) = next(event["lines"] for event in events if event["lines"])
    assert (line["name"], line["kind"]) == ("Ann", "failed")
    assert line["cells"][5] == [0, 3, 0, 0]


def test_a_page_hears_only_what_changed(board):
    """An event has the lines that are new, the order of all, and who has left is missing there."""
    for one in (1, 2):
        board.send(one, nickname=f"Ann {one}")
    with board.events() as events:
        next(event for event in events if len(event["order"]) == 2)
        board.send(2, nickname="Ann 2", check="help", help=True)
        event = next(event for event in events if event["order"] == [2, 1])
        assert [line["number"] for line in event["lines"]] == [2]
        board.send(1, check="left")
        assert next(event for event in events if event["order"] == [2])["lines"] == []


def test_the_page_has_no_ids_of_attendees(board):
    """The page never gets the random id, with which one could report in an attendee's name."""
    board.send(7, nickname="Ann", lesson="05", check="verify")
    with board.events() as events:
        event = next(event for event in events if event["order"])
    assert f"{7:032x}" not in json.dumps(event)


@pytest.mark.parametrize("code", ["AAAAAA", "", "é", "x" * 5000], ids=["wrong", "empty", "accent", "long"])
def test_a_wrong_code(board, code):
    """Without the board's code nobody gets in."""
    body = json.dumps(report(1)).encode()
    status, _body = board.ask("POST", "/report", body, {CODE_HEADER: code.encode().decode("latin-1")})
    assert status == 403
    assert board.lines() == []


def test_nobody_finds_the_code_by_trying(board):
    """After ten wrong codes, an address learns nothing for a while. Who is in stays in, and time helps."""
    board.clock.stands = True
    board.send(1)
    assert [board.send(2, code="AAAAAA") for _try in range(12)] == [403] * 10 + [429] * 2
    assert board.send(2) == 429  # the right code, too: else its reply would tell
    assert board.send(1, lesson="05", check="verify") == 204
    board.clock.later = 60
    assert board.send(2) == 204


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("path", ["/report", "/", "/{token}/events", "/{token}/save"])
def test_a_foreign_page_gets_nothing(board, path, headers):
    """Neither a foreign name for this machine nor a page of another site gets anything, even with secrets."""
    headers = {name: value.format(port=board.port) for name, value in headers.items()}
    method = "POST" if path in ("/report", "/{token}/save") else "GET"
    body = json.dumps(report(1)).encode() if path == "/report" else b""
    found = board.ask(
        method, path.format(token=board.room.path), body, headers | {CODE_HEADER: board.room.code}
    )
    assert found[0] in (400, 403)
    assert board.lines() == []


def test_a_browser_does_not_report(board):
    """Not even a page of the board itself sends reports."""
    headers = {CODE_HEADER: board.room.code, "Sec-Fetch-Site": "same-origin"}
    assert board.ask("POST", "/report", json.dumps(report(1)).encode(), headers)[0] == 403
    assert board.ask("OPTIONS", "/report", headers={"Origin": "http://evil.example"})[0] == 403


@pytest.mark.parametrize("path", ["/{code}/", "/{code}/events", "/page", "/board.html", "/{wrong}/"])
def test_the_code_opens_no_page(board, path):
    """The instructor's page needs its own path. The attendees' code opens nothing."""
    room = board.room
    path = path.format(code=room.code, wrong="A" * 22)
    assert board.ask("GET", path, headers={CODE_HEADER: room.code})[0] == 404


def test_with_lan_the_room_and_the_phone_reach_it():
    """With --lan, another computer gets an answer, and the instructor's phone the page, by its path."""
    with running(lan=True) as board:
        outside = lan_address()

        def status(path):
            connection = http.client.HTTPConnection(outside, board.port, timeout=SECONDS)
            with closing(connection):
                connection.request("GET", path)
                return connection.getresponse().status

        assert board.room.address == f"{outside}:{board.port}"
        assert board.room.phone_page == f"http://{outside}:{board.port}/{board.room.path}/"
        paths = ("/", f"/{board.room.path}/", f"/{board.room.code}/", "/page")
        assert [status(path) for path in paths] == [200, 200, 404, 404]


def test_the_room_reaches_nothing_without_lan(board):
    """By default the board listens on this machine alone."""
    with pytest.raises(OSError), socket.create_connection((lan_address(), board.port), timeout=2):
        pass
    assert board.room.phone_page is None


def test_a_link_opens_the_page_and_no_frame_does(board):
    """A link from a file opens the page; its other files do not open from there; no frame shows it."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}
    assert board.ask("GET", f"/{board.room.path}/", headers=headers)[0] == 200
    assert board.ask("GET", f"/{board.room.path}/board.js", headers=headers)[0] == 403
    connection = http.client.HTTPConnection("127.0.0.1", board.port)
    connection.request("GET", f"/{board.room.path}/")
    reply = connection.getresponse()
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    assert (reply.headers["Referrer-Policy"], reply.headers["Cache-Control"]) == ("no-referrer", "no-store")
    connection.close()


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"[" * 1900, b"9" * 1900, b"\xff", b"NaN", b'{"a": 1}',
     json.dumps(report(1, nickname="<b>" * 20)).encode(),
     json.dumps(report(1, answer="secret")).encode()],
    ids=["empty", "list", "half", "deep", "number", "no text", "NaN", "object", "long name", "another field"],
)  # fmt: skip
def test_what_is_no_report_is_refused(board, body):
    """It changes nothing, and the reply repeats nothing of it."""
    found = board.ask("POST", "/report", body, {CODE_HEADER: board.room.code})
    assert found == (400, b"400\n")
    assert board.lines() == []


def test_a_large_body_is_not_read(board):
    """A name of 10,000 letters, or more, is refused before it is read."""
    body = json.dumps(report(1, nickname="x" * 10_000)).encode()
    assert len(body) > MOST_BYTES
    try:
        status = board.ask("POST", "/report", body, {CODE_HEADER: board.room.code})[0]
    except (OSError, http.client.HTTPException):
        status = 400  # it has closed the connection
    assert status == 400
    assert board.lines() == []
    assert board.send(2) == 204


def test_a_name_that_is_html_stays_text(board):
    """HTML in a nickname comes to the page as JSON, and is never part of a page's HTML."""
    assert board.send(1, nickname="<img src=x onerror=alert(1)>") == 204
    assert b"onerror" not in board.ask("GET", f"/{board.room.path}/")[1]
    with board.events() as events:
        (line,) = next(event["lines"] for event in events if event["lines"])
    assert line["name"] == "<img src=x onerror=alert(1)>"


def test_a_flood_of_one_attendee_stops(board):
    """Who sends hundreds of reports at once is refused for a while; others are not."""
    board.clock.stands = True
    assert [board.send(1) for _each in range(205)] == [204] * 200 + [429] * 5
    assert board.send(2) == 204


def test_a_flood_of_one_address_stops(board):
    """An address may send what a whole class sends, and no more."""
    assert all(board.room.of_address.take("192.0.2.9") for _each in range(2000))
    assert not all(board.room.of_address.take("192.0.2.9") for _each in range(50))
    assert board.room.of_address.take("192.0.2.10")


def test_somebody_too_many_waits(board):
    """A full board says so."""
    board.room.board.attendees.update({str(each): Attendee(each, {}) for each in range(MOST_ATTENDEES)})
    assert board.send(1) == 503


@pytest.mark.long("waits for the server's five seconds")
def test_slow_clients_stop_nobody(board):
    """Sixty connections that send half a request, and a page that never reads, keep nobody waiting."""
    with ExitStack() as slow:
        for _each in range(60):
            client = slow.enter_context(socket.create_connection(("127.0.0.1", board.port)))
            client.sendall(b"POST /report HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\n{")
        page = slow.enter_context(socket.create_connection(("127.0.0.1", board.port)))
        page.sendall(f"GET /{board.room.path}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert [board.send(one) for one in range(1, 100)] == [204] * 99
        client.settimeout(30)
        assert client.recv(1000) == b""  # after five seconds without a body


def test_connections_are_limited(board, monkeypatch):
    """An address that opens too many connections gets no more; when it closes them, it does again."""
    monkeypatch.setattr(server, "MOST_OF_ADDRESS", 5)
    open_ones = [socket.create_connection(("127.0.0.1", board.port)) for _each in range(5)]
    wait_until(lambda: refused(board))
    for each in open_ones:
        each.close()
    wait_until(lambda: not refused(board))


def refused(board):
    try:
        return board.ask("GET", "/")[0] != 200
    except (OSError, http.client.HTTPException):
        return True


def test_hello_says_that_the_board_is_reached(board):
    """Who opens the address in a browser reads that this works, in the browser's language, and no secret."""
    status, text = board.ask("GET", "/", headers={"Accept-Language": "en"})
    assert status == 200
    assert b"This computer reaches the board of the class." in text
    secrets = (board.room.code, board.room.path)
    assert not any(secret.encode() in text for secret in secrets)


def test_a_port_that_is_taken(board):
    """A port that somebody chose is used, or refused with a sentence. Else the next free one is taken."""
    with pytest.raises(LotteryError, match=rf"port {board.port}: is taken"):
        listen([board.port])
    with listen(range(board.port, board.port + 20)) as first:
        assert board.port < first.getsockname()[1] < board.port + 20


def test_the_page_behind_a_proxy(monkeypatch):
    """On a hub, the page's address leads through the Jupyter server. Attendees' kernels ask this machine."""
    monkeypatch.setenv("LOTTERY_PROXY", "https://hub.example/user/ann/proxy/")
    with running() as board:
        path = f"127.0.0.1:{board.port}/{board.room.path}/"
        assert board.room.page == f"https://hub.example/user/ann/proxy/{path}"
        assert board.room.address == f"127.0.0.1:{board.port}"
        assert b'href="board.css"' in board.ask("GET", f"/{board.room.path}/")[1]


def test_saving_when_asked():
    """The page's button saves. Without --save there is nothing to press, and no file."""
    saved = []
    with running(save=lambda board: saved.append(board.saved(anonymous=True))) as board:
        board.send(1, nickname="Ann")
        assert b'id="save"' in board.ask("GET", f"/{board.room.path}/")[1]
        assert board.ask("POST", f"/{board.room.path}/save")[0] == 200
        assert board.ask("GET", f"/{board.room.path}/save")[0] == 404
    assert [each["attendees"][0]["name"] for each in saved] == ["Attendee 1"]
    with running() as board:
        assert b'id="save"' not in board.ask("GET", f"/{board.room.path}/")[1]
        assert board.ask("POST", f"/{board.room.path}/save")[0] == 404
