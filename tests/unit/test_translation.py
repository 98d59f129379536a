"""Each sentence of the library is a message, and is said in the attendee's language."""

import ast
import io
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import catalogues
import pytest
from babel.messages import pofile
from sentences import sentences

from lottery_lib import translation
from lottery_lib.names import KIT
from lottery_lib.translation import (
    DAY,
    _,
    first_spoken,
    language,
    listed,
    ngettext,
    punctuated,
    timed,
    translated,
)
from lottery_party import check_words

MODULES = {
    path.relative_to(KIT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for folder in ("lottery_lib", "lottery_party")
    for path in sorted((KIT / folder).rglob("*.py"))
}
#: Words of the data, which people read translated.
DATA = {*check_words.WORDS, "may win later"}
#: By module: the beginnings of the sentences that stay English, and why.
ENGLISH = {
    "lottery_lib/__init__.py": {"module {} has no attribute": "Python's words, for programmers"},
    "lottery_party/__init__.py": {"module {} has no attribute": "Python's words, for programmers"},
    "lottery_party/commands.py": {"lottery ": "an example"},
    "lottery_lib/__main__.py": {"lottery ": "an example"},
    "lottery_lib/aws_errors.py": dict.fromkeys(
        ("cannot be", "authorized to", "The emulator does not have", "Signature not", "security token"),
        "AWS's or the emulator's words",
    ),
    "lottery_course/__init__.py": {"module {} has no attribute": "Python's words, for programmers"},
    "lottery_course/commands.py": {"lottery ": "an example", "aws iam create-policy": "a command"},
    "lottery_course/doctor.py": {"import sys": "code"},
    "lottery_course/faults.py": {"from lambda_function": "code"},
    "lottery_lib/draws.py": {
        "not authorized": "AWS's words",
        "Recorded Not Mailed": "a state",
    },
    "lottery_lib/hardened.py": {"What is the public value?": "a receipt keeps it"},
    "lottery_lib/history.py": {"\\(entered at": "AWS's words"},
    "lottery_lib/mails.py": {"white-space": "a style"},
    "lottery_lib/view/graph.py": dict.fromkeys(("text-align: left", "{}; color: #"), "a style"),
    "lottery_party/evening_file.py": {"lottery night restore": "a command"},
    "lottery_party/page.py": {"link(": "code"},
    "lottery_party/records.py": {"{}lottery night save": "a command"},
    "lottery_party/server.py": {
        "LOTTERY_ATTENDEE=": "a command",
        "lottery night restore": "a command",
    },
    "lottery_lib/resources/lesson_resources.py": {"does not exist": "AWS's words"},
    "lottery_lib/resources/dynamodb_table.py": {"is being created": "AWS's words"},
    "lottery_lib/resources/iam_role.py": {
        "cannot be found": "AWS's words",
        "is not attachable": "AWS's words",
        "Made by": "AWS keeps it as the description",
    },
    "lottery_lib/resources/lambda_function.py": dict.fromkeys(
        ("cannot be", "execution role", "KMS key is invalid"), "AWS's words"
    ),
    "lottery_lib/resources/sns_topic.py": {"already exists with": "AWS's words"},
    "lottery_lib/resources/state_machine.py": {"authorized to": "AWS's words"},
}

_FIELD = re.compile(r"\{(\w+)(?:![rs])?\}")


@pytest.mark.parametrize("name", MODULES)
def test_each_sentence_is_a_message(name):
    """A sentence outside of `_` would stay English in every language."""
    known = ENGLISH.get(name, {})
    found = [text for text in sentences(MODULES[name]) if text not in DATA]
    assert [text for text in found if not text.startswith(tuple(known))] == []
    assert [start for start in known if not any(text.startswith(start) for text in found)] == []


@pytest.mark.parametrize("name", MODULES)
def test_each_message_is_one_literal(name):
    """A catalogue cannot have an f-string or a sum, and the values have the names of the message."""
    calls = [node for node in ast.walk(MODULES[name]) if isinstance(node, ast.Call)]
    calls = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "_"]
    for call in calls:
        (message,) = call.args
        assert isinstance(message, ast.Constant), ast.unparse(call)
        given = {value.arg for value in call.keywords}
        assert not given or None in given or given == set(_FIELD.findall(message.value)), ast.unparse(call)


