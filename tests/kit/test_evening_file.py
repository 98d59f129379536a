"""An evening is a file: after the emulator's end all is there, and nobody wins twice."""

import hashlib
import hmac
import json
import os
import signal
import sys
import threading
from functools import cache

import pytest
from helpers import source_of, started, wait_until
from injected import original
from patience import SECONDS

from lottery_course import inject
from lottery_lib import connect, execution, winners
from lottery_lib.draws import machine_arn
from lottery_lib.employees import Roster, tutorial_roster
from lottery_lib.errors import LotteryError
from lottery_lib.names import KIT
from lottery_lib.resources.contents import draws_table, load_employees
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.stack import Stack
from lottery_party import evening_file
from lottery_party.checker import check_receipts
from lottery_party.evening import Evening
from lottery_party.public_value import Numbers
from lottery_party.records import receipts

MUG, CAR = {"name": "Mug", "count": 2}, {"name": "Car", "count": 1}
QUESTION, VALUE = "Five numbers", "3 8 1"


def hangs(event, context):
    """It writes once, and never ends."""
    import signal

    from lambda_function import Tables

    write = Tables.write

    def write_and_hang(*arguments):
        write(*arguments)
        signal.pause()

    Tables.write = write_and_hang
    return original(event, context)


class Party:
    """A party on an emulator of its own.

    Attributes:
        file: Where its evenings are saved.
    """

    def __init__(self, own, file):
        self._own, self.file = own, file
        Stack(self.target).deploy()
        self.load(20)

    def load(self, guests):
        """Let so many guests come."""
        ids = [f"{number:04}" for number in range(guests)]
        load_employees(
            self.target, Roster([{"employee_id": each, "employee_name": f"Guest {each}"} for each in ids])
        )

    @property
    def target(self):
        """Where it is. If the emulator has ended, a new one is started."""
        told = started(self._own.told["port"])
        return connected(told["endpoint"], told["access_key_id"])

    def kill(self):
        """End the emulator with SIGKILL."""
        os.kill(started(self._own.told["port"])["pid"], signal.SIGKILL)

    def forget(self):
        """Let the emulator forget everything. That is quicker than to kill it."""
        self._own.reset()

    def evening(self, *prizes, value=VALUE):
        """An evening, announced, and with its public value; None for an evening that waits for it."""
        evening = Evening(self.target, "night-1", file=self.file)
        evening.announce(prizes, question=QUESTION)
        if value:
            evening.give(value)
        return evening

    def restored(self, **options):
        return Evening.restored(self.target, self.file, **options)


@cache
def connected(endpoint, _):
    """A new emulator has a new key, and needs a new target."""
    return connect(endpoint, attendee="party", edition="hardened")


@pytest.fixture
def party(apart, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(apart.home))
    apart.reset()
    return Party(apart, tmp_path / "party.evening.json")


def announce(evening, *prizes):
    evening.announce(prizes, question=QUESTION)


def step(evening, wanted):
    """Wait until the evening is at a step; returns its state."""
    wait_until(lambda: evening.refresh().step == wanted)
    return evening.refresh()


def committed_order(file, public):
    """The ids in the order that the secret in the file and the public value decide."""
    sys.path.insert(0, str(KIT / "lambdas/draw_prize"))
    from shuffle import shuffled

    tables = json.loads(file.read_text())["content"]["tables"]
    guests = sorted(each["employee_id"]["S"] for each in tables["employees"])
    (secret,) = [bytes.fromhex(each["secret"]["S"]) for each in tables["draws"] if "secret" in each]
    return [guests[at] for at in shuffled(len(guests), hmac.digest(secret, public.encode(), "sha256"))]


def ids(people):
    return [each.id for each in people]


def kinds(evening):
    """The kinds of the evening's receipts, in their order."""
    texts = receipts(evening.target, evening.name)["draws"][evening.name]["receipts"]
    return [json.loads(text)["kind"] for text in texts]


