"""What a status is called in all pictures and widgets, and its mark."""

from typing import Final

from lottery_lib.translation import _, ngettext

#: The CSS of text that may hold a name of any length.
WRAPPED: Final = "overflow-wrap: anywhere"


#: A mark helps people who cannot see the colours of `theme`.
_MARKS: Final = {
    "running": "…", "waiting": "‖", "succeeded": "✓", "failed": "✗", "caught": "⚠", "aborted": "■",
}  # fmt: skip


def mark_of(status: str) -> str:
    """The mark of a status of `history.state_table`; empty for any other word."""
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


def badge(status: str) -> str:
    """A status with its mark as HTML. The rules of `theme` give it its colours."""
    return f'<span class="lottery-badge" data-status="{status}">{marked(status or "not entered")}</span>'
