"""Check a hardened draw from its receipt alone: with nothing but the standard library, and no AWS."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

__all__ = ["digest", "order", "verify_draw"]


def digest(pool: Sequence[str]) -> str:
    """The digest of a pool: SHA-256 of its employees' ids, in order, as compact JSON in ASCII."""
    return hashlib.sha256(json.dumps(pool, separators=(",", ":")).encode()).hexdigest()


def verify_draw(receipt: Mapping[str, Any]) -> dict[str, bool]:
    """Draw again what was drawn, and compare.

    Args:
        receipt: As `receipts` gives it: ``pool`` (ids, in order), ``pool_digest``, ``commitment`` and
            ``secret`` (hexadecimal), ``count``, ``winners`` and ``excluded`` (ids: who was passed over,
            because of having won before, or having left).

    Returns:
        What is claimed, and whether it is true.
    """
    pool, winners, excluded = receipt["pool"], receipt["winners"], set(receipt["excluded"])
    secret = bytes.fromhex(receipt["secret"])
    candidates = (pool[position] for position in order(len(pool), secret) if pool[position] not in excluded)
    return {
        "the pool is the one that was committed to": digest(pool) == receipt["pool_digest"],
        "the secret is the one that was committed to": hashlib.sha256(secret).hexdigest()
        == receipt["commitment"],
        "the winners are the first of its order who could win": sorted(islice(candidates, receipt["count"]))
        == sorted(winners),
    }


def order(size: int, secret: bytes) -> Iterator[int]:
    """Shuffle the positions of a pool as the secret says: Fisher and Yates, from the front."""
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
        if number < 2**256 - 2**256 % bound:  # the rest would favour the smaller numbers
            return number % bound
        attempt += 1
