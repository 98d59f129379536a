"""Break a function on purpose, by the means that anyone has: another version of its code."""

import io
import zipfile
from dataclasses import replace
from typing import Final

from lottery_lib.aws_errors import explained
from lottery_lib.errors import LotteryError
from lottery_lib.resources import Resource, iam_role, lambda_function
from lottery_lib.target import Target

__all__ = ["inject"]

_MODULE: Final = "fault"
#: What stands before the attendee's handler: the function's own handler, under another name.
_OPENING: Final = "from lambda_function import lambda_handler as original\n"


@explained()
def inject(target: Target, purpose: str, source: str) -> Resource:
    """Deploy a function with another handler in front of its own; `Stack.deploy` puts it right again.

    Args:
        target: Where.
        purpose: Which of the four functions, such as ``"RecordWinners"``.
        source: Python that defines ``lambda_handler(event, context)``; the function's own is `original`.

    Returns:
        The function, its state ``updated``, or ``unchanged`` if it has this fault already.

    Raises:
        LotteryError: There is no such function, or the source is no Python or defines no handler.
    """
    if purpose not in target.names.functions:
        raise LotteryError(f"function {purpose!r}", "is none", f"Use {', '.join(target.names.functions)}")
    _check(source)
    role_arn = iam_role.role_arn(target, target.names.lambda_role)
    well = lambda_function.for_purpose(target, purpose, role_arn)
    faulty = replace(well, code=_with_fault(well.code, source), handler=f"{_MODULE}.lambda_handler")
    return lambda_function.ensure(target, faulty)


def _check(source: str) -> None:
    if not isinstance(source, str):
        raise LotteryError("the fault", "is no text", "Write Python in a text, between quotes")
    try:
        compiled = compile(source, _MODULE, "exec")
    except SyntaxError as error:
        raise LotteryError(
            f"line {error.lineno} of the fault", f"is no Python ({error.msg})", "Correct that line"
        ) from error
    if "lambda_handler" not in compiled.co_names:
        raise LotteryError("the fault", "defines no lambda_handler", "Begin it with `def lambda_handler`")


def _with_fault(package: bytes, source: str) -> bytes:
    """The package with one module more; the same bytes for the same fault."""
    buffer = io.BytesIO(package)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(lambda_function.entry(f"{_MODULE}.py"), _OPENING + source)
    return buffer.getvalue()
