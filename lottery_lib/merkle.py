"""Digest the pool as a Merkle tree. A proof shows that a person is in the pool, and shows nobody else.

`docs/receipts.md` says exactly how. It is the tree of RFC 6962, with a salt for each leaf.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from typing import Final, TypedDict

_SALT: Final = 16  # bytes of the salt of one leaf


class Partner(TypedDict):
    """A node beside the path from a leaf to the root: its side, and its hash in hexadecimal."""

    side: str
    hash: str


class Proof(TypedDict):
    """What shows that somebody is in a pool: the position, the salt of the leaf, and the path to the root."""

    position: int
    salt: str
    path: list[Partner]


def root(leaves: Sequence[str], salt: bytes) -> str:
    """The root of a pool, in hexadecimal.

    Args:
        leaves: The texts of everybody who can win, in order (`resources.contents.leaves`).
        salt: The pool's salt, 32 bytes.
    """
    *_, top = _levels(leaves, salt)
    return top[0].hex() if top else hashlib.sha256().hexdigest()


def proof(leaves: Sequence[str], salt: bytes, position: int) -> Proof:
    """The proof for the person at a position of a pool, counted from 0."""
    path, at = list[Partner](), position
    for level in _levels(leaves, salt):
        if (beside := at ^ 1) < len(level):
            path.append({"side": "left" if beside < at else "right", "hash": level[beside].hex()})
        at //= 2
    return {"position": position, "salt": _salt(salt, position).hex(), "path": path}


def leaves_of(leaves: Sequence[str], salt: bytes) -> list[tuple[str, str]]:
    """The salt and the leaf of each position of a pool, in hexadecimal. They show no text."""
    salts = [_salt(salt, position) for position in range(len(leaves))]
    return [(one.hex(), _leaf(one, each).hex()) for one, each in zip(salts, leaves, strict=True)]


def root_of(leaf: str, shown: Proof) -> str:
    """The root to which a proof leads for a leaf's text. If it is in the pool, it is the pool's root."""
    node = _leaf(bytes.fromhex(shown["salt"]), leaf)
    for partner in shown["path"]:
        other = bytes.fromhex(partner["hash"])
        node = _node(other, node) if partner["side"] == "left" else _node(node, other)
    return node.hex()


def _levels(leaves: Sequence[str], salt: bytes) -> Iterator[list[bytes]]:
    level = [_leaf(_salt(salt, position), each) for position, each in enumerate(leaves)]
    yield level
    while len(level) > 1:
        pairs = [_node(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]  # a last node without a partner goes up unchanged
        yield level


def _salt(salt: bytes, position: int) -> bytes:
    return hmac.digest(salt, str(position).encode(), "sha256")[:_SALT]


def _leaf(salt: bytes, text: str) -> bytes:
    return hashlib.sha256(b"\x00" + salt + text.encode()).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
