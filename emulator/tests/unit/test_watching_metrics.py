"""Executions are counted cheaply, and what is kept has a limit."""

import math

import pytest

from sfn_emulator.watching import metrics
from sfn_emulator.watching.changes import StatusChange
from sfn_emulator.watching.metrics import Metric, Metrics, Sample

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:M"


def change(status, at, redriven=False):
    return StatusChange(f"{ARN}:e", ARN, {}, False, status, at, 100.0, dict, redriven)


def sums(counted):
    """The sum of each metric of the machine."""
    dimensions = (("StateMachineArn", ARN),)
    listed = [it for it in counted.listed("us-east-1", {}) if it.dimensions == dimensions]
    found = {}
    for metric in listed:
        for samples in counted.periods(metric, 0, 1000, 1000).values():
            found[metric.name] = sum(sample.total for sample in samples.values())
    return found


@pytest.fixture
def counted():
    return Metrics()


def test_a_redrive_has_counts_of_its_own(counted):
    """It is not another start, but its end counts in both ways. ExecutionTime begins with the execution."""
    for status, at, redriven in (("RUNNING", 100, False), ("FAILED", 101, False)):
        counted.count(change(status, at, redriven))
    counted.count(change("RUNNING", 200, redriven=True))
    counted.count(change("SUCCEEDED", 201, redriven=True))
    told = {name: value for name, value in sums(counted).items() if value}
    assert told == {
        "ExecutionsStarted": 1,
        "ExecutionsFailed": 1,
        "ExecutionsSucceeded": 1,
        "ExecutionsRedriven": 1,
        "RedrivenExecutionsSucceeded": 1,
        "ExecutionTime": 1000 + 101_000,
    }


def test_many_executions_take_little_room(counted):
    """Those of a minute share their samples, and a sample has a limited number of different values."""
    for number in range(5000):
        counted.count(change("SUCCEEDED", 100 + number / 1000))
    assert len(counted._tallies) == 1
    metric = Metric("us-east-1", "AWS/States", "ExecutionTime", ())
    (samples,) = counted.periods(metric, 0, 1000, 1000).values()
    (sample,) = samples.values()
    assert (sample.count, sample.most) == (5000, 4999)
    assert len(sample.values) < 1100
    assert sample.statistic("p90") == pytest.approx(4500, rel=0.05)


def test_the_oldest_samples_are_forgotten(counted, monkeypatch):
    """And then their metrics are not listed."""
    monkeypatch.setattr(metrics, "_MOST_SAMPLES", 3)
    for number in range(5):
        counted.add(Metric("us-east-1", "n", f"m{number}", ()), "None", number, Sample.of(1.0))
    assert [it.name for it in counted.listed("us-east-1", {})] == ["m2", "m3", "m4"]


@pytest.mark.parametrize("statistic", ["p101", "p", "tm90", "sum"])
def test_a_statistic_that_is_not_known(counted, statistic):
    """A trimmed mean is one of AWS's that are not here."""
    with pytest.raises(metrics.RefusalError, match=f"The value {statistic} for parameter Stat is not"):
        metrics.check_statistic(statistic, "Stat")


def test_a_statistic_set_has_no_percentiles_unless_all_values_are_known(counted):
    """AWS says: if there is one value, or if all are the same."""
    metric = Metric("us-east-1", "n", "m", ())
    same = {"SampleCount": 2, "Sum": 4, "Minimum": 2, "Maximum": 2}
    counted.add(metric, "None", 0, Sample.of_set(same))
    (samples,) = counted.periods(metric, 0, 60, 60).values()
    assert samples[0].statistic("p50") == 2
    counted.add(metric, "None", 0, Sample.of_set(same | {"Minimum": 1, "Maximum": 3}))
    (samples,) = counted.periods(metric, 0, 60, 60).values()
    assert (samples[0].statistic("p50"), samples[0].statistic("Average")) == (None, 2)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"Values": [1], "Counts": [0]}, "Counts"),
        ({"StatisticValues": {"SampleCount": 0, "Sum": 0, "Minimum": 0, "Maximum": 0}}, "SampleCount"),
        ({"StatisticValues": {"SampleCount": 1, "Sum": math.inf, "Minimum": 0, "Maximum": 0}}, "Sum"),
        ({"Value": math.nan}, "Value"),
        ({"Value": 10**400}, "Value"),
    ],
)
def test_numbers_without_a_statistic_are_refused(counted, given, named):
    """No average is made of nothing, or of more than a number can be."""
    data = {"Namespace": "n", "MetricData": [{"MetricName": "m", **given}]}
    with pytest.raises(metrics.RefusalError, match=rf"{named} is invalid\."):
        counted.put("us-east-1", data, 0)
    assert counted.listed("us-east-1", {}) == []
