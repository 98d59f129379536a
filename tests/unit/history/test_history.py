import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.history.histories import HISTORIES, attempts_of, chain, event, history, statuses_of, why

from lottery_lib.history import Reader, output, published
from lottery_lib.tables import event_table, state_table

ROOT = Path(__file__).parents[3]
PARALLEL = "Send SNS and Record In Dynamodb"


def rows(name, *columns, **where):
    table = state_table(history(name))
    for column, value in where.items():
        table = table[table[column] == value]
    return [tuple(row) for row in table[list(columns)].itertuples(index=False)]


def test_columns_are_the_published_ones():
    """A state table has exactly the columns that the interface promises, also when nothing happened yet."""
    columns = ["state", "branch", "attempt", "status", "started", "duration"]
    columns += ["input", "output", "variables", "error", "cause"]
    assert list(state_table(history("moto_loop")).columns) == columns
    assert list(state_table([]).columns) == columns
    assert list(event_table([]).columns) == ["id", "previous_id", "time", "type", "state", "branch"]


def test_retries_are_rows_of_their_own():
    """Three Scheduled events of one entry are attempts 1, 2, 3; the last is the one that was caught."""
    found = rows("aws_lambda_retry_caught", "attempt", "status", "error", state="Random Select Winners")
    assert found == [(1, "failed", "IndexError"), (2, "failed", "IndexError"), (3, "caught", "IndexError")]


def test_duration_is_of_the_attempt_in_seconds():
    """A duration leaves out the wait before a retry, and has whole seconds as well as their fractions."""
    lasted = rows("aws_lambda_retry_caught", "duration", state="Random Select Winners")
    assert lasted == [(0.3,), (0.3,), (0.3,)]
    assert rows("aws_draw_with_loop_and_timeout", "duration", state="Record Winner Queue") == [
        (300,),
        (0.15,),
    ]


def test_started_is_utc():
    """`started` and `time` are in UTC, whatever zone boto3 gave."""
    local = [one | {"timestamp": one["timestamp"].astimezone()} for one in history("moto_loop")]
    assert str(state_table(local)["started"].dtype).endswith("UTC]")
    assert str(event_table(local)["time"].dtype).endswith("UTC]")


def test_parallel_retry_runs_every_branch_again():
    """A second ParallelStateStarted is attempt 2, and the inner states have rows for each attempt."""
    name = "aws_draw_with_loop_and_timeout"
    assert rows(name, "attempt", "status", state=PARALLEL) == [(1, "failed"), (2, "succeeded")]
    assert rows(name, "status", state="Notify Winners") == [("aborted",), ("succeeded",)]
    assert rows(name, "status", "error", state="Record Winner Queue") == [
        ("failed", "States.Timeout"),
        ("succeeded", ""),
    ]


def test_branches_are_numbered_as_they_begin():
    """Without the definition, the branch whose first event is earlier has the lower number."""
    name = "aws_draw_with_loop_and_timeout"
    assert rows(name, "branch", state="Record Winner Queue")[0] == (f"{PARALLEL}[0]",)
    assert rows(name, "branch", state="Notify Winners")[0] == (f"{PARALLEL}[1]",)


def test_definition_gives_the_true_branch_number():
    """With the definition, a branch has its index in Branches, whichever began first."""
    definition = (ROOT / "asl" / "lottery.asl.json").read_text(encoding="utf-8")
    table = state_table(history("aws_draw_with_loop_and_timeout"), definition)
    assert table.equals(state_table(history("aws_draw_with_loop_and_timeout"), json.loads(definition)))
    branches = dict(zip(table["state"], table["branch"], strict=True))
    assert branches["Notify Winners"] == f"{PARALLEL}[0]"
    assert branches["Record Winner Queue"] == f"{PARALLEL}[1]"
    assert branches[PARALLEL] == ""


def test_nested_labels_are_joined():
    """A state in a Parallel in a Parallel carries both labels."""
    assert rows("moto_nested", "branch", state="One More") == [("Outer[1] / Inner[0]",)]
    assert rows("moto_nested", "branch", state="After") == [("",)]


def test_parallel_owns_its_last_events():
    """Succeeded and Exited of a Parallel belong to it, though they follow an event of a branch."""
    table = event_table(history("moto_nested"))
    owners = table[table["type"].isin(["ParallelStateSucceeded", "ParallelStateExited"])]["state"]
    assert list(owners) == ["Inner", "Inner", "Outer", "Outer"]


