"""Mocks: `emulator.mock`, and test cases of a file in Step Functions Local's format."""

import json
import uuid

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from helpers import policy, refused, signed, trust
from patience import SECONDS

import states_language
from sfn_emulator import EmulatorError, running
from sfn_emulator.http.messages import RefusalError
from sfn_emulator.states.mocks import Mocks

PAID = {"paid": True}
DOWN = {"Throw": {"Error": "GatewayDown", "Cause": "no answer"}}
NOWHERE = "arn:aws:lambda:us-east-1:123456789012:function:nowhere"
WAITS = {"Action": ["events:PutTargets", "events:PutRule", "events:DescribeRule"], "Resource": "*"}
RETRY = [{"ErrorEquals": ["GatewayDown"], "MaxAttempts": 2}]
CATCH = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]


class Lab:
    """An emulator whose time stands, with a file of test cases, and a role that may call nothing."""

    def __init__(self, emulator, path):
        self.emulator, self.path = emulator, path
        self.states = self("stepfunctions")
        # A machine that waits for executions is refused without this.
        self.role = self.role_for("none", WAITS)

    def __call__(self, service, **options):
        config = Config(inject_host_prefix=False)
        return boto3.client(service, **self.emulator.client_arguments | options, config=config)

    def role_for(self, name, *statements):
        """The ARN of a role that may do this."""
        iam, document = self("iam"), json.dumps(policy(*statements))
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust()))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document)
        return arn

    def write(self, cases, responses):
        """Write the file: the test cases of machines, and the responses."""
        machines = {name: {"TestCases": its_cases} for name, its_cases in cases.items()}
        self.path.write_text(json.dumps({"StateMachines": machines, "MockedResponses": responses}))

    def machine(self, states, name=None, **options):
        """A machine of these states, which begins with the first: its ARN."""
        definition = json.dumps({"StartAt": next(iter(states)), "States": states})
        options = {"name": name or f"m-{uuid.uuid4().hex[:12]}", "roleArn": self.role} | options
        return self.states.create_state_machine(definition=definition, **options)["stateMachineArn"]

    def run(self, arn, given=None):
        """What DescribeExecution says at the end of an execution."""
        started = self.states.start_execution(stateMachineArn=arn, input=json.dumps(given or {}))
        self.emulator.advance("1d")
        return self.states.describe_execution(executionArn=started["executionArn"])

    def output(self, arn, given=None):
        """The output of an execution that succeeds."""
        told = self.run(arn, given)
        assert told["status"] == "SUCCEEDED", told
        return json.loads(told["output"])

    def events(self, told):
        """The events of an execution that tell of a Task, without the beginning of their types."""
        history = self.states.get_execution_history(executionArn=told["executionArn"])["events"]
        kinds = ("Task", "LambdaFunction", "Activity")
        events = [it for it in history if it["type"].startswith(kinds) and "State" not in it["type"]]
        return [(it["type"].removeprefix(next(filter(it["type"].startswith, kinds))), it) for it in events]


def task(resource=NOWHERE, **more):
    """A Task. It is the last state, unless it has a Next."""
    return {"Type": "Task", "Resource": resource, **({} if "Next" in more else {"End": True}), **more}


def name_of(arn):
    return arn.rpartition(":")[2]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    made = tmp_path_factory.mktemp("mocks") / "MockConfigFile.json"
    made.write_text('{"StateMachines": {}, "MockedResponses": {}}')
    return made


@pytest.fixture(scope="module")
def lab(path):
    with running(clock="virtual", mock_config=path) as emulator:
        yield Lab(emulator, path)


@pytest.fixture
def mock(lab):
    return lab.emulator.mock


# emulator.mock


def test_a_mock_answers_without_a_call(lab, mock):
    """The function does not exist, and the role may not invoke it."""
    arn = lab.machine({"Pay": task()})
    mock(name_of(arn), "Pay", PAID)
    assert lab.output(arn) == PAID


def test_a_list_has_an_answer_for_each_call(lab, mock):
    """Retries are calls, too. The last answer holds for all further calls, in each execution anew."""
    states = {
        "Pay": task(Retry=RETRY, ResultPath="$.first", Next="Again"),
        "Again": {"Type": "Pass", "Next": "Pay2"},
        "Pay2": task(ResultPath="$.second"),
    }
    arn = lab.machine(states)
    mock(name_of(arn), "Pay", [states_language.Error("GatewayDown", "no answer"), {"try": 2}, {"try": 3}])
    mock(name_of(arn), "Pay2", [{"other": 1}, {"other": 2}])
    for _execution in range(2):
        assert lab.output(arn) == {"first": {"try": 2}, "second": {"other": 1}}


