"""A plugin for pytest that gives each process of pytest-xdist its own emulator; nbval's kernels use it."""

import os
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Set the folder of this process's emulator before a kernel starts."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        os.environ["XDG_STATE_HOME"] = str(Path(os.environ["XDG_STATE_HOME"], worker))
