"""On a real account nothing is written before it was shown, and agreed to where somebody can be asked."""

import io
import json
import sys
from types import SimpleNamespace

import pytest
from kit.calls import WRITES, make_foreign

from lottery_course.lessons import restore
from lottery_lib import Stack, connect, inbox, plan
from lottery_lib import target as door
from lottery_lib.__main__ import main
from lottery_lib.errors import LotteryError
from lottery_lib.names import Names
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.target import Target

_CONNECT = door.connect


class RealAccount:
    """The emulator as AWS; what is asked of it, and what had been told when it was asked.

    Attributes:
        target: A target of kind ``aws`` with names of these tests' own.
        writes: The operations that write, with their parameters, in order.
        shown: What stdout and stderr showed before the first write; None while there was none.
    """

    def __init__(self):
        emulated = connect("embedded", attendee="safe")
        self.target = Target("aws", emulated.session, emulated.endpoint, emulated.names)
        self.emulated = connect("embedded", attendee="safe")
        emulated.session.events.register("before-parameter-build", self._begin)
        emulated.session.events.register("before-send", self._note)

    def watch(self, capsys):
        self.writes, self.shown, self._capsys = [], None, capsys

    def _begin(self, params, **_):
        self._parameters = json.dumps(params, default=str)

    def _note(self, event_name, **_):
        operation = event_name.rpartition(".")[2]
        if not operation.startswith(WRITES):
            return
        if self.shown is None:
            self.shown = "".join(self._capsys.readouterr())
        self.writes.append((operation, self._parameters))


@pytest.fixture(scope="module")
def account():
    """Where these tests make, change and remove a lottery, one after the other."""
    return RealAccount()


@pytest.fixture
def real(account, capsys, monkeypatch):
    account.watch(capsys)
    monkeypatch.setattr(door, "connect", lambda **_: account.target)
    return account


def answer(monkeypatch, text):
    """Let somebody sit at a terminal and type that."""
    terminal = io.StringIO(text)
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)


CHANGING = [["deploy"], ["teardown"], ["reset"], ["employees", "load", "data/request-items.json"]]


def a_part(target):
    """Take one thing of most kinds away, and change one."""
    names = target.names
    target.client("iam").delete_role_policy(RoleName=names.machine_role, PolicyName="InvokeLotteryFunctions")
    target.client("lambda").delete_function(FunctionName=names.function("InputWinners"))
    target.client("sns").delete_topic(TopicArn=target.arn("sns", names.topic))
    target.client("dynamodb").delete_table(TableName=names.winners_table)


def assert_dry_runs_write_nothing(real):
    for words in (["deploy", "--email", "bob@example.com"], ["teardown"]):
        assert main([*words, "--dry-run"]) == 0
    assert real.writes == []


def test_a_lesson_shows_what_it_builds(real):
    """The first cell on AWS says what of this lesson is there and what is not, and writes nothing."""
    told = repr(restore(real.target, "01"))
    assert "Lesson 01 builds the roles of the functions and of the machine" in told
    assert f"not yet: role {real.target.names.lambda_role}" in told
    assert real.writes == []


def test_a_change_of_mind(real):
    """What the announcement raises leaves everything as it is."""

    def refuse(plan):
        raise LotteryError("you", "changed your mind", "Come back")

    with pytest.raises(LotteryError, match="changed your mind"):
        Stack(real.target, announce=refuse).deploy()
    assert real.writes == []


def test_a_dry_run_of_nothing_writes_nothing(real):
    """And nobody is asked."""
    assert_dry_runs_write_nothing(real)


def test_a_deploy_shows_all_before_it_writes(real):
    """Whose account, where, as whom, and each thing that will be created."""
    assert main(["deploy", "--yes", "--email", "ann@example.com"]) == 0
    attendee = real.target.names.attendee
    assert f"AWS account 123456789012, region us-east-1, partition aws, attendee {attendee}" in real.shown
    for each in Stack(real.emulated).status():
        assert f"would be created: {each.kind} {each.name}" in real.shown


