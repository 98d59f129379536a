"""The page that a guest opens says the same as the checker in Python, and people can read it."""

import json
import random
import subprocess
import unicodedata
from pathlib import Path

import playwright
import pytest
from browser.conftest import script, violations
from playwright.sync_api import expect
from unit.party import corpus
from unit.party.evenings import CHEATS, Draw, Lottery, broken, evening, leaves, sha

from lottery_lib.harmless import normalised
from lottery_lib.merkle import leaves_of, proof, root
from lottery_party import codes
from lottery_party.check_words import CLAIMS, VERDICTS
from lottery_party.checker import _alike, check_page, check_receipts

pytestmark = pytest.mark.browser
MANY = 667  # seeds, with three folders each
# They return texts, which is faster than Playwright's own way.
CHECK = script("check_documents")
SHUFFLE = script("shuffle")
NEW = script("become_an_old_phone")


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
    for (fact, (document, says)), page_says in zip(cases.items(), found, strict=True):
        page_says["notices"] = sorted(each["kind"] for each in page_says["notices"])
        verdict = "red" if says["problems"] else "amber" if says["notices"] else "green"
        word = check_receipts(document).word
        assert page_says == {"draws": page_says["draws"], "word": word, "verdict": verdict, **says}, fact


def test_known_shuffles(opened):
    """The page puts a pool into the order that the corpus says."""
    page = opened(check_page({}))
    for known in corpus.SHUFFLES:
        found = page.evaluate(SHUFFLE, [known["size"], known["secret"], known["public"]])
        assert json.loads(found) == known["order"]


@pytest.mark.parametrize(("last", "first"), [("ff", 1), ("fe", 2)])
def test_a_digest_that_is_too_large(opened, last, first):
    """Of 3 people, the page skips only the largest digest: it would favour small numbers."""
    page = opened(check_page({}))
    digest = "ff" * 31 + last
    fake = f"hmac = () => text => unhex(text.join() === '48,46,48' ? '{digest}' : '01')"  # "0.0"
    assert page.evaluate(f"() => {{ {fake}; return orderOf([0, 1, 2], [], '')[0]; }}") == first


def test_every_character(opened):
    """Python and the page read every character in the same way, in a public value and in an id."""
    known = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) not in ("Cn", "Cs")]
    texts = [f"a{one}B" for one in known]
    page = opened(check_page({}))
    both = "texts => JSON.stringify(JSON.parse(texts).map(text => [readable(text), alike(text)]))"
    found = page.evaluate(both, json.dumps(texts))
    differ = {
        f"{ord(one):04x}": (ours, theirs)
        for one, text, theirs in zip(known, texts, json.loads(found), strict=True)
        if theirs != (ours := [normalised(text), _alike(text)]) and unicodedata.category(one) != "Cc"
    }
    assert differ == {}


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
                "verdict": said.verdict,
                "word": said.word,
                "claims": dict(zip(corpus.CLAIMS, said.claims.values(), strict=True)),
                "problems": sorted(said.problems),
                "notices": [
                    {"kind": each.kind, "text": each.text, "grade": each.grade} for each in said.notices
                ],
                "counts": said.counts,
                "draws": said.draws,
                "strange": said.strange,
            }
            assert page_says == ours, json.dumps(document)[:5000]
            for claim, true in said.claims.items():
                false[claim] += not true
    assert all(0.2 < number / len(documents) < 0.8 for number in false.values())


def party(people=60, winners=3, *, format_=3, late=False, prize=False, corrected=False):
    """A lottery with one draw, in which one winner is absent, and perhaps one leaves late; and the draw."""
    lottery, pool = Lottery(), [f"{number:05}" for number in range(people)]
    draw = Draw(
        *(lottery, "Summer <b>party</b>", pool, [("Bicycle & bell", 1), ("杯子", winners - 1)]),
        **{"rule": "out", "secret": b"s" * 32, "salt": b"t" * 32, "question": "Call five numbers"},
        format_=format_,
        numbers={"count": 5, "least": 1, "most": 99},
    )
    draw.value = "3 8 17 29 44"
    draw.withdraw(draw.order[-2])
    if format_ > 1:
        draw.add("asked")
    draw.give(draw.value, 41)
    if corrected:
        draw.give("3 8 17 29 45", 55, "corrected")
    draw.draw(1, 1)
    draw.roll_call(1, [draw.order[0]])
    draw.draw(1, 1)
    if late:
        draw.withdraw(draw.order[-1])
    if late or prize:
        draw.prize("Pen", 1)
        draw.draw(3, 1)
    for start in range(0, winners - 1, 50):
        draw.draw(2, min(50, winners - 1 - start))
    draw.close()
    return lottery, draw


