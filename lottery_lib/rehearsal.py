"""Run every notebook from top to bottom, as an instructor does before the course."""

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import nbclient
import nbformat

from lottery_lib.emulator import control

__all__ = ["NOTEBOOKS_FOLDER", "notebooks", "rehearse"]

NOTEBOOKS_FOLDER: Final = Path(__file__).resolve().parent.parent / "notebooks"
Row = dict[str, Any]


def notebooks(folder: Path = NOTEBOOKS_FOLDER) -> list[Path]:
    """The lessons, in their order."""
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


def rehearse(
    progress: Callable[[Row], None] = lambda row: None, folder: Path = NOTEBOOKS_FOLDER
) -> list[Row]:
    """Run every notebook in a kernel of its own, on an emulator of its own; nothing is written back.

    Args:
        progress: Called with each row as it is done.
        folder: Where the notebooks are.

    Returns:
        One row a notebook: ``notebook``, ``seconds``, ``ok``, ``error`` (None when ok).
    """
    rows = []
    with _own_emulator():
        for path in notebooks(folder):
            rows.append(_run(path))
            progress(rows[-1])
    return rows


@contextlib.contextmanager
def _own_emulator() -> Iterator[None]:
    """Let the kernels meet an emulator of the rehearsal's own: no lesson that somebody has open is reset."""
    if os.environ.get("LOTTERY_TARGET", "embedded") != "embedded":
        yield
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    os.environ["LOTTERY_TARGET"] = control.start(port)["endpoint"]
    try:
        yield
    finally:
        del os.environ["LOTTERY_TARGET"]
        control.stop(port)


def _run(path: Path) -> Row:
    started, error = time.monotonic(), None
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=300,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # each kernel would warn of its ports
    )
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as failure:
        error = f"{failure.ename}: {failure.evalue}"
    except Exception as failure:  # the row says it; the next notebook is rehearsed all the same
        error = f"{type(failure).__name__}: {failure}"
    seconds = round(time.monotonic() - started, 1)
    return {"notebook": path.name, "seconds": seconds, "ok": error is None, "error": error}
