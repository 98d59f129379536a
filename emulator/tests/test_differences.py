"""What differs from AWS, line by line as in docs/differences.md. A test that fails here is good news."""

import json
import socket
import sys
import uuid

import pytest
from botocore.exceptions import ClientError
from helpers import client_of, flow, lists_topics, one, policy, refused, trust, wait_until

from sfn_emulator.cloudformation.template import transformed
from sfn_emulator.http.messages import RefusalError

ROLE = "arn:aws:iam::123456789012:role/tests"


def test_resources_are_ready_at_the_next_call(function, table, aws):
    """AWS: Pending and CREATING for seconds, and ResourceConflictException for who changes them meanwhile."""
    mine = function("def lambda_handler(event, context): pass")
    configuration = mine.client.get_function_configuration(FunctionName=mine.name)
    assert configuration["State"] == "Active"
    for seconds in (10, 11):
        mine.client.update_function_configuration(FunctionName=mine.name, Timeout=seconds)
    assert aws("dynamodb").describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"


def test_an_index_has_each_change_at_once(table, aws):
    """AWS: an index is CREATING for minutes, and then follows its table a moment later."""
    dynamodb, number = aws("dynamodb"), [{"AttributeName": "n", "AttributeType": "N"}]
    index = {"IndexName": "by-n", "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}]}
    create = {"Create": index | {"Projection": {"ProjectionType": "ALL"}}}
    dynamodb.update_table(TableName=table, AttributeDefinitions=number, GlobalSecondaryIndexUpdates=[create])
    for value in "12":
        dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}, "n": {"N": value}})
        found = dynamodb.scan(TableName=table, IndexName="by-n")["Items"]
        assert [item["n"]["N"] for item in found] == [value]


EVERYBODY = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
ALL = {"Action": "*", "Resource": "*"}


def test_a_broken_trust_policy_is_taken(aws):
    """AWS: MalformedPolicyDocument; here nobody can assume such a role."""
    aws("iam").create_role(RoleName="trusting", AssumeRolePolicyDocument="{")
    aws("iam").delete_role(RoleName="trusting")


def test_a_trust_policy_counts_when_a_role_is_given(function, role):
    """AWS: also whenever Lambda or Step Functions begins a session of it."""
    mine = role(ALL)
    it = function(lists_topics, Role=mine.arn, Timeout=30)
    document = json.dumps(trust("ec2"))
    mine.iam.update_assume_role_policy(RoleName=mine.name, PolicyDocument=document)
    assert isinstance(it(), list)


