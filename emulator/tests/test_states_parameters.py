"""The parameters of a call: what AWS's SDK makes of them, and what cannot be sent."""

import json

import pytest
from helpers import one


@pytest.fixture
def called(machine):
    """`called("dynamodb:putItem", TableName=...)`: how an execution with this one Task ends."""

    def call(resource, **parameters):
        task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters}
        return machine(one(task)).run()

    return call


def test_values_of_dynamodb_as_texts(called, aws, table):
    """A text alone is a string, also in a list; "true" is a boolean. Public state machines write them so."""
    item = {"id": "a", "ok": {"BOOL": "true"}, "names": {"L": ["Ann", {"N": "5"}]}}
    assert called("dynamodb:putItem", TableName=table, Item=item)["status"] == "SUCCEEDED"
    assert aws("dynamodb").scan(TableName=table)["Items"] == [
        {"id": {"S": "a"}, "ok": {"BOOL": True}, "names": {"L": [{"S": "Ann"}, {"N": "5"}]}}
    ]


def test_null_is_called_nul(called, aws, table):
    """AWS's SDK for Java cannot call a member "null". Both ways use its name."""
    item = {"id": {"S": "a"}, "nothing": {"Nul": True}}
    assert called("aws-sdk:dynamodb:putItem", TableName=table, Item=item)["status"] == "SUCCEEDED"
    told = called("aws-sdk:dynamodb:getItem", TableName=table, Key={"id": {"S": "a"}})
    assert json.loads(told["output"]) == {"Item": item}


@pytest.mark.parametrize(
    ("resource", "parameters", "fault"),
    [
        (
            "dynamodb:putItem",
            {"Item": {"id": {"S": {"a": 1}}}},
            "The value for the field 'S' must be a STRING",
        ),
        ("dynamodb:putItem", {"Item": {"id": {"S": 5}}}, "The value for the field 'S' must be a STRING"),
        (
            "dynamodb:putItem",
            {"Item": {"id": {"Q": "5"}}},
            "The field 'Q' is not supported by Step Functions",
        ),
        ("dynamodb:putItem", {"Itemz": 1}, "The field 'Itemz' is not supported by Step Functions"),
        ("dynamodb:putItem", {"Item": ["a"]}, "The value of the field 'Item' has an invalid format"),
        ("aws-sdk:dynamodb:scan", {"Limit": "many"}, "The value for the field 'Limit' must be a NUMBER"),
        (
            "aws-sdk:dynamodb:scan",
            {"ConsistentRead": 1},
            "The value for the field 'ConsistentRead' must be a BOOLEAN",
        ),
        (
            "lambda:invoke",
            {"FunctionName": "f", "Foo": 1},
            "The field 'Foo' is not supported by Step Functions",
        ),
    ],
)
def test_what_cannot_be_sent(called, resource, parameters, fault):
    """The execution fails before the call, and its cause says which field, and why."""
    told = called(resource, **{"TableName": "none"} | parameters if "dynamodb" in resource else parameters)
    assert (told["status"], told["error"]) == ("FAILED", "States.Runtime")
    assert told["cause"].endswith(f"could not be used to start the Task: [{fault}]")


@pytest.mark.parametrize("resource", ["glue:startJobRun.sync", "http:invoke", "aws-sdk:x:y"])
def test_a_service_that_is_not_here(called, resource):
    """The cause names the integration, the state and the resource, and says what to do."""
    told = called(resource, Name="a")
    assert told["error"] == "States.Runtime"
    assert "has no mock. Mock it, or use another resource" in told["cause"]
    assert told["cause"].endswith(f"arn:aws:states:::{resource}")
