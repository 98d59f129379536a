"""Draw with a button: a panel that shows how far the draw is, who has won, and the mail that went out.

The panel knows no AWS: it is given an object with a few calls (`Lottery`), each of which may block, and
makes them in a thread. What is shown is kept in widget traits alone, because text printed from a callback
or a thread does not reach the cell. A click starts a task, so the kernel stays free and Cancel works.

A draw may take a thirtieth of a second. So its history is played: each moment of it is shown for a while.
"""

import asyncio
import html
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any, Final, Protocol

import ipywidgets as widgets
import traitlets

from lottery_lib.errors import LotteryError
from lottery_lib.history import Event, ExecutionRecord, moments, published
from lottery_lib.party.prizes import read_prizes
from lottery_lib.view.execution_view import ExecutionView
from lottery_lib.view.status import WRAPPED

__all__ = ["DrawPanel", "Lottery"]

_FRAMES: Final = 30  # of a long history (a redraw loop) no more are shown between two looks
_REVEAL: Final = 8.0  # seconds that all winners of a prize together may take to appear


class Seen(Protocol):
    """How far a draw is: its history so far, and its result once it has ended."""

    @property
    def events(self) -> Sequence[Event]: ...
    @property
    def result(self) -> Mapping[str, Any] | None: ...


class Lottery(Protocol):
    """What a panel can do: `draws.Draws` does it on AWS, a test does it without."""

    @property
    def definition(self) -> dict[str, Any]:
        """The state machine's definition."""

    def remaining(self) -> int:
        """How many have not won yet."""

    def start(self, wanted: Any) -> str:
        """Start a draw of so many winners, or of a list of prizes; return what names it."""

    def look(self, arn: str) -> Seen:
        """See how far a draw is."""

    def stop(self, arn: str) -> None:
        """Stop a draw."""

    def mailed(self) -> str:
        """Who gets the mails and where they can be read, in a sentence."""