def test_the_trust_of_a_role_is_never_enough(role, user):
    """AWS: a role of the same account that trusts a user by its ARN needs no policy of the user."""
    ann = user()
    arn = ann("sts").get_caller_identity()["Arn"]
    mine = role(trusted=policy({"Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}))
    with pytest.raises(ClientError, match="no identity-based policy allows the sts:AssumeRole action"):
        ann("sts").assume_role(RoleArn=mine.arn, RoleSessionName="ann")


def test_the_policies_of_functions_and_topics_are_not_looked_at(function, role, user, topic, aws):
    """AWS: within an account, what they allow is allowed."""
    it, ann = function(lists_topics), user()
    granted = {"Action": "lambda:InvokeFunction", "Principal": "123456789012"}
    it.client.add_permission(FunctionName=it.name, StatementId="s", **granted)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [EVERYBODY | {"Resource": topic}]})
    aws("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    for call, parameters in (
        (ann("lambda").invoke, {"FunctionName": it.name}),
        (ann("sns").publish, {"TopicArn": topic, "Message": "m"}),
    ):
        assert refused(call, **parameters).status == 403


DYNAMODB_ONLY = "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"


def test_session_policies_are_not_looked_at(role, aws, emulator):
    """AWS: nothing beyond them is allowed."""
    session = {"RoleArn": role(ALL).arn, "RoleSessionName": "me", "PolicyArns": [{"arn": DYNAMODB_ONLY}]}
    key = aws("sts").assume_role(**session)["Credentials"]
    assert "Users" in client_of(emulator["endpoint"], "iam", key=key).list_users()


def test_a_users_boundary_is_not_looked_at(user, aws):
    """AWS: nothing beyond it is allowed."""
    ann = user(ALL)
    aws("iam").create_user(UserName=f"{ann.name}-2", PermissionsBoundary=DYNAMODB_ONLY)
    assert "PermissionsBoundary" not in aws("iam").get_user(UserName=f"{ann.name}-2")["User"]
    with pytest.raises(ClientError):
        aws("iam").put_user_permissions_boundary(UserName=ann.name, PermissionsBoundary=DYNAMODB_ONLY)


def test_a_boundary_need_not_be_there(role):
    """AWS: NoSuchEntity; here such a role may do nothing."""
    mine, gone = role(ALL), "arn:aws:iam::123456789012:policy/gone"
    mine.iam.put_role_permissions_boundary(RoleName=mine.name, PermissionsBoundary=gone)
    assert mine.iam.get_role(RoleName=mine.name)["Role"]["PermissionsBoundary"]


def test_a_condition_that_is_not_known_is_decided_against_the_caller(user):
    """AWS: it knows all keys and operators."""
    condition = {"IpAddress": {"aws:SourceIp": "127.0.0.1"}}
    ann = user({"Action": "sns:*", "Resource": "*", "Condition": condition})
    assert refused(ann("sns").list_topics).code == "AuthorizationError"


def test_of_another_service_the_resource_is_a_star(user):
    """AWS: it is the rule."""
    ann = user({"Action": "ssm:*", "Resource": "arn:aws:ssm:us-east-1:123456789012:parameter/p"})
    told = refused(ann("ssm").get_parameter, Name="p")
    assert "ssm:GetParameter on resource: * because" in told.message


def test_only_some_keys_work(aws, emulator):
    """AWS: STS has other operations that give keys."""
    key = aws("sts").get_session_token()["Credentials"]
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        client_of(emulator["endpoint"], "iam", key=key).list_roles()


def test_presigned_addresses_are_refused(aws, browse):
    """AWS: they need no header."""
    aws("s3").create_bucket(Bucket="presigned")
    asked = {"Bucket": "presigned", "Key": "it"}
    aws("s3").put_object(**asked, Body=b"it")
    assert browse(aws("s3").generate_presigned_url("get_object", Params=asked))[0] == 403


def test_output_is_logged_whatever_the_role_may_do(function, role, aws):
    """AWS: writing the log needs the role's right to, as AWSLambdaBasicExecutionRole gives it."""
    it = function("def lambda_handler(event, context): print('printed')", Role=role().arn)
    it()
    events = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{it.name}")["events"]
    assert "printed\n" in [event["message"] for event in events]


def test_a_childs_memory_is_not_counted(function):
    """AWS: all processes of a function share its memory."""

    def lambda_handler(event, context):
        import subprocess
        import sys

        return subprocess.run([sys.executable, "-c", "bytearray(200 * 1024 * 1024)"], check=False).returncode

    assert function(lambda_handler, MemorySize=128, Timeout=30)() == 0


def test_the_runtime_is_the_kits_own_python(function):
    """AWS: the version that the runtime's name says."""

    def lambda_handler(event, context):
        import sys

        return list(sys.version_info[:2])

    one, other = (function(lambda_handler, Runtime=f"python3.{minor}") for minor in (12, 13))
    assert one() == other()


def test_an_event_that_failed_is_not_tried_again(aws, gated, advance):
    """On AWS, the event is tried again after one and two minutes."""
    mine = gated("def lambda_handler(event, context): raise ValueError")
    mine.open()
    told = {"logGroupName": f"/aws/lambda/{mine.name}", "filterPattern": "ValueError"}
    aws("logs").create_log_group(logGroupName=told["logGroupName"])
    mine.raw(InvocationType="Event")
    wait_until(lambda: aws("logs").filter_log_events(**told)["events"])
    advance(180)
    assert mine.all_calls() == 1


def test_a_machine_is_deleted_at_once_with_its_executions(machine):
    """AWS: DELETING for a while; its executions can be described for 90 days."""
    mine = machine(one({"Type": "Pass"}))
    arn = mine.run()["executionArn"]
    mine.client.delete_state_machine(stateMachineArn=mine.arn)
    assert refused(mine.told, arn).code == "ExecutionDoesNotExist"


def test_mail_ignores_filter_policies(aws, topic, mails, browse):
    """AWS: only what matches is mailed."""
    policy = json.dumps({"kind": ["wanted"]})
    asked = {"TopicArn": topic, "Protocol": "email", "Endpoint": "a@example.org"}
    aws("sns").subscribe(**asked, Attributes={"FilterPolicy": policy})
    browse(mails()[0]["link"])
    aws("sns").publish(TopicArn=topic, Message="unwanted")
    assert mails()[-1]["text"].startswith("unwanted")


def test_a_function_is_not_called_by_a_topic(aws, gated, topic, advance):
    """AWS: a function that is subscribed to a topic is run by each message."""
    mine = gated()
    aws("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=mine.arn)
    aws("sns").publish(TopicArn=topic, Message="x")
    advance(60)
    assert mine.all_calls() == 0


def test_a_function_is_not_called_by_other_services(aws, gated, advance):
    """AWS: an event of a bucket and a line of a log run it, and so does each message of a queue."""
    mine, source = gated(), {"Events": ["s3:ObjectCreated:*"]}
    bucket, logs = {"Bucket": "runs-nothing"}, {"logGroupName": "runs-nothing"}
    aws("s3").create_bucket(**bucket)
    runs = {"LambdaFunctionConfigurations": [source | {"LambdaFunctionArn": mine.arn}]}
    aws("s3").put_bucket_notification_configuration(**bucket, NotificationConfiguration=runs)
    aws("s3").put_object(**bucket, Key="k", Body=b"it")
    aws("logs").create_log_group(**logs)
    aws("logs").create_log_stream(**logs, logStreamName="s")
    aws("logs").put_subscription_filter(**logs, filterName="f", filterPattern="", destinationArn=mine.arn)
    event = {"timestamp": int(advance() * 1000), "message": "m"}
    aws("logs").put_log_events(**logs, logStreamName="s", logEvents=[event])
    advance(60)
    assert mine.all_calls() == 0
    queue = "arn:aws:sqs:us-east-1:123456789012:q"
    with pytest.raises(ClientError, match="does not have the operation"):
        mine.client.create_event_source_mapping(EventSourceArn=queue, FunctionName=mine.name)


def test_nothing_is_sent_to_web_servers(aws, topic):
    """AWS: messages of SNS and records of Firehose are posted, whether or not somebody takes them."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    url = aws("sqs").create_queue(QueueName="after-the-server")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:after-the-server"
    places = [f"http://127.0.0.1:{it}/" for it in (9, listener.getsockname()[1])]
    for protocol, endpoint in (("http", places[0]), ("http", places[1]), ("sqs", arn)):
        aws("sns").subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    assert aws("sns").publish(TopicArn=topic, Message="m")["MessageId"]
    assert aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    place = {"S3Configuration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"}}
    for name, address in zip("ab", places, strict=True):
        to = place | {"EndpointConfiguration": {"Url": address.replace("http:", "https:")}}
        aws("firehose").create_delivery_stream(
            DeliveryStreamName=name, HttpEndpointDestinationConfiguration=to
        )
        assert aws("firehose").put_record(DeliveryStreamName=name, Record={"Data": b"r"})["RecordId"]
    with pytest.raises(BlockingIOError):
        listener.accept()
    listener.close()


def test_tags_are_not_looked_for_in_machines_and_alarms(aws, machine, cloudwatch):
    """AWS: GetResources lists what has tags, and TagResources tags it."""
    key = uuid.uuid4().hex
    definition = one({"Type": "Succeed"})
    mine = machine(definition, tags=[{"key": key, "value": "v"}])
    cloudwatch.put_metric_alarm(**ALARM | {"AlarmName": key}, Tags=[{"Key": key, "Value": "v"}])
    tagging = aws("resourcegroupstaggingapi")
    assert tagging.get_resources(TagFilters=[{"Key": key}])["ResourceTagMappingList"] == []
    failed = tagging.tag_resources(ResourceARNList=[mine.arn], Tags={"a": "b"})["FailedResourcesMap"]
    assert [*failed] == [mine.arn]
    cloudwatch.delete_alarms(AlarmNames=[key])


def stack(aws, resources, **more):
    """Make a stack, and return what came of it: its status and the reasons of failures."""
    cfn, name = aws("cloudformation"), f"s-{uuid.uuid4().hex[:8]}"
    body = json.dumps({"Resources": resources, **more.pop("template", {})})
    cfn.create_stack(StackName=name, TemplateBody=body, **more)
    status = ended(cfn, name)
    events = cfn.describe_stack_events(StackName=name)["StackEvents"]
    reasons = [it["ResourceStatusReason"] for it in events if it["ResourceStatus"].endswith("FAILED")]
    return name, status, reasons


def ended(cfn, name):
    """The status of a stack when nothing happens to it any more."""
    told = []

    def at_rest():
        told.append(cfn.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
        return not told[-1].endswith("PROGRESS")

    wait_until(at_rest)
    return told[-1]


def test_cloudformation_has_few_types(aws):
    """AWS: hundreds, each with all its properties."""
    with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::SQS::Queue\]"):
        stack(aws, {"Q": {"Type": "AWS::SQS::Queue"}})
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DeliveryStatusLogging": []}}
    _, status, (reason,) = stack(aws, {"T": topic})
    assert (status, reason[-50:]) == (
        "ROLLBACK_COMPLETE",
        "extraneous key [DeliveryStatusLogging] is not permitted"[-50:],
    )


def test_cloudformation_refuses_what_it_would_ignore(aws):
    """AWS: it sends messages about the stack, protects it, and watches alarms."""
    alarms = {"RollbackConfiguration": {"MonitoringTimeInMinutes": 1}}
    for option in ({"NotificationARNs": ["arn:x"]}, {"EnableTerminationProtection": True}, alarms):
        with pytest.raises(ClientError, match="The emulator does not have the parameter"):
            stack(aws, {"T": {"Type": "AWS::SNS::Topic"}}, **option)
    with pytest.raises(ClientError, match="The emulator does not have the parameter"):
        aws("cloudformation").delete_stack(StackName="absent", DeletionMode="FORCE_DELETE_STACK")


def test_cloudformation_ignores_how_long_to_wait(aws):
    """AWS: it waits for signals, and this stack would fail after a minute."""
    waits = {"CreationPolicy": {"ResourceSignal": {"Count": 1}}}
    told = stack(aws, {"T": {"Type": "AWS::SNS::Topic", **waits}}, TimeoutInMinutes=1)
    assert told[1] == "CREATE_COMPLETE"


def test_sam_needs_a_package(monkeypatch):
    """AWS: it transforms such a template."""
    monkeypatch.setitem(sys.modules, "samtranslator", None)  # as if it were not installed
    table = {"Resources": {"T": {"Type": "AWS::Serverless::SimpleTable"}}}
    with pytest.raises(RefusalError, match="needs the Python package aws-sam-translator"):
        transformed(table | {"Transform": "AWS::Serverless-2016-10-31"}, {}, "us-east-1")


def test_some_things_of_a_topic_stay(aws):
    """AWS: the subscription ends, and the topic gets its first policy again."""
    mail = [{"Protocol": "email", "Endpoint": "a@example.org"}]
    policy = {"Version": "2012-10-17", "Statement": [EVERYBODY | {"Action": "sns:Publish"}]}
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"Subscription": mail, "DisplayName": "a"}}
    document = {"Topics": [{"Ref": "T"}], "PolicyDocument": policy}
    name, _, _ = stack(aws, {"T": topic, "P": {"Type": "AWS::SNS::TopicPolicy", "Properties": document}})
    cfn = aws("cloudformation")
    for kept, status in (({}, "UPDATE_ROLLBACK_COMPLETE"), ({"Subscription": mail}, "UPDATE_COMPLETE")):
        body = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": kept}}})
        cfn.update_stack(StackName=name, TemplateBody=body)
        assert ended(cfn, name) == status
    (resource,) = cfn.describe_stack_resources(StackName=name)["StackResources"]
    arn = resource["PhysicalResourceId"]
    attributes = aws("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (json.loads(attributes["Policy"]), attributes["DisplayName"]) == (policy, "")
    cfn.delete_stack(StackName=name)


def test_some_properties_stay(aws):
    """AWS: it changes the indexes of a table."""
    index = {"IndexName": "by-id", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}
    table = {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [index | {"Projection": {"ProjectionType": "ALL"}}],
    }
    cfn, body = aws("cloudformation"), {"T": {"Type": "AWS::DynamoDB::Table", "Properties": table}}
    name, _, _ = stack(aws, body)
    del table["GlobalSecondaryIndexes"]
    cfn.update_stack(StackName=name, TemplateBody=json.dumps({"Resources": body}))
    assert ended(cfn, name) == "UPDATE_ROLLBACK_COMPLETE"
    events = cfn.describe_stack_events(StackName=name)["StackEvents"]
    (reason,) = [it["ResourceStatusReason"] for it in events if it["ResourceStatus"] == "UPDATE_FAILED"]
    assert "The emulator cannot remove GlobalSecondaryIndexes" in reason
    cfn.delete_stack(StackName=name)


def test_a_change_set_does_not_say_what_causes_a_change(aws):
    """AWS: CausingEntity is the parameter, in a second entry."""
    parameter = {"Parameters": {"P": {"Type": "String", "Default": "a"}}}
    topic = {"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "P"}}}}
    name, _, _ = stack(aws, topic, template=parameter)
    cfn, names = aws("cloudformation"), {"StackName": name, "ChangeSetName": "c"}
    given = [{"ParameterKey": "P", "ParameterValue": "b"}]
    cfn.create_change_set(**names, UsePreviousTemplate=True, Parameters=given)
    (change,) = cfn.describe_change_set(**names)["Changes"]
    target = {"Attribute": "Properties", "Name": "DisplayName", "RequiresRecreation": "Never"}
    told = {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}
    assert change["ResourceChange"]["Details"] == [told]
    cfn.delete_stack(StackName=name)


MAP = {"Type": "Map", "ItemProcessor": one({"Type": "Pass"}, "I")}


def jsonata(**states):
    return {"QueryLanguage": "JSONata"} | flow(**states)


DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}


def test_a_rare_error_has_other_words(machine):
    """On AWS, the code is D3086."""
    told = machine(jsonata(A={"Type": "Pass", "Output": "{% $formatNumber(1, 'x') %}", "End": True})).run()
    assert "D3085" in told["cause"]


def test_a_function_is_no_pattern(machine):
    """On AWS, it returns the matches."""
    expression = "{% $contains('a', function($text) {{'match': 'a', 'start': 0, 'end': 1, 'groups': []}}) %}"
    told = machine(jsonata(A={"Type": "Pass", "Output": expression, "End": True})).run()
    assert "threw an internal error during evaluation" in told["cause"]


def test_a_task_token_is_short(machine, aws):
    """AWS: hundreds of characters, so leave room for them."""
    url = aws("sqs").create_queue(QueueName="tokens")["QueueUrl"]
    parameters = {"QueueUrl": url, "MessageBody.$": "$$.Task.Token"}
    resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    state = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}
    mine = machine(one(state))
    arn = mine.start()
    (message,) = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    assert len(message["Body"]) == 36
    mine.client.send_task_success(taskToken=message["Body"], output="1")
    assert mine.wait(arn)["status"] == "SUCCEEDED"


def test_activities_do_not_work(machine, aws):
    """AWS: a worker gets the task from GetActivityTask."""
    with pytest.raises(ClientError, match="UnknownOperationException"):
        aws("stepfunctions").create_activity(name="by-hand")
    arn = "arn:aws:states:us-east-1:123456789012:activity:by-hand"
    told = machine(one({"Type": "Task", "Resource": arn})).run()
    assert (told["status"], told["error"]) == ("FAILED", "States.Runtime")


def test_a_test_does_not_ask_where_an_error_is_from(aws):
    """AWS: `errorCausedByState` must name a state in the Map or Parallel."""
    definition = json.dumps(MAP | {"End": True})
    mock = {"errorOutput": {"error": "E", "cause": "c"}}
    for more in ({}, {"stateConfiguration": {"errorCausedByState": "nobody"}}):
        told = aws("stepfunctions").test_state(definition=definition, input="[]", mock=mock, **more)
        assert told["error"] == "E"


@pytest.mark.parametrize(
    ("resource", "missing"),
    [
        ("http:invoke", "http"),
        ("glue:startJobRun.sync", "glue"),
        ("aws-sdk:sns:shout", "aws-sdk:sns:shout"),
    ],
)
def test_a_call_that_is_not_here_fails_when_it_runs(aws, machine, resource, missing):
    """AWS: it works, or the definition is refused."""
    arn = f"arn:aws:states:::{resource}"
    state = {"Type": "Task", "Resource": arn, "Parameters": {}, "End": True}
    told = machine(one(state)).run()
    assert told["error"] == "States.Runtime"
    assert f"The emulator has no integration '{missing}" in told["cause"]
    assert told["cause"].endswith(f"and the state 'A' has no mock. Mock it, or use another resource: {arn}")
    mock = {"result": "{}", "fieldValidationMode": "NONE"}
    told = aws("stepfunctions").test_state(definition=json.dumps(state), roleArn=ROLE, mock=mock)
    assert told["status"] == "SUCCEEDED"


WRITER = {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": "b"}}
READER = {"Resource": "arn:aws:states:::s3:getObject", "Arguments": {"Bucket": "b", "Key": "k"}}


@pytest.mark.parametrize(
    ("field", "error", "missing"),
    [
        ({"ResultWriter": WRITER}, "States.ResultWriterFailed", "ResultWriter is not supported here."),
        (
            {"ItemReader": READER | {"ReaderConfig": {"InputType": "PARQUET"}}},
            "States.ItemReaderFailed",
            "ItemReader's PARQUET is not supported here.",
        ),
    ],
)
def test_some_parts_of_a_distributed_map_are_missing(machine, field, error, missing):
    """AWS: they work."""
    state = MAP | field | {"ItemProcessor": MAP["ItemProcessor"] | DISTRIBUTED, "End": True}
    told = machine(jsonata(A=state)).run([1])
    assert (told["error"], missing in told["cause"]) == (error, True)


def test_forty_children_of_a_map_run_at_the_same_time(machine):
    """AWS: as many as MaxConcurrency says, up to 10,000."""
    waits = one({"Type": "Wait", "Seconds": 60}, "I")
    mine = machine(jsonata(A=MAP | {"ItemProcessor": waits | DISTRIBUTED, "MaxConcurrency": 50, "End": True}))
    arn = mine.start([0] * 50)
    wait_until(lambda: _counts(mine, arn).get("running") == 40)
    assert _counts(mine, arn)["pending"] == 10
    mine.client.stop_execution(executionArn=arn)


def _counts(mine, arn):
    for run in mine.client.list_map_runs(executionArn=arn)["mapRuns"]:
        return mine.client.describe_map_run(mapRunArn=run["mapRunArn"])["executionCounts"]
    return {}


def test_s3_does_not_have_every_operation(aws):
    """AWS: a bucket has analytics, metrics and more."""
    aws("s3").create_bucket(Bucket="unmeasured")
    with pytest.raises(ClientError, match="MethodNotAllowed"):
        aws("s3").list_bucket_metrics_configurations(Bucket="unmeasured")


def test_what_moto_cannot_carry_out_is_refused(aws):
    """AWS: it says what is wrong, or it works."""
    with pytest.raises(ClientError, match="The emulator cannot do this with these parameters"):
        aws("iam").create_service_linked_role(AWSServiceName="nobody")


def test_other_services_are_refused(aws):
    """AWS: they work. tests/test_offered.py has more of them."""
    with pytest.raises(ClientError, match="UnknownOperationException"):
        aws("comprehend").detect_sentiment(Text="I like it", LanguageCode="en")


def test_an_event_stays_in_its_region(aws):
    """AWS: it goes to the bus of the ARN."""
    bus = "arn:aws:events:eu-west-1:210987654321:event-bus/default"
    entry = {"Source": "differences", "DetailType": "t", "Detail": "{}", "EventBusName": bus}
    assert aws("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_a_wrong_checksum_is_taken(aws):
    """AWS: BadDigest."""
    aws("s3").create_bucket(Bucket="checksums")
    assert aws("s3").put_object(Bucket="checksums", Key="k", Body=b"it", ChecksumCRC32="AAAAAA==")["ETag"]


def test_a_bucket_has_no_policy(aws, user):
    """AWS: the policy of a bucket can allow and deny."""
    aws("s3").create_bucket(Bucket="denied")
    denies = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::denied/*"}
    aws("s3").put_bucket_policy(Bucket="denied", Policy=json.dumps(policy(denies)))
    aws("s3").put_object(Bucket="denied", Key="k", Body=b"it")
    assert user({"Action": "s3:*", "Resource": "*"})("s3").head_object(Bucket="denied", Key="k")


def test_an_intrinsic_function_that_fails_has_our_words(machine):
    """Nobody has recorded the end of AWS's sentence."""
    state = {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd('a', 1)"}, "End": True}
    told = machine(one(state)).run()
    assert (told["error"], told["cause"]) == (
        "States.IntrinsicFailure",
        "An error occurred while executing the state 'A' (entered at the event id #2). "
        "The function 'States.MathAdd('a', 1)' had the following error: Expected an integer but was: a",
    )


def test_a_history_always_has_its_data(machine):
    """AWS: without inputs and outputs, if `includeExecutionData` or `includedData` says so."""
    mine = machine(one({"Type": "Pass"}))
    arn = mine.run(input='{"a":1}')["executionArn"]
    told = mine.client.get_execution_history(executionArn=arn, includeExecutionData=False)
    assert told["events"][1]["stateEnteredEventDetails"]["input"] == '{"a":1}'
    told = mine.client.describe_execution(executionArn=arn, includedData="METADATA_ONLY")
    assert told["output"] == '{"a":1}'


@pytest.mark.parametrize("path", ["$.x[?(@ =~ '(a+)+b')]", "$.x[0].`sub(/(a+)+b/, c)`"])
def test_a_path_with_a_regular_expression_fails(machine, path):
    """AWS: it may work. Here it could take hours, and nobody else would be served."""
    pass_state = {"Type": "Pass", "InputPath": path, "End": True}
    told = machine(one(pass_state)).run({"x": ["a" * 60]})
    assert (told["status"], told["error"]) == ("FAILED", "States.Runtime")


def test_some_faults_of_a_definition_are_accepted(machine):
    """AWS: INVALID_STATE_NAME, because a name has at most 80 characters."""
    name = "n" * 81
    assert machine(one({"Type": "Pass"}, name)).arn


def test_a_function_has_the_rights_of_the_user(function, tmp_path):
    """On AWS, a function runs in a machine of its own."""
    file = tmp_path / "mine"
    file.write_text("text")
    reads = function("def lambda_handler(event, context): return open(event).read()")
    assert reads(str(file)) == "text"


def test_a_functions_variables_do_not_lead_its_clients_elsewhere(function, emulator):
    """AWS: a client calls the address in AWS_ENDPOINT_URL."""

    def lambda_handler(event, context):
        import boto3

        return boto3.client("sns").meta.endpoint_url

    variables = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ENDPOINT_URL_SNS": "http://127.0.0.1:9"}
    mine = function(lambda_handler, Environment={"Variables": variables}, Timeout=30)
    assert mine() == emulator["endpoint"]


def test_a_long_output_is_not_logged_as_a_whole(function, aws):
    """On AWS, all of it is logged."""
    mine = function("def lambda_handler(event, context): print('x\\n' * 20_000)", Timeout=30)
    mine()
    events = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{mine.name}")["events"]
    assert 8_000 < len(events) < 10_000


@pytest.mark.parametrize(
    ("service", "operation", "status", "code"),
    [
        ("lambda", "get_account_settings", 404, "UnknownOperationException"),
        ("dynamodb", "list_global_tables", 400, "UnknownOperationException"),
        ("sns", "list_origination_numbers", 400, "InvalidAction"),
        ("cloudcontrol", "list_resource_requests", 400, "UnknownOperationException"),
    ],
)
def test_an_operation_that_moto_lacks_is_unknown(aws, service, operation, status, code):
    """AWS does it. The emulator answers what AWS says to the name of no operation, in each protocol.

    moto lacks the last one's whole service.
    """
    told = refused(getattr(aws(service), operation))
    assert (told.status, told.code) == (status, code)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("execute_statement", {"Statement": "SELECT * FROM t"}),
        ("batch_execute_statement", {"Statements": [{"Statement": "SELECT * FROM t"}]}),
        ("execute_transaction", {"TransactStatements": [{"Statement": "DELETE FROM t"}]}),
    ],
)
def test_partiql_is_refused(aws, operation, parameters):
    """AWS: it is done. Here nothing is read or written by statements whose tables nobody checked."""
    told = refused(getattr(aws("dynamodb"), operation), **parameters)
    assert told == ("UnknownOperationException", "This emulator does not support PartiQL")


def test_a_batch_with_a_bad_entry_is_refused(aws, topic, mails, browse):
    """AWS: the bad entry is in `Failed`. Here no entry is mailed."""
    aws("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.org")
    browse(mails()[0]["link"])
    entries = [
        {"Id": "a", "Message": "good"},
        {"Id": "b", "Message": "x", "Subject": "a\r\nBcc: b@example.org"},
    ]
    with pytest.raises(ClientError, match="Invalid parameter: Subject"):
        aws("sns").publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [mail["type"] for mail in mails()] == ["confirmation"]


ONE_QUERY = {
    "Id": "q",
    "MetricStat": {
        "Metric": {"Namespace": "differences", "MetricName": "m"},
        "Period": 60,
        "Stat": "p50",
    },
}
ALARM = {
    "AlarmName": "differences",
    "Namespace": "differences",
    "MetricName": "m",
    "Statistic": "Maximum",
    "Period": 3600,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}


@pytest.fixture
def cloudwatch(aws):
    """A client, and an alarm of the test's own."""
    aws("cloudwatch").put_metric_alarm(**ALARM)
    yield aws("cloudwatch")
    aws("cloudwatch").delete_alarms(AlarmNames=["differences"])


def test_an_alarm_does_not_wait_for_the_end_of_a_period(cloudwatch, advance):
    """AWS: it takes a minute or more, and looks at periods that have ended."""
    advance(2)  # a new alarm is not looked at for a moment
    cloudwatch.put_metric_data(Namespace="differences", MetricData=[{"MetricName": "m", "Value": 2.0}])
    advance(1)
    (told,) = cloudwatch.describe_alarms(AlarmNames=["differences"])["MetricAlarms"]
    assert told["StateValue"] == "ALARM"


def test_expressions_and_composite_alarms_are_refused(cloudwatch, advance):
    """AWS: they work."""
    now, sums = advance(), [ONE_QUERY, {"Id": "e", "Expression": "q * 2"}]
    alarm = {name: ALARM[name] for name in ("AlarmName", "EvaluationPeriods", "ComparisonOperator")}
    composite = {"AlarmName": "a", "AlarmRule": "ALARM(differences)"}
    asked = {"MetricDataQueries": sums, "StartTime": now - 60, "EndTime": now}
    for call, given, code in (
        (cloudwatch.get_metric_data, asked, "ValidationError"),
        (cloudwatch.put_metric_alarm, alarm | {"Metrics": sums}, "ValidationError"),
        (cloudwatch.put_composite_alarm, composite, "UnknownOperationException"),
    ):
        assert refused(call, **given).code == code


def test_a_percentile_is_one_of_the_values(cloudwatch, advance):
    """AWS: an estimate."""
    cloudwatch.put_metric_data(Namespace="exact", MetricData=[{"MetricName": "m", "Values": [1.0, 2.0, 3.0]}])
    metric = {"Namespace": "exact", "MetricName": "m"}
    query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "p34"}}
    now = advance()
    told = cloudwatch.get_metric_data(MetricDataQueries=[query], StartTime=now - 60, EndTime=now + 60)
    assert told["MetricDataResults"][0]["Values"] == [2.0]


