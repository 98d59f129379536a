"""The kinds of AWS resource that the lottery is made of, one file a kind.

Every kind has the same three verbs. ``find`` only reads. ``ensure`` converges: it creates what is missing,
re-applies what differs, and makes no write call when nothing does. ``delete`` treats absence as success.
All can be run twice, interrupted anywhere, and run again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lottery_lib.aws_errors import ignoring, says
from lottery_lib.errors import LotteryError
from lottery_lib.names import Names
from lottery_lib.waiting import retry_while

__all__ = ["Resource", "once_tagged", "refuse_foreign", "still_there", "tag_list"]


@dataclass(frozen=True)
class Resource:
    """One resource as it was found or left.

    Attributes:
        kind: Such as ``"table"``.
        name: Its name on AWS.
        state: What ``find`` saw (``"ACTIVE"``), or what a verb did (``"created"``, ``"updated"``,
            ``"unchanged"``, ``"deleted"``, ``"missing"``).
        arn: Its ARN; empty where it has none.
        ours: Whether it carries this attendee's tags.
    """

    kind: str
    name: str
    state: str
    arn: str = ""
    ours: bool = True


def still_there(look: Callable[[], Resource]) -> Resource | None:
    """Read the tags of what was found; None if it has gone meanwhile, though AWS showed it still."""
    found: Resource | None = ignoring(look, "NotFound")
    return found


def once_tagged(name: str, look: Callable[[], Resource]) -> Resource:
    """Read the tags of what is there, and may be so new that AWS does not find them everywhere yet."""
    return retry_while(f"the tags of {name} to be visible", look, says("NotFound"), seconds=30)


def refuse_foreign(found: Resource) -> None:
    """Refuse to touch what carries our name but not our tags.

    Raises:
        LotteryError: The tags are not this attendee's.
    """
    if not found.ours:
        raise LotteryError(
            f"{found.kind} {found.name}",
            "exists, but was not made by this kit for this attendee (its tags say so)",
            "Delete or rename it yourself, or set LOTTERY_ATTENDEE so that our names differ",
        )


def tag_list(names: Names, *, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Our tags in the list shape that most services want."""
    return [{key: name, value: text} for name, text in names.tags.items()]
