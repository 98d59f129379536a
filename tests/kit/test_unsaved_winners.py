"""The emulator keeps nothing when it ends, so whoever ends it hears first which winners are lost."""

import json
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from helpers import state_home

from lottery_lib import Stack, connect, draw
from lottery_lib.__main__ import main
from lottery_lib.names import KIT, Names
from lottery_lib.resources.contents import draws_table
from lottery_lib.resources.dynamodb_table import Table
from lottery_party import evening_file
from lottery_party.records import unsaved
from sfn_emulator import control
from sfn_emulator.process.record import forget_process, run_for


@cache
def emulator(region):
    return connect(region=region)


def lottery(attendee, edition="hardened", region=None):
    """An attendee's lottery. Nothing of it is there yet."""
    return emulator(region).named(Names(attendee, edition))


def win(attendee="party", region=None):
    """Let somebody win in a hardened lottery. Only the tables are needed for that."""
    target = lottery(attendee, region=region)
    draws_table(target).ensure()
    draws_table(target).put([{"draw_id": "draw-1"}, {"draw_id": "draw-1#1"}])
    Table(target, target.names.employee_table).ensure()
    winners = Table(target, target.names.winners_table)
    winners.ensure()
    winners.put([{"employee_id": "001"}])
    return target


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The folder of an emulator with a hardened lottery in which somebody has won."""
    folder = tmp_path_factory.mktemp("state")
    with state_home(folder):
        win()
    yield folder
    with state_home(folder):
        control.stop()


@pytest.fixture
def lost(home, monkeypatch):
    """`lost("party")`: the sentence about that attendee, or None, if the emulator ended now."""
    monkeypatch.setenv("XDG_STATE_HOME", str(home))

    def look(attendee, shared=True):
        table = "-".join(filter(None, ["Lottery-Winners", attendee]))
        said = unsaved(control.status()["endpoint"], shared=shared)
        return next((each for each in said if f" {table}: " in each), None)

    return look


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
    """The ids of the winners in a file."""
    return [each["employee_id"]["S"] for each in evening_file.read(path)["tables"]["winners"]]


def test_who_would_be_lost_and_how_to_save_them(lost):
    """The sentence has the table, how many won, and one command that saves everything."""
    assert lost("party") == (
        "Winners in Lottery-Winners-party: 1. To save everything: `lottery night save evening-party.json`"
    )


def test_an_open_evening_would_be_lost(lost):
    """An evening that was announced is told, though nobody has won yet; one that is closed is not."""
    target = lottery("ann")
    draws_table(target).ensure()
    Table(target, target.names.winners_table).ensure()
    evening = {"evening": True, "chain": 0, "draw_id": "night-1"}
    draws_table(target).put([evening, {**evening, "draw_id": "night-2", "chain": 1, "closed": True}])
    assert lost("ann") == (
        "Winners in Lottery-Winners-ann: 0, the evening night-1 is open. To save everything: "
        "`LOTTERY_ATTENDEE=ann lottery night save evening-ann.json`"
    )


def test_other_draws_are_for_practice(lost):
    """The tutorial's winners are nobody to lose, and a hardened lottery without winners has none."""
    practice = Table(lottery("practice", "tutorial"), "Lottery-Winners-practice")
    practice.ensure()
    practice.put([{"employee_id": "001"}])
    draws_table(lottery("begun")).ensure()
    assert (lost("practice"), lost("begun")) == (None, None)


def end_of_make_lab():
    """Run the settings of the JupyterLab that `make lab` has started, at a terminal, until its end."""
    program = Path(__file__).with_name("lab_settings.py")
    command = [sys.executable, program, KIT / "data" / "jupyter_server_config.py"]
    return subprocess.run(command, input="\n", capture_output=True, text=True, check=True)


def test_the_end_of_make_lab_warns(lost, monkeypatch):
    """The JupyterLab that `make lab` has started says it and waits when it ends in good order.

    Its commands work in the shell in which somebody typed `make lab`.
    """
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.chdir(Path(sys.prefix).parent)
    done = end_of_make_lab()
    assert "Winners in Lottery-Winners-party: 1." in done.stderr
    assert f"`{Path(sys.prefix).name}/bin/lottery night save evening-party.json`" in done.stderr
    assert "Save them in another terminal" in done.stdout
    assert control.status()["running"]


