import base64
import html
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery_lib.definition import parse
from lottery_lib.errors import LotteryError
from lottery_lib.history import Reader
from lottery_lib.view import graph
from lottery_lib.view.graph import graph_view, view_of
from lottery_lib.view.painting import facts_of

DATA = Path(__file__).parent / "data"
ASL = Path(__file__).parents[3] / "asl"
SVG = "{http://www.w3.org/2000/svg}"
TUTORIAL = (ASL / "lottery.asl.json").read_text(encoding="utf-8")
PARALLEL = "Send SNS and Record In Dynamodb"
STATUSES = {
    "Input Lottery Winners": "succeeded",
    "Random Select Winners": "succeeded",
    "Validate Winners": "succeeded",
    "Is Winner In Past Draw": "succeeded",
    PARALLEL: "caught",
    "Notify Winners": "aborted",
    "Record Winner Queue": "failed",
    "Failed": "failed",
}


def one(state, **others):
    return {"StartAt": "One", "States": {"One": state, **others}}


def choice(**rule):
    return one({"Type": "Choice", "Choices": [{**rule, "Next": "Two"}]}, Two={"Type": "Succeed"})


def texts(view):
    return [text.text for text in ET.fromstring(view.svg).iter(f"{SVG}text")]


def painted(definition, statuses, attempts=()):
    """A drawing of an execution with these statuses and attempts."""
    facts = replace(facts_of(Reader()), statuses=statuses, attempts=dict(attempts))
    return view_of(parse(definition), facts)


def labels(source):
    return [text.replace(r"\l", "").strip() for text in re.findall(r'-> .*label="((?:\\.|[^"\\])*)"', source)]


def test_tutorial_plain():
    """The tutorial's machine is drawn as the stored DOT says."""
    assert graph_view(TUTORIAL).source == (DATA / "lottery_plain.gv").read_text(encoding="utf-8")


def test_what_happened_changes_no_layout():
    """A drawing of an execution has the same source as one of its definition: only the paint differs."""
    view = painted(TUTORIAL, STATUSES, attempts={PARALLEL: 3, "Notify Winners": 1})
    assert view.source == graph_view(TUTORIAL).source
    assert view.svg != graph_view(TUTORIAL).svg


def test_status_is_not_colour_alone():
    """Each status has a mark of its own in the drawing, and a word where a pointer is."""
    for mark in ["… running", "‖ waiting", "✓ succeeded", "✗ failed", "⚠ caught", "■ aborted"]:
        view = painted(one({"Type": "Pass", "End": True}), {"One": mark[2:]}, attempts={"One": 2})
        assert texts(view) == ["Start", f"{mark[0]} One", "End"]
        assert f"<title>One: Pass, {mark}, ↻ retried 1 time</title>" in view.svg


def test_retries_are_there_before_they_are_used():
    """A state says how often it may be tried again; then how often it was, in the same place."""
    machine = one({"Type": "Task", "Retry": [{"ErrorEquals": ["E"]}, {"MaxAttempts": 5}], "End": True})
    assert texts(graph_view(machine))[1:3] == ["One", "Retry: up to 8 times"]
    assert texts(painted(machine, {"One": "running"}, attempts={"One": 3}))[2] == "↻ retried 2 times"
    assert "One has a Retry." in graph_view(machine).alt
    never = one({"Type": "Task", "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 0}], "End": True})
    assert texts(graph_view(never)) == ["Start", "One", "End"]


def test_colours_have_six_digits():
    """Some Graphviz draw three-digit colours black, so there are none."""
    svg = painted(TUTORIAL, STATUSES).svg
    assert set(map(len, re.findall(r"#[0-9a-f]+\b", svg))) == {7}


def test_parallel_is_a_box_with_cut_edges():
    """Edges to and from a Parallel end at the border of its box."""
    source = graph_view(TUTORIAL).source
    assert f'subgraph "cluster 5 {PARALLEL}"' in source
    assert f'lhead="cluster 5 {PARALLEL}"' in source
    assert f'ltail="cluster 5 {PARALLEL}"' in source


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"Variable": "$.a", "NumericEquals": 0}, "$.a == 0"),
        ({"Variable": "$.a", "StringEquals": "北京"}, r"$.a == \"北京\""),
        ({"Variable": "$.a", "NumericGreaterThanEqualsPath": "$.b"}, "$.a >= $.b"),
        ({"Variable": "$.a", "TimestampLessThan": "2026-01-01"}, r"$.a < \"2026-01-01\""),
        ({"Variable": "$.a", "BooleanEquals": True}, "$.a == true"),
        ({"Variable": "$.a", "IsPresent": True}, "$.a is present"),
        ({"Variable": "$.a", "IsNull": False}, "$.a is not null"),
        ({"Variable": "$.a", "StringMatches": "x*"}, r"$.a matches \"x*\""),
        ({"Not": {"Variable": "$.a", "IsNull": True}}, "not ($.a is null)"),
        ({"Condition": "{% $n > 2 %}"}, "$n > 2"),
    ],
)
def test_choice_rules_are_readable(rule, text):
    """A rule is written in a few words and signs."""
    assert labels(graph_view(choice(**rule)).source) == [text]


