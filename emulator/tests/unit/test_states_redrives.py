"""Which executions can be redriven."""

import pytest

from sfn_emulator.states.redrives import Redrives

DAY = 24 * 60 * 60
FAILED = {"status": "FAILED", "startDate": 0.0, "stopDate": 1.0}


@pytest.mark.parametrize(
    ("execution", "events", "now", "reason"),
    [
        (FAILED, 24_998, 14 * DAY, ""),
        (FAILED, 24_999, 1, "Execution history event limit exceeded"),
        (FAILED, 3, 14 * DAY + 2, "Execution redrivable period exceeded"),
        (
            FAILED | {"stopDate": 365.0 * DAY},
            3,
            365 * DAY + 1,
            "Execution has exceeded the max execution time",
        ),
        (FAILED | {"status": "ABORTED"}, 3, 1, ""),
        (FAILED | {"status": "TIMED_OUT"}, 3, 1, ""),
        (FAILED | {"status": "SUCCEEDED"}, 3, 1, "Execution is SUCCEEDED and cannot be redriven"),
        (FAILED | {"status": "RUNNING"}, 3, 1, "Execution is RUNNING and cannot be redriven"),
    ],
)
def test_reasons(execution, events, now, reason):
    """They are AWS's, and say what DescribeExecution says."""
    assert Redrives().reason_against(execution, events, now) == reason
    status = {"redriveStatus": "REDRIVABLE"}
    if reason:
        status = {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
    assert Redrives().facts(execution, events, now) == {"redriveCount": 0} | status


def test_a_thousand_redrives_are_enough():
    """AWS's words for this are not known."""
    assert Redrives(count=999).reason_against(FAILED, 3, 1) == ""
    assert Redrives(count=1000).reason_against(FAILED, 3, 1)


def test_tokens_are_remembered_for_a_while():
    """The latest ten, for 15 minutes."""
    redrives = Redrives()
    for number in range(11):
        redrives.add(f"t{number}", number)
    assert (redrives.count, redrives.date) == (11, 10)
    assert redrives.date_of("t0", 11) is None
    assert redrives.date_of("t1", 11) == 1
    assert redrives.date_of("t10", 10 + 15 * 60) == 10
    assert redrives.date_of("t10", 11 + 15 * 60) is None
    redrives.add(None, 20)
    assert redrives.date_of(None, 20) is None
