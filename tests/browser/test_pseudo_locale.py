"""The panel and draw night in a made-up language: each message has accents, and is longer by 40 percent."""

import itertools
import json
import re
from math import ceil

import pytest
from browser.conftest import misfits, script
from browser.test_draw_night import assert_fits
from browser.test_panel import MAY_BE_WIDER, button, chosen
from catalogues import compiled, library
from helpers import source_of
from playwright.sync_api import expect
from started import lottery_night

from lottery_course import inject
from lottery_lib import Stack, connect
from lottery_lib.definition import load
from lottery_lib.employees import Roster
from lottery_lib.resources.contents import empty_winners, load_employees
from lottery_lib.view.theme import ICONS
from states_language import STATE_TYPES, all_states

pytestmark = pytest.mark.browser
ACCENTED = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "åƀçđéƒğĥîĵķľɱñöþɋŕšţûṽŵẋýžÅƁÇĐÉƑĞĤÎĴĶĽṀÑÖÞɊŔŠŢÛṼŴẊÝŽ",
)
NOTEBOOK = """
from pathlib import Path
from lottery_lib import translation

translation.TRANSLATIONS = Path({folder!r})
translation.language.cache_clear()
from lottery_lib import DrawPanel, connect

DrawPanel(connect())
"""


def fails(event, context):
    raise RuntimeError("17")


#: `lottery` with the made-up language.
COMMAND = """
import sys
from pathlib import Path
from lottery_lib import translation

translation.TRANSLATIONS = Path(sys.argv.pop(1))
from lottery_lib.__main__ import main

main()
"""
TEXTS = script("texts_that_people_read")
OUTSIDE = script("texts_outside_of_their_box")


def pseudo(text):
    """A text in the made-up language. Placeholders and code stay."""
    parts = re.split(r"(\{[^}]*\}|`[^`]*`)", text)
    letters = "".join(parts[::2]).strip()
    if not re.search("[A-Za-z]", letters):
        return text
    longer = f" {letters[: ceil(0.4 * len(letters))].strip()}"
    said = "".join(part if n % 2 else part.translate(ACCENTED) for n, part in enumerate(parts))
    before, said, after = re.fullmatch(r"(\s*)(.*?)(\s*)", said, re.DOTALL).groups()
    return f"{before}[{said}{longer.translate(ACCENTED)}]{after}"


@pytest.fixture(scope="module")
def translations(tmp_path_factory):
    """A folder of translations that has the made-up language, xx."""
    folder, catalog = tmp_path_factory.mktemp("translations"), library()
    for message in catalog:
        plural = message.pluralizable
        message.string = tuple(map(pseudo, message.id)) if plural else pseudo(message.id)
    (folder / "xx").mkdir()
    (folder / "xx" / "lottery_lib.mo").write_bytes(compiled(catalog))
    return folder


@pytest.fixture
def panel(page, translations, show_cell):
    """The draw panel in the made-up language, in a window of 1280 pixels."""
    target = connect()
    Stack(target).deploy()
    empty_winners(target)
    page.set_viewport_size({"width": 1280, "height": 800})
    show_cell(page, NOTEBOOK.format(folder=str(translations)), LOTTERY_LANG="xx")
    yield page.locator(".lottery-panel")
    Stack(target).deploy()  # the right function again


def english(panel):
    """What is left of English: texts that have a word which is no state's name and no word of AWS."""
    states = [name for each in ("tutorial", "hardened") for name in dict(all_states(json.loads(load(each))))]
    broken = [name.rsplit(" ", 1) for name in states if len(name) > 26]  # the timeline has two lines for it
    names = sorted([*states, *itertools.chain(*broken)], key=len, reverse=True)
    words = [
        *map(re.escape, [*names, *STATE_TYPES, *ICONS]),
        "[A-Z]{4,}",
        "UTC",
        "English",
        "xx",
        r"\w+Error",
    ]
    words += [
        r"\bLottery\b",
        r"\bms\b",
        r"\$\.\S+",
        r"https?://\S+",
        r"arn:aws:\S+",
        r"draw-\S+",
        r"/\S+\.json",
        r"\b[0-9a-f]{4}\b",  # of a code
    ]
    known = re.compile("|".join(words))
    return [text for text in panel.evaluate(TEXTS) if re.search("[A-Za-z]{2,}", known.sub("", text))]


