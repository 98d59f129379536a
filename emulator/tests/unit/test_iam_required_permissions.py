"""Which actions, on which resources, a request needs."""

from urllib.parse import quote

import pytest

from sfn_emulator.http.authentication import Caller
from sfn_emulator.http.messages import RefusalError, Request
from sfn_emulator.http.operations import rest_operation, s3_call
from sfn_emulator.iam.required_permissions import ApiCall, api_call, required_permissions

DYNAMODB = "arn:aws:dynamodb:us-east-1:123456789012:table/"
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:"
STATES = "arn:aws:states:us-east-1:123456789012:"
SNS = "arn:aws:sns:us-east-1:123456789012:"
LOGS = "arn:aws:logs:us-east-1:123456789012:log-group:"
IAM = "arn:aws:iam::123456789012:"
STACKS = "arn:aws:cloudformation:us-east-1:123456789012:"
ROLE = Caller(f"{IAM}role/R", "session")


def needs(service, operation, *, user="", **parameters):
    """Pairs of action and resource."""
    call = ApiCall(service, operation, parameters, Caller(f"{IAM}user/{user}") if user else ROLE)
    return [(permission.action, permission.resource) for permission in required_permissions(call)]


@pytest.mark.parametrize(
    ("operation", "parameters", "resource"),
    [
        ("GetItem", {"TableName": "T"}, DYNAMODB + "T"),
        ("GetItem", {"TableName": DYNAMODB + "T"}, DYNAMODB + "T"),
        ("Query", {"TableName": "T", "IndexName": "I"}, DYNAMODB + "T/index/I"),
        ("Scan", {"TableName": "T", "IndexName": "I"}, DYNAMODB + "T/index/I"),
        ("Scan", {"TableName": "T"}, DYNAMODB + "T"),
        ("TagResource", {"ResourceArn": DYNAMODB + "T"}, DYNAMODB + "T"),
        ("ListTables", {}, "*"),
    ],
)
def test_dynamodb_is_about_tables_and_indexes(operation, parameters, resource):
    """A table may be given by its name or ARN. A query of an index needs the index."""
    assert needs("dynamodb", operation, **parameters) == [(f"dynamodb:{operation}", resource)]


BUCKET = "arn:aws:s3:::b"


@pytest.mark.parametrize(
    ("method", "target", "headers", "expected"),
    [
        ("GET", "/", {}, [("ListAllMyBuckets", "*")]),
        ("PUT", "/b", {}, [("CreateBucket", BUCKET)]),
        ("GET", "/b?list-type=2&prefix=x", {}, [("ListBucket", BUCKET)]),
        ("HEAD", "/b/", {}, [("ListBucket", BUCKET)]),
        ("GET", "/b?publicAccessBlock", {}, [("GetBucketPublicAccessBlock", BUCKET)]),
        ("DELETE", "/b?tagging", {}, [("PutBucketTagging", BUCKET)]),
        ("HEAD", "/b/k%20/l", {}, [("GetObject", f"{BUCKET}/k /l")]),
        ("GET", "/b/k?versionId=1", {}, [("GetObjectVersion", f"{BUCKET}/k")]),
        ("GET", "/b/k?tagging&versionId=1", {}, [("GetObjectVersionTagging", f"{BUCKET}/k")]),
        ("PUT", "/b/k?partNumber=1&uploadId=u", {}, [("PutObject", f"{BUCKET}/k")]),
        ("GET", "/b/k?uploadId=u", {}, [("ListMultipartUploadParts", f"{BUCKET}/k")]),
        ("DELETE", "/b/k?uploadId=u", {}, [("AbortMultipartUpload", f"{BUCKET}/k")]),
        ("POST", "/b/k?uploads", {}, [("PutObject", f"{BUCKET}/k")]),
        (
            "PUT",
            "/b/k",
            {"x-amz-copy-source": "/other/a%20b?versionId=1"},
            [("PutObject", f"{BUCKET}/k"), ("GetObjectVersion", "arn:aws:s3:::other/a b")],
        ),
        (
            "PUT",
            "/b/k",
            {"x-amz-copy-source": "other/a:b%23c"},
            [("PutObject", f"{BUCKET}/k"), ("GetObject", "arn:aws:s3:::other/a:b#c")],
        ),
        ("PUT", "/b/k?versionId=1", {}, [("PutObject", f"{BUCKET}/k")]),
        ("POST", "/b?delete", {}, [("DeleteObject", f"{BUCKET}/a&b"), ("DeleteObject", f"{BUCKET}/c")]),
    ],
)
def test_s3_is_about_buckets_and_objects(method, target, headers, expected):
    """The action has AWS's name."""
    body = b"<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object></Delete>"
    operation, parameters = s3_call(Request(method, target, headers, body))
    assert needs("s3", operation, **parameters) == [(f"s3:{action}", where) for action, where in expected]


