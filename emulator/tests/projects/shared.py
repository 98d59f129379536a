"""Tests that use one emulator."""

from pathlib import Path


def test_first(sfn_emulator, worker_id):
    Path(f"{worker_id}-{sfn_emulator.access_key_id}").touch()


test_second = test_first
