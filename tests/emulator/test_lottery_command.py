"""Where people type, the command `lottery` is found: in a shell, in JupyterLab's terminal, in a cell."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from contextlib import closing

import pytest
import websocket
from emulator.conftest import free_port

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
    """A JupyterLab that `make lab` has started."""

    def __init__(self, port, token):
        self._address, self._token = f"127.0.0.1:{port}", token

    def ask(self, path, method="GET"):
        url = f"http://{self._address}/api/{path}"
        headers = {"Authorization": f"token {self._token}"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers, method=method)) as reply:
            return json.load(reply)

    def listen(self, path):
        url = f"ws://{self._address}/{path}?token={self._token}"
        return closing(websocket.create_connection(url, timeout=20))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Started in an environment like a new user's: no activated environment, no settings of anybody's."""
    home, port, token = tmp_path_factory.mktemp("home"), free_port(), secrets.token_hex(8)
    options = f"--no-browser --allow-root --ServerApp.port_retries=0 --IdentityProvider.token={token}"
    command = ["make", "-o", "install", "lab", f"VENV={sys.prefix}", f"PORT={port}", f"LAB_ARGS={options}"]
    environment = {"PATH": SYSTEM_PATH, "HOME": str(home), "SHELL": "/bin/bash", "LANG": "C.UTF-8"}
    environment["XDG_STATE_HOME"] = str(home)
    with (home / "lab.log").open("w") as log:  # no terminal: its terminals would be login shells by default
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        started = Lab(port, token)
        for _ in range(300):
            try:
                started.ask("status")
                break
            except OSError:
                assert process.poll() is None, (home / "lab.log").read_text()
                time.sleep(0.2)
        yield started
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
