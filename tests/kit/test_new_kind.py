"""A new kind of resource is a class and one line of the plan. Everything that reads the plan then knows it.

The class is in `queue_kind.py`. The types of its client, in `pyproject.toml`, are for mypy alone.
"""

import ast
import inspect

import catalogues
import pytest
from kit import queue_kind
from kit.attendee_user import admin_of, document, limit, make_boundary, target_of, user_with
from kit.calls import Recorder
from kit.queue_kind import Queue

from lottery_course import restore
from lottery_course.lessons import built_in
from lottery_lib import Stack, plan
from lottery_lib.errors import LotteryError
from lottery_lib.names import Names
from lottery_lib.plan import Row

LINE = Row("both", "03", lambda where: Queue(where, where.names.of("Lottery-Answers")), "Create the queue")
ATTENDEE = "quinn"


@pytest.fixture(autouse=True)
def whole(monkeypatch):
    """The lottery has a queue."""
    monkeypatch.setattr(plan, "PLAN", (*plan.PLAN, LINE))


@pytest.fixture
def small(monkeypatch):
    """It has nothing else but its machines and their roles."""
    rows = [row for row in plan.PLAN if row is LINE or row.make in (plan.machine_role, plan.machine)]
    monkeypatch.setattr(plan, "PLAN", tuple(rows))


@pytest.fixture
def queue(target):
    return LINE.make(target)


@pytest.fixture
def deployed(small, target):
    """A lottery that is there."""
    stack = Stack(target)
    stack.deploy()
    return stack


def told(reports):
    """The states of queues."""
    return [each.state for each in reports if each.kind == "queue"]


def send(queue):
    """Put a message into a queue."""
    url = queue.describe()["QueueUrl"]
    queue.target.client("sqs").send_message(QueueUrl=url, MessageBody="yes")


@pytest.mark.usefixtures("small")
def test_a_dry_run_says_that_it_would_be_created(target, queue):
    """A dry run lists the queue, and creates nothing."""
    assert told(Stack(target).plan()) == ["would be created"]
    assert queue.describe_or_none() is None


@pytest.mark.usefixtures("small")
def test_a_deploy_creates_it(target, queue):
    """A deploy creates the queue with our tags."""
    assert told(Stack(target).deploy()) == ["created"]
    assert queue.find().ours


def test_a_second_deploy_writes_nothing(deployed):
    """A deploy makes no write call if the queue is there already."""
    recorder = Recorder(deployed.target)
    assert told(Stack(recorder.target).deploy()) == ["unchanged"]
    assert recorder.writes == []


def test_a_deploy_corrects_it(deployed, queue):
    """If somebody has changed the queue, a dry run says so, and a deploy changes it back."""
    wrong = Queue(deployed.target, queue.name, seconds=60)
    wrong.ensure()
    assert told(deployed.plan()) == ["would be updated"]
    assert told(deployed.deploy()) == ["updated"]
    assert queue.describe()["MessageRetentionPeriod"] == "3600"


def test_the_status_shows_it(deployed):
    """The status of a lottery lists the queue."""
    assert told(deployed.status()) == ["ACTIVE"]


def test_the_inventory_finds_it(deployed):
    """A queue that is still there counts as left."""
    assert told(deployed.left()) == ["ACTIVE"]


def test_a_teardown_removes_it(deployed, queue):
    """A dry run of a teardown lists the queue. A teardown deletes it, and its inventory is empty."""
    assert told(deployed.removal()) == ["would be deleted"]
    inventory = deployed.teardown()
    assert told(inventory.resources) == ["deleted"]
    assert inventory.left == []
    assert queue.describe_or_none() is None


@pytest.mark.usefixtures("small")
def test_a_queue_of_somebody_else_is_refused(target, queue):
    """A queue with our name but without our tags is neither changed nor deleted."""
    target.client("sqs").create_queue(QueueName=queue.name)
    with pytest.raises(LotteryError, match=f"queue {queue.name}: exists, but was not made by this kit"):
        Stack(target).deploy()
    assert told(Stack(target).teardown().left) == ["ACTIVE"]


def test_a_later_lesson_starts_with_it(target, queue):
    """After its lesson, `restore` creates the queue, and `verify` says that it is done."""
    restore(target, "04")
    assert queue.find().ours
    assert [check.done for check in built_in(target, "03") if check.what == f"queue {queue.name}"] == [True]


def test_a_later_lesson_starts_with_an_empty_queue(target, queue):
    """What an attendee left in the queue is gone after `restore`."""
    restore(target, "04")
    send(queue)
    assert queue.has_content()
    restore(target, "04")
    assert not queue.has_content()


def test_its_lesson_starts_without_it(target, queue):
    """Before its lesson, `restore` removes the queue, and `verify` says what to do."""
    queue.ensure()
    restore(target, "03")
    assert queue.describe_or_none() is None
    assert f"○ not yet: queue {queue.name}. Create the queue." in map(str, built_in(target, "03"))


def test_the_attendees_policy_gives_the_rights_that_it_needs(emulator):
    """With the policy, an attendee can deploy, use and remove the queue, and needs each right to it."""
    endpoint, names, asked = emulator["endpoint"], Names(ATTENDEE), []
    make_boundary(endpoint, ATTENDEE)
    whole = document(ATTENDEE, "tutorial")
    target = target_of(endpoint, user_with(endpoint, ATTENDEE, whole), names, asked.extend)
    stack = Stack(target, announce=lambda plan: None)
    stack.deploy()
    name = LINE.make(target).name
    Queue(admin_of(endpoint, names), name, seconds=60).ensure()
    stack.deploy()
    sqs = target.client("sqs")
    (url,) = sqs.list_queues(QueueNamePrefix=name)["QueueUrls"]  # this and the next are a lesson's calls
    sqs.receive_message(QueueUrl=url)
    assert stack.teardown().left == []
    given = {
        (action, arn) for each in whole["Statement"] for action in each["Action"] for arn in each["Resource"]
    }
    assert of_sqs(given) == of_sqs(asked)


def of_sqs(rights):
    """Pairs of action and resource, those of SQS."""
    return {(action, resource) for action, resource, *_ in rights if action.startswith("sqs:")}


def test_the_other_editions_policy_has_no_rights_of_these_lessons():
    """The rights that only the tutorial's lessons need are not in the policy of the hardened edition."""
    (queues,) = [each for each in document(ATTENDEE, "hardened")["Statement"] if each["Sid"] == "Queues"]
    assert queues["Action"] == [f"sqs:{action}" for action in Queue.actions]


def test_the_boundary_lets_roles_use_it():
    """A role may do with the queue what the class says, and nothing more."""
    (queues,) = [each for each in limit(ATTENDEE)["Statement"] if each["Sid"] == "Queues"]
    arn = "arn:aws:sqs:us-east-1:123456789012:Lottery-Answers-quinn"
    assert (queues["Action"], queues["Resource"]) == (["sqs:SendMessage"], [arn])


def test_the_catalogues_get_its_word():
    """The word that people read comes from the class."""
    assert "queue" in catalogues.messages(ast.parse(inspect.getsource(queue_kind)))
