"""Measure what people wait for in a browser: `make bench` runs this, and its table has the goals.

Each figure is a property of a test, in milliseconds. `benchmarks/moments.py` reads them.
"""

import json
from statistics import median

import pytest
from browser.conftest import script
from browser.test_check_page import check_page, party
from browser.test_panel import draw_one, panel_of
from browser.test_stage import people, show, tab, winners_of  # noqa: F401 - two are fixtures
from helpers import wait_until

pytestmark = pytest.mark.browser
FIRST_PAINT = script("time_first_paint")
CLICK = script("time_click_on_a_state")
CHECK = script("time_check")


def test_panel(page, open_notebook, run_all, record_property):
    """A panel from its cell to its graph, and from a click on a state to its border and to its tabs."""
    open_notebook(page, "00_overview.ipynb")
    run_all(page)
    panel = panel_of(page)
    draw_one(panel)
    record_property("panel", median(page.evaluate(FIRST_PAINT) for _ in range(5)))
    states = ("Validate Winners", "Failed", "Notify Winners", "Input Lottery Winners", "Record Winner Queue")
    border, tabs = zip(*(panel.evaluate(CLICK, name) for name in states), strict=True)
    record_property("border", median(border))
    record_property("tabs", median(tabs))


@pytest.mark.parametrize(("rank", "count"), [(1, 1), (0.4, 20), (0, 97), (0, 450)])
def test_stage(show, tab, record_property, rank, count):  # noqa: F811
    """The script of the stage in a frame, and its longest task, with 10,000 names at 1920x1080.

    A trace of Chromium tells the time of the processor. The pause that a garbage collection may make in a
    frame is not the script's: one frame in a hundred may be longer.
    """
    names = people(10_000, chinese=True)
    ready = {"kind": "ready", "prize": "Coffee machine", "count": count, "place": "1 of 1", "rank": rank}
    show(ready, size=(1920, 1080), names=names)
    devtools = tab.context.new_cdp_session(tab)
    events, ended = [], []
    devtools.on("Tracing.dataCollected", lambda data: events.extend(data["value"]))
    devtools.on("Tracing.tracingComplete", lambda _: ended.append(True))
    categories = ["devtools.timeline", "disabled-by-default-devtools.timeline"]
    options = {"transferMode": "ReportEvents", "traceConfig": {"includedCategories": categories}}
    devtools.send("Tracing.start", options)
    # What a test asks for is no task of a page.
    later = "scene => { setTimeout(() => model.set('scene', scene)); }"
    tab.evaluate(later, ready | {"kind": "rolling"})
    tab.evaluate(script("see_frames"), 60)
    tab.evaluate(later, winners_of(names[:count], "Sales") | {"rank": rank})
    tab.wait_for_function("seen.length === 1")
    devtools.send("Tracing.end")
    wait_until(lambda: tab.evaluate("true") and ended)
    devtools.detach()
    frames = [each for each in events if each["name"] == "FireAnimationFrame" and "tdur" in each]
    (thread,) = {(each["pid"], each["tid"]) for each in frames}
    tasks = [
        each["tdur"] / 1000
        for each in events
        if each["name"] == "RunTask" and (each["pid"], each["tid"]) == thread and "tdur" in each
    ]
    assert len(tasks) > len(frames) > 30
    record_property("frame", sorted(each["tdur"] / 1000 for each in frames)[int(len(frames) * 0.99) - 1])
    record_property("task", max(tasks))


def test_check(page, tmp_path, record_property):
    """A guest's page checks 10,000 people and 450 winners."""
    (tmp_path / "page.html").write_text(check_page({}), encoding="utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    milliseconds, problems = page.evaluate(CHECK, json.dumps(party(10_000, 450)[0].document()))
    assert problems == []
    record_property("check", milliseconds)
