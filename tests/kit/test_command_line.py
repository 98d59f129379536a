"""The command line: one JSON document, an exit code that tells, and no traceback."""

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest
from hostile.conftest import Clock

from lottery_course import doctor
from lottery_course import notebooks as rehearsal
from lottery_lib import LotteryError, Stack, draws, winners
from lottery_lib import target as door
from lottery_lib.__main__ import main
from lottery_lib.draws import remaining
from lottery_lib.employees import read
from lottery_lib.hardened import resume
from lottery_lib.names import Names
from lottery_lib.resources.contents import empty_winners, load_employees
from lottery_lib.waiting import Waiter
from lottery_party import receipts
from sfn_emulator import control


@pytest.fixture
def run(capsys, monkeypatch, stack):
    """Run a command of the deployed lottery; returns its exit code, JSON and stderr."""
    monkeypatch.setenv("LOTTERY_ATTENDEE", stack.target.names.attendee)

    def command(*words):
        code = main([*words, "--json"])
        captured = capsys.readouterr()
        return code, json.loads(captured.out), captured.err

    return command


def test_draw(run):
    """`draw N` has all five keys, and exits 0 when it succeeded."""
    code, document, _ = run("draw", "2")
    assert (code, document["status"], len(document["winners"])) == (0, "SUCCEEDED", 2)
    assert set(document) == {"status", "winners", "execution_arn", "error", "cause"}


def test_a_draw_loads_nothing_of_the_party_and_the_course(run):
    """`lottery draw 2` imports no module of `lottery_party` and `lottery_course`."""
    code = "from lottery_lib.__main__ import main; assert main(['draw', '2']) == 0"
    code += "; import sys; assert not {'lottery_party', 'lottery_course'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True)


def test_a_draw_that_fails(run):
    """It exits 1 with the reason, in the same five keys."""
    code, document, _ = run("draw", "99")
    assert (code, document["status"], document["winners"]) == (1, "FAILED", [])
    assert document["execution_arn"] and document["error"] and document["cause"]
    assert set(document) == {"status", "winners", "execution_arn", "error", "cause"}


def test_winners_and_reset(run):
    """`winners` lists those recorded, and `reset` empties the table."""
    run("reset")
    _, drawn, _ = run("draw", "1")
    code, listed, _ = run("winners")
    assert (code, [each["employee_id"] for each in listed]) == (0, [drawn["winners"][0]["employee_id"]])
    assert run("reset")[:2] == (0, {"removed": 1})
    assert run("winners")[:2] == (0, [])


def test_history(run):
    """`history` is the state table of the latest execution, or of the one named."""
    run("reset")
    _, drawn, _ = run("draw", "1")
    latest, named = run("history"), run("history", drawn["execution_arn"])
    assert latest[1] == named[1]
    assert latest[1][0]["state"] == "Input Lottery Winners"
    assert set(latest[1][0]) >= {"state", "branch", "attempt", "duration", "input", "output", "error"}


def test_history_of_nothing(run, stack, monkeypatch):
    """An execution that does not exist is one sentence and exit 1."""
    clock = Clock()
    patient = replace(stack.target, waiter=Waiter(clock.sleep, clock))
    monkeypatch.setattr(door, "connect", lambda **_: patient)
    code, document, err = run("history", "arn:aws:states:us-east-1:123456789012:execution:Lottery:none")
    assert code == 1
    assert "does not exist" in document["cause"]
    assert "Traceback" not in err


@pytest.mark.parametrize("edition", ["tutorial", "jsonata"])
@pytest.mark.parametrize("command", ["resume", "receipts"])
def test_records_of_another_edition(run, stack, edition, command):
    """In an edition that keeps no records, `resume` and `receipts` say so, and start nothing."""
    before = len(draws.executions(stack.target))
    code, document, err = run(command, "draw-1", "--edition", edition)
    assert code == 1
    assert err == (
        "draw draw-1: only draws of the hardened edition have records, and this is the "
        f'{edition} edition. Add `--edition hardened`, or in Python use `connect(edition="hardened")`.\n'
    )
    assert err == f"{document['cause']}\n"
    assert len(draws.executions(stack.target)) == before


@pytest.mark.parametrize("function", [resume, receipts])
def test_records_of_another_edition_in_python(stack, function):
    """The functions behind both commands say the same, and start nothing."""
    before = len(draws.executions(stack.target))
    with pytest.raises(LotteryError, match="only draws of the hardened edition have records"):
        function(stack.target, "draw-1")
    assert len(draws.executions(stack.target)) == before