class DrawPanel(widgets.HBox):  # type: ignore[misc]
    """A number of winners or a list of prizes, Draw, Cancel, the workflow as it runs, and the result.

    Args:
        lottery: What to draw from.
        pause: Seconds between two looks at a running draw.
        pace: Seconds that each moment of a draw is shown at least; a winner is shown after twice as many.
        prizes: Ask for prizes, one a line, instead of a number; the lottery's machine must take them.

    Attributes:
        result: The latest draw's result, as `draws.result` gives it (a trait, so it can be observed).
        view: The workflow and its states (`ExecutionView`).
    """

    result = traitlets.Any(None, allow_none=True)

    def __init__(
        self, lottery: Lottery, pause: float = 0.2, pace: float = 0.3, *, prizes: bool = False
    ) -> None:
        self._lottery = lottery
        self._pause = pause
        self._pace = pace
        self._definition: dict[str, Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self._cancelled = asyncio.Event()
        self._quiet_until = 0.0
        self._remaining = 0
        self._prizes: list[str] = []  # those of the draw that runs
        self.number = widgets.BoundedIntText(
            value=1,
            min=1,
            max=1,
            description="Winners",
            layout=widgets.Layout(width="12em"),
            style={"description_width": "initial"},
        )
        self.prizes = widgets.Textarea(
            description="Prizes",
            placeholder="10 Voucher\n3 Bicycle\n1 Car",
            continuous_update=False,  # read when it is left, not at each letter
            rows=4,
            layout=widgets.Layout(width="98%"),
            style={"description_width": "initial"},
        )
        self._field = self.prizes if prizes else self.number
        self.draw_button = widgets.Button(description="Draw", button_style="primary")
        self.cancel_button = widgets.Button(description="Cancel", disabled=True)
        self.progress = widgets.IntProgress(value=0, min=0, max=1, layout=widgets.Layout(width="98%"))
        self.message, self.winners, self.mail = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.view = ExecutionView()
        self.draw_button.on_click(self._on_draw)
        self.cancel_button.on_click(self._on_cancel)
        self._field.observe(self._on_field, "value")
        buttons = [self.draw_button, self.cancel_button]
        asking = [self.prizes, widgets.HBox(buttons)] if prizes else [widgets.HBox([self.number, *buttons])]
        words = widgets.VBox(
            [*asking, self.progress, self.message, self.winners, self.mail],
            layout=widgets.Layout(width="30em"),
        )
        self.view.layout.width = "26em"
        # Side by side where there is room, so that buttons, names and states are seen together.
        super().__init__([words, self.view], layout=widgets.Layout(flex_flow="row wrap"))
        self._open()

    def __repr__(self) -> str:
        return "DrawPanel: Winners, Draw, Cancel"

    def _repr_keys(self) -> list[str]:
        return []

    async def run(self, wanted: Any = None) -> Mapping[str, Any] | None:
        """Draw, and wait for the end.

        Args:
            wanted: How many winners, or a list of prizes, sent to the machine as it is; by default what
                the panel says, as a click does.

        Returns:
            The draw's result; None if it could not be made, which the panel then says.
        """
        self._begin(wanted)
        if self._task is not None:
            await self._task
        result: Mapping[str, Any] | None = self.result
        return result

    def _on_draw(self, _button: Any) -> None:
        # Clicks that queued up during a draw arrive right after it: nobody meant a second draw.
        if asyncio.get_running_loop().time() >= self._quiet_until:
            self._begin()

    def _on_cancel(self, _button: Any) -> None:
        self._cancelled.set()
        self.cancel_button.disabled = True
        self._say("Cancelling ...", "…")

    def _on_field(self, _change: Any) -> None:
        if self._field.disabled:  # it was not typed
            return
        try:
            wanted = self._wanted()
        except LotteryError as error:
            self._say(str(error), "✗")
            return
        refusal = _refusal(wanted, self._remaining)
        self._say(refusal or f"{_total(wanted)} of {self._remaining} will be drawn.", "✗" if refusal else "")

    def _wanted(self) -> Any:
        """What the panel says is to be drawn."""
        return self.number.value if self._field is self.number else read_prizes(self.prizes.value)

    def _begin(self, wanted: Any = None) -> None:
        if self._task is not None and not self._task.done():
            return  # a second click during a draw does nothing
        self._cancelled, self.result = asyncio.Event(), None  # an event belongs to the loop that waits for it
        self._enable(False)  # at once: a click that follows must find the panel drawing
        self.progress.value, self.progress.bar_style = 0, "info"
        self.winners.value = self.mail.value = ""
        self._say("Drawing ...", "…")
        # The reference keeps the task from being collected while it runs.
        self._task = asyncio.get_running_loop().create_task(self._draw(wanted))

    async def _draw(self, wanted: Any) -> None:
        arn = ""
        try:
            if self._definition is None:
                self._learn(await asyncio.to_thread(lambda: self._lottery.definition))
            asked = self._wanted() if wanted is None else wanted
            self._prizes = _prizes(asked)
            self._show([])
            if wanted is None and (refusal := _refusal(asked, await self._count())):
                self._say(refusal, "✗")
                return
            if self._cancelled.is_set():
                self._say("Cancelled before it began.", "■")
                return
            arn = await asyncio.to_thread(self._lottery.start, asked)
            await self._end(await self._follow(arn))
        except Exception as error:  # an error in a callback would be shown nowhere
            self._say(_lost(error, arn) if arn and self.result is None else _sentence(error), "✗")
        finally:
            self._enable(True)
            self._quiet_until = asyncio.get_running_loop().time() + 0.5

    async def _count(self) -> int:
        remaining = await asyncio.to_thread(self._lottery.remaining)
        self._bound(remaining)
        return remaining

    async def _follow(self, arn: str) -> Seen:
        """Look at a draw, and show what has happened since the last look, until it has ended."""
        stopped, shown = False, 0
        while True:
            if self._cancelled.is_set() and not stopped:
                await asyncio.to_thread(self._lottery.stop, arn)
                stopped = True
            seen = await asyncio.to_thread(self._lottery.look, arn)
            await self._play(seen.events, shown)
            shown = len(seen.events)
            if seen.result is not None:
                return seen
            await asyncio.sleep(self._pause)

    async def _play(self, events: Sequence[Event], shown: int) -> None:
        counts = moments(events, after=shown)
        for count in counts[:: len(counts) // _FRAMES + 1]:
            if self._cancelled.is_set():  # who cancels does not want to watch
                break
            self._show(events[:count])
            await self._rest(self._pace)
        self._show(events)

    async def _end(self, seen: Seen) -> None:
        result = seen.result or {}
        self.progress.value = self.progress.max
        self.progress.bar_style = _look(result)[1]
        if result["status"] == "SUCCEEDED":
            self.prizes.value = ""  # they are given: the next click is not to give them again
        self._say_end(result)
        if result["status"] != "SUCCEEDED" or result["error"]:
            self.view.choose_failure()
        await self._reveal(result["winners"])
        self._say_end(result)  # once more: a Cancel that came during it has said something else
        self.result = result
        if messages := published(seen.events):
            self.mail.value = _mail(messages, await asyncio.to_thread(self._lottery.mailed))
        self.message.value += f"<p>{_remain(await self._count())}</p>"

    def _say_end(self, result: Mapping[str, Any]) -> None:
        said = _reason(result)
        if result["status"] == "SUCCEEDED":  # of an error all the same, the first line: it says what to do
            late = "It had ended before Cancel reached it." if self._cancelled.is_set() else ""
            mended = said.splitlines()[0] if result["error"] else ""
            said = " ".join(filter(None, [f"{len(result['winners'])} drawn.", mended, late]))
        self._say(f"{result['status']}: {said}", _look(result)[0])

    async def _reveal(self, winners: Sequence[Mapping[str, Any]]) -> None:
        """Show one winner after the other; a prize comes above those before it, where it is seen."""
        before = ""
        for prize, group in groupby(winners, key=lambda winner: str(winner.get("prize", ""))):
            won = list(group)
            for count in range(0 if prize else 1, len(won) + 1):
                await self._rest(min(2 * self._pace, _REVEAL / len(won)))
                self.winners.value = _winners(prize, won[:count]) + before
            before = self.winners.value

    async def _rest(self, seconds: float) -> None:
        """Let what is shown be seen, but no longer than until Cancel."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._cancelled.wait(), seconds)

    def _open(self) -> None:
        try:
            self._learn(self._lottery.definition)
            self._show([])
            remaining = self._lottery.remaining()
        except Exception as error:  # the panel opens all the same, and Draw tries again
            self._say(_sentence(error), "✗")
            return
        self._bound(remaining)
        self._say(_remain(remaining))

    def _learn(self, definition: dict[str, Any]) -> None:
        self._definition = definition

    def _bound(self, remaining: int) -> None:
        self._remaining = remaining
        self._field.unobserve(self._on_field, "value")  # it was not typed
        self.number.max = max(1, remaining)
        self._field.observe(self._on_field, "value")

    def _enable(self, enabled: bool) -> None:
        self._field.disabled = self.draw_button.disabled = not enabled
        self.cancel_button.disabled = enabled

    def _show(self, events: Sequence[Event]) -> None:
        """Show how far a draw is: the progress bar, the workflow, and the name of what runs."""
        assert self._definition is not None
        self.view.show(ExecutionRecord(self._definition, events))
        statuses, states = self.view.statuses, self._definition["States"]
        begun = sum(event["type"] == "MapIterationStarted" for event in events)
        prizes = self._prizes[:begun]
        self.progress.max = max(1, len(states) + len(self._prizes))
        self.progress.value = sum(name in statuses for name in states) + len(prizes)
        running = [name for name, status in statuses.items() if status == "running"]
        if running and not self._cancelled.is_set():
            self._say(f"{': '.join([*prizes[-1:], ', '.join(running)])} ...", "…")

    def _say(self, text: str, mark: str = "") -> None:
        # aria-live: a screen reader says it when it changes.
        self.message.value = (
            f'<p role="status" aria-live="polite" style="{WRAPPED}">{mark} {html.escape(text)}</p>'
        )


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, LotteryError) else f"{type(error).__name__}: {error}"


def _lost(error: Exception, arn: str) -> str:
    """Say of a draw that cannot be seen any more how to look for it: the same step again would be another."""
    what = f"{error.where}: {error.what}" if isinstance(error, LotteryError) else _sentence(error).rstrip(".")
    look = f"look at it with `python -m lottery_lib history {arn}` before you draw again"
    return f"{what}. The draw has been started and may go on: {look}."


def _refusal(wanted: Any, remaining: int) -> str:
    """Why so many cannot be drawn, as things have become since the panel counted; empty if they can."""
    if remaining == 0:
        return _remain(remaining)
    if _total(wanted) <= remaining:
        return ""
    if isinstance(wanted, list):
        return f"These prizes are {_total(wanted)}, but only {remaining} can still win: ask for fewer."
    return f"Only {remaining} can still win now. Press Draw again to draw {remaining}."


def _total(wanted: Any) -> int:
    """How many winners a number, or a list of prizes, asks for."""
    total: int = sum(prize["count"] for prize in wanted) if isinstance(wanted, list) else wanted
    return total


def _prizes(wanted: Any) -> list[str]:
    """The names of the prizes that are asked for; `run` may have been given anything."""
    return (
        [str(each.get("name", "")) for each in wanted if isinstance(each, dict)]
        if isinstance(wanted, list)
        else []
    )


def _remain(remaining: int) -> str:
    if remaining == 0:
        return "Everyone has won. To begin anew: python -m lottery_lib reset, then press Draw."
    return f"{remaining} can still win."


def _look(result: Mapping[str, Any]) -> tuple[str, str]:
    """The mark and the bar's style of an end; a draw may have succeeded but for its mail."""
    if result["status"] != "SUCCEEDED":
        return "✗", "danger"
    return ("⚠", "warning") if result["error"] else ("✓", "success")


def _reason(result: Mapping[str, Any]) -> str:
    return ": ".join(str(result[key]) for key in ("error", "cause") if result[key]) or "no reason was given"


def _winners(prize: str, winners: Sequence[Mapping[str, Any]]) -> str:
    names = "".join(map(_winner, winners))
    heading = f'<h3 style="{WRAPPED}">{html.escape(prize)}</h3>' if prize else ""
    return f'{heading}<ol class="lottery-winners" aria-live="polite" style="{WRAPPED}">{names}</ol>'


def _winner(winner: Mapping[str, Any]) -> str:
    name, identity = winner.get("employee_name", ""), winner["employee_id"]
    return f"<li><b>{html.escape(str(name))}</b> {html.escape(str(identity))}</li>"


def _mail(messages: Sequence[str], where: str) -> str:
    """What went out: the same text twice if a Retry has sent it twice."""
    count = f"{len(messages)} messages" if len(messages) > 1 else "1 message"
    texts = "".join(f"<blockquote>{html.escape(text)}</blockquote>" for text in messages)
    return f'<div style="{WRAPPED}">✉ {count} went out to the topic:{texts}{html.escape(where)}</div>'
