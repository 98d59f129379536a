"""Keep metrics and calculate their statistics as CloudWatch does: those of executions, and anybody's own.

moto counts nothing for Step Functions, has no percentiles, and begins a period at the first value.

See https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
"""

import math
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sfn_emulator.http.messages import Arn, RefusalError
from sfn_emulator.watching.changes import StatusChange

Dimensions = tuple[tuple[str, str], ...]
"""The names and values of a metric's dimensions, sorted."""

_MOST_SAMPLES: Final = 100_000  # then the oldest is forgotten
_MOST_TALLIES: Final = 1_000
_MOST_VALUES: Final = 1_000  # of a sample that are kept as they are; percentiles use two digits of others
_MOST_DATAPOINTS: Final = 1_440  # of GetMetricStatistics
_LARGEST: Final = 2.0**360  # AWS allows no larger value
#: The metrics of executions, by the status that each of them counts.
_COUNTS: Final = {
    "ExecutionsStarted": "RUNNING",
    "ExecutionsSucceeded": "SUCCEEDED",
    "ExecutionsFailed": "FAILED",
    "ExecutionsAborted": "ABORTED",
    "ExecutionsTimedOut": "TIMED_OUT",
}
_REDRIVEN: Final = {
    "ExecutionsRedriven" if status == "RUNNING" else f"Redriven{name}": status
    for name, status in _COUNTS.items()
}
_NAMES: Final = ("Version", "Alias")
_SIMPLE: Final = ("Sum", "Average", "Minimum", "Maximum", "SampleCount")