def test_deploy_and_status(run):
    """`deploy` and `status` list every resource with kind, name and state."""
    code, document, _ = run("deploy")
    assert code == 0
    assert {each["state"] for each in document["resources"]} == {"unchanged"}
    assert {frozenset(each) for each in run("status")[1]["resources"]} == {
        frozenset({"kind", "name", "state"})
    }


def test_deploy_says_where_the_mail_is(run, monkeypatch):
    """`deploy --email` says where the mail is that confirms the address."""
    monkeypatch.setenv("LOTTERY_ATTENDEE", "eve")
    assert "mailbox" not in run("deploy")[2]
    said = run("deploy", "--email", "eve@example.com")[2]
    assert "Open the link in the mail that eve@example.com got. The mailbox at http" in said
    assert run("teardown")[0] == 0


def test_dry_runs(run, monkeypatch):
    """A dry run lists what would be done and does none of it."""
    monkeypatch.setenv("LOTTERY_ATTENDEE", "dry")
    code, document, _ = run("deploy", "--dry-run")
    assert (code, {each["state"] for each in document["resources"]}) == (
        0,
        {"would be created"},
    )
    assert {each["state"] for each in run("status")[1]["resources"]} == {"missing"}


def test_employees_load(run, tmp_path):
    """`employees load` makes the people of the file, and nobody else, those who can win."""
    assert run("employees", "load", roster(tmp_path, "a,Ann", "c,Cy"))[:2] == (
        0,
        {"loaded": 2, "rejected": []},
    )
    run("reset")
    assert {each["employee_id"] for each in run("draw", "2")[1]["winners"]} == {"a", "c"}
    assert run("employees", "load", "data/request-items.json")[0] == 0


def roster(tmp_path, *rows):
    """The path of a CSV with these rows."""
    path = tmp_path / "staff.csv"
    path.write_text("\n".join(["employee_id,employee_name", *rows, ""]), encoding="utf-8")
    return str(path)


def test_a_bad_row_changes_nothing(run, stack, tmp_path):
    """A file with bad rows is not loaded: each bad row is named, the exit code is 1, the employees stay."""
    before = remaining(stack.target)
    code, document, err = run("employees", "load", roster(tmp_path, "a,Ann", "b,", "c,Cy", "c,Di"))
    assert (code, document["loaded"], [each["row"] for each in document["rejected"]]) == (1, 0, [3, 5])
    assert "row 3: employee_name of b is empty." in err
    assert (
        "row 5: employee_id c is there already, in row 4.\nCorrect them, or load the other rows with --skip"
        in err
    )
    assert remaining(stack.target) == before


def test_skip_bad_rows(run, stack, tmp_path):
    """With `--skip-bad-rows` the other rows are loaded, and the bad ones still named."""
    run("reset")
    code, document, _ = run("employees", "load", roster(tmp_path, "a,Ann", "b,", "c,Cy"), "--skip-bad-rows")
    assert (code, document["loaded"], [each["row"] for each in document["rejected"]]) == (0, 2, [3])
    assert {each["employee_id"] for each in remaining(stack.target)} == {"a", "c"}
    assert run("employees", "load", "data/request-items.json")[0] == 0


def test_skip_bad_rows_loads_somebody(run, stack, tmp_path):
    """If all rows are bad, nothing changes even with `--skip-bad-rows`."""
    before = remaining(stack.target)
    code, document, _ = run("employees", "load", roster(tmp_path, "b,"), "--skip-bad-rows")
    assert (code, document["loaded"], [each["row"] for each in document["rejected"]]) == (1, 0, [2])
    assert remaining(stack.target) == before


