"""The Amazon States Language: what a definition may hold, its states, and JSONata. Nothing here calls AWS.

    structure    which states a machine has, and where each leads to
    validation   what Step Functions refuses in a definition, and warns about, in AWS's words
    expressions  parse JSONata, and list what an expression reads
    jsonata      evaluate one JSONata expression as Step Functions does

`jsonata` needs 30 ms to import, so it is not imported here.
"""

from states_language.structure import all_states, assigned_by, branches, is_last, states, ways_from
from states_language.validation import SCHEMA, STATE_TYPES, Fault, faults, not_json, variable_references

__all__ = [
    "SCHEMA",
    "STATE_TYPES",
    "Fault",
    "all_states",
    "assigned_by",
    "branches",
    "faults",
    "is_last",
    "not_json",
    "states",
    "variable_references",
    "ways_from",
]
