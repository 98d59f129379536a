"""Pytest loads this plugin in LocalStack's checkout. It points LocalStack's fixtures to an emulator."""

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any, Final

import checkout

# Each worker has its own emulator, so that listings and a reset of one do not disturb the other.
_TARGETS: Final = json.loads(os.environ["FIDELITY_TARGETS"])
ENDPOINT, KEY = _TARGETS[int(checkout.WORKER.removeprefix("gw")) % len(_TARGETS)]
checkout.prepare(ENDPOINT, KEY)

import pytest  # noqa: E402 (LocalStack reads variables as soon as something imports it)
import recorded  # noqa: E402

_compared = recorded.watch()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Choose the tests in scope."""
    checkout.choose(items)


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
    checkout.note(item, call, (yield).get_result(), _compared)  # type: ignore[misc]
