"""Show an evening on two pages: the audience's stage, and the operator's page with everything else.

Each page has its own kernel, and remembers nothing: a thread looks at the tables again and again, and shows
what they have. So a page can be loaded again, and its kernel can end. Callbacks of widgets only note a wish
for this thread.
"""

import base64
import json
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any, Final
from urllib.parse import parse_qs

import anywidget
import ipywidgets as widgets
import pandas as pd
import traitlets

from lottery_lib import employees
from lottery_lib.draws import Draws, as_csv, as_xlsx
from lottery_lib.errors import LotteryError
from lottery_lib.hardened import winners, without_receipt
from lottery_lib.history.state_runs import Reader
from lottery_lib.mails import inbox
from lottery_lib.resources.contents import load_employees
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.target import Target, connected_again
from lottery_lib.texts import escaped
from lottery_lib.translation import _
from lottery_lib.view.execution_view import ExecutionView
from lottery_party import evening_file, scenes
from lottery_party.announcement import page as announcement_page
from lottery_party.checker import check_page
from lottery_party.evening import Evening, EveningState, PrizeState
from lottery_party.prizes import read_prizes
from lottery_party.records import proof, receipts
from lottery_party.scenes import Action, Moment
from lottery_party.stage import Stage

_HERE: Final = Path(__file__).parent
_PAUSE: Final = 0.4  # seconds between two looks
_LARGEST: Final = 100_000  # bytes of a logo: each page reads it at each look
_RULES: Final = [
    (_("They are out for this evening"), "out"),
    (_("They may win a later prize"), "may win later"),
]
_HIDDEN: Final = {"display": "none"}
_FEW: Final = 12  # names that a prize shows without being asked
_LINK: Final = re.compile(r"https?://[^\s<;]+")
_inbox = lru_cache(maxsize=1)(inbox)  # each has one link to the mailbox
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
        self.evening, self.stage = evening, Stage(title=evening.name)
        self.state: EveningState | None = None
        self._notes: dict[str, Any] = {}  # what all pages shall show, and the tables do not have yet
        self._lock = threading.Lock()  # of both
        self.refused = ""
        self.stage.on_press(self.press, lambda first: self.note(first=first))
        # A browser that is still loading the page can miss a change: nothing is changed before it is there.
        self._there = threading.Event()
        self.stage.on_msg(lambda *_: self._there.set())
        self._wishes: Queue[Callable[[], object]] = Queue(maxsize=1)
        self._busy = False
        threading.Thread(target=self._work, daemon=True).start()

    def press(self, way: str) -> None:
        """Take a press of a key. It counts only if the tables still have what this page shows."""
        if self.state:
            self.wish(partial(self._press, way, scenes.moment(self.state)))

    def wish(self, wish: Callable[[], object]) -> None:
        """Let the page's thread do something. If it is busy with another wish, this one is not meant."""
        if not self._busy:
            with suppress(Full):
                self._wishes.put_nowait(wish)

    def note(self, **changes: Any) -> None:
        """Let all pages show something, such as a title; see `Evening.show`. None of it is lost."""
        with self._lock:
            self._notes |= changes
            if self.state:
                self.state = replace(self.state, stage={**self.state.stage, **changes})

    def show(self, state: EveningState) -> None:
        """Show a state."""
        self.stage.title = str(state.stage.get("title") or self.evening.name)
        self.stage.logo = str(state.stage.get("logo", ""))
        self.stage.first = int(state.stage.get("first", 0))
        self.stage.scene = scenes.scene(state)
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
        self._agree()
        state = self.evening.refresh()
        action = scenes.press(state, way) if scenes.moment(state) == seen else None
        if action:
            self._act(action, state)

    def _act(self, action: Action, state: EveningState) -> None:
        scene, number = action.moment.scene, action.moment.number
        self.evening.show(scene, number, first=0)
        if action.do == "draw":
            self.evening.draw(number)
        elif action.do == "add":
            self.evening.draw_one_more(scenes.surprise(state))


class RollCall(anywidget.AnyWidget):
    """The winners of a prize, with a box to mark each one who is absent.

    The browser sends a message for each mark: the winner's `id`, and whether they are `absent`.

    Attributes:
        people: Each winner's id, name and department.
        absent: The ids that are marked.
        search: What the field is for that searches a name.
    """

    _esm = _HERE / "roll_call.js"
    people = traitlets.List().tag(sync=True)
    absent = traitlets.List(traitlets.Unicode()).tag(sync=True)
    search = traitlets.Unicode(_("Search a name")).tag(sync=True)


