"""Read a state machine's definition: which states it has, and where each leads for what reason."""

import json
from collections.abc import Iterator
from typing import Any, Final

from lottery_lib.definition import Machine, branches, states
from lottery_lib.errors import LotteryError

__all__ = [
    "catches",
    "is_last",
    "known_state",
    "outline",
    "returns",
    "ways",
]

_OPERATORS: Final = {
    "GreaterThanEquals": ">=",
    "LessThanEquals": "<=",
    "GreaterThan": ">",
    "LessThan": "<",
    "Matches": "matches",
    "Equals": "==",
}


def known_state(machine: Machine, where: str, name: str) -> str:
    """The name of a state, once it is sure that the workflow which leads to it has it.

    Raises:
        LotteryError: It has not; `where` says what leads there.
    """
    if name not in states(machine):
        raise LotteryError(
            f"definition, {where}",
            f"it leads to {name!r}, which is no state of its workflow",
            f"Use one of: {', '.join(states(machine))}",
        )
    return name


def returns(machine: Machine) -> set[tuple[str, str]]:
    """(state, target) of each edge by which a workflow loops."""
    return set(_returns(machine, machine["StartAt"], {}))


def _returns(machine: Machine, name: str, seen: dict[str, bool]) -> Iterator[tuple[str, str]]:
    seen[name] = True  # on the way to this state; False once all behind it has been looked at
    state = states(machine).get(name, {})
    for target, _ in [*ways(state), *catches(state)]:
        if seen.get(target):
            yield name, target
        elif target not in seen:
            yield from _returns(machine, target, seen)
    seen[name] = False


def is_last(state: Machine) -> bool:
    """Whether its workflow can end in this state."""
    return bool(state.get("End")) or state.get("Type") in ("Succeed", "Fail")


def ways(state: Machine) -> Iterator[tuple[str, list[str]]]:
    """(target, rules) of where a state goes; the rules that lead to the same state are together."""
    if "Next" in state:
        yield state["Next"], []
    rules: dict[str, list[str]] = {}
    for choice in state.get("Choices", []):
        rules.setdefault(choice.get("Next", ""), []).append(_rule(choice))
    if "Default" in state:
        rules.setdefault(state["Default"], []).append("Default")
    yield from rules.items()


def catches(state: Machine) -> Iterator[tuple[str, list[str]]]:
    """(target, words) of where errors go; words only where it is not simply every error."""
    errors: dict[str, list[str]] = {}
    for catcher in state.get("Catch", []):
        errors.setdefault(catcher.get("Next", ""), []).extend(catcher.get("ErrorEquals", []))
    for target, names in errors.items():
        plain = names == ["States.ALL"] and len(errors) == 1
        yield target, [] if plain else ["Catch:", ", ".join(names)]


def _rule(rule: Machine) -> str:
    """A Choice rule as one would say it, such as ``$.status == 0``."""
    if "Condition" in rule:  # JSONata
        return str(rule["Condition"]).removeprefix("{%").removesuffix("%}").strip()
    for word in ("And", "Or"):
        if word in rule:
            return f" {word.lower()} ".join(_nested(part) for part in rule[word])
    if "Not" in rule:
        return f"not ({_rule(rule['Not'])})"
    for test, value in rule.items():
        if test not in ("Variable", "Next", "Comment", "Assign", "Output"):
            return f"{rule.get('Variable', '')} {_comparison(test, value)}"
    return ""


def _nested(rule: Machine) -> str:
    return f"({_rule(rule)})" if {"And", "Or"} & set(rule) else _rule(rule)


def _comparison(test: str, value: Any) -> str:
    if test.startswith("Is"):
        return f"is {'' if value else 'not '}{test.removeprefix('Is').lower()}"
    right = value if test.endswith("Path") else json.dumps(value, ensure_ascii=False)
    test = test.removesuffix("Path")
    for name, operator in _OPERATORS.items():
        if test.endswith(name):
            return f"{operator} {right}"
    return f"{test} {right}"


def outline(machine: Machine) -> Iterator[str]:
    """The states in words, such as ``"Both (which holds Notify beside Record)"``."""
    for name, state in states(machine).items():
        inner = [", ".join(outline(branch)) for branch in branches(state)]
        yield f"{name} (which holds {' beside '.join(inner)})" if inner else name
