"""The page that a guest opens says the same as the checker in Python, and people can read it."""

import json
import random

import pytest
from unit.party.evenings import CHEATS, broken, evening

from lottery_lib.party.checker import CLAIMS, check_page, check_receipts

pytestmark = pytest.mark.browser
SEEDS = 667  # three folders each
# It returns a text, which is faster than Playwright's own way.
CHECK = """documents => JSON.stringify(JSON.parse(documents).map(document => {
  const { claims, problems, counts, codes } = checkReceipts(document);
  return [Object.values(claims), problems.sort(), counts, codes];
}))"""


@pytest.fixture
def checked(page, tmp_path):
    """`checked(documents)`: for each, the claims, problems, counts and codes that the page finds."""
    path = tmp_path / "check.html"
    path.write_text(check_page({}), encoding="utf-8")
    page.goto(path.as_uri())
    return lambda documents: json.loads(page.evaluate(CHECK, json.dumps(documents)))


def folders(seed):
    """A good evening, one on which somebody cheated, and one that is broken."""
    chance = random.Random(seed)
    yield evening(chance)
    cheated = evening(chance)
    for cheat in chance.sample(CHEATS, chance.choice([1, 1, 2])):
        if cheated["chain"] and cheated["draws"]:
            cheat(cheated, chance)
    yield cheated
    yield broken(evening(chance), chance)


def test_two_implementations_agree(checked):
    """Python and JavaScript say the same about thousands of evenings, good ones and bad ones."""
    documents = [folder for seed in range(SEEDS) for folder in folders(seed)]
    false = dict.fromkeys(CLAIMS, 0)
    for start in range(0, len(documents), 200):
        some = documents[start : start + 200]
        for document, page_says in zip(some, checked(some), strict=True):
            said = check_receipts(document)
            ours = [[*said.claims.values()], sorted(said.problems), said.counts, said.codes]
            assert page_says == ours, json.dumps(document)[:5000]
            for claim, true in said.claims.items():
                false[claim] += not true
    assert all(0.2 < number / len(documents) < 0.8 for number in false.values())
