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


class DrawPanel(widgets.VBox):  # type: ignore[misc]
    """A number of winners, Draw, Cancel, the workflow as it runs, and the result.

    Args:
        lottery: What to draw from.
        pause: Seconds between two looks at a running draw.
    """

    def __init__(self, lottery: Lottery, pause: float = 0.2) -> None:
        self._lottery = lottery
        self._pause = pause
        self._task: asyncio.Task[Any] | None = None
        self._arn: str | None = None
        self._cancelled = False
        self.result: Mapping[str, Any] | None = None
        self.number = widgets.BoundedIntText(
            value=1, min=1, max=1, description="Winners", layout=widgets.Layout(width="12em")
        )
        self.draw_button = widgets.Button(description="Draw", button_style="primary")
        self.cancel_button = widgets.Button(description="Cancel", disabled=True)
        self.progress = widgets.IntProgress(value=0, min=0, max=1, layout=widgets.Layout(width="100%"))
        self.message = widgets.HTML()
        self.picture = widgets.HTML()
        self.winners = widgets.HTML()
        self.draw_button.on_click(self._on_draw)
        self.cancel_button.on_click(self._on_cancel)
        buttons = widgets.HBox([self.number, self.draw_button, self.cancel_button])
        super().__init__([buttons, self.progress, self.message, self.winners, self.picture])
        self._open()

    def __repr__(self) -> str:
        return "DrawPanel: Winners, Draw, Cancel"

    def _repr_keys(self) -> list[str]:
        return []

    async def run(self, number: int | None = None) -> Mapping[str, Any] | None:
        """Draw as a click does, and wait for the end.

        Args:
            number: How many winners; by default what the panel says.

        Returns:
            The draw's result; None if it could not be made, which the panel then says.
        """
        if number is not None:
            self.number.value = number
        self._on_draw(None)
        if self._task is not None:
            await self._task
        return self.result

    def _on_draw(self, _button: Any) -> None:
        if self._task is not None and not self._task.done():
            return  # a second click during a draw does nothing
        self._began()  # at once: a click that follows must find the panel drawing
        # The reference keeps the task from being collected while it runs.
        self._task = asyncio.get_running_loop().create_task(self._draw())

    def _on_cancel(self, _button: Any) -> None:
        self._cancelled = True
        self.cancel_button.disabled = True
        self._say("Cancelling ...")

    async def _draw(self) -> None:
        try:
            self._arn = await asyncio.to_thread(self._lottery.start, self.number.value)
            self._ended(await self._follow(self._arn))
        except Exception as error:  # an error in a callback would be shown nowhere
            self._say(
                str(error) if isinstance(error, LotteryError) else f"{type(error).__name__}: {error}", "✗"
            )
        finally:
            self.cancel_button.disabled = True
            await self._refresh()

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
            self._definition = self._lottery.definition
            self.progress.max = max(1, len(self._definition["States"]))
            self._colour({}, {})
            self._bound(self._lottery.remaining())
        except LotteryError as error:
            self.draw_button.disabled = True
            self._say(str(error), "✗")

    def _bound(self, remaining: int) -> None:
        self.number.max = max(1, remaining)
        self.number.disabled = self.draw_button.disabled = remaining == 0
        if self.result is None and not self.message.value:
            self._say(_remain(remaining))

    def _began(self) -> None:
        self._cancelled, self._arn, self.result = False, None, None
        self.number.disabled = self.draw_button.disabled = True
        self.cancel_button.disabled = False
        self.progress.value, self.progress.bar_style = 0, "info"
        self.winners.value = ""
        self._colour({}, {})
        self._say(f"Drawing {self.number.value} ...", "…")

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

    async def _refresh(self) -> None:
        try:
            remaining = await asyncio.to_thread(self._lottery.remaining)
        except Exception:  # the panel has said already what is wrong; Draw stays there to try again
            self.number.disabled = self.draw_button.disabled = False
            return
        self._bound(remaining)
        self.message.value += f"<p>{_remain(remaining)}</p>"

    def _colour(self, states: Mapping[str, str], attempts: Mapping[str, int]) -> None:
        top = [states.get(name) for name in self._definition["States"]]
        self.progress.value = sum(status is not None for status in top)
        view = graph_view(self._definition, states, attempts=attempts)
        self.picture.value = view._repr_mimebundle_()["text/html"]

    def _say(self, text: str, mark: str = "") -> None:
        # aria-live: a screen reader says it when it changes.
        self.message.value = f'<p role="status" aria-live="polite">{mark} {html.escape(text)}</p>'


def _remain(remaining: int) -> str:
    if remaining == 0:
        return "Everyone has won. Empty the table of winners to begin anew."
    return f"{remaining} can still win."


def _winners(winners: list[Mapping[str, Any]]) -> str:
    return f"<ol>{''.join(map(_winner, winners))}</ol>"


def _winner(winner: Mapping[str, Any]) -> str:
    name, identity = winner.get("employee_name", ""), winner["employee_id"]
    return f"<li><b>{html.escape(str(name))}</b> {html.escape(str(identity))}</li>"
