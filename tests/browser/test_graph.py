"""The workflow in a real browser: what is beside what, measured where it is painted."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from browser.conftest import script

from lottery_lib.definition import parse
from lottery_lib.history import Reader
from lottery_lib.view.graph import graph_view, view_of
from lottery_lib.view.painting import facts_of

pytestmark = pytest.mark.browser
ASL = Path(__file__).parents[2] / "asl"
TUTORIAL = (ASL / "lottery.asl.json").read_text(encoding="utf-8")
CATCH = [{"ErrorEquals": ["A.Problem"], "Next": "Repair"}, {"ErrorEquals": ["States.ALL"], "Next": "Failed"}]
TASK = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2"}
NESTED = {
    "StartAt": "Every Office",
    "States": {
        "Every Office": {
            "Type": "Map",
            "Catch": CATCH,
            "Next": "Done",
            "ItemProcessor": {
                "StartAt": "Both",
                "States": {
                    "Both": {
                        "Type": "Parallel",
                        "Branches": [
                            {
                                "StartAt": name,
                                "States": {name: TASK | {"End": True, "Retry": [{"ErrorEquals": ["E"]}]}},
                            }
                            for name in ("Left", "Right")
                        ],
                        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Later"}],
                        "End": True,
                    },
                    "Later": {"Type": "Wait", "Seconds": 1, "Next": "Both"},
                },
            },
        },
        "Repair": TASK | {"Catch": CATCH[1:], "Next": "Done"},
        "Failed": {"Type": "Fail"},
        "Done": {"Type": "Succeed"},
    },
}
MACHINES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(ASL.glob("*.json"))}
MACHINES |= {
    "nested": json.dumps(NESTED),
    "chinese": TUTORIAL.replace("Winner", "中奖者").replace("Failed", "失败"),
}
WRONG = script("wrong_in_a_graph")


@pytest.mark.parametrize("name", MACHINES)
def test_nothing_lies_on_something_else(page, name, picture):
    """Each label stands beside its edge, inside its box and clear of all others; each state has its sign."""
    names = graph_view(MACHINES[name]).states
    facts = replace(
        facts_of(Reader()), statuses=dict.fromkeys(names, "succeeded"), attempts=dict.fromkeys(names, 3)
    )
    svg = view_of(parse(MACHINES[name]), facts).svg
    page.set_content(f"<body style='margin: 0'>{svg}")
    picture(page, f"graph_{name}")
    assert page.evaluate(WRONG) == []
