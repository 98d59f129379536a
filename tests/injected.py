"""Faults that tests inject into functions of Lambda are written as Python, not as text."""

import time
from pathlib import Path

from helpers import source_of


def original(event, context):
    """Stands for the function's own handler, which a fault can call. It is there only in Lambda."""
    raise NotImplementedError


def waits_for(gate, *, goes_on=True):
    """The source of a handler that waits for a file. Then the function goes on, or does nothing more."""
    path = str(gate)

    def waits(event, context):
        while not Path(path).exists():
            time.sleep(0.01)
        return original(event, context) if goes_on else None

    return source_of(waits)


def reads_all_winners(event, context):
    """A hardened draw that takes any number of winners for so many that it reads them all."""
    import lambda_function

    lambda_function.MOST_PASSED_OVER = -1
    return original(event, context)
