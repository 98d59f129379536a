"""Wait for the thing itself. The limit only ends a test that would hang. It is generous, and only here."""

import time

SECONDS = 300


def wait_until(is_so):
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"still not so after {SECONDS} s"
        time.sleep(0.02)