def test_the_history_of_an_alarm_has_no_configuration(cloudwatch):
    """AWS: ConfigurationUpdate, too."""
    told = cloudwatch.describe_alarm_history(AlarmName="differences", HistoryItemType="ConfigurationUpdate")
    assert told["AlarmHistoryItems"] == []


def test_an_alarm_acts_on_topics_only(cloudwatch, function):
    """AWS: a function may be an action."""
    it = function(lists_topics)
    cloudwatch.put_metric_alarm(**ALARM, AlarmActions=[it.arn])
    cloudwatch.set_alarm_state(AlarmName="differences", StateValue="ALARM", StateReason="r")
    items = cloudwatch.describe_alarm_history(AlarmName="differences")["AlarmHistoryItems"]
    assert {item["HistoryItemType"] for item in items} == {"StateUpdate"}


def test_only_executions_are_counted(aws, function, machine):
    """AWS: also functions, service integrations, and what an express execution costs."""
    task = {"Type": "Task", "Resource": function(lists_topics).arn, "End": True}
    mine = machine(one(task), type="EXPRESS")
    mine.client.start_sync_execution(stateMachineArn=mine.arn)
    metrics = aws("cloudwatch").list_metrics(Namespace="AWS/States")["Metrics"]
    names = {it["MetricName"] for it in metrics if mine.arn in json.dumps(it["Dimensions"])}
    assert names and all(name.startswith("Execution") for name in names)


