"""The pages of an evening are for the browser that `lottery night` opens, and for nobody else on the machine.

Its time-outs are made short here, and each test waits for what they do.
"""

import re
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from helpers import free_port, wait_until
from night_server import SHOWN, TARGET, Link, connected, is_closed, serving, token_of
from started import lottery_night

from lottery_lib.addresses import listen
from lottery_lib.errors import LotteryError
from lottery_lib.files import state_folder
from lottery_party import server

#: What the stage is told. Whatever else there is, only the operator's page gets it.
STAGE = {"words", "title", "first", "names", "scene", "moment", "theme", "pictures"}


@pytest.fixture
def served(monkeypatch, own_home):
    with serving(monkeypatch) as served:
        yield served


@pytest.fixture
def impatient(monkeypatch):
    """A server that waits only a moment for who is silent."""
    monkeypatch.setattr(server, "_HEADER", 0.2)


@pytest.mark.long("starts the pages of a night")
def test_the_terminal_shows_the_address_and_no_log(tmp_path):
    """What `lottery night` prints ends with the address in a sentence. No stranger writes anything there.

    Other users see command lines: the token is on none.
    """
    with lottery_night(tmp_path) as night:
        with closing(connected(night)) as stranger:
            stranger.sendall(b"\x9b31m\r\n\r\n")
            assert is_closed(stranger)
        token = urlsplit(night.address).query.partition("=")[2]
        assert all(token not in " ".join(each.cmdline()) for each in night.processes())
        said = f"The operator's page is at this address:\n\n    {night.address}\n\nCtrl-C stops it.\n"
        assert night.log.read_text().endswith(said)


def test_each_start_is_at_another_place(monkeypatch, own_home):
    """Path, token and cookie are new, and those of before open nothing. The key stays: open pages know it."""
    with serving(monkeypatch) as before:
        cookie = before.get(before.path)[1]["Set-Cookie"].partition(";")[0]
    with serving(monkeypatch, port=before.port) as now:
        assert now.port == before.port
        for name in ("path", "token", "cookie", "start"):
            assert len(getattr(now.door, name)) > 20
            assert getattr(now.door, name) != getattr(before.door, name)
        for path in (before.path, before.door.path, f"{before.door.path}stage"):
            assert now.get(path, Cookie=cookie)[0] == 404
        assert now.get(f"{now.door.path}?token={token_of(before)}", Cookie=cookie)[0] == 404
        assert now.key == before.key


def test_each_evening_has_a_key(monkeypatch, own_home):
    """Nobody else may read it. One that was not written to its end is none."""
    with serving(monkeypatch) as first, serving(monkeypatch, "winter") as second:
        assert first.key != second.key
    file = state_folder("lottery-party") / "night.summer"
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0
    file.write_bytes(b"")
    assert len(key := server.key_of(TARGET.names, "summer")) == 32
    assert server.key_of(TARGET.names, "summer") == key


def test_the_port_is_taken(monkeypatch, own_home):
    """The pages are at one of the next ports, and the address says so."""
    with serving(monkeypatch) as first, serving(monkeypatch, "winter", first.port) as second:
        assert first.port < second.port < first.port + 50
        assert f":{second.port}/" in second.told
        with pytest.raises(LotteryError, match="Give another with --port"):
            listen([first.port])


@pytest.mark.parametrize("path", ["", "?token=", "?token=0123", "stage", "stage?token=%ff", "../", "link"])
def test_nobody_without_the_token_gets_a_page(served, path):
    """Without token and cookie there is nothing, whatever else somebody knows."""
    status, headers, text = served.get(served.door.path + path)
    assert (status, headers["Set-Cookie"]) == (404 if "%ff" not in path else 400, None)
    assert served.key.hex() not in text
    status, _, _ = served.get(served.door.path + path, Cookie=f"{served.door.name}=0123")
    assert status in (400, 404)


@pytest.mark.parametrize("path", ["/", "/stage", "/lab", "/favicon.ico", "/x/", "//", "/%2e%2e/", "/link"])
def test_other_paths_tell_nothing(served, path):
    """The token does not help at another path, and no answer says where the pages are."""
    status, headers, text = served.get(f"{path}?token={token_of(served)}")
    assert status == 404
    assert not any(each in f"{headers}{text}" for each in (served.door.path, served.key.hex(), "tornado"))


