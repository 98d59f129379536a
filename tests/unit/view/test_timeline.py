"""The timeline is checked by what its SVG holds: the labels, the notes, and how many bars of each colour."""

import re

import pytest
from unit.history.histories import HISTORIES, chain, event, history

from lottery_lib.history import Reader
from lottery_lib.view.timeline import timeline_of


def bars(svg, status):
    return svg.count(f'<rect class="bar" data-status="{status}"')


def spans(view):
    """Each bar's begin and end in seconds, by the axis."""
    begin, after, *_ = map(float, re.findall('class="rule" d="M([0-9.]+)', view.svg))
    _, tick, *_ = re.findall('class="quiet" text-anchor="middle">([0-9.]+)<', view.svg)
    second = (after - begin) / float(tick) * (1 if ">s<" in view.svg else 1000)
    drawn = re.findall('class="bar"[^>]* x="([0-9.]+)"[^>]* width="([0-9.]+)"', view.svg)
    return [((float(x) - begin) / second, (float(x) + float(size) - begin) / second) for x, size in drawn]


def test_bars_lie_where_the_times_say():
    """Branches that ran at once lie below each other, and three seconds are thrice as long as one."""
    events = [
        event(1, 0, "ExecutionStarted"),
        event(2, 0, "ParallelStateEntered", name="Both"),
        event(3, 2, "PassStateEntered", name="Long", ms=1000),
        event(4, 2, "PassStateEntered", name="Short", ms=2000),
        event(5, 4, "PassStateExited", name="Short", ms=3000),
        event(6, 3, "PassStateExited", name="Long", ms=4000),
        event(7, 6, "ParallelStateExited", name="Both", ms=6000),
    ]
    both, long, short = spans(timeline_of(Reader(events)))
    assert (*both, *long, *short) == pytest.approx((0, 6, 1, 4, 2, 3), abs=0.02)


def test_an_attempt_begins_after_the_wait():
    """The bar of a second attempt begins where the first one's ends and the Retry's wait is over."""
    events = [
        event(1, 0, "TaskStateEntered", name="T"),
        event(2, 1, "LambdaFunctionScheduled"),
        event(3, 2, "LambdaFunctionFailed", ms=1000, error="X"),
        event(4, 3, "LambdaFunctionScheduled", ms=3000),
        event(5, 4, "LambdaFunctionSucceeded", ms=3500),
        event(6, 5, "TaskStateExited", name="T", ms=3500),
    ]
    first, second = spans(timeline_of(Reader(events)))
    assert (*first, *second) == pytest.approx((0, 1, 3, 3.5), abs=0.02)


def test_a_bar_for_each_attempt():
    """A state that was tried three times has three bars: two failed, one caught, with their numbers."""
    svg = timeline_of(Reader(history("aws_lambda_retry_caught"))).svg
    assert (bars(svg, "failed"), bars(svg, "caught"), bars(svg, "succeeded")) == (3, 1, 1)
    assert "↻2" in svg
    assert "↻3" in svg
    assert (
        "⚠ caught IndexError, ↻ retried 2 times"
        in timeline_of(Reader(history("aws_lambda_retry_caught"))).alt
    )


def test_the_wait_before_a_retry_is_dotted():
    """Between two attempts of a Retry stands a dotted line; between two entries of a loop none."""
    dotted = 'class="wait"'
    assert timeline_of(Reader(history("aws_lambda_retry_caught"))).svg.count(dotted) == 2
    assert dotted not in timeline_of(Reader(history("moto_loop"))).svg


def test_a_retry_says_how_long_it_waits():
    """The dotted line of a Retry says its seconds, and the note says all of them."""
    view = timeline_of(Reader(history("aws_lambda_retry_caught")))
    assert ">waits 1 s<" in view.svg
    assert ">waits 2 s<" in view.svg
    assert "↻ retried 2 times, waited 3 s in all;" in view.alt


def test_a_wait_state_says_how_long_it_waits():
    """The bar of a Wait state is a wait."""
    events = [
        event(1, 0, "ExecutionStarted"),
        event(2, 1, "WaitStateEntered", name="Later"),
        event(3, 2, "WaitStateExited", name="Later", ms=5000),
    ]
    view = timeline_of(Reader(events))
    assert ">waits 5 s<" in view.svg
    assert "Later ✓ succeeded, waited 5 s in all." in view.alt


def test_a_task_says_how_long_it_waits_for_its_token():
    """The wait begins when the task is submitted with its token, and ends with the answer."""
    events = [
        event(1, 0, "TaskStateEntered", name="Ask"),
        event(2, 1, "TaskScheduled"),
        event(3, 2, "TaskSubmitted", ms=1000, resource="invoke.waitForTaskToken"),
        event(4, 3, "TaskSucceeded", ms=8500),
        event(5, 4, "TaskStateExited", name="Ask", ms=8500),
    ]
    assert ">waits 7.5 s<" in timeline_of(Reader(events)).svg
    assert "Ask ‖ waiting." in timeline_of(Reader(events[:3])).alt
    events[2]["taskSubmittedEventDetails"]["resource"] = "invoke"
    assert "waited" not in timeline_of(Reader(events)).alt


