"""What AWS does to the calls of one step until it stops. A test lets a failure pass, or lets it never end."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hostile.hostile_aws import NEVER


@dataclass(frozen=True)
class Failure:
    """One way in which AWS treats the calls of a step.

    Attributes:
        begin: Called with the hostile AWS, the kind of resource, and how long the failure lasts.
        long: How long it lasts before it passes: in calls or, if `is_waited_for`, in seconds.
        ends: How the step ends if the failure lasts for ever, as a pattern; empty if no test lets it.
        calls: How often an operation is called until it has passed.
        is_waited_for: Whether the step takes at least as many seconds as it lasts.
        is_reported: Whether the step knows what it did. After a lost reply it may not.
    """

    begin: Callable
    long: float
    ends: str = ""
    calls: dict = field(default_factory=dict)
    is_waited_for: bool = False
    is_reported: bool = True


def refused(operation, words, times=7, *, ends="", calls=1):
    """An operation is refused so many times. Without that, it is called `calls` times."""

    def begin(aws, kind, long):
        aws.refuse(operation, *words, times=long)

    return Failure(begin, times, ends, {operation: calls if times == NEVER else times + calls})


def refused_while_new(operation, words, seconds, *, since, of_role=False, ends="", calls=None):
    """Operations are refused in the first seconds after another on the resource, or on its role."""

    def begin(aws, kind, long):
        role = kind.role(aws.target).name if of_role else None

        def is_new(ask):
            return aws.age(since, role or ask.resource) < long

        aws.refuse(operation, *words, when=is_new)

    return Failure(begin, seconds, ends, calls or {}, is_waited_for=True)


def shown(seconds, ends="", *, since, change=lambda found: None, **settings):
    """The resource is shown with other settings in the first seconds after an operation."""

    def begin(aws, kind, long):
        def edit(ask, reply):
            if aws.age(since, ask.resource) < long:
                change(kind.found(reply))
                kind.found(reply).update(settings)

        aws.edit(kind.describe, edit)

    return Failure(begin, seconds, ends, is_waited_for=True)


def deleting(kind, calls, seconds):
    """A deleted resource is still shown for some seconds, and its name is not free."""

    def begin(aws, kind, long):
        for look in {kind.describe, kind.tags}:
            aws.linger(look, kind.delete, long)
        shown(long, since=kind.delete, **kind.deleting).begin(aws, kind, long)

        def is_deleting(ask):
            return aws.age(kind.delete, ask.resource) < long

        if kind.taken:
            aws.refuse(kind.create, *kind.taken, when=is_deleting)

    ends = f"to be gone: not there after {seconds} s"
    return Failure(begin, 40, ends, {kind.delete: calls}, is_waited_for=True)


def lost(operation):
    """An operation happens, and its reply is lost. botocore sends it again."""
    return Failure(lambda aws, kind, long: aws.lose(operation), 1, calls={operation: 2}, is_reported=False)


def forestalled(operation, words):
    """Somebody else does the same a moment before, and AWS refuses it then."""

    def begin(aws, kind, long):
        def answer(ask):
            aws.forward()
            return ask.refusal(*words)

        aws.rule(operation, answer)

    return Failure(begin, 1, calls={operation: 1})


def both(*failures):
    """Some failures at the same time."""

    def begin(aws, kind, long):
        for each in failures:
            each.begin(aws, kind, each.long)

    calls = {operation: number for each in failures for operation, number in each.calls.items()}
    seconds = [each.long for each in failures if each.is_waited_for and each.long != NEVER]
    known = all(each.is_reported for each in failures)
    return Failure(begin, max(seconds, default=0), calls=calls, is_waited_for=True, is_reported=known)


NO_PASS_ROLE = (
    "AccessDeniedException",
    "User: ann is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/x",
)


def common(kind):
    """What may happen to resources of many kinds, in the words of this kind, by step and name."""
    new = {"since": kind.create}
    found = {"create-reply lost": lost(kind.create), "delete-reply lost": lost(kind.delete)}
    if kind.ready:
        once = {kind.create: 1}
        hidden = refused_while_new(kind.describe, kind.absent, 8, ends=kind.ready, calls=once, **new)
        found["create-not found yet"] = hidden
    if kind.making:
        found["create-not ready yet"] = shown(30, kind.ready, **new, **kind.making)
        young = shown(10, **new, **kind.making)
        found["create-reply lost, and not ready yet"] = both(lost(kind.create), young)
    if kind.untagged:
        late = [lost(kind.create), refused(kind.tags, kind.untagged, 4)]
        if kind.exists:
            late.append(refused_while_new(kind.create, kind.exists, NEVER, **new))
        found["create-reply lost, and no tags yet"] = both(*late)
    if kind.taken:
        found["create-name taken"] = refused(kind.create, kind.taken, 9, ends=kind.taken[0])
    if kind.no_role:
        too_new = {"since": "CreateRole", "of_role": True, "ends": kind.trust}
        found["create-role too new"] = refused_while_new(kind.create, kind.no_role, 118, **too_new)
        no_right = r"administrator .* for this right"
        found["create-no PassRole"] = refused(kind.create, NO_PASS_ROLE, NEVER, ends=no_right)
    if kind.deleting:
        found["create again-still shown"] = deleting(kind, 0, 300)
        found["delete-still shown"] = deleting(kind, 1, kind.patience)
        found["delete again-still shown"] = deleting(kind, 0, kind.patience)
    if kind.gone_meanwhile:
        found["delete-gone meanwhile"] = forestalled(kind.delete, kind.gone_meanwhile)
    return found