def named(one):
    return f"Name of {one} ({one})"


def lines(page, heading):
    """The texts of the list below a heading."""
    return (
        page.get_by_role("heading", name=heading, exact=True).locator("+ *").locator("li").all_inner_texts()
    )


def tiles(page, kind="tiles"):
    """The numbers of a check, by what they count."""
    texts = page.locator(f".{kind} li").all_inner_texts()
    return {words: int(number) for number, words in (text.split(maxsplit=1) for text in texts)}


def test_a_guest_reads_that_everything_fits(opened):
    """Green: counts as large as the verdict, what to compare, the winners by prize, and the claims."""
    lottery, draw = party()
    page = opened(check_page(lottery.document()))
    verdict = page.get_by_role("heading", level=1)
    expect(verdict).to_have_text(f"✓ {VERDICTS['green']}")
    expect(verdict).to_have_class("green")
    shown = {"Draws announced": 1, "Draws closed": 1, "People withdrawn": 1, "People called absent": 1}
    assert tiles(page) == shown
    assert {*tiles(page, "zeros").values()} == {0}
    size = "one => getComputedStyle(one).fontSize"
    assert page.locator(".tiles b").first.evaluate(size) == verdict.evaluate(size)
    assert page.locator(".cards").count() == 0
    first, second, *others = draw.order[:4]
    assert lines(page, "Bicycle & bell: 1 winner") == [f"{named(first)} (absent)", named(second)]
    assert lines(page, "杯子: 2 winners") == [named(one) for one in others]
    assert lines(page, "Withdrawn: these people could not win any more") == [
        f"{named(draw.order[-2])} (before the question)"
    ]
    assert lines(page, "What was checked") == [f"✓\n{claim}" for claim in CLAIMS]


def test_a_guest_compares_the_photographs(opened):
    """Question, value letter by letter, time, seconds, and the codes of all three photographs."""
    lottery, draw = party()
    page = opened(check_page(lottery.document()))
    expect(page.get_by_text("The room is asked: Call five numbers")).to_be_visible()
    letters = page.get_by_role("img", name=draw.value)
    groups = letters.locator("> span").all()
    assert [group.locator("span").all_inner_texts() for group in groups] == [*map(list, draw.value.split())]
    given = "It was typed at 2026-11-26 20:00:41 UTC. Seconds after the question: 41"
    expect(page.get_by_text(given)).to_be_visible()
    hashes = [sha(draw.texts[at]) for at in (0, 3, -1)]
    assert page.locator(".code").all_inner_texts() == [codes.grouped(code) for code in hashes]


def test_the_page_compares_a_photograph(opened):
    """A guest pastes the text of a QR code, or types a code as the stage shows it."""
    lottery, draw = party()
    page, given = opened(check_page(lottery.document())), (draw.value, sha(draw.texts[3]))
    code = sha(draw.texts[0])
    said, here = page.locator("output").first, "of draw Summer <b>party</b>"
    other = f"✗ It does not fit: the code {codes.grouped('e' * 64)} is none of those above."
    wrong = "✗ It does not fit: this text has none of the codes above."
    for text, answer in [
        (codes.announced({"draw": "x"}, code), f"✓ It fits: Code of the announcement {here}"),
        (codes.given("x", *given), f"✓ It fits: Code after the public value {here}"),
        (codes.given("x", "1 2", given[1]), wrong),
        (codes.given(f"x-{draw.value.replace(' ', '-')}", "1 2", given[1]), wrong),
        (codes.given("x", f"1 {draw.value}", given[1]), wrong),
        (f"{code} {'e' * 64}", f"✓ It fits: Code of the announcement {here}{other}"),
        (codes.grouped(code).upper(), f"✓ It fits: Code of the announcement {here}"),
        (codes.grouped(given[1]), f"✓ It fits: Code after the public value {here}"),
        (codes.ended("x", sha(draw.texts[-1])), f"✓ It fits: Code of the end {here}"),
        (code[:-1], wrong),
        ("", ""),
    ]:
        page.get_by_label("text of a QR code").fill(text)
        expect(said).to_have_text(answer)
    lottery, draw = party(corrected=True)
    page = opened(check_page(lottery.document()))
    said = page.locator("output").first
    first = f"✓ It fits: Code after the public value, before it was corrected {here}"
    for value, receipt, answer in [
        *(("3 8 17 29 44", 3, first), ("3 8 17 29 45", 3, wrong)),
        ("3 8 17 29 45", 4, f"✓ It fits: Code after the public value {here}"),
    ]:
        page.get_by_label("text of a QR code").fill(codes.given("x", value, sha(draw.texts[receipt])))
        expect(said).to_have_text(answer)


