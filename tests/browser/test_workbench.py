"""The workbench on a page: what a person types, presses and sees; in JupyterLab, beside the editor."""

import re

import pytest
from browser.conftest import script, violations
from browser.view_page import ViewPage
from playwright.sync_api import expect
from unit.history.histories import history

from lottery_lib.definition import load
from lottery_lib.view.workbench import WorkbenchWidget

pytestmark = pytest.mark.browser
NEW_CELL = script("run_a_new_cell")
REAL = "aws_lambda_retry_caught"
CELL = """
from pathlib import Path
from lottery_lib import Workbench
from lottery_lib.definition import load
Path("mine.asl.json").write_text(load())
bench = Workbench("mine.asl.json")
bench.run()
bench
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "lottery.asl.json"
    path.write_text(load(), encoding="utf-8")
    return path


@pytest.fixture
def shown(page, file):
    """A workbench on a page, in a window of a small laptop."""
    page.set_viewport_size({"width": 1280, "height": 1000})
    return ViewPage(page, WorkbenchWidget(file.name, lambda: history(REAL), watch=False))


def state(page, name):
    return page.locator(".stage").get_by_role("button", name=re.compile(f"^{name}"))


def answer(page, name, number=1):
    return page.get_by_label(f"{name}, It answers, call by call {number}", exact=True)


def save(shown, file, text):
    file.write_text(text, encoding="utf-8")
    shown.work()


def test_answers_are_typed_and_run(page, shown, picture):
    """From nothing: Run says which answer is missing; each answer that is typed is run at once."""
    page.get_by_role("button", name="▶ Run").click()
    expect(page.get_by_role("alert")).to_have_text(
        "Input Lottery Winners has no answer yet: write it in the table below."
    )
    picture(page, "workbench_open")
    answer(page, "Input Lottery Winners").fill('{"body": {"num_of_winners": 2}}')
    answer(page, "Input Lottery Winners").press("Enter")
    expect(page.get_by_role("alert")).to_have_text(
        "Random Select Winners has no answer yet: write it in the table below."
    )
    page.get_by_label("Random Select Winners 1", exact=True).select_option("error")
    answer(page, "Random Select Winners").fill("Busy: call later")
    answer(page, "Random Select Winners").press("Enter")
    expect(page.locator("header")).to_contain_text("✗ FAILED")
    expect(state(page, "Random Select Winners")).to_have_attribute("aria-label", re.compile("caught"))
    page.get_by_role("button", name="Random Select Winners: Add an answer").click()
    page.get_by_label("Random Select Winners 2", exact=True).select_option("result")
    answer(page, "Random Select Winners", 2).fill('{"body": {}}')
    answer(page, "Random Select Winners", 2).press("Enter")
    expect(page.get_by_role("alert")).to_have_text(
        "Validate Winners has no answer yet: write it in the table below."
    )
    assert shown.view.answers["Random Select Winners"] == [
        {"text": "Busy: call later", "fails": True, "never": False},
        {"text": '{"body": {}}', "fails": False, "never": False},
    ]


def test_what_one_types_stays(page, shown):
    """Whatever the run tells meanwhile; and a press on another control counts while a field is left."""
    page.get_by_role("button", name="▶ Run").click()
    first, second = answer(page, "Input Lottery Winners"), answer(page, "Validate Winners")
    first.press_sequentially('{"body"')
    shown.view._say("something")
    shown.push()
    first.press_sequentially(": {}}")
    expect(first).to_have_value('{"body": {}}')
    second.click()
    second.press_sequentially("{}")
    page.get_by_role("button", name="Validate Winners: Add an answer").click()
    expect(answer(page, "Validate Winners", 2)).to_have_value("{}")
    assert [len(each) for each in shown.view.answers.values()] == [1, 2]


def test_a_failure_before_a_result(page, shown):
    """One press lets a Task fail first; a result that becomes an error gets a name, and comes back."""
    page.get_by_role("button", name="Take the answers of the latest draw").click()
    field = answer(page, "Input Lottery Winners")
    expect(field).to_have_value('{"body":{"num_of_winners":1}}')
    kind = page.get_by_label("Input Lottery Winners 1", exact=True)
    kind.select_option("error")
    expect(field).to_have_value("States.TaskFailed: the cause")
    kind.select_option("result")
    expect(field).to_have_value('{"body":{"num_of_winners":1}}')
    page.get_by_role("button", name="Input Lottery Winners: Let it fail once before").click()
    expect(field).to_have_value("States.TaskFailed: the cause")
    expect(answer(page, "Input Lottery Winners", 2)).to_have_value('{"body":{"num_of_winners":1}}')


def test_a_state_is_added(page, shown, file):
    """The graph has it at once, whatever the page is told first."""
    more = '"Failed": {"Type": "Fail"}, "More": {"Type": "Pass", "Next": "Failed"}'
    save(shown, file, load().replace('"Failed": {"Type": "Fail"}', more))
    expect(state(page, "More")).to_be_visible()
    expect(state(page, "Failed")).to_have_attribute("aria-label", re.compile("not entered"))


def test_from_event_to_event_with_the_keyboard(page, shown, picture):
    """The answers of a real draw are taken, and the slider goes through the run, forwards and back."""
    page.get_by_role("button", name="Take the answers of the latest draw").click()
    count = len(history(REAL))
    expect(page.locator(".moment")).to_contain_text(f"{count} / {count} ExecutionFailed")
    picture(page, "workbench_run")
    slider = page.get_by_role("slider")
    slider.press("Home")
    slider.press("ArrowRight")
    expect(page.locator(".moment")).to_have_text(f"2 / {count} TaskStateEntered · Input Lottery Winners")
    expect(state(page, "Input Lottery Winners")).to_have_attribute("aria-label", re.compile("running"))
    page.get_by_role("button", name="One event back").click()
    expect(page.locator(".moment")).to_have_text(f"1 / {count} ExecutionStarted")
    expect(page.get_by_role("button", name="One event back")).to_be_disabled()


def test_a_fault_leads_to_its_state(page, shown, file, picture):
    """AWS's sentence stands above the graph with its line, and a press on the line chooses the state."""
    save(shown, file, load().replace('"MaxAttempts": 2', '"MaxTries": 2', 1))
    expect(page.get_by_role("listitem").filter(has_text="MaxTries")).to_have_text(
        "Line 20Field 'MaxTries' is not supported (Retry[0])"
    )
    page.get_by_role("button", name="Line 20").click()
    expect(state(page, "Random Select Winners")).to_have_attribute("aria-pressed", "true")
    save(shown, file, load()[:900])
    expect(page.get_by_role("alert")).to_contain_text("This cannot be drawn.")
    expect(page.locator(".stale")).to_be_visible()
    picture(page, "workbench_faults")


