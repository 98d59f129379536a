"""On a hub, a browser sees the Jupyter server alone. The kit's pages come through it, and nothing else."""

import hmac
import http.client
import json
import os
import re
import socket
import subprocess
import sys
from contextlib import closing
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urljoin, urlsplit

import psutil
import pytest
import websocket
from helpers import free_port, wait_until
from patience import SECONDS

from lottery_lib import Stack, connect, inbox
from lottery_lib.addresses import PROXY, in_browser

HUB = {"Host": "hub.example", "X-Forwarded-Proto": "https,http"}
PREFIX = "/user/ann/"


class Server:
    """A Jupyter server as a hub starts it, and somebody who is logged in."""

    def __init__(self, port, pid=0):
        self.port, self.pid = port, pid
        self.cookies = {}

    def get(self, path, **headers):
        """The status, the headers and the page at a path, which may be a whole address on the hub."""
        path = path.removeprefix("https://hub.example")
        jar = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        connection.request("GET", path, headers={**HUB, **jar, **headers})
        reply = connection.getresponse()
        for cookie in reply.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return reply.status, reply.headers, reply.read().decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that serves somebody under `/user/ann/`, with the settings of `make install`."""
    folder, port = tmp_path_factory.mktemp("hub"), free_port()
    command = [
        sys.executable,
        "-m",
        "jupyter_server",
        "--no-browser",
        "--allow-root",
        f"--ServerApp.port={port}",
    ]
    command += [f"--ServerApp.base_url={PREFIX}", "--ServerApp.allow_remote_access=True"]
    command += ["--IdentityProvider.token=secret", f"--ServerApp.root_dir={folder}"]
    with (folder / "log").open("w") as log:
        variables = os.environ | {"JUPYTERHUB_SERVICE_PREFIX": PREFIX}
        process = subprocess.Popen(command, env=variables, stdout=log, stderr=log)
    one = Server(port, process.pid)

    def answers():
        try:
            return one.get(f"{PREFIX}tree?token=secret")[0]
        except OSError:
            return None

    try:
        wait_until(answers)
        yield one
    finally:
        process.terminate()
        process.wait(SECONDS)


@pytest.fixture
def behind(monkeypatch):
    """What the server tells its kernels and terminals."""
    monkeypatch.setenv(PROXY, f"https://hub.example{PREFIX}proxy/")


@pytest.fixture
def target():
    """A lottery whose address has not been confirmed yet. Nobody else in this emulator has its names."""
    target = connect(attendee="behind")
    Stack(target).deploy("ann@example.com")
    yield target
    Stack(target).teardown()


def test_the_mailbox_opens_through_the_server(server, behind, target):
    """The link that the kit shows leads to the mailbox, whose mails lead back through the server."""
    link = re.search(r"https://hub\.example\S+ticket=\S+", inbox(target).where)[0]
    status, headers, _ = server.get(link)
    assert status == 303
    status, _, page = server.get(urljoin(link, headers["Location"]))
    confirm = re.search('class="action" href="([^"]+)"', page)[1]  # the newest mail is the first
    assert status == 200
    assert confirm.replace("&amp;", "&") == inbox(target).mails[-1].link
    assert "http://127.0.0.1" not in page


def test_a_link_in_a_mail_works_through_the_server(server, behind, target):
    """A click on the link confirms the subscription."""
    status, _, page = server.get(inbox(target).mails[-1].link)
    assert (status, "Subscription confirmed" in page) == (200, True)
    assert not inbox(target).reaches_nobody


def test_a_foreign_page_gets_nothing_through_the_server(server, behind, target):
    """The emulator sees who asks: a picture on a foreign page cannot confirm anything."""
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    assert server.get(inbox(target).mails[-1].link, **foreign)[0] == 403
    assert inbox(target).reaches_nobody


@pytest.fixture(scope="module")
def other():
    """A page that is not the kit's, such as that of another user, on all addresses of this machine."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"another page")

        def log_message(self, *_):
            pass

    class Everywhere(ThreadingHTTPServer):
        address_family = socket.AF_INET6

    with Everywhere(("::", 0), Page) as web:
        Thread(target=web.serve_forever, daemon=True).start()
        yield web.server_port
        web.shutdown()


