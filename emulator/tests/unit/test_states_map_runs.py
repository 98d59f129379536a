"""What is kept of the children of a Map Run."""

import threading
import time
from types import SimpleNamespace

from sfn_emulator.process.store import Spool
from sfn_emulator.states import map_runs
from sfn_emulator.states.map_runs import Child, MapRun
from states_language.execution import Execution
from states_language.execution import MapRun as Inner


class Watched(Spool):
    """A file that notes whether two threads have used it at the same time."""

    busy, together = threading.Lock(), False

    def append(self, data):
        return self._alone(super().append, data)

    def read(self, begin, length):
        return self._alone(super().read, begin, length)

    def _alone(self, act, *given):
        if not self.busy.acquire(blocking=False):
            Watched.together = True
            return act(*given)
        try:
            time.sleep(0.001)  # another thread would come in
            return act(*given)
        finally:
            self.busy.release()


def test_children_that_end_at_the_same_time_are_kept_whole(monkeypatch):
    """One after the other is written to their file, or read from it."""
    monkeypatch.setattr(map_runs, "Spool", Watched)
    monkeypatch.setattr(Watched, "together", False)
    parent = SimpleNamespace(arn="e", started=SimpleNamespace(arn="arn:aws:states:::stateMachine:M"))
    run, told = MapRun(Inner("arn", "STANDARD"), "Label", parent, 0), {}

    def end(key):
        child = Child(f"arn:{key}", key, 1, 0)
        of_child = SimpleNamespace(input=f"the input of {key}", result={}, express=False, history=[])
        run.keep(child, of_child, Execution({}, None, {}))
        told[key] = run.told(child)["input"]

    threads = [threading.Thread(target=end, args=(str(number),)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == {str(number): f"the input of {number}" for number in range(20)}
    assert not Watched.together
