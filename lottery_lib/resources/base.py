"""What all kinds of resource have in common.

The classes::

Known                has a name, and can be looked up: find
Planned(Known)       can be written: ensure (also what is inside a resource, such as the employees)
Removable(Known)     is a resource: its ARN, its tags, and delete
Resource(Removable, Planned)    a resource that the kit makes: create it, correct it, wait for it
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Generic, TypeVar

from lottery_lib.aws_errors import busy, call_or_none, says
from lottery_lib.errors import DEPLOY, LotteryError
from lottery_lib.names import EDITIONS
from lottery_lib.target import Target
from lottery_lib.translation import N_, _, language, punctuated, translated

_STACK_TAG: Final = "aws:cloudformation:stack-name"
T = TypeVar("T")
Description = TypeVar("Description", bound=Mapping[str, Any])
"""How AWS describes a resource of a kind."""


@dataclass(frozen=True)
class Report:
    """What a verb found or did.

    Attributes:
        kind: Such as ``"table"``.
        name: Its name on AWS.
        state: What ``find`` saw (``"ACTIVE"``), or what a verb did (``"created"``, ``"updated"``,
            ``"unchanged"``, ``"deleted"``, ``"missing"``).
        arn: Its ARN; empty if it has none.
        ours: Whether it carries this attendee's tags.
        note: What else an attendee should know about it, such as a role's permissions boundary.
        stack: The stack of CloudFormation that it belongs to; empty if it belongs to none.
    """

    kind: str
    name: str
    state: str
    arn: str = ""
    ours: bool = True
    note: str = ""
    stack: str = ""

    def __str__(self) -> str:
        kind, state = in_words(self.kind), in_words(self.state)
        return punctuated("{state}: {kind} {name}", state=state, kind=kind, name=self.name)


def in_words(kind_or_state: str) -> str:
    """A kind or a state as people read it. One that no catalogue has stays as it is, such as ``ACTIVE``."""
    return translated(language(), kind_or_state)


class Known(ABC):
    """What the kit knows by its name, such as a resource.

    Args:
        name: Its name in reports.
    """

    #: Its name in JSON. Write it as ``N_("table")``, so that the catalogues get it for people.
    kind: ClassVar[str]

    def __init__(self, target: Target, name: str) -> None:
        self.target = target
        self.name = name

    @property
    def titled(self) -> str:
        """Its kind and its name, as people read them."""
        return f"{in_words(self.kind)} {self.name}"

    @abstractmethod
    def find(self) -> Report | None:
        """Look it up; None if it does not exist, or if its resource does not exist."""


class Planned(Known):
    """A resource, or something inside one that disappears with it, such as the employees in their table."""

    @abstractmethod
    def ensure(self) -> Report:
        """Write it if it is missing or differs."""


class Removable(Known, Generic[Description]):
    """One resource on one target. The kit can look it up and remove it; perhaps an attendee makes it.

    Each kind says how to look up and remove its resource. This base class checks the tags, and treats absence
    as success. The attributes with ``actions`` and ``arns`` in their names are for policies alone: for those
    of an attendee, and for the boundary of roles.
    """

    #: Its service, and the last part of its ARN, such as ``"table/{}"``. AWS makes it from the name.
    arn_parts: ClassVar[tuple[str, str]]
    #: What each attendee's policy allows: to make, read and remove it, and what AWS checks besides.
    actions: ClassVar[tuple[str, ...]] = ()
    #: What an attendee of an edition needs in addition, in the lessons or with the kit.
    lesson_actions: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    #: Those of these operations that AWS checks without a resource.
    account_actions: ClassVar[tuple[str, ...]] = ()
    #: What a role may do with it at most.
    role_actions: ClassVar[tuple[str, ...]] = ()
    #: The end of the ARNs of what is in it, such as versions or indexes. Roles may use these, too.
    inside: ClassVar = ""

    @property
    def arn(self) -> str:
        """The ARN."""
        service, resource = self.arn_parts
        return self.target.arn(service, resource.format(self.name))

    @property
    def policy_arns(self) -> list[str]:
        """The ARNs that an attendee's policy must name to allow calls on it."""
        return [self.arn]

    @property
    def role_arns(self) -> list[str]:
        """The ARNs that a role's boundary must name to allow `role_actions`."""
        return [self.arn, self.arn + self.inside] if self.inside else [self.arn]

    @abstractmethod
    def describe_or_none(self) -> Description | None:
        """AWS's description; None if there is no such resource."""

    @abstractmethod
    def _tags(self, description: Description) -> Mapping[str, str]:
        """Read the tags."""

    def _state(self, description: Description) -> str:
        return "ACTIVE"

    @abstractmethod
    def _remove(self, report: Report) -> None:
        """Delete it, and wait until it is gone."""

    def has_content(self) -> bool:
        """Whether an attendee has put something into it that a deploy would leave there."""
        return False

    def describe(self) -> Description:
        """AWS's description.

        Raises:
            LotteryError: There is no such resource.
        """
        description = self.describe_or_none()
        if description is None:
            raise LotteryError(self.titled, _("does not exist"), DEPLOY)
        return description

    def find(self) -> Report | None:
        """Look it up; None if there is no such resource."""
        description = self.describe_or_none()
        if description is None:
            return None
        # AWS may still show a resource that was just deleted. Then it does not find the tags.
        tags = call_or_none(lambda: self._tags(description), "NotFound")
        return None if tags is None else self._resource(self._state(description), tags)

    def delete(self, *, foreign: bool = False) -> Report:
        """Delete it and wait until it is gone.

        Args:
            foreign: Delete it also if it does not carry our tags.

        Returns:
            The resource, its state ``"deleted"`` or ``"missing"``.

        Raises:
            LotteryError: A resource of that name is not ours, or a wait ran out.
        """
        report = self.find()
        if report is None:
            return Report(self.kind, self.name, N_("missing"))
        if not foreign:
            self.refuse_of_stack(report)
            self.refuse_foreign(report)
        self._remove(report)
        return replace(report, state=N_("deleted"))

    def refuse_foreign(self, report: Report | None) -> None:
        """Refuse to touch a resource that has our name but not our tags.

        Raises:
            LotteryError: The tags are not this attendee's.
        """
        if report is not None and not report.ours:
            raise LotteryError(
                self.titled,
                _("exists, but was not made by this kit for this attendee (its tags say so)"),
                _("Delete or rename it yourself, or set LOTTERY_ATTENDEE so that our names differ"),
            )

    def refuse_of_stack(self, report: Report) -> None:
        """Refuse to touch a resource that belongs to a stack, as one that `lottery export` describes.

        Raises:
            LotteryError: CloudFormation made it.
        """
        if report.stack:
            raise LotteryError(
                self.titled,
                _("belongs to the CloudFormation stack {stack}", stack=report.stack),
                _("Change it with `sam deploy`, or delete it with `sam delete`"),
            )

    def _resource(self, state: str, tags: Mapping[str, str] | None = None) -> Report:
        """A report about it. Without tags, it is ours."""
        ours, stack = tags is None or self._is_ours(tags), (tags or {}).get(_STACK_TAG, "")
        return Report(self.kind, self.name, state, self.arn, ours, stack=stack)

    def _is_ours(self, tags: Mapping[str, str]) -> bool:
        """Whether these are this attendee's tags, of either edition."""
        same = tags.get("lottery-attendee") == self.target.names.attendee
        return same and tags.get("lottery-workshop") in EDITIONS

    def _wait_until_gone(self, *, seconds: float = 300) -> None:
        what = _("{resource} to be gone", resource=self.titled)
        self.target.waiter.until(what, lambda: self.describe_or_none() is None, seconds=seconds, passing=busy)


