"""Run state machines that strangers wrote. Only ARNs and the places that their templates fill are replaced.

WORKFLOWS and PATTERNS are checkouts of github.com/aws-samples/step-functions-workflows-collection and
github.com/aws-samples/serverless-patterns. The functions here stand in for theirs.
"""

import argparse
import io
import json
import re
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import boto3

import sfn_emulator

_SECONDS: Final = 60.0
_SERVICES: Final = ("lambda.amazonaws.com", "states.amazonaws.com")
_FUNCTIONS: Final = {
    "callback": """
import boto3, json
def run(event, context):
    answer = json.dumps(event["Message"])
    boto3.client("stepfunctions").send_task_success(taskToken=event["TaskToken"], output=answer)
""",
    "agent": "def run(event, context): return {**event, 'result': 'found', 'confidence_score': 0.9}",
    "evaluation": "def run(event, context): return {**event, 'threshold_met': True}",
    "synthesis": "def run(event, context): return {'synthesized_result': event['original_query']}",
    "combine": """
def run(event, context):
    arns = [each["FunctionArn"] for each in event["ListFunctions_output"]["Functions"]]
    return {"Function_ARN_List_existing": {"lambda_arn_list_combined": [{"ARN": arn} for arn in arns]}}
""",
}


class Account:
    """What the machines need: a role that may do everything, functions, topics, a table and a bucket.

    Args:
        emulator: Where it is.
    """

    def __init__(self, emulator: sfn_emulator.Emulator) -> None:
        self._emulator = emulator
        self.states = self.client("stepfunctions")
        trust = {"Effect": "Allow", "Principal": {"Service": _SERVICES}, "Action": "sts:AssumeRole"}
        rights = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        documents = [json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (trust, rights)]
        iam = self.client("iam")
        self._role = iam.create_role(RoleName="all", AssumeRolePolicyDocument=documents[0])["Role"]["Arn"]
        iam.put_role_policy(RoleName="all", PolicyName="all", PolicyDocument=documents[1])

    def client(self, service: str) -> Any:
        """A client of a service."""
        return boto3.client(service, **self._emulator.client_arguments)

    def function(self, name: str) -> str:
        """Make a function; its ARN."""
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("code.py", _FUNCTIONS[name])
        functions, settings = self.client("lambda"), {"Runtime": "python3.13", "Handler": "code.run"}
        zipped = {"ZipFile": code.getvalue()}
        functions.create_function(FunctionName=name, Code=zipped, Role=self._role, **settings)
        functions.get_waiter("function_active_v2").wait(FunctionName=name)
        return str(functions.get_function_configuration(FunctionName=name)["FunctionArn"])

    def topic(self, name: str) -> str:
        """Make a topic with a confirmed subscriber; its ARN."""
        topics, subscriber = self.client("sns"), f"{name.lower()}@example.com"
        arn = str(topics.create_topic(Name=name)["TopicArn"])
        topics.subscribe(TopicArn=arn, Protocol="email", Endpoint=subscriber)
        (mail,) = (each for each in self._mails("confirmation") if each["to"] == subscriber)
        urllib.request.urlopen(mail["link"], timeout=_SECONDS).close()
        return arn

    def notifications(self, count: int) -> list[Any]:
        """The mails of topics, as soon as there are so many."""
        return list(_soon(lambda: len(mails := self._mails("notification")) == count and mails))

    def machine(self, path: Path, values: Mapping[str, str]) -> str:
        """Make a machine of a file; its ARN.

        Args:
            path: A stranger's definition.
            values: For each place in it that a template fills, what stands there. Others keep their names.
        """
        text = re.sub(r"\$\{(\w+)\}", lambda place: values.get(place[1], place[1]), path.read_text())
        text = re.sub(r"arn:aws:sns:[\w-]+:\d+:", "arn:aws:sns:us-east-1:123456789012:", text)
        name = f"{path.parts[-3]}-{path.name.partition('.')[0]}"
        create = self.states.create_state_machine
        return str(create(name=name, definition=text, roleArn=self._role)["stateMachineArn"])

    def start(self, machine: str, given: object) -> str:
        """Start an execution; its ARN."""
        started = self.states.start_execution(stateMachineArn=machine, input=json.dumps(given))
        return str(started["executionArn"])

    def output(self, execution: str) -> Any:
        """The output of an execution, which must succeed."""
        told = _soon(lambda: self._ended(execution))
        if told["status"] != "SUCCEEDED":
            raise AssertionError(f"{told['status']}: {told.get('error')}: {told.get('cause')}")
        return json.loads(told["output"])

    def _ended(self, execution: str) -> Any:
        told = self.states.describe_execution(executionArn=execution)
        return told["status"] != "RUNNING" and told

    def _mails(self, kind: str) -> list[Any]:
        key = f"Credential={self._emulator.access_key_id}/20200101/us-east-1/sns/aws4_request"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 {key}, SignedHeaders=host, Signature=any"}
        request = urllib.request.Request(f"{self._emulator.endpoint}/_emulator/mail", headers=headers)
        with urllib.request.urlopen(request, timeout=_SECONDS) as reply:
            return [mail for mail in json.load(reply) if mail["type"] == kind]


