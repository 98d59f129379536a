"""What a state does with values of a type that it cannot use: AWS's errors, and no words of Python."""

import json
import re

import pytest
from helpers import flow, one

PASS = {"Type": "Pass", "End": True}
IN_A = "An error occurred while executing the state 'A' (entered at the event id #2). "
GIVEN = {"n": None, "t": True, "s": "abc", "l": [1, None], "o": {"a": 1}}
PYTHON = re.compile(r"\bNone\b|\bTrue\b|<class|Error\(|has no attribute|not supported between|namespace")


def chosen(**rule):
    return {"Type": "Choice", "Choices": [{"Variable": "$.t", "Next": "B"} | rule], "Default": "B"}


def task(resource, **parameters):
    arn = f"arn:aws:states:::{resource}"
    return one({"Type": "Task", "Resource": arn, "Parameters": parameters})


def test_a_name_in_a_path_may_have_quotes(machine):
    """A backslash before a quotation mark belongs to the name."""
    paths = {"x.$": """$['a\\"b']""", "y.$": """$["c'd"]"""}
    told = machine(one(PASS | {"Parameters": paths})).run({'a\\"b': 1, "c'd": 2})
    assert told["output"] == '{"x":1,"y":2}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("States.Format('{} and {}: it\\'s \\{\\} \\\\', $.s, 'x')", "abc and x: it's {} \\"),
        ("States.Format('{0.__class__} {}', $.s)", "{0.__class__} abc"),
        ("States.Array(null, 1.5, -2, true, 'a\\\\b', $.o.a)", [None, 1.5, -2, True, "a\\b", 1]),
        ("""States.Array($['a"b'], $.o['a'])""", [7, 1]),
    ],
)
def test_an_intrinsic_function(machine, text, expected):
    """Its strings have four escapes. Braces of Python's have no meaning."""
    told = machine(one(PASS | {"Parameters": {"x.$": text}})).run(GIVEN | {'a"b': 7})
    assert json.loads(told["output"])["x"] == expected


def test_an_intrinsic_function_that_fails_is_caught(machine):
    """A Catch sees States.IntrinsicFailure."""
    state = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    state |= {"Parameters": {"FunctionName.$": "States.MathAdd($.s, 1)"}}
    caught = state | {"Catch": [{"ErrorEquals": ["States.IntrinsicFailure"], "Next": "B"}]}
    assert '"Error":"States.IntrinsicFailure"' in machine(flow(A=caught, B=PASS)).run(GIVEN)["output"]


@pytest.mark.parametrize(
    ("state", "error", "cause"),
    [
        (
            PASS | {"Result": 1, "ResultPath": "$.s.x"},
            "States.ResultPathMatchFailure",
            'Unable to apply ReferencePath $.s.x to input {"n":null,"t":true,"s":"abc","l":[1,null],',
        ),
        (
            {"Type": "Fail", "ErrorPath": "$.n"},
            "States.Runtime",
            "The ErrorPath leads to a value that is no text: null",
        ),
        (
            {"Type": "Wait", "SecondsPath": "$.t", "End": True},
            "States.Runtime",
            "The SecondsPath parameter cannot be parsed as a long value: $.t == true",
        ),
        (
            {"Type": "Wait", "TimestampPath": "$.l", "End": True},
            "States.Runtime",
            "date-time format string: $.l == [1,null]",
        ),
        (
            chosen(BooleanEqualsPath="$.no"),
            "States.Runtime",
            "Invalid path '$.no': The choice state's condition path references an invalid value.",
        ),
        (
            {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
            | {"Parameters": {"FunctionName": "f"}, "TimeoutSecondsPath": "$.n"},
            "States.Runtime",
            'The TimeoutSecondsPath field refers to value "null" which is not a valid integer: $.n',
        ),
    ],
)
def test_a_value_of_the_wrong_type(machine, state, error, cause):
    """The error is AWS's, and the cause has values as JSON."""
    told = machine(flow(A=state, B=PASS)).run(GIVEN)
    assert (told["status"], told["error"]) == ("FAILED", error)
    assert cause in told["cause"] and not PYTHON.search(told["cause"])


def test_an_operator_compares_values_of_one_type(machine):
    """If its path leads to a value of another type, the rule does not hold."""
    state = chosen(BooleanEqualsPath="$.n") | {"Default": "D"}
    told = machine(flow(A=state, B=PASS, D=PASS | {"Result": "no match"})).run(GIVEN)
    assert told["output"] == '"no match"'


def test_an_operator_reads_the_context_object(machine):
    """The path of an operator may begin with two dollar signs."""
    state = chosen(BooleanEqualsPath="$$.Execution.Input.t")
    assert machine(flow(A=state, B=PASS)).run(GIVEN)["status"] == "SUCCEEDED"


NULL = "Value null at 'item' failed to satisfy constraint: Member must not be null"


@pytest.mark.parametrize(
    ("integration", "item", "error", "cause"),
    [
        ("dynamodb", "$.n", "DynamoDB.AmazonDynamoDBException", f"{NULL} (Service: AmazonDynamoDBv2; "),
        (
            "aws-sdk:dynamodb",
            "$.n",
            "DynamoDb.DynamoDbException",
            f"{NULL} (Service: DynamoDb, Status Code: 400, Request ID: ",
        ),
        (
            "aws-sdk:dynamodb",
            "$.s",
            "States.Runtime",
            "start the Task: [The value of the field 'Item' has an invalid format]",
        ),
    ],
)
def test_a_parameter_of_the_wrong_type(machine, integration, item, error, cause):
    """The service refuses null for a parameter that it needs. Step Functions refuses another type."""
    told = machine(task(f"{integration}:putItem", TableName="t", **{"Item.$": item})).run(GIVEN)
    assert told["error"] == error
    assert cause in told["cause"] and not PYTHON.search(told["cause"])


def test_the_name_of_a_function_is_no_text(machine):
    """It becomes JSON."""
    told = machine(task("lambda:invoke", **{"FunctionName.$": "$.l"})).run(GIVEN)
    assert "function:[1,null]:$LATEST" in told["cause"] and not PYTHON.search(told["cause"])


def test_a_parallels_catch_assigns_what_a_branch_assigns(machine):
    """The branch has a variable of its own."""
    inner = flow(I={"Type": "Pass", "Assign": {"x": 1}, "Next": "J"}, J={"Type": "Fail"})
    catch = {"ErrorEquals": ["States.ALL"], "Assign": {"x": 2}, "Next": "B"}
    both = {"Type": "Parallel", "Branches": [inner], "Catch": [catch]}
    told = machine(flow(A=both, B=PASS | {"Parameters": {"x.$": "$x"}})).run()
    assert told["output"] == '{"x":2}'


def test_a_path_that_nobody_can_read(machine):
    """The cause names the state, and no class of Python."""
    told = machine(one(PASS | {"InputPath": "$.1a"})).run(GIVEN)
    began = "An error occurred while executing the state 'A' (entered at the event id #2). "
    assert (told["status"], told["error"]) == ("FAILED", "States.Runtime")
    assert told["cause"].startswith(began) and not PYTHON.search(told["cause"])
