"""Decide which AWS is meant, and hand out its clients: the one door to boto3.

Three targets: the emulator on this machine (``embedded``, the default), any emulator at an ``http://``
address, and ``aws``. On the first two every client gets its address and dummy credentials explicitly, so
no mistake can reach a real account; nothing of the attendee's own AWS set-up is read there.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from lottery_lib.call_log import CallLog
from lottery_lib.emulator import control
from lottery_lib.errors import DEPLOY, LotteryError
from lottery_lib.naming import Names

__all__ = [
    "ClientError",
    "Target",
    "busy",
    "chosen_names",
    "connect",
    "error_message",
    "explain",
    "explained",
    "ignoring",
    "introduction",
    "partition_of",
    "says",
]

EMULATOR_REGION: Final = "us-east-1"
_ATTEMPTS: Final = 5
#: The same for every client: botocore's own patience would be a minute for each of ten attempts.
_SETTINGS: Final = {
    "retries": {"mode": "standard", "total_max_attempts": _ATTEMPTS},
    "connect_timeout": 5,
    "read_timeout": 60,
}
#: What passes by itself, but is not on botocore's list: SNS throttles by a name of its own.
_RETRIED_TOO: Final = ("Throttled", "ConcurrentModification", "OperationAborted")
_PASSING_STATUS: Final = (429, 500, 502, 503, 504)
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
    "LimitExceeded": f"A quota of the account is used up: delete what is no longer needed, or have it raised "
    f"under Service Quotas, {_AGAIN}",
    "AccessDenied": f"Ask the administrator of the account for this right, {_AGAIN}",
    "AuthorizationError": f"Ask the administrator of the account for this right, {_AGAIN}",
    "deletion protection": f"Switch it off in the DynamoDB console, {_AGAIN}",
    "ResourceNotFound": DEPLOY,
    "DoesNotExist": DEPLOY,
}
_OVERRIDE: Final = "AWS_ENDPOINT_URL"  # and AWS_ENDPOINT_URL_LAMBDA, _SFN, ...


class Target:
    """An AWS, real or emulated, and the names of one attendee's resources there.

    Attributes:
        kind: ``"embedded"``, ``"endpoint"`` or ``"aws"``.
        names: What this attendee's resources are called.
        endpoint: The emulator's address; None on AWS.
        region: Such as ``"us-east-1"``.
        call_log: What its clients have been asked; `lottery_lib.calls` shows it.
    """

    def __init__(
        self,
        kind: str,
        session: boto3.Session,
        endpoint: str | None,
        names: Names,
        call_log: CallLog | None = None,
    ) -> None:
        self.kind = kind
        self.names = names
        self.endpoint = endpoint
        self.region: str = session.region_name
        self.call_log = call_log or CallLog()
        self._session = session
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The boto3 client of a service, such as ``"lambda"``, made once.

        For ``embedded`` and an endpoint it goes straight there: no proxy, no instance metadata, no
        host prefix.
        """
        if service not in self._clients:
            with explained():  # such as a region that is none
                self._clients[service] = self._session.client(
                    service, endpoint_url=self.endpoint, config=self._config()
                )
            self._listen(self._clients[service])
        return self._clients[service]

    def _config(self) -> Config:
        if self.endpoint is None:
            return Config(**_SETTINGS)
        return Config(**_SETTINGS, proxies={"http": None, "https": None}, inject_host_prefix=False)

    def _listen(self, client: Any) -> None:
        self.call_log.attach(client)
        client.meta.events.register("before-parse", _refuse_what_is_not_of_aws)
        client.meta.events.register("needs-retry", _retry_too)

    def listed(self, service: str, operation: str, key: str, **parameters: Any) -> list[Any]:
        """All that an operation lists under a key, however many pages that takes, empty ones included."""
        pages = self.client(service).get_paginator(operation).paginate(**parameters)
        return [each for page in pages for each in page[key]]

    @cached_property
    def identity(self) -> dict[str, str]:
        """The caller: ``Account``, ``Arn`` and ``UserId``, as `sts.get_caller_identity` tells them."""
        with explained():
            caller: dict[str, str] = self.client("sts").get_caller_identity()
        return caller

    @property
    def account(self) -> str:
        """The account's twelve digits."""
        return self.identity["Account"]

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn`` or ``aws-us-gov``, taken from the caller's ARN as AWS itself writes it."""
        return self.identity["Arn"].split(":")[1]

    def arn(
        self, service: str, resource: str, *, region: str | None = None, account: str | None = None
    ) -> str:
        """Write the ARN of a resource in this account and region."""
        region = self.region if region is None else region
        account = self.account if account is None else account
        return f"arn:{self.partition}:{service}:{region}:{account}:{resource}"

    def named(self, names: Names) -> "Target":
        """The same AWS, under other names."""
        other = Target(self.kind, self._session, self.endpoint, names, self.call_log)
        other._clients = self._clients
        return other

    def table(self, name: str) -> Any:
        """The DynamoDB table of that name as boto3's resource, which speaks plain Python values."""
        if "table" not in self._clients:
            self._clients["table"] = self._session.resource(
                "dynamodb", endpoint_url=self.endpoint, config=self._config()
            )
            self._listen(self._clients["table"].meta.client)
        return self._clients["table"].Table(name)

    def __repr__(self) -> str:
        where = {"embedded": "the emulator on this machine", "aws": "AWS"}.get(self.kind, self.endpoint)
        return f"<Target {where}: partition {self.partition}, region {self.region}, account {self.account}>"


