"""The fixture `sfn_emulator` for pytest, which finds this module as an entry point."""

from collections.abc import Iterator

import pytest

from sfn_emulator.running import Emulator, running


@pytest.fixture(scope="session")
def sfn_emulator() -> Iterator[Emulator]:
    """An emulator for all tests of a process; with pytest-xdist, each worker has its own.

    To give it settings, write a fixture of the same name that uses `sfn_emulator.running`.
    """
    with running() as emulator:
        yield emulator
