"""On Linux, the emulator ends every process that a function started, whatever became of its parent."""

import psutil
import pytest
from helpers import module, wait_until, zip_of
from test_lambda_life import ended

from sfn_emulator import control


def starts(event, context):
    """Start a process in a session of its own. Its parent is the worker, or a process that ends at once."""
    import subprocess
    import sys

    seconds = str(event["seconds"])
    if event["orphan"]:
        daemon = [sys.executable, "daemon.py", seconds]
        return int(subprocess.run(daemon, stdout=subprocess.PIPE, check=True).stdout)
    return subprocess.Popen(["sleep", seconds], start_new_session=True).pid


STARTS = zip_of({"lambda_function": starts, "daemon": module("daemon")})


@pytest.mark.long
def test_a_session_of_its_own_ends_with_the_emulator(own, port):
    """A process that a function started with `setsid` does not outlive the emulator.

    It is long: `test_stop_ends_the_process_and_its_workers` has such processes, too.
    """
    starts = own.function(STARTS, Timeout=30)
    pids = [starts({"orphan": orphan, "seconds": 60}) for orphan in (True, False)]
    assert psutil.STATUS_ZOMBIE not in [psutil.Process(pid).status() for pid in pids]
    control.stop(port)
    assert all(ended(pid) for pid in pids)


def test_an_orphan_that_ends_leaves_no_zombie(function):
    """The emulator takes the exit status of a process whose parent has ended."""
    pid = function(STARTS, Timeout=30)({"orphan": True, "seconds": 0.1})
    wait_until(lambda: not psutil.pid_exists(pid))


def test_a_worker_that_ends_takes_its_children_along(function, tmp_path):
    """A process of the worker's group ends when the worker ends by itself."""

    def lambda_handler(event, context):
        import os
        import subprocess
        from pathlib import Path

        child = subprocess.Popen(["sleep", "60"])
        Path(event).write_text(str(child.pid))
        os._exit(0)

    told = tmp_path / "pid"
    function(lambda_handler, Timeout=30)(str(told))
    assert ended(int(told.read_text()))
