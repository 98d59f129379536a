"""Tasks that wait for a token, and the operations that end the waiting."""

import json

import psutil
import pytest
from botocore.exceptions import ClientError
from helpers import ECHO, ROLE, Function, Machine, flow, one, refused, wait_until

INVOKE = "arn:aws:states:::lambda:invoke"
TOKEN = {"token.$": "$$.Task.Token"}
PASS = {"Type": "Pass", "End": True}


def caught(name):
    return [{"ErrorEquals": [name], "Next": "B"}]


def retry(name):
    return [{"ErrorEquals": [name], "IntervalSeconds": 1, "MaxAttempts": 1}]


@pytest.fixture(scope="module")
def states(aws):
    return aws("stepfunctions")


@pytest.fixture(scope="module")
def echo(aws):
    return Function(aws("lambda"), ECHO)


@pytest.fixture(scope="module")
def waits(echo):
    """A state that waits for its token."""

    def state(function=echo, **fields):
        parameters = {"FunctionName": function.arn, "Payload": TOKEN}
        task = {"Type": "Task", "Resource": f"{INVOKE}.waitForTaskToken", "Parameters": parameters}
        return task | {"End": True} | fields

    return state


@pytest.fixture(scope="module")
def make(states):
    """`make(state)`: a machine of the state A. Its ways may lead to B or C."""
    return lambda state, then=PASS, **more: Waiting(states, flow(A=state, B=then, C=PASS) | more)


class Waiting(Machine):
    def details(self, arn, kind):
        """What the events of a kind say, oldest first."""
        found = [event for event in self.events(arn) if event["type"] == kind]
        return [next(event[name] for name in event if name.endswith("EventDetails")) for event in found]

    def token(self, arn, number=1, once="TaskSubmitted"):
        """The token of an attempt, by default once its function has answered."""
        wait_until(lambda: len(self.details(arn, once)) >= number)
        return json.loads(self.details(arn, "TaskScheduled")[number - 1]["parameters"])["Payload"]["token"]

    def begin(self):
        """A waiting execution, and its token."""
        arn = self.start()
        return arn, self.token(arn)


@pytest.fixture(scope="module")
def plain(make, waits):
    return make(waits())


