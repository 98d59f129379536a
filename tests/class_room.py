"""A real board in a thread of this process, and simulated attendees: for tests, figures and pictures."""

import asyncio
import contextlib
import http.client
import json
import random
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from patience import SECONDS

from lottery_course import server
from lottery_course.notebooks import lessons
from lottery_course.protocol import CODE_HEADER
from lottery_lib.addresses import listen

NAMES = (
    *("Ann", "Bob", "Carla", "王伟", "Dmitri", "Emeka", "Fatima", "李娜", "Giovanni", "Hana", "Ivan", "Jun"),
    *("Kofi", "Leïla", "Mei", "Noor", "Olga", "Pedro", "Qiu", "Ravi", "Sofía", "Tomás", "Uma", "Viktor"),
    *("Wen", "Xu", "Yara", "Zoë", "<b>Eve</b>", "Maximiliana-Featherstonehaugh-Oyelaran"),
)
TIME = "2026-11-29T18:00:00Z"


class Clock:
    """The board's clock. Tests turn it on with `later`, or let it stand still."""

    def __init__(self) -> None:
        self.later, self.began, self.stands = 0.0, time.monotonic(), False

    def __call__(self) -> float:
        return (self.began if self.stands else time.monotonic()) + self.later


class Class:
    """A board that listens, and requests to it."""

    def __init__(self, room: server.Classroom, clock: Clock, port: int) -> None:
        self.room, self.clock, self.port = room, clock, port

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Any request; returns status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(method, path, body, dict(headers or {}))
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def send(self, attendee: int, code: str = "", **values: Any) -> int:
        """A report of attendee 1, 2, ...; returns the status."""
        body = json.dumps(report(attendee, **values)).encode()
        return self.ask("POST", "/report", body, {CODE_HEADER: code or self.room.code})[0]

    def lines(self) -> list[dict[str, Any]]:
        """The lines of the board."""
        return self.room.board.lines()

    @contextlib.contextmanager
    def events(self) -> Iterator[Iterator[dict[str, Any]]]:
        """What a page of the instructor hears."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        connection.request("GET", f"/{self.room.path}/events")
        reply = connection.getresponse()
        yield (json.loads(line[6:]) for line in reply if line.startswith(b"data: "))
        connection.close()


def report(attendee: int, /, **values: Any) -> dict[str, Any]:
    """What attendee 1, 2, ... sends."""
    whole = {"attendee": f"{attendee:032x}", "nickname": "", "lesson": "", "check": "joined", "done": True}
    return {**whole, "tries": 0, "time": TIME, "help": False, **values}


@contextlib.contextmanager
def running(port: int = 0, lan: bool = False, code: str = "", **options: Any) -> Iterator[Class]:
    """A board, by default on a free port and with a code of its own."""
    listening = listen([port], lan=lan)
    port, clock = listening.getsockname()[1], Clock()
    room = server.Classroom(lessons(), port, lan=lan, clock=clock, **options)
    room.code = code or room.code
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve(listening, room)))
    thread.start()
    try:
        yield Class(room, clock, port)
    finally:
        loop.call_soon_threadsafe(room.stopped.set)
        thread.join()
        loop.close()


def fill(board: Class, people: int = 30) -> None:
    """Let a class work for an hour: two ask for help, two fail often, two have not moved."""
    chance, course = random.Random(4), list(board.room.board.lessons.items())
    names = [NAMES[each % len(NAMES)] if each != 7 else "" for each in range(people)]
    heres = [chance.choice([3, 4, 5, 5, 5, 5, 5, 6, 6]) for _each in range(people)]

    def say(one: int, lesson: str, check: str = "start", **values: Any) -> None:
        assert board.send(one + 1, nickname=names[one], lesson=lesson, check=check, **values) == 204

    for one, here in enumerate(heres):
        for at, (lesson, (_title, checks)) in enumerate(course[: here + 1]):
            say(one, lesson)
            for check in checks:
                if chance.random() < (0.93 if at < here else 0.5):
                    say(one, lesson, check, tries=chance.choice([0, 0, 1, 2]))
                elif chance.random() < 0.5:
                    say(one, lesson, check, done=False, tries=chance.choice([1, 1, 2]))
    board.clock.later += 1100
    for one in set(range(people)) - {4, 11}:
        say(one, course[heres[one]][0])
    for one in (13, 2):
        say(one, course[heres[one]][0], "help", help=True)
        board.clock.later += 65
    say(17, course[heres[17]][0], "exercise 2", done=False, tries=5)
    say(9, course[heres[9]][0], "exercise 3", done=False, tries=3)
