"""What an attendee sees of an execution, read from the widget's traits: each front end shows the same."""

import json
import queue
import re
import threading

import pytest
from patience import SECONDS, wait_until
from unit.history.histories import chain, event, history

from lottery_lib.definition import load
from lottery_lib.history import Reader
from lottery_lib.view.execution_view import ExecutionWidget
from lottery_lib.view.graph import graph_view
from lottery_lib.view.timeline import timeline_of

TUTORIAL = json.loads(load())


def tab(view, title):
    """A tab beside the graph."""
    return next(each for each in view.details["tabs"] if each["title"] == title)


@pytest.fixture
def view():
    return ExecutionWidget(TUTORIAL, history("aws_draw_with_loop_and_timeout"))


def test_lists_every_state(view):
    """Every state of the definition can be chosen, also those inside the Parallel, in its order."""
    assert view.states == graph_view(TUTORIAL).states
    assert "Record Winner Queue" in view.states


def test_nothing_is_chosen_at_first(view):
    """Until a state is chosen, the whole execution is shown, and how to choose."""
    assert [each["title"] for each in view.details["tabs"]] == ["Input", "Output", "Definition"]
    assert json.loads(tab(view, "Definition")["value"]) == TUTORIAL
    assert json.loads(tab(view, "Input")["value"]) == {"input": 1}
    assert "Choose a state" in tab(view, "Input")["lines"][0]
    assert ExecutionWidget().details["tabs"] == []


def test_shows_input_and_output(view):
    """Choosing a state shows its input, output and definition as JSON, and how often it was entered."""
    view.chosen = "Validate Winners"
    assert view.details["title"] == "Validate Winners"
    assert (view.details["kind"], view.details["word"]) == ("Task (Lambda)", "✓ succeeded")
    assert json.loads(tab(view, "Input")["value"])["body"]["num_of_winners"] == 1
    assert json.loads(tab(view, "Output")["value"])
    assert json.loads(tab(view, "Definition")["value"]) == TUTORIAL["States"]["Validate Winners"]
    assert tab(view, "Attempts")["lines"] == ["entered 2 times"]


def test_shows_error_and_attempts():
    """A state that failed says why above its tabs. Its first tab is the cause, with its JSON laid out."""
    view = ExecutionWidget(TUTORIAL, history("aws_lambda_retry_caught"))
    assert view.details["error"] == ["Random Select Winners: IndexError: list index out of range"]  # of all
    view.choose_failure()
    assert view.chosen == "Random Select Winners"
    assert view.details["error"] == ["IndexError: list index out of range"]
    assert view.details["tabs"][0]["title"] == "Cause"
    assert json.loads(tab(view, "Cause")["value"])["errorMessage"] == "list index out of range"
    assert sum(row[-1].endswith("IndexError") for row in tab(view, "Attempts")["rows"]) == 3


def test_a_cause_in_another_language(catalogue, monkeypatch):
    """A function's sentence is translated above the tabs. The tab with the cause shows what AWS returned."""
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue({"It is empty.": "公开值为空。", "Cause": "原因"})
    cause = json.dumps({"errorMessage": "It is empty.", "errorType": "InvalidInput"})
    failed = ("TaskFailed", {"error": "InvalidInput", "cause": cause})
    events = chain(("ExecutionStarted", {}), ENTERED, TRIED, failed, ("ExecutionFailed", failed[1]))
    view = ExecutionWidget(EACH, events)
    assert view.details["error"] == ["One：InvalidInput：公开值为空。"]
    view.chosen = "One"
    assert view.details["error"] == ["InvalidInput：公开值为空。"]
    assert json.loads(tab(view, "原因")["value"])["errorMessage"] == "It is empty."


