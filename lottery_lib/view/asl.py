"""Read from a state machine's definition where each state leads, and why."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from lottery_lib.definition import Machine
from lottery_lib.errors import LotteryError
from lottery_lib.translation import _, listed
from states_language import assigned_by, branches, states

_OPERATORS: Final = {
    "GreaterThanEquals": ">=",
    "LessThanEquals": "<=",
    "GreaterThan": ">",
    "LessThan": "<",
    "Matches": "matches",
    "Equals": "==",
}


def known_state(machine: Machine, where: str, name: str) -> str:
    """The name of a state, after checking that its workflow has this state.

    Raises:
        LotteryError: The workflow has no such state. The error names `where`, the place that leads to it.
    """
    if name not in states(machine):
        raise LotteryError(
            _("definition, {place}", place=where),
            _("it leads to {name!r}, which is not a state of its workflow", name=name),
            _("Use one of: {names}", names=", ".join(states(machine))),
        )
    return name


def returns(machine: Machine) -> set[tuple[str, str]]:
    """The edges that lead back, so that the workflow loops: pairs of state and target."""
    edges: set[tuple[str, str]] = set()
    on_path: dict[str, bool] = {}  # of the current state; False: followed before, with all after it

    def follow(name: str) -> None:
        on_path[name] = True
        state = states(machine).get(name, {})
        for target, _words in [*ways(state), *catches(state)]:
            if on_path.get(target):
                edges.add((name, target))
            elif target not in on_path:
                follow(target)
        on_path[name] = False

    follow(machine["StartAt"])
    return edges


def ways(state: Machine) -> Iterator[tuple[str, list[str]]]:
    """Where a state leads: pairs of target and rules. Rules that lead to the same state are in one pair."""
    if "Next" in state:
        yield state["Next"], []
    rules: dict[str, list[str]] = {}
    for choice in state.get("Choices", []):
        rules.setdefault(choice.get("Next", ""), []).append(_rule(choice))
    if "Default" in state:
        rules.setdefault(state["Default"], []).append(_("Default"))
    yield from rules.items()


def catches(state: Machine) -> Iterator[tuple[str, list[str]]]:
    """Where errors lead: pairs of target and words. The errors are named if they lead to several states."""
    errors: dict[str, list[str]] = {}
    for catcher in state.get("Catch", []):
        errors.setdefault(catcher.get("Next", ""), []).extend(catcher.get("ErrorEquals", []))
    for target, names in errors.items():
        yield target, [_("Catch")] if len(errors) == 1 else [_("Catch:"), ", ".join(names)]


def notes(state: Machine) -> Iterator[str]:
    """What a name does not say: that a state runs for each item, waits for a token, or assigns variables."""
    if state.get("Type") == "Map":
        yield _("(for each item)")
    if waits(state):
        yield _("(waits for a token)")
    if names := assigned(state):
        yield _("assigns {names}", names=names)


def waits(state: Machine) -> bool:
    """Whether a state waits until somebody sends its token back."""
    return str(state.get("Resource", "")).endswith(".waitForTaskToken")


def assigned(state: Machine) -> str:
    """The names of the variables that a state assigns; empty if it assigns none."""
    return ", ".join(dict.fromkeys(assigned_by(state)))


def tries(state: Machine) -> int:
    """How often a state may be tried again: the most that one of its Retries allows."""
    return max((retrier.get("MaxAttempts", 3) for retrier in state.get("Retry", [])), default=0)


def lines_of_states(text: str, names: Iterable[str]) -> dict[str, list[int]]:
    """Where each state stands in the text of a definition: its first line, and the line after its last.

    Args:
        text: The definition as JSON text. The name of a state occurs in it once as a key of an object.
        names: The names of its states.
    """
    lines: dict[str, list[int]] = {}
    for name in names:
        key = re.escape(json.dumps(name, ensure_ascii=False))
        if begins := re.search(rf"{key}\s*:\s*(?={{)", text):
            _, end = json.JSONDecoder().raw_decode(text, begins.end())
            lines[name] = [text.count("\n", 0, begins.start()), text.count("\n", 0, end) + 1]
    return lines


def _rule(rule: Machine) -> str:
    """A short form of a Choice rule, such as ``$.status == 0``."""
    if "Condition" in rule:  # JSONata
        return str(rule["Condition"]).removeprefix("{%").removesuffix("%}").strip()
    if "Not" in rule:
        return f"not ({_rule(rule['Not'])})"
    for word in ("And", "Or"):
        if word in rule:
            parts = [f"({_rule(part)})" if {"And", "Or"} & set(part) else _rule(part) for part in rule[word]]
            return f" {word.lower()} ".join(parts)
    for test, value in rule.items():
        if test not in ("Variable", "Next", "Comment", "Assign", "Output"):
            return f"{rule.get('Variable', '')} {_comparison(test, value)}"
    return ""


def _comparison(test: str, value: object) -> str:
    if test == "IsPresent":
        return _("is present") if value else _("is not present")
    if test.startswith("Is"):
        return f"is {'' if value else 'not '}{test.removeprefix('Is').lower()}"
    right = value if test.endswith("Path") else json.dumps(value, ensure_ascii=False)
    test = test.removesuffix("Path")
    operator = next((sign for name, sign in _OPERATORS.items() if test.endswith(name)), test)
    return f"{operator} {right}"


def outline(machine: Machine) -> Iterator[str]:
    """The states in words, such as ``"Both (which holds Notify beside Record)"``."""
    for name, state in states(machine).items():
        inner = _(" beside ").join(listed(outline(branch)) for branch in branches(state))
        yield _("{name} (which holds {states})", name=name, states=inner) if inner else name
