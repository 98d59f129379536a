"""All lessons in a real account, in the order of the course, with the solutions of their exercises.

Of outputs, only statuses such as SUCCEEDED are compared. No cell may raise, what `HOLDS` says must hold, and
each check must say *done*.
"""

import re
import time
from functools import partial

import nbformat
import pytest
from aws.kernel import Kernel
from aws.lottery import prepare
from aws.mail_queue import MailQueue

from lottery_course.notebooks import notebooks
from lottery_lib import Stack
from lottery_party.evening import Evening
from lottery_party.night import Night
from notebooks import cells

pytestmark = pytest.mark.aws
#: What a lesson cannot do by itself on AWS, and what happens instead. The summary of the run lists it.
INSTEAD = {
    "inbox": "a queue of SQS gets what the topic sends, because no program reads your mailbox",
    "restore": "the test resets the lottery before each lesson from 06 on: `restore` only looks on AWS",
    "00-03": "lesson 00 comes after lesson 08, and its `restore` refuses: it is for the emulator",
    "20": "each mission begins and is checked, and only the practice is solved; nobody waits for an alarm",
    "90": "each evening has the time of the run in its name: AWS keeps names of executions for 90 days",
}
WITHOUT_ADDRESS = "the queue stands for ann@example.com, and nobody opens a link: --aws-email is missing"
NOW = int(time.time())
EVENING = re.compile(r'(?<=")(party|attack-\d)(?=["#])')
#: Lessons whose place is another one here: lesson 00 needs a lottery.
PLACES = {"00_overview": "09"}
LESSONS = sorted(notebooks(), key=lambda path: PLACES.get(path.stem, path.stem))


@pytest.fixture(scope="module")
def mail_queue(target, say, pytestconfig, left_out):
    """What reads the mails; it is deleted at the end."""
    email = pytestconfig.getoption("--aws-email")
    left_out.extend(f"{what}: {instead}" for what, instead in INSTEAD.items())
    if not email:
        left_out.append(f"mail: {WITHOUT_ADDRESS}")
    queue = MailQueue(target, email, say)
    yield queue
    queue.delete()


@pytest.fixture
def note(say, record_testsuite_property):
    """Tell something to who runs the tests, and write it into the file that is sent back."""

    def noted(what, words):
        say(f"{what} {words}")
        record_testsuite_property(what, words)

    return noted


@pytest.fixture
def shell(target, mail_queue, tmp_path, monkeypatch):
    monkeypatch.setenv("LOTTERY_TARGET", "aws")
    monkeypatch.setenv("LOTTERY_ATTENDEE", target.names.attendee)
    mail_queue.take_the_place(monkeypatch)
    with cells.shell(tmp_path, monkeypatch) as run:
        yield run


def test_the_pages_of_an_evening(target):
    """They show an evening that can be prepared, its guests, and the machine."""
    hardened = target.named(target.names.in_edition("hardened"))
    stack = Stack(hardened, announce=lambda plan: None)
    stack.deploy()
    night = Night(Evening(hardened, f"pages-{NOW}"), lambda news: None)
    night.turn()
    assert (night.shown["problem"], night.shown["step"]["form"]) == ("", "announce")
    assert night.shown["head"]["left"] == "10 can still win"
    assert night.shown["machine"]["states"]
    stack.teardown()


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson(path, shell, target, mail_queue, note):
    """Each cell runs, each exercise is done with its solution, and `verify` says that the lesson is done."""
    lesson, began = PLACES.get(path.stem, path.stem)[:2], time.monotonic()
    if lesson > "05":
        prepare(target, lesson, mail_queue)
    # Where there is nothing to wait for, do not wait.
    hurry = {"patience": 30, "pause": 1, "limit": 120} if target.endpoint else {}
    change = partial(in_this_account, path, mail_queue)
    kernel, check = Kernel(shell, may_raise=INSTEAD, change=change, **hurry), None
    for cell in nbformat.read(path, as_version=4).cells:
        tags = cell.metadata.get("tags", [])
        if "check" in tags:
            check = cell
        elif "solution" in tags:
            kernel.run(cell.id, cells.solution_of(cell))
            kernel.run(check.id, check.source)
        elif cell.cell_type == "code":
            kernel.run(cell.id, cell.source, () if "nbval-ignore-output" in tags else cell.outputs)
    note(path.stem, f"{time.monotonic() - began:.0f} s")
    for each in kernel.again:
        note("again in", each)


def in_this_account(path, mail_queue, source):
    """A cell with the address of who runs this, and with names that no evening had."""
    if path.stem.startswith("03"):
        protocol, address = mail_queue.address
        source = source.replace('"ann@example.com"', repr(address))
        source = source.replace('Protocol="email"', f'Protocol="{protocol}"')
    if source.startswith("!lottery "):
        return cells.in_this_process(f"{source} --yes")
    source = source.replace('verify(target, "20")', 'verify(target, "20", without=range(1, 7))')
    return EVENING.sub(rf"\1-{NOW}", source) if path.stem.startswith("90") else source


def test_nothing_is_left(target):
    """The last lesson has removed what all lessons made, in both editions."""
    hardened = target.named(target.names.in_edition("hardened"))
    assert Stack(target).left() + Stack(hardened).left() == []
