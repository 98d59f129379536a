"""Let a transaction of moto's put tables aside without copying what is in them.

For each of its writes moto copies the whole table, item by item, in case it has to be undone: a draw of a
hundred winners would copy all winners a hundred times. But only an Update changes an item in its place; of a
table in which items are put, deleted or checked it is enough to remember which they were.

Importing this loads moto's DynamoDB, which takes a while.
"""

import copy
import threading
from typing import Any, Final

from moto.dynamodb import models

__all__ = ["remember_items_only"]

_transact: Final = models.DynamoDBBackend.transact_write_items


def remember_items_only() -> None:
    """Replace moto's copying; once is enough."""
    models.copy = _copies
    models.DynamoDBBackend.transact_write_items = _transact_write_items


class _Copies(threading.local):
    """Stands in for the module `copy`."""

    items_stay = False

    def deepcopy(self, thing: Any) -> Any:
        if self.items_stay and isinstance(thing, models.Table) and thing.stream_shard is None:
            return _remembered(thing)
        return copy.deepcopy(thing)


_copies: Final = _Copies()


def _transact_write_items(self: Any, transact_items: list[dict[str, Any]]) -> None:
    _copies.items_stay = not any("Update" in item for item in transact_items)
    try:
        _transact(self, transact_items)
    finally:
        _copies.items_stay = False


def _remembered(table: Any) -> Any:
    twin = copy.copy(table)
    twin.items = copy.copy(table.items)
    if table.range_key_attr is not None:
        for key, ranges in table.items.items():
            twin.items[key] = copy.copy(ranges)
    return twin
