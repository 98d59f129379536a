"""JupyterHub for a class on one machine: docs/classroom.md says how to use it.

Addresses and certificates stand on the command line, so nobody has to edit this file.
"""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821
ENVIRONMENT, HERE = Path(sys.prefix), Path(__file__).resolve().parent

# The people of the class are users of this machine, in one group, and log in with their passwords.
c.PAMAuthenticator.allowed_groups = {"lottery"}
c.PAMAuthenticator.open_sessions = False  # a session of PAM is not needed, and some machines have none
c.ConfigurableHTTPProxy.command = str(
    ENVIRONMENT / "hub" / "node_modules" / ".bin" / "configurable-http-proxy"
)

c.Spawner.cmd = [sys.executable, str(HERE / "server.py")]
c.Spawner.default_url = "/lab/tree/lottery/00_overview.ipynb"
c.Spawner.environment = {"PATH": os.pathsep.join([str(ENVIRONMENT / "bin"), os.defpath])}
c.Spawner.http_timeout = 120  # thirty servers that start at the same time need a minute or two
c.Spawner.start_timeout = 120

# Somebody who has done nothing for an hour loses the server, and the emulator with it. Notebooks stay.
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
