"""Faults that tests inject into functions of Lambda are written as Python, not as text."""

import inspect
import textwrap
import time
from pathlib import Path
from types import FunctionType, ModuleType


def original(event, context):
    """Stands for the function's own handler, which a fault can call. It is there only in Lambda."""
    raise NotImplementedError


def source_of(handler):
    """The source of a handler, for `inject`. Above it stands what it takes from its test, but no function."""
    taken = inspect.getclosurevars(handler)
    above = [_made_again(name, value) for name, value in (taken.globals | taken.nonlocals).items()]
    source = textwrap.dedent(inspect.getsource(handler))
    return "\n".join([*above, source, f"lambda_handler = {handler.__name__}\n"])


def _made_again(name, value):
    if isinstance(value, ModuleType):
        return f"import {value.__name__} as {name}"
    if isinstance(value, type):
        return f"from {value.__module__} import {value.__qualname__} as {name}"
    return "" if isinstance(value, FunctionType) else f"{name} = {value!r}"


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
