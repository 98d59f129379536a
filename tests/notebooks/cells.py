"""Run the cells of a lesson in this process. A kernel takes seconds to start."""

import asyncio
import json
import re
import shutil
import sys
from contextlib import contextmanager
from typing import Final

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
    monkeypatch.setattr(shell, "system", shell.system_piped)  # as a kernel: a cell shows what a command prints
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


#: A folded solution: code, or what the file holds whose name stands above it.
SOLUTION = re.compile(
    r"<details><summary>[^<]+</summary>\n\n(?:[^\n]*`(?P<file>[\w.-]+)`[^\n]*\n\n)?"
    r"```(?P<language>python|json|yaml)\n(?P<text>.+?)\n```(?:\n\n[^\n`]+)?\n\n</details>",
    re.DOTALL,
)


#: Put states into a file, in the place of those with the same names.
REPLACE: Final = """import json
from pathlib import Path
machine = json.loads(Path({file!r}).read_text(encoding='utf-8'))
machine['States'].update(json.loads({states!r}))
Path({file!r}).write_text(json.dumps(machine, indent=2), encoding='utf-8')"""
#: Between two fences of a solution: the file has the lines above, and gets those below instead.
INSTEAD: Final = re.compile(r"\n```\n\n[^\n]+\n\n```(?:json|yaml)\n")
#: Put lines into a file, in the place of others, which are indented there. They may be there already.
EDIT: Final = """from pathlib import Path
from textwrap import indent
(path,) = Path().rglob({file!r})
whole = path.read_text(encoding='utf-8')
pairs = [[indent('\\n'.join(lines), ' ' * depth) for lines in ({old}, {new})] for depth in range(40)]
if not any(new in whole for _, new in pairs):
    old, new = next(pair for pair in pairs if '\\n' + pair[0] in whole)
    path.write_text(whole.replace(old, new, 1), encoding='utf-8')"""


def in_this_process(source):
    """A cell whose `!lottery` runs in the kernel, where a test has changed who asks, or where AWS is."""
    command = re.fullmatch(r"!lottery (.+)", source)
    return f"from lottery_lib.__main__ import main\n_ = main({command[1]!r}.split())" if command else source


def solution_of(cell):
    """The code of a folded solution. If it is a file, or states of a file, the code saves it."""
    found = SOLUTION.fullmatch(cell.source)
    if not found["file"]:
        return found["text"]
    old, *new = INSTEAD.split(found["text"])
    if new:
        return EDIT.format(file=found["file"], old=old.splitlines(), new=new[0].splitlines())
    if found["text"].startswith('"'):
        return REPLACE.format(file=found["file"], states="{" + found["text"] + "}")
    return saving(found["file"], found["text"])


def saving(file, content):
    """Code that saves a file, as an attendee does in an editor: a text, or what its JSON holds."""
    text = content if isinstance(content, str) else json.dumps(content, indent=2)
    return f"from pathlib import Path\nPath({file!r}).write_text({text!r}, encoding='utf-8')"


def shown(printed, *data):
    """What a cell shows, as a notebook stores it."""
    streams = [new_output("stream", text=printed)] if printed else []
    return streams + [new_output("display_data", each) for each in data]