@pytest.mark.parametrize(
    ("method", "target"),
    [
        *[("GET", "/b/k?acl&tagging"), ("GET", "/b/k?acl&uploadId=u"), ("GET", "/b/k?versions")],
        *[("POST", "/b"), ("POST", "/b?key=x"), ("PATCH", "/b/k")],
    ],
)
def test_what_is_no_operation_of_s3_is_refused(method, target):
    """There is no action that a policy could name."""
    with pytest.raises(RefusalError, match="MethodNotAllowed"):
        s3_call(Request(method, target, {}))


def test_each_key_that_is_deleted_counts():
    """However XML writes it. A version is another action."""
    body = (
        b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key >a</Key ></Object><Object>'
        b"<Key><![CDATA[b]]></Key><VersionId>1</VersionId></Object><Object><Key>&#99;</Key></Object></Delete>"
    )
    actions = [("DeleteObject", "a"), ("DeleteObjectVersion", "b"), ("DeleteObject", "c")]
    expected = [(f"s3:{action}", f"{BUCKET}/{key}") for action, key in actions]
    assert asks("s3", "POST", "/b?delete", body) == expected


@pytest.mark.parametrize("body", [b"", b"<Delete></Delete>", b"<Delete><Object><Key>a</Key></Delete>"])
def test_a_request_that_deletes_nothing_is_refused(body):
    """S3 wants at least one key."""
    with pytest.raises(RefusalError, match="MalformedXML"):
        s3_call(Request("POST", "/b?delete", {}, body))


@pytest.mark.parametrize(
    "source", ["//allowed/secret/key", "b/k#x", "b/k;x", "x:b/k", "b", "b/k?versionId=1&versionId=2", "b/\tk"]
)
def test_what_is_copied_has_one_meaning(source):
    """Another source than a bucket, a key and a version is refused."""
    with pytest.raises(RefusalError, match="Copy Source"):
        s3_call(Request("PUT", "/b/k", {"x-amz-copy-source": source}))


@pytest.mark.parametrize("operation", ["BatchGetItem", "BatchWriteItem"])
def test_a_batch_needs_each_table(operation):
    """A batch needs its action on each table."""
    call = needs("dynamodb", operation, RequestItems={"A": [], "B": []})
    assert call == [(f"dynamodb:{operation}", DYNAMODB + "A"), (f"dynamodb:{operation}", DYNAMODB + "B")]


def test_a_transaction_needs_what_its_parts_need():
    """A transaction needs one permission for each action and table of its parts."""
    kinds = ["Put", "Put", "Update", "Delete", "ConditionCheck"]
    call = needs(
        "dynamodb", "TransactWriteItems", TransactItems=[{kind: {"TableName": "T"}} for kind in kinds]
    )
    actions = ["PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"]
    assert call == [(f"dynamodb:{action}", DYNAMODB + "T") for action in actions]
    part = {"Get": {"TableName": "T"}, "Unknown": {}}
    call = needs("dynamodb", "TransactGetItems", TransactItems=[part])
    assert call == [("dynamodb:GetItem", DYNAMODB + "T")]


