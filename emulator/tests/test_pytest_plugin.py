"""The fixture `sfn_emulator`, as a project's own tests use it."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import sfn_emulator
from sfn_emulator.process.record import folder_of

ROOT = Path(sfn_emulator.__file__).parents[1]
TESTS = """
from pathlib import Path

def test_first(sfn_emulator, worker_id):
    Path(f"{worker_id}-{sfn_emulator.access_key_id}").touch()

test_second = test_first
"""


@pytest.fixture
def project(own_home, tmp_path, monkeypatch):
    """`project(tests, program, ...)`: what pytest prints in a folder where this distribution is installed."""
    packages = tmp_path / "packages"
    information = packages / "sfn_emulator-0.dist-info"
    information.mkdir(parents=True)
    described = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    for group, points in described["project"]["entry-points"].items():
        lines = [f"[{group}]", *(f"{name} = {place}" for name, place in points.items())]
        (information / "entry_points.txt").write_text("\n".join(lines))
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: sfn-emulator\nVersion: 0\n")
    (information / "RECORD").write_text("sfn_emulator/__init__.py,,\nstates_language/__init__.py,,\n")

    def run(tests, *words):
        (tmp_path / "test_project.py").write_text(tests)
        paths = os.pathsep.join(map(str, (packages, ROOT)))
        # nbval takes long to import, where it is installed.
        command = [sys.executable, *words, "-q", "-p", "no:cacheprovider", "-p", "no:nbval", "-W", "error"]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": paths},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.stdout + done.stderr

    return run


@pytest.mark.long("starts three pytests and two emulators")
def test_each_worker_has_an_emulator_of_its_own(project, tmp_path):
    """All tests of a worker use it. Afterwards, nothing of it is there."""
    assert "4 passed" in project(TESTS, "-m", "pytest", "-n", "2", "--dist", "each")
    workers, keys = zip(*(path.name.split("-") for path in tmp_path.glob("gw*")), strict=True)
    assert sorted(workers) == ["gw0", "gw1"] and len(set(keys)) == 2
    assert list(folder_of().parent.glob("run-*")) == []


def test_a_run_that_needs_no_emulator_loads_nothing_large(project):
    """Neither moto nor boto3, nor what evaluates JSONata."""
    large = {"moto", "botocore", "jsonata", "states_language"}
    tests = f"import sys\ndef test(): assert not {large} & set(sys.modules)"
    assert "1 passed" in project(tests, "-m", "pytest")


def test_pytest_in_a_notebook_does_not_warn(project):
    """There, the package may be imported before pytest looks for modules whose assertions it rewrites."""
    program = "import sys, pytest, sfn_emulator, states_language; pytest.main(sys.argv[1:])"
    assert "1 passed" in project("def test(): pass", "-c", program)


MARKED = """
import psutil, pytest
from sfn_emulator import control

@pytest.fixture(scope="session")
def key(sfn_emulator):
    return sfn_emulator.access_key_id

def note(emulator, key, name):
    process = psutil.Process(control.find(int(emulator.endpoint.rpartition(":")[2]))["pid"])
    settings = [process.environ().get(f"SFN_EMULATOR_{it}", "") for it in ("CLOCK", "IAM")]
    assert key == emulator.access_key_id
    with open("notes", "a") as notes:
        print(name, *settings, key, sep=",", file=notes)

def test_plain(sfn_emulator, key):
    note(sfn_emulator, key, "plain")

@pytest.mark.sfn_emulator(clock="virtual", iam="on")
class TestVirtual:
    def test_one(self, sfn_emulator, key):
        note(sfn_emulator, key, "one")

    @pytest.mark.sfn_emulator(iam="off")
    def test_both(self, sfn_emulator, key):
        note(sfn_emulator, key, "both")

    @pytest.mark.parametrize("number", [1])
    def test_two(self, sfn_emulator, key, number):
        note(sfn_emulator, key, "two")

def test_again(sfn_emulator, key):
    note(sfn_emulator, key, "again")
