"""A target by itself, without any AWS."""

import time
from concurrent.futures import ThreadPoolExecutor

from botocore.stub import Stubber

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


def test_a_boundary_is_an_argument_only_if_it_exists():
    """`CreateRole` gets the attendee's boundary if an administrator has created it, else nothing."""
    target = elsewhere("123456789012", "us-east-1", Names("alice"))
    arn = "arn:aws:iam::123456789012:policy/Lottery-Boundary-alice"
    with Stubber(target.kit_client("iam")) as iam:
        iam.add_client_error("get_policy", "NoSuchEntity", expected_params={"PolicyArn": arn})
        iam.add_response("get_policy", {"Policy": {"Arn": arn}}, {"PolicyArn": arn})
        assert [target.boundary for _ in range(2)] == [{}, {"PermissionsBoundary": arn}]
