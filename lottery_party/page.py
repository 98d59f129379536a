"""The pages of an evening: their words, what they show besides the stage, and the file of a browser."""

from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final
from unicodedata import normalize

from lottery_lib.errors import LotteryError
from lottery_lib.harmless import escaped, skeleton
from lottery_lib.translation import TAGS, _, language, languages, listed, ngettext, punctuated
from lottery_lib.view.graph import WORDS as GRAPH_WORDS
from lottery_lib.view.theme import picture_css
from lottery_party import scenes
from lottery_party.evening import EveningState, PrizeState
from lottery_party.pictures import Pictures
from lottery_party.prizes import Prize, read_prizes
from lottery_party.public_value import LARGEST, MOST_NUMBERS, Numbers, why_amber

_HERE: Final = Path(__file__).parent
_VIEW: Final = _HERE.parent / "lottery_lib" / "view"
_FEW: Final = 12  # names that a prize shows without being asked
#: What a page may do. It can ask nobody but the server that it came from.
POLICY: Final = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self' ws://127.0.0.1:*; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
#: The title of an evening, until somebody writes another one.
TITLE: Final = _("Lottery night")
#: Each language of the pages, as those who speak it write it.
LANGUAGES: Final = {"en": "English", "zh": "中文"}
#: The rules for who is absent.
RULES: Final = [
    [_("They are out for this evening"), "out"],
    [_("They may win a later prize"), "may win later"],
]
#: The colours of the stage.
THEMES: Final = [[_("Night blue and gold"), ""], [_("Red and gold"), "red"]]
#: Every word that the stage itself shows; the rest comes with the scenes.
STAGE: Final = {
    "language": TAGS.get(language(), language()),
    "tab": _("Who wins tonight?"),
    "page": _("Page {page} of {pages}"),
    "guests": _("{guests} people can win"),
    "drawing": _("Drawing ..."),
    "new": _("drawn in place of somebody who is absent"),
    "absent": _("absent"),
    "code": _("QR code"),
    "lost": _("One moment, please"),
    "lost_next": "",
    "sound": _("Sound (S)"),
    "full_screen": _("Full screen (F)"),
}
#: Every word of the operator's page that does not change.
OPERATOR: Final = {
    **STAGE,
    "lost_next": _(
        "This page has lost its program, and comes back by itself. If it does not: type “lottery night” "
        "again, and open the stage from its page."
    ),
    "open": _("Open the stage ↗"),
    "language_of_pages": _("Language"),
    "prizes_label": _("Prizes, one on each line, in the order of the draw"),
    "prizes_example": _("10 Voucher\n3 Bicycle\n1 Car"),
    "title_label": _("Title and logo on the stage"),
    "title": _("Title of the evening"),
    "logo": _("Logo picture"),
    "background": _("Background picture"),
    "picture": _("Picture"),
    "remove": _("Remove the picture"),
    "colours": _("Colours of the stage"),
    "who_label": _("Who can win"),
    "guests_list": _("List of guests"),
    "load": _("Load this list"),
    "absent_label": _("If winners are absent"),
    "question_label": _("What the room is asked for, so that nobody knows the winners"),
    "ask_numbers": _("Numbers"),
    "ask_text": _("Any text"),
    "how_many": _("How many"),
    "from": _("From"),
    "to": _("To"),
    "question": _("Question to the room"),
    "value_example": _("As the room has said it, such as 3 14 15 92 65"),
    "correct_label": _("Was it mistyped? Correct it before the first prize. The receipts show both."),
    "correct": _("Correct it"),
    "withdraw": _("Withdraw somebody: name, id or department"),
    "surprise_example": _("1 Weekend in Paris"),
    "between": _("Between the prizes. A surprise prize makes the check amber."),
    "add": _("Show the surprise prize"),
    "end": _("End the evening"),
    "who": _("Who can still win?"),
    "prizes": _("Prizes"),
    "none_yet": _("They appear here when they are announced."),
    "heads": ["", _("Prize"), _("How far"), _("Winners")],
    "show_machine": _("Show it"),
    "hide_machine": _("Hide it"),
    "machine_title": _("Show or hide the state machine"),
    "no": _("No"),
    "take_back": _("Take the announcement back"),
    "mailbox": _("the mailbox page"),
    "restore": _("Restore the evening from its file"),
    "search": _("Search a name, an id or a department"),
    "fresh": _("new"),
    "comma": listed(["", ""]),
    "graph": GRAPH_WORDS,
}


