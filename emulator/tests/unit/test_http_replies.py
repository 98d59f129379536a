"""Errors have the form of the request's protocol."""

import json
import re

import pytest

from sfn_emulator.http.messages import RefusalError, Request
from sfn_emulator.http.replies import error_reply, query_reply

FORM = {"content-type": "application/x-www-form-urlencoded"}


def refused(target="/", service="", status=404, **headers):
    scope = f"AWS4-HMAC-SHA256 Credential=K/20200101/us-east-1/{service}/aws4_request"
    request = Request("POST", target, {"authorization": scope} | headers)
    return error_reply(request, RefusalError("Oops", "why", status, Reason="R"))


@pytest.mark.parametrize(("target", "headers"), [("/functions/f?x=1", {}), ("/f?action=x", {}), ("/f", FORM)])
def test_an_error_of_lambda(target, headers):
    """It is JSON, whatever the request looks like, and its code is a header."""
    reply = refused(target, "lambda", **headers)
    assert (reply.status, reply.headers["x-amzn-errortype"]) == (404, "Oops")
    assert reply.headers["Content-Type"] == "application/json"
    assert json.loads(reply.body) == {"Type": "User", "message": "why", "Reason": "R"}


def test_an_error_of_a_json_protocol():
    """Its code is also in the body."""
    reply = refused(service="states", **{"x-amz-target": "AWSStepFunctions.X"})
    assert reply.headers["Content-Type"] == "application/x-amz-json-1.0"
    assert json.loads(reply.body) == {"__type": "Oops", "message": "why", "Reason": "R"}


@pytest.mark.parametrize(("target", "headers"), [("/?Action=X", {}), ("/", FORM)])
def test_an_error_of_the_query_protocol(target, headers):
    """An error in the query protocol is XML."""
    reply = refused(target, "sns", **headers)
    assert reply.headers["Content-Type"] == "text/xml"
    assert b"<Code>Oops</Code><Message>why</Message>" in reply.body


@pytest.mark.parametrize(("service", "host"), [("sns", "sns"), ("iam", "iam"), ("monitoring", "monitoring")])
def test_xml_is_in_the_namespace_of_its_service(service, host):
    """An answer and an error. Some clients look for it."""
    for reply in (query_reply(service, "X", {}), refused("/?Action=X", service)):
        assert re.search(rb'^<\w+ xmlns="https?://(\w+)\.', reply.body)[1].decode() == host


@pytest.mark.parametrize(("status", "fault"), [(404, b"Sender"), (500, b"Receiver"), (503, b"Receiver")])
def test_an_error_says_whose_fault_it_is(status, fault):
    """From 500 on, it is AWS's."""
    assert b"<Type>%s</Type>" % fault in refused("/?Action=X", "sns", status).body
