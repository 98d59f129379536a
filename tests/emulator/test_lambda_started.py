"""Where the system cannot fork, each worker is a program. The same facts hold for it."""

import pytest
from emulator import (
    test_lambda_environment,
    test_lambda_life,
    test_lambda_logs,
    test_lambda_memory,
    test_lambda_results,
)
from emulator.access_keys import started
from emulator.conftest import client_of, free_port, make_role, state_home

from lottery_lib.emulator.process import control

for module in (
    test_lambda_environment,
    test_lambda_life,
    test_lambda_logs,
    test_lambda_memory,
    test_lambda_results,
):
    facts = {name: fact for name, fact in vars(module).items() if name.startswith(("test_", "environment"))}
    assert not facts.keys() & globals().keys()
    globals().update(facts)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    """An emulator that forks no workers."""
    number = free_port()
    with state_home(tmp_path_factory.mktemp("state")), pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOTTERY_EMULATOR_FORK", "off")
        told = started(number)
        make_role(told["endpoint"])
        yield told
        control.stop(number)


@pytest.fixture(scope="module")
def aws(emulator):
    """`aws("lambda")`: a client."""
    return lambda service, region="us-east-1": client_of(emulator["endpoint"], service, region)


def test_workers_are_started(emulator, function):
    """The emulator itself is the parent of a worker, and says that it starts them."""
    parent = function("import os\ndef lambda_handler(event, context): return os.getppid()")
    assert parent() == emulator["pid"]
    assert emulator["workers"] == "started"
