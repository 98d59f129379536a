"""Run every notebook from top to bottom, as an instructor does before the course."""

import contextlib
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

import nbclient
import nbformat
from tqdm import tqdm

from lottery_lib.names import CHECKOUT
from lottery_lib.target import start_emulator, stop_emulator

__all__ = ["NOTEBOOKS_FOLDER", "notebooks", "rehearse", "summary"]

NOTEBOOKS_FOLDER: Final = CHECKOUT / "notebooks"
#: What is run beside the lessons: the view for the company's real draw.
OTHERS: Final = ("draw_night.ipynb",)
_STATED: Final = re.compile(r"Teaching (\d+) minutes, exercises (\d+) minutes")
_BAR: Final = "{n}/{total} {bar:30} {elapsed} {desc}"
Row = dict[str, Any]


def notebooks(folder: Path = NOTEBOOKS_FOLDER) -> list[Path]:
    """The lessons, in their order."""
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


def rehearse(stream: TextIO | None = None, folder: Path = NOTEBOOKS_FOLDER) -> list[Row]:
    """Run every notebook in a kernel of its own, on an emulator of its own; nothing is written back.

    Args:
        stream: Where each notebook is told as it is done, with a bar below on a terminal; None for nowhere.
        folder: Where the notebooks are.

    Returns:
        One row a notebook: ``notebook``, ``seconds``, ``ok``, ``error`` (None when ok; else the cell's
        number and first line, and what it said).
    """
    rows = []
    with _own_emulator(), _bar(folder, stream) as bar:
        for path in bar:
            bar.set_description_str(path.name)
            rows.append(_run(path))
            if stream:
                bar.write(f"{path.name}: {rows[-1]['seconds']} s, {rows[-1]['error'] or 'ok'}", file=stream)
    return rows


def summary(rows: Sequence[Row], folder: Path = NOTEBOOKS_FOLDER) -> str:
    """Sum a rehearsal up for a person, beside the minutes that the notebooks state for a class."""
    stated = [_stated_minutes(folder / row["notebook"]) for row in rows]
    teaching, exercises = (sum(each[part] or 0 for each in stated) for part in (0, 1))
    seconds = sum(row["seconds"] for row in rows)
    lines = [_line("notebook", "ran, s", "teaching, min", "exercises, min")]
    lines += [
        _line(row["notebook"], row["seconds"], *minutes, "ok" if row["ok"] else "FAILED")
        for row, minutes in zip(rows, stated, strict=True)
    ]
    lines += [_line("all", round(seconds, 1), teaching, exercises), ""]
    return "\n".join([*lines, *_words(rows, seconds, teaching + exercises)])


def _words(rows: Sequence[Row], seconds: float, stated: int) -> Iterator[str]:
    if not rows:
        yield "There is no notebook to run."
        return
    slowest = max(rows, key=lambda row: float(row["seconds"]))
    yield f"Slowest: {slowest['notebook']}, {slowest['seconds']} s."
    yield f"Running all took {seconds / 60:.1f} minutes; a class needs {stated}, by what the notebooks state."
    failed = [row for row in rows if not row["ok"]]
    yield f"Failed: {len(failed)} of {len(rows)}." if failed else f"All {len(rows)} ran without an error."
    for row in failed:
        yield f"  {row['notebook']}, {row['error']}"


def _line(name: str, *cells: Any) -> str:
    texts = ["" if cell is None else str(cell) for cell in cells]
    widths = (8, 15, 16, 8)
    columns = (text.rjust(width) for text, width in zip(texts, widths, strict=False))
    return f"{name:28}{''.join(columns)}".rstrip()


def _stated_minutes(path: Path) -> tuple[int | None, int | None]:
    """Minutes of teaching and of exercises that the first cell states, if it does."""
    with contextlib.suppress(OSError, ValueError, nbformat.reader.NotJSONError):
        if found := _STATED.search(nbformat.read(path, as_version=4).cells[0].source):
            return int(found[1]), int(found[2])
    return None, None


def _bar(folder: Path, stream: TextIO | None) -> Any:
    lessons, others = notebooks(folder), [folder / name for name in OTHERS if (folder / name).exists()]
    paths = [*lessons[:-1], *others, *lessons[-1:]]  # the last lesson removes what the others need
    disabled = stream is None or not stream.isatty()
    return tqdm(paths, file=stream, disable=disabled, bar_format=_BAR, leave=False)


@contextlib.contextmanager
def _own_emulator() -> Iterator[None]:
    """Let the kernels meet an emulator of the rehearsal's own: no lesson that somebody has open is reset."""
    if os.environ.get("LOTTERY_TARGET", "embedded") != "embedded":
        yield
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    try:
        os.environ["LOTTERY_TARGET"] = start_emulator(port)["endpoint"]
        yield
    finally:
        os.environ.pop("LOTTERY_TARGET", None)
        shutil.rmtree(stop_emulator(port)["folder"], ignore_errors=True)


def _run(path: Path) -> Row:
    started = time.monotonic()
    try:
        error = _execute(path)
    except Exception as failure:  # the row says it; the next notebook is rehearsed all the same
        error = _sentence(failure)
    seconds = round(time.monotonic() - started, 1)
    return {"notebook": path.name, "seconds": seconds, "ok": error is None, "error": error}


def _execute(path: Path) -> str | None:
    """Run a notebook's cells up to the first that fails; returns which that is, and what it said."""
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=300,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # each kernel would warn of its ports
    )
    with client.setup_kernel():  # not client.execute(): that one takes Ctrl-C for itself
        for index, cell in enumerate(notebook.cells):
            try:
                client.execute_cell(cell, index)
            except Exception as failure:
                return f"{_cell(notebook.cells[: index + 1])}: {_sentence(failure)}"
    return None


def _cell(cells: Sequence[Any]) -> str:
    """The last of the cells by the number that JupyterLab shows beside it, and its first line."""
    run = [cell for cell in cells if cell.cell_type == "code" and cell.source.strip()]
    return f"cell [{len(run)}] `{run[-1].source.strip().splitlines()[0]}`"


def _sentence(failure: Exception) -> str:
    """The first line of what went wrong; a cell's own error under its own name."""
    name = getattr(failure, "ename", type(failure).__name__)
    said = str(getattr(failure, "evalue", failure)).strip().partition("\n")[0]
    return f"{name}: {said}" if said else name