@pytest.mark.parametrize("name", ["f", "function:f", "123456789012:function:f", LAMBDA + "f"])
def test_lambda_is_about_functions(name):
    """A function may be given by any of its names. An Invoke needs InvokeFunction."""
    assert needs("lambda", "Invoke", FunctionName=name) == [("lambda:InvokeFunction", LAMBDA + "f")]
    assert needs("lambda", "GetFunction", FunctionName=name) == [("lambda:GetFunction", LAMBDA + "f")]


SIGNED = "AWS4-HMAC-SHA256 Credential=K/20260101/us-east-1/{}/aws4_request"


def asks(service, method, target, body=b"", **headers):
    """Pairs of action and resource of a request."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(method, target, {"authorization": SIGNED.format(service), **sent}, body)
    call = api_call(request, ROLE, lambda *_: None, lambda _: None, lambda _: "")
    return [(permission.action, permission.resource) for permission in required_permissions(call)]


@pytest.mark.parametrize(
    ("method", "target", "body", "needed"),
    [
        ("DELETE", f"/2015-03-31/functions/f?Resource={LAMBDA}g", b"", ("DeleteFunction", f"{LAMBDA}f")),
        ("DELETE", "/2015-03-31/functions/f?Qualifier=1", b"", ("DeleteFunction", f"{LAMBDA}f:1")),
        (
            "PUT",
            "/2017-10-31/functions/f/concurrency?Qualifier=1",
            b"",
            ("PutFunctionConcurrency", f"{LAMBDA}f"),
        ),
        (
            "DELETE",
            "/2015-03-31/event-source-mappings/u",
            b'{"FunctionName": "f"}',
            ("DeleteEventSourceMapping", "*"),
        ),
        ("GET", f"/2017-03-31/tags/{quote(LAMBDA, '')}f", b"", ("ListTags", f"{LAMBDA}f")),
    ],
)
def test_a_parameter_that_lambda_does_not_read_names_no_resource(method, target, body, needed):
    """Only those of the operation count, and those in the path."""
    assert asks("lambda", method, target, body) == [(f"lambda:{needed[0]}", needed[1])]


def test_what_is_no_operation_of_lambda_is_refused():
    """There is no action that a policy could name."""
    with pytest.raises(RefusalError, match="UnknownOperation"):
        asks("lambda", "GET", "/nowhere")


@pytest.mark.parametrize(
    ("service", "target"),
    [
        *[("events", f"AWSEvents.{name}") for name in ("PutTARGETS", "PutRULE")],
        *[("states", "AWSStepFunctions.CreateStatemachine"), ("dynamodb", "DynamoDB_20120810.GETItem")],
    ],
)
def test_an_operation_has_one_spelling(service, target):
    """What moto knows besides is no operation."""
    with pytest.raises(RefusalError, match="UnknownOperation"):
        asks(service, "POST", "/", b"{}", x_amz_target=target)


def test_a_form_has_one_spelling_of_its_operation():
    """What moto knows besides is no operation."""
    with pytest.raises(RefusalError, match="InvalidAction"):
        asks("iam", "POST", "/?Action=CreateROLE&RoleName=r")
    assert asks("iam", "POST", "/?Action=CreateRole&RoleName=R")[0] == ("iam:CreateRole", f"{IAM}role/R")


def test_a_version_of_a_function_is_another_resource():
    """A right to `f` is none to `f:1`."""
    expected = [("lambda:InvokeFunction", LAMBDA + "f:1")]
    assert needs("lambda", "Invoke", FunctionName="f", Qualifier="1") == expected
    assert needs("lambda", "Invoke", FunctionName=LAMBDA + "f:1") == expected
    assert needs("lambda", "ListFunctions") == [("lambda:ListFunctions", "*")]


@pytest.mark.parametrize(
    ("operation", "parameters", "resource"),
    [
        ("CreateStateMachine", {"name": "m"}, STATES + "stateMachine:m"),
        ("StartExecution", {"stateMachineArn": STATES + "stateMachine:m"}, STATES + "stateMachine:m"),
        ("StopExecution", {"executionArn": STATES + "execution:m:e"}, STATES + "execution:m:e"),
        ("TagResource", {"resourceArn": STATES + "stateMachine:m"}, STATES + "stateMachine:m"),
        ("CreateActivity", {"name": "a"}, STATES + "activity:a"),
        ("ListStateMachines", {}, "*"),
        # AWS checks the machine of a version or an alias.
        ("StartExecution", {"stateMachineArn": STATES + "stateMachine:m:party"}, STATES + "stateMachine:m"),
        (
            "UpdateStateMachineAlias",
            {"stateMachineAliasArn": STATES + "stateMachine:m:a"},
            STATES + "stateMachine:m",
        ),
        (
            "CreateStateMachineAlias",
            {"name": "a", "routingConfiguration": [{"stateMachineVersionArn": STATES + "stateMachine:m:1"}]},
            STATES + "stateMachine:m",
        ),
        ("CreateStateMachineAlias", {"name": "a"}, "*"),
    ],
)
def test_states_is_about_machines_and_executions(operation, parameters, resource):
    """Machines, executions and activities are resources by their ARNs."""
    assert needs("states", operation, **parameters) == [(f"states:{operation}", resource)]


@pytest.mark.parametrize(
    ("operation", "parameters", "action", "resource"),
    [
        ("CreateTopic", {"Name": "T"}, "CreateTopic", SNS + "T"),
        ("Publish", {"TopicArn": SNS + "T"}, "Publish", SNS + "T"),
        ("Publish", {"TargetArn": SNS + "T"}, "Publish", SNS + "T"),
        ("PublishBatch", {"TopicArn": SNS + "T"}, "Publish", SNS + "T"),
        ("Unsubscribe", {"SubscriptionArn": SNS + "T:1"}, "Unsubscribe", "*"),
        ("ListTopics", {}, "ListTopics", "*"),
    ],
)
def test_sns_is_about_topics(operation, parameters, action, resource):
    """A batch is published by the right to publish."""
    assert needs("sns", operation, **parameters) == [(f"sns:{action}", resource)]


@pytest.mark.parametrize(
    ("operation", "parameters", "resource"),
    [
        ("CreateLogGroup", {"logGroupName": "g"}, LOGS + "g:log-stream:"),
        ("PutLogEvents", {"logGroupName": "g", "logStreamName": "s"}, LOGS + "g:log-stream:s"),
        ("FilterLogEvents", {"logGroupIdentifier": LOGS + "g:*"}, LOGS + "g:log-stream:"),
        ("DescribeLogGroups", {}, LOGS + ":log-stream:"),
        ("TagResource", {"resourceArn": LOGS + "g"}, LOGS + "g"),
        ("DescribeExportTasks", {}, "*"),
    ],
)
def test_logs_is_about_streams(operation, parameters, resource):
    """A group is its stream without a name."""
    assert needs("logs", operation, **parameters) == [(f"logs:{operation}", resource)]


@pytest.mark.parametrize(
    ("operation", "parameters", "resource"),
    [
        ("CreateRole", {"RoleName": "R"}, "role/R"),
        ("CreateRole", {"RoleName": "R", "Path": "/p/"}, "role/p/R"),
        ("AttachRolePolicy", {"RoleName": "R", "PolicyArn": "arn:aws:iam::aws:policy/P"}, "role/R"),
        ("PutUserPolicy", {"UserName": "u", "PolicyName": "P"}, "user/u"),
        ("GetGroup", {"GroupName": "g"}, "group/g"),
        ("AddUserToGroup", {"GroupName": "g", "UserName": "u"}, "group/g"),
        ("RemoveUserFromGroup", {"GroupName": "g", "UserName": "u"}, "group/g"),
        ("CreatePolicy", {"PolicyName": "P"}, "policy/P"),
        ("GetPolicy", {"PolicyArn": IAM + "policy/P"}, "policy/P"),
        ("ListRoles", {}, "role/"),
        ("GetUser", {}, "user/ann"),
        ("CreateAccessKey", {}, "user/ann"),
    ],
)
def test_iam_is_about_roles_users_groups_and_policies(operation, parameters, resource):
    """Without a name, the resource is the user who calls."""
    assert needs("iam", operation, user="ann", **parameters) == [(f"iam:{operation}", IAM + resource)]


def test_the_path_of_a_role_that_is_there_is_known():
    """GetRole names the role without it."""
    call = ApiCall(
        "iam", "GetRole", {"RoleName": "R"}, ROLE, find_arn=lambda _, __, kind, name: f"{IAM}{kind}/p/{name}"
    )
    assert required_permissions(call)[0].resource == IAM + "role/p/R"


def test_the_policy_that_is_attached_is_told():
    """Conditions may ask for `iam:PolicyARN`."""
    call = ApiCall("iam", "AttachRolePolicy", {"RoleName": "R", "PolicyArn": "P"}, ROLE)
    assert required_permissions(call)[0].context == (("iam:policyarn", "P"),)


BOUNDED = [
    *("CreateRole", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"),
    *("PutRolePolicy", "DeleteRolePolicy", "AttachRolePolicy", "DetachRolePolicy"),
]


@pytest.mark.parametrize("operation", BOUNDED)
def test_the_boundary_of_the_role_is_told(operation):
    """Conditions may ask for `iam:PermissionsBoundary`. Only some operations can give a new one."""
    there = {f"{IAM}role/R": "old"}.get
    call = ApiCall("iam", operation, {"RoleName": "R"}, ROLE, boundary_of=there)
    gives = operation in {"CreateRole", "PutRolePermissionsBoundary"}
    there_is = () if gives else (("iam:permissionsboundary", "old"),)
    assert required_permissions(call)[0].context == there_is
    given = {"RoleName": "R", "PermissionsBoundary": "new"}
    call = ApiCall("iam", operation, given, ROLE, boundary_of=there)
    assert required_permissions(call)[0].context == (
        (("iam:permissionsboundary", "new"),) if gives else there_is
    )


@pytest.mark.parametrize("operation", ["UpdateAssumeRolePolicy", "DeleteRole", "TagRole", "GetRole"])
def test_aws_tells_the_boundary_of_some_operations_only(operation):
    """No condition on the boundary can limit who a role trusts."""
    call = ApiCall("iam", operation, {"RoleName": "R"}, ROLE, boundary_of=lambda arn: "old")
    assert required_permissions(call)[0].context == ()


def test_who_one_is_may_be_asked_always():
    """GetCallerIdentity needs no right; AssumeRole needs one to the role."""
    assert needs("sts", "GetCallerIdentity") == []
    assert needs("sts", "AssumeRole", RoleArn="R") == [("sts:AssumeRole", "R")]


CLOUDWATCH = "arn:aws:cloudwatch:us-east-1:123456789012:"
EVENTS = "arn:aws:events:us-east-1:123456789012:"


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "needed"),
    [
        ("cloudwatch", "GetMetricData", {}, [("GetMetricData", "*")]),
        ("cloudwatch", "DescribeAlarms", {}, [("DescribeAlarms", f"{CLOUDWATCH}alarm:*")]),
        (
            "cloudwatch",
            "DeleteAlarms",
            {"AlarmNames": ["a", "b"], "AlarmName": "c"},
            [("DeleteAlarms", f"{CLOUDWATCH}alarm:a"), ("DeleteAlarms", f"{CLOUDWATCH}alarm:b")],
        ),
        (
            "cloudwatch",
            "PutMetricAlarm",
            {"AlarmName": "a", "AlarmNames": ["b"], "ResourceARN": "c", "Tags": [{"Key": "k"}]},
            [("PutMetricAlarm", f"{CLOUDWATCH}alarm:a"), ("TagResource", f"{CLOUDWATCH}alarm:a")],
        ),
        (
            "cloudwatch",
            "PutDashboard",
            {"DashboardName": "d"},
            [("PutDashboard", "arn:aws:cloudwatch::123456789012:dashboard/d")],
        ),
        ("events", "PutRule", {"Name": "a", "Rule": "b"}, [("PutRule", f"{EVENTS}rule/a")]),
        (
            "events",
            "RemoveTargets",
            {"Rule": "a", "Name": "b", "EventBusName": "bus"},
            [("RemoveTargets", f"{EVENTS}rule/bus/a")],
        ),
        ("events", "ListRules", {}, [("ListRules", "*")]),
        ("events", "PutEvents", {"Entries": []}, [("PutEvents", f"{EVENTS}event-bus/default")]),
        (
            "events",
            "PutEvents",
            {"Entries": [{"EventBusName": "a"}, {"EventBusName": f"{EVENTS}event-bus/b"}]},
            [("PutEvents", f"{EVENTS}event-bus/a"), ("PutEvents", f"{EVENTS}event-bus/b")],
        ),
        (
            "events",
            "PutEvents",
            {"Entries": [{"EventBusName": "arn:aws:events:eu-west-1:210987654321:event-bus/b"}]},
            [("PutEvents", f"{EVENTS}event-bus/b")],
        ),
        ("events", "TagResource", {"ResourceARN": "a"}, [("TagResource", "a")]),
    ],
)
def test_an_alarm_or_a_rule_is_named(service, operation, parameters, needed):
    """Only the parameter that the operation uses counts, whatever else is given."""
    expected = [(f"{service}:{action}", resource) for action, resource in needed]
    assert needs(service, operation, **parameters) == expected


def test_another_service_needs_its_operation_on_everything():
    """For a service that is not in the table, the action is the operation's name, on any resource."""
    assert needs("ssm", "GetParameter", Name="n") == [("ssm:GetParameter", "*")]


