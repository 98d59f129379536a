"""What every test stands on: an emulator of this run's own, and the attendee's AWS only with `--aws`."""

import gc
import itertools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

pytest_plugins = ["emulator_fixtures"]
# As in an activated environment, and as in JupyterLab.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
# The tests read English, whatever the developer's language. A notebook has that of its folder.
os.environ["LANGUAGE"] = "en"
os.environ.pop("LOTTERY_LANG", None)
# A busy machine may take a second for any example. The long run tries more of them.
settings.register_profile("kit", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=300)
settings.load_profile("kit")
# With this package, jsonschema also checks the addresses in notebooks. There are none. Each process
# that reads a notebook needs two seconds to import it.
sys.modules["rfc3987_syntax"] = None
# Most objects of a test run live long, such as AWS's models. Fewer collections take a twelfth less time.
gc.set_threshold(50_000, 50, 100)
#: Long files whose tests do not build on each other.
SPREAD = {"tests/browser/test_draw_night.py", "tests/notebooks/test_checks.py"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--aws", action="store_true", help="run the tests in your AWS account, and these alone")
    parser.addoption(
        "--aws-email", metavar="ADDRESS", help="with --aws: your address. You open a link in a mail"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--aws") and config.getoption("numprocesses", None):
        raise pytest.UsageError("The tests in a real account share one lottery: leave -n out")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Spare those who ask for the tests in a real account the import of all others."""
    other = collection_path.parent == Path(__file__).parent and collection_path.name != "aws"
    return True if other and config.getoption("--aws") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select the tests in a real account only when they are asked for, whatever else is, and then alone."""
    selected, others = [], []
    for item in items:
        asked_for = (item.get_closest_marker("aws") is not None) == config.getoption("--aws")
        (selected if asked_for else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = selected


def pytest_sessionfinish() -> None:
    """Nothing has to be collected any more. pytest and IPython would do it for a second at the end."""
    gc.freeze()


class ByFile(LoadFileScheduling):
    """Gives a process one file after the other; of the files in `SPREAD`, one test after the other."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return nodeid if file in SPREAD else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    """Deal out the tests if ``--dist loadfile`` was asked for."""
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Path]:
    """Keep the emulator of this run apart from the user's shared one, and end it with the run."""
    folder = tmp_path_factory.mktemp("state")
    forgotten = ("LOTTERY_",) if pytestconfig.getoption("--aws") else ("AWS_", "LOTTERY_")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        for name in list(os.environ):
            if name.startswith(forgotten):
                patch.delenv(name)
        patch.setenv("LOTTERY_EMULATOR_CLOCK", "skipping")  # nobody waits for a Retry; nbval does, as on AWS
        yield folder
        from sfn_emulator import control

        control.stop()


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def connection(own_state):
    """One connection for all tests of a process. Its clients take longer to make than to use."""
    from lottery_lib import connect

    return connect("embedded")


@pytest.fixture
def time_stands(connection):
    """Makes a block in which no Wait ends, and no interval of a Retry."""
    from helpers import clock

    from sfn_emulator import status

    told = status()

    @contextmanager
    def stand():
        clock(told["endpoint"], told["access_key_id"], hold=True)
        try:
            yield
        finally:
            clock(told["endpoint"], told["access_key_id"], hold=False)

    return stand


@pytest.fixture
def target(connection):
    """A target with resource names of this test's own."""
    from lottery_lib.target import connected_again

    return connected_again(connection).named(replace(connection.names, attendee=f"t{next(_numbers)}"))


@pytest.fixture
def new_connection(target):
    """The same target with clients and a log of calls of its own."""
    from lottery_lib import connect

    return connect("embedded", attendee=target.names.attendee)


@pytest.fixture(scope="module")
def stack(connection):
    """A whole lottery, deployed once for a module."""
    from lottery_lib import Stack
    from lottery_lib.target import connected_again

    names = replace(connection.names, attendee=f"m{next(_numbers)}")
    stack = Stack(connected_again(connection).named(names))
    stack.deploy()
    return stack
