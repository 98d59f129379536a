"""The commands of the development container and of Binder work in a fresh copy, for a user who is not root.

Their images cannot be built here: there is no Docker and no conda. So this machine's own Python runs them.
It is long: each test installs all packages.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from helpers import free_port
from machine.lab import DRAW, KIT, Kernel, environment_of, fresh_copy, running
from patience import SECONDS

pytestmark = pytest.mark.long
#: What reads files for other machines: see the Makefile.
TOOLS = Path(sys.prefix, "tools", "bin")


@pytest.fixture
def user():
    """How to start a process as a new user, who is not root. Only root can make one: else it is you."""
    if os.geteuid() != 0:
        yield {}
        return
    name = f"lottery-{os.getpid()}"
    subprocess.run(["useradd", "--no-create-home", name], check=True)
    try:
        yield {"user": name, "group": name, "extra_groups": []}
    finally:
        subprocess.run(["userdel", "--force", name], check=True, capture_output=True)


@pytest.fixture
def course(user):
    """A fresh copy of the project in a new user's home, and the user's variables."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        folder = fresh_copy(Path(home, "course"))
        if user:
            subprocess.run(["chown", "-R", f"{user['user']}:{user['group']}", home], check=True)
        yield folder, environment_of(home)


def settings():
    """What `.devcontainer/devcontainer.json` says."""
    text = (KIT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    return json.loads(re.sub(r"(?m)^//.*$", "", text))


def test_the_development_container(user, course):
    """Its user is not root. After its commands, JupyterLab answers and a kernel draws."""
    folder, environment = course
    commands = settings()
    assert commands["remoteUser"] == "vscode"
    create, attach = (["sh", "-c", commands[when]] for when in ("postCreateCommand", "postAttachCommand"))
    subprocess.run(create, cwd=folder, env=environment, check=True, timeout=600, **user)
    with running(attach, folder, environment, **user) as (_, address):
        assert list(Kernel(address, "work/06_run_a_draw.ipynb").run(DRAW)) == ["'SUCCEEDED'"]


def test_the_port_that_is_forwarded():
    """It is the port that `make lab` takes."""
    makefile = (KIT / "Makefile").read_text(encoding="utf-8")
    assert settings()["forwardPorts"] == [int(re.search(r"^PORT \?= (\d+)$", makefile, re.MULTILINE)[1])]


def test_binder(user, course):
    """Binder's commands build the course. Under a path of its own, a kernel draws, and numpy has two threads.

    conda is not here. So pip installs what environment.yml gives to pip, into an environment of this Python.
    """
    folder, environment = course
    environment |= {"PATH": f"{environment['HOME']}/conda/bin:{environment['PATH']}"}
    text = (folder / "environment.yml").read_text(encoding="utf-8")
    gives = " ".join(re.sub(r"(?m)^ *- ", "", text.partition("- pip:\n")[2]).split())
    build = f"python3 -m venv ~/conda && python -m pip install --quiet {gives} && ./postBuild"
    subprocess.run(["sh", "-c", build], cwd=folder, env=environment, check=True, timeout=600, **user)
    start = f"exec ./start jupyter lab --no-browser --ServerApp.base_url=/user/ann/ --port={free_port()}"
    with running(["sh", "-c", start], folder, environment, **user) as (_, address):
        assert "/user/ann/lab?" in address
        threads = "import os; os.environ['OPENBLAS_NUM_THREADS']"
        stop = "!lottery emulator stop --yes"  # on Binder, it ends with the container
        drawn, limit, _ = Kernel(address, "work/06_run_a_draw.ipynb").run(DRAW, threads, stop)
        assert (drawn, limit) == ("'SUCCEEDED'", "'2'")


def test_what_binder_would_build(tmp_path):
    """Binder's own program finds Python 3.13 in environment.yml, and runs postBuild and start."""
    assert (TOOLS / "jupyter-repo2docker").exists(), "run `make test-all`, which installs it"
    command = [TOOLS / "jupyter-repo2docker", "--no-build", "--debug", "--user-id=1000", "--user-name=jovyan"]
    done = subprocess.run(
        [*command, fresh_copy(tmp_path)], capture_output=True, text=True, check=True, timeout=SECONDS
    )
    assert "Building conda environment for python=3.13" in done.stderr
    dockerfile = done.stdout + done.stderr
    assert 'env update -p ${NB_PYTHON_PREFIX} --file "environment.yml"' in dockerfile
    assert "RUN ./postBuild" in dockerfile
    assert re.search(r'ENV R2D_ENTRYPOINT=".*start"', dockerfile)


def test_githubs_workflows():
    """They are what GitHub's published schema allows."""
    workflows = sorted((KIT / ".github" / "workflows").glob("*.yml"))
    assert [path.stem for path in workflows] == ["site", "test"]
    command = [TOOLS / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stdout
