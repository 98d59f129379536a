"""A process is killed only while its number cannot belong to another process."""

import subprocess
import sys

import psutil
import pytest
from patience import wait_until

from sfn_emulator.process import children
from sfn_emulator.process.children import Started, descendants, end_descendants, reap_orphans, wait

FOR_EVER = "import time; time.sleep(60)"


@pytest.fixture
def program():
    """`program("import sys; sys.exit(3)")`: a process that runs it."""
    made = []

    def start(source):
        made.append(Started([sys.executable, "-c", source], stdin=subprocess.DEVNULL))
        return made[-1]

    yield start
    for each in made:
        each.kill()


def test_a_process_that_was_reaped_is_not_killed(program, monkeypatch):
    """Its number may be another's, so no signal goes there."""
    killed = []
    ended = program("")
    assert wait(ended, 10) == 0
    monkeypatch.setattr(children, "kill_group", killed.append)
    ended.kill()
    assert killed == []


def test_a_process_that_runs_is_killed(program):
    """`kill` returns when it has ended."""
    running = program(FOR_EVER)
    assert running.poll() is None
    running.kill()
    assert running.poll() is not None


def test_reaping_orphans_leaves_exit_statuses_alone(program):
    """Whoever started a process still learns how it ended."""
    ended = program("import sys; sys.exit(3)")
    wait_until(lambda: psutil.Process(ended.pid).status() == psutil.STATUS_ZOMBIE)
    reap_orphans()
    assert wait(ended, 10) == 3


def test_descendants_end_except_some(program):
    """Those that were there before the emulator run on."""
    before = program(FOR_EVER)
    spared = descendants()
    after = program(FOR_EVER)
    end_descendants(spared)
    assert before.poll() is None
    assert wait(after, 10) is not None