def test_the_catalogue_gets_all_messages():
    """Also those in an f-string, those that are translated elsewhere, and the help of a command."""
    program = ast.parse(
        "f\"<p>{_('One {x}', x=1)}</p>\"\n"
        "kind = N_('table')\n"
        "print(ngettext('one', '{n} more', n, n=n))\n"
        "@lottery.command(example='')\n"
        "def winners():\n"
        '    """List them.\n\n    All."""\n'
        "def other():\n"
        '    """Not this."""\n'
    )
    assert list(catalogues.messages(program)) == [
        "One {x}",
        "table",
        ("one", "{n} more"),
        "List them.\n\nAll.",
    ]


def test_translations_have_the_values_of_their_messages():
    """A translation with another name in braces would end in an error."""
    wrong = []
    for path in translation.TRANSLATIONS.glob("*/lottery_lib.po"):
        catalog = pofile.read_po(io.BytesIO(path.read_bytes()), locale=path.parent.name)
        pairs = [(message.id, message.string) for message in catalog if message.id and message.string]
        wrong += [(path, *pair) for pair in pairs if not has_same_values(*pair)]
    assert wrong == []


def has_same_values(message: str | tuple[str, ...], translation: str | tuple[str, ...]) -> bool:
    """Whether both have the same values. If there are several forms, the last ones count: 1 may be a word."""
    last = [each if isinstance(each, str) else each[-1] for each in (message, translation)]
    return len({frozenset(_FIELD.findall(each)) for each in last}) == 1


def test_each_message_has_a_word():
    """What has only marks and values is no message: `punctuated` knows the marks of each language."""
    for folders in catalogues.programs("zh").values():
        ids = [message.id for message in catalogues.library(folders) if isinstance(message.id, str)]
        assert [
            each for each in ids if each and not re.search("[A-Za-z]", re.sub(r"\{[^{}]*\}", "", each))
        ] == []


SENTENCE = "{where}: {what}. {next_step}."


@pytest.mark.parametrize(
    ("pattern", "values", "english", "chinese"),
    [
        (SENTENCE, ["表 A", "不存在", "请重试"], "表 A: 不存在. 请重试.", "表 A：不存在。请重试。"),
        (SENTENCE, ["AWS", "Not so", "请重试"], "AWS: Not so. 请重试.", "AWS：Not so. 请重试。"),
        (
            SENTENCE,
            ["命令行", "是“draw”吗？", "请重试"],
            "命令行: 是“draw”吗？请重试.",
            "命令行：是“draw”吗？请重试。",
        ),
        (SENTENCE, ["line", "Is it?", "Retry"], "line: Is it? Retry.", "line：Is it? Retry."),
        ("{name} ({details})", ["王芳", "7"], "王芳 (7)", "王芳（7）"),
        (", ", [], ", ", "，"),
        ("; ", [], "; ", "；"),
    ],
)
def test_marks_are_those_of_the_language(catalogue, monkeypatch, *, pattern, values, english, chinese):
    """AWS's sentence keeps its full stop, and a question gets none."""
    given = dict(zip(_FIELD.findall(pattern), values, strict=True))
    assert punctuated(pattern, **given) == english
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue({})
    assert punctuated(pattern, **given) == chinese


def test_a_list_of_names(catalogue, monkeypatch):
    """Chinese has a comma of its own between the parts of a list, and none beside an ellipsis."""
    assert listed(["a", "b"]) == "a, b"
    assert listed(["a", "...", "b"]) == "a, ..., b"
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue({})
    assert listed(["a", "b"]) == "a、b"
    assert listed(["a", "...", "b"]) == "a……b"


def test_a_number_chooses_the_form(catalogue, monkeypatch):
    """Chinese has one form for all numbers."""
    forms = ("1 person", "{count} people")
    assert [ngettext(*forms, count, count=count) for count in (0, 1, 2)] == [
        "0 people",
        "1 person",
        "2 people",
    ]
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue({forms: "{count} 人"})
    assert [ngettext(*forms, count, count=count) for count in (1, 2)] == ["1 人", "2 人"]


def test_a_message_is_translated_and_gets_its_values(catalogue, monkeypatch):
    """Values stand where the translation wants them."""
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue({"{count} of {all} won": "{all} 人中有 {count} 人中奖", "a {brace}": "一个 {brace}"})
    assert _("{count} of {all} won", count=1, all=2) == "2 人中有 1 人中奖"
    assert _("a {brace}") == "一个 {brace}"
    assert translated("en", "a {brace}") == "a {brace}"


