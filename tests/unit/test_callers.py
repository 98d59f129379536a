"""Who comes without credentials, region or right clock is told what to do."""

from types import SimpleNamespace

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError
from botocore.httpsession import URLLib3Session
from refusal import refused

from lottery_lib import connect
from lottery_lib.target import introduction

KEYS = "aws_access_key_id = AKIA\naws_secret_access_key = secret\n"
REGION = "region = us-east-1\n"
CALLER = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:{partition}:iam::111122223333:user/ann</Arn>"
    "<UserId>AIDA</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)


class Network:
    """AWS as botocore's HTTP layer sees it: the hosts that were asked, and one answer."""

    def __init__(self):
        self.hosts = []
        self.reply = (200, CALLER.format(partition="aws"))

    def send(self, request):
        self.hosts.append(request.url.split("/")[2])
        if isinstance(self.reply, Exception):
            raise self.reply
        status, body = self.reply
        return AWSResponse(request.url, status, {"Content-Type": "text/xml"}, _Body(body.encode()))


class _Body:
    def __init__(self, content):
        self.content = content

    def stream(self):
        yield self.content


@pytest.fixture
def network(monkeypatch):
    network = Network()
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
    monkeypatch.setattr(URLLib3Session, "send", network.send)
    return network


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """`settings(text)`: the attendee's AWS configuration file, and no credentials but what it holds."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))

    def write(text):
        (tmp_path / "config").write_text(f"[default]\n{text}")

    return write


def test_caller(network, settings):
    """Account, region, partition and attendee are told, as AWS knows the caller."""
    settings(REGION + KEYS)
    told = introduction(connect("aws", attendee="ann"))
    assert told == "AWS account 111122223333, region us-east-1, partition aws, attendee ann"


def test_region_of_china(network, settings):
    """In China the calls go to hosts in China, and the partition is that of the caller's ARN."""
    settings("region = cn-northwest-1\n" + KEYS)
    network.reply = (200, CALLER.format(partition="aws-cn"))
    target = connect("aws")
    assert target.partition == "aws-cn"
    assert network.hosts == ["sts.cn-northwest-1.amazonaws.com.cn"]
    assert target.client("iam").meta.endpoint_url == "https://iam.cn-north-1.amazonaws.com.cn"


def test_region_of_the_emulator_is_not_awss(network, settings, monkeypatch):
    """LOTTERY_REGION is for emulators: on AWS the attendee's own settings say where."""
    settings(REGION + KEYS)
    monkeypatch.setenv("LOTTERY_REGION", "cn-north-1")
    assert connect("aws").region == "us-east-1"
    assert network.hosts == ["sts.us-east-1.amazonaws.com"]


SSO = "sso_start_url = https://x.example\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = r\n"
PROCESS = "credential_process = false\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (REGION, "Unable to locate credentials. Run `aws configure`, or set AWS_PROFILE"),
        (REGION + "aws_access_key_id = AKIA\n", "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY both"),
        (REGION + SSO, "`aws sso login`"),
        (REGION + PROCESS, "Renew the credentials"),
        (KEYS, "no region is set. Set AWS_DEFAULT_REGION, such as us-east-1"),
        ("region = us east\n" + KEYS, "Set AWS_DEFAULT_REGION to a region of your account"),
        (REGION + KEYS + "endpoint_url = http://127.0.0.1:9\n", "endpoint_url of the AWS profile would send"),
        (REGION + KEYS + "services = here\n", "services of the AWS profile would send the calls elsewhere"),
        ("region\n", "Unable to parse config file"),
    ],
)
def test_settings(network, settings, text, said):
    """Credentials that are missing, half there or over, a region that is none: each says what to set."""
    settings(text)
    message = refused(connect, "aws")
    assert said in message
    assert network.hosts == []


def test_unknown_profile(network, settings, monkeypatch):
    """A profile that there is not is said by its name."""
    settings(REGION + KEYS)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "(nobody) could not be found. Set AWS_PROFILE to a profile that exists" in refused(connect, "aws")


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SFN"])
def test_endpoint_in_the_environment(network, settings, monkeypatch, name):
    """An endpoint of the environment would send the calls elsewhere: nothing is sent at all."""
    settings(REGION + KEYS)
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert f"{name} would send the calls elsewhere" in refused(connect, "aws")
    assert network.hosts == []


def test_unknown_region(network, settings):
    """A region that looks like one but is none has no host: the region is named as a cause."""
    settings("region = xx-nowhere-1\n" + KEYS)
    network.reply = EndpointConnectionError(endpoint_url="https://sts.xx-nowhere-1.amazonaws.com/")
    assert "xx-nowhere-1.amazonaws.com/: does not answer. Check the network and the region" in refused(
        connect, "aws"
    )


OTHER_KEYS = "Keys of AWS China work only in China's regions, and other keys only elsewhere"
INVALID = "The security token included in the request is invalid"
EXPIRED = "The security token included in the request is expired"
OLD = "Signature expired: 20261125T000000Z is now earlier than 20261125T085500Z (20261125T090000Z - 5 min.)"
REFUSALS = [
    ("ExpiredToken", EXPIRED, "Renew the credentials"),
    ("ExpiredTokenException", "The token has expired", "then connect again"),
    ("InvalidClientTokenId", INVALID, OTHER_KEYS),
    ("UnrecognizedClientException", INVALID, "Keys of AWS China"),
    ("SignatureDoesNotMatch", OLD, "Set the clock of this computer"),
    ("InvalidSignatureException", OLD, "Set the clock of this computer"),
    ("SignatureDoesNotMatch", "Signature not yet current: 2027", "Set the clock of this computer"),
    ("SignatureDoesNotMatch", "The request signature we calculated does not match", "set both again"),
    ("IncompleteSignature", "Authorization header requires ...", "set both again"),
    ("ResourceInUseException", "Table already exists: T", "Go on with the next step"),
    ("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'", "answer the token of a task"),
    ("AccessDenied", "ann may not", "Ask the administrator of the account for this right"),
]


@pytest.mark.parametrize(("code", "message", "advice"), REFUSALS)
def test_refused_caller(network, settings, code, message, advice):
    """A caller that AWS refuses is told why, and what to do. AWS is not asked again."""
    settings(REGION + KEYS)
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    network.reply = (403, f"<ErrorResponse>{error}</ErrorResponse>")
    said = refused(connect, "aws")
    assert message.rstrip(".") in said
    assert advice in said
    assert len(network.hosts) == 1
