"""What the distribution needs, and how much of it an import loads."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def imports():
    """The names of all packages that the modules import."""
    for path in ROOT.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0]


def test_it_needs_jsonata_alone():
    """It imports the standard library and the engine of JSONata, and declares just that."""
    assert set(imports()) - set(sys.stdlib_module_names) == {"jsonata", "states_language"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert [name.partition(">")[0] for name in project["dependencies"]] == ["jsonata-python"]


def test_the_import_does_not_load_the_engine_of_jsonata():
    """It takes 30 ms, and most machines need none of it."""
    code = "import sys, states_language; sys.exit('jsonata' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
