import pytest

from sfn_emulator.http.messages import MalformedRequestError, RefusalError
from sfn_emulator.http.service_models import check_call, check_result

START = "arn:aws:states:::states:startExecution"
S3 = "arn:aws:states:::aws-sdk:s3:getObject"
LOGS = "arn:aws:states:::aws-sdk:cloudwatchlogs:describeLogGroups"
EVENTS = "arn:aws:states:::events:putEvents"
ENCRYPT = "arn:aws:states:::aws-sdk:kms:encrypt"
FUNCTION = "arn:aws:states:::aws-sdk:lambda:getFunction"
INVOKE = "arn:aws:states:::lambda:invoke"
PUT = "arn:aws:states:::dynamodb:putItem"


@pytest.mark.parametrize(
    ("resource", "result", "text"),
    [
        (START, {}, "Required field 'ExecutionArn' is missing"),
        (START, {"executionArn": "e", "startDate": "now"}, "Required field 'ExecutionArn' is missing"),
        (START, {"ExecutionArn": "e", "StartDate": True}, "Field 'StartDate' must be a string"),
        (START, {"ExecutionArn": "e", "StartDate": 1764103483}, "Field 'StartDate' must be a string"),
        (f"{START}.sync:2", {"ExecutionArn": "e"}, "Required field 'StateMachineArn' is missing"),
        (EVENTS, {"Entries": "no list"}, "Field 'Entries' must be an array"),
        (EVENTS, {"Entries": [{"EventId": "e"}, {"EventId": []}]}, "Field 'EventId' must be a string"),
        (INVOKE, {"StatusCode": "200"}, "Field 'StatusCode' must be a number"),
        (PUT, {"ConsumedCapacity": {"CapacityUnits": "1"}}, "Field 'CapacityUnits' must be a number"),
        (PUT, {"Attributes": []}, "Field 'Attributes' must be an object"),
        (LOGS, {"LogGroups": {}}, "Field 'LogGroups' must be an array"),
        (S3, {"ContentLength": "9000"}, "Field 'ContentLength' must be a number"),
        (S3, {"ContentLength": True}, "Field 'ContentLength' must be a number"),
        (S3, {"DeleteMarker": 1}, "Field 'DeleteMarker' must be a boolean"),
        (S3, {"StorageClass": "Papyrus"}, "Field 'StorageClass' is not an expected value"),
        (ENCRYPT, {"CiphertextBlob": 123}, "Field 'CiphertextBlob' must be a string"),
        (ENCRYPT, {"CiphertextBlob": ""}, "Field 'CiphertextBlob' is smaller than the minimum length"),
        (FUNCTION, {"Configuration": {"MemorySize": 1}}, "Field 'MemorySize' is less than the minimum value"),
        (FUNCTION, {"Configuration": {"MemorySize": 99_999}}, "Field 'MemorySize' exceeds the maximum value"),
    ],
)
def test_a_result_that_the_api_cannot_give(resource, result, text):
    """AWS says which field of the mock does not fit its model, and why."""
    with pytest.raises(RefusalError) as raised:
        check_result(resource, result, strict=True)
    assert raised.value.message == f"Mock result schema validation error: {text}"
    assert raised.value.code == "ValidationException"


@pytest.mark.parametrize(
    ("resource", "result"),
    [
        (EVENTS, {"random": "json"}),
        (EVENTS, {}),
        (START, {"ExecutionArn": "e", "StartDate": "now"}),
        (INVOKE, {"Payload": {"any": ["JSON"]}}),
        ("arn:aws:states:::sqs:sendMessage", {"MD5OfMessageBody": {"un": "checked"}}),
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", "anything"),
        ("arn:aws:states:::http:invoke", 5),
        ("arn:aws:states:::apigateway:invoke", 5),
        ("arn:aws:states:::eks:call", 5),
        ("arn:aws:states:::eks:runJob.sync", 5),
        ("arn:aws:states:::aws-sdk:nobody:knows", 5),
        ("arn:aws:lambda:us-east-1:123456789012:function:F", 5),
        ("arn:aws:states:us-east-1:123456789012:activity:A", 5),
    ],
)
def test_a_result_that_passes(resource, result):
    """Unknown fields are ignored, and results without a model are not checked."""
    check_result(resource, result, strict=True)


def test_a_result_without_required_fields():
    """They are needed only if the check is strict. What is there must fit anyway."""
    check_result(START, {}, strict=False)
    with pytest.raises(RefusalError, match="'ExecutionArn' must be a string"):
        check_result(START, {"ExecutionArn": 1}, strict=False)


def test_a_result_that_is_no_object():
    """The answer of an API is an object."""
    with pytest.raises(RefusalError, match="Mocked") as raised:
        check_result(START, "text", strict=False)
    assert raised.value.message == "Mocked result must be a JSON object."


def test_fields_have_the_names_that_definitions_use():
    """A field whose name is all capitals in the model has only one in a definition."""
    result = {"Table": {"SSEDescription": 1, "SseDescription": 1}}
    with pytest.raises(RefusalError, match="'SseDescription' must be an object"):
        check_result("arn:aws:states:::aws-sdk:dynamodb:describeTable", result, strict=True)


@pytest.mark.parametrize(
    ("parameters", "shown", "text"),
    [
        ({"inspectionLevel": "ALL"}, " 'ALL'", "Member must satisfy enum value set: [INFO, DEBUG, TRACE]"),
        ({"stateName": "x" * 81}, "", "Member must have length less than or equal to 80"),
        ({"roleArn": ""}, " ''", "Member must have length greater than or equal to 1"),
        ({"definition": None}, " null", "Member must not be null"),
    ],
)
def test_parameters_of_a_call(parameters, shown, text):
    """AWS refuses a value that the model of a call does not allow, and repeats it unless it is sensitive."""
    with pytest.raises(RefusalError) as raised:
        check_call("stepfunctions", "TestState", {"definition": "{}"} | parameters)
    where = f"Value{shown} at '{next(iter(parameters))}' failed to satisfy constraint"
    assert raised.value.message == f"1 validation error detected: {where}: {text}"


def test_a_parameter_inside_another_one():
    """The error names the whole path."""
    wrong = {"definition": "{}", "stateConfiguration": {"retrierRetryCount": -1}}
    with pytest.raises(RefusalError, match=r"'stateConfiguration\.retrierRetryCount' failed .* equal to 0"):
        check_call("stepfunctions", "TestState", wrong)


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"definition": 5}, "'definition' must be a string"),
        ({"definition": "{}", "mock": []}, "'mock' must be an object"),
    ],
)
def test_parameters_of_another_type(parameters, fault):
    """AWS cannot read such a call."""
    with pytest.raises(MalformedRequestError, match=f"^{fault}$"):
        check_call("stepfunctions", "TestState", parameters)
