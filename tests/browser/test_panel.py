"""The panel of notebook 00, as an attendee uses it in JupyterLab."""

import re
from functools import partial

import nbformat
import pytest
from browser.conftest import misfits, script, violations
from browser.test_lab import FAILURES, NOTEBOOKS, ROOT
from helpers import wait_until
from injected import waits_for
from playwright.sync_api import expect

from lottery_course import inject
from lottery_lib import Stack, connect, executions, winners
from lottery_lib.resources.contents import empty_winners
from lottery_lib.view.theme import COLOURS
from sfn_emulator import control

pytestmark = pytest.mark.browser
WATCH = script("watch_the_panel")
#: Parts of a panel that may be wider than their boxes: the drawing, and what ends with an ellipsis.
MAY_BE_WIDER = "svg, .arn code, .row span"
LETTERS = script("smallest_letters")
NEW_CELL = script("run_a_new_cell")
#: Shows the latest draw, as a lesson does.
PAST = """
from lottery_lib import ExecutionView
from lottery_lib.draws import Draws
seen = Draws(target).execution()
ExecutionView(seen.definition, seen.events)
"""
MARKED = script("click_marks_the_state")
OPEN = "async what => { await window.jupyterapp.commands.execute('docmanager:open', what); }"
THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
RUNS = r"(Winner|Dynamodb).* \.\.\."  # a state's name: some state runs


@pytest.fixture(scope="module")
def open_copy(jupyterlab, open_notebook):
    """What opens an attendee's copy of a notebook, in a JupyterLab whose settings are those of `make lab`."""
    with jupyterlab(settings={}) as address:
        yield lambda page, name: open_notebook(page, name, lambda path: address(f"work/{path}"))


#: By the folder of the language: the button of the panel.
DRAW = {"": "Draw", "zh/": "抽奖"}
LONG = pytest.mark.long


@pytest.mark.parametrize(
    ("folder", "size"),
    [
        ("", (1280, 720)),
        pytest.param("", (1366, 768), marks=LONG),
        pytest.param("zh/", (1280, 720), marks=LONG),
        pytest.param("zh/", (1366, 768), marks=LONG),
    ],
)
def test_three_presses_bring_names_to_the_screen(page, open_copy, picture, folder, size):
    """After Shift+Enter down to the panel, and Draw, the names, the button and the whole graph are in view.

    Nobody clicks before, and nobody scrolls.
    """
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    open_copy(page, f"{folder}00_overview.ipynb")
    cells = nbformat.read(ROOT / "notebooks" / folder / "00_overview.ipynb", as_version=4).cells
    shown = next(place for place, cell in enumerate(cells, 1) if "DrawPanel(" in cell.source)
    for _ in range(shown):
        page.keyboard.press("Shift+Enter")
    draw, graph = page.get_by_role("button", name=DRAW[folder], exact=True), page.locator(".stage svg")
    expect(draw).to_be_in_viewport(ratio=1)
    expect(graph).to_be_in_viewport()
    picture(page, f"first_panel_{size[0]}{folder[:2]}")
    draw.click()
    names = page.locator(".lottery-winners li")
    expect(names).to_have_count(2)
    expect(draw).to_be_enabled()
    for seen in (*names.all(), draw, graph):
        expect(seen).to_be_in_viewport(ratio=1)
    picture(page, f"first_draw_{size[0]}{folder[:2]}")


@pytest.fixture(scope="module")
def notebook(new_page, open_notebook):
    """Notebook 00 in JupyterLab."""
    with new_page() as page:
        open_notebook(page, "00_overview.ipynb")
        yield page


@pytest.fixture(scope="module")
def lesson(notebook, run_all):
    """The same, after every cell has run."""
    run_all(notebook)
    return notebook


@pytest.fixture(scope="module")
def drawn(lesson):
    """Its draw panel, after a draw."""
    panel = panel_of(lesson)
    draw_one(panel)
    return panel


def panel_of(lesson):
    empty_winners(connect())
    draw = lesson.get_by_role("button", name="Draw", exact=True)
    expect(draw).to_be_enabled()
    lesson.wait_for_timeout(600)  # right after a draw's end the panel takes no click
    return lesson.locator(".jp-OutputArea-output").filter(has=draw)


@pytest.fixture
def panel(lesson):
    """Its draw panel, with everyone to be drawn from."""
    return panel_of(lesson)


def test_lines_of_prose_are_short(notebook):
    """Also in a large window, a line of a lesson has at most 80 letters."""
    notebook.set_viewport_size({"width": 1920, "height": 1080})
    letters = script("most_letters_on_a_line")
    assert 60 < notebook.locator(".jp-RenderedMarkdown p").evaluate_all(letters) < 81
    notebook.set_viewport_size({"width": 1280, "height": 800})


