"""Answer CloudWatch's API: metrics and alarms. moto answers the rest, such as dashboards."""

import json
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from sfn_emulator.http.messages import Arn, RefusalError, Reply, Request
from sfn_emulator.http.paging import page_of
from sfn_emulator.http.replies import json_reply, violation
from sfn_emulator.http.service_models import check_call
from sfn_emulator.process.timers import Timers
from sfn_emulator.storage.application import Moto
from sfn_emulator.watching.alarms import (
    ACTIONS,
    OK,
    SETTINGS,
    Alarm,
    Verdict,
    check_settings,
    mail,
    notification,
    subject,
)
from sfn_emulator.watching.changes import StatusChange
from sfn_emulator.watching.metrics import Metric, Metrics

Publish = Callable[[str, str, str, Mapping[str, str]], str | None]
"""Sends a message of a service to a topic; the reason if the topic does not accept it. Its arguments: the
service, the ARN of what sends, the ARN of the topic and the parameters of Publish."""

_PAUSE_SECONDS: Final = 1.0  # between two looks at the alarms, if no value came
_MOST_HISTORY: Final = 10_000
_METRICS_PAGE: Final = 500
_MOST_DATAPOINTS: Final = 100_800  # of GetMetricData
_ALARMS_PAGE: Final = 50


