"""Decide which executions can be redriven, as AWS does, and remember their redrives.

See https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_MOST_EVENTS: Final = 24_998
_MOST_REDRIVES: Final = 1_000
_DAY: Final = 24 * 60 * 60
_REDRIVABLE: Final = 14 * _DAY
_LONGEST: Final = 365 * _DAY
_TOKENS: Final = 10
_TOKEN_VALID: Final = 15 * 60


@dataclass
class Redrives:
    """The redrives of one execution.

    Attributes:
        count: How many there have been.
        date: When the latest was, in seconds since 1970; 0 if there was none.
    """

    count: int = 0
    date: float = 0
    _tokens: dict[str, float] = field(default_factory=dict)

    def add(self, token: str | None, now: float) -> None:
        """Count a redrive."""
        self.count, self.date = self.count + 1, now
        if token:
            latest = list(self._tokens.items())[1 - _TOKENS :]
            self._tokens = {**dict(latest), token: now}

    def date_of(self, token: str | None, now: float) -> float | None:
        """When this client token made a redrive; None if AWS does not remember it."""
        date = self._tokens.get(token or "", -math.inf)
        return date if now - date <= _TOKEN_VALID else None

    def reason_against(self, execution: Mapping[str, Any], events: int, now: float) -> str:
        """Why an execution cannot be redriven; empty if it can be.

        The reasons are those of AWS, but nobody knows AWS's words for the limit of 1,000 redrives.

        Args:
            execution: It, as DescribeExecution returns it.
            events: The number of its events.
            now: In seconds since 1970.
        """
        if execution["status"] in {"RUNNING", "SUCCEEDED"}:
            return f"Execution is {execution['status']} and cannot be redriven"
        if events > _MOST_EVENTS:
            return "Execution history event limit exceeded"
        if now - execution["startDate"] > _LONGEST:
            return "Execution has exceeded the max execution time"
        if now - execution["stopDate"] > _REDRIVABLE:
            return "Execution redrivable period exceeded"
        return "Execution redrive limit exceeded" if self.count >= _MOST_REDRIVES else ""

    def facts(self, execution: Mapping[str, Any], events: int, now: float) -> dict[str, Any]:
        """What DescribeExecution says about redrives. The arguments are those of `reason_against`."""
        reason = self.reason_against(execution, events, now)
        status = {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
        return self.counted() | (status if reason else {"redriveStatus": "REDRIVABLE"})

    def counted(self) -> dict[str, Any]:
        """What ListExecutions says about redrives."""
        return {"redriveCount": self.count} | ({"redriveDate": self.date} if self.count else {})
