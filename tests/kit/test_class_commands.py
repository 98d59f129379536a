"""`lottery class`, `lottery join` and `lottery leave`, as somebody types them."""

import contextlib
import http.client
import json
import re
import signal
import subprocess
import sys
import threading
import urllib.request

import pytest
from class_room import running
from helpers import wait_until
from patience import SECONDS

from lottery_course import server
from lottery_course.progress import joined_file
from lottery_lib.__main__ import main
from lottery_lib.addresses import lan_address

CLASS = [sys.executable, "-m", "lottery_lib", "class", "--no-browser", "--port", "0"]


@contextlib.contextmanager
def typed(*options):
    """Run `lottery class` until the end of the block."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*CLASS, *options], **pipes)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)
        process.stdout.close()
        process.stderr.close()


@pytest.fixture(autouse=True)
def not_joined():
    yield
    joined_file().unlink(missing_ok=True)


def test_a_class_from_its_beginning_to_its_end(tmp_path, capsys):
    """The board says address and code as JSON, somebody joins and leaves, and then the file is there."""
    file = tmp_path / "class.json"
    with typed("--json", "--save", str(file), "--anonymous") as process:
        told = json.loads(process.stdout.readline())
        assert set(told) == {"address", "code", "page", "phone"}
        assert told["phone"] is None
        assert main(["join", told["address"], told["code"].lower(), "--name", "Ann"]) == 0
        assert "It never gets code, output or answers." in " ".join(capsys.readouterr().out.split())
        assert b"lottery join" in urllib.request.urlopen(told["page"], timeout=SECONDS).read()
        assert main(["join", told["address"], "WRONG7", "--json"]) == 1
        failed = json.loads(capsys.readouterr().out)
        assert (failed["joined"], failed["error"]) == (False, "NotTakenError")
        process.send_signal(signal.SIGTERM)
        rest, notes = process.communicate(timeout=SECONDS)
    assert (process.returncode, rest) == (0, "")
    assert str(file) in notes
    assert [each["name"] for each in json.loads(file.read_text())["attendees"]] == ["Attendee 1"]
    assert file.stat().st_mode & 0o077 == 0
    assert main(["leave", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"joined": False}


@pytest.mark.long("starts the command twice")
def test_what_the_board_says_to_a_person():
    """Without --lan it says who can join; with it, what that means, and the address for a phone."""
    with typed() as process:
        lines = [process.stderr.readline() for _each in range(4)]
        assert lines[0].startswith("Your page: http://127.0.0.1:")
        assert "Only this computer can join." in lines[1]
        assert lines[2].startswith("Attendees type this:")
    with typed("--lan") as process:
        text = "".join(process.stderr.readline() for _each in range(7))
    address = lan_address()
    assert f"The same for your phone; show nobody this address: http://{address}:" in text
    assert "Every computer in this network can now reach the board." in text
    assert re.search(rf"lottery join {re.escape(address)}:\d+ [3-9A-Y]{{6}}\n", text)


def test_an_old_file_stays(tmp_path, capsys):
    """--save does not replace a file, and says so before anybody joins."""
    file = tmp_path / "class.json"
    file.write_text("old")
    assert main(["class", "--no-browser", "--save", str(file)]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert file.read_text() == "old"


def visit(text):
    """Open the address that `lottery class --check` has printed."""
    found = re.search(r"http://([0-9.]+):([0-9]+)/", text)
    connection = http.client.HTTPConnection(found[1], int(found[2]), timeout=SECONDS)
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()


def test_check_waits_for_another_computer(monkeypatch, capsys):
    """A visit of this computer does not count. The first visit of another one ends the command."""
    own = lan_address()
    said = []
    monkeypatch.setattr("lottery_course.commands.say", said.append)

    seen = server._Hello.get
    asked = []

    def get(handler):
        asked.append(1)
        handler.request.remote_ip = own if len(asked) == 1 else "192.0.2.8"  # then another computer
        seen(handler)

    monkeypatch.setattr(server._Hello, "get", get)

    def visits():
        wait_until(lambda: said)
        visit(said[0])
        wait_until(lambda: "That was this computer. Use another one." in said)
        visit(said[0])

    thread = threading.Thread(target=visits)
    thread.start()
    assert main(["class", "--check", "--port", "0", "--json"]) == 0
    thread.join()
    told = json.loads(capsys.readouterr().out)
    assert told["visitors"] == ["192.0.2.8"]
    assert told["address"].startswith(f"http://{own}:")
    assert "If nobody comes within a minute" in said[1]
    assert said[-1] == "192.0.2.8 has reached this computer: `lottery class --lan` works here."


def test_check_without_a_visitor():
    """Ended without a visitor, the command says that it did not find one."""
    with typed("--check", "--json") as process:
        visit(process.stderr.readline())
        assert "If nobody comes" in process.stderr.readline()
        assert process.stderr.readline() == "That was this computer. Use another one.\n"
        process.send_signal(signal.SIGTERM)
        told = json.loads(process.communicate(timeout=SECONDS)[0])
    assert (told["visitors"], process.returncode) == ([], 1)


def test_show(capsys):
    """`join --show` prints what was sent last for each check, also as JSON."""
    assert main(["join", "--show"]) == 0
    assert capsys.readouterr().out == "Nothing was sent.\n"
    with running() as board:
        assert main(["join", board.room.address, board.room.code, "--name", "王伟"]) == 0
        from lottery_course.attendee import SENDER

        SENDER.note("05", "verify", True)
        assert SENDER.wait(SECONDS)
        capsys.readouterr()
        assert main(["join", "--show", "--json"]) == 0
        (sent,) = json.loads(capsys.readouterr().out)["sent"]
        assert (sent["nickname"], sent["lesson"], sent["check"], sent["done"]) == (
            "王伟",
            "05",
            "verify",
            True,
        )


def test_join_needs_both(capsys):
    """Without an address or a code, a sentence says what to type."""
    assert main(["join"]) == 1
    assert "is no address of a board" in capsys.readouterr().err
