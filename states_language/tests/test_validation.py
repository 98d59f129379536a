"""What the Amazon States Language allows, and AWS's sentences about the rest."""

import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states_language import validation as language

END = {"Type": "Succeed"}
TASK = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
PASS = {"Type": "Pass", "End": True}
READER = {"Resource": "arn:aws:states:::s3:getObject"}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}


def machine(states, **more):
    """A definition that begins with its first state."""
    return json.dumps({"StartAt": next(iter(states)), "States": states} | more)


def jsonata(state, **others):
    """A JSONata machine of the state A and others."""
    return machine({"A": state} | others, QueryLanguage="JSONata")


def workflow(states, **more):
    return {"StartAt": next(iter(states)), "States": states} | more


def mapped(states, **more):
    return {"Type": "Map", "ItemProcessor": workflow(states, **more), "End": True}


def told(definition, severity="ERROR"):
    return [str(fault) for fault in language.diagnostics(definition) if fault.severity == severity]


def schema(text, at="/States/A"):
    return f"SCHEMA_VALIDATION_FAILED: {text} at {at}"


def only_for(field, other, at="/States/A"):
    is_set = {"JSONata": "JSONPath", "JSONPath": "JSONata"}[other]
    text = f"The QueryLanguage is set to '{is_set}', but field '{field}' is only supported for the '{other}'"
    return schema(f"{text} QueryLanguage", at)


