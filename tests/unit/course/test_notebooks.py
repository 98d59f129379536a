"""A rehearsal runs the notebooks of the instructor's language."""

import pytest

from lottery_course import notebooks
from lottery_course.notebooks import spoken_folder


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course in English and Chinese."""
    (tmp_path / "zh").mkdir()
    for name in ("00_a", "zh/00_a"):
        (tmp_path / f"{name}.ipynb").touch()
    monkeypatch.setattr(notebooks, "NOTEBOOKS_FOLDER", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("language", "folder"), [("en", "."), ("zh", "zh"), ("fr", ".")])
def test_the_folder_of_a_language(course, monkeypatch, language, folder):
    """Without a translation, it is the English one."""
    monkeypatch.setattr(notebooks, "language", lambda: language)
    assert spoken_folder() == course / folder
