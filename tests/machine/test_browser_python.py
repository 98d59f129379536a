"""The interpreter of state machines runs in the Python of a browser, and does the same there.

It is long: npm has to bring that Python, which takes four seconds to start.
"""

import json
import subprocess
import sys
from pathlib import Path

import jsonata
import pytest

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


def test_the_lottery_has_the_same_history_in_a_browser():
    """Each event is the same as here, with its times and ids."""
    given = json.dumps(list(cases()))
    program = (HERE / "histories.py").read_text(encoding="utf-8")
    names = {"given": given}
    *body, last = program.rstrip().splitlines()
    exec("\n".join(body), names)
    here = json.loads(eval(last, names))
    folders = [Path(states_language.__file__).parents[1], Path(jsonata.__file__).parents[1]]
    modules = Path(sys.prefix, "pyodide")
    (modules / "run.mjs").write_text((HERE / "run.mjs").read_text(encoding="utf-8"), encoding="utf-8")
    command = ["node", str(modules / "run.mjs"), str(HERE / "histories.py"), *map(str, folders)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == here
    assert [each["status"] for each in here] == ["SUCCEEDED", "FAILED"] * 2
