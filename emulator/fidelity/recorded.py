"""Compare an answer with what AWS was recorded to answer, and with what AWS would answer today."""

from contextlib import suppress
from copy import deepcopy
from typing import Any

from localstack_snapshot.snapshots import SnapshotSession


def younger(recorded: dict[str, Any]) -> dict[str, Any]:
    """A record with what AWS does since then, as younger records and measurements of 2026 show.

    EvaluationFailed follows the event with which its state began, no longer the one before. MapStateExited of
    a Distributed Map follows MapRunStarted. The context object has RedriveCount.
    """
    recorded = _with_redrives(deepcopy(recorded))
    for value in recorded.values():
        events = value.get("events") or [] if isinstance(value, dict) else []
        for number, event in enumerate(events):
            before = events[number - 1]
            is_older = event["previousEventId"] == before["previousEventId"]
            if event["type"] == "EvaluationFailed" and before["type"].endswith("StateEntered") and is_older:
                event["previousEventId"] = before["id"]
            if event["type"] == "MapStateExited" and events[number - 2]["type"] == "MapRunSucceeded":
                event["previousEventId"] = events[number - 2]["previousEventId"]
    return recorded


def _with_redrives(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_redrives(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {key: _with_redrives(each) for key, each in value.items()}
    return made | ({"RedriveCount": 0} if {"Id", "StartTime", "RoleArn"} <= made.keys() else {})


def watch() -> dict[str, Any]:
    """Let all comparisons of LocalStack's tests be noted here.

    Returns:
        Of the latest test: what was ``observed`` and ``recorded`` if it differs; whether it is equal without
        LocalStack's exceptions (``strict``), or only with what AWS would write today (``younger``). Clear it
        before each test.
    """
    found: dict[str, Any] = {}
    compare: Any = SnapshotSession._assert_all

    def compare_all(self: Any, verify_test_case: bool = True, skip_verification_paths: Any = None) -> Any:
        made = younger(self.recorded_state) if self.recorded_state else self.recorded_state
        if self.observed_state and self.recorded_state:
            found["strict"] = any(_is_equal(self, it) for it in (self.recorded_state, made))
        with suppress(TypeError):  # a stream in an answer has no copy
            unchanged = deepcopy(self.observed_state)  # a comparison changes it
        try:
            return compare(self, verify_test_case, skip_verification_paths)
        except Exception:
            found.update(observed=deepcopy(self.observed_state), recorded=self.recorded_state)
            if made == self.recorded_state:
                raise
        self.observed_state, self.recorded_state = unchanged, made
        found["recorded"] = made
        result = compare(self, verify_test_case, skip_verification_paths)
        found["younger"] = True
        return result

    def _is_equal(self: Any, state: Any) -> bool:
        """Whether everything is equal, also what LocalStack leaves out."""
        twin = SnapshotSession.__new__(SnapshotSession)
        twin.__dict__ |= self.__dict__
        try:
            twin.observed_state, twin.recorded_state = deepcopy((self.observed_state, state))
            compare(twin, True, None)
        except Exception:  # also a TypeError, as above
            return False
        return True

    SnapshotSession._assert_all = compare_all
    return found
