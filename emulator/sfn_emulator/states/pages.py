"""Give long lists page by page."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from sfn_emulator.http.messages import RefusalError

Item = TypeVar("Item")
_PAGE: Final = 100  # AWS's default


def page_of(items: Sequence[Item], parameters: Mapping[str, Any]) -> tuple[list[Item], dict[str, str]]:
    """The page that a request asks for, and the token of the next page as part of a reply.

    Args:
        items: All items, in order.
        parameters: Those of the request. ``maxResults`` and ``nextToken`` count; 0 means AWS's default.

    Raises:
        RefusalError: AWS did not give out this token.
    """
    try:
        token = parameters.get("nextToken")
        begin = json.loads(base64.urlsafe_b64decode(token)) if token else 0
    except (binascii.Error, ValueError, TypeError):
        begin = None
    if not isinstance(begin, int):
        raise RefusalError("InvalidToken", "Invalid Token: 'Invalid token'")
    end = begin + (int(parameters.get("maxResults") or 0) or _PAGE)
    if end >= len(items):
        return list(items[begin:end]), {}
    return list(items[begin:end]), {"nextToken": base64.urlsafe_b64encode(json.dumps(end).encode()).decode()}
