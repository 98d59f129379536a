"""Replace parts of moto. The table here lists everything that the emulator replaces.

Each entry names a place in moto. The docstring of the replacement gives the reason. ``moto.json`` has the
digest of the source that each entry was written for, and the places that the emulator only relies on. `check`
reads moto's files and compares the digests. It does not import moto, so it takes only a few milliseconds.
After `install`, each module is patched as soon as it is imported, before any other module or request can use
it.

To add a patch, write the replacement in one of the modules that are imported here. Add an entry, get its
digest with ``python -m sfn_emulator.engine.patches``, and write it into ``moto.json``.
"""

import contextlib
import difflib
import functools
import hashlib
import importlib.util
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from sfn_emulator.engine import (
    clients,
    definitions,
    failures,
    internals,
    many_items,
    map_runs,
    payloads,
    performance,
    query_languages,
    redrives,
    task_tokens,
)
from sfn_emulator.errors import EmulatorError
from sfn_emulator.translation import _

#: The version of moto that the digests belong to; pyproject.toml pins the same one.
#: How to change it: docs/upgrade-moto.md.
MOTO: Final = "5.2.5"


@dataclass(frozen=True)
class Patch:
    """The change of one place in moto, such as ``"moto.core.utils:Class.method"``.

    Args:
        around: Called instead of the original. It gets the original, and then the arguments of the original.
        make: Makes the replacement from the original.
        instead: Executed instead of the whole module, of which this place is the only name.
        digest: The digest of the source there. If the module only imports that name from another module of
            moto, the digest of the source in that module; from elsewhere, the digest of the whole module.
        relied: Why the emulator relies on the place, if it replaces nothing there.
        source: The place whose source has the digest, if the method is inherited.
    """

    around: Callable[..., Any] | None = None
    make: Callable[[Any], Any] | None = None
    instead: Callable[[ModuleType], None] | None = None
    digest: str = ""
    relied: str = ""
    source: str = ""

    def replacement(self, original: Any) -> Any:
        """The object that replaces the original."""
        if (around := self.around) is None:
            return self.make(original) if self.make else original

        def replaced(*arguments: Any, **named: Any) -> Any:
            return around(original, *arguments, **named)

        return replaced


_ENGINE: Final = "moto.stepfunctions.parser."
_ASL: Final = _ENGINE + "asl."
_COMMON: Final = _ASL + "component.common."
_FAILURE: Final = _COMMON + "error_name.failure_event:FailureEvent"
_STRINGS: Final = _COMMON + "string.string_expression:"
_STATE: Final = _ASL + "component.state."
_WAIT: Final = _STATE + "wait.wait_function."
_EXEC: Final = _STATE + "exec."
_EXECUTION: Final = _EXEC + "execute_state:ExecutionState"
_PARALLEL: Final = _EXEC + "state_parallel."
_PARALLEL_STATE: Final = _PARALLEL + "state_parallel:StateParallel"
_ITERATION: Final = _EXEC + "state_map.iteration."
_INLINE: Final = _ITERATION + "inline_iteration_component:InlineIterationComponent"
_TASK: Final = _EXEC + "state_task."
_SERVICE: Final = _TASK + "service.state_task_service"
_CALLBACK: Final = _SERVICE + "_callback:StateTaskServiceCallback"
_WORKER: Final = _ENGINE + "backend.execution_worker:"
_EVENTS: Final = _ASL + "eval.event.event_manager:"
_FUNCTION: Final = _ASL + "component.intrinsic.function.statesfunction."
_FORMAT: Final = _FUNCTION + "generic.string_format:"
_READER: Final = _ASL + "parse.preprocessor:"