def test_what_was_awaited_is_awaited_again(party):
    """The machine waits again for the public value, and for the roll call; the announcement is the same."""
    announced = party.evening(MUG, value=None).refresh().announcement
    party.forget()
    evening = party.restored()
    assert (evening.refresh().step, evening.refresh().announcement) == ("public value", announced)
    evening.give("3 8 1")
    evening.draw(1)
    drawn = step(evening, "roll call").prizes
    party.forget()
    evening = party.restored()
    assert step(evening, "roll call").prizes == drawn
    evening.call_roll(1, [])
    assert step(evening, "ready").prizes[0].done
    assert kinds(evening) == ["announced", "public value", "drawn", "roll call"]


@pytest.mark.long("an evening that is restored twice")
def test_people_are_withdrawn_at_any_time(party):
    """Before the public value, and during a roll call: they win nothing later, whatever the emulator does."""
    evening = party.evening(MUG, CAR, value=None)
    evening.withdraw("0019")
    assert evening.refresh().step == "public value"
    evening.give("3 8 1")
    order = [each for each in committed_order(party.file, "3 8 1") if each != "0019"]
    evening.draw(1)
    step(evening, "roll call")
    for one in (order[0], order[2]):  # a winner, and who is next
        evening.withdraw(one)
    party.forget()
    evening = party.restored()
    assert ids(step(evening, "roll call").withdrawn) == ["0019", order[0], order[2]]
    evening.call_roll(1, [order[1]])
    wait_until(lambda: evening.refresh().prizes[0].absent)
    assert ids(step(evening, "roll call").prizes[0].winners) == [order[0], order[3]]
    evening.call_roll(1, [])
    step(evening, "ready")
    evening.close()
    checked = check_receipts(receipts(evening.target, "night-1"))
    assert (checked.problems, checked.counts["withdrawn"]) == ([], 3)
    with pytest.raises(LotteryError, match=r"did not withdraw 0007 \(The draw night-1 is closed"):
        evening.withdraw("0007")


