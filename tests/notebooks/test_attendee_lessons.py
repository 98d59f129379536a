"""Each lesson can be done with the attendee's policies and nothing else, and nothing in them is too much.

It is long: a user of IAM does the whole course.
"""

import json
import os
import socket

import nbformat
import pytest
from kit.one_state import one_state
from helpers import started
from kit.attendee_user import (
    BY_HAND,
    EDITIONS,
    KEY,
    NEEDS,
    admin_of,
    attach_more,
    break_everything,
    denied,
    document,
    make_boundary,
    start_what_waits,
    target_of,
    user_with,
)

import states_language
from lottery_lib import Stack, definition, draw, execution, inbox, winners
from lottery_lib.names import Names
from lottery_lib.resources.contents import load_employees
from lottery_lib import employees as roster
from lottery_lib.draws import Draws
from lottery_lib.resources.contents import empty_winners
from lottery_lib.names import KIT
from notebooks.cells import in_this_process, lesson_folder, solution_of
from sfn_emulator import control
from lottery_lib.hardened import draw_in_public
from lottery_lib.target import READS
from lottery_course.notebooks import notebooks, run

pytestmark = pytest.mark.long
ATTENDEE = "lena"
#: A stack needs the right to make any role, which an attendee must not have.
NOT_FOR_ATTENDEES = "19_take_it_with_you"
LESSONS = [path for path in notebooks() if path.stem != NOT_FOR_ATTENDEES]
POLICIES = (*EDITIONS, BY_HAND)
#: What AWS asks for and the emulator does not, and why.
ONLY_AWS = {"lambda:ListTags": "without it GetFunction tells no tags, so no function would be known as ours"}


@pytest.fixture(scope="module")
def needs(tmp_path_factory):
    """What the lessons and the kit itself ask for, as a user with the policy."""
    folder = tmp_path_factory.mktemp("needs")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    endpoint = started(port)["endpoint"]
    try:
        yield Needs(endpoint, folder / "needs.jsonl")
    finally:
        control.stop(port)


class Needs:
    """What was asked for.

    Attributes:
        lessons: By the lessons, as a user with both policies: triples of action, resource and context.
        kit: By edition, what the kit asks for, as a user with that edition's policy alone.
        errors: What went wrong in which lesson.
    """

    def __init__(self, endpoint, file):
        make_boundary(endpoint, ATTENDEE, by_hand=True)
        self.kit = {edition: unique(kit(endpoint, edition)) for edition in EDITIONS}
        key = user_with(endpoint, ATTENDEE, *(document(ATTENDEE, each) for each in POLICIES))
        environment = {KEY: json.dumps({name: key[name] for name in ("AccessKeyId", "SecretAccessKey")})}
        environment |= {NEEDS: str(file), "LOTTERY_TARGET": endpoint, "LOTTERY_ATTENDEE": ATTENDEE}
        folders = [str(KIT / "tests"), str(KIT / "emulator" / "tests"), os.environ.get("PYTHONPATH")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            folder = lesson_folder(file.parent)
            self.errors = {path.stem: error for path in LESSONS if (error := run_as_user(path, folder))}
        self.lessons = unique(map(json.loads, file.read_text(encoding="utf-8").splitlines()))

    def of(self, name):
        """What only this policy is there for: its edition's kit, and what in lessons the others deny."""
        wanted = self.lessons
        for other in POLICIES:
            wanted = wanted if other == name else denied(document(ATTENDEE, other), wanted)
        wanted = wanted | self.kit["tutorial" if name == BY_HAND else name]
        return wanted - denied(document(ATTENDEE, name), wanted)


def unique(needs):
    return {(action, resource, tuple(map(tuple, context))) for action, resource, context in needs}


def kit(endpoint, edition):
    """What a lottery asks for from its first deploy to its last teardown, then beside the other edition."""
    asked, names = [], Names(ATTENDEE, edition)
    key = user_with(endpoint, f"{ATTENDEE}-{edition}", document(ATTENDEE, edition))
    target, admin = target_of(endpoint, key, names, asked.extend), admin_of(endpoint, names)
    stack = Stack(target, announce=lambda plan: None)
    stack.deploy("ann@example.com")
    inbox(admin).confirm("ann@example.com")
    assert draw(target, 2)["status"] == "SUCCEEDED"
    if edition == "hardened":
        assert draw_in_public(target, 1, "7")["status"] == "SUCCEEDED"
    read_a_log(target)
    first = definition.parse(definition.load(edition))["StartAt"]
    assert one_state(target, first, mock={"Payload": {}}).status == "SUCCEEDED"
    assert len(winners(target)) == empty_winners(target) >= 2
    break_everything(admin)
    stack.deploy()
    attach_more(admin)
    start_what_waits(admin)
    assert stack.teardown().left == []
    beside(stack, Stack(admin.named(names.other)))
    return asked


def read_a_log(target):
    """Ask for the log of a state, as one does in the panel."""
    draws = Draws(target)
    events = draws.execution().events
    states = (state for _, state in states_language.all_states(draws.definition))
    calls = next(state for state in states if ":function:" in definition.function_of(state))
    assert "REPORT" in execution.function_log(target, calls, events[0]["timestamp"], events[-1]["timestamp"])


def beside(stack, other):
    """What is asked where the other edition stands."""
    other.deploy()
    stack.deploy()
    load_employees(stack.target, roster.tutorial_roster())
    assert stack.teardown().left == []
    assert other.teardown().left == []


def run_as_user(path, folder):
    """Run a notebook, in a folder, whose every connection is the user's; returns what went wrong, or None."""
    notebook = nbformat.read(path, 4)
    for cell in notebook.cells:
        if "solution" in cell.metadata.get("tags", []):
            cell.update(nbformat.v4.new_code_cell(solution_of(cell)))
        cell.source = in_this_process(cell.source)
    first = "from kit.attendee_user import be_the_user; be_the_user()"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(first))
    return run(notebook, folder)


