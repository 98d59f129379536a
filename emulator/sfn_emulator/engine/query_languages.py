"""Let states in moto use JSONata, JSONPath and variables as on AWS.

moto reads both languages, but cannot evaluate JSONata. `states_language.jsonata` evaluates it. If a later
version of moto can do this, compare each function here with it, and remove what moto does right. Each
function replaces a function of moto's engine, and `patches` lists them. Its arguments are the original
function and then the arguments of the original.

See https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
and https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
"""

import copy
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from sfn_emulator.engine.definitions import timestamp
from sfn_emulator.engine.failures import WrittenOnce, entered_by, failure_event, failure_in_state, task_failed
from sfn_emulator.engine.guard import outside
from sfn_emulator.engine.internals import MotoFunction, add_event, engine_module
from states_language.items import Pair

_ERROR: Final = "States.QueryEvaluationError"
_LARGEST: Final = 256 * 1024
_LARGEST_TOGETHER: Final = 10 * 1024 * 1024
_MOST: Final = 99_999_999
_OCCURRED: Final = "An error occurred while executing the state "
_NAMES: Final = "asl.component.common.error_name."
#: What the expression of a field must give: the name of a type, and the smallest and the largest number.
_FIELDS: Final[dict[str, tuple[str, float, float]]] = {
    "Condition": ("boolean", 0, 0),
    **dict.fromkeys(("Timestamp", "Error", "Cause"), ("string", 0, 0)),
    **dict.fromkeys(("Seconds", "TimeoutSeconds", "HeartbeatSeconds"), ("number", 0, _MOST)),
    **dict.fromkeys(("MaxConcurrency", "ToleratedFailureCount"), ("number", 0, _MOST)),
    **{f"ItemBatcher/Max{of}PerBatch": ("number", 0, _MOST) for of in ("Items", "InputBytes")},
    "ToleratedFailurePercentage": ("number", 0, 100),
    "ItemReader/ReaderConfig/MaxItems": ("number", 0, 100_000_000),
}
_KIND: Final = {int: "number", float: "number", bool: "boolean", str: "string", list: "array", dict: "object"}


def expression(_: MotoFunction, self: Any, env: Any) -> None:
    """An expression is evaluated once, with its values as bindings. Its value has the type of its field.

    In moto, the values become a part of the expression's text.
    """
    env.stack.append(value_of(self, env))


def value_of(jsonata: Any, env: Any) -> Any:
    """The value of an expression: of its text ``expression``, in the field ``field``.

    Raises:
        Exception: It has none, or one of another type than its field. Retry and Catch see the error.
    """
    from states_language.jsonata import EvaluationError, evaluate

    states = dict(env.states._states_data)
    if "errorOutput" in states:
        # In a Catch, moto stores the error as the result, too. After a Retry, the error is an old one.
        in_catch = states.get("result") == states["errorOutput"]
        states.pop("result" if in_catch else "errorOutput", None)
    try:
        value = evaluate(jsonata.expression, variables(env) | {"states": states}, outside=outside())
    except EvaluationError as error:
        raise _failure(env, jsonata.field, f"{_sentence(jsonata)} {error}") from error
    if kind := _FIELDS.get(re.sub(r"^Choices\[\d+\]/", "", jsonata.field)):
        value = _checked(env, jsonata, value, kind)
    return value


def without_results(_: MotoFunction, self: Any, input_value: Any) -> None:
    """At the beginning of a state, `$states` has neither a result nor an error. In moto, both are null."""
    self._states_data["input"] = copy.deepcopy(input_value)
    for name in ("result", "errorOutput"):
        self._states_data.pop(name, None)


def _sentence(jsonata: Any) -> str:
    return f"The JSONata expression '{jsonata.expression}' specified for the field '{jsonata.field}'"


def _checked(env: Any, jsonata: Any, value: Any, kind: tuple[str, float, float]) -> Any:
    expected, least, most = kind
    reason = ""
    if _KIND.get(type(value), "null") != expected:
        reason = _unexpected(jsonata, expected, value)
    elif expected == "number":
        if jsonata.field != "ToleratedFailurePercentage" and not float(value).is_integer():
            reason = f"The {jsonata.field} field cannot be parsed as an integer: {value}"
        elif jsonata.field == "Seconds" and value < 0:
            reason = f"Seconds cannot be negative but was: {value}"
        elif not least <= value <= most:
            reason = f"{jsonata.field} must be between {least} and {most} but was: {value}"
    elif jsonata.field == "Timestamp" and timestamp(None, value) is None:
        form = "an ISO-8601 extended offset date-time format string"
        reason = f"The Timestamp field cannot be parsed as {form}: {value}"
    if reason:
        raise _failure(env, jsonata.field, reason)
    return int(value) if expected == "number" and float(value).is_integer() else value


