"""Prizes for the command line: from a file, from a text, or as JSON."""

import pytest

from lottery_lib.errors import LotteryError
from lottery_party.prizes import prizes_in

PRIZES = [{"name": "Mug", "count": 2}, {"name": "汽车", "count": 1}]


@pytest.mark.parametrize(
    "text", ["2 Mug\n1 汽车\n", '[{"name": "Mug", "count": 2}, {"name": "汽车", "count": 1}]']
)
@pytest.mark.parametrize("encoding", [None, "utf-8", "utf-8-sig"])
def test_prizes(tmp_path, monkeypatch, text, encoding):
    """A text and a file mean the same, and both may be JSON; a byte order mark does not matter."""
    monkeypatch.chdir(tmp_path)
    if encoding:
        (tmp_path / "prizes.txt").write_text(text, encoding=encoding)
    assert prizes_in("prizes.txt" if encoding else text) == PRIZES


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("no.txt", "file no.txt: cannot be read (No such file or directory). Write one prize on each line"),
        ("my prizes.txt", "file my prizes.txt: cannot be read (No such file or directory)"),
        ("[1]", "prizes: are not a JSON list of prizes"),
        ('[{"name": "Mug"}]', "prizes: are not a JSON list of prizes"),
        ("[", "prizes: are not a JSON list of prizes"),
        ("[" * 100_000, "prizes: are not a JSON list of prizes"),
        ("/dev/zero", "file /dev/zero: cannot be read"),
        ("\0", "is not a prize"),
        ("1 Car\u202e", "is not a prize"),
        ('[{"name": "Car\\u202e", "count": 1}]', "are not a JSON list of prizes"),
    ],
)
def test_no_prizes(given, said):
    """Anything else has one sentence."""
    with pytest.raises(LotteryError) as refused:
        prizes_in(given)
    assert said in str(refused.value)


def test_a_text_that_is_no_file():
    """What does not look like a file is a prize, also without a number, with a slash or at any length."""
    for text in ("Car", "2 Mug/Cup", "a" * 5000):
        assert [each["name"] for each in prizes_in(text)] == [text.removeprefix("2 ")]


def test_a_file_in_another_encoding(tmp_path):
    """A file that is no UTF-8 has a sentence, too."""
    (tmp_path / "prizes.txt").write_bytes("1 汽车".encode("gbk"))
    with pytest.raises(LotteryError, match="Save it as text in UTF-8"):
        prizes_in(str(tmp_path / "prizes.txt"))