def test_a_loop_counts_on(lab, mock):
    """A state that is entered again gets the next answer; then the last one again and again."""
    more = {"Variable": "$.n", "NumericLessThan": 3, "Next": "Pay"}
    seen = {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)", "last.$": "$.r"}, "Next": "More"}
    states = {
        "Pay": task(ResultPath="$.r", Next="Seen"),
        "Seen": seen,
        "More": {"Type": "Choice", "Choices": [more], "Default": "Done"},
        "Done": {"Type": "Succeed"},
    }
    arn = lab.machine(states)
    mock(name_of(arn), "Pay", ["one", "two"])
    assert lab.output(arn, {"n": 0}) == {"n": 3, "last": "two"}
    assert lab.output(arn, {"n": 2}) == {"n": 3, "last": "one"}


def test_a_mock_may_come_before_its_machine(lab, mock):
    """It counts for a machine that gets this name later."""
    mock("later", "Pay", PAID)
    assert lab.output(lab.machine({"Pay": task()}, "later")) == PAID


def test_a_mock_counts_from_the_next_call_on(lab, mock):
    """Also in an execution that runs. Its first answer is for the next call."""
    wait = {"Type": "Wait", "Seconds": 60, "Next": "Second"}
    arn = lab.machine(
        {"First": task(Next="Wait"), "Wait": wait, "Second": task(Next="Third"), "Third": task()}
    )
    for state in ("First", "Second", "Third"):
        mock(name_of(arn), state, "old")
    execution = lab.states.start_execution(stateMachineArn=arn)["executionArn"]
    lab.emulator.advance("30s")
    mock(name_of(arn), "Third", [PAID, "more"])
    lab.emulator.advance("1m")
    assert json.loads(lab.states.describe_execution(executionArn=execution)["output"]) == PAID


def test_none_removes_a_mock(lab, mock):
    """Then the Task calls its function again."""
    arn = lab.machine({"Pay": task()})
    mock(name_of(arn), "Pay", PAID)
    mock(name_of(arn), "Pay", None)
    assert lab.run(arn)["error"] == "Lambda.AWSLambdaException"


def test_an_arn_is_a_machine_in_one_region(lab, mock):
    """A name is all machines with this name; the ARN goes first."""
    definition = json.dumps({"StartAt": "Pay", "States": {"Pay": task()}})
    arns = []
    for region in ("us-east-1", "eu-west-1"):
        states = lab("stepfunctions", region_name=region)
        made = states.create_state_machine(name="two", definition=definition, roleArn=lab.role)
        arns.append((states, made["stateMachineArn"]))
    mock("two", "Pay", "by name")
    mock(arns[1][1], "Pay", "by ARN")
    outputs = []
    for states, arn in arns:
        execution = states.start_execution(stateMachineArn=arn)["executionArn"]
        lab.emulator.advance("1s")
        outputs.append(json.loads(states.describe_execution(executionArn=execution)["output"]))
    assert outputs == ["by name", "by ARN"]


def test_versions_and_aliases_have_the_mocks_of_their_machine(lab, mock):
    """A test mocks a machine, whatever it starts of it."""
    arn = lab.machine({"Pay": task()}, publish=True)
    mock(arn, "Pay", PAID)
    assert lab.output(f"{arn}:1") == PAID
    # A Task that only the version still has can be mocked.
    definition = json.dumps({"StartAt": "Go", "States": {"Go": {"Type": "Succeed"}}})
    lab.states.update_state_machine(stateMachineArn=arn, definition=definition)
    mock(arn, "Pay", "again")
    assert lab.output(f"{arn}:1") == "again"


