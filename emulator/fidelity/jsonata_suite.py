"""Run JSONata's official test suite against the evaluator of `states_language`.

    python emulator/fidelity/jsonata_suite.py CHECKOUT

CHECKOUT is a copy of https://github.com/jsonata-js/jsonata at the tag v2.0.6, the version that AWS names. Its
cases are in ``test/test-suite``. Nothing of it is copied here.

It prints each case that fails and a table of the groups that have failures or cases out of scope. It exits
with status 1 if less than 98 % of the cases in scope pass.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from jsonata.utils import Utils

from states_language.jsonata import EvaluationError, evaluate
from states_language.outside import Outside, StepGuard

_SHARE: Final = 0.98
# AWS's limit is not known, and ours is not what the suite tests.
_OUTSIDE: Final = Outside(guard=lambda: StepGuard(1_000_000))
_LONGEST: Final = 873_782
_UNDEFINED: Final = "returned nothing (undefined)."
_CODE: Final = re.compile(r"threw an error during evaluation\. ([A-Z]\d{4}): ")


def cases(checkout: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each case of the suite: its group, its file and itself, with its expression in ``expr``."""
    for group in sorted((checkout / "test/test-suite/groups").iterdir()):
        for file in sorted(group.glob("*.json")):
            read = json.loads(file.read_text("utf-8"))
            for case in read if isinstance(read, list) else [read]:
                if "expr-file" in case:
                    case["expr"] = (group / case["expr-file"]).read_text("utf-8")
                yield group.name, file.name, case


def out_of_scope(case: dict[str, Any]) -> str | None:
    """Why AWS cannot give what a case expects; None if it can.

    The rule looks at the case only, never at what the evaluator gives.
    """
    if "$eval(" in case["expr"]:
        return "uses $eval, which AWS does not have"
    if case.get("code") == "U1001" or case.get("error", {}).get("code") == "U1001":
        return "expects the error of the suite's own limits; AWS has others"
    if any(int(float(end)) > _LONGEST for end in re.findall(r"\[[\d.]+?\.\.(\d[\de]*)\]", case["expr"])):
        return f"makes an array of more than {_LONGEST} numbers, which is AWS's limit"
    if case.get("depth", 0) > 100:
        return "may be deeper than 100 levels, which is AWS's limit"
    return None


def problem(case: dict[str, Any], document: Any) -> str | None:
    """What is wrong with the answer to a case; None if it is right."""
    code = case.get("code") or case.get("error", {}).get("code")
    try:
        value = evaluate(case["expr"], case.get("bindings") or {}, document=document, outside=_OUTSIDE)
    except EvaluationError as error:
        found = match[1] if (match := _CODE.match(str(error))) else str(error)
        if "undefinedResult" in case:
            return None if found == _UNDEFINED else found
        return None if code == found else f"{found}, expected {code or _text(case['result'])}"
    if "result" in case and _text(value) == _text(case["result"]):
        return None
    return f"gave {_text(value)}, expected {_text(case['result']) if 'result' in case else code}"


def _text(value: Any) -> str:
    """A text that is the same for the same JSON. 1.0 is 1, as in JavaScript."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)}: {_text(value[key])}' for key in sorted(value))}}}"
    return f"[{', '.join(map(_text, value))}]" if isinstance(value, list) else json.dumps(value)


def main(checkout: Path) -> int:
    """Run the suite, and print what fails.

    Returns:
        The exit status.
    """
    folder = checkout / "test/test-suite/datasets"
    documents = {file.stem: json.loads(file.read_text("utf-8")) for file in folder.glob("*.json")}
    passed, failed, outside, reasons = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for group, file, case in cases(checkout):
        if reason := out_of_scope(case):
            outside[group] += 1
            reasons[reason] += 1
            continue
        document = case["data"] if "data" in case else documents.get(case.get("dataset"))
        if document is None and "data" in case:
            document = Utils.NULL_VALUE
        if wrong := problem(case, document):
            failed[group] += 1
            sys.stdout.write(f"{group}/{file}: {case['expr'][:200]!r}\n    {wrong[:300]}\n")
        else:
            passed[group] += 1
    sys.stdout.write(f"\n{'group':40} {'passed':>7} {'failed':>7} {'outside':>8}\n")
    for group in sorted(failed | outside):
        sys.stdout.write(f"{group:40} {passed[group]:7} {failed[group]:7} {outside[group]:8}\n")
    sys.stdout.writelines(f"outside: {count} cases: {reason}\n" for reason, count in reasons.items())
    good, tried = passed.total(), passed.total() + failed.total()
    share = f"{good} of {tried} cases in scope pass ({good / tried:.2%})"
    sys.stdout.write(f"{share}; {tried + outside.total()} cases\n")
    return int(good < _SHARE * tried)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
