"""The command lines that `calls` writes, pasted into a shell that has AWS's own command line.

That is version 1 of it, which pip can install. Of the lines here only those that invoke a function are
otherwise for version 2: see `V2_ONLY`. It is long: each line starts a program.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from boto3.dynamodb.conditions import Key
from patience import SECONDS

from lottery_course import calls
from lottery_lib import Stack, connect, draw, plan, winners
from lottery_lib.draws import remaining
from lottery_lib.plan import machine_definition
from lottery_lib.waiting import Waiter

pytestmark = pytest.mark.long
BIN = Path(sys.prefix, "awscli", "bin")
# Version 1 takes a function's event for text anyway, and knows no option to say so.
V2_ONLY = "--cli-binary-format raw-in-base64-out "
EMAIL = "ann@example.com"


class Terminal:
    """A shell in a folder of its own, without any AWS settings."""

    def __init__(self, folder):
        assert (BIN / "aws").exists(), "there is no AWS CLI here: run `make test-all`, which installs it"
        self._folder = folder
        self._environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8"}

    def paste(self, text):
        return subprocess.run(
            ["bash", "-c", text],
            env=self._environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def strangers(self, view):
        """Paste line after line, of reads the first of a kind, and return what ends unlike the call did."""
        view.save_files(self._folder)
        reads = view.table["operation"].str.match("Describe|Get|List|Scan|Query")
        pasted = view.table[~reads | ~view.table["operation"].duplicated()]
        assert len(pasted) > 0
        found = []
        for line, result in zip(pasted["command"], pasted["result"], strict=True):
            ended = self.paste(f"{view.settings}\n{line.replace(V2_ONLY, '')}")
            if (ended.returncode == 0) != result.startswith("2"):
                found.append((line, result, ended.stdout, ended.stderr))
        return found


@pytest.fixture
def terminal(tmp_path):
    return Terminal(tmp_path)


@pytest.fixture
def target(new_connection):
    """Each test has a log of its own."""
    return new_connection


def again(target):
    """The same attendee, as one who has asked nothing yet."""
    return connect("embedded", attendee=target.names.attendee)


def test_deploy(target, terminal):
    """The lines of a deploy build a lottery at which a deploy finds nothing to do, and which draws."""
    Stack(target).deploy(EMAIL)
    Stack(again(target)).teardown()
    assert terminal.strangers(calls(target)) == []
    states = {resource.state for resource in Stack(target).deploy(EMAIL)}
    assert states == {"unchanged", "pending confirmation"}
    assert draw(target, 1)["status"] == "SUCCEEDED"


def test_draw(stack, terminal):
    """The lines of a draw draw again, those of its results read them."""
    target = again(stack.target)
    draw(target, 2)
    assert len(winners(target)) == 10 - len(remaining(target)) == 2
    assert terminal.strangers(calls(target)) == []
    Waiter().until("the pasted draw to end", lambda: len(winners(target)) == 4, seconds=30)


def test_teardown(target, terminal):
    """The lines of a teardown leave nothing."""
    Stack(target).deploy()
    second = again(target)
    Stack(second).teardown()
    Stack(target).deploy()
    assert terminal.strangers(calls(second)) == []
    assert Stack(target).left() == []


def test_invoke(stack, terminal):
    """The line that invokes a function prints what the function answers."""
    target = again(stack.target)
    target.client("lambda").invoke(
        FunctionName=target.names.function("InputWinners"), Payload=b'{"input": 2}'
    )
    view = calls(target)
    assert V2_ONLY in view.commands
    assert '"num_of_winners": 2' in terminal.paste(view.commands.replace(V2_ONLY, "")).stdout


def test_what_lessons_do_besides(stack, terminal):
    """The lines of updates, of a message and of items, typed as DynamoDB wants them, work too."""
    target, names = again(stack.target), stack.target.names
    function = plan.function(target, "InputWinners")
    functions, sns, tables = target.client("lambda"), target.client("sns"), target.plain_dynamodb()
    functions.update_function_code(FunctionName=function.name, ZipFile=function.code)
    functions.update_function_configuration(FunctionName=function.name, Timeout=30)
    topic = target.arn("sns", names.topic)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="Lottery")
    sns.publish(TopicArn=topic, Subject="恭喜", Message='It\'s you!\n-- "the lottery" $HOME')
    target.client("stepfunctions").update_state_machine(
        stateMachineArn=target.arn("states", f"stateMachine:{names.machine}"),
        definition=machine_definition(target),
    )
    won = {"TableName": names.winners_table}
    item = {"employee_id": "099", "rounds": 2, "photo": b"\x00", "tags": {"a"}, "none": None}
    tables.put_item(**won, Item=item)
    tables.get_item(**won, Key={"employee_id": "099"}, ConsistentRead=False)
    tables.query(**won, KeyConditionExpression=Key("employee_id").eq("099"))
    tables.delete_item(**won, Key={"employee_id": "099"})
    assert terminal.strangers(calls(target)) == []