MIXED = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
NO_LANGUAGE = "Value should be one of the following: [JSONPath, JSONata]"
UNSUPPORTED = "UNSUPPORTED_JSONATA_EXPRESSION: "
TOP = "Reference to '{}' at the top level is not supported."
OUTPUT = {"v": "{% 1 %}"}
CHOICE = {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 0, "Next": "Z"}]}


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("[]", ["INVALID_JSON_DESCRIPTION: The definition is not a JSON object"]),
        (
            "nonsense",
            [
                "INVALID_JSON_DESCRIPTION: Unrecognized token 'nonsense': "
                "was expecting ('true', 'false' or 'null')"
            ],
        ),
        ("{}", [schema("These fields are required: [StartAt, States]", "/")]),
        # The query languages
        (machine({"A": PASS | {"Output": OUTPUT}}), [only_for("Output", "JSONata")]),
        (machine({"A": TASK | {"Arguments": {}}}), [only_for("Arguments", "JSONata")]),
        (
            jsonata(PASS | {"Result": 1, "InputPath": "$.a"}),
            [only_for("Result", "JSONPath"), only_for("InputPath", "JSONPath")],
        ),
        (machine({"A": PASS | {"QueryLanguage": "JSONata", "Output": OUTPUT}}), []),
        (jsonata(PASS | {"QueryLanguage": "JSONPath", "Output": OUTPUT}), [schema(MIXED)]),
        (machine({"A": PASS | {"Assign": {"x.$": "$.a", "y": 1}}}), []),
        # A Map does not give its language to the states in it.
        (
            machine({"A": mapped({"B": PASS | {"Output": OUTPUT}}) | {"QueryLanguage": "JSONata"}}),
            [only_for("Output", "JSONata", "/States/A/ItemProcessor/States/B")],
        ),
        (
            machine({"A": mapped({"B": PASS}, QueryLanguage="JSONata")}),
            [schema("Field 'QueryLanguage' is not supported", "/States/A/ItemProcessor")],
        ),
        (
            machine({"A": PASS | {"QueryLanguage": 5, "InputPath": "$.a"}}),
            [
                schema("Expected value of type [STRING]", "/States/A/QueryLanguage"),
                only_for("InputPath", "JSONPath"),
            ],
        ),
        (
            machine({"A": PASS | {"Output": OUTPUT}}, QueryLanguage="jsonpath"),
            [schema(NO_LANGUAGE, "/QueryLanguage")],
        ),
        (
            jsonata({**CHOICE}, Z=END),
            [
                only_for("Variable", "JSONPath", "/States/A/Choices[0]"),
                only_for("NumericEquals", "JSONPath", "/States/A/Choices[0]"),
            ],
        ),
        (
            jsonata(
                TASK | {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z", "ResultPath": "$.e"}]}, Z=END
            ),
            [only_for("ResultPath", "JSONPath", "/States/A/Catch[0]")],
        ),
        # Fields that a type never has, that it needs, and what they hold
        (machine({"A": PASS | {"Retry": []}}), [schema("Field 'Retry' is not supported")]),
        (jsonata(mapped({"B": PASS}) | {"Arguments": {}}), [schema("Field 'Arguments' is not supported")]),
        (machine({"A": END | {"Assign": {"x": 1}}}), [schema("Field 'Assign' is not supported")]),
        (machine({"A": {"Type": "Task", "End": True}}), [schema("These fields are required: [Resource]")]),
        (
            machine({"A": {"Type": "Parallel", "Branches": [{"StartAt": "B"}], "End": True}}),
            [schema("These fields are required: [States]", "/States/A/Branches[0]")],
        ),
        (
            machine({"A": {"Type": "Pass"}}),
            [
                schema("This object should have only one of the following fields: [Next, End]"),
                "MISSING_END_STATE: Workflow has no terminal state at null",
            ],
        ),
        (
            jsonata({"Type": "Wait", "Seconds": 1, "Timestamp": "{% $now() %}", "End": True}),
            [
                schema(
                    "There should only be one of the following fields: "
                    "[SecondsPath, Seconds, TimestampPath, Timestamp]"
                )
            ],
        ),
        (
            jsonata({"Type": "Wait", "Seconds": -1, "End": True}),
            [schema("Minimum value is 0", "/States/A/Seconds")],
        ),
        (
            jsonata({"Type": "Wait", "Seconds": "soon", "End": True}),
            [schema("Expected value of type [INTEGER]", "/States/A/Seconds")],
        ),
        (
            jsonata({"Type": "Choice", "Choices": [{"Condition": "yes", "Next": "Z"}]}, Z=END),
            [schema("Expected value of type [BOOLEAN]", "/States/A/Choices[0]/Condition")],
        ),
        (
            machine({"A": {"Type": "Choise", "End": True}}),
            [
                schema(
                    f"The field 'Type' should have one of these values: [{', '.join(language.STATE_TYPES)}]",
                    "/States/A/Type",
                )
            ],
        ),
        (
            jsonata({"Type": "Wait", "Seconds": True, "End": True}),
            [schema("Expected value of type [INTEGER]", "/States/A/Seconds")],
        ),
        (
            jsonata({"Type": "Choice", "Choices": [{"Next": "Z"}]}, Z=END),
            [
                schema(
                    "This object should have only one of the following fields: "
                    "[And, Or, Not, Variable, Condition]",
                    "/States/A/Choices[0]",
                )
            ],
        ),
        # The ways between states
        (
            machine({"A": PASS}, StartAt="B"),
            [
                "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /StartAt",
                'MISSING_TRANSITION_TARGET: State "A" is not reachable. at /States/A',
            ],
        ),
        (
            machine({"A": PASS | {"End": False, "Next": "X"}, "Z": END}),
            [
                "MISSING_TRANSITION_TARGET: Missing 'Next' target: X at /States/A/Next",
                'MISSING_TRANSITION_TARGET: State "Z" is not reachable. at /States/Z',
            ],
        ),
        (
            machine({"A": {"Type": "Pass", "Next": "A"}, "Z": {"Type": "Pass", "Next": "A"}}),
            ["MISSING_END_STATE: Workflow has no terminal state at null"],
        ),
        (
            machine({"A": mapped({"A": PASS})}),
            ["DUPLICATE_STATE_NAME: Duplicate State name: A at /States/A/ItemProcessor/States/A"],
        ),
        (
            machine({"A": mapped({"B": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Pass", "Next": "B"}})}),
            [],
        ),
        # Variables
        (
            jsonata(PASS | {"Assign": {"states": 1}}),
            [
                "RESERVED_VARIABLE_NAME: Cannot assign to reserved variable '$states'."
                " at /States/A/Assign/states"
            ],
        ),
        (jsonata(PASS | {"Assign": {"grüße": 1, "x1_": 1, "n" * 80: 1}}), []),
        (
            machine({"A": CHOICE | {"Choices": [{"Not": {"Next": "Z"}, "Next": "Z"}]}, "Z": END}),
            [
                schema(
                    "This object should have only one of the following fields: [And, Or, Not, Variable]",
                    "/States/A/Choices[0]/Not",
                ),
                schema("Field 'Next' is not supported", "/States/A/Choices[0]/Not"),
            ],
        ),
        (
            machine(
                {
                    "A": PASS | {"Assign": {"x.$": "$.a"}, "End": False, "Next": "M"},
                    "M": mapped({"B": PASS | {"Assign": {"x.$": "$.a", "own": 1}}}),
                }
            ),
            [
                "INVALID_VARIABLE_NAME: Invalid variable name 'x': "
                "the variable name is used in an outer scope. at /States/M/ItemProcessor/States/B/Assign/x.$"
            ],
        ),
        (
            jsonata(
                PASS | {"Assign": {"x": 1}, "End": False, "Next": "M"},
                M=mapped({"B": PASS | {"Output": "{% $x + $unknown %}"}}, **DISTRIBUTED),
            ),
            [
                schema(
                    "A Distributed Map cannot read the variable '$x' of an outer scope",
                    "/States/M/ItemProcessor/States/B/Output",
                )
            ],
        ),
        (
            jsonata(
                PASS | {"Assign": {"x": 1}, "End": False, "Next": "M"},
                M=mapped({"B": PASS | {"Assign": {"x": 2}, "Output": "{% $x %}"}}, **DISTRIBUTED),
            ),
            [],
        ),
        # Where JSONata may stand
        (
            jsonata(PASS | {"Output": {"a": {"b": [1, "{% 1"]}}}),
            [schema("JSONata string must start with {% and end with %}", "/States/A/Output/a/b[1]")],
        ),
        (jsonata(PASS | {"Output": [" {% a %} ", "$a", "{%1/**/%}"], "Comment": "{% a %}"}), []),
        (machine({"A": PASS | {"Parameters": {"a": "{% b %}", "c": "{% "}}}), []),
        (jsonata(PASS | {"Output": {"{% a %}": 1, "a.$": "$.b"}}), []),
        (
            jsonata({"Type": "Fail", "Cause": "{% a %}"}),
            [UNSUPPORTED + TOP.format("a") + " at /States/A/Cause"],
        ),
        (
            jsonata(TASK | {"Arguments": {"Payload": {"Comment": "{% $ %}"}}}),
            [UNSUPPORTED + TOP.format("$") + " at /States/A/Arguments/Payload/Comment"],
        ),
        # $states
        (jsonata(TASK | {"Output": "{% $states.result.a %}", "Assign": {"x": "{% [$states.result] %}"}}), []),
        (
            jsonata(TASK | {"Arguments": "{% $states.result %}"}),
            [UNSUPPORTED + "Field '$states.result' does not exist. at /States/A/Arguments"],
        ),
        (
            jsonata(PASS | {"Output": "{% $states.input[x = $states.result] %}"}),
            [UNSUPPORTED + "Field '$states.result' does not exist. at /States/A/Output"],
        ),
        (
            jsonata(
                TASK
                | {
                    "Assign": {"x": "{% $states.errorOutput %}"},
                    "Catch": [
                        {
                            "ErrorEquals": ["States.Timeout"],
                            "Next": "Z",
                            "Output": "{% $states.errorOutput.Cause %}",
                            "Assign": {"y": "{% $states.result %}"},
                        }
                    ],
                },
                Z=END,
            ),
            [
                UNSUPPORTED + "Field '$states.errorOutput' does not exist. at /States/A/Assign/x",
                UNSUPPORTED + "Field '$states.result' does not exist. at /States/A/Catch[0]/Assign/y",
            ],
        ),
    ],
)
def test_what_is_refused(definition, expected):
    """A definition has exactly these errors, with AWS's codes, sentences and places."""
    assert told(definition) == expected


WAIT = {"Type": "Wait", "End": True}
FAIL = {"Type": "Fail"}
JSON_PATH, REFERENCE_PATH = "Value must be a valid JSONPath.", "Value is not a Reference Path"
NO_TIME, EMPTY = "String does not match RFC3339 timestamp", "Value cannot be empty"
ALL_LAST = "States.ALL must appear alone and at end of list"
UNRECOGNIZED = (
    "The resource provided {} is not recognized. The value is not a valid resource ARN, "
    "or the resource is not available in this region."
)
READS = "The value for the field '{}' must be a valid JSONPath or a valid intrinsic function call"
ONLY_ONE = "There should only be one of the following fields: [{0}, {0}Path]"
FROM_ROOT = f"{REFERENCE_PATH}: Reference path didn't start with '$'"


CONFIG = "ItemReader/ReaderConfig"


def read_csv(**config):
    """A Map that reads CSV."""
    return mapped({"B": PASS}, **DISTRIBUTED) | {"ItemReader": READER | {"ReaderConfig": config}}


def of_type(*names):
    return f"Expected value of type [{', '.join(names)}]"


def one_of(*names):
    return f"Value should be one of the following: [{', '.join(names)}]"


def retried(*names, **more):
    """A Task that is tried again after an error, or after each of these lists of errors."""
    return TASK | {"Retry": [{"ErrorEquals": each, **more} for each in names or [["E"]]]}


def caught(*names, **more):
    return TASK | {"Catch": [{"ErrorEquals": each, "Next": "Z", **more} for each in names]}


def ruled(**rule):
    """A Choice with one rule; by default the rule is about a variable."""
    about = {} if {"And", "Or", "Not", "Variable"} & rule.keys() else {"Variable": "$.n"}
    return {"Type": "Choice", "Choices": [about | rule | {"Next": "Z"}], "Default": "Z"}


# What each says was measured on AWS by others (cdk-preflight), or follows the guide.
@pytest.mark.parametrize(
    ("state", "text", "place"),
    [
        # Numbers of a Retry
        (retried(MaxAttempts="3"), of_type("INTEGER"), "Retry[0]/MaxAttempts"),
        (retried(MaxAttempts=1.5), of_type("INTEGER"), "Retry[0]/MaxAttempts"),
        (retried(MaxAttempts=True), of_type("INTEGER"), "Retry[0]/MaxAttempts"),
        (retried(MaxAttempts=-1), "Minimum value is 0", "Retry[0]/MaxAttempts"),
        (retried(MaxAttempts=100_000_000), "Maximum value is 99999999", "Retry[0]/MaxAttempts"),
        (retried(IntervalSeconds=-1), "Minimum value is 0", "Retry[0]/IntervalSeconds"),
        (retried(BackoffRate="2"), of_type("INTEGER", "FLOAT"), "Retry[0]/BackoffRate"),
        (retried(BackoffRate=0.5), "Minimum value is 1.0", "Retry[0]/BackoffRate"),
        (retried(MaxDelaySeconds=0), "Minimum value is 1", "Retry[0]/MaxDelaySeconds"),
        (retried(MaxDelaySeconds=31_622_401), "Maximum value is 31622400", "Retry[0]/MaxDelaySeconds"),
        (retried(JitterStrategy="full"), one_of("NONE", "FULL"), "Retry[0]/JitterStrategy"),
        # Names of errors
        (retried([]), EMPTY, "Retry[0]/ErrorEquals"),
        (retried([1]), of_type("STRING"), "Retry[0]/ErrorEquals[0]"),
        (retried(["States.ALL"], ["E"]), ALL_LAST, "Retry[0]/ErrorEquals[0]"),
        (retried(["E", "States.ALL"]), ALL_LAST, "Retry[0]/ErrorEquals[1]"),
        (caught(["States.ALL"], ["States.ALL"]), ALL_LAST, "Catch[0]/ErrorEquals[0]"),
        # Paths
        (PASS | {"InputPath": "body"}, JSON_PATH, "InputPath"),
        (PASS | {"OutputPath": "$.a b"}, JSON_PATH, "OutputPath"),
        (PASS | {"InputPath": 5}, of_type("STRING"), "InputPath"),
        (PASS | {"ResultPath": "$."}, JSON_PATH, "ResultPath"),
        *(
            (PASS | {"ResultPath": f"$.a{each}"}, REFERENCE_PATH, "ResultPath")
            for each in ("[*]", "..b", "[0:1]")
        ),
        (mapped({"B": PASS}) | {"ItemsPath": "$.a[?(@.b)]"}, REFERENCE_PATH, "ItemsPath"),
        (mapped({"B": PASS}) | {"ItemsPath": None}, of_type("STRING"), "ItemsPath"),
        (WAIT | {"SecondsPath": "s"}, JSON_PATH, "SecondsPath"),
        (TASK | {"TimeoutSecondsPath": "t"}, JSON_PATH, "TimeoutSecondsPath"),
        (FAIL | {"ErrorPath": "States.Fmt('x')"}, JSON_PATH, "ErrorPath"),
        (caught(["E"], ResultPath="e"), JSON_PATH, "Catch[0]/ResultPath"),
        (ruled(Variable="n", IsNull=True), FROM_ROOT, "Choices[0]/Variable"),
        (ruled(Variable="States.ArrayLength($.a)", NumericEquals=0), FROM_ROOT, "Choices[0]/Variable"),
        (ruled(Variable="$.a[*]", IsNull=True), REFERENCE_PATH, "Choices[0]/Variable"),
        (ruled(NumericEqualsPath="m"), FROM_ROOT, "Choices[0]/NumericEqualsPath"),
        # What a template reads
        (TASK | {"Parameters": {"x.$": "a"}}, READS.format("x.$"), "Parameters"),
        (TASK | {"Parameters": {"x": {"y": [{"z.$": 5}]}}}, READS.format("z.$"), "Parameters/x/y[0]"),
        (TASK | {"ResultSelector": {"x.$": "States.Nope()"}}, READS.format("x.$"), "ResultSelector"),
        (mapped({"B": PASS}) | {"ItemSelector": {"x.$": "{% 1 %}"}}, READS.format("x.$"), "ItemSelector"),
        (PASS | {"Parameters": {"x.$": "States.UUID"}}, READS.format("x.$"), "Parameters"),
        (PASS | {"Parameters": {"x.$": "States.Format('{}', $.a"}}, READS.format("x.$"), "Parameters"),
        (PASS | {"Assign": {"x.$": "a"}}, READS.format("x.$"), "Assign"),
        # Times
        *(
            (WAIT | {"Timestamp": each}, NO_TIME, "Timestamp")
            for each in (
                "tomorrow",
                "2026-01-01",
                "2026-13-01T00:00:00Z",
                "2026-01-01T00:00:00",
                "2026-01-01t00:00:00z",
            )
        ),
        (ruled(TimestampLessThan="tomorrow"), NO_TIME, "Choices[0]/TimestampLessThan"),
        # What a rule compares
        (ruled(NumericEquals="0"), of_type("INTEGER", "FLOAT"), "Choices[0]/NumericEquals"),
        (ruled(NumericEquals=True), of_type("INTEGER", "FLOAT"), "Choices[0]/NumericEquals"),
        (ruled(StringEquals=1), of_type("STRING"), "Choices[0]/StringEquals"),
        (ruled(BooleanEquals="true"), of_type("BOOLEAN"), "Choices[0]/BooleanEquals"),
        (ruled(IsPresent=1), of_type("BOOLEAN"), "Choices[0]/IsPresent"),
        (ruled(TimestampEquals=5), of_type("STRING"), "Choices[0]/TimestampEquals"),
        (ruled(And=[]), EMPTY, "Choices[0]/And"),
        # Other values
        ({"Type": "Choice", "Choices": [], "Default": "Z"}, EMPTY, "Choices"),
        ({"Type": "Parallel", "Branches": [], "End": True}, EMPTY, "Branches"),
        (TASK | {"Resource": "my-function"}, "Value is not a valid resource ARN", "Resource"),
        *(
            (TASK | {"Credentials": wrong}, "The field 'RoleArn' is required but was missing", "Credentials")
            for wrong in ({}, {"Role": "arn:x"})
        ),
        *(
            (TASK | {"Resource": arn}, UNRECOGNIZED.format(arn), "Resource")
            for arn in (
                "arn:aws:states:::dynamodb:query",
                "arn:aws:s3:::b",
                "arn:aws:states:::sns:publish.foo",
            )
        ),
        (
            TASK | {"TimeoutSeconds": 3, "HeartbeatSeconds": 3},
            "HeartbeatSeconds must be smaller than TimeoutSeconds",
            "HeartbeatSeconds",
        ),
        *(
            (PASS | {"Parameters": {"a.$": read}}, READS.format("a.$"), "Parameters")
            for read in (
                "$.a[",
                "$.a[?(@.b == 1]",
                "$.a b",
                "States.Format()",
                "States.MathAdd(1,)",
                "States.UUID(1)",
                "States.ArrayLength($.a).b",
                "States.Format('\\\"{}', 1)",
            )
        ),
        *(
            (PASS | {"ResultPath": path}, "Value is not a Reference Path", "ResultPath")
            for path in ("$x", "$$.a")
        ),
        (
            mapped({"B": PASS}) | {"MaxConcurrencyPath": "$$.Execution.Input.n"},
            "Value is not a Reference Path",
            "MaxConcurrencyPath",
        ),
        (TASK | {"ResultSelector": [1]}, of_type("OBJECT"), "ResultSelector"),
        (TASK | {"Credentials": "x"}, of_type("OBJECT"), "Credentials"),
        (TASK | {"Credentials": {"RoleArn": 5}}, of_type("STRING"), "Credentials/RoleArn"),
        (TASK | {"Credentials": {"RoleArn.$": 5}}, READS.format("RoleArn.$"), "Credentials"),
        (read_csv(CSVHeaderLocation="GIVEN"), "These fields are required: [CSVHeaders]", CONFIG),
        (read_csv(CSVHeaders=["a", 1]), of_type("STRING"), f"{CONFIG}/CSVHeaders[1]"),
        (TASK | {"TimeoutSeconds": 1, "TimeoutSecondsPath": "$.t"}, ONLY_ONE.format("TimeoutSeconds"), ""),
        (FAIL | {"Cause": "C", "CausePath": "$.c"}, ONLY_ONE.format("Cause"), ""),
        (
            WAIT | {"Seconds": 1, "SecondsPath": "$.s"},
            "There should only be one of the following fields: "
            "[SecondsPath, Seconds, TimestampPath, Timestamp]",
            "",
        ),
        (mapped({"B": PASS}) | {"ItemReader": {}}, "These fields are required: [Resource]", "ItemReader"),
        (
            mapped({"B": PASS}) | {"ItemReader": {"Resource": "arn:aws:states:::lambda:invoke"}},
            "Value is not a valid resource ARN",
            "ItemReader/Resource",
        ),
        (
            mapped({"B": PASS})
            | {"ItemReader": READER | {"ReaderConfig": {"InputType": "CSV", "CSVDelimiter": ";"}}},
            one_of("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"),
            "ItemReader/ReaderConfig/CSVDelimiter",
        ),
        (
            mapped({"B": PASS}, ProcessorConfig={"Mode": "BOTH"}),
            one_of("INLINE", "DISTRIBUTED"),
            "ItemProcessor/ProcessorConfig/Mode",
        ),
    ],
)
def test_a_value_that_is_refused(state, text, place):
    """AWS's sentence and the place of the value; nothing else."""
    states = {"A": state} | ({"Z": END} if '"Z"' in json.dumps(state) else {})
    assert told(machine(states)) == [schema(text, f"/States/A/{place}".rstrip("/"))]


@pytest.mark.parametrize(
    "state",
    [
        retried(MaxAttempts=0, IntervalSeconds=0, BackoffRate=1, MaxDelaySeconds=8, JitterStrategy="NONE"),
        retried(BackoffRate=1.5),
        retried(["E", "States.Timeout"], ["States.ALL"]),
        caught(["E"], ["States.ALL"], ResultPath=None),
        *(
            PASS | {"InputPath": each}
            for each in (
                "$",
                None,
                "$.a-b",
                "$['a b'].c[0]",
                "$.a[?(@.b > 1)]",
                "$..a",
                "$$.Execution.Id",
                "$x.y",
            )
        ),
        *(PASS | {"ResultPath": each} for each in ("$", None, "$.工号", "$['a b'].c[0]", "$['a*b']")),
        *(mapped({"B": PASS}) | {"ItemsPath": each} for each in ("$", "$$.Execution.Input.items", "$items")),
        *(
            PASS | {"Parameters": {"x.$": each, "y": [{"z.$": each}], "n": None}}
            for each in (
                "$.a[?(@.b=='c')]",
                "$.a.length()",
                "States.UUID()",
                "States.Format('It\\'s {}', $.a)",
                "States.ArrayGetItem(States.Array($.a, 'b'), 0)",
                "States.Array( 1.5, null,true , $$.Execution.Id,$x.y[0], '\\{\\\\')",
            )
        ),
        PASS | {"Result": {"x.$": "a"}},
        TASK | {"Resource": "arn:aws:states:::aws-sdk:sqs:sendMessage.waitForTaskToken"},
        TASK | {"Resource": "arn:aws-cn:states:::states:startExecution.sync:2"},
        TASK | {"Resource": "arn:aws:states:eu-west-1:123456789012:activity:a"},
        {
            "Type": "Parallel",
            "Branches": [workflow({"B": PASS | {"Assign": {"x": 1}}})],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Assign": {"x": 2}, "Next": "Z"}],
            "End": True,
        },
        *(WAIT | {"Timestamp": f"2026-01-01T00:00:00{each}"} for each in ("Z", ".5Z", "-05:00")),
        FAIL | {"Error": "E", "CausePath": "States.Format('{}', $.c)"},
        *(
            ruled(Variable=each, NumericEquals=-1.5)
            for each in ("$", "$.a-b[0]", "$$.Execution.Input.n", "$n")
        ),
        ruled(TimestampEqualsPath="$$.Execution.StartTime"),
        ruled(And=[{"Not": {"Variable": "$.m", "StringMatches": "*.txt"}}]),
        mapped({"B": PASS}) | {"ToleratedFailurePercentage": 2.5, "Label": "L"},
        mapped({"B": PASS}, **DISTRIBUTED) | {"ResultWriter": {"WriterConfig": {}}},
    ],
)
def test_a_value_that_is_accepted(state):
    """AWS takes each of these, and linters of others refuse some."""
    states = {"A": state} | ({"Z": END} if '"Z"' in json.dumps(state) else {})
    assert told(machine(states)) == []


ANYTHING = {"a": "{% 1 %}"}
EXPRESSION = "{% $states.input %}"
TAKES = {
    "Task": {"Arguments": ANYTHING, "Credentials": {"RoleArn": "{% 1 %}"}}
    | dict.fromkeys(("TimeoutSeconds", "HeartbeatSeconds"), EXPRESSION)
    | {"Retry": [], "Catch": []},
    "Parallel": {"Arguments": EXPRESSION, "Retry": [], "Catch": []},
    "Map": {
        **dict.fromkeys(("Items", "MaxConcurrency", "ToleratedFailureCount"), EXPRESSION),
        **{"ToleratedFailurePercentage": EXPRESSION, "ItemSelector": ANYTHING, "Retry": [], "Catch": []},
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "Arguments": ANYTHING,
            "ReaderConfig": {"MaxItems": EXPRESSION},
        },
        "ItemBatcher": {
            **{"BatchInput": ANYTHING, "MaxItemsPerBatch": EXPRESSION, "MaxInputBytesPerBatch": EXPRESSION}
        },
        "ResultWriter": {"Arguments": ANYTHING},
    },
    "Pass": {},
    "Choice": {"Default": "Z"},
    "Wait": {},
    "Succeed": {},
    "Fail": {"Error": EXPRESSION, "Cause": EXPRESSION},
}
PATHS = {
    "Task": "Parameters ResultSelector ResultPath TimeoutSecondsPath HeartbeatSecondsPath",
    "Parallel": "Parameters ResultSelector ResultPath",
    "Map": "Parameters ResultSelector ResultPath ItemsPath MaxConcurrencyPath ToleratedFailureCountPath"
    " ToleratedFailurePercentagePath",
    "Pass": "Result Parameters ResultPath",
    "Wait": "SecondsPath TimestampPath",
    "Fail": "ErrorPath CausePath",
}


@pytest.mark.parametrize("kind", language.STATE_TYPES)
def test_the_fields_of_a_jsonata_state(kind):
    """A state in JSONata may have the fields of AWS's guide, and none that only JSONPath has."""
    needed = {
        "Task": TASK,
        "Parallel": {"Branches": [workflow({"B": PASS})], "End": True},
        "Map": mapped({"B": PASS}),
        "Pass": PASS,
        "Choice": {"Choices": [{"Condition": False, "Next": "Z", "Output": 1, "Assign": {"y": 1}}]},
        "Wait": {"Seconds": EXPRESSION, "End": True},
    }.get(kind, {})
    takes = TAKES[kind] | ({"Output": ANYTHING} if kind != "Fail" else {})
    takes |= {"Assign": {"x": EXPRESSION}} if kind not in {"Succeed", "Fail"} else {}
    others = {"Z": END} if kind == "Choice" else {}
    assert told(jsonata(needed | takes | {"Type": kind}, **others)) == []
    paths = PATHS.get(kind, "").split() + (["InputPath", "OutputPath"] if kind != "Fail" else [])
    refused = told(jsonata(needed | dict.fromkeys(paths, "$.a") | {"Type": kind}, **others))
    assert set(refused) >= {only_for(field, "JSONPath") for field in paths}


def test_a_distributed_map_is_refused_in_express():
    """AWS's guide says so. The sentence is ours."""
    definition = machine({"A": mapped({"B": PASS}, **DISTRIBUTED)})
    (fault,) = language.diagnostics(definition, express=True)
    assert fault.message == "Express state machine does not support Distributed Map"
    assert not language.diagnostics(definition)


@pytest.mark.parametrize("name", ["x.y", "x[2]", "1a", "_a", "a-b", "", "$a"])
def test_a_name_that_no_variable_may_have(name):
    """It begins with a letter, goes on with letters and digits, and is not a part of another variable."""
    text = f"Invalid variable name '{name}': the variable name contains invalid characters."
    assert told(jsonata(PASS | {"Assign": {name: 1}})) == [
        f"INVALID_VARIABLE_NAME: {text} at /States/A/Assign/{name}"
    ]


def test_a_name_may_have_80_characters():
    """A variable's name with 81 characters is refused."""
    (fault,) = told(jsonata(PASS | {"Assign": {"n" * 81: 1}}))
    assert "exceeds the 80-character limit" in fault


def expression(text):
    """The faults of one expression, and what it reads."""
    definition = jsonata(PASS | {"Output": f"{{% {text} %}}"})
    return [fault.message for fault in language.diagnostics(definition)], language.variable_references(
        definition
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        *(
            (text, ["phone"])
            for text in (
                "phone",
                "phone[0].number",
                "-phone",
                "phone ? 1 : 2",
                "$states.input.a ? phone : 2",
                "phone & 'x'",
                "phone in $states.input.b",
                "$sum(phone)",
                "phone(1)",
                "phone ~> $string()",
                "[1..phone]",
                "(phone).other",
                "{phone: 1}",
                "($x := phone; $x)",
                "$map($states.input.a, function($y){ phone })",
                "$count(phone[inner])",
                "phone.**.deeper",
            )
        ),
        *((text, ["$"]) for text in ("$.phone", "$[0]", "$map($states.input.a, function($x){ $ })")),
        ("[bbb, aaa, bbb]", ["bbb", "aaa"]),
        *(
            (text, [])
            for text in (
                "$states.input.a[0].phone",
                "$states.input.items[phone > 3]",
                "$states.input.a^(phone)",
                "$states.input.a{'k': phone}",
                "$states.input.a.(phone)",
                "$states.input ~> |phone|{'b': 1}|",
                "**.phone",
                "{'k': 1}.phone",
                "$states.input.a[$ > 1]",
                "function($x){ $x.phone }",
                "'phone'",
                "$states.input@$b#$i.{'b': $b, 'i': $i}",
                "$map($states.input.a, $uppercase)",
                "$uuid()",
                "$states.context.Task.Token",
                "1 /* phone */",
                "/(?<name>a)/",
            )
        ),
    ],
)
def test_no_expression_reads_the_input_document(text, names):
    """A bare name and `$` mean nothing, except where something has been found. AWS answered so to each."""
    assert expression(text) == ([TOP.format(name) for name in names], {})


def test_the_whole_document_is_nowhere():
    """`$$` is refused, also in a predicate."""
    assert expression("$states.input.a[b = $$.c]")[0] == ["Reference to '$$' is not supported."]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a[1,2)", 'Expected "]", got ","'),
        ('"unterminated', "String literal must be terminated by a matching quote"),
        ("1 +", "Unexpected end of expression"),
        ("$states.input.a ?? 1", 'The symbol "?" cannot be used as a unary operator'),
        ("$states.input.a ?: 1", 'The symbol ":" cannot be used as a unary operator'),
        ("", "Unexpected end of expression"),
        ('{"a":}', 'The symbol "}" cannot be used as a unary operator'),
        ("$match('a', /abc", "No terminating / in regular expression"),
        (
            "function(a){1}",
            'Parameter "a" of function definition must be a variable name (start with $)',
        ),
    ],
)
def test_an_expression_that_cannot_be_parsed(text, message):
    """AWS tells JSONata's own sentence, without its code."""
    assert expression(text) == ([message], {})
    (fault,) = language.diagnostics(jsonata(PASS | {"Output": f"{{% {text} %}}"}))
    assert (fault.code, fault.location) == ("INVALID_JSONATA_EXPRESSION", "/States/A/Output")


