"""The two pages of draw night: the operator's, and the stage. One process serves them."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import pytest
from browser.conftest import PATIENCE, misfits, script
from helpers import wait_until
from playwright.sync_api import expect
from started import lottery_night

from lottery_lib import Stack, connect, execution, inbox, winners
from lottery_lib.draws import machine_arn
from lottery_lib.employees import Roster
from lottery_lib.local_emulator import emulator
from lottery_lib.names import KIT
from lottery_lib.resources.contents import load_employees
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.translation import translated
from lottery_party import verify_draw
from lottery_party.evening import Evening
from lottery_party.records import receipts

pytestmark = pytest.mark.browser
FIRST = ["Ada", "李娜", "Grace", "王伟", "Linus"]
LAST = ["Hopper", "Liskov", "Perlman", "Lamarr", "Bartik", "Allen", "Keller", "Easley"]
NAMES = [f"{first} {last}" for first in FIRST for last in LAST]
NAMES[3], NAMES[17] = "欧阳娜娜" * 4, "Ann-Katrin von Hohenstein-Sonnenberg-Zweibrücken"
ATTENDEE = "night"  # a lottery of its own: the lessons' winners share their table with both editions
ROSTER = "工号,姓名,部门\n" + "".join(f"{n:03},{name},Sales\n" for n, name in enumerate(NAMES))
#: What has to fit on both pages, and what is larger than its place on purpose.
FITS = "section, section *, .bar *, .foot, .card, .card *, .lottery-stage .name"
MAY_BE_WIDER = ".preview, .drawn, svg, textarea, input"


@pytest.fixture
def party():
    """A new hardened lottery with mail, in which nobody has won."""
    target = connect(edition="hardened", attendee=ATTENDEE)
    Stack(target).teardown()
    Stack(target).deploy("ann@example.com")
    inbox(target).confirm("ann@example.com")
    inbox(target).clear()
    load_employees(
        target, Roster([{"employee_id": f"{n:03}", "employee_name": f"Guest {n}"} for n in range(20)])
    )
    return target


def assert_fits(page):
    """Nothing is cut off, and the page is not wider than its window. It may still be laid out."""
    found = []

    def fits():
        found[:] = misfits(page.locator("html"), FITS, MAY_BE_WIDER)
        return not found

    with suppress(AssertionError):
        wait_until(fits)
    assert found == []


class Night:
    """The operator's page and the stage in one browser."""

    def __init__(self, browser, server, size, picture):
        viewport = dict(zip(("width", "height"), size, strict=True))
        # Names that roll take most of this machine's time, and `test_stage.py` lets them roll.
        # The pages' own policy lets no test evaluate anything.
        self.context = browser.new_context(viewport=viewport, reduced_motion="reduce", bypass_csp=True)
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(f"({script('let_time_leap')})()")
        self.operator = self.context.new_page()
        self.server, self.picture = server, picture
        self.button = self.operator.locator(".step > button.main:visible")
        self.problem = self.operator.get_by_role("alert")
        self.card = self.operator.locator(".card")
        self.fields = {
            "prizes": self.operator.get_by_placeholder("10 Voucher"),
            "value": self.operator.get_by_placeholder("As the room has said it").and_(
                self.operator.locator(".large")
            ),
            "surprise": self.operator.get_by_placeholder("1 Weekend in Paris"),
        }

    def open(self):
        """Open the operator's page with the token."""
        self.operator.goto(self.server.address)
        return self

    def open_stage(self):
        with self.operator.expect_popup() as opened:
            self.operator.get_by_role("link", name="Open the stage").click()
        self.stage = opened.value

    def offers(self, words):
        expect(self.button).to_have_text(words)
        expect(self.button).to_be_enabled()

    def shows(self, kind, *words):
        """The stage shows a scene with these words."""
        shown = self.stage.locator(f'.lottery-stage[data-kind="{kind}"]')
        expect(shown).to_be_visible()
        for each in words:
            expect(shown).to_contain_text(each)
        self.fits()

    def fits(self):
        """Nothing is cut off, and no page is wider than its window."""
        for page in (self.operator, self.stage):
            assert_fits(page)

    def announce(self):
        """Press Announce, and say yes."""
        self.button.click()
        self.say_yes("Yes, announce it")

    def say_yes(self, words):
        expect(self.card.locator(".yes")).to_have_text(words)
        self.card.locator(".yes").click()
        expect(self.card).to_be_hidden()

    def give(self, value, shown):
        """Type the public value, and press Enter twice: at first, the button asks whether it is right."""
        self.offers("Give the public value")
        self.fields["value"].fill(value)
        self.fields["value"].press("Enter")
        self.offers(f"Yes, the room has said {shown}")
        self.fields["value"].press("Enter")
        self.offers("Go on")

    def press(self, key="Space"):
        self.stage.evaluate("pass_time()")  # of two presses that are close, one counts
        self.stage.keyboard.press(key)