GONE = ("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
NONE = ("InvalidToken", "Invalid Token: 'Invalid token'")


def assert_gone(states, token):
    """No operation takes the token any more."""
    assert refused(states.send_task_success, taskToken=token, output="1") == GONE
    assert refused(states.send_task_failure, taskToken=token) == GONE
    assert refused(states.send_task_heartbeat, taskToken=token) == GONE


def test_a_task_waits_for_its_token(plain, states):
    """The callback's output is the task's result; the answer of the function is only in TaskSubmitted."""
    arn, token = plain.begin()
    assert states.describe_execution(executionArn=arn)["status"] == "RUNNING"
    states.send_task_success(taskToken=token, output='{"a": [1, null]}')
    assert json.loads(plain.wait(arn)["output"]) == {"a": [1, None]}
    (submitted,) = plain.details(arn, "TaskSubmitted")
    assert json.loads(submitted["output"])["Payload"] == {"token": token}


def test_the_history_of_a_callback(make, waits, states):
    """The history has AWS's events in their order, with their details."""
    mine = make(waits(TimeoutSeconds=60, HeartbeatSeconds=50))
    arn, token = mine.begin()
    states.send_task_success(taskToken=token, output="1")
    mine.wait(arn)
    assert [event["type"] for event in mine.events(arn)] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    common = {"resourceType": "lambda", "resource": "invoke.waitForTaskToken"}
    (scheduled,) = mine.details(arn, "TaskScheduled")
    assert json.loads(scheduled.pop("parameters"))["Payload"] == {"token": token}
    times = {"timeoutInSeconds": 60, "heartbeatInSeconds": 50}
    assert scheduled == common | times | {"region": "us-east-1"}
    assert mine.details(arn, "TaskStarted") == [common]
    (submitted,) = mine.details(arn, "TaskSubmitted")
    assert submitted == common | {"output": submitted["output"], "outputDetails": {"truncated": False}}
    result = {"output": "1", "outputDetails": {"truncated": False}}
    assert mine.details(arn, "TaskSucceeded") == [common | result]


def test_a_token_in_jsonata(make, echo, waits, states):
    """Arguments read it in the context object, and `$states.result` is what was sent."""
    arguments = {"FunctionName": echo.arn, "Payload": {"token": "{% $states.context.Task.Token %}"}}
    state = waits() | {"Arguments": arguments, "Output": "{% $states.result.a + 1 %}"}
    del state["Parameters"]
    mine = make(state, QueryLanguage="JSONata")
    arn, token = mine.begin()
    states.send_task_success(taskToken=token, output='{"a": 1}')
    assert mine.wait(arn)["output"] == "2"


@pytest.fixture
def mailed(topic, mails, aws, browse):
    """A topic whose mail somebody gets."""
    aws("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.org")
    browse(mails()[0]["link"])
    return topic


@pytest.mark.parametrize("service", ["sns:publish", "aws-sdk:sns:publish"])
def test_a_mail_can_carry_the_token(make, states, mails, mailed, service):
    """`sns:publish.waitForTaskToken` publishes through the emulator's own SNS."""
    parameters = {"TopicArn": mailed, "Message.$": "$$.Task.Token"}
    resource = f"arn:aws:states:::{service}.waitForTaskToken"
    mine = make({"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True})
    arn = mine.start()
    wait_until(lambda: len(mails()) == 2)
    states.send_task_success(taskToken=mails()[-1]["text"].split()[0], output='"read"')
    assert mine.wait(arn)["output"] == '"read"'


def test_other_services_wait_too(make, states, aws):
    """SQS can carry a token, too. A message that is an object becomes JSON."""
    url = aws("sqs").create_queue(QueueName="callbacks")["QueueUrl"]
    parameters = {"QueueUrl": url, "MessageBody": TOKEN}
    resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    mine = make({"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True})
    arn = mine.start()
    wait_until(lambda: mine.details(arn, "TaskSubmitted"))
    (message,) = aws("sqs").receive_message(QueueUrl=url)["Messages"]
    states.send_task_success(taskToken=json.loads(message["Body"])["token"], output="1")
    assert mine.wait(arn)["status"] == "SUCCEEDED"


def test_a_definition_that_passes_no_token_is_accepted(waits, states):
    """Nobody can end such a task, but it is no fault of the definition."""
    text = json.dumps(one(waits(Parameters={"FunctionName": "f", "Payload": {}})))
    assert states.validate_state_machine_definition(definition=text)["result"] == "OK"


def test_heartbeats_come_more_often_than_the_time_out(waits, states):
    """HeartbeatSeconds must be smaller than TimeoutSeconds."""
    for seconds, result in ((5, "FAIL"), (6, "OK")):
        text = json.dumps(one(waits(HeartbeatSeconds=5, TimeoutSeconds=seconds)))
        assert states.validate_state_machine_definition(definition=text)["result"] == result


def test_only_a_task_that_waits_has_a_token(make, waits):
    """In another state, `$$.Task.Token` is a path that is missing."""
    execution = make(waits(Resource=INVOKE)).run()
    assert execution["error"] == "States.Runtime"
    assert "The JSONPath '$$.Task.Token' specified for the field" in execution["cause"]


def test_what_is_no_token_is_refused(states):
    """Every operation refuses an unknown token with InvalidToken."""
    assert refused(states.send_task_success, taskToken="x", output="1") == NONE
    assert refused(states.send_task_failure, taskToken="x") == NONE
    assert refused(states.send_task_heartbeat, taskToken="x") == NONE


def test_a_token_can_be_used_once(plain, states):
    """A used token is TaskTimedOut, while the execution runs and after its end."""
    for send in (
        lambda token: states.send_task_success(taskToken=token, output="1"),
        lambda token: states.send_task_failure(taskToken=token),
    ):
        arn, token = plain.begin()
        send(token)
        assert_gone(states, token)
        plain.wait(arn)
        assert_gone(states, token)


def test_an_output_that_is_not_json_ends_nothing(plain, states):
    """An output that is not JSON is refused with InvalidOutput, and the task still waits."""
    arn, token = plain.begin()
    code, message = refused(states.send_task_success, taskToken=token, output="yes")
    assert code == "InvalidOutput"
    assert message.startswith("Invalid Output: 'Unrecognized token 'yes'")
    states.send_task_success(taskToken=token, output='"yes"')
    assert plain.wait(arn)["output"] == '"yes"'


def test_a_failure_has_an_error_and_a_cause(make, waits, states):
    """TaskFailed and the Catch have both."""
    mine = make(waits(Catch=caught("NotInTheMood")))
    arn, token = mine.begin()
    states.send_task_failure(taskToken=token, error="NotInTheMood", cause="Tired")
    assert json.loads(mine.wait(arn)["output"]) == {"Error": "NotInTheMood", "Cause": "Tired"}
    common = {"resourceType": "lambda", "resource": "invoke.waitForTaskToken"}
    assert mine.details(arn, "TaskFailed") == [common | {"error": "NotInTheMood", "cause": "Tired"}]


@pytest.mark.parametrize("name", ["States.ALL", "States.TaskFailed"])
def test_a_failure_without_error_and_cause(make, waits, states, name):
    """A Catch gets null for both."""
    mine = make(waits(Catch=caught(name)))
    arn, token = mine.begin()
    states.send_task_failure(taskToken=token)
    assert json.loads(mine.wait(arn)["output"]) == {"Error": None, "Cause": None}
    assert mine.details(arn, "TaskFailed") == [
        {"resourceType": "lambda", "resource": "invoke.waitForTaskToken"}
    ]


def test_an_uncaught_failure_fails_the_execution(plain, states):
    """An execution has the error and the cause of the failure, even if the error's name is one of AWS's."""
    arn, token = plain.begin()
    states.send_task_failure(taskToken=token, error="States.TaskFailed", cause="c")
    execution = plain.wait(arn)
    assert (execution["status"], execution["error"], execution["cause"]) == (
        "FAILED",
        "States.TaskFailed",
        "c",
    )


def test_each_retry_has_a_new_token(make, waits, states, advance):
    """The old token is gone, and the new one waits for an outcome of its own."""
    mine = make(waits(Retry=retry("Again")))
    arn, first = mine.begin()
    states.send_task_failure(taskToken=first, error="Again")
    advance(1)
    second = mine.token(arn, 2)
    assert second != first
    assert_gone(states, first)
    states.send_task_success(taskToken=second, output='"second"')
    assert mine.wait(arn)["output"] == '"second"'


def test_a_token_is_gone_when_its_function_has_failed(aws, make, waits, states):
    """A token ends when its function fails, even if the execution goes on."""
    broken = Function(aws("lambda"), "def lambda_handler(event, context): raise ValueError")
    mine = make(waits(broken, Catch=caught("ValueError")), then=waits())
    arn = mine.start()
    first, second = (mine.token(arn, number, once="TaskScheduled") for number in (1, 2))
    assert_gone(states, first)
    states.send_task_success(taskToken=second, output="1")
    assert mine.wait(arn)["status"] == "SUCCEEDED"


def test_a_heartbeat_needs_no_heartbeat_seconds(plain, states):
    """It is accepted, and leaves no event."""
    arn, token = plain.begin()
    before = plain.events(arn)
    states.send_task_heartbeat(taskToken=token)
    assert plain.events(arn) == before
    states.send_task_success(taskToken=token, output="1")
    assert plain.wait(arn)["status"] == "SUCCEEDED"


TIMES = {
    "heartbeat": {"HeartbeatSeconds": 50},
    "time-out": {"TimeoutSeconds": 50},
    "path": {"HeartbeatSecondsPath": "$.seconds"},
    "no token": {"TimeoutSeconds": 50},
}


@pytest.mark.parametrize("name", TIMES)
def test_a_time_that_is_over_is_a_time_out(make, waits, states, advance, name):
    """A time-out and a missed heartbeat are States.Timeout without a cause, and the token is gone."""
    state = waits(**TIMES[name])
    if name == "no token":
        del state["Parameters"]["Payload"]
    mine = make(state)
    arn = mine.start({"seconds": 50})
    advance(49)
    assert mine.client.describe_execution(executionArn=arn)["status"] == "RUNNING"
    advance(1)
    execution = mine.client.describe_execution(executionArn=arn)
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Timeout")
    assert "cause" not in execution
    common = {"resourceType": "lambda", "resource": "invoke.waitForTaskToken"}
    assert mine.details(arn, "TaskTimedOut") == [common | {"error": "States.Timeout"}]
    if name != "no token":
        assert_gone(states, mine.token(arn, once="TaskScheduled"))


def test_a_token_is_gone_after_the_time_out(make, waits, states, advance):
    """A token ends with its time-out, even if the execution goes on with another token."""
    mine = make(waits(TimeoutSeconds=50, Catch=caught("States.Timeout")), then=waits())
    arn = mine.start()
    advance(50)
    first, second = (mine.token(arn, number, once="TaskScheduled") for number in (1, 2))
    assert first != second
    assert_gone(states, first)
    states.send_task_success(taskToken=second, output="1")
    assert mine.wait(arn)["output"] == "1"


@pytest.mark.parametrize("name", ["States.HeartbeatTimeout", "States.Timeout", "States.ALL"])
def test_a_catch_may_name_a_missed_heartbeat_in_two_ways(make, waits, name):
    """What it gets is States.Timeout in each case."""
    execution = make(waits(HeartbeatSeconds=1, Catch=caught(name))).run()
    assert json.loads(execution["output"]) == {"Error": "States.Timeout", "Cause": ""}


@pytest.mark.parametrize("field", ["HeartbeatSeconds", "TimeoutSeconds"])
def test_a_catch_of_something_else_does_not_match(make, waits, field):
    """A missed heartbeat is no States.TaskFailed, and a time-out is no missed heartbeat."""
    other = "States.TaskFailed" if field == "HeartbeatSeconds" else "States.HeartbeatTimeout"
    assert make(waits(**{field: 1}, Catch=caught(other))).run()["error"] == "States.Timeout"


@pytest.mark.parametrize("name", ["States.HeartbeatTimeout", "States.Timeout"])
def test_a_retry_may_name_a_missed_heartbeat_in_two_ways(make, waits, name):
    """The second attempt has a token of its own, and a heartbeat of its own to miss."""
    mine = make(waits(HeartbeatSeconds=1, Retry=retry(name)))
    execution = mine.run()
    arn = execution["executionArn"]
    assert execution["error"] == "States.Timeout"
    assert len(mine.details(arn, "TaskTimedOut")) == 2
    assert mine.token(arn, 1) != mine.token(arn, 2)


def test_heartbeats_keep_a_task_alive_until_its_time_out(make, waits, states, advance):
    """They are longer than HeartbeatSeconds together, and do not extend TimeoutSeconds."""
    both = [*caught("States.HeartbeatTimeout"), {"ErrorEquals": ["States.Timeout"], "Next": "C"}]
    mine = make(waits(HeartbeatSeconds=20, TimeoutSeconds=30, Catch=both))
    arn = mine.start()
    token = mine.token(arn)
    for _ in range(2):
        advance(14)
        states.send_task_heartbeat(taskToken=token)
    advance(2)
    assert_gone(states, token)
    assert [each["name"] for each in mine.details(arn, "PassStateEntered")] == ["C"]


def test_a_machines_time_out_ends_a_waiting_task(make, waits, states):
    """The machine's time-out ends the waiting and the token, and writes no other end of the task."""
    mine = make(waits(), TimeoutSeconds=3)
    execution = mine.run()
    arn = execution["executionArn"]
    assert execution["status"] == "TIMED_OUT"
    types = [event["type"] for event in mine.events(arn)]
    assert types[-1] == "ExecutionTimedOut"
    assert not {"TaskSucceeded", "TaskFailed", "TaskTimedOut"} & set(types)
    assert_gone(states, mine.token(arn, once="TaskScheduled"))


def test_a_stopped_execution_does_not_wait(plain, states):
    """A stopped execution is ABORTED at once, without an event of the task, and its token is gone."""
    arn, token = plain.begin()
    states.stop_execution(executionArn=arn, error="E")
    assert_gone(states, token)
    execution = plain.wait(arn)
    assert (execution["status"], execution["error"]) == ("ABORTED", "E")
    assert [event["type"] for event in plain.events(arn)][-2:] == ["TaskSubmitted", "ExecutionAborted"]


def test_a_failed_branch_ends_the_waiting_of_another(make, waits, states):
    """The Parallel state fails, and the token of the other branch is gone."""
    branches = [one(waits(), name) for name in ("X", "Y")]
    mine = make({"Type": "Parallel", "Branches": branches, "Catch": caught("E"), "End": True})
    arn = mine.start()
    first, second = mine.token(arn, 1), mine.token(arn, 2)
    states.send_task_failure(taskToken=first, error="E", cause="c")
    assert json.loads(mine.wait(arn)["output"]) == {"Error": "E", "Cause": "c"}
    assert_gone(states, second)


def test_each_iteration_of_a_map_has_a_token(make, waits, states):
    """The results are in the order of the items, whoever answers first."""
    payload = {"Payload": TOKEN | {"item.$": "$"}}
    state = waits()
    state["Parameters"] |= payload
    processor = one(state, "X")
    mine = make({"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True})
    arn = mine.start({"items": [1, 2, 3]})
    mine.token(arn, 3)
    for each in reversed(mine.details(arn, "TaskScheduled")):
        sent = json.loads(each["parameters"])["Payload"]
        states.send_task_success(taskToken=sent["token"], output=json.dumps(sent["item"] * 10))
    assert json.loads(mine.wait(arn)["output"]) == [10, 20, 30]


def test_a_failed_iteration_aborts_the_others(make, waits, states):
    """They have not succeeded, and their tokens are gone."""
    processor = one(waits(), "X")
    mine = make({"Type": "Map", "ItemProcessor": processor, "Catch": caught("E"), "End": True}, then=waits())
    arn = mine.start([1, 2])
    first, second = mine.token(arn, 1), mine.token(arn, 2)
    states.send_task_failure(taskToken=first, error="E")
    wait_until(lambda: mine.details(arn, "MapIterationAborted"))
    mine.token(arn, 3)
    assert_gone(states, second)
    assert not mine.details(arn, "MapIterationSucceeded")
    states.stop_execution(executionArn=arn)


def test_thirty_executions_wait_at_once(aws, make, waits, states):
    """Each succeeds with its own output, and none of them keeps the function busy."""
    function = Function(aws("lambda"), ECHO)
    mine = make(waits(function))
    waiting = {arn: mine.token(arn) for arn in [mine.start() for _ in range(30)]}
    listed = states.list_executions(stateMachineArn=mine.arn, statusFilter="RUNNING")["executions"]
    assert len(listed) == len(set(waiting.values())) == 30
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    assert function("is free") == "is free"
    for arn, token in waiting.items():
        states.send_task_success(taskToken=token, output=json.dumps(arn))
    assert [json.loads(mine.wait(arn)["output"]) for arn in waiting] == list(waiting)


@pytest.mark.parametrize("how", ["StopExecution", "DeleteStateMachine", "TimeoutSeconds", "a failed branch"])
def test_no_token_is_left_of_an_execution_that_has_ended(make, waits, states, how):
    """Every token is gone, however the execution has ended. Nothing more is written."""
    branches = [one(waits(TimeoutSeconds=60), name) for name in "QRSTUVWXYZ"]
    parallel = {"Type": "Parallel", "Branches": branches, "End": True}
    mine = make(parallel, **({"TimeoutSeconds": 6} if how == "TimeoutSeconds" else {}))
    arn = mine.start()
    tokens = [mine.token(arn, number + 1) for number in range(len(branches))]
    if how == "StopExecution":
        states.stop_execution(executionArn=arn)
    elif how == "DeleteStateMachine":
        states.delete_state_machine(stateMachineArn=mine.arn)
    elif how == "a failed branch":
        states.send_task_failure(taskToken=tokens[-1])
    if how != "DeleteStateMachine":
        mine.wait(arn)
        before = mine.events(arn)
    for token in tokens:
        assert_gone(states, token)
    if how != "DeleteStateMachine":
        assert mine.events(arn) == before


@pytest.fixture(scope="module")
def waiting_apart(apart):
    """`waiting_apart(60)`: a machine with so many executions that wait, and their tokens by their ARNs."""
    echo = apart.function(ECHO)
    parameters = {"FunctionName": echo.arn, "Payload": TOKEN}
    state = {"Type": "Task", "Resource": f"{INVOKE}.waitForTaskToken", "Parameters": parameters, "End": True}

    def begin(count):
        mine = Waiting(apart("stepfunctions"), one(state | {"TimeoutSeconds": 600}))
        return mine, {arn: mine.token(arn) for arn in [mine.start() for _ in range(count)]}

    return begin


def test_a_task_that_waits_has_no_thread(apart, waiting_apart):
    """The number of threads does not grow with the number of executions that wait."""
    process = psutil.Process(apart.told["pid"])
    few, _ = waiting_apart(1)
    before = process.num_threads()
    many, tokens = waiting_apart(60)
    wait_until(lambda: process.num_threads() < before + 5)
    states = apart("stepfunctions")
    assert len(states.list_executions(stateMachineArn=many.arn, statusFilter="RUNNING")["executions"]) == 60
    for arn, token in tokens.items():
        states.send_task_success(taskToken=token, output=json.dumps(arn))
    assert [json.loads(many.wait(arn)["output"]) for arn in tokens] == [*tokens]
    states.delete_state_machine(stateMachineArn=few.arn)


def test_no_token_is_left_after_a_reset(apart, waiting_apart):
    """Everything is deleted, and nothing goes on."""
    _, tokens = waiting_apart(10)
    apart.reset()
    for token in tokens.values():
        assert refused(apart("stepfunctions").send_task_heartbeat, taskToken=token) == NONE


def test_an_express_machine_cannot_wait(states, waits):
    """Its type counts when an express machine is made, changed or validated. A standard machine can wait."""
    text = json.dumps(one(waits()))
    create = {"name": "waits", "definition": text, "type": "EXPRESS", "roleArn": ROLE}
    message = "Express state machine does not support '.waitForTaskToken' service integration "
    assert message in refused(states.create_state_machine, **create)[1]
    express = Machine(states, one(PASS), type="EXPRESS")
    assert message in refused(states.update_state_machine, stateMachineArn=express.arn, definition=text)[1]
    reply = states.validate_state_machine_definition(definition=text, type="EXPRESS")
    assert [diagnostic["message"] for diagnostic in reply["diagnostics"]] == [message]
    assert states.validate_state_machine_definition(definition=text)["result"] == "OK"


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [("success", {"output": "1"}), ("failure", {}), ("heartbeat", {})],
)
def test_a_token_needs_the_right_to_use_it(plain, user, operation, parameters):
    """The right is to the machine whose task waits. A right to the execution is not enough."""
    arn, token = plain.begin()
    action = f"states:SendTask{operation.capitalize()}"
    may_not = user({"Action": action, "Resource": arn})("stepfunctions")
    code, message = refused(getattr(may_not, f"send_task_{operation}"), taskToken=token, **parameters)
    assert code == "AccessDeniedException"
    assert f"is not authorized to perform: {action} on resource: {plain.arn} because" in message
    may = user({"Action": action, "Resource": plain.arn})("stepfunctions")
    getattr(may, f"send_task_{operation}")(taskToken=token, **parameters)


def test_a_function_can_send_its_own_success(aws, make, waits, role):
    """Its role needs the right to it. The task's result is what was sent."""

    def lambda_handler(event, context):
        import boto3

        boto3.client("stepfunctions").send_task_success(taskToken=event["token"], output='"sent"')

    all_of = "arn:aws:states:us-east-1:123456789012"
    for resource in ("*", f"{all_of}:stateMachine:*", f"{all_of}:execution:*"):
        its = role({"Action": "states:SendTaskSuccess", "Resource": resource})
        mine = make(waits(Function(aws("lambda"), lambda_handler, Role=its.arn, Timeout=10)))
        execution = mine.run()
        if resource.endswith("execution:*"):
            told = f"is not authorized to perform: states:SendTaskSuccess on resource: {mine.arn} because"
            assert told in execution["cause"]
        else:
            assert execution["output"] == '"sent"'


def test_the_token_is_looked_at_first(aws):
    """If the token is unknown, an output that is no JSON does not matter."""
    with pytest.raises(ClientError, match="InvalidToken"):
        aws("stepfunctions").send_task_success(taskToken="nobody", output="{")