def _unexpected(jsonata: Any, expected: str, value: Any) -> str:
    was = f"'{_KIND.get(type(value), 'null')}' for value: {_json(value)}"
    return f"{_sentence(jsonata)} returned an unexpected result type. Expected '{expected}', but was {was}"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _failure(env: Any, field: str | None, reason: str) -> Exception:
    """Write the event EvaluationFailed, and make the error that Retry and Catch see."""
    entered, context = entered_by(env), env.event_history_context
    if entered == context.source_event_id and entered and field != "Timestamp":
        # AWS's event follows the same event as the one with which the state began.
        context.source_event_id = env.event_manager._history_event_list[entered - 1]["previousEventId"]
    cause = f"{_OCCURRED}'{env.next_state_name}' (entered at the event id #{entered}). {reason}"
    details = WrittenOnce(error=_ERROR, cause=cause, location=field, state=env.next_state_name)
    details.entered = entered
    add_event(env, "EvaluationFailed", details)
    failure = failure_event(env, "EvaluationFailed", details)
    vars(failure)["get_evaluation_failed_event_details"] = lambda: details
    return failure


@dataclass
class _Items:
    """Replaces the Items and the ItemsPath of a Map."""

    declared: Any
    path: str | None
    is_distributed: bool

    def eval(self, env: Any) -> None:
        jsonata = getattr(self.declared, "string_jsonata", None)  # moto checks its value in other words
        if declared := jsonata or self.declared:
            declared.eval(env)
        items = env.stack.pop() if declared else env.stack[-1]  # ItemSelector also reads the input there
        if isinstance(items, dict) and self.is_distributed:
            items = [Pair(Key=key, Value=value) for key, value in items.items()]
        if not isinstance(items, list):
            if self.path:
                reason = f'Reference path "{self.path}" must point to array.'
                raise failure_in_state(env, "States.Runtime", reason)
            if jsonata:
                raise _failure(env, "Items", _unexpected(jsonata, "array", items))
            raise _failure(env, None, f"Map state input must be an array but was: {_json(items)}")
        env.stack.append(items)


def with_items(original: MotoFunction, self: Any, state_props: Any, *, is_distributed: bool) -> None:
    """A Map without a list fails with AWS's error. A Distributed Map runs for each pair of an object."""
    original(self, state_props)
    declared, path = self.items or self.items_path, None
    if self._is_language_query_jsonpath():
        path = self.items_path.string_sampler.literal_value.replace("$$", "$", 1)
    else:  # see `items_declared`
        declared, self.parameters = self.parameters or declared, None
    self.items, self.items_path = _Items(declared, path, is_distributed), None


def items_declared(original: MotoFunction, self: Any) -> Any:
    """Items may be an object. moto then reads it as Arguments, which a Map does not have."""
    if self._input.LA(3) != self.LBRACE:
        return original(self)
    self._input.LT(1).type = self.ARGUMENTS
    return self.arguments_decl()


def map_item(_: MotoFunction | None, *, Index: int, Value: Any) -> dict[str, Any]:
    """In a Map over an object, the context object has the key and the value of the pair."""
    return {"Index": Index} | (Value if isinstance(Value, Pair) else {"Value": Value})


def complete_cause(original: MotoFunction, self: Any) -> Any:
    """A cause that names its state already, such as one from a branch, is complete."""
    _, cause = self.extract_error_cause_pair() or (None, None)
    if isinstance(cause, str) and cause.startswith(_OCCURRED):
        (details,) = self.failure_event.event_details.values()
        return engine_module("api").ExecutionFailedEventDetails(error=details["error"], cause=cause)
    return original(self)


def located(original: MotoFunction, self: Any, ctx: Any) -> Any:
    """An expression gets the name of its field, such as ``Choices[1]/Condition``."""
    jsonata = original(self, ctx)
    jsonata.field, node = "", ctx
    while node.parentCtx is not None and type(node).__name__ != "State_decl_bodyContext":
        if node.getChildCount() > 1 and node.getChild(1).getText() == ":":
            separator = "/" if jsonata.field and not jsonata.field.startswith("[") else ""
            jsonata.field = json.loads(node.getChild(0).getText()) + separator + jsonata.field
        siblings = [*node.parentCtx.getChildren()]
        tokens = [it.getText() for it in siblings[: siblings.index(node)] if not it.getChildCount()]
        if "[" in tokens:
            separator = "/" if jsonata.field[:1] not in "[" else ""
            jsonata.field = f"[{tokens.count(',')}]{separator}{jsonata.field}"
        node = node.parentCtx
    return jsonata


def text(original: MotoFunction, parser_rule_context: Any) -> str | None:
    """A name, key or text of a definition is read as JSON. moto keeps some of its escapes."""
    written = parser_rule_context.getText()
    read: str | None = json.loads(written) if written.startswith('"') else original(parser_rule_context)
    return read


