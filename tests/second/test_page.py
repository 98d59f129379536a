"""docs/second_opinion.md says what the tests show. This needs no MiniStack."""

import ast
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "second_opinion.md"


def test_each_line_has_its_test():
    """The page's table and the tests of differences say the same sentences, in the same order."""
    source = ast.parse(Path(__file__).with_name("test_differences.py").read_text(encoding="utf-8"))
    tests = [node for node in source.body if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_"]
    lines = re.findall(r"^\| ([A-Z].*?\.) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert lines == [ast.get_docstring(test) for test in tests]
