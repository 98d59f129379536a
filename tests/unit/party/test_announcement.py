"""An announcement has everything that nobody may change later. People and phones can read it."""

import html
import re
import xml.etree.ElementTree as ET

import pytest
import segno

from lottery_party.announcement import announcement, given, grouped, page, qr

CODE, ROOT, COMMITMENT = "00112233" * 8, "0123456789abcdef" * 4, "fedcba9876543210" * 4
RECEIPT = {
    "number": 0,
    "kind": "announced",
    "draw": "Summer <party> 夏",
    "announced_before": 3,
    "pool": ROOT,
    "size": 812,
    "prizes": [{"prize": "Bicycle & bell", "count": 1}, {"prize": "Mug", "count": 20}],
    "absent": "out",
    "commitment": COMMITMENT,
    "question": "Call five <numbers>",
}


def words(document):
    """What a person reads on a page."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"(?s)<style>.*?</style>|<[^>]*>", " ", document)))


def test_the_code_holds_what_must_not_change():
    """The texts for the QR codes: the name, the code, and after the value the value; no address."""
    assert announcement(RECEIPT, CODE) == f"Summer <party> 夏\nCode of the announcement: {CODE}"
    assert given("夏", "3 14", CODE) == f"夏\nPublic value: 3 14\nCode after the public value: {CODE}"


def test_the_code_is_dark_on_white():
    """A phone reads it on a dark page, too: it has a white edge of four squares."""
    svg = ET.fromstring(qr("夏 1"))
    size = len(segno.make("夏 1", error="m", micro=False).matrix) + 2 * 4
    assert svg.get("viewBox") == f"0 0 {size} {size}"
    white, black = svg.findall("{*}path")
    assert (white.get("fill"), white.get("d")) == ("#fff", f"M0 0h{size}v{size}h-{size}z")
    assert (black.get("stroke"), black.get("d")[:5]) == ("#000", "M4 4.")


def test_the_page_says_everything():
    """The prizes in order, the size, the rule in words, the question, and the code in groups."""
    text = words(page(RECEIPT, CODE))
    parts = [
        *("Summer <party> 夏", "Photograph this page.", "Bicycle & bell: 1 winner", "Mug: 20 winners"),
        "812 people can win If a winner is absent, somebody else gets the prize.",
        "The absent person cannot win any more.",
        *("The room is asked: Call five <numbers>", "Code of the announcement", grouped(CODE)),
        "Draws that were announced before: 3",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


@pytest.mark.parametrize("change", [{"absent": "may win later"}, {"question": ""}, {"size": 1}])
def test_the_page_of_another_draw(change):
    """The other rule has other words; a draw without a public value asks nothing."""
    text = words(page(RECEIPT | change, CODE))
    assert ("can win a later prize, " in text) == ("absent" in change)
    assert ("The room is asked" in text) == ("question" not in change)
    assert ("1 person can win " in text) == ("size" in change)


def test_the_page_loads_nothing():
    """The page needs no network: nothing in it is an address."""
    addresses = re.findall(r"(?i)\b(?:src|href|url|@import)\b", page(RECEIPT, CODE))
    assert addresses == []
    assert set(re.findall(r"https?://[^\s\"]*", page(RECEIPT, CODE))) <= {"http://www.w3.org/2000/svg"}


def test_groups_of_four():
    """A code is shown in groups of four characters."""
    assert grouped("abcdefghij") == "abcd efgh ij"
