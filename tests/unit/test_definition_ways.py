"""A definition is read: which states it has, and where each leads for what reason."""

import json

from lottery_lib import definition
from lottery_lib import definition as workflow
from states_language import all_states


def test_states_inside():
    """The states inside a Parallel are listed with the others."""
    names = [name for name, _ in all_states(json.loads(definition.load()))]
    assert len(names) == 8
    assert {"Notify Winners", "Record Winner Queue", "Failed"} <= set(names)


def test_and_of_or_keeps_its_brackets():
    """Nested rules are bracketed where leaving that out would change the meaning."""
    a, b, c = ({"Variable": f"$.{name}", "NumericEquals": 1} for name in "abc")
    assert workflow._rule({"And": [a, {"Or": [b, c]}]}) == "$.a == 1 and ($.b == 1 or $.c == 1)"


def test_lines_of_a_state():
    """A state's part of the text goes from its name to its closing brace; an inner one lies inside."""
    text, parallel = definition.load(), "Send SNS and Record In Dynamodb"
    lines, found = (
        text.split("\n"),
        workflow.lines_of_states(text, ["Failed", "Notify Winners", parallel, "Gone"]),
    )
    assert list(found) == ["Failed", "Notify Winners", parallel]
    for name, (first, last) in found.items():
        assert json.dumps(name) in lines[first]
        assert "\n".join(lines[first:last]).count("{") == "\n".join(lines[first:last]).count("}")
    (outer, outer_end), (inner, inner_end) = found[parallel], found["Notify Winners"]
    assert outer < inner < inner_end <= outer_end
