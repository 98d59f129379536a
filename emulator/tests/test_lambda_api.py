import json
import re

import pytest
from helpers import ECHO, lists_topics, refused, wait_until


def test_an_unknown_function_is_not_found(aws):
    """An unknown function is refused with 404 and its ARN."""
    told = refused(aws("lambda").invoke, FunctionName="nobody")
    assert (told.code, told.status) == ("ResourceNotFoundException", 404)
    assert told.message == "Function not found: arn:aws:lambda:us-east-1:123456789012:function:nobody:$LATEST"


def test_an_unknown_qualifier_is_not_found(function):
    """An unknown version is refused with 404, too."""
    echo = function(ECHO)
    code, message = refused(echo.client.invoke, FunctionName=echo.name, Qualifier="7")
    assert code == "ResourceNotFoundException"
    assert message == f"Function not found: {echo.arn}:7"


def test_a_function_has_several_names(function):
    """A function can be called by its name, its partial ARN and its ARN, also with $LATEST."""
    echo = function(ECHO)
    for name in (echo.name, f"123456789012:function:{echo.name}", echo.arn, f"{echo.arn}:$LATEST"):
        assert echo(1, name=name) == 1
    assert echo(1, Qualifier="$LATEST") == 1


def test_a_published_version_runs_its_own_code(function, zipped):
    """A version keeps its code when $LATEST changes."""
    mine = function("def lambda_handler(event, context): return [1, context.function_version]")
    version = mine.client.publish_version(FunctionName=mine.name)["Version"]
    code = zipped(lambda_function="def lambda_handler(event, context): return [2, context.function_version]")
    mine.client.update_function_code(FunctionName=mine.name, ZipFile=code)
    assert mine(Qualifier=version) == [1, version]
    assert mine() == [2, "$LATEST"]
    assert mine.raw(Qualifier=version)["ExecutedVersion"] == version


def test_an_event_is_accepted_and_runs_later(gated, tmp_path):
    """`Event` answers 202 at once and runs in the background."""

    def lambda_handler(event, context):
        from pathlib import Path

        Path(event).touch()

    mine, target = gated(lambda_handler), tmp_path / "ran"
    reply = mine.raw(str(target), InvocationType="Event")
    assert (reply["StatusCode"], reply["Payload"].read()) == (202, b"")
    assert not target.exists()
    mine.open()
    wait_until(target.exists)


def test_a_dry_run_runs_nothing(gated):
    """`DryRun` answers 204."""
    mine = gated()
    assert mine.raw(InvocationType="DryRun")["StatusCode"] == 204
    assert mine.all_calls() == 0


def test_a_payload_that_is_no_json_is_refused(function):
    """A payload that is not JSON is refused with 400 before anything runs."""
    echo = function(ECHO)
    told = refused(echo.raw, event=b"{nope")
    assert (told.code, told.status) == ("InvalidRequestContentException", 400)
    assert told.message.startswith("Could not parse request body into json")


@pytest.mark.parametrize(("kind", "limit"), [("RequestResponse", 6_291_456), ("Event", 1_048_576)])
def test_a_payload_that_is_too_large_is_refused(function, kind, limit):
    """A payload that is too large is refused with 413 and the limit."""
    echo = function(ECHO)
    payload = json.dumps("x" * limit).encode()
    told = refused(echo.raw, event=payload, InvocationType=kind)
    assert (told.code, told.status) == ("RequestEntityTooLargeException", 413)
    assert f"(limit {limit} bytes)" in told.message


def test_the_largest_payload_goes_through(function):
    """A payload may have 6 MB."""
    payload = json.dumps("x" * (6_291_456 - 2)).encode()
    assert function("def lambda_handler(event, context): return len(event)", Timeout=30)(payload) == 6_291_454


def test_dead_runtimes_are_refused(aws, zipped):
    """A function cannot be created with python3.7, which AWS has deprecated."""
    code, message = refused(aws("lambda").create_function, **new(zipped, Runtime="python3.7"))
    assert code == "InvalidParameterValueException"
    assert message == (
        "The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda "
        "functions. We recommend you use a supported runtime while creating or updating functions."
    )


def test_unknown_runtimes_are_refused(aws, zipped):
    """A runtime that never existed is refused."""
    code, message = refused(aws("lambda").create_function, **new(zipped, Runtime="python9.9"))
    assert code == "InvalidParameterValueException"
    assert message.startswith(
        "Value python9.9 at 'runtime' failed to satisfy constraint: Member must satisfy enum"
    )


