"""Let functions, machines and IAM's own users do only what their policies allow.

The access key of a request says who sent it. The emulator's own key belongs to the attendee, who may do
everything. `callers` gives a key to each function and to each role of a machine. `reads` finds the keys that
IAM and STS issued. A request with another key, or without one, is refused.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Final

from sfn_emulator.engine import reads
from sfn_emulator.http.callers import Caller, Sessions
from sfn_emulator.http.messages import Arn, MalformedRequestError, RefusalError, Reply, Request
from sfn_emulator.http.reading import IN_FORMS
from sfn_emulator.http.replies import denied, query_reply
from sfn_emulator.iam.policy import Decision, decide, trusts
from sfn_emulator.iam.required_rights import Need, asked_of, needs_of

_POLICY: Final = "identity-based policy"
_BOUNDARY: Final = "permissions boundary"


class Authorizer:
    """Checks requests against policies.

    Args:
        sessions: The access keys of functions and machines.
        enforced: Whether policies count. If not, everything is allowed.
        access_key: The attendee's access key.
    """

    def __init__(self, sessions: Sessions, enforced: bool, access_key: str) -> None:
        self._sessions = sessions
        self._enforced = enforced
        self._access_key = access_key

    def is_attendee(self, request: Request) -> bool:
        """Whether the request has the attendee's access key."""
        return request.scope.access_key == self._access_key

    def caller(self, request: Request) -> Caller | None:
        """Who sent the request; None for the attendee.

        Raises:
            RefusalError: Nobody knows its access key, or it has none.
        """
        if self.is_attendee(request):
            return None
        if not request.signed:
            raise _no_key(request)
        key = request.scope.access_key
        if (caller := self._sessions.find(key) or reads.caller_of_key(key)) is None:
            in_form = request.scope.service in IN_FORMS
            code = "InvalidClientTokenId" if in_form else "UnrecognizedClientException"
            raise RefusalError(code, "The security token included in the request is invalid.", 403)
        return caller

    def check(self, request: Request) -> None:
        """Refuse a request if nobody knows its access key, or if its caller's policies do not allow it.

        Raises:
            RefusalError: It is refused.
        """
        caller = self.caller(request)
        if caller is None or not self._enforced:
            return
        try:
            needs = needs_of(asked_of(request, caller, reads.find_arn, reads.boundary_of))
        except (AttributeError, KeyError, TypeError) as error:
            raise MalformedRequestError("a parameter has the wrong type") from error
        documents, boundary = reads.documents_of(caller), reads.boundary_documents_of(caller)
        of_request = {"aws:requestedregion": request.scope.region, "aws:securetransport": "true"}
        context = caller.context | of_request
        for need in needs:
            # SNS writes its own name in capitals.
            action = need.action.replace("sns:", "SNS:")
            what = f"User: {caller.arn} is not authorized to perform: {action} on resource: {need.resource}"
            known = tuple((context | dict(need.context)).items())
            if why := _why_not(documents, boundary, replace(need, context=known)):
                raise denied(request, f"{what} {why.format(action)}")
            if need.action.startswith("sts:Assume"):  # moto does not read the trust policy
                trust = reads.trust_of(need.resource)
                if trust is None or not trusts(trust, "AWS", caller.names, context, need.action):
                    raise denied(request, what)

    def identity(self, request: Request) -> Reply | None:
        """Answer GetCallerIdentity for a function or machine, which moto does not know; else return None."""
        caller = self.caller(request)
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
        document = reads.trust_of(role_arn)
        return document is not None and trusts(document, "Service", [f"{service}.amazonaws.com"], context)


# A draw makes the same decisions many times.
@lru_cache(8192)
def _why_not(documents: tuple[str, ...], boundary: tuple[str, ...] | None, need: Need) -> str:
    """AWS's reason to deny an action, with a place for the action's name; empty if it is allowed.

    Both the policies and the boundary must allow it. AWS looks for an explicit deny first.
    """
    context = dict(need.context)
    decisions = {_POLICY: decide(documents, need.action, need.resource, context)}
    if boundary is not None:
        decisions[_BOUNDARY] = decide(boundary, need.action, need.resource, context)
    for kind, decision in decisions.items():
        if decision is Decision.EXPLICIT_DENY:
            return f"with an explicit deny in {'an' if kind == _POLICY else 'a'} {kind}"
    missing = [kind for kind, decision in decisions.items() if decision is not Decision.ALLOWED]
    return f"because no {missing[0]} allows the {{}} action" if missing else ""


def _no_key(request: Request) -> RefusalError:
    """The error of a request without an access key, under the name that its protocol has for it."""
    if "x-amz-target" in request.headers:
        return RefusalError("MissingAuthenticationTokenException", "Missing Authentication Token")
    if request.scope.service == "lambda":
        return RefusalError("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    return RefusalError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
