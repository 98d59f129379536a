"""JupyterLab on a copy of the notebooks, and a real Chromium in front of it."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR",
           "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR")  # fmt: skip
READY = """async () => {
  const app = window.jupyterapp;
  const panel = app.shell.currentWidget;
  if (!panel || !panel.context) return false;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
  return true;
}"""


def browser_path() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "these tests need a Chromium"
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false"},
    # By default JupyterLab takes cells that are out of sight off the page, where nothing can be found.
    "notebook-extension/tracker": {"windowingMode": "none"},
}


def write_settings(folder: Path) -> None:
    """Keep JupyterLab's question about news out of the pictures, and every cell on the page."""
    for name, values in SETTINGS.items():
        path = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(values))


def wait_for(url: str, process: subprocess.Popen, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "JupyterLab ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.2)
    raise AssertionError("JupyterLab did not answer")


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """JupyterLab's address, with a token; its files are a copy, because Lab saves by itself."""
    copy = tmp_path_factory.mktemp("lab")
    shutil.copytree(
        ROOT / "notebooks", copy / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints")
    )
    folders = {name: tmp_path_factory.mktemp(name.lower()) for name in FOLDERS}
    write_settings(folders["JUPYTERLAB_SETTINGS_DIR"])
    port, token = free_port(), secrets.token_hex(8)
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={copy}", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    log = (copy / "lab.log").open("w")
    environment = os.environ | {name: str(folder) for name, folder in folders.items()}
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(f"http://127.0.0.1:{port}/api?token={token}", process)
        yield lambda path: f"http://127.0.0.1:{port}/lab/tree/{path}?token={token}&reset"
    finally:
        process.terminate()
        process.wait(20)
        log.close()


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium) -> Page:
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(30_000)
    yield page
    page.close()


@pytest.fixture
def opened(lab, page):
    """Open a notebook and wait until its kernel is there; JupyterLab itself says idle too early."""

    def open_notebook(name: str) -> Page:
        page.goto(lab(f"notebooks/{name}"))
        page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context")
        page.wait_for_function(READY)
        return page

    return open_notebook


@pytest.fixture
def run_all():
    """Run every cell; resolves when the last one is done."""

    def run(page: Page) -> None:
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")

    return run
