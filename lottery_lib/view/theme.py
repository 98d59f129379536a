"""The colours of all pictures and widgets, each with its twin for a dark page."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

_CSS: Final = Path(__file__).with_name("picture.css")
#: Where JupyterLab and Voila say that the page is dark.
DARK: Final = '[data-jp-theme-light="false"]'


class Colour(NamedTuple):
    """A colour on a light page, and on a dark one. Both have six digits, as Debian's `dot` needs them."""

    light: str
    dark: str


#: By their names in CSS. The dark grounds of JupyterLab are ``#111111`` and ``#212121``.
COLOURS: Final[Mapping[str, Colour]] = {
    "ground": Colour("#ffffff", "#16191f"),
    "text": Colour("#16191f", "#eceff2"),
    "quiet": Colour("#545b64", "#b3bcc6"),
    "wire": Colour("#545b64", "#b3bcc6"),
    "rule": Colour("#dfe3e8", "#3a424c"),
    "soft": Colour("#f2f4f6", "#262c33"),
    "accent": Colour("#0667c0", "#6cb2f2"),
    "idle-fill": Colour("#ffffff", "#1f242b"),
    "idle-border": Colour("#66717e", "#8894a2"),
    "running-fill": Colour("#d3e7f9", "#10314e"),
    "running-border": Colour("#0972d3", "#58a6ee"),
    "waiting-fill": Colour("#e6dcf7", "#322250"),
    "waiting-border": Colour("#6b3fa0", "#b092e4"),
    "succeeded-fill": Colour("#d4f0d9", "#14371c"),
    "succeeded-border": Colour("#1d8102", "#53b948"),
    "failed-fill": Colour("#fbd9d6", "#4c1a18"),
    "failed-border": Colour("#c0271b", "#f1746b"),
    "caught-fill": Colour("#ffe3c2", "#452a08"),
    "caught-border": Colour("#b45f06", "#e89b45"),
    "aborted-fill": Colour("#dfe3e8", "#343a42"),
    "aborted-border": Colour("#545b64", "#a3adb8"),
}
#: The words of `history.state_table` that have colours of their own.
STATUSES: Final = ("running", "waiting", "succeeded", "failed", "caught", "aborted")


@cache
def picture_css(dark: str = "@media (prefers-color-scheme: dark)") -> str:
    """The rules for everything in an element of the class ``lottery-picture``.

    Args:
        dark: When the page is dark: an at-rule, or a selector. A picture in a file or in an ``img`` can
            only see what the reader, or the page around it, prefers.
    """
    scope = ".lottery-picture"
    light, black = (
        "".join(f"--lottery-{name}:{colour[theme]};" for name, colour in COLOURS.items()) for theme in (0, 1)
    )
    twin = f"{dark}{{{scope}{{{black}}}}}" if dark.startswith("@") else f"{dark} {scope}{{{black}}}"
    by_status = "".join(
        f"{scope} [data-status={status}]"
        f"{{--fill:var(--lottery-{status}-fill);--border:var(--lottery-{status}-border)}}"
        for status in STATUSES
    )
    return f"{scope}{{{light}}}{twin}{by_status}{_CSS.read_text(encoding='utf-8')}"


def root_css() -> str:
    """The colours for a page of their own, as `--text` and so on. A dark page is what the reader prefers."""
    light, black = (
        "".join(f"--{name}:{colour[theme]};" for name, colour in COLOURS.items()) for theme in (0, 1)
    )
    return f":root{{{light}}}@media (prefers-color-scheme: dark){{:root{{{black}}}}}"
