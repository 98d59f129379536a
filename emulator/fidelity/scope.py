"""Decide whether a test is in scope, before it runs. The rule looks at what the test needs, not at a result.

In this order, the first that applies decides:

1.  Out is what nobody recorded: the marker is not `aws_validated` or `aws_manual_setup_required`, or the file
    `*.validation.json` has no date of a run on AWS. Some snapshots have LocalStack's own words.
2.  Out is a file about a feature that is not here: mocks of LocalStack, activities, accounts that work
    together, API Gateway, ECS, SQS. So is LocalStack's oldest file.
3.  In are TestState's files: they call no service.
4.  Out is a test with a fixture, a client or a template that needs such a feature. A template counts only if
    the test runs it: a definition that is only created or validated needs no service.
5.  In are all others.
"""

import inspect
import json
import re
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

FOLDER: Final = "tests/aws/services/stepfunctions/v2"
_FILES: Final = {
    "local_mocking/": "mocks",
    "activities/": "activities",
    "test_sfn_api_activities": "activities",
    "test_stepfunctions_v2.py": "legacy",
    "test_apigetway": "apigateway",
    "test_ecs": "ecs",
    "test_sqs_task": "sqs",
    "test_task_service_sqs": "sqs",
}
_SEED: Final = 46
_FIXTURES: Final = {
    r"sqs": "sqs",
    r"create_activity": "activities",
    r"secondary_aws": "cross-account",
    r"mock_config_file": "mocks",
    r"apigw|rest_api": "apigateway",
    r"cfn|cloudformation|infrastructure_setup": "cloudformation",
    r"ecs": "ecs",
    r"batch_snapshot": "batch",
}
_CLIENTS: Final = re.compile(r"client\w*\.(sqs|cloudformation|apigateway|secretsmanager|ecs|batch|kms|ssm)\b")
_RUNS: Final = re.compile(r"start_(sync_)?execution|record_|launch_|create_and_test|run_")
#: The services that a definition may call. `states` is nested executions.
_SERVICES: Final = {
    "lambda", "dynamodb", "sns", "states", "sfn", "iam", "sts", "cloudwatchlogs", "s3", "events",
}  # fmt: skip
_RESOURCE: Final = re.compile(r"arn:(?:aws|\{?partition\}?):states:[^:]*:[^:]*:(?:aws-sdk:)?([a-z0-9-]+):")


def scope_of(item: Any) -> tuple[bool, str]:
    """Whether a test is in scope, and the reason.

    Args:
        item: Pytest's item of the test.
    """
    marks = {mark.name for mark in item.iter_markers()}
    if not marks & {"aws_validated", "aws_manual_setup_required"}:
        return False, "not-validated"
    is_in, reason = _needs(item)
    if is_in and item.nodeid not in _proofs(item.path.with_suffix(".validation.json")):
        return False, "no-proof"
    return is_in, reason


def put_aside(folder: Path) -> set[str]:
    """A third of the files, which nobody looks at while the interpreter is written.

    The seed was chosen before the first line. Files that rule 2 leaves out do not count.

    Args:
        folder: LocalStack's folder of these tests.
    """
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("test_*.py"))
    names = [name for name in names if (folder / name).with_suffix(".validation.json").is_file()]
    names = [name for name in names if not any(out in name for out in _FILES)]
    return set(Random(_SEED).sample(names, len(names) // 3))


def part_of(test: str) -> str:
    """The file of a test, in LocalStack's folder of Step Functions."""
    return test.partition("::")[0].rpartition("stepfunctions/v2/")[2]


def ignored(item: Any) -> list[str]:
    """The places that LocalStack's test does not compare."""
    marks = item.iter_markers("skip_snapshot_verify")
    return sorted({path for mark in marks for path in mark.kwargs.get("paths", ["(all)"])})


@cache
def _proofs(path: Path) -> frozenset[str]:
    return frozenset(json.loads(path.read_text())) if path.is_file() else frozenset()


def _needs(item: Any) -> tuple[bool, str]:
    part = part_of(item.nodeid)
    group = part.partition("/")[0].removesuffix(".py")
    reasons = [reason for name, reason in _FILES.items() if name in part]
    if reasons or group == "test_state":
        return not reasons, (*reasons, group)[0]
    for pattern, reason in _FIXTURES.items():
        if any(re.search(pattern, name) for name in item.fixturenames):
            return False, reason
    source = inspect.getsource(item.function)
    source = source[source.index("def test_") :]  # without the decorators, which name all parameters
    if found := _CLIENTS.search(source):
        return False, found[1]
    if _RUNS.search(source):
        called = {service for text in _templates(item, source) for service in _RESOURCE.findall(text)}
        if "activity" in called:
            return False, "activities"
        if others := sorted(called - _SERVICES):
            return False, others[0]
    return True, group


def _templates(item: Any, source: str) -> list[str]:
    """The texts of the templates that the test names."""
    values = []
    for owner, name in re.findall(r"\b(\w+)\.([A-Z][A-Z0-9_]+)\b", source):
        values.append(getattr(item.module.__dict__.get(owner), name, None))
    if hasattr(item, "callspec"):
        values += item.callspec.params.values()
    texts = []
    for value in values:
        if isinstance(value, str) and value.endswith((".json", ".json5")) and Path(value).is_file():
            texts.append(Path(value).read_text())
        elif isinstance(value, dict):
            texts.append(str(value))
    return texts
