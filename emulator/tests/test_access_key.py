"""Who does not have the emulator's access key can do nothing. Requests are raw HTTP here."""

import json
import os
import re
import socket
import stat
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
from botocore.exceptions import ClientError
from helpers import (
    Caller,
    Own,
    client_of,
    emulator_in,
    free_port,
    lists_topics,
    refused,
    signed,
    state_home,
    trust,
)
from patience import SECONDS
from test_same_origin import Wire

from sfn_emulator import control

STRANGER = "AKIAAAAAAAAAAAAAAAAA"
#: A call of each service, and the name that this service has for an unknown key.
CALLS = {
    "sts": ("get_caller_identity", "InvalidClientTokenId"),
    "iam": ("list_users", "InvalidClientTokenId"),
    "sns": ("list_topics", "InvalidClientTokenId"),
    "dynamodb": ("list_tables", "UnrecognizedClientException"),
    "stepfunctions": ("list_state_machines", "UnrecognizedClientException"),
    "lambda": ("list_functions", "UnrecognizedClientException"),
    "logs": ("describe_log_groups", "UnrecognizedClientException"),
    "sqs": ("list_queues", "UnrecognizedClientException"),
}


@pytest.fixture
def wire(emulator):
    return Wire(emulator)


@pytest.fixture(scope="module")
def second():
    """A second emulator, whose home is open to all, as it may be. It is new at its port.

    `second.before` is what its predecessor there told at its start and at its stop. After that, somebody has
    put a file that all can read in the place of the key.
    """
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)
        with state_home(home):
            before = [control.start(number := free_port()), control.stop(number)]
        path = Path(before[0]["access_key_file"])
        before[1]["file is there"] = path.exists()
        path.write_text("old")
        path.chmod(0o666)
        with emulator_in(home, number) as told:
            second = Own(told, home)
            second.before = before
            yield second


@pytest.fixture
def at_home(second, monkeypatch):
    """`control` finds the second emulator here."""
    monkeypatch.setenv("XDG_STATE_HOME", second.home)


@pytest.mark.parametrize("service", CALLS)
def test_an_unknown_key_gets_awss_answer(emulator, service):
    """Each service has its own name for it, and the status is 403."""
    operation, code = CALLS[service]
    stranger = client_of(emulator["endpoint"], service, key={"AccessKeyId": STRANGER, "SecretAccessKey": "x"})
    told = refused(getattr(stranger, operation))
    assert told == (code, "The security token included in the request is invalid.")
    assert told.status == 403


JSON = "application/x-amz-json-1.0"
FORM = "application/x-www-form-urlencoded"
UNSIGNED = [
    ("POST", "/", {"X_Amz_Target": "AWSStepFunctions.ListStateMachines", "Content_Type": JSON}, b"{}"),
    ("POST", "/", {"X_Amz_Target": "DynamoDB_20120810.ListTables", "Content_Type": JSON}, b"{}"),
    ("POST", "/", {"Content_Type": FORM}, b"Action=ListUsers&Version=2010-05-08"),
    ("POST", "/", {"Content_Type": FORM}, b"Action=GetCallerIdentity&Version=2011-06-15"),
    ("POST", "/", {"Content_Type": FORM}, b"Action=AssumeRoleWithSAML&Version=2011-06-15"),
    ("GET", "/?Action=ListTopics", {}, b""),
    ("GET", "/2015-03-31/functions/", {}, b""),
    ("POST", "/2015-03-31/functions/f/invocations", {"Content_Type": "text/plain"}, b"{}"),
    ("GET", "/bucket/key", {}, b""),
    ("PUT", "/bucket", {}, b""),
    ("GET", "/latest/meta-data/iam/security-credentials/", {}, b""),
]


