"""Run one evening: announce it, ask the room, draw prize by prize, call the roll, close it.

An evening is a draw of the hardened edition that stays open. The tables are the truth about it: every program
and computer that looks sees the same. So each of them can end at any time, and begin again.
"""

import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from lottery_lib import execution
from lottery_lib.aws_errors import call_or_none
from lottery_lib.draws import machine_arn, remaining, run
from lottery_lib.errors import LotteryError
from lottery_lib.hardened import check_edition, send_answer
from lottery_lib.harmless import normalised
from lottery_lib.history import message_of
from lottery_lib.resources.contents import Pool, draws_table, in_pool
from lottery_lib.resources.dynamodb_table import Item, Table
from lottery_lib.target import Target
from lottery_lib.translation import _, cause_in_words, punctuated
from lottery_party import evening_file
from lottery_party.prizes import Prize
from lottery_party.public_value import Numbers, canonical
from lottery_party.records import proof

_NAME: Final = re.compile(r"[A-Za-z0-9_\u4e00-\u9fff-]{1,60}")  # guests see it, also in Chinese
_SECONDS: Final = 60.0  # in which an execution begins to wait for a person


@dataclass(frozen=True)
class Person:
    """A guest: the id, the name, and the department or an empty text."""

    id: str
    name: str
    department: str = ""


@dataclass(frozen=True)
class Given:
    """The public value of an evening.

    Attributes:
        value: What the room gave, in its only form. If it was corrected, the latest one.
        at: When it was given (UTC, as in its receipt); empty in an evening of an old kit.
        seconds: The whole seconds since the room was asked; None if nobody asked.
        code: The hash of its receipt, which the stage shows; empty in an evening of an old kit.
    """

    value: str
    at: str = ""
    seconds: int | None = None
    code: str = ""


@dataclass(frozen=True)
class PrizeState:
    """A prize of the evening and what has become of it.

    Attributes:
        number: Counted from 1.
        name: Its name.
        count: How many winners it has.
        winners: Who has won it and is not absent, in the order in which they were drawn.
        absent: Who won it and was absent at a roll call.
        done: Whether the roll call is over, and the mail is sent.
        added: Whether it was added after the announcement.
    """

    number: int
    name: str
    count: int
    winners: Sequence[Person]
    absent: Sequence[Person]
    done: bool
    added: bool


@dataclass(frozen=True)
class EveningState:
    """An evening as the tables have it now.

    Attributes:
        step: ``"new"`` (not announced), ``"public value"`` (the machine waits for it), ``"ready"`` (the next
            prize can be drawn; if prize `number` has winners and is not done, this one again, because its
            execution failed), ``"drawing"``, ``"roll call"`` (the machine waits for it), ``"closed"``.
        number: The prize that is drawn now, or whose roll call is awaited, or that was shown last; 0 if none.
        prizes: All prizes, in the order of their numbers.
        announcement: The receipt number 0 (docs/receipts.md); empty if it is new.
        code: The hash of this receipt, which the stage shows.
        end_code: The hash of the last receipt, which the stage shows when the evening is closed; otherwise
            empty.
        asked: When the room was asked for the public value (UTC); empty before that.
        given: The public value; None if it was not given yet.
        stage: What the pages agreed to show, such as ``{"scene": "rolling", "number": 2}``; see
            `Evening.show`.
        problem: Why the latest execution failed, in a sentence; empty if it did not.
        withdrawn: Who does not take part any more.
        not_saved: Why the file does not have this state, in a sentence; empty if it has, or there is none.
        execution: The description of the latest execution; empty if there is none.
        waiting: What that execution waits for, with its task token; empty if it does not wait for people.
    """

    step: str
    number: int = 0
    prizes: Sequence[PrizeState] = ()
    announcement: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    end_code: str = ""
    asked: str = ""
    given: Given | None = None
    stage: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    withdrawn: Sequence[Person] = ()
    not_saved: str = ""
    execution: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    waiting: Item = field(default_factory=dict, compare=False, repr=False)

    @property
    def public(self) -> str | None:
        """The text of the public value; None if it was not given yet."""
        return self.given.value if self.given else None

    @property
    def numbers(self) -> Numbers | None:
        """The numbers that the room is asked for; None if any text is an answer."""
        return Numbers(**found) if (found := self.announcement.get("numbers")) else None

    @property
    def ended(self) -> bool:
        """Whether the latest execution has ended, or there is none."""
        return self.execution.get("status") in (None, *execution.ENDED)


