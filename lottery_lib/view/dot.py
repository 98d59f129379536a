"""Have Graphviz draw: with the system's own, or with the one that pip installed beside this Python."""

import os
import shutil
import sys
import sysconfig
import threading
from pathlib import Path
from typing import Final

import graphviz
from graphviz.backend import dot_command

from lottery_lib.errors import LotteryError

__all__ = ["render"]

_INSTALL: Final = "Run `pip install graphviz-pure`, or set GRAPHVIZ_DOT to the path of a `dot` program"
_DOT_LOCK: Final = threading.Lock()  # the graphviz package keeps the name of its program in a global


def render(source: str) -> str:
    """Turn DOT into SVG.

    Raises:
        LotteryError: There is no Graphviz, or it failed.
    """
    with _DOT_LOCK:
        before, dot_command.DOT_BINARY = dot_command.DOT_BINARY, Path(_find_dot())
        try:
            return str(graphviz.pipe_string("dot", "svg", source, encoding="utf-8", quiet=True))
        except (graphviz.ExecutableNotFound, graphviz.CalledProcessError) as error:
            raise LotteryError("Graphviz", f"did not draw ({error})", _INSTALL) from error
        finally:
            dot_command.DOT_BINARY = before


def _find_dot() -> str:
    """The first of GRAPHVIZ_DOT, the system's dot, the one that pip installed beside this Python."""
    beside = os.pathsep.join([str(Path(sys.executable).parent), sysconfig.get_path("scripts")])
    found = (
        os.environ.get("GRAPHVIZ_DOT")
        or shutil.which("dot")
        or shutil.which("graphviz-pure")
        or shutil.which("graphviz-pure", path=beside)
    )
    if not found:
        raise LotteryError("Graphviz", "there is no program that draws graphs", _INSTALL)
    return found
