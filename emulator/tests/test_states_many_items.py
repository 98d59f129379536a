"""Distributed Map: its children are executions of their own, and a Map Run counts them."""

import json
import uuid

import psutil
import pytest
from botocore.exceptions import ClientError
from helpers import Machine, flow, one, outcome, wait_until

PASS = {"P": {"Type": "Pass", "End": True}}
# The second item of 1, 2, 3 fails.
SECOND_FAILS = {
    "C": {
        "Type": "Choice",
        "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "F"}],
        "Default": "P",
    },
    "F": {"Type": "Fail", "Error": "Odd", "Cause": "two"},
    **PASS,
}
WAIT = {"W": {"Type": "Wait", "Seconds": 60, "End": True}}


def processor(states=PASS, kind="STANDARD"):
    config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    return flow(**states) | {"ProcessorConfig": config}


def many(states=PASS, kind="STANDARD", language="JSONPath", **fields):
    state = {"Type": "Map", "ItemProcessor": processor(states, kind), "End": True} | fields
    return one(state, "M", QueryLanguage=language)


def run_of(mine, arn):
    """The description of an execution's Map Run."""
    (run,) = mine.client.list_map_runs(executionArn=arn)["mapRuns"]
    return mine.client.describe_map_run(mapRunArn=run["mapRunArn"])


def counted(counts):
    return {name: number for name, number in counts.items() if number}


@pytest.fixture
def bucket(aws):
    name = f"b-{uuid.uuid4().hex[:12]}"
    aws("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def reader(aws, bucket):
    """`reader("[1, 2]", InputType="JSON")`: an ItemReader of a file with this text."""

    def make(text, key="file", **config):
        aws("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())
        where = {"Bucket": bucket, "Key": key}
        return {"Resource": "arn:aws:states:::s3:getObject", "Parameters": where, "ReaderConfig": config}

    return make


def test_the_children_are_executions(machine):
    """A child has an ARN, a description, a history and a definition. Only its Map Run lists it."""
    mine = machine(many(Label="Each"))
    arn = mine.start([7])
    assert mine.wait(arn)["output"] == "[7]"
    run = run_of(mine, arn)
    (child,) = mine.client.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    place = mine.arn.replace(":stateMachine:", ":execution:")
    assert child["executionArn"] == f"{place}/Each:{child['name']}"
    assert run["mapRunArn"].startswith(mine.arn.replace(":stateMachine:", ":mapRun:") + "/Each:")
    assert (child["itemCount"], child["stateMachineArn"]) == (1, f"{mine.arn}/Each")
    told = mine.client.describe_execution(executionArn=child["executionArn"])
    assert (told["status"], told["input"], told["output"]) == ("SUCCEEDED", "7", "7")
    assert told["mapRunArn"] == run["mapRunArn"]
    types = [event["type"] for event in mine.events(child["executionArn"])]
    assert types == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    of_child = mine.client.describe_state_machine_for_execution(executionArn=child["executionArn"])
    assert (of_child["label"], json.loads(of_child["definition"])["StartAt"]) == ("Each", "P")
    of_label = mine.client.list_executions(stateMachineArn=f"{mine.arn}/Each")["executions"]
    assert [it["executionArn"] for it in of_label] == [child["executionArn"]]
    (of_machine,) = mine.client.list_executions(stateMachineArn=mine.arn)["executions"]
    assert of_machine["executionArn"] == arn


def test_the_events_of_a_map_run(machine):
    """The history has the start and the end of the Map Run, and nothing of the children.

    MapStateExited follows MapRunStarted, as measured on AWS since November 2024.
    """
    mine = machine(many())
    arn = mine.start([1, 2])
    mine.wait(arn)
    told = [(event["id"], event["previousEventId"], event["type"]) for event in mine.events(arn)]
    assert told == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "MapStateEntered"),
        (3, 2, "MapStateStarted"),
        (4, 3, "MapRunStarted"),
        (5, 4, "MapRunSucceeded"),
        (6, 5, "MapStateSucceeded"),
        (7, 4, "MapStateExited"),
        (8, 7, "ExecutionSucceeded"),
    ]


