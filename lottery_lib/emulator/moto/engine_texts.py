"""Let moto's state machines read each definition and each path only once.

moto's engine parses the whole definition at every start of an execution, and every ``$.path`` whenever it
meets it; the first alone takes longer than a state. Both are functions of their text alone.
"""

import pickle
from functools import lru_cache
from typing import Any

import jsonpath_ng
import jsonpath_ng.ext

__all__ = ["remember_definitions", "remember_paths"]


def remember_paths() -> None:
    """Keep parsed paths. What imports `parse` later (moto's engine) gets this one."""
    modules: list[Any] = [jsonpath_ng, jsonpath_ng.ext]
    for module in modules:
        module.parse = lru_cache(4096)(module.parse)


def remember_definitions() -> None:
    """Keep parsed definitions. This loads moto's engine, which takes a while."""
    from moto.stepfunctions.parser.backend import execution_worker  # noqa: PLC0415

    execution_worker.AmazonStateLanguageParser = _Parser


class _Parser:
    """Stands in for moto's parser where an execution starts."""

    @staticmethod
    def parse(definition: str) -> tuple[Any, None]:
        """The program; each execution has its own, as its parts may keep notes."""
        return pickle.loads(_pickled(definition)), None


@lru_cache(256)
def _pickled(definition: str) -> bytes:
    from moto.stepfunctions.parser.asl.parse.asl_parser import (  # noqa: PLC0415
        AmazonStateLanguageParser,
    )

    return pickle.dumps(AmazonStateLanguageParser.parse(definition)[0])
