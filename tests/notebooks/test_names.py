"""The course uses a small part of the kit: few names, few methods. The rest is AWS's, Python's or pandas's."""

import ast
from collections import defaultdict
from typing import Final

import nbformat
import pandas as pd
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from notebooks.cells import solution_of
from refusal import refused

import lottery_lib
from lottery_course.notebooks import notebooks

NAMES: Final = 17
ATTRIBUTES: Final = 30
#: It is about receipts, and not about Step Functions.
APPENDIX: Final = "90_nobody_can_doubt"
#: What a value of the kit has because it is a text, a list, a dict or a table.
ORDINARY: Final = {name for kind in (str, list, dict, pd.DataFrame, pd.Series) for name in dir(kind)} - {"name"}


def code(path):
    """All Python of a lesson: cells, checks and solutions."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            yield ast.parse(TransformerManager().transform_cell(cell.source))
        elif "solution" in cell.metadata.get("tags", []):
            yield ast.parse(TransformerManager().transform_cell(solution_of(cell)))


def origin(node):
    """The name that an expression begins with; empty if it is an answer of AWS."""
    while not isinstance(node, ast.Name):
        inner = next((getattr(node, part) for part in ("value", "func") if hasattr(node, part)), None)
        if inner is None or (isinstance(node, ast.Attribute) and node.attr == "client"):
            return ""
        node = inner
    return node.id


def used(path):
    """The names that a lesson imports from the kit, and the attributes that it uses of what came from them."""
    modules = list(code(path))
    nodes = [node for module in modules for node in ast.walk(module)]
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module.startswith("lottery_")]
    names = {(alias.asname or alias.name): f"{node.module}.{alias.name}" for node in imports for alias in node.names}
    ours = set(names)
    for node in nodes:
        if isinstance(node, ast.Assign | ast.For | ast.comprehension):
            value = node.value if isinstance(node, ast.Assign) else node.iter
            if origin(value) in ours:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                ours |= {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute) and origin(node) in ours}
    return set(names.values()), attributes - ORDINARY


def course():
    """Each name and attribute, with the lessons that use it."""
    names, attributes = defaultdict(list), defaultdict(list)
    for path in notebooks():
        if path.stem != APPENDIX:
            for found, where in zip(used(path), (names, attributes), strict=True):
                for each in found:
                    where[each].append(path.name[:2])
    return names, attributes


def test_a_learner_meets_few_names():
    """Over all lessons but the appendix: 17 names of the kit, and 30 attributes of what came from them."""
    names, attributes = course()
    assert len(names) <= NAMES, sorted(names.items())
    assert len(attributes) <= ATTRIBUTES, sorted(attributes.items())


def test_only_names_of_the_package_itself():
    """A learner imports from `lottery_lib` and `lottery_course`, and from no module in them."""
    names, _ = course()
    assert {name.rpartition(".")[0] for name in names} == {"lottery_lib", "lottery_course"}


@pytest.mark.parametrize("name", ["calls", "check", "inject", "restore", "verify"])
def test_an_older_copy_says_how_to_get_the_new_one(name):
    """What moved to `lottery_course` has one sentence where it was, for a copy of an older lesson."""
    said = refused(getattr, lottery_lib, name)
    assert said.startswith(f"{name}: is in lottery_course now")
    assert "`lottery notebooks --fresh 05`" in said
