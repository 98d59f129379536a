"""The other languages of the course: the same code as in English, and every text translated."""

import ast
import io
import itertools
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import catalogues
import nbformat
import pytest
from babel.messages import pofile
from catalogues import DOCUMENTS, NOTEBOOKS, ROOT, destination
from mistletoe import Document, ast_renderer

from lottery_lib.harmless import width
from lottery_lib.translation import languages

PAIRS: Final = [(page, destination(page, language)) for language in languages() for page in NOTEBOOKS]
PAGES: Final = [destination(page, language) for language in languages() for page in [*NOTEBOOKS, *DOCUMENTS]]
PAGES.append(ROOT / "docs" / "nianhui.zh-CN.md")  # it has no English twin
#: What is not translated: code, addresses, HTML, labels of the console and of GitHub.
NO_PROSE: Final = re.compile(r"`[^`]*`|\]\([^)]*\)|<[^>]*>|“[ -~]+”")
#: The words of a mail, of AWS and of pytest, with which code compares; what a state returns; a name.
QUOTED: Final = (
    "Congrats! [",
    "You have selected as the Lucky Champ",
    "Hello from the lottery",
    "do you accept",
    "not authorized to perform",
    "is not authorized",
    "Scan on resource",
    "Publish on resource",
    "is not supported",
    "no tests ran",
    "recorded, not mailed",
)
#: Three English words of which two are no names.
ENGLISH: Final = re.compile(r"[A-Za-z]+(?:'[a-z]+)?(?:,? +[A-Za-z]+(?:'[a-z]+)?){2,}")


def english(text: str) -> list[str]:
    """The English phrases in a text."""
    for quoted in QUOTED:
        text = text.replace(quoted, "")
    found = ENGLISH.findall(NO_PROSE.sub("", text))
    return [each for each in found if len(re.findall(r"\b[a-z]{2,}\b", each)) >= 2]


@cache
def cells_of(page: Any) -> list[Any]:
    return nbformat.read(page, as_version=4).cells


@pytest.fixture(scope="module", params=languages())
def edition(request: pytest.FixtureRequest) -> tuple[dict[Any, bytes], list[str]]:
    return catalogues.edition(request.param)


def test_the_kit_speaks_chinese():
    assert languages() == ["zh"]


def test_every_text_is_translated(edition):
    """A text without a translation is named with its file and cell; `make translations` marks changed ones."""
    assert not edition[1], "\n".join(edition[1])


def test_files_are_in_step_with_english(edition):
    """Catalogues, notebooks and documents are those that `make translations` writes."""
    stale = [path.name for path, text in edition[0].items() if path.read_bytes() != text]
    assert not stale, "Run make translations"


def test_pictures_have_words_of_the_language(edition):
    """Each picture of the English pages has words. So a page in another language shows its own."""
    shown = [
        (page.parent / picture)
        for page, text in edition[0].items()
        for picture in re.findall(r'<img[^>]* src="([^":]+)"', text.decode() if page.suffix == ".md" else "")
    ]
    assert shown
    assert [path.name for path in shown if not (path.exists() and ".zh." in path.name)] == []


def test_pages_name_buttons_as_they_are(edition):
    """A page that names a label of the kit in italics, such as *Draw*, has the words that the kit shows.

    Labels of AWS's console stay English, with Chinese in brackets.
    """
    catalogs = {
        path.name: [each for each in pofile.read_po(io.BytesIO(text)) if isinstance(each.id, str)]
        for path, text in edition[0].items()
        if path.suffix == ".po"
    }
    shown = {message.id: message.string for message in catalogs["lottery_lib.po"]}
    wrong = [
        (label, message.string)
        for message in (*catalogs["documents.po"], *catalogs["notebooks.po"])
        for label in re.findall(r"(?<!\*)\*([A-Z][^*]*)\*(?!\*)", message.id)
        if label in shown and shown[label] not in message.string and f"“{label}”（" not in message.string
    ]
    assert wrong == []


