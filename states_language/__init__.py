"""Amazon States Language: check a state machine, run it, and test it. Nothing here calls AWS.

    machine one_state         a machine in a test; one state alone, as TestState runs it
    interpreter               `step`: how states begin, end, fail and try again; what each event follows
    kinds choice tasks maps   what each kind of state does
    map_run iterations items  Distributed Maps; the items of a Map, and files with items
    retry                     when a failed state is tried again
    outputs fields            from input to arguments, from result to output; fields in both query languages
    execution failures        an execution as a value, what it is told and what it wants; the errors of states
    validation structure      what AWS refuses in a definition; its states, and where each one leads to
    jsonata expressions       evaluate JSONata as Step Functions does; parse it, and list what it reads
    intrinsics jsonpath paths  functions of JSONPath states; find values by a path; the form of both
    values                    JSON as text in AWS's form, equal or not, and too large or not
    outside                   time, randomness and ids, and a guard for slow expressions
    tests                     with tables of cases: what others measured on AWS, and our own

The public names are those below, `interpreter.step` with `execution` and `outside`, `one_state`, and
`jsonata.evaluate`, whose import takes 30 ms.

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
