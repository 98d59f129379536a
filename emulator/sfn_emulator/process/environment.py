"""Choose the environment variables that the emulator and its workers get."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

from sfn_emulator.errors import EmulatorError
from sfn_emulator.translation import _, language

Clock = Literal["machine", "skipping", "virtual"]
"""How time goes: as on this machine, or so, and over all pauses, or only when it is told."""

#: With these variables, boto3 does not read the user's settings, and does not ask this machine for a role.
NO_AWS: Final = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "BOTO_CONFIG": os.devnull,
}
# An operating system, or a Python that was moved, may need these to start a program.
_NEEDED: Final = (
    "COMSPEC", "DYLD_LIBRARY_PATH", "LD_LIBRARY_PATH", "PATHEXT", "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "TMP",
    "TMPDIR", "WINDIR",
)  # fmt: skip
# The emulator itself reads these: where the user's state folder is, and a mail server.
_READ: Final = (
    "APPDATA", "HOME", "LOCALAPPDATA", "SMTP_HOST", "SMTP_PORT", "USERPROFILE", "XDG_STATE_HOME",
)  # fmt: skip
_SETTINGS: Final = "SFN_EMULATOR_"
#: The name that Step Functions Local has for this setting.
MOCK_CONFIG: Final = "SFN_MOCK_CONFIG"
#: The variables of the settings, by the names that Python has for them.
SETTINGS: Final = {
    **{name: f"{_SETTINGS}{name.upper()}" for name in ("clock", "fork", "iam", "lang")},
    "mock_config": MOCK_CONFIG,
}


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables with which the emulator is executed. A function can read them, so they hold no secret."""
    kept = {
        name: value
        for name, value in environ.items()
        if name.upper() in _READ or name.upper().startswith(_SETTINGS)
    }
    if path := mock_config(environ):
        kept[MOCK_CONFIG] = str(path.absolute())  # the emulator works in a folder of its own
    root = Path(__file__).resolve().parents[2]
    ours = {"PYTHONPATH": str(root), "PYTHONUTF8": "1"}
    if sys.platform == "linux":
        # The memory of large objects, such as zips, then goes back to the system when they are freed, and
        # that of small ones when we ask for it. Python's own allocator keeps a megabyte for each one left.
        # Threads share one heap, because they seldom run at the same time.
        ours |= {"MALLOC_MMAP_THRESHOLD_": "1000000", "PYTHONMALLOC": "malloc", "MALLOC_ARENA_MAX": "1"}
    return bare_environment(environ) | {"SFN_EMULATOR_LANG": language()} | kept | ours


def execute_cleanly(environ: Mapping[str, str]) -> None:
    """Execute this program again with `clean_environment`, unless it has these variables already.

    On Linux, a function can read in ``/proc`` with which variables a program was executed. Windows has no
    such folder, and cannot execute another program in the same process.
    """
    clean = clean_environment(environ)
    # Python or the system may have added a variable.
    if os.name == "posix" and not clean.items() <= os.environ.items():
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(sys.executable, sys.orig_argv, clean)
    os.environ.update(clean)


def bare_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a worker needs to run Python, and `NO_AWS`.

    ``NO_PROXY=*`` keeps macOS and Windows from asking the system for a proxy.
    """
    kept = {name: value for name, value in environ.items() if name.upper() in _NEEDED}
    path = environ.get("PATH", "") if sys.platform == "win32" else "/usr/local/bin:/usr/bin:/bin"
    ours = {"PATH": path or os.defpath, "LANG": "en_US.UTF-8", "NO_PROXY": "*", "no_proxy": "*"}
    return kept | ours | NO_AWS


def enforces_iam(environ: Mapping[str, str]) -> bool:
    """Whether roles are enforced: ``SFN_EMULATOR_IAM`` is ``on`` (the default) or ``off``.

    Raises:
        EmulatorError: It has another value.
    """
    setting = environ.get("SFN_EMULATOR_IAM", "on")
    if setting not in {"on", "off"}:
        what, next_step = _("it is {setting!r}", setting=setting), _("Set it to on or off, or leave it out")
        raise EmulatorError("SFN_EMULATOR_IAM", what, next_step)
    return setting == "on"


def forks_workers(environ: Mapping[str, str]) -> bool:
    """Whether workers are forked: on Linux, unless ``SFN_EMULATOR_FORK`` is ``off``.

    macOS can fork, but its own libraries may then crash the new process. Windows cannot fork.
    """
    return sys.platform == "linux" and environ.get("SFN_EMULATOR_FORK") != "off"


def clock(environ: Mapping[str, str]) -> Clock:
    """How time goes: ``SFN_EMULATOR_CLOCK``; by default it is ``machine``.

    Raises:
        EmulatorError: It has another value.
    """
    setting = environ.get("SFN_EMULATOR_CLOCK") or "machine"
    if setting not in get_args(Clock):
        what = _("it is {setting!r}", setting=setting)
        raise EmulatorError("SFN_EMULATOR_CLOCK", what, _("Set it to machine, skipping or virtual"))
    return cast("Clock", setting)


def mock_config(environ: Mapping[str, str]) -> Path | None:
    """The file with test cases: ``SFN_MOCK_CONFIG``; None if it is not set."""
    setting = environ.get(MOCK_CONFIG)
    return Path(setting) if setting else None


def own_group() -> dict[str, Any]:
    """Arguments of `subprocess.Popen` that give the new process a group of its own."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
