"""Cut a history into the pages that GetExecutionHistory gives; pure."""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, Final

__all__ = ["page_of"]

_DEFAULT: Final = 100


def page_of(
    events: Sequence[dict[str, Any]], *, size: int, token: str | None, newest_first: bool
) -> dict[str, Any] | None:
    """One page.

    Args:
        events: The whole history, oldest first.
        size: ``maxResults``; 0 for AWS's default of 100.
        token: ``nextToken`` of the page before.
        newest_first: ``reverseOrder``.

    Returns:
        ``{"events"}``, with ``"nextToken"`` when there are more; None when the token is not one of ours.
    """
    try:
        begin, order = json.loads(base64.urlsafe_b64decode(token)) if token else (0, newest_first)
    except (binascii.Error, ValueError, TypeError):
        return None
    if order != newest_first or not isinstance(begin, int):
        return None
    end = begin + (size or _DEFAULT)
    count = len(events)  # once: a running execution grows
    part = events[max(count - end, 0) : max(count - begin, 0)][::-1] if newest_first else events[begin:end]
    page: dict[str, Any] = {"events": part}
    # A running execution grows; counted from its end, what was seen would be seen again. AWS has that, too.
    if end < count:
        page["nextToken"] = base64.urlsafe_b64encode(json.dumps([end, newest_first]).encode()).decode()
    return page