@pytest.mark.parametrize("name", ["moto_map", "aws_map_one_by_one"])
def test_iterations_have_their_index(name):
    """Map iterations are labelled by index, also where one follows another by previousEventId (AWS)."""
    found = {(branch, given) for branch, given in rows(name, "branch", "input") if branch}
    first = 1 if name == "moto_map" else 7
    assert found == {(f"For Each[{n}]", first + n) for n in range(3 if name == "moto_map" else 2)}


def test_execution_events_belong_to_no_state():
    """Events of the execution itself have an empty state."""
    table = event_table(history("moto_parallel"))
    assert set(table[table["type"].str.startswith("Execution")]["state"]) == {""}
    assert "" not in set(table[~table["type"].str.startswith("Execution")]["state"])


def test_loop_gives_a_row_each_time():
    """A state entered three times has three rows, each attempt 1."""
    assert rows("moto_loop", "attempt", "input", state="Again") == [(1, {"n": n}) for n in range(3)]


def test_running_has_no_duration():
    """What still runs has no end: its duration is NaN, its output None."""
    [(status, duration, output)] = rows("moto_running", "status", "duration", "output", state="Hold")
    assert (status, output) == ("running", None)
    assert math.isnan(duration)


def test_caught_parallel_shows_the_inner_error():
    """A Parallel fails with the error of the branch that failed; the other branch is aborted."""
    assert rows("moto_parallel_fails", "status", "error", state="Both") == [
        ("failed", "SNS.NotFoundException"),
        ("caught", "SNS.NotFoundException"),
    ]
    assert set(rows("moto_parallel_fails", "status", state="Wait Long")) == {("aborted",)}


def test_fail_state_in_a_map_learns_its_reason():
    """FailStateEntered says no error: the Fail state gets the error that ended the execution."""
    assert rows("moto_map_fails", "status", "error", "cause", state="Two") == [
        ("failed", "Two", "two is bad")
    ]
    assert rows("moto_map_fails", "status", state="Other") == [("aborted",)]


def test_fail_state_in_a_caught_parallel_learns_its_reason():
    """Inside a Parallel, only the output of the Parallel's Exited event says why the Fail state was there."""
    events = chain(
        ("ExecutionStarted", {}),
        ("ParallelStateEntered", {"name": "Both"}),
        ("ParallelStateStarted", {}),
        ("FailStateEntered", {"name": "Stop"}),
        ("ParallelStateFailed", {}),
        ("ParallelStateExited", {"name": "Both", "output": '{"Error": "Mine", "Cause": "why"}'}),
    )
    table = state_table(events)
    assert list(table["error"]) == ["Mine", "Mine"]
    assert list(table["status"]) == ["caught", "failed"]


def test_events_after_the_end_change_nothing():
    """The emulator's branches may still report after the execution has ended: what was aborted stays so."""
    events = [
        event(1, 0, "ExecutionStarted"),
        event(2, 0, "ParallelStateEntered", name="Both"),
        event(3, 2, "ParallelStateStarted"),
        event(4, 3, "FailStateEntered", name="Bad"),
        event(5, 3, "PassStateEntered", name="Slow"),
        event(6, 4, "ParallelStateFailed"),
        event(7, 6, "ExecutionFailed", error="E"),
        event(8, 5, "PassStateExited", name="Slow"),
        event(9, 8, "PassStateEntered", name="Late"),
    ]
    assert statuses_of(events) == {"Both": "failed", "Bad": "failed", "Slow": "aborted"}


def test_jsonata_error_fails_the_state():
    """EvaluationFailed says why a JSONata expression failed; a Retry of it is an attempt of its own."""
    events = chain(
        ("ExecutionStarted", {}),
        ("TaskStateEntered", {"name": "One"}),
        ("EvaluationFailed", {"error": "States.QueryEvaluationError", "cause": "why", "state": "One"}),
        ("TaskScheduled", {}),
    )
    table = state_table(events)
    assert list(table["status"]) == ["failed", "running"]
    assert list(table["error"]) == ["States.QueryEvaluationError", ""]


