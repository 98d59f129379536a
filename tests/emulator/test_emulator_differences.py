"""What still differs from AWS, line by line as in docs/emulator.md: a test that fails here is good news."""

import json
import time

import pytest
from botocore.exceptions import ClientError


def test_resources_are_there_at_once(function, table, aws):
    """AWS: Pending and CREATING for seconds."""
    mine = function("def lambda_handler(event, context): pass")
    configuration = mine.client.get_function_configuration(FunctionName=mine.name)
    assert configuration["State"] == "Active"
    assert aws("dynamodb").describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"


def test_a_role_needs_no_rights(function):
    """AWS: AccessDeniedException; the tests' role has no policy at all."""
    source = "import boto3\ndef lambda_handler(e, c): return boto3.client('sns').list_topics()['Topics'] != 0"
    assert function(source, Timeout=30)() is True


def test_memory_is_not_limited(function):
    """AWS: the process is killed."""
    source = "def lambda_handler(event, context): return len(bytearray(200 * 1024 * 1024))"
    assert function(source, MemorySize=128, Timeout=30)() == 200 * 1024 * 1024


def test_the_runtime_is_the_kits_own_python(function):
    """AWS: the version that the runtime's name says."""
    source = "import sys\ndef lambda_handler(event, context): return list(sys.version_info[:2])"
    assert function(source, Runtime="python3.12")() == function(source, Runtime="python3.13")()


def test_an_event_that_failed_is_not_tried_again(function, tmp_path):
    """AWS: twice more, after one and two minutes."""
    target = tmp_path / "tries"
    mine = function(
        f"def lambda_handler(e, c):\n    open({str(target)!r}, 'a').write('x')\n    raise ValueError"
    )
    mine.raw(InvocationType="Event")
    deadline = time.monotonic() + 10
    while not target.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.5)
    assert target.read_text() == "x"


def test_a_missing_choice_variable_goes_to_the_default(machine):
    """AWS: States.Runtime, also where there is a Default."""
    rule = {"Variable": "$.status", "NumericEquals": 0, "Next": "B"}
    states = {
        "A": {"Type": "Choice", "Choices": [rule], "Default": "B"},
        "B": {"Type": "Succeed"},
    }
    assert machine({"StartAt": "A", "States": states}).run()["status"] == "SUCCEEDED"


def test_a_task_whose_function_is_gone_has_no_good_name(machine):
    """AWS: Lambda.ResourceNotFoundException."""
    arn = "arn:aws:lambda:us-east-1:123456789012:function:nobody"
    told = machine({"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": arn, "End": True}}}).run()
    assert told["error"] == "Exception"
    assert told["cause"] == f"Function not found: {arn}"


def test_a_machine_is_deleted_at_once_with_its_executions(machine):
    """AWS: DELETING for a while; its executions can be described for 90 days."""
    mine = machine({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    arn = mine.run()["executionArn"]
    mine.client.delete_state_machine(stateMachineArn=mine.arn)
    with pytest.raises(ClientError) as caught:
        mine.client.describe_execution(executionArn=arn)
    assert caught.value.response["Error"]["Code"] == "ExecutionDoesNotExist"


def test_an_sns_resource_of_another_partition_works(machine, topic):
    """AWS: the machine fails."""
    state = {
        "Type": "Task",
        "Resource": "arn:aws-cn:states:::sns:publish",
        "Parameters": {"TopicArn": topic, "Message": "x"},
        "End": True,
    }
    assert machine({"StartAt": "A", "States": {"A": state}}).run()["status"] == "SUCCEEDED"


def test_mail_ignores_filter_policies(aws, topic, mails, browse):
    """AWS: only what matches is mailed."""
    policy = json.dumps({"kind": ["wanted"]})
    asked = {"TopicArn": topic, "Protocol": "email", "Endpoint": "a@example.org"}
    aws("sns").subscribe(**asked, Attributes={"FilterPolicy": policy})
    browse(mails()[0]["link"])
    aws("sns").publish(TopicArn=topic, Message="unwanted")
    assert mails()[-1]["text"].startswith("unwanted")
