"""The state of an alarm follows from the values of some periods, as AWS's tables say."""

import json

import pytest

from sfn_emulator.http.messages import RefusalError
from sfn_emulator.watching.alarms import Alarm, check_settings, decided, mail, notification, subject
from sfn_emulator.watching.cloudwatch import CloudWatchApi
from sfn_emulator.watching.metrics import Metric, Metrics, Sample

SETTINGS = {
    "MetricName": "m",
    "Namespace": "n",
    "Period": 60,
    "Statistic": "Sum",
    "EvaluationPeriods": 3,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
}
ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:failures"


def periods(signs):
    """Periods of a minute: X is a value that breaches, 0 is one that does not, and - is none."""
    values = {"X": 4.0, "0": 0.0}
    return [(60 * n, Sample.of(values[sign]) if sign in values else None) for n, sign in enumerate(signs)]


def state(signs, **settings):
    return decided(SETTINGS | settings, "Sum", periods(signs), 0).state


TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def test_a_failure_at_the_end_of_a_minute_is_seen():
    """A good value of the next minute does not hide it: that minute's sum may still grow."""
    metrics, alarm = Metrics(), Alarm(ARN, SETTINGS | {"EvaluationPeriods": 1}, 0, 0)
    metrics.add(Metric.of("us-east-1", SETTINGS), "Count", 59, Sample.of(1.0))
    metrics.add(Metric.of("us-east-1", SETTINGS), "Count", 61, Sample.of(0.0))
    assert [alarm.verdict(metrics, now).state for now in (59, 62, 119, 121)] == [
        "ALARM",
        "ALARM",
        "ALARM",
        "OK",
    ]


@pytest.mark.parametrize(
    ("signs", "few", "states"),
    [
        ("0-X-X", None, "OK OK OK OK"),
        ("0----", None, "OK OK OK OK"),
        ("-----", None, "INSUFFICIENT_DATA keep ALARM OK"),
        ("0XX-X", None, "ALARM ALARM ALARM ALARM"),
        ("----X", None, "INSUFFICIENT_DATA keep ALARM OK"),
        ("X----", None, "ALARM keep ALARM OK"),
        ("0-X-X", 2, "ALARM ALARM ALARM ALARM"),
        ("00X0X", 2, "ALARM ALARM ALARM ALARM"),
        ("0-X--", 2, "OK OK ALARM OK"),
        ("----0", 2, "OK OK ALARM OK"),
        ("---X-", 2, "ALARM keep ALARM OK"),
    ],
)
def test_the_tables_of_the_user_guide(signs, few, states):
    """One row: how each setting for missing values decides. "keep" is the state that the alarm has."""
    more = {"DatapointsToAlarm": few} if few else {}
    found = [state(signs, TreatMissingData=treated, **more) or "keep" for treated in TREATMENTS]
    assert found == states.split()
    assert (state(signs, **more) or "keep") == found[0]  # "missing" is AWS's default


@pytest.mark.parametrize(
    ("signs", "settings", "reason"),
    [
        (
            "--X",
            {"EvaluationPeriods": 1},
            "Threshold Crossed: 1 datapoint [4.0 (01/01/70 00:02:00)] was greater than or equal to the "
            "threshold (1.0).",
        ),
        (
            "--0",
            {"EvaluationPeriods": 1, "DatapointsToAlarm": 1},
            "Threshold Crossed: 1 out of the last 1 datapoints [0.0 (01/01/70 00:02:00)] was not greater "
            "than or equal to the threshold (1.0) (minimum 1 datapoint for ALARM -> OK transition).",
        ),
        (
            "-----",
            {"TreatMissingData": "breaching", "EvaluationPeriods": 2},
            "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were "
            "treated as [Breaching].",
        ),
        (
            "--X--",
            {"TreatMissingData": "notBreaching", "DatapointsToAlarm": 1},
            "Threshold Crossed: 1 out of the last 3 datapoints [4.0 (01/01/70 00:02:00)] was greater than or "
            "equal to the threshold (1.0) and 2 missing datapoints were treated as [NonBreaching] "
            "(minimum 1 datapoint for OK -> ALARM transition).",
        ),
        ("---", {"EvaluationPeriods": 1}, "Insufficient Data: 1 datapoint was unknown."),
        (
            "XX",
            {"EvaluationPeriods": 2},
            "Threshold Crossed: 2 datapoints [4.0 (01/01/70 00:01:00), 4.0 (01/01/70 00:00:00)] were greater "
            "than or equal to the threshold (1.0).",
        ),
    ],
)  # fmt: skip
def test_the_reason_is_aws_sentence(signs, settings, reason):
    """Sentences that AWS was seen to send."""
    assert decided(SETTINGS | settings, "Sum", periods(signs), 0).reason == reason


