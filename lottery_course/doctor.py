"""Check whether this machine can run the course, and say what to do if it cannot."""

import contextlib
import json
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Collection, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final, TypedDict

import nbformat
import psutil
from packaging.requirements import Requirement

from lottery_course.cells import NOTEBOOKS_FOLDER
from lottery_course.notebooks import run
from lottery_lib import plan
from lottery_lib.errors import LotteryError
from lottery_lib.local_emulator import emulator
from lottery_lib.names import KIT, Names
from lottery_lib.resources.base import Resource  # noqa: TC001
from lottery_lib.resources.log_group import LogGroup
from lottery_lib.target import Target, connect
from lottery_lib.translation import N_, WORK, _, language, punctuated, translated
from lottery_lib.view.graph import graph_view

#: The emulator and its sixteen workers, which share memory if they are forked. A test compares this with
#: benchmarks/results.json.
MEMORY_MB: Final = 155 + 16 * (13.2 if sys.platform == "linux" else 36.5)
#: A rehearsal leaves less than 1 MB. The system itself needs the rest.
DISK_MB: Final = 100
MB: Final = 2**20
_SMALLEST: Final = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
_LOG: Final = _("Look into emulator.log, in the folder that `lottery emulator status` shows")


class Finding(TypedDict):
    """The result of one check, and what to do next; `next` is empty if all is well."""

    check: str
    ok: bool
    detail: str
    next: str


#: What a check found: whether all is well, and a text that says it, without a full stop.
Result = tuple[bool, str]


def examine(edition: str | None = None, only: Collection[str] = ()) -> list[Finding]:
    """Check everything that a lesson needs. An emulator that the checks start is stopped again.

    Args:
        edition: The edition of the target's names; by default ``LOTTERY_EDITION``.
        only: The names of the checks to make; by default all.
    """
    checks: dict[str, tuple[Callable[[], Result], str]] = {
        N_("packages"): (_packages, _("Run `make install` again, then start with `make lab`")),
        N_("graph"): (
            lambda: (True, _("drawn, {count} characters of SVG", count=len(graph_view(_SMALLEST).svg))),
            _("Run `make install` again: it installs the graphviz-pure wheel"),
        ),
        N_("memory"): (
            lambda: _enough(psutil.virtual_memory().available, MEMORY_MB, _("in memory")),
            _("Close other programs: the system can stop the emulator or a kernel without a message"),
        ),
        N_("folders"): (
            _folders,
            _("Move the course into a folder of your own, such as one in your home folder"),
        ),
        N_("disk"): (_disk, _("Delete something, or set XDG_STATE_HOME to a folder on another disk")),
        N_("kernel"): (
            _kernel,
            _(
                "Run `make clean install`, and let the firewall allow connections to 127.0.0.1. If that does "
                "not help, remove the `python3` outside this folder that `jupyter kernelspec list` shows"
            ),
        ),
        N_("target"): (lambda: (True, repr(connect(edition=edition))), _LOG),
        N_("lambda"): (lambda: _lambda(connect(edition=edition)), _LOG),
    }
    if os.environ.get("LOTTERY_TARGET") == "aws":
        del checks["lambda"]  # a call costs money there, and attendees may not create each role
    with contextlib.ExitStack() as after:
        with contextlib.suppress(LotteryError):  # its folder cannot be made; the check of the disk reports it
            if not emulator("status")["running"]:
                after.callback(emulator, "stop")
        return [_finding(check, *checks[check]) for check in checks if not only or check in only]


def missing(findings: Sequence[Finding]) -> list[str]:
    """One line with the next step for each finding that is not ok."""
    lines = [
        str(LotteryError(translated(language(), bad["check"]), bad["detail"], bad["next"]))
        for bad in findings
        if not bad["ok"]
    ]
    return lines or [_("All {count} checks passed: nothing is missing on this machine.", count=len(findings))]


def _finding(check: str, run_check: Callable[[], Result], next_step: str) -> Finding:
    try:
        ok, detail = run_check()
    except LotteryError as error:
        ok, next_step = False, error.next_step
        detail = punctuated("{key}: {value}", key=error.where, value=error.what)
    except Exception as error:  # if a check breaks, the other checks still run
        ok, detail = False, f"{type(error).__name__}: {error}"
    return {"check": check, "ok": ok, "detail": detail, "next": "" if ok else next_step}


def _packages() -> Result:
    """Compare the installed packages with pyproject.toml, which can be newer than the last `make install`."""
    project = tomllib.loads((KIT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [Requirement(line) for line in project["dependencies"]]

    def is_met(requirement: Requirement) -> bool:
        with contextlib.suppress(metadata.PackageNotFoundError):
            return requirement.specifier.contains(metadata.version(requirement.name))
        return False

    if wrong := ", ".join(str(requirement) for requirement in requirements if not is_met(requirement)):
        return False, _("not installed, or in another version: {packages}", packages=wrong)
    python = {"count": len(requirements), "version": sys.version.split()[0], "folder": sys.prefix}
    return True, _("all {count} are installed, in Python {version} at {folder}", **python)


def _enough(free_bytes: float, needed: float, where: str) -> Result:
    free = free_bytes / MB
    amounts = {"free": f"{free:.0f}", "needed": f"{needed:.0f}"}
    return free >= needed, _("{free} MB are free {where}, and {needed} MB are needed", where=where, **amounts)


def _state_folder() -> str:
    """The folder of the emulator's files."""
    return str(emulator("status")["folder"])


def _disk() -> Result:
    folder = _state_folder()
    return _enough(shutil.disk_usage(folder).free, DISK_MB, _("on the disk of {folder}", folder=folder))


def _folders() -> Result:
    folders = [str(WORK if WORK.exists() else WORK.parent), _state_folder()]
    for folder in folders:
        with tempfile.TemporaryFile(dir=folder):
            pass
    return True, _("{first} and {second} can be written to", first=folders[0], second=folders[1])


def _kernel() -> Result:
    """Start the kernel that every notebook asks for, and compare its Python with this one."""
    cell = nbformat.v4.new_code_cell("import sys, lottery_lib\nprint(sys.prefix)")
    if error := run(nbformat.v4.new_notebook(cells=[cell]), NOTEBOOKS_FOLDER):
        return False, _("`python3` runs no cell: {error}", error=error)
    prefix = cell.outputs[-1].text.strip()
    if not Path(prefix).samefile(sys.prefix):
        places = {"folder": prefix, "wanted": sys.prefix}
        return False, _("`python3` is the Python at {folder}, not the one at {wanted}", **places)
    return True, _("`python3` is the Python at {folder}", folder=prefix)


def _lambda(target: Target) -> Result:
    """Deploy a function under names that no lesson uses, call it, and delete it."""
    mine = target.named(Names(attendee=f"doctor-{os.getpid()}"))
    function = plan.function(mine, "InputWinners")
    group = LogGroup(mine, mine.names.log_group(function.name))
    resources: list[Resource[Any]] = [plan.lambda_role(mine), group, function]
    try:
        for resource in resources:
            resource.ensure()
        reply = mine.kit_client("lambda").invoke(FunctionName=function.name, Payload=json.dumps({"input": 2}))
        if "FunctionError" in reply:
            reason = json.load(reply["Payload"]).get("errorMessage")
            return False, _("a function cannot run: {reason}", reason=reason)
    finally:
        for resource in reversed(resources):
            resource.delete()
    if target.kind == "embedded" and emulator("status")["workers"] == "forked":
        return True, _("a worker was forked and ran a function")
    return True, _("a worker was started and ran a function")
