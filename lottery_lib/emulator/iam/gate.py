"""Let functions, machines and IAM's own users do only what their policies allow.

The access key of a request says who sent it. `callers` gives a key to each function and to each role of a
machine. `reads` finds the keys that IAM and STS issued. Any other key belongs to the attendee, who may do
everything.
"""

from functools import lru_cache
from typing import Final

from lottery_lib.emulator.http.messages import Arn, MalformedRequestError, RefusalError, Reply, Request
from lottery_lib.emulator.http.replies import query_reply
from lottery_lib.emulator.iam.callers import Caller, Sessions
from lottery_lib.emulator.iam.needs import asked_of, needs_of
from lottery_lib.emulator.iam.policy import Decision, decide, trusts
from lottery_lib.emulator.moto.reads import (
    boundary_documents_of,
    boundary_of,
    caller_of_key,
    documents_of,
    find_arn,
    trust_of,
)

_POLICY: Final = "identity-based policy"
_BOUNDARY: Final = "permissions boundary"


class Gate:
    """Checks requests against policies.

    Args:
        sessions: The access keys of functions and machines.
        enforced: Whether policies count. If not, everything is allowed.
    """

    def __init__(self, sessions: Sessions, enforced: bool) -> None:
        self._sessions = sessions
        self._enforced = enforced

    def check(self, request: Request) -> None:
        """Refuse a request if its caller's policies do not allow it.

        Raises:
            RefusalError: It is refused.
        """
        caller = self._caller(request) if self._enforced else None
        if caller is None:
            return
        try:
            needs = needs_of(asked_of(request, caller, find_arn, boundary_of))
        except (AttributeError, KeyError, TypeError) as error:
            raise MalformedRequestError("a parameter has the wrong type") from error
        documents, boundary = documents_of(caller), boundary_documents_of(caller)
        context = caller.context | {
            "aws:requestedregion": request.scope.region,
            "aws:securetransport": "true",
        }
        for need in needs:
            values = tuple((context | dict(need.context)).items())
            if why := _why_not(documents, boundary, need.action, need.resource, values):
                # SNS writes its own name in capitals.
                action = need.action.replace("sns:", "SNS:")
                what = f"is not authorized to perform: {action} on resource: {need.resource}"
                raise denied(request, f"User: {caller.arn} {what} {why.format(action)}")

    def identity(self, request: Request) -> Reply | None:
        """Answer GetCallerIdentity for a function or machine, which moto does not know; else return None."""
        caller = self._caller(request)
        if caller is None or not caller.service or request.operation != "GetCallerIdentity":
            return None
        result = {"UserId": f"AROA:{caller.session}", "Account": caller.account, "Arn": caller.arn}
        return query_reply("GetCallerIdentity", result)

    def can_assume(self, service: str, role_arn: str | None, source_arn: str) -> bool:
        """Whether a service, such as ``"lambda"``, can assume a role for one of its functions or machines.

        Args:
            service: The service.
            role_arn: None if the request names no role.
            source_arn: The function or machine.
        """
        if not self._enforced or role_arn is None:
            return True
        context = {"aws:sourceaccount": Arn.of(source_arn).account, "aws:sourcearn": source_arn}
        document = trust_of(role_arn)
        return document is not None and trusts(document, f"{service}.amazonaws.com", context)

    def _caller(self, request: Request) -> Caller | None:
        key = request.scope.access_key
        return self._sessions.find(key) or caller_of_key(key)


# A draw makes the same decisions many times.
@lru_cache(8192)
def _why_not(
    documents: tuple[str, ...],
    boundary: tuple[str, ...] | None,
    action: str,
    resource: str,
    context: tuple[tuple[str, str], ...],
) -> str:
    """AWS's reason to deny an action, with a place for the action's name; empty if it is allowed.

    Both the policies and the boundary must allow it. AWS looks for an explicit deny first.
    """
    decisions = {_POLICY: decide(documents, action, resource, dict(context))}
    if boundary is not None:
        decisions[_BOUNDARY] = decide(boundary, action, resource, dict(context))
    for kind, decision in decisions.items():
        if decision is Decision.EXPLICIT_DENY:
            return f"with an explicit deny in {'an' if kind == _POLICY else 'a'} {kind}"
    missing = [kind for kind, decision in decisions.items() if decision is not Decision.ALLOWED]
    return f"because no {missing[0]} allows the {{}} action" if missing else ""


def denied(request: Request, message: str) -> RefusalError:
    """The error of a request that is not allowed, under the name that its service has for it."""
    if request.scope.service == "sns":
        return RefusalError("AuthorizationError", message, 403)
    if "x-amz-target" in request.headers:
        return RefusalError("AccessDeniedException", message)
    query = request.operation or request.scope.service == "s3"
    return RefusalError("AccessDenied" if query else "AccessDeniedException", message, 403)
