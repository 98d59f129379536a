"""Settings of every Jupyter server in this environment; `make install` copies this file to .venv/etc/jupyter.

With them, kernels and terminals find the command `lottery`, JupyterLab asks nothing in the Internet, and the
server has no reason to warn. The server that `make lab` starts prints its address, warnings and errors only.
It also runs as root, as in a container, and says so. The emulator ends with the last server that uses it, so
that server says which winners are lost.
"""

import atexit
import json
import logging
import os
import secrets
import subprocess
import sys
from pathlib import Path

from jupyter_core.paths import jupyter_config_dir, jupyter_runtime_dir
from jupyter_server.serverapp import ServerApp

from lottery_lib.local_emulator import emulator, other_labs
from lottery_lib.private_jupyter import private_sockets
from lottery_lib.translation import _

c = get_config()  # noqa: F821
OWN_SHELL = dict(os.environ)
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
# By default a terminal can be a login shell, whose /etc/profile sets PATH again on Debian.
c.ServerApp.terminado_settings = {"shell_command": [os.environ.get("SHELL") or "sh"]}
folders = [Path(jupyter_config_dir()), Path(__file__).parent]
c.ServerApp.tornado_settings = {"static_custom_path": [str(folder / "custom") for folder in folders]}
c.LabApp.custom_css = True
c.LabApp.expose_app_in_browser = True  # the workbench opens a file beside its notebook
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
c.LanguageServerManager.autodetect = False  # nothing here installs a language server
# The files and sockets of kernels are there, and the file with the address that the browser opens.
runtime = Path(jupyter_runtime_dir())
runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
runtime.chmod(0o700)
c.KernelManager.update(private_sockets(runtime))
# On JupyterHub, Binder and Codespaces, a browser sees this server alone. So the kit's pages come through it.
BEHIND = "JUPYTERHUB_SERVICE_PREFIX" in os.environ or os.environ.get("CODESPACES") == "true"
c.ServerApp.jpserver_extensions = {
    "lottery_course.proxy": BEHIND,
    "jupyter_server_proxy": False,  # it would pass them on to every port
    "notebook_shim": False,  # it reads a deprecated setting, which warns
}
#: Lines that tell nobody anything: the address again, what JupyterLab itself shows, a mix-up of units.
KNOWN = ("To access the server", "is not trusted", "The websocket_ping_timeout (90000)")


def is_for_people(record):
    """Whether to print a line of the log. Of those for information, only the address is printed."""
    text = record.getMessage()
    if record.levelno == logging.INFO and text.startswith("http"):
        told = _("JupyterLab is at this address:\n\n    {address}\n\nCtrl-C stops it.", address=text)
        print(told, file=sys.stderr)
        if os.geteuid() == 0:
            place = ServerApp.instance().ip or _("every address")
            told = _("You are root: JupyterLab runs as root, and listens on {place}.", place=place)
            print(told, file=sys.stderr)
    return record.levelno >= logging.WARNING and not any(known in text for known in KNOWN)


def ask_for_winners():
    """Give a person at a terminal the time to save them, if the emulator ends with this server."""
    if other_labs(emulator("status")):
        return
    command = [sys.executable, "-m", "lottery_lib", "emulator", "stop", "--dry-run", "--json"]
    told = subprocess.run(command, stdout=subprocess.PIPE, env=OWN_SHELL, check=False).stdout
    if json.loads(told or "{}").get("lost") and sys.stdin.isatty():  # it can also fail for another reason
        input(_("Save them in another terminal, then press Enter here.") + " ")


if os.environ.get("LOTTERY_LAB_PID") == str(os.getpid()):
    atexit.register(ask_for_winners)
    # A browser sends a cookie to every port of this machine, but only to the path that the cookie has. A page
    # that another user serves here does not know the path, so it does not get the cookie. The next server
    # does not accept it.
    c.ServerApp.jpserver_extensions |= {"lottery_lib.private_jupyter": True}
    c.ServerApp.base_url = f"/{secrets.token_urlsafe(12)}/"
    c.ServerApp.cookie_secret = secrets.token_bytes(32)
    # A browser looks for `localhost` at ::1, too, where another user may listen.
    c.ServerApp.ip = "127.0.0.1"
    if os.geteuid() == 0:  # root is usual in a container, where JupyterLab would refuse to start
        c.ServerApp.allow_root = True
    if "--debug" not in sys.argv:
        c.Application.logging_config = {
            "filters": {"for people": {"()": lambda: is_for_people}},
            "handlers": {"console": {"filters": ["for people"]}},
        }

# On JupyterHub, a person's emulator ends with their server: `Stop My Server` leaves no process.
if "JUPYTERHUB_SERVICE_PREFIX" in os.environ:
    os.environ["LOTTERY_LAB_PID"] = str(os.getpid())
