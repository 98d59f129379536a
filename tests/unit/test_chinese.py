"""The Chinese edition is set as a Chinese book is. What the words are, docs/glossary.md says."""

import io
import re
from collections.abc import Iterator
from typing import Final

import pytest
from babel.messages import pofile

from lottery_lib import translation

NAMES: Final = ("lottery_lib", "notebooks", "documents")
CHINESE: Final = "\u4e00-\u9fff"
CODE: Final = re.compile(r"`[^`]*`|\]\([^)]*\)")
ITALICS: Final = re.compile(rf"(?<!\*)\*(?![*\s])[^*\n]*[{CHINESE}][^*\n]*(?<!\s)\*(?!\*)")
BRACKETS: Final = re.compile(rf"(?<=[{CHINESE}])\(|\((?=[{CHINESE}])|(?<=[{CHINESE}])\)")
ELLIPSIS: Final = re.compile(rf"(?<=[{CHINESE}，。、])\.\.\.")
#: What a shell asks for.
KEYS: Final = ("是(y)/否(N)", "是(Y)/否(n)")


def texts(name: str) -> Iterator[str]:
    """The translations of a catalogue, without code and the targets of links."""
    path = translation.TRANSLATIONS / "zh" / f"{name}.po"
    for message in pofile.read_po(io.BytesIO(path.read_bytes()), locale="zh"):
        for text in [message.string] if isinstance(message.string, str) else message.string:
            if message.id:
                yield CODE.sub("", text)


def found(pattern: re.Pattern[str], name: str) -> list[str]:
    """The texts of a catalogue that have a pattern."""
    return [text for text in texts(name) if pattern.search(text)]


def test_lessons_say_ni():
    """A lesson speaks as a teacher does. What it quotes from a button or a message may say 您."""
    assert [text for text in texts("notebooks") if "您" in re.sub("“[^”]*”", "", text)] == []


@pytest.mark.parametrize("name", ["lottery_lib", "documents"])
def test_messages_and_documents_say_nin(name):
    """You speak to a host and to colleagues politely."""
    assert [text for text in texts(name) if "你" in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_chinese_is_slanted(name):
    """Chinese has no italics. A label stands in “”."""
    assert found(ITALICS, name) == []


@pytest.mark.parametrize("name", NAMES)
def test_brackets_are_wide(name):
    """Chinese stands in （）."""
    assert [text for text in found(BRACKETS, name) if not any(key in text for key in KEYS)] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_ellipsis_has_six_dots(name):
    """Behind Chinese, it is ……."""
    assert found(ELLIPSIS, name) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [(ITALICS, "点击*抽奖*"), (BRACKETS, "王芳(研发部)"), (BRACKETS, "A (缺席)"), (ELLIPSIS, "甲、乙...")],
)
def test_faults_are_found(pattern, text):
    assert pattern.search(text)


def test_lessons_argue_without_many_connectives():
    """Each third sentence had 因此 or 请, which is how English sounds in Chinese."""
    lessons = "".join(texts("notebooks"))
    assert lessons.count("因此") <= 40
    assert lessons.count("请") <= 115
