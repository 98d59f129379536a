"""The projector's page: voila shows the notebook `draw_night` alone."""

import csv
import io

import pytest
from playwright.sync_api import expect

from lottery_lib import Stack, connect, winners
from lottery_lib.draws import forget_winners
from lottery_lib.pool import load_employees
from lottery_lib.roster import read

pytestmark = pytest.mark.browser
ROSTER = "employee_id,employee_name\n" + "\n".join(
    f"{n:03},{name}"
    for n, name in enumerate(
        ["欧阳娜娜", "Ann-Katrin von Hohenstein-Sonnenberg-Zweibrücken", "李娜" * 40, "Wu" * 60], 1
    )
)

#: What is wider than the widget that shows it, and so cut off by it.
CUT_OFF = """() => [...document.querySelectorAll('.widget-html')]
  .filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)"""


@pytest.fixture
def party(tmp_path):
    """A deployed lottery with a roster of its own, and nobody among the winners."""
    target = connect()
    Stack(target).deploy()
    path = tmp_path / "guests.csv"
    path.write_text(ROSTER, encoding="utf-8")
    load_employees(target, read(path))
    forget_winners(target)
    return target


def test_draw_night(party, voila, page, picture):
    """Two are drawn on the projector; the table below has them, and can be saved as CSV."""
    page.goto(voila)
    expect(page.get_by_text("All winners so far: 0")).to_be_visible()
    expect(page.get_by_text("import DrawNight")).to_have_count(0)
    page.get_by_role("spinbutton").fill("2")
    page.get_by_role("spinbutton").press("Tab")
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(page.get_by_text("All winners so far: 2")).to_be_visible()
    picture(page, "draw_night")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert [row["employee_id"] for row in rows] == list(winners(party)["employee_id"])
    assert len(rows) == 2


def test_long_and_chinese_names_fit(party, voila, page, picture):
    """Names of any length and script stay within the page."""
    page.goto(voila)
    page.get_by_role("spinbutton").fill("4")
    page.get_by_role("spinbutton").press("Tab")
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(page.get_by_text("All winners so far: 4")).to_be_visible()
    expect(page.get_by_text("1 message went out")).to_be_visible()
    picture(page, "names")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate(CUT_OFF) == []


def test_nothing_deployed(voila, page):
    """Before the deploy the page opens, and says what to do."""
    Stack(connect()).teardown()
    page.goto(voila)
    expect(page.get_by_role("status")).to_contain_text("does not exist. Run `python -m lottery_lib deploy`")
