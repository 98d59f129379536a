"""Let functions, machines and IAM's own users do only what their policies allow.

A request is known by its access key: `iam_callers` gives one to each function and each machine's role, and
`iam_book` knows those that IAM and STS gave out. Any other key is the attendee's, who may do everything.
"""

from functools import lru_cache
from typing import Any, Final

from lottery_lib.emulator.http.messages import MalformedRequestError, Reply, Request
from lottery_lib.emulator.http.replies import query_reply
from lottery_lib.emulator.iam.asked import Asked
from lottery_lib.emulator.iam.callers import Caller, Sessions
from lottery_lib.emulator.iam.iam_replies import denied, sentence
from lottery_lib.emulator.iam.needs import needs_of
from lottery_lib.emulator.iam.operations import rest_operation
from lottery_lib.emulator.iam.policy import Decision, decide, trusts
from lottery_lib.emulator.moto.reads import caller_of_key, documents_of, find_arn, trust_of

__all__ = ["Iam"]

# Where the prefix of actions is not the name by which a request is signed.
_PREFIXES: Final = {"email": "ses", "monitoring": "cloudwatch", "tagging": "tag"}


class Iam:
    """Who may do what.

    Args:
        sessions: The access keys of functions and machines.
        enforced: Whether anything is refused at all.
    """

    def __init__(self, sessions: Sessions, enforced: bool) -> None:
        self._sessions = sessions
        self._enforced = enforced

    def answer(self, request: Request) -> Reply | None:
        """Refuse a request that its caller's policies do not allow; None for any other."""
        key = request.scope.access_key
        if (caller := self._sessions.find(key) or caller_of_key(key)) is None:
            return None
        if self._enforced and (refused := _refusal(request, caller)):
            return refused
        return _identity(request, caller)

    def reset(self) -> None:
        """Nothing to forget: a function that still runs keeps its key, and its role is gone."""

    def can_assume(self, service: str, role_arn: str | None, source_arn: str) -> bool:
        """Whether a service, such as ``"lambda"``, can assume a role for one of its functions or machines.

        Args:
            service: Who.
            role_arn: None when nothing is asked of a role.
            source_arn: The function or machine.
        """
        if not self._enforced or role_arn is None:
            return True
        account = source_arn.split(":")[4]
        context = {"aws:sourceaccount": account, "aws:sourcearn": source_arn}
        document = trust_of(role_arn)
        return document is not None and trusts(document, f"{service}.amazonaws.com", context)


def _refusal(request: Request, caller: Caller) -> Reply | None:
    try:
        needs = needs_of(_asked(request, caller))
    except (AttributeError, KeyError, TypeError) as error:
        raise MalformedRequestError("a parameter has another shape") from error
    documents = documents_of(caller)
    context = caller.context | {"aws:requestedregion": request.scope.region, "aws:securetransport": "true"}
    for need in needs:
        told = tuple((context | dict(need.context)).items())
        decision = _decide(documents, need.action, need.resource, told)
        if decision is not Decision.ALLOWED:
            return denied(request, sentence(caller.arn, need, decision))
    return None


# A draw asks the same things of the same policies again and again.
@lru_cache(8192)
def _decide(
    documents: tuple[str, ...], action: str, resource: str, context: tuple[tuple[str, str], ...]
) -> Decision:
    return decide(documents, action, resource, dict(context))


def _asked(request: Request, caller: Caller) -> Asked:
    scope = request.scope
    partition = caller.principal.split(":")[1]
    operation, parameters = _read(request)
    return Asked(
        service=_PREFIXES.get(scope.service, scope.service),
        operation=operation,
        parameters=parameters,
        region=scope.region,
        partition=partition,
        account=caller.account,
        user=caller.user,
        find=lambda kind, name: find_arn(partition, caller.account, kind, name),
    )


def _read(request: Request) -> tuple[str, dict[str, Any]]:
    if "x-amz-target" in request.headers:
        return request.operation, request.json
    if request.operation:
        return request.operation, dict(request.form)
    path = request.target.partition("?")[0]
    operation, labels = rest_operation(request.scope.service, request.method, path)
    # The body of an Invoke is the function's event.
    is_plain = request.scope.service == "lambda" and not operation.startswith("Invoke")
    return operation, {**(request.json if is_plain else {}), **request.query, **labels}


def _identity(request: Request, caller: Caller) -> Reply | None:
    """Who a function or machine is, which moto does not know."""
    if not caller.service or (request.scope.service, request.operation) != ("sts", "GetCallerIdentity"):
        return None
    told = {"UserId": f"AROA:{caller.session}", "Account": caller.account, "Arn": caller.arn}
    return query_reply("GetCallerIdentity", told)
