"""Inject a fault by deploying modified code."""

import io
import zipfile
from typing import Final

from lottery_lib import plan
from lottery_lib.errors import LotteryError
from lottery_lib.resources.base import Report
from lottery_lib.resources.lambda_function import Function, entry
from lottery_lib.target import Target
from lottery_lib.translation import _

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
        next_step = _("Use {names}", names=", ".join(target.names.functions))
        raise LotteryError(_("function {name!r}", name=purpose), _("does not exist"), next_step)
    try:
        if not isinstance(source, str):
            raise TypeError(_("it must be a string"))
        names = compile(source, "the fault", "exec").co_names
    except (SyntaxError, TypeError, ValueError) as error:
        what = _("is not valid Python: {error}", error=error)
        raise LotteryError(_("the fault"), what, _("Correct the source")) from error
    if "lambda_handler" not in names:
        next_step = _("Begin it with `def lambda_handler`")
        raise LotteryError(_("the fault"), _("defines no lambda_handler"), next_step)
    function = plan.function(target, purpose)
    package = io.BytesIO(function.code)
    with zipfile.ZipFile(package, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry("fault.py"), _OPENING + source)  # the same fault gives the same bytes
    role_arn, handler = function.configuration["Role"], "fault.lambda_handler"
    return Function(target, function.name, package.getvalue(), role_arn, handler=handler).ensure()
