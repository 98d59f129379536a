import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from emulator.conftest import Own, emulator_in, free_port, state_home, wait_until

from lottery_lib.emulator.process import control
from lottery_lib.emulator.process.errors import EmulatorError
from lottery_lib.emulator.process.record import Record, folder_of, read_record, write_record


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
    """What two threads of one kernel were told, which started an emulator at once; and its port."""
    told, number = [], free_port()
    threads = [threading.Thread(target=lambda: told.append(control.start(number))) for _ in range(2)]
    with state_home(tmp_path_factory.mktemp("state")):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        yield told, number
        control.stop(number)


def gone(processes):
    _, alive = psutil.wait_procs(processes, timeout=10)
    return not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_start_tells_where_it_is(emulator):
    """`start` gives running, port, pid, since, endpoint and folder."""
    assert emulator["running"] is True
    assert emulator["endpoint"] == f"http://127.0.0.1:{emulator['port']}"
    assert psutil.pid_exists(emulator["pid"])
    assert Path(emulator["folder"]).is_dir()
    assert emulator["since"].endswith("+00:00")


def test_threads_that_start_at_once_make_one(raced):
    """Two threads of one kernel that start it at once get the same one."""
    one, other = raced[0]
    assert one["pid"] == other["pid"]


def test_a_second_start_is_the_same_emulator(raced):
    """A running emulator is reused."""
    (told, _), port = raced
    assert control.start(port)["pid"] == control.status(port)["pid"] == told["pid"]
    assert control.status(port)["endpoint"] == f"http://127.0.0.1:{port}"


def test_ports_are_independent_of_the_shared_one(raced):
    """An emulator with a port of its own is not the shared one."""
    _, port = raced
    assert control.status()["running"] is False
    assert control.status(port)["folder"] != control.status()["folder"]


def test_two_starts_at_once_make_one(own_home):
    """Two kernels that start the shared emulator at once get the same one."""
    program = (
        "import json; from lottery_lib.emulator.process import control; print(json.dumps(control.start()))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(control.__file__).parents[3])}
    kernels = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment)
        for _ in range(2)
    ]
    try:
        told = [json.loads(kernel.communicate(timeout=60)[0]) for kernel in kernels]
        assert len({each["pid"] for each in told}) == 1
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


def test_stop_ends_the_process_and_its_workers(proxied):
    """After `stop` neither the emulator nor a worker of its is there."""
    assert proxied.function("def lambda_handler(event, context): return 1")() == 1
    family = psutil.Process(proxied.told["pid"]).children(recursive=True)
    assert family
    assert control.stop(proxied.told["port"])["running"] is False
    assert gone([*family]) and not psutil.pid_exists(proxied.told["pid"])


def test_stop_is_idempotent(own_home, port):
    """Stopping what does not run is a success."""
    assert control.stop(port)["running"] is False
    assert control.stop(port)["running"] is False


def test_a_killed_emulator(own, port):
    """SIGKILL leaves no orphan. The record that is left behind is recognised, and a new emulator starts."""
    assert own.function("def lambda_handler(event, context): return 1")() == 1
    process = psutil.Process(own.told["pid"])
    family = process.children(recursive=True)
    assert family
    process.kill()
    process.wait(10)
    assert gone(family)
    assert control.status(port)["running"] is False
    again = control.start(port)
    assert again["running"] is True and again["pid"] != own.told["pid"]


def test_another_emulator_at_the_recorded_port_is_not_ours(emulator, own_home):
    """After a reboot the recorded port may be another's: the id tells."""
    write_record(folder_of(), Record("not its id", 1, emulator["port"], "2026-01-01T00:00:00+00:00", 0.0))
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


def test_it_ends_with_the_process_that_it_was_started_for(own_home, port):
    """`while_pid`: it ends when that process is gone."""
    companion = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    told = control.start(port, while_pid=companion.pid)
    process = psutil.Process(told["pid"])
    companion.communicate(b"\n")
    assert gone([process])


def test_it_ends_when_nobody_calls(own_home, port):
    """After the idle hours it ends, and its record is gone."""
    command = [sys.executable, "-m", "lottery_lib.emulator", "--port", str(port), "--idle-hours", "0.0002"]
    environment = os.environ | {"PYTHONPATH": str(Path(control.__file__).parents[3])}
    process = subprocess.Popen(command, env=environment)
    assert process.wait(30) == 0
    assert read_record(folder_of(port)) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_foreground_serves_in_this_process(own_home, port, number):
    """Until Ctrl-C or SIGTERM it works in its own folder. Then it prints one JSON document, and exits 0."""
    command = [sys.executable, "-m", "lottery_lib", "emulator", "start", "--foreground", "--json"]
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE)
    wait_until(lambda: control.status(port)["running"])
    assert control.status(port)["pid"] == process.pid
    assert psutil.Process(process.pid).cwd() == control.status(port)["folder"]
    process.send_signal(number)
    document = json.loads(process.communicate(timeout=30)[0])
    assert (process.returncode, document["running"]) == (0, False)


def test_in_the_foreground_it_ends_with_the_lab(own_home, port, monkeypatch):
    """The number of JupyterLab's process is no secret, and is not lost with the user's variables."""
    lab = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    monkeypatch.setenv("LOTTERY_LAB_PID", str(lab.pid))
    command = [sys.executable, "-m", "lottery_lib", "emulator", "start", "--foreground"]
    process = subprocess.Popen([*command, "--port", str(port)])
    wait_until(lambda: control.status(port)["running"])
    lab.communicate(b"\n")
    assert process.wait(30) == 0


def test_it_listens_on_loopback_only(emulator):
    """Nobody on the network can reach it."""
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(emulator["pid"]).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}
