"""With any pool, and in any order of requests, nobody wins twice, and each winner has a record."""

import csv
import io
from types import SimpleNamespace
from unittest.mock import patch

from hypothesis import example, given
from hypothesis import strategies as st
from unit.party.fake_dynamodb import EMPLOYEES
from unit.party.hardened_world import ACTIONS, GO, world

from lottery_lib.employees import parse
from lottery_lib.harmless import CONTROLS, skeleton
from lottery_lib.names import Names
from lottery_lib.resources import contents
from lottery_lib.resources.contents import load_employees
from lottery_party.checker import check_receipts

LEAVE = "leave"  # not what becomes of a request: an employee is deleted by hand
# The ids of a list that can be loaded
ID = st.text(min_size=1, max_size=4).filter(lambda text: skeleton(text) and not CONTROLS.search(text))
IDS = st.lists(ID, min_size=1, max_size=24, unique_by=skeleton)
PRIZES = st.lists(st.fixed_dictionaries({"count": st.integers(1, 7)}), min_size=1, max_size=3)
LIMITS = st.fixed_dictionaries(
    {"AT_ONCE": st.integers(1, 4), "LOOK": st.integers(1, 6), "MOST_PASSED_OVER": st.integers(0, 6)}
)
STEPS = st.lists(
    st.tuples(st.integers(0, 99), st.sampled_from([GO, GO, GO, *ACTIONS, LEAVE]), st.booleans()), max_size=60
)


@st.composite
def worlds(draw):
    ids = draw(IDS)
    some = st.sets(st.sampled_from(ids))
    return {
        "ids": ids,
        "won": draw(some),
        "left": draw(some),
        "chunk": draw(st.integers(1, 5)),
        "limits": draw(LIMITS),
        "seed": draw(st.integers(0, 2**32)),
    }


def hurt(made, steps):
    """Let the executions make their requests in this order, with faults. Then let all others end."""
    for number, action, after in steps:
        alive = [each for each in made.executions if each.alive]
        if action == LEAVE:
            made.leave(number)
        elif alive:
            made.kill_after = after
            alive[number % len(alive)].step(action)
    while alive := [each for each in made.executions if each.alive]:
        for each in alive:
            each.step(GO)


def resume(made):
    """Continue each draw whose execution was killed."""
    for name in [each.name for each in made.executions if each.killed and each.name in made.draws]:
        made.run({"draw_id": name})


def check(made):
    winners = [each for prize in made.prizes for each in prize["winners"]]
    assert len(winners) == len({*winners} - made.won), "somebody won twice"
    for name, draw in made.draws.items():
        recorded = [each for prize in draw["prizes"] for each in prize["winners"]]
        assert sorted(recorded) == sorted(made.recorded_of(name))
        for number, prize in enumerate(draw["prizes"], 1):
            mails = [mail for mail in made.mails if mail[1] == (name, number)]
            assert len(mails) <= 1
            assert "execution" in prize or not mails
            assert all(mail[2] == prize["winners"] for mail in mails)
            assert "execution" not in prize or len(prize["winners"]) == prize["count"]
    assert made.without_receipt() == made.won
    if made.draws:
        claims = check_receipts(made.document()).claims
        won_without = {"nobody was skipped without a receipt", "the list of winners is that of the receipts"}
        false = {claim for claim, true in claims.items() if true is False}
        assert false <= (won_without if made.won else set()), false


def check_ends(made):
    """Each execution has drawn all its winners, or says rightly that too few people remain."""
    for each in made.executions:
        if each.killed:
            continue
        if each.error is None:
            assert (
                "withdraw" in each.request or "closed" in made.draws[each.request.get("draw_id", each.name)]
            )
        elif type(each.error).__name__ == "NoSuchDraw":  # it looked before the first had begun
            assert "draw_id" in each.request
        elif type(each.error).__name__ == "DrawClosed":
            assert "withdraw" in each.request
        else:
            assert type(each.error).__name__ == "NotEnoughEmployees", each.error
            short = [prize for prize in made.prizes if "execution" not in prize]
            withdrawn = {one for draw in made.draws.values() for one in draw.get("withdrawn", [])}
            left = [one for one in made.remaining if one not in withdrawn]
            assert any(len(prize["winners"]) + len(left) < prize["count"] for prize in short)


#: Two executions of one draw: one looks while the other records everybody who remains.
OVERTAKEN = {
    "options": {
        **{"ids": ["0", "00", "000"], "won": set(), "left": set(), "chunk": 1, "seed": 0},
        "limits": {"AT_ONCE": 1, "LOOK": 1, "MOST_PASSED_OVER": 0},
    },
    "draws": [[{"count": 1}, {"count": 2}]],
    "again": {0},
    "leaving": {},
    "steps": [(0, "go", False)] * 3,
}


@example(**OVERTAKEN)
@given(
    worlds(),
    st.lists(PRIZES, min_size=1, max_size=4),
    st.sets(st.integers(0, 3)),
    st.dictionaries(st.integers(0, 3), st.integers(0, 23), max_size=2),
    STEPS,
)
def test_any_order_of_concurrent_draws(options, draws, again, leaving, steps):
    """Draws run at the same time. Requests fail, replies are lost, executions are killed and continued.

    In some of the draws, somebody is withdrawn meanwhile.
    """
    with world(**options) as made:
        for number, prizes in enumerate(draws):
            name = made.start({"prizes": prizes}).name
            if number in again:  # a second execution of the same draw, while the first still runs
                made.start({"draw_id": name})
            if number in leaving:
                made.start({"draw_id": name, "withdraw": made.ids[leaving[number] % len(made.ids)]})
        hurt(made, steps)
        resume(made)
        check(made)
        check_ends(made)


def load(made, text):
    """Load a CSV as the employees and the pool of an empty world; return the roster."""
    roster, tables = parse("staff.csv", text.encode()), made.tables

    def table(target, name, key=""):
        """A table in memory, ours and empty."""
        nothing = dict.fromkeys(["check_ours", "remove", "refuse_foreign"], lambda *_: None)
        return SimpleNamespace(
            **nothing,
            put=lambda items: tables.put(name, items),
            find=lambda: "there",
            all_keys=list,
            items=list,
        )

    with patch.object(contents, "Table", table):
        load_employees(SimpleNamespace(names=Names(edition="hardened")), roster, skip_bad_rows=True)
    made.ids = sorted(tables.tables[EMPLOYEES])
    return roster


@given(st.lists(st.sampled_from(["a", " a", "a ", "A", "b", "1", "01", "王", '"', "x,y"]), min_size=1))
def test_an_id_that_is_in_the_roster_twice(ids):
    """A person who is in the CSV several times is one employee, and wins once."""
    file = io.StringIO()
    csv.writer(file).writerows([["employee_id", "employee_name"], *([each, "N"] for each in ids)])
    people = [each.strip() for each in ids]  # the first of those that look alike stays
    people = {skeleton(each): each for each in reversed(people)}.values()
    with world([]) as made:
        roster = load(made, file.getvalue())
        assert len(roster.rejected) == len(ids) - len(people)
        for start in range(0, len(people), 2):
            assert made.run({"input": min(2, len(people) - start)}).error is None
        check(made)
        assert sorted(each for prize in made.prizes for each in prize["winners"]) == sorted(people)
        assert type(made.run({"input": 1}).error).__name__ == "NotEnoughEmployees"
