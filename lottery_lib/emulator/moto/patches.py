"""List everything inside moto that the emulator replaces or relies on, and apply it.

This is the one registry. Each entry names a module of moto and something in it, says why, and holds a digest
of the source that it was written for. `check` compares the digests by reading moto's files: it imports
nothing of moto, so it takes a few milliseconds. `install` then waits for the imports: each module is patched
as soon as it is imported, before any other module or request can use it.

To add a patch: write the replacement in `errors`, `speed` or `clients` as a function of what it replaces, add
an entry here, and ask for its digest with ``python -m lottery_lib.emulator.moto.patches``.
"""

import contextlib
import functools
import hashlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from lottery_lib.emulator.moto import clients, errors, speed
from lottery_lib.emulator.process.errors import EmulatorError

__all__ = ["MOTO", "PATCHES", "Patch", "apply", "check", "digest_of", "install"]

#: The version of moto that the digests belong to; pyproject.toml pins the same one.
MOTO: Final = "5.2.5"


@dataclass(frozen=True)
class Patch:
    """One thing inside moto that is replaced, or only relied on.

    Args:
        module: Such as ``"moto.core.utils"``.
        attribute: A name in it, or ``"Class.method"``.
        digest: Of the attribute's source; of the module's whole source if it only imports that name.
        reason: Why, in one sentence.
        replace: Makes the replacement from the original; None if the emulator only relies on it.
        source: What the digest is of, if that is another ``"module:attribute"``, such as an inherited method.
    """

    module: str
    attribute: str
    digest: str
    reason: str
    replace: Callable[[Any], Any] | None = None
    source: str = ""

    @property
    def read(self) -> tuple[str, str]:
        """The module and the attribute that the digest is of."""
        module, _, attribute = (self.source or f"{self.module}:{self.attribute}").partition(":")
        return module, attribute


_ASL: Final = "moto.stepfunctions.parser.asl."
_STATE: Final = _ASL + "component.state."
_TASK: Final = _STATE + "exec.state_task."
_SERVICE: Final = _TASK + "service.state_task_service"
_UNCAUGHT: Final = "States.Runtime ends the execution: no Retry, no Catch, no event of the state."
_PATH: Final = "A path in a Task's Parameters that is missing is States.Runtime."
_CARRIED: Final = "A branch, an iteration and a Fail state can pass on an error of the States family."
_UNMODELLED: Final = "AWS's SDK has no class for this error, so it gets the name of the service's base class."
_TIMES: Final = "The context object has times as AWS writes them."
_PARSED: Final = "moto parses each path again whenever it meets it."
_SERVICES: Final = (
    ("_api_gateway", "StateTaskServiceApiGateway", "76a87f81f80b17bf"),
    ("_aws_sdk", "StateTaskServiceAwsSdk", "7dda57ac613ce1b5"),
    ("_batch", "StateTaskServiceBatch", "245cfe1ea97d8ab1"),
    ("_callback", "StateTaskServiceCallback", "8f5afd44a0e2765c"),
    ("_dynamodb", "StateTaskServiceDynamoDB", "cd072049195a2ef8"),
    ("_events", "StateTaskServiceEvents", "9a1b3608e79c2dd7"),
    ("_glue", "StateTaskServiceGlue", "fa9dad3aac2ec02c"),
    ("_lambda", "StateTaskServiceLambda", "c3e9ef18c5160ed1"),
    ("_sfn", "StateTaskServiceSfn", "5ac626000ded7441"),
    ("_sns", "StateTaskServiceSns", "46d48b968f265f95"),
    ("_sqs", "StateTaskServiceSqs", "20ac9ee455290eff"),
)

