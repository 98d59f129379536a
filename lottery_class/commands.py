"""The commands of a class, which ``lottery`` finds: the instructor's board; join and leave it."""

import asyncio
import contextlib
import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lottery_lib.command_line import Group, Outcome, Run, open_page, say, show
from lottery_lib.files import write_new, write_over
from lottery_lib.translation import _

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket

    from lottery_class.board import Board
    from lottery_class.server import Classroom

# Each command imports what it needs, as in `lottery_lib`.
# ruff: noqa: PLC0415

#: `lottery` shows these beside its own.
commands: Final = Group()


def unsaved(endpoint: str, *, shared: bool) -> list[str]:
    """The end of an emulator destroys nothing of a class."""
    return []


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
    from lottery_class import server
    from lottery_lib.addresses import serve_at
    from lottery_lib.course.notebooks import lessons

    save = _saver(file, anonymous) if file else None
    sockets = server.listen(port, lan=lan or check)
    number = sockets[0].getsockname()[1]
    serve_at(number)
    room = server.Classroom(lessons(), number, lan=lan or check, save=save)
    if check:
        return _check(sockets, room)
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
    _serve(sockets, room)
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


def _serve(sockets: "list[socket]", room: "Classroom") -> None:
    """Serve a board until `room.stopped` is set, or a signal ends it."""
    from lottery_class import server

    async def until_signal() -> None:
        for name in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # on Windows, Ctrl-C raises KeyboardInterrupt
                asyncio.get_running_loop().add_signal_handler(name, room.stopped.set)
        await server.serve(sockets, room)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(until_signal())


def _check(sockets: "list[socket]", room: "Classroom") -> Outcome:
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
    _serve(sockets, room)
    if visitors:
        say(_("{visitor} has reached this computer: `lottery class --lan` works here.", visitor=visitors[0]))
    return Outcome({"address": url, "visitors": visitors}, bool(visitors), {})


@commands.command("join", example="lottery join 192.168.1.20 K7M4QP --name Ann", failed={"joined": False})
@click.argument("address", default="")
@click.argument("code", default="")
@click.option("--name", metavar="NICKNAME", default="", help=_("What the board shows; by default a number."))
@click.option("--show", "shows", is_flag=True, help=_("Show what was sent last for each check."))
def join(edition: str | None, address: str, code: str, name: str, shows: bool) -> Outcome:
    """Join the class whose board is at ADDRESS. From then on, your checks tell it whether they are done.

    The board gets your nickname, the lesson, the check's name, done or not yet, a count, the time, and
    whether you need help. It never gets code, output or answers.
    """
    from lottery_class import attendee

    if shows:
        sent = attendee.sent()
        return Outcome({"sent": [*map(json.loads, sent)]}, shown="\n".join(sent) or _("Nothing was sent."))
    told = attendee.join(address, code, name)
    return Outcome({"joined": True, "address": address, "nickname": name}, shown=told)


@commands.command("leave", example="lottery leave")
def leave(edition: str | None) -> Outcome:
    """Leave the class. The board forgets you, and nothing more is sent."""
    from lottery_class import attendee

    return Outcome({"joined": False}, shown=attendee.leave())
