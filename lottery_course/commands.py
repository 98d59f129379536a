"""The commands of the course, which ``lottery`` finds: the doctor, copies, a rehearsal, and a class."""

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lottery_lib.command_line import (
    ON_EMPTIED,
    Group,
    Outcome,
    Run,
    agree,
    connected,
    open_page,
    say,
    show,
    yes_option,
)
from lottery_lib.errors import LotteryError
from lottery_lib.files import write_new, write_over
from lottery_lib.translation import _, language, translated

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket

    from lottery_course.board import Board
    from lottery_course.server import Classroom
    from lottery_lib.target import Target

# Each command imports what it needs, as in `lottery_lib`.
# ruff: noqa: PLC0415

#: `lottery` shows these beside its own.
commands: Final = Group()


def _emptied(target: "Target", command: str) -> None:
    from lottery_course.sharing import tell_others

    tell_others(target, command)


ON_EMPTIED.append(_emptied)


@commands.command(example="lottery doctor")
def doctor(edition: str | None) -> Outcome:
    """Check whether this machine can run the course."""
    from lottery_course.doctor import examine, missing

    findings = examine(edition)
    lines = [
        _("ok: {check}: {detail}", check=translated(language(), each["check"]), detail=each["detail"])
        for each in findings
        if each["ok"]
    ]
    return Outcome(findings, len(lines) == len(findings), "\n".join([*lines, *missing(findings)]))


@commands.command(example="lottery policy --account 123456789012 --region us-east-1")
@click.option("--account", metavar="DIGITS", help=_("The account; by default the target's."))
@click.option("--region", metavar="NAME", help=_("The region; by default the target's."))
@click.option("--boundary", is_flag=True, help=_("Print the permissions boundary of the attendee's roles."))
@click.option("--by-hand", is_flag=True, help=_("Print it for what lessons 09, 11, 14 and 18 make by hand."))
def policy(
    edition: str | None, account: str | None, region: str | None, boundary: bool, by_hand: bool
) -> Outcome:
    """Print the policy that an attendee needs on AWS.

    An administrator gives it to the attendee, and creates the boundary once. The policy allows roles only
    within the boundary. What lessons make by hand needs a policy more, and a wider boundary.
    """
    from lottery_course import attendee_policy
    from lottery_lib.target import chosen_names, connect, elsewhere, introduction

    if account and not region:
        raise LotteryError("--account", _("needs a region, too"), _("Give --region, such as us-east-1"))
    if account and region:
        target = elsewhere(account, region, chosen_names(edition=edition))
    else:
        target = connect(edition=edition, region=region)
        where = introduction(target) if target.kind == "aws" else _("This is for the emulator's account")
        say(_("{where}; use --account and --region for another account", where=where))
    name = target.names.boundary
    if boundary:
        document = attendee_policy.boundary(target, by_hand=by_hand)
        create = f"aws iam create-policy --policy-name {name} --policy-document file://FILE"
        say(_("The administrator creates it once, under this name: {command}", command=create))
    else:
        document = (attendee_policy.policy_by_hand if by_hand else attendee_policy.policy)(target)
        say(
            _(
                "It allows roles only within the boundary {name}, which `lottery policy --boundary` prints",
                name=name,
            )
        )
    return Outcome(document, shown=json.dumps(document, indent=2))


@commands.command(example="lottery rehearse")
def rehearse(edition: str | None) -> Outcome:
    """Run every notebook. An instructor does this before a course."""
    from lottery_course import doctor, notebooks

    for sentence in doctor.missing(doctor.examine(edition)):
        say(sentence)
    rows = notebooks.rehearse(sys.stderr)
    return Outcome(rows, all(row["ok"] for row in rows), notebooks.summary(rows))


