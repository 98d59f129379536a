"""The doctor says what is missing on a machine, and what to do about it."""

import json
import sys
from types import SimpleNamespace

import psutil
import pytest

from lottery_course import doctor
from lottery_lib.names import KIT
from sfn_emulator import control


@pytest.fixture
def finding(monkeypatch, tmp_path):
    """What the doctor finds in one check, with the emulator's files in a folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def found(check):
        (only,) = doctor.examine(only=[check])
        assert only["check"] == check
        assert bool(only["next"]) is not only["ok"]
        return only

    return found


def kernelspec(folder, *argv):
    """Make another `python3`, which comes before the environment's own."""
    spec = folder / "kernels" / "python3"
    spec.mkdir(parents=True)
    told = {"argv": [*argv, "-f", "{connection_file}"], "display_name": "Other", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(told))


def test_too_little_memory(finding, monkeypatch):
    """Where the emulator and its workers do not fit into memory, both numbers are told."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=300 * 2**20))
    memory = finding("memory")
    assert (memory["ok"], memory["detail"]) == (False, "300 MB are free in memory, and 366 MB are needed")
    assert "Close other programs" in memory["next"]


def test_memory_that_is_needed():
    """The memory that the doctor asks for is what the benchmarks measured for an emulator and its workers."""
    rows = json.loads((KIT / "benchmarks" / "results.json").read_text("utf-8"))["rows"]
    measured = {row["what"]: row["value"] for row in rows}
    needed = measured["Memory of the emulator"] + 16 * measured["Memory of a worker"]
    assert pytest.approx(needed, rel=0.01) == doctor.MEMORY_MB


def test_too_little_disk(finding, monkeypatch):
    """A disk that is nearly full is told, with the folder that lies on it."""
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: SimpleNamespace(free=7 * 2**20))
    disk = finding("disk")
    assert not disk["ok"]
    assert disk["detail"].startswith("7 MB are free on the disk of ")
    assert "XDG_STATE_HOME" in disk["next"]


def test_folder_that_cannot_be_written_to(finding, monkeypatch, tmp_path):
    """Copies of the lessons that cannot be saved are told, by the folder's name."""
    monkeypatch.setattr(doctor, "WORK", tmp_path / "nowhere" / "work")
    folders = finding("folders")
    assert not folders["ok"]
    assert "nowhere" in folders["detail"]


def test_state_folder_that_cannot_be_made(monkeypatch, tmp_path):
    """Where the emulator's folder cannot be made, the checks that need it say so, and the others go on."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    graph, disk = doctor.examine(only=["graph", "disk"])
    assert graph["ok"]
    assert not disk["ok"]
    assert "Set XDG_STATE_HOME" in disk["next"]


def test_package_that_is_not_there(finding, monkeypatch, tmp_path):
    """What pyproject.toml asks for today and `make install` has not brought is told by name."""
    text = '[project]\ndependencies = ["boto3>=1", "lottery-none>=1", "psutil<1"]\n'
    (tmp_path / "pyproject.toml").write_text(text)
    monkeypatch.setattr(doctor, "KIT", tmp_path)
    packages = finding("packages")
    assert not packages["ok"]
    assert packages["detail"] == "not installed, or in another version: lottery-none>=1, psutil<1"


def test_kernel_that_does_not_start(finding, monkeypatch, tmp_path):
    """A `python3` whose Python is gone is told by the path of that Python."""
    kernelspec(tmp_path, "/nowhere/python")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    kernel = finding("kernel")
    assert not kernel["ok"]
    assert kernel["detail"].startswith("`python3` runs no cell: FileNotFoundError: ")
    assert "/nowhere/python" in kernel["detail"]
    assert "jupyter kernelspec list" in kernel["next"]


def test_kernel_of_another_environment(finding, monkeypatch):
    """A `python3` that starts, but in another environment, is told by both environments."""

    def run(notebook, folder):
        notebook.cells[0].outputs.append(SimpleNamespace(text="/\n"))

    monkeypatch.setattr(doctor, "run", run)
    kernel = finding("kernel")
    assert not kernel["ok"]
    assert kernel["detail"] == f"`python3` is the Python at /, not the one at {sys.prefix}"


def test_kernel_without_the_kit(finding, monkeypatch, tmp_path):
    """A `python3` that cannot import the kit from the notebooks' folder, as after a move, is told."""
    start = "import sys; sys.modules['lottery_lib'] = None\n"
    start += "from ipykernel.kernelapp import launch_new_instance as run; run()"
    kernelspec(tmp_path, sys.executable, "-c", start)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    kernel = finding("kernel")
    assert "runs no cell: cell [1] `import sys, lottery_lib`: ModuleNotFoundError: " in kernel["detail"]
    assert "make clean install" in kernel["next"]


def test_what_is_missing_is_said_with_its_next_step():
    """A person reads one line for each thing that is missing, and none for what is there."""
    bad = {"check": "memory", "ok": False, "detail": "300 MB are free", "next": "Close other programs"}
    good = {"check": "graph", "ok": True, "detail": "drawn", "next": ""}
    assert doctor.missing([good, bad]) == ["memory: 300 MB are free. Close other programs."]


def test_nothing_missing_is_said_too():
    """Where nothing is missing, one line says so."""
    good = {"check": "graph", "ok": True, "detail": "drawn", "next": ""}
    assert doctor.missing([good]) == ["All 1 checks passed: nothing is missing on this machine."]


@pytest.mark.parametrize("check", ["packages", "graph", "memory", "disk", "folders"])
def test_all_is_well_here(finding, check):
    """On a machine that lacks nothing each check says what it saw."""
    assert finding(check)["ok"], finding(check)["detail"]
    assert control.status()["running"] is False


def test_nothing_is_written_on_a_real_account(monkeypatch):
    """The check that creates a role and a function is made on an emulator only."""
    monkeypatch.setenv("LOTTERY_TARGET", "aws")
    assert doctor.examine(only=["lambda"]) == []
