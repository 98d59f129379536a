"""In which order the services are reset."""

from unittest.mock import MagicMock

from sfn_emulator.http.messages import Reply, Request
from sfn_emulator.process.record import Record
from sfn_emulator.routing import Router


def test_a_reset_stops_the_executions_first(tmp_path):
    """They would fill the other services again."""
    router = Router(Record("id", 1, 1, "now", 0), tmp_path, MagicMock(), enforces_iam=True, access_key="key")
    order = []
    router._services = {
        name: MagicMock(reset=lambda name=name: order.append(name)) for name in router._services
    }
    router._moto = lambda _request: Reply(200)
    signature = "AWS4-HMAC-SHA256 Credential=key/20200101/us-east-1/sns/aws4_request"
    assert router.answer(Request("POST", "/moto-api/reset", {"authorization": signature})).ok
    router.close()
    assert (order[0], {*order}) == ("states", {*router._services})
