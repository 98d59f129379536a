"""Histories and outcomes that no other table has: ``cases.jsonl``, from AWS's pages and records."""

import pytest
from case_table import observed, rows

CASES = rows("cases.jsonl")


@pytest.mark.parametrize("row", CASES, ids=[row["id"] for row in CASES])
def test_what_a_machine_does(row):
    """A machine does what its row says."""
    assert observed(row) == row["expected"]
