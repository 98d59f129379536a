"""What guests photograph: people and phones can read it."""

import xml.etree.ElementTree as ET
from urllib.parse import unquote

import segno

from lottery_party.codes import announced, given, grouped, qr

CODE = "00112233" * 8


def test_the_code_holds_what_must_not_change():
    """The texts for the QR codes: the name, the code, and after the value the value; no address."""
    assert announced({"draw": "Summer <party> 夏"}, CODE) == (
        f"Summer <party> 夏\nCode of the announcement: {CODE}"
    )
    assert given("夏", "3 14", CODE) == f"夏\nPublic value: 3 14\nCode after the public value: {CODE}"


def test_the_code_is_dark_on_white():
    """A phone reads it on a dark page, too: it has a white edge of four squares."""
    svg = ET.fromstring(unquote(qr("夏 1").removeprefix("data:image/svg+xml;charset=utf-8,")))
    size = len(segno.make("夏 1", error="m", micro=False).matrix) + 2 * 4
    assert svg.get("viewBox") == f"0 0 {size} {size}"
    white, black = svg.findall("{*}path")
    assert (white.get("fill"), white.get("d")) == ("#fff", f"M0 0h{size}v{size}h-{size}z")
    assert (black.get("stroke"), black.get("d")[:5]) == ("#000", "M4 4.")


def test_groups_of_four():
    """A code is shown in groups of four characters."""
    assert grouped("abcdefghij") == "abcd efgh ij"