@pytest.mark.long("an emulator that others use, too")
def test_the_end_of_make_lab_is_silent_if_another_lab_goes_on(lost):
    """The emulator ends with the last JupyterLab that uses it, so nothing is lost before."""
    folder = Path(control.status()["folder"])
    run_for(folder, os.getpid())
    try:
        done = end_of_make_lab()
    finally:
        forget_process(folder, os.getpid())
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.long("starts two emulators")
def test_the_end_of_make_lab_does_not_wait_for_another_reason(own_home):
    """If the command fails and no winners are known to be lost, it asks nobody to save them."""
    (own_home / "sfn-emulator").write_text("no folder")
    done = end_of_make_lab()
    assert done.stderr
    assert done.stdout == ""


def test_the_command_saves_them(lost, monkeypatch, tmp_path):
    """The command that it names works: everything is in one file."""
    target = lottery("drawn")
    Stack(target).deploy()
    draw(target, [{"name": "Car", "count": 1}])
    monkeypatch.chdir(tmp_path)
    assert run_commands([lost("drawn")], monkeypatch) == 1
    tables = evening_file.read(tmp_path / "evening-drawn.json")["tables"]
    assert [each["prize"]["S"] for each in tables["winners"]] == ["Car"]
    assert len(evening_file.receipts_in(tables)) == 3


def test_commands_name_a_separate_emulator(lost, monkeypatch, tmp_path):
    """For an emulator with a port, the command saves the winners there, and starts no other emulator."""
    lines = re.findall("`(.*?)`", lost("party", shared=False))
    assert [line.split()[0] for line in lines] == [f"LOTTERY_TARGET={control.status()['endpoint']}"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(control, "start", None)
    run_commands([f"`{lines[0]}`"], monkeypatch)
    assert saved(tmp_path / "evening-party.json") == ["001"]


def test_commands_leave_the_variables_of_the_shell(lost, monkeypatch):
    """If the shell's variables name another lottery, the command names the one that is lost."""
    win("")
    monkeypatch.setenv("LOTTERY_ATTENDEE", "bob")
    monkeypatch.setenv("LOTTERY_TARGET", "http://127.0.0.1:9")
    assert "`LOTTERY_TARGET=embedded LOTTERY_ATTENDEE= lottery night save evening.json`" in lost("")


def test_each_attendee_has_a_file(lost):
    """With two attendees, the second command does not overwrite what the first has saved."""
    win("alice")
    files = [re.search("night save (.*?)`", lost(each))[1] for each in ("alice", "party")]
    assert files == ["evening-alice.json", "evening-party.json"]


def test_winners_in_another_region(lost, monkeypatch, tmp_path):
    """Winners in any region are seen, whatever the shell's region, and the command names it."""
    monkeypatch.chdir(tmp_path)
    regions = {"eve": "eu-west-1", "chen": "cn-north-1"}
    for who, region in regions.items():
        win(who, region=region)
    for who, region in regions.items():
        file = f"evening-{who}-{region}.json"
        line = f"`LOTTERY_REGION={region} LOTTERY_ATTENDEE={who} lottery night save {file}`"
        assert line in lost(who)
        run_commands([line], monkeypatch)
        assert saved(tmp_path / file) == ["001"]


def test_a_foreign_table_hides_nobody(lost):
    """A table of others with a name like ours is skipped, and the winners are told."""
    target = win("zoe")
    for ending in ("Old", "old"):
        Table(target, f"Lottery-Hardened-Draws-{ending}", "their_key").ensure()
        target.plain_dynamodb().put_item(
            TableName=f"Lottery-Hardened-Draws-{ending}", Item={"their_key": "x"}
        )
    assert lost("zoe")


def test_the_command_stops_it(lost, capsys):
    """`emulator stop --yes` ends the emulator, with its winners."""
    code, document, _ = stop(capsys, "--yes")
    assert (code, document["running"], control.status()["running"]) == (0, False, False)