@cache
def html(role: str) -> str:
    """A page as one file, with places for ``{key}``, ``{base}``, ``{start}`` and ``{nonce}``.

    Args:
        role: ``"stage"`` or ``"operator"``.
    """

    def text(*names: str) -> str:
        return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)

    def enclosed(gives: str, *names: str) -> str:
        """Scripts whose names nobody else sees, but for one."""
        return f"const {gives} = (() => {{\n{text(*names)}\nreturn {gives};\n}})();\n"

    style, script = text("stage.css"), enclosed("stage", "field.js", "stage.js")
    script += enclosed("link", "sha256.js", "link.js")
    if role == "operator":
        style += text("operator.css") + picture_css(".dark") + (_VIEW / "graph.css").read_text("utf-8")
        graph = (_VIEW / "graph.js").read_text(encoding="utf-8")
        script += f"const graph = (() => {{\n{graph}\nreturn graph;\n}})();\n" + text("operator.js")
    else:
        script += 'link("stage", (model) => stage({ model, el: document.getElementById("page") }));\n'
    return f"""<!doctype html>
<html lang="{STAGE["language"]}" class="{role}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{STAGE["tab"] if role == "stage" else TITLE}</title>
<link rel="icon" href="data:,">
<style>
{style}
</style>
</head>
<body data-key="{{key}}" data-base="{{base}}" data-start="{{start}}">
<div id="page"></div>
<script nonce="{{nonce}}">
"use strict";
{script}</script>
</body>
</html>
"""


def spoken() -> list[list[str]]:
    """The languages of the kit, each in its own words, and its code."""
    return [[LANGUAGES.get(each, each), each] for each in ("en", *languages())]


def links(*, closed: bool) -> list[list[str]]:
    """The files that guests may have, as words and names: before the draw, or all that remains."""
    found = [[_("Announcement"), "announcement.html"], [_("Proofs for all guests"), "proofs.html"]]
    if closed:
        found += [
            [_("Winners (Excel)"), "winners.xlsx"],
            [_("Winners (CSV)"), "winners.csv"],
            [_("Winners (text for a chat)"), "winners.txt"],
            [_("Receipts"), "receipts.json"],
            [_("Check page"), "check.html"],
        ]
    return found


def preparation(text: str) -> dict[str, Any]:
    """What the form shows of a list of prizes: ``rows``, and what stands there ``twice``.

    A row has the number of winners, the prize, and the name of a picture that there may be.

    Raises:
        LotteryError: This is no list of prizes.
    """
    prizes = read_prizes(text)
    rows = [[str(each["count"]), each["name"], Pictures.of(each["name"])] for each in prizes]
    return {"rows": rows, "twice": twice(prizes)}


def twice(prizes: Sequence[Prize]) -> str:
    """Say which prizes stand in the list more than once; empty if there are none."""
    times = Counter(skeleton(each["name"]) for each in prizes)
    names = {each["name"]: None for each in prizes if times[skeleton(each["name"])] > 1}
    return _("More than once in the list: {prizes}. Is this meant?", prizes=listed(names)) if names else ""


def question(kind: str, count: str, least: str, most: str) -> tuple[Numbers | None, dict[str, str]]:
    """What the form asks the room for.

    Args:
        kind: ``"numbers"``, or ``"text"`` for any text.
        count: How many numbers, as somebody typed it.
        least: The smallest number.
        most: The largest number.

    Returns:
        The numbers, and what the form shows: the ``question`` and why the check will be ``amber``.

    Raises:
        LotteryError: These are not numbers that can be asked for.
    """
    if kind != "numbers":
        return None, {"question": "", "amber": why_amber(None)}
    # The wide digits of a Chinese keyboard are ordinary ones
    typed = [normalize("NFKC", each).strip() for each in (count, least, most)]
    if not all(each.isascii() and each.isdecimal() and len(each) < 9 for each in typed):
        what = _("how many, and from where to where, must be numbers")
        most_numbers = _("Write 1 to {most}, and numbers up to {largest}", most=MOST_NUMBERS, largest=LARGEST)
        raise LotteryError(_("question to the room"), what, most_numbers)
    numbers = Numbers(*map(int, typed))
    return numbers, {"question": numbers.question, "amber": why_amber(numbers)}


def prize_rows(state: EveningState, not_mailed: str, namesakes: Collection[str]) -> dict[str, Any]:
    """Each prize, and what has become of it; and who was withdrawn."""
    rows = [
        {
            "number": each.number,
            "prize": f"{each.count} × {each.name}",
            "status": _status(each, state, not_mailed),
            "winners": [scenes.named(one, namesakes) for one in each.winners],
            "count": ngettext("1 person", "{count} people", len(each.winners), count=len(each.winners))
            if len(each.winners) > _FEW
            else "",
            "absent": [scenes.named(one, namesakes) for one in each.absent],
        }
        for each in state.prizes
    ]
    gone = listed(punctuated("{name} ({id})", name=each.name, id=each.id) for each in state.withdrawn)
    return {"rows": rows, "withdrawn": _("Withdrawn: {people}", people=gone) if gone else ""}


def _status(prize: PrizeState, state: EveningState, not_mailed: str) -> str:
    if prize.done:
        latest = prize.number == state.number
        return _("complete, not mailed") if latest and not_mailed else _("complete")
    if state.step in ("drawing", "roll call") and prize.number == state.number:
        return _("drawing") if state.step == "drawing" else _("roll call")
    return _("drawn, not complete") if scenes.drawn(prize) else _("not drawn yet")


def filled(role: str, **values: str) -> str:
    """The file of a page, with its values in their places."""
    text = html(role)
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", escaped(value), 1)
    return text
