"""What an attendee sends to the board, and nothing else: one schema, which both sides check.

The attendee sends ``POST /report`` with the board's code in the header `CODE_HEADER`. No field can hold a
text of the attendee's, except the nickname: a lesson is two digits, and a check is a word and a number.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

import fastjsonschema

from lottery_lib.errors import LotteryError
from lottery_lib.translation import _

CODE_HEADER: Final = "X-Class-Code"
#: The port of the board, if nobody chooses another.
PORT: Final = 8877
#: Letters and digits of a code. None of them looks like another: no 0 O, 1 I L, 2 Z, 5 S, 8 B.
ALPHABET: Final = "34679ACDEFGHJKMNPQRTUVWXY"
CODE_LENGTH: Final = 6
#: The most bytes of a report.
MOST_BYTES: Final = 2048
MOST_LETTERS: Final = 40
_CHECK: Final = "^(joined|left|help|start|verify|(exercise|mission) [1-9][0-9]?)$"
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["attendee", "nickname", "lesson", "check", "done", "tries", "time", "help"],
    "properties": {
        "attendee": {"type": "string", "pattern": "^[0-9a-f]{32}$"},  # made by chance when somebody joins
        "nickname": {"type": "string", "maxLength": MOST_LETTERS},  # empty: the board shows a number
        "lesson": {"type": "string", "pattern": "^([0-9]{2})?$"},  # empty before the first lesson
        "check": {"type": "string", "pattern": _CHECK},
        "done": {"type": "boolean"},
        "tries": {"type": "integer", "minimum": 0, "maximum": 9999},  # how often it was not done yet
        "time": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"},
        "help": {"type": "boolean"},
    },
}
_valid: Final = fastjsonschema.compile(SCHEMA)
# Letters that nobody sees, although Unicode calls them letters or signs.
_BLANK: Final = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0]")


Report = Mapping[str, Any]


def checked(report: object) -> Report:
    """A report that has the form of the schema, and a nickname that can be shown.

    Raises:
        ValueError: It has another form. No text of it is in the message.
    """
    try:
        valid: dict[str, Any] = _valid(report)
        return valid | {"nickname": clean_nickname(valid["nickname"])}
    except (fastjsonschema.JsonSchemaException, LotteryError):
        raise ValueError("no report") from None


def clean_nickname(text: str) -> str:
    """A nickname in its usual form (NFKC), with single spaces.

    Raises:
        LotteryError: It is too long, or has characters that nobody can see.
    """
    name = " ".join(unicodedata.normalize("NFKC", text).split(" ")).strip(" ")
    unseen = any(unicodedata.category(letter)[0] in "CZ" and letter != " " for letter in name)
    if unseen or _BLANK.search(text):
        what = _("has a character that nobody can see")
        raise LotteryError(_("nickname"), what, _("Use letters, digits and single spaces"))
    if len(name) > MOST_LETTERS:
        what = _("has more than {count} letters", count=MOST_LETTERS)
        raise LotteryError(_("nickname"), what, _("Use a shorter one"))
    return name


def clean_code(text: str) -> str:
    """A code as the board has it, however somebody typed it: small letters and a hyphen are fine, too."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()
