"""Run an emulator that counts the requests of functions and state machines.

``GET /bench/requests`` returns the counts and sets them to zero. Run it as ``counting.py PORT PID``. It ends
with the process PID.
"""

import sys
import threading
from collections import Counter

from sfn_emulator import server
from sfn_emulator.http.messages import Reply, Request
from sfn_emulator.http.replies import json_reply
from sfn_emulator.routing import Router

_counts: Counter[str] = Counter()
_lock = threading.Lock()
_answer = Router.answer


def answer(router: Router, request: Request) -> Reply:
    """Answer, and count the requests that come with the key of a role; the attendee has another key."""
    if request.path == "/bench/requests":
        with _lock:
            told = {"requests": _counts["requests"], "items": _counts["items"]}
            _counts.clear()
        return json_reply(told)
    reply = _answer(router, request)
    if request.scope.access_key.startswith("ASIA"):
        with _lock:
            _counts.update(requests=1, items=items_read(request, reply))
    return reply


def items_read(request: Request, reply: Reply) -> int:
    """How many items DynamoDB read, as AWS bills them: missing items count, too."""
    match request.operation:
        case "GetItem":
            return 1
        case "BatchGetItem":
            return sum(len(asked["Keys"]) for asked in request.json["RequestItems"].values())
        case "Query" | "Scan":
            return int(reply.json.get("ScannedCount", 0))
    return 0


if __name__ == "__main__":
    Router.answer = answer
    sys.exit(server.run(int(sys.argv[1]), while_pid=int(sys.argv[2])))
