"""The panel is tested without AWS and without a browser: it gets a lottery of our own."""

import asyncio
import json
import re
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from patience import SECONDS

from lottery_lib.errors import LotteryError
from lottery_lib.history import Progress, Reader
from lottery_lib.view import svg
from lottery_lib.view.panel import LotteryPanel

#: After so long, a panel does not go on. It is far more than it needs, and less than it would wait.
#: How an error is marked for readers of a screen, and for the style sheet.
ALERT = 'role="alert" class="lottery-picture lottery-error"'
START = datetime(2026, 1, 15, 9, tzinfo=UTC)
DEFINITION = {
    "StartAt": "A",
    "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}},
}


def history(*kinds):
    """The events of these types, each of the state A or B, one after the other."""
    return [
        {
            "id": number,
            "previousEventId": number - 1,
            "timestamp": START + timedelta(seconds=number),
            "type": kind,
            **details,
        }
        for number, (kind, details) in enumerate(kinds, 1)
    ]


def state(kind, name):
    return f"PassState{kind}", {f"state{kind}EventDetails": {"name": name, "input": "1", "output": "2"}}


RUNNING = [("ExecutionStarted", {}), state("Entered", "A")]
ALL = [*RUNNING, state("Exited", "A"), state("Entered", "B"), state("Exited", "B")]
PUBLISH = [
    ("TaskScheduled", {"taskScheduledEventDetails": {"parameters": '{"Message": "Hi <b>Ann</b>"}'}}),
    ("TaskSucceeded", {"taskSucceededEventDetails": {"resource": "publish"}}),
]


class Lottery:
    """A lottery that takes three looks to end, and notes what it was asked."""

    definition = DEFINITION

    def __init__(self, left=5, looks=3, result=None, error=None, events=ALL):
        self.left, self.looks, self.error = left, looks, error
        self.outcome, self.events = result, events
        self.started, self.stopped, self.seen = [], [], []
        self.threads = set()

    def count_remaining(self):
        return self.left

    def start(self, number):
        self.threads.add(threading.current_thread())
        if self.error:
            raise self.error
        self.started.append(number)
        self.left -= number
        return "arn"

    def progress(self, arn, seen):
        self.looks -= 1
        self.seen.append(len(seen))
        if self.stopped:
            return Progress(history(*RUNNING, ("ExecutionAborted", {})), ended("ABORTED", "Cancelled"))
        if self.looks > 0:
            return Progress(history(*RUNNING), None)
        return Progress(history(*self.events), self.outcome or ended("SUCCEEDED", winners=self.started[-1]))

    def mailed(self):
        return "The mail is in the box, at http://127.0.0.1/_emulator/mail/?a=1&b=2 as well."

    may_reset = True

    def reset(self):
        self.left = 5

    def stop(self, arn):
        self.stopped.append(arn)


def ended(status, error=None, winners=0):
    people = [{"employee_id": f"{n}", "employee_name": f"<b>{n}</b>"} for n in range(winners)]
    return {
        "status": status,
        "winners": people,
        "execution_arn": "arn",
        "error": error,
        "cause": error and "why",
    }


def panel(lottery):
    return LotteryPanel(lottery, pause=0.001, pace=0)


async def until(seen):
    async with asyncio.timeout(SECONDS):
        while not seen():
            await asyncio.sleep(0.001)


