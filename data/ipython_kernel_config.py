"""Settings of every kernel in this environment; `make install` copies this file to .venv/etc/ipython.

A kernel has a TCP port to which forked children send what they print. It is for every user of this machine:
what another user sends there appears below the cell that runs. So kernels have no such port. What a forked
child prints is lost.

IPython would also keep all that people type, in a file that everybody can read. So this stays in memory.
"""

from ipykernel.iostream import IOPubThread

IOPubThread._setup_pipe_in = lambda self: setattr(self, "_pipe_flag", False)

c = get_config()  # noqa: F821
c.HistoryManager.hist_file = ":memory:"
# A cell that uses a name without a value gets a sentence, also after a restart, before the first cell runs.
c.InteractiveShellApp.extensions.append("lottery_lib.course.missing_names")