@pytest.fixture
def night(chromium, picture, tmp_path):
    """`night("name", size)`: the operator's page of an evening."""
    with ExitStack() as stack:

        def begin(name, size=(1280, 800), *words):
            running = stack.enter_context(
                lottery_night(tmp_path, None, "--name", name, *words, LOTTERY_ATTENDEE=ATTENDEE)
            )
            here = Night(chromium, running, size, picture).open()
            stack.callback(here.context.close)
            here.start_again = lambda: stack.enter_context(
                lottery_night(tmp_path, running.port, "--name", name, LOTTERY_ATTENDEE=ATTENDEE)
            )
            return here

        yield begin


def drawn_names(target, prize):
    rows = winners(target)
    return set(rows[(rows["prize"] == prize) & (rows.get("status", "") != "absent")]["employee_name"])


def executions(target):
    return len(execution.of_machine(target, machine_arn(target)))


@pytest.mark.long("a whole evening")
def test_whole_evening(party, night):
    """From the list of guests to the exports: with an absent winner, a surprise, and a server that ends."""
    here = night("whole")
    prepare(here)
    open_the_evening(here)
    first_prize(here, party)
    surprise(here, party)
    last_prize(here, party)
    end(here, party)


def choose(here, content):
    """Choose a list of guests."""
    with here.operator.expect_file_chooser() as chooser:
        here.operator.get_by_role("button", name="List of guests").click()
    chooser.value.set_files([{"name": "guests.csv", "mimeType": "text/csv", "buffer": content}])


@pytest.mark.long("lists of 12 and of 20 MB")
def test_a_large_list(party, chromium, picture, monkeypatch, tmp_path):
    """The page takes a list of 12 MB. Of one above 20 MB it says so, and does not lose its connection."""
    monkeypatch.setenv("LOTTERY_ATTENDEE", ATTENDEE)
    with lottery_night(tmp_path) as server:
        here = Night(chromium, server, (1280, 800), picture).open()
        here.offers("Announce")
        choose(here, ROSTER.encode().ljust(20_000_001))
        expect(here.operator.get_by_text("guests.csv: is too large: it has more than 20 MB.")).to_be_visible()
        here.picture(here.operator, "draw_night_large")
        rows = [f"{n},Guest {n},{'x' * 120_000}" for n in range(100)]
        choose(here, "\n".join(["id,name,note", *rows]).encode())
        expect(here.operator.get_by_text("guests.csv: 100 people")).to_be_visible()
        here.context.close()


