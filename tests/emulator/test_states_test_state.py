"""TestState: one state alone."""

import json

import pytest
from emulator.conftest import ROLE

PUBLISH = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True}


@pytest.fixture
def test_state(aws):
    def call(definition, given=None, **options):
        text = definition if isinstance(definition, str) else json.dumps(definition)
        if given is not None:
            options["input"] = json.dumps(given)
        for name in ("variables", "context"):
            if name in options and not isinstance(options[name], str):
                options[name] = json.dumps(options[name])
        reply = aws("stepfunctions").test_state(definition=text, **options)
        del reply["ResponseMetadata"]
        for part in (reply, reply.get("inspectionData", {})):
            for key, value in part.items():
                if key not in ("status", "error", "cause", "nextState") and isinstance(value, str):
                    part[key] = json.loads(value)
        return reply

    return call


def test_try(test_state, function):
    print(test_state({"Type": "Pass", "Next": "B"}, {"a": 1}, inspectionLevel="DEBUG"))
    print(test_state({"Type": "Pass", "InputPath": "$.a", "Parameters": {"x.$": "$.b"}, "ResultPath": "$.r", "End": True}, {"a": {"b": 2}}, inspectionLevel="DEBUG"))
    print(test_state({"Type": "Pass", "Result": 5, "ResultPath": "$.r"}, {"a": {"b": 2}}, inspectionLevel="DEBUG", variables={"v": 1}))
    print(test_state({"Type": "Fail", "Error": "E", "Cause": "C"}, {"a": 1}, inspectionLevel="TRACE"))
    print(test_state({"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEquals": 1, "Next": "X"}], "Default": "D"}, {"a": 1}, inspectionLevel="TRACE"))
    print(test_state({"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEquals": 1, "Next": "X"}]}, {"a": 2}, inspectionLevel="TRACE"))
    f = function("def lambda_handler(event, context): return {'got': event}")
    print(test_state({"Type": "Task", "Resource": f.arn, "Next": "X", "ResultSelector": {"y.$": "$.got"}}, {"a": 2}, inspectionLevel="TRACE", roleArn=ROLE))
    mock = {"errorOutput": {"error": "E", "cause": "C"}}
    retry = [{"ErrorEquals": ["Q"]}, {"ErrorEquals": ["E"], "IntervalSeconds": 1, "MaxAttempts": 5}]
    catch = [{"ErrorEquals": ["Q"], "Next": "Z"}, {"ErrorEquals": ["States.ALL"], "Next": "Y", "ResultPath": "$.e"}]
    for count in (4, 5):
        print(test_state(PUBLISH | {"Retry": retry}, {"a": 2}, inspectionLevel="TRACE", mock=mock, stateConfiguration={"retrierRetryCount": count}))
        print(test_state(PUBLISH | {"Retry": retry, "Catch": catch}, {"a": 2}, inspectionLevel="TRACE", mock=mock, stateConfiguration={"retrierRetryCount": count}))
    one = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    print(test_state({"Type": "Map", "ItemProcessor": one, "ItemsPath": "$.v", "ItemSelector": {"i.$": "$$.Map.Item.Value"}, "ToleratedFailureCount": 1, "End": True}, {"v": [1, 2]}, inspectionLevel="DEBUG", mock={"result": "[3, 4]"}))
    print(test_state({"Type": "Parallel", "Branches": [one], "End": True}, {"v": [1, 2]}, inspectionLevel="DEBUG", mock={"result": "[3]"}))
    print(test_state(PUBLISH | {"Parameters": {"c.$": "$$"}}, {"v": [1, 2]}, inspectionLevel="DEBUG", mock={"result": "{}"}))
    print(test_state(PUBLISH | {"Parameters": {"c.$": "$$"}}, {"v": [1, 2]}, inspectionLevel="DEBUG", mock={"result": "{}"}, context={}))
    assert 0
