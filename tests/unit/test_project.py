"""What is written down twice is kept equal."""

import ast
import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import marks
import nbformat
import pytest
from hostile import kinds
from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
REQUIREMENTS = [
    Requirement(line)
    for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    if not line.startswith("sfn-emulator")  # it is in this repository
]


#: For attendees, for who changes the kit, for tests (AWS's command lines, MiniStack, tools), a hub, the site.
LOCKS = [
    "requirements.lock",
    "requirements-dev.lock",
    "tests/kit/awscli.lock",
    "tests/kit/samcli.lock",
    "tests/second/ministack.lock",
    "tests/machine/tools.lock",
    "data/hub/jupyterhub.lock",
    "docs/site/site.lock",
]
#: How this project itself is installed once its lock is: nothing is fetched, so nothing comes without a hash.
EDITABLE = (
    "-m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation"
    " --editable ./states_language --editable ./emulator --editable ."
)


def pins(lock: str) -> dict[str, list[str]]:
    """Each pin of a lock, with the hashes of its files."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {words[0]: [word for word in words if word.startswith("--hash=sha256:")] for words in lines}


def locked(lock: str = "requirements-dev.lock") -> dict[str, str]:
    return dict(pin.split("==") for pin in pins(lock))


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.name)
def test_lock_satisfies_pyproject(requirement):
    """Every dependency is locked, at a version within its range, and that version is installed."""
    version = locked()[requirement.name]
    assert requirement.specifier.contains(version)
    assert metadata.version(requirement.name) == version


def test_attendees_get_what_is_tested():
    """What attendees install has all that they need, at the versions of the tests."""
    ours = locked("requirements.lock")
    language = tomllib.loads((ROOT / "states_language" / "pyproject.toml").read_text("utf-8"))["project"]
    emulators = tomllib.loads((ROOT / "emulator" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {
        *PROJECT["dependencies"],
        *emulators["dependencies"],
        *emulators["optional-dependencies"]["server"],
        *language["dependencies"],
    }
    assert {Requirement(line).name for line in needed} - {"sfn-emulator", "states-language"} <= set(ours)
    assert ours.items() <= locked().items()


def test_the_build_backend_is_locked():
    """What builds the project is locked, too, at a version that pyproject allows."""
    (backend,) = map(Requirement, PYPROJECT["build-system"]["requires"])
    assert backend.specifier.contains(locked("requirements.lock")[backend.name])


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock):
    """A lock says of each pin which files may be installed: no pin is without a hash."""
    assert [pin for pin, hashes in pins(lock).items() if not hashes] == []
    assert len(pins(lock)) > 5


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_no_addresses(lock):
    """A lock is names, versions and hashes only."""
    assert "/" not in (ROOT / lock).read_text(encoding="utf-8")


def test_the_hub_fits_the_kit():
    """The hub is installed into the kit's environment, so it has the kit's versions of what both need."""
    ours, hubs = locked("requirements.lock"), locked("data/hub/jupyterhub.lock")
    assert {name for name, version in hubs.items() if ours.get(name, version) != version} == set()
    assert "jupyterhub" in hubs


@pytest.mark.parametrize(
    ("folder", "package"), [("data/hub", "configurable-http-proxy"), ("docs/site", "@mermaid-js/tiny")]
)
def test_what_npm_installs_is_locked(folder, package):
    """The lock of npm has a hash of each package, and no address of a registry."""
    lock = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: told for name, told in lock["packages"].items() if name}
    assert f"node_modules/{package}" in packages
    assert [name for name, told in packages.items() if "integrity" not in told or "resolved" in told] == []


def test_nothing_is_installed_without_a_hash():
    """`make` installs locks, with `--require-hashes`, and the project, and nothing else. Binder calls it."""
    wanted = [
        ".venv/.tested",
        *(f".venv/{tool}/.installed" for tool in ("awscli", "samcli", "ministack", "tools", "hub", "site")),
    ]
    command = ["make", "--dry-run", "--always-make", "VENV=.venv", *wanted]
    steps = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    binder = (ROOT / "postBuild").read_text(encoding="utf-8")
    assert [line for line in binder.splitlines() if "pip" in line and not line.startswith("#")] == []
    installs = re.findall(r"-m pip install [^;\n]*", steps)
    checked = {line.partition(" --require-hashes --requirement ")[2] for line in installs}
    script = (ROOT / "data" / "install.py").read_text(encoding="utf-8")  # it shows how far pip is
    assert '"--require-hashes", "--requirement"' in script
    assert script.count('"pip", "install"') == 1
    checked.add(re.search('^LOCK = "(.*)"$', script, re.MULTILINE)[1])
    assert checked == {*LOCKS, ""}
    assert [line for line in installs if "--require-hashes" not in line] == [EDITABLE]


def test_pip_takes_what_conda_gives_it(tmp_path):
    """The lines that conda gives to pip are understood; where a pin is installed, nothing is left to do."""
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    path = tmp_path / "lines.txt"  # conda writes them into a file beside environment.yml
    path.write_text(re.sub(r"(?m)^ *- ", "", text.partition("- pip:\n")[2]))
    pin = "moto==" + locked()["moto"]
    (tmp_path / "requirements.lock").write_text(" ".join([pin, *pins("requirements.lock")[pin]]))
    install = ["install", "--dry-run", "--no-index", "--no-deps", "--requirement", str(path)]
    command = [sys.executable, "-m", "pip", *install]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Requirement already satisfied: moto" in done.stdout


def rooms(folder):
    """The modules and folders of code in a folder, as a map of it names them."""
    paths = (ROOT / folder).iterdir()
    found = {path.stem for path in paths if path.suffix == ".py"} - {"__init__"}
    return found | {path.parent.name for path in (ROOT / folder).glob("*/*.py")} - {"__pycache__"}


def names_in(text, indent):
    """The names in the left column of a map. Two blanks end it."""
    lines = re.findall(rf"^ {{{indent}}}(\S.*?)(?:  |$)", text, re.MULTILINE)
    return [name.strip("/`") for line in lines for name in line.split()]


PACKAGES = [
    "lottery_lib",
    "lottery_party",
    "lottery_course",
    "emulator/sfn_emulator",
    "states_language",
]


@pytest.mark.parametrize("folder", PACKAGES)
def test_the_map_of_a_package_has_all_its_rooms(folder):
    """The docstring of a package names each module and folder once, and nothing that is not there."""
    docstring = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text(encoding="utf-8")))
    assert sorted(names_in(docstring, 4)) == sorted(rooms(folder))


def first_cells(page):
    """What stands in backticks in the first cells of a page's tables."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return set(re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (`.*?) \|", text, re.MULTILINE))))


