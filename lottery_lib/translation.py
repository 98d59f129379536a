"""Say each sentence in the attendee's language: English, or one that has a folder in `translations`."""

import gettext
import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

#: One folder for each language, with catalogues for the library, the notebooks and the documents.
#: `make translations` compiles that of the library (.mo).
TRANSLATIONS: Final = Path(__file__).resolve().parent.parent / "translations"
#: How browsers and the names of documents call a language.
TAGS: Final = {"zh": "zh-CN"}
_KIT: Final = TRANSLATIONS.parent
#: The learner's copies of the notebooks, with a folder for each language; see `course.copies`. Where a class
#: shares the kit, a learner cannot write there.
WORK: Final = _KIT / "work" if os.access(_KIT, os.W_OK) else Path.home() / "lottery"
_LOCALE: Final = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # as gettext reads it
#: The marks of a language that does not use those of English; see `punctuated`.
_MARKS: Final = {"zh": {". ": "。", ".": "。", ": ": "：", ", ": "，", "; ": "；", " (": "（", ")": "）"}}
#: What stands between the parts of a list.
_BETWEEN: Final = {"zh": "、"}
_CHINESE: Final = re.compile("[\u4e00-\u9fff]")


def languages() -> list[str]:
    """The languages of the kit besides English, such as ``["zh"]``."""
    return sorted(path.parent.name for path in TRANSLATIONS.glob("*/lottery_lib.mo"))


@cache
def language() -> str:
    """The language of this process, such as ``"en"`` or ``"zh"``.

    The address of a page decides (``?lang=zh``), else `LOTTERY_LANG`. Without both, a kernel has the language
    of its notebook's folder, where Jupyter starts it. Any other program has the language of its locale.
    English replaces a language that the kit does not speak.
    """
    folder = Path.cwd()
    page = parse_qs(os.environ.get("QUERY_STRING", ""))  # Voila tells a kernel the query of its page
    if wanted := page.get("lang", [""])[0] or os.environ.get("LOTTERY_LANG"):
        return first_spoken(wanted)
    if "notebooks" in (folder.name, folder.parent.name) or folder.is_relative_to(WORK):
        return first_spoken(folder.name)
    return first_spoken(next(filter(None, map(os.environ.get, _LOCALE)), ""))


def first_spoken(wanted: str) -> str:
    """The first language that the kit speaks, or English.

    Args:
        wanted: A locale, or a browser's ``Accept-Language``, such as ``"fr-CH, zh;q=0.9"``.
    """
    spoken = (*languages(), "en")
    return next((word for word in re.findall("[a-z]+", wanted.lower()) if word in spoken), "en")


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    with (TRANSLATIONS / language / "lottery_lib.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def in_language(path: Path) -> Path:
    """A file in this process's language, such as ``items.zh.json`` or ``page.zh-CN.md``; else the file."""
    names = (language(), TAGS.get(language(), language()))
    paths = (path.with_suffix(f".{name}{path.suffix}") for name in names)
    return next((here for here in paths if here.exists()), path)


def _(message: str, /, **values: object) -> str:
    """Translate a message into this process's language, then put values in.

    Args:
        message: The English text. A name in braces stands for a value: ``"{count} can still win."``
        **values: The values. Without any, braces are plain text.
    """
    return translated(language(), message, **values)


def N_(message: str, /) -> str:
    """Mark a message that somebody else translates, so that the catalogue gets it."""
    return message


def translated(language: str, message: str, /, **values: object) -> str:
    """Translate a message into any language, such as a browser's; see `_`."""
    text = _catalogue(language).gettext(message) if message else ""
    return text.format(**values) if values else text


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """Translate the one of two messages that fits a number, then put values in; see `_`.

    Args:
        one: The English text for 1.
        many: The English text for any other number.
        count: The number. A language may have one form for all numbers, or more than two.
        **values: The values.
    """
    text = _catalogue(language()).ngettext(one, many, count)
    return text.format(**values) if values else text


def punctuated(pattern: str, /, **values: object) -> str:
    """Put values into a pattern that has no word, such as ``"{key}: {value}"``, with this language's marks.

    A value can be AWS's sentence. It keeps the full stop of its own language, and a question gets none.
    """
    marks = _MARKS.get(language(), {})

    def put(part: re.Match[str]) -> str:
        name, mark = part.groups()
        value = str(values[name]) if name else ""
        is_english = not _CHINESE.search(value)
        if mark.startswith(".") and re.search("[?？][)）]?$", value):
            return value + mark[1:] * is_english
        return value + (mark if mark.startswith(".") and is_english else marks.get(mark, mark))

    return re.sub(r"(?:\{(\w+)\})?([.:,;]? ?\(?|\)?)", put, pattern)


def listed(parts: Iterable[str], /) -> str:
    """The parts of a list, with what stands between them in this language."""
    return _BETWEEN.get(language(), ", ").join(parts)
