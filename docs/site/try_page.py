"""Make the page *Try it*: the workbench without an installation. `course_site` puts it into the site.

`try/page.js` has the editor and the workbench, `try/worker.js` runs Python. Node makes what both need, with
the same Python as the browser's (`try/build.mjs`): the kit, compiled, and the first look of each example.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent / "try"
ROOT: Final = HERE.parents[2]
#: The page's names in each language. All its files are in one folder, so that it can be kept as a whole.
PAGES: Final = {"en": "index.html", "zh": "zh.html"}
_TAGS: Final = {"en": "en", "zh": "zh-CN"}
#: Where npm has put what the page is made of.
_MODULES: Final = Path(sys.prefix, "node_modules")
_PYODIDE: Final = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "pyodide-lock.json",
)
#: What Python needs besides its own library: packages, and what else the kit reads.
_PACKAGES: Final = ("lottery_lib", "states_language", "jsonata", "graphviz", "traitlets")


def examples(words: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """The examples by their names: ``text``, ``answers`` and ``data`` as the page has them; ``lessons``.

    Args:
        words: What answers and data say in another language, by the English words.
    """
    text = (HERE / "examples.toml").read_text(encoding="utf-8")
    for english, other in (words or {}).items():
        text = text.replace(english, other)
    found = tomllib.loads(text)
    return {
        name: {
            "text": (ROOT / "asl" / example["file"]).read_text(encoding="utf-8"),
            "answers": {task: [_answer(each) for each in its] for task, its in example["answers"].items()},
            "data": example["input"],
            "lessons": example["lessons"],
        }
        for name, example in found.items()
    }


def _answer(text: str) -> dict[str, Any]:
    return {"text": text.removeprefix("✗ "), "fails": text.startswith("✗ ")}


def of_lesson(number: str) -> str:
    """The example that a lesson links to; empty if it shows no machine."""
    return next((name for name, example in examples().items() if number in example["lessons"]), "")


def make(folder: Path, words: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the page into a folder that does not exist yet.

    Args:
        folder: Where it goes.
        words: What the page says, by language.
    """
    shutil.copytree(HERE, folder)
    for name in _PYODIDE:
        shutil.copy(_MODULES / "pyodide" / name, folder)
    (folder / "sources.zip").write_bytes(_sources())
    given = {
        language: {
            name: {key: value for key, value in example.items() if key != "lessons"}
            for name, example in examples(words[language]["data"]).items()
        }
        for language in PAGES
    }
    _node("build.mjs", "sources.zip", ".", folder=folder, given=json.dumps(given))
    look = (
        (folder / "view.css")
        .read_text(encoding="utf-8")
        .replace('[data-jp-theme-light="false"]', "[data-theme=dark]")
    )
    (folder / "page.css").write_text(look + (HERE / "page.css").read_text(encoding="utf-8"), encoding="utf-8")
    bundle = ("--bundle", "--minify", "--log-level=warning", "--legal-comments=none", "--allow-overwrite")
    _esbuild("page.js", *bundle, folder=folder)
    _esbuild(
        "worker.js", *bundle, "--format=esm", "--external:./pyodide.mjs", "--external:node:*", folder=folder
    )
    for name in (
        "sources.zip",
        "build.mjs",
        "python.mjs",
        "edits.js",
        "view.js",
        "view.css",
        "page.html",
        "examples.toml",
    ):
        (folder / name).unlink()
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    for language, name in PAGES.items():
        (folder / name).write_text(_page(folder, language, words[language], size), encoding="utf-8")
    _name_the_version(folder)


def _sources() -> bytes:
    """The Python of the page, as it stands in the folders of this machine."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as kit:
        for package in _PACKAGES:
            spec = find_spec(package)
            assert spec and spec.origin, package
            home = Path(spec.origin).parent
            for path in sorted(home.rglob("*")):
                place = Path(package, path.relative_to(home))
                if path.is_file() and not {"tests", "__pycache__"} & set(place.parts):
                    kit.write(path, place)
        for path in sorted((ROOT / "translations").glob("*/lottery_lib.mo")):
            kit.write(path, path.relative_to(ROOT))
    return packed.getvalue()


def _node(*command: str, folder: Path, given: str) -> None:
    (folder / "node_modules").symlink_to(_MODULES)  # where Node looks for modules
    try:
        subprocess.run(["node", *command], cwd=folder, input=given, encoding="utf-8", check=True)
    finally:
        (folder / "node_modules").unlink()


def _esbuild(name: str, *options: str, folder: Path) -> None:
    command = [str(_MODULES / ".bin" / "esbuild"), name, f"--outfile={name}", *options]
    subprocess.run(command, cwd=folder, env={**os.environ, "NODE_PATH": str(_MODULES)}, check=True)


def _page(folder: Path, language: str, words: Mapping[str, Any], size: float) -> str:
    """The HTML in a language. It holds the first look of the first example, which so is there at once."""
    seen = json.loads((folder / f"examples.{language}.json").read_text(encoding="utf-8"))
    name = next(iter(seen))
    told = {
        key: text.replace("{size}", f"{size:.0f}") if isinstance(text, str) else text
        for key, text in words.items()
    }
    given = json.dumps({"words": told, "first": {name: seen[name]}, "language": language}, ensure_ascii=False)
    (other,) = set(PAGES) - {language}
    return Template((HERE / "page.html").read_text(encoding="utf-8")).substitute(
        {key: text for key, text in told.items() if isinstance(text, str)},
        tag=_TAGS[language],
        given=given.replace("</", "<\\/"),
        home="../index.html" if language == "en" else "../zh/index.html",
        other_page=PAGES[other],
        other_tag=_TAGS[other],
    )


def _name_the_version(folder: Path) -> None:
    """Tell `offline.js` which files there are, and a name that changes with them."""
    files = sorted(path for path in folder.iterdir() if path.name != "offline.js")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    names = json.dumps(["./", *(path.name for path in files)])
    path = folder / "offline.js"
    path.write_text(
        Template(path.read_text(encoding="utf-8")).substitute(files=names, version=digest), encoding="utf-8"
    )
