"""Replace parts of moto. The table here lists everything that the emulator replaces.

Each entry names a place in moto. The docstring of the replacement gives the reason. ``moto.json`` has the
digest of the source that each entry was written for, and the places that the emulator only relies on. `check`
reads moto's files and compares the digests. It does not import moto, so it takes only a few milliseconds.
After `install`, each module is patched as soon as it is imported, before any other module or request can use
it.

To add a patch, write the replacement in one of the modules that are imported here. Add an entry, get its
digest with ``python -m sfn_emulator.storage.patches``, and write it into ``moto.json``.
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

from sfn_emulator.errors import EmulatorError
from sfn_emulator.storage import internals, log_events, performance
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
        digest: The digest of the source there. If the module only imports that name from another module of
            moto, the digest of the source in that module; from elsewhere, the digest of the whole module.
        relied: Why the emulator relies on the place, if it replaces nothing there.
        source: The place whose source has the digest, if the method is inherited.
    """

    around: Callable[..., Any] | None = None
    make: Callable[[Any], Any] | None = None
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


# What replaces each place: a function that gets the original and its arguments, or a `Patch`.
_REPLACED: Final[Mapping[str, Callable[..., Any] | Patch]] = {
    # Results that moto calculates again and again
    "moto.core.model:ServiceModel.operation_model": Patch(make=performance.only_own_models),
    "moto.core.utils:method_names_from_class": Patch(make=performance.remembered),
    "moto.core.serialize:XFormedAttributePicker.get_possible_keys": Patch(make=performance.remembered_keys),
    "moto.moto_api._internal.moto_random:MotoRandom.get_random_string": performance.random_string,
    "moto.moto_server.werkzeug_app:DomainDispatcherApplication.get_backend_for_host": Patch(
        make=performance.remembered
    ),
    "moto.dynamodb.models:copy": Patch(make=performance.sparing_copy),
    "moto.dynamodb.models:DynamoDBBackend.transact_write_items": performance.sparing_transaction,
    # What moto would do outside this process
    "moto.awslambda.models:LambdaFunction.invoke": internals.no_invocation,
    "moto.firehose.models:FirehoseBackend.put_http_records": internals.no_records,
    "moto.sns.models:Subscription.publish": internals.no_message,
    # Buckets
    "moto.s3.models:FakeBucket.get_permission": internals.no_bucket_policy,
    "moto.s3.models:S3Backend.create_bucket": internals.new_bucket,
    "moto.s3.models:S3Backend.get_bucket": internals.own_bucket,
    # What moto's IAM refuses, and AWS does not
    "moto.iam.models:IAMBackend.put_group_policy": partial(internals.inline_policy, "group"),
    "moto.iam.models:IAMBackend.put_role_policy": partial(internals.inline_policy, "role"),
    "moto.iam.models:IAMBackend.put_user_policy": partial(internals.inline_policy, "user"),
    # Objects that take much memory
    "moto.core.common_models:BaseModel.__new__": performance.forgotten_instance,
    "moto.iam.models:get_account_id_from": performance.account_of_key,
    "moto.iam.models:IAMBackend._init_aws_policies": performance.managed_policies,
    "moto.logs.models:LogEvent": Patch(make=log_events.in_files),
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
        if not any(place.startswith(f"{fullname}:") for place in PATCHES):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

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
        if not place.startswith(f"{module.__name__}:"):
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
