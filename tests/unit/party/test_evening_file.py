"""The file of an evening by itself: who can read it, what is refused, and when it is written."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

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
    with pytest.raises(LotteryError, match="No space"):
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


DRAW = {"draw_id": {"S": "night-1"}}


@pytest.mark.parametrize(
    "change",
    [
        {"step": "draw"},
        {"step": {"request": {}}},
        {"evening": None},
        {"tables": "none"},
        {"tables": {}},
        {"tables": {**KEPT["tables"], "pool": None}},
        {"tables": {**KEPT["tables"], "winners": "abc"}},
        {"tables": {**KEPT["tables"], "winners": [{}]}},
        {"tables": {**KEPT["tables"], "winners": [{"employee_id": "001"}]}},
        {"tables": {**KEPT["tables"], "employees": [{"employee_id": {"N": "1"}}]}},
        {"tables": {**KEPT["tables"], "draws": [DRAW, None]}},
        {"tables": {**KEPT["tables"], "draws": [DRAW | {"chain": {"N": "x"}}]}},
        {"tables": {**KEPT["tables"], "draws": [DRAW | {"text": {"N": "1"}}]}},
        {"tables": {**KEPT["tables"], "draws": [DRAW | {"more": {"L": [{"S": 1}]}}]}},
        {"tables": {**KEPT["tables"], "draws": [DRAW | {"more": {"M": {"a": {"S": "1", "N": "1"}}}}]}},
    ],
    ids=str,
)
def test_a_file_of_another_shape(file, change):
    """A file with the right digest, but with other contents, has a sentence, too, before anything changes."""
    evening_file._write(file, KEPT | change)
    with pytest.raises(LotteryError, match="is not an evening, or not a whole one"):
        evening_file.read(file)


def test_a_file_without_a_step(file):
    """What lacks a part is not a whole evening."""
    evening_file._write(file, {key: value for key, value in KEPT.items() if key != "step"})
    with pytest.raises(LotteryError, match="is not an evening, or not a whole one"):
        evening_file.read(file)


def test_a_step_comes_back(file):
    """The note of a step is read as it was written, and so is each type of DynamoDB's."""
    step = {"request": {"prize": 1}, "number": 1, "awaits": "", "output": None, "last": "a"}
    more = {"more": {"L": [{"M": {"a": {"BOOL": True}}}, {"NULL": True}, {"SS": ["a"]}, {"N": "-1.5"}]}}
    tables = {**KEPT["tables"], "draws": [DRAW | {"chain": {"N": "3"}, "text": {"S": "{}"}} | more]}
    evening_file._write(file, KEPT | {"step": step, "tables": tables})
    assert evening_file.read(file) == KEPT | {"step": step, "tables": tables}


@pytest.fixture
def saved(monkeypatch):
    """`saved(path)`: save an evening whose tables are those of `KEPT`."""
    monkeypatch.setattr(evening_file, "draws_table", lambda target: SimpleNamespace(describe=lambda: None))
    monkeypatch.setattr(evening_file, "_tables_now", lambda target, old: KEPT["tables"])
    target = SimpleNamespace(names=Names("party", "hardened"))
    return lambda path: evening_file.save(target, path, "night-1")


def test_it_is_not_saved_through_a_link(file, saved, tmp_path):
    """If somebody made the file or its lock a link, nothing is written, and a sentence says so."""
    before, link = file.read_bytes(), tmp_path / "link.json"
    link.symlink_to(file)
    with pytest.raises(
        LotteryError, match=r"link.json: cannot be written \(it is a folder, a link, a pipe or a dev"
    ):
        saved(link)
    (tmp_path / ".new.json.lock").symlink_to(file)
    with pytest.raises(
        LotteryError, match=r"new.json: cannot be written \(Too many levels of symbolic links"
    ):
        saved(tmp_path / "new.json")
    assert (file.read_bytes(), link.is_symlink()) == (before, True)
    assert not (tmp_path / "new.json").exists()


