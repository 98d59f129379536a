"""Run notebooks anew and store what they show; a second run gives the same bytes.

Usage: ``python tests/notebooks/refresh.py [--renew] [NOTEBOOK ...]``, by default all of the course.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import nbformat
from nbval.plugin import get_sanitize_patterns

from lottery_course.notebooks import NOTEBOOKS_FOLDER, notebooks, run
from lottery_lib.translation import languages

METADATA: Final = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
WIDGET_VIEW: Final = "application/vnd.jupyter.widget-view+json"
SANITIZE: Final = Path(__file__).resolve().parent.parent / "nbval_sanitize.cfg"
_STATE: Final = "~/.local/state"
#: What an output shows beside its `data`.
_TEXTS: Final = ("name", "text", "ename", "evalue", "traceback")
_CELL_METADATA: Final = ("tags", "jupyter")
Node = Any


def refresh(path: Path, *, renew: bool = False) -> bool:
    """Run one notebook in a fresh kernel and write it back.

    Args:
        path: The notebook.
        renew: Whether an output that nbval ignores is replaced too. By default the stored one stays, as does
            one that differs only in what nbval sanitises, so that an unchanged notebook keeps its bytes.

    Returns:
        Whether the file changed.
    """
    before = path.read_text(encoding="utf-8")
    stored, fresh = nbformat.reads(before, as_version=4), nbformat.reads(before, as_version=4)
    if error := run(fresh, path.parent):
        raise SystemExit(f"{path.name}: {error}")
    for old, new in zip(stored.cells, fresh.cells, strict=True):
        if new.cell_type == "code":
            new.outputs = [_without_widget(output) for output in new.outputs]
            if _keeps(old, new, renew=renew):
                new.outputs = old.outputs
        new.metadata = {key: new.metadata[key] for key in _CELL_METADATA if key in new.metadata}
    _renumber(fresh.cells)
    fresh.metadata = nbformat.from_dict(METADATA)
    here = os.environ.get("XDG_STATE_HOME", _STATE)  # `calls` names the emulator's folder
    after = nbformat.writes(fresh).replace(here, _STATE) + "\n"
    if after != before:
        path.write_text(after, encoding="utf-8", newline="\n")
    return after != before


def sanitized(outputs: Iterable[Node], patterns: Iterable[tuple[str, str]]) -> str:
    """The outputs as nbval compares them."""
    told = []
    for output in outputs:
        # Sorted, because a kernel sends the fields in another order than a file has them.
        told += [f"{key}: {value}" for key, value in sorted(output.items()) if key in _TEXTS]
        told += [f"{key}: {value}" for key, value in sorted(output.get("data", {}).items())]
    text = "\n".join(told)
    for pattern, replacement in patterns:
        text = re.sub(pattern, replacement, text)
    return text


def _without_widget(output: Node) -> Node:
    if WIDGET_VIEW in output.get("data", {}):
        del output["data"][WIDGET_VIEW]
    return output


def _keeps(old: Node, new: Node, *, renew: bool) -> bool:
    """Whether the stored outputs stay: they show the same, or what they show is not compared."""
    if renew or not old.outputs:
        return False
    if _kinds(old.outputs) != _kinds(new.outputs):
        return False
    patterns = get_sanitize_patterns(SANITIZE.read_text(encoding="ascii"))
    ignored = "nbval-ignore-output" in old.metadata.get("tags", [])
    return ignored or sanitized(old.outputs, patterns) == sanitized(new.outputs, patterns)


def _kinds(outputs: Iterable[Node]) -> list[Any]:
    return [
        (output.output_type, sorted(output.get("data", {})), output.get("name"), output.get("ename"))
        for output in outputs
    ]


def _renumber(cells: Iterable[Node]) -> None:
    """Count the code cells 1..n, and their results with them."""
    code = [cell for cell in cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        cell.execution_count = number
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number


def main(arguments: list[str] | None = None) -> int:
    """Refresh what is named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--renew", action="store_true", help="replace also the outputs that nbval ignores")
    parser.add_argument("notebooks", nargs="*", type=Path, help="by default all of the course")
    options = parser.parse_args(arguments)
    everything = [*notebooks(), *(path for each in languages() for path in notebooks(NOTEBOOKS_FOLDER / each))]
    for path in options.notebooks or everything:
        changed = refresh(path.resolve(), renew=options.renew)
        print(f"{path.parent.name}/{path.name}: {'changed' if changed else 'unchanged'}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
