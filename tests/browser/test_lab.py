"""Every notebook, in JupyterLab in a real browser. Most are long: `test_checks` runs their cells, too.

`test_panel` runs lesson 06, which has a panel and a graph.
"""

from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(path.name for path in ROOT.glob("notebooks/[0-9]*.ipynb"))
SHORT = ("00_overview.ipynb",)
FAILURES = """() => {
  const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells];
  const code = cells.filter(cell => cell.type === 'code' && cell.sharedModel.getSource().trim());
  const wrong = cell => cell.executionCount === null || cell.outputs.toJSON().some(output =>
    output.name === 'stderr' ||
    (output.output_type === 'error' && !(cell.getMetadata('tags') || []).includes('raises-exception')));
  return code.filter(wrong).map(cell => cell.sharedModel.getSource());
}"""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SHORT else pytest.mark.long) for name in NOTEBOOKS]
)
def test_every_notebook_runs_in_jupyterlab(page, open_notebook, run_all, picture, name):
    """Each notebook runs from top to bottom in JupyterLab: every cell ran, and none ended in an error."""
    open_notebook(page, name)
    run_all(page)
    assert page.evaluate(FAILURES) == []
    picture(page, name.removesuffix(".ipynb"))


def test_two_cells_and_a_button_draw(page, open_notebook, picture):
    """In lesson 00 two cells and a button draw. The whole graph is in view, and nobody has to scroll."""
    page.set_viewport_size({"width": 1280, "height": 800})
    open_notebook(page, "00_overview.ipynb")
    page.locator(".jp-CodeCell .cm-content").first.click()
    for _ in range(2):
        page.keyboard.press("Shift+Enter")
    page.get_by_text("Ready: lesson 00").wait_for()
    page.keyboard.press("Control+Enter")
    draw = page.get_by_role("button", name="Draw", exact=True)
    draw.click()
    done = page.get_by_text("SUCCEEDED: 1 drawn.")
    done.wait_for()
    picture(page, "first_draw")
    for seen in (draw, done, page.get_by_role("button", name="Failed")):
        expect(seen).to_be_in_viewport(ratio=1)


def test_names_of_lessons_are_whole(page, open_notebook):
    """At 1280x800, the list of files and the tab show the whole name of each lesson."""
    page.set_viewport_size({"width": 1280, "height": 800})
    open_notebook(page, max(NOTEBOOKS, key=len))
    names = page.locator(".jp-DirListing-itemText, .lm-DockPanel-tabBar .lm-TabBar-tabLabel")
    expect(names.filter(has_text=NOTEBOOKS[-1])).to_have_count(1)
    cut = "all => all.filter(name => name.scrollWidth > name.clientWidth).map(name => name.innerText)"
    assert names.evaluate_all(cut) == []


@pytest.mark.long  # it starts another JupyterLab
def test_jupyterlab_speaks_chinese(page, jupyterlab, picture):
    """With the settings of `make lab-zh`, menus are Chinese beside a Chinese notebook."""
    with jupyterlab(JUPYTER_CONFIG_PATH=str(ROOT / "data" / "lab_zh"), LANGUAGE="zh_CN") as address:
        page.goto(address("notebooks/zh/00_overview.ipynb"))
        expect(page.get_by_role("menuitem", name="文件")).to_be_visible()
        expect(page.locator(".jp-Notebook h1").first).to_be_visible()
        picture(page, "lab_zh")
