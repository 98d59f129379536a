"""Start a process in a session of its own, print its number, and end."""

import subprocess
import sys

sleep = ["sleep", sys.argv[1]]
print(subprocess.Popen(sleep, start_new_session=True, stdout=subprocess.DEVNULL).pid)