async def drawn(shown):
    """Wait until the panel can draw again."""
    await until(lambda: not shown.draw_button.disabled)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("999", "✗ You ask for 999 winners, but only 3 can still win. Ask for fewer."),
        ("2.5", "✗ Number of winners: &#x27;2.5&#x27; cannot be drawn. Type a whole number from 1 to 3."),
        ("-1", "✗ Number of winners: &#x27;-1&#x27; cannot be drawn."),
        ("three", "✗ Number of winners: &#x27;three&#x27; cannot be drawn."),
        ("", "✗ Number of winners: the field is empty. Type a whole number from 1 to 3."),
        ("0", "✗ Number of winners: &#x27;0&#x27; cannot be drawn."),
    ],
)
def test_a_number_that_cannot_be_drawn(typed, said):
    """What is typed stays as it is, and the panel says why it cannot be drawn: at once, and at Draw."""
    lottery = Lottery(left=3)
    shown = panel(lottery)
    assert "3 can still win." in shown.message.value
    shown.number.value = typed
    assert said in shown.message.value
    asyncio.run(shown.run())
    assert said in shown.message.value
    assert (lottery.started, shown.number.value) == ([], typed)


def test_a_lesson_says_what_stands_in_the_field():
    """The field has 1, or what the lesson says, and Draw draws so many."""
    assert panel(Lottery()).number.value == "1"
    lottery = Lottery()
    asyncio.run(LotteryPanel(lottery, pause=0.001, pace=0, winners=2).run())
    assert lottery.started == [2]


def people(shown):
    """The winners whom the panel shows: pairs of name and id."""
    return [one for group in shown.winners["groups"] for one in group["people"]]


def test_draw():
    """A draw starts with the panel's number, ends with its winners, and lowers the bound."""
    lottery = Lottery(left=5)
    shown = panel(lottery)
    result = asyncio.run(shown.run(2))
    assert (lottery.started, result["status"]) == ([2], "SUCCEEDED")
    assert shown.number.value == "2"
    assert len(people(shown)) == 2
    assert "SUCCEEDED: 2 drawn." in shown.message.value
    assert "3 can still win." in shown.message.value
    assert (shown.progress.value, shown.progress.bar_style) == (2, "success")


def test_names_turn_nothing_around():
    """A control in a name, such as one that turns a line around, is shown as its number."""
    won = [{"employee_id": "1", "employee_name": "\u202eAnn"}]
    shown = panel(Lottery(result=ended("SUCCEEDED") | {"winners": won}))
    asyncio.run(shown.run(1))
    assert people(shown) == [["\\u202eAnn", "1"]]


def test_blocking_calls_leave_the_kernel_free():
    """The calls that block are made in another thread than the kernel's."""
    lottery = Lottery()
    asyncio.run(panel(lottery).run(1))
    assert threading.main_thread() not in lottery.threads


def test_two_clicks_are_one_draw():
    """A second click during a draw does nothing."""
    lottery = Lottery()
    shown = panel(lottery)

    async def click_twice():
        shown.draw_button.click()
        shown.draw_button.click()
        assert shown.draw_button.disabled
        await drawn(shown)

    asyncio.run(click_twice())
    assert len(lottery.started) == 1
    assert not shown.draw_button.disabled


