"""INSTRUCTOR.md has a table of troubles. It quotes messages as they are printed, in each language."""

import gettext
import re
from pathlib import Path
from typing import Final

import jupyter_server.serverapp
import pytest
from babel.messages import pofile
from catalogues import ROOT, destination, programs
from jupyter_server import transutils

TABLE: Final = ROOT / "INSTRUCTOR.md"
CHINESE: Final = destination(TABLE, "zh")
#: What people type, and names: the same in each language.
TYPED: Final = re.compile(r"(lottery|make|emulator) .*|python3|LOTTERY_TARGET=aws|\.\.\.|access-key")
#: What Python, the shell and JupyterLab print. They know no other language there.
OTHERS: Final = ("NameError", "No module named 'lottery_lib'", ".venv/bin/python: not found", "No web browser found")


def messages() -> list[tuple[str, str]]:
    """Each message of the kit and of the emulator, with its Chinese."""
    found = []
    for path in programs("zh"):
        with path.open("rb") as file:
            found += [(each.id, each.string) for each in pofile.read_po(file, locale="zh") if each.id]
    return [pair for pair in found if isinstance(pair[0], str)]


def quotes(page: Path) -> list[list[str]]:
    """What each row of the table quotes, in parts: a message can have a colon between two parts."""
    text = page.read_text(encoding="utf-8").partition("\n## The company's")[0]
    (table,) = [each for each in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE) if "NameError" in each]
    quoted = [re.findall("`([^`]*)`", row.split("|")[1]) for row in table.splitlines()[2:]]
    split = [[part for each in row for part in ([each] if each in OTHERS else re.split(": |：", each))] for row in quoted]
    return [[part for part in row if not TYPED.fullmatch(part)] for row in split]


def test_english_messages_are_printed():
    """Each is in a message of the kit or of the emulator."""
    ours = {part for row in quotes(TABLE) for part in row if part not in OTHERS}
    assert len(ours) > 10
    assert {part for part in ours if not any(part in message for message, _ in messages())} == set()


def test_chinese_messages_are_printed():
    """Each is in the translation of a message that the English row quotes."""
    wrong = []
    for english, chinese in zip(quotes(TABLE), quotes(CHINESE), strict=True):
        for part in english:
            told = [part] if part in OTHERS else [ours for message, ours in messages() if part in message]
            wrong += [] if any(each in text for each in chinese for text in told) else [(part, chinese)]
    assert wrong == []


@pytest.mark.parametrize("text", ["No web browser found"])
def test_jupyterlab_prints_english(text):
    """Its own messages in the terminal have no translation where it looks for one."""
    assert text in Path(jupyter_server.serverapp.__file__).read_text(encoding="utf-8")
    assert not isinstance(transutils.trans, gettext.GNUTranslations)