def test_the_clock_of_the_room(page, opened):
    """A guest photographed a clock: the page has the time as a phone shows it, and then in UTC."""
    clock = page.context.new_cdp_session(page)
    clock.send("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Shanghai"})
    opened(check_page(party()[0].document()))
    at = "2026-11-27 04:00:41 / 20:00:41 UTC"
    expect(page.get_by_text(f"It was typed at {at}. Seconds after the question: 41")).to_be_visible()


def test_a_guest_reads_what_happened(opened):
    """Amber: what an operator could have done is in one list, and what only happened in another.

    The word of the worse one stands above; the counts have the same colour.
    """
    lottery, draw = party(late=True)
    page = opened(check_page(lottery.document()))
    verdict = page.get_by_role("heading", level=1)
    expect(verdict).to_have_text(f"!! {VERDICTS['steered']}")
    expect(verdict).to_have_class("steered")
    (withdrawn,) = lines(page, "Somebody could have steered it: what it could have been good for")
    (added,) = lines(page, "Something happened. An honest evening can have it, too")
    assert f"{named(draw.order[-1])} was withdrawn after the question (2026-11-26 20:00:41 UTC)." in withdrawn
    assert "the prize Pen (1) was added after the question" in added
    assert page.locator(".tiles .steered").all_inner_texts() == ["2\nChanges after the question"]
    assert lines(page, "Pen: 1 winner (added after the announcement)") == [named(draw.order[-3])]
    assert f"{named(draw.order[-1])} (after the question)" in lines(
        page, "Withdrawn: these people could not win any more"
    )


def test_something_only_happened(opened):
    """The weaker word has another colour and another sign than the stronger one."""
    lottery, _ = party(prize=True)
    page = opened(check_page(lottery.document()))
    verdict = page.get_by_role("heading", level=1)
    expect(verdict).to_have_text(f"! {VERDICTS['happened']}")
    expect(verdict).to_have_class("happened")
    assert page.get_by_role("heading", name="Somebody could have steered it").count() == 0
    colour = "one => getComputedStyle(one).backgroundColor"
    weaker = verdict.evaluate(colour)
    opened(check_page(party(late=True)[0].document()))
    expect(verdict).to_have_class("steered")
    assert verdict.evaluate(colour) != weaker


def test_a_draw_of_an_older_kit(opened):
    """Format 1: the page says which rules hold, and shows the codes of that photograph."""
    lottery, draw = party(format_=1)
    page = opened(check_page(lottery.document()))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"!! {VERDICTS['steered']}")
    expect(page.get_by_text("This draw has the rules of format 1.")).to_be_visible()
    head = json.loads(draw.texts[0])
    both = [codes.grouped(head[key]) for key in ("pool", "commitment")]
    assert page.locator(".code").all_inner_texts() == both
    page.get_by_label("Your name").fill(draw.order[1])
    assert "at place 2 of the order (of 60)" in page.locator("output").last.inner_text()


def test_a_guest_finds_their_place(opened):
    """Somebody types a name or an id, in any width and case: the place in the order, and what they won."""
    lottery, draw = party()
    page = opened(check_page(lottery.document()))
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    here = "Draw Summer <b>party</b>: "
    for one, said in [
        (draw.order[16].translate(wide), "you were in the pool, at place 17 of the order (of 60)."),
        (f" {draw.order[1]} ", f"place 2 of the order (of 60).\n{here}you won Bicycle & bell."),
        (f"ＮＡＭＥ  of\u200b {draw.order[1]}", f"{here}you won Bicycle & bell."),
        (draw.order[0], "you were called absent for Bicycle & bell."),
        (draw.order[-2], f"{here}you were withdrawn."),
        ("00010", "Name of 00010 · Sales · 00010"),
        ("60", f"{here}nobody with this name or id was in the pool."),
    ]:
        page.get_by_label("Your name").fill(one)
        assert said in page.locator("output").last.inner_text()
    page.get_by_label("Your name").fill("\u200b ")
    assert page.locator("output").last.inner_text() == ""
    assert page.get_by_label("Proof").count() == 0