def test_a_rule_about_presence_has_words_of_the_language(catalogue, monkeypatch):
    """A rule that compares has signs. One that asks whether a value is there has words, which people read."""
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue({"is not present": "不存在"})
    assert labels(graph_view(choice(Variable="$.a", IsPresent=False)).source) == ["$.a 不存在"]


def test_catch_is_dashed_and_has_its_name():
    """Each Catch edge is dashed and says Catch; it names the errors if they lead to several states."""
    dashed = [line for line in graph_view(TUTORIAL).source.splitlines() if "dashed" in line]
    assert ['label="  Catch ' in line for line in dashed] == [True] * 4
    assert "CustomError" not in str(dashed)
    catch = [
        {"ErrorEquals": [error], "Next": to} for error, to in (("A", "Two"), ("B", "Three"), ("C", "Two"))
    ]
    ends = {"Two": {"Type": "Fail"}, "Three": {"Type": "Succeed"}}
    source = graph_view(one({"Type": "Task", "Catch": catch, "End": True}, **ends)).source
    assert labels(source) == ["Catch:   A, C", "Catch:   B"]


def test_loops_are_drawn_from_above():
    """The edge by which a workflow loops is turned round, so that the drawing keeps its direction."""
    [line] = [line for line in graph_view(TUTORIAL).source.splitlines() if "$.status == 1" in line]
    assert "dir=back" in line
    assert line.strip().startswith('"2 Random Select Winners" ->')


def test_end_is_reached_from_end_succeed_and_fail():
    """States with End, and Succeed and Fail, lead to End; those inside a Parallel do not."""
    source = graph_view(TUTORIAL).source
    assert len(re.findall("-> End", source)) == 2


def test_map_is_a_box():
    """A Map is a box, under its new field and its old one."""
    for key in ("ItemProcessor", "Iterator"):
        inner = {"StartAt": "Inner", "States": {"Inner": {"Type": "Pass", "End": True}}}
        source = graph_view(one({"Type": "Map", key: inner, "End": True})).source
        assert r'label="One\n(for each item)"' in source
        assert "label=Inner" in source


def test_a_state_says_what_it_assigns_and_what_it_waits_for():
    """Variables of a state, its rules and its catchers, each once; a state that waits for a token."""
    machine = {
        "StartAt": "Ask",
        "States": {
            "Ask": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
                "Assign": {"x.$": "$.x", "y": 1},
                "Catch": [{"ErrorEquals": ["States.ALL"], "Assign": {"y": 2, "z": 3}, "Next": "Ask"}],
                "Next": "Choose",
            },
            "Choose": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $x %}", "Assign": {"n": 1}, "Next": "Ask"}],
            },
        },
    }
    view = graph_view(machine)
    assert r'label="Ask\n(waits for a token)\nassigns x, y, z"' in view.source
    assert r'label="Choose\nassigns n"' in view.source
    assert "Ask waits for a token. Ask assigns x, y, z. Choose assigns n." in view.alt