PATCHES: Final[Sequence[Patch]] = (
    # Who calls.
    Patch(
        _ASL + "utils.boto_client", "boto_client_for", "2c53599692cbcdda",
        "A state machine calls other services as its role, and without leaving this process.",
        clients.acting_client,
    ),
    # How executions fail.
    Patch(
        _STATE + "choice.comparison.comparison_variable", "ComparisonVariable._eval_body", "91a5ac8b291a3ee4",
        "A Choice on a variable that is missing fails the execution, even with a Default.",
        errors.comparison,
    ),
    Patch(
        _STATE + "choice.state_choice", "StateChoice._eval_state", "bffca6f28a835c38",
        "A Choice without a match and without a Default is States.NoChoiceMatched.",
        errors.choice,
    ),
    Patch(
        _ASL + "eval.event.event_manager", "EventManager.add_event", "eaae0fa64a8ae925",
        "An execution has at most 25,000 events; the last one says that it failed.",
        errors.counted_event,
    ),
    Patch(
        _TASK + "service.resource", "ServiceResource._eval_body", "d7ebd4f681f3de67",
        "An integration of another partition fails when it runs, not before.",
        errors.resource, source=_TASK + "service.resource:Resource._eval_body",
    ),
    Patch(
        _TASK + "state_task_lambda", "StateTaskLambda._from_error", "d03cb09dc45b4a40",
        "What Lambda itself refuses has the name that lambda:invoke gives it. " + _UNCAUGHT,
        lambda original: errors.uncaught(errors.lambda_error(original)),
    ),
    Patch(
        _SERVICE + "_lambda", "StateTaskServiceLambda._error_cause_from_client_error", "82498eabdbe1de65",
        _UNMODELLED,
        errors.unmodelled("Lambda.AWSLambdaException"),
    ),
    Patch(
        _SERVICE + "_dynamodb", "StateTaskServiceDynamoDB._error_cause_from_client_error", "e4a41e785a9a9d25",
        _UNMODELLED,
        errors.unmodelled("DynamoDB.AmazonDynamoDBException"),
    ),
    Patch(
        "moto.stepfunctions.parser.backend.execution",
        "BaseExecutionWorkerCommunication._reflect_execution_status", "1ada2e9dd154eda3",
        "An output is JSON, even a text or null, and is there before the status says SUCCEEDED.",
        errors.ended,
    ),
    Patch(
        _ASL + "component.common.timeouts.timeout", "Timeout.eval", "385d9062a4ec8de2",
        "moto evaluates nothing in an aborted branch, and takes what lay on its stack for the time-out.",
        errors.time_out, source=_ASL + "component.eval_component:EvalComponent.eval",
    ),
    Patch(
        _STATE + "exec.state_parallel.branches_decl", "CustomErrorName", "5bee45175015f0a1",
        _CARRIED, errors.carried_name,
    ),
    Patch(
        _STATE + "exec.state_map.iteration.iteration_worker", "CustomErrorName", "8eda55b4313bba0b", _CARRIED,
        errors.carried_name,
    ),
    Patch(_STATE + "fail.state_fail", "CustomErrorName", "280b1948dde91a4e", _CARRIED, errors.carried_name),
    Patch(_TASK + "state_task", "StateTask._eval_parameters", "11347f3fd90bbef9", _PATH, errors.with_path),
    Patch(
        _TASK + "state_task_lambda", "StateTaskLambda._eval_parameters", "12265209eaaf228a",
        _PATH, errors.with_path,
    ),
    Patch(
        _TASK + "state_task_activitiy", "StateTaskActivity._eval_parameters", "aa28773ce00f0843",
        _PATH, errors.with_path,
    ),
    Patch(
        _STATE + "exec.execute_state", "ExecutionState._from_error", "386df2fd804b0b0f",
        _UNCAUGHT, errors.uncaught,
    ),
    Patch(_TASK + "state_task", "StateTask._from_error", "9d79f558f62afb7d", _UNCAUGHT, errors.uncaught),
    Patch(
        _TASK + "state_task_activitiy", "StateTaskActivity._from_error", "fbe1e4580932a334",
        _UNCAUGHT, errors.uncaught,
    ),
    *(
        Patch(_SERVICE + module, f"{kind}._from_error", digest, _UNCAUGHT, errors.uncaught)
        for module, kind, digest in _SERVICES
    ),
    # How executions are written down.
    Patch(
        _STATE + "state", "to_json_str", "8200c5a7e409daca",
        "The inputs and outputs of states are compact JSON in the history.",
        errors.compact_json,
    ),
    Patch(_STATE + "state", "StateData", "8200c5a7e409daca", _TIMES, errors.with_time("EnteredTime")),
    Patch(
        "moto.stepfunctions.parser.backend.execution_worker", "ExecutionData", "5598cfe97b3dae71", _TIMES,
        errors.with_time("StartTime"),
    ),
    # What moto works out again and again.
    Patch(
        "moto.stepfunctions.parser.backend.execution_worker", "AmazonStateLanguageParser", "5598cfe97b3dae71",
        "moto parses the whole definition again at each start of an execution.",
        speed.remembered_parser,
    ),
    Patch(_ASL + "utils.json_path", "parse", "7db51c0b1fd20660", _PARSED, speed.remembered),
    Patch(_ASL + "component.common.path.result_path", "parse", "db251e3eb21ba563", _PARSED, speed.remembered),
    Patch(
        "moto.core.utils", "method_names_from_class", "dffccc6df0b3d020",
        "moto lists the methods of a class again at each request.",
        speed.remembered,
    ),
    Patch(
        "moto.core.serialize", "XFormedAttributePicker.get_possible_keys", "14c736cf458fe55e",
        "moto works out the possible names of each attribute of each reply again.",
        speed.remembered_keys,
    ),
    Patch(
        "moto.moto_api._internal.moto_random", "MotoRandom.get_random_string", "767831d152242206",
        "Each reply has two ids of 52 letters, and moto chooses every letter with a call of its own.",
        speed.random_string,
    ),
    Patch(
        "moto.moto_server.werkzeug_app",
        "DomainDispatcherApplication.get_backend_for_host", "d743b616aedfb9dd",
        "moto lists its own folder at each request.",
        speed.remembered,
    ),
    Patch(
        "moto.dynamodb.models", "copy", "fd324b3d02c6ccfa",
        "A transaction need not copy the items of its tables.",
        speed.sparing_copy,
    ),
    Patch(
        "moto.dynamodb.models", "DynamoDBBackend.transact_write_items", "202f47316bc57189",
        "Only an Update changes an item in its place.",
        speed.sparing_transaction,
    ),
    # What is read where moto keeps it, because its wire would be too slow.
    Patch(
        _ASL + "eval.event.event_manager", "EventIdGenerator", "52de7f9d1c2ab61a",
        "`errors.counted_event` reads _next_id.",
    ),
    Patch(
        _ASL + "eval.event.event_manager", "EventManager.__init__", "14d09194c256a2da",
        "`reads.events_of` reads _history_event_list.",
    ),
    Patch(
        "moto.stepfunctions.parser.models", "stepfunctions_parser_backends", "43b661e07e15a208",
        "`reads.events_of` finds executions there.",
    ),
    Patch(
        "moto.iam.models", "iam_backends", "da9925a1ac8513d9",
        "`reads` finds users, roles and policies there.",
    ),
    Patch(
        "moto.iam.models", "IAMBackend.__init__", "47c171c36eeaf563",
        "`reads` knows the names of its dictionaries.",
    ),
    Patch(
        "moto.iam.models", "AccessKey.__init__", "aa1d92a119b6b01c",
        "`reads.caller_of_key` reads role_arn and user_name.",
    ),
    Patch(
        "moto.sts.models", "sts_backends", "94cb35c57dabea50",
        "`reads.caller_of_key` finds sessions there.",
    ),
    Patch(
        "moto.sts.models", "STSBackend.__init__", "59e7705c2b5af856",
        "`reads.caller_of_key` reads assumed_roles.",
    ),
)  # fmt: skip