REFUSED = [
    {},
    {"Authorization": "nonsense"},
    {"Authorization": signed(STRANGER)["Authorization"]},
    {"Host": "evil.example"},
    {"Origin": "http://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("length", ["Content-Length: 90000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("headers", REFUSED, ids=str)
def test_a_request_is_refused_before_its_body_comes(emulator, headers, length):
    """Nobody without the key, and no foreign page, takes from the room for bodies; the connection ends."""
    own = {"Host": f"127.0.0.1:{emulator['port']}"} | headers
    if "Authorization" not in own and headers:
        own |= signed(emulator["access_key_id"])
    lines = "".join(f"{name}: {value}\r\n" for name, value in own.items())
    with socket.create_connection(("127.0.0.1", emulator["port"]), timeout=SECONDS) as wire:
        wire.sendall(f"POST / HTTP/1.1\r\n{lines}{length}\r\n\r\n".encode())
        assert wire.makefile("rb").read().split()[1] == b"403"


def test_a_second_length_hides_no_body(emulator):
    """One Content-Length counts: the one that was looked at."""
    head = f"GET /_emulator/health HTTP/1.1\r\nHost: 127.0.0.1:{emulator['port']}\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", emulator["port"]), timeout=SECONDS) as wire:
        wire.sendall(f"{head}Content-Length: 90000000\r\nContent-Length: 0\r\n\r\n".encode())
        assert wire.makefile("rb").read().split()[1] == b"200"


@pytest.mark.parametrize(("method", "path", "headers", "body"), UNSIGNED)
def test_an_unsigned_request_is_refused(wire, method, path, headers, body):
    """A request without a signature is refused in the form of its protocol."""
    status, text, told = wire(method, path, body=body, **headers)
    if headers.get("Content_Type") == FORM or "Action=" in path:
        assert status == 403
        assert "<Code>MissingAuthenticationToken</Code>" in text
    elif "X_Amz_Target" in headers:
        assert (status, json.loads(text)["__type"]) == (400, "MissingAuthenticationTokenException")
    else:
        assert status == 403
        assert told["x-amzn-errortype"].startswith("MissingAuthenticationToken")


@pytest.mark.parametrize(
    "header",
    [
        "Basic dGVzdDp0ZXN0",
        "AWS KEY:signature",
        "AWS4-HMAC-SHA256 Credential=KEY/20200101/us-east-1/sns",
        "AWS4-HMAC-SHA256 a/b/c/iam/d Credential=KEY/20200101/us-east-1/sns/aws4_request",
        "Credential=KEY/20200101/us-east-1/sns/aws4_request",
        "AWS4-HMAC-SHA256 Credential=KEY/20200101/us-east-1/motoapi.amazonaws.com/aws4_request",
    ],
)
def test_other_signatures_are_none(wire, header):
    """The emulator and moto must read the same service from a signature. So it has one form only."""
    sent = header.replace("KEY", wire.told["access_key_id"])
    status, text, _ = wire("POST", "/", body=b"Action=ListTopics", Content_Type=FORM, Authorization=sent)
    assert status == 403
    assert "MissingAuthenticationToken" in text


def test_an_unsigned_call_runs_no_function(wire, function):
    """A web page, or another user of the machine, cannot call a function by Lambda's own address."""
    mine = function("def lambda_handler(event, context): print('it ran')")
    path = f"/2015-03-31/functions/{mine.name}/invocations"
    for key in (None, STRANGER):
        assert wire("POST", path, key=key, service="lambda", body=b"{}")[0] == 403
    log = mine.raw({}, LogType="Tail")["ResponseMetadata"]["HTTPHeaders"]["x-amz-log-result"]
    assert log
    streams = _logged(wire, mine.name)
    assert streams.count("it ran") == 1


def _logged(wire, name):
    logs = client_of(wire.told["endpoint"], "logs")
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    return "".join(event["message"] for event in events)


@pytest.mark.parametrize("key", [None, STRANGER], ids=["without a key", "with another key"])
def test_only_the_owner_resets(wire, topic, aws, key):
    """A reset by somebody else is refused, and everything stays."""
    assert wire("POST", "/moto-api/reset", key=key)[0] == 403
    assert topic in {each["TopicArn"] for each in aws("sns").list_topics()["Topics"]}


def tries_keys(event, context):
    """The handler of a function that tells its own key, or tries another one."""
    import os

    import boto3

    if event.get("tell"):
        return os.environ["AWS_ACCESS_KEY_ID"]
    try:
        return boto3.client("iam", aws_access_key_id=event["key"], aws_secret_access_key="x").list_users()
    except Exception as error:
        return error.response["Error"]["Code"]


@pytest.fixture
def weak(function, role):
    """A function whose role may do nothing."""
    return function(tries_keys, Role=role().arn, Timeout=30)