def test_a_foreign_name_gets_nothing(served):
    """A name that a foreign page has made lead here (DNS rebinding) is refused, even with the token."""
    foreign = (f"evil.example:{served.port}", "127.0.0.1.evil.example", "127x0x0x1", "")
    for host in (*foreign, f"localhost:{served.port}"):  # at ::1 may be another user's server
        for path in (served.path, f"{served.door.base}link"):
            status, _, text = served.get(path, Host=host)
            assert status in (400, 404)
            assert served.key.hex() not in text


def test_the_cookie_opens_both_pages(served):
    """The token gives a browser the cookie, which no script reads and no other path gets."""
    _, headers, text = served.get(served.path)
    assert "Lottery night" in text
    (cookie,) = headers.get_all("Set-Cookie")
    attributes = {each.strip() for each in cookie.split(";")[1:]}
    assert attributes == {"HttpOnly", f"Path={served.door.path}", "SameSite=Strict"}
    jar = {"Cookie": cookie.partition(";")[0]}
    assert served.get(served.door.path, **jar)[0] == 200
    status, headers, text = served.get(f"{served.door.path}stage", **jar)
    assert (status, "Who wins tonight?" in text, headers["Set-Cookie"]) == (200, True, None)


def test_a_page_runs_and_asks_nothing_else(served):
    """The browser runs the page's own program alone, keeps no copy, and tells nobody the address."""
    (_, first, text), (_, second, _) = served.get(served.path), served.get(served.path)
    policy = first["Content-Security-Policy"]
    nonce = re.search(r"script-src 'nonce-([\w-]{20,})';", policy)[1]
    assert f'<script nonce="{nonce}">' in text
    assert nonce not in second["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert not re.search(r"https?://|'unsafe-eval'|script-src[^;]*'unsafe-inline'", policy)
    assert (first["Cache-Control"], first["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert not re.search(r"""(src|href)=["'](?!data:)""", text)


def test_only_get_is_answered(served):
    """A form of another site does nothing."""
    for method in ("POST", "PUT", "DELETE", "TRACE"):
        with closing(connected(served)) as connection:
            request = f"{method} {served.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
            connection.sendall(request.encode())
            assert connection.recv(100).split()[1] in (b"404", b"405", b"403")


# The link of a page


def test_a_page_that_proves_itself_hears_all(served):
    """It learns where the pages are now, and what each shows; the server has proved itself before."""
    with served.link() as operator:
        assert operator.door["path"] == served.door.path
        assert operator.door["cookie"].startswith(f"{served.door.name}={served.door.cookie}; ")
        assert operator.news() == SHOWN
        served.night.show(title="Winter party")
        assert operator.news() == {"title": "Winter party"}
    with served.link("stage") as stage:
        assert stage.door["path"] == f"{served.door.path}stage"


@pytest.mark.parametrize("begins", [False, True], ids=["says nothing", "says hello"])
def test_who_proves_nothing_hears_nothing(impatient, served, begins):
    """A page that does not prove itself within seconds is closed."""
    link = served.link()
    if begins:
        link.say(link.hello())
        assert set(link.next()) == {"nonce", "start", "proof"}
    assert link.rest() == []
    assert served.night.said == []


WRONG = {
    "no JSON": "hello",
    "no object": "[]",
    "nothing": "null",
    "deep": "[" * 4000,
    "no hello": {"do": "press", "way": "advance", "seen": ["ready", 1]},
    "a proof first": {"proof": "0123"},
    "half a hello": {"hello": {"role": "stage"}},
}


@pytest.mark.parametrize("said", WRONG.values(), ids=WRONG)
def test_a_wrong_hello_ends_the_link(served, said):
    """What no page of ours says is not answered."""
    link = served.link()
    link.say(said)
    assert link.rest() == []
    assert served.night.said == []


@pytest.mark.parametrize(
    "change",
    [
        {"role": "guest"},
        {"role": ""},
        {"origin": "http://evil.example"},
        {"nonce": "0"},
        {"nonce": "0\n" * 16},
    ],
)
def test_a_wrong_role_site_or_number_ends_the_link(served, change):
    """The server proves nothing to a page that another site has sent."""
    link = served.link()
    link.say(link.hello(**change))
    assert link.rest() == []


def test_a_wrong_proof_ends_the_link(served):
    """Neither another key is let in, nor the server's own proof that comes back, nor a second try."""
    for proof in ("", "0" * 64, "ünd", None):
        link = served.link()
        link.say(link.hello())
        theirs = link.next()
        link.say({"proof": theirs["proof"] if proof is None else proof})
        assert link.rest() == []
    with pytest.raises(AssertionError):
        Link(served, key=bytes(32)).__enter__()
    assert served.night.said == []


def test_a_proof_is_for_one_link(served):
    """What a page has said to one link opens no other: the server's nonce is another one."""
    first, second = served.link(), served.link()
    for link in (first, second):
        link.say(link.hello())
    one, other = first.next(), second.next()
    assert one["nonce"] != other["nonce"]
    parts = ["operator", first.origin, first.nonce, one["nonce"], one["start"]]
    second.say({"proof": second.proof("page", *parts)})
    assert second.rest() == []
    first.say({"proof": first.proof("page", *parts)})
    assert first.next()["path"] == served.door.path


def test_a_thief_cannot_pass_a_page_on(served):
    """Who has the port of before passes a page's words on to the server at its new port.

    The page signs where it is. So the server refuses it; and if the thief writes the server's own site into
    the words, the page refuses the server.
    """
    there = f"http://127.0.0.1:{free_port()}"
    link = served.link(origin=there)
    link.say(link.hello())
    assert link.rest() == []
    link = served.link(origin=there)
    link.say(link.hello(origin=f"http://127.0.0.1:{served.port}"))
    theirs = link.next()
    signed = ["operator", there, link.nonce, theirs["nonce"], theirs["start"]]
    assert theirs["proof"] != link.proof("server", *signed)


def test_a_large_message_before_the_proof_ends_the_link(served):
    """Also in parts. After the proof, a page may send a list of guests."""
    link = served.link()
    link.say(link.hello(more="x" * 4096))
    assert link.rest() == []
    link = served.link()
    link.socket.send_frame(_frame("x" * 3000, "TEXT", last=False))
    link.socket.send_frame(_frame("x" * 3000, "CONT", last=True))
    assert link.rest() == []
    with served.link() as operator:
        operator.say({"do": "title", "text": "x" * 5_000_000})
        wait_until(lambda: served.night.said)


def _frame(text, opcode, *, last):
    from websocket import ABNF

    return ABNF.create_frame(text, getattr(ABNF, f"OPCODE_{opcode}"), int(last))


def test_the_stage_is_not_told_what_only_the_operator_may_know(served):
    """Neither at first nor later: who is called stays on the operator's page until the room has seen it."""
    with served.link("stage") as stage, served.link() as operator:
        assert set(stage.news()) == STAGE
        assert set(operator.news()) == set(SHOWN) > STAGE
        only = {name: ["of the operator"] for name in set(SHOWN) - STAGE - {"wanted"}}
        for name, value in only.items():
            served.night.show(**{name: value})
        heard = {}
        while heard != only:
            heard |= operator.news()
        served.night.show(title="Winter party")
        assert stage.news() == {"title": "Winter party"}


def test_a_page_that_comes_back_learns_what_is_over(served):
    """A question that was open when it lost its server is gone: the page is told so."""
    served.night.show(question={"number": 1}, roll={"number": 1, "people": [], "absent": []})
    with served.link() as operator:
        assert operator.news()["question"] == {"number": 1}
    served.night.show(question=None, roll=None)
    with served.link() as operator:
        news = operator.news()
        assert (news["question"], news["roll"]) == (None, None)


def test_questions_of_a_page_are_answered(served):
    """With a text, a file, or with why not, whatever went wrong. The link stays."""

    def refused():
        raise LotteryError("file", "is gone", "Look again")

    def broken():
        raise OSError("no emulator")

    served.night.answers = {"who": lambda: "Ada", "file": lambda: b"\x00", "no": refused, "bad": broken}
    with served.link() as operator:
        operator.news()
        told = {}
        for number, do in enumerate(served.night.answers):
            operator.say({"do": do, "ask": number})
            answer = operator.next()
            assert answer.pop("answer") == number
            told[do] = answer
    assert (told["who"], told["file"]) == ({"value": "Ada"}, {"value": "AA=="})
    assert told["no"] == {"problem": "file: is gone. Look again."}
    assert told["bad"] == {"problem": "no emulator"}


def test_a_slow_answer_keeps_nothing_waiting(served):
    """While a file is made, the page's presses arrive, and its pongs, without which its link would end."""
    with ExitStack() as stack:
        operator = stack.enter_context(served.link())
        operator.news()
        asked = []
        served.night.answers = {
            "file": lambda: wait_until(lambda: len(asked) == 1),
            "press": lambda: asked.append(True),
        }
        operator.say({"do": "file", "name": "proofs.html", "ask": 1})
        operator.say({"do": "press"})
        assert operator.next()["answer"] == 1


def test_a_file_arrives(served):
    """A file that somebody has chosen comes with its name, its size and its content."""
    with served.link() as operator:
        chosen = {"name": "guests.csv", "size": 3, "content": "YSxi"}
        operator.say({"do": "guests", "file": chosen})
        wait_until(lambda: served.night.said)
    assert served.night.said[0][1] == ("guests.csv", 3, b"a,b")


def test_nonsense_of_a_page_ends_its_link(served):
    """A message that no page of ours sends ends the link, and not the server."""
    served.night.answers = {"turned": lambda: int("one")}
    for nonsense in ("]", "7", {"do": "turned"}, {"do": "guests", "file": {"name": "x"}}):
        with served.link() as operator:
            operator.news()
            operator.say(nonsense)
            assert operator.next() is None
    with served.link() as operator:
        assert operator.news() == SHOWN


# Who takes all connections


def test_half_a_header_ends(impatient, served):
    """Who begins to ask, or asks nothing, and then is silent, is closed."""
    for begins in (b"", b"GET / HTTP/1.1\r\nHo"):
        with closing(connected(served)) as connection:
            connection.sendall(begins)
            assert is_closed(connection)


def test_idle_connections_keep_nobody_out(served):
    """With half a header and 200 silent connections, a page loads. The oldest ones end, and no open page."""
    with ExitStack() as stack:
        operator = stack.enter_context(served.link())
        operator.news()
        idle = [stack.enter_context(closing(connected(served))) for _ in range(201)]
        idle[-1].sendall(b"GET / HTTP/1.1\r\nHo")
        assert served.get(served.path)[0] == 200
        assert is_closed(idle[0])
        with served.link("stage") as stage:
            assert set(stage.news()) == STAGE
        served.night.show(title="Winter party")
        assert operator.news() == {"title": "Winter party"}


def test_pages_that_proved_themselves_are_not_ended(monkeypatch, served):
    """If there are as many of them as may be, no other comes in."""
    with served.link() as one, served.link("stage") as other:
        one.news()
        other.news()
        monkeypatch.setattr(server, "_MOST_CONNECTIONS", 2)
        with closing(connected(served)) as connection:
            assert is_closed(connection)
        served.night.show(title="Winter party")
        assert one.news() == other.news() == {"title": "Winter party"}


# The browser


def test_the_browser_gets_the_address_in_a_file(monkeypatch, own_home):
    """The browser is opened on a file that nobody else can read: its command line is for everybody."""
    opened, at_exit = [], []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("atexit.register", lambda do, **options: at_exit.append((do, options)))
    with serving(monkeypatch, browser=True) as served:
        wait_until(lambda: opened)
    file = Path(url2pathname(urlsplit(opened[0]).path))
    assert file.stat().st_mode & 0o077 == 0
    assert served.address in file.read_text()
    for do, options in at_exit:
        do(**options)
    assert not file.exists()