# What replaces each place: a function that gets the original and its arguments, or a `Patch`.
_REPLACED: Final[Mapping[str, Callable[..., Any] | Patch]] = {
    # The role of a call
    _ASL + "utils.boto_client:boto_client_for": clients.boto_client_for,
    # The parameters and the result of a call
    _SERVICE + "_sfn:StateTaskServiceSfn._normalise_parameters": clients.named_as_in_api,
    _SERVICE + "_aws_sdk:StateTaskServiceAwsSdk._normalise_parameters": clients.named_as_in_api,
    _SERVICE + "_sfn:StateTaskServiceSfn._normalise_response": clients.named_as_in_definitions,
    _SERVICE + "_aws_sdk:StateTaskServiceAwsSdk._normalise_response": clients.named_as_in_definitions,
    _SERVICE + "_lambda:StateTaskServiceLambda._eval_service_task": clients.with_metadata,
    _SERVICE + "_dynamodb:StateTaskServiceDynamoDB._eval_service_task": clients.with_metadata,
    _SERVICE + "_sns:StateTaskServiceSns._eval_service_task": clients.with_metadata,
    _SERVICE + "_sqs:StateTaskServiceSqs._eval_service_task": clients.with_metadata,
    _SERVICE + "_sfn:StateTaskServiceSfn._eval_service_task": clients.with_metadata,
    _SERVICE + "_lambda:_SUPPORTED_API_PARAM_BINDINGS": Patch(make=clients.with_invocation_type),
    _SERVICE + ":StateTaskService._to_boto_request": clients.of_any_type,
    # What executions hold
    _EVENTS + "EventManager.__init__": payloads.new_history,
    _WORKER + "ExecutionWorker._get_evaluation_environment": payloads.began,
    "moto.logs.models:LogEvent": Patch(make=payloads.log_event),
    # How executions fail
    _STATE + "choice.comparison.comparison_variable:ComparisonVariable._eval_body": failures.comparison,
    _STATE + "choice.comparison.comparison_func:ComparisonFuncValue._eval_body": failures.compared,
    _COMMON + "path.result_path:ResultPath._eval_body": failures.result_path,
    _STATE + "fail.state_fail:StateFail._eval_state": failures.fail,
    _WAIT + "seconds_path:SecondsPath._validate_seconds_value": failures.seconds_to_wait,
    _WAIT + "timestamp:Timestamp._create_failure_event": failures.no_timestamp,
    _WAIT + "timestamp:TimestampPath._create_failure_event": failures.no_timestamp,
    _WAIT + "timestamp:Timestamp._get_wait_seconds": failures.seconds_until,
    _WAIT + "wait_function:WaitFunction._wait_interval": failures.wait,
    _STATE + "choice.state_choice:StateChoice._eval_state": failures.choice,
    _STATE + "state:CommonStateField._set_next": failures.next_state,
    _EVENTS + "EventManager.add_event": failures.counted_event,
    _INLINE + "EvalInput.__init__": failures.few_at_once,
    _INLINE + "._eval_body": failures.iterations,
    _INLINE + "._launch_worker": failures.worker_of_map,
    _ITERATION + "iteration_worker:IterationWorker._eval_pool": failures.one_after_another,
    _PARALLEL + "branches_decl:BranchesDecl._eval_body": failures.branches,
    _PARALLEL + "branch_worker:BranchWorker._thread_routine": failures.branch,
    _WORKER + "ExecutionWorker._execution_logic": failures.execution,
    _TASK + "service.resource:ServiceResource._eval_body": failures.resource,
    _TASK + "state_task_lambda:StateTaskLambda._from_error": failures.lambda_error,
    _SERVICE + "_lambda:StateTaskServiceLambda._error_cause_from_client_error": partial(
        failures.unmodelled, "Lambda.AWSLambdaException"
    ),
    _SERVICE + "_dynamodb:StateTaskServiceDynamoDB._error_cause_from_client_error": partial(
        failures.unmodelled, "DynamoDB.AmazonDynamoDBException"
    ),
    _ENGINE + "backend.execution:BaseExecutionWorkerCommunication._reflect_execution_status": failures.ended,
    _SERVICE + "_aws_sdk:_SERVICE_ERROR_NAMES": Patch(make=failures.service_names),
    _COMMON + "timeouts.timeout:Timeout.eval": failures.time_out,
    # Five modules import this name. What is replaced is the importer's name.
    _PARALLEL + "branches_decl:CustomErrorName": failures.carried_name,
    _ITERATION + "iteration_worker:CustomErrorName": failures.carried_name,
    _STATE + "fail.state_fail:CustomErrorName": failures.carried_name,
    _SERVICE + "_callback:CustomErrorName": failures.carried_name,
    _TASK + "state_task:StateTask._eval_parameters": failures.with_path,
    _TASK + "state_task_lambda:StateTaskLambda._eval_parameters": failures.with_path,
    _TASK + "state_task_activitiy:StateTaskActivity._eval_parameters": failures.with_path,
    _EXECUTION + "._eval_state": failures.uncaught,
    _EXEC + "state_map.state_map:StateMap._eval_state": failures.uncaught,
    _PARALLEL_STATE + "._eval_state": failures.uncaught,
    _SERVICE + "_sfn:StateTaskServiceSfn._from_error": failures.start_error,
    _FAILURE + ".__init__": failures.failure_of_state,
    # How a task waits for its token
    _CALLBACK + "._evaluate_with_timeout": task_tokens.attempt,
    _CALLBACK + "._after_eval_execution": task_tokens.after_call,
    _CALLBACK + "._eval_integration_pattern": task_tokens.wait,
    _EXEC + "execute_state:threading": Patch(make=task_tokens.finished),
    _EXECUTION + ".from_state_props": task_tokens.without_time_out,
    _COMMON + "error_name.error_equals_decl:ErrorEqualsDecl._eval_body": task_tokens.named,
    _COMMON + "timeouts.heartbeat:Heartbeat.eval": failures.time_out,
    # What a redrive needs to know
    _ASL + "eval.environment:Environment.as_inner_frame_of": redrives.frame,
    _ASL + "component.program.program:Program._eval_body": redrives.program,
    _STATE + "state:CommonStateField._eval_body": redrives.state,
    _EXECUTION + "._handle_retry": redrives.retried,
    _PARALLEL + "branches_decl:BranchesDecl.__init__": redrives.branches,
    _PARALLEL + "branch_worker:BranchWorker.__init__": redrives.branch,
    _PARALLEL + "branch_worker:BranchWorker.start": redrives.only_unsuccessful,
    _ITERATION + "iteration_worker:IterationWorker._eval_job": redrives.iteration,
    # Regular expressions that could take very long
    _ASL + "utils.json_path:_PATTERN_SLICE_OR_WILDCARD_ACCESS": Patch(make=failures.path_pattern),
    _ASL + "utils.json_path:parse": Patch(make=failures.path_parser),
    _COMMON + "path.result_path:parse": Patch(make=failures.path_parser),
    # What a definition may contain
    _ASL + "parse.asl_parser:CommonTokenStream": definitions.words,
    _READER + "Preprocessor.visitOutput_decl": definitions.any_value,
    _READER + "CustomErrorName": failures.carried_name,
    _ASL + "antlr.runtime.ASLParser:ASLParser.processor_config_field": definitions.configuration_field,
    _ASL + "antlr.runtime.ASLParser:ASLParser.payload_tmpl_decl": definitions.template,
    _READER + "Preprocessor.visitParameters_decl": definitions.parameters,
    _STATE + "state_props:StateProps.add": definitions.property_of_state,
    _WAIT + "timestamp:Timestamp._from_timestamp_string": definitions.timestamp,
    _READER + "Preprocessor.visitString_intrinsic_function": definitions.intrinsic_function,
    _FORMAT + "StringFormat._eval_body": definitions.formatted,
    # JSONata and variables
    _STRINGS + "StringJSONata._eval_body": query_languages.expression,
    _STRINGS + "StringVariableSample._eval_body": query_languages.variable,
    _READER + "Preprocessor._inner_string_of": query_languages.text,
    _READER + "from_string_literal": query_languages.text,
    _READER + "Preprocessor.visitChoice_rule_comparison_variable": query_languages.rule_with_assign,
    _READER + "Preprocessor.visitTolerated_failure_count_string_jsonata": query_languages.tolerated_count,
    _READER + "Preprocessor.visitString_jsonata": query_languages.located,
    _READER + "Preprocessor._open_query_language_scope": query_languages.scope,
    _COMMON + "assign.assign_decl:AssignDecl._eval_body": query_languages.assign,
    _ASL + "eval.variable_store:VariableStore.get_assigned_variables": query_languages.assigned,
    _EXECUTION + "._evaluate_with_timeout": query_languages.with_output,
    _EXECUTION + "._eval_state_output": query_languages.output_once,
    _PARALLEL_STATE + ".from_state_props": query_languages.late_arguments,
    _PARALLEL_STATE + "._eval_execution": query_languages.with_arguments,
    _STATE + "choice.state_choice:StateChoice.from_state_props": query_languages.default_rule,
    _STATE + "choice.choice_rule:ChoiceRule._eval_body": query_languages.rule,
    _EXEC + "state_map.state_map:StateMap.from_state_props": many_items.distributed,
    _EXEC + "state_map.state_map:StateMap._eval_execution": map_runs.execution,
    _ASL + "antlr.runtime.ASLParser:ASLParser.items_decl": query_languages.items_declared,
    _ASL + "eval.states:ItemData": query_languages.map_item,
    _ASL + "eval.states:States.reset": query_languages.without_results,
    _FAILURE + "Exception.get_execution_failed_event_details": query_languages.complete_cause,
    # How the history is written
    _STATE + "state:to_json_str": failures.compact_json,
    _ASL + "utils.encoding:_DateTimeEncoder": Patch(make=failures.utf8_encoder),
    _FUNCTION + "json_manipulation.json_to_string:json": Patch(make=failures.json_in_utf8),
    _TASK + "lambda_eval_utils:json": Patch(make=failures.json_in_utf8),
    _STATE + "state:StateData": partial(failures.with_time, "EnteredTime"),
    _WORKER + "ExecutionData": partial(failures.with_time, "StartTime"),
    # Results that moto calculates again and again
    _WORKER + "AmazonStateLanguageParser": Patch(make=many_items.parser),
    _ENGINE + "models:AmazonStateLanguageParser": Patch(make=performance.parsed_before),
    _ASL + "component.program.program:Program.eval": performance.in_same_thread,
    _ENGINE + "utils:TMP_THREADS": Patch(make=performance.forgotten),
    "moto.core.model:ServiceModel.operation_model": Patch(make=performance.only_own_models),
    "moto.core.utils:method_names_from_class": Patch(make=performance.remembered),
    "moto.core.serialize:XFormedAttributePicker.get_possible_keys": Patch(make=performance.remembered_keys),
    "moto.moto_api._internal.moto_random:MotoRandom.get_random_string": performance.random_string,
    "moto.moto_server.werkzeug_app:DomainDispatcherApplication.get_backend_for_host": Patch(
        make=performance.remembered
    ),
    "moto.dynamodb.models:copy": Patch(make=performance.sparing_copy),
    "moto.dynamodb.models:DynamoDBBackend.transact_write_items": performance.sparing_transaction,
    _COMMON + "retry.retrier_decl:time": Patch(make=performance.paced),
    # Buckets
    "moto.s3.models:FakeBucket.get_permission": failures.no_bucket_policy,
    # What moto's IAM refuses, and AWS does not
    "moto.iam.models:IAMBackend.put_group_policy": partial(internals.inline_policy, "group"),
    "moto.iam.models:IAMBackend.put_role_policy": partial(internals.inline_policy, "role"),
    "moto.iam.models:IAMBackend.put_user_policy": partial(internals.inline_policy, "user"),
    # Objects that take much memory
    "moto.batch:batch_backends": Patch(instead=performance.late_batch),
    "moto.core.common_models:BaseModel.__new__": performance.forgotten_instance,
    "moto.iam.models:get_account_id_from": performance.account_of_key,
    "moto.iam.models:IAMBackend._init_aws_policies": performance.managed_policies,
}
_READ: Final = json.loads(Path(__file__).with_name("moto.json").read_text("utf-8"))
#: Everything that the emulator replaces, or that it relies on.
PATCHES: Final = {
    place: replace(it if isinstance(it, Patch) else Patch(it), **_READ.get(place, {}))
    for place in {**_REPLACED, **_READ}
    for it in [_REPLACED.get(place)]
}