@pytest.mark.parametrize("key", ["any", "test", "testing", STRANGER, "AKIAIOSFODNN7EXAMPLE"])
def test_a_function_that_names_another_key_gets_nothing(weak, key):
    """It cannot leave its role."""
    assert weak({"key": key}) == "InvalidClientTokenId"


def test_the_key_of_a_function_cannot_be_guessed(second, function):
    """It is random: the same function of the same role has another key in another emulator."""
    keys = set()
    for make in (function, second.function):
        keys.add(make(tries_keys, FunctionName="same", Timeout=30)({"tell": True}))
    assert len(keys) == 2
    assert all(re.fullmatch("ASIA[A-Z2-7]{16}", key) for key in keys)


@pytest.mark.parametrize(("method", "path"), [
    ("POST", "/moto-api/reset"), ("GET", "/_emulator/mail"), ("DELETE", "/_emulator/mail"),
    ("GET", "/_emulator/mail/"), ("POST", "/_emulator/mail/ticket"),
])  # fmt: skip
def test_a_function_can_neither_reset_nor_read_mail(wire, function, method, path):
    """Its key may be good for every call of AWS; the emulator itself is not its own."""
    strong = function(tries_keys, Timeout=30)
    status, text, _ = wire(method, path, key=strong({"tell": True}), service="sfn-emulator")
    assert status >= 400
    assert '"ticket":' not in text


def test_a_deleted_key_is_unknown(emulator, aws):
    """A key of IAM works until it is deleted."""
    iam = aws("iam")
    iam.create_user(UserName="gone")
    key = iam.create_access_key(UserName="gone")["AccessKey"]
    gone = Caller(emulator["endpoint"], "gone", key)
    with pytest.raises(ClientError, match="AccessDenied"):
        gone("iam").list_users()
    iam.delete_access_key(UserName="gone", AccessKeyId=key["AccessKeyId"])
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        gone("iam").list_users()


