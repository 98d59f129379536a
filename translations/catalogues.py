"""Keep the other languages of the kit in step with English (`make translations`).

Each language has a folder with three catalogues (.po): for the library, the notebooks and the documents. The
emulator has its catalogue in its own folder. The programs read compiled catalogues (.mo). This
program reads the English texts, brings the catalogues up to date, and writes the notebooks and documents of
the other languages. A changed text keeps its old translation, marked as fuzzy, until somebody has looked at
it. Until then, the notebook shows the English text with a mark.

Babel keeps the catalogues. Translate Toolkit finds the texts of Markdown. jieba knows where a Chinese
word ends.
"""

import ast
import io
import itertools
import json
import os
import re
import sys
import tokenize
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import nbformat
import rjieba
from babel.messages import Catalog, mofile, pofile
from translate.storage.markdown import MarkdownFile

from lottery_lib.harmless import width
from lottery_lib.translation import TAGS, error_messages, languages
from lottery_lib.translation import TRANSLATIONS as FOLDER

ROOT: Final = Path(__file__).resolve().parent.parent
NOTEBOOKS: Final = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
#: The documents that attendees and instructors are sent to.
DOCUMENTS: Final = [
    ROOT / name
    for name in (
        "README.md",
        "INSTRUCTOR.md",
        "docs/workbench.md",
        "docs/errors.md",
        "docs/after.md",
        "docs/commands.md",
        "docs/party.md",
        "docs/account.md",
        "docs/aws.md",
        "docs/receipts.md",
        "docs/security.md",
        "docs/class.md",
        "docs/classroom.md",
        "docs/personal-data.md",
        "docs/export.md",
    )
]
#: Stands before a text that has no translation yet.
MARK: Final = "〔EN〕"
#: The widest line of a code cell.
WIDTH: Final = 88
Translate = Callable[[str], str]
_NO_DATE: Final = datetime(2000, 1, 1, tzinfo=UTC)

# Two words; or a label; or a number with its noun.
_WORDS: Final = re.compile(
    r"[A-Za-z]+[,.;:!?)]* +\W?[A-Za-z]{2,}|(?:^| )[A-Za-z]{3,}: *(?:$|\{)|(?:\}|\d) [a-z]{3,}"
)
#: Texts of one word: buttons, prizes, a mail, columns. In the file, employees have names of the language.
_ALONE: Final = (
    *("Accept", "Decline", "Mug", "Car", "Hello!", "before", "after", "what"),
    *("repeated", "takes", "nobody", "success", "gives", "employees", "record", "hours", "runs"),
    "data/request-items.json",
)
_NO_PROSE: Final = re.compile(r"`[^`]*`|\]\([^)]*\)|<[^>]*>")
_IMAGE: Final = re.compile(r"<img[^>]*>")
_IN_HTML: Final = re.compile(r"(?<=<summary>).+?(?=</summary>)|(?<= alt=\")[^\"]+")
_PICTURE: Final = re.compile(r"(?<=<img src=\")[^\":]+(?=\")")
_LINK: Final = re.compile(r"(?<!!)\[([^]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)(?:（英文）)?( (?=[\w`*]))?")
#: Where AWS has its guides in a language. Its references are English only.
_GUIDES: Final = {"zh": "https://docs.aws.amazon.com/zh_cn/"}
_GUIDE: Final = re.compile(r"https://docs\.aws\.amazon\.com/(?!zh_cn/)(?![^)>\s]*reference)", re.IGNORECASE)
#: What stands behind a link to a page that is English only; and whose pages are in that language.
_ENGLISH: Final = {"zh": "（英文）"}
_OTHERS: Final = {
    "zh": ("https://blog.51cto.com/", "https://console.aws.amazon.com/", "https://console.amazonaws.cn/")
}


# Texts: each function returns its argument with all texts translated.


def markdown(source: str, translate: Translate) -> str:
    """Translate Markdown, paragraph by paragraph. A block of code is a text, too.

    A block that calls AWS is a text only if it has a message, or the name of the file of employees.

    In a block of Python, as of a solution, only comments and texts are translated.
    """
    before, fence, rest = source.partition("```python\n")
    if fence:
        code, end, after = rest.partition("\n```")
        parts = (
            before and markdown(before, translate) + "\n\n",
            python(code, translate),
            markdown(after, translate),
        )
        return f"{parts[0]}{fence}{parts[1]}{end}\n\n{parts[2].lstrip()}"

    def unit(text: str) -> str:
        is_text = re.search("[A-Za-z]{2}", _NO_PROSE.sub("", text))
        is_text = is_text and (not text.startswith("aws ") or re.search(r'"\w+ \w+|//request-items', text))
        return translate(text) if is_text else text

    document = MarkdownFile(callback=unit, no_placeholders=True)
    document.parse(_IMAGE.sub(lambda found: found[0].replace("\n", " "), source).encode())
    translated = _IN_HTML.sub(lambda found: translate(found[0]), document.filesrc)
    return translated.rstrip("\n")