@commands.command(example="lottery progress")
def progress(edition: str | None) -> Outcome:
    """Show which exercises of the course you have solved. Only this computer knows it."""
    from lottery_course.notebooks import lessons
    from lottery_course.progress import solved

    rows, lines, by_lesson, done, count = [], list[str](), solved(), 0, 0
    for number, lesson in lessons().items():
        marks = [check in by_lesson.get(number, ()) for check in lesson.checks if check != "verify"]
        rows.append({"lesson": number, "title": lesson.title, "solved": sum(marks), "exercises": len(marks)})
        lines.append(f"{''.join('✓' if mark else '○' for mark in marks):6} {lesson.title}")
        done, count = done + sum(marks), count + len(marks)
    lines.append(_("Solved: {done} of {count} exercises.", done=done, count=count))
    return Outcome(rows, shown="\n".join(lines))


@commands.command(example="lottery notebooks --fresh 05")
@click.option("--fresh", metavar="NAME", default="", help=_("Replace the copy of this notebook, such as 05."))
def notebooks(edition: str | None, fresh: str) -> Outcome:
    """Make your own copies of the notebooks, in the folder `work`. A copy that you have changed stays."""
    from lottery_course.copies import copy_notebooks

    done = copy_notebooks(fresh)
    if done.newer:
        names = ", ".join(done.newer)
        say(
            _(
                "These have changed since you have your copies: {names}. `lottery notebooks --fresh 05` "
                "copies 05 again, and keeps yours",
                names=names,
            )
        )
    for name, old in done.kept.items():
        say(_("{name} is fresh. What you had is in {old}", name=name, old=old))
    return Outcome(done._asdict(), shown={"folder": done.folder})


@commands.command(example="lottery mission 1", failed={"solved": False})
@click.argument("number", type=int, metavar="N")
@click.option("--hint", "hints", is_flag=True, help=_("Give the next hint, which costs minutes."))
@click.option("--check", "checks", is_flag=True, help=_("Check by running whether it is solved."))
@click.option("--no-clock", is_flag=True, help=_("Count no minutes for this mission."))
@yes_option
def mission(
    *, edition: str | None, number: int, hints: bool, checks: bool, no_clock: bool, yes: bool
) -> Outcome:
    """Begin mission N: one thing in the lottery breaks, and you are on call.

    It brings the lottery to the start of lesson 20 first. Mission 0 is the practice.
    """
    import time

    from lottery_course import missions

    target = connected("tutorial")
    if hints:
        text = missions.hint(target, number)
        return Outcome({"mission": number, "text": text}, shown=text)
    if checks:
        verdict = missions.check(target, number, clock=time.time)
        document = {"mission": number, "solved": verdict.solved, "text": verdict.text}
        return Outcome(document, verdict.solved, verdict.text)
    question = _(
        "empty the table of winners, load the ten employees and break one thing in account {account}",
        account=target.account,
    )
    agree(target, yes, question)
    text = missions.begin(target, number, clock=time.time, timed=not no_clock)
    return Outcome({"mission": number, "text": text}, shown=text)


@commands.command("class", example="lottery class --lan", failed={"address": None, "code": None})
@click.option("--lan", is_flag=True, help=_("Let other computers of the room join, and your phone look."))
@click.option("--port", type=int, metavar="INTEGER", help=_("The board's port; 8877 by default."))
@click.option("--save", "file", metavar="FILE", help=_("Save the checks in this new file at the end."))
@click.option("--anonymous", is_flag=True, help=_("Save numbers in place of nicknames."))
@click.option("--check", is_flag=True, help=_("Find out whether other computers reach this one."))
@click.option("--no-browser", is_flag=True, help=_("Open no browser, and only print the address."))
@click.pass_obj
def class_(
    run: Run,
    *,
    edition: str | None,
    lan: bool,
    port: int | None,
    file: str | None,
    anonymous: bool,
    check: bool,
    no_browser: bool,
) -> Outcome | None:
    """Open a board that shows how far each attendee is, and who needs you.

    Attendees join with the line that it shows. Everything is in memory. Ctrl-C ends the board and its code.
    """
    from lottery_course import server
    from lottery_course.notebooks import lessons
    from lottery_course.protocol import PORT
    from lottery_lib.addresses import listen, serve_at

    save = _saver(file, anonymous) if file else None
    listening = listen(range(PORT, PORT + 20) if port is None else [port], lan=lan or check)
    number = listening.getsockname()[1]
    serve_at(number)
    room = server.Classroom(lessons(), number, lan=lan or check, save=save)
    if check:
        return _check(listening, room)
    document = {"address": room.address, "code": room.code, "page": room.page, "phone": room.phone_page}
    if run.as_json:
        show(document, as_json=True)
    else:
        say(_("Your page: {page}", page=room.page))
        if lan:
            say(_("The same for your phone; show nobody this address: {page}", page=room.phone_page))
            say(_LAN)
        else:
            say(_("Only this computer can join. For the other computers of a room, use --lan."))
        say(_("Attendees type this:\n\n    {command}\n\nCtrl-C ends the board.", command=room.command))
    if not no_browser:
        open_page(room.page)
    _serve(listening, room)
    if save:
        save(room.board)
        say(_("The checks are saved in {file}", file=file))
    return None  # the document was shown when the board began


