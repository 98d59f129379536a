"""Decide the states of alarms as CloudWatch does, and say in its words why.

An alarm looks at the newest periods, and at two more because values may be missing. AWS looks once a minute,
and later than this. Here an alarm also looks at the minute that is still running, as soon as it has a value
that decides.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

import datetime
import json
import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from sfn_emulator.http.messages import Arn, RefusalError
from sfn_emulator.watching.metrics import Metric, Metrics, Sample, check_statistic

OK: Final = "OK"
ALARM: Final = "ALARM"
INSUFFICIENT: Final = "INSUFFICIENT_DATA"
_MORE_PERIODS: Final = 2
_LONG_PERIOD: Final = 3600  # in seconds; from here on, an alarm can look at a week
_LONGEST_RANGE: Final = 86_400
_COMPARISONS: Final[Mapping[str, tuple[Callable[[float, float], bool], str]]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
#: What a PutMetricAlarm may set, in the order in which DescribeAlarms tells it.
SETTINGS: Final = (
    "AlarmDescription", "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit",
    "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
)  # fmt: skip
ACTIONS: Final = {OK: "OKActions", ALARM: "AlarmActions", INSUFFICIENT: "InsufficientDataActions"}
_TREATMENTS: Final = ("breaching", "notBreaching", "ignore", "missing")
_TREATED: Final = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


def check_settings(given: Mapping[str, Any], region: str) -> None:
    """Refuse the settings of a PutMetricAlarm that fit AWS's model but no alarm.

    Raises:
        RefusalError: With AWS's code.
    """
    if "Metrics" in given or "ThresholdMetricId" in given:
        reason = "The emulator has no alarms on expressions. Give MetricName instead of Metrics."
        raise RefusalError("ValidationError", reason)
    statistic = "ExtendedStatistic" if "ExtendedStatistic" in given else "Statistic"
    for name in ("MetricName", "Namespace", "Period", "Threshold", statistic):
        if name not in given:
            raise RefusalError("ValidationError", f"The parameter {name} is required.")
    check_statistic(given[statistic], statistic)
    if not abs(given["Threshold"]) <= sys.float_info.max:  # of NaN, the comparison is false
        reason = f"The value {given['Threshold']} for parameter Threshold is not supported."
        raise RefusalError("InvalidParameterValue", reason)
    period, is_long = given["Period"], given["Period"] >= _LONG_PERIOD
    most = _LONGEST_RANGE * (7 if is_long else 1)
    if given["EvaluationPeriods"] * period > most:
        reason = f"Metrics cannot be checked across more than a {'week' if is_long else 'day'}"
        rule = f"(EvaluationPeriods * Period must be <= {most})"
        using = f"for alarms using period {'>=' if is_long else '<'} {_LONG_PERIOD}"
        raise RefusalError("ValidationError", f"{reason} {rule} {using}")
    if (comparison := given["ComparisonOperator"]) not in _COMPARISONS:
        reason = f"The value {comparison} for parameter ComparisonOperator is not supported."
        raise RefusalError("InvalidParameterValue", reason)
    if (treated := given.get("TreatMissingData", "missing")) not in _TREATMENTS:
        options = f"Supported options for parameter TreatMissingData are {', '.join(_TREATMENTS)}."
        raise RefusalError("ValidationError", f"Option {treated} is not supported. {options}")
    for action in (arn for name in ACTIONS.values() for arn in given.get(name) or []):
        if Arn.of(action).region not in {"", region}:
            reason = f"Invalid region {Arn.of(action).region} specified. Only {region} is supported."
            raise RefusalError("ValidationError", reason)


@dataclass(frozen=True)
class Verdict:
    """The state that an alarm's metric asks for.

    Args:
        state: The state; empty if the alarm keeps its state.
        reason: Why, as AWS says it.
        data: The same as JSON.
    """

    state: str
    reason: str = ""
    data: str = ""


@dataclass
class Alarm:
    """A metric alarm.

    Args:
        arn: Its ARN.
        settings: What PutMetricAlarm was given.
        configured: When, in seconds since 1970.
        due: It is not evaluated before this time.
    """

    arn: str
    settings: dict[str, Any]
    configured: float
    due: float
    state: str = INSUFFICIENT
    reason: str = "Unchecked: Initial alarm creation"
    reason_data: str = ""
    updated: float = 0
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name."""
        return Arn.of(self.arn).resource.partition(":")[2]

    @property
    def statistic(self) -> str:
        """The statistic that it compares."""
        return str(self.settings.get("Statistic") or self.settings["ExtendedStatistic"])

    def told(self) -> dict[str, Any]:
        """The alarm as DescribeAlarms has it."""
        given = self.settings
        told = {name: given[name] for name in SETTINGS if given.get(name) is not None}
        return told | {
            "Threshold": float(given["Threshold"]),
            "AlarmName": self.name,
            "AlarmArn": self.arn,
            "AlarmConfigurationUpdatedTimestamp": self.configured,
            "ActionsEnabled": given.get("ActionsEnabled", True),
            "Dimensions": given.get("Dimensions") or [],
            **{name: given.get(name) or [] for name in ACTIONS.values()},
            "StateValue": self.state,
            "StateReason": self.reason,
            **({"StateReasonData": self.reason_data} if self.reason_data else {}),
            "StateUpdatedTimestamp": self.updated,
            "StateTransitionedTimestamp": self.updated,
        }

    def step(self) -> int:
        """How often AWS evaluates the alarm, in seconds."""
        return min(int(self.settings["Period"]), 60)

    def verdict(self, metrics: Metrics, now: float) -> Verdict:
        """The state that the metric asks for now."""
        given, step = self.settings, self.step()
        period, count = int(given["Period"]), int(given["EvaluationPeriods"])
        metric, unit = Metric.of(Arn.of(self.arn).region, given), given.get("Unit")
        breaches, sign = _COMPARISONS[given["ComparisonOperator"]]
        ends = [int(now) // step * step + step, int(now) // step * step]
        running = next(iter(metrics.periods(metric, ends[0] - period, ends[0], period, unit).values()), {})
        has_value = any(metrics.periods(metric, ends[1], ends[0], step, unit).values())
        # A sum can be too large at once. That it is small is only known when its period has ended.
        is_open = self.statistic in {"Sum", "SampleCount"} and not (
            sign.startswith("greater")
            and any(
                breaches(each.statistic(self.statistic) or 0, given["Threshold"]) for each in running.values()
            )
        )
        if is_open or not has_value:
            del ends[0]
        range_ = count + _MORE_PERIODS
        begin = ends[0] - range_ * period
        samples = next(iter(metrics.periods(metric, begin, ends[0], period, unit).values()), {})
        times = [begin + number * period for number in range(range_)]
        return decided(given, self.statistic, [(time, samples.get(time)) for time in times], now)


def decided(
    given: Mapping[str, Any], statistic: str, periods: Sequence[tuple[int, Sample | None]], now: float
) -> Verdict:
    """The state that the values of some periods ask for.

    If there are fewer values than periods to evaluate, missing ones are treated as the alarm says.

    Args:
        given: The settings of the alarm.
        statistic: The statistic that it compares.
        periods: The beginning of each period, oldest first, and its values; None if it has none.
        now: The time, in seconds since 1970.
    """
    count = int(given["EvaluationPeriods"])
    most = int(given.get("DatapointsToAlarm") or count)
    breaches, treated = _COMPARISONS[given["ComparisonOperator"]][0], given.get("TreatMissingData")
    values = [(time, sample.statistic(statistic), sample) for time, sample in periods if sample]
    points = [(time, value, sample) for time, value, sample in values if value is not None][-count:]
    missing = count - len(points)
    bad = [breaches(value, given["Threshold"]) for _, value, _ in points]
    filled = missing if treated == "breaching" else 0
    if sum(bad) + filled >= most:
        state = ALARM
    elif missing == 0 or treated in {"breaching", "notBreaching"} or not all(bad):
        state = OK
    elif treated == "ignore":
        return Verdict("")
    else:
        # All values are bad, but they are few. They count if the oldest of them is old enough.
        age = next((len(periods) - n for n, (_, sample) in enumerate(periods) if sample), 0)
        state = ALARM if age >= most else INSUFFICIENT
    reason = _reason(given, state, points, bad, missing)
    shown = [time for time, _ in periods][-count:]
    data = {
        "version": "1.0",
        "queryDate": stamp(now),
        **({"startDate": stamp(points[0][0])} if points else {}),
        **({"unit": given["Unit"]} if given.get("Unit") else {}),
        "statistic": statistic,
        "period": int(given["Period"]),
        "recentDatapoints": [value for _, value, _ in points],
        "threshold": float(given["Threshold"]),
        "evaluatedDatapoints": [
            {"timestamp": stamp(time), "sampleCount": sample.count, "value": value}
            for time, value, sample in reversed(points)
        ]
        or [{"timestamp": stamp(time)} for time in reversed(shown)],
    }
    return Verdict(state, reason, json.dumps(data, separators=(",", ":")))


def _reason(
    given: Mapping[str, Any],
    state: str,
    points: Sequence[tuple[int, float | None, Sample]],
    bad: Sequence[bool],
    missing: int,
) -> str:
    count, most = int(given["EvaluationPeriods"]), given.get("DatapointsToAlarm")
    if state == INSUFFICIENT:
        return f"Insufficient Data: {_points(count)} {_were(count)} unknown."
    treated = _TREATED.get(given.get("TreatMissingData") or "")
    filled = f"{_points(missing, 'missing ')} {_were(missing)} treated as [{treated}]" if treated else ""
    if not points:
        periods = f"{count} period{'s' * (count != 1)}"
        return f"Threshold Crossed: no datapoints were received for {periods} and {filled}."
    decisive = [point for point, is_bad in zip(points, bad, strict=True) if is_bad is (state == ALARM)]
    if not decisive:
        return f"Threshold Crossed: {filled}."
    shown = ", ".join(
        f"{float(value or 0)} ({datetime.datetime.fromtimestamp(time, datetime.UTC):%d/%m/%y %H:%M:%S})"
        for time, value, _ in reversed(decisive)
    )
    number = len(decisive)
    which = f"{number} out of the last {count} datapoints" if most else _points(number)
    compared = _COMPARISONS[given["ComparisonOperator"]][1]
    text = f"Threshold Crossed: {which} [{shown}] {_were(number)}{'' if state == ALARM else ' not'} "
    text += f"{compared} the threshold ({float(given['Threshold'])})"
    if missing and filled:
        text += f" and {filled}"
    if most:
        least = int(most) if state == ALARM else count - int(most) + 1
        turn = "OK -> ALARM" if state == ALARM else "ALARM -> OK"
        text += f" (minimum {_points(least)} for {turn} transition)"
    return f"{text}."


def _points(number: int, kind: str = "") -> str:
    return f"{number} {kind}datapoint{'s' * (number != 1)}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def stamp(at: float) -> str:
    """A time as CloudWatch writes it in JSON, such as ``"2026-01-01T00:00:00.000+0000"``."""
    time = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def notification(alarm: Alarm, old_state: str, region: str) -> dict[str, Any]:
    """The message that an alarm sends to a topic after a change of its state.

    Args:
        alarm: The alarm, in its new state.
        old_state: Its old state.
        region: The region's name, such as ``"US East (N. Virginia)"``.
    """
    given, is_simple = alarm.settings, bool(alarm.settings.get("Statistic"))
    few = {"DatapointsToAlarm": given["DatapointsToAlarm"]} if given.get("DatapointsToAlarm") else {}
    trigger = {
        "MetricName": given["MetricName"],
        "Namespace": given["Namespace"],
        "StatisticType": "Statistic" if is_simple else "ExtendedStatistic",
        "Statistic": alarm.statistic.upper() if is_simple else alarm.statistic,
        "Unit": given.get("Unit"),
        "Dimensions": [{"value": it["Value"], "name": it["Name"]} for it in given.get("Dimensions") or []],
        "Period": given["Period"],
        "EvaluationPeriods": given["EvaluationPeriods"],
        **few,
        "ComparisonOperator": given["ComparisonOperator"],
        "Threshold": float(given["Threshold"]),
        "TreatMissingData": given.get("TreatMissingData") or "",
        "EvaluateLowSampleCountPercentile": given.get("EvaluateLowSampleCountPercentile") or "",
    }
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": given.get("AlarmDescription"),
        "AWSAccountId": Arn.of(alarm.arn).account,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.configured),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": stamp(alarm.updated),
        "Region": region,
        "AlarmArn": alarm.arn,
        "OldStateValue": old_state,
        **{name: given.get(name) or [] for name in ACTIONS.values()},
        "Trigger": trigger,
        "ActionExecutedAfterMuteWindow": False,
    }


