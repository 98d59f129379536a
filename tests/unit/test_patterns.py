"""The patterns of the page *After the course*, each with the test that the page shows."""

import re

import pytest

from lottery_lib.names import KIT
from states_language import Error, Machine

PATTERNS = KIT / "asl" / "patterns"
BAD = Error("BadLine", "the amount is no number")


@pytest.mark.parametrize(
    ("fails", "undone"),
    [("Reserve", ["Release"]), ("Charge", ["Refund", "Release"]), ("Ship", ["Refund", "Release"])],
)
def test_an_order_undoes_what_it_did(fails, undone):
    """What was done, and what may have been done, is undone, the latest first; the execution fails."""
    steps = ["Reserve", "Charge", "Ship"]
    tasks = {name: {"Payload": {}} for name in [*steps, "Refund", "Release"]}
    machine = Machine(PATTERNS / "order.asl.json", tasks=tasks | {fails: Error("Broken", "no more")})
    run = machine.start({"id": 7}).finish()
    assert (run.status, run.error) == ("FAILED", "OrderFailed")
    assert run.path == [*steps[: steps.index(fails) + 1], *undone, "Order failed"]


def test_the_tests_of_the_page(monkeypatch):
    """The page's own code runs, beside the definitions that it names."""
    monkeypatch.chdir(PATTERNS)
    page = (KIT / "docs" / "after.md").read_text(encoding="utf-8")
    names = {"Error": Error, "Machine": Machine}
    for code in re.findall(r"^```python\n(.+?)^```", page, re.MULTILINE | re.DOTALL):
        exec(code, names)
    tests = [test for name, test in names.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test()


def test_an_order_is_shipped():
    """A gateway that is down twice is asked again, and the card is charged under one key."""
    keys, answers = set(), iter([Error("GatewayDown"), Error("GatewayDown"), {"Payload": {}}])

    def charge(sent):
        keys.add(sent["Payload"]["key"])
        return next(answers)

    tasks = {"Reserve": {"Payload": {}}, "Charge": charge, "Ship": {"Payload": {"parcel": "X1"}}}
    run = Machine(PATTERNS / "order.asl.json", tasks=tasks).start({"id": 7})
    run.finish()
    assert run.output == {"parcel": "X1"}
    assert (run.attempts("Charge"), len(keys)) == (3, 1)


def test_each_line_is_handled_and_a_bad_one_is_kept():
    """Each line comes with its number in the file. A bad line is kept, and stops nobody."""
    seen, kept = [], []

    def handle(sent):
        seen.append((sent["Payload"]["number"], sent["Payload"]["line"]["name"]))
        return BAD if sent["Payload"]["line"]["amount"] == "x" else {"Payload": {}}

    file = "name,amount\nAnn,1\nBen,x\nCleo,3\n"
    tasks = {"Handle": handle, "Keep it": lambda sent: kept.append(sent["MessageBody"]) or {}}
    machine = Machine(PATTERNS / "lines.asl.json", tasks=tasks, files={"in/orders.csv": file})
    run = machine.start({"bucket": "in", "key": "orders.csv"}).finish()
    assert run.output == {"lines": 3, "kept": 1}
    assert sorted(seen) == [(2, "Ann"), (3, "Ben"), (4, "Cleo")]
    assert (kept[0]["item"]["number"], kept[0]["error"]["Error"]) == (3, "BadLine")


def test_too_many_failures_end_the_run():
    """An error that nobody expects fails its line; more than one line of twenty fail the whole execution."""
    file = "name,amount\n" + "Ann,1\n" * 10
    machine = Machine(
        PATTERNS / "lines.asl.json", tasks={"Handle": Error("Bug")}, files={"in/orders.csv": file}
    )
    run = machine.start({"bucket": "in", "key": "orders.csv"}).finish()
    assert (run.status, run.error) == ("FAILED", "States.ExceedToleratedFailureThreshold")
