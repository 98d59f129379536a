"""Measure what the kit promises, side by side in one run: ``make bench``.

Other programs on the machine change the figures. So two things that are compared are measured in turns, and
the table shows both and their ratio. Writes ``results.md`` and ``results.json`` next to this file, and the
README's sentences. ``--quick`` is a short run that writes nothing. ``--tests`` runs ``make test`` and writes
how long it took into the same files.
"""

import argparse
import contextlib
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from draws import concurrent_draws, first_draws, languages, warm_draws
from editions import deploys, drying_pool, pool_sizes
from emulators import counting_emulator, emulator, ministack
from histories import longest_history
from moments import alarms, boards, checks, in_browser, other_calls
from processes import imports, memory, starts
from room import room
from rows import MAKE_TEST, Row, page, readme, results, table
from tools import FULL, QUICK, Plan

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
README = HERE.parent / "README.md"


def main() -> None:
    """Measure, and write or print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, no MiniStack; print, write nothing")
    parser.add_argument("--tests", action="store_true", help="run `make test` and write how long it took")
    asked = parser.parse_args()
    if asked.tests:
        record_tests()
    elif asked.quick:
        print(table(measured(QUICK)))
    else:
        keep()


def keep() -> None:
    """Measure everything and write the files. The time of `make test` stays as it was."""
    about, begun = conditions(), time.monotonic()
    rows = [*measured(FULL), *(row for row in stored()[0] if row.what == MAKE_TEST)]
    about |= {"load_after": load(), "minutes": round((time.monotonic() - begun) / 60, 1)}
    write(rows, about)
    print(page(rows, about))


def stored() -> tuple[list[Row], dict[str, Any]]:
    """The rows of the last run, and the machine and the versions that they come from."""
    told = json.loads(RESULTS.read_text("utf-8"))
    names = [field.name for field in fields(Row)]
    return [Row(**{name: row[name] for name in names}) for row in told["rows"]], told["conditions"]


def write(rows: Sequence[Row], about: Mapping[str, Any]) -> None:
    """Write ``results.md``, ``results.json``, and the README's sentences."""
    (HERE / "results.md").write_text(page(rows, about), "utf-8")
    told = results(rows, about)
    RESULTS.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    README.write_text(readme(README.read_text("utf-8"), told), "utf-8")


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
        with emulator(folder / "moments"):
            rows += alarms(plan) + checks(plan) + boards(plan) + other_calls(plan)
        rows += in_browser(folder)
    return rows


def record_tests() -> None:
    """Run `make test`, and write how long it took if it passed."""
    before, begun = load(), time.monotonic()
    subprocess.run(["make", "test"], cwd=HERE.parent, check=True)
    seconds, (rows, about) = time.monotonic() - begun, stored()
    note = f"system load before: {before:.1f}"
    row = Row(MAKE_TEST, round(seconds), "s", most=300, note=note)
    write([*(each for each in rows if each.what != MAKE_TEST), row], about)


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
