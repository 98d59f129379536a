"""Look whether this machine can run the course, and say what to do where it cannot."""

import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any

from lottery_lib.errors import LotteryError
from lottery_lib.graph import graph_view
from lottery_lib.target import connect

__all__ = ["examine"]

PROJECT = "lottery-workshop"
Finding = dict[str, Any]


def examine() -> list[Finding]:
    """Check Python, the packages, the graph, and the target.

    Returns:
        One entry a check: ``check``, ``ok``, ``detail`` and ``next`` (what to do; empty when ok).
    """
    return [_finding(*check) for check in _checks()]


def _checks() -> Iterator[tuple[str, Callable[[], str], str]]:
    yield "python", _python, "Install Python 3.11 or newer and run `make install` again"
    yield "packages", _packages, "Run `make install` again, then start with `make lab`"
    yield "graph", _graph, "Run `make install` again: it brings the graphviz-pure wheel"
    yield "target", lambda: repr(connect()), "Read the sentence above; for the emulator, look into its log"


def _finding(check: str, look: Callable[[], str], next_step: str) -> Finding:
    try:
        return {"check": check, "ok": True, "detail": look(), "next": ""}
    except LotteryError as error:
        return {
            "check": check,
            "ok": False,
            "detail": f"{error.where}: {error.what}",
            "next": error.next_step,
        }
    except Exception as error:  # a doctor reports, whatever it finds
        return {"check": check, "ok": False, "detail": f"{type(error).__name__}: {error}", "next": next_step}


def _python() -> str:
    # Older ones cannot read this file; what is left to say is which one it is.
    return f"{sys.version.split()[0]} at {sys.prefix}"


def _packages() -> str:
    """Compare what is installed with the one list of dependencies, as the installed project carries it."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - only here, and pip's own parser

    requirements = [Requirement(line) for line in metadata.requires(PROJECT) or []]
    wanted = [each for each in requirements if each.marker is None or each.marker.evaluate()]
    wrong = [str(each) for each in wanted if not each.specifier.contains(metadata.version(each.name))]
    if wrong:
        raise RuntimeError(f"another version is installed than {', '.join(wrong)}")
    return f"{len(wanted)} packages as wanted"


def _graph() -> str:
    view = graph_view({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    return f"drawn, {len(view.svg)} characters of SVG"