def test_the_context_object_of_a_child(machine):
    """A child sees its own execution and its item. ItemSelector sees the execution of the Map."""
    parameters = {"in.$": "$", "id.$": "$$.Execution.Id", "item.$": "$$.Map.Item"}
    shown = {"S": {"Type": "Pass", "Parameters": parameters, "End": True}}
    selector = {"item.$": "$$.Map.Item", "of.$": "$$.Execution.Id", "n.$": "$.n"}
    mine = machine(many(shown, ItemsPath="$.list", ItemSelector=selector))
    arn = mine.start({"list": ["a"], "n": 5})
    (output,) = json.loads(mine.wait(arn)["output"])
    item = {"Index": 0, "Value": "a", "Source": "STATE_DATA"}
    assert (output["item"], output["in"]) == (item, {"item": item, "of": arn, "n": 5})
    (child,) = mine.client.list_executions(mapRunArn=run_of(mine, arn)["mapRunArn"])["executions"]
    assert output["id"] == child["executionArn"]


CSV = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
GIVEN = {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a", "b"]}


@pytest.mark.parametrize(
    ("text", "config", "items"),
    [
        ("[1, 2, 3]", {"InputType": "JSON", "MaxItems": 2}, [1, 2]),
        ('1\n{"a": 2}\n', {"InputType": "JSONL"}, [1, {"a": 2}]),
        ("id;n\n1;A\n2;B\n", CSV | {"CSVDelimiter": "SEMICOLON", "MaxItems": 1}, [{"id": "1", "n": "A"}]),
        ("1,2\n", GIVEN, [{"a": "1", "b": "2"}]),
        ('{"a": {"b": [5]}}', {"InputType": "JSON", "ItemsPointer": "/a/b"}, [5]),
    ],
)  # fmt: skip
def test_items_from_a_file(machine, reader, text, config, items):
    """ItemReader reads JSON, JSON lines or CSV from S3."""
    assert outcome(machine, many(ItemReader=reader(text, **config))) == items


def test_items_from_a_list_of_objects(machine, aws, bucket):
    """The items are what AWS keeps of each object. The list may have many pages."""
    for name in ("a/1", "a/2", "b"):
        aws("s3").put_object(Bucket=bucket, Key=name, Body=b"x")
    arguments = {"Bucket": "{% $states.input.from %}", "Prefix": "a/"}
    its_reader = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Arguments": arguments}
    mine = machine(many(language="JSONata", ItemReader=its_reader))
    items = json.loads(mine.run({"from": bucket})["output"])
    assert [(it["Key"], it["Size"], it["StorageClass"]) for it in items] == [
        ("a/1", 1, "STANDARD"),
        ("a/2", 1, "STANDARD"),
    ]
    assert all(it["Etag"].startswith('"') and it["LastModified"] > 0 for it in items)


def test_what_cannot_be_read_fails_the_map(machine, reader):
    """The state fails with States.ItemReaderFailed, which a Catch sees."""
    catch = [{"ErrorEquals": ["States.ItemReaderFailed"], "Next": "Z"}]
    definition = many(ItemReader=reader('"a"', InputType="JSON"), Catch=catch)
    definition["States"]["Z"] = {"Type": "Succeed"}
    mine = machine(definition)
    arn = mine.start()
    cause = "Attempting to map over non-iterable node."
    failed = {"Error": "States.ItemReaderFailed", "Cause": cause}
    assert json.loads(mine.wait(arn)["output"]) == failed
    types = [event["type"] for event in mine.events(arn)]
    assert types[3:6] == ["MapRunStarted", "MapRunFailed", "MapStateFailed"]
    details = mine.events(arn)[4]["mapRunFailedEventDetails"]
    assert details == {"error": "States.ItemReaderFailed", "cause": cause}
    assert run_of(mine, arn)["status"] == "FAILED"


@pytest.mark.parametrize(
    "case",
    [
        ({"Key": None}, b"[1]", "ItemReader needs Bucket and Key, as texts."),
        ({"Bucket": "not a bucket"}, b"[1]", "The specified bucket is not valid."),
        ({"Key": "none"}, b"[1]", "The specified key does not exist. (Service: S3, Status Code: 404, "),
        ({}, b"\xff[1]", "The items are not a text in UTF-8."),
        ({}, b"[1", "The items are not valid JSON."),
    ],
)  # fmt: skip
def test_the_cause_is_a_sentence(machine, aws, reader, case):
    """Whatever is wrong with the file, the cause is nothing of Python's."""
    where, body, cause = case
    its_reader = reader("", InputType="JSON")
    aws("s3").put_object(**its_reader["Parameters"], Body=body)
    told = machine(many(ItemReader=its_reader | {"Parameters": its_reader["Parameters"] | where})).run()
    assert (told["error"], told["cause"][: len(cause)]) == ("States.ItemReaderFailed", cause)


def test_a_map_needs_the_rights_of_its_role(machine, reader, role):
    """The role needs states:StartExecution on the machine, and s3:GetObject on the file."""
    its_reader = reader("[1]", InputType="JSON")
    where = its_reader["Parameters"]
    arn = f"arn:aws:s3:::{where['Bucket']}/{where['Key']}"
    mine_role = role({"Action": "states:*", "Resource": "*"})
    mine = machine(many(ItemReader=its_reader), roleArn=mine_role.arn)
    told = mine.run()
    assert told["error"] == "States.ItemReaderFailed"
    assert f'not authorized to perform: s3:GetObject on resource: "{arn}" because no' in told["cause"]
    assert "(Service: S3, Status Code: 403, Request ID: " in told["cause"]
    mine_role.allow({"Action": "s3:GetObject", "Resource": arn})
    told = mine.run()
    assert told["error"] == "States.Permissions"
    reason = f"not authorized to perform: states:StartExecution on resource: {mine.arn} because no identity"
    assert told["cause"].startswith("Error contacting AWS Service. | Message from Service: User: ")
    assert reason in told["cause"]
    start = {"Action": "states:StartExecution", "Resource": mine.arn}
    mine_role.allow({"Action": "s3:GetObject", "Resource": arn}, start)
    assert mine.run()["output"] == "[1]"


@pytest.mark.parametrize(
    ("language", "batcher"),
    [
        ("JSONPath", {"MaxItemsPerBatch": 2, "BatchInput": {"by.$": "$.by", "c": 1}}),
        ("JSONPath", {"MaxItemsPerBatchPath": "$.most", "BatchInput": {"by.$": "$.by", "c": 1}}),
        (
            "JSONata",
            {
                "MaxItemsPerBatch": "{% $states.input.most %}",
                "BatchInput": {"by": "{% $states.input.by %}", "c": 1},
            },
        ),
    ],
)
def test_batches(machine, language, batcher):
    """A child gets several items, and the input of all batches. Items and executions are counted apart."""
    items = {"ItemsPath": "$.list"} if language == "JSONPath" else {"Items": "{% $states.input.list %}"}
    mine = machine(many(language=language, ItemBatcher=batcher, **items))
    arn = mine.start({"list": [1, 2, 3], "by": 7, "most": 2})
    common = {"BatchInput": {"by": 7, "c": 1}}
    assert json.loads(mine.wait(arn)["output"]) == [common | {"Items": [1, 2]}, common | {"Items": [3]}]
    run = run_of(mine, arn)
    assert counted(run["itemCounts"]) == {"succeeded": 3, "total": 3, "resultsWritten": 3}
    assert counted(run["executionCounts"]) == {"succeeded": 2, "total": 2, "resultsWritten": 2}
    children = mine.client.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    assert [child["itemCount"] for child in children] == [1, 2]


def test_batches_of_bytes(machine):
    """MaxInputBytesPerBatch is the size of a child's input."""
    most = len(json.dumps({"Items": ["a" * 10] * 2}, separators=(",", ":")))
    mine = machine(many(ItemBatcher={"MaxInputBytesPerBatch": most}))
    output = json.loads(mine.run(["a" * 10] * 3)["output"])
    assert [len(batch["Items"]) for batch in output] == [2, 1]


def test_a_batch_size_that_is_no_number(machine):
    """The execution fails, and the cause names the value and the path."""
    told = machine(many(ItemBatcher={"MaxItemsPerBatchPath": "$[0]"})).run(["x"])
    assert told["error"] == "States.Runtime"
    value = 'The MaxItemsPerBatchPath field refers to value "x" which is not a valid integer: $[0]'
    assert told["cause"].endswith(value)
    told = machine(many(language="JSONata", ItemBatcher={"MaxItemsPerBatch": "{% 'x' %}"})).run(["x"])
    assert told["error"] == "States.QueryEvaluationError"
    assert "'ItemBatcher/MaxItemsPerBatch' returned an unexpected result type" in told["cause"]


@pytest.mark.parametrize(
    ("tolerated", "language"),
    [
        ({"ToleratedFailureCount": 1}, "JSONPath"),
        ({"ToleratedFailurePercentage": 34}, "JSONPath"),
        ({"ToleratedFailureCount": "{% 1 %}"}, "JSONata"),
    ],
)
def test_tolerated_failures(machine, tolerated, language):
    """A Map Run succeeds if no more items fail than it tolerates. Its result has only what succeeded."""
    definition = many(SECOND_FAILS, **tolerated)
    definition["States"]["M"]["QueryLanguage"] = language
    if language == "JSONata":
        definition["States"]["M"]["Items"] = "{% $states.input %}"
    mine = machine(definition)
    arn = mine.start([1, 2, 3])
    assert mine.wait(arn)["output"] == "[1,3]"
    run = run_of(mine, arn)
    assert counted(run["itemCounts"]) == {"succeeded": 2, "failed": 1, "total": 3, "resultsWritten": 2}
    (failed,) = mine.client.list_executions(mapRunArn=run["mapRunArn"], statusFilter="FAILED")["executions"]
    told = mine.client.describe_execution(executionArn=failed["executionArn"])
    assert (told["error"], told["cause"]) == ("Odd", "two")


@pytest.mark.parametrize("tolerated", [{}, {"ToleratedFailureCount": 0}, {"ToleratedFailurePercentage": 33}])
def test_too_many_failures(machine, tolerated):
    """One failure more than tolerated fails the Map Run."""
    mine = machine(many(SECOND_FAILS, MaxConcurrency=1, **tolerated))
    arn = mine.start([1, 2, 3])
    told = mine.wait(arn)
    cause = "The specified tolerated failure threshold was exceeded"
    assert (told["error"], told["cause"]) == ("States.ExceedToleratedFailureThreshold", cause)
    details = [event.get("mapRunFailedEventDetails") for event in mine.events(arn)][4]
    assert details == {"error": "States.ExceedToleratedFailureThreshold", "cause": cause}
    run = run_of(mine, arn)
    counts = {"succeeded": 1, "failed": 1, "pending": 1, "total": 3}
    assert (run["status"], counted(run["itemCounts"])) == ("FAILED", counts)


def test_children_have_logs(machine, aws):
    """A child writes its events to the log group of its machine, under its own ARN."""
    group = f"/many/{uuid.uuid4().hex[:8]}"
    aws("logs").create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*"
    where = [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}]
    mine = machine(many(), loggingConfiguration={"level": "ALL", "destinations": where})
    parent = mine.start([1])
    mine.wait(parent)
    (child,) = mine.client.list_executions(mapRunArn=run_of(mine, parent)["mapRunArn"])["executions"]
    told = [json.loads(it["message"]) for it in aws("logs").filter_log_events(logGroupName=group)["events"]]
    types = [it["type"] for it in told if it["execution_arn"] == child["executionArn"]]
    assert types == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    assert "MapRunStarted" in [it["type"] for it in told if it["execution_arn"] == parent]