def test_a_fail_state_tells_what_led_there():
    """The tutorial's Fail state has no error. Its input has the one that a Catch took."""
    view = ExecutionWidget(TUTORIAL, history("aws_lambda_retry_caught"))
    view.chosen = "Failed"
    told = "It gives no error of its own. A Catch led here: IndexError: list index out of range"
    assert view.details["error"] == [told]
    machine = {"StartAt": "A", "States": {"A": {"Type": "Fail"}}}
    view = ExecutionWidget(machine, chain(("FailStateEntered", {"name": "A", "input": "{}"})))
    view.chosen = "A"
    assert view.details["error"] == ["It gives no error and no cause."]


def test_output_is_not_the_input():
    """What a state got stands below Input, what it gave below Output, what it assigned below Variables."""
    machine = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    steps = ("PassStateEntered", {"name": "A", "input": '"got"'}), ("PassStateExited", {"name": "A"})
    steps[1][1].update(output='"given"', assignedVariables={"n": "1"})
    view = ExecutionWidget(machine, chain(*steps))
    view.chosen = "A"
    shown = [tab(view, title)["value"] for title in ("Input", "Output", "Variables")]
    assert shown == ['"got"', '"given"', '{"n": 1}']


def test_attempts_are_numbered():
    """The rows of a state that was tried three times are numbered 1, 2, 3, each with its time."""
    view = ExecutionWidget(TUTORIAL, history("aws_lambda_retry_caught"))
    view.choose_failure()
    shown = tab(view, "Attempts")
    assert shown["headings"] == ["Attempt", "At", "Took", "Status"]
    assert [(row[0], row[3]) for row in shown["rows"]] == [
        ("1", "✗ failed IndexError"),
        ("2", "✗ failed IndexError"),
        ("3", "⚠ caught IndexError"),
    ]
    began = [float(row[1].removesuffix(" s")) for row in shown["rows"]]
    assert began[0] + 1 < began[1] < began[2] - 1  # with the Retry's waits between them


def test_a_state_that_was_not_entered_says_so(view):
    """It has only its definition."""
    view.chosen = "Failed"
    assert view.details["word"] == "not entered"
    assert tab(view, "Definition")["lines"] == ["The execution has not entered this state."]
    assert [each["title"] for each in view.details["tabs"]] == ["Definition"]


def test_retries_are_in_the_picture():
    """The graph tells how often a state was retried, as well as what became of it."""
    view = ExecutionWidget(TUTORIAL, history("aws_lambda_retry_caught"))
    assert "caught: Random Select Winners" in view.alt
    assert "Random Select Winners retried 2 times." in view.alt


@pytest.mark.parametrize(
    ("name", "chosen"),
    [("moto_parallel_fails", "Notify Nobody"), ("aws_lambda_retry_caught", "Random Select Winners")],
)
def test_chooses_what_failed(name, chosen):
    """The state that failed is chosen: not the Parallel around it, and not the Fail state behind it."""
    states = {one: {"Type": "Fail"} for one in ("Both", "Notify Nobody", "Random Select Winners", "Failed")}
    view = ExecutionWidget({"StartAt": "Both", "States": states}, history(name))
    view.choose_failure()
    assert view.chosen == chosen


def test_what_a_retry_survived_is_not_chosen():
    """A state that failed and succeeded when it was tried again is not a failure."""
    view = ExecutionWidget(TUTORIAL, history("aws_draw_with_loop_and_timeout"))
    view.choose_failure()
    assert view.chosen == ""


def test_without_a_failure_nothing_is_chosen(view):
    """When all went well there is no failure to choose, and the choice stays."""
    view = ExecutionWidget(TUTORIAL, history("moto_loop"))
    before = view.chosen
    view.choose_failure()
    assert view.chosen == before


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([("WaitStateEntered", {"name": "A", "input": "0"})], "… running"),
        ([("TaskStateEntered", {"name": "A", "input": "0"}),
          ("TaskSubmitted", {"resource": "publish.waitForTaskToken"})], "‖ waiting"),
    ],
)  # fmt: skip
def test_running_state_has_no_duration(events, status):
    """What still runs, or waits for its token, says so, and has no duration."""
    machine = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    view = ExecutionWidget(machine, chain(*events))
    view.chosen = "A"
    assert tab(view, "Attempts")["rows"] == [["1", "0.000 s", "", status]]
    assert tab(view, "Input")["value"] == "0"


