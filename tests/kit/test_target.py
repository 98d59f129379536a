"""One place decides which AWS is meant, and no mistake reaches a real account."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from botocore.exceptions import EndpointConnectionError, ParamValidationError

from lottery_lib import connect
from lottery_lib.aws_errors import AwsError
from lottery_lib.errors import DEPLOY, LotteryError
from lottery_lib.names import Names
from lottery_lib.target import elsewhere
from sfn_emulator import control

TRAPS = {
    "AWS_PROFILE": "nobody",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_DEFAULT_REGION": "cn-north-1",
    "AWS_CONFIG_FILE": "/nonexistent",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_DEFAULTS_MODE": "nonsense",
    "AWS_MAX_ATTEMPTS": "none",
}


def test_embedded_ignores_the_attendees_own_aws(monkeypatch):
    """On the emulator no profile, key, region, proxy or endpoint of the attendee's is used."""
    for name, value in TRAPS.items():
        monkeypatch.setenv(name, value)
    target = connect()
    assert (target.kind, target.region, target.account) == ("embedded", "us-east-1", "123456789012")
    assert target.client("sns").list_topics()["ResponseMetadata"]["HTTPStatusCode"] == 200
    key = control.status()["access_key_id"]
    assert target.client("sns")._request_signer._credentials.access_key == target.access_key == key


def test_endpoint(monkeypatch):
    """The address of the user's own emulator is a target, too. The kit reads its key from the file."""
    target = connect(connect().endpoint)
    assert (target.kind, target.account) == ("endpoint", "123456789012")


def test_partition_of_china():
    """The partition is the caller's: in a region of China every ARN is of aws-cn."""
    target = connect(region="cn-north-1")
    assert target.arn("sns", "x") == "arn:aws-cn:sns:cn-north-1:123456789012:x"


def test_region_of_the_environment(monkeypatch):
    """LOTTERY_REGION is the region of every emulator; a region that is given comes first."""
    monkeypatch.setenv("LOTTERY_REGION", "cn-north-1")
    embedded = connect()
    assert (embedded.region, embedded.partition) == ("cn-north-1", "aws-cn")
    assert connect(embedded.endpoint).region == "cn-north-1"
    assert connect(region="eu-west-1").region == "eu-west-1"


@pytest.mark.parametrize("region", ["moon", "us-east-99", "cn north 1"])
def test_region_that_is_none(monkeypatch, region):
    """It is refused in one sentence, before anything is asked."""
    monkeypatch.setenv("LOTTERY_REGION", region)
    with pytest.raises(
        LotteryError, match=r"LOTTERY_REGION: .* is not a region of AWS.*such as us-east-1, cn-north-1 or cn-"
    ):
        connect()


def test_two_connects_one_emulator():
    """A second connect finds the emulator of the first."""
    assert connect().endpoint == connect().endpoint


def test_nobody_there():
    """An address that nobody answers at is one sentence."""
    with pytest.raises(LotteryError, match="does not answer"):
        connect("http://127.0.0.1:9")


@pytest.mark.parametrize("status", [200, 302, 404, 429, 500])
def test_another_server_there(monkeypatch, status):
    """An address where something else answers with a page is one sentence, whatever the status."""

    class Page(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"<html><body>Hello</body></html>")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
        with pytest.raises(LotteryError) as caught:
            connect(where)
        server.shutdown()
    said = "AWS has a problem: wait a minute" if status == 500 else f"{where}: the reply is not one of AWS's"
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "where",
    [
        *("http://127.0.0.1:x", "http://127.0.0.1:99999", "http://a b", "http://"),
        *("https://sts.amazonaws.com", "https://sts.amazonaws.com.", "https://sts.amazonaw\u017f.com"),
        "https://sts.\uff41mazonaws.com",
    ],
)
def test_no_address(where):
    """What is no address is refused in one sentence; so is AWS's own, with a final dot or without."""
    with pytest.raises(LotteryError, match="is not the address of an emulator"):
        connect(where)


def test_what_the_emulator_does_not_do(target):
    """Nobody is asked to wait for it."""
    with pytest.raises(AwsError, match="The emulator does not do this: use AWS for it"):
        target.kit_client("stepfunctions").create_activity(name="by-hand")


def test_an_attendee_catches_what_boto3_documents(target):
    """The error of an attendee's call is boto3's own, not the kit's; a note says what to do."""
    states = target.client("stepfunctions")
    machine = target.arn("states", "stateMachine:Nothing")
    with pytest.raises(states.exceptions.StateMachineDoesNotExist) as caught:
        states.start_execution(stateMachineArn=machine)
    assert not isinstance(caught.value, LotteryError)
    assert caught.value.__notes__ == [f"{DEPLOY}."]
    told = f"State Machine Does Not Exist: '{machine}'"
    shown = f"An error occurred (StateMachineDoesNotExist) when calling the StartExecution operation: {told}"
    assert str(caught.value) == shown
    assert caught.value._render_traceback_() == [f"StateMachineDoesNotExist: {shown}", f"{DEPLOY}."]


def test_an_attendees_call_to_an_emulator_that_has_ended():
    """It raises boto3's error, with a note that says how to start it."""
    target = elsewhere("123456789012", "us-east-1", Names())  # nobody listens at its address
    with pytest.raises(EndpointConnectionError) as caught:
        target.client("iam").list_roles()
    assert caught.value.__notes__ == [f"{DEPLOY}."]


def test_a_wrong_parameter_is_shown_in_its_own_words(target):
    """IPython shows a wrong parameter as boto3's words alone, without its sixty lines of traceback."""
    with pytest.raises(ParamValidationError) as caught:
        target.client("iam").get_role(RoleName=3)
    [shown] = caught.value._render_traceback_()
    assert shown.startswith(
        "ParamValidationError: Parameter validation failed:\nInvalid type for parameter RoleName"
    )