def test_the_recursion_limit_of_the_process_stays_small():
    """Checking an expression does not let an endless recursion in a notebook go on to 10,000 levels."""
    text = jsonata(PASS | {"Output": "{% 1 %}"})
    check = f"import sys; import states_language; states_language.diagnostics({text!r})"
    shown = subprocess.run(
        [sys.executable, "-c", f"{check}; print(sys.getrecursionlimit())"], capture_output=True, check=True
    ).stdout
    assert int(shown) == 3000


def test_the_variables_that_states_read():
    """Each state has the variables that it reads, without functions and names of the expression itself."""
    states = {
        "A": PASS | {"Assign": {"count": 0, "x": 1}, "End": False, "Next": "P"},
        "P": {
            "Type": "Parallel",
            "Branches": [workflow({"B": PASS | {"Output": {"a": "{% $x + $count + $x %}"}}})],
            "Output": "{% ($y := 1; $count([$y]) + $z[$w]) %}",
            "End": True,
        },
    }
    read = language.variable_references(machine(states, QueryLanguage="JSONata"))
    assert read == {"B": ["x", "count"], "P": ["z", "w"]}
    states = {
        "A": TASK
        | {
            "Parameters": {
                "a.$": "$x.b[0]",
                "b.$": "States.Format('{} $no', $y)",
                "c": "$literal",
                "d.$": "$$.Execution.Id",
            },
            "InputPath": "$z",
            "ResultPath": "$.r",
            "Assign": {"v.$": "$.a", "w": {"deep.$": "$x"}},
            "Next": "C",
        },
        "C": CHOICE | {"Choices": [{"Not": {"Variable": "$v", "IsNull": True}, "Next": "Z"}]},
        "Z": END,
    }
    assert language.variable_references(machine(states)) == {"A": ["x", "y", "z"], "C": ["v"]}


