"""An attendee's real checks on a real board: what is sent, and what is not."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from class_room import running
from helpers import wait_until
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from ipywidgets.widgets import widget
from patience import SECONDS

from lottery_course import attendee, check, checks, join, leave, progress, restore, verify
from lottery_course.attendee import SENDER
from lottery_course.cells import code_cells
from lottery_course.progress import joined_file
from lottery_course.protocol import SCHEMA
from lottery_lib import connect
from lottery_lib.errors import LotteryError

SECRET = "s3cr3t-4nsw3r"


@pytest.fixture
def shell(monkeypatch):
    """A kernel's shell of an attendee who has not joined."""
    monkeypatch.setattr(attendee, "_AGAIN", 0.3)
    monkeypatch.setattr(attendee, "_PATIENCE", SECONDS)
    monkeypatch.setattr(attendee, "SENDER", sender := attendee._Sender())
    monkeypatch.setattr(sys.modules[__name__], "SENDER", sender)
    progress._BEGUN.clear()
    shell = InteractiveShell.instance()
    checks.watch_exercises()
    yield shell
    joined_file().unlink(missing_ok=True)
    sender.wait(5)
    InteractiveShell.clear_instance()


@pytest.fixture
def board():
    with running() as board:
        yield board


@pytest.fixture
def ann(shell, board):
    """`ann(cell)`: Ann has joined, and runs a cell; returns what it shows. The board has it then."""
    join(board.room.address, board.room.code, "Ann")
    shell.user_ns["target"] = connect()

    def run(cell):
        with capture_output() as shown:
            shell.run_cell(cell)
        assert SENDER.wait(SECONDS)
        return shown

    run("from lottery_course import restore, check, verify")
    return run


def line_of(board):
    (line,) = board.lines()
    return line


CHECK = "check(1, 'x', lambda given: given == 3, done='three', hint='count')"


def test_checks_of_a_lesson_come_to_the_board(ann, board):
    """Restore, check and verify of a real lesson: the line has the lesson, and each check's state."""
    ann("restore(target, '03')")
    assert line_of(board)["lesson"] == "03"
    ann("# Exercise 1\nx = 2")
    for _try in range(3):
        ann(CHECK)
    ann("verify(target, '03')")
    line = line_of(board)
    assert line["cells"][3] == [3, 0, 0, 1]
    assert (line["name"], line["why"]) == ("Ann", "Lesson 03, exercise 1: 3 times not yet right")
    ann("# Exercise 1\nx = 3")
    ann(CHECK)
    assert line_of(board)["cells"][3] == [-1, 0, 0, 1]


def test_an_exercise_that_nobody_tried_is_no_failed_try(ann, board):
    """The board hears of a check after somebody has written into the exercise, or has solved it elsewhere."""
    ann("restore(target, '03')")
    (untouched,) = [cell.source for cell in code_cells("03") if cell.exercise == 1]
    for cell in ("", untouched):
        ann(cell)
        ann(CHECK)
    assert line_of(board)["cells"][3] == [0, 0, 0, 0]
    ann("# Exercise 1\nx = 2")
    ann(CHECK)
    assert line_of(board)["cells"][3] == [1, 0, 0, 0]


def test_the_help_button(ann, board):
    """Below a first cell stands a button. Pressed, the board shows it; pressed again, it is taken back."""
    shown = ann("restore(target, '01')")
    (model,) = [each.data.get("application/vnd.jupyter.widget-view+json") for each in shown.outputs]
    button, words = widget._instances[model["model_id"]].children
    assert button.description == "I need help"
    button.value = True
    assert SENDER.wait(SECONDS)
    assert line_of(board)["kind"] == "help"
    assert (button.description, words.value) == ("I do not need help any more", "You have asked for help.")
    button.value = False
    assert SENDER.wait(SECONDS)
    assert (line_of(board)["kind"], button.description) == ("", "I need help")
    leave()
    button.value = True
    assert words.value == "You have left the class."


def test_the_wish_for_help_stays_with_other_checks(ann, board):
    """What is sent later does not take the wish back; another kernel's button shows it."""
    ann("restore(target, '01')")
    SENDER.note("01", "help", False)
    ann("# Exercise 1\nx = 2")
    ann(CHECK)
    assert line_of(board)["kind"] == "help"
    (model,) = [
        each.data.get("application/vnd.jupyter.widget-view+json")
        for each in ann("restore(target, '02')").outputs
    ]
    assert widget._instances[model["model_id"]].children[0].value


