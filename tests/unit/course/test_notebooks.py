"""A rehearsal runs the notebooks of the instructor's language."""

import pytest

from lottery_lib.course import notebooks
from lottery_lib.course.notebooks import course_in, spoken_folder


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course in English and Chinese, with a page for all languages."""
    (tmp_path / "zh").mkdir()
    for name in ("draw_night", "00_a", "99_z", "zh/00_a", "zh/99_z"):
        (tmp_path / f"{name}.ipynb").touch()
    monkeypatch.setattr(notebooks, "NOTEBOOKS_FOLDER", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("language", "folder"), [("en", "."), ("zh", "zh"), ("fr", ".")])
def test_the_folder_of_a_language(course, monkeypatch, language, folder):
    """Without a translation, it is the English one."""
    monkeypatch.setattr(notebooks, "language", lambda: language)
    assert spoken_folder() == course / folder


def test_a_page_for_all_languages_runs_in_each(course):
    """It runs before the last lesson, which removes what it needs."""
    assert [path.relative_to(course).as_posix() for path in course_in(course / "zh")] == [
        "zh/00_a.ipynb",
        "draw_night.ipynb",
        "zh/99_z.ipynb",
    ]
    assert len(course_in(course)) == 3
