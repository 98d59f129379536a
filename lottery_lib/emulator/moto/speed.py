"""Make moto faster: it calculates many things only once, and copies less.

Each function gets the function or class that it replaces, and `patches` lists them. They import moto only
when they run, because moto's modules are patched while they are being imported.
"""

import copy
import pickle
import string
import threading
from collections.abc import Callable
from functools import lru_cache, wraps
from types import SimpleNamespace
from typing import Any, Final

Function = Callable[..., Any]


def remembered(original: Function) -> Function:
    """Remember the results of a function, which depend only on its arguments."""
    return lru_cache(4096)(original)


def remembered_parser(original: Any) -> Any:
    """Parse each definition once. Each execution gets its own copy, because it may change the parts."""

    @lru_cache(256)
    def pickled(definition: str) -> bytes:
        return pickle.dumps(original.parse(definition)[0])

    return SimpleNamespace(parse=lambda definition: (pickle.loads(pickled(definition)), None))


def remembered_keys(original: Function) -> Function:
    """Calculate only once which names an attribute of a reply can have in a dictionary."""
    known: dict[tuple[Any, str], tuple[str, ...]] = {}

    @wraps(original)
    def get_possible_keys(self: Any, context: Any) -> Any:
        if type(context.obj) is not dict:  # then moto may use the name of the object's class
            return original(self, context)
        where = (context.shape, context.key)
        if where not in known:
            known[where] = tuple(dict.fromkeys(original(self, context)))
        return known[where]

    return get_possible_keys


def random_string(
    _: Function, self: Any, length: int = 20, include_digits: bool = True, lower_case: bool = False
) -> str:
    """Choose all letters of a random text in one call. Each reply has two ids of 52 letters."""
    letters = string.ascii_letters + (string.digits if include_digits else "")
    text = "".join(self.choices(letters, k=length))
    return text.lower() if lower_case else text


class _Copies(threading.local):
    """Replaces the module `copy` in moto's DynamoDB.

    For each write of a transaction, moto copies the whole table, so that it can undo the write. A draw of a
    hundred winners would copy all winners a hundred times. But only an Update changes an item itself. For
    puts, deletes and checks it is enough to copy the list of items.
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
    """Copy tables without their items during a transaction that changes no item itself."""
    return _copies


def sparing_transaction(original: Function, self: Any, transact_items: list[dict[str, Any]]) -> None:
    """During a transaction, store whether it changes no item itself, so that copies can be smaller."""
    _copies.items_stay = not any("Update" in item for item in transact_items)
    try:
        original(self, transact_items)
    finally:
        _copies.items_stay = False