def test_all_iterations_and_branches_count(lab, mock):
    """Their calls have one count. A Map with MaxConcurrency 1 has them in order."""
    branch = {"StartAt": "InBranch", "States": {"InBranch": task()}}
    each = {"StartAt": "InMap", "States": {"InMap": task()}}
    items = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "ItemProcessor": each}
    states = {
        "Both": {"Type": "Parallel", "Branches": [branch], "ResultPath": "$.branches", "Next": "Each"},
        "Each": items | {"ResultPath": "$.each", "End": True},
    }
    arn = lab.machine(states)
    mock(name_of(arn), "InBranch", PAID)
    mock(name_of(arn), "InMap", [1, 2, 3])
    output = lab.output(arn, {"items": ["a", "b", "c", "d"]})
    assert (output["branches"], output["each"]) == ([PAID], [1, 2, 3, 3])


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_children_of_a_distributed_map_have_the_mocks_of_their_parent(lab, mock, kind):
    """Their calls count together. What reads the items is no Task, and is not mocked."""
    role = lab.role_for(f"map-{kind}", {"Action": ["states:StartExecution", "s3:*"], "Resource": "*"})
    bucket = f"items-{kind.lower()}"
    lab("s3").create_bucket(Bucket=bucket)
    lab("s3").put_object(Bucket=bucket, Key="items.json", Body=b'["a", "b"]')
    config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    inner = {"StartAt": "InMap", "States": {"InMap": task()}}
    nested = {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": inner, "End": True}
    listed = {"Type": "Pass", "Result": ["x"], "Next": "Nested"}
    outer = {"ProcessorConfig": config, "StartAt": "List", "States": {"List": listed, "Nested": nested}}
    where = {"Bucket": bucket, "Key": "items.json"}
    reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": where}
    each = {"Type": "Map", "ItemReader": reader, "MaxConcurrency": 1, "ItemProcessor": outer, "End": True}
    mock(f"each-{kind}", "Each", "not read")
    arn = lab.machine({"Each": each}, f"each-{kind}", roleArn=role)
    mock(arn, "InMap", [1, 2])
    assert lab.output(arn) == [[1], [2]]


# How a mocked Task writes its history

PLAIN = ["Scheduled", "Started", "Succeeded"]
LONG = ["Scheduled", "Started", "Submitted", "Succeeded"]
CALLBACK = {
    "QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/none",
    "MessageBody.$": "$$.Task.Token",
}
HTTP = {
    "ApiEndpoint": "https://example.com",
    "Method": "GET",
    "Authentication": {"ConnectionArn": "arn:aws:events:us-east-1:123456789012:connection/c/1"},
}
#: The resource, its parameters, and the types of its events if it succeeds.
KINDS = [
    (NOWHERE, None, PLAIN),
    ("arn:aws:states:::lambda:invoke", {"FunctionName": "nowhere"}, PLAIN),
    ("arn:aws:states:::dynamodb:getItem", {"TableName": "nowhere", "Key": {}}, PLAIN),
    ("arn:aws:states:::aws-sdk:comprehend:detectSentiment", {"LanguageCode": "en", "Text": "x"}, PLAIN),
    ("arn:aws:states:::http:invoke", HTTP, PLAIN),
    ("arn:aws:states:us-east-1:123456789012:activity:work", None, PLAIN),
    ("arn:aws:states:::ecs:runTask.sync", {"TaskDefinition": "nowhere"}, LONG),
    ("arn:aws:states:::states:startExecution.sync:2", {"StateMachineArn": "nowhere"}, LONG),
    ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", CALLBACK, LONG),
]


def resources(kinds):
    """The ids of tests with a resource."""
    return [resource.rpartition("::")[2].replace(NOWHERE, "function") for resource, *_more in kinds]


@pytest.mark.parametrize(("resource", "parameters", "types"), KINDS, ids=resources(KINDS))
def test_any_kind_of_task_succeeds(lab, mock, resource, parameters, types):
    """Its events are those of a call. A job, a worker and a token answer at once."""
    arn = lab.machine({"S": task(resource, **({"Parameters": parameters} if parameters else {}))})
    mock(arn, "S", PAID)
    told = lab.run(arn)
    events = lab.events(told)
    assert (told.get("output"), [kind for kind, _event in events]) == ('{"paid":true}', types)
    for kind, event in events:
        output = next(
            (it["output"] for key, it in event.items() if key.endswith("Details") and "output" in it), ""
        )
        assert output == ('{"paid":true}' if kind in {"Submitted", "Succeeded"} else "")


@pytest.mark.parametrize(("resource", "parameters", "_types"), KINDS, ids=resources(KINDS))
def test_any_kind_of_task_fails(lab, mock, resource, parameters, _types):
    """Retry and Catch see the error. Only a worker has begun by then."""
    more = {"Retry": RETRY, "Catch": CATCH} | ({"Parameters": parameters} if parameters else {})
    arn = lab.machine({"S": task(resource, **more), "Caught": {"Type": "Pass", "End": True}})
    mock(arn, "S", [DOWN, {"Throw": {"Error": "Other"}}])
    told = lab.run(arn)
    events = lab.events(told)
    assert [kind for kind, _event in events] == ["Scheduled", "Started", "Failed"] * 2
    (failed,) = [it for key, it in events[2][1].items() if key.endswith("FailedEventDetails")]
    assert {name: failed[name] for name in ("error", "cause")} == {
        "error": "GatewayDown",
        "cause": "no answer",
    }
    assert json.loads(told["output"]) == {"Error": "Other", "Cause": ""}


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        ({"StatusCode": 200, "Payload": {"n": 1}}, {"n": 1}),
        ({"StatusCode": 200, "Payload": 1, "ExecutedVersion": "$LATEST"}, 1),
        ({"Payload": 1}, {"Payload": 1}),
        ({"StatusCode": 200, "Payload": 1, "more": 2}, {"StatusCode": 200, "Payload": 1, "more": 2}),
        ("text", "text"),
    ],
)
def test_a_function_may_answer_as_invoke_does(lab, mock, answer, output):
    """Mock files of LocalStack have Invoke's reply for a function's ARN; the result is its Payload."""
    arn = lab.machine({"S": task()})
    mock(arn, "S", answer)
    assert lab.output(arn) == output


