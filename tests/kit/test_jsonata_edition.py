"""The tutorial's workflow in JSONata does the same as in JSONPath."""

import itertools
import json
import random
import secrets

import pytest
from helpers import source_of
from hypothesis import given, settings
from hypothesis import strategies as st
from injected import original

from lottery_course import inject
from lottery_lib import Stack, connect, draw, execution, inbox, winners
from lottery_lib.plan import winners_table
from lottery_lib.resources.contents import empty_winners

IDS = [f"{number:03}" for number in range(1, 11)]


_versions = itertools.count()


@pytest.fixture(scope="module")
def both():
    """The same lottery in both languages."""
    targets = [connect(attendee=f"both-{edition}", edition=edition) for edition in ("tutorial", "jsonata")]
    for target in targets:
        Stack(target).deploy("ann@example.com")
        inbox(target).confirm("ann@example.com")
    return targets


def drawn(target, seed, past, given):
    """What a draw gives and leaves: its result, its output, the mails and the records."""
    version, chances = next(_versions), {}

    def seeded(event, context):  # each version of the function begins with the seed again
        chance = chances.setdefault(version, random.Random(seed))
        secrets.SystemRandom = lambda: chance
        return original(event, context)

    inject(target, "RandomSelectWinners", source_of(seeded))
    empty_winners(target)
    winners_table(target).put([{"employee_id": each} for each in past])
    inbox(target).clear()
    result = draw(target, given)
    arn = result.pop("execution_arn")
    output = json.loads(execution.describe(target, arn).get("output", "[{}]"))
    for chosen_by_sns in ("MessageId", "SdkHttpMetadata", "SdkResponseMetadata"):
        output[0].pop(chosen_by_sns, None)
    mails = [mail.text.partition("\n")[0] for mail in inbox(target).notifications]
    return result, output, mails, list(winners(target)["employee_id"])


@given(st.integers(0, 2**32), st.sets(st.sampled_from(IDS), max_size=5), st.integers(1, 4))
@settings(max_examples=3)
def test_the_same_seed_gives_the_same_draw(both, seed, past, number):
    """Winners, output, mail and records are the same in both languages, also if rounds are drawn again."""
    in_jsonpath, in_jsonata = (drawn(target, seed, past, number) for target in both)
    assert in_jsonpath == in_jsonata
    assert len(in_jsonata[0]["winners"]) == number
    assert len(in_jsonata[2]) == 1