def test_two_guests_of_one_name(opened):
    """Each person of a name is shown, with department and id. Everybody in the pool can be looked at."""
    lottery, draw = party()
    draw.shown[7][1], draw.shown[11][1] = "王伟", "王 伟"
    page = opened(check_page(lottery.document()))  # red, because this pool was not announced
    page.get_by_label("Your name").fill("王伟")
    said = page.locator("output").last.inner_text()
    assert "2 people have this name. Look for your department and your id." in said
    assert page.locator("output .person b").all_inner_texts() == ["王伟 · 00007", "王 伟 · Sales · 00011"]
    page.get_by_text("Everybody who was in the pool of draw Summer <b>party</b>: 60").click()
    everybody = page.locator("details li")
    expect(everybody).to_have_count(60)
    expect(everybody.nth(11)).to_have_text("王 伟 (00011) Sales")


def test_a_guest_reads_what_does_not_fit(opened):
    """Red: which claims are false, why, and the row that no receipt names. No text runs as HTML."""
    lottery, _ = party()
    lottery.rows["x"] = {"employee_id": "</script><img src=x>", "employee_name": "<i>Cousin</i>"}
    page = opened(check_page(lottery.document()))
    verdict = page.get_by_role("heading", level=1)
    expect(verdict).to_have_text(f"✗ {VERDICTS['red']}")
    expect(verdict).to_have_class("red")
    assert lines(page, "What was checked")[6:] == [f"✓\n{CLAIMS[6]}", f"✗\n{CLAIMS[7]}"]
    assert lines(page, "What does not fit") == [
        "</script><img src=x> is in the list of winners, but no receipt names them."
    ]
    assert lines(page, "In the list, without a receipt") == ["<i>Cousin</i> (</script><img src=x>)"]


def test_many_problems(opened):
    """The page shows the first 20, and the others to those who open them."""
    lottery, _ = party()
    for number in range(30):
        lottery.rows[f"x{number}"] = {"employee_id": f"x{number}"}
    page = opened(check_page(lottery.document()))
    expect(page.get_by_text("x19 is in the list")).to_be_visible()
    assert page.get_by_text("x20 is in the list").count() == 0
    page.get_by_text("And 10 more.").first.click()
    expect(page.get_by_text("x29 is in the list")).to_be_visible()


def proof_of(draw, at):
    """What `lottery proof` says."""
    person = [draw.pool[at]] if draw.format == 1 else draw.shown[at]
    about = dict(zip(("employee_id", "employee_name", "department"), person, strict=False))
    return {**about, **proof(leaves(draw.shown), draw.salt, at)}


