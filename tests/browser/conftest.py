"""JupyterLab on a copy of the notebooks, and a real Chromium in front of it."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from helpers import wait_until
from playwright.sync_api import Locator, Page, expect, sync_playwright

from lottery_course.copies import copy_notebooks

PATIENCE = 90_000  # in milliseconds: a draw is played, or a kernel starts, and the machine may be busy
expect.set_options(timeout=PATIENCE)
#: Where pictures go; read now, as each test runs without the variables that begin with LOTTERY_.
PICTURES = os.environ.get("LOTTERY_PICTURES")
ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR",
           "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR")  # fmt: skip


def script(name: str) -> str:
    """A program for a page, out of the folder of scripts."""
    return (Path(__file__).parent / "scripts" / f"{name}.js").read_text(encoding="utf-8")


def violations(page: Page, context: str | None = None, *, serious: bool = False) -> list[tuple[str, str]]:
    """What axe-core finds, or the serious part of it: the rule, and the first element that breaks it."""
    found = Axe().run(page, context=context).response["violations"]
    return [
        (each["id"], each["nodes"][0]["html"])
        for each in found
        if not serious or each["impact"] in ("serious", "critical")
    ]


def misfits(where: Locator, among: str = "*", but: str = "svg", more: int = 1) -> list[str]:
    """What is wider than its box, or outside of the window: the element, or one of `among` inside of it.

    What is `but`, or inside of it, may be so. Up to `more` pixels do not count.
    """
    return where.evaluate(script("misfits"), {"among": among, "but": but, "more": more})


def browser_path() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "these tests need a Chromium"
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


Settings = Mapping[str, Mapping[str, str]]
#: Keep JupyterLab's question about news out of the pictures, and every cell on the page.
SETTINGS: Settings = {
    "apputils-extension/notification": {"fetchNews": "false"},
    # By default JupyterLab takes cells that are out of sight off the page, where nothing can be found.
    "notebook-extension/tracker": {"windowingMode": "none"},
}


def write_settings(folder: Path, settings: Settings) -> None:
    for name, values in settings.items():
        path = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(values))


def answers(url: str, process: subprocess.Popen) -> bool:
    """Whether a server answers yet, if only that there is nothing at that place."""
    assert process.poll() is None, "the server ended"
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory):
    """What runs a JupyterLab with these settings and variables.

    Its files are copies, because Lab saves by itself: the notebooks, and in `work` those that attendees get.
    """

    @contextlib.contextmanager
    def run(settings: Settings = SETTINGS, **variables: str) -> Iterator[Callable[[str], str]]:
        copy = tmp_path_factory.mktemp("lab")
        shutil.copytree(
            ROOT / "notebooks", copy / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints")
        )
        copy_notebooks(source=copy / "notebooks", work=copy / "work" / "notebooks")
        folders = {name: tmp_path_factory.mktemp(name.lower()) for name in FOLDERS}
        write_settings(folders["JUPYTERLAB_SETTINGS_DIR"], settings)
        port, token = free_port(), secrets.token_hex(8)
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={copy}", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
        ]  # fmt: skip
        environment = os.environ | {name: str(folder) for name, folder in folders.items()} | variables
        with served(command, f"http://127.0.0.1:{port}/api?token={token}", copy / "lab.log", environment):
            yield lambda path: f"http://127.0.0.1:{port}/lab/tree/{path}?token={token}&reset"

    return run


@pytest.fixture(scope="session")
def lab(jupyterlab):
    """JupyterLab's address for a file, with a token."""
    with jupyterlab() as address:
        yield address


@contextlib.contextmanager
def served(command: list[str], url: str, log: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Run a server while it is needed."""
    with log.open("w") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: answers(url, process))
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:  # JupyterLab may never end while a kernel starts
                process.kill()
                process.wait()


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def new_page(chromium):
    """What opens a tab of the browser. A window that stays open keeps the code that pages have loaded."""
    window = chromium.new_context(viewport={"width": 1280, "height": 1000})
    window.new_page()

    @contextlib.contextmanager
    def new() -> Iterator[Page]:
        page = window.new_page()
        page.set_default_timeout(PATIENCE)
        yield page
        page.close()

    return new


@pytest.fixture
def page(new_page) -> Iterator[Page]:
    with new_page() as page:
        yield page


@pytest.fixture
def picture():
    """Save what a page shows, where pictures are wanted: for the README, and to be looked at."""

    def save(page: Page, name: str) -> None:
        if PICTURES:
            page.evaluate(script("wait_until_still"))
            page.screenshot(path=Path(PICTURES) / f"{name}.png")

    return save


@pytest.fixture(scope="session")
def open_notebook(lab):
    """Open a notebook and wait until its kernel is there; JupyterLab itself says idle too early."""

    def opened(page: Page, name: str, address: Callable[[str], str] = lab) -> None:
        page.goto(address(f"notebooks/{name}"))
        page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context")
        page.wait_for_function(script("kernel_is_ready"))

    return opened


@pytest.fixture(scope="session")
def run_all():
    """Run every cell; resolves when the last one is done."""

    def run(page: Page) -> None:
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")

    return run


@pytest.fixture
def show_cell(jupyterlab, open_notebook, run_all):
    """`show_cell(page, source, LOTTERY_LANG="xx")`: run one cell, in a JupyterLab with these variables."""
    with contextlib.ExitStack() as running:

        def show(page: Page, source: str, **variables: str) -> None:
            open_notebook(page, "00_overview.ipynb", running.enter_context(jupyterlab(**variables)))
            page.evaluate(script("keep_one_cell"), source)
            run_all(page)

        yield show
