"""Show an evening on two pages: the audience's stage, and the operator's page with everything else.

Each page has its own kernel, and remembers nothing: a thread looks at the tables again and again, and shows
what they have. So a page can be loaded again, and its kernel can end. Callbacks of widgets only note a wish
for this thread.
"""

import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any, Final
from urllib.parse import parse_qs

import ipywidgets as widgets
import pandas as pd

from lottery_lib.draws import Draws, as_csv, as_xlsx
from lottery_lib.errors import LotteryError
from lottery_lib.hardened import winners, without_receipt
from lottery_lib.harmless import escaped
from lottery_lib.history import Reader
from lottery_lib.mails import inbox
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.target import Target, connected_again
from lottery_lib.translation import _, language, languages, listed, ngettext
from lottery_lib.view.execution_view import ExecutionWidget
from lottery_lib.view.theme import word_of
from lottery_party import evening_file, scenes
from lottery_party.announcement import page as announcement_page
from lottery_party.checker import check_page
from lottery_party.evening import Evening, EveningState, PrizeState
from lottery_party.forms import (
    HIDDEN,
    LANGUAGES,
    Preparation,
    PublicValue,
    Question,
    RollCall,
    Withdrawal,
    alert,
    box,
    data_url,
    marked,
    on_enter,
    show_only,
    table,
)
from lottery_party.prizes import read_prizes
from lottery_party.records import REHEARSAL, receipts
from lottery_party.scenes import Action, Moment
from lottery_party.stage import Stage

_HERE: Final = Path(__file__).parent
#: The title of an evening, until somebody writes another one.
_TITLE: Final = _("Lottery night")
_PAUSE: Final = 0.4  # seconds between two looks
_LONGEST: Final = 12.0  # seconds in which winners come to rest, also if no browser says so
_FEW: Final = 12  # names that a prize shows without being asked
_LINK: Final = re.compile(r"https?://[^\s<;]+")
_inbox = lru_cache(maxsize=1)(inbox)  # each has one link to the mailbox
_STAGE: Final = f"?page=stage&lang={language()}"
_OPEN: Final = f'<a class="night-open" href="{_STAGE}" target="_blank">{_("Open the stage ↗")}</a>'
_ANCHOR: Final = rf'<a href="\g<0>" target="_blank" rel="noopener">{_("the mailbox page")}</a>'


def night_page(target: Target) -> widgets.Widget:
    """The page that the browser asked for: the audience's with the query ``?page=stage``, or the operator's.

    The evening's name is in ``LOTTERY_EVENING``, and ``LOTTERY_EVENING_FILE`` says where it is saved.
    """
    name, file = os.environ.get("LOTTERY_EVENING") or "evening", os.environ.get("LOTTERY_EVENING_FILE")
    asked = parse_qs(os.environ.get("QUERY_STRING", "")).get("page", [])
    evening = Evening(target, name, file=Path(file) if file else None)
    return Page(evening).stage if asked == ["stage"] else Operator(evening).box


