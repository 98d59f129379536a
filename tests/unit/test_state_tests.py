"""How the result of a tested state reads."""

from lottery_lib.state_tests import StateResult

CAUGHT = StateResult(
    state="Notify <b>",
    status="CAUGHT_ERROR",
    output={"a": 1, "e": "中"},
    next_state="Failed",
    error="Oops",
    cause="why\x1b",
    data={"afterParameters": {"b": 2}, "errorDetails": {"catchIndex": 0}, "input": {"a": 1}},
)


def test_a_result_as_text():
    """The first line says what happened and what is next; the others show the data after each step."""
    assert repr(CAUGHT).splitlines() == [
        r"Notify <b>: CAUGHT_ERROR, Oops: why\u001b, next: Failed",
        '  input: {"a": 1}',
        '  after Parameters: {"b": 2}',
        '  output: {"a": 1, "e": "中"}',
        '  errorDetails: {"catchIndex": 0}',
    ]


def test_a_result_in_a_notebook():
    """It is a small table, in which no data becomes markup."""
    shown = CAUGHT._repr_html_()
    assert "<b>Notify &lt;b&gt;</b>: CAUGHT_ERROR, Oops: why\\u001b, next: Failed" in shown
    assert shown.count("<tr>") == 4
    assert "<th>after Parameters</th>" in shown and "{&quot;b&quot;: 2}" in shown


def test_a_failed_result_has_no_output():
    """Neither a failure nor a Retry shows an output."""
    failed = StateResult("S", "FAILED", error="E", data={"input": None})
    assert repr(failed).splitlines() == ["S: FAILED, E", "  input: null"]
