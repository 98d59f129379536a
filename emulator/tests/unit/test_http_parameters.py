"""Requests in any protocol are compared with AWS's model of their operation."""

import json
from urllib.parse import urlencode

import pytest

from sfn_emulator.http.messages import MalformedRequestError, RefusalError, Request
from sfn_emulator.http.parameters import check_request, fault_of, refusal_of

CREDENTIAL = "AWS4-HMAC-SHA256 Credential=AKIA/20200101/us-east-1/{}/aws4_request, SignedHeaders=host"
TABLE = {"TableName": "Names"}


def request(service, method="POST", target="/", body=b"", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, target, {"authorization": CREDENTIAL.format(service)} | named, body)


def in_json(target, parameters, service="dynamodb"):
    return request(service, body=json.dumps(parameters).encode(), x_amz_target=target)


def in_form(service, **parameters):
    form = {"content_type": "application/x-www-form-urlencoded"}
    return request(service, body=urlencode(parameters).encode(), **form)


def xml(body):
    return f"<Delete>{body}</Delete>".encode()


GET, PUT = "DynamoDB_20120810.GetItem", "DynamoDB_20120810.PutItem"
FUNCTIONS = "/2015-03-31/functions"


@pytest.mark.parametrize(
    "asked",
    [
        in_json(GET, TABLE | {"Key": {"id": {"S": "1"}}, "ConsistentRead": None}),
        in_json(PUT, TABLE | {"Item": {"id": {"B": "YQ=="}, "n": {"L": [{"NULL": True}]}}}),
        in_json("DynamoDB_20120810.Nothing", {"any": 1}),
        in_json("AmazonSSM.GetParameter", {"Name": "p", "WithDecryption": True}, "ssm"),
        in_form("iam", Action="ListRoles", MaxItems=5),
        in_form("sns", Action="Publish", Message="m", Unknown="u"),
        request("lambda", "GET", f"{FUNCTIONS}/f?Qualifier=1"),
        request("lambda", "POST", "/2014-11-13/functions/f/invoke-async", b'{"a": 1}'),
        request(
            "lambda", "DELETE", "/2017-03-31/tags/arn:aws:lambda:us-east-1:1:function:f?tagKeys=a&tagKeys=b"
        ),
        request("s3", "GET", "/bucket?list-type=2&max-keys=5"),
        request("s3", "PUT", "/bucket/key", b"\xff<", x_amz_storage_class="STANDARD"),
        request("s3", "POST", "/bucket?delete", xml("<Object><Key>k</Key></Object><Quiet>true</Quiet>")),
        request("s3", "PUT", "/bucket?tagging", b"<T><TagSet/></T>"),
        request("route53", "POST", "/2013-04-01/hostedzone", b"<a"),
        request("nobody", "POST", "/any", b"?"),
    ],
)
def test_a_request_that_fits(asked):
    """Unknown parameters and operations are not looked at, nor are bodies of which there is no model."""
    check_request(asked)


