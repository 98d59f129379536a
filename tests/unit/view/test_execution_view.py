"""What an attendee sees of a state, read from the widgets' traits: it is the same for every front end."""

import json
import re

import pytest
from unit.history.histories import chain, event, history

from lottery_lib.definition import load
from lottery_lib.history.state_runs import Reader
from lottery_lib.view.execution_view import ExecutionView
from lottery_lib.view.graph import graph_view
from lottery_lib.view.timeline import timeline_view

TUTORIAL = json.loads(load())


@pytest.fixture
def view():
    return ExecutionView(TUTORIAL, history("aws_draw_with_loop_and_timeout"))


def test_lists_every_state(view):
    """Every state of the definition can be chosen, also those inside the Parallel, in its order."""
    assert view.graph.states == graph_view(TUTORIAL).states
    assert "Record Winner Queue" in view.graph.states


def test_nothing_is_chosen_at_first(view):
    """Until a state is chosen, the whole execution is shown, and how to choose."""
    assert re.findall(r"<summary>(\w+)</summary><pre>(.)", view.details.value) == [
        ("Input", "{"),
        ("Output", "["),
    ]
    assert "Choose a state" in view.details.value
    assert "Choose a state" in ExecutionView().details.value


def test_shows_input_and_output(view):
    """Choosing a state shows its input and output as JSON, and how long it took."""
    view.graph.chosen = "Validate Winners"
    text = view.details.value
    assert "<summary>Input</summary>" in text
    assert "&quot;num_of_winners&quot;: 1" in text
    assert "<summary>Output</summary>" in text
    assert re.search("Validate Winners <span[^>]*>✓ succeeded</span></h4><p>Task, entered 2 times</p>", text)
    assert "0.1" in text


def test_shows_error_and_attempts():
    """A state that failed shows each attempt, its error, and the cause with its JSON laid out."""
    view = ExecutionView(TUTORIAL, history("aws_lambda_retry_caught"))
    view.choose_failure()
    assert view.graph.chosen == "Random Select Winners"
    text = view.details.value
    assert text.count(" IndexError</td>") == 3
    assert "<summary>Error</summary>" in text
    assert "&quot;errorMessage&quot;: &quot;list index out of range&quot;" in text


def test_output_is_not_the_input():
    """What a state got stands below Input, what it gave below Output, what it assigned below Variables."""
    machine = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    steps = ("PassStateEntered", {"name": "A", "input": '"got"'}), ("PassStateExited", {"name": "A"})
    steps[1][1].update(output='"given"', assignedVariables={"n": "1"})
    view = ExecutionView(machine, chain(*steps))
    view.graph.chosen = "A"
    shown = dict(re.findall(r"<summary>(\w+)</summary><pre>([^<]*)</pre>", view.details.value))
    assert shown == {"Input": "got", "Output": "given", "Variables": "{\n  &quot;n&quot;: 1\n}"}


def test_attempts_are_numbered():
    """The rows of a state that was tried three times are numbered 1, 2, 3, each with its time."""
    view = ExecutionView(TUTORIAL, history("aws_lambda_retry_caught"))
    view.choose_failure()
    row = (
        r"<tr>\s*<td[^>]*>(\d+)</td>\s*<td[^>]*>([\d.]+) s</td>\s*<td[^>]*>[\d.]+ s</td>\s*<td[^>]*>(\W+\w+)"
    )
    rows = re.findall(row, view.details.value)
    assert [(number, status) for number, _, status in rows] == [
        ("1", "✗ failed"),
        ("2", "✗ failed"),
        ("3", "⚠ caught"),
    ]
    began = [float(at) for _, at, _ in rows]
    assert began[0] + 1 < began[1] < began[2] - 1  # with the Retry's waits between them


def test_screen_readers_hear_the_choice(view):
    """What a state became is said when it is chosen, and that it was not entered, too."""
    for chosen, said in (("Validate Winners", "✓ succeeded"), ("Failed", "not entered")):
        view.graph.chosen = chosen
        assert re.search(f'<h4 aria-live="polite">{chosen} <span[^>]*>{said}</span></h4>', view.details.value)


