"""Read the states of a machine, the ways between them, and the variables that they assign.

See https://states-language.net
"""

from collections.abc import Iterator, Mapping
from typing import Any

State = Mapping[str, Any]


def states(workflow: State) -> Mapping[str, State]:
    """The states of a workflow by name, without those inside a Parallel or Map."""
    its_states: Mapping[str, State] = workflow.get("States", {})
    return its_states


def all_states(workflow: State) -> Iterator[tuple[str, State]]:
    """The name and the body of every state. After a state come the states inside it."""
    for name, state in states(workflow).items():
        yield name, state
        for branch in branches(state):
            yield from all_states(branch)


def branches(state: State) -> list[State]:
    """The workflows that a Parallel or Map holds."""
    if state.get("Type") == "Map":
        held = processor(state)
        return [held] if held else []
    return list(state.get("Branches", []))


def processor(state: State) -> State:
    """What a Map holds: its ItemProcessor, or its Iterator, as it was called before; empty if it has none."""
    held: State = state.get("ItemProcessor") or state.get("Iterator") or {}
    return held


def is_distributed(state: State) -> bool:
    """Whether a state is a Map in distributed mode."""
    return (processor(state).get("ProcessorConfig") or {}).get("Mode") == "DISTRIBUTED"


def assigned_by(state: State) -> list[str]:
    """The variables that a state assigns, also those of its Choice rules and Catchers."""
    parts = [part.get("Assign") for _, part in _with_rules(state)]
    return [name.removesuffix(".$") for names in parts if isinstance(names, dict) for name in names]


def is_last(state: State) -> bool:
    """Whether its workflow can end in this state."""
    return state.get("End") is True or state.get("Type") in ("Succeed", "Fail")


def ways_from(state: State) -> Iterator[tuple[str, str]]:
    """The names of the states that may follow a state, with their paths in it."""
    for at, part in _with_rules(state):
        for name in ("Next", "Default"):
            if isinstance(target := part.get(name), str):
                yield f"{at}/{name}", target


def _with_rules(state: State) -> Iterator[tuple[str, State]]:
    """A state, its Choice rules and its Catchers, with their paths in the state."""
    yield "", state
    for name in ("Choices", "Catch"):
        rules = state.get(name)
        for index, rule in enumerate(rules if isinstance(rules, list) else []):
            if isinstance(rule, dict):
                yield f"/{name}[{index}]", rule