@pytest.mark.parametrize(("page", "translated"), PAIRS, ids=lambda page: page.stem)
def test_each_stored_output_is_there(page, translated):
    """What a cell shows in English, it shows in the other language; `make refresh` stores it."""
    shown = [
        {cell.id for cell in cells_of(path) if cell.cell_type == "code" and cell.outputs}
        for path in (page, translated)
    ]
    assert shown[0] == shown[1]


def code_of(cell: Any) -> str:
    """The code of a code cell, or of a solution."""
    return cell.source if cell.cell_type == "code" else cell.source.split("```")[1].partition("\n")[2]


@pytest.mark.parametrize(("page", "translated"), PAIRS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_code_is_the_english_code(page, translated):
    """The syntax trees differ only in texts. Cells, tags and ids are the same."""
    for ours, theirs in zip(cells_of(page), cells_of(translated), strict=True):
        assert (ours.id, ours.cell_type, ours.metadata) == (theirs.id, theirs.cell_type, theirs.metadata)
        if ours.cell_type == "code" or "```python" in ours.source:
            assert is_same(*map(python_of, (ours, theirs))), ours.id
        elif "solution" in ours.metadata.get("tags", []):  # it is a file: only its texts differ
            assert files_of(ours) == files_of(theirs), ours.id


def files_of(cell: Any) -> list[str]:
    """What a solution has of a file, without the texts in it."""
    return [re.sub(r'"[^"\n]*"', '""', text) for text in re.findall(r"^```\w+\n(.*?)^```", cell.source, re.M | re.S)]


def python_of(cell: Any) -> ast.Module:
    """The syntax tree of a cell's Python, without magics and lines of the shell."""
    return ast.parse(re.sub(r"^(%%|!).*", "", code_of(cell), flags=re.MULTILINE))


def is_same(ours: object, theirs: object) -> bool:
    """Whether two syntax trees differ only in texts."""
    if isinstance(ours, ast.AST):
        if type(ours) is not type(theirs):
            return False
        if catalogues.text_of(ours):
            return expressions(ours) == expressions(theirs)
        return all(is_same(getattr(ours, name, None), getattr(theirs, name, None)) for name in ours._fields)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(is_same, ours, theirs))
    return ours == theirs


def expressions(text: ast.AST) -> list[str]:
    """The expressions in an f-string, in any order."""
    return sorted(ast.unparse(node) for node in ast.walk(text) if isinstance(node, ast.FormattedValue))


@pytest.mark.parametrize(
    ("theirs", "allowed"),
    [
        ('check(answer, hint="看一看 Choice")', True),
        ('print(f"{name} 的数量是 {count + 1}")', True),
        ('print(f"{name} 的数量是 {count}")', False),
        ('print(f"的数量是 {count + 1}")', False),
        ('check(other, hint="看一看 Choice")', False),
        ('table["员工"]', False),
    ],
)
def test_only_texts_may_differ(theirs, allowed):
    """A name, a key or an expression may not."""
    ours = [
        'check(answer, hint="Look at the Choice")',
        'print(f"There are {count + 1} of {name}")',
        'table["employee"]',
    ]
    assert any(is_same(ast.parse(each), ast.parse(theirs)) for each in ours) == allowed


def test_words_that_stand_alone_are_texts():
    """What a button says, and what one can win, is translated, although it is one word."""
    told = []
    for node in itertools.chain.from_iterable(
        ast.walk(python_of(cell))
        for page in NOTEBOOKS
        for cell in cells_of(page)
        if cell.cell_type == "code"
    ):
        match node:
            case ast.keyword(arg="description", value=text):
                told.append(text)
            case ast.Dict(keys=[ast.Constant(value="name"), ast.Constant(value="count")], values=[text, _]):
                told.append(text)
    assert len(told) > 4
    assert all(map(catalogues.text_of, told)), list(map(ast.unparse, told))


