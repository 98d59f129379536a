"""The commands of a party: announce it, serve its pages, save and restore it, and check its receipts."""

import csv
import io
import json
import sys
from datetime import datetime
from hashlib import sha256

import pandas as pd
import pytest

from lottery_lib import Stack, connect
from lottery_lib.__main__ import main
from lottery_lib.employees import Roster, tutorial_roster
from lottery_lib.files import state_folder
from lottery_lib.merkle import root_of
from lottery_lib.resources.contents import draws_table, empty_winners, load_employees, pool_table
from lottery_lib.resources.dynamodb_table import Table
from lottery_party import evening_file, server
from lottery_party.checker import check_page
from lottery_party.evening import Evening

HARDENED = ("--edition", "hardened")


@pytest.fixture(scope="module")
def target(own_state):
    """The party's lottery. The commands find it without an option."""
    stack = Stack(connect(attendee="party", edition="hardened"))
    stack.deploy()
    yield stack.target
    stack.teardown()


@pytest.fixture
def run(target, capsys, monkeypatch, tmp_path):
    """Run a command in a folder of the test's own; returns its exit code, JSON and stderr."""
    monkeypatch.chdir(tmp_path)

    def command(*words):
        code = main([*words, "--json"])
        captured = capsys.readouterr()
        return code, json.loads(captured.out), captured.err

    return command


@pytest.fixture
def served(monkeypatch):
    """How the pages were served last, and their key."""
    told = {}

    def serve(target, evening, file, port, *, browser, check):
        key = server.key_of(target.names, evening)
        names = {"attendee": target.names.attendee, "edition": target.names.edition}
        told.update(evening=evening, file=file, port=port, browser=browser, check=check, key=key, **names)

    monkeypatch.setattr(server, "serve", serve)
    return told