class Recorder(ThreadingHTTPServer):
    """A server that takes everything, and keeps each byte that it gets."""

    def __init__(self, status=204):
        super().__init__(("127.0.0.1", 0), None)
        self.received, self.status, recorder = [], status, self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                recorder.received.append((f"{self.requestline}\n{self.headers}", body.decode()))
                self.send_response(recorder.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.RequestHandlerClass = Handler
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture
def recorder():
    recorder = Recorder()
    yield recorder
    recorder.shutdown()
    recorder.server_close()


def test_no_code_no_output_and_no_answer_is_sent(shell, recorder, monkeypatch):
    """A secret in names, values, code, errors, output, hints and the attendee's suffix is in no byte sent."""
    monkeypatch.setenv("LOTTERY_ATTENDEE", SECRET.replace("_", "-"))
    join(f"127.0.0.1:{recorder.server_port}", "K7M4QP", "Ann")
    shell.user_ns.update(target=connect(), secret=SECRET, check=check, verify=verify, restore=restore)
    cells = [
        "restore(target, '01')",
        f"# Exercise 1\n{SECRET.replace('-', '_')} = x = '{SECRET}'; print(x)",
        CHECK,
        f"check(1, 'x', lambda given: 1 / 0, done='{SECRET}', hint=lambda given: given)",
        f"# Exercise 2\nraise ValueError('{SECRET}')",
        "check(2, 'x', bool, done=secret, hint=secret)",
        "check(secret, 'x', bool, done=secret, hint=secret)",
        f"# Exercise 3\n{SECRET.replace('-', '_')} = 3",
        "check(3, lambda: 1 / 0, bool, done=secret, hint=secret)",
        "verify(target, '01')",
        "verify(target, secret)",
        "try:\n    restore(target, secret)\nexcept Exception:\n    pass",
    ]
    with capture_output():
        for cell in cells:
            shell.run_cell(cell)
    SENDER.note(SECRET, SECRET, True)
    SENDER.note("01", f"exercise 1 {SECRET}", True)
    assert SENDER.wait(SECONDS)
    received = [head + body for head, body in recorder.received]
    assert len(received) >= 5
    assert [each for each in received if SECRET in each or SECRET.replace("-", "_") in each] == []
    bodies = [json.loads(body) for _head, body in recorder.received]
    assert {each["check"] for each in bodies} == {
        "joined",
        "start",
        "exercise 1",
        "exercise 2",
        "exercise 3",
        "verify",
    }
    assert all(set(each) == set(SCHEMA["properties"]) for each in bodies)


def test_show_prints_the_bytes_that_were_sent(shell, recorder):
    """`join --show` has the last report of each check, letter by letter."""
    join(f"127.0.0.1:{recorder.server_port}", "k7m4qp")
    for done in (False, False, True):
        SENDER.note("05", "exercise 1", done)
        assert SENDER.wait(SECONDS)
    SENDER.note("05", "verify", False)
    assert SENDER.wait(SECONDS)
    bodies = [body for _head, body in recorder.received]
    assert attendee.sent() == [bodies[3], bodies[4]]
    assert json.loads(bodies[3])["tries"] == 2
    assert "X-Class-Code: K7M4QP" in recorder.received[0][0]


def test_who_has_not_joined_loads_and_sends_nothing():
    """A kernel of somebody who has not joined loads no module of the board, and starts no thread."""
    code = """
import sys, threading
from lottery_course import check, restore, verify
from lottery_lib import connect
target = connect()
restore(target, "01")
check(1, "x", bool, done="", hint="")
verify(target, "01")
assert not {"lottery_course.attendee", "lottery_course.protocol", "lottery_course.board"} & set(sys.modules)
assert "lottery class" not in [each.name for each in threading.enumerate()]
"""
    assert not joined_file().exists()
    subprocess.run([sys.executable, "-c", code], check=True, timeout=SECONDS)


def test_only_the_owner_reads_who_joined(ann):
    """The file with the code and the random id is for its owner alone, and so is its folder."""
    if os.name == "posix":
        assert joined_file().stat().st_mode & 0o777 == 0o600
        assert joined_file().parent.stat().st_mode & 0o777 == 0o700


def test_each_board_knows_an_attendee_by_another_number(board):
    """Who opens a false board learns no number to send reports in somebody's name to the true one."""
    with running() as false:
        for each in (board, false, board):
            join(each.room.address, each.room.code, "Ann")
        numbers = [set(each.room.board.attendees) for each in (board, false)]
    assert [len(each) for each in numbers] == [1, 1]
    assert numbers[0] != numbers[1]
    assert not [each for each in numbers[0] | numbers[1] if each in joined_file().read_text(encoding="utf-8")]


def test_a_proxy_is_not_asked(shell, board, monkeypatch):
    """The variables for a proxy do not lead the reports elsewhere."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    join(board.room.address, board.room.code, "Ann")
    assert line_of(board)["name"] == "Ann"


def joined_elsewhere(address):
    """Write the file of who has joined, as if the board had been there."""
    values = {"address": address, "code": "K7M4QP", "nickname": "Ann", "secret": "0" * 32, "help": False}
    joined_file().parent.mkdir(exist_ok=True)
    joined_file().write_text(json.dumps(values | {"states": {}}))


def test_a_cell_does_not_wait_for_the_board(shell, monkeypatch):
    """check() returns while its report is on its way. `make bench` measures how much longer it takes."""
    answered = threading.Event()
    monkeypatch.setattr(attendee, "_post", lambda *_: str(answered.wait(SECONDS)))
    joined_elsewhere("127.0.0.1:9")
    progress.begin("01")
    check(1, "x", bool, done="", hint="")
    assert not SENDER.wait(0)
    answered.set()
    assert SENDER.wait(SECONDS)


def test_a_lost_network(shell):
    """The board is away: one line once, no error, and later it gets the newest state of each check."""
    shell.user_ns["check"] = check
    with running() as board:
        join(board.room.address, board.room.code, "Ann")
        port, code = board.port, board.room.code
    with capture_output() as shown:
        progress.begin("05")
        shell.run_cell("# Exercise 1\nx = 2")
        for _each in range(4):
            shell.run_cell(CHECK)
        wait_until(lambda: SENDER._problem)
        shell.run_cell("x = 3")
        shell.run_cell("x = 3")
    assert shown.stdout.count("cannot be reached") == 1
    assert "Go on: your checks are kept, and sent later." in shown.stdout
    assert "Traceback" not in shown.stdout
    with running(port, code=code) as board:
        wait_until(lambda: SENDER.wait(1))
        assert line_of(board)["cells"][5] == [4, 0, 0, 0]
        assert line_of(board)["name"] == "Ann"


@pytest.mark.long("two other processes send")
def test_what_a_dead_kernel_missed_is_sent_by_the_next(shell):
    """Notes are in a file: another kernel of this attendee sends what the first could not."""
    with running() as board:
        join(board.room.address, board.room.code, "Ann")
        port, code = board.port, board.room.code
    other = "from lottery_course.attendee import SENDER as it; it.note('05', {!r}, False); it.wait({})"
    subprocess.run([sys.executable, "-c", other.format("exercise 1", 3)], check=True, timeout=SECONDS)
    with running(port, code=code) as board:
        subprocess.run([sys.executable, "-c", other.format("exercise 2", 30)], check=True, timeout=SECONDS)
        wait_until(lambda: board.lines() and line_of(board)["cells"][5] == [1, 1, 0, 0])


def test_two_kernels_are_one_attendee(ann, board):
    """Their tries count together, in one line."""
    ann("restore(target, '05')")
    ann("# Exercise 1\nx = 2")
    ann(CHECK)
    note = "SENDER.note('05', 'exercise 1', False)"
    other = f"from lottery_course.attendee import SENDER; {note}; SENDER.wait(30)"
    subprocess.run([sys.executable, "-c", other], check=True, timeout=SECONDS)
    wait_until(lambda: line_of(board)["cells"][5][0] == 2)


def test_a_board_that_has_ended(ann, board):
    """A board with another code is told of once, and not asked again; who joins it brings what is done."""
    ann("restore(target, '05')")
    ann("# Exercise 1\nx = 2")
    SENDER.note("05", "verify", True)
    assert SENDER.wait(SECONDS)
    board.room.code, old = "AAAAAA", board.room.code
    board.room.board.attendees.clear()
    assert "does not know this code" in ann(CHECK).stdout + ann("x = 1").stdout
    board.room.code = old
    ann(CHECK)
    assert board.lines() == []
    board.room.code = "AAAAAA"
    join(board.room.address, "aaaaaa", "Ann")
    assert SENDER.wait(SECONDS)
    assert line_of(board)["cells"][5] == [2, 0, 0, -1]


def test_leave(ann, board):
    """The board forgets who leaves, the file is gone, and later checks send nothing."""
    ann("restore(target, '01')")
    assert "forgotten" in leave()
    assert board.lines() == []
    assert not joined_file().exists()
    ann(CHECK)
    assert board.lines() == []
    assert leave() == "You have not joined a class."


def test_leave_without_a_board(shell):
    """Who leaves when the board is away has left."""
    joined_elsewhere("127.0.0.1:9")
    assert "was not told" in leave()
    assert not joined_file().exists()


@pytest.mark.parametrize(
    ("address", "code_and_name", "says"),
    [
        ("127.0.0.1:9", ("K7M4QP", ""), "cannot be reached"),
        ("{board}", ("K7M4Q", ""), "does not know this code"),
        ("{board}", ("", ""), "does not know this code"),
        ("", ("K7M4QP", ""), "is no address of a board"),
        ("ftp://x/y", ("K7M4QP", ""), "is no address of a board"),
        ("{board}", ("K7M4QP", "A\u200bnn"), "a character that nobody can see"),
        ("{board}", ("K7M4QP", "x" * 10_000), "more than 40 letters"),
    ],
)
def test_joining_goes_wrong(shell, board, address, code_and_name, says):
    """Whatever is wrong is a sentence with what to do, and nothing is kept."""
    with pytest.raises(LotteryError, match=says) as raised:
        join(address.format(board=board.room.address), *code_and_name)
    assert raised.value.next_step
    assert not joined_file().exists()
    assert board.lines() == []


def test_a_server_that_is_no_board(shell, recorder):
    """Another program at that address is told as such."""
    recorder.status = 200
    with pytest.raises(LotteryError, match=r"does not take it \(HTTP 200\)"):
        join(f"127.0.0.1:{recorder.server_port}", "K7M4QP")
