"""A draw's requests and reads do not grow with the pool or with past winners, until few people remain."""

import random
import tracemalloc
from contextlib import contextmanager

import pytest
from unit.party.fake_dynamodb import CONTEXT, DRAWS, EMPLOYEES, POOL, WINNERS, FakeDynamoDb, lambdas

SIZES = [10, 1_000, 100_000, 1_000_000]
#: A draw of two reads what is there and writes the commitment. Then it reads the draw, its chunks of the
#: pool, and who of them can win (with their names), and writes the record.
REQUESTS = ["BatchGetItem", "TransactWriteItems", *["BatchGetItem"] * 3, "TransactWriteItems"]
HEADS = 1 + 4  # what is there before a draw and when it is drawn
#: It looks at eight people together: their chunks of the pool, their data, and their rows of winners.
LOOK = 8 * 3


class Virtual(dict):
    """A table that keeps only what was written. It makes up the other items when they are read."""

    def __init__(self, has, make, keys=()):
        self._has, self._make, self._keys = has, make, keys

    def __contains__(self, key):
        return dict.__contains__(self, key) or self._has(key)

    def __missing__(self, key):
        return self._make(key)

    def get(self, key, default=None):
        return self[key] if key in self else default  # noqa: SIM401 - it is this method that is written

    def __len__(self):
        return dict.__len__(self) + len(self._keys)

    def values(self):
        yield from dict.values(self)
        yield from map(self._make, self._keys)


def name(number):
    return f"{number:07}"


def chunk(key, size):
    start = int(key.partition("#")[2]) * 100
    return {"chunk": key, "ids": [name(each) for each in range(start, min(start + 100, size))]}


@contextmanager
def pool_of(size, left=None):
    """The functions on a pool of this size. So many people are left who have not won, spread evenly."""
    tables = FakeDynamoDb()
    every = size // (left or size)
    won = [each for each in range(size) if each % every]
    tables.tables[EMPLOYEES] = Virtual(lambda key: True, lambda key: {"employee_id": key})
    tables.tables[WINNERS] = Virtual(
        lambda key: int(key) % every, lambda key: {"employee_id": f"{key:0>7}"}, won
    )
    tables.tables[POOL] = Virtual(lambda key: "#" in key, lambda key: chunk(key, size))
    tables.put(POOL, [{"chunk": "head", "root": "r", "size": size}])
    with lambdas(tables) as functions:
        functions.commit_draw.secrets = random.Random(5)
        functions.commit_draw.secrets.token_bytes = functions.commit_draw.secrets.randbytes
        yield lambda count, name: drawn(functions, tables, count, name)


def drawn(functions, tables, count, name):
    """Draw; return the requests, and how many items were read."""
    tables.requests, tables.items = [], 0
    asked = {"execution": name, "request": {"input": count}}
    assert functions.commit_draw.lambda_handler(asked, CONTEXT)["prizes"] == [1]
    event = {"execution": name, "remail": False, "draw_id": name, "number": 1}
    told = functions.draw_prize.lambda_handler(event, CONTEXT)
    assert len(told["winners"]) == count
    assert "closed" in tables.tables[DRAWS][name]
    return tables.requests, tables.items


@pytest.mark.parametrize("size", SIZES)
def test_nobody_has_won(size):
    """A draw of two makes the same six requests of any pool, and reads at most so many items."""
    with pool_of(size) as draw:
        requests, items = draw(2, "a")
    assert requests == REQUESTS
    assert items <= HEADS + LOOK


@pytest.mark.parametrize("size", SIZES)
def test_half_have_won(size):
    """If half have won, a draw of any pool looks at most twice."""
    looks = ["BatchGetItem"] * 2
    with pool_of(size, size // 2) as draw:
        for number in range(2 if size == 10 else 20):
            requests, items = draw(2, f"x{number}")
            assert requests in (REQUESTS, REQUESTS[:3] + looks + REQUESTS[3:])
            assert items <= HEADS + 1 + 2 * LOOK


def test_many_winners():
    """A thousand winners need eleven transactions, with a pool of two thousand or of a million."""
    found = []
    for size in (2_000, 1_000_000):
        with pool_of(size) as draw:
            found.append(draw(1000, "a"))
    (few, _), (many, items) = found
    assert few == many
    assert many.count("TransactWriteItems") == 1 + 11
    assert items <= HEADS + 1100 * 3


def test_few_remain(monkeypatch):
    """If ten of a hundred thousand remain, all winners and the pool are read once, in large parts."""
    monkeypatch.setattr("unit.party.fake_dynamodb.PAGE", 10_000)  # AWS's pages are of 1 MB
    with pool_of(100_000, 10) as draw:
        requests, _ = draw(5, "a")
    assert requests.count("Scan") == 10
    assert requests.count("BatchGetItem") <= 3 + 2 * 150 + 10


def peak(size, left=None):
    """How much memory a draw of two needs at most, in bytes."""
    with pool_of(size, left) as draw:
        draw(2, "warm")
        tracemalloc.start()
        draw(2, "measured")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return most


def test_memory_is_flat():
    """A draw from a million needs as much memory as one from a thousand, and some chunks of the pool."""
    assert peak(1_000_000) < peak(1_000) + 100_000
    assert peak(1_000_000, 500_000) < peak(1_000) + 100_000
