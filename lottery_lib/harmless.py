"""Make texts that somebody else wrote harmless: in a terminal, on a page, in a spreadsheet."""

import html
import re
from collections.abc import Iterable
from typing import Final
from unicodedata import category, east_asian_width, normalize

#: Characters that no name needs: controls, such as a terminal's escape; separators of lines; half characters;
#: and those that turn the direction of a text around.
CONTROLS: Final = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
#: Characters that nobody sees (Unicode's Default_Ignorable_Code_Point), and the blank of Braille.
INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
#: The HTML class that keeps JupyterLab from reading dollar signs, which paths have, as mathematics.
PLAIN: Final = "mathjax_ignore"
# A spreadsheet runs a cell as a formula if it begins like this. Chinese and Japanese spreadsheets also accept
# the wide forms. Spreadsheets ignore the invisible marks U+200B and U+FEFF in front.
_FORMULA: Final = r"(?:[\t\r]|[\s\u200b\ufeff]*[=+\-@＝＋－＠])"
_RUNS: Final = re.compile(f"'*{_FORMULA}")
_PREFIXED: Final = re.compile(f"'+{_FORMULA}")


def harmless(text: str) -> str:
    r"""Write each control as JSON does, such as ``\u001b``; line breaks and tabs stay."""
    return CONTROLS.sub(lambda match: match[0] if match[0] in "\n\t" else f"\\u{ord(match[0]):04x}", text)


def escaped(text: str) -> str:
    """A text for an HTML page: without controls, and with each `<` and `&` escaped."""
    return html.escape(harmless(text))


def in_a_row(sentences: Iterable[str]) -> str:
    """Sentences as one text. A Chinese full stop has room of its own, and needs no space."""
    return re.sub("(?<=[。！？]) ", "", " ".join(filter(None, sentences)))


def width(text: str) -> int:
    """How many columns a text takes: two for each wide (Chinese, Japanese, Korean) character."""
    return sum(1 + (east_asian_width(letter) in "WF") for letter in text)


def skeleton(text: str) -> str:
    """What two texts that look alike have in common; empty if there is nothing to see.

    Full-width letters, capitals, spaces, invisible characters and controls make no difference. Compare with
    it, and never show it.
    """
    for _again in range(2):  # what disappears leaves neighbours, which can become one letter
        text = normalize("NFKC", "".join(CONTROLS.sub("", INVISIBLE.sub("", text)).casefold().split()))
    return text


def normalised(value: str) -> str:
    """A public value as everybody reads it: small letters and digits, with one space between two groups.

    `docs/receipts.md` has the rule. The function CommitDraw and the page `check.html` have copies of it.
    """
    while True:
        seen = INVISIBLE.sub("", normalize("NFKC", value)).lower()
        text = " ".join("".join(each if category(each)[0] in "LMN" else " " for each in seen).split())
        if text == value:
            return text
        value = text


def to_cell(text: str) -> str:
    """A text for a spreadsheet. If it looks like a formula, it gets an apostrophe in front."""
    return f"'{text}" if _RUNS.match(text) else text


def from_cell(cell: str) -> str:
    """The text from which `to_cell` made this cell."""
    return cell[1:] if _PREFIXED.match(cell) else cell
