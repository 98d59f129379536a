"""Tests with settings of their own."""

from pathlib import Path

import psutil
import pytest

from sfn_emulator import control


@pytest.fixture(scope="session")
def key(sfn_emulator):
    return sfn_emulator.access_key_id


def note(emulator, key, name):
    process = psutil.Process(control.find(int(emulator.endpoint.rpartition(":")[2]))["pid"])
    settings = [process.environ().get(f"SFN_EMULATOR_{it}", "") for it in ("CLOCK", "IAM")]
    assert key == emulator.access_key_id
    with Path("notes").open("a") as notes:
        print(name, *settings, key, sep=",", file=notes)


def test_plain(sfn_emulator, key):
    note(sfn_emulator, key, "plain")


@pytest.mark.sfn_emulator(clock="virtual", iam="on")
class TestVirtual:
    def test_one(self, sfn_emulator, key):
        note(sfn_emulator, key, "one")

    @pytest.mark.sfn_emulator(iam="off")
    def test_both(self, sfn_emulator, key):
        note(sfn_emulator, key, "both")

    @pytest.mark.parametrize("number", [1])
    def test_two(self, sfn_emulator, key, number):
        note(sfn_emulator, key, "two")


def test_again(sfn_emulator, key):
    note(sfn_emulator, key, "again")
