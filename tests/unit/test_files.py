"""What people name may be a pipe, a device or a link: nothing hangs, and nothing is written through it."""

import os
import re

import pytest
from refusal import refused

from lottery_lib.errors import LotteryError
from lottery_lib.files import make_folder, read_limited, write_new, write_over
from lottery_lib.names import KIT

NOT_A_FILE = "it is a folder, a link, a pipe or a device, not a file"


@pytest.fixture
def pipe(tmp_path):
    """A pipe that nobody writes into."""
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.fixture
def link(tmp_path):
    """A link to a file that somebody needs."""
    needed, link = tmp_path / "needed", tmp_path / "link"
    needed.write_bytes(b"needed")
    link.symlink_to(needed)
    return link


def test_a_file_is_read_as_far_as_its_limit(link):
    """A file may have as many bytes as the limit says, and not one more. A link is read."""
    assert read_limited(link, 6) == b"needed"
    with pytest.raises(OSError, match="it has more than 5e-06 MB"):
        read_limited(link, 5)


def test_a_pipe_does_not_hang(pipe):
    """A pipe is refused at once."""
    with pytest.raises(OSError, match=NOT_A_FILE):
        read_limited(pipe, 10)


def test_an_endless_file_has_no_end():
    """A device is refused, and not read."""
    with pytest.raises(OSError, match=NOT_A_FILE):
        read_limited("/dev/zero", 10**12)


def test_a_folder_is_no_file(tmp_path):
    """A folder is refused."""
    with pytest.raises(OSError, match="Is a directory"):
        read_limited(tmp_path, 10)


@pytest.mark.parametrize("write", [write_new, write_over])
def test_nothing_is_written_through_a_link(link, write):
    """A link stays a link, and what it leads to stays as it is."""
    assert refused(write, link, b"new").startswith(f"file {link}: cannot be written (")
    assert (link.is_symlink(), link.read_bytes()) == (True, b"needed")
    assert sorted(each.name for each in link.parent.iterdir()) == ["link", "needed"]


@pytest.mark.parametrize("write", [write_new, write_over])
def test_nothing_is_made_through_a_link(tmp_path, write):
    """Where a link leads to nothing, nothing is made."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nothing")
    assert "cannot be written" in refused(write, link, b"new")
    assert list(tmp_path.iterdir()) == [link]


@pytest.mark.parametrize("write", [write_new, write_over])
def test_a_pipe_stays_a_pipe(pipe, write):
    """Nothing is written into a pipe, which could wait, and nothing replaces it."""
    assert "cannot be written" in refused(write, pipe, b"new")
    assert pipe.is_fifo()


@pytest.mark.parametrize(("options", "mode"), [({}, 0o600), ({"public": True}, 0o644)])
def test_who_can_read_it(tmp_path, options, mode):
    """Only its owner reads what replaces an old file, or everybody whom the umask lets, if it is public."""
    file, old = tmp_path / "file", os.umask(0o022)
    file.touch(mode=0o666)
    write_over(file, b"new", **options)
    os.umask(old)
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", mode)


def test_a_full_disk(tmp_path, monkeypatch):
    """If the disk is full, the old file stays whole, and nothing else is left in the folder."""

    def full(descriptor):
        raise OSError(28, "No space left on device")

    file = tmp_path / "file"
    file.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    assert refused(write_over, file, b"new").endswith(
        "cannot be written (No space left on device). Give another."
    )
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"old", [file])


@pytest.mark.parametrize("program", ["lottery_party", "lottery_course"])
def test_there_is_one_door(program):
    """No module of the party or the course reads or writes a file that people name in another way."""
    own = {"cells.py", "copies.py", "notebooks.py", "sharing.py"}  # they know the names of their files
    for path in {each for each in (KIT / program).rglob("*.py") if each.name not in own}:
        calls = re.findall(
            r"\.(?:write_text|write_bytes|read_bytes)\(|(?<!def )\bopen\(.*", path.read_text(encoding="utf-8")
        )
        assert calls == [], path


def test_a_folder_is_no_link(tmp_path):
    """A folder is made, with those above it; one that is a link elsewhere is refused."""
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(LotteryError, match=r"folder .*link: cannot be written \(it is a link\)"):
        make_folder(tmp_path / "link")
