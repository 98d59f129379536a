"""A target by itself, without any AWS."""

import time
from concurrent.futures import ThreadPoolExecutor

from lottery_lib.names import Names
from lottery_lib.target import elsewhere


def test_threads_share_a_client(monkeypatch):
    """Two threads that ask for a service at the same time get the same client, which is made once."""
    target = elsewhere("123456789012", "us-east-1", Names())
    make = target.session.client

    def slow(*arguments, **settings):
        time.sleep(0.1)
        return make(*arguments, **settings)

    monkeypatch.setattr(target.session, "client", slow)
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(target.client, ["sts", "sts"])
    assert first is second
