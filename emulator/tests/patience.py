"""Wait for the thing itself. The deadline only ends a test that would hang, so it is generous."""

import time


def wait_until(is_so, seconds=30):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.02)
