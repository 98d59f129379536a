"""What the emulator says to people is a message, and the catalogue is compiled."""

import ast
import gettext
from pathlib import Path

import pytest
from sentences import sentences

import sfn_emulator
from sfn_emulator import translation
from sfn_emulator.errors import EmulatorError

FOLDER = Path(sfn_emulator.__file__).parent
#: How it starts, and its pages. What its services say is AWS's.
SPEAKING = [
    "command_line.py",
    "control.py",
    "errors.py",
    "pages.py",
    "running.py",
    "server.py",
    *(f"process/{name}.py" for name in ("environment", "record")),
    "states/mocks.py",
]
#: By module: the beginnings of the sentences that stay English, and why.
ENGLISH = {
    # They stand in the log, and in a help that only programs call.
    "server.py": (
        "An emulator of this",
        "Port {} cannot",
        "an emulator of its own",
        "end ",
        "a proxy",
        "the folder",
    ),
    "control.py": ("No module named",),  # Python's words
    # The cause of an execution that fails is in English, as AWS's are.
    "states/mocks.py": ("The mocked response", "The mock of", "{} has no answer", "{} has a wrong answer"),
    # A line of Python; lines of a shell.
    "command_line.py": ("  boto3.client", "  export"),
}


@pytest.mark.parametrize("name", SPEAKING)
def test_each_sentence_is_a_message(name):
    """A sentence outside of `_` would stay English in every language."""
    tree = ast.parse((FOLDER / name).read_text(encoding="utf-8"))
    assert [text for text in sentences(tree) if not text.startswith(tuple(ENGLISH.get(name, ())))] == []


def test_the_setting_says_the_language(monkeypatch):
    """`SFN_EMULATOR_LANG` comes before the locale; a language without a catalogue is English."""
    monkeypatch.setenv("SFN_EMULATOR_LANG", "zh")
    monkeypatch.setenv("LANGUAGE", "en")
    assert translation._("It runs.") == "正在运行。"
    monkeypatch.setenv("SFN_EMULATOR_LANG", "fr")
    assert translation._("It runs.") == "It runs."


def test_an_error_has_the_marks_of_the_language(monkeypatch):
    """Chinese has a colon and a full stop of its own."""
    error = EmulatorError("a", "b", "c")
    monkeypatch.setenv("SFN_EMULATOR_LANG", "zh")
    assert str(error) == "a：b。c。"
    monkeypatch.setenv("SFN_EMULATOR_LANG", "en")
    assert str(error) == "a: b. c."


def test_each_catalogue_is_compiled():
    """A language is a folder that gettext can read."""
    for folder in translation.LOCALE.iterdir():
        assert gettext.find("sfn_emulator", translation.LOCALE, [folder.name])
