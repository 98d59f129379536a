"""What an execution did is read from its events: which edges it took, how far a Map is, how long it took."""

import json
import re

from unit.history.histories import chain, event, history

from lottery_lib.definition import load
from lottery_lib.history import Reader
from lottery_lib.view.graph import graph_view
from lottery_lib.view.painting import END, START, facts_of

TUTORIAL = json.loads(load())
FIRST, SELECT, VALIDATE, CHOICE = list(TUTORIAL["States"])[:4]
BOTH = "Send SNS and Record In Dynamodb"


def taken(events, machine=TUTORIAL):
    # A branch that a Retry begins again seems to lead to itself. The drawing has no such edge.
    return {edge for edge in facts_of(Reader(events, machine)).taken if edge[0] != edge[1]}


def test_a_loop_takes_its_edge_back():
    """A draw with a second round took the way back, and the one to the end; no Catch."""
    assert taken(history("aws_draw_with_loop_and_timeout")) == {
        (START, FIRST, False), (FIRST, SELECT, False), (SELECT, VALIDATE, False), (VALIDATE, CHOICE, False),
        (CHOICE, SELECT, False), (CHOICE, BOTH, False), (BOTH, END, False),
    }  # fmt: skip


def test_a_catch_takes_the_catch():
    """A state that failed and was caught took its Catch, and the execution then ended in its Fail state."""
    assert taken(history("aws_lambda_retry_caught")) >= {(SELECT, "Failed", True), ("Failed", END, False)}


def test_while_it_runs_the_next_edge_is_not_taken():
    """A state that runs has not taken an edge yet, and the end is not reached."""
    events = history("aws_draw_with_loop_and_timeout")
    assert taken(events[:2]) == {(START, FIRST, False)}
    assert not taken([])


def test_retries_take_no_edge():
    """Attempts of a state are no way from it to itself."""
    machine = {"StartAt": "A", "States": {"A": {"Type": "Task", "End": True}}}
    tries = [("TaskScheduled", {}), ("TaskFailed", {"error": "E"})] * 3
    assert taken(chain(("TaskStateEntered", {"name": "A"}), *tries), machine) == {(START, "A", False)}


def test_taken_edges_are_stronger():
    """In the SVG exactly the taken edges are wide, and they are the right ones."""
    view = graph_view(TUTORIAL, events=history("aws_draw_with_loop_and_timeout"))
    wide = re.findall(r'<g id="edge-(\d+)" class="edge taken">\s*<title>([^<]*)</title>', view.svg)
    assert sorted(int(number) for number, _ in wide) == view.taken
    assert len(view.taken) == 7
    assert any("2 Random Select Winners-&gt;4 Is Winner" in title for _, title in wide)  # drawn from above


EACH = {
    "StartAt": "One",
    "States": {"One": {"Type": "Pass", "Next": "Two"}, "Two": {"Type": "Pass", "End": True}},
}
MAP = {"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemProcessor": EACH, "End": True}}}


def mapped(done):
    begin = chain(
        ("ExecutionStarted", {}), ("MapStateEntered", {"name": "Each"}), ("MapStateStarted", {"length": 5})
    )
    events = list(begin)
    for number in range(done + 1):
        steps = [
            ("MapIterationStarted", {"name": "Each", "index": number}),
            ("PassStateEntered", {"name": "One"}),
            ("PassStateExited", {"name": "One"}),
            ("PassStateEntered", {"name": "Two"}),
            ("PassStateExited", {"name": "Two"}),
            ("MapIterationSucceeded", {"name": "Each", "index": number}),
        ]
        for kind, details in steps[: 6 if number < done else 2]:
            before = 3 if kind == "MapIterationStarted" else len(events)
            events.append(event(len(events) + 1, before, kind, ms=len(events), **details))
    return events  # fmt: skip


def test_a_map_tells_how_many_items_are_done():
    """The box of a Map counts its items, in the line that said that it has items."""
    assert facts_of(Reader(mapped(3), MAP)).items == {"Each": "3 of 5 done"}
    assert ">3 of 5 done<" in graph_view(MAP, events=mapped(3)).svg
    assert ">(for each item)<" in graph_view(MAP).svg


RETRIED = [
    ("MapStateEntered", {"name": "Each"}), ("MapStateStarted", {"length": 2}),
    ("MapIterationStarted", {"name": "Each", "index": 0}), ("MapIterationSucceeded", {"name": "Each"}),
    ("MapIterationStarted", {"name": "Each", "index": 1}), ("MapIterationFailed", {"name": "Each"}),
    ("MapStateStarted", {"length": 2}), ("MapIterationStarted", {"name": "Each", "index": 0}),
]  # fmt: skip


def test_a_retry_of_a_map_counts_from_0_again():
    """AWS starts a Map that is tried again after the event of its failure, and its items are not done yet."""
    assert ">0 of 2 done<" in graph_view(MAP, events=chain(*RETRIED)).svg
    again = [*RETRIED, ("MapIterationSucceeded", {"name": "Each"})]
    assert ">1 of 2 done<" in graph_view(MAP, events=chain(*again)).svg


def test_a_distributed_map_has_no_number():
    """Its items are those of child executions, and the history does not say what these do."""
    begun = [("MapStateEntered", {"name": "Each"}), ("MapStateStarted", {"length": 0}), ("MapRunStarted", {})]
    assert facts_of(Reader(chain(*begun), MAP)).items == {}


def test_an_item_of_another_iteration_counts_for_its_own_map():
    """A Map in a Map runs once for each outer item: an item counts for the run that it belongs to."""
    inner = {"StartAt": "Inner", "States": {"Inner": MAP["States"]["Each"]}}
    outer = {"StartAt": "Outer", "States": {"Outer": {"Type": "Map", "ItemProcessor": inner, "End": True}}}
    events = [
        event(1, 0, "MapStateEntered", name="Outer"),
        event(2, 1, "MapStateStarted", length=2),
        event(3, 2, "MapIterationStarted", name="Outer", index=0),
        event(4, 3, "MapStateEntered", name="Inner"),
        event(5, 4, "MapStateStarted", length=1),
        event(6, 2, "MapIterationStarted", name="Outer", index=1),
        event(7, 6, "MapStateEntered", name="Inner"),
        event(8, 7, "MapStateStarted", length=1),
        event(9, 5, "MapIterationStarted", name="Inner", index=0),
        event(10, 9, "MapIterationSucceeded", name="Inner", index=0),
    ]
    assert ">0 of 1 done<" in graph_view(outer, events=events).svg


def test_edges_of_iterations_are_edges_of_the_drawing():
    """Each iteration takes the edges inside the Map; an edge is taken if one iteration took it."""
    assert taken(mapped(1), MAP) == {(START, "Each", False), ("One", "Two", False)}
    assert taken(mapped(0), MAP) == {(START, "Each", False)}


def test_a_pointer_over_a_state_tells_its_time():
    """The title of a state tells its status and its seconds; a state that was not entered says so."""
    view = graph_view(TUTORIAL, events=history("aws_draw_with_loop_and_timeout"))
    assert re.search(rf"<title>{VALIDATE}: Task \(Lambda\), ✓ succeeded, \d\.\d\d\d s</title>", view.svg)
    assert "<title>Failed: Fail, not entered</title>" in view.svg
