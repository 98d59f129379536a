"""`make lab` opens JupyterLab for root and for others. Where people type, the command `lottery` is found.

If root runs these tests, root types `make lab`, and another user `make lab-zh`. Otherwise you type both.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError

import psutil
import pytest
import websocket
from helpers import free_port, wait_until

from lottery_lib.names import KIT

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
IS_ROOT = os.geteuid() == 0
#: Runs a command as another user, who may also read what root alone can read: Python may lie in root's home.
AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
             "--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]  # fmt: skip
USERS = {"lab": [], "lab-zh": AS_NOBODY if IS_ROOT else []}
ROOTS_LINE = "You are root: JupyterLab runs as root, and listens on 127.0.0.1.\n"


def test_in_a_shell():
    """In a shell with the environment's folder in PATH, as `activate` puts it there."""
    environment = os.environ | {"PATH": f"{sys.prefix}/bin:{SYSTEM_PATH}"}
    told = subprocess.run(
        ["sh", "-c", "lottery emulator status --json"], env=environment, check=True, capture_output=True
    )
    assert "running" in json.loads(told.stdout)


class Lab:
    """A JupyterLab that `make lab` or `make lab-zh` has started, and the file with what it printed."""

    def __init__(self, goal, port, token, log, pids):
        self.goal, self.log, self._pids = goal, log, pids
        self._address, self._token = f"127.0.0.1:{port}", token

    def processes(self):
        each = [psutil.Process(pid) for pid in self._pids]
        return [*each, *(child for process in each for child in process.children(recursive=True))]

    def ask(self, path, method="GET", token=None):
        url = f"http://{self._address}/{path}"
        headers = {"Authorization": f"token {self._token if token is None else token}"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers, method=method)) as reply:
            return json.load(reply)

    def listen(self, path):
        url = f"ws://{self._address}/{path}?token={self._token}&session_id=s"
        return closing(websocket.create_connection(url, timeout=20))


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@pytest.fixture(scope="module", params=USERS)
def lab(request):
    """Started in an environment like a new user's: no activated environment, no settings of anybody's.

    The project is a copy with the same environment. Its folder's name has a space and Chinese letters.
    """
    with tempfile.TemporaryDirectory() as home:  # pytest's own folders are closed to other users
        yield from started(request.param, Path(home))


def started(goal, home):
    checkout, port, user = home / "抽奖 dir", free_port(), USERS[goal]
    shutil.copytree(KIT, checkout, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "work"))
    (checkout / ".venv").symlink_to(sys.prefix)
    options = "--no-browser --ServerApp.port_retries=0"
    command = ["make", "-o", "install", goal, f"PORT={port}", f"LAB_ARGS={options}"]
    environment = {"PATH": SYSTEM_PATH, "HOME": str(home), "SHELL": "/bin/bash", "LANG": "C.UTF-8"}
    environment["XDG_STATE_HOME"] = str(home)
    printed = home / "lab.log"
    if user:
        subprocess.run(["chown", "-hR", "nobody:nogroup", home], check=True)
    with printed.open("w") as log:  # no terminal: its terminals would be login shells by default
        process = subprocess.Popen(
            [*user, *command], cwd=checkout, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        for _ in range(300):
            if token := re.search(rf"^    http://\S+:{port}/\S+\?token=(\w+)$", printed.read_text(), re.M):
                break
            assert process.poll() is None, printed.read_text()
            time.sleep(0.2)
        wait_until(lambda: answers(port))  # JupyterLab prints its address a moment before
        status = [*user, ".venv/bin/python", "-m", "lottery_lib", "emulator", "status", "--json"]
        emulator = json.loads(subprocess.check_output(status, cwd=checkout, env=environment))["pid"]
        yield Lab(goal, port, token[1], printed, [process.pid, emulator])
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def test_in_a_terminal(lab):
    """A terminal of JupyterLab finds it, and the emulator that `make lab` has started."""
    name, shown = lab.ask("api/terminals", "POST")["name"], ""
    with lab.listen(f"terminals/websocket/{name}") as terminal:
        terminal.send(json.dumps(["stdin", "lottery emulator status --json\r"]))
        while not (answer := re.search(r"\{.*\}", shown)):
            kind, *text = json.loads(terminal.recv())
            shown += "".join(text) if kind == "stdout" else ""
    assert json.loads(answer[0])["running"] is True


def test_in_a_cell(lab):
    """A cell finds it behind an exclamation mark."""
    kernel, shown = lab.ask("api/kernels", "POST")["id"], ""
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
    lab.ask("api/contents/work/00_overview.ipynb")
    address, *rest = re.findall(r"http\S+", lab.log.read_text())
    assert re.search(r"/lab/tree/work/(zh/)?00_overview\.ipynb\?", address)
    assert rest == []
    printed = lab.log.read_text().removesuffix(ROOTS_LINE)
    assert printed == f"JupyterLab is at this address:\n\n    {address}\n\nCtrl-C stops it.\n"


def test_root_is_told(lab):
    """It says in one line that JupyterLab runs as root, and only if it does."""
    assert (ROOTS_LINE in lab.log.read_text()) == (IS_ROOT and not USERS[lab.goal])


def test_make_lab_zh_speaks_chinese(lab):
    """The menus are Chinese with `make lab-zh`, and not with `make lab`."""
    plugin = lab.ask("lab/api/settings/@jupyterlab/translation-extension:plugin")
    language = plugin["schema"]["properties"]["locale"]["default"]
    assert language == {"lab": "default", "lab-zh": "zh_CN"}[lab.goal]


def test_the_server_answers_at_127_0_0_1(lab):
    """It answers who has the token that it has printed."""
    assert "started" in lab.ask("api/status")


def test_make_lab_prints_real_warnings(lab):
    """What goes wrong is still printed, below the address."""
    with pytest.raises(HTTPError):
        lab.ask("api/contents/nowhere")
    deadline = time.monotonic() + 20  # JupyterLab answers before it writes its log
    while "[W " not in lab.log.read_text():
        assert time.monotonic() < deadline, lab.log.read_text()
        time.sleep(0.1)
    assert "nowhere" in lab.log.read_text()


def test_the_server_needs_the_token(lab):
    """Without the token, it answers nobody."""
    with pytest.raises(HTTPError, match="403"):
        lab.ask("api/status", token="")


def test_nothing_stays(lab):
    """With `make lab` end JupyterLab, its kernels and terminals, and the emulator."""
    make, *_ = processes = lab.processes()
    assert len(processes) > 2
    make.terminate()
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