@pytest.mark.parametrize("way", ["proxy", "proxy/absolute"])
@pytest.mark.parametrize("host", ["", "localhost:", "127.0.0.1:", "::1:", "[::1]:"])
def test_nothing_else_becomes_reachable(server, other, way, host):
    """A page of another program would count as the server's own, with all rights there. It does not come."""
    status, _, page = server.get(f"{PREFIX}{way}/{host}{other}/")
    assert status != 200
    assert "another page" not in page


def test_who_is_not_logged_in_gets_nothing(server, behind, target):
    """The server asks for its own log-in before it passes anything on."""
    stranger = Server(server.port)
    assert stranger.get(inbox(target).mails[-1].link)[0] == 302
    assert inbox(target).reaches_nobody


@pytest.mark.long("starts the pages of a night behind a server")
def test_the_partys_pages_open_through_the_server(server, behind, tmp_path):
    """`lottery night` prints an address that the browser reaches, and its page knows it."""
    log = tmp_path / "log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "lottery_lib", "night", "--yes"]
        night = subprocess.Popen(
            command, env=os.environ | {"COLUMNS": "200"}, cwd=tmp_path, stdout=out, stderr=out
        )
    try:
        shown = re.compile(r"https://hub\.example\S+token=\S+")
        wait_until(lambda: shown.search(log.read_text()))
        address = urlsplit(shown.search(log.read_text())[0])
        status, headers, page = server.get(f"{address.path}?{address.query}")
        base = re.fullmatch(f"({PREFIX}proxy/absolute/127.0.0.1:[0-9]+/)[^/]{{20,}}/", address.path)[1]
        assert (status, f'data-base="{base}"' in page) == (200, True)
        assert f"Path={address.path}" in " ".join(headers.get_all("Set-Cookie"))
        assert server.get(f"{address.path}stage")[0] == 200
        assert answers_a_page(server, f"{base}link", re.search('data-key="([^"]+)"', page)[1])
        stranger = Server(server.port)
        stranger.get(f"{PREFIX}tree?token=secret")
        assert stranger.get(address.path)[0] == 404  # the page wants its own token, too
    finally:
        night.terminate()
        night.wait(SECONDS)
    assert server.get(address.path)[0] == 403  # the port is free again, for anybody


def answers_a_page(server, path, key):
    """Whether what answers there proves to a page of the hub that it has the key."""
    jar = "; ".join(f"{name}={value}" for name, value in server.cookies.items())
    headers = [f"{name}: {value}" for name, value in HUB.items() if name != "Host"]
    link = websocket.create_connection(
        f"ws://127.0.0.1:{server.port}{path}",
        timeout=SECONDS, host=HUB["Host"], origin="https://hub.example", cookie=jar, header=headers,
    )  # fmt: skip
    with closing(link):
        hello = {"role": "stage", "nonce": "01" * 16, "origin": "https://hub.example"}
        link.send(json.dumps({"hello": hello}))
        said = json.loads(link.recv())
        parts = "\n".join(["server", "stage", hello["origin"], hello["nonce"], said["nonce"], said["start"]])
        return said["proof"] == hmac.new(bytes.fromhex(key), parts.encode(), sha256).hexdigest()


def test_kernels_learn_where_the_browser_is(server):
    """A kernel that starts after somebody opened a page knows the address. Nobody has to configure it."""
    server.get(f"{PREFIX}tree", Accept="text/html")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    connection.request("POST", f"{PREFIX}api/kernels", body="{}", headers={"Authorization": "token secret"})
    assert connection.getresponse().status == 201
    (kernel,) = psutil.Process(server.pid).children()
    assert kernel.environ()[PROXY] == f"https://hub.example{PREFIX}proxy/"


def test_addresses_stay_as_they_are_on_ones_own_machine(monkeypatch):
    """Without a server in between, the browser sees the ports itself."""
    monkeypatch.delenv(PROXY, raising=False)
    assert in_browser("see http://127.0.0.1:5000/page") == "see http://127.0.0.1:5000/page"