def test_a_jsonata_error_follows_what_was_before_its_state():
    """AWS's EvaluationFailed does not name the event of its state, but its cause does."""
    told = {
        "error": "E",
        "cause": "An error occurred while executing the state 'Two' (entered at the event id #4). no",
    }
    events = [
        event(1, 0, "ExecutionStarted"),
        event(2, 0, "PassStateEntered", name="One"),
        event(3, 2, "PassStateExited", name="One"),
        event(4, 3, "PassStateEntered", name="Two"),
        event(5, 3, "EvaluationFailed", state="Two", **told),
        event(6, 5, "ExecutionFailed", **told),
    ]
    assert statuses_of(events) == {"One": "succeeded", "Two": "failed"}
    assert why(events) == (told["error"], told["cause"])


def test_a_cause_gives_the_terminal_no_orders():
    """A function chooses its error and cause: their controls are written as in JSON."""
    events = chain(
        ("PassStateEntered", {"name": "One", "input": "{}"}),
        ("EvaluationFailed", {"error": "E\x1b[2J", "cause": "\x9b31m", "state": "One"}),
    )
    assert list(state_table(events)[["error", "cause"]].iloc[0]) == ["E\\u001b[2J", "\\u009b31m"]


def test_variables_are_those_that_the_state_assigned():
    """A state's variables are Python values. Names that it only reads are not among them."""
    events = chain(
        ("ExecutionStarted", {}),
        ("PassStateEntered", {"name": "One", "input": "{}"}),
        ("PassStateExited", {"name": "One", "output": "{}", "assignedVariables": {"n": "1", "s": '"1"'}}),
        ("PassStateEntered", {"name": "Two", "input": "{}"}),
        ("PassStateExited", {"name": "Two", "output": "{}"}),
    )
    assert list(state_table(events)["variables"]) == [{"n": 1, "s": "1"}, None]


def test_redriven_execution_goes_on():
    """A redrive tries the failed state again, and the execution has no failure until it ends again."""
    events = chain(
        ("ExecutionStarted", {}),
        ("TaskStateEntered", {"name": "One"}),
        ("TaskScheduled", {}),
        ("TaskFailed", {"error": "E"}),
        ("ExecutionFailed", {"error": "E"}),
        ("ExecutionRedriven", {}),
        ("TaskScheduled", {}),
    )
    assert list(state_table(events)["status"]) == ["failed", "running"]
    assert why(events) is None


def test_redriven_parallel_goes_on():
    """After a redrive, the Parallel and the state that failed in it run again, and succeed."""
    events = [
        event(1, 0, "ExecutionStarted"),
        event(2, 0, "ParallelStateEntered", name="Both"),
        event(3, 2, "ParallelStateStarted"),
        event(4, 3, "TaskStateEntered", name="Bad"),
        event(5, 4, "TaskScheduled"),
        event(6, 5, "TaskFailed", error="E", cause="c"),
        event(7, 6, "ParallelStateFailed"),
        event(8, 7, "ExecutionFailed", error="E", cause="c"),
        event(9, 8, "ExecutionRedriven"),
        event(10, 9, "TaskScheduled"),
        event(11, 10, "TaskSucceeded"),
        event(12, 11, "TaskStateExited", name="Bad", output="1"),
    ]
    assert statuses_of(events) == {"Both": "running", "Bad": "succeeded"}
    events += [
        event(13, 12, "ParallelStateSucceeded"),
        event(14, 13, "ParallelStateExited", name="Both", output="[1]"),
        event(15, 14, "ExecutionSucceeded"),
    ]
    assert statuses_of(events) == {"Both": "succeeded", "Bad": "succeeded"}
    assert attempts_of(events) == {"Both": 2, "Bad": 2}


def test_stopped_execution_aborts_what_ran():
    """When an execution is stopped, what ran is aborted, inside and out, and what was done stays done."""
    statuses = statuses_of(history("moto_aborted"))
    assert statuses == {"Begin": "succeeded", "Both": "aborted", "A": "aborted", "B": "succeeded"}


def test_choice_error_fails_the_choice():
    """States.Runtime names its state only in the cause: that state failed."""
    assert statuses_of(history("aws_choice_runtime_error")) == {"Is Winner In Past Draw": "failed"}


def test_previous_event_in_a_healthy_branch_is_not_blamed():
    """ParallelStateFailed may follow an event of another branch (emulator): the failed state is blamed."""
    events = [
        event(1, 0, "ExecutionStarted"),
        event(2, 0, "ParallelStateEntered", name="Both"),
        event(3, 2, "ParallelStateStarted"),
        event(4, 3, "TaskStateEntered", name="Bad"),
        event(5, 4, "TaskFailed", error="E", cause="c"),
        event(6, 3, "WaitStateEntered", name="Well"),
        event(7, 6, "ParallelStateFailed"),
        event(8, 7, "ExecutionFailed", error="E", cause="c"),
    ]
    assert statuses_of(events) == {"Both": "failed", "Bad": "failed", "Well": "aborted"}