def test_a_redrive_runs_only_the_children_that_did_not_succeed(machine, aws, table):
    """They go on in the same Map Run. The others keep their results."""
    get = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:dynamodb:getItem", "End": True}
    get["Parameters"] = {"TableName.$": "$", "Key": {"id": {"S": "1"}}}
    get["ResultSelector"] = {"n.$": "$$.Execution.RedriveCount"}
    mine = machine(many({"G": get}, MaxConcurrency=1))
    later = f"{table}-later"
    arn = mine.start([table, later, table])
    assert mine.wait(arn)["error"] == "States.ExceedToleratedFailureThreshold"
    aws("dynamodb").create_table(
        TableName=later,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    mine.client.redrive_execution(executionArn=arn)
    assert json.loads(mine.wait(arn)["output"]) == [{"n": 0}, {"n": 1}, {"n": 0}]
    assert [event["type"] for event in mine.events(arn)][6:] == [
        *("ExecutionFailed", "ExecutionRedriven", "MapRunRedriven", "MapRunSucceeded"),
        *("MapStateSucceeded", "MapStateExited", "ExecutionSucceeded"),
    ]
    run = run_of(mine, arn)
    assert (run["redriveCount"], run["status"]) == (1, "SUCCEEDED")
    assert counted(run["itemCounts"]) == {"succeeded": 3, "total": 3, "resultsWritten": 3}
    children = mine.client.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    assert [child["redriveCount"] for child in children] == [0, 1, 0]
    types = [event["type"] for event in mine.events(children[1]["executionArn"])]
    assert types[5:8] == ["ExecutionFailed", "ExecutionRedriven", "TaskScheduled"]
    aws("dynamodb").delete_table(TableName=later)


def test_a_redrive_with_express_children_counts_each_item_once(machine, aws, table):
    """An Express child that did not succeed begins anew."""
    get = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:dynamodb:getItem", "End": True}
    get["Parameters"] = {"TableName": table, "Key": {"id": {"S.$": "$"}}}
    get["ResultSelector"] = {"name.$": "$.Item.id.S"}
    mine = machine(many({"G": get}, kind="EXPRESS", MaxConcurrency=1, ToleratedFailureCount=0))
    for key in "ac":
        aws("dynamodb").put_item(TableName=table, Item={"id": {"S": key}})
    arn = mine.start(["a", "b", "c"])
    assert mine.wait(arn)["status"] == "FAILED"
    assert counted(run_of(mine, arn)["itemCounts"]) == {"succeeded": 1, "failed": 1, "pending": 1, "total": 3}
    aws("dynamodb").put_item(TableName=table, Item={"id": {"S": "b"}})
    mine.client.redrive_execution(executionArn=arn)
    assert json.loads(mine.wait(arn)["output"]) == [{"name": name} for name in "abc"]
    told = counted(run_of(mine, arn)["itemCounts"])
    assert told == {"succeeded": 3, "total": 3, "resultsWritten": 3}


def test_express_children(machine):
    """Express children run, and nobody can ask for them."""
    mine = machine(many(kind="EXPRESS"))
    arn = mine.start([1, 2])
    assert mine.wait(arn)["output"] == "[1,2]"
    run = run_of(mine, arn)
    assert counted(run["executionCounts"]) == {"succeeded": 2, "total": 2, "resultsWritten": 2}
    with pytest.raises(ClientError, match="StateMachineTypeNotSupported"):
        mine.client.list_executions(mapRunArn=run["mapRunArn"])


def test_a_map_inside_a_child(machine):
    """A child may have a Distributed Map of its own, whose Map Run belongs to the child."""
    inner = {"I": {"Type": "Map", "ItemProcessor": processor(), "End": True}}
    mine = machine(many(inner))
    arn = mine.start([[1, 2], [3]])
    assert mine.wait(arn)["output"] == "[[1,2],[3]]"
    children = mine.client.list_executions(mapRunArn=run_of(mine, arn)["mapRunArn"])["executions"]
    inside = [run_of(mine, child["executionArn"])["executionCounts"]["succeeded"] for child in children]
    assert sorted(inside) == [1, 2]


def test_a_running_map_run_is_updated(machine):
    """MaxConcurrency counts at once: more children begin. A stopped execution aborts them."""
    mine = machine(many(WAIT, MaxConcurrency=1))
    arn = mine.start([1, 2, 3])
    wait_until(lambda: mine.client.list_map_runs(executionArn=arn)["mapRuns"])
    wait_until(lambda: run_of(mine, arn)["executionCounts"]["running"] == 1)
    run = run_of(mine, arn)
    assert counted(run["itemCounts"]) == {"running": 1, "pending": 2, "total": 3}
    assert "stopDate" not in run
    mine.client.update_map_run(mapRunArn=run["mapRunArn"], maxConcurrency=2, toleratedFailureCount=3)
    wait_until(lambda: run_of(mine, arn)["executionCounts"]["running"] == 2)
    run = run_of(mine, arn)
    assert (run["maxConcurrency"], run["toleratedFailureCount"]) == (2, 3)
    mine.client.stop_execution(executionArn=arn)
    wait_until(lambda: run_of(mine, arn)["status"] == "ABORTED")
    assert counted(run_of(mine, arn)["itemCounts"]) == {"aborted": 2, "pending": 1, "total": 3}


def test_a_child_is_stopped(machine):
    """StopExecution ends a child, with its error and cause. The Map goes on with the others."""
    mine = machine(many(WAIT))
    arn = mine.start([1])
    wait_until(lambda: mine.client.list_map_runs(executionArn=arn)["mapRuns"])
    run = run_of(mine, arn)["mapRunArn"]
    wait_until(lambda: mine.client.list_executions(mapRunArn=run)["executions"])
    (child,) = mine.client.list_executions(mapRunArn=run)["executions"]
    mine.client.stop_execution(executionArn=child["executionArn"], error="Enough", cause="of it")
    told = mine.client.describe_execution(executionArn=child["executionArn"])
    assert (told["status"], told["error"], told["cause"]) == ("ABORTED", "Enough", "of it")
    assert mine.wait(arn)["output"] == "[]"
    wait_until(lambda: mine.events(child["executionArn"])[-1]["type"] == "ExecutionAborted")


def test_a_deleted_machine_has_no_map_runs(machine):
    """Map Runs and children go with their machine."""
    mine = machine(many())
    arn = mine.start([1])
    mine.wait(arn)
    run = run_of(mine, arn)["mapRunArn"]
    (child,) = mine.client.list_executions(mapRunArn=run)["executions"]
    mine.client.delete_state_machine(stateMachineArn=mine.arn)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        mine.client.describe_map_run(mapRunArn=run)
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        mine.client.describe_execution(executionArn=child["executionArn"])


def test_a_result_has_a_limit(machine):
    """The results of all children together may have 256 KiB, as the output of any state."""
    large = {"P": {"Type": "Pass", "Result": "x" * 90_000, "End": True}}
    assert machine(many(large)).run([1, 2, 3])["error"] == "States.DataLimitExceeded"
    assert machine(many(large, ResultPath=None)).run([1])["output"] == "[1]"


@pytest.mark.long
def test_ten_thousand_items(own):
    """Long, because 10,000 children run. Memory and threads stay few."""
    own("s3").create_bucket(Bucket="many")
    own("s3").put_object(Bucket="many", Key="k", Body=json.dumps(list(range(10_000))).encode())
    where = {"Bucket": "many", "Key": "k"}
    its_reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": where}
    its_reader["ReaderConfig"] = {"InputType": "JSON"}
    mine = Machine(own("stepfunctions"), many(ItemReader=its_reader, ResultPath=None, MaxConcurrency=10_000))
    process, seen, arn = psutil.Process(own.told["pid"]), [], mine.start()

    def has_ended():
        seen.append((process.memory_info().rss, process.num_threads()))
        return mine.client.describe_execution(executionArn=arn)["status"] != "RUNNING"

    wait_until(has_ended)
    most_memory, most_threads = map(max, zip(*seen, strict=True))
    assert (most_memory < 400_000_000, most_threads < 120) == (True, True)
    assert mine.client.describe_execution(executionArn=arn)["status"] == "SUCCEEDED"
    assert run_of(mine, arn)["itemCounts"]["succeeded"] == 10_000
