"""The file of an evening by itself: who can read it, what is refused, and when it is written."""

import json
import os
from types import SimpleNamespace

import pytest

from lottery_lib.errors import LotteryError
from lottery_lib.names import Names
from lottery_party import evening_file

KEPT = {
    "evening": "night-1",
    "attendee": "party",
    "edition": "hardened",
    "saved_at": "2026-12-24T20:00:00+00:00",
    "step": None,
    "tables": {
        "employees": [],
        "winners": [{"employee_id": {"S": "001"}}],
        "pool": [],
        "draws": [{"draw_id": {"S": "night-1"}, "unwon": {"B": b"\0\xff"}, "n": {"M": {"B": {"S": "B"}}}}],
    },
}


@pytest.fixture
def file(tmp_path):
    """A file that was saved."""
    path = tmp_path / "party.evening.json"
    evening_file._write(path, KEPT)
    return path


def test_it_comes_back(file):
    """What was written is read, with its bytes."""
    assert evening_file.read(file) == KEPT


def test_nobody_else_can_read_it(file):
    """It contains a secret, so its mode is 0600, even if there was a file with another mode."""
    file.chmod(0o644)
    evening_file._write(file, KEPT)
    assert file.stat().st_mode & 0o777 == 0o600


def test_it_is_replaced_or_stays(file, monkeypatch):
    """If a disk is full, the old file stays whole, and nothing else is left in the folder."""
    before = file.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        evening_file._write(file, {**KEPT, "evening": "night-2"})
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:-40], "is not an evening, or not a whole one. Give another file."),
        (lambda text: b"name,count\n", "is not an evening, or not a whole one. Give another file."),
        (lambda text: b"[]", "is not an evening, or not a whole one. Give another file."),
        (lambda text: b"\xff", "is not an evening, or not a whole one. Give another file."),
        (lambda text: text.replace(b"001", b"002"), "was damaged or changed after it was saved."),
        (
            lambda text: text.replace(b'"format": 2', b'"format": 1'),
            "has format 1, and this kit reads format 2. Use the version of the kit that wrote it.",
        ),
    ],
    ids=["cut off", "text", "list", "bytes", "changed", "format"],
)
def test_a_bad_file(file, change, said):
    """Each has one sentence, with what to do."""
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(LotteryError) as refused:
        evening_file.read(file)
    assert f"file {file}: {said}" in str(refused.value)


def test_no_file(tmp_path):
    """A file that does not exist has a sentence, too."""
    with pytest.raises(LotteryError, match=r"cannot be read .No such file or directory"):
        evening_file.read(tmp_path / "none.json")


def test_it_is_no_truth_for_aws(file):
    """On AWS the tables are the truth: nothing is put back, and no call is made."""
    aws = SimpleNamespace(kind="aws")
    with pytest.raises(LotteryError, match="is only a copy: on AWS, the tables keep the evening"):
        evening_file.put_back(aws, file, replace=True)


class Tables:
    """Tables whose table of draws changes while the others are read, a number of times."""

    def __init__(self, changes):
        self.changes, self.reads = changes, 0

    def __call__(self, target):
        def draws():
            self.changes -= self.reads % 2
            self.reads += 1
            return [{"receipts": {"N": str(max(self.changes, 0))}}]

        def nothing(key=""):
            return None

        others = dict.fromkeys(
            ("employees", "winners", "pool"), SimpleNamespace(typed_items=list, item=nothing)
        )
        return {**others, "draws": SimpleNamespace(typed_items=draws)}


def test_tables_are_read_at_one_moment(monkeypatch):
    """If a draw writes while the tables are read, they are read again: no winner without a receipt."""
    from lottery_lib.waiting import Waiter

    tables = Tables(changes=3)
    monkeypatch.setattr(evening_file, "_tables", tables)
    target = SimpleNamespace(names=Names("party", "hardened"), waiter=Waiter(sleep=lambda seconds: None))
    assert evening_file._tables_now(target)["draws"] == [{"receipts": {"N": "0"}}]
    assert tables.reads == 8


def test_text_is_json(file):
    """Other programs can read the file: it is JSON in ASCII, with binary values in base64."""
    draws = json.loads(file.read_text(encoding="ascii"))["content"]["tables"]["draws"]
    assert draws[0]["unwon"] == {"B": "AP8="}