def test_the_maps_have_all_folders():
    """CONTRIBUTING.md lists each folder of the project, tests/README.md each one of tests, and no other."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = {path.partition("/")[0] for path in listed.split() if "/" in path and path[0] != "."}
    mapped = {each for each in first_cells("CONTRIBUTING.md") if each.endswith("/") and each[0] != "."}
    assert {f"{each}/" for each in folders} == mapped
    listed = (ROOT / "README.md").read_text(encoding="utf-8").partition("## What is in this folder")[2]
    assert folders <= set(re.findall(r"`([^`]+)`", listed))
    tests = {f"tests/{each}" for each in rooms("tests") if (ROOT / "tests" / each).is_dir()}
    assert tests == {each for each in first_cells("tests/README.md") if each.startswith("tests/")}


def test_what_the_pages_name_is_there():
    """Each file that CONTRIBUTING.md names exists, and each goal of make."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:lottery_|emulator/|tests/|states_language/|docs/|data/)[\w./-]*)`", text))
    assert [path for path in paths if not (ROOT / path).exists()] == []
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [goal for goal in re.findall(r"`make ([\w-]+)", text) if f"\n{goal}:" not in makefile] == []


def test_environment_yml():
    """Conda's environment is pyproject's: a Python that it allows, its graphviz, and the rest through pip."""
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    entries = re.findall(r"^\s*- (.+)$", text, re.MULTILINE)
    graphviz = next(line for line in PROJECT["dependencies"] if line.startswith("graphviz>"))
    python = entries[1].partition("=")[2]
    assert SpecifierSet(PROJECT["requires-python"]).contains(python)
    assert entries[1:] == [
        f"python={python}",
        f"python-{graphviz}",
        "pip",
        "pip:",
        "--require-hashes",
        "--requirement requirements.lock",
    ]


