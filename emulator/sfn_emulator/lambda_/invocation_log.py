"""Write the log of an invocation as Lambda does."""

import datetime

from sfn_emulator.lambda_.function import Function


def invocation_log(
    function: Function,
    request_id: str,
    output: bytes,
    *,
    seconds: float,
    init_seconds: float | None,
    max_memory: int,
    last_words: str = "",
) -> str:
    """The log of one invocation: the function's output between Lambda's own lines.

    Args:
        function: The function.
        request_id: The id of the invocation.
        output: What the function printed.
        seconds: How long it ran.
        init_seconds: How long it took to load; None if it was loaded already.
        max_memory: The most memory that it used, in bytes.
        last_words: Why the worker was ended; empty if it was not ended.
    """
    billed = (seconds + (init_seconds or 0)) * 1000  # since August 2025, AWS bills a cold start, too
    report = (
        f"REPORT RequestId: {request_id}\tDuration: {seconds * 1000:.2f} ms\t"
        f"Billed Duration: {int(billed) + 1} ms\tMemory Size: {function.memory} MB\t"
        f"Max Memory Used: {max(1, max_memory >> 20)} MB\t"
    )
    if init_seconds is not None:
        report += f"Init Duration: {init_seconds * 1000:.2f} ms\t"
    text = output.decode("utf-8", "replace")
    text += "\n" if text and not text.endswith("\n") else ""
    if last_words:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        text += f"{now} {request_id} {last_words}\n\n"
    start = f"START RequestId: {request_id} Version: {function.version}\n"
    return f"{start}{text}END RequestId: {request_id}\n{report}\n"
