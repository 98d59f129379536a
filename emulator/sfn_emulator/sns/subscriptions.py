"""Keep which e-mail subscriptions wait for their confirmation. moto confirms each subscription at once."""

import secrets
import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Subscription:
    """An e-mail subscription.

    Args:
        arn: The ARN from moto.
        topic_arn: The ARN of its topic.
        address: The e-mail address.
        protocol: ``"email"`` or ``"email-json"``.
        token: The token in the links of its mails.
        confirmed: Whether somebody confirmed it with the token.
        authenticated: Whether the confirmation was a signed call.
    """

    arn: str
    topic_arn: str
    address: str
    protocol: str = "email"
    token: str = field(default_factory=lambda: secrets.token_hex(64))
    confirmed: bool = False
    authenticated: bool = False


class Subscriptions:
    """All e-mail subscriptions of one emulator.

    Attributes:
        deleted: How many subscriptions of each topic were ended.
    """

    def __init__(self) -> None:
        self._by_arn: dict[str, Subscription] = {}
        self.deleted: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, arn: str, topic_arn: str, address: str, protocol: str) -> Subscription:
        """Add a subscription, unless it is there already."""
        with self._lock:
            return self._by_arn.setdefault(arn, Subscription(arn, topic_arn, address, protocol))

    def find(self, arn: str) -> Subscription | None:
        """The subscription with this ARN; None if there is none."""
        return self._by_arn.get(arn)

    def of(self, topic_arn: str | None = None) -> list[Subscription]:
        """The subscriptions of a topic, or all of them. The oldest is the first."""
        with self._lock:
            return [it for it in self._by_arn.values() if topic_arn in {None, it.topic_arn}]

    def pending(self, topic_arn: str | None = None) -> list[Subscription]:
        """The subscriptions that wait for their confirmation."""
        return [subscription for subscription in self.of(topic_arn) if not subscription.confirmed]

    def remove(self, arn: str) -> None:
        """Remove an unsubscribed subscription."""
        with self._lock:
            self._by_arn.pop(arn, None)
            self.deleted[arn.rpartition(":")[0]] += 1

    def remove_topic(self, topic_arn: str) -> None:
        """Remove the subscriptions of a deleted topic."""
        with self._lock:
            self._by_arn = {arn: it for arn, it in self._by_arn.items() if it.topic_arn != topic_arn}
            self.deleted.pop(topic_arn, None)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._by_arn.clear()
            self.deleted.clear()