def test_the_reason_as_data():
    """The values that decided, and the newest of them first with their times."""
    data = json.loads(decided(SETTINGS | {"EvaluationPeriods": 2}, "Sum", periods("0X"), 130.5).data)
    assert data == {
        "version": "1.0",
        "queryDate": "1970-01-01T00:02:10.500+0000",
        "startDate": "1970-01-01T00:00:00.000+0000",
        "statistic": "Sum",
        "period": 60,
        "recentDatapoints": [0.0, 4.0],
        "threshold": 1.0,
        "evaluatedDatapoints": [
            {"timestamp": "1970-01-01T00:01:00.000+0000", "sampleCount": 1, "value": 4.0},
            {"timestamp": "1970-01-01T00:00:00.000+0000", "sampleCount": 1, "value": 0.0},
        ],
    }


def alarm(**settings):
    return Alarm(ARN, SETTINGS | settings, 0, 0, state="ALARM", reason="because", updated=61.5)


def test_the_message_to_a_topic():
    """The fields that AWS sends, in their order."""
    topic = "arn:aws:sns:us-east-1:123456789012:t"
    mine = alarm(AlarmActions=[topic], Dimensions=[{"Name": "a", "Value": "b"}])
    assert notification(mine, "OK", "US East (N. Virginia)") == {
        "AlarmName": "failures",
        "AlarmDescription": None,
        "AWSAccountId": "123456789012",
        "AlarmConfigurationUpdatedTimestamp": "1970-01-01T00:00:00.000+0000",
        "NewStateValue": "ALARM",
        "NewStateReason": "because",
        "StateChangeTime": "1970-01-01T00:01:01.500+0000",
        "Region": "US East (N. Virginia)",
        "AlarmArn": ARN,
        "OldStateValue": "OK",
        "OKActions": [],
        "AlarmActions": [topic],
        "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "m",
            "Namespace": "n",
            "StatisticType": "Statistic",
            "Statistic": "SUM",
            "Unit": None,
            "Dimensions": [{"value": "b", "name": "a"}],
            "Period": 60,
            "EvaluationPeriods": 3,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1.0,
            "TreatMissingData": "",
            "EvaluateLowSampleCountPercentile": "",
        },
        "ActionExecutedAfterMuteWindow": False,
    }


def test_subscribers_by_mail_read_sentences():
    """CloudWatch sends no JSON to them."""
    lines = mail(alarm(), "OK", "US East (N. Virginia)").splitlines()
    assert lines[0].endswith('the ALARM state, because "because" at "Thursday 1 January, 1970 00:01:01 UTC".')
    assert "- State Change:               OK -> ALARM" in lines


def test_a_long_name_is_cut_in_the_subject():
    """SNS allows 100 characters."""
    long = Alarm(f"{ARN}{'x' * 200}", SETTINGS, 0, 0, state="ALARM")
    assert len(subject(long, "US East (N. Virginia)")) == 100


def test_a_threshold_is_a_number():
    """Neither NaN nor infinity can be compared, or be told in JSON."""
    for threshold in (float("nan"), float("inf"), 10**400):
        with pytest.raises(RefusalError, match="for parameter Threshold is not supported"):
            check_settings(SETTINGS | {"Threshold": threshold}, "us-east-1")


def test_an_alarm_looks_at_a_day_or_a_week():
    """AWS allows a week from a period of an hour on."""
    for period, most in ((60, 1440), (3600, 168)):
        check_settings(SETTINGS | {"Period": period, "EvaluationPeriods": most}, "us-east-1")
        with pytest.raises(RefusalError, match=rf"EvaluationPeriods \* Period must be <= {period * most}"):
            check_settings(SETTINGS | {"Period": period, "EvaluationPeriods": most + 1}, "us-east-1")


def test_a_failing_alarm_does_not_stop_the_others():
    """Its traceback is in the log."""
    looked, api = [], CloudWatchApi(None, None)

    class Failing(Alarm):
        def verdict(self, metrics, now):
            looked.append(self.name)
            raise ZeroDivisionError

    api._alarms = {name: Failing(f"{ARN}{name}", SETTINGS, 0, 0) for name in "ab"}
    api.evaluate()
    assert looked == ["failuresa", "failuresb"]
