"""Let moto's state machines use JSONata and variables as AWS's do.

moto reads both languages, and has no evaluator of JSONata. `states.jsonata` evaluates, and this module
connects it. If a version of moto has an evaluator, compare each function here with it, and remove what moto
then does. Each function replaces a function of moto's engine, and `patches` lists them. Its arguments are the
original function and then the arguments of the original.
"""

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sfn_emulator.engine.failures import OnlyOnce, _engine, _failure_in_state, failure_event

Function = Callable[..., Any]
_ERROR: Final = "States.QueryEvaluationError"
_LARGEST: Final = 256 * 1024
_LARGEST_TOGETHER: Final = 10 * 1024 * 1024
_LONGEST_WAIT: Final = 99_999_999
_OCCURRED: Final = "An error occurred while executing the state "
_NAMES: Final = "asl.component.common.error_name."
_TIMESTAMP: Final = "asl.component.state.wait.wait_function.timestamp"
#: What a field must give: the name of its type, and the smallest and largest number.
_FIELDS: Final[dict[str, tuple[str, float, float]]] = {
    "Condition": ("boolean", 0, 0),
    **dict.fromkeys(("Timestamp", "Error", "Cause"), ("string", 0, 0)),
    **dict.fromkeys(("Seconds", "TimeoutSeconds", "HeartbeatSeconds"), ("number", 0, _LONGEST_WAIT)),
    **dict.fromkeys(("MaxConcurrency", "ToleratedFailureCount"), ("number", 0, _LONGEST_WAIT)),
    "ToleratedFailurePercentage": ("number", 0, 100),
}
_KIND: Final = {int: "number", float: "number", bool: "boolean", str: "string", list: "array", dict: "object"}


def expression(_: Function, self: Any, env: Any) -> None:
    """An expression is evaluated with its values as bindings, once, and its field has a type.

    In moto, the values become a part of its text.
    """
    from states_language.jsonata import EvaluationError, evaluate

    data = env.states._states_data
    states = {"input": data["input"], "context": data["context"]}
    # moto stores null where there is none. Definitions that read them elsewhere are refused.
    states |= {name: data[name] for name in ("result", "errorOutput") if name in data}
    try:
        value = evaluate(self.expression, variables(env) | {"states": states})
    except EvaluationError as error:
        raise _failure(env, self.field, f"{_sentence(self)} {error}") from error
    if kind := _FIELDS.get(re.sub(r"^Choices\[\d+\]/", "", self.field)):
        value = _checked(env, self, value, kind)
    env.stack.append(value)


def _sentence(made: Any) -> str:
    return f"The JSONata expression '{made.expression}' specified for the field '{made.field}'"


def _checked(env: Any, made: Any, value: Any, kind: tuple[str, float, float]) -> Any:
    expected, least, most = kind
    reason = ""
    if _KIND.get(type(value), "null") != expected:
        reason = _unexpected(made, expected, value)
    elif expected == "number":
        if made.field != "ToleratedFailurePercentage" and not float(value).is_integer():
            reason = f"The {made.field} field cannot be parsed as an integer: {value}"
        elif made.field == "Seconds" and value < 0:
            reason = f"Seconds cannot be negative but was: {value}"
        elif not least <= value <= most:
            reason = f"{made.field} must be between {least} and {most} but was: {value}"
    elif made.field == "Timestamp" and not _engine(_TIMESTAMP).Timestamp._from_timestamp_string(value):
        form = "an ISO-8601 extended offset date-time format string"
        reason = f"The Timestamp field cannot be parsed as {form}: {value}"
    if reason:
        raise _failure(env, made.field, reason)
    return int(value) if expected == "number" and float(value).is_integer() else value


def _unexpected(made: Any, expected: str, value: Any) -> str:
    was = f"'{_KIND.get(type(value), 'null')}' for value: {_json(value)}"
    return f"{_sentence(made)} returned an unexpected result type. Expected '{expected}', but was {was}"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _failure(env: Any, field: str | None, reason: str) -> Exception:
    """Write the event EvaluationFailed, and make the error that Retry and Catch see."""
    entered, context = _entered(env), env.event_history_context
    if entered == context.source_event_id and entered and field != "Timestamp":
        # AWS's event follows the same event as the one with which the state began.
        context.source_event_id = env.event_manager._history_event_list[entered - 1]["previousEventId"]
    cause = f"{_OCCURRED}'{env.next_state_name}' (entered at the event id #{entered}). {reason}"
    details = OnlyOnce(error=_ERROR, cause=cause, location=field, state=env.next_state_name)
    details.entered = entered
    event = {"evaluationFailedEventDetails": details}
    env.event_manager.add_event(context=context, event_type="EvaluationFailed", event_details=event)
    failure = failure_event(env, "EvaluationFailed", details)
    vars(failure)["get_evaluation_failed_event_details"] = lambda: details
    return failure


