"""What the README shows is what happens, and the documents name what is there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from helpers import Machine, emulator_in

import sfn_emulator
from sfn_emulator import Emulator, command_line

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
#: What is new at each start.
CHANGING = re.compile(r"(?<=127\.0\.0\.1:)\d+|AKIA\w+|(?<=ticket=)\S+|(?<=\$\(cat )[^)]+")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """An emulator in which nobody has to move the time, as the README's programs do not."""
    with emulator_in(tmp_path_factory.mktemp("state"), clock="skipping") as told:
        yield told


@pytest.fixture
def terminal(fresh, monkeypatch):
    """Set the variables that the README's `export` lines set."""
    lines = README.partition("$ sfn-emulator start\n")[2].partition("```")[0]
    for name, value in re.findall(r"(AWS_\w+)=(\S+)", lines):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", fresh["endpoint"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", fresh["access_key_id"])


def test_a_start_prints_what_is_shown(emulator, monkeypatch, capsys):
    """Only the port, the key, the ticket and the folder are others."""
    monkeypatch.setattr(command_line.control, "start", lambda *_, **options: emulator)
    command_line.main(["start"])
    shown = README.partition("$ sfn-emulator start\n")[2].partition("```")[0]
    assert CHANGING.sub("-", capsys.readouterr().out) == CHANGING.sub("-", shown)


def program_with(text):
    """The program of the README that has this text."""
    (program,) = (block for block in re.findall(r"```python\n(.+?)```", README, re.DOTALL) if text in block)
    return program


def output_of(program):
    """What the program prints. It needs no variables but those of the terminal."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_state_machine_runs(terminal):
    """It prints what its last comment says."""
    program = program_with("Greet")
    assert output_of(program) == program.rpartition("# ")[2]


def test_the_function_fails_and_the_error_is_caught(terminal):
    """The history is the one that the README describes."""
    attempt = ["TaskScheduled", "TaskStarted", "TaskFailed"]
    caught = ["TaskStateExited", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    assert output_of(program_with("Catch")).split() == [
        "ExecutionStarted",
        "TaskStateEntered",
        *attempt * 2,
        *caught,
    ]


def test_the_shown_test_passes(own):
    """Also if there was something before it."""
    names = {}
    exec(program_with("def test_nothing"), names)
    Machine(own("stepfunctions"), {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    names["test_nothing_is_there_at_first"](Emulator(own.told["endpoint"], own.told["access_key_id"]))


def test_the_shown_mock_answers(own_home):
    """In an emulator with the settings of the shown marker."""
    program = program_with(".mock(")
    (settings,) = re.findall(r"sfn_emulator\(iam=\"(\w+)\", clock=\"(\w+)\"\)", program)
    names = {}
    exec(program, names)
    environ = os.environ | {"SFN_EMULATOR_IAM": settings[0], "SFN_EMULATOR_CLOCK": settings[1]}
    with sfn_emulator.running(environ=environ) as emulator:
        names["test_a_charge_is_tried_again"](emulator)


def test_the_shown_fixture_leads_clients_to_the_emulator(own, monkeypatch, tmp_path):
    """A client without arguments reaches it, also if the terminal has a profile and a session."""
    (tmp_path / "config").write_text("[profile mine]\nregion = eu-west-1\naws_access_key_id = mine\n")
    for name, value in {
        "CONFIG_FILE": str(tmp_path / "config"),
        "PROFILE": "mine",
        "SESSION_TOKEN": "mine",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    names = {}
    exec(program_with("def on_the_emulator").replace("@pytest.fixture(autouse=True)\n", ""), names)
    names["on_the_emulator"](Emulator(own.told["endpoint"], own.told["access_key_id"]), monkeypatch)
    assert boto3.client("stepfunctions").list_state_machines()["stateMachines"] == []


def test_files_that_the_documents_name_are_there():
    """A module or test that a document names exists, under that path from any folder above it."""
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md"))
    named = set(re.findall(r"`([\w/]+\.py)`", text))
    rooms = (ROOT, ROOT.parent / "states_language")
    files = [f"/{path.relative_to(ROOT.parent).as_posix()}" for room in rooms for path in room.rglob("*.py")]
    assert named
    assert [name for name in named if not any(file.endswith(f"/{name}") for file in files)] == []


def test_each_setting_is_listed():
    """The table has the variables that the program reads, and no others."""
    sources = "".join(path.read_text("utf-8") for path in Path(sfn_emulator.__file__).parent.rglob("*.py"))
    read = set(re.findall(r"\bSFN_EMULATOR_[A-Z_]*[A-Z]", sources))
    assert set(re.findall(r"^\| `(SFN_EMULATOR_\w+)`", README, re.MULTILINE)) == read