def test_the_token_of_a_mocked_task_is_used_up(lab, mock):
    """The definition got a token, and its worker may try it too late."""
    arn = lab.machine({"S": task("arn:aws:states:::sqs:sendMessage.waitForTaskToken", Parameters=CALLBACK)})
    mock(arn, "S", PAID)
    scheduled = lab.events(lab.run(arn))[0][1]
    token = json.loads(scheduled["taskScheduledEventDetails"]["parameters"])["MessageBody"]
    with pytest.raises(ClientError, match="TaskTimedOut"):
        lab.states.send_task_success(taskToken=token, output="{}")


def test_an_execution_does_not_change_its_mock(lab, mock):
    """A ResultPath writes into a value, and the next execution gets the mock's own value."""
    arn = lab.machine({"A": task(Next="B"), "B": task(ResultPath="$.more.b")})
    mock(arn, "A", {"more": {}})
    mock(arn, "B", PAID)
    assert [lab.output(arn), lab.output(arn)] == [{"more": {"b": PAID}}] * 2


def test_a_redrive_counts_on(lab, mock):
    """The failed Task gets the next answer."""
    arn = lab.machine({"S": task()})
    mock(arn, "S", [DOWN, PAID])
    execution = lab.run(arn)["executionArn"]
    lab.states.redrive_execution(executionArn=execution)
    lab.emulator.advance("1s")
    assert json.loads(lab.states.describe_execution(executionArn=execution)["output"]) == PAID


def test_states_runtime_ends_the_execution(lab, mock):
    """As on AWS, no Catch sees it."""
    arn = lab.machine({"S": task(Catch=CATCH), "Caught": {"Type": "Pass", "End": True}})
    mock(arn, "S", {"Throw": {"Error": "States.Runtime", "Cause": "no"}})
    told = lab.run(arn)
    assert (told["status"], told["error"], told["cause"][-4:]) == ("FAILED", "States.Runtime", ". no")


def test_letters_of_all_languages(lab, mock):
    """A letter that no text can have gets one sentence."""
    arn = lab.machine({"S": task()})
    mock(arn, "S", {"名": "王 \U0001f600"})
    assert lab.output(arn) == {"名": "王 \U0001f600"}
    with pytest.raises(EmulatorError, match=r"answers: .+ Give JSON\."):
        mock(arn, "S", {"名": "\ud800"})


# Wrong input


FORM = '{"Return": VALUE} or {"Throw": {"Error": NAME, "Cause": TEXT}}'
OR = 'Write {"Throw": {"Error": NAME, "Cause": TEXT}}, or {"Return": VALUE}.'
JSON = 'Write a JSON value, or {"Throw": {"Error": NAME, "Cause": TEXT}}.'
NO_MACHINE = "is no name or ARN of a state machine. Give one without a version, an alias or a test case."


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"machine": "wrong:1"}, f"machine: 'wrong:1' {NO_MACHINE}"),
        ({"machine": "wrong#Case"}, f"machine: 'wrong#Case' {NO_MACHINE}"),
        ({"machine": NOWHERE}, f"machine: '{NOWHERE}' {NO_MACHINE}"),
        ({"machine": ""}, f"machine: '' {NO_MACHINE}"),
        ({"machine": None}, f"machine: None {NO_MACHINE}"),
        ({"state": "Pya"}, "state: 'wrong' has no Task 'Pya'. Choose one of these: 'Pay', 'Inner'."),
        ({"state": "Both"}, "state: 'wrong' has no Task 'Both'. Choose one of these: 'Pay', 'Inner'."),
        ({"machine": "none", "state": 7}, "state: 'none' has no Task 7. Give the name of a Task."),
        ({"answers": []}, "answers: [] is no list of answers. Give an answer for each call."),
        ({"answers": [1, {"Throw": "A"}]}, f"answers: {{'Throw': 'A'}} is no answer. Write {FORM}."),
        ({"answers": {"Throw": {}}}, f"answers: {{'Throw': {{}}}} is no answer. Write {FORM}."),
        ({"answers": {"Error": "A"}}, f"mock of 'Pay': {{'Error': 'A'}} may be an error or a result. {OR}"),
        ({"answers": float("nan")}, f"mock of 'Pay': nan is not JSON. {JSON}"),
        ({"answers": [1, {2}]}, f"mock of 'Pay': {{2}} is not JSON. {JSON}"),
    ],
)
def test_wrong_input_is_one_sentence(lab, mock, given, sentence):
    """It says where, what, and what to do."""
    branches = [{"StartAt": "Inner", "States": {"Inner": task()}}]
    lab.machine(
        {"Pay": task(Next="Both"), "Both": {"Type": "Parallel", "Branches": branches, "End": True}}, "wrong"
    )
    with pytest.raises(EmulatorError) as caught:
        mock(**{"machine": "wrong", "state": "Pay", "answers": 1} | given)
    assert str(caught.value) == sentence


