"""Refuse in each service's own spelling; pure."""

from typing import Final

from lottery_lib.emulator.http.messages import Reply, Request
from lottery_lib.emulator.http.replies import json_error, query_error, rest_error
from lottery_lib.emulator.iam.asked import Need
from lottery_lib.emulator.iam.policy import Decision

__all__ = ["denied", "sentence"]

_WHY: Final = {
    Decision.IMPLICIT_DENY: "because no identity-based policy allows the {action} action",
    Decision.EXPLICIT_DENY: "with an explicit deny in an identity-based policy",
}


def sentence(caller: str, need: Need, decision: Decision) -> str:
    """AWS's sentence.

    Args:
        caller: The caller's ARN.
        need: What is not allowed.
        decision: In which way it is not.
    """
    # SNS spells its own name so.
    action = need.action.replace("sns:", "SNS:")
    why = _WHY[decision].format(action=action)
    return f"User: {caller} is not authorized to perform: {action} on resource: {need.resource} {why}"


def denied(request: Request, message: str) -> Reply:
    """The error of a request that is not allowed."""
    if request.scope.service == "sns":
        return query_error("AuthorizationError", message, 403)
    if "x-amz-target" in request.headers:
        return json_error("AccessDeniedException", message)
    if request.operation:
        return query_error("AccessDenied", message, 403)
    if request.scope.service == "s3":
        return Reply(403, f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>".encode())
    return rest_error("AccessDeniedException", message, 403)