def prepare(here):
    """Load a list with a bad row, and write prizes, first as one line."""
    here.offers("Announce")
    choose(here, f"{ROSTER}041,,\n".encode())
    expect(here.operator.get_by_text("guests.csv: 40 people")).to_be_visible()
    expect(here.operator.get_by_role("row", name="001 Ada Liskov Sales")).to_be_visible()
    expect(here.operator.get_by_text("Row 42: 姓名 of 041 is empty.")).to_be_visible()
    here.fields["prizes"].fill("1 Mug")
    here.button.click()
    expect(here.problem).to_contain_text("was chosen, but is not loaded yet")
    load = here.operator.get_by_role("button", name="Load this list")
    expect(load).to_be_hidden()
    choose(here, f"{ROSTER}041,,\n".encode())
    load.click()
    expect(here.operator.get_by_text("40 can still win")).to_be_visible()
    here.fields["prizes"].fill("3 Mug, 2 Pen")
    expect(here.operator.get_by_text("may be several prizes")).to_be_visible()
    here.fields["prizes"].fill("14 Mug\n1 <b>自行车</b>")
    expect(here.operator.get_by_role("cell", name="<b>自行车</b>")).to_be_visible()
    title = here.operator.get_by_placeholder("Title of the evening")
    title.fill("Summer party")
    title.press("Tab")
    here.open_stage()
    here.shows("", "Summer party")
    here.button.click()
    asked = here.card
    for words in ("40 people", "14 × Mug", "1 × <b>自行车</b>", "Winners in all: 15", "Summer party"):
        expect(asked).to_contain_text(words)
    here.picture(here.operator, "draw_night_question")
    asked.get_by_role("button", name="No", exact=True).click()
    expect(asked).to_be_hidden()
    here.announce()


def open_the_evening(here):
    """The room photographs the announcement, and gives the public value."""
    here.offers("Ask the room")
    here.shows("opening", "40 people can win", "14 ×", "自行车")
    withdraw(here, "039")
    expect(here.stage.get_by_role("img", name="QR code")).to_be_visible()
    here.press()
    here.offers("Give the public value")
    here.shows("public", "numbers from 1 to 99")
    here.fields["value"].press("Enter")
    expect(here.problem).to_contain_text("public value: ")
    here.fields["value"].fill("3, 14 15 92")
    expect(here.problem).to_be_empty()
    expect(here.stage.locator(".value")).to_have_attribute("aria-label", "3 14 15 92")
    here.fields["value"].press("Enter")
    expect(here.problem).to_contain_text("public value: ")
    here.fields["value"].fill("3，14 １５ 92 65")
    here.fields["value"].press("Enter")
    here.offers("Yes, the room has said 3 14 15 65 92")
    here.picture(here.operator, "draw_night_value")
    here.fields["value"].fill("3 14 15 92 66")
    here.give("3 14 15 92 65", "3 14 15 65 92")
    here.shows("public", "seconds after the question")
    expect(here.stage.locator(".value")).to_have_attribute("aria-label", "3 14 15 65 92")
    here.picture(here.stage, "draw_night_public")
    here.press("Enter")
    here.shows("ready", "Mug", "1 of 2")


def withdraw(here, one):
    """Somebody does not take part: found by department and name, and the page asks before it is done."""
    field = here.operator.get_by_placeholder("Withdraw somebody")
    field.fill("390")
    expect(here.operator.get_by_text("Nobody who can win is called so.")).to_be_visible()
    field.fill("sales")
    expect(here.operator.get_by_text("And 34 more")).to_be_visible()
    field.fill(one)
    here.operator.get_by_role("button", name=f"Withdraw {NAMES[int(one)]} ({one}, Sales)").click()
    here.picture(here.operator, "draw_night_withdraw")
    here.say_yes(f"Yes, withdraw {NAMES[int(one)]} ({one})")
    expect(here.operator.get_by_text(f"Withdrawn: {NAMES[int(one)]} ({one})")).to_be_visible()
    expect(here.operator.get_by_text("39 can still win")).to_be_visible()


