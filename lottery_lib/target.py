"""Decide which AWS is meant, and make its clients. No other module of the library imports boto3.

There are three targets: the emulator on this machine (``embedded``, the default), any emulator at an
``http://`` address, and ``aws``. On the first two, every client gets its address and its credentials
explicitly. The attendee's own AWS settings are not read, so a call of the kit cannot reach a real account.
"""

import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.client import BaseClient
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader, create_loader

from lottery_lib.aws_errors import call_or_none, config, explain, explain_errors
from lottery_lib.errors import LotteryError
from lottery_lib.local_emulator import emulator
from lottery_lib.names import Names
from lottery_lib.translation import _
from lottery_lib.waiting import Waiter

if TYPE_CHECKING:
    from typing import TypedDict

    from types_boto3_dynamodb import DynamoDBClient

    class BoundaryParameter(TypedDict, total=False):
        """A permissions boundary in a call of IAM."""

        PermissionsBoundary: str


EMULATOR_REGION: Final = "us-east-1"
#: The access key for emulators that take any.
TESTING: Final = "testing"
#: Operations that change nothing begin with one of these.
READS: Final = ("BatchGet", "Describe", "Get", "List", "Query", "Scan")
#: Called with a target and each new client of it; the course's call log listens here.
ON_CLIENT: Final[list[Callable[["Target", BaseClient], None]]] = []


class WriteBlockedError(Exception):
    """A call of a read-only target would have changed something."""


@dataclass(eq=False)
class Target:
    """An AWS, real or emulated, and the names of one attendee's resources there.

    Attributes:
        kind: ``"embedded"``, ``"endpoint"`` or ``"aws"``.
        session: The boto3 session that the clients come from.
        endpoint: The emulator's address; None on AWS.
        names: The names of this attendee's resources.
        waiter: How this target waits.
        key_file: The file with the access key, if the emulator is the user's own.
    """

    kind: str
    session: boto3.Session
    endpoint: str | None
    names: Names
    waiter: Waiter = field(default_factory=Waiter)
    key_file: str | None = None
    # These four are shared with the targets that `named` makes.
    _clients: dict[tuple[str, bool], Any] = field(default_factory=dict)
    _reading_clients: dict[tuple[str, bool], Any] = field(default_factory=dict)
    _caller: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_read_only: bool = False

    if TYPE_CHECKING:

        def __post_init__(self) -> None:
            # Only type checkers read this: so each service's client has its own type. What runs is below.
            self.client = self.kit_client = self.session.client

    else:

        def client(self, service):
            """The boto3 client of a service, such as ``"lambda"``: ``boto3.client(service, **arguments)``.

            It is made once. Its errors are boto3's own, with a note that says what to do.
            """
            return self._made_once(service, partial(self.session.client, service))

        def kit_client(self, service):
            """The client for the kit's own calls. It raises `AwsError`, one sentence for the attendee."""
            return self._made_once(service, partial(self.session.client, service), kit=True)

    def plain_dynamodb(self) -> "DynamoDBClient":
        """A DynamoDB client whose items are plain Python values, as in boto3's DynamoDB resource."""

        def make(**settings: Any) -> "DynamoDBClient":
            return self.session.resource("dynamodb", **settings).meta.client

        client: DynamoDBClient = self._made_once("plain", make, kit=True)
        return client

    def _made_once(self, key: str, make: Callable[..., Any], *, kit: bool = False) -> Any:
        with self._lock:  # threads share a target, and boto3 cannot make two clients at once
            if (key, kit) not in self._clients:
                try:
                    client = make(endpoint_url=self.endpoint, config=config(self.endpoint))
                except BotoCoreError as error:  # such as an impossible region
                    raise explain(error) or error from error
                for listen in ON_CLIENT:
                    listen(self, client)
                explain_errors(client, raised=kit)
                if self._is_read_only:
                    client.meta.events.register("before-call", _block_writes)
                self._clients[key, kit] = client
            return self._clients[key, kit]

    @property
    def access_key(self) -> str:
        """The emulator's access key. Do not show it: it allows everything there."""
        credentials = self.session.get_credentials() if self.endpoint else None
        return credentials.access_key if credentials else ""

    @property
    def region(self) -> str:
        """Such as ``"us-east-1"``."""
        return self.session.region_name

    @property
    def identity(self) -> Mapping[str, str]:
        """The caller's ``Account``, ``Arn`` and ``UserId``. `sts.get_caller_identity` is called only once."""
        if not self._caller:
            caller = self.kit_client("sts").get_caller_identity()
            self._caller.update(Account=caller["Account"], Arn=caller["Arn"], UserId=caller["UserId"])
        return self._caller

    @property
    def account(self) -> str:
        """The account's twelve digits."""
        return self.identity["Account"]

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn`` or ``aws-us-gov``, from the caller's ARN."""
        return self.identity["Arn"].split(":")[1]

    @property
    def place(self) -> dict[str, str]:
        """The partition, the region and the account, as sentences name them."""
        return {"partition": self.partition, "region": self.region, "account": self.account}

    def arn(
        self, service: str, resource: str, *, region: str | None = None, account: str | None = None
    ) -> str:
        """Write the ARN of a resource in this account and region."""
        region = self.region if region is None else region
        account = self.account if account is None else account
        return f"arn:{self.partition}:{service}:{region}:{account}:{resource}"

    @property
    def boundary_arn(self) -> str:
        """The ARN of the attendee's permissions boundary, which need not exist."""
        return self.arn("iam", f"policy/{self.names.boundary}", region="")

    @property
    def boundary(self) -> "BoundaryParameter":
        """The permissions boundary as a parameter of `CreateRole`; empty if the account has none."""
        get = self.kit_client("iam").get_policy
        policy = call_or_none(get, "NoSuchEntity", PolicyArn=self.boundary_arn)
        return {"PermissionsBoundary": self.boundary_arn} if policy else {}

    def named(self, names: Names) -> "Target":
        """The same AWS, with other names."""
        return replace(self, names=names)

    def reporting(self, report: Callable[[str], None]) -> "Target":
        """The same AWS; `report` gets a few words about each long wait."""
        return replace(self, waiter=replace(self.waiter, report=report))

    def read_only(self) -> "Target":
        """The same AWS; a call that would change something raises `WriteBlockedError` instead."""
        return replace(self, _clients=self._reading_clients, _is_read_only=True)

    def __repr__(self) -> str:
        where = {"embedded": _("the emulator on this machine"), "aws": "AWS"}.get(self.kind, self.endpoint)
        return _(
            "<Target {where}: partition {partition}, region {region}, account {account}>",
            where=where,
            **self.place,
        )


