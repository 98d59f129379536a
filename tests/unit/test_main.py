"""The command line without an AWS: what it reads, what it prints, and how it fails."""

import ast
import io
import json
import os
import random
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import catalogues
import click
import pytest
from unit.party.evenings import evening

from lottery_lib import command_line
from lottery_lib.__main__ import lottery, main, plugins
from lottery_lib.command_line import Run
from lottery_lib.errors import LotteryError
from lottery_lib.names import KIT, Names
from lottery_lib.stack import Inventory


def commands(group=lottery):
    """All commands, those of groups too, and the groups that are commands themselves."""
    own = [*group.commands.values()]
    others = [each for plugin in plugins() for each in plugin.commands.commands.values()]
    for command in own + others if group is lottery else own:
        if getattr(command, "invoke_without_command", True):
            yield command
        yield from commands(command) if isinstance(command, click.Group) else []


@pytest.fixture
def run(capsys):
    """Run a command with --json; returns its exit code, JSON and stderr."""

    def command(*words):
        code = main([*words, "--json"])
        captured = capsys.readouterr()
        return code, json.loads(captured.out), captured.err

    return command


@pytest.fixture
def status(monkeypatch):
    """`status(function)`: what `lottery status` does instead of asking AWS."""

    def patch(function):
        monkeypatch.setattr(lottery.commands["status"], "callback", lambda edition: function())

    return patch


def fails_with(error):
    def fail():
        raise error

    return fail


@pytest.mark.parametrize("command", list(commands()), ids=lambda command: command.name)
def test_example(command):
    """Each command explains itself and its options, and shows an example that it understands itself."""
    first, *words = shlex.split(command.epilog.removeprefix("Example: "))
    found = lottery
    while words and isinstance(found, click.Group) and (below := found.get_command(None, words[0])):
        words.pop(0)
        found = below
    assert (first, found) == ("lottery", command)
    command.make_context(command.name, words, obj=Run(False, {}))
    assert command.help.strip().endswith(".")
    assert all(each.help.endswith(".") for each in command.params if isinstance(each, click.Option))


def test_commands_that_texts_name():
    """The README, the docs, and the hints in the code name commands that exist, and name them `lottery`."""
    wrong = []
    for path in [*KIT.glob("*.md"), *KIT.glob("docs/*.md"), *KIT.glob("l*/**/*.py")]:
        text = path.read_text(encoding="utf-8")
        for words in re.findall(r"(?:`|^\$ )(?:[A-Z_]+=\S+ )*lottery ([a-z]+)(?: ([a-z]+))?", text, re.M):
            found = lottery.get_command(None, words[0])
            alone = not words[1] and getattr(found, "invoke_without_command", False)
            known = found and (alone or words[1] in getattr(found, "commands", words))
            wrong += [] if known else [words]
        explains = path.name.split(".")[0] in ("CHANGELOG", "INSTRUCTOR", "__main__", "command_line")
        wrong += [] if explains else re.findall(r".*-m lottery_lib\b(?!\.).*", text)
    assert wrong == []


def test_example_is_in_the_help(capsys):
    """`lottery draw --help` ends with the example."""
    assert main(["draw", "--help"]) == 0
    assert capsys.readouterr().out.endswith("\n  Example: lottery draw 2\n")


def test_no_word_at_all(capsys):
    """`lottery` alone shows what there is."""
    assert main([]) == 0
    assert "teardown" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (["dance"], "command line: No such command 'dance'. See `lottery --help`."),
        (["emulator"], "command line: No such option '--json'. See `lottery emulator --help`."),
        (
            ["status", "--jso"],
            "command line: No such option '--jso'. Did you mean '--json'? See `lottery status --help`.",
        ),
        (
            ["status", "now"],
            "command line: Got unexpected extra argument (now). See `lottery status --help`.",
        ),
        (["draw", "--jso"], "command line: No such option '--jso'. See `lottery draw --help`."),
        (
            ["night", "--port", "9001", "restore", "here.json"],
            "command line: Write the options behind restore. See `lottery night --help`.",
        ),
    ],
)
def test_words_that_are_no_command(run, words, cause):
    """A usage error is one sentence on stderr and one JSON document, and exits 1."""
    code, document, err = run(*words)
    assert (code, document) == (1, document | {"error": "LotteryError", "cause": cause})
    assert err == f"{cause}\n"


def test_draw_always_has_five_keys(run):
    """A draw's document has its five keys even if the command line itself is wrong."""
    code, document, _ = run("draw")
    assert (code, list(document)) == (1, ["status", "winners", "execution_arn", "error", "cause"])
    assert "Missing argument 'N'" in document["cause"]


