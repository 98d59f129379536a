"""Ask a port of this machine whether an emulator of ours listens there."""

import http.client
import json
from typing import Any, Final

__all__ = ["HEALTH", "health"]

HEALTH: Final = "/lottery/health"


def health(port: int, *, seconds: float = 2.0) -> dict[str, Any] | None:
    """What the emulator at this port says of itself: ``{"id", "pid", "port", "since", ...}``.

    `http.client` goes straight to the port: no proxy variable is read.

    Returns:
        None when nobody answers within ``seconds``, or somebody else does.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", HEALTH, headers={"Connection": "close"})
        answer = json.loads(connection.getresponse().read(100_000))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return answer if isinstance(answer, dict) and "id" in answer else None