def connect(
    where: str | None = None,
    *,
    attendee: str | None = None,
    edition: str | None = None,
    region: str | None = None,
) -> Target:
    """Connect to an AWS. If it is the emulator on this machine, start it if necessary.

    In a notebook, a connection to a real account says in one line which account it is.

    Args:
        where: ``"embedded"``, ``"http://KEY@host:port"`` or ``"aws"``. Default: ``LOTTERY_TARGET``, else
            ``embedded``. KEY is the access key of the emulator there. You need none for your own emulator on
            this machine, or for an emulator that others wrote.
        attendee: The suffix of every name. Default: ``LOTTERY_ATTENDEE``.
        edition: Default: ``LOTTERY_EDITION``, else ``"tutorial"``.
        region: Default: ``LOTTERY_REGION``, else ``us-east-1``, for an emulator; boto3's usual chain for AWS.

    Raises:
        LotteryError: There is no such target, or it does not answer.
    """
    where = where or os.environ.get("LOTTERY_TARGET") or "embedded"
    names = chosen_names(attendee, edition)
    if where == "embedded":
        state = emulator("start")
        session = _isolated_session(_emulated_region(region), state["access_key_id"])
        return Target("embedded", session, state["endpoint"], names, key_file=state["access_key_file"])
    if where.startswith(("http://", "https://")):
        return _at_address(where, names, _emulated_region(region))
    if where == "aws":
        target = _aws(names, region)
        ipython = sys.modules.get("IPython")  # a notebook has imported it
        if ipython is not None and ipython.get_ipython() is not None:
            sys.stdout.write(f"{introduction(target)}\n")
        return target
    raise LotteryError(
        "LOTTERY_TARGET",
        _("{target!r} is not a target", target=where.rpartition("@")[2]),  # before the @ is a key
        _("Use embedded, http://KEY@host:port, or aws"),
    )


def connected_again(target: Target) -> Target:
    """The same target; if the emulator on this machine has ended, a new one with the same names.

    A new emulator has another address and another key, and it has forgotten everything.
    """
    if target.kind != "embedded":
        return target
    running = emulator("status")
    if (running["endpoint"], running["access_key_id"]) == (target.endpoint, target.access_key):
        return target
    names = target.names
    return connect("embedded", attendee=names.attendee, edition=names.edition, region=target.region)


def elsewhere(account: str, region: str, names: Names) -> Target:
    """A target that only knows names and ARNs of an account. Nobody calls AWS with it.

    Raises:
        LotteryError: The account does not have twelve digits, or the region is impossible.
    """
    if not re.fullmatch("[0-9]{12}", account):
        what = _("{account!r} is not an account", account=account)
        raise LotteryError(_("account"), what, _("Give its twelve digits"))
    session = _isolated_session(region)
    try:
        partition = session.get_partition_for_region(region)
    except BotoCoreError as error:
        raise explain(error) or error from error
    caller = {"Account": account, "Arn": f"arn:{partition}:iam::{account}:root", "UserId": ""}
    return Target("endpoint", session, "http://127.0.0.1:9", names, _caller=caller)