def test_chinese_names_get_room():
    """A Chinese letter counts twice, and a long Chinese name wraps without spaces."""

    def width(name):
        source = graph_view({"StartAt": name, "States": {name: {"Type": "Fail"}}}).source
        return float(re.findall(r"width=([0-9.]+)\]\n\tEnd", source)[0])

    assert width("中奖人数") == width("abcdefgh")
    assert graph._wrap("发送短信通知并且将中奖员工的记录写入数据库") == [
        "发送短信通知并且将中奖",
        "员工的记录写入数据库",
    ]


@given(st.lists(st.text(min_size=1, max_size=80).filter(str.strip), min_size=1, max_size=5, unique=True))
def test_every_state_is_in_the_source(names):
    """Whatever a state is called, it has a node of its own and an edge, and the source is the same twice."""
    states = {name: {"Type": "Pass", "Next": after} for name, after in pairwise(names)}
    states[names[-1]] = {"Type": "Pass", "End": True}
    machine = {"StartAt": names[0], "States": states}
    source = graph_view(machine).source
    assert source == graph_view(machine).source
    plain = re.sub(r'"(\\.|[^"\\])*"', '""', source)  # without the names, one of which may be "->"
    assert plain.count("fillcolor=") == len(names) + 2
    assert plain.count("->") == len(names) + 1


@pytest.mark.parametrize(
    "name", ["<b>bold</b>", 'say "x"', r"back\nslash", "a:b", "R&amp;D", "{x|y}", "graph"]
)
def test_strange_names_are_drawn_as_they_are(name):
    """Names that mean something to Graphviz come out of it as they went in."""
    view = graph_view({"StartAt": name, "States": {name: {"Type": "Fail"}}})
    assert texts(view) == ["Start", name, "End"]


def test_bundle_shows_in_untrusted_notebooks():
    """The HTML is an img with the whole SVG and an escaped alt text, not more than the cell's width."""
    view = graph_view(one({"Type": "Pass", "End": True}), title='"A" & <B>')
    bundle = view._repr_mimebundle_(include=None, exclude=None)
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    alt, data = re.fullmatch(
        r"<style>.*</style>"
        r'<img class="lottery-image" alt="([^"]*)" style="max-width:100%" '
        r'src="data:image/svg\+xml;base64,(.*)">',
        bundle["text/html"],
    ).groups()
    assert html.unescape(alt) == bundle["text/plain"] == view.alt
    assert base64.b64decode(data).decode() == bundle["image/svg+xml"] == view.svg


def test_alt_says_it_in_words():
    """The alt text gives the order, what the Parallel holds, and which state has which status."""
    alt = painted(TUTORIAL, STATUSES).alt
    assert alt.startswith("Workflow, from Start to End: Input Lottery Winners, Random Select Winners, ")
    assert f"{PARALLEL} (which holds Notify Winners beside Record Winner Queue)" in alt
    assert "Of 8 states, " in alt
    assert "failed: Record Winner Queue, Failed." in alt


def test_a_drawing_needs_no_aws_and_no_pandas():
    """A page that draws loads neither, and no widget."""
    code = "import sys; from lottery_lib import graph_view; graph_view(sys.argv[1]).svg; "
    code += "assert not {'pandas', 'boto3', 'botocore', 'ipywidgets', 'IPython'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code, TUTORIAL], check=True)


def test_svg_is_drawn_once(monkeypatch, tmp_path):
    """The SVG is drawn when it is first needed, and kept; save writes it."""
    calls = []
    monkeypatch.setattr(graph, "render", lambda source: calls.append(source) or "<svg>x</svg>")
    view = graph_view(TUTORIAL, title="drawn nowhere else")  # drawings of one definition share the layout
    assert not calls
    view._repr_mimebundle_()
    graph_view(TUTORIAL, title="drawn nowhere else")._repr_mimebundle_()
    assert view.save(tmp_path / "a.svg").read_text().endswith("</style>x</svg>")
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "has no StartAt"),
        ({"StartAt": "A"}, "has no StartAt or no States"),
        (one({"Type": "Pass", "Next": "Gone"}), "'Gone', which is not a state"),
        (one({"Type": "Parallel", "End": True, "Branches": [{}]}), "which is not a state"),
    ],
)
def test_definitions_that_cannot_be_drawn(definition, words):
    """A definition that cannot be drawn is refused in words, not with a KeyError."""
    with pytest.raises(LotteryError, match=words):
        graph_view(definition)


