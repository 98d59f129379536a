"""A whole lesson fits into a small machine. Binder gives 2 GB.

It is long: it runs lessons as a person does, and asks each process again and again.
"""

import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import nbformat
import psutil
import pytest
from helpers import free_port
from machine.lab import KIT, Kernel, environment_of, fresh_copy, running

pytestmark = pytest.mark.long
LIMIT = 1000  # megabytes


class Meter(threading.Thread):
    """Keeps the largest sum of the memory of processes, and of all that they start."""

    def __init__(self, *roots):
        super().__init__(daemon=True)
        self._roots, self._done = roots, threading.Event()
        self.most = {"together": 0}

    def run(self):
        while not self._done.wait(0.2):
            each = {}
            for root in self._roots:
                for process in [root, *root.children(recursive=True)]:
                    try:
                        # what processes share counts once: each has its part of it
                        each[process.pid] = (process.name(), process.memory_full_info().pss / 10**6)
                    except psutil.NoSuchProcess:
                        continue
            together = sum(size for _, size in each.values())
            if together > self.most["together"]:
                self.most = {
                    "together": together,
                    "processes": sorted(each.values(), key=lambda one: -one[1]),
                }

    def stop(self):
        self._done.set()
        self.join()
        return self.most


@pytest.mark.parametrize("lesson", ["00_overview", "05_state_machine", "06_run_a_draw", "18_many_items"])
def test_a_lesson_takes_less_than_a_gigabyte(lesson):
    """JupyterLab, the lesson's kernel, and the emulator with its workers, from the first cell to the last."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        folder, environment = fresh_copy(Path(home, "course")), environment_of(home)
        (folder / ".venv").symlink_to(sys.prefix)
        command = ["make", "-o", "install", "lab", f"PORT={free_port()}", "LAB_ARGS=--no-browser"]
        with running(command, folder, environment) as (process, address):
            status = [".venv/bin/python", "-m", "lottery_lib", "emulator", "status", "--json"]
            emulator = json.loads(subprocess.check_output(status, cwd=folder, env=environment))["pid"]
            meter = Meter(psutil.Process(process.pid), psutil.Process(emulator))
            meter.start()
            notebook = nbformat.read(KIT / "notebooks" / f"{lesson}.ipynb", 4)
            cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
            shown = list(Kernel(address, f"work/{lesson}.ipynb").run(*(cell.source for cell in cells)))
            most = meter.stop()
    failed = [
        text for cell, text in zip(cells, shown, strict=True) if "Traceback" in text and not may_fail(cell)
    ]
    assert failed == []
    assert 200 < most["together"] < LIMIT, most


def may_fail(cell):
    return "raises-exception" in cell.metadata.get("tags", ())
