"""Let functions, machines and IAM's own users do only what their policies allow.

The access key of a request says who sent it. The emulator's own key belongs to the owner, who may do
everything. `authentication` gives a key to each function and to each role of a machine. `backends` finds the
keys that IAM and STS issued. A request with another key, or without one, is refused.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Final

from sfn_emulator.http.authentication import Caller, Sessions
from sfn_emulator.http.messages import Arn, MalformedRequestError, RefusalError, Reply, Request
from sfn_emulator.http.normalization import QUERY_SERVICES
from sfn_emulator.http.replies import denied, query_reply
from sfn_emulator.iam.policy import Decision, decide, lets_in, trusts
from sfn_emulator.iam.required_permissions import MachineOf, Permission, api_call, required_permissions
from sfn_emulator.storage import backends

_POLICY: Final = "identity-based policy"
_BOUNDARY: Final = "permissions boundary"


class Authorizer:
    """Checks requests against policies.

    Args:
        sessions: The access keys of functions and machines.
        enforced: Whether policies count. If not, everything is allowed.
        access_key: The owner's access key.

    Attributes:
        machine_of: The ARN of the machine whose task has a token; empty if no task waits with it.
    """

    def __init__(self, sessions: Sessions, enforced: bool, access_key: str) -> None:
        self._sessions = sessions
        self._enforced = enforced
        self._access_key = access_key
        self.machine_of: MachineOf = lambda _: ""  # executions begin later

    def is_owner(self, request: Request) -> bool:
        """Whether the request has the owner's access key."""
        return request.scope.access_key == self._access_key

    def caller(self, request: Request) -> Caller | None:
        """Who sent the request; None for the owner.

        Raises:
            RefusalError: The request has no access key, or an unknown one.
        """
        if self.is_owner(request):
            return None
        if not request.signed:
            raise _no_key(request)
        key = request.scope.access_key
        if (caller := self._sessions.find(key) or backends.caller_of_key(key)) is None:
            raise _unknown_key(request)
        return caller

    def check(self, request: Request) -> None:
        """Refuse a request if its access key is unknown, or if its caller's policies do not allow it.

        Raises:
            RefusalError: The request is refused.
            MalformedRequestError: A parameter has the wrong type.
        """
        caller = self.caller(request)
        if caller is None or not self._enforced:
            return
        try:
            call = api_call(request, caller, backends.find_arn, backends.boundary_of, self.machine_of)
            permissions = required_permissions(call)
        except (AttributeError, KeyError, TypeError) as error:
            raise MalformedRequestError("a parameter has the wrong type") from error
        documents, boundary = backends.documents_of(caller), backends.boundary_documents_of(caller)
        context = _context(caller, request.scope.region)
        for permission in permissions:
            # SNS writes its own name in capitals.
            action, resource = permission.action.replace("sns:", "SNS:"), permission.resource
            what = _not_authorized(caller, action, resource)
            values = tuple((context | dict(permission.context)).items())
            if reason := _reason_to_deny(documents, boundary, replace(permission, context=values)):
                raise denied(request, f"{what} {reason.format(action)}")
            if action.startswith("sts:Assume"):  # moto does not read the trust policy
                trust = backends.trust_of(resource)
                if trust is None or not trusts(trust, "AWS", caller.names, context, action):
                    raise denied(request, what)

    def why_not(self, role_arn: str, action: str, resource: str) -> str:
        """AWS's reason why a machine with this role may not do something; empty if it may."""
        caller = self._sessions.find(self._sessions.of_machine(role_arn))
        if caller is None or not self._enforced:
            return ""
        context = _context(caller, Arn.of(resource).region)
        permission = Permission(action, resource, tuple(context.items()))
        documents, boundary = backends.documents_of(caller), backends.boundary_documents_of(caller)
        reason = _reason_to_deny(documents, boundary, permission)
        return f"{_not_authorized(caller, action, resource)} {reason.format(action)}" if reason else ""

    def identity(self, request: Request) -> Reply | None:
        """Answer GetCallerIdentity for a function or a machine, because moto does not know it.

        Returns:
            None for another caller or operation.
        """
        caller = self.caller(request)
        if caller is None or not caller.service or request.operation != "GetCallerIdentity":
            return None
        result = {"UserId": f"AROA:{caller.session}", "Account": caller.account, "Arn": caller.arn}
        return query_reply("sts", "GetCallerIdentity", result)

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
        document = backends.trust_of(role_arn)
        return document is not None and trusts(document, "Service", [f"{service}.amazonaws.com"], context)

    def lets_in(self, document: str, service: str, action: str, resource: str, source_arn: str) -> bool:
        """Whether the policy of a topic or a queue lets a service send to it.

        Args:
            document: The policy, as JSON; empty if there is none.
            service: ``"cloudwatch"`` or ``"events"``. EventBridge gives no values for conditions.
            action: Such as ``"sns:Publish"``.
            resource: The ARN of the topic or queue.
            source_arn: For what the service sends: an alarm or a rule.
        """
        keys = ("aws:sourceaccount", "aws:sourceowner")
        context = dict.fromkeys(keys, Arn.of(source_arn).account) | {"aws:sourcearn": source_arn}
        known = {} if service == "events" else context
        return not self._enforced or lets_in(document, service, action, resource, known)

    def role_may(self, role_arn: str, actions: Iterable[str], resource: str = "*") -> bool:
        """Whether a role may do all these actions on a resource, such as ``"logs:CreateLogDelivery"``."""
        if not self._enforced:
            return True
        role = Caller(role_arn, "any")
        documents, boundary = backends.documents_of(role), backends.boundary_documents_of(role)
        permissions = [Permission(action, resource) for action in actions]
        return not any(_reason_to_deny(documents, boundary, permission) for permission in permissions)


