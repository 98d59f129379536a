"""How the pages of the site are collected. `tests/browser/test_site.py` looks at the site itself."""

import re
from pathlib import Path

import course_site
import pytest
from course_site import ROOT, WORDS, pages

ENGLISH, CHINESE = pages()["en"], pages()["zh"]


def test_the_site_says_the_same_in_both_languages():
    """Each word that the site has of its own is there in both languages."""
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    assert WORDS["en"]["menu"].keys() == WORDS["zh"]["menu"].keys() == course_site.MENU.keys()


def test_an_english_page_has_a_chinese_title():
    """The Chinese menu has a Chinese title for each page that is in English only, and the titles differ."""
    assert CHINESE.keys() - ENGLISH.keys() == {"docs/nianhui"}
    assert ENGLISH.keys() - CHINESE.keys() <= WORDS["zh"]["titles"].keys() <= ENGLISH.keys()
    titles = [course_site.title(name, "zh") for name in ENGLISH]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    ("language", "name", "link", "wanted"),
    [
        ("en", "notebooks/06_run_a_draw", "[05](05_state_machine.ipynb)", "[05](05_state_machine.ipynb)"),
        ("zh", "notebooks/06_run_a_draw", "[05](05_state_machine.ipynb#x)", "[05](05_state_machine.ipynb#x)"),
        ("zh", "notebooks/15_hardening", "[party](../../docs/party.zh-CN.md)", "[party](../docs/party.md)"),
        ("en", "docs/party", "[a](nianhui.zh-CN.md)", "[a](page:../zh/docs/nianhui.html)"),
        ("en", "INSTRUCTOR", "[README.md](README.md#x)", "[Lottery workshop](index.md#x)"),
        ("en", "index", "[README.zh-CN.md](README.zh-CN.md)", "[抽奖工作坊](page:zh/index.html)"),
        ("zh", "docs/account", "[a](../emulator/README.md)", "[a](page:../../emulator/README.html)"),
        ("zh", "docs/account", "[a](../emulator/README.md#x)", "[a](place:../../emulator/README.html#x)"),
        (
            "en",
            "docs/errors",
            "[08: `Failed` is one](../notebooks/08_when_things_fail.ipynb)",
            "[08: `Failed` is one](../notebooks/08_when_things_fail.ipynb#failed-is-one)",
        ),
        ("en", "index", "[AWS](https://aws.example/a.md)", "[AWS](https://aws.example/a.md)"),
    ],
)
def test_a_link_leads_to_the_page_of_the_site(language, name, link, wanted):
    """To the page in the same language, if there is one; else to the English one."""
    assert course_site.linked(link, pages()[language][name], name, language) == wanted


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_word_of_the_glossary_has_an_address(language):
    """No two words have the same, and no word is lost."""
    text = Path(ROOT, "docs", "glossary.md").read_text(encoding="utf-8")
    rows = [line for line in text.partition("\n\n## ")[0].splitlines() if line.startswith("|")][2:]
    addresses = re.findall(r"\]\{#([a-z-]+)\}", course_site.glossary(text, language))
    assert len(set(addresses)) == len(addresses) == len(rows)


def test_the_lesson_of_a_word_names_it():
    """The glossary sends nobody to a lesson that has another subject."""
    text = Path(ROOT, "docs", "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| (.+) \| .+ \| (\d\d) \|", text)
    assert len(rows) > 60
    for words, number in rows:
        (lesson,) = Path(ROOT, "notebooks").glob(f"{number}_*.ipynb")
        told = lesson.read_text(encoding="utf-8").lower()
        assert any(word.partition(" (")[0].removeprefix("to ") in told for word in words.lower().split(", "))


def test_the_start_page_is_the_readme():
    """It has the draw, the command that begins, and the lessons; the part about the folder is left out."""
    text = course_site.start_page((ROOT / "README.md").read_text(encoding="utf-8"), "en")
    assert "draw.gif" in text
    assert "$ make lab" in text
    assert "# What is in this folder" not in text
    assert text.count("```{toctree}") == len(course_site.MENU)
