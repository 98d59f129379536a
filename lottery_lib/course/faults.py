"""Inject a fault by deploying modified code."""

import io
import zipfile
from typing import Final

from lottery_lib import plan
from lottery_lib.errors import LotteryError
from lottery_lib.resources import Resource
from lottery_lib.resources.lambda_function import Function, entry
from lottery_lib.target import Target

__all__ = ["inject"]

_MODULE: Final = "fault"
#: Stands before the attendee's handler: the function's own handler, under another name.
_OPENING: Final = "from lambda_function import lambda_handler as original\n"


def inject(target: Target, purpose: str, source: str) -> Resource:
    """Deploy a function with another handler in front of its own. `Stack.deploy` repairs it.

    Args:
        target: Where.
        purpose: Which function, such as ``"RecordWinners"``.
        source: Python that defines ``lambda_handler(event, context)``; the function's own is `original`.

    Returns:
        The function, its state ``updated``, or ``unchanged`` if it has this fault already.

    Raises:
        LotteryError: There is no such function, or the source is not Python or defines no handler.
    """
    if purpose not in target.names.functions:
        raise LotteryError(
            f"function {purpose!r}", "does not exist", f"Use {', '.join(target.names.functions)}"
        )
    if not isinstance(source, str):
        raise LotteryError("the fault", "is not a text", "Write Python in a text, between quotes")
    try:
        compiled = compile(source, _MODULE, "exec")
    except SyntaxError as error:
        where, what = f"line {error.lineno} of the fault", f"is not Python ({error.msg})"
        raise LotteryError(where, what, "Correct that line") from error
    if "lambda_handler" not in compiled.co_names:
        raise LotteryError("the fault", "defines no lambda_handler", "Begin it with `def lambda_handler`")
    healthy = plan.function(target, purpose)
    package = io.BytesIO(healthy.code)
    with zipfile.ZipFile(package, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry(f"{_MODULE}.py"), _OPENING + source)
    role_arn, handler = healthy.configuration["Role"], f"{_MODULE}.lambda_handler"
    return Function(target, healthy.name, package.getvalue(), role_arn, handler=handler).ensure()