def prose(page: Any) -> Iterator[tuple[str, str]]:
    """What a reader of a page reads: the place, and the text without code."""
    if page.suffix == ".md":
        text = re.sub(r"^```[\s\S]*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        yield page.name, text
        return
    for cell in cells_of(page):
        if cell.cell_type == "markdown":
            yield cell.id, re.sub(r"^```[\s\S]*?^```", "", cell.source, flags=re.MULTILINE)
            continue
        found: list[str] = []
        catalogues.python(cell.source, lambda text, found=found: found.append(text) or text)
        yield from ((cell.id, text) for text in found if "\n" not in text)  # else it is a program


#: What AWS or a function says, and a cell compares.
COMPARED: Final = (
    "Value is not a valid resource ARN",
    "An error occurred",
    "must be a whole number of at least",
)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_english_is_left(page):
    """Outside code, no three English words stand beside each other."""
    left = [f"{where}: {each}" for where, text in prose(page) for each in english(text) if each not in COMPARED]
    assert not left, "\n".join(left)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("调用 the state machine again 之后", ["the state machine again"]),
        ("状态 Is Winner In Past Draw 决定", []),
        ("运行 `lottery deploy to the cloud`", []),
        ("done by hand", ["done by hand"]),
    ],
)
def test_english_is_found(text, found):
    assert english(text) == found


def letters(node: dict[str, Any]) -> str:
    """The letters of a Markdown tree that stand outside code."""
    if node["type"] in ("InlineCode", "CodeFence", "BlockCode"):
        return ""
    return node.get("content", "") + "".join(map(letters, node.get("children") or []))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_stars_make_letters_bold(page):
    """No star of Markdown stays visible: beside Chinese punctuation it easily does."""
    for where, text in prose(page):
        if " " not in text:
            continue  # a part of an ARN in code
        assert "*" not in letters(ast_renderer.get_ast(Document(text))), where


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("README.md", "见 [docs/aws.md](docs/aws.md#x)。", "见 [docs/aws.zh-CN.md](docs/aws.zh-CN.md#x)。"),
        ("docs/party.md", "[这一页](receipts.md) 说", "[这一页](receipts.zh-CN.md) 说"),
        ("README.md", "[日志](CHANGELOG.md) 列出", "[日志](CHANGELOG.md)（英文）列出"),
        ("README.md", "[日志](CHANGELOG.md)（英文）列出", "[日志](CHANGELOG.md)（英文）列出"),
        ("README.md", "[日志](CHANGELOG.md) |", "[日志](CHANGELOG.md)（英文） |"),
        ("docs/party.md", "[这一页](nianhui.zh-CN.md) 说", "[这一页](nianhui.zh-CN.md) 说"),
        ("docs/aws.md", "[代码](../postBuild) 说", "[代码](../postBuild) 说"),
        ("README.md", "[JSONata](https://jsonata.org/)。", "[JSONata](https://jsonata.org/)（英文）。"),
        ("README.md", "[教程](https://blog.51cto.com/1) 讲", "[教程](https://blog.51cto.com/1) 讲"),
        *(
            ("README.md", text.format("https://docs.aws.amazon.com"), text.format(chinese))
            for chinese in ["https://docs.aws.amazon.com/zh_cn"]
            for text in ["[指南]({}/lambda/latest/dg/a.html) 讲", "见 <{}/lambda/latest/dg/a.html>。"]
        ),
        *(
            ("README.md", f"[参考](https://docs.aws.amazon.com/{where}) 讲", f"[参考](https://docs.aws.amazon.com/{where})（英文）讲")
            for where in ["step-functions/latest/apireference/API_X.html", "cli/latest/reference/sns/"]
        ),
    ],
)  # fmt: skip
def test_links_lead_to_chinese_pages(name, text, shown):
    """Of the kit, and of AWS's guides. Behind a link to a page that is English only, the reader is told so."""
    catalog = catalogues.Catalog(locale="zh")
    catalog.add("A text.", text)
    assert catalogues.translation(catalog, ROOT / name, "A text.", "") == shown


