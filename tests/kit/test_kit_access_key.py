"""The kit finds the access key of an emulator, and shows it to nobody."""

import json
import os
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from helpers import Own, emulator_in
from test_access_key import STRANGER
from test_same_origin import Wire

from lottery_course import calls
from lottery_lib import connect, inbox
from lottery_lib.__main__ import main
from lottery_lib.errors import LotteryError
from lottery_lib.resources.sns_topic import Subscription, Topic
from sfn_emulator import control


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    """A second emulator."""
    home = tmp_path_factory.mktemp("state")
    with emulator_in(home) as told:
        yield Own(told, home)


@pytest.fixture
def at_home(second, monkeypatch):
    """The kit finds the second emulator here."""
    monkeypatch.setenv("XDG_STATE_HOME", str(second.home))


def test_where_opens_the_mailbox(target):
    """The address that `inbox(target).where` tells opens the mailbox in a browser."""
    subscribe(target)
    before = inbox(target).where
    inbox(target).confirm("ann@example.com")
    for text in (before, inbox(target).where):
        path = re.search(r"http://127.0.0.1:\d+(/_emulator/mail/\S+)", text)[1]
        assert Wire(control.status())("GET", path)[0] == 303


def test_an_inbox_has_one_link(target):
    """To read `where` again makes no second ticket: the sentence has the same link."""
    subscribe(target)
    opened = inbox(target)
    assert opened.where == opened.where


def subscribe(target):
    (topic := Topic(target, target.names.topic)).ensure()
    Subscription(topic, "ann@example.com").ensure()


@pytest.fixture
def words(capsys):
    """Run a command; returns what it printed."""

    def run(*words):
        assert main(words) == 0
        printed = capsys.readouterr()
        return printed.out + printed.err

    return run


@pytest.mark.parametrize("verb", ["start", "status"])
def test_only_json_tells_the_key(second, at_home, words, verb):
    """What a person sees on a screen, and a notebook shows, has no key. `--json` tells it."""
    port = str(second.told["port"])
    assert second.told["access_key_id"] not in words("emulator", verb, "--port", port)
    told = json.loads(words("emulator", verb, "--port", port, "--json"))
    assert told["access_key_id"] == second.told["access_key_id"]


def test_no_view_shows_the_key(new_connection):
    """Neither a target, nor the calls of a cell with their command lines, nor the mailbox."""
    target = new_connection
    target.client("sns").list_topics()
    view = calls(target)
    shown = [
        repr(target),
        repr(view),
        view._repr_html_(),
        view.commands,
        str(vars(target.waiter)),
        target.endpoint,
    ]
    shown += [repr(inbox(target)), inbox(target)._repr_html_(), inbox(target).where]
    assert len(target.access_key) == 20
    assert not any(target.access_key in text for text in shown)


def test_pasted_lines_read_the_key(target):
    """The first line of `calls` gives a shell the key."""
    target.client("sns").list_topics()
    script = f'{calls(target).settings}\nprintf %s "$AWS_ACCESS_KEY_ID"'
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env=os.environ)
    assert ended.stdout == target.access_key


def test_an_address_with_the_key(second, monkeypatch, tmp_path_factory):
    """`http://KEY@host:port` reaches an emulator whose file is elsewhere. Its endpoint is without the key."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("elsewhere")))
    told = second.told
    monkeypatch.setenv("LOTTERY_TARGET", told["endpoint"].replace("//", f"//{told['access_key_id']}@"))
    target = connect()
    assert (target.account, target.endpoint) == ("123456789012", told["endpoint"])
    assert inbox(target).mails == []


@pytest.mark.parametrize(
    ("key", "what"), [("", "needs an access key"), (f"{STRANGER}@", "does not know the access")]
)
def test_an_address_without_the_key(second, monkeypatch, tmp_path_factory, key, what):
    """One sentence says where to find it. The sentence does not repeat what was given."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("elsewhere")))
    with pytest.raises(LotteryError, match=what) as caught:
        connect(second.told["endpoint"].replace("//", f"//{key}"))
    assert "Use http://KEY@host:port. KEY is the access_key_id" in str(caught.value)
    assert STRANGER not in str(caught.value)


@pytest.mark.parametrize("address", [f"http://{STRANGER}@127.0.0.1:x", f"{STRANGER}@127.0.0.1:5000"])
def test_a_bad_address_does_not_show_its_key(address):
    """The sentence about it has the address without the key."""
    with pytest.raises(LotteryError, match="is not") as caught:
        connect(address)
    assert STRANGER not in str(caught.value)


@pytest.mark.parametrize(("given", "sent"), [("", "testing"), ("MINE@", "MINE")])
def test_emulators_of_others(given, sent):
    """They take any key. The kit sends `testing` if there is none in the address."""
    seen = []

    class Other(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(self.headers["Authorization"])
            self.send_response(200)
            self.end_headers()
            body = "<Arn>arn:aws:iam::1:root</Arn><UserId>u</UserId><Account>1</Account>"
            kind = "GetCallerIdentity"
            self.wfile.write(f"<{kind}Response><{kind}Result>{body}</{kind}Result></{kind}Response>".encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connect(f"http://{given}127.0.0.1:{server.server_port}")
        server.shutdown()
    assert f"Credential={sent}/" in seen[0]
