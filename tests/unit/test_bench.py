"""`make bench` tells what it measured as it is, and the README tells the same."""

import importlib.util
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from sfn_emulator.http.messages import Request
from sfn_emulator.http.replies import json_reply

ROOT = Path(__file__).resolve().parents[2]
RESULTS = json.loads((ROOT / "benchmarks" / "results.json").read_text("utf-8"))
README = (ROOT / "README.md").read_text("utf-8")


def load(name, patch):
    """A file of the benchmarks, which is in no package."""
    spec = importlib.util.spec_from_file_location(f"bench_{name}", ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    patch.setitem(__import__("sys").modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows():
    with pytest.MonkeyPatch.context() as patch:
        yield load("rows", patch)


@pytest.fixture(scope="module")
def tools():
    with pytest.MonkeyPatch.context() as patch:
        yield load("tools", patch)


@pytest.fixture(scope="module")
def counting():
    with pytest.MonkeyPatch.context() as patch:
        yield load("counting", patch)


def test_a_promise_that_is_not_kept_is_said(rows):
    """A ratio above its limit is shown as missed, with both numbers."""
    row = rows.Row("Warm draw", 30.04, "ms", "the calls", 15, most=1.5)
    assert "| Warm draw | 30 ms | the calls | 15 ms | 2 | at most 1.5 times | **missed** |" in rows.table(
        [row]
    )


def test_a_promise_that_is_kept_is_said(rows):
    """A time within its limit is shown as met, and of what must not be, none is."""
    assert "| Ready | 500 ms |  |  |  | within 1000 ms | met |" in rows.table(
        [rows.Row("Ready", 500, "ms", most=1000)]
    )
    assert "| Lost | 0 |  |  |  | none | met |" in rows.table([rows.Row("Lost", 0, most=0)])
    assert "| Speed | 14 |  |  |  | at least 15 | **missed** |" in rows.table(
        [rows.Row("Speed", 14, least=15)]
    )
    assert "| Speed | 15 |  |  |  | at least 15 | met |" in rows.table([rows.Row("Speed", 15, least=15)])


def test_what_could_not_be_measured_is_said(rows):
    """Without MiniStack the table says so, and judges nothing."""
    row = rows.Row("Draw", 30, "ms", "MiniStack", None, most=0.2, note="could not be installed")
    assert "| not measured |  | at most 0.2 times | could not be installed |" in rows.table([row])


def test_the_json_has_what_the_table_has(rows):
    """The ratio and the judgement, too."""
    told = rows.results([rows.Row("Draw", 30, "ms", "MiniStack", 300, most=0.2)], {"cores": 2})
    assert told["conditions"] == {"cores": 2}
    assert (told["rows"][0]["what"], told["rows"][0]["ratio"], told["rows"][0]["met"]) == ("Draw", 0.1, True)


def test_comparisons_are_made_in_turns(tools):
    """One of ours, one of theirs, and so on; the first rounds do not count."""
    order = []
    measures = {name: lambda name=name: order.append(name) or len(order) for name in ("ours", "theirs")}
    found = tools.in_turns(measures, 2, warm_up=1)
    assert order == ["ours", "theirs"] * 3
    assert found == {"ours": [3, 5], "theirs": [4, 6]}


def test_what_fails_at_once_with_others_is_told(tools, monkeypatch):
    """It leaves None where its result would be."""
    monkeypatch.setattr("threading.excepthook", lambda failed: None)
    assert tools.in_threads([lambda: 1, lambda: 1 / 0, lambda: 3]) == [1, None, 3]


@pytest.mark.parametrize(
    ("operation", "asked", "told", "items"),
    [
        ("GetItem", {"TableName": "t"}, {}, 1),
        ("BatchGetItem", {"RequestItems": {"a": {"Keys": [{}, {}]}, "b": {"Keys": [{}]}}}, {}, 3),
        ("Scan", {"TableName": "t"}, {"ScannedCount": 7, "Count": 2}, 7),
        ("PutItem", {"TableName": "t"}, {}, 0),
    ],
)
def test_items_are_counted_as_aws_bills_them(counting, operation, asked, told, items):
    """All that were looked at, also those that are not there."""
    headers = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
    request = Request("POST", "/", headers, json.dumps(asked).encode())
    assert counting.items_read(request, json_reply(told)) == items


def test_the_page_says_what_was_measured(rows):
    """The table in Markdown is the one that `make bench` makes of results.json."""
    names = [field.name for field in fields(rows.Row)]
    told = [rows.Row(**{name: row[name] for name in names}) for row in RESULTS["rows"]]
    page = (ROOT / "benchmarks" / "results.md").read_text("utf-8")
    assert rows.page(told, RESULTS["conditions"]) == page
    assert rows.results(told, RESULTS["conditions"]) == RESULTS


def test_the_readme_says_what_was_measured(rows):
    """Its sentence is the one that `make bench` makes of results.json."""
    assert rows.readme(README, RESULTS) == README
    assert rows.sentence(RESULTS) in README


def test_the_readme_says_how_long_the_tests_take(rows):
    """The minutes of `make test` are those that `make bench-tests` measured, on so many cores."""
    row = {"what": rows.MAKE_TEST, "value": 890}
    told = {"rows": [*RESULTS["rows"][:-1], row], "conditions": {"cores": 3}}
    assert "`make test` takes 15 minutes on 3 cores" in rows.readme(README, told)


def test_every_figure_in_a_sentence_is_in_the_results(rows):
    """Each number in a sentence is a figure of a row, part of what a row measured, or the cores."""
    told = rows.sentence(RESULTS) + rows._summary(RESULTS)
    figures = {
        rows.shown(row[key]) for row in RESULTS["rows"] for key in ("value", "other", "ratio") if row[key]
    }
    figures |= {f"{row['value'] / 1000:.2g}" for row in RESULTS["rows"] if row["unit"] == "ms"}
    named = {number for row in RESULTS["rows"] for number in re.findall(r"[\d,.]*\d", row["what"])}
    numbers = set(re.findall(r"\d[\d,.]*\d|\d", told))
    assert len(numbers) > 8
    assert numbers <= figures | named | {str(RESULTS["conditions"]["cores"])}
