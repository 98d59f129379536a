"""A lottery in a real account, of names that nobody else has; nothing is there before and after."""

import platform
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from aws.lottery import first_draw

from lottery_lib import Stack, connect
from lottery_lib.errors import LotteryError
from lottery_lib.names import EDITIONS
from lottery_lib.target import introduction

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
def target(say, pytestconfig, record_testsuite_property):
    """The account, cleaned before and after."""
    try:
        target = connect("aws", attendee=ATTENDEE)
        say(introduction(target))
        credentials, email = target.session.get_credentials(), pytestconfig.getoption("--aws-email")
        _SECRETS.update({target.identity["Arn"]: "CALLER", target.account: "ACCOUNT", email: "ADDRESS"})
        _SECRETS.update({target.identity["UserId"]: "USER", credentials.access_key: "KEY"})
        _SECRETS.update({str(Path.home()): "~", platform.node(): "HOST"})
        about = {"region": target.region, "partition": target.partition, "python": platform.python_version()}
        for name, value in {**about, "boto3": boto3.__version__}.items():
            record_testsuite_property(name, value)
        clean(target)
    except LotteryError as error:  # nothing can be tested: one sentence, not one for each test
        pytest.exit(str(error), returncode=1)
    try:
        yield target
    finally:
        clean(target)
        say("Nothing is left of the tests in that account.")


def clean(target):
    """Take both editions down."""
    for edition in EDITIONS:
        there = target.named(target.names.in_edition(edition))
        for each in Stack(there, announce=lambda plan: None).teardown().left:
            what = "is still there" if each.ours else "is not the tests' own"
            raise LotteryError(
                f"{each.kind} {each.name}", what, "Look at it in the console, then run this again"
            )


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
    """What a draw of two told."""
    return first_draw(lottery.target)


_LEFT_OUT = []
#: What nobody sends to others, and the word that takes its place.
_SECRETS = {}


@pytest.fixture(scope="session")
def left_out():
    """Sentences for the end of the run: what it did not do as an attendee does it, and why."""
    return _LEFT_OUT


def pytest_terminal_summary(terminalreporter, config):
    """List what was left out. Cut the secrets out of the file of --junit-xml, so that it can be sent."""
    if _LEFT_OUT:
        terminalreporter.section("not as an attendee does it")
    for sentence in _LEFT_OUT:
        terminalreporter.write_line(sentence)
    if config.option.xmlpath:
        file = Path(config.option.xmlpath)
        text = file.read_text(encoding="utf-8")
        for secret in filter(None, _SECRETS):
            text = text.replace(secret, _SECRETS[secret])
        file.write_text(text, encoding="utf-8")