def check(patches: Sequence[Patch] = PATCHES) -> None:
    """Compare the digests with moto's files, without importing moto.

    Raises:
        EmulatorError: moto is not installed, or something that is patched is missing or different.
    """
    for patch in patches:
        found = digest_of(*patch.read)
        if found != patch.digest:
            what = "is missing" if found is None else "is not the one that this emulator was written for"
            raise _not_this_moto(".".join(patch.read), what)


def digest_of(module: str, attribute: str) -> str | None:
    """A digest of the source of something in a module that is not imported; None if it is not there."""
    text = _text_of(module)
    source = None if text is None else _source_of(text, attribute)
    return None if source is None else hashlib.sha256(source.encode()).hexdigest()[:16]


@functools.cache
def _text_of(module: str) -> str | None:
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)  # finds a top-level package without importing it
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent.joinpath(*rest)
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        with contextlib.suppress(OSError):
            return file.read_text("utf-8")
    return None


def _source_of(text: str, attribute: str) -> str | None:
    # Plain searches, because a regular expression for each name takes longer to compile than to use.
    text, begin, end, indent = f"\n{text}", 0, len(text) + 1, ""
    for name in attribute.split("."):
        forms = (f"def {name}(", f"class {name}(", f"class {name}:", f"{name} =", f"{name}:")
        found = [text.find(f"\n{indent}{form}", begin, end) for form in forms]
        if not (starts := [place for place in found if place >= 0]):
            imported = f"import {name}\n" in text or f"\n    {name},\n" in text
            return text if imported and name == attribute else None
        begin = min(starts) + 1
        # It ends where a line begins as far left as the definition, other than a closing bracket.
        after = re.compile(rf"^(?!{indent}[ )\]}}]|\s*$)", re.MULTILINE).search(text, begin + 1, end)
        end, indent = after.start() if after else end, f"{indent}    "
    return text[begin:end].rstrip()


