"""Build the course as pages, in each language (`make site`).

Sphinx wants all pages of a language in one folder. `stage` copies them there, so that a page has the same
name in each language: ``notebooks/00_overview.html`` and ``zh/notebooks/00_overview.html``. README becomes
the start page. Nothing is run: the pages show the outputs that the notebooks store.
"""

import fnmatch
import json
import os
import re
import shutil
import sys
import time
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

import try_page

from lottery_party.checker import check_page

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
SITE: Final = ROOT / "build" / "site"
STAGE: Final = ROOT / "build" / "site-source"
#: Where npm has put Mermaid, which draws diagrams.
MERMAID: Final = Path(sys.prefix, "node_modules", "@mermaid-js", "tiny", "dist", "mermaid.tiny.js")
#: Where the pages of each language are in the site.
PLACES: Final = {"en": ".", "zh": "zh"}
WORDS: Final[dict[str, Any]] = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
#: The parts of the menu, and their pages in order. A page stands where it is found first.
MENU: Final = {
    "lessons": ["notebooks/*"],
    "use": [
        "docs/workbench",
        "docs/after",
        "docs/errors",
        "docs/commands",
        "docs/party",
        "docs/nianhui",
        "docs/receipts",
        "docs/export",
        "docs/a*",
        "docs/security",
    ],
    "teach": ["INSTRUCTOR", "docs/class*", "docs/personal-data", "benchmarks/cost"],
    "emulator": [
        "emulator/README",
        "emulator/docs/fidelity",
        "emulator/docs/*",
        "emulator/*",
        "states_language/*",
    ],
    "more": ["docs/glossary", "*"],
}
#: What the theme and MyST-NB write, and no page reads.
UNUSED: Final = ("**/*.map", "**/*macros.html", "**/_static/locales", "**/jupyter_execute", "**/_sources")
_LINK: Final = re.compile(r"(?:\[([\w./-]+\.md))?\]\(([^)\s#:\"\\]+)(#[^)\s]*)?\)")
#: A link that shows the number of a lesson and one of its headings.
_HEADING: Final = re.compile(r"(\[\d\d: ([^\]]+)\]\([^)#\s]+\.ipynb)\)")
_LESSON: Final = re.compile(r"(?<!\[)`(\d\d_\w+)`")
#: Programs find their numbers in a document by it. At the beginning of a line, it would end the paragraph.
_COMMENT: Final = re.compile(r"\s*<!--[^>]*-->(?=,)|<!--[^>]*-->")
#: In an output, a link to the emulator that made it, which has ended.
_MADE_BY: Final = re.compile(r'<a href=\\"http://127\.0\.0\.1[^>]*>')
_ROW: Final = re.compile(r"\| (.+?) \| (.+?) \| (?:(\w+) )?\|\n")


@cache
def pages() -> dict[str, dict[str, Path]]:
    """The names of the pages in each language, and their files. The glossary is one file for both."""
    found: dict[str, dict[str, Path]] = {"en": {}, "zh": {"docs/glossary": ROOT / "docs" / "glossary.md"}}
    for pattern in (
        "notebooks/[0-9]*.ipynb",
        "*.md",
        "docs/*.md",
        "benchmarks/*.md",
        "emulator/*.md",
        "emulator/docs/*.md",
        "states_language/*.md",
        "tests/*.md",
        "translations/*.md",
    ):
        for path in sorted(ROOT.glob(pattern)):
            if path.name.endswith(".zh-CN.md"):
                if not (path.parent / path.name.replace(".zh-CN", "")).exists():  # in Chinese only
                    found["zh"][path.relative_to(ROOT).as_posix().removesuffix(".zh-CN.md")] = path
                continue
            name = path.relative_to(ROOT).with_suffix("").as_posix()
            name = "index" if name == "README" else name
            found["en"][name] = path
            for twin in (path.with_suffix(".zh-CN.md"), path.parent / "zh" / path.name):
                if twin.exists():
                    found["zh"][name] = twin
    return found


def menu(names: set[str]) -> dict[str, list[str]]:
    """These pages, in the order of the menu."""
    left, parts = sorted(names - {"index"}), {}
    for part, patterns in MENU.items():
        parts[part] = list(dict.fromkeys(name for each in patterns for name in fnmatch.filter(left, each)))
        left = [name for name in left if name not in parts[part]]
    return parts


def title(name: str, language: str) -> str:
    """What the menu calls a page: the first part of its title, or a word that is clear among the others."""
    if known := WORDS[language]["titles"].get(name):
        return known
    path = pages()[language][name]
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "".join(json.loads(text)["cells"][0]["source"])
    return re.split("[:：]", text.partition("\n")[0].removeprefix("# "))[0].replace("`", "")


def stage(language: str) -> None:
    """Copy the pages of a language into one folder, with the pictures and files that they show.

    A lesson's cells may have ``!`` and ``%``, which IPython's lexer knows.
    """
    mine = pages()[language]
    for name, path in mine.items():
        text = path.read_text(encoding="utf-8")
        if name == "index":
            text = start_page(text, language)
        elif name == "docs/glossary":
            text = glossary(text, language)
        text = _MADE_BY.sub("<a>", text)
        if path.suffix == ".md":
            text = _COMMENT.sub("", text)
            lesson = os.path.relpath(mine["notebooks/00_overview"].parent, path.parent)
            text = _LESSON.sub(rf"[`\1`]({lesson}/\1.ipynb)", text)
        else:
            text = re.sub(r'("language_info": {\s+"name": )"python"', r'\1"ipython3"', text)
        there = STAGE / language / f"{name}{path.suffix}"
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_text(linked(text, path, name, language), encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "images", STAGE / language / "docs" / "images")


