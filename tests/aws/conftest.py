"""A lottery in a real account, of names that nobody else has; nothing is there before and after."""

from types import SimpleNamespace

import pytest

from lottery_lib import Stack, connect, draw
from lottery_lib.errors import LotteryError
from lottery_lib.resources.contents import empty_winners
from lottery_lib.target import introduction
from lottery_lib.waiting import Waiter

#: Always the same, so that a run can remove what an earlier one left that was killed.
ATTENDEE = "selftest"


@pytest.fixture(scope="session")
def say(pytestconfig):
    """Write a line for who runs the tests, past pytest's capture."""
    plugins = pytestconfig.pluginmanager

    def written(words):
        with plugins.getplugin("capturemanager").global_and_fixture_disabled():
            plugins.getplugin("terminalreporter").ensure_newline()
            plugins.getplugin("terminalreporter").write_line(words)

    return written


@pytest.fixture(scope="session")
def target(say):
    """The account, cleaned before and after."""
    try:
        target = connect("aws", attendee=ATTENDEE)
        say(introduction(target))
        clean(target)
    except LotteryError as error:  # nothing can be tested: one sentence, not one for each test
        pytest.exit(str(error), returncode=1)
    try:
        yield target
    finally:
        clean(target)
        say("Nothing is left of the tests in that account.")


def clean(target):
    for each in Stack(target, announce=lambda plan: None).teardown().left:
        what = "is still there" if each.ours else "is not the tests' own"
        raise LotteryError(f"{each.kind} {each.name}", what, "Look at it in the console, then run this again")


@pytest.fixture(scope="session")
def lottery(target, say):
    """A lottery that was deployed as an attendee does it, and what was seen meanwhile."""
    announced = []
    stack = Stack(target, lambda each: say(f"{each.state}: {each.kind} {each.name}"), announced.extend)
    planned, after_the_plan = stack.plan(), stack.status()
    done = stack.deploy()
    return SimpleNamespace(
        target=target, planned=planned, after_the_plan=after_the_plan, announced=announced, done=done
    )


@pytest.fixture(scope="session")
def drawn(lottery):
    """What a draw of two told, once one was not refused: the rights of new roles are not live at once."""

    def drawn():
        empty_winners(lottery.target)  # a draw that failed may have recorded somebody
        told = draw(lottery.target, 2)
        return None if "may not hold everywhere yet" in str(told["cause"]) else told

    return Waiter().until("the rights of the new roles to hold", drawn, seconds=300, every=15)
