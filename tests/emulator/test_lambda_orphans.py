"""On Linux, the emulator ends every process that a function started, whatever became of its parent."""

import os
import signal
import time

import psutil
import pytest
from emulator.test_lambda_life import ended

from lottery_lib.emulator.process import control

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


@pytest.mark.parametrize("orphan", [True, False])
@pytest.mark.parametrize("end", ["stop", "SIGTERM"])
def test_a_session_of_its_own_ends_with_the_emulator(own, port, orphan, end):
    """A process that a function started with `setsid` does not outlive the emulator."""
    pid = own.function(STARTS, Timeout=30)({"orphan": orphan, "seconds": 60})
    assert psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    if end == "stop":
        control.stop(port)
    else:
        os.kill(own.told["pid"], signal.SIGTERM)
    assert ended(pid)


def test_an_orphan_that_ends_leaves_no_zombie(own):
    """The emulator takes the exit status of a process whose parent has ended."""
    pid = own.function(STARTS, Timeout=30)({"orphan": True, "seconds": 0.1})
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_worker_that_ends_takes_its_children_along(own):
    """A process of the worker's group ends when the worker ends by itself."""
    source = """
import os, subprocess

def lambda_handler(event, context):
    child = subprocess.Popen(["sleep", "60"])
    with open(event["to"], "w") as file:
        file.write(str(child.pid))
    os._exit(0)
"""
    told = os.path.join(own.told["folder"], "pid")  # noqa: PTH118
    own.function(source, Timeout=30)({"to": told})
    with open(told) as file:  # noqa: PTH123
        assert ended(int(file.read()))
