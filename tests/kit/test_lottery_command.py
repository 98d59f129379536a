"""`make lab` opens JupyterLab for root and for others. Where people type, the command `lottery` is found.

If root runs these tests, root types `make lab`, and another user `make lab-zh`. Otherwise you type both.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from urllib.error import HTTPError

import psutil
import pytest
from helpers import wait_until
from patience import SECONDS
from started import SYSTEM_PATH, make_lab

IS_ROOT = os.geteuid() == 0
#: Runs a command as another user, who may also read what root alone can read: Python may lie in root's home.
AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
             "--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]  # fmt: skip
USERS = {"lab": [], "lab-zh": AS_NOBODY if IS_ROOT else []}
ROOTS_LINE = {
    "lab": "You are root: JupyterLab runs as root, and listens on 127.0.0.1.\n",
    "lab-zh": "当前用户是 root：JupyterLab 以 root 身份运行，监听 127.0.0.1。\n",
}
ADDRESS = {
    "lab": "JupyterLab is at this address:\n\n    {}\n\nCtrl-C stops it.\n",
    "lab-zh": "JupyterLab 的地址：\n\n    {}\n\n按 Ctrl-C 停止。\n",
}


def test_in_a_shell():
    """In a shell with the environment's folder in PATH, as `activate` puts it there."""
    environment = os.environ | {"PATH": f"{sys.prefix}/bin:{SYSTEM_PATH}"}
    told = subprocess.run(
        ["sh", "-c", "lottery emulator status --json"], env=environment, check=True, capture_output=True
    )
    assert "running" in json.loads(told.stdout)


OTHER = pytest.param("lab-zh", marks=pytest.mark.long("starts a JupyterLab"))


@pytest.fixture(scope="module", params=["lab", OTHER])
def lab(request):
    """JupyterLab, as `make lab` or `make lab-zh` starts it."""
    goal = request.param
    with (
        tempfile.TemporaryDirectory() as home,  # pytest's own folders are closed to other users
        make_lab(goal, Path(home), user=USERS[goal]) as lab,
    ):
        yield lab


@pytest.fixture
def goal(request, lab):
    """What of the Makefile has started it."""
    return request.node.callspec.params["lab"]


def test_in_a_terminal(lab):
    """A terminal of JupyterLab finds it, and the emulator that `make lab` has started."""
    name, shown = lab.ask("api/terminals", "POST")["name"], ""
    with lab.listen(f"terminals/websocket/{name}") as terminal:
        terminal.send(json.dumps(["stdin", "lottery emulator status --json\r"]))
        while not (answer := re.search(r"\{.*\}", shown)):
            kind, *text = json.loads(terminal.recv())
            shown += "".join(text) if kind == "stdout" else ""
    assert json.loads(answer[0])["running"] is True


def test_in_a_cell(lab, goal):
    """A cell finds it behind an exclamation mark, and it speaks the language of JupyterLab."""
    kernel, shown = lab.ask("api/kernels", "POST")["id"], ""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "s"}
    content = {"code": "!lottery --help", "silent": False, "store_history": False, "allow_stdin": False}
    request = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    with lab.listen(f"api/kernels/{kernel}/channels") as channels:
        channels.send(json.dumps(request))
        while "lottery draw 2" not in shown:
            shown += json.loads(channels.recv())["content"].get("text", "")
    usage = {"lab": "Usage: lottery [OPTIONS] COMMAND", "lab-zh": "用法: lottery [选项] 命令"}
    assert usage[goal] in shown


def test_make_lab_prints_one_address(lab, goal):
    """It prints the address and how to stop it, and no warning when a person opens a lesson.

    Nor has it printed one for the terminal and the cell above.
    """
    lab.ask("api/contents/work/00_overview.ipynb")
    address, *rest = re.findall(r"http\S+", lab.log.read_text())
    assert re.search(r"/lab/tree/work/(zh/)?00_overview\.ipynb\?", address)
    assert rest == []
    printed = lab.log.read_text().removesuffix(ROOTS_LINE[goal])
    assert printed == ADDRESS[goal].format(address)


def test_root_is_told(lab, goal):
    """It says in one line that JupyterLab runs as root, and only if it does."""
    assert (ROOTS_LINE[goal] in lab.log.read_text()) == (IS_ROOT and not USERS[goal])


def test_make_lab_zh_speaks_chinese(lab, goal):
    """The menus are Chinese with `make lab-zh`, and not with `make lab`."""
    plugin = lab.ask("lab/api/settings/@jupyterlab/translation-extension:plugin")
    language = plugin["schema"]["properties"]["locale"]["default"]
    assert language == {"lab": "default", "lab-zh": "zh_CN"}[goal]


def test_the_server_answers_at_127_0_0_1(lab):
    """It answers who has the token that it has printed."""
    assert "started" in lab.ask("api/status")


def test_make_lab_prints_real_warnings(lab):
    """What goes wrong is still printed, below the address."""
    with pytest.raises(HTTPError):
        lab.ask("api/contents/nowhere")
    wait_until(lambda: "[W " in lab.log.read_text())  # JupyterLab answers before it writes its log
    assert "nowhere" in lab.log.read_text()


def test_the_server_needs_the_token(lab):
    """Without the token, it answers nobody."""
    with pytest.raises(HTTPError, match="403"):
        lab.ask("api/status", token="")


@pytest.mark.long("each starts a JupyterLab")
def test_nothing_stays(lab):
    """With `make lab` end JupyterLab, its kernels and terminals, and the emulator."""
    make, *_ = processes = lab.processes()
    assert len(processes) > 2
    make.terminate()
    _, alive = psutil.wait_procs(processes, timeout=SECONDS)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
