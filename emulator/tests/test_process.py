import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from helpers import Machine, Own, emulator_in, started, state_home, wait_until
from test_lambda_environment import SECRETS
from test_lambda_orphans import STARTS

from sfn_emulator import control
from sfn_emulator.errors import EmulatorError
from sfn_emulator.process.record import Record, folder_of, health, read_record, write_record

#: Whether a process that a function starts has lost its parent. Only Linux gives those to the emulator.
ORPHANS = [True, False] if sys.platform == "linux" else []


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    """An emulator with a warm worker, where a proxy is set that does not exist; its client, too."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            patch.setenv(name, "http://127.0.0.1:9")
        home = tmp_path_factory.mktemp("state")
        with emulator_in(home) as told, state_home(home):
            yield Own(told)


@pytest.fixture(scope="module")
def raced(tmp_path_factory):
    """What two threads of a kernel and another kernel were told, which started the shared emulator at once.

    They start it for a process, which comes second.
    """
    told, program = [], "import json, sys; from sfn_emulator import control; "
    program += "print(json.dumps(control.start(while_pid=int(sys.argv[1]))))"
    environment = os.environ | {"PYTHONPATH": str(Path(control.__file__).parents[3])}
    environment |= {"XDG_STATE_HOME": str(home := tmp_path_factory.mktemp("state"))}
    with state_home(home), companion() as other:
        command = [sys.executable, "-c", program, str(other.pid)]
        kernel = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)

        def start():
            told.append(control.start(while_pid=other.pid))

        threads = [threading.Thread(target=start) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told.append(json.loads(kernel.communicate(timeout=60)[0]))
        yield told, other
        control.stop()


def companion():
    """A process that runs until it reads the end of its stdin."""
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)


def gone(processes):
    _, alive = psutil.wait_procs(processes, timeout=30)
    return not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_start_tells_where_it_is(emulator):
    """`start` gives running, port, pid, since, endpoint and folder."""
    assert emulator["running"] is True
    assert emulator["endpoint"] == f"http://127.0.0.1:{emulator['port']}"
    assert psutil.pid_exists(emulator["pid"])
    assert Path(emulator["folder"]).is_dir()
    assert emulator["since"].endswith("+00:00")


def test_starts_at_once_make_one(raced):
    """Whoever starts the shared emulator at the same moment gets the same one."""
    assert len(raced[0]) == 3
    assert len({each["pid"] for each in raced[0]}) == 1


def test_a_second_start_is_the_same_emulator(raced):
    """A running emulator is reused."""
    (told, *_), _ = raced
    assert control.start()["pid"] == control.status()["pid"] == told["pid"]
    assert control.status()["endpoint"] == f"http://127.0.0.1:{told['port']}"


def test_ports_are_independent_of_the_shared_one(raced, port):
    """An emulator with a port of its own is not the shared one."""
    assert control.status(port)["running"] is False
    assert control.status(port)["folder"] != control.status()["folder"]


def test_it_ends_with_the_process_that_it_was_started_for(raced):
    """`while_pid`: it ends when that process is gone."""
    (told, *_), other = raced
    process = psutil.Process(told["pid"])
    other.communicate(b"\n")
    assert gone([process])


@pytest.mark.long("starts two other processes")
def test_it_ends_with_the_last_process_that_it_was_started_for(own_home):
    """A second process that starts it keeps it alive after the first one has ended."""
    with companion() as first, companion() as second:
        told = control.start(while_pid=first.pid)
        assert control.start(while_pid=second.pid)["while_pids"] == sorted([first.pid, second.pid])
        process = psutil.Process(told["pid"])
        first.communicate(b"\n")
        wait_until(lambda: control.status()["while_pids"] == [second.pid])
        assert process.is_running() and control.status()["pid"] == told["pid"]
        second.communicate(b"\n")
    assert gone([process])


def test_it_ends_with_its_process_where_its_folder_is_gone(own_home):
    """A test, or a person, removes the copy of the kit while it runs."""
    with companion() as other:
        told = control.start(while_pid=other.pid)
        process = psutil.Process(told["pid"])
        shutil.rmtree(folder_of())
        other.communicate(b"\n")
    assert gone([process])


def test_one_that_runs_for_no_process_ends_with_none(own_home):
    """Somebody has started it by hand, and so it stays when a process ends that uses it, too."""
    try:
        assert control.start()["while_pids"] == []
        assert control.start(while_pid=os.getpid())["while_pids"] == []
    finally:
        control.stop()


def test_proxies_are_ignored(proxied):
    """With a proxy set that does not exist, all still goes straight to the emulator."""
    function = proxied.function(
        "import boto3\n"
        "def lambda_handler(event, context): return boto3.client('sts').get_caller_identity()['Account']",
        Timeout=30,
    )
    assert function() == "123456789012"


def test_a_killed_emulator(proxied):
    """SIGKILL leaves no orphan. The record that is left behind is recognised, and a new emulator starts."""
    port, process = proxied.told["port"], psutil.Process(proxied.told["pid"])
    assert proxied.function("def lambda_handler(event, context): return 1")() == 1
    family = process.children(recursive=True)
    assert family
    process.kill()
    process.wait(10)
    assert gone(family)
    assert control.status(port)["running"] is False
    proxied.told = started(port)
    assert proxied.told["running"] is True and proxied.told["pid"] != process.pid
    proxied.role()


def test_stop_ends_the_process_and_its_workers(proxied):
    """After `stop` neither the emulator nor a worker of its is there; on Linux, nor what a worker started."""
    starts = proxied.function(STARTS, Timeout=30)
    children = [psutil.Process(starts({"orphan": each, "seconds": 60})) for each in ORPHANS]
    assert psutil.STATUS_ZOMBIE not in [child.status() for child in children]
    assert proxied.function("def lambda_handler(event, context): return 1")() == 1
    family = psutil.Process(proxied.told["pid"]).children(recursive=True)
    assert family
    assert control.stop(proxied.told["port"])["running"] is False
    assert gone([*family, *children]) and not psutil.pid_exists(proxied.told["pid"])


def test_no_file_about_people_stays(tmp_path):
    """When the emulator ends, what executions keep in files, the mails and the code are gone."""
    with emulator_in(tmp_path) as told:
        succeed = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
        Machine(Own(told)("stepfunctions"), succeed).run({"text": "x" * 200_000})
        topic = Own(told)("sns").create_topic(Name="news")["TopicArn"]
        Own(told)("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@example.com")
        assert [*tmp_path.rglob("histories/*")] and [*tmp_path.rglob("mailbox/new/*")]
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left <= {"emulator.log", "running.lock", "start.lock"}


def test_stop_is_idempotent(own_home, port):
    """Stopping what does not run is a success."""
    assert control.stop(port)["running"] is False
    assert control.stop(port)["running"] is False


def test_another_emulator_at_the_recorded_port_is_not_ours(emulator, own_home):
    """After a reboot the recorded port may be another's: the id tells."""
    process = psutil.Process()
    since = "2026-01-01T00:00:00+00:00"
    write_record(folder_of(), Record("x", process.pid, emulator["port"], since, process.create_time()))
    assert control.status()["running"] is False