@pytest.mark.parametrize(
    ("operation", "parameters", "actions"),
    [
        ("CreateQueue", {"QueueName": "q"}, ["CreateQueue"]),
        ("CreateQueue", {"QueueName": "q", "tags": {"a": "b"}}, ["CreateQueue", "TagQueue"]),
        ("SendMessage", {"QueueUrl": "http://127.0.0.1:5000/123456789012/q"}, ["SendMessage"]),
        ("SendMessageBatch", {"QueueUrl": "http://127.0.0.1:5000/123456789012/q"}, ["SendMessage"]),
    ],
)
def test_sqs_is_about_queues(operation, parameters, actions):
    """By name or by address. SQS has no action for a batch."""
    arn = "arn:aws:sqs:us-east-1:123456789012:q"
    assert needs("sqs", operation, **parameters) == [(f"sqs:{action}", arn) for action in actions]
    assert needs("sqs", "ListQueues") == [("sqs:ListQueues", "*")]


@pytest.mark.parametrize(
    ("service", "operation", "parameter"),
    [
        ("lambda", "CreateFunction", "Role"),
        ("lambda", "UpdateFunctionConfiguration", "Role"),
        ("states", "CreateStateMachine", "roleArn"),
        ("states", "UpdateStateMachine", "roleArn"),
    ],
)
def test_a_role_that_is_passed_on_needs_pass_role(service, operation, parameter):
    """A request with a role needs `iam:PassRole` to the service. Without a role, it does not."""
    last = required_permissions(ApiCall(service, operation, {parameter: "R"}, ROLE))[-1]
    assert (last.action, last.resource) == ("iam:PassRole", "R")
    assert last.context == (("iam:passedtoservice", f"{service}.amazonaws.com"),)
    assert len(required_permissions(ApiCall(service, operation, {}, ROLE))) == 1


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "action"),
    [
        ("dynamodb", "CreateTable", {"TableName": "T", "Tags": [1]}, "dynamodb:TagResource"),
        ("iam", "CreateRole", {"RoleName": "R", "Tags.member.1.Key": "k"}, "iam:TagRole"),
        ("iam", "CreateRole", {"RoleName": "R", "Tags.member.2.Key": "k"}, "iam:TagRole"),
        ("lambda", "CreateFunction", {"FunctionName": "f", "Tags": {"k": "v"}}, "lambda:TagResource"),
        ("sns", "CreateTopic", {"Name": "T", "Tags.member.1.Key": "k"}, "sns:TagResource"),
        ("states", "CreateStateMachine", {"name": "m", "tags": [1]}, "states:TagResource"),
    ],
)
def test_creating_with_tags_needs_the_right_to_tag(service, operation, parameters, action):
    """To create something with tags needs the right to tag it."""
    first, second = needs(service, operation, **parameters)
    assert second == (action, first[1])


