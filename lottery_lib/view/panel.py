"""Draw with a button: a panel that shows how far the draw is, who has won, and the mail that went out.

The panel does not use AWS itself: it gets an object with a few calls (`Lottery`). Each call may block, so the
panel makes it in a thread. The panel shows everything in widgets, because text that a callback or a thread
prints does not reach the cell. A click starts a task, so the kernel stays free and Cancel works.

A draw may take only a thirtieth of a second. So the panel replays its history and shows each moment for a
while.
"""

import asyncio
import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any, Final, Protocol

import ipywidgets as widgets
import traitlets

from lottery_lib.definition import Machine
from lottery_lib.errors import LotteryError
from lottery_lib.harmless import escaped, harmless, in_a_row
from lottery_lib.history import DrawResult, Event, Progress, Reader, Winner, published
from lottery_lib.translation import _, cause_in_words, listed, punctuated
from lottery_lib.view.execution_view import ExecutionWidget
from lottery_lib.view.theme import WRAPPED

_FRAMES: Final = 30  # about the most moments to show of one reading; a long history has many more
_OFTEN_MOMENTS: Final = ("StateEntered", "Failed", "TimedOut")  # how the types of their events end
_REVEAL: Final = 8.0  # seconds in which all winners of a prize appear, at most
_STYLE: Final = {"description_width": "initial"}
# The part of a long word, such as a task token, that is cut off. Chinese has no spaces, so it is not cut.
_LONG: Final = re.compile(r"(?<=[!-~]{60})[!-~]+")
#: The address of the emulator's mailbox in a sentence about the mail.
_LINK: Final = re.compile(r"https?://[^\s<]+/_emulator/mail[^\s<]*")
#: How many winners to draw, or a list of prizes, each with its name and count.
Wanted = int | Sequence[Mapping[str, Any]]


class Lottery(Protocol):
    """The calls that a panel makes. `draws.Draws` makes them on AWS; a test has its own object."""

    @property
    def definition(self) -> Machine:
        """The state machine's definition."""

    def count_remaining(self) -> int:
        """How many employees can still win."""

    def start(self, wanted: Wanted) -> str:
        """Start a draw; returns the ARN of its execution."""

    def progress(self, arn: str, seen: Sequence[Event]) -> Progress:
        """See how far a draw is. `seen` has the events that an earlier look has found."""

    def stop(self, arn: str) -> None:
        """Stop a draw."""

    def mailed(self) -> str:
        """Say in a sentence who gets the mails and where to read them."""

    @property
    def may_reset(self) -> bool:
        """Whether the panel may offer to delete all winners, so that everyone can win again."""

    def reset(self) -> None:
        """Delete all winners."""


