"""Let moto find out once what it finds out at every request.

Of a call of DynamoDB two fifths went into this: which methods the class has that answers, and under which
names each attribute of the reply may lie. Both depend on nothing that changes.
"""

import string
from functools import lru_cache, wraps
from typing import Any, Final, cast

__all__ = ["remember_models"]

_LETTERS: Final = string.ascii_letters
_DIGITS: Final = string.digits


def remember_models() -> None:
    """Replace the functions, once; this loads moto's core."""
    from moto.core import responses, serialize  # noqa: PLC0415 (moto is loaded when the emulator is set up)
    from moto.moto_api._internal.moto_random import MotoRandom  # noqa: PLC0415

    module, picker = cast("Any", responses), serialize.XFormedAttributePicker
    if hasattr(picker.get_possible_keys, "__wrapped__"):
        return
    module.method_names_from_class = lru_cache(1024)(module.method_names_from_class)
    picker.get_possible_keys = _remembered(picker.get_possible_keys)
    MotoRandom.get_random_string = _random_string


def _remembered(possible_keys: Any) -> Any:
    known: dict[tuple[Any, str], tuple[str, ...]] = {}

    @wraps(possible_keys)
    def found(self: Any, context: Any) -> Any:
        if type(context.obj) is not dict:
            return possible_keys(self, context)
        where = (context.shape, context.key)
        if where not in known:
            known[where] = tuple(dict.fromkeys(possible_keys(self, context)))
        return known[where]

    return found


def _random_string(self: Any, length: int = 20, include_digits: bool = True, lower_case: bool = False) -> str:
    """Each reply has two ids of 52 letters."""
    text = "".join(self.choices(_LETTERS + (_DIGITS if include_digits else ""), k=length))
    return text.lower() if lower_case else text
