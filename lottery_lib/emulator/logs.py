"""Answer CloudWatch Logs' API as AWS does where moto does not; moto keeps the groups."""

from lottery_lib.emulator.http.messages import Reply, Request
from lottery_lib.emulator.lambda_.output import LogWriter
from lottery_lib.emulator.moto.application import Moto

__all__ = ["LogsApi"]


class LogsApi:
    """The log groups of one emulator.

    Args:
        moto: Keeps them.
        writer: Writes there what functions print, a moment later.
    """

    def __init__(self, moto: Moto, writer: LogWriter) -> None:
        self._moto = moto
        self._writer = writer

    def answer(self, request: Request) -> Reply:
        """Answer a request to CloudWatch Logs, after everything that waits was written."""
        self._writer.flush()
        if request.operation == "DeleteLogGroup":
            group = {"logGroupName": request.json.get("logGroupName", "")}
            # moto keeps the tags, and a new group of that name would have them.
            listed = self._moto.target(request.scope, "Logs_20140328.ListTagsLogGroup", group)
            if listed.ok and (tags := list(listed.json.get("tags") or {})):
                self._moto.target(request.scope, "Logs_20140328.UntagLogGroup", group | {"tags": tags})
        return self._moto(request)

    def reset(self) -> None:
        """Write what waits, so that it is forgotten with everything else."""
        self._writer.flush()
