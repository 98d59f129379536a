"""Inject a fault by deploying modified code."""

import io
import zipfile
from typing import Final

from lottery_lib import plan
from lottery_lib.errors import LotteryError
from lottery_lib.resources import Report
from lottery_lib.resources.lambda_function import Function, entry
from lottery_lib.target import Target

#: The first line of the fault's module: the function's own handler, under another name.
_OPENING: Final = "from lambda_function import lambda_handler as original\n"


def inject(target: Target, purpose: str, source: str) -> Report:
    """Replace a function's handler with another one. `Stack.deploy` repairs the function.

    Args:
        target: Where the lottery is deployed.
        purpose: One of the edition's functions, such as ``"RecordWinners"``.
        source: Python that defines ``lambda_handler(event, context)``. It can call the function's own handler
            as ``original(event, context)``.

    Returns:
        The function: ``updated``, or ``unchanged`` if it has this fault already.

    Raises:
        LotteryError: The function does not exist, or the source is not Python or defines no handler.
    """
    if purpose not in target.names.functions:
        what, next_step = "does not exist", f"Use {', '.join(target.names.functions)}"
        raise LotteryError(f"function {purpose!r}", what, next_step)
    try:
        if not isinstance(source, str):
            raise TypeError("it must be a string")
        names = compile(source, "the fault", "exec").co_names
    except (SyntaxError, TypeError, ValueError) as error:
        raise LotteryError("the fault", f"is not valid Python: {error}", "Correct the source") from error
    if "lambda_handler" not in names:
        raise LotteryError("the fault", "defines no lambda_handler", "Begin it with `def lambda_handler`")
    function = plan.function(target, purpose)
    package = io.BytesIO(function.code)
    with zipfile.ZipFile(package, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry("fault.py"), _OPENING + source)  # the same fault gives the same bytes
    role_arn, handler = function.configuration["Role"], "fault.lambda_handler"
    return Function(target, function.name, package.getvalue(), role_arn, handler=handler).ensure()
