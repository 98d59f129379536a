"""A comparison is checked by its HTML: what stands beside the graph, and whether it is open."""

import json
import re

from unit.history.histories import history

from lottery_lib.definition import load
from lottery_lib.history import ExecutionRecord
from lottery_lib.history.state_runs import Reader
from lottery_lib.view.prediction import Comparison

#: `Random Select Winners` fails three times, and its Catch leads to `Failed`.
CAUGHT = ExecutionRecord(json.loads(load()), history("aws_lambda_retry_caught"))


def html_of(**predicted):
    return Comparison(predicted, CAUGHT)._repr_html_()


def rows_of(html):
    """The cells of each row of the inner table."""
    rows = (re.findall(r"<td style[^>]*>(.*?)</td>", row) for row in html.split("<tr>"))
    return [row for row in rows if row]


def test_says_which_predictions_are_right():
    """Each predicted state has a row: what was predicted, what happened, and whether that is right.

    The mark of a wrong prediction is not the mark of a failed state.
    """
    predicted = {"Random Select Winners": "Caught ", "Failed": "not entered", "Notify Winners": "not entered"}
    assert rows_of(html_of(**predicted)) == [
        ["Random Select Winners", "Caught", "⚠ caught ↻ retried 2 times", "✓\u00a0right"],
        ["Failed", "not entered", "✗ failed", "≠\u00a0different"],
        ["Notify Winners", "not entered", "not entered", "✓\u00a0right"],
    ]


def test_reads_the_history_once(count):
    """The graph and the table beside it come from one reading: each event is read once."""
    read = count(Reader, "read")
    html_of(Failed="failed")
    assert len(read) == len(CAUGHT.events)


def test_another_word_gets_the_four_words():
    """A word that is no status is not called wrong: the table says which words there are."""
    ((*_, said),) = rows_of(html_of(Failed="red"))
    assert said == "? write succeeded, caught, failed or not entered"


def test_is_folded_until_all_is_predicted():
    """The answer is folded away as long as one prediction is missing."""
    assert html_of(Failed="?").startswith("<details><summary>")
    assert html_of(Failed="failed").startswith("<details open><summary>")


def test_the_graph_stands_beside_the_table():
    """The graph has more than half of the width and its alt text. The text of the object has it, too."""
    html, text = html_of(Failed="?"), repr(Comparison({"Failed": "?"}, CAUGHT))
    alt = re.search(r'<td width="57%"><div [^>]*background: #ffffff[^>]*><img alt="([^"]{30,})"', html)
    assert "caught: Random Select Winners" in alt[1]
    assert text == f"{alt[1]} Predicted: Failed: ?."


def test_a_prediction_is_shown_as_it_was_typed():
    """What an attendee types is text, also if it looks like HTML."""
    assert "&lt;b&gt;" in html_of(Failed="<b>")


def test_every_column_has_a_heading():
    """A reader of the table finds words above each column."""
    headings = re.findall(r"<th[^>]*>(.*?)</th>", html_of(Failed="failed"))
    assert headings == ["State", "Your prediction", "What happened", "Right?"]


def test_a_prediction_may_be_in_the_attendees_language(catalogue, monkeypatch):
    """The word of the notebook and the word on the screen both count."""
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue({"failed": "失败"})
    for guess in ("failed", "失败"):
        ((*_, happened, said),) = rows_of(html_of(Failed=guess))
        assert (happened, said) == ("✗ 失败", "✓\u00a0right")
