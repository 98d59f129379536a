"""A widget on a page without Jupyter: what it tells the page, and what it hears."""

import json
import os
import subprocess
import sys

import pytest
import traitlets

from lottery_lib.definition import load
from lottery_lib.view.page import PageWidget

PROGRAM = """
import json, sys
sys.modules["anywidget"] = None  # as in a browser
from lottery_lib.view.try_page import TryBench
said, texts = [], json.load(sys.stdin)
bench = TryBench(texts[0], {"A": [{"text": "1", "fails": False}]}, "{}")
bench.connect(lambda message: said.append(json.loads(message)))
bench.told('{"msg": {"do": "run"}}')
bench.edit(texts[1])
print(json.dumps([{name: value for each in said for name, value in each.get("set", {}).items()}, len(said)]))
"""


class Counter(PageWidget):
    count = traitlets.Int().tag(sync=True)
    name = traitlets.Unicode("a").tag(sync=True)
    own = traitlets.Int()


@pytest.fixture
def told():
    return []


@pytest.fixture
def counter(told):
    widget = Counter(count=1)
    widget.connect(lambda message: told.append(json.loads(message)))
    return widget


def test_a_page_gets_all_traits_and_then_the_changes(counter, told):
    """Only traits of the page, and none that has not changed."""
    counter.count = counter.own = 2
    counter.count = 2
    assert told == [{"set": {"count": 1, "name": "a"}}, {"set": {"count": 2}}]


def test_changes_can_be_told_at_once(counter, told):
    """Also if one who holds them back calls another one."""
    with counter.hold_sync(), counter.hold_sync():
        counter.count, counter.name = 3, "b"
    assert told[1:] == [{"set": {"count": 3, "name": "b"}}]


def test_it_hears_the_page(counter, told):
    """A trait that a person has changed, and a message. After it is closed, it says nothing."""
    heard = []
    counter.on_msg(lambda _widget, content, _buffers: heard.append(content))
    counter.told('{"set": {"count": 5}, "msg": {"do": "run"}}')
    counter.send({"do": "open"})
    counter.close()
    counter.count = 6
    assert heard == [{"do": "run"}]
    assert told[1:] == [{"set": {"count": 5}}, {"msg": {"do": "open"}}]


def test_the_workbench_needs_no_jupyter(tmp_path):
    """Without anywidget, the same workbench runs, and runs again after a change of its text."""
    texts = [
        load(),
        '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "<A:ARN>", "End": true}}}',
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(texts), capture_output=True, encoding="utf-8", check=False, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    state, count = json.loads(done.stdout)
    assert state["states"] == ["A"]
    assert state["header"]["word"] == "✓ SUCCEEDED"
    assert state["bench"]["problem"] == ""
    assert count < 20
