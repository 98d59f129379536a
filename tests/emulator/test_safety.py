"""On a real account nothing is written before it was shown, and agreed to where somebody can be asked."""

import io
import itertools
import json
import sys
from types import SimpleNamespace

import pytest
from emulator.calls import WRITES
from emulator.test_stack import foreign_table

from lottery_lib import Names, Stack, connect, draw, inbox
from lottery_lib import target as door
from lottery_lib.__main__ import main
from lottery_lib.course.lessons import restore
from lottery_lib.errors import LotteryError
from lottery_lib.target import Target

_CONNECT = door.connect
_numbers = itertools.count(1)


class RealAccount:
    """The emulator as AWS; what is asked of it, and what had been told when it was asked.

    Attributes:
        target: A target of kind ``aws`` with names of this test's own.
        writes: The operations that write, with their parameters, in order.
        shown: What stdout and stderr showed before the first write; None while there was none.
    """

    def __init__(self, capsys):
        emulated = connect("embedded", attendee=f"s{next(_numbers)}")
        self.target = Target("aws", emulated.session, emulated.endpoint, emulated.names)
        self.emulated = connect("embedded", attendee=emulated.names.attendee)
        self.writes, self.shown = [], None
        self._capsys = capsys
        emulated.session.events.register("before-parameter-build", self._begin)
        emulated.session.events.register("before-send", self._note)

    def _begin(self, params, **_):
        self._parameters = json.dumps(params, default=str)

    def _note(self, event_name, **_):
        operation = event_name.rpartition(".")[2]
        if not operation.startswith(WRITES):
            return
        if self.shown is None:
            self.shown = "".join(self._capsys.readouterr())
        self.writes.append((operation, self._parameters))


@pytest.fixture
def real(capsys, monkeypatch):
    account = RealAccount(capsys)
    monkeypatch.setattr(door, "connect", lambda **_: account.target)
    return account


@pytest.fixture
def stack(real):
    """The lottery there, as Python makes it without asking."""
    return Stack(real.target, announce=lambda plan: None)


def answer(monkeypatch, text):
    """Let somebody sit at a terminal and type that."""
    terminal = io.StringIO(text)
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)


CHANGING = [["deploy"], ["teardown"], ["reset"], ["employees", "load", "data/request-items.json"]]


def test_a_deploy_shows_all_before_it_writes(real):
    """Whose account, where, as whom, and each thing that will be created."""
    assert main(["deploy", "--yes", "--email", "ann@example.com"]) == 0
    attendee = real.target.names.attendee
    assert f"AWS account 123456789012, region us-east-1, partition aws, attendee {attendee}" in real.shown
    for each in Stack(real.emulated).status():
        assert f"would be created: {each.kind} {each.name}" in real.shown


def test_python_shows_the_plan_before_it_writes(real):
    """`Stack(target).deploy()` in a notebook, too, with the address that will get a mail."""
    Stack(real.target).deploy("ann@example.com")
    for each in Stack(real.emulated).status():
        assert f"would be created: {each.kind} {each.name}" in real.shown


def test_a_teardown_shows_all_before_it_writes(real):
    """Each thing that will be deleted."""
    everything(real.emulated)
    there = Stack(real.emulated).status()
    Stack(real.target).teardown()
    for each in there:
        assert f"would be deleted: {each.kind} {each.name}" in real.shown


def test_a_lesson_shows_what_it_builds(real):
    """The first cell on AWS says what of this lesson is there and what is not, and writes nothing."""
    told = repr(restore(real.target, "01"))
    assert "Lesson 01 builds the role of the functions" in told
    assert f"not yet: role {real.target.names.lambda_role}" in told
    assert real.writes == []


def test_without_a_terminal_nothing_is_written(real):
    """Nobody can be asked, so `--yes` is required."""
    everything(real.emulated)
    assert [main(words) for words in CHANGING] == [1] * len(CHANGING)
    assert real.writes == []


def test_only_a_yes_is_a_yes(real, monkeypatch):
    """Any other answer, and the end of the input, leave everything as it is."""
    everything(real.emulated)
    for text, words in itertools.product(("", "\n"), CHANGING):
        answer(monkeypatch, text)
        assert main(words) == 1
    for text in ("n\n", "maybe\n"):
        answer(monkeypatch, text)
        assert main(["teardown"]) == 1
    assert real.writes == []


