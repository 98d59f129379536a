"""The words and the tables of an evening's pages, and the file that a browser loads."""

import re
from dataclasses import replace

import pytest

from lottery_lib.errors import LotteryError
from lottery_party import page
from lottery_party.evening import EveningState, Person, PrizeState
from lottery_party.public_value import Numbers

ANN, BOB, CHEN = Person("1", "Ann", "Sales"), Person("2", "Bob"), Person("3", "陈静", "工程部")
MUG = PrizeState(1, "Mug", 2, (), (), False, False)
CAR = PrizeState(2, "Car", 1, (), (), False, False)


@pytest.mark.parametrize(
    ("typed", "numbers", "question", "amber"),
    [
        (("5", "1", "99"), Numbers(5, 1, 99), "Call 5 numbers from 1 to 99", ""),
        ((" 5 ", "０", "９9"), Numbers(5, 0, 99), "Call 5 numbers from 0 to 99", ""),
        (
            ("2", "1", "9"),
            Numbers(2, 1, 9),
            "Call 2 numbers from 1 to 9",
            "There are only 45 different answers",
        ),
    ],
)
def test_numbers_are_a_question(typed, numbers, question, amber):
    """The form makes the question of its numbers, however wide they are typed, and says what is amber."""
    found, shown = page.question("numbers", *typed)
    assert (found, shown["question"]) == (numbers, question)
    assert shown["amber"].startswith(amber)
    assert bool(shown["amber"]) == bool(amber)


@pytest.mark.parametrize("typed", ["", " ", "five", "-1", "1.5", "٣", "1" * 9, "1" * 5000])
@pytest.mark.parametrize("at", range(3))
def test_what_is_no_number_is_refused(typed, at):
    """Whatever is typed into one of the three fields: it is refused in a sentence."""
    fields = ["5", "1", "99"]
    fields[at] = typed
    with pytest.raises(LotteryError, match="how many, and from where to where, must be numbers"):
        page.question("numbers", *fields)


@pytest.mark.parametrize(
    "typed", [("0", "1", "99"), ("21", "1", "99"), ("5", "9", "9"), ("5", "1", "1000001")]
)
def test_numbers_that_cannot_be_asked_for(typed):
    """Too many, too few, or in no order: it says so."""
    with pytest.raises(LotteryError, match=r"^question to the room: "):
        page.question("numbers", *typed)


def test_any_text_can_be_guessed():
    """A question in words is not made here, and whatever stands in the hidden fields does not matter."""
    numbers, shown = page.question("text", "five", "", "")
    assert (numbers, shown["question"]) == (None, "")
    assert shown["amber"].startswith("A text can be guessed")


def test_a_list_of_prizes_is_read_while_it_is_typed():
    """The form shows how many of which, what stands there twice, and what cannot be read."""
    assert page.preparation("3 Bicycle\n\nCar <b>") == {
        "rows": [["3", "Bicycle", "bicycle"], ["1", "Car <b>", "car_b_"]],
        "twice": "",
    }
    assert page.preparation("2 Mug\n1 Car\n1 mug\n1 Ｃar")["twice"] == (
        "More than once in the list: Mug, Car, mug, Ｃar. Is this meant?"
    )
    with pytest.raises(LotteryError, match='line 2: "0 Car" is not a prize'):
        page.preparation("1 Mug\n0 Car")
    with pytest.raises(LotteryError, match="prizes: there are none yet"):
        page.preparation(" ")


@pytest.mark.parametrize(
    ("step", "mug", "not_mailed", "status"),
    [
        ("ready", MUG, "", "not drawn yet"),
        ("drawing", MUG, "", "drawing"),
        ("drawing", replace(MUG, winners=(ANN,)), "", "drawing"),
        ("roll call", replace(MUG, winners=(ANN, BOB)), "", "roll call"),
        ("ready", replace(MUG, winners=(ANN,)), "", "drawn, not complete"),
        ("ready", replace(MUG, winners=(ANN, BOB), done=True), "", "complete"),
        ("ready", replace(MUG, winners=(ANN, BOB), done=True), "No topic", "complete, not mailed"),
    ],
)
def test_how_far_a_prize_is(step, mug, not_mailed, status):
    """The table says of each prize what has become of it. Only the latest one can lack its mail."""
    first, second = page.prize_rows(EveningState(step, 1, [mug, CAR]), not_mailed, ())["rows"]
    assert (first["number"], first["prize"], first["status"]) == (1, "2 × Mug", status)
    assert first["winners"] == [one.name for one in mug.winners]
    assert second["status"] == "not drawn yet"
    if mug.done:
        later = page.prize_rows(EveningState(step, 2, [mug, replace(CAR, done=True)]), not_mailed, ())["rows"]
        assert later[0]["status"] == "complete"


def test_who_has_won_what():
    """Absent people, many winners, which fold to their number, and who was withdrawn."""
    assert page.prize_rows(EveningState("new"), "", ()) == {"rows": [], "withdrawn": ""}
    mug = replace(MUG, winners=(ANN,), absent=(BOB,))
    found = page.prize_rows(EveningState("ready", 1, [mug], withdrawn=[BOB, CHEN]), "", {"bob"})
    assert found["rows"][0]["absent"] == ["Bob (2)"]
    assert found["withdrawn"] == "Withdrawn: Bob (2), 陈静 (3)"
    for many, count in ((12, ""), (13, "13 people")):
        (row,) = page.prize_rows(EveningState("ready", 1, [replace(MUG, winners=(ANN,) * many)]), "", ())[
            "rows"
        ]
        assert (len(row["winners"]), row["count"]) == (many, count)


def test_files_for_guests():
    """Before the end nobody gets the winners or the receipts: they are not all there."""
    before, after = ([name for _, name in page.links(closed=closed)] for closed in (False, True))
    assert before == ["announcement.html", "proofs.html"]
    assert {*after} - {*before} == {
        *("winners.xlsx", "winners.csv", "winners.txt", "receipts.json", "check.html"),
    }
    assert [code for _, code in page.spoken()] == [*page.LANGUAGES]


@pytest.mark.parametrize("role", ["stage", "operator"])
def test_a_page_is_one_file(role):
    """Its values stand in their places, escaped, and its one script has the nonce of the policy."""
    found = page.filled(role, key="0a", base='/"<b>/', start="1c", nonce="abc")
    assert '<body data-key="0a" data-base="/&quot;&lt;b&gt;/" data-start="1c">' in found
    assert found.count('<script nonce="abc">') == found.count("<script") == found.count("</script") == 1
    assert not re.search(r"(src|href)=\"(?!data:)", found), "it loads nothing"
    assert "'nonce-abc'" in page.POLICY.format(nonce="abc")
    other = page.filled(role, key="1b", base="/", start="", nonce="def")
    assert 'data-key="1b"' in other, "the page before has left no value"
    assert '<script nonce="def">' in other


def test_the_stage_has_nothing_of_the_operator():
    """The audience's page has no word and no style of the other one."""
    stage, operator = page.html("stage"), page.html("operator")
    assert (stage.count("\nlink("), operator.count("\nlink(")) == (1, 1)
    assert 'link("stage", ' in stage
    assert 'link("operator", ' in operator
    assert len(stage) < len(operator)
    for name in ("operator.js", "operator.css"):
        text = (page._HERE / name).read_text(encoding="utf-8")
        assert text in operator
        assert text not in stage
