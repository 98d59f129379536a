"""Measure a board: 200 attendees with a report a second each, or 200 reports at the same moment."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

import psutil
from class_room import report

PEOPLE = 200


class Figures(NamedTuple):
    """Milliseconds from a report to the page, how many came there, their statuses, the board's megabytes."""

    median: float
    count: int
    statuses: set[int]
    megabytes: float


class Load:
    """Attendees who send, and a page that listens: how long each report takes to the page."""

    def __init__(self, told):
        self.host, port = told["address"].split(":")
        self.port, self.told = int(port), told
        self.path = told["page"].partition(told["address"])[2]
        self.sent, self.seconds, self.statuses, self.next = {}, [], [], 1

    async def send(self, one, tries):
        """One report of an attendee, on a connection of its own, as the kit's attendees send."""
        body = json.dumps(
            report(one, nickname=str(one), lesson="05", check="exercise 1", done=False, tries=tries)
        )
        self.sent.setdefault(str(one), {})[tries] = time.perf_counter()
        reader, writer = await asyncio.open_connection(self.host, self.port)
        head = (
            f"POST /report HTTP/1.1\r\nHost: {self.told['address']}\r\nX-Class-Code: {self.told['code']}\r\n"
        )
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        self.statuses.append(int((await reader.readline()).split()[1]))
        writer.close()

    async def listen(self):
        """The page: it notes when each report has come."""
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=10_000_000)
        writer.write(f"GET {self.path}events HTTP/1.1\r\nHost: {self.told['address']}\r\n\r\n".encode())
        while line := await reader.readline():
            if not line.startswith(b"data: "):
                continue
            now = time.perf_counter()
            for each in json.loads(line[6:])["lines"]:
                waiting, shown = self.sent.get(each["name"], {}), each["cells"][5][0]
                for tries in [tries for tries in waiting if tries <= shown]:
                    self.seconds.append(now - waiting.pop(tries))

    async def run(self, rounds, spread):
        """Let everybody send `rounds` times, spread over so many seconds each time."""
        listening = asyncio.create_task(self.listen())
        await asyncio.sleep(0.5)

        self.seconds, first, self.next = [], self.next, self.next + rounds

        async def attendee(one):
            await asyncio.sleep(one * spread / PEOPLE)
            for tries in range(first, first + rounds):
                began = time.perf_counter()
                await self.send(one, tries)
                await asyncio.sleep(max(0, spread - (time.perf_counter() - began)))

        await asyncio.gather(*(attendee(one) for one in range(PEOPLE)))
        await asyncio.sleep(1)
        listening.cancel()


def measured(rounds: int, spread: float, tries: int = 1) -> list[Figures]:
    """The load on a board that runs in a process of its own, so many times."""
    command = [sys.executable, "-m", "lottery_lib", "class", "--no-browser", "--port", "0", "--json"]
    found = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            load = Load(json.loads(process.stdout.readline()))
            for _try in range(tries):
                asyncio.run(load.run(rounds, spread))
                times = [1000 * each for each in load.seconds]
                megabytes = psutil.Process(process.pid).memory_info().rss / 1e6
                found.append(Figures(statistics.median(times), len(times), set(load.statuses), megabytes))
        finally:
            process.terminate()
    return found