class Page:
    """What both pages do: look at the tables, show the scene, and take a press.

    Args:
        evening: The evening.

    Attributes:
        evening: The evening.
        stage: What the room sees (`Stage`).
        state: The evening when the page last looked; None before that.
        refused: Why the latest wish was not carried out; empty if it was. It stays on the page.
    """

    def __init__(self, evening: Evening) -> None:
        self.evening, self.stage = evening, Stage(title=_TITLE)
        rehearses = evening.target.names.attendee.endswith(REHEARSAL)
        self._mark = {"mark": _("Rehearsal")} if rehearses else {}
        self._leaves = False  # whether the browser loads this page again, in another language
        self.state: EveningState | None = None
        self._notes: dict[str, Any] = {}  # what all pages shall show, and the tables do not have yet
        self._lock = threading.Lock()  # of both
        self.refused = ""
        self.stage.on_press(self.press, lambda first: self.note(first=first), self.at_rest)
        # A browser that is still loading the page can miss a change: nothing is changed before it is there.
        self._there = threading.Event()
        self.stage.on_msg(lambda *_: self._there.set())
        self._wishes: Queue[Callable[[], object]] = Queue(maxsize=1)
        self._busy = False
        threading.Thread(target=self._work, daemon=True).start()

    def now(self) -> EveningState:
        """The evening as the tables have it now, with all that this page has noted."""
        self._agree()
        return self.evening.refresh()

    def press(self, way: str) -> None:
        """Take a press of a key. It counts only if the tables still have what this page shows."""
        if self.state:
            self.wish(partial(self._press, way, scenes.moment(self.state)))

    def wish(self, wish: Callable[[], object], *, meant: bool = False) -> None:
        """Let the page's thread do something. If it is busy with another wish, this one is not meant.

        Args:
            wish: What to do.
            meant: Whether it waits for the other wish. So does the answer to a question that this one asks.
        """
        if meant:
            self._wishes.put(wish)
        elif not self._busy:
            with suppress(Full):
                self._wishes.put_nowait(wish)

    def at_rest(self) -> None:
        """Take note that the winners are at rest on this page."""

    def note(self, **changes: Any) -> None:
        """Let all pages show something, such as a title; see `Evening.show`. None of it is lost."""
        with self._lock:
            self._notes |= changes
            if self.state:
                self.state = replace(self.state, stage={**self.state.stage, **changes})

    def show(self, state: EveningState) -> None:
        """Show a state."""
        self.stage.title = str(state.stage.get("title") or _TITLE)
        self.stage.logo = str(state.stage.get("logo", ""))
        self.stage.first = int(state.stage.get("first", 0))
        wanted = state.stage.get("language", language())
        if wanted != language() and wanted in ("en", *languages()) and not self._leaves:
            self._leaves = True
            self.stage.send({"language": wanted})
        self.stage.scene = scenes.scene(state) | self._mark
        if state.step != "new":  # the winners of the prize that is being drawn roll, too
            out = scenes.out(state)
            self.stage.names = [one.name for key, one in self.evening.guests().items() if key not in out]

    def say(self, problem: str) -> None:
        """Say what does not work, until it does."""

    def show_rest(self) -> None:
        """Show what takes longer. The page takes presses again."""

    def _work(self) -> None:
        self._there.wait()
        while True:
            with suppress(Empty):
                wish = self._wishes.get(timeout=_PAUSE)
                self._busy = True
                self.refused = _problem(wish)
            # What was refused stays on the page. What cannot be read is read again.
            self.say(_problem(self._look) or self.refused)
            self._busy = False
            self.show_rest()

    def _look(self) -> None:
        target = connected_again(self.evening.target)
        if target is not self.evening.target:  # a new emulator
            self.evening = Evening(target, self.evening.name, file=self.evening.file)
        self._agree()
        state = self.evening.refresh()
        with self._lock:
            self.state = state = replace(state, stage={**state.stage, **self._notes})
        self.show(state)

    def _agree(self) -> None:
        """Write the notes into the tables."""
        notes = dict(self._notes)
        if notes:
            self.evening.show(**notes)
        with self._lock:  # a note may have been changed meanwhile
            self._notes = {key: note for key, note in self._notes.items() if notes.get(key) != note}

    def _press(self, way: str, seen: Moment) -> None:
        state = self.now()
        action = scenes.press(state, way) if scenes.moment(state) == seen else None
        if action:
            self._act(action, state)

    def _act(self, action: Action, state: EveningState) -> None:
        scene, number = action.moment.scene, action.moment.number
        if scene == "public" and state.step == "public value":
            self.evening.ask()  # what changes from now on is late
        self.evening.show(scene, number, first=0)
        if action.do == "draw":
            self.evening.draw(number)
        elif action.do == "add":
            self.evening.draw_one_more(scenes.surprise(state))


