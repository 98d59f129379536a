"""Tables in memory, for the hardened Lambdas: what they ask of DynamoDB, with its conditions and limits."""

import copy
import importlib
import itertools
import re
import sys
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

from botocore.exceptions import ClientError

from lottery_lib.resources.lambda_function import LAMBDAS_FOLDER

PAGE = 1000  # items of one page of a scan; AWS cuts at 1 MB, which is more of such small ones
EMPLOYEES, WINNERS = "Lottery-Employee", "Lottery-Winners"
POOL, DRAWS = "Lottery-Hardened-Pool", "Lottery-Hardened-Draws"
KEYS = {EMPLOYEES: "employee_id", WINNERS: "employee_id", POOL: "chunk", DRAWS: "draw_id"}
CONTEXT = SimpleNamespace(function_name="Lottery-Hardened-DrawPrize")


class FakeDynamoDb:
    """The four tables; `step` is called before each request, so that a test decides what comes next.

    Attributes:
        tables: Items by key, by table.
        requests: The operations that were asked for, in order.
        items: How many items were read.
        gets_to: How many keys of each table a BatchGetItem gets to; it leaves the others unprocessed.
    """

    def __init__(self):
        self.tables = {name: {} for name in KEYS}
        self.requests, self.items, self.gets_to = [], 0, 100
        self.step = lambda operation, do: do()
        self.meta = SimpleNamespace(client=self)

    def Table(self, name):
        return SimpleNamespace(name=name, meta=self.meta, get_item=self._one(name), scan=self._page(name))

    def put(self, name, items):
        self.tables[name].update((item[KEYS[name]], item) for item in items)

    def batch_get_item(self, *, RequestItems):
        keys = [key for asked in RequestItems.values() for key in asked["Keys"]]
        assert 0 < len(keys) <= 100
        assert all(asked["ConsistentRead"] for asked in RequestItems.values())
        return self.step("BatchGetItem", lambda: self._answer(RequestItems))

    def transact_write_items(self, *, TransactItems):
        assert len(TransactItems) <= 100
        puts = [each["Put"] if "Put" in each else self._as_put(each["Update"]) for each in TransactItems]
        return self.step("TransactWriteItems", lambda: self._transact(puts))

    def count(self, operation, items):
        self.requests.append(operation)
        self.items += items

    def _answer(self, asked):
        most = self.gets_to
        found = {name: self._found(name, some["Keys"][:most]) for name, some in asked.items()}
        left = {name: some | {"Keys": some["Keys"][most:]} for name, some in asked.items()}
        self.count("BatchGetItem", sum(map(len, found.values())))
        unprocessed = {name: some for name, some in left.items() if some["Keys"]}
        return {"Responses": found, "UnprocessedKeys": unprocessed}

    def _found(self, name, keys):
        ids = [key[KEYS[name]] for key in keys]
        assert len(set(ids)) == len(ids), "DynamoDB refuses a key that is there twice"
        return [dict(self.tables[name][each]) for each in ids if each in self.tables[name]]

    def _one(self, name):
        def get_item(*, Key, ConsistentRead):
            assert ConsistentRead and all(Key.values())
            found = self.step("GetItem", lambda: self._found(name, [Key]))
            self.count("GetItem", len(found))
            return {"Item": found[0]} if found else {}

        return get_item

    def _page(self, name):
        def scan(*, ConsistentRead, ExclusiveStartKey=0, **_):
            assert ConsistentRead
            return self.step("Scan", lambda: self._scanned(name, ExclusiveStartKey))

        return scan

    def _scanned(self, name, start):
        items = list(itertools.islice(self.tables[name].values(), start, start + PAGE))
        self.count("Scan", len(items))
        last = {"LastEvaluatedKey": start + PAGE} if start + PAGE < len(self.tables[name]) else {}
        return {"Items": items, **last}

    def _as_put(self, update):
        """The Put that does the same as an Update which sets attributes, and may add to one."""
        name, ((key, value),) = update["TableName"], update["Key"].items()
        item = {key: value, **self.tables[name].get(value, {})}
        sets, _, adds = update["UpdateExpression"].removeprefix("SET ").partition(" ADD ")
        for attribute, given in [adds.split(" ")] if adds else []:
            name_added = update["ExpressionAttributeNames"][attribute]
            item[name_added] = item.get(name_added, 0) + update["ExpressionAttributeValues"][given]
        for changed in sets.split(", "):
            attribute, given = changed.split(" = ")
            attribute = update["ExpressionAttributeNames"].get(attribute, attribute)
            item[attribute] = update["ExpressionAttributeValues"][given]
        return update | {"Item": item}

    def _transact(self, puts):
        self.count("TransactWriteItems", 0)
        reasons = [{"Code": "None" if self._holds(put) else "ConditionalCheckFailed"} for put in puts]
        if any(reason["Code"] != "None" for reason in reasons):
            answer = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(answer, "TransactWriteItems")
        for put in puts:
            self.put(put["TableName"], [copy.deepcopy(put["Item"])])

    def _holds(self, put):
        """Whether a put's condition holds, of the forms that the Lambdas use."""
        name, condition = put["TableName"], put.get("ConditionExpression", "")
        there = self.tables[name].get(put["Item"][KEYS[name]])
        if not condition:
            return True
        names, values = put.get("ExpressionAttributeNames", {}), put.get("ExpressionAttributeValues", {})
        return any(self._term(there, term, names, values) for term in condition.split(" OR "))

    def _term(self, there, term, names, values):
        if re.fullmatch(r"attribute_not_exists\((\w+)\)", term):
            return there is None
        attribute, value = re.fullmatch(r"([#\w]+) = (:\w+)", term).groups()
        return there is not None and there.get(names.get(attribute, attribute)) == values[value]


@contextmanager
def lambdas(tables):
    """The two functions' modules, their DynamoDB being `tables`: `commit_draw`, `draw_prize`, `reading`."""
    with patch("boto3.resource", lambda service: tables), patch.dict(sys.modules):
        sys.modules.pop("tables", None)  # both functions have it
        commit_draw = _fresh("commit_draw", "lambda_function")["lambda_function"]
        found = _fresh("draw_prize", "lambda_function", "shuffle")
        yield SimpleNamespace(
            commit_draw=commit_draw,
            draw_prize=found["lambda_function"],
            reading=sys.modules["tables"],
            shuffled=found["shuffle"].shuffled,
        )


def _fresh(folder, *modules):
    for module in modules:
        sys.modules.pop(module, None)
    folders = [str(LAMBDAS_FOLDER / folder), str(LAMBDAS_FOLDER / "hardened")]
    with patch.object(sys, "path", [*folders, *sys.path]):
        return {module: importlib.import_module(module) for module in modules}


def cancelled(*codes):
    """What a cancelled transaction is answered."""
    reasons = [{"Code": code} for code in codes]
    answer = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    named = type("TransactionCanceledException", (ClientError,), {})  # as a boto3 client names it
    return named(answer, "TransactWriteItems")