def imports_of(path: Path) -> set[str]:
    """The top-level packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_imports_are_declared():
    """The library imports nothing from outside that pyproject does not list."""
    imported = set().union(*map(imports_of, ROOT.glob("lottery_*/**/*.py")))
    imported = {name for name in imported if not name.startswith("types_boto3")}  # for mypy alone
    declared = {Requirement(line).name.replace("-", "_") for line in PROJECT["dependencies"]}
    declared = {{"pyyaml": "yaml"}.get(name, name) for name in declared}
    # boto3 brings botocore, ipywidgets IPython and traitlets, jupyterlab jupyter_core, nbclient, nbformat,
    # packaging and tornado, and the emulator states_language.
    brought = {
        "IPython",
        "botocore",
        "jupyter_core",
        "nbclient",
        "nbformat",
        "packaging",
        "states_language",
        "tornado",
        "traitlets",
    }
    assert imported - set(sys.stdlib_module_names) - declared - brought == {
        "lottery_course",
        "lottery_lib",
        "lottery_party",
    }


def test_the_environment_has_these_settings():
    """`make install` has copied the settings of Jupyter and its kernels as they are now."""
    folders = [Path(sys.prefix, each) for each in ("etc", "share/jupyter/lab/settings")]
    installed = {path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}
    ours = [path for kind in ("jupyter*", "ipython*") for path in (ROOT / "data").glob(kind)]
    assert len(ours) == 5
    assert [path.name for path in ours if path.read_bytes() not in installed] == []


def test_nothing_is_left_out_in_ci():
    """In CI, each test is in the short run or in the long run, whatever the machine lacks."""
    config = PYPROJECT["tool"]["pytest"]
    known = {re.split("[:(]", line)[0] for line in config["ini_options"]["markers"]}
    assert set(marks.HAS) == known - {"aws", "long"}
    nothing, ci = dict.fromkeys(marks.HAS, False), {"CI": "true"}
    assert marks.selection("short", nothing, ci) == "not long and not ministack"
    assert marks.selection("long", nothing, ci) == "(long or ministack)"
    assert marks.left_out("long", nothing, ci) == ""


@pytest.mark.parametrize(
    ("run", "lacking", "line"),
    [
        ("short", (), ""),
        ("short", ("npm", "ministack", "root"), ""),
        (
            "short",
            ("browser", "npm"),
            "Left out: the tests in a browser (no Chromium). To run them on Debian or Ubuntu, first: "
            "sudo apt install chromium fonts-noto-cjk",
        ),
        (
            "long",
            ("browser", "npm"),
            "Left out: the tests in a browser (no Chromium), the tests of the site, of a hub and of a "
            "browser's Python (no npm). "
            "To run them on Debian or Ubuntu, first: sudo apt install chromium fonts-noto-cjk npm",
        ),
    ],
)
def test_what_is_left_out_is_said(run, lacking, line):
    """Tests that need a missing program are deselected. One line names them, and what installs it."""
    has = {mark: mark not in lacking for mark in marks.HAS}
    assert marks.left_out(run, has, {}) == line
    deselected = [f"not {mark}" for mark in marks.HAS if mark in lacking]
    assert marks.selection(run, has, {}) == " and ".join([marks.RUNS[run], *deselected])


def test_the_readme_names_both_commands():
    """`make lab`, and `make test` with the command that installs a browser. CI does the same."""
    readme, ci = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", ".ci/run"))
    packages = marks.PROGRAMS["browser"][-1]
    assert f"sudo apt install {packages}" in readme.replace("\n", " ")
    assert f"packages=({packages} " in ci
    assert "\nmake test " in ci


def test_pictures_of_the_readme_are_there():
    """Every picture that the README shows is a file, and says what it shows."""
    images = re.findall(r"<img[^>]*>", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert images
    for image in images:
        assert (ROOT / re.search(r'src="([^"]+)"', image)[1]).is_file()
        assert re.search(r'alt="[^"]{30,}"', image)


def test_the_readme_begins_with_one_screen():
    """It says what this is, shows a draw and two commands, and says what you will see, before all else."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## ")[0].splitlines()
    assert len(lines) <= 25
    assert sum(line.startswith("<img") for line in lines) == 1
    assert [line.split()[1] for line in lines if line.startswith("$ ")] == ["git", "make", "make"]
    assert "$ make lab" in lines


def test_the_readme_is_short():
    """Parties, permissions and commands have pages of their own."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 900


def test_tests_that_the_docs_name_are_there():
    """Every test that `docs/aws.md` gives as a proof exists."""
    text = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    sources = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py"))
    cases = set(re.findall(r"`\[([^`]+)\]`", text))
    assert min(len(named), len(cases)) > 30
    assert [name for name in named if f"def {name}(" not in sources] == []
    assert cases - set(kinds.CASES) == set()


def kit_names(path):
    """What a notebook takes from the library: by an import, or from an imported room."""
    code = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    source = "\n".join(map(TransformerManager().transform_cell, code))  # without magics such as %%writefile
    rooms = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("lottery_lib"):
            for alias in node.names:
                rooms[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    yield from rooms.values()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in rooms:
            yield f"{rooms[node.value.id]}.{node.attr}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("notebooks/*.ipynb")), ids=lambda path: path.stem)
def test_what_a_notebook_takes_from_the_library_is_there(path):
    """Each name that a notebook imports, and each that it takes from an imported room, exists."""
    named = set(kit_names(path))
    assert named
    for name in named:
        pkgutil.resolve_name(name)


def test_the_emulator_does_not_know_the_lottery():
    """Nothing in its folder names it, so anybody can use the emulator."""
    paths = (path for path in (ROOT / "emulator").rglob("*") if path.suffix in {".md", ".po", ".py", ".toml"})
    assert [path.name for path in paths if "lottery" in path.read_text(encoding="utf-8").lower()] == []
