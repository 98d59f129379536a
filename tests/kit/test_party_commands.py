"""The commands of a party: announce it, serve its pages, save and restore it, and check its receipts."""

import csv
import json
import os
import sys
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from lottery_lib import Stack, connect
from lottery_lib.__main__ import main
from lottery_lib.merkle import root_of
from lottery_lib.resources.contents import pool_table
from lottery_lib.resources.dynamodb_table import Table
from lottery_party import projector
from lottery_party.announcement import grouped
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
    """How the pages were served last, and the variables of their kernels."""
    told = {}

    def serve(port, *, browser):
        told.update(
            port=port, browser=browser, **{key: os.environ[key] for key in os.environ if "EVENING" in key}
        )
        told.update(attendee=os.environ["LOTTERY_ATTENDEE"], edition=os.environ["LOTTERY_EDITION"])

    monkeypatch.setattr(projector, "serve", serve)
    monkeypatch.setattr(os, "environ", os.environ.copy())  # `night` changes it
    return told


def test_the_pages_of_a_party(run, served, target, tmp_path):
    """`night` says what is missing, names the evening after today, and tells the pages its name and file."""
    code, _, said = run("night", "--port", "9000", "--no-browser")
    name = f"evening-{datetime.now():%Y%m%d}"
    file = tmp_path / f"{name}.evening.json"
    assert code == 0
    assert served == {
        **{"port": 9000, "browser": False, "attendee": "party", "edition": "hardened"},
        **{"LOTTERY_EVENING": name, "LOTTERY_EVENING_FILE": str(file)},
    }
    assert "Only the ten employees of the tutorial can win." in said
    assert "`LOTTERY_ATTENDEE=party lottery employees load FILE`" in said.replace(f"{sys.prefix}/bin/", "")
    assert "Nobody has confirmed a subscription to the topic" in said
    assert f"The evening {name} is saved in {file}" in said
    assert "restore" not in said


def test_announced_and_restored(run, served, target, tmp_path, capsys):
    """What was announced is in a file. `night` asks for it when the tables lack it, and goes on after it."""
    too_many = run("announce", "9 Mug\n2 Car", "--name", "night-1")[1]["cause"]
    assert "prizes: 11 winners are wanted, but only 10 people can win." in too_many
    code, told, _ = run(
        "announce", "2 Mug\n1 Car", "--name", "night-1", "--absent", "later", "--question", "?"
    )
    assert code == 0
    assert told["root"] == pool_table(target).item("head")["root"]
    assert told["commitment"] == Evening(target, "night-1").refresh().announcement["commitment"]
    assert (told["prizes"], told["absent"], told["guests"]) == ("2 Mug, 1 Car", "may win later", 10)
    page = (tmp_path / "night-1.announcement.html").read_text(encoding="utf-8")
    assert told["announcement"] == str(tmp_path / "night-1.announcement.html")
    assert grouped(told["root"]) in page
    assert told["root"] in Path(told["check"]).read_text(encoding="utf-8")
    code, proof, _ = run("proof", "007")
    assert (code, proof["employee_id"], root_of("007", proof)) == (0, "007", told["root"])
    assert main(["proof", "007"]) == 0
    assert "guest 007, who pastes it into the check page" in capsys.readouterr().out
    assert "employee 999: is not in the pool of night-1" in run("proof", "999")[1]["cause"]
    assert "draw x: was not announced" in run("proof", "007", "--name", "x")[1]["cause"]
    assert run("announce", "1 Car")[1]["cause"].startswith("evening night-1: is announced already")
    assert run("night", "save", "saved.json")[1] == {
        **{"evening": "night-1", "file": str(tmp_path / "saved.json"), "employees": 10, "winners": 0},
    }
    Stack(target).teardown()
    _, _, said = run("night", "--file", "night-1.evening.json")
    assert "There is no lottery of party yet, so it is deployed now." in said
    assert f"night restore {tmp_path}/night-1.evening.json" in said
    code, told, _ = run("night", "restore", "night-1.evening.json")
    assert (code, told["evening"], told["step"]) == (0, "night-1", "public value")
    assert (told["winners"], told["prizes"]) == (0, "0 of 2 are drawn")
    assert told["next"] == "Run `lottery night --file night-1.evening.json`"
    run("night")
    assert served["LOTTERY_EVENING"] == "night-1"


def test_withdraw(run, target, tmp_path):
    """`withdraw` takes a guest out of the open evening, and saves it. It refuses a person who cannot win."""
    file = tmp_path / "night-1.evening.json"
    assert run("withdraw", "003")[:2] == (
        0,
        {"evening": "night-1", "withdrawn": "003", "file": str(file)},
    )
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
    assert "although the evening night-1 is open: needs a confirmation" in told["cause"]
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
    assert (code, {*told.pop("verified").values()}) == (0, {True}), said
    assert json.loads((tmp_path / "checked/d-1/receipts.json").read_text()) == told
    assert (tmp_path / "checked/d-1/check.html").read_text(encoding="utf-8") == check_page(told)


def test_a_draw_in_public_that_fails(run, target, monkeypatch):
    """If it cannot commit, it says why, and does not wait for the machine to ask."""
    monkeypatch.setenv("LOTTERY_ATTENDEE", "party")
    code, told, _ = run("draw", "0", "--public", "3", *HARDENED)
    assert (code, told["status"], told["error"]) == (1, "FAILED", "InvalidInput")
