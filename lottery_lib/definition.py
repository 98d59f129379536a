"""Load a state machine's definition, fill its placeholders, check it, and list its edges."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import states_language
from lottery_lib.errors import LotteryError
from lottery_lib.names import KIT
from lottery_lib.translation import _
from states_language import all_states

Machine = Mapping[str, Any]

ASL_FOLDER: Final = KIT / "asl"
_PLACEHOLDER: Final = re.compile(r"<\w+:ARN>")
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
    partition = next((arn.split(":")[1] for arn in arns.values()), "aws")
    return _INTEGRATION.sub(f"arn:{partition}:states:::", text)


def with_substitutions(text: str) -> str:
    """Write a definition's placeholders as AWS SAM does: ``${InputWinnersArn}``.

    The integrations get the placeholder ``${Partition}``, because China has another partition.
    """
    text = _PLACEHOLDER.sub(lambda match: f"${{{match[0][1:-5]}Arn}}", text)
    return _INTEGRATION.sub("arn:${Partition}:states:::", text)


def diagnostics(text: str) -> list[str]:
    """Say what Step Functions would refuse in a definition, and what it would warn about.

    Returns:
        One sentence for each problem, with its place; none if the definition is valid. AWS's sentences begin
        with AWS's code, such as ``SCHEMA_VALIDATION_FAILED``.
    """
    open_ones = [
        _("{placeholder} must still be replaced by an ARN", placeholder=placeholder)
        for placeholder in placeholders(text)
    ]
    # A placeholder is no ARN, and that would be a second fault. The length stays: a fault may name a column.
    filled = _PLACEHOLDER.sub(lambda match: f"arn:{match[0][4:]}", text)
    known = tuple(f"arn:{placeholder[4:]}" for placeholder in placeholders(text))
    faults = [str(fault) for fault in states_language.diagnostics(filled)]
    return open_ones + [fault for fault in faults if not any(each in fault for each in known)]


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


def edges(machine: Machine) -> list[tuple[str, str]]:
    """List the edges of the graph: each pair of a state and a state that may follow it, once."""
    pairs = ((name, to) for name, state in all_states(machine) for _, to in states_language.ways_from(state))
    return list(dict.fromkeys(pairs))
