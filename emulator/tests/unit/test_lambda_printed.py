"""Of what a call prints, a bounded part is kept."""

import os
import threading
from types import SimpleNamespace

import pytest

from sfn_emulator.lambda_.printed import PART_BYTES, PART_LINES, Printed

LINE = b"x" * 1023 + b"\n"
NOTE = b"[The emulator keeps the first and the last 512 KB (4000 lines) of what a call prints. "


@pytest.fixture
def path(tmp_path):
    return tmp_path / "output"


@pytest.fixture
def printed(path):
    it = Printed(path)
    yield it
    it.remove()


def write(printed, text):
    """Write as the worker does, which has the same open file."""
    while text:
        text = text[os.write(printed.fileno(), text) :]


def test_a_short_output_is_whole(printed):
    """All of it, and only once."""
    write(printed, b"one\ntwo")
    assert printed.take() == b"one\ntwo"
    assert printed.take() == b""


def test_the_most_that_is_kept_is_whole(printed):
    """Up to a megabyte and 8,000 lines, nothing is missing."""
    text = b"y" * (2 * PART_BYTES - 2 * PART_LINES) + b"\n" * 2 * PART_LINES
    write(printed, text)
    assert printed.take() == text


def test_the_middle_of_a_long_output_is_left_out(printed):
    """A line says how much."""
    write(printed, b"first\n" + LINE * 3000 + b"last\n")
    text = printed.take()
    assert text.startswith(b"first\nxxx")
    assert text.endswith(b"xxx\nlast\n")
    assert NOTE + b"%d bytes are missing here.]\n" % (11 + 3000 * 1024 - 2 * PART_BYTES) in text
    assert len(text) < 2 * PART_BYTES + 200


def test_the_last_line_stays_if_it_comes_while_the_file_is_emptied(printed, monkeypatch):
    """The emulator empties a long file while the function ends."""
    write(printed, LINE * 3000)
    reader, to_come = printed._reader, [b"", b"last\n"]

    def read(count):
        piece = reader.read(count)
        write(printed, to_come.pop(0) if to_come else b"")
        return piece

    monkeypatch.setattr(printed, "_reader", SimpleNamespace(seek=reader.seek, tell=reader.tell, read=read))
    printed._collect()
    monkeypatch.undo()
    assert printed.take().endswith(b"xxx\nlast\n")


def test_many_short_lines_are_left_out(printed):
    """Each line is an event of CloudWatch Logs, and takes more memory than its text."""
    write(printed, b"".join(b"%d\n" % number for number in range(50_000)))
    lines = printed.take().splitlines()
    assert len(lines) == 2 * PART_LINES + 2
    assert (lines[0], lines[-1]) == (b"0", b"49999")


def test_the_file_stays_small_while_a_call_runs(printed, path):
    """It is emptied when it is long; beginning, end and size are still right."""
    write(printed, b"first\n")
    for _ in range(5):
        write(printed, LINE * 9 * 1024)
        printed.shorten()
        assert path.stat().st_size == 0
    write(printed, b"last\n")
    text = printed.take()
    assert text.startswith(b"first\nxxx")
    assert text.endswith(b"xxx\nlast\n")
    assert b" %d bytes are missing" % (11 + 45 * 1024 * 1024 - 2 * PART_BYTES) in text


def test_a_short_file_is_left_alone_while_a_call_runs(printed):
    """Nothing is read before the call's end."""
    write(printed, LINE * 8 * 1024)
    assert not printed.is_long
    write(printed, LINE)
    assert printed.is_long


def test_the_next_output_is_whole_again(printed):
    """What was left out before does not count."""
    write(printed, LINE * 3000)
    printed.take()
    write(printed, b"next")
    assert printed.take() == b"next"


def test_a_removed_output_is_empty(printed, path):
    """A worker may have ended already."""
    write(printed, b"text")
    printed.remove()
    printed.shorten()
    assert (printed.take(), path.exists(), printed.is_long) == (b"", False, False)


def test_the_beginning_stays_while_the_process_writes(tmp_path):
    """The process may write between any two steps of a look at its file, which has one position for all."""

    def flood(file):
        os.write(file, b"first\n")
        for _ in range(200):
            os.write(file, b"x" * 65_535 + b"\n")

    for number in range(20):
        printed = Printed(tmp_path / str(number))
        writer = threading.Thread(target=flood, args=[printed.fileno()])
        writer.start()
        while writer.is_alive():
            if printed.is_long:
                printed.shorten()
        writer.join()
        assert printed.take().startswith(b"first\n")
        printed.remove()
