"""Run one state in moto's engine as TestState does: without a machine, an execution or a history.

Each run parses its definition, so it has its own object for the state. Some methods of this object are
replaced: a mock replaces the call, a Retry does not wait, and the inspection data is recorded on its way.
"""

import contextlib
import copy
import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sfn_emulator.engine.failures import compact_json, task_failed, too_many_failures, unexpected
from sfn_emulator.engine.internals import engine_module, parsed
from sfn_emulator.engine.many_items import inputs, items_of
from sfn_emulator.engine.map_runs import is_too_many, selected, tolerance_of
from sfn_emulator.http.messages import ACCOUNT, RefusalError

_SECONDS: Final = 300  # AWS's limit for one TestState
_COMMON: Final = "asl.component.common."
_CATCHER: Final = _COMMON + "catch.catcher_outcome"
_FAILURE: Final = _COMMON + "error_name.failure_event"
_RETRY: Final = _COMMON + "retry.retry_outcome"
# TestState leaves out where the error was, because there is no execution.
_WHERE: Final = re.compile(r"An error occurred while executing the state '.*?' \(entered at .*?\)\. ", re.S)


@dataclass(frozen=True)
class Mock:
    """What a state gets instead of the result of its call: an error if there is one, or a result."""

    result: Any = None
    error: str | None = None
    cause: str | None = None


