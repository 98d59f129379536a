"""What a Task does: call a service, a function or a worker, and wait for its answer, its job or its token.

    arn:aws:lambda:...:function:NAME             the events of a function
    arn:aws:states:...:activity:NAME             those of an activity, whose worker answers by a token
    arn:aws:states:::SERVICE:API[.PATTERN]       those of a task; PATTERN is sync, sync:2 or waitForTaskToken

See https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html
and https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html
"""

from typing import TYPE_CHECKING, Final

from states_language.execution import (
    Answered,
    Beat,
    Call,
    Due,
    Failed,
    Frame,
    Input,
    Json,
    Submitted,
    Succeeded,
)
from states_language.failures import (
    RUNTIME,
    TIMEOUT,
    Failure,
    evaluation,
    heartbeat_missed,
    runtime,
    too_large,
)
from states_language.fields import View
from states_language.kinds import Kind
from states_language.outputs import Result, arguments, effective_input, sent
from states_language.values import compact, is_too_large

if TYPE_CHECKING:
    from states_language.interpreter import Step

_TOKEN: Final = ".waitForTaskToken"
_LIMITS: Final = ("TimeoutSeconds", "HeartbeatSeconds")


class Task(Kind):
    """Calls its resource."""

    def begin(self, step: "Step", frame: Frame) -> Result | None:
        """Schedules the call, and sets the timers of this attempt."""
        resource = frame.state["Resource"]
        kind = kind_of(resource)
        frame.early, frame.token = None, None
        if resource.endswith(_TOKEN) or kind == "Activity":
            frame.token = step.new_id()
        view = step.view(frame)
        data = effective_input(view)
        given = arguments(view, data)
        frame.limits = {name: it for name in _LIMITS if (it := view.number(name, name, data)) is not None}
        role = _role(view, data)
        if (mocked := step.mock(frame, given)) is not None:
            return mocked
        text = sent(frame.name, given, frame.text if given is frame.input else None)
        details = _scheduled(step, resource, text)
        frame.resource = {key: details[key] for key in ("resource", "resourceType") if key in details}
        for name, seconds in frame.limits.items():
            details[f"{name[0].lower()}{name[1:].replace('Seconds', 'InSeconds')}"] = seconds
        if role is not None:
            details["taskCredentials"] = {"roleArn": role}
        step.event(frame.run, f"{kind}Scheduled", details)
        self._set_limits(step, frame)
        call = step.expect(frame, "call")
        if frame.token:
            step.expect(frame, "token", frame.token)
        step.effects.append(Call(call, resource, given, frame.name, frame.token, role))
        if kind != "Activity":
            step.later(frame, lambda: self._started(step, frame, call))
        return None

    @staticmethod
    def _started(step: "Step", frame: Frame, call: str) -> None:
        if call in frame.waits:
            _event(step, frame, "Started")

    def told(self, step: "Step", frame: Frame, what: str, message: Input) -> Result | None:
        """Takes in an answer, the time, or an outcome by the token."""
        result: Result | None = None
        if isinstance(message, Due):
            failure = Failure(TIMEOUT) if what == "TimeoutSeconds" else heartbeat_missed()
            self._fail(step, frame, failure, "TimedOut")
        elif isinstance(message, Beat):
            self._set_limits(step, frame, "HeartbeatSeconds")
        elif isinstance(message, Failed):
            step.came(frame, message.id)
            if message.error == RUNTIME:
                raise runtime(message.cause or "")
            self._fail(step, frame, Failure(message.error, message.cause), "Failed")
        elif isinstance(message, Answered):
            is_early = "call" in frame.waits.values() and kind_of(frame.state["Resource"]) != "Activity"
            if is_early:  # the service has not yet replied to the call
                frame.early = message
            else:
                result = self._answered(step, frame, message)
        elif isinstance(message, Submitted | Succeeded):
            result = self._replied(step, frame, message)
        return result

    def _replied(self, step: "Step", frame: Frame, message: Submitted | Succeeded) -> Result | None:
        """Takes in the reply of the service. A job, a worker or a token may still have to answer."""
        if kind_of(frame.state["Resource"]) == "Activity":
            step.event(frame.run, "ActivityStarted", message.output)  # a worker has taken it
            self._set_limits(step, frame)
            return None
        if isinstance(message, Succeeded) and not frame.token:
            step.came(frame, message.id)
            return self._succeed(step, frame, message.output)
        _event(step, frame, "Submitted", _output(message.output))
        frame.waits[message.id] = "job"
        if frame.token:
            step.came(frame, message.id)
        return self._answered(step, frame, frame.early) if frame.early else None

    @staticmethod
    def _set_limits(step: "Step", frame: Frame, *names: str) -> None:
        """Set the timers of a task again: of its time-out, and of its heartbeat if it has a token."""
        for name in names or frame.limits:
            step.cancel(frame, name)
            if name in frame.limits and (name == "TimeoutSeconds" or frame.token):
                step.wait(frame, name, step.now + frame.limits[name])

    def _answered(self, step: "Step", frame: Frame, answer: Answered) -> Result | None:
        if answer.is_failure:
            return self._fail(step, frame, Failure(answer.error, answer.cause), "Failed")
        return self._succeed(step, frame, answer.output)

    def _succeed(self, step: "Step", frame: Frame, output: Json) -> Result | None:
        text = compact(output)
        if is_too_large(text):
            resource = frame.resource.get("resourceType") or frame.resource.get("resource", "")
            return self._fail(step, frame, too_large(resource), "Failed")
        _event(step, frame, "Succeeded", {"output": text, "outputDetails": {"truncated": False}})
        step.note("result", output)
        return Result(output)

    @staticmethod
    def _fail(step: "Step", frame: Frame, failure: Failure, what: str) -> None:
        """Writes the event now, and lets the state fail after all other events of this moment."""
        _event(step, frame, what, failure.details)
        step.forget(frame)
        step.later(frame, lambda: _raise(failure))


