"""What guests photograph, so that nobody can change it later: codes, and their texts for a QR code."""

from collections.abc import Mapping
from typing import Any

import segno

from lottery_lib.translation import _


def announced(receipt: Mapping[str, Any], code: str) -> str:
    """The text of the first QR code: the name of the draw, and the code of its announcement.

    Args:
        receipt: What the draw's receipt number 0 says. `docs/receipts.md` explains it.
        code: The hash of this receipt.
    """
    return _("{draw}\nCode of the announcement: {code}", draw=receipt["draw"], code=code)


def given(draw: str, value: str, code: str) -> str:
    """The text of the second QR code: the name of the draw, its public value, and the code after it."""
    told = _("{draw}\nPublic value: {value}", draw=draw, value=value)
    return told + "\n" + _("Code after the public value: {code}", code=code)


def ended(draw: str, code: str) -> str:
    """The text of the last QR code, on the closing screen: the name of the draw, and the code of its end."""
    return _("{draw}\nCode of the end: {code}", draw=draw, code=code)


def qr(text: str) -> str:
    """A QR code as a data URL of an SVG. It grows with the page. It is dark on white, also on a dark page."""
    code = segno.make(text, error="m", micro=False, encoding="utf-8")
    return str(code.svg_data_uri(border=4, light="white", omitsize=True))


def grouped(code: str) -> str:
    """A code in groups of 4 characters, which are easier to compare."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))