@pytest.mark.parametrize(
    "number", ["abc", "0", "-3", "2.5", "true", "null", '[{"name": "Car", "count": 1}]', ""]
)
def test_what_cannot_be_drawn_starts_nothing(run, monkeypatch, number):
    """The command refuses it in one sentence, before it connects. A list is for the hardened edition."""
    monkeypatch.setattr("lottery_lib.__main__.connected", None)
    code, document, err = run("draw", number)
    cause = (
        f"draw {number}: it is not a whole number of at least 1. Say how many win, such as `lottery draw 2`."
    )
    empty = {"status": None, "winners": [], "execution_arn": None}
    assert (code, document, err) == (1, {**empty, "error": "LotteryError", "cause": cause}, f"{cause}\n")


@pytest.mark.parametrize(
    "number", ["abc", "0", '{"name": "Car", "count": 1}', "[{'name': 'Car', 'count': 1}]"]
)
def test_what_is_no_list_of_prizes_starts_nothing(run, monkeypatch, number):
    """The hardened edition takes a list of prizes, too, and says so."""
    monkeypatch.setattr("lottery_lib.__main__.connected", None)
    code, document, _ = run("draw", number, "--edition", "hardened")
    assert (code, document["execution_arn"]) == (1, None)
    told = "it is neither a whole number of at least 1 nor a list of prizes as JSON."
    assert document["cause"].startswith(f"draw {number}: {told}")


def test_interrupted(run, status):
    """Ctrl-C exits 130, with a sentence."""
    status(fails_with(KeyboardInterrupt()))
    code, document, err = run("status")
    assert code == 130
    assert document["cause"].startswith("command: interrupted. Run it again")
    assert "Traceback" not in err


def test_failure(run, status):
    """An expected failure is its sentence, beside the keys that the document has when all is well."""
    status(fails_with(LotteryError("table T", "does not exist", "Create it")))
    cause = "table T: does not exist. Create it."
    document = {"resources": [], "error": "LotteryError", "cause": cause}
    assert run("status") == (1, document, f"{cause}\n")


def test_package_that_is_not_there(run, status):
    """A package that cannot be imported is one sentence with what to do."""
    status(fails_with(ImportError("No module named 'pandas'")))
    code, document, _ = run("status")
    assert code == 1
    assert document["cause"].startswith("packages: No module named 'pandas'. Run `make clean install`")


def test_defect(status):
    """A defect of the kit keeps its traceback."""
    status(fails_with(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["status"])


def test_table(capsys):
    """Rows are a table, its columns named and aligned on the left; what is missing is blank."""
    command_line.show({"rows": [{"kind": "role", "name": "R"}, {"kind": "log group", "name": None}]})
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["kind      name", "role      R", "log group"]


def test_a_table_of_chinese_words(capsys):
    """A Chinese character is as wide as two others in a terminal, so the next column stays straight."""
    command_line.show([{"名称": "刘洋", "n": 1}, {"名称": "Ann", "n": 2}])
    assert capsys.readouterr().out == "名称 n\n刘洋 1\nAnn  2\n"


def test_a_number_beside_a_missing_one_stays_whole(capsys):
    """The serials of winners are whole numbers, even if one of them has left the company."""
    command_line.show([{"serial": 4}, {"serial": None}])
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == ["serial", "4", ""]


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ([], "none\n"),
        ("a sentence", "a sentence\n"),
        ({}, ""),
        (
            {"status": "FAILED", "winners": [], "error": None, "removed": 0},
            "status: FAILED\nwinners: none\nremoved: 0\n",
        ),
    ],
)
def test_what_a_person_reads(capsys, document, text):
    """A text is printed as it is, an object line by line without what is missing; empty lists say none."""
    command_line.show(document)
    assert capsys.readouterr().out == text


HOSTILE = "Ann\x1b[2J\x9b2J\u202e"


@pytest.mark.parametrize(
    "document", [HOSTILE, {"cause": HOSTILE}, [{"name": HOSTILE}], {"rows": [{"name": HOSTILE}]}]
)
def test_a_terminal_gets_no_commands(capsys, document):
    """A name, a prize or a cause that AWS returns moves no cursor: it is shown written out."""
    command_line.show(document)
    assert "Ann\\u001b[2J\\u009b2J\\u202e" in capsys.readouterr().out


def test_a_table_has_a_line_for_each_row(capsys):
    """A line break in a name adds no line to a table."""
    command_line.show([{"name": "Ann\nBob"}])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_json_gives_a_terminal_no_commands(capsys):
    """With --json, controls are written out in the document's own way."""
    command_line.show([HOSTILE], as_json=True)
    out = capsys.readouterr().out.removesuffix("\n")
    assert out.isprintable()
    assert json.loads(out) == [HOSTILE]