@pytest.mark.parametrize("format_", [1, 2, 3])
def test_a_guest_checks_a_proof_before_the_draw(opened, format_):
    """The announcement alone: question, prizes, rule and code; a proof is right for one person."""
    _, draw = party(format_=format_)
    page = opened(check_page({"announced": draw.texts[0], "qr": codes.qr("a code")}, "Winter <party>"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Draw Summer <b>party</b> is announced")
    expect(page).to_have_title("Winter <party> · Check the lottery")
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    assert page.get_by_alt_text("QR code").evaluate("image => image.naturalWidth") > 0
    assert lines(page, "Prizes, in this order") == ["Bicycle & bell: 1 winner", "杯子: 2 winners"]
    expect(page.get_by_text("The absent person cannot win any more.")).to_be_visible()
    expect(page.get_by_text("60 people can win")).to_be_visible()
    expect(page.get_by_text("The room is asked: Call five numbers")).to_be_visible()
    head = json.loads(draw.texts[0])
    hashes = [head["pool"], head["commitment"]] if format_ == 1 else [sha(draw.texts[0])]
    assert page.locator(".code").all_inner_texts() == [codes.grouped(code) for code in hashes]
    said = page.locator("output").last
    shown = proof_of(draw, 16)
    page.get_by_label("Proof").fill(json.dumps(shown, indent=1))
    for you in ["000１6", "name of 00016"][: 1 if format_ == 1 else 2]:  # a pool of format 1 has no names
        page.get_by_label("Your name").fill(you)
        person = "00016" if format_ == 1 else "Name of 00016 · Sales · 00016"
        expect(said).to_have_text(f"Draw Summer <b>party</b>: you are in the pool, as {person}.")
    page.get_by_label("Your name").fill("00017")
    wrong = "This proof does not lead from this name or id to the pool that was announced."
    expect(said).to_have_text(wrong)
    page.get_by_label("Your name").fill("00016")
    # A longer salt that has the beginning of the id
    moved = {"salt": shown["salt"] + b"000".hex(), "employee_id": "16"}
    page.get_by_label("Proof").fill(json.dumps(shown | moved))
    page.get_by_label("Your name").fill("16")
    expect(said).to_have_text(wrong)
    page.get_by_label("Your name").fill("00016")
    changes = [{"salt": "00"}, {"path": []}, {"employee_id": "00017"}, {"department": "Board"}]
    for change in changes[: 3 if format_ == 1 else 4]:  # format 1 does not look at the department
        page.get_by_label("Proof").fill(json.dumps(shown | change))
        expect(said).to_have_text(wrong)
    for form in ('{"salt": ', '{"salt": "00", "path": [{"side": "up", "hash": "00"}]}'):
        page.get_by_label("Proof").fill(form)
        expect(said).to_have_text("This is not a proof. Copy all of it, from { to }.")


def test_a_draw_that_has_not_ended(opened):
    """Before the secret is known, the page is amber, and a proof can be checked."""
    lottery, draw = party()
    del draw.texts[-1]
    draw.closed = False
    page = opened(check_page(lottery.document()))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"! {VERDICTS['happened']}")
    page.get_by_label("Your name").fill("00016")
    page.get_by_label("Proof").fill(json.dumps(proof_of(draw, 16)))
    expect(page.locator("output").last).to_contain_text("you are in the pool, as Name of 00016")


def for_everybody(draw):
    """What `lottery proofs` writes into its page."""
    shown = leaves_of(leaves(draw.shown), draw.salt)
    return {
        "announced": draw.texts[0],
        "proofs": [[one, *each] for one, each in zip(draw.pool, shown, strict=True)],
    }


def test_a_guest_finds_their_proof(opened):
    """One page for everybody: the id finds the leaf, and only the right name and department make it."""
    _, draw = party()
    draw.shown[16][1] = "Zoe\u0301"  # a list can have either form of é
    draw.lottery.draws.clear()
    head = json.loads(draw.texts[0]) | {"pool": root(leaves(draw.shown), draw.salt)}
    draw.texts[0] = json.dumps(head)
    page = opened(check_page(for_everybody(draw)))
    said = page.locator("output").last
    for person, answer in [
        (
            ("000１6 ", " Zo\u00e9", "Sales"),
            "✓ You are in the pool of 60 people that was announced, as Zo\u00e9 · Sales · 00016.",
        ),
        (("00017", "Name of 00017", "Sales"), "✓ You are in the pool of 60 people"),
        (("00020", "Name of 00020", ""), "✓ You are in the pool of 60 people"),
        (("00017", "Name of 00017", ""), "✗ This id is in the pool, but with another name or department."),
        (("00017", "Cousin", "Sales"), "✗ This id is in the pool, but with another name or department."),
        (("99", "Cousin", ""), "✗ Nobody with this id is in the pool that was announced."),
    ]:
        for label, text in zip(
            ("Your id, as on your badge", "Your name", "Your department"), person, strict=True
        ):
            page.get_by_label(label).fill(text)
        expect(said).to_contain_text(answer)


@pytest.mark.parametrize("change", ["leaf", "missing", "junk"])
def test_proofs_of_another_pool(opened, change):
    """If the leaves are not those of the announced pool, the page says so, and proves nothing."""
    _, draw = party()
    told = for_everybody(draw)
    if change == "leaf":
        told["proofs"][3][2] = "0" * 64
    elif change == "missing":
        told["proofs"].pop()
    else:
        told["proofs"] = [["00001"]]
    page = opened(check_page(told))
    expect(page.get_by_text("✗ The proofs on this page are not those")).to_be_visible()
    assert page.get_by_label("Your name").count() == 0


def test_an_announcement_that_cannot_be_read(opened):
    """The page says so in one sentence."""
    page = opened(check_page({"announced": "{}"}))
    expect(page.get_by_role("heading", level=1)).to_contain_text("does not have the form of a receipt.")


def choose(page, tmp_path, text):
    (tmp_path / "receipts.json").write_text(text)
    page.get_by_label("Open a file").set_input_files(tmp_path / "receipts.json")


def test_a_page_from_elsewhere(opened, tmp_path):
    """A guest who does not trust the operator's page can open the receipts with another page."""
    page = opened(check_page({}))
    choose(page, tmp_path, "{")
    expect(page.get_by_text("This file is not JSON.")).to_be_visible()
    choose(page, tmp_path, json.dumps(party()[0].document()))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"✓ {VERDICTS['green']}")


