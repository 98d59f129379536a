"""Describe Map Runs and their child executions as AWS does. `engine.map_runs` has them."""

from collections.abc import Sequence
from typing import Any

from sfn_emulator.engine.map_runs import Child, MapRun, map_run, map_runs_of
from sfn_emulator.http.messages import RefusalError, Reply, Request
from sfn_emulator.http.paging import page_of
from sfn_emulator.http.replies import json_reply
from sfn_emulator.http.service_models import check_call


def describe_map_run(request: Request) -> Reply:
    """Answer DescribeMapRun."""
    run = asked(request)
    return json_reply(
        _told(run)
        | {
            "status": run.status,
            "maxConcurrency": run.max_concurrency,
            "toleratedFailureCount": run.tolerated.get("count", 0),
            "toleratedFailurePercentage": float(run.tolerated.get("percentage", 0)),
            "itemCounts": run.counts(of_items=True),
            "executionCounts": run.counts(of_items=False),
            "redriveCount": 0,
        }
    )


def list_map_runs(request: Request, exists: bool) -> Reply:
    """Answer ListMapRuns.

    Args:
        request: The request.
        exists: Whether its execution exists.
    """
    arn = request.json["executionArn"]
    if not exists:
        raise RefusalError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
    found = [_told(run) | {"stateMachineArn": run.machine_arn} for run in map_runs_of(arn)]
    page, token = page_of(found, request.json)
    return json_reply({"mapRuns": page} | token)


def update_map_run(request: Request) -> Reply:
    """Answer UpdateMapRun. The new values count at once."""
    run, given = asked(request), request.json
    if given.get("maxConcurrency") is not None:
        run.max_concurrency = given["maxConcurrency"]
    for name in ("Count", "Percentage"):
        if (value := given.get(f"toleratedFailure{name}")) is not None:
            run.tolerated[name.lower()] = value
    run.news.put(None)
    return json_reply({})


def not_of_this_type() -> RefusalError:
    """The error of an operation on a machine of the other type."""
    reason = "This operation is not supported by this type of state machine"
    return RefusalError("StateMachineTypeNotSupported", reason)


def children_of(runs: Sequence[MapRun], request: Request) -> Reply:
    """The child executions of Map Runs that a ListExecutions asks for, the newest first.

    Raises:
        RefusalError: They are Express executions.
    """
    if any(run.written.type == "EXPRESS" for run in runs):
        raise not_of_this_type()
    status = request.json.get("statusFilter")
    children = [(run, it) for run in runs for it in reversed(run.children)]
    chosen = [(run, it) for run, it in children if status in {None, it.status}]
    page, token = page_of(chosen, request.json)
    return json_reply({"executions": [_listed(run, it) for run, it in page]} | token)


def describe_child(run: MapRun, it: Child) -> dict[str, Any]:
    """A child execution, in the form of DescribeExecution."""
    told = run.told(it)
    kept = {name: told[name] for name in ("input", "output", "error", "cause") if told.get(name) is not None}
    if it.status != "SUCCEEDED":
        kept.pop("output", None)
    if it.status == "ABORTED":
        kept |= dict(it.abort)
    details = {f"{name}Details": {"included": True} for name in ("input", "output") if name in kept}
    listed = _listed(run, it)
    del listed["itemCount"]
    return listed | kept | details


def _listed(run: MapRun, it: Child) -> dict[str, Any]:
    return {
        "executionArn": it.arn,
        "stateMachineArn": run.machine_arn,
        "mapRunArn": run.arn,
        "name": it.arn.rpartition(":")[2],
        "status": it.status,
        "startDate": it.start.timestamp(),
        "itemCount": it.count,
        "redriveCount": 0,
    } | ({"stopDate": it.stop.timestamp()} if it.stop else {})


def _told(run: MapRun) -> dict[str, Any]:
    told = {"mapRunArn": run.arn, "executionArn": run.execution_arn, "startDate": run.start.timestamp()}
    return told | ({"stopDate": run.stop.timestamp()} if run.stop else {})


def asked(request: Request) -> MapRun:
    """The Map Run that a request names.

    Raises:
        RefusalError: There is none.
    """
    check_call("stepfunctions", request.operation, request.json)
    arn = request.json["mapRunArn"]
    if (run := map_run(arn)) is None:
        raise RefusalError("ResourceNotFound", f"Resource not found: '{arn}'")
    return run
