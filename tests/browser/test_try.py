"""The page *Try it* of the site that `make site` has built, from a server that only sends files."""

import base64
import gzip
import http.server
import json
import re
import threading
import zlib
from contextlib import contextmanager
from functools import partial

import pytest
from browser.conftest import PATIENCE, violations
from course_site import SITE, WORDS
from playwright.sync_api import expect

from lottery_lib.definition import load

#: All need the built site, which `make test-all` and the site's own workflow build.
pytestmark = [pytest.mark.browser, pytest.mark.npm, pytest.mark.long]
FOLDER = SITE / "try"
WORD = WORDS["en"]["try"]
#: An expression that Python cannot interrupt.
LONG = "{% $match('" + "a" * 40 + "', /(a+)+b/) %}"
SLOW = {"StartAt": "A", "QueryLanguage": "JSONata",
        "States": {"A": {"Type": "Pass", "Output": LONG, "End": True}}}  # fmt: skip
ENDLESS = {"StartAt": "A", "States": {
    "A": {"Type": "Choice", "Choices": [{"Variable": "$.e", "IsPresent": True, "Next": "B"}], "Default": "C"},
    "C": {"Type": "Pass", "Next": "A"}, "B": {"Type": "Succeed"}}}  # fmt: skip


def linked(machine):
    """A machine as the fragment of a link has it."""
    squeezed = zlib.compress(json.dumps(machine).encode(), wbits=-15)
    return f"m={base64.urlsafe_b64encode(squeezed).decode().rstrip('=')}"


class Files(http.server.SimpleHTTPRequestHandler):
    """Sends files, and notes what was asked for."""

    asked: list[str]

    def log_message(self, *_: object) -> None:
        self.asked.append(self.path)


@pytest.fixture(scope="module")
def server():
    assert FOLDER.is_dir(), "run `make site` first"
    Files.asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/try/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def window(chromium):
    """A window of a small laptop. It keeps the files for all pages of this module."""
    window = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield window
    window.close()


@pytest.fixture
def visit(window, server):
    """Open the page at an address below it; on its complaints, the test fails."""
    complaints, pages = [], []

    def opened(place="index.html", *, waits=True):
        page = window.new_page()
        pages.append(page)
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(server + place)
        if waits:
            page.wait_for_selector("body[data-ready]")
        return page

    yield opened
    for page in pages:
        page.close()
    assert complaints == []


def state(page, name):
    return page.locator(".stage").get_by_role("button", name=re.compile(f"^{name}"))


def run(page):
    page.get_by_role("button", name="▶ Run").click()


def write(page, text):
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def test_a_visitor_hardens_the_mail(visit, picture):
    """The mail fails, is tried three times, and then somebody is told: by presses, which can be undone."""
    page = visit()
    page.locator(".cm-content").press("Control+Enter")
    page.get_by_label("Notify Winners 1", exact=True).select_option("error")
    expect(page.locator(".lottery-bench header")).to_contain_text("FAILED")
    state(page, "Notify Winners").click()
    page.get_by_role("button", name=WORD["retry"]).click()
    assert page.evaluate("getSelection().toString()") == "2"
    page.get_by_role("button", name=WORD["catch"]).click()
    expect(page.locator(".lottery-bench header")).to_contain_text("SUCCEEDED")
    expect(state(page, WORD["teller"])).to_have_attribute("aria-label", re.compile("succeeded"))
    page.get_by_role("tab", name="Attempts").click()
    expect(page.locator(".side tbody tr")).to_have_count(3)
    picture(page, "try_hardened")
    page.locator(".cm-content").press("Control+z")
    page.locator(".cm-content").press("Control+z")
    expect(state(page, WORD["teller"])).to_have_count(0)
    expect(page.locator(".lottery-bench header")).to_contain_text("FAILED")


def test_nobody_answers(visit, picture):
    """One choice in the table, and a day has passed: the manager is told."""
    page = visit("index.html#approval")
    run(page)
    expect(page.locator(".lottery-bench header")).to_contain_text("SUCCEEDED")
    page.get_by_label("Ask a person 1", exact=True).select_option("never")
    expect(page.locator(".lottery-bench header")).to_contain_text("1 day, 0:00:00")
    expect(state(page, "Tell the manager")).to_have_attribute("aria-label", re.compile("succeeded"))
    picture(page, "try_nobody")


