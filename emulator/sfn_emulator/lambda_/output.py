"""Write the log of a call, as Lambda does."""

import datetime

from sfn_emulator.lambda_.function import Function


def log_of(
    function: Function,
    request_id: str,
    output: bytes,
    *,
    seconds: float,
    init_seconds: float | None,
    max_memory: int,
    last_words: str = "",
) -> str:
    """The log of one call, with the lines that Lambda puts around a function's output.

    Args:
        function: The function.
        request_id: The id of the call.
        output: What it printed.
        seconds: How long it ran.
        init_seconds: How long the function took to load; None if it was loaded already.
        max_memory: The most memory that it used, in bytes.
        last_words: Why the worker was ended; empty if it was not.
    """
    duration = seconds * 1000
    report = (
        f"REPORT RequestId: {request_id}\tDuration: {duration:.2f} ms\t"
        f"Billed Duration: {int(duration) + 1} ms\tMemory Size: {function.memory} MB\t"
        f"Max Memory Used: {max(1, max_memory >> 20)} MB\t"
    )
    if init_seconds is not None:
        report += f"Init Duration: {init_seconds * 1000:.2f} ms\t"
    printed = output.decode("utf-8", "replace")
    printed += "\n" if printed and not printed.endswith("\n") else ""
    if last_words:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        printed += f"{now} {request_id} {last_words}\n\n"
    start = f"START RequestId: {request_id} Version: {function.version}\n"
    return f"{start}{printed}END RequestId: {request_id}\n{report}\n"