_LAN: Final = _(
    "Every computer in this network can now reach the board. Who has the code can join; nobody sees your "
    "page with it. What is sent is not encrypted. If your system asks whether Python may accept connections, "
    "allow it. `lottery class --check` finds out whether other computers reach this one."
)
_NOBODY: Final = _(
    "If nobody comes within a minute, the network keeps its computers apart, or a firewall here refuses. "
    "Allow Python in the firewall. Else use a hotspot of your own, such as a phone, or one server for all."
)


def _saver(file: str, anonymous: bool) -> "Callable[[Board], None]":
    """What saves a board in a new file."""
    write_new(file, b"")

    def save(board: "Board") -> None:
        text = json.dumps(board.saved(anonymous=anonymous), ensure_ascii=False, indent=1)
        write_over(Path(file), f"{text}\n".encode())

    return save


def _serve(listening: "socket", room: "Classroom") -> None:
    """Serve a board until `room.stopped` is set, or a signal ends it."""
    from lottery_course import server

    async def until_signal() -> None:
        for name in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # on Windows, Ctrl-C raises KeyboardInterrupt
                asyncio.get_running_loop().add_signal_handler(name, room.stopped.set)
        await server.serve(listening, room)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(until_signal())


def _check(listening: "socket", room: "Classroom") -> Outcome:
    """Wait until another computer of the room reaches this one."""
    url = f"http://{room.address}/"
    say(_("On another computer in this room, open this address in a browser: {url}", url=url))
    say(_NOBODY)
    visitors: list[str] = []

    def visited(address: str) -> None:
        if room.address.startswith(f"{address}:") or address.startswith("127."):
            say(_("That was this computer. Use another one."))
        else:
            visitors.append(address)
            room.stopped.set()

    room.visited = visited
    _serve(listening, room)
    if visitors:
        say(_("{visitor} has reached this computer: `lottery class --lan` works here.", visitor=visitors[0]))
    return Outcome({"address": url, "visitors": visitors}, bool(visitors), {})


@commands.command("join", example=_("lottery join 192.168.1.20 K7M4QP --name Ann"), failed={"joined": False})
@click.argument("address", default="")
@click.argument("code", default="")
@click.option("--name", metavar="NICKNAME", default="", help=_("What the board shows; by default a number."))
@click.option("--show", "shows", is_flag=True, help=_("Show what was sent last for each check."))
def join(edition: str | None, address: str, code: str, name: str, shows: bool) -> Outcome:
    """Join the class whose board is at ADDRESS. From then on, your checks tell it whether they are done.

    The board gets your nickname, the lesson, the check's name, done or not yet, a count, the time, and
    whether you need help. It never gets code, output or answers.
    """
    from lottery_course import attendee

    if shows:
        sent = attendee.sent()
        return Outcome({"sent": [*map(json.loads, sent)]}, shown="\n".join(sent) or _("Nothing was sent."))
    sentence = attendee.join(address, code, name)
    return Outcome({"joined": True, "address": address, "nickname": name}, shown=sentence)


@commands.command("leave", example="lottery leave")
def leave(edition: str | None) -> Outcome:
    """Leave the class. The board forgets you, and nothing more is sent."""
    from lottery_course import attendee

    return Outcome({"joined": False}, shown=attendee.leave())