def test_module_is_pure():
    """Neither module brings in boto3 or ipywidgets."""
    import subprocess

    code = "import sys, lottery_lib.view.graph, lottery_lib.history; "
    code += "print({'boto3', 'ipywidgets'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=DATA.parents[3]
    )
    assert done.stdout.strip() == "set()"


def test_chinese_words_have_room(catalogue, monkeypatch):
    """Graphviz takes a Chinese letter for narrower than it is: a title, a Catch and a rule get more room."""
    one = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}

    def wide(**named):
        return float(re.search('viewBox="0.00 0.00 ([0-9.]+)', graph_view(one, **named).layout)[1])

    assert wide(title="抽" * 26) > 26 * 11
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue({"Start": "开" * 10, "Catch": "捕" * 13})
    assert wide() > 10 * 11 * 2**0.5  # an ellipse is wider than its text by the root of two
    caught = {"Type": "Task", "End": True, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}]}
    view = graph_view({"StartAt": "A", "States": {"A": caught, "B": {"Type": "Fail"}}})
    letters, spaces = re.search(">\u00a0*\\s*(捕+) (\u00a0*)<", view.layout).groups()
    assert len(spaces) * 3 > len(letters) * 1.9  # points: 11 - 9.1, and 3 for a space


def test_text_stands_beside_its_graph():
    """The whole definition stands in colours beside its drawing; a tag in it stays text."""
    machine = one({"Type": "Fail", "Cause": "<b>&"})
    view = graph_view(machine, with_text=True)
    shown = view._repr_mimebundle_()
    page = shown["text/html"]
    assert graph_view(machine).html in page
    assert json.loads(html.unescape(re.sub("<style>.*</style>|<[^>]*>", "", page))) == machine
    assert "<span style=" in page
    assert shown["text/plain"] == graph_view(machine).alt


def left_to_right(machine):
    """The edges from left to right, by the middle of what is drawn."""
    middles = {}
    for group in ET.fromstring(graph_view(machine).layout).iter(f"{SVG}g"):
        if group.get("id", "").startswith("edge"):
            xs = [float(x) for x in re.findall(r"(-?[\d.]+),", group.find(f"{SVG}path").get("d"))]
            middles[group.get("id")] = sum(xs) / len(xs)
    first = middles["edge-0"]
    return {edge: (x > first + 3) - (x < first - 3) for edge, x in middles.items()}


@pytest.mark.parametrize("edition", ["", "_jsonata", "_hardened"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (r'"NumericEquals": 1', '"NumericEquals": 100'),
        (r"\$\.status|states\.input\.status", "$.a.longer.path.to.the.status"),
        (r"(\"Catch\": \[\s*\{\s*\"ErrorEquals\": \[)[^]]*", r'\1"An.Error", "Another.Error"'),
    ],
)
def test_an_edge_keeps_its_side(edition, before, after):
    """If only labels change, every edge stays on its side. So two pictures can be compared."""
    text = (ASL / f"lottery{edition}.asl.json").read_text(encoding="utf-8")
    assert left_to_right(re.sub(before, after, text)) == left_to_right(text)


def test_each_state_has_the_signs_of_its_type_and_service():
    """A Task has two signs; a state of a type or a service that has no sign has none."""
    sns = {"Type": "Task", "Resource": "arn:aws-cn:states:::sns:publish", "End": True}
    assert graph_view(one(sns)).icons == [["Task", "SNS"]]
    function = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:F", "End": True}
    assert graph_view(one(function)).icons == [["Task", "Lambda"]]
    other = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:sendMessage", "End": True}
    assert graph_view(one(other)).icons == [["Task"]]
    assert "<title>One: Task (sqs), not entered</title>" in graph_view(one(other)).svg
    assert graph_view(one({"Type": "Choice", "Choices": []})).icons == [["Choice"]]
    assert graph_view(one({})).icons == [[]]
