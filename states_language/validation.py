"""Validate a definition as Step Functions does: its fields, values, variables and JSONata, in AWS's words.

``language.json`` says which fields an object may have, and what their values may be. One walk compares a
definition with it.

See https://states-language.net and
https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinitionDiagnostic.html
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from states_language.expressions import STATES_PARTS, is_expression, reads
from states_language.items import DELIMITERS
from states_language.paths import is_path, is_path_or_call
from states_language.structure import State, assigned_by, is_last, ways_from
from states_language.values import parsed

SCHEMA: Final = "SCHEMA_VALIDATION_FAILED"


@dataclass(frozen=True)
class Diagnostic:
    """An error that Step Functions finds in a definition, or a warning.

    Args:
        code: AWS's code, such as ``SCHEMA_VALIDATION_FAILED``.
        message: AWS's sentence.
        location: The place, such as ``/States/A/Output``; None for the machine, empty for a text that is not
            JSON.
        severity: ``"ERROR"`` or ``"WARNING"``.
    """

    code: str
    message: str
    location: str | None
    severity: str = "ERROR"

    def __str__(self) -> str:
        place = "" if self.location == "" else f" at {self.location or 'null'}"
        return f"{self.code}: {self.message}{place}"


class Kind(NamedTuple):
    """The fields of one kind of object: a row of ``language.json``.

    A kind is a type of states, or a field that holds other objects. Source: the specification
    (https://states-language.net), the guide, and what others measured with ValidateStateMachineDefinition.

    Args:
        both: The fields in both query languages.
        jsonpath: Those in JSONPath only. The comparisons of a Choice are not in the file.
        jsonata: Those in JSONata only.
        required: Those that it must have.
        one_of: Groups of fields. It must have exactly one field of each.
    """

    both: str
    jsonpath: str = ""
    jsonata: str = ""
    required: str = ""
    one_of: tuple[str, ...] = ()


COMPARISONS: Final = " ".join(
    [f"{of}{how}{path}" for of in ("String", "Numeric", "Timestamp") for path in ("", "Path")
     for how in ("Equals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")]
    + ["StringMatches BooleanEquals BooleanEqualsPath"]
    + [f"Is{what}" for what in ("Null", "Present", "Numeric", "String", "Boolean", "Timestamp")]
)  # fmt: skip
_TABLES: Final = json.loads(Path(__file__).with_name("language.json").read_text("utf-8"))
KINDS: Final[Mapping[str, Kind]] = {
    name: Kind(**row, jsonpath=f"{jsonpath} {COMPARISONS}" if "Variable" in jsonpath else jsonpath)
    for name, row in _TABLES["kinds"].items()
    for jsonpath in [row.pop("jsonpath", "")]
}
STATE_TYPES: Final = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map")
_TYPES: Final = {
    "OBJECT": dict, "ARRAY": list, "STRING": str, "BOOLEAN": bool, "INTEGER": int, "FLOAT": float
}  # fmt: skip


class Field(NamedTuple):
    """What the value of a field may be: a row of ``language.json``.

    Paths and the comparisons of a Choice are not in that file, because their names say what they are.
    Parameters may be a list there. AWS's guide says an object, but AWS's own samples have a list.

    Args:
        type: The types that it may have, in the words of AWS's sentence. Empty for any value.
        evaluated: Whether it may hold JSONata.
        range: The smallest and the largest number.
        values: What a text may be.
        not_empty: Whether an array must have elements.
    """

    type: str = ""
    evaluated: bool = False
    range: tuple[float, float] | None = None
    values: tuple[str, ...] = ()
    not_empty: bool = False


_ANY: Final = Field()
_NUMBERS: Final = [name for name, row in _TABLES["fields"].items() if "evaluated" in row and "range" in row]
# Each of these can be given as it is or by a path, but not both. A Wait has a group of its own.
_PAIRS: Final = tuple(f"{name} {name}Path" for name in (*_NUMBERS, "Error", "Cause") if name != "Seconds")
_PATH_FIELDS: Final = tuple(
    name for kind in KINDS.values() for name in kind.jsonpath.split() if name.endswith("Path")
)
_COMPARED: Final = {"Numeric": "INTEGER FLOAT", "Boolean": "BOOLEAN", "Is": "BOOLEAN", "": "STRING"}
FIELDS: Final[Mapping[str, Field]] = {
    **{
        name: Field(next(told for of, told in _COMPARED.items() if name.startswith(of)))
        for name in COMPARISONS.split()
    },
    **dict.fromkeys((*_PATH_FIELDS, "Variable"), Field("STRING")),
    **{name: Field(**row) for name, row in _TABLES["fields"].items()},
    "CSVDelimiter": Field("STRING", values=tuple(DELIMITERS)),
}
_NULLABLE: Final = ("InputPath", "OutputPath", "ResultPath")
_LANGUAGES: Final = ("JSONPath", "JSONata")
_Format = tuple[Callable[[str], object], str]
_IS_PATH: Final = (is_path, "Value must be a valid JSONPath.")
_IS_READ: Final = (is_path_or_call, _IS_PATH[1])
_NO_REFERENCE: Final = "Value is not a Reference Path"
_FROM_THE_ROOT: Final = (
    re.compile(r"\$.*", re.DOTALL).fullmatch, f"{_NO_REFERENCE}: Reference path didn't start with '$'"
)  # fmt: skip
# A Reference Path leads to one node. The guide names the operators that it cannot have.
_TO_ONE_NODE: Final = (
    re.compile(r"(?!.*\.\.)([^\s\[\]@,:?*()]|\['[^']*'\]|\[\d+\])*").fullmatch, _NO_REFERENCE
)  # fmt: skip
_IN_THE_INPUT: Final = (re.compile(r"\$([.\[].*)?", re.DOTALL).fullmatch, _NO_REFERENCE)
_NOT_IN_THE_CONTEXT: Final = (re.compile(r"(?!\$\$).*", re.DOTALL).fullmatch, _NO_REFERENCE)
_TIME: Final = re.compile(
    r"\d{4}-(0\d|1[0-2])-[0-3]\dT([01]\d|2[0-3]):[0-5]\d:[0-6]\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII
)
# What a field's text must look like, and AWS's sentence if it does not. The first that does not fit counts.
# Source: the guide, and definitions that others (cdk-preflight, cfn-lint) had refused by AWS.
_FORMATS: Final[Mapping[str, tuple[_Format, ...]]] = {
    **dict.fromkeys(_PATH_FIELDS, (_IS_PATH,)),
    **dict.fromkeys(("ErrorPath", "CausePath"), (_IS_READ,)),
    "ResultPath": (_IS_PATH, _TO_ONE_NODE, _IN_THE_INPUT),
    "ItemsPath": (_IS_PATH, _TO_ONE_NODE),
    **dict.fromkeys(
        (f"{name}Path" for name in _NUMBERS if not name.endswith("Seconds")),
        (_IS_PATH, _TO_ONE_NODE, _NOT_IN_THE_CONTEXT),
    ),
    **dict.fromkeys(
        ("Variable", *(name for name in COMPARISONS.split() if name.endswith("Path"))),
        (_FROM_THE_ROOT, _TO_ONE_NODE),
    ),
    **dict.fromkeys(
        ("Timestamp", *(name for name in COMPARISONS.split() if re.fullmatch("Timestamp.*(?<!Path)", name))),
        ((_TIME.fullmatch, "String does not match RFC3339 timestamp"),),
    ),
    "Resource": ((re.compile("arn:.*").fullmatch, "Value is not a valid resource ARN"),),
}
_TEMPLATES: Final = ("Parameters", "ResultSelector", "ItemSelector", "BatchInput", "Assign", "Credentials")
_LOOKS_LIKE_A_PATH: Final = re.compile(r"\$\$?[.\[]|States\.\w+\(")
_VARIABLE: Final = re.compile(r"(?<![\w$])\$([^\W\d]\w*)")
# A service integration, and what else does a Task. Only services with few APIs are in ``language.json``.
_INTEGRATION: Final = re.compile(
    r"arn:[\w-]+:states:[^:]*:[^:]*:(?P<service>[\w-]+|aws-sdk:[\w-]+):(?P<api>\w+)"
    r"(?P<pattern>\.waitForTaskToken|\.sync(:2)?)?",
    re.ASCII,
)
_OF_A_WORKER: Final = re.compile(r"arn:[\w-]+:(lambda:[^:]*:[^:]*:function|states:[^:]*:[^:]*:activity):.+")
# What a Distributed Map can read from, and write to.
_OF_S3: Final = {
    "ItemReader": r":states:::s3:(getObject|listObjectsV2)$",
    "ResultWriter": r":states:::s3:putObject$",
}
_QUOTED: Final = re.compile(r"'(?:\\.|[^'\\])*'")


def diagnostics(definition: str, *, express: bool = False) -> list[Diagnostic]:
    """List what Step Functions refuses in a definition, and what it warns about.

    Args:
        definition: The text of a state machine.
        express: Whether it is an Express machine, which cannot wait for tokens and jobs.

    Returns:
        First the diagnostics of fields, then those of the ways between states. Empty if there are none.
    """
    try:
        machine = parsed(definition)
    except (ValueError, RecursionError) as error:
        return [not_json(definition, error)]
    if not isinstance(machine, dict):
        return [Diagnostic("INVALID_JSON_DESCRIPTION", "The definition is not a JSON object", "")]
    try:
        found = _Walk(machine, express).diagnostics
    except RecursionError:
        return [Diagnostic("INVALID_JSON_DESCRIPTION", "The definition is nested too deeply", "")]
    return sorted(found, key=lambda diagnostic: diagnostic.code != SCHEMA)


def not_json(text: str, error: Exception) -> Diagnostic:
    """The diagnostic of a text that is not JSON. AWS's parser names the first word that it does not know."""
    message = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    if match := re.match(r"\s*([A-Za-z_]\w*)", text):
        message = f"Unrecognized token '{match[1]}': was expecting ('true', 'false' or 'null')"
    return Diagnostic("INVALID_JSON_DESCRIPTION", message, "")


def variable_references(definition: str) -> dict[str, list[str]]:
    """List the variables that each state of a valid definition reads, as DescribeStateMachine does.

    Returns:
        Names without ``$`` by the name of the state. States that read none are missing.
    """
    return _Walk(json.loads(definition)).references


@dataclass(frozen=True)
class _Scope:
    """The variables of a workflow. A name is looked up from the inside to the outside.

    Args:
        own: The variables that it assigns, and how often.
        around: The scope of the workflow around it.
        later: What only the Catch of the state between the two assigns. It gets its value after this
            workflow.
        apart: Whether a Distributed Map is between the two.
    """

    own: Mapping[str, int]
    around: "_Scope | None" = None
    later: frozenset[str] = frozenset()
    apart: bool = False

    def __contains__(self, name: object) -> bool:
        """Whether the workflow can read this variable."""
        return self.hides(name) is False

    def hides(self, name: object) -> bool | None:
        """Whether a Distributed Map is between the workflow and the nearest one that assigns this variable.

        Returns:
            None if no workflow assigns it.
        """
        scope: _Scope | None = self
        apart = False
        while scope:
            if name in scope.own:
                return apart
            apart |= scope.apart
            scope = scope.around
        return None

    def takes(self, name: str) -> bool:
        """Whether this variable is one of a workflow around, so that the workflow may not assign it."""
        scope = self
        while scope.around and not scope.apart:
            if name in scope.around.own and name not in scope.later:
                return True
            scope = scope.around
        return False


@dataclass(frozen=True)
class _Place:
    """Where the walk is.

    Args:
        kind: The kind of the object, from `KINDS`.
        at: Its path.
        language: The query language of its state; empty outside of states.
        state: The name of its state.
        scope: The variables of its workflow.
        later: What only the Catch of its state assigns.
    """

    kind: str
    at: str = ""
    language: str = ""
    state: str = ""
    scope: _Scope = _Scope({})
    later: frozenset[str] = frozenset()


class _Walk:
    """One walk over a state machine."""

    def __init__(self, machine: State, express: bool = False) -> None:
        self._express = express
        self.diagnostics: list[Diagnostic] = []
        self._reads: dict[str, dict[str, None]] = {}
        self._states: set[str] = set()
        self._language = _language(machine, "JSONPath")
        self._object(machine, _Place("machine"))
        self.references = {state: list(names) for state, names in self._reads.items()}

    def _fault(self, message: str, at: str | None, code: str = SCHEMA) -> None:
        self.diagnostics.append(Diagnostic(code, message, at))

    def _object(self, value: State, place: _Place) -> None:
        """Compare an object with its kind. Then check its fields."""
        kind, at = KINDS[place.kind], place.at
        needed = kind.required + (" CSVHeaders" if value.get("CSVHeaderLocation") == "GIVEN" else "")
        if missing := [name for name in needed.split() if name not in value]:
            self._fault(f"These fields are required: [{', '.join(missing)}]", at or "/")
        # A rule with a Variable makes one comparison; And joins two.
        compares = "Variable" in value and "Variable" in kind.jsonpath.split()
        exactly_one = (*kind.one_of, *((COMPARISONS,) if compares else ()))
        for group in (*exactly_one, *_PAIRS):
            there = [it for it in group.split() if it in value and (it, value[it]) != ("End", False)]
            if len(there) > 1 or (not there and group in exactly_one):
                only = "There should only be one" if there else "This object should have only one"
                self._fault(f"{only} of the following fields: [{group.replace(' ', ', ')}]", at)
        heartbeat, time_out = (value.get(name) for name in ("HeartbeatSeconds", "TimeoutSeconds"))
        if isinstance(heartbeat, int) and isinstance(time_out, int) and heartbeat >= time_out:
            self._fault("HeartbeatSeconds must be smaller than TimeoutSeconds", f"{at}/HeartbeatSeconds")
        # What is wrong with the language itself comes after what it makes wrong.
        for name, part in sorted(value.items(), key=_is_language):
            where = f"{at}/{name}"
            if not (self._allows(name, kind, place) and self._fits(name, part, where, place)):
                continue
            if name in {"Retry", "Catch"}:
                self._error_names(part, where)
            if name in KINDS:
                parts = [(f"{where}[{n}]", each) for n, each in enumerate(part)]
                for inside, each in parts if isinstance(part, list) else [(where, part)]:
                    if self._fits("States", each, inside, place):  # an object, as States is
                        self._object(each, replace(place, kind=name, at=inside))
            elif name == "States":
                self._workflow(value, part, place)
            else:
                self._value(name, part, where, place)

    def _allows(self, name: str, kind: Kind, place: _Place) -> bool:
        """Whether the object may have a field of this name."""
        if name in kind.both.split():
            return True
        of = [each for each in _LANGUAGES if name in getattr(kind, each.lower()).split()]
        if not of:
            self._fault(f"Field '{name}' is not supported", place.at or "/")
        elif place.language not in {"", *of}:
            text = f"The QueryLanguage is set to '{place.language}', but field '{name}' is only supported"
            self._fault(f"{text} for the '{of[0]}' QueryLanguage", place.at)
        return bool(of) and place.language in {"", *of}

    def _fits(self, name: str, value: Any, at: str, place: _Place) -> bool:
        """Whether the value of a field has the right type."""
        if value is None and name in _NULLABLE:
            return True
        field = FIELDS.get(name, _ANY)
        wanted = field.type.split()
        expression = place.language == "JSONata" and field.evaluated and is_expression(value)
        fits = not wanted or isinstance(value, tuple(_TYPES[each] for each in wanted))
        if not expression and (not fits or (isinstance(value, bool) and "INTEGER" in wanted)):
            self._fault(f"Expected value of type [{', '.join(wanted)}]", at)
            return False
        if field.values and value not in field.values:
            self._fault(f"Value should be one of the following: [{', '.join(field.values)}]", at)
        if value == [] and field.not_empty:
            self._fault("Value cannot be empty", at)
        if not expression:
            formats = _FORMATS.get(name, ())
            if message := next((told for form, told in formats if not form(value)), None):
                self._fault(message, at)
        if field.range and not expression:
            lowest, highest = field.range
            if value < lowest:
                self._fault(f"Minimum value is {lowest}", at)
            elif value > highest:
                self._fault(f"Maximum value is {highest}", at)
        return True

    def _error_names(self, handlers: list[Any], at: str) -> None:
        """Check the names of errors in a Retry or a Catch."""
        for number, handler in enumerate(handlers):
            names = handler.get("ErrorEquals") if isinstance(handler, dict) else None
            names = names if isinstance(names, list) else []
            for index, name in enumerate(names):
                where = f"{at}[{number}]/ErrorEquals[{index}]"
                if not isinstance(name, str):
                    self._fault("Expected value of type [STRING]", where)
                elif name == "States.ALL" and (len(names) > 1 or number + 1 < len(handlers)):
                    self._fault("States.ALL must appear alone and at end of list", where)

    def _value(self, name: str, value: Any, at: str, place: _Place) -> None:
        """Check the value of a field in its query language."""
        if name == "Assign":
            self._names(value, at, place)
        if place.language == "JSONPath" and name in _TEMPLATES:
            for where, key, read in _reads_of(value, at):
                if not (isinstance(read, str) and is_path_or_call(read)):
                    text = f"The value for the field '{key}' must be a valid JSONPath or a valid intrinsic"
                    self._fault(f"{text} function call", where)
        if name == "Resource" and place.kind in _OF_S3 and not re.search(_OF_S3[place.kind], value):
            self._fault("Value is not a valid resource ARN", at)
        if name == "Resource" and value.startswith("arn:"):
            self._resource(value, at)
        if name == "Credentials" and isinstance(value, dict):
            if not {"RoleArn", "RoleArn.$"} & set(value):
                self._fault("The field 'RoleArn' is required but was missing", at)
            self._fits("RoleArn", value.get("RoleArn", ""), f"{at}/RoleArn", place)
        for number, header in enumerate(value if name == "CSVHeaders" else ()):
            self._fits("Label", header, f"{at}[{number}]", place)  # a text, as Label is
        for where, text in _strings(value, at):
            if place.language == "JSONata" and (name == "Assign" or FIELDS.get(name, _ANY).evaluated):
                self._expression(name, text, where, place)
            elif place.language == "JSONPath" and name != "Comment":
                self._path(name, text, where, place)

    def _resource(self, arn: str, at: str) -> None:
        """Check the resource of a Task."""
        integration = _INTEGRATION.fullmatch(arn)
        apis = _TABLES["apis"].get(integration["service"]) if integration else None
        is_known = integration or _OF_A_WORKER.fullmatch(arn)
        if not is_known or (integration and apis and integration["api"] not in apis):
            text = "The value is not a valid resource ARN, or the resource is not available in this region."
            self._fault(f"The resource provided {arn} is not recognized. {text}", at)
        elif self._express and ":activity:" in arn:
            self._fault("Express state machine does not support Activity ARN", at)
        elif self._express and integration and (pattern := integration["pattern"]):
            # AWS's sentence has a second space for tokens.
            space = " " if pattern == ".waitForTaskToken" else ""
            self._fault(f"Express state machine does not support '{pattern}' service integration{space}", at)

    def _names(self, assigned: State, at: str, place: _Place) -> None:
        """Check the names of variables that are assigned."""
        for key in assigned:
            name, where = key if place.language == "JSONata" else key.removesuffix(".$"), f"{at}/{key}"
            problems = {
                "contains invalid characters.": not name.isidentifier() or name.startswith("_"),
                "exceeds the 80-character limit allowed by the service": len(name) > 80,
                "is used in an outer scope.": place.scope.takes(name),
            }
            if name == "states":
                self._fault("Cannot assign to reserved variable '$states'.", where, "RESERVED_VARIABLE_NAME")
            elif problem := next((text for text, is_so in problems.items() if is_so), None):
                message = f"Invalid variable name '{name}': the variable name {problem}"
                self._fault(message, where, "INVALID_VARIABLE_NAME")

    def _expression(self, name: str, text: str, at: str, place: _Place) -> None:
        if text.startswith("{%") != text.endswith("%}"):
            self._fault("JSONata string must start with {% and end with %}", at)
        if not is_expression(text):
            return
        try:
            found = reads(text[2:-2], place.scope)
        except ValueError as error:
            self._fault(str(error), at, "INVALID_JSONATA_EXPRESSION")
            return
        part = STATES_PARTS.get(place.kind) if name in {"Output", "Assign"} else None
        for read in found:
            message = None
            if read == "$$":
                message = "Reference to '$$' is not supported."
            elif read in {"$states.result", "$states.errorOutput"}:
                message = None if read == f"$states.{part}" else f"Field '{read}' does not exist."
            elif read == "$" or not read.startswith("$"):
                message = f"Reference to '{read}' at the top level is not supported."
            else:
                self._read(read[1:], at, place)
            if message:
                self._fault(message, at, "UNSUPPORTED_JSONATA_EXPRESSION")

    def _path(self, name: str, text: str, at: str, place: _Place) -> None:
        if at.endswith((".$", "Path", "/Variable")):
            for read in _VARIABLE.findall(_QUOTED.sub("", text)):
                self._read(read, at, place)
        elif _LOOKS_LIKE_A_PATH.match(text):
            code = {"Result": "PASS_RESULT_IS_STATIC"} | dict.fromkeys(_TEMPLATES, "NO_DOLLAR")
            warning = code.get(name, "NO_PATH")
            self.diagnostics.append(Diagnostic(warning, _TABLES["warnings"][warning], at, "WARNING"))

    def _read(self, name: str, at: str, place: _Place) -> None:
        self._reads.setdefault(place.state, {})[name] = None
        if place.scope.hides(name):
            self._fault(f"A Distributed Map cannot read the variable '${name}' of an outer scope", at)

    def _workflow(self, workflow: State, states: State, place: _Place) -> None:
        """Check the states of a machine, a branch or a Map, and the ways between them."""
        inside = f"{place.at}/States"
        states = {key: it for key, it in states.items() if self._fits("States", it, f"{inside}/{key}", place)}
        if isinstance(start := workflow.get("StartAt"), str):
            self._ways(start, states, place)
        own = Counter(name for state in states.values() for name in assigned_by(state))
        config = workflow.get("ProcessorConfig")
        apart = isinstance(config, dict) and config.get("Mode") == "DISTRIBUTED"
        if apart and self._express:
            self._fault(
                "Express state machine does not support Distributed Map", f"{place.at}/ProcessorConfig"
            )
        scope = _Scope(own, place.scope, place.later, apart)
        for name, state in states.items():
            at = f"{inside}/{name}"
            if name in self._states:
                self._fault(f"Duplicate State name: {name}", at, "DUPLICATE_STATE_NAME")
            self._states.add(name)
            language = _language(state, self._language)
            if self._language == "JSONata" and language == "JSONPath":
                text = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
                self._fault(text, at)
                language = ""  # AWS reports no field of the wrong language then
            if "Type" not in state:
                self._fault("These fields are required: [Type]", at)
            elif state["Type"] not in STATE_TYPES:
                text = f"The field 'Type' should have one of these values: [{', '.join(STATE_TYPES)}]"
                self._fault(text, f"{at}/Type")
            else:
                caught = Counter(assigned_by({"Catch": state.get("Catch")}))
                later = frozenset(name for name, times in caught.items() if times == own[name])
                self._object(state, _Place(state["Type"], at, language, name, scope, later))

    def _ways(self, start: str, states: Mapping[str, State], place: _Place) -> None:
        """Check that every way leads to a state, and that a way leads to every state."""
        code = "MISSING_TRANSITION_TARGET"
        ways = {name: list(ways_from(state)) for name, state in states.items()}
        places = [(f"{place.at}/States/{name}{at}", to) for name in ways for at, to in ways[name]]
        for at, target in [(f"{place.at}/StartAt", start), *places]:
            if target not in states:
                self._fault(f"Missing 'Next' target: {target}", at, code)
        if place.kind == "machine" and not any(map(is_last, states.values())):
            self._fault("Workflow has no terminal state", None, "MISSING_END_STATE")
            return
        reached, ahead = set[str](), [start]
        while ahead:
            name = ahead.pop()
            if name in ways and name not in reached:
                reached.add(name)
                ahead += [to for _, to in ways[name]]
        for name in states:
            if name not in reached:
                self._fault(f'State "{name}" is not reachable.', f"{place.at}/States/{name}", code)


def _is_language(field: tuple[str, Any]) -> bool:
    return field[0] == "QueryLanguage" and isinstance(field[1], str)


def _language(value: State, default: str) -> str:
    # AWS takes everything but the exact name of JSONPath for JSONata.
    return "JSONPath" if value.get("QueryLanguage", default) == "JSONPath" else "JSONata"


def _reads_of(template: Any, at: str) -> Iterator[tuple[str, str, Any]]:
    """Each field of a template whose name ends with ``.$``: its object's path, its name and its value."""
    parts = template.items() if isinstance(template, dict) else ()
    for key, each in parts:
        if key.endswith(".$"):
            yield at, key, each
        else:
            yield from _reads_of(each, f"{at}/{key}")
    for index, each in enumerate(template if isinstance(template, list) else ()):
        yield from _reads_of(each, f"{at}[{index}]")


def _strings(value: Any, at: str) -> Iterator[tuple[str, str]]:
    """Each string in a field's value, with its path. Keys are no values."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _strings(each, f"{at}/{key}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _strings(each, f"{at}[{index}]")
