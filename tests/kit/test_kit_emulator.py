"""The kit starts its emulator, and says in its own words what goes wrong there."""

import subprocess
import sys

import pytest
from helpers import wait_until

from lottery_lib.__main__ import main
from lottery_lib.embedded import emulator
from lottery_lib.errors import LotteryError
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


def test_in_the_foreground_it_ends_with_the_lab(own_home, port, monkeypatch):
    """The number of JupyterLab's process is no secret, and is not lost with the user's variables."""
    lab = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    monkeypatch.setenv("LOTTERY_LAB_PID", str(lab.pid))
    command = [sys.executable, "-m", "lottery_lib", "emulator", "start", "--foreground"]
    process = subprocess.Popen([*command, "--port", str(port)])
    wait_until(lambda: control.status(port)["running"])
    lab.communicate(b"\n")
    assert process.wait(30) == 0
