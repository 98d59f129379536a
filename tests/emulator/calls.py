"""Record what a target asks of AWS."""

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
    "Batch",
    "Subscribe",
    "Unsubscribe",
    "Publish",
    "Start",
    "Stop",
    "Transact",
)


class Recorder:
    """The operations that the clients of a target were asked for, in order."""

    def __init__(self, target):
        self.operations = []
        target._session.events.register("before-call", self._note)

    def _note(self, model, **_):
        self.operations.append(model.name)

    @property
    def writes(self):
        return [name for name in self.operations if name.startswith(WRITES)]


class Broken(Exception):
    """The connection is gone: what an interruption looks like from inside."""


class Interruption:
    """Let a target make so many write calls, then break."""

    def __init__(self, target, after):
        self.left = after
        self._events = target._session.events
        self._events.register("before-call", self._count, unique_id="interruption")

    def _count(self, model, **_):
        if model.name.startswith(WRITES):
            if self.left == 0:
                raise Broken
            self.left -= 1
