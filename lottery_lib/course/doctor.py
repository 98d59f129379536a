"""Look whether this machine can run the course, and say what to do where it cannot."""

import contextlib
import json
import os
import shutil
import socket
import sys
import tempfile
import tomllib
import webbrowser
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import nbclient
import nbformat
import psutil

from lottery_lib.aws_errors import explained
from lottery_lib.errors import LotteryError
from lottery_lib.names import CHECKOUT, Names
from lottery_lib.resources import iam_role, lambda_function, log_group
from lottery_lib.target import Target, connect, emulator_status, shared_emulator, stop_emulator
from lottery_lib.view.graph import graph_view

__all__ = ["examine", "missing"]

#: The emulator and its sixteen workers, as `make bench` measures them.
MEMORY_MB: Final = 249 + 16 * 36.5
#: A rehearsal leaves less than 1 MB; the rest is what the system itself wants to have free.
DISK_MB: Final = 100
MB: Final = 1_000_000

Finding = dict[str, Any]


class _WrongError(Exception):
    """What a check found, as one sentence without its full stop; what to do stands with the check."""


def examine(edition: str | None = None, only: Collection[str] = ()) -> list[Finding]:
    """Check all that a lesson needs; an emulator that the checks have started ends with them.

    Args:
        edition: Whose names the target is asked for; by default ``LOTTERY_EDITION``.
        only: The names of the checks to make, by default all.

    Returns:
        One entry a check: ``check``, ``ok``, ``detail`` and ``next`` (what to do; empty when ok).
    """
    before = _shared_emulator()
    try:
        return [_finding(*check) for check in _checks(edition) if not only or check[0] in only]
    finally:
        if _shared_emulator() != before:  # whether it answers or not
            stop_emulator()


def missing(findings: Sequence[Finding]) -> list[str]:
    """What the findings say to a person: a sentence and a next step for each that is not ok."""
    return [f"{each['check']}: {each['detail']}. {each['next']}." for each in findings if not each["ok"]] or [
        f"Nothing is missing on this machine, by {len(findings)} checks."
    ]


def _shared_emulator() -> object:
    with contextlib.suppress(LotteryError):  # its folder cannot be made, as a check will say
        return shared_emulator()
    return None


def _checks(edition: str | None) -> Iterator[tuple[str, Callable[[], str], str]]:
    log = "Look into emulator.log, in the folder that `python -m lottery_lib emulator status` tells"
    yield "python", _python, "Install Python 3.11 or newer and run `make install` again"
    yield "packages", _packages, "Run `make install` again, then start with `make lab`"
    yield "graph", _graph, "Run `make install` again: it brings the graphviz-pure wheel"
    yield (
        "memory",
        _memory,
        "Close other programs: the system may kill the emulator or a kernel without a word",
    )
    yield "disk", _disk, "Delete something, or set XDG_STATE_HOME to a folder on another disk"
    yield "folders", _folders, "Put the course into a folder of your own, such as one in your home folder"
    yield "loopback", _loopback, "Let the firewall or security program allow connections to 127.0.0.1"
    yield (
        "kernel",
        _kernel,
        (
            "Run `make clean install`; if that does not help, remove the `python3` outside this folder that "
            "`jupyter kernelspec list` shows"
        ),
    )
    yield "browser", _browser, "Install a browser, or copy the address that `make lab` prints into yours"
    yield "target", lambda: repr(connect(edition=edition)), log
    if os.environ.get("LOTTERY_TARGET") != "aws":  # there a call costs, and the role is not ours to make
        yield "lambda", lambda: _lambda(connect(edition=edition)), log


def _finding(check: str, look: Callable[[], str], next_step: str) -> Finding:
    try:
        return {"check": check, "ok": True, "detail": look(), "next": ""}
    except LotteryError as error:
        detail, next_step = f"{error.where}: {error.what}", error.next_step
    except _WrongError as wrong:
        detail = str(wrong)
    except Exception as error:  # a doctor reports, whatever it finds
        detail = f"{type(error).__name__}: {error}"
    return {"check": check, "ok": False, "detail": detail, "next": next_step}


