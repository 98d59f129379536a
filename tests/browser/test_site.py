"""The site that `make site` has built, as a reader opens it: as files, without a server."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
import try_page
from browser.conftest import script, violations
from course_site import ROOT, SITE, pages
from playwright.sync_api import Page, expect
from pypdf import PdfReader

#: All need the built site, which `make test-all` and the site's own workflow build.
pytestmark = [pytest.mark.browser, pytest.mark.npm, pytest.mark.long]
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
LESSONS = [path.stem for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))]
READ = script("read_a_page_of_the_site")


def address(page: str) -> str:
    return (SITE / page).as_uri()


@pytest.fixture(scope="module")
def opened(chromium) -> dict[str, dict]:
    """Every page, opened once: what it has, where it leads, what it asks for, what it complains of."""
    assert PAGES, "run `make site` first"
    window, found = chromium.new_context(), {}
    for name in PAGES:
        page, asked, complaints = window.new_page(), [], []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on(
            "console", lambda said, seen=complaints: seen.append(said.text) if said.type == "error" else None
        )
        page.on("pageerror", lambda error, seen=complaints: seen.append(str(error)))
        page.goto(address(name), wait_until="load")
        if page.locator("pre.mermaid").count():
            page.locator("pre.mermaid svg").wait_for()
        found[name] = page.evaluate(READ) | {"asked": asked, "complaints": complaints}
        page.close()
    window.close()
    return found


def test_every_page_is_there():
    """Each lesson and each document has a page, in each language under the same name."""
    wanted = {f"{name}.html" for name in [*pages()["en"], "search", "check"]}
    wanted |= {f"zh/{name}.html" for name in [*pages()["zh"], "search"]}
    wanted |= {f"try/{name}" for name in try_page.PAGES.values()}
    assert set(PAGES) == wanted


def test_the_site_is_small():
    """It weighs less than 25 MB, without the page that brings a whole Python."""
    files = [path for path in SITE.rglob("*") if path.is_file() and path.parent != SITE / "try"]
    assert sum(path.stat().st_size for path in files) < 25e6


def test_nothing_comes_from_elsewhere(opened):
    """No page asks for anything outside the site, or complains in the console, or lacks a picture."""
    inside = (SITE.as_uri(), "data:")
    outside = {
        name: [url for url in page["asked"] if not url.startswith(inside)]
        + page["complaints"]
        + page["broken"]
        for name, page in opened.items()
    }
    assert {name: what for name, what in outside.items() if what} == {}


def dead_links(opened: dict[str, dict]) -> Iterator[str]:
    for name, page in opened.items():
        for link in page["links"]:
            target, _, anchor = unquote(link).partition("#")
            if not target.startswith("file:"):
                continue
            path = Path(target.removeprefix("file://").partition("?")[0])
            inside = path.is_relative_to(SITE) and path.is_file()
            known = opened.get(path.relative_to(SITE).as_posix()) if inside else None
            if not inside or (anchor and known and anchor not in known["ids"]):
                yield f"{name}: {link}"


def test_every_link_leads_somewhere(opened):
    """Each link within the site leads to a file that is there, and to a place on its page that is there."""
    assert sum(link.startswith("file:") for page in opened.values() for link in page["links"]) > 3000
    assert list(dead_links(opened)) == []
    assert [
        link for page in opened.values() for link in page["links"] if link.startswith("http://127.")
    ] == []


LESSON = "notebooks/06_run_a_draw"
LOOKED_AT = ["index", "notebooks/00_overview", LESSON, "docs/glossary", "docs/account", "search"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "name", [*LOOKED_AT, *(f"zh/{each}" for each in LOOKED_AT), "emulator/docs/fidelity"]
)
def test_everybody_can_use_it(chromium, name, scheme):
    """Axe finds nothing serious, in both colours; and nothing is wider than a phone."""
    window = chromium.new_context(color_scheme=scheme, viewport={"width": 390, "height": 844})
    page = window.new_page()
    page.goto(address(f"{name}.html"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 900})
    found = violations(page, serious=True)
    window.close()
    assert found == []


@pytest.mark.parametrize("place", ["", "zh/"])
def test_a_dark_page_has_no_light_boxes(chromium, place):
    """Pictures and checks stand on the page. The lesson says that it is a stored run, and where to run it."""
    window = chromium.new_context(color_scheme="dark")
    page = window.new_page()
    page.goto(address(f"{place}{LESSON}.html"))
    boxes = page.locator(".cell_output :is(.text_html:not(:has(table.dataframe)), img)")
    colours = boxes.evaluate_all("boxes => boxes.map((box) => getComputedStyle(box).backgroundColor)")
    told = [link.get_attribute("href") for link in page.locator("h1 + .how-to-run a").all()]
    window.close()
    assert len(colours) > 5
    assert set(colours) == {"rgba(0, 0, 0, 0)"}
    assert [name for name in told if "/try/" in name] == told[1:] and len(told) == 2


def test_the_other_language_is_the_same_page(page: Page):
    """The switch leads from a lesson to the same one; from a page in English only to the start."""
    page.goto(address("notebooks/06_run_a_draw.html"))
    page.get_by_role("link", name="中文").click()
    expect(page).to_have_url(address("zh/notebooks/06_run_a_draw.html"))
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("link", name="English").click()
    expect(page).to_have_url(address("notebooks/06_run_a_draw.html"))
    page.goto(address("emulator/docs/fidelity.html"))
    page.get_by_role("link", name="中文").click()
    expect(page).to_have_url(address("zh/index.html"))


@pytest.mark.parametrize(
    ("place", "words", "wanted"),
    [
        ("", "redrive", "14 Operate it"),
        ("", "how faithful", "How faithful the emulator is"),
        ("zh/", "重新驱动", "14 运维"),
        ("zh/", "创建状态机", "05 状态机"),
        ("zh/", "JSONata", "10 JSONata"),
    ],
)
def test_the_search_finds_it(page: Page, place, words, wanted):
    """A word finds the lesson that teaches it; in Chinese, words need no spaces between them."""
    page.goto(address(f"{place}search.html") + f"?q={words}")
    expect(page.locator("#search-results").get_by_role("link", name=wanted).first).to_be_visible()


@pytest.mark.parametrize("place", ["", "zh/"])
def test_the_start_page_answers(page: Page, place):
    """It says how to begin, and leads to the lesson that runs a draw, and to how faithful the emulator is."""
    for link, found in {
        "06_run_a_draw": f"{place}notebooks/06_run_a_draw.html",
        "AWS 有多一致" if place else "How faithful": "emulator/docs/fidelity.html",
    }.items():
        page.goto(address(f"{place}index.html"))
        expect(page.locator("pre", has_text="make lab")).to_be_in_viewport()
        assert page.locator("img[src*='draw.']").evaluate("image => image.naturalWidth > 300")
        page.locator("article").get_by_role("link", name=link).first.click()
        expect(page).to_have_url(address(found))


@pytest.mark.parametrize("place", ["", "zh/"])
def test_an_exercise_says_how_to_run_it(page: Page, opened, place):
    """Each exercise has a line above it, and its link leads to the start page."""
    wanted = {}
    for lesson in LESSONS:
        cells = nbformat.read(ROOT / "notebooks" / f"{lesson}.ipynb", 4).cells
        exercises = sum("exercise" in cell.metadata.get("tags", []) for cell in cells)
        wanted[f"{place}notebooks/{lesson}.html"] = exercises
    assert {name: opened[name]["exercises"] for name in wanted} == wanted
    page.goto(address(f"{place}notebooks/06_run_a_draw.html"))
    page.locator(".how-to-run a").first.click()
    expect(page).to_have_url(address(f"{place}index.html"))


@pytest.mark.parametrize("place", ["", "zh/"])
def test_a_word_of_the_glossary_has_an_address(opened, place):
    """It is the same in both languages."""
    assert {"state-machine", "execution", "redrive"} <= set(opened[f"{place}docs/glossary.html"]["ids"])


def without_spaces(text: str) -> str:
    return re.sub(r"\s+", "", text)


def printed(page: Page, folder: Path) -> str:
    """The text of a page as it comes out of a printer, A4."""
    page.emulate_media(media="print")
    page.pdf(path=folder / "page.pdf", format="A4")
    return without_spaces("".join(sheet.extract_text() for sheet in PdfReader(folder / "page.pdf").pages))


@pytest.mark.parametrize("lesson", ["00_overview", "06_run_a_draw", "10_jsonata"])
def test_paper_loses_nothing(chromium, tmp_path, lesson):
    """On paper is each line of code, also of folded checks and solutions, and each picture of a workflow."""
    page = chromium.new_page()
    page.goto(address(f"notebooks/{lesson}.html"))
    text = printed(page, tmp_path)
    cells = nbformat.read(ROOT / "notebooks" / f"{lesson}.ipynb", 4).cells
    lines = [line for cell in cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    lines += [line for cell in cells for code in re.findall(r"```python\n(.*?)```", cell.source, re.DOTALL)
              for line in code.splitlines()]  # fmt: skip
    assert len(lines) > 30
    assert [line for line in lines if without_spaces(line) not in text] == []
    pictures = [out for cell in cells for out in cell.get("outputs", []) if "<svg" in json.dumps(out) + "" or
                "data:image/svg" in json.dumps(out)]  # fmt: skip
    page.close()
    assert text.count("SendSNSandRecordInDynamodb") >= len(pictures) > 0