def test_a_key_of_sts_works(emulator, aws):
    """It has the rights of its role."""
    iam, name = aws("iam"), "assumed-by-key"
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust()))["Role"]["Arn"]
    key = aws("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    told = client_of(emulator["endpoint"], "sts", key=key).get_caller_identity()
    assert told["Arn"].endswith(f":assumed-role/{name}/me")


# The mailbox.


@pytest.fixture
def ticket(wire):
    """A ticket for the mailbox."""
    return json.loads(wire.owner("POST", "/_emulator/mail/ticket")[1])["ticket"]


@pytest.fixture
def cookie(wire, ticket):
    """The cookie for that ticket, as a browser sends it."""
    return wire("GET", f"/_emulator/mail/{ticket}/")[2]["Set-Cookie"].partition(";")[0]


def test_a_stranger_reads_no_mail(wire):
    """A stranger sees neither the page nor its data, cannot empty the mailbox, and cannot make a ticket."""
    page = wire("GET", "/_emulator/mail/")
    assert page[0] == 403
    assert "works once" in page[1]
    others = [("GET", "/_emulator/mail"), ("DELETE", "/_emulator/mail"), ("POST", "/_emulator/mail/ticket")]
    assert [wire(*each, key=key)[0] for each in others for key in (None, STRANGER)] == [403] * 6


def test_a_ticket_opens_the_mailbox(wire, ticket):
    """It leads to a path of its own, which shows the mails and gives a cookie for later."""
    status, _, told = wire("GET", f"/_emulator/mail/?ticket={ticket}")
    assert (status, told["Location"], told["Set-Cookie"]) == (303, f"./{ticket}/", None)
    path = f"/_emulator/mail/{ticket}/"
    status, text, told = wire("GET", path)
    assert (status, "<title>Mailbox</title>" in text) == (200, True)
    cookie, *attributes = told["Set-Cookie"].split("; ")
    assert set(attributes) == {"HttpOnly", "SameSite=Lax"}
    assert wire("GET", path, Cookie=f"other=1; {cookie}; last=2")[0] == 200


def test_a_ticket_works_once(wire, ticket, cookie):
    """Who finds it later, such as in a saved notebook, gets nothing."""
    status, _, told = wire("GET", f"/_emulator/mail/{ticket}/")
    assert (status, told["Set-Cookie"]) == (403, None)


def test_a_used_ticket_still_shows_the_page_to_its_user(wire, ticket, cookie):
    """The browser with the cookie can open the same link again."""
    assert wire("GET", f"/_emulator/mail/?ticket={ticket}", Cookie=cookie)[0] == 303
    assert wire("GET", f"/_emulator/mail/{ticket}/", Cookie=cookie)[0] == 200


@pytest.mark.parametrize("ticket", ["..", "a/b", "//evil.example", "%0d%0aX:%20y", "\u00e9"])
def test_what_is_no_ticket_leads_nowhere(wire, ticket):
    """Only letters, digits and two signs come into an address."""
    status, _, told = wire("GET", f"/_emulator/mail/?ticket={quote(ticket, safe='%')}")
    assert (status, told["Location"]) == (403, None)


def test_the_cookie_reads_mail_only(wire, cookie):
    """It is no key."""
    assert wire("GET", "/_emulator/mail", Cookie=cookie)[0] == 200
    assert wire.told["access_key_id"] not in cookie
    value = cookie.partition("=")[2]
    for path in ("/_emulator/mail/ticket", "/moto-api/reset", "/"):
        assert wire("POST", path, Cookie=cookie)[0] == 403
        assert wire("POST", path, key=value)[0] == 403
    assert wire("DELETE", "/_emulator/mail", Cookie=cookie)[0] == 403


def test_two_emulators_do_not_share_a_cookie(wire, cookie, second):
    """Cookies ignore ports, so each emulator has a name of its own for it."""
    assert cookie.startswith(f"sfn-emulator-mail-{wire.told['port']}=")
    assert Wire(second.told)("GET", "/_emulator/mail", Cookie=cookie)[0] == 403


# Where the key is, and where it is not.


def test_the_key_is_like_awss(emulator):
    """An access key has 20 characters, like those of AWS."""
    assert re.fullmatch("AKIA[A-Z2-7]{16}", emulator["access_key_id"])


def test_the_key_ends_with_the_emulator(second):
    """Then its file is gone, and nothing tells it."""
    _, stopped = second.before
    assert (stopped["access_key_id"], stopped["file is there"]) == (None, False)


def test_each_start_has_its_key(second):
    """An old key does not open a new emulator."""
    first, _ = second.before
    assert first["access_key_id"] != second.told["access_key_id"]


def test_an_old_file_with_other_modes_is_replaced(second):
    """Somebody may have made it before, readable to all."""
    path = Path(second.told["access_key_file"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == second.told["access_key_id"] != "old"


def test_only_the_user_can_read_the_file(second):
    """The file has the mode 0600, and its folder 0700. Another user can neither read nor list them."""
    path = Path(second.told["access_key_file"])
    assert path.read_text() == second.told["access_key_id"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    # Only root can become another user. Where the tests do not run as root, the modes must do.
    if os.geteuid() == 0:
        nobody = {"user": "nobody", "group": "nogroup", "extra_groups": [], "cwd": "/"}
        for command in (["cat", path], ["ls", path.parent]):
            tried = subprocess.run(command, check=False, capture_output=True, **nobody)
            assert (tried.returncode != 0, tried.stdout) == (True, b"")


def test_the_key_is_on_no_command_line(second):
    """The key is on no command line, in no variable of a process, and in no other file of the emulator."""
    key = second.told["access_key_id"]
    second.function(lists_topics, Timeout=30)()
    with pytest.raises(ClientError):
        second("dynamodb").describe_table(TableName="none")
    family = psutil.Process(second.told["pid"])
    for process in (family, *family.children(recursive=True)):
        assert key not in " ".join(process.cmdline())
        assert key not in process.environ().values()
    folder = Path(second.told["folder"])
    holding = [
        path.name for path in folder.rglob("*") if path.is_file() and key.encode() in path.read_bytes()
    ]
    assert holding == ["access-key"]


# The last test ends the second emulator.


def test_an_emulator_of_before(second, at_home):
    """An emulator without its key file can be stopped. Until then, an error says what to do."""
    port = second.told["port"]
    Path(second.told["access_key_file"]).unlink()
    with pytest.raises(Exception, match=r"End the emulator with .* stop. and start it again"):
        control.start(port)
    assert control.stop(port)["running"] is False
    with socket.create_server(("127.0.0.1", port)):
        pass
