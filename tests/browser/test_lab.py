"""Every notebook, in JupyterLab in a real browser. They are long: `test_checks` runs their cells, too.

`test_panel.py` runs lesson 00, which has a panel and a graph.
"""

from pathlib import Path

import pytest
from browser.conftest import script
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.long]
ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(path.name for path in ROOT.glob("notebooks/[0-9]*.ipynb"))
FAILURES = script("cells_that_failed")

PASSED = script("checks_that_passed")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_runs_in_jupyterlab(page, open_notebook, run_all, picture, name):
    """Each notebook runs from top to bottom in JupyterLab: every cell ran, and none ended in an error.

    No exercise is passed, because nobody has answered it.
    """
    open_notebook(page, name)
    run_all(page)
    assert page.evaluate(FAILURES) == []
    assert page.evaluate(PASSED) == []
    picture(page, name.removesuffix(".ipynb"))


def test_jupyterlab_speaks_chinese(page, jupyterlab, picture):
    """With the settings of `make lab-zh`, menus are Chinese beside a Chinese notebook."""
    with jupyterlab(JUPYTER_CONFIG_PATH=str(ROOT / "data" / "lab_zh"), LANGUAGE="zh_CN") as address:
        page.goto(address("notebooks/zh/00_overview.ipynb"))
        expect(page.get_by_role("menuitem", name="文件")).to_be_visible()
        expect(page.locator(".jp-Notebook h1").first).to_be_visible()
        picture(page, "lab_zh")
