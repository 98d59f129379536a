"""AWS's own command line for SAM deploys what `lottery export` writes, with the commands of its README.

It is long: `sam` sleeps while AWS works, for half a minute when it deletes a stack. The tests build on
each other.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
from patience import SECONDS
from started import SYSTEM_PATH

import sfn_emulator
from lottery_lib.export import export

pytestmark = pytest.mark.long
BIN = Path(sys.prefix, "samcli", "bin")
#: The name of the stack, the region, the parameters Name and Email. Confirm changes, create roles, do not
#: disable rollback, save the answers in the usual file. Then `sam` shows the changes: deploy them.
ANSWERS = ["lottery", "", "", "ann@example.com", "y", "Y", "N", "Y", "", "", "y"]
#: What an account may have, as a service, a call, and the key of its answer.
THINGS = [
    ("cloudwatch", "describe_alarms", "MetricAlarms"),
    ("dynamodb", "list_tables", "TableNames"),
    ("iam", "list_roles", "Roles"),
    ("lambda", "list_functions", "Functions"),
    ("logs", "describe_log_groups", "logGroups"),
    ("sns", "list_subscriptions", "Subscriptions"),
    ("sns", "list_topics", "Topics"),
    ("stepfunctions", "list_state_machines", "stateMachines"),
]


class Account:
    """An empty emulator, and a terminal in the folder of a project. Its AWS settings are the emulator's."""

    def __init__(self, emulator, folder):
        assert (BIN / "sam").exists(), "there is no SAM CLI here: run `make test-all`, which installs it"
        self.project, self._emulator = folder / "project", emulator
        own = {"PATH": f"{BIN}:{SYSTEM_PATH}", "HOME": str(folder), "SAM_CLI_TELEMETRY": "0"}
        self._environment = own | {"LANG": "C.UTF-8"} | emulator.variables
        # Once a week, it looks for a newer version of itself. Nothing of a test goes out.
        (folder / ".aws-sam").mkdir()
        (folder / ".aws-sam" / "metadata.json").write_text(json.dumps({"lastVersionCheck": time.time()}))

    def run(self, command, answers=""):
        """Type a command and answers to its questions."""
        return subprocess.run(
            ["sh", "-c", command],
            env=self._environment,
            cwd=self.project,
            input=answers,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def told(self, command, answers=""):
        """What a command prints that does its job."""
        ended = self.run(command, answers)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def client(self, service):
        return boto3.client(service, **self._emulator.client_arguments)

    def things(self):
        """Everything that is in the account, except what `sam` keeps for its next project: a bucket."""
        return [each for service, call, key in THINGS for each in getattr(self.client(service), call)()[key]]


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    with sfn_emulator.running() as emulator:
        account = Account(emulator, tmp_path_factory.mktemp("sam"))
        export(account.project)
        yield account


@pytest.mark.parametrize("edition", ["tutorial", "jsonata", "hardened"])
def test_a_project_is_valid(account, edition):
    """`sam validate --lint` finds nothing."""
    folder = account.project.parent / edition
    export(folder, edition)
    told = account.told(f"cd {folder} && sam validate --lint")
    assert told == f"{folder}/template.yaml is a valid SAM Template\n"


def test_a_project_is_built(account):
    """No function has packages, so `sam build` copies it, and needs no Python of the template's version."""
    assert "Build Succeeded" in account.told("sam build")
    source = account.project / "functions" / "input_winners" / "lambda_function.py"
    built = account.project / ".aws-sam" / "build" / "InputWinners" / "lambda_function.py"
    assert built.read_bytes() == source.read_bytes()


def test_a_project_is_deployed(account):
    """`sam deploy --guided` asks, makes the stack, and remembers the answers."""
    told = account.told("sam deploy --guided", "\n".join(ANSWERS) + "\n")
    assert "Successfully created/updated stack - lottery in us-east-1" in told
    assert 'stack_name = "lottery"' in (account.project / "samconfig.toml").read_text()
    (mail,) = account.client("sns").list_subscriptions()["Subscriptions"]
    assert (mail["Endpoint"], mail["SubscriptionArn"]) == ("ann@example.com", "PendingConfirmation")


def test_a_stack_is_listed(account):
    """Its resources by their names in the template, and its outputs."""
    rows = json.loads(account.told("sam list resources --stack-name lottery --output json"))
    there = {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in rows}
    assert there["InputWinners"] == "Lottery-InputWinners"
    assert there["LotteryLog"] == "/aws/vendedlogs/states/Lottery"
    rows = json.loads(account.told("sam list stack-outputs --stack-name lottery --output json"))
    assert {row["OutputKey"]: row["OutputValue"] for row in rows}["Lottery"] == there["Lottery"]


def test_a_draw(account):
    """`sam remote invoke` waits for the end of the draw, and prints its status and its output."""
    employees = json.loads((account.project / "data" / "request-items.json").read_text())
    account.client("dynamodb").batch_write_item(RequestItems=employees)
    command = "sam remote invoke Lottery --stack-name lottery --event-file events/draw.json --output json"
    drawn = json.loads(account.told(command))
    assert drawn["status"] == "SUCCEEDED"
    won = json.loads(drawn["output"])[1]["body"]["winners"]
    items = account.client("dynamodb").scan(TableName="Lottery-Winners")["Items"]
    assert {each["employee_id"] for each in won} == {item["employee_id"]["S"] for item in items}
    assert len(won) == 2


def test_a_failed_draw_is_no_failed_command(account):
    """`sam remote invoke` ends well, but the status is another one. The log has the reason."""
    command = "sam remote invoke Lottery --stack-name lottery --event '{\"input\": 0}' --output json"
    assert json.loads(account.told(command))["status"] == "FAILED"
    assert "ExecutionFailed" in account.told("sam logs --cw-log-group /aws/vendedlogs/states/Lottery")


def test_a_change_is_deployed(account):
    """Only what is changed. A second time, there is nothing to do, and `sam deploy` says so and fails."""
    template = account.project / "template.yaml"
    template.write_text(template.read_text().replace("MemorySize: 256", "MemorySize: 512"))
    account.told("sam build")
    told = account.told("sam deploy", "y\n")
    assert (told.count("* Modify "), told.count("+ Add ")) == (4, 0)
    functions = account.client("lambda").list_functions()["Functions"]
    assert {each["MemorySize"] for each in functions} == {512}
    ended = account.run("sam deploy")
    assert ended.returncode == 1
    assert ended.stderr.endswith("\nError: No changes to deploy. Stack lottery is up to date\n")


def test_a_stack_is_deleted(account):
    """With everything in it. A bucket stays, which `sam` made for its packages, in a stack of its own."""
    assert account.things() != []
    assert account.told("sam delete --stack-name lottery --no-prompts").endswith("Deleted successfully\n")
    assert account.things() == []
    stacks = account.client("cloudformation").describe_stacks()["Stacks"]
    assert [stack["StackName"] for stack in stacks] == ["aws-sam-cli-managed-default"]