def test_the_graph_is_there_before_python(visit):
    """Editor, graph and answers need no Python; the page says how much it loads."""
    page = visit(waits=False)
    expect(state(page, "Failed")).to_be_visible()
    expect(page.locator(".cm-content")).to_contain_text("Input Lottery Winners")
    assert page.evaluate("!document.body.dataset.ready")
    expect(page.locator("#loading")).to_contain_text(re.compile("at most \\d+ MB"))


def test_it_is_not_too_much():
    """All files together are less than 20 MB, and less than 15 MB over the wire, where servers compress."""
    files = [path.read_bytes() for path in FOLDER.iterdir()]
    assert sum(map(len, files)) < 20e6
    assert sum(len(gzip.compress(file)) for file in files) < 15e6


@pytest.mark.parametrize("name", ["hardened", "order", "lines", "backoff", "jsonata"])
def test_an_example_is_drawn_and_runs(visit, name, picture):
    """By its address, as a lesson links to it."""
    page = visit(f"index.html#{name}")
    expect(page.locator("#examples")).to_have_value(name)
    run(page)
    expect(page.locator(".lottery-bench header")).to_contain_text(re.compile("SUCCEEDED|OrderFailed"))
    expect(page.locator(".lottery-bench").get_by_role("alert")).to_be_hidden()
    expect(page).to_have_url(re.compile(f"#{name}$"))  # nobody has changed it
    picture(page, f"try_{name}")


def test_a_link_holds_everything(visit, server):
    """Whoever opens it gets the text and the answers. No server sees them."""
    page = visit()
    write(page, load().replace('"Failed": {"Type": "Fail"}', '"Failed": {"Type": "Fail", "Comment": "沒有"}'))
    page.get_by_label("Notify Winners 1", exact=True).select_option("never")
    page.get_by_role("button", name=WORD["share"], exact=True).click()
    expect(page).to_have_url(re.compile("#m=[\\w-]+$"))
    other = visit(page.url.removeprefix(server))
    expect(state(other, "Failed")).to_be_visible()
    expect(other.get_by_label("Notify Winners 1", exact=True)).to_have_value("never")
    link = other.url
    other.get_by_role("button", name=WORD["share"], exact=True).click()
    expect(other.locator("#told")).not_to_have_text("")
    assert other.url == link
    assert [path for path in Files.asked if "m=" in path] == []


def test_nothing_is_lost(visit):
    """What somebody has changed stays: after a reload, in the other language, and behind another example."""
    page = visit()
    page.get_by_label("Notify Winners 1", exact=True).select_option("never")
    expect(page).to_have_url(re.compile("#m=[\\w-]+$"))
    before = page.url
    write(page, load().replace('"Failed": {"Type": "Fail"}', '"Failed": {"Type": "Fail", "Comment": "Mine"}'))
    expect(page).not_to_have_url(before)
    for way in (
        page.reload,
        lambda: (page.locator("#examples").select_option("backoff"), page.go_back()),
        lambda: page.locator("#other").click(),
    ):
        way()
        expect(page.locator(".cm-content")).to_contain_text("Mine")
        expect(page.get_by_label("Notify Winners 1", exact=True)).to_have_value("never")


@pytest.mark.parametrize(
    "fragment",
    [
        "m=nothing",
        linked(None),
        linked({"text": "{}", "answers": [1]}),
        linked({"text": "{}", "answers": {"A": 1}}),
    ],
)
def test_a_broken_link_says_so(visit, fragment):
    """And shows the first example."""
    page = visit(f"index.html#{fragment}")
    expect(page.locator("#told")).to_have_text(WORD["no_link"])
    expect(state(page, "Notify Winners")).to_be_visible()


def test_a_file_is_opened_and_saved(visit, tmp_path):
    """What one saves is what one sees."""
    page = visit()
    file = tmp_path / "mine.asl.json"
    file.write_text(json.dumps({"StartAt": "Mine", "States": {"Mine": {"Type": "Succeed"}}}))
    page.locator("#file").set_input_files(file)
    expect(state(page, "Mine")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name=WORD["save"], exact=True).click()
    assert saved.value.suggested_filename == "mine.asl.json"
    assert saved.value.path().read_text() == file.read_text()