class Night(widgets.Box):  # type: ignore[misc]
    """The box of the operator's page."""

    def __init__(self, parts: Sequence[widgets.Widget]) -> None:
        super().__init__(parts)
        self.add_class("lottery-night")

    def __repr__(self) -> str:
        return _("The operator's page")


class Preparation:
    """The form of the announcement: the prizes, the title and the logo, the guests, and the rule.

    Args:
        page: The page that it is on.

    Attributes:
        box: The form (a widget).
        title: The field of the title.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._prizes = widgets.Textarea(placeholder=_("10 Voucher\n3 Bicycle\n1 Car"), rows=6)
        self._preview, self._roster = widgets.HTML(), widgets.HTML()
        self._rule = widgets.RadioButtons(options=_RULES)
        self._question = widgets.Text(_("Call five numbers"))
        self.title = widgets.Text(
            page.evening.name, continuous_update=False, placeholder=_("Title of the evening")
        )
        # ipywidgets would write the number of files behind a description
        upload = partial(widgets.FileUpload, description="")
        self._logo = upload(accept=".png,.jpg,.jpeg,.svg,.webp", tooltip=_("Logo picture"))
        self._upload = upload(accept=".csv,.json,.xlsx", tooltip=_("List of guests"))
        self._load = widgets.Button(description=_("Load this list"), layout=_HIDDEN)
        self._read = employees.Roster()
        self._prizes.observe(lambda _: self._show_prizes(), "value")
        self.title.observe(lambda _: page.note(title=self.title.value), "value")
        self._logo.observe(lambda _: self._take_logo(), "value")
        self._upload.observe(lambda _: self._show_roster(), "value")
        self._load.on_click(lambda _: page.wish(self._load_roster))
        label = partial(_marked, "label")
        self.box = _box(
            "columns",
            _box(
                "",
                *(
                    label(_("Prizes, one on each line, in the order of the draw")),
                    self._prizes,
                    self._preview,
                ),
                *(label(_("Title and logo on the stage")), _box("row", self.title, self._logo)),
            ),
            _box(
                "",
                *(label(_("Who can win")), _box("row", self._upload, self._load), self._roster),
                *(label(_("If winners are absent")), self._rule),
                *(label(_("What the room is asked for, so that nobody knows the winners")), self._question),
            ),
        )

    def announce(self) -> None:
        """Announce the evening as it stands in the fields."""
        prizes = read_prizes(self._prizes.value)
        if self._read.employees:
            next_step = _("Press *Load this list*, or load the page again to go on without it")
            raise LotteryError(_("list of guests"), _("was chosen, but is not loaded yet"), next_step)
        question = self._question.value.strip()
        self._page.evening.announce(prizes, absent=self._rule.value, question=question)

    def _show_prizes(self) -> None:
        try:
            rows = [(str(e["count"]), escaped(e["name"])) for e in read_prizes(self._prizes.value)]
            self._preview.value = _table((_("Winners"), _("Prize")), rows)
        except LotteryError as error:
            self._preview.value = _alert(str(error))

    def _take_logo(self) -> None:
        for name, kind, data in _uploaded(self._logo):
            self._page.refused = ""
            if len(data) > _LARGEST:
                self._page.refused = _(
                    "{file} is too large. Take a picture of at most {limit} kB.",
                    file=name,
                    limit=_LARGEST // 1000,
                )
            else:
                self._page.note(logo=_data(kind, data))

    def _show_roster(self) -> None:
        for name, _kind, data in _uploaded(self._upload):
            self._read = employees.Roster()
            try:
                self._read = employees.parse(name, data)
            except LotteryError as error:
                self._roster.value = _alert(str(error))
            else:
                self._roster.value = _roster_preview(name, self._read)
            _show_only(self._load, self._read.employees)

    def _load_roster(self) -> None:
        evening = self._page.evening
        if evening.refresh().step != "new":
            what, next_step = _("the evening is announced already"), _("Nobody can change it now")
            raise LotteryError(_("list of guests"), what, next_step)
        count = load_employees(evening.target, self._read, skip_bad_rows=True)
        told = _("{count} people can win.", count=count)
        self._roster.value, self._read = f"<p>{told}</p>", employees.Roster()
        _show_only(self._load, False)


class Withdrawal:
    """The field for the id of somebody who does not take part, and the button that asks before it is done.

    Args:
        page: The page that it is on.

    Attributes:
        box: Both (a widget).
        field: The field.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self.field = widgets.Text(placeholder=_("Id of somebody who does not take part"))
        self._sure = widgets.Button(button_style="danger", layout=_HIDDEN)
        ask = widgets.Button(description=_("Withdraw"))
        ask.on_click(lambda _: page.wish(self._ask))
        _on_enter(self.field, ask.click)
        self.field.observe(lambda _: _show_only(self._sure, False), "value")
        self._sure.on_click(lambda _: page.wish(self.withdraw))
        self.box = _box("row", self.field, ask, self._sure)

    def withdraw(self) -> None:
        """Withdraw the person whose id is in the field."""
        self._page.evening.withdraw(self.field.value.strip())
        self.field.value = ""

    def _ask(self) -> None:
        """Show the name that belongs to the id, because nobody can take a withdrawal back."""
        one, evening = self.field.value.strip(), self._page.evening
        proof(evening.target, evening.name, one)  # raises if nobody of this id can win
        row = Table(evening.target, evening.target.names.employee_table).item(one) or {}
        name = row.get("employee_name", one)
        self._sure.description = _("Yes, withdraw {name} ({id})", name=name, id=one)
        _show_only(self._sure, True)


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
        self._view, self._heading = ExecutionView(), _marked("h2", _("State machine"))
        self._folded = _box("machine", self._view)
        self._fold = widgets.Button(tooltip=_("Show or hide the state machine"))
        self._fold.on_click(lambda _: self._unfold(self._folded.layout.display == "none"))
        self.box = _box("folded", _box("head", self._heading, self._fold), self._folded)
        self._unfold(False)

    def show(self, target: Target, state: EveningState) -> None:
        """Colour it. The history is read only while an execution goes on."""
        draws = Draws(target)
        if not self._definition:
            self._definition = draws.definition
            self._view.show(Reader(definition=self._definition))
        now = (state.execution.get("executionArn"), state.ended, state.waiting.get("token"))
        if not state.execution or now == self._seen:
            return
        progress = draws.progress(state.execution["executionArn"], state.execution)
        self._seen = now if state.ended or state.waiting else None
        self._view.execution = dict(state.execution)
        self._view.show(Reader(progress.events, self._definition))
        entered = [
            each["stateEnteredEventDetails"]["name"]
            for each in progress.events
            if "stateEnteredEventDetails" in each
        ]
        self._view.chosen = entered[-1] if entered else ""  # it moves into the middle
        told = progress.result
        step = told["status"] if told else self._view.chosen
        self._heading.value = f"<h2>{escaped(_('State machine: {state}', state=step))}</h2>"
        if told:
            late = told["error"] if told["status"] == "SUCCEEDED" else ""
            self.not_mailed = str(told["cause"]).partition("\n")[0] if late else ""

    def _unfold(self, shown: bool) -> None:
        """Show the state machine over the page, or only the state that it is in."""
        _show_only(self._folded, shown)
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
        self._main, self._answer = (button(button_style="primary", layout=_HIDDEN) for _ in range(2))
        self._preparation, self._machine, self._withdrawal = Preparation(self), Machine(), Withdrawal(self)
        self._value = widgets.Text(placeholder=_("As the room has said it, such as 3 14 15 92 65"))
        self._roll = RollCall()
        self._called: scenes.Roll | None = None  # the roll call as this page shows it
        self._surprise = widgets.Text(placeholder=_("1 Weekend in Paris"))
        self._sure = button(description=_("Yes, end it"), button_style="danger", layout=_HIDDEN)
        self._restore = button(
            description=_("Restore the evening from its file"), button_style="primary", layout=_HIDDEN
        )
        self._said, self._lost = ("", False), False
        self._linked: bool | None = None  # whether there are links to the files of a closed evening
        self._shown: object = None  # what the page shows
        self._finished: EveningState | None = None  # what the rest of the page shows
        self._forms: dict[str, widgets.Widget] = {
            "announce": self._preparation.box,
            "public value": self._value,
            "roll call": self._roll,
            "between": self._between(),
            "files": self._files,
        }
        for form in self._forms.values():
            _show_only(form, False)
        self._main.on_click(lambda _: self.press("advance"))
        self._answer.on_click(lambda _: self._give_answer())
        _on_enter(self._value, self._give_answer)
        for field in (self._value, self._surprise, self._withdrawal.field):
            field.observe(lambda _: setattr(self, "refused", ""), "value")  # it is corrected now
        self._roll.on_msg(self._mark)
        self._restore.on_click(lambda _: self.wish(self._put_back))
        self.box = self._page()

    def _between(self) -> widgets.Box:
        """What is possible between two prizes: one more prize, or the end."""
        add = widgets.Button(description=_("Show the surprise prize"))
        end = widgets.Button(description=_("End the evening"))
        add.on_click(lambda _: self.wish(self._show_surprise))
        _on_enter(self._surprise, add.click)
        end.on_click(lambda _: self._ask_end())
        self._sure.on_click(lambda _: self.wish(self.evening.close))
        row = _box("row", self._surprise, add, end, self._sure)
        return _box("between", _marked("label", _("Between the prizes")), row)

    def _page(self) -> widgets.Widget:
        forms = self._forms
        above = (forms["announce"], forms["public value"], forms["roll call"])
        below = (self._problem, self._restore, forms["between"], forms["files"])
        step = _box("step", self._now, *above, self._main, self._answer, *below)
        ask_who = widgets.Button(description=_("Who can still win?"))
        ask_who.on_click(lambda _: self.wish(self._show_who))
        prizes = _box(
            "prizes",
            _box("head", _marked("h2", _("Prizes")), ask_who),
            *(self._who, self._list, self._strange, self._withdrawal.box),
        )
        stage = _box("preview", self.stage)
        style = widgets.HTML(f"<style>{(_HERE / 'draw_night.css').read_text(encoding='utf-8')}</style>")
        body = _box("body", _box("left", step, self._machine.box), _box("right", stage, prizes))
        return Night((style, self._head, body, self._foot))

    # What the page shows

    def show(self, state: EveningState) -> None:
        """Show a state on the whole page."""
        super().show(state)
        self._machine.show(self.evening.target, state)
        self._show_step(state)
        now = (state, self._machine.not_mailed)
        if now == self._shown:
            return
        self._list.value = _prize_table(state, self._machine.not_mailed)
        self._head.value = _heading(self.stage.title, self.evening.name, state)
        self._who.value = ""
        offer = scenes.offer(state)
        if (offer.files or offer.between) and (state.step == "closed") != self._linked:
            self._files.value, self._linked = self._links(state), state.step == "closed"
        if self._shown is None and state.step == "new":
            self._preparation.title.value = self.stage.title
        self._shown = now

    def show_rest(self) -> None:
        """Show what takes longer, after each step: a draw changes winners and receipts between two reads."""
        state = self.state
        if state and state.step != "drawing" and state != self._finished:
            if problem := _problem(partial(self._show_foot, state)):
                self._foot.value = escaped(problem)
            else:
                self._finished = state

    def _show_foot(self, state: EveningState) -> None:
        """Say who can still win, where the evening is saved, who gets mail, and who has no receipt."""
        target, path = self.evening.target, self.evening.file
        rows = Table(target, target.names.winners_table).items()
        for prize in state.prizes:
            about = {"draw_id": self.evening.name, "prize": prize.name}
            rows += [{"employee_id": one.id, **about} for one in prize.winners]  # as this page has them
        ids = ", ".join(sorted(without_receipt(target, rows)))
        self._strange.value = _alert(_("Winners without a receipt: {ids}", ids=ids)) if ids else ""
        who = _("{count} can still win", count=len(scenes.remaining(state, self.evening.guests())))
        file = _("Saved in {file}", file=path) if path else _("Not saved in a file")
        told = (who, state.not_saved or file, _inbox(target).where)
        self._foot.value = _LINK.sub(_ANCHOR, escaped(" · ".join(told)))

    def say(self, problem: str) -> None:
        """Show a problem in a sentence; an empty one takes it away."""
        fresh = self.state is None or self.state.step == "new"
        if (problem, fresh) != self._said:  # not at each look: it reads the whole file
            self._said, self._lost = (problem, fresh), bool((problem or fresh) and self._is_lost())
            _show_only(self._restore, self._lost)
            self._show_button()
        if self._lost and problem:
            problem = _(
                "The emulator has ended. A new one runs, but the evening is only in its file: restore it."
            )
        self._problem.value = f'<div role="alert">{_alert(problem)}</div>' if problem else ""

    def _is_lost(self) -> bool:
        """Whether only the file has the evening. An error here must not end the thread."""
        try:
            return bool(self.evening.file and evening_file.lacking(self.evening.target, self.evening.file))
        except LotteryError:  # the emulator has ended just now, or the file is damaged
            return False

    def _show_step(self, state: EveningState) -> None:
        offer = scenes.offer(state)
        problems = [_alert(each) for each in (state.problem, self._machine.not_mailed) if each]
        heading = f'<h1 aria-live="polite">{escaped(offer.heading)}</h1><p>{escaped(offer.text)}</p>'
        self._now.value = heading + "".join(problems)
        self._show_roll()
        self._show_button()
        _show_only(self._withdrawal.box, state.step not in ("new", "closed"))
        for form, widget in self._forms.items():
            more = offer.between if form == "between" else form == "files" and (offer.files or offer.between)
            _show_only(widget, form == offer.form or more)
        if not offer.between:
            _show_only(self._sure, False)

    def _show_roll(self) -> None:
        """Show who is marked as absent, on this page or on another one."""
        with self._lock:
            self._called = roll = scenes.roll(self.state) if self.state else None
            if roll:
                with self._roll.hold_sync():
                    self._roll.people = [[e.id, e.name, e.department] for e in roll.people]
                    self._roll.absent = roll.absent

    def _show_button(self) -> None:
        if not self.state:
            return
        offer, absent = scenes.offer(self.state), len(self._roll.absent)
        again = (
            _("1 absent: draw this place again")
            if absent == 1
            else _("{count} absent: draw these places again", count=absent)
        )
        words = again if offer.form == "roll call" and absent else offer.button
        both = [(self._main, not offer.form), (self._answer, bool(offer.form))]
        for each, shown in both if offer.form else reversed(both):  # never both at once
            each.description, each.disabled, each.icon = words, offer.waits, "spinner" if offer.waits else ""
            _show_only(each, shown and words and not self._lost)

    def _show_who(self) -> None:
        if self._who.value:
            self._who.value = ""
        elif self.state:
            left = scenes.remaining(self.state, self.evening.guests())
            names = _(", ").join(sorted(each.name for each in left))
            self._who.value = f'<div class="night-people">{escaped(names)}</div>'

    # What the operator does

    def _give_answer(self) -> None:
        """What a press of a key cannot do: announce, give the public value, call the roll."""
        if not self.state:
            return
        answers: dict[str, Callable[[], object]] = {
            "announce": self._preparation.announce,
            "public value": self._give_public_value,
            "roll call": partial(self._call_roll, self._called),
        }
        self.wish(answers[scenes.offer(self.state).form])

    def _give_public_value(self) -> None:
        if not self._value.value.strip():
            raise LotteryError(_("public value"), _("it is empty"), _("Type what the room has said"))
        self.evening.give(self._value.value.strip())

    def _mark(self, _roll: RollCall, message: dict[str, Any], _buffers: list[bytes]) -> None:
        if self._called:
            self.note(**self._called.noted({message["id"]: message["absent"]}))
            self._show_roll()
            self._show_button()

    def _call_roll(self, seen: scenes.Roll | None) -> None:
        self._agree()
        if seen:
            scenes.check_roll(seen, self.evening.refresh())
            scene, kept = "called" if seen.absent else "winners", len(seen.people) - len(seen.absent)
            self.evening.show(scene, seen.number, kept=kept)
            self.evening.call_roll(seen.number, seen.absent)

    def _show_surprise(self) -> None:
        prize = read_prizes(self._surprise.value)[0]
        self.evening.show("surprise", surprise=json.dumps(prize))
        self._surprise.value = ""

    def _ask_end(self) -> None:
        missed = [each.name for each in self.state.prizes if not scenes.drawn(each)] if self.state else []
        without = _("End it without {prizes}", prizes=_(", ").join(missed))
        self._sure.description = without if missed else _("Yes, end it")
        _show_only(self._sure, True)

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
            f'<a download="{file}" href="{_data("application/octet-stream", data)}">{text}</a>'
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


