"""Decide which AWS is meant, and hand out its clients: the one door to boto3.

Three targets: the emulator on this machine (``embedded``, the default), any emulator at an ``http://``
address, and ``aws``. On the first two every client gets its address and dummy credentials explicitly, so
no mistake can reach a real account; nothing of the attendee's own AWS set-up is read there.
"""

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES

from lottery_lib.aws_errors import explained
from lottery_lib.course.calls import CallLog
from lottery_lib.emulator.process import control, record
from lottery_lib.emulator.process.errors import EmulatorError
from lottery_lib.errors import LotteryError
from lottery_lib.names import Names
from lottery_lib.wire import config, listen

__all__ = [
    "Target",
    "chosen_names",
    "connect",
    "emulator_status",
    "introduction",
    "partition_of",
    "shared_emulator",
    "start_emulator",
    "stop_emulator",
]

EMULATOR_REGION: Final = "us-east-1"
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
                    service, endpoint_url=self.endpoint, config=config(self.endpoint)
                )
            self._listen(self._clients[service])
        return self._clients[service]

    def _listen(self, client: Any) -> None:
        self.call_log.attach(client)
        listen(client)

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
                "dynamodb", endpoint_url=self.endpoint, config=config(self.endpoint)
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
        return _emulated("embedded", start_emulator()["endpoint"], names, region)
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


# The one door to the emulator. Its errors become the kit's here; no other part of the kit imports it.


@contextlib.contextmanager
def _emulator_errors() -> Iterator[None]:
    try:
        yield
    except EmulatorError as error:
        raise LotteryError(error.where, error.what, error.next_step) from error


def start_emulator(
    port: int | None = None, *, foreground: bool = False, while_pid: int | None = None
) -> dict[str, Any]:
    """Return a running emulator, the shared one or the one with this port, and start it if necessary.

    Args:
        port: None for the user's shared emulator.
        foreground: Be the emulator, in this process, until a signal.
        while_pid: A new emulator also ends when this process ends.

    Returns:
        ``{"running", "port", "pid", "since", "endpoint", "folder"}``.

    Raises:
        LotteryError: It cannot start.
    """
    with _emulator_errors():
        return control.start(port, foreground, while_pid)


def stop_emulator(port: int | None = None) -> dict[str, Any]:
    """End an emulator and its workers. Nothing happens if it does not run; returns its state."""
    with _emulator_errors():
        return control.stop(port)


def emulator_status(port: int | None = None) -> dict[str, Any]:
    """The state of the shared emulator, or of the one with this port."""
    with _emulator_errors():
        return control.status(port)


def shared_emulator() -> record.Record | None:
    """What the shared emulator wrote about itself, whether it answers or not; None if there is none."""
    with _emulator_errors():
        return record.read_record(record.folder_of())
