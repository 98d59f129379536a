"""JupyterLab as a person gets it: a fresh copy of the project, the command that opens it, and its kernels."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import websocket

KIT = Path(__file__).resolve().parents[2]
#: What a new user has: no activated environment, no settings, no copies of packages that pip keeps.
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
DRAW = """
from lottery_course import restore
from lottery_lib import connect, draw
target = connect()
restore(target, "06")
draw(target, 2)["status"]
"""


def fresh_copy(folder):
    """Make what a clone has, with the changes that are not committed; returns the folder."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(listed, cwd=KIT, text=True).split("\0")
    for name in filter(None, names):
        if (KIT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(KIT / name, folder / name)
    return folder


def environment_of(home):
    """The variables of a new user."""
    return {"PATH": SYSTEM_PATH, "HOME": str(home), "SHELL": "/bin/bash", "LANG": "C.UTF-8"}


@contextlib.contextmanager
def running(command, folder, environment, *, seconds=300, **user):
    """Run a command that opens JupyterLab; yields its process, and the address that it prints."""
    log = Path(environment["HOME"], "lab.log")
    with log.open("w") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=out, stderr=out, start_new_session=True, **user
        )
    try:
        deadline = time.monotonic() + seconds
        while not (address := re.search(r"http://(127\.0\.0\.1|localhost):\S+\?token=\w+", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield process, address[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _wait_until_it_listens(host, port):
    """Jupyter prints its address a moment before."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection((host, port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


class Kernel:
    """A notebook's kernel, which the server has started."""

    def __init__(self, address, notebook):
        parts = urlsplit(address)
        _wait_until_it_listens(parts.hostname, parts.port)
        self._server = parts.netloc + re.sub(r"/lab(/tree/.*)?$", "/", parts.path)
        self._token = parse_qs(parts.query)["token"][0]
        wanted = {"path": notebook, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
        self._session = self._ask("api/sessions", json.dumps(wanted).encode())

    def _ask(self, path, body=None):
        url, headers = f"http://{self._server}{path}", {"Authorization": f"token {self._token}"}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error

    def run(self, *cells):
        """Run cells one after the other; yields what each shows: texts, and the last value's text."""
        path = f"api/kernels/{self._session['kernel']['id']}/channels"
        url = f"ws://{self._server}{path}?token={self._token}&session_id={uuid.uuid4().hex}"
        with closing(websocket.create_connection(url, timeout=300)) as channels:
            for code in cells:
                header = {
                    "msg_id": uuid.uuid4().hex,
                    "msg_type": "execute_request",
                    "username": "",
                    "session": "s",
                }
                content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
                request = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
                channels.send(json.dumps(request | {"channel": "shell"}))
                yield self._shown(channels, header["msg_id"])

    def _shown(self, channels, request):
        shown = ""
        while True:
            message = json.loads(channels.recv())
            content, kind = message["content"], message["header"]["msg_type"]
            if message["parent_header"].get("msg_id") != request or message["channel"] != "iopub":
                continue
            if kind == "status" and content["execution_state"] == "idle":
                return shown
            if kind == "error":
                shown += "\n".join(content["traceback"])
            shown += content.get("text") or content.get("data", {}).get("text/plain", "")


if __name__ == "__main__":  # from a namespace that the tests are not in
    print(*Kernel(sys.argv[1], "work/06_run_a_draw.ipynb").run(DRAW))
