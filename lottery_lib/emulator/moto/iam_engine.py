"""Have moto's state machines call other services as the machine's role: the engine knows it, and drops it.

Importing this loads the engine, which takes a while.
"""

import sys
from collections.abc import Callable
from typing import Any, Final

from moto.stepfunctions.parser.asl.utils import boto_client

__all__ = ["call_as_roles"]

_client_for: Final = boto_client.boto_client_for


def call_as_roles(act_as: Callable[[str], None]) -> None:
    """Tell the role before each call; once is enough.

    Args:
        act_as: Is given the role's ARN, in the thread that makes the call next.
    """

    def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        act_as(state_credentials.role_arn)
        return _client_for(region=region, service=service)

    # Each kind of task has imported it by its name.
    for module in list(sys.modules.values()):
        if getattr(module, "boto_client_for", None) is _client_for:
            module.boto_client_for = client_for  # type: ignore[attr-defined]