def test_a_dead_runtime_is_refused_in_an_update(function):
    """An update to a deprecated runtime is refused, and the function stays as it was."""
    echo = function(ECHO)
    refused(echo.client.update_function_configuration, FunctionName=echo.name, Runtime="python3.7")
    assert echo.client.get_function_configuration(FunctionName=echo.name)["Runtime"] == "python3.12"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"Timeout": 901}, "at 'timeout' failed to satisfy constraint"),
        ({"FunctionName": "bad name"}, "at 'functionName' failed to satisfy constraint"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "reserved keys"),
        ({"Environment": {"Variables": {"A": "x" * 4096}}}, "exceeded the 4KB limit"),
        ({"Code": {"ZipFile": b"no zip"}}, "Could not unzip uploaded file"),
    ],
)
def test_what_aws_refuses_is_refused(aws, zipped, options, text):
    """A wrong configuration and a broken zip are refused in AWS's words."""
    told = refused(aws("lambda").create_function, **new(zipped, **options))
    assert (told.code, told.status) == ("InvalidParameterValueException", 400)
    assert text in told.message


def new(zipped, **options):
    return {
        "FunctionName": "never",
        "Runtime": "python3.12",
        "Role": "arn:aws:iam::123456789012:role/tests",
        "Handler": "f.h",
        "Code": {"ZipFile": zipped(f="")},
    } | options


def test_a_new_function_is_pending(aws, zipped):
    """CreateFunction answers Pending with a reason, and the next call Active. Times are written as by AWS."""
    client, given = aws("lambda"), new(zipped, FunctionName="pending")
    created = client.create_function(**given)
    seen = client.get_function_configuration(FunctionName="pending")
    client.delete_function(FunctionName="pending")
    assert (created["State"], created["StateReasonCode"], seen["State"]) == ("Pending", "Creating", "Active")
    assert "StateReason" not in seen
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{3}\+0000", created["LastModified"])
    assert created["LastModified"] == seen["LastModified"]


def test_a_change_has_a_time(function, zipped, advance):
    """Who asks what has changed sees when: each update moves LastModified, and a call does not."""
    mine, times = function("def lambda_handler(event, context): return 1"), []
    code = zipped(lambda_function="def lambda_handler(event, context): return 2")
    for change in (
        mine.client.get_function_configuration,
        mine.client.invoke,
        lambda **named: mine.client.update_function_configuration(**named, MemorySize=256),
        lambda **named: mine.client.update_function_code(**named, ZipFile=code),
    ):
        advance(1)
        told = change(FunctionName=mine.name).get("LastModified")
        times.append(mine.client.get_function_configuration(FunctionName=mine.name)["LastModified"])
        assert told in (None, times[-1])
    assert times[0] == times[1] < times[2] < times[3]


def test_boto3_in_a_function_reaches_the_emulator(function, aws, topic):
    """A client made without any setting goes to the emulator."""
    assert {"TopicArn": topic} in function(lists_topics, Timeout=30)()


def test_a_function_that_is_there_is_refused(function):
    """To create a function that exists is refused with 409."""
    mine = function(ECHO)
    told = refused(function, source=ECHO, FunctionName=mine.name)
    assert (told.code, told.status) == ("ResourceConflictException", 409)
    assert told.message == f"Function already exist: {mine.name}"


def test_deleting_a_function_twice_is_refused(function):
    """The second deletion of a function is refused with 404."""
    mine = function(ECHO)
    mine.client.delete_function(FunctionName=mine.name)
    told = refused(mine.client.delete_function, FunctionName=mine.name)
    assert (told.code, told.status) == ("ResourceNotFoundException", 404)


def test_a_deleted_functions_log_group_stays(function, aws):
    """Whoever deletes functions has to delete their groups, too."""
    mine = function(ECHO)
    mine()
    mine.client.delete_function(FunctionName=mine.name)
    group = f"/aws/lambda/{mine.name}"
    told = aws("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert [each["logGroupName"] for each in told] == [group]
    aws("logs").delete_log_group(logGroupName=group)


def test_an_alias_runs_the_version_that_it_points_to(function, zipped):
    """An alias in the ARN or in the qualifier runs its version."""
    mine = function("def lambda_handler(event, context): return context.invoked_function_arn")
    version = mine.client.publish_version(FunctionName=mine.name)["Version"]
    mine.client.create_alias(FunctionName=mine.name, Name="live", FunctionVersion=version)
    assert mine(Qualifier="live") == mine(name=f"{mine.arn}:live") == f"{mine.arn}:live"
    assert mine.raw(Qualifier="live")["ExecutedVersion"] == version
