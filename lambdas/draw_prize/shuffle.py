"""Shuffle a pool. Only a secret decides the order, and each order has the same chance.

A function is deployed alone, so the checks of the receipts have copies of this code. A test compares all
copies with the known orders in `tests/unit/party/corpus.json`.
"""

import hmac


def shuffled(size, secret):
    """Yield the positions 0 to size - 1, each once.

    This is the shuffle of Fisher and Yates. It calculates only the positions that the caller takes.
    """
    moved = {}
    for step in range(size):
        other = step + below(size - step, secret, step)
        drawn = moved.get(other, other)
        moved[other] = moved.pop(step, step)
        yield drawn


def below(bound, secret, step):
    """Return a number from 0 to bound - 1, each with the same chance.

    The remainder of the largest digests would be a small number more often. So these digests are skipped.
    """
    fair, attempt = 2**256 - 2**256 % bound, 0
    while True:
        digest = hmac.digest(secret, f"{step}.{attempt}".encode(), "sha256")
        number = int.from_bytes(digest, "big")
        if number < fair:
            return number % bound
        attempt += 1