def test_the_emulator_must_answer(path):
    """After its end, the sentence says so."""
    with running() as emulator:
        pass
    with pytest.raises(EmulatorError, match="Start it again"):
        emulator.mock("M", "Pay", PAID)


@pytest.fixture
def post(lab):
    """`post("...")`: the status and the body of the reply of the HTTP door."""
    import http.client

    def send(body, key=None):
        connection = http.client.HTTPConnection(
            lab.emulator.endpoint.removeprefix("http://"), timeout=SECONDS
        )
        headers = signed(key or lab.emulator.access_key_id) if key != "" else {}
        connection.request("POST", "/_emulator/mock", body, headers)
        reply = connection.getresponse()
        return reply.status, reply.read().decode()

    return send


def test_other_programs_use_the_door(lab, post):
    """The form is Step Functions Local's."""
    arn = lab.machine({"Pay": task(Retry=RETRY)})
    wanted = {"machine": arn, "state": "Pay", "answers": [DOWN, {"Return": PAID}]}
    assert post(json.dumps(wanted)) == (200, "{}")
    assert lab.output(arn) == PAID
    assert post(json.dumps(wanted | {"answers": None})) == (200, "{}")
    assert lab.run(arn)["status"] == "FAILED"


@pytest.mark.parametrize(
    "body",
    [
        *(
            "",
            "[]",
            "{",
            "null",
            "[" * 100_000,
            '{"machine": "M"}',
            '{"machine": "M", "state": "S", "answers": 1}',
        ),
        '{"machine": "M", "state": "S", "answers": [{"Return": NaN}]}',
    ],
)
def test_what_the_door_refuses_is_one_sentence(post, body):
    """It has the status 400, and no traceback."""
    status, text = post(body)
    told = json.loads(text)
    assert status == 400 and "\n" not in told["message"] and "Traceback" not in text
    assert set(told) == {"message", "error"}


def test_only_the_owner_mocks(lab, post):
    """For a user of the account, there is no such page. Who has no key of the emulator is refused."""
    lab("iam").create_user(UserName="ann")
    document = json.dumps(policy({"Action": "*", "Resource": "*"}))
    lab("iam").put_user_policy(UserName="ann", PolicyName="all", PolicyDocument=document)
    key = lab("iam").create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    wanted = json.dumps({"machine": "M", "state": "S", "answers": [{"Return": 1}]})
    requests = ((wanted, key), (wanted, "AKIAAAAAAAAAAAAAAAAA"), (wanted, ""), (None, ""))
    assert [post(*each)[0] for each in requests] == [404, 403, 403, 403]


# Test cases of a file

TEXTS = {"Ok": {"0": {"Return": PAID}}, "Down": {"0": DOWN}, "Slowly": {"0-1": DOWN, "2": {"Return": PAID}}}


@pytest.fixture
def pay(lab):
    """The ARN of a machine with a Task of Lambda and one of SQS, which both have test cases."""
    states = {
        "Pay": task(Retry=RETRY, Catch=CATCH, ResultPath="$.paid", Next="Tell"),
        "Tell": task(
            "arn:aws:states:::sqs:sendMessage", Parameters={"QueueUrl": "none", "MessageBody": "paid"}
        ),
        "Caught": {"Type": "Pass", "End": True},
    }
    arn = lab.machine(states)
    told = {"0": {"Return": {"MessageId": "m"}}}
    cases = {
        "Good": {"Pay": "Ok", "Tell": "Told"},
        "Retried": {"Pay": "Slowly", "Tell": "Told"},
        "Half": {"Pay": "Ok"},
        "Short": {"Pay": "Down", "Tell": "Told"},
    }
    lab.write({name_of(arn): cases}, TEXTS | {"Told": told})
    return arn