def check(patches: Mapping[str, Patch] = PATCHES) -> None:
    """Compare the digests with moto's files, without importing moto.

    Raises:
        EmulatorError: moto is not installed, or something that is patched is missing or different.
    """
    for place, patch in patches.items():
        if (digest := digest_of(patch.source or place)) != patch.digest:
            name = (patch.source or place).replace(":", ".")
            raise _not_this_moto(
                _("{name} is missing", name=name)
                if digest is None
                else _("{name} is not the one that this emulator was written for", name=name)
            )


def digest_of(place: str) -> str | None:
    """A digest of the source of a place. The module is not imported. None if there is no such place."""
    source = source_of(place)
    return None if source is None else hashlib.sha256(source.encode()).hexdigest()[:12]


def source_of(place: str, folder: Path | None = None) -> str | None:
    """The source of a place in the installed moto, or in the moto of a folder. None if it is missing."""
    module, _, attribute = place.partition(":")
    if (text := _text_of(module, folder)) is None:
        return None
    source = _source_of(text, attribute)
    names = rf"^(?:from (\S+) )?import (?:\([^()]*\s)?{attribute}\b"
    if source is None and (imported := re.search(names, text, re.MULTILINE)):
        if (imported[1] or "").startswith("moto."):
            return source_of(f"{imported[1]}:{attribute}", folder)
        source = f"\n{text}"
    return source


