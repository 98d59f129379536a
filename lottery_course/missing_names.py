"""Say what to do if a cell of a lesson uses a name that has no value. Each kernel loads this as an extension.

After a restart of the kernel, names of the lesson's first cell have no value. Then the learner reads one
sentence, in place of a NameError and the code of the kit.
"""

import ast
import contextlib
import dis
import os
import re
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final

from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell

from lottery_course.cells import Cell, code_cells
from lottery_course.progress import lesson_begun
from lottery_lib.translation import _

#: What JavaScript and JSON call a value, and what to say of it.
_JAVASCRIPT: Final = {
    "true": _("Python writes True, with a capital letter."),
    "false": _("Python writes False, with a capital letter."),
    "null": _("Python writes None in place of null."),
}
#: Jupyter tells a kernel the path of its notebook here; VS Code has a name of its own for it.
_NOTEBOOK: Final = "JPY_SESSION_NAME"
_LESSON: Final = re.compile(r"(\d\d)_.*\.ipynb")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """From now on, a NameError of a cell may have a sentence."""
    shell.set_custom_exc((NameError,), _show)


def _show(
    shell: InteractiveShell,
    kind: type[NameError],
    error: NameError,
    traceback: TracebackType,
    tb_offset: int | None = None,
) -> None:
    """Show a NameError as IPython does, or say what to do."""
    with contextlib.suppress(Exception):  # whatever is wrong here, the learner sees the error
        name = error.name or ""
        if name in _JAVASCRIPT:
            error.add_note(_JAVASCRIPT[name])
        elif name not in shell.user_ns and is_of_lesson(name, _lesson_of(shell)):
            sentence = _(
                "`{name}` has no value in this kernel. Run the first cell of this lesson, then the cells "
                "below it, in order.",
                name=name,
            )
            error._render_traceback_ = lambda: [sentence]  # type: ignore[attr-defined]
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)


def _lesson_of(shell: InteractiveShell) -> str:
    """The lesson whose notebook this kernel runs, by its name; else the one that has begun."""
    notebook = os.environ.get(_NOTEBOOK) or str(shell.user_ns.get("__vsc_ipynb_file__", ""))
    match = _LESSON.fullmatch(Path(notebook).name)
    return match[1] if match else "" if notebook else lesson_begun()


def is_of_lesson(name: str, lesson: str) -> bool:
    """Whether a lesson's first cell gives a value to this name; before it has run, whether any cell does."""
    cells = code_cells(lesson)
    return name in names_of(cells[:1] if lesson == lesson_begun() else cells)


def names_of(cells: Iterable[Cell]) -> set[str]:
    """The names that cells import, assign or define."""
    names = set[str]()
    for cell in cells:
        python = TransformerManager().transform_cell(cell.source)
        code = compile(python, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        # Not `symtable`: since Python 3.12, it counts the names in a comprehension, too.
        names |= {each.argval for each in dis.get_instructions(code) if each.opname == "STORE_NAME"}
    return names
