"""The command line says what it did, for a person or as JSON. It starts no emulator here."""

import json
from types import SimpleNamespace

import pytest

from sfn_emulator import command_line, control
from sfn_emulator.errors import EmulatorError
from sfn_emulator.running import Emulator

KEY = "AKIA0000000000000000"
RUNS = {
    "running": True,
    "endpoint": "http://127.0.0.1:5000",
    "access_key_id": KEY,
    "access_key_file": "/home/an n/access-key",
}
STOPPED = dict.fromkeys(RUNS) | {"running": False}


def refuse(*_, **options):
    raise EmulatorError("here", "it failed", "Do that")


def interrupt(*_, **options):
    raise KeyboardInterrupt


@pytest.fixture
def run(monkeypatch, capsys):
    """`run("start --json")`: the exit status, stdout and stderr."""
    monkeypatch.setattr(control, "start", lambda *_, **options: RUNS)
    monkeypatch.setattr(control, "status", lambda port: STOPPED)
    monkeypatch.setattr(control, "stop", lambda port: STOPPED)
    monkeypatch.setattr(Emulator, "mailbox", lambda emulator: f"{emulator.endpoint}/mails")

    def command(words):
        status = command_line.main(words.split())
        printed = capsys.readouterr()
        return SimpleNamespace(status=status, out=printed.out, err=printed.err)

    return command


def test_a_person_reads_how_to_reach_it(run):
    """The address, the key, a link to the mails, the line for boto3, and those for `aws`."""
    out = run("start").out
    assert "runs at http://127.0.0.1:5000\n" in out
    assert f"key: {KEY}\n" in out
    assert "http://127.0.0.1:5000/mails\n" in out
    assert (
        f'boto3.client("stepfunctions", endpoint_url="http://127.0.0.1:5000", aws_access_key_id="{KEY}"'
        in out
    )
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:5000 " in out


def test_the_shell_reads_the_key_from_its_file(run):
    """The path is quoted, because it may contain a space."""
    assert """export AWS_ACCESS_KEY_ID="$(cat '/home/an n/access-key')"\n""" in run("start").out


def test_json_is_the_state(run):
    """One document on stdout, and nothing on stderr."""
    done = run("start --json")
    assert (done.status, json.loads(done.out), done.err) == (0, RUNS, "")


@pytest.mark.parametrize("words", ["stop", "status"])
def test_what_does_not_run_is_no_failure(run, words):
    """To look at it, or to stop it, is then done."""
    assert run(words).__dict__ == {"status": 0, "out": "No emulator runs.\n", "err": ""}
    assert run(f"{words} --port 7").out == "No emulator runs at port 7.\n"


def test_an_emulator_that_ran_is_stopped(run, monkeypatch):
    """`stop` says that it has stopped one; so does the end of `start --foreground`."""
    monkeypatch.setattr(control, "status", lambda port: RUNS)
    assert run("stop").out == "The emulator is stopped. Its data is lost.\n"
    monkeypatch.setattr(control, "start", lambda *_, **options: STOPPED)
    assert run("start --foreground").out == "The emulator is stopped. Its data is lost.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("start", "here: it failed. Do that."),
        ("", "command line: the following arguments are required: COMMAND. See `sfn-emulator --help`."),
        ("start --prot 1", "command line: unrecognized arguments: --prot 1. See `sfn-emulator --help`."),
        ("stop --port x", "argument --port: invalid int value: 'x'. See `sfn-emulator stop --help`."),
    ],
)
def test_a_failure_is_one_sentence(run, monkeypatch, words, said):
    """It is on stderr; the exit status is 1."""
    monkeypatch.setattr(control, "start", refuse)
    done = run(words)
    assert (done.status, done.out) == (1, "")
    assert done.err.endswith(f"{said}\n") and done.err.count("\n") == 1


@pytest.mark.parametrize("words", ["start --json", "start --prot --json"])
def test_a_failure_is_also_json(run, monkeypatch, words):
    """The document on stdout says what stderr says."""
    monkeypatch.setattr(control, "start", refuse)
    done = run(words)
    assert json.loads(done.out) == {"error": "EmulatorError", "cause": done.err.rstrip("\n")}


def test_ctrl_c_is_no_traceback(run, monkeypatch):
    """The exit status is the one that a shell gives."""
    monkeypatch.setattr(control, "start", interrupt)
    assert run("start").__dict__ == {"status": 130, "out": "", "err": "Interrupted.\n"}


def test_an_option_is_not_shortened(run):
    """Else a later option could change what a script means."""
    assert run("start --js").status == 1
