"""Run what may take very long in a process of its own.

Python cannot interrupt the match of a regular expression, and other threads wait until it ends.
"""

import json
import subprocess
import sys
from typing import Any


def apart(program: str, given: Any, seconds: float) -> Any:
    """The result of a short Python program, which is killed when its time is over.

    Args:
        program: It reads JSON from its input, and writes JSON.
        given: What it reads.
        seconds: How long it may take.

    Raises:
        TimeoutError: It takes longer.
    """
    command, text = [sys.executable, "-I", "-S", "-c", program], json.dumps(given)
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=seconds, check=True
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error
    return json.loads(done.stdout)