def test_sentences_give_a_terminal_no_commands(run, status):
    """The sentence for a failure may quote a name, too."""
    status(fails_with(LotteryError(HOSTILE, "does not exist", "Create it")))
    _, document, err = run("status")
    assert err.removesuffix("\n").isprintable()
    assert document["cause"].startswith(HOSTILE)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_question(monkeypatch, capsys):
    """The question before an account is changed goes to stderr: stdout is for the JSON document alone."""
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    command_line.agree(SimpleNamespace(kind="aws"), False, "delete all")
    assert capsys.readouterr() == ("", "delete all? [y/N] ")


@pytest.fixture
def lossy(monkeypatch):
    """An emulator whose end loses winners; these are the ports with which the command has stopped it."""
    import sfn_emulator
    from lottery_party import records

    stopped = []
    monkeypatch.setattr(sfn_emulator, "status", lambda port: {"running": True, "endpoint": "http://there"})
    monkeypatch.setattr(sfn_emulator, "stop", lambda port: stopped.append(port) or {"running": False})
    monkeypatch.setattr(records, "unsaved", lambda endpoint, shared: [f"Ann at {endpoint}, shared: {shared}"])
    return stopped


@pytest.mark.parametrize(
    ("stdin", "exits"),
    [(Terminal("y\n"), 0), (Terminal("n\n"), 1), (io.StringIO(), 1)],
    ids=["yes", "no", "nobody"],
)
def test_stop_asks_before_winners_are_lost(run, lossy, monkeypatch, stdin, exits):
    """`emulator stop` says who would be lost, and needs a yes, which only a terminal can give."""
    monkeypatch.setattr(sys, "stdin", stdin)
    code, document, err = run("emulator", "stop")
    assert (code, lossy) == (exits, [] if exits else [None])
    assert err.startswith("Ann at http://there, shared: True\n")
    assert not exits or err.endswith(f"{document['cause']}\n")
    assert stdin.isatty() or "Give --yes" in document["cause"]


def test_stop_with_nothing_to_lose(run, lossy, monkeypatch):
    """Where no winners are lost, it stops without a word."""
    monkeypatch.setattr("lottery_party.records.unsaved", lambda *_, **__: [])
    assert run("emulator", "stop") == (0, {"running": False}, "")
    assert lossy == [None]


def test_stop_with_yes(run, lossy):
    """With --yes it asks nobody, and does not even look."""
    assert run("emulator", "stop", "--yes") == (0, {"running": False}, "")
    assert lossy == [None]


def test_stop_dry_run(run, lossy):
    """`emulator stop --dry-run` tells what would be lost, exits 1 then, and stops nothing."""
    code, document, _ = run("emulator", "stop", "--dry-run", "--port", "5")
    assert (code, document["running"], document["lost"]) == (1, True, ["Ann at http://there, shared: False"])
    assert lossy == []


def test_stop_where_a_look_fails(run, lossy, monkeypatch):
    """It stops all the same, because it may be an emulator that does not answer, and says so."""
    refused = fails_with(LotteryError("emulator", "does not answer", "Look into its log"))
    monkeypatch.setattr("lottery_party.records.unsaved", lambda *_, **__: refused())
    code, _, err = run("emulator", "stop")
    assert (code, lossy) == (0, [None])
    assert "It is not known whether there are winners. emulator: does not answer." in err


@pytest.fixture
def receipts(tmp_path):
    """A folder with the receipts of an honest evening, and its document."""
    document = evening(random.Random(3))
    (tmp_path / "receipts.json").write_text(json.dumps(document))
    return tmp_path, document


