"""A class on one machine, made as docs/classroom.md says, and removed again: the kit, the hub, the users.

Other users must be able to read the kit and its Python, so the kit is copied to a folder that they can enter.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from helpers import free_port, wait_until
from hub.person import Person

ROOT = Path(__file__).resolve().parents[2]
GROUP = "lottery"
#: Ids that no other test gives to a user.
USER_IDS = ("-K", "UID_MIN=21000", "-K", "UID_MAX=21999")
MB = 1 << 20


def run(*command: str, **options: object) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@contextlib.contextmanager
def shared_kit() -> Iterator[Path]:
    """A copy of the kit that belongs to root, with the hub in its environment. Everybody can read it."""
    folder = Path(tempfile.mkdtemp(prefix="lottery-hub-", dir="/opt"))
    try:
        folder.chmod(0o755)
        names = run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT).splitlines()
        for name in names:
            if (ROOT / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        run("chmod", "-R", "a+rX", str(folder))
        own = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL"}}
        run("make", "hub", f"PYTHON={python_for_all()}", cwd=folder, env=own)
        yield folder
    finally:
        shutil.rmtree(folder)


def python_for_all() -> str:
    """A Python that other users can start. A version manager's own may lie in root's home."""
    system = shutil.which("python3", path="/usr/local/bin:/usr/bin")
    assert system, f"other users can start no Python: {sys.executable} may lie in a home folder"
    return system


class Class:
    """A running hub, and those who may log in.

    Args:
        kit: The shared copy of the kit.
        folder: The hub's own folder.
    """

    def __init__(self, kit: Path, folder: Path) -> None:
        self.kit = kit
        self.folder = folder
        self.port, hub_port, proxy_port = free_port(), free_port(), free_port()
        self.address = f"http://127.0.0.1:{self.port}/"
        self.passwords: dict[str, str] = {}
        self._command = [
            str(kit / ".venv/bin/jupyterhub"),
            f"--config={kit / 'data/hub/jupyterhub_config.py'}",
            f"--JupyterHub.bind_url={self.address}",
            f"--JupyterHub.hub_port={hub_port}",
            f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{proxy_port}",
        ]

    @property
    def log(self) -> str:
        """What the hub and all servers have written."""
        return (self.folder / "hub.log").read_text("utf-8", "replace")

    @contextlib.contextmanager
    def running(self) -> Iterator["Class"]:
        """Run the hub, and remove its users at the end."""
        with (self.folder / "hub.log").open("w") as log:
            process = subprocess.Popen(
                self._command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        try:
            wait_until(lambda: "JupyterHub is now running" in self.log or process.poll() is not None)
            assert process.poll() is None, self.log
            yield self
        finally:
            hub = psutil.Process(process.pid)
            for each in [
                *hub.children(recursive=True),
                hub,
            ]:  # a hub that ends by itself waits for each server
                with contextlib.suppress(psutil.Error):
                    each.kill()
            process.wait()
            for name in list(self.passwords):
                self.remove(name)

    def add(self, name: str) -> None:
        """Make a user of this machine."""
        run("groupadd", "--force", GROUP)
        run("useradd", "--create-home", "--groups", GROUP, *USER_IDS, "-K", "HOME_MODE=0700", name)
        self.passwords[name] = secrets.token_urlsafe(12)
        run("chpasswd", input=f"{name}:{self.passwords[name]}")

    def remove(self, name: str) -> None:
        """Remove a user, with the processes and the home."""
        for process in processes_of(name):
            with contextlib.suppress(psutil.Error):
                process.kill()
        wait_until(lambda: not processes_of(name))
        run("userdel", "--remove", name)
        del self.passwords[name]

    def log_in(self, name: str) -> Person:
        """Somebody who has logged in, without a browser."""
        return Person(self.address, name, self.passwords[name])


def processes_of(name: str) -> list[psutil.Process]:
    """What runs as a user, without what has ended already."""
    user = pwd.getpwnam(name).pw_uid
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.uids().real == user and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def memory_of(name: str) -> float:
    """The memory of all processes of a user in megabytes. What others share counts only in part (PSS)."""
    total = 0
    for process in processes_of(name):
        with contextlib.suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total / MB


def all_at_once(function, arguments) -> list:
    """The results of a function that is called for all arguments at the same time."""
    with ThreadPoolExecutor(len(arguments)) as threads:
        return list(threads.map(function, arguments))


def seconds(function) -> float:
    """How long a call takes."""
    begun = time.monotonic()
    function()
    return time.monotonic() - begun
