"""Create, show and remove the whole lottery: every resource in order, and in reverse.

The plan is one list of parts. Deploying ensures each in order; tearing down deletes each in reverse and
ends in an inventory, taken from AWS anew, of what is still there. Nothing is remembered on disk: the plan
is a function of the names. What would be done is told by doing it where no write call gets out.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final

from lottery_lib import definition, execution
from lottery_lib import employees as roster
from lottery_lib.aws_errors import explained
from lottery_lib.errors import LotteryError
from lottery_lib.names import Untagged
from lottery_lib.party.pool import ensure_pool, load_employees
from lottery_lib.resources import (
    Resource,
    dynamodb_table,
    iam_role,
    lambda_function,
    log_group,
    sns_topic,
    state_machine,
)
from lottery_lib.target import Target
from lottery_lib.waiting import telling, wait_until

__all__ = ["Inventory", "Stack", "machine_definition"]

_CHECKED: Final = "would be checked"
_READS: Final = ("BatchGet", "Describe", "Get", "List", "Query", "Scan")


@dataclass(frozen=True)
class Part:
    """One resource of the plan, with its three verbs."""

    kind: str
    name: str
    find: Callable[[], Resource | None]
    ensure: Callable[[], Resource]
    delete: Callable[[], Resource]


@dataclass(frozen=True)
class Inventory:
    """What a teardown did, and what is left.

    Attributes:
        resources: What became of each resource.
        left: What is still there under our names; empty when the teardown is complete.
    """

    resources: list[Resource]
    left: list[Resource]


class Stack:
    """The lottery of one attendee on one target.

    Args:
        target: Where.
        progress: Called with each resource as it is done, and with what a longer wait waits for as its state.
        announce: Called on AWS with all that would be done, before the first write; what it raises leaves
            everything as it is. By default it prints what would be changed.
    """

    def __init__(
        self,
        target: Target,
        progress: Callable[[Resource], None] = lambda resource: None,
        announce: Callable[[list[Resource]], None] | None = None,
    ) -> None:
        self.target = target
        self._progress = progress
        self._announce = announce or _print

    @explained()
    def deploy(self, email: str | None = None) -> list[Resource]:
        """Create what is missing and put right what differs; a second run makes no write call.

        An empty table of employees is filled with the tutorial's ten.

        Args:
            email: An address to subscribe to the topic; it is pending until its mail is confirmed.

        Returns:
            Every resource, its state ``created``, ``updated`` or ``unchanged``; of a subscription, whether
            it is ``confirmed`` or ``pending confirmation``.

        Raises:
            LotteryError: Something of the same name is not ours, or a wait ran out. Run it again.
        """
        self._before(lambda: self.plan(email))
        done = [self._done(part, part.ensure) for part in self._parts()]
        done += [self._told(each) for each in self._employees()]
        if email:
            done.append(self._told(sns_topic.subscribe(self.target, self.target.names.topic, email)))
        return done

    @explained()
    def plan(self, email: str | None = None) -> list[Resource]:
        """Say what a deploy would do, in its order: create, update, check, or refuse what is not ours."""
        plan = [_deployed(part) for part in self._onlooker._parts()]
        plan.append(Resource("employees", self.target.names.employee_table, "would be loaded if it is empty"))
        if self._is_hardened():
            plan.append(Resource("pool", self.target.names.pool_table, _CHECKED))
        return plan + ([self._to_be_subscribed(email)] if email else [])

    @explained()
    def removal(self) -> list[Resource]:
        """Say what a teardown would do, in its order: delete, or leave alone what is not ours."""
        parts = [_removed(self._onlooker, part) for part in self._onlooker._going()]
        gone = [] if self._kept() else [_to_be_removed(each) for each in self._onlooker._subscriptions()]
        return [part for part in parts if part.state != "missing"] + gone

    @explained()
    def status(self) -> list[Resource]:
        """Look every resource up: AWS's own state for it, or ``missing``."""
        found = [part.find() or Resource(part.kind, part.name, "missing") for part in self._parts()]
        return found + self._subscriptions()

    @explained()
    def teardown(self) -> Inventory:
        """Delete everything in reverse order, and look whether anything is left.

        What is not ours is not touched: it stays in ``left``, and the rest is deleted all the same. What both
        editions share is left alone, and not counted, while the other edition's machine is there.

        Returns:
            What was done, and the inventory.
        """
        self._before(self.removal)
        machine = state_machine.machine_arn(self.target, self.target.names.machine)
        if self._is_ours(self._machine()):
            execution.stop_running(self.target, machine)
        subscribed = self._subscriptions()
        done = [self._done(part, partial(self._delete, part)) for part in self._going()]
        if any((each.kind, each.state) == (sns_topic.KIND, "deleted") for each in done):
            done += [replace(each, state="deleted") for each in subscribed]  # they went with their topic
        return Inventory(done, self._left_after(done))

    def left(self) -> list[Resource]:
        """Look every resource up and return those that are there, but for what the other edition uses."""
        kept = self._kept()
        there = [each for each in self.status() if each.state != "missing" and each.name not in kept]
        return [each for each in there if not (kept and each.kind == "subscription")]

    def _left_after(self, done: Iterable[Resource]) -> list[Resource]:
        """What is left; AWS may show for some seconds more what has been deleted."""
        deleted = {(each.kind, each.name) for each in done if each.state == "deleted"}

        def settled() -> tuple[list[Resource]] | None:
            left = self.left()
            return None if deleted & {(each.kind, each.name) for each in left} else (left,)

        try:
            return wait_until("what was deleted to be gone", settled, seconds=60, every=5)[0]
        except LotteryError:
            return self.left()

    def remove_foreign(self) -> None:
        """Delete what has our names but not our tags, as an attendee makes it who forgets the tags.

        On an emulator alone, where nobody else's things can be of our names.
        """
        if self.target.kind == "aws":
            return
        foreign = [(each.kind, each.name) for each in self.status() if not each.ours]
        names = Untagged(self.target.names.attendee, self.target.names.edition)
        for part in reversed(Stack(self.target.named(names))._parts()):
            if (part.kind, part.name) in foreign:
                part.delete()

    def _going(self) -> list[Part]:
        """The parts that a teardown deletes, in its order."""
        kept = self._kept()
        return [part for part in reversed(self._parts()) if part.name not in kept]

    def _kept(self) -> tuple[str, ...]:
        """The names of what the other edition shares with this one, while that one stands."""
        names = self.target.names
        other = state_machine.find(self.target, names.other.machine)
        shared = (names.topic, names.winners_table, names.employee_table)
        return shared if self._is_ours(other) else ()

    def _is_hardened(self) -> bool:
        return self.target.names.edition == "hardened"

    def _delete(self, part: Part) -> Resource:
        try:
            return part.delete()
        except LotteryError:
            found = part.find()
            if found is None or found.ours:
                raise
            return Resource(part.kind, part.name, "not ours, left alone", found.arn, ours=False)

    def _before(self, plan: Callable[[], list[Resource]]) -> None:
        # An emulator can be filled and emptied at will, and the course does so in every first cell.
        if self.target.kind == "aws":
            self._announce(plan())

    @cached_property
    def _onlooker(self) -> "Stack":
        return Stack(_Onlooker(self.target))

    def _done(self, part: Part, verb: Callable[[], Resource]) -> Resource:
        with telling(lambda words: self._progress(Resource(part.kind, part.name, words))):
            return self._told(verb())

    def _told(self, resource: Resource) -> Resource:
        self._progress(resource)
        return resource

    @staticmethod
    def _is_ours(resource: Resource | None) -> bool:
        return resource is not None and resource.ours

    def _machine(self) -> Resource | None:
        return state_machine.find(self.target, self.target.names.machine)

    def _subscriptions(self) -> list[Resource]:
        name = self.target.names.topic
        found = sns_topic.subscriptions(self.target, name)
        ours = not found or self._is_ours(sns_topic.find(self.target, name))
        return [replace(sns_topic.as_resource(subscription), ours=ours) for subscription in found]

    def _to_be_subscribed(self, email: str) -> Resource:
        known = email in {each.name for each in self._subscriptions()}
        return Resource("subscription", email, _CHECKED if known else "would be created")

    def _parts(self) -> list[Part]:
        return [
            *self._roles(),
            *self._functions(),
            self._part(sns_topic, self.target.names.topic, self.target.names.topic),
            *self._tables(),
            self._state_machine(),
        ]

    def _part(self, kind: Any, name: str, *wanted: Any) -> Part:
        """A part whose three verbs are those of its kind's module."""
        return Part(
            kind.KIND,
            name,
            lambda: kind.find(self.target, name),
            lambda: kind.ensure(self.target, *wanted),
            lambda: kind.delete(self.target, name),
        )

    def _roles(self) -> Iterator[Part]:
        for role in (iam_role.lambda_role(self.target), iam_role.machine_role(self.target)):
            yield self._part(iam_role, role.name, role)

    def _functions(self) -> Iterator[Part]:
        role_arn = iam_role.role_arn(self.target, self.target.names.lambda_role)
        for purpose, name in self.target.names.functions.items():
            group = self.target.names.log_group(name)
            yield self._part(log_group, group, group)
            yield self._part(
                lambda_function, name, lambda_function.for_purpose(self.target, purpose, role_arn)
            )

    def _tables(self) -> Iterator[Part]:
        """The tables of employees and winners, which both editions share, and those of this edition alone."""
        names = self.target.names
        tables = [dynamodb_table.Table(names.winners_table), dynamodb_table.employee_table(self.target)]
        if self._is_hardened():
            tables.append(dynamodb_table.Table(names.pool_table, "chunk"))
            tables.append(dynamodb_table.Table(names.draws_table, "draw_id"))
        return (self._part(dynamodb_table, table.name, table) for table in tables)

    def _state_machine(self) -> Part:
        role_arn = iam_role.role_arn(self.target, self.target.names.machine_role)
        name = self.target.names.machine
        return self._part(state_machine, name, name, machine_definition(self.target), role_arn)

    def _employees(self) -> Iterator[Resource]:
        table = self.target.names.employee_table
        empty = dynamodb_table.is_empty(self.target, table)
        if empty and self._is_hardened():  # the pool is made below
            dynamodb_table.put(self.target, table, roster.tutorial_roster().employees)
        elif empty:
            load_employees(self.target, roster.tutorial_roster())
        yield Resource("employees", table, "created" if empty else "unchanged")
        if self._is_hardened():
            yield ensure_pool(self.target)


