"""What is written to moto's backends directly is what a reader of moto's API finds there."""

from types import SimpleNamespace

import pytest
from moto.logs.models import logs_backends

from sfn_emulator.http.messages import ACCOUNT
from sfn_emulator.storage.backends import put_log_events

LINE = [{"timestamp": 1, "message": "drawn"}]


@pytest.fixture
def group():
    backend = logs_backends[ACCOUNT]["eu-west-3"]
    backend.create_log_group("draws", {})
    yield backend.groups["draws"]
    backend.delete_log_group("draws")


def put(name="draws", *, new_stream=True):
    return put_log_events("eu-west-3", name, "one", LINE, new_stream=new_stream)


def test_a_line_is_stored_in_a_new_stream_and_in_an_old_one(group):
    assert put()
    assert put(new_stream=False)
    assert group.streams["one"].upload_sequence_token == 2


def test_a_missing_group_or_stream_is_told(group):
    assert not put("no such group")
    assert not put(new_stream=False)
    assert group.streams == {}


def test_a_filter_that_fails_is_printed_and_the_line_is_stored_once(group, capsys):
    gone = f"arn:aws:logs:eu-west-3:{ACCOUNT}:log-group:gone:*"
    group.subscription_filters["all"] = SimpleNamespace(name="all", destination_arn=gone)

    assert put()

    assert "ResourceNotFoundException" in capsys.readouterr().err
    assert group.streams["one"].upload_sequence_token == 1


def test_an_unknown_region_does_not_end_the_writer():
    assert put_log_events("nowhere-1", "draws", "one", LINE, new_stream=True)
