"""Check a hardened draw with its receipt, Python's standard library, and nothing else. It calls no AWS."""

import hashlib
import hmac
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from lottery_lib.employees import digest

_SEALED: Final = (
    *("draw_id", "prize", "count", "pool_size", "pool_digest", "algorithm", "commitment", "committed_at"),
    *("execution", "winners", "excluded", "drawn_at", "recorded_at"),
)


def receipt(record: Mapping[str, Any], pool: Sequence[str]) -> dict[str, Any]:
    """Join a record from the table of draws with the pool, in the form that `verify_draw` takes.

    If few employees could still win, the record has one byte for each employee of the pool: 0 if the employee
    had won before. The receipt has the ids of these employees instead, as ``won_before``.
    """
    flags = zlib.decompress(bytes(record["unwon"])) if "unwon" in record else b"\x01" * len(pool)
    won_before = [each for each, flag in zip(pool, flags, strict=True) if not flag]
    known = {key: value for key, value in record.items() if key != "unwon"}
    return {**known, "won_before": won_before, "pool": list(pool)}


def verify_draw(receipt: Mapping[str, Any]) -> dict[str, bool]:
    """Draw again with the same secret, and compare the results.

    The receipt names the employees who were skipped. It cannot prove that they had won before or have left
    the company, but you can ask them. Nobody can change these names later, because the seal covers them. The
    seal is in the mail and in the execution's history.

    Args:
        receipt: As `receipts` gives it: ``pool`` (ids, in order), ``pool_digest``, ``commitment`` and
            ``secret`` (hexadecimal), ``count``, ``winners``, ``excluded`` and ``won_before`` (ids of the
            employees who were skipped), ``seal``. The seal also covers: ``draw_id``, ``prize``,
            ``algorithm``, ``pool_size``, ``execution``, ``committed_at``, ``drawn_at``, ``recorded_at``.

    Returns:
        Each claim of the receipt, and whether it is true.
    """
    pool, winners = receipt["pool"], receipt["winners"]
    excluded, secret = {*receipt["excluded"], *receipt["won_before"]}, bytes.fromhex(receipt["secret"])
    candidates = (pool[position] for position in order(len(pool), secret) if pool[position] not in excluded)
    drawn_again = list(islice(candidates, receipt["count"]))
    return {
        "the pool is the one that was committed to": digest(pool) == receipt["pool_digest"],
        "everyone is in the pool once": len(pool) == len({*pool}),
        "the secret is the one that was committed to": _sha256(secret) == receipt["commitment"],
        "as many have won as were promised": len(winners) == receipt["count"],
        "the winners are the first people in the secret's order who could win": (
            sorted(drawn_again) == sorted(winners)
        ),
        "the seal is that of this receipt": _seal(receipt) == receipt["seal"],
    }


def _seal(receipt: Mapping[str, Any]) -> str:
    won_before = {*receipt["won_before"]}
    flags = bytes(each not in won_before for each in receipt["pool"]).rstrip(b"\x01")
    return _sha256(json.dumps([*(receipt[key] for key in _SEALED), _sha256(flags)]).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def order(size: int, secret: bytes) -> Iterator[int]:
    """Shuffle the positions of a pool. The secret decides the order (Fisher and Yates, from the front)."""
    positions = dict[int, int]()
    for step in range(size):
        chosen = step + _below(size - step, secret, step)
        yield positions.get(chosen, chosen)
        positions[chosen] = positions.get(step, step)


def _below(bound: int, secret: bytes, step: int) -> int:
    attempt = 0
    while True:
        text = f"{step}.{attempt}".encode()
        number = int.from_bytes(hmac.new(secret, text, hashlib.sha256).digest(), "big")
        if number < 2**256 - 2**256 % bound:  # larger numbers would make small results more likely
            return number % bound
        attempt += 1