def test_retries_are_in_the_picture():
    """The graph tells how often a state was retried, as well as what became of it."""
    view = ExecutionView(TUTORIAL, history("aws_lambda_retry_caught"))
    assert "caught: Random Select Winners" in view.graph.alt
    assert "Random Select Winners retried 2 times." in view.graph.alt


@pytest.mark.parametrize(
    ("name", "chosen"),
    [("moto_parallel_fails", "Notify Nobody"), ("aws_lambda_retry_caught", "Random Select Winners")],
)
def test_chooses_what_failed(name, chosen):
    """The state that failed is chosen: not the Parallel around it, and not the Fail state behind it."""
    states = {one: {"Type": "Fail"} for one in ("Both", "Notify Nobody", "Random Select Winners", "Failed")}
    view = ExecutionView({"StartAt": "Both", "States": states}, history(name))
    view.choose_failure()
    assert view.graph.chosen == chosen


def test_what_a_retry_survived_is_not_chosen():
    """A state that failed and succeeded when it was tried again is not a failure."""
    view = ExecutionView(TUTORIAL, history("aws_draw_with_loop_and_timeout"))
    view.choose_failure()
    assert view.graph.chosen == ""


def test_without_a_failure_nothing_is_chosen(view):
    """When all went well there is no failure to choose, and the choice stays."""
    view = ExecutionView(TUTORIAL, history("moto_loop"))
    before = view.graph.chosen
    view.choose_failure()
    assert view.graph.chosen == before


def test_state_that_was_not_entered(view):
    """A state that was not entered says so."""
    view.graph.chosen = "Failed"
    assert "The execution has not entered this state." in view.details.value


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([("WaitStateEntered", {"name": "A", "input": "0"})], "running"),
        ([("TaskStateEntered", {"name": "A", "input": "0"}),
          ("TaskSubmitted", {"resource": "publish.waitForTaskToken"})], "waiting"),
    ],
)  # fmt: skip
def test_running_state_has_no_duration(events, status):
    """What still runs, or waits for its token, says so, and has no duration."""
    machine = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    view = ExecutionView(machine, chain(*events))
    view.graph.chosen = "A"
    assert re.search(rf">0.000 s</td>\s*<td[^>]*></td>\s*<td[^>]*>. {status}</td>", view.details.value)
    assert "<summary>Input</summary>" in view.details.value


def test_data_is_escaped():
    """Markup in a state's input is shown as it is written."""
    machine = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    events = chain(("PassStateEntered", {"name": "A", "input": '"<script>"'}))
    view = ExecutionView(machine, events)
    view.graph.chosen = "A"
    assert "&lt;script&gt;" in view.details.value
    assert "<script>" not in view.details.value


def test_the_picture_stands_still_without_a_kernel(view):
    """What a notebook stores of the view is the graph and the timeline, with the texts that tell them."""
    html, events = view._repr_mimebundle_()["text/html"], history("aws_draw_with_loop_and_timeout")
    assert html == graph_view(TUTORIAL, events=events).html + timeline_view(events, TUTORIAL).html


def test_an_execution_that_runs_has_no_timeline_yet():
    """A timeline is drawn once, when the execution has ended."""
    events = history("aws_draw_with_loop_and_timeout")
    assert not ExecutionView(TUTORIAL, events[:-1]).timeline.value
    assert "Timeline of" in ExecutionView(TUTORIAL, events).timeline.value


def test_follows_an_execution(view):
    """Showing what has become of an execution keeps the chosen state."""
    events = history("aws_draw_with_loop_and_timeout")
    view.graph.chosen = "Notify Winners"
    view.show(Reader(events[:39], TUTORIAL))
    assert view.graph.chosen == "Notify Winners"
    assert "… running" in view.details.value