def test_a_workbook_in_and_out(run, stack, monkeypatch, tmp_path):
    """A list in .xlsx is shown before the question. Winners have their departments, in .xlsx again, too."""
    asked = []
    monkeypatch.setattr("lottery_lib.__main__.agree", lambda *_: asked.append(sys.stderr.getvalue()))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    file = "tests/unit/rosters/cells.xlsx"
    assert run("employees", "load", file, "--skip-bad-rows")[1]["loaded"] == 3
    assert "Employees: 3. The first ones, as they were read:\n  1001: 王芳 (研发部)\n" in asked[0]
    assert "Rejected rows: 1\n  row 5: Employee Name of 1002 is empty.\n" in asked[0]
    run("reset")
    run("draw", "3")
    path = tmp_path / "winners.xlsx"
    listed = run("winners", "--xlsx", str(path))[1]
    assert {each["employee_id"]: each["department"] for each in listed} == {
        "007": "市场部",
        "1001": "研发部",
        "20200131": None,
    }
    whole = sorted(read(file).employees, key=lambda each: each["employee_id"])
    assert path.read_bytes().startswith(b"PK")  # an .xlsx is a ZIP
    assert read(path).employees == whole
    run("reset")
    assert run("employees", "load", "data/request-items.json")[0] == 0


def test_load_employees_changes_nothing_either(stack, tmp_path):
    """From Python, a roster with bad rows is refused, too, before anything changes."""
    before = remaining(stack.target)
    with pytest.raises(LotteryError, match="skip_bad_rows=True"):
        load_employees(stack.target, read(roster(tmp_path, "a,Ann", "b,")))
    assert remaining(stack.target) == before


def test_winners_as_csv(run, tmp_path):
    """`winners --csv FILE` also writes them to a file; loaded as a roster, it gives the same people."""
    run("reset")
    run("draw", "2")
    path = tmp_path / "winners.csv"
    code, listed, _ = run("winners", "--csv", str(path))
    assert code == 0
    assert path.read_bytes().startswith("\ufeffemployee_id,employee_name,".encode())
    assert read(path).employees == [each | {"lottery_serial": int(each["lottery_serial"])} for each in listed]
    run("reset")


def test_winners_overwrite_no_file(run, tmp_path):
    """A file that exists stays as it is: it may hold winners that the emulator has forgotten."""
    path = tmp_path / "winners.csv"
    path.write_text("Ann")
    code, document, _ = run("winners", "--csv", str(path))
    assert (code, path.read_text()) == (1, "Ann")
    assert "winners.csv: cannot be written (File exists)" in document["cause"]


def test_winners_as_csv_without_a_folder(run, tmp_path):
    """A file that cannot be written is one sentence."""
    code, document, _ = run("winners", "--csv", str(tmp_path / "none" / "winners.csv"))
    assert code == 1
    assert "cannot be written (No such file or directory)" in document["cause"]


def test_names_in_a_table_are_harmless(stack):
    """A name that somebody wrote into the table by hand moves no cursor when the winners are printed."""
    table = stack.target.plain_dynamodb()
    winner = {"employee_id": "x", "employee_name": "Ann\x1b[2J"}
    table.put_item(TableName=stack.target.names.winners_table, Item=winner)
    assert winners(stack.target)["employee_name"].tolist() == ["Ann\\u001b[2J"]
    empty_winners(stack.target)


