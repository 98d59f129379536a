"""Each lesson can be done with the deployer's policy and nothing else, and nothing in it is too much."""

import json
import os
import socket
from pathlib import Path

import nbclient
import nbformat
import pytest
from emulator.deployer_user import KEY, NEEDS, denied, document, target_of, user_with

from lottery_lib import Names, Stack, draw, execution
from lottery_lib.draws import forget_winners, machine_arn, winners
from lottery_lib.emulator import control
from lottery_lib.rehearsal import NOTEBOOKS_FOLDER, OTHERS, notebooks
from lottery_lib.resources import iam_role, state_machine

ATTENDEE = "lena"
LESSONS = [*notebooks(), *(NOTEBOOKS_FOLDER / name for name in OTHERS)]
#: What AWS asks for and the emulator does not, and why.
ONLY_AWS = {"lambda:ListTags": "without it GetFunction tells no tags, so no function would be known as ours"}
WAITS = '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 600, "End": true}}}'


@pytest.fixture(scope="module")
def needs(tmp_path_factory):
    """What the lessons and the kit itself ask for, as a user with the policy."""
    folder = tmp_path_factory.mktemp("needs")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    endpoint = control.start(port, while_pid=os.getpid())["endpoint"]
    try:
        key = user_with(endpoint, ATTENDEE, document(ATTENDEE))
        yield Needs(endpoint, key, folder / "needs.jsonl")
    finally:
        control.stop(port)


class Needs:
    """What was asked for.

    Attributes:
        all: Triples of action, resource and context.
        errors: What went wrong in which lesson.
    """

    def __init__(self, endpoint, key, file):
        asked = []
        self._kit(target_of(endpoint, key, ATTENDEE, asked.extend))
        environment = {KEY: json.dumps({name: key[name] for name in ("AccessKeyId", "SecretAccessKey")})}
        environment |= {NEEDS: str(file), "LOTTERY_TARGET": endpoint, "LOTTERY_ATTENDEE": ATTENDEE}
        environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            self.errors = {path.stem: error for path in LESSONS if (error := run_as_user(path))}
        written = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        each = [*asked, *written]
        self.all = {(action, resource, tuple(map(tuple, context))) for action, resource, context in each}

    @staticmethod
    def _kit(target):
        stack = Stack(target, announce=lambda plan: None)
        stack.deploy()
        assert draw(target, 2)["status"] == "SUCCEEDED"
        assert len(winners(target)) == forget_winners(target) == 2
        role_arn = iam_role.role_arn(target, target.names.machine_role)
        state_machine.ensure(target, target.names.machine, WAITS, role_arn)
        execution.start(target, machine_arn(target), {})  # runs when the teardown begins
        assert stack.teardown().left == []


def run_as_user(path):
    """Run a notebook whose every connection is the user's; the end of what went wrong, if something did."""
    notebook = nbformat.read(path, 4)
    first = "from emulator.deployer_user import be_the_user; be_the_user()"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(first))
    client = nbclient.NotebookClient(
        notebook,
        timeout=120,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        return f"{error.ename}: {error.evalue}"
    return None


def without(part, action, resource=None):
    """The policy without an action, or without one resource of one action's statement."""
    whole = json.loads(json.dumps(document(ATTENDEE)))
    for statement in whole["Statement"]:
        if action in statement["Action"]:
            gone = action if part == "Action" else resource
            statement[part] = [each for each in statement[part] if each != gone]
    return whole


def test_every_lesson_can_be_done(needs):
    """From its first cell to its last, the solutions of its exercises included."""
    assert needs.errors == {}


def test_nothing_is_missing(needs):
    """All that was asked for is allowed."""
    assert denied(document(ATTENDEE), needs.all) == []


def test_no_action_is_too_much(needs):
    """Without any one action, something of the lessons or of the kit is denied."""
    actions = {action for each in document(ATTENDEE)["Statement"] for action in each["Action"]}
    superfluous = {action for action in actions if not denied(without("Action", action), needs.all)}
    assert superfluous == set(ONLY_AWS)


def test_no_resource_is_too_much(needs):
    """Without any one resource of a statement, something is denied."""
    superfluous = [
        (statement["Sid"], resource)
        for statement in document(ATTENDEE)["Statement"]
        for resource in statement["Resource"]
        if not denied(without("Resource", statement["Action"][0], resource), needs.all)
    ]
    assert superfluous == []


def test_the_policies_that_may_be_attached_are_attached(needs):
    """AWS's four, one by one; their successors wait until AWS retires one."""
    attached = {dict(context)["iam:policyarn"] for action, _, context in needs.all if "AttachRole" in action}
    attach = next(each for each in document(ATTENDEE)["Statement"] if each["Sid"] == "Attach")
    allowed = set(attach["Condition"]["ArnEquals"]["iam:PolicyARN"])
    assert {arn for arn in allowed if not arn.endswith("_v2")} == attached
    assert Names(ATTENDEE).lambda_role in str(attach["Resource"])