def first_prize(here, party):
    """The server ends while names roll: both pages find the next one. One winner is absent."""
    here.press()
    here.offers("Show the winners")
    os.killpg(here.server.processes()[0].pid, signal.SIGKILL)
    for page in (here.operator, here.stage):
        expect(page.locator(".lottery-lost")).to_be_visible()
    here.start_again()
    for page in (here.operator, here.stage):
        expect(page.locator(".lottery-lost")).to_be_hidden()
    here.offers("Show the winners")
    here.shows("rolling", "Mug")
    here.press("PageDown")
    here.offers("Everybody is here")
    here.shows("winners", "Mug", *drawn_names(party, "Mug"))
    assert inbox(party).notifications == []
    first = here.operator.locator(".roll li").first
    gone = first.locator("span").inner_text()
    here.operator.get_by_role("searchbox", name="Search a name").fill(gone)
    first.get_by_role("checkbox").check()
    here.button.click()
    here.offers("Show the winners")
    here.shows("rolling", "Mug")
    here.picture(here.operator, "draw_night_again")
    here.press()
    here.offers("Everybody is here")
    expect(here.stage.locator(".new .name")).to_have_count(1)
    new = here.stage.locator(".new .name").inner_text()
    expect(first.locator("span")).to_have_text(new)
    expect(first.locator("em")).to_have_text("new")
    for page in (here.operator, here.stage):
        page.set_viewport_size({"width": 1920, "height": 1080})
        here.fits()
        page.set_viewport_size({"width": 1280, "height": 800})
    here.operator.set_viewport_size({"width": 800, "height": 700})  # a tablet: what is below can be reached
    here.operator.mouse.wheel(0, 5000)
    here.operator.wait_for_function("scrollY > 100")
    here.operator.set_viewport_size({"width": 1280, "height": 800})
    here.operator.get_by_role("button", name="Show it").click()
    expect(here.operator.locator(".drawn .state.chosen")).to_be_in_viewport()
    here.picture(here.operator, "draw_night_machine")
    here.operator.get_by_role("button", name="Hide it").click()
    here.shows("winners", "Mug", *drawn_names(party, "Mug"))
    here.button.click()
    here.offers("Go on")
    expect(here.stage.locator(".absent")).to_have_count(0)
    assert inbox(party).notifications != []


def surprise(here, party):
    """A prize that nobody had announced is drawn in between."""
    here.fields["surprise"].fill("1 Trip to 北京")
    here.operator.get_by_role("button", name="Show the surprise prize").click()
    here.shows("ready", "Trip to 北京", "Surprise")
    here.press()
    here.offers("Show the winners")
    here.shows("rolling", "Trip to 北京")
    here.press()
    here.offers("Everybody is here")
    here.shows("winners", "Trip to 北京", *drawn_names(party, "Trip to 北京"))
    rows = Table(party, party.names.winners_table)
    rows.put([{"employee_id": "999", "draw_id": "whole", "prize": "Mug"}])
    here.button.click()
    here.offers("Go on")
    expect(here.operator.get_by_text("Winners without a receipt: 999")).to_be_visible()
    rows.remove(["999"])
    here.button.click()


def last_prize(here, party):
    """The operator draws the last one with the button alone."""
    for words in ("Draw 1 winner", "Show the winners", "Everybody is here", "Go on"):
        here.offers(words)
        if words == "Draw 1 winner":
            here.shows("ready", "<b>自行车</b>")
        here.button.click()
    expect(here.operator.get_by_text("All prizes are drawn")).to_be_visible()


def end(here, party):
    """All winners are shown and saved, the receipts are true, and both pages fit a small window, too."""
    here.operator.get_by_role("button", name="End the evening").click()
    here.say_yes("Yes, end it")
    expect(here.operator.get_by_text("The evening is over")).to_be_visible()
    here.shows("closed", "Mug", "<b>自行车</b>", "Trip to 北京")

    with here.operator.expect_download() as download:
        here.operator.get_by_role("button", name="Winners (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert list(rows[0]) == [
        "employee_id",
        "employee_name",
        "lottery_serial",
        "department",
        "prize",
        "status",
    ]
    prizes = ["Mug", "<b>自行车</b>", "Trip to 北京"]
    assert [row["prize"] for row in rows] == sorted((row["prize"] for row in rows), key=prizes.index)
    assert [row["status"] for row in rows[:16]] == [*[""] * 14, "absent", ""]
    assert {row["employee_id"] for row in rows} == set(winners(party)["employee_id"])
    assert not {"039", "999"} & {row["employee_id"] for row in rows}
    assert "receipt" not in rows[0]
    with here.operator.expect_download() as download:
        here.operator.get_by_role("button", name="Receipts").click()
    found = json.loads(json.dumps(receipts(party, "whole")))
    assert json.loads(download.value.path().read_bytes()) == found
    assert all(verify_draw(receipts(party, "whole")).values())
    for page in (here.operator, here.stage):
        page.set_viewport_size({"width": 1024, "height": 768})
    here.shows("closed", "Mug")


