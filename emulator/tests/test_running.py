"""An emulator for a block of code: a port, files and a server of its own."""

import inspect
import os
import signal
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

import boto3
import psutil
import pytest
from filelock import FileLock
from helpers import wait_until

import sfn_emulator
import states_language
from sfn_emulator import EmulatorError, control
from sfn_emulator.process.record import folder_of

ROOT = Path(sfn_emulator.__file__).parents[1]
PACKAGES = (Path(states_language.__file__).parents[1], Path(find_spec("moto").origin).parents[1])
PROGRAM = """
import sfn_emulator, sys
with sfn_emulator.running() as emulator:
    print(emulator.endpoint, flush=True)
    sys.stdin.read()
"""


def left():
    """The folders of temporary emulators."""
    return list(folder_of().parent.glob("run-*"))


def program(**options):
    """Another process that runs an emulator until its stdin ends; and the endpoint."""
    command = [sys.executable, "-c", PROGRAM]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | options
    )
    return process, process.stdout.readline().strip()


@pytest.fixture
def running(own_home, monkeypatch):
    """An emulator for this test, in a process that finds this package."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with sfn_emulator.running() as emulator:
        yield emulator


@pytest.fixture
def other(tmp_path):
    """`other(folder, ...)`: the Python of another environment, which has the packages of these folders."""

    def make(*folders):
        venv.create(tmp_path / "other")
        (packages,) = (tmp_path / "other").glob("**/site-packages")
        (packages / "packages.pth").write_text("\n".join(map(str, folders)))
        return str(tmp_path / "other" / ("Scripts" if sys.platform == "win32" else "bin") / "python")

    return make


def refused(**options):
    """The error of a block that cannot start."""
    with pytest.raises(EmulatorError) as caught, sfn_emulator.running(**options):
        pass
    assert left() == []
    return caught.value


def test_its_arguments_make_a_client(running):
    """boto3 needs nothing else."""
    assert (
        boto3.client("stepfunctions", **running.client_arguments).list_state_machines()["stateMachines"] == []
    )


def test_a_reset_deletes_what_there_is(running):
    """The emulator and its key stay."""
    sns = boto3.client("sns", **running.client_arguments)
    sns.create_topic(Name="orders")
    running.reset()
    assert sns.list_topics()["Topics"] == []


def test_the_link_to_its_mails_works_once(running):
    """It gives the browser a cookie for the page. Another browser cannot use it."""
    link = running.mailbox()
    browsers = [build_opener(ProxyHandler({}), HTTPCookieProcessor()) for _ in range(2)]
    assert browsers[0].open(link, timeout=10).status == 200
    with pytest.raises(HTTPError, match="403"):
        browsers[1].open(link, timeout=10)


def test_blocks_at_the_same_time_have_emulators_of_their_own(running):
    """Also in other processes."""
    process, endpoint = program()
    assert len({running.endpoint, endpoint}) == len(left()) == 2
    process.communicate("", timeout=30)
    assert len(left()) == 1


def test_nothing_stays_after_the_block(own_home):
    """Neither the process nor a file."""
    with sfn_emulator.running() as emulator:
        pid = control.find(int(emulator.endpoint.rpartition(":")[2]))["pid"]
    assert not psutil.pid_exists(pid)
    assert left() == []


@pytest.mark.long("starts two emulators")
def test_nothing_stays_if_the_process_is_killed(own_home, monkeypatch):
    """After SIGKILL, the emulator ends itself and removes its files."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    process, endpoint = program()
    pid = control.find(int(endpoint.rpartition(":")[2]))["pid"]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    wait_until(lambda: not psutil.pid_exists(pid))
    assert left() == []


def test_an_emulator_that_has_gone_is_one_sentence(own_home):
    """It says where the emulator was."""
    with sfn_emulator.running() as emulator:
        pass
    with pytest.raises(
        EmulatorError, match=rf"^emulator at {emulator.endpoint}: it does not answer .*Start it"
    ):
        emulator.reset()