def python(source: str, translate: Translate) -> str:
    """Translate the comments of a code cell, and its strings that are texts: see `text_of`.

    An f-string is a text with its expressions in braces.
    """
    magic = re.match(r"%%.*\n|", source)[0]
    lines = source[len(magic) :].splitlines(keepends=True)
    changes = [*_strings("".join(lines), translate), *_comments(lines, translate)]
    for first, start, last, end, new in sorted(changes, reverse=True):
        head, tail = lines[first - 1].encode()[:start].decode(), lines[last - 1].encode()[end:].decode()
        lines[first - 1 : last] = [head + new + tail]
    return magic + "".join(lines)


#: First line and byte, last line and byte, and the new text for what stands there.
Change = tuple[int, int, int, int, str]


def _strings(source: str, translate: Translate) -> Iterator[Change]:
    python = re.sub(r"^!", "#", source, flags=re.MULTILINE)  # a line of the shell has no texts
    for node in texts(ast.parse(python)):
        if (translated := translate(text_of(node))) == text_of(node):
            continue
        formatted = isinstance(node, ast.JoinedStr)
        quoted = partial(_quoted, formatted=formatted)
        if block := re.match("f?(\"\"\"|''')", ast.get_source_segment(source, node)):
            plain = translated.replace("\\", "\\\\")
            literal = f"{block[0]}{plain}{block[1]}"
        elif node.lineno == node.end_lineno:
            literal = quoted(translated)
        else:  # it stands in parentheses
            pieces = _wrapped(translated, WIDTH - node.col_offset - 3)
            literal = f"\n{' ' * node.col_offset}".join(map(quoted, pieces))
        yield node.lineno, node.col_offset, node.end_lineno, node.end_col_offset, literal


