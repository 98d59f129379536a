"""The instructor's board in a real browser: phone and wall, light and dark, English and Chinese."""

import pytest
from browser.conftest import script, violations
from class_room import fill, running
from playwright.sync_api import expect

from lottery_course import page as words_of_page

pytestmark = pytest.mark.browser
WALL, LAPTOP, PHONE = (1920, 1080), (1280, 800), (390, 844)
WIDE = script("cut_off_without_a_tip")


@pytest.fixture(scope="module")
def board():
    """A class of thirty after an hour."""
    with running(save=lambda board: None) as board:
        fill(board)
        yield board


@pytest.fixture
def opened(chromium, board):
    """`opened(size, scheme)`: the page in a window of its own, without an error."""
    contexts, errors = [], []

    def open_page(size=WALL, scheme="light", shows=board, **options):
        width, height = size
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(shows.room.page)
        expect(page.locator("#attendees")).not_to_be_empty()  # the page's policy lets nothing be evaluated
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [each for each in errors if "net::ERR" not in each] == []  # a board has ended


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WALL, LAPTOP, PHONE], ids=["wall", "laptop", "phone"])
def test_it_fits_and_everybody_can_read_it(opened, picture, size, scheme):
    """Nothing is wider than the window, and axe finds no violation, also with a long name."""
    page = opened(size, scheme)
    expect(page.locator("tbody tr")).to_have_count(30)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.evaluate(WIDE) == []
    assert violations(page) == []
    picture(page, f"class_{size[0]}_{scheme}")


def test_thirty_attendees_fit_on_the_wall(opened):
    """On 1920x1080, everybody of a class of thirty is seen without scrolling."""
    page = opened()
    last = page.locator("tbody tr").last.bounding_box()
    assert last["y"] + last["height"] <= 1080


@pytest.mark.parametrize("size", [WALL, (1600, 900), LAPTOP, (1160, 800)], ids=str)
def test_the_whole_course_fits(opened, size):
    """In the evening, when each lesson is begun, everything is still inside the window."""
    with running() as board:
        for lesson, (_title, checks) in board.room.board.lessons.items():
            for check in checks:
                board.send(1, nickname="M" * 40, lesson=lesson, check=check, done=False, tries=3)
        page = opened(size, shows=board)
        expect(page.locator("tbody .why")).to_contain_text("3 times not yet right")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert page.locator("thead .idle").count() == 0


def test_lessons_that_nobody_has_begun_are_narrow(opened):
    """They show no checks, and leave their place to the others, until somebody begins them."""
    with running() as board:
        board.send(1, lesson="01")
        page = opened(shows=board)
        expect(page.locator("tbody .marks:visible")).to_have_count(1)
        board.send(1, lesson="01", check="verify")
        board.send(2, lesson="02")
        expect(page.locator("tbody .marks:visible")).to_have_count(4)


def test_a_phone_shows_where_somebody_is(opened):
    """On a phone, a line is a name, a reason, and the checks of the lesson where that person is."""
    page = opened(PHONE)
    first = page.locator("tbody tr").first
    assert first.locator("td.lesson:visible").count() == 1
    assert page.locator("tbody tr").nth(3).bounding_box()["y"] < 844 - 100
    assert page.locator("main").bounding_box()["y"] < page.locator("header").bounding_box()["y"]


def test_who_needs_the_instructor_comes_first(opened):
    """The first lines say why in words. The tiles count them, and the tab counts who asks for help."""
    page = opened()
    why = page.locator("tbody .why").all_inner_texts()
    words = ["Asks for help"] * 2 + ["times not yet right"] * 2 + ["Nothing new for 2"] * 2
    assert [word in each for word, each in zip(words, why, strict=False)] == [True] * 6, why[:7]
    assert not any(word in each for word in words for each in why[6:])
    assert page.locator(".tiles b[data-kind]").all_inner_texts() == ["2", "2", "2"]
    assert page.title() == "(2) Class"


def test_a_name_that_is_html(opened):
    """HTML in a nickname is a text on the page."""
    page = opened()
    expect(page.get_by_text("<b>Eve</b>")).to_have_count(1)
    assert page.locator("tbody b").count() == 0


def test_changes_appear(opened):
    """Whoever asks for help moves up at once, and a screen reader hears it; who leaves is gone."""
    with running() as board:
        page = opened(shows=board)
        expect(page.get_by_text("Nobody has joined yet.")).to_be_visible()
        expect(page.locator("#command")).to_have_text(board.room.command)
        for one, name in ((1, "Ann"), (2, "Bob")):
            board.send(one, nickname=name, lesson="00", check="exercise 1")
        expect(page.locator("tbody th")).to_have_text(["Ann", "Bob"])
        board.send(2, nickname="Bob", lesson="00", check="help", help=True)
        expect(page.locator("tbody th")).to_have_text(["Bob", "Ann"])
        expect(page.locator("#said")).to_have_text("Bob: Asks for help")
        expect(page.locator("#words")).to_have_text("have done lesson 00")
        cell = page.locator("tbody tr", has_text="Ann").locator("td.lesson").first
        expect(cell).to_contain_text("1 of 2 done")
        expect(cell).to_have_attribute("title", "exercise 1: done\nexercise 2: open")
        board.send(2, check="left")
        expect(page.locator("tbody th")).to_have_text(["Ann"])
        page.focus("#copy")
        page.keyboard.press("Enter")
        expect(page.locator("#copy")).to_have_text("Copied")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "board"


def test_the_connection_is_lost(opened):
    """A page whose board has ended says so."""
    with running() as board:
        page = opened(shows=board)
        expect(page.locator("#connection")).to_be_hidden()
    expect(page.locator("#connection")).to_be_visible()


def test_the_page_in_chinese(opened, monkeypatch, picture):
    """Chinese words, the longest names of them, fit on a phone and on the wall."""
    chinese = dict.fromkeys(words_of_page._WORDS, "中文字词") | {
        "tried": "试了 {count} 次",
        "some": "{done}/{count}",
    }
    monkeypatch.setattr(words_of_page, "_WORDS", chinese)
    monkeypatch.setattr(words_of_page, "language", lambda: "zh")
    for size in (WALL, PHONE):
        page = opened(size)
        expect(page.locator("tbody tr")).to_have_count(30)
        assert page.locator("html").get_attribute("lang") == "zh-CN"
        assert page.evaluate(WIDE) == []
        picture(page, f"class_zh_{size[0]}")


def test_saving_on_the_page(opened):
    """The button *Save now* saves, and says so."""
    page = opened()
    page.get_by_role("button", name="Save now").click()
    expect(page.locator("#save")).to_have_text("Saved")
