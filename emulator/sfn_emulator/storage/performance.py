"""Make moto faster and smaller: it calculates things only once, copies less, and keeps less in memory.

Each function gets the function or class that it replaces, and `patches` lists them.
"""

import copy
import json
import re
import string
import threading
from functools import lru_cache, partial, wraps
from pathlib import Path
from typing import Any, Final

from sfn_emulator.storage.internals import MotoFunction


def remembered(original: MotoFunction) -> MotoFunction:
    """Remember the results of a function, which depend only on its arguments."""
    return lru_cache(4096)(original)


def only_own_models(_: MotoFunction) -> MotoFunction:
    """Remember moto's model of an operation, and never botocore's.

    moto makes its model from botocore's. Both have the same key in the cache, so another thread could get
    botocore's model, which lacks what moto needs.
    """
    from botocore.model import ServiceModel
    from botocore.utils import instance_cache

    botocores: MotoFunction = vars(ServiceModel.operation_model)["__wrapped__"]

    def operation_model(self: Any, operation_name: str) -> Any:
        from moto.core.model import OperationModel

        return OperationModel(botocores(self, operation_name)._operation_model, self, operation_name)

    cached: MotoFunction = instance_cache(operation_model)
    return cached


def remembered_keys(original: MotoFunction) -> MotoFunction:
    """Calculate only once which names an attribute of a reply can have in a dictionary."""
    keys: dict[tuple[Any, str], tuple[str, ...]] = {}

    @wraps(original)
    def get_possible_keys(self: Any, context: Any) -> Any:
        if type(context.obj) is not dict:  # then moto may use the name of the object's class
            return original(self, context)
        where = (context.shape, context.key)
        if where not in keys:
            keys[where] = tuple(dict.fromkeys(original(self, context)))
        return keys[where]

    return get_possible_keys


def share_models() -> None:
    """Read each of botocore's files only once. moto reads some of them four times, and keeps every copy.

    If moto has extras for a file, it changes what it has read, so that file is read anew each time.
    """
    import moto
    from botocore.loaders import JSONFileLoader

    load, extras = partial(JSONFileLoader.load_file, JSONFileLoader()), Path(moto.__file__).parent
    shared = lru_cache(64)(load)

    def load_file(_: JSONFileLoader, file_path: str) -> Any:
        service, version, kind = Path(file_path).parts[-3:]
        changed = (extras / service.replace("-", "") / version).glob(f"{kind}.moto-extras.*")
        return load(file_path) if any(changed) else shared(file_path)

    setattr(JSONFileLoader, "load_file", load_file)  # noqa: B010 (mypy lets no method change)


def random_string(
    _: MotoFunction, self: Any, length: int = 20, include_digits: bool = True, lower_case: bool = False
) -> str:
    """Choose all letters of a random text in one call. Each reply has two ids of 52 letters."""
    letters = string.ascii_letters + (string.digits if include_digits else "")
    text = "".join(self.choices(letters, k=length))
    return text.lower() if lower_case else text


class _Copies(threading.local):
    """Replaces the module `copy` in moto's DynamoDB.

    For each write of a transaction, moto copies the whole table, so that it can undo the write. A hundred
    puts copy all items a hundred times. But only an Update changes an item itself. For puts, deletes and
    checks, a copy of the list of items is enough.
    """

    items_stay = False

    def deepcopy(self, table: Any) -> Any:
        from moto.dynamodb.models.table import Table

        if not self.items_stay or not isinstance(table, Table) or table.stream_shard is not None:
            return copy.deepcopy(table)
        twin: Any = copy.copy(table)
        twin.items = copy.copy(table.items)
        if table.range_key_attr is not None:
            for key, ranges in table.items.items():
                twin.items[key] = copy.copy(ranges)
        return twin


_copies: Final = _Copies()


def sparing_copy(_: Any) -> Any:
    """Copy tables without their items during a transaction that changes no item itself."""
    return _copies


def sparing_transaction(original: MotoFunction, self: Any, transact_items: list[dict[str, Any]]) -> None:
    """Copy less during a transaction without an Update, because it changes no item itself."""
    _copies.items_stay = not any("Update" in item for item in transact_items)
    try:
        original(self, transact_items)
    finally:
        _copies.items_stay = False


def forgotten_instance(_: MotoFunction, model: type, *__: Any, **___: Any) -> Any:
    """Keep no list of all objects that were ever made. Otherwise no deleted object is freed."""
    return object.__new__(model)


def account_of_key(_: MotoFunction, access_key: str) -> str:
    """Look for a key only in partitions that are used. Each further one would get 1,600 policies."""
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.iam.models import iam_backends

    for account_id, account in list(iam_backends.items()):
        if any(access_key in backend.access_keys for backend in list(account.values())):
            return str(account_id)
    return str(DEFAULT_ACCOUNT_ID)


def managed_policies(_: MotoFunction, self: Any) -> list[Any]:
    """Copy AWS's managed policies instead of parsing them again. A reset needs all of them twice."""
    policies = [copy.copy(policy) for policy in _policies_of_aws(self.account_id, self.region_name)]
    for policy in policies:
        policy.versions, policy.tags = [copy.copy(version) for version in policy.versions], {}
    return policies


@lru_cache(2)
def _policies_of_aws(account: str, region: str) -> list[Any]:
    """Parse AWS's managed policies one by one. All of them at once need 12 MB more."""
    from moto.iam.models import AWSManagedPolicy, aws_managed_policies_data

    text, parse = aws_managed_policies_data, json.JSONDecoder().raw_decode
    names = re.finditer(r'^ "([^"]+)":', text, re.MULTILINE)
    read = ((name[1], parse(text, name.end())[0]) for name in names)
    return [AWSManagedPolicy.from_data(name, account, region, data) for name, data in read]