def test_who_repeats_the_id_is_not_ours(emulator, own_home):
    """Everybody can ask for the id, and take the port of an emulator that was killed. Its process is gone."""
    told = health(emulator["port"])
    write_record(folder_of(), Record(told["id"], told["pid"], told["port"], "2026-01-01T00:00:00+00:00", 0.0))
    assert control.status()["running"] is False


def test_stop_does_not_kill_a_stranger(own_home):
    """A recorded pid that another process has since got is left alone."""
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        write_record(folder_of(), Record("x", stranger.pid, 1, "2026-01-01T00:00:00+00:00", 12345.0))
        control.stop()
        assert stranger.poll() is None
        assert read_record(folder_of()) is None
    finally:
        stranger.communicate(b"\n")


def test_a_port_in_use_is_one_clear_error(own_home, port):
    """A port that another program has makes an EmulatorError that says so."""
    with socket.create_server(("127.0.0.1", port)), pytest.raises(EmulatorError) as caught:
        control.start(port)
    assert "another program uses that port" in str(caught.value)
    assert "--port" in caught.value.next_step


@pytest.mark.long("waits for seven seconds")
def test_it_ends_when_nobody_calls(own_home, port):
    """After the idle hours it ends, and its record is gone. It never had the user's secrets in `/proc`."""
    command = [sys.executable, "-m", "sfn_emulator.server", "--port", str(port), "--idle-hours", "0.002"]
    environment = os.environ | {"PYTHONPATH": str(Path(control.__file__).parents[3])}
    process = subprocess.Popen(command, env=environment | dict.fromkeys(SECRETS, "secret"))
    wait_until(lambda: control.status(port)["running"])
    assert control.status(port)["pid"] == process.pid
    assert "secret" not in psutil.Process(process.pid).environ().values()
    assert process.wait(30) == 0
    assert read_record(folder_of(port)) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_foreground_serves_in_this_process(own_home, port, number):
    """Until Ctrl-C or SIGTERM it works in its own folder. Then it prints one JSON document, and exits 0.

    A shell executes it with the user's variables, but a function cannot find the secrets in `/proc`.
    """
    command = [sys.executable, "-m", "sfn_emulator", "start", "--foreground", "--json"]
    environment = os.environ | dict.fromkeys(SECRETS, "secret")
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, env=environment)
    wait_until(lambda: control.status(port)["running"])
    assert control.status(port)["pid"] == process.pid
    assert "secret" not in psutil.Process(process.pid).environ().values()
    assert psutil.Process(process.pid).cwd() == control.status(port)["folder"]
    process.send_signal(number)
    document = json.loads(process.communicate(timeout=30)[0])
    assert (process.returncode, document["running"]) == (0, False)


def test_it_listens_on_loopback_only(emulator):
    """Nobody on the network can reach it."""
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(emulator["pid"]).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}
