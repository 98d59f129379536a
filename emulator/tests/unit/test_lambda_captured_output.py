"""Of what a call prints, a bounded part is kept."""

import os
import threading
from types import SimpleNamespace

import pytest

from sfn_emulator.lambda_.captured_output import PART_BYTES, PART_LINES, CapturedOutput

LINE = b"x" * 1023 + b"\n"
NOTE = b"[The emulator keeps the first and the last 512 KB (4000 lines) of what a call prints. "


@pytest.fixture
def path(tmp_path):
    return tmp_path / "output"


@pytest.fixture
def output(path):
    it = CapturedOutput(path)
    yield it
    it.remove()


def write(output, text):
    """Write as the worker does, which has the same open file."""
    while text:
        text = text[os.write(output.fileno(), text) :]


def test_a_short_output_is_whole(output):
    """A short output is returned as a whole, and only once."""
    write(output, b"one\ntwo")
    assert output.take() == b"one\ntwo"
    assert output.take() == b""


def test_the_most_that_is_kept_is_whole(output):
    """Up to a megabyte and 8,000 lines, nothing is missing."""
    text = b"y" * (2 * PART_BYTES - 2 * PART_LINES) + b"\n" * 2 * PART_LINES
    write(output, text)
    assert output.take() == text


def test_the_middle_of_a_long_output_is_left_out(output):
    """A line says how many bytes are missing."""
    write(output, b"first\n" + LINE * 3000 + b"last\n")
    text = output.take()
    assert text.startswith(b"first\nxxx")
    assert text.endswith(b"xxx\nlast\n")
    assert NOTE + b"%d bytes are missing here.]\n" % (11 + 3000 * 1024 - 2 * PART_BYTES) in text
    assert len(text) < 2 * PART_BYTES + 200


def test_the_last_line_stays_if_it_comes_while_the_file_is_emptied(output, monkeypatch):
    """The emulator empties a long file while the function ends."""
    write(output, LINE * 3000)
    reader, to_come = output._reader, [b"", b"last\n"]

    def read(count):
        piece = reader.read(count)
        write(output, to_come.pop(0) if to_come else b"")
        return piece

    monkeypatch.setattr(output, "_reader", SimpleNamespace(seek=reader.seek, tell=reader.tell, read=read))
    output._collect()
    monkeypatch.undo()
    assert output.take().endswith(b"xxx\nlast\n")


def test_many_short_lines_are_left_out(output):
    """Each line is an event of CloudWatch Logs, and takes more memory than its text."""
    write(output, b"".join(b"%d\n" % number for number in range(50_000)))
    lines = output.take().splitlines()
    assert len(lines) == 2 * PART_LINES + 2
    assert (lines[0], lines[-1]) == (b"0", b"49999")


def test_the_file_stays_small_while_a_call_runs(output, path):
    """It is emptied when it is long; beginning, end and size are still right."""
    write(output, b"first\n")
    for _ in range(5):
        write(output, LINE * 9 * 1024)
        output.shorten()
        assert path.stat().st_size == 0
    write(output, b"last\n")
    text = output.take()
    assert text.startswith(b"first\nxxx")
    assert text.endswith(b"xxx\nlast\n")
    assert b" %d bytes are missing" % (11 + 45 * 1024 * 1024 - 2 * PART_BYTES) in text


def test_a_short_file_is_left_alone_while_a_call_runs(output):
    """Nothing is read before the call's end."""
    write(output, LINE * 8 * 1024)
    assert not output.is_long
    write(output, LINE)
    assert output.is_long


def test_the_next_output_is_whole_again(output):
    """What was left out before does not count."""
    write(output, LINE * 3000)
    output.take()
    write(output, b"next")
    assert output.take() == b"next"


def test_a_removed_output_is_empty(output, path):
    """A worker may have ended already."""
    write(output, b"text")
    output.remove()
    output.shorten()
    assert (output.take(), path.exists(), output.is_long) == (b"", False, False)


def test_the_beginning_stays_while_the_process_writes(tmp_path):
    """The process may write between any two steps of a look at its file, which has one position for all."""

    def flood(file):
        os.write(file, b"first\n")
        for _ in range(200):
            os.write(file, b"x" * 65_535 + b"\n")

    for number in range(20):
        output = CapturedOutput(tmp_path / str(number))
        writer = threading.Thread(target=flood, args=[output.fileno()])
        writer.start()
        while writer.is_alive():
            if output.is_long:
                output.shorten()
        writer.join()
        assert output.take().startswith(b"first\n")
        output.remove()
