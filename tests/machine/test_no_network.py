"""Without a network, the kit installs from a folder on a stick, and a draw works.

It is long: it fetches all packages, and installs them again.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from helpers import free_port
from machine.lab import KIT, environment_of, fresh_copy, running
from patience import SECONDS

pytestmark = pytest.mark.long
#: Runs a command where only 127.0.0.1 can be reached.
ALONE = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
ALONE += ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
PYTHON = os.path.realpath(sys.executable)
#: A package that has wheels, but pip may not take them.
BUILT = "graphviz"


@pytest.fixture(scope="module")
def stick(tmp_path_factory):
    """A stick with the folder that `make wheelhouse` writes. One of the packages had no wheel that fits."""
    folder = tmp_path_factory.mktemp("a stick")
    command = ["make", "-o", "install", "wheelhouse", f"VENV={sys.prefix}", f"STICK={folder}"]
    environment = os.environ | {"PIP_NO_BINARY": BUILT}
    subprocess.run(command, cwd=KIT, env=environment, check=True, timeout=600)
    return folder


@pytest.fixture(scope="module")
def packages(stick):
    (folder,) = stick.iterdir()
    return folder


@pytest.fixture
def course():
    """A fresh copy of the project, and a new user's variables."""
    with tempfile.TemporaryDirectory(
        ignore_cleanup_errors=True
    ) as home:  # the path of a kernel's socket may have 107 letters
        yield fresh_copy(Path(home, "course")), environment_of(home)


def install(course, *settings):
    """Install in a fresh copy without a network; returns what was printed."""
    folder, environment = course
    command = [*ALONE, "make", "install", f"PYTHON={PYTHON}", *settings]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )


def test_the_folder_on_the_stick(packages):
    """It is named after system and Python. It holds wheels only, and four lines that say how to use it."""
    version = "{}.{}".format(*sys.version_info)
    assert re.fullmatch(rf"wheelhouse-[a-z]+-\w+-py{re.escape(version)}", packages.name)
    lines = (packages / "README.txt").read_text().splitlines()
    assert f"    make lab WHEELHOUSE=/path/to/{packages.name}" in lines
    assert len(lines) == 4
    built = (packages / "built.txt").read_text().splitlines()
    assert [line.partition("==")[0] for line in built] == [BUILT]
    wheels = [path for path in packages.iterdir() if path.suffix == ".whl"]
    assert len(wheels) == len(list(packages.iterdir())) - 2 > 100


def test_a_draw_without_a_network(course, stick):
    """`make lab WHEELHOUSE=` installs from the stick, JupyterLab answers, and a kernel draws."""
    folder, environment = course
    command = [*ALONE, "make", "lab", f"PYTHON={PYTHON}", f"WHEELHOUSE={stick}"]
    command += [f"PORT={free_port()}", "LAB_ARGS=--no-browser"]
    with running(command, folder, environment, seconds=600) as (process, address):
        there = ["nsenter", "--net", "--target", str(process.pid)]
        drawn = [*there, sys.executable, KIT / "tests/machine/lab.py", address]
        assert subprocess.check_output(drawn, text=True, timeout=SECONDS).strip() == "'SUCCEEDED'"


def test_there_is_no_network(course):
    """The same without WHEELHOUSE stops, because pip reaches no index."""
    assert "pip cannot fetch packages from its index" in install(course).stderr


def test_a_changed_file_on_the_stick(course, packages, tmp_path):
    """Pip installs no file that differs from the lock's."""
    copy = shutil.copytree(packages, tmp_path / packages.name)
    (wheel,) = copy.glob("click-*.whl")
    with wheel.open("ab") as file:
        file.write(b"!")
    told = install(course, f"WHEELHOUSE={copy}").stderr
    assert "pip stopped: ERROR: THESE PACKAGES DO NOT MATCH THE HASHES" in told
