"""What still differs from AWS, line by line as in docs/emulator.md: a test that fails here is good news."""

import json
import time

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/tests"


def test_resources_are_there_at_once(function, table, aws):
    """AWS: Pending and CREATING for seconds, and ResourceConflictException for who changes them meanwhile."""
    mine = function("def lambda_handler(event, context): pass")
    configuration = mine.client.get_function_configuration(FunctionName=mine.name)
    assert configuration["State"] == "Active"
    for seconds in (10, 11):
        mine.client.update_function_configuration(FunctionName=mine.name, Timeout=seconds)
    assert aws("dynamodb").describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"


def test_a_role_needs_no_rights(function):
    """AWS: AccessDeniedException; the tests' role has no policy at all."""
    source = "import boto3\ndef lambda_handler(e, c): return boto3.client('sns').list_topics()['Topics'] != 0"
    assert function(source, Timeout=30)() is True


def test_a_trust_policy_is_not_looked_at(aws, zipped):
    """AWS: MalformedPolicyDocument; and Lambda must be trusted."""
    aws("iam").create_role(RoleName="trusting", AssumeRolePolicyDocument="{")
    role = aws("iam").get_role(RoleName="trusting")["Role"]["Arn"]
    code = {"ZipFile": zipped(f="")}
    asked = {"FunctionName": "trusted", "Runtime": "python3.12", "Handler": "f.h", "Code": code}
    assert aws("lambda").create_function(**asked, Role=role)["State"] == "Active"
    aws("lambda").delete_function(FunctionName="trusted")
    aws("iam").delete_role(RoleName="trusting")


def test_a_childs_memory_is_not_counted(function):
    """AWS: all processes of a function share its memory."""
    source = """
import subprocess, sys

def lambda_handler(event, context):
    return subprocess.run([sys.executable, "-c", "bytearray(200 * 1024 * 1024)"]).returncode
"""
    assert function(source, MemorySize=128, Timeout=30)() == 0


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


def test_a_machine_is_deleted_at_once_with_its_executions(machine):
    """AWS: DELETING for a while; its executions can be described for 90 days."""
    mine = machine({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    arn = mine.run()["executionArn"]
    mine.client.delete_state_machine(stateMachineArn=mine.arn)
    with pytest.raises(ClientError) as caught:
        mine.client.describe_execution(executionArn=arn)
    assert caught.value.response["Error"]["Code"] == "ExecutionDoesNotExist"


def test_mail_ignores_filter_policies(aws, topic, mails, browse):
    """AWS: only what matches is mailed."""
    policy = json.dumps({"kind": ["wanted"]})
    asked = {"TopicArn": topic, "Protocol": "email", "Endpoint": "a@example.org"}
    aws("sns").subscribe(**asked, Attributes={"FilterPolicy": policy})
    browse(mails()[0]["link"])
    aws("sns").publish(TopicArn=topic, Message="unwanted")
    assert mails()[-1]["text"].startswith("unwanted")


def test_a_function_is_not_called_by_a_topic(aws, function, topic, tmp_path):
    """AWS: a function that is subscribed to a topic is run by each message."""
    target = tmp_path / "ran"
    mine = function(f"def lambda_handler(e, c): open({str(target)!r}, 'w')")
    aws("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=mine.arn)
    aws("sns").publish(TopicArn=topic, Message="x")
    time.sleep(1)
    assert not target.exists()


def test_code_from_s3_is_not_run(aws, zipped):
    """AWS: it is copied when the function is made."""
    aws("s3").create_bucket(Bucket="code")
    aws("s3").put_object(Bucket="code", Key="f.zip", Body=zipped(f="def h(event, context): pass"))
    asked = {"Runtime": "python3.12", "Role": ROLE, "Handler": "f.h"}
    code = {"S3Bucket": "code", "S3Key": "f.zip"}
    aws("lambda").create_function(FunctionName="from-s3", Code=code, **asked)
    with pytest.raises(ClientError) as caught:
        aws("lambda").invoke(FunctionName="from-s3")
    assert caught.value.response["Error"]["Code"] == "InvalidZipFileException"
    aws("lambda").delete_function(FunctionName="from-s3")


def test_jsonata_is_not_evaluated(machine):
    """AWS: it is."""
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% 1 + 1 %}", "End": True}
    told = machine({"StartAt": "A", "States": {"A": state}}).run()
    assert (told["status"], told["error"]) == ("FAILED", "States.Runtime")


def test_an_express_machine_is_run_as_a_standard_one(machine):
    """AWS: an express machine's executions cannot be described."""
    mine = machine({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}, type="EXPRESS")
    assert mine.run()["status"] == "SUCCEEDED"


def test_a_machine_logs_nothing(machine, aws):
    """AWS: with a logging configuration, events go to that group."""
    aws("logs").create_log_group(logGroupName="machines")
    group = "arn:aws:logs:us-east-1:123456789012:log-group:machines:*"
    destination = {"cloudWatchLogsLogGroup": {"logGroupArn": group}}
    logging = {"level": "ALL", "includeExecutionData": True, "destinations": [destination]}
    mine = machine({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}, loggingConfiguration=logging)
    mine.run()
    assert aws("logs").describe_log_streams(logGroupName="machines")["logStreams"] == []
    aws("logs").delete_log_group(logGroupName="machines")


def test_an_intrinsic_function_that_fails_has_motos_words(machine):
    """AWS: States.IntrinsicFailure."""
    state = {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd('a', 1)"}, "End": True}
    told = machine({"StartAt": "A", "States": {"A": state}}).run()
    assert (told["error"], told["cause"]) == (
        "States.Runtime",
        "TypeError(Expected integer value, but got: 'a'.)",
    )


def test_a_map_without_a_list_has_motos_name(machine):
    """AWS: States.Runtime."""
    processor = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True}
    told = machine({"StartAt": "A", "States": {"A": state}}).run({"items": 5})
    assert told["error"] == "States.QueryEvaluationError"


def test_a_definitions_finer_faults_have_motos_words(machine):
    """AWS: SCHEMA_VALIDATION_FAILED, and where."""
    with pytest.raises(ClientError) as caught:
        machine({"StartAt": "A", "States": {"A": {"Type": "Nope", "End": True}}})
    assert caught.value.response["Error"]["Code"] == "InvalidDefinition"
    assert "SCHEMA_VALIDATION_FAILED" not in caught.value.response["Error"]["Message"]


def test_what_moto_lacks_is_refused(aws):
    """AWS: it is done."""
    with pytest.raises(ClientError) as caught:
        aws("lambda").get_account_settings()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in {404, 501}