def test_a_refresh_reads_the_history_once(view, count):
    """The graph and the details come from one reading: each event is read once."""
    events, read = history("aws_draw_with_loop_and_timeout"), count(Reader, "read")
    view.graph.chosen = "Notify Winners"
    view.show(Reader(events, TUTORIAL))
    assert len(read) == len(events)


def test_many_entries_are_cut():
    """Of a state that was entered often, the latest ten rows are shown."""
    steps = [("PassStateEntered", {"name": "A"}), ("PassStateExited", {"name": "A"})] * 30
    view = ExecutionView({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}}}, chain(*steps))
    view.graph.chosen = "A"
    assert "the latest 10 of 30 attempts" in view.details.value
    assert [number for number in range(1, 40) if f">{number}</td>" in view.details.value] == list(
        range(21, 31)
    )


def test_notebook_output_is_stable(view):
    """What a checked notebook stores of the view is one line with the names of the states."""
    assert repr(view).startswith("ExecutionView: Input Lottery Winners, Random Select Winners,")


def iteration(number, before, *steps):
    """The events of an iteration of the Map `Each`: their ids count from `before` on."""
    kinds = [("MapIterationStarted", {"name": "Each", "index": number}), *steps]
    return [event(before + n, before if n == 1 else before + n - 1, kind, ms=before + n, **more)
            for n, (kind, more) in enumerate(kinds, 1)]  # fmt: skip


EACH = {"StartAt": "One", "States": {"One": {"Type": "Task", "End": True}}}
MAP = {"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemProcessor": EACH, "End": True}}}
ENTERED = ("TaskStateEntered", {"name": "One", "input": '"first"'})
TRIED = ("TaskScheduled", {})
FAILED = ("TaskFailed", {"error": "Odd", "cause": "why"})
EXITED = ("TaskStateExited", {"name": "One"})


def mapped(first, second):
    """A view of a Map of two iterations."""
    begin = chain(("ExecutionStarted", {}), ("MapStateEntered", {"name": "Each"}), ("MapStateStarted", {}))
    events = [*begin, *iteration(0, 3, *first)]
    again = ("TaskStateEntered", {"name": "One", "input": '"second"'})
    return ExecutionView(MAP, [*events, *iteration(1, len(events), again, *second)])


@pytest.mark.parametrize(
    ("first", "second", "seen", "here"),
    [
        ([ENTERED, TRIED, EXITED], [TRIED, EXITED], "succeeded", 1),
        ([ENTERED, TRIED, FAILED, EXITED], [TRIED, EXITED], "caught", 0),
        ([ENTERED, TRIED, FAILED, EXITED], [TRIED], "running", 1),
        ([ENTERED, TRIED, FAILED, TRIED, EXITED], [TRIED, EXITED], "succeeded", 0),
    ],
)
def test_iteration_to_look_at_first(first, second, seen, here):
    """Of a Map's iterations that which runs is shown, else the one that failed, else the one retried most."""
    view = mapped(first, second)
    view.graph.chosen = "One"
    assert view.statuses["One"] == seen
    assert f"{seen}</span></h4><p>Task, entered 2 times, here Each[{here}]</p>" in view.details.value
    assert f">{['first', 'second'][here]}</pre>" in view.details.value


def test_attempts_tell_their_iteration():
    """The table of attempts says in which iteration of the Map each was."""
    view = mapped([ENTERED, TRIED, FAILED, TRIED, EXITED], [TRIED, EXITED])
    view.graph.chosen = "One"
    assert [view.details.value.count(f">Each[{number}]</td>") for number in (0, 1)] == [2, 1]
    assert "retried 1 time" in view.graph.alt


def test_without_iterations_there_is_no_such_column(view):
    """Where a state has been in one place only, the table does not name it."""
    view.graph.chosen = "Validate Winners"
    assert "Iteration" not in view.details.value


def test_failure_of_any_iteration_is_chosen():
    """A state whose failure was caught is chosen, also when later iterations went well."""
    view = mapped([ENTERED, TRIED, FAILED, EXITED], [TRIED, EXITED])
    view.choose_failure()
    assert view.graph.chosen == "One"
