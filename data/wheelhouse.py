"""Write the packages into a folder for a stick, so that machines without a network can install the kit.

Usage: ``.venv/bin/python data/wheelhouse.py STICK``. All of them are wheels: they install without a compiler.
"""

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from install import BUILT, LOCK, wheelhouse

from lottery_lib.translation import _

README = _("""\
The packages of the lottery workshop for {system} {machine} and Python {python}. They need no network.
Copy this folder and the course to a stick. On each laptop, copy the course to the disk. Type there:
    make lab WHEELHOUSE=/path/to/{name}
pip checks each file against {lock} of the course. If that changes, run `make wheelhouse` again.
""")


def built(folder, lock):
    """A line for each wheel that the lock does not know, because pip built it here: its pin and its hash."""
    for wheel in sorted(folder.glob("*.whl")):
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if digest not in lock:
            name, version, *_ = wheel.name.split("-")
            yield f"{name.replace('_', '-')}=={version} --hash=sha256:{digest}\n"


def main():
    """Fetch or build each package of the lock for this system and this Python; returns what stopped it."""
    folder = Path(sys.argv[1]) / wheelhouse()
    shutil.rmtree(folder, ignore_errors=True)  # older packages
    fetch = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    fetch += ["--require-hashes", "--requirement", LOCK, "--wheel-dir", str(folder)]
    print(_("Writing {folder}. It takes one or two minutes.", folder=folder), flush=True)
    if subprocess.run(fetch, check=False).returncode:
        return _("pip stopped: its lines above say why. Run the same command again.")
    lock = Path(LOCK).read_text(encoding="utf-8")
    (folder / BUILT).write_text("".join(built(folder, lock)), encoding="utf-8")
    named = {"system": platform.system(), "machine": platform.machine(), "name": folder.name, "lock": LOCK}
    text = README.format(python="{}.{}".format(*sys.version_info), **named)
    (folder / "README.txt").write_text(text, encoding="utf-8")
    size = sum(path.stat().st_size for path in folder.iterdir()) // 10**6
    print(_("{folder} is ready: {size} MB. Its README.txt says how to use it.", folder=folder, size=size))
    return None


if __name__ == "__main__":
    sys.exit(main())