def test_a_cell_waits_for_the_draw_of_a_click():
    """JupyterLab handles a click in another thread than a cell. A cell still gets the result of its draw."""
    lottery, waits = Lottery(), threading.Event()
    look = lottery.progress
    lottery.progress = lambda arn, seen: look(arn, seen) if waits.wait(SECONDS) else None
    shown, clicks = panel(lottery), asyncio.new_event_loop()

    async def click():
        shown.draw_button.click()

    async def cell():
        result = asyncio.create_task(shown.run(2))
        await asyncio.sleep(0)  # it has begun to wait
        waits.set()
        return await result

    thread = threading.Thread(target=clicks.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(click(), clicks).result(SECONDS)
        result = asyncio.run(cell())
    finally:
        clicks.call_soon_threadsafe(clicks.stop)
        thread.join(SECONDS)
        clicks.close()
    assert len(result["winners"]) == 1  # of the click, not of the cell
    assert lottery.started == [1]


def test_cancel():
    """Cancel stops the execution once, and the panel says so."""
    lottery = Lottery(looks=10**6)
    shown = panel(lottery)

    async def cancel():
        shown.draw_button.click()
        await until(lambda: lottery.started)
        assert not shown.cancel_button.disabled
        shown.cancel_button.click()
        shown.cancel_button.click()
        await drawn(shown)

    asyncio.run(cancel())
    assert lottery.stopped == ["arn"]
    assert "ABORTED: Cancelled: why" in shown.message.value
    assert shown.cancel_button.disabled


def test_cancel_before_the_start():
    """A Cancel that comes before the draw was started keeps it from being started."""
    lottery = Lottery()
    shown = panel(lottery)

    async def cancel():
        shown.draw_button.click()
        shown.cancel_button.click()
        await drawn(shown)

    asyncio.run(cancel())
    assert lottery.started == []
    assert "Cancelled before it began." in shown.message.value


def test_cancel_before_the_start_was_answered():
    """A Cancel that comes while the draw is being started stops it all the same."""
    asked, cancelled = threading.Event(), threading.Event()

    class Slow(Lottery):
        def start(self, number):
            asked.set()
            assert cancelled.wait(SECONDS)
            return super().start(number)

    lottery = Slow(looks=10**6)
    shown = panel(lottery)

    async def cancel():
        shown.draw_button.click()
        await until(asked.is_set)
        shown.cancel_button.click()
        cancelled.set()
        await drawn(shown)

    asyncio.run(cancel())
    assert (lottery.started, lottery.stopped) == ([1], ["arn"])


def test_failed_draw():
    """A draw that fails shows its error and cause, and no winners."""
    shown = panel(Lottery(result=ended("FAILED", "NotEnoughEmployees")))
    asyncio.run(shown.run(1))
    assert "✗ FAILED: NotEnoughEmployees: why" in shown.message.value
    assert people(shown) == []
    assert shown.progress.bar_style == "danger"


def test_a_failure_in_another_language(catalogue, monkeypatch):
    """A function's sentence is translated in the panel. What AWS returned stays in the result."""
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue({"The prize {0} still waits for its roll call.": "“{0}”还在等待点名。"})
    result = ended("FAILED", "TooEarly") | {"cause": "The prize Car still waits for its roll call."}
    shown = panel(Lottery(result=result))
    asyncio.run(shown.run(1))
    assert "FAILED：TooEarly：“Car”还在等待点名。" in shown.message.value
    assert shown.result == result


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            LotteryError("the emulator", "does not answer", "Start it"),
            "✗ the emulator: does not answer. Start it.",
        ),
        (ValueError("<odd>"), "ValueError: &lt;odd&gt;"),
    ],
)
def test_errors_are_shown_in_the_panel(error, text):
    """An error is a sentence in the panel, and the next draw can be tried."""
    shown = panel(Lottery(error=error))
    assert asyncio.run(shown.run(1)) is None
    assert text in shown.message.value
    assert not shown.draw_button.disabled


def test_lost_sight_of_a_draw():
    """If a started draw cannot be seen any more, the panel says so, and not to do the same again."""

    class Throttled(Lottery):
        def progress(self, arn, seen):
            raise LotteryError("AWS", "rate exceeded", "Run the same step again")

    shown = panel(Throttled())
    assert asyncio.run(shown.run(1)) is None
    assert "✗ AWS: rate exceeded. The draw has been started and may go on: " in shown.message.value
    assert "`lottery history arn` before you draw again." in shown.message.value
    assert "earlier" not in shown.view.header, "it is this draw"


def test_a_refusal_leaves_the_latest_draw():
    """A number that cannot be drawn changes the message alone: the latest draw stays."""
    shown = panel(Lottery(left=5))
    asyncio.run(shown.run(2))
    before = shown.winners, shown.view.paints, shown.progress.value
    shown.number.value = "99"
    asyncio.run(shown.run())
    assert (shown.winners, shown.view.paints, shown.progress.value) == before
    assert shown.view.header["earlier"] == "the earlier draw"
    assert "You ask for 99 winners" in shown.message.value
    assert "Below is still the last draw." in shown.message.value