def _in_order(table: pd.DataFrame, state: EveningState) -> pd.DataFrame:
    """The winners by prize and place, each prize's absent last. Empty columns are left out."""
    places = [each for prize in state.prizes for each in (*prize.winners, *prize.absent)]
    at = {one.id: place for place, one in enumerate(places)}  # who was absent may have won later
    by_place = table.sort_values("employee_id", key=lambda ids: ids.map(at), kind="stable")
    return by_place.loc[:, table.mask(table == "").notna().any() | table.empty]


def _box(name: str, *children: widgets.Widget) -> widgets.Box:
    box = widgets.Box(children)
    box.add_class(f"night-{name}")
    return box


def _marked(tag: str, text: str) -> widgets.HTML:
    return widgets.HTML(f"<{tag}>{escaped(text)}</{tag}>")


def _alert(text: str) -> str:
    """A problem, as HTML."""
    return f'<p class="night-problem">{escaped(text)}</p>'


def _on_enter(field: widgets.Text, act: Callable[[], object]) -> None:
    """Do something if somebody presses Enter in a field."""
    field.on_msg(lambda _, told, __: act() if told.get("event") == "submit" else None)


def _show_only(widget: widgets.Widget, shown: object) -> None:
    """Show a widget, or take it away. Its value stays."""
    widget.layout.display = "" if shown else "none"


