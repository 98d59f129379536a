"""Draw with a button: a panel that shows how far the draw is and who has won.

The panel knows no AWS: it is given an object with four calls (`Lottery`), each of which may block, and
makes them in a thread. What is shown is kept in widget traits alone, because text printed from a callback
or a thread does not reach the cell. A click starts a task, so the kernel stays free and Cancel works.
"""

import asyncio
import html
from collections.abc import Mapping
from typing import Any, Protocol

import ipywidgets as widgets

from lottery_lib.errors import LotteryError
from lottery_lib.graph import graph_view

__all__ = ["DrawPanel", "Lottery"]


class Seen(Protocol):
    """How far a draw is: its status, each state's status and attempts, and its result once it has ended."""

    @property
    def status(self) -> str: ...
    @property
    def states(self) -> Mapping[str, str]: ...
    @property
    def attempts(self) -> Mapping[str, int]: ...
    @property
    def result(self) -> Mapping[str, Any] | None: ...


class Lottery(Protocol):
    """What a panel can do: `draws.Draws` does it on AWS, a test does it without."""

    @property
    def definition(self) -> dict[str, Any]:
        """The state machine's definition."""

    def remaining(self) -> int:
        """How many have not won yet."""

    def start(self, number: int) -> str:
        """Start a draw and return what names it."""

    def look(self, arn: str) -> Seen:
        """See how far a draw is."""

    def stop(self, arn: str) -> None:
        """Stop a draw."""


