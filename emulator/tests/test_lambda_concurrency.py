"""Reserved concurrency: calls beyond it are throttled."""

import threading

import pytest
from helpers import ECHO, one, refused


@pytest.fixture
def reserve(aws):
    """`reserve(function, 0)`."""

    def put(function, number):
        function.client.put_function_concurrency(
            FunctionName=function.name, ReservedConcurrentExecutions=number
        )

    return put


def throttled(call, **parameters):
    told = refused(call, **parameters)
    assert told == ("TooManyRequestsException", "Rate Exceeded.")
    assert told.status == 429
    return told.response["Reason"]


def test_nothing_reserved_for_a_function_stops_it(function, reserve):
    """With a reservation of 0, every call is refused with 429, until the reservation is deleted."""
    echo = function(ECHO)
    assert echo(1) == 1
    reserve(echo, 0)
    for name in (echo.name, echo.arn):
        assert throttled(echo.raw, name=name) == "ReservedFunctionConcurrentInvocationLimitExceeded"
    echo.client.delete_function_concurrency(FunctionName=echo.name)
    assert echo(1) == 1


def test_its_versions_are_stopped_with_it(function, reserve):
    """The reservation is the function's."""
    echo = function(ECHO)
    version = echo.client.publish_version(FunctionName=echo.name)["Version"]
    reserve(echo, 0)
    throttled(echo.raw, Qualifier=version)


def test_other_functions_run_on(function, reserve):
    """It is this function's own."""
    first, second = function(ECHO), function(ECHO)
    reserve(first, 0)
    assert second(1) == 1


@pytest.mark.parametrize("number", [0, 3])
def test_a_reservation_is_told_while_it_is_there(function, reserve, number):
    """GetFunction and GetFunctionConcurrency show a reservation, even if it is 0."""
    echo = function(ECHO)
    reserve(echo, number)
    expected = {"ReservedConcurrentExecutions": number}
    assert echo.client.get_function(FunctionName=echo.name)["Concurrency"] == expected
    told = echo.client.get_function_concurrency(FunctionName=echo.name)
    assert told["ReservedConcurrentExecutions"] == number
    echo.client.delete_function_concurrency(FunctionName=echo.name)
    assert "Concurrency" not in echo.client.get_function(FunctionName=echo.name)
    told = echo.client.get_function_concurrency(FunctionName=echo.name)
    assert "ReservedConcurrentExecutions" not in told


def test_a_number_is_how_many_may_run_at_once(gated, reserve):
    """The second call is throttled, not queued; after the first, the next may run."""
    slow = gated()
    reserve(slow, 1)
    first = threading.Thread(target=slow.raw)
    first.start()
    slow.begun()
    throttled(slow.raw)
    slow.open()
    first.join()
    assert slow.raw()["StatusCode"] == 200


def test_a_call_that_failed_counts_no_longer(function, reserve):
    """A call that ended does not count any more, however it ended."""

    def lambda_handler(event, context):
        import os

        os._exit(1)

    bad = function(lambda_handler)
    reserve(bad, 1)
    for _ in range(3):
        assert bad()["errorType"] == "Runtime.ExitError"


def test_an_event_that_is_throttled_is_not_tried_again(gated, reserve, advance):
    """A throttled event is accepted and never runs. On AWS, it is tried again for six hours."""
    mine = gated()
    reserve(mine, 0)
    assert mine.raw(InvocationType="Event")["StatusCode"] == 202
    throttled(mine.raw)
    mine.client.delete_function_concurrency(FunctionName=mine.name)
    advance(21_600)
    assert mine.all_calls() == 0


def test_a_machine_sees_the_throttling(machine, function, reserve):
    """A throttled Task fails with `Lambda.TooManyRequestsException` and AWS's cause."""
    echo = function(ECHO)
    reserve(echo, 0)
    state = {"Type": "Task", "Resource": echo.arn, "End": True}
    told = machine(one(state)).run()
    assert told["error"] == "Lambda.TooManyRequestsException"
    cause = "Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: TooManyRequestsException; "
    assert told["cause"].startswith(cause)


def test_a_new_function_of_that_name_has_none(function, reserve):
    """The reservation goes with the function."""
    first = function(ECHO)
    reserve(first, 0)
    first.client.delete_function(FunctionName=first.name)
    assert function(ECHO, FunctionName=first.name)(1) == 1


def test_an_unknown_function_has_no_concurrency(aws):
    """The concurrency of an unknown function is refused with 404."""
    asked = {"FunctionName": "nobody", "ReservedConcurrentExecutions": 1}
    assert refused(aws("lambda").put_function_concurrency, **asked).code == "ResourceNotFoundException"