@pytest.mark.parametrize("flag", ["", "fuzzy"])
def test_an_unfinished_translation_is_not_shown(catalogue, monkeypatch, flag):
    """A missing translation gives English, and so does one that nobody has looked at."""
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue({"It runs.": "旧" if flag else ""}, flag)
    assert _("It runs.") == "It runs."
    assert _("") == ""  # in a catalogue, this is the header


@pytest.mark.parametrize(
    ("variables", "folder", "spoken"),
    [
        ({}, ".", "en"),
        ({"LANG": "zh_CN.UTF-8"}, ".", "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, ".", "en"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, ".", "zh"),
        ({"LANG": "fr_FR.UTF-8"}, ".", "en"),
        ({}, "notebooks/zh", "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "notebooks", "en"),
        ({"LANG": "zh_CN.UTF-8"}, "notebooks/fr", "en"),
        ({"LANG": "zh_CN.UTF-8"}, "work", "en"),
        ({}, "work/zh", "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "other/work", "zh"),
        ({"LOTTERY_LANG": "zh-CN"}, "notebooks", "zh"),
        ({"LOTTERY_LANG": "en"}, "notebooks/zh", "en"),
    ],
)
def test_the_language_of_a_process(catalogue, monkeypatch, tmp_path, *, variables, folder, spoken):
    """LOTTERY_LANG decides, else the folder of a notebook, the locale."""
    for name in ("LOTTERY_LANG", *translation._LOCALE):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path / folder)
    monkeypatch.setattr(translation, "WORK", tmp_path / "work")
    assert language.__wrapped__() == spoken  # a thread of another test may have asked before


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [("", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-US,en;q=0.5,zh;q=0.1", "en"), ("fr-CH, zh", "zh")],
)
def test_the_language_of_a_browser(catalogue, wanted, spoken):
    """The first one that the kit speaks."""
    assert first_spoken(wanted) == spoken


def test_the_command_line_speaks_another_language(catalogue, tmp_path):
    """The help of a command, of its options and its example are translated."""
    texts = ("List everybody who has won so far.", "The same, as a workbook for Excel.", "Example: {command}")
    catalogue(dict(zip(texts, ("列出中奖者。", "同上。", "示例：{command}"), strict=True)))
    program = (
        "import pathlib, sys; from lottery_lib import translation; "
        "translation.TRANSLATIONS = pathlib.Path(sys.argv.pop(1)); "
        "from lottery_lib.__main__ import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", program, str(tmp_path), "winners", "--help"]
    environment = {"LOTTERY_LANG": "zh", "PYTHONUTF8": "1"}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert all(text in shown for text in ("列出中奖者。", "同上。", "示例：lottery winners"))
    assert not any(text in shown for text in texts[:2])


def test_english_needs_no_catalogue():
    """Nobody waits for Babel in English."""
    program = "import sys; import lottery_lib.__main__; sys.exit('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_copies_lie_at_home_where_the_kit_cannot_be_written():
    """Who shares the kit with a class gets the copies of the lessons in their home."""
    code = "import os; os.access = lambda *_: False; from lottery_lib.translation import WORK; print(WORK)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(Path.home() / "lottery")


@pytest.mark.parametrize(
    ("spoken", "place", "told"),
    [
        ("en", "Etc/UTC", "2026-11-26 20:00:41 UTC"),
        ("en", "Asia/Kolkata", "2026-11-27 01:30:41 / 20:00:41 UTC"),
        ("zh", "Etc/UTC", "北京时间 2026-11-27 04:00:41 / 20:00:41 UTC"),
        ("zh", "Asia/Kolkata", "北京时间 2026-11-27 04:00:41 / 20:00:41 UTC"),
    ],
)
def test_a_time_is_that_of_its_reader(monkeypatch, spoken, place, told):
    """In Chinese it is Beijing's, and otherwise that of the computer. UTC stands beside it."""
    monkeypatch.setenv("TZ", place)
    time.tzset()
    monkeypatch.setattr(translation, "language", lambda: spoken)
    try:
        assert timed(datetime(2026, 11, 26, 20, 0, 41, tzinfo=UTC), DAY) == told
    finally:
        monkeypatch.undo()
        time.tzset()