def test_a_refusal_looks_refused():
    """A refused number is an alert in the colours of an error, and the bar is not green any more."""
    shown = panel(Lottery(left=5))
    asyncio.run(shown.run(2))
    assert (ALERT in shown.message.value, shown.progress.bar_style) == (False, "success")
    shown.number.value = "99"
    assert (ALERT in shown.message.value, shown.progress.bar_style) == (True, "")
    shown.number.value = "1"
    assert ALERT not in shown.message.value


def test_a_refusal_before_any_draw():
    """There is no last draw to speak of."""
    shown = panel(Lottery(left=5))
    shown.number.value = "99"
    assert "You ask for 99 winners" in shown.message.value
    assert "last draw" not in shown.message.value


def test_enter_draws():
    """Enter in the field does what the button does, and during a draw nothing."""
    lottery = Lottery()
    shown = panel(lottery)

    async def press_twice():
        pressed = {"data": {"method": "custom", "content": {"event": "submit"}}}
        for _ in range(2):
            shown.number._handle_msg({"content": pressed, "buffers": []})
        await drawn(shown)

    asyncio.run(press_twice())
    assert len(lottery.started) == 1


def test_nobody_left():
    """When everyone has won, the panel says how to start again, and Draw works again after that."""
    lottery = Lottery(left=0)
    shown = panel(lottery)
    assert "To start again, press Reset." in shown.message.value
    lottery.may_reset = False
    assert "run `lottery reset`" in panel(lottery).message.value
    assert asyncio.run(shown.run()) is None
    assert lottery.started == []
    lottery.left = 5
    assert asyncio.run(shown.run())["status"] == "SUCCEEDED"


def test_fewer_remain_than_the_panel_thought():
    """When others have won meanwhile, a click says how many remain, and draws nobody."""
    lottery = Lottery(left=9)
    shown = panel(lottery)
    shown.number.value = "7"
    lottery.left = 4
    assert asyncio.run(shown.run()) is None
    assert "only 4 can still win" in shown.message.value
    assert lottery.started == []


@pytest.mark.parametrize("may", [True, False])
def test_reset_is_offered_once_everyone_has_won(may):
    """The button is there only if nobody is left and one may reset. It asks before it deletes."""
    lottery = Lottery(left=1)
    lottery.may_reset = may
    shown = panel(lottery)
    assert shown.reset_button.layout.display == "none"
    asyncio.run(shown.run())
    assert (shown.reset_button.layout.display != "none") == may
    shown.reset_button.click()
    assert (shown.reset_button.description, lottery.left) == ("Delete all winners?", 0)

    async def reset():
        shown.reset_button.click()
        await until(lambda: "5 can still win." in shown.message.value)

    asyncio.run(reset())
    assert shown.reset_button.layout.display == "none"
    assert people(shown) == []


def test_run_sends_the_number_as_it_is():
    """`run(n)` asks the machine for n, also when fewer remain: the machine refuses it."""
    lottery = Lottery(left=2)
    asyncio.run(panel(lottery).run(5))
    assert lottery.started == [5]


def test_number_is_read_back():
    """The panel repeats in words what was typed, so that people notice a typing error."""
    shown = panel(Lottery(left=10))
    for typed in (" 07 ", "\uff17"):  # a Chinese keyboard writes wide digits
        shown.number.value = typed
        assert "7 of 10 will be drawn." in shown.message.value


def test_clicks_that_queued_up():
    """Clicks that arrive right after a draw do not start another."""
    lottery = Lottery()
    shown = panel(lottery)

    async def hammer():
        shown.draw_button.click()
        await drawn(shown)
        shown.draw_button.click()
        assert not shown.draw_button.disabled

    asyncio.run(hammer())
    assert len(lottery.started) == 1