@pytest.mark.long("an evening in two languages")
def test_the_language_is_a_switch(party, night):
    """One press changes the words of both pages, also of one that is opened later."""
    here = night("speaks")
    here.offers("Announce")
    here.open_stage()
    for page in (here.operator, here.stage):
        expect(page.locator("html")).to_have_attribute("lang", "en")
    here.fields["prizes"].fill("2 Mug")
    here.operator.get_by_label("Language").select_option("中文")
    for page in (here.operator, here.stage):
        expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        expect(page.locator(".lottery-lost")).to_be_hidden()
    here.offers(translated("zh", "Announce"))
    expect(here.operator.locator("textarea")).to_have_value("2 Mug")
    here.stage.reload()
    expect(here.stage.locator("html")).to_have_attribute("lang", "zh-CN")
    here.picture(here.operator, "draw_night_chinese")
    here.operator.locator(".bar select").select_option("English")
    here.offers("Announce")
    here.announce()
    here.offers("Ask the room")
    here.press()
    here.offers("Give the public value")
    here.fields["value"].fill("3 14 15")
    here.operator.get_by_label("Language").select_option("中文")
    expect(here.operator.locator("html")).to_have_attribute("lang", "zh-CN")
    value = here.operator.locator(".step input.large:visible")
    expect(value).to_have_value("3 14 15")
    expect(here.stage.locator(".value")).to_have_attribute("aria-label", "3 14 15")


@pytest.mark.long
def test_the_server_ends(party, chromium, picture, tmp_path):
    """Both pages say so in large letters, and come back by themselves when `lottery night` runs again.

    It is long because it starts `lottery night` twice.
    """
    with lottery_night(tmp_path) as night:
        here = Night(chromium, night, (1280, 800), picture).open()
        here.open_stage()
        here.operator.locator("textarea").fill("2 Mug")
        for page in (here.operator, here.stage):
            expect(page.locator(".lottery-stage")).to_be_visible()
            expect(page.get_by_text("One moment, please")).to_be_hidden()
        before = here.stage.url
        os.killpg(night.processes()[0].pid, signal.SIGKILL)
        for page, name in ((here.operator, "lost"), (here.stage, "stage_lost")):
            lost = page.get_by_text("One moment, please")
            expect(lost).to_be_visible()
            assert lost.evaluate("one => parseFloat(getComputedStyle(one).fontSize)") > 30
            picture(page, f"draw_night_{name}")
        expect(here.stage.locator(".lottery-lost")).to_have_text("One moment, please")
    with lottery_night(tmp_path, night.port) as night:
        for page in (here.operator, here.stage):
            expect(page.get_by_text("One moment, please")).to_be_hidden()
            expect(page.locator(".lottery-stage")).to_be_visible()
        expect(here.operator.locator("textarea")).to_have_value("2 Mug")
        assert before != here.stage.url == f"{night.address.partition('?')[0]}stage"
        here.stage.reload()  # it knows its new address, and the cookie of it
        expect(here.stage.locator(".lottery-stage")).to_be_visible()
        here.context.close()


def test_the_small_stage_is_cleared(page):
    """On the operator's page a pixel of the stage is less than one of the screen. No name stays there."""
    code = (KIT / "lottery_party" / "field.js").read_text(encoding="utf-8")
    options = {"x": 500, "y": 300, "across": 450, "down": 280, "least": 30, "family": "serif", "sharp": 0.4}
    options["names"] = [f"Guest {n}" for n in range(40)]
    left = page.evaluate(
        script("ink_before_and_after_a_stop"),
        [code, options],
    )
    assert left == [True, 0]


