"""The page that leads from a sentence of AWS to the lesson that explains it."""

import json
import re
import sysconfig
from pathlib import Path

import pytest

from lottery_course.notebooks import NOTEBOOKS_FOLDER
from lottery_lib.names import KIT

PAGES = sorted((KIT / "docs").glob("errors*.md"))
ROW = re.compile(r"^\| `(.+?)` +\| (.+) \| \[(\d\d)(?:: |：)([^\]]+)\]\((\S+\.ipynb)\) *\|$", re.MULTILINE)


def rows(page):
    return ROW.findall(page.read_text(encoding="utf-8"))


def headings(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return re.findall(r"^##+ (.+)$", prose, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_row_leads_to_a_heading(page):
    """There are at least 40 sentences, each once, and each link shows a lesson and one of its headings."""
    found = rows(page)
    assert len({sentence for sentence, *_ in found}) == len(found) >= 40
    for sentence, _, number, heading, link in found:
        lesson = (page.parent / link).resolve()
        assert lesson.name.startswith(number), sentence
        assert heading in headings(lesson), sentence


def test_each_sentence_is_one_that_aws_says():
    """What stands between the dots is in the emulator, in its language, in moto or in a stored output."""
    folders = (
        KIT / "emulator",
        KIT / "states_language",
        KIT / "lottery_lib",
        Path(sysconfig.get_path("purelib"), "moto"),
    )
    files = [path for folder in folders for path in folder.rglob("*.py")]
    files += (KIT / "emulator").rglob("*.json*")
    files += NOTEBOOKS_FOLDER.glob("*.ipynb")
    said = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)
    said = re.sub(r'"\s*\n\s*f?"', "", said)  # a text may stand on several lines
    for sentence, *_ in rows(KIT / "docs" / "errors.md"):
        for part in re.split(r"'?\.\.\.'?", sentence):
            longest = max(re.split(r"(?: '|' )", part.strip(" :.'\"[]")), key=len)
            assert longest in said, sentence