def without(edition, part, action, resource=None):
    """The policy without an action, or without one resource of one action's statement."""
    whole = json.loads(json.dumps(document(ATTENDEE, edition)))
    for statement in whole["Statement"]:
        if action in statement["Action"] and (resource is None or resource in statement["Resource"]):
            gone = action if part == "Action" else resource
            statement[part] = [each for each in statement[part] if each != gone]
    return whole


def test_every_lesson_can_be_done(needs):
    """From its first cell to its last, the solutions of its exercises included."""
    assert needs.errors == {}


def test_nothing_is_missing(needs):
    """All that was asked for is allowed by one of the three."""
    tutorial, hardened, by_hand = (document(ATTENDEE, each) for each in POLICIES)
    assert denied(by_hand, denied(hardened, denied(tutorial, needs.lessons))) == set()


@pytest.mark.parametrize("edition", EDITIONS)
def test_nothing_is_missing_for_the_kit(needs, edition):
    """It is allowed by that edition's policy, except looks for what lessons make by hand, and for an evening.

    Without the rights to see them, there are none.
    """
    looks = denied(document(ATTENDEE, edition), needs.kit[edition])
    evenings = {need for need in looks if need[0] == "dynamodb:Scan" and need[1].endswith(f"Draws-{ATTENDEE}")}
    assert denied(document(ATTENDEE, BY_HAND), looks - evenings) == set()
    assert {action.split(":")[1].startswith(READS) for action, *_ in looks} <= {True}


def test_the_tutorial_needs_one_policy(needs):
    """In the lessons, what is not of the hardened edition's own is allowed by the tutorial's policy and by hand."""
    missing = denied(document(ATTENDEE, BY_HAND), denied(document(ATTENDEE, "tutorial"), needs.lessons))
    assert missing
    # An evening reads the names of its winners.
    names = ("dynamodb:BatchGetItem", f"table/{Names(ATTENDEE).employee_table}")
    others = [need for need in missing if "Lottery-Hardened" not in need[1]]
    assert [need for need in others if (need[0], need[1].split(":")[-1]) != names] == []


@pytest.mark.parametrize("edition", POLICIES)
def test_no_action_is_too_much(needs, edition):
    """Without any one action, something is denied that only this policy is there for."""
    wanted, whole = needs.of(edition), document(ATTENDEE, edition)["Statement"]
    actions = {action for each in whole for action in each["Action"]}
    superfluous = {action for action in actions if not denied(without(edition, "Action", action), wanted)}
    assert superfluous == actions & {*ONLY_AWS}


@pytest.mark.parametrize("edition", POLICIES)
def test_no_resource_is_too_much(needs, edition):
    """Without any one resource of a statement, something is denied that only this policy is there for."""
    wanted = needs.of(edition)
    superfluous = [
        (statement["Sid"], resource)
        for statement in document(ATTENDEE, edition)["Statement"]
        for resource in statement["Resource"]
        if not denied(without(edition, "Resource", statement["Action"][0], resource), wanted)
    ]
    assert superfluous == []


def test_the_policies_that_may_be_attached_are_attached(needs):
    """AWS's four, one by one; the star after each is for its successor, should AWS retire it."""
    asked = needs.lessons | needs.kit["tutorial"]
    attached = {dict(context)["iam:policyarn"] for action, _, context in asked if "AttachRole" in action}
    attach = next(each for each in document(ATTENDEE, "tutorial")["Statement"] if each["Sid"] == "Bounded")
    assert {arn.removesuffix("*") for arn in attach["Condition"]["ArnLikeIfExists"]["iam:PolicyARN"]} == attached
    assert Names(ATTENDEE).lambda_role in str(attach["Resource"])
