"""Show a drawing in a notebook, also in one that is not trusted."""

import base64
import html
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

__all__ = ["Picture"]


class Picture:
    """A drawing, made when it is first looked at.

    Args:
        alt: What it shows, in a sentence or two.
        draw: Makes the SVG.
    """

    def __init__(self, alt: str, draw: Callable[[], str]) -> None:
        self.alt = alt
        self._draw = draw

    def __repr__(self) -> str:
        return self.alt

    @cached_property
    def svg(self) -> str:
        """The drawing as SVG.

        Raises:
            LotteryError: The program that draws is not there, or failed.
        """
        return self._draw()

    @property
    def html(self) -> str:
        """The drawing as an image: an untrusted notebook strips inline SVG, but shows an image."""
        data = base64.b64encode(self.svg.encode()).decode()
        image = f'<img alt="{html.escape(self.alt)}" style="max-width:100%" '
        return f'{image}src="data:image/svg+xml;base64,{data}">'

    def save(self, path: str | Path) -> Path:
        """Write the SVG to a file and return its path."""
        path = Path(path)
        path.write_text(self.svg, encoding="utf-8")
        return path

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.html, "image/svg+xml": self.svg, "text/plain": self.alt}