class Night(widgets.Box):  # type: ignore[misc]
    """The box of the operator's page."""

    def __init__(self, parts: Sequence[widgets.Widget]) -> None:
        super().__init__(parts)
        self.add_class("lottery-night")

    def __repr__(self) -> str:
        return _("The operator's page")


class Machine:
    """The state machine, coloured by the latest execution of an evening.

    Attributes:
        box: The graph with its heading (a widget).
        not_mailed: Why the mail of the latest prize did not go out; empty if it did.
    """

    def __init__(self) -> None:
        self.not_mailed = ""
        self._definition: Mapping[str, Any] = {}
        self._seen: object = None  # what does not change until somebody does something
        self._view, self._heading = ExecutionWidget(), marked("h2", _("State machine"))
        self._folded = box("machine", self._view)
        self._fold = widgets.Button(tooltip=_("Show or hide the state machine"))
        self._fold.on_click(lambda _: self._unfold(self._folded.layout.display == "none"))
        self.box = box("folded", box("head", self._heading, self._fold), self._folded)
        self._unfold(False)

    def show(self, target: Target, state: EveningState) -> None:
        """Colour it. The history is read only while an execution goes on.

        While a prize rolls, it shows no data: who has won stands there, and the room does not know it yet.
        """
        draws = Draws(target)
        if not self._definition:
            self._definition = draws.definition
            self._view.show(Reader(definition=self._definition))
        secret = scenes.moment(state).scene == "rolling"
        now = (state.execution.get("executionArn"), state.ended, state.waiting.get("token"), secret)
        if not state.execution or now == self._seen:
            return
        progress = draws.progress(state.execution["executionArn"], described=state.execution)
        self._seen = now if state.ended or state.waiting else None
        events = [_without_data(each) for each in progress.events] if secret else progress.events
        self._view.execution = _without_data({"": state.execution})[""] if secret else dict(state.execution)
        self._view.show(Reader(events, self._definition))
        entered = [
            each["stateEnteredEventDetails"]["name"]
            for each in progress.events
            if "stateEnteredEventDetails" in each
        ]
        self._view.chosen = entered[-1] if entered else ""  # it moves into the middle
        told = progress.result
        waits = {
            "roll call": _("waits for the roll call"),
            "public value": _("waits for the public value"),
        }
        running = waits.get(state.waiting.get("awaits", ""), word_of("running"))
        step = word_of(told["status"].lower().replace("_", " ")) if told else running
        self._heading.value = f"<h2>{escaped(_('State machine: {state}', state=step))}</h2>"
        if told:
            late = told["error"] if told["status"] == "SUCCEEDED" else ""
            self.not_mailed = str(told["cause"]).partition("\n")[0] if late else ""

    def _unfold(self, shown: bool) -> None:
        """Show the state machine over the page, or only the state that it is in."""
        show_only(self._folded, shown)
        (self.box.add_class if shown else self.box.remove_class)("night-unfolded")
        self._fold.description = _("Hide it") if shown else _("Show it")


