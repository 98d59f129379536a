"""The errors of states: those that Retry and Catch see, and those that end an execution.

See https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from typing import Final

RUNTIME: Final = "States.Runtime"
QUERY: Final = "States.QueryEvaluationError"
TIMEOUT: Final = "States.Timeout"
HEARTBEAT: Final = "States.HeartbeatTimeout"
DATA_LIMIT: Final = "States.DataLimitExceeded"
_TOO_LARGE: Final = "The state/task '{}' {} with a size exceeding the maximum number of bytes service limit."


class Failure(Exception):
    """A state fails.

    Args:
        error: The error's name; None if it has none, as that of a Fail state may.
        cause: The cause; None if there is none.

    Attributes:
        location: For an expression of JSONata: the field, such as ``Output/a``.
        needs_prefix: Whether the cause still has to say in which state it was.
        names: All names that a Retry or a Catch may use for it.
    """

    def __init__(self, error: str | None, cause: str | None = None) -> None:
        super().__init__(error, cause)
        self.error, self.cause = error, cause
        self.location: str | None = None
        self.needs_prefix = False
        self.names = {error or ""}

    @property
    def is_caught(self) -> bool:
        """Whether Retry and Catch see it. States.Runtime always ends the execution."""
        return self.error != RUNTIME

    @property
    def details(self) -> dict[str, str]:
        """The error and the cause, if there are any, as an event has them."""
        told = {"error": self.error, "cause": self.cause}
        return {name: text for name, text in told.items() if text is not None}

    @property
    def output(self) -> dict[str, str | None]:
        """The Error Output, which a Catch sees. An error without a cause has an empty one there."""
        return {"Error": self.error, "Cause": "" if self.error and self.cause is None else self.cause}


def runtime(reason: str) -> Failure:
    """States.Runtime, which ends the execution. The cause will name the state."""
    failure = Failure(RUNTIME, reason)
    failure.needs_prefix = True
    return failure


def intrinsic(reason: str) -> Failure:
    """States.IntrinsicFailure: an intrinsic function refuses its arguments. Retry and Catch see it."""
    failure = runtime(reason)
    failure.error, failure.names = "States.IntrinsicFailure", {"States.IntrinsicFailure"}
    return failure


def evaluation(reason: str, location: str | None) -> Failure:
    """States.QueryEvaluationError. The history shows it as EvaluationFailed."""
    failure = runtime(reason)
    failure.error, failure.location, failure.names = QUERY, location or "", {QUERY}
    return failure


def too_large(name: str, did: str = "returned a result") -> Failure:
    """What a state or a task's resource has given has more than 256 KiB."""
    return Failure(DATA_LIMIT, _TOO_LARGE.format(name, did))


def heartbeat_missed() -> Failure:
    """No heartbeat came in time. AWS writes States.Timeout; a Retry or a Catch may use both names."""
    failure = Failure(TIMEOUT)
    failure.names = {TIMEOUT, HEARTBEAT}
    return failure
