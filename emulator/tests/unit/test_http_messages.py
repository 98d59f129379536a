"""What a request and a reply are."""

import pytest

from sfn_emulator.http.messages import Arn, Reply, Request, Scope

SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=KEY/20260101/eu-west-1/sns/aws4_request, Signature=0"}


def test_a_changed_reply_has_no_old_checksum():
    """Botocore would ask again, and delete a table that is gone, if a checksum were of another body."""
    assert Reply(200, b"{}", {"X-Amz-Crc32": "1"}).with_json({"a": 1}).headers == {}


@pytest.mark.parametrize(
    ("path", "headers", "service"),
    [
        ("/", SIGNED, "sns"),
        ("/2015-03-31/functions/f/invocations", SIGNED, "sns"),
        ("/2015-03-31/functions/f/invocations", {}, "lambda"),
        ("/2017-10-31/functions", {}, "lambda"),
        ("/", {"x-amz-target": "AWSStepFunctions.StartExecution"}, "states"),
        ("/_emulator/mail", {}, ""),
    ],
)
def test_the_service_is_that_of_the_signature(path, headers, service):
    """Without a signature the path or the target tells it."""
    assert Request("POST", path, headers).scope.service == service


def test_an_arn_has_the_scopes_partition():
    """An ARN in a region of China has its own partition."""
    scope = Scope(region="cn-north-1", service="lambda")
    assert scope.arn("function:f") == "arn:aws-cn:lambda:cn-north-1:123456789012:function:f"


@pytest.mark.parametrize("text", ["arn:aws:sns:us-east-1:1:a:b", "arn:aws:iam::1:role/a/b"])
def test_an_arn_is_read_and_written(text):
    """Its resource may have colons and slashes."""
    assert str(Arn.of(text)) == text


def test_a_broken_arn_has_empty_parts():
    """A broken ARN is no error. Its missing parts are empty."""
    assert Arn.of("nonsense") == ("", "", "", "", "")