@pytest.mark.parametrize("page", PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_links_lead_somewhere(page):
    """Each link to a file of the kit leads to one, and to a heading that it has."""
    text = page.read_text(encoding="utf-8")
    for link, anchor in re.findall(r"\]\(([^):# ]*)(?:#([^) ]*))?\)", text):
        there = page.parent / link if link else page
        assert there.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings], link


def pseudo(text: str) -> str:
    """A text in a language that nobody speaks: accented and longer by 40 %. What stands in braces stays."""
    accented = str.maketrans("aeiouAEIOUcnsy", "åéîøûÅÉÎØÛçñšý")
    parts = re.split(r"(\{[^{}]*\}|`[^`]*`|\]\([^)]*\)|<[^>]*>)", text)
    told = "".join(part if number % 2 else part.translate(accented) for number, part in enumerate(parts))
    return f"{told} {'~' * (2 * len(text) // 5)}"


def test_a_third_language_needs_no_code(tmp_path, monkeypatch):
    """A folder with catalogues is a language: its pages have no English text, and the English code."""
    pages = [*NOTEBOOKS[:1], *DOCUMENTS[:1]]
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    monkeypatch.setattr(catalogues, "NOTEBOOKS", pages[:1])
    monkeypatch.setattr(catalogues, "DOCUMENTS", pages[1:])
    kit = {tmp_path / "xx" / "lottery_lib.po": catalogues.KIT}
    monkeypatch.setattr(catalogues, "programs", lambda language: kit)
    for name in ("lottery_lib.po", "notebooks.po", "documents.po"):
        template = catalogues.library() if name == "lottery_lib.po" else None
        catalog = catalogues.updated(tmp_path / "xx" / name, template or catalogues.collected(pages))
        for message in catalog:
            forms = (message.id,) if isinstance(message.id, str) else message.id
            pseudos = tuple(map(pseudo, forms))
            message.string = pseudos if message.pluralizable else pseudos[0] if message.id else message.string
        (tmp_path / "xx").mkdir(exist_ok=True)
        (tmp_path / "xx" / name).write_text(catalogues.written(catalog), encoding="utf-8")
    files, left = catalogues.edition("xx")
    assert not left
    assert {destination(page, "xx") for page in pages} < files.keys()
    for cell in itertools.chain.from_iterable(map(cells_of, NOTEBOOKS)):
        if cell.cell_type == "code":
            theirs = catalogues.python(cell.source, pseudo)
            assert is_same(*(ast.parse(re.sub(r"^(%%|!).*", "", code, flags=re.MULTILINE)) for code in (cell.source, theirs))), cell.id


def test_a_changed_text_is_never_stale(tmp_path):
    """Its old translation is kept, and marked as fuzzy. The page shows the English text with a mark."""
    template = catalogues.Catalog()
    template.add("Two employees win.", locations=[("06-01", 0)])
    catalog = catalogues.updated(tmp_path / "zh" / "notebooks.po", template)
    catalog["Two employees win."].string = "两名员工中奖。"
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "notebooks.po").write_text(catalogues.written(catalog), encoding="utf-8")
    changed = catalogues.Catalog()
    changed.add("Three employees win.", locations=[("06-01", 0)])
    catalog = catalogues.updated(tmp_path / "zh" / "notebooks.po", changed)
    assert list(catalogues.unfinished(catalog)) == ["06-01: fuzzy: 'Three employees win.'"]
    shown = catalogues.translation(catalog, NOTEBOOKS[0], "Three employees win.", "06-01")
    assert shown == f"{catalogues.MARK} Three employees win."
    assert "两名员工中奖。" in catalogues.written(catalog)