def test_the_pages_of_a_party(run, served, target, tmp_path):
    """`night` says what is missing, names the evening after today, and tells the pages its name and file."""
    code, _, said = run("night", "--port", "9000", "--no-browser")
    name = f"evening-{datetime.now():%Y%m%d}"
    file = tmp_path / f"{name}.evening.json"
    assert code == 0
    key = served.pop("key")
    assert served == {
        **{"port": 9000, "browser": False, "attendee": "party", "edition": "hardened"},
        **{"evening": name, "file": file, "check": ()},
    }
    assert "Only the ten employees of the tutorial can win." in said
    assert "`LOTTERY_ATTENDEE=party lottery employees load FILE`" in said.replace(f"{sys.prefix}/bin/", "")
    assert "Nobody has confirmed a subscription to the topic" in said
    assert f"The evening {name} is saved in {file}" in said
    assert "restore" not in said
    run("night")
    assert served["key"] == key  # so open pages know the server again
    run("night", "--name", "another")
    assert served["key"] != key
    (kept,) = {each for each in state_folder("lottery-party").iterdir() if each.read_bytes() == key}
    assert (len(key), kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (
        32,
        0o600,
        0o700,
    )


def test_an_independent_check_page(run, served, tmp_path, capsys):
    """The host says where it is, and gives its file. The stage shows the address and the hash."""
    (tmp_path / "check.html").write_bytes(b"a page")
    address = "https://example.org/check.html"
    assert run("night", "--check-page", address, "check.html")[0] == 0
    assert served["check"] == (address, sha256(b"a page").hexdigest())
    assert main(["night", "--check-page", address, "gone.html"]) == 1
    told = "file gone.html: cannot be read (No such file or directory). Save the page at this address"
    assert told in capsys.readouterr().err
    for no_page in ("check.html", "http://example.org/check.html"):  # anybody between could change that one
        assert main(["night", "--check-page", no_page, "check.html"]) == 1
    assert "is not the address of a page. Give one that begins with https://" in capsys.readouterr().err


def test_an_evening_has_a_chinese_name(run, served, target, tmp_path, monkeypatch):
    """Guests see it: in Chinese, its name is Chinese, and it can be announced, saved and restored."""
    monkeypatch.setattr(
        "lottery_party.commands._", lambda text, **_values: {"evening": "年会抽奖"}.get(text, text)
    )
    run("night")
    assert served["evening"] == f"年会抽奖-{datetime.now():%Y%m%d}"
    evening = Evening(target, served["evening"], file=served["file"])
    evening.announce([{"name": "Mug", "count": 1}], question="Call five numbers")
    assert evening_file.read(served["file"])["evening"] == served["evening"]
    assert Evening.restored(target, served["file"]).refresh().step == "public value"
    evening.take_back()


def test_announced_and_restored(run, served, target, tmp_path, capsys):
    """What was announced is in a file. `night` asks for it when the tables lack it, and goes on after it."""
    too_many = run("announce", "9 Mug\n2 Car", "--name", "night-1", "--question", "Numbers?")[1]["cause"]
    assert "prizes: 11 winners are wanted, but only 10 people can win." in too_many
    code, told, _ = run(
        "announce", "2 Mug\n1 Car", "--name", "night-1", "--absent", "later", "--question", "Numbers?"
    )
    assert code == 0
    assert told["root"] == pool_table(target).item("head")["root"]
    assert told["commitment"] == Evening(target, "night-1").refresh().announcement["commitment"]
    assert (told["prizes"], told["absent"], told["guests"]) == ("2 Mug, 1 Car", "may win later", 10)
    page = (tmp_path / "night-1.announcement.html").read_text(encoding="utf-8")
    assert told["announcement"] == str(tmp_path / "night-1.announcement.html")
    assert told["root"] in page
    assert "data:image/svg+xml" in page
    code, proof, _ = run("proof", "007")
    leaf = "\n".join(proof[key] for key in ("employee_id", "employee_name", "department"))
    assert (code, proof["employee_id"], root_of(leaf, proof)) == (0, "007", told["root"])
    assert main(["proof", "007"]) == 0
    assert "guest 007, who pastes it into the check page" in capsys.readouterr().out
    assert "employee 999: is not in the pool of night-1" in run("proof", "999")[1]["cause"]
    assert "draw x: was not announced" in run("proof", "007", "--name", "x")[1]["cause"]
    assert run("announce", "1 Car", "--question", "Numbers?")[1]["cause"].startswith(
        "evening night-1: is announced already"
    )
    assert run("night", "save", "saved.json")[1] == {
        **{"evening": "night-1", "file": str(tmp_path / "saved.json"), "employees": 10, "winners": 0},
    }
    Stack(target).teardown()
    _, _, said = run("night", "--file", "night-1.evening.json")
    assert "There is no lottery of party yet, so it is deployed now." in said
    assert f"night restore {tmp_path}/night-1.evening.json" in said
    served.clear()
    code, told, _ = run("night", "restore", "night-1.evening.json")
    assert served == {}
    assert (code, told["evening"], told["step"]) == (0, "night-1", "public value")
    assert (told["winners"], told["prizes"]) == (0, "0 of 2 are drawn")
    assert told["next"] == "Run `lottery night --file night-1.evening.json`"
    run("night")
    assert served["evening"] == "night-1"


def test_an_open_evening_in_a_file_is_offered(run, served, target, tmp_path, monkeypatch):
    """Tables that lost an evening: `night` asks whether the file goes on; without a terminal it says how."""
    Stack(target).teardown()
    Stack(target).deploy()
    run("announce", "1 Mug", "--name", "lost", "--question", "Numbers?")
    run("announce", "1 Mug", "--name", "over", "--question", "Numbers?")
    over = Evening(target, "over", file=tmp_path / "over.evening.json")
    over.give("1")
    over.close()
    (tmp_path / "other.evening.json").write_text("{")
    Stack(target).teardown()
    code, told, _ = run("night")
    assert code == 1
    assert "evening lost: is not closed, and only its file lost.evening.json has it" in told["cause"]
    assert "`lottery night restore lost.evening.json`" in told["cause"]
    assert served == {}
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    code, _, said = run("night")
    assert "lost.evening.json has the evening lost, which is not closed. Go on with it? [Y/n]" in said
    assert served["evening"] == f"evening-{datetime.now():%Y%m%d}"
    monkeypatch.setattr(sys, "stdin", Terminal("\n"))
    run("night")
    assert served["evening"] == "lost"
    assert Evening(target, "lost").refresh().step == "public value"
    served.clear()
    run("night")  # it is open in the tables now, so nobody is asked
    assert served["evening"] == "lost"


def test_two_lotteries_in_one_folder(run, served, target, tmp_path, monkeypatch):
    """Another lottery with an evening of the same name has files of its own, and none is offered to it."""
    Stack(target).teardown()
    Stack(target).deploy()
    run("announce", "1 Mug", "--name", "same", "--question", "Numbers?")
    first = {path.name: path.read_bytes() for path in tmp_path.glob("same*")}
    assert {*first} == {"same.evening.json", "same.announcement.html"}
    monkeypatch.setenv("LOTTERY_ATTENDEE", "hr")
    code, told, said = run("night", "--name", "same")
    try:
        assert "has an evening that the tables do not have" not in said
        assert (code, served["attendee"]) == (0, "hr")
        assert served["file"] == tmp_path / "same.hr.evening.json"
        code, told, _ = run("announce", "1 Car", "--name", "same", "--question", "Numbers?")
        assert (code, told["file"]) == (0, str(tmp_path / "same.hr.evening.json"))
        assert {
            path.name: path.read_bytes() for path in tmp_path.glob("same*") if path.name in first
        } == first
        Stack(target).teardown()
        assert run("night")[0] == 0
        assert served["file"] == tmp_path / "same.hr.evening.json"
        assert evening_file.read(tmp_path / "same.hr.evening.json")["attendee"] == "hr"
    finally:
        Stack(connect(attendee="hr", edition="hardened")).teardown()


class Terminal(io.StringIO):
    """A terminal at which somebody types this."""

    def isatty(self):
        return True


def test_restore_opens_the_pages(run, served, target, tmp_path, capsys):
    """`night restore` shows the pages, as `night` does, with its options. With JSON it only restores."""
    run("announce", "1 Mug", "--name", "back", "--question", "Numbers?")
    Stack(target).teardown()
    assert main(["night", "restore", "back.evening.json", "--no-browser", "--port", "9001"]) == 0
    assert "evening: back" in capsys.readouterr().out
    assert (served["evening"], served["browser"], served["port"]) == ("back", False, 9001)
    assert served["file"] == tmp_path / "back.evening.json"
    served.clear()
    assert main(["night", "restore", "back.evening.json", "--no-pages"]) == 0
    assert "lottery night --file back.evening.json" in capsys.readouterr().out
    assert served == {}


@pytest.mark.long("two evenings on a lottery of their own")
def test_numbers_are_announced(run, target, tmp_path):
    """With numbers, the question is made. Few numbers are amber, which is said before the announcement."""
    Stack(target).teardown()
    Stack(target).deploy()
    code, told, said = run("announce", "1 Mug", "--name", "few", "--numbers", "2", "--to", "9")
    assert (code, told["question"]) == (0, "Call 2 numbers from 1 to 9")
    assert told["numbers"] == {"count": 2, "least": 1, "most": 9}
    assert "There are only 45 different answers" in said
    assert "A text can be guessed" in run("announce", "1 Mug", "--name", "text", "--question", "A word?")[2]
    _, told, said = run("announce", "1 Mug", "--name", "own", "--numbers", "5", "--question", "Five?")
    assert (told["question"], "The question is your own" in said) == ("Five?", True)
    _, told, said = run("announce", "1 Mug", "--name", "many", "--numbers", "5")
    assert (told["question"], said) == ("Call 5 numbers from 1 to 99", "")
    cause = run("announce", "1 Mug", "--name", "bad", "--numbers", "5", "--from", "9", "--to", "9")[1][
        "cause"
    ]
    assert cause.startswith("question to the room: the numbers cannot go from 9 to 9.")


def test_proofs_for_everybody(run, target, tmp_path):
    """One file proves to each guest that they are in the pool. It has no name of anybody."""
    people = [(f"{number:03}", f"Guest {number}") for number in range(20)]
    rows = [{"employee_id": e, "employee_name": n, "lottery_serial": int(e)} for e, n in people]
    Stack(target).teardown()
    Stack(target).deploy()
    load_employees(target, Roster(rows))
    run("announce", "1 Mug", "--name", "all", "--numbers", "5")
    code, told, _ = run("proofs")
    file = tmp_path / "all.proofs.html"
    assert (code, told) == (0, {"evening": "all", "guests": 20, "file": str(file)})
    page = file.read_text(encoding="utf-8")
    assert '"007"' in page
    assert "Guest" not in page
    assert run("proofs", "--name", "all", "--save", "other.html")[1]["file"] == str(tmp_path / "other.html")
    assert "draw x: was not announced" in run("proofs", "--name", "x")[1]["cause"]


def test_proofs_are_those_of_the_latest_announcement(run, target):
    """After an announcement was taken back because of a wrong list, a new guest has a proof."""
    Stack(target).teardown()
    Stack(target).deploy()
    evening = Evening(target, "twice")
    for guest in ("001", "901"):
        load_employees(target, Roster([{"employee_id": guest, "employee_name": "A", "lottery_serial": 1}]))
        evening.announce([{"name": "Mug", "count": 1}], question="Numbers?")
        if guest == "001":
            evening.take_back()
    for name in ([], ["--name", "twice"]):
        assert run("proofs", *name)[1]["evening"] == "twice-2"
        assert run("proof", "901", *name)[0] == 0


def test_the_pages_stay_after_an_announcement_was_taken_back(run, served, target, tmp_path):
    """The evening is NAME-2 then. Its file and the key of its pages stay, so that open pages come back."""
    Stack(target).teardown()
    Stack(target).deploy()
    run("night", "--name", "again")
    key, file = served["key"], served["file"]
    evening = Evening(target, "again", file=file)
    evening.announce([{"name": "Mug", "count": 1}], question="Numbers?")
    evening.take_back()
    evening.announce([{"name": "Car", "count": 1}], question="Numbers?")
    assert evening.name == "again-2"
    run("night")
    assert (served["key"], served["file"]) == (key, file)
    assert run("withdraw", "003")[1] == {
        **{"evening": "again-2", "withdrawn": "003", "name": evening.guests()["003"].name, "file": str(file)},
    }
    Stack(target).teardown()
    served.clear()
    assert main(["night", "restore", "again.evening.json"]) == 0
    assert (served["key"], served["file"]) == (key, file)


def test_a_rehearsal(run, served, target, tmp_path):
    """It has a lottery and a file of its own, with the guests of the party, and says how to remove it."""
    empty_winners(target)
    load_employees(target, Roster([{"employee_id": "R7", "employee_name": "Ada", "lottery_serial": 1}]))
    before = draws_table(target).items()
    code, _, said = run("night", "--rehearsal")
    name = f"rehearsal-{datetime.now():%Y%m%d}"
    assert (code, served["attendee"], served["evening"]) == (0, "party-rehearsal", name)
    assert served["file"] == tmp_path / f"{name}.party-rehearsal.evening.json"
    remove = "LOTTERY_ATTENDEE=party-rehearsal lottery teardown --edition hardened"
    assert f"To remove all that the rehearsal has made: `{remove}`" in said.replace(f"{sys.prefix}/bin/", "")
    rehearsal = connect(attendee="party-rehearsal", edition="hardened")
    try:
        evening = Evening(rehearsal, name)
        assert list(evening.guests()) == ["R7"]
        evening.announce([{"name": "Mug", "count": 1}], question="Numbers?")
        load_employees(target, tutorial_roster())
        run("night", "--rehearsal")  # it goes on, with the guests that were announced
        assert list(Evening(rehearsal, name).guests()) == ["R7"]
        assert draws_table(target).items() == before
    finally:
        Stack(rehearsal).teardown()


def test_withdraw(run, target, tmp_path):
    """`withdraw` takes an id or a name, and saves the evening. It refuses a person who cannot win."""
    Stack(target).teardown()
    Stack(target).deploy()
    people = [("003", "Ann"), ("004", "Li Na"), ("005", "Li Na")]
    rows = [{"employee_id": e, "employee_name": n, "lottery_serial": int(e)} for e, n in people]
    load_employees(target, Roster(rows))
    run("announce", "1 Mug", "--name", "night-1", "--question", "Numbers?")
    file = tmp_path / "night-1.evening.json"
    code, told, _ = run("withdraw", "li na")
    assert (code, told["cause"]) == (
        1,
        "guest li na: means several guests: Li Na (004), Li Na (005). Give the id.",
    )
    document = {"evening": "night-1", "withdrawn": "003", "name": "Ann", "file": str(file)}
    assert run("withdraw", "ann")[:2] == (0, document)
    assert [each.id for each in Evening(target, "night-1").refresh().withdrawn] == ["003"]
    assert file.exists()
    assert "employee 999: is not in the pool of night-1" in run("withdraw", "999")[1]["cause"]


def test_a_row_without_a_receipt_is_marked(run, target, monkeypatch, tmp_path):
    """If somebody writes a row by hand, it is marked in the list of winners, and in both files."""
    monkeypatch.setenv("LOTTERY_ATTENDEE", "party")
    table = Table(target, target.names.winners_table)
    table.put([{"employee_id": "007", "draw_id": "night-1", "prize": "Car"}])
    _, told, _ = run("winners", *HARDENED, "--csv", "w.csv", "--xlsx", "w.xlsx")
    assert [(each["employee_id"], each["receipt"]) for each in told] == [("007", "no receipt")]
    with (tmp_path / "w.csv").open(encoding="utf-8-sig") as file:
        assert [row["receipt"] for row in csv.DictReader(file)] == ["no receipt"]
    assert "no receipt" in [*pd.read_excel(tmp_path / "w.xlsx", engine="calamine")["receipt"]]
    table.remove(["007"])


def test_reset_during_an_evening(run, target, monkeypatch):
    """`reset` asks first if an evening is open, also on an emulator."""
    assert Evening(target, "night-1").refresh().step == "public value"
    monkeypatch.setenv("LOTTERY_ATTENDEE", "party")
    code, told, _ = run("reset")
    assert code == 1
    assert "although the announced draw night-1 is open: needs a confirmation" in told["cause"]
    assert run("reset", "--yes")[:2] == (0, {"removed": 0})


def test_a_draw_in_public(run, target, monkeypatch, tmp_path):
    """`draw --public` commits first, then mixes the value in. All of it can be checked and saved."""
    monkeypatch.setenv("LOTTERY_ATTENDEE", "party")
    words = ("draw", "2", "--name", "d-1", "--public", "3 8 1", *HARDENED)
    code, told, _ = run(*words)
    assert (code, len(told["winners"]), told["execution_arn"].rsplit(":", 1)[1]) == (0, 2, "d-1")
    assert run(*words)[1]["cause"] == "draw d-1: exists already. Give another name."
    code, told, said = run("receipts", "d-1", "--save", "checked/d-1", *HARDENED)
    kept = [json.loads(text) for text in told["draws"]["d-1"]["receipts"]]
    assert [each["kind"] for each in kept] == ["announced", "public value", "drawn", "closed"]
    assert kept[1]["value"] == "3 8 1"
    assert (code, False in told.pop("verified").values()) == (0, False), said
    assert (told.pop("verdict"), told.pop("word")) == ("amber", "steered")
    notices = [(each["kind"], each["grade"]) for each in told.pop("notices")]
    assert notices[-2:] == [("text", "steered"), ("notAsked", "steered")]
    assert json.loads((tmp_path / "checked/d-1/receipts.json").read_text()) == told
    assert (tmp_path / "checked/d-1/check.html").read_text(encoding="utf-8") == check_page(told)


def test_a_draw_in_public_that_fails(run, target, monkeypatch):
    """If it cannot commit, it says why, and does not wait for the machine to ask."""
    monkeypatch.setenv("LOTTERY_ATTENDEE", "party")
    code, told, _ = run("draw", "[]", "--public", "3", *HARDENED)
    assert (code, told["status"], told["error"]) == (1, "FAILED", "InvalidInput")
