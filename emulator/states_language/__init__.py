"""The Amazon States Language: structure, validation and JSONata of a definition. Nothing here calls AWS.

    validation   the errors and warnings of Step Functions about a definition
    jsonata      evaluate a JSONata expression as Step Functions does
    apart        run what may take very long in a process of its own
    structure    which states a machine has, and where each one leads to
    expressions  parse a JSONata expression, and list what it reads
    paths        check the form of a JSONPath, and read the call of an intrinsic function
    items        read the items of a Distributed Map, and group them into batches

The public names are those below, and `jsonata.evaluate`. Its import takes 30 ms, so it is not among them.

PYTEST_DONT_REWRITE, as in `sfn_emulator`.
"""

from states_language.structure import all_states, assigned_by, branches, is_last, states, ways_from
from states_language.validation import (
    SCHEMA,
    STATE_TYPES,
    Diagnostic,
    diagnostics,
    not_json,
    variable_references,
)

__all__ = [
    "SCHEMA",
    "STATE_TYPES",
    "Diagnostic",
    "all_states",
    "assigned_by",
    "branches",
    "diagnostics",
    "is_last",
    "not_json",
    "states",
    "variable_references",
    "ways_from",
]