def test_an_execution_has_the_test_case_of_its_arn(lab, pay):
    """All that is said of it afterwards has the ARN of the machine."""
    told = lab.run(f"{pay}#Good")
    assert json.loads(told["output"]) == {"MessageId": "m"}
    assert told["stateMachineArn"] == pay and "#" not in told["executionArn"]
    assert (
        lab.states.list_executions(stateMachineArn=pay)["executions"][0]["executionArn"]
        == told["executionArn"]
    )
    described = lab.states.describe_state_machine_for_execution(executionArn=told["executionArn"])
    assert described["stateMachineArn"] == pay


@pytest.mark.parametrize("tail", ["", "#"])
def test_without_a_test_case_there_is_no_mock(lab, pay, tail):
    """A bare # is none, as in Step Functions Local."""
    assert [kind for kind, _event in lab.events(lab.run(pay + tail))] == ["Scheduled", "Started", "Failed"]
    assert lab.states.start_execution(stateMachineArn=pay)["executionArn"]


def test_a_state_without_a_response_calls_its_service(lab, pay):
    """Here, the role may not send a message."""
    told = lab.run(f"{pay}#Half")
    assert (told["status"], told["error"]) == ("FAILED", "SQS.AmazonSQSException")


def test_the_numbers_are_those_of_calls(lab, pay):
    """Each Retry is a call, and a range has its last number, too."""
    told = lab.run(f"{pay}#Retried")
    kinds = [kind for kind, _event in lab.events(told)]
    assert told["status"] == "SUCCEEDED"
    assert kinds == ["Scheduled", "Started", "Failed"] * 2 + ["Scheduled", "Started", "Succeeded"] * 2


def test_a_call_without_an_answer_ends_the_execution(lab, pay):
    """No Catch sees it. The cause says which response lacks which call."""
    told = lab.run(f"{pay}#Short")
    assert (told["status"], told["error"]) == ("FAILED", "States.Runtime")
    assert told["cause"] == (
        "An error occurred while executing the state 'Pay' (entered at the event id #2). "
        "The mocked response 'Down' has no answer for call 1 of the state. The first call is number 0."
    )


@pytest.mark.parametrize("wrong", [{}, {"Return": 1, "Throw": {"Error": "A"}}, {"Throw": {"error": "A"}}, 7])
def test_a_wrong_answer_ends_the_execution_that_gets_it(lab, wrong):
    """As in Step Functions Local, nobody minds before. There are public files with such answers."""
    arn = lab.machine(
        {"A": task(Next="B", Catch=CATCH), "B": task(), "Caught": {"Type": "Pass", "End": True}}
    )
    responses = {"First": {"0": {"Return": PAID}, "1": wrong}, "Second": {"0": wrong}, "Unused": {"x": wrong}}
    lab.write({name_of(arn): {"Good": {"A": "First", "B": "First"}, "Bad": {"A": "Second"}}}, responses)
    assert lab.output(f"{arn}#Good") == PAID  # each state counts its own calls
    told = lab.run(f"{arn}#Bad")
    assert told["error"] == "States.Runtime"
    assert told["cause"].endswith(f"'Second' has a wrong answer for call 0 of the state. Write {FORM}.")


def test_a_response_may_be_empty(lab):
    """A program that writes such a file has no answers for a state that is not entered."""
    arn = lab.machine({"A": task()})
    lab.write({name_of(arn): {"Case": {"A": "Ok", "Never": "Empty"}}}, TEXTS | {"Empty": {}})
    assert lab.output(f"{arn}#Case") == PAID


def test_mock_goes_before_the_test_case(lab, pay):
    """A test may change one state of a test case."""
    lab.emulator.mock(pay, "Tell", "other")
    assert lab.output(f"{pay}#Good") == "other"
    lab.emulator.mock(pay, "Tell", None)
    assert lab.output(f"{pay}#Good") == {"MessageId": "m"}


def test_versions_and_aliases_have_test_cases(lab):
    """The file knows the name of the machine."""
    arn = lab.machine({"Pay": task()}, publish=True)
    routes = [{"stateMachineVersionArn": f"{arn}:1", "weight": 100}]
    lab.states.create_state_machine_alias(name="live", routingConfiguration=routes)
    lab.write({name_of(arn): {"Good": {"Pay": "Ok"}}}, TEXTS)
    told = lab.run(f"{arn}:live#Good")
    assert (told["output"], told["stateMachineAliasArn"]) == ('{"paid":true}', f"{arn}:live")


def test_children_of_a_distributed_map_are_in_the_test_case(lab):
    """Their calls count together with those of their parent."""
    role = lab.role_for("parent", {"Action": "states:StartExecution", "Resource": "*"})
    inner = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Pay"}
    inner["States"] = {"Pay": task()}
    each = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "ItemProcessor": inner, "End": True}
    arn = lab.machine({"Each": each}, roleArn=role)
    answers = {str(number): {"Return": number} for number in range(3)}
    lab.write({name_of(arn): {"Case": {"Pay": "Numbers"}}}, {"Numbers": answers})
    assert lab.output(f"{arn}#Case", {"items": ["a", "b", "c"]}) == [0, 1, 2]
    assert lab.run(f"{arn}#Case", {"items": ["a", "b", "c", "d"]})["status"] == "FAILED"


