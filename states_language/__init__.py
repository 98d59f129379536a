"""Amazon States Language: check a state machine, run it, and test it. Nothing here calls AWS.

The README lists the modules. The public names are those below, `interpreter.step` with `execution` and
`outside`, `state_test`, and `jsonata.evaluate`, whose import takes 30 ms.

PYTEST_DONT_REWRITE, as in `sfn_emulator`.
"""

from states_language.machine import Error, Machine, MachineError, Run, Slow, Token
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
    "Error",
    "Machine",
    "MachineError",
    "Run",
    "Slow",
    "Token",
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