def test_a_branch_that_begins_after_the_failure():
    """A branch may begin when another one has failed already (emulator): it has run for no time."""
    events = [
        event(1, 0, "ExecutionStarted"),
        event(2, 0, "ParallelStateEntered", name="Both"),
        event(3, 2, "ParallelStateStarted"),
        event(4, 3, "FailStateEntered", name="Bad", ms=10),
        event(5, 3, "WaitStateEntered", name="Late", ms=20),
        event(6, 5, "ParallelStateFailed", ms=30),
    ]
    assert list(state_table(events)["duration"]) == [0.01, 0, 0]


def test_text_that_is_not_json_stays_text():
    """Input and output are Python values; text that is not JSON (a truncated one) is left as it came."""
    events = chain(("ExecutionStarted", {}), ("PassStateEntered", {"name": "A", "input": '{"cut": '}))
    assert list(state_table(events)["input"]) == ['{"cut": ']


def test_attempts_are_of_the_latest_entry():
    """The attempts of a state are counted from 1 each time that it is entered."""
    assert attempts_of(history("aws_lambda_retry_caught"))["Random Select Winners"] == 3
    attempts = attempts_of(history("aws_draw_with_loop_and_timeout"))
    assert (attempts["Validate Winners"], attempts[PARALLEL]) == (1, 2)


def test_failure_looks_behind_a_silent_fail_state():
    """A Fail state without a reason: the caught error is given, the cause being Lambda's errorMessage."""
    assert why(history("aws_lambda_retry_caught")) == ("IndexError", "list index out of range")
    error, cause = why(history("moto_parallel_fails"))
    assert error == "SNS.NotFoundException"
    assert cause.startswith("Endpoint does not exist")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("moto_fail", ("TooMany", "More were asked for than remain")),
        ("moto_aborted", ("ExecutionAborted", "The execution was stopped")),
        (
            "aws_execution_timed_out",
            ("States.Timeout", "The execution ran for longer than its TimeoutSeconds"),
        ),
        ("moto_running", None),
        ("moto_loop", None),
    ],
)
def test_failure_of_each_ending(name, expected):
    """Failed, aborted and timed out have a reason; running and succeeded have none."""
    assert why(history(name)) == expected


def test_fail_state_that_nobody_sent_there_is_named():
    """If there is no reason at all, the sentence names the state that ended the execution."""
    events = chain(("ExecutionStarted", {}), ("FailStateEntered", {"name": "Stop"}), ("ExecutionFailed", {}))
    error, cause = why(events)
    assert error == ""
    assert "'Stop'" in cause


def test_published_once_for_each_time():
    """What SNS took is listed once for each time: here the first Parallel was aborted before it answered."""
    assert published(history("aws_draw_with_loop_and_timeout")) == [
        "Congrats! [John] You have selected as the Lucky Champ!"
    ]


def test_published_takes_no_other_task():
    """A task of another service, and a message that SNS refused, did not go out."""
    events = chain(
        ("ExecutionStarted", {}),
        ("TaskScheduled", {"resource": "publish", "parameters": '{"Message": "lost"}'}),
        ("TaskFailed", {"resource": "publish"}),
        ("TaskScheduled", {"resource": "putItem", "parameters": "{}"}),
        ("TaskSucceeded", {"resource": "putItem"}),
    )
    assert published(events) == []
    cut = [
        ("TaskScheduled", {"resource": "publish", "parameters": '{"Message": "cu'}),
        ("TaskSucceeded", {"resource": "publish"}),
    ]
    assert published(chain(*cut)) == [""]


CALLBACK = {"resourceType": "sns", "resource": "publish.waitForTaskToken"}
WAITING = (
    ("ExecutionStarted", {}),
    ("TaskStateEntered", {"name": "Ask", "input": "{}"}),
    ("TaskScheduled", CALLBACK | {"parameters": '{"Message": "Do you accept?"}'}),
    ("TaskStarted", CALLBACK),
    ("TaskSubmitted", CALLBACK | {"output": "{}"}),
)


