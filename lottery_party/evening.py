"""Run one evening: announce it, take the public value, draw prize by prize, call the roll, close it.

An evening is a draw of the hardened edition that stays open. The tables are the truth about it: every page,
kernel and computer that looks sees the same. So a page can be loaded again and a kernel can end at any time.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from lottery_lib import execution
from lottery_lib.aws_errors import call_or_none
from lottery_lib.draws import machine_arn, remaining, run
from lottery_lib.errors import LotteryError
from lottery_lib.hardened import check_edition, send_answer
from lottery_lib.resources.contents import draws_table
from lottery_lib.resources.dynamodb_table import Item, Table
from lottery_lib.target import Target
from lottery_lib.translation import _
from lottery_party import evening_file
from lottery_party.prizes import Prize
from lottery_party.records import proof

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")
_SECONDS: Final = 60.0  # in which an execution begins to wait for a person


@dataclass(frozen=True)
class Person:
    """A winner as a page shows it: the id, the name, the department or an empty text."""

    id: str
    name: str
    department: str = ""


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
        public: The public value; None if it was not given yet.
        stage: What the pages agreed to show, such as ``{"scene": "rolling", "number": 2}``; see
            `Evening.show`.
        problem: Why the latest execution failed, in a sentence; empty if it did not.
        withdrawn: Who does not take part any more.
        not_saved: Why the file does not have this state, in a sentence; empty if it has, or there is none.
    """

    step: str
    number: int = 0
    prizes: Sequence[PrizeState] = ()
    announcement: Mapping[str, Any] = field(default_factory=dict)
    public: str | None = None
    stage: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    withdrawn: Sequence[Person] = ()
    not_saved: str = ""


