"""Run every notebook from top to bottom, as an instructor does before the course."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import nbclient
import nbformat

__all__ = ["NOTEBOOKS_FOLDER", "notebooks", "rehearse"]

NOTEBOOKS_FOLDER: Final = Path(__file__).resolve().parent.parent / "notebooks"
Row = dict[str, Any]


def notebooks(folder: Path = NOTEBOOKS_FOLDER) -> list[Path]:
    """The lessons, in their order."""
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


def rehearse(
    progress: Callable[[Row], None] = lambda row: None, folder: Path = NOTEBOOKS_FOLDER
) -> list[Row]:
    """Run every notebook in a kernel of its own; nothing is written back.

    Args:
        progress: Called with each row as it is done.
        folder: Where the notebooks are.

    Returns:
        One row a notebook: ``notebook``, ``seconds``, ``ok``, ``error`` (None when ok).
    """
    rows = []
    for path in notebooks(folder):
        rows.append(_run(path))
        progress(rows[-1])
    return rows


def _run(path: Path) -> Row:
    started, error = time.monotonic(), None
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}
    )
    try:
        client.execute()
    except Exception as failure:  # the row says it; the next notebook is rehearsed all the same
        error = str(failure).strip().splitlines()[-1]
    seconds = round(time.monotonic() - started, 1)
    return {"notebook": path.name, "seconds": seconds, "ok": error is None, "error": error}