@pytest.mark.long
def test_two_presses_at_once(party, night, new_page):
    """Two stages in two browsers, on both of which somebody presses a key: one draw, which both show.

    It is long: `test_scenes.py` does the same with two pages that have no browser.
    """
    before = executions(party)
    here = night("twice", size=(1024, 768))
    here.offers("Announce")
    here.fields["prizes"].fill("2 Mug")
    here.announce()
    here.offers("Ask the room")
    here.open_stage()
    here.shows("opening")
    here.press()
    here.give("7 8 9 10 11", "7 8 9 10 11")
    here.button.click()
    here.shows("ready", "Mug")
    with new_page() as other:
        address = urlsplit(here.server.address)
        other.goto(address._replace(path=f"{address.path}stage").geturl())
        expect(other.locator('[data-kind="ready"]')).to_be_visible()
        for page in (here.stage, other):
            page.keyboard.press("Space")
        for page in (here.stage, other):
            expect(page.locator('[data-kind="rolling"]')).to_be_visible()
        here.press()
        here.offers("Everybody is here")
        here.shows("winners", *drawn_names(party, "Mug"))
        expect(other.locator('[data-kind="winners"]')).to_be_visible()
    assert executions(party) == before + 3  # the announcement, the question, and one draw
    assert len(winners(party)) == 2


class HeldMessages:
    """What the server says to a page does not arrive from `begin` until `end`."""

    def __init__(self, page):
        self._holds, self._held = False, []
        page.route_web_socket(lambda _: True, self._connect)

    def _connect(self, socket):
        def pass_on(message):
            self._held.append(message) if self._holds else socket.send(message)

        self._socket, server = socket, socket.connect_to_server()
        server.on_message(pass_on)

    def begin(self):
        self._holds = True

    def end(self):
        self._holds = False
        for message in self._held:
            self._socket.send(message)


@pytest.mark.long
def test_marks_are_shared(party, night):
    """Two windows of the operator and a reload show the same marks, and a press sends what is marked.

    It is long: `test_night_pages.py` does the same without a browser.
    """
    evening = Evening(party, "marks")
    evening.announce([{"name": "Mug", "count": 3}], question="Call five numbers")
    evening.give("3 14 15")
    evening.draw(1)
    party.waiter.until("the winners", lambda: evening.refresh().step == "roll call", seconds=30)
    evening.show("winners", 1)
    here = night("marks")
    here.offers("Everybody is here")
    other = Night(here.context.browser, here.server, (1280, 800), None)
    held = HeldMessages(other.operator)
    other.open()
    first, second = (page.operator.get_by_role("checkbox") for page in (here, other))
    first.nth(0).check()
    first.nth(2).check()
    for page in (here, other):
        page.offers("2 absent: draw these places again")
    expect(second.nth(2)).to_be_checked()
    second.nth(0).uncheck()
    here.offers("1 absent: draw this place again")
    here.operator.reload()
    here.offers("1 absent: draw this place again")
    expect(first.nth(2)).to_be_checked()
    gone, stays = (evening.refresh().prizes[0].winners[at].id for at in (2, 0))
    other.offers("1 absent: draw this place again")
    held.begin()  # the other page has not heard of the next mark when it is pressed
    first.nth(0).check()
    here.offers("2 absent: draw these places again")
    other.button.click()
    expect(here.problem).to_contain_text("has changed who is absent, so nothing was sent")
    held.end()
    other.offers("2 absent: draw these places again")
    second.nth(0).uncheck()
    other.button.click()  # at once: what this window has marked last is sent
    here.offers("Show the winners")
    here.button.click()
    here.offers("Everybody is here")
    (mug,) = evening.refresh().prizes
    assert [each.id for each in mug.absent] == [gone]
    assert stays in [each.id for each in mug.winners]
    other.context.close()


