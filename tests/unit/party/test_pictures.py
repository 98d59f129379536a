"""Pictures of the stage: which files of a folder are shown, and what is taken from a page."""

import base64
import os

import pytest

from lottery_lib.errors import LotteryError
from lottery_party import pictures
from lottery_party.pictures import BACKGROUND, LOGO, MOST_BYTES, Pictures

PNG, JPEG, WEBP = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\n\x00\x00\x00WEBP"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'


def url(kind, content):
    """What a page gets of a picture."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


@pytest.fixture
def kept(tmp_path):
    """The pictures of an evening."""
    return Pictures(tmp_path / "party.evening.json")


def test_a_picture_is_found_by_its_prize(kept, tmp_path):
    """However its name is typed, and also if a file cannot have that name. A new one replaces the old one."""
    kept.keep("Big / Mug?", "photo.PNG", PNG, len(PNG))
    kept.keep(BACKGROUND, "hall.webp", WEBP, len(WEBP), own=True)
    kept.keep(LOGO, "ours.svg", SVG, len(SVG), own=True)
    kept.keep("background", "prize.png", PNG, len(PNG))
    assert {each.name for each in (tmp_path / "party.pictures").iterdir()} == {
        "Big _ Mug_.png",
        "background.webp",
        "background_.png",
        "logo.svg",
    }
    assert kept.look() == {
        Pictures.of("big /  ＭＵＧ?"): url("image/png", PNG),
        BACKGROUND: url("image/webp", WEBP),
        LOGO: url("image/svg+xml", SVG),
        Pictures.of("Background"): url("image/png", PNG),
    }
    (tmp_path / "party.pictures" / "big _ mug_.txt").write_text("a note about it")
    kept.keep("big / mug?", "other.jpeg", JPEG, len(JPEG))
    assert kept.look()[Pictures.of("Big / Mug?")] == url("image/jpeg", JPEG)
    assert {each.name for each in kept.folder.iterdir()} == {
        *("big _ mug_.jpeg", "big _ mug_.txt", "background.webp", "background_.png", "logo.svg"),
    }
    for name, own in (("Big / Mug?", False), (BACKGROUND, True), ("logo", False), ("gone", False)):
        kept.remove(name, own=own)
    assert {*kept.look()} == {LOGO, Pictures.of("Background")}
    assert {each.name for each in kept.folder.iterdir()} == {"big _ mug_.txt", "background_.png", "logo.svg"}


@pytest.mark.parametrize("name", ["../../evil", "..", ".", "a\\b", "a\x00b", "x" * 200])
def test_a_picture_stays_in_its_folder(kept, name):
    """Whatever a prize is called."""
    kept.keep(name, "a.png", PNG, len(PNG))
    (file,) = kept.folder.iterdir()
    assert [*kept.look()] == [Pictures.of(name)]
    assert file.parent == kept.folder


@pytest.mark.parametrize(
    ("file", "content", "size", "why"),
    [
        ("a.png", b"", MOST_BYTES + 1, "is too large. Take a picture of at most 2 MB"),
        ("a.svg", b"<html>", 6, "is no picture that the stage can show"),
        ("a.png", JPEG, 4, "is no picture that the stage can show"),
        ("a", PNG, 8, "is no picture that the stage can show"),
    ],
)
def test_what_is_no_picture_is_refused(kept, file, content, size, why):
    """It says why, and the folder is not made."""
    with pytest.raises(LotteryError, match=why):
        kept.keep("Mug", file, content, size)
    assert kept.look() == {}
    assert not kept.folder.exists()


def test_files_that_somebody_puts_there(kept, monkeypatch):
    """They are read again when one changes, and what is too large, or no picture, is left out."""
    kept.folder.mkdir()
    for name in ("Mug.png", "Car.JPG", "notes.txt"):
        (kept.folder / name).write_bytes(PNG)
    (kept.folder / "Huge.png").write_bytes(PNG + bytes(MOST_BYTES))
    (kept.folder / "folder.png").mkdir()
    found = kept.look()
    assert {*found} == {"mug", "car"}
    assert kept.look() is found, "nothing is read twice"
    os.utime(kept.folder / "Mug.png", ns=(1, 1))
    assert kept.look() is not found
    monkeypatch.setattr(pictures, "_MOST_OF_ALL", len(PNG))
    os.utime(kept.folder / "Mug.png", ns=(2, 2))
    assert {*kept.look()} == {"car"}
    assert Pictures(None).look() == {}
