"""Run one evening: announce it, take the public value, draw prize by prize, call the roll, close it.

An evening is a draw of the hardened edition that stays open. The tables are the truth about it: every page,
kernel and computer that looks sees the same. So a page can be loaded again and a kernel can end at any time.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lottery_lib import execution
from lottery_lib.aws_errors import AwsError, says
from lottery_lib.draws import machine_arn
from lottery_lib.errors import LotteryError
from lottery_lib.party.prizes import Prize
from lottery_lib.party.receipts import check_edition
from lottery_lib.resources.contents import draws_table
from lottery_lib.resources.dynamodb_table import Item, Table
from lottery_lib.target import Target

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
            prize can be drawn), ``"drawing"``, ``"roll call"`` (the machine waits for it), ``"closed"``.
        number: The prize that is drawn now, or whose roll call is awaited, or that was shown last; 0 if none.
        prizes: All prizes, in the order of their numbers.
        announcement: The receipt number 0 (docs/receipts.md); empty if it is new.
        public: The public value; None if it was not given yet.
        stage: What the pages agreed to show, such as ``{"scene": "rolling", "number": 2}``; see
            `Evening.show`.
        problem: Why the latest execution failed, in a sentence; empty if it did not.
    """

    step: str
    number: int = 0
    prizes: Sequence[PrizeState] = ()
    announcement: Mapping[str, Any] = field(default_factory=dict)
    public: str | None = None
    stage: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


class Evening:
    """One evening of a hardened lottery. Each call may block until AWS answers.

    Args:
        target: Where; the hardened edition.
        name: The evening's name: 1 to 60 letters, digits, `-` and `_`.

    Raises:
        LotteryError: The name is not a name, or the target is not the hardened edition.
    """

    def __init__(self, target: Target, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise LotteryError("evening", f"{name!r} cannot be its name", "Use letters, digits, - and _")
        check_edition(target, name)
        self.target, self.name = target, name
        self._draws = draws_table(target)

    def look(self) -> EveningState:
        """Read the evening from the tables."""
        items = self._items("", "#waiting", "#stage")
        draw, waiting, stage = items.get(""), items.get("#waiting"), items.get("#stage", {})
        if draw is None:
            return EveningState("new", problem=self._problem(stage), stage=stage)
        text = self._draws.item(f"#chain#{draw['chain']}")
        prizes, number = self._prizes(draw["prizes"]), int(stage.get("number", 0))
        open_now = next((each for each in prizes if each.winners and not each.done), None)
        if "closed" in draw:
            step = "closed"
        elif "public" not in draw:
            step = "public value"
        elif open_now:
            step = "roll call" if waiting and waiting.get("number") == open_now.number else "drawing"
        else:
            step = "drawing" if stage.get("drawing") and not self._ended(stage) else "ready"
        return EveningState(
            step,
            open_now.number if open_now else number,
            prizes,
            json.loads(text["text"]) if text else {},
            draw.get("public"),
            stage,
            self._problem(stage),
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
            raise LotteryError(
                f"evening {self.name}", "is announced already", "Give a new evening another name"
            )
        request = {"prizes": prizes, "evening": {"absent": absent}, "question": question}
        arn = execution.start(self.target, machine_arn(self.target), request, self.name)
        self._until("the announcement", arn, lambda: "" in self._items(""))

    def give(self, public: str) -> None:
        """Give the public value. The machine mixes it into the order of the pool."""
        self._answer("public value", {"public": public}, {"draw_id": self.name})
        self._until("the public value", "", lambda: "public" in self._items("").get("", {}))

    def draw(self, number: int) -> None:
        """Draw a prize. Its winners are recorded when `look` shows them."""
        self._start({"prize": number}, number)

    def draw_one_more(self, prize: Prize) -> None:
        """Add a prize to the evening, and draw it: a receipt names it before anybody is drawn."""
        self._start({"add": prize}, len(self.look().prizes) + 1)

    def call_roll(self, number: int, absent: Sequence[str]) -> None:
        """Say who of a prize's winners is absent (their ids). Only their places are drawn again."""
        self._answer("roll call", {"absent": list(absent)}, {"prize": number})

    def close(self) -> None:
        """End the evening: the machine tells the secret, so that everybody can check the draw."""
        arn = self._start({"close": True}, 0)
        self._until("the end of the evening", arn, lambda: "closed" in self._items("").get("", {}))

    def show(self, scene: str, number: int = 0) -> None:
        """Agree with all other pages on what they show now. It changes nothing of the draw."""
        stage = self._items("#stage").get("#stage", {})
        self._draws.put([{**stage, "draw_id": f"{self.name}#stage", "scene": scene, "number": number}])

    def _start(self, request: Mapping[str, object], number: int) -> str:
        arn = execution.start(self.target, machine_arn(self.target), {"draw_id": self.name, **request})
        stage = self._items("#stage").get("#stage", {})
        self._draws.put([{**stage, "draw_id": f"{self.name}#stage", "number": number, "drawing": arn}])
        return arn

    def _answer(self, awaits: str, output: object, request: Mapping[str, object]) -> None:
        """Send the answer to the execution that waits for it. If none waits, let one wait again."""
        waiting = self._items("#waiting").get("#waiting")
        if waiting and waiting["awaits"] == awaits and self._sent(waiting, output):
            return
        arn = self._start(request, int(str(request.get("prize", 0))))
        old = waiting and waiting["token"]
        waiting = self._until(
            f"the machine to ask for the {awaits}",
            arn,
            lambda: next((new for new in self._items("#waiting").values() if new["token"] != old), None),
        )
        self._sent(waiting, output)

    def _sent(self, waiting: Item, output: object) -> bool:
        states = self.target.client("stepfunctions")
        try:
            states.send_task_success(taskToken=waiting["token"], output=json.dumps(output))
        except AwsError as error:
            if not says("TaskTimedOut", "InvalidToken", "TaskDoesNotExist")(error):
                raise
            return False  # the execution has ended, or the emulator was started again
        finally:
            self._draws.remove([f"{self.name}#waiting"])
        return True

    def _until(self, what: str, arn: str, probe: Any) -> Any:
        def seen() -> Any:
            if arn and (problem := self._problem({"drawing": arn})):
                raise LotteryError(f"evening {self.name}", problem.rstrip("."), "Correct it, and try again")
            return probe()

        return self.target.waiter.until(what, seen, seconds=_SECONDS, every=0.1)

    def _items(self, *endings: str) -> dict[str, Item]:
        self._draws.described()
        found = self._draws.get([f"{self.name}{ending}" for ending in endings])
        return {item["draw_id"].removeprefix(self.name): item for item in found}

    def _ended(self, stage: Mapping[str, Any]) -> bool:
        try:
            return execution.describe(self.target, stage["drawing"])["status"] in execution.ENDED
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

    def _prizes(self, found: Sequence[Mapping[str, Any]]) -> list[PrizeState]:
        ids = [each for prize in found for each in (*prize["winners"], *prize["absent"])]
        staff = Table(self.target, self.target.names.employee_table).get(ids) if ids else []
        names = {each["employee_id"]: each for each in staff}

        def people(ids: Sequence[str]) -> list[Person]:
            rows = [(each, names.get(each, {})) for each in ids]
            return [
                Person(each, row.get("employee_name", each), row.get("department", "")) for each, row in rows
            ]

        return [
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
