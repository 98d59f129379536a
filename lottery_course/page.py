"""What the instructor's page shows besides the lines: its words, and the lessons."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lottery_course.board import in_words
from lottery_course.notebooks import Lesson
from lottery_lib.translation import TAGS, _, language
from lottery_lib.view.theme import root_css

_HERE: Final = Path(__file__).parent
#: The page's template.
TEMPLATE: Final = _HERE / "board.html"
#: The files of the page, and their types.
FILES: Final = {"board.css": "text/css", "board.js": "text/javascript"}
_WORDS: Final = {
    "title": _("Class"),
    "join": _("To join, type this into a terminal of JupyterLab"),
    "copy": _("Copy"),
    "copied": _("Copied"),
    "save": _("Save now"),
    "saved": _("Saved"),
    "unsaved": _("Not saved"),
    "lost": _("No connection to the board"),
    "now": _("The class now"),
    "count": _("attendees"),
    "help": _("ask for help"),
    "failed": _("failed a check three times"),
    "still": _("have not moved for long"),
    "nobody": _("Nobody has joined yet."),
    "attendees": _("Attendees"),
    "attendee": _("Attendee"),
    "why": _("Why first"),
    "done": _("done"),
    "often": _("tried, and how often"),
    "tried": _("tried {count} times"),
    "open": _("open"),
    "here": _("where somebody is"),
    "some": _("{done} of {count} done"),
}


def file(name: str) -> str:
    """The text of one of `FILES`."""
    text = (_HERE / name).read_text(encoding="utf-8")
    return root_css() + text if name == "board.css" else text


def shown(lessons: Mapping[str, Lesson]) -> dict[str, Any]:
    """What the template needs."""
    columns = [
        {"number": number, "checks": [in_words(check) for check in lesson.checks]}
        for number, lesson in lessons.items()
    ]
    data = json.dumps({"lessons": columns, "words": _WORDS}).replace("<", "\\u003c")
    tag = TAGS.get(language(), language())
    return {"lessons": lessons, "words": _WORDS, "data": data, "language": tag}
