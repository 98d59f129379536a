"""Give long lists page by page."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from sfn_emulator.http.messages import RefusalError
from sfn_emulator.http.replies import violation

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
    begin, end = bounds_of(given, size, most, name=name)
    return list(items[begin:end]), token_of(end, name=name) if end < len(items) else {}


def bounds_of(
    given: Mapping[str, Any],
    size: str = "maxResults",
    most: int = 100,
    *,
    name: str = "nextToken",
    order: bool = False,
) -> tuple[int, int]:
    """Where the page that a request asks for begins, and where it ends at the latest.

    Args:
        given: As for `page_of`, and so are `size` and `most`.
        size: The parameter that says how many items a page has.
        most: How many it has if the parameter is not there, or 0.
        name: The name of the token.
        order: The order of the list. A token is valid for one order only.

    Raises:
        RefusalError: AWS did not give out this token, or a page cannot have so many items.
    """
    try:
        begin, its_order = map(int, base64.urlsafe_b64decode(given.get(name) or f"{_code(0, order)}").split())
    except (TypeError, ValueError):
        raise RefusalError(*_REFUSALS[name]) from None
    if its_order != order:
        raise RefusalError(*_REFUSALS[name])
    if (count := int(given.get(size) or most)) < 0:
        place = f"{size[:1].lower()}{size[1:]}"
        fault = violation(place, "have value greater than or equal to 1", count)
        raise RefusalError("ValidationException", fault)
    return begin, begin + count


def token_of(begin: int, *, name: str = "nextToken", order: bool = False) -> dict[str, str]:
    """The token of the page that begins here, as part of a reply."""
    return {name: _code(begin, order)}


def _code(begin: int, order: bool) -> str:
    return base64.urlsafe_b64encode(f"{begin} {order:d}".encode()).decode()
