"""Read the receipts of a folder, and refuse everything that does not have the form of `docs/receipts.md`."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from lottery_party.check_words import PROBLEMS

Form = Mapping[str, Callable[[Any], bool]]


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


def read_folder(document: Any) -> tuple[list[Receipt], dict[str, list[Receipt]]]:
    """Read the receipts of the lottery's own chain, and those of each draw in the order of the chain.

    Raises:
        WrongForm: The document has another form, so nothing in it can be checked.
    """
    if not _has(document, {"chain": _is_texts, "draws": _is_object, "winners": _is_list}):
        raise WrongForm(PROBLEMS["file"])
    chain = [
        _receipt(PROBLEMS["chainReceipt"].format(at=at), text, "announced", "reset")
        for at, text in enumerate(document["chain"])
    ]
    draws = dict[str, list[Receipt]]()
    names = [each.says["draw"] for each in chain if each.kind == "announced"]
    for name in sorted(
        document["draws"], key=lambda name: names.index(name) if name in names else len(names)
    ):
        draw = document["draws"][name]
        if not _has(draw, {"receipts": _is_texts}, _DRAW) or not draw["receipts"]:
            raise WrongForm(PROBLEMS["draw"].format(draw=name))
        where, (first, *others) = partial(PROBLEMS["drawReceipt"].format, draw=name), draw["receipts"]
        draws[name] = [_receipt(where(at=0), first, "announced")]
        for at, text in enumerate(others, 1):
            draws[name].append(_receipt(where(at=at), text, *_KINDS.keys() - {"reset"}))
        if draws[name][-1].kind == "closed" and not {"pool", "salt"} <= draw.keys():
            raise WrongForm(PROBLEMS["noPool"].format(draw=name))
    for at, row in enumerate(document["winners"], 1):
        if not _has(row, {"employee_id": _is_text}, dict.fromkeys(_ROW, _is_text_or_none)):
            raise WrongForm(PROBLEMS["row"].format(at=at))
    return chain, draws


def _receipt(where: str, text: str, *kinds: str) -> Receipt:
    says: Any = None
    try:
        if text.isascii():
            says = json.loads(text, parse_constant=_refuse, parse_float=_number, parse_int=_number)
    except (ValueError, RecursionError):
        pass
    if not _has(says, {"kind": kinds.__contains__}) or not _has(says, _EVERY | _KINDS[says["kind"]], _UNWON):
        raise WrongForm(PROBLEMS["form"].format(where=where))
    return Receipt(says, hashlib.sha256(text.encode()).hexdigest())


def _refuse(constant: str) -> None:
    """JSON has no NaN and no Infinity; only Python reads them."""
    raise ValueError(constant)


def _number(text: str) -> float:
    """Read a number as JavaScript does: 1.0 is the same as 1, and any number of digits is possible."""
    number = float(text)
    return int(number) if number.is_integer() else number


def _has(value: Any, needed: Form, optional: Form | None = None) -> bool:
    """Whether a value is an object with these keys, and each of them has the right form."""
    present = {key: form for key, form in (optional or {}).items() if _is_object(value) and key in value}
    return _is_object(value) and all(
        key in value and form(value[key]) for key, form in {**needed, **present}.items()
    )


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)  # these have no UTF-8


def _is_text_or_none(value: object) -> bool:
    return value is None or _is_text(value)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _is_hex(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch("(?:[0-9a-f]{2})*", value))


def _is_prizes(value: object) -> bool:
    return isinstance(value, list) and all(_has(each, _PRIZE) for each in value)


def _one_of(*texts: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value in texts


_PRIZE: Final[Form] = {"prize": _is_text, "count": _is_number}
_DRAW: Final[Form] = {"pool": _is_texts, "salt": _is_hex, "won_before": _is_texts}
_ROW: Final = ("employee_name", "draw_id", "prize", "status")
_EVERY: Final[dict[str, Callable[[Any], bool]]] = {"number": _is_number, "at": _is_text, "previous": _is_text}
_UNWON: Final[Form] = {"unwon": _is_text}
_KINDS: Final[Mapping[str, dict[str, Callable[[Any], bool]]]] = {
    "announced": {
        "draw": _is_text,
        "announced_before": _is_number,
        "algorithm": _one_of("hmac-sha256-shuffle-2"),
        "pool": _is_text,
        "size": _is_number,
        "prizes": _is_prizes,
        "absent": _one_of("out", "may win later"),
        "commitment": _is_text,
        "question": _is_text,
    },
    "public value": {"value": _is_text},
    "prize added": {"prize": _is_text, "count": _is_number},
    "withdrawn": {"employee_id": _is_text},
    "drawn": {"prize": _is_number, "winners": _is_texts, "passed_over": _is_texts},
    "roll call": {"prize": _is_number, "absent": _is_texts, "by": _one_of("operator", "time-out")},
    "closed": {"secret": _is_hex},
    "reset": {"removed": _is_number},
}
