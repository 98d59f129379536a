"""The kit starts its emulator, and says in its own words what goes wrong there."""

import json
import subprocess
import sys

import psutil
import pytest
from helpers import wait_until
from patience import SECONDS

from lottery_lib.__main__ import main
from lottery_lib.errors import LotteryError
from lottery_lib.local_emulator import emulator
from sfn_emulator import control


def test_the_kits_error_has_the_same_three_parts(own_home, port, monkeypatch):
    """The rest of the kit knows one kind of error."""
    monkeypatch.setenv("LOTTERY_EMULATOR_IAM", "maybe")
    with pytest.raises(LotteryError) as caught:
        emulator("start", port)
    error = caught.value
    assert (error.where, error.what) == ("LOTTERY_EMULATOR_IAM", "it is 'maybe'")
    assert error.next_step == "Set it to on or off, or leave it out"


def test_the_command_line_says_the_same(own_home, port, monkeypatch, capsys):
    """No traceback."""
    monkeypatch.setenv("LOTTERY_EMULATOR_IAM", "maybe")
    assert main(["emulator", "start", "--port", str(port)]) == 1
    assert "LOTTERY_EMULATOR_IAM: it is 'maybe'. Set it to on or off" in capsys.readouterr().err


def lab_in(folder):
    """What counts as a JupyterLab in a folder. It runs until it reads the end of its stdin."""
    folder.mkdir()
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd=folder)


@pytest.mark.long("starts emulators of two copies")
def test_two_copies_of_the_kit_know_of_each_other(own_home, tmp_path, monkeypatch, capsys):
    """`make lab` in a second folder says whose emulator it is. It runs until both have ended."""
    with lab_in(tmp_path / "first") as first, lab_in(tmp_path / "second") as second:
        pids, said = [], []
        for lab in (first, second, first):  # a cell that connects starts it again
            monkeypatch.setenv("LOTTERY_LAB_PID", str(lab.pid))
            assert main(["emulator", "start", "--json"]) == 0
            captured = capsys.readouterr()
            pids.append(json.loads(captured.out)["pid"])
            said.append(captured.err.strip())
        told = "The JupyterLab in {} uses this emulator, too, so both have one lottery. "
        told += "The emulator ends with the last of them."
        others = ["", *(told.format(tmp_path / folder) for folder in ("first", "second"))]
        assert said == others
        first.communicate(b"\n")
        wait_until(lambda: emulator("status")["while_pids"] == [second.pid])
        assert pids == [emulator("status")["pid"]] * 3
        shared = psutil.Process(pids[0])
        second.communicate(b"\n")
    shared.wait(SECONDS)


def test_in_the_foreground_it_ends_with_the_lab(own_home, port, monkeypatch):
    """The number of JupyterLab's process is no secret, and is not lost with the user's variables."""
    lab = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    monkeypatch.setenv("LOTTERY_LAB_PID", str(lab.pid))
    command = [sys.executable, "-m", "lottery_lib", "emulator", "start", "--foreground"]
    process = subprocess.Popen([*command, "--port", str(port)])
    wait_until(lambda: control.status(port)["running"])
    lab.communicate(b"\n")
    assert process.wait(SECONDS) == 0
