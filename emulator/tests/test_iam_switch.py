"""`SFN_EMULATOR_IAM` says whether an emulator enforces roles."""

import os

import pytest
from helpers import Own, Role, emulator_in, lists_topics
from test_access_key import FORM, STRANGER
from test_same_origin import Wire

from sfn_emulator import control
from sfn_emulator.errors import EmulatorError
from sfn_emulator.process.environment import enforces_iam


def test_off_enforces_nothing(own_home, monkeypatch):
    """A role without rights, which trusts nobody, may do everything. Strangers still need the key."""
    monkeypatch.setenv("SFN_EMULATOR_IAM", "off")
    with emulator_in(own_home) as told:
        own, wire, body = Own(told), Wire(told), b"Action=ListTopics&Version=2010-03-31"
        nobodys = Role(own("iam"), trusted={"Version": "2012-10-17", "Statement": []})
        assert own.function(lists_topics, Timeout=30, Role=nobodys.arn)() == []
        refused = [wire("POST", "/", key=key, body=body, Content_Type=FORM)[0] for key in (None, STRANGER)]
        assert refused == [403, 403]
        assert wire.owner("POST", "/", body=body, Content_Type=FORM)[0] == 200


def test_on_is_the_default():
    """Without the variable, roles are enforced."""
    assert enforces_iam({}) is enforces_iam({"SFN_EMULATOR_IAM": "on"}) is True
    assert enforces_iam({"SFN_EMULATOR_IAM": "off"}) is False


@pytest.mark.parametrize("setting", ["", "yes", "ON"])
def test_another_setting_is_refused(own_home, port, monkeypatch, setting):
    """Another value is refused with a sentence that says what to do, and nothing is started."""
    monkeypatch.setenv("SFN_EMULATOR_IAM", setting)
    with pytest.raises(EmulatorError) as caught:
        control.start(port, while_pid=os.getpid())
    expected = f"SFN_EMULATOR_IAM: it is {setting!r}. Set it to on or off, or leave it out."
    assert str(caught.value) == expected
    assert control.status(port)["running"] is False