def test_a_groups_tags_are_the_groups():
    """The resource of TagResource has no stream."""
    call = needs("logs", "CreateLogGroup", logGroupName="g", tags={"k": "v"})
    assert call[1] == ("logs:TagResource", LOGS + "g")


@pytest.mark.parametrize(
    ("method", "path", "operation", "parameters"),
    [
        ("POST", "/2015-03-31/functions/f/invocations", "Invoke", {"FunctionName": "f"}),
        ("GET", "/2015-03-31/functions/f", "GetFunction", {"FunctionName": "f"}),
        ("GET", "/2015-03-31/functions/", "ListFunctions", {}),
        ("POST", "/2015-03-31/functions", "CreateFunction", {}),
        ("PUT", "/2017-10-31/functions/f/concurrency", "PutFunctionConcurrency", {"FunctionName": "f"}),
        ("GET", "/2017-03-31/tags/arn%3Aaws", "ListTags", {"Resource": "arn:aws"}),
        ("GET", "/nowhere", "", {}),
    ],
)
def test_a_rest_operation_is_known_by_its_path(method, path, operation, parameters):
    """The operation and its parameters are in the method and the path."""
    assert rest_operation("lambda", method, path) == (operation, parameters)


def test_a_service_that_nobody_knows_has_no_operations():
    """An unknown service has no operations, and raises nothing."""
    assert rest_operation("nothing", "GET", "/") == ("", {})