def linked(text: str, path: Path, name: str, language: str) -> str:
    """Lead each link to the page of the site, in this language if it is there. Copy what is no page.

    A link that shows the name of a file shows the title of the page instead. A link that shows a lesson's
    number and one of its headings leads to this heading.
    """
    order = sorted(PLACES, key=language.__eq__)  # this language is the last, and so it wins
    known = {file: (spoken, page) for spoken in order for page, file in pages()[spoken].items()}

    def follow(link: re.Match[str]) -> str:
        file, anchor = (path.parent / link[2]).resolve(), link[3] or ""
        if file not in known:
            if file.is_file():
                copy = STAGE / language / Path(name).parent / link[2]
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, copy)
            return link[0]
        spoken, page = known[file]
        shown = f"[{title(page, spoken if page == 'index' else language)}" if link[1] else ""
        if spoken == language:
            return f"{shown}]({os.path.relpath(page, Path(name).parent)}{file.suffix}{anchor})"
        away = os.path.relpath(Path(PLACES[spoken], page), Path(PLACES[language], name).parent)
        return f"{shown}]({'place' if anchor else 'page'}:{away}.html{anchor})"

    def to_heading(link: re.Match[str]) -> str:
        anchor = re.sub(r"[^\w -]", "", link[2].lower()).replace(" ", "-")
        return f"{link[1]}#{anchor})"

    return _LINK.sub(follow, _HEADING.sub(to_heading, text))


def start_page(text: str, language: str) -> str:
    """README, without its last part, which is for who has the folder; with three buttons and the menu."""
    words = WORDS[language]
    record = os.path.relpath(ROOT / "emulator" / "docs" / "fidelity.md", ROOT)
    first = os.path.relpath(pages()[language]["notebooks/00_overview"], ROOT)
    away = f"page:{'../' if language == 'zh' else ''}try/{try_page.PAGES[language]}"
    buttons = (
        f"[{words['first']}]({first}){{.button}} [{words['try_it']}]({away}){{.button}} "
        f"[{words['faithful']}{words['english']}]({record}){{.button}}"
    )
    address = os.environ.get("SITE_REPOSITORY") or words["repository"]
    text = text.rpartition("\n## ")[0].replace(words["this_page"], address)
    lines = [re.sub(r"<img[^>]*>", lambda image: f"{image[0]}\n\n{buttons}", text, count=1)]
    for part, names in menu(set(pages()[language])).items():
        entries = [f"{title(name, language)} </{name}>" for name in names]
        if entries:
            lines += ["```{toctree}", ":hidden:", f":caption: {words['menu'][part]}", *entries, "```"]
    return "\n".join(lines) + "\n"


def glossary(text: str, language: str) -> str:
    """The words of the two editions, each with an address of its own, and the lesson that explains it."""
    mine = pages()[language]
    order = 1 if language == "en" else -1
    table = [(*("English", "中文")[::order], WORDS[language]["explained"]), ("---",) * 3]
    for english, chinese, number in _ROW.findall(text.partition("\n## ")[0])[1:]:
        address = "-".join(re.findall("[a-z]+", english.lower()))
        words = (f"[{english}]{{#{address}}}", chinese)[::order]
        lesson = ""
        if number:
            page = next(page for page in mine if page.startswith(f"notebooks/{number}"))
            lesson = f"[{title(page, language)}]({os.path.relpath(mine[page], ROOT / 'docs')})"
        table.append((*words, lesson))
    rows = "\n".join(f"| {' | '.join(row)} |" for row in table)
    return f"# {title('docs/glossary', language)}\n\n{rows}\n"


def main() -> int:
    """Build all languages, and say where the site begins and how large it is."""
    from sphinx.cmd.build import main as sphinx  # noqa: PLC0415 - tests import this module without Sphinx

    start = time.monotonic()
    for folder in (SITE, STAGE):
        shutil.rmtree(folder, ignore_errors=True)
    for language, place in PLACES.items():
        stage(language)
        options = ["-W", "--keep-going", "-q", "-j", "auto", "-c", str(HERE), "-t", language]
        doctrees = STAGE / f"{language}.doctrees"
        if sphinx([*options, "-d", str(doctrees), str(STAGE / language), str(SITE / place)]):
            return 1
    for pattern in UNUSED:
        for path in sorted(SITE.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copy(MERMAID, SITE / "_static")
    (SITE / "check.html").write_text(check_page({}), encoding="utf-8")
    try_page.make(SITE / "try", {language: WORDS[language]["try"] for language in PLACES})
    files = [path for path in SITE.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    count = sum(path.suffix == ".html" for path in files)
    print(f"Open {SITE}/index.html: {count} pages, {size:.1f} MB, {time.monotonic() - start:.0f} seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