"""


def test_a_marker_gives_an_emulator_settings(project, tmp_path):
    """Tests with the same settings share it, with fixtures of the session. Their names stay."""
    printed = project(MARKED, "-m", "pytest", "--strict-markers", "-vv")
    assert "5 passed" in printed, printed
    names = [line.split()[0].rpartition("::")[2] for line in printed.splitlines() if "PASSED" in line]
    assert sorted(names) == ["test_again", "test_both", "test_one", "test_plain", "test_two[1]"]
    notes = [line.split(",") for line in (tmp_path / "notes").read_text().splitlines()]
    settings = {name: (clock, iam) for name, clock, iam, _key in notes}
    assert settings["plain"] == settings["again"] == ("", "")
    assert settings["one"] == settings["two"] == ("virtual", "on")
    assert settings["both"] == ("virtual", "off")
    keys = {name: key for name, *_settings, key in notes}
    assert keys["one"] == keys["two"]
    assert len({keys["plain"], keys["one"], keys["both"]}) == 3


def test_a_mock_file_lies_beside_the_test(project, tmp_path):
    """Its path is one from the folder of the test, wherever pytest runs."""
    (tmp_path / "mocks.json").write_text("{}")
    tests = """
import pytest

@pytest.mark.sfn_emulator(mock_config="mocks.json")
def test(sfn_emulator): pass
"""
    printed = project(tests, "-m", "pytest", "--rootdir", "..")
    assert f"{tmp_path}/mocks.json: MockedResponses is missing, or has a wrong type." in printed


@pytest.mark.parametrize("given", ['"off"', 'IAM="off"', "clocks=1"])
def test_a_wrong_marker_is_one_sentence(project, given):
    """It says which settings there are."""
    tests = f"import pytest\n@pytest.mark.sfn_emulator({given})\ndef test(sfn_emulator): pass"
    wrong = given.partition("=")[0].replace('"', "'")
    known = "Choose from these, each with a value: clock, fork, iam, lang, mock_config."
    printed = project(tests, "-m", "pytest")
    assert (
        f"The marker sfn_emulator has no setting {wrong}. {known}" in printed and "Traceback" not in printed
    )


LOGS = """
import http.client
from pathlib import Path
import pytest
from sfn_emulator import control

def log(emulator, *lines):
    global path
    if emulator:
        path = Path(control.find(int(emulator.endpoint.rpartition(":")[2]))["folder"], "emulator.log")
    with path.open("a") as file:
        file.writelines(f"{line}\\n" for line in lines)

def test_good(sfn_emulator):
    log(sfn_emulator, "from the first test")

def test_bad(sfn_emulator):
    log(sfn_emulator, *range(1, 51), "what went wrong")
    assert False

def test_quiet(sfn_emulator):
    assert False

def test_without():
    log(None, "of a test without the fixture")
    assert False

@pytest.fixture
def broken(sfn_emulator):
    log(sfn_emulator, "in a fixture")
    assert False

def test_setup(broken): pass

@pytest.mark.sfn_emulator(iam="off")
def test_marked(sfn_emulator):
    log(sfn_emulator, "in the other log")
    assert False
"""


def test_a_failed_test_shows_what_the_emulator_logged_meanwhile(project):
    """Its last forty lines, and nothing of other tests."""
    printed = project(LOGS, "-m", "pytest")
    assert "4 failed, 1 passed, 1 error" in printed, printed
    sections = printed.split("- sfn-emulator log -")
    assert len(sections) == 4
    shown = ["\n".join(part.splitlines()[1:]) for part in sections[1:]]
    assert [part.split("\n")[0] for part in shown] == ["in a fixture", "12", "in the other log"]
    assert "50\nwhat went wrong" in shown[1]
    assert "from the first test" not in printed


def test_a_setting_without_a_value_is_that_of_the_variables(project):
    """As in `running()`, so a project can decide which settings its tests have."""
    tests = """
import pytest

@pytest.mark.sfn_emulator(mock_config=None, iam=None)
def test(sfn_emulator): pass
"""
    printed = project(tests, "-m", "pytest")
    assert "1 passed" in printed, printed
