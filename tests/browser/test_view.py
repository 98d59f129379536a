"""The view of an execution on a page of its own: what a person clicks, reads and copies."""

import json
import re
import threading

import pytest
from browser.conftest import browser_path, script, violations
from browser.view_page import ViewPage
from patience import SECONDS, wait_until
from playwright.sync_api import expect
from unit.history.histories import chain, history

from lottery_lib.definition import load
from lottery_lib.history import Reader
from lottery_lib.view.graph import graph_view
from lottery_lib.view.graph_widget import TextWidget
from lottery_lib.view.prediction import Prediction

pytestmark = pytest.mark.browser
ARN = "arn:aws:states:us-east-1:123456789012:execution:Lottery:draw-1"


@pytest.fixture
def failed(page):
    """A draw that failed, in a window of a small laptop."""
    page.set_viewport_size({"width": 1000, "height": 800})
    return ViewPage(page, Prediction(load(), history("aws_lambda_retry_caught"), {"executionArn": ARN}))


def state(page, name):
    return page.get_by_role("button", name=re.compile(f"^{name}:"))


def tab(page, name):
    return page.get_by_role("tab", name=name, exact=True)


def value_of(text):
    """A page with a state whose input is this text."""
    return Prediction(
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}},
        chain(("ExecutionStarted", {"input": text}), ("PassStateEntered", {"name": "A", "input": text})),
    )


