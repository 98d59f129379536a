"""A target knows what its clients have been asked, and in which cell."""

from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from botocore.exceptions import EndpointConnectionError
from calls import LostReply
from helpers import client_of, source_of
from nbclient import NotebookClient
from patience import SECONDS

from lottery_course import calls
from lottery_course.call_log import CallLog, log_of
from lottery_lib.aws_errors import ClientError
from lottery_lib.names import Names
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.resources.sns_topic import Topic


@pytest.fixture
def target(new_connection):
    """Each test has a log of its own."""
    return new_connection


def operations(target):
    return [call.model.name for call in log_of(target).calls()]


def test_call(target):
    """A call is recorded with its parameters, its result and its time."""
    target.client("sns").create_topic(Name="call-log", Tags=[])
    (call,) = log_of(target).calls()
    assert (call.service, call.model.name) == ("sns", "CreateTopic")
    assert (call.parameters, call.result) == ({"Name": "call-log", "Tags": []}, "200 call-log")
    assert call.milliseconds > 0
    assert call.cell is None


def test_refused_call(target):
    """A call that AWS refuses is recorded with AWS's code."""
    with pytest.raises(ClientError):
        target.client("lambda").get_function(FunctionName="nobody")
    assert log_of(target).calls()[0].result == "404 ResourceNotFoundException"


def test_unanswered_call():
    """A call that nobody answers is recorded by the exception's name."""
    nobody = {"AccessKeyId": "nobody", "SecretAccessKey": "nothing"}
    log, client = CallLog(), client_of("http://127.0.0.1:9", "sns", key=nobody)
    log.attach(client)
    with pytest.raises(EndpointConnectionError):
        client.list_topics()
    assert [call.result for call in log.calls()] == ["EndpointConnectionError"]


def test_repeated_call(target):
    """A call that botocore had to send again says how often."""
    LostReply(target, "CreateRole")
    with pytest.raises(ClientError):
        target.client("iam").create_role(RoleName=target.names.lambda_role, AssumeRolePolicyDocument="{}")
    assert log_of(target).calls()[0].result == "409 EntityAlreadyExists (2 attempts)"


def test_table_in_wire_form(target):
    """What boto3's table sends is recorded in DynamoDB's own form, as the command line wants it."""
    Table(target, target.names.winners_table).ensure()
    item = {"employee_id": "001", "rounds": 2}
    target.plain_dynamodb().put_item(TableName=target.names.winners_table, Item=item)
    call = log_of(target).calls()[-1]
    assert call.parameters["Item"] == {"employee_id": {"S": "001"}, "rounds": {"N": "2"}}


def test_tokens_are_not_the_callers(target):
    """The token that botocore adds is not recorded: pasted twice, a line must act twice."""
    with pytest.raises(ClientError):
        target.client("dynamodb").transact_write_items(
            TransactItems=[{"Delete": {"TableName": "nobody", "Key": {"id": {"S": "1"}}}}]
        )
    assert list(log_of(target).calls()[0].parameters) == ["TransactItems"]


def test_payload_can_still_be_read(emulator, function):
    """Listening does not consume the answer of a function."""

    def echo(event, context):
        return event

    name = function(source_of(echo)).name
    log, client = CallLog(), client_of(emulator["endpoint"], "lambda")
    log.attach(client)
    assert client.invoke(FunctionName=name, Payload=b"2")["Payload"].read() == b"2"
    assert [call.result for call in log.calls()] == ["200"]


def test_named_shares_the_log(target):
    """The same AWS under other names has the same log."""
    Topic(target.named(Names("other")), "nobody").find()
    assert operations(target) == ["GetCallerIdentity", "GetTopicAttributes"]


def test_only_the_targets_own_clients(target):
    """A client that the session makes for itself, as it does to get credentials, is not listened to."""
    target.session.client("sts", endpoint_url=target.endpoint).get_caller_identity()
    assert operations(target) == []


def test_threads(target):
    """Calls from many threads are each recorded once, while the log is read."""
    logs = target.client("logs")

    def call(number):
        logs.describe_log_groups(logGroupNamePrefix=str(number))
        return len(calls(target).table)

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(call, range(80))) == 80
    prefixes = [call.parameters["logGroupNamePrefix"] for call in log_of(target).calls()]
    assert sorted(prefixes, key=int) == [str(number) for number in range(80)]


START = (
    "from lottery_course import calls\nfrom lottery_lib import connect\ntarget = connect()\ntarget.account;"
)
OPERATIONS = "list(calls(target).table['operation'])"


CELLS = {
    "first": START,
    "second": "target.client('iam').list_roles();",
    "above": "calls(target)",
    "by number": OPERATIONS.replace(")", ", cell=1)", 1),
    "task": "import asyncio\ngo = asyncio.Event()\n"
    "async def later():\n"
    "    target.client('iam').list_roles()\n"
    "    await go.wait()\n"
    "    await asyncio.to_thread(target.client('sns').list_topics)\n"
    "task = asyncio.create_task(later())\n"
    "await asyncio.sleep(0)",
    "task goes on": "go.set()\nawait task;",
    "of the task": OPERATIONS,
    "thread": "import threading\ngo = threading.Event()\n"
    "def later():\n    go.wait(30)\n    target.client('sns').list_topics()\n"
    "late = threading.Thread(target=later)\nlate.start()",
    "thread goes on": "target.client('lambda').list_functions()\ngo.set()\nlate.join()",
    "of the thread": OPERATIONS,
    "without a number": "target.client('iam').list_roles();",
    "above without a number": "calls(target)",
}


@pytest.fixture(scope="module")
def shown():
    """What each of these cells shows in a notebook."""
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, CELLS.values())])
    client = NotebookClient(notebook, kernel_name="python3", timeout=SECONDS)
    with client.setup_kernel():
        for number, (name, cell) in enumerate(zip(CELLS, notebook.cells, strict=True)):
            client.execute_cell(cell, number, store_history="without" not in name)
    return {
        name: cell.outputs[0].data if cell.outputs else {}
        for name, cell in zip(CELLS, notebook.cells, strict=True)
    }


def shows_the_cell_above(shown):
    return (
        shown["text/plain"].splitlines()[1].split()[:2] == ["iam", "ListRoles"]
        and "<pre" in shown["text/html"]
        and "get-caller-identity" not in shown["text/plain"]
    )


def test_cell_above(shown):
    """In a notebook the calls of the cell above are shown, as a table and as lines."""
    assert shows_the_cell_above(shown["above"])


def test_cell_above_without_history(shown):
    """As nbval runs cells, they have no numbers."""
    assert shows_the_cell_above(shown["above without a number"])


def test_cell_by_number(shown):
    """In a notebook the calls of any cell can be shown by its number."""
    assert shown["by number"]["text/plain"] == "['GetCallerIdentity']"


def test_task_of_a_cell(shown):
    """What a task calls is its cell's, also when another cell has been started since."""
    assert shown["of the task"]["text/plain"] == "['ListRoles', 'ListTopics']"


def test_thread_of_a_cell(shown):
    """What a plain thread calls is the cell's that runs then."""
    assert shown["of the thread"]["text/plain"] == "['ListFunctions', 'ListTopics']"