def test_not_deployed():
    """Without a state machine the panel opens and says what to do; once it is there, Draw works."""

    class Late(Lottery):
        there = False

        @property
        def definition(self):
            if self.there:
                return DEFINITION
            raise LotteryError("state machine Lottery", "does not exist", "Deploy first")

    lottery = Late()
    shown = panel(lottery)
    assert "Deploy first." in shown.message.value
    lottery.there = True
    assert asyncio.run(shown.run())["status"] == "SUCCEEDED"


def test_screen_readers_hear_it():
    """The status line is announced by screen readers."""
    assert 'aria-live="polite"' in panel(Lottery()).message.value


def test_fields_have_names():
    """The number has a label, by which a screen reader names it, and the graph its text."""
    shown = panel(Lottery())
    assert shown.number.description == "Number of winners"
    assert shown.view.alt.startswith("Workflow, from Start to End: A, B.")


def test_notebook_output_is_stable():
    """What a checked notebook stores of the panel is one plain line."""
    assert repr(panel(Lottery())) == "DrawPanel: Winners, Draw, Cancel"


def test_draw_after_a_cancel():
    """A Cancel concerns the draw that runs, not the next one."""
    lottery = Lottery()
    shown = panel(lottery)
    shown.cancel_button.click()
    assert asyncio.run(shown.run(1))["status"] == "SUCCEEDED"
    assert lottery.stopped == []


def test_counting_fails():
    """When the winners cannot be counted after a draw, the panel says so and Draw can be pressed again."""

    class Fragile(Lottery):
        def count_remaining(self):
            if self.started:
                raise LotteryError("the emulator", "does not answer", "Start it")
            return 5

    shown = panel(Fragile())
    asyncio.run(shown.run(1))
    assert "SUCCEEDED: 1 drawn." in shown.message.value
    assert "Start it." in shown.message.value
    assert "Below is still the last draw" not in shown.message.value
    assert "earlier" not in shown.view.header
    assert not shown.draw_button.disabled


def test_a_cell_that_is_interrupted_does_not_stop_the_draw():
    """Who interrupts the cell does not lose the draw: the panel shows it to its end."""

    async def cell(shown):
        waits = asyncio.create_task(shown.run(1))
        await asyncio.sleep(0)  # it has begun to wait
        waits.cancel()
        with suppress(asyncio.CancelledError):
            await waits
        assert shown.result is None
        return await shown.run()

    shown = panel(Lottery())
    assert asyncio.run(cell(shown))["status"] == "SUCCEEDED"
    assert shown._lottery.started == [1]


class Watched(LotteryPanel):
    """A panel that notes the alt text of each picture with its statuses, and each message."""

    def __init__(self, lottery, **options):
        super().__init__(lottery, **{"pause": 0.001, "pace": 0, **options})
        self.pictures, self.messages, self.lists = [], [], []
        graph = self.view
        graph.observe(
            lambda change: self.pictures.append((graph.alt, [paint["status"] for paint in change["new"]])),
            "paints",
        )
        self.message.observe(lambda change: self.messages.append(change["new"]), "value")
        self.view.observe(lambda _: self.lists.append(len(people(self))), "details")


def test_each_moment_is_shown():
    """A draw that has ended at the first look is played: A runs, then B runs, then both have succeeded."""
    shown = Watched(Lottery(looks=1))
    asyncio.run(shown.run(1))
    alts = [re.search(r"Of 2 states, (.*?)\.", alt)[1] for alt, _ in shown.pictures]
    assert alts == ["running: A; not entered: B", "succeeded: A; running: B", "succeeded: A, B"]
    assert [name for name in "AB" if any(f"… {name} ..." in text for text in shown.messages)] == ["A", "B"]


ASKED = {"parameters": json.dumps({"Message": f"{'您' * 99} Your token: {'t' * 800}"})}
WAITS = [
    ("TaskScheduled", {"taskScheduledEventDetails": ASKED}),
    ("TaskSubmitted", {"taskSubmittedEventDetails": {"resource": "publish.waitForTaskToken"}}),
]


