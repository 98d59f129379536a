"""The shuffle favours nobody, and a receipt that was tampered with is found out."""

import random
from collections import Counter
from itertools import islice, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.party.fake_dynamodb import FakeDynamoDb, lambdas
from unit.party.hardened_world import world

from lottery_lib.party.fairness import digest, order, verify_draw

DRAWS = 10_000
#: What chi-square exceeds once in a thousand times, by degrees of freedom (any table of it).
CRITICAL = {9: 27.88, 19: 43.82, 89: 135.98}
SECRETS = st.binary(min_size=32, max_size=32)


@pytest.fixture(scope="module")
def shuffled():
    """The function's own shuffle."""
    with lambdas(FakeDynamoDb()) as functions:
        yield functions.draw_prize.shuffled


def naive(size, secret):
    """A shuffle as it is often written, which is not fair: each is swapped with any other."""
    positions, chance = list(range(size)), random.Random(secret)
    for step in range(size):
        other = chance.randrange(size)
        positions[step], positions[other] = positions[other], positions[step]
    return iter(positions)


def chi_square(shuffle, size, first):
    """How far ten thousand draws, always the same ones, are from each outcome being as frequent as any."""
    chance = random.Random(2026)
    counts = Counter(tuple(islice(shuffle(size, chance.randbytes(32)), first)) for _ in range(DRAWS))
    outcomes = [*permutations(range(size), first)]
    assert counts.keys() <= set(outcomes)
    expected = DRAWS / len(outcomes)
    return sum((counts[each] - expected) ** 2 / expected for each in outcomes), len(outcomes) - 1


@pytest.mark.parametrize(("size", "first"), [(10, 1), (5, 2), (10, 2)])
def test_each_outcome_is_as_likely(shuffled, size, first):
    """Of the first winner, and of the first two in their order, no outcome is favoured."""
    statistic, freedom = chi_square(shuffled, size, first)
    assert statistic < CRITICAL[freedom]


@pytest.mark.parametrize(("size", "first"), [(5, 2), (10, 2)])
def test_an_unfair_shuffle_is_found_out(size, first):
    """The same test finds the shuffle that is often written."""
    statistic, freedom = chi_square(naive, size, first)
    assert statistic > CRITICAL[freedom]


def test_who_can_win_is_as_likely():
    """With seven of ten passed over, the other three win equally often."""
    chance, can_win = random.Random(7), {1, 4, 9}
    drawn = (next(each for each in order(10, chance.randbytes(32)) if each in can_win) for _ in range(DRAWS))
    counts, expected = Counter(drawn), DRAWS / 3
    assert (
        sum((counts[each] - expected) ** 2 / expected for each in can_win) < 13.82
    )  # two degrees of freedom


@given(st.integers(0, 300), st.binary(min_size=1, max_size=64))
def test_two_authors_agree(size, secret):
    """The check and the function, each with a shuffle of its own, order any pool alike."""
    with lambdas(FakeDynamoDb()) as functions:
        drawn = list(functions.draw_prize.shuffled(size, secret))
    assert drawn == list(order(size, secret))
    assert sorted(drawn) == list(range(size))


def test_a_large_pool_costs_no_more(shuffled):
    """The first of a million are found as soon as the first of ten: only what is asked for is shuffled."""
    first = list(islice(shuffled(10**9, b"secret"), 5))
    assert first == list(islice(order(10**9, b"secret"), 5))


def test_somebody_twice_in_the_pool():
    """A pool in which somebody stands twice, and so wins twice as often, is found out."""
    with world(["a", "b", "c"]) as made:
        made.run({"input": 1})
        receipt = made.receipt(made.records[0])
    pool = [*receipt["pool"], receipt["winners"][0]]
    assert not verify_draw(receipt | {"pool": pool, "pool_digest": digest(pool)})[
        "everyone is in the pool once"
    ]


def lies(receipt, changes):
    """The claims that are false, but for the seal, which a liar makes anew before the mail goes out."""
    claims = verify_draw(receipt | changes)
    return [claim for claim, true in claims.items() if not true and "seal" not in claim]


