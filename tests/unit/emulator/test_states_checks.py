"""Every definition is accepted or refused, whatever it holds."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery_lib.emulator.http.messages import RefusalError
from lottery_lib.emulator.states.checks import check_definition

WORDS = st.sampled_from(
    ["StartAt", "States", "A", "Next", "Default", "Catch", "Choices", "Branches", "Iterator", "ItemProcessor"]
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
        check_definition(json.dumps(definition))


@pytest.mark.parametrize("depth", [100, 2_000, 50_000])
def test_no_definition_is_too_deep(depth):
    """Each machine has another one inside."""
    inner = '{"StartAt":"A","States":{"A":{"Type":"Map","Iterator":' * depth + "5" + "}}}" * depth
    with contextlib.suppress(RefusalError):
        check_definition(inner)