def ends_of(source: str) -> Iterator[tuple[str, str]]:
    """Each line of a comment that goes on in the next one, and that one."""
    for line, following in itertools.pairwise(source.splitlines()):
        ours, theirs = (re.fullmatch(r"( *)# (.+)", each) for each in (line, following))
        if ours and theirs and ours[1] == theirs[1] and width(line) > 70:
            yield ours[2], theirs[2]


def is_whole(line: str, following: str) -> bool:
    """Whether no Chinese word begins in a line and ends in the next one."""
    letters = line[-1] + following[0]
    if not re.fullmatch("[\u4e00-\u9fff]{2}", letters):
        return following[0] not in "，。、；：？！）”"
    return len(line) in catalogues.breaks(line + following)


def test_lines_end_behind_words():
    """A comment was broken inside of 所以 and 服务."""
    told = "原因：invoke 要求事件是 JSON，所以用 json.dumps 写。返回结果的 Payload 是 JSON 流，所以用 json.load 读。"
    source = catalogues.python("# Why: an event is JSON.\n", lambda _: told)
    assert source.splitlines()[1] == "# 所以用 json.load 读。"
    assert not is_whole("是另一个服", "务，所以")


@pytest.mark.parametrize("page", [page for _, page in PAIRS], ids=lambda path: path.stem)
def test_comments_break_between_words(page):
    """No line of a comment is wider than a cell, and none ends inside a word."""
    for cell in cells_of(page):
        if cell.cell_type == "code" or "solution" in cell.metadata.get("tags", []):
            code = code_of(cell)
            comments = [line for line in code.splitlines() if re.search("# .*[\u4e00-\u9fff]", line)]
            assert max(map(width, comments), default=0) <= catalogues.WIDTH
            assert [ends for ends in ends_of(code) if not is_whole(*ends)] == []


#: The words that the Chinese edition does not use.
REFUSED: Final = re.findall(
    r"^\| (\S+) \|.*\|.*\|$",
    (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").partition("| not | but | why |")[2],
    re.MULTILINE,
)
CATALOGUES: Final = [
    *catalogues.programs("zh"), *(catalogues.FOLDER / "zh" / name for name in ("notebooks.po", "documents.po"))
]  # fmt: skip


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_catalogues_use_the_words_of_the_glossary(path):
    """No translation has a word that the glossary refuses."""
    assert len(REFUSED) > 5
    catalog = pofile.read_po(io.BytesIO(path.read_bytes()))
    assert [
        (word, text)
        for word in REFUSED
        for text in map(str, (each.string for each in catalog))
        if word in text
    ] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_no_translation_has_lost_its_text(path):
    """A Chinese text has about a third of the letters. One with less than a fifth is that of another text."""
    catalog = pofile.read_po(io.BytesIO(path.read_bytes()))
    texts = [(each.id, each.string) for each in catalog if isinstance(each.id, str) and len(each.id) > 80]
    assert [theirs for ours, theirs in texts if len(theirs) < len(ours) / 5] == []


#: Pages that tell of receipts.
OF_RECEIPTS: Final = ("receipts.zh-CN.md", "party.zh-CN.md", "90_nobody_can_doubt.ipynb")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_pages_use_the_words_of_the_glossary(page):
    """Also in what a lesson shows. A page on receipts does not call them credentials."""
    text = page.read_text(encoding="utf-8")
    refused = [*REFUSED, "凭证"] if page.name in OF_RECEIPTS else REFUSED
    assert [word for word in refused if word in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_labels_of_the_console_stand_in_both_languages(page):
    """Behind each English label, a paragraph on AWS's console has the Chinese one."""
    label = re.compile(r"“(?!Workflow Studio)([A-Z][ -~]+?)”(?!（[^）]*[\u4e00-\u9fff])")
    paragraphs = [each for _, text in prose(page) for each in text.splitlines() if "控制台" in each]
    assert [found for each in paragraphs for found in label.findall(each)] == []
