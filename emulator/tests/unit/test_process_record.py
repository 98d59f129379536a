"""The folder of an emulator is its user's alone."""

import os
import sys

import pytest

from sfn_emulator.errors import EmulatorError
from sfn_emulator.process.record import folder_of

NOBODY = 65_534
POSIX = sys.platform != "win32"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The folder of all emulators, which does not exist yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "sfn-emulator"


def refused():
    with pytest.raises(EmulatorError) as caught:
        folder_of()
    return caught.value


def opened(mode):
    """Make a folder that this mode describes."""
    return lambda folder: folder.chmod(mode)


def given_away(folder):
    """Make a folder another user's."""
    os.chown(folder, NOBODY, NOBODY)


def replaced_by_a_link(folder):
    """Another user's link to a folder of ours."""
    mine = folder.rename(folder.parent.parent / "mine")
    folder.symlink_to(mine)
    os.lchown(folder, NOBODY, NOBODY)


#: What makes a folder unsafe. Only root can give a folder away. Windows has no such modes.
OPEN = [(opened(mode), "others may enter it") for mode in (0o777, 0o755, 0o750, 0o701, 0o1777)]
FOREIGN = [(given_away, "it belongs to another user"), (replaced_by_a_link, "it belongs to another user")]
UNSAFE = (OPEN if POSIX else []) + (FOREIGN if POSIX and os.geteuid() == 0 else [])
PARENTS = [(opened(mode), "others may write to it") for mode in (0o777, 0o775, 0o702)] if POSIX else []


def test_a_new_folder_is_its_users_alone(home):
    """Only the user can enter a new folder and the folder around it, whatever the umask is."""
    before = os.umask(0)
    try:
        folder = folder_of()
    finally:
        os.umask(before)
    assert folder_of() == folder == home / "shared"
    assert {each.stat().st_mode & 0o777 for each in (folder, home)} == ({0o700} if POSIX else {0o777})


@pytest.mark.parametrize(("spoil", "what"), UNSAFE)
def test_a_folder_that_others_may_enter_is_not_used(home, spoil, what):
    """One sentence says which folder, what is wrong, and what to do."""
    folder = folder_of()
    spoil(folder)
    error = refused()
    assert (error.where, error.what) == (f"emulator folder {folder}", what)
    assert error.next_step.endswith("et XDG_STATE_HOME to a folder of your own")


@pytest.mark.parametrize(("spoil", "what"), PARENTS + (FOREIGN if POSIX and os.geteuid() == 0 else []))
def test_a_folder_that_others_may_replace_is_not_used(home, spoil, what):
    """They may if they can write to the folder around it."""
    folder_of()
    spoil(home)
    assert (refused().where, refused().what) == (f"emulator folder {home}", what)


def test_others_may_see_that_there_are_emulators(home):
    """The folder around them was readable in earlier versions."""
    folder = folder_of()
    home.chmod(0o755)
    assert folder_of() == folder