class Evening:
    """One evening of a hardened lottery. Each call may block until AWS answers.

    Args:
        target: Where; the hardened edition.
        name: The evening's name: 1 to 60 letters (English or Chinese), digits, `-` and `_`. If its
            announcement was taken back, the evening goes on as NAME-2.
        file: Where to save the evening before and after each step (see `evening_file`); None for nowhere.

    Raises:
        LotteryError: The name is not a name, or the target is not the hardened edition.
    """

    def __init__(self, target: Target, name: str, *, file: Path | None = None) -> None:
        if not _NAME.fullmatch(name):
            what = _("{name!r} cannot be its name", name=name)
            raise LotteryError(_("evening"), what, _("Use letters, digits, - and _"))
        check_edition(target, name)
        self.target, self.name, self.file = target, name, file
        self._names = (
            f"{name}-{number}" for number in itertools.count(2)
        )  # after an announcement was taken back
        self._draws = draws_table(target)
        # What cannot change during an evening is read once.
        self._announced: Mapping[str, Any] = {}
        self._staff: dict[str, Person] = {}
        self._guests: dict[str, Person] = {}
        self._saved: EveningState | None = None  # what the file has
        self._not_saved = ""  # why the file does not have it
        self._question = ""  # the token of the roll call that `refresh` has read

    @classmethod
    def restored(cls, target: Target, file: Path, *, replace: bool = False) -> "Evening":
        """Put an evening back into an emulator, and go on where it stopped.

        The step that was under way is taken again. The secret and the public value decide the winners, so
        they are the same people. What the machine waited for, it waits for again.

        Args:
            target: The emulator.
            file: What an evening has saved.
            replace: Replace what the tables have, even if the file does not have it.

        Raises:
            LotteryError: See `evening_file.put_back`.
        """
        target, kept = evening_file.put_back(target, file, replace=replace)
        evening = cls(target, kept["evening"] or evening_file.latest(kept["tables"]) or "evening", file=file)
        step = kept["step"]
        if step and step["last"] == evening._last():  # it had been noted, and nothing of it was recorded
            if step["request"].keys() & {"withdraw", "ask", "correct", "take_back"}:
                evening._change(step["request"], _("was not taken again"))
            else:
                evening._take(**{key: step[key] for key in ("request", "number", "awaits", "output")})
                return evening
        state = evening.refresh()
        begun = next((each.number for each in state.prizes if each.winners and not each.done), 0)
        if state.step == "public value" or begun:
            evening._start({"prize": begun} if begun else {}, begun)
        return evening

    def refresh(self) -> EveningState:
        """Read the evening from the tables. If it has changed, save it.

        Nothing is saved during a draw: the file repeats the draw, with the same winners.
        """
        state = self._read()
        if state.step == "roll call":
            self._question = state.waiting["token"]
        if self.file and state.step != "drawing" and state != self._saved:
            self._saved, self._not_saved = state, ""
            try:
                evening_file.save(self.target, self.file, self.name)
            except LotteryError as error:
                self._not_saved = str(error)
        return replace(state, not_saved=self._not_saved)

    def guests(self) -> Mapping[str, Person]:
        """Everybody who can win in this evening, or has won in it, by their ids."""
        if not self._guests:
            rows = Table(self.target, self.target.names.winners_table).items()
            elsewhere = [row for row in rows if row.get("draw_id") != self.name]
            won = {row["employee_id"] for row in elsewhere if row.get("status") != "absent"}
            self._guests = {key: one for key, one in self._everybody().items() if key not in won}
        return self._guests

    def announce(
        self, prizes: Sequence[Prize], *, question: str, absent: str = "out", numbers: Numbers | None = None
    ) -> None:
        """Commit to the pool, the prizes, the rule for the absent and a secret.

        Args:
            prizes: In the order in which they will be drawn; more can be added later.
            question: What the room is asked for, such as ``"Call five numbers"``.
            absent: ``"out"``: who is absent at a roll call cannot win later in this evening. Or ``"may win
                later"``, after everybody who was never absent.
            numbers: The numbers that answer the question; None if any text is an answer. Then the check says
                that somebody could have guessed it (`public_value.why_amber`).

        Raises:
            LotteryError: There is no question, or it is announced already, or there are too few people.
        """
        self.check(prizes, question)
        if self._read().step != "new":
            raise self._refused(_("is announced already"), _("Give a new evening another name"))
        asked = {"question": question.strip(), "numbers": asdict(numbers) if numbers else None}
        self._take({"prizes": list(prizes), "evening": {"absent": absent}, **asked})
        self._come_to(_("the announcement"), "public value", "ready")

    def check(self, prizes: Sequence[Prize], question: str) -> None:
        """Check what will be announced.

        Raises:
            LotteryError: There is no question, or there are too few people.
        """
        if not normalised(question):
            what = _("there is none, so nobody could know that the winners were not chosen")
            raise LotteryError(_("question to the room"), what, _("Write one, such as: Call five numbers"))
        places, people = sum(each["count"] for each in prizes), len(remaining(self.target))
        if places > people:
            what = _(
                "{places} winners are wanted, but only {people} people can win", places=places, people=people
            )
            raise LotteryError(_("prizes"), what, _("Load your guests first, or write fewer"))

    def ask(self) -> None:
        """Ask the room for the public value. A receipt says when; from now on, every change is late."""
        if not self._read().asked:
            self._change({"ask": True}, _("did not write down that the room was asked"))

    def take_back(self) -> None:
        """Take the announcement back, before the room has given its value. A receipt says so.

        Raises:
            LotteryError: It is not announced, or has its public value.
        """
        state = self._read()
        if state.step != "public value":
            what = (
                _("cannot be taken back: it has its public value") if state.given else _("is not announced")
            )
            raise self._refused(what, _("Look at it again"))
        self._change({"take_back": True}, _("was not taken back"))
        execution.stop(self.target, str(state.stage["drawing"]))  # it waits for a value
        self._read()  # goes on with the next name
        if kept := {"title", "language", "theme", "draft"} & state.stage.keys():
            self.show(**{key: state.stage[key] for key in kept})
        self.refresh()

    def give(self, text: str) -> None:
        """Give the public value, in its only form (`public_value.canonical`). It decides the order.

        Raises:
            LotteryError: The text does not answer the question, or there is a value already.
        """
        state = self._until_asked("public value")
        if state.public is not None:
            raise self._refused(_("has its public value already"), _("Go on with a prize"))
        public = canonical(text, state.numbers)
        self._take({}, 0, "public value", {"public": public})
        self._come_to(_("the public value"), "ready")

    def correct(self, text: str) -> None:
        """Replace the public value before anybody is drawn, such as after a typo. A receipt says so.

        Raises:
            LotteryError: The text does not answer the question, or somebody is drawn already.
        """
        self._change(
            {"correct": canonical(text, self._read().numbers)}, _("did not correct the public value")
        )

    def draw(self, number: int) -> None:
        """Draw a prize, or what it still lacks. Its winners are recorded when `refresh` reads them."""
        self._take({"prize": number}, number)

    def draw_one_more(self, prize: Prize) -> None:
        """Add a prize to the evening, and draw it: a receipt names it before anybody is drawn."""
        self._take({"add": prize}, len(self._read().prizes) + 1)

    def withdraw(self, employee_id: str) -> None:
        """Take a person out of the evening who has left, or does not take part. What they have won stays.

        A receipt names them before anybody else is drawn. This is possible from the announcement to the end.
        """
        proof(self.target, self.name, employee_id)  # raises if nobody of this id can win
        self._change({"withdraw": employee_id}, _("did not withdraw {id}", id=employee_id))

    def call_roll(self, number: int, absent: Sequence[str]) -> None:
        """Say who of a prize's winners is absent (their ids). Only their places are drawn again.

        This answers the roll call that `refresh` has read. Another page may have answered it meanwhile.
        """
        winners = {each.id for each in self._read().prizes[number - 1].winners}
        for stranger in sorted(set(absent) - winners):
            where = _("prize {number} of {evening}", number=number, evening=self.name)
            what = _("{id} is not among the winners now", id=stranger)
            raise LotteryError(where, what, _("Look at it again"))
        self._take({"prize": number}, number, "roll call", {"absent": list(absent)})

    def close(self) -> None:
        """End the evening: the machine tells the secret, so that everybody can check the draw."""
        self._take({"close": True})
        self._come_to(_("the end of the evening"), "closed")

    def show(self, scene: str = "", number: int = 0, **more: str | int) -> None:
        """Agree with all other pages on what they show now. It changes nothing of the draw.

        Args:
            scene: What to show. If it is empty, the scene and its number stay.
            number: The prize that it is about, or 0.
            more: What else they agree on, such as a title. It stays until it is changed.
        """
        changes = {"scene": scene, "number": number, **more} if scene else more
        self._set_stage(None, **changes)

    def _change(self, request: Mapping[str, object], failed: str) -> None:
        """Take a step that draws nobody, in an execution of its own: another one may wait for people."""
        self._note(request)
        told = run(self.target, {"draw_id": self.name, **request}, _SECONDS)
        if told["error"]:
            what = punctuated(
                "{failed} ({reason})", failed=failed, reason=cause_in_words(str(told["cause"])).rstrip(".。")
            )
            raise self._refused(what, _("Look at the evening, and try again"))
        self.refresh()

    def _take(
        self, request: Mapping[str, object], number: int = 0, awaits: str = "", output: object = None
    ) -> None:
        """Take a step: note it in the file, then start an execution, or answer the one that waits.

        Args:
            request: What to ask of the machine. For an answer: what lets a new execution wait for it.
            number: The prize that it is about, or 0.
            awaits: What an execution waits for, if this is an answer.
            output: The answer.
        """
        self._note(request, number, awaits, output)
        if awaits and self._answered(number, awaits, output):
            return
        self._start(request, number)
        if awaits:
            self._until_asked(awaits)
            self._question = ""
            self._answered(number, awaits, output)

    def _note(
        self, request: Mapping[str, object], number: int = 0, awaits: str = "", output: object = None
    ) -> None:
        """Write into the file which step comes now, so that `restored` can take it. See `_take`."""
        if self.file:
            step = {"request": request, "number": number, "awaits": awaits, "output": output}
            evening_file.save(self.target, self.file, self.name, {**step, "last": self._last()})

    def _start(self, request: Mapping[str, object], number: int) -> None:
        """Start an execution. Of two pages that do it at the same time, only one can."""
        state = self._read()
        name, machine = execution.new_name(), machine_arn(self.target)
        arn, before = execution.arn_of(machine, name), state.stage.get("drawing", "")
        if not (state.ended and self._set_stage(before, drawing=arn, number=number)):
            raise self._refused(_("is drawing already"), _("Wait until it has ended"))
        execution.start(self.target, machine, {"draw_id": self.name, **request}, name)

    def _answered(self, number: int, awaits: str, output: object) -> bool:
        """Answer the execution that waits for this. False if there is none any more, and one must be started.

        Raises:
            LotteryError: The execution goes on already, because another page has answered.
        """
        state = self._read()
        asked = (state.waiting.get("awaits"), state.waiting.get("number", 0))
        shown = awaits != "roll call" or self._question in ("", state.waiting.get("token"))
        if asked == (awaits, number) and shown and send_answer(self.target, state.waiting, output):
            return True
        if not state.ended:
            what = (
                _("does not wait for the roll call now")
                if awaits == "roll call"
                else _("does not wait for the public value now")
            )
            raise self._refused(what, _("Look at it again"))
        return False

    def _set_stage(self, drawing_before: str | None = None, **changes: str | int) -> bool:
        """Change what the pages agree on. False if another page has begun to draw since `drawing_before`."""
        values = {f":v{at}": value for at, value in enumerate(changes.values())}
        condition: dict[str, Any] = {}
        if drawing_before is not None:
            condition = {"ConditionExpression": "attribute_not_exists(drawing) OR drawing = :before"}
            values[":before"] = drawing_before
        done = call_or_none(
            self.target.plain_dynamodb().update_item,
            "ConditionalCheckFailed",
            TableName=self._draws.name,
            Key={"draw_id": f"{self.name}#stage"},
            UpdateExpression="SET " + ", ".join(f"#n{at} = :v{at}" for at in range(len(changes))),
            ExpressionAttributeNames={f"#n{at}": key for at, key in enumerate(changes)},
            ExpressionAttributeValues=values,
            **condition,
        )
        return done is not None

    def _until_asked(self, awaits: str) -> EveningState:
        """Wait until the machine asks for something, or its execution has ended."""
        asks = (
            _("the machine to ask for the roll call")
            if awaits == "roll call"
            else _("the machine to ask for the public value")
        )
        return self._until(asks, lambda state: bool(state.waiting) or state.ended)

    def _come_to(self, what: str, *steps: str) -> None:
        """Wait until the evening is at one of these steps, and save it."""
        self._until(what, lambda state: state.step in steps)
        self.refresh()

    def _until(self, what: str, reached: Callable[[EveningState], bool]) -> EveningState:
        def seen() -> EveningState | None:
            state = self._read()
            if state.problem:
                raise self._refused(state.problem.rstrip(".。"), _("Correct it, and try again"))
            return state if reached(state) else None

        return self.target.waiter.until(what, seen, seconds=_SECONDS, every=0.1)

    def _refused(self, what: str, next_step: str) -> LotteryError:
        return LotteryError(_("evening {name}", name=self.name), what, next_step)

    def _last(self) -> str:
        """The hash of the evening's latest receipt; empty if there is none."""
        return str((self._draws.item(self.name) or {}).get("last", ""))

    def _read(self) -> EveningState:
        """Read what can change during an evening, with two calls."""
        keys = [f"{self.name}{ending}" for ending in ("", "#waiting", "#stage")]
        found = call_or_none(self._draws.get, "ResourceNotFound", keys=keys)
        if found is None:
            self._draws.describe()  # raises: there is no table
        draw, waiting, stage = ({each["draw_id"]: each for each in found or []}.get(key, {}) for key in keys)
        latest = self._described(stage)
        if not draw or "taken_back" in draw:
            self._announced, self._staff, self._guests = {}, {}, {}  # all this can still change
        if "taken_back" in draw:
            self.name = next(self._names)
            return self._read()
        if not draw:
            return EveningState("new", problem=_problem(latest), stage=stage, execution=latest)
        if not self._announced:
            self._staff, self._guests = {}, {}  # they were those of the table of employees
            text = self._draws.item(f"#chain#{draw['chain']}")
            self._announced = json.loads(text["text"]) if text else {}
        prizes = self._prizes(draw["prizes"])
        open_now = next((each for each in prizes if each.winners and not each.done), None)
        if "closed" in draw:
            step = "closed"
        elif "public" not in draw:
            step = "public value"
        elif open_now and waiting.get("number") == open_now.number:
            step = "roll call"
        else:
            step = "drawing"
        state = EveningState(
            step,
            open_now.number if open_now else int(stage.get("number", 0)),
            prizes,
            self._announced,
            draw.get("code", ""),
            draw["last"] if step == "closed" else "",
            draw.get("asked", ""),
            _given(draw),
            stage,
            _problem(latest),
            self._people(draw.get("withdrawn", [])),
            execution=latest,
            waiting=waiting,
        )
        return replace(state, step="ready") if step == "drawing" and state.ended else state

    def _described(self, stage: Item) -> Mapping[str, Any]:
        try:
            return execution.describe(self.target, stage["drawing"])
        except (KeyError, LotteryError):  # there is none yet, or it was on an emulator that has ended
            return {}

    def _prizes(self, found: Sequence[Mapping[str, Any]]) -> list[PrizeState]:
        return [
            PrizeState(
                number,
                each["prize"],
                int(each["count"]),
                self._people(each["winners"]),
                self._people(each["absent"]),
                "execution" in each,
                "added_by" in each,
            )
            for number, each in enumerate(found, 1)
        ]

    def _people(self, ids: Sequence[str]) -> list[Person]:
        return [self._everybody().get(each, Person(each, each)) for each in ids]

    def _everybody(self) -> Mapping[str, Person]:
        """Everybody in the announced pool, by their ids; before that, everybody in the table of employees."""
        if not self._staff:
            pool = Pool(self.target).of(self._announced["pool"])[0] if self._announced else []
            if not (pool and len(pool[0]) > 1):  # a pool of an old kit has no names
                pool = in_pool(Table(self.target, self.target.names.employee_table).items())
            self._staff = {each[0]: Person(each[0], each[1] or each[0], each[2]) for each in pool}
        return self._staff


def _given(draw: Mapping[str, Any]) -> Given | None:
    if "given" in draw:
        seconds = draw["given"]["seconds"]
        return Given(**{**draw["given"], "seconds": None if seconds is None else int(seconds)})
    return Given(draw["public"]) if "public" in draw else None


def _problem(latest: Mapping[str, Any]) -> str:
    """Why an execution failed, in a sentence; empty if it did not."""
    if latest.get("status", "RUNNING") in ("RUNNING", "SUCCEEDED"):
        return ""
    parts = latest["status"], latest.get("error", ""), cause_in_words(message_of(latest.get("cause", "")))
    return punctuated(": ").join(filter(None, parts))
