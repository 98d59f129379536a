"""Only services whose answers are true are offered: moto invents those of the others."""

import http.client

import pytest
from helpers import ROLE, one, refused, signed, wait_until
from patience import SECONDS


def appconfig(client, _):
    made = client.create_application(Name="kept")
    return client.get_application(ApplicationId=made["Id"])["Name"]


def ecr(client, _):
    client.create_repository(repositoryName="kept")
    return client.describe_repositories()["repositories"][0]["repositoryName"]


def firehose(client, aws):
    aws("s3").create_bucket(Bucket="kept-by-firehose")
    bucket = {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::kept-by-firehose"}
    client.create_delivery_stream(DeliveryStreamName="s", S3DestinationConfiguration=bucket)
    client.put_record(DeliveryStreamName="s", Record={"Data": b"kept"})
    (listed,) = aws("s3").list_objects_v2(Bucket="kept-by-firehose")["Contents"]
    return aws("s3").get_object(Bucket="kept-by-firehose", Key=listed["Key"])["Body"].read().decode()


def kinesis(client, _):
    client.create_stream(StreamName="s", ShardCount=1)
    put = client.put_record(StreamName="s", Data=b"kept", PartitionKey="k")
    of_shard = {"ShardId": put["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    iterator = client.get_shard_iterator(StreamName="s", **of_shard)["ShardIterator"]
    return client.get_records(ShardIterator=iterator)["Records"][0]["Data"].decode()


def kms(client, _):
    key = client.create_key()["KeyMetadata"]["KeyId"]
    secret = client.encrypt(KeyId=key, Plaintext=b"kept")["CiphertextBlob"]
    return client.decrypt(CiphertextBlob=secret)["Plaintext"].decode()


def resourcegroupstaggingapi(client, aws):
    aws("sqs").create_queue(QueueName="tagged", tags={"a": "kept"})
    return client.get_tag_values(Key="a")["TagValues"][0]


def route53(client, _):
    zone = client.create_hosted_zone(Name="kept", CallerReference="r")["HostedZone"]["Id"]
    return client.get_hosted_zone(Id=zone)["HostedZone"]["Name"].strip(".")


def scheduler(client, _):
    target = {"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": ROLE}
    when = {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}}
    client.create_schedule(Name="kept", Target=target, **when)
    return client.get_schedule(Name="kept")["Name"]


def secretsmanager(client, _):
    client.create_secret(Name="s", SecretString="kept")
    return client.get_secret_value(SecretId="s")["SecretString"]


def sqs(client, _):
    url = client.create_queue(QueueName="q")["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="kept")
    return client.receive_message(QueueUrl=url)["Messages"][0]["Body"]


def ssm(client, _):
    client.put_parameter(Name="p", Value="kept", Type="SecureString")
    return client.get_parameter(Name="p", WithDecryption=True)["Parameter"]["Value"]


def swf(client, _):
    client.register_domain(name="kept", workflowExecutionRetentionPeriodInDays="1")
    return client.describe_domain(name="kept")["domainInfo"]["name"]


STORES = (
    appconfig, ecr, firehose, kinesis, kms, resourcegroupstaggingapi, route53, scheduler, secretsmanager,
    sqs, ssm, swf,
)  # fmt: skip


@pytest.mark.parametrize("store", STORES)
def test_moto_gives_back_what_it_is_given(apart, store):
    """So these services are offered."""
    assert store(apart(store.__name__), apart) == "kept"


TEXT = {"Text": "I like it", "LanguageCode": "en"}
IMAGE = {"S3Object": {"Bucket": "bucket", "Name": "n"}}


@pytest.mark.parametrize(
    ("service", "operation", "given"),
    [
        ("athena", "start_query_execution", {"QueryString": "SELECT 1"}),
        ("bedrock-runtime", "invoke_model", {"modelId": "m", "body": b"{}"}),
        ("comprehend", "detect_sentiment", TEXT),
        ("forecast", "list_dataset_groups", {}),
        ("personalize", "list_schemas", {}),
        ("polly", "synthesize_speech", {"Text": "a", "OutputFormat": "mp3", "VoiceId": "Joanna"}),
        (
            "rds-data",
            "execute_statement",
            {"resourceArn": "r" * 20, "secretArn": "s" * 20, "sql": "SELECT 1"},
        ),
        ("rekognition", "detect_labels", {"Image": IMAGE}),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"{}"}),
        ("textract", "detect_document_text", {"Document": IMAGE}),
        ("transcribe", "list_transcription_jobs", {}),
        (
            "translate",
            "translate_text",
            {"Text": "a", "SourceLanguageCode": "en", "TargetLanguageCode": "de"},
        ),
        (
            "ssm",
            "send_command",
            {"DocumentName": "AWS-RunShellScript", "InstanceIds": ["i-0123456789abcdef0"]},
        ),
        ("secretsmanager", "rotate_secret", {"SecretId": "s"}),
        ("events", "create_partner_event_source", {"Name": "n", "Account": "123456789012"}),
        (
            "events",
            "put_partner_events",
            {"Entries": [{"Source": "s", "DetailType": "t", "Detail": "{}"}]},
        ),
    ],
)
def test_what_moto_would_invent_is_unknown(aws, service, operation, given):
    """The answer is that to an operation that does not exist."""
    code, message = refused(getattr(aws(service), operation), **given)
    assert code == "UnknownOperationException"
    assert "does not have the operation" in message


@pytest.mark.parametrize("service", ["ec2", "rds", "elasticloadbalancing", "nobody"])
def test_an_unknown_service_with_forms_has_no_action(emulator, service):
    """So it is with servers that nobody starts."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | signed(
        emulator["access_key_id"], service
    )
    connection = http.client.HTTPConnection("127.0.0.1", emulator["port"], timeout=SECONDS)
    connection.request("POST", "/", b"Action=RunInstances&Version=2016-11-15", headers)
    reply = connection.getresponse()
    assert (reply.status, b"<Code>InvalidAction</Code>" in reply.read()) == (400, True)
    connection.close()


def test_a_task_gets_no_invented_answer(machine, role):
    """An integration with the SDK says that the emulator does not have it."""
    mine = role({"Action": "comprehend:*", "Resource": "*"})
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:comprehend:detectSentiment",
        "Parameters": TEXT,
    }
    told = machine(one(task), roleArn=mine.arn).run()
    assert (told["status"], told["error"]) == ("FAILED", "States.Runtime")
    assert "The emulator has no integration 'aws-sdk:comprehend:detectSentiment'" in told["cause"]


def test_an_asynchronous_call_of_the_old_kind_runs_the_function(function, aws):
    """With moto alone, InvokeAsync would run nothing."""
    it = function("def lambda_handler(event, context): print('got', event['a'])")
    aws("logs").create_log_group(logGroupName=f"/aws/lambda/{it.name}")
    it.client.invoke_async(FunctionName=it.name, InvokeArgs=b'{"a": "one"}')

    def logged():
        found = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{it.name}", filterPattern="got")
        return [event["message"] for event in found["events"]]

    wait_until(lambda: logged() == ["got one\n"])
