"""Two executions in one graph: what was different, state by state."""

import json
import threading

from patience import SECONDS
from unit.history.histories import history

from lottery_lib import ExecutionView, compare
from lottery_lib.definition import load

CAUGHT, LOOP = "aws_lambda_retry_caught", "aws_draw_with_loop_and_timeout"


def view(name, definition=None):
    return ExecutionView(definition or load(), history(name))


def painted(comparison):
    """The status and the first line of each state, by its name."""
    return {
        name: (paint["status"], paint["lines"][0])
        for name, paint in zip(comparison.states, comparison.paints, strict=True)
    }


def test_a_state_that_was_different_has_both_colours_and_marks():
    """The first execution is on the left; a state that it did not enter has a dash."""
    states = painted(compare(view(CAUGHT), view(LOOP)))
    assert states["Random Select Winners"] == ("caught-succeeded", "⚠✓ Random Select Winners")
    assert states["Notify Winners"] == ("absent-succeeded", "–✓ Notify Winners")
    assert states["Failed"] == ("failed-absent", "✗– Failed")
    assert states["Input Lottery Winners"] == ("", "Input Lottery Winners")


def test_the_colours_are_defined_in_the_picture():
    """Each pair of colours is a gradient, on a page and in a picture without a kernel."""
    comparison = compare(view(CAUGHT), view(LOOP))
    for svg in (comparison.layout_svg, comparison.still.bare):
        for pair in ("caught-succeeded", "absent-succeeded", "failed-absent"):
            assert svg.count(f'id="{pair}"') == 1


def test_what_is_different_in_words():
    """A table has a row for each state that was different: how it ended in both, and what differs."""
    (tab,) = compare(view(CAUGHT), view(LOOP)).details["tabs"]
    rows = {row[0]: row[1:] for row in tab["rows"]}
    first, second, words = rows["Random Select Winners"]
    assert first.startswith("⚠ caught IndexError, 0.300 s")
    assert second.startswith("✓ succeeded, ")
    assert words == "status, attempts, error, output"
    assert rows["Failed"][1:] == ["not entered", "only the first entered it"]
    assert "Input Lottery Winners" not in rows


def test_the_same_twice():
    """Two executions that did the same have no coloured state."""
    comparison = compare(view(LOOP), view(LOOP))
    assert {status for status, _ in painted(comparison).values()} == {""}
    assert repr(comparison) == "Nothing was different"
    assert comparison.details["tabs"][0]["lines"] == ["Nothing was different."]


def test_each_part_of_an_output_that_differs():
    """A chosen state shows which parts of its input and output differ, and not the whole of them."""
    events = json.loads(json.dumps(history(LOOP), default=str))
    ended = next(event for event in events if event["type"] == "TaskStateExited")["stateExitedEventDetails"]
    ended["output"] = json.dumps(json.loads(ended["output"]) | {"more": ["a", {"b": 1}], "long": "x" * 999})
    other = history(LOOP)
    for event in other:
        if event["type"] == "TaskStateExited":
            event["stateExitedEventDetails"] = ended
            break
    comparison = compare(view(LOOP), ExecutionView(load(), other))
    comparison.chosen = "Input Lottery Winners"
    rows = comparison.details["tabs"][0]["rows"]
    assert ["Output more", "–", '["a", {"b": 1}]'] in rows
    assert ["Output long", "–", '"' + "x" * 199 + " ..."] in rows
    assert [row[0] for row in rows] == ["Status", "Attempts", "Output more", "Output long"]


def test_a_state_that_the_new_definition_lacks():
    """The graph is of the second definition. The table also has a state of the first one."""
    machine = json.loads(load())
    machine["States"]["Input Lottery Winners"]["Next"] = "Failed"
    machine["States"] = {name: machine["States"][name] for name in ("Input Lottery Winners", "Failed")}
    events = [event for event in history(CAUGHT) if event["id"] <= 3]
    comparison = compare(view(CAUGHT), ExecutionView(machine, events))
    assert comparison.states == ["Input Lottery Winners", "Failed"]
    assert "Random Select Winners: only the first entered it" in repr(comparison)


def test_a_notebook_stores_the_differences():
    """Without a kernel there are both ends, the picture, and the table."""
    html = compare(view(CAUGHT), view(LOOP)).still_html
    assert "First: Failed, 4.000 s, Transitions: 5 · Second: Succeeded, 301.850 s" in html
    assert "<img " in html
    assert "<td style='text-align: left'>only the first entered it</td>" in html


def test_a_view_that_still_reads_is_waited_for():
    """Events may come from an iterator. The comparison has all of them."""
    go_on, events = threading.Event(), history(CAUGHT)

    def come():
        yield events[0]
        assert go_on.wait(SECONDS)
        yield from events[1:]

    one = ExecutionView(load(), come())
    join = one._reading.join
    one._reading.join = lambda: (go_on.set(), join())  # nothing more comes before somebody waits
    assert compare(one, view(CAUGHT))._rows() == []