@pytest.mark.parametrize(
    "ask",
    [
        lambda it: it.reset(),
        lambda it: it.mailbox(),
        lambda it: it.advance(1),
        lambda it: it.mock("m", "S", None),
    ],
)
def test_an_old_key_is_one_sentence(running, ask):
    """It is that of an emulator that was here before."""
    earlier = sfn_emulator.Emulator(running.endpoint, "A" * 20)
    with pytest.raises(EmulatorError) as caught:
        ask(earlier)
    what = "The security token included in the request is invalid"
    assert str(caught.value) == f"emulator at {running.endpoint}: {what}. Start it again."


def test_a_start_that_waits_too_long_for_another_one_is_one_sentence(own_home, port, monkeypatch):
    """Another process starts the emulator, and does not get on."""
    monkeypatch.setattr(control, "_READY_SECONDS", 0.1)
    folder = folder_of(port)
    with (
        FileLock(folder / "start.lock"),
        pytest.raises(EmulatorError, match=r"it did not answer within 0\.1 s"),
    ):
        control.start(port)


def test_another_python_runs_the_server(own_home, other):
    """This environment then needs no moto."""
    python = other(ROOT, *PACKAGES)
    with sfn_emulator.running(python=python) as emulator:
        state = control.find(int(emulator.endpoint.rpartition(":")[2]))
        assert psutil.Process(state["pid"]).cmdline()[0] == python


def test_another_python_may_be_a_relative_path(own_home, other, monkeypatch):
    """The emulator works in another folder than this process."""
    python = Path(other(ROOT, *PACKAGES))
    monkeypatch.chdir(python.parent)
    with sfn_emulator.running(python="./python") as emulator:
        assert control.find(int(emulator.endpoint.rpartition(":")[2]))["running"]


def test_a_python_without_the_package_is_one_sentence(own_home, other):
    """It says what to install, and where."""
    python = other()
    assert str(refused(python=python)) == (
        f"emulator: sfn_emulator is not installed for {python}. "
        f"Run `{python} -m pip install 'sfn-emulator[server]'`."
    )


def test_an_environment_without_the_server_is_one_sentence(own_home, monkeypatch):
    """The client's packages are not enough to start an emulator."""
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    assert str(refused()) == (
        f"emulator: moto is not installed for {sys.executable}. "
        f"Run `{sys.executable} -m pip install 'sfn-emulator[server]'`."
    )


def test_another_moto_there_is_one_sentence(own_home, other, tmp_path):
    """What the new process says is this error."""
    (tmp_path / "wrong" / "moto").mkdir(parents=True)
    (tmp_path / "wrong" / "moto" / "__init__.py").touch()
    python = other(tmp_path / "wrong", ROOT, *PACKAGES)
    error = refused(python=python)
    assert error.where.startswith("moto ") and error.what.endswith(" is missing")
    assert error.next_step.startswith(f"Run `{python} -m pip install 'sfn-emulator[server]'`")


def test_a_python_that_is_not_there_is_one_sentence(own_home):
    """It names the path that was given."""
    assert refused(python="/no/python").where == "/no/python"


def test_an_emulator_that_starts_too_slowly_is_ended(own_home, monkeypatch):
    """Nobody would know it."""
    monkeypatch.setattr(control, "_READY_SECONDS", 0.0)
    before = psutil.Process().children()
    assert refused().what.startswith("it did not answer within 0 s")
    assert psutil.Process().children() == before


def test_settings_may_be_given(own_home):
    """They replace those of this process."""
    error = refused(environ={"SFN_EMULATOR_CLOCK": "fast"})
    assert str(error) == "SFN_EMULATOR_CLOCK: it is 'fast'. Set it to machine, skipping or virtual."


def test_help_shows_no_variables():
    """What `help` prints of the public functions has nothing of the environment in it."""
    shown = [str(inspect.signature(thing)) for thing in (sfn_emulator.running, sfn_emulator.start)]
    assert [text for text in shown if "environ(" in text or "PATH" in text] == []
