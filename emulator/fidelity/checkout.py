"""What our plugins do in LocalStack's checkout: its variables, its skips, and a line for each test."""

import json
import os
import sys
import types
from pathlib import Path
from typing import Any, Final

from scope import ignored, scope_of

#: The variable with the beginning of the names of the files with lines.
RESULTS: Final = "FIDELITY_RESULTS"
WORKER: Final = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
_SKIPS: Final = ("skip", "skipif", "xfail")


def prepare(endpoint: str, key: str) -> None:
    """Point LocalStack's fixtures to an endpoint. It must happen before anything imports LocalStack."""
    os.environ |= {
        "TEST_SKIP_LOCALSTACK_START": "1",
        "TEST_AWS_ENDPOINT_URL": endpoint,
        "TEST_AWS_ACCESS_KEY_ID": key,
        "TEST_AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "DISABLE_EVENTS": "1",
    }
    # LocalStack's oldest file imports a list from a module that needs all of LocalStack.
    provider: Any = types.ModuleType("localstack.services.events.v1.provider")
    provider.TEST_EVENTS_CACHE = []
    sys.modules[provider.__name__] = provider


def choose(items: list[Any]) -> None:
    """Keep only the tests in scope, without the marks that skip them. Those are about LocalStack."""
    for item in items:
        for node in item.listchain():
            node.own_markers = [mark for mark in node.own_markers if mark.name not in _SKIPS]
    items[:] = [item for item in items if scope_of(item)[0]]


def note(item: Any, call: Any, report: Any, compared: dict[str, Any]) -> None:
    """Write the line of a test at its end.

    Args:
        item: Pytest's item of the test.
        call: Pytest's call of one of its phases.
        report: Pytest's report of it.
        compared: What `recorded.watch` has found.
    """
    if call.when == "setup":
        compared.clear()
        item.line = {"id": item.nodeid, "outcome": "passed", "ignored": ignored(item)}
    if report.outcome != "passed" and item.line["outcome"] == "passed":
        outcome = report.outcome if call.when == "call" else f"error in {call.when}"
        item.line |= {
            "outcome": "unsupported" if "unsupported" in compared else outcome,
            "error": call.excinfo.typename,
            "message": str(call.excinfo.value)[:1500],
        }
    if call.when != "teardown":
        return
    line = item.line | {"strict": item.line["outcome"] == "passed" and compared.get("strict", True)}
    if not line["strict"]:
        line |= {name: compared.get(name) for name in ("observed", "recorded")}
    line["younger"] = compared.get("younger", False)
    with Path(f"{os.environ[RESULTS]}.{WORKER}").open("a") as file:
        file.write(json.dumps(line, default=str) + "\n")
