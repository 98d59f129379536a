"""Write the lottery as a project of AWS SAM, which makes it in any account: ``lottery export FOLDER``.

Its template is a file in ``data/templates``, which ``make templates`` writes. Its functions and its
definition are the kit's own files.

See https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
"""

import re
from pathlib import Path
from typing import Final

from lottery_lib import definition, plan
from lottery_lib.employees import REQUEST_ITEMS
from lottery_lib.errors import LotteryError
from lottery_lib.files import files_below, make_folder, read_limited, write_over
from lottery_lib.names import KIT, Names
from lottery_lib.translation import _, in_language

TEMPLATES: Final = KIT / "data" / "templates"
#: The README of a project. A part between two comments is for one edition.
README: Final = KIT / "docs" / "export.md"
#: What `sam` and Python leave in a project; a file of `sam` may hold an address.
_OF_TOOLS: Final = (".aws-sam", "__pycache__", "samconfig.toml")


def export(folder: Path, edition: str = "tutorial") -> list[str]:
    """Write the project of an edition.

    A second export writes the same bytes. What is there with this content stays.

    Args:
        folder: Where. It need not exist.
        edition: The edition.

    Returns:
        The paths of the project's files in the folder.

    Raises:
        LotteryError: There is no such edition, or the folder has other files, except those of tools.
    """
    wanted = project(edition)
    make_folder(folder)
    missing = {*wanted}
    for path in files_below(folder, without=_OF_TOOLS):
        name = path.relative_to(folder).as_posix()
        content = wanted.get(name, b"")
        try:
            same = not path.is_symlink() and read_limited(path, len(content)) == content
        except OSError:  # it is longer, or no file
            same = False
        if name not in missing or not same:
            where, what = _("folder {folder}", folder=folder), _("has another {file}", file=name)
            raise LotteryError(where, what, _("Give a new folder"))
        missing.remove(name)
    for name in missing:
        make_folder((folder / name).parent)
        write_over(folder / name, wanted[name], public=True)  # Lambda runs only what everybody may read
    return sorted(wanted)


def project(edition: str) -> dict[str, bytes]:
    """The files of an edition's project, by their paths."""
    names = Names(edition=edition)
    files = {
        ".gitignore": "".join(f"{name}\n" for name in _OF_TOOLS),
        "README.md": _readme(names),
        "events/draw.json": '{"input": 2}\n',
        "data/request-items.json": REQUEST_ITEMS.read_text(encoding="utf-8"),
        "template.yaml": (TEMPLATES / f"{edition}.yaml").read_text(encoding="utf-8"),
        "statemachine/lottery.asl.json": definition.with_substitutions(definition.load(edition)),
    }
    for purpose in names.functions:
        own, *shared = plan.function_folders(purpose)
        for path in (path for folder in (own, *shared) for path in folder.glob("*.py")):
            files[f"functions/{own.name}/{path.name}"] = path.read_text(encoding="utf-8")
    return {name: text.encode() for name, text in files.items()}


def _readme(names: Names) -> str:
    text = in_language(README).read_text(encoding="utf-8")
    text = re.sub(rf"<!-- only {names.base} -->\n(.*?)<!-- end -->\n", r"\1", text, flags=re.DOTALL)
    text = re.sub(r"<!-- only \w+ -->\n.*?<!-- end -->\n", "", text, flags=re.DOTALL)
    text = re.sub("\n{3,}", "\n\n", text)
    return text.replace("MACHINE", names.machine).replace("STACK", names.machine.lower())
