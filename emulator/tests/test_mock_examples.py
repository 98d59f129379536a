"""Examples of Step Functions Local's mock files: that of AWS's documentation, and those in its repositories.

The published files are not in this repository. To run them, check these out into one folder, and set
SFN_MOCK_EXAMPLES to it:

    https://github.com/aws-samples/aws-stepfunctions-examples
    https://github.com/aws-samples/serverless-test-samples
    https://github.com/aws/aws-sam-cli-app-templates
"""

import json
import os
import re
from pathlib import Path

import boto3
import pytest

from sfn_emulator import running

FOLDER = Path(os.environ.get("SFN_MOCK_EXAMPLES", "/nowhere"))
ROLE = "arn:aws:iam::123456789012:role/DummyRole"  # the examples' own; it does not exist
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:mock"
LEADS = ["Validation", "Check Identity", "Check Address"]
FOLLOWED = ["DetectSentiment", "Is Positive Sentiment?", "Add to FollowUp", "CustomerAddedToFollowup"]
SALES = "statemachine/local_testing.asl.json", "LocalTesting"
#: The cases of the workflow for sales leads: the states, and how often Tasks fail.
SALES_CASES = {
    "HappyPathTest": ([*LEADS, *FOLLOWED], 0),
    "NegativeSentimentTest": ([*LEADS, *FOLLOWED[:2], "NegativeSentimentDetected"], 0),
    "CustomValidationFailedCatchTest": ([*LEADS, "CustomValidationFailed"], 4),
    "ValidationExceptionCatchTest": ([*LEADS, "ValidationException"], 1),
    "RetryOnServiceExceptionTest": ([*LEADS, *FOLLOWED], 3),
}
LAMBDA_SQS_CASES = {
    "HappyPath": (["LambdaState", "SQSState"], 0),
    "RetryPath": (["LambdaState", "SQSState"], 3),
    "HybridPath": (["LambdaState", "SQSState"], 0),
}
STOCK = ["Check Stock Value", "Buy or Sell?"]
STOCK_CASES = {
    "HappyPathSellStockTest": ([*STOCK, "Sell Stock", "Record Transaction"], 0),
    "HappyPathBuyStockTest": ([*STOCK, "Buy Stock", "Record Transaction"], 0),
    "CheckStockRetryOnServiceExceptionTest": ([*STOCK, "Sell Stock", "Record Transaction"], 3),
    "SellStockRetryOnServiceExceptionTest": ([*STOCK, "Sell Stock", "Record Transaction"], 3),
}
#: By folder: the definition, the machine's name, the input, and the cases.
PUBLISHED = {
    "aws-stepfunctions-examples/sam/app-local-testing-mock-config": (
        *SALES, "events/sfn_valid_input.json", SALES_CASES,
    ),
    "aws-stepfunctions-examples/sam/demo-local-testing-using-java": (
        *SALES, "events/sfn_valid_input.json", SALES_CASES,
    ),
    "serverless-test-samples/python-test-samples/step-functions-local": (
        *SALES, "statemachine/test/valid_input.json", SALES_CASES,
    ),
    "serverless-test-samples/typescript-test-samples/step-functions-local": (
        *SALES, "events/sfn_valid_input.json", SALES_CASES,
    ),
    "serverless-test-samples/python-test-samples/step-functions-local-mock": (
        "statemachine/local_testing.asl.json", "LambdaSQSIntegration", "", LAMBDA_SQS_CASES,
    ),
    "aws-sam-cli-app-templates/nodejs22.x/step-func/{{cookiecutter.project_name}}": (
        "statemachine/stock_trader.asl.json", "StockTradingLocalTesting", "", STOCK_CASES,
    ),
}  # fmt: skip


def check(mock_config, name, definition, given, cases):
    """Run each case of a file, and compare the states that are entered, and how often Tasks fail."""
    environ = os.environ | {"SFN_EMULATOR_IAM": "off"}
    with running(environ=environ, clock="virtual", mock_config=mock_config) as emulator:
        states = boto3.client("stepfunctions", **emulator.client_arguments)
        sqs = boto3.client("sqs", **emulator.client_arguments)
        queue = sqs.create_queue(QueueName="myQueue")["QueueUrl"]
        arn = states.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
        for case, (path, failures) in cases.items():
            started = states.start_execution(stateMachineArn=f"{arn}#{case}", name=case, input=given)
            emulator.advance("1h")
            events = states.get_execution_history(executionArn=started["executionArn"])["events"]
            entered = [it["stateEnteredEventDetails"]["name"] for it in events if "Entered" in it["type"]]
            failed = [it for it in events if it["type"] in {"TaskFailed", "LambdaFunctionFailed"}]
            assert events[-1]["type"] == "ExecutionSucceeded", (case, events[-1])
            assert ([*dict.fromkeys(entered)], len(failed)) == (path, failures), case
        return sqs.receive_message(QueueUrl=queue).get("Messages", [])


def test_the_example_of_awss_documentation(tmp_path):
    """Its third test case mocks the function, and really sends a message.

    See https://docs.aws.amazon.com/step-functions/latest/dg/sfn-local-test-sm-exec.html
    """
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 3, "BackoffRate": 2}]
    invoke = {"FunctionName": "HelloWorldFunction", "Payload.$": "$"}
    queue = "https://sqs.us-east-1.amazonaws.com/123456789012/myQueue"
    states = {
        "LambdaState": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": invoke,
            "Retry": retry,
            "Next": "SQSState",
        },
        "SQSState": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl": queue, "MessageBody.$": "$"},
            "End": True,
        },
    }
    good = {"Return": {"StatusCode": 200, "Payload": {"StatusCode": 200, "body": "Hello!"}}}
    not_ready = {"Throw": {"Error": "Lambda.ResourceNotReadyException", "Cause": "It is not ready."}}
    late = {"Throw": {"Error": "Lambda.TimeoutException", "Cause": "It is too late."}}
    cases = {
        "HappyPath": {"LambdaState": "Good", "SQSState": "Sent"},
        "RetryPath": {"LambdaState": "Retried", "SQSState": "Sent"},
        "HybridPath": {"LambdaState": "Good"},
    }
    responses = {
        "Good": {"0": good},
        "NotReady": {"0": not_ready},
        "Sent": {"0": {"Return": {"MD5OfMessageBody": "md5", "MessageId": "id"}}},
        "Retried": {"0": not_ready, "1-2": late, "3": good},
    }
    file = tmp_path / "MockConfigFile.json"
    machines = {"LambdaSQSIntegration": {"TestCases": cases}}
    file.write_text(json.dumps({"StateMachines": machines, "MockedResponses": responses}))
    definition = json.dumps({"StartAt": "LambdaState", "States": states})
    (message,) = check(file, "LambdaSQSIntegration", definition, "{}", LAMBDA_SQS_CASES)
    assert json.loads(message["Body"]) == good["Return"]


if FOLDER.is_dir():

    @pytest.mark.parametrize("place", PUBLISHED)
    def test_a_published_example_works_unchanged(place):
        """As its README says, `${...}` in a definition becomes the ARN of a function."""
        folder = FOLDER / place
        definition, name, given, cases = PUBLISHED[place]
        text = re.sub(r"\$\{.+\}", FUNCTION, (folder / definition).read_text())
        event = (folder / given).read_text() if given else "{}"
        check(folder / "statemachine" / "test" / "MockConfigFile.json", name, text, event, cases)
