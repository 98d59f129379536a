"""Read what moto's parser cannot read of a Distributed Map, and evaluate it: where its items are from.

Before moto parses a definition, `parser` takes out ItemReader, ItemBatcher and ResultWriter. Each Map keeps
its own fields (`Written`), and `map_runs` runs it.
"""

import copy
import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Final

from sfn_emulator.engine import query_languages
from sfn_emulator.engine.failures import failure_in_state, task_failed, with_path
from sfn_emulator.engine.internals import MotoFunction, engine_module
from sfn_emulator.engine.performance import remembered_parser
from states_language import all_states
from states_language.items import ItemsError, batches, read_items

#: The values of `InputType` that the emulator reads.
READ: Final = ("CSV", "JSON", "JSONL")
_TAKEN: Final = ("ItemReader", "ItemBatcher", "ResultWriter")
# A definition without these words has nothing that moto's parser cannot read.
_UNREADABLE: Final = ("DISTRIBUTED", "ToleratedFailurePercentage", *_TAKEN)
# The Distributed Maps of the definition that is parsed now.
_maps: ContextVar[Mapping[str, Any] | None] = ContextVar("maps", default=None)


@dataclass(frozen=True)
class Written:
    """The fields of a Distributed Map as its definition has them.

    Args:
        fields: All fields of the state.
        language: Its query language.
        children: The definition of its child executions.
        type: Their type: ``"STANDARD"`` or ``"EXPRESS"``.
        templates: In JSONPath, what moto evaluates instead of ItemReader and ItemBatcher.
    """

    fields: Mapping[str, Any]
    language: str
    children: str
    type: str
    templates: Mapping[str, Any]

    def evaluated(self, env: Any, name: str) -> dict[str, Any]:
        """The value of ItemReader or ItemBatcher, in which paths and expressions have their values."""
        if self.language == "JSONata":
            value: dict[str, Any] = _evaluated(self.fields[name], name, env)
            return value
        with_path(lambda _, env: self.templates[name].eval(env), None, env)
        value = env.stack.pop()
        for field, each in value.items():
            if f"{field}Path" in _flat(self.fields[name]):
                value[field] = _whole_number(env, field, each, _flat(self.fields[name])[f"{field}Path"])
        return value


def is_distributed(state: Mapping[str, Any]) -> bool:
    """Whether a state is a Map in distributed mode."""
    processor = state.get("ItemProcessor") or state.get("Iterator")
    config = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
    return isinstance(config, dict) and config.get("Mode") == "DISTRIBUTED"


def parser(original: Any) -> Any:
    """Moto's parser, which reads only what it can read of a Distributed Map, and reads everything once."""
    return remembered_parser(_with_maps(original.parse))


@lru_cache(1)
def _with_maps(parse: MotoFunction) -> MotoFunction:
    # It says that tolerated failures have no effect, which is not so here.
    logging.getLogger("moto.stepfunctions.parser.asl.parse.preprocessor").setLevel(logging.ERROR)

    def parse_all(definition: str) -> Any:
        if not any(f'"{word}"' in definition for word in _UNREADABLE):
            return parse(definition)
        machine = json.loads(definition)
        default = machine.get("QueryLanguage", "JSONPath")
        maps: dict[str, Any] = {name: it for name, it in all_states(machine) if it["Type"] == "Map"}
        written = {name: _written(it, default, parse) for name, it in maps.items() if is_distributed(it)}
        for state in maps.values():
            _simplify(state)
        token = _maps.set(written)
        try:
            return parse(json.dumps(machine, ensure_ascii=False))
        finally:
            _maps.reset(token)

    return parse_all


def _simplify(state: dict[str, Any]) -> None:
    """Leave in a Map only what moto's parser can read."""
    for field in _TAKEN:
        state.pop(field, None)
    if is_distributed(state):
        (state.get("ItemProcessor") or state["Iterator"])["ProcessorConfig"]["ExecutionType"] = "STANDARD"
    percentage = state.get("ToleratedFailurePercentage")
    if isinstance(percentage, int):
        state["ToleratedFailurePercentage"] = float(percentage)


def _written(state: Mapping[str, Any], default: str, parse: MotoFunction) -> Written:
    language = state.get("QueryLanguage", default)
    processor = state.get("ItemProcessor") or state.get("Iterator") or {}
    children = {"QueryLanguage": default, **processor}
    del children["ProcessorConfig"]
    kind = str(processor["ProcessorConfig"].get("ExecutionType") or "STANDARD")
    templates = {}
    if language == "JSONPath":
        for name in {"ItemReader", "ItemBatcher"} & state.keys():
            flat = _flat(state[name])
            template = {re.sub("Path$", ".$", key): it for key, it in flat.items()}
            single = {"Type": "Pass", "Parameters": template, "End": True}
            machine = json.dumps({"StartAt": name, "States": {name: single}})
            templates[name] = parse(machine)[0].states.states[name].parameters
    definition = json.dumps(children, ensure_ascii=False)
    return Written(copy.deepcopy(state), language, definition, kind, templates)


