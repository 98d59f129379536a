"""Install the kit: say first what is missing, then show how far it is. It needs nothing but Python.

It speaks the language of the kit. A Python that is too old for the kit's `translation` gets English.

Usage: ``python3 data/install.py FOLDER [STICK]``; the folder gets the environment. Its packages come from
pip's index, or from what `make wheelhouse` has written to a stick.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
try:
    from lottery_lib.translation import _
except Exception:  # whatever such a Python says of the code

    def _(message, **values):
        return message.format(**values)


ROOM = 1500  # megabytes: the packages, and pip's copies of them while it unpacks
AGAIN = _("Then run the same command again.")
LOCK = "requirements.lock"
BUILT = "built.txt"  # on a stick: the hashes of the wheels that no index has


def missing(folder):
    """What this machine lacks, in one sentence with what to do; None if it lacks nothing."""
    if sys.version_info < (3, 11):  # noqa: UP036 - it may be any Python
        return _("Python 3.11 or newer is needed: make install PYTHON=/path/to/python3.12")
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian has it in a package of its own
        import venv  # noqa: F401, PLC0415
    except ImportError:
        return _(
            "This Python has no venv. On Debian and Ubuntu: sudo apt install python3-venv. {again}",
            again=AGAIN,
        )
    free = shutil.disk_usage(folder).free // 10**6
    if free < ROOM:
        told = {"free": free, "room": ROOM, "again": AGAIN}
        return _("{free} MB are free here, and the kit needs {room} MB. Delete something. {again}", **told)
    return None


def wheelhouse():
    """The name of the folder that has the packages for this system and this Python."""
    system, version = platform.system().lower(), "{}.{}".format(*sys.version_info)
    return f"wheelhouse-{system}-{platform.machine()}-py{version}"


def on_stick(place):
    """That folder, in the place or the place itself; or None."""
    folder = place if place.name == wheelhouse() else place / wheelhouse()
    return folder.resolve() if folder.is_dir() else None


def with_built(lock, built):
    """The lock, with the hashes of the wheels that were built for the stick, if they have its versions."""
    for line in built.splitlines():
        pin, digest = line.split()
        lock = re.sub(rf"^{re.escape(pin)} .*\n", rf"\g<0>    {digest} \\\n", lock, flags=re.MULTILINE)
    return lock


def reach(python, lock):
    """Fetch one package, to see that pip reaches its index; returns a sentence if it does not."""
    small = re.search(r"^click==[^\s;]+", lock, re.MULTILINE)[0]
    with tempfile.TemporaryDirectory() as folder:
        fetch = [python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        fetch += ["--no-input", "--retries", "1", "--timeout", "10", "--dest", folder, small]
        done = subprocess.run(fetch, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
    step = _("Set HTTPS_PROXY if your network has a proxy")
    if proxy:
        step = _("Check HTTPS_PROXY, which is {proxy}", proxy=re.sub("//[^@/]*@", "//", proxy))  # no password
    reason = (done.stderr.strip().splitlines() or [_("it gave no reason")])[0]
    return _(
        "pip cannot fetch packages from its index. {step}, or set PIP_INDEX_URL to a mirror that you can "
        "reach. {again}\npip says: {reason}",
        step=step,
        again=AGAIN,
        reason=reason,
    )


def fetch(python, lock, *source):
    """Install the packages of the lock, each checked against it, and show how many pip has found."""
    text, found, last = lock.read_text(encoding="utf-8"), 0, ""
    count = len(re.findall(r"^[\w.-]+==", text, re.MULTILINE))
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    pip += ["--progress-bar", "off", "--require-hashes", "--requirement", str(lock), *source]
    with subprocess.Popen(pip, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            if not last.startswith("ERROR"):  # what follows it are details
                last = line.strip() or last
            if line.startswith("Collecting "):
                found += 1
                told = _("Fetching the packages: {found} of {count}", found=found, count=count)
                show(told, always=found % 25 == 0)
            elif line.startswith("Installing collected"):
                show(_("Unpacking {count} packages. This takes half a minute.", count=found), always=True)
    if process.returncode:
        sys.exit(
            _(
                "pip stopped: {last}\nRun the same command again. If it stops again, ask with these lines.",
                last=last,
            )
        )


def show(text, always):
    """Show how far it is: in one line on a terminal, else a line now and then."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="\n" if text.endswith((".", "。")) else "", flush=True)
    elif always:
        print(text, flush=True)


def main():
    """Install into the folder that the command line names; returns what stopped it."""
    folder, *stick = map(Path, sys.argv[1:])
    if sentence := missing(folder.resolve().parent):
        return sentence
    packages = on_stick(stick[0]) if stick else None
    if stick and not packages:
        return _(
            "{place} has no folder {folder}, which this system and this Python need. Ask for it, or leave "
            "out WHEELHOUSE if you have a network.",
            place=stick[0],
            folder=wheelhouse(),
        )
    print(_("Installing into {folder}, once. It takes one or two minutes.", folder=folder), flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python, lock, source = str(folder / "bin" / "python"), Path(LOCK).read_text(encoding="utf-8"), []
    if packages:
        lock = with_built(lock, (packages / BUILT).read_text(encoding="utf-8"))
        source = ["--no-index", "--find-links", str(packages)]
    elif sentence := reach(python, lock):
        return sentence
    (folder / LOCK).write_text(lock, encoding="utf-8")
    fetch(python, folder / LOCK, *source)
    return None


if __name__ == "__main__":
    sys.exit(main())