def test_a_lock_that_is_held_does_not_hang(file, saved, monkeypatch):
    """If another program holds the lock, the evening goes on, and says that it is not saved."""
    monkeypatch.setattr(evening_file, "_LOCKED_SECONDS", 0.1)
    held = pytest.raises(LotteryError, match="another program has locked it for a minute")
    with FileLock(file.with_name(f".{file.name}.lock")), held:
        saved(file)
    assert saved(file)["tables"] == KEPT["tables"]


def test_no_pipe_and_no_device(tmp_path):
    """A pipe does not hang, and an endless file does not fill the memory."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(
            LotteryError, match=r"cannot be read \(it is a folder, a link, a pipe or a device"
        ):
            evening_file.read(path)


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


HR = KEPT | {"attendee": "hr"}


@pytest.mark.parametrize(
    ("attendee", "there", "name"),
    [
        ("party", None, "a.evening.json"),
        ("party", KEPT, "a.evening.json"),
        ("party", HR, "a.party.evening.json"),
        ("hr", None, "a.hr.evening.json"),
        ("hr", KEPT, "a.hr.evening.json"),
        ("hr", HR, "a.evening.json"),
        ("hr", KEPT | {"attendee": "hr", "edition": "tutorial"}, "a.hr.evening.json"),
        ("", KEPT, "a.no_attendee.evening.json"),
        ("party", "damaged", "a.evening.json"),
        ("hr", "damaged", "a.hr.evening.json"),
    ],
)
def test_each_lottery_has_a_file_of_its_own(tmp_path, attendee, there, name):
    """Only the party's file lacks the attendee. An evening that has a file keeps it."""
    if there == "damaged":
        (tmp_path / "a.evening.json").write_text("{")
    elif there:
        evening_file._write(tmp_path / "a.evening.json", there)
    target = SimpleNamespace(names=Names(attendee, "hardened"))
    assert evening_file.default_path(target, tmp_path, "a") == tmp_path / name


def with_draw(path, **about):
    """Write a file of an evening that a kit has announced; return its path."""
    items = [
        {"draw_id": {"S": "night-1"}, "evening": {"BOOL": True}, "chain": {"N": "0"}, **about},
        {"draw_id": {"S": "#chain#0"}, "text": {"S": '{"kind": "announced"}'}},
    ]
    evening_file._write(path, {**KEPT, "tables": {**KEPT["tables"], "draws": items}})
    return path


class Reached(Exception):
    """The file was accepted."""


def reached(_names):
    raise Reached


EMULATOR = SimpleNamespace(kind="embedded", named=reached)


@pytest.mark.parametrize("rules", [{}, {"format": {"N": "2"}}])
def test_an_open_evening_of_an_older_kit_is_refused(tmp_path, rules):
    """Its rules have changed, so this kit cannot go on with it. The sentence says what to do."""
    file = with_draw(tmp_path / "old.json", **rules)
    with pytest.raises(LotteryError) as refused:
        evening_file.put_back(EMULATOR, file)
    what = "has the open evening night-1 of an older kit, whose rules have changed"
    next_step = "End it with the kit that announced it. After that, this kit can read it."
    assert str(refused.value) == f"file {file}: {what}. {next_step}"


@pytest.mark.parametrize("about", [{"format": {"N": "3"}}, {"closed": {"BOOL": True}}])
def test_an_evening_of_this_kit_or_a_closed_one_is_read(tmp_path, about):
    """A closed evening can have any rules."""
    with pytest.raises(Reached):
        evening_file.put_back(EMULATOR, with_draw(tmp_path / "new.json", **about))


def test_an_evening_without_its_chain_is_refused(tmp_path):
    """A file that somebody wrote by hand has one sentence, too."""
    file, draw = tmp_path / "hand.json", {"draw_id": {"S": "night-1"}, "evening": {"BOOL": True}}
    evening_file._write(file, {**KEPT, "tables": {**KEPT["tables"], "draws": [draw]}})
    with pytest.raises(LotteryError, match="is not an evening, or not a whole one"):
        evening_file.put_back(EMULATOR, file)