def _flat(field: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ItemReader or ItemBatcher, and of the ReaderConfig in it, side by side."""
    flat = {**field.get("ReaderConfig", {}), **field}
    flat.pop("ReaderConfig", None)
    return flat


def distributed(original: MotoFunction, self: Any, state_props: Any) -> None:
    """A Distributed Map gets its fields, also those that moto's parser cannot read."""
    self.written = (_maps.get() or {}).get(state_props.name)
    query_languages.with_items(original, self, state_props, is_distributed=self.written is not None)


def _evaluated(value: Any, field: str, env: Any) -> Any:
    """The value of a field in JSONata."""
    if isinstance(value, dict):
        return {key: _evaluated(each, f"{field}/{key}", env) for key, each in value.items()}
    if isinstance(value, list):
        return [_evaluated(each, f"{field}[{n}]", env) for n, each in enumerate(value)]
    if not (isinstance(value, str) and value.startswith("{%") and value.endswith("%}")):
        return value
    return query_languages.value_of(SimpleNamespace(expression=value[2:-2].strip(), field=field), env)


def _whole_number(env: Any, field: str, value: Any, path: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        shown = (
            value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        )
        reason = f'The {field}Path field refers to value "{shown}" which is not a valid integer: {path}'
        raise failure_in_state(env, "States.Runtime", reason) from None


def reader_failed(env: Any, cause: str) -> Exception:
    """The error of a Map whose items cannot be read."""
    return task_failed(env, "States.ItemReaderFailed", cause)


def items_of(env: Any, written: Written, text: str | None = None) -> tuple[list[Any], str]:
    """Read the items of a Map with an ItemReader, as its role.

    Args:
        env: The environment of the state.
        written: Its fields.
        text: The content of the file; None to read it from S3.

    Returns:
        The items, and where they are from, as `Map.Item.Source` says it.

    Raises:
        Exception: They cannot be read. Retry and Catch see the error.
    """
    reader = written.evaluated(env, "ItemReader")
    config = {**written.fields["ItemReader"].get("ReaderConfig", {})}
    values = _flat(reader)
    where = values.get("Arguments") or values.get("Parameters") or {}
    most = values.get("MaxItems") or None
    if most is not None and most < 0:
        raise reader_failed(env, "field MaxItems must be positive")
    lists = str(reader.get("Resource", "")).endswith(":s3:listObjectsV2")
    needed = ("Bucket",) if lists else ("Bucket", "Key")
    if not isinstance(where, dict) or not all(isinstance(where.get(name), str) for name in needed):
        raise reader_failed(env, f"ItemReader needs {' and '.join(needed)}, as texts.")
    source = "S3://" + "/".join(str(where[name]) for name in ("Bucket", "Key") if name in where)
    kind, how = config.get("InputType", "JSON"), config.get("Transformation", "NONE")
    if how != "NONE" or (kind not in READ and not lists):
        missing = kind if how == "NONE" else how
        raise reader_failed(env, f"The emulator does not have ItemReader's {missing}.")
    if lists:
        return [*_listed(env, where)][:most], source
    text = _content(env, where) if text is None else text
    try:
        return read_items(text, {"InputType": "JSON"} | config, most), source
    except ItemsError as error:
        raise reader_failed(env, str(error)) from error


def _content(env: Any, where: Mapping[str, Any]) -> str:
    content: bytes = _s3(env, "get_object", **where)["Body"].read()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise reader_failed(env, "The items are not a text in UTF-8.") from error


def _listed(env: Any, where: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    token: dict[str, str] = {}
    while True:
        page = _s3(env, "list_objects_v2", **where, **token)
        for each in page.get("Contents", []):
            yield {
                "Etag": each["ETag"],
                "Key": each["Key"],
                "LastModified": each["LastModified"].timestamp(),
                "Size": each["Size"],
                "StorageClass": each["StorageClass"],
            }
        if not page.get("IsTruncated"):
            return
        token = {"ContinuationToken": page["NextContinuationToken"]}


def _s3(env: Any, operation: str, **given: Any) -> Any:
    """Call S3 as the role of the execution."""
    from botocore.exceptions import ClientError, ParamValidationError

    role = SimpleNamespace(role_arn=env.aws_execution_details.role_arn)
    make = engine_module("asl.utils.boto_client").boto_client_for
    client = make(region=env.aws_execution_details.region, service="s3", state_credentials=role)
    try:
        return getattr(client, operation)(**given)
    except (ClientError, ParamValidationError) as error:
        raise reader_failed(env, _told(error)) from error


def _told(error: Any) -> str:
    """What a service said, in the form of AWS's SDK for Java."""
    response = getattr(error, "response", None)
    if response is None:  # the client refused the name of the bucket
        return "The specified bucket is not valid."
    told, meta = response["Error"], response["ResponseMetadata"]
    ids = f"Request ID: {meta.get('RequestId', '')}, Extended Request ID: {meta.get('HostId', '')}"
    return f"{told['Message']} (Service: S3, Status Code: {meta['HTTPStatusCode']}, {ids})"


def inputs(env: Any, written: Written, items: Iterator[Any]) -> Iterator[tuple[Any, int]]:
    """The inputs of the child executions, with the number of the items in each."""
    if "ItemBatcher" not in written.fields:
        yield from ((item, 1) for item in items)
        return
    batcher = written.evaluated(env, "ItemBatcher")
    most = [batcher.get(f"Max{name}PerBatch") or 0 for name in ("Items", "InputBytes")]
    for batch in batches(items, *most, common=batcher.get("BatchInput")):
        yield batch, len(batch["Items"])
