"""Measure what the kit promises, side by side in one run: ``make bench``.

Other programs on the machine change the figures. So two things that are compared are measured in turns, and
the table shows both and their ratio. Writes ``results.md`` and ``results.json`` next to this file, and the
README's sentence. ``--quick`` is a short run that writes nothing. ``--tests`` runs ``make test`` and keeps
its duration.
"""

import argparse
import contextlib
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from draws import concurrent_draws, first_draws, languages, warm_draws
from editions import deploys, drying_pool, pool_sizes
from emulators import counting_emulator, emulator, ministack
from histories import longest_history
from processes import imports, memory, starts
from room import room
from rows import Row, page, readme, results, table
from tools import FULL, QUICK, Plan

HERE = Path(__file__).resolve().parent
TESTS = HERE / "make_test.json"
README = HERE.parent / "README.md"


def main() -> None:
    """Measure, and write or print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, no MiniStack; print, write nothing")
    parser.add_argument("--tests", action="store_true", help="run `make test` and keep how long it took")
    asked = parser.parse_args()
    if asked.tests:
        record_tests()
    elif asked.quick:
        print(table(measured(QUICK)))
    else:
        keep()


def keep() -> None:
    """Measure everything and write the files."""
    about, begun = conditions(), time.monotonic()
    rows = measured(FULL)
    about |= {"load_after": load(), "minutes": round((time.monotonic() - begun) / 60, 1)}
    (HERE / "results.md").write_text(page(rows, about), "utf-8")
    told = results(rows, about)
    (HERE / "results.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    README.write_text(readme(README.read_text("utf-8"), told), "utf-8")
    print(page(rows, about))


def measured(plan: Plan) -> list[Row]:
    """Every row, in the order of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [*starts(plan, folder), *imports(plan)]
        with emulator(folder / "main"):
            other = ministack(folder) if plan.with_ministack else contextlib.nullcontext("not asked for")
            with other as address:
                rows = [*warm_draws(plan, address), *first_draws(plan, address), *rows]
            rows += deploys(plan) + longest_history(plan) + memory()
            rows += room(plan.attendees, plan.rounds) + concurrent_draws(plan)
        with emulator(folder / "languages"):
            rows += languages(plan)
        with counting_emulator(folder / "counting") as address:
            rows += drying_pool(plan, address) + pool_sizes(plan, address)
    return [*rows, *tests()]


def tests() -> Sequence[Row]:
    """The duration of `make test` in the last run with ``--tests``; it is too long to run each time."""
    if not TESTS.exists():
        return [Row("`make test`, with a browser", None, "s", note="`make bench-tests` measures it")]
    told = json.loads(TESTS.read_text("utf-8"))
    note = f"system load before: {told['load_before']:.1f}"
    return [Row("`make test`, with a browser", told["seconds"], "s", most=360, note=note)]


def record_tests() -> None:
    """Run all tests, and write their duration if they passed."""
    before, begun = load(), time.monotonic()
    subprocess.run(["make", "test"], cwd=HERE.parent, check=True)
    told = {"seconds": round(time.monotonic() - begun), "load_before": before}
    TESTS.write_text(json.dumps(told) + "\n", "utf-8")


def conditions() -> dict[str, Any]:
    """The machine and the versions that the figures come from."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "moto": version("moto"),
        "boto3": version("boto3"),
        "load_before": load(),
    }


def load() -> float:
    """How many processes wait for a processor, on average over a minute."""
    return psutil.getloadavg()[0]


if __name__ == "__main__":
    main()
