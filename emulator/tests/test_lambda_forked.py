"""On Linux, workers are forked from one warm process. A function notices nothing of it."""

import json
import os
import re
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest
from helpers import Gated, Own, emulator_in, module, source_of, wait_until
from patience import SECONDS
from test_lambda_life import ended

from sfn_emulator.lambda_ import runner
from sfn_emulator.lambda_.captured_output import CapturedOutput
from sfn_emulator.lambda_.pool import Spares
from sfn_emulator.lambda_.worker import Forker, Worker

ALLOWED = {
    *("PATH", "LANG", "NO_PROXY", "no_proxy", "TMPDIR", "LD_LIBRARY_PATH"),
    *("BOTO_CONFIG", "AWS_CONFIG_FILE", "AWS_EC2_METADATA_DISABLED", "AWS_SHARED_CREDENTIALS_FILE"),
}


def tells_parent(event, context):
    import os

    return os.getppid()


@pytest.fixture(scope="module")
def harmed(tmp_path_factory):
    """An emulator that tests harm. Its user has a secret."""
    home = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET", "1")
        with emulator_in(home) as told:
            yield Own(told, home)


@pytest.fixture
def forker(emulator, function):
    """The process from which workers are forked."""
    return psutil.Process(function(tells_parent)())


def test_workers_are_forked(emulator, forker):
    """A worker's parent is a child of the emulator, and the emulator says that it forks workers."""
    assert forker.ppid() == emulator["pid"]
    assert emulator["workers"] == "forked"


def test_the_parent_has_one_thread_and_no_connection(forker):
    """It can fork safely, and a worker inherits no connection of the emulator."""
    assert forker.num_threads() == 1
    assert forker.net_connections("inet") == []


def test_no_secret_of_the_user_can_be_read(harmed):
    """`/proc` shows the environment of a worker's start, and of its parent. Both are allow-listed."""

    def lambda_handler(event, context):
        import os
        from pathlib import Path

        texts = (Path(f"/proc/{pid}/environ").read_text() for pid in ("self", os.getppid()))
        return [line.partition("=")[0] for text in texts for line in text.split("\0") if line]

    names = harmed.function(lambda_handler)()
    assert {"PATH", "AWS_CONFIG_FILE"} <= set(names) <= ALLOWED


def test_a_worker_has_no_file_of_another_worker(function):
    """It inherits its own connection, its output and an empty stdin."""

    def lambda_handler(event, context):
        from pathlib import Path

        def target(link):
            try:
                return str(link.readlink())
            except FileNotFoundError:  # the file with which the folder was listed
                return "listed"

        return [target(link) for link in list(Path("/proc/self/fd").iterdir())]

    for _ in range(3):
        open_files = function(lambda_handler)()
    kinds = sorted(name.partition(":")[0] for name in open_files if "/output/" not in name)
    assert kinds == ["/dev/null", "listed", "socket"]


@pytest.mark.parametrize("name", ["boto3", "six"])
def test_a_function_with_its_own_copy_starts_cold(emulator, function, zipped, name):
    """Where the zip contains a module that the parent has loaded, the worker is not forked."""
    source = f"import os, {name}\ndef lambda_handler(event, context): return os.getppid(), {name}.mine"
    code = zipped(lambda_function=source, **{name: "mine = True"})
    assert function(code)() == [emulator["pid"], True]


def test_all_that_the_parent_loads_can_be_replaced(function):
    """Each package that a worker has loaded at its start is one whose copy in a zip is noticed."""
    from sfn_emulator.lambda_.runtime import TOPS

    loaded = function(module("loaded"))()
    assert "botocore" in loaded
    assert {name for name in loaded if not name.startswith("_")} <= TOPS  # the others come with Python itself


def test_a_session_reads_the_environment(function, emulator):
    """A session of boto3 has the function's own region and settings, not those of the parent."""

    def lambda_handler(event, context):
        import boto3

        session, sns = boto3.session.Session(), boto3.client("sns").meta
        return [
            *(session.region_name, sns.region_name, session.get_credentials().access_key),
            *(sns.config.retries["total_max_attempts"], sns.endpoint_url),
        ]

    variables = {"AWS_MAX_ATTEMPTS": "7"}
    mine = function(lambda_handler, Environment={"Variables": variables})
    region, of_client, key, attempts, url = mine()
    assert region == of_client == "us-east-1"
    assert key.startswith("ASIA")
    assert (attempts, url) == (7, emulator["endpoint"])


def parent_of(harmed):
    """The process from which workers are forked. While there is none, the emulator itself starts workers."""
    while (pid := harmed.function(tells_parent)()) == harmed.told["pid"]:
        pass
    return pid


def kill_parent(harmed):
    """Let a function kill the process from which workers are forked, and wait for its end."""

    def lambda_handler(event, context):
        import os

        os.kill(event, 9)

    killer = harmed.function(lambda_handler)
    killer(pid := parent_of(harmed))
    assert ended(pid)


def test_the_parent_is_replaced(harmed):
    """If a function kills the process from which workers are forked, the next cold call works at once."""
    for _ in range(3):
        kill_parent(harmed)
        assert harmed.function("def lambda_handler(event, context): return 1")() == 1


def test_without_their_parent_workers_work_on(harmed, tmp_path):
    """Calls that run when the parent is killed end as they should, and warm workers stay warm."""
    mine, results = Gated(harmed("lambda"), tmp_path, module("counter")), []
    call = threading.Thread(target=lambda: results.append(mine()))
    call.start()
    mine.begun()
    kill_parent(harmed)
    mine.open()
    call.join()
    assert [n for n, _, _ in (*results, mine())] == [1, 2]


