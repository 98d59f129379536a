"""Replace parts of moto. The table here lists everything that the emulator replaces or relies on.

Each entry names a place in moto, and has a digest of the source that it was written for. The docstring of the
replacement gives the reason. `check` reads moto's files and compares the digests. It does not import moto, so
it takes only a few milliseconds. After `install`, each module is patched as soon as it is imported, before
any other module or request can use it.

To add a patch, write the replacement in one of the modules that are imported here. Add an entry, and get
its digest with ``python -m sfn_emulator.engine.patches``.
"""

import contextlib
import difflib
import functools
import hashlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
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
        digest: The digest of the source there. If the module only imports that name from another module of
            moto, the digest of the source in that module; from elsewhere, the digest of the whole module.
        around: Called instead of the original. It gets the original, and then the arguments of the original.
        make: Makes the replacement from the original.
        instead: Executed instead of the whole module, of which this place is the only name.
        relied: Why the emulator relies on the place, if it replaces nothing there.
        source: The place whose source has the digest, if the method is inherited.
    """

    digest: str
    around: Callable[..., Any] | None = None
    make: Callable[[Any], Any] | None = None
    instead: Callable[[ModuleType], None] | None = None
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
_ACTIVITY: Final = _TASK + "state_task_activitiy:StateTaskActivity"
_SERVICE: Final = _TASK + "service.state_task_service"
_CALLBACK: Final = _SERVICE + "_callback:StateTaskServiceCallback"
_WORKER: Final = _ENGINE + "backend.execution_worker:"
_EVENTS: Final = _ASL + "eval.event.event_manager:"
_FORMAT: Final = _ASL + "component.intrinsic.function.statesfunction.generic.string_format:"
_READER: Final = _ASL + "parse.preprocessor:"
_COMPONENT: Final = _ASL + "component.eval_component:EvalComponent"
_COMPONENT_PROGRAM: Final = _ASL + "component.program.program:Program"
_TASK_SERVICE: Final = _SERVICE + ":StateTaskService."

# Places that the emulator does not replace: the digest, and why the emulator relies on it.
_RELIED: Final = {
    _ITERATION + "job:JobPool": ("6bf46e9cd8aa", "`failures.worker_of_map` ends it."),
    # Objects that `backends` reads directly, because calls of moto's API would be too slow.
    _EVENTS + "EventIdGenerator": ("52de7f9d1c2a", "`failures.counted_event` reads _next_id."),
    # `executions` makes them, and moto gives their events to its logs.
    _ENGINE + "backend.execution:Execution": ("846b6902ac78", "Its status and its worker are read, too."),
    _ENGINE + "backend.execution:SyncExecution": ("9b1f1e61c701", "`executions` changes its worker."),
    _ENGINE + "backend.execution_worker:ExecutionWorker": (
        "4c3ac97f1223",
        "`redrives` and `map_runs` make others.",
    ),
    _EVENTS + "EventManager._publish_history_log": ("4804c146352d", "It calls `execution_log`."),
    _ASL + "eval.event.logging:is_logging_enabled_for": ("785b873cab5d", "It knows the levels."),
    _ENGINE + "models:stepfunctions_parser_backends": ("43b661e07e15", "`backends` looks there."),
    "moto.awslambda_simple.models:lambda_simple_backends": (
        "91543c9c7f1d",
        "`backends` finds functions there.",
    ),
    "moto.awslambda.models:LambdaStorage.__init__": ("ff74534e1b5c", "`backends` knows its dictionary."),
    "moto.events.models:events_backends": ("27e0d4d90f80", "`backends` finds rules there."),
    "moto.events.models:EventBus.__init__": ("b97afc7b2d39", "`backends` knows its dictionary."),
    "moto.events.models:Rule.__init__": ("c1dd7c1b662e", "`backends` reads its attributes."),
    "moto.events.models:EventPattern": ("d2128cfabce0", "`backends` asks for its text."),
    "moto.iam.models:iam_backends": ("da9925a1ac85", "`backends` finds users and roles there."),
    "moto.iam.models:IAMBackend.__init__": ("47c171c36eea", "`backends` knows its dictionaries."),
    "moto.iam.models:Role.__init__": ("c922994ba4bf", "`backends` asks for a role's permissions boundary."),
    "moto.iam.models:AccessKey.__init__": ("aa1d92a119b6", "`backends` asks for role and user."),
    "moto.sts.models:sts_backends": ("94cb35c57dab", "`backends` finds sessions there."),
    "moto.sts.models:STSBackend.__init__": ("59e7705c2b5a", "`backends` knows assumed_roles."),
    # Methods that `state_run` replaces in the objects of one state, and code that it repeats.
    _ASL + "eval.environment:Environment": ("ec16ccaa7a1e", "One is made, and its event is read."),
    _ASL + "eval.states:States": ("91c63fc927f8", "Its context object is replaced; its data is read."),
    _ASL + "eval.variable_store:VariableStore": ("29ecd6137e19", "Both of its scopes are read."),
    _COMPONENT: ("23299bc15ded", "It calls _eval_body."),
    _COMMON + "path.result_path:ResultPath": ("dc7f04963f10", "The stack is read before it and after it."),
    _COMMON + "catch.catcher_decl:CatcherDecl": ("0b6834e388ff", "Its outcome is read from the stack."),
    _COMMON + "retry.retry_decl:RetryDecl": ("6e5eeb1d42a7", "The retrier is chosen in the same way."),
    _COMMON + "retry.retrier_decl:RetrierDecl": ("b644362e3771", "The same interval is calculated."),
    _STATE + "state_pass.state_pass:StatePass": ("4d9868d82f6c", "The data of its components is noted."),
    _EXECUTION: ("17243126b248", "Its call and its _handle_retry are replaced."),
    _PARALLEL_STATE: ("8bd11262e2d8", "As for ExecutionState."),
    _EXEC + "state_map.state_map:StateMap": ("9774f28044fe", "Its fields are evaluated in the same order."),
    _COMPONENT_PROGRAM: ("66ad2a56d5a6", "`map_runs` does what its eval does."),
    _CALLBACK: ("2caed4f348ef", "Without a condition, it makes no token."),
}
PATCHES: Final[Mapping[str, Patch]] = {
    # The role of a call
    _ASL + "utils.boto_client:boto_client_for": Patch("2c53599692cb", clients.boto_client_for),
    # The parameters and the result of a call
    _SERVICE + "_sfn:StateTaskServiceSfn._normalise_parameters": Patch(
        "50caf9981474", clients.named_as_in_api
    ),
    _SERVICE + "_aws_sdk:StateTaskServiceAwsSdk._normalise_parameters": Patch(
        "dcfcbe056f37", clients.named_as_in_api, source=_TASK_SERVICE + "_normalise_parameters"
    ),
    **dict.fromkeys(
        [
            _SERVICE + f"{name}._normalise_response"
            for name in ("_sfn:StateTaskServiceSfn", "_aws_sdk:StateTaskServiceAwsSdk")
        ],
        Patch("ae80ebde5ab4", clients.named_as_in_definitions, source=_TASK_SERVICE + "_normalise_response"),
    ),
    **{
        _SERVICE + f"{name}._eval_service_task": Patch(digest, clients.with_metadata)
        for name, digest in {
            "_lambda:StateTaskServiceLambda": "00dfbf728d1e",
            "_dynamodb:StateTaskServiceDynamoDB": "a8c31b5290b8",
            "_sns:StateTaskServiceSns": "bf4da4b1c811",
            "_sqs:StateTaskServiceSqs": "9f8d7e07977c",
            "_sfn:StateTaskServiceSfn": "b0f224c97c3d",
        }.items()
    },
    _SERVICE + "_lambda:_SUPPORTED_API_PARAM_BINDINGS": Patch(
        "1de54d814820", make=clients.with_invocation_type
    ),
    _TASK_SERVICE + "_to_boto_request": Patch("1503a815ba8e", clients.of_any_type),
    _TASK_SERVICE + "_from_boto_response": Patch("da8d27aca51f", relied="`clients` calls it."),
    # What executions hold
    _EVENTS + "EventManager.__init__": Patch("14d09194c256", payloads.new_history),
    _WORKER + "ExecutionWorker._get_evaluation_environment": Patch("cff810a24778", payloads.began),
    "moto.logs.models:LogEvent": Patch("0ad6e64951d8", make=payloads.log_event),
    # How executions fail
    _STATE + "choice.comparison.comparison_variable:ComparisonVariable._eval_body": Patch(
        "91a5ac8b291a", failures.comparison
    ),
    _STATE + "choice.comparison.comparison_func:ComparisonFuncValue._eval_body": Patch(
        "46e7af391734", failures.compared
    ),
    _COMMON + "path.result_path:ResultPath._eval_body": Patch("4d10162785fb", failures.result_path),
    _STATE + "fail.state_fail:StateFail._eval_state": Patch("6ca7a32d2282", failures.fail),
    _WAIT + "seconds_path:SecondsPath._validate_seconds_value": Patch(
        "006c0f58b483", failures.seconds_to_wait
    ),
    _WAIT + "timestamp:Timestamp._create_failure_event": Patch("c5decd74428b", failures.no_timestamp),
    _WAIT + "timestamp:TimestampPath._create_failure_event": Patch("8be3e52078ff", failures.no_timestamp),
    _STATE + "choice.state_choice:StateChoice._eval_state": Patch("bffca6f28a83", failures.choice),
    _STATE + "state:CommonStateField._set_next": Patch("bea8b94eae4f", failures.next_state),
    _EVENTS + "EventManager.add_event": Patch("eaae0fa64a8a", failures.counted_event),
    _INLINE + "EvalInput.__init__": Patch("0dac86a78efe", failures.few_at_once),
    _INLINE + "._eval_body": Patch("af30d637f5e7", failures.iterations),
    _INLINE + "._launch_worker": Patch("a93f0b5f9ccd", failures.worker_of_map),
    _ITERATION + "iteration_worker:IterationWorker._eval_pool": Patch(
        "8b1096457ca2", failures.one_after_another
    ),
    _PARALLEL + "branches_decl:BranchesDecl._eval_body": Patch("28d548e70755", failures.branches),
    _PARALLEL + "branch_worker:BranchWorker._thread_routine": Patch("6dc2f9be262f", failures.branch),
    _WORKER + "ExecutionWorker._execution_logic": Patch("9bedb00f3312", failures.execution),
    _TASK + "service.resource:ServiceResource._eval_body": Patch(
        "d7ebd4f681f3", failures.resource, source=_TASK + "service.resource:Resource._eval_body"
    ),
    _TASK + "state_task_lambda:StateTaskLambda._from_error": Patch("d03cb09dc45b", failures.lambda_error),
    _SERVICE + "_lambda:StateTaskServiceLambda._error_cause_from_client_error": Patch(
        "82498eabdbe1", partial(failures.unmodelled, "Lambda.AWSLambdaException")
    ),
    _SERVICE + "_dynamodb:StateTaskServiceDynamoDB._error_cause_from_client_error": Patch(
        "e4a41e785a9a", partial(failures.unmodelled, "DynamoDB.AmazonDynamoDBException")
    ),
    _ENGINE + "backend.execution:BaseExecutionWorkerCommunication._reflect_execution_status": Patch(
        "1ada2e9dd154", failures.ended
    ),
    _SERVICE + "_aws_sdk:_SERVICE_ERROR_NAMES": Patch("8ba4f3ddad07", make=failures.service_names),
    _COMMON + "timeouts.timeout:Timeout.eval": Patch(
        "385d9062a4ec", failures.time_out, source=_COMPONENT + ".eval"
    ),
    # Five modules import this name. What is replaced is the importer's name.
    _PARALLEL + "branches_decl:CustomErrorName": Patch("9fe1df1b7100", failures.carried_name),
    _ITERATION + "iteration_worker:CustomErrorName": Patch("9fe1df1b7100", failures.carried_name),
    _STATE + "fail.state_fail:CustomErrorName": Patch("9fe1df1b7100", failures.carried_name),
    _SERVICE + "_callback:CustomErrorName": Patch("9fe1df1b7100", failures.carried_name),
    _TASK + "state_task:StateTask._eval_parameters": Patch("11347f3fd90b", failures.with_path),
    _TASK + "state_task_lambda:StateTaskLambda._eval_parameters": Patch("12265209eaaf", failures.with_path),
    _ACTIVITY + "._eval_parameters": Patch("aa28773ce00f", failures.with_path),
    _EXECUTION + "._eval_state": Patch("cc08b19bde67", failures.uncaught),
    _EXEC + "state_map.state_map:StateMap._eval_state": Patch("7da3e6dc540f", failures.uncaught),
    _PARALLEL_STATE + "._eval_state": Patch("63eac86829a9", failures.uncaught),
    _SERVICE + "_sfn:StateTaskServiceSfn._from_error": Patch("5ac626000ded", failures.start_error),
    _COMMON + "error_name.failure_event:FailureEvent.__init__": Patch(
        "a71bd8d71936", failures.failure_of_state
    ),
    # How a task waits for its token
    _CALLBACK + "._evaluate_with_timeout": Patch(
        "d3afda806be9", task_tokens.attempt, source=_EXECUTION + "._evaluate_with_timeout"
    ),
    _CALLBACK + "._after_eval_execution": Patch("5e303b11d8cb", task_tokens.after_call),
    _CALLBACK + "._eval_integration_pattern": Patch("22991f2643d2", task_tokens.wait),
    _EXEC + "execute_state:threading": Patch("8c44c0f6eab4", make=task_tokens.finished),
    _EXECUTION + ".from_state_props": Patch("c56a8b55b032", task_tokens.without_time_out),
    _COMMON + "error_name.error_equals_decl:ErrorEqualsDecl._eval_body": Patch(
        "1b25d44ee9f2", task_tokens.named
    ),
    _COMMON + "timeouts.heartbeat:Heartbeat.eval": Patch(
        "385d9062a4ec", failures.time_out, source=_COMPONENT + ".eval"
    ),
    # What a redrive needs to know
    _ASL + "eval.environment:Environment.as_inner_frame_of": Patch("254918313ba0", redrives.frame),
    _ASL + "component.program.program:Program._eval_body": Patch("05fa30e65a34", redrives.program),
    _STATE + "state:CommonStateField._eval_body": Patch("a3685fedab5d", redrives.state),
    _EXECUTION + "._handle_retry": Patch("14eda2bf3494", redrives.retried),
    _PARALLEL + "branches_decl:BranchesDecl.__init__": Patch("ad93a37f316d", redrives.branches),
    _PARALLEL + "branch_worker:BranchWorker.__init__": Patch("d708ba4394c5", redrives.branch),
    _PARALLEL + "branch_worker:BranchWorker.start": Patch("6c675a40d243", redrives.only_unsuccessful),
    _ITERATION + "iteration_worker:IterationWorker._eval_job": Patch("411a5286aaf6", redrives.iteration),
    # Regular expressions that could take very long
    _ASL + "utils.json_path:_PATTERN_SLICE_OR_WILDCARD_ACCESS": Patch(
        "1c4b8bb54c09", make=failures.path_pattern
    ),
    _ASL + "utils.json_path:parse": Patch("7db51c0b1fd2", make=failures.path_parser),
    _COMMON + "path.result_path:parse": Patch("db251e3eb21b", make=failures.path_parser),
    # What a definition may contain
    _ASL + "parse.asl_parser:CommonTokenStream": Patch("f4e011e20794", definitions.words),
    _READER + "Preprocessor.visitOutput_decl": Patch("6c606410da7f", definitions.any_value),
    _READER + "CustomErrorName": Patch("9fe1df1b7100", failures.carried_name),
    _ASL + "antlr.runtime.ASLParser:ASLParser.processor_config_field": Patch(
        "0baecd7fe90f", definitions.configuration_field
    ),
    _ASL + "antlr.runtime.ASLParser:ASLParser.payload_tmpl_decl": Patch("34ed87001469", definitions.template),
    _READER + "Preprocessor.visitParameters_decl": Patch("d8a806c8857a", definitions.parameters),
    _STATE + "state_props:StateProps.add": Patch("e8e31150324d", definitions.property_of_state),
    _WAIT + "timestamp:Timestamp._from_timestamp_string": Patch("babca9245e6f", definitions.timestamp),
    _READER + "Preprocessor.visitString_intrinsic_function": Patch(
        "7ebcd99f5f2b", definitions.intrinsic_function
    ),
    _FORMAT + "StringFormat._eval_body": Patch("d08a9efb6c14", definitions.formatted),
    # JSONata and variables
    _STRINGS + "StringJSONata._eval_body": Patch("388b3c3218b7", query_languages.expression),
    _STRINGS + "StringVariableSample._eval_body": Patch("9386f59a80f4", query_languages.variable),
    _READER + "Preprocessor._inner_string_of": Patch("bb962f9bdc93", query_languages.text),
    _READER + "from_string_literal": Patch("a67b37ff24f5", query_languages.text),
    _READER + "Preprocessor.visitChoice_rule_comparison_variable": Patch(
        "443238d86989", query_languages.rule_with_assign
    ),
    _READER + "Preprocessor.visitTolerated_failure_count_string_jsonata": Patch(
        "ea65696f7955", query_languages.tolerated_count
    ),
    _READER + "Preprocessor.visitString_jsonata": Patch("99ae428be829", query_languages.located),
    _READER + "Preprocessor._open_query_language_scope": Patch("ae9337a386ba", query_languages.scope),
    _COMMON + "assign.assign_decl:AssignDecl._eval_body": Patch("f12ff95d96a9", query_languages.assign),
    _ASL + "eval.variable_store:VariableStore.get_assigned_variables": Patch(
        "cb1687e20921", query_languages.assigned
    ),
    _EXECUTION + "._evaluate_with_timeout": Patch("d3afda806be9", query_languages.with_output),
    _EXECUTION + "._eval_state_output": Patch("64142f4406ec", query_languages.output_once),
    _PARALLEL_STATE + ".from_state_props": Patch("a110a4f16939", query_languages.late_arguments),
    _PARALLEL_STATE + "._eval_execution": Patch("5c840d5aee82", query_languages.with_arguments),
    _STATE + "choice.state_choice:StateChoice.from_state_props": Patch(
        "eb3fa48abe95", query_languages.default_rule
    ),
    _STATE + "choice.choice_rule:ChoiceRule._eval_body": Patch("7aa3221c8ef9", query_languages.rule),
    _EXEC + "state_map.state_map:StateMap.from_state_props": Patch("28e7e3f9549e", many_items.distributed),
    _EXEC + "state_map.state_map:StateMap._eval_execution": Patch("80c962dd35b3", map_runs.execution),
    _ASL + "antlr.runtime.ASLParser:ASLParser.items_decl": Patch(
        "942a91d2ed32", query_languages.items_declared
    ),
    _ASL + "eval.states:ItemData": Patch("0422cd00c4ef", query_languages.map_item),
    _ASL + "eval.states:States.reset": Patch("468e2a12e1bb", query_languages.without_results),
    _COMMON + "error_name.failure_event:FailureEventException.get_execution_failed_event_details": Patch(
        "0d69993f45ea", query_languages.complete_cause
    ),
    # How the history is written
    _STATE + "state:to_json_str": Patch("4b1d40e17079", failures.compact_json),
    _STATE + "state:StateData": Patch("eb250b98d36c", partial(failures.with_time, "EnteredTime")),
    _WORKER + "ExecutionData": Patch("0a5b028113c3", partial(failures.with_time, "StartTime")),
    # Results that moto calculates again and again
    _WORKER + "AmazonStateLanguageParser": Patch("ce154501fe3d", make=many_items.parser),
    _ENGINE + "models:AmazonStateLanguageParser": Patch("ce154501fe3d", make=many_items.parser),
    _ASL + "component.program.program:Program.eval": Patch("41bd3a80d585", performance.in_same_thread),
    _ENGINE + "utils:TMP_THREADS": Patch("5a0a6b8c364e", make=performance.forgotten),
    "moto.core.model:ServiceModel.operation_model": Patch("9b414160790e", make=performance.only_own_models),
    "moto.core.utils:method_names_from_class": Patch("dffccc6df0b3", make=performance.remembered),
    "moto.core.serialize:XFormedAttributePicker.get_possible_keys": Patch(
        "14c736cf458f", make=performance.remembered_keys
    ),
    "moto.moto_api._internal.moto_random:MotoRandom.get_random_string": Patch(
        "767831d15224", performance.random_string
    ),
    "moto.moto_server.werkzeug_app:DomainDispatcherApplication.get_backend_for_host": Patch(
        "d743b616aedf", make=performance.remembered
    ),
    "moto.dynamodb.models:copy": Patch("fd324b3d02c6", make=performance.sparing_copy),
    "moto.dynamodb.models:DynamoDBBackend.transact_write_items": Patch(
        "202f47316bc5", performance.sparing_transaction
    ),
    _COMMON + "retry.retrier_decl:time": Patch("b62a03ed51c5", make=performance.paced),
    # Buckets
    "moto.s3.models:FakeBucket.get_permission": Patch("9d126283c40b", failures.no_bucket_policy),
    # What moto's IAM refuses, and AWS does not
    **{
        f"moto.iam.models:IAMBackend.put_{kind}_policy": Patch(digest, partial(internals.inline_policy, kind))
        for kind, digest in {
            "group": "0cb362c72e1a",
            "role": "f4f12e454e67",
            "user": "8b2c569c885a",
        }.items()
    },
    # Objects that take much memory
    "moto.batch:batch_backends": Patch("e4efc69457f2", instead=performance.late_batch),
    "moto.core.common_models:BaseModel.__new__": Patch("016c3f64f7c4", performance.forgotten_instance),
    "moto.iam.models:get_account_id_from": Patch("1a8726d3892b", performance.account_of_key),
    "moto.iam.models:IAMBackend._init_aws_policies": Patch("ca142fdc8309", performance.managed_policies),
    **{place: Patch(digest, relied=reason) for place, (digest, reason) in _RELIED.items()},
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
    if folder is None:
        spec = importlib.util.find_spec(module.partition(".")[0])  # finds it without importing it
        if spec is None or spec.origin is None:
            return None
        folder = Path(spec.origin).parents[1]
    path = folder.joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        with contextlib.suppress(OSError):
            return file.read_text("utf-8")
    return None


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
        after = re.compile(rf"^(?!{indent}[ )\]}}]|\s*$)", re.MULTILINE).search(text, begin + 1, end)
        end, indent = after.start() if after else end, f"{indent}    "
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