@pytest.mark.parametrize(
    ("asked", "code", "text"),
    [
        (in_json(GET, TABLE), "ValidationException", "Value null at 'key' failed"),
        (in_json(PUT, TABLE | {"Item": {}, "ReturnValues": "ANY"}), "ValidationException", "enum value set"),
        (in_json("Logs_20140328.CreateLogGroup", {}, "logs"), "InvalidParameterException", "'logGroupName'"),
        (in_form("iam", Action="GetRole"), "ValidationError", "Value null at 'roleName' failed"),
        (in_form("iam", Action="ListRoles", MaxItems=0), "ValidationError", "'maxItems' failed"),
        (request("lambda", "GET", f"{FUNCTIONS}?MaxItems=0"), "ValidationException", "'maxItems' failed"),
        (
            request("lambda", "POST", FUNCTIONS, b'{"FunctionName": "f"}'),
            "ValidationException",
            "'role' failed",
        ),
        (request("s3", "GET", "/bucket?max-keys=x"), "InvalidArgument", "The value of max-keys is not valid"),
        (request("s3", "PUT", "/b/k", x_amz_storage_class="?"), "InvalidArgument", "'storageClass' failed"),
        (request("s3", "POST", "/bucket?delete", xml("<Object><Key>k</Key>")), "MalformedXML", "well-formed"),
        (request("s3", "PUT", "/bucket?versioning", b"<V"), "MalformedXML", "well-formed"),
        (request("s3", "PUT", "/bucket?tagging", b"<T></T>"), "MalformedXML", "well-formed"),
        (request("s3", "PUT", "/bucket?tagging"), "MissingRequestBodyError", "empty"),
    ],
)
def test_a_request_that_does_not_fit(asked, code, text):
    """The error has the code of its service."""
    with pytest.raises(RefusalError, match=text) as raised:
        check_request(asked)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (in_json(GET, {"TableName": 5}), "'TableName' must be a string"),
        (in_json(GET, TABLE | {"Key": []}), "'Key' must be an object"),
        (in_json(PUT, TABLE | {"Item": {"id": {"B": "?"}}}), r"'Item\.?.*' must be a string in Base64"),
        (in_json("DynamoDB_20120810.Scan", TABLE | {"Limit": 1.5}), "'Limit' must be a whole number"),
        (
            in_json("DynamoDB_20120810.Scan", TABLE | {"Limit": 10**40}),
            "'Limit' must be a number of this size",
        ),
        (in_form("iam", Action="ListRoles", MaxItems="1.5"), "the request cannot be read"),
        (request("lambda", "GET", f"{FUNCTIONS}?MaxItems=x"), "'MaxItems' cannot be read"),
        (request("lambda", "POST", FUNCTIONS, b'{"FunctionName": 5}'), "'FunctionName' must be a string"),
        (request("lambda", "POST", FUNCTIONS, b'{"Timeout": NaN}'), "NaN is not JSON"),
        (request("lambda", "POST", FUNCTIONS, rb'{"Role": "\ud800"}'), "half of a character"),
    ],
)
def test_a_request_that_cannot_be_read(asked, text):
    """A parameter has another type, or is no value of JSON."""
    with pytest.raises(MalformedRequestError, match=text):
        check_request(asked)


def test_what_the_emulator_itself_cannot_do_is_no_fault_of_the_client():
    """Only then it is an internal failure."""
    asked = in_json(GET, TABLE | {"Key": {}})
    assert fault_of(asked, KeyError("x")).code == "InternalFailure"
    assert fault_of(in_json(GET, TABLE), KeyError("Key")).code == "ValidationException"
    assert fault_of(asked, RecursionError()).code == "SerializationException"
    optional = fault_of(asked, KeyError("ProjectionExpression"))  # moto needs more than the model
    assert (optional.code, "'projectionExpression'" in optional.message) == ("ValidationException", True)
    assert fault_of(in_json(GET, {"TableName": 5, "Key": {}}), ValueError()).code == "SerializationException"


EXPORT = in_json("DynamoDB_20120810.DescribeExport", {"ExportArn": "x" * 40})
CREATE = in_json("DynamoDB_20120810.CreateTable", TABLE)
NOT_DONE = "The emulator cannot do this with these parameters"


@pytest.mark.parametrize(
    ("asked", "error", "code", "text"),
    [
        (EXPORT, KeyError("x" * 40), "ExportNotFoundException", "does not exist"),
        (CREATE, KeyError("KeySchema"), "ValidationException", "Value null at 'keySchema'"),
        (CREATE, KeyError(), "ValidationException", NOT_DONE),
        (in_form("sns", Action="ListTopics", NextToken="x"), ValueError("x"), "InvalidParameter", NOT_DONE),
        (in_form("iam", Action="ListRoles"), IndexError(), "ValidationError", NOT_DONE),
    ],
)
def test_what_moto_cannot_carry_out_is_a_4xx(asked, error, code, text):
    """Something does not exist, or is missing. If nobody knows, the answer says so."""
    told = refusal_of(asked, error)
    assert (told.code, text in told.message, told.status < 500) == (code, True, True)
