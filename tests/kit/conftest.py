"""The hardened edition, deployed for tests."""

import uuid

import pytest


@pytest.fixture(scope="module")
def hardened_stack():
    """The hardened edition, deployed once for a module, with a confirmed address on its topic."""
    from lottery_lib import Stack, connect, inbox

    stack = Stack(connect("embedded", attendee=f"h{uuid.uuid4().hex[:8]}", edition="hardened"))
    stack.deploy("ann@example.com")
    inbox(stack.target).confirm("ann@example.com")
    return stack


@pytest.fixture
def hardened(hardened_stack):
    """Where the hardened edition is deployed: ten employees, no winners, no mails.

    A test that changes its functions, its machine or their rights uses `mended`, or repairs them itself.
    """
    from lottery_lib import inbox
    from lottery_lib.employees import tutorial_roster
    from lottery_lib.resources.contents import empty_winners, load_employees

    empty_winners(hardened_stack.target)  # it ends the evenings, too
    load_employees(hardened_stack.target, tutorial_roster())
    inbox(hardened_stack.target).clear()
    return hardened_stack.target


@pytest.fixture
def mended(hardened, hardened_stack):
    """The same, and a deploy repairs it after the test."""
    yield hardened
    hardened_stack.deploy()
