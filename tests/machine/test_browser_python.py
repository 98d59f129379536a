"""The interpreter of state machines runs in the Python of a browser, and does the same there.

They are long: npm has to bring that Python, which takes four seconds to start.
"""

import json
import subprocess
import sys
from pathlib import Path

import jsonata
import pytest
from case_table import rows

import states_language
from lottery_lib import definition

pytestmark = [pytest.mark.long, pytest.mark.npm]
HERE = Path(__file__).parent / "pyodide"
FUNCTIONS = ("InputWinners", "RandomSelectWinners", "ValidateWinners", "RecordWinners")
ARN = "arn:aws:{}:us-east-1:123456789012:{}"
ARNS = definition.arns_by_placeholder(
    {name: ARN.format("lambda", f"function:Lottery-{name}") for name in FUNCTIONS},
    ARN.format("sns", "Lottery-Notification"),
)
PEOPLE = [{"employee_id": "001", "employee_name": "Ann"}, {"employee_id": "002", "employee_name": "Bo"}]
DRAWN = {"num_of_winners": 2, "winner_details": PEOPLE}
ANSWERS = {
    "Input Lottery Winners": [{"body": {"num_of_winners": 2}}],
    "Random Select Winners": [{"error": ["Down", "a moment"]}, {"body": DRAWN}],
    "Validate Winners": [{"body": DRAWN, "sns": "Congrats!", "status": status} for status in (1, 0)],
    "Notify Winners": [{"MessageId": "1"}],
    "Record Winner Queue": [{"body": {"winners": PEOPLE}, "status_code": "SUCCESS"}],
}


def cases():
    """The lottery in both languages: with a retry and a second draw, and with an error that is caught."""
    for edition in ("tutorial", "jsonata"):
        text = definition.parse(definition.fill(definition.load(edition), ARNS))
        for more in ({}, {"Random Select Winners": [{"error": ["Down", "for ever"]}]}):
            tasks = {
                name: [answer(edition, name, each) for each in its] for name, its in (ANSWERS | more).items()
            }
            yield {"definition": text, "tasks": tasks, "input": {"input": 2}}


def answer(edition, name, value):
    """What a Task answers. In JSONata, the functions are called through Lambda's API."""
    is_whole = edition == "tutorial" or name == "Notify Winners" or "error" in value
    return value if is_whole else {"Payload": value}


def in_both(program, given):
    """What a program returns in this Python and in that of a browser, for the same text."""
    text, names = (HERE / program).read_text(encoding="utf-8"), {"given": given}
    *body, last = text.rstrip().splitlines()
    exec("\n".join(body), names)
    language = Path(states_language.__file__).parent
    folders = [language.parent, Path(jsonata.__file__).parents[1], language / "tests"]
    modules = Path(sys.prefix, "pyodide")
    (modules / "run.mjs").write_text((HERE / "run.mjs").read_text(encoding="utf-8"), encoding="utf-8")
    command = ["node", str(modules / "run.mjs"), str(HERE / program), *map(str, folders)]
    done = subprocess.run(command, input=given, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(eval(last, names)), json.loads(done.stdout)


def test_the_lottery_has_the_same_history_in_a_browser():
    """Each event is the same as here, with its times and ids."""
    here, there = in_both("histories.py", json.dumps(list(cases())))
    assert there == here
    assert [each["status"] for each in here] == ["SUCCEEDED", "FAILED"] * 2


def test_our_own_cases_are_the_same_in_a_browser():
    """More than a hundred cases of the language give the same there, and the same events."""
    here, there = in_both("cases.py", json.dumps(rows("cases.jsonl")))
    assert len(here) > 100
    assert [each for each, its in zip(here, there, strict=True) if each != its] == []
