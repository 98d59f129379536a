"""Another user of the machine reads and presses nothing at JupyterLab and the night's pages.

`neighbour.py` attacks as the user `nobody` if root runs the tests. Otherwise it attacks as the same user. For
what only a real other user can show, there is the mark `root`.
"""

import http.client
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psutil
import pytest
import zmq
from helpers import free_port, wait_until
from jupyter_client import BlockingKernelClient
from patience import SECONDS
from started import lottery_night, make_lab

from lottery_lib import Stack, connect, inbox
from sfn_emulator import control

NEIGHBOUR = Path(__file__).parents[1] / "neighbour.py"
DEPLOY = """
from lottery_lib import Stack, connect, draw
target = connect(attendee="heard", edition="tutorial")
Stack(target).deploy();
"""
DRAW = "draw(target, 2)['winners']"
MORE = pytest.mark.long("starts one more server")
#: Where a page of ours would be without its secret path, and other paths.
KNOWN = [
    "/x/",
    "/%2e%2e/",
    "/favicon.ico",
    "/",
    "/lab",
    "/login",
    "/api/status",
    "/api/kernels",
    "/api/contents",
    "/stage",
]


@contextmanager
def neighbour(*words, told=None):
    """The process of an attacker, who has begun. At the end of its stdin it prints what it got."""
    command = [sys.executable, str(NEIGHBOUR), *words]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={}
    ) as process:
        if told is not None:
            process.stdin.write(json.dumps(told) + "\n")
            process.stdin.flush()
        yield process


def answer(*words, told):
    """What an attacker says who needs no time."""
    with neighbour(*words, told=told) as process:
        return json.loads(process.communicate(timeout=SECONDS)[0])


@pytest.fixture(scope="module")
def home():
    """The home of a careless user: everybody may enter it, and may read and change new files."""
    before = os.umask(0)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
    os.umask(before)


@pytest.fixture(scope="module")
def servers(home):
    """What starts one of the servers, once, and in a lab a kernel, in which a lottery is deployed."""
    running = {}
    with ExitStack() as stack:

        def start(name):
            if name not in running:
                (folder := home / name).joinpath(".local/share/jupyter/runtime").mkdir(parents=True)
                server = stack.enter_context(starts(name, folder))
                if name != "night":
                    wait_until(server.kernels)
                    run(server, DEPLOY)
                running[name] = server
            return running[name]

        yield start


@contextmanager
def starts(name, folder):
    if name == "night":
        with lottery_night(folder) as night:
            yield night
    else:
        # The path of a socket has at most some hundred letters.
        runtime = (
            {"JUPYTER_RUNTIME_DIR": str(folder / ("long" * 20))} if name == "lab with a long path" else {}
        )
        with make_lab("lab", folder, **runtime) as lab:
            lab.ask("api/kernels", "POST")
            yield lab


@pytest.fixture(params=["lab", "night"])
def server(request, servers):
    return servers(request.param)


def run(server, code):
    """Run code in the server's kernel, as the owner; returns all messages that the kernel sends, as text."""
    ((_, file),) = server.kernels().items()
    client, heard = BlockingKernelClient(connection_file=str(file)), []
    client.load_connection_file()
    client.start_channels(hb=False)  # a busy kernel that beats late would count as dead
    try:
        client.wait_for_ready(60)
        reply = client.execute_interactive(
            code, timeout=SECONDS, output_hook=lambda each: heard.append(str(each))
        )
    finally:
        client.stop_channels()
    assert reply["content"]["status"] == "ok", heard
    return "".join(heard)


def ports(*processes):
    """The ports at which these processes listen."""
    each = [connection for process in processes for connection in process.net_connections("tcp")]
    return {one.laddr.port for one in each if one.status == psutil.CONN_LISTEN}


def heard_during_a_draw(server, endpoints, home):
    """How many messages an attacker gets at each endpoint while the server's kernel draws.

    The attacker has good ears: what the test itself says at two endpoints is heard.
    """
    context = zmq.Context()
    mouths = [context.socket(zmq.PUB) for _ in range(2)]
    own = [f"tcp://127.0.0.1:{free_port()}", f"ipc://{home}/open-{os.getpid()}"]
    try:
        for mouth, place in zip(mouths, own, strict=True):
            mouth.bind(place)
        with neighbour("listen", told=[*endpoints, *own]) as attacker:
            assert attacker.stdout.readline() == "listens\n"
            assert "employee_name" in run(server, DRAW)
            for mouth in mouths:
                mouth.send(b"hello")
            run(server, "print('again')")
            heard = json.loads(attacker.communicate(timeout=SECONDS)[0])
        assert [heard.pop(place) for place in own] == [1, 1]
        return heard
    finally:
        context.destroy(linger=0)


@pytest.mark.parametrize("name", ["lab", pytest.param("lab with a long path", marks=MORE)])
def test_a_draw_is_heard_at_no_port(servers, home, name):
    """Who subscribes to each port of the server, its kernels and the emulator gets no message.

    If the path of a kernel's files is too long for sockets, the kernel starts, too, with encrypted ports.
    """
    server = servers(name)
    endpoints = [f"tcp://127.0.0.1:{port}" for port in ports(*server.processes())]
    assert endpoints
    assert set(heard_during_a_draw(server, endpoints, home).values()) == {0}


def test_a_kernel_has_no_port(servers):
    """What somebody sent to a port that kernels have by default appeared below the running cell."""
    ((kernel, file),) = servers("lab").kernels().items()
    assert ports(kernel) == set()
    assert json.loads(file.read_text())["transport"] == "ipc"


