"""`LOTTERY_EMULATOR_IAM` says whether an emulator enforces roles."""

import os
import subprocess
import sys

import pytest
from emulator.conftest import Role, make_role

from lottery_lib.emulator.process import control
from lottery_lib.emulator.process.environment import enforces_iam
from lottery_lib.emulator.process.errors import EmulatorError
from lottery_lib.errors import LotteryError
from lottery_lib.target import emulator

TOPICS = "import boto3\ndef lambda_handler(e, c): return boto3.client('sns').list_topics()['Topics']"


@pytest.fixture
def unenforced(monkeypatch, request):
    monkeypatch.setenv("LOTTERY_EMULATOR_IAM", "off")
    return request.getfixturevalue("own")


def test_off_enforces_nothing(unenforced):
    """A role without rights, which trusts nobody, may do everything."""
    nobodys = Role(unenforced("iam"), trusted={"Version": "2012-10-17", "Statement": []})
    assert unenforced.function(TOPICS, Timeout=30, Role=nobodys.arn)() == []


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


def test_the_command_line_says_the_same(own_home, port):
    """No traceback."""
    command = [sys.executable, "-m", "lottery_lib", "emulator", "start", "--port", str(port)]
    environment = os.environ | {"LOTTERY_EMULATOR_IAM": "maybe"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "LOTTERY_EMULATOR_IAM: it is 'maybe'. Set it to on or off" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reset_forgets_roles_and_goes_on_enforcing(own):
    """A role of the same name begins with nothing."""
    own.reset()
    make_role(own.told["endpoint"])
    nobodys = Role(own("iam"))
    told = own.function(TOPICS, Timeout=30, Role=nobodys.arn)()
    assert told["errorType"] == "AuthorizationErrorException"
