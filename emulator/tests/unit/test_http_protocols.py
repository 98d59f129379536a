"""CloudWatch's protocols become JSON, and replies become what was asked."""

import datetime
import gzip
import json
from urllib.parse import urlencode

import botocore.session
import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from sfn_emulator.http.messages import MalformedRequestError, RefusalError, Request
from sfn_emulator.http.parameters import parameters_of_form
from sfn_emulator.http.protocols import error_in_protocol_of, in_json, in_protocol_of
from sfn_emulator.http.replies import json_reply

MODEL = botocore.session.get_session().get_service_model("cloudwatch")
SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=K/20260101/us-east-1/monitoring/aws4_request"}
AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
GIVEN = {
    "MetricDataQueries": [
        {
            "Id": "q",
            "ReturnData": True,
            "MetricStat": {
                "Metric": {"Namespace": "n", "MetricName": "m", "Dimensions": [{"Name": "a", "Value": "b&"}]},
                "Period": 60,
                "Stat": "Sum",
            },
        }
    ],
    "StartTime": AT,
    "EndTime": AT + datetime.timedelta(hours=1),
}
PROTOCOLS = ("json", "query", "smithy-rpc-v2-cbor")


def request(protocol, operation, given):
    """What an SDK sends."""
    made = create_serializer(protocol, include_validation=False).serialize_to_request(
        given, MODEL.operation_model(operation)
    )
    headers = {name.lower(): value for name, value in made["headers"].items()} | SIGNED
    body = made["body"]
    if isinstance(body, dict):
        body = urlencode(body)
    body = body.encode() if isinstance(body, str) else bytes(body)
    return Request(made["method"], made["url_path"], headers, body)


def read(protocol, operation, reply):
    """What an SDK makes of a reply."""
    shape = MODEL.operation_model(operation).output_shape
    told = {"status_code": reply.status, "headers": dict(reply.headers), "body": reply.body}
    found = create_parser(protocol).parse(told, shape)
    found.pop("ResponseMetadata", None)
    return found


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_request_means_the_same_in_each_protocol(protocol):
    """Lists, structures, numbers, truth values and times."""
    plain = in_json(request(protocol, "GetMetricData", GIVEN))
    assert plain.operation == "GetMetricData"
    at = AT.timestamp()
    assert plain.json == GIVEN | {"StartTime": at, "EndTime": at + 3600}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_reply_is_read_by_each_sdk(protocol):
    """A large list, text with signs of XML, numbers and times."""
    asked = request(protocol, "GetMetricStatistics", {})
    points = [{"Timestamp": AT.timestamp() + n, "Sum": n + 0.5, "Unit": "Count"} for n in range(300)]
    reply = in_protocol_of(asked, json_reply({"Label": "<ü>", "Datapoints": points}))
    times = [{**point, "Timestamp": AT + datetime.timedelta(seconds=n)} for n, point in enumerate(points)]
    assert read(protocol, "GetMetricStatistics", reply) == {"Label": "<ü>", "Datapoints": times}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_error_has_the_same_name_in_each_protocol(protocol):
    """Clients know it by its name in the query protocol."""
    asked = request(protocol, "DeleteAlarms", {"AlarmNames": ["a"]})
    reply = error_in_protocol_of(asked, RefusalError("InvalidParameterValue", "wrong"))
    error = read(protocol, "DeleteAlarms", reply)["Error"]
    assert (error["Code"], error["Message"]) == ("InvalidParameterValue", "wrong")


def test_a_compressed_body_is_unpacked():
    """But not a small one that would become very large."""
    asked = request("json", "PutMetricData", {"Namespace": "n", "MetricData": []})
    headers = {**asked.headers, "content-encoding": "gzip"}
    assert in_json(Request("POST", "/", headers, gzip.compress(asked.body))).json["Namespace"] == "n"
    with pytest.raises(RefusalError, match="too large"):
        in_json(Request("POST", "/", headers, gzip.compress(b" " * 10_000_000)))


@pytest.mark.parametrize(
    "asked",
    [
        Request("POST", "/", SIGNED | {"content-type": "application/x-www-form-urlencoded"}, b"A=1"),
        Request("POST", "/?Action=DescribeAlarms&MaxRecords=x", SIGNED),
        Request("POST", "/?Action=DescribeAlarms&AlarmNames=a&AlarmNames.member.1=b", SIGNED),
        Request("POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics", SIGNED, b"\xa1"),
        Request("POST", "/", SIGNED | {"content-encoding": "gzip"}, b"no gzip"),
    ],
)
def test_what_cannot_be_read_is_malformed(asked):
    """No operation, a wrong number, two meanings, an end in the middle, and no gzip."""
    with pytest.raises(MalformedRequestError) as caught:
        in_json(asked)
    assert str(caught.value) == "the request cannot be read"  # no text of Python


@pytest.mark.parametrize(
    "form", ["Tags=x&Tags.b=y", "Tags.member.x=1", "Tags.member=x", "Capabilities.a.b=x", "DisableRollback=x"]
)
def test_parameters_that_cannot_be_read_are_malformed(form):
    """The answer has no text of Python."""
    with pytest.raises(MalformedRequestError, match="the request cannot be read"):
        parameters_of_form(Request("POST", f"/?Action=CreateStack&StackName=s&{form}", {}), "cloudformation")


@pytest.mark.parametrize(
    ("service", "operation", "given"),
    [
        ("cloudformation", "CreateStack", {"StackName": "s", "Tags": [], "DisableRollback": True}),
        ("sns", "CreateTopic", {"Name": "n", "Attributes": {"a": "b"}, "Tags": [{"Key": "k", "Value": ""}]}),
        ("sns", "Publish", {"MessageAttributes": {"m": {"DataType": "String", "StringValue": "v"}}}),
    ],
)
def test_a_form_has_the_parameters_of_its_model(service, operation, given):
    """Lists, also empty ones, and maps, whose keys and values have names of their own."""
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    body = create_serializer("query", include_validation=False).serialize_to_request(given, model)["body"]
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert parameters_of_form(Request("POST", "/", form, urlencode(body).encode()), service) == given


def test_mails_and_others_are_not_touched():
    """The error of another service stays what it is."""
    asked = Request("POST", "/", {"x-amz-target": "AWSStepFunctions.X"})
    assert json.loads(error_in_protocol_of(asked, RefusalError("E", "m")).body)["__type"] == "E"


def test_a_form_that_is_not_allowed_is_denied():
    """What CloudWatch answers has JSON's code before it is turned into XML."""
    asked = request("query", "DeleteAlarms", {"AlarmNames": ["a"]})
    reply = error_in_protocol_of(asked, RefusalError("AccessDeniedException", "no"))
    assert (reply.status, read("query", "DeleteAlarms", reply)["Error"]["Code"]) == (403, "AccessDenied")