def test_it_says_that_a_state_waits():
    """A state that waits for its token is not told like one that runs."""
    shown = Watched(Lottery(looks=1, events=[*RUNNING, *WAITS]))
    asyncio.run(shown.run(1))
    assert any("A waits for its token ..." in text for text in shown.messages)


def test_a_long_token_is_cut():
    """AWS's tokens have hundreds of letters: the panel shows how they begin. It does not cut Chinese."""
    shown = panel(Lottery(looks=1, events=[*RUNNING, *WAITS]))
    asyncio.run(shown.run(1))
    assert shown.winners["messages"]["texts"] == [f"{'您' * 99} Your token: {'t' * 60}..."]


TRIED = ("TaskScheduled", {})
REFUSED = ("TaskFailed", {"taskFailedEventDetails": {"error": "E", "cause": "c"}})
CAUGHT = ("TaskStateExited", {"stateExitedEventDetails": {"name": "A"}})
RETRIED = [*RUNNING, TRIED, REFUSED, TRIED, REFUSED, CAUGHT, *ALL[3:]]


@pytest.mark.parametrize("at_once", [1, len(RETRIED)])
def test_failures_are_shown_while_they_last(at_once):
    """A state that fails, is tried again and caught has a picture of each, in its colour, as it runs."""

    class Growing(Lottery):
        def progress(self, arn, seen):
            self.looks += at_once
            done = self.looks >= len(RETRIED)
            return Progress(history(*RETRIED[: self.looks]), ended("SUCCEEDED", winners=1) if done else None)

    shown = Watched(Growing(looks=0))
    asyncio.run(shown.run(1))
    alts = [re.search(r"Of 2 states, (.*?): A[;,].*?\.(.*)", alt).groups() for alt, _ in shown.pictures]
    again = " A retried 1 time."
    told = [("running", ""), ("failed", ""), ("running", again), ("failed", again), ("caught", again)]
    assert list(dict.fromkeys(alts)) == told
    for (status, _), (_, painted) in zip(alts, shown.pictures, strict=True):
        assert status == painted[0]


def test_progress_moves_with_the_states():
    """The bar counts the states that were entered, one after the other."""
    shown, seen = Watched(Lottery(looks=1)), []
    shown.progress.observe(lambda change: seen.append(change["new"]), "value")
    asyncio.run(shown.run(1))
    assert seen == [1, 2]


def test_moments_are_shown_once():
    """A second look shows only what is new."""
    shown = Watched(Lottery(looks=3))
    asyncio.run(shown.run(1))
    assert len(shown.pictures) == 3


def test_a_definition_is_laid_out_once(count):
    """The panel starts one `dot`, when it opens. No frame of a draw starts another."""
    lottery = Lottery()
    lottery.definition = DEFINITION | {"States": DEFINITION["States"] | {"Of this test": {"Type": "Fail"}}}
    started = count(svg.subprocess, "run")
    shown = Watched(lottery)
    assert len(started) == 1
    asyncio.run(shown.run(1))
    assert len(shown.pictures) == 3
    assert len(started) == 1


def test_each_event_is_read_once(count):
    """However often the panel looks, and however many frames it shows, it reads no event a second time."""
    shown, read = Watched(Lottery(looks=3)), count(Reader, "read")
    asyncio.run(shown.run(1))
    assert len(shown.pictures) == 3
    assert [event["id"] for (_, event), _ in read] == list(range(1, len(ALL) + 1))
    assert shown._lottery.seen == [0, len(RUNNING), len(RUNNING)]


def test_each_moment_stays_for_a_while(monkeypatch):
    """A moment is shown for `pace` seconds, however fast the draw was. A winner takes twice as many."""
    shown, rests = Watched(Lottery(looks=1), pace=0.05), []

    async def rest(seconds):
        rests.append(seconds)

    monkeypatch.setattr(shown, "_rest", rest)
    asyncio.run(shown.run(1))
    assert rests == [0.05, 0.05, 0.1]


