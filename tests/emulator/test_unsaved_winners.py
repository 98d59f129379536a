"""The emulator keeps nothing when it ends, so whoever ends it hears first which winners are lost."""

import io
import json
import re
import shlex
import subprocess
import sys

import pytest

from lottery_lib import Stack, connect, draw
from lottery_lib.__main__ import main
from lottery_lib.emulator.process import control
from lottery_lib.names import CHECKOUT
from lottery_lib.resources.contents import draws_table
from lottery_lib.resources.dynamodb_table import Table


@pytest.fixture
def won(own_home):
    """An emulator with a hardened lottery in which somebody has won. Only the tables are needed for that."""
    target = connect(attendee="party", edition="hardened")
    draws_table(target).ensure()
    draws_table(target).put([{"draw_id": "draw-1"}, {"draw_id": "draw-1#1"}])
    winners = Table(target, target.names.winners_table)
    winners.ensure()
    winners.put([{"employee_id": "001"}])
    yield target
    control.stop()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def stop(capsys, *words):
    """Stop it with --json; returns the exit code, the document and what was said."""
    code = main(["emulator", "stop", *words, "--json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out), captured.err


def test_stop_asks_before_winners_are_lost(won, monkeypatch, capsys):
    """On a terminal, `emulator stop` says who would be lost and how to save them, and a no keeps all."""
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    code, document, err = stop(capsys)
    assert (code, document["error"]) == (1, "LotteryError")
    assert "Winners in Lottery-Winners-party: 1." in err
    assert "`LOTTERY_ATTENDEE=party lottery winners --csv winners.csv`" in err
    assert "`LOTTERY_ATTENDEE=party lottery receipts draw-1 --edition hardened --json`" in err
    assert err.endswith(f"{document['cause']}\n")
    assert control.status()["running"]


def test_stop_needs_a_yes_without_a_terminal(won, monkeypatch, capsys):
    """Where nobody can answer, it refuses, and `--yes` stops it."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    code, document, _ = stop(capsys)
    assert (code, control.status()["running"]) == (1, True)
    assert "Give --yes" in document["cause"]
    code, document, _ = stop(capsys, "--yes")
    assert (code, document["running"], control.status()["running"]) == (0, False, False)


def test_a_yes_stops_it(won, monkeypatch, capsys):
    """On a terminal, a yes stops it."""
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert stop(capsys)[:1] == (0,)
    assert not control.status()["running"]


def test_a_dry_run_only_looks(won, capsys):
    """`emulator stop --dry-run` tells what would be lost, exits 1 then, and stops nothing."""
    code, document, _ = stop(capsys, "--dry-run")
    assert (code, document["running"], len(document["lost"])) == (1, True, 1)
    assert control.status()["running"]


@pytest.mark.parametrize("edition", ["hardened", "tutorial"])
def test_nothing_to_lose(own_home, edition, monkeypatch, capsys):
    """Without winners of the hardened edition, it stops without a word: other draws are for practice."""
    target = connect(edition=edition)
    (draws_table(target) if edition == "hardened" else Table(target, "Lottery-Winners")).ensure()
    if edition == "tutorial":
        Table(target, "Lottery-Winners").put([{"employee_id": "001"}])
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    code, document, err = stop(capsys)
    assert (code, document["running"], err) == (0, False, "")


def test_the_end_of_make_lab_warns(won):
    """The JupyterLab that `make lab` has started says it when it ends, whatever ends it in good order."""
    settings = CHECKOUT / "data" / "jupyter_server_config.py"
    code = f"""
import os, runpy
from unittest.mock import MagicMock
os.environ["LOTTERY_LAB_PID"] = str(os.getpid())
runpy.run_path({str(settings)!r}, dict(get_config=MagicMock()))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert "Winners in Lottery-Winners-party: 1." in done.stderr
    assert (done.stdout, control.status()["running"]) == ("", True)


def test_the_commands_save_them(own_home, monkeypatch, capsys, tmp_path):
    """Each command that it names works: the winners are in a CSV, and each draw's receipts are printed."""
    target = connect(attendee="party", edition="hardened")
    Stack(target).deploy()
    draw(target, [{"name": "Car", "count": 1}])
    _, document, _ = stop(capsys, "--dry-run")
    monkeypatch.chdir(tmp_path)
    commands = re.findall("`(.*?)`", document["lost"][0])
    for variable, _lottery, *words in map(shlex.split, commands):
        monkeypatch.setenv(*variable.split("="))
        assert main(words) == 0
    assert len(commands) == 2
    assert (tmp_path / "winners.csv").read_text(encoding="utf-8-sig").splitlines()[1].endswith(",Car")
    assert json.loads(capsys.readouterr().out.splitlines()[-1])[0]["prize"] == "Car"
    control.stop()