def test_the_children_of_a_distributed_map_are_not_counted(aws, machine):
    """AWS: they are executions."""
    mapped = {
        "Type": "Map",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "B",
            "States": {"B": {"Type": "Pass", "End": True}},
        },
        "End": True,
    }
    mine = machine(one(mapped))
    mine.run([1, 2, 3])
    arns = {
        dimension["Value"]
        for metric in aws("cloudwatch").list_metrics(Namespace="AWS/States")["Metrics"]
        for dimension in metric["Dimensions"]
    }
    assert {arn for arn in arns if arn.startswith(mine.arn)} == {mine.arn}


def test_rules_deliver_to_topics_and_queues_only(aws, cloudwatch, function):
    """AWS: a function gets events, and an alarm that changes its state sends one."""
    events, name = aws("events"), "differences"
    it = function("def lambda_handler(event, context): print('event')")
    it.client.add_permission(
        FunctionName=it.name,
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    )
    url = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    aws("sqs").set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps(policy(EVERYBODY | {"Resource": arn}))}
    )
    events.put_rule(Name=name, EventPattern='{"source": ["aws.cloudwatch", "differences"]}')
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": it.arn}, {"Id": "2", "Arn": arn}])
    cloudwatch.set_alarm_state(AlarmName="differences", StateValue="ALARM", StateReason="r")
    events.put_events(Entries=[{"Source": "differences", "DetailType": "t", "Detail": "{}"}])
    (message,) = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    assert json.loads(message["Body"])["source"] == "differences"
    groups = aws("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{it.name}")["logGroups"]
    assert groups == []
    events.remove_targets(Rule=name, Ids=["1", "2"])
    events.delete_rule(Name=name)
    aws("sqs").delete_queue(QueueUrl=url)


def test_a_pattern_may_have_many_wildcards(aws):
    """AWS: InvalidEventPatternException, because the rule is too complex."""
    pattern = json.dumps({"source": [{"wildcard": "*:" * 20 + "*"}]})
    names = ("id", "account", "source", "time", "region", "detail-type")
    event = json.dumps(dict.fromkeys(names, "a"))
    assert aws("events").test_event_pattern(EventPattern=pattern, Event=event)["Result"] is False
