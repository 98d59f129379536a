"""Turn DOT into SVG and show it in a notebook, even if the notebook is not trusted."""

import base64
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path

from lottery_lib.errors import LotteryError
from lottery_lib.files import write_over
from lottery_lib.harmless import escaped
from lottery_lib.translation import _
from lottery_lib.view.theme import DARK, picture_css

#: What turns DOT into SVG in place of a program: in a browser, Graphviz is a function of JavaScript.
engine: Callable[[str], str] | None = None


def render(source: str) -> str:
    """Turn DOT into SVG. A second call with the same DOT does not run the program again.

    The program is GRAPHVIZ_DOT if that is set, else the system's `dot`, else pip's `dot` beside this Python.

    Raises:
        LotteryError: There is no Graphviz, or it failed.
    """
    if engine:
        return engine(source)
    scripts = os.pathsep.join([str(Path(sys.executable).parent), sysconfig.get_path("scripts")])
    dot = os.environ.get("GRAPHVIZ_DOT") or shutil.which("dot") or shutil.which("graphviz-pure")
    dot = dot or shutil.which("graphviz-pure", path=scripts)
    install = _("Run `pip install graphviz-pure`, or set GRAPHVIZ_DOT to the path of a `dot` program")
    if not dot:
        raise LotteryError("Graphviz", _("there is no program that draws graphs"), install)
    try:
        return _laid_out(dot, source)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", "") or error
        what = _("did not draw ({reason})", reason=str(reason).strip())
        raise LotteryError("Graphviz", what, install) from error


@lru_cache(maxsize=32)
def _laid_out(dot: str, source: str) -> str:
    process = subprocess.run(
        [dot, "-Tsvg"], input=source, capture_output=True, check=True, encoding="utf-8", errors="replace"
    )
    return process.stdout


def picture(content: str, width: float, height: float) -> str:
    """An SVG that is as wide and high in pixels as it says, with the colours of `theme`."""
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    ground = '<rect class="ground" width="100%" height="100%" rx="8"/>'
    opened = f'<svg xmlns="http://www.w3.org/2000/svg" class="lottery-picture" font-size="12" {size}>'
    return f"{opened}{ground}{content}</svg>"


class Picture:
    """A drawing. It is made when it is first shown.

    Args:
        alt: What it shows, in a sentence or two.
        draw: Makes the SVG.

    Attributes:
        alt: As given.
    """

    def __init__(self, alt: str, draw: Callable[[], str]) -> None:
        self.alt = alt
        self._draw = draw

    def __repr__(self) -> str:
        return self.alt

    @cached_property
    def bare(self) -> str:
        """The drawing as SVG, for a page that has the rules of `theme.picture_css`.

        Raises:
            LotteryError: The program that draws is not there, or failed.
        """
        return self._draw()

    @cached_property
    def svg(self) -> str:
        """The drawing as SVG, with its colours for light and dark pages.

        Raises:
            LotteryError: The program that draws is not there, or failed.
        """
        head, end, rest = self.bare.partition(">")
        return f"{head}{end}<style>{picture_css()}</style>{rest}"

    @property
    def html(self) -> str:
        """The drawing as an image: an untrusted notebook removes inline SVG, but shows an image.

        Where styles are allowed, the image follows the theme of JupyterLab. Else it follows the browser's.
        """
        data = base64.b64encode(self.svg.encode()).decode()
        dark = f"<style>{DARK} .lottery-image{{color-scheme:dark}}</style>"
        image = f'<img class="lottery-image" alt="{escaped(self.alt)}" style="max-width:100%" '
        return f'{dark}{image}src="data:image/svg+xml;base64,{data}">'

    def save(self, path: str | Path) -> Path:
        """Write the SVG to a file and return its path."""
        path = Path(path)
        write_over(path, self.svg.encode(), public=True)
        return path

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.html, "image/svg+xml": self.svg, "text/plain": self.alt}
