"""Run one evening for all its pages: look at the tables, take what somebody presses, and say what to show.

A thread looks again and again, and remembers nothing that counts: what is true stands in the tables and in
the evening's file. `server` sends `Night.shown` to the pages, and brings what they ask for.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from queue import Empty, Full, Queue
from typing import Any, Final

from lottery_lib import employees
from lottery_lib.draws import Draws, as_csv, as_xlsx
from lottery_lib.errors import LotteryError
from lottery_lib.hardened import winners, without_receipt
from lottery_lib.harmless import skeleton
from lottery_lib.history import Reader
from lottery_lib.mails import inbox
from lottery_lib.resources.contents import load_employees
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.target import Target, connected_again
from lottery_lib.translation import _, language, languages, listed, ngettext
from lottery_lib.view.graph import GraphView, view_of
from lottery_lib.view.painting import facts_of
from lottery_lib.view.theme import word_of
from lottery_party import evening_file, scenes
from lottery_party.checker import check_page
from lottery_party.codes import grouped
from lottery_party.evening import Evening, EveningState
from lottery_party.page import (
    LANGUAGES,
    OPERATOR,
    RULES,
    THEMES,
    TITLE,
    links,
    preparation,
    prize_rows,
    question,
    spoken,
    twice,
)
from lottery_party.pictures import BACKGROUND, LOGO, MOST_BYTES, Pictures
from lottery_party.prizes import read_prizes
from lottery_party.public_value import canonical, parts_of, why_amber
from lottery_party.records import REHEARSAL, announcement, proofs, receipts
from lottery_party.scenes import Action, Moment

_PAUSE: Final = 0.4  # seconds between two looks
_LONGEST: Final = 12.0  # seconds in which winners come to rest, also if no browser says so
_LONGEST_TITLE: Final = 100  # letters
_LONGEST_DRAFT: Final = 100_000  # letters of the form
_MATCHES: Final = 6  # people whom a search shows
_SHOWN_WRONG: Final = 50  # rows of a list of guests that cannot be read
_inbox = lru_cache(maxsize=1)(inbox)  # each has one link to the mailbox
#: What a page has chosen in a file dialog: its name, its size, and no content if it is too large.
File = tuple[str, int, bytes]


class Question:
    """A question over the operator's page, with Yes and No.

    It belongs to the evening as it was then. Any change takes it away, so that no late press counts.
    """

    def __init__(
        self, number: int, asked: EveningState, act: Callable[[Evening], object], **shown: Any
    ) -> None:
        self.asked, self.act = asked, act
        self.shown = {"number": number, **shown}


class Night:
    """What all pages of an evening show and do.

    Args:
        evening: The evening.
        tell: Is called in any thread with what has changed in `shown`.
        clock: Seconds, from any start.
        check_page: The address of an independent check page, and the SHA-256 of its file; or nothing.

    Attributes:
        evening: The evening.
        state: The evening at the latest look; None before that.
        shown: What the pages show, by names that they know (page.py). It is never changed, only replaced.
        refused: Why the latest wish was not carried out; empty if it was.
    """

    def __init__(
        self,
        evening: Evening,
        tell: Callable[[Mapping[str, Any]], object],
        clock: Callable[[], float] = time.monotonic,
        check_page: Sequence[str] = (),
    ) -> None:
        self.evening, self._tell, self._clock, self._check_page = evening, tell, clock, check_page
        self._name = evening.name  # it has another one after its announcement was taken back
        self.state: EveningState | None = None
        self.refused = ""
        rehearses = evening.target.names.attendee.endswith(REHEARSAL)
        self._mark = {"mark": _("Rehearsal")} if rehearses else {}
        self.shown: Mapping[str, Any] = {
            **{"words": OPERATOR, "languages": spoken(), "language": language(), "rules": RULES},
            **{"title": TITLE, "theme": "", "first": 0, "names": [], "moment": ["", 0], "scene": {}},
            **{"head": {}, "step": {}, "problem": "", "lost": False, "prizes": {}, "roll": None},
            **{"question": None, "foot": "", "strange": "", "files": [], "machine": {}, "wanted": ""},
            **{"most": {"guests": employees.MOST_BYTES, "picture": MOST_BYTES}, "themes": THEMES},
            **{"pictures": {}, "draft": "{}"},
        }
        self._lock = threading.RLock()  # of all that two threads write
        self._notes: dict[str, Any] = {}  # what all pages shall show, and the tables do not have yet
        self._wishes: Queue[Callable[[], object]] = Queue(maxsize=4)
        self._machine, self._pictures = Machine(), Pictures(evening.file)
        self._question: Question | None = None
        self._questions = 0
        self._guests, self._guests_name = employees.Roster(), ""  # a list that was chosen, and not loaded
        self._typed = ""  # the public value, before it is given
        self._confirmed = ("", "")  # what was typed at the first press, and its only form
        self._namesakes: tuple[object, frozenset[str]] = (None, frozenset())
        self._said, self._lost = ("", False), False
        self._rests = 0.0  # when the winners are at rest on the stage, at the latest
        self._before: EveningState | None = None  # the evening at the look before
        self._listed: object = None  # what the lists show
        self._finished: EveningState | None = None  # what the foot shows; None to show it again
        self._ends = False

    def begin(self) -> None:
        """Begin to look at the evening, in a thread that ends with the process."""
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """End the thread after what it does now."""
        self._ends = True
        self._thread.join()

    def show(self, **changes: Any) -> None:
        """Show something else on the pages. Only what changes is told."""
        with self._lock:
            news = {name: value for name, value in changes.items() if self.shown.get(name) != value}
            if news:
                self.shown = {**self.shown, **news}
                self._tell(news)

    # What a page asks for

    def heard(self, message: Mapping[str, Any], file: File | None = None) -> Any:
        """Take a message of a page; returns what to answer.

        Whatever changes the evening is noted for the thread, and answered with None.

        Args:
            message: Its key ``do`` is one of the names below; the other keys belong to it.
            file: What was chosen in the browser, for ``picture`` and ``guests``.
        """
        do = message.get("do")
        answers: dict[str, Callable[[], Any]] = {
            "prizes": lambda: preparation(str(message["text"])),
            "question": lambda: _asked(message)[1],
            "find": lambda: self._find(str(message["text"])),
            "who": self._who,
            "file": lambda: self._file(str(message["name"])),
        }
        if do in answers:
            return answers[do]()
        instantly: dict[str, Callable[[], object]] = {
            "turned": lambda: self.note(first=int(message["first"])),
            "seen": lambda: self._at_rest(Moment(*message["seen"])),
            "title": lambda: self.note(title=str(message["text"])[:_LONGEST_TITLE]),
            "theme": lambda: self.note(theme=str(message["name"])),
            "draft": lambda: self._keep_draft(str(message["text"])),
            "mark": lambda: self._take_mark(str(message["id"]), bool(message["absent"])),
            "type": lambda: self._type(str(message["text"])),
            "no": self._close_question,
            "corrected": lambda: setattr(self, "refused", ""),
        }
        wishes: dict[str, Callable[[], object]] = {
            "press": lambda: self._press(message["way"], Moment(*message["seen"])),
            "announce": lambda: self._ask_to_announce(message),
            "give": lambda: self._give(str(message["text"])),
            "correct": lambda: self._ask_correction(str(message["text"])),
            "roll": lambda: self._call_roll(int(message["number"]), message["people"], message["absent"]),
            "surprise": lambda: self._show_surprise(str(message["text"])),
            "end": self._ask_end,
            "take back": self._ask_back,
            "withdraw": lambda: self._ask_withdrawal(str(message["id"])),
            "yes": lambda: self._take_yes(int(message["number"])),
            "language": lambda: self.note(language=str(message["language"])),
            "restore": self._put_back,
            "picture": lambda: self._take_picture(str(message["name"]), bool(message["own"]), file),
            "guests": lambda: self._read_guests(file),
            "load": self._load_guests,
        }
        if do in instantly:
            instantly[do]()
        elif do in wishes:
            self.wish(wishes[do])
        return None

    def wish(self, wish: Callable[[], object]) -> None:
        """Let the thread do something. What no longer fits the evening when its turn comes does nothing."""
        with suppress(Full):  # somebody presses faster than the machine works
            self._wishes.put_nowait(wish)

    def note(self, **changes: Any) -> None:
        """Let all pages show something, such as a title; see `Evening.show`. None of it is lost."""
        with self._lock:
            self._notes |= changes
            if self.state:
                self.state = replace(self.state, stage={**self.state.stage, **changes})

    def now(self) -> EveningState:
        """The evening as the tables have it now, with all that was noted."""
        self._agree()
        return self.evening.refresh()

    # The thread

    def _work(self) -> None:
        while not self._ends:
            self.turn(_PAUSE)

    def turn(self, pause: float = 0.0) -> None:
        """Do what is wished, or wait for a wish for some seconds; then look, and show what there is."""
        with suppress(Empty):
            self.refused = _problem(self._wishes.get(timeout=pause) if pause else self._wishes.get_nowait())
        # What was refused stays on the page. What cannot be read is read again.
        self._say(_problem(self._look) or self.refused)
        self._show_rest()

    def _look(self) -> None:
        target = connected_again(self.evening.target)
        if target is not self.evening.target:  # a new emulator
            self.evening = Evening(target, self._name, file=self.evening.file)
        self._agree()
        state = self.evening.refresh()
        with self._lock:
            self.state = state = replace(state, stage={**state.stage, **self._notes})
        before = scenes.moment(self._before).scene if self._before else ""
        if before == "rolling" and scenes.moment(state).scene == "winners":
            self._rests = self._clock() + _LONGEST
        self._before = state
        if self._question and state != self._question.asked:
            self._close_question()
        if scenes.offer(state).form != "public value":  # its field is empty when it comes again
            self._typed, self._confirmed = "", ("", "")
        self._show_stage(state)
        self._show_page(self._as_seen(state))

    def _agree(self) -> None:
        """Write the notes into the tables."""
        notes = dict(self._notes)
        if notes:
            self.evening.show(**notes)
        with self._lock:  # a note may have been changed meanwhile
            self._notes = {key: note for key, note in self._notes.items() if notes.get(key) != note}

    def _as_seen(self, state: EveningState) -> EveningState:
        """The evening as the room sees it: while the names come to rest on the winners, they still roll."""
        return scenes.rolling_still(state) if self._clock() < self._rests else state

    def _at_rest(self, seen: Moment) -> None:
        """Winners are at rest on a page."""
        if self.state and scenes.moment(self.state) == seen:
            self._rests = 0.0

    # What the pages show

    def _show_stage(self, state: EveningState) -> None:
        wanted = str(state.stage.get("language", language()))
        wanted = wanted if wanted != language() and wanted in ("en", *languages()) else ""
        names = self.shown["names"]
        if state.step != "new":  # the winners of the prize that is being drawn roll, too
            out, guests = scenes.out(state), self.evening.guests()
            names = [one.name for key, one in guests.items() if key not in out]
            if guests is not self._namesakes[0]:
                self._namesakes = guests, scenes.namesakes(guests.values())
        scene, now = scenes.scene(state, self._namesakes[1]) | self._mark, scenes.moment(state)
        if scene["kind"] == "public" and not scene["value"] and self._typed:
            # Each number stands in a box of its own from the first digit on
            scene |= {"typed": " ".join(parts_of(self._typed)) if state.numbers else self._typed}
        if scene["kind"] in ("opening", "closed") and self._check_page:
            scene["words"].append(_independent(*self._check_page))
        if (found := self._pictures.look()) is not self.shown["pictures"]:  # not compared: they are large
            self.show(pictures=found)
        title, draft = str(state.stage.get("title") or TITLE), str(state.stage.get("draft", "{}"))
        self.show(
            **{"title": title, "first": int(state.stage.get("first", 0)), "names": names, "draft": draft},
            **{"scene": scene, "moment": [now.scene, now.number], "theme": str(state.stage.get("theme", ""))},
            wanted=wanted,
        )

    def _show_page(self, state: EveningState) -> None:
        painted = self._machine.look(self.evening.target, state)
        if (now := (state, self._machine.not_mailed)) != self._listed:
            value = _("Public value: {value}", value=state.public) if state.public else ""
            name = "" if self.evening.name == self.shown["title"] else self.evening.name
            rows = prize_rows(scenes.seen(state), self._machine.not_mailed, self._namesakes[1])
            offer, files = scenes.offer(state), self.shown["files"]
            if offer.files or offer.between:
                files = links(closed=state.step == "closed")
            head = {**self.shown["head"], "name": name, "value": value}
            self.show(head=head, prizes=rows, files=files)
            self._listed = now
        self.show(machine=painted, roll=self._roll())
        self.show(step=self._step(state))  # the button comes last: it counts the marks

    def _roll(self) -> dict[str, Any] | None:
        """Who is called, first those who are new, and who is marked as absent; None for nobody."""
        roll = scenes.roll(self._as_seen(self.state)) if self.state else None
        if not roll:
            return None
        people = [[one.id, one.name, one.department, one.id in roll.new] for one in roll.people]
        people.sort(key=lambda one: not one[-1])
        return {"number": roll.number, "people": people, "absent": list(roll.absent)}

    def _step(self, state: EveningState) -> dict[str, Any]:
        """The step of the evening with its button."""
        offer, absent = scenes.offer(state), len((self.shown["roll"] or {}).get("absent", ()))
        words, text = offer.button, offer.text
        if offer.form == "roll call" and absent:
            words = ngettext(
                "1 absent: draw this place again",
                "{count} absent: draw these places again",
                absent,
                count=absent,
            )
        if offer.form == "public value":
            text = _asked_ago(state)
            if self._confirmed[1]:
                words = _("Yes, the room has said {value}", value=self._confirmed[1])
        guests = _guests_preview(self._guests_name, self._guests) if self._guests_name else None
        return {
            "form": offer.form,
            "heading": offer.heading,
            "text": text,
            "button": "" if self._lost else words,
            "waits": offer.waits or scenes.moment(state) != Moment(*self.shown["moment"]),
            "between": offer.between,
            "files": offer.files or offer.between,
            "take_back": state.step == "public value",
            "correct": state.step == "ready" and not any(map(scenes.drawn, state.prizes)),
            "withdraw": state.step not in ("new", "closed"),
            "problems": [each for each in (state.problem, self._machine.not_mailed) if each],
            "guests": guests,
        }

    def _show_rest(self) -> None:
        """Show what takes longer, after each step: a draw changes winners and receipts between two reads."""
        state = self._as_seen(self.state) if self.state else None
        if state and state.step != "drawing" and state != self._finished:
            if problem := _problem(partial(self._show_foot, state)):
                self.show(foot=problem)
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
        strange = _("Winners without a receipt: {ids}", ids=ids) if ids else ""
        left = len(scenes.remaining(scenes.seen(state), self.evening.guests()))
        can_win = _can_win(left) if state.step != "closed" else ""
        file = _("Saved in {file}", file=path) if path else _("Not saved in a file")
        told = [state.not_saved or file, _inbox(target).where]
        self.show(strange=strange, foot=" · ".join(told), head={**self.shown["head"], "left": can_win})

    def _say(self, problem: str) -> None:
        """Show a problem in a sentence; an empty one takes it away."""
        fresh = self.state is None or self.state.step == "new"
        if (problem, fresh) != self._said:  # not at each look: it reads the whole file
            self._said, self._lost = (problem, fresh), bool((problem or fresh) and self._is_lost())
        if self._lost and problem:
            problem = _(
                "The emulator has ended. A new one runs, but the evening is only in its file: restore it."
            )
        step = self.shown["step"]
        if self._lost and step:
            step = {**step, "button": ""}
        self.show(problem=problem, lost=self._lost, step=step)

    def _is_lost(self) -> bool:
        """Whether only the file has the evening. An error here must not end the thread."""
        try:
            return bool(self.evening.file and evening_file.lacking(self.evening.target, self.evening.file))
        except LotteryError:  # the emulator has ended just now, or the file is damaged
            return False

    # Answers at once

    def _find(self, wanted: str) -> dict[str, Any]:
        """People of the pool whose name, id or department has this text."""
        state = self.state
        people = self.evening.guests().values() if state and wanted.strip() else ()
        gone = {one.id for one in state.withdrawn} if state else set()
        found = [one for one in scenes.matching(people, wanted) if one.id not in gone]
        told = _("Nobody who can win is called so.") if wanted.strip() and not found else ""
        if (more := len(found) - _MATCHES) > 0:
            told = _("And {count} more: write more of the name, or the id.", count=more)
        buttons = [
            [one.id, _("Withdraw {person} ...", person=scenes.called(one))] for one in found[:_MATCHES]
        ]
        return {"found": buttons, "told": told}

    def _who(self) -> str:
        """The names of those who can still win."""
        if not self.state:
            return ""
        left = scenes.remaining(scenes.seen(self._as_seen(self.state)), self.evening.guests())
        return listed(sorted(scenes.named(one, self._namesakes[1]) for one in left))

    def _file(self, name: str) -> bytes:
        """A file to save, such as ``winners.xlsx``."""
        state, title = self.evening.refresh(), " · ".join([*self._mark.values(), self.shown["title"]])
        pages = {"announcement.html": announcement, "proofs.html": proofs, "check.html": receipts}
        if name in pages:
            return check_page(pages[name](self.evening.target, self.evening.name), title).encode()
        if name == "winners.txt":
            return scenes.winners_text(title, state, self._namesakes[1]).encode()
        if name.startswith("winners"):
            places = [one for prize in state.prizes for one in (*prize.winners, *prize.absent)]
            at = {one.id: place for place, one in enumerate(places)}  # who was absent may have won later
            table = winners(self.evening.target)
            table = table.sort_values("employee_id", key=lambda ids: ids.map(at), kind="stable")
            table = table.loc[:, table.mask(table == "").notna().any() | table.empty]
            return as_xlsx(table) if name.endswith("xlsx") else as_csv(table)
        return json.dumps(receipts(self.evening.target, self.evening.name), default=str).encode()

    def _take_mark(self, one: str, absent: bool) -> None:
        if self.state and (roll := scenes.roll(self._as_seen(self.state))):
            self.note(**roll.noted({one: absent}))
            self.show(roll=self._roll())
            self.show(step=self._step(self.state))

    def _type(self, text: str) -> None:
        """Show what is typed on the stage. It must be confirmed again if it changes."""
        self._typed, self.refused = text.strip(), ""
        if text != self._confirmed[0]:
            self._confirmed = ("", "")
        if self.state:
            self._show_stage(self.state)
            self.show(step=self._step(self.state))

    # What the operator does

    def _press(self, way: str, seen: Moment) -> None:
        """Take a press of a key. It counts only if the tables still have what the page shows."""
        state = self.now()
        if self._question or scenes.moment(state) != seen:
            return
        if action := scenes.press(state, way):
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

    def _ask(self, title: str, yes: str, act: Callable[[Evening], object], **shown: Any) -> None:
        """Ask a question over the page.

        Args:
            title: The question.
            yes: What is written on the button that does it.
            act: What to do with the evening then.
            shown: What belongs to the question: `rows`, `problems` and a `text`.
        """
        self._questions += 1
        self._question = Question(self._questions, self.now(), act, title=title, yes=yes, **shown)
        self.show(question=self._question.shown)

    def _close_question(self) -> None:
        self._question = None
        self.show(question=None)

    def _take_yes(self, number: int) -> None:
        if number != self._questions:  # the second click of two is not meant
            return
        question = self._question
        self._close_question()
        self._questions += 1
        if question is None or self.now() != question.asked:
            what, next_step = _("the evening went on meanwhile, so nothing was done"), _("Look at it again")
            raise LotteryError(_("question"), what, next_step)
        question.act(self.evening)

    def _ask_to_announce(self, written: Mapping[str, Any]) -> None:
        """Show what will be announced, as it stands in the fields, and ask whether it is right."""
        prizes = read_prizes(str(written["prizes"]))
        if self._guests.employees:
            self._forget_guests()
            next_step = _("Choose it again and load it, or press *Announce* again to go on without it")
            raise LotteryError(_("list of guests"), _("was chosen, but is not loaded yet"), next_step)
        numbers, asked = _asked(written)
        told = asked["question"] or str(written["question"]).strip()
        self.evening.check(prizes, told)
        rule, rules = str(written["rule"]), {value: words for words, value in RULES}
        people = scenes.remaining(self.now(), self.evening.guests())
        ordered = [scenes.called(one) for one in sorted(people, key=lambda one: one.id)]
        known = self._pictures.look()
        pictured = [each["name"] for each in prizes if Pictures.of(each["name"]) in known]
        own = {BACKGROUND: _("Background picture"), LOGO: _("Logo picture")}
        pictured += [words for name, words in own.items() if name in known]
        total = _("Winners in all: {count}", count=sum(each["count"] for each in prizes))
        some = ordered if len(ordered) < 7 else [*ordered[:3], "...", *ordered[-3:]]
        rows = [
            [_("Who can win"), [_count(len(people)), listed(some)]],
            [_("Prizes"), [*(f"{each['count']} × {each['name']}" for each in prizes), total]],
            [_("If winners are absent"), [rules[rule]]],
            [_("The room is asked"), [told]],
            [_("Title of the evening"), [self.shown["title"]]],
            *([[_("Pictures"), pictured]] if pictured else []),
            [_("Language of the stage"), [LANGUAGES.get(language(), language())]],
        ]
        until = _(
            "Until the public value is given, you can take the announcement back. Then the check is amber."
        )
        problems = [each for each in (twice(prizes), why_amber(numbers)) if each]
        announce = partial(Evening.announce, prizes=prizes, absent=rule, question=told, numbers=numbers)
        self._ask(
            _("Announce this?"), _("Yes, announce it"), announce, rows=rows, problems=problems, text=until
        )

    def _give(self, text: str) -> None:
        """Give the public value at the second press: the first one asks whether it is right."""
        seen, value = self._confirmed
        if value and text == seen:
            self.evening.give(text)
            self._typed, self._confirmed = "", ("", "")
        else:
            self._typed = canonical(text, self.now().numbers)
            self._confirmed = text, self._typed

    def _ask_correction(self, text: str) -> None:
        value = canonical(text, self.now().numbers)
        kept = _(
            "The receipts show both values, and the check will say that somebody could have steered the "
            "draw. Let the guests photograph the new code, too."
        )
        title, yes = _("Replace the public value by {value}?", value=value), _("Yes, correct it")
        self._ask(title, yes, lambda evening: evening.correct(text), text=kept)

    def _call_roll(self, number: int, people: Sequence[str], absent: Sequence[str]) -> None:
        state = self.now()
        roll = scenes.roll(state)
        if not roll or (roll.number, {one.id for one in roll.people}) != (number, set(people)):
            raise LotteryError(_("roll call"), _("another page was faster"), _("Look at the winners again"))
        if set(absent) != set(roll.absent):
            what = _("another page has changed who is absent, so nothing was sent")
            raise LotteryError(_("roll call"), what, _("Look at the marks, then press again"))
        kept = len(roll.people) - len(roll.absent)
        self.evening.show("again" if roll.absent else "called", roll.number, kept=kept)
        self.evening.call_roll(roll.number, roll.absent)

    def _show_surprise(self, text: str) -> None:
        self.evening.show("surprise", surprise=json.dumps(read_prizes(text)[0]))

    def _ask_end(self) -> None:
        missed = [each.name for each in self.state.prizes if not scenes.drawn(each)] if self.state else []
        lasting = _("The machine tells its secret. Nobody can draw in this evening any more.")
        problems = [_("Not drawn: {prizes}", prizes=listed(missed))] if missed else []
        if missed:
            problems.append(_("So the check will say that somebody could have steered the draw."))
        self._ask(_("End the evening?"), _("Yes, end it"), Evening.close, problems=problems, text=lasting)

    def _ask_back(self) -> None:
        kept = _("You can correct it and announce it again. The receipts show this, and the check is amber.")
        title, yes = _("Take the announcement back?"), _("Yes, take it back")
        self._ask(title, yes, Evening.take_back, text=kept)

    def _ask_withdrawal(self, employee_id: str) -> None:
        guests = self.evening.guests()
        one = guests[employee_id]
        others = [
            each for each in guests.values() if skeleton(each.name) == skeleton(one.name) and each != one
        ]
        alike = _("Somebody else has the same name: {people}", people=listed(map(scenes.called, others)))
        lasting = _(
            "This person wins nothing more in this evening, and a receipt says so. Nobody can undo it."
        )
        now = self.now()
        problems = [alike] if others else []
        if now.asked or now.given:
            late = _(
                "The room was asked already. So this makes the check amber. If somebody who stands behind "
                "this person in the order wins, it says that somebody could have steered the draw. At a roll "
                "call, you can mark the person as absent instead."
            )
            problems.append(late)
        title = _("Withdraw {person}?", person=scenes.called(one))
        yes = _("Yes, withdraw {name} ({id})", name=one.name, id=one.id)
        self._ask(title, yes, lambda evening: evening.withdraw(one.id), problems=problems, text=lasting)

    def _put_back(self) -> None:
        """Go on with the evening that the file has, and the tables of a new emulator do not have."""
        if self.evening.file:
            Evening.restored(self.evening.target, self.evening.file)

    def _keep_draft(self, text: str) -> None:
        if len(text) <= _LONGEST_DRAFT:
            self.note(draft=text)

    def _take_picture(self, name: str, own: bool, file: File | None) -> None:
        if file:
            chosen, size, content = file
            self._pictures.keep(name, chosen, content, size, own=own)
        else:
            self._pictures.remove(name, own=own)

    def _read_guests(self, file: File | None) -> None:
        name, size, content = file or ("", 0, b"")
        self._forget_guests()
        employees.check_size(name, size)
        self._guests, self._guests_name = employees.parse(name, content), name

    def _forget_guests(self) -> None:
        self._guests, self._guests_name = employees.Roster(), ""

    def _load_guests(self) -> None:
        if not self._guests.employees:  # the second click of two is not meant
            return
        if self.evening.refresh().step != "new":
            what, next_step = _("the evening is announced already"), _("Nobody can change it now")
            raise LotteryError(_("list of guests"), what, next_step)
        load_employees(self.evening.target, self._guests, skip_bad_rows=True)
        self._forget_guests()
        self._finished = None  # the number of those who can win


class Machine:
    """The state machine, coloured by the latest execution of an evening.

    Attributes:
        not_mailed: Why the mail of the latest prize did not go out; empty if it did.
    """

    def __init__(self) -> None:
        self.not_mailed = ""
        self._definition: Mapping[str, Any] = {}
        self._seen: object = None  # what does not change until somebody does something
        self._events: tuple[str, Sequence[Any]] = ("", ())  # of the latest execution, by its name
        self._painted: dict[str, Any] = {}
        self._blank: dict[str, Any] = {}  # the machine before any execution

    def look(self, target: Target, state: EveningState) -> dict[str, Any]:
        """What the page shows of it. Of a history, only what is new is read."""
        draws = Draws(target)
        if not self._definition:
            self._definition = draws.definition
            self._blank = _painted(Reader(definition=self._definition), self._definition)
        now = (state.execution.get("executionArn"), state.ended, state.waiting.get("token"))
        if not state.execution:  # it is taken back, or there is none yet
            return self._blank
        if now == self._seen:
            return self._painted
        arn, known = str(state.execution["executionArn"]), self._events
        progress = draws.progress(arn, known[1] if known[0] == arn else (), state.execution)
        self._events = arn, progress.events
        self._seen = now if state.ended or state.waiting else None
        entered = [
            each["stateEnteredEventDetails"]["name"]
            for each in progress.events
            if "stateEnteredEventDetails" in each
        ]
        told, waits = progress.result, {
            "roll call": _("waits for the roll call"),
            "public value": _("waits for the public value"),
        }  # fmt: skip
        running = waits.get(state.waiting.get("awaits", ""), word_of("running"))
        step = word_of(told["status"].lower().replace("_", " ")) if told else running
        if told:
            late = told["error"] if told["status"] == "SUCCEEDED" else ""
            self.not_mailed = str(told["cause"]).partition("\n")[0] if late else ""
        self._painted = _painted(Reader(progress.events, self._definition), self._definition) | {
            "chosen": entered[-1] if entered else "",  # it moves into the middle
            "heading": _("State machine: {state}", state=step),
        }
        return self._painted


def _painted(reader: Reader, machine: Mapping[str, Any]) -> dict[str, Any]:
    """What `graph.js` shows of a machine: no data, for the room does not know the winners yet."""
    view: GraphView = view_of(machine, facts_of(reader))
    return {
        **{"layout_svg": view.layout, "states": list(view.states), "alt": view.alt, "chosen": ""},
        **{"taken": list(view.taken), "paints": list(view.paints), "heading": _("State machine")},
    }


def _asked(written: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
    """What the form asks the room for; see `page.question`."""
    return question(*(str(written[each]) for each in ("kind", "count", "least", "most")))


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


def _independent(address: str, file_hash: str) -> str:
    """Where the room finds a check page that does not come from the operator."""
    said = {"address": address, "begin": grouped(file_hash[:16])}
    return _("Check page: {address}. The SHA-256 of its file begins with {begin}.", **said)


def _count(number: int) -> str:
    return ngettext("1 person", "{count} people", number, count=number)


def _can_win(number: int) -> str:
    return _("{count} can still win", count=number)


def _guests_preview(name: str, roster: employees.Roster) -> dict[str, Any]:
    """What is in a list of guests: the first people, and the rows that cannot be read."""
    columns = {_("Id"): "employee_id", _("Full name"): "employee_name", _("Department"): "department"}
    heads = [head for head, key in columns.items() if any(each.get(key) for each in roster.employees)]
    rows = [[str(each.get(columns[head]) or "") for head in heads] for each in roster.employees[:3]]
    wrong = [_("Row {row}: {reason}", row=each["row"], reason=each["reason"]) for each in roster.rejected]
    count = len(roster.employees)
    told = ngettext("{file}: 1 person", "{file}: {count} people", count, file=name, count=count)
    left_out = _("Rows that are left out: {count}", count=len(wrong)) if wrong else ""
    return {"told": told, "heads": heads, "rows": rows, "left_out": left_out, "wrong": wrong[:_SHOWN_WRONG]}
