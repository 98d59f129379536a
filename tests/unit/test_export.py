"""What `lottery export` writes, without an AWS."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from sam_templates import Call, as_yaml, template

from lottery_lib import plan
from lottery_lib.errors import LotteryError
from lottery_lib.export import TEMPLATES, export, project
from lottery_lib.names import KIT
from sfn_emulator.cloudformation.template import read_yaml

EDITIONS = ("tutorial", "jsonata", "hardened")
ALL = [
    *(".gitignore", "README.md", "data/request-items.json", "events/draw.json"),
    *(
        f"functions/{each}_winners/lambda_function.py"
        for each in ("input", "random_select", "record", "validate")
    ),
    *("statemachine/lottery.asl.json", "template.yaml"),
]


@pytest.mark.parametrize("edition", EDITIONS)
def test_nothing_of_this_machine_or_of_an_account(edition):
    """A colleague gets no account number, no address of an emulator, no region, no attendee and no key."""
    for name, data in project(edition).items():
        for match in re.findall(rb"\d{12}|127\.0\.0\.1|localhost|the-parameter|us-east-1", data):
            assert match == b"us-east-1" and name == "README.md"  # whose prices they are


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_functions_are_those_that_a_deploy_packs(edition):
    """Byte for byte, and nothing besides."""
    files = project(edition)
    purposes = ("CommitDraw", "DrawPrize") if edition == "hardened" else tuple(plan.TABLE_RIGHTS)[:4]
    expected = {}
    for purpose in purposes:
        own, *shared = plan.function_folders(purpose)
        for path in [*own.glob("*"), *(path for folder in shared for path in folder.glob("*"))]:
            if path.suffix == ".py":
                expected[f"functions/{own.name}/{path.name}"] = path.read_bytes()
    assert {name: data for name, data in files.items() if name.startswith("functions/")} == expected


def test_a_second_export_writes_the_same(tmp_path):
    """The first one makes the folder, the second one writes nothing, and what is missing comes back."""
    folder = tmp_path / "a" / "b"
    assert export(folder) == ALL
    written = {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()
    }
    assert len(written) == len(ALL)
    assert export(folder) == ALL
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in written} == written
    (folder / "template.yaml").unlink()
    (folder / ".aws-sam" / "build").mkdir(parents=True)
    (folder / ".aws-sam" / "build" / "template.yaml").write_text("of sam")
    (folder / "samconfig.toml").write_text("of sam")
    export(folder)
    assert (folder / "template.yaml").read_bytes() == written[folder / "template.yaml"][0]


@pytest.mark.parametrize("name", ["notes.txt", "template.yaml", "functions/input_winners/more.py"])
def test_a_folder_with_something_else_is_refused(tmp_path, name):
    """Somebody's own file, or a changed one: nothing is written, and the sentence names it."""
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(LotteryError, match=f"has another {name}. Give a new folder"):
        export(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / name]


def test_a_longer_file_and_a_link_are_something_else(tmp_path):
    """Also if they begin with, or lead to, what an export would write."""
    export(tmp_path / "one")
    (tmp_path / "one" / "README.md").write_bytes(project("tutorial")["README.md"] + b"\n")
    with pytest.raises(LotteryError, match=r"has another README\.md"):
        export(tmp_path / "one")
    export(tmp_path / "two")
    (tmp_path / "two" / "README.md").rename(tmp_path / "elsewhere")
    (tmp_path / "two" / "README.md").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LotteryError, match=r"has another README\.md"):
        export(tmp_path / "two")


