"""The page that a guest opens says the same as the checker in Python, and people can read it."""

import json
import random

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from unit.party import corpus
from unit.party.evenings import CHEATS, Draw, Lottery, broken, evening

from lottery_lib.merkle import proof
from lottery_party import announcement
from lottery_party.checker import CLAIMS, check_page, check_receipts

pytestmark = pytest.mark.browser
MANY = 667  # seeds, with three folders each
# They return texts, which is faster than Playwright's own way.
CHECK = """documents => JSON.stringify(JSON.parse(documents).map(document => {
  const { claims, problems, counts, codes, strange } = checkReceipts(document);
  return { claims, problems: problems.sort(), counts, codes, strange: strange.sort() };
}))"""
SHUFFLE = """([size, secret, value]) =>
  JSON.stringify(orderOf(Array.from({ length: size }, (_, at) => at), unhex(secret), value))"""


@pytest.fixture
def opened(page, tmp_path):
    """`opened(text)`: open this page from a file, without a network. It has no errors."""
    errors = list[str]()

    def open_page(text):
        path = tmp_path / "page.html"
        path.write_text(text, encoding="utf-8")
        page.goto(path.as_uri())
        return page

    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: request.url.startswith("file:") or errors.append(request.url))
    yield open_page
    assert errors == []


@pytest.fixture
def checked(opened):
    """`checked(documents)`: for each, what the page finds."""
    page = opened(check_page({}))
    return lambda documents: json.loads(page.evaluate(CHECK, json.dumps(documents)))


def test_corpus(checked):
    """The page says of each document what the corpus says. `test_checker` asks Python the same."""
    cases = corpus.cases()
    found = checked([document for document, _ in cases.values()])
    for (fact, (_, says)), page_says in zip(cases.items(), found, strict=True):
        assert page_says == {"codes": page_says["codes"], **says}, fact


def test_known_shuffles(opened):
    """The page puts a pool into the order that the corpus says."""
    page = opened(check_page({}))
    for known in corpus.SHUFFLES:
        found = page.evaluate(SHUFFLE, [known["size"], known["secret"], known["public"]])
        assert json.loads(found) == known["order"]


def test_a_digest_that_is_too_large(opened):
    """The page skips a digest that would favour small numbers."""
    page = opened(check_page({}))
    digest = (
        "hmac = () => text => unhex(text.join() === '48,46,48' ? 'ff'.repeat(32) : '02')"  # 48,46,48: "0.0"
    )
    assert page.evaluate(f"() => {{ {digest}; return orderOf([0, 1, 2], [], '')[0]; }}") == 2


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


@pytest.mark.parametrize("seeds", [range(150), pytest.param(range(150, MANY), marks=pytest.mark.long)])
def test_two_implementations_agree(checked, seeds):
    """Python and JavaScript say the same about evenings, good ones and bad ones. Thousands are long."""
    documents = [folder for seed in seeds for folder in folders(seed)]
    false = dict.fromkeys(CLAIMS, 0)
    for start in range(0, len(documents), 200):
        some = documents[start : start + 200]
        for document, page_says in zip(some, checked(some), strict=True):
            said = check_receipts(document)
            ours = {
                "claims": dict(zip(corpus.CLAIMS, said.claims.values(), strict=True)),
                "problems": sorted(said.problems),
                "counts": said.counts,
                "codes": said.codes,
                "strange": said.strange,
            }
            assert page_says == ours, json.dumps(document)[:5000]
            for claim, true in said.claims.items():
                false[claim] += not true
    assert all(0.2 < number / len(documents) < 0.8 for number in false.values())


def party(people=60, winners=3):
    """A lottery with one draw, in which one winner is absent; and the draw."""
    lottery, pool = Lottery(), [f"{number:05}" for number in range(people)]
    draw = Draw(
        *(lottery, "Summer <b>party</b>", pool, [("Bicycle & bell", 1), ("杯子", winners - 1)]),
        **{"rule": "out", "secret": b"s" * 32, "salt": b"t" * 32, "question": "Call five numbers"},
    )
    draw.value = "3 17 44 8 29"
    draw.withdraw(draw.order[-2])
    draw.add("public value", value=draw.value)
    draw.draw(1, 1)
    draw.roll_call(1, [draw.order[0]])
    draw.draw(1, 1)
    draw.withdraw(draw.order[-1])
    for start in range(0, winners - 1, 50):
        draw.draw(2, min(50, winners - 1 - start))
    draw.close()
    return lottery, draw


def lines(page, heading):
    """The texts of the list below a heading."""
    return (
        page.get_by_role("heading", name=heading, exact=True).locator("+ *").locator("li").all_inner_texts()
    )


def test_a_guest_reads_that_everything_fits(opened):
    """A good folder: the claims, the winners by prize, and the codes of the photograph."""
    lottery, draw = party()
    page = opened(check_page(lottery.document()))
    expect(page.get_by_role("heading", level=1)).to_have_text("✓ Everything fits")
    assert lines(page, "What was checked") == [f"✓\n{claim}" for claim in CLAIMS]
    first, second, *others = draw.order[:4]
    assert lines(page, "Bicycle & bell: 1 winner") == [
        f"{first} Name of {first} (absent)",
        f"{second} Name of {second}",
    ]
    assert lines(page, "杯子: 2 winners") == [f"{one} Name of {one}" for one in others]
    withdrawn = lines(page, "Withdrawn: these people could not win any more")
    assert withdrawn == [
        f"{draw.order[-2]} (before the order was fixed)",
        f"{draw.order[-1]} (after the order was fixed)",
    ]
    head = json.loads(draw.texts[0])
    for code in (head["pool"], head["commitment"]):
        expect(page.get_by_text(announcement.grouped(code))).to_be_visible()


