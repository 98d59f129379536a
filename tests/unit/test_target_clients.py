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


def test_settings_are_chosen_once():
    """Every client asks five times at most, in botocore's standard mode, and gives up on silence."""
    target = elsewhere("123456789012", "us-east-1", Names())
    services = ("iam", "lambda", "sns", "dynamodb", "stepfunctions", "logs", "sts")
    for client in [*map(target.client, services), target.plain_dynamodb()]:
        config = client.meta.config
        assert config.retries == {"mode": "standard", "total_max_attempts": 5}
        assert (config.connect_timeout, config.read_timeout) == (5, 60)