def test_nothing_is_written_through_a_link(tmp_path):
    """Neither into a folder that a link leads to, nor where the folder itself is a link."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "functions").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for folder, says in (("project", "has another functions"), ("link", "it is a link")):
        with pytest.raises(LotteryError, match=says):
            export(tmp_path / folder)
    assert [*(tmp_path / "elsewhere").iterdir()] == []


def test_a_large_folder_is_refused_at_once(tmp_path, monkeypatch):
    """Somebody may give the home folder. The first other file is enough; the rest is not read."""
    for name in ("0.txt", "a/1.txt", "b/2.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    looked, real = [], Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda folder: looked.append(folder) or real(folder))
    with pytest.raises(LotteryError, match=r"has another 0\.txt"):
        export(tmp_path)
    assert looked == [tmp_path]


def test_a_folder_that_cannot_be_read_is_refused(tmp_path, monkeypatch):
    """One sentence says so, also where a test runs as root, who can read all of them."""

    def refused(folder):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(LotteryError, match=r"cannot be written \(Permission denied\)\. Give another"):
        export(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    """One sentence says so."""
    (tmp_path / "file").write_text("")
    with pytest.raises(LotteryError, match="cannot be written"):
        export(tmp_path / "file")


def test_everybody_may_read_the_functions(tmp_path):
    """Lambda cannot run a file that only its owner may read, and `sam` packs the modes."""
    export(tmp_path)
    assert {path.stat().st_mode & 0o044 for path in (tmp_path / "functions").rglob("*.py")} == {0o044}


def test_there_is_no_such_edition(tmp_path):
    """The refusal comes before the folder."""
    with pytest.raises(LotteryError, match="there is no edition 'gold'"):
        export(tmp_path / "new", "gold")
    assert not (tmp_path / "new").exists()


def plain(value):
    """A template as a reader of YAML gives it: the long forms of functions."""
    match value:
        case Call("GetAtt", name):
            return {"Fn::GetAtt": name.split(".")}
        case Call(name, argument):
            return {name if name == "Ref" else f"Fn::{name}": plain(argument)}
        case dict():
            return {key: plain(each) for key, each in value.items()}
        case list():
            return [plain(each) for each in value]
    return value


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_text_is_the_template(edition):
    """The file is that of the plan. Empty lines, and short forms without marks, change nothing of it."""
    text = (TEMPLATES / f"{edition}.yaml").read_text(encoding="utf-8")
    assert text == as_yaml(template(edition)), "type `make templates`"
    assert read_yaml(text) == plain(template(edition))
    assert max(map(len, text.splitlines())) <= 130


@pytest.mark.parametrize("edition", EDITIONS)
def test_each_substitution_is_there(edition):
    """The definition uses each name that the template gives, and no other. It is JSON."""
    text = project(edition)["statemachine/lottery.asl.json"].decode()
    given = template(edition)["Resources"]["Lottery"]["Properties"]["DefinitionSubstitutions"]
    assert set(re.findall(r"\$\{(\w+)\}", text)) == {*given}
    assert "<" not in re.sub(r"<=|< ", "", text)
    json.loads(text)


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_function_is_deleted_before_its_log(edition):
    """CloudFormation deletes what depends on something first. Else a last line could make the log again."""
    resources = template(edition)["Resources"]
    functions = [name for name, each in resources.items() if each["Type"] == "AWS::Serverless::Function"]
    assert [resources[name]["DependsOn"] for name in functions] == [f"{name}Log" for name in functions]
    logs = [resources[f"{name}Log"]["Properties"]["LogGroupName"].value for name in functions]
    names = [resources[name]["Properties"]["FunctionName"].value for name in functions]
    assert [log[2] for log in logs] == [f"/aws/lambda/{name[2]}" for name in names]
    assert [log[1].value for log in logs] == [f"/aws/lambda/{name[1].value}" for name in names]


@pytest.mark.parametrize("page", ["export.md", "export.zh-CN.md"])
def test_the_readme_is_that_of_the_edition(page, monkeypatch):
    """Each has its own way to load employees, and no mark of the other one."""
    monkeypatch.setattr("lottery_lib.export.in_language", lambda path: path.with_name(page))
    tutorial, hardened = (project(each)["README.md"].decode() for each in ("tutorial", "hardened"))
    assert "batch-write-item" in tutorial and "lottery employees load" not in tutorial
    assert "lottery night" in hardened and "batch-write-item" not in hardened
    assert "Lottery-Failed" in tutorial and "Lottery-Hardened-Failed" in hardened
    assert not re.search("<!--|MACHINE|STACK", tutorial + hardened)
    assert "\n\n\n" not in tutorial + hardened


def test_the_alarm_is_that_of_lesson_09():
    """The same call as the lesson's, with the same values."""
    cells = nbformat.read(KIT / "notebooks" / "09_watch_it.ipynb", 4).cells
    source = next(
        each.source for each in cells if "put_metric_alarm" in each.source and each.cell_type == "code"
    )
    called = {}

    def put_metric_alarm(**given):
        called.update(given)
        return {"ResponseMetadata": {"HTTPStatusCode": 200}}

    names = SimpleNamespace(
        machine="Lottery", topic="Lottery-Notification", tags={"lottery-workshop": "tutorial"}
    )
    target = SimpleNamespace(
        names=names,
        client=lambda service: SimpleNamespace(put_metric_alarm=put_metric_alarm),
        arn=lambda service, name: "the topic",
    )
    exec(source, {"target": target, "machine_arn": "the machine"})
    alarm = template("tutorial")["Resources"]["FailedAlarm"]["Properties"]
    links = {"Dimensions": [{"Name": "StateMachineArn", "Value": Call("Ref", "Lottery")}]}
    links |= {"AlarmActions": [Call("Ref", "Notification")], "AlarmName": alarm["AlarmName"]}
    assert alarm == called | links
    assert alarm["AlarmName"] == Call(
        "If", ["HasName", Call("Sub", "Lottery-${Name}-Failed"), "Lottery-Failed"]
    )