def killed_after_the_note(monkeypatch, party, evening, act):
    """Do something, but the operator's computer ends when it has been noted in the file."""
    with monkeypatch.context() as patch:
        for name in ("_start", "_answered"):
            patch.setattr(Evening, name, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        patch.setattr("lottery_party.evening.run", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            act(evening)
    party.forget()
    return party.restored()


def test_an_announcement_that_was_noted_is_made(party, monkeypatch):
    """An announcement that did not reach the machine is made when the file goes on."""
    evening = Evening(party.target, "night-1", file=party.file)
    again = killed_after_the_note(monkeypatch, party, evening, lambda each: announce(each, MUG))
    assert [each.name for each in step(again, "public value").prizes] == ["Mug"]


@pytest.mark.long("an evening on each side of a crash")
def test_a_prize_that_was_noted_is_added_once(party, monkeypatch):
    """An added prize is neither lost nor added twice, whether it was noted or also recorded."""
    evening = party.evening(MUG)
    evening = killed_after_the_note(monkeypatch, party, evening, lambda each: each.draw_one_more(CAR))
    assert ids(step(evening, "roll call").prizes[1].winners) == committed_order(party.file, VALUE)[-1:]
    party.forget()
    evening = party.restored()
    assert [each.name for each in step(evening, "roll call").prizes] == ["Mug", "Car"]
    assert kinds(evening) == ["announced", "public value", "prize added", "drawn"]


@pytest.mark.long("an evening on each side of a crash")
def test_a_withdrawal_that_was_noted_is_made(party, monkeypatch):
    """A withdrawal that did not reach the machine is made when the file goes on."""
    evening = party.evening(MUG, value=None)
    evening = killed_after_the_note(monkeypatch, party, evening, lambda each: each.withdraw("0007"))
    assert (ids(evening.refresh().withdrawn), evening.refresh().step) == (["0007"], "public value")


def test_a_note_is_about_one_evening(party):
    """If another evening is saved in the same file, the note about the first one is left out."""
    step = {"request": {"prizes": [CAR]}, "number": 0, "awaits": "", "output": None, "last": ""}
    assert evening_file.save(party.target, party.file, "night-1", step)["step"] == step
    assert evening_file.save(party.target, party.file, "night-1")["step"] == step
    Evening(party.target, "night-2", file=party.file).refresh()
    assert evening_file.read(party.file)["step"] is None


def test_an_answer_that_was_noted_is_given_once(party, monkeypatch):
    """Who was absent is recorded, and the roll of those who follow is called by the operator."""
    evening = party.evening(MUG)
    evening.draw(1)
    first, second = ids(step(evening, "roll call").prizes[0].winners)
    evening = killed_after_the_note(monkeypatch, party, evening, lambda each: each.call_roll(1, [first]))
    wait_until(lambda: evening.refresh().prizes[0].absent)
    mug = step(evening, "roll call").prizes[0]
    assert (ids(mug.absent), ids(mug.winners)) == ([first], [second, committed_order(party.file, VALUE)[2]])
    party.forget()
    assert step(party.restored(), "roll call").prizes[0] == mug


def test_everything_is_put_back(party):
    """All items of all tables come back with their types, except task tokens and ARNs."""
    evening = party.evening(MUG)
    draws, target = draws_table(evening.target), evening.target
    odd = {"draw_id": {"S": "odd"}, "B": {"B": b"\0\xff"}, "L": {"L": [{"M": {"B": {"N": "1.50"}}}]}}
    draws.put_typed([odd, {"draw_id": {"S": "night-1#waiting"}, "token": {"S": "T"}}])
    evening.show("ready", 1)
    evening.refresh()
    tables = evening_file._tables(target)
    before = {kind: table.typed_items() for kind, table in tables.items()}
    party.forget()
    party.restored()
    after = {kind: table.typed_items() for kind, table in tables.items()}
    before["draws"] = [each for each in before["draws"] if "waiting" not in each["draw_id"]["S"]]
    chain = [item for item in after["draws"] if item["draw_id"]["S"] in ("#chain", "#chain#1")]
    assert json.loads(next(item["text"]["S"] for item in chain if "text" in item))["kind"] == "restored"
    for tables in (before, after):  # only the lottery's own chain has something new
        tables["draws"] = [
            item for item in tables["draws"] if item["draw_id"]["S"] not in ("#chain", "#chain#1")
        ]
    assert by_key(after) == by_key(before)


def by_key(tables):
    return {
        kind: sorted((each for each in items), key=lambda each: sorted(map(str, each.items())))
        for kind, items in ((kind, [without(each) for each in items]) for kind, items in tables.items())
    }


def without(item):
    return {key: value for key, value in item.items() if key != "drawing"}


def test_an_announcement_is_taken_back_until_the_value_is_given(party):
    """The record says so. The evening has another name, and its title stays; it can be announced again."""
    evening = party.evening(MUG, value=None)
    evening.show(title="Party", theme="red")
    evening.ask()
    evening.take_back()
    state = evening.refresh()
    assert (evening.name, state.step) == ("night-1-2", "new")
    assert (state.stage["title"], state.stage["theme"]) == ("Party", "red")
    assert Evening(party.target, "night-1").refresh().step == "new", "another page goes on in the same way"
    assert execution.of_machine(party.target, machine_arn(party.target), status="RUNNING") == []
    announce(evening, CAR)
    evening.ask()
    evening.give(VALUE)
    with pytest.raises(LotteryError, match="cannot be taken back: it has its public value"):
        evening.take_back()
    party.forget()
    evening = party.restored()
    assert evening.name == "night-1-2"
    evening.draw(1)
    step(evening, "roll call")
    evening.call_roll(1, [])
    step(evening, "ready")
    evening.close()
    checked = check_receipts(receipts(evening.target, evening.name))
    assert [notice.kind for notice in checked.notices] == ["restoredAfterValue", "takenBack", "text"]
    assert kinds(evening) == ["announced", "asked", "public value", "drawn", "roll call", "closed"]


def test_the_room_is_asked_once(party, monkeypatch):
    """When it is asked, and how long it takes to answer, are part of the evening and of its receipts."""
    evening = party.evening(MUG, value=None)
    assert evening.refresh().asked == ""
    evening = killed_after_the_note(monkeypatch, party, evening, lambda each: each.ask())
    asked = evening.refresh().asked
    evening.ask()
    assert evening.refresh().asked == asked != ""
    with pytest.raises(LotteryError, match=r"it is empty. Type what the room has said"):
        evening.give(" ,")
    evening.give(VALUE.replace(" ", ", "))
    given = evening.refresh().given
    told = receipts(evening.target, "night-1")["draws"]["night-1"]["receipts"]
    says = json.loads(told[2])
    assert (given.value, given.at, given.seconds) == (VALUE, says["at"], says["seconds"])
    assert given.code == hashlib.sha256(told[2].encode()).hexdigest()
    assert evening.refresh().code == hashlib.sha256(told[0].encode()).hexdigest()


def test_numbers_are_corrected_and_the_end_has_a_code(party, monkeypatch):
    """The room's numbers have one form. A typo is corrected until somebody is drawn; then comes the end."""
    evening = Evening(party.target, "night-1", file=party.file)
    evening.announce([CAR], question=QUESTION, numbers=Numbers(3))
    assert evening.refresh().numbers == Numbers(3)
    evening.ask()
    with pytest.raises(LotteryError, match="it has 2 numbers instead of 3"):
        evening.give("8 21")
    evening.give("33，08、２1")
    assert evening.refresh().public == "8 21 33"
    evening = killed_after_the_note(monkeypatch, party, evening, lambda each: each.correct("34 8 21"))
    state = evening.refresh()
    assert (state.public, state.step, state.end_code) == ("8 21 34", "ready", "")
    evening.draw(1)
    assert ids(step(evening, "roll call").prizes[0].winners) == committed_order(party.file, "8 21 34")[:1]
    with pytest.raises(LotteryError, match="has drawn somebody, so nobody can correct its public value"):
        evening.correct("8 21 33")
    evening.call_roll(1, [])
    step(evening, "ready")
    evening.close()
    told = receipts(evening.target, "night-1")
    checked = check_receipts(told)
    assert evening.refresh().end_code == checked.draws[0]["end_code"]
    assert evening.refresh().given.code == checked.draws[0]["value_code"]
    assert [each.kind for each in checked.notices] == ["restoredAfterValue", "few", "corrected"]
    assert checked.problems == []


def test_an_evening_needs_a_question(party):
    """Without a public value nobody could know that the winners were not chosen."""
    with pytest.raises(LotteryError, match="question to the room: there is none"):
        Evening(party.target, "night-1").announce([MUG], question=" ")


def test_nobody_loads_a_list_while_an_evening_is_open(party):
    """Who can win was announced. After a reset, the evening counts as given up."""
    party.evening(MUG, value=None)
    with pytest.raises(
        LotteryError, match="the announced draw night-1 is open, so nobody can change who can win"
    ):
        party.load(3)
    tutorial = party.target.named(party.target.names.in_edition("tutorial"))  # it has the same employees
    with pytest.raises(LotteryError, match="the announced draw night-1 is open"):
        load_employees(tutorial, tutorial_roster())
    Stack(party.target).reset()
    party.load(3)


def test_a_later_evening_is_not_replaced(party, tmp_path):
    """Tables that have more than the file stay as they are, until somebody says that they may be replaced."""
    evening = party.evening(MUG)
    old = tmp_path / "old.json"
    old.write_bytes(party.file.read_bytes())
    evening.draw(1)
    before = step(evening, "roll call")
    with pytest.raises(
        LotteryError, match=r"lacks 1 receipts and 2 winners .* nothing was changed. .* --yes"
    ):
        Evening.restored(party.target, old)
    assert evening.refresh() == before
    again = Evening.restored(party.target, old, replace=True)
    assert again.refresh().prizes[0].winners == []
    assert execution.of_machine(party.target, machine_arn(party.target), status="RUNNING") == []


def test_nobody_else_can_hold_the_lock_of_the_file(party):
    """Who can open a lock can hold it, and then the evening would stand still."""
    evening_file.save(party.target, party.file)
    assert party.file.with_name(f".{party.file.name}.lock").stat().st_mode & 0o077 == 0


def test_a_file_that_knows_more_is_not_overwritten(party):
    """After the emulator's end, the file may be the only copy: nothing writes over it."""
    party.evening(MUG)
    text = party.file.read_bytes()
    party.forget()
    Stack(party.target).deploy()
    evening = Evening(party.target, "night-2", file=party.file)
    for act in (lambda: announce(evening, CAR), lambda: evening_file.save(party.target, party.file)):
        with pytest.raises(LotteryError, match=r"has receipts that the tables do not have. Go on with it"):
            act()
    assert "Go on with it" in evening.refresh().not_saved
    assert party.file.read_bytes() == text


def test_two_presses_at_once_draw_once(party, monkeypatch):
    """Of two pages that draw or call the roll at the same time, one is told that the other was quicker."""
    evening = party.evening(MUG)
    both, new_name = threading.Barrier(2, timeout=SECONDS), execution.new_name
    with monkeypatch.context() as patch:  # both have looked before either of them starts
        patch.setattr(execution, "new_name", lambda: (both.wait(), new_name())[1])
        said = at_once(lambda page: page.draw_one_more(CAR), party)
    state = step(evening, "roll call")
    assert [each.name for each in state.prizes] == ["Mug", "Car"]
    assert len(said) == 1
    (winner,) = ids(state.prizes[1].winners)
    assert len(at_once(lambda page: page.call_roll(2, [winner]), party)) == 1
    wait_until(lambda: evening.refresh().prizes[1].absent)
    assert step(evening, "roll call").prizes[1].winners
    with pytest.raises(LotteryError, match=f"{winner} is not among the winners now"):
        evening.call_roll(2, [winner])


def at_once(act, party):
    """Two pages do the same; returns what the slower is told."""
    said = []

    def press(page):
        try:
            act(page)
        except LotteryError as error:
            said.append(str(error))

    pages = [Evening(party.target, "night-1", file=party.file) for _ in range(2)]
    presses = [threading.Thread(target=press, args=[page]) for page in pages if page.refresh()]
    for each in presses:
        each.start()
    for each in presses:
        each.join()
    return said


def test_an_announcement_that_failed_can_be_made_again(party):
    """A mistake in the prizes does not use up the evening's name."""
    evening = Evening(party.target, "night-1", file=party.file)
    with pytest.raises(LotteryError, match="at most 100 characters"):
        announce(evening, {"name": "Mug" * 40, "count": 2})
    announce(evening, MUG)
    assert evening.refresh().step == "public value"


@pytest.mark.long("two emulators, and 150 winners twice")
def test_killed_in_the_middle_of_a_draw(party, tmp_path):
    """The same people win, whether or not the file has the first of them, and nobody wins twice."""
    party.load(300)
    evening = party.evening({"name": "Mug", "count": 150}, CAR)
    target = evening.target
    inject(target, "DrawPrize", source_of(hangs))
    evening.draw(1)
    wait_until(lambda: len(Table(target, target.names.winners_table).items()) == 97)
    before_the_draw = tmp_path / "before.json"
    before_the_draw.write_bytes(party.file.read_bytes())
    assert evening.refresh().step == "drawing"
    assert party.file.read_bytes() == before_the_draw.read_bytes()  # a draw is saved whole
    evening_file.save(target, party.file, "night-1")
    before = receipts(target, "night-1")["draws"]["night-1"]["receipts"]
    party.kill()
    again, order = Evening.restored(party.target, before_the_draw), committed_order(party.file, "3 8 1")
    assert ids(step(again, "roll call").prizes[0].winners) == order[:150]
    again = party.restored(replace=True)
    assert ids(step(again, "roll call").prizes[0].winners) == order[:150]
    after = receipts(again.target, "night-1")["draws"]["night-1"]["receipts"]
    assert after[:3] == before
    again.call_roll(1, [order[7]])
    wait_until(lambda: again.refresh().prizes[0].absent)
    assert ids(step(again, "roll call").prizes[0].winners) == [*order[:7], *order[8:151]]
    assert len(winners(again.target)) == 151
