"""A function may use no more memory than it was given."""

import base64
import re

import psutil
import pytest


def takes(event, context):
    """The handler of a function that takes some MB of memory."""
    import time

    kept = bytearray(event.get("mb", 0) * 1024 * 1024)
    time.sleep(event.get("seconds", 0))
    return len(kept)


@pytest.mark.parametrize("seconds", [0, 20])
def test_too_much_memory_kills(function, seconds):
    """A function that uses too much memory is killed at once, which is a `Runtime.ExitError`."""
    taker = function(takes, MemorySize=128, Timeout=10)
    reply = taker.raw({"mb": 200, "seconds": seconds}, LogType="Tail")
    assert reply["FunctionError"] == "Unhandled"
    error = reply["Payload"].read().decode()
    assert '"errorType": "Runtime.ExitError"' in error
    assert "Error: Runtime exited with error: signal: killed" in error


def test_after_too_much_memory_the_next_call_works(function):
    """After such a kill, the next call runs in a new process."""
    taker = function(takes, MemorySize=128, Timeout=10)
    taker({"mb": 200})
    assert taker({"mb": 1}) == 1024 * 1024


def test_the_report_says_that_all_memory_was_used(function):
    """Max Memory Used is what the function was given."""
    reply = function(takes, MemorySize=128, Timeout=10).raw({"mb": 200}, LogType="Tail")
    log = base64.b64decode(reply["LogResult"]).decode()
    assert re.search(r"Max Memory Used: (\d+) MB", log)[1] == "128"


def test_more_memory_can_be_given(function):
    """What kills at 128 MB does not at 512."""
    assert function(takes, MemorySize=512, Timeout=10)({"mb": 200}) == 200 * 1024 * 1024


def test_too_much_memory_at_the_start_kills(function):
    """A function may also be killed while its module is loaded."""
    error = function("kept = bytearray(200 * 1024 * 1024)\ndef lambda_handler(e, c): pass", Timeout=10)()
    assert error["errorType"] == "Runtime.ExitError"


def test_boto3_fits_into_128_mb(function):
    """A handler that calls three services fits into 128 MB, as on AWS."""

    def lambda_handler(event, context):
        import boto3

        dynamodb, sns, states = boto3.resource("dynamodb"), boto3.client("sns"), boto3.client("stepfunctions")
        list(dynamodb.tables.all())
        sns.list_topics()
        return len(states.list_state_machines()["stateMachines"]) >= 0

    assert function(lambda_handler, MemorySize=128, Timeout=30)() is True


def test_the_emulator_does_not_keep_a_flood(emulator, function):
    """A function prints 300 MB; the emulator's memory grows by a fraction of that."""

    def lambda_handler(event, context):
        import os

        for _ in range(event["mb"]):
            os.write(1, b"x" * 1023 + b"\n" * 1)
            os.write(1, (b"x" * 1023 + b"\n") * 1024)

    mine, process = function(lambda_handler, Timeout=120), psutil.Process(emulator["pid"])
    mine({"mb": 1})
    before = process.memory_info().rss
    mine({"mb": 300})
    assert process.memory_info().rss - before < 100 << 20
