"""Where the system cannot fork, each worker is a program. The same facts hold for it.

Most are long: only how a worker begins and ends differs, and `SHORT` names the facts about that.
"""

import sys
from functools import update_wrapper
from types import FunctionType

import pytest
import test_lambda_code
import test_lambda_environment
import test_lambda_life
import test_lambda_logs
import test_lambda_memory
import test_lambda_orphans
import test_lambda_results
from helpers import client_of, free_port, make_role, started, state_home

from sfn_emulator import control

FIXTURES = {"environment", "secretive", "unpacked"}
SHORT = {
    "test_the_runtimes_variables_are_there",
    "test_nothing_of_the_users_is_there",
    "test_module_globals_survive_between_warm_calls",
    "test_a_time_out_ends_the_handlers_children",
    "test_each_call_has_its_own_output",
    "test_too_much_memory_kills",
    "test_a_time_out_is_said_and_the_next_call_works",
}


def long(fact):
    """The same test with one mark more."""
    twin = FunctionType(fact.__code__, fact.__globals__, fact.__name__, fact.__defaults__, fact.__closure__)
    return pytest.mark.long(update_wrapper(twin, fact))


for module in (
    *([test_lambda_orphans] if sys.platform == "linux" else []),
    test_lambda_code,
    test_lambda_environment,
    test_lambda_life,
    test_lambda_logs,
    test_lambda_memory,
    test_lambda_results,
):
    facts = {name: fact for name, fact in vars(module).items() if name.startswith("test_")}
    assert not facts.keys() & globals().keys()
    globals().update({name: fact if name in SHORT else long(fact) for name, fact in facts.items()})
    globals().update({name: value for name, value in vars(module).items() if name in FIXTURES})
assert globals().keys() >= SHORT | FIXTURES


@pytest.fixture(scope="module", autouse=True)
def emulator(tmp_path_factory):
    """An emulator that forks no workers."""
    number = free_port()
    with state_home(tmp_path_factory.mktemp("state")), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SFN_EMULATOR_FORK", "off")
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

    def lambda_handler(event, context):
        import os

        return os.getppid()

    assert function(lambda_handler)() == emulator["pid"]
    assert emulator["workers"] == "started"
