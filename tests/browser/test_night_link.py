"""Somebody else takes the port of the evening's pages while their server does not run.

The pages say that they have lost their program. They show nothing that the other server says, and tell it
neither their path nor their cookie. When the right server is there again, they go on.
"""

import asyncio
import json
import threading
from contextlib import contextmanager

import pytest
import tornado.web
import tornado.websocket
from browser.conftest import PATIENCE
from helpers import wait_until
from night_server import Link, serving
from patience import SECONDS
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
LOST = "One moment, please"
#: What a thief says at once, without a proof: as if it had given one, and with a wrong one.
FORGED = [
    {"nonce": "00", "start": "00", "proof": "0" * 64},
    {"path": "/forged/", "cookie": "forged=1; path=/"},
    {"news": {"title": "Forged", "scene": {"kind": "opening", "prizes": [], "words": ["Forged"]}}},
    {"news": {"lost_link": False}},
]


class Thief:
    """A server that answers whatever it is asked, and keeps all requests and messages.

    Args:
        says: What it tells a page at once.
        real: The right server at another port, to which it passes on what pages say.
    """

    def __init__(self, says=(), real=None):
        self.requests, self.messages, self.links = [], [], []
        thief = self

        class Anything(tornado.websocket.WebSocketHandler):
            async def get(self, *given, **named):
                thief.requests.append(f"{self.request.uri}\n{self.request.headers}")
                if self.request.headers.get("Upgrade"):
                    await super().get(*given, **named)
                else:
                    self.set_cookie("forged", "1")
                    self.finish("Forged")

            def check_origin(self, origin):
                return True

            def open(self, *_given):
                self.link = None
                thief.links.append(self)
                for each in says:
                    self.write_message(json.dumps(each))

            def on_message(self, message):
                self.said = json.loads(message)
                thief.messages.append(self.said)
                if real and not self.link:
                    self.link = Link(real)
                    hello = json.loads(message)["hello"]
                    self.link.say({"hello": {**hello, "origin": self.link.origin}})
                    self.write_message(json.dumps(self.link.next()))

            def on_close(self):
                thief.messages.append("closed")

        self.application = tornado.web.Application([(".*", Anything)])

    @contextmanager
    def at(self, port):
        """Answer at that port."""
        ready, ends = threading.Event(), []

        async def run():
            over, loop = asyncio.Event(), asyncio.get_running_loop()
            self.loop = loop
            ends.append(lambda: loop.call_soon_threadsafe(over.set))
            self.server = server = self.application.listen(port, "127.0.0.1")
            ready.set()
            await over.wait()
            server.stop()
            await server.close_all_connections()

        thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        thread.start()
        assert ready.wait(SECONDS)
        yield self
        ends[0]()
        thread.join(SECONDS)

    def leave(self):
        """Give the port back, and keep the links that pages have opened."""
        left = threading.Event()
        self.loop.call_soon_threadsafe(lambda: (self.server.stop(), left.set()))
        assert left.wait(SECONDS)

    def pass_on(self, real):
        """Tell a server what the pages of these links have said, and each page what it answers."""
        for page in self.links:
            if page.ws_connection:
                link = Link(real)
                link.say(page.said)
                self.loop.call_soon_threadsafe(page.write_message, json.dumps(link.next()))

    def tried(self):
        """How many pages have ended their link after they heard its proof."""
        return self.messages.count("closed")


@pytest.fixture
def pages(monkeypatch, own_home, chromium):
    """Both pages of an evening whose server has just ended: the pages, and what the server was."""
    window = chromium.new_context()
    window.set_default_timeout(PATIENCE)
    operator = window.new_page()
    with serving(monkeypatch) as served:
        served.night.show(question={"number": 1, "title": "Announce this?", "yes": "Yes"})
        operator.goto(served.address)
        with operator.expect_popup() as opened:
            operator.get_by_role("link", name="Open the stage").dispatch_event("click")
        stage = opened.value
        for page in (operator, stage):
            expect(page.locator(".lottery-stage")).to_contain_text("Bicycle")
        expect(operator.locator(".card")).to_contain_text("Announce this?")
    for page in (operator, stage):
        expect(page.get_by_text(LOST)).to_be_visible()
    yield (operator, stage), served
    window.close()


