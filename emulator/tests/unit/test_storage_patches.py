"""What is replaced inside moto is what was read, and it is replaced before anybody uses it."""

import importlib
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from sfn_emulator.errors import EmulatorError
from sfn_emulator.storage import patches

PLACE = "moto.s3.models:FakeBucket.get_permission"
OTHER = "moto.core.utils:method_names_from_class"


def refused(listed):
    with pytest.raises(EmulatorError) as caught:
        patches.check(listed)
    return caught.value


@pytest.fixture(scope="module")
def fresh():
    """What a Python of its own says, in which nothing of moto is imported at first."""
    program = """
import importlib, json, sys
from sfn_emulator.storage import patches
patches.check()
checked = [name for name in ("moto", "botocore") if name in sys.modules]
patches.install()
from sfn_emulator import routing
routing.Moto()
ready = [name for name in ("moto", "botocore") if name in sys.modules]
import moto.core.utils
late = importlib.import_module("moto.iam.models")
late = [late.get_account_id_from.__qualname__, late.IAMBackend.put_role_policy.__qualname__]
functions = importlib.import_module("moto.awslambda.models").LambdaFunction
ran = functions.invoke(None, "{}", {}, {}).decode()  # without a function, moto's own could not run any
print(json.dumps(dict(checked=checked, ready=ready, late=late, ran=ran)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_source_is_the_one_that_was_read():
    """Every digest is that of the moto that is installed."""
    patches.check()


def test_another_source_is_told():
    """The error names the symbol and moto's version, and says what to do."""
    wrong = {PLACE: replace(patches.PATCHES[PLACE], digest="0" * 12)}
    assert str(refused(wrong)) == (
        f"moto {patches.MOTO}: {PLACE.replace(':', '.')} is not the one that this emulator was written for. "
        f"Run `{sys.executable} -m pip install 'sfn-emulator[server]'`: it installs moto {patches.MOTO}."
    )


@pytest.mark.parametrize(
    "place", ["moto.core.utils:no_such_function", "moto.core.utils:No.method", "moto.no_such_module:x"]
)
def test_a_source_that_is_missing_is_told(place):
    """A function, a class or a module that was renamed is never skipped."""
    assert refused({place: patches.Patch(digest="0" * 12)}).what == f"{place.replace(':', '.')} is missing"


def test_the_report_has_both_digests_of_each_place_that_differs():
    """So one replacement in moto.json writes the new digest. The other places are only counted."""
    listed = {
        PLACE: replace(patches.PATCHES[PLACE], digest="0" * 12),
        OTHER: patches.PATCHES[OTHER],
        "moto.no:x": patches.Patch(digest="1" * 12),
    }
    assert list(patches.report(listed)) == [
        f"{'0' * 12} -> {patches.PATCHES[PLACE].digest} {PLACE}",
        f"{'1' * 12} -> missing moto.no:x",
        "2 of 3 places differ",
    ]


def test_the_report_shows_what_is_different_from_the_moto_before(tmp_path):
    """The lines of the source in that folder have a minus, and the installed ones a plus."""
    file = tmp_path.joinpath(*PLACE.partition(":")[0].split(".")).with_suffix(".py")
    file.parent.mkdir(parents=True)
    now = patches.source_of(PLACE)
    file.write_text(f"class FakeBucket:\n{now}\n        return 5\n", "utf-8")
    told = patches.report({PLACE: replace(patches.PATCHES[PLACE], digest="0" * 12)}, tmp_path)
    assert [line for line in told if re.match(r"[+-] ", line)] == ["-        return 5"]


def test_an_attribute_that_is_missing_is_told():
    """An attribute may also disappear when its module is imported."""
    module = ModuleType("some_module")
    with pytest.raises(EmulatorError) as caught:
        patches.apply(module, {"some_module:Class.method": patches.Patch(lambda original: None)})
    assert caught.value.what == "some_module.Class.method is missing"


def test_checking_imports_nothing_of_moto(fresh):
    """It reads files, because an emulator must answer within a moment. Botocore would take a while, too."""
    assert fresh["checked"] == []


def test_the_emulator_answers_before_it_imports_moto(fresh):
    """Its start does not wait for moto, which takes longer to import than all the rest."""
    assert fresh["ready"] == []


def test_a_late_import_is_patched(fresh):
    """A module that is imported long after the start has its patches."""
    assert fresh["late"] == ["Patch.replacement.<locals>.replaced"] * 2


def test_moto_runs_no_function(fresh):
    """It would run the user's code in Docker, behind the back of Lambda here."""
    assert fresh["ran"] == ""


def test_an_early_import_is_refused():
    """Others may hold what should be replaced."""
    importlib.import_module("moto.core.utils")
    with pytest.raises(
        RuntimeError, match=r"moto\.core\.utils.*: imported before the patches were installed"
    ):
        patches.install()


def test_patches_are_few():
    """What the emulator uses of moto is its stores. Each further place makes the next version harder."""
    assert len(patches.PATCHES) <= 35
    assert not [place for place in patches.PATCHES if "stepfunctions" in place]


def test_every_patch_has_a_reason():
    """The replacement's docstring gives it, or the entry in moto.json."""
    for patch in patches.PATCHES.values():
        replacement = patch.around or patch.make
        documented = str(getattr(replacement, "func", replacement).__doc__).partition("\n")[0]
        assert replacement or patch.relied
        assert re.fullmatch(r"\S.{15,}\.", patch.relied or documented)


def test_moto_is_pinned_to_the_version_of_the_digests():
    """pyproject.toml has exactly the version of moto for which the digests are."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert f"moto=={patches.MOTO}" in project["optional-dependencies"]["server"]


def test_the_readme_names_the_version_of_moto():
    """The same one, so that a project with another moto knows it in advance."""
    text = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert re.findall(r"moto (\d+\.\d+\.\d+)", text) == [patches.MOTO]
