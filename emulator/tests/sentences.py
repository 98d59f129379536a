"""Find the sentences in a program, so that a test can see which are no messages."""

import ast
import re
from collections.abc import Iterator

_WORD = r"(?:[A-Za-z][a-z']+|\{\})"
_RUN = re.compile(rf"{_WORD}(?:[,.;:!?]? {_WORD})+")
_TAG = re.compile("<[^>]*>")


def sentences(tree: ast.AST) -> Iterator[str]:
    """The texts of a program with three English words in a row, without messages and docstrings.

    Each value of an f-string is ``{}``.
    """
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Expr(value=ast.Constant()):
                continue
            case ast.Call(func=ast.Name(id="_" | "N_" | "ngettext")):
                for value in node.keywords:
                    yield from sentences(value)
                continue
            case ast.Constant(value=str(text)):
                parts = [text]
            case ast.JoinedStr():
                parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
                yield from (each for part in node.values if not isinstance(part, ast.Constant)
                            for each in sentences(part))  # fmt: skip
            case _other:
                yield from sentences(node)
                continue
        text = "".join(parts)
        if any(len(re.findall("[A-Za-z']+", run)) >= 3 for run in _RUN.findall(_TAG.sub("", text))):
            yield text