def _uploaded(upload: widgets.FileUpload) -> list[tuple[str, str, bytes]]:
    """The name, the kind and the content of an uploaded file."""
    return [(each["name"], each["type"], bytes(each["content"])) for each in upload.value[:1]]


def _data(kind: str, content: bytes) -> str:
    """A URL that has its content in it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table, as HTML. Its cells are HTML, too."""
    head = "".join(f"<th>{each}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _heading(title: str, name: str, state: EveningState) -> str:
    name = "" if name == title else name
    link = f'<a class="night-open" href="?page=stage" target="_blank">{_("Open the stage ↗")}</a>'
    told = _("Public value: {value}", value=state.public) if state.public else ""
    return f"<b>{escaped(title)}</b><span>{escaped(name)}</span><span>{escaped(told)}</span>{link}"


def _prize_table(state: EveningState, not_mailed: str) -> str:
    """Each prize, and what has become of it."""
    heads = ("", _("Prize"), _("Status"), _("Winners"))
    rows = [
        (
            str(each.number),
            escaped(f"{each.count} × {each.name}"),
            _status(each, state, not_mailed),
            _people(each),
        )
        for each in state.prizes
    ]
    gone = _(", ").join(f"{each.name} ({each.id})" for each in state.withdrawn)
    table = _table(heads, rows) if rows else f"<p>{_('They appear here when they are announced.')}</p>"
    return table + (f"<p>{escaped(_('Withdrawn: {people}', people=gone))}</p>" if gone else "")


def _status(prize: PrizeState, state: EveningState, not_mailed: str) -> str:
    if prize.done:
        latest = prize.number == state.number
        return _("complete, not mailed") if latest and not_mailed else _("complete")
    if state.step in ("drawing", "roll call") and prize.number == state.number:
        return _("drawing") if state.step == "drawing" else _("roll call")
    return _("drawn, not complete") if scenes.drawn(prize) else _("not drawn yet")


def _people(prize: PrizeState) -> str:
    """The winners of a prize, as HTML; many of them only on demand."""
    names = escaped(_(", ").join(each.name for each in prize.winners))
    if len(prize.winners) > _FEW:
        count = _("{count} people", count=len(prize.winners))
        names = f"<details><summary>{count}</summary>{names}</details>"
    absent = escaped(_(", ").join(each.name for each in prize.absent))
    return names + (f" <s>{absent}</s>" if absent else "")


def _roster_preview(name: str, roster: employees.Roster) -> str:
    """What is in a list of guests: the first people, and the rows that cannot be read."""
    columns = {_("Id"): "employee_id", _("Name"): "employee_name", _("Department"): "department"}
    heads = [head for head, key in columns.items() if any(each.get(key) for each in roster.employees)]
    people = [[escaped(str(e.get(columns[head]) or "")) for head in heads] for e in roster.employees[:3]]
    rows = [_("Row {row}: {reason}", row=each["row"], reason=each["reason"]) for each in roster.rejected]
    bad = "".join(f"<li>{escaped(each)}</li>" for each in rows)
    out = _("Rows that are left out: {count}", count=len(rows))
    rejected = f'<p class="night-problem">{out}</p><ul>{bad}</ul>' if bad else ""
    told = _("{file}: {count} people", file=name, count=len(roster.employees))
    return f"<p>{escaped(told)}</p>{_table(heads, people)}{rejected}"
