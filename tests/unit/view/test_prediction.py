"""What one predicts of a draw, state by state."""

import json

import pytest
from unit.history.histories import history

from lottery_lib.definition import load
from lottery_lib.view.prediction import Prediction

TUTORIAL = json.loads(load())
FIRST, SECOND = "Input Lottery Winners", "Random Select Winners"
DRAW = history("aws_lambda_retry_caught")  # the first state succeeds, an error of the second one is caught


@pytest.fixture
def view():
    return Prediction(TUTORIAL)


def told(view):
    """The lines of the tab about the prediction."""
    return view.details["tabs"][0]["lines"]


def test_a_predicted_state_has_its_colour(view):
    """Before the draw, the workflow shows what is predicted, and each state asks; no answer is chosen yet."""
    assert told(view) == ["Choose a state in the graph, and say what it will do."]
    view.chosen = SECOND
    assert view.details["question"]["chosen"] == ""
    view.predicted = {FIRST: "succeeded", SECOND: "failed"}
    assert [paint["status"] for paint in view.paints][:3] == ["succeeded", "failed", ""]
    assert view.details["question"]["chosen"] == "failed"
    assert repr(view) == "Prediction: 2 of 8 states predicted"


def test_each_predicted_state_is_compared(view):
    """After the draw, the workflow shows what happened. A state that nobody predicted is not wrong."""
    view.predicted = {FIRST: "succeeded", SECOND: "failed"}
    view.chosen = SECOND
    view.lock()
    assert view.compare(DRAW) is view
    assert [paint["status"] for paint in view.paints][:3] == ["succeeded", "caught", ""]
    assert told(view) == ["States that you predicted: 2 of 8. Right: 1."]
    assert view.details["tabs"][0]["rows"][:3] == [
        [FIRST, "✓ succeeded", "✓ succeeded", "✓"],
        [SECOND, "✗ failed", "⚠ caught", "✗"],
        ["Validate Winners", "", "not entered", ""],
    ]
    view.chosen = SECOND
    assert "question" not in view.details


def test_that_a_state_is_not_entered_can_be_predicted(view):
    """It is an answer like the others."""
    view.predicted = {"Validate Winners": "not entered"}
    view.lock()
    view.compare(DRAW)
    assert told(view) == ["States that you predicted: 1 of 8. Right: 1."]


def test_a_locked_prediction_asks_no_more(view):
    """Its lines say that it is locked, and no state asks."""
    view.predicted = {FIRST: "succeeded"}
    view.lock()
    assert told(view) == ["The prediction is locked: 1 of 8 states."]
    view.chosen = FIRST
    assert "question" not in view.details


@pytest.mark.parametrize("when", ["before the comparison", "after it"])
def test_a_change_after_the_lock_does_not_count(view, when):
    """It gives a sentence and no better score, also if it is locked and compared again."""
    view.predicted = {FIRST: "failed"}
    view.lock()
    if when == "after it":
        view.compare(DRAW)
    view.predicted = {FIRST: "succeeded"}
    assert told(view)[1:] == ["What was changed after that does not count."]
    view.lock()
    view.compare(DRAW)
    right, late = told(view)
    assert right == "States that you predicted: 1 of 8. Right: 0."
    assert late == "What was changed after that does not count."


def test_no_prediction_gets_no_praise(view):
    """Who predicted nothing is told so, and no state is right."""
    view.lock()
    view.compare(DRAW)
    assert told(view) == ["You predicted nothing before the run, so there is nothing to compare."]
    assert {row[-1] for row in view.details["tabs"][0]["rows"]} == {""}


def test_what_was_not_locked_does_not_count(view):
    """Without the lock, nobody knows whether it was made before the run."""
    view.predicted = {FIRST: "succeeded"}
    view.compare(DRAW)
    assert told(view) == ["The prediction was not locked before the run, so it does not count."]
    assert {row[-1] for row in view.details["tabs"][0]["rows"]} == {""}


def test_what_happened_stays(view):
    """A late answer changes nothing of what the graph shows."""
    view.compare(DRAW)
    painted = view.paints
    view.predicted = {FIRST: "failed"}
    assert view.paints == painted


def test_a_view_of_an_execution_has_no_prediction():
    """It was never asked for one, and says nothing about it."""
    view = Prediction(TUTORIAL, DRAW)
    view.predicted = {FIRST: "failed"}
    view.lock()
    assert view.details["tabs"][0]["title"] == "Input"