class Terminal(io.StringIO):
    """A stderr that somebody looks at."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "words", "shown"),
    [(Terminal, [], True), (Terminal, ["--json"], False), (io.StringIO, [], False)],
)
def test_employees_load_shows_how_far_it_is(run, monkeypatch, stream, words, shown):
    """On a terminal, and where nobody reads JSON."""
    monkeypatch.setattr(sys, "stderr", stream())
    assert main(["employees", "load", "data/request-items.json", *words]) == 0
    assert ("| 10/10 [" in sys.stderr.getvalue()) == shown


@pytest.fixture(scope="module")
def examined(stack):
    """What all checks find where an emulator runs, and whether the same one runs afterwards."""
    before = control.status()
    return doctor.examine(), control.status() == before


def test_doctor(examined):
    """`doctor` finds nothing wrong here."""
    assert [each["check"] for each in examined[0] if not each["ok"]] == []


def test_doctor_leaves_the_emulator_that_runs(examined):
    """`doctor` ends no emulator that ran before."""
    assert examined[1]


def test_doctor_leaves_nothing_behind(examined, stack):
    """Nothing is left in the emulator of what `doctor` makes there."""
    own = stack.target.named(Names(attendee=f"doctor-{os.getpid()}"))
    assert Stack(own).left() == []


@pytest.fixture
def only(monkeypatch):
    """`only("target")`: let `doctor` and `rehearse` check nothing else."""
    return lambda *checks: monkeypatch.setattr(doctor, "examine", partial(doctor.examine, only=checks))


def test_doctor_asks_for_the_edition(run, only):
    """`doctor --edition` looks at that edition, and finds one that does not exist."""
    only("target")
    code, (target,), _ = run("doctor", "--edition", "baroque")
    assert (code, target["ok"]) == (1, False)
    assert "there is no edition 'baroque'" in target["detail"]


def test_doctor_ends_what_it_starts(run, only, own_home):
    """`doctor` ends an emulator that it had to start."""
    only("target")
    assert run("doctor")[0] == 0
    assert run("emulator", "status")[1]["running"] is False


def test_rehearse(run, only, monkeypatch, tmp_path):
    """`rehearse` exits 1 when a notebook fails, and its JSON is one row a notebook."""
    only("packages")
    monkeypatch.setenv("LOTTERY_TARGET", "http://127.0.0.1:9")  # then it starts no emulator
    monkeypatch.setattr(rehearsal, "rehearse", partial(rehearsal.rehearse, folder=tmp_path))
    (tmp_path / "00_only.ipynb").write_text("half")
    code, (row,), err = run("rehearse")
    assert (code, row["ok"], set(row)) == (1, False, {"notebook", "seconds", "ok", "error"})
    assert f"00_only.ipynb: {row['seconds']} s, NotJSONError: " in err


def test_rehearse_tells_what_is_missing(run, only, monkeypatch):
    """`rehearse` says what the machine lacks, runs the notebooks all the same, and exits by them."""
    only("memory")
    rows = [{"notebook": "00_only.ipynb", "seconds": 1.5, "ok": True, "error": None}]
    monkeypatch.setattr(rehearsal, "rehearse", lambda _: rows)
    monkeypatch.setattr(doctor, "MEMORY_MB", 10**9)
    code, document, err = run("rehearse")
    assert (code, document) == (0, rows)
    assert re.search(r"^memory: \d+ MB are free in memory, .* are needed\. Close other", err, re.MULTILINE)


def test_rehearse_for_a_person(only, monkeypatch, capsys):
    """Without --json `rehearse` ends with a table and the failures."""
    only("packages")
    rows = [{"notebook": "00_only.ipynb", "seconds": 1.5, "ok": False, "error": "cell [1] `1 / 0`: no"}]
    monkeypatch.setattr(rehearsal, "rehearse", lambda _: rows)
    assert main(["rehearse"]) == 1
    assert "  00_only.ipynb, cell [1] `1 / 0`: no" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"LOTTERY_TARGET": "moon"}, "'moon' is not a target"),
        ({"LOTTERY_TARGET": "http://127.0.0.1:9"}, "does not answer"),
        ({"LOTTERY_TARGET": "https://sns.us-east-1.amazonaws.com"}, "is not the address of an emulator"),
        ({"LOTTERY_ATTENDEE": "a b"}, "cannot be part of an AWS name"),
        ({"LOTTERY_TARGET": "aws", "AWS_ENDPOINT_URL": "http://x"}, "would send the calls elsewhere"),
    ],
)
def test_bad_settings(run, monkeypatch, environment, sentence):
    """A setting that cannot be meant, or a target where nobody answers, is refused in one sentence."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    code, document, _ = run("status")
    assert code == 1
    assert sentence in document["cause"]


@pytest.fixture
def on_aws(monkeypatch):
    """Let the commands believe that the emulator is AWS itself."""
    embedded = door.connect("embedded", attendee="asked")
    embedded.kind = "aws"
    monkeypatch.setattr(door, "connect", lambda **_: embedded)
    return embedded


@pytest.mark.parametrize(
    "words",
    [["deploy"], ["teardown"], ["reset"], ["employees", "load", "data/request-items.json"]],
    ids=lambda words: words[0],
)
def test_aws_is_asked_for(run, on_aws, words):
    """On AWS what changes things needs a yes; without a terminal to ask on, nothing is changed."""
    code, document, err = run(*words)
    assert code == 1
    assert "Give --yes" in document["cause"]
    assert "AWS account 123456789012, region us-east-1, partition aws" in err
    assert {each["state"] for each in run("status")[1]["resources"]} == {"missing"}


def test_yes_on_aws(run, on_aws):
    """With --yes the commands do their job on AWS. `teardown` ends in the inventory: nothing left."""
    assert run("deploy", "--yes")[0] == 0
    assert run("reset", "--yes")[:2] == (0, {"removed": 0})
    code, document, _ = run("teardown", "--yes")
    assert (code, document["left"]) == (0, [])
