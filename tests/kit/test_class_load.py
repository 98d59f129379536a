"""A board under load: 200 attendees with a message a second each, and 200 at the same moment.

They are long: they need a machine that does little else, and they are about time.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time

import psutil
import pytest
from class_room import report

pytestmark = pytest.mark.long
PEOPLE = 200
MOST_MS, MOST_MB = 100, 150


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


@pytest.fixture
def measured():
    """`measured(rounds, spread)`: the load on a board in a process of its own, and its megabytes."""
    command = [sys.executable, "-m", "lottery_lib", "class", "--no-browser", "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    load = Load(json.loads(process.stdout.readline()))

    def measure(rounds, spread):
        asyncio.run(load.run(rounds, spread))
        megabytes = psutil.Process(process.pid).memory_info().rss / 1e6
        milliseconds = [1000 * each for each in load.seconds]
        print(
            f"{len(milliseconds)} reports: median {statistics.median(milliseconds):.0f} ms, "
            f"99 of 100 within {statistics.quantiles(milliseconds, n=100)[98]:.0f} ms; {megabytes:.0f} MB"
        )
        assert set(load.statuses) == {204}
        assert len(milliseconds) == PEOPLE * rounds
        return statistics.median(milliseconds), megabytes

    yield measure
    process.terminate()
    process.communicate(timeout=30)


@pytest.mark.parametrize(("rounds", "spread"), [(10, 1), (1, 0)], ids=["each second", "at once"])
def test_two_hundred_attendees(measured, rounds, spread):
    """Half of the reports are on the page within 100 ms, none is lost, and the board stays under 150 MB.

    The best of three tries counts, because another program may need the processor.
    """
    tries = [measured(rounds, spread) for _try in range(3)]
    assert min(median for median, _megabytes in tries) < MOST_MS
    assert max(megabytes for _median, megabytes in tries) < MOST_MB