@pytest.mark.parametrize(
    ("state", "code", "field"),
    [
        (TASK | {"Parameters": {"a": {"b": "$.c"}}}, "NO_DOLLAR", "Parameters/a/b"),
        (PASS | {"Assign": {"a": "States.UUID()"}}, "NO_DOLLAR", "Assign/a"),
        (PASS | {"Result": {"a": "$.b"}}, "PASS_RESULT_IS_STATIC", "Result/a"),
        ({"Type": "Fail", "Error": "$.error"}, "NO_PATH", "Error"),
    ],
)
def test_what_looks_like_a_path_is_a_warning(state, code, field):
    """A value that looks like a path is only a warning."""
    (fault,) = language.diagnostics(machine({"A": state}))
    assert (fault.severity, fault.code, fault.location) == ("WARNING", code, f"/States/A/{field}")
    assert not language.diagnostics(jsonata(PASS | {"Output": {"a": "$.b"}, "Comment": "$.a"}))
    assert not language.diagnostics(machine({"A": PASS | {"Comment": "$.a"}}))


PATHS_OF = re.compile(r"\b\w+Path\b")
VALUES = {
    "End": True,
    "Next": "Z",
    "Default": "Z",
    "Resource": TASK["Resource"],
    "Timestamp": "2026-01-01T00:00:00Z",
    "Branches": [workflow({"Inner": PASS})],
    "ItemProcessor": workflow({"Inner": PASS}),
    "Iterator": workflow({"Inner": PASS}),
    "Items": [],
    "Assign": {"x": 1},
    "ErrorEquals": ["States.Timeout"],
    "Condition": True,
    "Not": {"Variable": "$.a", "IsNull": True},
    **{name: [{"Variable": "$.a", "IsNull": True}] for name in ("And", "Or")},
    **dict.fromkeys((name for name in language.COMPARISONS.split() if name.startswith("Numeric")), 0.5),
    **dict.fromkeys((name for name in language.COMPARISONS.split() if name.startswith(("Is", "Boo"))), True),
    **dict.fromkeys(
        (name for name in language.COMPARISONS.split() if name.startswith("Time")), "2026-01-01T00:00:00Z"
    ),
    **dict.fromkeys(
        (name for kind in language.KINDS.values() for name in PATHS_OF.findall(kind.jsonpath)), "$.a"
    ),
    "Variable": "$.a",
    "Credentials": {"RoleArn": "arn:aws:iam::123456789012:role/r"},
    "TimeoutSeconds": 2,
    **{name: {"a": 1} for name in ("Parameters", "ResultSelector", "ItemSelector", "BatchInput")},
    "ProcessorConfig": {},
    "JitterStrategy": "FULL",
    "InputType": "CSV",
    "CSVHeaderLocation": "FIRST_ROW",
    "WriterConfig": {},
    "CSVHeaders": ["a"],
    "CSVDelimiter": "TAB",
    "Transformation": "NONE",
    **dict.fromkeys(
        (
            "Seconds",
            "HeartbeatSeconds",
            "MaxConcurrency",
            "ToleratedFailureCount",
            "ToleratedFailurePercentage",
            "MaxItems",
            "MaxItemsPerBatch",
            "MaxInputBytesPerBatch",
            "IntervalSeconds",
            "MaxAttempts",
            "BackoffRate",
            "MaxDelaySeconds",
        ),
        1,
    ),
}