def install() -> None:
    """Check the digests, and have each module of moto patched when it is imported.

    Raises:
        EmulatorError: As `check`.
        RuntimeError: A module is imported already, so that others may hold what should be replaced.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    check()
    if early := {patch.module for patch in PATCHES} & set(sys.modules):
        raise RuntimeError(f"{', '.join(sorted(early))}: imported before the patches were installed")
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds the modules that are patched, and lets them be patched right after they are executed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not any(patch.module == fullname for patch in PATCHES):
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, (finder.find_spec(fullname, path, target) for finder in others)), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_patch(module: ModuleType) -> None:
                execute(module)
                apply(module)

            spec.loader.exec_module = execute_and_patch  # type: ignore[method-assign]
        return spec


_patched: Final[set[str]] = set()


def apply(module: ModuleType, patches: Sequence[Patch] = PATCHES) -> None:
    """Replace what is listed for an imported module. The second time nothing happens.

    Raises:
        EmulatorError: Something that is listed is not there.
    """
    if module.__name__ in _patched:
        return
    for patch in patches:
        if patch.module != module.__name__:
            continue
        *path, name = patch.attribute.split(".")
        try:
            owner = functools.reduce(getattr, path, module)
            original, static = getattr(owner, name), inspect.getattr_static(owner, name)
        except AttributeError as error:
            raise _not_this_moto(f"{patch.module}.{patch.attribute}", "is missing") from error
        if patch.replace is not None:
            made = patch.replace(original)
            setattr(owner, name, staticmethod(made) if isinstance(static, staticmethod) else made)
    _patched.add(module.__name__)


def _not_this_moto(name: str, what: str) -> EmulatorError:
    try:
        version = metadata.version("moto")
    except metadata.PackageNotFoundError:
        version = "(not installed)"
    return EmulatorError(
        f"moto {version}", f"{name} {what}", f"Run `make install` again: it installs moto {MOTO}"
    )


def _table() -> Iterator[str]:
    for patch in PATCHES:
        found = digest_of(*patch.read)
        yield f"{'same' if found == patch.digest else 'CHANGED'} {found} {'.'.join(patch.read)}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in _table())
