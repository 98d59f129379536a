"""Answer CloudWatch Logs' API: correct moto's replies where AWS differs. moto stores the groups."""

from lottery_lib.emulator.http.messages import Reply, Request
from lottery_lib.emulator.lambda_.output import LogWriter
from lottery_lib.emulator.moto.application import Moto


class LogsApi:
    """The log groups of one emulator.

    Args:
        moto: Stores them.
        writer: Writes what functions print to the groups, a moment later.
    """

    def __init__(self, moto: Moto, writer: LogWriter) -> None:
        self._moto = moto
        self._writer = writer

    def answer(self, request: Request) -> Reply:
        """Write all waiting lines, then answer a request to CloudWatch Logs."""
        self._writer.flush()
        if request.operation == "DeleteLogGroup":
            group = {"logGroupName": request.json.get("logGroupName", "")}
            # moto keeps the tags, and a new group of that name would have them.
            listed = self._moto.target(request.scope, "Logs_20140328.ListTagsLogGroup", group)
            if listed.ok and (tags := list(listed.json.get("tags") or {})):
                self._moto.target(request.scope, "Logs_20140328.UntagLogGroup", group | {"tags": tags})
        return self._moto(request)

    def reset(self) -> None:
        """Write all waiting lines, so that moto's reset removes them, too."""
        self._writer.flush()