@st.composite
def objects(draw, kind, its_language):
    """An object that has what its kind needs, and some of what its kind may have."""
    known = language.KINDS[kind]
    may = f"{known.both} {known.jsonata if its_language == 'JSONata' else known.jsonpath}".split()
    groups = [[name for name in group.split() if name in may] for group in known.one_of]
    of_groups = {name for group in groups for name in group}
    free = [name for name in may if name not in of_groups | {"Type", "QueryLanguage"}]
    names = {*known.required.split(), *(draw(st.sampled_from(group)) for group in groups)}
    names |= draw(st.sets(st.sampled_from(free))) if free else set()
    if kind == "Choices" and "Variable" in names:
        comparisons = language.COMPARISONS.split()
        names = names - {*comparisons} | {draw(st.sampled_from(comparisons))}
    made = {}
    for name in sorted(names - {f"{name}Path" for name in names - {"Result"}}):  # one of each pair
        if name in {"Choices", "Catch", "Retry"}:
            made[name] = draw(st.lists(objects(name, its_language), min_size=1, max_size=2))
        elif name in {"ItemReader", "ReaderConfig", "ItemBatcher", "ResultWriter"}:
            made[name] = draw(objects(name, its_language))
        elif name == "Resource" and kind in {"ItemReader", "ResultWriter"}:
            made[name] = f"arn:aws:states:::s3:{'getObject' if kind == 'ItemReader' else 'putObject'}"
        else:
            made[name] = VALUES.get(name, "text")
    return made


