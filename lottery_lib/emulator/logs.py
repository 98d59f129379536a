"""Answer CloudWatch Logs' API as AWS does where moto does not; moto keeps the groups."""

from lottery_lib.emulator.http.messages import Reply, Request
from lottery_lib.emulator.moto.application import Moto

__all__ = ["LogsApi"]

_TARGET = "Logs_20140328."


class LogsApi:
    """The log groups of one emulator.

    Args:
        moto: Keeps them.
    """

    def __init__(self, moto: Moto) -> None:
        self._moto = moto

    def answer(self, request: Request) -> Reply | None:
        """Answer a request that deletes a group; None for any other."""
        if request.scope.service != "logs" or request.operation != "DeleteLogGroup":
            return None
        group = {"logGroupName": request.json.get("logGroupName", "")}
        # moto keeps the tags, and a new group of that name would have them.
        listed = self._moto.target(request.scope, _TARGET + "ListTagsLogGroup", group)
        if listed.ok and (tags := list(listed.json.get("tags") or {})):
            self._moto.target(request.scope, _TARGET + "UntagLogGroup", group | {"tags": tags})
        return self._moto(request)

    def reset(self) -> None:
        """Nothing of its own to forget."""