def test_names_of_lessons_are_whole(notebook):
    """At 1280x800, the list of files and the tab show the whole name of each lesson."""
    notebook.set_viewport_size({"width": 1280, "height": 800})
    longest, first = max(NOTEBOOKS, key=len), NOTEBOOKS[0]
    notebook.evaluate(OPEN, {"path": f"notebooks/{longest}", "factory": "Editor"})  # it needs no kernel
    names = notebook.locator(".jp-DirListing-itemText, .lm-DockPanel-tabBar .lm-TabBar-tabLabel")
    expect(names.filter(has_text=NOTEBOOKS[-1])).to_have_count(1)
    expect(names.filter(has_text=longest)).to_have_count(2)
    cut = "all => all.filter(name => name.scrollWidth > name.clientWidth).map(name => name.innerText)"
    assert names.evaluate_all(cut) == []
    notebook.evaluate(OPEN, {"path": f"notebooks/{first}"})


def test_the_lesson_has_run(lesson):
    """Every cell of the lesson ran, and none ended in an error."""
    assert lesson.evaluate(FAILURES) == []


def set_number(panel, number):
    field = panel.get_by_role("textbox", name="Number of winners")
    field.fill(str(number))
    field.press("Tab")


def button(panel, name):
    return panel.get_by_role("button", name=name, exact=True)


def status(panel):
    """What the panel says; what is wrong is an alert."""
    return panel.locator(".lottery-controls").locator("[role=status], [role=alert]")


def wait_until_said(panel, pattern):
    """Wait until the status line has said it, since `WATCH`: it says each thing for a third of a second."""
    said = "pattern => window.seen.some(([said]) => new RegExp(pattern).test(said))"
    panel.page.wait_for_function(said, arg=pattern)


def names_of(panel):
    return {re.search(r"\d{3}$", text).group() for text in panel.locator("ol li").all_inner_texts()}


def draw_one(panel):
    set_number(panel, 1)
    panel.evaluate(WATCH)
    button(panel, "Draw").click()
    wait_until_said(panel, RUNS)  # the draw before it may have ended with the same words
    expect(status(panel)).to_contain_text("SUCCEEDED: 1 drawn.")
    expect(button(panel, "Draw")).to_be_enabled()


def chosen(panel, name):
    """The state in the drawing."""
    return panel.get_by_role("button", name=re.compile(f"^{name}:"))


def test_a_draw_moves(lesson):
    """One sees a draw state by state, and then the winners one by one."""
    lesson.set_viewport_size({"width": 1280, "height": 800})
    panel = panel_of(lesson)
    set_number(panel, 5)
    panel.evaluate("panel => panel.scrollIntoView({block: 'start'})")
    box, main = panel.bounding_box(), panel.locator(".main").bounding_box()
    seen = box | {"height": main["y"] + main["height"] - box["y"]}

    def shot():
        return lesson.screenshot(clip=seen)

    frames = [shot()]
    draw = button(panel, "Draw")
    draw.click()
    expect(draw).to_be_disabled()
    while draw.is_disabled():
        if (now := shot()) != frames[-1]:
            frames.append(now)
    assert len(frames) >= 4  # a slow machine takes fewer pictures


def test_draw(panel, picture):
    """Three are drawn: the graph changes colour before the end, then three winners, who are in the table."""
    before = set(winners(connect())["employee_id"])
    set_number(panel, 3)
    panel.evaluate(WATCH)
    panel.scroll_into_view_if_needed()
    button(panel, "Draw").click()
    wait_until_said(panel, "Is Winner|Send SNS")
    expect(status(panel)).to_contain_text("SUCCEEDED: 3 drawn.")
    expect(panel.locator("ol li")).to_have_count(3)
    expect(panel).to_contain_text("Messages that went out to the topic: 1")
    seen = panel.page.evaluate("window.seen")
    assert [said for said, statuses in seen if "running" in statuses]
    assert seen[-1][1].count("succeeded") == 7
    assert panel.page.evaluate(
        "panel => panel.contains(window.drawing)", panel.element_handle()
    )  # not drawn again
    assert panel.locator(".edge.taken").count() >= 6
    assert len(names_of(panel)) == 3
    assert names_of(panel) <= set(winners(connect())["employee_id"]) - before
    picture(panel.page, "panel")


