"""Answer the operations on executions: start, stop, redrive, describe and list them."""

import json
import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sfn_emulator.http.messages import RefusalError, Reply, Request, Scope
from sfn_emulator.http.paging import bounds_of, page_of, token_of
from sfn_emulator.http.replies import json_reply
from sfn_emulator.process.store import History
from sfn_emulator.process.timers import now
from sfn_emulator.states.machines import CONFIGURATIONS, Started, with_references
from sfn_emulator.states.map_runs import definition_of, describe_child, events_of
from sfn_emulator.states.run import Run, described, listed
from sfn_emulator.states.world import World
from states_language.execution import Event, Execution, Stop
from states_language.values import moment

_NO_INPUT: Final = "The emulator has removed the input of this execution, because its files had no more room"
_PAGE_LETTERS: Final = 4_000_000
_MOST_EXECUTIONS: Final = 10_000
#: What DescribeStateMachineForExecution says of a machine.
_OF_EXECUTION: Final = ("name", "definition", "roleArn", "revisionId", *CONFIGURATIONS)


class Executions:
    """Answers the operations on executions.

    Args:
        world: Where they run.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._listing = threading.Lock()

    def begin(self, scope: Scope, started: Started, name: str, given: str, *, wait: bool = False) -> Run:
        """Start an execution, and wait for its end if it shall."""
        arn, began = started.execution_arn(name), now()
        express = started.machine["type"] == "EXPRESS"
        history = History(self._world.log_of(arn, started, scope), kept=not express)
        run = Run(arn, started, scope, None, history, given, began, self._world)
        run.execution = _new_execution(run, given)
        if wait:  # an execution that somebody waits for counts no redrives
            del run.execution.context["Execution"]["RedriveCount"]
        if not express:
            with self._listing:
                self._world.runs[arn] = run
                if len(self._world.runs) > _MOST_EXECUTIONS:
                    self._forget_oldest()
        self._world.begin(run, wait=wait)
        return run

    def same(self, arn: str, given: str) -> Run | None:
        """The running execution with this name and input; None if the name is free.

        Raises:
            RefusalError: The name is not free.
        """
        if (run := self._world.runs.get(arn)) is None:
            return None
        if not run.is_running or run.input != given:
            raise RefusalError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        return run

    def _forget_oldest(self) -> None:
        """Forget the oldest execution that has ended. AWS forgets one after 90 days."""
        oldest = next((run for run in list(self._world.runs.values()) if not run.is_running), None)
        if oldest:
            self._world.forget(oldest)

    def end_all_of(self, machine_arn: str) -> None:
        """End and forget the executions of a deleted machine, because a new one may have the same ARN."""
        for run in list(self._world.all()):
            if run.started.arn == machine_arn:
                self._world.drop(run)
                self._world.forget(run)

    def stop(self, request: Request) -> Reply:
        """Answer StopExecution."""
        arn = request.json["executionArn"]
        message = Stop(request.json.get("error"), request.json.get("cause"))
        if found := self._world.map_runs.child(arn):
            child = found[1]
            if run := child.run:
                self._world.stop(run, message)
            return json_reply({"stopDate": child.stop or child.start})
        known = self._known(arn)
        self._world.stop(known, message)
        return json_reply({"stopDate": known.stopped})

    def redrive(self, request: Request) -> Reply:
        """Answer RedriveExecution."""
        arn, token = request.json["executionArn"], request.json.get("clientToken")
        run = self._known(arn)
        with run.lock:
            at = now()
            if (date := run.redrives.date_of(token, at)) is not None:
                return json_reply({"redriveDate": date})
            if reason := run.redrives.reason_against(described(run), len(run.history), at):
                raise RefusalError("ExecutionNotRedrivable", reason)
            if (given := run.input) is None:
                raise RefusalError("ExecutionNotRedrivable", _NO_INPUT)
            if run.execution is None:  # it held too much, so it begins again
                run.execution = again = _new_execution(run, given)
                again.status, again.redrives, again.root.input = run.status, run.redrives.count, again.input
            run.redrives.add(token, at)
            self._world.redrive(run)
        return json_reply({"redriveDate": at})

    def describe(self, request: Request) -> Reply:
        """Answer DescribeExecution."""
        arn = request.json.get("executionArn", "")
        if found := self._world.map_runs.child(arn):
            return json_reply(describe_child(*found))
        return json_reply(described(self._known(arn)))

    def describe_machine(self, request: Request) -> Reply:
        """Answer DescribeStateMachineForExecution."""
        arn = request.json.get("executionArn", "")
        found = self._world.map_runs.child(arn)
        run = found[0].run if found else self._known(arn)
        while run.parent:
            run = run.parent[0]
        told = {name: value for name, value in run.started.machine.items() if name in _OF_EXECUTION}
        told |= {"stateMachineArn": run.started.arn, "updateDate": run.started.updated}
        if found:
            map_run, _ = found
            told |= {"stateMachineArn": map_run.machine_arn, "definition": definition_of(map_run)}
            told |= {"mapRunArn": map_run.arn, "label": map_run.label}
        return json_reply(with_references(told))

    def list(self, request: Request, machine_arn: str) -> Reply:
        """Answer ListExecutions of a machine, or of a version or an alias of it."""
        asked, status = request.json["stateMachineArn"], request.json.get("statusFilter")
        if "redriveFilter" in request.json:
            raise RefusalError("ValidationException", "redriveFilter is only supported with mapRunArn")
        found = [run for run in reversed(list(self._world.runs.values())) if run.started.arn == machine_arn]
        chosen = [
            run
            for run in found
            if status in {None, run.status} and asked in {machine_arn, *run.started.names.values()}
        ]
        page, token = page_of(chosen, request.json)
        return json_reply({"executions": [listed(run) for run in page]} | token)

    def history(self, request: Request) -> Reply:
        """Answer GetExecutionHistory."""
        given = request.json
        arn = given.get("executionArn", "")
        names: dict[str, str] = {}
        events: Sequence[Event]
        if found := self._world.map_runs.child(arn):
            events = events_of(*found)
        else:
            run = self._known(arn)
            events, names = run.history, dict(run.started.names)
        newest_first = bool(given.get("reverseOrder"))
        begin, end = bounds_of(given, order=newest_first)
        count = len(events)  # count only once, because a running execution grows
        page, letters = list[str](), 0
        for number in range(count)[:: -1 if newest_first else 1][begin:end]:
            page.append(_shown(events, number, names))
            # The size of a page must have a limit, because an event may have 256 KB twice.
            letters += len(page[-1])
            if letters > _PAGE_LETTERS:
                break
        # A running execution grows, so pages counted from its end overlap. They do on AWS, too.
        end = begin + len(page)
        more = f",{json.dumps(token_of(end, order=newest_first))[1:-1]}" if end < count else ""
        return replace(json_reply({}), body=f'{{"events":[{",".join(page)}]{more}}}'.encode())

    def exists(self, arn: str) -> bool:
        """Whether there is an execution, or a child, with this ARN."""
        return arn in self._world.runs or self._world.map_runs.child(arn) is not None

    def _known(self, arn: str) -> Run:
        if (run := self._world.runs.get(arn)) is None:
            raise RefusalError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return run


def _new_execution(run: Run, given: str) -> Execution:
    started, parsed = run.started, json.loads(given)
    context = {
        "Execution": {
            "Id": run.arn,
            "Input": parsed,
            "Name": run.name,
            "RoleArn": run.role,
            "StartTime": moment(run.began),
            "RedriveCount": run.redrives.count,
        },
        "StateMachine": {"Id": started.arn, "Name": started.machine["name"]},
    }
    return Execution(started.definition, parsed, context, started.machine["type"], given, run.history)


def sync_result(run: Run) -> dict[str, Any]:
    """The result of StartSyncExecution, with what AWS would bill: units of 100 ms and 64 MB."""
    execution, text = run.execution, run.input
    told: dict[str, Any] = {
        "executionArn": run.arn,
        "stateMachineArn": run.started.arn,
        "name": run.name,
        "startDate": run.began,
        "stopDate": run.stopped,
        "status": run.status,
        "input": text,
        "inputDetails": {"included": True},
    }
    if execution and run.status == "SUCCEEDED":
        told |= {"output": execution.root.text, "outputDetails": {"included": True}}
    elif execution:
        told |= {"error": execution.error, "cause": execution.cause}
    billed = max(1, math.ceil((run.stopped - run.began) * 10)) * 100
    bill = {"billedDurationInMilliseconds": billed, "billedMemoryUsedInMB": 64}
    return {name: value for name, value in told.items() if value is not None} | {"billingDetails": bill}


def _shown(events: Sequence[Event], number: int, names: dict[str, str]) -> str:
    """An event as JSON. The first one has the ARNs of the version and the alias."""
    if isinstance(events, History) and not (names and number == 0):
        return events.as_json(number)
    event = events[number]
    if names and (begun := event.get("executionStartedEventDetails")):
        event = {**event, "executionStartedEventDetails": begun | names}
    return json.dumps(event)
