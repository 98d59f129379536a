"""A page of another site gets nothing from the emulator, whatever it sends. Requests are raw HTTP here."""

import http.client
import json
import socket
import threading

import pytest
from helpers import client_of, emulator_in, signed, state_home
from patience import SECONDS

from sfn_emulator import control
from sfn_emulator.errors import EmulatorError

REQUESTS = [
    ("GET", "/"),
    ("GET", "/_emulator/health"),
    ("GET", "/_emulator/mail/"),
    ("GET", "/_emulator/mail"),
    ("DELETE", "/_emulator/mail"),
    ("POST", "/_emulator/mail/ticket"),
    ("POST", "/"),
    ("POST", "/moto-api/reset"),
    ("GET", "/moto-api/recorder/replay-recording"),
    ("GET", "/2015-03-31/functions/"),
    ("POST", "/2015-03-31/functions/f/invocations"),
    ("PUT", "/bucket"),
    ("PATCH", "/anything"),
    ("OPTIONS", "/"),
    ("HEAD", "/"),
]
CLICK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


class Wire:
    """Sends requests with any headers to an emulator.

    Args:
        told: What `control.start` told about the emulator.
    """

    def __init__(self, told):
        self.told = told
        self.own = f"127.0.0.1:{told['port']}"

    def __call__(self, method, path, *, host=None, key=None, service="sns", body=b"", **headers):
        """The status, the text and the headers of the reply. A name of a header has _ instead of -."""
        connection = http.client.HTTPConnection("127.0.0.1", self.told["port"], timeout=SECONDS)
        connection.putrequest(method, path, skip_host=True)
        sent = {"Host": self.own if host is None else host, "Content-Length": str(len(body))}
        sent |= signed(key, service) if key else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in sent.items():
            if value:
                connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        return reply.status, text, reply.headers

    def owner(self, method, path, **headers):
        """The same with the emulator's access key."""
        return self(method, path, key=self.told["access_key_id"], **headers)


@pytest.fixture
def wire(emulator):
    return Wire(emulator)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:PORT", "127.0.0.1:1", "127.0.0.1", "", "PORT"]
)
@pytest.mark.parametrize(("method", "path"), REQUESTS)
def test_a_foreign_host_is_refused(wire, method, path, host):
    """Not even the access key helps: DNS rebinding shows in Host."""
    status, _, _ = wire.owner(method, path, host=host.replace("PORT", str(wire.told["port"])))
    assert status == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_the_emulators_own_names(wire, host):
    """These may stand in Host, with the emulator's port."""
    assert wire("GET", "/_emulator/health", host=f"{host}:{wire.told['port']}")[0] == 200


FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://localhost"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
    {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize(
    ("method", "path"), [each for each in REQUESTS if each not in (REQUESTS[0], REQUESTS[2])]
)
def test_a_foreign_page_is_refused(wire, method, path, headers):
    """Not even the access key helps: Origin and Sec-Fetch-Site show the page of another site."""
    assert wire.owner(method, path, **headers)[0] == 403


@pytest.mark.parametrize("headers", [*FOREIGN[:4], *FOREIGN[-2:]], ids=str)
@pytest.mark.parametrize("path", ["/", "/_emulator/mail/"])
def test_a_page_is_no_part_of_another(wire, path, headers):
    """Other sites can link to a page, and cannot read it or show it as a picture or in a frame."""
    assert wire("GET", path, **headers)[0] == 403


def test_no_frame_may_hold_the_mailbox(wire):
    """Browsers that do not say what a request is for get told so."""
    policy = wire.owner("GET", "/_emulator/mail/")[2]["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy


def test_own_pages_may_call(wire):
    """The emulator's own pages are not foreign to it."""
    own = {"Origin": f"http://{wire.own}", "Sec_Fetch_Site": "same-origin"}
    assert wire.owner("POST", "/_emulator/mail/ticket", **own)[0] == 200


def test_a_form_of_another_site_cannot_navigate_here(wire):
    """A click passes only if it is a GET."""
    assert wire.owner("POST", "/", body=b"Action=ListTopics", **CLICK)[0] == 403


RECORDING = json.dumps({"method": "POST", "url": "http://x/", "headers": {}, "body": ""}).encode()


@pytest.mark.parametrize("key", [True, False], ids=["with the key", "without"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/moto-api/recorder/upload-recording"),
        ("POST", "/moto-api/recorder/start-recording"),
        ("GET", "/moto-api/recorder/replay-recording"),
        ("POST", "/moto-api/recorder/replay-recording"),
        ("GET", "/moto-api/recorder/download-recording"),
        ("GET", "/moto-api/"),
        ("GET", "/moto-api/data.json"),
        ("GET", "/moto-api/reset"),
        ("POST", "/moto-api/reset-auth"),
        ("POST", "/moto-api/seed?a=1"),
        ("POST", "/moto-api/config"),
        ("POST", "/%6doto-api/seed?a=1"),
        ("POST", "//moto-api/seed?a=1"),
    ],
)
def test_nothing_of_motos_own_interface_is_served(wire, method, path, key):
    """Recorder, dashboard, seed and settings do not exist, not even for the owner."""
    send = wire.owner if key else wire
    assert wire("GET", "/_emulator/health")[0] == 200
    assert send(method, path, body=RECORDING, Content_Type="text/plain")[0] == 404


@pytest.fixture
def subscribed(emulator, aws, topic, mails):
    """A topic with a confirmation mail."""
    aws("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@example.org")
    return topic


@pytest.fixture
def link(wire, subscribed, mails):
    """The path and query of the link in the mail."""
    return mails()[-1]["link"].removeprefix(f"http://{wire.own}")


def test_a_link_in_a_mail_works_from_any_site(wire, link):
    """People click on links in mail programs of other sites. It needs no key, as on AWS."""
    assert wire("GET", link, **{name.replace("-", "_"): value for name, value in CLICK.items()})[0] == 200


def test_a_link_works_through_no_other_name(wire, link):
    """Host is checked for links, too."""
    assert wire("GET", link, host="evil.example")[0] == 403


def test_an_unsubscribe_link_needs_its_token(wire, aws, link, subscribed, mails):
    """Who knows the ARN of a subscription cannot end it without a key."""
    wire("GET", link)
    aws("sns").publish(TopicArn=subscribed, Message="x")
    line = next(line for line in mails()[-1]["text"].splitlines() if "Action=Unsubscribe" in line)
    path = line.removeprefix(f"http://{wire.own}")
    bare, _, _ = path.partition("&Token=")
    assert [wire("GET", each)[0] for each in (bare, f"{path}x", path)] == [400, 400, 200]


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    """An emulator that may be called lab.example.org or 127.0.0.1, and where proxies for it listen."""
    home = tmp_path_factory.mktemp("state")
    with emulator_in(home, allowed_hosts=["lab.example.org", "127.0.0.1"]) as told, state_home(home):
        yield Wire(told)


@pytest.mark.parametrize("host", ["lab.example.org", "lab.example.org:8443", "LAB.example.org"])
def test_an_allowed_host_may_call(proxied, host):
    """`--allow-host` is for a proxy that passes its own name on. Its pages are the emulator's pages."""
    assert proxied("GET", "/_emulator/health", host=host, Origin=f"https://{host}")[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "xlab.example.org", "lab.example.org.evil.example"])
def test_other_hosts_may_not(proxied, host):
    """Only the whole name counts."""
    assert proxied("GET", "/_emulator/health", host=host)[0] == 403


def test_an_allowed_host_needs_the_key(proxied):
    """The name alone opens nothing."""
    assert proxied("POST", "/moto-api/reset", host="lab.example.org")[0] == 403


def test_a_running_emulator_gets_no_new_names(proxied):
    """It says that it has to be stopped first."""
    with pytest.raises(
        EmulatorError, match=r"without --allow-host other.example\. Stop it, then start it again"
    ):
        control.start(proxied.told["port"], allowed_hosts=["other.example"])


@pytest.fixture
def tunnel(request):
    """`tunnel(port)`: another port of this machine that leads to the emulator's, as through an SSH tunnel."""

    def carry(source, sink):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)

    def opened(port):
        listener = socket.create_server(("127.0.0.1", 0))
        request.addfinalizer(listener.close)

        def accept():
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                far = socket.create_connection(("127.0.0.1", port))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=carry, args=pair, daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return listener.getsockname()[1]

    return opened


def test_a_proxy_with_a_name(proxied, tunnel):
    """With --allow-host and the key, a client works through another address."""
    endpoint = f"http://127.0.0.1:{tunnel(proxied.told['port'])}"
    key = {"AccessKeyId": proxied.told["access_key_id"], "SecretAccessKey": "any"}
    assert client_of(endpoint, "sns", key=key).list_topics()["Topics"] == []