def _entered(env: Any) -> int:
    """The number of the event with which the present state began."""
    number: int = env.event_history_context.source_event_id
    events, here = env.event_manager._history_event_list, number
    while 0 < here <= len(events):
        event = events[here - 1]
        if event.get("stateEnteredEventDetails", {}).get("name") == env.next_state_name:
            return here
        failed = event.get("evaluationFailedEventDetails")
        if isinstance(failed, OnlyOnce) and failed["state"] == env.next_state_name:
            return failed.entered
        here = event["previousEventId"]
    return number


class _Pair(dict[str, Any]):
    """An item of a Map over an object."""


@dataclass
class _Items:
    """Takes the place of a Map's Items and ItemsPath."""

    declared: Any
    path: str | None
    is_distributed: bool

    def eval(self, env: Any) -> None:
        made = getattr(self.declared, "string_jsonata", None)  # moto checks its value in other words
        if declared := made or self.declared:
            declared.eval(env)
        found = env.stack.pop() if declared else env.stack[-1]  # ItemSelector also reads the input there
        if isinstance(found, dict) and self.is_distributed:
            found = [_Pair(Key=key, Value=value) for key, value in found.items()]
        if not isinstance(found, list):
            if self.path:
                reason = f'Reference path "{self.path}" must point to array.'
                raise _failure_in_state(env, "States.Runtime", reason)
            if made:
                raise _failure(env, "Items", _unexpected(made, "array", found))
            raise _failure(env, None, f"Map state input must be an array but was: {_json(found)}")
        env.stack.append(found)


def with_items(original: Function, self: Any, state_props: Any) -> None:
    """A Map has AWS's errors if it has no list. A Distributed Map also runs for each pair of an object."""
    original(self, state_props)
    declared, path = self.items or self.items_path, None
    if self._is_language_query_jsonpath():
        path = self.items_path.string_sampler.literal_value.replace("$$", "$", 1)
    else:  # see `items_declared`
        declared, self.parameters = self.parameters or declared, None
    if not self.item_reader:
        mode = self.iteration_component._processor_config.mode.name
        self.items, self.items_path = _Items(declared, path, mode == "Distributed"), None


def items_declared(original: Function, self: Any) -> Any:
    """Items may be an object. moto reads it as Arguments, which a Map does not have."""
    if self._input.LA(3) != self.LBRACE:
        return original(self)
    self._input.LT(1).type = self.ARGUMENTS
    return self.arguments_decl()


def map_item(_: Function | None, *, Index: int, Value: Any) -> dict[str, Any]:
    """For a Map over an object, the context object has the key, and the value alone."""
    return {"Index": Index} | (Value if isinstance(Value, _Pair) else {"Value": Value})


def complete_cause(original: Function, self: Any) -> Any:
    """A cause that names its state already, such as one from a branch, is complete."""
    _, cause = self.extract_error_cause_pair() or (None, None)
    if isinstance(cause, str) and cause.startswith(_OCCURRED):
        (details,) = self.failure_event.event_details.values()
        return _engine("api").ExecutionFailedEventDetails(error=details["error"], cause=cause)
    return original(self)


def located(original: Function, self: Any, ctx: Any) -> Any:
    """An expression knows its field, such as ``Choices[1]/Condition``."""
    made = original(self, ctx)
    made.field, node = "", ctx
    while node.parentCtx is not None and type(node).__name__ != "State_decl_bodyContext":
        if node.getChildCount() > 1 and node.getChild(1).getText() == ":":
            separator = "/" if made.field and not made.field.startswith("[") else ""
            made.field = json.loads(node.getChild(0).getText()) + separator + made.field
        siblings = [*node.parentCtx.getChildren()]
        tokens = [each.getText() for each in siblings[: siblings.index(node)] if not each.getChildCount()]
        if "[" in tokens:
            made.field = f"[{tokens.count(',')}]" + ("/" if made.field[:1] not in "[" else "") + made.field
        node = node.parentCtx
    return made


def text(original: Function, parser_rule_context: Any) -> str | None:
    """A name, key or text of a definition is read as JSON. moto keeps some of its escapes."""
    given = parser_rule_context.getText()
    read: str | None = json.loads(given) if given.startswith('"') else original(parser_rule_context)
    return read


def scope(original: Function, self: Any, parse_tree: Any) -> None:
    """A state without a QueryLanguage has the machine's, also inside a Map or a Parallel with another one.

    In moto, all definitions share one list. What a refused definition leaves there counts for the next one.
    """
    scopes = vars(self).setdefault("_query_language_per_scope", [])
    self._query_language_per_scope = scopes[:1]
    try:
        original(self, parse_tree)
        scopes.append(self._query_language_per_scope[-1])
    finally:
        self._query_language_per_scope = scopes


def variables(env: Any) -> dict[str, Any]:
    """The variables that the present state can read."""
    return {**env.variable_store._outer_scope, **env.variable_store._inner_scope}


