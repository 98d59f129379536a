"""CloudWatch's metrics: those of executions, and anybody's own."""

import datetime
import uuid

import pytest
from botocore.exceptions import ClientError
from helpers import checked, wait_until

PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
FAIL = {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "E"}}}
WAIT = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 60, "End": True}}}


@pytest.fixture
def cloudwatch(aws):
    return checked(aws("cloudwatch"))


@pytest.fixture
def statistic(cloudwatch, advance):
    """`statistic("ExecutionsFailed", "Sum", StateMachineArn=...)`, of the last hour."""

    def read(name, statistic, namespace="AWS/States", **dimensions):
        now = datetime.datetime.fromtimestamp(advance(), datetime.UTC)
        which = "Statistics" if statistic.isalpha() else "ExtendedStatistics"
        points = cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - datetime.timedelta(hours=1),
            EndTime=now + datetime.timedelta(minutes=1),
            Period=7200,
            **{which: [statistic]},
        )["Datapoints"]
        found = [it[statistic] if which == "Statistics" else it[which][statistic] for it in points]
        return found[0] if found else None

    return read


@pytest.fixture
def put(cloudwatch):
    """`put(1, 2, Unit="Count")` puts values of a metric of the test's own, whose namespace is `put.space`."""

    def values(*numbers, name="m", **more):
        data = [{"MetricName": name, "Value": number, **more} for number in numbers]
        cloudwatch.put_metric_data(Namespace=values.space, MetricData=data)

    values.space = f"tests-{uuid.uuid4().hex[:8]}"
    return values


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        (PASS, "ExecutionsSucceeded"),
        (FAIL, "ExecutionsFailed"),
        (WAIT | {"TimeoutSeconds": 1}, "ExecutionsTimedOut"),
    ],
)
def test_an_execution_is_counted_by_its_end(machine, statistic, definition, name):
    """Its end has a 1; its beginning has another one."""
    mine = machine(definition)
    mine.run()
    wait_until(lambda: statistic(name, "Sum", StateMachineArn=mine.arn))
    assert statistic(name, "Sum", StateMachineArn=mine.arn) == 1
    assert statistic("ExecutionsStarted", "Sum", StateMachineArn=mine.arn) == 1


def test_a_stopped_execution_counts_as_aborted_only(machine, statistic):
    """StopExecution counts at once, and nothing else is counted afterwards."""
    mine = machine(WAIT)
    mine.client.stop_execution(executionArn=mine.start())
    assert statistic("ExecutionsAborted", "Sum", StateMachineArn=mine.arn) == 1
    machine(PASS).run()  # what would still happen to the other one, happens meanwhile
    counted = ("ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut")
    assert [statistic(name, "Sum", StateMachineArn=mine.arn) for name in counted] == [0, 0, 0]


def test_each_count_has_two_samples_of_an_execution(machine, statistic):
    """AWS counts with a value at the beginning and another one at the end, of which one or both are 0."""
    mine = machine(PASS)
    mine.run()
    for name in ("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed"):
        wait_until(lambda name=name: statistic(name, "SampleCount", StateMachineArn=mine.arn) == 2)


def test_the_time_of_an_execution(machine, statistic):
    """ExecutionTime is in milliseconds."""
    mine = machine({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1, "End": True}}})
    told = mine.run()
    wait_until(lambda: statistic("ExecutionTime", "Average", StateMachineArn=mine.arn))
    took = (told["stopDate"] - told["startDate"]).total_seconds() * 1000
    assert 1000 <= statistic("ExecutionTime", "p50", StateMachineArn=mine.arn) == pytest.approx(took, abs=2)


def test_a_version_and_an_alias_have_metrics_of_their_own(machine, statistic):
    """An execution that was started by an alias counts for the machine, the version and the alias."""
    mine = machine(PASS, publish=True)
    client, version = mine.client, f"{mine.arn}:1"
    routes = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = client.create_state_machine_alias(name="LIVE", routingConfiguration=routes)
    arn = client.start_execution(stateMachineArn=alias["stateMachineAliasArn"])["executionArn"]
    mine.wait(arn)
    for more in ({}, {"Version": "1"}, {"Alias": "LIVE"}):
        assert statistic("ExecutionsStarted", "Sum", StateMachineArn=mine.arn, **more) == 1


