"""The pool gives workers to calls fairly, and never more than the machine can bear."""

import threading
from dataclasses import replace

import pytest
from patience import wait_until

from sfn_emulator.lambda_ import pool as module
from sfn_emulator.lambda_.function import function_of
from sfn_emulator.lambda_.pool import BusyError, Pool, Spares, limits_of

ANN = function_of(
    {"FunctionName": "ann", "FunctionArn": "arn:aws:lambda:us-east-1:1:function:ann", "CodeSha256": ""}
)
BOB = replace(ANN, arn="arn:aws:lambda:us-east-1:1:function:bob")


class Worker:
    def __init__(self, made):
        self.alive, self.retired = True, False
        made.append(self)

    def discard(self):
        self.alive = False

    def rehearse(self):
        pass

    end = discard


@pytest.fixture
def made():
    """Every worker that was made, in order."""
    return []


@pytest.fixture
def pool(made, monkeypatch):
    """A pool of usually 4 workers and at most 8; calls do not become impatient."""
    monkeypatch.setattr(module, "_PATIENT_SECONDS", 60)
    return Pool(lambda function: Worker(made), 4, 8)


def ask(pool, function):
    """Take a worker in a thread, which then has one or queues; the list gets it when the call may run."""
    got, before = [], pool._queue.copy()

    def has_asked():
        with pool._lock:
            return got or any(ticket not in before for ticket in pool._queue)

    threading.Thread(target=lambda: got.append(pool.take(function)), daemon=True).start()
    wait_until(has_asked)
    return got


def test_one_function_leaves_workers_for_others(pool):
    """A function with many sleeping calls has half of the workers, and another one is answered at once."""
    assert [len(ask(pool, ANN)) for _ in range(4)] == [1, 1, 0, 0]
    assert len(ask(pool, BOB)) == 1


def test_the_function_that_runs_less_comes_first(pool):
    """A free worker goes to the function that has fewer, even if its call came later."""
    for _ in range(2):
        ask(pool, ANN)
    first_of_bob = ask(pool, BOB)
    of_ann, of_bob = ask(pool, ANN), ask(pool, BOB)
    assert not of_ann and not of_bob
    pool.give_back(first_of_bob[0][0])
    wait_until(lambda: of_bob)
    assert not of_ann


def test_calls_of_one_function_run_in_order(pool):
    """The call that came first runs first."""
    busy = [ask(pool, ANN) for _ in range(2)]
    first, second = ask(pool, ANN), ask(pool, ANN)
    pool.give_back(busy[0][0][0])
    wait_until(lambda: first)
    assert not second


def test_a_call_that_waited_long_runs(made, monkeypatch):
    """Workers that sleep do not block the room: after a while, a call may have one of the further workers."""
    monkeypatch.setattr(module, "_PATIENT_SECONDS", 0.2)
    pool = Pool(lambda function: Worker(made), 2, 8)
    calls = [ask(pool, ANN) for _ in range(9)]
    wait_until(lambda: sum(map(len, calls)) == 4)
    wait_until(lambda: all(ticket.limit == 8 for ticket in pool._queue))
    assert len(made) == 4  # half of the most, so that others can run
    of_bob = ask(pool, BOB)
    wait_until(lambda: of_bob)
    assert sum(map(len, calls)) == 4


def test_only_the_usual_number_stays(made, monkeypatch):
    """After many calls at once, half of the usual number stays idle, and the others are ended."""
    monkeypatch.setattr(module, "_PATIENT_SECONDS", 0)
    pool = Pool(lambda function: Worker(made), 2, 8)
    calls = [ask(pool, ANN) for _ in range(4)]
    wait_until(lambda: all(calls))
    for call in calls:
        pool.give_back(call[0][0])
    assert [worker.alive for worker in made] == [False, False, False, True]


def test_the_oldest_idle_worker_makes_room(pool, made):
    """A function without a worker gets the place of the one that has been idle longest."""
    functions = [replace(ANN, arn=f"{ANN.arn}{number}") for number in range(5)]
    for function in functions:
        pool.give_back(pool.take(function)[0])
    assert [worker.alive for worker in made] == [False, False, False, True, True]
    assert pool.take(functions[4]) == (made[4], True)


def test_nested_calls_do_not_queue(pool):
    """They run even if all workers are busy. If there are far too many, they are refused."""
    for _ in range(16):
        pool.take(ANN, nested=True)
    with pytest.raises(BusyError):
        pool.take(ANN, nested=True)


def test_a_worker_that_cannot_be_made_takes_no_place(monkeypatch):
    """The place of a call that failed is free again."""

    def fail(function):
        raise OSError

    pool = Pool(fail, 4, 8)
    for _ in range(10):
        with pytest.raises(OSError):
            pool.take(ANN)


@pytest.mark.parametrize(
    ("cores", "free_mb", "expected"),
    [(2, 8000, (16, 32)), (8, 8000, (64, 128)), (8, 1500, (25, 25)), (1, 100, (16, 16))],
)
def test_limits_follow_from_the_machine(cores, free_mb, expected):
    """More cores and more memory allow more workers; there are at least sixteen."""
    assert limits_of(cores, free_mb, 15) == expected


def test_workers_that_were_idle_for_long_end(pool, made):
    """Who has been idle for long ends; a busy worker and one that was just used stay."""
    (ann, _), (bob, _), (busy, _) = (pool.take(function) for function in (ANN, BOB, ANN))
    pool.give_back(ann)
    pool.give_back(bob)
    ann.idle_since -= 60
    assert not pool.end_idle(30)
    assert [worker.alive for worker in (ann, bob, busy)] == [False, True, True]
    pool.give_back(busy)
    assert pool.end_idle(0)
    assert not any(worker.alive for worker in made)
    assert pool.take(ANN)[1] is False


def test_spare_workers_that_nobody_wants_end(made):
    """Spare workers end some time after somebody wanted them."""
    spares = Spares(lambda: Worker(made))
    spares.want(2)
    wait_until(lambda: len(spares._ready) == 2)
    spares.end_idle(60)
    assert all(worker.alive for worker in made)
    spares.end_idle(0)
    assert not any(worker.alive for worker in made)