def chosen_names(attendee: str | None = None, edition: str | None = None) -> Names:
    """The names for an attendee and an edition. If one is not given, the environment decides it."""
    return Names(
        attendee=os.environ.get("LOTTERY_ATTENDEE", "") if attendee is None else attendee,
        edition=edition or os.environ.get("LOTTERY_EDITION") or "tutorial",
    )


def introduction(target: Target) -> str:
    """Say which account, region and attendee this is. It is shown before anything is written there."""
    attendee = target.names.attendee
    whose = _("attendee {attendee}", attendee=attendee) if attendee else _("no attendee: the plain names")
    return _(
        "AWS account {account}, region {region}, partition {partition}, {whose}", whose=whose, **target.place
    )


def _block_writes(model: Any, **more: object) -> None:
    if not model.name.startswith(READS):
        raise WriteBlockedError(model.name)


def _at_address(where: str, names: Names, region: str) -> Target:
    """Connect to an emulator at an address. If nothing answers, raise now and not in a later cell."""
    scheme, rest = where.split("://", 1)
    key, _at, place = rest.rpartition("@")
    endpoint = f"{scheme}://{place}"
    try:
        parts = urlsplit(endpoint)
        usable = (
            bool(parts.hostname and re.fullmatch(r"[\w.:-]+", parts.hostname, re.ASCII)) and parts.port != 0
        )
    except ValueError:  # the port is not a number, or too large
        usable = False
    if not usable or str(parts.hostname).rstrip(".").endswith(
        (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
    ):
        raise LotteryError(
            "LOTTERY_TARGET",
            _("{address!r} is not the address of an emulator", address=endpoint),
            _("Use http://KEY@host:port for an emulator, or the word aws for AWS itself"),
        )
    here = parts.hostname in ("127.0.0.1", "localhost")
    own = emulator("find", parts.port) if here and not key else {}
    session = _isolated_session(region, key or own.get("access_key_id") or TESTING)
    target = Target("endpoint", session, endpoint, names, key_file=own.get("access_key_file"))
    try:
        target.account  # noqa: B018 - reading it calls AWS
    except ClientError as error:
        if error.response["Error"].get("Code") != "InvalidClientTokenId":
            raise
        what = _("does not know the access key") if key else _("needs an access key")
        next_step = _(
            "Use http://KEY@host:port. KEY is the access_key_id that `lottery emulator status --json` shows "
            "on the emulator's machine"
        )
        raise LotteryError(_("emulator at {address}", address=endpoint), what, next_step) from error
    return target


@cache
def _models() -> Loader:
    """AWS's service models. All targets share them: reading them takes a tenth of a second."""
    return create_loader()


def _isolated_session(region: str, access_key: str = TESTING) -> boto3.Session:
    """A session that ignores the attendee's AWS settings, even a profile that does not exist."""
    # Each variable is (name in a file, name in the environment, default, conversion).
    unset = {
        name: (None, None, *rest)
        for name, (_file, _variable, *rest) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
    no_file = (None, None, os.devnull, None)
    core = botocore.session.Session(
        session_vars=unset | {"config_file": no_file, "credentials_file": no_file}
    )
    core.register_component("data_loader", _models())
    return boto3.Session(
        aws_access_key_id=access_key,
        aws_secret_access_key="testing",
        region_name=region,
        botocore_session=core,
    )


def _emulated_region(region: str | None) -> str:
    """The region on an emulator. Default: ``LOTTERY_REGION``, else `EMULATOR_REGION`."""
    chosen = region or os.environ.get("LOTTERY_REGION") or EMULATOR_REGION
    partitions = _models().load_data("endpoints")["partitions"]
    if not any(chosen in partition["regions"] for partition in partitions):
        raise LotteryError(
            _("region") if region else "LOTTERY_REGION",
            _("{region!r} is not a region of AWS", region=chosen),
            _("Use one, such as us-east-1, cn-north-1 or cn-northwest-1"),
        )
    return chosen


def _aws(names: Names, region: str | None) -> Target:
    core = botocore.session.Session()
    try:
        session = boto3.Session(region_name=region, botocore_session=core)
        profile = core.get_scoped_config()
    except BotoCoreError as error:
        raise explain(error) or error from error
    overrides = sorted(key for key in os.environ if key.startswith("AWS_ENDPOINT_URL"))  # also ..._LAMBDA
    overrides += [
        _("{setting} of the AWS profile", setting=key)
        for key in ("endpoint_url", "services")
        if key in profile
    ]
    if overrides:
        raise LotteryError(
            "LOTTERY_TARGET=aws",
            _("{settings} would send the calls elsewhere", settings=", ".join(overrides)),
            _("Unset it, or use embedded or http://host:port as the target"),
        )
    if session.region_name is None:
        raise LotteryError(
            "LOTTERY_TARGET=aws", _("no region is set"), _("Set AWS_DEFAULT_REGION, such as us-east-1")
        )
    target = Target("aws", session, None, names)
    target.account  # noqa: B018 - reading it calls AWS
    return target
