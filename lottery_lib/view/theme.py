"""How everything looks: its colours, the mark and the word of each status, and the signs of states."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from lottery_lib.definition import State
from lottery_lib.translation import _, ngettext, punctuated

_CSS: Final = Path(__file__).with_name("picture.css")
#: Where JupyterLab says that the page is dark.
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
#: The words of `tables.state_table` that have colours of their own.
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


#: The CSS of text that may hold a name of any length.
WRAPPED: Final = "overflow-wrap: anywhere"


#: A mark helps people who cannot see the colours.
_MARKS: Final = {
    "running": "…", "waiting": "‖", "succeeded": "✓", "failed": "✗", "caught": "⚠", "aborted": "■",
}  # fmt: skip


def mark_of(status: str) -> str:
    """The mark of a status of `tables.state_table`; empty for any other word."""
    return _MARKS.get(status, "")


def word_of(status: str) -> str:
    """A status in the attendee's language. The data keep the English word."""
    words = {
        "running": _("running"),
        "waiting": _("waiting"),
        "succeeded": _("succeeded"),
        "failed": _("failed"),
        "caught": _("caught"),
        "aborted": _("aborted"),
        "timed out": _("timed out"),
        "not entered": _("not entered"),
    }
    return words.get(status, status)


def marked(status: str) -> str:
    """A status with its mark, such as ``"✓ succeeded"``."""
    return f"{mark_of(status)} {word_of(status)}".strip()


def retried(attempts: int) -> str:
    """How often a state was tried again, such as ``"↻ retried 2 times"``; empty if it was not."""
    if attempts < 2:
        return ""
    times = attempts - 1
    return ngettext("↻ retried 1 time", "↻ retried {count} times", times, count=times)


#: The width and the height of a sign: in its path, and in a drawing.
BOX: Final = 14
SIZE: Final = 12
_CIRCLE: Final = "M7 1.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z"
#: The paths of the signs: types of states, then services.
ICONS: Final[Mapping[str, str]] = {
    "Task": "M7 4.2a2.8 2.8 0 1 0 0 5.6a2.8 2.8 0 1 0 0-5.6zM7 1v1.6M7 11.4V13M1 7h1.6M11.4 7H13"
    "M2.8 2.8l1.1 1.1M10.1 10.1l1.1 1.1M2.8 11.2l1.1-1.1M10.1 3.9l1.1-1.1",
    "Choice": "M7 1.2L12.8 7L7 12.8L1.2 7z",
    "Parallel": "M2.5 1.5v11M7 1.5v11M11.5 1.5v11",
    "Map": "M1.5 5.5h7v7h-7zM4 5.5V3.5h7v7H8.5M6.5 3.5V1.5h6v7h-1.5",
    "Wait": _CIRCLE + "M7 4v3.2l2.2 1.5",
    "Pass": "M1.5 7h11M8.5 3l4 4l-4 4",
    "Succeed": _CIRCLE + "M4.5 7.2l1.9 1.9l3.3-4",
    "Fail": _CIRCLE + "M5 5l4 4M9 5l-4 4",
    "Lambda": "M5.5 1.5c-4.5 0-.5 5-4 5.5c3.5.5-.5 5.5 4 5.5M8.5 1.5c4.5 0 .5 5 4 5.5c-3.5.5.5 5.5-4 5.5",
    "SNS": "M1.5 3h11v8h-11zM1.5 3.5L7 8l5.5-4.5",
    "DynamoDB": "M1.5 2.5h11v9h-11zM1.5 5.5h11M1.5 8.5h11M5.5 5.5v6",
    "Step Functions": "M5 1.5h4v3H5zM1.5 9.5h4v3h-4zM8.5 9.5h4v3h-4zM7 4.5V7M3.5 9.5V7h7v2.5",
}
_SERVICES: Final = {
    "lambda": "Lambda", "sns": "SNS", "dynamodb": "DynamoDB",
    "states": "Step Functions", "sfn": "Step Functions",
}  # fmt: skip
_ARN: Final = re.compile(r"arn:[^:]*:(?:states:[^:]*:[^:]*:(?:aws-sdk:)?)?(\w+)")


def icons_of(state: State) -> Iterator[str]:
    """The names of a state's signs: its type, then the service that it calls, if there is a sign for it."""
    if state.get("Type") in ICONS:
        yield state["Type"]
    if (service := service_of(state)) in ICONS:
        yield service


def service_of(state: State) -> str:
    """The service that a Task calls, such as ``"Lambda"``; empty for other states."""
    resource = str(state.get("Resource", ""))
    if resource.startswith("<"):  # the placeholder of a function
        return "Lambda"
    match = _ARN.match(resource)
    return _SERVICES.get(match[1], match[1]) if match else ""


def kind_of(state: State) -> str:
    """A state's type and service in words, such as ``"Task (Lambda)"``."""
    kind, service = str(state.get("Type", "")), service_of(state)
    return punctuated("{type} ({service})", type=kind, service=service) if service else kind
