"""Refuse requests that the web page of another site may have sent.

A page in a browser on this machine can send requests to every port. It can also give its own name the
address 127.0.0.1, and then read the replies (DNS rebinding). The browser's headers show both, and no page can
change them.
"""

import re
from collections.abc import Collection
from typing import Final

from sfn_emulator.http.messages import RefusalError, Request

_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_OWN_SITES: Final = ("none", "same-origin")
_PORT: Final = re.compile(r":\d+$")


class OriginCheck:
    """Decides from its headers whether a request may come in.

    Args:
        port: The emulator's port.
        names: Other names of the emulator, such as a proxy's. A name without a port is valid with every port.
        pages: Matches the paths to which mails and other sites may link.
    """

    def __init__(self, port: int, names: Collection[str], pages: re.Pattern[str]) -> None:
        # Most clients leave out port 80.
        bare = _LOOPBACK if port == 80 else ()
        self._own = frozenset([*bare, *(f"{name}:{port}" for name in _LOOPBACK)])
        self._names = frozenset(name.lower() for name in names)
        self._pages = pages

    def check(self, request: Request) -> None:
        """Refuse a request that may come from the page of another site.

        Raises:
            RefusalError: It is refused.
        """
        headers = request.headers
        if not self._is_ours(headers.get("host", "")):
            next_step = "Use 127.0.0.1 and its port, or start the emulator with --allow-host"
            raise _refusal(f"The emulator does not have the name that is in Host. {next_step}.")
        origin = headers.get("origin")
        # A click on a link sends no Origin.
        from_page = origin is not None and not self._is_ours(origin.partition("://")[2])
        foreign = headers.get("sec-fetch-site", "none") not in _OWN_SITES
        if from_page or (foreign and not self._is_click(request)):
            raise _refusal("The emulator does not answer the pages of other sites.")

    def _is_ours(self, name: str) -> bool:
        name = name.lower()
        return name in self._own or name in self._names or _PORT.sub("", name) in self._names

    def _is_click(self, request: Request) -> bool:
        """Whether somebody clicked on a link to a page."""
        if request.method != "GET" or not self._pages.fullmatch(request.path):
            return False
        headers = request.headers
        purpose = headers.get("sec-fetch-mode", "navigate"), headers.get("sec-fetch-dest", "document")
        return purpose == ("navigate", "document")


def _refusal(message: str) -> RefusalError:
    return RefusalError("AccessDenied", message, 403)
