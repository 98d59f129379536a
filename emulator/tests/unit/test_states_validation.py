"""Every definition is accepted or refused, whatever it holds."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_emulator.http.messages import RefusalError
from sfn_emulator.states.validation import check_definition

WORDS = st.sampled_from(
    [
        *("StartAt", "States", "A", "Next", "Default", "Catch", "Choices", "Branches", "Iterator"),
        *("ItemProcessor", "Resource"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)


@given(
    st.fixed_dictionaries(
        {"StartAt": JSON, "States": st.dictionaries(WORDS, JSON | st.dictionaries(WORDS, JSON))}
    )
)
def test_no_definition_is_too_strange(definition):
    """A field may have any type."""
    with contextlib.suppress(RefusalError):
        check_definition(json.dumps(definition), "EXPRESS")


@pytest.mark.parametrize("depth", [100, 2_000, 50_000])
def test_no_definition_is_too_deep(depth):
    """Each machine has another one inside."""
    inner = '{"StartAt":"A","States":{"A":{"Type":"Map","Iterator":' * depth + "5" + "}}}" * depth
    with contextlib.suppress(RefusalError):
        check_definition(inner, "EXPRESS")


def test_an_express_machine_waits_nowhere():
    """Not for a token, not for a job, and at no depth. The places are AWS's."""
    token, job, other = (
        {"Type": "Task", "Resource": f"arn:aws:states:::{each}"}
        for each in ("a:b.waitForTaskToken", "c:d.sync", "a:b")
    )
    branches = [{"StartAt": name, "States": {name: job | {"End": True}}} for name in ("I", "J", "K")]
    states = {
        "T": token | {"Next": "P"},
        "P": {"Type": "Parallel", "Branches": branches[:2], "Next": "M"},
        "M": {"Type": "Map", "ItemProcessor": branches[2], "Next": "O"},
        "O": other | {"End": True},
    }
    text = json.dumps({"StartAt": "T", "States": states})
    check_definition(text, "STANDARD")
    check_definition(text)
    with pytest.raises(RefusalError) as refusal:
        check_definition(text, "EXPRESS")
    fault = "SCHEMA_VALIDATION_FAILED: Express state machine does not support '{}' service integration at {}"
    inside = "P/Branches[0]/States/I", "P/Branches[1]/States/J", "M/ItemProcessor/States/K"
    faults = [fault.format(".waitForTaskToken", "/States/T/Resource")]
    faults += [fault.format(".sync", f"/States/{place}/Resource") for place in inside]
    assert refusal.value.code == "InvalidDefinition"
    assert refusal.value.message == f"Invalid State Machine Definition: '{', '.join(faults)}'"
