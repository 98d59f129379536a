"""What may differ between two runs is replaced before outputs are compared, and what stands beside it is not."""

import configparser
import re

import pytest
from notebooks.refresh import SANITIZE

#: For each pattern: an output, the same output of another run, and one that must still be different.
CASES = {
    "an object's address": ("<A at 0x7f0a12bc>", "<A at 0x7f0a12bd99>", "<B at 0x7f0a12bc>"),
    "a pandas Styler's id": ("#T_0a1b2 .a", "#T_9f8e7d .a", "#T_0a1b2 .b"),
    "an embedded image": (
        'alt="A graph" src="data:image/svg+xml;base64,AAA="',
        'alt="A graph" src="data:image/svg+xml;base64,BBBB"',
        'alt="Another" src="data:image/svg+xml;base64,AAA="',
    ),
    "the kernel's file for a cell": (
        "in /tmp/ipykernel_12/345.py line 1",
        "in /tmp/ipykernel_6/78.py line 1",
        "in /tmp/ipykernel_12/345.py line 2",
    ),
    "which Graphviz drew it": ("<!-- 2.43 --><g/>", "<!-- 12 --><g/>", "<!-- 2.43 --><h/>"),
    "where Graphviz put things": ('x="1" id="a"', 'x="2" id="a"', 'x="1" id="b"'),
    "the emulator's port": ("http://127.0.0.1:4566/a", "http://127.0.0.1:39013/a", "http://127.0.0.1:4566/b"),
    "a UUID": (
        "Lottery:0a1b2c3d-0000-4000-8000-000000000001",
        "Lottery:ffffffff-0000-4000-8000-0000000000ff",
        "Other:0a1b2c3d-0000-4000-8000-000000000001",
    ),
    "a time in Python": (
        "{'startDate': datetime.datetime(2026, 11, 28, 22, 15, 50, 123000, tzinfo=tzlocal()), 'a': 1}",
        "{'startDate': datetime.datetime(2027, 1, 2, 3, 4, tzinfo=tzutc()), 'a': 1}",
        "{'startDate': datetime.datetime(2026, 11, 28, 22, 15, 50, 123000, tzinfo=tzlocal()), 'a': 2}",
    ),
    "a time in HTTP": (
        "'date': 'Sat, 28 Nov 2026 22:15:50 GMT', 'a'",
        "'date': 'Sun, 29 Nov 2026 01:02:03 GMT', 'a'",
        "'date': 'Sat, 28 Nov 2026 22:15:50 GMT', 'b'",
    ),
    "the identifier of a role or a policy": (
        "'RoleName': 'A', 'RoleId': 'AROAQ3EGRI5UTMLOMFVC'",
        "'RoleName': 'A', 'RoleId': 'AROAZZZZZZZZZZZZZZZZ'",
        "'RoleName': 'B', 'RoleId': 'AROAQ3EGRI5UTMLOMFVC'",
    ),
    "the name of a role that a stack of a lesson has": (
        "'lottery-copy-RecordWinnersRole-FfFJRDgDIj8G', 'a'",
        "'lottery-copy-RecordWinnersRole-0gjsAR6nmZPT', 'a'",
        "'lottery-copy-ValidateWinnersRole-FfFJRDgDIj8G', 'a'",
    ),
    "a digest of a function's code": (
        f"'CodeSha256': '{'A' * 43}=', 'Version': '1'",
        f"'CodeSha256': '{'b/+' * 14}b=', 'Version': '1'",
        f"'CodeSha256': '{'A' * 43}=', 'Version': '2'",
    ),
    "the size of a function's code, or of an answer": (
        "'CodeSize': 912, 'Timeout': 30",
        "'CodeSize': 1012, 'Timeout': 30",
        "'CodeSize': 912, 'Timeout': 31",
    ),
    "a time": (
        "at 2026-11-28T22:15:50.123Z: a",
        "at 2027-01-02 03:04:05+00:00: a",
        "at 2026-11-28T22:15:50Z: b",
    ),
    "a duration": ("took 3.10 s", "took 0.2 s", "took 3 s"),
    "when an execution ended": (
        "<p>Ended 09:12:34 UTC · a</p>",
        "<p>Ended 23:00:01 UTC · a</p>",
        "<p>Ended 09:12:34 UTC · b</p>",
    ),
    "a time in milliseconds": (
        "{'creationTime': 1795907233529, 'event_timestamp': '1795907233529', 'storedBytes': 0}",
        "{'creationTime': 1801234567890, 'event_timestamp': '1801234567890', 'storedBytes': 0}",
        "{'creationTime': 1795907233529, 'event_timestamp': '1795907233529', 'storedBytes': 1}",
    ),
    "the name of a log stream": (
        "log-stream:2026/11/28/[$LATEST]440fae214f434335ae7d788bc0fe9792 a",
        "log-stream:2027/01/02/[$LATEST]0123456789abcdef0123456789abcdef a",
        "log-stream:2026/11/28/[$LATEST]440fae214f434335ae7d788bc0fe9792 b",
    ),
    "what a call of a function took": (
        "Billed Duration: 2 ms Memory Size: 256 MB Max Memory Used: 41 MB",
        "Billed Duration: 11 ms Memory Size: 256 MB Max Memory Used: 38 MB",
        "Billed Duration: 2 ms Memory Size: 128 MB Max Memory Used: 41 MB",
    ),
    "the identifier of a request": (
        f"'RequestId': '{'aB3' * 17}c', 'RetryAttempts': 0",
        f"'RequestId': '{'xY7' * 17}z', 'RetryAttempts': 0",
        f"'RequestId': '{'aB3' * 17}c', 'RetryAttempts': 1",
    ),
    "the version of Python that answers": (
        "'server': 'BaseHTTP/0.6 Python/3.11.7', 'a'",
        "'server': 'BaseHTTP/0.6 Python/3.12.10', 'a'",
        "'server': 'BaseHTTP/0.6 Python/3.11.7', 'b'",
    ),
    "an execution's name, as the kit makes it": (
        "execution:Lottery:draw-20261128T231500-0a1b2c3d",
        "execution:Lottery:draw-20270102T030405-ffffffff",
        "execution:Other:draw-20261128T231500-0a1b2c3d",
    ),
    "how long a timeline is, in Chinese": ("共 52 ms：A", "共 3.1 s：A", "共 52 ms：B"),
    "how long a timeline is": ("Timeline of 52 ms: A", "Timeline of 3.1 s: A", "Timeline of 52 ms: B"),
    "a session of a role": (
        f"sts::1:assumed-role/Lottery/{'0a' * 16} is not",
        f"sts::1:assumed-role/Lottery/{'ff' * 16} is not",
        f"sts::1:assumed-role/Other/{'0a' * 16} is not",
    ),
    "the seconds of pytest": ("1 passed in 0.52s", "1 passed in 61.02s (0:01:01)", "2 passed in 0.52s"),
    "a file of tests, written for the first time or again": (
        "Writing test_mine.py",
        "Overwriting test_mine.py",
        "Writing test_other.py",
    ),
    "a ticket for the mailbox": ("mail/?ticket=3UE2_w a", "mail/?ticket=ER-ww a", "mail/?ticket=3UE2_w b"),
    "the trace of a call of a function": (
        "root=1-6b0bc582-fbf84335cf9340a1b1e2ab9e;sampled=0",
        "root=1-6b0bc583-0bf84335cf9340a1b1e2ab9f;sampled=0",
        "root=1-6b0bc582-fbf84335cf9340a1b1e2ab9e;sampled=1",
    ),
    "the number of an event in a log": (
        "'message': 'START', 'eventId': '0'",
        "'message': 'START', 'eventId': '37022'",
        "'message': 'END', 'eventId': '0'",
    ),
}


def patterns():
    """Each pattern by its name."""
    file = configparser.RawConfigParser()
    file.read(SANITIZE, encoding="ascii")
    return {name: (file[name]["regex"], file[name]["replace"]) for name in file.sections()}


def replaced(text):
    for regex, replacement in patterns().values():
        text = re.sub(regex, replacement, text)
    return text


def test_each_pattern_has_a_case():
    """A pattern that nobody needs, or that nobody tested, is not there."""
    assert patterns().keys() == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_only_what_varies_is_replaced(name):
    """Two runs are equal; without this pattern they are not; and a difference beside it is found."""
    one, other, different = CASES[name]
    regex, replacement = patterns()[name]
    assert re.sub(regex, replacement, one) == re.sub(regex, replacement, other) != one
    assert replaced(one) == replaced(other)
    assert replaced(one) != replaced(different)
