"""Say each sentence in the attendee's language: English, or one that has a folder in `translations`.

The functions run on AWS, which knows no attendee's language, so their errors are English. An execution's
history, `--json` and a DataFrame keep them, and the names of columns. Only what a person reads is translated.
"""

import ast
import gettext
import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Final

#: One folder for each language, with catalogues for the library, the notebooks and the documents.
#: `make translations` compiles that of the library (.mo).
TRANSLATIONS: Final = Path(__file__).resolve().parent.parent / "translations"
#: How browsers and the names of documents call a language.
TAGS: Final = {"zh": "zh-CN"}
_KIT: Final = TRANSLATIONS.parent
#: The learner's copies of the notebooks, with a folder for each language. Where a class shares the kit, a
#: learner cannot write there.
WORK: Final = _KIT / "work" if os.access(_KIT, os.W_OK) else Path.home() / "lottery"
_LOCALE: Final = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # as gettext reads it
#: The marks of a language that does not use those of English; see `punctuated`.
_MARKS: Final = {"zh": {". ": "。", ".": "。", ": ": "：", ", ": "，", "; ": "；", " (": "（", ")": "）"}}
#: What stands between the parts of a list.
_BETWEEN: Final = {"zh": "、"}
#: What stands in a list instead of ``", ..., "``.
_MORE: Final = {"zh": "……"}
#: Where the readers of a language are. Those of English are where their computer is.
_ZONES: Final = {"zh": timezone(timedelta(hours=8))}
#: How a time is written, without and with its day.
CLOCK: Final = "%H:%M:%S"
DAY: Final = f"%Y-%m-%d {CLOCK}"
_CHINESE: Final = re.compile("[\u4e00-\u9fff]")


def languages() -> list[str]:
    """The languages of the kit besides English, such as ``["zh"]``."""
    return sorted(path.parent.name for path in TRANSLATIONS.glob("*/lottery_lib.mo"))


@cache
def language() -> str:
    """The language of this process, such as ``"en"`` or ``"zh"``.

    `LOTTERY_LANG` decides. Without it, a kernel has the language of its notebook's folder, where Jupyter
    starts it. Any other program has the language of its locale. English replaces a language that the kit does
    not speak.
    """
    folder = Path.cwd()
    if wanted := os.environ.get("LOTTERY_LANG"):
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
    """The parts of a list, with what stands between them in this language. ``"..."`` is for other parts."""
    between, more = _BETWEEN.get(language(), ", "), _MORE.get(language())
    text = between.join(parts)
    return re.sub(f"{between}[.]{{3}}(?:{between})?", more, text) if more else text


def heading(name: object) -> str:
    """A column's name for people, such as ``Employee ID`` for ``employee_id``; other names stay."""
    text = str(name)
    if known := _known().get(text):
        return known
    if not re.fullmatch(r"[a-z0-9_ ]+", text):
        return text
    words = re.sub(r"\b(id|arn)\b", lambda word: word[0].upper(), text.replace("_", " "))
    return words[:1].upper() + words[1:]


def name_in_words(name: object) -> str:
    """A key or a column's name as a terminal or a file shows it: English shows the name itself."""
    return str(name) if language() == "en" else heading(name)


#: Words of the data, which people read translated.
_DATA: Final = (
    N_("absent"),
    N_("no receipt"),
    N_("out"),
    N_("may win later"),
    N_("public value"),
    N_("ready"),
    N_("drawing"),
    N_("roll call"),
    N_("closed"),
    N_("running"),
    N_("waiting"),
    N_("succeeded"),
    N_("failed"),
    N_("caught"),
    N_("aborted"),
)


def value_in_words(name: object, value: object) -> object:
    """A value as a terminal or a file shows it below this name; English shows the value itself.

    What somebody has typed, such as a prize's name, stays. So does AWS's word, such as ``SUCCEEDED``.
    """
    if language() == "en":
        return value
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    ours = name in ("status", "receipt", "absent", "step") and value in _DATA
    return translated(language(), str(value)) if ours else value


