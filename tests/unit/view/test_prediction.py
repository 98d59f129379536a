"""What one predicts of a draw, state by state."""

import json

from unit.history.histories import history

from lottery_lib.definition import load
from lottery_lib.view.prediction import Prediction

TUTORIAL = json.loads(load())
FIRST, SECOND = "Input Lottery Winners", "Random Select Winners"


def test_a_predicted_state_has_its_colour():
    """Before the draw, the workflow shows what is predicted, and each state asks."""
    view = Prediction(TUTORIAL)
    assert view.details["tabs"][0]["lines"] == ["Choose a state in the graph, and say what it will do."]
    view.chosen = SECOND
    assert view.details["question"]["chosen"] == "not entered"
    view.predicted = {FIRST: "succeeded", SECOND: "failed"}
    assert [paint["status"] for paint in view.paints][:3] == ["succeeded", "failed", ""]
    assert view.details["question"]["chosen"] == "failed"
    assert repr(view) == "Prediction: 2 of 8 states predicted"


def test_each_state_is_compared():
    """After the draw, the workflow shows what happened, and a table compares it with what was predicted."""
    view = Prediction(TUTORIAL)
    view.predicted = {FIRST: "succeeded", SECOND: "failed"}
    view.chosen = SECOND
    assert view.compare(history("aws_lambda_retry_caught")) is view
    assert [paint["status"] for paint in view.paints][:3] == ["succeeded", "caught", ""]
    table = view.details["tabs"][0]
    assert table["lines"] == ["6 of 8 states did what you predicted."]
    assert table["rows"][:3] == [
        [FIRST, "✓ succeeded", "✓ succeeded", "✓"],
        [SECOND, "✗ failed", "⚠ caught", "✗"],
        ["Validate Winners", "not entered", "not entered", "✓"],
    ]
    view.chosen = SECOND
    assert "question" not in view.details
    assert view.compared()[1] == (SECOND, "failed", "caught")


def test_what_was_predicted_stays_after_the_draw():
    """A late answer changes nothing of what happened."""
    view = Prediction(TUTORIAL)
    view.compare(history("aws_lambda_retry_caught"))
    painted = view.paints
    view.predicted = {FIRST: "failed"}
    assert view.paints == painted