class Resource(Removable[Description], Planned):
    """One resource as it should be, on one target: it can also be created and corrected."""

    #: What a wait for it says, and how many seconds it may take.
    ready_word: ClassVar = _("visible")
    patience: ClassVar = 60
    #: Words in the temporary refusals of AWS; see `_once_allowed`.
    not_yet: ClassVar[tuple[str, ...]] = ()

    def _tag_list(self, key: str = "Key", value: str = "Value") -> list[Any]:
        """Our tags in the form that most services take."""
        return [{key: name, value: text} for name, text in self.target.names.tags.items()]

    @abstractmethod
    def _create(self) -> Description | None:
        """Create it and return its description; None if AWS says that it exists.

        This happens if the reply to our first try was lost, or if AWS did not show the resource a moment ago.
        """

    def _is_ready(self, description: Description) -> bool:
        """Whether it can be used as AWS describes it."""
        return True

    def _wait_until_ready(self, description: Description | None = None) -> Description:
        """Wait until it can be used; returns its description.

        Args:
            description: AWS's latest description. If it is None, look it up.
        """

        def seen() -> Description | None:
            nonlocal description  # the given one counts for the first look only
            now, description = description or self.describe_or_none(), None
            return now if now is not None and self._is_ready(now) else None

        what = _("{resource} to be {state}", resource=self.titled, state=self.ready_word)
        return self.target.waiter.until(what, seen, seconds=self.patience, passing=busy)

    def _once_allowed(self, call: Callable[..., T], *words: str, **parameters: Any) -> T | None:
        """Make a call, and repeat it while AWS refuses it for a temporary reason.

        Args:
            call: The call.
            *words: If AWS refuses the call with one of these words, return None.
            **parameters: What the call is made with.
        """
        return self.target.waiter.retry(
            _("AWS to be ready for calls on {resource}", resource=self.titled),
            lambda: call_or_none(call, *words, **parameters),
            says(*self.not_yet),
        )

    def _update(self, description: Description) -> bool:
        """Correct what differs; returns whether anything was different."""
        return False

    def ensure(self, *, foreign: bool = False) -> Report:
        """Create it, or correct what differs.

        Args:
            foreign: If it does not carry our tags, delete it, and create it again.

        Returns:
            The resource, its state ``"created"``, ``"updated"`` or ``"unchanged"``.

        Raises:
            LotteryError: A resource of that name is not ours, or a wait ran out.
        """
        description = self.describe_or_none()
        if description is not None and self._state(description) == "DELETING":
            self._wait_until_gone()
            description = None
        created = None if description else self._create()
        description = self._wait_until_ready(description or created)
        if created is None:  # it was there before, or AWS has lost our first request
            seen = description  # it may be so new that AWS does not find its tags everywhere yet
            what = _("the tags of {name} to be visible", name=self.name)
            tags = self.target.waiter.retry(what, lambda: self._tags(seen), says("NotFound"), seconds=30)
            if foreign and not self._is_ours(tags):
                self.delete(foreign=True)
                return self.ensure()
            there = self._resource("", tags)
            self.refuse_of_stack(there)
            self.refuse_foreign(there)
        updated = self._update(description)
        return self._resource(N_("created") if created else N_("updated") if updated else N_("unchanged"))