def test_an_express_execution_is_counted(machine, statistic):
    """Also one that somebody waits for."""
    mine = machine(FAIL, type="EXPRESS")
    mine.client.start_sync_execution(stateMachineArn=mine.arn)
    assert statistic("ExecutionsFailed", "Sum", StateMachineArn=mine.arn) == 1


def test_a_nested_execution_is_counted(machine, statistic):
    """It does not matter who starts an execution."""
    inner = machine(PASS)
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": inner.arn},
        "End": True,
    }
    machine({"StartAt": "A", "States": {"A": start}}).run()
    wait_until(lambda: statistic("ExecutionsSucceeded", "Sum", StateMachineArn=inner.arn) == 1)


def test_a_machine_puts_values_of_its_own(machine, put, statistic):
    """A Task may call CloudWatch, with the right to do it."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:cloudwatch:putMetricData",
        "Parameters": {"Namespace": put.space, "MetricData": [{"MetricName": "m", "Value": 7}]},
        "End": True,
    }
    assert machine({"StartAt": "A", "States": {"A": task}}).run()["status"] == "SUCCEEDED"
    assert statistic("m", "Sum", put.space) == 7


def test_a_query_has_a_value_for_each_period(cloudwatch, put, advance):
    """Values belong to the period in which they are; a period without a value has none. Newest first."""
    now = datetime.datetime.fromtimestamp(advance(), datetime.UTC).replace(second=30, microsecond=0)
    for minutes, value in ((1, 4.0), (3, 2.0), (3, 1.0)):
        put(value, Timestamp=now - datetime.timedelta(minutes=minutes))
    metric = {"Namespace": put.space, "MetricName": "m"}
    told = cloudwatch.get_metric_data(
        MetricDataQueries=[
            {"Id": "s", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}},
            {"Id": "n", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "SampleCount"}},
        ],
        StartTime=now - datetime.timedelta(minutes=10),
        EndTime=now,
    )["MetricDataResults"]
    assert [it["Values"] for it in told] == [[4.0, 3.0], [1.0, 2.0]]
    assert [it["Label"] for it in told] == ["m Sum", "m SampleCount"]
    assert told[0]["Timestamps"][0] == now.replace(second=0) - datetime.timedelta(minutes=1)


def test_a_page_has_a_part_of_the_values(cloudwatch, put, advance):
    """MaxDatapoints counts those of all queries."""
    now = datetime.datetime.fromtimestamp(advance(), datetime.UTC).replace(second=0, microsecond=0)
    for minutes in (1, 2, 3):
        put(float(minutes), Timestamp=now - datetime.timedelta(minutes=minutes))
    metric = {"Namespace": put.space, "MetricName": "m"}
    asked = {
        "MetricDataQueries": [
            {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}} for name in ("a", "b")
        ],
        "StartTime": now - datetime.timedelta(minutes=10),
        "EndTime": now,
        "MaxDatapoints": 4,
    }
    first = cloudwatch.get_metric_data(**asked)
    second = cloudwatch.get_metric_data(**asked, NextToken=first["NextToken"])
    told = [[it["Values"] for it in page["MetricDataResults"]] for page in (first, second)]
    assert told == [[[1.0, 2.0, 3.0], [1.0]], [[], [2.0, 3.0]]]
    assert [it["StatusCode"] for it in first["MetricDataResults"]] == ["Complete", "PartialData"]
    assert "NextToken" not in second


def test_percentiles_of_values_with_counts(cloudwatch, put, statistic):
    """A value may come many times. A percentile is one of the values."""
    data = {"MetricName": "m", "Values": [1.0, 10.0, 100.0], "Counts": [90.0, 9.0, 1.0]}
    cloudwatch.put_metric_data(Namespace=put.space, MetricData=[data])
    assert [statistic("m", name, put.space) for name in ("p50", "p99", "p99.9")] == [1.0, 10.0, 100.0]


def test_values_of_different_units_are_different(cloudwatch, put, advance):
    """Without a unit, GetMetricStatistics tells all of them."""
    put(1.0, Unit="Seconds")
    put(5.0, Unit="Count")
    now = datetime.datetime.fromtimestamp(advance(), datetime.UTC)
    told = cloudwatch.get_metric_statistics(
        Namespace=put.space,
        MetricName="m",
        StartTime=now - datetime.timedelta(minutes=5),
        EndTime=now + datetime.timedelta(minutes=1),
        Period=600,
        Statistics=["Average"],
    )["Datapoints"]
    assert {(it["Unit"], it["Average"]) for it in told} == {("Seconds", 1.0), ("Count", 5.0)}


def test_metrics_are_listed_by_their_dimensions(cloudwatch, put):
    """A dimension may be asked for with or without its value."""
    for color in ("red", "blue"):
        put(1.0, Dimensions=[{"Name": "color", "Value": color}])
    put(1.0)

    def listed(**dimension):
        given = {"Dimensions": [dimension]} if dimension else {}
        metrics = cloudwatch.list_metrics(Namespace=put.space, **given)["Metrics"]
        return sorted(it["Value"] for metric in metrics for it in metric["Dimensions"] or [{"Value": "-"}])

    assert listed() == ["-", "blue", "red"]
    assert listed(Name="color") == ["blue", "red"]
    assert listed(Name="color", Value="red") == ["red"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"Value": 1.0, "Values": [1.0]},
            "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive "
            "and you have specified both.",
        ),
        (
            {"Values": [1.0], "Counts": [1.0, 2.0]},
            "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same "
            "size.",
        ),
    ],
)
def test_a_value_that_aws_refuses(cloudwatch, wrong, message):
    """AWS's sentences, and the names that clients know."""
    with pytest.raises(ClientError) as caught:
        cloudwatch.put_metric_data(Namespace="n", MetricData=[{"MetricName": "m"} | wrong])
    error = caught.value.response["Error"]
    assert error["Message"] == message
    assert error["Code"].startswith("InvalidParameter")
    assert not error["Code"].endswith("Exception")


