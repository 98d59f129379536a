"""IAM checks exactly the operation and the parameters that moto uses. Requests are raw HTTP here."""

import http.client
import json
from urllib.parse import urlencode

import pytest
from helpers import signed
from patience import SECONDS
from test_same_origin import Wire

FORM = "application/x-www-form-urlencoded"
TABLES = "DynamoDB_20120810.ListTables"
ROLE = "arn:aws:iam::123456789012:role/tests"
ASSUME = {"Action": "AssumeRole", "RoleArn": ROLE, "RoleSessionName": "xx", "Version": "2011-06-15"}


@pytest.fixture
def wire(emulator):
    return Wire(emulator)


@pytest.fixture
def weak(wire, user):
    """Sends requests as a user who may only list functions and tables."""
    ann = user({"Action": ["lambda:ListFunctions", "dynamodb:ListTables"], "Resource": "*"})

    def send(method, path, **options):
        return wire(method, path, key=ann.key["AccessKeyId"], **options)

    return send


@pytest.mark.parametrize(
    ("service", "path", "headers", "body"),
    [
        ("sts", f"/?{urlencode(ASSUME)}", {"X_Amz_Target": "X.GetSessionToken"}, b"{}"),
        ("sts", "/", {"X_Amz_Target": "X.GetSessionToken"}, urlencode({"a": ""} | ASSUME).encode()),
        ("sts", "/", {"X_Amz_Target": "X.GetSessionToken", "Action": "AssumeRole"}, b""),
        ("sts", "/?Action=GetSessionToken", {"Content_Type": FORM}, urlencode(ASSUME).encode()),
        ("sts", "/", {"Content_Type": FORM}, urlencode(ASSUME).encode() + b"&Action=GetSessionToken"),
        ("sts", "/", {"Content_Type": "text/plain"}, urlencode(ASSUME).encode()),
        ("dynamodb", "/?Action=DeleteTable", {"X_Amz_Target": TABLES}, b"{}"),
        ("dynamodb", "/?x=.eu-west-1.amazonaws.com", {"X_Amz_Target": TABLES}, b"{}"),
        ("dynamodb", "/", {"X_Amz_Target": TABLES, "Content_Type": FORM}, b"{}"),
        ("dynamodb", "/", {"X_Amz_Target": f"{TABLES}.Delete Table"}, b"{}"),
        ("dynamodb", "/", {"X_Amz_Target": "Logs_20140328.ListTables"}, b"{}"),
        ("dynamodb", "/", {"Content_Type": FORM}, b"Action=ListTables"),
        ("iam", "/", {"X_Amz_Target": TABLES}, b"{}"),
        ("lambda", "/", {"X_Amz_Target": TABLES}, b"{}"),
    ],
)
def test_a_request_that_says_two_things_is_refused(weak, service, path, headers, body):
    """A request with two operations, a repeated parameter or another service is refused."""
    assert weak("POST", path, service=service, body=body, **headers)[0] == 400


@pytest.mark.parametrize(
    ("method", "rest", "headers"),
    [
        ("POST", "/invocations?Action=ListFunctions", {}),
        ("DELETE", "?Action=ListFunctions", {}),
        ("POST", "/invocations", {"X_Amz_Target": "X.ListFunctions"}),
        ("GET", "?Qualifier=1&Qualifier=$LATEST", {}),
        ("DELETE", "%2Fconcurrency", {}),
    ],
)
def test_only_the_path_names_lambdas_operation(weak, function, method, rest, headers):
    """A request to Lambda with an Action or a target is refused."""
    it = function("def lambda_handler(event, context): return 1")
    path = f"/2015-03-31/functions/{it.name}{rest}"
    assert weak(method, path, service="lambda", body=b"{}", **headers)[0] == 400
    assert it() == 1


def test_no_parameter_of_lambda_has_two_values(wire, user):
    """The role that is passed is the role in the body."""
    ann = user({"Action": ["lambda:CreateFunction", "iam:PassRole"], "Resource": "*"})
    body = json.dumps({"Role": ROLE, "FunctionName": "f"}).encode()
    path = "/2015-03-31/functions?Role=arn:aws:iam::123456789012:role/mine"
    assert wire("POST", path, service="lambda", key=ann.key["AccessKeyId"], body=body)[0] == 400


def test_the_text_of_a_json_body_is_no_form(weak, table):
    """There, moto would look for an Action."""
    body = json.dumps({"x": f"&Action=DescribeTable&TableName={table}&"}).encode()
    status, text, _ = weak("POST", "/", service="dynamodb", body=body, X_Amz_Target=TABLES)
    assert (status, "TableNames" in text) == (200, True)


@pytest.mark.parametrize(
    ("region", "service", "status"),
    [
        *[(region, "sns", 400) for region in ("s3", "us-s3-1", "us-east", "")],
        *[("us-east-1", service, 400) for service in ("foo-s3", "s3-outposts", "eventbridge", "queue")],
        *[(region, "sns", 200) for region in ("us-gov-west-1", "cn-north-1", "ap-southeast-7")],
    ],
)
def test_the_scope_has_a_region_and_a_service(wire, region, service, status):
    """By another one, moto would find S3, EventBridge or SQS, which IAM would know under another name."""
    scope = f"{wire.told['access_key_id']}/20200101/{region}/{service}/aws4_request"
    sent = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    told, text, _ = wire("GET", "/?Action=ListTopics&Version=2010-03-31", **sent)
    assert (told, "Credential should be scoped" in text) == (status, status == 400)


@pytest.mark.parametrize("name", ["X_Amz_Target", "Action", "X-Moto-Account-Id"])
def test_moto_gets_no_headers_that_the_gate_does_not_read(wire, function, name):
    """A header whose name has a _ does not reach moto, because moto would read it as a -."""
    it = function("def lambda_handler(event, context): return 1")
    headers = {"Host": wire.own, name: "X.DeleteFunction"}
    connection = raw(wire, f"/2015-03-31/functions/{it.name}", headers)
    assert connection.status == 200
    assert json.loads(connection.read())["Configuration"]["FunctionName"] == it.name
    assert it() == 1


def raw(wire, path, headers):
    """The reply to a GET of the owner; unlike `wire`, it keeps a _ in a header's name."""
    connection = http.client.HTTPConnection("127.0.0.1", wire.told["port"], timeout=SECONDS)
    connection.request("GET", path, headers=headers | signed(wire.told["access_key_id"], "lambda"))
    return connection.getresponse()


def test_a_query_of_a_signed_get_still_works(wire):
    """Some clients put everything into the query."""
    status, text, _ = wire.owner("GET", "/?Action=ListTopics&Version=2010-03-31")
    assert (status, "ListTopicsResult" in text) == (200, True)


def test_tags_are_taken_off_by_a_list_in_the_query(function):
    """Lambda's tagKeys is the only parameter that a path's query may repeat."""
    it = function("def lambda_handler(event, context): return 1")
    arn = it.client.get_function(FunctionName=it.name)["Configuration"]["FunctionArn"]
    it.client.tag_resource(Resource=arn, Tags={"a": "1", "b": "2", "c": "&Action=x"})
    it.client.untag_resource(Resource=arn, TagKeys=["a", "b"])
    assert it.client.list_tags(Resource=arn)["Tags"] == {"c": "&Action=x"}
