"""Write the events of an execution to its machine's log group, as Step Functions does.

See https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from sfn_emulator.http.messages import Arn, Scope
from sfn_emulator.logs import LogLines, LogWriter
from sfn_emulator.process.timers import now

_FATAL: Final = {"ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"}
#: See https://docs.aws.amazon.com/step-functions/latest/dg/cloudwatch-log-level.html
_ERROR: Final = _FATAL | {
    *("FailStateEntered", "WaitStateAborted", "ParallelStateAborted", "ParallelStateFailed"),
    *("MapStateAborted", "MapStateFailed", "MapIterationAborted", "MapIterationFailed"),
    *("MapRunAborted", "MapRunFailed", "TaskFailed", "TaskStartFailed", "TaskStateAborted"),
    *("TaskSubmitFailed", "TaskTimedOut", "LambdaFunctionFailed", "LambdaFunctionScheduleFailed"),
    *("LambdaFunctionStartFailed", "LambdaFunctionTimedOut"),
}
_DATA: Final = {"input", "inputDetails", "output", "outputDetails"}


class ExecutionLog:
    """The log of one execution.

    Args:
        execution_arn: Whose log it is.
        machine: What the execution runs, as DescribeStateMachine returns it.
        scope: That of the request that started it.
        writer: Writes it.
        redrives: How often the execution has been redriven.
        names: The ARNs of the version and the alias, if it was started by one.
    """

    def __init__(
        self,
        execution_arn: str,
        machine: Mapping[str, Any],
        scope: Scope,
        writer: LogWriter,
        *,
        redrives: int = 0,
        names: Mapping[str, str] | None = None,
    ) -> None:
        logging = machine["loggingConfiguration"]
        group = Arn.of(logging["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"])
        self._arn, self._writer = execution_arn, writer
        self._level, self._has_data = logging["level"], logging["includeExecutionData"]
        self._redrives, self._names = str(redrives), names or {}
        self._scope = replace(scope, service="logs", region=group.region)
        self._group = group.resource.removeprefix("log-group:").removesuffix(":*")
        # The executions of a machine share a stream for a while.
        stream = f"states/{machine['name']}/{datetime.fromtimestamp(now(), UTC):%Y-%m-%d-%H-%M}"
        self._stream = f"{stream}/{zlib.crc32(stream.encode()):08x}"
        self._is_new = True

    def write(self, event: Mapping[str, Any]) -> None:
        """Write an event of the history, if the level has events of its type."""
        kind = event["type"]
        if kind not in {"ERROR": _ERROR, "FATAL": _FATAL}.get(self._level, {kind}):
            return
        found = [details for name, details in event.items() if name.endswith("EventDetails")]
        details = {**found[0]} if found else {}
        if kind == "ExecutionStarted":
            details |= self._names
        at = round(event["timestamp"] * 1000)
        shown = {
            "id": str(event["id"]),
            "type": kind,
            "details": {name: it for name, it in details.items() if self._has_data or name not in _DATA},
            "previous_event_id": str(event["previousEventId"]),
            "event_timestamp": str(at),
            "execution_arn": self._arn,
            "redrive_count": self._redrives,
        }
        text = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
        self._writer.write(LogLines(self._scope, "", self._group, self._stream, text, self._is_new, at))
        self._is_new = False