def test_long_histories_are_not_played_in_full():
    """Of the moments of a redraw loop a part is shown, evenly chosen, and the end in any case."""
    rounds = [state("Entered", "A"), state("Exited", "A")] * 500
    shown = Watched(Lottery(looks=1, events=[("ExecutionStarted", {}), *rounds, *ALL[3:]]))
    frames = []
    shown.view.show = lambda reader: frames.append(len(reader.events))
    asyncio.run(shown.run(1))
    assert len(frames) <= 33
    assert frames[-1] == 1003


def test_winners_are_revealed_one_by_one():
    """The list of winners grows by one at a time."""
    shown = Watched(Lottery())
    asyncio.run(shown.run(3))
    assert list(dict.fromkeys(shown.lists)) == [0, 1, 2, 3]  # first: the draw runs


def test_many_winners_take_no_hour(monkeypatch):
    """A hundred winners appear within the time that is set for all of them."""
    monkeypatch.setattr("lottery_lib.view.panel._REVEAL", 0.2)
    shown = Watched(Lottery(left=100, looks=1, events=[]), pace=900)
    asyncio.run(asyncio.wait_for(shown.run(100), SECONDS))
    assert shown.lists[-1] == 100


def test_mail_that_went_out_is_shown():
    """The message that SNS accepted is shown as it is written, with the place where it can be read."""
    shown = panel(Lottery(events=[*ALL, *PUBLISH]))
    asyncio.run(shown.run(1))
    assert shown.winners["messages"] == {
        "heading": "✉ Messages that went out to the topic: 1",
        "texts": ["Hi <b>Ann</b>"],
        "where": ["The mail is in the box, at ", " as well."],
        "link": "http://127.0.0.1/_emulator/mail/?a=1&b=2",
    }


def test_mail_that_went_out_twice_is_counted():
    """A Retry that sent the message again shows as two, also when the draw failed in the end."""
    failed = Lottery(events=[*ALL, *PUBLISH, *PUBLISH], result=ended("FAILED", "E"))
    shown = panel(failed)
    asyncio.run(shown.run(1))
    assert shown.winners["messages"]["heading"].endswith("topic: 2")


def test_no_mail_is_no_line():
    """Where nothing was published, nothing is said of mail."""
    shown = panel(Lottery())
    asyncio.run(shown.run(1))
    assert "messages" not in shown.winners


def test_cancel_while_it_is_played():
    """Who cancels does not want to watch: the rest is skipped, and what had ended stays what it is."""
    lottery = Lottery(looks=1)
    shown = Watched(lottery, pace=900)

    async def cancel():
        shown.draw_button.click()
        await until(lambda: shown.pictures)
        shown.cancel_button.click()
        await drawn(shown)

    asyncio.run(asyncio.wait_for(cancel(), SECONDS))
    assert "It had ended before Cancel reached it." in shown.message.value
    assert lottery.stopped == []


def test_failed_state_is_chosen():
    """After a failure the state that failed is the one whose details are shown."""
    failure = ("TaskFailed", {"taskFailedEventDetails": {"error": "E", "cause": "c"}})
    shown = panel(Lottery(events=[*RUNNING, failure], result=ended("FAILED", "E")))
    asyncio.run(shown.run(1))
    assert shown.view.chosen == "A"
    assert shown.view.details["title"] == "A"
    assert shown.view.details["error"] == ["E: c"]


def test_result_can_be_observed():
    """An observer of `result` hears of each draw's end."""
    shown, heard = panel(Lottery()), []
    shown.observe(lambda change: heard.append(change["new"]), "result")
    asyncio.run(shown.run(1))
    asyncio.run(shown.run(2))
    assert [result and len(result["winners"]) for result in heard] == [1, None, 2]


ITERATION = ("MapIterationStarted", {})
PRIZES = [{"name": "Pen", "count": 2}, {"name": "<b>Car</b>", "count": 1}]


