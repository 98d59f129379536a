import json
import signal

import pytest
from helpers import ECHO, module


def test_a_decimal_is_a_number(function):
    """AWS's encoder makes a JSON number of a Decimal, as in an item of DynamoDB's."""

    def lambda_handler(event, context):
        from decimal import Decimal

        return {"serial": Decimal("5")}

    assert function(lambda_handler).raw()["Payload"].read() == b'{"serial": 5}'


def test_utf8_goes_in_and_out(function):
    """Text outside ASCII is neither escaped nor harmed."""
    reply = function(ECHO).raw({"name": "王小明"})
    assert reply["Payload"].read() == '{"name": "王小明"}'.encode()


def test_no_payload_is_an_empty_object(function):
    """A call without a payload has `{}` as its event."""
    echo = function(ECHO)
    assert echo.client.invoke(FunctionName=echo.name)["Payload"].read() == b"{}"


def test_a_successful_call_has_no_function_error(function):
    """A reply has status 200, the version that ran, and AWS's request id."""
    reply = function("def lambda_handler(event, context): return context.aws_request_id").raw()
    assert (reply["StatusCode"], reply["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in reply
    assert json.loads(reply["Payload"].read()) == reply["ResponseMetadata"]["RequestId"]


def test_an_exception_is_unhandled_and_keeps_its_name(function):
    """`errorType` is the class's name, and the traceback begins in the function's own code."""
    source = """
class CustomError(Exception):
    pass

def lambda_handler(event, context):
    raise CustomError("An error occurred!!")
"""
    reply = function(source).raw()
    error = json.loads(reply["Payload"].read())
    assert (reply["StatusCode"], reply["FunctionError"]) == (200, "Unhandled")
    assert set(error) == {"errorType", "errorMessage", "requestId", "stackTrace"}
    assert (error["errorType"], error["errorMessage"]) == ("CustomError", "An error occurred!!")
    assert error["requestId"] == reply["ResponseMetadata"]["RequestId"]
    assert error["stackTrace"][0].startswith(
        '  File "/var/task/lambda_function.py", line 6, in lambda_handler'
    )


@pytest.mark.parametrize(
    ("source", "options", "error_type", "message"),
    [
        ("import nowhere", {}, "Runtime.ImportModuleError", "Unable to import module 'lambda_function'"),
        (
            "x = 1",
            {},
            "Runtime.HandlerNotFound",
            "Handler 'lambda_handler' missing on module 'lambda_function'",
        ),
        ("def", {}, "Runtime.UserCodeSyntaxError", "Syntax error in module 'lambda_function'"),
        ("", {"Handler": "nodot"}, "Runtime.MalformedHandlerName", "Bad handler 'nodot'"),
        ("1 / 0", {}, "ZeroDivisionError", "division by zero"),
        ("def lambda_handler(e, c): return {1, 2}", {}, "Runtime.MarshalError", "Unable to marshal response"),
    ],
)
def test_what_cannot_run_is_said_as_aws_says_it(function, source, options, error_type, message):
    """Import errors, missing handlers and wrong results have the words of AWS's runtime client."""
    reply = function(source, Timeout=10, **options).raw()
    error = json.loads(reply["Payload"].read())
    assert reply["FunctionError"] == "Unhandled"
    assert error["errorType"] == error_type
    assert message in error["errorMessage"]
    assert error["requestId"] == reply["ResponseMetadata"]["RequestId"]


def test_a_time_out_is_said_and_the_next_call_works(function):
    """The worker is killed at the time-out; the next call gets a new one."""
    sleeper = function(module("counter"), Timeout=1)
    assert sleeper()[0] == 1
    reply = sleeper.raw({"seconds": 30})
    assert reply["FunctionError"] == "Unhandled"
    assert json.loads(reply["Payload"].read()) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {reply['ResponseMetadata']['RequestId']} "
        "Error: Task timed out after 1.00 seconds",
    }
    assert sleeper()[0] == 1


@pytest.mark.parametrize(
    ("how", "number", "reason"),
    [
        ("os._exit", 1, "Runtime exited with error: exit status 1"),
        ("os._exit", 0, "Runtime exited without providing a reason"),
        ("sys.exit", 3, "Runtime exited with error: exit status 3"),
        ("os.kill", signal.SIGKILL, "Runtime exited with error: signal: killed"),
        ("os.kill", signal.SIGSEGV, "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_a_crash_is_said_and_the_next_call_works(function, how, number, reason):
    """A process that ends by itself is `Runtime.ExitError`, with how it ended."""

    def lambda_handler(event, context):
        import os
        import sys

        if event:
            how, number = event
            ends = {"os._exit": os._exit, "sys.exit": sys.exit}
            ends["os.kill"] = lambda number: os.kill(os.getpid(), number)
            ends[how](number)
        return "fine"

    crasher = function(lambda_handler)
    error = crasher([how, number])
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith(f"Error: {reason}")
    assert crasher() == "fine"


def test_a_result_that_is_too_large_is_an_error(function):
    """A result may have at most 6 MB."""
    reply = function("def lambda_handler(event, context): return 'x' * (6 * 1024 * 1024)", Timeout=30).raw()
    assert json.loads(reply["Payload"].read())["errorType"] == "Function.ResponseSizeTooLarge"
    assert reply["FunctionError"] == "Unhandled"


def test_printing_never_disturbs_a_result(function):
    """Whatever is written to stdout and stderr, also by children, the result is the result."""

    def lambda_handler(event, context):
        import os
        import subprocess
        import sys

        print('{"errorType": "x"}')
        os.write(1, b"\x00\xff raw")
        sys.stderr.write("err")
        subprocess.run(["echo", "child"], check=False)
        return "result"

    assert function(lambda_handler, Timeout=10)() == "result"


def test_reading_stdin_sees_its_end(function):
    """A handler that reads stdin gets nothing, at once."""

    def lambda_handler(event, context):
        import sys

        return sys.stdin.read()

    assert function(lambda_handler)() == ""


def test_a_child_that_stays_does_not_hang_the_call(function):
    """A crash is noticed although a child of the handler's holds its files open."""

    def lambda_handler(event, context):
        import os
        import time

        if os.fork() == 0:
            time.sleep(60)
        os._exit(1)

    assert function(lambda_handler, Timeout=30)()["errorType"] == "Runtime.ExitError"


def test_bytes_in_a_result_are_text(function):
    """AWS's encoder writes bytes as text."""
    assert function("def lambda_handler(event, context): return {'a': b'text'}")() == {"a": "text"}


def test_not_a_number_is_passed_on(function):
    """AWS's encoder writes NaN, which is no JSON."""
    assert function("def lambda_handler(e, c): return float('nan')").raw()["Payload"].read() == b"NaN"
