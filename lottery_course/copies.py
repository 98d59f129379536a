"""A learner's own copies of the notebooks, in `work/`, which git does not track.

A copy has no outputs, so no cell looks as if it had run. It keeps the digest of the notebook that it was made
from. So we know later whether the course has a newer one. A copy is only replaced if somebody asks for that.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from lottery_lib.errors import LotteryError
from lottery_lib.names import KIT
from lottery_lib.translation import WORK, _

_DIGEST: Final = "lottery_source"


class Copies(NamedTuple):
    """What was done with the copies; paths are as ``"zh/05_state_machine.ipynb"``.

    Attributes:
        folder: Where they are.
        made: New copies.
        newer: Copies of notebooks that have changed since.
        kept: The old copies, by that which has replaced them.
    """

    folder: str
    made: list[str]
    newer: list[str]
    kept: dict[str, str]


def copy_notebooks(fresh: str = "", *, source: Path = KIT / "notebooks", work: Path = WORK) -> Copies:
    """Make the copies that are missing, and those that somebody wants again.

    Args:
        fresh: The first letters of a notebook's name, such as ``"05"``. Its copies are replaced.
            If somebody has changed it, the old one stays beside it.
        source: The folder of the notebooks.
        work: The folder of the copies.

    Raises:
        LotteryError: There is no such notebook.
    """
    done = Copies(str(work), [], [], {})
    paths = [
        path.relative_to(source) for path in sorted(source.rglob("*.ipynb")) if path.parent.name[0] != "."
    ]
    wanted = [path for path in paths if fresh and path.name.startswith(fresh)]
    if fresh and not wanted:
        names = ", ".join(path.stem for path in paths if path.parent == Path())
        raise LotteryError(
            _("notebooks"), _("none begins with {name}", name=fresh), _("There are {names}", names=names)
        )
    for path in paths:
        original, copy, name = _read(source / path), work / path, path.as_posix()
        if not copy.exists():
            done.made.append(name)
        elif path not in wanted:
            if _came_from(copy) != _digest(original):
                done.newer.append(name)
            continue
        elif _is_changed(copy):
            old = next(_free(copy))
            copy.rename(old)
            done.kept[name] = old.relative_to(work).as_posix()
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(json.dumps(_unrun(original), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return done


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _came_from(copy: Path) -> str:
    """The digest of the notebook that a copy was made from; empty if nobody knows."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(_read(copy)["metadata"][_DIGEST])
    return ""


def _is_changed(copy: Path) -> bool:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return _digest(_read(copy)) != _came_from(copy)
    return True  # it is no notebook any more


def _digest(notebook: Any) -> str:
    """The digest of what a person reads and writes in a notebook: the cells without their outputs."""
    cells = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def _unrun(notebook: Any) -> Any:
    """The notebook as if nobody had run it."""
    outputs: dict[str, Any] = {"outputs": [], "execution_count": None}
    cells = [cell | outputs if cell["cell_type"] == "code" else cell for cell in notebook["cells"]]
    return notebook | {"cells": cells, "metadata": notebook["metadata"] | {_DIGEST: _digest(notebook)}}


def _free(copy: Path) -> Iterator[Path]:
    """Names for an old copy: ``05_state_machine.old.ipynb``, ``05_state_machine.old2.ipynb``."""
    names = (copy.with_suffix(f".old{number or ''}.ipynb") for number in (0, *range(2, 1000)))
    return (path for path in names if not path.exists())