def test_step_through_the_states(drawn):
    """The keyboard alone chooses states: Tab goes to the drawing, the arrow keys go through it."""
    page, panel = drawn.page, drawn
    button(panel, "Draw").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('state')"):
            break
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading", name="Input Lottery Winners ✓ succeeded")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(panel.get_by_role("heading", name="Validate Winners ✓ succeeded")).to_be_visible()
    page.keyboard.press("ArrowUp")
    expect(panel.get_by_role("heading", name="Random Select Winners ✓ succeeded")).to_be_visible()
    page.keyboard.press("End")
    expect(panel.get_by_role("heading", name="Failed not entered")).to_be_visible()


def serious(page, context):
    """What axe-core finds in JupyterLab."""
    page.add_style_tag(content="body {height: 100%}")  # else it is 0 high, and axe takes all for hidden
    return violations(page, context, serious=True)


def test_it_fits_and_can_be_read(drawn, picture):
    """Graph and details are in view, nothing is cut off, letters have 11 pixels."""
    page, panel = drawn.page, drawn
    chosen(panel, "Validate Winners").click()
    for theme, (width, height) in {"Light": (1920, 1080), "Dark": (1280, 800)}.items():
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(THEME, f"JupyterLab {theme}")
        panel.evaluate("panel => panel.scrollIntoView({block: 'start'})")
        expect(panel.get_by_role("heading", name="Validate Winners ✓ succeeded")).to_be_in_viewport()
        expect(panel.locator(".json").first).to_contain_text('"num_of_winners": 1')
        expect(panel.locator(".json").first).to_be_in_viewport()
        expect(chosen(panel, "Failed")).to_be_in_viewport()
        assert misfits(panel, but=MAY_BE_WIDER) == []
        assert panel.evaluate(LETTERS) >= 11
        wait_until(partial(_is_whole, page, panel))
        assert serious(page, ".lottery-panel") == []
        picture(page, f"panel_{theme.lower()}_{width}")


def _is_whole(page, panel):
    """Whether the window has room for the graph. JupyterLab may still lay out the cells above the panel."""
    panel.evaluate("panel => panel.scrollIntoView({block: 'start'})")
    room, main = page.locator(".jp-WindowedPanel-outer").first, panel.locator(".main")
    seen, box = (each.bounding_box() for each in (room, main))
    return box["y"] + box["height"] <= seen["y"] + seen["height"]


def test_execution_view(drawn, picture):
    """A past execution in a cell of its own fits, tells the whole of it at first, and axe finds nothing."""
    page = drawn.page
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate(NEW_CELL, PAST)
    view = page.locator(".lottery-execution").last
    view.evaluate("view => view.scrollIntoView({block: 'start'})")
    expect(view.get_by_role("heading", name="The whole execution")).to_be_in_viewport()
    chosen(view, "Notify Winners").click()
    expect(view.get_by_role("heading", name="Notify Winners ✓ succeeded")).to_be_in_viewport()
    timeline, graph = (view.locator(of).bounding_box() for of in (".below svg", ".lottery-graph"))
    assert timeline["y"] >= graph["y"] + graph["height"] and timeline["width"] > graph["width"]
    assert misfits(view, but=MAY_BE_WIDER) == []
    assert view.evaluate(LETTERS) >= 11
    assert serious(page, ".lottery-execution:not(.lottery-panel *)") == []
    picture(page, "execution_view")


def broken_words(text):
    """Words that are on two lines, although one line has room for them."""
    return [word for word, lines in text.evaluate(script("lines_of_words")) if lines > 1]


def test_words_are_whole(drawn):
    """JupyterLab breaks words anywhere in a text that is shown as it is; a definition and a log are read."""
    page = drawn.page
    page.set_viewport_size({"width": 1366, "height": 768})
    page.evaluate(NEW_CELL, 'graph_view(workflow["definition"], with_text=True)')
    text = page.locator(".lottery-text > pre")
    expect(text).to_contain_text("States.ALL")
    assert broken_words(text) == []
    chosen(drawn, "Validate Winners").click()
    drawn.get_by_role("tab", name="Log").click()
    expect(drawn.locator(".log")).to_contain_text("REPORT")
    assert broken_words(drawn.locator(".log")) == []


def _rgb(colour):
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


