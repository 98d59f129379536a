"""Run notebooks from top to bottom: one, or all of them as an instructor does before the course."""

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TextIO, TypedDict

import nbclient
import nbformat
from tqdm import tqdm

from lottery_course.cells import EXERCISE, NOTEBOOKS_FOLDER
from lottery_lib.addresses import free_port
from lottery_lib.local_emulator import emulator
from lottery_lib.translation import _, language

_STATED: Final = re.compile(
    r"Teaching (\d+) minutes?, exercises (\d+) minutes?(?:, going further (\d+) minutes?)?"
)
#: What a cell types to check a mission. The practice, mission 0, is none.
_MISSION: Final = re.compile(r"^!lottery mission ([1-9]) --check", re.MULTILINE)
_BAR: Final = "{n}/{total} {bar:30} {elapsed} {desc}"


class Minutes(NamedTuple):
    """How many minutes a lesson takes, and the part of it that can be left out."""

    teaching: int
    exercises: int
    further: int


class NotebookRun(TypedDict):
    """How one notebook ran in a rehearsal; `error` is None if it ran to its last cell."""

    notebook: str
    seconds: float
    ok: bool
    error: str | None


def notebooks(folder: Path = NOTEBOOKS_FOLDER) -> list[Path]:
    """The lessons, in their order."""
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


class Lesson(NamedTuple):
    """A lesson's title, and its checks in their order: ``"exercise 1"`` or ``"mission 1"``, ``"verify"``."""

    title: str
    checks: list[str]


def lessons() -> dict[str, Lesson]:
    """The lessons in this process's language, by their two digits."""
    by_number = {}
    for path in notebooks(spoken_folder()):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        numbers = sorted({int(match[1]) for source in sources if (match := EXERCISE.search(source))})
        missions = sorted({match[1] for source in sources for match in _MISSION.finditer(source)})
        verified = any("verify(target, " in source for source in sources)
        prose = next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        title = prose.partition("\n")[0].lstrip("# ")
        by_number[path.name[:2]] = Lesson(
            title,
            [f"exercise {number}" for number in numbers]
            + [f"mission {number}" for number in missions]
            + ["verify"] * verified,
        )
    return by_number


def spoken_folder() -> Path:
    """The folder of the notebooks in this process's language."""
    translated = NOTEBOOKS_FOLDER / language()
    return translated if translated.is_dir() else NOTEBOOKS_FOLDER


def course_in(folder: Path) -> list[Path]:
    """What a rehearsal of a folder's lessons runs, in this order."""
    # The first lesson shows a draw on the emulator.
    return notebooks(folder)[os.environ.get("LOTTERY_TARGET") == "aws" :]


def run(notebook: nbformat.NotebookNode, folder: Path) -> str | None:
    """Run a notebook's cells in a new kernel, in place, until the first that fails.

    Args:
        notebook: The notebook, as `nbformat.read` returns it. Its cells get their outputs.
        folder: The folder where the kernel starts.

    Returns:
        None, or a sentence: the cell's number in JupyterLab and its first line, and the error's first line.
    """
    client = nbclient.NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # else each kernel warns about its ports
    )
    number, where = 0, ""
    try:
        with client.setup_kernel():  # client.execute() would handle Ctrl-C itself
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type == "code" and cell.source.strip():
                    number += 1
                    where = _(
                        "cell [{number}] `{line}`: ", number=number, line=cell.source.strip().splitlines()[0]
                    )
                client.execute_cell(cell, index)
    except Exception as error:
        return where + _sentence(error)
    return None


def _sentence(error: Exception) -> str:
    """An error's name and first line. If a cell failed, they are those of its own error, from the kernel."""
    name = getattr(error, "ename", type(error).__name__)
    line = str(getattr(error, "evalue", error)).strip().partition("\n")[0]
    return f"{name}: {line}" if line else name


def rehearse(stream: TextIO, folder: Path | None = None) -> list[NotebookRun]:
    """Run every notebook in a kernel of its own, on an emulator of its own. No file is changed.

    Args:
        stream: Gets one line for each notebook, and a progress bar if it is a terminal.
        folder: The folder of the notebooks; by default that of this process's language.

    Returns:
        One row for each notebook.
    """
    paths = course_in(folder or spoken_folder())
    rows: list[NotebookRun] = []
    with _own_emulator(), tqdm(paths, file=stream, disable=None, bar_format=_BAR, leave=False) as bar:
        for path in bar:
            bar.set_description_str(path.name)
            started = time.monotonic()
            try:
                error = run(nbformat.read(path, as_version=4), path.parent)
            except (OSError, ValueError, nbformat.reader.NotJSONError) as unread:  # it cannot be read
                error = _sentence(unread)
            seconds = round(time.monotonic() - started, 1)
            rows.append({"notebook": path.name, "seconds": seconds, "ok": error is None, "error": error})
            ran = {"notebook": path.name, "seconds": seconds, "result": error or _("ok")}
            bar.write(_("{notebook}: {seconds} s, {result}", **ran), file=stream)
    return rows


@contextlib.contextmanager
def _own_emulator() -> Iterator[None]:
    """Give the kernels an emulator of their own, so that the rehearsal does not reset an open lesson."""
    if os.environ.get("LOTTERY_TARGET", "embedded") != "embedded":
        yield
        return
    port = free_port()
    try:
        os.environ["LOTTERY_TARGET"] = emulator("start", port)["endpoint"]
        yield
    finally:
        os.environ.pop("LOTTERY_TARGET", None)
        shutil.rmtree(emulator("stop", port)["folder"], ignore_errors=True)


def summary(rows: Sequence[NotebookRun], folder: Path = NOTEBOOKS_FOLDER) -> str:
    """Sum up a rehearsal for a person, beside the minutes that the English notebooks state for a class."""
    import pandas as pd  # noqa: PLC0415 - only here

    if not rows:
        return _("There is no notebook to run.")
    ran = pd.DataFrame(rows)
    stated = [_minutes_of(folder / name) or (None, None, None) for name in ran["notebook"]]
    minutes = pd.DataFrame(stated, dtype="Int64")
    results = ran["ok"].map({True: _("ok"), False: _("FAILED")})
    table = pd.concat([ran["notebook"], ran["seconds"], minutes, results], axis="columns")
    table.columns = [
        *(_("notebook"), _("ran, s"), _("teaching, min"), _("exercises, min"), _("further, min")),
        _("result"),
    ]
    teaching, exercises, further = minutes.sum()
    failed = ran[~ran["ok"]]
    lines = [
        table.astype("string").fillna("").to_string(index=False),
        "",
        _(
            "All ran in {minutes} minutes. According to the notebooks, a class needs {stated} minutes, and "
            "{further} more to go further.",
            minutes=f"{ran['seconds'].sum() / 60:.1f}",
            stated=teaching + exercises,
            further=further,
        ),
        _("Failed: {failed} of {count}.", failed=len(failed), count=len(rows))
        if len(failed)
        else _("All {count} ran without an error.", count=len(rows)),
        *(f"  {row.notebook}, {row.error}" for row in failed.itertuples()),
    ]
    return "\n".join(lines)


def _minutes_of(path: Path) -> Minutes | None:
    with contextlib.suppress(OSError, ValueError, nbformat.reader.NotJSONError):
        return stated_minutes(nbformat.read(path, as_version=4))
    return None


def stated_minutes(notebook: nbformat.NotebookNode) -> Minutes | None:
    """The minutes that a lesson states below its title; None if it states none."""
    match = _STATED.search("\n".join(cell.source for cell in notebook.cells))
    return Minutes(*(int(number or 0) for number in match.groups())) if match else None
