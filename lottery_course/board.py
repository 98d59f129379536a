"""Keep what attendees have done, and say who needs the instructor first, and why.

All of it is in memory. Times are the board's own: an attendee's clock may be wrong.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lottery_course.notebooks import Lesson
from lottery_course.protocol import Report
from lottery_lib.translation import _

#: The most attendees of a board.
MOST_ATTENDEES: Final = 400
#: After so many seconds without anything new, somebody "has not moved".
LONG: Final = 600
#: So often somebody may fail a check before the board says it.
OFTEN: Final = 3


@dataclass
class Attendee:
    """One line of the board. `moved` and `asked` are the board's times, in seconds.

    `cells` has, by lesson and for each of its checks: -1 if it is done, else how often it was tried. `states`
    has what a file keeps of a check; its `time` is by the attendee's own clock.
    """

    number: int
    cells: dict[str, list[int]]
    nickname: str = ""
    moved: float = 0.0
    lesson: str = ""
    asked: float | None = None
    states: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def name(self, *, anonymous: bool = False) -> str:
        """The nickname; without one, or if nobody may know it, a number."""
        return (not anonymous and self.nickname) or _("Attendee {number}", number=self.number)


class Board:
    """The attendees of a class.

    Args:
        lessons: The lessons and their checks.
        clock: Seconds, from any start.
    """

    def __init__(self, lessons: Mapping[str, Lesson], clock: Callable[[], float]) -> None:
        self.lessons = lessons
        self.attendees: dict[str, Attendee] = {}
        self._clock = clock
        self._numbers = 0

    def accept(self, report: Report) -> bool:
        """Take a report; returns False if it is somebody new, and the board is full.

        What the course does not have is left out.
        """
        lesson, check, whose = report["lesson"], report["check"], report["attendee"]
        if check == "left":
            self.attendees.pop(whose, None)
            return True
        now = self._clock()
        if whose not in self.attendees:
            if len(self.attendees) >= MOST_ATTENDEES:
                return False
            self._numbers += 1
            cells = {number: [0] * len(each.checks) for number, each in self.lessons.items()}
            self.attendees[whose] = Attendee(self._numbers, cells)
        one = self.attendees[whose]
        one.nickname, one.moved = report["nickname"], now
        since = now if one.asked is None else one.asked
        one.asked = since if report["help"] else None
        one.lesson = lesson if lesson in self.lessons else one.lesson
        if lesson in self.lessons and check in self.lessons[lesson].checks:
            old = one.states.get((lesson, check), report)
            tries = max(old["tries"], report["tries"])
            # Who has done it can do it, whatever a later run says.
            done = old["done"] or report["done"]
            one.states[lesson, check] = {"done": done, "tries": tries, "time": report["time"]}
            cell = one.cells[lesson] = one.cells[lesson].copy()  # a line may have the old one
            cell[self.lessons[lesson].checks.index(check)] = -1 if done else tries
        return True

    def lines(self) -> list[dict[str, Any]]:
        """What the page shows of each attendee; who needs the instructor comes first."""
        now = self._clock()
        ranked = []
        for one in self.attendees.values():
            kind, since, why = self._why_first(one, now)
            line = {"number": one.number, "name": one.name(), "kind": kind, "why": why}
            rank = ("help", "failed", "still", "").index(kind), since, one.name().casefold(), one.number
            ranked.append((rank, line | {"lesson": one.lesson, "cells": [*one.cells.values()]}))
        return [line for _rank, line in sorted(ranked, key=lambda each: each[0])]

    def _why_first(self, one: Attendee, now: float) -> tuple[str, float, str]:
        """Why somebody needs the instructor, if so: a kind, what sorts inside that kind, and a sentence."""
        if one.asked is not None:
            minutes = int((now - one.asked) // 60)
            asked = _("Asks for help, {minutes} min ago", minutes=minutes) if minutes else _("Asks for help")
            return "help", one.asked, asked
        cell = one.cells.get(one.lesson, [])
        if (most := max(cell, default=0)) >= OFTEN:
            check = in_words(self.lessons[one.lesson].checks[cell.index(most)])
            what = {"check": check, "lesson": one.lesson, "count": most}
            return "failed", -most, _("Lesson {lesson}, {check}: {count} times not yet right", **what)
        is_done = cell and set(cell) == {-1}
        minutes = int((now - one.moved) // 60)
        if now - one.moved >= LONG and not is_done:
            where = (one.lesson and _("lesson {lesson}", lesson=one.lesson)) or _("no lesson begun")
            still = _("Nothing new for {minutes} min, {where}", minutes=minutes, where=where)
            return "still", one.moved, still
        return "", 0.0, _("Has done lesson {lesson}", lesson=one.lesson) if is_done else ""

    def summary(self) -> dict[str, Any]:
        """How many there are, and how many have done the lesson that most of them are in."""
        here = Counter(one.lesson for one in self.attendees.values() if one.lesson)
        lesson = max(here, key=lambda each: (here[each], each), default="")
        done = sum(set(one.cells[lesson]) == {-1} for one in self.attendees.values()) if lesson else 0
        return {"attendees": len(self.attendees), "lesson": lesson, "done": done}

    def saved(self, *, anonymous: bool) -> dict[str, Any]:
        """What a file keeps: each attendee's name or number, and the checks."""
        attendees = []
        for one in self.attendees.values():
            checks = [{"lesson": key[0], "check": key[1], **one.states[key]} for key in sorted(one.states)]
            attendees.append({"name": one.name(anonymous=anonymous), "checks": checks})
        return {"format": 1, "attendees": attendees}


def in_words(check: str) -> str:
    """A check, as people read it."""
    word, _space, number = check.partition(" ")
    if word == "mission":
        return _("mission {number}", number=number)
    return _("exercise {number}", number=number) if word == "exercise" else _("what the lesson builds")
