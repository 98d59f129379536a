"""The pool's Merkle tree: one root, and a proof for each person that leads to it."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery_lib.merkle import proof, root, root_of

SALT = bytes(range(32))
POOLS = st.lists(st.text(min_size=1), min_size=1, max_size=40, unique=True)


@given(POOLS, st.data())
def test_proof_leads_to_the_root(ids, data):
    """Each person's proof leads from their id to the pool's root, and from no other id."""
    position = data.draw(st.integers(0, len(ids) - 1))
    shown = proof(ids, SALT, position)
    assert root_of(ids[position], shown) == root(ids, SALT)
    assert root_of(ids[position] + "x", shown) != root(ids, SALT)


def test_three_people_by_hand():
    """The root of three: the third leaf goes up unchanged, and is the right partner of the first two."""

    def sha(data):
        return hashlib.sha256(data).digest()

    salts = [bytes.fromhex(proof(["a", "b", "c"], SALT, at)["salt"]) for at in range(3)]
    a, b, c = (sha(b"\x00" + salt + name) for salt, name in zip(salts, (b"a", b"b", b"c"), strict=True))
    assert root(["a", "b", "c"], SALT) == sha(b"\x01" + sha(b"\x01" + a + b) + c).hex()


@pytest.mark.parametrize("changed", [["b", "a"], ["a"], ["a", "b", "c"], ["a", "c"]])
def test_another_pool_has_another_root(changed):
    """Order, size and ids all count; so does the salt."""
    assert root(changed, SALT) != root(["a", "b"], SALT)
    assert root(["a", "b"], bytes(32)) != root(["a", "b"], SALT)
