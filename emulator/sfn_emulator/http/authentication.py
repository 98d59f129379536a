"""Know who calls: each access key stands for a user, or for a session of a role."""

import secrets
import string
from dataclasses import dataclass
from typing import Final

from sfn_emulator.http.messages import Arn

_LETTERS: Final = string.ascii_uppercase + "234567"


def new_access_key(prefix: str) -> str:
    """A random access key of 20 characters, as AWS gives them.

    Args:
        prefix: ``"AKIA"`` for the key of a user, ``"ASIA"`` for the key of a session.
    """
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(16))


@dataclass(frozen=True)
class Caller:
    """The identity behind an access key: a user, or a role that somebody has assumed.

    Args:
        principal: The ARN of the user or of the role.
        session: The name of the role's session; empty for a user.
        service: The service that assumed the role: ``"lambda"``, ``"states"`` or ``"cloudformation"``.
            Empty for another.
    """

    principal: str
    session: str = ""
    service: str = ""

    @property
    def arn(self) -> str:
        """The ARN by which AWS's error messages name the caller."""
        if not self.session:
            return self.principal
        role = Arn.of(self.principal)
        resource = f"assumed-role/{name_of(self.principal)}/{self.session}"
        return str(role._replace(service="sts", resource=resource))

    @property
    def account(self) -> str:
        """The account's number."""
        return Arn.of(self.principal).account

    @property
    def user(self) -> str:
        """The name of a user; empty for a role."""
        return "" if self.session else name_of(self.principal)

    @property
    def names(self) -> tuple[str, ...]:
        """The principals in a trust policy that include the caller: itself, its account, and everybody."""
        root = str(Arn.of(self.principal)._replace(resource="root"))
        return (self.principal, self.arn, root, self.account, "*")

    @property
    def context(self) -> dict[str, str]:
        """The condition keys about the caller, and their values."""
        context = {
            "aws:principalaccount": self.account,
            "aws:principalarn": self.principal,
            "aws:principaltype": "AssumedRole" if self.session else "User",
        }
        return context | ({"aws:username": self.user} if self.user else {})


class Sessions:
    """The roles that functions, machines and stacks have. Each session has an access key."""

    def __init__(self) -> None:
        self._callers: dict[str, Caller] = {}
        self._keys: dict[Caller, str] = {}
        self._machines: dict[str, str] = {}

    def of_function(self, role_arn: str, function: str) -> str:
        """The access key of a function. AWS names the session after the function."""
        return self._key(Caller(role_arn, function, "lambda"))

    def of_machine(self, role_arn: str) -> str:
        """The access key of all machines with this role."""
        # AWS gives such a session a random name.
        session = self._machines.setdefault(role_arn, secrets.token_hex(16))
        return self._key(Caller(role_arn, session, "states"))

    def of_stack(self, role_arn: str) -> str:
        """The access key of all stacks with this role. AWS names the session so."""
        return self._key(Caller(role_arn, "AWSCloudFormation", "cloudformation"))

    def find(self, access_key: str) -> Caller | None:
        """The caller with this access key; None if it belongs to no function, machine or stack."""
        return self._callers.get(access_key)

    def is_function(self, access_key: str) -> bool:
        """Whether this access key belongs to a function."""
        caller = self.find(access_key)
        return caller is not None and caller.service == "lambda"

    def _key(self, caller: Caller) -> str:
        key = self._keys.get(caller) or self._keys.setdefault(caller, new_access_key("ASIA"))
        self._callers[key] = caller
        return key


def name_of(arn: str) -> str:
    """The name at the end of the ARN of a role or user, without its path."""
    return arn.rpartition("/")[2]