class Rounds(Lottery):
    """A lottery that takes prizes, and gives them in order."""

    def start(self, wanted):
        self.started.append(wanted)
        self.left -= sum(prize["count"] for prize in wanted)
        return "arn"

    def progress(self, arn, seen):
        won = [prize["name"] for prize in self.started[-1] for _ in range(prize["count"])]
        people = [
            {"employee_id": f"{n}", "employee_name": f"E{n}", "prize": prize} for n, prize in enumerate(won)
        ]
        told = self.outcome or ended("SUCCEEDED")
        return Progress(
            history(*self.events), told | {"winners": people if told["status"] == "SUCCEEDED" else []}
        )


def test_winners_are_revealed_prize_by_prize():
    """Each prize is announced, then its winners appear one by one; it stands above those before it."""
    shown = Watched(Rounds(), pause=0.001, pace=0)
    steps = []
    shown.view.observe(lambda _: steps.append(re.findall(r"E\d|Pen|Car", str(shown.winners))), "details")
    asyncio.run(shown.run(PRIZES))
    pens = ["Pen", "E0", "E1"]
    assert [step for step in steps if step] == [
        pens[:1],
        pens[:2],
        pens,
        ["Car", *pens],
        ["Car", "E2", *pens],
    ]


def test_progress_moves_with_the_prizes():
    """The bar and the status line follow the iterations of the Map, one for each prize."""
    events = [*RUNNING, ITERATION, state("Entered", "B"), ITERATION, state("Entered", "A")]
    shown = Watched(Rounds(events=events), pause=0.001, pace=0)
    values = []
    shown.progress.observe(lambda change: values.append((change["new"], shown.progress.max)), "value")
    asyncio.run(shown.run(PRIZES))
    assert values == [(1, 4), (3, 4), (4, 4)]
    said = re.findall(r"… (Pen|&lt;b&gt;Car&lt;/b&gt;): ", " ".join(shown.messages))
    assert list(dict.fromkeys(said)) == ["Pen", "&lt;b&gt;Car&lt;/b&gt;"]


def test_number_and_prizes_are_two_ways_to_ask():
    """`run` sends a list of prizes as it is, from a panel that asks for a number, too."""
    lottery = Rounds()
    asyncio.run(panel(lottery).run(PRIZES))
    assert lottery.started == [PRIZES]


def test_recorded_not_mailed():
    """A draw that recorded its winners but could not mail them is shown as a success with a warning."""
    result = ended("SUCCEEDED", "RecordedNotMailed") | {"cause": "what to do.\nwhat AWS said"}
    shown = panel(Rounds(result=result))
    asyncio.run(shown.run(PRIZES))
    assert "⚠ SUCCEEDED: 3 drawn. RecordedNotMailed: what to do.</p>" in shown.message.value
    assert shown.progress.bar_style == "warning"
    assert len(people(shown)) == 3


def test_cancel_while_winners_are_revealed():
    """Cancel during the reveal shows the rest at once, and the end is said, not the Cancel."""
    shown = LotteryPanel(Rounds(events=[]), pause=0.001, pace=900)

    async def cancel():
        draw = asyncio.create_task(shown.run(PRIZES))
        await until(lambda: "SUCCEEDED" in shown.message.value)
        shown.cancel_button.click()
        await draw

    asyncio.run(asyncio.wait_for(cancel(), SECONDS))
    assert "SUCCEEDED: 3 drawn. It had ended before Cancel reached it." in shown.message.value


def test_the_picture_stands_still_without_a_kernel():
    """What a notebook stores of the panel is the workflow; after a draw, it is the draw."""
    shown = panel(Lottery())
    assert shown._repr_mimebundle_()["text/html"] == shown.view.still.html
    asyncio.run(shown.run(1))
    assert (html := shown._repr_mimebundle_()["text/html"]) == shown.view.still_html
    assert "<p>Winners: &lt;b&gt;0&lt;/b&gt; 0</p>" in html
