"""The hardened definition retries what can succeed, keeps reasons, and has an end for each wait."""

import json

import pytest

from lottery_lib import definition
from lottery_lib.names import Names
from states_language import all_states

TEXT = definition.load("hardened")
STATES = dict(all_states(json.loads(TEXT)))
#: Errors that a second attempt can mend: Lambda's own, time-outs, throttles, and transactions that met.
PASSING = {
    *("Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.Unknown"),
    *("Lambda.ClientExecutionTimeoutException", "Lambda.TooManyRequestsException"),
    *("Sandbox.Timedout", "States.Timeout", "ThrottlingException", "ProvisionedThroughputExceededException"),
    *("RequestLimitExceeded", "InternalServerError", "TransactionCanceledException", "WinnerTaken"),
    "SNS.ThrottledException",
    *("DynamoDb.ProvisionedThroughputExceededException", "DynamoDb.ThrottlingException"),
    *("DynamoDb.RequestLimitExceededException", "DynamoDb.InternalServerErrorException"),
}


def filled(partition="aws"):
    functions = {
        purpose: f"arn:{partition}:lambda:r:1:function:{purpose}" for purpose in ("CommitDraw", "DrawPrize")
    }
    arns = definition.arns_by_placeholder(functions, f"arn:{partition}:sns:r:1:topic")
    return definition.fill(TEXT, arns | {"<Draws:ARN>": f"arn:{partition}:dynamodb:r:1:table/Draws"})


def of_type(kind):
    return {name: state for name, state in STATES.items() if state["Type"] == kind}


def retries():
    return [retry for state in STATES.values() for retry in state.get("Retry", [])]


def test_valid():
    """Filled in, it has no diagnostics; its placeholders are its functions, the topic and a table."""
    found = ["<CommitDraw:ARN>", "<Draws:ARN>", "<DrawPrize:ARN>", "<Notification:ARN>"]
    assert definition.placeholders(TEXT) == found
    assert definition.faults(filled()) == []
    assert set(Names(edition="hardened").functions) == {"CommitDraw", "DrawPrize"}


def test_china():
    """In China the SNS integration carries China's partition too."""
    assert "arn:aws:" not in filled("aws-cn")


def test_only_what_passes_is_tried_again():
    """A Retry names only errors that a second attempt can mend."""
    assert {error for retry in retries() for error in retry["ErrorEquals"]} == PASSING


def test_retries_back_off():
    """Each Retry is bounded, waits longer each time, and at random, so that many do not come back at once."""
    for retry in retries():
        assert retry["MaxAttempts"] <= 8
        assert retry["BackoffRate"] > 1
        assert retry["JitterStrategy"] == "FULL"


def test_a_mail_is_not_sent_again_on_a_doubt():
    """A mail is sent again only if SNS has certainly refused it."""
    (retry,) = STATES["Notify Winners"]["Retry"]
    assert retry["ErrorEquals"] == ["SNS.ThrottledException"]


@pytest.mark.parametrize("name", of_type("Choice"))
def test_choices_have_a_default(name):
    """A Choice that knows none of its answers ends in a failure of its own name."""
    default = STATES[STATES[name]["Default"]]
    assert (default["Type"], default["Error"][:7]) == ("Fail", "Unknown")


@pytest.mark.parametrize("name", of_type("Choice"))
def test_choices_look_whether_their_variable_is_there(name):
    """The first rule of a Choice fails if its variable is missing. Nothing could catch `States.Runtime`."""
    first, *others = STATES[name]["Choices"]
    assert {rule["Variable"] for rule in others} == {first["Variable"]}
    assert first["IsPresent"] is False
    assert STATES[first["Next"]]["Type"] == "Fail"


def test_nothing_waits_for_ever():
    """The machine and each task have a time-out: functions a minute, people an hour or a day."""
    seconds = {
        name: state["TimeoutSeconds"]
        for name, state in of_type("Task").items()
        if "sns" not in state["Resource"]
    }
    assert seconds == {
        "Commit To The Draw": 60,
        "Wait For The Public Value": 24 * 3600,
        "Mix In The Public Value": 60,
        "Draw And Record": 60,
        "Wait For The Roll Call": 3600,
    }
    assert json.loads(TEXT)["TimeoutSeconds"] > 24 * 3600


def test_a_missed_roll_call_counts_everybody_as_present():
    """If nobody answers, the draw goes on with the time-out's error as the roll call."""
    (catch,) = STATES["Wait For The Roll Call"]["Catch"]
    assert catch == {
        "ErrorEquals": ["States.Timeout"],
        "ResultPath": "$.roll_call",
        "Next": "Draw And Record",
    }


def test_reasons_are_kept():
    """Failed passes on the error and the cause that were caught. Every other Fail has its own."""
    assert STATES["Failed"] == {"Type": "Fail", "ErrorPath": "$.Error", "CausePath": "$.Cause"}
    caught = [
        each for state in STATES.values() for each in state.get("Catch", []) if each["Next"] == "Failed"
    ]
    assert len(caught) == 4
    assert not any("ResultPath" in each for each in caught)
    assert all({"Error", "Cause"} <= STATES[name].keys() for name in of_type("Fail") if name != "Failed")


def test_prizes_one_after_the_other():
    """The Map draws the prizes in their order, one at a time."""
    assert STATES["For Each Prize"]["MaxConcurrency"] == 1
