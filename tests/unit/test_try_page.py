"""The examples of the page *Try it*. `tests/browser/test_try.py` looks at the page itself."""

import json
import re

import course_site
import pytest
import try_page
from course_site import ROOT, WORDS

from lottery_lib import trial
from lottery_lib.definition import faults
from lottery_lib.history import Reader, details_of

EXAMPLES = try_page.examples()
#: How each example ends, and a state in which it has been.
ENDS = {
    "lottery": ("ExecutionSucceeded", "Record Winner Queue"),
    "hardened": ("ExecutionSucceeded", "Recorded And Mailed"),
    "order": ("ExecutionFailed", "Refund"),
    "lines": ("ExecutionSucceeded", "Keep it"),
    "approval": ("ExecutionSucceeded", "Approved"),
    "backoff": ("ExecutionSucceeded", "Charge"),
    "jsonata": ("ExecutionSucceeded", "Record Winner Queue"),
}


def run(name, **answers):
    example = EXAMPLES[name]
    return trial.run(example["text"], example["answers"] | answers, example["data"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_at_the_first_press(name):
    """AWS would not refuse it, and each of its tasks has an answer."""
    assert [each.text for each in faults(EXAMPLES[name]["text"], placeholders_too=False)] == []
    events, open_task = run(name)
    end, state = ENDS[name]
    assert open_task == ""
    assert events[-1]["type"] == end
    assert state in Reader(events).latest()


def test_nobody_approves():
    """After a day, the manager is told."""
    events, _ = run("approval", **{"Ask a person": [{"text": "", "fails": False, "never": True}]})
    assert details_of(events[-1])["error"] == "NobodyAnswered"
    assert (events[-1]["timestamp"] - events[0]["timestamp"]).days == 1
    assert "Tell the manager" in Reader(events).latest()


def test_each_example_has_its_words_in_both_languages():
    """The page has the same texts in both languages: a title and a hint for each example in its list."""
    english, chinese = WORDS["en"]["try"], WORDS["zh"]["try"]
    assert english.keys() == chinese.keys() == {*english}
    for part in ("examples", "hints"):
        assert english[part].keys() == chinese[part].keys()
    assert [*english["hints"]] == [*english["examples"]] == [*EXAMPLES]


def test_the_examples_say_what_they_say_in_chinese_too():
    """No answer and no data has two English words in a row, or a name of the English page."""
    found = try_page.examples(WORDS["zh"]["try"]["data"]).values()
    said = json.dumps([[*each["answers"].values(), each["data"]] for each in found], ensure_ascii=False)
    said = said.replace("public value", "")  # the function's own word
    assert re.findall(r"[A-Za-z]+ [A-Za-z]+|\b(?:Ann|Bo|Ben|Cleo|Dan)\b", said) == []


def test_a_lesson_links_to_its_machine():
    """Each lesson of the list is there, and links to one example; lesson 13 to the person who approves."""
    lessons = [number for example in EXAMPLES.values() for number in example["lessons"]]
    assert len(set(lessons)) == len(lessons)
    assert {path.name[:2] for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")} >= set(lessons)
    assert try_page.of_lesson("13") == "approval"
    assert try_page.of_lesson("01") == ""


def test_the_first_page_leads_to_it():
    """A visitor of the site finds it beside the first lesson."""
    text = course_site.start_page((ROOT / "README.md").read_text(encoding="utf-8"), "en")
    assert f"[{WORDS['en']['try_it']}](page:try/index.html)" in text
