"""No partition of AWS is written down but in the tutorial's own text, which is filled in for the caller's."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: This module replaces the tutorial's partition, so it names it.
EXEMPT = "lottery_lib/definition.py"
SOURCES = [
    path
    for pattern in ("lottery_lib/**/*.py", "lottery_party/**/*.py", "lambdas/**/*.py", "notebooks/*.ipynb")
    for path in sorted(ROOT.glob(pattern))
    if not path.relative_to(ROOT).as_posix().startswith(EXEMPT)
]
PARTITION = re.compile(r"arn:aws[\w-]*:|\.amazonaws\.com\.cn|console\.(aws\.amazon|amazonaws)")
#: Of the parts that AWS's own hosts have, to refuse them as an emulator's address.
ALLOWED = '(".amazonaws.com", ".amazonaws.com.cn", ".api.aws")'
#: The hosts of the consoles of all partitions.
CONSOLES = re.compile(r"_CONSOLES: Final = \{[^}]*\}")


def code(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return CONSOLES.sub("", text.replace(ALLOWED, ""))
    cells = json.loads(text)["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_partition_in_the_code(path):
    """Library, functions and notebooks' code write no ARN, host or console of one partition."""
    assert PARTITION.findall(code(path)) == []