# A state machine makes the same calls many times.
@lru_cache(8192)
def _reason_to_deny(
    documents: tuple[str, ...], boundary: tuple[str, ...] | None, permission: Permission
) -> str:
    """AWS's reason to deny a permission, with ``{}`` for the action's name. Empty if it is allowed.

    Both the policies and the boundary must allow it. AWS looks for an explicit deny first.
    """
    action, resource, context = permission.action, permission.resource, dict(permission.context)
    decisions = {_POLICY: decide(documents, action, resource, context)}
    if boundary is not None:
        decisions[_BOUNDARY] = decide(boundary, action, resource, context)
    for kind, decision in decisions.items():
        if decision is Decision.EXPLICIT_DENY:
            return f"with an explicit deny in {'an' if kind == _POLICY else 'a'} {kind}"
    missing = [kind for kind, decision in decisions.items() if decision is not Decision.ALLOWED]
    return f"because no {missing[0]} allows the {{}} action" if missing else ""


def _context(caller: Caller, region: str) -> dict[str, str]:
    """The condition keys of a call to a region, and their values."""
    return caller.context | {"aws:requestedregion": region, "aws:securetransport": "true"}


def _not_authorized(caller: Caller, action: str, resource: str) -> str:
    what = f"User: {caller.arn} is not authorized to perform: {action}"
    if action.startswith("s3:"):  # S3 writes it in another way
        return what if resource == "*" else f'{what} on resource: "{resource}"'
    return f"{what} on resource: {resource}"


def _unknown_key(request: Request) -> RefusalError:
    if request.scope.service == "s3":
        reason = "The AWS Access Key Id you provided does not exist in our records."
        return RefusalError("InvalidAccessKeyId", reason, 403)
    in_form = request.scope.service in QUERY_SERVICES
    code = "InvalidClientTokenId" if in_form else "UnrecognizedClientException"
    return RefusalError(code, "The security token included in the request is invalid.", 403)


def _no_key(request: Request) -> RefusalError:
    """The error of a request without an access key, under the name that its protocol has for it."""
    if "x-amz-target" in request.headers:
        return RefusalError("MissingAuthenticationTokenException", "Missing Authentication Token")
    if request.scope.service == "lambda":
        return RefusalError("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    return RefusalError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