def test_controls_are_harmless():
    """What turns the direction of a text, or ends a terminal's line, is written as JSON does."""
    machine = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    events = chain(("PassStateEntered", {"name": "A", "input": '"\u202e"'}))
    view = ExecutionWidget(machine, events)
    view.chosen = "A"
    assert tab(view, "Input")["value"] == '"\\u202e"'


def test_the_picture_stands_still_without_a_kernel(view):
    """What a notebook stores of the view is its header, the graph and the timeline, with their texts."""
    (data, _metadata), events = view._repr_mimebundle_(), history("aws_draw_with_loop_and_timeout")
    header, pictures = data["text/html"].split("</p>", 1)
    assert re.match(r"<p><b>✓ SUCCEEDED</b>.* · Duration 301\.\d\d\d s · Transitions 1\d", header)
    assert pictures == graph_view(TUTORIAL, events=events).html + timeline_of(Reader(events, TUTORIAL)).html


def test_header_tells_the_execution():
    """It has AWS's status, the name and the ARN, and what the execution costs on AWS."""
    arn = "arn:aws:states:us-east-1:123456789012:execution:Lottery:draw-1"
    events = history("aws_lambda_retry_caught")
    view = ExecutionWidget(TUTORIAL, events, {"executionArn": arn, "redriveCount": 2})
    assert (view.header["status"], view.header["word"]) == ("failed", "✗ FAILED")
    assert (view.header["name"], view.header["arn"]) == ("draw-1", arn)
    facts = dict(view.header["facts"])
    assert (facts["State machine"], facts["Redrives"]) == ("Lottery", "2")
    assert facts["Transitions"] == str(Reader(events).transitions()) == "5"
    assert facts["Price on AWS"] == "$0.000125"
    assert ExecutionWidget(TUTORIAL, events[:5]).header["word"] == "… RUNNING"
    assert ExecutionWidget(TUTORIAL).header == {}


def asked(view, **question):
    """The answer to a question of execution.js."""
    told = []
    view.send = told.append
    view._on_asked(view, question, [])
    return told[0]


PAGE = {"do": "events", "asked": 1, "page": 0, "size": 10, "filter": "", "state": ""}


def test_events_come_page_by_page(view):
    """A page has its rows, and the number of all that the filter finds."""
    events = history("aws_draw_with_loop_and_timeout")
    first = asked(view, **PAGE)
    assert (first["count"], len(first["rows"])) == (len(events), 10)
    began = ["0.000 s", "09:00:00 UTC"]
    assert first["rows"][1] == ["2", *began, "TaskStateEntered", "Input Lottery Winners", ""]
    second = asked(view, **PAGE | {"page": 1})
    assert [row[0] for row in second["rows"]] == [str(number) for number in range(11, 21)]


def test_events_are_filtered(view):
    """By a part of the type or of the state's name, in any case; or by the chosen state."""
    found = asked(view, **PAGE | {"filter": "stateenteRED"})
    assert {row[3][-7:] for row in found["rows"]} == {"Entered"}
    assert {row[4] for row in asked(view, **PAGE | {"state": "Validate Winners"})["rows"]} == {
        "Validate Winners"
    }
    assert asked(view, **PAGE | {"filter": "no such"})["count"] == 0


def test_events_tell_what_a_task_calls(view):
    """The function, or the action of another service."""
    rows = asked(view, **PAGE | {"filter": "Scheduled", "size": 100})["rows"]
    called = {row[4]: row[5] for row in rows}
    assert called["Notify Winners"] == "sns:publish"
    assert called["Validate Winners"].endswith("-ValidateWinners")