def test_a_test_of_a_state():
    """It passes a role, unless it has a mock. Only with TestState a mock changes anything."""
    test, passed = ("states:TestState", "*"), ("iam:PassRole", ROLE.principal)
    mocked = {"roleArn": ROLE.principal, "mock": {"result": "1"}}
    assert needs("states", "TestState", roleArn=ROLE.principal) == [test, passed]
    assert needs("states", "TestState", **mocked) == [test]
    assert needs("states", "TestState", revealSecrets=True) == [test, ("states:RevealSecrets", "*")]
    assert needs("states", "CreateStateMachine", name="m", **mocked)[-1] == passed


@pytest.mark.parametrize(
    ("operation", "parameters", "resource"),
    [
        ("CreateStack", {"StackName": "s"}, STACKS + "stack/s/*"),
        ("DescribeStacks", {"StackName": STACKS + "stack/s/1"}, STACKS + "stack/s/1"),
        ("ExecuteChangeSet", {"ChangeSetName": STACKS + "changeSet/c/1"}, STACKS + "changeSet/c/1"),
        ("DescribeStacks", {}, "*"),
        ("ValidateTemplate", {}, "*"),
    ],
)
def test_cloudformation_is_about_stacks(operation, parameters, resource):
    """A name stands for all stacks that have it. A role is passed."""
    assert needs("cloudformation", operation, **parameters) == [(f"cloudformation:{operation}", resource)]


@pytest.mark.parametrize(
    ("service", "operation", "parameter"),
    [
        ("cloudformation", "CreateStack", "RoleARN"),
        ("lambda", "CreateFunction", "Role"),
        ("states", "CreateStateMachine", "roleArn"),
    ],
)
def test_the_role_that_counts_is_the_one_that_is_used(service, operation, parameter):
    """Others in the same request change nothing."""
    roles = dict.fromkeys(("RoleARN", "Role", "roleArn"), f"{IAM}role/other")
    used = {**roles, parameter: f"{IAM}role/used"}
    assert needs(service, operation, **used)[1:] == [("iam:PassRole", f"{IAM}role/used")]
