"""The panel of notebook 06, as an attendee uses it in JupyterLab."""

import re

import pytest
from browser.test_lab import FAILURES
from playwright.sync_api import expect

from lottery_lib import Stack, connect, executions, inject, winners
from lottery_lib.draws import forget_winners
from lottery_lib.emulator.process import control
from lottery_lib.view.status import look_of

pytestmark = pytest.mark.browser
#: Notes what the panel showed, and when: the graph's alt text, the status line, and the graph's SVG.
WATCH = """panel => {
  window.seen = [];
  const note = () => window.seen.push([
    panel.querySelector('img')?.alt ?? '', panel.querySelector('[role=status]')?.innerText ?? '',
    atob(panel.querySelector('img')?.src.split('base64,')[1] ?? '')]);
  new MutationObserver(note).observe(panel, {childList: true, subtree: true, characterData: true});
}"""
RUNS = r"(Winner|Dynamodb).* \.\.\."  # a state's name: some state runs
SLOW = """
import time

def lambda_handler(event, context):
    time.sleep(20)
    return original(event, context)
"""


@pytest.fixture(scope="module")
def lesson(new_page, open_notebook, run_all):
    """Notebook 06 in JupyterLab, after every cell has run."""
    with new_page() as page:
        open_notebook(page, "06_run_a_draw.ipynb")
        run_all(page)
        yield page


@pytest.fixture
def panel(lesson):
    """The draw panel of notebook 06, with everyone to be drawn from."""
    forget_winners(connect())
    lesson.wait_for_timeout(600)  # right after a draw's end the panel takes no click
    return lesson.locator(".jp-OutputArea-output").filter(
        has=lesson.get_by_role("button", name="Draw", exact=True)
    )


def test_the_lesson_has_run(lesson):
    """Every cell of the lesson ran, and none ended in an error."""
    assert lesson.evaluate(FAILURES) == []


def set_number(panel, number):
    field = panel.get_by_role("spinbutton", name="Winners")
    field.fill(str(number))
    field.press("Tab")


def button(panel, name):
    return panel.get_by_role("button", name=name, exact=True)


def status(panel):
    return panel.get_by_role("status")


def wait_until_said(panel, pattern):
    """Wait until the status line has said it, since `WATCH`: it says each thing for a third of a second."""
    said = "pattern => window.seen.some(([, said]) => new RegExp(pattern).test(said))"
    panel.page.wait_for_function(said, arg=pattern)


def names_of(panel):
    return {re.search(r"\d{3}$", text).group() for text in panel.locator("ol li").all_inner_texts()}


def test_draw(panel, picture):
    """Three are drawn: the graph changes colour before the end, then three winners, who are in the table."""
    before = set(winners(connect())["employee_id"])
    set_number(panel, 3)
    panel.evaluate(WATCH)
    panel.scroll_into_view_if_needed()
    button(panel, "Draw").click()
    wait_until_said(panel, "Is Winner|Send SNS")
    picture(panel.page, "panel_running")
    expect(status(panel)).to_contain_text("SUCCEEDED: 3 drawn.")
    expect(panel.locator("ol li")).to_have_count(3)
    expect(panel).to_contain_text("1 message went out")
    seen = panel.page.evaluate("window.seen")
    running = {alt for alt, said, _ in seen if "running:" in alt and "SUCCEEDED" not in said}
    assert len(running) >= 5  # states that were seen to run, one after the other
    assert [svg for _, said, svg in seen if "SUCCEEDED" not in said and look_of("running").fill in svg]
    assert look_of("running").fill not in seen[-1][-1]
    assert look_of("succeeded").fill in seen[-1][-1]
    assert len(names_of(panel)) == 3
    assert names_of(panel) <= set(winners(connect())["employee_id"]) - before
    picture(panel.page, "panel")


def test_choose_a_state(panel, picture):
    """Choosing a state shows its input and output."""
    set_number(panel, 1)
    button(panel, "Draw").click()
    expect(status(panel)).to_contain_text("SUCCEEDED: 1 drawn.")
    panel.get_by_role("listbox", name="State").select_option("Validate Winners")
    expect(panel).to_contain_text("Validate Winners: ✓ succeeded")
    expect(panel.locator("pre").first).to_contain_text('"num_of_winners": 1')
    panel.get_by_role("listbox", name="State").scroll_into_view_if_needed()
    picture(panel.page, "state")


def test_two_fast_clicks_are_one_draw(panel):
    """Clicking twice, fast, starts one execution."""
    before = len(executions(connect()))
    set_number(panel, 1)
    panel.evaluate(WATCH)
    button(panel, "Draw").dblclick()
    wait_until_said(panel, RUNS)
    expect(status(panel)).to_contain_text("SUCCEEDED: 1 drawn.")
    expect(button(panel, "Draw")).to_be_enabled()
    assert len(executions(connect())) == before + 1


def test_keyboard(panel):
    """The number, Draw and Cancel are reached with Tab, and Draw is pressed with the space bar."""
    panel.get_by_role("spinbutton", name="Winners").focus()
    panel.page.keyboard.press("Tab")
    expect(button(panel, "Draw")).to_be_focused()
    panel.evaluate(WATCH)
    panel.page.keyboard.press("Space")
    wait_until_said(panel, RUNS)
    expect(status(panel)).to_contain_text("SUCCEEDED")


def test_step_through_the_states(panel):
    """States are chosen by the keyboard, too: JupyterLab takes the arrow keys of a list for itself."""
    panel.get_by_role("listbox", name="State").select_option("Random Select Winners")
    button(panel, "Next state").focus()
    panel.page.keyboard.press("Space")
    panel.page.keyboard.press("Space")
    expect(panel).to_contain_text("Is Winner In Past Draw: ✓ succeeded")
    panel.page.keyboard.press("Shift+Tab")
    panel.page.keyboard.press("Space")
    expect(panel).to_contain_text("Validate Winners: ✓ succeeded")


def test_cancel_a_slow_draw(panel, picture):
    """Cancel stops a draw that hangs in a slow function, and the graph says where it was."""
    target = connect()
    inject(target, "RandomSelectWinners", SLOW)
    try:
        button(panel, "Draw").click()
        expect(status(panel)).to_contain_text("Random Select Winners ...")
        button(panel, "Cancel").click()
        expect(status(panel)).to_contain_text("ABORTED: Cancelled: The draw was cancelled by hand")
        expect(panel.get_by_role("img")).to_have_attribute("alt", re.compile("aborted: Random Select"))
        picture(panel.page, "cancelled")
    finally:
        Stack(target).deploy()
    assert executions(target)["status"][0] == "ABORTED"


def test_emulator_stopped(panel, picture):  # the last of this file: the panel is of no use after it
    """When the emulator is gone, the panel says so in one sentence, with what to do."""
    control.stop()
    button(panel, "Draw").click()
    expect(status(panel)).to_have_text(
        re.compile(
            r"✗ http://127\.0\.0\.1:\d+/: does not answer\. Run .* in a notebook its first cell again\."
        )
    )
    expect(button(panel, "Draw")).to_be_enabled()
    picture(panel.page, "stopped")
