"""Join a class, leave it, and tell its board the newest state of each check.

A cell only leaves a note, and another thread does the rest. That thread keeps the newest state of each check
in a file, and sends those that the board does not have. So nothing is lost if the board cannot be reached, or
if a kernel ends. All kernels of an attendee share that file.
"""

import atexit
import contextlib
import hmac
import http.client
import json
import queue
import re
import secrets
import sys
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypedDict

from filelock import FileLock
from IPython.core.getipython import get_ipython

from lottery_course.checks import Ready
from lottery_course.progress import joined_file, lesson_begun
from lottery_course.protocol import CODE_HEADER, PORT, checked, clean_code, clean_nickname
from lottery_lib.errors import LotteryError
from lottery_lib.files import write_over
from lottery_lib.translation import _

#: Seconds until a board that does not answer counts as not there, and until the next try.
_PATIENCE: Final = 3.0
_AGAIN: Final = 10.0
_ADDRESS: Final = re.compile(r"(?:http://)?([A-Za-z0-9.-]+)(?::([0-9]{1,5}))?/?")


class Joined(TypedDict):
    """What the file keeps: who has joined which class, and the newest state of each check.

    `secret` makes the numbers by which boards know this attendee. A state has what `_post` sends, the last
    report that was `sent`, and `is_new` if it is newer than that.
    """

    address: str
    code: str
    nickname: str
    secret: str
    help: bool
    states: dict[str, dict[str, Any]]


def join(address: str, code: str, nickname: str = "") -> Ready:
    """Join the class of a board. From then on, each check tells it whether it is done.

    Args:
        address: The board's address, such as ``"192.168.1.20:8877"``.
        code: Its code, such as ``"K7M4QP"``.
        nickname: What the board shows; by default a number.

    Returns:
        What is sent from now on.

    Raises:
        LotteryError: The board cannot be reached, or it refuses.
    """
    match = _ADDRESS.fullmatch(address.strip())
    if not match:
        next_step = _("Type it as the board shows it, such as 192.168.1.20:8877")
        raise LotteryError(repr(address), _("is no address of a board"), next_step)
    with _lock():
        secret = secrets.token_hex(16)
        joined = _read() or Joined(address="", code="", nickname="", secret=secret, help=False, states={})
        joined["address"] = f"{match[1]}:{match[2] or PORT}"
        joined["code"], joined["nickname"] = clean_code(code), clean_nickname(nickname)
        _post(joined, _whole("joined"))
        for state in joined["states"].values():  # the board may be a new one
            state["is_new"] = True
        _write(joined)
    SENDER.wake()
    return Ready(
        _(
            "You have joined the class. The board gets your nickname, the lesson, the name of each check "
            "that you run, done or not yet, a count, the time, and whether you need help. It never gets "
            "code, output or answers. `lottery join --show` shows what was sent. `lottery leave` ends it."
        )
    )


def leave() -> Ready:
    """Leave the class. The board is told if it can be reached, and forgets this attendee."""
    with _lock():
        joined = _read()
        joined_file().unlink(missing_ok=True)
    if joined is None:
        return Ready(_("You have not joined a class."))
    try:
        _post(joined, _whole("left"))
    except LotteryError as error:
        return Ready(_("You have left the class. The board was not told: {reason}", reason=error))
    return Ready(_("You have left the class. The board has forgotten you."))


def sent() -> list[str]:
    """The last report of each check, as it was sent."""
    joined = _read()
    return [state["sent"] for state in joined["states"].values() if state["sent"]] if joined else []


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _lock() -> FileLock:
    """Keeps the other kernels of this attendee from the file."""
    folder = joined_file().parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return FileLock(folder / "lock", timeout=10)


