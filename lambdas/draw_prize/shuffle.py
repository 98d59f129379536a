"""Put a pool into an order that only a secret decides, each order as likely as any other.

The checks of the receipts have their own copies, because a function is deployed alone. The known orders in
`tests/unit/party/corpus.json` hold them together.
"""

import hmac


def shuffled(size, secret):
    """Yield the positions 0 to size - 1, each once.

    This is the shuffle of Fisher and Yates. It works out only the positions that the caller takes.
    """
    moved = {}
    for step in range(size):
        other = step + below(size - step, secret, step)
        drawn = moved.get(other, other)
        moved[other] = moved.pop(step, step)
        yield drawn


def below(bound, secret, step):
    """Return a number from 0 to bound - 1. Digests that would favour small numbers are skipped."""
    fair, attempt = 2**256 - 2**256 % bound, 0
    while True:
        digest = hmac.digest(secret, f"{step}.{attempt}".encode(), "sha256")
        number = int.from_bytes(digest, "big")
        if number < fair:
            return number % bound
        attempt += 1
