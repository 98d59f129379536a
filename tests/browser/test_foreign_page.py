"""A page of another site, in a real Chromium, attacks the emulator.

It is long: it starts a browser of its own, in which a name of the attacker leads to 127.0.0.1.
"""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from browser.conftest import browser_path, script

from lottery_lib import Stack, connect, inbox, winners
from sfn_emulator import control

pytestmark = [pytest.mark.browser, pytest.mark.long]
FETCH = script("fetch_text")
SUBMIT = script("submit_a_form")
RECORDING = json.dumps(
    {"method": "POST", "url": "http://x/", "headers": {}, "body": "Action=CreateTopic&Name=evil"}
)


@pytest.fixture(scope="module")
def lottery():
    """A deployed lottery with a mail that asks for a confirmation."""
    stack = Stack(connect("embedded", attendee="prey"))
    stack.deploy("ann@example.com")
    return stack.target


@pytest.fixture(scope="module")
def site():
    """The port of the attacker's own server."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>evil</title><body>")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def rebound(chromium):
    """A browser for which every name under .example is this machine, as after a DNS rebinding."""
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP *.example 127.0.0.1"]
    # Newer browsers ask the user before a public page may reach this machine. Let it try.
    arguments += ["--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests"]
    browser = chromium.browser_type.launch(executable_path=browser_path(), args=arguments)
    yield browser
    browser.close()


@pytest.fixture
def tab(rebound):
    """A tab of that browser, without cookies."""
    context = rebound.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(params=["evil.example", "localhost"])
def evil(request, tab, site):
    """The tab with the attacker's page, at a public name and at another port of this machine."""
    tab.goto(f"http://{request.param}:{site}/")
    assert tab.title() == "evil"
    return tab


@pytest.fixture
def endpoint(lottery):
    return lottery.endpoint


def test_a_recording_can_be_neither_uploaded_nor_replayed(evil, endpoint, lottery):
    """By fetch the page learns nothing, by a form it gets a refusal; the recorder is not there at all."""
    recorder = f"{endpoint}/moto-api/recorder"
    upload = {"method": "POST", "mode": "no-cors", "body": RECORDING}
    evil.evaluate(FETCH, [f"{recorder}/upload-recording", upload])
    evil.evaluate(FETCH, [f"{recorder}/replay-recording", {"mode": "no-cors"}])
    with evil.expect_navigation() as navigation:
        evil.evaluate(SUBMIT, [f"{recorder}/upload-recording", RECORDING.split(":", 1)])
    assert navigation.value.status == 403
    topics = lottery.client("sns").list_topics()["Topics"]
    assert not any("evil" in topic["TopicArn"] for topic in topics)


def test_no_function_is_called(evil, endpoint, lottery):
    """Lambda's address for a call is of no use to the page."""
    name = lottery.names.function("RecordWinners")
    path = f"{endpoint}/2015-03-31/functions/{name}/invocations"
    event = json.dumps({"winner_details": [{"employee_id": "001"}]})
    call = {"method": "POST", "mode": "no-cors", "headers": {"Content-Type": "text/plain"}, "body": event}
    evil.evaluate(FETCH, [path, call])
    assert len(winners(lottery)) == 0


@pytest.mark.parametrize("path", ["/_emulator/mail", "/_emulator/mail/"])
def test_no_mail_is_read(evil, endpoint, path):
    """Not by fetch, with and without the cookie of somebody who reads the mailbox in the same browser."""
    status, text = evil.evaluate(FETCH, [f"{endpoint}{path}", {"credentials": "include"}])
    assert (status, "Token" in text) == (0, False)


def test_rebinding_shows_nothing(tab, lottery):
    """A page whose own name leads to the emulator gets a refusal for each request, which it can read."""
    port = control.status()["port"]
    page = f"http://rebound.example:{port}/attack"  # from the attacker's own server, before the name moves
    tab.route(page, lambda route: route.fulfill(content_type="text/html", body="<!doctype html>"))
    tab.goto(page)
    for path in ("/_emulator/mail", "/_emulator/mail/", "/_emulator/health", "/2015-03-31/functions/"):
        status, text = tab.evaluate(FETCH, [path, {}])
        assert (status, "does not have the name" in text) == (403, True)
    assert tab.evaluate(FETCH, ["/moto-api/reset", {"method": "POST"}])[0] == 403
    assert inbox(lottery).mails


def test_the_owner_reads_mail_in_the_browser(evil, lottery):
    """A click on the ticket's link opens the mailbox from any page. There, a link confirms the address."""
    link = re.search(r"http://\S+/_emulator/mail/\S+", inbox(lottery).where)[0]
    evil.evaluate(script("add_a_link"), link)
    evil.click("text=mail")
    evil.wait_for_url("**/_emulator/mail/*/")
    assert evil.title() == "Mailbox"
    assert evil.evaluate("document.cookie") == ""
    evil.goto(evil.url)
    evil.click("text=Confirm subscription")
    evil.wait_for_url("**Action=ConfirmSubscription**")
    assert evil.title() == "Subscription confirmed"
    inbox(lottery).clear()
    Stack(lottery).deploy("bob@example.com")