def _raise(failure: Failure) -> Result:
    raise failure


def kind_of(resource: str) -> str:
    """The beginning of the types of a Task's events."""
    if ":activity:" in resource:
        return "Activity"
    return "Task" if resource.startswith("arn:") and resource.split(":")[2] == "states" else "LambdaFunction"


def _output(value: Json) -> dict[str, Json]:
    return {"output": compact(value), "outputDetails": {"truncated": False}}


def _event(step: "Step", frame: Frame, what: str, details: dict[str, Json] | None = None) -> None:
    """Write an event of a Task, with what it says of the resource."""
    kind = kind_of(frame.state["Resource"])
    if kind == "Task":
        details = {**frame.resource, **(details or {})}
    step.event(frame.run, f"{kind}{what}", details)


def _scheduled(step: "Step", resource: str, text: str) -> dict[str, Json]:
    if kind_of(resource) != "Task":
        return {"resource": resource, "input": text, "inputDetails": {"truncated": False}}
    service, _, api = resource.split(":", 5)[5].rpartition(":")
    if api == "2":  # sync:2
        service, _, api = service.rpartition(":")
        api += ":2"
    return {"resourceType": service, "resource": api, "region": step.region, "parameters": text}


def _role(view: View, data: Json) -> str | None:
    credentials = view.state.get("Credentials")
    if credentials is None:
        return None
    if view.is_jsonpath:
        credentials = view.template(credentials, data)
    else:
        credentials = view.expression(credentials, "Credentials")
    role = credentials.get("RoleArn") if isinstance(credentials, dict) else None
    if not isinstance(role, str):
        told = f"Credentials must have a RoleArn that is a string, but were: {compact(credentials)}"
        raise runtime(told) if view.is_jsonpath else evaluation(told, "Credentials")
    return role
