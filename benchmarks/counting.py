"""Run an emulator that counts the requests of functions and state machines.

``GET /bench/requests`` returns the counts and sets them to zero. Run it as ``counting.py PORT PID``. It ends
with the process PID.
"""

import sys
import threading
from collections import Counter

from lottery_lib.emulator.front import Front
from lottery_lib.emulator.http.messages import Reply, Request
from lottery_lib.emulator.http.replies import json_reply
from lottery_lib.emulator.process import server

_counts: Counter[str] = Counter()
_lock = threading.Lock()
_answer = Front.answer


def answer(front: Front, request: Request) -> Reply:
    """Answer, and count the requests that come with the key of a role; the attendee has another key."""
    if request.path == "/bench/requests":
        with _lock:
            told = {"requests": _counts["requests"], "items": _counts["items"]}
            _counts.clear()
        return json_reply(told)
    reply = _answer(front, request)
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
    Front.answer = answer
    sys.exit(server.run(int(sys.argv[1]), while_pid=int(sys.argv[2])))
