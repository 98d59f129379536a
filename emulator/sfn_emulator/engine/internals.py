"""Reach what is inside moto: its state machine engine's modules and parser, and what it checks in IAM.

moto is imported when it is needed, because `patches` changes its modules while they are imported.
"""

import importlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_OF_NAMES: Final = re.compile(r'"[\w .$-]*"')
_NAME: Final = re.compile(r'[^\W\d]\w*|(?<=["\s-])\d+')
MotoFunction = Callable[..., Any]
"""A function of moto that is replaced, or its replacement."""


def engine_module(name: str) -> Any:
    """A module of moto's engine, such as ``"asl.utils.encoding"``."""
    return importlib.import_module(f"moto.stepfunctions.parser.{name}")


def details_of(kind: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """The details of an event of this type, in the form of moto's engine."""
    return {f"{kind[0].lower()}{kind[1:]}EventDetails": details}


def add_event(env: Any, kind: str, details: Mapping[str, Any] | None = None, **more: Any) -> None:
    """Add an event of this type to the history. ``more`` are further arguments of moto's EventManager."""
    told = None if details is None else details_of(kind, details)
    context = env.event_history_context
    env.event_manager.add_event(context=context, event_type=kind, event_details=told, **more)


def parsed(definition: str) -> Any:
    """What the engine runs for a definition. The objects belong to the caller.

    Raises:
        Exception: The parser refuses the definition.
    """
    return engine_module("backend.execution_worker").AmazonStateLanguageParser.parse(definition)[0]


def is_parsed(definition: str) -> bool:
    """Whether moto's parser accepts a definition. What it says about one is in no words of AWS."""
    try:
        parsed(definition)
    except Exception:
        return False
    return True


def shape(state: Mapping[str, Any]) -> str:
    """What moto's parser knows of a state. It accepts either all states of one shape, or none.

    Of a text it knows whether it is a word of its grammar, an expression, a path or something else.
    """
    words = engine_module("asl.antlr.runtime.ASLLexer").ASLLexer.literalNames

    def shape_of_text(match: re.Match[str]) -> str:
        text = match[0]
        if f"'{text}'" in words:
            return text
        if text[:3] == '"{%' and text[-3:] == '%}"':
            return '"{%%}"'
        return _NAME.sub("x", text) if _OF_NAMES.fullmatch(text) else text

    return _TEXT.sub(shape_of_text, json.dumps(state, ensure_ascii=False))


def inline_policy(kind: str, original: MotoFunction, self: Any, owner: str, *given: str) -> None:
    """An inline policy needs no version, and may have the old one. AWS demands the new one of others."""
    name, document = given
    old = {"Version": "2008-10-17"}
    try:
        policy = old | json.loads(document)
    except (TypeError, ValueError):
        policy = {}
    if policy.get("Version") != old["Version"]:
        original(self, owner, name, document)
        return
    original(self, owner, name, json.dumps(policy | {"Version": "2012-10-17"}))
    getattr(self, f"get_{kind}")(owner).put_policy(name, document)
