"""A MiniStack of this run's own, and the kit's command line on it."""

import itertools
import json

import emulators
import pytest

from lottery_lib import Stack, connect
from lottery_lib.__main__ import main

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def ministack(tmp_path_factory):
    """Its address."""
    with emulators.ministack(tmp_path_factory.mktemp("ministack")) as address:
        assert address.startswith("http://"), f"{address}: `make test-all` installs it"
        yield address


@pytest.fixture
def run(ministack, monkeypatch, capsys):
    """Run a command as one types it; returns its exit code and its JSON. Each test is another attendee."""
    monkeypatch.setenv("LOTTERY_TARGET", ministack)
    monkeypatch.setenv("LOTTERY_ATTENDEE", f"run{next(_numbers)}")

    def command(*words):
        code = main([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return command


@pytest.fixture(scope="module")
def lottery(ministack):
    """A target with a whole lottery, deployed once for a module."""
    target = connect(ministack, attendee=f"lottery{next(_numbers)}")
    Stack(target).deploy("ann@example.com")
    return target