@pytest.mark.parametrize(
    ("comparisons", "only"),
    [
        ({}, "This object should have only one"),
        ({"NumericGreaterThan": 0, "NumericLessThan": 9}, "There should only be one"),
    ],
)
def test_a_rule_has_one_comparison(comparisons, only):
    """A rule with a Variable has one comparison. And and Or join several."""
    choice = CHOICE | {"Choices": [{"Variable": "$.n", "Next": "Z"} | comparisons]}
    (said,) = told(machine({"A": choice, "Z": END}))
    assert said.startswith(f"SCHEMA_VALIDATION_FAILED: {only} of the following fields: [StringEquals, ")
    assert said.endswith("] at /States/A/Choices[0]")


@given(
    st.data(), st.sampled_from(language.STATE_TYPES), st.sampled_from(["JSONPath", "JSONata"]), st.booleans()
)
def test_what_the_table_allows_has_no_fault(data, kind, its_language, whole):
    """A state with fields from the table is valid in either language, for the machine or for one state."""
    state = data.draw(objects(kind, its_language)) | {"Type": kind}
    rule = {"Variable": "$.a", "IsNull": True}
    if whole and its_language == "JSONata":
        rule = {"Condition": "{% true %}"}
    else:
        state["QueryLanguage"] = its_language
    first = {"Type": "Choice", "Choices": [rule | {"Next": "A"}], "Default": "Z"}
    of_machine = {"QueryLanguage": its_language} if whole else {}
    assert language.diagnostics(machine({"First": first, "A": state, "Z": END}, **of_machine)) == []


