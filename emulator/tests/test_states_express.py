"""Express machines: who waits for them, and what cannot be asked about them."""

import json
import math
import re

import pytest
from helpers import one, refused

ECHO = one({"Type": "Pass", "Parameters": {"got.$": "$", "context.$": "$$.Execution"}})
FAILS = one({"Type": "Fail", "Error": "E", "Cause": "c"})


@pytest.fixture
def express(machine):
    """`express({"StartAt": ...})`."""
    return lambda definition, **options: machine(definition, type="EXPRESS", **options)


def test_a_caller_waits(express):
    """StartSyncExecution returns the output, and what AWS would bill. Nothing counts redrives."""
    mine = express(ECHO)
    told = mine.client.start_sync_execution(stateMachineArn=mine.arn, name="mine", input='{"a": 1}')
    assert (told["status"], told["name"], told["stateMachineArn"]) == ("SUCCEEDED", "mine", mine.arn)
    arn = mine.arn.replace(":stateMachine:", ":express:")
    assert re.fullmatch(re.escape(arn) + r":mine:[0-9a-f-]{36}", told["executionArn"])
    output = json.loads(told["output"])
    assert (output["got"], output["context"]["Id"]) == ({"a": 1}, told["executionArn"])
    assert "RedriveCount" not in output["context"]
    seconds = (told["stopDate"] - told["startDate"]).total_seconds()
    units = max(1, math.ceil(round(seconds * 10, 4)))  # a microsecond belongs to the next unit
    assert told["billingDetails"] == {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": units * 100}


def test_a_caller_gets_the_error(express):
    """The call succeeds, and says that the execution failed."""
    mine = express(FAILS)
    told = mine.client.start_sync_execution(stateMachineArn=mine.arn)
    assert (told["status"], told["error"], told["cause"]) == ("FAILED", "E", "c")
    assert "output" not in told


def test_a_standard_machine_is_not_waited_for(machine):
    """StateMachineTypeNotSupported."""
    mine = machine(ECHO)
    code, message = refused(mine.client.start_sync_execution, stateMachineArn=mine.arn)
    assert (code, message[:26]) == ("StateMachineTypeNotSupported", "This operation is not supp")


def test_names_may_be_used_again(express):
    """Each execution of an express machine has an ARN of its own."""
    mine = express(ECHO)
    start = mine.client.start_execution
    first, second = (start(stateMachineArn=mine.arn, name="n")["executionArn"] for _ in range(2))
    assert first != second


def test_nobody_can_ask_for_an_execution(express):
    """AWS keeps no history of it."""
    mine = express(ECHO)
    arn = mine.start()
    for ask in (
        mine.client.describe_execution,
        mine.client.get_execution_history,
        mine.client.stop_execution,
    ):
        code, message = refused(ask, executionArn=arn)
        assert (code, message) == (
            "InvalidArn",
            "Invalid Arn: 'Resource type not valid in this context: express'",
        )
    assert refused(mine.client.list_executions, stateMachineArn=mine.arn)[0] == "StateMachineTypeNotSupported"


def test_a_role_must_allow_to_wait(machine, role):
    """StartSyncExecution is an action of its own."""
    inner = machine(ECHO, type="EXPRESS")
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:startSyncExecution",
        "Parameters": {"StateMachineArn": inner.arn},
    }
    allowed = {"Action": "states:StartSyncExecution", "Resource": inner.arn}
    told = machine(one(state), roleArn=role(allowed).arn).run()
    assert told["status"] == "SUCCEEDED"
    told = machine(one(state), roleArn=role(allowed | {"Action": "states:StartExecution"}).arn).run()
    assert "states:StartSyncExecution" in told["cause"]
