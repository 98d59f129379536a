"""`make lab` prints its address. Where people type, the command `lottery` is found."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from contextlib import closing
from urllib.error import HTTPError

import pytest
import websocket
from helpers import free_port, wait_until

from lottery_lib.names import CHECKOUT

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


def test_in_a_shell():
    """In a shell with the environment's folder in PATH, as `activate` puts it there."""
    environment = os.environ | {"PATH": f"{sys.prefix}/bin:{SYSTEM_PATH}"}
    told = subprocess.run(
        ["sh", "-c", "lottery emulator status --json"], env=environment, check=True, capture_output=True
    )
    assert "running" in json.loads(told.stdout)


class Lab:
    """A JupyterLab that `make lab` has started, and the file with what it printed."""

    def __init__(self, port, token, log):
        self._address, self._token, self.log = f"127.0.0.1:{port}", token, log

    def ask(self, path, method="GET"):
        url = f"http://{self._address}/api/{path}"
        headers = {"Authorization": f"token {self._token}"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers, method=method)) as reply:
            return json.load(reply)

    def listen(self, path):
        url = f"ws://{self._address}/{path}?token={self._token}&session_id=s"
        return closing(websocket.create_connection(url, timeout=20))


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Started in an environment like a new user's: no activated environment, no settings of anybody's."""
    home, port = tmp_path_factory.mktemp("home"), free_port()
    options = "--no-browser --allow-root --ServerApp.port_retries=0"
    command = ["make", "-o", "install", "lab", f"VENV={sys.prefix}", f"PORT={port}", f"LAB_ARGS={options}"]
    environment = {"PATH": SYSTEM_PATH, "HOME": str(home), "SHELL": "/bin/bash", "LANG": "C.UTF-8"}
    environment["XDG_STATE_HOME"] = str(home)
    printed = home / "lab.log"
    with printed.open("w") as log:  # no terminal: its terminals would be login shells by default
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        for _ in range(300):
            if token := re.search(
                rf"^    http://localhost:{port}/\S+\?token=(\w+)$", printed.read_text(), re.M
            ):
                break
            assert process.poll() is None, printed.read_text()
            time.sleep(0.2)
        wait_until(lambda: answers(port))  # JupyterLab prints its address a moment before
        yield Lab(port, token[1], printed)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def test_in_a_terminal(lab):
    """A terminal of JupyterLab finds it, and the emulator that `make lab` has started."""
    name, shown = lab.ask("terminals", "POST")["name"], ""
    with lab.listen(f"terminals/websocket/{name}") as terminal:
        terminal.send(json.dumps(["stdin", "lottery emulator status --json\r"]))
        while not (answer := re.search(r"\{.*\}", shown)):
            kind, *text = json.loads(terminal.recv())
            shown += "".join(text) if kind == "stdout" else ""
    assert json.loads(answer[0])["running"] is True


def test_in_a_cell(lab):
    """A cell finds it behind an exclamation mark."""
    kernel, shown = lab.ask("kernels", "POST")["id"], ""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "s"}
    content = {"code": "!lottery --help", "silent": False, "store_history": False, "allow_stdin": False}
    request = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    with lab.listen(f"api/kernels/{kernel}/channels") as channels:
        channels.send(json.dumps(request))
        while "Commands:" not in shown:
            shown += json.loads(channels.recv())["content"].get("text", "")
    assert "Usage: lottery [OPTIONS] COMMAND" in shown


def test_make_lab_prints_one_address(lab):
    """It prints the address and how to stop it, and no warning when a person opens a lesson.

    Nor has it printed one for the terminal and the cell above.
    """
    lab.ask("contents/notebooks/00_overview.ipynb")
    address, *rest = re.findall(r"http\S+", lab.log.read_text())
    assert (address.partition("?")[0].partition("/lab/")[2], rest) == ("tree/notebooks/00_overview.ipynb", [])
    assert lab.log.read_text() == (f"JupyterLab is at this address:\n\n    {address}\n\nCtrl-C stops it.\n")


def test_make_lab_prints_real_warnings(lab):
    """What goes wrong is still printed, below the address."""
    with pytest.raises(HTTPError):
        lab.ask("contents/nowhere")
    deadline = time.monotonic() + 20  # JupyterLab answers before it writes its log
    while "[W " not in lab.log.read_text():
        assert time.monotonic() < deadline, lab.log.read_text()
        time.sleep(0.1)
    assert "nowhere" in lab.log.read_text()
