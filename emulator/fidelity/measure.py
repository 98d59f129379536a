"""Run the tests that others recorded on AWS against emulators, and write the record: docs/fidelity.md.

CHECKOUT is LocalStack's repository, or only its folder `tests`. Nothing there is changed.
"""

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import report
from checkout import RESULTS
from scope import FOLDER

import sfn_emulator

_HERE: Final = Path(__file__).resolve().parent
_RECORD: Final = _HERE.parent / "docs" / "fidelity.md"
_READY_SECONDS: Final = 60.0
Target = tuple[str, str]
"""The endpoint of an emulator, and an access key."""


def main() -> int:
    """Read the command line, run the tests, and show or write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path, metavar="CHECKOUT")
    parser.add_argument("--python", type=Path, required=True, help="the Python that has requirements.lock")
    parser.add_argument("--ministack", type=Path, help="MiniStack's program; without it, it is left out")
    parser.add_argument("--ours", action="store_true", help="only this emulator: show what differs")
    parser.add_argument("--tests", nargs="+", default=[FOLDER], help="paths in CHECKOUT; nothing is written")
    parser.add_argument("--gate", action="store_true", help="only the interpreter, without an emulator")
    given = parser.parse_args()
    python = str(given.python.absolute())
    if given.gate:
        return gate(given.checkout, python)
    emulators: dict[str, Callable[[Path], contextlib.AbstractContextManager[list[Target]]]] = {
        f"this emulator {metadata.version('sfn-emulator')}": lambda _: _ours()
    }
    if not given.ours:
        # This environment lacks what moto's state machines need.
        emulators[f"moto {metadata.version('moto')}"] = lambda folder: _moto(python, folder)
        if given.ministack and given.ministack.exists():
            program = given.ministack.absolute()
            asked = "from importlib.metadata import *; print(version('ministack'))"
            version = _output(str(program.with_name("python")), "-c", asked)
            emulators[f"MiniStack {version}"] = lambda folder: _ministack(str(program), folder)
    lines = {}
    for name, start in emulators.items():
        with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as targets:
            lines[name] = run(given.checkout, python, targets, given.tests)
        print(f"\n{name}\n{report.summary({name: lines[name]})}")
    (ours, *_) = lines.values()
    print(f"\n{report.by_group(ours)}\n\n{report.causes(ours)}")
    if not given.ours and given.tests == [FOLDER]:
        tables = {"counts": report.summary(lines), "files": report.by_file(lines)}
        _write(tables | {"groups": report.by_group(ours), "when": f"{datetime.now(UTC):%d %B %Y}"})
    return 0


def gate(checkout: Path, python: str) -> int:
    """Run the tests against the interpreter alone, and show what differs: first the open part, then the rest.

    The rest, a third of the files, was put aside before the interpreter was written.
    """
    for part in ("open", "aside"):
        began = time.monotonic()
        places = os.pathsep.join(map(str, (_HERE, _HERE.parent, _HERE.parents[1])))
        settings = {"GATE": part, "PYTHONPATH": places}
        lines = _lines(checkout, python, "gate", settings, ("--timeout=60", FOLDER))
        print(f"\n{part}: {time.monotonic() - began:.0f} seconds\n{report.of_gate(lines)}")
    return 0


def run(checkout: Path, python: str, targets: Sequence[Target], tests: Sequence[str]) -> list[dict[str, Any]]:
    """Run tests against emulators of one kind, which share them.

    Args:
        checkout: LocalStack's repository.
        python: A Python with LocalStack's fixtures.
        targets: The emulators. Each gets one worker.
        tests: Paths in the checkout.

    Returns:
        A line for each test: its id, outcome, and what the emulator and AWS answered if they differ.
    """
    settings = {"FIDELITY_TARGETS": json.dumps(targets), "PYTHONPATH": str(_HERE)}
    options = ("--timeout=20", "-n", str(len(targets)), "--dist", "worksteal", *tests)
    return _lines(checkout, python, "plugin", settings, options)


def _lines(
    checkout: Path, python: str, plugin: str, settings: Mapping[str, str], options: Sequence[str]
) -> list[dict[str, Any]]:
    """The lines that a plugin of ours writes while LocalStack's tests run."""
    with tempfile.TemporaryDirectory() as folder:
        ours = {RESULTS: str(Path(folder, "results")), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [python, "-m", "pytest", "-q", "-p", plugin, "-p", "no:cacheprovider", "--tb=no"]
        command += ["-c", os.devnull, "--rootdir", ".", "--continue-on-collection-errors", "-W", "ignore"]
        variables, quiet = {**os.environ, **settings, **ours}, plugin == "gate"
        subprocess.run([*command, *options], cwd=checkout, env=variables, check=False, capture_output=quiet)
        texts = [part.read_text() for part in Path(folder).iterdir()]
    return [json.loads(line) for text in texts for line in text.splitlines()]


@contextlib.contextmanager
def _ours() -> Iterator[list[Target]]:
    with ExitStack() as stack:  # LocalStack's roles are made for its own checks
        both = [stack.enter_context(sfn_emulator.running(iam="off")) for _ in range(2)]
        yield [(it.endpoint, it.access_key_id) for it in both]


@contextlib.contextmanager
def _moto(python: str, folder: Path) -> Iterator[list[Target]]:
    with ExitStack() as stack:
        targets = []
        for _ in range(2):
            port = _free_port()
            command = [python, "-m", "moto.server", "-p", str(port)]
            stack.enter_context(_process(command, port, folder, {}))
            # Without this, it runs no executions.
            settings = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
            address = f"http://127.0.0.1:{port}/moto-api/config"
            urllib.request.urlopen(address, json.dumps(settings).encode(), timeout=30).close()
            targets.append((f"http://127.0.0.1:{port}", "test"))
        yield targets


@contextlib.contextmanager
def _ministack(program: str, folder: Path) -> Iterator[list[Target]]:
    port = _free_port()
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "TMPDIR": str(folder)}
    with _process([program], port, folder, settings):
        yield [(f"http://127.0.0.1:{port}", account * 12) for account in "12"]  # a key is an account there


@contextlib.contextmanager
def _process(command: Sequence[str], port: int, folder: Path, settings: Mapping[str, str]) -> Iterator[None]:
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=os.environ | settings)
    try:
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _write(tables: Mapping[str, str]) -> None:
    """Put tables between their markers in the record."""
    text = _RECORD.read_text()
    for name, table in tables.items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"\n<!-- end {name} -->")
        text = f"{before}{begin}{table}{end}{after}"
    _RECORD.write_text(text)


if __name__ == "__main__":
    sys.exit(main())