def test_a_sealed_lie():
    """Another winner, or a smaller number than promised, is found out by drawing again, seal or no seal."""
    with world(["a", "b", "c"]) as made:
        made.run({"input": 2})
        receipt = made.receipt(made.records[0])
    (loser,) = {"a", "b", "c"} - {*receipt["winners"]}
    another = {"winners": [receipt["winners"][0], loser]}
    assert lies(receipt, another) == ["the winners are the first people in the secret's order who could win"]
    all_of_them = {"winners": ["a", "b", "c"], "count": 4}
    assert lies(receipt, all_of_them) == ["as many have won as were promised"]


def test_digest_is_told_by_anyone():
    """The digest is SHA-256 of compact JSON, which any language can make."""
    # printf '["001","\\u738b"]' | sha256sum
    assert digest(["001", "王"]) == "f2f59a0444ee00270281040b917030b951f22268e2ffda87cb667ef5a99a92bd"


@st.composite
def receipts(draw):
    """A true receipt, of a draw on a pool of which some had won and some had left."""
    ids = draw(st.lists(st.text(min_size=1, max_size=4), min_size=3, max_size=20, unique=True))
    won, left = draw(st.sets(st.sampled_from(ids))), draw(st.sets(st.sampled_from(ids)))
    can_win = len(set(ids) - won - left)
    count = draw(st.integers(1, max(1, can_win)))
    limits = {"MOST_PASSED_OVER": draw(st.integers(0, 5)), "LOOK": draw(st.integers(1, 6))}
    with world(ids, won=won, left=left, limits=limits, seed=draw(st.integers(0, 2**32))) as made:
        made.run({"input": count})
        return made.receipt(made.records[0]) if can_win >= count else None


@given(receipts().filter(bool))
def test_a_true_receipt_holds(receipt):
    """Every receipt of a draw that was recorded verifies."""
    assert all(verify_draw(receipt).values())


@settings(max_examples=200)
@given(receipts().filter(bool), st.data())
def test_tampering_is_found_out(receipt, data):
    """Another winner, pool, secret, count, prize, time, or a winner passed over, makes a claim false."""
    pool, winners = receipt["pool"], receipt["winners"]
    others = [each for each in pool if each not in winners] or ["somebody"]
    other, winner = data.draw(st.sampled_from(others)), data.draw(st.sampled_from(winners))
    swapped = [other if each == winner else each for each in winners]
    tampered = {
        "another winner": {"winners": swapped},
        "a winner more": {"winners": [*winners, other]},
        "a winner less": {"winners": winners[1:]},
        "a winner twice": {"winners": [*winners, winner]},
        "another count": {"count": receipt["count"] + 1},
        "another pool": {"pool": [*pool, "somebody else"]},
        "a smaller pool": {"pool": [each for each in pool if each != other]},
        "another order": {"pool": pool[::-1]},
        "another secret": {"secret": bytes(32).hex()},
        "a commitment made later": {"commitment": "0" * 64},
        "somebody else passed over": {"excluded": [*receipt["excluded"], other]},
        "nobody passed over": {"excluded": [], "won_before": []},
        "a winner who had won": {"won_before": [*receipt["won_before"], winner]},
        "a winner passed over": {"excluded": [*receipt["excluded"], winner]},
        "a winner passed over for another": {"excluded": [*receipt["excluded"], winner], "winners": swapped},
        "another prize": {"prize": "Car"},
        "another algorithm": {"algorithm": "none"},
        "another size": {"pool_size": receipt["pool_size"] + 1},
        "another time of the commitment": {"committed_at": "2026-01-01T00:00:00.000+00:00"},
        "another time of the draw": {"drawn_at": "2026-01-01T00:00:00.000+00:00"},
        "another time of the record": {"recorded_at": "2026-01-01T00:00:00.000+00:00"},
        "another execution": {"execution": "another"},
        "another draw": {"draw_id": "another#1"},
    }
    how = data.draw(st.sampled_from(sorted(tampered)))
    changed = receipt | tampered[how]
    if all(changed[key] == receipt[key] for key in tampered[how]):
        return  # a pool of somebody else's, say, that is the same one
    assert not all(verify_draw(changed).values()), how
