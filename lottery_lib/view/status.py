"""How a status looks in all pictures and widgets: a mark, a colour, a border."""

from typing import Final, NamedTuple

from lottery_lib.translation import _

#: The CSS of text that may hold a name of any length.
WRAPPED: Final = "overflow-wrap: anywhere"


class Look(NamedTuple):
    """A mark and two colours. The mark helps people who cannot see the colours.

    The colours have six digits, because Debian's dot knows no other form.
    """

    mark: str
    fill: str
    border: str


_LOOKS: Final = {
    "": Look("", "#ffffff", "#7d8998"),
    "running": Look("…", "#d3e7f9", "#0972d3"),
    "waiting": Look("‖", "#e6dcf7", "#6b3fa0"),
    "succeeded": Look("✓", "#d4f0d9", "#1d8102"),
    "failed": Look("✗", "#fbd9d6", "#c0271b"),
    "caught": Look("⚠", "#ffe3c2", "#b45f06"),
    "aborted": Look("■", "#dfe3e8", "#545b64"),
}


def look_of(status: str) -> Look:
    """The look of a status of `history.state_table`. Any other word gets the look of no status."""
    return _LOOKS.get(status, _LOOKS[""])


def word_of(status: str) -> str:
    """A status in the attendee's language. The data keep the English word."""
    words = {
        "running": _("running"),
        "waiting": _("waiting"),
        "succeeded": _("succeeded"),
        "failed": _("failed"),
        "caught": _("caught"),
        "aborted": _("aborted"),
        "not entered": _("not entered"),
    }
    return words.get(status, status)


def marked(status: str) -> str:
    """A status with its mark, such as ``"✓ succeeded"``."""
    return f"{look_of(status).mark} {word_of(status)}".strip()


def retried(attempts: int) -> str:
    """How often a state was tried again, such as ``"↻ retried 2 times"``; empty if it was not."""
    if attempts < 2:
        return ""
    return _("↻ retried 1 time") if attempts == 2 else _("↻ retried {count} times", count=attempts - 1)


def badge(status: str) -> str:
    """A status with its mark as HTML, in its colours: they can be read on a light page and on a dark one."""
    look = look_of(status)
    style = f"background: {look.fill}; color: #16191f; border: 1px solid {look.border}"
    return f'<span class="lottery-badge" style="{style}">{marked(status or "not entered")}</span>'