def test_jupyterlab_leaves_out_two_extensions(servers):
    """The debugger would listen at a port where everybody may run code in the kernel.

    That of jupyter-server-proxy would ask for a list that the kit does not have: a warning in the terminal.
    """
    with urllib.request.urlopen(servers("lab").address) as reply:
        page = reply.read().decode()
    settings = json.loads(
        re.search('id="jupyter-config-data" type="application/json">(.*?)</script>', page, re.S)[1]
    )
    left_out = {"@jupyterhub/jupyter-server-proxy", "@jupyterlab/debugger-extension"}
    assert left_out <= {*settings["disabledExtensions"]}


@pytest.mark.root
def test_another_user_cannot_reach_a_kernels_sockets(servers, home):
    """The sockets are in a folder that nobody else may enter, though files are made for everybody here."""
    server = servers("lab")
    ((_, file),) = server.kernels().items()
    sockets = list(file.parent.glob("*-ipc-*"))
    assert len(sockets) == 5
    assert set(heard_during_a_draw(server, [f"ipc://{each}" for each in sockets], home).values()) == {0}


@pytest.mark.root
def test_another_user_finds_no_secret(servers, home):
    """No file that another user can read has the token, the path, or the key of a kernel or the emulator."""
    lab = servers("lab")
    ((_, file),) = lab.kernels().items()
    secrets = [lab.base, lab.address.partition("token=")[2], json.loads(file.read_text())["key"]]
    secrets += [path.read_text() for path in home.glob("lab/sfn-emulator/*/access-key")]
    assert len(secrets) == 4
    files = [
        path
        for path in home.glob("lab/**/*")
        if path.is_file() and not path.is_relative_to(home / "lab" / "抽奖 dir")
    ]
    assert file in files
    seen = answer(
        "enter", told=[str(path) for path in files if path != lab.log]
    )  # the log is our own terminal
    texts = [Path(path).read_bytes() for path in seen]
    assert not [
        path for path, text in zip(seen, texts, strict=True) if any(each.encode() in text for each in secrets)
    ]


def test_the_night_has_one_port(servers):
    """No kernel runs for its pages, and beside the emulator, which wants a key, nothing of it listens."""
    night = servers("night")
    assert night.kernels() == {}
    assert ports(*night.processes()) - {control.status()["port"]} == {night.port}


def test_another_user_does_not_read_what_is_typed(servers, home):
    """IPython would keep each cell in a file that everybody can read."""
    typed = secrets.token_hex()
    run(servers("lab"), repr(typed))
    readable = [path for path in home.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert readable
    assert not [path for path in readable if typed.encode() in path.read_bytes()]


def test_another_user_writes_nothing_into_our_terminal(server):
    """What is asked outside the secret path is not logged: it may have letters that steer terminals."""
    before = server.log.read_bytes()
    for method in ("GET", "POST", "DELETE", "TRACE"):
        for host in ("localhost", "evil.example"):
            with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)) as connection:
                connection.request(method, "/x", headers={"Host": host, "Referer": "http://x/\x9b31m"})
                assert connection.getresponse().status in {404, 405}
    assert server.log.read_bytes() == before


@pytest.fixture(params=["lab", pytest.param("night", marks=MORE), "mailbox"])
def page_of_ours(request, servers):
    """The address of a page that only its owner's browser can open, and the page's port."""
    if request.param == "mailbox":
        Stack(target := connect("embedded", attendee="heard")).deploy("ann@example.com")
        return inbox(target).where.split(" at ")[1].split()[0], control.status()["port"]
    server = servers(request.param)
    return server.address, server.port


@pytest.mark.browser
def test_a_page_of_another_user_gets_nothing(chromium, page_of_ours):
    """The browser that is logged in visits the neighbour's page at another port, in many ways.

    It sees each header and gets no cookie, no token and no secret path. What it gets opens nothing.
    """
    address, port = page_of_ours
    other = free_port()
    window = chromium.new_context()
    with neighbour("serve", str(other), str(port)) as attacker:
        assert attacker.stdout.readline() == "serves\n"
        page = window.new_page()
        page.goto(address, timeout=60_000)
        assert "neighbour" not in page.title()  # who listens at ::1 did not get the request
        secret = page.url.split("/")[-2] if "_emulator" in page.url else page.url.split("/")[3]
        assert len(secret) > 15
        cookies = window.cookies()
        assert cookies
        page.evaluate("address => { location = address }", f"http://127.0.0.1:{other}/from-our-page")
        page.wait_for_url("**/from-our-page")
        for host in ("127.0.0.1", "localhost"):
            for path in (*KNOWN, "/_emulator/mail/"):
                page.goto(f"http://{host}:{other}{path}")
        requests = [json.loads(line) for line in attacker.communicate(timeout=SECONDS)[0].splitlines()]
    window.close()
    assert len(requests) > 2 * len(KNOWN)
    assert not [each for each in requests if "Cookie" in each["headers"]]
    assert not [each for each in requests if each["headers"]["Host"].endswith(f":{port}")]
    assert not [
        each for each in requests if secret in json.dumps(each) or cookies[0]["value"] in json.dumps(each)
    ]
    seen = [each["headers"] for each in requests]
    names = (f"127.0.0.1:{port}", f"localhost:{port}", "evil.example")
    tries = [[port, path, {**seen[0], "Host": name}] for path in KNOWN for name in names]
    told = answer("knock", told=tries)
    assert {status for status, text in told if "It runs." not in text} <= {403, 404}
    assert not [text for _, text in told if secret in text]
