"""`make bench` tells what it measured as it is."""

import bench


def test_a_promise_that_is_not_kept_is_said():
    """A ratio above its limit is shown as missed, with both numbers."""
    row = bench.Row("Warm draw", 30.04, "ms", *bench.judged(2.5, 2, "times the calls"))
    assert "| Warm draw | 30 ms | 2.50 | at most 2 times the calls | **missed** |" in bench.table([row])


def test_a_promise_that_is_kept_is_said():
    """A time within its limit is shown as met."""
    row = bench.limited("Emulator ready", 0.5, 1)
    assert "| Emulator ready | 500 ms |  | within 1 s | met |" in bench.table([row])


def test_what_could_not_be_measured_is_said():
    """Without MiniStack the table says so, and judges nothing."""
    row = bench.Row("the same on MiniStack", None, "ms", note="could not be installed")
    assert "| not measured |  |  | could not be installed |" in bench.table([row])


def test_comparisons_are_made_in_turns():
    """One of ours, one of theirs, and so on; the first rounds do not count."""
    order = []
    measures = {name: lambda name=name: order.append(name) or len(order) for name in ("ours", "theirs")}
    found = bench.in_turns(measures, 2, warm_up=1)
    assert order == ["ours", "theirs"] * 3
    assert found == {"ours": [3, 5], "theirs": [4, 6]}
