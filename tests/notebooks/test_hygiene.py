"""What every notebook of the course keeps to, so that comparing its outputs means something."""

import ast
import itertools
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any, Final

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbval.plugin import get_sanitize_patterns

from notebooks.cells import SOLUTION
from notebooks.holds import HOLDS
from notebooks.minutes import measured_minutes
from notebooks.refresh import SANITIZE, sanitized

from lottery_course.notebooks import NOTEBOOKS_FOLDER, notebooks, stated_minutes
from lottery_lib.harmless import width
from lottery_lib.translation import languages

IGNORED: Final = "nbval-ignore-output"
OWN_WORK: Final = {"exercise", "check"}
TAGS: Final = {IGNORED, "nbval-check-output", "raises-exception", "hide-cell", "solution", *OWN_WORK}
# A collapsed cell still shows its first line: that must not be the answer.
CHECK: Final = "# Check: run this cell"
COLUMNS: Final = 88  # wider than that scrolls sideways in JupyterLab on a laptop
PLACES: Final = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|Users|work|var/folders)/|[A-Z]:\\Users\\")
#: The lesson in which people draw before they read.
FIRST: Final = "00"
#: The lessons with fewer than three exercises.
SHORT: Final = {FIRST, "99"}
#: The only lesson with missions instead of exercises, and with cells that belong to one.
ON_CALL: Final = "20"
MISSION: Final = re.compile(r"# Mission \d: |!lottery mission \d --check$")
#: The emulator's account: no other may be stored.
ACCOUNT: Final = "123456789012"
#: A time that somebody measured, and that is not replaced by a word.
MEASURED: Final = re.compile(r"(?i)(?:duration|latency|elapsed|took)\w*\W{1,4}\d+|\d+ ms\b")
IMAGE: Final = re.compile(r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+|<svg[\s\S]*?</svg>")

#: What is shown is different in each language. The rest is the same, as test_translations shows.
every = pytest.mark.parametrize(
    "path",
    [*notebooks(), *(path for each in languages() for path in notebooks(NOTEBOOKS_FOLDER / each))],
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
english = pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
Node = Any


@cache
def read(path: Path) -> Node:
    return nbformat.read(path, as_version=4)


def code(path: Path) -> list[Node]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def tags(cell: Node) -> set[str]:
    return set(cell.metadata.get("tags", []))


def shown(cell: Node) -> str:
    """All the text that a cell's outputs hold, images taken out."""
    texts = []
    for output in cell.outputs:
        texts += [str(output.get("text", "")), str(output.get("evalue", ""))]
        texts += [str(value) for value in output.get("data", {}).values()]
    return IMAGE.sub("", "\n".join(texts))


def lines(cell: Node) -> list[str]:
    return [line for line in cell.source.splitlines() if line.strip()]


def parsed(cell: Node) -> ast.Module:
    """The code of a cell; a magic such as `%%writefile` is a call."""
    return ast.parse(TransformerManager().transform_cell(cell.source))


def number(path: Path) -> str:
    return path.name[:2]


@every
def test_cells_were_run_in_order(path):
    """The code cells are numbered 1..n: nbval silently compares nothing of a cell without a number."""
    assert [cell.execution_count for cell in code(path)] == list(range(1, len(code(path)) + 1))


@every
def test_kernel_is_the_usual_one(path):
    """A notebook asks for `python3` and carries no metadata of the machine where it was written."""
    metadata = read(path).metadata
    assert metadata.kernelspec.name == "python3"
    assert set(metadata) == {"kernelspec", "language_info"}


@english
def test_ids_are_there_and_differ(path):
    """Every cell has an id of its own, so that a diff shows which cell changed."""
    ids = [cell.id for cell in read(path).cells]
    assert len(set(ids)) == len(ids)


@every
def test_names_no_place_of_a_machine(path):
    """Nowhere, in source or output, stands a path that exists on one machine only."""
    text = IMAGE.sub("", path.read_text(encoding="utf-8"))  # tracebacks included
    assert not PLACES.search(text), PLACES.search(text)


@every
def test_stores_no_unexpected_error(path):
    """An error is stored only where the cell says that it raises one."""
    for cell in code(path):
        if any(output.output_type == "error" for output in cell.outputs):
            assert "raises-exception" in tags(cell), cell.source


@every
def test_writes_nothing_to_stderr(path):
    """No cell shows a warning or a log line."""
    for cell in code(path):
        assert not any(output.get("name") == "stderr" for output in cell.outputs), cell.source


@english
def test_most_outputs_are_compared(path):
    """At least 60 % of the code cells that show something are compared, and there are some."""
    showing = [cell for cell in code(path) if cell.outputs]
    compared = [cell for cell in showing if IGNORED not in tags(cell)]
    assert compared
    assert len(compared) >= 0.6 * len(showing)


@english
def test_of_ignored_output_something_must_hold(path):
    """What cannot be compared is checked by a test for what must hold of it."""
    assert [cell.id for cell in code(path) if IGNORED in tags(cell) and cell.id not in HOLDS] == []


@english
def test_no_cell_tests_us(path):
    """What tests the kit is no part of a lesson."""
    for cell in code(path):
        if not tags(cell) & OWN_WORK:
            assert not any(isinstance(node, ast.Assert) for node in parsed(cell).body), cell.source


@every
def test_outputs_are_the_emulators(path):
    """Each account in an output is the emulator's: nobody stores their own."""
    for cell in code(path):
        accounts = re.findall(r"arn:[\w-]+:[\w-]+:[\w-]*:(\d{12}):", shown(cell))
        assert {*accounts} <= {ACCOUNT}, cell.source


@every
def test_outputs_hold_no_measured_time(path):
    """A busy machine needs longer. So such a number is named in nbval_sanitize.cfg, or a cell does not show it."""
    patterns = get_sanitize_patterns(SANITIZE.read_text(encoding="ascii"))
    compared = [sanitized(cell.outputs, patterns) for cell in code(path) if IGNORED not in tags(cell)]
    assert [found for each in compared for found in MEASURED.findall(each)] == []


@every
def test_tables_are_short(path):
    """A table has twelve rows at most."""
    for cell in code(path):
        for body in re.findall(r"<tbody>[\s\S]*?</tbody>", shown(cell)):
            assert body.count("<tr") <= 12, cell.source


@every
def test_pictures_say_what_they_show(path):
    """Every image has an alt text of at least a sentence. A Chinese letter is as wide as two others."""
    for cell in code(path):
        for html in (output.get("data", {}).get("text/html", "") for output in cell.outputs):
            for image in re.findall(r"<img[^>]*>", html):
                assert width(re.search(r'\balt="([^"]*)"', image)[1]) >= 30, cell.source


@english
def test_teaching_cells_are_short(path):
    """A cell that teaches has twelve lines at most, besides the imports of the kit."""
    for cell in code(path):
        if not tags(cell) & OWN_WORK:
            taught = [line for line in lines(cell) if not line.startswith("from lottery_")]
            assert len(taught) <= 12, cell.source


@english
def test_code_is_code_one_would_copy(path):
    """Outside checks, no cell has two walruses, a condition in a condition, or calls what is private."""
    for cell in code(path):
        if "check" not in tags(cell):
            nodes = list(ast.walk(parsed(cell)))
            assert sum(isinstance(node, ast.NamedExpr) for node in nodes) <= 1, cell.source
            conditions = [node for node in nodes if isinstance(node, ast.IfExp)]
            assert not any(isinstance(inner, ast.IfExp) for node in conditions for inner in ast.walk(node) if inner is not node)


@english
def test_functions_are_short(path):
    """Outside exercises no function is longer than five lines."""
    for cell in code(path):
        if not tags(cell) & OWN_WORK:
            for node in ast.walk(parsed(cell)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    assert node.end_lineno - node.lineno < 5, node.name


@english
def test_code_is_told_before_it_is_shown(path):
    """Before every teaching cell, but the ones that check the cell before, stands a cell of prose.

    In lesson 00 the panel stands right below the first cell: people draw before they read.
    """
    cells = read(path).cells[2 if number(path) == FIRST else 0 :]
    for before, cell in itertools.pairwise(cells):
        if cell.cell_type == "code" and before.cell_type == "code":
            told = "hide-cell" in tags(cell) or tags(cell) & OWN_WORK or MISSION.match(cell.source)
            assert told, cell.source


@english
def test_starts_with_title_and_promise(path):
    """The first cell is a title, with minutes, questions and at most three objectives.

    In lesson 00 it says which lessons are for whom instead, so that the panel below it is on the screen.
    """
    first = read(path).cells[0]
    assert first.cell_type == "markdown"
    assert len(re.findall(r"^# ", first.source, re.MULTILINE)) == 1
    assert first.source.startswith("# ")
    assert "minutes" in first.source and not re.search(r"\b1 minutes", first.source)
    if number(path) == FIRST:
        return
    questions, objectives = first.source.split("Questions")[1].split("Objectives")
    assert 1 <= len(re.findall(r"^[-*] ", questions, re.MULTILINE)) <= 3
    assert 1 <= len(re.findall(r"^[-*] ", objectives, re.MULTILINE)) <= 3


@english
def test_only_the_first_cell_has_a_title(path):
    """There is one H1."""
    markdown = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    prose = re.sub(r"^```[\s\S]*?^```", "", markdown, flags=re.MULTILINE)
    assert len(re.findall(r"^# ", prose, re.MULTILINE)) == 1


@english
def test_opens_like_all_others(path):
    """The first code cell connects, and restores its own lesson."""
    opening = code(path)[0].source
    assert "target = connect()" in opening
    assert f'restore(target, "{number(path)}")' in opening


@english
def test_ends_with_key_points_and_what_is_left(path):
    """The last two headings are Key points, then What this left running."""
    markdown = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    headings = re.findall(r"^## (.+)$", "\n".join(markdown), re.MULTILINE)
    assert [heading.strip() for heading in headings[-2:]] == ["Key points", "What this left running"]


@english
def test_uses_nothing_that_only_one_front_end_can(path):
    """No cell relies on display updates, output captures or the history of outputs."""
    forbidden = r"display_id|clear_output|with \w*out\w*:|\.capture\(|\bOut\[|^_\b|# ?NBVAL"
    for cell in code(path):
        assert not re.search(forbidden, cell.source, re.MULTILINE), cell.source


@every
def test_dollars_are_money(path):
    """JupyterLab takes what stands between two dollars of a paragraph for mathematics."""
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"^```.*?^```|`[^`]*`", "", cell.source, flags=re.DOTALL | re.MULTILINE)
            several = [each for each in prose.split("\n\n") if len(re.findall(r"(?<!\\)\$", each)) > 1]
            assert not several, cell.id


@english
def test_tags_are_known(path):
    """Only tags that something reads are used."""
    for cell in read(path).cells:
        assert tags(cell) <= TAGS, tags(cell)


@english
def test_checks_are_collapsed(path):
    """What spells the answer out is hidden until it is opened. The line that JupyterLab shows is always the same."""
    for cell in code(path):
        if "check" in tags(cell):
            assert "hide-cell" in tags(cell), cell.source
            assert cell.metadata.get("jupyter", {}).get("source_hidden") is True, cell.source
            assert cell.source.splitlines()[0] == CHECK, cell.source


@english
def test_a_question_of_a_check_has_its_mark(path):
    """A sentence that asks ends with a question mark."""
    for cell in code(path):
        if "check" in tags(cell):
            texts = [node.value for node in ast.walk(parsed(cell)) if isinstance(node, ast.Constant)]
            for sentence in re.split(r"(?<=[.?:]) |\n", "\n".join(text for text in texts if isinstance(text, str))):
                if re.match(r"(?:(?:In|For) which|Which|How many|Does|Who) ", sentence):
                    assert sentence.endswith("?"), sentence


@english
def test_every_exercise_has_a_check_and_a_solution(path):
    """Right after each exercise come its check and its solution. A lesson has three, a short one at least one.

    The lesson on call has missions instead: each begins, has a cell to work in, and then its check.
    """
    kinds = [next(iter(tags(cell) & {"exercise", "check", "solution"}), "") for cell in read(path).cells]
    exercises = kinds.count("exercise")
    if number(path) == ON_CALL:
        assert exercises == 0
        begun = [cell.source.splitlines()[0].partition(":")[0] for cell in code(path) if "ission " in cell.source]
        each = [[f"!lottery mission {n}", f"# Mission {n}", f"!lottery mission {n} --check"] for n in range(1, 7)]
        assert begun[2:] == [*itertools.chain(*each)]
        return
    assert 1 <= exercises <= 3
    assert exercises == 3 or number(path) in SHORT
    assert [kind for kind in kinds if kind] == ["exercise", "check", "solution"] * exercises
    for place, kind in enumerate(kinds):
        if kind == "exercise":
            assert kinds[place + 1 : place + 3] == ["check", "solution"]


@english
def test_a_solution_does_not_run(path):
    """It is a folded text, so neither Shift+Enter nor Run All passes an exercise that nobody has answered."""
    solutions = [cell for cell in read(path).cells if "solution" in tags(cell)]
    assert all(cell.cell_type == "markdown" and SOLUTION.fullmatch(cell.source) for cell in solutions)


@english
def test_the_cell_of_an_exercise_has_its_number(path):
    """The check finds the cell by the comment, and the heading above has the same number."""
    cells = read(path).cells
    told = re.findall(r"^### Exercise (\d)", "\n".join(cell.source for cell in cells), re.MULTILINE)
    exercises = [cell.source for cell in cells if "exercise" in tags(cell)]
    assert [re.search(r"^(?:%%.*\n)?# Exercise (\d)\n", source)[1] for source in exercises] == told
    checks = [cell.source for cell in cells if "check" in tags(cell)]
    assert [re.search(r"^check\(\n    (\d),\n", source, re.MULTILINE)[1] for source in checks] == told


@english
def test_every_exercise_has_a_hint(path):
    """Where an exercise is told stands a hint that has to be opened, and it says something."""
    told = [cell.source for cell in read(path).cells if re.search("^### Exercise ", cell.source, re.MULTILINE)]
    assert len(told) == sum("exercise" in tags(cell) for cell in read(path).cells)
    for source in told:
        assert re.search(r"<details><summary>Hint</summary>\s+\S[\s\S]{10,}</details>", source.split("### Exercise ")[1]), source


@every
def test_code_fits_a_laptop(path):
    """No line of code is so long that one has to scroll sideways, in a cell or in a fenced block of prose."""
    for cell in read(path).cells:
        fenced = "\n".join(re.findall(r"^```[\s\S]*?^```", cell.source, re.MULTILINE))
        for line in (cell.source if cell.cell_type == "code" else fenced).splitlines():
            wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in line)
            assert len(line) + wide <= COLUMNS, line


@english
def test_assertions_say_what_they_mean(path):
    """An assertion that an attendee sees has a message: what should hold."""
    for cell in code(path):
        for node in ast.walk(parsed(cell)):
            assert not isinstance(node, ast.Assert) or node.msg, cell.source


@english
def test_says_how_to_come_back(path):
    """Near the opening stands what `restore` resets, and that running it again brings everything back."""
    near = "".join([cell.source for cell in read(path).cells if cell.cell_type == "markdown"][:2])
    assert "one lesson at a time" in near
    assert "first cell again" in near


@english
def test_minutes_are_measured(path):
    """The first cell states the minutes that the lesson's words, cells and exercises take."""
    assert stated_minutes(read(path)) == measured_minutes(read(path))


@english
def test_lessons_on_services_are_short(path):
    """Lessons 01 to 04 take 20 minutes at most, without what goes further."""
    teaching, exercises, _ = measured_minutes(read(path))
    if "01" <= number(path) <= "04":
        assert teaching + exercises <= 20


@english
def test_solutions_say_why(path):
    """Each solution says why it is right."""
    for cell in read(path).cells:
        if "solution" in tags(cell):
            assert re.search(r"^(?:# )?Why: \S.{20,}", cell.source, re.MULTILINE), cell.source


@every
def test_next_lesson_is_a_link(path):
    """The last cell links to the lesson that follows, and every link to a notebook leads to one."""
    cells = read(path).cells
    links = re.findall(r"\]\(([^)#]+\.ipynb)", "\n".join(cell.source for cell in cells))
    assert all((path.parent / link).exists() for link in links), links
    following = [each.name for each in notebooks() if each.name > path.name][:1]
    assert all(f"]({name})" in cells[-1].source for name in following)