@pytest.mark.parametrize("text", ["y\n", "YES\n"], ids=repr)
def test_a_yes_on_a_terminal(real, monkeypatch, text):
    """Then it is done."""
    answer(monkeypatch, text)
    assert main(["deploy"]) == 0
    assert real.writes


def nothing(target):
    pass


def everything(target):
    Stack(target).deploy("ann@example.com")


def a_part(target):
    everything(target)
    target.client("iam").delete_role_policy(
        RoleName=target.names.machine_role, PolicyName="InvokeLotteryFunctions"
    )
    target.client("lambda").delete_function(FunctionName=target.names.function("InputWinners"))


STATES = [nothing, everything, a_part, foreign_table]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_dry_run_writes_nothing(real, state):
    """Whatever is there; and nobody is asked."""
    state(real.emulated)
    for words in (["deploy", "--email", "bob@example.com"], ["teardown"]):
        assert main([*words, "--dry-run"]) == 0
        assert real.writes == []


@pytest.mark.parametrize("state", [nothing, everything, a_part], ids=lambda state: state.__name__)
def test_a_deploy_does_what_its_plan_says(real, stack, state):
    """One thing after the other: created, updated, or nothing but looked at."""
    state(real.emulated)
    plan = [
        (each.kind, each.name, each.state.split()[-1]) for each in stack.plan() if each.kind != "employees"
    ]
    done = [(each.kind, each.name, each.state) for each in stack.deploy() if each.kind != "employees"]
    assert plan == [(kind, name, state.replace("unchanged", "checked")) for kind, name, state in done]


def test_a_teardown_does_what_its_plan_says(real, stack):
    """In the same order, which is the reverse of the deploy's."""
    made = [(each.kind, each.name) for each in stack.deploy() if each.kind != "employees"]
    plan = [(each.kind, each.name) for each in stack.removal()]
    done = [(each.kind, each.name) for each in stack.teardown().resources if each.state == "deleted"]
    assert plan == done == made[::-1]


def test_a_teardown_names_what_it_deletes(real, stack):
    """Every write call is about one thing of this attendee's, by its whole name."""
    everything(real.emulated)
    inbox(real.emulated).confirm("ann@example.com")
    assert draw(real.emulated, 1)["status"] == "SUCCEEDED"
    stack.teardown()
    assert real.writes
    for _, parameters in real.writes:
        assert f"-{real.target.names.attendee}" in parameters
        assert "*" not in parameters


def test_a_teardown_of_a_half_foreign_lottery(real, stack):
    """What is not ours is neither written to nor forgotten: the inventory has it, and the exit code tells."""
    foreign_table(real.emulated)
    assert main(["teardown", "--yes"]) == 1
    assert [name for name, _ in real.writes] == []
    assert [(each.name, each.ours) for each in stack.left()] == [(real.target.names.winners_table, False)]


def test_a_change_of_mind(real):
    """What the announcement raises leaves everything as it is."""

    def refuse(plan):
        raise LotteryError("you", "changed your mind", "Come back")

    with pytest.raises(LotteryError, match="changed your mind"):
        Stack(real.target, announce=refuse).deploy()
    assert real.writes == []


def test_nothing_is_asked_on_an_emulator(real, monkeypatch):
    """There a deploy needs no yes."""
    monkeypatch.setattr(door, "connect", lambda **_: real.emulated)
    assert main(["deploy"]) == 0


def test_the_plain_names_are_said_to_be_plain(real):
    """Who forgot LOTTERY_ATTENDEE in a shared account reads it before anything is written."""
    plain = real.target.named(Names())
    assert door.introduction(plain).endswith("no attendee: the plain names")


def test_things_without_our_tags_are_not_deleted(real):
    """What `restore` removes on an emulator, because it has our names, stays in a real account."""
    foreign_table(real.emulated)
    restore(real.target, "00")
    assert real.writes == []


def test_a_notebook_is_told_whose_account_it_is(real, monkeypatch, capsys):
    """In a notebook, `connect` to a real account says which, before anything is asked of it there."""
    monkeypatch.setattr(door, "_aws", lambda *_: real.target)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=object))
    _CONNECT("aws")
    assert f"AWS account {real.target.account}, region us-east-1" in capsys.readouterr().out
    assert real.writes == []