class DrawPanel(widgets.HBox):  # type: ignore[misc]
    """A number of winners, Draw, Cancel, the workflow as it runs, and the result.

    Args:
        lottery: What to draw from.
        pause: Seconds between two looks at a running draw.
    """

    def __init__(self, lottery: Lottery, pause: float = 0.2) -> None:
        self._lottery = lottery
        self._pause = pause
        self._definition: dict[str, Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self._cancelled = False
        self._quiet_until = 0.0
        self.result: Mapping[str, Any] | None = None
        self.number = widgets.BoundedIntText(
            value=1, min=1, max=1, description="Winners", layout=widgets.Layout(width="12em")
        )
        self.draw_button = widgets.Button(description="Draw", button_style="primary")
        self.cancel_button = widgets.Button(description="Cancel", disabled=True)
        self.progress = widgets.IntProgress(value=0, min=0, max=1, layout=widgets.Layout(width="98%"))
        self.message, self.winners = widgets.HTML(), widgets.HTML()
        self.picture = widgets.HTML(layout=widgets.Layout(width="26em"))
        self.draw_button.on_click(self._on_draw)
        self.cancel_button.on_click(self._on_cancel)
        self.number.observe(self._on_number, "value")
        buttons = widgets.HBox([self.number, self.draw_button, self.cancel_button])
        words = widgets.VBox(
            [buttons, self.progress, self.message, self.winners], layout=widgets.Layout(width="30em")
        )
        # Side by side where there is room, so that buttons, names and states are seen together.
        super().__init__([words, self.picture], layout=widgets.Layout(flex_flow="row wrap"))
        self._open()

    def __repr__(self) -> str:
        return "DrawPanel: Winners, Draw, Cancel"

    def _repr_keys(self) -> list[str]:
        return []

    async def run(self, number: int | None = None) -> Mapping[str, Any] | None:
        """Draw, and wait for the end.

        Args:
            number: How many winners, sent to the machine as it is; by default what the panel says, as a
                click does.

        Returns:
            The draw's result; None if it could not be made, which the panel then says.
        """
        self._begin(self.number.value if number is None else number, checked=number is None)
        if self._task is not None:
            await self._task
        return self.result

    def _on_draw(self, _button: Any) -> None:
        # Clicks that queued up during a draw arrive right after it: nobody meant a second draw.
        if asyncio.get_running_loop().time() >= self._quiet_until:
            self._begin(self.number.value, checked=True)

    def _on_cancel(self, _button: Any) -> None:
        self._cancelled = True
        self.cancel_button.disabled = True
        self._say("Cancelling ...", "…")

    def _on_number(self, _change: Any) -> None:
        self._say(f"{self.number.value} of {self.number.max} will be drawn.")

    def _begin(self, number: int, *, checked: bool) -> None:
        if self._task is not None and not self._task.done():
            return  # a second click during a draw does nothing
        self._cancelled, self.result = False, None
        self._enable(False)  # at once: a click that follows must find the panel drawing
        self.progress.value, self.progress.bar_style = 0, "info"
        self.winners.value = ""
        self._say(f"Drawing {number} ...", "…")
        # The reference keeps the task from being collected while it runs.
        self._task = asyncio.get_running_loop().create_task(self._draw(number, checked))

    async def _draw(self, number: int, checked: bool) -> None:
        try:
            if self._definition is None:
                self._learn(await asyncio.to_thread(lambda: self._lottery.definition))
            self._colour({}, {})
            if checked and (refusal := _refusal(number, await self._count())):
                self._say(refusal, "✗")
                return
            arn = await asyncio.to_thread(self._lottery.start, number)
            self._ended(await self._follow(arn))
            self.message.value += f"<p>{_remain(await self._count())}</p>"
        except Exception as error:  # an error in a callback would be shown nowhere
            self._say(_sentence(error), "✗")
        finally:
            self._enable(True)
            self._quiet_until = asyncio.get_running_loop().time() + 0.5

    async def _count(self) -> int:
        remaining = await asyncio.to_thread(self._lottery.remaining)
        self._bound(remaining)
        return remaining

    async def _follow(self, arn: str) -> Mapping[str, Any]:
        stopped = False
        while True:
            if self._cancelled and not stopped:
                await asyncio.to_thread(self._lottery.stop, arn)
                stopped = True
            seen = await asyncio.to_thread(self._lottery.look, arn)
            self._colour(seen.states, seen.attempts)
            if seen.result is not None:
                return seen.result
            await asyncio.sleep(self._pause)

    def _open(self) -> None:
        try:
            self._learn(self._lottery.definition)
            self._colour({}, {})
            remaining = self._lottery.remaining()
        except Exception as error:  # the panel opens all the same, and Draw tries again
            self._say(_sentence(error), "✗")
            return
        self._bound(remaining)
        self._say(_remain(remaining))

    def _learn(self, definition: dict[str, Any]) -> None:
        self._definition = definition
        self.progress.max = max(1, len(definition["States"]))

    def _bound(self, remaining: int) -> None:
        self.number.unobserve(self._on_number, "value")  # it was not typed
        self.number.max = max(1, remaining)
        self.number.observe(self._on_number, "value")

    def _enable(self, enabled: bool) -> None:
        self.number.disabled = self.draw_button.disabled = not enabled
        self.cancel_button.disabled = enabled

    def _ended(self, result: Mapping[str, Any]) -> None:
        self.result = result
        won = result["status"] == "SUCCEEDED"
        self.progress.value = self.progress.max
        self.progress.bar_style = "success" if won else "danger"
        if won:
            self.winners.value = _winners(result["winners"])
            self._say(f"SUCCEEDED: {len(result['winners'])} drawn.", "✓")
        else:
            reason = ": ".join(str(result[key]) for key in ("error", "cause") if result[key])
            self._say(f"{result['status']}: {reason or 'no reason was given'}", "✗")

    def _colour(self, states: Mapping[str, str], attempts: Mapping[str, int]) -> None:
        assert self._definition is not None
        top = [states.get(name) for name in self._definition["States"]]
        self.progress.value = sum(status is not None for status in top)
        view = graph_view(self._definition, states, attempts=attempts)
        self.picture.value = view._repr_mimebundle_()["text/html"]

    def _say(self, text: str, mark: str = "") -> None:
        # aria-live: a screen reader says it when it changes.
        self.message.value = f'<p role="status" aria-live="polite">{mark} {html.escape(text)}</p>'


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, LotteryError) else f"{type(error).__name__}: {error}"


def _refusal(number: int, remaining: int) -> str:
    """Why so many cannot be drawn, as things have become since the panel counted; empty if they can."""
    if remaining == 0:
        return _remain(remaining)
    if number > remaining:
        return f"Only {remaining} can still win now. Press Draw again to draw {remaining}."
    return ""


def _remain(remaining: int) -> str:
    if remaining == 0:
        return "Everyone has won. To begin anew: python -m lottery_lib reset, then press Draw."
    return f"{remaining} can still win."


def _winners(winners: list[Mapping[str, Any]]) -> str:
    return f"<ol>{''.join(map(_winner, winners))}</ol>"


def _winner(winner: Mapping[str, Any]) -> str:
    name, identity = winner.get("employee_name", ""), winner["employee_id"]
    return f"<li><b>{html.escape(str(name))}</b> {html.escape(str(identity))}</li>"
