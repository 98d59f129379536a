"""`LOTTERY_EMULATOR_IAM` says whether an emulator enforces roles."""

import os

import pytest
from emulator.conftest import Own, Role, emulator_in
from emulator.test_access_key import FORM, STRANGER
from emulator.test_door import Wire
from emulator.test_http import TOPICS

from lottery_lib.__main__ import main
from lottery_lib.emulator.process import control
from lottery_lib.emulator.process.environment import enforces_iam
from lottery_lib.emulator.process.errors import EmulatorError
from lottery_lib.errors import LotteryError
from lottery_lib.target import emulator


def test_off_enforces_nothing(own_home, monkeypatch):
    """A role without rights, which trusts nobody, may do everything. Strangers still need the key."""
    monkeypatch.setenv("LOTTERY_EMULATOR_IAM", "off")
    with emulator_in(own_home) as told:
        own, wire, body = Own(told), Wire(told), b"Action=ListTopics&Version=2010-03-31"
        nobodys = Role(own("iam"), trusted={"Version": "2012-10-17", "Statement": []})
        assert own.function(TOPICS, Timeout=30, Role=nobodys.arn)() == []
        refused = [wire("POST", "/", key=key, body=body, Content_Type=FORM)[0] for key in (None, STRANGER)]
        assert refused == [403, 403]
        assert wire.owner("POST", "/", body=body, Content_Type=FORM)[0] == 200


def test_on_is_the_default():
    """Without the variable, roles are enforced."""
    assert enforces_iam({}) is enforces_iam({"LOTTERY_EMULATOR_IAM": "on"}) is True
    assert enforces_iam({"LOTTERY_EMULATOR_IAM": "off"}) is False


@pytest.mark.parametrize("setting", ["", "yes", "ON"])
def test_another_setting_is_refused(own_home, port, monkeypatch, setting):
    """With one sentence that says what to do; nothing is started."""
    monkeypatch.setenv("LOTTERY_EMULATOR_IAM", setting)
    with pytest.raises(EmulatorError) as caught:
        control.start(port, while_pid=os.getpid())
    expected = f"LOTTERY_EMULATOR_IAM: it is {setting!r}. Set it to on or off, or leave it out."
    assert str(caught.value) == expected
    assert control.status(port)["running"] is False


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
