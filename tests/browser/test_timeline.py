"""The timeline in a real browser, as wide as a notebook in a window of 1280 pixels."""

import pytest
from browser.conftest import script
from unit.history.histories import event, history

from lottery_lib.history import Reader
from lottery_lib.view.timeline import timeline_of

pytestmark = pytest.mark.browser
LONG = [
    event(1, 0, "PassStateEntered", name="抽" * 60),
    event(2, 1, "PassStateExited", name="抽" * 60, ms=500),
    event(3, 2, "PassStateEntered", name="W" * 80, ms=500),
    event(4, 3, "ExecutionFailed", ms=900, error="An.ErrorWithAVeryLongNameThatNoLineCanHold", cause=""),
]
READ = script("read_a_timeline")


@pytest.mark.parametrize(
    "events",
    [LONG, *map(history, ("aws_lambda_retry_caught", "aws_draw_with_loop_and_timeout", "moto_nested"))],
    ids=["long", "retry", "loop", "nested"],
)
def test_it_can_be_read(page, events):
    """A cell's output, 840 pixels, is wide enough. Letters have 12 pixels; no text is cut or covered."""
    svg = timeline_of(Reader(events)).svg
    page.set_content(f"<body style='margin: 0'>{svg[svg.index('<svg') :]}")
    seen = page.evaluate(READ)
    assert seen["width"] <= 840
    assert seen["letters"] >= 12
    assert (seen["clipped"], seen["covered"]) == ([], [])
