"""Test one state of the state machine with AWS's TestState, without running the machine."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import states_language
from lottery_lib import definition, plan
from lottery_lib.errors import LotteryError
from lottery_lib.resources.state_machine import StateMachine
from lottery_lib.target import Target
from lottery_lib.texts import PLAIN, escaped, harmless
from lottery_lib.translation import _

# The order in which a state makes them.
_STEPS: Final = (
    *("input", "afterInputPath", "afterParameters", "afterArguments"),
    *("afterItemsPath", "afterItemSelector", "afterItemBatcher"),
    *("result", "afterResultSelector", "afterResultPath"),
)
_JSON: Final = _("Give texts, numbers, True, False, None, and lists and dicts of them")


@dataclass(frozen=True)
class StateResult:
    """What TestState returns for a state.

    Attributes:
        state: The state's name.
        status: ``"SUCCEEDED"``, ``"FAILED"``, ``"RETRIABLE"`` (a Retry would repeat it) or
            ``"CAUGHT_ERROR"`` (a Catch would go on).
        output: The state's output; None if it has none.
        next_state: The name of the next state; None at the end, and if nothing follows the failure.
        error: The error's name, or None.
        cause: The error's cause, or None.
        data: The data after each step, such as ``data["afterInputPath"]``, and what else AWS's
            ``inspectionData`` has.
    """

    state: str
    status: str
    output: Any = None
    next_state: str | None = None
    error: str | None = None
    cause: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def _rows(self) -> Iterator[tuple[str, str]]:
        """Each step and its data, as texts."""
        last = {} if self.status in {"FAILED", "RETRIABLE"} else {"output": self.output}
        steps = {step: self.data[step] for step in _STEPS if step in self.data}
        for name, value in (steps | last | dict(self.data)).items():
            after = name.removeprefix("after")
            step = name if after == name else _("after {step}", step=after)
            yield step, json.dumps(value, ensure_ascii=False)

    @property
    def _headline(self) -> str:
        reason = ": ".join(part for part in (self.error, self.cause) if part)
        next_state = _("next: {state}", state=self.next_state) if self.next_state else ""
        return _(", ").join(part for part in (self.status, reason, next_state) if part)

    def __repr__(self) -> str:
        rows = [f"  {step}: {data}" for step, data in self._rows]
        return harmless("\n".join([f"{self.state}: {self._headline}", *rows]))

    def _repr_html_(self) -> str:
        cell = '<td style="text-align: left; overflow-wrap: anywhere">'
        rows = (f"<tr><th>{escaped(step)}</th>{cell}{escaped(data)}</td></tr>" for step, data in self._rows)
        head = f"<p><b>{escaped(self.state)}</b>: {escaped(self._headline)}</p>"
        return f'<div class="{PLAIN}">{head}<table>{"".join(rows)}</table></div>'


def test_state(
    target: Target,
    name: str,
    given: object = None,
    *,
    mock: object = ...,
    error: str = "",
    cause: str = "",
    variables: Mapping[str, object] | None = None,
    context: Mapping[str, object] | None = None,
    retries: int = 0,
    local: definition.Machine | str | None = None,
) -> StateResult:
    """Test one state: ``test_state(target, "Is Winner In Past Draw", {"status": 1}).next_state``.

    Nothing waits for a Retry, and there is no execution. Without ``mock`` and ``error``, a Task really makes
    its call, with the role of the machine.

    Args:
        target: Where.
        name: The state's name. It may be inside a Parallel or a Map.
        given: The state's input.
        mock: The reply that the Task gets for its call. For a Map or Parallel: the list of all results.
        error: The name of the error with which the call fails, such as ``"States.Timeout"``.
        cause: The error's cause.
        variables: The values of the workflow's variables, by name.
        context: The context object that the state sees; only with ``mock`` or ``error``.
        retries: How often the Retry has repeated the call already.
        local: A definition to test instead of the deployed one. Placeholders become this attendee's ARNs.

    Raises:
        LotteryError: There is no such state, something is not JSON, or AWS refuses the test.
    """
    where = _("test of state {name}", name=name)
    if mock is not ... and error:
        raise LotteryError(where, _("has both a mock and an error"), _("Give one of them"))
    if local is None:
        machine = StateMachine(target, target.names.machine).describe()
        text, role_arn = machine["definition"], machine["roleArn"]
    else:
        text = local if isinstance(local, str) else _text(where, _("the definition"), local)
        text, role_arn = plan.filled(target, text), plan.machine_role(target).arn
    states = dict(states_language.all_states(definition.parse(text)))
    if name not in states:
        next_step = _("Its states are {names}", names=", ".join(states))
        raise LotteryError(_("state {name}", name=name), _("is not in the definition"), next_step)
    options: dict[str, Any] = {"stateConfiguration": {"retrierRetryCount": retries}}
    if error:
        options["mock"] = {"errorOutput": {"error": error} | ({"cause": cause} if cause else {})}
    elif mock is not ...:
        options["mock"] = {"result": _text(where, _("the mock"), mock)}
    elif states[name].get("Type") == "Task":
        options["roleArn"] = role_arn
    for key, value in (("variables", variables), ("context", context)):
        if value is not None:
            options[key] = _text(where, f"`{key}`", value)
    options["input"] = _text(where, _("the input"), {} if given is None else given)
    test = target.kit_client("stepfunctions").test_state
    reply = test(definition=text, stateName=name, inspectionLevel="DEBUG", **options)
    inspection = reply.get("inspectionData", {}).items()
    return StateResult(
        name,
        reply["status"],
        output=json.loads(reply["output"]) if "output" in reply else None,
        next_state=reply.get("nextState"),
        error=reply.get("error"),
        cause=reply.get("cause"),
        data={key: json.loads(value) if isinstance(value, str) else value for key, value in inspection},
    )


# pytest would take the function for a test of the module that imports it.
test_state.__test__ = False  # type: ignore[attr-defined]


def _text(where: str, what: str, value: object) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        problem = _("{what} is not JSON ({error})", what=what, error=error)
        raise LotteryError(where, problem, _JSON) from error
