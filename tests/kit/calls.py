"""Record what a target asks of AWS, disturb it, and have there what is somebody else's."""

from dataclasses import dataclass

from lottery_lib import connect
from lottery_lib.names import Names

WRITES = (
    "Create",
    "Update",
    "Put",
    "Delete",
    "Attach",
    "Detach",
    "Tag",
    "Untag",
    "Set",
    "BatchWrite",
    "Subscribe",
    "Unsubscribe",
    "Publish",
    "Start",
    "Stop",
    "Transact",
)


class Recorder:
    """A second connection of the same attendee, and the operations it was asked for, in order.

    A connection of its own, because clients that exist already do not hear of a new handler.
    """

    def __init__(self, target):
        self.operations = []
        self.target = connect("embedded", attendee=target.names.attendee, edition=target.names.edition)
        assert not self.target._clients
        self.target.session.events.register("before-call", self._note)

    def _note(self, model, **_):
        self.operations.append(model.name)

    @property
    def writes(self):
        assert self.operations, "nothing was asked at all"
        return [name for name in self.operations if name.startswith(WRITES)]


class Broken(Exception):
    """The connection is gone: what an interruption looks like from inside."""


class Interruption:
    """A second connection of the same attendee, which breaks after so many write calls.

    Attributes:
        left: The write calls that it still makes.
    """

    def __init__(self, target, after):
        self.left = after
        self.target = connect("embedded", attendee=target.names.attendee, edition=target.names.edition)
        assert not self.target._clients
        self.target.session.events.register("before-call", self._count)

    def _count(self, model, **_):
        if model.name.startswith(WRITES):
            if self.left == 0:
                raise Broken
            self.left -= 1


class LostReply:
    """Let a target's first call of an operation happen, then lose the reply: botocore sends it again."""

    def __init__(self, target, operation):
        self._lost = False
        target.client("iam").meta.events.register(f"needs-retry.*.{operation}", self._again)

    def _again(self, **_):
        again, self._lost = not self._lost, True
        return 0 if again else None


@dataclass(frozen=True)
class _Strangers(Names):
    """The names of an attendee, and the tags of somebody else."""

    @property
    def tags(self):
        return {"owner": "somebody"}


def make_foreign(target, make):
    """Make a resource that has our name, and that somebody else made."""
    theirs = target.named(_Strangers(target.names.attendee, target.names.edition))
    return make(theirs).ensure()
