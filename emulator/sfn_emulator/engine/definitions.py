"""Let moto read every definition that AWS accepts.

`states_language` decides what is valid. Each function here replaces a function of moto, and `patches` lists
them. Its arguments are the original function and then the arguments of the original.

See https://states-language.net
"""

import datetime
import json
import re
from typing import Any, Final

from sfn_emulator.engine.failures import failure_in_state
from sfn_emulator.engine.internals import MotoFunction, engine_module
from states_language.paths import Call, Literal, call

_NODES: Final = "asl.component."
# Words that moto's grammar does not know as a name or a text. It needs each one in its own field.
_FIELDS: Final = {"CAUSEPATH", "ERRORPATH"}
_LANGUAGES: Final = {"JSONATA", "JSONPATH"}
# Fields that may have any value, and with which words a value begins that moto can read.
_READ_ALREADY: Final = {"ITEMSELECTOR": ("LBRACE",), "ARGUMENTS": ("LBRACE", "STRINGJSONATA")}
# The fields that hold any JSON.
_PAYLOADS: Final = {
    "ARGUMENTS", "ASSIGN", "BATCHINPUT", "ITEMS", "ITEMSELECTOR", "OUTPUT", "PARAMETERS", "RESULT",
    "RESULTSELECTOR",
}  # fmt: skip
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)", re.ASCII)


def words(original: MotoFunction, lexer: Any) -> Any:
    """The words of a definition. `"JSONata"` may stand for itself, also as a name and in a payload.

    Arguments and ItemSelector may have any value, as Output may. See `any_value`.
    """
    stream = original(lexer)
    stream.fill()
    tokens, number_of, holders = stream.tokens, vars(type(lexer)), ["fields"]
    names = {number: name for name, number in number_of.items() if isinstance(number, int)}
    kinds = ["", "", *(names.get(token.type, "") for token in tokens), "", ""]
    for index, token in enumerate(tokens):
        field, before, kind, after, value = kinds[index : index + 5]
        holder, in_field = holders[-1], before == "COLON"
        if kind in {"LBRACE", "LBRACK"}:
            if in_field and holder == "names":
                holder = "fields"
            elif in_field and holder == "fields":
                holder = "names" if field == "STATES" else "payload" if field in _PAYLOADS else "fields"
            holders.append(holder)
        elif kind in {"RBRACE", "RBRACK"} and len(holders) > 1:
            holders.pop()
        elif kind in _FIELDS | _LANGUAGES:
            is_field = kind in _FIELDS and after == "COLON"
            names_language = kind in _LANGUAGES and in_field and field == "QUERYLANGUAGE"
            if holder != "fields" or not (is_field or names_language):
                token.type = number_of["STRING"]
        elif holder == "fields" and after == "COLON" and value not in _READ_ALREADY.get(kind, (value,)):
            token.type = number_of["OUTPUT"]
    return stream


def any_value(original: MotoFunction, self: Any, ctx: Any) -> Any:
    """Arguments and ItemSelector are read as Output is. See `words`."""
    output = original(self, ctx)
    field, value = ctx.getChild(0).getText(), output.jsonata_template_value
    if field == '"ItemSelector"':
        return engine_module(_NODES + "state.exec.state_map.item_selector").ItemSelector(value)
    if field == '"Arguments"':
        return engine_module(_NODES + "common.parargs").ArgumentsJSONataTemplateValueObject(value)
    return output


def template(original: MotoFunction, self: Any) -> Any:
    """Parameters may be a list. See `parameters`."""
    return self.payload_arr_decl() if self._input.LA(1) == self.LBRACK else original(self)


def parameters(original: MotoFunction, self: Any, ctx: Any) -> Any:
    """The value of Parameters, which is the third part of its declaration, may be a list."""
    if ctx.payload_tmpl_decl():
        return original(self, ctx)
    return engine_module(_NODES + "common.parargs").Parameters(self.visit(ctx.getChild(2)))


