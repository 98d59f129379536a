"""Settings of every kernel in this environment; `make install` copies this file to .venv/etc/ipython.

A kernel has a TCP port to which forked children send what they print. It is for every user of this machine:
what another user sends there appears below the cell that runs. So kernels have no such port. What a forked
child prints is lost.

IPython would also keep all that people type, in a file that everybody can read. So this stays in memory.
"""

import os
import sys
from pathlib import Path

from ipykernel.iostream import IOPubThread

IOPubThread._setup_pipe_in = lambda self: setattr(self, "_pipe_flag", False)

# `!lottery` finds the command of this environment, whatever has started the kernel.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])

c = get_config()  # noqa: F821
c.HistoryManager.hist_file = ":memory:"
# A cell that uses a name without a value gets a sentence, also after a restart, before the first cell runs.
c.InteractiveShellApp.extensions.append("lottery_course.missing_names")
