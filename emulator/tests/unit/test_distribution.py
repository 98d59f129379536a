"""What is installed is what the code needs."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
#: What a distribution is imported as, and what others bring.
NAMES = {
    "antlr4-python3-runtime": "antlr4",
    "pyyaml": "yaml",
    "aws-sam-translator": "samtranslator",
}
BROUGHT = {"botocore", "werkzeug"}  # by boto3 and by flask


def names_of(requirements):
    names = [Requirement(line).name for line in requirements]
    return {NAMES.get(name, name.replace("-", "_")) for name in names}


def imported(folder):
    """The names of all packages that the modules of a folder import from outside the standard library."""
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"sfn_emulator"}


def test_the_imports_are_declared():
    """The server imports nothing that pyproject does not list."""
    optional = PROJECT["optional-dependencies"]
    declared = names_of([*PROJECT["dependencies"], *optional["server"], *optional["sam"]])
    assert imported("sfn_emulator") - declared <= BROUGHT | {"pytest"}


def test_the_client_side_needs_no_server():
    """`import sfn_emulator` imports no package of the server, which may be in another environment."""
    server = names_of(PROJECT["optional-dependencies"]["server"]) | BROUGHT
    code = f"import sys, sfn_emulator; sys.exit(bool({server!r} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
