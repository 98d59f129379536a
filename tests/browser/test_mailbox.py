"""The emulator's mailbox, in a real browser: it fits, and people with weak eyes can read it."""

import re

import pytest
from browser.conftest import misfits, violations

from lottery_lib import Stack, connect, inbox

pytestmark = pytest.mark.browser
ADDRESS = "ann.with.a.long.name@department.example.com"


@pytest.fixture(scope="module")
def subscribed():
    """A lottery with a mail that asks for a confirmation, and a mail for the winners."""
    target = connect(attendee="a-long-name-of-an-attendee")
    Stack(target).deploy(ADDRESS)
    inbox(target).confirm(ADDRESS)
    topic = {"TopicArn": target.arn("sns", target.names.topic)}
    target.client("sns").publish(**topic, Subject="W" * 100, Message="Congratulations, " + "2" * 300)
    yield target
    Stack(target).teardown()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_mailbox_fits_and_can_be_read(page, subscribed, picture, width, scheme):
    """Nothing is wider than the window, however long a link is, and axe finds no violation."""
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.goto(re.search(r"http://\S+/_emulator/mail/\S+", inbox(subscribed).where)[0])
    assert page.get_by_role("article").count() >= 2
    picture(page, f"mailbox_{width}_{scheme}")
    assert misfits(page.locator("html"), more=0) == []
    assert violations(page) == []


def test_the_page_of_a_link_can_be_read(page, subscribed):
    """The page that a link of a mail opens has the same style, and axe finds no violation."""
    page.goto(inbox(subscribed).mails[0].link)
    assert page.get_by_role("heading", name="Subscription confirmed").is_visible()
    assert violations(page) == []
