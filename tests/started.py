"""Start what people start, `make lab` and `lottery night`, as they do."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import websocket
from helpers import free_port, wait_until
from patience import SECONDS

from lottery_lib.names import KIT

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


#: What a server prints. Somebody may have taken its port meanwhile, so it may have another one.
_ADDRESS = re.compile(r"http://\S+:\d+/\S*\?token=[\w-]+")


class Started:
    """A server that has printed its address.

    Args:
        address: The address, with the token.
        log: The file with what it printed.
        pids: Its processes. They have children.
    """

    def __init__(self, address, log, *pids):
        self.address, self.log, self._pids = address, log, pids
        parts = urlsplit(address)
        self.port, self._token = parts.port, parts.query.partition("token=")[2]
        self.base = re.match(r"/[\w-]{16,}/|/", parts.path)[0]

    def processes(self):
        each = [psutil.Process(pid) for pid in self._pids]
        return [*each, *(child for process in each for child in process.children(recursive=True))]

    def kernels(self):
        """The connection files of its kernels, by their processes."""
        lines = {}
        for each in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
                lines[each] = each.cmdline()
        return {
            each: next(Path(word) for word in line if word.endswith(".json"))
            for each, line in lines.items()
            if "ipykernel_launcher" in line
        }

    def ask(self, path, method="GET", token=None):
        url = f"http://127.0.0.1:{self.port}{self.base}{path}"
        headers = {"Authorization": f"token {self._token if token is None else token}"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers, method=method)) as reply:
            return json.load(reply)

    def listen(self, path):
        url = f"ws://127.0.0.1:{self.port}{self.base}{path}?token={self._token}&session_id=s"
        return closing(websocket.create_connection(url, timeout=SECONDS))


def _answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@contextlib.contextmanager
def make_lab(goal, home, *, user=(), options="", **variables):
    """A JupyterLab, in an environment like a new user's: no activated environment, no settings of anybody's.

    The project is a copy with the same environment. Its folder's name has a space and Chinese letters.

    Args:
        goal: ``lab`` or ``lab-zh``.
        home: The home of the user, for all files.
        user: A command that runs another as a user.
        options: More options of JupyterLab.
        variables: More environment variables.
    """
    checkout, port = home / "抽奖 dir", free_port()
    shutil.copytree(KIT, checkout, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "work"))
    (checkout / ".venv").symlink_to(sys.prefix)
    options = f"--no-browser --ServerApp.port_retries=0 {options}"
    command = ["make", "-o", "install", goal, f"PORT={port}", f"LAB_ARGS={options}"]
    environment = {"PATH": SYSTEM_PATH, "HOME": str(home), "SHELL": "/bin/bash", "LANG": "C.UTF-8"}
    environment |= {"XDG_STATE_HOME": str(home)} | variables
    if user:
        subprocess.run(["chown", "-hR", "nobody:nogroup", home], check=True)
    with _started([*user, *command], home / "lab.log", cwd=checkout, env=environment) as lab:
        status = [*user, ".venv/bin/python", "-m", "lottery_lib", "emulator", "status", "--json"]
        emulator = json.loads(subprocess.check_output(status, cwd=checkout, env=environment))["pid"]
        yield Started(lab.address, lab.log, lab.processes()[0].pid, emulator)


@contextlib.contextmanager
def lottery_night(home, port=None, *words, program=("-m", "lottery_lib"), **variables):
    """The night's pages, with more words of the command. Nobody has opened one yet."""
    port = str(port or free_port())
    command = [sys.executable, *program, "night", "--no-browser", "--port", port, *words]
    environment = os.environ | {"COLUMNS": "200"} | variables
    with _started(command, home / "night.log", cwd=home, env=environment) as night:
        yield night


@contextlib.contextmanager
def _started(command, log, **options):
    """The server of that command and its children, which end with it."""
    with log.open("w") as out:  # no terminal: JupyterLab's terminals would be login shells by default
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True, **options)
    try:
        try:
            wait_until(lambda: _ADDRESS.search(log.read_text()) or process.poll() is not None)
        finally:
            print(log.read_text())  # for a test that fails
        assert process.poll() is None
        started = Started(_ADDRESS.search(log.read_text())[0], log, process.pid)
        wait_until(lambda: _answers(started.port))  # JupyterLab prints its address a moment before
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(SECONDS)
