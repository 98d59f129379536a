"""Write the events of an execution to its machine's log group, as Step Functions does."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from sfn_emulator.engine.executions import is_logged
from sfn_emulator.http.messages import Arn, Scope
from sfn_emulator.logs import LogLines, LogWriter


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
        self.execution_arn = execution_arn
        self.configuration = SimpleNamespace(include_execution_data=logging["includeExecutionData"])
        self._level = logging["level"]
        self._writer = writer
        self._redrives, self._names = str(redrives), names or {}
        self._made = machine, scope
        self._scope = replace(scope, service="logs", region=group.region)
        self._group = group.resource.removeprefix("log-group:").removesuffix(":*")
        # The executions of a machine share a stream for a while.
        stream = f"states/{machine['name']}/{datetime.now(UTC):%Y-%m-%d-%H-%M}"
        self._stream = f"{stream}/{zlib.crc32(stream.encode()):08x}"
        self._is_new, self._has_ended = True, False

    def of_child(self, execution_arn: str) -> "ExecutionLog":
        """The log of a child execution of a Distributed Map."""
        return ExecutionLog(execution_arn, *self._made, self._writer)

    def log_level_filter(self, history_event_type: str) -> bool:
        """Whether events of this type are written."""
        return not self._has_ended and is_logged(self._level, history_event_type)

    def publish_history_log(self, history_log: Mapping[str, Any]) -> None:
        """Write an event of moto's engine."""
        details = history_log.get("details") or {}
        if history_log["type"] == "ExecutionStarted":
            details = {**details, **self._names}
        at = int(datetime.fromisoformat(history_log["event_timestamp"]).timestamp() * 1000)
        event = {
            "id": history_log["id"],
            "type": history_log["type"],
            "details": {name: value for name, value in details.items() if value is not None},
            "previous_event_id": history_log["previous_event_id"],
            "event_timestamp": str(at),
            "execution_arn": self.execution_arn,
            "redrive_count": self._redrives,
        }
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        self._writer.write(LogLines(self._scope, "", self._group, self._stream, text, self._is_new, at))
        self._is_new = False

    def end(self, number: int, kind: str, at: float, details: Mapping[str, Any]) -> None:
        """Write the last event, which is not moto's: whatever its engine still does is not written.

        Args:
            number: Its id.
            kind: Its type.
            at: Its time, in seconds since 1970.
            details: Its details.
        """
        if self.log_level_filter(kind):
            event = {"id": str(number), "previous_event_id": "0", "type": kind, "details": details}
            self.publish_history_log(event | {"event_timestamp": datetime.fromtimestamp(at, UTC).isoformat()})
        self._has_ended = True
