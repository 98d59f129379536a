"""Say each sentence in the user's language: English, or one that has a catalogue in `locale`."""

import gettext
import os
import re
from functools import cache
from pathlib import Path
from typing import Final

#: The catalogues, in gettext's own layout: ``zh/LC_MESSAGES/sfn_emulator.mo``.
LOCALE: Final = Path(__file__).resolve().parent / "locale"
_DOMAIN: Final = "sfn_emulator"
_VARIABLES: Final = ("SFN_EMULATOR_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")

#: A colon and a full stop, in the languages that do not use those of English.
_MARKS: Final = {"zh": ("：", "。")}


def first_spoken(wanted: str) -> str:
    """The first language that the emulator speaks, or English.

    Args:
        wanted: A locale, or what a browser asks for, such as ``"fr-CH, zh;q=0.9"``.
    """
    known = {"en", *(path.name for path in LOCALE.glob("*"))}
    return next((each for each in re.findall("[a-z]+", wanted.lower()) if each in known), "en")


def language() -> str:
    """This process's language: ``SFN_EMULATOR_LANG``, or that of the locale."""
    return first_spoken(next(filter(None, map(os.environ.get, _VARIABLES)), ""))


def sentence_marks() -> tuple[str, str]:
    """A colon and a full stop in this process's language, with the spaces after them."""
    return _MARKS.get(language(), (": ", ". "))


def _(message: str, /, **values: object) -> str:
    """Translate a message into this process's language, then put values in.

    Args:
        message: The English text. A name in braces stands for a value: ``"port {port}"``.
        **values: The values. Without any, braces are plain text.
    """
    return translated(language(), message, **values)


def translated(spoken: str, message: str, /, **values: object) -> str:
    """The same for any language, such as that of a browser."""
    text = _catalogue(spoken).gettext(message) if message else ""
    return text.format(**values) if values else text


@cache
def _catalogue(spoken: str) -> gettext.NullTranslations:
    return gettext.translation(_DOMAIN, LOCALE, [spoken], fallback=True)