class LotteryPanel(widgets.VBox):  # type: ignore[misc]
    """A number of winners or a list of prizes, Draw, Cancel, the workflow as it runs, and the result.

    Args:
        lottery: What to draw from.
        pause: Seconds between two readings of a running draw.
        pace: The fewest seconds to show each moment of a draw. Before each winner it waits twice as long.
        winners: How many winners the field has at first.

    Attributes:
        result: The latest draw's `DrawResult` (a trait, so it can be observed).
        view: The execution (`ExecutionWidget`).
        winners: Its first tab: groups of winners, and the messages that went out.
    """

    result: DrawResult | None = traitlets.Any(None, allow_none=True)

    def __init__(self, lottery: Lottery, pause: float = 0.2, pace: float = 0.3, winners: int = 1) -> None:
        self._lottery = lottery
        self._pause = pause
        self._pace = pace
        self._definition: Machine = {}
        self._task: asyncio.Task[None] | None = None
        self._resetting: asyncio.Task[None] | None = None
        self._cancelled = asyncio.Event()
        self._quiet_until = 0.0
        self._can_win = 0
        self._prize_names: list[str] = []  # of the draw that runs
        # A field of text: a field of numbers would change 999 or 2.5 without a word.
        self.number = widgets.Text(
            str(winners), description=_("Number of winners"), layout={"width": "auto"}, style=_STYLE
        )
        self.draw_button = widgets.Button(description=_("Draw"), button_style="primary")
        self.cancel_button = widgets.Button(description=_("Cancel"), disabled=True)
        self.reset_button = widgets.Button(description=_("Reset"), layout={"display": "none"})
        self.progress = widgets.IntProgress(max=1, layout={"width": "auto", "height": "10px"})
        self.message = widgets.HTML()
        self.view = ExecutionWidget()
        self._tell_winners(note=_("The winners of the next draw appear here."))
        buttons = [self.draw_button, self.cancel_button, self.reset_button]
        controls = widgets.HBox([self.number, *buttons, self.message], layout={"flex_flow": "row wrap"})
        controls.add_class("lottery-controls")
        super().__init__([controls, self.progress, self.view])
        self.add_class("lottery-panel")
        try:
            self._definition = lottery.definition
            self._show(Reader(definition=self._definition))
            self._bound(lottery.count_remaining())
            self._say(self._remain())
        except Exception as error:  # the panel still opens, and Draw tries again
            self._say(_sentence(error), "✗")
        self.draw_button.on_click(self._on_draw)
        self.cancel_button.on_click(self._on_cancel)
        self.reset_button.on_click(self._on_reset)
        self.number.observe(self._on_field, "value")
        self.number.on_msg(self._on_key)

    def __repr__(self) -> str:
        return _("DrawPanel: Winners, Draw, Cancel")

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, Any]:
        data: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        # Where there is no kernel, the workflow stands still.
        return {**data, "text/html": self.view.still_html} if self.view.still else data

    async def run(self, wanted: Wanted | None = None) -> DrawResult | None:
        """Draw, and wait for the end.

        Args:
            wanted: A number of winners or a list of prizes. It is sent to the machine unchanged. By default,
                it is read from the panel, as at a click.

        Returns:
            The draw's result; None if there was no draw, and the panel then says why.
        """
        task = self._begin(wanted)

        async def ended() -> None:
            await asyncio.shield(task)  # who interrupts the cell does not stop the draw

        # JupyterLab handles clicks and cells in different threads, so the draw may belong to another loop.
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(ended(), task.get_loop()))
        return self.result

    def _on_draw(self, _button: object) -> None:
        # Clicks that waited during a draw arrive right after it. They must not start a second draw.
        if asyncio.get_running_loop().time() >= self._quiet_until:
            self.view.scroll_into_view()
            self._begin(None)

    def _on_key(self, _field: object, content: Mapping[str, object], _buffers: object) -> None:
        if content.get("event") == "submit" and not self.number.disabled:  # Enter in the field
            self._on_draw(None)

    def _on_cancel(self, _button: object) -> None:
        self._cancelled.set()
        self.cancel_button.disabled = True
        self._say(_("Cancelling ..."), "…")

    def _on_reset(self, _button: object) -> None:
        if self.reset_button.description == _("Reset"):
            self.reset_button.description = _("Delete all winners?")
        else:
            self._resetting = asyncio.get_running_loop().create_task(self._reset())

    async def _reset(self) -> None:
        try:
            await asyncio.to_thread(self._lottery.reset)
            self._tell_winners(note=_("The winners of the next draw appear here."))
            await self._count()
            self._say(self._remain())
        except Exception as error:
            self._say(_sentence(error), "✗")

    def _on_field(self, _change: object) -> None:
        if self.number.disabled:  # the panel changed it, not a person
            return
        try:
            wanted = self._wanted()
        except LotteryError as error:
            self._refuse(str(error))
            return
        if refusal := self._refusal(wanted):
            self._refuse(refusal)
        else:
            self._say(_("{count} of {all} will be drawn.", count=_total(wanted), all=self._can_win))

    def _wanted(self) -> Wanted:
        """The number that is in the panel now."""
        typed = unicodedata.normalize("NFKC", self.number.value).strip()  # a Chinese keyboard has wide digits
        if not re.fullmatch(r"0*[1-9][0-9]{0,8}", typed):
            raise LotteryError(
                _("Number of winners"),
                _("{typed!r} cannot be drawn", typed=typed) if typed else _("the field is empty"),
                _("Type a whole number from 1 to {most}", most=max(1, self._can_win)),
            )
        return int(typed)

    def _begin(self, wanted: Wanted | None) -> asyncio.Task[None]:
        if self._task is not None and not self._task.done():
            return self._task  # a second click during a draw does nothing
        self._cancelled, self.result = asyncio.Event(), None  # an event belongs to one loop
        self._enable(False)  # at once: a click that follows must find the panel drawing
        if isinstance(wanted, int):
            self.number.value = str(wanted)
        self._say(_("Drawing ..."), "…")
        # The reference keeps the task from being collected while it runs.
        self._task = asyncio.get_running_loop().create_task(self._draw(wanted))
        return self._task

    async def _draw(self, wanted: Wanted | None) -> None:
        arn = ""
        try:
            if not self._definition:
                self._definition = await asyncio.to_thread(lambda: self._lottery.definition)
            number_or_prizes = self._wanted() if wanted is None else wanted
            prizes = number_or_prizes if isinstance(number_or_prizes, list) else []  # `run` may get any value
            self._prize_names = [str(prize.get("name", "")) for prize in prizes if isinstance(prize, dict)]
            if wanted is None:
                await self._count()
            if wanted is None and (refusal := self._refusal(number_or_prizes)):
                self._refuse(refusal)
            elif self._cancelled.is_set():
                self._say(_("Cancelled before it began."), "■")
            else:
                self.view.execution = {}
                self._tell_winners(note=_("The draw runs. Its winners appear here."), open_it=True)
                self.progress.bar_style = "info"
                reader = Reader(definition=self._definition)
                self._show(reader)
                arn = await asyncio.to_thread(self._lottery.start, number_or_prizes)
                self.view.execution = {"executionArn": arn}
                result = await self._follow(arn, reader)
                await self._end(reader.events, result)
        except Exception as error:  # an error in a callback would be shown nowhere
            if not arn:
                self._refuse(_sentence(error))
            elif self.result is None:
                self._say(_lost(error, arn), "✗")
            else:  # the draw has ended, and what is shown is this draw
                self.message.value += f"<p>{escaped(_sentence(error))}</p>"
        finally:
            self._enable(True)
            self._quiet_until = asyncio.get_running_loop().time() + 0.5

    async def _count(self) -> None:
        self._bound(await asyncio.to_thread(self._lottery.count_remaining))

    def _remain(self) -> str:
        if self._can_win == 0:
            if self._lottery.may_reset:
                return _("Everyone has won. To start again, press Reset.")
            return _("Everyone has won. To start again, run `lottery reset` in a terminal.")
        return _("{count} can still win.", count=self._can_win)

    def _refusal(self, wanted: Wanted) -> str:
        """Why this many cannot be drawn; empty if they can. Others may have won since the panel counted."""
        if self._can_win == 0:
            return self._remain()
        if _total(wanted) <= self._can_win:
            return ""
        return _(
            "You ask for {count} winners, but only {all} can still win. Ask for fewer.",
            count=_total(wanted),
            all=self._can_win,
        )

    async def _follow(self, arn: str, reader: Reader) -> DrawResult:
        """Until the draw has ended, read its history, and replay what is new since the last reading."""
        stopped = False
        while True:
            if self._cancelled.is_set() and not stopped:
                await asyncio.to_thread(self._lottery.stop, arn)
                stopped = True
            progress = await asyncio.to_thread(self._lottery.progress, arn, tuple(reader.events))
            await self._replay(reader, progress.events[len(reader.events) :])
            if progress.result is not None:
                return progress.result
            await asyncio.sleep(self._pause)

    async def _replay(self, reader: Reader, events: Sequence[Event]) -> None:
        """Read new events, each of them once. Show moments on the way, evenly chosen, and the end."""
        step = sum(event["type"].endswith(_OFTEN_MOMENTS) for event in events) // _FRAMES + 1
        last_shown = len(reader.events)
        for number, count in enumerate(reader.moments(events)):
            if number % step == 0 and not self._cancelled.is_set():  # after Cancel, nobody watches
                self._show(reader)
                last_shown = count
                await self._rest(self._pace)
        if last_shown < len(reader.events):
            self._show(reader)

    async def _end(self, events: Sequence[Event], result: DrawResult) -> None:
        mark, self.progress.bar_style = "✗", "danger"
        if result["status"] == "SUCCEEDED":
            # It has an error if the winners are recorded but their mail was not sent.
            mark, self.progress.bar_style = ("⚠", "warning") if result["error"] else ("✓", "success")
        self.progress.value = self.progress.max
        self._say(self._summary(result), mark)
        if mark == "✗":
            self.view.choose_failure()
        if not result["winners"]:
            self._tell_winners(note=_("Nobody has won."))
        await self._reveal(result["winners"])
        self._say(self._summary(result), mark)  # again: a Cancel meanwhile has changed it
        self.result = result
        if messages := published(events):
            sentence = await asyncio.to_thread(self._lottery.mailed)
            link = _LINK.search(sentence)
            before, after = (sentence[: link.start()], sentence[link.end() :]) if link else (sentence, "")
            mail = {
                "heading": _("✉ Messages that went out to the topic: {count}", count=len(messages)),
                "texts": [harmless(_LONG.sub("...", text)) for text in messages],
                "where": [before, after],
                "link": link[0] if link else "",
            }
            self._tell_winners(self.winners["groups"], self.winners["note"], mail)
        await self._count()
        self.message.value += f"<p>{self._remain()}</p>"

    def _summary(self, result: DrawResult) -> str:
        """How a draw ended, in a sentence or two."""
        reason = punctuated(": ").join(filter(None, (result["error"], cause_in_words(result["cause"] or ""))))
        if result["status"] != "SUCCEEDED":
            why = (reason or _("no reason was given")).rstrip(".。")
            return punctuated("{status}: {reason}.", status=result["status"], reason=why)
        advice = reason.partition("\n")[0]  # the first line says what to do
        late = _("It had ended before Cancel reached it.") if self._cancelled.is_set() else ""
        success = _("SUCCEEDED: {count} drawn.", count=len(result["winners"]))
        return in_a_row([success, advice, late])

    async def _reveal(self, winners: Sequence[Winner]) -> None:
        """Show one winner after the other. The newest prize is at the top, where people see it."""
        earlier: list[dict[str, Any]] = []
        for prize, group in groupby(winners, key=lambda winner: str(winner.get("prize", ""))):
            won = [
                [harmless(str(each.get(key, ""))) for key in ("employee_name", "employee_id")]
                for each in group
            ]
            for count in range(0 if prize else 1, len(won) + 1):
                await self._rest(min(2 * self._pace, _REVEAL / len(won)))
                self._tell_winners([{"heading": harmless(prize), "people": won[:count]}, *earlier])
            earlier = self.winners["groups"]

    def _tell_winners(
        self,
        groups: Sequence[Mapping[str, Any]] = (),
        note: str = "",
        messages: Mapping[str, Any] | None = None,
        *,
        open_it: bool = False,
    ) -> None:
        """Show winners in groups, each with its heading, a sentence, and the messages that went out."""
        self.winners: dict[str, Any] = {
            "title": _("Winners"),
            "kind": "people",
            "groups": list(groups),
            "note": note,
        }
        self.winners |= {"messages": messages} if messages else {}
        self.view.put_first(self.winners, open_it=open_it)

    async def _rest(self, seconds: float) -> None:
        """Give people time to see what is shown. A Cancel ends the pause."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._cancelled.wait(), seconds)

    def _bound(self, can_win: int) -> None:
        self._can_win = can_win
        offered = can_win == 0 and self._lottery.may_reset
        self.reset_button.description = _("Reset")
        self.reset_button.layout.display = "" if offered else "none"

    def _enable(self, enabled: bool) -> None:
        self.number.disabled = self.draw_button.disabled = not enabled
        self.cancel_button.disabled = enabled

    def _show(self, reader: Reader) -> None:
        """Show how far a draw is: the progress bar, the workflow, and the name of what runs."""
        self.view.show(reader)
        statuses, states = self.view.statuses, self._definition["States"]
        begun = sum(event["type"] == "MapIterationStarted" for event in reader.events)
        prizes = self._prize_names[:begun]
        self.progress.max = max(1, len(states) + len(self._prize_names))
        self.progress.value = sum(name in statuses for name in states) + len(prizes)
        busy = [
            name if status == "running" else _("{name} waits for its token", name=name)
            for name, status in statuses.items()
            if status in ("running", "waiting")
        ]
        if busy and not self._cancelled.is_set():
            activity = ": ".join([*prizes[-1:], listed(busy)])
            self._say(f"{activity} ...", "…")

    def _refuse(self, text: str) -> None:
        """Say why nothing is drawn. What the panel shows stays, and must not look like this draw."""
        ended = self.progress.value == self.progress.max
        self.progress.bar_style = ""
        self.view.age()
        self._say(in_a_row([text, _("Below is still the last draw.")]) if ended else text, "✗")

    def _say(self, text: str, mark: str = "") -> None:
        # A screen reader says it when it changes, and what is wrong at once.
        how = 'role="status" aria-live="polite"'
        if mark == "✗":
            how = 'role="alert" class="lottery-picture lottery-error"'
        self.message.value = f'<p {how} style="{WRAPPED}">{mark} {escaped(text)}</p>'


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, LotteryError) else f"{type(error).__name__}: {error}"


def _lost(error: Exception, arn: str) -> str:
    """Say what to do if a started draw can no longer be read. To draw again would be a second draw."""
    what = (
        f"{error.where}: {error.what}" if isinstance(error, LotteryError) else _sentence(error).rstrip(".。")
    )
    return _(
        "{what}. The draw has been started and may go on: look at it with `lottery history {arn}` "
        "before you draw again.",
        what=what,
        arn=arn,
    )


def _total(wanted: Wanted) -> int:
    """How many winners a number, or a list of prizes, asks for."""
    return wanted if isinstance(wanted, int) else sum(prize["count"] for prize in wanted)