@pytest.mark.long
def test_restored_with_one_click(party, night, tmp_path):
    """The emulator is killed at a roll call. Both pages find a new one, and the file has the evening.

    It is long: `test_night_pages.py` does the same without a browser.
    """
    file = tmp_path / "kept.evening.json"
    half_an_evening(party, file)
    here = night("kept", (1280, 800), "--file", str(file))
    here.open_stage()
    here.shows("ready", "Car")
    here.press()
    here.offers("Show the winners")
    here.shows("rolling", "Car")
    here.press()
    here.offers("Everybody is here")
    here.operator.get_by_role("checkbox").first.check()
    here.offers("1 absent: draw this place again")
    expect(here.operator.get_by_text("Saved in")).to_be_visible()
    party.waiter.until("the mark in the file", lambda: b"absent 0" in file.read_bytes(), seconds=30)
    won = {prize: drawn_names(party, prize) for prize in ("Mug", "Car")}
    os.killpg(emulator("status")["pid"], signal.SIGKILL)

    restore = here.operator.get_by_role("button", name="Restore the evening from its file")
    expect(restore).to_be_visible()
    expect(here.problem).to_contain_text("the evening is only in its file: restore it")
    here.picture(here.operator, "draw_night_killed")
    restore.click()
    here.offers("1 absent: draw this place again")
    expect(restore).to_be_hidden()
    party = connect(edition="hardened", attendee=ATTENDEE)
    assert {prize: drawn_names(party, prize) for prize in won} == won
    here.button.click()
    here.offers("Show the winners")
    here.shows("rolling", "Car")
    here.press()
    here.offers("Everybody is here")
    here.shows("winners", "Car", *drawn_names(party, "Car"))
    here.button.click()
    here.offers("Go on")
    here.press()
    here.shows("ready", "Pen")
    here.press()
    here.offers("Show the winners")
    here.shows("rolling", "Pen")
    here.press()
    here.offers("Everybody is here")
    here.button.click()
    here.offers("Go on")
    export_and_verify(here, party, tmp_path)


def half_an_evening(party, file):
    """An evening with three prizes: the first one is drawn, and one of its winners was absent."""
    evening = Evening(party, "kept", file=file)
    prizes = [{"name": name, "count": 2} for name in ("Mug", "Car", "Pen")]
    evening.announce(prizes, question="Call five numbers")
    evening.give("3 14 15")
    evening.draw(1)
    party.waiter.until("the winners", lambda: evening.refresh().step == "roll call", seconds=30)
    evening.call_roll(1, [evening.refresh().prizes[0].winners[0].id])
    party.waiter.until("the next winner", lambda: len(evening.refresh().prizes[0].winners) == 2, seconds=30)
    party.waiter.until("the roll call", lambda: evening.refresh().step == "roll call", seconds=30)
    evening.call_roll(1, [])
    party.waiter.until("the mail", lambda: evening.refresh().step == "ready", seconds=30)
    evening.show("ready", 2)


def export_and_verify(here, party, folder):
    """End the evening, and save what the page offers: `lottery verify` finds that all is true."""
    here.operator.get_by_role("button", name="End the evening").click()
    here.say_yes("Yes, end it")
    for name, file in (("Winners (CSV)", "winners.csv"), ("Receipts", "receipts.json")):
        with here.operator.expect_download() as download:
            here.operator.get_by_role("button", name=name).click()
        download.value.save_as(folder / file)
    rows = list(csv.DictReader(io.StringIO((folder / "winners.csv").read_text(encoding="utf-8-sig"))))
    assert Counter(row["prize"] for row in rows if not row["status"]) == {"Mug": 2, "Car": 2, "Pen": 2}
    assert Counter(row["prize"] for row in rows if row["status"] == "absent") == {"Mug": 1, "Car": 1}
    assert {row["employee_id"] for row in rows} == set(winners(party)["employee_id"])
    command = [sys.executable, "-m", "lottery_lib", "verify", str(folder)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "WRONG" not in said
    assert said.count("ok: ") > 5
