"""What a Chinese user reads in a terminal is Chinese: each help, and each mistake on the command line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lottery_lib.names import KIT

#: What stays: options, what stands in backticks, examples, files, capitals such as FILE and AWS; then names.
NAMES = re.compile(
    r"--?[\w-]+|`[^`]*`|示例：.*|[\w.-]*[._][\w.]+|\b[A-Z][A-Z_0-9]*\b|'[^']*'|“[^”]*”|-[a-z]+|[a-z]+-|\[[a-z|]+\]"
)
WORDS = {
    *("Step", "Functions", "AWS", "Python", "Excel", "Bicycle", "Ctrl"),
    *("lottery", "tutorial", "jsonata", "hardened", "out", "later"),
}
#: Prints the help of every command.
PROGRAM = Path(__file__).with_name("every_help.py")


def english(text: str, names: set[str]) -> list[str]:
    """The English words in a text."""
    found = re.findall(r"[A-Za-z]{2,}", NAMES.sub(" ", text))
    return [word for word in found if word not in WORDS | names]


def chinese(*command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LOTTERY_LANG": "zh", "PYTHONUTF8": "1", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=False
    )


def test_each_help_is_chinese():
    """With click's own words; only names stay."""
    shown = chinese(str(PROGRAM)).stdout
    assert shown.count("用法") > 30
    names = set(re.findall(r"^  ([a-z]+)  ", shown, re.MULTILINE))
    assert english(shown, names) == []


@pytest.mark.parametrize(
    "words",
    [
        "darw", "draw", "draw 1 2", "status --jso", "emulator", "emulator start --port x",
        "announce x --absent y", "status --edition", "status --json=3", "join",
        "employees load nobody.csv", "verify nobody",
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_chinese(words):
    """It is one sentence, without a space between its parts."""
    done = chinese("-m", "lottery_lib", *words.split())
    assert done.returncode
    assert english(done.stderr, {"lottery", *words.split()}) == []
    assert "。 " not in done.stderr


def test_the_installation_speaks_chinese(tmp_path):
    """Also with a Python that has no packages at all."""
    command = ["-I", "-S", str(KIT / "data" / "install.py"), str(tmp_path / ".venv"), str(tmp_path)]
    done = chinese(*command)
    assert "而这个系统和这个 Python 需要它" in done.stderr
    assert english(done.stderr.replace(str(tmp_path), ""), {"wheelhouse", "linux", "py"}) == []