def test_a_fault_stands_at_its_line(visit, picture):
    """In the editor, and above the graph; a press there goes to the line."""
    page = visit()
    write(page, load().replace('"MaxAttempts": 2', '"MaxTries": 2', 1))
    fault = page.locator(".faults li")
    expect(fault).to_contain_text("MaxTries")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    page.get_by_role("button", name="Line 20").click()
    expect(page.locator(".cm-activeLine")).to_contain_text("MaxTries")
    picture(page, "try_fault")


def test_python_can_be_stopped(visit):
    """While a slow expression runs, one can type and press Stop. Then Python starts again."""
    page = visit()
    run(page)
    write(page, json.dumps(SLOW))
    page.get_by_role("button", name=WORD["stop"]).click()
    expect(page.locator("#told")).to_have_text(WORD["stopped"])
    write(page, json.dumps({"StartAt": "After", "States": {"After": {"Type": "Succeed"}}}))
    expect(state(page, "After")).to_be_visible()


def test_an_endless_loop_ends(visit):
    """After 25,000 events, as on AWS."""
    page = visit()
    run(page)
    write(page, json.dumps(ENDLESS))
    expect(page.locator(".lottery-bench .moment")).to_have_text("25000 / 25000 ExecutionFailed")


def test_a_huge_text_is_only_a_text(visit):
    """Nobody looks at two million letters, and the page says so."""
    page = visit()
    write(page, '{"StartAt": "' + "x" * 2_000_000)
    expect(page.locator("#told")).to_have_text(WORD["long"])


def test_the_keyboard_is_enough(visit):
    """Tab goes through the page, also out of the editor; a change, a run and a state need no mouse."""
    page = visit()
    page.locator(".cm-content").focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.run')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator(".lottery-bench header")).to_contain_text("SUCCEEDED")
    state(page, "Input Lottery Winners").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#which")).to_have_text("Input Lottery Winners")


def test_it_works_without_a_network(window, visit):
    """Once it was loaded, a page that is opened again runs."""
    page = visit()
    expect(page.locator("#loading")).to_have_text(WORD["offline"])
    window.set_offline(True)
    try:
        page.reload()
        page.wait_for_selector("body[data-ready]")
        run(page)
        expect(page.locator(".lottery-bench header")).to_contain_text("SUCCEEDED")
    finally:
        window.set_offline(False)


@contextmanager
def another(chromium, **options):
    window = chromium.new_context(**options)
    page = window.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    window.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "name"), [(1280, "index"), (390, "index"), (1280, "zh")])
def test_everybody_can_use_it(chromium, server, picture, *, scheme, width, name):
    """Axe finds nothing serious after a run, in both colours; nothing is wider than a phone."""
    with another(chromium, color_scheme=scheme, viewport={"width": width, "height": 800}) as page:
        page.goto(f"{server}{name}.html")
        page.wait_for_selector("body[data-ready]")
        page.locator(".run").click()
        expect(page.locator(".lottery-bench header")).to_contain_text("SUCCEEDED")
        state(page, "Validate Winners").click()
        picture(page, f"try_{name}_{scheme}_{width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(page, serious=True) == []


def test_a_file_shows_the_first_example(chromium):
    """A page that was opened as a file runs no Python: it says what to type, and complains of nothing."""
    with another(chromium) as page:
        complaints = []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((FOLDER / "index.html").as_uri())
        expect(state(page, "Notify Winners")).to_be_visible()
        expect(page.locator("#told")).to_contain_text("python3 -m http.server")
        assert complaints == []


def test_nothing_comes_from_elsewhere(chromium, server):
    """All that the page asks for comes from its own folder."""
    with another(chromium) as page:
        asked = []
        page.context.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server}index.html")
        page.wait_for_selector("body[data-ready]")
        assert len(asked) > 5
        assert [url for url in asked if not url.startswith((server, "blob:", "data:"))] == []