def test_too_many_datapoints(cloudwatch, advance):
    """GetMetricStatistics tells at most 1,440."""
    now = datetime.datetime.fromtimestamp(advance(), datetime.UTC)
    with pytest.raises(ClientError, match="You have requested up to 86400 datapoints, which exceeds"):
        cloudwatch.get_metric_statistics(
            Namespace="n",
            MetricName="m",
            StartTime=now,
            EndTime=now + datetime.timedelta(days=1),
            Period=1,
            Statistics=["Sum"],
        )


def test_a_large_request_is_compressed(cloudwatch, put, statistic):
    """boto3 compresses more than 10 KB."""
    put(*[1.0] * 500, Dimensions=[{"Name": "n", "Value": "v"}])
    assert statistic("m", "Sum", put.space, n="v") == 500


def test_a_user_may_put_only_into_an_allowed_namespace(user, put):
    """The namespace is a condition key, as on AWS."""
    condition = {"StringEquals": {"cloudwatch:namespace": put.space}}
    ann = user({"Action": "cloudwatch:PutMetricData", "Resource": "*", "Condition": condition})
    data = [{"MetricName": "m", "Value": 1.0}]
    ann("cloudwatch").put_metric_data(Namespace=put.space, MetricData=data)
    with pytest.raises(ClientError) as caught:
        ann("cloudwatch").put_metric_data(Namespace="other", MetricData=data)
    assert caught.value.response["Error"]["Code"].startswith("AccessDenied")
    with pytest.raises(ClientError, match="cloudwatch:ListMetrics"):
        ann("cloudwatch").list_metrics()
