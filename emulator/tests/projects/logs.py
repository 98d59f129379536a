"""Tests that write into the log of their emulator. Most of them fail."""

from pathlib import Path

import pytest

from sfn_emulator import control


def log(emulator, *lines):
    if emulator:
        log.folder = control.find(int(emulator.endpoint.rpartition(":")[2]))["folder"]
    with Path(log.folder, "emulator.log").open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def test_good(sfn_emulator):
    log(sfn_emulator, "from the first test")


def test_bad(sfn_emulator):
    log(sfn_emulator, *range(1, 51), "what went wrong")
    raise AssertionError


def test_quiet(sfn_emulator):
    raise AssertionError


def test_without():
    log(None, "of a test without the fixture")
    raise AssertionError


@pytest.fixture
def broken(sfn_emulator):
    log(sfn_emulator, "in a fixture")
    raise AssertionError


def test_setup(broken):
    pass


@pytest.mark.sfn_emulator(iam="off")
def test_marked(sfn_emulator):
    log(sfn_emulator, "in the other log")
    raise AssertionError
