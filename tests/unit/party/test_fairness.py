"""The shuffle of the draw favours nobody, and gives the known orders."""

import random
from collections import Counter
from itertools import islice, permutations

import pytest
from unit.party.corpus import SHUFFLES
from unit.party.fake_dynamodb import FakeDynamoDb, lambdas

from lottery_party.checker import shuffled as order

DRAWS = 10_000
#: A fair shuffle exceeds this chi-square once in a thousand tests, by degrees of freedom.
CRITICAL = {9: 27.88, 19: 43.82, 89: 135.98}


@pytest.fixture(scope="module")
def shuffled():
    """The function's own shuffle."""
    with lambdas(FakeDynamoDb()) as functions:
        yield functions.draw_prize.shuffled


def naive(size, secret):
    """A common mistake: each position changes places with any other. This shuffle is not fair."""
    positions, chance = list(range(size)), random.Random(secret)
    for step in range(size):
        other = chance.randrange(size)
        positions[step], positions[other] = positions[other], positions[step]
    return iter(positions)


def chi_square(shuffle, size, first):
    """Chi-square of ten thousand draws, always the same ones. Each outcome should be as frequent as any."""
    chance = random.Random(2026)
    counts = Counter(tuple(islice(shuffle(size, chance.randbytes(32)), first)) for _ in range(DRAWS))
    outcomes = [*permutations(range(size), first)]
    assert counts.keys() <= set(outcomes)
    expected = DRAWS / len(outcomes)
    return sum((counts[each] - expected) ** 2 / expected for each in outcomes), len(outcomes) - 1


@pytest.mark.parametrize(("size", "first"), [(10, 1), (5, 2), (10, 2)])
def test_each_outcome_is_as_likely(shuffled, size, first):
    """Each person is the first winner equally often, and each pair is the first two equally often."""
    statistic, freedom = chi_square(shuffled, size, first)
    assert statistic < CRITICAL[freedom]


@pytest.mark.parametrize(("size", "first"), [(5, 2), (10, 2)])
def test_an_unfair_shuffle_is_found_out(size, first):
    """The same test finds that the common mistake is unfair."""
    statistic, freedom = chi_square(naive, size, first)
    assert statistic > CRITICAL[freedom]


def test_who_can_win_is_as_likely():
    """If seven of ten people are passed over, the other three win equally often."""
    chance, can_win = random.Random(7), {1, 4, 9}
    drawn = (next(each for each in order(10, chance.randbytes(32)) if each in can_win) for _ in range(DRAWS))
    counts, expected = Counter(drawn), DRAWS / 3
    assert (
        sum((counts[each] - expected) ** 2 / expected for each in can_win) < 13.82
    )  # two degrees of freedom


@pytest.mark.parametrize("known", SHUFFLES, ids=lambda known: known["size"])
def test_known_shuffles(known):
    """The function puts a pool into the order that the corpus says, as both checks do."""
    draw = {"size": known["size"], "public": known["public"]}
    with lambdas(FakeDynamoDb()) as functions:
        order_of = functions.draw_prize.order_of(draw, bytes.fromhex(known["secret"]))
        assert list(order_of) == known["order"]


def test_a_digest_that_is_too_large(shuffled, monkeypatch):
    """A digest that would favour small numbers is skipped, by the function and by the check."""
    digests = {b"0.0": 2**256 - 1, b"0.1": 2}
    monkeypatch.setattr("hmac.digest", lambda key, message, _: digests[message].to_bytes(32, "big"))
    assert next(shuffled(3, b"")) == next(order(3, b"")) == 2


def test_a_large_pool_costs_no_more(shuffled):
    """Five of a billion positions cost as much as five of ten: the function shuffles only what it takes."""
    first = list(islice(shuffled(10**9, b"secret"), 5))
    assert len({*first}) == 5
    assert max(first) < 10**9