def test_verify(run, receipts, capsys):
    """A folder that fits: all claims are true, and the verdict, the counts and the codes are there."""
    folder, document = receipts
    code, found, err = run("verify", str(folder))
    assert (code, err) == (0, "")
    assert list(found) == ["verdict", "word", "claims", "problems", "notices", "counts", "draws", "strange"]
    assert (set(found["claims"].values()), found["problems"], found["verdict"]) == ({True, None}, [], "amber")
    assert [each["draw"] for each in found["draws"]] == list(document["draws"])
    assert main(["verify", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "It fits, but somebody could have steered it"
    assert found["word"] == found["notices"][0]["grade"] == "steered"
    assert f"somebody could have steered it: {found['notices'][0]['text']}" in lines
    assert "ok: each receipt names the one before" in lines
    assert "not known yet: the secret is the one that was announced" in lines
    assert f"Draws announced: {len(document['draws'])}" in lines
    first = found["draws"][0]
    code = f"{first['draw']}: code of the announcement {first['code'][:4]} {first['code'][4:8]} "
    value = f'{first["draw"]}: "{first["question"]}" was answered with "{first["value"]}" ({first["at"]})'
    assert [line.startswith(code) for line in lines].count(True) == 1
    assert (value in lines) == (first["value"] is not None)


def test_verify_finds_a_row_by_hand(run, receipts, capsys):
    """A folder that does not fit: the exit code is 1, and a sentence says why."""
    folder, document = receipts
    document["winners"].append({"employee_id": "99\x1b[2J"})
    (folder / "receipts.json").write_text(json.dumps(document))
    code, found, _ = run("verify", str(folder))
    assert code == 1
    assert [claim for claim, true in found["claims"].items() if true is False] == [
        "the list of winners is that of the receipts"
    ]
    assert found["strange"] == ["99\x1b[2J"]
    assert main(["verify", str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "WRONG: the list of winners is that of the receipts" in lines
    assert "99\\u001b[2J is in the list of winners, but no receipt names them." in lines


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read (No such file or directory). Give the folder that has the receipts."),
        (b'{"chain": [', "is not JSON. Save the receipts again."),
        (b"\xff", "is not JSON. Save the receipts again."),
        (b'{"format": NaN}', "is not JSON. Save the receipts again."),
        (b"[" * 100_000, "is not JSON. Save the receipts again."),
    ],
)
def test_verify_what_is_no_folder(run, tmp_path, content, sentence):
    """A missing folder or bad JSON gets one sentence."""
    if content is not None:
        (tmp_path / "receipts.json").write_bytes(content)
    code, found, err = run("verify", str(tmp_path))
    cause = f"file {tmp_path / 'receipts.json'}: {sentence}"
    assert (code, found["cause"], err) == (1, cause, f"{cause}\n")
    shape = ["verdict", "word", "claims", "problems", "notices", "counts", "draws", "strange"]
    assert list(found) == [*shape, "error", "cause"]


def test_receipts_are_not_saved_through_a_link(run, receipts, tmp_path, monkeypatch):
    """In a folder that somebody else has prepared, a link stays, and so does the file that it leads to."""
    folder, needed = tmp_path / "others", tmp_path / "needed"
    folder.mkdir()
    needed.write_text("needed")
    (folder / "check.html").symlink_to(needed)
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.setattr("lottery_party.commands.connected", lambda edition: None)
    monkeypatch.setattr("lottery_party.records.receipts", lambda target, name: receipts[1])
    code, told, _ = run("receipts", "night-1", "--save", str(folder))
    assert code == 1
    assert (
        f"file {folder / 'check.html'}: cannot be written (it is a folder, a link, a pipe or" in told["cause"]
    )
    assert needed.read_text() == "needed"
    code, told, _ = run("receipts", "night-1", "--save", str(tmp_path / "link"))
    assert (code, told["cause"]) == (
        1,
        f"folder {tmp_path / 'link'}: cannot be written (it is a link). Give another.",
    )


@pytest.mark.parametrize("words", [["verify"], ["employees", "load"]], ids=" ".join)
def test_no_pipe(run, tmp_path, words):
    """A pipe that somebody put there does not hang: it gets one sentence."""
    os.mkfifo(tmp_path / "receipts.json")
    code, found, _ = run(*words, str(tmp_path if words == ["verify"] else tmp_path / "receipts.json"))
    assert code == 1
    assert (
        "receipts.json: cannot be read (it is a folder, a link, a pipe or a device, not a file)."
        in found["cause"]
    )


@pytest.fixture
def torn(monkeypatch):
    """The editions whose lottery was torn down, while the evening night-1 is open."""
    torn = []

    def stack(target, yes, *, delete):
        return SimpleNamespace(teardown=lambda: torn.append(target.names.edition) or Inventory([], []))

    def connected(edition):
        return SimpleNamespace(names=Names("party", edition or "tutorial"), key_file=None)

    monkeypatch.setattr("lottery_lib.__main__.connected", connected)
    monkeypatch.setattr("lottery_lib.__main__.stack_of", stack)
    monkeypatch.setattr("lottery_lib.resources.contents.open_draws", lambda target: ["night-1"])
    return torn


def test_teardown_during_an_evening(run, torn):
    """It asks before an open evening is destroyed, and `--yes` answers. Without a terminal it is needed."""
    code, told, _ = run("teardown", "--edition", "hardened")
    question = "delete the lottery, although the announced draw night-1 is open"
    said = f"{question}: needs a confirmation, and there is no terminal to ask in. Give --yes."
    assert (code, told["cause"], torn) == (1, said, [])
    assert run("teardown", "--edition", "hardened", "--yes")[:2] == (0, {"resources": [], "left": []})
    assert torn == ["hardened"]


def test_teardown_of_the_other_edition(run, torn):
    """It does not ask, because the tables of an evening stay."""
    assert run("teardown")[0] == 0
    assert torn == ["tutorial"]


def test_exit_code():
    """The program's exit code is the command's, and nobody sees a traceback."""
    command = [sys.executable, "-m", "lottery_lib", "dance"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "command line: No such command 'dance'. See `lottery --help`.\n"


def test_hints_work_in_a_shell_without_the_environment():
    """Where `lottery` is not found, a sentence names it by its path; JSON always calls it `lottery`."""
    prefix = Path(sys.prefix)
    lottery = f"{prefix.name}/{Path(sys.executable).parent.name}/lottery"
    done = subprocess.run(
        [lottery, "dance", "--json"],
        cwd=prefix.parent,
        env=os.environ | {"PATH": os.defpath},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stderr == f"command line: No such command 'dance'. See `{lottery} --help`.\n"
    assert json.loads(done.stdout)["cause"].endswith("See `lottery --help`.")


@pytest.mark.parametrize("where", ["a shell elsewhere", "no script"])
def test_hints_work_elsewhere(where, monkeypatch, capsys, tmp_path):
    """In another folder the path is whole. If there is no script, the sentence names the module."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    if where != "no script":
        (python.parent / "lottery").touch(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    command_line._command.cache_clear()
    command_line.say("Run `A=b lottery draw 2`, not `the lottery`")
    command_line._command.cache_clear()
    command = f"{python.parent}/lottery" if where != "no script" else f"{python} -m lottery_lib"
    assert capsys.readouterr().err == f"Run `A=b {command} draw 2`, not `the lottery`\n"


@pytest.mark.parametrize(
    "words", [["--help"], ["emulator", "status"], ["emulator", "stop"], ["verify", "."]], ids=" ".join
)
def test_quick_commands(words, tmp_path, monkeypatch, receipts):
    """The help, a check of receipts, and an emulator that does not run wait for neither pandas nor boto3."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    code = f"from lottery_lib.__main__ import main; assert main({words}) == 0"
    code += "; import sys; assert not {'pandas', 'boto3'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.DEVNULL, check=True)


def test_clicks_own_words():
    """Click still has each of its texts that the catalogue knows; else they become English."""
    strings = {
        node.value
        for path in Path(click.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
    }
    source = ast.parse(Path(command_line.__file__).read_text(encoding="utf-8"))
    (ours,) = [node for node in source.body if isinstance(node, ast.AnnAssign) and node.target.id == "_CLICK"]
    for text in catalogues.messages(ours):
        assert {*([text] if isinstance(text, str) else text)} <= strings


def test_click_speaks_the_language(catalogue, monkeypatch, capsys):
    """Its words in a help and in an error come from the kit's catalogue."""
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    missing = ("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments.")
    catalogue(
        {
            "Usage:": "用法:",
            missing: "选项“{name}”需要 {nargs} 个值",
            "integer": "整数",
            "{value!r} is not a valid {number_type}.": "{value!r} 不是{number_type}",
        }
    )
    main(["status", "--help"])
    main(["status", "--edition"])
    main(["night", "--port", "x"])
    shown = capsys.readouterr()
    assert "用法: lottery status" in shown.out
    assert "选项“--edition”需要 1 个值" in shown.err
    assert "“x” 不是整数" in shown.err


def test_why_a_draw_failed(catalogue, monkeypatch, capsys):
    """A person reads the function's sentence in their language. JSON has it as AWS returned it."""
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue({"It is empty.": "公开值为空。", "Cause": "原因"})
    target = SimpleNamespace(kind="embedded", names=Names("", "tutorial"))
    result = dict.fromkeys(("status", "winners", "execution_arn", "error"), "x") | {"cause": "It is empty."}
    monkeypatch.setattr("lottery_lib.__main__.connected", lambda edition: target)
    monkeypatch.setattr("lottery_lib.mails.inbox", lambda target: SimpleNamespace(where=""))
    monkeypatch.setattr("lottery_lib.draws.draw", lambda *_, **__: result)
    main(["draw", "1"])
    assert "原因：公开值为空。\n" in capsys.readouterr().out
    main(["draw", "1", "--json"])
    assert json.loads(capsys.readouterr().out) == result