class Evening:
    """One evening of a hardened lottery. Each call may block until AWS answers.

    Args:
        target: Where; the hardened edition.
        name: The evening's name: 1 to 60 letters, digits, `-` and `_`.
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
        self._draws = draws_table(target)
        self._saved: object = None  # what the file has, so far as `look` can see it
        self._not_saved = ""  # why the file does not have it
        self._question = ""  # the token of the roll call that `look` has shown

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
            LotteryError: See `evening_file.put_back`. Or nobody has announced anything in the file.
        """
        target, kept = evening_file.put_back(target, file, replace=replace)
        evening = cls(target, kept["evening"] or evening_file.latest(kept["tables"]) or "evening", file=file)
        draw, step = evening._items("").get("", {}), kept["step"]
        if step and step["last"] == draw.get("last", ""):  # it had been noted, and nothing of it was recorded
            if left := step["request"].get("withdraw"):
                evening.withdraw(left)
            else:
                evening._take(**{key: step[key] for key in ("request", "number", "awaits", "output")})
                return evening
        state = evening.look()
        begun = next((each.number for each in state.prizes if each.winners and not each.done), 0)
        if state.step == "public value" or begun:
            evening._start({"prize": begun} if begun else {}, begun)
        return evening

    def look(self) -> EveningState:
        """Read the evening from the tables. If it has changed, save it.

        What is drawn at this moment is not saved by halves: the file repeats the draw, with the same winners.
        """
        items = self._items("", "#waiting", "#stage")
        state, draw = self._state(items), items.get("", {})
        seen = (draw.get("last"), state.stage)
        if self.file and state.step != "drawing" and seen != self._saved:
            self._saved, self._not_saved = seen, ""
            try:
                evening_file.save(self.target, self.file, self.name)
            except LotteryError as error:
                self._not_saved = str(error)
        return replace(state, not_saved=self._not_saved)

    def _state(self, items: Mapping[str, Item]) -> EveningState:
        draw, waiting, stage = items.get(""), items.get("#waiting"), items.get("#stage", {})
        problem = self._problem(stage)
        if draw is None:
            return EveningState("new", problem=problem, stage=stage)
        text = self._draws.item(f"#chain#{draw['chain']}")
        prizes, withdrawn = self._people(draw["prizes"], draw.get("withdrawn", []))
        number = int(stage.get("number", 0))
        open_now = next((each for each in prizes if each.winners and not each.done), None)
        if "closed" in draw:
            step = "closed"
        elif "public" not in draw:
            step = "public value"
        elif open_now and waiting and waiting.get("number") == open_now.number:
            step, self._question = "roll call", waiting["token"]
        else:
            step = "ready" if self._ended(stage) else "drawing"
        return EveningState(
            step,
            open_now.number if open_now else number,
            prizes,
            json.loads(text["text"]) if text else {},
            draw.get("public"),
            stage,
            problem,
            withdrawn,
        )

    def announce(self, prizes: Sequence[Prize], *, absent: str = "out", question: str = "") -> None:
        """Commit to the pool, the prizes, the rule for the absent and a secret.

        Args:
            prizes: In the order in which they will be drawn; more can be added later.
            absent: ``"out"``: who is absent at a roll call cannot win later in this evening. Or ``"may win
                later"``.
            question: What the room is asked for, such as ``"Call five numbers"``; empty for no public value.
        """
        if self._items(""):
            raise self._refused(_("is announced already"), _("Give a new evening another name"))
        places, people = sum(each["count"] for each in prizes), len(remaining(self.target))
        if places > people:
            what = _(
                "{places} winners are wanted, but only {people} people can win", places=places, people=people
            )
            raise LotteryError(_("prizes"), what, _("Load your guests first, or write fewer"))
        self._take({"prizes": list(prizes), "evening": {"absent": absent}, "question": question})
        self._until(_("the announcement"), lambda: self.look().step in ("public value", "ready"))

    def give(self, public: str) -> None:
        """Give the public value. The machine mixes it into the order of the pool."""
        self._until(_("the machine to ask for the public value"), self._asks_or_ended)
        if self.look().public is not None:
            raise self._refused(_("has its public value already"), _("Go on with a prize"))
        self._take({}, 0, "public value", {"public": public})
        self._until(_("the public value"), lambda: self.look().step == "ready")

    def draw(self, number: int) -> None:
        """Draw a prize, or what it still lacks. Its winners are recorded when `look` shows them."""
        self._take({"prize": number}, number)

    def draw_one_more(self, prize: Prize) -> None:
        """Add a prize to the evening, and draw it: a receipt names it before anybody is drawn."""
        self._take({"add": prize}, len(self.look().prizes) + 1)

    def withdraw(self, employee_id: str) -> None:
        """Take a person out of the evening who has left, or does not take part. What they have won stays.

        A receipt names them before anybody else is drawn. This is possible from the announcement to the end.
        """
        proof(self.target, self.name, employee_id)  # raises if nobody of this id can win
        self._note({"withdraw": employee_id})
        told = run(self.target, {"draw_id": self.name, "withdraw": employee_id}, _SECONDS)
        if told["error"]:
            what = _("was not withdrawn ({reason})", reason=str(told["cause"]).rstrip(".。"))
            next_step = _("Look at the evening, and try again")
            raise LotteryError(_("employee {id}", id=employee_id), what, next_step)
        self.look()

    def call_roll(self, number: int, absent: Sequence[str]) -> None:
        """Say who of a prize's winners is absent (their ids). Only their places are drawn again.

        This answers the roll call that `look` has shown. Another page may have answered it meanwhile.
        """
        winners = self._items("")[""]["prizes"][number - 1]["winners"]
        for stranger in sorted(set(absent) - set(winners)):
            where = _("prize {number} of {evening}", number=number, evening=self.name)
            what = _("{id} is not among the winners now", id=stranger)
            raise LotteryError(where, what, _("Look at it again"))
        self._take({"prize": number}, number, "roll call", {"absent": list(absent)})

    def close(self) -> None:
        """End the evening: the machine tells the secret, so that everybody can check the draw."""
        self._take({"close": True})
        self._until(_("the end of the evening"), lambda: self.look().step == "closed")

    def show(self, scene: str = "", number: int = 0, **more: str | int) -> None:
        """Agree with all other pages on what they show now. It changes nothing of the draw.

        Args:
            scene: What to show. If it is empty, the scene and its number stay.
            number: The prize that it is about, or 0.
            more: What else they agree on, such as a title. It stays until it is changed.
        """
        changes = {"scene": scene, "number": number, **more} if scene else more
        self._set_stage(None, **changes)

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
            asks = (
                _("the machine to ask for the roll call")
                if awaits == "roll call"
                else _("the machine to ask for the public value")
            )
            self._until(asks, self._asks_or_ended)
            self._question = ""
            self._answered(number, awaits, output)

    def _note(
        self, request: Mapping[str, object], number: int = 0, awaits: str = "", output: object = None
    ) -> None:
        """Write into the file which step comes now, so that `restored` can take it. See `_take`."""
        if self.file:
            last = self._items("").get("", {}).get("last", "")
            step = {"request": request, "number": number, "awaits": awaits, "output": output}
            evening_file.save(self.target, self.file, self.name, {**step, "last": last})

    def _start(self, request: Mapping[str, object], number: int) -> None:
        """Start an execution. Of two pages that do it at the same time, only one can."""
        stage = self._items("#stage").get("#stage", {})
        name, machine = execution.new_name(), machine_arn(self.target)
        arn = execution.arn_of(machine, name)
        if not (self._ended(stage) and self._set_stage(stage.get("drawing", ""), drawing=arn, number=number)):
            raise self._refused(_("is drawing already"), _("Wait until it has ended"))
        execution.start(self.target, machine, {"draw_id": self.name, **request}, name)

    def _answered(self, number: int, awaits: str, output: object) -> bool:
        """Answer the execution that waits for this. False if there is none any more, and one must be started.

        Raises:
            LotteryError: The execution goes on already, because another page has answered.
        """
        items = self._items("#waiting", "#stage")
        waiting = items.get("#waiting", {})
        asked = (waiting.get("awaits"), waiting.get("number", 0))
        shown = awaits != "roll call" or self._question in ("", waiting.get("token"))
        if asked == (awaits, number) and shown and send_answer(self.target, waiting, output):
            return True
        if not self._ended(items.get("#stage", {})):
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

    def _asks_or_ended(self) -> bool:
        items = self._items("#waiting", "#stage")
        return "#waiting" in items or self._ended(items.get("#stage", {}))

    def _until(self, what: str, probe: Callable[[], bool]) -> None:
        def seen() -> bool:
            if problem := self._problem(self._items("#stage").get("#stage", {})):
                raise self._refused(problem.rstrip(".。"), _("Correct it, and try again"))
            return probe()

        self.target.waiter.until(what, seen, seconds=_SECONDS, every=0.1)

    def _refused(self, what: str, next_step: str) -> LotteryError:
        return LotteryError(_("evening {name}", name=self.name), what, next_step)

    def _items(self, *endings: str) -> dict[str, Item]:
        self._draws.described()
        found = self._draws.get([f"{self.name}{ending}" for ending in endings])
        return {item["draw_id"].removeprefix(self.name): item for item in found}

    def _ended(self, stage: Mapping[str, Any]) -> bool:
        try:
            return "drawing" not in stage or (
                execution.describe(self.target, stage["drawing"])["status"] in execution.ENDED
            )
        except LotteryError:  # of an emulator that was started again
            return True

    def _problem(self, stage: Mapping[str, Any]) -> str:
        try:
            found = execution.describe(self.target, stage["drawing"])
        except (KeyError, LotteryError):
            return ""
        if found["status"] in ("RUNNING", "SUCCEEDED"):
            return ""
        cause = found.get("cause", "")
        told = json.loads(cause).get("errorMessage", cause) if cause.startswith("{") else cause
        return f"{found['status']}: {found.get('error', '')}: {told}".strip(": ")

    def _people(
        self, found: Sequence[Mapping[str, Any]], withdrawn: Sequence[str]
    ) -> tuple[list[PrizeState], list[Person]]:
        """Give everybody a name: the winners, the absent, and those who were withdrawn."""
        ids = {*withdrawn}.union(*(prize[who] for prize in found for who in ("winners", "absent")))
        staff = Table(self.target, self.target.names.employee_table).get([*ids]) if ids else []
        names = {each["employee_id"]: each for each in staff}

        def people(ids: Sequence[str]) -> list[Person]:
            rows = [(each, names.get(each, {})) for each in ids]
            return [
                Person(each, row.get("employee_name", each), row.get("department", "")) for each, row in rows
            ]

        prizes = [
            PrizeState(
                number,
                each["prize"],
                int(each["count"]),
                people(each["winners"]),
                people(each["absent"]),
                "execution" in each,
                "added_by" in each,
            )
            for number, each in enumerate(found, 1)
        ]
        return prizes, people(withdrawn)