def configuration_field(original: MotoFunction, self: Any) -> Any:
    """A ProcessorConfig may be empty."""
    return None if self._input.LA(1) == self.RBRACE else original(self)


def property_of_state(original: MotoFunction, self: Any, instance: Any) -> None:
    """If End is false, it says nothing. moto refuses it beside Next."""
    if not (isinstance(instance, engine_module(_NODES + "common.flow.end").End) and not instance.is_end):
        original(self, instance)


def timestamp(_: MotoFunction | None, timestamp: str) -> datetime.datetime | None:
    """A timestamp may have an offset. The result is in local time, which moto compares it with."""
    if not (isinstance(timestamp, str) and _TIMESTAMP.fullmatch(timestamp)):
        return None
    try:
        return datetime.datetime.fromisoformat(timestamp).astimezone().replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def intrinsic_function(_: MotoFunction, self: Any, ctx: Any) -> Any:
    """Read the call of an intrinsic function. moto does not know the escapes of its strings, and null.

    Raises:
        ValueError: It is no call.
    """
    text = json.loads(ctx.STRINGINTRINSICFUNC().getText())
    if (its_call := call(text)) is None:
        raise ValueError("This is no call of an intrinsic function")
    strings = engine_module(_NODES + "common.string.string_expression")
    return strings.StringIntrinsicFunction(text, _Function(_function(its_call), text))


class _Function:
    """A function whose failure is States.IntrinsicFailure, which Retry and Catch see."""

    def __init__(self, function: Any, text: str) -> None:
        self._function, self._text = function, text
        self.name = function.name

    def eval(self, env: Any) -> None:
        """Put the result on the stack.

        Raises:
            Exception: The function fails, or a path leads nowhere.
        """
        known = (
            engine_module(_NODES + "common.error_name.failure_event").FailureEventException,
            engine_module("asl.utils.json_path").NoSuchJsonPathError,
        )
        try:
            self._function.eval(env)
        except known:
            raise
        except Exception as error:
            reason = f"The intrinsic function '{self._text}' failed with the given arguments."
            raise failure_in_state(env, "States.IntrinsicFailure", reason) from error


def _function(its_call: Call) -> Any:
    """What moto runs for a call."""
    functions = _NODES + "intrinsic."
    names = engine_module(functions + "functionname.states_function_name")
    kinds = engine_module(functions + "functionname.state_function_name_types").StatesFunctionNameType
    module = engine_module(functions + "argument.argument")
    arguments: list[Any] = []
    for argument in its_call.arguments:
        if isinstance(argument, Call):
            arguments.append(module.ArgumentFunction(_function(argument)))
        elif isinstance(argument, Literal):
            value, is_template = argument.value, its_call.function == "Format" and not arguments
            if isinstance(value, str) and not is_template:
                value = re.sub(r"\\(.)", r"\1", value)
            arguments.append(module.ArgumentLiteral(value))
        elif argument.text.startswith("$$"):
            arguments.append(module.ArgumentContextPath(argument.text))
        elif re.match(r"\$([.\[]|$)", argument.text):
            arguments.append(module.ArgumentJsonPath(argument.text))
        else:
            strings = engine_module(_NODES + "common.string.string_expression")
            language = engine_module(_NODES + "common.query_language").QueryLanguageMode.JSONPath
            arguments.append(module.ArgumentVar(strings.StringVariableSample(language, argument.text)))
    factory = engine_module(functions + "function.statesfunction.factory").StatesFunctionFactory
    name = names.StatesFunctionName(kinds[its_call.function])
    return factory.from_name(func_name=name, argument_list=module.ArgumentList(arguments))


def formatted(_: MotoFunction, self: Any, env: Any) -> None:
    """Fill in a template. moto also takes it for one of Python, so it fails at a single bracket."""
    self.argument_list.eval(env=env)
    template, *values = env.stack.pop()
    texts = [self._to_str_repr(value) for value in values]
    env.stack.append(re.sub(r"\\(['\\{}])|\{\}", lambda match: match[1] or texts.pop(0), template))
