"""The projector's page: voila shows the notebook `draw_night` alone."""

import csv
import io
import re
import subprocess
import sys

import nbformat
import pytest
from playwright.sync_api import expect

from lottery_lib import Draws, Stack, connect, executions, inject, winners
from lottery_lib.draws import forget_winners
from lottery_lib.employees import read
from lottery_lib.history import published
from lottery_lib.resources.contents import load_employees

pytestmark = pytest.mark.browser
ROSTER = "employee_id,employee_name\n" + "\n".join(
    f"{n:03},{name}"
    for n, name in enumerate(
        ["欧阳娜娜", "Ann-Katrin von Hohenstein-Sonnenberg-Zweibrücken", "李娜" * 40, "Wu" * 60], 1
    )
)

GUESTS = "employee_id,employee_name\n" + "\n".join(
    f"{n:03},{name}"
    for n, name in enumerate(["Ada", "李娜", "Grace", "Linus", "王伟", "Barbara", "Edsger", "Margaret"], 1)
)
SECOND_FAILS = """
def lambda_handler(event, context):
    if event["record"].endswith("#2"):
        raise ValueError("the printer is on fire")
    return original(event, context)
"""
FIRST_IS_RETRIED = """
tried = set()

class WinnerTaken(Exception):
    pass

def lambda_handler(event, context):
    if event["record"].endswith("#1") and event["record"] not in tried:
        tried.add(event["record"])
        raise WinnerTaken("somebody was faster")
    return original(event, context)
"""
PANEL = """
from lottery_lib import DrawPanel, Draws, connect
from lottery_lib.party.prizes import read_prizes

DrawPanel(Draws(connect(edition="hardened")), pace=0.1, read_prizes=read_prizes)
"""
PRIZES = "3 Voucher\n2 自行车\n1 Car"

#: Notes each list of winners and each status line that the page showed.
WATCH = """() => {
  window.seen = [];
  const texts = tag => [...document.querySelectorAll(tag)].map(one => one.innerText);
  const note = () => window.seen.push([texts('h3, .lottery-winners li'), texts('[role=status]')[0],
    document.querySelector('.lottery-graph .stage')?.ariaLabel]);
  new MutationObserver(note).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""

#: What is wider than the widget that shows it, and so cut off by it.
CUT_OFF = """() => [...document.querySelectorAll('.widget-html')]
  .filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)"""


@pytest.fixture
def party(tmp_path):
    """A deployed lottery with a roster of its own, and nobody among the winners."""
    return invited(connect(), ROSTER, tmp_path)


@pytest.fixture
def prize_party(tmp_path):
    """The same in the hardened edition, with guests enough for some prizes."""
    return invited(connect(edition="hardened"), GUESTS, tmp_path)


def invited(target, roster, folder):
    Stack(target).deploy()
    path = folder / "guests.csv"
    path.write_text(roster, encoding="utf-8")
    load_employees(target, read(path))
    forget_winners(target)
    return target


def test_draw_night(party, voila, page):
    """Two are drawn on the projector; the table below has them, and can be saved as CSV."""
    page.goto(voila)
    expect(page.get_by_text("All winners so far: 0")).to_be_visible()
    expect(page.get_by_text("import DrawNight")).to_have_count(0)
    page.get_by_role("textbox", name="Winners").fill("2")
    page.get_by_role("textbox", name="Winners").press("Tab")
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(page.get_by_text("All winners so far: 2")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert [row["employee_id"] for row in rows] == list(winners(party)["employee_id"])
    assert len(rows) == 2


def test_long_and_chinese_names_fit(party, voila_quick, page, picture):
    """Names of any length and script stay within the page."""
    page.goto(voila_quick)
    page.get_by_role("textbox", name="Winners").fill("4")
    page.get_by_role("textbox", name="Winners").press("Tab")
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(page.get_by_text("All winners so far: 4")).to_be_visible()
    expect(page.get_by_text("1 message went out")).to_be_visible()
    picture(page, "names")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate(CUT_OFF) == []


WATCH_PRESS = """button => new MutationObserver(() => { window.handled = !button.disabled; })
  .observe(button, {attributes: true, attributeFilter: ["disabled"]})"""


def ask(page, prizes):
    """Write prizes, as a host does, and go on to the next field."""
    field = page.get_by_role("textbox", name="Prizes")
    field.fill(prizes)
    field.press("Tab")


def said(page):
    return page.get_by_role("status")


def press_draw(page):
    page.get_by_role("button", name="Draw", exact=True).click()


def test_prize_rounds(prize_party, voila_prizes, page, picture):
    """All prizes are drawn in one execution, and the winners revealed prize by prize, the last on top."""
    before = len(executions(prize_party))
    page.goto(voila_prizes)
    ask(page, PRIZES)
    expect(said(page)).to_have_text(" 6 of 8 will be drawn.")
    page.evaluate(WATCH)
    press_draw(page)
    expect(page.get_by_text("All winners so far: 6")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("3 messages went out")).to_be_visible()
    picture(page, "draw_night")
    assert page.locator("h3").all_inner_texts() == ["Car", "自行车", "Voucher"]
    lists = [seen for seen, *_ in page.evaluate("window.seen")]
    assert sorted({len(seen) for seen in lists}) == list(range(10))  # 3 prizes and 6 winners, one by one
    assert len(executions(prize_party)) == before + 1
    by_prize = winners(prize_party).groupby("prize").size().to_dict()
    assert by_prize == {"Car": 1, "Voucher": 3, "自行车": 2}


def test_the_map_is_seen_to_run(prize_party, voila_prizes, page):
    """The workflow's box and the states in it change colour with each prize, which the status line names."""
    page.goto(voila_prizes)
    ask(page, PRIZES)
    page.evaluate(WATCH)
    press_draw(page)
    expect(said(page)).to_contain_text("SUCCEEDED: 6 drawn.", timeout=60_000)
    seen = page.evaluate("window.seen")
    for prize in ("Voucher", "自行车", "Car"):
        alts = {alt for _, status, alt in seen if status.startswith(f"… {prize}: For Each Prize, ")}
        assert any("running: For Each Prize, " in alt for alt in alts)