@dataclass
class StateRun:
    """One run of a state.

    Args:
        definition: A state machine with the state at its top level.
        name: The state's name.
        state_input: The state's input.
        context: The context object that the state sees.
        variables: The values of the workflow's variables, by name.
        region: The region of calls.
        role_arn: The role of calls.
        mock: None if the state really makes its call.
        configuration: The ``stateConfiguration`` of TestState.
        texts: The JSON of the request. AWS keeps it as it is written wherever its value does not change.
    """

    definition: str
    name: str
    state_input: Any
    context: Mapping[str, Any]
    variables: Mapping[str, Any]
    region: str
    role_arn: str | None
    mock: Mock | None
    configuration: Mapping[str, Any]
    texts: Sequence[str] = ()

    def __post_init__(self) -> None:
        self._written: dict[str, str] = {}
        for text in self.texts:
            with contextlib.suppress(ValueError):  # the data of an ItemReader may be no JSON
                self._written.setdefault(_compact(json.loads(text)), text)
        self._state: Any = parsed(self.definition).states.states[self.name]
        self._kind = str(self._state.state_type.name)
        self._is_jsonpath = bool(self._state._is_language_query_jsonpath())
        self._env = self._environment()
        self._data: dict[str, Any] = {"input": self._text(self.state_input)}
        self._reply: dict[str, Any] = {"status": "SUCCEEDED"}
        self._refusal: RefusalError | None = None
        self._record_data()
        if self._kind in {"Task", "Map", "Parallel"}:
            self._replace_call()
            self._state._handle_retry = self._retry
            for index, catcher in enumerate(self._state.catch.catchers if self._state.catch else ()):
                self._record_catcher(index, catcher)

    def reply(self) -> dict[str, Any]:
        """Run the state for at most five minutes.

        Returns:
            The reply of TestState, with ``inspectionData``.

        Raises:
            RefusalError: The configuration is wrong.
        """
        thread = threading.Thread(target=self._evaluate, daemon=True)
        thread.start()
        thread.join(_SECONDS)
        if thread.is_alive():
            self._env.set_timed_out()
            self._reply = {"status": "FAILED", "error": "States.Timeout"}
        if self._refusal:
            raise self._refusal
        store = self._env.variable_store
        if variables := store._outer_scope | store._inner_scope:
            self._data["variables"] = self._text(variables)
        return self._reply | {"inspectionData": self._data}

    def _environment(self) -> Any:
        module = engine_module("asl.eval.environment")
        env = module.Environment(
            aws_execution_details=module.AWSExecutionDetails(ACCOUNT, self.region, self.role_arn),
            execution_type=module.StateMachineType.EXPRESS,
            context=_Fixed(self.context),
            event_history_context=module.EventHistoryContext.of_program_start(),
            cloud_watch_logging_session=None,
            activity_store={},
        )
        env.states.reset(self.state_input)
        env.next_state_name = self.name
        for name, value in self.variables.items():
            env.variable_store.set(name, value)
        open_frame = env.open_frame

        def open_with_context() -> Any:
            frame = open_frame()
            _show(frame, self.context)
            return frame

        env.open_frame = open_with_context
        return env

    def _evaluate(self) -> None:
        try:
            self._state.eval(self._env)
        except Exception as error:
            is_expected = isinstance(error, engine_module(_FAILURE).FailureEventException)
            details = error.get_execution_failed_event_details() if is_expected else unexpected(error)  # type: ignore[attr-defined]
            self._fail("FAILED", details or {})
            return
        if self._reply["status"] == "RETRIABLE":
            return
        self._reply["output"] = self._text(self._env.states.get_input())
        if self._reply["status"] == "CAUGHT_ERROR" or self._kind == "Choice":
            self._reply["nextState"] = self._env.next_state_name
        elif follower := getattr(self._state.continue_with, "next_state", None):
            self._reply["nextState"] = follower.name

    def _fail(self, status: str, details: Mapping[str, Any]) -> None:
        """Set the reply of a state that failed. Its error and its cause are optional."""
        texts = {name: _WHERE.sub("", details.get(name) or "", count=1) for name in ("error", "cause")}
        self._reply = {"status": status} | {name: text for name, text in texts.items() if text}

    # The inspection data.

    def _record_data(self) -> None:
        state, is_pass = self._state, self._kind == "Pass"
        template = getattr(state, "parameters" if is_pass else "parargs", None)
        has_result = is_pass and state.result is not None
        if self._kind == "Task" and template:
            self._record(template, "afterParameters" if self._is_jsonpath else "afterArguments")
        if not self._is_jsonpath:
            return
        if is_pass and template and not has_result:
            self._record(template, "afterParameters")
        if has_result:
            self._record(state.result, "result")
        elif self._kind != "Parallel":
            effective = () if template or self._kind not in {"Pass", "Task"} else ("afterParameters",)
            self._record(state.input_path, "afterInputPath", *effective)
        if result_path := getattr(state, "result_path", None):
            self._record(result_path, "afterResultPath", before="afterResultSelector")

    def _record(self, component: Any, *after: str, before: str = "", method: str = "_eval_body") -> None:
        """Let a component record what is on the stack before and after its evaluation, under these names."""
        evaluate = getattr(component, method)

        def evaluated(env: Any) -> None:
            if before:
                self._set(before, env.stack[-1])
            evaluate(env)
            for name in after:
                self._set(name, env.stack[-1])

        setattr(component, method, evaluated)

    def _set(self, name: str, value: Any) -> None:
        self._data[name] = self._text(value)

    def _text(self, value: Any) -> str:
        return self._written.get(compact := _compact(value), compact)

    # The call, and what the state does if it fails.

    def _replace_call(self) -> None:
        state = self._state
        if self.mock and self._kind == "Task":
            state._eval_execution = self._mocked_call
            state.resource.condition = None  # then nothing waits, and no token is made
        elif self.mock and self._kind == "Map":
            state._eval_execution = self._mocked_map
        elif self.mock:
            state.branches._eval_body = self._mocked_result
        if self._kind == "Task":
            self._record(state, "result", method="_eval_execution")

    def _mocked_call(self, env: Any) -> None:
        self._state._eval_parameters(env)
        self._mocked_result(env)

    def _mocked_result(self, env: Any) -> None:
        mock = self.mock or Mock()
        if mock.error is not None:
            raise task_failed(env, mock.error, mock.cause)
        env.stack.append(copy.deepcopy(mock.result))

    def _mocked_map(self, env: Any) -> None:
        """Evaluate the fields of a Map. The mock is the result of all its iterations."""
        state, mock, items = self._state, self.mock, self._items(env)
        state.max_concurrency_decl.eval(env)
        self._data["maxConcurrency"] = env.stack.pop()
        tolerated: dict[str, float] = {}
        for kind, value in tolerance_of(state, env, json.loads(self.definition)["States"][self.name]):
            tolerated[kind] = float(value) if kind == "percentage" else value
            self._data[f"toleratedFailure{kind.title()}"] = tolerated[kind]
        if items is not None and (state.item_selector or state.parameters):
            items = list(selected(state, env, items))
            self._set("afterItemSelector", items)
        if items is not None and state.written and "ItemBatcher" in state.written.fields:
            batched = inputs(env, state.written, iter(items))
            self._set("afterItemBatcher", [batch for batch, _ in batched])
        failed, count = self.configuration.get("mapIterationFailureCount") or 0, len(items or ())
        if items is not None and failed > count:
            text = "Map iteration failure count must be less than or equal to the number of Map iterations"
            self._refusal = RefusalError("ValidationException", text)
            raise self._refusal
        if (mock is None or mock.error is None) and is_too_many(failed, max(count, failed), tolerated):
            raise too_many_failures(env)
        self._mocked_result(env)

    def _items(self, env: Any) -> list[Any] | None:
        """The items of a Map; None if an ItemReader would read them, and the test has no data for it."""
        state, data = self._state, self.configuration.get("mapItemReaderData")
        if state.written and "ItemReader" in state.written.fields:
            return None if data is None else items_of(env, state.written, data)[0]
        state.items.eval(env)
        items = list(env.stack.pop())
        if self._is_jsonpath:
            self._set("afterItemsPath", items)
        return items

    def _retry(self, env: Any, failure_event: Any) -> Any:
        outcomes, count = engine_module(_RETRY).RetryOutcome, self.configuration.get("retrierRetryCount") or 0
        for index, retrier in enumerate(self._state.retry.retriers):
            env.stack.append(failure_event.error_name)
            retrier.error_equals.eval(env)
            if not env.stack.pop():
                continue
            self._data["errorDetails"] = {"retryIndex": index}
            if count >= retrier.max_attempts.attempts:
                return outcomes.CannotRetry
            seconds = retrier.max_delay_seconds.max_delays_seconds
            with contextlib.suppress(OverflowError):
                seconds = min(seconds, retrier.interval_seconds.seconds * retrier.backoff_rate.rate**count)
            self._data["errorDetails"]["retryBackoffIntervalSeconds"] = int(seconds)
            self._fail("RETRIABLE", next(iter(failure_event.event_details.values())))
            env.set_ended()
            return outcomes.CanRetry
        return outcomes.NoRetrier

    def _record_catcher(self, index: int, catcher: Any) -> None:
        evaluate = catcher._eval_body

        def evaluated(env: Any) -> None:
            failure = env.stack[-1]
            evaluate(env)
            if isinstance(env.stack[-1], engine_module(_CATCHER).CatcherOutcomeCaught):
                self._data["errorDetails"] = {"catchIndex": index}
                self._fail("CAUGHT_ERROR", next(iter(failure.event_details.values())))

        catcher._eval_body = evaluated


class _Fixed(dict[str, Any]):
    """A context object that the engine cannot change. For the engine, a missing part is an empty object."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        parts = {key: _Fixed(part) if isinstance(part, dict) else part for key, part in given.items()}
        super().__init__(parts)

    def __setitem__(self, key: str, value: Any) -> None:
        pass

    def __missing__(self, key: str) -> "_Fixed":
        return _Fixed({})

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {key: copy.deepcopy(value, memo) for key, value in self.items()}


def _show(env: Any, context: Mapping[str, Any]) -> None:
    """Let the state in an environment see this context object."""
    fixed = _Fixed(context)
    env.states.context_object.context_object_data = env.states._states_data["context"] = fixed


def _compact(value: Any) -> str:
    return compact_json(engine_module("asl.utils.encoding").to_json_str, value)
