"""Run the cells of a lesson in this process. A kernel takes seconds to start."""

import asyncio
import shutil
import sys
from contextlib import contextmanager

import pandas as pd
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat.v4 import new_output
from traitlets.config import Config

from lottery_lib.names import KIT


def lesson_folder(folder):
    """Make a folder one where a lesson can run: lessons write files, and another test may run the same one."""
    shutil.copy(KIT / "pyproject.toml", folder)  # a lesson shows what pytest prints with it
    return folder


@contextmanager
def shell(tmp_path, monkeypatch):
    """A kernel's shell in this process, where everything is imported already: it runs a cell's source."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    # Attendees have no nbval, hypothesis or xdist. Their import takes seconds, and lesson 12 runs pytest 17 times.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.chdir(lesson_folder(tmp_path))
    plain = {"HistoryManager": {"enabled": False}, "InteractiveShell": {"xmode": "Minimal"}}  # short tracebacks
    shell = InteractiveShell.instance(config=Config(plain))
    results = []
    monkeypatch.setattr(shell.displayhook, "write_output_prompt", lambda: None)
    monkeypatch.setattr(shell.displayhook, "write_format_data", lambda data, _: results.append(data))
    # As pandas sets them in a kernel; a lesson changes the second one.
    as_in_a_kernel = pd.option_context("display.max_columns", 20, "display.max_colwidth", 50)
    with as_in_a_kernel, asyncio.Runner() as loop:

        def run(source):
            """What a cell shows, and how it ends."""
            results.clear()
            python = shell.transform_cell(source)
            with capture_output() as printed:
                ended = loop.run(shell.run_cell_async(source, store_history=True, transformed_cell=python))
            shell.events.trigger("post_run_cell", ended)  # as a kernel does
            return shown(printed.stdout + printed.stderr, *(each.data for each in printed.outputs), *results), ended

        yield run
    InteractiveShell.clear_instance()


def solution_of(cell):
    """The code of a folded solution."""
    return cell.source.partition("```python\n")[2].partition("\n```")[0]


def shown(printed, *data):
    """What a cell shows, as a notebook stores it."""
    streams = [new_output("stream", text=printed)] if printed else []
    return streams + [new_output("display_data", each) for each in data]