def _python() -> str:
    # Older ones cannot read this file; what is left to say is which one it is.
    return f"{sys.version.split()[0]} at {sys.prefix}"


def _packages() -> str:
    """Compare what is installed with the one list of dependencies, not with what `make install` once read."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - only here, and pip's own parser

    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [Requirement(line) for line in project["dependencies"]]
    wanted = [each for each in requirements if each.marker is None or each.marker.evaluate()]
    wrong = [str(each) for each in wanted if not each.specifier.contains(_version(each.name))]
    if wrong:
        raise _WrongError(f"not installed, or in another version: {', '.join(wrong)}")
    return f"{len(wanted)} packages as wanted"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "0"  # no range allows it


def _graph() -> str:
    view = graph_view({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    return f"drawn, {len(view.svg)} characters of SVG"


def _memory() -> str:
    return _enough(psutil.virtual_memory().available / MB, MEMORY_MB, "in memory")


def _disk() -> str:
    folder = emulator_status()["folder"]
    return _enough(shutil.disk_usage(folder).free / MB, DISK_MB, f"on the disk of {folder}")


def _enough(free: float, needed: float, where: str) -> str:
    if free < needed:
        raise _WrongError(f"{free:.0f} MB are free {where}, and {needed:.0f} MB are needed")
    return f"{free:.0f} MB are free {where}, {needed:.0f} MB are needed"


def _folders() -> str:
    folders = [str(CHECKOUT / "notebooks"), emulator_status()["folder"]]
    for folder in folders:
        with tempfile.TemporaryFile(dir=folder):
            pass
    return f"{' and '.join(folders)} can be written to"


def _loopback() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        socket.create_connection(address, timeout=5).close()
    return f"port {address[1]} was free and could be reached"


def _kernel() -> str:
    """Start the kernel that every notebook asks for, and look whose Python it is."""
    cell = nbformat.v4.new_code_cell("import sys, lottery_lib\nprint(sys.prefix)")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    client = nbclient.NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        resources={"metadata": {"path": str(CHECKOUT / "notebooks")}},  # elsewhere it may import another kit
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # it would warn of its ports
    )
    command = client.create_kernel_manager().format_kernel_cmd()[0]
    try:
        with client.setup_kernel():
            client.execute_cell(cell, 0)
    except Exception as error:
        raise _WrongError(f"`python3`, which is {command}, runs no cell: {_first_line(error)}") from error
    prefix = cell.outputs[-1].text.strip()
    if not Path(prefix).samefile(sys.prefix):
        raise _WrongError(f"`python3` is the Python at {prefix}, not the one at {sys.prefix}")
    return f"`python3` starts {command}"


def _first_line(error: Exception) -> str:
    return str(getattr(error, "evalue", error)).partition("\n")[0]


def _browser() -> str:
    try:
        return f"{_name(webbrowser.get())} will be opened by `make lab`"
    except webbrowser.Error as error:
        if _has_a_screen(os.environ):
            raise _WrongError("Python finds no browser to open") from error
        return "no screen here: open the address that `make lab` prints where there is one"


def _name(browser: Any) -> str:
    return getattr(browser, "name", "") or "the usual browser"


def _has_a_screen(environ: Mapping[str, str]) -> bool:
    return sys.platform in ("win32", "darwin") or bool(
        environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    )


@explained()
def _lambda(target: Target) -> str:
    """Call a function of the course, under names that no lesson uses, and delete it again."""
    mine = target.named(Names(attendee=f"doctor-{os.getpid()}"))
    name = mine.names.function("InputWinners")
    try:
        role = iam_role.ensure(mine, iam_role.lambda_role(mine))
        log_group.ensure(mine, mine.names.log_group(name))
        lambda_function.ensure(mine, lambda_function.for_purpose(mine, "InputWinners", role.arn))
        reply = mine.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"input": 2}))
        if "FunctionError" in reply:
            raise _WrongError(f"a function cannot run: {json.load(reply['Payload']).get('errorMessage')}")
    finally:
        lambda_function.delete(mine, name)
        log_group.delete(mine, mine.names.log_group(name))
        iam_role.delete(mine, mine.names.lambda_role)
    return "a worker started and ran a function"