def test_a_refused_number_looks_refused(drawn, picture):
    """What is wrong stands in the colours of an error, in both themes, and the bar is not green."""
    set_number(drawn, 99)
    alert = drawn.get_by_role("alert")
    expect(alert).to_have_text(re.compile("^✗ You ask for 99 winners"))
    ground = "one => getComputedStyle(one).backgroundColor"
    assert drawn.locator(".progress-bar").evaluate(ground) == "rgba(0, 0, 0, 0)"
    for theme in ("Dark", "Light"):
        drawn.page.evaluate(THEME, f"JupyterLab {theme}")
        expect(alert).to_have_css("background-color", _rgb(COLOURS["failed-fill"]._asdict()[theme.lower()]))
        assert serious(drawn.page, ".lottery-controls") == []
        picture(drawn.page, f"refused_{theme.lower()}")
    set_number(drawn, 1)
    expect(alert).to_have_count(0)


def test_zoom(panel):
    """The drawing grows and shrinks, and comes back to the size that fits."""

    def wide():
        return panel.locator(".stage svg").bounding_box()["width"]

    fit = wide()
    button(panel, "Zoom in").click()
    assert wide() > fit
    panel.get_by_role("button", name=re.compile(r"\d+ %\. Zoom to 100 %")).click()
    assert abs(panel.evaluate(LETTERS) - 11 * 4 / 3) < 0.5
    button(panel, "Zoom to fit").click()
    assert wide() == fit


def test_the_buttons_cover_nothing_of_a_wide_drawing(panel):
    """However far the drawing is zoomed in, it begins below the buttons: they cover no state."""
    stage, tools = panel.locator(".stage"), panel.locator(".tools")
    for _ in range(5):
        button(panel, "Zoom in").click()
        buttons = tools.bounding_box()
        assert stage.bounding_box()["y"] >= buttons["y"] + buttons["height"]
    button(panel, "Zoom to fit").click()
    assert stage.bounding_box()["y"] < tools.bounding_box()["y"]


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
    panel.get_by_role("textbox", name="Number of winners").focus()
    panel.page.keyboard.press("Tab")
    expect(button(panel, "Draw")).to_be_focused()
    panel.evaluate(WATCH)
    panel.page.keyboard.press("Space")
    wait_until_said(panel, RUNS)
    expect(status(panel)).to_contain_text("SUCCEEDED")
    expect(button(panel, "Draw")).to_be_enabled()


def test_cancel_a_slow_draw(panel, picture, tmp_path):
    """Cancel stops a draw that hangs in a slow function, and the graph says where it was."""
    target = connect()
    inject(target, "RandomSelectWinners", waits_for(tmp_path / "gate"))
    try:
        button(panel, "Draw").click()
        expect(status(panel)).to_contain_text("Random Select Winners ...")
        button(panel, "Cancel").click()
        expect(status(panel)).to_contain_text("ABORTED: Cancelled: The draw was cancelled by hand")
        expect(chosen(panel, "Random Select Winners")).to_have_attribute("data-status", "aborted")
        picture(panel.page, "cancelled")
    finally:
        (tmp_path / "gate").touch()
        Stack(target).deploy()
    assert executions(target)["status"][0] == "ABORTED"


def test_a_click_marks_a_state_by_itself(drawn):
    """The border of a state follows a click in the browser, before the kernel answers."""
    assert drawn.evaluate(MARKED, "Validate Winners")


@pytest.mark.long("the panel tries for ten seconds")
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


def test_after_a_restart_the_draw_stands_there(drawn, lesson, picture):
    """What was shown stays, without a sign of a broken link. This test ends what the kernel knew."""
    lesson.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    lesson.wait_for_function("() => document.querySelector('.jupyter-widgets-disconnected')")
    expect(drawn.locator("header")).to_contain_text("Duration")
    expect(drawn.locator(".state").first).to_be_visible()
    broken = "one => getComputedStyle(one, '::before').content"
    signs = {each.evaluate(broken) for each in drawn.locator(".jupyter-widgets-disconnected").all()}
    assert signs == {"none"}


def test_after_a_restart_nothing_looks_alive(lesson, picture):
    """The panel and the view of an execution say which cells to run, and take no click."""
    panel, view = (
        lesson.locator(of).first for of in (".lottery-panel", ".lottery-execution:not(.lottery-panel *)")
    )
    for shown in (panel, view):
        gone = shown.get_by_role("alert").filter(
            has_text="Run the first cell again, then run this cell again."
        )
        expect(gone).to_have_count(1)
        assert shown.locator(".main, .below").evaluate_all("all => all.map(one => one.inert)") == [True, True]
    for name in ("Draw", "Cancel"):
        expect(button(panel, name)).to_be_disabled()
    expect(panel.get_by_role("textbox", name="Number of winners")).to_be_disabled()
    panel.evaluate("panel => panel.scrollIntoView({block: 'start'})")
    picture(lesson, "restarted")
    assert serious(lesson, ".lottery-panel") == []
