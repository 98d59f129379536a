"""Turn AWS's errors into sentences. The kit's own clients raise them; those of attendees have them as notes.

An `AwsError` is still the error that boto3 documents: ``except client.exceptions.ResourceNotFoundException``
and ``error.response`` work as usual.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from lottery_lib.errors import DEPLOY, LotteryError
from lottery_lib.translation import _, punctuated

if TYPE_CHECKING:
    from botocore.client import BaseClient

T = TypeVar("T")

_ATTEMPTS: Final = 5  # by default, botocore would wait a minute for each of up to ten attempts
#: Temporary errors that botocore does not repeat. SNS has its own name for throttling.
_RETRIED_TOO: Final = ("Throttled", "ConcurrentModification", "OperationAborted")
_THROTTLES: Final = ("Throttl", "TooManyRequests", "RequestLimitExceeded", "ThroughputExceeded")
_RIGHT: Final = _("Ask the administrator of the account for this right, then run the same step again")
_WITHIN: Final = _(
    "Ask the administrator of the account for this right. The policy that `lottery policy` prints gives it "
    "within the boundary that `lottery policy --boundary` prints, so ask for both, then run the same step "
    "again"
)
#: A session does not read new credentials, so the attendee must connect again.
_RENEW: Final = _(
    "Renew the credentials (`aws sso login`, or a new access key), then connect again: run the command "
    "again, or the first cell of the notebook"
)
_OTHER_KEYS: Final = punctuated(
    "{cause}. {advice}",
    cause=_RENEW,
    advice=_("Keys of AWS China work only in China's regions, and other keys only elsewhere"),
)


def _trust(service: str) -> str:
    return _(
        'Its trust policy must allow {{"Effect": "Allow", "Principal": {{"Service": "{service}"}}, '
        '"Action": "sts:AssumeRole"}}: correct it, or delete the role, then run the same step again',
        service=service,
    )


#: What to do, by words in AWS's code or sentence, or in the name of botocore's error. The first match counts,
#: so special advice stands before general advice.
_ADVICE: Final = {
    "cannot be assumed by Lambda": _trust("lambda.amazonaws.com"),
    "authorized to assume the provided role": _trust("states.amazonaws.com"),
    **dict.fromkeys(
        ("Signature expired", "Signature not yet"),
        _("Set the clock of this computer, then run the same step again"),
    ),
    "Signature": _(
        "The secret access key does not belong to the access key: set both again, then run the same step "
        "again"
    ),
    **dict.fromkeys(("ExpiredToken", "SSOToken", "Retrieval"), _RENEW),
    **dict.fromkeys(("ClientTokenId", "UnrecognizedClient", "security token included"), _OTHER_KEYS),
    "PartialCredentials": _(
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY both, then run the same step again"
    ),
    "Credentials": _(
        "Run `aws configure`, or set AWS_PROFILE to a profile with credentials, then run the same step again"
    ),
    "ConfigParse": _("Correct that file, then run the same step again"),
    "ProfileNotFound": _("Set AWS_PROFILE to a profile that exists, then run the same step again"),
    "RegionError": _(
        "Set AWS_DEFAULT_REGION to a region of your account, such as us-east-1, cn-north-1 or cn-northwest-1"
    ),
    **dict.fromkeys(
        _THROTTLES, _("AWS asks you to slow down: wait half a minute, then run the same step again")
    ),
    **dict.fromkeys(
        ("LimitExceeded", "CodeStorageExceeded"),
        _(
            "A quota of the account is used up: delete what you no longer need, or ask for a higher quota in "
            "the console under Service Quotas, then run the same step again"
        ),
    ),
    **dict.fromkeys(
        ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:GetPolicy"), _WITHIN
    ),
    **dict.fromkeys(("AccessDenied", "AuthorizationError", "iam:PassRole"), _RIGHT),
    **dict.fromkeys(("ResourceNotFound", "DoesNotExist"), DEPLOY),
    "TaskTimedOut": _("The task has ended, and its token with it: answer the token of a task that waits now"),
    **dict.fromkeys(("ExecutionAlreadyExists", "StateMachineAlreadyExists"), _("Give another name")),
    **dict.fromkeys(
        ("AlreadyExists", "lready exist"), _("Go on with the next step: there is nothing to create")
    ),
    "The emulator does not have": _("The emulator does not do this: use AWS for it"),
}


class AwsError(LotteryError, ClientError):
    """A refusal of AWS, as one sentence with what to do next.

    Args:
        where: The operation.
        what: AWS's sentence and code.
        next_step: What to do.
        response: The parsed reply, as in `botocore.exceptions.ClientError`.
        operation: The operation's name, such as ``"CreateRole"``.
    """

    def __init__(self, where: str, what: str, next_step: str, response: Any, operation: str) -> None:
        super().__init__(where, what, next_step)
        self.response = response
        self.operation_name = operation


def config(endpoint: str | None) -> Config:
    """The settings of a client. Calls to an emulator go straight to it: no proxy, no host prefix."""
    retries: Any = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
    straight: dict[str, Any] = {"proxies": {"http": None, "https": None}, "inject_host_prefix": False}
    special = {} if endpoint is None else straight
    return Config(retries=retries, connect_timeout=5, read_timeout=60, **special)


def explain_errors(client: "BaseClient", *, raised: bool) -> None:
    """Make a client explain its errors, and repeat calls that botocore would not repeat.

    Args:
        client: The client.
        raised: Whether it raises `AwsError`, as the kit's own calls do. If not, its errors are botocore's
            own; a note in them says what to do next.
    """
    # IPython asks an error how to show it. By default, it shows sixty lines of botocore.
    for kind in (BotoCoreError, ClientError):
        setattr(kind, "_render_traceback_", _without_stack)  # noqa: B010 (mypy knows no such attribute)

    def refused(http_response: Any, parsed: Any, model: Any, **more: object) -> None:
        if http_response.status_code < 300:
            return
        if "Error" not in parsed:
            raise _not_of_aws(client.meta.endpoint_url)
        kind: Any = client.exceptions.from_code(parsed["Error"].get("Code"))
        explanation = _refusal(kind, parsed, model.name)
        raise explanation if raised else _noted(kind(parsed, model.name), explanation)

    def lost(exception: Exception, **more: object) -> None:
        if isinstance(exception, ResponseParserError | KeyError):  # a KeyError of botocore's own parser
            raise _not_of_aws(client.meta.endpoint_url) from exception
        explanation = explain(exception)
        if explanation is None or explanation is exception:
            return
        if raised:
            raise explanation from exception
        _noted(exception, explanation)

    # Registered last, so that the call log sees the call first.
    client.meta.events.register_last("after-call", refused)
    client.meta.events.register_last("after-call-error", lost)
    client.meta.events.register("needs-retry", _retry_too)
    client.meta.events.register("before-parse", _drop_page)


def _noted(error: Exception, explanation: LotteryError) -> Exception:
    error.add_note(f"{explanation.next_step}.")
    return error


def _without_stack(error: Exception) -> list[str]:
    return [f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())]


def explain(error: BaseException) -> LotteryError | None:
    """Explain in one sentence why a call failed; None if the error has nothing to do with AWS."""
    if isinstance(error, LotteryError):
        return error
    if isinstance(error, ClientError):
        return _refusal(type(error), error.response, error.operation_name)
    what = str(error).rstrip(".")
    if isinstance(error, ProxyConnectionError | SSLError):
        next_step = _(
            "Check HTTPS_PROXY, and AWS_CA_BUNDLE if the network has a certificate of its own, then run the "
            "same step again"
        )
        return LotteryError(_("network"), what, next_step)
    if isinstance(error, ConnectionError | HTTPClientError):
        where = str(error.kwargs.get("endpoint_url", "AWS"))
        check = _("Check the network and the region, then run the same step again")
        return LotteryError(where, _("does not answer"), DEPLOY if _is_here(error) else check)
    if isinstance(error, BotoCoreError):
        otherwise = _("Check the credentials with `aws sts get-caller-identity`")
        return LotteryError("AWS", what, _advice(f"{type(error).__name__}: {what}", otherwise))
    return None


def _is_here(error: BotoCoreError) -> bool:
    """Whether a call went to an emulator on this machine."""
    return urlsplit(str(error.kwargs.get("endpoint_url"))).hostname in ("127.0.0.1", "localhost")


def call_or_none(call: Callable[..., T], *words: str, **parameters: Any) -> T | None:
    """Make a call; returns None if AWS refuses it and its error matches one of `words`.

    Args:
        call: The call.
        words: Parts of AWS's codes or sentences; see `says`.
        **parameters: The call's parameters.
    """
    try:
        return call(**parameters)
    except ClientError as error:
        if not says(*words)(error):
            raise
        return None


def all_pages(client: Any, operation: str, key: str, **parameters: Any) -> list[Any]:
    """Call an operation page by page; returns what the pages have under `key`."""
    pages = client.get_paginator(operation).paginate(**parameters)
    return [item for page in pages for item in page[key]]


def says(*words: str) -> Callable[[BaseException], bool]:
    """Make a function that returns whether an error comes from AWS and has one of these words in it."""

    def matches(error: BaseException) -> bool:
        if not isinstance(error, ClientError):
            return False
        reason = error.response["Error"]
        return any(word in f"{reason.get('Code')}: {reason.get('Message')}" for word in words)

    return matches


def busy(error: BaseException) -> bool:
    """Whether AWS throttles or has a problem, so that the same call may succeed soon."""
    return isinstance(error, ClientError) and (says(*_THROTTLES)(error) or _is_trouble(error.response))


def _retry_too(response: Any, attempts: int, caught_exception: Exception | None, **more: object) -> Any:
    """Tell botocore how many seconds to wait before the next attempt; None if we do not ask for one."""
    if isinstance(caught_exception, EndpointConnectionError) and _is_here(caught_exception):
        raise caught_exception  # an emulator that has ended does not come back at its port
    code = response[1].get("Error", {}).get("Code", "") if response else ""
    again = attempts < _ATTEMPTS and any(word in code for word in _RETRIED_TOO)
    return float(2 ** (attempts - 1)) if again else None


def _drop_page(response_dict: Any, **more: object) -> None:
    """Empty a proxy's error page. Then botocore reads the status, and repeats the call."""
    if response_dict["status_code"] < 500:
        return
    body = response_dict["body"].lstrip()
    if not body.startswith((b"{", b"<")) or b"<html" in body[:500].lower():
        response_dict["body"] = b""


def _not_of_aws(endpoint: str) -> LotteryError:
    next_step = _("Check the address, the network and the proxy, then run the same step again")
    return LotteryError(endpoint, _("the reply is not one of AWS's"), next_step)


def _refusal(kind: Any, response: Any, operation: str) -> AwsError:
    code, reason = response["Error"].get("Code", ""), str(response["Error"].get("Message", "")).rstrip(".")
    what = f"{reason or _('AWS gave no reason')} ({code})"
    otherwise = (
        _("AWS has a problem: wait a minute, then run the same step again")
        if _is_trouble(response)
        else _("Read AWS's sentence and correct the call, then run the same step again")
    )
    return _plain(kind)(f"AWS {operation}", what, _advice(what, otherwise), response, operation)


def _is_trouble(response: Any) -> bool:
    """Whether a reply says that AWS itself has a problem."""
    return bool(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500)


@lru_cache(256)
def _plain(kind: Any) -> type[AwsError]:
    """Make a class of `AwsError` and the service's own error, such as ``ResourceNotFoundException``."""
    return AwsError if kind is ClientError else type(kind.__name__, (AwsError, kind), {})


def _advice(what: str, otherwise: str) -> str:
    return next((advice for words, advice in _ADVICE.items() if words in what), otherwise)