class Metric(NamedTuple):
    """What identifies a metric in its region."""

    region: str
    namespace: str
    name: str
    dimensions: Dimensions

    @classmethod
    def of(cls, region: str, given: Mapping[str, Any]) -> "Metric":
        """The metric that the parameters ``Namespace``, ``MetricName`` and ``Dimensions`` name."""
        pairs = sorted((it["Name"], it.get("Value") or "") for it in given.get("Dimensions") or [])
        return cls(region, given.get("Namespace", ""), given.get("MetricName", ""), tuple(pairs))

    @property
    def told(self) -> dict[str, Any]:
        """The metric as ListMetrics has it."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions]
        return {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}


@dataclass
class Sample:
    """All values of a time, or of a whole period.

    Args:
        values: How often each value came. Of a statistic set, only what is known of it.
        whole: Whether all values are known, so that there are percentiles.
    """

    count: float = 0
    total: float = 0
    least: float = math.inf
    most: float = -math.inf
    values: dict[float, float] = field(default_factory=dict)
    whole: bool = True

    @classmethod
    def of(cls, value: float, count: float = 1) -> "Sample":
        """One value that came this often."""
        return cls(count, value * count, value, value, {value: count})

    @classmethod
    def of_set(cls, given: Mapping[str, float]) -> "Sample":
        """A statistic set. Its values are known only if all of them are the same."""
        least, most, count = (float(given[name]) for name in ("Minimum", "Maximum", "SampleCount"))
        known = {least: count} if least == most or count == 1 else {}
        return cls(count, float(given["Sum"]), least, most, known, bool(known))

    def merge(self, other: "Sample") -> None:
        """Add all values of another time."""
        for value, count in other.values.items():
            if len(self.values) >= _MOST_VALUES and value not in self.values:
                value = float(f"{value:.2g}")  # noqa: PLW2901
            self.values[value] = self.values.get(value, 0) + count
        self.count += other.count
        self.total += other.total
        self.least, self.most = min(self.least, other.least), max(self.most, other.most)
        self.whole = self.whole and other.whole

    def statistic(self, name: str) -> float | None:
        """A statistic, such as ``"Sum"`` or ``"p99"``; None if too little is known for a percentile.

        AWS estimates a percentile in a way that nobody recorded. This is the smallest value that at least
        this part of the values does not exceed.
        """
        simple = {
            "Sum": self.total,
            "SampleCount": self.count,
            "Minimum": self.least,
            "Maximum": self.most,
            "Average": self.total / self.count,
        }
        if name in simple:
            return simple[name]
        if not self.whole:
            return None
        wanted, seen = float(name[1:]) / 100 * self.count, 0.0
        for value in sorted(self.values):
            seen += self.values[value]
            if seen >= wanted:
                return value
        return self.most


def check_statistic(name: str, parameter: str) -> None:
    """Refuse a statistic that is not calculated.

    Raises:
        RefusalError: With AWS's code.
    """
    percentile = name[1:].replace(".", "", 1)
    if name in _SIMPLE or (name[:1] == "p" and percentile.isdecimal() and float(name[1:]) <= 100):
        return
    reason = f"The value {name} for parameter {parameter} is not supported."
    raise RefusalError("InvalidParameterValue", reason)


_Tally = tuple[str, str, str, str, bool, int]
"""What is the same for many changes of executions, which are counted together: the ARN of the machine, the
version, the alias, the status, whether it was redriven, and the minute."""


class Metrics:
    """All metrics of one emulator. A value's time is kept in seconds, that of an execution in minutes.

    An execution only adds one to a tally. Metrics are made of the tallies when somebody reads.
    """

    def __init__(self) -> None:
        self._tallies: dict[_Tally, Sample] = {}
        self._samples: dict[Metric, dict[tuple[int, str], Sample]] = {}
        self._order: deque[tuple[Metric, tuple[int, str]]] = deque()
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._tallies.clear()
            self._samples.clear()
            self._order.clear()

    def add(self, metric: Metric, unit: str, at: float, sample: Sample) -> None:
        """Add values of a time, in seconds since 1970."""
        with self._lock:
            self._sample(metric, int(at), unit).merge(sample)

    def count(self, change: StatusChange) -> None:
        """Count an execution that has begun or ended."""
        version, alias = (change.names.get(f"stateMachine{it}Arn", "").rpartition(":")[2] for it in _NAMES)
        minute = int(change.at) // 60 * 60
        tally = (change.machine_arn, version, alias, change.status, change.redriven, minute)
        milliseconds = float(max(round((change.at - change.started) * 1000), 0))
        with self._lock:
            if (sample := self._tallies.get(tally)) is None:
                if len(self._tallies) >= _MOST_TALLIES:
                    self._settle()
                sample = self._tallies[tally] = Sample()
            sample.merge(Sample.of(milliseconds))

    def _settle(self) -> None:
        """Make metrics of the tallies.

        AWS's page says that ExecutionsStarted has a 1 at the beginning and a 0 at the end. Others measured
        that each of the other counts has a 0 at the beginning, and a 0 or a 1 at the end.
        """
        for (arn, *names, status, redriven, minute), times in self._tallies.items():
            region, machine = Arn.of(arn).region, ("StateMachineArn", arn)
            more = [((kind, name), machine) for kind, name in zip(_NAMES, names, strict=True) if name]
            counts = _COUNTS | _REDRIVEN if redriven else _COUNTS
            if redriven and status == "RUNNING":
                counts = _REDRIVEN  # it was started before
            for dimensions in [(), (machine,), *(tuple(sorted(pair)) for pair in more)]:
                for name, counted in counts.items():
                    metric = Metric(region, "AWS/States", name, dimensions)
                    value = Sample.of(float(status == counted), times.count)
                    self._sample(metric, minute, "Count").merge(value)
                if status != "RUNNING":
                    metric = Metric(region, "AWS/States", "ExecutionTime", dimensions)
                    self._sample(metric, minute, "Milliseconds").merge(times)
        self._tallies.clear()

    def _sample(self, metric: Metric, second: int, unit: str) -> Sample:
        series, key = self._samples.setdefault(metric, {}), (second, unit)
        if (sample := series.get(key)) is not None:
            return sample
        sample = series[key] = Sample()
        self._order.append((metric, key))
        if len(self._order) > _MOST_SAMPLES:
            old, its_key = self._order.popleft()
            self._samples[old].pop(its_key)
            if not self._samples[old]:
                del self._samples[old]
        return sample

    def periods(
        self, metric: Metric, begin: float, end: float, period: int, unit: str | None = None
    ) -> dict[str, dict[int, Sample]]:
        """The values of a metric in each period that has some, by unit and by the period's beginning.

        Args:
            metric: The metric.
            begin: The beginning of the first period.
            end: Values at this time or later do not count.
            period: The length of a period, in seconds.
            unit: None for all units.
        """
        with self._lock:
            self._settle()
            found = [
                (key, sample)
                for key, sample in self._samples.get(metric, {}).items()
                if begin <= key[0] < end and unit in {None, key[1]}
            ]
            told: dict[str, dict[int, Sample]] = {}
            for (second, its_unit), sample in sorted(found, key=lambda pair: pair[0]):
                start = int(begin + (second - begin) // period * period)
                told.setdefault(its_unit, {}).setdefault(start, Sample()).merge(sample)
        return dict(sorted(told.items()))

    def listed(self, region: str, given: Mapping[str, Any]) -> list[Metric]:
        """The metrics that ListMetrics asks for."""
        wanted = [(it["Name"], it.get("Value")) for it in given.get("Dimensions") or []]

        def fits(metric: Metric) -> bool:
            dimensions = dict(metric.dimensions)
            return (
                metric.region == region
                and given.get("Namespace") in {None, metric.namespace}
                and given.get("MetricName") in {None, metric.name}
                and all(name in dimensions and value in {None, dimensions[name]} for name, value in wanted)
            )

        with self._lock:
            self._settle()
            return sorted(metric for metric in self._samples if fits(metric))

    def put(self, region: str, given: Mapping[str, Any], now: float) -> None:
        """Add the values of a PutMetricData.

        Raises:
            RefusalError: In AWS's words.
        """
        namespace = str(given.get("Namespace", ""))
        if namespace.startswith("AWS/"):
            reason = f"The value {namespace} for parameter Namespace is invalid."
            raise RefusalError("InvalidParameterValue", reason)
        data = given.get("MetricData") or []
        for number, datum in enumerate(data, 1):
            _check_datum(f"MetricData.member.{number}", datum)
        for datum in data:
            metric = Metric.of(region, {**datum, "Namespace": namespace})
            unit, at = datum.get("Unit") or "None", datum.get("Timestamp") or now
            if known := datum.get("StatisticValues"):
                self.add(metric, unit, at, Sample.of_set(known))
            values = datum.get("Values") or ([datum["Value"]] if "Value" in datum else [])
            for value, count in zip(values, datum.get("Counts") or [1.0] * len(values), strict=True):
                self.add(metric, unit, at, Sample.of(float(value), float(count)))

    def statistics(self, region: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Answer GetMetricStatistics.

        Raises:
            RefusalError: In AWS's words.
        """
        period, simple = int(given["Period"]), given.get("Statistics") or []
        extended = given.get("ExtendedStatistics") or []
        if not simple and not extended:
            reason = "Must specify either Statistics or ExtendedStatistics"
            raise RefusalError("InvalidParameterCombination", reason)
        for names, parameter in ((simple, "Statistics"), (extended, "ExtendedStatistics")):
            for name in names:
                check_statistic(name, parameter)
        begin, end = _begin(given["StartTime"], period), given["EndTime"]
        if given["StartTime"] >= end:
            reason = "The parameter StartTime must be less than the parameter EndTime."
            raise RefusalError("InvalidParameterValue", reason)
        if (asked := math.ceil((end - given["StartTime"]) / period)) > _MOST_DATAPOINTS:
            reason = f"You have requested up to {asked} datapoints, which exceeds the limit of 1440. You may"
            more = "reduce the datapoints requested by increasing Period, or decreasing the time range."
            raise RefusalError("InvalidParameterCombination", f"{reason} {more}")
        datapoints = []
        found = self.periods(Metric.of(region, given), begin, end, period, given.get("Unit"))
        for unit, samples in found.items():
            for start, sample in samples.items():
                point: dict[str, Any] = {"Timestamp": start, "Unit": unit}
                point |= {name: sample.statistic(name) for name in simple}
                if extended and sample.whole:
                    point["ExtendedStatistics"] = {name: sample.statistic(name) for name in extended}
                datapoints.append(point)
        return {"Label": given["MetricName"], "Datapoints": datapoints}

    def data(self, region: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The results of GetMetricData, each with all of its values.

        Raises:
            RefusalError: In AWS's words.
        """
        if given["StartTime"] >= given["EndTime"]:
            reason = "EndTime must be greater than StartTime"
            if given["StartTime"] == given["EndTime"]:
                reason = "StartTime must not equal parameter EndTime"
            raise RefusalError("ValidationError", f"The parameter {reason}.")
        results = [(query, self._result(region, query, given)) for query in given["MetricDataQueries"]]
        return [result for query, result in results if query.get("ReturnData") is not False]

    def _result(self, region: str, query: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """The result of one query."""
        if (asked := query.get("MetricStat")) is None:
            reason = f"The emulator does not calculate expressions. The query '{query['Id']}' has one."
            raise RefusalError("ValidationError", reason)
        period, statistic = int(asked["Period"]), asked["Stat"]
        check_statistic(statistic, "Stat")
        if "MetricName" not in asked["Metric"]:
            raise RefusalError("ValidationError", "The parameter MetricName is required.")
        metric, begin = Metric.of(region, asked["Metric"]), _begin(given["StartTime"], period)
        found = self.periods(metric, begin, given["EndTime"], period, asked.get("Unit"))
        samples = next(iter(found.values()), {})
        told = {start: sample.statistic(statistic) for start, sample in samples.items()}
        points = {start: value for start, value in told.items() if value is not None}
        times = sorted(points, reverse=given.get("ScanBy") != "TimestampAscending")
        result = {
            "Id": query["Id"],
            "Label": query.get("Label") or _label(query, given["MetricDataQueries"]),
            "Timestamps": times,
            "Values": [points[time] for time in times],
            "StatusCode": "Complete",
        }
        if len(found) > 1:
            reason = f"Multiple units returned: '[{', '.join(found)}]'"
            result["Messages"] = [{"Code": "MultipleUnits", "Value": reason}]
        return result


def _begin(start: float, period: int) -> int:
    """AWS rounds a start down to a minute, or to a multiple of a shorter period."""
    step = min(period, 60)
    return int(start // step * step)


def _label(query: Mapping[str, Any], queries: Iterable[Mapping[str, Any]]) -> str:
    """The name of a metric, with what distinguishes it from those of other queries."""
    own, asked = query["MetricStat"], [it["MetricStat"] for it in queries if "MetricStat" in it]
    distinct = [str(own[name]) for name in ("Stat", "Period") if len({it[name] for it in asked}) > 1]
    return " ".join([own["Metric"]["MetricName"], *distinct])


def _check_datum(where: str, datum: Mapping[str, Any]) -> None:
    for other in ("Values", "StatisticValues"):
        if "Value" in datum and other in datum:
            both = f"{where}.Value and {where}.{other}"
            reason = f"The parameters {both} are mutually exclusive and you have specified both."
            raise RefusalError("InvalidParameterCombination", reason)
    values, counts = datum.get("Values") or [], datum.get("Counts") or []
    if counts and len(counts) != len(values):
        reason = f"The parameters {where}.Values and {where}.Counts must be of the same size."
        raise RefusalError("InvalidParameterValue", reason)
    given = {"Value": [datum.get("Value", 0)], "Values": values, "Counts": counts}
    given |= {f"StatisticValues.{name}": [it] for name, it in (datum.get("StatisticValues") or {}).items()}
    for name, numbers in given.items():
        least = 0 if name.endswith(("Counts", "SampleCount")) else -math.inf
        # Of NaN, the comparison is false, too.
        if not all(isinstance(it, int | float) and least < it and abs(it) <= _LARGEST for it in numbers):
            raise RefusalError("InvalidParameterValue", f"The value for parameter {where}.{name} is invalid.")