def test_each_attempt_waits_for_its_own_token():
    """A task that is tried again waits twice: each wait begins when its own attempt was submitted."""
    submitted = {"resource": "invoke.waitForTaskToken"}
    events = [
        event(1, 0, "TaskStateEntered", name="Ask"),
        event(2, 1, "TaskScheduled"),
        event(3, 2, "TaskSubmitted", ms=1000, **submitted),
        event(4, 3, "TaskTimedOut", ms=11000, error="States.Timeout"),
        event(5, 4, "TaskScheduled", ms=14000),
        event(6, 5, "TaskSubmitted", ms=16000, **submitted),
        event(7, 6, "TaskSucceeded", ms=21000),
        event(8, 7, "TaskStateExited", name="Ask", ms=21000),
    ]
    view = timeline_of(Reader(events))
    assert re.findall(">(waits [^<]*)<", view.svg) == ["waits 10 s", "waits 3 s", "waits 5 s"]
    assert "↻ retried 1 time, waited 18 s in all." in view.alt


def test_a_wait_without_room_is_in_the_note():
    """A short wait has no text on its line: it would cover the bars."""
    view = timeline_of(Reader(history("moto_callback")))
    assert ">waits 78 ms<" not in view.svg
    assert "waited 78 ms in all." in view.alt


def test_branches_have_rows_of_their_own():
    """Each state of a Parallel is a row, numbered by its branch and set in."""
    svg = timeline_of(Reader(history("moto_nested"))).svg
    assert ">Outer<" in svg
    assert ">\u2003[0] Left<" in svg
    assert ">\u2003\u2003[1] Two<" in svg


def test_seconds_are_true():
    """An execution of more than a second is in seconds, and a shorter one in milliseconds."""
    assert repr(timeline_of(Reader(history("aws_draw_with_loop_and_timeout")))).startswith(
        "Timeline of 301.9 s"
    )
    assert ">s<" in timeline_of(Reader(history("aws_lambda_retry_caught"))).svg
    assert ">ms<" in timeline_of(Reader(history("moto_loop"))).svg


def test_running_state_ends_where_the_history_does():
    """What still runs has a bar up to the latest event."""
    events = [
        event(1, 0, "ExecutionStarted"),
        event(2, 0, "ParallelStateEntered", name="Both"),
        event(3, 2, "PassStateEntered", name="A", ms=5000),
    ]
    assert "Timeline of 5.0 s: Both … running" in timeline_of(Reader(events)).alt
    assert bars(timeline_of(Reader(events)).svg, "running") == 2
    both, inner = spans(timeline_of(Reader([*events, event(4, 2, "PassStateEntered", name="B", ms=8000)])))[
        :2
    ]
    assert (*both, *inner) == pytest.approx((0, 8, 5, 8), abs=0.02)


@pytest.mark.parametrize("name", HISTORIES)
def test_every_beginning_can_be_drawn(name):
    """At every moment of an execution there is a picture."""
    events = history(name)
    for end in (len(events) // 2, len(events)):
        assert timeline_of(Reader(events[:end])).svg.startswith("<svg")


@pytest.mark.parametrize("end", [0, 1, 2])
def test_the_first_events_can_be_drawn(end):
    """Also before anything happened."""
    assert timeline_of(Reader(history("moto_loop")[:end])).svg.startswith("<svg")


def test_same_history_same_bytes():
    """The picture carries no date and no random number."""
    assert timeline_of(Reader(history("moto_nested"))).svg == timeline_of(Reader(history("moto_nested"))).svg


def test_chinese_names_stay_text():
    """A name in Chinese is text, for the browser's fonts."""
    assert ">抽奖<" in timeline_of(Reader(chain(("PassStateEntered", {"name": "抽奖"})))).svg


def test_names_are_never_svg():
    """What somebody wrote as a name stays a text."""
    svg = timeline_of(Reader(chain(("PassStateEntered", {"name": "<script>&"})))).svg
    assert ">&lt;script&gt;&amp;<" in svg


def test_long_loops_stay_small():
    """Of many rows and many bars a bounded number is drawn, and the title says so."""
    steps = [step for n in range(3_000) for step in passed(f"S{n % 50}")]
    svg = timeline_of(Reader(chain(*steps))).svg
    assert ">and 10 rows more (the latest 50 attempts of each)<" in svg
    assert bars(svg, "succeeded") == 40 * 50
    assert len(svg) < 1_000_000


def test_a_long_retry_stays_small():
    """Of the 8,000 attempts of a Retry the latest are drawn, and the note counts all."""
    tries = [("LambdaFunctionScheduled", {}), ("LambdaFunctionStarted", {}), ("LambdaFunctionFailed", {})]
    events = chain(("TaskStateEntered", {"name": "T"}), *tries * 8_000)
    view = timeline_of(Reader(events))
    assert ">(the latest 50 attempts of each)<" in view.svg
    assert "↻ retried 7999 times" in view.alt
    drawn = spans(view)
    assert len(drawn) == 50
    assert drawn[0][0] > 0.99 * len(events) / 1000


def test_few_attempts_are_all_drawn():
    """If nothing is left out, the title does not speak of it."""
    view = timeline_of(Reader(chain(*[step for _ in range(50) for step in passed("S")])))
    assert bars(view.svg, "succeeded") == 50
    assert "latest" not in view.svg


def passed(name):
    return ("PassStateEntered", {"name": name}), ("PassStateExited", {"name": name})


def test_a_note_in_chinese_breaks_after_its_commas(catalogue, monkeypatch):
    """A Chinese comma has no space behind it, and yet a line of a note ends there."""
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue({", ": "，", "caught": "已捕获", "↻ retried {count} times": "↻ 已经重试 {count} 次"})
    svg = timeline_of(Reader(history("aws_lambda_retry_caught"))).svg
    assert ">⚠\u00a0已捕获\u00a0IndexError，<" in svg