def assert_translated_and_whole(panel):
    """No English is left, and no text is cut or wider than its box."""
    assert english(panel) == []
    # A drawing that is too wide for small letters has a scroll bar.
    assert [each for each in misfits(panel, but=MAY_BE_WIDER) if "DIV stage" not in each] == []
    assert panel.evaluate(OUTSIDE) == []


@pytest.mark.long("a JupyterLab of its own")
def test_a_draw(panel, picture):
    """Before, during and after a draw, also one that fails, each word is translated and has room."""
    page, draw = panel.page, button(panel, pseudo("Draw"))
    expect(draw).to_be_enabled()
    assert_translated_and_whole(panel)
    field = panel.get_by_role("textbox")
    for wrong in ("", "1.5", "99", "3"):
        field.fill(wrong)
        field.press("Tab")
        expect(panel.locator("[role=status], [role=alert]")).to_contain_text(wrong)
        assert_translated_and_whole(panel)
    draw.click()
    expect(panel.locator("ol li")).to_have_count(3)
    expect(draw).to_be_enabled()
    assert_translated_and_whole(panel)
    picture(page, "pseudo_drawn")
    for name in ("Validate Winners", "Notify Winners", "Failed"):
        chosen(panel, name).click()
        expect(panel.locator("h4")).to_contain_text(name)
        assert_translated_and_whole(panel)
        picture(page, f"pseudo_{name.split()[0].lower()}")
    inject(connect(), "RandomSelectWinners", source_of(fails))
    draw.click()
    expect(panel.get_by_role("alert")).to_contain_text("RuntimeError")
    expect(draw).to_be_enabled()
    expect(panel.locator("h4")).to_contain_text("Random Select Winners")
    assert_translated_and_whole(panel)
    picture(panel.page, "pseudo_failed")


@pytest.mark.long
def test_an_evening(page, translations, picture, tmp_path):
    """So it is on the operator's page, with the stage in small, from the announcement to the end.

    It is long because it needs another server. In the short run, `test_translation.py` finds each
    sentence that is no message, and `test_draw_night.py` has the same page in English.
    """
    target = connect(edition="hardened", attendee="pseudo")
    Stack(target).deploy()
    guests = [{"employee_id": f"{n}", "employee_name": f"来宾 {n}"} for n in range(9)]
    load_employees(target, Roster(guests))
    (tmp_path / "pseudo.py").write_text(COMMAND)
    program = (str(tmp_path / "pseudo.py"), str(translations))
    spoken = {"LOTTERY_LANG": "xx", "LOTTERY_ATTENDEE": "pseudo"}
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(reduced_motion="reduce")
    page.add_init_script(f"({script('let_time_leap')})()")
    with lottery_night(tmp_path, None, "--name", "17", program=program, **spoken) as server:
        page.goto(server.address)
        go_through_an_evening(page, picture)


def go_through_an_evening(page, picture):
    night, main = page.locator("#page"), page.locator(".step > button.main:visible")
    expect(page).to_have_title(pseudo("Lottery night"))
    page.locator("textarea").fill("2 杯子")
    for step, words in enumerate(
        ("Announce", "Ask the room", "Give the public value", "Yes, the room has said {value}", "Go on",
         "Draw {count} winners", "Show the winners", "1 absent: draw this place again", "Show the winners",
         "Everybody is here", "Go on")
    ):  # fmt: skip
        if words.startswith("1 absent"):
            night.get_by_role("checkbox").first.check()
        expect(main).to_have_text(pseudo(words).format(count=2, value="3 14 15 65 92"))
        expect(main).to_be_enabled()
        assert_fits(page)
        assert english(night) == []
        picture(page, f"pseudo_night_{step}")
        if words == "Give the public value":
            night.locator(".large").fill("3 14 15 92 65")
        page.evaluate("pass_time()")  # of two presses that are close, one counts
        main.click()
        if words == "Announce":
            expect(night.locator(".card .yes")).to_have_text(pseudo("Yes, announce it"))
            assert_fits(page)
            assert english(night) == []
            night.locator(".card .yes").click()
    expect(night.get_by_text(pseudo("All prizes are drawn"))).to_be_visible()
    for words in ("End the evening", "Yes, end it"):
        button(night, pseudo(words)).click()
    expect(night.get_by_text(pseudo("The evening is over"))).to_be_visible()
    assert english(night) == []
    picture(page, "pseudo_night_over")
