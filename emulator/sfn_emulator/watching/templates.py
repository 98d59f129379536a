"""Make the text that a target gets from an event: whole, a part of it, or by a template.

See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

_PLACEHOLDER: Final = re.compile(r"<([^<>\s]+)>")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']*)'\]")
_RESERVED: Final = "aws.events."


def text_for(target: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str, rule: str) -> str | None:
    """What a target gets; None if nothing can be made of its template, because then nothing is sent.

    Args:
        target: The target, as ListTargetsByRule returns it.
        event: The event.
        rule_arn: The ARN of the rule.
        rule: Its name.
    """
    if (text := target.get("Input")) is not None:
        return str(text)
    if (path := target.get("InputPath")) is not None:
        return json.dumps(_found(path, event), separators=(",", ":"))
    if (transformer := target.get("InputTransformer")) is None:
        return json.dumps(event, separators=(",", ":"))
    values = {name: _found(path, event) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    without_detail = {name: value for name, value in event.items() if name not in {"detail", "detail-type"}}
    values |= {
        f"{_RESERVED}rule-arn": rule_arn,
        f"{_RESERVED}rule-name": rule,
        f"{_RESERVED}event.ingestion-time": now,
        f"{_RESERVED}event.json": event,
        f"{_RESERVED}event": without_detail | {"detailType": event["detail-type"]},
    }
    return _filled(transformer["InputTemplate"], values)


def unknown_placeholder(transformer: Mapping[str, Any]) -> str:
    """The first placeholder of a template that stands for nothing; empty if there is none."""
    known = transformer.get("InputPathsMap") or {}
    names = _PLACEHOLDER.findall(transformer.get("InputTemplate") or "")
    return next((name for name in names if name not in known and not name.startswith(_RESERVED)), "")


def _filled(template: str, values: Mapping[str, Any]) -> str | None:
    """A template with its values. Inside quotes, a value is a text; elsewhere it is JSON."""
    is_json = template.lstrip()[:1] in {"{", "["}
    parts, end, quoted = [], 0, False
    for match in _PLACEHOLDER.finditer(template):
        before = template[end : match.start()]
        parts.append(before)
        quoted ^= len(re.findall(r'(?<!\\)"', before)) % 2 == 1
        value, end = values.get(match[1]), match.end()
        text = json.dumps("" if value is None else value, separators=(",", ":"))
        if quoted and not isinstance(value, dict | list):
            text = text.removeprefix('"').removesuffix('"')
        elif quoted and not is_json:
            text = text.replace('"', "")
        parts.append(text)
    text = "".join([*parts, template[end:]])
    try:
        for part in [text] if is_json else text.splitlines():
            json.loads(part)
    except (ValueError, RecursionError):
        return None
    return text


def _found(path: str, event: Any) -> Any:
    """What a path such as ``$.detail.name`` finds in an event; None if there is nothing."""
    for match in _STEP.finditer(path.removeprefix("$")):
        if match[2]:
            here = isinstance(event, list) and int(match[2]) < len(event)
            event = event[int(match[2])] if here else None
        else:
            event = event.get(match[1] or match[3]) if isinstance(event, dict) else None
    return event