def test_without_their_parent_workers_still_end(harmed):
    """How such a worker ends is told as ever, also by a time-out."""

    def lambda_handler(event, context):
        import os
        import time

        if event.get("status"):
            os._exit(event["status"])
        time.sleep(event.get("seconds", 0))
        return os.getpid()

    exits, sleeps = harmed.function(lambda_handler), harmed.function(lambda_handler, Timeout=1)
    pids = [exits(), sleeps()]
    kill_parent(harmed)
    assert exits({"status": 3})["errorMessage"].endswith("exit status 3")
    assert sleeps({"seconds": 30})["errorType"] == "Sandbox.Timedout"
    assert all(ended(pid) for pid in pids)


def test_a_parent_that_hangs_is_replaced(tmp_path, monkeypatch):
    """The call that waited for it fails, and the next one has a new parent."""
    monkeypatch.setattr("sfn_emulator.lambda_.worker.INIT_SECONDS", 2.0)
    forker, output = Forker(), CapturedOutput(tmp_path / "output")
    try:
        parent = forker._run()
        os.kill(parent.pid, signal.SIGSTOP)
        with pytest.raises(RuntimeError, match="does not answer"):
            forker.fork(output)
        monkeypatch.undo()
        worker, connection = forker.fork(output)
        assert parent.poll() == -signal.SIGKILL
        worker.kill()
        connection.close()
    finally:
        forker.close()
        output.remove()


@pytest.fixture
def alone(tmp_path):
    """The process from which workers are forked, without an emulator."""
    forker = Forker()
    yield lambda: Worker(tmp_path / "output", forker)
    forker.close()


def test_a_spare_worker_has_used_boto3(alone, tmp_path):
    """It has copied most of the memory that a function changes when it first uses boto3."""
    (tmp_path / "counting.py").write_text(module("counting"))
    spares = Spares(alone)
    spares._fill(1)
    spare, new = (pages(spares.take(), tmp_path) for _ in range(2))
    assert spare < new / 2


@pytest.mark.long
def test_a_minute_after_the_last_call_only_the_emulator_is_left(harmed):
    """Then its workers and the process that forks them have ended. The next call works as before.

    It waits for a minute.
    """
    function, emulator = harmed.function(tells_parent), psutil.Process(harmed.told["pid"])
    forker = function()
    assert emulator.children(recursive=True)
    wait_until(lambda: not emulator.children(recursive=True))
    assert function() != forker


def pages(worker, folder):
    """How many pages the module changes when it is loaded."""
    assert worker.load("counting.handler", folder, {}, 256).kind == "exit"
    return int(re.search(r"(\d+) pages", worker.output.take().decode())[1])


def test_the_last_line_of_a_flood_stays(alone, tmp_path, monkeypatch):
    """A function cannot end while the emulator empties the file of its output."""

    def lambda_handler(event, context):
        import time
        from pathlib import Path

        print(("x" * 1023 + "\n") * 9 * 1024, flush=True)
        while not Path("emptying").exists():
            time.sleep(0.01)
        print("last")

    (tmp_path / "flood.py").write_text(source_of(lambda_handler))
    worker = alone()
    variables = {"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256"}
    assert worker.load("flood.lambda_handler", tmp_path, variables, 256).kind == "ready"
    slow, meanwhile = Mock(wraps=worker.output._file), []

    def truncate(size):
        (tmp_path / "emptying").touch()
        meanwhile.append(psutil.Process(worker._process.pid).status())
        os.ftruncate(slow.fileno(), size)

    slow.truncate.side_effect = truncate
    monkeypatch.setattr(worker.output, "_file", slow)
    header = {"invoke_id": "1", "invoked_function_arn": "", "deadline_time_in_ms": 0, "client_context": None}
    answer = worker.invoke(header | runner._UNUSED, b"{}", 10)
    assert (answer.kind, meanwhile) == ("result", [psutil.STATUS_STOPPED])
    assert worker.output.take().endswith(b"last\n")


def test_ended_workers_leave_no_zombies(forker, function):
    """The parent takes the exit status of each worker."""

    def lambda_handler(event, context):
        import os

        os._exit(3)

    for _ in range(5):
        assert function(lambda_handler)()["errorType"]
    assert psutil.STATUS_ZOMBIE not in [child.status() for child in forker.children()]


def test_many_workers_may_end_at_once(harmed):
    """Their parent learns of a second end while it deals with the first one, and goes on."""

    def lambda_handler(event, context):
        import os
        import time

        time.sleep(0.2)
        return os.getpid()

    mine = harmed.function(lambda_handler)
    before = parent_of(harmed)
    for _ in range(3):
        with ThreadPoolExecutor(8) as threads:
            workers = [psutil.Process(pid) for pid in set(threads.map(lambda _: mine(), range(8)))]
        for worker in workers:
            worker.kill()
        assert psutil.wait_procs(workers, timeout=SECONDS)[1] == []
    assert parent_of(harmed) == before


def test_a_killed_emulator_leaves_nothing(harmed):
    """After SIGKILL, the parent, a busy worker and what its handler started end."""

    def lambda_handler(event, context):
        import os
        import subprocess
        import time
        from pathlib import Path

        child, part = subprocess.Popen(["sleep", "60"]), Path(event + ".part")
        part.write_text(f"[{os.getppid()}, {os.getpid()}, {child.pid}]")
        part.rename(event)
        time.sleep(60)

    told = Path(harmed.told["folder"], "pids")
    harmed.function(lambda_handler, Timeout=60).raw(str(told), InvocationType="Event")
    wait_until(told.exists)
    psutil.Process(harmed.told["pid"]).kill()
    assert all(ended(pid) for pid in json.loads(told.read_text()))