def variable(_: Function, self: Any, env: Any) -> None:
    """A path that begins with a variable is read as any path. moto evaluates it as JSONata."""
    paths = _engine("asl.utils.json_path")
    name, path = re.fullmatch(r"\$([^.\[]*)(.*)", self.expression, re.DOTALL).groups()  # type: ignore[union-attr]
    known = variables(env)
    try:
        found = paths.extract_json(f"${path}", known[name]) if path else known[name]
    except (KeyError, paths.NoSuchJsonPathError) as error:
        field = f"specified for the field '{env.next_field_name}' could not be found in the variables"
        reason = f"The JSONPath '{self.expression}' {field} '{json.dumps(known, separators=(',', ':'))}'"
        raise _failure_in_state(env, "States.Runtime", reason) from error
    env.stack.append(copy.deepcopy(found))


def assign(_: Function, self: Any, env: Any) -> None:
    """Assign and Output see the values from before the state. moto assigns at once."""
    values: dict[str, Any] = {}
    for binding in self.declaration_bindings:
        binding.eval(env=env)
        values |= env.stack.pop()
    for those, largest in ((values, _LARGEST), (variables(env) | values, _LARGEST_TOGETHER)):
        if len(_json(list(those.values())).encode()) > largest:
            name, limit = env.next_state_name, "the maximum number of bytes service limit."
            cause = f"The state/task '{name}' assigned variables with a size exceeding {limit}"
            raise failure_event(env, "TaskFailed", {"error": "States.DataLimitExceeded", "cause": cause})
    vars(env.variable_store)["pending"] = values


def assigned(_: Function, self: Any) -> dict[str, str]:
    """The variables get their values when the state ends. The event says which, as JSON."""
    values = vars(self).pop("pending", {})
    for name, value in values.items():
        self.set(name, value)
    return {name: json.dumps(value, separators=(",", ":")) for name, value in values.items()}


def with_output(original: Function, self: Any, env: Any) -> None:
    """Retry and Catch also see the errors of Output. What a failed attempt assigned does not count."""
    stack = list(env.stack)
    try:
        original(self, env)
        if self.output:
            self.output.eval(env)
            self._verify_size_quota(env=env, value=env.states.get_input())
    except Exception:
        vars(env.variable_store).pop("pending", None)
        if not self._is_language_query_jsonpath():
            env.stack[:] = stack
        raise


def output_once(original: Function, self: Any, env: Any) -> None:
    """See `with_output`, which has evaluated the Output already."""
    if not self.output:
        original(self, env)


def late_arguments(original: Function, self: Any, state_props: Any) -> None:
    """Retry and Catch of a Parallel also see the errors of Arguments. See `with_arguments`."""
    original(self, state_props)
    self.arguments = None
    if not self._is_language_query_jsonpath():
        self.arguments, self.parargs = self.parargs, None


def with_arguments(original: Function, self: Any, env: Any) -> None:
    """See `late_arguments`."""
    if self.arguments:
        env.stack.pop()
        self.arguments.eval(env)
    original(self, env)


def tolerated_count(_: Function, self: Any, ctx: Any) -> Any:
    """Moto takes an expression in ToleratedFailureCount for one in ToleratedFailurePercentage."""
    module = _engine("asl.component.state.exec.state_map.tolerated_failure")
    return module.ToleratedFailureCountStringJSONata(self.visitString_jsonata(ctx=ctx.string_jsonata()))


def rule(_: Function, self: Any, env: Any) -> None:
    """For the Assign of a rule, `$` is the input of its state. In moto, it is the truth of the rule."""
    self.comparison.eval(env)
    if is_true := env.stack.pop():
        for field in (self.assign, self.output):
            if field:
                field.eval(env)
    env.stack.append(is_true)


def rule_with_assign(original: Function, self: Any, ctx: Any) -> Any:
    """A rule with one comparison in JSONPath may have an Assign. moto forgets it."""
    made = original(self, ctx)
    for each in ctx.comparison_variable_stmt():
        if each.assign_decl():
            made.assign = self.visit(each)
    return made


def default_rule(original: Function, self: Any, state_props: Any) -> None:
    """The Assign and Output of a Choice are for its Default: the Default becomes a last rule with both.

    In moto, they are also for a rule with the same Next.
    """
    original(self, state_props)
    if self.default_state and (self.assign_decl or self.output):
        choice = "asl.component.state.choice."
        last = _engine(choice + "choice_rule").ChoiceRule(
            comparison=_engine(choice + "comparison.comparison").ConditionJSONataLit(literal=True),
            next_stmt=_engine("asl.component.common.flow.next").Next(name=self.default_state.state_name),
            comment=None,
            assign=self.assign_decl,
            output=self.output,
        )
        self.choices_decl = _engine(choice + "choices_decl").ChoicesDecl([*self.choices_decl.rules, last])
        self.default_state = self.assign_decl = self.output = None
