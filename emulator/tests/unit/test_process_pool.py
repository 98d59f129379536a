"""Threads that are used again, and more of them only if all of them wait."""

import threading

import pytest
from patience import SECONDS

from sfn_emulator.process.pool import Pool


def test_work_is_done_by_few_threads():
    pool, seen, done = Pool(usual=3), set(), threading.Semaphore(0)

    def work():
        seen.add(threading.get_ident())
        done.release()

    for _ in range(200):
        pool.submit(work)
    assert all(done.acquire(timeout=SECONDS) for _ in range(200))
    assert len(seen) <= 3


def test_work_that_waits_for_work_that_waits_is_done():
    """All threads wait for work that has not begun: there is a further thread for it."""
    pool, ended = Pool(usual=2), threading.Event()

    def work(left):
        inner = threading.Event()
        if left:
            pool.submit(work_then, left - 1, inner)
            assert inner.wait(SECONDS)

    def work_then(left, event):
        work(left)
        event.set()

    pool.submit(work_then, 7, ended)
    assert ended.wait(SECONDS)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_ends_no_thread(capfd):
    """It is in the log, and the other work goes on."""
    pool, ended = Pool(usual=1), threading.Event()
    pool.submit(lambda: 1 / 0)
    pool.submit(ended.set)
    assert ended.wait(SECONDS)
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_quiet_is_when_nothing_waits_or_works():
    pool, go_on = Pool(usual=2), threading.Event()
    pool.submit(go_on.wait, SECONDS)
    assert not pool.wait_until_quiet(0.01)
    go_on.set()
    assert pool.wait_until_quiet(SECONDS)