class Operator(Page):
    """The operator's page: the step with its button, all prizes, the state machine, and a small stage.

    Attributes:
        box: The page (a widget).
    """

    def __init__(self, evening: Evening) -> None:
        super().__init__(evening)
        button = widgets.Button
        self._head, self._now, self._problem, self._foot, self._list, self._who, self._files = (
            widgets.HTML() for _ in range(7)
        )
        self._strange = widgets.HTML()  # winners that no receipt names
        # Two, because a button that is hidden loses the focus: a second Space cannot end a roll call.
        self._main, self._answer = (button(button_style="primary", layout=HIDDEN) for _ in range(2))
        self._preparation, self._machine, self._withdrawal = Preparation(self), Machine(), Withdrawal(self)
        self.question, self._roll = Question(self), RollCall()
        self._value = PublicValue(self._give_answer)
        self._called: scenes.Roll | None = None  # the roll call as this page shows it
        self._surprise = widgets.Text(placeholder=_("1 Weekend in Paris"))
        self._language = widgets.ToggleButtons(options=_languages(), value=language())
        self._restore = button(
            description=_("Restore the evening from its file"), button_style="primary", layout=HIDDEN
        )
        self._said, self._lost = ("", False), False
        self._rests = 0.0  # when the winners are at rest on the stage, at the latest
        self._rolls = False  # whether that was still to come at the latest look: one look has one answer
        self._linked: bool | None = None  # whether there are links to the files of a closed evening
        self._shown: object = None  # what the page shows
        self._before: EveningState | None = None  # the evening at the look before
        self.finished: EveningState | None = None  # what the rest of the page shows; None to show it again
        self._forms: dict[str, widgets.Widget] = {
            "announce": self._preparation.box,
            "public value": self._value.box,
            "roll call": self._roll,
            "take back": button(description=_("Take the announcement back")),
            "between": self._between(),
            "files": self._files,
        }
        for form in self._forms.values():
            show_only(form, False)
        self._main.on_click(lambda _: self.press("advance"))
        self._answer.on_click(lambda _: self._give_answer())
        self._forms["take back"].on_click(lambda _: self.wish(self._ask_back))
        self._language.observe(lambda _: self._speak(), "value")
        for field in (self._value.field, self._surprise, self._withdrawal.field):
            field.observe(lambda _: setattr(self, "refused", ""), "value")  # it is corrected now
        self._roll.on_msg(self._take_mark)
        self._restore.on_click(lambda _: self.wish(self._put_back))
        self.box = self._page()

    def _between(self) -> widgets.Box:
        """What is possible between two prizes: one more prize, or the end."""
        add = widgets.Button(description=_("Show the surprise prize"))
        end = widgets.Button(description=_("End the evening"))
        add.on_click(lambda _: self.wish(self._show_surprise))
        on_enter(self._surprise, add.click)
        end.on_click(lambda _: self.wish(self._ask_end))
        row = box("row", self._surprise, add, end)
        amber = _("Between the prizes. A surprise prize makes the check amber.")
        return box("between", marked("label", amber), row)

    def _page(self) -> widgets.Widget:
        forms = self._forms
        above = (forms["announce"], forms["public value"], forms["roll call"])
        below = (self._problem, self._restore, forms["between"], forms["files"], forms["take back"])
        step = box("step", self._now, *above, self._main, self._answer, *below)
        ask_who = widgets.Button(description=_("Who can still win?"))
        ask_who.on_click(lambda _: self.wish(self._show_who))
        prizes = box(
            "prizes",
            box("head", marked("h2", _("Prizes")), ask_who),
            *(self._who, self._withdrawal.box, self._list, self._strange),
        )
        stage = box("preview", self.stage)
        style = widgets.HTML(f"<style>{(_HERE / 'draw_night.css').read_text(encoding='utf-8')}</style>")
        body = box("body", box("left", step, self._machine.box), box("right", stage, prizes))
        bar = box("bar", self._head, self._language, widgets.HTML(_OPEN))
        return Night((style, bar, body, box("foot", self._foot), self.question.box))

    def press(self, way: str) -> None:
        """Take a press of a key, unless a question is open: this one first."""
        if not self.question.is_open:
            super().press(way)

    # What the page shows

    @property
    def shown(self) -> EveningState | None:
        """The evening as the stage shows it: while the names come to rest on the winners, they still roll."""
        state = self.state
        return scenes.rolling_still(state) if state and self._rolls else state

    def at_rest(self) -> None:
        """The winners are at rest on the small stage; on the large one, at its next look."""
        self._rests = min(self._rests, time.monotonic() + _PAUSE)

    def _offer(self, state: EveningState) -> scenes.Offer:
        offer = scenes.offer(state)
        return offer if state is self.state else replace(offer, waits=True)

    def show(self, state: EveningState) -> None:
        """Show a state on the whole page."""
        before = scenes.moment(self._before).scene if self._before else ""
        if before == "rolling" and scenes.moment(state).scene == "winners":
            self._rests = time.monotonic() + _LONGEST
        self._before, self._rolls = state, time.monotonic() < self._rests
        super().show(state)
        self.question.show(state)
        state = self.shown or state
        self._machine.show(self.evening.target, state)
        now = (state, self._machine.not_mailed)
        if now != self._shown:
            self._show_lists(state)
            self._shown = now
        self._show_step(state)  # the last: who sees its button can press it

    def _show_lists(self, state: EveningState) -> None:
        self._list.value = _prize_table(scenes.seen(state), self._machine.not_mailed)
        self._head.value = _heading(self.stage.title, self.evening.name, state)
        self._who.value = ""
        offer = scenes.offer(state)
        if (offer.files or offer.between) and (state.step == "closed") != self._linked:
            self._files.value, self._linked = self._links(state), state.step == "closed"
        if self._shown is None and state.step == "new":
            self._preparation.title.value = self.stage.title
            if draft := state.stage.get("draft"):
                self._preparation.fill(draft)

    def show_rest(self) -> None:
        """Show what takes longer, after each step: a draw changes winners and receipts between two reads."""
        state = self.shown
        if state and state.step != "drawing" and state != self.finished:
            if problem := _problem(partial(self._show_foot, state)):
                self._foot.value = escaped(problem)
            else:
                self.finished = state

    def _show_foot(self, state: EveningState) -> None:
        """Say who can still win, where the evening is saved, who gets mail, and who has no receipt."""
        target, path = self.evening.target, self.evening.file
        rows = Table(target, target.names.winners_table).items()
        for prize in state.prizes:
            about = {"draw_id": self.evening.name, "prize": prize.name}
            rows += [{"employee_id": one.id, **about} for one in prize.winners]  # as this page has them
        ids = ", ".join(sorted(without_receipt(target, rows)))
        self._strange.value = alert(_("Winners without a receipt: {ids}", ids=ids)) if ids else ""
        left = scenes.remaining(scenes.seen(state), self.evening.guests())
        who = _("{count} can still win", count=len(left))
        file = _("Saved in {file}", file=path) if path else _("Not saved in a file")
        told = (who, state.not_saved or file, _inbox(target).where)
        self._foot.value = _LINK.sub(_ANCHOR, escaped(" · ".join(told)))

    def say(self, problem: str) -> None:
        """Show a problem in a sentence; an empty one takes it away."""
        fresh = self.state is None or self.state.step == "new"
        if (problem, fresh) != self._said:  # not at each look: it reads the whole file
            self._said, self._lost = (problem, fresh), bool((problem or fresh) and self._is_lost())
            show_only(self._restore, self._lost)
            self._show_button()
        if self._lost and problem:
            problem = _(
                "The emulator has ended. A new one runs, but the evening is only in its file: restore it."
            )
        self._problem.value = f'<div role="alert">{alert(problem)}</div>' if problem else ""

    def _is_lost(self) -> bool:
        """Whether only the file has the evening. An error here must not end the thread."""
        try:
            return bool(self.evening.file and evening_file.lacking(self.evening.target, self.evening.file))
        except LotteryError:  # the emulator has ended just now, or the file is damaged
            return False

    def _show_step(self, state: EveningState) -> None:
        offer = self._offer(state)
        text = _asked_ago(state) if offer.form == "public value" else offer.text
        problems = [alert(each) for each in (state.problem, self._machine.not_mailed) if each]
        heading = f'<h1 aria-live="polite">{escaped(offer.heading)}</h1><p>{escaped(text)}</p>'
        self._now.value = heading + "".join(problems)
        self._show_roll()
        self._show_button()
        show_only(self._withdrawal.box, state.step not in ("new", "closed"))
        for form, widget in self._forms.items():
            more = {
                "between": offer.between,
                "files": offer.files or offer.between,
                "take back": state.step == "public value",
            }
            show_only(widget, form == offer.form or more.get(form))

    def _show_roll(self) -> None:
        """Show who is marked as absent, on this page or on another one."""
        with self._lock:
            self._called = roll = scenes.roll(self.shown) if self.shown else None
            self._roll.show(roll)

    def _show_button(self) -> None:
        if not self.shown:
            return
        offer, absent = self._offer(self.shown), len(self._roll.absent)
        again = ngettext(
            "1 absent: draw this place again",
            "{count} absent: draw these places again",
            absent,
            count=absent,
        )
        words = again if offer.form == "roll call" and absent else offer.button
        both = [(self._main, not offer.form), (self._answer, bool(offer.form))]
        for each, shown in both if offer.form else reversed(both):  # never both at once
            each.description, each.disabled, each.icon = words, offer.waits, "spinner" if offer.waits else ""
            show_only(each, shown and words and not self._lost)

    def _show_who(self) -> None:
        if self._who.value:
            self._who.value = ""
        elif self.shown:
            left = scenes.remaining(scenes.seen(self.shown), self.evening.guests())
            names = listed(sorted(each.name for each in left))
            self._who.value = f'<div class="night-people">{escaped(names)}</div>'

    # What the operator does

    def _give_answer(self) -> None:
        """What a press of a key cannot do: announce, give the public value, call the roll."""
        if not self.state:
            return
        answers: dict[str, Callable[[], object]] = {
            "announce": self._preparation.ask,
            "public value": self._give_public_value,
            "roll call": partial(self._call_roll, self._called),
        }
        self.wish(answers[scenes.offer(self.state).form])

    def _give_public_value(self) -> None:
        self.evening.give(self._value.typed)

    def _take_mark(self, _roll: RollCall, message: dict[str, Any], _buffers: list[bytes]) -> None:
        if self._called:
            self.note(**self._called.noted({message["id"]: message["absent"]}))
            self._show_roll()
            self._show_button()

    def _call_roll(self, seen: scenes.Roll | None) -> None:
        self._agree()
        if seen:
            scenes.check_roll(seen, self.evening.refresh())
            kept = len(seen.people) - len(seen.absent)
            self.evening.show("again" if seen.absent else "called", seen.number, kept=kept)
            self.evening.call_roll(seen.number, seen.absent)

    def _speak(self) -> None:
        """Let all pages change their language. Their words come with other kernels."""
        self.note(language=self._language.value, draft=self._preparation.draft)

    def _show_surprise(self) -> None:
        prize = read_prizes(self._surprise.value)[0]
        self.evening.show("surprise", surprise=json.dumps(prize))
        self._surprise.value = ""

    def _ask_end(self) -> None:
        missed = [each.name for each in self.state.prizes if not scenes.drawn(each)] if self.state else []
        without = _("Not drawn: {prizes}", prizes=listed(missed))
        lasting = _("The machine tells its secret. Nobody can draw in this evening any more.")
        text = (alert(without) if missed else "") + f"<p>{escaped(lasting)}</p>"
        self.question.ask(_("End the evening?"), text, _("Yes, end it"), Evening.close)

    def _ask_back(self) -> None:
        kept = _("You can correct it and announce it again. The receipts show this, and the check is amber.")
        title, yes = _("Take the announcement back?"), _("Yes, take it back")
        self.question.ask(title, f"<p>{escaped(kept)}</p>", yes, Evening.take_back)

    def _put_back(self) -> None:
        """Go on with the evening that the file has, and the tables of a new emulator do not have."""
        if self.evening.file:
            Evening.restored(self.evening.target, self.evening.file)

    def _links(self, state: EveningState) -> str:
        """Links to save what guests may have: before the draw, and what remains of the evening."""
        found = receipts(self.evening.target, self.evening.name)
        texts = {
            (_("Announcement"), "announcement.html"): announcement_page(
                state.announcement, state.code
            ).encode()
        }
        if state.step == "closed":
            table = _in_order(winners(self.evening.target), state)
            texts |= {
                (_("Winners (Excel)"), "winners.xlsx"): as_xlsx(table),
                (_("Winners (CSV)"), "winners.csv"): as_csv(table),
                (_("Receipts"), "receipts.json"): json.dumps(found, default=str).encode(),
            }
        else:
            found = {"announced": found["draws"][self.evening.name]["receipts"][0]}
        texts[_("Check page"), "check.html"] = check_page(found).encode()
        links = [
            f'<a download="{file}" href="{data_url("application/octet-stream", data)}">{text}</a>'
            for (text, file), data in texts.items()
        ]
        return f'<p class="night-links">{"".join(links)}</p>'