class _WithheldError(Exception):
    """A call would have written."""


class _Onlooker(Target):
    """The same AWS for who only looks: the first call that would write ends in a `_WithheldError`."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.kind, target.session, target.endpoint, target.names)
        self.__dict__["identity"] = target.identity  # asked for once is enough

    def client(self, service: str) -> Any:
        client = super().client(service)
        client.meta.events.register("before-call", _withhold, unique_id="onlooker")
        return client

    def table(self, name: str) -> Any:
        table = super().table(name)
        table.meta.client.meta.events.register("before-call", _withhold, unique_id="onlooker")
        return table


def _withhold(model: Any, **_: Any) -> None:
    if not model.name.startswith(_READS):
        raise _WithheldError(model.name)


def _deployed(part: Part) -> Resource:
    """What a deploy would make of a part of an onlooker's."""
    try:
        part.ensure()
        state = _CHECKED
    except _WithheldError:
        state = "would be updated" if part.find() else "would be created"
    except LotteryError as error:
        found = part.find()
        ours = found is None or found.ours
        state = f"would be refused: {error.what}" if ours else "not ours, would be refused"
    return Resource(part.kind, part.name, state)


def _removed(stack: Stack, part: Part) -> Resource:
    """What a teardown would make of a part of an onlooker's."""
    try:
        return stack._delete(part)
    except _WithheldError:
        return Resource(part.kind, part.name, "would be deleted")


def _to_be_removed(subscription: Resource) -> Resource:
    # It goes with its topic.
    return replace(subscription, state="would be deleted" if subscription.ours else "not ours, left alone")


def _print(plan: Iterable[Resource]) -> None:
    for each in plan:
        if each.state != _CHECKED:
            print(f"{each.state}: {each.kind} {each.name}")


def machine_definition(target: Target) -> str:
    """The edition's definition with this attendee's ARNs filled in (tutorial 2.2.5)."""
    functions = {
        purpose: target.arn("lambda", f"function:{name}") for purpose, name in target.names.functions.items()
    }
    topic = sns_topic.topic_arn(target, target.names.topic)
    text = definition.load(target.names.edition)
    return definition.fill(text, definition.arns_by_placeholder(functions, topic))