def test_an_event_is_shown_whole(view):
    """With its time as text, and its details."""
    event = json.loads(asked(view, do="event", id="2")["text"])
    assert event["stateEnteredEventDetails"]["name"] == "Input Lottery Winners"
    assert event["timestamp"].startswith("20")


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (lambda *_: "START\x1b", "START\\u001b"),
        (lambda *_: "Traceback\r  File\r\nEND", "Traceback\n  File\nEND"),
        (lambda *_: "", "It has written nothing."),
        (lambda *_: (_ for _ in ()).throw(OSError("No log group.")), "No log group."),
    ],
)
def test_log_of_a_function(read, text):
    """It is read when somebody opens its tab, in a thread; an error is told there."""
    view = ExecutionWidget(TUTORIAL, history("aws_lambda_retry_caught"))
    view.log_of, view.page_of = read, "about {}".format
    view.chosen = "Random Select Winners"
    link = f"about {TUTORIAL['States'][view.chosen]['Resource']}"
    assert view.details["tabs"][-1] == {"title": "Log", "kind": "log", "link": link}
    told = queue.Queue()
    view.send = told.put
    view._on_asked(view, {"do": "log", "state": view.chosen}, [])
    assert told.get(timeout=SECONDS) == {"do": "log", "state": view.chosen, "text": text}
    view.chosen = "Failed"
    assert "Log" not in [each["title"] for each in view.details["tabs"]]


def test_an_execution_that_runs_has_no_timeline_yet():
    """A timeline is drawn once, when the execution has ended."""
    events = history("aws_draw_with_loop_and_timeout")
    assert ExecutionWidget(TUTORIAL, events[:-1]).below == {"events": 52}
    assert "Timeline of" in ExecutionWidget(TUTORIAL, events).below["tabs"][0]["alt"]


def test_all_states_stand_in_a_table():
    """In the order in which they were entered, with type, status, attempts and times; then the others."""
    states = ExecutionWidget(TUTORIAL, history("aws_lambda_retry_caught")).below["tabs"][1]
    assert states["headings"] == ["State", "Type", "Status", "Attempts", "At", "Took"]
    rows = {row[0]: row[1:] for row in states["rows"]}
    assert list(rows)[:3] == ["Input Lottery Winners", "Random Select Winners", "Failed"]
    assert set(rows) == set(graph_view(TUTORIAL).states)
    caught = ["Task (Lambda)", "⚠ caught IndexError", "3", "0.100 s", "3.900 s"]
    assert rows["Random Select Winners"] == caught
    assert rows["Notify Winners"] == ["Task (SNS)", "not entered", "", "", ""]


def test_what_a_service_got_and_gave():
    """The task's own input and result are shown where they are not the state's input and output."""
    states = {"A": {"Type": "Task", "End": True}, "B": {"Type": "Task"}}
    view = ExecutionWidget({"StartAt": "A", "States": states}, chain(
        ("TaskStateEntered", {"name": "A", "input": '{"all": 1}'}),
        ("TaskScheduled", {"resource": "publish", "resourceType": "sns", "parameters": '{"Message": "1"}'}),
        ("TaskSucceeded", {"output": '{"MessageId": "2"}'}),
        ("TaskStateExited", {"name": "A", "output": '{"all": 1}'}),
        ("TaskStateEntered", {"name": "B", "input": "1"}),
        ("LambdaFunctionScheduled", {"input": "1"}), ("LambdaFunctionSucceeded", {"output": "2"}),
        ("TaskStateExited", {"name": "B", "output": "2"}),
    ))  # fmt: skip
    view.chosen = "A"
    assert tab(view, "Task input")["value"] == '{"Message": "1"}'
    assert tab(view, "Task result")["value"] == '{"MessageId": "2"}'
    view.chosen = "B"
    assert [each["title"] for each in view.details["tabs"]][:3] == ["Input", "Output", "Definition"]