def _problem(what: Callable[[], object]) -> str:
    """Do something. If it fails, return why: an error in a thread would be shown nowhere."""
    try:
        what()
    except Exception as error:
        return str(error) or repr(error)
    return ""


def _asked_ago(state: EveningState) -> str:
    """How long ago the room was asked for the public value."""
    if not state.asked:
        return ""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(state.asked)).total_seconds()
    return _("The room was asked {seconds} seconds ago.", seconds=max(0, int(seconds)))


def _without_data(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event of a history without what the machine and its functions told each other."""
    data = ("input", "output", "parameters")
    return {
        key: {name: "{}" if name in data else value for name, value in part.items()}
        if isinstance(part, Mapping)
        else part
        for key, part in event.items()
    }


def _languages() -> list[tuple[str, str]]:
    """The languages of the kit, each in its own words."""
    return [(LANGUAGES.get(each, each), each) for each in ("en", *languages())]


def _in_order(table: pd.DataFrame, state: EveningState) -> pd.DataFrame:
    """The winners by prize and place, each prize's absent last. Empty columns are left out."""
    places = [each for prize in state.prizes for each in (*prize.winners, *prize.absent)]
    at = {one.id: place for place, one in enumerate(places)}  # who was absent may have won later
    by_place = table.sort_values("employee_id", key=lambda ids: ids.map(at), kind="stable")
    return by_place.loc[:, table.mask(table == "").notna().any() | table.empty]


def _heading(title: str, name: str, state: EveningState) -> str:
    name = "" if name == title else name
    told = _("Public value: {value}", value=state.public) if state.public else ""
    return f"<b>{escaped(title)}</b><span>{escaped(name)}</span><span>{escaped(told)}</span>"


def _prize_table(state: EveningState, not_mailed: str) -> str:
    """Each prize, and what has become of it."""
    heads = ("", _("Prize"), _("How far"), _("Winners"))
    rows = [
        (
            str(each.number),
            escaped(f"{each.count} × {each.name}"),
            _status(each, state, not_mailed),
            _people(each),
        )
        for each in state.prizes
    ]
    gone = listed(f"{each.name} ({each.id})" for each in state.withdrawn)
    found = table(heads, rows) if rows else f"<p>{_('They appear here when they are announced.')}</p>"
    return found + (f"<p>{escaped(_('Withdrawn: {people}', people=gone))}</p>" if gone else "")


def _status(prize: PrizeState, state: EveningState, not_mailed: str) -> str:
    if prize.done:
        latest = prize.number == state.number
        return _("complete, not mailed") if latest and not_mailed else _("complete")
    if state.step in ("drawing", "roll call") and prize.number == state.number:
        return _("drawing") if state.step == "drawing" else _("roll call")
    return _("drawn, not complete") if scenes.drawn(prize) else _("not drawn yet")


def _people(prize: PrizeState) -> str:
    """The winners of a prize, as HTML; many of them only on demand."""
    names = escaped(listed(each.name for each in prize.winners))
    if len(prize.winners) > _FEW:
        won = len(prize.winners)
        count = ngettext("1 person", "{count} people", won, count=won)
        names = f"<details><summary>{count}</summary>{names}</details>"
    absent = escaped(listed(each.name for each in prize.absent))
    return names + (f" <s>{absent}</s>" if absent else "")
