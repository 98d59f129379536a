"""What an attendee does, in a real browser."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lottery_lib import connect, winners

pytestmark = pytest.mark.browser
NOTEBOOKS = sorted(path.name for path in Path(__file__).parents[2].glob("notebooks/[0-9]*.ipynb"))
#: Where pictures go, for the README and to be looked at.
PICTURES = Path(os.environ["LOTTERY_PICTURES"]) if "LOTTERY_PICTURES" in os.environ else None


def picture(page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=PICTURES / f"{name}.png")


FAILURES = """() => {
  const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells];
  const code = cells.filter(cell => cell.type === 'code' && cell.sharedModel.getSource().trim());
  const wrong = cell => cell.executionCount === null || cell.outputs.toJSON().some(output =>
    output.name === 'stderr' ||
    (output.output_type === 'error' && !(cell.getMetadata('tags') || []).includes('raises-exception')));
  return code.filter(wrong).map(cell => cell.sharedModel.getSource());
}"""


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_runs_in_jupyterlab(opened, run_all, name):
    """Each notebook runs from top to bottom in JupyterLab: every cell ran, and none ended in an error."""
    page = opened(name)
    run_all(page)
    assert page.evaluate(FAILURES) == []
    picture(page, name.removesuffix(".ipynb"))


def test_draw_with_the_button(opened, run_all):
    """Three winners are set, Draw is clicked, the states change colour, and the winners are in the table."""
    page = opened("06_run_a_draw.ipynb")
    run_all(page)
    panel = page.locator(".jp-OutputArea-output").filter(
        has=page.get_by_role("button", name="Draw", exact=True)
    )
    before = set(winners(connect())["employee_id"])
    number = panel.get_by_role("spinbutton")
    number.fill("3")
    number.press("Tab")
    panel.get_by_role("button", name="Draw", exact=True).click()
    expect(panel.get_by_role("status")).to_contain_text("SUCCEEDED: 3 drawn.")
    panel.scroll_into_view_if_needed()
    shown = panel.locator("ol li").all_inner_texts()
    picture(page, "panel")
    drawn = {re.search(r"\d{3}$", text).group() for text in shown}
    assert len(drawn) == 3
    assert drawn <= set(winners(connect())["employee_id"]) - before
    expect(panel.get_by_role("img")).to_have_attribute("alt", re.compile("succeeded", re.IGNORECASE))