def _known() -> dict[str, str]:
    """The words for the names of the kit's own columns, and of those in the notebooks."""
    return {
        "employee_id": _("Employee ID"),
        "employee_name": _("Employee name"),
        "employee_entry_date": _("Employee entry date"),
        "lottery_serial": _("Lottery serial"),
        "prize": _("Prize"),
        "name": _("Name"),
        "status": _("Status"),
        "winners": _("Winners"),
        "started": _("Started"),
        "duration": _("Duration"),
        "transitions": _("Transitions"),
        "cost": _("Cost"),
        "execution_arn": _("Execution ARN"),
        "id": _("ID"),
        "previous_id": _("Previous ID"),
        "time": _("Time"),
        "type": _("Type"),
        "state": _("State"),
        "branch": _("Branch"),
        "attempt": _("Attempt"),
        "input": _("Input"),
        "output": _("Output"),
        "variables": _("Variables"),
        "error": _("Error"),
        "cause": _("Cause"),
        "service": _("Service"),
        "operation": _("Operation"),
        "parameters": _("Parameters"),
        "result": _("Result"),
        "kind": _("Kind"),
        "field": _("Field"),
        "before": _("Before"),
        "after": _("After"),
        "next": _("Next"),
        "next state": _("Next state"),
        "how many": _("How many"),
        "definition": _("Definition"),
        "data": _("Data"),
        "retries": _("Retries"),
        "seconds": _("Seconds"),
        "tested": _("Tested"),
        "count": _("Count"),
        "in a draw": _("In a draw"),
        "draws a second": _("Draws a second"),
        "edition": _("Edition"),
        "department": _("Department"),
        "receipt": _("Receipt"),
        "resources": _("Resources"),
        "left": _("Left"),
        "removed": _("Removed"),
        "running": _("Running"),
        "port": _("Port"),
        "pid": _("Process ID"),
        "since": _("Since"),
        "workers": _("Workers"),
        "endpoint": _("Endpoint"),
        "access_key_file": _("Access key file"),
        "folder": _("Folder"),
        "file": _("File"),
        "files": _("Files"),
        "evening": _("Evening"),
        "step": _("Step"),
        "prizes": _("Prizes"),
        "employees": _("Employees"),
        "guests": _("Guests"),
        "root": _("Root"),
        "roll_call": _("Roll call"),
        "commitment": _("Commitment"),
        "code": _("Code"),
        "absent": _("Absent"),
        "question": _("Question"),
        "announcement": _("Announcement"),
        "check": _("Check"),
        "withdrawn": _("Withdrawn"),
    }


_FUNCTIONS: Final = TRANSLATIONS.parent / "lambdas"
#: The causes that the kit itself gives to AWS.
CANCELLED: Final = N_("The draw was cancelled by hand")
STOPPED: Final = N_("Stopped by hand")
TORN_DOWN: Final = N_("Stopped by the teardown of the lottery")

#: A part that a message of the functions may have.
_RECORDED: Final = N_(", {0} of whom this draw has recorded")


def error_messages() -> Iterator[tuple[str, Path]]:
    """The messages of the functions' errors, such as ``"There is no prize {0}."``, with their modules."""
    for path in sorted(_FUNCTIONS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=error), args=[message]) if error[0].isupper():
                    texts = [message.body, message.orelse] if isinstance(message, ast.IfExp) else [message]
                    yield from ((text, path) for text in map(_template, texts) if " " in text)


def _template(message: ast.expr) -> str:
    """A string of a program, with a number in braces for each of its expressions; empty for other code."""
    parts = message.values if isinstance(message, ast.JoinedStr) else [message]
    text, count = "", 0
    for part in parts:
        if isinstance(part, ast.FormattedValue):
            text, count = f"{text}{{{count}}}", count + 1
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            text += part.value.replace("{", "{{").replace("}", "}}")
    return text if re.search("[a-z]", text) else ""


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """By its message: what a cause looks like, perhaps with the kit's advice after it."""
    patterns = {}
    for text in (CANCELLED, STOPPED, TORN_DOWN, _RECORDED, *dict(error_messages())):
        words = [re.escape(part.format()) for part in re.split(r"\{\d+\}", text.rstrip("."))]
        patterns[text] = re.compile("(.*?)".join(words) + "(?:[.。] ?([\u4e00-\u9fff].*)?)?", re.DOTALL)
    return patterns


def cause_in_words(cause: str) -> str:
    """A cause as people read it. One that is neither a function's nor the kit's stays as it is."""
    if language() == "en":
        return cause
    for text, pattern in _patterns().items():
        if match := pattern.fullmatch(cause):
            *values, advice = match.groups("")
            return translated(language(), text).format(*map(cause_in_words, values)) + advice
    return cause


def local(time: datetime) -> datetime:
    """Give a time in the zone of its reader: Beijing's in Chinese, and otherwise that of this computer."""
    return time.astimezone(_ZONES.get(language()))


def timed(time: datetime, form: str = CLOCK) -> str:
    """Write a time as its reader's clock shows it, and then in UTC: ``13:15:03 / 12:15:03 UTC``.

    Args:
        time: A time with a zone.
        form: What is shown of it, as `datetime.strftime` has it. Of UTC, the clock alone is shown.
    """
    here, there = local(time), time.astimezone(UTC)
    if not here.utcoffset():
        return f"{there:{form}} UTC"
    return _("{local} / {utc} UTC", local=f"{here:{form}}", utc=f"{there:{CLOCK}}")
