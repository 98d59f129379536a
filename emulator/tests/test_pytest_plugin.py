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
def project(own_home, tmp_path):
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