def wide(count):
    """A machine of so many groups of states. They assign, read and catch, also inside a Map."""
    catch = {"ErrorEquals": ["States.ALL"], "Next": "Z"}
    states = {}
    for n in range(count):
        states |= {
            f"P{n}": {"Type": "Pass", "Assign": {f"p{n}": 1, "last.$": f"$p{n}"}, "Next": f"J{n}"},
            f"J{n}": {
                "Type": "Pass",
                "QueryLanguage": "JSONata",
                "Assign": {f"j{n}": f"{{% $p{n} %}}"},
                "Next": f"M{n}",
            },
            f"M{n}": mapped({f"In{n}": PASS | {"Assign": {f"i{n}.$": f"$j{n}"}}})
            | {"End": False, "Next": f"P{n + 1}", "Catch": [catch | {"Assign": {f"c{n}.$": "$"}}]},
        }
    return machine(states | {f"P{count}": {"Type": "Pass", "Next": "Z"}, "Z": END})


def calls_to_check(definition):
    """How many calls of functions it takes to check a definition without a fault."""
    count = 0

    def counted(_, event, __):
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(counted)
    try:
        found = language.diagnostics(definition)
    finally:
        sys.setprofile(None)
    assert found == []
    return count


def test_twice_the_states_are_twice_the_work():
    """A definition of 1 MB has 8,000 states. The work for each one does not grow with the others."""
    calls_to_check(wide(1))  # the first one imports the parser of JSONata
    few, many = calls_to_check(wide(20)), calls_to_check(wide(40))
    assert many < 2.1 * few