def texts(tree: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    """The strings of a program that are texts."""
    for node in ast.iter_child_nodes(tree):
        if text_of(node):
            yield node
        if not isinstance(node, ast.JoinedStr):
            yield from texts(node)


def text_of(node: ast.AST) -> str:
    """The text of a string in code, or nothing if it is no text but a name or an expression.

    A text is a label, has two words or more, or is in `_ALONE`.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    elif isinstance(node, ast.JoinedStr):
        text = "".join(
            part.value.replace("{", "{{").replace("}", "}}")
            if isinstance(part, ast.Constant)
            else ast.unparse(ast.JoinedStr([part]))[2:-1]
            for part in node.values
        )
    else:
        return ""
    has_words = _WORDS.search(text) and text not in _states() and not text.startswith(("{%", "arn:"))
    return text if has_words or text in _ALONE else ""


def _quoted(text: str, *, formatted: bool) -> str:
    """A string as Python writes it, with double quotes where it can."""
    escaped = json.dumps(text, ensure_ascii=False)
    if formatted:  # a quote inside braces belongs to an expression
        return "f" + re.sub(r"\{[^{}]*\}", lambda found: found[0].replace('\\"', "'"), escaped)
    return repr(text) if '"' in text and "'" not in text else escaped


@cache
def _states() -> set[str]:
    """The names of states. They are the same in all languages."""
    found: set[str] = set()

    def look(node: Any) -> None:
        for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            look(each)
        found.update(node.get("States", {}) if isinstance(node, dict) else ())

    for path in (ROOT / "asl").glob("*.json"):
        look(json.loads(path.read_text(encoding="utf-8")))
    return found


def _comments(lines: list[str], translate: Translate) -> Iterator[Change]:
    """A comment that goes on in the next line is one text."""
    blocks: list[list[tokenize.TokenInfo]] = []
    for token in tokenize.generate_tokens(iter([*lines, ""]).__next__):
        if token.type == tokenize.COMMENT:
            before = blocks[-1][-1] if blocks else None
            goes_on = (
                before and before.start == (token.start[0] - 1, token.start[1]) and len(before.line) > 64
            )
            if goes_on and not token.line[: token.start[1]].strip():
                blocks[-1].append(token)
            else:
                blocks.append([token])
    for block in blocks:
        text = " ".join(token.string.removeprefix("#").strip() for token in block)
        if _WORDS.search(text) and (translated := translate(text)) != text:
            (first, column), (last, end) = block[0].start, block[-1].end
            start, end = (len(block[0].line[:column].encode()), len(block[-1].line[:end].encode()))
            wrapped = _wrapped(translated, WIDTH - column - 2)
            new = f"\n{' ' * column}".join(f"# {part.rstrip()}" for part in wrapped)
            yield first, start, last, end, new


def _wrapped(text: str, most: int) -> list[str]:
    """Break a text into lines of at most so many columns. A Chinese character is two columns wide."""
    lines = [""]
    for start, end in itertools.pairwise([0, *breaks(text), len(text)]):
        if lines[-1] and width(lines[-1] + text[start:end].rstrip()) > most:
            lines.append("")
        lines[-1] += text[start:end]
    return lines


#: A line does not end inside one of these: a Latin word, or an expression in braces.
_WHOLE: Final = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[!-z|~]+")
_NO_START: Final = " ，。、；：？！）》”…"
_NO_END: Final = "（《“"


def breaks(text: str) -> list[int]:
    """Where a line may end: behind a word, Chinese or not, with its punctuation."""
    words = itertools.accumulate(map(len, _words().cut(text)))
    inside = {place for found in _WHOLE.finditer(text) for place in range(found.start() + 1, found.end())}
    return [
        place
        for place in words
        if place < len(text) and place not in inside
        if text[place] not in _NO_START and text[place - 1] not in _NO_END
    ]


@cache
def _words() -> rjieba.Jieba:
    """Chinese words, among them those of the glossary."""
    known = rjieba.Jieba()
    terms = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").partition("\n## ")[0]
    for term in re.findall("[\u4e00-\u9fff]{2,}", terms):
        known.add_word(term, None, None)
    return known


# Catalogues


def collected(pages: Iterable[Path]) -> Catalog:
    """The texts of English pages, with the cells or the page that has them."""
    found = Catalog()

    def collect(text: str, place: str) -> str:
        found.add(text, locations=[(place, 0)])
        return text

    for page in pages:
        translated(page, collect)
    return found


#: The folders of the kit that share a catalogue.
KIT: Final = [ROOT / name for name in ("lottery_lib", "lottery_party", "lottery_course", "data")]


def library(folders: Iterable[Path] = KIT) -> Catalog:
    """The messages of a program and the help of its commands, with the modules that have them.

    Those of the kit include what the functions' errors say.
    """
    found = Catalog()
    for message, path in error_messages() if folders is KIT else ():
        found.add(message, locations=[(path.relative_to(ROOT).as_posix(), 0)])
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            for message in messages(ast.parse(path.read_text(encoding="utf-8"))):
                found.add(message, locations=[(path.relative_to(folder.parent).as_posix(), 0)])
    return found


def messages(tree: ast.AST) -> Iterator[str | tuple[str, str]]:
    """What a module gives to `_`, `N_` or `ngettext`, and the docstrings of commands.

    Babel's search misses f-strings.
    """
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Call(func=ast.Name(id="_" | "N_"), args=[ast.Constant(value=str(message))]):
                yield message
            case ast.Call(func=ast.Name(id="ngettext"), args=[one, many, _]):
                yield ast.literal_eval(one), ast.literal_eval(many)
            case ast.FunctionDef(decorator_list=[ast.Call(func=ast.Attribute(attr="command" | "group")), *_]):
                yield ast.get_docstring(node) or ""
        yield from messages(node)


def updated(path: Path, template: Catalog) -> Catalog:
    """Read a catalogue, and bring it up to date.

    A new text is empty, unless it is much like an old one: then it has the old translation, marked as fuzzy.
    """
    stored = io.BytesIO(path.read_bytes() if path.exists() else b"")
    locale = path.parents[1].name if path.parent.name == "LC_MESSAGES" else path.parent.name
    catalog = pofile.read_po(stored, locale=locale)
    catalog.update(template, update_creation_date=False)
    return catalog


def written(catalog: Catalog) -> str:
    """A catalogue as its file has it."""
    file = io.BytesIO()
    pofile.write_po(file, catalog, omit_header=True, width=0, ignore_obsolete=True, include_lineno=False)
    return file.getvalue().decode()


def compiled(catalog: Catalog) -> bytes:
    """A catalogue as a program reads it."""
    catalog.creation_date = catalog.revision_date = _NO_DATE  # the same texts give the same bytes
    file = io.BytesIO()
    mofile.write_mo(file, catalog)
    return file.getvalue()


def unfinished(catalog: Catalog) -> Iterator[str]:
    """A line for each text that has no translation, or one that nobody has looked at."""
    for message in catalog:
        if message.id and (message.fuzzy or not all(_forms(message.string))):
            places = ", ".join(dict.fromkeys(place for place, _ in message.locations))
            kind = "fuzzy" if message.fuzzy else "untranslated"
            yield f"{places}: {kind}: {_forms(message.id)[0][:70]!r}"


def _forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """The forms of a text: several if it depends on a number."""
    return text if isinstance(text, tuple) else (text,)


# Pages


def translated(page: Path, translate: Callable[[str, str], str], now: str = "") -> str:
    """Translate a notebook or a document.

    Args:
        page: The English page.
        translate: Is given each text, and the cell or the page that has it.
        now: The translated page so far. Where the code of a cell is the same, its outputs stay.
    """
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".md":
        return markdown(text, partial(translate, place=page.name)) + "\n"
    notebook = nbformat.reads(text, as_version=4)
    stored = {cell.id: cell for cell in nbformat.reads(now, as_version=4).cells} if now else {}
    for cell in notebook.cells:
        each = partial(translate, place=cell.id)
        if cell.cell_type == "markdown":
            cell.source = markdown(cell.source, each)
            continue
        cell.source = python(cell.source, each)
        same = cell.id in stored and stored[cell.id].source == cell.source
        cell.outputs = stored[cell.id].outputs if same else []
    return nbformat.writes(notebook) + "\n"


def destination(page: Path, language: str) -> Path:
    """Where the translation of a page stands."""
    if page.suffix == ".ipynb":
        return page.parent / language / page.name
    return page.with_name(f"{page.stem}.{TAGS.get(language, language)}.md")


def translation(catalog: Catalog, page: Path, text: str, place: str) -> str:
    """The translation of a text, or the text with a mark if there is none that somebody has looked at.

    Each link leads to the translation of its page, or says that there is none.
    """
    language = catalog.locale_identifier
    here = destination(page, language).parent
    guides = _GUIDES.get(language, "https://docs.aws.amazon.com/")
    twins = {each: destination(each, language) for each in [*NOTEBOOKS, *DOCUMENTS]}

    def follow(link: re.Match[str]) -> str:
        name, target, anchor, space = link[1], link[2], link[3] or "", link[4] or ""
        if "://" in target:
            is_english = not target.startswith((guides, *_OTHERS.get(language, ())))
        else:
            there = (page.parent / target).resolve()
            twin = twins.get(there, there)
            name, target = name.replace(there.name, twin.name), os.path.relpath(twin, here)
            is_ours = twin in twins.values() or there.name.endswith(f".{TAGS.get(language, language)}.md")
            is_english = there.suffix in (".md", ".ipynb") and not is_ours
        mark = _ENGLISH.get(language) if is_english else None
        return f"[{name}]({target}{anchor}){mark or space}"

    message = catalog.get(text)
    finished = message and message.string and not message.fuzzy
    shown = message.string if finished else f"{MARK} {text}"
    return _LINK.sub(follow, _GUIDE.sub(guides, shown))


def picture_in(page: Path, language: str, link: re.Match[str]) -> str:
    """Where a picture of a page is in a language: ``draw.zh.gif`` beside ``draw.gif``, if it is there."""
    path = Path(link[0])
    spoken = path.with_suffix(f".{language}{path.suffix}")
    return str(spoken if (page.parent / spoken).exists() else path)


def edition(language: str) -> tuple[dict[Path, bytes], list[str]]:
    """The catalogues and pages of a language as they should be, and a line for each unfinished text."""
    files, left = {}, []
    for path, folders in programs(language).items():
        catalog = updated(path, library(folders))
        files[path], files[path.with_suffix(".mo")] = written(catalog).encode(), compiled(catalog)
        left += unfinished(catalog)
    for name, pages in (("notebooks.po", NOTEBOOKS), ("documents.po", DOCUMENTS)):
        path = FOLDER / language / name
        catalog = updated(path, collected(pages))
        files[path] = written(catalog).encode()
        left += unfinished(catalog)
        for page in pages:
            there = destination(page, language)
            now = there.read_text(encoding="utf-8") if there.exists() else ""
            text = translated(page, partial(translation, catalog, page), now)
            files[there] = _PICTURE.sub(partial(picture_in, page, language), text).encode()
    return files, left


def programs(language: str) -> dict[Path, list[Path]]:
    """The catalogue of each program in a language, with the folders of the program."""
    emulator = ROOT / "emulator" / "sfn_emulator"
    return {
        FOLDER / language / "lottery_lib.po": KIT,
        emulator / "locale" / language / "LC_MESSAGES" / "sfn_emulator.po": [emulator],
    }


def main() -> int:
    """Bring every language up to date, and say what is left for its translators."""
    for language in languages():
        files, left = edition(language)
        for path, text in files.items():
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_bytes(text)
        print(*left, f"{language}: {len(left) or 'no'} texts to translate or to look at.", sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