def test_a_task_waits_once_its_service_has_answered():
    """It runs until TaskSubmitted, and then it waits for its token. It has no duration yet."""
    assert statuses_of(chain(*WAITING[:-1])) == {"Ask": "running"}
    (row,) = state_table(chain(*WAITING)).to_dict("records")
    assert (row["status"], math.isnan(row["duration"])) == ("waiting", True)
    assert len(chain(*WAITING)) in Reader().moments(chain(*WAITING))


def test_a_task_that_waits_for_a_job_runs():
    """Only a resource that ends with .waitForTaskToken waits for a token."""
    job = {"resourceType": "states", "resource": "startExecution.sync"}
    events = [(kind, details | job if "resource" in details else details) for kind, details in WAITING]
    assert statuses_of(chain(*events)) == {"Ask": "running"}


@pytest.mark.parametrize(
    ("end", "status", "error"),
    [
        (("TaskSucceeded", CALLBACK | {"output": "1"}), "waiting", ""),
        (("TaskFailed", CALLBACK | {"error": "No", "cause": "Tired"}), "failed", "No"),
        (("TaskFailed", CALLBACK), "failed", ""),
        (("TaskTimedOut", CALLBACK | {"error": "States.Timeout"}), "failed", "States.Timeout"),
        (("ExecutionAborted", {}), "aborted", ""),
        (("TaskStateExited", {"name": "Ask", "output": "1"}), "succeeded", ""),
    ],
)
def test_the_end_of_a_waiting_task(end, status, error):
    """Like that of any other task. A success counts when the state is left."""
    (row,) = state_table(chain(*WAITING, end)).to_dict("records")
    assert (row["status"], row["error"]) == (status, error)


def test_the_attempts_of_a_task_that_waits():
    """A missed heartbeat and its Retry, a refusal that is caught, then another state's success."""
    assert rows("moto_callback", "state", "attempt", "status", "error", "cause") == [
        ("Ask", 1, "failed", "States.Timeout", ""),
        ("Ask", 2, "caught", "No", "Not today"),
        ("Ask Another", 1, "succeeded", "", ""),
    ]
    statuses = [statuses_of(history("moto_callback")[:count]).get("Ask") for count in range(2, 10)]
    assert statuses == ["running"] * 3 + ["waiting", "failed"] + ["running"] * 2 + ["waiting"]


def test_a_message_with_a_token_is_published_when_sns_has_it():
    """SNS accepted it at TaskSubmitted; the success of the task comes much later and is no second message."""
    assert published(chain(*WAITING[:-1])) == []
    assert published(chain(*WAITING)) == ["Do you accept?"]
    assert published(chain(*WAITING, ("TaskSucceeded", CALLBACK | {"output": "1"}))) == ["Do you accept?"]


def test_transitions_count_retries():
    """AWS bills each state entered, and each retry: one, three tries, and Failed."""
    assert Reader(history("aws_lambda_retry_caught")).transitions() == 5


def test_transitions_of_a_loop_and_a_second_parallel():
    """Each round is three transitions; a Parallel that is retried counts again, and its branches with it."""
    assert Reader(history("aws_draw_with_loop_and_timeout")).transitions() == 1 + 3 + 3 + 2 * 3


def test_output_is_of_success_only():
    """An execution gives something out when it has succeeded, and not before or otherwise."""
    assert output(history("moto_parallel"))[1] == {}
    assert output(history("moto_running")) is None
    assert output(history("moto_fail")) is None


@pytest.mark.parametrize("name", HISTORIES)
def test_moments_miss_nothing(name):
    """Between two moments, nothing changes but that a state succeeds or its Catch moves on."""
    events = history(name)
    statuses = [statuses_of(events[:count]) for count in range(len(events) + 1)]
    for count in {*range(1, len(statuses))} - {*Reader().moments(events)}:
        old, new = statuses[count - 1], statuses[count]
        changed = {status for state, status in new.items() if old.get(state) != status}
        assert changed <= {"succeeded", "caught"}


def test_moments_after_what_was_seen():
    """A second look begins where the first one ended."""
    events = history("aws_draw_with_loop_and_timeout")
    reader = Reader()
    both = [*reader.moments(events[:20]), *reader.moments(events[20:])]
    assert both == list(Reader().moments(events))


@pytest.mark.parametrize("name", HISTORIES)
def test_order_of_the_list_does_not_matter(name):
    """The history in reverse order gives the same table."""
    events = history(name)
    assert state_table(events[::-1]).equals(state_table(events))


