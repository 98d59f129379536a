"""Parse JSONata expressions, and list what they read."""

import json
import re
import sys
from typing import Any, Final

#: Where an expression may read $states.result and $states.errorOutput: in Output and Assign of these.
STATES_PARTS: Final = {"Task": "result", "Parallel": "result", "Map": "result", "Catch": "errorOutput"}
#: The functions that AWS has added to JSONata.
AWS_FUNCTIONS: Final = ("partition", "range", "hash", "random", "uuid", "parse")


def jsonata_parser() -> Any:
    """The parser of `jsonata-python`, without the operators that JSONata 2.0.6 does not have."""
    limit = sys.getrecursionlimit()
    # It takes 30 ms to import, and few definitions need it.
    from jsonata import Jsonata  # noqa: PLC0415

    # The import sets 10,000 for the whole process. A hundred levels of an expression need about 1,500.
    sys.setrecursionlimit(max(limit, 3000))
    parser = Jsonata.get_parser()
    symbols = parser.symbol_table
    symbols["??"] = symbols["?:"] = symbols["(name)"]  # in a signature, the second one may stand
    return parser


def syntax_error(error: Any) -> tuple[str, Any]:
    """The code of an error of that parser, and the symbol that it names, as JSONata 2.0.6 gives them."""
    if error.error == "S0201" and error.current in {"??", "?:"}:
        return "S0211", error.current[-1]
    return error.error, error.current


def reads(expression: str, assigned: frozenset[str]) -> list[str]:
    """What a JSONata expression reads, each once.

    Args:
        expression: The text between the delimiters.
        assigned: The variables of the workflow. Other names may be those of functions.

    Returns:
        ``"$x"`` for a variable, ``"$states.result"`` for a part of ``$states``, ``"$$"``; and ``"$"`` or
        ``"name"`` where they would mean the input document, which no expression has.

    Raises:
        ValueError: The expression cannot be parsed. Its text is AWS's.
    """
    parser = jsonata_parser()
    from jsonata import Jsonata  # noqa: PLC0415
    from jsonata.jexception import JException  # noqa: PLC0415

    found: list[str] = []
    bound: set[Any] = set()
    try:
        # The tokenizer fails at a comment that ends the text.
        _scan(parser.parse(f"{expression}\n"), True, found, bound)
    except JException as error:
        # The library's texts lack the quotes of the original, and say Object instead of function.
        code, value = syntax_error(error)
        values = iter((value, error.expected))
        text = str(JException.error_codes.get(code, error)).replace("Object", "function")
        quoted = re.sub(r"\{\{\w+\}\}", lambda _: json.dumps(str(next(values)), ensure_ascii=False), text)
        raise ValueError(quoted) from error
    except KeyError as error:
        raise ValueError(f'Unknown operator: "{error.args[0]}"') from error
    except IndexError as error:
        raise ValueError("Comment has no closing tag") from error
    except re.error:
        return []  # a regular expression of JavaScript that Python does not know
    functions = {each for each in found if Jsonata.static_frame.lookup(each[1:]) or each[1:] in AWS_FUNCTIONS}
    known = {"$states"} | {f"${name}" for name in bound} | (functions - {f"${name}" for name in assigned})
    return [read for read in dict.fromkeys(found) if read not in known]


# The parts of a parsed expression that see what surrounds it, and those that see what it has found.
_SAME_CONTEXT: Final = (
    "condition", "then", "_else", "procedure", "arguments", "body",
    "lhs", "rhs", "lhs_object", "expression", "expressions",
)  # fmt: skip
_OTHER_CONTEXT: Final = ("predicate", "stages", "group", "expr", "terms", "pattern", "update", "delete")


def _scan(node: Any, top: bool, reads: list[str], bound: set[Any]) -> None:
    """Collect what a part of a parsed expression reads, and the names that it gives to values.

    Args:
        node: A symbol of the library's syntax tree, or a list of symbols.
        top: Whether a bare name there means a field of the input document.
        reads: Gets the reads, in the form of `reads`.
        bound: Gets the names.
    """
    if isinstance(node, list):
        for each in node:
            _scan(each, top, reads, bound)
    if not hasattr(node, "steps"):
        return
    bound.update((node.focus, node.index))
    own_name = ""  # the part that gives a name, or is a function's name
    first, *later = node.steps or [None]
    if node.type == "name" and top:
        reads.append(node.value)
    elif node.type == "variable" and (top or node.value):
        reads.append(f"${node.value}")
    elif node.type == "bind":
        bound.add(node.lhs.value)
        own_name = "lhs"
    elif node.type == "lambda":
        bound.update(each.value for each in node.arguments)
        own_name = "arguments"
    elif node.type in {"function", "partial"} and node.procedure.type == "variable":
        own_name = "procedure"
    elif later and (first.type, first.value) == ("variable", "states"):
        reads += [f"$states.{each}" for each in STATES_PARTS.values() if each == later[0].value]
    _scan(first, top, reads, bound)
    _scan(later, False, reads, bound)
    for name in _SAME_CONTEXT:
        if name != own_name:
            _scan(getattr(node, name), top, reads, bound)
    for name in _OTHER_CONTEXT:
        _scan(getattr(node, name), False, reads, bound)