def test_prizes_in_the_csv(prize_party, voila_prizes, page):
    """The CSV has each winner's prize."""
    page.goto(voila_prizes)
    ask(page, "1 自行车")
    press_draw(page)
    expect(page.get_by_text("All winners so far: 1")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert [row["prize"] for row in rows] == ["自行车"]


def test_prizes_that_cannot_be_drawn(prize_party, voila_prizes, page):
    """The panel refuses a line that is not a prize, and more prizes than guests, before anything is drawn."""
    before = len(executions(prize_party))
    page.goto(voila_prizes)
    ask(page, "1 Pen\nCar")
    expect(said(page)).to_contain_text('✗ line 2: "Car" is not a prize. Write one prize on each line')
    page.get_by_role("button", name="Draw", exact=True).evaluate(WATCH_PRESS)
    press_draw(page)
    page.wait_for_function("window.handled")  # what is typed while it is not would be passed over
    expect(said(page)).to_contain_text('✗ line 2: "Car" is not a prize.')
    ask(page, "9 Pen")
    expect(said(page)).to_have_text("✗ You ask for 9 winners, but only 8 can still win. Ask for fewer.")
    assert len(executions(prize_party)) == before


def test_long_prizes_fit(prize_party, voila_prizes, page, picture):
    """Prizes of any length and script stay within the page."""
    page.goto(voila_prizes)
    ask(page, f"1 {'Donaudampfschifffahrt' * 4}\n1 {'自行车' * 30}\n1 <b>Car</b>")
    press_draw(page)
    expect(page.get_by_text("All winners so far: 3")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("3 messages went out")).to_be_visible()
    picture(page, "prizes")
    assert page.locator("h3").first.inner_text() == "<b>Car</b>"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate(CUT_OFF) == []


def test_recorded_not_mailed(prize_party, voila_prizes, page, picture):
    """Winners who could not be mailed are shown all the same, with what to do, which then does it."""
    names = prize_party.names
    iam = prize_party.client("iam")
    iam.delete_role_policy(RoleName=names.machine_role, PolicyName="NotifyWinners")
    page.goto(voila_prizes)
    ask(page, "1 Pen\n1 Car")
    press_draw(page)
    expect(said(page)).to_contain_text(
        "⚠ SUCCEEDED: 2 drawn. RecordedNotMailed: recorded, not", timeout=60_000
    )
    expect(page.locator(".lottery-winners li")).to_have_count(2)
    expect(page.locator(".lottery-graph .stage")).to_have_attribute(
        "aria-label", re.compile("caught: Notify Winners")
    )
    picture(page, "not_mailed")
    Stack(prize_party).deploy()
    command = re.search(r"`lottery (.*)`", said(page).inner_text())[1].split()
    assert subprocess.run([sys.executable, "-m", "lottery_lib", *command], check=False).returncode == 0
    assert published(Draws(prize_party).execution().events) != []


def test_failed_half_way(prize_party, voila_prizes, page, picture):
    """A draw that fails after a prize says why and how to go on, and the table has whoever has won."""
    inject(prize_party, "DrawPrize", SECOND_FAILS)
    page.goto(voila_prizes)
    ask(page, "1 Pen\n1 Car")
    press_draw(page)
    expect(said(page)).to_contain_text("✗ FAILED: ValueError: the printer is on fire. ", timeout=60_000)
    expect(page.get_by_text("All winners so far: 1")).to_be_visible()
    picture(page, "failed")
    Stack(prize_party).deploy()
    command = re.search(r"`lottery (.*)`", said(page).inner_text())[1].split()
    assert subprocess.run([sys.executable, "-m", "lottery_lib", *command], check=False).returncode == 0
    assert sorted(winners(prize_party)["prize"]) == ["Car", "Pen"]


def test_look_into_an_iteration(prize_party, voila_of, page, picture, tmp_path):
    """The panel's view tells of each state in which iteration of the Map it was, and marks a retry."""
    inject(prize_party, "DrawPrize", FIRST_IS_RETRIED)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(PANEL)])
    nbformat.write(notebook, tmp_path / "panel.ipynb")
    page.goto(voila_of(tmp_path / "panel.ipynb"))
    ask(page, "1 Pen\n1 Car")
    press_draw(page)
    expect(said(page)).to_contain_text("SUCCEEDED: 2 drawn.", timeout=60_000)
    page.get_by_role("button", name=re.compile("^Draw And Record:")).click()
    expect(page.get_by_text("Task, entered 2 times, here For Each Prize[0]")).to_be_visible()
    expect(page.get_by_role("cell", name="For Each Prize[0]")).to_have_count(2)
    expect(page.get_by_role("cell", name="For Each Prize[1]")).to_have_count(1)
    expect(page.locator(".lottery-graph .stage")).to_have_attribute(
        "aria-label", re.compile("Draw And Record retried 1 time")
    )
    picture(page, "iteration")
    assert page.evaluate(CUT_OFF) == []


def test_nothing_deployed(voila, page):
    """Before the deploy the page opens, and says what to do."""
    Stack(connect()).teardown()
    page.goto(voila)
    expect(page.get_by_role("status")).to_contain_text("does not exist. Run `lottery deploy`")
