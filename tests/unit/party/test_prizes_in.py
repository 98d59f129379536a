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
        ("no.txt", 'line 1: "no.txt" is not a prize'),
        ("[1]", "prizes: are not a JSON list of prizes"),
        ('[{"name": "Mug"}]', "prizes: are not a JSON list of prizes"),
        ("[", "prizes: are not a JSON list of prizes"),
        ("[" * 100_000, "prizes: are not a JSON list of prizes"),
        ("/dev/zero", '"/dev/zero" is not a prize'),
        ("a" * 5000, "is not a prize"),
        ("\0", "is not a prize"),
    ],
)
def test_no_prizes(given, said):
    """Anything else has one sentence."""
    with pytest.raises(LotteryError) as refused:
        prizes_in(given)
    assert said in str(refused.value)


def test_a_file_in_another_encoding(tmp_path):
    """A file that is no UTF-8 has a sentence, too."""
    (tmp_path / "prizes.txt").write_bytes("1 汽车".encode("gbk"))
    with pytest.raises(LotteryError, match="Save it as text in UTF-8"):
        prizes_in(str(tmp_path / "prizes.txt"))