class CloudWatchApi:
    """The metrics and alarms of one emulator.

    Args:
        moto: Answers the operations that are not here.
        publish: Sends what an alarm has to say to its topic.
        clock: The time, in seconds since 1970.
        timers: Say when to look at the alarms again; None if nobody looks by itself.
    """

    def __init__(
        self,
        moto: Moto,
        publish: Publish,
        clock: Callable[[], float] = time.time,
        timers: Timers | None = None,
    ) -> None:
        self._moto = moto
        self._publish = publish
        self._clock = clock
        self._timers = timers
        self._metrics = Metrics()
        self._alarms: dict[str, Alarm] = {}
        self._history: deque[dict[str, Any]] = deque(maxlen=_MOST_HISTORY)
        self._changing = threading.RLock()
        self._operations: dict[str, Callable[[Request, dict[str, Any]], dict[str, Any]]] = {
            "PutMetricData": self._put_data,
            "GetMetricData": self._data,
            "GetMetricStatistics": lambda request, given: self._metrics.statistics(
                request.scope.region, given
            ),
            "ListMetrics": self._list_metrics,
            "PutMetricAlarm": self._put_alarm,
            "DescribeAlarms": self._describe,
            "DescribeAlarmsForMetric": self._describe_for_metric,
            "DescribeAlarmHistory": self._describe_history,
            "DeleteAlarms": self._delete,
            "SetAlarmState": self._set_state,
            "EnableAlarmActions": self._enable_actions,
            "DisableAlarmActions": self._enable_actions,
            "TagResource": self._tag,
            "UntagResource": self._tag,
            "ListTagsForResource": self._tag,
        }

    def answer(self, request: Request) -> Reply:
        """Answer a request to CloudWatch in its JSON protocol."""
        if (operation := self._operations.get(request.operation)) is None:
            return self._moto(request)
        given = request.given
        if (state := given.get("StateValue", OK)) not in [*ACTIONS]:  # AWS's order is not its model's
            rule = f"satisfy enum value set: [{', '.join([*ACTIONS][::-1])}]"
            raise RefusalError("ValidationError", violation("stateValue", rule, state))
        check_call("cloudwatch", request.operation, given, "ValidationError")
        return json_reply(operation(request, given))

    def reset(self) -> None:
        """Forget everything."""
        with self._changing:
            self._alarms.clear()
            self._history.clear()
            self._metrics.clear()

    def status_changed(self, change: StatusChange) -> None:
        """Count an execution that has begun or ended."""
        self._metrics.count(change)
        self._look_soon()

    def evaluate(self) -> None:
        """Change the states of all alarms whose metrics ask for another one."""
        with self._changing:
            now = self._clock()
            for alarm in list(self._alarms.values()):
                try:
                    if now >= alarm.due:
                        verdict = alarm.verdict(self._metrics, now)
                        if verdict.state not in {"", alarm.state}:
                            self._change(alarm, verdict, now)
                except Exception:  # the other alarms are looked at
                    traceback.print_exc()

    def _put_data(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        self._metrics.put(request.scope.region, given, self._clock())
        self._look_soon()
        return {}

    def _data(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        """Answer GetMetricData. A page has a part of the values of all queries, one query after the other."""
        results = self._metrics.data(request.scope.region, given)
        every = [(n, m) for n, result in enumerate(results) for m in range(len(result["Values"]))]
        page, token = page_of(every, given, "MaxDatapoints", _MOST_DATAPOINTS)
        for n, result in enumerate(results):
            if token and (n, len(result["Values"]) - 1) > page[-1]:
                result["StatusCode"] = "PartialData"
            here = [m for number, m in page if number == n]
            result |= {name: [result[name][m] for m in here] for name in ("Timestamps", "Values")}
        return {"MetricDataResults": results, "Messages": []} | token

    def _list_metrics(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        found = self._metrics.listed(request.scope.region, given)
        page, token = page_of(found, given, "MaxResults", _METRICS_PAGE)
        return {"Metrics": [metric.told for metric in page]} | token

    def _put_alarm(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        check_settings(given, request.scope.region)
        arn, now = _alarm_arn(request, given["AlarmName"]), self._clock()
        kept = (*SETTINGS, *ACTIONS.values(), "ActionsEnabled", "Dimensions")
        settings = {name: given[name] for name in kept if name in given}
        with self._changing:
            if (alarm := self._alarms.get(arn)) is None:
                tags = {tag["Key"]: tag["Value"] for tag in given.get("Tags") or []}
                self._alarms[arn] = Alarm(arn, settings, now, now + _PAUSE_SECONDS, updated=now, tags=tags)
            else:
                alarm.settings, alarm.configured = settings, now
        self._look_soon()
        return {}

    def _look_soon(self) -> None:
        """Look at the alarms in a moment, because there is something new. Executions go first."""
        if self._timers and self._alarms:
            self._timers.set(self._clock() + _PAUSE_SECONDS / 5, "new values", self._look, "look")

    def _look(self, _: Sequence[str] = ()) -> None:
        """Look at the alarms, now and after a pause."""
        self.evaluate()
        if self._timers and self._alarms:
            pause = _PAUSE_SECONDS
            if self._timers.stands:  # nothing changes before the next period
                pause = float(min(alarm.step() for alarm in list(self._alarms.values())))
            self._timers.set(self._clock() + pause, "alarms", self._look, "look")

    def _change(self, alarm: Alarm, verdict: Verdict, now: float) -> None:
        """Change an alarm's state, remember it, and act."""
        old, alarm.updated = alarm.told(), now
        alarm.state, alarm.reason, alarm.reason_data = verdict.state, verdict.reason, verdict.data
        if (new := alarm.told())["StateValue"] == old["StateValue"]:
            return
        data = {"version": "1.0"} | {
            side: {"stateValue": told["StateValue"], "stateReason": told["StateReason"]}
            | ({"stateReasonData": json.loads(text)} if (text := told.get("StateReasonData")) else {})
            for side, told in (("oldState", old), ("newState", new))
        }
        summary = f"Alarm updated from {old['StateValue']} to {alarm.state}"
        self._remember(alarm, "StateUpdate", summary, data)
        if not new["ActionsEnabled"]:
            return
        region = _region_name(Arn.of(alarm.arn).region)
        text = json.dumps(notification(alarm, old["StateValue"], region), separators=(",", ":"))
        message = {
            "Message": json.dumps({"default": text, "email": mail(alarm, old["StateValue"], region)}),
            "MessageStructure": "json",
            "Subject": subject(alarm, region),
        }
        for action in new[ACTIONS[alarm.state]]:
            if Arn.of(action).service != "sns":
                continue
            reason = self._publish("cloudwatch", alarm.arn, action, message)
            done = {
                "actionState": "Failed" if reason else "Succeeded",
                "stateUpdateTimestamp": int(now * 1000),
                "notificationResource": action,
                "publishedMessage": text,
                **({"error": reason} if reason else {}),
            }
            summary = f"Successfully executed action {action}"
            if reason:
                summary = f'Failed to execute action {action}. Received error: "{reason}"'
            self._remember(alarm, "Action", summary, done)

    def _remember(self, alarm: Alarm, kind: str, summary: str, data: Mapping[str, Any]) -> None:
        self._history.append({
            "arn": alarm.arn,
            "AlarmName": alarm.name,
            "AlarmType": "MetricAlarm",
            "Timestamp": alarm.updated,
            "HistoryItemType": kind,
            "HistorySummary": summary,
            "HistoryData": json.dumps(data, separators=(",", ":")),
        })  # fmt: skip

    def _of_region(self, request: Request) -> list[Alarm]:
        beginning = _alarm_arn(request, "")
        with self._changing:
            found = [alarm for arn, alarm in self._alarms.items() if arn.startswith(beginning)]
        return sorted(found, key=lambda alarm: alarm.name)

    def _describe(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        names, prefix = given.get("AlarmNames"), given.get("AlarmNamePrefix", "")
        action = given.get("ActionPrefix", "")

        def fits(told: Mapping[str, Any]) -> bool:
            actions = [arn for name in ACTIONS.values() for arn in told[name]]
            return (
                (not names or told["AlarmName"] in names)
                and told["AlarmName"].startswith(prefix)
                and given.get("StateValue") in {None, told["StateValue"]}
                and (not action or any(arn.startswith(action) for arn in actions))
                and "MetricAlarm" in (given.get("AlarmTypes") or ["MetricAlarm"])
            )

        found = [told for alarm in self._of_region(request) if fits(told := alarm.told())]
        page, token = page_of(found, given, "MaxRecords", _ALARMS_PAGE)
        return {"CompositeAlarms": [], "MetricAlarms": page} | token

    def _describe_for_metric(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        names = ("Statistic", "ExtendedStatistic", "Period", "Unit")
        asked = {name: given[name] for name in names if name in given}
        region, metric = request.scope.region, Metric.of(request.scope.region, given)
        there = [alarm.told() for alarm in self._of_region(request)]
        of_metric = [told for told in there if Metric.of(region, told) == metric]
        return {"MetricAlarms": [told for told in of_metric if asked.items() <= told.items()]}

    def _describe_history(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        beginning = _alarm_arn(request, given.get("AlarmName", ""))

        def fits(item: Mapping[str, Any]) -> bool:
            return (
                (item["arn"] == beginning if "AlarmName" in given else item["arn"].startswith(beginning))
                and given.get("HistoryItemType") in {None, item["HistoryItemType"]}
                and given.get("StartDate", 0) <= item["Timestamp"] <= given.get("EndDate", item["Timestamp"])
                and "MetricAlarm" in (given.get("AlarmTypes") or ["MetricAlarm"])
            )

        found = [item for item in list(self._history) if fits(item)]
        if given.get("ScanBy") != "TimestampAscending":
            found.reverse()
        page, token = page_of(found, given, "MaxRecords", _ALARMS_PAGE)
        items = [{name: value for name, value in item.items() if name != "arn"} for item in page]
        return {"AlarmHistoryItems": items} | token

    def _delete(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        arns = [_alarm_arn(request, name) for name in given["AlarmNames"]]
        with self._changing:
            for arn in arns:
                self._alarms.pop(arn, None)
        return {}

    def _set_state(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        data = given.get("StateReasonData", "")
        try:
            json.loads(data or "{}")
        except ValueError as error:
            raise RefusalError("InvalidFormat", "StateReasonData is not valid JSON") from error
        with self._changing:
            alarm = self._alarms.get(_alarm_arn(request, given["AlarmName"]))
            if alarm is None:
                raise RefusalError("ResourceNotFound", "", 404)
            now, step = self._clock(), alarm.step()
            alarm.due = now // step * step + step  # until AWS would look at the metric again
            self._change(alarm, Verdict(given["StateValue"], given["StateReason"], data), now)
        return {}

    def _enable_actions(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        with self._changing:
            for name in given["AlarmNames"]:
                if alarm := self._alarms.get(_alarm_arn(request, name)):
                    alarm.settings["ActionsEnabled"] = request.operation.startswith("Enable")
        return {}

    def _tag(self, request: Request, given: dict[str, Any]) -> dict[str, Any]:
        alarm = self._alarms.get(given["ResourceARN"])
        if request.operation == "ListTagsForResource":
            return {"Tags": [{"Key": key, "Value": it} for key, it in (alarm.tags if alarm else {}).items()]}
        if alarm is None:
            raise RefusalError("ResourceNotFoundException", f"{given['ResourceARN']} does not exist", 404)
        alarm.tags |= {tag["Key"]: tag["Value"] for tag in given.get("Tags") or []}
        for key in given.get("TagKeys") or []:
            alarm.tags.pop(key, None)
        return {}


def _alarm_arn(request: Request, name: str) -> str:
    return request.scope.arn(f"alarm:{name}").replace(":monitoring:", ":cloudwatch:", 1)


@cache
def _region_name(region: str) -> str:
    """The name of a region in CloudWatch's messages, such as ``"US East (N. Virginia)"``."""
    import botocore.session  # noqa: PLC0415 (it takes a while)

    partitions = botocore.session.get_session().get_data("endpoints")["partitions"]
    names = [it["regions"][region]["description"] for it in partitions if region in it["regions"]]
    return str(next(iter(names), region)).replace("Europe (", "EU (")
