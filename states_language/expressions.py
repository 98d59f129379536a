"""Parse a JSONata expression, and list what it reads.

See https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html and https://docs.jsonata.org
"""

import json
import re
import sys
from collections.abc import Container
from typing import Any, Final

#: The types of states that do work, which has a result and can be tried again.
WITH_RESULT: Final = ("Task", "Parallel", "Map")
#: The part of $states that an expression may read in the Output and Assign of these states and Catchers.
STATES_PARTS: Final = {**dict.fromkeys(WITH_RESULT, "result"), "Catch": "errorOutput"}
#: The functions that AWS has added to JSONata.
AWS_FUNCTIONS: Final = ("partition", "range", "hash", "random", "uuid", "parse")


def is_expression(value: Any) -> bool:
    """Whether a value is an expression of JSONata, between its delimiters."""
    return isinstance(value, str) and len(value) >= len("{%%}") and value[:2] == "{%" and value[-2:] == "%}"


def jsonata_parser() -> Any:
    """The parser of `jsonata-python`, without the operators that JSONata 2.0.6 does not have."""
    limit = sys.getrecursionlimit()
    # It takes 30 ms to import, and few definitions need it.
    from jsonata import Jsonata  # noqa: PLC0415

    # The import sets 10,000 for the whole process. A hundred levels of an expression need about 1,500.
    sys.setrecursionlimit(max(limit, 3000))
    parser = Jsonata.get_parser()
    symbols = parser.symbol_table
    symbols["??"] = symbols["?:"] = symbols["(name)"]  # a signature may contain the second one
    return parser


def syntax_error(error: Exception) -> tuple[str, Any] | None:
    """The code of a parser's error and the symbol that it names, as in JSONata 2.0.6.

    Returns:
        None if JSONata has no code for the error.
    """
    code, symbol = getattr(error, "error", None), getattr(error, "current", None)
    if code is None:
        # The parser raises some errors of Python.
        codes = {KeyError: "S0204", IndexError: "S0106"}
        code = next((its for kind, its in codes.items() if isinstance(error, kind)), None)
        code = code or next((its for text, its in _IN_SIGNATURES.items() if text in str(error)), None)
        return (code, error.args[0]) if code else None
    if code == "S0201" and symbol in {"??", "?:"}:
        return "S0211", symbol[-1]
    # An unknown escape sequence has the code of an empty regular expression there.
    return ("S0103" if code == "S0301" and symbol else code), symbol


def template(code: str) -> str:
    """JSONata's sentence about an error, with places for values. The library says Object for function."""
    from jsonata.jexception import JException  # noqa: PLC0415

    return str(JException.error_codes.get(code, code)).replace("Object", "function").replace('"', "'")


_IN_SIGNATURES: Final = {"Type parameters": "S0401", "Choice groups": "S0402"}


def reads(expression: str, assigned: Container[str]) -> list[str]:
    """List what a JSONata expression reads. Each name is in the list once.

    Args:
        expression: The text between the delimiters.
        assigned: The variables of the workflow. Another name may be that of a function.

    Returns:
        ``"$x"`` for a variable, ``"$states.result"`` for a part of ``$states``, and ``"$$"``. Also ``"$"``
        and ``"name"`` if they mean the input document, which no expression in a state machine has.

    Raises:
        ValueError: The expression cannot be parsed. The error has AWS's sentence.
    """
    parser = jsonata_parser()
    from jsonata import Jsonata  # noqa: PLC0415

    found: list[str] = []
    bound: set[Any] = set()
    try:
        # The tokenizer fails at a comment that ends the text.
        _scan(parser.parse(f"{expression}\n"), True, found, bound)
    except re.error:
        return []  # a regular expression of JavaScript that Python does not know
    except Exception as error:
        if (fault := syntax_error(error)) is None:
            raise
        code, value = fault
        values = iter((value, getattr(error, "expected", None)))
        shown = (json.dumps(value, ensure_ascii=False) for value in values)
        raise ValueError(re.sub(r"\{\{\w+\}\}", lambda _: next(shown), template(code))) from error
    functions = {it for it in found if Jsonata.static_frame.lookup(it[1:]) or it[1:] in AWS_FUNCTIONS}
    known = {"$states"} | {f"${name}" for name in bound} | {it for it in functions if it[1:] not in assigned}
    return [read for read in dict.fromkeys(found) if read not in known]


# Some parts of a parsed expression have the same context as the expression, which is `$`. For others, it is
# what the expression has found.
_SAME_CONTEXT: Final = (
    "condition", "then", "_else", "procedure", "arguments", "body",
    "lhs", "rhs", "lhs_object", "expression", "expressions",
)  # fmt: skip
_OTHER_CONTEXT: Final = ("predicate", "stages", "group", "expr", "terms", "pattern", "update", "delete")


def _scan(node: Any, top: bool, reads: list[str], bound: set[Any]) -> None:
    """Collect what a part of a parsed expression reads, and the names that it gives to values.

    Args:
        node: A symbol of the library's syntax tree, or a list of symbols.
        top: Whether a bare name means a field of the input document.
        reads: The reads are added here, in the form of `reads`.
        bound: The names are added here.
    """
    if isinstance(node, list):
        for part in node:
            _scan(part, top, reads, bound)
    if not hasattr(node, "steps"):
        return
    bound.update((node.focus, node.index))
    own_name = ""  # the part that defines a name, or that is a function's name
    first, *later = node.steps or [None]
    if node.type == "name" and top:
        reads.append(node.value)
    elif node.type == "variable" and (top or node.value):
        reads.append(f"${node.value}")
    elif node.type == "bind":
        bound.add(node.lhs.value)
        own_name = "lhs"
    elif node.type == "lambda":
        bound.update(argument.value for argument in node.arguments)
        own_name = "arguments"
    elif node.type in {"function", "partial"} and node.procedure.type == "variable":
        own_name = "procedure"
    elif later and (first.type, first.value) == ("variable", "states"):
        reads += [f"$states.{part}" for part in STATES_PARTS.values() if part == later[0].value]
    _scan(first, top, reads, bound)
    _scan(later, False, reads, bound)
    for name in _SAME_CONTEXT:
        if name != own_name:
            _scan(getattr(node, name), top, reads, bound)
    for name in _OTHER_CONTEXT:
        _scan(getattr(node, name), False, reads, bound)
