import pytest

from lottery_lib.view.status import look_of, marked, retried

STATUSES = ["running", "waiting", "succeeded", "failed", "caught", "aborted"]


def test_no_two_statuses_look_alike():
    """Each status has a mark, a fill and a border that no other one has."""
    for part in zip(*map(look_of, STATUSES), strict=True):
        assert len(set(part)) == len(STATUSES)


def test_unknown_status_is_shown_as_it_is():
    """A word that is no status has no mark and the plain look."""
    assert marked("odd") == "odd"
    assert look_of("odd") == look_of("")
    assert marked("") == ""


@pytest.mark.parametrize(("attempts", "text"), [(1, ""), (2, "↻ retried 1 time"), (3, "↻ retried 2 times")])
def test_first_attempt_is_no_retry(attempts, text):
    """Three attempts are two retries."""
    assert retried(attempts) == text