def assert_nothing_told(thief, served):
    """It has heard a hello of each page, and no proof, no cookie, and not the path."""
    told = json.dumps([thief.requests, thief.messages])
    for secret in (served.door.path.strip("/"), served.door.cookie, served.door.token, served.key.hex()):
        assert secret not in told
    assert "cookie" not in told.lower()
    heard = [each for each in thief.messages if each != "closed"]
    assert {each["hello"]["role"] for each in heard} == {"operator", "stage"}
    assert all(set(each["hello"]) == {"role", "nonce", "origin"} for each in heard)


def assert_nothing_shown(pages, served, window_cookies):
    for page in pages:
        expect(page.get_by_text(LOST)).to_be_visible()
        expect(page.locator(".lottery-stage")).to_contain_text("Bicycle")
        assert "Forged" not in page.locator("body").inner_text()
        assert served.door.path in page.url
    assert "forged" not in {each["name"] for each in window_cookies}


def test_a_thief_of_the_port_gets_and_shows_nothing(monkeypatch, pages):
    """Another server answers anything at once. Then the right one comes back, and the pages go on."""
    both, served = pages
    with Thief(FORGED).at(served.port) as thief:
        wait_until(lambda: thief.tried() >= 6)
        assert_nothing_shown(both, served, both[0].context.cookies())
    assert_nothing_told(thief, served)
    with serving(monkeypatch, port=served.port) as again:
        for page in both:
            expect(page.get_by_text(LOST)).to_be_hidden()
        expect(both[0].locator(".card")).to_be_hidden()  # the question was of the server before
        wait_until(lambda: both[0].url.endswith(again.door.path))
        assert both[1].url.endswith(f"{again.door.path}stage")
        for page in both:
            page.reload()
            expect(page.locator(".lottery-stage")).to_contain_text("Bicycle")


def test_another_evening_at_the_port_is_not_shown(monkeypatch, pages):
    """The server of another evening has another key: it proves nothing to these pages, nor they to it."""
    both, served = pages
    with serving(monkeypatch, "winter", served.port) as winter:
        winter.night.show(title="Winter party")
        with winter.link() as link:
            link.news()
        for page in both:
            with page.expect_websocket() as opened:  # it tries once more
                pass
            opened.value.wait_for_event("close")
        assert_nothing_shown(both, served, both[0].context.cookies())
        assert winter.night.said == []
        assert winter.door.path not in both[0].url


def test_a_thief_between_a_page_and_the_server_gets_nothing(monkeypatch, pages):
    """The server is at another port now, and who has the old one passes on what both say.

    The proof of the server is for its own site. So the page, whose site is the old port, believes nothing.
    """
    both, served = pages
    with serving(monkeypatch, port=served.port + 1) as real:
        assert real.key == served.key
        with Thief(real=real).at(served.port) as thief:
            wait_until(lambda: thief.tried() >= 4)
            assert_nothing_shown(both, served, both[0].context.cookies())
        assert_nothing_told(thief, served)
        assert real.night.said == []


def test_a_thief_who_keeps_links_gets_nothing(monkeypatch, pages):
    """They took the port, gave it back, and pass on to the server what pages told them before it came.

    So the proof is for the right site. The pages learn who has the port now, and open a link to them.
    """
    both, served = pages
    with Thief().at(served.port) as thief:
        wait_until(lambda: len([each for each in thief.messages if each != "closed"]) >= 2)
        thief.leave()
        with serving(monkeypatch, port=served.port) as real:
            thief.pass_on(real)
            for page in both:
                expect(page.get_by_text(LOST)).to_be_hidden()
            wait_until(lambda: both[0].url.endswith(real.door.path))
        assert_nothing_told(thief, served)
        assert real.door.path.strip("/") not in json.dumps(thief.messages)