def test_nothing_is_asked_on_an_emulator(real, monkeypatch):
    """There a deploy needs no yes."""
    monkeypatch.setattr(door, "connect", lambda **_: real.emulated)
    assert main(["deploy"]) == 0


def test_without_a_terminal_nothing_is_written(real):
    """Nobody can be asked, so `--yes` is required."""
    assert [main(words) for words in CHANGING] == [1] * len(CHANGING)
    assert real.writes == []


def test_only_a_yes_is_a_yes(real, monkeypatch):
    """Any other answer, and the end of the input, leave everything as it is."""
    for text in ("", "\n", "n\n", "maybe\n"):
        answer(monkeypatch, text)
        assert main(["reset"]) == 1
    assert real.writes == []


@pytest.mark.parametrize("text", ["y\n", "YES\n"], ids=repr)
def test_a_yes_on_a_terminal(real, monkeypatch, text):
    """Then it is done."""
    Table(real.emulated, real.emulated.names.winners_table).put([{"employee_id": "001"}])
    answer(monkeypatch, text)
    assert main(["reset"]) == 0
    assert real.writes


def test_a_dry_run_of_a_part_writes_nothing(real):
    """Nor where something is missing, and something differs."""
    a_part(real.emulated)
    assert_dry_runs_write_nothing(real)


def test_a_deploy_does_what_its_plan_says(real):
    """One thing after the other: created, updated, or nothing but looked at. Python shows it, too."""
    stack = Stack(real.target)
    plan = [
        (each.kind, each.name, each.state.split()[-1]) for each in stack.plan() if each.kind != "employees"
    ]
    assert {state for *_, state in plan} == {"created", "updated", "checked"}
    made = stack.deploy("bob@example.com")
    done = [(each.kind, each.name, each.state) for each in made[:-1] if each.kind != "employees"]
    assert plan == [(kind, name, state.replace("unchanged", "checked")) for kind, name, state in done]
    for kind, name, state in [*done, ("subscription", "bob@example.com", "created")]:
        assert state == "unchanged" or f"would be {state}: {kind} {name}" in real.shown


def test_a_teardown_does_what_its_plan_says(real):
    """In the reverse order of a deploy. Each thing is shown before, and each write names one thing."""
    stack, emulated = Stack(real.target), Stack(real.emulated)
    inbox(real.emulated).confirm("bob@example.com")
    made = [(each.kind, each.name) for each in emulated.deploy() if each.kind != "employees"]
    made.insert(0, ("subscription", "bob@example.com"))
    plan = [(each.kind, each.name) for each in stack.removal()]
    done = [(each.kind, each.name) for each in stack.teardown().resources if each.state == "deleted"]
    assert plan == done
    assert sorted(plan) == sorted(made)
    assert [each for each in plan if each[0] != "subscription"] == made[:0:-1]
    for kind, name in made:
        assert f"would be deleted: {kind} {name}" in real.shown
    for _, parameters in real.writes:
        assert f"-{real.target.names.attendee}" in parameters
        assert "*" not in parameters


def test_what_is_foreign_is_left_alone(real):
    """What is not ours is neither written to nor forgotten: the inventory has it, and the exit code tells."""
    make_foreign(real.emulated, plan.winners_table)
    assert_dry_runs_write_nothing(real)
    restore(real.target, "01")  # on an emulator it removes what has our names
    assert main(["teardown", "--yes"]) == 1
    assert real.writes == []
    left = Stack(real.target).left()
    assert [(each.name, each.ours) for each in left] == [(real.target.names.winners_table, False)]


def test_the_plain_names_are_said_to_be_plain(real):
    """Who forgot LOTTERY_ATTENDEE in a shared account reads it before anything is written."""
    plain = real.target.named(Names())
    assert door.introduction(plain).endswith("no attendee: the plain names")


def test_a_notebook_is_told_whose_account_it_is(real, monkeypatch, capsys):
    """In a notebook, `connect` to a real account says which, before anything is asked of it there."""
    monkeypatch.setattr(door, "_aws", lambda *_: real.target)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=object))
    _CONNECT("aws")
    assert f"AWS account {real.target.account}, region us-east-1" in capsys.readouterr().out
    assert real.writes == []
