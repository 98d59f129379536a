"""Choose the environment variables that the emulator and its workers get."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lottery_lib.emulator.process.errors import EmulatorError

# The emulator must not use the user's proxies, profiles and module paths, or settings of moto.
_DROPPED: Final = ("AWS_", "BOTO_", "MOTO_", "PYTHON")
_PROXIES: Final = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")
# An operating system, or a Python that was moved, may need these to start a program.
_NEEDED: Final = (
    "COMSPEC", "DYLD_LIBRARY_PATH", "LD_LIBRARY_PATH", "PATHEXT", "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "TMP",
    "TMPDIR", "WINDIR",
)  # fmt: skip


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The user's variables without those that would change how the emulator behaves.

    ``NO_PROXY=*`` keeps macOS and Windows from asking the system for a proxy.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(_DROPPED) and name.lower() not in _PROXIES
    }
    root = Path(__file__).resolve().parents[3]
    return kept | {"NO_PROXY": "*", "no_proxy": "*", "PYTHONPATH": str(root), "PYTHONUTF8": "1"}


def bare_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that the operating system needs to run Python. A function sees no others of the user."""
    kept = {name: value for name, value in environ.items() if name.upper() in _NEEDED}
    path = environ.get("PATH", "") if sys.platform == "win32" else "/usr/local/bin:/usr/bin:/bin"
    return kept | {"PATH": path or os.defpath, "LANG": "en_US.UTF-8", "NO_PROXY": "*", "no_proxy": "*"}


def enforces_iam(environ: Mapping[str, str]) -> bool:
    """Whether roles are enforced: ``LOTTERY_EMULATOR_IAM`` is ``on`` (the default) or ``off``.

    Raises:
        EmulatorError: It is something else.
    """
    setting = environ.get("LOTTERY_EMULATOR_IAM", "on")
    if setting not in {"on", "off"}:
        next_step = "Set it to on or off, or leave it out"
        raise EmulatorError("LOTTERY_EMULATOR_IAM", f"it is {setting!r}", next_step)
    return setting == "on"


def forks_workers(environ: Mapping[str, str]) -> bool:
    """Whether workers are forked: on Linux, unless ``LOTTERY_EMULATOR_FORK`` is ``off``.

    macOS can fork, but its own libraries may then crash the new process. Windows cannot fork.
    """
    return sys.platform == "linux" and environ.get("LOTTERY_EMULATOR_FORK") != "off"


def retry_pace(environ: Mapping[str, str]) -> float:
    """By what the interval of a Retry is multiplied: ``LOTTERY_EMULATOR_RETRY_PACE``, or 1.

    With less than 1, tests wait less.
    """
    return float(environ.get("LOTTERY_EMULATOR_RETRY_PACE") or 1)


def own_group() -> dict[str, Any]:
    """Arguments of `subprocess.Popen` that give the new process a group of its own."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
