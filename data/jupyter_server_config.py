"""Settings of every Jupyter server in this environment; `make install` copies this file to .venv/etc/jupyter.

With them kernels and terminals find the command `lottery`, however the server was started. The emulator ends
with the server that `make lab` has started, so that server says which winners are lost.
"""

import atexit
import json
import os
import subprocess
import sys
from pathlib import Path

os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
# By default a terminal can be a login shell, whose /etc/profile sets PATH again on Debian.
get_config().ServerApp.terminado_settings = {"shell_command": [os.environ.get("SHELL") or "sh"]}  # noqa: F821


def ask_for_winners():
    """Give a person at a terminal the time to save them."""
    command = [sys.executable, "-m", "lottery_lib", "emulator", "stop", "--dry-run", "--json"]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout
    if json.loads(told or "{}").get("lost") and sys.stdin.isatty():  # it can also fail for another reason
        input("Save them in another terminal, then press Enter here. ")


if os.environ.get("LOTTERY_LAB_PID") == str(os.getpid()):
    atexit.register(ask_for_winners)