def _read() -> Joined | None:
    try:
        joined: Joined = json.loads(joined_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return joined


def _write(joined: Joined) -> None:
    write_over(joined_file(), json.dumps(joined).encode())


class NotTakenError(LotteryError):
    """The board does not take a report, or cannot be reached (`status` 0)."""

    status = 0


def _post(joined: Joined, state: Mapping[str, Any]) -> str:
    """Send a report, and ask no proxy; returns it. Only what the schema knows is ever sent.

    Raises:
        ValueError: It is no check of the kit.
        NotTakenError: The board does not take it.
    """
    whole = {key: joined[key] for key in ("nickname", "help")} | {"attendee": _number(joined)}
    whole |= {key: state[key] for key in ("lesson", "check", "done", "tries", "time")}
    body = json.dumps(checked(whole))
    connection = http.client.HTTPConnection(joined["address"], timeout=_PATIENCE)
    headers = {"Content-Type": "application/json", CODE_HEADER: joined["code"]}
    status, reason = 0, ""
    try:
        connection.request("POST", "/report", body, headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        reason = getattr(error, "strerror", "") or type(error).__name__
    finally:
        connection.close()
    if status in (204, 400):  # a board of another version knows other checks
        return body
    what, next_step = {
        0: (_("cannot be reached ({reason})", reason=reason), _("Compare the address with the board's")),
        403: (_("does not know this code"), _("Type the line that the board shows now")),
        503: (_("is full"), _("Ask your instructor")),
    }.get(status, (_("does not take it (HTTP {status})", status=status), _("Try again in a minute")))
    problem = NotTakenError(_("board {address}", address=joined["address"]), what, next_step)
    problem.status = status
    raise problem


def _number(joined: Joined) -> str:
    """The number by which this board knows the attendee. Another board, which may be false, gets another."""
    board = f"{joined['address']} {joined['code']}".encode()
    return hmac.digest(joined["secret"].encode(), board, "sha256").hex()[:32]


def _whole(check: str) -> dict[str, Any]:
    """What is sent about joining and leaving."""
    return {"lesson": "", "check": check, "done": True, "tries": 0, "time": _now()}


class _Sender:
    """The thread that tells the board. It starts with the first note."""

    def __init__(self) -> None:
        self._notes: queue.Queue[tuple[str, str, bool, str] | None] = queue.Queue(1000)
        self._idle = threading.Event()
        self._thread: threading.Thread | None = None
        self._refused: tuple[str, str] | None = None
        self._problem, self._is_said, self._shows_button = "", False, False

    def note(self, lesson: str, check: str, done: bool) -> None:
        """Note that a check was run. The thread sends it; this uses no file and no network.

        Args:
            lesson: Two digits; empty before the first lesson.
            check: ``"exercise 2"``, ``"verify"``, ``"start"`` or ``"help"``.
            done: Whether it is done; for ``"help"``, whether no help is needed.
        """
        if shell := get_ipython():
            shell.events.register("post_run_cell", self._after_cell)  # once, if it is registered already
        self._shows_button |= check == "start"
        self.wake((lesson, check, done, _now()))

    def wake(self, note: tuple[str, str, bool, str] | None = None) -> None:
        """There is something to send."""
        self._idle.clear()
        with contextlib.suppress(queue.Full):
            self._notes.put_nowait(note)
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="lottery class", daemon=True)
            self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait until the board has everything, at most so long; returns whether it has."""
        return self._thread is None or self._idle.wait(seconds)

    def _run(self) -> None:
        pause = None
        while True:
            notes = []
            with contextlib.suppress(queue.Empty):
                notes.append(self._notes.get(timeout=pause))
                while True:
                    notes.append(self._notes.get_nowait())
            pause = _AGAIN
            with contextlib.suppress(Exception):  # such as a full disk: nothing of this may reach a cell
                self._keep(filter(None, notes))
                pause = None if self._send() else _AGAIN
            if pause is None and self._notes.empty():
                self._idle.set()

    def _keep(self, notes: Iterable[tuple[str, str, bool, str]]) -> None:
        """Put notes into the file, unless this attendee has left."""
        with _lock():
            joined = _read()
            if joined is None:
                return
            for lesson, check, done, time in notes:
                if check == "help":
                    joined["help"] = not done
                state = joined["states"].pop(f"{lesson} {check}", {"done": False, "tries": 0, "sent": ""})
                state["tries"] = min(state["tries"] + (not done), 9999)
                state["done"] = done or (state["done"] and check != "help")  # who has done it can do it
                state |= {"lesson": lesson, "check": check, "time": time, "is_new": True}
                joined["states"][f"{lesson} {check}"] = state  # the newest is the last
            _write(joined)

    def _send(self) -> bool:
        """Send what the board does not have; returns whether nothing is left to do."""
        joined = _read()
        if joined is None or (joined["address"], joined["code"]) == self._refused:
            return True
        for key, state in joined["states"].items():
            if not state["is_new"]:
                continue
            body = ""
            try:
                body = _post(joined, state)
            except ValueError:
                pass  # it is no check of the kit
            except NotTakenError as problem:
                self._problem = _("{problem} Go on: your checks are kept, and sent later.", problem=problem)
                self._refused = (joined["address"], joined["code"]) if problem.status == 403 else None
                return problem.status == 403  # that board has ended: asking again does not help
            with _lock():
                now = _read()
                # Else it was run again since, or the attendee left.
                if now and now["states"].get(key) == state:
                    now["states"][key] = state | {"sent": body, "is_new": False}
                    _write(now)
        self._problem = ""
        return True

    def _after_cell(self, _ended: object) -> None:
        """Below a cell: the button for help, or once that the board cannot be reached."""
        if self._problem and not self._is_said:
            self._is_said = True
            sys.stdout.write(f"{self._problem}\n")
        if self._shows_button:
            self._shows_button = False
            joined = _read()
            show_help_button(joined is not None and joined["help"])


def show_help_button(is_asked: bool) -> None:
    """Show the button *I need help*. Pressed again, it takes that back."""
    import ipywidgets  # noqa: PLC0415 - only in a notebook
    from IPython.display import display  # noqa: PLC0415

    button = ipywidgets.ToggleButton(value=is_asked, layout={"width": "auto"})
    words = ipywidgets.Label()

    def say() -> None:
        button.description = _("I do not need help any more") if button.value else _("I need help")
        words.value = _("You have asked for help.") if button.value else ""

    def press(_change: object) -> None:
        say()
        if joined_file().exists():
            SENDER.note(lesson_begun(), "help", not button.value)
        else:
            words.value = _("You have left the class.")

    say()
    button.observe(press, "value")
    display(ipywidgets.HBox([button, words]))


SENDER: Final = _Sender()
atexit.register(SENDER.wait, 1)  # a kernel that ends has often just run a check