@pytest.mark.parametrize("name", HISTORIES)
def test_every_beginning_of_a_history_reads_well(name):
    """At every moment of an execution, durations are not negative and statuses are of the six."""
    events = history(name)
    for end in range(len(events) + 1):
        table = state_table(events[:end])
        assert not (table["duration"] < 0).any()
        assert set(table["status"]) <= {"running", "waiting", "succeeded", "failed", "caught", "aborted"}
        assert table["duration"].isna().equals(table["status"].isin(["running", "waiting"]))


@pytest.mark.parametrize("name", HISTORIES)
def test_each_state_has_one_latest_run(name):
    """At every moment each state that was entered has one run, its last one unless iterations differ."""
    events = history(name)
    for end in range(len(events) + 1):
        table = state_table(events[:end])
        latest = Reader(events[:end]).latest()
        assert list(latest) == list(table["state"].unique())
        last = table.drop_duplicates("state", keep="last").set_index("state", drop=False)
        branches = table.groupby("state")["branch"].nunique()
        for state in branches.index[branches == 1]:
            assert latest[state].last.started == last.loc[state]["started"]
            assert latest[state].last.status == last.loc[state]["status"]
            assert len(latest[state].attempts) == last.loc[state]["attempt"]


@given(st.lists(st.booleans(), max_size=40))
def test_any_interleaving_of_two_branches(turns):
    """However the events of two branches interleave, each belongs to its own branch and state."""
    events = [event(1, 0, "ExecutionStarted"), event(2, 0, "ParallelStateEntered", name="Both")]
    events += [event(3, 2, "ParallelStateStarted"), event(4, 3, "PassStateEntered", name="L0")]
    events.append(event(5, 3, "PassStateEntered", name="R0"))
    last = {"L": (4, 0, True), "R": (5, 0, True)}
    for number, left in enumerate(turns, 6):
        side = "L" if left else "R"
        previous, step, inside = last[side]
        step, kind = (step, "PassStateExited") if inside else (step + 1, "PassStateEntered")
        events.append(event(number, previous, kind, ms=number, name=f"{side}{step}"))
        last[side] = (number, step, not inside)
    table = event_table(events).iloc[3:]
    names = [one[next(key for key in one if "Details" in key)]["name"] for one in events[3:]]
    assert list(table["state"]) == names
    assert list(table["branch"]) == [f"Both[{'LR'.index(name[0])}]" for name in names]


def test_the_longest_history_is_read():
    """25,000 events, AWS's limit, in loops that each hold a Parallel; the benchmarks take the time."""
    events = [event(1, 0, "ExecutionStarted")]
    previous = 0
    while len(events) < 25_000:
        n = len(events) + 1
        events += [
            event(n, previous, "ParallelStateEntered", name="Both"),
            event(n + 1, n, "ParallelStateStarted"),
        ]
        events += [
            event(n + 2, n + 1, "PassStateEntered", name="A"),
            event(n + 3, n + 1, "PassStateEntered", name="B"),
        ]
        events += [
            event(n + 4, n + 2, "PassStateExited", name="A"),
            event(n + 5, n + 3, "PassStateExited", name="B"),
        ]
        events += [
            event(n + 6, n + 5, "ParallelStateSucceeded"),
            event(n + 7, n + 5, "ParallelStateExited", name="Both"),
        ]
        previous = n + 7
    table = state_table(events)
    assert len(table) == 3 * len(events) // 8
    assert set(table["status"]) == {"succeeded"}


def test_what_failed_is_what_ended_the_execution():
    """A state that failed before and was caught is not what the execution ended with."""
    events = chain(
        ("ExecutionStarted", {}),
        ("TaskStateEntered", {"name": "A"}),
        ("TaskFailed", {"error": "First", "cause": "early"}),
        ("TaskStateExited", {"name": "A"}),
        ("TaskStateEntered", {"name": "B"}),
        ("TaskFailed", {"error": "Second", "cause": "late"}),
        ("ExecutionFailed", {"error": "Second", "cause": "late"}),
    )
    assert Reader(events).failed().name == "B"
    assert [Reader(events[:end]).failed() for end in range(len(events))] == [None] * len(events)


@pytest.mark.parametrize("name", HISTORIES)
def test_an_event_is_there_when_its_state_is_known(name):
    """Another thread that looks meanwhile finds the state of each event that the reader shows."""
    reader = Reader()

    class Watched(list):
        def append(self, read):
            assert read["id"] in reader.owners
            super().append(read)

    reader.events = Watched()
    for each in history(name):
        reader.read(each)
    assert len(reader.events) == len(history(name))
