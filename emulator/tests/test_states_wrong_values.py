"""What a state does with values of a type that it cannot use: AWS's errors, and no words of Python."""

import re

import pytest
from helpers import flow, one, outcome

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
    told = outcome(machine, one(PASS | {"Parameters": paths}), {'a\\"b': 1, "c'd": 2})
    assert told == {"x": 1, "y": 2}


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
    told = outcome(machine, one(PASS | {"Parameters": {"x.$": text}}), GIVEN | {'a"b': 7})
    assert told == {"x": expected}


def test_an_intrinsic_function_that_fails_is_caught(machine):
    """A Catch sees States.IntrinsicFailure."""
    state = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    state |= {"Parameters": {"FunctionName.$": "States.MathAdd($.s, 1)"}}
    caught = state | {"Catch": [{"ErrorEquals": ["States.IntrinsicFailure"], "Next": "B"}]}
    assert outcome(machine, flow(A=caught, B=PASS), GIVEN)["Error"] == "States.IntrinsicFailure"


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
        pytest.param(PASS | {"InputPath": "$.1a"}, "States.Runtime", IN_A, id="a path that nobody can read"),
    ],
)
def test_a_value_of_the_wrong_type(machine, state, error, cause):
    """The error is AWS's, and the cause has values as JSON."""
    told = outcome(machine, flow(A=state, B=PASS), GIVEN)
    assert told[0] == error
    assert cause in told[1] and not PYTHON.search(told[1])


def test_an_operator_compares_values_of_one_type(machine):
    """If its path leads to a value of another type, the rule does not hold."""
    state = chosen(BooleanEqualsPath="$.n") | {"Default": "D"}
    assert outcome(machine, flow(A=state, B=PASS, D=PASS | {"Result": "no"}), GIVEN) == "no"


def test_an_operator_reads_the_context_object(machine):
    """The path of an operator may begin with two dollar signs."""
    state = chosen(BooleanEqualsPath="$$.Execution.Input.t")
    assert outcome(machine, flow(A=state, B=PASS), GIVEN) == GIVEN


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
    told = outcome(machine, task(f"{integration}:putItem", TableName="t", **{"Item.$": item}), GIVEN)
    assert told[0] == error
    assert cause in told[1] and not PYTHON.search(told[1])


def test_the_name_of_a_function_is_no_text(machine):
    """It becomes JSON."""
    _, cause = outcome(machine, task("lambda:invoke", **{"FunctionName.$": "$.l"}), GIVEN)
    assert "function:[1,null]:$LATEST" in cause and not PYTHON.search(cause)


def test_a_parallels_catch_assigns_what_a_branch_assigns(machine):
    """The branch has a variable of its own."""
    inner = flow(I={"Type": "Pass", "Assign": {"x": 1}, "Next": "J"}, J={"Type": "Fail"})
    catch = {"ErrorEquals": ["States.ALL"], "Assign": {"x": 2}, "Next": "B"}
    both = {"Type": "Parallel", "Branches": [inner], "Catch": [catch]}
    assert outcome(machine, flow(A=both, B=PASS | {"Parameters": {"x.$": "$x"}})) == {"x": 2}
