"""Settings of every Jupyter server in this environment; `make install` copies this file to .venv/etc/jupyter.

With them kernels and terminals find the command `lottery`, however the server was started.
"""

import os
import sys
from pathlib import Path

os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
# By default a terminal can be a login shell, whose /etc/profile sets PATH again on Debian.
get_config().ServerApp.terminado_settings = {"shell_command": [os.environ.get("SHELL") or "sh"]}  # noqa: F821
