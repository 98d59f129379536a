"""Make the README's pictures from a real draw: ``make pictures``."""

import os
import subprocess
import sys
from pathlib import Path

from lottery_lib import Draws, Stack, connect, draw, graph_view
from lottery_lib.draws import forget_winners

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"


def workflow() -> None:
    """Draw two winners, and save the workflow coloured by that execution."""
    target = connect(attendee="pictures")
    Stack(target).deploy()
    forget_winners(target)
    seen = Draws(target).execution(draw(target, 2)["execution_arn"])
    graph_view(seen.definition, events=seen.events).save(FOLDER / "workflow.svg")
    Stack(target).teardown()


if __name__ == "__main__":
    workflow()
    tests = ["test_panel.py::test_draw", "test_draw_night.py::test_whole_evening"]
    command = [sys.executable, "-m", "pytest", "-m", "browser", *(f"tests/browser/{test}" for test in tests)]
    sys.exit(
        subprocess.run(command, env=os.environ | {"LOTTERY_PICTURES": str(FOLDER)}, check=False).returncode
    )
