"""Pytest loads this plugin in LocalStack's checkout. It points LocalStack's fixtures to an endpoint.

It removes LocalStack's own skips, which are about LocalStack, and writes a line of JSON for each test.
"""

import json
import os
import sys
import types
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

# Each worker has its own emulator, so that listings and a reset of one do not disturb the other.
_NUMBER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_TARGETS: Final = json.loads(os.environ["FIDELITY_TARGETS"])
ENDPOINT, KEY = _TARGETS[_NUMBER % len(_TARGETS)]
os.environ |= {
    "TEST_SKIP_LOCALSTACK_START": "1",
    "TEST_AWS_ENDPOINT_URL": ENDPOINT,
    "TEST_AWS_ACCESS_KEY_ID": KEY,
    "TEST_AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "DISABLE_EVENTS": "1",
}

# LocalStack's oldest file imports a list from a module that needs all of LocalStack.
_provider: Any = types.ModuleType("localstack.services.events.v1.provider")
_provider.TEST_EVENTS_CACHE = []
sys.modules[_provider.__name__] = _provider

import pytest  # noqa: E402 (LocalStack reads these variables as soon as something imports it)
import recorded  # noqa: E402
from scope import ignored, scope_of  # noqa: E402

_SKIPS: Final = ("skip", "skipif", "xfail")
_compared = recorded.watch()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Choose the tests in scope, and remove the marks that skip them."""
    for item in items:
        for node in item.listchain():
            node.own_markers = [mark for mark in node.own_markers if mark.name not in _SKIPS]
    others = [item for item in items if not scope_of(item)[0]]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in set(others)]


def pytest_runtestloop(session: Any) -> None:
    """Reset the emulator once. LocalStack's fixtures share a role, and each test tidies up."""
    runs_tests = hasattr(session.config, "workerinput") or not session.config.getoption("numprocesses", None)
    if not runs_tests or session.config.option.collectonly:
        return
    key = f"Credential={KEY}/20000101/us-east-1/states/aws4_request"
    signature = f"AWS4-HMAC-SHA256 {key}, SignedHeaders=host, Signature=any"
    reset = urllib.request.Request(
        f"{ENDPOINT}/moto-api/reset", b"", {"Authorization": signature}, method="POST"
    )
    try:
        urllib.request.urlopen(reset, timeout=60).close()
    except OSError as error:  # MiniStack has no such path, and has just been started
        print(error, file=sys.stderr)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Iterator[None]:
    """Write the line of a test."""
    report = (yield).get_result()  # type: ignore[misc]
    if call.when == "setup":
        _compared.clear()
        item.line = {"id": item.nodeid, "outcome": "passed", "ignored": ignored(item)}
    if report.outcome != "passed" and item.line["outcome"] == "passed":
        item.line |= {
            "outcome": report.outcome if call.when == "call" else f"error in {call.when}",
            "error": call.excinfo.typename,
            "message": str(call.excinfo.value)[:1500],
        }
    if call.when != "teardown":
        return
    line = item.line | {"strict": item.line["outcome"] == "passed" and _compared.get("strict", True)}
    if not line["strict"]:
        line |= {name: _compared.get(name) for name in ("observed", "recorded")}
    line["younger"] = _compared.get("younger", False)
    with Path(f"{os.environ['FIDELITY_RESULTS']}.{_NUMBER}").open("a") as file:
        file.write(json.dumps(line, default=str) + "\n")
