"""Read the receipts of a document, and refuse everything that does not have the form of `receipt_form.json`.

The page `check.html` reads the same file. A form in it is

- a word, such as ``"text"`` (see `_TYPES`);
- ``["list of", form]``;
- ``["one of", text, ...]``: one of these texts;
- ``{"key": form, "other?": form}``: an object with these keys. One with a ``?`` may be missing. Others do not
  matter.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from lottery_party.check_words import PROBLEMS

Form: TypeAlias = "str | list[Form] | dict[str, Form]"
FORM: Final[dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="ascii"))
_PLACES: Final[dict[str, list[str]]] = FORM["places"]
_CONTROLS: Final = re.compile("[\0-\x1f\x7f-\x9f]")


class WrongForm(Exception):
    """Something does not have the form that `docs/receipts.md` says. The text is a sentence."""


@dataclass(frozen=True)
class Receipt:
    """What a receipt says, and the hash of its text."""

    says: Mapping[str, Any]
    hash: str

    @property
    def kind(self) -> str:
        """Such as ``"drawn"``."""
        return str(self.says["kind"])


def read_document(document: Any) -> tuple[list[Receipt], dict[str, list[Receipt]]]:
    """Read the receipts of the lottery's own chain, and those of each draw in the order of the chain.

    Raises:
        WrongForm: The document has another form, so nothing in it can be checked.
    """
    if not _fits(document, FORM["document"]):
        raise WrongForm(PROBLEMS["file"])
    if (given := document.get("format", 1)) not in FORM["formats"]:  # the first documents have no number
        raise WrongForm(PROBLEMS["format"].format(given=int(given), ours=FORM["formats"][-1]))
    chain = [
        _receipt(PROBLEMS["chainReceipt"].format(at=at), text, _PLACES["chain"])
        for at, text in enumerate(document["chain"])
    ]
    names = [each.says["draw"] for each in chain if each.kind == "announced"]
    in_order = [*dict.fromkeys([*names, *document["draws"]])]
    draws = {name: _draw(name, document["draws"][name]) for name in in_order if name in document["draws"]}
    for at, row in enumerate(document["winners"], 1):
        if not _fits(row, FORM["winner"]):
            raise WrongForm(PROBLEMS["row"].format(at=at))
    return chain, draws


def _draw(name: str, draw: Any) -> list[Receipt]:
    if not _fits(draw, FORM["draw"]) or not draw["receipts"]:
        raise WrongForm(PROBLEMS["draw"].format(draw=name))
    first, *later = draw["receipts"]
    found = [_receipt(PROBLEMS["drawReceipt"].format(draw=name, at=0), first, _PLACES["first"])]
    rules = FORM["rules"][str(found[0].says.get("format", 1))]
    for at, text in enumerate(later, 1):
        where = PROBLEMS["drawReceipt"].format(draw=name, at=at)
        receipt = _receipt(where, text, rules["later"])
        if not _fits(receipt.says, {**rules["receipt"], **rules.get(receipt.kind, {})}):
            raise WrongForm(PROBLEMS["form"].format(where=where))
        found.append(receipt)
    if found[-1].kind == "closed" and not _fits(draw, {**FORM["closed draw"], "pool": rules["pool"]}):
        raise WrongForm(PROBLEMS["noPool"].format(draw=name))
    return found


def _receipt(where: str, text: str, kinds: Sequence[str]) -> Receipt:
    says: Any = None
    try:
        if text.isascii():
            says = json.loads(text, parse_constant=refuse, parse_float=_number, parse_int=_number)
    except (ValueError, RecursionError):
        pass
    right = _fits(says, FORM["receipt"]) and says.get("kind") in kinds
    right = right and _fits(says, FORM["kinds"][says["kind"]])
    if right and says["kind"] == "announced":
        right = _fits(says, FORM["rules"][str(says.get("format", 1))].get("announced", {}))
    if not right:
        raise WrongForm(PROBLEMS["form"].format(where=where))
    return Receipt(says, hashlib.sha256(text.encode()).hexdigest())


def refuse(constant: str) -> None:
    """JSON has no NaN and no Infinity; only Python reads them."""
    raise ValueError(constant)


def _number(text: str) -> float:
    """Read a number as JavaScript does: 1.0 is the same as 1, and any number of digits is possible."""
    number = float(text)
    return int(number) if number.is_integer() else number


def _fits(value: Any, form: Form) -> bool:
    """Whether a value has a form."""
    if isinstance(form, str):
        return _TYPES[form](value)
    if isinstance(form, dict):
        return isinstance(value, Mapping) and all(
            _fits(value[name], each) if (name := key.removesuffix("?")) in value else name != key
            for key, each in form.items()
        )
    what, *others = form
    if what == "one of":
        return value in others
    return isinstance(value, list) and all(_fits(each, others[0]) for each in value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)  # these have no UTF-8


def _is_number(value: Any) -> bool:
    """As in JavaScript, 1.0 is a whole number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value < 2**31 and value == int(value)


def is_numbers(value: Any) -> bool:
    """Whether these are numbers that a room can be asked for (`public_value.Numbers`)."""
    if not _fits(value, {"count": "number", "least": "number", "most": "number"}):
        return False
    return bool(1 <= value["count"] <= 20 and value["least"] < value["most"] <= 1_000_000)


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "anything": lambda value: True,
    "object": lambda value: isinstance(value, Mapping),
    "text": _is_text,
    "text/null": lambda value: value is None or _is_text(value),
    "plain text": lambda value: _is_text(value) and not _CONTROLS.search(value),
    "person": lambda value: _fits(value, ["list of", "plain text"]) and len(value) == 3,
    "number": _is_number,
    "numbers/null": lambda value: value is None or is_numbers(value),
    "number/null": lambda value: value is None or _is_number(value),
    "hex": lambda value: isinstance(value, str) and bool(re.fullmatch("(?:[0-9a-f]{2})*", value)),
}
