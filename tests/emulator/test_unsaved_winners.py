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
from lottery_lib.errors import LotteryError
from lottery_lib.names import CHECKOUT
from lottery_lib.resources.contents import draws_table
from lottery_lib.resources.dynamodb_table import Table


def win(attendee="party", **where):
    """Let somebody win in a hardened lottery. Only the tables are needed for that."""
    target = connect(attendee=attendee, edition="hardened", **where)
    draws_table(target).ensure()
    draws_table(target).put([{"draw_id": "draw-1"}, {"draw_id": "draw-1#1"}])
    Table(target, target.names.employee_table).ensure()
    winners = Table(target, target.names.winners_table)
    winners.ensure()
    winners.put([{"employee_id": "001"}])
    return target


@pytest.fixture
def won(own_home):
    """An emulator with a hardened lottery in which somebody has won."""
    yield win()
    control.stop()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def stop(capsys, *words):
    """Stop it with --json; returns the exit code, the document and what was said."""
    code = main(["emulator", "stop", *words, "--json"])
    captured = capsys.readouterr()
    return code, json.loads(captured.out), captured.err


def run_commands(sentences, monkeypatch):
    """Run what the sentences tell a person to run; returns how many commands that are."""
    commands = re.findall("`(.*?)`", " ".join(sentences))
    for line in commands:
        settings, words = line.split("lottery ", 1)
        with monkeypatch.context() as patch:
            for setting in settings.split():
                patch.setenv(*setting.split("="))
            assert main(shlex.split(words)) == 0
    return len(commands)


def saved(path):
    """The ids in a CSV."""
    return [line.split(",")[0] for line in path.read_text(encoding="utf-8-sig").splitlines()[1:]]


def test_stop_asks_before_winners_are_lost(won, monkeypatch, capsys):
    """On a terminal, `emulator stop` says who would be lost and how to save them, and a no keeps all."""
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    code, document, err = stop(capsys)
    assert (code, document["error"]) == (1, "LotteryError")
    assert "Winners in Lottery-Winners-party: 1." in err
    assert "`LOTTERY_ATTENDEE=party lottery winners --csv winners-party.csv`" in err
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


def end_of_make_lab():
    """Run the settings of the JupyterLab that `make lab` has started, at a terminal, until its end."""
    settings = CHECKOUT / "data" / "jupyter_server_config.py"
    code = f"""
import os, runpy, sys
from unittest.mock import MagicMock
os.environ["LOTTERY_LAB_PID"] = str(os.getpid())
sys.stdin.isatty = lambda: True
runpy.run_path({str(settings)!r}, dict(get_config=MagicMock()))
"""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, input="\n", capture_output=True, text=True, check=True)


def test_the_end_of_make_lab_warns(won):
    """The JupyterLab that `make lab` has started says it and waits when it ends in good order."""
    done = end_of_make_lab()
    assert "Winners in Lottery-Winners-party: 1." in done.stderr
    assert "Save them in another terminal" in done.stdout
    assert control.status()["running"]


def test_the_end_of_make_lab_does_not_wait_for_another_reason(own_home):
    """If the command fails and no winners are known to be lost, it asks nobody to save them."""
    (own_home / "lottery-workshop").write_text("no folder")
    done = end_of_make_lab()
    assert done.stderr
    assert done.stdout == ""


def test_the_commands_save_them(own_home, monkeypatch, capsys, tmp_path):
    """Each command that it names works: the winners are in a CSV, and each draw's receipts are printed."""
    target = connect(attendee="party", edition="hardened")
    Stack(target).deploy()
    draw(target, [{"name": "Car", "count": 1}])
    _, document, _ = stop(capsys, "--dry-run")
    monkeypatch.chdir(tmp_path)
    assert run_commands(document["lost"], monkeypatch) == 2
    assert (tmp_path / "winners-party.csv").read_text(encoding="utf-8-sig").splitlines()[1].endswith(",Car")
    assert json.loads(capsys.readouterr().out.splitlines()[-1])[0]["prize"] == "Car"
    control.stop()


def test_commands_name_a_separate_emulator(own_home, port, monkeypatch, capsys, tmp_path):
    """For an emulator with a port, the command saves the winners there, and starts no other emulator."""
    win(where=control.start(port)["endpoint"])
    _, document, _ = stop(capsys, "--dry-run", "--port", str(port))
    lines = re.findall("`(.*?)`", document["lost"][0])
    assert [line.split()[0] for line in lines] == [f"LOTTERY_TARGET=http://127.0.0.1:{port}"] * 2
    monkeypatch.chdir(tmp_path)
    run_commands([f"`{lines[0]}`"], monkeypatch)
    assert saved(tmp_path / "winners-party.csv") == ["001"]
    assert not control.status()["running"]
    control.stop(port)


def test_commands_leave_the_variables_of_the_shell(won, monkeypatch, capsys):
    """If the shell's variables name another lottery, the command names the one that is lost."""
    win("")
    monkeypatch.setenv("LOTTERY_ATTENDEE", "bob")
    monkeypatch.setenv("LOTTERY_TARGET", "http://127.0.0.1:9")
    _, document, _ = stop(capsys, "--dry-run")
    assert (
        "`LOTTERY_TARGET=embedded LOTTERY_ATTENDEE= lottery winners --csv winners.csv`" in document["lost"][1]
    )


def test_each_attendee_has_a_file(won, capsys):
    """With two attendees, the second command does not overwrite what the first has saved."""
    win("alice")
    _, document, _ = stop(capsys, "--dry-run")
    files = re.findall("--csv (.*?)`", " ".join(document["lost"]))
    assert sorted(files) == ["winners-alice.csv", "winners-party.csv"]


@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1"])
def test_winners_in_another_region(own_home, region, monkeypatch, capsys, tmp_path):
    """Winners in any region are seen, whatever the shell's region, and the command names it."""
    win(region=region)
    _, document, _ = stop(capsys, "--dry-run")
    line = (
        f"`LOTTERY_REGION={region} LOTTERY_ATTENDEE=party lottery winners --csv winners-party-{region}.csv`"
    )
    assert line in document["lost"][0]
    monkeypatch.chdir(tmp_path)
    run_commands([line], monkeypatch)
    assert saved(tmp_path / f"winners-party-{region}.csv") == ["001"]
    control.stop()


@pytest.mark.parametrize("ending", ["Old", "old"])
def test_a_foreign_table_hides_nobody(won, ending, capsys):
    """A table of others with a name like ours is skipped, and the winners are told."""
    Table(won, f"Lottery-Hardened-Draws-{ending}", "their_key").ensure()
    won.plain_dynamodb().put_item(TableName=f"Lottery-Hardened-Draws-{ending}", Item={"their_key": "x"})
    code, document, _ = stop(capsys, "--dry-run")
    assert (code, len(document["lost"])) == (1, 1)


def test_a_look_that_fails_is_told(won, monkeypatch, capsys):
    """The emulator stops all the same, because it may be one that does not answer."""

    def refused(*_, **__):
        raise LotteryError("emulator", "does not answer", "Look into its log")

    monkeypatch.setattr("lottery_lib.party.receipts.unsaved", refused)
    code, told, said = stop(capsys)
    assert (code, told["running"]) == (0, False)
    assert "Nobody could look whether there are winners. emulator: does not answer." in said