def test_a_task_may_start_a_test_case(lab):
    """The result is that of the mocks."""
    inner = lab.machine({"Pay": task()})
    role = lab.role_for("starter", {"Action": "states:*", "Resource": "*"}, WAITS)
    lab.write({name_of(inner): {"Good": {"Pay": "Ok"}}}, TEXTS)
    given = {"StateMachineArn": f"{inner}#Good"}
    start = task("arn:aws:states:::states:startExecution.sync:2", Parameters=given, OutputPath="$.Output")
    assert lab.output(lab.machine({"Start": start}, roleArn=role)) == PAID


@pytest.mark.parametrize("tail", ["", "x"])
def test_who_starts_a_test_case_needs_the_right_on_the_machine(lab, tail):
    """A policy knows nothing of test cases."""
    arn = lab.machine({"Pay": task()})
    lab.write({name_of(arn): {"Good": {"Pay": "Ok"}}}, TEXTS)
    iam, name = lab("iam"), f"u-{uuid.uuid4().hex[:12]}"
    iam.create_user(UserName=name)
    document = json.dumps(policy({"Action": "states:StartExecution", "Resource": arn + tail}))
    iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {
        f"aws_{name}": key[it]
        for name, it in (("access_key_id", "AccessKeyId"), ("secret_access_key", "SecretAccessKey"))
    }
    client = lab("stepfunctions", **keys)
    if not tail:
        assert client.start_execution(stateMachineArn=f"{arn}#Good")["executionArn"]
        return
    with pytest.raises(ClientError, match=f"on resource: {arn} because no identity-based policy allows"):
        client.start_execution(stateMachineArn=f"{arn}#Good")


def test_express_executions_have_test_cases(lab):
    """With both operations. Step Functions Local has none with StartSyncExecution."""
    arn = lab.machine({"Pay": task()}, type="EXPRESS")
    lab.write({name_of(arn): {"Good": {"Pay": "Ok"}}}, TEXTS)
    told = lab.states.start_sync_execution(stateMachineArn=f"{arn}#Good")
    assert (told["output"], told["stateMachineArn"]) == ('{"paid":true}', arn)
    assert "#" not in lab.states.start_execution(stateMachineArn=f"{arn}#Good")["executionArn"]


def test_the_file_is_read_at_each_start(lab, pay):
    """Who changes it need not start the emulator again. What runs keeps its test case."""
    wait = {"Type": "Wait", "Seconds": 60, "Next": "Pay"}
    arn = lab.machine({"Wait": wait, "Pay": task()})
    lab.write({name_of(arn): {"Case": {"Pay": "Ok"}}}, TEXTS)
    first = lab.states.start_execution(stateMachineArn=f"{arn}#Case")["executionArn"]
    lab.write({name_of(arn): {"Case": {"Pay": "Ok"}}}, {"Ok": {"0": {"Return": "new"}}})
    assert lab.output(f"{arn}#Case") == "new"
    assert lab.states.describe_execution(executionArn=first)["output"] == '{"paid":true}'


def test_a_reset_forgets_mocks_and_keeps_the_file(lab, path):
    """The file is the user's."""
    with running(clock="virtual", mock_config=path) as emulator:
        other = Lab(emulator, path)
        emulator.mock("m", "Pay", "mock")
        other.write({"m": {"Case": {"Pay": "Ok"}}}, TEXTS)
        assert other.output(other.machine({"Pay": task()}, "m")) == "mock"
        emulator.reset()
        again = Lab(emulator, path)
        arn = again.machine({"Pay": task()}, "m")
        assert again.run(arn)["status"] == "FAILED"
        assert again.output(f"{arn}#Case") == PAID


MISSING = "is missing, or has a wrong type. Write the file as Step Functions Local reads it."
NUMBERS = 'does not number calls. Write numbers and ranges, such as "0" and "1-2", and each number once.'
NO_CASE = "the state machine 'm' has no test case 'Case'"