def test_a_long_history_tells_how_far_it_is_read():
    """Events that come one after the other are read in a thread. Until the end, the header counts them."""
    events, told, go_on = chain(*[("PassStateEntered", {"name": "A"})] * 2500), [], threading.Event()

    def come():
        for number, each in enumerate(events):
            if number == 2001:
                assert go_on.wait(SECONDS)
            yield each

    view = ExecutionWidget({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}}}, come())
    view.observe(lambda change: told.append(change["new"]), "header")
    wait_until(lambda: view.header.get("name") == "Events: 2,000")
    assert view.header["word"] == "Reading ..."
    view.refresh()
    go_on.set()
    wait_until(lambda: view.header.get("word") == "… RUNNING")
    assert asked(view, **PAGE)["count"] == 2500


def test_a_history_that_cannot_be_read_says_why():
    """The header has the sentence of the error. What was read is shown."""

    def come():
        yield from history("aws_lambda_retry_caught")[:3]
        raise OSError("The network is down.")

    view = ExecutionWidget(TUTORIAL, come())
    wait_until(lambda: view.header.get("word") == "✗")
    assert view.header["name"] == "Not all events were read: The network is down."
    assert view.statuses == {"Input Lottery Winners": "running"}


def test_what_is_shown_meanwhile_stays():
    """A history that was read too late does not replace what somebody has shown since."""
    go_on, ended = threading.Event(), threading.Event()

    def come():
        assert go_on.wait(SECONDS)
        yield from history("moto_loop")
        ended.set()

    view, events = ExecutionWidget(TUTORIAL, come()), history("aws_lambda_retry_caught")
    view.show(Reader(events, TUTORIAL))
    go_on.set()
    assert ended.wait(SECONDS)
    with view._lock:
        assert view.header["word"] == "✗ FAILED"


def test_follows_an_execution(view):
    """Showing what has become of an execution keeps the chosen state."""
    events = history("aws_draw_with_loop_and_timeout")
    view.chosen = "Notify Winners"
    view.show(Reader(events[:39], TUTORIAL))
    assert view.chosen == "Notify Winners"
    assert view.details["word"] == "… running"


def test_a_refresh_reads_the_history_once(view, count):
    """The graph and the details come from one reading: each event is read once."""
    events, read = history("aws_draw_with_loop_and_timeout"), count(Reader, "read")
    view.chosen = "Notify Winners"
    view.show(Reader(events, TUTORIAL))
    assert len(read) == len(events)


def test_many_entries_are_cut():
    """Of a state that was entered often, the latest rows are shown."""
    steps = [("PassStateEntered", {"name": "A"}), ("PassStateExited", {"name": "A"})] * 70
    view = ExecutionWidget({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}}}, chain(*steps))
    view.chosen = "A"
    assert tab(view, "Attempts")["lines"] == ["entered 70 times, the latest 50 of 70 attempts"]
    assert [row[0] for row in tab(view, "Attempts")["rows"]] == [str(number) for number in range(21, 71)]


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
    return ExecutionWidget(MAP, [*events, *iteration(1, len(events), again, *second)])


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
    view.chosen = "One"
    assert view.statuses["One"] == seen
    assert view.details["status"] == seen
    assert tab(view, "Attempts")["lines"] == [f"entered 2 times, here Each[{here}]"]
    assert tab(view, "Input")["value"] == f'"{["first", "second"][here]}"'


def test_attempts_tell_their_iteration():
    """The table of attempts says in which iteration of the Map each was."""
    view = mapped([ENTERED, TRIED, FAILED, TRIED, EXITED], [TRIED, EXITED])
    view.chosen = "One"
    assert [row[0] for row in tab(view, "Attempts")["rows"]] == ["Each[0]", "Each[0]", "Each[1]"]
    assert "retried 1 time" in view.alt


def test_without_iterations_there_is_no_such_column(view):
    """Where a state has been in one place only, the table does not name it."""
    view.chosen = "Validate Winners"
    assert "Iteration" not in tab(view, "Attempts")["headings"]


def test_failure_of_any_iteration_is_chosen():
    """A state whose failure was caught is chosen, also when later iterations went well."""
    view = mapped([ENTERED, TRIED, FAILED, EXITED], [TRIED, EXITED])
    view.choose_failure()
    assert view.chosen == "One"