def test_a_click_shows_what_a_state_did(page, failed):
    """The tabs of a state: cause, input, output, definition, attempts, events. The chosen tab stays."""
    expect(page.locator("header")).to_contain_text("✗ FAILED")
    expect(page.locator(".side .error")).to_have_text(
        "Random Select Winners: IndexError: list index out of range"
    )
    state(page, "Random Select Winners").click()
    expect(page.get_by_role("heading")).to_have_text("Random Select Winners ⚠ caught Task (Lambda)")
    tabs = page.locator(".side").get_by_role("tab")
    expect(tabs).to_have_text(["Cause", "Input", "Task input", "Output", "Definition", "Attempts", "Events"])
    tab(page, "Attempts").click()
    expect(page.locator(".side tbody tr")).to_have_count(3)
    state(page, "Input Lottery Winners").click()
    expect(tab(page, "Attempts")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize("how", ["the cross", "Escape", "a click beside the states"])
def test_the_whole_execution_again(page, failed, how):
    """After a look at a state, one comes back to what the whole execution got and gave."""
    heading, cross = page.get_by_role("heading"), page.get_by_role("button", name="The whole execution")
    expect(cross).to_be_hidden()
    state(page, "Random Select Winners").click()
    expect(heading).to_contain_text("Random Select Winners")
    if how == "the cross":
        cross.click()
    elif how == "Escape":
        page.keyboard.press("Escape")
    else:
        page.locator(".stage").click(position={"x": 3, "y": 3})
    expect(heading).to_have_text("The whole execution")
    expect(tab(page, "Input").first).to_be_visible()
    expect(cross).to_be_hidden()


def test_the_list_of_events_grows(page):
    """While an execution runs, the list has each event that was read, and stays where it is."""
    events = history("aws_lambda_retry_caught")
    view = Prediction(load(), events[:6])
    shown = ViewPage(page, view)
    expect(page.locator(".below")).to_contain_text("Events: 6")
    view.show(Reader(events[:9], load()))
    shown.push()
    expect(page.locator(".below")).to_contain_text("Events: 9")
    expect(page.locator(".below .rows .row")).to_have_count(9)


def test_tabs_are_reached_with_the_keyboard(page, failed):
    """The arrow keys go from tab to tab, and round."""
    tab(page, "Input").first.focus()
    page.keyboard.press("ArrowRight")
    expect(tab(page, "Output")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(tab(page, "Definition")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(tab(page, "Input").first).to_be_focused()


def test_json_is_shown_as_it_is(page):
    """Long numbers keep their digits, HTML stays text, and deep values fold."""
    text = '{"n": 12345678901234567890, "html": "<img src=x onerror=alert(1)>", "deep": [{"a": [1, {}, []]}]}'
    ViewPage(page, value_of(text))
    shown = page.locator(".side .json")
    assert json.loads(shown.inner_text().replace("▾", "")) == json.loads(text)
    expect(shown).to_contain_text("12345678901234567890")
    assert page.locator(".side img").count() == 0
    shown.locator("summary").first.click()
    expect(shown).to_have_text(re.compile(r"^\{ 3 \}"))


def test_what_is_no_json_is_text(page):
    """A text that is cut or broken is shown as it came."""
    view = value_of('"x"')
    view.details = view.details | {"tabs": [{"title": "Input", "kind": "json", "value": '{"cut": [1, 2'}]}
    ViewPage(page, view)
    expect(page.locator(".side pre")).to_have_text('{"cut": [1, 2')


def test_json_in_a_text_opens(page):
    """A text that is JSON itself, as a function's cause is, can be opened below it."""
    ViewPage(
        page, value_of(json.dumps({"Cause": json.dumps({"errorMessage": "<b>odd</b>"}), "plain": "{odd"}))
    )
    inside = page.locator(".side details.inside")
    expect(inside).to_have_count(1)
    inside.locator("summary").click()
    expect(inside.locator(".json .text")).to_have_text('"<b>odd</b>"')


def test_a_row_of_the_states_chooses(page, failed):
    """The table of all states has the whole state's times. A click on a name chooses the state."""
    tab(page, "States").click()
    row = page.locator(".below tbody tr").filter(has_text="Random Select Winners")
    expect(row).to_contain_text("caught IndexError")
    row.get_by_role("button").click()
    expect(page.get_by_role("heading")).to_contain_text("Random Select Winners")
    expect(state(page, "Random Select Winners")).to_have_attribute("aria-pressed", "true")


def test_the_zoom_is_told(page, failed):
    """The button between minus and plus says how large the drawing is, and leads to 100 %."""
    told = page.get_by_role("button", name=re.compile("Zoom to 100 %"))
    before = told.inner_text()
    page.get_by_role("button", name="Zoom in").click()
    expect(told).not_to_have_text(before)
    told.click()
    expect(told).to_have_text("100 %")


def test_reading_shows_its_progress(page):
    """While events still come, the header counts them. Then it has the execution."""
    events, go_on = history("aws_lambda_retry_caught"), threading.Event()

    def come():
        yield events[0]
        assert go_on.wait(SECONDS)
        yield from events[1:]

    view = Prediction(load(), come(), {"executionArn": ARN})
    wait_until(lambda: view.header)
    shown = ViewPage(page, view)
    expect(page.locator("header")).to_have_text("Reading ...Events: 0")
    go_on.set()
    wait_until(lambda: "facts" in view.header)
    shown.push()
    expect(page.locator("header")).to_contain_text("✗ FAILED")
    expect(state(page, "Random Select Winners")).to_have_attribute("data-status", "caught")


def test_copy(page):
    """The button copies the whole value, also where the page may not use the clipboard."""
    page.add_init_script("document.execCommand = () => { window.copied = getSelection().toString(); }")
    page.goto("about:blank")
    ViewPage(page, value_of('{"a": 1}'))
    page.evaluate(
        "navigator.clipboard && (navigator.clipboard.writeText = text => { window.copied = text; })"
    )
    page.locator(".side").get_by_role("button", name="Copy").click()
    expect(page.locator(".side .copy")).to_have_text("Copied")
    assert page.evaluate("window.copied") == '{"a": 1}'


def test_events_are_loaded_as_one_scrolls(page):
    """Of 25,000 events few are on the page; a filter finds one; a click shows it whole."""
    loop = [("ExecutionStarted", {"input": "{}"})]
    for number in range(12_499):
        loop += [
            ("PassStateEntered", {"name": "A", "input": str(number)}),
            ("PassStateExited", {"name": "A"}),
        ]
    events = chain(*loop, ("ExecutionSucceeded", {"output": "{}"}))
    ViewPage(page, Prediction({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}}}, events))
    tab(page, "Events").click()
    rows, below = page.locator(".below .rows .row"), page.locator(".below")
    expect(below).to_contain_text("Events: 25,000")
    assert rows.count() < 60
    below.locator(".rows").evaluate("list => list.scrollTo(0, 1e9)")
    expect(rows.last).to_contain_text("ExecutionSucceeded")
    below.get_by_role("searchbox").fill("24999")
    expect(below).to_contain_text("Events: 1")
    rows.first.click()
    expect(below.locator(".event")).to_contain_text('"PassStateExited"')


def test_a_prediction_is_asked_and_compared(page):
    """Before the draw, each state asks. After it, a table says what was right."""
    page.set_viewport_size({"width": 1000, "height": 800})
    shown = ViewPage(page, view := Prediction(load()))
    state(page, "Input Lottery Winners").click()
    expect(page.get_by_role("radio", checked=True)).to_have_count(0)
    page.get_by_role("radio", name="✓ succeeded").check()
    expect(state(page, "Input Lottery Winners")).to_have_attribute("data-status", "succeeded")
    expect(page.get_by_role("radio", name="✓ succeeded")).to_be_focused()
    view.lock()
    shown.push()
    expect(page.get_by_role("radio")).to_have_count(0)
    view.compare(history("aws_lambda_retry_caught"))
    shown.push()
    expect(page.locator(".side")).to_contain_text("States that you predicted: 1 of 8. Right: 1.")


def test_text_and_graph_belong_together(page):
    """A chosen state shows its lines of the definition; a click on a line chooses its state."""
    page.set_viewport_size({"width": 1000, "height": 800})
    ViewPage(page, TextWidget(graph_view(load(), with_text=True)))
    state(page, "Validate Winners").click()
    chosen = page.locator("pre .chosen")
    expect(chosen.first).to_contain_text('"Validate Winners": {')
    expect(chosen.first).to_be_in_viewport()
    page.locator("pre div", has_text="NumericEquals").first.click()
    expect(state(page, "Is Winner In Past Draw")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (640, 900)])
def test_axe_finds_nothing_serious(page, theme, size, picture):
    """In both themes, in three sizes: with a failed state chosen, and all events below."""
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    ViewPage(
        page, view := Prediction(load(), history("aws_lambda_retry_caught"), {"executionArn": ARN}), theme
    )
    state(page, "Random Select Winners").click()
    page.get_by_text("What the signs mean").click()
    picture(page, f"view_{theme}_{size[0]}")
    assert violations(page, "#view", serious=True) == []
    assert view.chosen == "Random Select Winners"


@pytest.mark.parametrize("height", [650, 700])
def test_a_graph_keeps_its_size(chromium, height):
    """With scroll bars as people have them: one came and went with each frame, and the graph with it."""
    launch = chromium.browser_type.launch
    bars = {"args": ["--no-sandbox"], "ignore_default_args": ["--hide-scrollbars"]}
    with launch(executable_path=browser_path(), **bars) as browser:
        page = browser.new_page(viewport={"width": 960, "height": height})
        ViewPage(page, Prediction(load(), history("aws_lambda_retry_caught"), {"executionArn": ARN}))
        page.get_by_text("What the signs mean").click()
        sizes = page.locator(".stage svg").evaluate(script("widths_of_frames"))
    assert len(set(sizes)) == 1