def subject(alarm: Alarm, region: str) -> str:
    """The subject of the mail. SNS allows 100 characters, so a long name is cut."""
    room = 100 - len(f'{alarm.state}: "" in {region}')
    name = "".join(letter if " " <= letter <= "~" else "_" for letter in alarm.name)
    return f'{alarm.state}: "{name if len(name) <= room else f"{name[: room - 3]}..."}" in {region}'


def mail(alarm: Alarm, old_state: str, region: str) -> str:
    """What subscribers by e-mail get. CloudWatch sends them no JSON."""
    given, code = alarm.settings, Arn.of(alarm.arn).region
    at = datetime.datetime.fromtimestamp(alarm.updated, datetime.UTC)
    time = f"{at:%A} {at.day} {at:%B, %Y %H:%M:%S} UTC"
    count = given["EvaluationPeriods"]
    least = given.get("DatapointsToAlarm") or count
    limit = f"{given['ComparisonOperator']} {float(given['Threshold'])}"
    dimensions = ", ".join(f"[{it['Name']} = {it['Value']}]" for it in given.get("Dimensions") or [])

    def listed(actions: Sequence[str]) -> str:
        return f"[{', '.join(actions)}]" if actions else ""

    details = {
        "Name": alarm.name,
        "Description": given.get("AlarmDescription") or "",
        "State Change": f"{old_state} -> {alarm.state}",
        "Reason for State Change": alarm.reason,
        "Timestamp": time,
        "AWS Account": Arn.of(alarm.arn).account,
        "Alarm Arn": alarm.arn,
    }
    metric = {
        "MetricNamespace": given["Namespace"],
        "MetricName": given["MetricName"],
        "Dimensions": dimensions,
        "Period": f"{given['Period']} seconds",
        "Statistic": alarm.statistic,
        "Unit": given.get("Unit") or "not specified",
        "TreatMissingData": given.get("TreatMissingData") or "missing",
    }
    return "\n".join([
        f'You are receiving this email because your Amazon CloudWatch Alarm "{alarm.name}" in the {region} '
        f'region has entered the {alarm.state} state, because "{alarm.reason}" at "{time}".',
        "",
        "View this alarm in the AWS Management Console:",
        f"https://{code}.console.aws.amazon.com/cloudwatch/deeplink.js?region={code}#alarmsV2:alarm/"
        f"{quote(alarm.name, safe='')}",
        "",
        "Alarm Details:",
        *(f"- {f'{name}:':<27} {value}" for name, value in details.items()),
        "",
        "Threshold:",
        f"- The alarm is in the ALARM state when the metric is {limit} for at least {least} of the last "
        f"{count} period(s) of {given['Period']} seconds.",
        "",
        "Monitored Metric:",
        *(f"- {f'{name}:':<36} {value}" for name, value in metric.items()),
        "",
        "State Change Actions:",
        *(f"- {state}: {listed(given.get(name) or [])}" for state, name in ACTIONS.items()),
    ])  # fmt: skip
