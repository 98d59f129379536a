"""What every test stands on: an emulator of this run's own, and never the attendee's AWS."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the emulator of this run apart from the user's shared one, and end it with the run."""
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        for name in list(os.environ):
            if name.startswith(("AWS_", "LOTTERY_")):
                patch.delenv(name)
        yield folder
        from lottery_lib.emulator import control

        control.stop()


_numbers = itertools.count(1)


@pytest.fixture
def target():
    """A target with resource names of this test's own."""
    from lottery_lib import connect

    return connect("embedded", attendee=f"t{next(_numbers)}")


@pytest.fixture(scope="module")
def stack():
    """A whole lottery, deployed once for a module."""
    from lottery_lib import Stack, connect

    stack = Stack(connect("embedded", attendee=f"m{next(_numbers)}"))
    stack.deploy()
    return stack
