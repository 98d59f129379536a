"""On Linux, the emulator ends every process that a function started, whatever became of its parent."""

import psutil
import pytest
from helpers import wait_until
from test_lambda_life import ended

from sfn_emulator import control

#: Starts a process in a session of its own. Its parent is the worker, or a process that ends at once.
STARTS = '''
import subprocess, sys

DAEMON = """
import subprocess

sleep = ["sleep", "{seconds}"]
print(subprocess.Popen(sleep, start_new_session=True, stdout=subprocess.DEVNULL).pid)
"""

def lambda_handler(event, context):
    if event["orphan"]:
        code = DAEMON.format(seconds=event["seconds"])
        return int(subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout)
    return subprocess.Popen(["sleep", str(event["seconds"])], start_new_session=True).pid
'''


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
    source = """
import os, subprocess

def lambda_handler(event, context):
    child = subprocess.Popen(["sleep", "60"])
    with open(event["to"], "w") as file:
        file.write(str(child.pid))
    os._exit(0)
"""
    told = tmp_path / "pid"
    function(source, Timeout=30)({"to": str(told)})
    assert ended(int(told.read_text()))
