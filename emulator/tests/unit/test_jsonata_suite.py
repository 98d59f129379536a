"""The runner of JSONata's official suite, against a suite of four cases."""

import json
import runpy
from pathlib import Path

RUNNER = Path(__file__).parents[2] / "fidelity" / "jsonata_suite.py"


def test_the_runner_counts_and_refuses_a_low_share(tmp_path, capsys):
    """It prints the cases that fail, leaves out what AWS changes, and its status is 1 if too many fail."""
    suite = tmp_path / "test" / "test-suite"
    for folder in ("groups/sums", "datasets"):
        (suite / folder).mkdir(parents=True)
    (suite / "datasets/d.json").write_text('{"a": [1, 2]}')
    good = {"expr": "$sum(a)", "dataset": "d", "result": 3.0}
    wrong = good | {"result": 4}
    error = {"expr": "$abs('a')", "code": "T0410", "data": None}
    outside = {"expr": "$eval('1')", "result": 1}
    main = runpy.run_path(str(RUNNER))["main"]
    (suite / "groups/sums/case.json").write_text(json.dumps([good, error, outside]))
    assert main(tmp_path) == 0
    assert "2 of 2 cases in scope pass (100.00%); 3 cases" in capsys.readouterr().out
    (suite / "groups/sums/more.json").write_text(json.dumps(wrong))
    assert main(tmp_path) == 1
    assert "sums/more.json: '$sum(a)'\n    gave 3, expected 4" in capsys.readouterr().out