def test_the_scripts_are_of_2019(opened):
    """Node's own parser reads the page's scripts as ECMAScript 2019. It refuses what is newer."""
    page = opened(check_page({}))
    scripts = page.evaluate(
        "[...document.querySelectorAll('script:not([type])')].map(each => each.textContent)"
    )
    assert len(scripts) == 2
    for each in scripts:
        assert parsed(each) == ""
    for newer in ("2n", "a ?? b", "a?.b", "1_000", "a ||= b", "class A { #b = 1 }", "/a/v"):
        assert "SyntaxError" in parsed(newer), newer


def parsed(script):
    """What the parser inside of Playwright's Node complains about."""
    parse = "require('internal/deps/acorn/acorn/dist/acorn').parse"
    program = f"{parse}(require('fs').readFileSync(0, 'utf8'), {{ ecmaVersion: 2019 }})"
    node = Path(playwright.__file__).parent / "driver/node"
    done = subprocess.run(
        [node, "--expose-internals", "-e", program], input=script, text=True, capture_output=True, check=False
    )
    return done.stderr


def test_old_phones(page, opened, tmp_path):
    """A check, a search, a proof and a file also work in a browser of 2019, which lacks what came later."""
    page.add_init_script(NEW)
    lottery, draw = party()
    opened(check_page(lottery.document()))
    assert page.evaluate("typeof BigInt + typeof [].at") == "undefined" * 2
    expect(page.get_by_role("heading", level=1)).to_have_class("green")
    page.get_by_label("Your name").fill(draw.order[16])
    expect(page.get_by_text("at place 17 of the order (of 60).")).to_be_visible()
    opened(check_page({"announced": draw.texts[0]}))
    page.get_by_label("Your name").fill("00016")
    page.get_by_label("Proof").fill("{}")
    expect(page.get_by_text("This is not a proof.")).to_be_visible()
    opened(check_page({}))
    choose(page, tmp_path, json.dumps(lottery.document()))
    expect(page.get_by_role("heading", level=1)).to_have_class("green")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_pages_fit_and_can_be_read(page, opened, picture, *, width, height, scheme):
    """On a phone and on a laptop nothing is wider than the window, and axe finds no violation."""
    lottery, draw = party()
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    late, _ = party(late=True)
    late.restore()
    shown = {"green": check_page(lottery.document()), "steered": check_page(late.document())}
    shown["happened"] = check_page(party(prize=True)[0].document())
    shown["proofs"] = check_page(for_everybody(draw))
    lottery.rows["x"] = {"employee_id": "x" * 60}
    shown["red"] = check_page(lottery.document())
    shown["old"] = check_page(party(format_=1)[0].document())
    shown["announced"] = check_page({"announced": draw.texts[0], "qr": codes.qr("a code")})
    for name, text in shown.items():
        opened(text)
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Checking…")
        picture(page, f"check_{name}_{width}_{scheme}")
        if name == "green":
            page.get_by_label("Your name").fill(draw.order[1])
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(page) == []


def test_ten_thousand_people(opened):
    """The page checks 10,000 people and 450 winners. `figures.py` measures how long it takes."""
    lottery, _ = party(10_000, 450)
    found = opened(check_page({})).evaluate(CHECK, json.dumps([lottery.document()]))
    assert json.loads(found)[0]["problems"] == []
