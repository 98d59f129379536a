"""What machines do, case by case: ``cases.jsonl``. The events are those of AWS's records and pages."""

import pytest
from case_table import observed, rows, text

CASES = rows("cases.jsonl")


@pytest.mark.parametrize("row", CASES, ids=[row["id"] for row in CASES])
def test_what_a_machine_does(row):
    """A machine does what its row says."""
    assert text(observed(row)) == text(row["expected"])
