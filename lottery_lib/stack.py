"""Create, show and remove the whole lottery: walk the plan, forwards or in reverse.

Nothing is stored on disk, because the plan depends only on the names. A dry run is the same code on a target
whose writes are blocked. A teardown ends with an inventory: AWS lists what is still there.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from lottery_lib import employees, execution, plan
from lottery_lib.aws_errors import AwsError
from lottery_lib.errors import LotteryError
from lottery_lib.resources.base import Known, Planned, Removable, Report
from lottery_lib.resources.contents import empty_winners, load_employees
from lottery_lib.resources.sns_topic import Subscription, Topic, as_resource
from lottery_lib.target import Target, WriteBlockedError
from lottery_lib.translation import N_, _

_CHECKED: Final = N_("would be checked")


@dataclass(frozen=True)
class Inventory:
    """What a teardown did, and what is left.

    Attributes:
        resources: What happened to each resource.
        left: What is still there under our names; empty when the teardown is complete.
    """

    resources: list[Report]
    left: list[Report]


def _print_changes(planned: Iterable[Report]) -> None:
    for each in planned:
        if each.state != _CHECKED:
            sys.stdout.write(f"{each}\n")


class Stack:
    """The lottery of one attendee on one target.

    Args:
        progress: Called with each resource when it is done. During a long wait it is called with a resource
            whose state says what the wait is for.
        announce: On AWS, called with all planned changes before the first write. If it raises, nothing is
            changed. By default it prints the planned changes. It is not called on an emulator, because the
            first cell of every lesson deploys or removes something.
    """

    def __init__(
        self,
        target: Target,
        progress: Callable[[Report], None] = lambda resource: None,
        announce: Callable[[list[Report]], None] = _print_changes,
    ) -> None:
        self.target = target
        self._progress = progress
        self._announce = announce
        self._at_work = (N_("lottery"), "")  # the kind and name of the resource in work

        def report(words: str) -> None:
            progress(Report(*self._at_work, words))

        self._reporting = target.reporting(report)

    def deploy(self, email: str | None = None, *, only: str | None = None) -> list[Report]:
        """Create what is missing and correct what differs; a second run makes no write call.

        If the table of employees is empty, the tutorial's ten employees are loaded.

        Args:
            email: An address to subscribe to the topic; it is pending until its mail is confirmed.
            only: The kind of resource to deploy, such as ``"role"``; by default, all kinds.

        Returns:
            Every resource. Its state is ``created``, ``updated`` or ``unchanged``; for a subscription it is
            ``confirmed`` or ``pending confirmation``.

        Raises:
            LotteryError: Something of the same name is not ours, or a wait ran out. Run it again.
        """
        if self.target.kind == "aws":
            self._announce(self.plan(email, only=only))
        return [self._do(made, made.ensure) for made in self._wanted(self._reporting, email, only)]

    def plan(self, email: str | None = None, *, only: str | None = None) -> list[Report]:
        """Say what a deploy would do to each resource: create, update, check, or refuse it as not ours."""
        return [_would_ensure(made) for made in self._wanted(self.target.read_only(), email, only)]

    def removal(self) -> list[Report]:
        """Say what a teardown would do to each resource: delete it, or leave it alone as not ours."""
        going = [_delete_ours(resource) for resource in self._going(self.target.read_only())]
        # SNS deletes a subscription with its topic.
        gone = [
            replace(each, state=N_("would be deleted") if each.ours else N_("not ours, left alone"))
            for each in ([] if self._shared() else self._subscriptions())
        ]
        return [each for each in going if each.state != "missing"] + gone

    def status(self) -> list[Report]:
        """Look up every resource. Its state is AWS's own, or ``missing``.

        What lessons make by hand is listed only if it is there.
        """
        resources = [resource for resource, _row in plan.resources(self.target)]
        reports = [each.find() or Report(each.kind, each.name, "missing") for each in resources]
        by_hand = [each.find() for each, _row in plan.made_by_hand(self.target)]
        return reports + [each for each in by_hand if each] + self._subscriptions()

    def teardown(self) -> Inventory:
        """Delete everything in reverse order, and check whether anything is left.

        A resource that is not ours stays. It is listed in ``left``, and the rest is still deleted. While the
        other edition's machine exists, the shared resources stay. They do not count as left.

        Returns:
            What was done, and the inventory.

        Raises:
            LotteryError: A resource belongs to a stack of CloudFormation, or a wait ran out.
        """
        if self.target.kind == "aws":
            self._announce(self.removal())
        machine = plan.machine(self.target)
        if (report := machine.find()) and report.ours and not report.stack:
            execution.stop_running(self.target, machine.arn)
        subscribed = self._subscriptions()
        done = [
            self._do(resource, partial(_delete_ours, resource)) for resource in self._going(self._reporting)
        ]
        if any((each.kind, each.state) == (Topic.kind, "deleted") for each in done):
            done += [replace(each, state="deleted") for each in subscribed]  # SNS deleted them, too
        return Inventory(done, self._left_after(done))

    def reset(self) -> int:
        """Forget all winners, so that everyone can win again; returns how many there were."""
        return empty_winners(self.target)

    def load(self, path: str | Path) -> int:
        """Replace the employees with those of a file (see `employees.read`); returns how many there are.

        Raises:
            LotteryError: A row cannot be used, or there is no table.
        """
        return load_employees(self.target, employees.read(path))

    def left(self) -> list[Report]:
        """The resources that are still there, without those that the other edition uses."""
        shared = self._shared()
        there = [each for each in self.status() if each.state != "missing" and each.name not in shared]
        return [each for each in there if not (shared and each.kind == Subscription.kind)]

    def _wanted(self, target: Target, email: str | None, only: str | None) -> list[Planned]:
        made = [each for each, _row in plan.everything(target)]
        made += [Subscription(plan.topic(target), email)] if email else []
        kinds = {each.kind for each in made}
        if only and only not in kinds:
            next_step = _("Use one of: {names}", names=", ".join(sorted(kinds)))
            raise LotteryError(_("kind {name!r}", name=only), _("does not exist"), next_step)
        return [each for each in made if only in (None, each.kind)]

    def _going(self, target: Target) -> list[Removable[Any]]:
        """What a teardown deletes, in its order."""
        shared = self._shared()
        planned = [resource for resource, _row in plan.resources(target) if resource.name not in shared]
        by_hand = [resource for resource, _row in plan.made_by_hand(target) if resource.find()]
        return [*reversed(by_hand), *reversed(planned)]

    def _shared(self) -> set[str]:
        """The names of the resources that both editions share; empty if the other machine does not exist."""
        other = plan.machine(self.target.named(self.target.names.other)).find()
        both = {resource.name for resource, row in plan.resources(self.target) if row.edition == "both"}
        return both if other and other.ours else set()

    def _subscriptions(self) -> list[Report]:
        topic = plan.topic(self.target)
        subscribed = topic.subscriptions()
        report = topic.find() if subscribed else None
        ours = report is None or report.ours
        return [replace(as_resource(each), ours=ours) for each in subscribed]

    def _left_after(self, done: Iterable[Report]) -> list[Report]:
        """What is left. For some seconds AWS may still show a resource that is already deleted."""
        deleted = {(each.kind, each.name) for each in done if each.state == "deleted"}

        def settled() -> tuple[list[Report]] | None:
            left = self.left()
            return None if deleted & {(each.kind, each.name) for each in left} else (left,)

        try:
            wait = self._reporting.waiter.until
            return wait(_("what was deleted to be gone"), settled, seconds=60, every=5)[0]
        except LotteryError:
            return self.left()

    def _do(self, made: Known, verb: Callable[[], Report]) -> Report:
        self._at_work = (made.kind, made.name)
        done = verb()
        self._progress(done)
        return done


def _delete_ours(resource: Removable[Any]) -> Report:
    """Delete a resource, or say that a dry run would. If it is not ours, leave it alone and go on."""
    try:
        return resource.delete()
    except WriteBlockedError:
        return Report(resource.kind, resource.name, N_("would be deleted"))
    except LotteryError:
        report = resource.find()
        if report is None or report.ours or report.stack:
            raise
        return replace(report, state=N_("not ours, left alone"))


def _would_ensure(made: Planned) -> Report:
    """What a deploy would do with a resource of a read-only target."""
    report, state = made.find(), _CHECKED
    if report is None:
        state = N_("would be created")
    elif not report.ours:
        state = N_("not ours, would be refused")
    else:
        try:
            made.ensure()
        except WriteBlockedError:
            state = N_("would be updated")
        except AwsError:
            raise
        except LotteryError as error:
            state = _("would be refused: {reason}", reason=error.what)
    return Report(made.kind, made.name, state)
