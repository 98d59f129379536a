"""Give long lists page by page."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from sfn_emulator.http.messages import RefusalError

Item = TypeVar("Item")
_REFUSALS: Final = {
    "nextToken": ("InvalidToken", "Invalid Token: 'Invalid token'"),
    "NextToken": ("InvalidNextToken", "The next token specified is invalid."),
}


def page_of(
    items: Sequence[Item], given: Mapping[str, Any], size: str = "maxResults", most: int = 100
) -> tuple[list[Item], dict[str, str]]:
    """The page that a request asks for, and the token of the next page as part of a reply.

    Args:
        items: All items, in order.
        given: The parameters of the request.
        size: The parameter that says how many items a page has. The token's name begins like this one.
        most: How many it has if the parameter is not there, or 0.

    Raises:
        RefusalError: AWS did not give out this token.
    """
    name = "nextToken" if size[0].islower() else "NextToken"
    try:
        begin = int(base64.urlsafe_b64decode(given.get(name) or b"MA=="))
    except (TypeError, ValueError):
        raise RefusalError(*_REFUSALS[name]) from None
    end = begin + int(given.get(size) or most)
    more = {name: base64.urlsafe_b64encode(str(end).encode()).decode()} if end < len(items) else {}
    return list(items[begin:end]), more