@pytest.mark.parametrize(
    ("cases", "responses", "sentence"),
    [
        ({}, {}, f"{NO_CASE}. Add it."),
        ({"A": {}, "B": {}}, {}, f"{NO_CASE}. Choose one of these: 'A', 'B'."),
        ({"Case": {"A": "R"}}, {}, "MockedResponses has no 'R'. Add it."),
        ({"Case": {"A": "R"}}, {"R": {"1-0": {}}}, f"'1-0' in MockedResponses.R {NUMBERS}"),
        ({"Case": {"A": "R"}}, [], f"MockedResponses {MISSING}"),
        ({"Case": {"A": 7}}, {}, f"StateMachines.m.TestCases.Case.A {MISSING}"),
    ],
)
def test_a_wrong_file_is_one_sentence(lab, cases, responses, sentence):
    """StartExecution has it. It names the file."""
    arn = lab.machine({"A": task()}, "m")
    lab.write({"m": cases}, responses)
    told = refused(lab.states.start_execution, stateMachineArn=f"{arn}#Case")
    assert told == ("ValidationException", f"{lab.path}: {sentence}")


def test_a_test_case_of_a_machine_that_is_not_there(lab):
    """The error is AWS's."""
    with pytest.raises(ClientError, match="StateMachineDoesNotExist"):
        lab.states.start_execution(
            stateMachineArn="arn:aws:states:us-east-1:123456789012:stateMachine:no#Case"
        )


def test_without_a_file_there_is_no_test_case():
    """The sentence says what to set."""
    with pytest.raises(RefusalError) as caught:
        Mocks().test_case("M", "Case")
    sentence = "it is not set, so there is no test case 'Case'. Set it to a file with test cases."
    assert caught.value.message == f"SFN_MOCK_CONFIG: {sentence}"


OTHER = "Set SFN_MOCK_CONFIG to another file."


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, f"it cannot be read (No such file or directory). {OTHER}"),
        (b"\xff", f"it cannot be read (it is not UTF-8). {OTHER}"),
        (b"[]", f"{{...}} {MISSING}"),
        (b"[", "it is not JSON (Expecting value: line 1 column 2 (char 1)). Correct it."),
        (b"NaN", "it is not JSON (NaN). Correct it."),
    ],
)  # fmt: skip
def test_an_emulator_with_a_wrong_file_does_not_start(tmp_path, monkeypatch, content, sentence):
    """The sentence says what to do. A relative path is one of the folder that the user is in."""
    if content is not None:
        (tmp_path / "mock.json").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    for options in (
        {"mock_config": "mock.json"},
        {"environ": {"SFN_MOCK_CONFIG": str(tmp_path / "mock.json")}},
    ):
        with pytest.raises(EmulatorError) as caught, running(**options):
            pass
        assert str(caught.value).removeprefix(f"{tmp_path}/") == f"mock.json: {sentence}"


def test_a_relative_path_is_one_of_the_users_folder(tmp_path, monkeypatch):
    """The emulator works in a folder of its own."""
    (tmp_path / "mock.json").write_text('{"StateMachines": {}, "MockedResponses": {}}')
    monkeypatch.chdir(tmp_path)
    with running(clock="virtual", mock_config="mock.json") as emulator:
        lab = Lab(emulator, tmp_path / "mock.json")
        lab.write({"m": {"Case": {"Pay": "Ok"}}}, TEXTS)
        assert lab.output(lab.machine({"Pay": task()}, "m") + "#Case") == PAID


# Without a mock


@pytest.mark.parametrize(
    ("what", "parameters"),
    [
        ("aws-sdk:bedrockruntime:invokeModel", {"ModelId": "x"}),
        ("aws-sdk:translate:translateText", {"Text": "x"}),
        ("aws-sdk:sqs:listQueues.sync", {}),
        ("http", HTTP),
        ("ecs:runTask.sync", {"TaskDefinition": "x"}),
        ("sqs:sendMessage.sync", {"QueueUrl": "x", "MessageBody": "x"}),
        ("activity", None),
    ],
)
def test_a_call_that_has_neither_a_service_nor_a_mock_is_one_sentence(lab, what, parameters):
    """It names the integration, and no Catch hides it."""
    activity = "arn:aws:states:us-east-1:123456789012:activity:work"
    resource = {"activity": activity, "http": "arn:aws:states:::http:invoke"}.get(
        what, f"arn:aws:states:::{what}"
    )
    more = {"Catch": CATCH} | ({"Parameters": parameters} if parameters is not None else {})
    role = lab.role_for(f"r-{uuid.uuid4().hex[:12]}", {"Action": "*", "Resource": "*"})
    arn = lab.machine({"S": task(resource, **more), "Caught": {"Type": "Pass", "End": True}}, roleArn=role)
    told = lab.run(arn)
    assert (told["status"], told.get("error")) == ("FAILED", "States.Runtime")
    assert told["cause"] == (
        "An error occurred while executing the state 'S' (entered at the event id #2). "
        f"The emulator has no integration '{what}', and the state 'S' has no mock. "
        f"Mock it, or use another resource: {resource}"
    )
