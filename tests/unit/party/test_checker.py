"""The checker believes a folder only if nobody cheated, and says in a sentence what does not fit."""

import hmac
import json
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.party import corpus, evenings
from unit.party.evenings import CHANCES, CHEATS, EVENINGS, broken, evening

from lottery_lib.merkle import leaves_of
from lottery_party.checker import CLAIMS, check_page, check_receipts, shuffled

CASES = corpus.cases()


@pytest.mark.parametrize(("document", "says"), CASES.values(), ids=CASES)
def test_corpus(document, says):
    """The checker says of each document what the corpus says. `test_check_page` asks the page the same."""
    checked = check_receipts(document)
    found = {
        "claims": dict(zip(corpus.CLAIMS, checked.claims.values(), strict=True)),
        "problems": sorted(checked.problems),
        "notices": sorted(notice.kind for notice in checked.notices),
        "counts": checked.counts,
        "draws": checked.draws,
        "strange": checked.strange,
    }
    assert found == {"draws": checked.draws, **says}


@pytest.mark.parametrize("known", corpus.SHUFFLES, ids=lambda known: known["size"])
def test_known_shuffles(known):
    """The checker puts a pool into the order that the corpus says."""
    key = hmac.digest(bytes.fromhex(known["secret"]), known["public"].encode(), "sha256")
    assert list(shuffled(known["size"], key)) == known["order"]


def with_a_wrong_value(document):
    """Yield once for each value of a document. Meanwhile [5] stands in its place, or its key is missing."""
    for holder in [document, *document["draws"].values(), *document["winners"]]:
        for key, value in holder.items():
            holder[key] = [5]
            yield key
            holder[key] = value
    for texts in evenings.texts_of(document):
        for at, text in enumerate(texts):
            says = json.loads(text)
            keys = says.keys() - {"chain_at"}  # it is only in the corpus
            wrong = [says | {key: [5]} for key in keys]
            wrong += [without(says, key) for key in keys - {"unwon", "format"}]
            for texts[at] in map(json.dumps, wrong):
                yield texts[at]
            texts[at] = text


def without(says, key):
    return {each: value for each, value in says.items() if each != key}


def test_each_value_has_a_form():
    """If one value anywhere has a wrong type, or a key of a receipt is missing, no claim is true."""
    for document in corpus.documents():
        for wrong in with_a_wrong_value(document):
            assert not any(check_receipts(document).claims.values()), wrong


@given(EVENINGS)
def test_an_honest_evening_fits(document):
    """Whatever happens on an evening without cheats, all claims are true."""
    assert check_receipts(document).problems == []
    assert False not in check_receipts(document).claims.values()


def test_evenings_have_everything():
    """The random evenings have each kind of receipt, and all that is rare in them."""
    seen = Counter()
    for seed in range(300):
        document = evening(random.Random(seed))
        seen += Counter(check_receipts(document).counts)
        for text in [text for texts in evenings.texts_of(document) for text in texts]:
            says = json.loads(text)
            seen += Counter([says["kind"]])
            seen += Counter(key for key in ("passed_over", "unwon", "question", "absent") if says.get(key))
            seen += Counter(says["absent"] for _ in "1" if says["kind"] == "announced")
            seen += Counter("nobody is left" for _ in "1" if says.get("winners") == [])
        seen += Counter(f"row: {row.get('status')}" for row in document["winners"])
    assert min(seen.values()) > 50
    assert len(seen) == 27


def each_false_claim_has_a_reason(document):
    """If a claim is false, there is also a sentence."""
    checked = check_receipts(document)
    assert checked.claims.keys() == {*CLAIMS}
    assert (False in checked.claims.values()) == bool(checked.problems)
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in checked.problems)


@given(EVENINGS, CHANCES)
def test_a_broken_folder_is_no_exception(document, chance):
    """Whatever a folder contains, the claims are true or false, and each false one has a reason."""
    each_false_claim_has_a_reason(broken(document, chance))


@given(EVENINGS, st.sampled_from(CHEATS), CHANCES)
def test_a_cheat_is_no_exception(document, cheat, chance):
    """The same for somebody who cheats with receipts of the right form."""
    if document["draws"]:
        cheat(document, chance)
    each_false_claim_has_a_reason(document)


def test_proofs_of_many_guests_are_a_small_file():
    """The proofs of 20,000 guests share one tree, so that a phone can load them."""
    ids = [f"{number:08}" for number in range(20_000)]
    proofs = [[one, *each] for one, each in zip(ids, leaves_of(ids, b"salt"), strict=True)]
    assert len(check_page({"announced": "{}", "proofs": proofs}).encode()) < 3_000_000


def test_the_page_holds_any_text():
    """No text of a document ends the script element in which it stands."""
    document = {"winners": [{"employee_name": "</script><!--<script>"}]}
    page = check_page(document)
    data = page.partition('id="document">')[2].partition("</script>")[0]
    assert json.loads(data) == document
    assert "<" not in data
    assert page.count("</script>") == check_page({}).count("</script>") == 3
