"""Announce a draw, so that nobody can change it later: a page to photograph, with a QR code."""

from collections.abc import Mapping
from typing import Any, Final

import segno

from lottery_lib.harmless import escaped
from lottery_lib.translation import _, language, ngettext
from lottery_party.check_words import RULES

_STYLE: Final = """
@page { size: A4; margin: 14mm; }
:root { color-scheme: light dark; --paper: #fff; --ink: #16191f; --soft: #565e69; --box: #f3f5f8; }
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #14171c; --ink: #eef1f5; --soft: #aab3bf; --box: #1f242b; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 70rem; background: var(--paper); color: var(--ink);
  font: 1.25rem/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 2.6rem; line-height: 1.15; }
h2 { margin: 1.4rem 0 .3rem; font-size: 1.35rem; }
p { margin: .3rem 0; }
ol { margin: .3rem 0; padding-left: 2rem; columns: 20rem; }
li { break-inside: avoid; }
.columns { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; align-items: flex-start; }
.columns > div { flex: 1 1 22rem; }
.code { padding: .6rem .9rem; border-radius: .5rem; background: var(--box);
  font: 1.15rem/1.6 ui-monospace, Menlo, Consolas, monospace; }
.soft { color: var(--soft); }
figure { flex: 0 1 24rem; margin: 0 auto; text-align: center; }
figure svg { width: 100%; max-width: 24rem; border-radius: .5rem; }
@media print {
  body { padding: 0; font-size: 12pt; }
  .columns > div { flex-basis: 100%; }
  figure { flex-basis: 7cm; }
  .code { border: 1px solid #999; }
}
"""


def announcement(receipt: Mapping[str, Any], code: str) -> str:
    """The text for the QR code: the name of the draw, and the code of its announcement.

    Args:
        receipt: What the draw's receipt number 0 says. `docs/receipts.md` explains it.
        code: The hash of this receipt.
    """
    return _("{draw}\nCode of the announcement: {code}", draw=receipt["draw"], code=code)


def given(draw: str, value: str, code: str) -> str:
    """The text for the second QR code: the name of the draw, its public value, and the code after it."""
    told = _("{draw}\nPublic value: {value}", draw=draw, value=value)
    return told + "\n" + _("Code after the public value: {code}", code=code)


def ended(draw: str, code: str) -> str:
    """The text for the last QR code, on the closing screen: the name of the draw, and the code of its end."""
    return _("{draw}\nCode of the end: {code}", draw=draw, code=code)


def qr(text: str) -> str:
    """A QR code as SVG. It grows with the page, and is dark on white, also on a dark page."""
    code = segno.make(text, error="m", micro=False, encoding="utf-8")
    return code.svg_inline(border=4, light="white", omitsize=True, title=_("QR code"))


def page(receipt: Mapping[str, Any], code: str) -> str:
    """The announcement as one HTML file, for a screen and for A4 paper. It loads nothing.

    Args:
        receipt: As for `announcement`.
        code: As for `announcement`.
    """
    name = escaped(receipt["draw"])
    prizes = "".join(
        f"<li>{escaped(_prize(each['prize'], each['count']))}</li>" for each in receipt["prizes"]
    )
    asked = escaped(_("The room is asked: {question}", question=receipt["question"]))
    photograph = _("<b>Photograph this page.</b> After the draw you can check that nothing was changed.")
    count = receipt["size"]
    size = ngettext("1 person can win", "{count} people can win", count, count=count)
    phone = _("The code of the announcement, for your phone")
    before = _("Draws that were announced before: {count}", count=receipt["announced_before"])
    return f"""<!doctype html>
<html lang="{language()}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{name}</h1>
<p>{photograph}</p>
<div class="columns">
<div>
<h2>{_("Prizes, in this order")}</h2>
<ol>{prizes}</ol>
<p>{size}</p>
<p>{RULES[receipt["absent"]]}</p>
{f"<p>{asked}</p>" if receipt["question"] else ""}
<h2>{_("Code of the announcement")}</h2>
<div class="code">{grouped(escaped(code))}</div>
<p class="soft">{before}</p>
</div>
<figure>{qr(announcement(receipt, code))}<figcaption class="soft">{phone}</figcaption></figure>
</div>
</main>
</body>
</html>
"""


def _prize(name: str, count: int) -> str:
    return ngettext("{prize}: 1 winner", "{prize}: {count} winners", count, prize=name, count=count)


def grouped(code: str) -> str:
    """A code in groups of 4 characters, which are easier to compare."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))
