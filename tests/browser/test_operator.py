"""The operator's page, with a real server and a night that shows what a test wants."""

import json

import pytest
from browser.conftest import PATIENCE
from helpers import wait_until
from night_server import SHOWN, serving
from playwright.sync_api import expect

from lottery_lib.errors import LotteryError
from lottery_party import page

pytestmark = pytest.mark.browser
DRAFT = {
    **{"prizes": "2 Mug", "rule": "may win later", "kind": "numbers"},
    **{"count": "3", "least": "1", "most": "20", "question": "", "turn": 0},
}


@pytest.fixture
def operator(monkeypatch, own_home, chromium):
    """The operator's page before an announcement, and its night."""
    window = chromium.new_context()
    window.set_default_timeout(PATIENCE)
    opened = window.new_page()
    with serving(monkeypatch) as served:
        answers = {
            "prizes": lambda: page.preparation("2 Mug"),
            "question": lambda: {"question": "", "amber": ""},
        }
        served.night.answers = answers
        step = {**SHOWN["step"], "form": "announce", "button": "Announce", "files": True}
        served.night.show(
            step=step, draft=json.dumps(DRAFT), themes=page.THEMES, theme="red", head={"left": "9"}
        )
        opened.goto(served.address)
        yield opened, served.night
    window.close()


def test_what_was_written_comes_again(operator):
    """After a reload the form is as it was. An older draft does not replace what somebody writes here."""
    here, night = operator
    prizes, red = here.locator("textarea"), here.get_by_label("Red and gold")
    expect(prizes).to_have_value("2 Mug")
    expect(here.get_by_label("How many")).to_have_value("3")
    expect(here.get_by_label("They may win a later prize")).to_be_checked()
    expect(here.locator(".read table").first).to_contain_text("Mug")
    expect(red).to_be_checked()
    here.get_by_label("Night blue and gold").check()  # is no part of it
    night.show(draft=json.dumps(DRAFT | {"prizes": "4 Cup", "turn": 1}), theme="")
    expect(prizes).to_have_value("4 Cup")
    expect(here.get_by_label("Night blue and gold")).to_be_checked()
    prizes.fill("1 Car")
    here.get_by_label("They are out").check()
    wanted = DRAFT | {"prizes": "1 Car", "rule": "out"}

    def drafts():
        return [json.loads(said["text"]) for said, _ in night.said if said["do"] == "draft"]

    wait_until(lambda: wanted in [{**draft, "turn": 0} for draft in drafts()])
    ours = drafts()[-1]["turn"]
    night.show(draft=json.dumps(DRAFT | {"turn": ours - 1}), theme="red")
    expect(red).to_be_checked()
    expect(prizes).to_have_value("1 Car")
    # Another page writes on, and the server tells both changes in one piece of news
    night.show(draft=json.dumps(DRAFT | {"prizes": "5 Pen", "turn": ours + 1}))
    expect(prizes).to_have_value("5 Pen")
    prizes.fill("1 Car")
    here.get_by_label("They are out").check()
    here.get_by_role("button", name="Announce").click()
    del wanted["turn"]
    wait_until(lambda: ({"do": "announce", **wanted}, None) in night.said)


def test_why_there_is_no_answer(operator):
    """A question that fails is told in a sentence, until the next one has an answer."""
    here, night = operator

    def refused():
        raise LotteryError("winners", "are gone", "Look again")

    night.answers |= {"who": refused, "file": refused}
    night.show(files=[["Proofs", "proofs.html"]])
    alert, read = here.get_by_role("alert"), here.locator(".read").first
    here.get_by_role("button", name="Who can still win?").click()
    expect(alert).to_have_text("winners: are gone. Look again.")
    night.answers["prizes"] = lambda: page.preparation("2 Cup")
    here.locator("textarea").fill("2 Cup")  # its answer has a place of its own
    expect(read).to_contain_text("Cup")
    expect(alert).to_have_text("winners: are gone. Look again.")
    night.answers["prizes"] = refused
    for name in ("Who can still win?", "Proofs"):
        here.get_by_role("button", name=name).click()
        expect(alert).to_have_text("winners: are gone. Look again.")
        night.answers["who"] = lambda: "Ada"
        here.get_by_role("button", name="Who can still win?").click()
        expect(here.get_by_text("Ada")).to_be_visible()
        expect(alert).to_be_empty()
        here.get_by_role("button", name="Who can still win?").click()
        expect(here.get_by_text("Ada")).to_be_hidden()
    here.locator("textarea").fill("nonsense")
    expect(read).to_have_text("winners: are gone. Look again.")
    expect(alert).to_be_empty()


def test_nothing_is_offered_before_a_look(operator):
    """If the evening could not be read yet, no form and no button is there, and what was typed stays."""
    here, night = operator
    expect(here.locator("textarea")).to_be_visible()
    night.show(step={}, problem="The emulator does not answer.")
    expect(here.get_by_role("alert")).to_have_text("The emulator does not answer.")
    expect(here.locator("textarea")).to_be_hidden()
    for button in here.locator(".step button").all():
        expect(button).to_be_hidden()


def test_the_small_stage_is_that_of_a_large_screen(operator):
    """In a small window, too, the operator sees the pages that the room sees on 1920 x 1080."""
    here, night = operator
    winners = [{"name": f"Ada Lovelace {number}", "note": "Sales", "status": ""} for number in range(300)]
    night.show(scene={"kind": "winners", "prize": "Mug", "winners": winners}, moment=["winners", 1])
    with here.context.expect_page() as opened:
        here.get_by_role("link", name="Open the stage").click()
    stage = opened.value
    stage.set_viewport_size({"width": 1920, "height": 1080})
    expect(stage.locator(".page")).to_have_text(here.locator(".preview .page").inner_text())
    small, column = here.locator(".preview").bounding_box(), here.locator(".prizes").bounding_box()
    assert small["width"] <= column["width"]
    painted = here.locator(".preview > div").bounding_box()
    assert painted == pytest.approx(small, abs=1)
