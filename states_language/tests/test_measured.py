"""What others measured on AWS: each fact once, in ``measured.jsonl``.

A row has the fact, its source and its date, and how sure it is if nobody measured it.
Then it has one of these:

    a case and ``expected``   the fact holds here, and this test shows it
    ``differs``               besides a case: it does not hold here, and why
    ``shown_by``              the rows whose cases show it
    ``where``                 it is about a server (the emulator), or AWS's sentence is not known
"""

import pytest
from case_table import observed, rows, text

ROWS = rows("measured.jsonl")
CASES = [row for row in ROWS if "expected" in row]


@pytest.mark.parametrize("row", CASES, ids=[row["id"] for row in CASES])
def test_what_was_measured(row):
    """What was measured on AWS holds here, unless the row says why not."""
    found, expected = text(observed(row)), text(row["expected"])
    if "differs" in row:
        assert found != expected
    else:
        assert found == expected


def test_each_fact_is_there_once():
    """A row has a case, names rows that have one, or says where its fact belongs."""
    ids = [row["id"] for row in ROWS]
    assert len({*ids}) == len(ids)
    shown = {row["id"] for row in CASES if "differs" not in row}
    for row in ROWS:
        assert len(row.keys() & {"expected", "shown_by", "where"}) == 1, row["id"]
        assert {*row.get("shown_by", ())} <= shown, row["id"]
