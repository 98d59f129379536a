"""Load a state machine's definition, fill its placeholders, check it, and say where each state leads."""

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, NamedTuple

import states_language
from lottery_lib.errors import LotteryError
from lottery_lib.names import KIT
from lottery_lib.translation import _, listed, punctuated
from states_language import assigned_by, branches, states

#: A parsed definition, of a whole state machine or of a branch.
Machine = Mapping[str, Any]
#: One state of it.
State = Mapping[str, Any]

ASL_FOLDER: Final = KIT / "asl"
_PLACEHOLDER: Final = re.compile(r"<\w+:ARN>")
_TOKEN: Final = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\]]|[^\s{}\[\],:"]+')
_INTEGRATION: Final = re.compile(r"\barn:aws:states:::")


def load(edition: str = "tutorial") -> str:
    """Read the definition of an edition with its placeholders, as the tutorial prints it (2.2.5).

    Returns:
        Text in the Amazon States Language.
    """
    file = "lottery.asl.json" if edition == "tutorial" else f"lottery_{edition}.asl.json"
    return (ASL_FOLDER / file).read_text(encoding="utf-8")


def placeholders(text: str) -> list[str]:
    """List the placeholders in a definition, such as ``<InputWinners:ARN>``, each once, in order."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text)))


def arns_by_placeholder(function_arns: Mapping[str, str], topic_arn: str) -> dict[str, str]:
    """Map each placeholder to its ARN: five in the tutorial's definition.

    Args:
        function_arns: Each function's ARN by its purpose.
        topic_arn: The topic's ARN.
    """
    arns = {f"<{purpose}:ARN>": arn for purpose, arn in function_arns.items()}
    return arns | {"<Notification:ARN>": topic_arn}


def fill(text: str, arns: Mapping[str, str]) -> str:
    """Replace placeholders by ARNs.

    The tutorial calls its SNS integration `arn:aws:states:::sns:publish`. In another partition, such as
    China's `aws-cn`, this name gets the partition of the ARNs.

    Args:
        text: A definition with placeholders.
        arns: The ARN for each placeholder. Other placeholders stay.

    Returns:
        The definition's text, otherwise unchanged.

    Raises:
        LotteryError: A value is not an ARN.
    """
    for placeholder, arn in arns.items():
        if not re.fullmatch(r"arn:[\w-]+:[\w-]+:[\w-]*:\d*:.+", arn):
            where = _("placeholder {placeholder}", placeholder=placeholder)
            next_step = _("Copy the whole ARN, from `arn:` to the resource's name")
            raise LotteryError(where, _("{text!r} is not an ARN", text=arn), next_step)
        text = text.replace(placeholder, arn)
    return in_partition(text, next((arn.split(":")[1] for arn in arns.values()), "aws"))


def in_partition(text: str, partition: str) -> str:
    """Write a definition for the regions of a partition, such as ``"aws-cn"`` for those in China."""
    return _INTEGRATION.sub(f"arn:{partition}:states:::", text)


def with_substitutions(text: str) -> str:
    """Write a definition's placeholders as AWS SAM does: ``${InputWinnersArn}``.

    The integrations get the placeholder ``${Partition}``, because China has another partition.
    """
    text = _PLACEHOLDER.sub(lambda match: f"${{{match[0][1:-5]}Arn}}", text)
    return in_partition(text, "${Partition}")


@dataclass(frozen=True)
class Fault:
    """What Step Functions refuses in a definition, or warns about.

    Attributes:
        text: A sentence with its place. AWS's sentences begin with AWS's code, such as
            ``SCHEMA_VALIDATION_FAILED``.
        line: The line that it is about, from 1.
        state: The state in which it is; empty if it is in none.
        is_error: Whether Step Functions refuses it, and does not only warn.
        short: The sentence without AWS's code, and with the place inside its state.
    """

    text: str
    line: int
    state: str = ""
    is_error: bool = True
    short: str = ""


class _Place(NamedTuple):
    """Where a value stands in a text: its first line and the line after its last, from 0, and its state."""

    first: int
    end: int
    state: str
    is_state: bool


def faults(text: str, *, placeholders_too: bool = True) -> list[Fault]:
    """Say what Step Functions would refuse in a definition, and what it would warn about.

    Args:
        text: The definition.
        placeholders_too: Whether an open placeholder is a fault, as it is on AWS.
    """
    open_ones = {each: text.count("\n", 0, text.index(each)) + 1 for each in placeholders(text)}
    found = [
        Fault(_("{placeholder} must still be replaced by an ARN", placeholder=each), line)
        for each, line in open_ones.items()
        if placeholders_too
    ]
    places = _places(text)
    # A placeholder is no ARN, and that would be a second fault. In a text that is not JSON, columns count.
    for each in states_language.diagnostics(with_stand_ins(text) if places else text):
        place = each.location or ""
        while place and place not in places:  # a field that is missing has no place
            place = re.sub(r"(/[^/]*|\[\d+\])$", "", place)
        at = places.get(place, _Place(0, 1, "", False))
        number = None if places else re.search(r"line (\d+)", each.message)
        short, inside = each.message, (each.location or "").partition(f"/States/{at.state}/")[2]
        short += f" ({inside})" if at.state and inside else ""
        gone = re.fullmatch(r"Missing '\w+' target: (.*)", each.message)
        if gone and any(other.is_state and other.state == gone[1] for other in places.values()):
            why = _("That state is in another branch: a branch reaches only its own States.")
            short = f"{short}. {why}"
        if number:  # the first letter that cannot stand there
            short = punctuated(
                "{text}. {hint}", text=short.rstrip("."), hint=_("Look at the line before it, too")
            )
        line = int(number[1]) if number else at.first + 1
        found.append(Fault(str(each), line, at.state, each.severity == "ERROR", short))
    return found


def with_stand_ins(text: str) -> str:
    """A definition that can be checked and run: its placeholders are ARNs of what nobody has."""

    def stand_in(match: re.Match[str]) -> str:
        is_called = re.search(r'"Resource"\s*:\s*"$', text[max(0, match.start() - 30) : match.start()])
        what = "lambda:us-east-1:123456789012:function" if is_called else "sns:us-east-1:123456789012"
        return f"arn:aws:{what}:{match[0][1:-5]}"

    return _PLACEHOLDER.sub(stand_in, text)


def _places(text: str) -> dict[str, _Place]:
    """Where each value of a JSON text stands, by its location as AWS writes it, such as ``/States/A/Next``.

    A value in an object begins with its key. A text that is not JSON has no places.
    """
    places: dict[str, _Place] = {}
    tokens = _TOKEN.finditer(text)
    breaks = [each.start() for each in re.finditer("\n", text)]
    #: What the values of a key are: a workflow has States, and a state may hold workflows.
    inside = {
        **{("workflow", "States"): "states", ("state", "Branches"): "branches"},
        **{("state", "ItemProcessor"): "workflow", ("state", "Iterator"): "workflow"},
    }

    def read(first: re.Match[str], begins: int, location: str, kind: str, state: str) -> None:
        last = first
        if first[0] == "{":
            while (last := next(tokens))[0] != "}":
                key = json.loads(last[0])
                its_kind = "state" if kind == "states" else inside.get((kind, key), "")
                its_state = key if kind == "states" else state
                read(next(tokens), last.start(), f"{location}/{key}", its_kind, its_state)
        elif first[0] == "[":
            for number in count():
                if (last := next(tokens))[0] == "]":
                    break
                its_kind = "workflow" if kind == "branches" else ""
                read(last, last.start(), f"{location}[{number}]", its_kind, state)
        lines = bisect_left(breaks, begins), bisect_left(breaks, last.end()) + 1
        places[location] = _Place(*lines, state, kind == "state")

    with suppress(ValueError, RecursionError):
        json.loads(text)
        read(first := next(tokens), first.start(), "", "workflow", "")
    return places


def parse(definition: Machine | str) -> Machine:
    """Read a whole state machine from JSON text, or take a parsed one.

    Raises:
        LotteryError: It is not JSON, or not a state machine.
    """
    try:
        machine = json.loads(definition) if isinstance(definition, str) else definition
    except ValueError as error:
        what, next_step = _("is not JSON ({error})", error=error), _("Correct the JSON at that place")
        raise LotteryError(_("definition"), what, next_step) from error
    if not (isinstance(machine, Mapping) and {"StartAt", "States"} <= set(machine)):
        what, next_step = _("has no StartAt or no States"), _("Give the whole state machine")
        raise LotteryError(_("definition"), what, next_step)
    return machine


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


def ways(state: State) -> Iterator[tuple[str, list[str]]]:
    """Where a state leads: pairs of target and rules. Rules that lead to the same state are in one pair."""
    if "Next" in state:
        yield state["Next"], []
    rules: dict[str, list[str]] = {}
    for choice in state.get("Choices", []):
        rules.setdefault(choice.get("Next", ""), []).append(_rule(choice))
    if "Default" in state:
        rules.setdefault(state["Default"], []).append(_("Default"))
    yield from rules.items()


def catches(state: State) -> Iterator[tuple[str, list[str]]]:
    """Where errors lead: pairs of target and words. The errors are named if they lead to several states."""
    errors: dict[str, list[str]] = {}
    for catcher in state.get("Catch", []):
        errors.setdefault(catcher.get("Next", ""), []).extend(catcher.get("ErrorEquals", []))
    for target, names in errors.items():
        yield target, [_("Catch")] if len(errors) == 1 else [_("Catch:"), ", ".join(names)]


def notes(state: State) -> Iterator[str]:
    """What a name does not say: that a state runs for each item, waits for a token, or assigns variables."""
    if state.get("Type") == "Map":
        yield _("(for each item)")
    if waits(state):
        yield _("(waits for a token)")
    if names := assigned(state):
        yield _("assigns {names}", names=names)


def waits(state: State) -> bool:
    """Whether a state waits until somebody sends its token back."""
    return str(state.get("Resource", "")).endswith(".waitForTaskToken")


def function_of(state: State) -> str:
    """The ARN or the name of the function that a Task calls; its resource if the Task names no function."""
    called = state.get("Parameters") or state.get("Arguments") or {}
    named = called.get("FunctionName") if isinstance(called, dict) else None
    return str(named or state.get("Resource", ""))


def assigned(state: State) -> str:
    """The names of the variables that a state assigns; empty if it assigns none."""
    return ", ".join(dict.fromkeys(assigned_by(state)))


def tries(state: State) -> int:
    """How often a state may be tried again. Each of its Retries counts for itself."""
    return sum(retrier.get("MaxAttempts", 3) for retrier in state.get("Retry", []))


def lines_of_states(text: str, names: Iterable[str]) -> dict[str, list[int]]:
    """Where each state stands in the text of a definition: its first line, and the line after its last.

    Args:
        text: The definition as JSON text.
        names: The names of its states.
    """
    places = [place for place in _places(text).values() if place.is_state]
    lines = {place.state: [place.first, place.end] for place in places}
    return {name: lines[name] for name in names if name in lines}


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
