"""Let moto work out once what it works out again and again, and copy only what it must.

Each function is given what it replaces; `patches` lists them. They import moto only when they run, because
moto's modules are patched while they are being imported.
"""

import copy
import pickle
import string
import threading
from collections.abc import Callable
from functools import lru_cache, wraps
from types import SimpleNamespace
from typing import Any, Final

__all__ = [
    "random_string",
    "remembered",
    "remembered_keys",
    "remembered_parser",
    "sparing_copy",
    "sparing_transaction",
]

Function = Callable[..., Any]


def remembered(original: Function) -> Function:
    """Remember the results of a function that depends on nothing but its arguments."""
    return lru_cache(4096)(original)


def remembered_parser(original: Any) -> Any:
    """Parse each definition once. Each execution gets its own program, as its parts may keep notes."""

    @lru_cache(256)
    def pickled(definition: str) -> bytes:
        return pickle.dumps(original.parse(definition)[0])

    return SimpleNamespace(parse=lambda definition: (pickle.loads(pickled(definition)), None))


def remembered_keys(original: Function) -> Function:
    """Work out once under which names an attribute of a reply may be found in a dictionary."""
    known: dict[tuple[Any, str], tuple[str, ...]] = {}

    @wraps(original)
    def get_possible_keys(self: Any, context: Any) -> Any:
        if type(context.obj) is not dict:  # the name of an object's class may be one of the names
            return original(self, context)
        where = (context.shape, context.key)
        if where not in known:
            known[where] = tuple(dict.fromkeys(original(self, context)))
        return known[where]

    return get_possible_keys


def random_string(
    _: Function, self: Any, length: int = 20, include_digits: bool = True, lower_case: bool = False
) -> str:
    """Choose all letters of a random text in one call: each reply has two ids of 52 letters."""
    letters = string.ascii_letters + (string.digits if include_digits else "")
    text = "".join(self.choices(letters, k=length))
    return text.lower() if lower_case else text


class _Copies(threading.local):
    """Stands in for the module `copy` in moto's DynamoDB.

    For each write of a transaction moto copies the whole table, item by item, to be able to undo it. A draw
    of a hundred winners would copy all winners a hundred times. But only an Update changes an item in its
    place. For puts, deletes and checks it is enough to remember which items there were.
    """

    items_stay = False

    def deepcopy(self, thing: Any) -> Any:
        from moto.dynamodb.models.table import Table

        if not self.items_stay or not isinstance(thing, Table) or thing.stream_shard is not None:
            return copy.deepcopy(thing)
        twin: Any = copy.copy(thing)
        twin.items = copy.copy(thing.items)
        if thing.range_key_attr is not None:
            for key, ranges in thing.items.items():
                twin.items[key] = copy.copy(ranges)
        return twin


_copies: Final = _Copies()


def sparing_copy(_: Any) -> Any:
    """Copy tables without their items while a transaction allows it."""
    return _copies


def sparing_transaction(original: Function, self: Any, transact_items: list[dict[str, Any]]) -> None:
    """Say for the time of a transaction whether its items stay what they are."""
    _copies.items_stay = not any("Update" in item for item in transact_items)
    try:
        original(self, transact_items)
    finally:
        _copies.items_stay = False
