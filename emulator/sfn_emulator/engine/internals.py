"""Reach what is inside moto's state machine engine: its modules and its parser.

moto is imported when it is needed, because `patches` changes its modules while they are imported.
"""

import importlib
from collections.abc import Callable
from typing import Any

MotoFunction = Callable[..., Any]
"""A function of moto that is replaced, or its replacement."""


def engine_module(name: str) -> Any:
    """A module of moto's engine, such as ``"asl.utils.encoding"``."""
    return importlib.import_module(f"moto.stepfunctions.parser.{name}")


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
