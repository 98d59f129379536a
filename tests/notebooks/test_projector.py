"""The pages of a party are for the browser that `lottery night` opens, and for nobody else."""

from patience import SECONDS
import json
import os
import re
import socket
import subprocess
import sys
import time
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from queue import Queue
from types import SimpleNamespace
from urllib.parse import urlsplit
from urllib.request import url2pathname

import psutil
import pytest
from started import lottery_night

from lottery_party.projector import Projector


@pytest.fixture(scope="module")
def projector(tmp_path_factory):
    """The process of `lottery night`, its port, and the path with the token of the address that it prints."""
    with lottery_night(tmp_path_factory.mktemp("projector")) as night:
        yield night.processes()[0], night.port, night.address.partition(str(night.port))[2]


@pytest.mark.long("starts the pages of a night")
def test_the_terminal_shows_the_address_and_no_log(tmp_path_factory):
    """What `lottery night` prints ends with the address in a sentence; remarks of Voila are left out."""
    with lottery_night(tmp_path_factory.mktemp("terminal")) as night:
        said = night.log.read_text()
        assert said.endswith(
            f"The operator's page is at this address:\n\n    {night.address}\n\nCtrl-C stops it.\n"
        )
        assert "[Projector]" not in said


def kernels(process):
    """How many kernels run; the emulator may be a child of the process, too."""
    return sum("ipykernel" in " ".join(each.cmdline()) for each in process.children(recursive=True))


def ask(port, path, **headers):
    """The status, the place that it sends to, and the page at a path."""
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request("GET", path, headers=headers)
    reply = connection.getresponse()
    return reply.status, reply.getheader("Location", ""), reply.read().decode()


@pytest.fixture(scope="module")
def opened_page(projector):
    """What who has the token gets: the status, the page, and the sources that it may load from."""
    _, port, path = projector
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request("GET", path)
    reply = connection.getresponse()
    cookies = reply.headers.get_all("Set-Cookie")
    return reply.status, reply.read().decode(), reply.getheader("Content-Security-Policy"), cookies


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=0123", "/voila/render/draw_night.ipynb"])
def test_nobody_without_the_token_gets_the_page(projector, path):
    """Without the token, or with another, there is a log-in page, and no kernel is started."""
    process, port, whole = projector
    base = whole.partition("?")[0]
    status, place, page = ask(port, base + path[1:])
    assert status in (302, 403, 404)
    assert status != 302 or place.startswith(f"{base}login")
    assert "Who wins tonight?" not in page
    assert ask(port, path)[0] == 404
    assert kernels(process) == 0


def test_a_foreign_name_gets_nothing(projector):
    """A name that a foreign page has made lead here (DNS rebinding) is refused, even with the token."""
    process, port, path = projector
    status, _, page = ask(port, path, Host=f"evil.example:{port}")
    assert (status, "Who wins tonight?" in page, kernels(process)) == (404, False, 0)


def test_who_has_the_token_gets_the_page(projector, opened_page):
    """With the token comes the page, in which a kernel has run the notebook."""
    process, _, _ = projector
    status, page, *_ = opened_page
    assert status == 200
    assert "Who wins tonight?" in page
    assert kernels(process) > 0


def test_the_page_has_no_word_before_it_is_there(opened_page):
    """Voila's own words, which are English, are not on the page, whatever language it will have."""
    _, page, *_ = opened_page
    assert 'id="loading"' in page
    assert "Running " not in page
    assert 'id="loading_text"' not in page


def test_the_page_asks_nobody_else(opened_page):
    """The browser loads only what this machine sends, so the page opens without a network, too."""
    _, _, policy, _ = opened_page
    assert policy.startswith("default-src 'self' ")
    assert "http" not in policy


def test_a_page_on_another_port_gets_no_cookie(projector, opened_page):
    """A browser sends a cookie to every port of a machine, but only to its path, which nobody can guess."""
    *_, cookies = opened_page
    base = projector[2].partition("?")[0]
    assert cookies
    assert all(f"; Path={base}" in each for each in cookies)


def test_a_kernel_speaks_over_sockets_of_its_owner(projector, opened_page):
    """Its connection file names no port, and no other user may enter the folder of its sockets."""
    children = psutil.Process(projector[0].pid).children(recursive=True)
    (command,) = [each.cmdline() for each in children if "ipykernel_launcher" in " ".join(each.cmdline())][:1]
    file = Path(next(word for word in command if word.endswith(".json")))
    assert json.loads(file.read_text())["transport"] == "ipc"
    assert json.loads(file.read_text())["ip"].startswith(str(file.parent))
    assert file.parent.stat().st_mode & 0o077 == 0


def test_the_token_is_on_no_command_line(projector):
    """Other users see command lines: the token is on none, not even on the browser's."""
    process, _, path = projector
    token = path.partition("=")[2]
    here = psutil.Process(process.pid)
    assert all(token not in " ".join(each.cmdline()) for each in [here, *here.children(recursive=True)])


@pytest.fixture
def opened(monkeypatch):
    """The file that the browser was opened on, and what the server's process does when it ends."""
    urls, at_exit = Queue(), []
    monkeypatch.setattr("webbrowser.open", urls.put)
    monkeypatch.setattr("atexit.register", lambda do, **options: at_exit.append(partial(do, **options)))
    page = Projector(port=1234)
    page.identity_provider = SimpleNamespace(token="abc")
    page.launch_browser()
    path = Path(url2pathname(urlsplit(urls.get(timeout=SECONDS)).path))
    yield path, at_exit
    path.unlink(missing_ok=True)


def test_the_browser_gets_the_token(opened):
    """The browser is opened on a file that nobody else can read, which leads to the page with its token."""
    path, _ = opened
    assert path.stat().st_mode & 0o077 == 0
    assert "http://localhost:1234/?token=abc" in path.read_text()


def test_the_file_with_the_token_ends_with_the_server(opened):
    """When the server's process ends, the file that the browser was opened on is deleted."""
    path, at_exit = opened
    for do in at_exit:
        do()
    assert not path.exists()