def test_another_cell_takes_the_file_over(page, shown, file, picture):
    """One line of the first workbench is left, and says so."""
    expect(state(page, "Failed")).to_be_visible()
    WorkbenchWidget(file.name, watch=False)
    shown.push()
    expect(page.get_by_role("alert")).to_have_text(re.compile("^Another cell shows this file now"))
    expect(page.locator(".lottery-execution")).to_be_hidden()
    picture(page, "workbench_left")
    assert page.locator(".lottery-bench").bounding_box()["height"] < 60


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 820])
def test_axe_finds_nothing_serious(page, file, theme, width, picture):
    """In both themes, also beside an editor: after a run, with a state that was tested alone."""
    page.set_viewport_size({"width": width, "height": 1000})
    view = WorkbenchWidget(file.name, watch=False)
    view.take(history(REAL))
    view.run()
    ViewPage(page, view, theme)
    state(page, "Input Lottery Winners").click()
    page.get_by_role("tab", name="Alone").click()
    picture(page, f"workbench_{theme}_{width}")
    assert violations(page, "#view", serious=True) == []


def test_beside_the_editor(page, open_notebook, picture):
    """One press opens the file beside the notebook, and the graph follows what one saves there."""
    page.set_viewport_size({"width": 1600, "height": 1000})
    open_notebook(page, "05_state_machine.ipynb")
    page.evaluate(NEW_CELL, CELL)
    page.get_by_role("button", name="mine.asl.json").click()
    editor = page.locator(".jp-FileEditor .cm-content")
    editor.get_by_text('"Failed": {').click()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")  # in front of its brace
    page.keyboard.type(', "Comment": "Sorry"')
    page.keyboard.press("Control+s")
    state(page, "Failed").click()
    expect(page.locator(".lottery-bench .side .json")).to_contain_text("Sorry")
    picture(page, "workbench_lab")
    page.get_by_role("slider").press("ArrowDown")
    for control in ("Input Lottery Winners 1", "Zoom in", "Failed: Fail, not entered"):
        page.locator(".lottery-bench").get_by_label(control, exact=True).press("r")
    page.get_by_text("What the signs mean").press("r")
    expect(page.locator(".jp-Notebook .jp-RawCell")).to_have_count(0)
