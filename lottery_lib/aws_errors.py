"""Put what AWS refuses, or what keeps a call from it, into one sentence with what to do next."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from lottery_lib.errors import DEPLOY, LotteryError

__all__ = [
    "ClientError",
    "busy",
    "error_message",
    "explain",
    "explained",
    "ignoring",
    "not_of_aws",
    "says",
]

_THROTTLES: Final = ("Throttl", "TooManyRequests", "RequestLimitExceeded", "ThroughputExceeded")
_AGAIN: Final = "then run the same step again"
_TRUST: Final = (
    'Its trust policy must allow {{"Effect": "Allow", "Principal": {{"Service": "{}"}}, '
    f'"Action": "sts:AssumeRole"}}}}: put it right, or delete the role, {_AGAIN}'
)
#: A session keeps the credentials that it has read.
_RENEW: Final = (
    "Renew the credentials (`aws sso login`, or a new access key), then connect again: run the command, "
    "or in a notebook its first cell, once more"
)
_CLOCK: Final = f"Set the clock of this computer right, {_AGAIN}"
_REGION: Final = "Set AWS_DEFAULT_REGION to a region of your account, such as us-east-1 or cn-north-1"
_NETWORK: Final = f"Check the network and the region, {_AGAIN}"
_PROXY: Final = f"Check HTTPS_PROXY, and AWS_CA_BUNDLE if the network has a certificate of its own, {_AGAIN}"
_READ: Final = f"Read AWS's sentence, put it right, {_AGAIN}"
_QUOTA: Final = (
    "A quota of the account is used up: delete what is no longer needed, or have it raised "
    f"under Service Quotas, {_AGAIN}"
)
_TROUBLE: Final = f"AWS has trouble of its own: wait a minute, {_AGAIN}"
#: What to do, by words in the code or the sentence of AWS, or in the name of botocore's error. The first
#: that fits holds, so what is special comes before what is general.
_ADVICE: Final = {
    "iam:PassRole": f"Ask the administrator of the account for the right to iam:PassRole this role, {_AGAIN}",
    "cannot be assumed by Lambda": _TRUST.format("lambda.amazonaws.com"),
    "authorized to assume the provided role": _TRUST.format("states.amazonaws.com"),
    "Signature expired": _CLOCK,
    "Signature not yet current": _CLOCK,
    "RequestTimeTooSkewed": _CLOCK,
    "RequestExpired": _CLOCK,
    "Signature": f"The secret access key is not that of the access key: give both anew, {_AGAIN}",
    "ExpiredToken": _RENEW,
    "TokenRetrieval": _RENEW,
    "SSOToken": _RENEW,
    "CredentialRetrieval": _RENEW,
    "InvalidClientTokenId": f"{_RENEW}; keys of AWS China work in its regions alone, and others elsewhere",
    "UnrecognizedClient": f"{_RENEW}; keys of AWS China work in its regions alone, and others elsewhere",
    "ProfileNotFound": f"Set AWS_PROFILE to one you have, {_AGAIN}",
    "ConfigParse": f"Put that file right, {_AGAIN}",
    "PartialCredentials": f"Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY both, {_AGAIN}",
    "NoCredentials": f"Run `aws configure`, or set AWS_PROFILE to a profile with credentials, {_AGAIN}",
    "RegionError": _REGION,
    **dict.fromkeys(_THROTTLES, f"AWS asks to slow down: wait half a minute, {_AGAIN}"),
    "LimitExceeded": _QUOTA,
    "CodeStorageExceeded": _QUOTA,
    "AccessDenied": f"Ask the administrator of the account for this right, {_AGAIN}",
    "AuthorizationError": f"Ask the administrator of the account for this right, {_AGAIN}",
    "deletion protection": f"Switch it off in the DynamoDB console, {_AGAIN}",
    "ResourceNotFound": DEPLOY,
    "DoesNotExist": DEPLOY,
}


def explain(error: Exception) -> LotteryError | None:
    """Put an error of AWS or of the way there into one sentence with what to do; None for any other kind."""
    if isinstance(error, LotteryError):
        return error
    if isinstance(error, ClientError):
        where, code, said = f"AWS {error.operation_name}", _code(error), error_message(error).rstrip(".")
        what = f"{said or 'no reason was given'} ({code})"
        return LotteryError(where, what, _advice(what, _TROUBLE if busy(error) else _READ))
    if isinstance(error, ResponseParserError):
        return not_of_aws("call")
    return _explain_way(error) if isinstance(error, BotoCoreError) else None


def not_of_aws(operation: str) -> LotteryError:
    """What to say of an answer that AWS cannot have given."""
    return LotteryError(
        f"AWS {operation}",
        "the answer is not one of AWS's: a page of the network or a proxy came instead, or it was cut off",
        f"Open any page in a browser to see whether the network wants a login, {_AGAIN}",
    )


def _explain_way(error: Any) -> LotteryError:
    """Put into a sentence what kept a call from AWS: the network, or the caller's own settings."""
    said = str(error).rstrip(".")
    if isinstance(error, ProxyConnectionError | SSLError):
        return LotteryError("network", said, _PROXY)
    if isinstance(error, ConnectionError | HTTPClientError):
        url = str(error.kwargs.get("endpoint_url", "AWS"))
        here = urlsplit(url).hostname in ("127.0.0.1", "localhost")
        return LotteryError(url, "does not answer", DEPLOY if here else _NETWORK)
    known = f"{type(error).__name__}: {said}"
    return LotteryError(
        "AWS", said, _advice(known, "Check the credentials with `aws sts get-caller-identity`")
    )


def _advice(known: str, otherwise: str) -> str:
    return next((advice for words, advice in _ADVICE.items() if words in known), otherwise)


@contextmanager
def explained() -> Iterator[None]:
    """Turn the errors of AWS that happen inside into a `LotteryError`."""
    try:
        yield
    except Exception as error:
        explanation = explain(error)
        if explanation is None or explanation is error:
            raise
        raise explanation from error


def ignoring(call: Callable[..., Any], *words: str, **parameters: Any) -> Any:
    """Make a call; None if AWS refuses it in one of these words: what is to be gone, or is looked up, is not.

    Args:
        call: The call.
        words: Codes, or words of AWS's sentences, as `says` takes them.
        **parameters: What the call is made with.
    """
    try:
        return call(**parameters)
    except ClientError as error:
        if not says(*words)(error):
            raise
        return None


def says(*words: str) -> Callable[[Exception], bool]:
    """Make a question: is an error a refusal of AWS with one of these words in its code or its sentence?"""

    def asked(error: Exception) -> bool:
        if not isinstance(error, ClientError):
            return False
        said = f"{_code(error)}: {error_message(error)}"
        return any(word in said for word in words)

    return asked


def busy(error: Exception) -> bool:
    """Whether AWS throttles or has trouble of its own, so that the same look may well succeed soon."""
    return isinstance(error, ClientError) and (
        says(*_THROTTLES)(error) or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
    )


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", ""))


def error_message(error: ClientError) -> str:
    """What AWS says about an error."""
    return str(error.response["Error"].get("Message", ""))