def approvals(account: Account, workflows: Path, _: Path) -> object:
    """A Parallel asks three people by SNS, each with a token."""
    for number in (1, 2, 3):
        account.topic(f"Approver{number}")
    machine = account.machine(workflows / "parallel-human-approval/statemachine/StateMachine.asl.json", {})
    execution = account.start(machine, {"amount": 5})
    for mail in account.notifications(3):
        (text,) = re.findall(r"^{.*}$", mail["text"], re.MULTILINE)
        account.states.send_task_success(taskToken=json.loads(text)["token"], output='"yes"')
    return account.output(execution) == ["yes", "yes", "yes"]


def nested(account: Account, workflows: Path, _: Path) -> object:
    """One machine starts another in three ways: it goes on, it waits for the end, it waits for a token."""
    folder = workflows / "workflow-within-a-workflow/statemachines"
    function = {"NestingPatternCallbackLambdaFunction": account.function("callback")}
    inner = account.machine(folder / "nested-state-machine.asl.json", function)
    values = {"NestingPatternAnotherStateMachineArn": inner}
    outer = account.machine(folder / "main-state-machine.asl.json", values)
    finished, message = account.output(account.start(outer, {}))
    return finished.startswith("The whole execution") and message.startswith("Callback right after")


def agents(account: Account, workflows: Path, _: Path) -> object:
    """A Map asks four agents. The first answer reaches the outer machine by a token, and stops the Map."""
    folder = workflows / "parallel-agent-early-stopping/statemachine"
    names = {"WorkerAgentFunction": "agent", "EvaluationFunction": "evaluation"}
    functions = {place: account.function(name) for place, name in names.items()}
    values = {"WorkerStateMachine": account.machine(folder / "worker.asl.json", functions)}
    values["SynthesisFunction"] = account.function("synthesis")
    execution = account.start(account.machine(folder / "main.asl.json", values), {"query": "What is new?"})
    found = account.output(execution)
    return found["synthesized_result"] == "What is new?" and found["result"] == "found"


def rows(account: Account, workflows: Path, _: Path) -> object:
    """A Distributed Map reads a file of CSV from S3, and starts a machine for each row."""
    folder = workflows / "distributed-map-csv-iterator/sam"
    content = (folder / "metrics.csv").read_text()
    files, table = account.client("s3"), account.client("dynamodb")
    files.create_bucket(Bucket="metrics")
    files.put_object(Bucket="metrics", Key="metrics.csv", Body=content.encode())
    keys = [{"AttributeName": "id", "KeyType": "HASH"}]
    types = [{"AttributeName": "id", "AttributeType": "S"}]
    settings = {"KeySchema": keys, "AttributeDefinitions": types, "BillingMode": "PAY_PER_REQUEST"}
    table.create_table(TableName="videos", **settings)
    inner = account.machine(folder / "child-statemachine.asl.json", {"MetadataTable": "videos"})
    values = {"ChildStateMachine": inner, "CSVBucket": "metrics"}
    account.output(account.start(account.machine(folder / "statemachine.asl.json", values), {}))
    expected = len({line.partition(",")[0] for line in content.splitlines()[1:]})
    return _soon(lambda: table.scan(TableName="videos", Select="COUNT")["Count"] == expected)


def functions(account: Account, _: Path, patterns: Path) -> object:
    """In JSONata: an inline Map looks at each function with Lambda's own API, and SNS tells the result."""
    folder = patterns / "eventbridge-stepfunction-lambda-getfunctionstatus/statemachine"
    values = {"LambdaFunctionArn": account.function("combine"), "TopicARN": account.topic("status")}
    given = {"NextMarker": "", "Function_ARN_List_existing": {"lambda_arn_list_combined": []}}
    account.output(account.start(account.machine(folder / "definition.asl.json", values), given))
    return "No Inactive Functions" in account.notifications(1)[0]["text"]


def main() -> int:
    """Run each machine in an emulator of its own; 1 if one does not do what its author says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workflows", type=Path, metavar="WORKFLOWS")
    parser.add_argument("patterns", type=Path, metavar="PATTERNS")
    given, wrong = parser.parse_args(), 0
    for run in (approvals, nested, agents, rows, functions):
        with sfn_emulator.running() as emulator:
            try:
                is_right = bool(run(Account(emulator), given.workflows, given.patterns))
            except Exception as error:
                print(f"{run.__name__}: {error!r}")
                is_right = False
        print(f"{'right' if is_right else 'WRONG'}  {run.__name__}: {run.__doc__}")
        wrong += not is_right
    return 1 if wrong else 0


def _soon(ask: Callable[[], Any]) -> Any:
    """The answer, as soon as there is one."""
    until = time.monotonic() + _SECONDS
    while not (answer := ask()):
        if time.monotonic() > until:
            raise TimeoutError("it takes too long")
        time.sleep(0.05)
    return answer


if __name__ == "__main__":
    sys.exit(main())