def scope(original: MotoFunction, self: Any, parse_tree: Any) -> None:
    """A state without a QueryLanguage has that of the machine, not that of the Map or Parallel around it.

    In moto, all definitions share one list. A refused definition leaves its languages there for the next one.
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


def variable(_: MotoFunction, self: Any, env: Any) -> None:
    """A path that begins with a variable is JSONPath. moto evaluates it as JSONata."""
    paths = engine_module("asl.utils.json_path")
    name, path = re.fullmatch(r"\$([^.\[]*)(.*)", self.expression, re.DOTALL).groups()  # type: ignore[union-attr]
    values = variables(env)
    try:
        value = paths.extract_json(f"${path}", values[name]) if path else values[name]
    except (KeyError, paths.NoSuchJsonPathError) as error:
        field = f"specified for the field '{env.next_field_name}' could not be found in the variables"
        reason = f"The JSONPath '{self.expression}' {field} '{_json(values)}'"
        raise failure_in_state(env, "States.Runtime", reason) from error
    env.stack.append(copy.deepcopy(value))


def assign(_: MotoFunction, self: Any, env: Any) -> None:
    """Assign and Output see the values of variables from before the state. moto assigns at once."""
    values: dict[str, Any] = {}
    for binding in self.declaration_bindings:
        binding.eval(env=env)
        values |= env.stack.pop()
    for assigned_values, largest in ((values, _LARGEST), (variables(env) | values, _LARGEST_TOGETHER)):
        if len(_json(list(assigned_values.values())).encode()) > largest:
            name, limit = env.next_state_name, "the maximum number of bytes service limit."
            cause = f"The state/task '{name}' assigned variables with a size exceeding {limit}"
            raise task_failed(env, "States.DataLimitExceeded", cause)
    vars(env.variable_store)["pending"] = values


def assigned(_: MotoFunction, self: Any) -> dict[str, str]:
    """The variables get their values when the state ends. Its last event has them, as JSON."""
    values = vars(self).pop("pending", {})
    for name, value in values.items():
        self.set(name, value)
    return {name: _json(value) for name, value in values.items()}


def with_output(original: MotoFunction, self: Any, env: Any) -> None:
    """Retry and Catch also see the errors of Output. A failed attempt assigns nothing."""
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


def output_once(original: MotoFunction, self: Any, env: Any) -> None:
    """Output is evaluated only once, in `with_output`."""
    if not self.output:
        original(self, env)


def late_arguments(original: MotoFunction, self: Any, state_props: Any) -> None:
    """Retry and Catch of a Parallel also see the errors of Arguments. `with_arguments` evaluates them."""
    original(self, state_props)
    self.arguments = None
    if not self._is_language_query_jsonpath():
        self.arguments, self.parargs = self.parargs, None


def with_arguments(original: MotoFunction, self: Any, env: Any) -> None:
    """The Arguments of a Parallel are evaluated in each attempt. See `late_arguments`."""
    if self.arguments:
        env.stack.pop()
        self.arguments.eval(env)
    original(self, env)


def tolerated_count(_: MotoFunction, self: Any, ctx: Any) -> Any:
    """ToleratedFailureCount may be an expression. moto takes it for a ToleratedFailurePercentage."""
    module = engine_module("asl.component.state.exec.state_map.tolerated_failure")
    return module.ToleratedFailureCountStringJSONata(self.visitString_jsonata(ctx=ctx.string_jsonata()))


def rule(_: MotoFunction, self: Any, env: Any) -> None:
    """In the Assign of a rule, `$` is the input of its state. In moto, it is true."""
    self.comparison.eval(env)
    if is_true := env.stack.pop():
        for field in (self.assign, self.output):
            if field:
                field.eval(env)
    env.stack.append(is_true)


def rule_with_assign(original: MotoFunction, self: Any, ctx: Any) -> Any:
    """A rule with one comparison in JSONPath may have an Assign. moto forgets it."""
    choice_rule = original(self, ctx)
    for statement in ctx.comparison_variable_stmt():
        if statement.assign_decl():
            choice_rule.assign = self.visit(statement)
    return choice_rule


def default_rule(original: MotoFunction, self: Any, state_props: Any) -> None:
    """Only the Default has the Assign and Output of its Choice. So it becomes a last rule with both.

    In moto, they also count for a rule with the same Next.
    """
    original(self, state_props)
    if self.default_state and (self.assign_decl or self.output):
        choice = "asl.component.state.choice."
        following = engine_module("asl.component.common.flow.next").Next(name=self.default_state.state_name)
        last = engine_module(choice + "choice_rule").ChoiceRule(
            comparison=engine_module(choice + "comparison.comparison").ConditionJSONataLit(literal=True),
            next_stmt=following,
            comment=None,
            assign=self.assign_decl,
            output=self.output,
        )
        rules = [*self.choices_decl.rules, last]
        self.choices_decl = engine_module(choice + "choices_decl").ChoicesDecl(rules)
        self.default_state = self.assign_decl = self.output = None
