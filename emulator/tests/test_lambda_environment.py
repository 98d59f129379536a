import contextlib
from pathlib import Path

import psutil
import pytest
from helpers import Own, emulator_in, module


def tells_all(event, context):
    import os

    return dict(os.environ)


@pytest.fixture
def environment(function):
    """What a function with a variable of its own sees."""
    return function(tells_all, Environment={"Variables": {"MINE": "1"}}, MemorySize=256)()


def test_the_runtimes_variables_are_there(environment, emulator):
    """A function has AWS's variables about itself, its region and its limits."""
    assert environment["AWS_LAMBDA_FUNCTION_NAME"].startswith("f-")
    assert environment["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.12"
    assert (
        environment["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/" + environment["AWS_LAMBDA_FUNCTION_NAME"]
    )
    assert environment["_HANDLER"] == "lambda_function.lambda_handler"
    assert environment["TZ"] == ":UTC"
    assert environment["MINE"] == "1"
    assert environment["AWS_ENDPOINT_URL"] == emulator["endpoint"]


def test_nothing_of_the_users_is_there(environment):
    """A function sees no variable of the user: no name, no proxy, no profile and no setting of Python."""
    for name in environment:
        assert not name.startswith(("SFN_EMULATOR_", "PYTHON", "XDG_", "JUPYTER"))
    assert not {"USER", "http_proxy", "https_proxy", "AWS_PROFILE"} & set(environment)


def test_home_is_an_empty_folder(function, emulator):
    """What a library looks for in the user's home is not found."""

    def lambda_handler(event, context):
        from pathlib import Path

        home = Path("~").expanduser()
        return [str(home), [str(each) for each in home.iterdir()]]

    home, there = function(lambda_handler)()
    assert Path(home).parent == Path(emulator["folder"])
    assert there == []


@pytest.mark.parametrize(
    "name",
    [
        *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
        *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CREDENTIAL_FILE", "BOTO_CONFIG"),
        *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_EC2_METADATA_DISABLED"),
        *("HOME", "USERPROFILE", "LD_AUDIT", "LD_PRELOAD", "NO_PROXY"),
        # On Windows, these are the same variables.
        *("aws_config_file", "aws_endpoint_url", "home", "ld_preload"),
    ],
)
def test_a_functions_own_variables_do_not_lead_elsewhere(function, name):
    """A variable that would lead AWS's clients, or a program, elsewhere has no effect."""
    assert function(tells_all, Environment={"Variables": {name: "theirs"}})().get(name) != "theirs"


def test_a_function_may_set_what_aws_lets_it_set(function):
    """LANG and PATH, and settings of boto3's that change neither address nor credentials."""
    variables = {"LANG": "C", "PATH": "/opt/bin", "AWS_MAX_ATTEMPTS": "7"}
    assert variables.items() <= function(tells_all, Environment={"Variables": variables})().items()


def tells_number(event, context):
    """The handler of a function that tells the number of its process."""
    import os

    return os.getpid()


SECRETS = {
    *("JUPYTERHUB_API_TOKEN", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "HTTPS_PROXY"),
    "SECRET",
}


@pytest.fixture(scope="module")
def secretive(tmp_path_factory):
    """An emulator of a user who has secrets in variables, and credentials in files."""
    home = tmp_path_factory.mktemp("state")
    (home / ".aws").mkdir()
    for file in ("credentials", "config"):
        keys = "aws_access_key_id = AKIAREAL\naws_secret_access_key = real"
        (home / ".aws" / file).write_text(f"[default]\n{keys}\n")
    with contextlib.ExitStack() as running:
        with pytest.MonkeyPatch.context() as patch:
            for name in SECRETS:
                patch.setenv(name, "secret")
            for name in ("HOME", "USERPROFILE"):
                patch.setenv(name, str(home))
            told = running.enter_context(emulator_in(home))
        yield Own(told, home)


def test_no_credentials_of_the_user_are_found(secretive):
    """Not even if the function removes the variables that hide files, and asks boto3 for credentials.

    AWS_EC2_METADATA_DISABLED stays. Without it, boto3 asks the machine in a cloud for a role.
    """
    assert secretive.function(module("forgetful"), Timeout=30)() is True


def test_the_emulator_is_executed_without_the_users_secrets(secretive):
    """Neither the emulator nor any process between it and the function was executed with them."""
    worker = psutil.Process(secretive.function(tells_number)())
    family = [worker, *worker.parents()]
    family = family[: [each.pid for each in family].index(secretive.told["pid"]) + 1]
    assert len(family) >= 2
    for process in family:
        assert not SECRETS & set(process.environ())
        assert "secret" not in process.environ().values()


def test_the_region_is_the_functions(aws, zipped):
    """A function in another region sees that region, and its clients go there."""
    lam = aws("lambda", "eu-west-1")

    def h(event, context):
        import boto3

        return boto3.client("sns").meta.region_name

    role = "arn:aws:iam::123456789012:role/tests"
    lam.create_function(
        FunctionName="eu",
        Runtime="python3.12",
        Role=role,
        Handler="f.h",
        Code={"ZipFile": zipped(f=h)},
        Timeout=30,
    )
    assert lam.invoke(FunctionName="eu")["Payload"].read() == b'"eu-west-1"'


def test_the_context_is_complete(function):
    """`context` tells the function, the request and the log."""

    def lambda_handler(event, context):
        return [
            *(context.function_name, context.function_version, context.invoked_function_arn),
            *(context.memory_limit_in_mb, context.log_group_name, context.log_stream_name),
            len(context.aws_request_id),
        ]

    mine = function(lambda_handler)
    name, version, arn, memory, group, stream, length = mine()
    assert (name, version, arn, memory) == (mine.name, "$LATEST", mine.arn, "128")
    assert group == f"/aws/lambda/{mine.name}"
    assert "/[$LATEST]" in stream
    assert length == 36


def test_the_remaining_time_counts_down(function):
    """`get_remaining_time_in_millis` starts at the time-out."""

    def lambda_handler(event, context):
        import time

        first = context.get_remaining_time_in_millis()
        time.sleep(0.2)
        return [first, context.get_remaining_time_in_millis()]

    first, second = function(lambda_handler, Timeout=10)()
    assert 9_000 < first <= 10_000
    assert first - second >= 190


def test_the_client_context_arrives(function):
    """The client context of a call is in the function's context."""
    import base64

    mine = function("def lambda_handler(event, context): return context.client_context.custom['k']")
    sent = base64.b64encode(b'{"custom": {"k": "v"}}').decode()
    assert mine(ClientContext=sent) == "v"


def test_the_clock_is_utc(function):
    """Local time is UTC."""

    def lambda_handler(event, context):
        import time

        return time.timezone

    assert function(lambda_handler)() == 0


def test_the_code_lies_in_the_working_folder(function, zipped):
    """A file of the zip can be opened by its name."""
    code = zipped(lambda_function="def lambda_handler(e, c): return open('data.py').read()", data="# 1")
    assert function(code)() == "# 1"


def test_warm_calls_start_no_process(function):
    """Ten calls one after the other run in one process."""
    mine = function(tells_number)
    assert len({mine() for _ in range(10)}) == 1