@functools.cache
def _text_of(module: str, folder: Path | None) -> str | None:
    if (folder := folder or _folder_of(module.partition(".")[0])) is None:
        return None
    path = folder.joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        with contextlib.suppress(OSError):
            return file.read_text("utf-8")
    return None


@functools.cache
def _folder_of(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)  # finds it without importing it
    return None if spec is None or spec.origin is None else Path(spec.origin).parents[1]


def _source_of(text: str, attribute: str) -> str | None:
    # Plain searches: to compile a regular expression for each name would take longer.
    text, begin, end, indent = f"\n{text}", 0, len(text) + 1, ""
    for name in attribute.split("."):
        forms = (f"def {name}(", f"class {name}(", f"class {name}:", f"{name} =", f"{name}:")
        positions = [text.find(f"\n{indent}{form}", begin, end) for form in forms]
        if not (starts := [position for position in positions if position >= 0]):
            return None
        begin = min(starts) + 1
        # It ends at the next line that is indented no further than the definition, except a closing bracket.
        after = re.compile(rf"\n(?!{indent}[ )\]}}]|\s*$)", re.MULTILINE).search(text, begin, end)
        end, indent = after.start() + 1 if after else end, f"{indent}    "
    return text[begin:end].rstrip()


def install() -> None:
    """Check the digests. From then on, each module of moto is patched when it is imported.

    Raises:
        EmulatorError: As for `check`.
        RuntimeError: A module is imported already, so other modules may use the unpatched functions.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    check()
    if early := {place.partition(":")[0] for place in PATCHES} & set(sys.modules):
        raise RuntimeError(f"{', '.join(sorted(early))}: imported before the patches were installed")
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds the modules that need patches, and patches each of them right after it is executed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        patches = [patch for place, patch in PATCHES.items() if place.startswith(f"{fullname}:")]
        if not patches:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            execute = patches[0].instead or spec.loader.exec_module

            def execute_and_patch(module: ModuleType) -> None:
                execute(module)
                apply(module)

            spec.loader.exec_module = execute_and_patch  # type: ignore[method-assign]
        return spec


_patched: Final[set[str]] = set()


def apply(module: ModuleType, patches: Mapping[str, Patch] = PATCHES) -> None:
    """Apply the patches of an imported module. A second call does nothing.

    Raises:
        EmulatorError: A place of a patch does not exist.
    """
    if module.__name__ in _patched:
        return
    for place, patch in patches.items():
        if patch.instead or not place.startswith(f"{module.__name__}:"):
            continue
        *path, name = place.partition(":")[2].split(".")
        try:
            owner = functools.reduce(getattr, path, module)
            original, static = getattr(owner, name), inspect.getattr_static(owner, name)
        except AttributeError as error:
            raise _not_this_moto(_("{name} is missing", name=place.replace(":", "."))) from error
        if not patch.relied:
            made = patch.replacement(original)
            setattr(owner, name, staticmethod(made) if isinstance(static, staticmethod) else made)
    _patched.add(module.__name__)


def _not_this_moto(what: str) -> EmulatorError:
    from importlib import metadata

    version = next((it.version for it in metadata.distributions(name="moto")), _("(not installed)"))
    command = f"{sys.executable} -m pip install 'sfn-emulator[server]'"
    next_step = _("Run `{command}`: it installs moto {version}", command=command, version=MOTO)
    return EmulatorError(f"moto {version}", what, next_step)


def report(patches: Mapping[str, Patch] = PATCHES, before: Path | None = None) -> Iterator[str]:
    """Lines about each place that is not the one of its digest: the digest here, the one now, and the place.

    Args:
        patches: The entries to compare with moto's files.
        before: A folder with the moto of the digests. If it is given, the difference of each source follows.
    """
    changed = 0
    for place, patch in patches.items():
        where = patch.source or place
        if (found := digest_of(where)) == patch.digest:
            continue
        changed += 1
        yield f"{patch.digest} -> {found or 'missing'} {place}"
        if before:
            old, new = ((source_of(where, folder) or "").splitlines() for folder in (before, None))
            yield from difflib.unified_diff(old, new, lineterm="")
    yield f"{changed} of {len(patches)} places differ"


if __name__ == "__main__":
    told = report(before=Path(sys.argv[1]) if sys.argv[1:] else None)
    sys.stdout.writelines(f"{line}\n" for line in told)