def test_a_guest_finds_their_place(opened):
    """Somebody types an id: in the pool or not, the place in the order, and what they won."""
    lottery, draw = party()
    page = opened(check_page(lottery.document()))
    for one, said in [
        (draw.order[16], "you were in the pool, at place 17 of the order (of 60)."),
        (
            f" {draw.order[1]} ",
            "place 2 of the order (of 60).\nDraw Summer <b>party</b>: you won Bicycle & bell.",
        ),
        (draw.order[0], "you were called absent for Bicycle & bell."),
        (draw.order[-1], "Draw Summer <b>party</b>: you were withdrawn."),
        ("60", "Draw Summer <b>party</b>: this id was not in the pool. Type your id, not your name."),
    ]:
        page.get_by_label("Your id").fill(one)
        assert said in page.locator("output").inner_text()
    page.get_by_label("Your id").fill("")
    assert page.locator("output").inner_text() == ""
    assert page.get_by_label("Proof").count() == 0


def test_a_guest_reads_what_does_not_fit(opened):
    """A bad folder: which claims are false, why, and the row that no receipt names. No text runs as HTML."""
    lottery, _ = party()
    lottery.rows["x"] = {"employee_id": "</script><img src=x>", "employee_name": "<i>Cousin</i>"}
    page = opened(check_page(lottery.document()))
    expect(page.get_by_role("heading", level=1)).to_have_text("✗ Something does not fit")
    assert lines(page, "What was checked")[5:] == [f"✓\n{CLAIMS[5]}", f"✗\n{CLAIMS[6]}"]
    assert lines(page, "What does not fit") == [
        "</script><img src=x> is in the list of winners, but no receipt names them."
    ]
    assert lines(page, "In the list, without a receipt") == ["</script><img src=x> <i>Cousin</i>"]


def test_a_guest_checks_a_proof_before_the_draw(opened):
    """The announcement alone: prizes, rule, question and codes; a proof is right for one id."""
    _, draw = party()
    page = opened(check_page({"announced": draw.texts[0]}))
    expect(page.get_by_role("heading", level=1)).to_have_text("Draw Summer <b>party</b> is announced")
    assert lines(page, "Prizes, in this order") == ["Bicycle & bell: 1 winner", "杯子: 2 winners"]
    expect(page.get_by_text("The absent person cannot win any more.")).to_be_visible()
    expect(page.get_by_text("The room is asked: Call five numbers")).to_be_visible()
    said = page.locator("output").last
    page.get_by_label("Proof").fill(json.dumps(proof(draw.pool, draw.salt, 16), indent=1))
    page.get_by_label("Your id").fill("00016")
    expect(said).to_have_text("Draw Summer <b>party</b>: you are in the pool.")
    page.get_by_label("Your id").fill("00017")
    expect(said).to_contain_text("do not lead to the pool that was announced. Type your id, not your name.")
    for wrong in ('{"salt": ', '{"salt": "00", "path": [{"side": "up", "hash": "00"}]}'):
        page.get_by_label("Proof").fill(wrong)
        expect(said).to_have_text("This is not a proof. Copy all of it, from { to }.")


def test_a_draw_that_has_not_ended(opened):
    """Before the secret is known, everything fits so far, and a proof can be checked."""
    lottery, draw = party()
    del draw.texts[-1]
    draw.closed = False
    page = opened(check_page(lottery.document()))
    expect(page.get_by_role("heading", level=1)).to_have_text("✓ Everything fits so far")
    page.get_by_label("Your id").fill("00016")
    page.get_by_label("Proof").fill(json.dumps(proof(draw.pool, draw.salt, 16)))
    expect(page.locator("output").last).to_have_text("Draw Summer <b>party</b>: you are in the pool.")


def test_a_page_from_elsewhere(opened, tmp_path):
    """A guest who does not trust the operator's page can open the receipts with another page."""
    page = opened(check_page({}))
    (tmp_path / "receipts.json").write_text("{")
    page.get_by_label("Open a file").set_input_files(tmp_path / "receipts.json")
    expect(page.get_by_text("This file is not JSON.")).to_be_visible()
    (tmp_path / "receipts.json").write_text(json.dumps(party()[0].document()))
    page.get_by_label("Open a file").set_input_files(tmp_path / "receipts.json")
    expect(page.get_by_role("heading", level=1)).to_have_text("✓ Everything fits")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_pages_fit_and_can_be_read(page, opened, picture, width, scheme):
    """On a phone and on a laptop nothing is wider than the window, and axe finds no violation."""
    lottery, draw = party()
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    good = lottery.document()
    lottery.rows["x"] = {"employee_id": "x" * 60}
    shown = {
        "good": check_page(good),
        "bad": check_page(lottery.document()),
        "announced": check_page({"announced": draw.texts[0]}),
        "announcement": announcement.page(json.loads(draw.texts[0])),
    }
    for name, text in shown.items():
        opened(text)
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Checking…")
        picture(page, f"check_{name}_{width}_{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert Axe().run(page).response["violations"] == []


def test_ten_thousand_people(opened):
    """With 10,000 people and 450 winners, the page answers soon, also on a phone."""
    lottery, _ = party(10_000, 450)
    page = opened(check_page({}))
    milliseconds, problems = page.evaluate(
        """text => {
          const folder = JSON.parse(text), start = performance.now();
          const { problems } = checkReceipts(folder);
          return [performance.now() - start, problems];
        }""",
        json.dumps(lottery.document()),
    )
    assert problems == []
    assert milliseconds < 10_000  # a quiet laptop needs a fraction of a second