def connect(
    where: str | None = None,
    *,
    attendee: str | None = None,
    edition: str | None = None,
    region: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Target:
    """Connect to the AWS that is meant, starting the emulator when that is the one.

    A notebook is told which account that is, in one line, when it is a real one.

    Args:
        where: ``"embedded"``, ``"http://host:port"`` or ``"aws"``; by default what ``LOTTERY_TARGET``
            says, and ``embedded`` without it.
        attendee: The suffix of every name; by default ``LOTTERY_ATTENDEE``.
        edition: By default ``LOTTERY_EDITION``, and ``"tutorial"`` without it.
        region: For an emulator ``us-east-1`` unless given; for AWS what the usual boto3 chain says.
        environ: Where the three variables are looked up.

    Raises:
        LotteryError: The target cannot be reached, or is not one.
    """
    where = where or environ.get("LOTTERY_TARGET") or "embedded"
    names = chosen_names(attendee, edition, environ)
    if where == "embedded":
        return _emulated("embedded", control.start()["endpoint"], names, region)
    if where.startswith(("http://", "https://")):
        _check_address(where)
        return _emulated("endpoint", where, names, region)
    if where == "aws":
        return _greeted(_aws(names, region, environ))
    raise LotteryError(
        "LOTTERY_TARGET", f"{where!r} is not a target", "Use embedded, http://host:port, or aws"
    )


def chosen_names(
    attendee: str | None = None, edition: str | None = None, environ: Mapping[str, str] = os.environ
) -> Names:
    """The names of an attendee and edition, by default those that the environment says."""
    return Names(
        attendee=environ.get("LOTTERY_ATTENDEE", "") if attendee is None else attendee,
        edition=edition or environ.get("LOTTERY_EDITION") or "tutorial",
    )


def partition_of(region: str) -> str:
    """The partition of a region where nobody has called yet, as botocore knows it."""
    with explained():
        partition: str = _dummy_session(region).get_partition_for_region(region)
    return partition


def introduction(target: Target) -> str:
    """Whose account it is, where, and under whose names: to be seen before anything is written there."""
    whose = f"attendee {target.names.attendee}" if target.names.attendee else "no attendee: the plain names"
    return f"AWS account {target.account}, region {target.region}, partition {target.partition}, {whose}"


def _greeted(target: Target) -> Target:
    ipython = sys.modules.get("IPython")  # who has not imported it is in no notebook
    if ipython is not None and ipython.get_ipython() is not None:
        print(introduction(target))
    return target


def _check_address(where: str) -> None:
    try:
        parts = urlsplit(where)
        usable = bool(parts.hostname and re.fullmatch(r"[\w.:-]+", parts.hostname)) and parts.port != 0
    except ValueError:  # a port that is no number, or too large
        usable = False
    if not usable or str(parts.hostname).endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
        raise LotteryError(
            "LOTTERY_TARGET",
            f"{where!r} is not the address of an emulator",
            "Use http://host:port for an emulator, or the word aws for AWS itself",
        )


def _emulated(kind: str, endpoint: str, names: Names, region: str | None) -> Target:
    target = Target(kind, _dummy_session(region or EMULATOR_REGION), endpoint, names)
    if kind == "endpoint":
        _ = target.account  # an address that nobody answers at is said here, not at the first lesson's call
    return target


def _dummy_session(region: str) -> boto3.Session:
    # Nothing of the attendee's AWS set-up must matter here, not even a profile that does not exist. Each
    # variable is (name in a file, name in the environment, default, conversion).
    deaf = {name: (None, None, *rest) for name, (_, _, *rest) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()}
    no_file = (None, None, os.devnull, None)
    core = botocore.session.Session(session_vars=deaf | {"config_file": no_file, "credentials_file": no_file})
    return boto3.Session(
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        region_name=region,
        botocore_session=core,
    )


def _aws(names: Names, region: str | None, environ: Mapping[str, str]) -> Target:
    with explained():
        session = boto3.Session(region_name=region)
        overrides = sorted(key for key in environ if key.startswith(_OVERRIDE)) + _profile_overrides(session)
    if overrides:
        raise LotteryError(
            "LOTTERY_TARGET=aws",
            f"{', '.join(overrides)} would send the calls elsewhere",
            "Unset it, or use embedded or http://host:port as the target",
        )
    if session.region_name is None:
        raise LotteryError(
            "LOTTERY_TARGET=aws", "no region is set", "Set AWS_DEFAULT_REGION, such as us-east-1"
        )
    target = Target("aws", session, None, names)
    _ = target.identity
    return target


def _profile_overrides(session: boto3.Session) -> list[str]:
    profile = session._session.get_scoped_config()
    return [f"{key} of the AWS profile" for key in ("endpoint_url", "services") if key in profile]


def _retry_too(response: Any, attempts: int, **_: Any) -> float | None:
    """Answer botocore's question how many seconds to wait before another attempt; None for no attempt."""
    code = response[1].get("Error", {}).get("Code", "") if response else ""
    again = attempts < _ATTEMPTS and any(word in code for word in _RETRIED_TOO)
    return float(2 ** (attempts - 1)) if again else None


def _refuse_what_is_not_of_aws(response_dict: dict[str, Any], operation_model: Any, **_: Any) -> None:
    """Refuse the page of a proxy or a hotel, in which botocore would find an empty answer.

    A page that tells of trouble is emptied instead: botocore then goes by its status, and asks again.
    """
    if operation_model.has_streaming_output:
        return
    status, body = response_dict["status_code"], response_dict["body"].strip()
    if not (_is_broken(body, operation_model) if body else status == 200 and _tells(operation_model)):
        return
    if status in _PASSING_STATUS:
        response_dict["body"] = b""
    else:
        raise _not_of_aws(operation_model.name)


def _is_broken(body: bytes, operation_model: Any) -> bool:
    if "json" not in operation_model.service_model.resolved_protocol:
        return not body.startswith(b"<") or b"<html" in body[:500].lower()
    try:
        return not isinstance(json.loads(body), dict)
    except ValueError:
        return True


def _tells(operation_model: Any) -> bool:
    """Whether the reply to an operation has something in its body."""
    shape = operation_model.output_shape
    return shape is not None and any("location" not in each.serialization for each in shape.members.values())


def _not_of_aws(operation: str) -> LotteryError:
    return LotteryError(
        f"AWS {operation}",
        "the answer is not one of AWS's: a page of the network or a proxy came instead, or it was cut off",
        f"Open any page in a browser to see whether the network wants a login, {_AGAIN}",
    )


def explain(error: Exception) -> LotteryError | None:
    """Put an error of AWS or of the way there into one sentence with what to do; None for any other kind."""
    if isinstance(error, LotteryError):
        return error
    if isinstance(error, ClientError):
        where, code, said = f"AWS {error.operation_name}", _code(error), error_message(error).rstrip(".")
        what = f"{said or 'no reason was given'} ({code})"
        return LotteryError(where, what, _advice(what, _TROUBLE if busy(error) else _READ))
    if isinstance(error, ResponseParserError):
        return _not_of_aws("call")
    return _explain_way(error) if isinstance(error, BotoCoreError) else None


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
